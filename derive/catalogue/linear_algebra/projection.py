"""(a·b/b·b)b: the projection on a line leaves a residual orthogonal to it, and is its closest point, by a gap."""

from fractions import Fraction
from random import Random

from derive.language.notation import squared_norm
from derive.language.term import Σ, eq, iff, index, le, let, lift, lt, size, var, vector
from derive.logic.arguments import from_gap
from derive.logic.calc import calc
from derive.logic.rules.reasons import by, linearity, multiplied, written_out, zero_set
from derive.record import Assumption, Derivation, Kernel, Mistake

n = size("n"); i = index("i", n)
a, b, c = var("a", n), var("b", n), var("c")
t = let("t", a @ b / (b @ b)); p = let("p", t * b); r = let("r", a - p)
nonzero = lt(0, b @ b)

entry = Derivation(
    module=__name__,
    title="Projection on a line",
    claim=eq(r @ b, 0),
    goal=f"Find the multiple of {b} that is closest to {a}, show that what is left is orthogonal to {b}, and say by how much every other multiple is worse.",
    priority="important",
    given=(
        (n, "number of components"), (a, "the vector that is projected"), (b, "the direction"),
        (t, "coefficient of the projection"), (p, "the projection"), (r, "the residual"), (c, "any coefficient"),
    ),
    assumptions=(Assumption(nonzero, "the direction is not the vector 0"),),
    prompt=f"Project {a} on the line through {b}. Why is the residual orthogonal to {b}, and why is this the closest point of the line?",
    sixty_seconds=(
        f"Ask for the coefficient that makes the residual orthogonal: {(a - c * b) @ b} is {a @ b - c * (b @ b)}, and that is 0 at {eq(c, a @ b / (b @ b))}. "
        f"Then Pythagoras does the rest. Any other point of the line differs from {p} along {b}, so its squared distance from {a} is {squared_norm(r)} plus {(c - t) ** 2 * squared_norm(b)}: "
        f"the projection is closest, and nothing else is. With {eq(c, 0)} the same identity says {eq(squared_norm(a), squared_norm(p) + squared_norm(r))}."
    ),
    strong=(
        f"Gets the optimum from a gap and differentiates nothing. Says that the length of {b} does not matter, so that it may be normalised, and that least squares is the same picture with the "
        "columns of a matrix in place of one direction: the residual is orthogonal to all of them, which is what the normal equations say."
    ),
    weak=f"Writes {a @ b * b}. That is right for a unit vector only; doubling {b} should leave the projection where it is, and here it is multiplied by four.",
    convention=f"{a @ b} is an inner product, {squared_norm(a)} the sum of the squares of the components.",
    sanity=(
        ("Special value", f"With {eq(a, b)} the coefficient is 1 and the residual is 0."),
        ("Scale", f"With {2 * b} for {b} the coefficient is halved, and {p} stays."),
        ("Idempotent", f"What is projected already stays: the coefficient of {p} is {t} again."),
        ("Bound", f"{squared_norm(r)} is {squared_norm(a) - (a @ b) ** 2 / (b @ b)}: that it is never negative is the Cauchy–Schwarz inequality."),
    ),
    mistakes=(
        Mistake(eq(p, a @ b * b), f"{b @ b} is missing below: this is right for unit vectors alone."),
        Mistake(eq(p, a @ b / (a @ a) * b), f"The length of the wrong vector stands below: {b} must drop out, not {a}."),
        Mistake(eq(r @ a, 0), f"The residual is orthogonal to the line and not to {a}: that product is {squared_norm(r)}."),
        Mistake(eq(squared_norm(a - c * b), squared_norm(r) + (c - t) ** 2), f"The distance along the line is measured in units of {b}: its squared length is missing."),
    ),
    prerequisites=("cauchy-schwarz",),
    follow_ups=("pca-max-variance", "linear-regression-normal-equations"),
    kernels=(
        Kernel("project", (a, b), (("projection", p), ("residual", a - a @ b / (b @ b) * b)), "The projection of a vector on the line through another, and the residual."),
    ),
    references=("G. Strang, Introduction to Linear Algebra, section 4.2",),
)  # fmt: skip


@entry.proves(eq(r @ b, 0), "The residual is orthogonal", main=True)
def orthogonal():
    return (
        calc(r @ b)
        .eq(Σ((a[i] - t * b[i]) * b[i], i),                                      by(r, p))
        .eq(a @ b - t * (b @ b),                                                 linearity)
        .eq(0,                                                                   by(t))
    )  # fmt: skip


@entry.proves(eq(squared_norm(a - c * b), squared_norm(r) + (c - t) ** 2 * squared_norm(b)), "Every point of the line")
def every_point():
    return (
        calc(squared_norm(a - c * b))
        .eq(Σ((a[i] - c * b[i]) ** 2, i),                                        by("squared_norm"))
        .eq(Σ((r[i] - (c - t) * b[i]) ** 2, i),                                  by(r, p))
        .eq(Σ(r[i] ** 2, i) - 2 * (c - t) * (r @ b) + (c - t) ** 2 * Σ(b[i] ** 2, i),      linearity)
        .eq(squared_norm(r) + (c - t) ** 2 * squared_norm(b),                    orthogonal, by("squared_norm"))
    )  # fmt: skip


@entry.proves(le(squared_norm(r), squared_norm(a - c * b)), "The projection is closest")
def closest():
    return from_gap(
        calc(squared_norm(a - c * b) - squared_norm(r))
        .eq((c - t) ** 2 * squared_norm(b),                                      every_point)
    )  # fmt: skip


@entry.proves(iff(eq(squared_norm(a - c * b), squared_norm(r)), eq(c, t)), "And nothing else is")
def unique():
    reached = eq(squared_norm(a - c * b), squared_norm(r))
    return (
        calc(reached)
        .iff(eq(squared_norm(a - c * b) - squared_norm(r), 0),                   multiplied(eq(squared_norm(a - c * b) - squared_norm(r), 0), lift(1)))
        .iff(eq((c - t) ** 2 * Σ(b[i] * b[i], i), 0),                            every_point, by("squared_norm"))
        .iff(eq((c - t) ** 2, 0),                                                multiplied(eq((c - t) ** 2, 0), Σ(b[i] * b[i], i)))
        .iff(eq(c - t, 0),                                                       zero_set)
        .iff(eq(c, t),                                                           multiplied(eq(c, t), lift(1)))
    )  # fmt: skip


@entry.proves(eq(squared_norm(a), squared_norm(p) + squared_norm(r)), "Pythagoras")
def pythagoras():
    return (
        calc(squared_norm(a))
        .eq(Σ((p[i] + r[i]) ** 2, i),                                            by("squared_norm", r))
        .eq(Σ(p[i] ** 2, i) + 2 * Σ(r[i] * p[i], i) + Σ(r[i] ** 2, i),           linearity)
        .eq(Σ(p[i] ** 2, i) + 2 * t * (r @ b) + Σ(r[i] ** 2, i),                 by(p), linearity)
        .eq(squared_norm(p) + squared_norm(r),                                   orthogonal, by("squared_norm"))
    )  # fmt: skip


@entry.example("In numbers: the residual")
def in_numbers(rng: Random):
    (x, y), (u, v) = ((rng.randint(1, 6), rng.randint(1, 6)) for _ in range(2))
    share = lift(Fraction(x * u + y * v, u * u + v * v))
    one, other = vector([x, y]), vector([u, v])
    return (
        calc((one - share * other) @ other)
        .eq((x - share * u) * u + (y - share * v) * v,                           written_out)
        .eq(0)
    )  # fmt: skip
