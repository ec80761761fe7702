"""The direction of largest variance is the top eigenvector of the covariance, and reconstructs the data best."""

from derive.language.notation import squared_norm
from derive.language.term import Σ, D, array, eq, forall, iff, index, indices, le, let, lift, sizes, var, δ
from derive.logic.arguments import carried, discharged, equivalent, for_all, from_gap, rearranged
from derive.logic.calc import calc
from derive.logic.rules.reasons import (
    by,
    given,
    linearity,
    multiplied,
    multiplied_out,
    power_rule,
    product_rule,
    sift,
    zero_set,
    zero_sum,
)
from derive.record import Assumption, Derivation, Kernel, Mistake

N, d = sizes("N d")
(n, m), (i, l), (a, b) = indices("n m", N), indices("i l", d), indices("a b", d)
top = index("max", d)

# data as they come
Y, u = var("Y", N, d), var("u", d)
μ = let("μ", array(Σ(Y[n, i], n) / N, i)); C = let("C", array(Y[n, i] - μ[i], n, i))
t = let("t", Y @ u); mean = Σ(t[m], m) / N

# centred data in their principal coordinates
Z, Q = var("Z", N, d, dom="orthogonal"), var("Q", d, d, dom="orthonormal")
X = let("X", Z @ Q.T); S = let("S", X.T @ X / N); λ = let("λ", array(Σ(Z[n, a] ** 2, n) / N, a))
c, v = let("c", Q.T @ u), var("v", d, dom="orthonormal")

uncorrelated = forall(eq(Σ(Z[n, a] * Z[n, b], n), N * λ[a] * δ(a, b)), a, b)
columns, rows = forall(eq(Σ(Q[i, a] * Q[i, b], i), δ(a, b)), a, b), forall(eq(Σ(Q[i, a] * Q[l, a], a), δ(i, l)), i, l)
largest = forall(le(λ[a], λ[top]), a)
unit = eq(Σ(v[i] ** 2, i), 1)

form, gap = Σ(u[i] * S[i, l] * u[l], i, l), Σ((λ[top] - λ[a]) * c[a] ** 2, a)
reached, apart = eq(form, λ[top] * squared_norm(u)), forall(eq((λ[top] - λ[a]) * c[a], 0), a)
eigen = forall(eq(Σ(S[i, l] * u[l], l), λ[top] * u[i]), i)
lost = Σ(Σ((X[n, i] - Σ(X[n, l] * v[l], l) * v[i]) ** 2, i), n) / N
kept = Σ(v[i] * S[i, l] * v[l], i, l)
x, y, κ = var("x"), var("y"), var("κ")
lagrangian = let("ℒ", form - κ * (Σ(u[i] ** 2, i) - 1))

entry = Derivation(
    module=__name__,
    title="PCA: the direction of largest variance",
    claim=le(form, λ[top] * squared_norm(u)),
    goal="Show that no direction has more variance than the top eigenvector of the covariance, which directions reach it, and that the same direction loses least when the data are projected on it.",
    priority="critical",
    given=(
        (N, "number of examples"), (d, "number of features"), (Y, "data as they come, one example a row"), (μ, "their mean"), (C, "the data, centred"), (u, "any direction"), (t, "the data along it"),
        (Z, "centred data in principal coordinates, one example a row"), (Q, "eigenvectors of the covariance, one a column"), (X, "centred data"), (S, "their covariance"),
        (λ, "variances of the principal coordinates"), (c, "the direction in these coordinates"), (v, "a direction of length 1"), (x, "any number"), (y, "another"),
        (κ, "a multiplier"), (lagrangian, "variance, with the constraint on the length"),
    ),
    assumptions=(
        Assumption(columns, "eigenvectors have length 1 and are orthogonal (the spectral theorem)"),
        Assumption(rows, "and they are a basis"),
        Assumption(uncorrelated, "in their coordinates the covariance is diagonal"),
        Assumption(largest, "the top eigenvalue is the largest"),
        Assumption(unit, "the direction has length 1"),
    ),
    convention=(
        f"Variances are means over the {N} examples. That a covariance has an orthonormal basis of eigenvectors is the spectral theorem, which is cited: in this basis the "
        f"coordinates of the data are {Z}. The index {top} stands for a largest eigenvalue."
    ),
    prompt="Derive PCA. Why is the first component the top eigenvector of the covariance? Why is the direction of largest variance also the one that reconstructs best, and when is it unique?",
    sixty_seconds=(
        f"Centre the data. The variance along {u} is then {form}, with {S} the covariance. With a multiplier for the length, the stationary directions are its eigenvectors; which of them is best is still to be seen. In the basis of its eigenvectors that is {Σ(λ[a] * c[a] ** 2, a)}, and "
        f"{squared_norm(u)} is {Σ(c[a] ** 2, a)}: a weighted mean of eigenvalues, at most the largest one. What is missing is {gap}, so the maximum is reached "
        f"by the top eigenvectors and by nothing else. Projecting an example on {v} splits its squared length by Pythagoras, so what is lost and what is kept add up to the total variance: "
        f"least reconstruction error is the same problem. The share that is kept is {λ[top] / Σ(λ[a], a)}."
    ),
    strong=(
        "Gives the gap, so that the equality case comes for free: with a double top eigenvalue any direction of its plane will do, and what software returns is an accident. Says that features in "
        "different units must be standardised first, since variance depends on the unit, and that one computes this from the singular values of the data and never forms the covariance."
    ),
    weak="Sets the gradient of the Lagrangian to zero and stops at the eigenvalue equation. Every eigenvector solves it, the one of least variance as well: which one is the maximum is the question.",
    sanity=(
        ("Attained", f"With {u} the top eigenvector, {form} is {λ[top]}."),
        ("Total", f"Over any orthonormal basis the variances add up to {Σ(λ[a], a)}, the trace of {S}."),
        ("Round data", "If all eigenvalues are equal, every direction is as good as every other."),
        ("One feature", f"With {eq(d, 1)} nothing is lost: there is one direction, up to its sign."),
    ),
    mistakes=(
        Mistake(le(λ[top] * squared_norm(u), form), "The top eigenvalue bounds the variance from above."),
        Mistake(eq(form, Σ(λ[a] * c[a], a)), "Variance is quadratic in the direction: its coordinates enter squared."),
        Mistake(iff(reached, forall(eq(u[i], Q[i, top]), i)), "A multiple of the eigenvector reaches the bound as well, and so does all of a top eigenspace of more than one dimension."),
        Mistake(eq(Σ(t[n] ** 2, n) / N, Σ(u[i] * (C.T @ C)[i, l] * u[l], i, l) / N), "The data were not centred: the left side measures the distance from 0 and not from the mean."),
    ),
    prerequisites=("projection", "covariance-correlation"),
    follow_ups=("eigen-2x2",),
    kernels=(
        Kernel("variance_along", (Y, u), (("variance", u @ (C.T @ C / N @ u)),), "The variance of data along a direction.", textbook=Σ((t[n] - mean) ** 2, n) / N),
    ),
    references=("C. M. Bishop, Pattern Recognition and Machine Learning, section 12.1",),
)  # fmt: skip


@entry.proves(eq(t[n] - mean, Σ(C[n, i] * u[i], i)), "Centred data along a direction")
def centred():
    return (
        calc(t[n] - mean)
        .eq(Σ(Y[n, i] * u[i], i) - Σ(Y[m, i] * u[i], i, m) / N,                  by(t))
        .eq(Σ(Y[n, i] * u[i], i) - Σ(Σ(Y[m, i], m) * u[i], i) / N,               multiplied_out)
        .eq(Σ(C[n, i] * u[i], i),                                                by(C, μ), linearity)
    )  # fmt: skip


@entry.proves(eq(Σ((t[n] - mean) ** 2, n) / N, Σ(u[i] * (C.T @ C / N)[i, l] * u[l], i, l)), "Variance along a direction")
def variance_along():
    return (
        calc(Σ((t[n] - mean) ** 2, n) / N)
        .eq(Σ(Σ(C[n, i] * u[i], i) * Σ(C[n, l] * u[l], l), n) / N,               centred)
        .eq(Σ(u[i] * Σ(C[n, i] * C[n, l], n) * u[l], i, l) / N,                  multiplied_out)
        .eq(Σ(u[i] * (C.T @ C / N)[i, l] * u[l], i, l),                          linearity)
    )  # fmt: skip


@entry.proves(eq(D(lagrangian, u[i]), 2 * (Σ(S[i, l] * u[l], l) - κ * u[i])), "The slope of the Lagrangian")
def gradient():
    return (
        calc(D(lagrangian, u[i]))
        .eq(D(form, u[i]) - κ * D(Σ(u[l] ** 2, l), u[i]),                        by(lagrangian), linearity)
        .eq(Σ(S[i, l] * u[l], l) + Σ(S[l, i] * u[l], l) - κ * (2 * u[i]),        power_rule, product_rule, linearity, sift)
        .eq(Σ(S[i, l] * u[l], l) + Σ(S[i, l] * u[l], l) - κ * (2 * u[i]),        by(S))
        .eq(2 * (Σ(S[i, l] * u[l], l) - κ * u[i]))
    )  # fmt: skip


@entry.proves(iff(forall(eq(D(lagrangian, u[i]), 0), i), forall(eq(Σ(S[i, l] * u[l], l), κ * u[i]), i)), "By a multiplier: stationary exactly at eigenvectors")
def stationary():
    slope = 2 * (Σ(S[i, l] * u[l], l) - κ * u[i])
    return (
        calc(forall(eq(D(lagrangian, u[i]), 0), i))
        .iff(forall(eq(slope, 0), i),                                            gradient)
        .iff(forall(eq(Σ(S[i, l] * u[l], l), κ * u[i]), i),                      multiplied(eq(Σ(S[i, l] * u[l], l), κ * u[i]), lift(2)))
    )  # fmt: skip


@entry.proves(eq(S[i, l], Σ(Q[i, a] * λ[a] * Q[l, a], a)), "The covariance by its eigenvectors")
def spectral():
    return (
        calc(S[i, l])
        .eq(Σ(Σ(Z[n, a] * Q[i, a], a) * Σ(Z[n, b] * Q[l, b], b), n) / N,         by(S, X))
        .eq(Σ(Q[i, a] * Q[l, b] * Σ(Z[n, a] * Z[n, b], n), a, b) / N,            multiplied_out)
        .eq(Σ(Q[i, a] * λ[a] * Q[l, a], a),                                      given(uncorrelated), linearity, sift)
    )  # fmt: skip


@entry.proves(eq(form, Σ(λ[a] * c[a] ** 2, a)), "Variance in principal coordinates")
def diagonal():
    return (
        calc(form)
        .eq(Σ(u[i] * Σ(Q[i, a] * λ[a] * Q[l, a], a) * u[l], i, l),               spectral)
        .eq(Σ(λ[a] * (Σ(Q[i, a] * u[i], i) * Σ(Q[l, a] * u[l], l)), a),          multiplied_out)
        .eq(Σ(λ[a] * c[a] ** 2, a),                                              by(c))
    )  # fmt: skip


@entry.proves(eq(squared_norm(u), Σ(c[a] ** 2, a)), "Length in principal coordinates")
def length():
    return (
        calc(squared_norm(u))
        .eq(Σ(u[i] * u[l] * Σ(Q[i, a] * Q[l, a], a), i, l),                      by("squared_norm"), given(rows), sift)
        .eq(Σ(Σ(Q[i, a] * u[i], i) * Σ(Q[l, a] * u[l], l), a),                   multiplied_out)
        .eq(Σ(c[a] ** 2, a),                                                     by(c))
    )  # fmt: skip


@entry.proves(eq(λ[top] * squared_norm(u) - form, gap), "The gap")
def the_gap():
    return (
        calc(λ[top] * squared_norm(u) - form)
        .eq(λ[top] * Σ(c[a] ** 2, a) - Σ(λ[a] * c[a] ** 2, a),                   diagonal, length)
        .eq(gap,                                                                 linearity)
    )  # fmt: skip


@entry.proves(entry.claim, "The bound", main=True)
def bound():
    return (
        calc(form)
        .eq(Σ(λ[a] * c[a] ** 2, a),                                              diagonal)
        .le(Σ(λ[top] * c[a] ** 2, a),                                            given(largest))
        .eq(λ[top] * squared_norm(u),                                            linearity, length)
    )  # fmt: skip


@entry.proves(eq(Σ(S[i, l] * Q[l, b], l), λ[b] * Q[i, b]), "The columns of Q are eigenvectors")
def eigenvectors():
    return (
        calc(Σ(S[i, l] * Q[l, b], l))
        .eq(Σ(Σ(Q[i, a] * λ[a] * Q[l, a], a) * Q[l, b], l),                      spectral)
        .eq(Σ(Q[i, a] * λ[a] * Σ(Q[l, a] * Q[l, b], l), a),                      multiplied_out)
        .eq(λ[b] * Q[i, b],                                                      given(columns), sift)
    )  # fmt: skip


@entry.proves(eq(Σ(Q[i, top] * S[i, l] * Q[l, top], i, l), λ[top]), "The bound is attained")
def attained():
    return (
        calc(Σ(Q[i, top] * S[i, l] * Q[l, top], i, l))
        .eq(Σ(Q[i, top] * Σ(S[i, l] * Q[l, top], l), i),                         linearity)
        .eq(λ[top] * Σ(Q[i, top] * Q[i, top], i),                                eigenvectors, linearity)
        .eq(λ[top],                                                              given(columns))
    )  # fmt: skip


@entry.proves(iff(eq(x * y**2, 0), eq(x * y, 0)), "A square may be taken off")
def square_taken_off():
    squared = calc((x * y) ** 2).eq(x * (x * y**2)).eq(0, given(eq(x * y**2, 0)))
    return equivalent(
        carried(calc(eq((x * y) ** 2, 0)).iff(eq(x * y, 0), zero_set), squared),
        calc(x * y**2).eq(x * y * y).eq(0, given(eq(x * y, 0))),
    )


@entry.proves(iff(reached, apart), "Where the gap is 0")
def no_gap():
    return discharged(
        calc(reached)
        .iff(eq(λ[top] * squared_norm(u) - form, 0),                             multiplied(eq(λ[top] * squared_norm(u) - form, 0), lift(-1)))
        .iff(eq(gap, 0),                                                         the_gap)
        .iff(forall(eq((λ[top] - λ[a]) * c[a] ** 2, 0), a),                      zero_sum)
        .iff(apart,                                                              square_taken_off),
        for_all(rearranged(calc(λ[a]).le(λ[top], given(largest)), le(0, λ[top] - λ[a])), a),
    )  # fmt: skip


@entry.proves(eq(Σ(Q[i, a] * Σ(S[i, l] * u[l], l), i), λ[a] * c[a]), "The covariance in principal coordinates")
def stretched():
    return (
        calc(Σ(Q[i, a] * Σ(S[i, l] * u[l], l), i))
        .eq(Σ(Q[i, a] * Σ(Σ(Q[i, b] * λ[b] * Q[l, b], b) * u[l], l), i),         spectral)
        .eq(Σ(λ[b] * Σ(Q[i, a] * Q[i, b], i) * Σ(Q[l, b] * u[l], l), b),         multiplied_out)
        .eq(λ[a] * c[a],                                                         given(columns), sift, by(c))
    )  # fmt: skip


@entry.proves(iff(apart, eigen), "No part beside the top eigenspace")
def eigenspace():
    return equivalent(
        for_all(
            calc(Σ(S[i, l] * u[l], l))
            .eq(Σ(Σ(Q[i, a] * λ[a] * Q[l, a], a) * u[l], l),                     spectral)
            .eq(Σ(Q[i, a] * (λ[a] * Σ(Q[l, a] * u[l], l)), a),                   multiplied_out)
            .eq(Σ(Q[i, a] * (λ[top] * c[a] - (λ[top] - λ[a]) * c[a]), a),        by(c))
            .eq(λ[top] * Σ(Q[i, a] * Σ(Q[l, a] * u[l], l), a),                   given(apart), linearity, by(c))
            .eq(λ[top] * Σ(u[l] * Σ(Q[i, a] * Q[l, a], a), l),                   multiplied_out)
            .eq(λ[top] * u[i],                                                   given(rows), sift),
            i,
        ),
        for_all(
            calc((λ[top] - λ[a]) * c[a])
            .eq(λ[top] * c[a] - Σ(Q[i, a] * Σ(S[i, l] * u[l], l), i),            stretched)
            .eq(λ[top] * c[a] - Σ(Q[i, a] * (λ[top] * u[i]), i),                 given(eigen))
            .eq(0,                                                               by(c), linearity),
            a,
        ),
    )  # fmt: skip


@entry.proves(iff(reached, eigen), "Reached on the top eigenspace, and nowhere else")
def equality():
    return calc(reached).iff(apart, no_gap).iff(eigen, eigenspace)


@entry.proves(eq(Σ(Q[i, b] * S[i, l] * Q[l, b], i, l), λ[b]), "What each eigenvector explains of the variance")
def explained():
    return (
        calc(Σ(Q[i, b] * S[i, l] * Q[l, b], i, l))
        .eq(Σ(Q[i, b] * Σ(S[i, l] * Q[l, b], l), i),                             linearity)
        .eq(λ[b] * Σ(Q[i, b] * Q[i, b], i),                                      eigenvectors, linearity)
        .eq(λ[b],                                                                given(columns))
    )  # fmt: skip


@entry.proves(eq(Σ(S[i, i], i), Σ(λ[a], a)), "The total variance")
def total_variance():
    return (
        calc(Σ(S[i, i], i))
        .eq(Σ(Q[i, a] * λ[a] * Q[i, a], i, a),                                   spectral)
        .eq(Σ(λ[a] * Σ(Q[i, a] * Q[i, a], i), a),                                multiplied_out)
        .eq(Σ(λ[a], a),                                                          given(columns))
    )  # fmt: skip


@entry.proves(eq(lost, Σ(λ[a], a) - kept), "What is lost and what is kept")
def reconstruction():
    along = Σ(X[n, i] * v[i], i)
    return (
        calc(lost)
        .eq(Σ(Σ(X[n, i] ** 2, i) - 2 * along * along + along**2 * Σ(v[i] ** 2, i), n) / N,     linearity)
        .eq(Σ(Σ(X[n, i] ** 2, i) - along * along, n) / N,                        given(unit))
        .eq(Σ(X[n, i] ** 2, n, i) / N - Σ(along * along, n) / N,                 linearity)
        .eq(Σ(X[n, i] ** 2, i, n) / N - Σ(v[i] * Σ(X[n, i] * X[n, l], n) * v[l], i, l) / N,    multiplied_out)
        .eq(Σ(S[i, i], i) - kept,                                                by(S), linearity)
        .eq(Σ(λ[a], a) - kept,                                                   total_variance)
    )  # fmt: skip


@entry.proves(le(kept, λ[top]), "Variance along a direction of length 1")
def unit_bound():
    return calc(kept).le(λ[top] * squared_norm(v), bound).eq(λ[top], by("squared_norm"), given(unit))


@entry.proves(le(Σ(λ[a], a) - λ[top], lost), "The least reconstruction error")
def least_error():
    return from_gap(calc(lost - (Σ(λ[a], a) - λ[top])).eq(λ[top] - kept, reconstruction), rearranged(unit_bound.argument, le(0, λ[top] - kept)))
