"""KL(p‖q) ≥ 0, with equality exactly where p = q: by the tangent of the logarithm, by Jensen, and as a sum of gaps."""

from fractions import Fraction

from derive.language.notation import kl, log, xlog_ratio
from derive.language.term import (
    Σ,
    Term,
    array,
    eq,
    expect,
    forall,
    iff,
    implies,
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
from derive.logic.arguments import from_gap, rearranged
from derive.logic.calc import calc
from derive.logic.rules.reasons import (
    by,
    expected_log,
    gap_parts,
    jensen,
    linearity,
    log_number,
    log_rules,
    log_tangent,
    normalisation,
    support,
    total_mass,
    use,
    zero_set,
)
from derive.record import Assumption, Derivation, Kernel, Mistake, Number

half, quarter, most = (lift(Fraction(n, 4)) for n in (2, 1, 3))

# densities on any space; a sum is the integral over finitely many points
X = space("𝒳"); x = index("x", X)
p, q = var("p", X, dom="density"), var("q", X, dom="density")
forwards = let("KL(p‖q)", expect(p, log(p[x] / q[x]), x))
continuous = forall(implies(lt(0, p[x]), lt(0, q[x])), x)
finite = Term("integrable", (x, p[x] * log(p[x] / q[x])))

# rows of probabilities
N, K = sizes("N K"); (n,), (k,) = indices("n", N), indices("k", K)
P, Q = var("P", N, K, dom="density"), var("Q", N, K, dom="density")
rows = let("KL_N", array(Σ(xlog_ratio(P[n, k], Q[n, k]), k), n))
continuous_rows = forall(implies(lt(0, P[n, k]), lt(0, Q[n, k])), n, k)

# a fair coin and a loaded one
fair_first = let("KL_f", xlog_ratio(half, quarter) + xlog_ratio(half, most))
loaded_first = let("KL_l", xlog_ratio(quarter, half) + xlog_ratio(most, half))

a, b, t = var("a", dom="nonnegative"), var("b", dom="positive"), var("t", dom="positive")

entry = Derivation(
    module=__name__,
    title="Gibbs’ inequality",
    claim=le(0, forwards),
    goal="Show that the relative entropy of two distributions is never negative, and zero only where they are equal.",
    priority="critical",
    given=(
        (p, "the distribution that one averages under"), (q, "the distribution that it is compared with"), (forwards, "relative entropy of the first with respect to the second"),
        (a, "a number, perhaps 0"), (b, "a positive number"), (kl(a, b), "what the tangent of the logarithm leaves"), (t, "a positive number"),
        (N, "number of pairs"), (K, "number of outcomes"), (P, "distributions, one a row"), (Q, "those that they are compared with"), (rows, "relative entropy of each pair"),
        (fair_first, "relative entropy of a fair coin with respect to a loaded one"), (loaded_first, "that of the loaded coin with respect to the fair one"),
    ),
    assumptions=(
        Assumption(continuous, f"{q} is positive wherever {p} is: absolute continuity"),
        Assumption(finite, "the mean that defines the relative entropy exists"),
        Assumption(continuous_rows, "the same for each pair of rows"),
    ),
    convention=(
        f"Both distributions may vanish at places, and {xlog_ratio(a, b)} counts as 0 where {eq(a, 0)}. On finitely many points the integral is a sum, and the mean always exists. "
        f"What holds for all {x} holds up to a set of measure 0. Where {q} vanishes on a part of {p} the relative entropy is infinite, and the inequality is empty."
    ),
    prompt="Prove that the Kullback–Leibler divergence is never negative. When is it 0, is it a distance, and what goes wrong if the second distribution has zeros?",
    sixty_seconds=(
        f"Turn the ratio round: {eq(-forwards, expect(p, log(q[x] / p[x]), x))}. The logarithm lies below its tangent at 1, {le(log(t), t - 1)}, so this is at most the mean of {q[x] / p[x] - 1}. "
        f"Under {p} that mean is the mass of {q} on the support of {p}, less 1, which is at most 0. The tangent touches at {eq(t, 1)} only, so equality needs {eq(p[x], q[x])} wherever {p} is, "
        f"and then {q} has no mass left for any other place. Jensen’s inequality gives the same in one line, as the logarithm is concave. It is no distance: it is not symmetric, and it is infinite as soon as "
        f"{q} misses something that {p} does."
    ),
    strong=(
        f"Writes the divergence as {eq(forwards, integral(kl(p[x], q[x]), x))}, where {kl(a, b)} is {a * log(a / b) - a + b}: never negative at any single point, so the sign and the case of equality are read off together. "
        f"Says where absolute continuity is used, and that the zeros of {p} need no care while those of {q} do."
    ),
    weak=(
        f"Says that it is a distance, so it cannot be negative. It is no distance, and single terms {xlog_ratio(p[x], q[x])} are negative wherever {lt(p[x], q[x])}: only their total is not."
    ),
    sanity=(
        ("Special value", f"For {eq(p[x], q[x])} every logarithm is {log(1)}, and the divergence is 0."),
        ("Zeros", f"At a point where {p} vanishes the gap {kl(lift(0), q[x])} is {q[x]}: the mass that {q} wastes there is counted."),
        ("Direction", f"A fair coin compared with one of {quarter} and {most} gives {fair_first}; the other way round it is {loaded_first}. Both are positive and they differ."),
    ),
    mistakes=(
        Mistake(eq(fair_first, loaded_first), "Relative entropy is not symmetric: the mean is under the first distribution, and that matters."),
        Mistake(forall(le(0, xlog_ratio(p[x], q[x])), x), f"The inequality is about the total. Where {q} is larger than {p} the term is negative."),
        Mistake(le(log(t), 1 - t), f"The sign of the tangent is turned: it is {t - 1}, which grows as the logarithm does."),
        Mistake(eq(expect(p, q[x] / p[x], x), 1), f"The mean of the ratio is the mass of {q} on the support of {p}: less than 1 where {q} puts some elsewhere."),
        Mistake(le(forwards, 0), f"The sign is lost: {-forwards} is the mean of {log(q[x] / p[x])}."),
    ),
    prerequisites=(),
    follow_ups=("cross-entropy-decomposition", "entropy-bounds", "jensen-shannon", "elbo"),
    kernels=(
        Kernel("relative_entropy", (P, Q), (("divergence", array(Σ(kl(P[n, k], Q[n, k]), k), n)),), "Relative entropy of distributions in nats, row by row; 0 log 0 is 0.", proved_by=("rows_gap",)),
    ),
    numbers=(
        Number(fair_first, "0.1438", f"relative entropy, in nats, of a fair coin with respect to one of {quarter} and {most}"),
        Number(loaded_first, "0.1308", "the other way round"),
    ),
    references=("T. M. Cover and J. A. Thomas, Elements of Information Theory, theorem 2.6.3",),
)  # fmt: skip


@entry.proves(le(0, forwards), "By the tangent of the logarithm", main=True)
def gibbs():
    return rearranged(
        calc(-forwards)
        .eq(expect(p, -log(p[x] / q[x]), x),                                        by(forwards), linearity)
        .eq(expect(p, log(q[x] / p[x]), x),                                         log_rules)
        .le(expect(p, q[x] / p[x] - 1, x),                                          log_tangent)
        .eq(expect(p, q[x] / p[x], x) - 1,                                          linearity, total_mass, normalisation)
        .le(integral(q[x], x) - 1,                                                  support)
        .eq(0,                                                                      normalisation),
        le(0, forwards),
    )  # fmt: skip


@entry.proves(le(0, forwards), "Again, by Jensen’s inequality")
def by_jensen():
    return rearranged(
        calc(-forwards)
        .eq(expect(p, -log(p[x] / q[x]), x),                                        by(forwards), linearity)
        .eq(expect(p, log(q[x] / p[x]), x),                                         log_rules)
        .le(log(expect(p, q[x] / p[x], x)),                                         jensen)
        .le(log(integral(q[x], x)),                                                 support)
        .eq(log(1),                                                                 normalisation)
        .eq(0,                                                                      log_rules),
        le(0, forwards),
    )  # fmt: skip


@entry.proves(eq(forwards, integral(kl(p[x], q[x]), x)), "Point by point")
def gap():
    return (
        calc(forwards)
        .eq(integral(xlog_ratio(p[x], q[x]), x),                                    by(forwards), expected_log)
        .eq(integral(xlog_ratio(p[x], q[x]), x) - 1 + 1)
        .eq(integral(xlog_ratio(p[x], q[x]), x) - integral(p[x], x) + integral(q[x], x),    normalisation)
        .eq(integral(kl(p[x], q[x]), x),                                            gap_parts, linearity)
    )  # fmt: skip


@entry.proves(iff(eq(forwards, 0), forall(eq(p[x], q[x]), x)), "Zero exactly where the two are equal")
def equality():
    return (
        calc(eq(forwards, 0))
        .iff(eq(integral(kl(p[x], q[x]), x), 0),                                    gap)
        .iff(forall(eq(p[x], q[x]), x),                                             zero_set)
    )  # fmt: skip


@entry.proves(lt(loaded_first, fair_first), "It is not symmetric")
def asymmetry():
    smaller = from_gap(calc(lift(256) - 243).eq(13))
    return (
        calc(loaded_first)
        .eq(quarter * log(half) + most * log(lift(Fraction(3, 2))),                      by(loaded_first), by("xlog_ratio"))
        .eq(log(243) / 4 - log(256) / 4 + log(2) - log(3) / 2,                      log_number)
        .lt(log(256) / 4 - log(256) / 4 + log(2) - log(3) / 2,                      use(smaller.theorem, "243 is less than 256"))
        .eq(half * log(2) + half * log(lift(Fraction(2, 3))),                                  log_number)
        .eq(fair_first,                                                             by(fair_first), by("xlog_ratio"))
    )  # fmt: skip


@entry.proves(eq(rows[n], Σ(kl(P[n, k], Q[n, k]), k)), "Finitely many outcomes: a sum of gaps")
def rows_gap():
    return (
        calc(rows[n])
        .eq(Σ(xlog_ratio(P[n, k], Q[n, k]), k),                                     by(rows))
        .eq(Σ(xlog_ratio(P[n, k], Q[n, k]), k) - Σ(P[n, k], k) + Σ(Q[n, k], k),     normalisation)
        .eq(Σ(kl(P[n, k], Q[n, k]), k),                                             gap_parts, linearity)
    )  # fmt: skip


@entry.proves(iff(eq(rows[n], 0), forall(eq(P[n, k], Q[n, k]), k)), "Finitely many outcomes: zero exactly where they are equal")
def rows_equality():
    return (
        calc(eq(rows[n], 0))
        .iff(eq(Σ(kl(P[n, k], Q[n, k]), k), 0),                                     rows_gap)
        .iff(forall(eq(P[n, k], Q[n, k]), k),                                       zero_set)
    )  # fmt: skip
