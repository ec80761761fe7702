"""“Adam divides by the standard deviation of the gradient.” It divides by the root of the mean square, mean and all."""

from derive.language.term import eq, lift, lt, var
from derive.logic.arguments import from_gap
from derive.logic.calc import calc
from derive.record import Misstatement

a, b = var("a"), var("b")
moment = (a**2 + b**2) / 2
variance = moment - ((a + b) / 2) ** 2

entry = Misstatement(
    module=__name__,
    title="Adam’s v estimates the variance of the gradient",
    said="Adam’s second moment is the variance of the gradient, so steps are large where the gradient is steady.",
    claim=eq(moment, variance),
    counterexample=((a, 2), (b, 2)),
    priority="important",
    given=((a, "gradient of one step"), (b, "gradient of another one, as likely")),
    convention="Two gradients that are equally likely stand for their distribution: the mean of their squares against their variance.",
    why=(
        "Moments are taught with the mean removed, and the name of the method says moment. The running average is one of squares, and nothing is taken from them. "
        "Under a constant gradient the variance is 0: a method that divided by its root would take steps without bound, and Adam takes steps of the learning rate."
    ),
    instead=("adam-bias-correction", "corrected_second"),
    correction="It is the uncentred second moment: squared mean plus variance. So the step is a signal-to-noise ratio, near the learning rate where gradients agree and small where noise dominates.",
)


@entry.proves(eq(entry.at(variance), 0), "A constant gradient has no variance")
def steady():
    return calc(entry.at(variance)).eq(4 - entry.at((a + b) / 2) ** 2).eq(0)


@entry.proves(lt(entry.at(variance), entry.at(moment)), "And a second moment of 4", main=True)
def apart():
    return from_gap(calc(entry.at(moment) - entry.at(variance)).eq(4 - (4 - lift(2) ** 2)).eq(4))
