"""Side conditions: the ones that a held term implies, and the ones that are known from ranges, domains and structure.

A condition that is not known is reduced to conditions on its parts, which together imply it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache

from derive.language.array import component, expanded, push, unfolded
from derive.language.notation import DOMAINS, SYMBOLS
from derive.language.term import (
    ONE,
    ZERO,
    Term,
    alpha,
    at,
    bound,
    domain_of,
    eq,
    free,
    index,
    le,
    least_of,
    lt,
    ne,
    number_of,
    occurs,
    place,
    sort,
)  # fmt: skip
from derive.logic.integrability import not_integrable

Conditions = frozenset[Term]
NONE: Conditions = frozenset()
POSITIVE, NONNEGATIVE, NONZERO = ">", "≥", "≠"
_FORMULA: dict[str, Callable[[Term], Term]] = {
    POSITIVE: lambda t: lt(0, t),
    NONNEGATIVE: lambda t: le(0, t),
    NONZERO: lambda t: ne(t, 0),
}
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
    """Return a condition as it leaves a place with a local hypothesis, which it keeps if it speaks of the place."""
    if guard is None or free(condition).isdisjoint(symbols):
        return condition
    return Term("implies", (guard, condition))


def closed(condition: Term) -> Term:
    """Return a condition in the form in which two are compared: written out, its free indices generalised."""
    for symbol in sorted(free(condition), key=lambda s: s.serial):
        condition = Term("forall", (symbol, condition))
    return alpha(expanded(condition))


def range_of(term: Term) -> str:
    """Return the declared range of a symbol's value or of a variable's component."""
    base, _ = place(term)
    if term.op == "app" or base.op == "rows" or term.op == "reduce":
        return SYMBOLS[str((base if base.op == "rows" else term).data)].range
    return DOMAINS[domain_of(base)].range if base.op == "var" else "real"


def vanished(before: Iterable[Term], after: Iterable[Term]) -> Conditions:
    """Return 0 < n for each index below n that is free before and not after: had there been none, nothing was said."""
    gone = NONE.union(*map(free, before)) - NONE.union(*map(free, after))
    ranges = {symbol.args[0] for symbol in gone if symbol.op == "idx" and symbol.args[0].op != "space"}
    return NONE.union(*(discharge(lt(0, over)) for over in ranges))


def points(formulas: Iterable[Term]) -> Conditions:
    """Return the free points of spaces. What is said of them holds at almost all, and not where two of them meet."""
    return frozenset(s for s in NONE.union(*map(free, formulas)) if s.op == "idx" and s.args[0].op == "space")


def alternatives(term: Term) -> tuple[Term, Term]:
    """Return two formulas of which one always holds: t = 1 or t = −1 for a sign, 0 ≤ t or t ≤ 0 otherwise."""
    if DOMAINS[domain_of(place(term)[0])].range == "sign":
        return eq(term, 1), eq(term, -ONE)
    return le(0, term), le(term, 0)


def normalised(density: Term, point: Term) -> Term:
    """Return ∫ density = 1, a sum where the point is an index."""
    total = "integral" if point.args[0].op == "space" else "sum"
    return eq(Term(total, (point, density)), ONE)


def of_domain(domain: str, new: Term) -> Conditions | None:
    """Return the conditions under which a term has what a variable of a domain has; None where nothing shows it."""
    about = DOMAINS[domain]
    if about.range == "real" or (new.op == "var" and domain_of(new) == domain):
        return NONE
    places = tuple(index(f"d{n}", axis) for n, axis in enumerate(new.shape))
    value = component(new, places)
    table = {"positive": (lt(0, value),), "nonnegative": (le(0, value),), "unit": (lt(0, value), lt(value, 1))}
    if about.range not in table:
        return None
    over = places if domain == "joint density" else places[-1:] if domain.endswith("density") else ()
    mass = (normalised(value, places[-1]),) if about.normalised else ()
    conditions = (*table[about.range], *(Term("integrable", (point, value)) for point in over), *mass)
    return NONE.union(*(discharge(generalise(c, places)) for c in conditions))


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


@cache
def require(relation: str, term: Term, known: tuple[Term, ...] = ()) -> Conditions:
    """Return conditions that imply t > 0 (or ≥, ≠), none where it is known. `known`: formulas that hold here."""
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
    value = number_of(term)
    return {POSITIVE: value > 0, NONNEGATIVE: value >= 0, NONZERO: value != 0}[relation]


Rule = Callable[[str, Term, tuple[Term, ...]], Conditions | None]


def _by_definition(relation: str, term: Term, known: tuple[Term, ...]) -> Conditions | None:
    """What a named quantity needs: its own condition, where its definition has no more to say."""
    inner = unfolded(term)
    if inner is None:
        return None
    parts = require(relation, inner, known)
    return None if parts == {_FORMULA[relation](push(inner))} else parts


def _size(relation: str, term: Term, known: tuple[Term, ...]) -> Conditions | None:
    return NONE if relation == NONNEGATIVE or least_of(term) >= 1 else None


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
    even = exponent.op == "num" and number_of(exponent) % 2 == 0
    if even and relation == NONNEGATIVE and number_of(exponent) >= 0:
        return NONE
    return require(NONZERO if even else relation, base, known)


def _negation(relation: str, term: Term, known: tuple[Term, ...]) -> Conditions | None:
    return require(NONZERO, term.args[0], known) if relation == NONZERO else None


def _outside(symbol: Term, known: tuple[Term, ...]) -> tuple[Term, ...]:
    """Return what is known where a symbol is bound: what speaks of a free one of the same name does not count."""
    return tuple(fact for fact in known if symbol not in free(fact))


def _over_range(relation: str, term: Term, known: tuple[Term, ...]) -> Conditions | None:
    """A sum of positive terms over at least one index; a product of them over any number."""
    if relation == NONZERO and term.op == "sum":
        return None
    if relation == POSITIVE and term.op == "sum" and not _inhabited(term.args[0].args[0]):
        return None
    inner = require(relation, term.args[1], _outside(term.args[0], known))
    if term.op == "sum" and inner:
        return None
    return frozenset(generalise(c, term.args[:1]) for c in inner)


def _inhabited(over: Term) -> bool:
    return sort(over) == "size" and over.op != "space" and least_of(over) >= 1


def _integral(relation: str, term: Term, known: tuple[Term, ...]) -> Conditions | None:
    if relation == POSITIVE and term.op == "expect":
        return _positive_expectation(term, known)
    if relation != NONNEGATIVE:
        return None
    for symbol in bound(term):
        known = _outside(symbol, known)
    return _if_free(require(relation, term.args[-1], known))


def _positive_expectation(term: Term, known: tuple[Term, ...]) -> Conditions:
    """𝔼_q f > 0 where q is normalised and f > 0 on its support."""
    point, density, body = term.args
    guard = lt(0, density)
    inside = (guarded(guard, c, (point,)) for c in require(POSITIVE, body, (*_outside(point, known), guard)))
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


@cache
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
    return frozenset(generalise(c, (symbol,)) for c in discharge(inner, _outside(symbol, known)))


def _implies(condition: Term, known: tuple[Term, ...]) -> Conditions:
    premise, conclusion = condition.args
    left = discharge(conclusion, (*known, premise))
    return frozenset(c if free(c).isdisjoint(free(premise)) else Term("implies", (premise, c)) for c in left)


def _integrable(condition: Term, known: tuple[Term, ...]) -> Conditions:
    symbol, body = condition.args
    return frozenset(Term("integrable", (symbol, part)) for part in not_integrable(body, symbol))


def _exchangeable(condition: Term, known: tuple[Term, ...]) -> Conditions:
    """The expectation of a polynomial within the law's moments is a sum of moments times smooth coefficients."""
    body = condition.args[0].args[0]
    if body.op == "mean" and all(
        not _integrable(Term("integrable", (s, body.args[-1])), known) for s in body.args[:-1]
    ):
        return NONE
    return frozenset([condition])


def _unequal(condition: Term, known: tuple[Term, ...]) -> Conditions:
    left, right = condition.args
    if right is ZERO:
        return require(NONZERO, left, known)
    return frozenset([condition]) if require(NONZERO, left - right, known) else NONE


def _equation(condition: Term, known: tuple[Term, ...]) -> Conditions:
    left, right = condition.args
    return NONE if alpha(left) is alpha(right) else frozenset([condition])


_DISCHARGE: dict[str, Callable[[Term, tuple[Term, ...]], Conditions]] = {
    "true": lambda condition, known: NONE,
    "lt": _order,
    "le": _order,
    "ne": _unequal,
    "eq": _equation,
    "and": lambda c, known: discharge(c.args[0], known) | discharge(c.args[1], known),
    "forall": _forall,
    "implies": _implies,
    "integrable": _integrable,
    "exchange": _exchangeable,
}  # fmt: skip


# ---- harvesting: the conditions under which a held term is defined ---------------------------------------------------


@cache
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
    base, _ = place(x)
    inner = harvest(body, base) | (harvest(base) if base.op == "let" else NONE)
    return inner if by is None else inner | harvest(body, by)


def _own_conditions(term: Term, by: Term | None) -> Conditions:
    conditions: tuple[Term, ...] = ()
    if term.op == "div":
        conditions = (ne(term.args[1], 0),)
    elif term.op == "pow" and not _natural_power(term.args[1]):
        conditions = (ne(term.args[0], 0),) if _whole_power(term.args[1]) else (lt(0, term.args[0]),)
    elif term.op == "app":
        symbol = SYMBOLS[str(term.data)]
        conditions = symbol.domain(*term.args)
        if by is not None and occurs(by, term):
            conditions += symbol.kinks(*term.args)
    elif term.op == "reduce" and term.data == "logsumexp":
        conditions = (lt(0, term.args[0].shape[-1]),)
    elif term.op == "integral":
        conditions = (Term("integrable", term.args),)
    elif term.op == "expect":
        point, density, body = term.args
        conditions = (Term("integrable", (point, density * body)), Term("forall", (point, le(0, density))))
    elif term.op == "mean":
        conditions = tuple(Term("integrable", (symbol, term.args[-1])) for symbol in term.args[:-1])
    if by is not None and term.op in {"integral", "expect", "mean"} and occurs(by, term):
        conditions += (Term("exchange", (Term("D", (term, by)),)),) if not by.shape else _exchange(term, by)
    return frozenset[Term]().union(*map(discharge, conditions))


def _exchange(term: Term, by: Term) -> tuple[Term, ...]:
    places = tuple(index(f"h{n}", axis) for n, axis in enumerate(by.shape))
    return (generalise(Term("exchange", (Term("D", (term, at(by, places))),)), places),)


def _natural_power(exponent: Term) -> bool:
    if exponent.op != "num":
        return sort(exponent) == "size"
    value = number_of(exponent)
    return value >= 0 and value.denominator == 1


def _whole_power(exponent: Term) -> bool:
    """Tell whether an exponent is an integer: a number, a natural number or minus one."""
    if exponent.op == "neg":
        return _whole_power(exponent.args[0])
    return sort(exponent) == "size" or (exponent.op == "num" and number_of(exponent).denominator == 1)


def _inside(term: Term, arg: Term, by: Term | None) -> Conditions:
    """The conditions of a part, carried out of the binder that it stands under."""
    symbols = bound(term)
    found = harvest(arg, by)
    if term.op == "expect" and arg is term.args[2]:
        guard = lt(0, term.args[1])
        found = frozenset[Term]().union(*(discharge(guarded(guard, c, symbols)) for c in found))
    return frozenset(generalise(c, symbols) for c in found)
