"""“Perplexity is e to the entropy”, with the entropy in bits. The base must be the logarithm’s own."""

from fractions import Fraction

from derive.language.notation import exp, log
from derive.language.term import eq, lift, lt, var
from derive.logic.arguments import from_gap
from derive.logic.calc import calc
from derive.logic.rules.reasons import exponent_sum, inverse_pair, log_number, log_tangent
from derive.record import Misstatement, Number

b = var("b", dom="positive")
two = lift(2)

entry = Misstatement(
    module=__name__,
    title="Perplexity is e to the entropy in bits",
    said="The entropy is 2 bits, so the perplexity is e squared.",
    claim=eq(exp(b), two**b),
    counterexample=((b, 2),),
    priority="useful",
    given=((b, "entropy in bits"),),
    convention=f"An entropy of {b} bits is that of {two**b} equally likely outcomes, and {two**b} is the perplexity.",
    why=(
        "Losses are printed in nats and papers quote bits, both are called entropy, and the exponential is the function at hand. Every bit is then read as a nat, "
        f"of which it is only {log(two)}."
    ),
    instead=("perplexity", "bits"),
    correction="Raise the base of the logarithm: e for an entropy in nats, 2 for one in bits.",
    numbers=(Number(exp(two), "7.39", "what comes of 2 bits read as nats, where the perplexity is 4"),),
)


@entry.proves(lt(lift(Fraction(5, 6)), 1), "Five sixths are less than one")
def fraction():
    return from_gap(calc(1 - lift(Fraction(5, 6))).eq(Fraction(1, 6)))


@entry.proves(lt(log(two), 1), "A bit is less than a nat")
def bit():
    return (
        calc(log(two))
        .eq(log(lift(Fraction(4, 3))) + log(lift(Fraction(3, 2))),   log_number)
        .le(lift(Fraction(4, 3)) - 1 + (lift(Fraction(3, 2)) - 1),   log_tangent)
        .eq(Fraction(5, 6))
        .lt(1,                                                       fraction)
    )  # fmt: skip


@entry.proves(lt(two**2, exp(two)), "So two nats are more than two bits", main=True)
def more():
    return (
        calc(two**2)
        .eq(two * two)
        .eq(exp(log(two)) * exp(log(two)),                           inverse_pair)
        .eq(exp(log(two) + log(two)),                                exponent_sum)
        .lt(exp(lift(1) + 1),                                        bit)
        .eq(exp(two))
    )  # fmt: skip
