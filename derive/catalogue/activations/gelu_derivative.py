"""d/dx x·Φ(x) = Φ(x) + x·φ(x): the derivative of the Gaussian error linear unit, exact and in its tanh form."""

from fractions import Fraction

from derive.language.notation import erf, exp, gelu, relu, sqrt, tanh, π
from derive.language.term import D, Term, eq, let, lift, var
from derive.logic.calc import calc
from derive.logic.rules.reasons import (
    by,
    derivative,
    erf_rule,
    linearity,
    parity,
    power_rule,
    product_rule,
    root_of_product,
    root_of_square,
)  # fmt: skip
from derive.record import Derivation, Kernel, Mistake, Number

x = var("x")
two, half = lift(2), lift(Fraction(1, 2))
c = let("c", lift(Fraction(44715, 1000000)))


def cdf(u: Term) -> Term:
    """Return the standard normal distribution function."""
    return (1 + erf(u / sqrt(two))) / 2


def pdf(u: Term) -> Term:
    """Return the standard normal density."""
    return exp(-(u**2 / 2)) / sqrt(2 * π)


Φ, φ = let("Φ", cdf(x)), let("φ", pdf(x))
s = let("s", sqrt(2 / π) * (x + c * x**3))
approximate = x / 2 * (1 + tanh(s))
approximate_slope = (1 + tanh(s)) / 2 + x / 2 * (1 - tanh(s) ** 2) * (sqrt(2 / π) * (1 + 3 * c * x**2))

entry = Derivation(
    module=__name__,
    title="The derivative of GELU",
    claim=eq(D(gelu(x), x), Φ + x * φ),
    goal="Differentiate the Gaussian error linear unit exactly, and its approximation by tanh as it is used in code.",
    priority="important",
    given=(
        (x, "a real number"),
        (gelu(x), "the Gaussian error linear unit"),
        (Φ, "the probability that a standard normal number is at most the argument"),
        (φ, "the standard normal density there"),
        (s, "the argument of tanh in the approximation"),
        (c, "a constant that was fitted"),
    ),
    convention=f"The error function has the derivative {2 * exp(-(x**2)) / sqrt(π)}. {eq(Φ, cdf(x))} and {eq(φ, pdf(x))} are taken at {x} throughout.",
    prompt=f"GELU is {x * Φ}, with the standard normal distribution function. Derive its derivative. Which approximation do libraries offer, and what is its derivative?",
    sixty_seconds=(
        f"The product rule gives {Φ} plus {x} times the derivative of {Φ}, and that is the density {φ}: the inner factor {1 / sqrt(two)} and the {2 / sqrt(π)} of the "
        f"error function make {1 / sqrt(2 * π)} once the half is counted. So the slope is {Φ + x * φ}: the gate, and what moving the gate does. "
        f"The usual approximation replaces {Φ} by {(1 + tanh(s)) / 2}, with a cubic {s}; its slope has the same two parts, with {1 - tanh(s) ** 2} times the slope of {s}."
    ),
    strong=(
        f"Keeps the exact and the approximate form apart, since they are different functions with different gradients, and computes {Φ} for very negative {x} from the complementary error "
        f"function: {cdf(x)} rounds to 0 there."
    ),
    weak=f"Differentiates the gate only, or leaves the factor {1 / sqrt(two)} out of the inner derivative, so that the density is off by a constant.",
    sanity=(
        ("Value", f"At {eq(x, 0)} the slope is {half}."),
        ("Limits", f"For large {x} the slope tends to 1 and for very negative {x} to 0, as the positive part’s does."),
        ("Symmetry", f"Since {eq(erf(-x), -erf(x))}, {gelu(x)} and {gelu(-x)} differ by {x}, just as {relu(x)} and {relu(-x)} do."),
    ),
    mistakes=(
        Mistake(eq(D(gelu(x), x), Φ), f"The gate depends on {x} too: {x * φ} is missing."),
        Mistake(eq(D(gelu(x), x), Φ + φ), f"The second part of the product rule keeps its factor {x}."),
        Mistake(eq(D(Φ, x), exp(-(x**2)) / sqrt(π)), f"The argument of the error function is {x / sqrt(two)}, and its inner derivative is missing."),
        Mistake(eq(gelu(x), approximate), "The form with tanh is an approximation: the two differ in the fourth decimal."),
    ),
    prerequisites=("silu-derivative", "tanh-derivative", "relu-derivative"),
    follow_ups=("mlp-backprop",),
    kernels=(
        Kernel("gelu", (x,), (("value", gelu(x)),), "The Gaussian error linear unit.", textbook=gelu(x)),
        Kernel("gelu_derivative", (x,), (("derivative", Φ + x * φ),), "The derivative of the Gaussian error linear unit.", textbook=gelu(x), proved_by=("exact",)),
        Kernel("gelu_tanh", (x,), (("value", approximate),), "The approximation of the Gaussian error linear unit by tanh.", textbook=approximate),
        Kernel("gelu_tanh_derivative", (x,), (("derivative", approximate_slope),), "The derivative of the approximation by tanh.", textbook=approximate, proved_by=("approximation",)),
    ),
    numbers=(
        Number(cdf(lift(1)), "0.8413", "the probability below one standard deviation, and GELU at 1"),
        Number(lift(1) / 2 * (1 + tanh(sqrt(2 / π) * (1 + c))), "0.8412", "the approximation by tanh at 1"),
        Number(c, "0.044715", "the fitted constant"),
        Number(cdf(lift(-1)) - pdf(lift(-1)), "−0.0833", "the slope at −1: GELU is not monotone either"),
    ),
    references=("D. Hendrycks and K. Gimpel, Gaussian error linear units (GELUs), 2016", "Abramowitz and Stegun, Handbook of Mathematical Functions, 7.1"),
)  # fmt: skip


@entry.proves(eq(D(Φ, x), φ), "The density is the slope of the distribution function")
def density():
    return (
        calc(D(Φ, x))
        .eq(D(cdf(x), x),                                                        by(Φ))
        .eq(2 * exp(-((x / sqrt(two)) ** 2)) / sqrt(π) * (1 / sqrt(two)) / 2,    linearity, erf_rule)
        .eq(exp(-(x**2 / sqrt(two) ** 2)) / (sqrt(two) * sqrt(π)))
        .eq(exp(-(x**2 / 2)) / (sqrt(two) * sqrt(π)),                            root_of_square)
        .eq(exp(-(x**2 / 2)) / sqrt(2 * π),                                      root_of_product)
        .eq(φ,                                                                   by(φ))
    )  # fmt: skip


@entry.proves(eq(D(gelu(x), x), Φ + x * φ), "Derivative of GELU", main=True)
def exact():
    return (
        calc(D(gelu(x), x))
        .eq(D(x * Φ, x),                                                         by("gelu", Φ))
        .eq(D(x, x) * Φ + x * D(Φ, x),                                           product_rule)
        .eq(Φ + x * φ,                                                           linearity, density)
    )  # fmt: skip


@entry.proves(eq(gelu(x) - gelu(-x), x), "Reflection")
def reflection():
    return (
        calc(gelu(x) - gelu(-x))
        .eq(x * cdf(x) - -x * ((1 + erf(-(x / sqrt(two)))) / 2),                 by("gelu"))
        .eq(x * cdf(x) + x * ((1 - erf(x / sqrt(two))) / 2),                     parity)
        .eq(x)
    )  # fmt: skip


@entry.proves(eq(D(approximate, x), approximate_slope), "Derivative of the approximation by tanh")
def approximation():
    return (
        calc(D(approximate, x))
        .eq(D(x / 2, x) * (1 + tanh(s)) + x / 2 * D(1 + tanh(s), x),             product_rule)
        .eq((1 + tanh(s)) / 2 + x / 2 * D(tanh(s), x),                           linearity)
        .eq((1 + tanh(s)) / 2 + x / 2 * ((1 - tanh(s) ** 2) * D(s, x)),          derivative("tanh"))
        .eq(approximate_slope,                                                   by(s), linearity, power_rule)
    )  # fmt: skip
