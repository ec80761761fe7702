"""“Gradient descent on a convex function converges.” With a step that is too long it moves away, even on x²."""

from fractions import Fraction

from derive.language.term import le, lift, lt, var
from derive.logic.arguments import from_gap
from derive.logic.calc import calc
from derive.record import Misstatement

x, α = var("x"), var("α", dom="positive")
after = x - α * (2 * x)

entry = Misstatement(
    module=__name__,
    title="Gradient descent on a convex function always converges",
    said="The loss is convex, so gradient descent is guaranteed to converge to the minimum.",
    claim=le(after**2, x**2),
    counterexample=((x, 1), (α, Fraction(11, 10))),
    priority="critical",
    given=((x, "where the step starts"), (α, "learning rate")),
    convention=f"The function is {x**2}: its gradient is {2 * x} and its minimum is 0, so a step that converges may not raise {x**2}.",
    why=(
        f"Convexity does rule out bad local minima, and pictures of descent show short steps. But the step is {α} times the gradient, and nothing "
        f"bounds it: past the minimum it lands on the other slope, farther away than before. On {x**2} that begins at {α} above 1."
    ),
    instead=("gd-quadratic-convergence", "convergence"),
    correction="On a quadratic with a positive definite Hessian it converges from every start exactly when the learning rate is positive and below 2 over the largest curvature.",
)


@entry.proves(lt(entry.at(x**2), entry.at(after**2)), "One step of 1.1 times the gradient raises the loss", main=True)
def raised():
    return from_gap(
        calc(entry.at(after**2) - entry.at(x**2))
        .eq(lift(Fraction(-6, 5)) ** 2 - 1)
        .eq(Fraction(11, 25))
    )  # fmt: skip
