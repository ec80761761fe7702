"""Weighted Grams and sums of products: right, without large arrays between, and symmetric where SYRK can do them."""

import numpy as np
import pytest

from derive import hessian
from derive.kernels.compile import compile_kernel, load, module_text
from derive.language.notation import softmax, σ
from derive.language.term import Σ, array, diag, indices, let, name_of, sizes, subterms, var
from derive.record import Kernel

N, d, K, e = sizes("N d K e")
X, w, W, V, M, s = var("X", N, d), var("w", d), var("W", d, K), var("V", N, e), var("M", e, N), var("s", N)
p = var("p", N, dom="positive")
(n,), (i, j), (k, l), (a,) = indices("n", N), indices("i j", d), indices("k l", K), indices("a", e)
P = softmax(let("Z", X @ W))

RNG = np.random.default_rng(0)
VALUES = {
    "X": RNG.normal(size=(7, 3)),
    "w": RNG.normal(size=3),
    "W": RNG.normal(size=(3, 4)),
    "V": RNG.normal(size=(7, 2)),
    "M": RNG.normal(size=(2, 7)),
    "s": RNG.normal(size=7),
    "p": RNG.uniform(0.1, 1, size=7),
}


def softmaxed(X, W):
    e = np.exp(X @ W)
    return e / e.sum(axis=1, keepdims=True)


# a term; what it is, by einsum; a line of the kernel
CASES = [
    (X.T @ diag(s) @ X, lambda X, s: np.einsum("ni,n,nj", X, s, X), "return X.T @ (s[:, None]*X)"),
    (X.T @ diag(p) @ X, lambda X, p: np.einsum("ni,n,nj", X, p, X), "weighted = np.sqrt(p)[:, None]*X"),
    (X.T @ (diag(p) @ X), lambda X, p: np.einsum("ni,n,nj", X, p, X), "return weighted.T @ weighted"),
    (X.T @ array(p[n] * X[n, j], n, j), lambda X, p: np.einsum("ni,n,nj", X, p, X), "return weighted.T @ weighted"),
    (M @ diag(p) @ M.T, lambda M, p: np.einsum("an,n,bn", M, p, M), "return weighted.T @ weighted"),
    (diag(s) @ X, lambda X, s: np.diag(s) @ X, "return s[:, None]*X"),
    (diag(s) @ p, lambda s, p: s * p, "return s*p"),
    (X.T @ diag(s), lambda X, s: X.T @ np.diag(s), "return X.T*s"),
    (X.T @ diag(p) @ V, lambda X, V, p: np.einsum("ni,n,nj", X, p, V), "return X.T @ (p[:, None]*V)"),
    (M @ (diag(p) @ X), lambda X, M, p: np.einsum("an,n,nj", M, p, X), "return M @ (p[:, None]*X)"),
    ((X * w) @ W, lambda X, w, W: np.einsum("ni,i,ik->nk", X, w, W), "return (X*w) @ W"),
    (X.T @ V - X.T @ diag(p) @ V, lambda X, V, p: X.T @ ((1 - p)[:, None] * V), "return X.T @ (V - p[:, None]*V)"),
    (
        array(Σ(X[n, i] * s[n] * X[n, j], n), i, j),
        lambda X, s: np.einsum("ni,n,nj", X, s, X),
        "return (s[:, None]*X).T @ X",
    ),
    (
        array(Σ(X[n, i] * σ(s[n]) * (1 - σ(s[n])) * X[n, j], n), i, j),
        lambda X, s: np.einsum("ni,n,nj", X, 0.25 / np.cosh(s / 2) ** 2, X),
        "weighted = np.sqrt(_sigmoid_derivative(s))[:, None]*X",
    ),
    (
        array(Σ(X[n, i] * X[n, j] * P[n, k] * P[n, l], n), i, k, j, l),
        lambda X, W: np.einsum("ni,nj,nk,nl->ikjl", X, X, softmaxed(X, W), softmaxed(X, W)),
        "return np.tensordot(rows, rows, (0, 0))",
    ),
    (
        array(Σ(X[n, i] * X[n, j] * P[n, k], n), j, k, i),
        lambda X, W: np.einsum("ni,nj,nk->jki", X, X, softmaxed(X, W)),
        "np.tensordot",
    ),
    (
        array(Σ(M[a, n] ** 2 * X[n, i] * X[n, j], n), i, a, j),
        lambda X, M: np.einsum("an,ni,nj->iaj", M**2, X, X),
        "np.tensordot",
    ),
]


def kernel_of(term):
    inputs = tuple(v for v in (X, w, W, V, M, s, p) if v in set(subterms(term)))
    source = compile_kernel(Kernel("f", inputs, (("out", term),), "A product."))
    values = [VALUES[name_of(v)] for v in inputs]
    return load(module_text([source], "A test."), "test").f(*values), source.text, values


@pytest.mark.parametrize(("term", "wanted", "written"), CASES, ids=[str(case[0]) for case in CASES])
def test_products(term, wanted, written):
    got, text, values = kernel_of(term)
    exact = wanted(*values)
    assert got.shape == exact.shape
    np.testing.assert_allclose(got, exact, rtol=1e-12, atol=1e-13)
    assert written in text
    assert "np.diag(" not in text
    if "weighted.T @ weighted" in text:
        assert (got == got.T).all()


SOFTMAX = ("mean(logsumexp(X@W,axis=1) - sum(Y*(X@W),axis=1))", "W", {"X": "N,d", "Y": "N,K", "W": "d,K"})
LOGISTIC = ("mean(log(1+exp(X@w)) - y*(X@w))", "w", {"X": "N,d", "y": "N", "w": "d"})


@pytest.mark.parametrize("scale", [1, 1000])
def test_hessians_are_symmetric_and_finite(scale):
    examples = 40
    x = scale * RNG.normal(size=(examples, 3))
    view = hessian(LOGISTIC[0], LOGISTIC[1], shapes=LOGISTIC[2])
    h = view.kernel("hessian")(x, np.ones(examples), RNG.normal(size=3))
    assert np.isfinite(h).all()
    assert (h == h.T).all()
    view = hessian(SOFTMAX[0], SOFTMAX[1], shapes=SOFTMAX[2])
    h = view.kernel("hessian")(x, np.eye(4)[np.arange(examples) % 4], RNG.normal(size=(3, 4)))
    assert np.isfinite(h).all()
    np.testing.assert_allclose(h, h.transpose(2, 3, 0, 1), rtol=1e-12, atol=1e-12 * np.abs(h).max())


def test_no_array_of_all_indices_is_made():
    """With 400 examples, 20 inputs and 20 classes it would take half a gigabyte."""
    import tracemalloc

    view = hessian(SOFTMAX[0], SOFTMAX[1], shapes=SOFTMAX[2])
    x, labels, weights = RNG.normal(size=(400, 20)), np.eye(20)[np.arange(400) % 20], RNG.normal(size=(20, 20))
    run = view.kernel("hessian")
    tracemalloc.start()
    run(x, labels, weights)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 20 * (20 * 20) ** 2 * 8
