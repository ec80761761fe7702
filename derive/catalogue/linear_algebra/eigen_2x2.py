"""(a − t)(d − t) − bc = t² − (a + d)t + ad − bc: the eigenvalues of a 2×2 matrix by trace and determinant, in exact numbers."""

from random import Random

from derive.language.notation import sqrt
from derive.language.term import Term, both, eq, le, let, lift, lt, matrix, var, vector
from derive.logic.arguments import discharged, entrywise, nonnegative, together
from derive.logic.calc import calc
from derive.logic.rules.reasons import by, given, root_of_square
from derive.record import Assumption, Derivation, Kernel, Mistake

a, b, c, d, t, x, y = (var(name) for name in "abcdtxy")
A, v, one = matrix([[a, b], [c, d]]), vector([x, y]), matrix([[1, 0], [0, 1]])
tr, dt = let("T", a + d), let("Δ", a * d - b * c)
χ = let("χ", (a - t) * (d - t) - b * c)
disc = tr**2 - 4 * dt
first, second = (tr + sqrt(disc)) / 2, (tr - sqrt(disc)) / 2

first_row, second_row = eq(a * x + b * y, t * x), eq(c * x + d * y, t * y)
not_zero, real, root = lt(0, x**2 + y**2), le(0, disc), eq(χ, 0)

entry = Derivation(
    module=__name__,
    title="Eigenvalues of a 2×2 matrix",
    claim=eq(χ, t**2 - tr * t + dt),
    goal="Find the eigenvalues and eigenvectors of a 2×2 matrix from its trace and determinant, with every step in exact numbers.",
    priority="important",
    given=(
        (a, "first entry of the first row"), (b, "second entry of the first row"), (c, "first entry of the second row"), (d, "second entry of the second row"),
        (t, "a number"), (x, "first component of a vector"), (y, "second component"), (tr, "trace"), (dt, "determinant"), (χ, "characteristic polynomial"),
    ),
    assumptions=(
        Assumption(first_row, f"the vector is stretched by {t}, first row"),
        Assumption(second_row, "second row"),
        Assumption(not_zero, "the vector is not 0"),
        Assumption(root, f"{t} is a root of the characteristic polynomial"),
        Assumption(real, "the eigenvalues are real"),
    ),
    prompt=f"Find the eigenvalues and eigenvectors of {matrix([[4, 1], [2, 3]])} by hand. How do trace and determinant give them for every 2×2 matrix?",
    sixty_seconds=(
        f"An eigenvalue is a number {t} for which {eq(A @ v, t * v)} has a solution that is not 0. Then {matrix([[a - t, b], [c, d - t]])} sends that vector to 0, so its determinant "
        f"is 0: {eq(t**2 - tr * t + dt, 0)}. By the quadratic formula {eq(t, first)}, or with a minus. For the matrix above the trace is 7 and the determinant 10, so the eigenvalues "
        f"are 5 and 2: they add up to 7 and multiply to 10. The vector {vector([b, t - a])} belongs to {t}; here {vector([1, 1])} and {vector([1, -2])}."
    ),
    strong=(
        f"Checks with sum and product before writing an eigenvector down. Says when the roots are real, that for a symmetric matrix {disc} is a sum of squares and they always are, that a double "
        "root may have one direction only, and that nobody computes the eigenvalues of a large matrix from its polynomial."
    ),
    weak="Expands the determinant and solves, and never says why it must be 0: because a vector that is not 0 is sent to 0, and a matrix with an inverse does no such thing.",
    convention=f"The trace {tr} is the sum of the diagonal, {dt} the determinant. Eigenvectors are determined up to a factor.",
    sanity=(
        ("Diagonal", f"With {eq(b, 0)} and {eq(c, 0)} the eigenvalues are {a} and {d}."),
        ("Sum and product", f"The roots add up to {tr} and multiply to {dt}."),
        ("Rotation", f"{matrix([[0, -1], [1, 0]])} turns every vector: {disc} is −4, and there is no real eigenvalue."),
    ),
    mistakes=(
        Mistake(eq(χ, t**2 + tr * t + dt), f"The sign of the trace is wrong: {t} is taken off both diagonal entries, so each comes with {-t}."),
        Mistake(eq(first + second, dt), "The eigenvalues add up to the trace and multiply to the determinant."),
        Mistake(eq(χ, (a - t) * (d - t) + b * c), "The product of the other diagonal is subtracted in a determinant."),
        Mistake(eq(first, tr + sqrt(disc)), "The half of the quadratic formula is missing."),
    ),
    prerequisites=("matmul-by-hand",),
    follow_ups=("pca-max-variance", "gd-quadratic-convergence"),
    kernels=(
        Kernel("characteristic_polynomial", (a, b, c, d, t), (("value", t**2 - (a + d) * t + (a * d - b * c)),), "The characteristic polynomial of a 2×2 matrix.", textbook=χ),
    ),
    references=("G. Strang, Introduction to Linear Algebra, section 6.1",),
)  # fmt: skip


@entry.proves(eq(χ, t**2 - tr * t + dt), "The characteristic polynomial", main=True)
def polynomial():
    return (
        calc(χ)
        .eq(a * d - a * t - t * d + t**2 - b * c,                                by(χ))
        .eq(t**2 - tr * t + dt,                                                  by(tr, dt))
    )  # fmt: skip


@entry.proves(eq(χ * x, 0), "Times the first component")
def first_component():
    return (
        calc(χ * x)
        .eq((d - t) * (a * x + b * y - t * x) - b * (c * x + d * y - t * y),     by(χ))
        .eq(0,                                                                   given(first_row), given(second_row))
    )  # fmt: skip


@entry.proves(eq(χ * y, 0), "Times the second component")
def second_component():
    return (
        calc(χ * y)
        .eq((a - t) * (c * x + d * y - t * y) - c * (a * x + b * y - t * x),     by(χ))
        .eq(0,                                                                   given(first_row), given(second_row))
    )  # fmt: skip


@entry.proves(root, "An eigenvalue is a root")
def necessary():
    return discharged(
        calc(χ)
        .eq((χ * x * x + χ * y * y) / (x**2 + y**2))
        .eq(0,                                                                   given(eq(χ * x, 0)), given(eq(χ * y, 0))),
        first_component, second_component,
    )  # fmt: skip


@entry.proves(eq(A @ vector([b, t - a]), t * vector([b, t - a])), "A root is an eigenvalue, with its vector")
def sufficient():
    def prove(left: Term, right: Term):
        return calc(left).eq(right) if right is t * b else calc(left).eq(t * (t - a) - χ, by(χ)).eq(right, given(root))

    return entrywise(eq(A @ vector([b, t - a]), t * vector([b, t - a])), prove)


@entry.proves(eq(t**2 - tr * t + dt, (t - first) * (t - second)), "The roots")
def roots():
    return (
        calc(t**2 - tr * t + dt)
        .eq(t**2 - tr * t + (tr**2 - sqrt(disc) ** 2) / 4,                       root_of_square)
        .eq((t - first) * (t - second))
    )  # fmt: skip


@entry.proves(both(eq(first + second, tr), eq(first * second, dt)), "Sum and product")
def sum_and_product():
    return together(
        calc(first + second).eq(tr),
        calc(first * second).eq((tr**2 - sqrt(disc) ** 2) / 4).eq(dt, root_of_square),
    )


@entry.proves(le(0, (a + d) ** 2 - 4 * (a * d - b * b)), "A symmetric matrix has real eigenvalues")
def symmetric():
    return nonnegative(calc((a + d) ** 2 - 4 * (a * d - b * b)).eq((a - d) ** 2 + 4 * b**2))


@entry.proves(eq(A @ A, tr * A - dt * one), "The matrix is a root of its polynomial")
def cayley_hamilton():
    return entrywise(eq(A @ A, tr * A - dt * one), lambda left, right: calc(left).eq(right, by(tr, dt)))


@entry.example("Another matrix: its polynomial and its eigenvectors")
def another(rng: Random):
    p, q = rng.sample(range(1, 7), 2)
    r, s = rng.choice((1, 2, -1)), rng.choice((1, 2))
    vectors, scaled = [[1, r], [s, 1 + r * s]], [[p, q * r], [p * s, q * (1 + r * s)]]
    inverse = [[1 + r * s, -r], [-s, 1]]
    rows = [[sum(m * n for m, n in zip(row, column, strict=True)) for column in zip(*inverse, strict=True)] for row in scaled]
    (e, f), (g, h) = rows
    product = matrix(rows) @ matrix(vectors)
    return together(
        calc((e - t) * (h - t) - lift(f) * g).eq(t**2 - (p + q) * t + p * q).eq((t - p) * (t - q)),
        entrywise(eq(product, matrix(scaled)), lambda left, right: calc(left).eq(right)),
    )
