"""The Jensen–Shannon divergence: symmetric, between 0 and log 2, and finite whatever the two distributions are."""

from fractions import Fraction

from derive.language.notation import kl, log, xlog_ratio, xlogy
from derive.language.term import Σ, array, both, eq, forall, iff, indices, le, let, lift, sizes, var
from derive.logic.arguments import carried, discharged, equivalent, for_all, from_gap, instance, nonnegative, rearranged
from derive.logic.calc import calc
from derive.logic.rules.reasons import (
    by,
    forall_and,
    gap_parts,
    given,
    linearity,
    log_ratio,
    multiplied,
    normalisation,
    plain_log,
    use,
    weighted_logs,
    weights,
    zero_set,
    zero_sum,
)
from derive.record import Derivation, Kernel, Mistake

N, K = sizes("N K"); (n,), (k,) = indices("n", N), indices("k", K)
p, q = var("p", K, dom="density"), var("q", K, dom="density")
m = let("m", (p + q) / 2)
kl_p, kl_q = let("KL(p‖m)", Σ(xlog_ratio(p[k], m[k]), k)), let("KL(q‖m)", Σ(xlog_ratio(q[k], m[k]), k))
jsd = let("JSD(p, q)", (kl_p + kl_q) / 2)
turned = let("JSD(q, p)", (Σ(xlog_ratio(q[k], (q[k] + p[k]) / 2), k) + Σ(xlog_ratio(p[k], (q[k] + p[k]) / 2), k)) / 2)
H_m, H_p, H_q = (let(f"H({name})", -Σ(xlogy(r[k], r[k]), k)) for name, r in (("m", m), ("p", p), ("q", q)))

# many pairs at once
P, Q = var("P", N, K, dom="density"), var("Q", N, K, dom="density")
M = let("M", (P + Q) / 2)
jsd_N = let("JSD_N", array(Σ(xlog_ratio(P[n, k], M[n, k]) + xlog_ratio(Q[n, k], M[n, k]), k) / 2, n))
gaps = Σ(kl(P[n, k], M[n, k]) + kl(Q[n, k], M[n, k]), k) / 2

a, b = var("a", dom="nonnegative"), var("b", dom="positive")



def share(one, other):
    """Return what one of two probabilities of an outcome adds to what is missing to log 2, twice."""
    return xlogy(one, one + other) - xlogy(one, one)


overlap = share(p[k], q[k]) + share(q[k], p[k])
apart = eq(p[k] * q[k], 0)

entry = Derivation(
    module=__name__,
    title="The Jensen–Shannon divergence",
    claim=le(jsd, log(2)),
    goal=f"Show that the Jensen–Shannon divergence is symmetric, never negative, zero only for equal distributions, and at most {log(2)}, which it is only for those that never overlap.",
    priority="important",
    given=(
        (p, "a distribution"), (q, "another one"), (m, "their mixture"), (kl_p, "relative entropy of the first with respect to the mixture"), (kl_q, "that of the second"),
        (jsd, "Jensen–Shannon divergence"), (turned, "the same with the two in the other order"), (H_m, "entropy of the mixture"), (H_p, "entropy of the first"), (H_q, "entropy of the second"),
        (a, "a number, perhaps 0"), (b, "a positive number"), (kl(a, b), "what the tangent of the logarithm leaves"),
        (K, "number of outcomes"), (N, "number of pairs"), (P, "distributions, one a row"), (Q, "their partners"), (M, "their mixtures"), (jsd_N, "divergence of each pair"),
    ),
    convention=(
        f"Logarithms are natural; in bits the upper bound is 1. Both distributions may have zeros, at different places too: {xlog_ratio(a, b)} counts as 0 where {eq(a, 0)}, "
        "and the mixture vanishes only where both do. So nothing has to be assumed."
    ),
    prompt="Relative entropy is neither symmetric nor always finite. How does the Jensen–Shannon divergence repair both, and how large can it be?",
    sixty_seconds=(
        f"Compare each distribution with the mixture {eq(m, (p + q) / 2)} and take the mean: {eq(jsd, (kl_p + kl_q) / 2)}. The two enter alike, so it is symmetric. The mixture is positive wherever one of them is, so it is always finite. "
        f"Both parts are relative entropies: their mean is not negative, and 0 only if both distributions are the mixture, which makes them equal. For the upper bound, {m[k]} is at least {p[k] / 2}, "
        f"so no logarithm exceeds {log(2)}, and neither does a mean of them. It is reached exactly by distributions that never overlap."
    ),
    strong=(
        f"Gives the meaning: {eq(jsd, H_m - (H_p + H_q) / 2)} is the information that one draw from the mixture has about which of the two it came from, so it cannot exceed the one bit that there is to know. "
        "Sees the price of the bound as well: for distributions that do not overlap it is constant, and has no gradient to offer."
    ),
    weak=f"Calls it the symmetrised divergence, the mean of the two relative entropies of {p} and {q}. That mean is symmetric as well, but infinite as soon as one of the two misses what the other does.",
    sanity=(
        ("Special value", f"For {eq(p[k], q[k])} the mixture is the same distribution, and every logarithm is {log(1)}."),
        ("Bound", f"Without overlap every ratio to the mixture is 2: both relative entropies are {log(2)}, and so is their mean."),
        ("Symmetry", f"{m} does not change if the two change places, and the two parts of {jsd} do so with them."),
    ),
    mistakes=(
        Mistake(eq(jsd, kl_p + kl_q), f"It is the mean of the two; their sum could reach {2 * log(2)}."),
        Mistake(le(jsd, log(2) / 2), f"Distributions without overlap reach {log(2)}."),
        Mistake(eq(jsd, H_m - H_p - H_q), f"The two entropies enter with the weight {lift(Fraction(1, 2))} that each distribution has in the mixture."),
        Mistake(eq(kl_p, kl_q), "Only their mean is symmetric; each of the two parts depends on the order."),
    ),
    prerequisites=("gibbs-inequality",),
    follow_ups=("optimal-discriminator",),
    kernels=(
        Kernel("jensen_shannon", (P, Q), (("divergence", array(gaps, n)),), "Jensen–Shannon divergence of distributions in nats, row by row; 0 log 0 is 0.", proved_by=("rows",)),
    ),
    references=("J. Lin, “Divergence measures based on the Shannon entropy”, IEEE Transactions on Information Theory 37, 1991, sections III and IV",),
)  # fmt: skip


@entry.proves(eq(jsd, turned), "Symmetric")
def symmetry():
    return (
        calc(jsd)
        .eq((Σ(xlog_ratio(p[k], m[k]), k) + Σ(xlog_ratio(q[k], m[k]), k)) / 2,      by(jsd, kl_p, kl_q))
        .eq((Σ(xlog_ratio(q[k], (q[k] + p[k]) / 2), k) + Σ(xlog_ratio(p[k], (q[k] + p[k]) / 2), k)) / 2,     by(m))
        .eq(turned,                                                                 by(turned))
    )  # fmt: skip


@entry.proves(eq(Σ(m[k], k), 1), "The mixture is a distribution")
def mixture():
    return (
        calc(Σ(m[k], k))
        .eq((Σ(p[k], k) + Σ(q[k], k)) / 2,                                          by(m), linearity)
        .eq(1,                                                                      normalisation)
    )  # fmt: skip


@entry.proves(eq(jsd, Σ(kl(p[k], m[k]) + kl(q[k], m[k]), k) / 2), "As a sum of gaps")
def gap():
    return (
        calc(jsd)
        .eq((Σ(xlog_ratio(p[k], m[k]), k) + Σ(xlog_ratio(q[k], m[k]), k)) / 2,      by(jsd, kl_p, kl_q))
        .eq((Σ(xlog_ratio(p[k], m[k]), k) - Σ(p[k], k) + Σ(xlog_ratio(q[k], m[k]), k) - Σ(q[k], k)) / 2 + Σ(m[k], k),  mixture, normalisation)
        .eq(Σ(kl(p[k], m[k]) + kl(q[k], m[k]), k) / 2,                              gap_parts, linearity)
    )  # fmt: skip


@entry.proves(le(0, jsd), "Never negative")
def lower():
    return nonnegative(
        calc(jsd)
        .eq(Σ(kl(p[k], m[k]) + kl(q[k], m[k]), k) / 2,                              gap)
    )  # fmt: skip


@entry.proves(iff(eq(jsd, 0), forall(eq(p[k], q[k]), k)), "Zero exactly where the two are equal")
def equality():
    same = eq(p[k], q[k])
    half = lift(Fraction(1, 2))
    return (
        calc(eq(jsd, 0))
        .iff(eq(Σ(kl(p[k], m[k]) + kl(q[k], m[k]), k) / 2, 0),                      gap)
        .iff(forall(both(eq(p[k], m[k]), eq(q[k], m[k])), k),                       zero_set)
        .iff(forall(both(same, same), k),                                           by(m), multiplied(same, half), multiplied(same, -half))
        .iff(forall(same, k),                                                       forall_and)
    )  # fmt: skip


@entry.proves(le(p[k], 2 * m[k]), "A distribution is at most twice the mixture")
def below():
    return from_gap(
        calc(2 * m[k] - p[k])
        .eq(q[k],                                                                   by(m))
    )  # fmt: skip


@entry.proves(le(kl_p, log(2)), "So its relative entropy is at most log 2")
def first_half():
    return (
        calc(kl_p)
        .eq(Σ(xlogy(p[k], p[k]) - xlogy(p[k], m[k]), k),                            by(kl_p), log_ratio)
        .le(Σ(xlogy(p[k], 2 * m[k]) - xlogy(p[k], m[k]), k),                        below)
        .eq(Σ(p[k] * log(2), k),                                                    weighted_logs, plain_log)
        .eq(log(2),                                                                 linearity, normalisation)
    )  # fmt: skip


@entry.proves(le(q[k], 2 * m[k]), "The other one is at most twice the mixture too")
def below_as_well():
    return from_gap(
        calc(2 * m[k] - q[k])
        .eq(p[k],                                                                   by(m))
    )  # fmt: skip


@entry.proves(le(kl_q, log(2)), "And its relative entropy is at most log 2")
def second_half():
    return (
        calc(kl_q)
        .eq(Σ(xlogy(q[k], q[k]) - xlogy(q[k], m[k]), k),                            by(kl_q), log_ratio)
        .le(Σ(xlogy(q[k], 2 * m[k]) - xlogy(q[k], m[k]), k),                        below_as_well)
        .eq(Σ(q[k] * log(2), k),                                                    weighted_logs, plain_log)
        .eq(log(2),                                                                 linearity, normalisation)
    )  # fmt: skip


@entry.proves(le(jsd, log(2)), "At most log 2", main=True)
def upper():
    return (
        calc(jsd)
        .eq((kl_p + kl_q) / 2,                                                      by(jsd))
        .le((log(2) + kl_q) / 2,                                                    first_half)
        .le((log(2) + log(2)) / 2,                                                  second_half)
        .eq(log(2))
    )  # fmt: skip


@entry.proves(eq(log(2) - jsd, Σ(overlap, k) / 2), "What is missing to log 2")
def missing():
    return (
        calc(log(2) - jsd)
        .eq(log(2) - Σ(xlogy(p[k], p[k]) - xlogy(p[k], m[k]) + xlogy(q[k], q[k]) - xlogy(q[k], m[k]), k) / 2,  by(jsd, kl_p, kl_q), log_ratio, linearity)
        .eq(log(2) - Σ(xlogy(p[k], p[k]) - xlogy(p[k], p[k] + q[k]) + p[k] * log(2) + xlogy(q[k], q[k]) - xlogy(q[k], p[k] + q[k]) + q[k] * log(2), k) / 2,  by(m), weighted_logs, plain_log)
        .eq(Σ(overlap, k) / 2,                                                      linearity, normalisation)
    )  # fmt: skip


@entry.proves(le(0, share(p[k], q[k])), "What one of the two adds to it is not negative")
def one_part():
    more = use(from_gap(calc(p[k] + q[k] - p[k]).eq(q[k])).theorem, "a sum is at least either part")
    return rearranged(calc(xlogy(p[k], p[k])).le(xlogy(p[k], p[k] + q[k]), more), le(0, share(p[k], q[k])))


@entry.proves(le(0, overlap), "Nor is what the two add at an outcome")
def never_too_much():
    other = instance(one_part.theorem, (p, q), (q, p))
    return (
        calc(lift(0))
        .le(share(p[k], q[k]),                                                      one_part)
        .eq(share(p[k], q[k]) + 0)
        .le(overlap,                                                                use(other.theorem, "the other part alike"))
    )  # fmt: skip


@entry.proves(iff(eq(overlap, 0), apart), "They add nothing exactly where they do not meet")
def nothing_missing():
    gaps = kl((p[k] + q[k]) * p[k], p[k] ** 2) + kl((p[k] + q[k]) * q[k], q[k] ** 2) + 2 * p[k] * q[k]
    none = (
        calc(gaps)
        .eq((p[k] + q[k]) * overlap,                                                gap_parts, log_ratio, weighted_logs, weights)
        .eq(0,                                                                      given(eq(overlap, 0)))
    )  # fmt: skip
    parts = both(both(eq((p[k] + q[k]) * p[k], p[k] ** 2), eq((p[k] + q[k]) * q[k], q[k] ** 2)), eq(2 * p[k] * q[k], 0))
    forwards = (
        calc(eq(gaps, 0))
        .iff(parts,                                                                 zero_set)
        .iff(both(both(apart, apart), apart),                                       multiplied(apart, lift(1)), multiplied(apart, lift(2)))
        .iff(apart,                                                                 forall_and)
    )  # fmt: skip
    backwards = (
        calc(overlap)
        .eq(xlogy(p[k], p[k] * (p[k] + q[k])) - 2 * xlogy(p[k], p[k]) + (xlogy(q[k], q[k] * (p[k] + q[k])) - 2 * xlogy(q[k], q[k])),  weighted_logs)
        .eq(xlogy(p[k], p[k] ** 2 + p[k] * q[k]) - 2 * xlogy(p[k], p[k]) + (xlogy(q[k], q[k] ** 2 + p[k] * q[k]) - 2 * xlogy(q[k], q[k])))
        .eq(xlogy(p[k], p[k] ** 2) - 2 * xlogy(p[k], p[k]) + (xlogy(q[k], q[k] ** 2) - 2 * xlogy(q[k], q[k])),  given(apart))
        .eq(0,                                                                      weighted_logs)
    )  # fmt: skip
    return equivalent(carried(forwards, none), backwards)


@entry.proves(iff(eq(jsd, log(2)), forall(apart, k)), "It is log 2 exactly if the two never meet")
def largest():
    return discharged(
        calc(eq(jsd, log(2)))
        .iff(eq(log(2) - jsd, 0),                                                   multiplied(eq(log(2) - jsd, 0), lift(-1)))
        .iff(eq(Σ(overlap, k), 0),                                                  missing, multiplied(eq(Σ(overlap, k), 0), lift(Fraction(1, 2))))
        .iff(forall(eq(overlap, 0), k),                                             zero_sum)
        .iff(forall(apart, k),                                                      nothing_missing),
        for_all(never_too_much.argument, k),
    )  # fmt: skip


@entry.proves(eq(jsd, H_m - (H_p + H_q) / 2), "What mixing adds to the entropy")
def information():
    return (
        calc(jsd)
        .eq((Σ(xlogy(p[k], p[k]) - xlogy(p[k], m[k]), k) + Σ(xlogy(q[k], q[k]) - xlogy(q[k], m[k]), k)) / 2,    by(jsd, kl_p, kl_q), log_ratio)
        .eq(-Σ((xlogy(p[k], m[k]) + xlogy(q[k], m[k])) / 2, k) + (Σ(xlogy(p[k], p[k]), k) + Σ(xlogy(q[k], q[k]), k)) / 2,   linearity)
        .eq(-Σ(xlogy(m[k], m[k]), k) + (Σ(xlogy(p[k], p[k]), k) + Σ(xlogy(q[k], q[k]), k)) / 2,    by(m), weights)
        .eq(H_m - (H_p + H_q) / 2,                                                  by(H_m, H_p, H_q))
    )  # fmt: skip


@entry.proves(eq(jsd_N[n], gaps), "Many pairs at once")
def rows():
    return (
        calc(jsd_N[n])
        .eq(Σ(xlog_ratio(P[n, k], M[n, k]) + xlog_ratio(Q[n, k], M[n, k]), k) / 2,  by(jsd_N))
        .eq(Σ(xlog_ratio(P[n, k], M[n, k]) - P[n, k] + xlog_ratio(Q[n, k], M[n, k]) - Q[n, k], k) / 2 + Σ(M[n, k], k),  by(M), linearity)
        .eq(gaps,                                                                   gap_parts, linearity)
    )  # fmt: skip
