"""Side conditions: the ones that a held term implies, and the ones that are known from ranges, domains and structure.

A condition that is not known is reduced to conditions on its parts, which together imply it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache

from derive.language.array import bound_index, component, expanded, fresh_places, push, unfolded
from derive.language.notation import DOMAINS, SYMBOLS, law, parameters_at
from derive.language.term import (
    NATURALS,
    ONE,
    ZERO,
    Term,
    alpha,
    at,
    bound,
    domain_of,
    eq,
    free,
    gate,
    le,
    least_of,
    lift,
    lt,
    meant,
    ne,
    number_of,
    occurs,
    parameters_of,
    place,
    plainly_made,
    slots,
    sort,
    substitute,
)  # fmt: skip
from derive.logic.integrability import not_integrable, within_moments

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


@cache
def free_in(conditions: Conditions) -> frozenset[Term]:
    """Return what is free in some of the conditions."""
    return NONE.union(*map(free, conditions))


@cache
def settled(conditions: Conditions) -> Conditions:
    """Return what is left of conditions after everything that is known."""
    return NONE.union(*map(discharge, conditions))


def guarded(guard: Term | None, condition: Term, symbols: tuple[Term, ...]) -> Term:
    """Return a condition as it leaves a place with a local hypothesis, which it keeps if it speaks of the place."""
    if guard is None or free(condition).isdisjoint(symbols):
        return condition
    return Term("implies", (guard, condition))


@cache
def closed(condition: Term) -> Term:
    """Return a condition in the form in which two are compared: written out, ∀ its indices as they are used."""
    symbols = dict.fromkeys(free(condition))
    while condition.op == "forall":
        symbols[condition.args[0]] = None
        condition = condition.args[1]
    body = alpha(expanded(condition))
    order = _met(body, frozenset(symbols))
    for symbol in sorted(symbols, key=lambda s: order.get(s, len(order)), reverse=True):
        body = Term("forall", (symbol, body))
    return alpha(body)


def _met(body: Term, symbols: frozenset[Term]) -> dict[Term, int]:
    """Return the order in which free indices are met as a term is read."""
    order, seen, waiting = dict[Term, int](), set[Term](), [body]
    while waiting and len(order) < len(symbols):
        part = waiting.pop()
        if part in symbols:
            order.setdefault(part, len(order))
        elif part not in seen and not free(part).isdisjoint(symbols):
            seen.add(part)
            waiting.extend(reversed(part.args))
    return order


def range_of(term: Term) -> str:
    """Return the declared range of a symbol's value or of a variable's component."""
    base, _ = place(term)
    if base.op == "tri":
        return "nonnegative"
    if term.op == "app" or base.op == "rows" or term.op == "reduce":
        return SYMBOLS[str((base if base.op == "rows" else term).data)].range
    return DOMAINS[domain_of(base)].range if base.op == "var" else "real"


def vanished(before: frozenset[Term], after: frozenset[Term]) -> Conditions:
    """Return 0 < n for each index below n that is free before and not after: had there been none, nothing was said."""
    gone = before - after
    ranges = {s.args[0] for s in gone if s.op == "idx" and s.args[0].op != "space" and s.args[0] is not NATURALS}
    return NONE.union(*(discharge(lt(0, over)) for over in ranges))


def points(symbols: Iterable[Term]) -> frozenset[Term]:
    """Return the points of spaces. What is said of free ones holds at almost all, and not where two of them meet."""
    return frozenset(s for s in symbols if s.op == "idx" and s.args[0].op == "space")


def alternatives(term: Term) -> tuple[Term, Term]:
    """Return two formulas of which one always holds: t = 1 or t = −1 for a sign, 0 ≤ t or t ≤ 0 otherwise."""
    if DOMAINS[domain_of(place(term)[0])].range == "sign":
        return eq(term, 1), eq(term, -ONE)
    return le(0, term), le(term, 0)


def normalised(density: Term, point: Term) -> Term:
    """Return ∫ density = 1, a sum where the point is an index."""
    total = "integral" if point.args[0].op == "space" else "sum"
    return eq(Term(total, (point, density)), ONE)


def is_mass_one(term: Term) -> bool:
    """Tell whether a term is ∫ p, or Σ p over at least one index, along the last axis of a declared density."""
    if term.op not in {"integral", "sum"}:
        return False
    point, (density, places) = term.args[0], place(term.args[1])
    declared = density.op == "var" and DOMAINS[domain_of(density)].normalised
    over = point.args[0]
    return declared and places.count(point) == 1 and places[-1] is point and (over.op == "space" or _inhabited(over))


def of_domain(domain: str, new: Term) -> Conditions | None:
    """Return the conditions under which a term has what a variable of a domain has; None where nothing shows it."""
    about = DOMAINS[domain]
    if domain == "integer":
        places = fresh_places("d", new.shape, new)
        return NONE if is_integer(component(new, places)) else None
    if about.range == "real" or (new.op == "var" and domain_of(new) == domain):
        return NONE
    places = fresh_places("d", new.shape, new)
    value = component(new, places)
    table = {"positive": (lt(0, value),), "nonnegative": (le(0, value),), "unit": (lt(0, value), lt(value, 1))}
    if about.range not in table:
        return None
    over = places if domain == "joint density" else places[-1:] if domain.endswith("density") else ()
    mass = (normalised(value, places[-1]),) if about.normalised else ()
    conditions = (*table[about.range], *(Term("integrable", (point, value)) for point in over), *mass)
    return NONE.union(*(discharge(generalise(c, places)) for c in conditions))


def is_integer(term: Term) -> bool:
    """Tell whether a number is seen to be an integer by what it is made of."""
    inner = unfolded(term)
    if inner is not None:
        return is_integer(inner)
    if term.op == "num":
        return number_of(term).denominator == 1
    if term.op in {"add", "sub", "mul", "neg"}:
        return all(map(is_integer, term.args))
    if term.op == "app":
        return term.data == "floor"
    return (sort(term) == "size" and term.op != "space") or domain_of(place(term)[0]) == "integer"


def below_one(term: Term) -> bool:
    """Tell whether a term is known to be less than 1."""
    inner = unfolded(term)
    if inner is not None:
        return below_one(inner)
    if term.op == "app" and term.data == "abs":
        (part,) = term.args
        return range_of(part) == "signed unit" or (below_one(push(part)) and not require(NONNEGATIVE, part))
    if term.op == "num":
        return number_of(term) < 1
    if term.op == "sub" and term.args[0] is ONE:
        return not require(POSITIVE, term.args[1])
    if term.op == "pow" and sort(term.args[1]) == "size" and least_of(term.args[1]) >= 1:
        return below_one(term.args[0]) and not require(NONNEGATIVE, term.args[0])
    share, whole = term.args if term.op == "div" else (term, ZERO)
    definition = unfolded(whole)
    whole = whole if definition is None else definition
    if whole.op == "add" and share in whole.args:
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
    if a.op == "num" and b.op == "num":
        return require(relation, lift(number_of(a) - number_of(b)), known)
    if relation == NONNEGATIVE and a is ONE and b.op == "delta":
        return NONE
    if a.op in {"size", "succ"} and b.op == "num":
        least = lift(least_of(a) - number_of(b))
        return NONE if number_of(least) >= 0 and _number_holds(relation, least) else None
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
    """−u ≠ 0 where u is not 0; −(−u) has the sign of u, and −max u is the least of the −u."""
    (inner,) = term.args
    if relation == NONZERO or inner.op == "neg":
        return require(relation, inner if relation == NONZERO else inner.args[0], known)
    return _of_largest(inner, lambda body: require(relation, -body)) if inner.op == "reduce" else None


def _reduction(relation: str, term: Term, known: tuple[Term, ...]) -> Conditions | None:
    """A maximum has the sign that every component has; a product is one over a range."""
    if term.data == "prod" and not term.shape:
        k = bound_index(term.args[0].shape[-1], term)
        found = require(relation, Term("prod", (k, component(term.args[0], (k,)))), known)
        return found if relation == NONZERO else _if_free(found)  # two negative factors have a positive product
    return _of_largest(term, lambda body: require(relation, body)) if relation != NONZERO else None


def _of_largest(term: Term, known_of: Callable[[Term], Conditions]) -> Conditions | None:
    if term.data != "max" or term.shape:
        return None
    row = term.args[0]
    return _if_free(known_of(component(row, (bound_index(row.shape[-1], row),))))


def _outside(symbol: Term, known: tuple[Term, ...]) -> tuple[Term, ...]:
    """Return what is known where a symbol is bound: what speaks of a free one of the same name does not count."""
    return tuple(fact for fact in known if symbol not in free(fact))


def _over_range(relation: str, term: Term, known: tuple[Term, ...]) -> Conditions | None:
    """A sum of positive terms over at least one index; a product of them over any number."""
    if is_mass_one(term) or (relation == POSITIVE and term.op == "sum" and _one_is_positive(term, known)):
        return NONE
    if relation == NONZERO and term.op == "sum":
        return None
    if relation == POSITIVE and term.op == "sum" and not _inhabited(term.args[0].args[0]):
        return None
    inner = require(relation, term.args[1], _outside(term.args[0], known))
    if term.op == "sum" and inner:
        return None
    return frozenset(generalise(c, term.args[:1]) for c in inner)


def _one_is_positive(total: Term, known: tuple[Term, ...]) -> bool:
    """Tell whether a sum of what is never negative has a term that is known to be positive."""
    k, body = total.args
    if require(NONNEGATIVE, body, _outside(k, known)):
        return False
    shown = {expanded(fact.args[1]) for fact in known if fact.op == "lt" and fact.args[0] is ZERO}
    alike = {i for term in shown for i in free(term) if i.op == "idx" and i.args == k.args}
    return any(alpha(expanded(substitute(body, {k: i}))) is alpha(term) for term in shown for i in alike)


def _inhabited(over: Term) -> bool:
    counted = over.op == "num" and number_of(over) >= 1
    return counted or (sort(over) == "size" and over.op != "space" and least_of(over) >= 1)


def _integral(relation: str, term: Term, known: tuple[Term, ...]) -> Conditions | None:
    if relation == POSITIVE and term.op == "expect":
        return _positive_expectation(term, known)
    if is_mass_one(term):
        return NONE
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


def _determinant(relation: str, term: Term, known: tuple[Term, ...]) -> Conditions | None:
    """The determinant of a positive definite matrix is positive, that of an invertible one is not 0."""
    (matrix,) = term.args
    if definite(matrix, relation != NONNEGATIVE, known):
        return NONE
    return discharge(Term("invertible", (matrix,)), known) if relation == NONZERO else None


def _function(relation: str, term: Term, known: tuple[Term, ...]) -> Conditions | None:
    return _logarithm(relation, term.args[0]) if term.data == "log" else _root(relation, term, known)


def _logarithm(relation: str, argument: Term) -> Conditions | None:
    """log u > 0 for a number u > 1, log u ≥ 0 for a natural number as well, log u ≠ 0 for a positive number but 1."""
    if argument.op == "num":
        value = number_of(argument)
        holds = {POSITIVE: value > 1, NONNEGATIVE: value >= 1, NONZERO: value > 0 and value != 1}[relation]
        return NONE if holds else None
    natural = argument.op in {"size", "succ"} and least_of(argument) >= 1
    return NONE if natural and relation == NONNEGATIVE else None


def _root(relation: str, term: Term, known: tuple[Term, ...]) -> Conditions | None:
    """√u > 0 where u > 0; |u| > 0 where u ≠ 0."""
    if term.data == "abs":
        return require(NONZERO, term.args[0], known)
    return require(POSITIVE, term.args[0], known) if term.data == "sqrt" else None


_REQUIRE: dict[str, Rule] = {
    "app": _function,
    "size": _size,
    "succ": lambda relation, term, known: NONE,
    "add": _sum_of_two,
    "sub": _difference,
    "mul": _product,
    "div": _quotient,
    "pow": _power,
    "neg": _negation,
    "reduce": _reduction,
    "delta": lambda relation, term, known: NONE if relation == NONNEGATIVE else frozenset([_FORMULA[relation](term)]),
    "sum": _over_range,
    "prod": _over_range,
    "integral": _integral,
    "expect": _integral,
    "mean": _integral,
    "Var": lambda relation, term, known: NONE if relation == NONNEGATIVE else None,
    "det": _determinant,
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
    if low.op == "succ" and condition.op == "le" and sort(high) == "size":
        return discharge(lt(low.args[0], high), known)
    relation = POSITIVE if condition.op == "lt" else NONNEGATIVE
    if low is ZERO:
        return require(relation, high, known)
    if high is ZERO and low.op == "neg":  # −t ≤ 0 is 0 ≤ t
        return require(relation, low.args[0], known)
    if high.op == "num" and high is ONE and below_one(push(low)):
        return NONE
    return frozenset([condition]) if require(relation, high - low, known) else NONE


def _forall(condition: Term, known: tuple[Term, ...]) -> Conditions:
    symbol, inner = condition.args
    return frozenset(generalise(c, (symbol,)) for c in discharge(inner, _outside(symbol, known)))


def _with_factors(fact: Term) -> tuple[Term, ...]:
    """A fact; and u > 0, v > 0 from u·v > 0, where neither is ever negative."""
    if fact.op != "lt" or fact.args[0] is not ZERO:
        return (fact,)
    term = push(fact.args[1])
    inner = unfolded(term)
    term = term if inner is None else inner
    if term.op != "mul" or any(require(NONNEGATIVE, factor) for factor in term.args):
        return (fact,)
    return (fact, *(part for factor in term.args for part in _with_factors(_FORMULA[POSITIVE](factor))))


def _implies(condition: Term, known: tuple[Term, ...]) -> Conditions:
    premise, conclusion = condition.args
    left = discharge(conclusion, (*known, *_with_factors(premise)))
    if not discharge(premise, known):
        return left
    return frozenset(c if free(c).isdisjoint(free(premise)) else Term("implies", (premise, c)) for c in left)


def _integrable(condition: Term, known: tuple[Term, ...]) -> Conditions:
    *symbols, body = condition.args
    left = not_integrable(body, *symbols)
    every = {part: sorted(free(part) - free(body), key=lambda s: s.serial) for part in left}
    return frozenset(generalise(Term("integrable", (*symbols, part)), tuple(every[part])) for part in left)


def _exchangeable(condition: Term, known: tuple[Term, ...]) -> Conditions:
    """The expectation of a polynomial within the law's moments is a sum of moments times smooth coefficients."""
    body, by = condition.args[0].args
    if body.op == "mean" and not any(occurs(place(by)[0], symbol) for symbol in bound(body)):
        smooth = within_moments(body.args[-1], bound(body), smooth=True)
        return NONE if smooth else frozenset([condition])
    return frozenset([condition])


def _unequal(condition: Term, known: tuple[Term, ...]) -> Conditions:
    left, right = condition.args
    if right is ZERO:
        return require(NONZERO, left, known)
    return frozenset([condition]) if require(NONZERO, left - right, known) else NONE


def _regular(condition: Term, known: tuple[Term, ...]) -> Conditions:
    """What is positive definite by its structure is invertible; a transpose or an inverse is, as its matrix is."""
    (matrix,) = condition.args
    if definite(matrix, True, known):
        return NONE
    if condition.op == "invertible" and matrix.op in {"T", "inv"}:
        return discharge(Term("invertible", matrix.args), known)
    return frozenset([condition])


@cache
def definite(matrix: Term, strict: bool, known: tuple[Term, ...] = ()) -> bool:
    """Tell whether a square matrix is seen to be positive definite (semidefinite, if not strict) by its structure."""
    op, args = matrix.op, matrix.args
    if _is_among(Term("posdef", (matrix,)), known) or op == "eye":
        return True
    if op in {"let", "T"}:
        return definite(args[0], strict, known)
    if op == "inv":
        return definite(args[0], True, known)
    if op == "add" and args[0].shape == args[1].shape:  # a number or a row that is added to every row is no matrix
        pairs = (args, args[::-1]) if strict else (args,)
        return any(definite(one, strict, known) and definite(other, False, known) for one, other in pairs)
    if op in {"mul", "div"}:
        ways = [args[::-1]] if op == "div" else [args, args[::-1]]  # M/c is a multiple of M, and c/M is none
        scaled = [(c, m) for c, m in ways if not c.shape and m.shape == matrix.shape]
        sign = POSITIVE if strict or op == "div" else NONNEGATIVE
        return any(not require(sign, c, known) and definite(m, strict, known) for c, m in scaled)
    if op == "diag":
        entry = component(args[0], fresh_places("h", args[0].shape, matrix))
        return not require(POSITIVE if strict else NONNEGATIVE, entry)
    return op == "matmul" and not strict and _gram(args[0], args[1], known)


def _gram(left: Term, right: Term, known: tuple[Term, ...]) -> bool:
    """BᵀB, and BᵀMB for a matrix M that is positive semidefinite."""
    middle: list[Term] = []
    if right.op == "matmul" and left.op == "T":
        *middle, right = right.args
    elif left.op == "matmul":
        left, *middle = left.args
    turned = (left.op == "T" and left.args[0] is right) or (right.op == "T" and right.args[0] is left)
    square = all(len(m.shape) == 2 and definite(m, False, known) for m in middle)
    return turned and len(right.shape) == 2 and square


def _equation(condition: Term, known: tuple[Term, ...]) -> Conditions:
    left, right = condition.args
    known_mass = right is ONE and is_mass_one(left)
    return NONE if alpha(left) is alpha(right) or known_mass else frozenset([condition])


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
    "invertible": _regular,
    "posdef": _regular,
}  # fmt: skip


# ---- harvesting: the conditions under which a held term is defined ---------------------------------------------------


@cache
def harvest(term: Term, by: Term | None = None) -> Conditions:
    """Return the undischarged conditions under which a term, its definitions included, is defined.

    With `by`, a variable or named quantity, those under which it is differentiable by it as well.
    """
    if term.shape:
        places = fresh_places("h", term.shape, term)
        return frozenset(generalise(c, places) for c in harvest(component(term, places), by))
    if term.op == "tends":  # it says itself that its body is defined near the limit
        return NONE.union(*(harvest(value, by) for value in term.args[1:-1]))
    term = push(term)
    base, places = place(term)
    if base.op == "literal":
        return NONE.union(*(harvest(entry, by) for entry in base.args))
    if term is by or base is by or term.op in {"num", "size", "succ", "idx", "var", "delta", "true", "fun"}:
        return NONE
    if base.op == "let":
        return _of_definition(base, places, by)
    if term.op == "D":
        return _of_derivative(term, by)
    if term.op == "at":
        if base.op == "inv":
            return discharge(Term("invertible", base.args)) | harvest(base.args[0], by)
        if base.op == "rows" and base.data == "hardmax" and by is not None and occurs(by, base):
            return _of_hardmax(base, places) | harvest(base.args[0], by)
        return harvest(base.args[0], by) if base.op in {"rows", "map"} else _of_pass(base, by)
    if term.op == "pass":
        return _of_pass(term, by)
    own = _own_conditions(term, by)
    return own.union(*(_inside(term, arg, by) for arg in term.args[len(bound(term)) :]))


def _of_pass(term: Term, by: Term | None) -> Conditions:
    """A pass goes upwards, and its layers are defined and smooth for every state: what asks more of it is refused."""
    if term.op != "pass":
        return NONE
    first, last, _, state, start, body = term.args
    upwards = NONE if first in {last, ZERO} else discharge(le(first, last))
    whole = harvest(body, state) | (harvest(body, by) if by is not None and occurs(by, body) else NONE)
    return upwards | harvest(start, by) | frozenset(lt(ZERO, ZERO) if slots(c) else c for c in whole)


def _of_definition(base: Term, places: tuple[Term, ...], by: Term | None) -> Conditions:
    """The conditions of a whole named array: its component's, for all positions."""
    return harvest(base.args[0], by if by is not None and occurs(by, base) else None)


def _of_derivative(term: Term, by: Term | None) -> Conditions:
    body, x = term.args
    base, _ = place(x)
    inner = _by_stages(body, base) | (harvest(base) if base.op == "let" else NONE)
    return inner if by is None else inner | harvest(body, by)


@cache
def _by_stages(body: Term, by: Term) -> Conditions:
    """Return `harvest(body, by)`, where every path between the two goes through one quantity as its two parts.

    What stands around that quantity depends on `by` just where it depends on the quantity.
    """
    between = gate(body, by) if body.op == "let" and plainly_made(body) else None
    return harvest(body, by) if between is None else _by_stages(body, between) | harvest(between, by)


def _own_conditions(term: Term, by: Term | None) -> Conditions:
    conditions: tuple[Term, ...] = ()
    if term.op == "div":
        conditions = (ne(term.args[1], 0),)
    elif term.op == "pow" and not _natural_power(term.args[1]):
        conditions = (ne(term.args[0], 0),) if _whole_power(term.args[1]) else (lt(0, term.args[0]),)
    elif term.op == "app":
        symbol = SYMBOLS[str(term.data)]
        conditions = symbol.domain(*term.args)
        moving = {n for n, arg in enumerate(term.args) if by is not None and occurs(by, arg)}
        if not moving.issubset(symbol.smooth):
            kinks = symbol.kinks(*term.args)
            conditions = (*kinks, *NONE.union(*(discharge(c, kinks) for c in conditions)))
    elif term.op == "reduce":
        conditions = _of_reduction(term, by is not None and occurs(by, term))
    elif term.op == "integral":
        conditions = (Term("integrable", term.args),)
    elif term.op == "expect":
        point, density, body = term.args
        conditions = (Term("integrable", (point, density * body)), Term("forall", (point, le(0, density))))
    elif term.op == "mean":
        laws = (c for symbol in term.args[:-1] for c in _of_law(symbol, by))
        conditions = (Term("integrable", term.args), *laws)
    elif term.op in {"Var", "Cov"}:
        return harvest(meant(term), by)
    if by is not None and term.op in {"integral", "expect", "mean"} and occurs(by, term):
        conditions += (Term("exchange", (Term("D", (term, by)),)),) if not by.shape else _exchange(term, by)
    return frozenset[Term]().union(*map(discharge, conditions))


def _of_reduction(term: Term, moving: bool) -> tuple[Term, ...]:
    """A maximum is of at least one component, and smooth where one is larger than the others; a norm off 0."""
    conditions = (lt(0, term.args[0].shape[-1]),) if term.data in {"logsumexp", "max"} else ()
    if moving and term.data == "max":
        return (*conditions, _one_largest(term.args[0]))
    if moving and term.data == "norm":
        return (lt(0, Term("reduce", term.args, "squared_norm")),)
    return conditions


def _one_largest(row: Term) -> Term:
    """u(i) + u(j) < 2 max u for i ≠ j: the maximum is taken once, and has a derivative there."""
    over = row.shape[-1]
    i, j = fresh_places("h", (over, over), row)
    apart = lt(component(row, (i,)) + component(row, (j,)), 2 * Term("reduce", (row,), "max"))
    return generalise(Term("implies", (ne(Term("delta", (i, j)), 1), apart)), (i, j))


def _of_hardmax(base: Term, places: tuple[Term, ...]) -> Conditions:
    """The indicator of a row's maximum is constant where the maximum is taken once."""
    whole = base.args[0]
    k = bound_index(whole.shape[-1], whole, *places)
    row = Term("array", (k, component(whole, (*places[:-1], k)))) if len(places) > 1 else whole
    return discharge(_one_largest(row))


def _of_law(symbol: Term, by: Term | None) -> tuple[Term, ...]:
    """What the parameters of a law must satisfy, at every component; more where one differentiates by them."""
    places = fresh_places("h", symbol.shape, symbol)
    table = law(symbol).kinks if by is not None and occurs(by, symbol) else law(symbol).domain
    own = table(*parameters_at(symbol, places)) if law(symbol).parameters else ()
    return tuple(generalise(c, places) for c in (*own, *(h for p in parameters_of(symbol) for h in harvest(p, by))))


def _exchange(term: Term, by: Term) -> tuple[Term, ...]:
    places = fresh_places("h", by.shape, term, by)
    return (generalise(Term("exchange", (Term("D", (term, at(by, places))),)), places),)


def _natural_power(exponent: Term) -> bool:
    if exponent.op != "num":
        return sort(exponent) in {"size", "index"}
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
