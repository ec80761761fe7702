"""Var(q·k) = d: why attention divides by √d, and what softmax does to gradients when its logits are large."""

from fractions import Fraction
from math import inf

from derive.catalogue.activations.softmax_jacobian import jacobian
from derive.language.notation import exp, softmax, sqrt
from derive.language.term import Σ, D, E, Var, array, eq, forall, indices, let, lift, lt, random, sizes, tends, var, δ
from derive.logic.arguments import discharged, for_all, given_at, instance, limit, nonnegative, restated
from derive.logic.calc import calc
from derive.logic.rules.reasons import (
    by,
    exponent_sum,
    given,
    independence,
    independent,
    linearity,
    moments,
    negative_exponent,
    of_bracket,
    product_of_sums,
    root_of_square,
    sift,
    variance,
    where_equal,
)  # fmt: skip
from derive.record import Assumption, Derivation, Kernel, Mistake, Number

d, n = sizes("d n")
i, j = indices("i j", d)
a, b, c, m, o = indices("a b c m o", n)
q, k = random("q", d, law="standard"), random("k", d, law="standard")
dot = let("u", q @ k)

s, t = var("s", n), var("t", dom="positive")
z = let("z", t * s)
p = let("p", softmax(z))
w = let("w", array(exp(t * s[a] - t * s[m]), m, a))
share = w[m, a] / Σ(w[m, c], c)
entries = p[a] * (δ(a, b) - p[b])

# one best score
gap = let("g", array(s[m] - s[a] + δ(a, m), m, a))
alone = forall(lt(0, gap[m, a]), a)

# two best scores
below = let("h", array(s[m] - s[a] + δ(m, a) + δ(a, o), m, o, a))
apart, alike, two = forall(lt(0, below[m, o, a]), a), eq(s[o], s[m]), eq(δ(m, o), 0)


def best_of(key):
    """1 for the best two keys, and otherwise 0."""
    return δ(m, key) + δ(key, o)


best = best_of(a)
settled = best / Σ(best_of(c), c)
first = (δ(m, m) + δ(m, o)) / 2

N, M = sizes("N M")
Q, keys = var("Q", N, d), var("K", M, d)

entry = Derivation(
    module=__name__,
    title="Scaled dot-product attention",
    claim=eq(Var(dot, q, k), d),
    goal="Find the variance of a dot product of random vectors, and the limit of softmax and of its Jacobian as the logits grow.",
    priority="critical",
    given=(
        (d, "the width of a head"), (q, "a query"), (k, "a key, independent of the query"), (dot, "their dot product"),
        (n, "keys"), (s, "scores"), (t, "a scale that grows"), (z, "logits"), (p, "attention weights"), (w, "weights relative to the best key’s, which is the first index"),
        (gap, "how far a score lies below the best; 1 for the best itself"), (below, "the same with two best keys; 1 for both of them"),
        (N, "queries"), (M, "keys of a batch"), (Q, "queries, one a row"), (keys, "keys, one a row"),
    ),
    assumptions=(
        Assumption(alone, "the best score is the only one"), Assumption(apart, "no score but two is the best"), Assumption(alike, "those two are equal"), Assumption(two, "they are of different keys"),
    ),
    prompt=f"Why does attention divide the dot products by {sqrt(d)}? What would happen without it?",
    sixty_seconds=(
        f"With components of mean 0 and variance 1, each product {q[i] * k[i]} has mean 0 and variance 1, and different ones are uncorrelated: {eq(Var(dot, q, k), d)}. "
        f"Dividing by {sqrt(d)} brings the variance back to 1. Without it the logits grow with the width; softmax then puts all weight on the largest, "
        f"and its Jacobian, {p[a] * (δ(a, b) - p[b])}, tends to 0: nothing is learnt any more through the scores."
    ),
    strong=(
        f"Says when the Jacobian vanishes: only if the largest score is alone. Two equal ones keep {lift(Fraction(1, 2))} each, and an entry of the Jacobian stays at {lift(Fraction(1, 4))}. "
        "Says that independence holds at the start of training at best, which is why some models normalise queries and keys."
    ),
    weak=f"Says that {sqrt(d)} normalises the vectors: it does not, since their lengths still matter. It normalises the variance of a sum of {d} products.",
    convention="The variance is over random queries and keys; the limits are for fixed scores that are scaled up.",
    sanity=(
        ("Width one", f"At {eq(d, 1)} the product of two independent numbers of variance 1 has variance 1."),
        ("Four times the width", "doubles the standard deviation of the scores."),
        ("Rows", "The limits of the weights sum to 1, as the weights do."),
    ),
    mistakes=(
        Mistake(eq(Var(dot, q, k), 1), f"The variances of {d} products add up: without the scale the sum has variance {d}."),
        Mistake(eq(Var(dot / d, q, k), 1), f"Dividing by {d} is too much: the variance is divided by its square."),
        Mistake(eq(Var(dot, q, k), d**2), "Different products are uncorrelated: the double sum has only its diagonal."),
        Mistake(tends(p[a], t, inf, lift(1) / n), "That is the limit for small logits; large ones single out the best key."),
    ),
    prerequisites=("softmax-jacobian", "variance-of-mean"),
    follow_ups=("attention-backward",),
    kernels=(
        Kernel("attention_logits", (Q, keys), (("logits", Q @ keys.T / sqrt(d)),), "Scaled dot products of queries with keys."),
    ),
    numbers=(
        Number(sqrt(lift(64)), "8", "the standard deviation of a score at width 64"),
        Number(exp(8) / (exp(8) + 1), "0.9997", "the weight of the better of two keys whose logits differ by 8"),
        Number(exp(1) / (exp(1) + 1), "0.731", "the same after division by 8"),
    ),
    references=("A. Vaswani et al., “Attention Is All You Need”, NeurIPS 2017, section 3.2.1",),
)  # fmt: skip


@entry.proves(eq(E(dot, q, k), 0), "A dot product has mean 0")
def centred():
    return (
        calc(E(dot, q, k))
        .eq(Σ(E(q[i], q) * E(k[i], k), i),                                          by(dot), linearity, independent)
        .eq(0,                                                                      moments, linearity)
    )  # fmt: skip


@entry.proves(eq(Var(dot, q, k), d), "The variance of a dot product", main=True)
def spread():
    return (
        calc(Var(dot, q, k))
        .eq(E(dot * dot, q, k),                                                     variance, centred)
        .eq(Σ(E(q[i] * q[j] * (k[i] * k[j]), q, k), i, j),                          by(dot), product_of_sums, linearity)
        .eq(Σ(E(q[i] * q[j], q) * E(k[i] * k[j], k), i, j),                         independent)
        .eq(Σ(δ(i, j) * δ(i, j), i, j),                                             independence, moments)
        .eq(d,                                                                      sift, linearity)
    )  # fmt: skip


@entry.proves(eq(Var(dot / sqrt(d), q, k), 1), "The scale keeps the variance at 1")
def scaled():
    return (
        calc(Var(dot / sqrt(d), q, k))
        .eq(Var(dot, q, k) / sqrt(d) ** 2,                                          variance, linearity)
        .eq(1,                                                                      spread, root_of_square)
    )  # fmt: skip


@entry.proves(eq(p[a], share), "Weights relative to the best one")
def relative():
    return (
        calc(p[a])
        .eq(exp(t * s[a]) / Σ(exp(t * s[c]), c),                                    by(p, z, "softmax"))
        .eq(exp(t * s[a]) / exp(t * s[m]) / Σ(exp(t * s[c]) / exp(t * s[m]), c),    linearity)
        .eq(share,                                                                  by(w), exponent_sum)
    )  # fmt: skip


@entry.proves(eq(w[m, a], δ(a, m) + (1 - δ(a, m)) * exp(-(gap[m, a] * t))), "A weight beside the best one")
def beside():
    rest = (1 - δ(a, m)) * exp(-(gap[m, a] * t))
    return (
        calc(w[m, a])
        .eq(exp(t * δ(a, m) - gap[m, a] * t),                                       by(w, gap))
        .eq(exp(t * δ(a, m)) * exp(-(gap[m, a] * t)),                               exponent_sum, negative_exponent)
        .eq((δ(a, m) * exp(t) + (1 - δ(a, m)) * exp(0)) * exp(-(gap[m, a] * t)),    of_bracket)
        .eq(δ(a, m) * exp(t - gap[m, a] * t) + rest,                                exponent_sum, negative_exponent)
        .eq(δ(a, m) * exp(t - gap[m, m] * t) + rest,                                where_equal(a))
        .eq(δ(a, m) * exp(0) + rest,                                                by(gap))
        .eq(δ(a, m) + rest,                                                         exponent_sum)
    )  # fmt: skip


@entry.proves(tends(w[m, a], t, inf, δ(a, m)), "Every other weight decays")
def decays():
    written = δ(a, m) + (1 - δ(a, m)) * exp(-(gap[m, a] * t))
    return restated(
        discharged(limit(tends(written, t, inf, δ(a, m))), given_at(alone, a)), tends(w[m, a], t, inf, δ(a, m)), beside
    )


@entry.proves(lt(0, Σ(δ(c, m), c)), "One key is the best")
def one_best():
    return nonnegative(
        calc(Σ(δ(c, m), c))
        .eq(1,                                                                      sift)
    )  # fmt: skip


@entry.proves(tends(share, t, inf, δ(a, m) / Σ(δ(c, m), c)), "All of them together")
def shares():
    every = for_all(instance(decays.theorem, (a, c)), c)
    return discharged(limit(tends(share, t, inf, δ(a, m) / Σ(δ(c, m), c)), decays, every), one_best)


@entry.proves(tends(p[a], t, inf, δ(a, m)), "The best key takes all the weight")
def winner():
    return discharged(restated(shares, tends(p[a], t, inf, δ(a, m)), sift, relative), one_best)


@entry.proves(tends(entries, t, inf, δ(a, m) * (δ(a, b) - δ(b, m))), "The entries of the Jacobian")
def entries_settle():
    return limit(tends(entries, t, inf, δ(a, m) * (δ(a, b) - δ(b, m))), winner, instance(winner.theorem, (a, b)))


@entry.proves(tends(D(p[a], z[b]), t, inf, 0), "The Jacobian vanishes")
def vanishing():
    return restated(entries_settle, tends(D(p[a], z[b]), t, inf, 0), where_equal(a), jacobian)


# ---- a tie -----------------------------------------------------------------------------------------------------------


@entry.proves(eq(δ(m, a) * δ(a, o), 0), "Tie: no key is both of the best")
def never_both():
    return (
        calc(δ(m, a) * δ(a, o))
        .eq(δ(m, a) * δ(m, o),                                                      where_equal(a))
        .eq(0,                                                                      given(two))
    )  # fmt: skip


@entry.proves(eq(w[m, a], best + (1 - best) * exp(-(below[m, o, a] * t))), "Tie: a weight beside the best two")
def beside_two():
    decay = exp(-(below[m, o, a] * t))
    rest = (1 - best) * decay
    return (
        calc(w[m, a])
        .eq(exp(t * δ(m, a) + t * δ(a, o) - below[m, o, a] * t),                    by(w, below))
        .eq(exp(t * δ(m, a)) * exp(t * δ(a, o)) * decay,                            exponent_sum, negative_exponent)
        .eq((δ(m, a) * exp(t) + (1 - δ(m, a)) * exp(0)) * (δ(a, o) * exp(t) + (1 - δ(a, o)) * exp(0)) * decay,     of_bracket)
        .eq((δ(m, a) * δ(a, o) * (exp(t) - 1) ** 2 + best * (exp(t) - 1) + 1) * decay,      exponent_sum)
        .eq((best * (exp(t) - 1) + 1) * decay,                                      never_both)
        .eq(δ(m, a) * exp(t - below[m, o, a] * t) + δ(a, o) * exp(t - below[m, o, a] * t) + rest,     exponent_sum, negative_exponent)
        .eq(δ(m, a) * exp(t - below[m, o, m] * t) + δ(a, o) * exp(t - below[m, o, o] * t) + rest,     where_equal(a))
        .eq(δ(m, a) * exp(0) + δ(a, o) * exp(0) + rest,                             by(below), given(two), given(alike))
        .eq(best + rest,                                                            exponent_sum)
    )  # fmt: skip


@entry.proves(tends(w[m, a], t, inf, best), "Tie: every other weight decays")
def decays_two():
    written = best + (1 - best) * exp(-(below[m, o, a] * t))
    return restated(
        discharged(limit(tends(written, t, inf, best)), given_at(apart, a)), tends(w[m, a], t, inf, best), beside_two
    )


@entry.proves(eq(Σ(best_of(c), c), 2), "Tie: two keys are the best")
def two_best():
    return (
        calc(Σ(best_of(c), c))
        .eq(2,                                                                      sift)
    )  # fmt: skip


@entry.proves(tends(share, t, inf, settled), "Tie: all of them together")
def shares_two():
    every, positive = (
        for_all(instance(decays_two.theorem, (a, c)), c),
        nonnegative(calc(Σ(best_of(c), c)).eq(2, two_best)),
    )
    return discharged(limit(tends(share, t, inf, settled), decays_two, every), positive)


@entry.proves(tends(p[a], t, inf, best / 2), "Tie: the best two share alike")
def winners():
    positive = nonnegative(calc(Σ(best_of(c), c)).eq(2, two_best))
    return discharged(restated(shares_two, tends(p[a], t, inf, best / 2), two_best, relative), positive)


@entry.proves(tends(D(p[m], z[m]), t, inf, Fraction(1, 4)), "Tie: an entry of the Jacobian stays")
def stays():
    settle = limit(tends(p[m] * (1 - p[m]), t, inf, first * (1 - first)), instance(winners.theorem, (a, m)))
    return restated(settle, tends(D(p[m], z[m]), t, inf, Fraction(1, 4)), given(two), jacobian)
