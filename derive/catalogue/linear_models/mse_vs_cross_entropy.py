"""Why a sigmoid is trained by cross-entropy: the squared error’s gradient carries σ′ and vanishes on a confident mistake."""

from math import inf

from derive.language.notation import exp, log, σ
from derive.language.term import Σ, D, array, eq, indices, let, lift, lt, sizes, tends, var
from derive.logic.arguments import from_gap, limit
from derive.logic.calc import calc
from derive.logic.rules.reasons import by, chain, linearity, log_rule, power_rule, product_rule, sift, sigmoid_rule
from derive.record import Derivation, Kernel, Mistake, Number

N, d = sizes("N d")
(n, m), (i, j) = indices("n m", N), indices("i j", d)

# one example
z, y = var("z"), var("y", dom="closed unit")
p = let("p", σ(z)); C = let("C", -(y * log(p) + (1 - y) * log(1 - p))); Q = let("Q", (p - y) ** 2 / 2)

# a confident mistake: the label is 0, and the logit grows
C_0, Q_0 = -log(1 - σ(z)), σ(z) ** 2 / 2
slope_C, slope_Q = 1 / (1 + exp(-z)), exp(-z) / (1 + exp(-z)) ** 3

# a batch
X, Y, w = var("X", N, d), var("Y", N, dom="closed unit"), var("w", d)
Z = let("Z", X @ w); P = let("P", σ(Z)); M = let("M", array((P[n] - Y[n]) ** 2 / 2, n).mean())

entry = Derivation(
    module=__name__,
    title="Squared error against cross-entropy",
    claim=eq(D(Q, z), p * (1 - p) * D(C, z)),
    goal="Compare the gradients of the squared error and of the cross-entropy through a sigmoid, and follow both where the model is sure and wrong.",
    priority="important",
    given=(
        (z, "a logit"), (y, "its label, as a number from 0 to 1"), (p, "predicted probability"), (C, "cross-entropy"), (Q, "half the squared error"),
        (X, "inputs, one example a row"), (Y, "labels"), (w, "weights"), (Z, "logits"), (P, "predicted probabilities"), (M, "mean of half the squared errors"),
    ),
    convention=f"Half the squared error is used so that its derivative by {p} is {p - y}, as the factor would only hide the comparison.",
    prompt="You train a binary classifier that ends in a sigmoid. Why with cross-entropy and not with the squared error? Show what happens to both gradients on an example that is confidently wrong.",
    sixty_seconds=(
        f"By the chain rule both gradients are the slope of the loss times {p * (1 - p)}, the derivative of the sigmoid. For the squared error that factor stays: {(p - y) * p * (1 - p)}. "
        f"For the cross-entropy the slope has {p * (1 - p)} below the line, which cancels it, and {p - y} is left. "
        f"Let the label be 0 and the logit large. The squared error’s gradient lies below {exp(-z)} and goes to 0: the worse the mistake, the less is learnt. "
        f"The cross-entropy’s is more than {1 - exp(-z)} and goes to 1: the worse the mistake, the nearer to full strength."
    ),
    strong=f"Names the factor {p * (1 - p)}, shows on a confident mistake that it decays as {exp(-z)}, and adds that the squared error of a sigmoid is not convex in the logit while the cross-entropy is.",
    weak=f"Says that cross-entropy is for classification and squared error for regression. Both losses have their minimum at {eq(p, y)}; what differs is how they lead there.",
    sanity=(
        ("Special value", f"Where {p} equals {y} both gradients are 0."),
        ("Ratio", f"The squared error’s gradient is never more than a quarter of the other, since {p * (1 - p)} is at most {lift(1) / 4}."),
        ("Curvature", f"With the label 0 the squared error bends down where {p} is above {lift(2) / 3}: on a confident mistake it is a plateau."),
    ),
    mistakes=(
        Mistake(eq(D(Q, z), p - y), "That is the cross-entropy’s gradient: the squared error keeps the derivative of the sigmoid."),
        Mistake(eq(D(C, z), (p - y) * p * (1 - p)), "The derivative of the sigmoid cancels against the slopes of the logarithms."),
        Mistake(eq(D(Q, z), (p - y) * p), f"The derivative of the sigmoid has two factors, {p} and {1 - p}."),
        Mistake(tends(slope_Q, z, inf, 1), "The slope of the loss goes to 1 there, and that of the sigmoid to 0: their product vanishes."),
    ),
    prerequisites=("sigmoid-derivative", "logistic-gradient"),
    follow_ups=("logistic-hessian",),
    kernels=(
        Kernel("squared_error_gradient", (X, Y, w), (("w", X.T @ ((P - Y) * P * (1 - P)) / N),), "Gradient of the mean of half the squared errors, through a sigmoid.", textbook=M, proved_by=("batch",)),
    ),
    numbers=(
        Number(σ(lift(10)) ** 2 * (1 - σ(lift(10))), "4.54e-5", "the squared error’s gradient at a logit of 10 and a label of 0"),
        Number(σ(lift(10)), "0.99995", "the cross-entropy’s gradient there"),
    ),
    references=("M. Nielsen, Neural Networks and Deep Learning, chapter 3", "I. Goodfellow, Y. Bengio and A. Courville, Deep Learning, 6.2.2"),
)  # fmt: skip


@entry.proves(eq(D(C, z), p - y), "Cross-entropy")
def cross_entropy():
    return (
        calc(D(C, z))
        .eq(D(C, p) * D(p, z),                                            chain(p))
        .eq(-(y / p - (1 - y) / (1 - p)) * D(p, z),                       by(C), linearity, log_rule)
        .eq(-(y / p - (1 - y) / (1 - p)) * (p * (1 - p)),                 by(p), sigmoid_rule, linearity)
        .eq(p - y)
    )  # fmt: skip


@entry.proves(eq(D(Q, z), (p - y) * p * (1 - p)), "Squared error")
def squared_error():
    return (
        calc(D(Q, z))
        .eq(D(Q, p) * D(p, z),                                            chain(p))
        .eq((p - y) * D(p, z),                                            by(Q), power_rule, linearity)
        .eq((p - y) * p * (1 - p),                                        by(p), sigmoid_rule, linearity)
    )  # fmt: skip


@entry.proves(eq(D(Q, z), p * (1 - p) * D(C, z)), "One is the other times the derivative of the sigmoid", main=True)
def ratio():
    return (
        calc(D(Q, z))
        .eq((p - y) * p * (1 - p),                                        squared_error)
        .eq(p * (1 - p) * D(C, z),                                        cross_entropy)
    )  # fmt: skip


@entry.proves(eq(D(Q_0, z), σ(z) ** 2 * (1 - σ(z))), "The squared error with the label 0")
def squared_zero():
    return (
        calc(D(Q_0, z))
        .eq(σ(z) ** 2 * (1 - σ(z)),                                       power_rule, sigmoid_rule, linearity)
    )  # fmt: skip


@entry.proves(eq(D(Q_0, z), slope_Q), "The squared error on a mistake")
def squared_mistake():
    return (
        calc(D(Q_0, z))
        .eq(σ(z) ** 2 * (1 - σ(z)),                                       squared_zero)
        .eq(slope_Q,                                                      by("σ"))
    )  # fmt: skip


@entry.proves(eq(D(C_0, z), σ(z)), "The cross-entropy with the label 0")
def cross_zero():
    return (
        calc(D(C_0, z))
        .eq(σ(z),                                                         log_rule, sigmoid_rule, linearity)
    )  # fmt: skip


@entry.proves(eq(D(C_0, z), slope_C), "The cross-entropy on a mistake")
def cross_mistake():
    return (
        calc(D(C_0, z))
        .eq(σ(z),                                                         cross_zero)
        .eq(slope_C,                                                      by("σ"))
    )  # fmt: skip


@entry.proves(lt(D(Q_0, z), exp(-z)), "The squared error’s gradient is exponentially small")
def small():
    return from_gap(
        calc(exp(-z) - D(Q_0, z))
        .eq(exp(-z) - slope_Q,                                            squared_mistake)
        .eq(exp(-z) * (3 * exp(-z) + 3 * exp(-z) ** 2 + exp(-z) ** 3) / (1 + exp(-z)) ** 3)
    )  # fmt: skip


@entry.proves(lt(1 - exp(-z), D(C_0, z)), "The cross-entropy’s is nearly 1")
def large():
    return from_gap(
        calc(D(C_0, z) - (1 - exp(-z)))
        .eq(slope_C - (1 - exp(-z)),                                      cross_mistake)
        .eq(exp(-z) ** 2 / (1 + exp(-z)))
    )  # fmt: skip


@entry.proves(tends(slope_Q, z, inf, 0), "The squared error’s gradient vanishes")
def vanishes():
    return limit(tends(slope_Q, z, inf, 0))


@entry.proves(tends(slope_C, z, inf, 1), "The cross-entropy’s does not")
def stays():
    return limit(tends(slope_C, z, inf, 1))


@entry.proves(eq(D(D(Q_0, z), z), σ(z) ** 2 * (1 - σ(z)) * (2 - 3 * σ(z))), "The squared error is not convex")
def curvature():
    return (
        calc(D(D(Q_0, z), z))
        .eq(D(σ(z) ** 2 * (1 - σ(z)), z),                                 squared_zero)
        .eq(2 * σ(z) ** 2 * (1 - σ(z)) ** 2 - σ(z) ** 3 * (1 - σ(z)),     product_rule, power_rule, sigmoid_rule, linearity)
        .eq(σ(z) ** 2 * (1 - σ(z)) * (2 - 3 * σ(z)))
    )  # fmt: skip


@entry.proves(eq(D(M, w), X.T @ ((P - Y) * P * (1 - P)) / N), "A batch, by the weights")
def batch():
    return (
        calc(D(M, w[i]))
        .eq(Σ((P[n] - Y[n]) * D(P[n], w[i]), n) / N,                      by(M), power_rule, linearity)
        .eq(Σ((P[n] - Y[n]) * (P[n] * (1 - P[n])) * D(Z[n], w[i]), n) / N,   by(P), sigmoid_rule)
        .eq(Σ((P[n] - Y[n]) * P[n] * (1 - P[n]) * X[n, i], n) / N,        by(Z), linearity, sift)
        .array(D(M, w), X.T @ ((P - Y) * P * (1 - P)) / N, i)
    )  # fmt: skip
