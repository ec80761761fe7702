"""Rules for the maximum of a row: it is the least number that every component is at most."""

from __future__ import annotations

from derive.language.array import bound_index, component
from derive.language.notation import max_
from derive.language.term import Term, array, forall, free, le, lt
from derive.logic.rules.schema import NO_CONDITIONS, Result, axiom


def _row(term: Term) -> Term | None:
    """Return the row of which a term is the maximum."""
    return term.args[0] if term.op == "reduce" and term.data == "max" and not term.shape else None


def maximum(body: Term, k: Term) -> Term:
    """Return the maximum of a body over an index, of the array itself where the body is its component."""
    whole = body.op == "at" and body.args[1:] == (k,) and k not in free(body.args[0])
    return max_(body.args[0] if whole else array(body, k))


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
