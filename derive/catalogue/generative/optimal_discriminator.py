"""D* = p/(p + q): the best discriminator, what it is worth, and the two gradients of the generator."""

from fractions import Fraction

from derive.language.notation import abs_, exp, kl, log, log1p, σ
from derive.language.term import (
    Σ,
    D,
    Term,
    array,
    both,
    derivative_of,
    eq,
    expect,
    forall,
    function,
    iff,
    index,
    indices,
    integral,
    le,
    let,
    lift,
    lt,
    sizes,
    space,
    var,
)
from derive.logic.arguments import by_cases, from_gap
from derive.logic.calc import calc
from derive.logic.rules.reasons import (
    branch,
    by,
    expectation,
    exponent_sum,
    forall_and,
    function_rule,
    inverse_pair,
    linearity,
    log_number,
    log_rule,
    log_rules,
    multiplied,
    negative_exponent,
    normalisation,
    quotient_rule,
    sigmoid_rule,
    total_mass,
    zero_set,
)  # fmt: skip
from derive.record import Assumption, Derivation, Kernel, Mistake

half = lift(Fraction(1, 2))

# at one point: densities a and b, the discriminator's answer t
a, b, t = var("a", dom="positive"), var("b", dom="positive"), var("t", dom="unit")
best = a / (a + b)
value = a * log(t) + b * log(1 - t)
top = a * log(best) + b * log(1 - best)

# over the whole space
X = space("𝒳"); x = index("x", X)
p, q, disc = var("p", X, dom="positive density"), var("q", X, dom="positive density"), var("D", X, dom="unit")
star = let("D*", array(p[x] / (p[x] + q[x]), x)); m = let("m", array((p[x] + q[x]) / 2, x))
V = let("V", expect(p, log(disc[x]), x) + expect(q, log(1 - disc[x]), x))
V_star = let("V*", expect(p, log(star[x]), x) + expect(q, log(1 - star[x]), x))
kl_p, kl_q = let("KL(p‖m)", expect(p, log(p[x] / m[x]), x)), let("KL(q‖m)", expect(q, log(q[x] / m[x]), x))
jsd = let("JSD", (kl_p + kl_q) / 2)

# on finitely many points, many games at once
N, K = sizes("N K"); (n,), (k,) = indices("n", N), indices("k", K)
P, Q = var("P", N, K, dom="positive density"), var("Q", N, K, dom="positive density")
M = let("M", (P + Q) / 2); star_N = let("D_N*", P / (P + Q))
V_N = let("V_N*", array(Σ(P[n, k] * log(star_N[n, k]) + Q[n, k] * log(1 - star_N[n, k]), k), n))
jsd_N = let("JSD_N", array(Σ(P[n, k] * log(P[n, k] / M[n, k]) + Q[n, k] * log(Q[n, k] / M[n, k]), k) / 2, n))
gaps = Σ(kl(P[n, k], M[n, k]) + kl(Q[n, k], M[n, k]), k)

# from logarithms; and the generator, through the discriminator's logit
lp, lq = var("ℓ_p"), var("ℓ_q")
s, θ = var("s"), var("θ"); φ, dφ = function("φ"), derivative_of("φ")


def integrable(body):
    return Term("integrable", (x, body))


entry = Derivation(
    module=__name__,
    title="The optimal discriminator",
    claim=eq(V_star, 2 * jsd - log(4)),
    goal="Find the discriminator that is best against a fixed generator, what it is worth, and what its generator then learns from it.",
    priority="critical",
    flagship=True,
    given=(
        (p, "density of the data"), (q, "density of the generator"), (disc, f"discriminator: its belief that {x} is data"), (V, "value of the game"),
        (star, "the best discriminator"), (V_star, "the value with it"),
        (m, "mixture of the two"), (kl_p, "divergence of the data from the mixture"), (kl_q, "divergence of the generator from it"), (jsd, "Jensen–Shannon divergence"),
        (a, "density of the data at one point"), (b, "density of the generator there"), (t, "the discriminator’s answer there"),
        (N, "number of games"), (K, "number of outcomes in each"), (P, "probabilities of the data, one game a row"), (Q, "probabilities of the generator"),
        (M, "their mixture"), (star_N, "the best discriminator"), (V_N, "the value with it"), (jsd_N, "Jensen–Shannon divergence of each row"),
        (lp, "logarithm of the data’s density at one point"), (lq, "logarithm of the generator’s"),
        (s, "logit of the discriminator at a generated sample"), (θ, "a parameter of the generator"), (φ(θ), "that logit as a function of the parameter"),
    ),
    assumptions=(
        Assumption(integrable(p[x] * log(disc[x])), "the data’s part of the value is finite"),
        Assumption(integrable(q[x] * log(1 - disc[x])), "the generator’s part of the value is finite"),
        Assumption(integrable(p[x] * log(star[x])), "the data’s part is finite for the best discriminator"),
        Assumption(integrable(q[x] * log(1 - star[x])), "the generator’s part is finite for it"),
        Assumption(integrable(q[x] * log(q[x] / (p[x] + q[x]))), "the same part, with the other share written out"),
        Assumption(integrable(p[x] * log(p[x] / m[x])), "the data’s divergence from the mixture is finite"),
        Assumption(integrable(q[x] * log(q[x] / m[x])), "the generator’s divergence from the mixture is finite"),
    ),
    convention=(
        f"The discriminator answers with a probability strictly between 0 and 1, and both densities are positive. Where one of them is 0 the best "
        f"answer is 0 or 1 itself, reached only if such answers are allowed and 0 times the logarithm of 0 counts as 0. "
        f"{kl(a, b)} is the gap {a * log(a / b) - a + b} of two positive numbers, never negative and 0 where they are equal. "
        f"What holds for all {x} holds up to a set of measure 0."
    ),
    prompt=(
        "Fix the generator of a GAN and derive the best discriminator. What is the game worth then, when is that least, and why is the generator "
        "mostly trained on another loss than the game’s own?"
    ),
    sixty_seconds=(
        f"With the generator fixed the value is one integral, and at each point only the answer there enters: maximise {value} over {t}. "
        f"The slope {a / t - b / (1 - t)} is 0 at {eq(t, best)} alone and the curve bends down everywhere, so that is the maximum: {eq(star[x], p[x] / (p[x] + q[x]))}. "
        f"Put it back: each density is compared with twice the mixture, and the two factors of 2 come out as {-log(4)}, which leaves {eq(V_star, 2 * jsd - log(4))}. "
        f"The divergence is 0 exactly where the densities are equal, so the generator’s best is {-log(4)}, with {half} for every answer. "
        f"By the logit {s} of a fake, {log(1 - σ(s))} has the slope {-σ(s)}, next to nothing where the discriminator sees through the fake; {-log(σ(s))} has the slope "
        f"{-(1 - σ(s))}, close to −1 there."
    ),
    strong=(
        f"Proves a global maximum and its uniqueness at once: what any other answer loses is {kl(a, (a + b) * t) + kl(b, (a + b) * (1 - t))}. Names what is assumed, "
        f"positive densities, and notes that the logit of the best answer is the log ratio of the densities, {eq(best, σ(log(a) - log(b)))}."
    ),
    weak=(
        f"Sets one derivative to 0, quotes the Jensen–Shannon divergence and forgets {-log(4)}. Nothing was said of a maximum, and the value at "
        "equal densities comes out as 0, which one look at the definition refutes."
    ),
    sanity=(
        ("Special value", f"Where {eq(p[x], q[x])} the best answer is {half}, and both expectations are {log(half)}: together {-log(4)}."),
        ("Limit", f"Densities that hardly overlap make {star[x]} nearly 1 on the data and nearly 0 on the fakes: {V_star} goes up to 0 and {jsd} to {log(2)}."),
        ("Symmetry", f"Let data and generator change places: {best} becomes {eq(1 - best, b / (a + b))}, while {m} and {jsd} stay."),
        ("Sign", f"Both logarithms are of probabilities, so every value lies below 0, and {-log(4)} does."),
    ),
    mistakes=(
        Mistake(iff(eq(D(value, t), 0), eq(t, b / (a + b))), "Data and generator are swapped: the answer is the belief that the point is data."),
        Mistake(eq(V_star, 2 * jsd), f"Each density is compared with the mixture, which is half the sum: the two halves leave {-log(4)}."),
        Mistake(eq(V_star, jsd - log(4)), "The divergence is the mean of two, and the value holds their sum."),
        Mistake(le(V_star, -log(4)), f"{-log(4)} is the least that a generator can bring the value down to, and no bound from above."),
        Mistake(eq(D(log(1 - σ(s)), s), -(1 - σ(s))), f"That is the slope of {-log(σ(s))}: the saturating one is small where the discriminator is sure."),
    ),
    prerequisites=("sigmoid-derivative",),
    follow_ups=("elbo",),
    kernels=(
        Kernel("discriminator", (lp, lq), (("belief", σ(lp - lq)),), "The best discriminator, from the logarithms of both densities.", proved_by=("from_logs",)),
        Kernel("jensen_shannon", (P, Q), (("divergence", array(gaps / 2, n)),), "Jensen–Shannon divergence of distributions, row by row.", proved_by=("finite_divergence",)),
        Kernel("game_value", (P, Q), (("value", array(gaps - log(4), n)),), "Value of the game with the best discriminator, for distributions row by row.", proved_by=("finite_worth",)),
        Kernel("both_logs", (s,), (("value", -abs_(s) - 2 * log1p(exp(-abs_(s)))),), "log D + log(1 − D), from the logit of D.", proved_by=("both_logs",)),
        Kernel("saturating_gradient", (s,), (("gradient", -σ(s)),), "Slope of log(1 − D) by the logit of D.", textbook=log(1 - σ(s)), proved_by=("saturating",)),
        Kernel("non_saturating_gradient", (s,), (("gradient", -(1 - σ(s))),), "Slope of −log D by the logit of D.", textbook=-log(σ(s)), proved_by=("non_saturating",)),
    ),
    references=("I. Goodfellow et al., “Generative Adversarial Nets”, NeurIPS 2014, proposition 1 and theorem 1",),
)  # fmt: skip


@entry.proves(eq(D(value, t), a / t - b / (1 - t)), "The slope at one point")
def slope():
    return (
        calc(D(value, t))
        .eq(a * (1 / t * D(t, t)) + b * (1 / (1 - t) * D(1 - t, t)),                linearity, log_rule)
        .eq(a / t - b / (1 - t),                                                    linearity)
    )  # fmt: skip


@entry.proves(iff(eq(D(value, t), 0), eq(t, best)), "The slope is zero at one place")
def stationary():
    return (
        calc(eq(D(value, t), 0))
        .iff(eq(a / t - b / (1 - t), 0),                                            slope)
        .iff(eq(t, best),                                                           multiplied(eq(t, best), -(a + b) / (t * (1 - t))))
    )  # fmt: skip


@entry.proves(lt(D(D(value, t), t), 0), "The curve bends down")
def curvature():
    return from_gap(
        calc(0 - D(D(value, t), t))
        .eq(-D(a / t - b / (1 - t), t),                                             slope)
        .eq(a / t**2 + b / (1 - t) ** 2,                                            quotient_rule, linearity)
    )  # fmt: skip


@entry.proves(eq(top - value, kl(a, (a + b) * t) + kl(b, (a + b) * (1 - t))), "The gap at one point")
def gap():
    return (
        calc(top - value)
        .eq(a * log(a / (a + b)) + b * log(b / (a + b)) - (a * log(t) + b * log(1 - t)))
        .eq(a * log(a / ((a + b) * t)) + b * log(b / ((a + b) * (1 - t))),          log_rules)
        .eq(kl(a, (a + b) * t) + kl(b, (a + b) * (1 - t)),                          by("kl"))
    )  # fmt: skip


@entry.proves(le(value, top), "The best answer at one point")
def pointwise():
    return from_gap(
        calc(top - value)
        .eq(kl(a, (a + b) * t) + kl(b, (a + b) * (1 - t)),                          gap)
    )  # fmt: skip


@entry.proves(iff(eq(value, top), eq(t, best)), "No other answer is as good")
def only_there():
    return (
        calc(eq(value, top))
        .iff(eq(top - value, 0),                                                    multiplied(eq(top - value, 0), lift(-1)))
        .iff(eq(kl(a, (a + b) * t) + kl(b, (a + b) * (1 - t)), 0),                  gap)
        .iff(both(eq(a, (a + b) * t), eq(b, (a + b) * (1 - t))),                    zero_set)
        .iff(both(eq(t, best), eq(t, best)),                                        multiplied(eq(t, best), -(a + b)), multiplied(eq(t, best), a + b))
        .iff(eq(t, best),                                                           forall_and)
    )  # fmt: skip


@entry.proves(eq(1 - best, b / (a + b)), "Data and generator change places")
def swapped():
    return (
        calc(1 - best)
        .eq(b / (a + b))
    )  # fmt: skip


@entry.proves(iff(eq(best, half), eq(a, b)), "One half exactly where the densities are equal")
def undecided():
    return (
        calc(eq(best, half))
        .iff(eq(a, b),                                                              multiplied(eq(a, b), 1 / (2 * (a + b))))
    )  # fmt: skip


@entry.proves(le(V, V_star), "The best discriminator")
def best_discriminator():
    return (
        calc(V)
        .eq(integral(p[x] * log(disc[x]) + q[x] * log(1 - disc[x]), x),             by(V), expectation, linearity)
        .le(integral(p[x] * log(p[x] / (p[x] + q[x])) + q[x] * log(1 - p[x] / (p[x] + q[x])), x),   pointwise)
        .eq(V_star,                                                                 by(V_star, star), expectation, linearity)
    )  # fmt: skip


@entry.proves(eq(V_star, 2 * jsd - log(4)), "What it is worth", main=True)
def worth():
    return (
        calc(V_star)
        .eq(expect(p, log(p[x] / (p[x] + q[x])), x) + expect(q, log(q[x] / (p[x] + q[x])), x),      by(V_star, star))
        .eq(expect(p, log(p[x] / m[x]) - log(2), x) + expect(q, log(q[x] / m[x]) - log(2), x),      by(m), log_rules).note(f"{eq(p[x] + q[x], 2 * m[x])}")
        .eq(kl_p + kl_q - 2 * log(2),                                               by(kl_p, kl_q), linearity, total_mass, normalisation)
        .eq(2 * jsd - log(4),                                                       by(jsd), log_number)
    )  # fmt: skip


@entry.proves(eq(V_star - -log(4), integral(kl(p[x], m[x]) + kl(q[x], m[x]), x)), "The gap above −log 4")
def game_gap():
    return (
        calc(V_star - -log(4))
        .eq(kl_p + kl_q,                                                            worth, by(jsd))
        .eq(integral(p[x] * log(p[x] / m[x]), x) + integral(q[x] * log(q[x] / m[x]), x),            by(kl_p, kl_q), expectation)
        .eq(integral(kl(p[x], m[x]) + kl(q[x], m[x]), x),                           by("kl"), by(m), linearity)
    )  # fmt: skip


@entry.proves(le(-log(4), V_star), "The least value")
def least():
    return from_gap(
        calc(V_star - -log(4))
        .eq(integral(kl(p[x], m[x]) + kl(q[x], m[x]), x),                           game_gap)
    )  # fmt: skip


@entry.proves(iff(eq(V_star, -log(4)), forall(eq(p[x], q[x]), x)), "It is reached exactly where the generator is the data")
def equilibrium():
    return (
        calc(eq(V_star, -log(4)))
        .iff(eq(V_star - -log(4), 0),                                               multiplied(eq(V_star - -log(4), 0), lift(1)))
        .iff(eq(integral(kl(p[x], m[x]) + kl(q[x], m[x]), x), 0),                   game_gap)
        .iff(forall(both(eq(p[x], m[x]), eq(q[x], m[x])), x),                       zero_set)
        .iff(forall(both(eq(p[x], (p[x] + q[x]) / 2), eq(q[x], (p[x] + q[x]) / 2)), x),             by(m))
        .iff(forall(both(eq(p[x], q[x]), eq(p[x], q[x])), x),                       multiplied(eq(p[x], q[x]), lift(1) / 2), multiplied(eq(p[x], q[x]), -lift(1) / 2))
        .iff(forall(eq(p[x], q[x]), x),                                             forall_and)
    )  # fmt: skip


# ---- on finitely many points -----------------------------------------------------------------------------------------


@entry.proves(eq(jsd_N[n], gaps / 2), "The divergence on finitely many points")
def finite_divergence():
    return (
        calc(jsd_N[n])
        .eq(Σ(P[n, k] * log(P[n, k] / M[n, k]) + Q[n, k] * log(Q[n, k] / M[n, k]) - P[n, k] - Q[n, k] + 2 * M[n, k], k) / 2,   by(jsd_N), by(M))
        .eq(gaps / 2,                                                               by("kl"))
    )  # fmt: skip


@entry.proves(eq(V_N[n], gaps - log(4)), "The value on finitely many points")
def finite_worth():
    return (
        calc(V_N[n])
        .eq(Σ(P[n, k] * log(P[n, k] / (P[n, k] + Q[n, k])) + Q[n, k] * log(Q[n, k] / (P[n, k] + Q[n, k])), k),    by(V_N, star_N))
        .eq(Σ(P[n, k] * (log(P[n, k] / M[n, k]) - log(2)) + Q[n, k] * (log(Q[n, k] / M[n, k]) - log(2)), k),      by(M), log_rules)
        .eq(2 * jsd_N[n] - 2 * log(2),                                              linearity, normalisation, by(jsd_N))
        .eq(gaps - log(4),                                                          finite_divergence, log_number)
    )  # fmt: skip


# ---- from logarithms -------------------------------------------------------------------------------------------------


@entry.proves(eq(exp(lp) / (exp(lp) + exp(lq)), σ(lp - lq)), "From the logarithms of the densities")
def from_logs():
    return (
        calc(exp(lp) / (exp(lp) + exp(lq)))
        .eq(1 / (1 + exp(lq) / exp(lp)))
        .eq(1 / (1 + exp(-(lp - lq))),                                              negative_exponent, exponent_sum)
        .eq(σ(lp - lq),                                                             by("σ"))
    )  # fmt: skip


@entry.proves(eq(log(σ(s)) + log(1 - σ(s)), -abs_(s) - 2 * log1p(exp(-abs_(s)))), "Both logarithms without overflow")
def both_logs():
    goal = -abs_(s) - 2 * log1p(exp(-abs_(s)))
    return by_cases(
        s,
        calc(log(σ(s)) + log(1 - σ(s)))
        .eq(log(1 / (1 + exp(-s))) + log(exp(-s) / (1 + exp(-s))),                  by("σ"))
        .eq(-s - 2 * log(1 + exp(-s)),                                              log_rules, inverse_pair)
        .eq(goal,                                                                   branch("abs", 0), by("log1p")),
        calc(log(σ(s)) + log(1 - σ(s)))
        .eq(log(exp(s) / (1 + exp(s))) + log(1 / (1 + exp(s))),                     by("σ"), negative_exponent)
        .eq(s - 2 * log(1 + exp(s)),                                                log_rules, inverse_pair)
        .eq(goal,                                                                   branch("abs", 1), by("log1p")),
    )  # fmt: skip


# ---- the generator ---------------------------------------------------------------------------------------------------


@entry.proves(eq(D(log(1 - σ(s)), s), -σ(s)), "The saturating slope")
def saturating():
    return (
        calc(D(log(1 - σ(s)), s))
        .eq(-(σ(s) * (1 - σ(s))) / (1 - σ(s)),                                      log_rule, sigmoid_rule, linearity)
        .eq(-σ(s))
    )  # fmt: skip


@entry.proves(eq(D(-log(σ(s)), s), -(1 - σ(s))), "The non-saturating slope")
def non_saturating():
    return (
        calc(D(-log(σ(s)), s))
        .eq(-(σ(s) * (1 - σ(s))) / σ(s),                                            log_rule, sigmoid_rule, linearity)
        .eq(-(1 - σ(s)))
    )  # fmt: skip


@entry.proves(eq(D(log(1 - σ(φ(θ))), θ), -(σ(φ(θ)) * dφ(θ))), "The saturating gradient of the generator")
def saturating_parameter():
    return (
        calc(D(log(1 - σ(φ(θ))), θ))
        .eq(1 / (1 - σ(φ(θ))) * -(σ(φ(θ)) * (1 - σ(φ(θ))) * D(φ(θ), θ)),            log_rule, sigmoid_rule, linearity)
        .eq(-(σ(φ(θ)) * dφ(θ)),                                                     function_rule, linearity)
    )  # fmt: skip


@entry.proves(eq(D(-log(σ(φ(θ))), θ), -((1 - σ(φ(θ))) * dφ(θ))), "The non-saturating gradient of the generator")
def non_saturating_parameter():
    return (
        calc(D(-log(σ(φ(θ))), θ))
        .eq(-(1 / σ(φ(θ)) * (σ(φ(θ)) * (1 - σ(φ(θ))) * D(φ(θ), θ))),                log_rule, sigmoid_rule, linearity)
        .eq(-((1 - σ(φ(θ))) * dφ(θ)),                                               function_rule, linearity)
    )  # fmt: skip
