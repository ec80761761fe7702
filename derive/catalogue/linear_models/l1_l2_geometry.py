"""Corners and round balls: where a linear loss is least on the L1 ball and on the L2 ball."""

from derive.catalogue.linear_models.lasso_soft_threshold import over, under
from derive.language.notation import abs_, relu, sign, sqrt, squared_norm
from derive.language.term import Σ, array, eq, forall, iff, indices, le, let, lt, size, var, δ
from derive.logic.arguments import Argument, discharged, from_gap, instance, nonnegative, rearranged
from derive.logic.calc import calc
from derive.logic.rules.reasons import by, given, linearity, multiplied, root_of_square, sift, sign_times_size, use
from derive.logic.theorem import assume
from derive.record import Assumption, Derivation, Kernel, Mistake

d = size("d"); i, m = indices("i m", d)
g, w, r = var("g", d), var("w", d), var("r", dom="positive")
a, b, v = var("a"), var("b"), var("v", dom="nonnegative")
corner = array(-(r * sign(g[m]) * δ(i, m)), i)
ℓ = let("ℓ", sqrt(squared_norm(g))); ŵ = let("ŵ", -(r * g) / ℓ)
steepest = forall(le(abs_(g[i]), abs_(g[m])), i)
diamond, ball, sloping = le(Σ(abs_(w[i]), i), r), le(squared_norm(w), r**2), lt(0, squared_norm(g))
gap = ℓ / (2 * r) * (squared_norm(w - ŵ) + (r**2 - squared_norm(w)))

entry = Derivation(
    module=__name__,
    title="The corners of the L1 ball",
    claim=eq(g @ w - g @ ŵ, gap),
    goal=f"Find where {g @ w} is least among the weights of bounded L1 norm and among those of bounded L2 norm, and compare how many weights are 0 there.",
    priority="useful",
    given=(
        (d, "number of weights"), (g, "slopes of a linear loss"), (w, "any weights"), (r, "radius of the ball"),
        (ℓ, "length of the slopes"), (ŵ, "the best point of the L2 ball"), (a, "any number"), (b, "another one"), (v, "one that is not negative"),
    ),
    assumptions=(
        Assumption(steepest, "no slope is larger than that of the chosen coordinate"),
        Assumption(diamond, "the weights lie in the L1 ball"),
        Assumption(ball, "the weights lie in the L2 ball"),
        Assumption(sloping, "the slopes are not all 0"),
    ),
    convention=f"{m} is a coordinate with the largest slope in size. A smooth loss is nearly linear in a small region, which is why the picture of a line that touches a ball says something of other losses.",
    prompt="Why does an L1 constraint give exact zeros and an L2 constraint does not? Draw the two balls, and prove what the drawing shows.",
    sixty_seconds=(
        f"Move along a linear loss until the last point of the ball. On the L1 ball no point gets below {-(r * abs_(g[m]))}: each weight lowers the loss by at most the largest slope times its size. "
        f"One corner reaches that, the weight {-(r * sign(g[m]))} at {m} and 0 everywhere else. So all but one weight are 0, whatever the other slopes are. "
        f"On the L2 ball the best point is {-(r * g) / ℓ}, against the slopes; any other point of the ball loses {gap}. "
        f"Its coordinate {i} is 0 only where {g[i]} is: a round ball has no corners for a line to rest on."
    ),
    strong="Proves both minima and not the drawing alone, says that a corner is best for a whole cone of slopes while a given point of the round ball is best for one direction, and that ties between slopes make an edge of the L1 ball optimal.",
    weak="Says that the diamond is pointed and leaves it there, or that L1 “prefers zeros”: a corner is best because the constraint charges every coordinate the same price and only the steepest one is worth it.",
    sanity=(
        ("One weight", "With a single coordinate both balls are the same interval, and both minima agree."),
        ("Scale", "Slopes twice as large move neither minimiser."),
        ("Radius", f"The corner’s size is {r}, and the L2 minimiser has the length {r}: both lie on the edge."),
    ),
    mistakes=(
        Mistake(eq(g @ corner, -(r * g[m])), "The sign of the slope was left out: against a negative slope the weight must be positive."),
        Mistake(le(-(r * abs_(g[m]) / 2), g @ corner), "The corner goes all the way down, by the radius times the largest slope."),
        Mistake(eq(ŵ, -(r * g)), f"Without the division by {ℓ} the point leaves the ball, or stops short of its edge."),
    ),
    prerequisites=("lasso-soft-threshold",),
    kernels=(
        Kernel("l2_minimiser", (g, r), (("weights", -(r * g) / ℓ),), "The point of the L2 ball at which a linear loss is least."),
    ),
    references=("T. Hastie, R. Tibshirani and J. Friedman, The Elements of Statistical Learning, 3.4.3",),
)  # fmt: skip


@entry.proves(le(-(a * b), abs_(a) * abs_(b)), "A product and the sizes of its factors")
def product():
    more, less = calc(abs_(a) + a).eq(2 * relu(a), under).theorem, calc(abs_(a) - a).eq(2 * relu(-a), over).theorem
    return from_gap(
        calc(abs_(a) * abs_(b) - -(a * b))
        .eq(((abs_(a) + a) * (abs_(b) + b) + (abs_(a) - a) * (abs_(b) - b)) / 2)
        .eq(2 * relu(a) * relu(b) + 2 * relu(-a) * relu(-b),              use(more, "a number and its size"), use(less, "a size less its number"))
    )  # fmt: skip


@entry.proves(le(-(g @ w), r * abs_(g[m])), "No point of the L1 ball is lower")
def below_diamond():
    return (
        calc(-(g @ w))
        .eq(Σ(-(g[i] * w[i]), i),                                         linearity)
        .le(Σ(abs_(g[i]) * abs_(w[i]), i),                                product)
        .le(Σ(abs_(g[m]) * abs_(w[i]), i),                                given(steepest))
        .eq(abs_(g[m]) * Σ(abs_(w[i]), i),                                linearity)
        .le(r * abs_(g[m]),                                               given(diamond))
    )  # fmt: skip


@entry.proves(eq(-(g @ corner), r * abs_(g[m])), "A corner is as low")
def at_corner():
    return (
        calc(-(g @ corner))
        .eq(r * (g[m] * sign(g[m])),                                      sift)
        .eq(r * abs_(g[m]),                                               sign_times_size)
    )  # fmt: skip


@entry.proves(eq(g @ w - g @ ŵ, gap), "What a point of the L2 ball loses", main=True)
def round_gap():
    return (
        calc(g @ w - g @ ŵ)
        .eq(g @ w + r / ℓ * squared_norm(g),                              by(ŵ, "squared_norm"), linearity)
        .eq(g @ w + r / ℓ * ℓ**2,                                         by(ℓ), root_of_square)
        .eq(ℓ / (2 * r) * (2 * r / ℓ * (g @ w) + r**2 / ℓ**2 * ℓ**2 + r**2))
        .eq(ℓ / (2 * r) * (2 * r / ℓ * (g @ w) + r**2 / ℓ**2 * squared_norm(g) + r**2),   by(ℓ), root_of_square)
        .eq(gap,                                                          by(ŵ, "squared_norm"), linearity)
    )  # fmt: skip


@entry.proves(eq(squared_norm(ŵ), r**2), "Its minimiser lies on the edge")
def on_the_edge():
    return (
        calc(squared_norm(ŵ))
        .eq(Σ(r**2 / ℓ**2 * g[i] ** 2, i),                                by(ŵ, "squared_norm"))
        .eq(r**2 / ℓ**2 * squared_norm(g),                                by("squared_norm"), linearity)
        .eq(r**2,                                                         by(ℓ), root_of_square)
    )  # fmt: skip


@entry.proves(le(g @ ŵ, g @ w), "No point of the L2 ball is lower")
def below_ball():
    inside = rearranged(Argument(assume(ball), ()), le(0, r**2 - squared_norm(w)))
    sign_of_gap = instance(nonnegative(calc(squared_norm(w - ŵ) + v)).theorem, (v, r**2 - squared_norm(w)))
    return discharged(
        from_gap(
            calc(g @ w - g @ ŵ)
            .eq(gap,                                                      round_gap),
            sign_of_gap,
        ),
        inside,
    )  # fmt: skip


@entry.proves(iff(eq(ŵ[i], 0), eq(g[i], 0)), "It has a zero only where the slope is 0")
def no_zeros():
    return (
        calc(eq(ŵ[i], 0))
        .iff(eq(-(r * g[i]) / ℓ, 0),                                      by(ŵ))
        .iff(eq(g[i], 0),                                                 multiplied(eq(g[i], 0), -(r / ℓ)))
    )  # fmt: skip
