"""σ′ = σ(1 − σ): the derivative of the logistic sigmoid, its symmetry, its bound, and what depth makes of it."""

from fractions import Fraction

from derive.language.notation import exp, σ
from derive.language.term import NATURALS, ZERO, Π, D, eq, iff, index, le, lift, lt, natural, succ, var
from derive.logic.arguments import by_induction, from_gap, positive
from derive.logic.calc import calc
from derive.logic.rules.reasons import (
    by,
    empty_product,
    exp_injective,
    exp_rule,
    given,
    last_factor,
    linearity,
    multiplied,
    negative_exponent,
    powers,
    quotient_rule,
    zero_set,
)  # fmt: skip
from derive.record import Derivation, Kernel, Mistake

x = var("x")
L = natural("L")
u = var("u", NATURALS)
l = index("l", L)
quarter = lift(Fraction(1, 4))
half = lift(Fraction(1, 2))

entry = Derivation(
    module=__name__,
    title="The sigmoid’s derivative",
    claim=eq(D(σ(x), x), σ(x) * (1 - σ(x))),
    goal="Differentiate the logistic sigmoid and write the result in the sigmoid itself.",
    priority="critical",
    flagship=True,
    given=(
        (x, "a real number, the logit"),
        (σ(x), "the logistic sigmoid"),
        (u, "pre-activations, one for each layer"),
        (L, "number of layers"),
    ),
    convention=f"{D(σ(x), x)} is the ordinary derivative; {exp(x)} is the exponential.",
    prompt=f"Derive the derivative of {eq(σ(x), 1 / (1 + exp(-x)))}. Where is it largest, and what does that mean for deep networks?",
    sixty_seconds=(
        f"Write {σ(x)} as one over {1 + exp(-x)}. The quotient rule gives {exp(-x) / (1 + exp(-x)) ** 2}. "
        f"Split off one factor {1 / (1 + exp(-x))}: it is {σ(x)}, and what is left is {1 - σ(x)}. "
        f"The product is at most {quarter}, at {eq(x, 0)} alone, so a chain of {L} sigmoids scales a gradient by at most {quarter**L}, "
        "before the weights have their say."
    ),
    strong=(
        f"Gives the quotient rule, the algebra step and the bound: {σ(x) * (1 - σ(x))} is {quarter} minus a square, "
        f"{(σ(x) - half) ** 2}, so the maximum and its place need no second derivative."
    ),
    weak=f"Quotes {σ(x) * (1 - σ(x))} from memory and cannot say where {1 - σ(x)} comes from: the algebra is the question.",
    sanity=(
        ("Value", f"At {eq(x, 0)} it is {half * (1 - half)}, which is {quarter}."),
        ("Sign", f"Both factors lie between 0 and 1, so {σ(x)} grows everywhere."),
        ("Symmetry", f"Since {eq(σ(-x), 1 - σ(x))}, the derivative is the same at {x} and {-x}."),
    ),
    mistakes=(
        Mistake(eq(D(σ(x), x), σ(x) * (1 + σ(x))), "The sign inside was lost: the numerator is the denominator less one."),
        Mistake(eq(D(σ(x), x), -(exp(-x) / (1 + exp(-x)) ** 2)), f"The inner derivative of {exp(-x)} has a minus of its own, and the two cancel."),
        Mistake(eq(D(σ(x), x), 1 - σ(x)), f"That is the derivative of the logarithm of {σ(x)}."),
    ),
    follow_ups=("logistic-gradient",),
    kernels=(
        Kernel("sigmoid", (x,), (("value", σ(x)),), "The logistic sigmoid."),
        Kernel("sigmoid_derivative", (x,), (("derivative", σ(x) * (1 - σ(x))),), "The derivative of the logistic sigmoid.", textbook=σ(x), proved_by=("derivative",)),
    ),
)


@entry.proves(eq(D(σ(x), x), σ(x) * (1 - σ(x))), "Derivative of the sigmoid", main=True)
def derivative():
    return (
        calc(D(σ(x), x))
        .eq(D(1 / (1 + exp(-x)), x),                                                                  by("σ"))
        .eq((D(lift(1), x) * (1 + exp(-x)) - 1 * D(1 + exp(-x), x)) / (1 + exp(-x)) ** 2,             quotient_rule)
        .eq(exp(-x) / (1 + exp(-x)) ** 2,                                                             linearity, exp_rule)
        .eq(1 / (1 + exp(-x)) * (1 - 1 / (1 + exp(-x))))
        .eq(σ(x) * (1 - σ(x)),                                                                        by("σ"))
    )  # fmt: skip


@entry.proves(eq(σ(-x), 1 - σ(x)), "Symmetry")
def symmetry():
    return (
        calc(σ(-x))
        .eq(1 / (1 + exp(x)),                by("σ"))
        .eq(1 / (1 + 1 / exp(-x)),           negative_exponent)
        .eq(1 - 1 / (1 + exp(-x)))
        .eq(1 - σ(x),                        by("σ"))
    )  # fmt: skip


@entry.proves(lt(0, σ(x) * (1 - σ(x))), "The derivative is positive")
def positive_():
    return positive(σ(x) * (1 - σ(x)))


@entry.proves(le(σ(x) * (1 - σ(x)), quarter), "The derivative is at most a quarter")
def bound():
    return from_gap(
        calc(quarter - σ(x) * (1 - σ(x)))
        .eq((σ(x) - half) ** 2)
    )  # fmt: skip


@entry.proves(iff(eq(σ(x) * (1 - σ(x)), quarter), eq(x, 0)), "A quarter at zero, and only there")
def equality():
    return (
        calc(eq(σ(x) * (1 - σ(x)), quarter))
        .iff(eq((σ(x) - half) ** 2, 0),                multiplied(eq((σ(x) - half) ** 2, 0), lift(-1)))
        .iff(eq(σ(x) - half, 0),                       zero_set)
        .iff(eq(1 / (1 + exp(-x)) - half, 0),          by("σ"))
        .iff(eq(exp(-x), 1),                           multiplied(eq(exp(-x), 1), -1 / (2 * (1 + exp(-x)))))
        .iff(eq(-x, 0),                                exp_injective)
        .iff(eq(x, 0),                                 multiplied(eq(x, 0), lift(-1)))
    )  # fmt: skip


@entry.proves(le(Π(σ(u[l]) * (1 - σ(u[l])), l), quarter**L), "A chain of sigmoids")
def depth():
    nothing, before, upto = index("l", ZERO), index("l", L), index("l", succ(L))

    def through(layer):
        return Π(σ(u[layer]) * (1 - σ(u[layer])), layer)

    return by_induction(
        L,
        base=calc(through(nothing))
        .eq(1,                                                                          empty_product)
        .eq(quarter**ZERO),
        step=calc(through(upto))
        .eq(through(before) * (σ(u[L]) * (1 - σ(u[L]))),                                last_factor)
        .le(quarter**L * (σ(u[L]) * (1 - σ(u[L]))),                                     given(le(through(before), quarter**L), "the claim for one layer less"))
        .le(quarter**L * quarter,                                                       bound)
        .eq(quarter ** succ(L),                                                         powers),
    )  # fmt: skip
