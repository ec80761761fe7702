"""“A residual connection keeps the derivative at least 1.” It is 1 plus the derivative of the branch, which may be negative."""

from fractions import Fraction

from derive.language.term import D, le, lift, lt, var
from derive.logic.arguments import from_gap
from derive.logic.calc import calc
from derive.logic.rules.reasons import linearity
from derive.record import Misstatement

x, w = var("x"), var("w")
half = lift(Fraction(1, 2))

entry = Misstatement(
    module=__name__,
    title="A residual connection keeps the derivative at least 1",
    said="A residual connection keeps the derivative of a block at least 1, so gradients cannot vanish.",
    claim=le(1, D(x + w * x, x)),
    counterexample=((w, Fraction(-1, 2)),),
    priority="important",
    given=((x, "what enters the block"), (w, "the weight of a linear branch")),
    convention=f"The block adds the branch {w * x} to its input: the smallest residual block there is.",
    why=(
        f"The identity path does contribute a 1, and a branch near zero leaves the derivative near 1. But the 1 is an addend and no "
        f"lower bound: nothing keeps the branch’s own derivative, here {w}, from being negative. A branch that pulls its input back "
        f"by half leaves {half} a block, and {half**10} after ten of them."
    ),
    instead=("residual-gradient", "jacobian"),
    correction="The derivative of a block is the identity plus the derivative of its branch. The identity keeps a path open through every block; how large the whole is depends on the branches.",
)


@entry.proves(lt(D(x + lift(Fraction(-1, 2)) * x, x), 1), "Half of the gradient is lost in a block", main=True)
def halved():
    slope = lift(Fraction(-1, 2))
    return from_gap(
        calc(1 - D(x + slope * x, x))
        .eq(1 - (1 + slope),                                         linearity)
        .eq(half)
    )  # fmt: skip
