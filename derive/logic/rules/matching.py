"""An earlier theorem as a rule: its left side is matched, instantiated by the core, and replaced by its right side."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from derive.language.array import bound_index, push
from derive.language.term import (
    NATURALS,
    ZERO,
    ShapeError,
    Term,
    alpha,
    bound,
    free,
    is_random,
    least_of,
    sort,
    substitute,
    subterms,
)  # fmt: skip
from derive.logic.context import ProofError
from derive.logic.strategy import Move, Rule
from derive.logic.theorem import Theorem, componentwise, instantiate, specialise, step

Matches = dict[Term, Term]
RELATIONS = {"eq": "=", "iff": "=", "le": "≤", "lt": "<"}


def match(pattern: Term, term: Term, found: Matches) -> Matches | None:
    """Extend `found` so that the pattern becomes the term, or return None. Definitions are looked into."""
    if pattern in found:
        return found if alpha(found[pattern]) is alpha(term) else None
    rule = _LEAVES.get(pattern.op)
    if rule is not None:
        return rule(pattern, term, found)
    if pattern.op != term.op or pattern.data != term.data or len(pattern.args) != len(term.args):
        return None
    symbols = bound(pattern)
    for one, other in zip(symbols, bound(term), strict=True):
        ranged = _match_bound(one, other, found)
        if ranged is None:
            return None
        found = {**ranged, one: other}
    for one, other in zip(pattern.args[len(symbols) :], term.args[len(symbols) :], strict=True):
        extended = match(one, other, found)
        if extended is None:
            return None
        found = extended
    return {old: new for old, new in found.items() if old not in symbols}


def _match_bound(one: Term, other: Term, found: Matches) -> Matches | None:
    """Bound indices range alike; bound random variables are of one law."""
    if one.op == "idx" and other.op == "idx":
        return match(one.args[0], other.args[0], found)
    if not is_random(one) and one.op in {"var", "size"}:  # the variable of a limit
        return {**found, one: other} if one.op == other.op and _domain(one) == _domain(other) else None
    return _match_variable(one, other, found)


def _domain(symbol: Term) -> object:
    return symbol.data[1:] if isinstance(symbol.data, tuple) else symbol.data


def _match_size(pattern: Term, term: Term, found: Matches) -> Matches | None:
    if pattern.args:
        alike = term.op == "size" and term.data == pattern.data and len(term.args) == len(pattern.args)
        return match(pattern.args[0], term.args[0], found) if alike else None
    fits = term.op == pattern.op or (least_of(pattern) == 0 and term.op in {"size", "succ"})
    return {**found, pattern: term} if fits else None


def _match_index(pattern: Term, term: Term, found: Matches) -> Matches | None:
    if term.op != "idx":
        return None
    ranged = match(pattern.args[0], term.args[0], found)
    return None if ranged is None else {**ranged, pattern: term}


def _match_variable(pattern: Term, term: Term, found: Matches) -> Matches | None:
    if len(pattern.shape) != len(term.shape):
        return None
    random = is_random(pattern)
    if random and (pattern.data != term.data or len(pattern.args) != len(term.args)):
        return None
    axes = zip(pattern.args, term.args, strict=True) if random else zip(pattern.shape, term.shape, strict=True)
    for one, other in axes:
        ranged = match(one, other, found)
        if ranged is None:
            return None
        found = ranged
    return {**found, pattern: term}


def _match_let(pattern: Term, term: Term, found: Matches) -> Matches | None:
    if term.op != "let":
        return None
    inner = match(pattern.args[0], term.args[0], found)
    return None if inner is None else {**inner, pattern: term}


_LEAVES: dict[str, Callable[[Term, Term, Matches], Matches | None]] = {
    "size": _match_size,
    "space": lambda pattern, term, found: {**found, pattern: term} if term.op == "space" else None,
    "idx": _match_index,
    "var": _match_variable,
    "let": _match_let,
    "num": lambda pattern, term, found: found if pattern is term else None,
    "fun": lambda pattern, term, found: found if pattern is term else None,
}


def by_theorem(theorem: Theorem) -> Rule:
    """Return the rule that uses an equation or an inequality at every instance of its left side."""
    if theorem.lhs.shape:
        theorem = componentwise(theorem, *fresh_places(theorem))
    pattern = push(theorem.lhs)

    @cache
    def rule(term: Term) -> Move | None:
        if term.op != pattern.op or term.shape:
            return None
        found = match(pattern, term, {})
        if found is None:
            return None
        try:
            instance = instantiate(theorem, *((old, new) for old, new in found.items() if old is not new))
        except (ProofError, ShapeError):
            return None
        if alpha(push(instance.lhs)) is not alpha(term) or alpha(push(instance.rhs)) is alpha(term):
            return None
        return Move(step, (instance,), push(instance.rhs), RELATIONS[instance.conclusion.op])

    return rule


def fresh_places(theorem: Theorem) -> tuple[Term, ...]:
    """Return indices for the components of an equation between arrays."""
    places: tuple[Term, ...] = ()
    for axis in theorem.lhs.shape:
        places = (*places, bound_index(axis, theorem.conclusion, *places))
    return places


def by_given(theorem: Theorem) -> Rule:
    """Return the rule that uses a given equation rigidly: only what it says ∀ of may vary.

    An equation between arrays is one between their components, at all indices.
    """
    if theorem.conclusion.op == "eq" and theorem.lhs.shape:
        return _given_array(theorem)
    symbols: list[Term] = []
    formula = theorem.conclusion
    while formula.op == "forall":
        symbols.append(formula.args[0])
        formula = formula.args[1]
    pattern = push(formula.args[0])

    def rule(term: Term) -> Move | None:
        if term.op != pattern.op:
            return None
        found = _match_rigidly(pattern, term, tuple(symbols))
        if found is None:
            return None
        instance = theorem
        for symbol in symbols:
            instance = specialise(instance, found.get(symbol, symbol))
        fits = alpha(push(instance.lhs)) is alpha(term)
        return Move(step, (instance,), push(instance.rhs), RELATIONS[instance.conclusion.op]) if fits else None

    return rule


def _given_array(theorem: Theorem) -> Rule:
    places = fresh_places(theorem)
    component = componentwise(theorem, *places)
    pattern = push(component.lhs)

    def rule(term: Term) -> Move | None:
        found = _match_rigidly(pattern, term, places) if term.op == pattern.op and not term.shape else None
        if found is None:
            return None
        instance = instantiate(component, *((old, new) for old, new in found.items() if old is not new))
        fits = alpha(push(instance.lhs)) is alpha(term)
        return Move(step, (instance,), push(instance.rhs), RELATIONS[instance.conclusion.op]) if fits else None

    return rule


def _match_rigidly(pattern: Term, term: Term, symbols: tuple[Term, ...]) -> Matches | None:
    candidates = sorted(free(term) | _members(term), key=lambda i: i.serial)
    return _assign(pattern, term, symbols, candidates, {})


def _members(term: Term) -> frozenset[Term]:
    """Return the natural numbers at which sequences stand in a term, and those before them."""
    places = [where for part in subterms(term) if part.op == "at" for where in part.args[1:]]
    found = {where for where in places if sort(where) == "size" or where.op == "succ"} | {ZERO}
    before = {part for where in found for part in subterms(where) if part.op in {"succ", "size"}}
    return frozenset(member for member in found | before if member is not NATURALS)


def _assign(
    pattern: Term, term: Term, symbols: tuple[Term, ...], candidates: list[Term], found: Matches
) -> Matches | None:
    if not symbols:
        return found if alpha(substitute(pattern, found)) is alpha(term) else None
    if symbols[0] not in free(pattern):  # it only occurs on the other side, and stands there under its own name
        return _assign(pattern, term, symbols[1:], candidates, found)
    for candidate in candidates:
        if candidate.args == symbols[0].args if candidate.op == "idx" else symbols[0].args[0] is NATURALS:
            done = _assign(pattern, term, symbols[1:], candidates, {**found, symbols[0]: candidate})
            if done is not None:
                return done
    return None
