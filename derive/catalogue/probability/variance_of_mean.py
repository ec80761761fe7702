"""Var(x̄) = σ²/n: the mean of independent observations is as uncertain as one of them over n."""

from derive.language.notation import sqrt
from derive.language.term import Σ, Cov, E, Var, eq, indices, let, random, size, var, δ
from derive.logic.calc import calc
from derive.logic.rules.reasons import (
    branch,
    by,
    covariance,
    independence,
    linearity,
    moments,
    product_of_sums,
    root_of_product,
    root_of_square,
    sift,
    variance,
)  # fmt: skip
from derive.record import Derivation, Kernel, Mistake

n = size("n")
i, j = indices("i j", n)
μ, σ = var("μ"), var("σ", dom="positive")
x = random("x", n, law="spread", parameters=(μ, σ**2))
mean = let("x̄", Σ(x[i], i) / n)
spread = let("v", Σ((x[i] - mean) ** 2, i) / n)

data = var("d", n)
average = data.mean()
scatter = Σ((data[i] - average) ** 2, i)

entry = Derivation(
    module=__name__,
    title="The variance of a mean",
    claim=eq(Var(mean, x), σ**2 / n),
    goal="Find the mean and the variance of the average of independent observations, and the bias of their own mean square deviation.",
    priority="critical",
    given=(
        (n, "how many observations there are"), (x, "the observations"), (μ, "their mean"), (σ, "their standard deviation"),
        (mean, "the average"), (spread, "the mean square deviation from the average"), (data, "observations as numbers"),
    ),
    prompt=f"Show that the average of {n} independent observations has the variance {σ**2 / n}. What happens without independence, and why does one divide by {n - 1}?",
    sixty_seconds=(
        f"The mean is linear, so the average has mean {μ}. Its deviation from {μ} is the average of the deviations; squaring gives a double sum of the "
        f"covariances of pairs. Independent observations have none off the diagonal, and {n} terms {σ**2} stay, over {n**2}. So the standard error is {σ / sqrt(n)}: "
        f"four times the data halve it. Without independence the covariances of the pairs stay in the sum."
    ),
    strong=(
        f"Needs a finite variance and independence in pairs, and no normal distribution. Adds that deviations from the average itself are too small by the variance of the average, "
        f"so that the mean square deviation has the mean {(n - 1) / n * σ**2}: to divide by {n - 1} and not by {n} makes up for it."
    ),
    weak="Says that errors cancel: they do on average, but the rate is the question, and it comes from the double sum having only a diagonal.",
    sanity=(
        ("One observation", f"At {eq(n, 1)} it is {σ**2}, and the mean square deviation is 0."),
        ("Large samples", f"For large {n} it tends to 0: the average settles at {μ}."),
        ("Units", f"{σ / sqrt(n)} has the units of the observations."),
    ),
    mistakes=(
        Mistake(eq(Var(mean, x), σ**2), f"That is the variance of one observation: a factor {1 / n} is missing."),
        Mistake(eq(Var(mean, x), σ**2 / n**2), f"There are {n} variances in the sum, and not one."),
        Mistake(eq(Var(Σ(x[i], i), x), n**2 * σ**2), f"That holds of {n * x[i]}, one observation {n} times; independent ones add their variances."),
        Mistake(eq(E(spread, x), σ**2), f"The average is itself fitted to the data: the deviations from it are too small by {σ**2 / n}."),
    ),
    follow_ups=("bias-variance", "covariance-correlation", "gaussian-mle"),
    kernels=(
        Kernel("mean_and_standard_error", (data,), (("mean", average), ("error", sqrt(scatter / (n - 1) / n))), "The average of observations, and its standard error."),
    ),
    references=("L. Wasserman, “All of Statistics”, theorem 3.17",),
)  # fmt: skip


@entry.proves(eq(E(mean, x), μ), "The mean of the average")
def centre():
    return (
        calc(E(mean, x))
        .eq(Σ(E(x[i], x), i) / n,                                                   by(mean), linearity)
        .eq(μ,                                                                      moments, linearity)
    )  # fmt: skip


@entry.proves(eq(Cov(x[i], x[j], x), δ(i, j) * σ**2), "Two observations are uncorrelated")
def uncorrelated():
    return (
        calc(Cov(x[i], x[j], x))
        .eq(E((x[i] - μ) * (x[j] - μ), x),                                          covariance, moments)
        .eq(δ(i, j) * E((x[i] - μ) ** 2, x) + (1 - δ(i, j)) * (E(x[i] - μ, x) * E(x[j] - μ, x)),       independence)
        .eq(δ(i, j) * σ**2,                                                         linearity, moments)
    )  # fmt: skip


@entry.proves(eq(Var(Σ(x[i], i), x), n * σ**2), "Variances of independent observations add up")
def of_sum():
    centred = Σ(x[i] - μ, i)
    return (
        calc(Var(Σ(x[i], i), x))
        .eq(E((Σ(x[i], i) - n * μ) ** 2, x),                                        variance, linearity, moments)
        .eq(E(centred * centred, x),                                                linearity)
        .eq(Σ(E((x[i] - μ) * (x[j] - μ), x), i, j),                                 product_of_sums, linearity)
        .eq(Σ(Cov(x[i], x[j], x), i, j),                                            covariance, moments)
        .eq(n * σ**2,                                                               uncorrelated, sift, linearity)
    )  # fmt: skip


@entry.proves(eq(Var(mean, x), σ**2 / n), "The variance of the average", main=True)
def of_mean():
    return (
        calc(Var(mean, x))
        .eq(Var(Σ(x[i], i) / n, x),                                                 by(mean))
        .eq(Var(Σ(x[i], i), x) / n**2,                                              variance, linearity)
        .eq(σ**2 / n,                                                               of_sum)
    )  # fmt: skip


@entry.proves(eq(sqrt(Var(mean, x)), σ / sqrt(n)), "The standard error")
def standard_error():
    return (
        calc(sqrt(Var(mean, x)))
        .eq(sqrt(σ**2 / n),                                                         of_mean)
        .eq(σ / sqrt(n),                                                            root_of_product, root_of_square, branch("abs", 0))
    )  # fmt: skip


@entry.proves(eq(Var(sqrt(n) * (mean - μ) / σ, x), 1), "Standardised, the average keeps the variance 1")
def standardised():
    return (
        calc(Var(sqrt(n) * (mean - μ) / σ, x))
        .eq(sqrt(n) ** 2 / σ**2 * Var(mean, x),                                     variance, linearity)
        .eq(n / σ**2 * Var(mean, x),                                                root_of_square)
        .eq(1,                                                                      of_mean)
    )  # fmt: skip


@entry.proves(eq(spread, Σ((x[i] - μ) ** 2, i) / n - (mean - μ) ** 2), "Deviations from the average and from the mean")
def about_the_average():
    return (
        calc(spread)
        .eq(Σ((x[i] - μ) ** 2, i) / n - 2 * (mean - μ) * Σ(x[i] - μ, i) / n + (mean - μ) ** 2,       by(spread), linearity)
        .eq(Σ((x[i] - μ) ** 2, i) / n - (mean - μ) ** 2,                            by(mean), linearity)
    )  # fmt: skip


@entry.proves(eq(E(spread, x), (n - 1) / n * σ**2), "The mean square deviation is too small")
def biased():
    return (
        calc(E(spread, x))
        .eq(Σ(E((x[i] - μ) ** 2, x), i) / n - E((mean - μ) ** 2, x),                about_the_average, linearity)
        .eq(Σ(Var(x[i], x), i) / n - Var(mean, x),                                  variance, centre, moments)
        .eq(σ**2 - σ**2 / n,                                                        of_mean, variance, linearity, moments)
        .eq((n - 1) / n * σ**2)
    )  # fmt: skip
