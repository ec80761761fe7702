"""[[1, 2], [3, 4]]·[[5, 6], [7, 8]] = [[19, 22], [43, 50]]: a matrix product by hand, each entry a row times a column."""

from random import Random

from derive.language.term import Σ, Term, eq, indices, lift, matrix, sizes, var
from derive.logic.arguments import entrywise
from derive.logic.calc import calc
from derive.logic.rules.reasons import linearity, product_of_sums
from derive.record import Derivation, Kernel, Mistake

n, m, p, q = sizes("n m p q")
(i,), (k,), (j,), (l,) = indices("i", n), indices("k", m), indices("j", p), indices("l", q)
A, B, C = var("A", n, m), var("B", m, p), var("C", p, q)
one, other = matrix([[1, 2], [3, 4]]), matrix([[5, 6], [7, 8]])
first = Term("add", (Term("mul", (lift(1), lift(5))), Term("mul", (lift(2), lift(7)))))

entry = Derivation(
    module=__name__,
    title="A matrix product by hand",
    claim=eq(one @ other, matrix([[19, 22], [43, 50]])),
    goal="Multiply two matrices on paper, each entry a row times a column; see what may be reordered, and what it costs.",
    priority="useful",
    given=(
        (n, f"rows of {A}"), (m, f"columns of {A}, rows of {B}"), (p, f"columns of {B}, rows of {C}"), (q, f"columns of {C}"),
        (A, "a matrix"), (B, "another"), (C, "a third"),
    ),
    prompt=f"Multiply {one} by {other} on paper. When is a product of matrices defined, what does it cost, and which of the laws of numbers does it keep?",
    sixty_seconds=(
        f"An entry of {A @ B} is a row of {A} times a column of {B}: multiply along, add up. The first one is {first}, which is 19. So the columns of {A} must be "
        f"as many as the rows of {B}, and that size is summed away. Each of the {n * p} entries takes {m} products, {n * m * p} in all. Brackets may be moved, "
        f"factors may not be swapped: the other way round these two give {matrix([[23, 34], [31, 46]])}. A transpose turns the order round, {eq((A @ B).T, B.T @ A.T)}."
    ),
    strong=(
        f"Reads the product in three ways: rows times columns; columns of {A} mixed with the weights in a column of {B}; a sum of {m} outer products. Moves brackets to "
        f"save work: {A @ B @ C} costs {n * m * p + n * p * q} products one way and {m * p * q + n * m * q} the other, which decides how one multiplies by a vector."
    ),
    weak="Multiplies entry by entry. That is a product too, but of two arrays of one shape, and it composes no linear maps.",
    convention="The first index counts rows, the second columns.",
    sanity=(
        ("Shape", f"{A @ B} is {n} × {p}, and {A @ B @ C} is {n} × {q}."),
        ("One row", f"With {eq(n, 1)} it is a row vector times a matrix, with {eq(p, 1)} as well it is a dot product."),
        ("Order", f"The two products of this page have one trace, {eq(lift(19) + 50, lift(23) + 46)}, as the two orders always have, though they differ in every entry."),
    ),
    mistakes=(
        Mistake(eq(one @ other, matrix([[5, 12], [21, 32]])), "That multiplies entry by entry: each entry should be a whole row times a whole column."),
        Mistake(eq(one @ other, matrix([[23, 34], [31, 46]])), "The factors were swapped: the product of matrices does not commute."),
        Mistake(eq(one @ other, matrix([[17, 23], [39, 53]])), "Rows were multiplied by rows: the second matrix is read by columns."),
        Mistake(eq(Σ(A[i, k] * B[k, j], k), Σ(A[i, k], k) * Σ(B[k, j], k)), "A sum of products is not the product of the sums."),
    ),
    follow_ups=("eigen-2x2", "projection"),
    kernels=(Kernel("matrix_product", (A, B, C), (("product", A @ B @ C),), "The product of three matrices.", textbook=A @ B @ C),),
    references=("G. Strang, Introduction to Linear Algebra, section 2.4",),
)  # fmt: skip


@entry.proves(entry.claim, "Row times column", main=True)
def product():
    return entrywise(entry.claim, lambda row_times_column, number: calc(row_times_column).eq(number))


@entry.proves(eq(A @ B @ C, A @ (B @ C)), "Brackets may be moved")
def associative():
    return (
        calc((A @ B @ C)[i, l])
        .eq(Σ(Σ(A[i, k] * B[k, j], k) * C[j, l], j))
        .eq(Σ(A[i, k] * B[k, j] * C[j, l], j, k),                                product_of_sums)
        .eq(Σ(A[i, k] * B[k, j] * C[j, l], k, j)).note("the sums change places")
        .eq(Σ(A[i, k] * Σ(B[k, j] * C[j, l], j), k),                             linearity)
        .array(A @ B @ C, A @ (B @ C), i, l)
    )  # fmt: skip


@entry.proves(eq((A @ B).T, B.T @ A.T), "A transpose turns the order round")
def transposed():
    return (
        calc((A @ B).T[j, i])
        .eq(Σ(A[i, k] * B[k, j], k))
        .eq(Σ(B.T[j, k] * A.T[k, i], k))
        .array((A @ B).T, B.T @ A.T, j, i)
    )  # fmt: skip


@entry.example("Another product")
def another(rng: Random):
    left, right = ([four[:2], four[2:]] for four in (rng.sample(range(1, 8), 4) for _ in range(2)))
    result = [[sum(a * b for a, b in zip(row, column, strict=True)) for column in zip(*right, strict=True)] for row in left]
    return entrywise(eq(matrix(left) @ matrix(right), matrix(result)), lambda row_times_column, number: calc(row_times_column).eq(number))
