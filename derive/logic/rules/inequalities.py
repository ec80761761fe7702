"""Inequalities, zero sets of gaps, and equivalences between relations."""

from __future__ import annotations

from collections.abc import Iterable

from derive.language.array import push, unfolded
from derive.language.notation import DOMAINS, SYMBOLS
from derive.language.term import ONE, TRUE, ZERO, Term, both, domain_of, eq, free, le, lt, ne, number_of, place
from derive.logic.facts import NONNEGATIVE, POSITIVE, harvest, require
from derive.logic.meaning import rationally_equal
from derive.logic.rules.schema import NO_CONDITIONS, Result, axiom


def _of(term: Term, name: str) -> Term | None:
    return term.args[0] if term.op == "app" and term.data == name else None


@axiom("tangent of the logarithm", relation="≤")
def log_tangent(term: Term) -> Result:
    """log t ≤ t − 1, t > 0"""
    t = _of(term, "log")
    return (t - 1, (lt(0, t),)) if t is not None else None


@axiom("equivalent relations")
def scaled(term: Term, target: Term, factor: Term) -> Result:
    """(a R b) ⟺ (c R d), where a − b = u·(c − d) and u > 0 (u ≠ 0 is enough for =)"""
    if term.op not in {"eq", "le", "lt", "ne"} or target.op != term.op or term.args[0].shape:
        return None
    (a, b), (c, d) = map(push, term.args), map(push, target.args)
    if not rationally_equal(a - b, factor * (c - d)):
        return None
    return target, ((ne(factor, 0) if term.op in {"eq", "ne"} else lt(0, factor)),)


@axiom("order tells apart")
def apart(term: Term, below: bool) -> Result:
    """(u ≠ v) ⟺ true, where u < v (with `below`) or v < u"""
    if term.op != "ne" or term.args[0].shape:
        return None
    return TRUE, (lt(*(term.args if below else term.args[::-1])),)


@axiom("zero of a gap")
def zero_set(term: Term) -> Result:
    """(G = 0) ⟺ where every part of a sum of parts that are never negative is 0"""
    if term.op != "eq" or term.args[1] is not ZERO or term.args[0].shape:
        return None
    return _zero(push(term.args[0]))


@axiom("positive is not zero")
def positive_nonzero(term: Term) -> Result:
    """(u ≠ 0) ⟺ true, where u > 0"""
    if term.op != "ne" or term.args[1] is not ZERO or term.args[0].shape:
        return None
    return TRUE, (lt(0, term.args[0]), *harvest(term.args[0]))


@axiom("zero of a sum")
def zero_sum(term: Term) -> Result:
    """(Σ_k u = 0) ⟺ u = 0 for every k, where u ≥ 0 for every k"""
    if term.op != "eq" or term.args[1] is not ZERO or term.args[0].shape:
        return None
    total = push(term.args[0])
    if total.op != "sum":
        return None
    k, part = total.args
    return Term("forall", (k, eq(part, 0))), (Term("forall", (k, le(0, part))),)


def _never_negative(term: Term) -> bool:
    return not require(NONNEGATIVE, term)


def _zero(gap: Term) -> Result:
    """Return the formula that says where a gap is zero, with its conditions."""
    op, args = gap.op, gap.args
    inner = unfolded(gap)
    if inner is not None:
        return _zero(inner)
    if op == "add" and all(map(_never_negative, args)):
        return _both(_zero(args[0]) or _plain(args[0]), _zero(args[1]) or _plain(args[1]))
    if op in {"mul", "div"}:
        return _zero_of_product(gap)
    if op == "pow" and args[1].op == "num" and number_of(args[1]) > 0:
        return _zero(args[0]) or _plain(args[0])
    if op in {"sum", "integral"} and _never_negative(args[1]):
        formula, conditions = _zero(args[1]) or _plain(args[1])
        return Term("forall", (args[0], formula)), tuple(_forall(args[0], c) for c in conditions)
    if op == "app" and (zero := SYMBOLS[str(gap.data)].zero) is not None:
        return zero(*args), SYMBOLS[str(gap.data)].domain(*args)
    return None


def _zero_of_product(gap: Term) -> Result:
    a, b = gap.args
    if gap.op == "mul" and a is b:
        return _zero(a) or _plain(a)
    if not require(POSITIVE, b):
        return _zero(a) or _plain(a)
    if gap.op == "mul" and not require(POSITIVE, a):
        return _zero(b) or _plain(b)
    return None


def _plain(term: Term) -> tuple[Term, tuple[Term, ...]]:
    return eq(term, 0), NO_CONDITIONS


def _forall(symbol: Term, condition: Term) -> Term:
    return Term("forall", (symbol, condition)) if symbol in free(condition) else condition


def _both(first: tuple[Term, Iterable[Term]], second: tuple[Term, Iterable[Term]]) -> Result:
    return both(first[0], second[0]), (*first[1], *second[1])


@axiom("the exponential is one-to-one")
def exp_injective(term: Term) -> Result:
    """(eᵘ = eᵛ) ⟺ (u = v); (eᵘ = 1) ⟺ (u = 0)"""
    if term.op != "eq":
        return None
    u, v = _of(term.args[0], "exp"), _of(term.args[1], "exp")
    if u is not None and v is not None:
        return eq(u, v), NO_CONDITIONS
    return (eq(u, 0), NO_CONDITIONS) if u is not None and term.args[1] is ONE else None


@axiom("absolute value below a bound")
def absolute_bound(term: Term) -> Result:
    """(|u| < c) ⟺ (−c < u) ∧ (u < c); alike with ≤"""
    u = _of(term.args[0], "abs") if term.op in {"lt", "le"} else None
    if u is None:
        return None
    return both(Term(term.op, (-term.args[1], u)), Term(term.op, (u, term.args[1]))), NO_CONDITIONS


@axiom("the exponential grows")
def exp_grows(term: Term) -> Result:
    """(eᵘ ≤ eᵛ) ⟺ (u ≤ v); (eᵘ < eᵛ) ⟺ (u < v)"""
    if term.op not in {"le", "lt"}:
        return None
    u, v = _of(term.args[0], "exp"), _of(term.args[1], "exp")
    return (Term(term.op, (u, v)), NO_CONDITIONS) if u is not None and v is not None else None


@axiom("∀ over ∧")
def forall_and(term: Term) -> Result:
    """∀k (P ∧ Q) ⟺ (∀k P) ∧ (∀k Q); P ∧ P ⟺ P"""
    if term.op == "forall" and term.args[1].op == "and":
        k, (p, q) = term.args[0], term.args[1].args
        return both(Term("forall", (k, p)), Term("forall", (k, q))), NO_CONDITIONS
    if term.op == "and" and term.args[0] is term.args[1]:
        return term.args[0], NO_CONDITIONS
    return None


@axiom("Jensen's inequality for the logarithm", "≤", "Boyd and Vandenberghe, Convex Optimization, 3.1.8")
def jensen_log(term: Term) -> Result:
    """𝔼_q log u ≤ log 𝔼_q u, where u > 0 on the support of q, q is normalised, and u and log u are integrable"""
    if term.op != "expect":
        return None
    point, density, body = term.args
    u = _of(body, "log")
    if u is None:
        return None
    mean = Term("expect", (point, density, u))
    normalised = eq(Term("integral", (point, density)), 1)
    integrable = (Term("integrable", (point, density * u)), Term("integrable", (point, density * body)))
    return Term("app", (mean,), "log"), (normalised, lt(0, mean), *integrable)


@axiom("support", relation="≤")
def support(term: Term) -> Result:
    """𝔼_q[f/q] ≤ ∫ f, where f ≥ 0: the mass of f where q = 0 is left out"""
    if term.op != "expect" or term.args[2].op != "div":
        return None
    point, density, (f, q) = term.args[0], term.args[1], term.args[2].args
    if q is not density:
        return None
    total = Term("integral", (point, f))
    signs = (Term("forall", (point, le(0, f))), Term("forall", (point, le(0, density))))
    return total, (*signs, Term("integrable", (point, f)))


@axiom("total mass")
def total_mass(term: Term) -> Result:
    """𝔼_q 1 = ∫ q, where q ≥ 0"""
    if term.op != "expect" or term.args[2] is not ONE:
        return None
    point, density, _ = term.args
    return Term("integral", (point, density)), (Term("forall", (point, le(0, density))),)


@axiom("normalisation")
def normalisation(term: Term) -> Result:
    """∫ p = 1, Σ p = 1, over the last axis of a variable p that is declared to be a density"""
    if term.op not in {"integral", "sum"}:
        return None
    point, (density, places) = term.args[0], place(term.args[1])
    if density.op != "var" or not DOMAINS[domain_of(density)].normalised or places.count(point) != 1:
        return None
    over = point.args[0]
    nowhere = NO_CONDITIONS if over.op == "space" else (lt(0, over),)
    return (ONE, nowhere) if places[-1] is point else None


@axiom("expectation as an integral")
def expectation(term: Term) -> Result:
    """𝔼_q f = ∫ q·f, where q > 0"""
    if term.op != "expect":
        return None
    point, density, body = term.args
    return Term("integral", (point, density * body)), (Term("forall", (point, lt(0, density))),)


