"""𝔼 m_t = (1 − β₁ᵗ)·𝔼 g: Adam's averages start at 0, and the correction takes exactly that away."""

from fractions import Fraction

from derive.language.notation import abs_, sqrt
from derive.language.term import (
    NATURALS,
    ZERO,
    Σ,
    E,
    eq,
    forall,
    index,
    let,
    lift,
    lt,
    natural,
    ne,
    random,
    size,
    succ,
    var,
)  # fmt: skip
from derive.logic.arguments import by_induction, discharged, from_gap, nonnegative
from derive.logic.calc import calc
from derive.logic.rules.reasons import (
    by,
    empty_product,
    given,
    last_factor,
    linearity,
    moments,
    powers,
    root_of_product,
    root_of_square,
)  # fmt: skip
from derive.record import Assumption, Derivation, Kernel, Mistake, Number

n, t = natural("n"), size("t")
k, l, r = index("k", n), index("l", t), index("r", NATURALS)
β, β1, β2 = (var(name, dom="unit") for name in ("β", "β₁", "β₂"))
μ, s, α, ε = var("μ"), var("s", dom="positive"), var("α", dom="positive"), var("ε", dom="positive")
g = random("g", t, law="stationary", parameters=(μ, s**2))
u, h = var("u", NATURALS), var("h", NATURALS)
start, update = eq(u[ZERO], 0), forall(eq(u[succ(r)], β * u[r] + (1 - β) * h[r]), r)


def weight(decay, taken, number):
    """The weight of one gradient in the average after some steps: a factor for each step since then."""
    return decay**taken / (decay * decay**number)


m, v = let("m", (1 - β1) * Σ(weight(β1, t, l) * g[l], l)), let("v", (1 - β2) * Σ(weight(β2, t, l) * g[l] ** 2, l))
m_hat, v_hat = let("m̂", m / (1 - β1**t)), let("v̂", v / (1 - β2**t))

c = var("c")
first, second = let("a", (1 - β1) * Σ(weight(β1, t, l) * c, l)), let("b", (1 - β2) * Σ(weight(β2, t, l) * c**2, l))
step = α * (first / (1 - β1**t)) / (sqrt(second / (1 - β2**t)) + ε)
uncorrected = α * ((1 - β1**t) * c) / sqrt((1 - β2**t) * c**2)
drift = E(m_hat, g) / sqrt(E(v_hat, g))

d = size("d")
G, M, V = var("G", d), var("M", d), var("V", d, dom="nonnegative")
τ = var("τ", dom="positive")
new_M, new_V = β1 * M + (1 - β1) * G, β2 * V + (1 - β2) * G**2
unrolled = eq(u[n], (1 - β) * Σ(weight(β, n, k) * h[k], k))
total = eq((1 - β) * Σ(weight(β, n, k), k), 1 - β**n)
defaults = lift(Fraction(9, 10)), lift(Fraction(999, 1000))


def first_steps(steps):
    """The size of the uncorrected step for a constant gradient, with the usual decays."""
    one, two = defaults
    return (1 - one**steps) / sqrt(1 - two**steps)


entry = Derivation(
    module=__name__,
    title="Adam’s bias correction",
    claim=eq(E(m, g), (1 - β1**t) * μ),
    goal="Find the mean of Adam’s moving averages after some steps from 0, and the steps that follow with and without the correction.",
    priority="critical",
    given=(
        (t, "steps taken"), (n, "a number of steps"), (h, "any sequence, one number a step"), (u, "its moving average"), (g, "gradients, the oldest first"), (μ, "their mean"), (s, "their standard deviation"),
        (β, "a decay"), (β1, "the decay of the first average"), (β2, "the decay of the second"), (m, "the average of the gradients"), (v, "the average of their squares"),
        (m_hat, "the first, corrected"), (v_hat, "the second, corrected"), (α, "the rate"), (ε, "a small number"), (c, "a constant gradient"),
        (first, "its average"), (second, "the average of its square"),
        (abs_(c), "the absolute value"), (d, "parameters"), (G, "a gradient"), (M, "the first average so far"), (V, "the second so far"), (τ, "the number of this step"),
    ),
    assumptions=(Assumption(start, "the average starts at 0"), Assumption(update, "each step adds a share of what is new"), Assumption(ne(c, 0), "the gradient is not 0")),
    prompt=f"Why does Adam divide its averages by {1 - β1**t} and {1 - β2**t}? What would the first steps be without it?",
    sixty_seconds=(
        f"Each step multiplies the average by {β1} and adds {1 - β1} times the new gradient. From 0, and unrolled, it is a sum of all gradients with the weights {(1 - β1) * weight(β1, t, l)}: the newest has {1 - β1}, and each one before it {β1} times the weight of the next. "
        f"The weights add up to {1 - β1**t} and not to 1, so if the gradients have one mean {μ}, the average has the mean {(1 - β1**t) * μ}: dividing by the sum of the weights is the whole correction. A constant gradient then gives a step of almost exactly the rate, from the first step on. "
        f"Without it the second average is too small for longer than the first, and the first step is {first_steps(1)}, about 3.16 times the rate."
    ),
    strong=(
        f"Says that {v} is a second moment and no variance, so that a steady state moves by {α * μ / sqrt(μ**2 + s**2)}: the rate times a signal-to-noise ratio, less than the rate. Says which hypothesis is behind it all: "
        "the gradients keep their mean and second moment, and may depend on each other."
    ),
    weak=f"Says that the correction removes a warm-up: right, but asked why the first uncorrected step is too large, and not too small, the answer needs {sqrt(v)} in the denominator.",
    convention=(
        f"Gradients are numbered from 0, the oldest one, so that {g[l]} has seen as many factors {β1} as there were steps after it: its weight is {(1 - β1) * weight(β1, t, l)}. Part A shows that the recursion comes to this sum, for "
        f"any sequence of gradients and so for every outcome of random ones; {m} and {v} then stand for it. The usual values are {eq(β1, defaults[0])}, {eq(β2, defaults[1])} and {eq(ε, lift(10) ** -8)}."
    ),
    sanity=(
        ("First step", f"At {eq(t, 1)} the weights are {1 - β1} alone, so the corrected average is the gradient."),
        ("Many steps", f"{β1**t} tends to 0, and the correction fades."),
        ("Scale", f"With {eq(ε, 0)} the step does not change when all gradients are multiplied by a positive number."),
    ),
    mistakes=(
        Mistake(eq(E(m, g), μ), f"That holds of the corrected average: the weights sum to {1 - β1**t}."),
        Mistake(eq(E(v_hat, g), s**2), f"The second average is not centred: its mean is {s**2 + μ**2}, and a constant gradient has {eq(s, 0)}."),
        Mistake(eq(E(m, g), (1 - β1) ** t * μ), f"The power belongs to the decay {β1} and not to {1 - β1}."),
        Mistake(eq(u[n], (1 - β) * Σ(β**k * h[k], k)), "That is the order of time turned round: the oldest number would weigh most, and the newest hardly at all."),
        Mistake(eq(step, α * c / (c**2 + ε)), "The root is forgotten: the step would shrink as the gradient grows."),
    ),
    prerequisites=("momentum-ema", "variance-of-mean"),
    follow_ups=("gd-quadratic-convergence",),
    kernels=(
        Kernel(
            "adam_step", (G, M, V, τ, α, β1, β2, ε), (("step", α * (new_M / (1 - β1**τ)) / (sqrt(new_V / (1 - β2**τ)) + ε)), ("first", new_M), ("second", new_V)),
            "A step of Adam, to be taken off the parameters, and the new averages.",
        ),
    ),
    numbers=(
        Number(first_steps(1), "3.16", "the first step without the correction, in rates"),
        Number(first_steps(12), "6.57", "the largest, which is the twelfth"),
        Number(1 - defaults[1] ** 1000, "0.632", "the share of its value that the second average has reached after 1000 steps"),
    ),
    references=("D. P. Kingma and J. Ba, “Adam: A Method for Stochastic Optimization”, ICLR 2015, section 3",),
)  # fmt: skip


@entry.proves(unrolled, "The recursion unrolled")
def unrolling():
    none, more = index("k", ZERO), index("k", succ(n))
    base = (
        calc(u[ZERO])
        .eq((1 - β) * 0,                                                            given(start))
        .eq((1 - β) * Σ(weight(β, ZERO, none) * h[none], none),                     empty_product)
    )  # fmt: skip
    step = (
        calc(u[succ(n)])
        .eq(β * u[n] + (1 - β) * h[n],                                              given(update))
        .eq(β * ((1 - β) * Σ(weight(β, n, k) * h[k], k)) + (1 - β) * h[n],          given(unrolled))
        .eq((1 - β) * (Σ(weight(β, succ(n), k) * h[k], k) + weight(β, succ(n), n) * h[n]),    powers, linearity)
        .eq((1 - β) * Σ(weight(β, succ(n), more) * h[more], more),                  last_factor)
    )  # fmt: skip
    return by_induction(n, base, step)


@entry.proves(total, "The weights of a moving average")
def weights():
    none, more = index("k", ZERO), index("k", succ(n))
    base = (
        calc((1 - β) * Σ(weight(β, ZERO, none), none))
        .eq((1 - β) * 0,                                                            empty_product)
        .eq(1 - β**ZERO)
    )  # fmt: skip
    step = (
        calc((1 - β) * Σ(weight(β, succ(n), more), more))
        .eq((1 - β) * (Σ(weight(β, succ(n), k), k) + weight(β, succ(n), n)),        last_factor)
        .eq(β * ((1 - β) * Σ(weight(β, n, k), k)) + (1 - β),                        powers, linearity)
        .eq(β * (1 - β**n) + (1 - β),                                               given(total))
        .eq(1 - β ** succ(n),                                                       powers)
    )  # fmt: skip
    return by_induction(n, base, step)


@entry.proves(eq(E(m, g), (1 - β1**t) * μ), "The mean of the first average", main=True)
def first_average():
    return (
        calc(E(m, g))
        .eq((1 - β1) * Σ(weight(β1, t, l) * E(g[l], g), l),                                    by(m), linearity)
        .eq((1 - β1) * Σ(weight(β1, t, l), l) * μ,                                        moments, linearity)
        .eq((1 - β1**t) * μ,                                                        weights)
    )  # fmt: skip


@entry.proves(eq(E(v, g), (1 - β2**t) * (s**2 + μ**2)), "The mean of the second average")
def second_average():
    return (
        calc(E(v, g))
        .eq((1 - β2) * Σ(weight(β2, t, l) * E(g[l] ** 2, g), l),                               by(v), linearity)
        .eq((1 - β2) * Σ(weight(β2, t, l), l) * (s**2 + μ**2),                                 moments, linearity)
        .eq((1 - β2**t) * (s**2 + μ**2),                                            weights)
    )  # fmt: skip


@entry.proves(eq(E(m_hat, g), μ), "The correction makes the first average unbiased")
def corrected():
    return (
        calc(E(m_hat, g))
        .eq(E(m, g) / (1 - β1**t),                                                  by(m_hat), linearity)
        .eq(μ,                                                                      first_average)
    )  # fmt: skip


@entry.proves(eq(E(v_hat, g), s**2 + μ**2), "And the second one, for the second moment")
def corrected_second():
    return (
        calc(E(v_hat, g))
        .eq(E(v, g) / (1 - β2**t),                                                  by(v_hat), linearity)
        .eq(s**2 + μ**2,                                                            second_average)
    )  # fmt: skip


@entry.proves(lt(0, E(v_hat, g)), "The second one is positive")
def positive_second():
    return nonnegative(
        calc(E(v_hat, g))
        .eq(s**2 + μ**2,                                                            corrected_second)
    )  # fmt: skip


@entry.proves(eq(α * drift, α * μ / sqrt(s**2 + μ**2)), "The steady state")
def steady():
    return discharged(
        calc(α * drift)
        .eq(α * μ / sqrt(s**2 + μ**2),                                              corrected, corrected_second),
        positive_second,
    )  # fmt: skip


@entry.proves(lt((α * μ / sqrt(s**2 + μ**2)) ** 2, α**2), "It moves by less than the rate")
def less_than_the_rate():
    return from_gap(
        calc(α**2 - (α * μ / sqrt(s**2 + μ**2)) ** 2)
        .eq(α**2 - (α * μ) ** 2 / sqrt(s**2 + μ**2) ** 2)
        .eq(α**2 - (α * μ) ** 2 / (s**2 + μ**2),                                    root_of_square)
        .eq(α**2 * s**2 / (s**2 + μ**2))
    )  # fmt: skip


@entry.proves(eq(first, (1 - β1**t) * c), "The average of a constant")
def constant_average():
    return (
        calc(first)
        .eq((1 - β1) * Σ(weight(β1, t, l), l) * c,                                             by(first), linearity)
        .eq((1 - β1**t) * c,                                                        weights)
    )  # fmt: skip


@entry.proves(eq(step, α * c / (abs_(c) + ε)), "A constant gradient: every step is the rate")
def constant():
    return (
        calc(step)
        .eq(α * ((1 - β1**t) * c / (1 - β1**t)) / (sqrt((1 - β2**t) * c**2 / (1 - β2**t)) + ε),       constant_average)
        .eq(α * c / (sqrt(c**2) + ε))
        .eq(α * c / (abs_(c) + ε),                                                  root_of_square)
    )  # fmt: skip


@entry.proves(
    eq(uncorrected, α * (1 - β1**t) / sqrt(1 - β2**t) * (c / abs_(c))),
    "Without the correction the averages are not yet of one size",
)
def without():
    return (
        calc(uncorrected)
        .eq(α * ((1 - β1**t) * c) / (sqrt(1 - β2**t) * sqrt(c**2)),                 root_of_product)
        .eq(α * (1 - β1**t) / sqrt(1 - β2**t) * (c / abs_(c)),                      root_of_square)
    )  # fmt: skip
