"""Maximal entropy by a multiplier: the uniform distribution on K outcomes, the Gaussian for a fixed variance."""

from fractions import Fraction

from derive.language.notation import exp, kl, log, sqrt, xlogy, π
from derive.language.term import (
    Σ,
    D,
    Term,
    array,
    eq,
    forall,
    iff,
    index,
    indices,
    integral,
    le,
    let,
    lift,
    lt,
    name_of,
    sizes,
    space,
    var,
)
from derive.logic.arguments import from_gap
from derive.logic.calc import calc
from derive.logic.rules.reasons import (
    by,
    exp_injective,
    exponent_sum,
    gap_parts,
    given,
    inverse_pair,
    linearity,
    log_ratio,
    log_rule,
    log_rules,
    multiplied,
    negative_exponent,
    normalisation,
    plain_log,
    product_rule,
    root_of_square,
    weighted_logs,
    zero_set,
)
from derive.record import Assumption, Derivation, Kernel, Mistake

half = lift(Fraction(1, 2))

# K outcomes: weights that need not add up to 1, and the Lagrangian with the multiplier λ
N, K = sizes("N K"); (n,), (k,) = indices("n", N), indices("k", K)
w, p, λ = var("w", K, dom="nonnegative"), var("p", K, dom="density"), var("λ")
lagrangian = let("ℒ", -Σ(xlogy(w[k], w[k]), k) + λ * (1 - Σ(w[k], k)))
best = exp(-1 - λ)
top = let("ℒ*", -Σ(xlogy(best, best), k) + λ * (1 - Σ(best, k)))
lagrangian_p = let("ℒ_p", -Σ(xlogy(p[k], p[k]), k) + (log(K) - 1) * (1 - Σ(p[k], k)))
uniform = exp(-1 - (log(K) - 1))
top_p = let("ℒ_p*", -Σ(xlogy(uniform, uniform), k) + (log(K) - 1) * (1 - Σ(uniform, k)))
H = let("H", -Σ(xlogy(p[k], p[k]), k))

# many distributions at once
P = var("P", N, K, dom="density")
H_N = let("H_N", array(-Σ(xlogy(P[n, k], P[n, k]), k), n))

# one weight alone
v, c = var("v", dom="positive"), var("c")
part = -(v * log(v)) - c * v

# densities on a space of numbers t(x), and their mean square about μ
X = space("𝒳"); x = index("x", X)
t, q, μ, s = var("t", X), var("q", X, dom="density"), var("μ"), var("s", dom="positive")
r = let("r", array((t[x] - μ) ** 2, x))
Z = integral(exp(-r[x] / (2 * s**2)), x)
ℓ = let("ℓ", log(Z))
g = let("g", array(exp(-r[x] / (2 * s**2) - ℓ), x))
h, h_g = (let(f"h({name_of(d)})", -integral(xlogy(d[x], d[x]), x)) for d in (q, g))
m, m_g = (let(f"m({name_of(d)})", integral(d[x] * r[x], x)) for d in (q, g))
line = log(2 * π * s**2) / 2 + half
bound = ℓ + m / (2 * s**2)
spread = eq(s, sqrt(m))


def integrable(body):
    return Term("integrable", (x, body))


entry = Derivation(
    module=__name__,
    title="Maximal entropy by a multiplier",
    claim=le(H, log(K)),
    goal=f"Find the distribution of largest entropy on {K} outcomes, and the density of largest entropy for a fixed variance, and prove that they are maxima and the only ones.",
    priority="important",
    given=(
        (N, "number of distributions"), (P, "distributions, one a row"), (H_N, "entropy of each row"),
        (K, "number of outcomes"), (v, "one weight"), (c, "a number: the multiplier"), (w, "weights, whose total may be anything"), (λ, "multiplier of the constraint"), (lagrangian, "the Lagrangian"), (top, "its value at the stationary weights"),
        (p, "a distribution"), (H, "its entropy"), (lagrangian_p, "its Lagrangian, at the multiplier that fits"), (top_p, "the largest value of that Lagrangian"),
        (t, "the number that an outcome stands for"), (q, "a density of the outcomes"), (μ, "a number"), (r, "squared distance from it"), (s, "a positive number, the Gaussian’s standard deviation"), (ℓ, "logarithm of the normalising constant"), (g, "Gaussian density"),
        (h, "entropy of the density"), (h_g, "entropy of the Gaussian"), (m, "mean square of the density: its variance, if the number is its mean"), (m_g, "mean square of the Gaussian"),
    ),
    assumptions=(
        Assumption(lt(0, Z), "the Gaussian function has a positive integral"),
        Assumption(integrable(exp(-r[x] / (2 * s**2))), "and a finite one"),
        Assumption(integrable(q[x] * r[x]), "the density has a finite mean square"),
        Assumption(integrable(q[x] * log(q[x])), "and a finite entropy"),
        Assumption(integrable(g[x] * r[x]), "so has the Gaussian"),
        Assumption(le(m, m_g), "the density’s mean square is at most the Gaussian’s"),
        Assumption(spread, f"the density’s mean square is {s**2}"),
    ),
    convention=(
        f"Logarithms are natural. Weights and densities may be 0, and {xlogy(p[k], p[k])} counts as 0 there. {kl(p[k], 1 / K)} is the relative-entropy gap {p[k] * log(p[k] / (1 / K)) - p[k] + 1 / K}, never negative and 0 only for equal arguments. "
        "A Lagrangian that is maximal without the constraint, at a point that satisfies it, makes that point the best one that does: no theory of multipliers is needed. "
        f"The Gaussian is {g[x]}; on the line, with lengths for the measure, {exp(ℓ)} is {(2 * π * s**2) ** half}, its mean is {μ} and its mean square {s**2}. The proof uses none of the three; with them the bound {ℓ + half} is {line}."
    ),
    prompt=f"Which distribution has the largest entropy on {K} outcomes? And which density, if its variance is given? Use Lagrange multipliers, and say why what you find is a maximum.",
    sixty_seconds=(
        f"Maximise {H} under {eq(Σ(p[k], k), 1)}. The Lagrangian is {lagrangian.args[0]}; its slope by one weight is {-log(v) - 1 - c} with {c} for the multiplier, which is 0 at {eq(v, exp(-1 - c))}: all weights are equal, so they are {1 / K}, "
        f"and the entropy is {log(K)}. It is a maximum, since any other weights lose {Σ(kl(w[k], best), k)} in the Lagrangian, which is never negative. For densities with a given variance the Lagrangian has a second multiplier, "
        f"for {r[x]}; the logarithm of the best density is quadratic, so it is a Gaussian, and any other one loses its relative entropy with respect to that Gaussian."
    ),
    strong=(
        f"Does not stop at the stationary point: gives the exact loss {integral(kl(q[x], g[x]), x)}, so the maximum is global and unique. Remarks that the sign constraints never bind, as the slope of the entropy is infinite at 0."
    ),
    weak="Sets the derivative of the Lagrangian to 0 and stops. That a stationary point of a Lagrangian is a maximum is not automatic; it is so here because the entropy is concave, which has to be said.",
    sanity=(
        ("Two outcomes", f"For two outcomes the largest entropy is {log(2)}: one bit, of a fair coin."),
        ("Scale", f"On the line the bound for the mean square {s**2} is {line}. Twice the deviation adds {log(2)}, as every interval becomes twice as long."),
        ("Multiplier", f"With the multiplier {log(K) - 1} the stationary weight is {exp(-1 - (log(K) - 1))}, which is {1 / K}."),
    ),
    mistakes=(
        Mistake(iff(eq(D(part, v), 0), eq(v, exp(1 + c))), "The sign of the exponent is lost."),
        Mistake(le(top, lagrangian), "That would be a minimum; the entropy bends down."),
        Mistake(le(H, log(K) - 1), f"{log(K) - 1} is the multiplier, and not the entropy."),
        Mistake(le(h, ℓ), f"The mean of the squared distance contributes as well: {m / (2 * s**2)}."),
    ),
    prerequisites=("entropy-bounds", "gibbs-inequality"),
    follow_ups=("perplexity", "gaussian-kl"),
    kernels=(
        Kernel("missing_entropy", (P,), (("gap", array(Σ(kl(P[n, k], 1 / K), k), n)),), "What distributions are short of the largest entropy, row by row.", proved_by=("rows",)),
    ),
    references=("T. M. Cover and J. A. Thomas, Elements of Information Theory, theorem 8.6.5 and chapter 12", "S. Boyd and L. Vandenberghe, Convex Optimization, section 5.5.1"),
)  # fmt: skip


@entry.proves(eq(D(part, v), -log(v) - 1 - c), "The slope by one weight")
def slope():
    return (
        calc(D(part, v))
        .eq(-(log(v) + v * (1 / v)) - c,                                            product_rule, log_rule, linearity)
        .eq(-log(v) - 1 - c)
    )  # fmt: skip


@entry.proves(iff(eq(D(part, v), 0), eq(v, exp(-1 - c))), "It vanishes at one weight")
def stationary():
    return (
        calc(eq(D(part, v), 0))
        .iff(eq(-log(v) - 1 - c, 0),                                                slope)
        .iff(eq(log(v), -1 - c),                                                    multiplied(eq(log(v), -1 - c), lift(-1)))
        .iff(eq(exp(log(v)), exp(-1 - c)),                                          exp_injective)
        .iff(eq(v, exp(-1 - c)),                                                    inverse_pair)
    )  # fmt: skip


@entry.proves(eq(top - lagrangian, Σ(kl(w[k], best), k)), "What other weights lose in the Lagrangian")
def gap():
    return (
        calc(top - lagrangian)
        .eq(Σ(-(best * (-1 - λ)) - λ * best + xlogy(w[k], w[k]) + λ * w[k], k),     by(top, lagrangian), weighted_logs, linearity)
        .eq(Σ(xlogy(w[k], w[k]) - w[k] * (-1 - λ) - w[k] + best, k))
        .eq(Σ(kl(w[k], best), k),                                                   gap_parts, log_ratio, weighted_logs)
    )  # fmt: skip


@entry.proves(le(lagrangian, top), "No weights do better in the Lagrangian")
def maximum():
    return from_gap(
        calc(top - lagrangian)
        .eq(Σ(kl(w[k], best), k),                                                   gap)
    )  # fmt: skip


@entry.proves(eq(exp(-1 - (log(K) - 1)), 1 / K), "The multiplier that makes them add up to 1")
def multiplier():
    return (
        calc(exp(-1 - (log(K) - 1)))
        .eq(exp(-log(K)))
        .eq(1 / K,                                                                  negative_exponent, inverse_pair)
    )  # fmt: skip


@entry.proves(eq(log(K) - H, Σ(kl(p[k], 1 / K), k)), "With it, what a distribution is short of log K")
def for_distributions():
    return (
        calc(log(K) - H)
        .eq(Σ(xlogy(p[k], p[k]), k) + (log(K) - 1) * Σ(p[k], k) + 1,                by(H), normalisation)
        .eq(top_p - lagrangian_p,                                                   by(top_p, lagrangian_p), multiplier, weighted_logs, plain_log, linearity)
        .eq(Σ(kl(p[k], exp(-1 - (log(K) - 1))), k),                                 gap)
        .eq(Σ(kl(p[k], 1 / K), k),                                                  multiplier)
    )  # fmt: skip


@entry.proves(le(H, log(K)), "The uniform distribution has the largest entropy", main=True)
def discrete():
    return from_gap(
        calc(log(K) - H)
        .eq(Σ(kl(p[k], 1 / K), k),                                                  for_distributions)
    )  # fmt: skip


@entry.proves(iff(eq(H, log(K)), forall(eq(p[k], 1 / K), k)), "And it alone")
def only_uniform():
    return (
        calc(eq(H, log(K)))
        .iff(eq(log(K) - H, 0),                                                     multiplied(eq(log(K) - H, 0), lift(-1)))
        .iff(eq(Σ(kl(p[k], 1 / K), k), 0),                                          for_distributions)
        .iff(forall(eq(p[k], 1 / K), k),                                            zero_set)
    )  # fmt: skip


@entry.proves(eq(integral(g[x], x), 1), "The Gaussian is normalised")
def normal():
    return (
        calc(integral(g[x], x))
        .eq(Z / exp(ℓ),                                                             by(g), exponent_sum, linearity)
        .eq(1,                                                                      by(ℓ), inverse_pair)
    )  # fmt: skip


@entry.proves(eq(bound - h, integral(kl(q[x], g[x]), x)), "Fixed mean square: what a density loses")
def gaussian_gap():
    return (
        calc(bound - h)
        .eq(integral(xlogy(q[x], q[x]), x) + ℓ * integral(q[x], x) + m / (2 * s**2) - integral(q[x], x) + integral(g[x], x),   by(h), normalisation, normal)
        .eq(integral(xlogy(q[x], q[x]) - q[x] * (-r[x] / (2 * s**2) - ℓ) - q[x] + g[x], x),    by(m), linearity)
        .eq(integral(kl(q[x], g[x]), x),                                            gap_parts, log_ratio, by(g), weighted_logs)
    )  # fmt: skip


@entry.proves(le(h, bound), "No density with that mean square has more entropy")
def continuous():
    return from_gap(
        calc(bound - h)
        .eq(integral(kl(q[x], g[x]), x),                                            gaussian_gap)
    )  # fmt: skip


@entry.proves(iff(eq(h, bound), forall(eq(q[x], g[x]), x)), "The Gaussian reaches the bound, and it alone")
def only_gaussian():
    return (
        calc(eq(h, bound))
        .iff(eq(bound - h, 0),                                                      multiplied(eq(bound - h, 0), lift(-1)))
        .iff(eq(integral(kl(q[x], g[x]), x), 0),                                    gaussian_gap)
        .iff(forall(eq(q[x], g[x]), x),                                             zero_set)
    )  # fmt: skip


@entry.proves(eq(m, s**2), "A density of mean square s²")
def mean_square():
    return calc(m).eq(s**2,                                                         given(spread), root_of_square)  # fmt: skip


@entry.proves(le(h, ℓ + half), "The bound for that mean square")
def fixed_spread():
    return calc(h).le(bound, continuous).eq(ℓ + s**2 / (2 * s**2), mean_square).eq(ℓ + half)


@entry.proves(eq(h_g, ℓ + m_g / (2 * s**2)), "The entropy of the Gaussian")
def gaussian_entropy():
    return (
        calc(h_g)
        .eq(-integral(xlogy(g[x], g[x]), x),                                        by(h_g))
        .eq(-integral(g[x] * (-r[x] / (2 * s**2) - ℓ), x),                          by(g), weighted_logs)
        .eq(ℓ * integral(g[x], x) + m_g / (2 * s**2),                          by(m_g), linearity)
        .eq(ℓ + m_g / (2 * s**2),                                              normal)
    )  # fmt: skip


@entry.proves(eq(log((2 * π * s**2) ** half) + s**2 / (2 * s**2), log(2 * π * exp(1) * s**2) / 2), "On the line")
def on_the_line():
    return (
        calc(log((2 * π * s**2) ** half) + s**2 / (2 * s**2))
        .eq(log(2 * π * s**2) / 2 + half,                                           log_rules)
        .eq(log(2 * π * exp(1) * s**2) / 2,                                         log_rules, inverse_pair)
    )  # fmt: skip


@entry.proves(le(h, h_g), "The Gaussian has the largest entropy for its variance")
def largest():
    return (
        calc(h)
        .le(ℓ + m / (2 * s**2),                                                continuous)
        .le(ℓ + m_g / (2 * s**2),                                              given(le(m, m_g)))
        .eq(h_g,                                                                    gaussian_entropy)
    )  # fmt: skip


@entry.proves(eq(log(K) - H_N[n], Σ(kl(P[n, k], 1 / K), k)), "Many distributions at once")
def rows():
    return (
        calc(log(K) - H_N[n])
        .eq(Σ(xlogy(P[n, k], P[n, k]), k) + log(K) * Σ(P[n, k], k) - Σ(P[n, k], k) + 1,     by(H_N), normalisation)
        .eq(Σ(xlogy(P[n, k], P[n, k]) + P[n, k] * log(K) - P[n, k] + 1 / K, k),     linearity)
        .eq(Σ(kl(P[n, k], 1 / K), k),                                               gap_parts, log_ratio, weighted_logs, plain_log)
    )  # fmt: skip
