"""tanh′ = 1 − tanh²: the derivative of the hyperbolic tangent, and the sigmoid that it is."""

from derive.language.notation import exp, tanh, σ
from derive.language.term import D, eq, le, lift, var
from derive.logic.arguments import from_gap
from derive.logic.calc import calc
from derive.logic.rules.reasons import by, exp_rule, exponent_sum, linearity, quotient_rule
from derive.record import Derivation, Kernel, Mistake

x = var("x")
above, below = exp(x) - exp(-x), exp(x) + exp(-x)

entry = Derivation(
    module=__name__,
    title="The derivative of tanh",
    claim=eq(D(tanh(x), x), 1 - tanh(x) ** 2),
    goal="Differentiate the hyperbolic tangent and write the result in the hyperbolic tangent itself.",
    priority="important",
    given=((x, "a real number"), (tanh(x), "the hyperbolic tangent"), (σ(x), "the logistic sigmoid")),
    prompt=f"Derive the derivative of {eq(tanh(x), above / below)}. How is {tanh(x)} related to the sigmoid, and why do people prefer it in hidden layers?",
    sixty_seconds=(
        f"Numerator and denominator are each other’s derivatives, so the quotient rule gives {(below**2 - above**2) / below**2}. "
        f"Divide through: that is {1 - tanh(x) ** 2}. Multiplying numerator and denominator by {exp(-x)} shows that {tanh(x)} is "
        f"{2 * σ(2 * x) - 1}, a sigmoid stretched to lie between {lift(-1)} and 1, and centred at 0."
    ),
    strong=f"Adds that the derivative is 1 at {eq(x, 0)}, four times the sigmoid’s, so gradients survive more layers; and that it is computed from the activation, without another exponential.",
    weak=f"Quotes {1 - tanh(x) ** 2} from memory: asked for {tanh(x)} in terms of the sigmoid, the answer stops, though it is one line of algebra.",
    sanity=(
        ("Value", f"At {eq(x, 0)} it is 1, the largest that it can be."),
        ("Sign", f"It is positive, so {tanh(x)} grows everywhere."),
        ("Limit", f"For large {x}, positive or negative, {tanh(x) ** 2} tends to 1 and the derivative to 0."),
    ),
    mistakes=(
        Mistake(eq(D(tanh(x), x), 1 + tanh(x) ** 2), "That is the rule for the tangent of trigonometry; the hyperbolic one has a minus."),
        Mistake(eq(D(tanh(x), x), tanh(x) * (1 - tanh(x))), "The sigmoid’s rule was used for another function."),
        Mistake(eq(tanh(x), 2 * σ(x) - 1), f"The argument is doubled: {exp(-x)} meets {exp(x)}, and their ratio is {exp(-(2 * x))}."),
    ),
    prerequisites=("sigmoid-derivative",),
    follow_ups=("mlp-backprop",),
    kernels=(
        Kernel("tanh", (x,), (("value", tanh(x)),), "The hyperbolic tangent.", textbook=tanh(x)),
        Kernel("tanh_derivative", (x,), (("derivative", 1 - tanh(x) ** 2),), "The derivative of the hyperbolic tangent.", textbook=tanh(x), proved_by=("derivative",)),
    ),
)


@entry.proves(eq(D(tanh(x), x), 1 - tanh(x) ** 2), "Derivative of tanh", main=True)
def derivative():
    return (
        calc(D(tanh(x), x))
        .eq(D(above / below, x),                                                 by("tanh"))
        .eq((D(above, x) * below - above * D(below, x)) / below ** 2,            quotient_rule)
        .eq((below * below - above * above) / below ** 2,                        linearity, exp_rule)
        .eq(1 - (above / below) ** 2)
        .eq(1 - tanh(x) ** 2,                                                    by("tanh"))
    )  # fmt: skip


@entry.proves(eq(tanh(x), 2 * σ(2 * x) - 1), "A stretched sigmoid")
def stretched_sigmoid():
    return (
        calc(tanh(x))
        .eq(above / below,                                                       by("tanh"))
        .eq((1 - exp(-x - x)) / (1 + exp(-x - x)),                               exponent_sum).note(f"above and below the line, divided by {exp(x)}")
        .eq(2 / (1 + exp(-(2 * x))) - 1)
        .eq(2 * σ(2 * x) - 1,                                                    by("σ"))
    )  # fmt: skip


@entry.proves(le(D(tanh(x), x), 1), "At most one")
def bound():
    return from_gap(calc(1 - D(tanh(x), x)).eq(tanh(x) ** 2, derivative))
