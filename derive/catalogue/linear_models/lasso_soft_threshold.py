"""sign(z)·max(|z| − λ, 0): the minimiser of a square and an absolute value, case by case, and why it gives exact zeros."""

from fractions import Fraction
from random import Random

from derive.language.notation import abs_, relu, sign
from derive.language.term import eq, iff, le, let, lift, lt, ne, var
from derive.logic.arguments import (
    Argument,
    by_cases,
    carried,
    discharged,
    from_gap,
    instance,
    nonnegative,
    rearranged,
    together,
)
from derive.logic.calc import calc
from derive.logic.rules.reasons import branch, by, multiplied, use
from derive.logic.theorem import assume
from derive.record import Assumption, Derivation, Kernel, Mistake

z, w, λ = var("z"), var("w"), var("λ", dom="positive")
v = var("v", dom="nonnegative")
S = let("S", sign(z) * relu(abs_(z) - λ))
ridge = z / (1 + λ)


def cost(weight):
    """Half the squared distance from z, and the penalty."""
    return (weight - z) ** 2 / 2 + λ * abs_(weight)


def squared_cost(weight):
    """The same with a squared penalty."""
    return (weight - z) ** 2 / 2 + λ / 2 * weight**2


def soft(data):
    """The soft threshold, written out."""
    return sign(data) * relu(abs_(data) - λ)


def turned(known, wanted):
    """Read an inequality that is given as an equivalent one."""
    return rearranged(Argument(assume(known), ()), wanted)


entry = Derivation(
    module=__name__,
    title="The lasso’s soft threshold",
    claim=le((w - S) ** 2 / 2, cost(w) - cost(S)),
    goal=f"Minimise {cost(w)} over {w}, with its kink at 0, and see why the minimiser is exactly 0 for a whole interval of {z}.",
    priority="important",
    given=(
        (z, "what the data alone ask for"), (w, "any weight"), (λ, "strength of the penalty"), (S, "the soft threshold"), (v, "any number that is not negative"),
    ),
    assumptions=(
        Assumption(le(abs_(z) - λ, 0), "the data ask for no more than the penalty’s strength"),
        Assumption(ne(w - S, 0), "the weight is another one"),
    ),
    convention=f"The positive part {relu(z)} is the larger of {z} and 0. One coordinate is enough: with orthonormal columns the lasso falls apart into one such problem for each weight.",
    prompt="Derive the soft threshold of the lasso. The absolute value has no derivative at 0: how do you prove the minimum all the same? And why are weights exactly 0 under an L1 penalty and not under an L2 penalty?",
    sixty_seconds=(
        f"Off 0 the derivative is {w - z} plus or minus {λ}. If {z} is above {λ} the minimum is at {z - λ}, if it is below {-λ} at {z + λ}. In between no point off 0 has a vanishing derivative: "
        f"at 0 the slope of the square is {-z}, and the kink’s slopes from {-λ} to {λ} can cancel it, so the minimum is 0 itself. Together that is {soft(z)}: shrink by {λ}, and stop at 0. "
        f"No calculus is needed to prove it: in each case any other weight costs at least {(w - S) ** 2 / 2} more. "
        f"A squared penalty gives {ridge} instead, which scales everything and is 0 for {eq(z, 0)} only."
    ),
    strong=f"Handles the kink by its interval of slopes or by an exact gap, names all three cases, and says that the zero comes from the jump of the slope by {2 * λ} at 0, where a squared penalty has slope 0 and no jump.",
    weak="Sets the derivative to 0 with the sign of the weight in it and solves: that assumes the sign it wants to find, and never gives a zero.",
    sanity=(
        ("Limit", f"As {λ} goes to 0 the threshold becomes {z}: nothing is penalised."),
        ("Continuity", f"At {eq(z, λ)} both formulas give 0, so the threshold has corners and no jump."),
        ("Symmetry", f"With {-z} for {z} the minimiser changes its sign alone."),
        ("Large data", f"A large weight is too small by {λ}, however large it is: that is the bias of the lasso."),
    ),
    mistakes=(
        Mistake(eq(S, relu(z - λ)), "That keeps positive weights alone: negative ones are shrunk from the other side."),
        Mistake(eq(S, z - λ * sign(z)), f"Without the positive part a small {z} is carried past 0 to the other sign, where the penalty grows again."),
        Mistake(eq(S, z / (1 + λ)), "That is the minimiser with a squared penalty: it shrinks in proportion and gives no zeros."),
        Mistake(le(cost(S) + (w - S) ** 2, cost(w)), "The curvature of the square is 1, so the excess is half the squared distance."),
    ),
    follow_ups=("map-laplace-l1", "l1-l2-geometry"),
    kernels=(
        Kernel("soft_threshold", (z, λ), (("weight", sign(z) * relu(abs_(z) - λ)),), "The minimiser of half a squared distance and an absolute value."),
    ),
    references=("T. Hastie, R. Tibshirani and M. Wainwright, Statistical Learning with Sparsity, 2.4.1",),
)  # fmt: skip


@entry.proves(eq(soft(v + λ), v), "Above the penalty’s strength")
def above():
    return (
        calc(soft(v + λ))
        .eq(1 * relu(v + λ - λ),                                      branch("sign", 0), branch("abs", 0))
        .eq(relu(v))
        .eq(v,                                                        branch("relu", 0))
    )  # fmt: skip


@entry.proves(eq(soft(-(v + λ)), -v), "Below minus the strength")
def below():
    return (
        calc(soft(-(v + λ)))
        .eq(-lift(1) * relu(v + λ - λ),                               branch("sign", 1), branch("abs", 1))
        .eq(-relu(v))
        .eq(-v,                                                       branch("relu", 0))
    )  # fmt: skip


@entry.proves(eq(S, 0), "Between the two")
def zero():
    return (
        calc(S)
        .eq(sign(z) * relu(abs_(z) - λ),                              by(S))
        .eq(0,                                                        branch("relu", 1))
    )  # fmt: skip


@entry.proves(eq(abs_(w), w + 2 * relu(-w)), "An absolute value and its number")
def over():
    return by_cases(
        w,
        calc(abs_(w))
        .eq(w,                                                        branch("abs", 0))
        .eq(w + 2 * relu(-w),                                         branch("relu", 1)),
        discharged(
            calc(abs_(w))
            .eq(w + 2 * -w,                                           branch("abs", 1))
            .eq(w + 2 * relu(-w),                                     branch("relu", 0)),
            turned(le(w, 0), le(0, -w)),
        ),
    )  # fmt: skip


@entry.proves(eq(abs_(w), -w + 2 * relu(w)), "The same from below")
def under():
    return by_cases(
        w,
        calc(abs_(w))
        .eq(-w + 2 * w,                                               branch("abs", 0))
        .eq(-w + 2 * relu(w),                                         branch("relu", 0)),
        calc(abs_(w))
        .eq(-w,                                                       branch("abs", 1))
        .eq(-w + 2 * relu(w),                                         branch("relu", 1)),
    )  # fmt: skip


excess = cost(w) - cost(S) - (w - S) ** 2 / 2
known = le(0, abs_(z) - λ)


def positive_side():
    """What is lost where the data ask for more than the strength, and the data are positive."""
    threshold = use(instance(above.theorem, (v, z - λ)).theorem, above.heading)
    piece = calc(S).eq(soft(z - λ + λ), by(S)).eq(z - λ, threshold).theorem
    size = instance(calc(abs_(v)).eq(v, branch("abs", 0)).theorem, (v, z - λ)).theorem
    gap = (
        calc(excess).part("Data above the strength")
        .eq(cost(w) - cost(z - λ) - (w - (z - λ)) ** 2 / 2,                         use(piece, "above the penalty’s strength"))
        .eq(λ * (abs_(w) - w),                                                      use(size, "the absolute value of what is not negative"))
        .eq(λ * (2 * relu(-w)),                                                     over)
    )  # fmt: skip
    return discharged(from_gap(gap), carried(calc(known).iff(le(0, z - λ), branch("abs", 0))))


def negative_side():
    """The same where they are negative."""
    threshold = use(instance(below.theorem, (v, -z - λ)).theorem, below.heading)
    piece = calc(S).eq(soft(-(-z - λ + λ)), by(S)).eq(z + λ, threshold).theorem
    size = calc(abs_(z + λ)).eq(-(z + λ), branch("abs", 1)).theorem
    gap = (
        calc(excess).part("Data below minus the strength")
        .eq(cost(w) - cost(z + λ) - (w - (z + λ)) ** 2 / 2,                         use(piece, "below minus the strength"))
        .eq(λ * (abs_(w) + w),                                                      use(size, "the absolute value of what is not positive"))
        .eq(λ * (2 * relu(w)),                                                      under)
    )  # fmt: skip
    far = carried(calc(known).iff(le(0, -z - λ), branch("abs", 1)))
    return discharged(discharged(from_gap(gap), rearranged(far, le(z + λ, 0))), far)


def between():
    """What is lost where they ask for less: the minimiser is 0."""
    p, q = var("p", dom="nonnegative"), var("q", dom="nonnegative")
    room = turned(le(abs_(z) - λ, 0), le(0, λ - abs_(z)))
    nothing = calc(abs_(lift(0))).eq(0, branch("abs", 0)).theorem
    begun = (
        calc(excess).part("Data in between")
        .eq(cost(w) - cost(lift(0)) - (w - 0) ** 2 / 2,                             zero)
        .eq(λ * abs_(w) - z * w,                                                    use(nothing, "the absolute value of 0"))
    )  # fmt: skip
    right = (
        begun
        .eq(λ * w - z * w,                                                          branch("abs", 0))
        .eq((λ - abs_(z)) * w + 2 * relu(-z) * w,                                   over)
    )  # fmt: skip
    left = (
        begun
        .eq(λ * -w - z * w,                                                         branch("abs", 1))
        .eq((λ - abs_(z)) * -w + 2 * relu(z) * -w,                                  under)
    )  # fmt: skip
    signs = [instance(nonnegative(calc(p * q + 2 * relu(s) * q)).theorem, (p, λ - abs_(z)), (q, s_w)) for s, s_w in ((-z, w), (z, -w))]
    return by_cases(
        w,
        discharged(from_gap(right, signs[0]), room),
        discharged(from_gap(left, signs[1]), room, turned(le(w, 0), le(0, -w))),
    )


@entry.proves(le((w - S) ** 2 / 2, cost(w) - cost(S)), "The minimiser, case by case", main=True)
def growth():
    return by_cases(abs_(z) - λ, by_cases(z, positive_side(), negative_side()), between())


@entry.proves(le(cost(S), cost(w)), "No other weight costs less")
def minimum():
    further = rearranged(growth.argument, le(cost(S) + (w - S) ** 2 / 2, cost(w)))
    return (
        calc(cost(S))
        .le(cost(S) + (w - S) ** 2 / 2,                               use(from_gap(calc(cost(S) + (w - S) ** 2 / 2 - cost(S)).eq((w - S) ** 2 / 2)).theorem, "a square is never negative"))
        .le(cost(w),                                                  use(further.theorem, "the minimiser, case by case"))
    )  # fmt: skip


@entry.proves(lt(cost(S), cost(w)), "Any other weight costs more")
def unique():
    r = var("r", dom="positive")
    more = instance(from_gap(calc(cost(S) + r / 2 - cost(S)).eq(r / 2)).theorem, (r, (w - S) ** 2))
    further = rearranged(growth.argument, le(cost(S) + (w - S) ** 2 / 2, cost(w)))
    return (
        calc(cost(S))
        .lt(cost(S) + (w - S) ** 2 / 2,                               use(more.theorem, "the square of what is not 0 is positive"))
        .le(cost(w),                                                  use(further.theorem, "the minimiser, case by case"))
    )  # fmt: skip


@entry.proves(eq(squared_cost(w) - squared_cost(ridge), (1 + λ) * (w - ridge) ** 2 / 2), "With a squared penalty")
def squared_penalty():
    return (
        calc(squared_cost(w) - squared_cost(ridge))
        .eq((1 + λ) * (w - ridge) ** 2 / 2)
    )  # fmt: skip


@entry.proves(iff(eq(ridge, 0), eq(z, 0)), "It is 0 for no other data than 0")
def no_zeros():
    return (
        calc(eq(ridge, 0))
        .iff(eq(z, 0),                                                multiplied(eq(z, 0), 1 / (1 + λ)))
    )  # fmt: skip


@entry.example("Three weights at once")
def by_hand(rng: Random):
    strength = Fraction(rng.randint(2, 6), 2)
    far, near = strength + Fraction(rng.randint(1, 5), 2), strength / rng.randint(2, 3)
    data = [far, -near, -far - 1]

    def shrunk(number, case):
        rest = abs(number) - strength
        signed, size = lift(1 if case == 0 else -1), lift(rest) if rest > 0 else -lift(-rest)
        return (
            calc(sign(lift(number)) * relu(abs_(lift(number)) - lift(strength)))
            .eq(signed * relu(lift(abs(number)) - lift(strength)),    branch("sign", case), branch("abs", case))
            .eq(signed * relu(size))
            .eq(signed * max(rest, 0),                                branch("relu", 0 if rest > 0 else 1))
            .eq(max(rest, 0) if case == 0 else -max(rest, 0))
        )  # fmt: skip

    kept, lost, negative = (shrunk(number, case) for number, case in zip(data, (0, 1, 1), strict=True))
    return together(together(kept, lost), negative)
