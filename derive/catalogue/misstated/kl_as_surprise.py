"""“KL is how surprised you are on average.” That is the cross-entropy; KL is what is too much of it."""

from fractions import Fraction

from derive.language.notation import log
from derive.language.term import eq, lift, lt, var
from derive.logic.arguments import from_gap
from derive.logic.calc import calc
from derive.logic.rules.reasons import log_number, log_rules
from derive.record import Misstatement, Number

p1, p2, q1, q2 = (var(name, dom="positive") for name in ("p₁", "p₂", "q₁", "q₂"))
half = lift(Fraction(1, 2))
divergence = p1 * log(p1 / q1) + p2 * log(p2 / q2)
surprise = -(p1 * log(q1)) - p2 * log(q2)

entry = Misstatement(
    module=__name__,
    title="KL is how surprised you are on average",
    said="The KL divergence is how surprised you are, on average, when you expect one distribution and the other is true.",
    claim=eq(divergence, surprise),
    counterexample=((p1, Fraction(1, 2)), (p2, Fraction(1, 2)), (q1, Fraction(1, 2)), (q2, Fraction(1, 2))),
    priority="critical",
    given=((p1, "true probability of the first of two outcomes"), (p2, "of the second"), (q1, "probability that the model gives the first"), (q2, "and the second")),
    convention="The surprise of an outcome is minus the logarithm of the probability that the model gave it, in nats.",
    why=(
        "Training makes both small, and with one-hot targets the two are equal, because certain outcomes have no entropy. A fair coin tells them apart: the "
        f"model is perfect, so the divergence is 0, and yet every toss is worth {log(lift(2))} of surprise."
    ),
    instead=("cross-entropy-decomposition", "decomposition"),
    correction="The average surprise is the cross-entropy. It is the entropy of the truth, which no model can save, plus the KL divergence: the extra surprise.",
    numbers=(Number(log(lift(2)), "0.693", "the average surprise of a fair coin in nats, which is one bit"),),
)


@entry.proves(eq(entry.at(divergence), 0), "A model that is right has no divergence")
def none():
    return (
        calc(entry.at(divergence))
        .eq(half * (log(half) - log(half)) + half * (log(half) - log(half)),  log_rules)
        .eq(0)
    )  # fmt: skip


@entry.proves(eq(entry.at(surprise), log(lift(2))), "But a fair coin surprises")
def bit():
    return (
        calc(entry.at(surprise))
        .eq(-log(half))
        .eq(log(lift(2)),                                            log_number)
    )  # fmt: skip


@entry.proves(lt(1, lift(2)), "One is less than two")
def order():
    return from_gap(calc(lift(2) - 1).eq(1))


@entry.proves(lt(entry.at(divergence), entry.at(surprise)), "So the two differ", main=True)
def apart():
    return (
        calc(entry.at(divergence))
        .eq(0,                                                       none)
        .eq(log(lift(1)),                                            log_rules)
        .lt(log(lift(2)),                                            order)
        .eq(entry.at(surprise),                                      bit)
    )  # fmt: skip
