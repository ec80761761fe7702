"""Indices become arrays where NumPy has a word for them, and stay indices elsewhere."""

import pytest

from derive.kernels.raising import raised
from derive.language.notation import log, softmax, σ
from derive.language.term import Σ, array, indices, sizes, var, δ

N, D, H, K = sizes("N D H K")
n, m = indices("n m", N)
a, c = indices("a c", H)
b = indices("b", D)[0]
j, k = indices("j k", K)
W, h, Δ, A, X, w, y = (
    var("W", K, H),
    var("h", H),
    var("Δ", N, K),
    var("A", N, H),
    var("X", N, D),
    var("w", D),
    var("y", N),
)
B = var("B", K, K)

RAISED = [
    (Σ(W[k, c] * h[c], c), "(W @ h)[k]"),
    (array(Σ(W[k, c] * h[c], c), k), "W @ h"),
    (array(Σ(Δ[n, j] * A[n, a], n), j, a), "Δᵀ @ A"),
    (array(Σ(A[n, a] * Δ[n, j], n), j, a), "Δᵀ @ A"),
    (array(Σ(Δ[n, k] * W[k, a], k) * A[n, a] * (1 - A[n, a]), n, a), "Δ @ W·A·(1 − A)"),
    (array(Σ((σ(Σ(X[n, b] * w[b], b)) - y[n]) / N * X[n, b], n), b), "(σ(X @ w) − y)/N @ X"),
    (array(-Σ(Δ[m, k] * log(Δ[m, k]), k), m), "−sum(Δ·log(Δ), axis=1)"),
    (Σ(Δ[n, k] * Δ[n, k], n, k), "sum(sum(Δ·Δ, axis=1), axis=0)"),
    (array(h[a] * w[b], a, b), "h ⊗ w"),
    (array(W[k, a], a, k), "Wᵀ"),
    (array(Δ[n, k] * y[n], n, k), "[Δ[n, k]·y[n]]_n,k"),  # NumPy aligns last axes, and y has the first
    (array(A[n, a] * h[a], n, a), "A·h"),
    (array(δ(k, j) * B[k, j], k, j), "[[k = j]·B[k, j]]_k,j"),
    (softmax(array(Σ(A[n, a] * W[k, a], a), n, k)), "softmax(A @ Wᵀ)"),
    ((W @ A.T).T, "A @ Wᵀ"),
    (A.T.T, "A"),
    (-1 * (-h) * (-h), "(−1)·h·h"),
    (-h * (-h), "h·h"),
    (Σ(B[k, k], k), "Σ_k B[k, k]"),
]


@pytest.mark.parametrize(("term", "text"), RAISED, ids=[str(term) for term, _ in RAISED])
def test_raised(term, text):
    result = raised(term)
    assert str(result) == text
    assert result.shape == term.shape
