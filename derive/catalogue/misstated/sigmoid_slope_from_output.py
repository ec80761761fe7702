"""“σ′ is s(1 − s), so compute it so.” It is, for real numbers: for those of a computer every digit is lost."""

from derive.language.notation import exp, σ
from derive.language.term import eq, lift, lt, var
from derive.logic.arguments import from_gap
from derive.logic.calc import calc
from derive.record import Misstatement, Number

z, s = var("z"), var("s")
slope = σ(z) * (1 - σ(z))
two = lift(2)

entry = Misstatement(
    module=__name__,
    title="s(1 − s) is a good way to compute the sigmoid’s slope",
    said="The activation is stored anyway, so its slope costs one multiplication: s times one minus s.",
    claim=eq(s * (1 - s), slope),
    counterexample=((z, 40), (s, 1)),
    priority="important",
    given=((z, "the logit"), (s, f"what a double holds for {σ(z)}: the nearest of its numbers"), (σ(z), "the logistic sigmoid")),
    convention=f"Just below 1 doubles are {two**-53} apart, so what is nearer to 1 than half of that is stored as 1. At {eq(z, 40)} the sigmoid is.",
    why=(
        f"The identity {eq(s * (1 - s), slope)} is proved wherever {s} is the sigmoid itself, and at moderate logits the product is right to the last digit. "
        f"But {s} is rounded to the spacing of numbers near 1, and {1 - s} then consists of rounding alone: 0 for a large logit, and a neuron that is wrong and certain gets no gradient."
    ),
    instead=("sigmoid-derivative", "derivative"),
    correction=f"The identity is one of the sigmoid, and not of its rounded value. Compute the same number from the small exponential, {exp(-z) / (1 + exp(-z)) ** 2} for a positive logit: no digit cancels.",
    numbers=(
        Number(1 - σ(lift(40)), "4.2e-18", "what is missing to 1 at a logit of 40"),
        Number(two**-53, "1.1e-16", "the spacing of doubles just below 1"),
    ),
)


@entry.proves(lt(entry.at(s * (1 - s)), entry.at(slope)), "The stored value has no slope", main=True)
def lost():
    return from_gap(calc(entry.at(slope) - entry.at(s * (1 - s))).eq(entry.at(slope)))
