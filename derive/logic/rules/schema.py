"""How a rule is written: a function whose docstring is its equation becomes an axiom schema."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from derive.language.term import ONE, ZERO, Term
from derive.logic.axiom import Axiom

Result = tuple[Term, Iterable[Term]] | None
Part = tuple[int, tuple[Term, ...], tuple[Term, ...]]
NO_CONDITIONS: tuple[Term, ...] = ()


def axiom(name: str, relation: str = "=", source: str = "") -> Callable[[Callable[..., Result]], Axiom]:
    """Make an axiom schema out of a function; its docstring is its statement."""

    def make(schema: Callable[..., Result]) -> Axiom:
        statement = " ".join((schema.__doc__ or "").split())
        return Axiom(name, statement, relation, schema, source)

    return make


def parts(term: Term) -> list[Part]:
    """Return a term multiplied out: (sign, factors, divisors) for each summand, in the author's order."""
    op, args = term.op, term.args
    if op == "add":
        return parts(args[0]) + parts(args[1])
    if op == "sub":
        return parts(args[0]) + [(-s, n, d) for s, n, d in parts(args[1])]
    if op == "neg":
        return [(-s, n, d) for s, n, d in parts(args[0])]
    if op == "mul":
        return [(s * r, n + m, d + e) for s, n, d in parts(args[0]) for r, m, e in parts(args[1])]
    if op == "div":
        return [(s, n, (*d, *_factors(args[1]))) for s, n, d in parts(args[0])]
    if op == "pow" and args[1].op == "num" and args[1].data == 2 and args[0].op in {"add", "sub", "neg", "mul"}:
        return parts(args[0] * args[0])
    if term is ZERO:
        return []
    return [(1, () if term is ONE else (term,), ())]


def _factors(term: Term) -> tuple[Term, ...]:
    """Return the factors of a product, in the author's order."""
    return _factors(term.args[0]) + _factors(term.args[1]) if term.op == "mul" else (term,)


def product(factors: Iterable[Term]) -> Term:
    """Return the product of factors, 1 for none."""
    result: Term | None = None
    for factor in factors:
        result = factor if result is None else result * factor
    return ONE if result is None else result


def joined(summands: Iterable[Part]) -> Term:
    """Return the sum of parts, 0 for none."""
    result: Term | None = None
    for sign, factors, divisors in summands:
        part = product(factors) / product(divisors) if divisors else product(factors)
        signed = part if sign > 0 else -part
        result = signed if result is None else result + part if sign > 0 else result - part
    return ZERO if result is None else result


def schemas(module_names: dict[str, Any]) -> dict[str, Axiom]:
    """Return the axioms among the names of a module."""
    return {value.name: value for value in module_names.values() if isinstance(value, Axiom)}
