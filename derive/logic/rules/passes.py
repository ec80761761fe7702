"""Rules for passes through a family of layers: what one layer does, at either end, and passes one after the other."""

from __future__ import annotations

from derive.language.array import component
from derive.language.term import ZERO, Term, at, le, lift, lt, number_of, place, substitute, succ
from derive.logic.rules.schema import NO_CONDITIONS, Result, axiom


def _layer(whole: Term, number: Term, value: Term) -> Term:
    """Return the state after one layer: its number and the state before it are put into the slots."""
    layer, state, body = whole.args[2], whole.args[3], whole.args[5]
    return substitute(body, {layer: number, state: value})


def _between(whole: Term, first: Term, last: Term, start: Term) -> Term:
    return Term("pass", (first, last, *whole.args[2:4], start, whole.args[5]), whole.data)


def _before(number: Term) -> Term | None:
    """Return the natural number before one, where it has one."""
    if number.op == "num":
        return lift(number_of(number) - 1) if number_of(number) >= 1 else None
    return number.args[0] if number.op == "succ" else None


def _upwards(first: Term, last: Term) -> tuple[Term, ...]:
    return NO_CONDITIONS if first is last or first is ZERO else (le(first, last),)


@axiom("pass through no layer")
def no_layer(term: Term) -> Result:
    """N_{l→l}(u) = u"""
    whole, places = place(term)
    if whole.op != "pass" or whole.args[0] is not whole.args[1]:
        return None
    return component(whole.args[4], places), NO_CONDITIONS


@axiom("first layer of a pass")
def first_layer(term: Term) -> Result:
    """N_{l→m}(u) = N_{l+1→m}(N_l(u)), where N_l is layer l and l < m"""
    whole, places = place(term)
    if whole.op != "pass":
        return None
    first, last, start = whole.args[0], whole.args[1], whole.args[4]
    return at(_between(whole, succ(first), last, _layer(whole, first, start)), places), (lt(first, last),)


@axiom("last layer of a pass")
def last_layer(term: Term) -> Result:
    """N_{l→m+1}(u) = N_m(N_{l→m}(u)), where N_m is layer m and l ≤ m"""
    whole, places = place(term)
    before = _before(whole.args[1]) if whole.op == "pass" else None
    if before is None:
        return None
    first, start = whole.args[0], whole.args[4]
    return component(_layer(whole, before, _between(whole, first, before, start)), places), _upwards(first, before)


@axiom("pass in two parts")
def two_parts(term: Term) -> Result:
    """N_{l→m}(N_{k→l}(u)) = N_{k→m}(u), k ≤ l ≤ m"""
    whole, places = place(term)
    if whole.op != "pass":
        return None
    middle, last, inner = whole.args[0], whole.args[1], _started(whole.args[4])
    if inner is None or inner.data != whole.data or inner.args[1] is not middle or inner.args[5] is not whole.args[5]:
        return None
    first = inner.args[0]
    return at(_between(whole, first, last, inner.args[4]), places), (*_upwards(first, middle), *_upwards(middle, last))


def _started(start: Term) -> Term | None:
    """Return the pass that a start is, also where it is written by its components."""
    if start.op == "array":
        *over, body = start.args
        start, places = place(body)
        if list(places) != over:
            return None
    return start if start.op == "pass" else None
