"""Rules for the maximum of a row: it is the least number that every component is at most."""

from __future__ import annotations

from derive.language.array import bound_index, component, row_of
from derive.language.notation import hardmax, maximum
from derive.language.term import ZERO, Σ, D, Term, at, forall, free, le, lt, occurs, place
from derive.logic.rules.schema import NO_CONDITIONS, Result, axiom


def _row(term: Term) -> Term | None:
    """Return the row of which a term is the maximum."""
    return term.args[0] if term.op == "reduce" and term.data == "max" and not term.shape else None


@axiom("upper bound", relation="≤")
def upper(term: Term, k: Term) -> Result:
    """u(k) ≤ max_k u(k), for each of finitely many k"""
    return (maximum(term, k), NO_CONDITIONS) if k.op == "idx" and k in free(term) and not term.shape else None


@axiom("least upper bound", relation="≤")
def least(term: Term, bound: Term, k: Term) -> Result:
    """max u ≤ c, where u(k) ≤ c for every k, of at least one"""
    return _bounded(term, bound, k, strict=False)


@axiom("maximum below a bound", relation="<")
def below(term: Term, bound: Term, k: Term) -> Result:
    """max u < c, where u(k) < c for every k, of at least one"""
    return _bounded(term, bound, k, strict=True)


def _bounded(term: Term, bound: Term, k: Term, *, strict: bool) -> Result:
    row = _row(term)
    if row is None or k.op != "idx" or k.args[0] is not row.shape[-1]:
        return None
    if bound.shape or k in free(bound) | free(row):
        return None
    relation = lt if strict else le
    return bound, (forall(relation(component(row, (k,)), bound), k),)


@axiom("maximum of a shifted row")
def shift(term: Term) -> Result:
    """max_k (u(k) ± c) = max_k u(k) ± c, max_k (c + u(k)) = c + max_k u(k), where c is free of k"""
    row = _row(term)
    if row is None or row.op not in {"array", "add", "sub"}:
        return None
    k = bound_index(row.shape[-1], row)
    body = component(row, (k,))
    if body.op not in {"add", "sub"}:
        return None
    u, c = body.args
    if k not in free(c) and k in free(u):
        return Term(body.op, (maximum(u, k), c)), NO_CONDITIONS
    if body.op == "add" and k not in free(u) and k in free(c):
        return u + maximum(c, k), NO_CONDITIONS
    return None


@axiom("derivative of a maximum", source="Danskin, The Theory of Max-Min, 1967")
def d_maximum(term: Term) -> Result:
    """D(max_k u(k), x) = Σ_k hardmax(u)[k]·D(u(k), x), where one component is larger than the others"""
    row = _row(term.args[0]) if term.op == "D" and not term.shape else None
    if row is None:
        return None
    k = bound_index(row.shape[-1], term)
    leading, base = row_of(row)
    return Σ(at(hardmax(base), (*leading, k)) * D(component(row, (k,)), term.args[1]), k), NO_CONDITIONS


@axiom("derivative of the indicator of the maximum")
def d_hardmax(term: Term) -> Result:
    """D(hardmax(u)[k], x) = 0, where one component is larger than the others"""
    if term.op != "D" or term.shape:
        return None
    base, places = place(term.args[0])
    moves = base.op == "rows" and base.data == "hardmax" and bool(places) and occurs(place(term.args[1])[0], base)
    return (ZERO, NO_CONDITIONS) if moves else None
