"""“The sample mean tends to 𝒩(μ, σ²/n).” A limit knows no n: the mean tends to a number, and its variance to 0."""

from math import inf

from derive.language.term import eq, implies, lt, size, tends, var
from derive.logic.arguments import from_gap, limit
from derive.logic.calc import calc
from derive.record import Misstatement

t = size("t")
σ, n, v = var("σ", dom="positive"), var("n", dom="positive"), var("v")
settles = tends(σ**2 / t, t, inf, v)

entry = Misstatement(
    module=__name__,
    title="The sample mean tends to a Gaussian of variance σ²/n",
    said="By the central limit theorem the mean of n observations tends to a Gaussian with their mean and a variance of σ²/n.",
    claim=implies(settles, eq(v, σ**2 / n)),
    counterexample=((σ, 2), (n, 4), (v, 0)),
    priority="important",
    given=((t, "number of observations"), (σ, "standard deviation of one"), (n, "the number that stands in the limit"), (v, "what the variance of the mean tends to")),
    convention=f"The variance of a mean of {t} observations is {σ**2 / t}; {v} stands for its limit.",
    why=(
        "For a large sample the mean is nearly Gaussian with that variance, and “nearly” turns into “tends to”. But what still holds the number of observations is "
        "no limit. The mean tends to a number, the law of large numbers, and all its spread is gone; the theorem looks at it through a lens that grows with the sample."
    ),
    instead=("variance-of-mean", "standardised"),
    correction="Take the mean off, multiply by the root of the number of observations and divide by the deviation: that has variance 1 for every number, and its law is what tends to a Gaussian.",
)


@entry.proves(entry.at(settles), "The variance of the mean tends to 0", main=True)
def gone():
    return limit(entry.at(settles), closed=calc(entry.at(σ**2 / t)).eq(4 * (1 / t)))


@entry.proves(lt(entry.at(v), entry.at(σ**2 / n)), "That of four observations, which the claim makes the limit, is not 0")
def apart():
    return from_gap(calc(entry.at(σ**2 / n) - entry.at(v)).eq(1))
