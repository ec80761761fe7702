"""The smallest network by hand: two weights, one hidden unit, squared error; forward, loss, gradients and one update, in exact numbers."""

from fractions import Fraction
from random import Random

from derive.language.notation import exp, log, relu, sign, σ
from derive.language.term import D, both, derivative_of, eq, function, let, lift, lt, number_of, var
from derive.logic.arguments import from_gap, function_instance, instance, together
from derive.logic.calc import calc
from derive.logic.rules.reasons import (
    branch,
    by,
    chain,
    derivative,
    function_rule,
    inverse_pair,
    linearity,
    log_number,
    power_rule,
    sigmoid_rule,
    use,
)
from derive.record import Derivation, Kernel, Mistake

x, y, w1, w2, η = var("x"), var("y"), var("w₁"), var("w₂"), var("η")
φ, dφ = function("φ"), derivative_of("φ")


def network(act, x, y, w1, w2):
    """Return pre-activation, hidden unit, output and loss, each named."""
    z = let("z", w1 * x)
    h = let("h", act(z))
    o = let("ŷ", w2 * h)
    return z, h, o, let("L", (o - y) ** 2)


z, h, o, L = network(φ, x, y, w1, w2)
hσ = let("h_σ", σ(z)); oσ = let("ŷ_σ", w2 * hσ); Lσ = let("L_σ", (oσ - y) ** 2)


def numbers(act, x, y, w1, w2, prime=""):
    """Return a network in numbers: its inputs and what it computes, each named."""
    x, y, w1, w2 = (let(name + prime, lift(value)) for name, value in (("x", x), ("y", y), ("w₁", w1), ("w₂", w2)))
    z = let("z" + prime, w1 * x); h = let("h" + prime, act(z)); o = let("ŷ" + prime, w2 * h)
    return x, y, w1, w2, z, h, o, let("L" + prime, (o - y) ** 2)


def all_of(*proofs):
    """Prove each, and say all of it."""
    whole = proofs[0]
    for proof in proofs[1:]:
        whole = together(whole, proof)
    return whole


def forward(net):
    """Calculate pre-activation, hidden unit, output and loss of a network of positive parts whose unit is on."""
    x, y, w1, w2, z, h, o, loss = net
    number = [number_of(t.args[0]) for t in (x, y, w1, w2)]
    at_z = number[2] * number[0]; at_o = number[3] * at_z
    return all_of(
        calc(z).part(f"Forward, with {eq(x, x.args[0])}, {eq(y, y.args[0])}, {eq(w1, w1.args[0])}, {eq(w2, w2.args[0])} and a positive part")
        .eq(w1.args[0] * x.args[0],                                           by(z, w1, x)).eq(lift(at_z)),
        calc(h).eq(relu(lift(at_z)),                                          by(h, z, w1, x)).eq(lift(at_z), branch("relu", 0)),
        calc(o).eq(w2.args[0] * lift(at_z),                                   by(o, w2, h, z, w1, x), branch("relu", 0)).eq(lift(at_o)),
        calc(loss).eq((lift(at_o) - y.args[0]) ** 2,                          by(loss, o, w2, h, z, w1, x, y), branch("relu", 0)).eq(lift((at_o - number[1]) ** 2)),
    )  # fmt: skip


def slopes(net):
    """Return the gradients by both weights as numbers, for a unit that is on."""
    x, y, w1, w2 = (number_of(t.args[0]) for t in net[:4])
    error = w2 * w1 * x - y
    return 2 * error * w2 * x, 2 * error * w1 * x


def backward_2(net):
    """Calculate the gradient by the outer weight."""
    x, y, w1, w2, z, h, o, loss = net
    at_z = lift(number_of(w1.args[0]) * number_of(x.args[0])); at_o = lift(number_of(w2.args[0]) * number_of(at_z))
    return (
        calc(D(loss, w2)).part("Backward, the outer weight")
        .eq(D(loss, o) * D(o, w2),                                            chain(o))
        .eq(2 * (o - y) * h,                                                  by(loss, o), power_rule, linearity)
        .eq(2 * (at_o - y.args[0]) * at_z,                                    by(o, y, w2, h, z, w1, x), branch("relu", 0))
        .eq(lift(slopes(net)[1]))
    )  # fmt: skip


def backward_1(net):
    """Calculate the gradient by the inner weight."""
    x, y, w1, w2, z, h, o, loss = net
    at_o = lift(number_of(w2.args[0]) * number_of(w1.args[0]) * number_of(x.args[0]))
    return (
        calc(D(loss, w1)).part("Backward, the inner weight")
        .eq(D(loss, o) * D(o, h) * D(h, z) * D(z, w1),                        chain(o), chain(h), chain(z))
        .eq(2 * (o - y) * w2 * ((1 + sign(z)) / 2) * x,                       by(loss, o, h, z), power_rule, linearity, derivative("relu"))
        .eq(2 * (o - y) * w2 * 1 * x,                                         branch("sign", 0))
        .eq(2 * (at_o - y.args[0]) * w2.args[0] * 1 * x.args[0],              by(o, y, w2, h, z, w1, x), branch("relu", 0))
        .eq(lift(slopes(net)[0]))
    )  # fmt: skip


def update(net, rate):
    """Calculate both weights after one step of gradient descent."""
    w1, w2, loss = net[2], net[3], net[7]
    (g1, g2), v1, v2 = slopes(net), number_of(w1.args[0]), number_of(w2.args[0])
    return together(
        calc(w1 - rate * D(loss, w1)).part("One step")
        .eq(w1.args[0] - rate * lift(g1),                                     by(w1), use(backward_1(net).theorem, "the gradient above"))
        .eq(lift(v1 - number_of(rate) * g1)),
        calc(w2 - rate * D(loss, w2))
        .eq(w2.args[0] - rate * lift(g2),                                     by(w2), use(backward_2(net).theorem, "the gradient above"))
        .eq(lift(v2 - number_of(rate) * g2)),
    )  # fmt: skip


half, rate = Fraction(1, 2), lift(Fraction(1, 100))
worked = numbers(relu, 3, 1, half, 2)
after = numbers(relu, 3, 1, Fraction(13, 50), Fraction(97, 50), "′")
X, Y, W1, W2, Z, H, O, LOSS = worked

entry = Derivation(
    module=__name__,
    title="Backpropagation by hand",
    claim=eq(D(L, w1), 2 * (o - y) * w2 * dφ(z) * x),
    goal="Go forwards and backwards through a network of two weights, on paper: every value, both gradients, and one step of gradient descent.",
    priority="critical",
    given=(
        (x, "input"), (y, "target"), (w1, "inner weight"), (w2, "outer weight"), (φ(z), "any activation"),
        (z, "pre-activation of the hidden unit"), (h, "hidden unit"), (o, "output"), (L, "squared error"),
        (hσ, "hidden unit with the sigmoid"), (oσ, "output with it"), (Lσ, "squared error with it"),
        (after[2], "inner weight after one step"), (after[3], "outer weight after one step"), (after[7], "squared error after one step"),
    ),
    convention=f"There is one example and one output, so the mean squared error is {LOSS.args[0]}, without a half. Where there are numbers, {x}, {y} and the weights are names for them, and a derivative by one of these moves it and nothing else.",
    prompt=f"A network has one input, one hidden unit and one output: {eq(z, w1 * x)}, {eq(h, φ(z))}, {eq(o, w2 * h)}, and the loss {(o - y) ** 2}. With {eq(x, 3)}, {eq(y, 1)}, {eq(w1, lift(half))}, {eq(w2, 2)} and the positive part for {φ(z)}, do a forward pass, a backward pass and a step with rate {rate}.",
    sixty_seconds=(
        f"Forward: {eq(Z, lift(3 * half))}, the unit is on, so {eq(H, lift(3 * half))}, {eq(O, 3)}, and the loss is 4. Backward: {eq(D(LOSS, O), 4)}. The outer weight meets {H}, "
        f"so its gradient is 6. Through the weight {W2} the error at {H} is 8, the unit passes it on as it is, and the inner weight meets {X}: 24. One step with rate {rate} "
        f"gives {lift(Fraction(13, 50))} and {lift(Fraction(97, 50))}, both gradients taken at the old weights."
    ),
    strong=(
        f"Writes both gradients in symbols first, {2 * (o - y) * h} and {2 * (o - y) * w2 * dφ(z) * x}, sees the shared factor {2 * (o - y)} that backpropagation computes once, and checks the step: the loss went down."
    ),
    weak="Updates the outer weight first and uses the new one for the inner gradient. Both gradients belong to one point, the old weights.",
    sanity=(
        ("Zero error", f"Where {eq(o, y)} both gradients are 0."),
        ("Dead unit", f"Where the slope of the activation is 0 the inner weight does not move; with {eq(h, 0)} neither does the outer one."),
        ("Step", f"The loss falls from 4 to {lift(Fraction(1646089, 6250000))}."),
    ),
    mistakes=(
        Mistake(eq(D(L, w1), 2 * (o - y) * dφ(z) * x), f"The outer weight {w2} stands on the way from {L} to {w1} and was left out."),
        Mistake(eq(D(L, w2), 2 * (o - y) * x), f"The outer weight meets the hidden unit {h}, and not the input."),
        Mistake(eq(D(L, w1), 2 * (o - y) * w2 * dφ(h) * x), f"The slope is taken at the pre-activation {z}, and not at {h}."),
        Mistake(eq(D(LOSS, W2), 3), "The 2 of the square was dropped; that is the gradient of half the squared error."),
        Mistake(eq(W1 - rate * D(LOSS, W1), lift(Fraction(37, 50))), "The step went uphill: gradient descent subtracts."),
    ),
    prerequisites=("mlp-backprop",),
    follow_ups=("deep-mlp-backprop",),
    kernels=(
        Kernel(
            "tiny_network", (x, y, w1, w2), (("loss", Lσ), ("dw1", 2 * (oσ - y) * w2 * (hσ * (1 - hσ)) * x), ("dw2", 2 * (oσ - y) * hσ)),
            "Squared error of a network with two weights and a sigmoid, and its gradients by both.", textbook=Lσ, proved_by=("inner_sigmoid", "outer_sigmoid"),
        ),
    ),
    references=("Rumelhart, Hinton and Williams, Learning representations by back-propagating errors (1986)",),
)  # fmt: skip

# ---- in symbols ------------------------------------------------------------------------------------------------------


@entry.proves(eq(D(L, w2), 2 * (o - y) * h), "The outer weight")
def outer_weight():
    return (
        calc(D(L, w2))
        .eq(D(L, o) * D(o, w2),                                               chain(o))
        .eq(2 * (o - y) * h,                                                  by(L, o), power_rule, linearity)
    )  # fmt: skip


@entry.proves(entry.claim, "The inner weight", main=True)
def inner_weight():
    return (
        calc(D(L, w1))
        .eq(D(L, o) * D(o, h) * D(h, z) * D(z, w1),                           chain(o), chain(h), chain(z))
        .eq(2 * (o - y) * w2 * D(h, z) * D(z, w1),                            by(L, o), power_rule, linearity)
        .eq(2 * (o - y) * w2 * dφ(z) * x,                                     by(h, z), function_rule, linearity)
    )  # fmt: skip


@entry.proves(eq(D(Lσ, w2), 2 * (oσ - y) * hσ), "With the sigmoid, the outer weight")
def outer_sigmoid():
    return instance(function_instance(outer_weight.theorem, "φ", "σ").theorem, *_with_sigmoid(), words=("the activation is now the sigmoid",))


@entry.proves(eq(D(Lσ, w1), 2 * (oσ - y) * w2 * (hσ * (1 - hσ)) * x), "With the sigmoid, the inner weight")
def inner_sigmoid():
    return (
        calc(D(Lσ, w1))
        .eq(D(Lσ, oσ) * D(oσ, hσ) * D(hσ, z) * D(z, w1),                      chain(oσ), chain(hσ), chain(z))
        .eq(2 * (oσ - y) * w2 * (hσ * (1 - hσ)) * x,                          by(Lσ, oσ, hσ, z), power_rule, linearity, sigmoid_rule)
    )  # fmt: skip


def _with_sigmoid():
    return tuple(zip(network(σ, x, y, w1, w2)[1:], (hσ, oσ, Lσ), strict=True))


# ---- in numbers ------------------------------------------------------------------------------------------------------


@entry.proves(both(both(both(eq(Z, lift(3 * half)), eq(H, lift(3 * half))), eq(O, 3)), eq(LOSS, 4)), "The numbers of the question: forward")
def in_numbers():
    return forward(worked)


@entry.proves(eq(D(LOSS, W2), 6), "The outer gradient")
def outer_number():
    return backward_2(worked)


@entry.proves(eq(D(LOSS, W1), 24), "The inner gradient")
def inner_number():
    return backward_1(worked)


@entry.proves(both(eq(W1 - rate * D(LOSS, W1), lift(Fraction(13, 50))), eq(W2 - rate * D(LOSS, W2), lift(Fraction(97, 50)))), "One step of gradient descent")
def one_step():
    return update(worked, rate)


@entry.proves(lt(after[7], LOSS), "The step went down")
def down():
    return from_gap(
        calc(LOSS - after[7])
        .eq(4 - (lift(Fraction(3783, 2500)) - 1) ** 2,                        by(*worked), by(*after), branch("relu", 0))
        .eq(lift(Fraction(23353911, 6250000)))
    )  # fmt: skip


@entry.example("Another network, its unit on")
def another(rng: Random):
    """Return a network whose numbers are all different from 0, and from each other where that would blur a line."""
    w1, x = Fraction(rng.choice((1, 2, 3)), rng.choice((1, 2))), rng.choice((2, 3, 4))
    w2 = rng.choice((-3, -2, 2, 3))
    y = w2 * w1 * x - rng.choice((-2, -1, 1, 2))
    net = numbers(relu, x, y or Fraction(1, 2), w1, w2)
    return all_of(forward(net), backward_2(net), backward_1(net), update(net, lift(Fraction(1, 10))))


@entry.example("Another network, with a sigmoid")
def another_sigmoid(rng: Random):
    """Return a network whose pre-activation is a multiple of log 2, where the sigmoid is a fraction."""
    n, w2, y = rng.choice((-3, -2, 2, 3)), rng.choice((2, 3, 4)), rng.choice((0, 1))
    x, y, w1, w2, z, h, o, loss = numbers(σ, log(lift(2)), y, n, w2)
    power = Fraction(2) ** -n
    at_h = 1 / (1 + power)
    v2 = number_of(w2.args[0]); error = v2 * at_h - number_of(y.args[0])
    hidden = (
        calc(h).part(f"Forward, with {eq(x, x.args[0])}, {eq(y, y.args[0])}, {eq(w1, w1.args[0])}, {eq(w2, w2.args[0])} and a sigmoid")
        .eq(1 / (1 + exp(-(w1.args[0] * log(lift(2))))),                      by(h, z, w1, x, "σ"))
        .eq(1 / (1 + exp(log(lift(power)))),                                  log_number)
        .eq(1 / (1 + lift(power)),                                            inverse_pair)
        .eq(lift(at_h))
    )
    at = use(hidden.theorem, "the hidden unit above")
    return all_of(
        hidden,
        calc(o).eq(w2.args[0] * lift(at_h),                                   by(o, w2), at).eq(lift(v2 * at_h)),
        calc(loss).eq((lift(v2 * at_h) - y.args[0]) ** 2,                     by(loss, o, w2, y), at).eq(lift(error**2)),
        calc(D(loss, w2)).part("Backward")
        .eq(D(loss, o) * D(o, w2),                                            chain(o))
        .eq(2 * (o - y) * h,                                                  by(loss, o), power_rule, linearity)
        .eq(2 * lift(error) * lift(at_h),                                     by(o, w2, y), at)
        .eq(lift(2 * error * at_h)),
        calc(D(loss, w1))
        .eq(D(loss, o) * D(o, h) * D(h, z) * D(z, w1),                        chain(o), chain(h), chain(z))
        .eq(2 * (o - y) * w2 * (h * (1 - h)) * x,                             by(loss, o, h, z), power_rule, linearity, sigmoid_rule)
        .eq(2 * lift(error) * w2.args[0] * (lift(at_h) * (1 - lift(at_h))) * log(lift(2)),   by(o, w2, x, y), at)
        .eq(lift(2 * error * v2 * at_h * (1 - at_h)) * log(lift(2))),
    )  # fmt: skip
