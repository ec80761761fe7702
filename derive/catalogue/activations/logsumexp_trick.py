"""LSE(z) = m + LSE(z − m): how log-sum-exp is computed, how near it is to the maximum, its gradient, its convexity."""

from random import Random

from derive.catalogue.activations.softmax_jacobian import sums_to_one
from derive.language.notation import exp, kl, log, logsumexp, max_, softmax
from derive.language.term import Σ, D, array, eq, indices, le, let, lift, sizes, var, vector, δ
from derive.logic.arguments import for_maximum, from_gap, instance
from derive.logic.calc import calc
from derive.logic.rules.reasons import (
    at_most_max,
    by,
    exp_rule,
    exponent_sum,
    inverse_pair,
    linearity,
    log_rule,
    log_rules,
    sift,
    use,
    written_out,
)
from derive.record import Derivation, Kernel, Mistake, Number

N, K = sizes("N K")
i, j, k = indices("i j k", K)
(n,) = indices("n", N)
z, w, Z = var("z", K), var("w", K), var("Z", N, K)
m = var("m")
p, q = let("p", softmax(z)), let("q", softmax(w))
t = var("t", dom="unit"); o = let("o", t * z + (1 - t) * w); r = let("r", softmax(o))  # fmt: skip
two = lift(2)

shifted = log(Σ(exp(z[i] - m), i))
tangent = logsumexp(z) + Σ(p[k] * (w[k] - z[k]), k)

entry = Derivation(
    module=__name__,
    title="The log-sum-exp trick",
    claim=eq(logsumexp(z), m + shifted),
    goal="Write log-sum-exp so that no exponential overflows, bound it by the maximum, and read off its gradient and its curvature.",
    priority="critical",
    given=(
        (K, "number of classes"),
        (N, "number of examples"),
        (z, "logits"),
        (m, "any number"),
        (logsumexp(z), "log-sum-exp of the logits"),
        (max_(z), "the largest logit"),
        (p, "the probabilities"),
        (w, "other logits"),
        (q, "their probabilities"),
        (kl(p[k], q[k]), "a part of their divergence"),
        (t, "where between the two"),
        (o, "the logits there"),
        (r, "their probabilities"),
        (Z, "logits of a batch, one example a row"),
    ),
    prompt=f"Why is {log(Σ(exp(z[i]), i))} computed as {m + shifted}, and with which {m}? How far is it from the maximum, and what is its gradient?",
    sixty_seconds=(
        f"Every exponential has the factor {exp(m)}: take it out of the sum, and its logarithm is {m}. That holds for any {m}, and {eq(m, max_(z))} is chosen "
        f"so that no exponent is positive: nothing overflows, and one term of the sum is 1, so the logarithm is not that of 0. Since the largest term "
        f"is at most the sum, and the sum at most {K} times the largest term, the value lies between {max_(z)} and {max_(z) + log(K)}: it is a smooth "
        f"maximum. Its gradient is {softmax(z)}, and it is convex, because the gap above a tangent plane is a Kullback–Leibler divergence."
    ),
    strong=(
        "Says what fails without the shift on both sides: large logits overflow to infinity, very negative ones all underflow, and the logarithm of 0 is left. Adds that the other terms "
        "go through log1p, so that a confident row keeps its digits."
    ),
    weak="Clips the logits at some bound: that changes the function, and its gradient is 0 beyond the bound.",
    sanity=(
        ("Equal logits", f"With all logits equal to {m} the value is {m + log(K)}: the upper bound is reached."),
        ("One far ahead", "As one logit grows beyond the others, the value tends to it: the lower bound is nearly reached."),
        ("Shift", "Adding a number to all logits adds it to the value, so the gradient’s components add up to 1."),
    ),
    mistakes=(
        Mistake(eq(logsumexp(z), shifted), f"What was taken out has to be added again: {m} is missing."),
        Mistake(eq(logsumexp(z), m * shifted), f"A factor inside the logarithm becomes a summand {m}, and not a factor."),
        Mistake(eq(D(logsumexp(z), z[k]), exp(z[k])), f"The derivative of a logarithm divides by its argument: {softmax(z)[k]}."),
        Mistake(le(logsumexp(z), max_(z)), f"The sum holds the largest term and others that are positive; it may exceed the maximum by as much as {log(K)}."),
    ),
    prerequisites=("softmax-jacobian",),
    follow_ups=("softmax-ce-delta", "softmax-shift-invariance"),
    kernels=(
        Kernel("logsumexp", (Z,), (("value", logsumexp(Z)),), "Log-sum-exp of each row of logits.", textbook=array(log(Σ(exp(Z[n, k]), k)), n)),
        Kernel("logsumexp_gradient", (z,), (("z", softmax(z)),), "The gradient of log-sum-exp.", textbook=log(Σ(exp(z[i]), i)), proved_by=("gradient",)),
    ),
    numbers=(
        Number(log((2 - two**-10) * two**15), "11.09", "above it the exponential overflows in float16"),
        Number(log((2 - two**-23) * two**127), "88.72", "in float32"),
        Number(log((2 - two**-52) * two**1023), "709.78", "in float64"),
    ),
    references=("P. Blanchard, D. J. Higham and N. J. Higham, Accurately computing the log-sum-exp and softmax functions, IMA Journal of Numerical Analysis 41, 2021",),
)  # fmt: skip


@entry.proves(eq(logsumexp(z), m + shifted), "Log-sum-exp with any shift", main=True)
def shift():
    return (
        calc(logsumexp(z))
        .eq(log(Σ(exp(m + (z[i] - m)), i)),                          by("logsumexp"))
        .eq(log(exp(m) * Σ(exp(z[i] - m), i)),                       exponent_sum, linearity)
        .eq(m + shifted,                                             log_rules, inverse_pair)
    )  # fmt: skip


@entry.proves(eq(logsumexp(z), max_(z) + log(Σ(exp(z[i] - max_(z)), i))), "As it is computed")
def with_maximum():
    return instance(shift.theorem, (m, max_(z)), words=("with ", eq(m, max_(z))))


@entry.proves(le(z[k], max_(z)), "No exponent is positive")
def no_overflow():
    return calc(z[k]).le(max_(z), at_most_max(z[k], k))


@entry.proves(le(exp(z[k]), Σ(exp(z[i]), i)), "A term is at most the sum")
def one_term():
    return from_gap(
        calc(Σ(exp(z[i]), i) - exp(z[k]))
        .eq(Σ((1 - δ(i, k)) * exp(z[i]), i),                         sift)
    )  # fmt: skip


@entry.proves(le(max_(z), logsumexp(z)), "At least the maximum")
def lower():
    return for_maximum(
        calc(z[k])
        .eq(log(exp(z[k])),                                          inverse_pair)
        .le(log(Σ(exp(z[i]), i)),                                    one_term)
        .eq(logsumexp(z),                                            by("logsumexp")),
        k,
    )  # fmt: skip


@entry.proves(le(logsumexp(z), max_(z) + log(K)), "At most the maximum plus log K")
def upper():
    return (
        calc(logsumexp(z))
        .eq(log(Σ(exp(z[i]), i)),                                    by("logsumexp"))
        .le(log(Σ(exp(max_(z)), i)),                                 at_most_max(z[i], i))
        .eq(log(K * exp(max_(z))),                                   linearity)
        .eq(max_(z) + log(K),                                        log_rules, inverse_pair)
    )  # fmt: skip


@entry.proves(eq(D(logsumexp(z), z), softmax(z)), "Its gradient is softmax")
def gradient():
    return (
        calc(D(logsumexp(z), z[k]))
        .eq(D(log(Σ(exp(z[i]), i)), z[k]),                           by("logsumexp"))
        .eq(1 / Σ(exp(z[i]), i) * D(Σ(exp(z[i]), i), z[k]),          log_rule)
        .eq(exp(z[k]) / Σ(exp(z[i]), i),                             exp_rule, linearity, sift)
        .eq(softmax(z)[k],                                           by("softmax"))
        .array(D(logsumexp(z), z), softmax(z), k)
    )  # fmt: skip


@entry.proves(eq(log(p[k]), z[k] - logsumexp(z)), "The logarithm of softmax")
def log_softmax():
    return (
        calc(log(p[k]))
        .eq(log(exp(z[k]) / Σ(exp(z[i]), i)),                        by(p, "softmax"))
        .eq(z[k] - logsumexp(z),                                     log_rules, inverse_pair, by("logsumexp"))
    )  # fmt: skip


@entry.proves(eq(logsumexp(w) - tangent, Σ(kl(p[k], q[k]), k)), "What lies between it and a tangent plane")
def gap():
    return (
        calc(logsumexp(w) - tangent)
        .eq((logsumexp(w) - logsumexp(z)) * Σ(p[k], k) - Σ(p[k] * (w[k] - z[k]), k),      sums_to_one)
        .eq(Σ(p[k] * (z[k] - logsumexp(z) - (w[k] - logsumexp(w))), k),                   linearity)
        .eq(Σ(p[k] * (log(p[k]) - log(q[k])), k),                                         log_softmax)
        .eq(Σ(p[k] * log(p[k] / q[k]), k) - Σ(p[k], k) + Σ(q[k], k),                      log_rules, sums_to_one)
        .eq(Σ(kl(p[k], q[k]), k),                                                         by("kl"), linearity)
    )  # fmt: skip


@entry.proves(le(tangent, logsumexp(w)), "It lies above its tangent planes")
def above_tangents():
    return from_gap(calc(logsumexp(w) - tangent).eq(Σ(kl(p[k], q[k]), k), gap))


@entry.proves(le(logsumexp(o), t * logsumexp(z) + (1 - t) * logsumexp(w)), "It is convex: below its chords")
def convex():
    at_z = use(instance(gap.theorem, (z, o), (w, z), (p, r), (q, p)).theorem, "the gap at one end")
    at_w = use(instance(gap.theorem, (z, o), (p, r)).theorem, "the gap at the other")

    def beyond(v):
        return logsumexp(v) - (logsumexp(o) + Σ(r[k] * (v[k] - o[k]), k))

    return from_gap(
        calc(t * logsumexp(z) + (1 - t) * logsumexp(w) - logsumexp(o))
        .eq(t * beyond(z) + (1 - t) * beyond(w) + Σ(r[k] * (t * z[k] + (1 - t) * w[k] - o[k]), k),     linearity)
        .eq(t * beyond(z) + (1 - t) * beyond(w),                                          by(o), linearity)
        .eq(t * Σ(kl(r[k], p[k]), k) + (1 - t) * Σ(kl(r[k], q[k]), k),                    at_z, at_w),
    )  # fmt: skip


@entry.example("Logits whose exponentials are whole numbers")
def whole_numbers(rng: Random):
    small, middle, large = sorted(rng.sample(range(2, 10), 3))
    total, top = small + middle + large, log(lift(large))
    logits = vector([log(lift(small)), log(lift(middle)), top])
    parts = [log(lift(number)) for number in (small, middle, large)]
    others = exp(parts[0] - top) + exp(parts[1] - top) + 1
    return (
        calc(logsumexp(logits))
        .eq(log(exp(parts[0]) + exp(parts[1]) + exp(top)),           by("logsumexp"), written_out)
        .eq(log(exp(top) * others),                                  exponent_sum).note("the largest is taken out")
        .eq(top + log(others),                                       log_rules, inverse_pair)
        .eq(top + log(lift(small) / large + lift(middle) / large + 1),   exponent_sum, inverse_pair)
        .eq(top + log(lift(total) / large))
        .eq(log(lift(total)),                                        log_rules)
    )  # fmt: skip
