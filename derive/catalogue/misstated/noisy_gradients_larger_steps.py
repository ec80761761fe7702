"""“Adam takes larger steps where gradients are small and noisy.” It takes smaller ones: noise is in the denominator."""

from fractions import Fraction

from derive.language.term import le, lift, lt, var
from derive.logic.arguments import from_gap
from derive.logic.calc import calc
from derive.record import Misstatement

μ, s = var("μ", dom="positive"), var("s", dom="positive")
squared = μ**2 / (μ**2 + s**2)

entry = Misstatement(
    module=__name__,
    title="Small noisy gradients get larger Adam steps",
    said="Adam divides by the size of the gradient, so parameters with small and noisy gradients take larger steps.",
    claim=le(1, squared),
    counterexample=((μ, 1), (s, 3)),
    priority="important",
    given=((μ, "mean of the gradient"), (s, "its standard deviation")),
    convention=f"{squared} is the square of the steady step in learning rates: {μ} over the root of the mean square. Without noise it is 1.",
    why=(
        "Dividing by something small makes things large, and so it is with a small gradient that is steady: its step is the learning rate, as that of a large one is. "
        "But noise does not average out of the squares. It stays in the denominator, while it does average out of the numerator."
    ),
    instead=("adam-bias-correction", "less_than_the_rate"),
    correction="The steady step is the mean over the root of the mean square: a signal-to-noise ratio. Small or large does not matter, and noise makes steps smaller.",
)


@entry.proves(lt(entry.at(squared), 1), "Noise of three times the mean: a tenth of the square", main=True)
def smaller():
    return from_gap(calc(1 - entry.at(squared)).eq(lift(Fraction(9, 10))))
