"""Rules for arrays and sums of numeric length: equal entry by entry, and written out term by term."""

from __future__ import annotations

from itertools import product

from derive.language.array import component
from derive.language.term import Term, both, eq, lift, number_of, substitute
from derive.logic.rules.schema import NO_CONDITIONS, Result, axiom

LONGEST = 64  # a sum of more terms is not written out


@axiom("equal entries")
def by_entries(term: Term) -> Result:
    """(A = B) ⟺ A[i, j] = B[i, j] at every position, for arrays whose axes have numeric lengths"""
    if term.op != "eq" or not term.args[0].shape:
        return None
    every = positions(term.args[0])
    if not every:
        return None
    formula: Term | None = None
    for places in every:
        here = eq(*(component(side, places) for side in term.args))
        formula = here if formula is None else both(formula, here)
    return (formula, NO_CONDITIONS) if formula is not None else None


def positions(array: Term) -> list[tuple[Term, ...]]:
    """Return every position of an array whose axes have numeric lengths, the last axis fastest; none for others."""
    if any(axis.op != "num" for axis in array.shape):
        return []
    return [tuple(map(lift, at)) for at in product(*(range(int(number_of(axis))) for axis in array.shape))]


@axiom("sum written out")
def written_out(term: Term) -> Result:
    """Σ_{k<n} u(k) = u(0) + … + u(n − 1) for a number n > 0; Π alike, with ·"""
    if term.op not in {"sum", "prod"} or term.args[0].args[0].op != "num":
        return None
    k, body = term.args
    count = int(number_of(k.args[0]))
    if not 0 < count <= LONGEST:
        return None
    whole = substitute(body, {k: lift(0)})
    for n in range(1, count):
        here = substitute(body, {k: lift(n)})
        whole = whole + here if term.op == "sum" else whole * here
    return whole, NO_CONDITIONS
