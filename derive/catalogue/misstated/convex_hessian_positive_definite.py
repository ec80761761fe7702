"""“Convex quadratics have positive definite Hessians.” They are semidefinite: x₁² is flat along the second axis."""

from derive.language.term import both, eq, implies, le, lt, var
from derive.logic.arguments import nonnegative
from derive.logic.calc import calc
from derive.record import Misstatement

a, b = var("a"), var("b")
u, v = var("u"), var("v")
curvature = a * u**2 + b * v**2

entry = Misstatement(
    module=__name__,
    title="Convex quadratics have positive definite Hessians",
    said="The quadratic is convex, so its Hessian is positive definite and can be inverted.",
    claim=implies(both(both(le(0, a), le(0, b)), lt(0, u**2 + v**2)), lt(0, curvature)),
    counterexample=((a, 2), (b, 0), (u, 0), (v, 1)),
    priority="important",
    given=((a, "curvature along the first axis"), (b, "curvature along the second axis"), (u, "first component of a direction"), (v, "its second one")),
    convention=f"The Hessian is diagonal with the entries {a} and {b}; convex means that neither is negative, and {curvature} is the curvature along a direction.",
    why=(
        "In one variable a parabola that opens upwards has a positive second derivative, and textbook examples are bowls. A trough is convex "
        "too: along its bottom the function is constant, the curvature is 0 and the Hessian has no inverse. Two features that are copies of one another make one."
    ),
    instead=("taylor-newton-step", "unique"),
    correction="Convex means positive semidefinite. Newton’s step needs more, a positive definite Hessian: only then does the quadratic model have one minimiser.",
)


@entry.proves(lt(0, entry.at(u**2 + v**2)), "The second axis is a direction")
def direction():
    return nonnegative(calc(entry.at(u**2 + v**2)).eq(1))


@entry.proves(eq(entry.at(curvature), 0), "Along it there is no curvature", main=True)
def flat():
    return calc(entry.at(curvature)).eq(0 + 0).eq(0)
