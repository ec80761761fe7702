"""XᵀSX/N: the Hessian of logistic regression, why the loss is convex, and Newton’s step as weighted least squares."""

from fractions import Fraction

from derive.language.notation import exp, kl, log, sqrt, squared_norm, σ
from derive.language.term import Σ, D, array, diag, eq, indices, inv, invertible, le, let, lift, sizes, var, δ
from derive.logic.arguments import from_gap, nonnegative
from derive.logic.calc import calc
from derive.logic.rules.reasons import (
    by,
    inverse,
    inverse_pair,
    linearity,
    log_rule,
    log_rules,
    multiplied_out,
    negative_exponent,
    root_of_square,
    sift,
    sigmoid_rule,
)  # fmt: skip
from derive.record import Assumption, Derivation, Kernel, Mistake

N, d = sizes("N d")
(n, m), (i, j, k) = indices("n m", N), indices("i j k", d)
quarter = lift(Fraction(1, 4))

X, y, w, v = var("X", N, d), var("y", N, dom="closed unit"), var("w", d), var("v", d)
z = let("z", X @ w); p = let("p", σ(z)); L = let("L", array(-(y[n] * log(p[n]) + (1 - y[n]) * log(1 - p[n])), n).mean())
s = let("s", p * (1 - p)); S = let("S", diag(s)); H = let("H", X.T @ S @ X / N)

# other weights
u, t = var("u", d), var("t")
z_u = let("ζ", X @ u); q = let("q", σ(z_u)); L_u = let("M", array(-(y[n] * log(q[n]) + (1 - y[n]) * log(1 - q[n])), n).mean())
gap = array(kl(p[n], q[n]) + kl(1 - p[n], 1 - q[n]), n).mean()

# Newton's step
r = let("r", z + (y - p) / s)
rooted = array(sqrt(s[n]) * (X @ v)[n], n)

entry = Derivation(
    module=__name__,
    title="The Hessian of logistic regression",
    claim=eq(D(D(L, w), w), X.T @ S @ X / N),
    goal="Differentiate the gradient of the cross-entropy once more, read off that the loss is convex, and write Newton’s step as a least-squares problem with weights.",
    priority="critical",
    given=(
        (X, "inputs, one example a row"), (y, "labels, as numbers from 0 to 1"), (w, "weights"),
        (z, "logits"), (p, "predicted probabilities"), (L, "mean cross-entropy"),
        (s, "variances of the predicted labels"), (S, "these on a diagonal"), (H, "the Hessian"), (v, "any direction"),
        (u, "any other weights"), (z_u, "their logits"), (q, "their predictions"), (L_u, "their loss"),
        (r, "working responses"), (t, "any logit"),
    ),
    assumptions=(Assumption(invertible(H), "the Hessian can be inverted, as it can where the columns of the inputs are independent"),),
    convention=(
        f"One example is a row of {X}, and a bias is the weight of a column of ones. The Hessian’s entry at {i}, {j} is the derivative of the gradient’s entry {i} by {w[j]}. "
        f"{kl(p[n], q[n])} is the gap {p[n] * log(p[n] / q[n]) - p[n] + q[n]}, never negative and 0 where the two are equal."
    ),
    prompt="Derive the Hessian of the logistic loss. Why is the loss convex, when is it strictly so, and why is Newton’s method called iteratively reweighted least squares here?",
    sixty_seconds=(
        f"The gradient is {X.T @ (p - y) / N}, and only {p} depends on the weights. Its derivative is {p * (1 - p)} times a row of {X}, so the Hessian is {X.T @ S @ X / N} "
        f"with {eq(s, p * (1 - p))} on the diagonal of {S}; the labels have gone. "
        f"In a direction {v} it comes to {squared_norm(rooted) / N}, a squared norm, so the loss is convex. "
        f"Newton’s step subtracts {inv(H) @ D(L, w)}; put {eq(r, z + (y - p) / s)} and the new weights are {inv(H) @ (X.T @ (s * r)) / N}: least squares on {r}, each example weighted by its {s[n]}, solved anew at every step."
    ),
    strong=f"Shows the quadratic form as a squared norm, says that it vanishes only where {X @ v} does, so that independent columns make the loss strictly convex, and notes that separable data drive the weights {s[n]} towards 0.",
    weak=f"Calls the loss convex “because cross-entropy is convex” and leaves it there: convex in {p} is not convex in {w}, and the squared error of a sigmoid shows the difference.",
    sanity=(
        ("Shape", f"{X.T} is {d} × {N}, {S} is {N} × {N} and {X} is {N} × {d}, so {H} is {d} × {d}."),
        ("Special value", f"Where all of {w} is 0 every prediction is one half, every entry of {s} is {quarter}, and {H} is {X.T @ X / (4 * N)}: that is linear regression."),
        ("Limit", "An example that is predicted with certainty has weight 0: it says nothing more about the curvature."),
        ("Sign", f"Each {s[n]} is positive, so no direction has negative curvature."),
    ),
    mistakes=(
        Mistake(eq(D(D(L, w[i]), w[j]), Σ(X[n, i] * X[n, j], n) / N), "That is the Hessian of half the mean squared error: the derivative of the sigmoid has been lost."),
        Mistake(eq(D(D(L, w[i]), w[j]), Σ(s[n] * X[n, i] * X[n, j], n)), f"The loss is a mean, so {1 / N} belongs to its second derivative as well."),
        Mistake(eq(D(D(L, w[i]), w[j]), Σ(y[n] * (1 - y[n]) * X[n, i] * X[n, j], n) / N), "The weights are made of predictions. The labels enter the gradient linearly and are gone after one more derivative."),
        Mistake(eq(w + inv(H) @ D(L, w), inv(H) @ (X.T @ (s * r)) / N), "The sign of the step is turned round: Newton’s step goes against the gradient."),
    ),
    prerequisites=("sigmoid-derivative", "logistic-gradient"),
    follow_ups=("taylor-newton-step",),
    kernels=(
        Kernel("hessian", (X, w), (("H", X.T @ array(s[n] * X[n, j], n, j) / N),), "Hessian of the mean cross-entropy by the weights.", proved_by=("rows_weighted",)),
        Kernel("curvature", (X, w, v), (("form", squared_norm(rooted) / N),), "Curvature of the mean cross-entropy in a direction, without the matrix.", proved_by=("direction",)),
    ),
    references=("C. Bishop, Pattern Recognition and Machine Learning, 4.3.3", "K. Murphy, Machine Learning: A Probabilistic Perspective, 8.3"),
)  # fmt: skip


@entry.proves(eq(D(L, w), X.T @ (p - y) / N), "The gradient")
def gradient():
    return (
        calc(D(L, w[i]))
        .eq(-Σ((y[n] / p[n] - (1 - y[n]) / (1 - p[n])) * D(p[n], w[i]), n) / N,                            by(L), linearity, log_rule)
        .eq(-Σ((y[n] / p[n] - (1 - y[n]) / (1 - p[n])) * (p[n] * (1 - p[n])) * X[n, i], n) / N,            by(p), sigmoid_rule, by(z), linearity, sift)
        .eq(-Σ(X[n, i] * (y[n] - p[n]), n) / N)
        .eq(Σ(X[n, i] * (p[n] - y[n]), n) / N,                                                             linearity)
        .array(D(L, w), X.T @ (p - y) / N, i)
    )  # fmt: skip


@entry.proves(eq(D(D(L, w), w), X.T @ S @ X / N), "The Hessian", main=True)
def hessian():
    return (
        calc(D(D(L, w[i]), w[j]))
        .eq(D(Σ(X[n, i] * (p[n] - y[n]), n) / N, w[j]),                                                    gradient)
        .eq(Σ(X[n, i] * D(p[n], w[j]), n) / N,                                                             linearity)
        .eq(Σ(X[n, i] * (p[n] * (1 - p[n])) * X[n, j], n) / N,                                             by(p), sigmoid_rule, by(z), linearity, sift)
        .eq(Σ(Σ(X[m, i] * (δ(m, n) * s[m]), m) * X[n, j], n) / N,                                          by(s), sift)
        .eq((X.T @ S @ X / N)[i, j],                                                                       by(S))
        .array(D(D(L, w), w), X.T @ S @ X / N, i, j)
    )  # fmt: skip


@entry.proves(eq(H, X.T @ array(s[n] * X[n, j], n, j) / N), "Without the N × N matrix")
def rows_weighted():
    return (
        calc(H[i, j])
        .eq(Σ(X[n, i] * (s[n] * X[n, j]), n) / N,                                                          by(H, S), sift)
        .array(H, X.T @ array(s[n] * X[n, j], n, j) / N, i, j)
    )  # fmt: skip


@entry.proves(eq(v @ (H @ v), squared_norm(rooted) / N), "In any direction it is a squared norm")
def direction():
    return (
        calc(v @ (H @ v))
        .eq(Σ(v[i] * Σ(Σ(X[n, i] * s[n] * X[n, j], n) * v[j], j), i) / N,                                  by(H, S), sift, linearity)
        .eq(Σ(s[n] * (X @ v)[n] ** 2, n) / N,                                                              multiplied_out)
        .eq(Σ(sqrt(s[n]) ** 2 * (X @ v)[n] ** 2, n) / N,                                                   root_of_square)
        .eq(squared_norm(rooted) / N,                                                                      by("squared_norm"))
    )  # fmt: skip


@entry.proves(le(0, v @ (H @ v)), "No direction bends down")
def semidefinite():
    return nonnegative(
        calc(v @ (H @ v))
        .eq(squared_norm(rooted) / N,                                                                      direction)
    )  # fmt: skip


@entry.proves(eq(log(σ(t)), t + log(1 - σ(t))), "The logit of a prediction")
def logit():
    return (
        calc(log(σ(t)))
        .eq(log(exp(t) / (1 + exp(t))),                                                                    by("σ"), negative_exponent)
        .eq(t + log(1 / (1 + exp(t))),                                                                     log_rules, inverse_pair)
        .eq(t + log(1 - σ(t)),                                                                             by("σ"), negative_exponent)
    )  # fmt: skip


@entry.proves(eq(L_u - L - D(L, w) @ (u - w), gap), "What a tangent plane leaves")
def tangent_gap():
    return (
        calc(L_u - L - D(L, w) @ (u - w))
        .eq(L_u - L - Σ(Σ(X[n, i] * (p[n] - y[n]), n) / N * (u[i] - w[i]), i),                             gradient)
        .eq(L_u - L - Σ((p[n] - y[n]) * Σ(X[n, i] * (u[i] - w[i]), i), n) / N,                             multiplied_out)
        .eq(L_u - L - Σ((p[n] - y[n]) * (z_u[n] - z[n]), n) / N,                                           by(z, z_u), linearity)
        .eq(Σ(y[n] * (log(p[n]) - log(q[n])) + (1 - y[n]) * (log(1 - p[n]) - log(1 - q[n])), n) / N - Σ((p[n] - y[n]) * (z_u[n] - z[n]), n) / N,   by(L, L_u), linearity)
        .eq(Σ(p[n] * (log(p[n]) - log(q[n])) + (1 - p[n]) * (log(1 - p[n]) - log(1 - q[n])), n) / N,       by(p, q), logit, linearity)
        .eq(gap,                                                                                           by("kl"), log_rules)
    )  # fmt: skip


@entry.proves(le(L + D(L, w) @ (u - w), L_u), "The loss is convex")
def convex():
    return from_gap(
        calc(L_u - (L + D(L, w) @ (u - w)))
        .eq(L_u - L - D(L, w) @ (u - w))
        .eq(gap,                                                                                           tangent_gap)
    )  # fmt: skip


@entry.proves(eq(w - inv(H) @ D(L, w), inv(H) @ (X.T @ (s * r)) / N), "Newton’s step is weighted least squares")
def newton():
    return (
        calc((w - inv(H) @ D(L, w))[i])
        .eq((inv(H) @ (H @ w) - inv(H) @ (X.T @ (p - y) / N))[i],                                          inverse, gradient)
        .eq((inv(H) @ (H @ w - X.T @ (p - y) / N))[i],                                                     linearity)
        .eq((inv(H) @ (X.T @ (s * z) / N - X.T @ (p - y) / N))[i],                                         by(H, S, z), sift, multiplied_out)
        .eq((inv(H) @ (X.T @ (s * z + (y - p)) / N))[i],                                                   linearity)
        .eq((inv(H) @ (X.T @ (s * r) / N))[i],                                                             by(r))
        .eq((inv(H) @ (X.T @ (s * r)) / N)[i],                                                             linearity)
        .array(w - inv(H) @ D(L, w), inv(H) @ (X.T @ (s * r)) / N, i)
    )  # fmt: skip
