"""Gradient descent on a quadratic: e_t = (1 − αλ)ᵗe₀, so it converges for α < 2/λ_max, best at 2/(λ_min + λ_max)."""

from fractions import Fraction
from math import inf
from random import Random

from derive.language.notation import abs_
from derive.language.term import (
    NATURALS,
    ZERO,
    Σ,
    D,
    Term,
    array,
    both,
    eq,
    forall,
    iff,
    index,
    indices,
    le,
    let,
    lift,
    lt,
    natural,
    ne,
    size,
    substitute,
    succ,
    tends,
    var,
    δ,
)  # fmt: skip
from derive.logic.arguments import (
    by_cases,
    by_induction,
    carried,
    discharged,
    equivalent,
    for_all,
    from_gap,
    given_at,
    instance,
    limit,
    nonnegative,
    rearranged,
    together,
)
from derive.logic.calc import calc
from derive.logic.rules.reasons import (
    absolute_bound,
    branch,
    by,
    forall_and,
    geometric_limit,
    given,
    linearity,
    multiplied,
    multiplied_out,
    parity,
    power_rule,
    powers,
    product_rule,
    sift,
    use,
)
from derive.logic.theorem import assume
from derive.record import Assumption, Derivation, Kernel, Mistake, Number

d = size("d"); (i, l), (a, b) = indices("i l", d), indices("a b", d); top = index("max", d)
t, n, k = natural("t"), natural("n"), index("k", NATURALS)
α, λ, Q, minimum = var("α"), var("λ", d, dom="positive"), var("Q", d, d, dom="orthonormal"), var("x*", d)
x, w, u, ρ = var("x", NATURALS, d), var("w", d), var("u"), var("ρ")
H = let("H", array(Σ(Q[i, a] * λ[a] * Q[l, a], a), i, l)); f = let("f", Σ((w[i] - minimum[i]) * H[i, l] * (w[l] - minimum[l]), i, l) / 2)
m, M, c = (var(name, dom="positive") for name in "mMc"); κ = let("κ", M / m); best, rate = 2 / (m + M), (κ - 1) / (κ + 1)


def e(step: Term, coordinate: Term) -> Term:
    """Return the distance from the minimum after some steps, along an eigenvector."""
    return Σ(Q[i, coordinate] * (x[step, i] - minimum[i]), i)


def distance(step: Term) -> Term:
    """Return the squared distance from the minimum after some steps."""
    return Σ((x[step, i] - minimum[i]) ** 2, i)


descent = forall(eq(x[succ(k), i], x[k, i] - α * Σ(H[i, l] * (x[k, l] - minimum[l]), l)), k, i)
columns, rows = forall(eq(Σ(Q[i, a] * Q[i, b], i), δ(a, b)), a, b), forall(eq(Σ(Q[i, a] * Q[l, a], a), δ(i, l)), i, l)
largest = forall(le(λ[a], λ[top]), a)
generic = forall(ne(e(ZERO, a), 0), a)
short, upward, onward = lt(α, 2 / λ[top]), lt(0, α), lt(1 - α * λ[a], 1)
flattest, sharpest = forall(le(m, λ[a]), a), forall(le(λ[a], M), a)
best_descent = substitute(descent, {α: best})
flat, steep, above, below = le(abs_(1 - α * m), ρ), le(abs_(1 - α * M), ρ), le(m, c), le(c, M)
factor = 1 - α * λ[a]

v = var("v")

entry = Derivation(
    module=__name__,
    title="Gradient descent on a quadratic",
    claim=iff(forall(tends(e(t, a), t, inf, 0), a), both(short, upward)),
    goal="Solve gradient descent on a quadratic exactly, read off for which learning rates it converges, and find the best of them with its rate.",
    priority="critical",
    given=(
        (d, "number of parameters"), (λ, "eigenvalues of the Hessian"), (Q, "its eigenvectors, one a column"), (H, "the Hessian"), (minimum, "the minimum"), (w, "parameters"),
        (f, "the loss"), (α, "learning rate"), (x, "the iterates"), (t, "number of steps"), (n, "another"), (m, "least curvature"), (M, "largest curvature"), (c, "any curvature between them"), (κ, "condition number"), (ρ, "a bound of the factors"), (u, "any number"),
        (v, "a parameter by itself"),
    ),
    assumptions=(
        Assumption(columns, "eigenvectors have length 1 and are orthogonal (the spectral theorem)"),
        Assumption(rows, "and they are a basis"),
        Assumption(descent, "each step goes against the gradient"),
        Assumption(largest, "the largest eigenvalue"),
        Assumption(generic, "the start has a part along every eigenvector"),
        Assumption(short, "the learning rate is small enough"),
        Assumption(upward, "the learning rate is positive"),
        Assumption(flat, "the factor of the flattest direction is bounded"),
        Assumption(steep, "that of the steepest direction as well"),
        Assumption(above, "no curvature is smaller than the least"),
        Assumption(below, "none is larger than the largest"),
        Assumption(flattest, "no eigenvalue is smaller than the least curvature"),
        Assumption(sharpest, "none is larger than the largest"),
        Assumption(best_descent, "each step goes against the gradient, at the best learning rate"),
    ),
    convention=(
        f"The Hessian is given by its eigenvectors, {eq(H[i, l], Σ(Q[i, a] * λ[a] * Q[l, a], a))}, all eigenvalues positive: that a symmetric matrix has such a basis is the spectral theorem, which is "
        f"cited. {e(t, a)} is the distance from the minimum along eigenvector {a} after {t} steps. The index {top} stands for a largest eigenvalue; {m} and {M} are the extreme curvatures, {eq(κ, M / m)}."
    ),
    prompt="Why does gradient descent diverge when the learning rate is too large? On a quadratic, give the exact condition, the best learning rate and its rate of convergence.",
    sixty_seconds=(
        f"In the eigenbasis of the Hessian the coordinates do not see each other, and each step multiplies the distance from the minimum by {factor}. After {t} steps that is {factor**t}, which goes to "
        f"0 just if {lt(abs_(factor), 1)}, so {lt(0, α)} and {lt(α, 2 / λ[a])} for every eigenvalue: the steepest direction decides, and {lt(α, 2 / λ[top])}. The slowest direction is the flat one or the "
        f"steep one; the best rate makes the two equal, {eq(α, best)}, and leaves the factor {rate} with {eq(κ, M / m)}. Bad conditioning is slow: momentum replaces {κ} by its root."
    ),
    strong=(
        f"Proves that no constant learning rate does better than {rate}, as an inequality of its own, and says what “only if” needs: a start with a part along every eigenvector, since from a start on a flat "
        "direction even a large rate converges. Adds that near a minimum every smooth loss looks like this, so the largest eigenvalue of the Hessian bounds the learning rate of a network as well."
    ),
    weak="Says that large steps overshoot. So does every step with a negative factor that still converges: the distance must grow, and that is a matter of 2 over the curvature, not of 1 over it.",
    sanity=(
        ("One step", f"With {eq(κ, 1)} the best learning rate is {1 / M} and the rate is 0: round bowls take one step."),
        ("Edge", f"At {eq(α, 2 / λ[top])} the steepest factor is −1: it jumps to and fro for ever."),
        ("Divergence", f"On {v**2} the curvature is 2, so {lift(Fraction(11, 10))} is too large: each step multiplies by {lift(Fraction(-6, 5))}."),
    ),
    mistakes=(
        Mistake(eq(e(t, a), factor * e(ZERO, a)), "That is one step: the factor is applied once in every step."),
        Mistake(iff(lt(abs_(factor), 1), both(lt(α, 1 / λ[a]), upward)), "That is where the factor stays positive. Between 1 and 2 over the curvature it overshoots and still converges."),
        Mistake(le(abs_(1 - α * c), rate), "The rate holds at the best learning rate, and at no other one in general."),
        Mistake(eq(best, 1 / M), "That is the safe choice, and takes about twice as many steps: the best one lets the steepest direction overshoot."),
    ),
    prerequisites=("eigen-2x2",),
    follow_ups=("momentum-ema",),
    kernels=(
        Kernel("best_step_and_rate", (m, M), (("step", 2 / (m + M)), ("rate", (M - m) / (M + m))), "The best constant learning rate on a quadratic of given curvatures, and its factor a step."),
    ),
    numbers=(
        Number(lift(Fraction(6, 5)) ** 10, "6.19", "growth of the distance in ten steps on the square at learning rate 1.1"),
        Number(lift(Fraction(99, 101)) ** 100, "0.135", "what is left after a hundred of the best steps at condition number 100"),
    ),
    references=("Y. Nesterov, Lectures on Convex Optimization, section 2.1.5", "G. Goh, “Why Momentum Really Works”, Distill 2017"),
)  # fmt: skip


@entry.proves(eq(D(f, w), H @ (w - minimum)), "The gradient")
def gradient():
    return (
        calc(D(f, w[a]))
        .eq((Σ(H[a, l] * (w[l] - minimum[l]), l) + Σ((w[i] - minimum[i]) * H[i, a], i)) / 2,    by(f), product_rule, linearity, sift)
        .eq(Σ(H[a, l] * (w[l] - minimum[l]), l),                                 by(H))
        .array(D(f, w), H @ (w - minimum), a)
    )  # fmt: skip


@entry.proves(eq(e(succ(n), a), factor * e(n, a)), "One step along an eigenvector")
def one_step():
    return (
        calc(e(succ(n), a))
        .eq(e(n, a) - α * Σ(Q[i, a] * Σ(H[i, l] * (x[n, l] - minimum[l]), l), i),          given(descent), linearity)
        .eq(e(n, a) - α * Σ(λ[b] * Σ(Q[i, a] * Q[i, b], i) * e(n, b), b),        by(H), multiplied_out)
        .eq(factor * e(n, a),                                                    given(columns), sift)
    )  # fmt: skip


@entry.proves(eq(e(n, a), factor**n * e(ZERO, a)), "All steps")
def closed_form():
    return by_induction(
        n,
        calc(e(ZERO, a)).eq(factor**ZERO * e(ZERO, a)),
        calc(e(succ(n), a))
        .eq(factor * e(n, a),                                                    one_step)
        .eq(factor * (factor**n * e(ZERO, a)),                                   given(eq(e(n, a), factor**n * e(ZERO, a))))
        .eq(factor ** succ(n) * e(ZERO, a),                                      powers),
    )  # fmt: skip


@entry.proves(iff(lt(abs_(factor), 1), both(lt(α, 2 / λ[a]), onward)), "When a factor shrinks")
def contracting():
    return (
        calc(lt(abs_(factor), 1))
        .iff(both(lt(-lift(1), factor), lt(factor, 1)),                      absolute_bound)
        .iff(both(lt(α, 2 / λ[a]), onward),                                      multiplied(lt(α, 2 / λ[a]), λ[a]))
    )  # fmt: skip


@entry.proves(le(2 / λ[top], 2 / λ[a]), "The steepest direction decides")
def steepest():
    return from_gap(
        calc(2 / λ[a] - 2 / λ[top]).eq(2 * (λ[top] - λ[a]) / (λ[a] * λ[top])),
        rearranged(given_at(largest, a), le(0, λ[top] - λ[a])),
    )


@entry.proves(iff(forall(lt(α, 2 / λ[a]), a), short), "One condition for all directions")
def one_condition():
    return equivalent(
        given_at(forall(lt(α, 2 / λ[a]), a), top),
        for_all(calc(α).lt(2 / λ[top], given(short)).le(2 / λ[a], steepest), a),
    )


@entry.proves(iff(forall(onward, a), upward), "The sign of the learning rate")
def sign_of_rate():
    return equivalent(
        rearranged(given_at(forall(onward, a), top), upward, λ[top]),
        for_all(rearranged(calc(0).lt(α, given(upward)), onward, 1 / λ[a]), a),
    )


@entry.proves(entry.claim, "Convergence along every eigenvector", main=True)
def convergence():
    return (
        calc(forall(tends(e(t, a), t, inf, 0), a))
        .iff(forall(tends(factor**t * e(ZERO, a), t, inf, 0), a),                closed_form)
        .iff(forall(lt(abs_(factor), 1), a),                                     geometric_limit)
        .iff(forall(both(lt(α, 2 / λ[a]), onward), a),                           contracting)
        .iff(both(forall(lt(α, 2 / λ[a]), a), forall(onward, a)),                forall_and)
        .iff(both(short, upward),                                                one_condition, sign_of_rate)
    )  # fmt: skip


# ---- from every start, in the parameters themselves ------------------------------------------------------------------


@entry.proves(eq(minimum[i] + Σ(Q[i, a] * (factor**n * e(ZERO, a)), a), x[n, i]), "The iterates in closed form")
def iterates():
    return (
        calc(minimum[i] + Σ(Q[i, a] * (factor**n * e(ZERO, a)), a))
        .eq(minimum[i] + Σ(Q[i, a] * e(n, a), a),                                closed_form)
        .eq(minimum[i] + Σ(Σ(Q[i, a] * Q[l, a], a) * (x[n, l] - minimum[l]), l), multiplied_out)
        .eq(x[n, i],                                                             given(rows), sift)
    )  # fmt: skip


@entry.proves(lt(abs_(factor), 1), "Every factor shrinks")
def every_factor():
    return carried(
        calc(both(lt(α, 2 / λ[a]), onward)).iff(lt(abs_(factor), 1), contracting),
        together(calc(α).lt(2 / λ[top], given(short)).le(2 / λ[a], steepest), rearranged(calc(0).lt(α, given(upward)), onward, 1 / λ[a])),
    )


@entry.proves(tends(x[t, i], t, inf, minimum[i]), "From every start to the minimum")
def from_every_start():
    closed = tends(minimum[i] + Σ(Q[i, a] * (factor**t * e(ZERO, a)), a), t, inf, minimum[i])
    return carried(
        calc(closed).iff(tends(x[t, i], t, inf, minimum[i]),                     iterates),
        discharged(limit(closed), for_all(every_factor.argument, a)),
    )  # fmt: skip


# ---- the best learning rate ------------------------------------------------------------------------------------------


@entry.proves(le(u, abs_(u)), "A number is at most its absolute value")
def at_most_absolute():
    never_negative = use(nonnegative(calc(abs_(u)).eq(abs_(u))).theorem, "an absolute value is never negative")
    return by_cases(
        u,
        from_gap(calc(abs_(u) - u).eq(0,                                         branch("abs", 0))),
        calc(u).le(0, given(le(u, 0))).le(abs_(u), never_negative),
    )  # fmt: skip


@entry.proves(le(rate, ρ), "No learning rate is better")
def no_better():
    first = use(instance(at_most_absolute.theorem, (u, 1 - α * m)).theorem, "a number is at most its absolute value")
    second = use(instance(at_most_absolute.theorem, (u, -(1 - α * M))).theorem, "a number is at most its absolute value")
    return (
        calc(rate)
        .eq((M * (1 - α * m) + m * -(1 - α * M)) / (M + m),                      by(κ))
        .le((M * abs_(1 - α * m) + m * abs_(-(1 - α * M))) / (M + m),            first, second)
        .eq((M * abs_(1 - α * m) + m * abs_(1 - α * M)) / (M + m),               parity)
        .le((M * ρ + m * ρ) / (M + m),                                           given(flat), given(steep))
        .eq(ρ)
    )  # fmt: skip


@entry.proves(le(1 - best * c, rate), "The best learning rate, from above")
def from_above():
    return from_gap(
        calc(rate - (1 - best * c)).eq(2 * (c - m) / (M + m), by(κ)), rearranged(calc(m).le(c, given(above)), le(0, c - m))
    )


@entry.proves(le(-rate, 1 - best * c), "The best learning rate, from below")
def from_below():
    return from_gap(
        calc(1 - best * c - -rate).eq(2 * (M - c) / (M + m), by(κ)), rearranged(calc(c).le(M, given(below)), le(0, M - c))
    )


@entry.proves(le(abs_(1 - best * c), rate), "The best learning rate reaches it")
def reached():
    return carried(
        calc(both(le(-rate, 1 - best * c), le(1 - best * c, rate))).iff(le(abs_(1 - best * c), rate), absolute_bound),
        together(from_below.argument, from_above.argument),
    )


# ---- and with it the distance from the minimum -----------------------------------------------------------------------


@entry.proves(le((1 - best * λ[a]) ** 2, rate**2), "Every factor squared is at most the rate squared")
def squared_factor():
    return from_gap(
        calc(rate**2 - (1 - best * λ[a]) ** 2).eq(4 * (λ[a] - m) * (M - λ[a]) / (M + m) ** 2, by(κ)),
        rearranged(given_at(flattest, a), le(0, λ[a] - m)),
        rearranged(given_at(sharpest, a), le(0, M - λ[a])),
    )


@entry.proves(le(e(n, a) ** 2, (rate**n) ** 2 * e(ZERO, a) ** 2), "Along an eigenvector")
def along():
    step = instance(one_step.theorem, (α, best))
    claim = le(e(n, a) ** 2, (rate**n) ** 2 * e(ZERO, a) ** 2)
    return by_induction(
        n,
        calc(e(ZERO, a) ** 2).eq((rate**ZERO) ** 2 * e(ZERO, a) ** 2),
        calc(e(succ(n), a) ** 2)
        .eq((1 - best * λ[a]) ** 2 * e(n, a) ** 2,                               use(step.theorem, "one step"))
        .le(rate**2 * e(n, a) ** 2,                                              squared_factor)
        .le(rate**2 * ((rate**n) ** 2 * e(ZERO, a) ** 2),                        use(assume(claim), "the claim for n"))
        .eq((rate ** succ(n)) ** 2 * e(ZERO, a) ** 2,                            powers),
    )  # fmt: skip


@entry.proves(eq(Σ(Σ(Q[i, a] * (w[i] - minimum[i]), i) ** 2, a), Σ((w[i] - minimum[i]) ** 2, i)), "The distance in the eigenbasis")
def length():
    return (
        calc(Σ(Σ(Q[i, a] * (w[i] - minimum[i]), i) ** 2, a))
        .eq(Σ((w[i] - minimum[i]) * Σ(Σ(Q[i, a] * Q[l, a], a) * (w[l] - minimum[l]), l), i),         multiplied_out)
        .eq(Σ((w[i] - minimum[i]) ** 2, i),                                      given(rows), sift)
    )  # fmt: skip


@entry.proves(le(distance(n), (rate**n) ** 2 * distance(ZERO)), "At the best learning rate every step shrinks the distance by the rate")
def linear_rate():
    here, there = (
        use(instance(length.theorem, (w, array(x[step, i], i))).theorem, "the distance in the eigenbasis") for step in (n, ZERO)
    )
    return (
        calc(distance(n))
        .eq(Σ(e(n, a) ** 2, a),                                                  here)
        .le(Σ((rate**n) ** 2 * e(ZERO, a) ** 2, a),                              along)
        .eq((rate**n) ** 2 * Σ(e(ZERO, a) ** 2, a),                              linearity)
        .eq((rate**n) ** 2 * distance(ZERO),                                     there)
    )  # fmt: skip


@entry.proves(eq(v - lift(Fraction(11, 10)) * D(v**2, v), lift(Fraction(-6, 5)) * v), "A square at learning rate 1.1")
def square():
    return (
        calc(v - lift(Fraction(11, 10)) * D(v**2, v))
        .eq(v - lift(Fraction(11, 10)) * (2 * v),                                power_rule, linearity)
        .eq(lift(Fraction(-6, 5)) * v)
    )  # fmt: skip


@entry.example("Another parabola")
def another(rng: Random):
    curvature, step = rng.randint(1, 6), lift(Fraction(rng.randint(1, 15), 10))
    return (
        calc(v - step * D(lift(curvature) * v**2 / 2, v))
        .eq(v - step * (curvature * v),                                          power_rule, linearity)
        .eq((1 - step * curvature) * v)
    )  # fmt: skip
