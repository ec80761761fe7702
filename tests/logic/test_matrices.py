"""What is known of square matrices by their structure, and what must not be."""

import pytest

from derive.evidence.witness import witness
from derive.language.notation import log
from derive.language.term import (
    ShapeError,
    Term,
    array,
    det,
    diag,
    eq,
    eye,
    indices,
    inv,
    invertible,
    let,
    lt,
    natural,
    ne,
    posdef,
    sizes,
    trace,
    var,
)
from derive.logic.calc import StepError, calc
from derive.logic.facts import definite, discharge
from derive.logic.rules.matrices import symmetric
from derive.logic.rules.reasons import by, determinant_rule, inverse, linearity, log_rule, sift
from derive.logic.theorem import reflexivity

N, d = sizes("N d")
i, j, k = indices("i j k", d)
X, A, M = var("X", N, d), var("A", d, d), var("M", d, d)
λ, c, x = var("λ", dom="positive"), var("c", dom="nonnegative"), var("x")
u, v, s = var("u", d), var("v", d, dom="positive"), var("s", N, dom="nonnegative")

POSITIVE_DEFINITE = (
    eye(d), λ * eye(d), eye(d) / 3, X.T @ X + λ * eye(d), λ * eye(d) + A @ A.T, diag(v), X.T @ (diag(s) @ X) + eye(d),
    X.T @ diag(s) @ X / N + λ * eye(d), inv(X.T @ X + λ * eye(d)), (diag(v) + c * eye(d)).T, let("B", A.T @ A + eye(d)),
)  # fmt: skip
UNKNOWN = (
    A, X.T @ X, A @ A.T, diag(u), x * eye(d), A + eye(d), X.T @ X - λ * eye(d), eye(d) - A.T @ A, A.T @ M + eye(d),
    X.T @ (diag(var("t", N)) @ X) + eye(d), eye(d) * A, -eye(d), c * eye(d), let("B", A.T @ A), diag(v) / x,
)  # fmt: skip


@pytest.mark.parametrize("matrix", POSITIVE_DEFINITE, ids=repr)
def test_it_is_positive_definite(matrix):
    assert discharge(posdef(matrix)) == frozenset()
    assert discharge(invertible(matrix)) == frozenset()
    assert discharge(lt(0, det(matrix))) == frozenset()
    assert witness(posdef(matrix)).status == "true"


@pytest.mark.parametrize("matrix", UNKNOWN, ids=repr)
def test_it_is_not_known(matrix):
    assert discharge(posdef(matrix)) == {posdef(matrix)}
    assert not definite(matrix, True)
    assert discharge(ne(det(matrix), 0)) == {invertible(matrix)}


def test_a_product_with_itself_is_semidefinite_only():
    assert definite(X.T @ X, False)
    assert not definite(X.T @ X, True)


def test_what_is_symmetric_by_its_structure():
    weighted = X.T @ (diag(s) @ X)
    for matrix in (eye(d), diag(u), X.T @ X, A @ A.T, weighted, let("B", weighted / N - λ * eye(d)), inv(X.T @ X).T):
        assert symmetric(matrix)
        assert witness(eq(matrix, matrix.T), (invertible(X.T @ X),)).status == "true"
    for matrix in (A, A @ A, A.T @ M, A @ diag(u), X.T @ X + A, eye(d) * A, X.T @ X @ A, A + u, inv(A), A @ X.T @ X):
        assert not symmetric(matrix)


def test_an_inverse_carries_its_condition():
    assert discharge(invertible(A.T)) == discharge(invertible(inv(A))) == {invertible(A)}
    assert reflexivity(inv(A)[i, j]).hypotheses == {invertible(A)}
    assert reflexivity(det(A)).hypotheses == frozenset()
    assert witness(eq(inv(A)[i, j], inv(A)[i, j]), (eq(A[i, j], 0),)).status != "true"


def test_the_inverse_of_another_matrix_does_not_cancel():
    for product in (A @ inv(M), inv(A) @ A.T, A.T @ inv(A), inv(A + M) @ A):
        with pytest.raises(StepError):
            calc(product[i, j]).eq(eye(d)[i, j], inverse)


def test_a_matrix_that_holds_the_index_does_not_cancel():
    """Σ_k A[i, k]·B(k)⁻¹[k, j] is no product of matrices."""
    moving = array(A[i, j] * u[k], i, j)
    body = (A[i, k] * u[k]) * inv(moving)[k, j]
    with pytest.raises(StepError):
        calc(Term("sum", (k, body))).eq(eye(d)[i, j], inverse)


def test_the_derivative_of_a_log_determinant():
    matrix = let("K", X.T @ X + λ * eye(d))
    slope = calc(Term("D", (log(det(matrix)), λ)))
    proof = slope.eq(trace(inv(matrix)), log_rule, determinant_rule, by(matrix), linearity, sift)
    assert proof.theorem.hypotheses == frozenset()


def test_only_square_matrices_of_finite_size():
    for make in (inv, det, trace, invertible, posdef):
        for wrong in (X, u, x, A[i, j]):
            with pytest.raises(ShapeError):
                make(wrong)
    with pytest.raises(ShapeError):
        eye(x)
    assert eye(natural("n")).shape == (natural("n"),) * 2
