"""Covariance is bilinear, a correlation lies between −1 and 1, and covariance matrices are positive semidefinite."""

from derive.language.notation import abs_, sqrt
from derive.language.term import Σ, Cov, E, Var, array, eq, indices, le, let, lift, lt, random, sizes, var
from derive.logic.arguments import from_gap, nonnegative
from derive.logic.calc import calc
from derive.logic.rules.reasons import (
    branch,
    by,
    covariance,
    independent,
    linearity,
    product_of_sums,
    root_of_square,
    variance,
)  # fmt: skip
from derive.record import Assumption, Derivation, Kernel, Mistake

X, Y, Z = (random(name, law="square integrable", block="ω") for name in "XYZ")
U = random("U", law="square integrable")
a, b = var("a"), var("b")
cov = Cov(X, Y, X, Y)
ρ = let("ρ", cov / sqrt(Var(X, X) * Var(Y, Y)))
β = let("β", cov / Var(X, X))
residual = Var(Y - β * X, X, Y)

K, N = sizes("K N")
i, j = indices("i j", K)
V, w = random("V", K, law="square integrable"), var("w", K)
C = let("C", array(Cov(V[i], V[j], V), i, j))
combined = Σ(w[i] * V[i], i)

D = var("D", N, K)
centred = D - D.mean()
A1, A2 = lt(0, Var(X, X)), lt(0, Var(Y, Y))

entry = Derivation(
    module=__name__,
    title="Covariance and correlation",
    claim=le(abs_(ρ), 1),
    goal="Show that covariance is bilinear, that a correlation is at most 1 in size, and that every covariance matrix is positive semidefinite.",
    priority="important",
    given=(
        (X, "a random variable"), (Y, "a second one, which may depend on it"), (Z, "a third"), (U, "one that is independent of them"),
        (a, "a number"), (b, "another"), (ρ, "the correlation"), (β, "the slope of the best line"),
        (K, "features"), (V, "a random vector"), (w, "weights"), (C, "its covariance matrix"), (N, "examples"), (D, "data, one example a row"),
    ),
    assumptions=(Assumption(A1, "not constant"), Assumption(A2, "not constant")),
    prompt=f"Define covariance and correlation. Why is {le(abs_(ρ), 1)}, and why is a covariance matrix never negative along any direction?",
    sixty_seconds=(
        f"Covariance is the mean of the product of two deviations; since the mean is linear, it is linear in each argument. For correlation, look at what the best line leaves: "
        f"{residual} is {Var(Y, Y) * (1 - ρ**2)}. It is a variance and never negative, so {le(ρ**2, 1)}. The same thought for a vector: the weights give "
        f"{Var(combined, V)}, which is the quadratic form of the covariance matrix."
    ),
    strong=(
        f"Reads the proof backwards: {ρ**2} is the share of the variance that a line explains, and {eq(abs_(ρ), 1)} says that the line leaves nothing. Adds that a covariance of 0 "
        "follows from independence, and not the other way round."
    ),
    weak="Says that correlation is covariance made free of units, which is true, but then the bound is a fact to be remembered and has no reason.",
    convention="Every mean is over all the random variables inside it. All have a finite second moment.",
    sanity=(
        ("Units", f"{ρ} has none: its numerator and its denominator both have those of {X * Y}."),
        ("Itself", f"{eq(Cov(X, X, X), Var(X, X))}, so the correlation of a variable with itself is 1."),
        ("Slope", f"{β} has the sign of {cov}."),
    ),
    mistakes=(
        Mistake(eq(Var(X + Y, X, Y), Var(X, X) + Var(Y, Y)), f"{2 * cov} is missing: variances add up where the covariance is 0."),
        Mistake(eq(Var(a * X, X), a * Var(X, X)), f"A variance is a square: the factor is {a**2}."),
        Mistake(eq(cov, E(X * Y, X, Y)), "The means have not been taken off: that holds where one of them is 0."),
        Mistake(eq(residual, Var(Y, Y) * (1 - ρ)), f"The share of variance that is explained is {ρ**2}, and not {ρ}."),
    ),
    prerequisites=("variance-of-mean",),
    follow_ups=("cauchy-schwarz", "pca-max-variance"),
    kernels=(
        Kernel("covariance_matrix", (D,), (("covariance", centred.T @ centred / N),), "The covariance matrix of data, over all examples."),
    ),
    references=("L. Wasserman, “All of Statistics”, section 3.3", "G. Grimmett and D. Stirzaker, “Probability and Random Processes”, section 3.6"),
)  # fmt: skip


@entry.proves(eq(cov, E(X * Y, X, Y) - E(X, X) * E(Y, Y)), "The product of the means taken off")
def product_form():
    return (
        calc(cov)
        .eq(E((X - E(X, X)) * (Y - E(Y, Y)), X, Y),                                 covariance, linearity)
        .eq(E(X * Y, X, Y) - E(X, X) * E(Y, Y),                                     linearity)
    )  # fmt: skip


@entry.proves(eq(Cov(Y, X, X, Y), cov), "Symmetric")
def symmetric():
    return (
        calc(Cov(Y, X, X, Y))
        .eq(E((Y - E(Y, Y)) * (X - E(X, X)), X, Y),                                 covariance, linearity)
        .eq(cov,                                                                    covariance, linearity)
    )  # fmt: skip


@entry.proves(
    eq(Cov(a * X + b * Z, Y, X, Y, Z), a * cov + b * Cov(Z, Y, Y, Z)), "Linear in the first argument, and so in each"
)
def bilinear():
    return (
        calc(Cov(a * X + b * Z, Y, X, Y, Z))
        .eq(E((a * (X - E(X, X)) + b * (Z - E(Z, Z))) * (Y - E(Y, Y)), X, Y, Z),    covariance, linearity)
        .eq(a * E((X - E(X, X)) * (Y - E(Y, Y)), X, Y) + b * E((Z - E(Z, Z)) * (Y - E(Y, Y)), Y, Z),      linearity)
        .eq(a * cov + b * Cov(Z, Y, Y, Z),                                          covariance, linearity)
    )  # fmt: skip


@entry.proves(eq(Var(a * X + b, X), a**2 * Var(X, X)), "Shift and scale")
def scaled():
    return (
        calc(Var(a * X + b, X))
        .eq(E((a * (X - E(X, X))) ** 2, X),                                         variance, linearity)
        .eq(a**2 * Var(X, X),                                                       variance, linearity)
    )  # fmt: skip


@entry.proves(eq(Var(X + Y, X, Y), Var(X, X) + Var(Y, Y) + 2 * cov), "The variance of a sum")
def of_sum():
    return (
        calc(Var(X + Y, X, Y))
        .eq(E(((X - E(X, X)) + (Y - E(Y, Y))) ** 2, X, Y),                          variance, linearity)
        .eq(E((X - E(X, X)) ** 2, X) + E((Y - E(Y, Y)) ** 2, Y) + 2 * E((X - E(X, X)) * (Y - E(Y, Y)), X, Y),     linearity)
        .eq(Var(X, X) + Var(Y, Y) + 2 * cov,                                        variance, covariance, linearity)
    )  # fmt: skip


@entry.proves(eq(Cov(X, U, X, U), 0), "Independent variables are uncorrelated")
def uncorrelated():
    return (
        calc(Cov(X, U, X, U))
        .eq(E(X * U, X, U) - E(X, X) * E(U, U),                                     covariance, linearity)
        .eq(0,                                                                      independent)
    )  # fmt: skip


@entry.proves(eq(residual, Var(Y, Y) - cov**2 / Var(X, X)), "What the best line leaves")
def left_over():
    return (
        calc(residual)
        .eq(E(((Y - E(Y, Y)) - β * (X - E(X, X))) ** 2, X, Y),                      variance, linearity)
        .eq(E((Y - E(Y, Y)) ** 2, Y) - 2 * β * E((X - E(X, X)) * (Y - E(Y, Y)), X, Y) + β**2 * E((X - E(X, X)) ** 2, X),      linearity)
        .eq(Var(Y, Y) - 2 * β * cov + β**2 * Var(X, X),                             variance, covariance, linearity)
        .eq(Var(Y, Y) - cov**2 / Var(X, X),                                         by(β))
    )  # fmt: skip


@entry.proves(eq(1 - ρ**2, residual / Var(Y, Y)), "The share that is left")
def share():
    return (
        calc(1 - ρ**2)
        .eq(1 - cov**2 / sqrt(Var(X, X) * Var(Y, Y)) ** 2,                          by(ρ))
        .eq(1 - cov**2 / (Var(X, X) * Var(Y, Y)),                                   root_of_square)
        .eq((Var(Y, Y) - cov**2 / Var(X, X)) / Var(Y, Y))
        .eq(residual / Var(Y, Y),                                                   left_over)
    )  # fmt: skip


@entry.proves(le(ρ**2, 1), "A squared correlation is at most 1")
def squared():
    return from_gap(
        calc(1 - ρ**2)
        .eq(residual / Var(Y, Y),                                                   share)
    )  # fmt: skip


@entry.proves(le(abs_(ρ), 1), "A correlation is at most 1 in size", main=True)
def bounded():
    return (
        calc(abs_(ρ))
        .eq(sqrt(ρ**2),                                                             root_of_square)
        .le(sqrt(lift(1) ** 2),                                                     squared)
        .eq(1,                                                                      root_of_square, branch("abs", 0))
    )  # fmt: skip


@entry.proves(eq(Var(combined, V), w @ C @ w), "The quadratic form of a covariance matrix")
def quadratic_form():
    gaps = Σ(w[i] * (V[i] - E(V[i], V)), i)
    return (
        calc(Var(combined, V))
        .eq(E(gaps * gaps, V),                                                      variance, linearity)
        .eq(Σ(w[i] * w[j] * E((V[i] - E(V[i], V)) * (V[j] - E(V[j], V)), V), i, j),      product_of_sums, linearity)
        .eq(Σ(w[i] * w[j] * C[i, j], j, i),                                         by(C), covariance)
        .eq(w @ C @ w,                                                              linearity)
    )  # fmt: skip


@entry.proves(le(0, w @ C @ w), "A covariance matrix is positive semidefinite")
def semidefinite():
    return nonnegative(
        calc(w @ C @ w)
        .eq(Var(combined, V),                                                       quadratic_form)
    )  # fmt: skip
