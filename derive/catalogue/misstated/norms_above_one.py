"""“Norms above 1 make gradients explode.” A product of matrices may be zero though each of them is large."""

from derive.language.term import both, implies, lt, var
from derive.logic.arguments import from_gap
from derive.logic.calc import calc
from derive.record import Misstatement

a1, a2, b1, b2 = (var(name) for name in ("a₁", "a₂", "b₁", "b₂"))
first, second = a1**2 + a2**2, b1**2 + b2**2
product = (a1 * b1) ** 2 + (a2 * b2) ** 2

entry = Misstatement(
    module=__name__,
    title="Weight norms above 1 mean exploding gradients",
    said="If every layer’s weight matrix has a norm above 1, the product of the Jacobians explodes.",
    claim=implies(both(lt(1, first), lt(1, second)), lt(1, product)),
    counterexample=((a1, 2), (a2, 0), (b1, 0), (b2, 2)),
    priority="important",
    given=((a1, "first diagonal entry of one matrix"), (a2, "its second one"), (b1, "first diagonal entry of the next matrix"), (b2, "its second one")),
    convention="Both matrices are diagonal, so their product multiplies the entries. Squares are summed: these are squared Frobenius norms, and the largest entries tell the same of the operator norm.",
    why=(
        "For numbers it is true, and a norm feels like the size of a number. But a norm is only how much the most stretched direction is stretched. "
        "The next matrix may shrink just that direction, and here it erases it: each stretches one axis by 2 and forgets the other one."
    ),
    instead=("vanishing-exploding-gradients", "norm_floor"),
    correction="Products of norms bound the gradient from above only: norms that stay below a number less than 1 do make it vanish. What makes it explode is a lower bound, the product of the least singular values.",
)


@entry.proves(lt(1, entry.at(first)), "The first norm is above 1")
def first_norm():
    return from_gap(calc(entry.at(first) - 1).eq(3))


@entry.proves(lt(1, entry.at(second)), "So is the second")
def second_norm():
    return from_gap(calc(entry.at(second) - 1).eq(3))


@entry.proves(lt(entry.at(product), 1), "Their product is nothing", main=True)
def product_norm():
    return from_gap(calc(1 - entry.at(product)).eq(1))
