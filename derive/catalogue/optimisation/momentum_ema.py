"""Momentum: a heavy ball steps α/(1 − β), an average α; they converge for α < 2(1 + β)/λ, and for 1/(1 − β) times that."""

from fractions import Fraction
from math import inf

from derive.language.notation import abs_, sqrt
from derive.language.term import (
    NATURALS,
    ZERO,
    Term,
    both,
    eq,
    forall,
    iff,
    index,
    le,
    let,
    lt,
    natural,
    substitute,
    succ,
    tends,
    var,
)
from derive.logic.arguments import (
    by_induction,
    discharged,
    for_all,
    from_gap,
    instance,
    limit,
    nonnegative,
    nonzero,
    rearranged,
    restated,
    squeezed,
    weakened,
)
from derive.logic.calc import calc
from derive.logic.rules.reasons import branch, by, given, multiplied, powers, root_of_square, use
from derive.logic.theorem import assume
from derive.record import Assumption, Derivation, Kernel, Mistake, Number, Proof

k, n, t = index("k", NATURALS), natural("n"), natural("t")
α, β, λ, g, p = var("α"), var("β", dom="unit"), var("λ", dom="positive"), var("g"), var("p")
q = var("q", dom="unit")
v, m, x, y = (var(name, NATURALS) for name in "vmxy")

# a constant gradient
heavy, average = forall(eq(v[succ(k)], β * v[k] + g), k), forall(eq(m[succ(k)], β * m[k] + (1 - β) * g), k)
rest_v, rest_m = eq(v[ZERO], 0), eq(m[ZERO], 0)

# a quadratic of curvature λ, whose gradient is λx
pull = forall(eq(v[succ(k)], β * v[k] + λ * x[k]), k); pull_m = forall(eq(m[succ(k)], β * m[k] + (1 - β) * (λ * x[k])), k)
move, move_m = forall(eq(x[succ(k)], x[k] - α * v[succ(k)]), k), forall(eq(x[succ(k)], x[k] - α * m[succ(k)]), k)


def recurrence(sequence: Term, middle: Term) -> Term:
    """Return that each member is made of the two before it."""
    return forall(eq(sequence[succ(succ(k))], middle * sequence[succ(k)] - β * sequence[k]), k)


def energy(sequence: Term, step: Term) -> Term:
    """Return what shrinks along a recurrence."""
    here, there = sequence[step], sequence[succ(step)]
    return there**2 + q * here**2 - 2 * p * q / (q + β) * there * here


lower, upper = lt(-(1 + β), p), lt(p, 1 + β)
slow, narrow = lt(β, q), lt(p**2 * q, (q + β) ** 2)
chosen = 1 - ((1 + β) ** 2 - p**2) * (1 - β) / 8
ball, ema = 1 + β - α * λ, 1 + β - α * (1 - β) * λ
room = q - (p * q / (q + β)) ** 2
e = var("e", dom="positive"); spread = let("s", (1 - β) ** 2 + e * (2 + 2 * β + e)); root = let("r", -(1 + β + e + sqrt(spread)) / 2)

entry = Derivation(
    module=__name__,
    title="Momentum: effective step and stability",
    claim=tends(x[n], n, inf, 0),
    goal="Compare the two ways in which momentum is written: their effective steps for a constant gradient, and the largest learning rates at which they stay stable on a quadratic.",
    priority="important",
    given=(
        (α, "learning rate"), (β, "momentum"), (λ, "curvature"), (g, "a constant gradient"), (v, "velocity of the heavy ball"), (m, "moving average"), (x, "the iterates, measured from the minimum"),
        (y, "any sequence"), (p, "coefficient of its recurrence"), (q, "a factor"), (e, "by how much the bound is passed"), (spread, "what its root is drawn from"), (root, "a root of its polynomial past the bound"), (n, "number of steps"), (t, "another"),
    ),
    assumptions=(
        Assumption(heavy, "the heavy ball adds the gradient"),
        Assumption(rest_v, "it starts at rest"),
        Assumption(average, "the average adds a share of it"),
        Assumption(rest_m, "it starts at 0"),
        Assumption(pull, "the gradient of a quadratic"),
        Assumption(move, "the step"),
        Assumption(pull_m, "the gradient of a quadratic, averaged"),
        Assumption(move_m, "the step along the average"),
        Assumption(recurrence(y, p), "each member is made of the two before it"),
        Assumption(slow, "the factor is not too small"),
        Assumption(narrow, "the coefficient leaves room for it"),
        Assumption(lower, "the coefficient is not too small"),
        Assumption(upper, "and not too large"),
        Assumption(lt(0, α), "the learning rate is positive"),
        Assumption(lt(α, 2 * (1 + β) / λ), "the learning rate of the heavy ball is small enough"),
        Assumption(lt(α, 2 * (1 + β) / ((1 - β) * λ)), "the learning rate of the average is small enough"),
    ),
    convention=(
        f"The heavy ball keeps {eq(v[succ(k)], β * v[k] + g)}, the average {eq(m[succ(k)], β * m[k] + (1 - β) * g)}; both then step by the learning rate times what they keep. Along an eigenvector "
        f"of a quadratic the gradient is {λ * x[k]}. Stable means that the iterates tend to the minimum, whatever the start."
    ),
    prompt=f"Two libraries write momentum differently: {β * v[k] + g} in one, {β * v[k] + (1 - β) * g} in the other. What happens to a tuned learning rate that moves from one to the other? For which learning rates is each stable?",
    sixty_seconds=(
        f"With a constant gradient the heavy ball adds up a geometric series, {g * (1 - β**n) / (1 - β)}, so its step grows to {α / (1 - β) * g}: ten times {α * g} at momentum 0.9. The moving average carries the factor {1 - β} and steps "
        f"{α * g}. They are one method with {α} scaled by {1 - β}. On a quadratic, eliminate the velocity: {eq(x[succ(succ(k))], ball * x[succ(k)] - β * x[k])}. That tends to 0 while the middle coefficient is "
        f"less than {1 + β} in size, since a quadratic form of two neighbours then shrinks by a fixed factor in every step; so for {lt(α, 2 * (1 + β) / λ)}: momentum nearly doubles the largest learning rate. For the average the bound is {2 * (1 + β) / ((1 - β) * λ)}."
    ),
    strong=(
        "Finds a quadratic form that shrinks by a fixed factor in every step, and with it a geometric bound for every start, in place of complex roots. Knows that the bound is sharp: past it one root lies below −1, and the iterates change sign and grow. "
        "Adds that Adam averages and so keeps the scale of a learning rate, whereas the usual momentum of SGD does not."
    ),
    weak=f"Says that momentum multiplies the learning rate by {1 / (1 - β)} and concludes that it must be lowered by as much for stability. On a quadratic the stable range grows: the gradient is not constant, it turns round.",
    sanity=(
        ("Momentum 0.9", "The heavy ball steps ten times as far, and its stable range is 3.8 over the curvature instead of 2."),
        ("No momentum", f"As {β} goes to 0 both bounds go to {2 / λ}, the one of gradient descent."),
        ("At the bound", f"At {eq(p, -(1 + β))} the sequence 1, −1, 1, … solves the recurrence: it neither grows nor shrinks. Past it, at {eq(p, -(1 + β + e))}, the powers of {root} grow."),
    ),
    mistakes=(
        Mistake(eq(v[n], g * (1 - β**n)), "That is the moving average: the heavy ball adds whole gradients, so the sum is divided by what it forgets in a step."),
        Mistake(iff(lt(-(1 + β), ball), lt(α, 2 / λ)), f"That is the bound without momentum; with it there is room for {2 * (1 + β) / λ}."),
        Mistake(iff(lt(-(1 + β), ball), lt(α, 2 * (1 - β) / λ)), "The sign is wrong: momentum makes the stable range larger."),
    ),
    prerequisites=("gd-quadratic-convergence",),
    follow_ups=("adam-bias-correction",),
    kernels=(
        Kernel("stable_learning_rates", (β, λ), (("heavy_ball", 2 * (1 + β) / λ), ("average", 2 * (1 + β) / ((1 - β) * λ))), "The largest stable learning rates of the two kinds of momentum on a quadratic."),
    ),
    numbers=(Number(1 / (1 - Term("num", (), Fraction(9, 10))), "10", "effective step of a heavy ball at momentum 0.9, in learning rates"),),
    references=("B. T. Polyak, “Some methods of speeding up the convergence of iteration methods”, 1964", "G. Goh, “Why Momentum Really Works”, Distill 2017"),
)  # fmt: skip


# ---- a constant gradient ---------------------------------------------------------------------------------------------


def summed(sequence: Term, closed: Term, added: Term, given_next: Term, rest: Term):
    """Return the proof by induction of a closed form."""
    after = closed_at(closed, succ(n))
    return by_induction(
        n,
        calc(sequence[ZERO]).eq(closed_at(closed, ZERO), given(rest)),
        calc(sequence[succ(n)])
        .eq(β * sequence[n] + added,                                             given(given_next))
        .eq(β * closed + added,                                                  given(eq(sequence[n], closed)))
        .eq(after,                                                               powers),
    )  # fmt: skip


def closed_at(closed: Term, step: Term) -> Term:
    """Return a closed form after another number of steps."""
    return substitute(closed, {n: step})


@entry.proves(eq(v[n], g * (1 - β**n) / (1 - β)), "A constant gradient: the heavy ball")
def heavy_ball():
    return summed(v, g * (1 - β**n) / (1 - β), g, heavy, rest_v)


@entry.proves(eq(m[n], g * (1 - β**n)), "A constant gradient: the moving average")
def moving_average():
    return summed(m, g * (1 - β**n), (1 - β) * g, average, rest_m)


@entry.proves(tends(α * v[t], t, inf, α / (1 - β) * g), "The effective step of the heavy ball")
def heavy_step():
    return limit(tends(α * v[t], t, inf, α / (1 - β) * g), closed=calc(α * v[t]).eq(α * (g * (1 - β**t) / (1 - β)), heavy_ball))


@entry.proves(tends(α * m[t], t, inf, α * g), "The effective step of the average")
def average_step():
    return limit(tends(α * m[t], t, inf, α * g), closed=calc(α * m[t]).eq(α * (g * (1 - β**t)), moving_average))


# ---- a quadratic -----------------------------------------------------------------------------------------------------


@entry.proves(recurrence(x, ball), "A quadratic: the heavy ball without its velocity")
def ball_recurrence():
    return for_all(
        calc(x[succ(succ(k))])
        .eq(x[succ(k)] - α * v[succ(succ(k))],                                   given(move))
        .eq(x[succ(k)] - α * λ * x[succ(k)] + β * (x[succ(k)] - x[k]),           given(pull), given(move))
        .eq(ball * x[succ(k)] - β * x[k]),
        k,
    )  # fmt: skip


@entry.proves(recurrence(x, ema), "A quadratic: the average without itself")
def ema_recurrence():
    return for_all(
        calc(x[succ(succ(k))])
        .eq(x[succ(k)] - α * m[succ(succ(k))],                                   given(move_m))
        .eq(x[succ(k)] - α * (1 - β) * λ * x[succ(k)] + β * (x[succ(k)] - x[k]), given(pull_m), given(move_m))
        .eq(ema * x[succ(k)] - β * x[k]),
        k,
    )  # fmt: skip


@entry.proves(eq(energy(y, succ(n)), q * energy(y, n) - (q - β) / (q + β) * (y[succ(succ(n))] - q * y[n]) ** 2), "What shrinks")
def falling():
    return (
        calc(energy(y, succ(n)))
        .eq(q * energy(y, n) - (q - β) / (q + β) * (y[succ(succ(n))] - q * y[n]) ** 2,    given(recurrence(y, p)))
    )  # fmt: skip


@entry.proves(le(energy(y, n), q**n * energy(y, ZERO)), "It shrinks by a factor in every step")
def shrinking():
    lost = (q - β) / (q + β) * (y[succ(succ(n))] - q * y[n]) ** 2
    falls = from_gap(calc(q * energy(y, n) - energy(y, succ(n))).eq(lost, falling), rearranged(weakened(slow), le(0, q - β)))
    claim = le(energy(y, n), q**n * energy(y, ZERO))
    return by_induction(
        n,
        calc(energy(y, ZERO)).eq(q**ZERO * energy(y, ZERO)),
        calc(energy(y, succ(n)))
        .le(q * energy(y, n),                                                    use(falls.theorem, "a square is lost in every step"))
        .le(q * (q**n * energy(y, ZERO)),                                        use(assume(claim), "the claim for n"))
        .eq(q ** succ(n) * energy(y, ZERO),                                      powers),
    )  # fmt: skip


@entry.proves(le(room * y[n] ** 2, q**n * energy(y, ZERO)), "It bounds every member")
def bounded_member():
    square = from_gap(calc(energy(y, n) - room * y[n] ** 2).eq((y[succ(n)] - p * q / (q + β) * y[n]) ** 2))
    return (
        calc(room * y[n] ** 2)
        .le(energy(y, n),                                                        use(square.theorem, "a square is left over"))
        .le(q**n * energy(y, ZERO),                                              shrinking)
    )  # fmt: skip


@entry.proves(lt(0, room), "There is room")
def there_is_room():
    return rearranged(calc(p**2 * q).lt((q + β) ** 2, given(narrow)), lt(0, room), (q + β) ** 2 / q)


@entry.proves(le(y[n] ** 2, q**n * energy(y, ZERO) / room), "So every member lies below a geometric sequence")
def member():
    goal = le(y[n] ** 2, q**n * energy(y, ZERO) / room)
    return discharged(restated(bounded_member, goal, multiplied(goal, room)), there_is_room, nonzero(there_is_room))


@entry.proves(tends(y[n], n, inf, 0), "It tends to 0")
def decaying():
    decay = discharged(limit(tends(q**n * energy(y, ZERO) / room, n, inf, 0)), nonzero(there_is_room))
    return squeezed(tends(y[n], n, inf, 0), member, decay)


# ---- a factor for every coefficient inside the range -------------------------------------------------------------------


@entry.proves(lt(p**2, (1 + β) ** 2), "The coefficient squared")
def squares():
    low = rearranged(calc(-(1 + β)).lt(p, given(lower)), lt(0, p + 1 + β))
    return discharged(rearranged(calc(p).lt(1 + β, given(upper)), lt(p**2, (1 + β) ** 2), 1 / (p + 1 + β)), low)


@entry.proves(lt(β, chosen), "A factor that fits: above the momentum")
def above_momentum():
    return from_gap(calc(chosen - β).eq((1 - β) * (4 + (1 - β) * (3 + β) + p**2) / 8))


@entry.proves(lt(0, chosen), "So it is positive")
def above_zero():
    return nonnegative(calc(chosen).eq(β + (1 - β) * (4 + (1 - β) * (3 + β) + p**2) / 8))


@entry.proves(lt(chosen, 1), "It is below 1")
def below_one():
    return restated(squares, lt(chosen, 1), multiplied(lt(chosen, 1), 8 / (1 - β)))


@entry.proves(lt(p**2 * chosen, (chosen + β) ** 2), "And the coefficient leaves room for it")
def leaves_room():
    rest = 48 + 16 * β**2 + (1 + β) ** 2 * (1 - β) ** 2 + p**2 * (1 - β) * (7 + β)
    goal = lt(p**2 * chosen, (chosen + β) ** 2)
    return restated(squares, goal, multiplied(goal, 64 / rest))


@entry.proves(tends(y[n], n, inf, 0), "Inside the range every sequence tends to 0")
def stable():
    return discharged(instance(decaying.theorem, (q, chosen)), above_momentum, below_one, above_zero, leaves_room)


@entry.proves(iff(both(lt(-(1 + β), ball), lt(ball, 1 + β)), both(lt(α, 2 * (1 + β) / λ), lt(0, α))), "The stable learning rates of the heavy ball")
def ball_rates():
    return (
        calc(both(lt(-(1 + β), ball), lt(ball, 1 + β)))
        .iff(both(lt(α, 2 * (1 + β) / λ), lt(0, α)),                             multiplied(lt(α, 2 * (1 + β) / λ), λ), multiplied(lt(0, α), λ))
    )  # fmt: skip


@entry.proves(iff(both(lt(-(1 + β), ema), lt(ema, 1 + β)), both(lt(α, 2 * (1 + β) / ((1 - β) * λ)), lt(0, α))), "The stable learning rates of the average")
def ema_rates():
    rate = (1 - β) * λ
    return (
        calc(both(lt(-(1 + β), ema), lt(ema, 1 + β)))
        .iff(both(lt(α, 2 * (1 + β) / rate), lt(0, α)),                          multiplied(lt(α, 2 * (1 + β) / rate), rate), multiplied(lt(0, α), rate))
    )  # fmt: skip


def stable_iterates(middle: Term, slope: Term, recursion: Proof):
    """Return that the iterates of a quadratic tend to its minimum, from the learning rate."""
    here = instance(stable.theorem, (y, x), (p, middle))
    low = rearranged(calc(α).lt(2 * (1 + β) / slope, given(lt(α, 2 * (1 + β) / slope))), lt(-(1 + β), middle), 1 / slope)
    high = rearranged(calc(0).lt(α, given(lt(0, α))), lt(middle, 1 + β), 1 / slope)
    return discharged(here, recursion, low, high)


@entry.proves(tends(x[n], n, inf, 0), "The heavy ball converges", main=True)
def ball_stable():
    return stable_iterates(ball, λ, ball_recurrence)


@entry.proves(tends(x[n], n, inf, 0), "The average converges")
def ema_stable():
    return stable_iterates(ema, (1 - β) * λ, ema_recurrence)


# ---- past the bound --------------------------------------------------------------------------------------------------


@entry.proves(eq(root**2, -(1 + β + e) * root - β), "A root of its polynomial")
def polynomial():
    return (
        calc(root**2)
        .eq(((1 + β + e) ** 2 + 2 * (1 + β + e) * sqrt(spread) + sqrt(spread) ** 2) / 4,   by(root))
        .eq(((1 + β + e) ** 2 + 2 * (1 + β + e) * sqrt(spread) + spread) / 4,    root_of_square)
        .eq(((1 + β + e) ** 2 + (1 + β + e) * sqrt(spread)) / 2 - β,             by(spread))
        .eq(-(1 + β + e) * root - β,                                             by(root))
    )  # fmt: skip


@entry.proves(eq(root ** succ(succ(n)), -(1 + β + e) * root ** succ(n) - β * root**n), "Its powers solve the recurrence")
def solution():
    return (
        calc(root ** succ(succ(n)))
        .eq(root**n * root**2,                                                   powers)
        .eq(-(1 + β + e) * (root**n * root) - β * root**n,                       polynomial)
        .eq(-(1 + β + e) * root ** succ(n) - β * root**n,                        powers)
    )  # fmt: skip


@entry.proves(lt((1 - β) ** 2, spread), "Its radicand")
def radicand():
    return from_gap(calc(spread - (1 - β) ** 2).eq(e * (2 + 2 * β + e), by(spread)))


@entry.proves(lt(1 - β, sqrt(spread)), "Its radical")
def radical():
    return (
        calc(1 - β)
        .eq(abs_(1 - β),                                                         branch("abs", 0))
        .eq(sqrt((1 - β) ** 2),                                                  root_of_square)
        .lt(sqrt(spread),                                                        radicand)
    )  # fmt: skip


@entry.proves(lt(root, -(1 + e / 2)), "It lies below −1")
def growing():
    below = rearranged(radical.argument, lt(-(1 + β + e + sqrt(spread)) / 2, -(1 + e / 2)), 2)
    return (
        calc(root)
        .eq(-(1 + β + e + sqrt(spread)) / 2,                                     by(root))
        .lt(-(1 + e / 2),                                                        use(below.theorem, "the radical is larger"))
    )  # fmt: skip
