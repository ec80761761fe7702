"""The Jacobian of a composition is a product of Jacobians: multiplied from the right it is forward mode, from the left reverse mode, and what either costs."""

from dataclasses import replace

from derive.language.term import (
    ZERO,
    Σ,
    D,
    Numeric,
    Term,
    eq,
    eye,
    index,
    le,
    let,
    lift,
    lt,
    mapping,
    natural,
    passing,
    size,
    sizes,
    slope_of,
    succ,
    var,
    widths,
    δ,
)  # fmt: skip
from derive.logic.arguments import by_induction, discharged, from_gap, weakened
from derive.logic.calc import calc
from derive.logic.rules.reasons import (
    by,
    chain,
    first_layer,
    given,
    last_layer,
    linearity,
    map_rule,
    multiplied_out,
    no_layer,
    sift,
    two_parts,
)
from derive.logic.theorem import weakening
from derive.record import Assumption, Derivation, Kernel, Mistake

l, Λ = natural("l"), natural("Λ")
n = widths("n")
above = succ(l)
x, v = var("x", n(0)), var("v", n(0))


def F(u: Term, layer: Term) -> Term:
    """Return what a layer makes of a state: it has a width of its own."""
    return mapping("F", n(succ(layer)))(u, layer)


def jacobian_of(u: Term, layer: Term) -> Term:
    """Return the Jacobian of a layer at a state."""
    return slope_of("F", n(succ(layer)))(u, layer)


X = passing("X", lambda layer: (n(layer),), lambda layer, u: F(u, layer))
loss = mapping("ℓ")


def state(layer: Term) -> Term:
    """Return the state after so many layers."""
    return X(0, layer, x)


# forward mode: what a direction at the input becomes, and all directions at once
T = passing("T", lambda layer: (n(layer),), lambda layer, u: jacobian_of(state(layer), layer) @ u)
P = passing("P", lambda layer: (n(layer), n(0)), lambda layer, S: jacobian_of(state(layer), layer) @ S)


def tangent(layer: Term) -> Term:
    """Return the direction after so many layers."""
    return T(0, layer, v)


def product(layer: Term) -> Term:
    """Return the product of the Jacobians of so many layers, the last one on the left."""
    return P(0, layer, eye(n(0)))


# reverse mode: the loss as each layer sees it
def network(layer: Numeric, u: Term) -> Term:
    """Return the loss as a function of the state before a layer."""
    return loss(X(layer, Λ, u))


z = let("x_l", state(l))
J = let("J_l", jacobian_of(z, l))
z_ = let("x_l+1", F(z, l))
g, g_ = let("g_l", D(network(l, z), z)), let("g_l+1", D(network(above, z_), z_))
below = lt(l, Λ)

# what it costs: multiplications, counted layer by layer
K = size("K")
sweep = passing("C", lambda layer: (), lambda layer, u: u + n(succ(layer)) * n(layer))
many = passing("M", lambda layer: (), lambda layer, u: u + n(succ(layer)) * n(layer) * K)


def cost(layer: Numeric) -> Term:
    """Return the multiplications of one sweep through so many layers."""
    return sweep(0, layer, ZERO)


def cost_of_many(layer: Term) -> Term:
    """Return the multiplications of carrying several vectors through so many layers."""
    return many(0, layer, ZERO)


u, U, w = var("u", n(l)), var("U", n(l), n(0)), var("w")
a, i, j, k = index("a", n(l)), index("i", n(0)), index("j", n(0)), index("k", n(above))
stack = eq(D(state(l), x), product(l))

p, q, r = sizes("p q r")
A, B, G, V = var("A", p, q), var("B", q, r), var("G", p), var("V", r)
s, t, o = index("s", p), index("t", q), index("o", r)

entry = Derivation(
    module=__name__,
    title="Forward and reverse mode",
    claim=stack,
    goal="Write the Jacobian of a composition as a product, and count what it costs to multiply it out from either end.",
    priority="critical",
    given=(
        (l, "number of layers so far"),
        (n(l), "width of the state after them"),
        (x, "input"),
        (F(z, l), "a layer"),
        (jacobian_of(z, l), "its Jacobian"),
        (z, "state before a layer"),
        (J, "the layer’s Jacobian there"),
        (z_, "state after it"),
        (Λ, "number of all layers"),
        (loss(state(Λ)), "loss of the last state"),
        (g, "gradient of the loss by the one"),
        (g_, "and by the other"),
        (v, "a direction at the input"),
        (u, "any state before the layer"),
        (X(l, above, u), "a state after one more layer"),
        (U, "any directions there, one a column"),
        (P(l, above, U), "what one more layer makes of them"),
        (T(l, above, u), "the same for a single one"),
        (w, "any number of multiplications"),
        (sweep(l, above, w), "with those of one more layer"),
        (K, "number of vectors"),
        (many(l, above, w), "the same for so many vectors"),
        (p, "outputs of two functions"),
        (q, "what goes between them"),
        (r, "their inputs"),
        (A, "Jacobian of an outer function"),
        (B, "Jacobian of an inner one"),
        (G, "gradient at the output"),
        (V, "direction at the input"),
    ),
    assumptions=(Assumption(below, "a layer of the network"),),
    convention=(
        f"In a Jacobian the row says which output, the column which input. {state(l)} is the state after {l} layers when {x} goes in, {product(l)} the product of their Jacobians, {tangent(l)} "
        f"what a direction {v} becomes. Layers count from 0. {cost(l)} counts the multiplications of one vector’s way through {l} layers, forwards or backwards, {cost_of_many(l)} those of {K} vectors; additions come to as many."
    ),
    prompt="Write the gradient of a deep network as a product of Jacobians. Why is backpropagation cheaper than computing the same product from the input side, and when is it not?",
    sixty_seconds=(
        f"By the chain rule the Jacobian is the product of the layers’ Jacobians, the last layer on the left. A product of matrices may be multiplied in any order, and the orders cost differently. "
        f"From the right one carries a direction through every layer, {n(above) * n(l)} multiplications in each: one sweep gives the slope along one direction, so a gradient takes {n(0)} sweeps. From the left one "
        f"carries the gradient of the loss, a single vector, and the same sweep gives all {n(0)} partial derivatives. So with one output reverse mode wins by the number of inputs; it pays by keeping "
        f"every state until it is needed. With few inputs and many outputs forward mode wins."
    ),
    strong="Says that the matrices are never formed: a layer supplies a product with its Jacobian, or with the transpose. Names the price of reverse mode, the memory for the states, and checkpointing as the remedy.",
    weak="Says that backpropagation is the chain rule. So is forward mode; the point is the order of multiplication, and that the loss is a single number.",
    sanity=(
        ("Shapes", f"{J} has {n(above)} rows and {n(l)} columns; its transpose takes a gradient of {n(above)} entries back to {n(l)}."),
        ("No layer", f"Without any layer the product is {eye(n(0))} and costs nothing."),
        ("Dot-product test", f"{G @ (A @ (B @ V))} comes out the same from either end: a test that needs no differences."),
    ),
    mistakes=(
        Mistake(eq(G @ (A @ (B @ V)), (A.T @ G) @ (A.T @ G)), "Two directions are needed for the test, one at each end; a vector with itself shows only a length."),
        Mistake(eq(g, g_ @ J + J.T @ g_), "The row times the matrix and the transpose times the column are the same thing, and were counted twice."),
        Mistake(eq(cost_of_many(l), cost(l) + K), f"Every layer has to carry all {K} vectors: the number multiplies the cost, and is not added to it."),
        Mistake(le(n(0) * cost(2), cost(2)), f"The wrong way round: {n(0)} sweeps cost at least as much as one."),
    ),
    prerequisites=("softmax-jacobian",),
    follow_ups=("mlp-backprop", "deep-mlp-backprop", "residual-gradient"),
    kernels=(
        Kernel("forward_product", (A, B, V), (("tangent", A @ (B @ V)),), "Two Jacobians times a direction, from the right."),
        Kernel("reverse_product", (A, B, G), (("gradient", B.T @ (A.T @ G)),), "A gradient times two Jacobians, from the left."),
    ),
    references=("A. Griewank and A. Walther, Evaluating Derivatives, chapter 3", "A. G. Baydin and others, Automatic differentiation in machine learning: a survey, JMLR 18, 2018"),
)  # fmt: skip


# ---- the product -----------------------------------------------------------------------------------------------------


@entry.proves(stack, "The Jacobian is the product of the layers’", main=True)
def jacobian():
    return by_induction(
        l,
        base=calc(D(state(ZERO)[i], x[j]))
        .eq(δ(i, j),                                                                       no_layer, linearity)
        .eq(product(ZERO)[i, j],                                                           no_layer)
        .array(D(state(ZERO), x), product(ZERO), i, j),
        step=calc(D(state(above)[k], x[j]))
        .eq(D(F(state(l), l)[k], x[j]),                                                    last_layer)
        .eq(Σ(jacobian_of(state(l), l)[k, a] * D(state(l)[a], x[j]), a),                   map_rule)
        .eq(Σ(jacobian_of(state(l), l)[k, a] * product(l)[a, j], a),                       given(stack, "for one layer less"))
        .eq(product(above)[k, j],                                                          last_layer)
        .array(D(state(above), x), product(above), k, j),
    )  # fmt: skip


@entry.proves(eq(product(l) @ v, tangent(l)), "Forward mode: one direction, carried from the input on")
def forward_mode():
    return by_induction(
        l,
        base=calc((product(ZERO) @ v)[i])
        .eq(Σ(δ(i, j) * v[j], j),                                                          no_layer)
        .eq(v[i],                                                                          sift)
        .eq(tangent(ZERO)[i],                                                              no_layer)
        .array(product(ZERO) @ v, tangent(ZERO), i),
        step=calc((product(above) @ v)[k])
        .eq(Σ(Σ(jacobian_of(state(l), l)[k, a] * product(l)[a, j], a) * v[j], j),          last_layer)
        .eq(Σ(jacobian_of(state(l), l)[k, a] * (product(l) @ v)[a], a),                    multiplied_out)
        .eq(Σ(jacobian_of(state(l), l)[k, a] * tangent(l)[a], a),                          given(eq(product(l) @ v, tangent(l)), "for one layer less"))
        .eq(tangent(above)[k],                                                             last_layer)
        .array(product(above) @ v, tangent(above), k),
    )  # fmt: skip


@entry.proves(le(l, Λ), "A layer below the last is one of the network")
def within():
    return weakened(below)


@entry.proves(eq(network(l, z), network(0, x)), "Seen from any layer it is the same loss")
def same_loss():
    return discharged(
        calc(network(l, z))
        .eq(loss(X(l, Λ, state(l))),                                                       by(z))
        .eq(network(0, x),                                                                 two_parts),
        within,
    )  # fmt: skip


@entry.proves(eq(g, J.T @ g_), "Reverse mode: the gradient, carried from the loss back")
def reverse_mode():
    return discharged(
        calc(g[a])
        .eq(D(network(above, z_), z[a]),                                                   by(g, z_), first_layer)
        .eq(Σ(D(network(above, z_), z_[k]) * D(z_[k], z[a]), k),                           chain(z_))
        .eq(Σ(g_[k] * jacobian_of(z, l)[k, a], k),                                         by(g_, z_), map_rule, linearity, sift)
        .eq(Σ(J[k, a] * g_[k], k),                                                         by(J))
        .array(g, J.T @ g_, a),
        within,
    )  # fmt: skip


@entry.proves(eq(G @ (A @ (B @ V)), (B.T @ (A.T @ G)) @ V), "Both orders give one number")
def dot_product_test():
    return (
        calc(G @ (A @ (B @ V)))
        .eq(Σ(G[s] * A[s, t] * B[t, o] * V[o], s, t, o),                                   multiplied_out)
        .eq((B.T @ (A.T @ G)) @ V,                                                         multiplied_out)
    )  # fmt: skip


# ---- what it costs ---------------------------------------------------------------------------------------------------


@entry.proves(eq(cost(above), cost(l) + n(above) * n(l)), "One more layer costs its width times the one before")
def next_layer():
    return calc(cost(above)).eq(cost(l) + n(above) * n(l), last_layer)


@entry.proves(eq(cost_of_many(l), K * cost(l)), "Several vectors cost several sweeps")
def several():
    claim = eq(cost_of_many(l), K * cost(l))
    return by_induction(
        l,
        base=calc(cost_of_many(ZERO))
        .eq(K * cost(ZERO),                                                                no_layer),
        step=calc(cost_of_many(above))
        .eq(cost_of_many(l) + n(above) * n(l) * K,                                         last_layer)
        .eq(K * cost(l) + n(above) * n(l) * K,                                             given(claim, "for one layer less"))
        .eq(K * cost(above),                                                               last_layer),
    )  # fmt: skip


@entry.proves(le(cost(l), cost(above)), "A longer way never costs less")
def longer():
    strictly = from_gap(calc(cost(above) - cost(l)).eq(n(above) * n(l), next_layer))
    return replace(strictly, theorem=weakening(strictly.theorem))


@entry.proves(le(0, cost(l)), "No way costs less than nothing")
def not_negative():
    return by_induction(
        l,
        base=calc(lift(0)).eq(cost(ZERO),                                                  no_layer),
        step=calc(lift(0))
        .le(cost(l),                                                                       given(le(0, cost(l)), "for one layer less"))
        .le(cost(above),                                                                   longer),
    )  # fmt: skip


@entry.proves(le(cost(l), n(0) * cost(l)), "One sweep never costs more than one for each input")
def reverse_is_cheaper():
    return from_gap(calc(n(0) * cost(l) - cost(l)).eq((n(0) - 1) * cost(l)), not_negative)
