"""Rules for sine and cosine, and for functions that are odd or even."""

from __future__ import annotations

from typing import Final

from derive.language.notation import cos, sin
from derive.language.term import ONE, ZERO, Term, is_number
from derive.logic.rules.schema import NO_CONDITIONS, Result, axiom


def _of(term: Term, name: str) -> Term | None:
    """Return u where the term is name(u)."""
    return term.args[0] if term.op == "app" and term.data == name else None


@axiom("sin² + cos² = 1")
def pythagoras(term: Term) -> Result:
    """(sin u)² = 1 − (cos u)²"""
    square = term.op == "pow" and is_number(term.args[1], 2)
    if not square and (term.op != "mul" or term.args[0] is not term.args[1]):
        return None
    u = _of(term.args[0], "sin")
    return (1 - cos(u) ** 2, NO_CONDITIONS) if u is not None else None


@axiom("angle sum", source="Abramowitz and Stegun, Handbook of Mathematical Functions, 4.3.16 and 4.3.17")
def angle_sum(term: Term) -> Result:
    """sin(u ± v) = sin u·cos v ± cos u·sin v; cos(u ± v) = cos u·cos v ∓ sin u·sin v"""
    angle, sine = _of(term, "sin"), True
    if angle is None:
        angle, sine = _of(term, "cos"), False
    if angle is None or angle.op not in {"add", "sub"}:
        return None
    u, v = angle.args
    one, other = (sin(u) * cos(v), cos(u) * sin(v)) if sine else (cos(u) * cos(v), sin(u) * sin(v))
    return (one + other if (angle.op == "add") == sine else one - other), NO_CONDITIONS


_ODD: Final = frozenset(("sin", "tanh", "erf", "sign"))
_EVEN: Final = frozenset(("cos", "abs"))


@axiom("odd or even")
def parity(term: Term) -> Result:
    """f(−u) = −f(u) and f(0) = 0 for sin, tanh, erf, sign; f(−u) = f(u) for cos and |·|; cos 0 = 1, |0| = 0"""
    name = str(term.data)
    if term.op != "app" or name not in _ODD | _EVEN:
        return None
    (u,) = term.args
    if u is ZERO:
        return (ONE if name == "cos" else ZERO), NO_CONDITIONS
    if u.op != "neg":
        return None
    turned = Term("app", u.args, name)
    return (-turned if name in _ODD else turned), NO_CONDITIONS
