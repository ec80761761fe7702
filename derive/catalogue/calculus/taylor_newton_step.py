"""The step that minimises the second-order model, −H⁻¹∇f, and what the first-order model says of −∇f."""

from random import Random

from derive.language.array import push
from derive.language.notation import squared_norm
from derive.language.term import (
    TRUE,
    Σ,
    D,
    eq,
    forall,
    iff,
    indices,
    inv,
    invertible,
    le,
    let,
    lift,
    mapping,
    matrix,
    posdef,
    sizes,
    slope_of,
    var,
    vector,
)  # fmt: skip
from derive.logic.arguments import carried, discharged, entrywise, from_gap, instance, together
from derive.logic.calc import calc
from derive.logic.rules.reasons import (
    by,
    definite_form,
    given,
    inverse,
    linearity,
    map_rule,
    multiplied,
    multiplied_out,
    product_rule,
    regular,
    sift,
)  # fmt: skip
from derive.record import Assumption, Derivation, Kernel, Mistake

(n,) = sizes("n")
i, j, k, l = indices("i j k l", n)
θ, s, g, b = (var(name, n) for name in ("θ", "s", "g", "b"))
H = var("H", n, n, dom="definite")
c, t = var("c"), var("t")
f, slope = mapping("f"), slope_of("f")
best = let("s*", -(inv(H) @ g))
model = let("m", c + g @ s + s @ (H @ s) / 2)
least = let("m*", c + g @ best + best @ (H @ best) / 2)
gap = (s - best) @ (H @ (s - best)) / 2
goal = let("θ*", -(inv(H) @ b))
quadratic = let("q", c + b @ θ + θ @ (H @ θ) / 2)
lowest = let("q*", c + b @ goal + goal @ (H @ goal) / 2)
linear = c + g @ (-(t * g))

curvature = let("H_f", D(slope(θ), θ))
best_f = let("s_f*", -(inv(curvature) @ slope(θ)))
model_f = let("m_f", f(θ) + slope(θ) @ s + s @ (curvature @ s) / 2)
least_f = let("m_f*", f(θ) + slope(θ) @ best_f + best_f @ (curvature @ best_f) / 2)

symmetric, definite = forall(eq(H[i, j], H[j, i]), i, j), posdef(H)

entry = Derivation(
    module=__name__,
    title="The Newton step",
    claim=eq(model - least, gap),
    goal="Minimise the second-order model of a function exactly, and see how far one such step goes on a quadratic.",
    priority="important",
    given=(
        (n, "number of parameters"),
        (θ, "the parameters"),
        (s, "a step"),
        (c, "the value of the function at the parameters"),
        (g, "its gradient there"),
        (H, "its matrix of second derivatives there"),
        (model, "the second-order model: what the function is after the step, to second order"),
        (best, "the Newton step"),
        (least, "the model’s value there"),
        (b, "the linear part of a quadratic"),
        (quadratic, "a quadratic function of the parameters"),
        (goal, "the parameters at which it is least"),
        (lowest, "its value there"),
        (f(θ), "any function"),
        (slope(θ), "its gradient"),
        (curvature, "its second derivatives"),
        (model_f, "its second-order model"),
        (best_f, "its Newton step"),
        (least_f, "the model’s value there"),
        (t, "a step length"),
    ),
    assumptions=(
        Assumption(symmetric, "second derivatives are continuous, so their order does not matter"),
        Assumption(definite, "the matrix of second derivatives is positive definite"),
        Assumption(forall(eq(curvature[i, j], curvature[j, i]), i, j), "those of the function are continuous"),
        Assumption(posdef(curvature), "and their matrix is positive definite"),
    ),
    convention=f"A step {s} leads from {θ} to {θ + s}. The Newton step leads to {θ - inv(H) @ g}. Gradients are columns.",
    prompt="Where does Newton’s method get its step from? Derive it from the second-order Taylor model, say what it needs, and say what the first-order model has to offer instead.",
    sixty_seconds=(
        f"To second order the function after a step is {c + g @ s + s @ (H @ s) / 2}. Its gradient in the step is {g + H @ s}; set it to 0 and the step is {best}. That it is a "
        f"minimum is an identity: the model exceeds its value there by {gap}, and a positive definite matrix makes that positive for every other step. On a quadratic the model "
        f"is the function, so one step from anywhere ends at the minimum. The first-order model has no minimum; all it says is that along the negative gradient it falls, by {t * squared_norm(g)}, for as long as it can be trusted."
    ),
    strong=(
        "Says what breaks: with an indefinite matrix the step goes to a saddle of the model, and far from the minimum the model may not hold, hence damping and trust regions. Solves a linear system and forms no inverse."
    ),
    weak="Sets the gradient of the model to 0 and stops. A stationary point of a quadratic form need not be a minimum; that is what the condition on the second derivatives is for.",
    sanity=(
        ("Shapes", f"{inv(H)} is {n} by {n} and {g} has {n} entries, so {best} can be added to {θ}."),
        ("One parameter", "With one parameter the step is the first derivative divided by the second, with a minus."),
        ("Scale", "The function times ten has ten times the gradient and ten times the second derivatives: the step stays. A gradient step becomes ten times as long."),
    ),
    mistakes=(
        Mistake(eq(H @ best, g), "The sign is lost: that step would climb."),
        Mistake(eq(D(model, s), g + 2 * (H @ s)), "The model has a factor of a half, which the two equal parts of the product rule use up."),
        Mistake(eq(model - least, (s - best) @ (H @ (s - best))), "The half is missing from the gap as well."),
        Mistake(eq(linear, c - t * (g @ g) / 2), "Half the drop is what is left at the best step length when curvature 1 is counted in; the first-order model knows no curvature."),
    ),
    prerequisites=("steepest-ascent",),
    follow_ups=("gd-quadratic-convergence", "logistic-hessian"),
    kernels=(Kernel("newton_step", (θ, g, H), (("parameters", θ - inv(H) @ g),), "One Newton step."),),
    references=("S. Boyd and L. Vandenberghe, Convex Optimization, section 9.5",),
)  # fmt: skip


def is_invertible():
    """Return the proof that a positive definite matrix has an inverse."""
    return carried(calc(TRUE).iff(invertible(H), regular))


@entry.proves(eq(D(model, s), g + H @ s), "The model’s gradient")
def gradient():
    return (
        calc(D(model, s[k]))
        .eq(g[k] + D(Σ(s[i] * Σ(H[i, j] * s[j], j), i), s[k]) / 2,               by(model), linearity, sift)
        .eq(g[k] + (Σ(H[k, j] * s[j], j) + Σ(s[i] * H[i, k], i)) / 2,            product_rule, linearity, sift)
        .eq(g[k] + Σ(H[k, j] * s[j], j),                                         given(symmetric, at=H[i, k]))
        .array(D(model, s), g + H @ s, k)
    )  # fmt: skip


@entry.proves(eq(H @ best, -g), "The Newton step makes it vanish")
def stationary():
    return discharged(
        calc((H @ best)[k])
        .eq((H @ -(inv(H) @ g))[k],                                              by(best))
        .eq(-(H @ (inv(H) @ g))[k],                                              linearity)
        .eq(-g[k],                                                               inverse)
        .array(H @ best, -g, k),
        is_invertible(),
    )  # fmt: skip


@entry.proves(eq(model - least, gap), "The gap above the minimum", main=True)
def excess():
    def form(u, v):
        return u @ (H @ v)

    cross = Σ(s[k] * H[k, l] * best[l], k, l)
    return discharged(
        calc(model - least)
        .eq(Σ(g[i] * (s[i] - best[i]), i) + (form(s, s) - form(best, best)) / 2,                     by(model, least), linearity)
        .eq(Σ(-(H @ best)[i] * (s[i] - best[i]), i) + (form(s, s) - form(best, best)) / 2,           stationary)
        .eq((form(s, s) - form(s, best) - form(s, best) + form(best, best)) / 2,                      linearity)
        .eq((form(s, s) - form(s, best) - cross + form(best, best)) / 2,                             multiplied_out)
        .eq((form(s, s) - form(s, best) - form(best, s) + form(best, best)) / 2,                     given(symmetric, at=H[k, l]), multiplied_out)
        .eq(gap,                                                                                     linearity),
        is_invertible(),
    )  # fmt: skip


@entry.proves(le(least, model), "The Newton step minimises the model")
def minimum():
    form = calc(lift(0)).le(push((s - best) @ (H @ (s - best))), definite_form(H, s - best))
    return discharged(from_gap(calc(model - least).eq(gap, excess), form), is_invertible())


@entry.proves(iff(eq(model, least), forall(eq(s[i], best[i]), i)), "No other step does")
def unique():
    return discharged(
        calc(eq(model, least))
        .iff(eq(model - least, 0),                                               multiplied(eq(model - least, 0), lift(1)))
        .iff(eq(gap, 0),                                                         excess)
        .iff(eq((s - best) @ (H @ (s - best)), 0),                               multiplied(eq((s - best) @ (H @ (s - best)), 0), lift(1) / 2))
        .iff(forall(eq((s - best)[i], 0), i),                                    definite_form(H, s - best))
        .iff(forall(eq(s[i], best[i]), i),                                       multiplied(eq(s[i], best[i]), lift(1))),
        is_invertible(),
    )  # fmt: skip


# ---- of a function: its own gradient and second derivatives -----------------------------------------------------------

of_a_function = ((c, f(θ)), (g, slope(θ)), (H, curvature), (model, model_f), (best, best_f), (least, least_f))
words = ("the model with ", f(θ), ", its gradient and its second derivatives")


@entry.proves(eq(model_f - least_f, (s - best_f) @ (curvature @ (s - best_f)) / 2), "The model of a function: the gap")
def excess_of_a_function():
    return instance(excess.theorem, *of_a_function, words=words)


@entry.proves(le(least_f, model_f), "The Newton step of a function minimises its model")
def minimum_of_a_function():
    return instance(minimum.theorem, *of_a_function, words=words)


on_a_quadratic = ((g, b), (s, θ), (model, quadratic), (best, goal), (least, lowest))


@entry.proves(eq(quadratic - lowest, (θ - goal) @ (H @ (θ - goal)) / 2), "A quadratic is its own model")
def own_model():
    return instance(excess.theorem, *on_a_quadratic, words=("the model at 0, with ", b, " for its gradient"))


@entry.proves(eq(D(quadratic, θ), b + H @ θ), "The gradient of a quadratic")
def quadratic_gradient():
    return instance(gradient.theorem, *on_a_quadratic[:3], words=("the model’s gradient",))


@entry.proves(eq(θ - inv(H) @ (b + H @ θ), goal), "On a quadratic one step ends at the minimum, from anywhere")
def one_step():
    return discharged(
        calc((θ - inv(H) @ (b + H @ θ))[k])
        .eq(θ[k] - (inv(H) @ (H @ θ))[k] - (inv(H) @ b)[k],                      linearity)
        .eq(-(inv(H) @ b)[k],                                                    inverse)
        .eq(goal[k],                                                             by(goal))
        .array(θ - inv(H) @ (b + H @ θ), goal, k),
        is_invertible(),
    )  # fmt: skip


@entry.proves(eq(linear, c - t * squared_norm(g)), "The first-order model falls along the negative gradient")
def first_order():
    return (
        calc(linear)
        .eq(c - t * Σ(g[i] ** 2, i),                                             linearity)
        .eq(c - t * squared_norm(g),                                             by("squared_norm"))
    )  # fmt: skip


@entry.proves(
    eq(D(f(θ - t * slope(θ)), t), -(slope(θ - t * slope(θ)) @ slope(θ))),
    "The rate of change along the negative gradient",
)
def rate():
    return (
        calc(D(f(θ - t * slope(θ)), t))
        .eq(Σ(slope(θ - t * slope(θ))[i] * D(θ[i] - t * slope(θ)[i], t), i),     map_rule)
        .eq(-(slope(θ - t * slope(θ)) @ slope(θ)),                               linearity).note("at the start it is minus the squared length of the gradient")
    )  # fmt: skip


@entry.example("Two parameters: the step solves the linear system")
def two_parameters(rng: Random):
    off = rng.choice((1, -1, 2))
    hessian = [[rng.randint(2, 4) + abs(off), off], [off, rng.randint(1, 3) + abs(off)]]
    step = rng.sample([-3, -2, -1, 1, 2, 3], 2)
    minus_gradient = [sum(a * b for a, b in zip(row, step, strict=True)) for row in hessian]
    (a, b), (_, d) = hessian
    e, h = minus_gradient
    check = entrywise(
        eq(matrix(hessian) @ vector(step), vector(minus_gradient)),
        lambda row_times_step, number: calc(row_times_step).eq(number),
    )
    return together(
        calc((lift(d) * e - lift(b) * h) / lift(a * d - b * b))
        .part(f"With the second derivatives {matrix(hessian)} and the gradient {vector([-e, -h])}: the first entry, once the other is eliminated")
        .eq(step[0]),
        check,
    )  # fmt: skip
