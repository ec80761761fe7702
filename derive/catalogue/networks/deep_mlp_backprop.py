"""δ_l = (W_{l+1}ᵀ δ_{l+1}) ⊙ φ′(z_l) at every layer of a network of any depth, each layer with a width of its own; and the gradients by weights and biases."""

from derive.language.term import (
    Σ,
    D,
    Numeric,
    Term,
    derivative_of,
    eq,
    family,
    function,
    index,
    le,
    let,
    lt,
    mapping,
    natural,
    outer,
    passing,
    succ,
    var,
    widths,
)
from derive.logic.arguments import discharged, weakened
from derive.logic.calc import calc
from derive.logic.rules.reasons import (
    by,
    chain,
    first_layer,
    function_rule,
    last_layer,
    linearity,
    no_layer,
    sift,
    two_parts,
)
from derive.record import Assumption, Derivation, Mistake

l, Λ = natural("l"), natural("Λ")
n = widths("n")
φ, dφ = function("φ"), derivative_of("φ")
bias = family("b", n)


def weights(layer: Term) -> Term:
    """Return the weights that lead from a layer to the next one."""
    return Term("member", (succ(layer), n(succ(layer)), n(layer)), "W")


Z = passing("Z", lambda layer: (n(layer),), lambda layer, u: weights(layer) @ φ(u) + bias(succ(layer)))
z0, loss = var("z₀", n(0)), mapping("ℓ")


def network(layer: Numeric, u: Term) -> Term:
    """Return the loss as a function of the pre-activation of one layer: the rest of the network, and the loss on top."""
    return loss(Z(layer, Λ, u))


above = succ(l)
z, W, b = let("z_l", Z(0, l, z0)), let("W", weights(l)), let("b", bias(above))
z_ = let("z_l+1", W @ φ(z) + b)
zΛ = let("z_Λ", Z(0, Λ, z0))
δl, δ_, δΛ = let("δ_l", D(network(l, z), z)), let("δ_l+1", D(network(above, z_), z_)), let("δ_Λ", D(network(Λ, zΛ), zΛ))
a, c = index("a", n(l)), index("c", n(l))
j, k = index("j", n(above)), index("k", n(above))
m = index("m", n(Λ))
below = lt(l, Λ)

entry = Derivation(
    module=__name__,
    title="Backpropagation through any number of layers",
    claim=eq(δl, (W.T @ δ_) * dφ(z)),
    goal=f"One rule that takes the error from any layer to the one below, for a network of {Λ} layers with any widths, any activation and any loss.",
    priority="critical",
    given=(
        (Λ, "number of the last layer"), (l, "number of a layer below the last"), (n(l), "its width"), (z0, "pre-activation of layer 0"),
        (weights(l), "weights between two layers"), (bias(above), "bias"), (φ(z0), "any activation, elementwise"),
        (Z(l, above, z), "pre-activation of one layer from the one before"),
        (z, "pre-activation of the layer"), (W, "weights that lead to the next"), (b, "its bias"), (z_, "pre-activation of the next layer"),
        (zΛ, "pre-activation of the last layer"), (loss(zΛ), "any loss of it"),
        (δl, "error of the layer"), (δ_, "error of the next layer"), (δΛ, "error of the last layer"),
    ),
    assumptions=(Assumption(below, "the layer is not the last one"), Assumption(le(l, Λ), "the layer is one of the network")),
    convention=(
        f"Layers count from 0 to {Λ}. {Z(l, Λ, z)} is the pre-activation of the last layer, where that of layer {l} is {z}; so {network(l, z)} is the loss as a function of "
        f"layer {l}. An error is the derivative by a pre-activation, of its shape. {dφ(z)} is taken entry by entry."
    ),
    prompt=f"Derive backpropagation for a network of any depth: {eq(z_, W @ φ(z) + b)} for every layer, and a loss of the last one. State the recursion for the errors, where it begins, what the weights get, and what all of it costs.",
    sixty_seconds=(
        f"Read the loss as a function of one layer’s pre-activation, {network(l, z)}. The layers above see {z} through {z_} alone, so the chain rule has one line: {δ_} times the "
        f"Jacobian of {z_} by {z}, which is {W} with its columns scaled by {dφ(z)}. That is {(W.T @ δ_) * dφ(z)}. It starts from the loss’s own gradient at layer {Λ} and goes down. "
        f"The weights above the layer get {outer(δ_, φ(z))} and the bias {δ_}. Each layer takes two products with its matrix where the forward pass takes one, so the whole costs about two forward passes."
    ),
    strong=(
        f"Says why the order matters: from the top every step is a matrix times a vector, from the bottom a matrix times a matrix. Cost and memory are linear in the depth, since {z} must be kept for {dφ(z)}; "
        f"and the rule does not ask what the loss is, only for {δΛ}."
    ),
    weak=f"Writes the rule for two layers and says that the rest is similar. The claim is about every {l}, so one has to name what is a function of what: {network(l, z)}.",
    sanity=(
        ("Shape", f"{W} is {n(above)} × {n(l)}, so {W.T @ δ_} has {n(l)} entries, as {z} has."),
        ("Linear layers", f"Where every slope of the activation is 1 the error is {W.T @ δ_}: transposed weights alone."),
        ("Last layer", f"With no layer above, {eq(network(Λ, zΛ), loss(zΛ))}: the recursion begins with the gradient of the loss."),
        ("Dead unit", f"Where an entry of {dφ(z)} is 0 so is the entry of {δl}, and nothing below hears of it through that unit."),
    ),
    mistakes=(
        Mistake(eq(δl, W.T @ δ_), f"The activation’s derivative is missing: this is the error at {φ(z)}, after it."),
        Mistake(eq(D(network(above, z_), W), outer(δ_, z)), f"The weights multiply {φ(z)}, and not {z}."),
        Mistake(eq(D(network(above, z_), b), δ_ * φ(z_)), "A bias is multiplied by nothing: it gets the error as it is."),
        Mistake(eq(δl, -(W.T @ δ_) * dφ(z)), "The minus belongs to the step of gradient descent, not to the gradient."),
        Mistake(eq(network(l, z), loss(z_)), f"That stops one layer above {l}; the layers up to {Λ} are missing."),
    ),
    prerequisites=("mlp-backprop",),
    follow_ups=("residual-gradient",),
    references=("Rumelhart, Hinton and Williams, Learning representations by back-propagating errors (1986)",),
)  # fmt: skip


@entry.proves(le(l, Λ), "A layer below the last is one of the network")
def within():
    return weakened(below)


@entry.proves(eq(Z(0, above, z0), z_), "The forward pass, layer by layer")
def forward():
    return (
        calc(Z(0, above, z0)[k])
        .eq(Σ(weights(l)[k, a] * φ(Z(0, l, z0)[a]), a) + bias(above)[k],         last_layer)
        .eq(Σ(W[k, a] * φ(z[a]), a) + b[k],                                      by(z, W, b))
        .eq(z_[k],                                                               by(z_))
        .array(Z(0, above, z0), z_, k)
    )  # fmt: skip


@entry.proves(eq(network(l, z), network(0, z0)), "Seen from any layer it is the same loss")
def same_loss():
    return (
        calc(network(l, z))
        .eq(loss(Z(l, Λ, Z(0, l, z0))),                                          by(z))
        .eq(network(0, z0),                                                      two_parts)
    )  # fmt: skip


@entry.proves(eq(network(Λ, zΛ), loss(zΛ)), "At the last layer nothing but the loss is left")
def top():
    return calc(network(Λ, zΛ)).eq(loss(zΛ), no_layer)


@entry.proves(eq(δΛ, D(loss(zΛ), zΛ)), "Where the recursion begins")
def beginning():
    return calc(δΛ[m]).eq(D(network(Λ, zΛ), zΛ[m]), by(δΛ)).eq(D(loss(zΛ), zΛ[m]), no_layer).array(δΛ, D(loss(zΛ), zΛ), m)


@entry.proves(eq(δl, (W.T @ δ_) * dφ(z)), "From every layer to the one below", main=True)
def recursion():
    return discharged(
        calc(δl[a])
        .part("The layers above see the next layer alone")
        .eq(D(network(above, z_), z[a]),                                         by(δl, z_, W, b), first_layer)
        .eq(Σ(D(network(above, z_), z_[k]) * D(z_[k], z[a]), k),                 chain(z_))
        .eq(Σ(δ_[k] * D(z_[k], z[a]), k),                                        by(δ_))
        .part("One layer")
        .eq(Σ(δ_[k] * D(Σ(W[k, c] * φ(z[c]), c) + b[k], z[a]), k),               by(z_))
        .eq(Σ(δ_[k] * (W[k, a] * dφ(z[a])), k),                                  linearity, function_rule, sift)
        .eq(Σ(W[k, a] * δ_[k], k) * dφ(z[a]),                                    linearity)
        .array(δl, (W.T @ δ_) * dφ(z), a),
        within,
    )  # fmt: skip


@entry.proves(eq(D(network(above, z_), W), outer(δ_, φ(z))), "Weights")
def by_weights():
    return (
        calc(D(network(above, z_), W[j, a]))
        .eq(Σ(δ_[k] * D(z_[k], W[j, a]), k),                                     chain(z_), by(δ_))
        .eq(δ_[j] * φ(z[a]),                                                     by(z_), linearity, sift)
        .array(D(network(above, z_), W), outer(δ_, φ(z)), j, a)
    )  # fmt: skip


@entry.proves(eq(D(network(above, z_), b), δ_), "Bias")
def by_bias():
    return (
        calc(D(network(above, z_), b[j]))
        .eq(Σ(δ_[k] * D(z_[k], b[j]), k),                                        chain(z_), by(δ_))
        .eq(δ_[j],                                                               by(z_), linearity, sift)
        .array(D(network(above, z_), b), δ_, j)
    )  # fmt: skip
