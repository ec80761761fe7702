"""∂L/∂x of layer normalisation: (h − mean h − x̂·mean(h x̂))/s with h = g γ; the gradients by γ and β, for rows too, and what leaves the output as it is."""

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
ε, γ, β = var("ε", dom="positive"), var("γ", d), var("β", d)

# one example, and any loss of the output
x = var("x", d)
μ = let("μ", x.sum(0) / d); v = let("v", ((x - μ) ** 2).sum(0) / d); s = let("s", sqrt(v + ε))
x̂ = let("x̂", (x - μ) / s); y = let("y", γ * x̂ + β)
L = let("L", mapping("ℓ")(y)); g = let("g", D(L, y)); h = let("h", g * γ)
claim = eq(D(L, x), (h - h.sum(0) / d - x̂ * ((h * x̂).sum(0) / d)) / s)

# rows, and the gradient G that arrives at them
X, G = var("X", N, d), var("G", N, d)
M = let("M", X.sum(1) / d); V = let("V", array(Σ((X[n, k] - M[n]) ** 2, k) / d, n)); S = let("S", sqrt(V + ε))
X̂ = let("X̂", array((X[n, k] - M[n]) / S[n], n, k)); Y = let("Y", γ * X̂ + β)
L_N = let("L_N", Σ(G[n, k] * Y[n, k], n, k)); H = let("H", G * γ)
back = array((H[n, j] - Σ(H[n, k], k) / d - X̂[n, j] * (Σ(H[n, k] * X̂[n, k], k) / d)) / S[n], n, j)

# moved and stretched
a, c = var("a", dom="positive"), var("c")


def normalised(u, extra=None):
    """Return (u − mean)/√(variance + extra) at k, written out."""
    middle = Σ(u(i), i) / d
    variance = Σ((u(j) - middle) ** 2, j) / d
    return (u(k) - middle) / sqrt(variance if extra is None else variance + extra)


def plain(u):
    return x[u]


mean = Σ(x[i], i) / d
spread = Σ((x[j] - mean) ** 2, j) / d

entry = Derivation(
    module=__name__,
    title="Backward through layer normalisation",
    claim=claim,
    goal=f"The gradients by {x}, {γ} and {β}, given the gradient {g} that arrives at the output, and the changes of {x} that the output does not see.",
    priority="critical",
    given=(
        (d, "number of features"), (x, "one example"), (ε, "a small number, against division by 0"),
        (μ, "mean of the features"), (v, "their variance"), (s, "its root"), (x̂, "normalised features"),
        (γ, "gain"), (β, "bias"), (y, "output"), (L, "any loss of the output"), (g, "gradient that arrives"), (h, "gradient at the normalised features"),
        (N, "number of rows"), (X, "examples, or positions of a sequence, one a row"), (M, "means of the rows"), (V, "their variances"), (S, "the roots of these"),
        (X̂, "normalised rows"), (Y, "outputs"), (G, "gradient that arrives at the rows"), (L_N, "the loss, as far as its gradient goes"), (H, "gradient at the normalised rows"),
        (a, "a positive factor"), (c, "any number"),
    ),
    assumptions=(Assumption(lt(0, Σ((x[j] - mean) ** 2, j)), f"the features are not all equal; asked for where there is no {ε}"),),
    convention=(
        f"A gradient has the shape of what it is taken by. Products of vectors are entry by entry, {h.sum(0) / d} is the mean of {h}. The variance divides by {d}. "
        f"For rows any loss may stand in the place of {L_N} that has the gradient {G} at {Y}: nothing else of it enters."
    ),
    prompt=f"Write the backward pass of layer normalisation, {eq(y, γ * x̂ + β)}, by hand: the gradients by {x}, {γ} and {β}. Every feature enters the mean and the variance; show where that ends up. Which changes of {x} leave the output alone?",
    sixty_seconds=(
        f"Gain and bias first: {β} gets {g}, {γ} gets {g * x̂}, and what goes on is {h}, which is {g * γ}. Now one feature moves three things: itself, the mean by {1 / d}, "
        f"and the root of the variance by {x̂[j] / d}. So the Jacobian of {x̂} is {δ(k, j)} less {1 / d} less {x̂[k] * x̂[j] / d}, over {s}. "
        f"Times {h} that is: {h}, less its mean, less {x̂} times the mean of {h * x̂}, over {s}. Two projections and one scale. The gradient sums to 0 "
        f"because a common shift of the features changes nothing."
    ),
    strong=(
        f"Says that the two subtractions take the constant direction and the direction {x̂} out of {h}, the first exactly, the second up to {ε}; that a stretch by {a} is the same as "
        f"{ε / a ** 2} for {ε}, so that the scale drops out at {eq(ε, 0)} only; and that statistics over features, unlike those over a batch, are the same in training "
        "and inference, do not mix the positions of a sequence, and do not mind sequences of different lengths."
    ),
    weak=f"Treats {μ} and {s} as constants and answers {g * γ / s}. That misses both projections: the answer does not even sum to 0.",
    sanity=(
        ("Shape", f"The gradient by {x} has {d} entries; {μ}, {s} and both means are single numbers."),
        ("Sum", f"The entries of the gradient by {x} add up to 0."),
        ("Constant", f"If {h} is the same everywhere nothing comes back: {h} is its own mean, and {x̂} has mean 0."),
        ("One feature", f"With {eq(d, 1)} the output is {β} whatever {x} is, and the gradient is 0."),
    ),
    mistakes=(
        Mistake(eq(D(L, x), h / s), "Mean and variance were taken as constants; they depend on every feature."),
        Mistake(eq(D(L, x), (h - h.sum(0) / d) / s), f"The variance was taken as a constant: the part along {x̂} is still in it."),
        Mistake(eq(D(L, x), (g - g.sum(0) / d - x̂ * ((g * x̂).sum(0) / d)) / s), f"The gain was forgotten: {g} must be multiplied by {γ} before its mean is taken."),
        Mistake(eq(D(L, x), γ * (g - g.sum(0) / d - x̂ * ((g * x̂).sum(0) / d)) / s), "The gain differs from feature to feature, so it cannot be taken out of the means."),
        Mistake(eq(D(L, γ), g), f"That is the gradient by {β}; {γ} meets {x̂}."),
    ),
    follow_ups=("rmsnorm-backward", "batchnorm-backward"),
    kernels=(
        Kernel(
            "layernorm_backward", (X, γ, β, ε, G), (("loss", L_N), ("dX", back), ("dγ", (G * X̂).sum(0)), ("dβ", G.sum(0))),
            "Layer normalisation of rows, and its gradients by rows, gain and bias for the gradient G that arrives; loss is the sum of G times the output.",
            textbook=L_N, proved_by=("rows", "rows_gain", "rows_bias"),
        ),
        Kernel("layernorm", (X, γ, β, ε), (("value", Y),), "Layer normalisation of rows."),
    ),
    references=("Ba, Kiros and Hinton, Layer normalization (2016)",),
)  # fmt: skip

# ---- one example -----------------------------------------------------------------------------------------------------


@entry.proves(eq(Σ(x[k] - μ, k), 0), "Deviations from the mean add up to nothing")
def centred():
    return calc(Σ(x[k] - μ, k)).eq(Σ(x[k], k) - d * μ, linearity).eq(0, by(μ))


@entry.proves(eq(D(s, x[j]), x̂[j] / d), "What one feature does to the root of the variance")
def root():
    return (
        calc(D(s, x[j]))
        .eq(1 / (2 * s) * D(v, x[j]),                                            by(s), sqrt_rule, linearity)
        .eq(1 / (2 * s) * (Σ(2 * (x[k] - μ) * (δ(k, j) - D(μ, x[j])), k) / d),   by(v), power_rule, linearity)
        .eq((2 * (x[j] - μ) - 2 * D(μ, x[j]) * Σ(x[k] - μ, k)) / (2 * d * s),    linearity, sift)
        .eq((x[j] - μ) / (d * s),                                                centred)
        .eq(x̂[j] / d,                                                            by(x̂))
    )  # fmt: skip


@entry.proves(eq(D(x̂[k], x[j]), (δ(k, j) - 1 / d - x̂[k] * x̂[j] / d) / s), "Jacobian of the normalised features")
def jacobian():
    return (
        calc(D(x̂[k], x[j]))
        .eq((D(x[k] - μ, x[j]) * s - (x[k] - μ) * D(s, x[j])) / s ** 2,          by(x̂), quotient_rule)
        .eq((D(x[k] - μ, x[j]) - (x[k] - μ) / s * (x̂[j] / d)) / s,               root)
        .eq((δ(k, j) - 1 / d - (x[k] - μ) / s * (x̂[j] / d)) / s,                 by(μ), linearity, sift)
        .eq((δ(k, j) - 1 / d - x̂[k] * x̂[j] / d) / s,                             by(x̂))
    )  # fmt: skip


@entry.proves(eq(D(L, β), g), "Bias")
def bias():
    return (
        calc(D(L, β[j]))
        .eq(Σ(g[k] * D(γ[k] * x̂[k] + β[k], β[j]), k),                            chain(y), by(g, y))
        .eq(g[j],                                                                linearity, sift)
        .array(D(L, β), g, j)
    )  # fmt: skip


@entry.proves(eq(D(L, γ), g * x̂), "Gain")
def gain():
    return (
        calc(D(L, γ[j]))
        .eq(Σ(g[k] * D(γ[k] * x̂[k] + β[k], γ[j]), k),                            chain(y), by(g, y))
        .eq(g[j] * x̂[j],                                                         linearity, sift)
        .array(D(L, γ), g * x̂, j)
    )  # fmt: skip


@entry.proves(claim, "Gradient by the input", main=True)
def input_():
    return (
        calc(D(L, x[j]))
        .part("Back through gain and bias")
        .eq(Σ(g[k] * D(y[k], x[j]), k),                                          chain(y), by(g))
        .eq(Σ(h[k] * D(x̂[k], x[j]), k),                                          by(y, h), linearity)
        .part("Back through the normalisation")
        .eq(Σ(h[k] * ((δ(k, j) - 1 / d - x̂[k] * x̂[j] / d) / s), k),              jacobian)
        .eq((h[j] - Σ(h[k], k) / d - x̂[j] * (Σ(h[k] * x̂[k], k) / d)) / s,        linearity, sift)
        .array(D(L, x), claim.args[1], j)
    )  # fmt: skip


@entry.proves(eq(Σ(x̂[k], k), 0), "Normalised features have mean 0")
def mean_zero():
    return calc(Σ(x̂[k], k)).eq(Σ(x[k] - μ, k) / s, by(x̂), linearity).eq(0, centred)


@entry.proves(lt(Σ(x̂[k] ** 2, k) / d, 1), "Their variance is just below 1")
def variance_below_one():
    return from_gap(
        calc(1 - Σ(x̂[k] ** 2, k) / d)
        .eq(1 - Σ((x[k] - μ) ** 2 / s ** 2, k) / d,                              by(x̂))
        .eq(1 - v / s ** 2,                                                      by(v), linearity)
        .eq(1 - v / (v + ε),                                                     by(s), root_of_square)
        .eq(ε / (v + ε))
    )  # fmt: skip


@entry.proves(eq(Σ(D(L, x[j]), j), 0), "The gradient adds up to nothing")
def gradient_sums_to_zero():
    return (
        calc(Σ(D(L, x[j]), j))
        .eq(Σ((h[j] - Σ(h[k], k) / d - x̂[j] * (Σ(h[k] * x̂[k], k) / d)) / s, j),  input_)
        .eq((Σ(h[j], j) - Σ(h[k], k) - Σ(x̂[j], j) * (Σ(h[k] * x̂[k], k) / d)) / s, linearity)
        .eq(0,                                                                   mean_zero)
    )  # fmt: skip


# ---- what the output does not see ------------------------------------------------------------------------------------


@entry.proves(eq(Σ(x[i] + c, i) / d, mean + c), "The mean moves along")
def moved_mean():
    return calc(Σ(x[i] + c, i) / d).eq(mean + c, linearity)


@entry.proves(eq(normalised(lambda u: x[u] + c, ε), normalised(plain, ε)), "A shift of all features changes nothing")
def shift():
    return (
        calc(normalised(lambda u: x[u] + c, ε))
        .eq((x[k] + c - (mean + c)) / sqrt(Σ((x[j] + c - (mean + c)) ** 2, j) / d + ε),   moved_mean)
        .eq(normalised(plain, ε))
    )  # fmt: skip


@entry.proves(eq(Σ(a * x[i], i) / d, a * mean), "The mean is stretched")
def stretched_mean():
    return calc(Σ(a * x[i], i) / d).eq(a * mean, linearity)


@entry.proves(eq(Σ((a * x[j] - a * mean) ** 2, j) / d, a ** 2 * spread), "The variance is stretched twice")
def stretched_variance():
    return (
        calc(Σ((a * x[j] - a * mean) ** 2, j) / d)
        .eq(Σ(a ** 2 * (x[j] - mean) ** 2, j) / d)
        .eq(a ** 2 * spread,                                                              linearity)
    )  # fmt: skip


@entry.proves(eq(normalised(lambda u: a * x[u], ε), normalised(plain, ε / a**2)), "A stretch makes ε smaller, and does nothing else")
def stretch():
    return (
        calc(normalised(lambda u: a * x[u], ε))
        .eq((a * x[k] - a * mean) / sqrt(Σ((a * x[j] - a * mean) ** 2, j) / d + ε),       stretched_mean)
        .eq((a * x[k] - a * mean) / sqrt(a ** 2 * spread + ε),                            stretched_variance)
        .eq((a * x[k] - a * mean) / sqrt(a ** 2 * (spread + ε / a ** 2)))
        .eq((a * x[k] - a * mean) / (a * sqrt(spread + ε / a ** 2)),                      root_of_product, root_of_square, branch("abs", 0))
        .eq(normalised(plain, ε / a**2))
    )  # fmt: skip


@entry.proves(lt(0, Σ((a * x[j] - a * mean) ** 2, j)), "Stretched features are not all equal either")
def still_spread():
    return carried(
        calc(lt(0, Σ((x[j] - mean) ** 2, j)))
        .iff(lt(0, a ** 2 * spread),                                                      multiplied(lt(0, a ** 2 * spread), d / a ** 2))
        .iff(lt(0, Σ((a * x[j] - a * mean) ** 2, j) / d),                                 stretched_variance)
        .iff(lt(0, Σ((a * x[j] - a * mean) ** 2, j)),                                     multiplied(lt(0, Σ((a * x[j] - a * mean) ** 2, j)), 1 / d))
    )  # fmt: skip


@entry.proves(lt(0, Σ((a * x[j] - Σ(a * x[i], i) / d) ** 2, j)), "The same, with the mean written out")
def still_spread_too():
    return carried(
        calc(lt(0, Σ((a * x[j] - a * mean) ** 2, j)))
        .iff(lt(0, Σ((a * x[j] - Σ(a * x[i], i) / d) ** 2, j)),                           stretched_mean),
        still_spread,
    )  # fmt: skip


@entry.proves(eq(normalised(lambda u: a * x[u]), normalised(plain)), "Without ε a stretch changes nothing")
def stretch_without():
    return discharged(
        calc(normalised(lambda u: a * x[u]))
        .eq((a * x[k] - a * mean) / sqrt(Σ((a * x[j] - a * mean) ** 2, j) / d),           stretched_mean)
        .eq((a * x[k] - a * mean) / sqrt(a ** 2 * spread),                                stretched_variance)
        .eq((a * x[k] - a * mean) / (a * sqrt(spread)),                                   root_of_product, root_of_square, branch("abs", 0))
        .eq(normalised(plain)),
        still_spread, still_spread_too,
    )  # fmt: skip


# ---- rows ------------------------------------------------------------------------------------------------------------


@entry.proves(eq(Σ(X[n, k] - M[n], k), 0), "Rows: deviations add up to nothing")
def row_centred():
    return calc(Σ(X[n, k] - M[n], k)).eq(Σ(X[n, k], k) - d * M[n], linearity).eq(0, by(M))


@entry.proves(eq(D(S[m], X[n, j]), δ(m, n) * X̂[m, j] / d), "Rows: the root of the variance")
def row_root():
    return (
        calc(D(S[m], X[n, j]))
        .eq(1 / (2 * S[m]) * D(V[m], X[n, j]),                                            by(S), sqrt_rule, linearity)
        .eq(1 / (2 * S[m]) * (Σ(2 * (X[m, k] - M[m]) * (δ(m, n) * δ(k, j) - D(M[m], X[n, j])), k) / d),   by(V), power_rule, linearity)
        .eq((2 * (X[m, j] - M[m]) * δ(m, n) - 2 * D(M[m], X[n, j]) * Σ(X[m, k] - M[m], k)) / (2 * d * S[m]),   linearity, sift)
        .eq((X[m, j] - M[m]) * δ(m, n) / (d * S[m]),                                      row_centred)
        .eq(δ(m, n) * X̂[m, j] / d,                                                        by(X̂))
    )  # fmt: skip


@entry.proves(eq(D(X̂[m, k], X[n, j]), δ(m, n) * (δ(k, j) - 1 / d - X̂[m, k] * X̂[m, j] / d) / S[m]), "Rows: the Jacobian, one row at a time")
def row_jacobian():
    return (
        calc(D(X̂[m, k], X[n, j]))
        .eq((D(X[m, k] - M[m], X[n, j]) * S[m] - (X[m, k] - M[m]) * D(S[m], X[n, j])) / S[m] ** 2,   by(X̂), quotient_rule)
        .eq((D(X[m, k] - M[m], X[n, j]) - (X[m, k] - M[m]) / S[m] * (δ(m, n) * X̂[m, j] / d)) / S[m],   row_root)
        .eq(δ(m, n) * (δ(k, j) - 1 / d - (X[m, k] - M[m]) / S[m] * (X̂[m, j] / d)) / S[m], by(M), linearity, sift)
        .eq(δ(m, n) * (δ(k, j) - 1 / d - X̂[m, k] * X̂[m, j] / d) / S[m],                   by(X̂))
    )  # fmt: skip


@entry.proves(eq(D(L_N, X), back), "Rows: input")
def rows():
    return (
        calc(D(L_N, X[n, j]))
        .eq(Σ(H[m, k] * D(X̂[m, k], X[n, j]), m, k),                                       by(L_N, Y, H), linearity)
        .eq(Σ(H[m, k] * (δ(m, n) * (δ(k, j) - 1 / d - X̂[m, k] * X̂[m, j] / d) / S[m]), m, k),   row_jacobian)
        .eq((H[n, j] - Σ(H[n, k], k) / d - X̂[n, j] * (Σ(H[n, k] * X̂[n, k], k) / d)) / S[n],   linearity, sift)
        .array(D(L_N, X), back, n, j)
    )  # fmt: skip


@entry.proves(eq(D(L_N, γ), (G * X̂).sum(0)), "Rows: gain")
def rows_gain():
    return (
        calc(D(L_N, γ[j]))
        .eq(Σ(G[n, k] * D(γ[k] * X̂[n, k] + β[k], γ[j]), n, k),                            by(L_N, Y), linearity)
        .eq(Σ(G[n, j] * X̂[n, j], n),                                                      linearity, sift)
        .array(D(L_N, γ), (G * X̂).sum(0), j)
    )  # fmt: skip


@entry.proves(eq(D(L_N, β), G.sum(0)), "Rows: bias")
def rows_bias():
    return (
        calc(D(L_N, β[j]))
        .eq(Σ(G[n, k] * D(γ[k] * X̂[n, k] + β[k], β[j]), n, k),                            by(L_N, Y), linearity)
        .eq(Σ(G[n, j], n),                                                                linearity, sift)
        .array(D(L_N, β), G.sum(0), j)
    )  # fmt: skip
