"""What is integrable without being said: densities, what sums and multiples make of it, polynomials under a law."""

from __future__ import annotations

from collections.abc import Callable

from derive.language.array import component, unfolded
from derive.language.notation import LAWS, SYMBOLS
from derive.language.term import (
    Term,
    domain_of,
    free,
    index,
    is_random,
    law_of,
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


def not_integrable(body: Term, symbol: Term) -> Parts:
    """Return terms whose integrability over a point or a random variable implies the body's; none where it is known."""
    if symbol.op == "idx" and symbol.args[0].op != "space":
        return ()  # a finite sum
    if is_random(symbol):
        degree = polynomial_degree(body, symbol)
        return () if degree is not None and degree < len(LAWS[law_of(symbol)].moments) else (body,)
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
    inner = unfolded(body)
    return None if inner is None else (inner,)


def _spread(body: Term, symbol: Term) -> Parts | None:
    """q·(u ± v) by q·u and q·v; q·(−u) by q·u."""
    if body.op == "mul" and body.args[1].op in {"add", "sub", "neg"}:
        return tuple(body.args[0] * part for part in body.args[1].args)
    return None


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


def _gap(body: Term, symbol: Term) -> Parts | None:
    """A gap by its definition."""
    meant = SYMBOLS[str(body.data)].definition if body.op == "app" and body.data == "kl" else None
    return None if meant is None else (meant(*body.args),)


_REDUCTIONS: tuple[Callable[[Term, Term], Parts | None], ...] = (
    _density,
    _named,
    _spread,
    _turned,
    _on_support,
    _multiple,
    _sum,
    _gap,
)


# ---- polynomials in a random variable --------------------------------------------------------------------------------


def polynomial_degree(term: Term, symbol: Term) -> int | None:
    """Return a bound on the degree of a term as a polynomial in a variable, or None."""
    if not occurs(symbol, term):
        return 0
    if term.op == "D":
        return _degree_of_derivative(term, symbol)
    if place(term)[0] is symbol:
        return 1
    inner = unfolded(term)
    if inner is not None:
        return polynomial_degree(inner, symbol)
    if term.op == "div" and occurs(symbol, term.args[1]):
        return None
    degrees = [polynomial_degree(arg, symbol) for arg in term.args if sort(arg) == "real"]
    known = [degree for degree in degrees if degree is not None]
    if len(known) < len(degrees):
        return None
    power = number_of(term.args[1]) if term.op == "pow" and term.args[1].op == "num" else None
    if power is not None and power >= 0 and power.denominator == 1:
        return known[0] * int(power)
    if term.op in {"mul", "div"}:
        return sum(known)
    return max(known) if term.op in {"add", "sub", "neg", "sum"} else None


def _degree_of_derivative(term: Term, symbol: Term) -> int | None:
    """A derivative of a polynomial is one; its degree is one less if the symbol enters through what it is by alone."""
    body, by = term.args
    base, _ = place(by)
    if base.op == "let" and occurs(symbol, base):
        fresh = variant(Term("var", base.shape, (name_of(base), "real")), names(body))
        outer = substitute(body, {base: fresh})
        inner, degree = polynomial_degree(_any_component(base), symbol), polynomial_degree(outer, fresh)
        if not occurs(symbol, outer) and degree is not None and inner is not None:
            return max(degree - 1, 0) * inner
    return polynomial_degree(body, symbol)


def _any_component(array: Term) -> Term:
    return component(array.args[0], tuple(index(f"h{n}", axis) for n, axis in enumerate(array.shape)))
