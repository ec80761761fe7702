"""The derivative of the positive part: 1 above the kink, 0 below it, and at it a subgradient anywhere from 0 to 1."""

from derive.language.notation import abs_, relu, sign
from derive.language.term import TRUE, D, both, eq, iff, le, lift, lt, ne, var
from derive.logic.arguments import Argument, by_cases, carried, discharged, from_gap, rearranged
from derive.logic.calc import calc
from derive.logic.rules import reasons
from derive.logic.rules.reasons import abs_rule, branch, linearity, multiplied, parity, sign_times_size
from derive.logic.theorem import assume
from derive.record import Assumption, Derivation, Kernel, Mistake

x, y, g = var("x"), var("y"), var("g")
step = (1 + sign(x)) / 2

entry = Derivation(
    module=__name__,
    title="The derivative of ReLU",
    claim=eq(D(relu(x), x), step),
    goal="Differentiate the positive part where that is possible, and say what takes the derivative’s place where it is not.",
    priority="critical",
    given=(
        (x, "a real number, the pre-activation"),
        (relu(x), "the positive part, the larger of the number and 0"),
        (sign(x), "the sign, 0 at 0"),
        (y, "any other point"),
        (g, "a slope"),
    ),
    assumptions=(
        Assumption(ne(x, 0), "off the kink"),
        Assumption(lt(0, x), "above the kink"),
        Assumption(lt(x, 0), "below the kink"),
        Assumption(le(0, g), "a slope that is not negative"),
        Assumption(le(g, 1), "a slope of at most 1"),
    ),
    convention=(
        f"A slope {g} is a subgradient at 0 if the line through the origin with that slope, {g * y}, lies nowhere above {relu(y)}. "
        f"The set of them is the subdifferential. The conditions on {x} and {g} are assumed only where a line or a result names them."
    ),
    prompt=f"What is the derivative of {relu(x)}? Is it defined at 0, and what should an implementation return there?",
    sixty_seconds=(
        f"Above 0 the function is {x}, with slope 1; below it is 0, with slope 0. At 0 the two slopes disagree, so there is no derivative, and the "
        f"formula {step} holds under {ne(x, 0)} alone. What there is at 0 is a subdifferential: the slopes {g} with {le(g * y, relu(y))} everywhere. "
        f"The point 1 asks for {le(g, 1)}, the point {lift(-1)} for {le(0, g)}, and between the two every slope will do. Libraries return 0, which is one of them."
    ),
    strong="Says that the kink has measure zero and that any value from 0 to 1 is a valid subgradient there, and calls 0 a convention of the library and no theorem.",
    weak="Answers a half at 0, or says that the derivative is 0 there: neither is a derivative, and the answer hides the kink.",
    sanity=(
        ("Off the kink", f"At {eq(x, 2)} the slope is 1, at {eq(x, -lift(2))} it is 0."),
        ("At the kink", "The difference quotient is 1 from the right and 0 from the left: those are the ends of the subdifferential."),
        ("Saturation", "Below 0 a unit passes no gradient on at all; if it stays there for every example it no longer learns."),
    ),
    mistakes=(
        Mistake(eq(D(relu(x), x), lift(1)), "That is true above the kink; below it the function is constant."),
        Mistake(eq(D(relu(x), x), sign(x)), f"That is the derivative of {abs_(x)}: below 0 the positive part has slope 0, and not {lift(-1)}."),
        Mistake(eq(D(relu(x), x), relu(x)), "The positive part is not its own derivative: its slope does not grow."),
        Mistake(le(2 * y, relu(y)), "A slope beyond 1 is no subgradient: to the right of 0 the line lies above the function."),
    ),
    prerequisites=("softplus-derivative",),
    follow_ups=("gelu-derivative", "silu-derivative", "he-init"),
    kernels=(
        Kernel("relu", (x,), (("value", relu(x)),), "The positive part.", textbook=relu(x)),
        Kernel("relu_derivative", (x,), (("derivative", sign(relu(x))),), "The derivative of the positive part, and the subgradient 0 at its kink.", textbook=relu(x), proved_by=("computed",)),
    ),
    references=("R. T. Rockafellar, Convex Analysis, section 23",),
)  # fmt: skip


def off_the_kink(side):
    """Return the proof that a number on one side of 0 is not 0."""
    return carried(calc(TRUE).iff(ne(x, 0), side))


@entry.proves(eq(D(relu(x), x), 1), "Above the kink")
def above():
    return discharged(
        calc(D(relu(x), x))
        .eq(D(x, x),                              branch("relu", 0, strict=True)).note("the condition is open, so it holds nearby too")
        .eq(1,                                    linearity),
        off_the_kink(reasons.above),
    )  # fmt: skip


@entry.proves(eq(D(relu(x), x), 0), "Below the kink")
def below():
    return discharged(
        calc(D(relu(x), x))
        .eq(D(lift(0), x),                        branch("relu", 1, strict=True))
        .eq(0,                                    linearity),
        off_the_kink(reasons.below),
    )  # fmt: skip


@entry.proves(eq(relu(x), (x + abs_(x)) / 2), "The positive part from the absolute value")
def by_size():
    return by_cases(
        x,
        calc(relu(x))
        .eq((x + x) / 2,                          branch("relu", 0))
        .eq((x + abs_(x)) / 2,                    branch("abs", 0)),
        calc(relu(x))
        .eq((x + -x) / 2,                         branch("relu", 1))
        .eq((x + abs_(x)) / 2,                    branch("abs", 1)),
    )  # fmt: skip


@entry.proves(eq(D(relu(x), x), step), "Derivative of ReLU, in one formula", main=True)
def derivative():
    return (
        calc(D(relu(x), x))
        .eq(D((x + abs_(x)) / 2, x),              by_size)
        .eq((1 + D(abs_(x), x)) / 2,              linearity)
        .eq(step,                                 abs_rule, linearity)
    )  # fmt: skip


@entry.proves(eq(D(relu(x), x), sign(relu(x))), "The same, as it is computed")
def computed():
    left = -x
    return by_cases(
        x,
        calc(D(relu(x), x))
        .eq(step,                                        derivative)
        .eq((x / x + sign(x)) / 2)
        .eq((abs_(x) / x + sign(x)) / 2,                 branch("abs", 0))
        .eq((x * sign(x) / x + sign(x)) / 2,             sign_times_size)
        .eq(sign(x))
        .eq(sign(relu(x)),                               branch("relu", 0)),
        calc(D(relu(x), x))
        .eq(step,                                        derivative)
        .eq((-left / x + sign(x)) / 2)
        .eq((-abs_(x) / x + sign(x)) / 2,                branch("abs", 1))
        .eq((-(x * sign(x)) / x + sign(x)) / 2,          sign_times_size)
        .eq(sign(lift(0)),                               parity)
        .eq(sign(relu(x)),                               branch("relu", 1)),
    )  # fmt: skip


@entry.proves(le(g * y, relu(y)), "Slopes from 0 to 1 are subgradients at 0")
def subgradients():
    at_most_one = rearranged(Argument(assume(le(g, 1)), ()), le(0, 1 - g))
    on_the_left = rearranged(Argument(assume(le(y, 0)), ()), le(0, -y))
    return by_cases(
        y,
        from_gap(
            calc(relu(y) - g * y)
            .eq(y - g * y,                        branch("relu", 0))
            .eq((1 - g) * y),
            at_most_one,
        ),
        from_gap(
            calc(relu(y) - g * y)
            .eq(0 - g * y,                        branch("relu", 1))
            .eq(g * -y),
            on_the_left,
        ),
    )  # fmt: skip


@entry.proves(iff(le(g * 1, relu(lift(1))), le(g, 1)), "The point 1 rules steeper slopes out")
def not_steeper():
    return (
        calc(le(g * 1, relu(lift(1))))
        .iff(le(g * 1, 1),                               branch("relu", 0))
        .iff(le(g, 1))
    )  # fmt: skip


@entry.proves(iff(le(g * lift(-1), relu(lift(-1))), le(0, g)), "The point −1 rules falling slopes out")
def not_falling():
    return (
        calc(le(g * lift(-1), relu(lift(-1))))
        .iff(le(g * lift(-1), 0),                        branch("relu", 1))
        .iff(le(0, g),                                   multiplied(le(0, g), lift(1)))
    )  # fmt: skip


@entry.proves(
    iff(both(le(g * 1, relu(lift(1))), le(g * lift(-1), relu(lift(-1)))), both(le(g, 1), le(0, g))),
    "So the subgradients at 0 are the slopes from 0 to 1, and no others",
)
def subdifferential():
    return (
        calc(both(le(g * 1, relu(lift(1))), le(g * lift(-1), relu(lift(-1)))))
        .iff(both(le(g, 1), le(0, g)),                   not_steeper, not_falling)
    )  # fmt: skip
