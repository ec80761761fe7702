"""∂L/∂x of root-mean-square normalisation: (h − x̂·mean(h x̂))/r with h = g γ: one projection where layer normalisation has two, and no mean."""

from derive.language.notation import sqrt
from derive.language.term import Σ, D, array, eq, indices, let, lt, mapping, sizes, var, δ
from derive.logic.arguments import carried, discharged, from_gap
from derive.logic.calc import calc
from derive.logic.rules.reasons import (
    branch,
    by,
    chain,
    linearity,
    multiplied,
    power_rule,
    quotient_rule,
    root_of_product,
    root_of_square,
    sift,
    sqrt_rule,
)
from derive.record import Assumption, Derivation, Kernel, Mistake

N, d = sizes("N d")
i, j, k = indices("i j k", d)
m, n = indices("m n", N)
ε, γ = var("ε", dom="positive"), var("γ", d)

# one example, and any loss of the output
x = var("x", d)
q = let("q", (x**2).sum(0) / d); r = let("r", sqrt(q + ε))
x̂ = let("x̂", x / r); y = let("y", γ * x̂)
L = let("L", mapping("ℓ")(y)); g = let("g", D(L, y)); h = let("h", g * γ)
claim = eq(D(L, x), (h - x̂ * ((h * x̂).sum(0) / d)) / r)

# rows, and the gradient G that arrives at them
X, G = var("X", N, d), var("G", N, d)
Q = let("Q", array(Σ(X[n, k] ** 2, k) / d, n)); R = let("R", sqrt(Q + ε))
X̂ = let("X̂", array(X[n, k] / R[n], n, k)); Y = let("Y", γ * X̂)
L_N = let("L_N", Σ(G[n, k] * Y[n, k], n, k)); H = let("H", G * γ)
back = array((H[n, j] - X̂[n, j] * (Σ(H[n, k] * X̂[n, k], k) / d)) / R[n], n, j)

# moved and stretched
a, c = var("a", dom="positive"), var("c")


def normalised(u, extra=None):
    """Return u/√(mean square + extra) at k, written out."""
    square = Σ(u(j) ** 2, j) / d
    return u(k) / sqrt(square if extra is None else square + extra)


def plain(u):
    return x[u]


def stretched(u):
    return a * x[u]


squares = Σ(x[j] ** 2, j) / d

entry = Derivation(
    module=__name__,
    title="Backward through RMS normalisation",
    claim=claim,
    goal=f"The gradients by {x} and {γ}, given the gradient {g} that arrives at the output, and the changes of {x} that the output does and does not see.",
    priority="important",
    given=(
        (d, "number of features"), (x, "one example"), (ε, "a small number, against division by 0"),
        (q, "mean of the squares"), (r, "its root"), (x̂, "normalised features"),
        (γ, "gain"), (y, "output"), (L, "any loss of the output"), (g, "gradient that arrives"), (h, "gradient at the normalised features"),
        (N, "number of rows"), (X, "examples, or positions of a sequence, one a row"), (Q, "mean squares of the rows"), (R, "their roots"),
        (X̂, "normalised rows"), (Y, "outputs"), (G, "gradient that arrives at the rows"), (L_N, "the loss, as far as its gradient goes"), (H, "gradient at the normalised rows"),
        (a, "a positive factor"), (c, "any number"),
    ),
    assumptions=(Assumption(lt(0, Σ(x[j] ** 2, j)), f"some feature is not 0; asked for where there is no {ε}"),),
    convention=(
        f"A gradient has the shape of what it is taken by. Products of vectors are entry by entry, {(h * x̂).sum(0) / d} is the mean of {h * x̂}. "
        f"For rows any loss may stand in the place of {L_N} that has the gradient {G} at {Y}."
    ),
    prompt=f"RMSNorm divides the features by {r} and multiplies by a gain, {eq(y, γ * x̂)}. Derive its backward pass. What does layer normalisation do beyond it, and which of the two ignores a shift, which a stretch?",
    sixty_seconds=(
        f"A feature moves itself and the root: {eq(D(r, x[j]), x̂[j] / d)}. So the Jacobian of {x̂} is {δ(k, j)} less {x̂[k] * x̂[j] / d}, over {r}, and on {h} it gives "
        f"{h} less {x̂} times the mean of {h * x̂}, over {r}. There is one projection, along {x̂}; the one along the constant direction is missing because "
        f"no mean is subtracted. A stretch by {a} only turns {ε} into {ε / a ** 2}, so without {ε} it changes nothing. A shift by {c} changes the mean square, so that is not ignored."
    ),
    strong=(
        f"Compares with layer normalisation: one statistic for a row and not two, no bias, the same cost class; and says that the gradient stands almost at a right angle to {x}, which is "
        "why the weights before the layer feel a step that grows smaller as they grow."
    ),
    weak=f"Writes {h / r}, as if {r} did not depend on {x}: the part along {x̂} should have been taken out.",
    sanity=(
        ("Shape", f"The gradient by {x} has {d} entries; {r} and the mean are single numbers."),
        ("Parallel", f"Where {h} is a multiple of {x̂} nearly nothing comes back: it would change the length alone, which is divided out."),
        ("One feature", f"With {eq(d, 1)} and a tiny {ε} the output is the gain with the sign of {x}, and the gradient is nearly 0."),
    ),
    mistakes=(
        Mistake(eq(D(L, x), h / r), "The root was taken as a constant; it depends on every feature."),
        Mistake(eq(D(L, x), (h - x̂ * (h * x̂).sum(0)) / r), f"The mean was forgotten: the sum over {k} is divided by {d}."),
        Mistake(eq(D(L, x), (h - h.sum(0) / d - x̂ * ((h * x̂).sum(0) / d)) / r), "That is layer normalisation: where no mean is subtracted forwards, none is backwards."),
        Mistake(eq(D(L, x), (g - x̂ * ((g * x̂).sum(0) / d)) / r), f"The gain was forgotten: it belongs into {h}, before the mean is taken."),
        Mistake(eq(normalised(lambda u: x[u] + c, ε), normalised(plain, ε)), "A shift is ignored by layer normalisation; here it changes both numerator and root."),
    ),
    prerequisites=("layernorm-backward",),
    follow_ups=("batchnorm-backward",),
    kernels=(
        Kernel(
            "rmsnorm_backward", (X, γ, ε, G), (("loss", L_N), ("dX", back), ("dγ", (G * X̂).sum(0))),
            "RMS normalisation of rows, and its gradients by rows and gain for the gradient G that arrives; loss is the sum of G times the output.",
            textbook=L_N, proved_by=("rows", "rows_gain"),
        ),
        Kernel("rmsnorm", (X, γ, ε), (("value", Y),), "RMS normalisation of rows."),
    ),
    references=("Zhang and Sennrich, Root mean square layer normalization (2019)",),
)  # fmt: skip

# ---- one example -----------------------------------------------------------------------------------------------------


@entry.proves(eq(D(r, x[j]), x̂[j] / d), "What one feature does to the root")
def root():
    return (
        calc(D(r, x[j]))
        .eq(1 / (2 * r) * D(q, x[j]),                                            by(r), sqrt_rule, linearity)
        .eq(1 / (2 * r) * (2 * x[j] / d),                                        by(q), power_rule, linearity, sift)
        .eq(x̂[j] / d,                                                            by(x̂))
    )  # fmt: skip


@entry.proves(eq(D(x̂[k], x[j]), (δ(k, j) - x̂[k] * x̂[j] / d) / r), "Jacobian of the normalised features")
def jacobian():
    return (
        calc(D(x̂[k], x[j]))
        .eq((D(x[k], x[j]) * r - x[k] * D(r, x[j])) / r ** 2,                    by(x̂), quotient_rule)
        .eq((δ(k, j) - x[k] / r * (x̂[j] / d)) / r,                               linearity, root)
        .eq((δ(k, j) - x̂[k] * x̂[j] / d) / r,                                     by(x̂))
    )  # fmt: skip


@entry.proves(eq(D(L, γ), g * x̂), "Gain")
def gain():
    return (
        calc(D(L, γ[j]))
        .eq(Σ(g[k] * D(γ[k] * x̂[k], γ[j]), k),                                   chain(y), by(g, y))
        .eq(g[j] * x̂[j],                                                         linearity, sift)
        .array(D(L, γ), g * x̂, j)
    )  # fmt: skip


@entry.proves(claim, "Gradient by the input", main=True)
def input_():
    return (
        calc(D(L, x[j]))
        .part("Back through the gain")
        .eq(Σ(g[k] * D(y[k], x[j]), k),                                          chain(y), by(g))
        .eq(Σ(h[k] * D(x̂[k], x[j]), k),                                          by(y, h), linearity)
        .part("Back through the normalisation")
        .eq(Σ(h[k] * ((δ(k, j) - x̂[k] * x̂[j] / d) / r), k),                      jacobian)
        .eq((h[j] - x̂[j] * (Σ(h[k] * x̂[k], k) / d)) / r,                         linearity, sift)
        .array(D(L, x), claim.args[1], j)
    )  # fmt: skip


@entry.proves(lt(Σ(x̂[k] ** 2, k) / d, 1), "Normalised features have a mean square just below 1")
def below_one():
    return from_gap(
        calc(1 - Σ(x̂[k] ** 2, k) / d)
        .eq(1 - Σ(x[k] ** 2 / r ** 2, k) / d,                                    by(x̂))
        .eq(1 - q / r ** 2,                                                      by(q), linearity)
        .eq(1 - q / (q + ε),                                                     by(r), root_of_square)
        .eq(ε / (q + ε))
    )  # fmt: skip


@entry.proves(eq(Σ(x̂[j] * D(L, x[j]), j), Σ(h[k] * x̂[k], k) / r * (1 - Σ(x̂[k] ** 2, k) / d)), "What is left along the features")
def along():
    return (
        calc(Σ(x̂[j] * D(L, x[j]), j))
        .eq(Σ(x̂[j] * ((h[j] - x̂[j] * (Σ(h[k] * x̂[k], k) / d)) / r), j),          input_)
        .eq(Σ(h[k] * x̂[k], k) / r * (1 - Σ(x̂[k] ** 2, k) / d),                   linearity)
    )  # fmt: skip


# ---- what the output sees --------------------------------------------------------------------------------------------


@entry.proves(eq(Σ((x[j] + c) ** 2, j) / d, squares + c * (2 * (Σ(x[i], i) / d) + c)), "A shift changes the mean square")
def shift():
    return calc(Σ((x[j] + c) ** 2, j) / d).eq(squares + c * (2 * (Σ(x[i], i) / d) + c), linearity)


@entry.proves(eq(Σ(stretched(j) ** 2, j) / d, a**2 * squares), "A stretch enters the mean square twice")
def stretched_squares():
    return calc(Σ(stretched(j) ** 2, j) / d).eq(a**2 * squares, linearity)


@entry.proves(eq(normalised(stretched, ε), normalised(plain, ε / a**2)), "A stretch makes ε smaller, and does nothing else")
def stretch():
    return (
        calc(normalised(stretched, ε))
        .eq(a * x[k] / sqrt(a ** 2 * squares + ε),                               stretched_squares)
        .eq(a * x[k] / sqrt(a ** 2 * (squares + ε / a ** 2)))
        .eq(a * x[k] / (a * sqrt(squares + ε / a ** 2)),                         root_of_product, root_of_square, branch("abs", 0))
        .eq(normalised(plain, ε / a**2))
    )  # fmt: skip


@entry.proves(lt(0, Σ(stretched(j) ** 2, j)), "Stretched features are not all 0 either")
def still_there():
    return carried(
        calc(lt(0, Σ(x[j] ** 2, j)))
        .iff(lt(0, a ** 2 * squares),                                            multiplied(lt(0, a ** 2 * squares), d / a ** 2))
        .iff(lt(0, Σ(stretched(j) ** 2, j) / d),                                 stretched_squares)
        .iff(lt(0, Σ(stretched(j) ** 2, j)),                                     multiplied(lt(0, Σ(stretched(j) ** 2, j)), 1 / d))
    )  # fmt: skip


@entry.proves(eq(normalised(stretched), normalised(plain)), "Without ε a stretch changes nothing")
def stretch_without():
    return discharged(
        calc(normalised(stretched))
        .eq(a * x[k] / sqrt(a ** 2 * squares),                                   stretched_squares)
        .eq(a * x[k] / (a * sqrt(squares)),                                      root_of_product, root_of_square, branch("abs", 0))
        .eq(normalised(plain)),
        still_there,
    )  # fmt: skip


# ---- rows ------------------------------------------------------------------------------------------------------------


@entry.proves(eq(D(R[m], X[n, j]), δ(m, n) * X̂[m, j] / d), "Rows: the root")
def row_root():
    return (
        calc(D(R[m], X[n, j]))
        .eq(1 / (2 * R[m]) * D(Q[m], X[n, j]),                                   by(R), sqrt_rule, linearity)
        .eq(1 / (2 * R[m]) * (2 * X[m, j] * δ(m, n) / d),                        by(Q), power_rule, linearity, sift)
        .eq(δ(m, n) * X̂[m, j] / d,                                               by(X̂))
    )  # fmt: skip


@entry.proves(eq(D(X̂[m, k], X[n, j]), δ(m, n) * (δ(k, j) - X̂[m, k] * X̂[m, j] / d) / R[m]), "Rows: the Jacobian, one row at a time")
def row_jacobian():
    return (
        calc(D(X̂[m, k], X[n, j]))
        .eq((D(X[m, k], X[n, j]) * R[m] - X[m, k] * D(R[m], X[n, j])) / R[m] ** 2,   by(X̂), quotient_rule)
        .eq(δ(m, n) * (δ(k, j) - X[m, k] / R[m] * (X̂[m, j] / d)) / R[m],         linearity, row_root)
        .eq(δ(m, n) * (δ(k, j) - X̂[m, k] * X̂[m, j] / d) / R[m],                  by(X̂))
    )  # fmt: skip


@entry.proves(eq(D(L_N, X), back), "Rows: input")
def rows():
    return (
        calc(D(L_N, X[n, j]))
        .eq(Σ(H[m, k] * D(X̂[m, k], X[n, j]), m, k),                              by(L_N, Y, H), linearity)
        .eq(Σ(H[m, k] * (δ(m, n) * (δ(k, j) - X̂[m, k] * X̂[m, j] / d) / R[m]), m, k),   row_jacobian)
        .eq((H[n, j] - X̂[n, j] * (Σ(H[n, k] * X̂[n, k], k) / d)) / R[n],          linearity, sift)
        .array(D(L_N, X), back, n, j)
    )  # fmt: skip


@entry.proves(eq(D(L_N, γ), (G * X̂).sum(0)), "Rows: gain")
def rows_gain():
    return (
        calc(D(L_N, γ[j]))
        .eq(Σ(G[n, k] * D(γ[k] * X̂[n, k], γ[j]), n, k),                          by(L_N, Y), linearity)
        .eq(Σ(G[n, j] * X̂[n, j], n),                                             linearity, sift)
        .array(D(L_N, γ), (G * X̂).sum(0), j)
    )  # fmt: skip
