"""Rules for products over a range, and for the products of all factors but one."""

from __future__ import annotations

from derive.language.array import bound_index, component, row_of
from derive.language.notation import prod, prod_others
from derive.language.term import Σ, D, Term, array, at, ne, place
from derive.logic.rules.schema import NO_CONDITIONS, Result, axiom


def _row(term: Term) -> Term | None:
    """Return the row of which a term is the product."""
    if term.op == "prod":
        return array(term.args[1], term.args[0])
    return term.args[0] if term.op == "reduce" and term.data == "prod" and not term.shape else None


@axiom("derivative of a product over a range")
def d_product_over(term: Term) -> Result:
    """D(Π_k u(k), x) = Σ_k (Π_{l≠k} u(l))·D(u(k), x)"""
    row = _row(term.args[0]) if term.op == "D" and not term.shape else None
    if row is None:
        return None
    k = bound_index(row.shape[-1], term)
    leading, base = row_of(row)
    return Σ(at(prod_others(base), (*leading, k)) * D(component(row, (k,)), term.args[1]), k), NO_CONDITIONS


@axiom("product without one factor")
def without_one(term: Term) -> Result:
    """Π_{l≠k} u(l) = (Π_l u(l))/u(k), u(k) ≠ 0"""
    base, places = place(term)
    if base.op != "rows" or base.data != "prod_others" or not places:
        return None
    (whole,), (*leading, _) = base.args, places
    k = bound_index(whole.shape[-1], term)
    row = whole if not leading else array(component(whole, (*leading, k)), k)
    factor = component(whole, places)
    return prod(row) / factor, (ne(factor, 0),)
