"""∂L/∂z = p − y: cross-entropy through softmax, for one example and a batch, smoothed labels, temperature, and without overflow."""

from derive.catalogue.activations.softmax_jacobian import by_rows, jacobian
from derive.language.notation import exp, log, logsumexp, softmax
from derive.language.term import Σ, D, array, eq, forall, indices, let, lift, sizes, var, δ
from derive.logic.calc import calc
from derive.logic.rules.reasons import (
    by,
    chain,
    exponent_sum,
    given,
    inverse_pair,
    linearity,
    log_rule,
    log_rules,
    sift,
)
from derive.record import Assumption, Derivation, Kernel, Mistake

N, K = sizes("N K")
i, j, k = indices("i j k", K)
m, n = indices("m n", N)

# one example
z, y = var("z", K), var("y", K, dom="simplex")
p = let("p", softmax(z)); L = let("L", -Σ(y[k] * log(p[k]), k))
c = var("c")

# a batch
Z, Y = var("Z", N, K), var("Y", N, K, dom="simplex")
P = let("P", softmax(Z)); mean_loss = array(-Σ(Y[m, k] * log(P[m, k]), k), m).mean(); L_N = let("L_N", mean_loss)

# smoothed labels, and a temperature
ε, T = var("ε", dom="unit"), var("T", dom="positive")
t = let("t", (1 - ε) * y + ε / K); L_ε = let("L_ε", -Σ(t[k] * log(p[k]), k))
u = let("u", z / T); q = let("q", softmax(u)); L_T = let("L_T", -Σ(y[k] * log(q[k]), k))

sums_to_one = eq(Σ(y[k], k), 1)
rows_sum_to_one = forall(eq(Σ(Y[m, k], k), 1), m)
shifted = log(Σ(exp(z[i] - c), i))

entry = Derivation(
    module=__name__,
    title="Softmax cross-entropy",
    claim=eq(D(L, z), p - y),
    goal=f"Differentiate the cross-entropy {L} by the logits {z}, and simplify until nothing but probabilities and targets is left.",
    priority="critical",
    flagship=True,
    given=(
        (K, "number of classes"), (z, "logits of one example"), (y, "its targets, hard or soft"),
        (p, "its predicted probabilities"), (L, "its cross-entropy"), (c, "any number, in practice the largest logit"),
        (N, "number of examples"), (Z, "logits of a batch, one example a row"), (Y, "its targets"),
        (P, "its predicted probabilities"), (L_N, "the batch’s mean cross-entropy"),
        (ε, "amount of label smoothing"), (t, "smoothed targets"), (L_ε, "cross-entropy with smoothed targets"),
        (T, "temperature"), (u, "logits over the temperature"), (q, "probabilities at that temperature"), (L_T, "cross-entropy at that temperature"),
    ),
    assumptions=(
        Assumption(sums_to_one, "the targets are a distribution"),
        Assumption(rows_sum_to_one, "every row of targets is one"),
    ),
    convention=f"A gradient has the shape of what it is taken by, so {eq(D(L, z)[j], D(L, z[j]))}. The bracket {δ(k, j)} is 1 where {k} and {j} are equal and 0 elsewhere. Logarithms are natural.",
    prompt=f"A classifier turns logits {z} into {eq(p, softmax(z))} and is trained on {eq(L, -Σ(y[k] * log(p[k]), k))}. Derive the gradient by the logits. Which property of the targets do you need, and where?",
    sixty_seconds=(
        f"Each {log(p[k])} gives {1 / p[k]} times an entry of the softmax Jacobian, {p[k] * (δ(k, j) - p[j])}. The {p[k]} cancels, "
        f"so what is left is {-Σ(y[k] * (δ(k, j) - p[j]), k)}. The bracket picks {y[j]} out of the sum, and {p[j]} comes with the "
        f"sum of all targets. That sum is 1, so the gradient is {p[j] - y[j]}: predicted less wanted. For the mean over a batch it is {(P - Y) / N}."
    ),
    strong=(
        f"Says where {sums_to_one} enters, and that nothing asks for hard labels: with smoothed ones it is {p - t}, with a "
        f"temperature {(q - y) / T}. Adds that code should take logits, since the logarithm and the exponential cancel."
    ),
    weak=f"Differentiates {-(y[j] * log(p[j]))} for the true class alone and stops at {p[j] - 1}. Right for that one logit and a hard label; it leaves out the other logits, whose gradient is {p[j]}.",
    sanity=(
        ("Shape", f"{K} numbers, one a logit."),
        ("Sum", f"The entries of {p - y} add up to 0: a common shift of the logits does not change the loss."),
        ("Zero", f"It vanishes exactly where {eq(p, y)}; hard targets are never reached, smoothed ones are."),
        ("Confident mistake", f"The true class then gets nearly {lift(-1)} and the wrong one nearly 1: the error never saturates."),
    ),
    mistakes=(
        Mistake(eq(D(L, z), y - p), "The sign is turned round: a step downhill would make the right class less likely."),
        Mistake(eq(D(L, z[j]), -(y[j] / p[j])), f"That is the derivative by {p[j]}; the Jacobian of softmax is still to come."),
        Mistake(eq(D(L, z[j]), -(y[j] * (1 - p[j]))), f"Only the diagonal of the Jacobian was used: every {p[k]} depends on {z[j]}."),
        Mistake(eq(D(L_N, Z), P - Y), f"The loss is a mean, so {1 / N} belongs to its gradient."),
        Mistake(eq(D(L_T, z), q - y), f"The inner derivative {1 / T} was dropped: {q} sees {z / T}, and the gradient is by {z}."),
    ),
    prerequisites=("softmax-jacobian",),
    follow_ups=("mlp-backprop", "logistic-gradient"),
    kernels=(
        Kernel(
            "softmax_cross_entropy", (Z, Y), (("loss", mean_loss), ("delta", (P - Y) / N)),
            "Mean cross-entropy of softmax, and its gradient by the logits.", textbook=mean_loss, proved_by=("batch",), labels=Y,
        ),
    ),
)  # fmt: skip


@entry.proves(eq(D(L, z[j]), p[j] * Σ(y[k], k) - y[j]), "Gradient for targets of any sum")
def any_sum():
    return (
        calc(D(L, z[j]))
        .part("Move the derivative inside the sum")
        .eq(-Σ(y[k] / p[k] * D(p[k], z[j]), k),                                by(L), linearity, log_rule)
        .part("Put in the Jacobian of softmax")
        .eq(-Σ(y[k] / p[k] * (p[k] * (δ(k, j) - p[j])), k),                    jacobian)
        .eq(-Σ(y[k] * (δ(k, j) - p[j]), k))
        .part("Sum over the classes")
        .eq(p[j] * Σ(y[k], k) - y[j],                                          linearity, sift)
    )  # fmt: skip


@entry.proves(eq(D(L, z), p - y), "Softmax cross-entropy delta", main=True)
def delta():
    return (
        calc(D(L, z[j]))
        .eq(p[j] * Σ(y[k], k) - y[j],                                          any_sum)
        .eq(p[j] - y[j],                                                       given(sums_to_one))
        .array(D(L, z), p - y, j)
    )  # fmt: skip


@entry.proves(eq(D(L_N, Z), (P - Y) / N), "Softmax cross-entropy delta of a batch")
def batch():
    return (
        calc(D(L_N, Z[n, j]))
        .eq(-Σ(Y[m, k] / P[m, k] * D(P[m, k], Z[n, j]), m, k) / N,             by(L_N), linearity, log_rule)
        .eq(-Σ(Y[m, k] * δ(m, n) * (δ(k, j) - P[m, j]), m, k) / N,             by_rows)
        .eq((P[n, j] * Σ(Y[n, k], k) - Y[n, j]) / N,                           linearity, sift)
        .eq((P[n, j] - Y[n, j]) / N,                                           given(rows_sum_to_one))
        .array(D(L_N, Z), (P - Y) / N, n, j)
    )  # fmt: skip


@entry.proves(eq(Σ(t[k], k), 1), "Smoothed targets sum to one")
def smoothed_sum():
    return (
        calc(Σ(t[k], k))
        .eq((1 - ε) * Σ(y[k], k) + ε,                                          by(t), linearity)
        .eq(1,                                                                 given(sums_to_one))
    )  # fmt: skip


@entry.proves(eq(D(L_ε, z), p - ((1 - ε) * y + ε / K)), "With label smoothing")
def label_smoothing():
    return (
        calc(D(L_ε, z[j]))
        .eq(p[j] * Σ(t[k], k) - t[j],                                          any_sum)
        .eq(p[j] - t[j],                                                       smoothed_sum)
        .eq(p[j] - ((1 - ε) * y[j] + ε / K),                                   by(t))
        .array(D(L_ε, z), p - ((1 - ε) * y + ε / K), j)
    )  # fmt: skip


@entry.proves(eq(D(L_T, z), (q - y) / T), "With a temperature")
def temperature():
    return (
        calc(D(L_T, z[j]))
        .eq(Σ(D(L_T, u[k]) * D(u[k], z[j]), k),                                chain(u))
        .eq(Σ((q[k] - y[k]) * (δ(k, j) / T), k),                               delta, by(u), linearity)
        .eq((q[j] - y[j]) / T,                                                 sift)
        .array(D(L_T, z), (q - y) / T, j)
    )  # fmt: skip


@entry.proves(eq(L, logsumexp(z) - Σ(y[k] * z[k], k)), "The loss in logits")
def in_logits():
    return (
        calc(L)
        .eq(-Σ(y[k] * log(exp(z[k]) / Σ(exp(z[i]), i)), k),                    by(L, p, "softmax"))
        .eq(-Σ(y[k] * (z[k] - logsumexp(z)), k),                               log_rules, inverse_pair, by("logsumexp"))
        .eq(logsumexp(z) * Σ(y[k], k) - Σ(y[k] * z[k], k),                     linearity)
        .eq(logsumexp(z) - Σ(y[k] * z[k], k),                                  given(sums_to_one))
    )  # fmt: skip


@entry.proves(eq(logsumexp(z), c + shifted), "Log-sum-exp shifted by any number")
def shift():
    return (
        calc(logsumexp(z))
        .eq(log(Σ(exp(c + (z[i] - c)), i)),                                    by("logsumexp"))
        .eq(log(exp(c) * Σ(exp(z[i] - c), i)),                                 exponent_sum, linearity)
        .eq(c + shifted,                                                       log_rules, inverse_pair)
    )  # fmt: skip


@entry.proves(eq(L, Σ(y[k] * (shifted - (z[k] - c)), k)), "The loss without overflow")
def stable():
    return (
        calc(L)
        .eq(-Σ(y[k] * (z[k] - logsumexp(z)), k),                               by(L, p, "softmax", "logsumexp"), log_rules, inverse_pair)
        .eq(-Σ(y[k] * (z[k] - (c + shifted)), k),                              shift)
        .eq(Σ(y[k] * (shifted - (z[k] - c)), k),                               linearity)
    )  # fmt: skip
