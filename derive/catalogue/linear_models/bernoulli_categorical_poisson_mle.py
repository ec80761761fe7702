"""k/n, nₖ/n and the mean count: maximum likelihood for counts, by a multiplier inside and by exact gaps up to the edge."""

from derive.language.notation import exp, kl, log, xlogy
from derive.language.term import Π, Σ, D, both, eq, forall, iff, indices, le, let, lift, lt, sizes, var
from derive.logic.arguments import from_gap
from derive.logic.calc import calc
from derive.logic.rules.reasons import (
    by,
    forall_and,
    gap_parts,
    given,
    inverse_pair,
    linearity,
    log_ratio,
    log_rule,
    log_rules,
    multiplied,
    normalisation,
    sift,
    weighted_logs,
    zero_set,
)  # fmt: skip
from derive.record import Assumption, Derivation, Kernel, Mistake

K, N = sizes("K N")
(k,), (m,) = indices("k", K), indices("m", N)

# two outcomes
a, b, t = var("a", dom="nonnegative"), var("b", dom="nonnegative"), var("t", dom="unit")
coin, coin_best = -(xlogy(a, t) + xlogy(b, 1 - t)), -(xlogy(a, a / (a + b)) + xlogy(b, b / (a + b)))
coin_gap = kl(a, (a + b) * t) + kl(b, (a + b) * (1 - t))

# several outcomes
c, q, r, λ = var("c", K, dom="nonnegative"), var("q", K, dom="positive density"), var("r", K, dom="positive"), var("λ", dom="positive")
n = let("n", Σ(c[k], k))
die, die_best = -Σ(xlogy(c[k], q[k]), k), -Σ(xlogy(c[k], c[k] / n), k)
die_gap = Σ(kl(c[k], n * q[k]), k)
lagrangian = let("Λ", -Σ(c[k] * log(r[k]), k) + λ * (Σ(r[k], k) - 1))
stationary_q = forall(eq(c[k], λ * q[k]), k)

# counts
y, μ, h = var("y", N, dom="nonnegative"), var("μ", dom="positive"), var("h", N, dom="positive")
S = let("S", Σ(y[m], m))
rate, rate_best = N * μ - xlogy(S, μ), S - xlogy(S, S / N)

entry = Derivation(
    module=__name__,
    title="Maximum likelihood for counts",
    claim=eq(die - die_best, die_gap),
    goal="Find the most likely probability of a coin, the probabilities of a die and the rate of a Poisson variable, from counts of which some may be 0.",
    priority="critical",
    given=(
        (a, "successes"), (b, "failures"), (t, "any probability of success"),
        (K, "number of outcomes"), (c, "how often each was seen"), (n, "how many observations there are"), (q, "any probabilities, none of them 0"),
        (r, "positive numbers that need not sum to 1"), (λ, "multiplier"), (lagrangian, "the Lagrangian"),
        (N, "number of counts"), (y, "the counts"), (S, "their sum"), (μ, "any rate"), (h, "the factorials of the counts"),
    ),
    assumptions=(
        Assumption(lt(0, a + b), "the coin was tossed"),
        Assumption(lt(0, Σ(c[k], k)), "the die was thrown"),
        Assumption(stationary_q, "the Lagrangian is stationary at the probabilities"),
    ),
    convention=(
        f"{xlogy(a, t)} counts as 0 where {a} is 0, so outcomes that were never seen cost nothing. {kl(a, b)} is the gap of two numbers, {a * log(a / b) - a + b}, "
        "never negative and 0 where they are equal. Each cost is the negative log likelihood without what does not depend on the parameter."
    ),
    prompt="Derive the maximum-likelihood estimates for a Bernoulli, a categorical and a Poisson variable. What becomes of the Lagrange multiplier, and why is a vanishing derivative not enough where an outcome was never seen?",
    sixty_seconds=(
        f"For {a} successes and {b} failures the cost {-(a * log(t) + b * log(1 - t))} is least at {a / (a + b)}. For several outcomes the probabilities must sum to 1; with a multiplier, "
        f"{-c[k] / r[k] + λ} is 0 at {eq(r[k], c[k] / λ)}, and the sum of 1 makes {eq(λ, n)}: the relative frequencies. "
        f"An outcome that was never seen gets 0, where the logarithm has no derivative, so the proof that covers it is the gap {die_gap}: Gibbs’ inequality, with equality for the frequencies alone. "
        f"For Poisson counts the cost is {N * μ - S * log(μ)}, least at the mean count {S / N}, by {kl(S, N * μ)}."
    ),
    strong="Says what the multiplier is, proves a global minimum by the gap and not by a derivative, covers counts of 0, and warns that a probability of 0 makes any later sighting impossible, which is why one smooths.",
    weak="Sets derivatives to 0 without the constraint, which has no solution, or drops the case in which a count is 0, where the minimum lies on the edge and no derivative vanishes.",
    sanity=(
        ("Sum", f"The frequencies {c[k] / n} sum to 1 and are not negative."),
        ("Two outcomes", f"The coin is the die with two faces: {a} and {b} for the counts, {t} and {1 - t} for the probabilities."),
        ("Edge", f"Without a success, {coin_best} is 0, which is the likelihood 1 of a coin that always fails."),
        ("Mean", f"A Poisson variable has its rate for a mean, and {S / N} is the mean of the counts."),
    ),
    mistakes=(
        Mistake(eq(coin - coin_best, kl(a, t) + kl(b, 1 - t)), "Counts are compared with expected counts, and not with probabilities."),
        Mistake(eq(D(lagrangian, r[k]), -c[k] / r[k]), "Without the multiplier no positive numbers make the derivative 0: the constraint was forgotten."),
        Mistake(eq(rate - rate_best, kl(S, μ)), f"The sum of the counts is compared with what is expected of it, {N * μ}."),
        Mistake(lt(die_best, die), "For the frequencies themselves both costs are equal, so the inequality is not strict."),
    ),
    prerequisites=("gibbs-inequality",),
    follow_ups=("cross-entropy-is-mle",),
    kernels=(
        Kernel("frequencies", (c,), (("probabilities", c / c.sum(0)),), "Maximum-likelihood probabilities from counts of outcomes."),
        Kernel("poisson_rate", (y,), (("rate", y.sum(0) / N),), "Maximum-likelihood rate of Poisson counts."),
    ),
    references=("C. Bishop, Pattern Recognition and Machine Learning, 2.1 and 2.2", "T. Cover and J. Thomas, Elements of Information Theory, 2.6"),
)  # fmt: skip


@entry.proves(eq(coin - coin_best, coin_gap), "A coin: the gap")
def bernoulli():
    return (
        calc(coin - coin_best)
        .eq(xlogy(a, a) - xlogy(a, a + b) + (xlogy(b, b) - xlogy(b, a + b)) - xlogy(a, t) - xlogy(b, 1 - t),    weighted_logs)
        .eq(xlogy(a, a) - xlogy(a, (a + b) * t) + xlogy(b, b) - xlogy(b, (a + b) * (1 - t)),                    weighted_logs)
        .eq(coin_gap,                                                               gap_parts, log_ratio)
    )  # fmt: skip


@entry.proves(le(coin_best, coin), "A coin: nothing is likelier than the share of successes")
def bernoulli_best():
    return from_gap(
        calc(coin - coin_best)
        .eq(coin_gap,                                                               bernoulli)
    )  # fmt: skip


@entry.proves(iff(eq(coin, coin_best), eq(t, a / (a + b))), "A coin: nothing else is as likely")
def bernoulli_unique():
    return (
        calc(eq(coin, coin_best))
        .iff(eq(coin - coin_best, 0),                                               multiplied(eq(coin - coin_best, 0), lift(1)))
        .iff(eq(coin_gap, 0),                                                       bernoulli)
        .iff(both(eq(a, (a + b) * t), eq(b, (a + b) * (1 - t))),                    zero_set)
        .iff(both(eq(t, a / (a + b)), eq(t, a / (a + b))),                          multiplied(eq(t, a / (a + b)), -(a + b)), multiplied(eq(t, a / (a + b)), a + b))
        .iff(eq(t, a / (a + b)),                                                    forall_and).note("both say the same")
    )  # fmt: skip


@entry.proves(iff(eq(D(lagrangian, r[k]), 0), eq(c[k], λ * r[k])), "A die: where the Lagrangian is stationary")
def stationary():
    return (
        calc(eq(D(lagrangian, r[k]), 0))
        .iff(eq(-(c[k] / r[k]) + λ, 0),                                             by(lagrangian), linearity, log_rule, sift)
        .iff(eq(c[k], λ * r[k]),                                                    multiplied(eq(c[k], λ * r[k]), -1 / r[k]))
    )  # fmt: skip


@entry.proves(eq(λ, n), "A die: the multiplier")
def multiplier():
    return (
        calc(λ)
        .eq(λ * Σ(q[k], k),                                                         normalisation)
        .eq(Σ(λ * q[k], k),                                                         linearity)
        .eq(n,                                                                      given(stationary_q), by(n))
    )  # fmt: skip


@entry.proves(eq(q[k], c[k] / n), "A die: the probabilities then")
def frequencies():
    return (
        calc(q[k])
        .eq(λ * q[k] / λ)
        .eq(c[k] / n,                                                               given(stationary_q), multiplier)
    )  # fmt: skip


@entry.proves(eq(die - die_best, die_gap), "A die: the gap", main=True)
def categorical():
    return (
        calc(die - die_best)
        .eq(Σ(xlogy(c[k], c[k] / n), k) - Σ(xlogy(c[k], q[k]), k))
        .eq(Σ(xlogy(c[k], c[k]) - xlogy(c[k], n) - xlogy(c[k], q[k]), k),           weighted_logs, linearity)
        .eq(Σ(xlogy(c[k], c[k]) - xlogy(c[k], n * q[k]), k),                        weighted_logs)
        .eq(Σ(xlogy(c[k], c[k]) - xlogy(c[k], n * q[k]), k) - Σ(c[k], k) + n * Σ(q[k], k),   by(n), normalisation)
        .eq(die_gap,                                                                gap_parts, log_ratio, linearity)
    )  # fmt: skip


@entry.proves(le(die_best, die), "A die: nothing is likelier than the frequencies")
def categorical_best():
    return from_gap(
        calc(die - die_best)
        .eq(die_gap,                                                                categorical)
    )  # fmt: skip


@entry.proves(iff(eq(die, die_best), forall(eq(q[k], c[k] / n), k)), "A die: nothing else is as likely")
def categorical_unique():
    return (
        calc(eq(die, die_best))
        .iff(eq(die - die_best, 0),                                                 multiplied(eq(die - die_best, 0), lift(1)))
        .iff(eq(die_gap, 0),                                                        categorical)
        .iff(forall(eq(c[k], n * q[k]), k),                                         zero_set)
        .iff(forall(eq(q[k], c[k] / n), k),                                         multiplied(eq(q[k], c[k] / n), -n))
    )  # fmt: skip


@entry.proves(eq(-log(Π(exp(-μ) * μ ** y[m] / h[m], m)), N * μ - S * log(μ) + Σ(log(h[m]), m)), "Poisson counts: the likelihood")
def poisson_likelihood():
    return (
        calc(-log(Π(exp(-μ) * μ ** y[m] / h[m], m)))
        .eq(-Σ(-μ + y[m] * log(μ) - log(h[m]), m),                                  log_rules, inverse_pair)
        .eq(N * μ - S * log(μ) + Σ(log(h[m]), m),                                   by(S), linearity)
    )  # fmt: skip


@entry.proves(eq(rate - rate_best, kl(S, N * μ)), "The gap for Poisson counts")
def poisson():
    return (
        calc(rate - rate_best)
        .eq(xlogy(S, S) - xlogy(S, N) - xlogy(S, μ) - S + N * μ,                    weighted_logs)
        .eq(xlogy(S, S) - xlogy(S, N * μ) - S + N * μ,                              weighted_logs)
        .eq(kl(S, N * μ),                                                           gap_parts, log_ratio)
    )  # fmt: skip


@entry.proves(le(rate_best, rate), "Poisson counts: nothing is likelier than the mean count")
def poisson_best():
    return from_gap(
        calc(rate - rate_best)
        .eq(kl(S, N * μ),                                                           poisson)
    )  # fmt: skip


@entry.proves(iff(eq(rate, rate_best), eq(μ, S / N)), "Poisson counts: nothing else is as likely")
def poisson_unique():
    return (
        calc(eq(rate, rate_best))
        .iff(eq(rate - rate_best, 0),                                               multiplied(eq(rate - rate_best, 0), lift(1)))
        .iff(eq(kl(S, N * μ), 0),                                                   poisson)
        .iff(eq(S, N * μ),                                                          zero_set)
        .iff(eq(μ, S / N),                                                          multiplied(eq(μ, S / N), -N))
    )  # fmt: skip
