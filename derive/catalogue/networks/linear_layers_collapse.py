"""W₂(W₁x + b₁) + b₂ = (W₂W₁)x + (W₂b₁ + b₂): linear layers without an activation between them are one layer."""

from derive.language.term import Σ, D, eq, index, indices, let, sizes, var
from derive.logic.calc import calc
from derive.logic.rules.reasons import by, linearity, product_of_sums, sift
from derive.record import Derivation, Kernel, Mistake

N, d, M, K = sizes("N d M K")
n, k = index("n", N), index("k", K)
a, i, j = index("a", M), *indices("i j", d)
W1, b1, W2, b2 = var("W₁", M, d), var("b₁", M), var("W₂", K, M), var("b₂", K)
x, X = var("x", d), var("X", N, d)
h = let("h", W1 @ x + b1); o = let("o", W2 @ h + b2)
H = let("H", X @ W1.T + b1); O = let("O", H @ W2.T + b2)
W, b = let("W", W2 @ W1), let("b", W2 @ b1 + b2)

entry = Derivation(
    module=__name__,
    title="Linear layers collapse",
    claim=eq(W2 @ (W1 @ x + b1) + b2, W @ x + b),
    goal=f"Write two linear layers, one after the other, as a single matrix {W} and a single bias {b}.",
    priority="important",
    given=(
        (d, "number of inputs"), (M, "number of hidden units"), (K, "number of outputs"), (x, "input"),
        (W1, "weights of the first layer"), (b1, "its bias"), (h, "its output, with no activation after it"),
        (W2, "weights of the second layer"), (b2, "its bias"), (o, "the network’s output"),
        (W, "weights of the one layer that does the same"), (b, "its bias"),
        (N, "number of examples"), (X, "inputs of a batch, one example a row"), (H, "its hidden units"), (O, "its outputs"),
    ),
    convention=f"One example is a column; in a batch it is a row, {eq(H, X @ W1.T + b1)}, with the bias added to every row.",
    prompt=f"Somebody stacks two linear layers, {W2 @ (W1 @ x + b1) + b2}, and forgets the activation in between. What can the network express? What is gained, and what is not?",
    sixty_seconds=(
        f"Multiply out: {W2} meets the bracket term by term, so the output is {(W2 @ W1) @ x} plus {W2 @ b1 + b2}. The product of the matrices is one "
        f"{K} × {d} matrix and the rest is one bias: a single affine map. The Jacobian {D(o, x)} is the same {W} at every input, so there is nothing "
        f"for depth to add. What a narrow middle does is to limit the rank, since {W} passes through {M} numbers."
    ),
    strong=(
        f"Adds that the collapse goes on layer by layer, so any number of linear layers is one; that the set of functions stays the same when {M} is at least the "
        f"smaller of {d} and {K}, and shrinks to matrices of rank at most {M} otherwise; and that training differs all the same, as the loss is no longer convex in {W1} and {W2} together."
    ),
    weak=f"Says that more layers are always more expressive. Without an activation between them they are the product {W2 @ W1} and nothing else.",
    sanity=(
        ("Shape", f"{W} is {K} × {d} and {b} has {K} entries, whatever {M} is."),
        ("Zero", f"Where every input is 0 both sides are {b}: the first bias is not lost, it is sent through {W2}."),
        ("One unit", f"With {eq(M, 1)} the product is a column times a row: a matrix of rank one at most."),
    ),
    mistakes=(
        Mistake(eq(o, W @ x + (b1.sum(0) + b2)), f"The first bias goes through the second layer as well: it arrives as {W2 @ b1}."),
        Mistake(eq(o, W @ x + b2), f"The first bias was dropped: {W2 @ b1} is missing."),
        Mistake(eq(o, W @ x + 2 * b), f"Each bias enters once: {b} already holds both."),
        Mistake(eq(O, X @ W.T + b2), f"The bias of the one layer is {b}, for a batch as for one example: every row gets all of it."),
    ),
    follow_ups=("mlp-backprop",),
    kernels=(
        Kernel(
            "collapsed_layer", (W1, b1, W2, b2), (("weights", W2 @ W1), ("bias", W2 @ b1 + b2)),
            "The one linear layer that does what two do.",
        ),
        Kernel("two_linear_layers", (X, W1, b1, W2, b2), (("value", X @ W.T + b),), "Two linear layers, computed as one.", proved_by=("batch",)),
    ),
    references=("Goodfellow, Bengio and Courville, Deep Learning, section 6.1", "Baldi and Hornik, Neural networks and principal component analysis (1989)"),
)  # fmt: skip


@entry.proves(eq(W2 @ (W1 @ x + b1) + b2, W @ x + b), "Two layers are one", main=True)
def collapse():
    return (
        calc(Σ(W2[k, a] * (Σ(W1[a, i] * x[i], i) + b1[a]), a) + b2[k])
        .part("The second layer meets both parts of the first")
        .eq(Σ(W2[k, a] * Σ(W1[a, i] * x[i], i), a) + Σ(W2[k, a] * b1[a], a) + b2[k],       linearity)
        .part("Matrices first, then the input")
        .eq(Σ(W2[k, a] * W1[a, i] * x[i], i, a) + Σ(W2[k, a] * b1[a], a) + b2[k],          product_of_sums)
        .eq(Σ(Σ(W2[k, a] * W1[a, i], a) * x[i], i) + (Σ(W2[k, a] * b1[a], a) + b2[k]),     linearity)
        .eq(Σ(W[k, i] * x[i], i) + b[k],                                                   by(W, b))
        .array(W2 @ (W1 @ x + b1) + b2, W @ x + b, k)
    )  # fmt: skip


@entry.proves(eq(D(o, x), W2 @ W1), "The Jacobian is the same at every input")
def jacobian():
    return (
        calc(D(o[k], x[j]))
        .eq(D(Σ(W2[k, a] * h[a], a) + b2[k], x[j]),                                        by(o))
        .eq(Σ(W2[k, a] * D(Σ(W1[a, i] * x[i], i) + b1[a], x[j]), a),                       by(h), linearity)
        .eq(Σ(W2[k, a] * W1[a, j], a),                                                     linearity, sift)
        .array(D(o, x), W2 @ W1, k, j)
    )  # fmt: skip


@entry.proves(eq(O, X @ W.T + b), "A batch")
def batch():
    return (
        calc(O[n, k])
        .eq(Σ((Σ(X[n, i] * W1[a, i], i) + b1[a]) * W2[k, a], a) + b2[k],                   by(O, H))
        .eq(Σ(Σ(X[n, i] * W1[a, i], i) * W2[k, a], a) + (Σ(W2[k, a] * b1[a], a) + b2[k]),  linearity)
        .eq(Σ(X[n, i] * (W2[k, a] * W1[a, i]), i, a) + (Σ(W2[k, a] * b1[a], a) + b2[k]),   product_of_sums)
        .eq(Σ(X[n, i] * Σ(W2[k, a] * W1[a, i], a), i) + (Σ(W2[k, a] * b1[a], a) + b2[k]),  linearity)
        .eq(Σ(X[n, i] * W[k, i], i) + b[k],                                                by(W, b))
        .array(O, X @ W.T + b, n, k)
    )  # fmt: skip
