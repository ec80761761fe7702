"""Rules for the brackets [i = j], which are 0 or 1."""

from __future__ import annotations

from derive.language.term import ONE, ZERO, Term, free, substitute
from derive.logic.rules.schema import NO_CONDITIONS, Result, axiom, product

_ARITHMETIC = frozenset(("add", "sub", "mul", "div", "neg"))


def _multiplied(term: Term) -> tuple[Term, ...]:
    """Return the factors of a product as it is written."""
    return sum(map(_multiplied, term.args), ()) if term.op == "mul" else (term,)


@axiom("at equal indices")
def at_equal(term: Term, symbol: Term) -> Result:
    """[i = j]·u(i) = [i = j]·u(j)"""
    if term.op != "mul" or symbol not in free(term) or symbol.args[0].op == "space":
        return None
    factors = _multiplied(term)
    bracket = next((f for f in factors if f.op == "delta" and symbol in f.args and f.args[0] is not f.args[1]), None)
    if bracket is None:
        return None
    other = bracket.args[1] if bracket.args[0] is symbol else bracket.args[0]
    return product(f if f is bracket else substitute(f, {symbol: other}) for f in factors), NO_CONDITIONS


@axiom("function of a bracket")
def function_of(term: Term) -> Result:
    """f([i = j]) = [i = j]·f(1) + (1 − [i = j])·f(0)"""
    if term.op != "app" or len(term.args) != 1 or term.shape:
        return None
    bracket = _bracket(term.args[0])
    if bracket is None:
        return None
    at_one, at_zero = (Term("app", (_with(term.args[0], bracket, value),), term.data) for value in (ONE, ZERO))
    return bracket * at_one + (1 - bracket) * at_zero, NO_CONDITIONS


def _bracket(term: Term) -> Term | None:
    """Return a bracket of two different indices in the arithmetic of a term."""
    if term.op == "delta" and term.args[0] is not term.args[1]:
        return term
    parts = (_bracket(arg) for arg in term.args) if term.op in _ARITHMETIC else ()
    return next((part for part in parts if part is not None), None)


def _with(term: Term, bracket: Term, value: Term) -> Term:
    """Return a term with a value for a bracket in its arithmetic."""
    if term is bracket:
        return value
    if term.op not in _ARITHMETIC:
        return term
    return Term(term.op, tuple(_with(arg, bracket, value) for arg in term.args), term.data)
