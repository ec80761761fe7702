"""What the deriver uses again and again, proved once: derivatives of softmax and log-sum-exp, mirrored sigmoids."""

from __future__ import annotations

from functools import cache

from derive.deriver.algebra import DeriverError
from derive.deriver.proving import exponentials, proved
from derive.language import notation, term
from derive.language.array import bound_index, component, push, row_of
from derive.language.notation import exp, log, logsumexp, softmax
from derive.language.term import Σ, D, Term, alpha, array, at, index, indices, place, sizes, var  # noqa: PLC2403 - the sum's own sign
from derive.logic.calc import calc
from derive.logic.facts import NONZERO, POSITIVE, require
from derive.logic.rules import calculus, elementary, products
from derive.logic.rules.reasons import Reason, by, exp_rule, linearity, log_rule, quotient_rule, sift, use
from derive.logic.strategy import Move, by_axiom, everywhere
from derive.logic.theorem import step


@cache
def mirror() -> Reason:
    """σ(−u) = 1 − σ(u)."""
    u = var("u")
    proof = calc(notation.σ(-u)).eq(1 - notation.σ(u), exponentials)
    return use(proof.theorem, "symmetry of the sigmoid")


@cache
def tanh_as_sigmoid() -> Reason:
    """tanh(u) = 2σ(2u) − 1."""
    u = var("u")
    shifted = calc(notation.σ(2 * u)).eq(1 / (1 + exp(-(u + u))), by("σ")).eq(exp(u) / (exp(u) + exp(-u)), exponentials)
    proof = (
        calc(Term("app", (u,), "tanh"))
        .eq((exp(u) - exp(-u)) / (exp(u) + exp(-u)), by("tanh"))
        .eq(2 * (exp(u) / (exp(u) + exp(-u))) - 1)
        .eq(2 * notation.σ(2 * u) - 1, use(shifted.theorem, "the sigmoid of the double"))
    )
    return use(proof.theorem, "the hyperbolic tangent as a sigmoid")


def _by_its_factor(term: Term) -> Move | None:
    """Π_{l≠k} u(l) = (Π u)/u(k) where u(k) is known not to be 0: elsewhere nothing is divided."""
    move = _WITHOUT_ONE(term)
    return None if move is None or require(NONZERO, move.after.args[1]) else move


def _by_all_factors(term: Term) -> Move | None:
    """Π_{l≠k} u(l) written out, where u(k) may be 0."""
    move = _WITHOUT_ONE(term)
    return None if move is None or not require(NONZERO, move.after.args[1]) else _OTHERS(term)


def _of_positive_factors(term: Term) -> Move | None:
    """log Π_k u(k) = Σ_k log u(k), where every u(k) is known to be positive."""
    move = _LOG_RANGE(term)
    return None if move is None or require(POSITIVE, term.args[0].args[1]) else move


_LOG_RANGE = by_axiom(elementary.log_range)
log_of_product = Reason(("logarithm of a product",), everywhere(_of_positive_factors))
_WITHOUT_ONE = by_axiom(products.without_one)
_OTHERS = by_axiom(calculus.symbol_definition, "prod_others")
known_factor = Reason(("product without one factor",), everywhere(_by_its_factor))
all_factors = Reason(by("prod_others").words, everywhere(_by_all_factors))


@cache
def softmax_jacobian(leading: int) -> Reason:
    """D(softmax(Z)[n,k], Z[m,j]) = [n = m]·softmax(Z)[n,k]·([k = j] − softmax(Z)[n,j])."""
    rows, at_one, at_other = _rows_of(leading)
    k, j = at_one[-1], at_other[-1]
    m = index("l", k.args[0])
    row = at_one[:-1]
    p = softmax(rows)
    value = p[at_one] * (term.δ(k, j) - p[(*row, j)])
    share = exp(at(rows, at_one)) / term.Σ(exp(at(rows, (*row, m))), m)
    proof = calc(D(at(p, at_one), at(rows, at_other))).eq(D(share, at(rows, at_other)), by("softmax"))
    target: Term = value
    for one, other in zip(at_one[:-1], at_other[:-1], strict=True):
        target = term.δ(one, other) * target
    proof = proof.eq(target, by("softmax"), quotient_rule, exp_rule, linearity, sift)
    return use(proof.theorem, "derivative of softmax")


@cache
def logsumexp_gradient(leading: int) -> Reason:
    """D(logsumexp(Z[n,·]), Z[m,j]) = [n = m]·softmax(Z)[n,j]."""
    rows, at_one, at_other = _rows_of(leading)
    j, k = at_other[-1], index("k", at_one[-1].args[0])
    row = rows if not leading else array(at(rows, (*at_one[:-1], k)), k)
    total = logsumexp(row)
    target: Term = at(softmax(rows), (*at_one[:-1], j))
    for one, other in zip(at_one[:-1], at_other[:-1], strict=True):
        target = term.δ(one, other) * target
    proof = calc(D(total, at(rows, at_other))).eq(
        D(log(term.Σ(exp(at(rows, (*at_one[:-1], k))), k)), at(rows, at_other)), by("logsumexp")
    )
    proof = proof.eq(target, by("softmax"), log_rule, exp_rule, linearity, sift)
    return use(proof.theorem, "derivative of log-sum-exp")


@cache
def _of_any_row(term: Term) -> Move | None:
    """D(LSE(u), x) = Σ_m softmax(u)[m]·D(u[m], x) for any row u, and what follows from it for softmax(u)[k]."""
    if term.op != "D" or term.shape:
        return None
    (body, places), by_ = place(term.args[0]), term.args[1]
    if body.op == "reduce" and body.data == "logsumexp" and not body.shape:
        leading, base = row_of(body.args[0])
    elif body.op == "rows" and body.data == "softmax" and places:
        leading, base = places[:-1], body.args[0]
    else:
        return None
    if place(by_)[0] is base:
        return None
    m = bound_index(base.shape[-1], term)
    p, slope = at(softmax(base), (*leading, m)), D(component(base, (*leading, m)), by_)
    target = Σ(p * slope, m)
    if body.op == "rows":
        target = term.args[0] * D(component(base, places), by_) - term.args[0] * target
    theorem = proved(term, target, [by("logsumexp", "softmax"), log_rule, quotient_rule, exp_rule, linearity])
    return None if theorem is None else Move(step, (theorem,), push(target))


@cache
def _row_by_itself(term: Term) -> Move | None:
    """softmax(Zᵀ)[k, n] is what softmax is of the row Z[·, k], at n."""
    base, places = place(term)
    if base.op != "rows" or not places:
        return None
    (whole,), m = base.args, bound_index(base.shape[-1], term)
    body = component(whole, (*places[:-1], m))
    if place(body)[0] is whole:
        return None
    after = alpha(at(Term("rows", (array(body, m),), base.data), places[-1:]))
    if after is alpha(term):
        return None
    theorem = proved(term, after, [by(str(base.data))])
    return None if theorem is None else Move(step, (theorem,), after)


own_row = Reason(("row by row",), everywhere(_row_by_itself))
any_row = Reason(("derivative of softmax and log-sum-exp",), everywhere(_of_any_row))


@cache
def log_softmax_difference(leading: int) -> Reason:
    """log_softmax(Z)[n,k] = Z[n,k] − logsumexp(Z[n,·])."""
    rows, at_one, _ = _rows_of(leading)
    k = index("k", at_one[-1].args[0])
    row = rows if not leading else array(at(rows, (*at_one[:-1], k)), k)
    proof = calc(at(notation.log_softmax(rows), at_one)).eq(
        at(rows, at_one) - logsumexp(row), by("log_softmax", "logsumexp")
    )
    return use(proof.theorem, "log-softmax as a difference")


def _rows_of(leading: int) -> tuple[Term, tuple[Term, ...], tuple[Term, ...]]:
    axes = sizes("A B C D")[4 - leading - 1 :] if leading < 4 else ()
    if not axes:
        raise DeriverError("softmax acts on arrays of at most four axes")
    rows = var("Z", *axes)
    one = tuple(indices(f"n{a} ", axis)[0] for a, axis in enumerate(axes))
    other = tuple(indices(f"m{a} ", axis)[0] for a, axis in enumerate(axes))
    return rows, one, other
