"""Rules for sums, integrals and expectations: linearity, sifting, order of summation, products over a range."""

from __future__ import annotations

from collections.abc import Callable

from derive.language.term import ONE, ZERO, Π, Σ, Term, bound, free, index, name_of, names, substitute, variant
from derive.logic.rules.schema import NO_CONDITIONS, Part, Result, axiom, joined, parts

_BINDERS = frozenset(("sum", "integral", "expect", "mean"))


def _conditions(op: str, symbols: tuple[Term, ...], weight: tuple[Term, ...], body: Term) -> tuple[Term, ...]:
    """Return the condition that a summand be integrable; a finite sum needs none."""
    if op == "sum":
        return NO_CONDITIONS
    return (Term("integrable", (*symbols, weight[0] * body if weight else body)),)


def _of_constant(term: Term, symbols: tuple[Term, ...]) -> Term | None:
    """Return the value of the binder on 1: the number of indices, or 1 for an expectation over random variables."""
    return {"sum": symbols[0].args[0] if symbols[0].args else None, "mean": ONE}.get(term.op)


@axiom("linearity")
def linear(term: Term) -> Result:
    """Σ(u ± v) = Σu ± Σv; Σ c·u = c·Σu; Σ_k c = K·c; alike for ∫ and 𝔼, each part integrable"""
    if term.op not in _BINDERS:
        return None
    symbols, weight, body = bound(term), term.args[len(bound(term)) : -1], term.args[-1]
    if term.op != "sum" and body.op == "sum":
        k, inner = body.args
        if any(k in free(part) for part in weight):
            fresh = variant(k, names(term))
            k, inner = fresh, substitute(inner, {k: fresh})
        return Σ(Term(term.op, (*symbols, *weight, inner)), k), NO_CONDITIONS
    out: list[Part] = []
    conditions: tuple[Term, ...] = ()
    for sign, factors, divisors in parts(body):
        fixed, moving = _split(factors, symbols)
        fixed_divisors, moving_divisors = _split(divisors, symbols)
        whole = None if moving or moving_divisors else _of_constant(term, symbols)
        if whole is None:
            inner = joined([(1, moving, moving_divisors)])
            used = tuple(s for s in symbols if s in free(inner)) if term.op == "mean" else symbols
            whole = Term(term.op, (*used, *weight, inner))
            conditions += _conditions(term.op, used, weight, inner)
        out.append((sign, fixed if whole is ONE else (*fixed, whole), fixed_divisors))
    return joined(out), conditions


def _split(factors: tuple[Term, ...], symbols: tuple[Term, ...]) -> tuple[tuple[Term, ...], tuple[Term, ...]]:
    moving = tuple(f for f in factors if not free(f).isdisjoint(symbols))
    return tuple(f for f in factors if free(f).isdisjoint(symbols)), moving


@axiom("sift")
def sift(term: Term) -> Result:
    """Σ_k u(k)·[k = j] = u(j)"""
    if term.op != "sum":
        return None
    k, body = term.args
    done: list[Part] = []
    rest: list[Part] = []
    for sign, factors, divisors in parts(body):
        bracket = next((f for f in factors if f.op == "delta" and k in f.args and f.args[0] is not f.args[1]), None)
        if bracket is None:
            rest.append((sign, factors, divisors))
            continue
        change = {k: bracket.args[1] if bracket.args[0] is k else bracket.args[0]}
        left = list(factors)
        left.remove(bracket)
        sifted = (substitute(f, change) for f in left)
        kept = tuple(f for f in sifted if f.op != "delta" or f.args[0] is not f.args[1])  # [j = j] is 1
        done.append((sign, kept, tuple(substitute(f, change) for f in divisors)))
    if not done:
        return None
    return (joined(done) + Σ(joined(rest), k) if rest else joined(done)), NO_CONDITIONS


@axiom("order of summation")
def swap(term: Term) -> Result:
    """Σ_i Σ_j u = Σ_j Σ_i u; Π alike"""
    if term.op not in {"sum", "prod"} or term.args[1].op != term.op:
        return None
    i, (j, body) = term.args[0], term.args[1].args
    if i is j or i in free(j.args[0]):
        return None
    return Term(term.op, (j, Term(term.op, (i, body)))), NO_CONDITIONS


@axiom("product of sums")
def product_of_sums(term: Term) -> Result:
    """(Σ_i u)·v = Σ_i u·v; v·(Σ_i u) = Σ_i v·u; (Σu)² = (Σu)·(Σu)"""
    if term.op == "pow" and term.args[0].op == "sum" and term.args[1].op == "num" and term.args[1].data == 2:
        return term.args[0] * term.args[0], NO_CONDITIONS
    if term.op != "mul":
        return None
    for position, combine in enumerate(_SIDES):
        total, other = term.args[position], term.args[1 - position]
        if total.op == "sum":
            k, body = total.args
            if k in free(other):
                fresh = variant(k, names(term))
                k, body = fresh, substitute(body, {k: fresh})
            return Σ(combine(body, other), k), NO_CONDITIONS
    return None


_SIDES: tuple[Callable[[Term, Term], Term], ...] = (lambda u, v: u * v, lambda u, v: v * u)


@axiom("factor under a sum")
def inside(term: Term) -> Result:
    """(Σ_k u)/c = Σ_k u/c; −Σ_k u = Σ_k −u"""
    if term.op not in {"div", "neg"} or term.args[0].op != "sum":
        return None
    total, *below = term.args
    k, body = total.args
    if any(k in free(divisor) for divisor in below):
        fresh = variant(k, names(term))
        k, body = fresh, substitute(body, {k: fresh})
    return Σ(Term(term.op, (body, *below)), k), NO_CONDITIONS


@axiom("sum of a difference")
def merge(term: Term) -> Result:
    """Σ_k u ± Σ_k v = Σ_k (u ± v)"""
    if term.op not in {"add", "sub"} or any(arg.op != "sum" for arg in term.args):
        return None
    (i, u), (j, v) = (arg.args for arg in term.args)
    if i.args != j.args or (i is not j and i in free(v)):
        return None
    return Σ(Term(term.op, (u, substitute(v, {j: i}))), i), NO_CONDITIONS


@axiom("product over no index")
def empty_product(term: Term) -> Result:
    """Π_{l<0} u = 1; Σ_{l<0} u = 0"""
    if term.op in {"prod", "sum"} and term.args[0].args[0] is ZERO:
        return (ONE if term.op == "prod" else ZERO), NO_CONDITIONS
    return None


@axiom("last factor")
def last_factor(term: Term) -> Result:
    """Π_{l<n+1} u(l) = (Π_{l<n} u(l))·u(n); Σ alike, with +"""
    if term.op not in {"prod", "sum"} or term.args[0].args[0].op != "succ":
        return None
    l, body = term.args
    n = l.args[0].args[0]
    shorter = variant(index(name_of(l), n), map(name_of, free(term)))
    rest = (Π if term.op == "prod" else Σ)(substitute(body, {l: shorter}), shorter)
    last = substitute(body, {l: n})
    return (rest * last if term.op == "prod" else rest + last), NO_CONDITIONS


@axiom("next power")
def next_power(term: Term) -> Result:
    """uⁿ⁺¹ = uⁿ·u; u⁰ = 1, for a natural number n"""
    if term.op != "pow":
        return None
    base, exponent = term.args
    if exponent.op == "succ":
        return base ** exponent.args[0] * base, NO_CONDITIONS
    return (ONE, NO_CONDITIONS) if exponent is ZERO else None


@axiom("sum of a constant product")
def constant_product(term: Term) -> Result:
    """Π_{l<n} c = cⁿ, where c is free of l"""
    if term.op != "prod" or term.args[0] in free(term.args[1]):
        return None
    return term.args[1] ** term.args[0].args[0], NO_CONDITIONS
