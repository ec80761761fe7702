"""Var z = ½·n·v·Var y: a rectifier passes on half of a symmetric signal’s mean square, so weights need twice the variance."""

from fractions import Fraction

from derive.language.notation import abs_, relu, sqrt
from derive.language.term import Σ, E, Var, eq, iff, indices, let, lift, lt, random, sizes, var
from derive.logic.arguments import by_cases
from derive.logic.calc import calc
from derive.logic.rules.reasons import (
    branch,
    by,
    independence,
    independent,
    linearity,
    moments,
    multiplied,
    parity,
    product_of_sums,
    sift,
    sign_times_size,
    symmetry,
    variance,
)  # fmt: skip
from derive.record import Assumption, Derivation, Kernel, Mistake, Number

d, n = sizes("d n_in")
(k, l), (j, h) = indices("k l", d), indices("j h", n)
s, v, t = var("s", dom="positive"), var("v", dom="positive"), var("t")
x = var("x", d)
U = random("U", n, d, law="symmetric", parameters=(s,))
w = random("w", n, law="spread", parameters=(0, v))
y = let("y", U @ x)
z = let("z", w @ relu(y))
power = let("p", Σ(x[k] ** 2, k))
spread = Var(y[j], U)
inputs = var("fan_in", dom="positive")

entry = Derivation(
    module=__name__,
    title="He initialisation",
    claim=eq(Var(z, w, U), n * v / 2 * spread),
    goal="Find the variance of random weights that keeps the variance of the pre-activations through layers of rectifiers.",
    priority="critical",
    given=(
        (d, "inputs of the layer below"), (n, "inputs of the layer"), (x, "the input of the layer below, fixed"), (power, "the sum of its squares"),
        (U, "the weights of the layer below"), (s, "their variance"), (y, "its pre-activations"),
        (w, "the weights of one unit of the layer, independent of those below"), (v, "their variance"), (z, "its pre-activation"), (t, "a number"), (relu(t), "the positive part"), (abs_(t), "the absolute value"), (inputs, "the number of inputs, for the kernel"),
    ),
    assumptions=(Assumption(lt(0, power), "the input is not 0"),),
    prompt=f"Why do layers of rectifiers start with weights of variance {2 / n}, twice that of Xavier’s? Derive the factor.",
    sixty_seconds=(
        f"As for Xavier, {eq(Var(z, w, U), n * v * E(relu(y[j]) ** 2, U))}: what enters is the mean square of the input. Now flip the sign of all weights below: their law is symmetric, so {y[j]} and "
        f"{-y[j]} are alike, and the squares of the two positive parts add up to {y[j] ** 2}. So each has half of its mean, and the variance is kept if {eq(n * v / 2, 1)}."
    ),
    strong=(
        f"Says that it is the mean square that is halved: the variance of {relu(y[j])} is smaller than {spread / 2}, since its mean is not 0. Says as well that symmetry of the weights is enough, with no normal distribution."
    ),
    weak="Says that half of the units are off, so that half of the variance is lost: right by luck, since the mean of those that are on is not 0, and a variance does not split so.",
    convention=f"{U} has a row for each output, and {w} is such a row of the layer above. All weights are independent, and the input is any fixed one.",
    sanity=(
        ("Identity", f"Without the rectifier the factor would be {n * v}, which is Xavier’s."),
        ("Scale", f"The condition does not depend on {s}: a rectifier passes factors on."),
        ("Depth", f"With Xavier’s {1 / n} each layer halves the variance: after ten layers {lift(Fraction(1, 1024))} is left."),
    ),
    mistakes=(
        Mistake(eq(Var(z, w, U), n * v * spread), "The rectifier is forgotten: it takes half of the mean square away."),
        Mistake(eq(Var(z, w, U), n * v * Var(relu(y[j]), U)), f"The mean square of {relu(y[j])} enters, and it is more than the variance because the mean is positive."),
        Mistake(eq(relu(t) ** 2, t**2 / 2), f"Half is right on average, and for no single {t} but 0."),
        Mistake(eq(E(relu(y[j]), U), 0), "Only the pre-activation has mean 0: its positive part is never negative."),
    ),
    prerequisites=("xavier-init", "relu-derivative"),
    follow_ups=("vanishing-exploding-gradients", "batchnorm-backward"),
    kernels=(
        Kernel("he_deviation", (inputs,), (("deviation", sqrt(2 / inputs)),), "Standard deviation of He weights, from the number of inputs."),
    ),
    numbers=(
        Number(sqrt(lift(Fraction(2, 784))), "0.0505", "the standard deviation of weights from 784 inputs"),
        Number(lift(Fraction(1, 2)) ** 30, "9.3e-10", "the share of the variance that 30 layers of rectifiers leave with Xavier’s weights"),
    ),
    references=("K. He, X. Zhang, S. Ren and J. Sun, “Delving Deep into Rectifiers”, ICCV 2015, section 2.2",),
)  # fmt: skip


@entry.proves(eq(relu(t), (t + abs_(t)) / 2), "The positive part and the absolute value")
def by_absolute():
    def case(number, part, size):
        return (
            calc(relu(t))
            .eq(part,                                                               branch("relu", number))
            .eq((t + size) / 2)
            .eq((t + abs_(t)) / 2,                                                  branch("abs", number))
        )  # fmt: skip

    return by_cases(t, case(0, t, t), case(1, lift(0), -t))


@entry.proves(eq(relu(t) ** 2 + relu(-t) ** 2, t**2), "The squares of a number’s two positive parts")
def halves():
    return (
        calc(relu(t) ** 2 + relu(-t) ** 2)
        .eq(((t + abs_(t)) / 2) ** 2 + ((-t + abs_(-t)) / 2) ** 2,                  by_absolute)
        .eq((t**2 + abs_(t) ** 2) / 2,                                                     parity)
        .eq(t**2,                                                                   sign_times_size)
    )  # fmt: skip


@entry.proves(eq(E(relu(y[j]) ** 2, U), E(y[j] ** 2, U) / 2), "A rectifier passes on half of the mean square")
def half():
    below = Σ(U[j, k] * x[k], k)
    return (
        calc(E(relu(y[j]) ** 2, U))
        .eq(E(relu(below) ** 2, U),                                              by(y))
        .eq((E(relu(below) ** 2, U) + E(relu(-below) ** 2, U)) / 2,           symmetry, linearity)
        .eq(E(relu(below) ** 2 + relu(-below) ** 2, U) / 2,                      linearity)
        .eq(E(below**2, U) / 2,                                                  halves)
        .eq(E(y[j] ** 2, U) / 2,                                                 by(y))
    )  # fmt: skip


@entry.proves(eq(spread, E(y[j] ** 2, U)), "A pre-activation has mean 0")
def centred():
    return (
        calc(spread)
        .eq(E(y[j] ** 2, U) - E(y[j], U) ** 2,                                variance, linearity)
        .eq(E(y[j] ** 2, U) - Σ(E(U[j, k], U) * x[k], k) ** 2,                   by(y), linearity)
        .eq(E(y[j] ** 2, U),                                                     moments, linearity)
    )  # fmt: skip


@entry.proves(eq(spread, s * power), "All pre-activations have one variance")
def below():
    return (
        calc(spread)
        .eq(E(y[j] * y[j], U),                                                   centred)
        .eq(Σ(E(U[j, k] * U[j, l], U) * (x[k] * x[l]), k, l),                       by(y), product_of_sums, linearity)
        .eq(Σ(s * x[k] ** 2, k),                                                    independence, moments, sift)
        .eq(s * power,                                                              by(power), linearity)
    )  # fmt: skip


@entry.proves(eq(Var(z, w, U), v * Σ(E(relu(y[j]) ** 2, U), j)), "The variance of a pre-activation above")
def above():
    return (
        calc(Var(z, w, U))
        .eq(E(z ** 2, w, U) - Σ(E(w[j] * relu(y[j]), w, U), j) ** 2,    variance, by(z), linearity)
        .eq(E(z ** 2, w, U) - Σ(E(w[j], w) * E(relu(y[j]), U), j) ** 2,      independent)
        .eq(E(z * z, w, U),                                                moments, linearity)
        .eq(Σ(E(w[j] * w[h] * (relu(y[j]) * relu(y[h])), w, U), j, h),     by(z), product_of_sums, linearity)
        .eq(Σ(E(w[j] * w[h], w) * E(relu(y[j]) * relu(y[h]), U), j, h),    independent)
        .eq(Σ(v * E(relu(y[j]) ** 2, U), j),                                     independence, moments, sift)
        .eq(v * Σ(E(relu(y[j]) ** 2, U), j),                                     linearity)
    )  # fmt: skip


@entry.proves(eq(Var(z, w, U), n * v / 2 * spread), "From layer to layer", main=True)
def through():
    return (
        calc(Var(z, w, U))
        .eq(v * Σ(E(relu(y[j]) ** 2, U), j),                                     above)
        .eq(v * Σ(spread / 2, j),                                                   half, centred)
        .eq(v * Σ(s * power / 2, j),                                                below)
        .eq(n * v / 2 * (s * power),                                                linearity)
        .eq(n * v / 2 * spread,                                                     below)
    )  # fmt: skip


@entry.proves(iff(eq(Var(z, w, U), spread), eq(v, 2 / n)), "The variance is kept")
def kept():
    return (
        calc(eq(Var(z, w, U), spread))
        .iff(eq(n * v / 2 * (s * power), s * power),                                through, below)
        .iff(eq(v, 2 / n),                                                          multiplied(eq(v, 2 / n), n * s * power / 2))
    )  # fmt: skip
