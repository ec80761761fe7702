"""“The bias correction hardly matters.” Without it Adam’s first step is more than three times the learning rate."""

from fractions import Fraction

from derive.language.notation import sqrt
from derive.language.term import le, lift, lt, var
from derive.logic.arguments import from_gap
from derive.logic.calc import calc
from derive.record import Misstatement, Number

g, β1, β2 = var("g", dom="positive"), var("β₁", dom="unit"), var("β₂", dom="unit")
bound = lift(Fraction(11, 10))
squared = ((1 - β1) * g) ** 2 / ((1 - β2) * g**2)
decay, slow = lift(Fraction(9, 10)), lift(Fraction(999, 1000))

entry = Misstatement(
    module=__name__,
    title="Adam without bias correction is nearly the same",
    said="Leaving out Adam’s bias correction changes the first steps by a few percent at most.",
    claim=le(squared, bound**2),
    counterexample=((g, 1), (β1, Fraction(9, 10)), (β2, Fraction(999, 1000))),
    priority="important",
    given=((g, "gradient of the first step"), (β1, "decay of the first moment"), (β2, "decay of the second moment")),
    convention=f"The averages start at 0, and {squared} is the square of the first step in learning rates, without the small number in the denominator. “A few percent” is taken as a tenth.",
    why=(
        "Both averages start too small, and one expects the two errors to cancel. They do not: the second moment decays a hundred times more slowly, so its root is "
        "too small by far more than the first moment is. The step grows before it settles, at the very time when the loss is steepest."
    ),
    instead=("adam-bias-correction", "constant"),
    correction="With the correction the first step is the learning rate itself, and so is every step under a constant gradient, up to the small number in the denominator.",
    numbers=(
        Number(sqrt(lift(10)), "3.16", "the first step without correction, in learning rates"),
        Number((1 - decay**12) / sqrt(1 - slow**12), "6.57", "the twelfth, under a constant gradient"),
    ),
)


@entry.proves(lt(entry.at(bound**2), entry.at(squared)), "The squared first step is ten, and not one", main=True)
def overshoot():
    return from_gap(
        calc(entry.at(squared) - bound**2)
        .eq(lift(Fraction(1, 10)) ** 2 / lift(Fraction(1, 1000)) - bound**2)
        .eq(10 - lift(Fraction(121, 100)))
        .eq(Fraction(879, 100))
    )  # fmt: skip
