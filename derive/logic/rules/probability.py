"""Rules for expectations over random variables with a declared law."""

from __future__ import annotations

from derive.language.notation import LAWS
from derive.language.term import ONE, Term, free, law_of, number_of, place, substitute, subterms, δ
from derive.logic.rules.schema import NO_CONDITIONS, Result, axiom, parts, product


def _moment(symbol: Term, order: int) -> Term | None:
    moments = LAWS[law_of(symbol)].moments
    return moments[order] if order < len(moments) else None


def _power_of(factors: tuple[Term, ...], symbol: Term) -> tuple[tuple[Term, ...], int] | None:
    """Return (position, n) where the factors multiply to the n-th power of one component of the symbol."""
    total, where = 0, None
    for factor in factors:
        base, exponent = (factor.args[0], factor.args[1]) if factor.op == "pow" else (factor, ONE)
        array, position = place(base)
        power = number_of(exponent) if exponent.op == "num" else 0
        if array is not symbol or power < 1 or power != int(power) or where not in {None, position}:
            return None
        where, total = position, total + int(power)
    return (where, total) if where is not None else None


@axiom("moments of the law")
def moments(term: Term) -> Result:
    """𝔼 ε[i]ⁿ = the n-th moment of the declared law"""
    if term.op != "mean" or len(term.args) != 2:
        return None
    symbol, body = term.args
    split = parts(body)
    if len(split) != 1 or split[0][0] < 0 or split[0][2]:
        return None
    found = _power_of(split[0][1], symbol)
    value = _moment(symbol, found[1]) if found else None
    return (value, NO_CONDITIONS) if value is not None else None


@axiom("independent components")
def independent_components(term: Term) -> Result:
    """𝔼 f(ε[i])·g(ε[j]) = [i = j]·𝔼 f(ε[i])·g(ε[i]) + (1 − [i = j])·𝔼 f(ε[i])·𝔼 g(ε[j])"""
    if term.op != "mean" or len(term.args) != 2:
        return None
    symbol, body = term.args
    split = parts(body)
    if len(split) != 1 or split[0][0] < 0 or split[0][2]:
        return None
    groups: dict[tuple[Term, ...], list[Term]] = {}
    for factor in split[0][1]:
        positions = _positions(factor, symbol)
        if positions is None or len(positions) != 1:
            return None
        groups.setdefault(positions.pop(), []).append(factor)
    if len(groups) != 2 or not symbol.shape:
        return None
    (i, f), (j, g) = groups.items()
    return _diagonal_split(symbol, i, product(f), j, product(g))


def _diagonal_split(symbol: Term, i: tuple[Term, ...], f: Term, j: tuple[Term, ...], g: Term) -> Result:
    pairs = [(a, b) for a, b in zip(i, j, strict=True) if a is not b]
    bracket = product(δ(a, b) for a, b in pairs)
    together = Term("mean", (symbol, f * substitute(g, {b: a for a, b in pairs})))
    apart = Term("mean", (symbol, f)) * Term("mean", (symbol, g))
    conditions = tuple(Term("integrable", (symbol, body)) for body in (together.args[1], f, g))
    return bracket * together + (1 - bracket) * apart, conditions


def _positions(term: Term, symbol: Term) -> set[tuple[Term, ...]] | None:
    """Return the positions at which components of a symbol occur, None where the whole array or a bound index does."""
    found: set[tuple[Term, ...]] = set()
    bare = 0
    for part in subterms(term):
        if part.op == "at" and part.args[0] is symbol:
            found.add(part.args[1:])
        if part.op == "let" and symbol in free(part):
            return None
        bare += sum(arg is symbol for arg in part.args) - (part.op == "at" and part.args[0] is symbol)
    if bare or term is symbol or any(not set(position) <= free(term) for position in found):
        return None
    return found


