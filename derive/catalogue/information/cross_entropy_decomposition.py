"""H(p, q) = H(p) + KL(p‖q): the cross-entropy is the entropy and what the wrong model adds to it."""

from derive.language.notation import kl, log, xlog_ratio, xlogy
from derive.language.term import Σ, D, array, eq, forall, iff, implies, indices, le, let, lift, lt, sizes, var
from derive.logic.arguments import from_gap
from derive.logic.calc import calc
from derive.logic.rules.reasons import (
    by,
    gap_parts,
    linearity,
    log_ratio,
    log_rule,
    multiplied,
    normalisation,
    plain_log,
    sift,
    zero_set,
)
from derive.record import Assumption, Derivation, Kernel, Mistake

N, K = sizes("N K"); (n,), (k, j) = indices("n", N), indices("k j", K)
p, q = var("p", K, dom="density"), var("q", K, dom="density")
H = let("H(p)", -Σ(xlogy(p[k], p[k]), k))
cross = let("H(p, q)", -Σ(xlogy(p[k], q[k]), k))
divergence = let("KL(p‖q)", Σ(xlog_ratio(p[k], q[k]), k))
continuous = forall(implies(lt(0, p[k]), lt(0, q[k])), k)

# the model as positive numbers, by which one differentiates
m = var("m", K, dom="positive")
loss, extra = let("H(p, m)", -Σ(xlogy(p[k], m[k]), k)), let("KL(p‖m)", Σ(xlog_ratio(p[k], m[k]), k))

# many pairs at once
P, Q = var("P", N, K, dom="density"), var("Q", N, K, dom="density")
cross_N = let("H_N", array(-Σ(xlogy(P[n, k], Q[n, k]), k), n))
continuous_rows = forall(implies(lt(0, P[n, k]), lt(0, Q[n, k])), n, k)

entry = Derivation(
    module=__name__,
    title="Cross-entropy is entropy plus relative entropy",
    claim=eq(cross, H + divergence),
    goal="Split the cross-entropy into a part that the model cannot change and one that it can bring to 0.",
    priority="critical",
    given=(
        (p, "the true distribution"), (q, "the model’s"), (H, "entropy"), (cross, "cross-entropy"), (divergence, "relative entropy"),
        (m, "the model’s probabilities as variables of their own"), (loss, "cross-entropy as a function of them"), (extra, "relative entropy as a function of them"),
        (K, "number of outcomes"), (N, "number of pairs"), (P, "true distributions, one a row"), (Q, "those of the model"), (cross_N, "cross-entropy of each pair"),
    ),
    assumptions=(
        Assumption(continuous, f"{q} is positive wherever {p} is: otherwise both sides are infinite"),
        Assumption(continuous_rows, "the same for each pair of rows"),
    ),
    convention=(
        f"Logarithms are natural. Probabilities may be 0: a weight of 0 takes its logarithm out of the sum, so {xlogy(p[k], q[k])} is 0 where {p[k]} is. "
        f"Entropy is the mean surprise under the truth, cross-entropy the mean surprise of one who believes in {q}, and relative entropy the surprise that the wrong belief adds."
    ),
    prompt="How are cross-entropy, entropy and KL divergence related? Does it matter which of the last two losses one trains a classifier with?",
    sixty_seconds=(
        f"Write the logarithm of the ratio as a difference: {eq(xlog_ratio(p[k], q[k]), xlogy(p[k], p[k]) - xlogy(p[k], q[k]))}. Summed over the outcomes this is {eq(divergence, cross - H)}. "
        f"The entropy of the data does not depend on the model, so cross-entropy and relative entropy have the same gradient and the same minimiser. The relative entropy is never negative, so {le(H, cross)}: "
        f"no model has less loss than the entropy of the data, and {eq(q[k], p[k])} reaches it. For one-hot labels the entropy is 0, and the two losses are one number."
    ),
    strong=(
        f"Adds what the relative entropy is not: the average surprise is {cross}, and {divergence} is only what comes on top of {H}. Notes that a floor above 0 is no sign of a bad model: noisy labels have entropy."
    ),
    weak=(
        f"Says that minimising the cross-entropy minimises the divergence “because they are the same”. They differ by {H}, which is 0 for one-hot labels only; with soft labels, as in distillation, the loss never comes to 0."
    ),
    sanity=(
        ("Special value", f"With {eq(q[k], p[k])} the cross-entropy is {H}, and nothing is added."),
        ("Special value", f"A uniform model, {eq(q[k], 1 / K)}, has cross-entropy {log(K)} whatever the truth is."),
        ("Slope", f"Only outcomes that happen pull at the model: the slope by {m[j]} is {-p[j] / m[j]}."),
    ),
    mistakes=(
        Mistake(eq(cross, H - divergence), "The sign is wrong: believing in the wrong model never makes the data less surprising."),
        Mistake(eq(cross, divergence), f"That leaves out {H}, which is 0 for one-hot labels only. Relative entropy is the extra surprise, and not the surprise."),
        Mistake(le(cross, H), "No code for the wrong distribution is shorter on average than the one for the right distribution."),
        Mistake(eq(D(extra, m[j]), log(m[j] / p[j])), f"The mean is under {p}, so only the logarithm is differentiated."),
    ),
    prerequisites=("gibbs-inequality", "entropy-bounds"),
    follow_ups=("cross-entropy-is-mle", "perplexity", "softmax-ce-delta"),
    kernels=(
        Kernel("cross_entropy", (P, Q), (("cross_entropy", array(-Σ(xlogy(P[n, k], Q[n, k]), k), n)),), "Cross-entropy of distributions in nats, row by row; 0 log 0 is 0.", proved_by=("rows",)),
    ),
    references=("T. M. Cover and J. A. Thomas, Elements of Information Theory, section 2.3 and theorem 5.4.3",),
)  # fmt: skip


@entry.proves(eq(cross, H + divergence), "The decomposition", main=True)
def decomposition():
    return (
        calc(cross)
        .eq(-Σ(xlogy(p[k], q[k]), k),                                               by(cross))
        .eq(-Σ(xlogy(p[k], p[k]), k) + Σ(xlogy(p[k], p[k]) - xlogy(p[k], q[k]), k), linearity)
        .eq(-Σ(xlogy(p[k], p[k]), k) + Σ(xlog_ratio(p[k], q[k]), k),                log_ratio)
        .eq(H + divergence,                                                         by(H, divergence))
    )  # fmt: skip


@entry.proves(eq(cross - H, Σ(kl(p[k], q[k]), k)), "What the model adds")
def gap():
    return (
        calc(cross - H)
        .eq(divergence,                                                             by(cross, H, divergence), log_ratio, linearity)
        .eq(Σ(xlog_ratio(p[k], q[k]), k) - Σ(p[k], k) + Σ(q[k], k),                 by(divergence), normalisation)
        .eq(Σ(kl(p[k], q[k]), k),                                                   gap_parts, linearity)
    )  # fmt: skip


@entry.proves(le(H, cross), "No model does better than the entropy")
def floor():
    return from_gap(
        calc(cross - H)
        .eq(Σ(kl(p[k], q[k]), k),                                                   gap)
    )  # fmt: skip


@entry.proves(iff(eq(cross, H), forall(eq(p[k], q[k]), k)), "And only the truth does as well")
def reached():
    return (
        calc(eq(cross, H))
        .iff(eq(cross - H, 0),                                                      multiplied(eq(cross - H, 0), lift(1)))
        .iff(eq(Σ(kl(p[k], q[k]), k), 0),                                           gap)
        .iff(forall(eq(p[k], q[k]), k),                                             zero_set)
    )  # fmt: skip


@entry.proves(eq(D(loss, m[j]), -p[j] / m[j]), "The slope of the cross-entropy")
def slope():
    return (
        calc(D(loss, m[j]))
        .eq(D(-Σ(p[k] * log(m[k]), k), m[j]),                                       by(loss), plain_log)
        .eq(-p[j] / m[j],                                                           log_rule, linearity, sift)
    )  # fmt: skip


@entry.proves(eq(D(extra, m[j]), D(loss, m[j])), "The relative entropy has the same slope")
def same_slope():
    return (
        calc(D(extra, m[j]))
        .eq(D(Σ(xlogy(p[k], p[k]) - p[k] * log(m[k]), k), m[j]),                    by(extra), log_ratio, plain_log)
        .eq(-p[j] / m[j],                                                           log_rule, linearity, sift)
        .eq(D(loss, m[j]),                                                          slope)
    )  # fmt: skip


@entry.proves(eq(cross_N[n], -Σ(xlogy(P[n, k], Q[n, k]), k)), "Many pairs at once")
def rows():
    return (
        calc(cross_N[n])
        .eq(-Σ(xlogy(P[n, k], Q[n, k]), k),                                         by(cross_N))
    )  # fmt: skip
