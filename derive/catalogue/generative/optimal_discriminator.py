"""D* = p/(p + q): the best discriminator, what it is worth, and the two gradients of the generator."""

from derive.language.notation import kl, log, σ
from derive.language.term import (
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
    size,
    space,
    var,
)
from derive.logic.arguments import from_gap
from derive.logic.calc import calc
from derive.logic.rules.reasons import (
    by,
    expectation,
    exponent_sum,
    forall_and,
    function_rule,
    given,
    inverse_pair,
    linearity,
    log_number,
    log_rule,
    log_rules,
    multiplied,
    negative_exponent,
    quotient_rule,
    sigmoid_rule,
    total_mass,
    zero_set,
)  # fmt: skip
from derive.record import Assumption, Derivation

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
normal_p, normal_q = eq(integral(p[x], x), 1), eq(integral(q[x], x), 1)

# on finitely many points, and from logarithms
K = size("K"); (k,) = indices("k", K)
P, Q = var("P", K, dom="simplex"), var("Q", K, dom="simplex")
lp, lq = var("ℓ_p"), var("ℓ_q")

# the generator, through the discriminator's logit
s, θ = var("s"), var("θ"); φ, dφ = function("φ"), derivative_of("φ")


def integrable(body):
    return Term("integrable", (x, body))


entry = Derivation(
    module=__name__,
    title="The optimal discriminator",
    claim=eq(V_star, 2 * jsd - log(4)),
    goal="",
    priority="critical",
    flagship=True,
    given=(
        (p, "density of the data"), (q, "density of the generator"), (disc, "discriminator"), (V, "value of the game"), (star, "the best discriminator"), (V_star, "its value"),
        (m, "mixture"), (kl_p, "divergence of the data from the mixture"), (kl_q, "divergence of the generator from it"), (jsd, "Jensen–Shannon divergence"),
        (a, "density of the data at one point"), (b, "density of the generator there"), (t, "the discriminator’s answer there"),
        (s, "logit of the discriminator at a generated sample"), (θ, "a parameter of the generator"), (φ(θ), "that logit as a function of the parameter"),
    ),
    assumptions=(
        Assumption(normal_p, "p is normalised"),
        Assumption(normal_q, "q is normalised"),
        Assumption(integrable(p[x] * log(disc[x])), ""),
        Assumption(integrable(q[x] * log(1 - disc[x])), ""),
        Assumption(integrable(p[x] * log(star[x])), ""),
        Assumption(integrable(q[x] * log(1 - star[x])), ""),
        Assumption(integrable(q[x] * log(q[x] / (p[x] + q[x]))), ""),
        Assumption(integrable(p[x] * log(p[x] / m[x])), ""),
        Assumption(integrable(q[x] * log(q[x] / m[x])), ""),
    ),
    convention="",
    prompt="",
    sixty_seconds="",
    strong="",
    weak="",
    sanity=(),
    mistakes=(),
    prerequisites=(),
    follow_ups=(),
    kernels=(),
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
        .eq(expect(p, log(p[x] / m[x]) - log(2), x) + expect(q, log(q[x] / m[x]) - log(2), x),      by(m), log_rules)
        .eq(kl_p + kl_q - 2 * log(2),                                               by(kl_p, kl_q), linearity, total_mass, given(normal_p), given(normal_q))
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


@entry.proves(eq(best, σ(log(a) - log(b))), "From logarithms of densities")
def from_logs():
    return (
        calc(best)
        .eq(1 / (1 + b / a))
        .eq(σ(log(a) - log(b)),                                                     by("σ"), negative_exponent, exponent_sum, inverse_pair)
    )  # fmt: skip


@entry.proves(eq(D(log(1 - σ(φ(θ))), θ), -(σ(φ(θ)) * dφ(θ))), "The saturating gradient of the generator")
def saturating():
    return (
        calc(D(log(1 - σ(φ(θ))), θ))
        .eq(1 / (1 - σ(φ(θ))) * -(σ(φ(θ)) * (1 - σ(φ(θ))) * D(φ(θ), θ)),            log_rule, sigmoid_rule, linearity)
        .eq(-(σ(φ(θ)) * dφ(θ)),                                                     function_rule, linearity)
    )  # fmt: skip


@entry.proves(eq(D(-log(σ(φ(θ))), θ), -((1 - σ(φ(θ))) * dφ(θ))), "The non-saturating gradient of the generator")
def non_saturating():
    return (
        calc(D(-log(σ(φ(θ))), θ))
        .eq(-(1 / σ(φ(θ)) * (σ(φ(θ)) * (1 - σ(φ(θ))) * D(φ(θ), θ))),                log_rule, sigmoid_rule, linearity)
        .eq(-((1 - σ(φ(θ))) * dφ(θ)),                                               function_rule, linearity)
    )  # fmt: skip
