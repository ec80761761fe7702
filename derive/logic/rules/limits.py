"""Rules for limits: of expressions whose parts have limits, of 1/t, of exponentials and of geometric sequences."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from derive.language.array import bound_index, unfolded
from derive.language.notation import SYMBOLS
from derive.language.term import (
    NATURALS,
    ONE,
    TRUE,
    ZERO,
    ShapeError,
    Term,
    alpha,
    eq,
    forall,
    free,
    le,
    lt,
    ne,
    occurs,
    substitute,
)  # fmt: skip
from derive.logic.facts import harvest
from derive.logic.rules.schema import NO_CONDITIONS, Result, axiom


@dataclass
class _Search:
    """The limit of an expression, put together from those of its parts, with the conditions for it."""

    variable: Term
    to: Term | None
    known: dict[Term, Term]
    about: Callable[[Term, Term], Term]
    conditions: list[Term] = field(default_factory=list)

    def of(self, term: Term, inside: tuple[Term, ...] = ()) -> Term | None:
        """Return the limit of a term that stands under the binders of some indices, or None."""
        if not occurs(self.variable, term):
            return term
        if (value := self.known.get(alpha(term))) is not None:
            self.need(self.about(term, value), inside)
            return value
        if term is self.variable:
            return self.to
        if (inner := unfolded(term)) is not None:
            return self.of(inner, inside)
        rule = _PARTS.get(term.op)
        return rule(self, term, inside) if rule else None

    def need(self, condition: Term, inside: tuple[Term, ...]) -> None:
        """Note a condition, for all indices that are bound where it is needed."""
        for symbol in reversed(inside):
            if symbol in free(condition):
                condition = Term("forall", (symbol, condition))
        self.conditions.append(condition)


Inside = tuple[Term, ...]


def _all(search: _Search, term: Term, inside: Inside, parts: tuple[Term, ...]) -> Term | None:
    """Return a term with the limits of some of its arguments in their place, the first ones left alone."""
    limits = [search.of(part, inside) for part in parts]
    if any(value is None for value in limits):
        return None
    kept = term.args[: len(term.args) - len(parts)]
    return Term(term.op, (*kept, *(value for value in limits if value is not None)), term.data)


def _arithmetic(search: _Search, term: Term, inside: Inside) -> Term | None:
    return _all(search, term, inside, term.args)


def _power(search: _Search, term: Term, inside: Inside) -> Term | None:
    base, exponent = term.args
    below = None if occurs(search.variable, exponent) else search.of(base, inside)
    return None if below is None else below**exponent


def _symbol(search: _Search, term: Term, inside: Inside) -> Term | None:
    """A continuous function, where it is defined all around the limit."""
    entry = SYMBOLS[str(term.data)]
    value = _all(search, term, inside, term.args) if entry.continuous else None
    if value is None:
        return None
    for condition in entry.domain(*value.args):
        if condition.op not in {"le", "lt", "ne"}:
            return None
        search.need(lt(*condition.args) if condition.op == "le" else condition, inside)
    return value


def _sum(search: _Search, term: Term, inside: Inside) -> Term | None:
    index, body = term.args
    caught = index in inside or (search.to is not None and index in free(search.to))
    if caught or occurs(search.variable, index.args[0]):
        return None
    value = search.of(body, (*inside, index))
    return None if value is None else Term("sum", (index, value))


_PARTS: dict[str, Callable[[_Search, Term, Inside], Term | None]] = {
    **dict.fromkeys(("add", "sub", "mul", "div", "neg"), _arithmetic),
    "pow": _power,
    "app": _symbol,
    "call": lambda search, term, inside: _all(search, term, inside, term.args[1:]),
    "sum": _sum,
}


@axiom("limit of an expression")
def of_parts(term: Term, *parts: Term) -> Result:
    """(f(u, …) → c) ⟺ (c = f(a, …)), where u → a, … and f is continuous and defined around (a, …)

    f is made of sums, products, quotients, powers with fixed exponents, finite sums and continuous functions. The
    parameters are the parts u, … of the body, each followed by its limit.
    """
    if term.op != "tends" or len(parts) % 2:
        return None
    variable, *to, value, body = term.args
    pairs = list(zip(parts[::2], parts[1::2], strict=True))
    if any(occurs(variable, limit) or part.shape or limit.shape for part, limit in pairs):
        return None
    search = _Search(
        variable,
        to[0] if to else None,
        {alpha(part): limit for part, limit in pairs},
        lambda part, limit: Term("tends", (variable, *to, limit, part)),
    )
    found = search.of(body)
    return None if found is None else (eq(value, found), tuple(search.conditions))


def _is_decay(body: Term, t: Term) -> Term | None:
    """Return c where a term is e^(−c·t), with c free of t."""
    u = body.args[0] if body.op == "app" and body.data == "exp" else None
    if u is None:
        return None
    if u.op == "neg":
        rate, moving = u.args[0].args if u.args[0].op == "mul" else (ONE, u.args[0])
    elif u.op == "mul" and u.args[0].op == "neg":
        rate, moving = u.args[0].args[0], u.args[1]
    else:
        return None
    return rate if moving is t and not occurs(t, rate) else None


@axiom("elementary limits")
def elementary(term: Term) -> Result:
    """(1/t → c) ⟺ (c = 0); (e^(−a·t) → c) ⟺ (c = 0), a > 0; (rᵗ → c) ⟺ (c = 0), |r| < 1, for a natural t; as t → ∞"""
    if term.op != "tends" or len(term.args) != 3:
        return None
    t, value, body = term.args
    zero = eq(value, ZERO)
    if body.op == "div" and body.args == (ONE, t):
        return zero, NO_CONDITIONS
    if (rate := _is_decay(body, t)) is not None:
        return zero, (lt(0, rate), *harvest(rate))
    if _is_geometric(body, t):
        return zero, (lt(Term("app", (body.args[0],), "abs"), 1), *harvest(body.args[0]))
    return None


def _is_geometric(body: Term, t: Term) -> bool:
    return body.op == "pow" and body.args[1] is t and t.op == "size" and not occurs(t, body.args[0])


@axiom("limit of a geometric sequence")
def geometric(term: Term) -> Result:
    """(rᵗ·c → 0) ⟺ (|r| < 1), as a natural number t → ∞, where c ≠ 0"""
    if term.op != "tends" or len(term.args) != 3 or term.args[1] is not ZERO:
        return None
    t, _, body = term.args
    ordered = (body.args, body.args[::-1]) if body.op == "mul" else ((body, ONE),)
    for power, factor in ordered:
        if _is_geometric(power, t) and not occurs(t, factor):
            return lt(Term("app", (power.args[0],), "abs"), 1), (ne(factor, 0), *harvest(factor))
    return None


@axiom("squeezed sequence", source="Rudin, Principles of Mathematical Analysis, theorem 3.19")
def squeezed(term: Term, bound: Term) -> Result:
    """(u(t) → 0) ⟺ true, where u(t)² ≤ w(t) for every natural number t, and w(t) → 0, as t → ∞"""
    if term.op != "tends" or len(term.args) != 3 or term.args[1] is not ZERO or bound.shape:
        return None
    t, _, body = term.args
    if t.op != "size":
        return None
    k = bound_index(NATURALS, body, bound)
    try:
        below = substitute(le(body**2, bound), {t: k})
    except ShapeError:  # the terms count with t, or sum up to it
        return None
    return TRUE, (forall(below, k), Term("tends", (t, ZERO, bound)))
