"""f(𝔼 x) ≤ 𝔼 f(x) for convex f, by the tangent plane at the mean: for finitely many points and for random ones."""

from derive.language.notation import exp, expgap
from derive.language.term import (
    Σ,
    E,
    Term,
    Var,
    array,
    eq,
    expect,
    family,
    forall,
    index,
    indices,
    integral,
    le,
    let,
    mapping,
    random,
    sizes,
    slope_of,
    space,
    var,
)  # fmt: skip
from derive.logic.arguments import from_gap
from derive.logic.calc import calc
from derive.logic.rules.reasons import (
    by,
    exponent_sum,
    given,
    linearity,
    normalisation,
    product_of_sums,
    total_mass,
    variance,
)
from derive.record import Assumption, Derivation, Kernel, Mistake

K, d = sizes("K d")
(k, l), (i, j) = indices("k l", K), indices("i j", d)
f, gradient = mapping("f"), slope_of("f")

# finitely many points
p, points = var("p", K, dom="simplex"), family("x", lambda _: d)
point = points(k)
m = let("m", array(Σ(p[k] * point[i], k), i))
v = var("v", d)
tangent = f(m) + Σ(gradient(m)[i] * (point[i] - m[i]), i)
A1 = eq(Σ(p[k], k), 1)
A2 = forall(le(tangent, f(point)), k)
balance = Σ(p[k] * Σ(v[i] * (point[i] - m[i]), i), k)

# a function of the points of a probability space
Z = space("𝒵")
z = index("z", Z)
q, ξ = var("q", Z, dom="density"), var("ξ", Z, d)
μ = let("μ", array(expect(q, ξ[z, i], z), i))
outcome = array(ξ[z, i], i)
plane = let("T", array(f(μ) + Σ(gradient(μ)[i] * (ξ[z, i] - μ[i]), i), z))
B2 = forall(le(plane[z], f(outcome)), z)
B3 = forall(Term("integrable", (z, q[z] * ξ[z, i])), i)
B4 = Term("integrable", (z, q[z] * f(outcome)))

# the exponential and the square
y = var("y", K)
c = let("c", p @ y)
U = random("U", law="square integrable")

entry = Derivation(
    module=__name__,
    title="Jensen’s inequality",
    claim=le(f(m), Σ(p[k] * f(point), k)),
    goal="Show that a convex function of a mean is at most the mean of the function, by the tangent plane at the mean.",
    priority="critical",
    given=(
        (K, "points"), (d, "dimensions"), (p, "their weights"), (point, "the points"), (m, "their mean"), (f(m), "a function that is differentiable"), (v, "any vector"),
        (Z, "a probability space"), (q, "its density"), (ξ, "a random vector: a function of the outcome"), (μ, "its mean"), (plane, "the tangent plane there"),
        (y, "numbers"), (c, "their mean"), (U, "a random number"), (expgap(c), "what the exponential is above its tangent at 0"),
    ),
    assumptions=(
        Assumption(A1, "the weights sum to 1"),
        Assumption(A2, "no point lies below the tangent plane at the mean, as for a convex function"),
        Assumption(B2, "no outcome lies below the tangent plane at the mean"),
        Assumption(B3, "the random vector has a mean"),
        Assumption(B4, "its function has a mean"),
    ),
    prompt=f"State Jensen’s inequality and prove it. When is {le(f(m), Σ(p[k] * f(point), k))}, and what is the gap for the square?",
    sixty_seconds=(
        f"A convex function lies above each of its tangent planes. Take the one at the mean: every {f(point)} is at least {tangent}. Average both sides: the weights sum to 1, so {f(m)} stays, "
        f"and the linear part vanishes because deviations from the mean average to 0. That is the inequality. For the square the gap is the variance."
    ),
    strong=(
        f"Notices that convexity is used at one point alone, the mean, and that nothing is asked of the distribution but a mean. Knows the direction by the square: {E(U**2, U) - E(U, U) ** 2} is a variance. "
        "For the concave logarithm it turns round, which is the evidence lower bound."
    ),
    weak="Draws a chord of a parabola: that is the case of two points, and the step to many, or to an integral, is the theorem.",
    convention=f"The prime is for the gradient. For random vectors, {q} is a density over outcomes, with any measure behind it: sums and integrals are alike.",
    sanity=(
        ("One point", "With all weight on one point both sides are the function there."),
        ("Affine", "A function that is its own tangent plane gives equality."),
        ("Square", f"The gap is {Var(U, U)}, which is never negative."),
    ),
    mistakes=(
        Mistake(le(Σ(p[k] * exp(y[k]), k), exp(c)), "The direction is turned round: the exponential is convex and not concave."),
        Mistake(eq(exp(c), Σ(p[k] * exp(y[k]), k)), "A function of a mean is the mean of the function for affine functions only."),
        Mistake(eq(E(U**2, U), E(U, U) ** 2), f"The variance {Var(U, U)} is missing."),
        Mistake(le(exp(c), Σ(exp(y[k]), k) / K), "The mean is taken with other weights on the right."),
    ),
    prerequisites=(),
    follow_ups=("gibbs-inequality", "elbo"),
    kernels=(
        Kernel("square_gap", (p, y), (("gap", Σ(p[k] * (y[k] - p @ y) ** 2, k)),), "How far the mean of squares is above the square of the mean."),
    ),
    references=("S. Boyd and L. Vandenberghe, “Convex Optimization”, section 3.1", "T. Cover and J. Thomas, “Elements of Information Theory”, theorem 2.6.2"),
)  # fmt: skip


@entry.proves(eq(balance, 0), "Deviations from the mean average to 0")
def balanced():
    return (
        calc(balance)
        .eq(Σ(p[k] * v[i] * (point[i] - m[i]), i, k),                                product_of_sums)
        .eq(Σ(v[i] * (Σ(p[k] * point[i], k) - m[i] * Σ(p[k], k)), i),                linearity)
        .eq(0,                                                                      by(m), given(A1), linearity)
    )  # fmt: skip


@entry.proves(le(f(m), Σ(p[k] * f(point), k)), "Jensen’s inequality for finitely many points", main=True)
def finite():
    deviations = Σ(p[k] * Σ(gradient(m)[i] * (point[i] - m[i]), i), k)
    return (
        calc(f(m))
        .eq(f(m) * Σ(p[k], k) + deviations,                                         given(A1), balanced)
        .eq(Σ(p[k] * tangent, k),                                                   linearity)
        .le(Σ(p[k] * f(point), k),                                                  given(A2))
    )  # fmt: skip


@entry.proves(eq(expect(q, Σ(v[i] * (ξ[z, i] - μ[i]), i), z), 0), "Deviations of a random vector average to 0")
def centred():
    return (
        calc(expect(q, Σ(v[i] * (ξ[z, i] - μ[i]), i), z))
        .eq(Σ(v[i] * (expect(q, ξ[z, i], z) - μ[i] * integral(q[z], z)), i),        linearity, total_mass)
        .eq(0,                                                                      by(μ), normalisation, linearity)
    )  # fmt: skip


@entry.proves(le(f(μ), expect(q, f(outcome), z)), "Jensen’s inequality for a random vector")
def random_vector():
    return (
        calc(f(μ))
        .eq(f(μ) * integral(q[z], z) + expect(q, Σ(gradient(μ)[i] * (ξ[z, i] - μ[i]), i), z),       normalisation, centred)
        .eq(expect(q, plane[z], z),                                                 by(plane), linearity, total_mass)
        .le(expect(q, f(outcome), z),                                               given(B2))
    )  # fmt: skip


@entry.proves(le(exp(c), Σ(p[k] * exp(y[k]), k)), "The exponential, with its gap")
def exponential():
    return from_gap(
        calc(Σ(p[k] * exp(y[k]), k) - exp(c))
        .eq(Σ(p[k] * exp(y[k]), k) - exp(c) * (Σ(p[k], k) + Σ(p[k] * y[k], k) - c * Σ(p[k], k)),       by(c), given(A1))
        .eq(exp(c) * Σ(p[k] * (exp(y[k]) / exp(c) - 1 - (y[k] - c)), k),            linearity)
        .eq(exp(c) * Σ(p[k] * expgap(y[k] - c), k),                                 by("expgap"), exponent_sum)
    )  # fmt: skip


@entry.proves(eq(Σ(p[k] * y[k] ** 2, k) - c**2, Σ(p[k] * (y[k] - c) ** 2, k)), "The square, with its gap")
def square():
    return (
        calc(Σ(p[k] * y[k] ** 2, k) - c**2)
        .eq(Σ(p[k] * y[k] ** 2, k) - 2 * c * Σ(p[k] * y[k], k) + c**2 * Σ(p[k], k),       by(c), given(A1))
        .eq(Σ(p[k] * (y[k] - c) ** 2, k),                                           linearity)
    )  # fmt: skip


@entry.proves(eq(E(U**2, U) - E(U, U) ** 2, Var(U, U)), "For a random number that gap is the variance")
def variance_gap():
    return (
        calc(E(U**2, U) - E(U, U) ** 2)
        .eq(Var(U, U),                                                              variance, linearity)
    )  # fmt: skip
