"""Places: what stands around a part of a term, and how a result about the part becomes a result about the whole.

This is congruence. Under a binder a condition is carried out with ∀; under 𝔼 it may use that the density is positive;
under ∂/∂q the quantity q is a fresh variable, and nothing that is known of q but an open condition may be used.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final

from derive.language.notation import DOMAINS, SYMBOLS
from derive.language.term import (
    NATURALS,
    TRUE,
    Complaint,
    Term,
    bound,
    domain_of,
    eq,
    free,
    is_random,
    le,
    lt,
    name_of,
    names,
    number_of,
    occurs,
    place,
    sort,
    substitute,
    subterms,
    variant,
)  # fmt: skip
from derive.logic.facts import (
    NONE,
    NONNEGATIVE,
    POSITIVE,
    Conditions,
    discharge,
    free_in,
    generalise,
    guarded,
    harvest,
    points,
    require,
)


class ProofError(Complaint):
    """A step that does not follow."""


def need(condition: bool, message: str) -> None:
    """Raise a `ProofError` unless the condition holds."""
    if not condition:
        raise ProofError(message)


def need_positions(array: Term, places: tuple[Term, ...]) -> None:
    """Raise a `ProofError` unless there is an index for each axis of an array."""
    axes = [("idx", (axis,)) for axis in array.shape]
    need([(i.op, i.args) for i in places] == axes, f"{places} are no indices of {array}")


def need_apart(places: tuple[Term, ...], *arrays: Term) -> None:
    """Raise a `ProofError` where points meet: arrays that are equal are so at almost all points alone."""
    met = [place for place in places if points([place])]
    here = points(free_in(frozenset(arrays)))
    need(len(here.union(met)) == len(here) + len(met), f"what is equal almost everywhere need not be so at {places}")


def related(left: Term, relation: str, right: Term) -> Term:
    """Return the formula left R right."""
    if sort(left) == "formula":
        need(relation == "=", "formulas are related by ⟺ alone")
        return Term("iff", (left, right))
    return {"=": eq, "≤": le, "<": lt}[relation](left, right)


_STRENGTH: Final = ("=", "≤", "<")


def joined(first: str, second: str) -> str:
    """Return the relation of a chain of two: it only weakens, except that < makes ≤ strict."""
    return max(first, second, key=_STRENGTH.index)


@dataclass(frozen=True)
class Context:
    """What stands around one argument of a term, and how a result about the argument becomes one about the term."""

    inner: Term
    close: Callable[[str, Term, Conditions], tuple[str, Term, Conditions]]


@cache
def context(term: Term, position: int) -> Context:
    """Return an argument as it is seen from inside: under ∂/∂q the quantity q is a fresh variable."""
    need(
        term.op not in {"let", "var", "idx", "delta", "size"} and position < len(term.args),
        f"nothing is rewritten inside {term}",
    )
    if term.op == "D":
        return _derivative_context(term, position)
    symbols = bound(term)
    need(position >= len(symbols), f"{term} binds {term.args[position]}")
    need(term.op not in {"pass", "member"} or position == 4, f"of {term} only where it starts is rewritten")
    guard = _guard(term, position)

    def close(relation: str, new: Term, conditions: Conditions) -> tuple[str, Term, Conditions]:
        whole = Term(term.op, (*term.args[:position], new, *term.args[position + 1 :]), term.data)
        if term.op == "at":
            need_apart(term.args[1:], term.args[0], new)
        relation, more = _carried(term, position, relation, new)
        return relation, whole, _carried_out(conditions | more, symbols, guard)

    return Context(term.args[position], close)


def _guard(term: Term, position: int) -> Term | None:
    """The local hypothesis of a place: under 𝔼 with density q, q(z) > 0; under P ⇒, P."""
    if term.op == "expect" and position == 2:
        return lt(0, term.args[1])
    return term.args[0] if term.op == "implies" and position == 1 else None


def _carried_out(conditions: Conditions, symbols: tuple[Term, ...], guard: Term | None) -> Conditions:
    if guard is None and all(s.op == "idx" for s in symbols) and free_in(conditions).isdisjoint(symbols):
        return conditions  # none of them speaks of the place
    return frozenset(_carry(c, symbols, guard) for c in conditions)


def _carry(condition: Term, symbols: tuple[Term, ...], guard: Term | None) -> Term:
    """A condition of a part as one of the whole. Of a random variable only what is known may be used."""
    whole = guarded(guard, condition, symbols)
    if any(is_random(symbol) and symbol in free(whole) for symbol in symbols):
        need(not discharge(whole), f"{condition} is not known of a random variable")
        return TRUE
    if any(symbol.op in {"var", "size"} and not is_random(symbol) and occurs(symbol, whole) for symbol in symbols):
        need(not discharge(whole), f"{condition} is not known all the way to the limit")
        return TRUE
    return generalise(whole, symbols)


def _derivative_context(term: Term, position: int) -> Context:
    need(position == 0, "a derivative is rewritten in what is differentiated only")
    body, by = term.args
    base, _ = place(by)
    known = DOMAINS[domain_of(base)].range
    domain = known if known in {"positive", "unit"} else "real"  # an open fact, and no equation, holds nearby too
    fresh = variant(Term("var", base.shape, (name_of(base) + "°", domain)), names(body))

    def close(relation: str, new: Term, conditions: Conditions) -> tuple[str, Term, Conditions]:
        need(relation == "=", "an inequality cannot be differentiated")
        need(not occurs(base, new), f"{base} is fixed outside of the derivative and free inside it: {new}")
        for condition in conditions:
            need(
                not occurs(fresh, condition) or _is_open(condition),
                f"{condition} holds at a point, and cannot be differentiated",
            )
        back = {fresh: base}
        return "=", Term("D", (substitute(new, back), by)), frozenset(substitute(c, back) for c in conditions)

    return Context(substitute(body, {base: fresh}), close)


def _is_open(condition: Term) -> bool:
    """Tell whether a condition that holds at a point holds near it, what it speaks of being continuous."""
    if condition.op == "forall":
        over = condition.args[0].args[0] if condition.args[0].op == "idx" else NATURALS
        return over is not NATURALS and over.op != "space" and _is_open(condition.args[1])  # of finitely many
    if condition.op == "implies" and all(part.op in _FIXED for part in subterms(condition.args[0])):
        return _is_open(condition.args[1])
    symbols = (part for part in subterms(condition) if part.op in {"app", "rows", "reduce"})
    jumps = any(not SYMBOLS[str(part.data)].continuous for part in symbols)
    return condition.op in {"lt", "ne", "invertible", "posdef"} and not jumps and all(map(_is_open, harvest(condition)))


_FIXED: Final = frozenset(("ne", "eq", "delta", "idx", "size", "num"))  # what a formula of indices alone is made of


def _carried(term: Term, position: int, relation: str, new: Term) -> tuple[str, Conditions]:
    """Return what a relation becomes one level up, and the conditions for it: congruence with polarity."""
    if relation == "=":
        return "=", NONE
    rule = _MONOTONE.get(term.op)
    if rule is None:
        raise ProofError(f"{term} is not known to grow with {term.args[position]}")
    return rule(term, position, relation, new)


def _grows(term: Term, position: int, relation: str, new: Term) -> tuple[str, Conditions]:
    need(not (term.op == "sub" and position == 1), f"{term} falls as {term.args[1]} grows")
    return relation, NONE


def _scaled(term: Term, position: int, relation: str, new: Term) -> tuple[str, Conditions]:
    need(not (term.op == "div" and position == 1), f"{term} falls as its denominator grows")
    other = term.args[1 - position]
    if relation == "<" or term.op == "div":
        return relation, require(POSITIVE, other)
    return relation, require(NONNEGATIVE, other)


def _averaged(term: Term, position: int, relation: str, new: Term) -> tuple[str, Conditions]:
    need(position == len(term.args) - 1, "only what is averaged may grow")
    whole = Term(term.op, (*term.args[:-1], new), term.data)
    return "≤", harvest(whole)


def _applied(term: Term, position: int, relation: str, new: Term) -> tuple[str, Conditions]:
    need(SYMBOLS[str(term.data)].monotone[position] > 0, f"{term.data} is not known to grow")
    level = SYMBOLS[str(term.data)].branches(*term.args)  # a symbol defined by cases may be level in one of them
    return "≤" if level else relation, NONE


def _multiplied(term: Term, position: int, relation: str, new: Term) -> tuple[str, Conditions]:
    return "≤", require(NONNEGATIVE, term.args[1])


def _raised(term: Term, position: int, relation: str, new: Term) -> tuple[str, Conditions]:
    exponent = term.args[1]
    natural = sort(exponent) == "size" or (exponent.op == "num" and number_of(exponent) > 0)
    need(position == 0 and natural, f"{term} is not known to grow with {term.args[position]}")
    return "≤", require(NONNEGATIVE, term.args[0])


_MONOTONE: Final[Mapping[str, Callable[[Term, int, str, Term], tuple[str, Conditions]]]] = {
    "add": _grows,
    "sub": _grows,
    "sum": lambda term, position, relation, new: ("≤", NONE),
    "mul": _scaled,
    "div": _scaled,
    "integral": _averaged,
    "expect": _averaged,
    "mean": _averaged,
    "app": _applied,
    "prod": _multiplied,
    "pow": _raised,
}


def rewritten(
    term: Term, path: tuple[int, ...], leaf: Callable[[Term], tuple[str, Term, Conditions]]
) -> tuple[str, Term, Conditions]:
    """Return the relation, the whole and the conditions after `leaf` has acted on the part at a path."""
    if not path:
        relation, after, conditions = leaf(term)
        need(after.shape == term.shape, f"{after} has another shape than {term}")
        return relation, after, conditions
    around = context(term, path[0])
    return around.close(*rewritten(around.inner, path[1:], leaf))
