"""Side conditions: the ones that a held term implies, and the ones that are known from ranges, domains and structure.

A condition that is not known is reduced to conditions on its parts, which together imply it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from derive.language.array import component, expanded, push
from derive.language.notation import DOMAINS, LAWS, SYMBOLS
from derive.language.term import (
    ONE, ZERO, Term, alpha, at, bound, domain_of, eq, free, index, is_random, le, lt, name_of, names, ne, occurs, place, sort, substitute, variant,
)  # fmt: skip

Conditions = frozenset[Term]
NONE: Conditions = frozenset()
POSITIVE, NONNEGATIVE, NONZERO = ">", "≥", "≠"
_FORMULA: dict[str, Callable[[Term], Term]] = {POSITIVE: lambda t: lt(0, t), NONNEGATIVE: lambda t: le(0, t), NONZERO: lambda t: ne(t, 0)}  # fmt: skip
_RANGES = {
    "positive": {POSITIVE, NONNEGATIVE, NONZERO},
    "unit": {POSITIVE, NONNEGATIVE, NONZERO},
    "nonnegative": {NONNEGATIVE},
    "sign": {NONZERO},
    "real": set[str](),
    "signed unit": set[str](),
}


def generalise(condition: Term, symbols: tuple[Term, ...]) -> Term:
    """Return ∀ symbols: condition, over those of the symbols that are free in it."""
    for symbol in reversed(symbols):
        if symbol in free(condition):
            condition = Term("forall", (symbol, condition))
    return condition


def guarded(guard: Term | None, condition: Term, symbols: tuple[Term, ...]) -> Term:
    """Return a condition as it is carried out of a place with a local hypothesis, which it keeps if it speaks of the place."""
    if guard is None or free(condition).isdisjoint(symbols):
        return condition
    return Term("implies", (guard, condition))


def closed(condition: Term) -> Term:
    """Return a condition in the form in which two are compared: written out, its free indices generalised."""
    for symbol in sorted(free(condition), key=lambda s: s.serial):
        condition = Term("forall", (symbol, condition))
    return alpha(expanded(condition))


def unfolded(term: Term) -> Term | None:
    """Return the definition of a named quantity or of its component; None for anything else."""
    base, places = place(term)
    return component(base.args[0], places) if base.op == "let" else None


def range_of(term: Term) -> str:
    """Return the declared range of a symbol's value or of a variable's component."""
    base, _ = place(term)
    if term.op == "app" or base.op == "rows" or term.op == "reduce":
        return SYMBOLS[str((base if base.op == "rows" else term).data)].range
    return DOMAINS[domain_of(base)].range if base.op == "var" else "real"


def below_one(term: Term) -> bool:
    """Tell whether a term is known to be less than 1."""
    inner = unfolded(term)
    if inner is not None:
        return below_one(inner)
    if term.op == "sub" and term.args[0] is ONE:
        return not require(POSITIVE, term.args[1])
    if term.op == "div" and term.args[1].op == "add" and term.args[0] in term.args[1].args:
        share, whole = term.args[0], term.args[1]
        rest = whole.args[1] if whole.args[0] is share else whole.args[0]
        return not require(POSITIVE, rest) and not require(POSITIVE, whole)
    return range_of(term) in {"unit", "signed unit"}


# ---- what it takes for t > 0, t ≥ 0 or t ≠ 0 to hold -----------------------------------------------------------------


@lru_cache(maxsize=None)
def require(relation: str, term: Term, known: tuple[Term, ...] = ()) -> Conditions:
    """Return conditions that together imply t > 0 (or ≥, ≠); none where it is known. `known`: formulas that hold here."""
    term = push(term)
    goal = _FORMULA[relation](term)
    if _is_among(goal, known) or (relation != POSITIVE and _is_among(lt(0, term), known)):
        return NONE
    if term.op == "num":
        return NONE if _number_holds(relation, term) else frozenset([goal])
    if relation in _RANGES[range_of(term)]:
        return NONE
    rule = _REQUIRE.get(term.op)
    parts = rule(relation, term, known) if rule else _by_definition(relation, term, known)
    if parts is not None:
        return parts
    if relation == NONZERO and not require(NONNEGATIVE, term, known):
        return require(POSITIVE, term, known)
    return NONE if relation != POSITIVE and not require(POSITIVE, term, known) else frozenset([goal])


def _is_among(goal: Term, known: tuple[Term, ...]) -> bool:
    return any(alpha(goal) is alpha(fact) for fact in known)


def _number_holds(relation: str, term: Term) -> bool:
    value = term.data
    return {POSITIVE: value > 0, NONNEGATIVE: value >= 0, NONZERO: value != 0}[relation]  # type: ignore[operator]


Rule = Callable[[str, Term, tuple[Term, ...]], Conditions | None]


def _by_definition(relation: str, term: Term, known: tuple[Term, ...]) -> Conditions | None:
    """What a named quantity needs; its own condition, and not its definition's, where that is all that there is to say."""
    inner = unfolded(term)
    if inner is None:
        return None
    parts = require(relation, inner, known)
    return None if parts == {_FORMULA[relation](push(inner))} else parts


def _size(relation: str, term: Term, known: tuple[Term, ...]) -> Conditions | None:
    least = term.data[1] if term.op == "size" and isinstance(term.data, tuple) else 1
    return NONE if relation == NONNEGATIVE or least >= 1 else None


def _sum_of_two(relation: str, term: Term, known: tuple[Term, ...]) -> Conditions | None:
    a, b = term.args
    if relation == NONNEGATIVE:
        return _if_free(require(NONNEGATIVE, a, known) | require(NONNEGATIVE, b, known))
    for first, second in ((a, b), (b, a)):
        if not require(POSITIVE, first, known) and not require(NONNEGATIVE, second, known):
            return NONE
    return None


def _if_free(conditions: Conditions) -> Conditions | None:
    """A sum may be positive though its parts are not: its condition is only reduced when nothing is left of it."""
    return None if conditions else NONE


def _difference(relation: str, term: Term, known: tuple[Term, ...]) -> Conditions | None:
    a, b = term.args
    return NONE if a is ONE and below_one(push(b)) else None


def _product(relation: str, term: Term, known: tuple[Term, ...]) -> Conditions | None:
    a, b = term.args
    if relation == NONNEGATIVE and alpha(a) is alpha(b):
        return NONE
    return require(relation, a, known) | require(relation, b, known)


def _quotient(relation: str, term: Term, known: tuple[Term, ...]) -> Conditions | None:
    a, b = term.args
    return require(relation, a, known) | require(POSITIVE if relation == NONNEGATIVE else relation, b, known)


def _power(relation: str, term: Term, known: tuple[Term, ...]) -> Conditions | None:
    base, exponent = term.args
    even = exponent.op == "num" and exponent.data % 2 == 0  # type: ignore[operator]
    if even:
        return NONE if relation == NONNEGATIVE else require(NONZERO, base, known)
    return require(relation, base, known)


def _negation(relation: str, term: Term, known: tuple[Term, ...]) -> Conditions | None:
    return require(NONZERO, term.args[0], known) if relation == NONZERO else None


def _over_range(relation: str, term: Term, known: tuple[Term, ...]) -> Conditions | None:
    """A sum of positive terms over at least one index; a product of them over any number."""
    if relation == NONZERO and term.op == "sum":
        return None
    if relation == POSITIVE and term.op == "sum" and not _inhabited(term.args[0].args[0]):
        return None
    inner = require(relation, term.args[1], known)
    if term.op == "sum" and inner:
        return None
    return frozenset(generalise(c, term.args[:1]) for c in inner)


def _inhabited(over: Term) -> bool:
    return over.op == "succ" or (isinstance(over.data, tuple) and int(over.data[1]) >= 1)


def _integral(relation: str, term: Term, known: tuple[Term, ...]) -> Conditions | None:
    if relation == POSITIVE and term.op == "expect":
        return _positive_expectation(term, known)
    if relation != NONNEGATIVE:
        return None
    inner = require(relation, term.args[-1], known)
    return _if_free(inner)


def _positive_expectation(term: Term, known: tuple[Term, ...]) -> Conditions:
    """𝔼_q f > 0 where q is normalised and f > 0 on its support."""
    point, density, body = term.args
    guard = lt(0, density)
    inside = (guarded(guard, c, (point,)) for c in require(POSITIVE, body, (*known, guard)))
    normalised = eq(Term("integral", (point, density)), 1)
    return frozenset(generalise(c, (point,)) for c in inside) | {normalised}


_REQUIRE: dict[str, Rule] = {
    "size": _size,
    "succ": lambda relation, term, known: NONE,
    "add": _sum_of_two,
    "sub": _difference,
    "mul": _product,
    "div": _quotient,
    "pow": _power,
    "neg": _negation,
    "sum": _over_range,
    "prod": _over_range,
    "integral": _integral,
    "expect": _integral,
    "mean": _integral,
}


# ---- conditions as formulas ------------------------------------------------------------------------------------------


@lru_cache(maxsize=None)
def discharge(condition: Term, known: tuple[Term, ...] = ()) -> Conditions:
    """Return what is left of a condition after everything that is known: none, itself or conditions that imply it."""
    rule = _DISCHARGE.get(condition.op)
    if _is_among(condition, known):
        return NONE
    return rule(condition, known) if rule else frozenset([condition])


def _order(condition: Term, known: tuple[Term, ...]) -> Conditions:
    low, high = condition.args
    relation = POSITIVE if condition.op == "lt" else NONNEGATIVE
    if low is ZERO:
        return require(relation, high, known)
    if high.op == "num" and high is ONE and below_one(push(low)):
        return NONE
    return frozenset([condition]) if require(relation, high - low, known) else NONE


def _forall(condition: Term, known: tuple[Term, ...]) -> Conditions:
    symbol, inner = condition.args
    outside = tuple(fact for fact in known if symbol not in free(fact))
    return frozenset(generalise(c, (symbol,)) for c in discharge(inner, outside))


def _implies(condition: Term, known: tuple[Term, ...]) -> Conditions:
    premise, conclusion = condition.args
    left = discharge(conclusion, (*known, premise))
    return frozenset(c if free(c).isdisjoint(free(premise)) else Term("implies", (premise, c)) for c in left)


def _integrable(condition: Term, known: tuple[Term, ...]) -> Conditions:
    """Finite sums, declared densities and polynomials within the moments of a law are integrable."""
    symbol, body = condition.args
    if symbol.op == "idx" and symbol.args[0].op != "space":
        return NONE
    if symbol not in free(body) and is_random(symbol):
        return NONE
    if is_random(symbol):
        degree = polynomial_degree(body, symbol)
        law = LAWS[str(symbol.data[2])] if isinstance(symbol.data, tuple) else None
        return NONE if law and degree is not None and degree < len(law.moments) else frozenset([condition])
    if body.op == "at" and body.args[0].op == "var" and domain_of(body.args[0]).endswith("density"):
        return NONE
    inner = unfolded(body)
    if inner is not None:
        return discharge(Term("integrable", (symbol, inner)), known)
    if body.op == "mul" and body.args[1].op in {"add", "sub"}:
        pieces = (Term("integrable", (symbol, body.args[0] * part)) for part in body.args[1].args)
        return frozenset[Term]().union(*(discharge(piece, known) for piece in pieces))
    if body.op == "mul" and body.args[1].op == "neg":
        return discharge(Term("integrable", (symbol, body.args[0] * body.args[1].args[0])), known)
    turned = _turned_log(body)
    if turned is not None:
        return discharge(Term("integrable", (symbol, turned)), known)
    if body.op == "mul" and body.args[1].op == "div" and body.args[1].args[1] is body.args[0]:
        return discharge(Term("integrable", (symbol, body.args[1].args[0])), known)  # q·(f/q) is f or 0
    factor = _constant_factor(body, symbol)
    if factor is not None:
        return discharge(Term("integrable", (symbol, factor)), known)
    if body.op in {"add", "sub"}:
        return frozenset[Term]().union(*(discharge(Term("integrable", (symbol, part)), known) for part in body.args))
    if body.op == "app" and (meant := SYMBOLS[str(body.data)].definition) is not None and body.data == "kl":
        return discharge(Term("integrable", (symbol, meant(*body.args))), known)
    return frozenset([condition])


def _turned_log(body: Term) -> Term | None:
    """Return q·log(q/f) for q·log(f/q), which is minus it: one of the two is enough."""
    if body.op != "mul" or body.args[1].op != "app" or body.args[1].data != "log":
        return None
    density, ratio = body.args[0], body.args[1].args[0]
    if ratio.op != "div" or ratio.args[1] is not density or ratio.args[0] is density:
        return None
    return density * Term("app", (density / ratio.args[0],), "log")


def _constant_factor(body: Term, symbol: Term) -> Term | None:
    """Return u where the body is c·u, u·c, u/c or −u and c is free of the symbol."""
    if body.op == "neg":
        return body.args[0]
    if body.op == "mul":
        for constant, rest in (body.args, body.args[::-1]):
            if symbol not in free(constant):
                return rest
    return body.args[0] if body.op == "div" and symbol not in free(body.args[1]) else None


def _degree_of_derivative(term: Term, symbol: Term) -> int | None:
    """Differentiating leaves a polynomial a polynomial; by a quantity through which alone the symbol enters, it takes one off."""
    body, by = term.args
    base, _ = place(by)
    if base.op == "let" and occurs(symbol, base):
        fresh = variant(Term("var", base.shape, (name_of(base), "real")), names(body))
        outer, inner = substitute(body, {base: fresh}), polynomial_degree(_any_component(base), symbol)
        degree = polynomial_degree(outer, fresh)
        if not occurs(symbol, outer) and degree is not None and inner is not None:
            return max(degree - 1, 0) * inner
    return polynomial_degree(body, symbol)


def _any_component(array: Term) -> Term:
    return component(array.args[0], tuple(index(f"h{n}", axis) for n, axis in enumerate(array.shape)))


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
    degrees = [polynomial_degree(arg, symbol) for arg in term.args if sort(arg) == "real"]
    if any(d is None for d in degrees):
        return None
    whole = [d for d in degrees if d is not None]
    if term.op == "pow" and term.args[1].op == "num" and term.args[1].data >= 0:  # type: ignore[operator]
        return whole[0] * int(term.args[1].data)  # type: ignore[arg-type]
    if term.op == "div" and occurs(symbol, term.args[1]):
        return None
    rule = {"add": max, "sub": max, "neg": max, "sum": max, "mul": sum, "div": sum}.get(term.op)
    return rule(whole) if rule else None  # type: ignore[operator,no-any-return]


def _exchangeable(condition: Term, known: tuple[Term, ...]) -> Conditions:
    """The expectation of a polynomial within the law's moments is a sum of moments, with coefficients that are differentiated."""
    body = condition.args[0].args[0]
    if body.op == "mean" and all(not _integrable(Term("integrable", (s, body.args[-1])), known) for s in body.args[:-1]):
        return NONE
    return frozenset([condition])


def _equation(condition: Term, known: tuple[Term, ...]) -> Conditions:
    left, right = condition.args
    return NONE if alpha(left) is alpha(right) else frozenset([condition])


_DISCHARGE: dict[str, Callable[[Term, tuple[Term, ...]], Conditions]] = {
    "true": lambda condition, known: NONE,
    "lt": _order,
    "le": _order,
    "ne": lambda c, known: require(NONZERO, c.args[0], known) if c.args[1] is ZERO else require(NONZERO, c.args[0] - c.args[1], known) and frozenset([c]),
    "eq": _equation,
    "and": lambda c, known: discharge(c.args[0], known) | discharge(c.args[1], known),
    "forall": _forall,
    "implies": _implies,
    "integrable": _integrable,
    "exchange": _exchangeable,
}  # fmt: skip


# ---- harvesting: the conditions under which a held term is defined ---------------------------------------------------


@lru_cache(maxsize=None)
def harvest(term: Term, by: Term | None = None) -> Conditions:
    """Return the undischarged conditions under which a term, its definitions included, is defined.

    With `by`, a variable or named quantity, those under which it is differentiable by it as well.
    """
    if term.shape:
        places = tuple(index(f"h{n}", axis) for n, axis in enumerate(term.shape))
        return frozenset(generalise(c, places) for c in harvest(component(term, places), by))
    term = push(term)
    base, places = place(term)
    if term is by or base is by or term.op in {"num", "size", "succ", "idx", "var", "delta", "true", "fun"}:
        return NONE
    if base.op == "let":
        return _of_definition(base, places, by)
    if term.op == "D":
        return _of_derivative(term, by)
    if term.op == "at":
        return harvest(base.args[0], by) if base.op == "rows" else NONE
    own = _own_conditions(term, by)
    return own.union(*(_inside(term, arg, by) for arg in term.args[len(bound(term)) :]))


def _of_definition(base: Term, places: tuple[Term, ...], by: Term | None) -> Conditions:
    """The conditions of a whole named array: its component's, for all positions."""
    return harvest(base.args[0], by if by is not None and occurs(by, base) else None)


def _of_derivative(term: Term, by: Term | None) -> Conditions:
    body, x = term.args
    inner = harvest(body, place(x)[0])
    return inner if by is None else inner | harvest(body, by)


def _own_conditions(term: Term, by: Term | None) -> Conditions:
    conditions: tuple[Term, ...] = ()
    if term.op == "div":
        conditions = (ne(term.args[1], 0),)
    elif term.op == "pow" and not _natural_power(term.args[1]):
        conditions = (ne(term.args[0], 0),) if term.args[1].op in {"num", "neg"} else (lt(0, term.args[0]),)
    elif term.op == "app":
        symbol = SYMBOLS[str(term.data)]
        conditions = symbol.domain(*term.args)
        if by is not None and occurs(by, term):
            conditions += symbol.kinks(*term.args)
    elif term.op == "integral":
        conditions = (Term("integrable", term.args),)
    elif term.op == "expect":
        conditions = (Term("integrable", (term.args[0], term.args[1] * term.args[2])),)
    elif term.op == "mean":
        conditions = tuple(Term("integrable", (symbol, term.args[-1])) for symbol in term.args[:-1])
    if by is not None and term.op in {"integral", "expect", "mean"} and occurs(by, term):
        conditions += (Term("exchange", (Term("D", (term, by)),)),) if not by.shape else _exchange(term, by)
    return frozenset[Term]().union(*map(discharge, conditions))


def _exchange(term: Term, by: Term) -> tuple[Term, ...]:
    places = tuple(index(f"h{n}", axis) for n, axis in enumerate(by.shape))
    return (generalise(Term("exchange", (Term("D", (term, at(by, places))),)), places),)


def _natural_power(exponent: Term) -> bool:
    return sort(exponent) == "size" or (exponent.op == "num" and exponent.data >= 0 and exponent.data == int(exponent.data))  # type: ignore[operator,arg-type]


def _inside(term: Term, arg: Term, by: Term | None) -> Conditions:
    """The conditions of a part, carried out of the binder that it stands under."""
    symbols = bound(term)
    found = harvest(arg, by)
    if term.op == "expect" and arg is term.args[2]:
        guard = lt(0, term.args[1])
        found = frozenset[Term]().union(*(discharge(guarded(guard, c, symbols)) for c in found))
    return frozenset(generalise(c, symbols) for c in found)


