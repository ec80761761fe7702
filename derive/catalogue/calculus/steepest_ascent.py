"""Among unit directions the gradient’s own is the one of largest increase: Cauchy–Schwarz as a gap that is a square."""

from fractions import Fraction
from random import Random

from derive.language.notation import abs_, sqrt, squared_norm
from derive.language.term import (
    Σ,
    D,
    eq,
    forall,
    iff,
    indices,
    le,
    let,
    lift,
    lt,
    mapping,
    sizes,
    slope_of,
    var,
    vector,
)
from derive.logic.arguments import from_gap, together
from derive.logic.calc import calc
from derive.logic.rules.reasons import (
    branch,
    by,
    given,
    linearity,
    map_rule,
    multiplied,
    root_of_square,
    written_out,
    zero_set,
)
from derive.record import Assumption, Derivation, Kernel, Mistake

(n,) = sizes("n")
(i,) = indices("i", n)
θ, u, g, t = var("θ", n), var("u", n), var("g", n), var("t")
f, slope = mapping("f"), slope_of("f")
G = slope(θ)
r = let("r", sqrt(squared_norm(G)))
rate = G @ u
square = Σ((u[i] - G[i] / r) ** 2, i)
unit, steep = eq(squared_norm(u), 1), lt(0, squared_norm(G))

entry = Derivation(
    module=__name__,
    title="The direction of steepest ascent",
    claim=le(rate, r),
    goal="Find the unit direction in which a function grows fastest, and show that it is the only one.",
    priority="critical",
    given=(
        (n, "number of parameters"),
        (θ, "the parameters"),
        (f(θ), "the function to climb"),
        (G, "its gradient there"),
        (r, "the gradient’s length"),
        (u, "a direction"),
        (t, "how far one goes"),
        (g, "any vector but 0, for the kernel"),
    ),
    assumptions=(
        Assumption(unit, "the direction has length 1"),
        Assumption(steep, "the gradient is not 0"),
    ),
    convention=f"{G} is the gradient, a column with one partial derivative for each parameter. The rate of change along {u} is the slope of {f(θ + t * u)} in {t}, at {eq(t, 0)}.",
    prompt=f"Why does gradient descent step along the negative gradient? Prove that among all unit vectors {u} the rate of change of {f(θ)} is largest along the gradient.",
    sixty_seconds=(
        f"By the chain rule the rate of change along {u} is the inner product {rate}. Call the gradient’s length {r}. The claim is that {rate} is at most {r}, and what is missing "
        f"is a square: {r - rate} equals {r / 2 * square}. So the maximum is {r}, it is reached where that square vanishes, at {eq(u, G / r)} and nowhere else, and by symmetry the fastest "
        "decrease is along the opposite direction. Perpendicular to the gradient nothing changes to first order."
    ),
    strong=(
        "Proves Cauchy–Schwarz by the gap instead of quoting it, so that the equality case comes for free, and says that steepest is relative to the norm: with lengths measured by a positive definite "
        "matrix the direction becomes another one, which is what preconditioning and Newton’s method use."
    ),
    weak="Says that the gradient points uphill. So does every direction that makes an acute angle with it; the question is why none is steeper.",
    sanity=(
        ("Perpendicular", f"Where {eq(rate, 0)} the gap is the whole of {r}."),
        ("One parameter", "With a single parameter there are two unit directions, and the gradient’s sign chooses."),
        ("Scale", f"Ten times the function has ten times the gradient and the same {G / r}."),
    ),
    mistakes=(
        Mistake(eq(rate, r), "That holds along the gradient alone; along other directions the rate is smaller."),
        Mistake(le(rate, -r), "This is the least rate, along the negative gradient, and not an upper bound."),
        Mistake(le(rate, squared_norm(G) / 2), f"The largest rate is the length {r} and no multiple of its square: for a short gradient the square is far smaller."),
        Mistake(eq(D(f(θ + t * u), t), G @ u), f"The gradient is taken where one is, at {θ + t * u}; the two agree at {eq(t, 0)}."),
    ),
    prerequisites=("cauchy-schwarz",),
    follow_ups=("taylor-newton-step", "gd-quadratic-convergence"),
    kernels=(Kernel("steepest_direction", (g,), (("direction", g / sqrt(squared_norm(g))),), "The unit direction of steepest ascent, from a gradient."),),
    references=("S. Boyd and L. Vandenberghe, Convex Optimization, section 9.4",),
)  # fmt: skip


@entry.proves(eq(D(f(θ + t * u), t), slope(θ + t * u) @ u), "The rate of change along a direction")
def along():
    return (
        calc(D(f(θ + t * u), t))
        .eq(Σ(slope(θ + t * u)[i] * D(θ[i] + t * u[i], t), i),               map_rule)
        .eq(Σ(slope(θ + t * u)[i] * u[i], i),                                linearity)
        .eq(slope(θ + t * u) @ u)
    )  # fmt: skip


@entry.proves(eq(r - rate, r / 2 * square), "What is missing is a square")
def gap():
    return (
        calc(r - rate)
        .eq(r / 2 * (1 - 2 * rate / r + 1))
        .eq(r / 2 * (squared_norm(u) - 2 * rate / r + squared_norm(G) / r ** 2),     given(unit), by(r), root_of_square)
        .eq(r / 2 * square,                                                  by("squared_norm"), linearity)
    )  # fmt: skip


@entry.proves(le(rate, r), "No direction is steeper", main=True)
def bound():
    return from_gap(calc(r - rate).eq(r / 2 * square, gap))


@entry.proves(iff(eq(rate, r), forall(eq(u[i], G[i] / r), i)), "The gradient’s direction, and only it")
def equality():
    return (
        calc(eq(rate, r))
        .iff(eq(r - rate, 0),                            multiplied(eq(r - rate, 0), lift(-1)))
        .iff(eq(r / 2 * square, 0),                      gap)
        .iff(eq(square, 0),                              multiplied(eq(square, 0), r / 2))
        .iff(forall(eq(u[i] - G[i] / r, 0), i),          zero_set)
        .iff(forall(eq(u[i], G[i] / r), i),              multiplied(eq(u[i], G[i] / r), lift(1)))
    )  # fmt: skip


@entry.proves(eq(squared_norm(G / r), 1), "It has length one")
def length():
    return (
        calc(squared_norm(G / r))
        .eq(Σ(G[i] ** 2 / r ** 2, i),                    by("squared_norm"))
        .eq(Σ(G[i] ** 2, i) / r ** 2,                    linearity)
        .eq(squared_norm(G) / r ** 2,                    by("squared_norm"))
        .eq(1,                                           by(r), root_of_square)
    )  # fmt: skip


@entry.proves(eq(G @ (G / r), r), "The largest rate is the gradient’s length")
def attained():
    return (
        calc(G @ (G / r))
        .eq(Σ(G[i] ** 2, i) / r,                         linearity)
        .eq(squared_norm(G) / r,                         by("squared_norm"))
        .eq(r ** 2 / r,                                  by(r), root_of_square)
        .eq(r)
    )  # fmt: skip


@entry.proves(le(-r, rate), "No direction falls faster than the negative gradient")
def descent():
    below = Σ((u[i] + G[i] / r) ** 2, i)
    return from_gap(
        calc(rate - -r)
        .eq(r / 2 * (1 + 2 * rate / r + 1))
        .eq(r / 2 * (squared_norm(u) + 2 * rate / r + squared_norm(G) / r ** 2),     given(unit), by(r), root_of_square)
        .eq(r / 2 * below,                               by("squared_norm"), linearity)
    )  # fmt: skip


@entry.example("A gradient of whole length")
def whole_length(rng: Random):
    a, b, c = rng.choice(((3, 4, 5), (5, 12, 13), (8, 15, 17), (7, 24, 25)))
    first, second = rng.choice((1, -1)) * a, rng.choice((1, -1)) * b
    gradient, direction = vector([first, second]), vector([Fraction(first, c), Fraction(second, c)])
    return together(
        calc(sqrt(squared_norm(gradient)))
        .eq(sqrt(lift(first) ** 2 + lift(second) ** 2),  by("squared_norm"), written_out)
        .eq(sqrt(lift(c) ** 2))
        .eq(abs_(lift(c)),                               root_of_square)
        .eq(c,                                           branch("abs", 0)),
        calc(gradient @ direction)
        .eq(first * lift(Fraction(first, c)) + second * lift(Fraction(second, c)),     written_out)
        .eq(c),
    )  # fmt: skip
