"""∂(x + F(x))/∂x = I + F′(x), and what a stack of such blocks passes back: the gradient itself, and one more path for every block."""

from derive.language.term import (
    ZERO,
    Σ,
    D,
    array,
    eq,
    eye,
    index,
    indices,
    let,
    lift,
    mapping,
    natural,
    passing,
    size,
    slope_of,
    succ,
    var,
    δ,
)
from derive.logic.arguments import by_induction
from derive.logic.calc import calc
from derive.logic.rules.reasons import (
    by,
    chain,
    empty_product,
    given,
    last_factor,
    last_layer,
    linearity,
    map_rule,
    no_layer,
    sift,
)
from derive.record import Derivation, Kernel, Mistake

d, B = size("d"), natural("B")
i, j, k = indices("i j k", d)
l, upto = index("l", B), index("l", succ(B))
x = var("x", d)
I = eye(d)

# one block
F, slope = mapping("F", d), slope_of("F", d)
y = let("y", x + F(x)); L = let("L", mapping("ℓ")(y)); g = let("g", D(L, y))

# a stack of blocks: the states, and the product of the blocks' Jacobians
R = passing("R", lambda layer: (d,), lambda layer, u: u + F(u, layer))


def state(layer):
    """Return the state after so many blocks."""
    return R(0, layer, x)


P = passing("P", lambda layer: (d, d), lambda layer, S: (I + slope(state(layer), layer)) @ S)


def product(layer):
    """Return the product of the Jacobians of so many blocks, the last one on the left."""
    return P(0, layer, I)


def paths(l):
    """Return what the blocks add to the identity: each its Jacobian times all that came before."""
    return Σ(slope(state(l), l)[i, k] * product(l)[k, j], l, k)


claim = eq(D(y, x), I + slope(x))
stack = eq(D(state(B), x), product(B))
expansion = eq(product(B), array(δ(i, j) + paths(l), i, j))
A = var("A", d, d)

entry = Derivation(
    module=__name__,
    title="The gradient through residual blocks",
    claim=claim,
    goal=f"The Jacobian of a block {x + F(x)}, what a loss sends back through it, and the product of the Jacobians of {B} blocks, multiplied out.",
    priority="critical",
    given=(
        (d, "width, the same before and after every block"), (x, "input"), (F(x), "what a block adds"), (slope(x), "its Jacobian"),
        (y, "output of one block"), (L, "any loss of it"), (g, "gradient that arrives"),
        (B, "number of blocks"), (F(x, B), f"what block {B} adds"), (slope(x, B), "its Jacobian"),
        (R(B, succ(B), x), "state after one more block"), (P(B, succ(B), A), "product of Jacobians, one more on the left"), (A, "any matrix"),
    ),
    convention=(
        f"In {slope(x)} the row says which output, the column which input. {state(B)} is the state after all blocks when {x} goes in, {state(l)} the one before block {l}; "
        f"blocks count from 0. {product(l)} is the product of the first {l} Jacobians. A gradient has the shape of what it is taken by."
    ),
    prompt=f"What is the gradient through a residual block {x + F(x)}? Stack {B} of them: why does the gradient at the bottom not vanish, however small the blocks’ own Jacobians are?",
    sixty_seconds=(
        f"The sum rule: the Jacobian of {x + F(x)} is {I + slope(x)}. So {g} comes back unchanged, and {slope(x).T @ g} is added to it. For {B} blocks the Jacobians are "
        f"multiplied, one factor of this kind for each. Multiply out from the last block on: the product is the identity plus, for every block, its Jacobian times the product of those before. "
        f"The identity stands there alone: one path on which nothing is multiplied. Without the skip the product has one term, which is as small as its factors make it."
    ),
    strong=(
        f"Counts the paths: every block is either passed by or gone through, so four products for two blocks and {lift(2) ** B} for {B}, all but one of them with some Jacobian in it. Adds that this is no "
        f"bound from below: a block with {eq(slope(x), -I)} kills the gradient, and blocks whose Jacobians are large still let it explode, which is why normalisation and small "
        "initial weights stay."
    ),
    weak="Says that skip connections solve vanishing gradients because the gradient can skip. That names the effect; the identity matrix in the product is the reason, and it has to be derived.",
    sanity=(
        ("Shape", f"{x} and {F(x)} have {d} entries both: otherwise they could not be added."),
        ("Nothing added", f"Where every block’s Jacobian is 0 the product is {I}: the gradient arrives as it left."),
        ("No block", f"With {eq(B, 0)} the product is {I}."),
    ),
    mistakes=(
        Mistake(eq(D(y, x), slope(x)), f"The derivative of {x} by itself was forgotten: it is {I}, the whole point of the block."),
        Mistake(eq(D(L, x), slope(x).T @ g), "What comes back along the skip is missing."),
        Mistake(eq(D(L, x), g + slope(x) @ g), f"The transpose is missing: backwards the columns of {slope(x)} are summed over."),
        Mistake(eq(product(2), I + slope(x, 0) + slope(state(1), 1)), "The path through both blocks is missing: products are not sums."),
        Mistake(eq(product(2), I + slope(x, 0) + slope(state(1), 1) + slope(x, 0) @ slope(state(1), 1)), "The order is turned round: what is done last stands on the left."),
    ),
    prerequisites=("linear-layers-collapse",),
    follow_ups=("mlp-backprop",),
    kernels=(
        Kernel("residual_product", (A, x), (("value", x + A @ x),), "A product with the Jacobian of a block, given the Jacobian A of what it adds, without forming their sum."),
    ),
    references=("He, Zhang, Ren and Sun, Identity mappings in deep residual networks (2016)", "Veit, Wilber and Belongie, Residual networks behave like ensembles of relatively shallow networks (2016)"),
)  # fmt: skip


# ---- one block -------------------------------------------------------------------------------------------------------


@entry.proves(claim, "Jacobian of a block", main=True)
def jacobian():
    return (
        calc(D(y[i], x[j]))
        .eq(D(x[i] + F(x)[i], x[j]),                                                       by(y))
        .eq(D(x[i], x[j]) + D(F(x)[i], x[j]),                                              linearity)
        .eq(δ(i, j) + slope(x)[i, j],                                                      linearity, map_rule, sift)
        .array(D(y, x), I + slope(x), i, j)
    )  # fmt: skip


@entry.proves(eq(D(L, x), g + slope(x).T @ g), "What a loss sends back through it")
def gradient():
    return (
        calc(D(L, x[j]))
        .eq(Σ(g[i] * D(y[i], x[j]), i),                                                    chain(y), by(g))
        .eq(Σ(g[i] * (δ(i, j) + slope(x)[i, j]), i),                                       jacobian)
        .eq(g[j] + Σ(slope(x)[i, j] * g[i], i),                                            sift)
        .array(D(L, x), g + slope(x).T @ g, j)
    )  # fmt: skip


# ---- a stack ---------------------------------------------------------------------------------------------------------


@entry.proves(stack, "The Jacobian of a stack is the product of the blocks’")
def of_a_stack():
    here, there = state(B), state(succ(B))
    return by_induction(
        B,
        base=calc(D(state(ZERO)[i], x[j]))
        .eq(δ(i, j),                                                                       no_layer, linearity)
        .eq(product(ZERO)[i, j],                                                           no_layer)
        .array(D(state(ZERO), x), product(ZERO), i, j),
        step=calc(D(there[i], x[j]))
        .eq(D(here[i] + F(here, B)[i], x[j]),                                              last_layer)
        .eq(D(here[i], x[j]) + Σ(slope(here, B)[i, k] * D(here[k], x[j]), k),              linearity, map_rule)
        .eq(product(B)[i, j] + Σ(slope(here, B)[i, k] * product(B)[k, j], k),              given(stack, "for one block less"))
        .eq(Σ((δ(i, k) + slope(here, B)[i, k]) * product(B)[k, j], k),                     sift)
        .eq(product(succ(B))[i, j],                                                        last_layer)
        .array(D(there, x), product(succ(B)), i, j),
    )  # fmt: skip


@entry.proves(expansion, "Multiplied out: the identity, and one path more for each block")
def multiplied_out():
    nothing = index("l", ZERO)
    before = slope(state(B), B)
    return by_induction(
        B,
        base=calc(product(ZERO)[i, j])
        .eq(δ(i, j),                                                                       no_layer)
        .eq(δ(i, j) + paths(nothing),                                                empty_product)
        .array(product(ZERO), array(δ(i, j) + paths(nothing), i, j), i, j),
        step=calc(product(succ(B))[i, j])
        .eq(Σ((δ(i, k) + before[i, k]) * product(B)[k, j], k),                             last_layer)
        .eq(product(B)[i, j] + Σ(before[i, k] * product(B)[k, j], k),                      sift)
        .eq(δ(i, j) + paths(l) + Σ(before[i, k] * product(B)[k, j], k),                 given(expansion, "for one block less"))
        .eq(δ(i, j) + paths(upto),                                                last_factor)
        .array(product(succ(B)), array(δ(i, j) + paths(upto), i, j), i, j),
    )  # fmt: skip


@entry.proves(eq(product(2), I + slope(x, 0) + slope(state(1), 1) + slope(state(1), 1) @ slope(x, 0)), "Two blocks, four paths")
def two_blocks():
    first, second = slope(x, 0), slope(state(1), 1)
    return (
        calc(product(2)[i, j])
        .eq(Σ((δ(i, k) + second[i, k]) * product(1)[k, j], k),                             last_layer)
        .eq(product(1)[i, j] + Σ(second[i, k] * product(1)[k, j], k),                      sift)
        .eq(δ(i, j) + first[i, j] + second[i, j] + Σ(second[i, k] * first[k, j], k),       last_layer, no_layer, sift)
        .array(product(2), I + first + second + second @ first, i, j)
    )  # fmt: skip
