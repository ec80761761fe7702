"""What is integrable without being said: densities, what sums and multiples make of it, polynomials under a law."""

from __future__ import annotations

from collections.abc import Callable

from derive.language.array import component, unfolded
from derive.language.notation import SYMBOLS, law
from derive.language.term import (
    Term,
    block_of,
    bound,
    domain_of,
    free,
    index,
    is_random,
    name_of,
    names,
    number_of,
    occurs,
    place,
    sort,
    substitute,
    variant,
)

Parts = tuple[Term, ...]


def not_integrable(body: Term, *symbols: Term) -> Parts:
    """Return terms whose integrability over a point or random variables implies the body's; none where it is known."""
    symbol = symbols[0]
    if symbol.op == "idx" and symbol.args[0].op != "space":
        return ()  # a finite sum
    if is_random(symbol):
        return () if within_moments(body, symbols) else (body,)
    for reduce in _REDUCTIONS:
        parts = reduce(body, symbol)
        if parts is not None:
            return tuple(left for part in parts for left in not_integrable(part, symbol))
    return (body,)


# ---- reductions: what it is enough to integrate, or None where the reduction does not apply --------------------------


def _density(body: Term, symbol: Term) -> Parts | None:
    """A density is integrable over its last axis; one that is joint and not normalised, over each."""
    base, places = place(body)
    if base.op != "var" or not domain_of(base).endswith("density") or places.count(symbol) != 1:
        return None
    return () if places[-1] is symbol or domain_of(base) == "joint density" else None


def _named(body: Term, symbol: Term) -> Parts | None:
    """A named quantity u, and q·u, by its definition."""
    inner = unfolded(body)
    if inner is None and body.op == "mul":
        factor = unfolded(body.args[1])
        inner = None if factor is None else body.args[0] * factor
    return None if inner is None else (inner,)


def _spread(body: Term, symbol: Term) -> Parts | None:
    """q·(u ± v) by q·u and q·v; q·(−u), q·(c·u) and q·(u/c) by q·u, where c is free of the symbol."""
    if body.op != "mul":
        return None
    density, factor = body.args
    if factor.op in {"add", "sub", "neg"}:
        return tuple(density * part for part in factor.args)
    pairs = {"mul": (factor.args, factor.args[::-1]), "div": (factor.args[::-1],)}.get(factor.op, ())
    return next(((density * rest,) for constant, rest in pairs if symbol not in free(constant)), None)


def _of_exponential(body: Term, symbol: Term) -> Parts | None:
    """q·log g by q·u and q·log c, for g = eᵘ, eᵘ·c or eᵘ/c, c free of the symbol; q·log(f/g) by those and q·log f."""
    if body.op != "mul" or body.args[1].op != "app" or body.args[1].data != "log":
        return None
    density, (inner,) = body.args[0], body.args[1].args
    parts = _exponents(inner, symbol)
    if parts is None and inner.op == "div":
        below = _exponents(inner.args[1], symbol)
        parts = None if below is None else (Term("app", inner.args[:1], "log"), *below)
    return None if parts is None else tuple(density * part for part in parts)


def _moved_exponential(body: Term, symbol: Term) -> Parts | None:
    """eᵘ⁺ᶜ and eᵘ⁻ᶜ by eᵘ, where c is free of the symbol."""
    if body.op != "app" or body.data != "exp" or body.args[0].op not in {"add", "sub"}:
        return None
    power, constant = body.args[0].args
    return None if symbol in free(constant) else (Term("app", (power,), "exp"),)


def _exponents(term: Term, symbol: Term) -> Parts | None:
    """Return what the logarithm of eᵘ, eᵘ·c or eᵘ/c is made of: u and log c."""
    meant = unfolded(term)
    term = term if meant is None else meant
    factors = term.args if term.op in {"mul", "div"} else (term,)
    powers = tuple(part.args[0] for part in factors if part.op == "app" and part.data == "exp")
    constants = tuple(Term("app", (part,), "log") for part in factors if symbol not in free(part))
    return (*powers, *constants) if powers and len(powers) + len(constants) == len(factors) else None


def _turned(body: Term, symbol: Term) -> Parts | None:
    """q·log(f/q) by q·log(q/f), which is minus it."""
    if body.op != "mul" or body.args[1].op != "app" or body.args[1].data != "log":
        return None
    density, ratio = body.args[0], body.args[1].args[0]
    if ratio.op != "div" or ratio.args[1] is not density or ratio.args[0] is density:
        return None
    return (density * Term("app", (density / ratio.args[0],), "log"),)


def _on_support(body: Term, symbol: Term) -> Parts | None:
    """q·(f/q) by f: it is f where q is not 0, and 0 elsewhere."""
    if body.op == "mul" and body.args[1].op == "div" and body.args[1].args[1] is body.args[0]:
        return (body.args[1].args[0],)
    return None


def _multiple(body: Term, symbol: Term) -> Parts | None:
    """c·u, u·c, u/c and −u by u, where c is free of the symbol."""
    if body.op == "mul":
        for constant, rest in (body.args, body.args[::-1]):
            if symbol not in free(constant):
                return (rest,)
    if body.op == "neg" or (body.op == "div" and symbol not in free(body.args[1])):
        return (body.args[0],)
    return None


def _sum(body: Term, symbol: Term) -> Parts | None:
    return body.args if body.op in {"add", "sub"} else None


def _finite_sum(body: Term, symbol: Term) -> Parts | None:
    """Σ_k u and q·Σ_k u by u and q·u for every k, which is given a name that is new."""
    total = body.args[1] if body.op == "mul" else body
    if total.op != "sum" or symbol in free(total.args[0].args[0]):
        return None
    k, inner = total.args
    fresh = variant(k, names(body))
    inner = substitute(inner, {k: fresh})
    return (body.args[0] * inner if body.op == "mul" else inner,)


def _gap(body: Term, symbol: Term) -> Parts | None:
    """A gap, and a weight times a logarithm, by its definition: 0 times a logarithm is 0 wherever one integrates."""
    known = body.op == "app" and body.data in {"kl", "xlogy", "xlog_ratio"}
    meant = SYMBOLS[str(body.data)].definition if known else None
    return None if meant is None else (meant(*body.args),)


_REDUCTIONS: tuple[Callable[[Term, Term], Parts | None], ...] = (
    _density,
    _named,
    _spread,
    _turned,
    _on_support,
    _of_exponential,
    _moved_exponential,
    _multiple,
    _sum,
    _finite_sum,
    _gap,
)


# ---- polynomials in random variables ---------------------------------------------------------------------------------


def within_moments(body: Term, symbols: Parts, *, smooth: bool = False) -> bool:
    """Tell whether a body grows no faster than the moments of the random variables allow, block by block.

    Blocks are independent, so that each may use up its own moments; within a block the degrees add up.
    """
    random = {symbol for symbol in free(body) if is_random(symbol)}.union(symbols)
    for block in {block_of(symbol) for symbol in symbols}:
        members = frozenset(symbol for symbol in random if block_of(symbol) == block)
        degree = polynomial_degree(body, members, smooth=smooth)
        if degree is None or degree > min(law(symbol).order for symbol in members):
            return False
    return True


def polynomial_degree(term: Term, symbols: frozenset[Term], *, smooth: bool = True) -> int | None:
    """Return a bound on the degree of a term as a polynomial in variables taken together, or None.

    Where it need not be smooth, the absolute value and the positive part count as what they are of.
    """
    if free(term).isdisjoint(symbols) and not any(occurs(s, term) for s in symbols if not is_random(s)):
        return 0
    if term.op == "D":
        return _degree_of_derivative(term, symbols)
    if place(term)[0] in symbols:
        return 1
    inner = unfolded(term)
    if inner is not None:
        return polynomial_degree(inner, symbols, smooth=smooth)
    if term.op == "mean" and not any(occurs(s, law_) for s in symbols for law_ in bound(term) if s is not law_):
        return polynomial_degree(term.args[-1], symbols.difference(bound(term)), smooth=smooth)
    if term.op == "div" and polynomial_degree(term.args[1], symbols) != 0:
        return None
    degrees = [polynomial_degree(arg, symbols, smooth=smooth) for arg in term.args if sort(arg) == "real"]
    known = [degree for degree in degrees if degree is not None]
    if len(known) < len(degrees):
        return None
    power = number_of(term.args[1]) if term.op == "pow" and term.args[1].op == "num" else None
    if power is not None and power >= 0 and power.denominator == 1:
        return known[0] * int(power)
    if term.op in {"mul", "div"}:
        return sum(known)
    growing = term.op in {"add", "sub", "neg", "sum"} or (not smooth and term.op == "app" and term.data in _LIPSCHITZ)
    return max(known) if growing else None


_LIPSCHITZ = frozenset(("abs", "relu"))


def _degree_of_derivative(term: Term, symbols: frozenset[Term]) -> int | None:
    """A derivative of a polynomial is one; its degree is one less if the symbols enter through what it is by alone."""
    body, by = term.args
    base, _ = place(by)
    if base.op == "let" and not free(base).isdisjoint(symbols):
        fresh = variant(Term("var", base.shape, (name_of(base), "real")), names(body))
        outer = substitute(body, {base: fresh})
        inner, degree = polynomial_degree(_any_component(base), symbols), polynomial_degree(outer, frozenset([fresh]))
        if free(outer).isdisjoint(symbols) and degree is not None and inner is not None:
            return max(degree - 1, 0) * inner
    return polynomial_degree(body, symbols)


def _any_component(array: Term) -> Term:
    return component(array.args[0], tuple(index(f"h{n}", axis) for n, axis in enumerate(array.shape)))
