"""“A perplexity of n means a uniform choice among n.” The uniform distribution has it, and so have others."""

from fractions import Fraction

from derive.language.notation import exp, log
from derive.language.term import eq, implies, lift, lt, var
from derive.logic.arguments import from_gap
from derive.logic.calc import calc
from derive.logic.rules.reasons import exponent_sum, inverse_pair, log_number
from derive.record import Misstatement, Number

p, r = var("p", dom="positive"), var("r", dom="positive")
perplexity = exp(-(p * log(p)) - 4 * (r * log(r)))
half, eighth = lift(Fraction(1, 2)), lift(Fraction(1, 8))
two = lift(2)
top, others = lift(Fraction(641, 1000)), lift(Fraction(359, 1000))

entry = Misstatement(
    module=__name__,
    title="A perplexity of 10 means uniform over 10",
    said="A perplexity of n means that the model hesitates evenly among n words.",
    claim=implies(eq(perplexity, 4), eq(p, r)),
    counterexample=((p, Fraction(1, 2)), (r, Fraction(1, 8))),
    priority="important",
    given=((p, "probability of one of five outcomes"), (r, "probability of each of the other four")),
    convention=f"{perplexity} is the perplexity of the five; “evenly” would be {eq(p, r)}.",
    why=(
        "The definition is taught with the uniform distribution, where perplexity counts the outcomes. That is one direction. Perplexity is one number, and many distributions share it: "
        f"here one outcome has probability {half}, four share the rest, and the perplexity is exactly 4. One with a favourite at {top} and ninety-nine others has a perplexity of ten."
    ),
    instead=("perplexity", "uniform"),
    correction="Uniform over n gives perplexity n. The converse fails: perplexity says how large a uniform choice would be as uncertain, and nothing of how the probability is spread.",
    numbers=(Number(exp(-(top * log(top)) - others * log(others / 99)), "10.0", f"the perplexity of one outcome at {top} and 99 that share the rest"),),
)


@entry.proves(eq(entry.at(perplexity), 4), "Five outcomes with a perplexity of 4")
def four():
    return (
        calc(entry.at(perplexity))
        .eq(exp(log(two) + log(two)),                                log_number)
        .eq(exp(log(two)) * exp(log(two)),                           exponent_sum)
        .eq(two * two,                                               inverse_pair)
        .eq(4)
    )  # fmt: skip


@entry.proves(lt(eighth, half), "And a favourite among them", main=True)
def favourite():
    return from_gap(calc(half - eighth).eq(Fraction(3, 8)))
