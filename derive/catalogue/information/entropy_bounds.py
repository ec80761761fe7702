"""0 ≤ H ≤ log K: both bounds as sums of gaps, with their cases of equality; the slope of the binary entropy."""

from fractions import Fraction
from functools import reduce
from operator import add
from random import Random

from derive.language.notation import kl, log, xlogy
from derive.language.term import Σ, D, array, both, eq, forall, iff, indices, le, let, lift, lt, sizes, var, δ
from derive.logic.arguments import from_gap, nonnegative
from derive.logic.calc import calc
from derive.logic.rules.reasons import (
    by,
    forall_and,
    gap_parts,
    linearity,
    log_number,
    log_ratio,
    log_rule,
    log_rules,
    multiplied,
    normalisation,
    plain_log,
    product_rule,
    sift,
    weighted_logs,
    zero_set,
)
from derive.record import Derivation, Kernel, Mistake, Number

half = lift(Fraction(1, 2))

N, K = sizes("N K"); (n,), (k, j) = indices("n", N), indices("k j", K)
p, P = var("p", K, dom="density"), var("P", N, K, dom="density")
H, H_N = let("H", -Σ(xlogy(p[k], p[k]), k)), let("H_N", array(-Σ(xlogy(P[n, k], P[n, k]), k), n))
others = let("r", array(Σ(p[j] * (1 - δ(j, k)) ** 2, j), k))

t = var("t", dom="unit")
h = let("h", -(t * log(t)) - (1 - t) * log(1 - t))
coin = let("H_c", -(half * log(half)) - half * log(half))


def binary(share: Fraction):
    """The entropy of two outcomes, in bits."""
    one, other = lift(share), lift(1 - share)
    return (-(one * log(one)) - other * log(other)) / log(2)


def total(terms):
    return reduce(add, terms)


entry = Derivation(
    module=__name__,
    title="The bounds of entropy",
    claim=le(H, log(K)),
    goal=f"Show that the entropy of {K} outcomes lies between 0 and {log(K)}, and say which distributions reach the two ends.",
    priority="critical",
    given=(
        (p, "probabilities of the outcomes"), (H, "entropy, in nats"), (others, "probability of all outcomes but one"),
        (K, "number of outcomes"), (t, "probability of the first of two outcomes"), (h, "entropy of two outcomes"), (coin, "entropy of a fair coin"),
        (N, "number of distributions"), (P, "distributions, one a row"), (H_N, "entropy of each row"),
    ),
    convention=(
        f"Logarithms are natural, so entropy is in nats; divided by {log(2)} it is in bits. Probabilities may be 0, and {xlogy(p[k], p[k])} counts as 0 there. "
        f"{kl(p[k], 1 / K)} is the relative-entropy gap, {p[k] * log(p[k] / (1 / K)) - p[k] + 1 / K}: never negative, and 0 only where its two arguments are equal."
    ),
    prompt=f"What are the smallest and the largest entropy of a variable with {K} outcomes, and when are they reached? Sketch the entropy of a coin.",
    sixty_seconds=(
        f"Entropy is {eq(H, -Σ(xlogy(p[k], p[k]), k))}. No probability exceeds 1, so no term is negative: {le(0, H)}, and it is 0 exactly if every probability is 0 or 1, which means that one outcome is certain. "
        f"For the upper end compare with the uniform distribution: {eq(log(K) - H, Σ(kl(p[k], 1 / K), k))}, the relative entropy of {p} with respect to {1 / K} everywhere. That is never negative, and 0 only for {eq(p[k], 1 / K)}. "
        f"For a coin the slope is {log((1 - t) / t)}: positive below {half}, negative above, so the curve climbs from 0 to {log(2)}, one bit, and comes down again."
    ),
    strong=(
        f"Gets the upper bound without any multiplier, as a relative entropy, with the case of equality for nothing; and says what a zero probability contributes: nothing to {H}, but {1 / K} to the gap {log(K) - H}."
    ),
    weak=(
        f"Sets the derivative with respect to each {p[k]} to 0. Without the constraint that they add up to 1 that finds a point which is no distribution, and with it one still has to show that the stationary point is a maximum."
    ),
    sanity=(
        ("Special value", f"For {eq(p[k], 1 / K)} each of the {K} terms is {log(K) / K}: together {log(K)}."),
        ("Zeros", f"An outcome that never happens changes nothing in {H}; it raises {K}, and so the bound."),
        ("Symmetry", f"Let the two outcomes of a coin change places: {h} stays, and the slope {log((1 - t) / t)} changes its sign."),
    ),
    mistakes=(
        Mistake(eq(H, Σ(xlogy(p[k], p[k]), k)), "The sign is lost: logarithms of probabilities are negative."),
        Mistake(le(H, log(2)), f"One bit is the bound for two outcomes; with {K} of them it is {log(K)}."),
        Mistake(eq(D(h, t), log(t / (1 - t))), f"That is the slope of {-h}; near 0 the entropy grows."),
        Mistake(le(log(K), H), f"Any distribution but the uniform one has less than {log(K)}."),
        Mistake(eq(D(h, t), log((1 - t) / t) - 1), "Both product rules leave a constant, and the two cancel."),
    ),
    prerequisites=("gibbs-inequality",),
    follow_ups=("cross-entropy-decomposition", "lagrange-max-entropy", "perplexity"),
    kernels=(
        Kernel("entropy", (P,), (("entropy", array(-Σ(xlogy(P[n, k], P[n, k]), k), n)),), "Entropy of distributions in nats, row by row; 0 log 0 is 0.", proved_by=("rows",)),
    ),
    numbers=(
        Number(binary(Fraction(99, 100)), "0.0808", f"entropy of a coin of {lift(Fraction(99, 100))} and {lift(Fraction(1, 100))}, in bits"),
    ),
    references=("T. M. Cover and J. A. Thomas, Elements of Information Theory, theorem 2.6.4 and example 2.1.1",),
)  # fmt: skip


@entry.proves(eq(1 - p[k], others[k]), "What is left to the others")
def rest():
    return (
        calc(1 - p[k])
        .eq(Σ(p[j], j) - p[k],                                                      normalisation)
        .eq(Σ(p[j] * (1 - δ(j, k)) ** 2, j),                                        sift)
        .eq(others[k],                                                              by(others))
    )  # fmt: skip


@entry.proves(eq(H, Σ(kl(p[k], p[k] ** 2) + p[k] * others[k], k)), "Entropy as a sum of what is never negative")
def parts():
    return (
        calc(H)
        .eq(Σ(-xlogy(p[k], p[k]), k),                                               by(H), linearity)
        .eq(Σ(xlogy(p[k], p[k]) - xlogy(p[k], p[k] ** 2) - p[k] + p[k] ** 2 + p[k] * (1 - p[k]), k),       weighted_logs)
        .eq(Σ(kl(p[k], p[k] ** 2) + p[k] * (1 - p[k]), k),                          gap_parts, log_ratio)
        .eq(Σ(kl(p[k], p[k] ** 2) + p[k] * others[k], k),                           rest)
    )  # fmt: skip


@entry.proves(le(0, H), "Not less than 0")
def lower():
    return nonnegative(
        calc(H)
        .eq(Σ(kl(p[k], p[k] ** 2) + p[k] * others[k], k),                           parts)
    )  # fmt: skip


@entry.proves(iff(eq(H, 0), forall(eq(p[k], p[k] ** 2), k)), "Zero exactly where every probability is 0 or 1")
def certain():
    square = eq(p[k], p[k] ** 2)
    return (
        calc(eq(H, 0))
        .iff(eq(Σ(kl(p[k], p[k] ** 2) + p[k] * others[k], k), 0),                   parts)
        .iff(forall(both(square, eq(p[k] * others[k], 0)), k),                      zero_set)
        .iff(forall(both(square, eq(p[k] * (1 - p[k]), 0)), k),                     rest)
        .iff(forall(both(square, square), k),                                       multiplied(square, lift(1)))
        .iff(forall(square, k),                                                     forall_and)
    )  # fmt: skip


@entry.proves(eq(log(K) - H, Σ(kl(p[k], 1 / K), k)), "What is missing to log K")
def gap():
    return (
        calc(log(K) - H)
        .eq(Σ(xlogy(p[k], p[k]), k) + log(K) * Σ(p[k], k) - Σ(p[k], k) + 1,         by(H), normalisation)
        .eq(Σ(xlogy(p[k], p[k]) + p[k] * log(K) - p[k] + 1 / K, k),                 linearity)
        .eq(Σ(kl(p[k], 1 / K), k),                                                  gap_parts, log_ratio, weighted_logs, plain_log)
    )  # fmt: skip


@entry.proves(le(H, log(K)), "Not more than log K", main=True)
def upper():
    return from_gap(
        calc(log(K) - H)
        .eq(Σ(kl(p[k], 1 / K), k),                                                  gap)
    )  # fmt: skip


@entry.proves(iff(eq(H, log(K)), forall(eq(p[k], 1 / K), k)), "Reached exactly by the uniform distribution")
def uniform():
    return (
        calc(eq(H, log(K)))
        .iff(eq(log(K) - H, 0),                                                     multiplied(eq(log(K) - H, 0), lift(-1)))
        .iff(eq(Σ(kl(p[k], 1 / K), k), 0),                                          gap)
        .iff(forall(eq(p[k], 1 / K), k),                                            zero_set)
    )  # fmt: skip


@entry.proves(eq(D(h, t), log((1 - t) / t)), "Two outcomes: the slope")
def slope():
    return (
        calc(D(h, t))
        .eq(-(log(t) + t * (1 / t)) - (-log(1 - t) + (1 - t) * (1 / (1 - t) * -1)),   by(h), product_rule, log_rule, linearity)
        .eq(log(1 - t) - log(t))
        .eq(log((1 - t) / t),                                                       log_rules)
    )  # fmt: skip


@entry.proves(lt(D(D(h, t), t), 0), "Two outcomes: the curve bends down")
def curvature():
    return from_gap(
        calc(0 - D(D(h, t), t))
        .eq(-D(log((1 - t) / t), t),                                                slope)
        .eq(-D(log(1 - t) - log(t), t),                                             log_rules)
        .eq(1 / (1 - t) + 1 / t,                                                    log_rule, linearity)
    )  # fmt: skip


@entry.proves(eq(coin / log(2), 1), "A fair coin has one bit")
def bit():
    return (
        calc(coin / log(2))
        .eq(log(2) / log(2),                                                        by(coin), log_number)
        .eq(1)
    )  # fmt: skip


@entry.example("Powers of one half: the entropy in bits")
def powers_of_a_half(rng: Random):
    deepest = rng.randint(2, 5)
    shares = [lift(Fraction(1, 2**m)) for m in (*range(1, deepest + 1), deepest)]
    terms = [share * log(1 / share) for share in shares]
    bits = [lift(Fraction(m, 2**m)) for m in (*range(1, deepest + 1), deepest)]
    return (
        calc(total(terms) / log(2))
        .eq(total([share * log(lift(2**m)) for m, share in zip((*range(1, deepest + 1), deepest), shares, strict=True)]) / log(2))
        .eq(total(bits),                                                            log_number)
        .eq(lift(2 - Fraction(2, 2**deepest)))
    )  # fmt: skip


@entry.proves(eq(H_N[n], -Σ(xlogy(P[n, k], P[n, k]), k)), "Many distributions at once")
def rows():
    return (
        calc(H_N[n])
        .eq(-Σ(xlogy(P[n, k], P[n, k]), k),                                         by(H_N))
    )  # fmt: skip
