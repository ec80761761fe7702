"""The relative entropy of two Gaussians: of one variable, of independent ones, with full covariances, and to 𝒩(0, I)."""

from fractions import Fraction

from derive.language.notation import exp, expgap, kl, log, π
from derive.language.term import (
    TRUE,
    Σ,
    E,
    array,
    both,
    det,
    eq,
    iff,
    indices,
    inv,
    invertible,
    le,
    let,
    lift,
    lt,
    posdef,
    random,
    sizes,
    trace,
    var,
)
from derive.logic.arguments import carried, discharged, nonnegative
from derive.logic.calc import calc
from derive.logic.rules.reasons import (
    by,
    exponent_sum,
    independence,
    inverse,
    inverse_pair,
    linearity,
    log_rules,
    moments,
    multiplied,
    negative_exponent,
    product_of_sums,
    regular,
    sift,
    zero_set,
)
from derive.record import Assumption, Derivation, Kernel, Mistake

half = lift(Fraction(1, 2))
N, d = sizes("N d"); (n,), (i, j, k, l) = indices("n", N), indices("i j k l", d)


def log_density(x, mean, deviation):
    """The logarithm of a Gaussian density of one variable."""
    return -log(2 * π * deviation**2) / 2 - (x - mean) ** 2 / (2 * deviation**2)


# one variable: x = μ + σε under the first Gaussian
m1, s1, m2, s2 = var("μ₁"), var("σ₁", dom="positive"), var("μ₂"), var("σ₂", dom="positive")
ε = random("ε", law="standard")
x = let("x", m1 + s1 * ε)
kl_1 = let("KL₁", E(log_density(x, m1, s1) - log_density(x, m2, s2), ε))
formula = log(s2 / s1) + (s1**2 + (m1 - m2) ** 2) / (2 * s2**2) - half

# independent variables
M1, S1, M2, S2 = var("m₁", d), var("s₁", d, dom="positive"), var("m₂", d), var("s₂", d, dom="positive")
η = random("η", d, law="standard")
y = let("y", M1 + S1 * η)
kl_d = let("KL_d", E(Σ(log_density(y[i], M1[i], S1[i]) - log_density(y[i], M2[i], S2[i]), i), η))
kl_0 = let("KL_0", E(Σ(log_density(y[i], M1[i], S1[i]) + log(2 * π) / 2 + y[i] ** 2 / 2, i), η))

# full covariances: z = a + Lη under the first Gaussian, and its covariance is A = LLᵀ
a, b, L = var("a", d), var("b", d), var("L", d, d)
A, B = let("A", L @ L.T), var("B", d, d, dom="definite")
noise = let("u", L @ η)
apart = let("Δ", a - b)


def log_full(offset, covariance):
    """The logarithm of a Gaussian density with full covariance, at an offset from the mean."""
    square = Σ(offset(i) * inv(covariance)[i, j] * offset(j), i, j)
    return -(d * log(2 * π) + log(det(covariance)) + square) / 2


kl_full = let("KL_f", E(log_full(lambda i: noise[i], A) - log_full(lambda i: apart[i] + noise[i], B), η))
full = half * (trace(inv(B) @ A) + apart @ (inv(B) @ apart) - d + log(det(B)) - log(det(A)))

# a batch of independent variables, from means and logarithms of variances
P, V, Q, W, u = var("P", N, d), var("V", N, d), var("Q", N, d), var("W", N, d), var("t")
S, T = let("S", exp(V / 2)), let("T", exp(W / 2))
rows_kl = let("KL_N", array(Σ(log(T[n, i] / S[n, i]) + (S[n, i] ** 2 + (P[n, i] - Q[n, i]) ** 2) / (2 * T[n, i] ** 2) - half, i), n))
gaps = Σ(expgap(V[n, i] - W[n, i]) + (P[n, i] - Q[n, i]) ** 2 * exp(-W[n, i]), i) / 2

entry = Derivation(
    module=__name__,
    title="The relative entropy of two Gaussians",
    claim=eq(kl_1, formula),
    goal="Compute the relative entropy of one Gaussian with respect to another, from their means and variances alone.",
    priority="critical",
    given=(
        (m1, "mean of the first Gaussian"), (s1, "its standard deviation"), (m2, "mean of the second"), (s2, "its standard deviation"), (ε, "standardised noise"), (x, "a draw from the first"), (kl_1, "relative entropy, one variable"),
        (d, "number of variables"), (M1, "means of the first, independent variables"), (S1, "standard deviations"), (M2, "means of the second"), (S2, "standard deviations"), (η, "standardised noise"), (y, "a draw from the first"),
        (kl_d, "relative entropy, independent variables"), (kl_0, "relative entropy with respect to independent standard Gaussians"),
        (a, "mean of the first, dependent variables"), (b, "mean of the second"), (apart, "difference of the means"), (L, "a root of the first covariance"), (A, "covariance of the first"), (B, "covariance of the second"),
        (noise, "what a draw from the first adds to its mean"), (kl_full, "relative entropy, full covariances"),
        (N, "number of pairs"), (P, "means of the first, one pair a row"), (V, "logarithms of its variances"), (Q, "means of the second"), (W, "logarithms of its variances"), (S, "standard deviations of the first"), (T, "of the second"),
        (rows_kl, "relative entropy of each pair"), (u, "a real number"),
    ),
    assumptions=(
        Assumption(posdef(A), "the first covariance is positive definite"),
        Assumption(posdef(B), "so is the second"),
    ),
    convention=(
        f"Logarithms are natural. The mean is under the first Gaussian, whose draws are its mean and scaled noise: {eq(x, m1 + s1 * ε)}. Only the mean and the variance of the noise enter, since the logarithms of the two densities are "
        f"quadratic. {kl(1, s1**2 / s2**2)} is the gap {-log(s1**2 / s2**2) - 1 + s1**2 / s2**2}, never negative and 0 for equal variances, and {expgap(u)} is {exp(u) - 1 - u}."
    ),
    prompt="Derive the KL divergence of two Gaussians. What becomes of it if the second one is the standard Gaussian, as in a variational autoencoder, and what if the covariances are full?",
    sixty_seconds=(
        f"It is the mean of the difference of two log densities, under the first. The normalisations differ by {log(s2 / s1)}. What is left are two squares: {(x - m1) ** 2} has the mean {s1**2}, which leaves {-half}; "
        f"{(x - m2) ** 2} has the mean {s1**2 + (m1 - m2) ** 2}, the variance and the squared distance of the means. Together {formula}. Independent variables add up. Against the standard Gaussian this becomes "
        f"{Σ(M1[i] ** 2 + S1[i] ** 2 - 1 - log(S1[i] ** 2), i) / 2}. With full covariances the squares become quadratic forms: the first has the mean {trace(inv(B) @ A)}, and the log ratio is that of the determinants."
    ),
    strong=(
        f"Sorts the terms by what they punish: {kl(1, s1**2 / s2**2) / 2} for the variances and {(m1 - m2) ** 2 / (2 * s2**2)} for the means, each never negative, so the case of equality is seen at once. "
        "Points out that the distance of the means counts in units of the second deviation, which is what makes it unsymmetric."
    ),
    weak="Remembers a formula with logarithms, a ratio of variances and a half, and does not know which Gaussian is in the denominator. A check with equal variances settles it: then only the means are left.",
    sanity=(
        ("Special value", f"For {eq(s1, s2)} it is {(m1 - m2) ** 2 / (2 * s2**2)}, which stays the same if the two change places."),
        ("Limit", f"As {s1} goes to 0, {log(s2 / s1)} grows without bound: a point is infinitely far from any density."),
        ("Shape", f"{apart @ (inv(B) @ apart)} is a number, as {trace(inv(B) @ A)} is; with diagonal covariances both are the sums of the independent case."),
    ),
    mistakes=(
        Mistake(eq(kl_1, log(s1 / s2) + (s1**2 + (m1 - m2) ** 2) / (2 * s2**2) - half), "The logarithm is turned round: a narrow first Gaussian would be cheap."),
        Mistake(eq(kl_1, log(s2 / s1) + (s2**2 + (m1 - m2) ** 2) / (2 * s1**2) - half), "The second Gaussian is the one whose variance divides: the mean is under the first."),
        Mistake(eq(kl_1, log(s2 / s1) + (s1**2 + (m1 - m2) ** 2) / (2 * s2**2)), f"The first Gaussian’s own square is left out: its mean is the {-half}."),
        Mistake(eq(kl_0, Σ(M1[i] ** 2 + S1[i] - 1 - log(S1[i]), i) / 2), "The standard deviation stands where the variance belongs."),
        Mistake(eq(rows_kl[n], Σ(expgap(V[n, i] - W[n, i]) + (P[n, i] - Q[n, i]) ** 2 * exp(-V[n, i]), i) / 2), "The means’ distance is measured in the second variance."),
    ),
    prerequisites=("gibbs-inequality",),
    follow_ups=("elbo",),
    kernels=(
        Kernel("gaussian_kl", (P, V, Q, W), (("divergence", array(gaps, n)),), "Relative entropy of Gaussians with independent variables, row by row, from means and log variances.", proved_by=("rows",)),
    ),
    references=("D. P. Kingma and M. Welling, “Auto-Encoding Variational Bayes”, ICLR 2014, appendix B", "K. B. Petersen and M. S. Pedersen, The Matrix Cookbook, section 8.2"),
)  # fmt: skip


@entry.proves(eq(kl_1, formula), "One variable", main=True)
def univariate():
    return (
        calc(kl_1)
        .eq(E(log(2 * π * s2**2) / 2 - log(2 * π * s1**2) / 2 + (x - m2) ** 2 / (2 * s2**2) - (x - m1) ** 2 / (2 * s1**2), ε),     by(kl_1))
        .eq(E(log(s2 / s1) + (m1 - m2 + s1 * ε) ** 2 / (2 * s2**2) - ε**2 / 2, ε),  by(x), log_rules)
        .eq(formula,                                                                linearity, moments)
    )  # fmt: skip


@entry.proves(eq(kl_1, kl(1, s1**2 / s2**2) / 2 + (m1 - m2) ** 2 / (2 * s2**2)), "What the variances and the means add")
def gap():
    return (
        calc(kl_1)
        .eq(log(s2 / s1) + (s1**2 + (m1 - m2) ** 2) / (2 * s2**2) - half,           univariate)
        .eq((-log(s1**2 / s2**2) - 1 + s1**2 / s2**2) / 2 + (m1 - m2) ** 2 / (2 * s2**2),   log_rules)
        .eq(kl(1, s1**2 / s2**2) / 2 + (m1 - m2) ** 2 / (2 * s2**2),                by("kl"), log_rules)
    )  # fmt: skip


@entry.proves(le(0, kl_1), "Never negative")
def lower():
    return nonnegative(
        calc(kl_1)
        .eq(kl(1, s1**2 / s2**2) / 2 + (m1 - m2) ** 2 / (2 * s2**2),                gap)
    )  # fmt: skip


@entry.proves(iff(eq(kl_1, 0), both(eq(s1, s2), eq(m1, m2))), "Zero exactly for equal Gaussians")
def equality():
    return (
        calc(eq(kl_1, 0))
        .iff(eq(kl(1, s1**2 / s2**2) / 2 + (m1 - m2) ** 2 / (2 * s2**2), 0),        gap)
        .iff(both(eq(1, s1**2 / s2**2), eq(m1 - m2, 0)),                            zero_set)
        .iff(both(eq(s1, s2), eq(m1, m2)),                                          multiplied(eq(s1, s2), -(s1 + s2) / s2**2), multiplied(eq(m1, m2), lift(1)))
    )  # fmt: skip


@entry.proves(eq(kl_d, Σ(log(S2[i] / S1[i]) + (S1[i] ** 2 + (M1[i] - M2[i]) ** 2) / (2 * S2[i] ** 2) - half, i)), "Independent variables")
def diagonal():
    return (
        calc(kl_d)
        .eq(E(Σ(log(2 * π * S2[i]**2) / 2 - log(2 * π * S1[i]**2) / 2 + (y[i] - M2[i]) ** 2 / (2 * S2[i]**2) - (y[i] - M1[i]) ** 2 / (2 * S1[i]**2), i), η),   by(kl_d))
        .eq(E(Σ(log(S2[i] / S1[i]) + (M1[i] - M2[i] + S1[i] * η[i]) ** 2 / (2 * S2[i]**2) - η[i]**2 / 2, i), η),  by(y), log_rules)
        .eq(Σ(log(S2[i] / S1[i]) + (S1[i] ** 2 + (M1[i] - M2[i]) ** 2) / (2 * S2[i] ** 2) - half, i),    linearity, moments)
    )  # fmt: skip


@entry.proves(eq(kl_0, Σ(M1[i] ** 2 + S1[i] ** 2 - 1 - log(S1[i] ** 2), i) / 2), "To the standard Gaussian")
def standard():
    return (
        calc(kl_0)
        .eq(E(Σ(log(2 * π) / 2 - log(2 * π * S1[i]**2) / 2 + y[i] ** 2 / 2 - (y[i] - M1[i]) ** 2 / (2 * S1[i]**2), i), η),   by(kl_0))
        .eq(E(Σ(-log(S1[i]**2) + (M1[i] + S1[i] * η[i]) ** 2 - η[i]**2, i), η) / 2,  by(y), log_rules, linearity)
        .eq(Σ(M1[i] ** 2 + S1[i] ** 2 - 1 - log(S1[i] ** 2), i) / 2,    linearity, moments)
    )  # fmt: skip


@entry.proves(eq(E(noise[i] * noise[j], η), A[i, j]), "The covariance of what is added to the mean")
def covariance():
    return (
        calc(E(noise[i] * noise[j], η))
        .eq(E(Σ(L[i, k] * η[k], k) * Σ(L[j, l] * η[l], l), η),                      by(noise))
        .eq(Σ(L[i, k] * L[j, l] * E(η[k] * η[l], η), k, l),                         product_of_sums, linearity)
        .eq(Σ(L[i, k] * L[j, k], k),                                                independence, moments, sift)
        .eq(A[i, j],                                                                by(A))
    )  # fmt: skip


@entry.proves(eq(E(noise[i], η), 0), "What is added has mean 0")
def centred():
    return (
        calc(E(noise[i], η))
        .eq(0,                                                                      by(noise), linearity, moments)
    )  # fmt: skip


def regular_facts(matrix):
    """Return the proofs that a positive definite matrix has an inverse and a positive determinant."""
    return tuple(carried(calc(TRUE).iff(fact, regular)) for fact in (invertible(matrix), lt(0, det(matrix))))


@entry.proves(eq(Σ(inv(A)[i, j] * A[i, j], i, j), d), "The trace of a covariance against its inverse")
def against_inverse():
    return discharged(
        calc(Σ(inv(A)[i, j] * A[i, j], i, j))
        .eq(Σ(inv(A)[i, j] * A[j, i], i, j),                                        by(A))
        .eq(Σ(1, i),                                                                inverse)
        .eq(d,                                                                      linearity),
        *regular_facts(A),
    )  # fmt: skip


@entry.proves(eq(kl_full, full), "Full covariances")
def matrices():
    moved = Σ(inv(B)[i, j] * ((apart[i] + noise[i]) * (apart[j] + noise[j])), i, j)
    return discharged(
        calc(kl_full)
        .eq(half * E(moved - Σ(inv(A)[i, j] * (noise[i] * noise[j]), i, j) + log(det(B)) - log(det(A)), η),        by(kl_full), linearity)
        .eq(half * (Σ(inv(B)[i, j] * (apart[i] * apart[j] + E(noise[i] * noise[j], η)), i, j) - Σ(inv(A)[i, j] * E(noise[i] * noise[j], η), i, j) + log(det(B)) - log(det(A))),
            linearity, centred)
        .eq(half * (Σ(inv(B)[i, j] * (apart[i] * apart[j] + A[i, j]), i, j) - Σ(inv(A)[i, j] * A[i, j], i, j) + log(det(B)) - log(det(A))),    covariance)
        .eq(half * (Σ(inv(B)[i, j] * A[j, i], i, j) + Σ(inv(B)[i, j] * (apart[i] * apart[j]), i, j) - d + log(det(B)) - log(det(A))),    against_inverse, by(A), linearity)
        .eq(full,                                                                   linearity),
        *regular_facts(A), *regular_facts(B),
    )  # fmt: skip


@entry.proves(eq(exp(u / 2) ** 2, exp(u)), "A variance from its logarithm")
def variance():
    return (
        calc(exp(u / 2) ** 2)
        .eq(exp(u / 2 + u / 2),                                                     exponent_sum)
        .eq(exp(u))
    )  # fmt: skip


@entry.proves(eq(rows_kl[n], gaps), "A batch, from log variances")
def rows():
    return (
        calc(rows_kl[n])
        .eq(Σ(log(exp(W[n, i] / 2) / exp(V[n, i] / 2)) + (exp(V[n, i] / 2) ** 2 + (P[n, i] - Q[n, i]) ** 2) / (2 * exp(W[n, i] / 2) ** 2) - half, i),   by(rows_kl, S, T))
        .eq(Σ((W[n, i] - V[n, i]) / 2 + (exp(V[n, i]) + (P[n, i] - Q[n, i]) ** 2) / (2 * exp(W[n, i])) - half, i),      variance, log_rules, inverse_pair)
        .eq(gaps,                                                                   by("expgap"), exponent_sum, negative_exponent, linearity)
    )  # fmt: skip
