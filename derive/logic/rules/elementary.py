"""Rules for exponentials, logarithms and powers."""

from __future__ import annotations

from fractions import Fraction

from derive.language.notation import exp, log, sqrt
from derive.language.term import ONE, ZERO, Term, le, lift, lt, ne
from derive.logic.rules.schema import NO_CONDITIONS, Result, axiom, joined


def _of(term: Term, name: str) -> Term | None:
    """Return u where the term is name(u)."""
    return term.args[0] if term.op == "app" and term.data == name else None


@axiom("exponential of a negative")
def exp_negative(term: Term) -> Result:
    """e⁻ᵘ = 1/eᵘ"""
    u = _of(term, "exp")
    return (1 / exp(u.args[0]), NO_CONDITIONS) if u is not None and u.op == "neg" else None


@axiom("exponential of a sum")
def exp_sum(term: Term) -> Result:
    """eᵘ⁺ᵛ = eᵘ·eᵛ; eᵘ⁻ᵛ = eᵘ/eᵛ; e⁰ = 1"""
    u = _of(term, "exp")
    if u is None:
        return None
    if u is ZERO:
        return ONE, NO_CONDITIONS
    if u.op == "add":
        return exp(u.args[0]) * exp(u.args[1]), NO_CONDITIONS
    return (exp(u.args[0]) / exp(u.args[1]), NO_CONDITIONS) if u.op == "sub" else None


@axiom("exponential of a logarithm")
def exp_log(term: Term) -> Result:
    """e^(log u) = u, u > 0; log eᵘ = u"""
    u, v = _of(term, "exp"), _of(term, "log")
    if u is not None and (w := _of(u, "log")) is not None:
        return w, (lt(0, w),)
    if v is not None and (w := _of(v, "exp")) is not None:
        return w, NO_CONDITIONS
    return None


@axiom("logarithm of a product")
def log_product(term: Term) -> Result:
    """log(u·v) = log u + log v; log(u/v) = log u − log v; log 1 = 0; log uⁿ = n·log u; u, v > 0"""
    u = _of(term, "log")
    if u is None:
        return None
    if u is ONE:
        return ZERO, NO_CONDITIONS
    if u.op == "mul":
        a, b = u.args
        return log(a) + log(b), (lt(0, a), lt(0, b))
    if u.op == "div":
        a, b = u.args
        return log(a) - log(b), (lt(0, a), lt(0, b))
    if u.op == "pow":
        base, exponent = u.args
        return exponent * log(base), (lt(0, base),)
    return None


@axiom("logarithm of a product over a range")
def log_range(term: Term) -> Result:
    """log Π_k u = Σ_k log u, every u > 0"""
    u = _of(term, "log")
    if u is None or u.op != "prod":
        return None
    return Term("sum", (u.args[0], log(u.args[1]))), NO_CONDITIONS


@axiom("logarithm of a number")
def log_number(term: Term) -> Result:
    """log n = Σ e·log p over the prime factors p of n, each e times, for a positive fraction n"""
    u = _of(term, "log")
    value = u.data if u is not None and u.op == "num" else None
    if not isinstance(value, Fraction) or value <= 0 or max(value.numerator, value.denominator) > _LARGEST:
        return None
    powers = _primes(value.numerator) + [(p, -e) for p, e in _primes(value.denominator)]
    if len(powers) == 1 and powers[0][1] == 1:
        return None
    return joined([(1 if e > 0 else -1, (lift(abs(e)), log(p)), ()) for p, e in powers]), NO_CONDITIONS


_LARGEST = 10**12  # larger numbers are not taken apart by trial


def _primes(number: int) -> list[tuple[int, int]]:
    """Return the prime factors of a number with their powers."""
    found: dict[int, int] = {}
    factor = 2
    while factor * factor <= number:
        while number % factor == 0:
            found[factor] = found.get(factor, 0) + 1
            number //= factor
        factor += 1
    if number > 1:
        found[number] = found.get(number, 0) + 1
    return sorted(found.items())


@axiom("sign times size")
def sign_times_size(term: Term) -> Result:
    """sign(u)·|u| = u, |u|·sign(u) = u; u·sign(u) = |u|, sign(u)·u = |u|; |u|² = u²"""
    if term.op == "pow" and term.args[1].op == "num" and term.args[1].data == 2:
        u = _of(term.args[0], "abs")
        return (u**2, NO_CONDITIONS) if u is not None else None
    if term.op != "mul":
        return None
    for one, other in (term.args, term.args[::-1]):
        u = _of(one, "sign")
        if u is not None and other is u:
            return Term("app", (u,), "abs"), NO_CONDITIONS
        if u is not None and _of(other, "abs") is u:
            return u, NO_CONDITIONS
    return None


@axiom("indicator and sign")
def step_sign(term: Term) -> Result:
    """[u > 0] = (1 + sign(u))/2, u ≠ 0"""
    u = _of(term, "step")
    return ((1 + Term("app", (u,), "sign")) / 2, (ne(u, 0),)) if u is not None else None


@axiom("square root of a square")
def sqrt_square(term: Term) -> Result:
    """√(u²) = |u|; (√u)² = u, u ≥ 0"""
    u = _of(term, "sqrt")
    if u is not None and u.op == "pow" and u.args[1].op == "num" and u.args[1].data == 2:
        return Term("app", (u.args[0],), "abs"), NO_CONDITIONS
    if term.op == "pow" and term.args[1].op == "num" and term.args[1].data == 2:
        inner = _of(term.args[0], "sqrt")
        return (inner, NO_CONDITIONS) if inner is not None else None
    return None


@axiom("square root of a product")
def sqrt_product(term: Term) -> Result:
    """√(u·v) = √u·√v; √(u/v) = √u/√v, v > 0; u, v ≥ 0"""
    u = _of(term, "sqrt")
    if u is None or u.op not in {"mul", "div"}:
        return None
    a, b = u.args
    return Term(u.op, (sqrt(a), sqrt(b))), (le(0, a), lt(0, b) if u.op == "div" else le(0, b))
