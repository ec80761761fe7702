"""Xᵀ(σ(Xw + b) − y)/N: the gradient of logistic regression, with its bias, its ridge term and both encodings of the labels."""

from fractions import Fraction

from derive.catalogue.activations.sigmoid_derivative import symmetry
from derive.language.notation import abs_, exp, log, log1p, relu, squared_norm, σ
from derive.language.term import Σ, D, array, eq, indices, let, lift, sizes, var
from derive.logic.arguments import by_cases
from derive.logic.calc import calc
from derive.logic.rules.reasons import (
    branch,
    by,
    chain,
    given,
    inverse_pair,
    linearity,
    log_rule,
    log_rules,
    power_rule,
    sift,
    sigmoid_rule,
)  # fmt: skip
from derive.record import Derivation, Kernel, Mistake

N, d = sizes("N d")
(n, m), (i, j) = indices("n m", N), indices("i j", d)
half = lift(Fraction(1, 2))

# one example
x, w, b, y1 = var("x", d), var("w", d), var("b"), var("υ", dom="closed unit")
z1 = let("ζ", w @ x + b); q = let("q", σ(z1)); l1 = let("ℓ", -(y1 * log(q) + (1 - y1) * log(1 - q)))

# a batch
X, y = var("X", N, d), var("y", N, dom="closed unit")
z = let("z", X @ w + b); p = let("p", σ(z)); L = let("L", array(-(y[n] * log(p[n]) + (1 - y[n]) * log(1 - p[n])), n).mean())

# ridge, and labels of ±1
λ = var("λ", dom="positive"); R = let("R", L + λ / 2 * squared_norm(w))
s = var("s"); t = var("t", N, dom="sign"); M = let("M", array(-log(σ(t[n] * z[n])), n).mean())

entry = Derivation(
    module=__name__,
    title="The gradient of logistic regression",
    claim=eq(D(L, w), X.T @ (p - y) / N),
    goal=f"Differentiate the cross-entropy of a sigmoid by the weights {w} and the bias {b}, for one example, for a batch, with a ridge term, and for labels of ±1.",
    priority="critical",
    flagship=True,
    given=(
        (X, "inputs, one example a row"), (y, "labels, as numbers from 0 to 1"), (w, "weights"), (b, "bias"),
        (z, "logits"), (p, "predicted probabilities"), (L, "mean cross-entropy"),
        (λ, "strength of the ridge term"), (R, "loss with the ridge term"),
        (t, "labels, as 1 or −1"), (M, "mean logistic loss by the margin"),
        (s, "any logit"), (x, "one example"), (y1, "its label"), (z1, "its logit"), (q, "its prediction"), (l1, "its loss"),
    ),
    convention=f"One example is a row of {X}; a gradient has the shape of what it is taken by.",
    prompt="Derive the gradient of the logistic loss by the weights. Why does the derivative of the sigmoid vanish from it? And what changes when the labels are 1 and −1?",
    sixty_seconds=(
        f"By the chain rule the gradient is three factors: {D(l1, q)}, which is {(q - y1) / (q * (1 - q))}; {D(q, z1)}, which is {q * (1 - q)}; and {D(z1, w)}, which is {x}. "
        f"The middle one cancels the denominator of the first, so what is left is {(q - y1) * x}: error times input. "
        f"Over a batch the inputs stack up to {X.T @ (p - y) / N}, and the bias gets the mean error. "
        f"With labels of ±1 the same gradient reads {-(X.T @ (t * σ(-(t * z)))) / N}."
    ),
    strong=f"Shows the three factors and the cancellation, states the factor {1 / N} of the mean, and checks the two encodings against each other with {eq(y[n], (1 + t[n]) / 2)}.",
    weak=f"Writes {X.T @ (p - y)} at once, forgets {1 / N}, and adds the ridge term to the bias as well: the formula was learnt, not derived.",
    sanity=(
        ("Shape", f"{X.T} is {d} × {N} and the error has {N} entries, so the gradient has {d}, as {w} has."),
        ("Limit", f"Where {p[n]} equals {y[n]} the example adds nothing."),
        ("Confident", f"A confident mistake adds its whole input: with {eq(y[n], 0)} and {p[n]} near 1 the error is near 1, where the squared loss would have all but vanished."),
    ),
    mistakes=(
        Mistake(eq(D(L, w), X.T @ (y - p) / N), "The sign is turned round: a step downhill would climb."),
        Mistake(eq(D(L, w), X.T @ (p - y)), f"The loss is a mean, so {1 / N} belongs to its gradient."),
        Mistake(eq(D(L, w), X.T @ ((p - y) * p * (1 - p)) / N), "The derivative of the sigmoid has cancelled; it stays only for the squared loss."),
        Mistake(eq(D(M, w), -(X.T @ (t * σ(t * z))) / N), "The weight of an example is large where the margin is small: the sign inside the sigmoid was lost."),
    ),
    prerequisites=("sigmoid-derivative",),
    follow_ups=("softmax-ce-delta", "mlp-backprop"),
    kernels=(
        Kernel("loss_and_gradient", (X, y, w, b), (("loss", array(relu(z[n]) - y[n] * z[n] + log1p(exp(-abs_(z[n]))), n).mean()), ("w", X.T @ (p - y) / N), ("b", (p - y).sum(0) / N)),
               "Mean cross-entropy of logistic regression, and its gradients.", textbook=L, proved_by=("stable_loss", "weights", "bias")),
        Kernel("ridge_gradient", (X, y, w, b, λ), (("w", X.T @ (p - y) / N + λ * w),), "Gradient by the weights with the ridge term.", textbook=R, proved_by=("ridge",)),
        Kernel("margin_gradient", (X, t, w, b), (("w", -(X.T @ (t * σ(-(t * z)))) / N),), "Gradient by the weights for labels of ±1.", textbook=M, proved_by=("margin",)),
    ),
)  # fmt: skip


@entry.proves(eq(D(l1, w), (q - y1) * x), "One example")
def one_example():
    return (
        calc(D(l1, w[i]))
        .eq(D(l1, q) * D(q, z1) * D(z1, w[i]),                                     chain(q), chain(z1)).note("three factors")
        .eq(-(y1 / q - (1 - y1) / (1 - q)) * D(q, z1) * D(z1, w[i]),               by(l1), linearity, log_rule)
        .eq(-(y1 / q - (1 - y1) / (1 - q)) * (q * (1 - q)) * D(z1, w[i]),          by(q), sigmoid_rule, linearity)
        .eq((q - y1) * D(z1, w[i]))
        .eq((q - y1) * x[i],                                                       by(z1), linearity, sift)
        .array(D(l1, w), (q - y1) * x, i)
    )  # fmt: skip


@entry.proves(eq(D(l1, b), q - y1), "One example, the bias")
def one_example_bias():
    return (
        calc(D(l1, b))
        .eq(D(l1, q) * D(q, z1) * D(z1, b),                                        chain(q), chain(z1))
        .eq(-(y1 / q - (1 - y1) / (1 - q)) * (q * (1 - q)) * D(z1, b),             by(l1, q), linearity, log_rule, sigmoid_rule)
        .eq(q - y1,                                                                by(z1), linearity)
    )  # fmt: skip


@entry.proves(eq(D(L, z), (p - y) / N), "The batch, at the logits")
def logits():
    return (
        calc(D(L, z[m]))
        .eq(-Σ((y[n] / p[n] - (1 - y[n]) / (1 - p[n])) * D(p[n], z[m]), n) / N,                    by(L), linearity, log_rule)
        .eq(-Σ((y[n] / p[n] - (1 - y[n]) / (1 - p[n])) * (p[n] * (1 - p[n])) * D(z[n], z[m]), n) / N,   by(p), sigmoid_rule)
        .eq(-(y[m] / p[m] - (1 - y[m]) / (1 - p[m])) * p[m] * (1 - p[m]) / N,                      linearity, sift)
        .eq((p[m] - y[m]) / N)
        .array(D(L, z), (p - y) / N, m)
    )  # fmt: skip


@entry.proves(eq(D(L, w), X.T @ (p - y) / N), "The batch, by the weights", main=True)
def weights():
    return (
        calc(D(L, w[i]))
        .eq(Σ(D(L, z[m]) * D(z[m], w[i]), m),            chain(z))
        .eq(Σ((p[m] - y[m]) / N * D(z[m], w[i]), m),     logits)
        .eq(Σ((p[m] - y[m]) / N * X[m, i], m),           by(z), linearity, sift)
        .array(D(L, w), X.T @ (p - y) / N, i)
    )  # fmt: skip


@entry.proves(eq(D(L, b), (p - y).sum(0) / N), "The batch, by the bias")
def bias():
    return (
        calc(D(L, b))
        .eq(Σ(D(L, z[m]) * D(z[m], b), m),               chain(z))
        .eq(Σ((p[m] - y[m]) / N, m),                     logits, by(z), linearity)
        .eq((p - y).sum(0) / N,                          linearity)
    )  # fmt: skip


@entry.proves(eq(D(R, w), X.T @ (p - y) / N + λ * w), "The ridge term")
def ridge():
    return (
        calc(D(R, w[i]))
        .eq(D(L, w[i]) + λ / 2 * D(Σ(w[j] ** 2, j), w[i]),    by(R, "squared_norm"), linearity)
        .eq(D(L, w[i]) + λ * w[i],                            power_rule, linearity, sift)
        .eq(Σ(X[m, i] * (p[m] - y[m]), m) / N + λ * w[i],     weights)
        .array(D(R, w), X.T @ (p - y) / N + λ * w, i)
    )  # fmt: skip


@entry.proves(eq(D(M, w), -(X.T @ (t * σ(-(t * z)))) / N), "Labels of ±1")
def margin():
    return (
        calc(D(M, w[i]))
        .eq(Σ(D(M, z[m]) * D(z[m], w[i]), m),                                                chain(z))
        .eq(Σ(-(σ(t[m] * z[m]) * (1 - σ(t[m] * z[m])) * t[m] / σ(t[m] * z[m])) / N * D(z[m], w[i]), m),   by(M), linearity, log_rule, sigmoid_rule, sift)
        .eq(Σ(-((1 - σ(t[m] * z[m])) * t[m]) / N * X[m, i], m),                              by(z), linearity, sift)
        .eq(-Σ(X[m, i] * (t[m] * σ(-(t[m] * z[m]))), m) / N,                                 symmetry, linearity)
        .array(D(M, w), -(X.T @ (t * σ(-(t * z)))) / N, i)
    )  # fmt: skip


@entry.proves(eq(-(t[n] * σ(-(t[n] * z[n]))), σ(z[n]) - (1 + t[n]) / 2), "Both encodings give one error")
def encodings():
    one, other = eq(t[n], 1), eq(t[n], -lift(1))
    return by_cases(
        t[n],
        calc(-(t[n] * σ(-(t[n] * z[n]))))
        .eq(-(1 * σ(-(1 * z[n]))),                given(one))
        .eq(σ(z[n]) - 1,                          symmetry)
        .eq(σ(z[n]) - (1 + t[n]) / 2,             given(one)),
        calc(-(t[n] * σ(-(t[n] * z[n]))))
        .eq(-(-lift(1) * σ(-(-lift(1) * z[n]))),  given(other))
        .eq(σ(z[n]) - (1 + t[n]) / 2,             given(other)),
    )  # fmt: skip


@entry.proves(eq(-log(σ(t[n] * z[n])), -((1 + t[n]) / 2 * log(σ(z[n])) + (1 - (1 + t[n]) / 2) * log(1 - σ(z[n])))), "Both encodings give one loss")
def encoded_losses():
    one, other = eq(t[n], 1), eq(t[n], -lift(1))
    goal = -((1 + t[n]) / 2 * log(σ(z[n])) + (1 - (1 + t[n]) / 2) * log(1 - σ(z[n])))
    return by_cases(
        t[n],
        calc(-log(σ(t[n] * z[n])))
        .eq(goal,                                 given(one)),
        calc(-log(σ(t[n] * z[n])))
        .eq(-log(σ(-z[n])),                       given(other))
        .eq(-log(1 - σ(z[n])),                    symmetry)
        .eq(goal,                                 given(other)),
    )  # fmt: skip


@entry.proves(eq(-(y1 * log(σ(s)) + (1 - y1) * log(1 - σ(s))), relu(s) - y1 * s + log1p(exp(-abs_(s)))), "One loss without overflow")
def stable_example():
    goal = relu(s) - y1 * s + log1p(exp(-abs_(s)))
    return by_cases(
        s,
        calc(-(y1 * log(σ(s)) + (1 - y1) * log(1 - σ(s))))
        .eq(-(y1 * log(1 / (1 + exp(-s))) + (1 - y1) * log(exp(-s) / (1 + exp(-s)))),           by("σ"))
        .eq(s - y1 * s + log(1 + exp(-s)),                                                      log_rules, inverse_pair)
        .eq(goal,                                                                               branch("relu", 0), branch("abs", 0), by("log1p")),
        calc(-(y1 * log(σ(s)) + (1 - y1) * log(1 - σ(s))))
        .eq(-(y1 * log(1 - σ(-s)) + (1 - y1) * log(σ(-s))),                                     symmetry)
        .eq(-(y1 * log(exp(s) / (1 + exp(s))) + (1 - y1) * log(1 / (1 + exp(s)))),              by("σ"))
        .eq(0 - y1 * s + log(1 + exp(s)),                                                       log_rules, inverse_pair)
        .eq(goal,                                                                               branch("relu", 1), branch("abs", 1), by("log1p")),
    )  # fmt: skip


@entry.proves(eq(L, array(relu(z[n]) - y[n] * z[n] + log1p(exp(-abs_(z[n]))), n).mean()), "The loss without overflow")
def stable_loss():
    return (
        calc(L)
        .eq(Σ(-(y[n] * log(σ(z[n])) + (1 - y[n]) * log(1 - σ(z[n]))), n) / N,               by(L, p))
        .eq(array(relu(z[n]) - y[n] * z[n] + log1p(exp(-abs_(z[n]))), n).mean(),            stable_example)
    )  # fmt: skip
