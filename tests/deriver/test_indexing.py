"""Losses with indices, stacks of matrices, einsum and axes in another order, against an independent differentiator."""

import numpy as np
import pytest
from deriver import reference
from deriver.yardstick import pairs

from derive import gradient, jacobian
from derive.language.parse import ParseError
from derive.pages.text import text as printed

SHAPES = "X=N,d Y=N,K W=d,K y=N w=d A=d,d F=B,q,h G=B,h,p v=K V=K,d s= T=B,N,d P=B,r,h Q=B,r,h"
LOSSES = [  # as it is written here, by what, as it is written without indices, and how the gradient is printed
    ("sum((X[n] @ w - y[n])**2, n)", "w", "sum((X @ w - y)**2)", "2 Xᵀ (X w − y)"),
    ("mean((X[n] @ w - y[n])**2, axis=n)", "w", "mean((X @ w - y)**2)", "2 Xᵀ (X w − y)/N"),
    ("sum(X[n, j]*w[j]*y[n], axis=(n, j))", "w", "sum((X @ w)*y)", "Xᵀ y"),
    ("sum(w[i]*A[i, j]*w[j] for i in range(d) for j in range(d))", "w", "w @ A @ w", "(A + Aᵀ) w"),
    ("sum(log(1+exp(-y[n]*(X[n]@w))) for n in range(N))/N", "w", "mean(log(1+exp(-y*(X@w))))", ""),
    ("sum(A[i, i]**2, i)", "A", "sum(diag(A)**2)", ""),
    ("z = X[n] @ W; sum(logsumexp(z) - Y[n] @ z, n)", "W", "sum(logsumexp(X@W, axis=1) - sum(Y*(X@W), axis=1))", ""),
    ("sum(tanh(W.T @ X[n]) @ v, n)", "W", "sum(tanh(X @ W) @ v)", ""),
    ("sum(exp(-(X[i]-V[k]) @ (X[i]-V[k])), (i, k))", "V", "sum(exp(-sum((X[:,None,:]-V[None])**2, axis=-1)))", ""),
    ("sum(logsumexp([X[i] @ V[k] for k in range(K)]) for i in range(N))", "V", "sum(logsumexp(X@V.T, axis=1))", ""),
    ("sum(log(softmax(X[n, j]*y[n], axis=j))*w[j], (n, j))", "X", "sum(log(softmax(X*y[:, None]))*w)", ""),
    ("sum(where(X[n] @ w > 0, X[n] @ w, s), n)", "w", "sum(where(X @ w > 0, X @ w, s))", "Xᵀ step(X w)"),
    ("sum(var(X[n]), n)", "X", "sum(var(X, axis=1))", ""),
    ("sum(s*y[n]*y[m], (n, m))", "y", "s*sum(y)**2", ""),
    ("sum(1 for i in range(N))*s**2", "s", "len(y)*s**2 + 0*sum(y)", "2 N s"),
    ("n = X.shape[0]; M, d = X.shape; sum(y**2)/n + len(y)*s", "y", "sum(y**2)/len(y)", "2 y/N"),
    ("sum((F @ G)**2)", "F", "sum((F @ G)**2)", ""),
    ("sum(tanh(F @ G))", "G", "sum(tanh(F @ G))", ""),
    ("sum(tanh(T @ W))", "W", "sum(tanh(T @ W))", ""),
    ("sum(tanh(X @ swapaxes(T, -1, -2)))", "X", "sum(tanh(X @ np.swapaxes(T, -1, -2)))", ""),
    (
        "sum(transpose(T, (1, 0, 2))**2*y[:, None, None])",
        "T",
        "sum(np.transpose(T, (1, 0, 2))**2*y[:, None, None])",
        "",
    ),
    ("mean((einsum('nd,d->n', X, w) - y)**2)", "w", "mean((X @ w - y)**2)", "2 Xᵀ (X w − y)/N"),
    ("sum(einsum('bmn,bnp->bmp', F, G)**2)", "G", "sum(einsum('bmn,bnp->bmp', F, G)**2)", ""),
    ("sum(einsum('ii->i', A)**3)", "A", "sum(diag(A)**3)", ""),
    ("einsum('ij,ij', X, X)", "X", "sum(X*X)", "2 X"),
    ("sum(einsum('...d,dk->...k', T, W)**2)", "W", "sum((T @ W)**2)", ""),
    ("sum(exp(einsum('nd,kd,nk->', X, V, Y)))", "V", "exp(sum((X @ V.T)*Y))", ""),
    ("S = X[i] @ X[j]; mean(logsumexp(S, axis=j), i)", "X", "mean(logsumexp(X @ X.T, axis=1))", ""),
    (
        "sum(P*(softmax(Q @ swapaxes(F, -1, -2), axis=-1) @ F))",
        "F",
        "sum(P*(softmax(Q @ np.swapaxes(F, -1, -2)) @ F))",
        "",
    ),
    ("trace(A @ inv(A.T @ A + s*eye(d)))", "A", "trace(A @ inv(A.T @ A + s*np.eye(len(A))))", ""),
    ("sum(X[None]*T) + sum(T[..., None]*W)", "T", "sum(X[None]*T) + sum(T[..., None]*W)", ""),
]


@pytest.mark.parametrize(("text", "by", "plain", "form"), LOSSES)
def test_what_is_written_with_indices_is_what_is_meant(text, by, plain, form):
    view = gradient(text, by, shapes=pairs(SHAPES))
    values = reference.point(pairs(SHAPES), {})
    wanted = reference.gradient(plain, by, values)
    got = reference.of_kernel(view.kernel("gradient"), values)
    assert np.shape(got) == np.shape(wanted)
    assert np.abs(got - wanted).max() <= 1e-10 * max(1e-2, np.abs(wanted).max())
    assert not form or printed(view.claim.args[1]) == form


def test_an_index_that_is_left_asks_for_the_jacobian():
    with pytest.raises(ParseError, match=r"one number for each n, .* sum over it"):
        gradient("(X[n] @ w - y[n])**2", "w", shapes=pairs(SHAPES))
    view = jacobian("X[n] @ w - y[n]", "w", shapes=pairs(SHAPES))
    assert printed(view.claim.args[1]) == "X"


def test_an_index_of_a_named_quantity_is_known_in_conditions():
    view = gradient("z = X[n] @ w; sum(log(z), n)", "w", shapes=pairs(SHAPES), assume=["z > 0"])
    assert printed(view.claim.args[1]).startswith("Xᵀ (")
