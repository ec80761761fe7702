"""Var z = n_in·Var w·E[a²]: the variance of weights that keeps signals alike through a layer, forwards and backwards."""

from fractions import Fraction

from derive.language.notation import sqrt
from derive.language.term import Σ, E, Var, eq, iff, indices, let, lift, lt, random, sizes, var
from derive.logic.calc import calc
from derive.logic.rules.reasons import (
    by,
    independence,
    independent,
    linearity,
    moments,
    multiplied,
    product_of_sums,
    root_of_square,
    sift,
    variance,
)  # fmt: skip
from derive.record import Assumption, Derivation, Kernel, Mistake, Number

n, m = sizes("n_in n_out")
(j, k), (i, l) = indices("j k", n), indices("i l", m)
v = var("v", dom="positive")
W = random("W", m, n, law="spread", parameters=(0, v))
a = random("a", n, law="square integrable")
δ = random("δ", m, law="square integrable")
z, back = let("z", W @ a), let("e", W.T @ δ)
q, r = let("q", Σ(E(a[j] ** 2, a), j) / n), let("r", Σ(E(δ[i] ** 2, δ), i) / m)
bound = let("b", sqrt(6 / (n + m)))
inputs, outputs = var("fan_in", dom="positive"), var("fan_out", dom="positive")

entry = Derivation(
    module=__name__,
    title="Xavier initialisation",
    claim=eq(Var(z[i], W, a), n * v * q),
    goal="Find the variance of random weights for which a layer keeps the variance of its signals, forwards and backwards.",
    priority="critical",
    given=(
        (n, "inputs of the layer"), (m, "outputs"), (W, "the weights, independent of the input"), (v, "their variance"),
        (a, "the input, with components that may depend on each other"), (z, "the pre-activations"), (q, "the mean square of the input"),
        (δ, "the gradient by the pre-activations, taken as independent of the weights"), (back, "the gradient by the input"), (r, "the mean square of the gradient by the pre-activations"),
        (bound, "the bound of a uniform distribution"), (inputs, "the number of inputs, for the kernel"), (outputs, "and of outputs"),
    ),
    assumptions=(Assumption(lt(0, Σ(E(a[j] ** 2, a), j)), "the input is not 0"), Assumption(lt(0, Σ(E(δ[i] ** 2, δ), i)), "the gradient is not 0")),
    prompt="How should the weights of a layer be scaled at the start, and why? Derive the variance that Xavier Glorot and Yoshua Bengio proposed.",
    sixty_seconds=(
        f"A pre-activation is a sum of {n} products. The weights are independent with mean 0, so products with different weights are uncorrelated, and {n} terms {v * E(a[j] ** 2, a)} are left. "
        f"The variance stays alike if {eq(n * v, 1)}. The gradient goes back through the transpose, a sum over {m} outputs, and asks for {eq(m * v, 1)}. Both cannot hold "
        f"unless the layer is square, so one takes {2 / (n + m)}, for which the two factors have the mean 1."
    ),
    strong=(
        f"Notices that the mean square {E(a[j] ** 2, a)} enters and not the variance of the input: the two agree only for inputs of mean 0, which is why a rectified layer needs another factor. "
        f"Says that independence of weights and gradients is an idealisation of the first step."
    ),
    weak="Says that large weights explode and small ones vanish, without the sum over inputs that tells large from small.",
    convention=f"{W} has a row for each output. Backwards, the activation’s slope is taken as 1.",
    sanity=(
        ("One input", f"With {eq(n, 1)} and {eq(v, 1)} the pre-activation has the mean square of the input."),
        ("Square layer", f"If {eq(n, m)}, forwards, backwards and compromise are all {1 / n}."),
        ("Depth", f"Over many layers the factors multiply: at half of the right variance, ten layers leave {lift(Fraction(1, 1024))}."),
    ),
    mistakes=(
        Mistake(eq(Var(z[i], W, a), v * q), f"That is one product’s share: there are {n} of them."),
        Mistake(eq(Var(z[i], W, a), n * v * Var(a[j], a)), "The mean of the input counts as well: a weight multiplies the whole input, and not its deviation."),
        Mistake(eq(Var(back[j], W, δ), n * v * r), f"Backwards the sum goes over the {m} outputs."),
        Mistake(eq(bound**2 / 3, 2 / (n * m)), "The fans are added, since their factors are averaged."),
    ),
    prerequisites=("variance-of-mean", "mlp-backprop"),
    follow_ups=("he-init", "vanishing-exploding-gradients"),
    kernels=(
        Kernel("xavier_bound", (inputs, outputs), (("bound", sqrt(6 / (inputs + outputs))),), "Bound of uniform Xavier weights, from the numbers of inputs and outputs."),
    ),
    numbers=(
        Number(sqrt(lift(6) / (784 + 128)), "0.0811", "the bound for a layer from 784 inputs to 128 outputs"),
        Number(lift(Fraction(1, 2)) ** 50, "8.9e-16", "the variance that 50 layers leave at half of the right variance"),
    ),
    references=("X. Glorot and Y. Bengio, “Understanding the difficulty of training deep feedforward neural networks”, AISTATS 2010",),
)  # fmt: skip


@entry.proves(eq(E(z[i], W, a), 0), "A pre-activation has mean 0")
def centred():
    return (
        calc(E(z[i], W, a))
        .eq(Σ(E(W[i, j] * a[j], W, a), j),                                          by(z), linearity)
        .eq(Σ(E(W[i, j], W) * E(a[j], a), j),                                       independent)
        .eq(0,                                                                      moments, linearity)
    )  # fmt: skip


@entry.proves(eq(Var(z[i], W, a), n * v * q), "The variance of a pre-activation", main=True)
def forward():
    return (
        calc(Var(z[i], W, a))
        .eq(E(z[i] * z[i], W, a),                                                   variance, centred)
        .eq(Σ(E(W[i, j] * W[i, k] * (a[j] * a[k]), W, a), j, k),                    by(z), product_of_sums, linearity)
        .eq(Σ(E(W[i, j] * W[i, k], W) * E(a[j] * a[k], a), j, k),                   independent)
        .eq(Σ(v * E(a[j] ** 2, a), j),                                              independence, moments, sift)
        .eq(n * v * q,                                                              by(q), linearity)
    )  # fmt: skip


@entry.proves(iff(eq(Var(z[i], W, a), q), eq(v, 1 / n)), "Forwards: the mean square is kept")
def keeps_forward():
    return (
        calc(eq(Var(z[i], W, a), q))
        .iff(eq(n * v * q, q),                                                      forward)
        .iff(eq(v, 1 / n),                                                          multiplied(eq(v, 1 / n), n * q))
    )  # fmt: skip


@entry.proves(eq(E(back[j], W, δ), 0), "A gradient has mean 0")
def centred_gradient():
    return (
        calc(E(back[j], W, δ))
        .eq(Σ(E(W[i, j], W) * E(δ[i], δ), i),                                       by(back), linearity, independent)
        .eq(0,                                                                      moments, linearity)
    )  # fmt: skip


@entry.proves(eq(Var(back[j], W, δ), m * v * r), "The variance of a gradient")
def backward():
    return (
        calc(Var(back[j], W, δ))
        .eq(E(back[j] * back[j], W, δ),                                             variance, centred_gradient)
        .eq(Σ(E(W[i, j] * W[l, j] * (δ[i] * δ[l]), W, δ), i, l),                    by(back), product_of_sums, linearity)
        .eq(Σ(E(W[i, j] * W[l, j], W) * E(δ[i] * δ[l], δ), i, l),                   independent)
        .eq(Σ(v * E(δ[i] ** 2, δ), i),                                              independence, moments, sift)
        .eq(m * v * r,                                                              by(r), linearity)
    )  # fmt: skip


@entry.proves(iff(eq(Var(back[j], W, δ), r), eq(v, 1 / m)), "Backwards: the mean square is kept")
def keeps_backward():
    return (
        calc(eq(Var(back[j], W, δ), r))
        .iff(eq(m * v * r, r),                                                      backward)
        .iff(eq(v, 1 / m),                                                          multiplied(eq(v, 1 / m), m * r))
    )  # fmt: skip


@entry.proves(iff(eq((n * v + m * v) / 2, 1), eq(v, 2 / (n + m))), "The compromise: both factors have the mean 1")
def compromise():
    return (
        calc(eq((n * v + m * v) / 2, 1))
        .iff(eq(v, 2 / (n + m)),                                                    multiplied(eq(v, 2 / (n + m)), (n + m) / 2))
    )  # fmt: skip


@entry.proves(eq(bound**2 / 3, 2 / (n + m)), "The same with uniform weights")
def uniform():
    return (
        calc(bound**2 / 3)
        .eq(6 / (n + m) / 3,                                                        by(bound), root_of_square)
        .eq(2 / (n + m))
    )  # fmt: skip
