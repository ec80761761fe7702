"""Rules for expectations over random variables with a declared law: moments, independence, symmetry, variance.

𝔼 binds random variables. Those of different blocks are independent, and so are the components of one whose law says so.
"""

from __future__ import annotations

from derive.language.notation import law, parameters_at
from derive.language.term import (
    ONE,
    E,
    Term,
    block_of,
    bound,
    free,
    is_random,
    meant,
    number_of,
    place,
    substitute,
    subterms,
    δ,
)  # fmt: skip
from derive.logic.rules.schema import NO_CONDITIONS, Result, axiom, parts, product


def _multiplied(term: Term) -> tuple[Term, ...]:
    """Return the factors of a product as it is written."""
    return sum(map(_multiplied, term.args), ()) if term.op == "mul" else (term,)


def _integrable(symbols: tuple[Term, ...], *bodies: Term) -> tuple[Term, ...]:
    return tuple(Term("integrable", (*symbols, body)) for body in bodies)


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
    if term.op != "mean" or len(bound(term)) != 1:
        return None
    symbol, split = term.args[0], parts(term.args[-1])
    if len(split) != 1 or split[0][0] < 0 or split[0][2]:
        return None
    found = _power_of(split[0][1], symbol)
    if found is None or found[1] > law(symbol).order:
        return None
    value = law(symbol).moments(*parameters_at(symbol, found[0]))[found[1]]
    return (value, NO_CONDITIONS) if value is not None else None


@axiom("independent components")
def independent_components(term: Term) -> Result:
    """𝔼 f(ε[i])·g(ε[j]) = [i = j]·𝔼 f(ε[i])·g(ε[i]) + (1 − [i = j])·𝔼 f(ε[i])·𝔼 g(ε[j])"""
    if term.op != "mean" or len(bound(term)) != 1 or not law(term.args[0]).independent:
        return None
    symbol, factors = term.args[0], _multiplied(term.args[-1])
    groups: dict[tuple[Term, ...], list[Term]] = {}
    for factor in factors:
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
    together = E(f * substitute(g, {b: a for a, b in pairs}), symbol)
    conditions = _integrable((symbol,), together.args[1], f, g)
    return bracket * together + (1 - bracket) * (E(f, symbol) * E(g, symbol)), conditions


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


@axiom("independent blocks", source="Billingsley, Probability and Measure, section 20 (Fubini’s theorem)")
def independent_blocks(term: Term) -> Result:
    """𝔼 u·v = 𝔼 u·𝔼 v, where u and v have random variables of different blocks, u and v integrable"""
    if term.op != "mean":
        return None
    symbols, factors = bound(term), _multiplied(term.args[-1])
    groups: list[tuple[set[str], list[int]]] = []
    for position, factor in enumerate(factors):
        blocks, together = {block_of(s) for s in symbols if s in free(factor)}, [position]
        for group in [g for g in groups if g[0] & blocks]:
            blocks, together = blocks | group[0], sorted(group[1] + together)
            groups.remove(group)
        groups.append((blocks, together))
    if len(groups) < 2 or not all(blocks for blocks, _ in groups):
        return None
    groups.sort(key=lambda group: group[1])
    means = [E(product(factors[n] for n in f), *(s for s in symbols if block_of(s) in b)) for b, f in groups]
    return product(means), tuple(Term("integrable", mean.args) for mean in means)


@axiom("symmetric law")
def symmetric(term: Term) -> Result:
    """𝔼 f(w) = (𝔼 f(w) + 𝔼 f(−w))/2, where w and −w are of one law"""
    if term.op != "mean":
        return None
    symbols, body = bound(term), term.args[-1]
    blocks = [block_of(s) for s in free(body).union(symbols) if is_random(s)]
    for symbol in symbols:
        hidden = any(part.op in {"let", "D"} and symbol in free(part) for part in subterms(body))
        known = law(symbol).symmetric and law(symbol).independent and blocks.count(block_of(symbol)) == 1
        if known and not hidden and symbol in free(body):
            turned = E(substitute(body, {symbol: -symbol}), *symbols)
            return (term + turned) / 2, _integrable(symbols, body)
    return None


@axiom("definition of the variance")
def variance(term: Term) -> Result:
    """Var(u) = 𝔼(u − 𝔼u)²"""
    return (meant(term), NO_CONDITIONS) if term.op == "Var" else None


@axiom("definition of the covariance")
def covariance(term: Term) -> Result:
    """Cov(u, v) = 𝔼(u − 𝔼u)(v − 𝔼v)"""
    return (meant(term), NO_CONDITIONS) if term.op == "Cov" else None
