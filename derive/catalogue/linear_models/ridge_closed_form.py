"""(XᵀX + λI)⁻¹Xᵀy: ridge regression by the exact gap to any other weights, under a mean loss, and along singular directions."""

from derive.catalogue.linear_models.linear_regression_normal_equations import N, X, d, i, j, n, w, y
from derive.language.notation import squared_norm
from derive.language.term import Σ, D, eq, eye, forall, iff, indices, inv, le, let, lift, lt, size, var, δ
from derive.logic.arguments import from_gap, instance
from derive.logic.calc import calc
from derive.logic.rules.reasons import (
    by,
    definite_form,
    given,
    inverse,
    linearity,
    multiplied,
    multiplied_out,
    power_rule,
    sift,
    use,
)  # fmt: skip
from derive.record import Assumption, Derivation, Kernel, Mistake

λ, v = var("λ", dom="positive"), var("v", d)
A = let("A", X.T @ X + λ * eye(d)); ŵ = let("ŵ", inv(A) @ (X.T @ y))

# under the mean of the squares
A_N = let("A_N", X.T @ X + N * λ * eye(d)); ŵ_N = let("ŵ_N", inv(A_N) @ (X.T @ y))
J = let("J", squared_norm(X @ w - y) / N + λ * squared_norm(w))
J_best = squared_norm(X @ ŵ_N - y) / N + λ * squared_norm(ŵ_N)

# singular directions
R = size("R"); r, q = indices("r q", R)
U, V, s = var("U", N, R, dom="orthonormal"), var("V", d, R, dom="orthonormal"), var("s", R, dom="nonnegative")
parted = forall(eq(X[n, i], Σ(U[n, r] * s[r] * V[i, r], r)), n, i)
straight_U = forall(eq(Σ(U[n, r] * U[n, q], n), δ(r, q)), r, q)
straight_V = forall(eq(Σ(V[i, r] * V[i, q], i), δ(r, q)), r, q)


def cost(weights):
    """The sum of squared errors and the penalty."""
    return squared_norm(X @ weights - y) + λ * squared_norm(weights)


gap = squared_norm(X @ (w - ŵ)) + λ * squared_norm(w - ŵ)

entry = Derivation(
    module=__name__,
    title="Ridge regression in closed form",
    claim=eq(cost(w) - cost(ŵ), gap),
    goal=f"Minimise {cost(w)}, show that the minimiser is the only one whatever the rank of the inputs, and say by how much each direction is shrunk.",
    priority="critical",
    given=(
        (X, "inputs, one example a row"), (y, "targets"), (w, "any weights"), (λ, "strength of the penalty"),
        (A, "the matrix of the normal equations"), (ŵ, "the ridge weights"), (v, "any direction"),
        (J, "the loss with the mean of the squares"), (A_N, "the matrix that belongs to it"), (ŵ_N, "its minimiser"),
        (R, "number of singular values"), (U, "left singular vectors, as columns"), (V, "right singular vectors, as columns"), (s, "singular values"),
    ),
    assumptions=(
        Assumption(parted, "a singular value decomposition of the inputs"),
        Assumption(straight_U, "the left singular vectors are orthonormal"),
        Assumption(straight_V, "the right singular vectors are orthonormal"),
    ),
    convention=f"One example is a row of {X}. The penalty is {λ * squared_norm(w)} with no factor one half, beside the sum of the squared errors; under their mean it weighs {N} times as much. A bias would not be penalised: centre {X} and {y} first.",
    prompt="Derive the ridge estimator. Why can its matrix always be inverted, what changes when the loss is a mean over the batch, and what does ridge do to the directions of the data that hardly vary?",
    sixty_seconds=(
        f"The gradient {2 * (X.T @ (X @ w - y)) + 2 * λ * w} is 0 where {eq(A @ w, X.T @ y)} with {eq(A, X.T @ X + λ * eye(d))}. "
        f"That matrix is positive definite, as {eq(v @ (A @ v), squared_norm(X @ v) + λ * squared_norm(v))}, so it can be inverted even with fewer examples than weights, and {eq(ŵ, inv(A) @ (X.T @ y))}. "
        f"Any other weights cost {gap} more, which is 0 for {ŵ} alone. With the mean of the squares in the loss, {λ} turns into {N * λ}. "
        f"In the singular directions of {X} the fit is that of least squares times {s[r] ** 2 / (s[r] ** 2 + λ)}: nearly 1 where {s[r]} is large, nearly 0 where the data hardly vary."
    ),
    strong=f"Shows that {A} is positive definite before inverting it, states where the factor {N} goes, proves the minimum by the gap {gap}, and explains the shrinkage: directions with {lt(s[r] ** 2, λ)} lose more than half of their fit.",
    weak=f"Quotes the formula with {λ} under any loss, and calls {X.T @ X} invertible: where it is, ridge is not needed for that, and where it is not, {λ} is what makes the solution unique.",
    sanity=(
        ("Limit", f"As {λ} goes to 0 with independent columns, {A} becomes {X.T @ X} and the weights those of least squares."),
        ("Limit", f"As {λ} grows the weights go to 0: the penalty outweighs the data."),
        ("Shape", f"{A} is {d} × {d}, whatever {N} is."),
        ("Special value", f"With orthonormal columns every least-squares weight is divided by {1 + λ}."),
    ),
    mistakes=(
        Mistake(eq((X.T @ (y - X @ ŵ))[i], 0), f"That is least squares. With the penalty the residual still leans on the columns, by {λ * ŵ}."),
        Mistake(eq(D(cost(w), w), 2 * (X.T @ (X @ w - y)) + λ * w), "The penalty has no factor one half here, so its derivative keeps the 2."),
        Mistake(eq((N * D(J, w))[i], (2 * (X.T @ (X @ w - y)) + 2 * λ * w)[i]), f"The mean divides the errors by {N} and not the penalty, which then counts {N} times."),
        Mistake(le(squared_norm(X @ w - y), squared_norm(X @ ŵ - y)), "Ridge does not fit the training data worse than every other choice; it gives up a little fit for smaller weights."),
    ),
    prerequisites=("linear-regression-normal-equations",),
    follow_ups=("map-gaussian-l2", "lasso-soft-threshold"),
    kernels=(
        Kernel("ridge", (X, y, λ), (("w", ŵ),), "Ridge weights, for the sum of squared errors."),
        Kernel("ridge_of_mean", (X, y, λ), (("w", ŵ_N),), "Ridge weights, for the mean of squared errors."),
        Kernel("loss_and_gradient", (X, y, w, λ), (("loss", cost(w)), ("w", 2 * (X.T @ (X @ w - y)) + 2 * λ * w)), "Sum of squared errors with the penalty, and its gradient.", textbook=cost(w), proved_by=("gradient",)),
    ),
    references=("T. Hastie, R. Tibshirani and J. Friedman, The Elements of Statistical Learning, 3.4.1", "A. Hoerl and R. Kennard, “Ridge Regression”, Technometrics 1970"),
)  # fmt: skip


@entry.proves(eq(D(cost(w), w), 2 * (X.T @ (X @ w - y)) + 2 * λ * w), "The gradient")
def gradient():
    return (
        calc(D(cost(w), w[i]))
        .eq(D(Σ((X @ w - y)[n] ** 2, n), w[i]) + λ * D(Σ(w[j] ** 2, j), w[i]),            by("squared_norm"), linearity)
        .eq(Σ(2 * (X @ w - y)[n] * D((X @ w - y)[n], w[i]), n) + λ * (2 * w[i]),          power_rule, linearity, sift)
        .eq(2 * Σ(X[n, i] * (X @ w - y)[n], n) + 2 * λ * w[i],                            linearity, sift)
        .array(D(cost(w), w), 2 * (X.T @ (X @ w - y)) + 2 * λ * w, i)
    )  # fmt: skip


@entry.proves(eq(v @ (A @ v), squared_norm(X @ v) + λ * squared_norm(v)), "The matrix is positive definite")
def form():
    return (
        calc(v @ (A @ v))
        .eq(Σ(v[i] * (Σ(Σ(X[n, i] * X[n, j], n) * v[j], j) + λ * v[i]), i),               by(A), sift)
        .eq(Σ(v[i] * Σ(Σ(X[n, i] * X[n, j], n) * v[j], j), i) + λ * Σ(v[i] ** 2, i),      linearity)
        .eq(Σ((X @ v)[n] ** 2, n) + λ * Σ(v[i] ** 2, i),                                  multiplied_out)
        .eq(squared_norm(X @ v) + λ * squared_norm(v),                                    by("squared_norm")).note("0 for no direction but 0")
    )  # fmt: skip


@entry.proves(eq(A @ ŵ, X.T @ y), "The ridge weights solve its equations")
def solution():
    return (
        calc((A @ ŵ)[i])
        .eq((A @ (inv(A) @ (X.T @ y)))[i],                                                by(ŵ))
        .eq((X.T @ y)[i],                                                                 inverse)
        .array(A @ ŵ, X.T @ y, i)
    )  # fmt: skip


@entry.proves(eq(X.T @ (y - X @ ŵ), λ * ŵ), "How the residual leans on the columns")
def residual():
    return (
        calc((X.T @ (y - X @ ŵ))[i])
        .eq((X.T @ y)[i] - Σ(X[n, i] * (X @ ŵ)[n], n),                                    linearity)
        .eq((A @ ŵ)[i] - Σ(X[n, i] * (X @ ŵ)[n], n),                                      solution)
        .eq(Σ(Σ(X[n, i] * X[n, j], n) * ŵ[j], j) + λ * ŵ[i] - Σ(X[n, i] * (X @ ŵ)[n], n),   by(A), sift)
        .eq(λ * ŵ[i],                                                                     multiplied_out)
        .array(X.T @ (y - X @ ŵ), λ * ŵ, i)
    )  # fmt: skip


@entry.proves(eq(cost(w) - cost(ŵ), gap), "The exact excess of any other weights", main=True)
def excess():
    a, b, penalties = (X @ (w - ŵ))[n], (y - X @ ŵ)[n], λ * Σ(w[i] ** 2 - ŵ[i] ** 2, i)
    return (
        calc(cost(w) - cost(ŵ))
        .eq(Σ((X @ w - y)[n] ** 2 - (X @ ŵ - y)[n] ** 2, n) + penalties,                  by("squared_norm"), linearity)
        .eq(Σ(((X @ w)[n] - (X @ ŵ)[n]) ** 2 - 2 * ((X @ w)[n] - (X @ ŵ)[n]) * b, n) + penalties)
        .eq(Σ(a**2 - 2 * a * b, n) + penalties,                                           linearity)
        .eq(Σ(a**2, n) - 2 * Σ(a * b, n) + penalties,                                     linearity)
        .eq(Σ(a**2, n) - 2 * Σ((w - ŵ)[i] * (X.T @ (y - X @ ŵ))[i], i) + penalties,       multiplied_out)
        .eq(Σ(a**2, n) - 2 * Σ((w - ŵ)[i] * (λ * ŵ[i]), i) + penalties,                   residual)
        .eq(Σ(a**2, n) + λ * Σ((w - ŵ)[i] ** 2, i),                                       linearity)
        .eq(gap,                                                                          by("squared_norm"))
    )  # fmt: skip


@entry.proves(le(cost(ŵ), cost(w)), "No other weights cost less")
def minimum():
    return from_gap(
        calc(cost(w) - cost(ŵ))
        .eq(gap,                                                                          excess)
    )  # fmt: skip


@entry.proves(iff(eq(cost(w), cost(ŵ)), forall(eq(w[i], ŵ[i]), i)), "No other weights cost as little")
def unique():
    return (
        calc(eq(cost(w), cost(ŵ)))
        .iff(eq(cost(w) - cost(ŵ), 0),                                                    multiplied(eq(cost(w) - cost(ŵ), 0), lift(1)))
        .iff(eq((w - ŵ) @ (A @ (w - ŵ)), 0),                                              excess, use(instance(form.theorem, (v, w - ŵ)).theorem, "the form as squared norms"))
        .iff(forall(eq((w - ŵ)[i], 0), i),                                                definite_form(A, w - ŵ))
        .iff(forall(eq(w[i], ŵ[i]), i),                                                   multiplied(eq(w[i], ŵ[i]), lift(1)))
    )  # fmt: skip


@entry.proves(eq(J - J_best, (squared_norm(X @ (w - ŵ_N)) + N * λ * squared_norm(w - ŵ_N)) / N), "Under the mean of the squares")
def mean_loss():
    scaled = instance(excess.theorem, (λ, N * λ), (A, A_N), (ŵ, ŵ_N)).theorem
    return (
        calc(J - J_best)
        .eq((squared_norm(X @ w - y) + N * λ * squared_norm(w) - (squared_norm(X @ ŵ_N - y) + N * λ * squared_norm(ŵ_N))) / N,   by(J))
        .eq((squared_norm(X @ (w - ŵ_N)) + N * λ * squared_norm(w - ŵ_N)) / N,            use(scaled, "the exact excess, the strength times the number of examples"))
    )  # fmt: skip


@entry.proves(eq(Σ(U[n, r] * X[n, i], n), s[r] * V[i, r]), "What the inputs make of a left singular vector")
def from_left():
    return (
        calc(Σ(U[n, r] * X[n, i], n))
        .eq(Σ(U[n, r] * Σ(U[n, q] * s[q] * V[i, q], q), n),                               given(parted))
        .eq(Σ(Σ(U[n, r] * U[n, q], n) * (s[q] * V[i, q]), q),                             multiplied_out)
        .eq(s[r] * V[i, r],                                                               given(straight_U), sift)
    )  # fmt: skip


@entry.proves(eq(Σ(X[n, i] * V[i, r], i), s[r] * U[n, r]), "What they make of a right one")
def from_right():
    return (
        calc(Σ(X[n, i] * V[i, r], i))
        .eq(Σ(Σ(U[n, q] * s[q] * V[i, q], q) * V[i, r], i),                               given(parted))
        .eq(Σ(Σ(V[i, q] * V[i, r], i) * (s[q] * U[n, q]), q),                             multiplied_out)
        .eq(s[r] * U[n, r],                                                               given(straight_V), sift)
    )  # fmt: skip


@entry.proves(eq((V.T @ (A @ ŵ))[r], (s[r] ** 2 + λ) * (V.T @ ŵ)[r]), "The matrix stretches a singular direction")
def stretched():
    return (
        calc((V.T @ (A @ ŵ))[r])
        .eq(Σ(V[i, r] * (Σ(Σ(X[n, i] * X[n, j], n) * ŵ[j], j) + λ * ŵ[i]), i),            by(A), sift)
        .eq(Σ(V[i, r] * Σ(Σ(X[n, i] * X[n, j], n) * ŵ[j], j), i) + λ * (V.T @ ŵ)[r],      linearity)
        .eq(Σ(Σ(Σ(X[n, i] * V[i, r], i) * X[n, j], n) * ŵ[j], j) + λ * (V.T @ ŵ)[r],      multiplied_out)
        .eq(s[r] * Σ(Σ(U[n, r] * X[n, j], n) * ŵ[j], j) + λ * (V.T @ ŵ)[r],               from_right, linearity)
        .eq((s[r] ** 2 + λ) * (V.T @ ŵ)[r],                                               from_left, linearity)
    )  # fmt: skip


@entry.proves(eq((U.T @ (X @ ŵ))[r], s[r] ** 2 / (s[r] ** 2 + λ) * (U.T @ y)[r]), "Shrinkage")
def shrinkage():
    return (
        calc((U.T @ (X @ ŵ))[r])
        .eq(Σ(Σ(U[n, r] * X[n, i], n) * ŵ[i], i),                                         multiplied_out)
        .eq(s[r] * (V.T @ ŵ)[r],                                                          from_left, linearity)
        .eq(s[r] / (s[r] ** 2 + λ) * (V.T @ (A @ ŵ))[r],                                  stretched)
        .eq(s[r] / (s[r] ** 2 + λ) * Σ(V[i, r] * (X.T @ y)[i], i),                        solution)
        .eq(s[r] / (s[r] ** 2 + λ) * Σ(Σ(X[n, i] * V[i, r], i) * y[n], n),                multiplied_out)
        .eq(s[r] ** 2 / (s[r] ** 2 + λ) * (U.T @ y)[r],                                   from_right, linearity)
    )  # fmt: skip
