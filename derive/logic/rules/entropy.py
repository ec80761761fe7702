"""Rules for a log b as entropies have it: 0 where a = 0, whatever b is there."""

from __future__ import annotations

from derive.language.notation import log, xlog_ratio, xlogy
from derive.language.term import ONE, ZERO, Σ, Term, forall, free, le, names, substitute, variant
from derive.logic.facts import POSITIVE, harvest, require
from derive.logic.rules.schema import NO_CONDITIONS, Result, axiom


def _of(term: Term, name: str) -> tuple[Term, Term] | None:
    """Return a and b where the term is name(a, b)."""
    return (term.args[0], term.args[1]) if term.op == "app" and term.data == name else None


@axiom("weighted logarithm of a product")
def weighted_product(term: Term) -> Result:
    """a log(u·v) = a log u + a log v; a log(u/v) = a log u − a log v; a log 1 = 0; a log uⁿ = n·a log u;
    a log eᵘ = a·u; each logarithm with its weight is 0 where a = 0
    """
    match _of(term, "xlogy"):
        case (_, u) if u is ONE:
            return ZERO, NO_CONDITIONS
        case (a, Term(op="mul", args=(u, v))):
            return xlogy(a, u) + xlogy(a, v), NO_CONDITIONS
        case (a, Term(op="div", args=(u, v))):
            return xlogy(a, u) - xlogy(a, v), NO_CONDITIONS
        case (a, Term(op="pow", args=(u, n))):
            return n * xlogy(a, u), NO_CONDITIONS
        case (a, Term(op="app", data="exp", args=(u,))):
            return a * u, NO_CONDITIONS
    return None


@axiom("weighted logarithm of what is positive")
def weighted_positive(term: Term) -> Result:
    """a log u = a·log u, 0 where a = 0 on both sides, for a u that is known to be positive"""
    found = _of(term, "xlogy")
    if found is None or require(POSITIVE, found[1]):
        return None
    return found[0] * log(found[1]), NO_CONDITIONS


@axiom("weight of a logarithm")
def weights(term: Term) -> Result:
    """(a ± b) log u = a log u ± b log u; (Σ a) log u = Σ a log u; (c·a) log u = c·(a log u) = a·(c log u);
    (a/c) log u = (a log u)/c; 1 log u = log u; 0 log u = 0
    """
    match _of(term, "xlogy"):
        case (a, _) if a is ZERO:
            return ZERO, NO_CONDITIONS
        case (a, u) if a is ONE:
            return log(u), NO_CONDITIONS
        case (Term(op="add", args=(a, b)), u):
            return xlogy(a, u) + xlogy(b, u), NO_CONDITIONS
        case (Term(op="sub", args=(a, b)), u):
            return xlogy(a, u) - xlogy(b, u), NO_CONDITIONS
        case (Term(op="mul", args=(c, a)), u):
            kept = (pulled for pulled in (c * xlogy(a, u), a * xlogy(c, u)) if not harvest(pulled) - harvest(term))
            return next(((pulled, NO_CONDITIONS) for pulled in kept), None)
        case (Term(op="sum", args=(k, a)), u):
            if k in free(u):
                fresh = variant(k, names(term))
                k, a = fresh, substitute(a, {k: fresh})
            return Σ(xlogy(a, u), k), NO_CONDITIONS
        case (Term(op="div", args=(a, c)), u):
            return xlogy(a, u) / c, NO_CONDITIONS
    return None


@axiom("weighted logarithm of a ratio")
def weighted_ratio(term: Term) -> Result:
    """a log(a/b) = a log a − a log b, each 0 where a = 0"""
    found = _of(term, "xlog_ratio")
    if found is None:
        return None
    a, b = found
    return xlogy(a, a) - xlogy(a, b), NO_CONDITIONS


@axiom("parts of the relative-entropy gap")
def gap_parts(term: Term) -> Result:
    """kl(a, b) = a log(a/b) − a + b, its logarithm 0 where a = 0"""
    found = _of(term, "kl")
    if found is None:
        return None
    a, b = found
    return xlog_ratio(a, b) - a + b, NO_CONDITIONS


@axiom("expected logarithm")
def expected_log(term: Term) -> Result:
    """𝔼_q log(q/u) = ∫ q log(q/u); 𝔼_q log u = ∫ q log u; where q ≥ 0, and the logarithm counts as 0 where q = 0;
    Σ over indices
    """
    if term.op != "expect" or term.args[2].op != "app" or term.args[2].data != "log":
        return None
    point, density, (u,) = term.args[0], term.args[1], term.args[2].args
    ratio = u.op == "div" and u.args[0] is density
    body = xlog_ratio(density, u.args[1]) if ratio else xlogy(density, u)
    total = "integral" if point.args[0].op == "space" else "sum"
    return Term(total, (point, body)), (forall(le(0, density), point),)
