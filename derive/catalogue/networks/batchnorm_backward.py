"""∂L/∂X of batch normalisation in its compact form, the gradients by γ and β, why a bias before it is idle, and the affine layer that it becomes at inference."""

from derive.language.notation import sqrt
from derive.language.term import Σ, D, array, eq, index, indices, let, lt, mapping, sizes, var, δ
from derive.logic.arguments import carried, discharged
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

N, d, K = sizes("N d K")
i, j, k = indices("i j k", d)
l, m, n = indices("l m n", N)
ε, γ, β = var("ε", dom="positive"), var("γ", d), var("β", d)

# training: statistics of the batch, one for each feature
X = var("X", N, d)
μ = let("μ", X.sum(0) / N); v = let("v", array(Σ((X[m, k] - μ[k]) ** 2, m) / N, k)); s = let("s", sqrt(v + ε))
X̂ = let("X̂", array((X[m, k] - μ[k]) / s[k], m, k)); Y = let("Y", γ * X̂ + β)
L = let("L", mapping("ℓ")(Y)); G = let("G", D(L, Y)); H = let("H", G * γ)
claim = eq(D(L, X), array((H[n, j] - Σ(H[m, j], m) / N - X̂[n, j] * (Σ(H[m, j] * X̂[m, j], m) / N)) / s[j], n, j))

# the same for a gradient that is given
G0 = var("G₀", N, d)
L0 = let("L₀", Σ(G0[m, k] * Y[m, k], m, k)); H0 = let("H₀", G0 * γ)
back = array((H0[n, j] - Σ(H0[m, j], m) / N - X̂[n, j] * (Σ(H0[m, j] * X̂[m, j], m) / N)) / s[j], n, j)

# inference: statistics that were kept, after an affine layer
W, b, x = var("W", d, K), var("b", d), var("x", K)
μ̂, v̂ = var("μ̂", d), var("v̂", d, dom="nonnegative"); ŝ = let("ŝ", sqrt(v̂ + ε))
z = let("z", W @ x + b); out = let("o", γ * (z - μ̂) / ŝ + β)
c = index("c", K)
Ŵ = let("Ŵ", array(γ[j] / ŝ[j] * W[j, c], j, c)); b̂ = let("b̂", γ * (b - μ̂) / ŝ + β)

# moved and stretched
t, a = var("t", d), var("a", d, dom="positive")


def normalised(u, extra=None):
    """Return one feature of one example less its mean, over the root of variance + extra, written out."""
    middle = Σ(u(m), m) / N
    variance = Σ((u(l) - middle) ** 2, l) / N
    return (u(n) - middle) / sqrt(variance if extra is None else variance + extra)


mean = Σ(X[m, k], m) / N
spread = Σ((X[l, k] - mean) ** 2, l) / N

entry = Derivation(
    module=__name__,
    title="Backward through batch normalisation",
    claim=claim,
    goal=f"The gradients by {X}, {γ} and {β} when mean and variance are those of the batch, and the affine layer that is left when they are constants.",
    priority="critical",
    given=(
        (N, "number of examples"), (d, "number of features"), (X, "a batch, one example a row"), (ε, "a small number, against division by 0"),
        (μ, "mean of each feature over the batch"), (v, "its variance"), (s, "its root"), (X̂, "normalised features"),
        (γ, "gain of each feature"), (β, "its bias"), (Y, "output"), (L, "any loss of the output"), (G, "gradient that arrives"), (H, "gradient at the normalised features"),
        (G0, "a gradient that is given"), (L0, "the loss that has it, as far as its gradient goes"), (H0, "gradient at the normalised features"),
        (K, "number of inputs of the layer before"), (x, "one input at inference"), (W, "weights of the layer before"), (b, "its bias"), (z, "its output"),
        (μ̂, "mean that was kept from training"), (v̂, "variance that was kept"), (ŝ, "its root"), (out, "output at inference"), (Ŵ, "weights of the folded layer"), (b̂, "its bias"),
        (t, "a shift for each feature"), (a, "a stretch for each feature"),
    ),
    assumptions=(Assumption(lt(0, Σ((X[l, k] - mean) ** 2, l)), f"no feature is constant over the batch; asked for where there is no {ε}"),),
    convention=(
        f"Statistics go down the rows, so {μ}, {v}, {s}, {γ} and {β} have one entry a feature, and are used for every row. The variance divides by {N}. "
        f"A gradient has the shape of what it is taken by. Any loss may stand in the place of {L0} that has the gradient {G0} at {Y}."
    ),
    prompt=f"Derive the backward pass of batch normalisation, {eq(Y, γ * X̂ + β)}, in training mode. Why does the gradient of one example contain all the others? And what becomes of the layer at inference?",
    sixty_seconds=(
        f"{β} gets the sum of {G} over the batch, {γ} the sum of {G * X̂}. What goes on is {H}, which is {G * γ}. One entry {X[n, j]} moves itself, the mean of its feature by {1 / N}, and the "
        f"root of its variance by {X̂[n, j] / N}; other features do not see it. So the gradient is {H}, less its mean over the batch, less {X̂} times the mean of {H * X̂}, over {s}: two "
        f"projections for each feature. Each column adds up to 0, so a bias in the layer before learns nothing. At inference the statistics are constants, the whole layer is affine, and it folds "
        f"into the weights before it."
    ),
    strong=(
        "Draws the graph with its three paths before differentiating, gets the compact form with one division, and says what it means: examples are coupled, so a batch of one gives gradient 0, and "
        "training and inference are two different functions. Knows that layer normalisation has the same formula with rows for columns."
    ),
    weak=f"Backpropagates as if {μ} and {s} were constants, as they are at inference: {H / s}. In training this is not the gradient of anything.",
    sanity=(
        ("Shape", f"{D(L, X)} is {N} × {d}; the gradients by {γ} and {β} have {d} entries, summed over the batch."),
        ("Sum", f"Every column of {D(L, X)} adds up to 0."),
        ("Batch of one", f"With {eq(N, 1)} the output is {β} whatever comes in, and the gradient by {X} is 0."),
        ("Scale", f"A stretch of a feature makes {ε} smaller, and without {ε} changes nothing; a shift changes nothing at all."),
        ("Inference", f"With {eq(γ, ŝ)} and {eq(β, μ̂)} the folded layer is the layer before."),
    ),
    mistakes=(
        Mistake(eq(D(L, X), H / s), "Mean and variance were taken as constants, as they are at inference only."),
        Mistake(eq(D(L, X), array((H[n, j] - Σ(H[m, j], m) / N) / s[j], n, j)), f"The variance was taken as a constant: the part along {X̂} is still in it."),
        Mistake(eq(D(L, X), array((H[n, j] - Σ(H[m, j], m) - X̂[n, j] * Σ(H[m, j] * X̂[m, j], m)) / s[j], n, j)), f"Sums where means belong: {1 / N} was forgotten twice."),
        Mistake(eq(D(L, X), array((H[n, j] - Σ(H[n, k], k) / d - X̂[n, j] * (Σ(H[n, k] * X̂[n, k], k) / d)) / s[j], n, j)), "Means over features are layer normalisation; here they go over the batch."),
        Mistake(eq(out, W @ x + b̂), f"Folding scales the rows of the weights as well: {Ŵ}, and not {W}."),
    ),
    prerequisites=("layernorm-backward",),
    follow_ups=("linear-layers-collapse",),
    kernels=(
        Kernel(
            "batchnorm_backward", (X, γ, β, ε, G0), (("loss", L0), ("dX", back), ("dγ", (G0 * X̂).sum(0)), ("dβ", G0.sum(0))),
            "Batch normalisation in training, and its gradients by batch, gain and bias for the gradient G₀ that arrives; loss is the sum of G₀ times the output.",
            textbook=L0, proved_by=("given_gradient", "given_gain", "given_bias"),
        ),
        Kernel(
            "fold_batchnorm", (W, b, γ, β, μ̂, v̂, ε), (("weights", Ŵ), ("bias", b̂)),
            "The affine layer that does what an affine layer and batch normalisation at inference do.",
        ),
        Kernel("folded_layer", (x, W, b, γ, β, μ̂, v̂, ε), (("value", Ŵ @ x + b̂),), "An affine layer and batch normalisation at inference, as one layer.", proved_by=("folding",)),
    ),
    references=("Ioffe and Szegedy, Batch normalization (2015)",),
)  # fmt: skip

# ---- training --------------------------------------------------------------------------------------------------------


@entry.proves(eq(Σ(X[m, k] - μ[k], m), 0), "Deviations from the mean add up to nothing")
def centred():
    return calc(Σ(X[m, k] - μ[k], m)).eq(Σ(X[m, k], m) - N * μ[k], linearity).eq(0, by(μ))


@entry.proves(eq(D(s[k], X[n, j]), δ(k, j) * X̂[n, k] / N), "What one entry does to the root of a variance")
def root():
    return (
        calc(D(s[k], X[n, j]))
        .eq(1 / (2 * s[k]) * D(v[k], X[n, j]),                                                        by(s), sqrt_rule, linearity)
        .eq(1 / (2 * s[k]) * (Σ(2 * (X[m, k] - μ[k]) * (δ(m, n) * δ(k, j) - D(μ[k], X[n, j])), m) / N),   by(v), power_rule, linearity)
        .eq((2 * (X[n, k] - μ[k]) * δ(k, j) - 2 * D(μ[k], X[n, j]) * Σ(X[m, k] - μ[k], m)) / (2 * N * s[k]),   linearity, sift)
        .eq((X[n, k] - μ[k]) * δ(k, j) / (N * s[k]),                                                  centred)
        .eq(δ(k, j) * X̂[n, k] / N,                                                                    by(X̂))
    )  # fmt: skip


@entry.proves(eq(D(X̂[m, k], X[n, j]), δ(k, j) * (δ(m, n) - 1 / N - X̂[m, k] * X̂[n, k] / N) / s[k]), "Jacobian of the normalised features, one feature at a time")
def jacobian():
    return (
        calc(D(X̂[m, k], X[n, j]))
        .eq((D(X[m, k] - μ[k], X[n, j]) * s[k] - (X[m, k] - μ[k]) * D(s[k], X[n, j])) / s[k] ** 2,    by(X̂), quotient_rule)
        .eq((D(X[m, k] - μ[k], X[n, j]) - (X[m, k] - μ[k]) / s[k] * (δ(k, j) * X̂[n, k] / N)) / s[k],  root)
        .eq(δ(k, j) * (δ(m, n) - 1 / N - (X[m, k] - μ[k]) / s[k] * (X̂[n, k] / N)) / s[k],             by(μ), linearity, sift)
        .eq(δ(k, j) * (δ(m, n) - 1 / N - X̂[m, k] * X̂[n, k] / N) / s[k],                               by(X̂))
    )  # fmt: skip


@entry.proves(eq(D(L, β), G.sum(0)), "Bias")
def bias():
    return (
        calc(D(L, β[j]))
        .eq(Σ(G[m, k] * D(γ[k] * X̂[m, k] + β[k], β[j]), m, k),                                        chain(Y), by(G, Y))
        .eq(Σ(G[m, j], m),                                                                            linearity, sift)
        .array(D(L, β), G.sum(0), j)
    )  # fmt: skip


@entry.proves(eq(D(L, γ), (G * X̂).sum(0)), "Gain")
def gain():
    return (
        calc(D(L, γ[j]))
        .eq(Σ(G[m, k] * D(γ[k] * X̂[m, k] + β[k], γ[j]), m, k),                                        chain(Y), by(G, Y))
        .eq(Σ(G[m, j] * X̂[m, j], m),                                                                  linearity, sift)
        .array(D(L, γ), (G * X̂).sum(0), j)
    )  # fmt: skip


@entry.proves(claim, "Gradient by the batch", main=True)
def batch():
    return (
        calc(D(L, X[n, j]))
        .part("Back through gain and bias")
        .eq(Σ(G[m, k] * D(Y[m, k], X[n, j]), m, k),                                                   chain(Y), by(G))
        .eq(Σ(H[m, k] * D(X̂[m, k], X[n, j]), m, k),                                                   by(Y, H), linearity)
        .part("Back through the normalisation")
        .eq(Σ(H[m, k] * (δ(k, j) * (δ(m, n) - 1 / N - X̂[m, k] * X̂[n, k] / N) / s[k]), m, k),          jacobian)
        .eq((H[n, j] - Σ(H[m, j], m) / N - X̂[n, j] * (Σ(H[m, j] * X̂[m, j], m) / N)) / s[j],           linearity, sift)
        .array(D(L, X), claim.args[1], n, j)
    )  # fmt: skip


@entry.proves(eq(Σ(X̂[m, j], m), 0), "Normalised features have mean 0 over the batch")
def mean_zero():
    return calc(Σ(X̂[m, j], m)).eq(Σ(X[m, j] - μ[j], m) / s[j], by(X̂), linearity).eq(0, centred)


@entry.proves(eq(Σ(D(L, X[n, j]), n), 0), "Every column of the gradient adds up to nothing: a bias before the layer is idle")
def columns():
    return (
        calc(Σ(D(L, X[n, j]), n))
        .eq(Σ((H[n, j] - Σ(H[m, j], m) / N - X̂[n, j] * (Σ(H[m, j] * X̂[m, j], m) / N)) / s[j], n),     batch)
        .eq((Σ(H[n, j], n) - Σ(H[m, j], m) - Σ(X̂[n, j], n) * (Σ(H[m, j] * X̂[m, j], m) / N)) / s[j],   linearity)
        .eq(0,                                                                                        mean_zero)
    )  # fmt: skip


# ---- what the output does not see ------------------------------------------------------------------------------------


@entry.proves(eq(Σ(X[m, k] + t[k], m) / N, mean + t[k]), "The mean moves along")
def moved_mean():
    return calc(Σ(X[m, k] + t[k], m) / N).eq(mean + t[k], linearity)


@entry.proves(eq(normalised(lambda u: X[u, k] + t[k], ε), normalised(lambda u: X[u, k], ε)), "A shift of a feature changes nothing")
def shift():
    return (
        calc(normalised(lambda u: X[u, k] + t[k], ε))
        .eq((X[n, k] + t[k] - (mean + t[k])) / sqrt(Σ((X[l, k] + t[k] - (mean + t[k])) ** 2, l) / N + ε),   moved_mean)
        .eq(normalised(lambda u: X[u, k], ε))
    )  # fmt: skip


@entry.proves(eq(Σ(a[k] * X[m, k], m) / N, a[k] * mean), "The mean is stretched")
def stretched_mean():
    return calc(Σ(a[k] * X[m, k], m) / N).eq(a[k] * mean, linearity)


@entry.proves(eq(Σ((a[k] * X[l, k] - a[k] * mean) ** 2, l) / N, a[k] ** 2 * spread), "The variance is stretched twice")
def stretched_variance():
    return (
        calc(Σ((a[k] * X[l, k] - a[k] * mean) ** 2, l) / N)
        .eq(Σ(a[k] ** 2 * (X[l, k] - mean) ** 2, l) / N)
        .eq(a[k] ** 2 * spread,                                                                       linearity)
    )  # fmt: skip


@entry.proves(eq(normalised(lambda u: a[k] * X[u, k], ε), normalised(lambda u: X[u, k], ε / a[k] ** 2)), "A stretch makes ε smaller, and does nothing else")
def stretch():
    return (
        calc(normalised(lambda u: a[k] * X[u, k], ε))
        .eq((a[k] * X[n, k] - a[k] * mean) / sqrt(Σ((a[k] * X[l, k] - a[k] * mean) ** 2, l) / N + ε), stretched_mean)
        .eq((a[k] * X[n, k] - a[k] * mean) / sqrt(a[k] ** 2 * spread + ε),                            stretched_variance)
        .eq((a[k] * X[n, k] - a[k] * mean) / sqrt(a[k] ** 2 * (spread + ε / a[k] ** 2)))
        .eq((a[k] * X[n, k] - a[k] * mean) / (a[k] * sqrt(spread + ε / a[k] ** 2)),                   root_of_product, root_of_square, branch("abs", 0))
        .eq(normalised(lambda u: X[u, k], ε / a[k] ** 2))
    )  # fmt: skip


varied = lt(0, Σ((a[k] * X[l, k] - a[k] * mean) ** 2, l))
varied_too = lt(0, Σ((a[k] * X[l, k] - Σ(a[k] * X[m, k], m) / N) ** 2, l))


@entry.proves(varied, "A stretched feature is not constant either")
def still_varied():
    return carried(
        calc(lt(0, Σ((X[l, k] - mean) ** 2, l)))
        .iff(lt(0, a[k] ** 2 * spread),                                                               multiplied(lt(0, a[k] ** 2 * spread), N / a[k] ** 2))
        .iff(lt(0, Σ((a[k] * X[l, k] - a[k] * mean) ** 2, l) / N),                                    stretched_variance)
        .iff(varied,                                                                                  multiplied(varied, 1 / N))
    )  # fmt: skip


@entry.proves(varied_too, "The same, with the mean written out")
def still_varied_too():
    return carried(calc(varied).iff(varied_too, stretched_mean), still_varied)


@entry.proves(eq(normalised(lambda u: a[k] * X[u, k]), normalised(lambda u: X[u, k])), "Without ε a stretch changes nothing")
def stretch_without():
    return discharged(
        calc(normalised(lambda u: a[k] * X[u, k]))
        .eq((a[k] * X[n, k] - a[k] * mean) / sqrt(Σ((a[k] * X[l, k] - a[k] * mean) ** 2, l) / N),     stretched_mean)
        .eq((a[k] * X[n, k] - a[k] * mean) / sqrt(a[k] ** 2 * spread),                                stretched_variance)
        .eq((a[k] * X[n, k] - a[k] * mean) / (a[k] * sqrt(spread)),                                   root_of_product, root_of_square, branch("abs", 0))
        .eq(normalised(lambda u: X[u, k])),
        still_varied, still_varied_too,
    )  # fmt: skip


# ---- inference -------------------------------------------------------------------------------------------------------


@entry.proves(eq(out, Ŵ @ x + b̂), "At inference the layer folds into the one before")
def folding():
    return (
        calc(out[j])
        .eq(γ[j] * (Σ(W[j, c] * x[c], c) + b[j] - μ̂[j]) / ŝ[j] + β[j],                                by(out, z))
        .eq(γ[j] / ŝ[j] * Σ(W[j, c] * x[c], c) + (γ[j] * (b[j] - μ̂[j]) / ŝ[j] + β[j]))
        .eq(Σ(γ[j] / ŝ[j] * W[j, c] * x[c], c) + (γ[j] * (b[j] - μ̂[j]) / ŝ[j] + β[j]),                linearity)
        .eq(Σ(Ŵ[j, c] * x[c], c) + b̂[j],                                                              by(Ŵ, b̂))
        .array(out, Ŵ @ x + b̂, j)
    )  # fmt: skip


# ---- a gradient that is given ----------------------------------------------------------------------------------------


@entry.proves(eq(D(L0, X), back), "For a given gradient: the batch")
def given_gradient():
    return (
        calc(D(L0, X[n, j]))
        .eq(Σ(H0[m, k] * D(X̂[m, k], X[n, j]), m, k),                                                  by(L0, Y, H0), linearity)
        .eq(Σ(H0[m, k] * (δ(k, j) * (δ(m, n) - 1 / N - X̂[m, k] * X̂[n, k] / N) / s[k]), m, k),         jacobian)
        .eq((H0[n, j] - Σ(H0[m, j], m) / N - X̂[n, j] * (Σ(H0[m, j] * X̂[m, j], m) / N)) / s[j],        linearity, sift)
        .array(D(L0, X), back, n, j)
    )  # fmt: skip


@entry.proves(eq(D(L0, γ), (G0 * X̂).sum(0)), "For a given gradient: the gain")
def given_gain():
    return (
        calc(D(L0, γ[j]))
        .eq(Σ(G0[m, k] * D(γ[k] * X̂[m, k] + β[k], γ[j]), m, k),                                       by(L0, Y), linearity)
        .eq(Σ(G0[m, j] * X̂[m, j], m),                                                                 linearity, sift)
        .array(D(L0, γ), (G0 * X̂).sum(0), j)
    )  # fmt: skip


@entry.proves(eq(D(L0, β), G0.sum(0)), "For a given gradient: the bias")
def given_bias():
    return (
        calc(D(L0, β[j]))
        .eq(Σ(G0[m, k] * D(γ[k] * X̂[m, k] + β[k], β[j]), m, k),                                       by(L0, Y), linearity)
        .eq(Σ(G0[m, j], m),                                                                           linearity, sift)
        .array(D(L0, β), G0.sum(0), j)
    )  # fmt: skip
