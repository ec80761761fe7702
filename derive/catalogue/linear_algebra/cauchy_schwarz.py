"""|a·b| ≤ ‖a‖‖b‖: the Cauchy–Schwarz inequality with its gap, and equality for parallel vectors alone."""

from derive.language.notation import abs_, norm, sqrt, squared_norm
from derive.language.term import Σ, eq, forall, iff, indices, le, lift, size, var
from derive.logic.arguments import equivalent, from_gap
from derive.logic.calc import calc
from derive.logic.rules.reasons import (
    by,
    given,
    linearity,
    multiplied,
    root_of_product,
    root_of_square,
    sign_times_size,
    zero_set,
)
from derive.record import Derivation, Kernel, Mistake

n = size("n"); i, j = indices("i j", n)
a, b = var("a", n), var("b", n)
dot, crossed = a @ b, a[i] * b[j] - a[j] * b[i]
gap = Σ(crossed**2, i, j) / 2

squares = squared_norm(a) * squared_norm(b)
reached, parallel = eq(dot**2, squares), forall(eq(a[i] * b[j], a[j] * b[i]), i, j)
tight = eq(abs_(dot), norm(a) * norm(b))

entry = Derivation(
    module=__name__,
    title="The Cauchy–Schwarz inequality",
    claim=le(abs_(dot), norm(a) * norm(b)),
    goal="Bound an inner product by the lengths of its vectors, say exactly what the bound gives away, and when it gives away nothing.",
    priority="important",
    given=((n, "number of components"), (a, "a vector"), (b, "another")),
    prompt=f"Prove that {le(abs_(dot), norm(a) * norm(b))}. When are the two sides equal?",
    sixty_seconds=(
        f"Square both sides and look at the difference, {squares - dot**2}. Multiplied out it is a double sum, and paired up its terms are squares: half the sum of all "
        f"{crossed**2}. That is Lagrange’s identity. A sum of squares is never negative, so {le(dot**2, squares)}; take roots. It is 0 only where every square is, "
        f"that is where {eq(a[i] * b[j], a[j] * b[i])} for all pairs: the vectors are parallel."
    ),
    strong=(
        "States the gap and not only its sign, so that equality needs no second argument, and notes that nothing is divided by: the vector 0 is parallel to all others and no special "
        f"case. Says what it is for: that {dot / (norm(a) * norm(b))} is a cosine, that correlations lie between −1 and 1, and that the gradient is the direction of steepest ascent."
    ),
    weak=f"Says that {dot} is {norm(a) * norm(b)} times a cosine, and cosines are at most 1. In more than three dimensions the angle is defined by this very inequality: that is a circle.",
    convention=f"{squared_norm(a)} is the sum of the squares of the components, {norm(a)} its root.",
    sanity=(
        ("Equality", f"With {eq(b, a)} both sides are {squared_norm(a)}."),
        ("Orthogonal", f"Where {eq(dot, 0)} the whole of {squares} is given away."),
        ("One component", f"With {eq(n, 1)} the double sum has one term, which is 0: of two numbers, the absolute value of the product is the product of the absolute values."),
    ),
    mistakes=(
        Mistake(le(norm(a) * norm(b), abs_(dot)), "The inequality is turned round."),
        Mistake(eq(squares - dot**2, Σ(crossed**2, i, j)), "Each pair is met twice in the double sum: a half is missing."),
        Mistake(iff(tight, eq(a, b)), "Parallel is enough: a stretched or reversed copy reaches the bound as well."),
        Mistake(eq(dot**2, Σ(a[i] ** 2 * b[i] ** 2, i)), "The square of a sum is not the sum of the squares: the mixed products are what the inequality is about."),
    ),
    follow_ups=("projection", "steepest-ascent"),
    kernels=(
        Kernel("inner_product_and_bound", (a, b), (("inner", abs_(dot)), ("bound", norm(a) * norm(b))), "The absolute value of an inner product, and its bound."),
    ),
    references=("J. M. Steele, The Cauchy–Schwarz Master Class, chapters 1 and 3",),
)  # fmt: skip


@entry.proves(eq(squares - dot**2, gap), "The identity of Lagrange")
def lagrange():
    return (
        calc(squares - dot**2)
        .eq(Σ(a[i] ** 2, i) * Σ(b[j] ** 2, j) - Σ(a[i] * b[i], i) * Σ(a[j] * b[j], j),     by("squared_norm"))
        .eq(Σ(a[i] ** 2 * b[j] ** 2 - 2 * (a[i] * b[i] * (a[j] * b[j])) + a[j] ** 2 * b[i] ** 2, i, j) / 2,     linearity)
        .eq(gap)
    )  # fmt: skip


@entry.proves(le(dot**2, squares), "The inequality of squares")
def inequality_of_squares():
    return from_gap(calc(squares - dot**2).eq(gap, lagrange))


@entry.proves(le(abs_(dot), norm(a) * norm(b)), "The inequality", main=True)
def inequality():
    return (
        calc(abs_(dot))
        .eq(sqrt(dot**2),                                                        root_of_square)
        .le(sqrt(squares),                                                       inequality_of_squares)
        .eq(norm(a) * norm(b),                                                   root_of_product, by("norm", "squared_norm"))
    )  # fmt: skip


@entry.proves(iff(reached, parallel), "Equality of the squares")
def equality_of_squares():
    return (
        calc(reached)
        .iff(eq(squares - dot**2, 0),                                            multiplied(eq(squares - dot**2, 0), lift(-1)))
        .iff(forall(eq(crossed, 0), i, j),                                       lagrange, zero_set)
        .iff(parallel,                                                           multiplied(eq(a[i] * b[j], a[j] * b[i]), lift(1)))
    )  # fmt: skip


@entry.proves(iff(tight, reached), "Equality may be read off the squares")
def roots():
    return equivalent(
        calc(dot**2)
        .eq(abs_(dot) ** 2,                                                      sign_times_size)
        .eq((norm(a) * norm(b)) ** 2,                                            given(tight))
        .eq(sqrt(Σ(a[i] ** 2, i)) ** 2 * sqrt(Σ(b[i] ** 2, i)) ** 2,             by("norm"))
        .eq(squares,                                                             root_of_square, by("squared_norm")),
        calc(abs_(dot))
        .eq(sqrt(dot**2),                                                        root_of_square)
        .eq(sqrt(squares),                                                       given(reached))
        .eq(norm(a) * norm(b),                                                   root_of_product, by("norm", "squared_norm")),
    )  # fmt: skip


@entry.proves(iff(tight, parallel), "Equal just where the vectors are parallel")
def equality():
    return calc(tight).iff(reached, roots).iff(parallel, equality_of_squares)
