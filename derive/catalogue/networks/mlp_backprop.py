"""Backpropagation through two layers: δ₂ = p − y, δ₁ = (W₂ᵀδ₂) ⊙ h ⊙ (1 − h), the gradients that follow, for a batch and any activation."""

from collections.abc import Callable

from derive.catalogue.linear_models.softmax_ce_delta import batch, delta, rows_sum_to_one, sums_to_one
from derive.language.notation import log, softmax, tanh, σ
from derive.language.term import (
    Σ,
    D,
    Term,
    array,
    derivative_of,
    eq,
    function,
    index,
    indices,
    let,
    outer,
    sizes,
    var,
    δ,
)
from derive.logic.arguments import function_instance, instance
from derive.logic.calc import calc
from derive.logic.rules.reasons import by, chain, function_rule, linearity, sift, sigmoid_rule
from derive.record import Assumption, Derivation, Kernel, Mistake

N, d, M, K = sizes("N d M K")
(m, n), (a, c), (j, k) = indices("m n", N), indices("a c", M), indices("j k", K)
i = index("i", d)
W1, b1, W2, b2 = var("W₁", M, d), var("b₁", M), var("W₂", K, M), var("b₂", K)

# one example
x, y = var("x", d), var("y", K, dom="simplex")
z1 = let("z₁", W1 @ x + b1); h = let("h", σ(z1))
z2 = let("z₂", W2 @ h + b2); p = let("p", softmax(z2))
L = let("L", -Σ(y[k] * log(p[k]), k))
δ2, δ1 = let("δ₂", D(L, z2)), let("δ₁", D(L, z1))

# a batch
X, Y = var("X", N, d), var("Y", N, K, dom="simplex")
Z1 = let("Z₁", X @ W1.T + b1); H = let("H", σ(Z1))
Z2 = let("Z₂", H @ W2.T + b2); P = let("P", softmax(Z2))
mean_loss = array(-Σ(Y[m, k] * log(P[m, k]), k), m).mean(); L_N = let("L_N", mean_loss)
Δ2, Δ1 = let("Δ₂", D(L_N, Z2)), let("Δ₁", D(L_N, Z1))
E2 = let("Δ₂", (P - Y) / N); E1 = let("Δ₁", (E2 @ W2) * H * (1 - H))  # as they are computed

# any activation
φ, dφ = function("φ"), derivative_of("φ")


def network(act: Callable[[Term], Term]) -> tuple[Term, ...]:
    """Return hidden units, logits, probabilities, loss and output error with any activation."""
    h_φ = let("h_φ", act(z1)); z_φ = let("z_φ", W2 @ h_φ + b2); p_φ = let("p_φ", softmax(z_φ))
    L_φ = let("L_φ", -Σ(y[k] * log(p_φ[k]), k))
    return h_φ, z_φ, p_φ, L_φ, let("δ_φ", D(L_φ, z_φ))


h_φ, z_φ, p_φ, L_φ, δ_φ = network(φ)

entry = Derivation(
    module=__name__,
    title="Backpropagation through two layers",
    claim=eq(δ1, (W2.T @ δ2) * h * (1 - h)),
    goal="The gradient of the loss by every weight, every bias and the input, as products of arrays that the forward pass has left behind.",
    priority="critical",
    flagship=True,
    given=(
        (d, "number of inputs"), (M, "number of hidden units"), (K, "number of classes"),
        (x, "input"), (y, "target distribution"),
        (W1, "weights of the first layer"), (b1, "its bias"), (z1, "its pre-activation"), (h, "hidden units"),
        (W2, "weights of the second layer"), (b2, "its bias"), (z2, "logits"), (p, "predicted probabilities"), (L, "cross-entropy"),
        (δ2, "error of the output layer"), (δ1, "error of the hidden layer"),
        (N, "number of examples"), (X, "inputs of a batch, one example a row"), (Y, "its targets"),
        (Z1, "its first pre-activation"), (H, "its hidden units"), (Z2, "its logits"), (P, "its probabilities"), (L_N, "mean cross-entropy"),
        (Δ2, "errors of the output layer"), (Δ1, "errors of the hidden layer"),
        (φ(z1), "any activation, elementwise"), (h_φ, "hidden units with it"), (z_φ, "logits"), (p_φ, "probabilities"), (L_φ, "loss"), (δ_φ, "error"),
    ),
    assumptions=(
        Assumption(sums_to_one, "the targets are a distribution"),
        Assumption(rows_sum_to_one, "every row of targets is one"),
    ),
    convention=(
        f"One example is a column, {eq(z1, W1 @ x + b1)}; in a batch it is a row, {eq(Z1, X @ W1.T + b1)}, with the bias added to every "
        f"row. A gradient has the shape of what it is taken by. {h * (1 - h)} is taken entry by entry, {outer(δ2, h)} is a matrix. "
        f"The bracket {δ(k, j)} is 1 where {k} and {j} are equal and 0 elsewhere."
    ),
    prompt=f"Take a network with one hidden layer of sigmoids and a softmax on top, trained on cross-entropy. Derive the gradients by {W2}, {b2}, {W1}, {b1} and {x}. Then write them for a batch.",
    sixty_seconds=(
        f"Go backwards, one error for each layer. At the logits the error {δ2} is {p - y}. A weight multiplies one hidden unit and feeds one logit, so "
        f"{D(L, W2)} is {outer(δ2, h)}, and the bias gets {δ2} itself. Back through the layer means {W2.T}; back through the sigmoid means times "
        f"{h * (1 - h)}, elementwise. That is {δ1}, and the same two rules give {outer(δ1, x)} and {δ1}. For a batch the outer products add up, which is the "
        f"matrix product {Δ2.T @ H}; the biases are sums over the rows."
    ),
    strong=(
        f"Derives one component with all its indices, reads the matrix form from it, and checks shapes: {outer(δ2, h)} is {K} × {M}, as {W2} is. Says that "
        f"{1 / N} enters once, in {Δ2}, and that the cost is that of two forward passes."
    ),
    weak=(
        f"Juggles transposes until the shapes fit. With {eq(M, K)} several wrong products fit as well, and leaving out {h * (1 - h)} changes no "
        f"shape at all."
    ),
    sanity=(
        ("Shape", f"{outer(δ2, h)} is {K} × {M} as {W2} is, {outer(δ1, x)} is {M} × {d} as {W1} is, {W1.T @ δ1} has {d} entries as {x} has."),
        ("Saturation", f"Where a hidden unit is near 0 or 1, {h * (1 - h)} is near 0: its error, and all that it would send to {W1}, is gone."),
        ("Zero", f"Where {eq(p, y)} every gradient is 0."),
        ("Activation", f"With tanh for the sigmoid the factor is {1 - tanh(z1) ** 2}; nothing else changes."),
        ("One example", f"With {eq(N, 1)} each formula of the batch is the one above it."),
    ),
    mistakes=(
        Mistake(eq(δ1, W2.T @ δ2), f"The sigmoid’s derivative was left out: that is the error at {h}, before it."),
        Mistake(eq(δ1, (W2.T @ δ2) * σ(h) * (1 - σ(h))), f"The derivative is taken at {h}, and belongs at {z1}; written in {h} it is {h * (1 - h)}."),
        Mistake(eq(δ2, (p - y) * p * (1 - p)), f"{p - y} already contains the derivative of softmax: this applies it again, and its diagonal alone."),
        Mistake(eq(D(L_N, W2), Δ2.T @ H / N), f"{1 / N} stands in {Δ2} already: here the mean is taken twice."),
        Mistake(eq(D(L_N, b1), Δ1.mean()), f"Every row meets the same bias, so its gradient is the sum of the rows; {1 / N} stands in {Δ1} already."),
    ),
    prerequisites=("softmax-ce-delta", "sigmoid-derivative"),
    follow_ups=("tanh-derivative",),
    kernels=(
        Kernel(
            "mlp_backprop", (X, Y, W1, b1, W2, b2),
            (("loss", mean_loss), ("dW1", E1.T @ X), ("db1", E1.sum(0)), ("dW2", E2.T @ H), ("db2", E2.sum(0)), ("dX", E1 @ W1)),
            "Mean cross-entropy of a network with two layers, and its gradients by weights, biases and inputs.",
            textbook=mean_loss, labels=Y,
            proved_by=("batch_error", "batch_weights_2", "batch_bias_2", "batch_hidden_error", "batch_weights_1", "batch_bias_1", "batch_input"),
        ),
    ),
)  # fmt: skip

# ---- one example -----------------------------------------------------------------------------------------------------
# fmt: off


@entry.proves(eq(δ2, p - y), "Error at the output")
def error():
    return (
        calc(δ2[j])
        .eq(p[j] - y[j],                                                       by(δ2), delta)
        .array(δ2, p - y, j)
    )


@entry.proves(eq(D(L, W2), outer(δ2, h)), "Weights of the second layer")
def weights_2():
    return (
        calc(D(L, W2[j, a]))
        .eq(Σ(D(L, z2[k]) * D(z2[k], W2[j, a]), k),                            chain(z2))
        .eq(Σ(δ2[k] * D(Σ(W2[k, c] * h[c], c) + b2[k], W2[j, a]), k),          by(δ2, z2))
        .eq(Σ(δ2[k] * (δ(k, j) * h[a]), k),                                    linearity, sift)
        .eq(δ2[j] * h[a],                                                      sift)
        .array(D(L, W2), outer(δ2, h), j, a)
    )


@entry.proves(eq(D(L, b2), δ2), "Bias of the second layer")
def bias_2():
    return (
        calc(D(L, b2[j]))
        .eq(Σ(δ2[k] * D(z2[k], b2[j]), k),                                     chain(z2), by(δ2))
        .eq(δ2[j],                                                             by(z2), linearity, sift)
        .array(D(L, b2), δ2, j)
    )


@entry.proves(eq(δ1, (W2.T @ δ2) * h * (1 - h)), "Error at the hidden layer", main=True)
def hidden_error():
    return (
        calc(δ1[a])
        .part("Back through the second layer")
        .eq(Σ(D(L, h[c]) * D(h[c], z1[a]), c),                                 by(δ1), chain(h))
        .eq(Σ(Σ(δ2[k] * D(z2[k], h[c]), k) * D(h[c], z1[a]), c),               chain(z2), by(δ2))
        .eq(Σ(Σ(δ2[k] * W2[k, c], k) * D(h[c], z1[a]), c),                     by(z2), linearity, sift)
        .part("Back through the sigmoid")
        .eq(Σ(Σ(δ2[k] * W2[k, c], k) * (h[c] * (1 - h[c]) * δ(c, a)), c),      by(h), sigmoid_rule, linearity)
        .eq(Σ(δ2[k] * W2[k, a], k) * h[a] * (1 - h[a]),                        sift)
        .array(δ1, (W2.T @ δ2) * h * (1 - h), a)
    )


@entry.proves(eq(D(L, W1), outer(δ1, x)), "Weights of the first layer")
def weights_1():
    return (
        calc(D(L, W1[a, i]))
        .eq(Σ(δ1[c] * D(z1[c], W1[a, i]), c),                                  chain(z1), by(δ1))
        .eq(δ1[a] * x[i],                                                      by(z1), linearity, sift)
        .array(D(L, W1), outer(δ1, x), a, i)
    )


@entry.proves(eq(D(L, b1), δ1), "Bias of the first layer")
def bias_1():
    return (
        calc(D(L, b1[a]))
        .eq(Σ(δ1[c] * D(z1[c], b1[a]), c),                                     chain(z1), by(δ1))
        .eq(δ1[a],                                                             by(z1), linearity, sift)
        .array(D(L, b1), δ1, a)
    )


@entry.proves(eq(D(L, x), W1.T @ δ1), "Input")
def input_():
    return (
        calc(D(L, x[i]))
        .eq(Σ(δ1[a] * D(z1[a], x[i]), a),                                      chain(z1), by(δ1))
        .eq(Σ(δ1[a] * W1[a, i], a),                                            by(z1), linearity, sift)
        .array(D(L, x), W1.T @ δ1, i)
    )


# ---- a batch: the same, with a sum over the examples -----------------------------------------------------------------


@entry.proves(eq(Δ2, (P - Y) / N), "Batch: errors at the output")
def batch_error():
    return (
        calc(Δ2[n, j])
        .eq((P[n, j] - Y[n, j]) / N,                                           by(Δ2), batch)
        .array(Δ2, (P - Y) / N, n, j)
    )


@entry.proves(eq(D(L_N, W2), Δ2.T @ H), "Batch: weights of the second layer")
def batch_weights_2():
    return (
        calc(D(L_N, W2[j, a]))
        .eq(Σ(Δ2[m, k] * D(Z2[m, k], W2[j, a]), m, k),                         chain(Z2), by(Δ2))
        .eq(Σ(Δ2[m, j] * H[m, a], m),                                          by(Z2), linearity, sift)
        .array(D(L_N, W2), Δ2.T @ H, j, a)
    )


@entry.proves(eq(D(L_N, b2), Δ2.sum(0)), "Batch: bias of the second layer")
def batch_bias_2():
    return (
        calc(D(L_N, b2[j]))
        .eq(Σ(Δ2[m, k] * D(Z2[m, k], b2[j]), m, k),                            chain(Z2), by(Δ2))
        .eq(Σ(Δ2[m, j], m),                                                    by(Z2), linearity, sift)
        .array(D(L_N, b2), Δ2.sum(0), j)
    )


@entry.proves(eq(Δ1, (Δ2 @ W2) * H * (1 - H)), "Batch: errors at the hidden layer")
def batch_hidden_error():
    return (
        calc(Δ1[n, a])
        .eq(Σ(D(L_N, H[m, c]) * D(H[m, c], Z1[n, a]), m, c),                   by(Δ1), chain(H))
        .eq(Σ(Σ(Δ2[m, k] * W2[k, c], k) * D(H[m, c], Z1[n, a]), m, c),         chain(Z2), by(Δ2, Z2), linearity, sift)
        .eq(Σ(Σ(Δ2[m, k] * W2[k, c], k) * (H[m, c] * (1 - H[m, c]) * (δ(m, n) * δ(c, a))), m, c), by(H), sigmoid_rule, linearity)
        .eq(Σ(Δ2[n, k] * W2[k, a], k) * H[n, a] * (1 - H[n, a]),               sift)
        .array(Δ1, (Δ2 @ W2) * H * (1 - H), n, a)
    )


@entry.proves(eq(D(L_N, W1), Δ1.T @ X), "Batch: weights of the first layer")
def batch_weights_1():
    return (
        calc(D(L_N, W1[a, i]))
        .eq(Σ(Δ1[m, c] * D(Z1[m, c], W1[a, i]), m, c),                         chain(Z1), by(Δ1))
        .eq(Σ(Δ1[m, a] * X[m, i], m),                                          by(Z1), linearity, sift)
        .array(D(L_N, W1), Δ1.T @ X, a, i)
    )


@entry.proves(eq(D(L_N, b1), Δ1.sum(0)), "Batch: bias of the first layer")
def batch_bias_1():
    return (
        calc(D(L_N, b1[a]))
        .eq(Σ(Δ1[m, c] * D(Z1[m, c], b1[a]), m, c),                            chain(Z1), by(Δ1))
        .eq(Σ(Δ1[m, a], m),                                                    by(Z1), linearity, sift)
        .array(D(L_N, b1), Δ1.sum(0), a)
    )


@entry.proves(eq(D(L_N, X), Δ1 @ W1), "Batch: inputs")
def batch_input():
    return (
        calc(D(L_N, X[n, i]))
        .eq(Σ(Δ1[m, c] * D(Z1[m, c], X[n, i]), m, c),                          chain(Z1), by(Δ1))
        .eq(Σ(Δ1[n, c] * W1[c, i], c),                                         by(Z1), linearity, sift)
        .array(D(L_N, X), Δ1 @ W1, n, i)
    )


# ---- any activation --------------------------------------------------------------------------------------------------


@entry.proves(eq(δ_φ, p_φ - y), "Any activation: error at the output")
def any_error():
    return calc(δ_φ[j]).eq(p_φ[j] - y[j], by(δ_φ), delta).array(δ_φ, p_φ - y, j)


@entry.proves(eq(D(L_φ, z1), (W2.T @ δ_φ) * dφ(z1)), "Any activation: error at the hidden layer")
def any_hidden_error():
    return (
        calc(D(L_φ, z1[a]))
        .eq(Σ(D(L_φ, h_φ[c]) * D(h_φ[c], z1[a]), c),                           chain(h_φ))
        .eq(Σ(Σ(δ_φ[k] * W2[k, c], k) * D(h_φ[c], z1[a]), c),                  chain(z_φ), by(δ_φ, z_φ), linearity, sift)
        .eq(Σ(Σ(δ_φ[k] * W2[k, c], k) * (dφ(z1[c]) * δ(c, a)), c),             by(h_φ), function_rule, linearity)
        .eq(Σ(δ_φ[k] * W2[k, a], k) * dφ(z1[a]),                               sift)
        .array(D(L_φ, z1), (W2.T @ δ_φ) * dφ(z1), a)
    )


@entry.proves(eq(D(L, z1), (W2.T @ δ2) * (σ(z1) * (1 - σ(z1)))), "Any activation: the sigmoid again")
def sigmoid_again():
    with_sigmoid = function_instance(any_hidden_error.theorem, "φ", "σ")
    return instance(with_sigmoid.theorem, *zip(network(σ), (h, z2, p, L, δ2), strict=True), words=("the activation is now the sigmoid",))
