"""“A positive second derivative means a local minimum.” The exponential has one everywhere, and no minimum."""

from derive.language.notation import exp
from derive.language.term import D, eq, implies, lt, var
from derive.logic.arguments import nonnegative
from derive.logic.calc import calc
from derive.logic.rules.reasons import exp_rule, linearity
from derive.record import Misstatement

x = var("x")
slope = D(exp(x), x)

entry = Misstatement(
    module=__name__,
    title="A positive definite Hessian means a local minimum",
    said="The Hessian is positive definite here, so this is a local minimum.",
    claim=implies(lt(0, D(slope, x)), eq(slope, 0)),
    counterexample=(),
    priority="important",
    given=((x, "any real number"), (exp(x), "the exponential")),
    convention=f"In one variable the Hessian is the second derivative. A local minimum of a differentiable function is where {eq(slope, 0)}: that is what would have to follow.",
    why=(
        "The second-derivative test is remembered by its last line. It begins with “at a point where the gradient is zero”: without it, "
        f"curvature says how the slope changes and not that there is none. {exp(x)} bends upwards everywhere and goes down to the left without end."
    ),
    instead=("taylor-newton-step", "stationary"),
    correction="A positive definite Hessian gives the second-order model one minimum, a Newton step away. That is the point itself only where the gradient vanishes, and only there may one speak of a local minimum.",
)


@entry.proves(lt(0, D(slope, x)), "The second derivative is positive everywhere")
def bends():
    return nonnegative(
        calc(D(slope, x))
        .eq(slope,                                                   exp_rule, linearity)
        .eq(exp(x),                                                  exp_rule, linearity)
    )  # fmt: skip


@entry.proves(lt(0, slope), "The first is nowhere zero", main=True)
def climbs():
    return nonnegative(calc(slope).eq(exp(x), exp_rule, linearity))
