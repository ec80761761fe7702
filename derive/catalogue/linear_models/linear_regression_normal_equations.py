"""XᵀXw = Xᵀy: least squares by its gradient, by the right angle of its residual, and by the exact gap to any other fit."""

from random import Random

from derive.language.notation import squared_norm
from derive.language.term import (
    TRUE,
    Σ,
    D,
    det,
    eq,
    forall,
    iff,
    indices,
    inv,
    invertible,
    le,
    let,
    lift,
    lt,
    matrix,
    posdef,
    sizes,
    var,
    vector,
)
from derive.logic.arguments import (
    Argument,
    carried,
    discharged,
    entrywise,
    equivalent,
    for_all,
    from_gap,
    instance,
    together,
)  # fmt: skip
from derive.logic.calc import calc
from derive.logic.rules.reasons import (
    by,
    given,
    inverse,
    linearity,
    multiplied,
    multiplied_out,
    power_rule,
    regular,
    sift,
    use,
    zero_set,
)  # fmt: skip
from derive.record import Assumption, Derivation, Kernel, Mistake

N, d = sizes("N d")
(n, m), (i, j, k) = indices("n m", N), indices("i j k", d)

X, y, w = var("X", N, d), var("y", N), var("w", d)
L = let("L", squared_norm(X @ w - y) / N)
G = let("G", X.T @ X); ŵ = let("ŵ", inv(G) @ (X.T @ y))

# any solution of the normal equations, and any direction that the inputs do not see
w_0, v, t = var("w₀", d), var("v", d), var("t")
solves = forall(eq((G @ w_0)[i], (X.T @ y)[i]), i)
unseen = forall(eq((X @ v)[n], 0), n)
G_unseen = forall(eq((G @ v)[i], 0), i)


def excess(best):
    """What the weights lose against others, as a squared norm."""
    return eq(squared_norm(X @ w - y) - squared_norm(X @ best - y), squared_norm(X @ (w - best)))


entry = Derivation(
    module=__name__,
    title="The normal equations",
    claim=excess(ŵ),
    goal="Find every minimiser of the mean squared error of a linear model, show that none is better, and say when there is one only.",
    priority="critical",
    given=(
        (X, "inputs, one example a row"), (y, "targets"), (w, "any weights"), (L, "mean squared error"),
        (G, "the Gram matrix of the columns"), (ŵ, "the least-squares weights"),
        (w_0, "any solution of the normal equations"), (v, "a direction"), (t, "any number"),
    ),
    assumptions=(
        Assumption(posdef(G), "the inputs have full column rank"),
        Assumption(solves, f"{w_0:s} solves the normal equations"),
        Assumption(unseen, f"{v:s} lies in the null space of the inputs"),
    ),
    convention=(
        f"One example is a row of {X}. The columns of {X} are independent, which is called full column rank, if {X @ v} is 0 for no direction but 0: if {lt(0, squared_norm(X @ v))} for all others. "
        f"As {squared_norm(X @ v)} is {v @ (G @ v)}, that is what it means that {G} is positive definite. {X} and {G} have one null space, and so, by the rank theorem, one rank."
    ),
    prompt="Derive the least-squares weights. How do you know that they are a minimum, when are they the only one, and what does the residual have to do with a right angle?",
    sixty_seconds=(
        f"The gradient is {2 * (X.T @ (X @ w - y)) / N}; it is 0 exactly where {eq(G @ w, X.T @ y)}, the normal equations. With independent columns {G} is invertible and the solution is {inv(G) @ (X.T @ y)}. "
        f"The equations say that the residual {y - X @ ŵ} is at a right angle to every column, so by Pythagoras any other weights cost {squared_norm(X @ (w - ŵ))} more: "
        f"that is never negative, so this is a global minimum and no second derivative is needed. "
        f"It is 0 only for {ŵ} itself. If some {v} has {eq((X @ v)[n], 0)} for every example, all of {w_0 + t * v} fit equally well, and there are infinitely many minimisers."
    ),
    strong=f"Proves the minimum by the exact gap {squared_norm(X @ (w - ŵ))} and not by a vanishing gradient alone; gives the rank condition by {eq(v @ (G @ v), squared_norm(X @ v))}; adds that one solves the equations, or a QR decomposition, and never inverts {G}, whose condition number is the square of that of {X}.",
    weak=f"Cancels {X.T} on both sides of the normal equations, or writes the inverse of {X}, which is not square; says nothing of the case in which {G} cannot be inverted.",
    sanity=(
        ("Shape", f"{G} is {d} × {d} and {X.T @ y} has {d} entries, as {ŵ} has."),
        ("Special value", f"With one column of ones {G} is {N}, and the only weight is the mean of {y}."),
        ("Fit without error", f"If {eq(y, X @ w)} for some weights, then {ŵ} gives these back, whatever {N} is."),
        ("Orthonormal columns", f"Where {G} is the identity, each weight is the inner product of its own column with {y}."),
    ),
    mistakes=(
        Mistake(eq(D(L, w), X.T @ (X @ w - y) / N), "The 2 of the square has been lost; it cancels only against a factor one half that this loss has not."),
        Mistake(eq(D(L, w), 2 * (X.T @ (y - X @ w)) / N), "The sign is turned round: a step downhill would climb."),
        Mistake(eq((y - X @ ŵ)[n], 0), "The residual is at a right angle to the columns; it is 0 only where the targets can be fitted exactly."),
        Mistake(eq(squared_norm(X @ w - y) - squared_norm(X @ ŵ - y), squared_norm(w - ŵ)), f"The excess is measured through the inputs: a direction costs what {X} makes of it."),
    ),
    follow_ups=("ridge-closed-form", "gaussian-mle"),
    kernels=(
        Kernel("least_squares", (X, y), (("w", ŵ),), "Least-squares weights, for inputs of full column rank.",),
        Kernel("loss_and_gradient", (X, y, w), (("loss", L), ("w", 2 * (X.T @ (X @ w - y)) / N)), "Mean squared error of a linear model, and its gradient.", textbook=L, proved_by=("gradient",)),
    ),
    references=("G. Strang, Introduction to Linear Algebra, 4.3", "T. Hastie, R. Tibshirani and J. Friedman, The Elements of Statistical Learning, 3.2"),
)  # fmt: skip


@entry.proves(eq(D(L, w), 2 * (X.T @ (X @ w - y)) / N), "The gradient")
def gradient():
    return (
        calc(D(L, w[i]))
        .eq(D(Σ((X @ w - y)[n] ** 2, n) / N, w[i]),                       by(L, "squared_norm"))
        .eq(Σ(2 * (X @ w - y)[n] * D((X @ w - y)[n], w[i]), n) / N,       power_rule, linearity)
        .eq(Σ(2 * (X @ w - y)[n] * X[n, i], n) / N,                       linearity, sift)
        .eq(2 * Σ(X[n, i] * (X @ w - y)[n], n) / N,                       linearity)
        .array(D(L, w), 2 * (X.T @ (X @ w - y)) / N, i)
    )  # fmt: skip


@entry.proves(iff(eq(D(L, w[i]), 0), eq((G @ w)[i], (X.T @ y)[i])), "It is 0 where the normal equations hold")
def stationary():
    return (
        calc(eq(D(L, w[i]), 0))
        .iff(eq(2 * (X.T @ (X @ w - y))[i] / N, 0),                       gradient)
        .iff(eq((X.T @ (X @ w - y))[i], 0),                               multiplied(eq((X.T @ (X @ w - y))[i], 0), lift(2) / N))
        .iff(eq(Σ(X[n, i] * (X @ w)[n], n) - (X.T @ y)[i], 0),            linearity)
        .iff(eq((G @ w)[i] - (X.T @ y)[i], 0),                            by(G), multiplied_out)
        .iff(eq((G @ w)[i], (X.T @ y)[i]),                                multiplied(eq((G @ w)[i], (X.T @ y)[i]), lift(1)))
    )  # fmt: skip


def known(fact):
    """Return the proof of what a positive definite Gram matrix is as well."""
    proof = carried(calc(TRUE).iff(fact, regular))
    return Argument(proof.theorem, (), ("positive definite matrices are invertible, with a positive determinant",))


def is_invertible():
    """Return the proof that the Gram matrix has an inverse."""
    return known(invertible(G))


@entry.proves(lt(0, det(G)), "Independent columns: the Gram matrix can be inverted")
def determinant():
    return known(lt(0, det(G)))


@entry.proves(forall(eq((G @ ŵ)[i], (X.T @ y)[i]), i), "The weights solve them")
def solution():
    solved = (
        calc((G @ ŵ)[i])
        .eq((G @ (inv(G) @ (X.T @ y)))[i],                                by(ŵ))
        .eq((X.T @ y)[i],                                                 inverse)
    )  # fmt: skip
    return for_all(discharged(solved, is_invertible()), i)


@entry.proves(eq((X.T @ (y - X @ w_0))[i], 0), "The residual is at a right angle to every column")
def right_angle():
    return (
        calc((X.T @ (y - X @ w_0))[i])
        .eq((X.T @ y)[i] - Σ(X[n, i] * (X @ w_0)[n], n),                  linearity)
        .eq((X.T @ y)[i] - (G @ w_0)[i],                                  by(G), multiplied_out)
        .eq(0,                                                            given(solves))
    )  # fmt: skip


@entry.proves(excess(w_0), "The exact excess of any other weights")
def pythagoras():
    a, b = (X @ (w - w_0))[n], (y - X @ w_0)[n]
    return (
        calc(squared_norm(X @ w - y) - squared_norm(X @ w_0 - y))
        .eq(Σ((X @ w - y)[n] ** 2 - (X @ w_0 - y)[n] ** 2, n),            by("squared_norm"), linearity)
        .eq(Σ(((X @ w)[n] - (X @ w_0)[n]) ** 2 - 2 * ((X @ w)[n] - (X @ w_0)[n]) * b, n))
        .eq(Σ(a**2 - 2 * a * b, n),                                       linearity)
        .eq(Σ(a**2, n) - 2 * Σ(a * b, n),                                 linearity)
        .eq(Σ(a**2, n) - 2 * Σ((w - w_0)[i] * (X.T @ (y - X @ w_0))[i], i),   multiplied_out)
        .eq(Σ(a**2, n),                                                   right_angle, linearity)
        .eq(squared_norm(X @ (w - w_0)),                                  by("squared_norm"))
    )  # fmt: skip


@entry.proves(excess(ŵ), "The excess over least squares", main=True)
def gap():
    return discharged(instance(pythagoras.theorem, (w_0, ŵ)), solution, is_invertible())


@entry.proves(le(squared_norm(X @ ŵ - y), squared_norm(X @ w - y)), "No other weights fit better")
def minimum():
    return from_gap(
        calc(squared_norm(X @ w - y) - squared_norm(X @ ŵ - y))
        .eq(squared_norm(X @ (w - ŵ)),                                    gap),
        is_invertible(),
    )  # fmt: skip


@entry.proves(eq(v @ (G @ v), squared_norm(X @ v)), "The Gram matrix as a squared norm")
def form():
    return (
        calc(v @ (G @ v))
        .eq(Σ((X @ v)[n] ** 2, n),                                        by(G), multiplied_out)
        .eq(squared_norm(X @ v),                                          by("squared_norm"))
    )  # fmt: skip


@entry.proves(iff(G_unseen, unseen), "Both matrices have one null space")
def null_space():
    forwards = (
        calc(eq(squared_norm(X @ v), 0))
        .iff(eq(Σ((X @ v)[n] ** 2, n), 0),                                by("squared_norm"))
        .iff(unseen,                                                      zero_set)
    )  # fmt: skip
    backwards = (
        calc((G @ v)[i])
        .eq(Σ(X[n, i] * (X @ v)[n], n),                                   by(G), multiplied_out)
        .eq(0,                                                            given(unseen), linearity)
    )  # fmt: skip
    none = (
        calc(squared_norm(X @ v))
        .eq(v @ (G @ v),                                                  form)
        .eq(0,                                                            given(G_unseen), linearity)
    )  # fmt: skip
    return equivalent(carried(forwards, none), for_all(backwards, i))


@entry.proves(iff(unseen, forall(eq(v[i], 0), i)), "Independent columns see every direction")
def independent():
    forwards = (
        calc(v[i])
        .eq((inv(G) @ (G @ v))[i],                                        inverse)
        .eq((inv(G) @ (X.T @ (X @ v)))[i],                                by(G), multiplied_out)
        .eq(0,                                                            given(unseen), linearity)
    )  # fmt: skip
    backwards = (
        calc((X @ v)[n])
        .eq(0,                                                            given(forall(eq(v[i], 0), i)), linearity)
    )  # fmt: skip
    return equivalent(for_all(discharged(forwards, is_invertible()), i), for_all(backwards, n))


@entry.proves(iff(eq(squared_norm(X @ w - y), squared_norm(X @ ŵ - y)), forall(eq(w[i], ŵ[i]), i)), "No other weights fit as well")
def unique():
    cost, least = squared_norm(X @ w - y), squared_norm(X @ ŵ - y)
    return discharged(
        calc(eq(cost, least))
        .iff(eq(cost - least, 0),                                         multiplied(eq(cost - least, 0), lift(1)))
        .iff(eq(Σ((X @ (w - ŵ))[n] ** 2, n), 0),                          gap, by("squared_norm"))
        .iff(forall(eq((X @ (w - ŵ))[n], 0), n),                          zero_set)
        .iff(forall(eq((w - ŵ)[i], 0), i),                                use(instance(independent.theorem, (v, w - ŵ)).theorem, "independent columns see every direction"))
        .iff(forall(eq(w[i], ŵ[i]), i),                                   multiplied(eq(w[i], ŵ[i]), lift(1))),
        is_invertible(),
    )  # fmt: skip


@entry.proves(eq(squared_norm(X @ (w_0 + t * v) - y), squared_norm(X @ w_0 - y)), "Along a null space nothing changes")
def flat():
    return (
        calc(squared_norm(X @ (w_0 + t * v) - y))
        .eq(Σ(((X @ w_0)[n] + t * (X @ v)[n] - y[n]) ** 2, n),            by("squared_norm"), linearity)
        .eq(Σ(((X @ w_0)[n] - y[n]) ** 2, n),                             given(unseen))
        .eq(squared_norm(X @ w_0 - y),                                    by("squared_norm"))
    )  # fmt: skip


@entry.example("A line through three points")
def line(rng: Random):
    start, slope, miss = rng.randint(-3, 3), rng.choice((-2, -1, 1, 2, 3)), rng.choice((-1, 1, 2))
    inputs = [[1, t] for t in (-1, 0, 1)]
    misses = [miss, -2 * miss, miss]
    targets = [start + slope * t + e for (_, t), e in zip(inputs, misses, strict=True)]
    gram, weights = matrix([[3, 0], [0, 2]]), vector([start, slope])
    moments = vector([sum(targets), targets[2] - targets[0]])
    sums = entrywise(eq(matrix(inputs).T @ vector(targets), moments), lambda left, right: calc(left).part("The right side").eq(right))
    solved = entrywise(eq(gram @ weights, moments), lambda left, right: calc(left).part("The weights solve the equations").eq(right))
    angles = entrywise(eq(matrix(inputs).T @ vector(misses), vector([0, 0])), lambda left, right: calc(left).part("The residual against each column").eq(right))
    return together(together(sums, solved), angles)
