"""What the deriver uses again and again, proved once: derivatives of softmax and log-sum-exp, mirrored sigmoids."""

from __future__ import annotations

from functools import cache

from derive.deriver.algebra import DeriverError
from derive.deriver.proving import exponentials
from derive.language import notation, term
from derive.language.notation import exp, log, logsumexp, softmax
from derive.language.term import D, Term, array, at, index, indices, sizes, var
from derive.logic.calc import calc
from derive.logic.rules.reasons import Reason, by, exp_rule, linearity, log_rule, quotient_rule, sift, use


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
