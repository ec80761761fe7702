"""“A convex function has a single global minimum.” A constant one has a minimum everywhere."""

from derive.language.term import both, eq, implies, le, lt, var
from derive.logic.arguments import from_gap
from derive.logic.calc import calc
from derive.record import Misstatement

a, u, v = var("a"), var("u"), var("v")
lowest = both(eq(a * u**2, 0), eq(a * v**2, 0))

entry = Misstatement(
    module=__name__,
    title="Convex means a single global minimum",
    said="The loss is convex, so it has exactly one global minimum, and every run ends at the same weights.",
    claim=implies(both(le(0, a), lowest), eq(u, v)),
    counterexample=((a, 0), (u, 0), (v, 1)),
    priority="important",
    given=((a, "curvature of a parabola"), (u, "a minimiser"), (v, "another minimiser")),
    convention=f"The function is the parabola {a * v**2}, convex since {le(0, a)}. It is never negative, so the places where it is 0 are its minimisers. With {eq(a, 0)} it is constant.",
    why=(
        "Every local minimum of a convex function is global, and one hears “the” minimum. The value is indeed one, and the place need not be: a trough is convex. "
        "Least squares with two copies of a feature is such a trough, and so is any linear model with more weights than examples."
    ),
    instead=("taylor-newton-step", "unique"),
    correction="Convexity makes all minima equally low. That there is one minimiser at most takes strict convexity: a positive definite Hessian is enough.",
)


@entry.proves(eq(entry.at(a * u**2), 0), "The constant function is lowest at 0")
def here():
    return calc(entry.at(a * u**2)).eq(0)


@entry.proves(eq(entry.at(a * v**2), 0), "And at 1 as well")
def there():
    return calc(entry.at(a * v**2)).eq(0)


@entry.proves(lt(entry.at(u), entry.at(v)), "These are two places", main=True)
def apart():
    return from_gap(calc(entry.at(v) - entry.at(u)).eq(1))
