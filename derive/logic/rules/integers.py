"""Rules for integers and the largest integer below a number."""

from __future__ import annotations

from derive.language.notation import floor
from derive.language.term import Term, both, le, lift, lt, number_of
from derive.logic.facts import is_integer
from derive.logic.rules.schema import NO_CONDITIONS, Result, axiom


def _inside(term: Term) -> Term | None:
    """Return u of ⌊u⌋."""
    return term.args[0] if term.op == "app" and term.data == "floor" else None


@axiom("largest integer below")
def floor_equals(term: Term) -> Result:
    """(⌊u⌋ = t) ⟺ (t ≤ u ∧ u < t + 1), t an integer"""
    if term.op != "eq" or term.args[0].shape:
        return None
    u, t = _inside(term.args[0]), term.args[1]
    return (both(le(t, u), lt(u, t + 1)), NO_CONDITIONS) if u is not None and is_integer(t) else None


@axiom("integers below")
def floor_bound(term: Term) -> Result:
    """(t ≤ ⌊u⌋) ⟺ (t ≤ u); (⌊u⌋ < t) ⟺ (u < t); t an integer"""
    if term.op == "le" and not term.args[0].shape:
        t, u = term.args[0], _inside(term.args[1])
        return (le(t, u), NO_CONDITIONS) if u is not None and is_integer(t) else None
    if term.op == "lt" and not term.args[0].shape:
        u, t = _inside(term.args[0]), term.args[1]
        return (lt(u, t), NO_CONDITIONS) if u is not None and is_integer(t) else None
    return None


@axiom("next integer")
def next_integer(term: Term) -> Result:
    """(s < t + 1) ⟺ (s ≤ t), s and t integers"""
    if term.op != "lt" or term.args[1].op != "add" or term.args[1].args[1] is not lift(1):
        return None
    s, t = term.args[0], term.args[1].args[0]
    return (le(s, t), NO_CONDITIONS) if is_integer(s) and is_integer(t) else None


@axiom("floor of an integer")
def floor_integer(term: Term) -> Result:
    """⌊t⌋ = t; ⌊u + t⌋ = ⌊u⌋ + t; ⌊u − t⌋ = ⌊u⌋ − t; t an integer. ⌊q⌋ for a fraction q is an integer"""
    u = _inside(term)
    if u is None:
        return None
    if is_integer(u):
        return u, NO_CONDITIONS
    if u.op == "num":
        return lift(number_of(u).__floor__()), NO_CONDITIONS
    if u.op in {"add", "sub"} and is_integer(u.args[1]):
        return Term(u.op, (floor(u.args[0]), u.args[1])), NO_CONDITIONS
    return None
