"""“A 70B model on 1.4T tokens takes six days on a thousand GPUs.” Not even at their peak, which nobody reaches."""

from fractions import Fraction

from derive.language.term import le, lift, lt, substitute, var
from derive.logic.arguments import from_gap
from derive.logic.calc import calc
from derive.record import Misstatement, Number

N, T, G, F = (var(name, dom="positive") for name in ("N", "T", "G", "F"))
days = 6 * N * T / (G * F * 86400)
run = {N: 70 * lift(10) ** 9, T: 1400 * lift(10) ** 9, G: lift(1000), F: 990 * lift(10) ** 12}
at_peak, measured = substitute(days, run), substitute(days, {**run, F: lift(Fraction(2, 5)) * run[F]})

entry = Misstatement(
    module=__name__,
    title="70B on 1.4T tokens takes six days on a thousand H100s",
    said="Six operations for each parameter and token, a thousand GPUs of 990 teraflops each: training takes six days.",
    claim=le(days, 6),
    counterexample=tuple(run.items()),
    priority="useful",
    given=((N, "parameters"), (T, "training tokens"), (G, "number of GPUs"), (F, "peak operations per second of each")),
    convention=f"A day has 86,400 seconds, and {6 * N * T} is the number of operations.",
    why=(
        "The estimate is quoted from memory and rounded down, and the peak in the data sheet is taken for what training reaches. Utilisation is the factor that is left out: "
        "large runs reach between a third and a half of the peak, and the days grow by its reciprocal."
    ),
    instead=("chinchilla-allocation", "six"),
    correction="Training takes six operations for each weight and token. The days are those operations over GPUs times peak times utilisation, and the utilisation is to be measured.",
    numbers=(
        Number(at_peak, "6.87", "days at the peak"),
        Number(measured, "17.2", "days at a utilisation of 0.4"),
    ),
)


@entry.proves(lt(6, at_peak), "More than six days at the peak", main=True)
def longer():
    return from_gap(calc(at_peak - 6).eq(lift(Fraction(6125, 891)) - 6).eq(Fraction(779, 891)))
