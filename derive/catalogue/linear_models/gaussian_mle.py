"""The likelihood of a normal sample: its maximum by an exact gap, the bias of the variance, and the squared error as its logarithm."""

from fractions import Fraction

from derive.catalogue.probability.variance_of_mean import biased as too_small
from derive.catalogue.probability.variance_of_mean import i, n, spread, x, μ, σ
from derive.language.notation import exp, kl, log, π
from derive.language.term import Π, Σ, E, both, eq, iff, le, let, lift, lt, var
from derive.logic.arguments import from_gap
from derive.logic.calc import calc
from derive.logic.rules.reasons import by, inverse_pair, linearity, log_rules, multiplied, zero_set
from derive.record import Assumption, Derivation, Kernel, Mistake

half = lift(Fraction(1, 2))

y, m, ν, f = var("y", n), var("m"), var("ν", dom="positive"), var("f", n)
A = let("A", Σ(y[i], i) / n); V = let("V", Σ((y[i] - A) ** 2, i) / n)


def density(value, mean, variance):
    """The normal density."""
    return exp(-((value - mean) ** 2) / (2 * variance)) / (2 * π * variance) ** half


def cost(mean, variance):
    """The negative log likelihood of the sample."""
    return n / 2 * log(2 * π * variance) + Σ((y[i] - mean) ** 2, i) / (2 * variance)


likelihood = Π(density(y[i], m, ν), i)
gap = n * (A - m) ** 2 / (2 * ν) + n / 2 * kl(1, V / ν)
MSE = let("MSE", Σ((y[i] - f[i]) ** 2, i) / n)

entry = Derivation(
    module=__name__,
    title="Maximum likelihood for a normal sample",
    claim=eq(cost(m, ν) - cost(A, V), gap),
    goal="Maximise the likelihood of a normal sample over its mean and its variance, show that nothing else does as well, find the bias of the variance, and recognise the squared error.",
    priority="critical",
    given=(
        (n, "how many observations there are"), (y, "the observations, as numbers"), (m, "any mean"), (ν, "any variance"),
        (A, "the average"), (V, "the mean squared deviation from it"), (f, "predictions"), (MSE, "mean squared error"),
        (x, "the same observations before they are made"), (μ, "their true mean"), (σ, "their true standard deviation"), (spread, "their mean squared deviation"),
    ),
    assumptions=(Assumption(lt(0, Σ((y[i] - A) ** 2, i)), "the observations are not all equal"),),
    convention=f"The negative logarithm of the likelihood is minimised. {kl(1, V / ν)} is the gap {log(ν / V) - 1 + V / ν}, never negative and 0 where {ν} is {V}.",
    prompt="Derive the maximum-likelihood estimates of the mean and the variance of a normal sample. How do you know that it is a maximum, is the variance unbiased, and what has this to do with the squared error?",
    sixty_seconds=(
        f"The negative log likelihood is {cost(m, ν)}. Only the sum of squares holds {m}, and it is {n * V + n * (A - m) ** 2}, so the average is best whatever the variance. "
        f"What is left, {n / 2} times {log(ν) + V / ν} and a constant, is least at {eq(ν, V)}. Any other pair costs {gap} more, which proves both at once. "
        f"The estimate of the variance has the mean {(n - 1) / n * σ**2}: it is too small, as the average was fitted to the same data. "
        f"Put predictions for the mean: with a fixed variance the same formula is {n / (2 * ν)} times the mean squared error and a constant, so least squares is maximum likelihood under normal noise."
    ),
    strong="Proves the maximum over both parameters by the gap, names the case in which all observations are equal and no variance is best, and says that the squared error is the normal likelihood for a fixed variance only.",
    weak=f"Sets two derivatives to 0 and stops, or divides by {n - 1} and calls that maximum likelihood: the factor corrects the bias and is another estimator.",
    sanity=(
        ("Special value", f"With one observation {V} is 0 and the likelihood has no maximum: it grows without bound as the variance goes to 0."),
        ("Units", f"{V} has the units of the observations squared, and {V / ν} has none."),
        ("Limit", f"For large {n} the factor {(n - 1) / n} goes to 1: the bias vanishes."),
        ("Shift", f"Adding a number to all observations moves {A} by it and leaves {V} alone."),
    ),
    mistakes=(
        Mistake(eq(V, Σ((y[i] - A) ** 2, i) / (n + 1)), f"The maximum divides by {n}."),
        Mistake(eq(E(spread, x), σ**2), "The average was fitted to the same observations, so the deviations from it are too small."),
        Mistake(eq(cost(m, ν) - cost(A, ν), n * (A - m) ** 2 / ν), "Each square is divided by twice the variance."),
        Mistake(eq(-log(Π(density(y[i], f[i], ν), i)), n / (2 * ν) * MSE), f"The constant {n / 2 * log(2 * π * ν)} is missing. It does not matter for the predictions, but it does for the variance."),
    ),
    prerequisites=("variance-of-mean",),
    follow_ups=("map-gaussian-l2",),
    kernels=(
        Kernel("normal_estimates", (y,), (("mean", A), ("variance", V)), "Maximum-likelihood mean and variance of a sample."),
        Kernel("negative_log_likelihood", (y, f, ν), (("loss", n / (2 * ν) * MSE + n / 2 * log(2 * π * ν)),), "Negative log likelihood of normal observations with given means.", proved_by=("squared_error",)),
    ),
    references=("C. Bishop, Pattern Recognition and Machine Learning, 1.2.4 and 3.1.1",),
)  # fmt: skip


@entry.proves(eq(-log(likelihood), cost(m, ν)), "The negative log likelihood")
def negative_log():
    return (
        calc(-log(likelihood))
        .eq(-Σ(log(density(y[i], m, ν)), i),                                             log_rules)
        .eq(-Σ(-((y[i] - m) ** 2) / (2 * ν) - half * log(2 * π * ν), i),                 log_rules, inverse_pair)
        .eq(cost(m, ν),                                                                  linearity)
    )  # fmt: skip


@entry.proves(eq(Σ((y[i] - m) ** 2, i), n * V + n * (A - m) ** 2), "Deviations from any number")
def split():
    return (
        calc(Σ((y[i] - m) ** 2, i))
        .eq(Σ((y[i] - A) ** 2 + 2 * (A - m) * (y[i] - A) + (A - m) ** 2, i))
        .eq(Σ((y[i] - A) ** 2, i) + 2 * (A - m) * (Σ(y[i], i) - n * A) + n * (A - m) ** 2,   linearity)
        .eq(n * V + n * (A - m) ** 2,                                                    by(V, A))
    )  # fmt: skip


@entry.proves(eq(cost(m, ν) - cost(A, ν), n * (A - m) ** 2 / (2 * ν)), "The gap in the mean")
def gap_in_mean():
    return (
        calc(cost(m, ν) - cost(A, ν))
        .eq((Σ((y[i] - m) ** 2, i) - n * V) / (2 * ν),                                   by(V))
        .eq(n * (A - m) ** 2 / (2 * ν),                                                  split)
    )  # fmt: skip


@entry.proves(eq(cost(m, ν) - cost(A, V), gap), "The gap in both", main=True)
def gap_in_both():
    return (
        calc(cost(m, ν) - cost(A, V))
        .eq(n / 2 * (log(2 * π * ν) - log(2 * π * V)) + Σ((y[i] - m) ** 2, i) / (2 * ν) - n * V / (2 * V),   by(V))
        .eq(n / 2 * (log(2 * π * ν) - log(2 * π * V)) + (n * V + n * (A - m) ** 2) / (2 * ν) - n / 2,   split)
        .eq(n * (A - m) ** 2 / (2 * ν) + n / 2 * (log(ν) - log(V) - 1 + V / ν),          log_rules)
        .eq(gap,                                                                         by("kl"), log_rules)
    )  # fmt: skip


@entry.proves(le(cost(A, V), cost(m, ν)), "No other mean and variance are likelier")
def best():
    return from_gap(
        calc(cost(m, ν) - cost(A, V))
        .eq(gap,                                                                         gap_in_both)
    )  # fmt: skip


@entry.proves(iff(eq(cost(m, ν), cost(A, V)), both(eq(m, A), eq(ν, V))), "No others are as likely")
def unique():
    return (
        calc(eq(cost(m, ν), cost(A, V)))
        .iff(eq(cost(m, ν) - cost(A, V), 0),                                             multiplied(eq(cost(m, ν) - cost(A, V), 0), lift(1)))
        .iff(eq(gap, 0),                                                                 gap_in_both)
        .iff(both(eq(A - m, 0), eq(1, V / ν)),                                           zero_set)
        .iff(both(eq(m, A), eq(ν, V)),                                                   multiplied(eq(m, A), -lift(1)), multiplied(eq(ν, V), 1 / ν))
    )  # fmt: skip


@entry.proves(eq(E(spread, x), (n - 1) / n * σ**2), "The variance is biased")
def biased():
    return (
        calc(E(spread, x))
        .eq((n - 1) / n * σ**2,                                                          too_small)
    )  # fmt: skip


@entry.proves(eq(-log(Π(density(y[i], f[i], ν), i)), n / (2 * ν) * MSE + n / 2 * log(2 * π * ν)), "The squared error")
def squared_error():
    return (
        calc(-log(Π(density(y[i], f[i], ν), i)))
        .eq(-Σ(log(density(y[i], f[i], ν)), i),                                          log_rules)
        .eq(-Σ(-((y[i] - f[i]) ** 2) / (2 * ν) - half * log(2 * π * ν), i),              log_rules, inverse_pair)
        .eq(n / (2 * ν) * MSE + n / 2 * log(2 * π * ν),                                  by(MSE), linearity)
    )  # fmt: skip
