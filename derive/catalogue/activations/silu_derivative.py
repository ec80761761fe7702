"""d/dx x·σ(x) = σ(x)(1 + x(1 − σ(x))): the derivative of the sigmoid-weighted linear unit."""

from fractions import Fraction

from derive.catalogue.activations.sigmoid_derivative import symmetry
from derive.language.notation import exp, silu, σ
from derive.language.term import D, eq, lift, var
from derive.logic.calc import calc
from derive.logic.rules.reasons import by, linearity, negative_exponent, product_rule, sigmoid_rule
from derive.record import Derivation, Kernel, Mistake, Number

x = var("x")
half, turn = lift(Fraction(1, 2)), lift(Fraction(-32, 25))
slope = σ(x) * (1 + x * (1 - σ(x)))

entry = Derivation(
    module=__name__,
    title="The derivative of SiLU",
    claim=eq(D(x * σ(x), x), slope),
    goal="Differentiate the sigmoid-weighted linear unit, also called swish, and write the result in the sigmoid.",
    priority="useful",
    given=((x, "a real number"), (silu(x), "the sigmoid-weighted linear unit"), (σ(x), "the logistic sigmoid")),
    convention=f"The name swish often stands for {x * σ(var('β') * x)} with a number {var('β')} that is learnt; here {eq(var('β'), 1)}.",
    prompt=f"Derive the derivative of {eq(silu(x), x * σ(x))}. In what does it differ from that of the positive part, and is the function monotone?",
    sixty_seconds=(
        f"It is a product, so its derivative is {σ(x)} plus {x} times {σ(x) * (1 - σ(x))}; take out {σ(x)} and what is left is {1 + x * (1 - σ(x))}. "
        f"For large {x} the gate is open and the slope is near 1, for very negative {x} it is near 0, and at 0 it is {half}. In between it is smooth, and it is not monotone: "
        f"at {eq(x, lift(-2))} the slope is negative, for as the gate closes the factor {x} counts for more than what still passes it."
    ),
    strong=f"Uses the sigmoid’s derivative instead of expanding exponentials, writes the slope also as {silu(x) + σ(x) * (1 - silu(x))}, which reuses the forward pass, and knows that the slope leaves the interval from 0 to 1 on both sides.",
    weak=f"Answers {σ(x)}, as if the gate were a constant: that is one of the two parts of the product rule.",
    sanity=(
        ("Value", f"At {eq(x, 0)} the slope is {half}: the second part has the factor 0."),
        ("Limits", f"For large {x} it tends to 1, for very negative {x} to 0."),
        ("Symmetry", f"The slopes at {x} and {-x} add up to 1, as the sigmoid’s values do."),
    ),
    mistakes=(
        Mistake(eq(D(silu(x), x), σ(x)), "The gate depends on the input too: the second part of the product rule is missing."),
        Mistake(eq(D(silu(x), x), x * σ(x) * (1 - σ(x))), f"Only the gate was differentiated; the factor {x} has the derivative 1."),
        Mistake(eq(D(silu(x), x), σ(x) * (1 + x * σ(x))), f"The sigmoid’s derivative ends in {1 - σ(x)}, and not in {σ(x)}."),
    ),
    prerequisites=("sigmoid-derivative", "relu-derivative"),
    follow_ups=("gelu-derivative", "mlp-backprop"),
    kernels=(
        Kernel("silu", (x,), (("value", x * σ(x)),), "The sigmoid-weighted linear unit.", textbook=silu(x)),
        Kernel("silu_derivative", (x,), (("derivative", slope),), "The derivative of the sigmoid-weighted linear unit.", textbook=silu(x), proved_by=("derivative",)),
    ),
    numbers=(
        Number(turn * σ(turn), "−0.2785", f"the least value, which lies near {eq(x, turn)}"),
        Number(σ(lift(-2)) * (1 - 2 * (1 - σ(lift(-2)))), "−0.0908", f"the slope at {eq(x, lift(-2))}"),
    ),
    references=(
        "S. Elfwing, E. Uchibe and K. Doya, Sigmoid-weighted linear units for neural network function approximation in reinforcement learning, Neural Networks 107, 2018",
        "P. Ramachandran, B. Zoph and Q. V. Le, Searching for activation functions, 2017",
    ),
)  # fmt: skip


@entry.proves(eq(D(x * σ(x), x), slope), "Derivative of SiLU", main=True)
def derivative():
    return (
        calc(D(x * σ(x), x))
        .eq(D(x, x) * σ(x) + x * D(σ(x), x),                 product_rule)
        .eq(σ(x) + x * (σ(x) * (1 - σ(x))),                  linearity, sigmoid_rule)
        .eq(slope)
    )  # fmt: skip


@entry.proves(eq(D(silu(x), x), silu(x) + σ(x) * (1 - silu(x))), "The slope from the forward pass")
def from_forward_pass():
    return (
        calc(D(silu(x), x))
        .eq(D(x * σ(x), x),                                  by("silu"))
        .eq(slope,                                           derivative)
        .eq(x * σ(x) + σ(x) * (1 - x * σ(x)))
        .eq(silu(x) + σ(x) * (1 - silu(x)),                  by("silu"))
    )  # fmt: skip


@entry.proves(eq(silu(x) - silu(-x), x), "Reflection")
def reflection():
    return (
        calc(silu(x) - silu(-x))
        .eq(x / (1 + exp(-x)) - -x / (1 + exp(x)),           by("silu", "σ"))
        .eq(x / (1 + 1 / exp(x)) + x / (1 + exp(x)),         negative_exponent)
        .eq(x)
    )  # fmt: skip


@entry.proves(eq(σ(x) * (1 + x * (1 - σ(x))) + σ(-x) * (1 - x * (1 - σ(-x))), 1), "Slopes at opposite points")
def opposite():
    return (
        calc(σ(x) * (1 + x * (1 - σ(x))) + σ(-x) * (1 - x * (1 - σ(-x))))
        .eq(σ(x) * (1 + x * (1 - σ(x))) + (1 - σ(x)) * (1 - x * σ(x)),    symmetry)
        .eq(1)
    )  # fmt: skip
