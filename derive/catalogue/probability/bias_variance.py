"""𝔼(y − f̂)² = bias² + variance + σ²: where the expected squared error of a prediction comes from."""

from derive.language.term import Σ, E, Var, eq, index, le, let, lt, random, sizes, var
from derive.logic.arguments import from_gap
from derive.logic.calc import calc
from derive.logic.rules.reasons import by, independent, linearity, moments, variance
from derive.record import Derivation, Kernel, Mistake

f, σ = var("f"), var("σ")
guess = random("f̂", law="square integrable")
ε = random("ε", law="spread", parameters=(0, σ**2))
y = let("y", f + ε)
error = E((y - guess) ** 2, guess, ε)
bias, spread = E(guess, guess) - f, Var(guess, guess)

c, θ, s = var("c"), var("θ"), var("s", dom="positive")
fair = random("θ̂", law="spread", parameters=(θ, s**2))
best = let("c₀", θ**2 / (θ**2 + s**2))


def shrunk(factor):
    return E((factor * fair - θ) ** 2, fair)


K, N = sizes("K N")
k, n = index("k", K), index("n", N)
t, F = var("t", N), var("F", K, N)
mean = let("m", F.mean())

entry = Derivation(
    module=__name__,
    title="Bias, variance and noise",
    claim=eq(error, bias**2 + spread + σ**2),
    goal="Split the expected squared error of a prediction at one input into squared bias, variance and noise.",
    priority="critical",
    given=(
        (f, "the true value at the input"), (ε, "the noise of the observation"), (y, "what is observed"), (σ, "the noise’s standard deviation"),
        (guess, "the prediction, random through its training data; independent of the noise"),
        (θ, "a parameter"), (fair, "an unbiased estimate of it"), (s, "the estimate’s standard deviation"), (c, "a factor by which it is shrunk"), (best, "the best one"),
        (K, "training sets"), (N, "inputs"), (F, "predictions, one training set a row"), (t, "targets"), (mean, "the mean prediction"),
    ),
    prompt=f"Derive the bias–variance decomposition of {error}. Where is independence used? Which of the parts can a better model change?",
    sixty_seconds=(
        f"Write the error as {f - guess} plus the noise and square. The noise has mean 0 and is independent of the prediction, so the cross term "
        f"vanishes and the noise adds {σ**2}. What is left is the mean of {(guess - f) ** 2}: adding and subtracting {E(guess, guess)} splits it into "
        f"{bias**2} and {spread}, because a deviation from a mean has mean 0."
    ),
    strong=(
        f"Says what each mean is over: training sets for the prediction, and a fresh observation for the noise. Adds that {σ**2} is a floor for every model, and that a "
        f"biased estimate can be better than an unbiased one: the best factor to shrink by is {best.args[0]}, less than 1."
    ),
    weak="Recites the three names, but takes the mean over test inputs, so that nothing is random in the prediction: then there is no variance to speak of.",
    convention="The input is fixed; the mean is over the training data and over the noise of a new observation.",
    sanity=(
        ("No randomness", f"A constant prediction has {eq(spread, 0)}, and all of its error beyond the noise is bias."),
        ("Perfect model", f"With no bias and no variance the error is {σ**2}, and not 0."),
        ("Units", f"Every part has the units of {y} squared: areas, if {y} is a length."),
    ),
    mistakes=(
        Mistake(eq(error, bias + spread + σ**2), "The bias is not squared: its units would not fit those of the other parts."),
        Mistake(eq(error, bias**2 + spread), "The noise is forgotten: even the true function misses an observation."),
        Mistake(eq(error, bias**2 + spread + σ), f"The standard deviation stands where the variance {σ**2} belongs."),
        Mistake(eq(E((guess - f) ** 2, guess), E(guess, guess) ** 2 + spread), f"That is {E(guess**2, guess)}, the error about 0 and not about {f}."),
    ),
    prerequisites=("variance-of-mean",),
    follow_ups=("ridge-closed-form", "gaussian-mle"),
    kernels=(
        Kernel(
            "bias_variance", (F, t), (("bias_squared", (mean - t) ** 2), ("variance", ((F - mean) ** 2).mean())),
            "Squared bias and variance of predictions at each input, over training sets.",
        ),
    ),
    references=("S. Geman, E. Bienenstock and R. Doursat, “Neural Networks and the Bias/Variance Dilemma”, Neural Computation 4 (1992)", "T. Hastie, R. Tibshirani and J. Friedman, “The Elements of Statistical Learning”, section 7.3"),
)  # fmt: skip


@entry.proves(eq(E((guess - f) ** 2, guess), bias**2 + spread), "Without noise: squared bias and variance")
def noiseless():
    return (
        calc(E((guess - f) ** 2, guess))
        .eq(E(guess**2, guess) - 2 * f * E(guess, guess) + f**2,                    linearity)
        .eq((E(guess, guess) - f) ** 2 + (E(guess**2, guess) - E(guess, guess) ** 2))
        .eq(bias**2 + spread,                                                       variance, linearity)
    )  # fmt: skip


@entry.proves(eq(E((guess - f) * ε, guess, ε), 0), "The cross term vanishes")
def cross_term():
    return (
        calc(E((guess - f) * ε, guess, ε))
        .eq(E(guess - f, guess) * E(ε, ε),                                          independent)
        .eq(0,                                                                      moments)
    )  # fmt: skip


@entry.proves(eq(error, bias**2 + spread + σ**2), "Squared bias, variance and noise", main=True)
def decomposition():
    return (
        calc(error)
        .eq(E((guess - f) ** 2 - 2 * ((guess - f) * ε) + ε**2, guess, ε),           by(y))
        .eq(E((guess - f) ** 2, guess) - 2 * E((guess - f) * ε, guess, ε) + E(ε**2, ε),   linearity)
        .eq(E((guess - f) ** 2, guess) + σ**2,                                      cross_term, moments)
        .eq(bias**2 + spread + σ**2,                                                noiseless)
    )  # fmt: skip


@entry.proves(le(σ**2, error), "No prediction beats the noise")
def floor():
    return from_gap(
        calc(error - σ**2)
        .eq(bias**2 + spread,                                                       decomposition)
    )  # fmt: skip


@entry.proves(eq(shrunk(c), (1 - c) ** 2 * θ**2 + c**2 * s**2), "Shrinking trades variance for bias")
def trade():
    return (
        calc(shrunk(c))
        .eq(c**2 * E(fair**2, fair) - 2 * c * θ * E(fair, fair) + θ**2,             linearity)
        .eq(c**2 * (s**2 + θ**2) - 2 * c * θ * θ + θ**2,                            moments)
        .eq((1 - c) ** 2 * θ**2 + c**2 * s**2)
    )  # fmt: skip


@entry.proves(le(shrunk(best), shrunk(c)), "The best factor")
def best_factor():
    return from_gap(
        calc(shrunk(c) - shrunk(best))
        .eq((1 - c) ** 2 * θ**2 + c**2 * s**2 - ((1 - best) ** 2 * θ**2 + best**2 * s**2),       trade)
        .eq((θ**2 + s**2) * (c - best) ** 2,                                        by(best))
    )  # fmt: skip


@entry.proves(lt(best, 1), "The best factor is less than 1")
def shrinks():
    return from_gap(
        calc(1 - best)
        .eq(s**2 / (θ**2 + s**2),                                                   by(best))
    )  # fmt: skip


@entry.proves(
    eq(Σ((F[k, n] - t[n]) ** 2, k) / K, (mean[n] - t[n]) ** 2 + Σ((F[k, n] - mean[n]) ** 2, k) / K),
    "The same over a number of training sets",
)
def empirical():
    return (
        calc(Σ((F[k, n] - t[n]) ** 2, k) / K)
        .eq(Σ(F[k, n] ** 2, k) / K - 2 * t[n] * Σ(F[k, n], k) / K + t[n] ** 2,      linearity)
        .eq((mean[n] - t[n]) ** 2 + (Σ(F[k, n] ** 2, k) / K - mean[n] ** 2),        by(mean))
        .eq((mean[n] - t[n]) ** 2 + Σ((F[k, n] - mean[n]) ** 2, k) / K,             by(mean), linearity)
    )  # fmt: skip
