"""∂pₖ/∂zⱼ = pₖ([k = j] − pⱼ): the Jacobian of softmax, what its rows add up to, and why it is never indefinite."""

from derive.language.notation import exp, softmax
from derive.language.term import Σ, D, array, diag, eq, forall, iff, indices, le, let, lift, outer, sizes, var, δ
from derive.logic.arguments import nonnegative
from derive.logic.calc import calc
from derive.logic.rules.reasons import by, exp_rule, linearity, multiplied, quotient_rule, sift, zero_set
from derive.record import Derivation, Kernel, Mistake

N, K = sizes("N K")
i, j, k = indices("i j k", K)
m, n = indices("m n", N)
z, Z = var("z", K), var("Z", N, K)
p, P = let("p", softmax(z)), let("P", softmax(Z))
v = var("v", K)
μ = let("μ", Σ(p[k] * v[k], k))

total = Σ(exp(z[i]), i)
row_total = Σ(exp(Z[m, i]), i)
bracket = δ(k, j) - p[j]
form = Σ(v[k] * v[j] * D(p[k], z[j]), k, j)
spread = Σ(p[k] * (v[k] - μ) ** 2, k)
apart = δ(k, j) * (P[n, k] * (1 - P[n, k])) - (1 - δ(k, j)) * P[n, k] * P[n, j]
textbook = array(exp(Z[n, k]) / Σ(exp(Z[n, i]), i), n, k)

entry = Derivation(
    module=__name__,
    title="The softmax Jacobian",
    claim=eq(D(p[k], z[j]), p[k] * bracket),
    goal=f"Differentiate every output of softmax by every logit, and read the {D(p, z)} that results as a matrix.",
    priority="critical",
    given=(
        (K, "number of classes"),
        (N, "number of examples"),
        (z, "logits of one example"),
        (p, "its probabilities"),
        (v, "any direction in the space of logits"),
        (μ, f"the mean of {v} when {k} is drawn with probability {p[k]}"),
        (Z, "logits of a batch, one example a row"),
        (P, "its probabilities"),
    ),
    convention=(
        f"The bracket {δ(k, j)} is 1 where {k} and {j} are equal and 0 elsewhere. In {D(p, z)} the row says which output, "
        "the column which logit."
    ),
    prompt=f"Let {eq(p, softmax(z))}. Derive {D(p[k], z[j])} for every {k} and {j}, and write the Jacobian as a matrix. What can you say of its rows, and of its eigenvalues?",
    sixty_seconds=(
        f"Write {p[k]} as {exp(z[k]) / total}. Every logit sits in the denominator, and one of them in the numerator too, so "
        f"the quotient rule gives two parts: {p[k]} where {k} is {j}, less {p[k] * p[j]} always. Together that is "
        f"{p[k] * bracket}, or {diag(p) - outer(p, p)}. Rows add up to 0, since the probabilities keep the sum 1. As a "
        f"quadratic form it is the variance of {v} under {p}, so no eigenvalue is negative."
    ),
    strong=(
        f"Keeps two different indices from the first line on, treats equal and unequal ones in one formula with {δ(k, j)}, and "
        f"adds that nobody forms the matrix in backpropagation: applied to {v} it is {p * (v - μ)}, a cost of order {K}."
    ),
    weak=(
        f"Answers {p[k] * (1 - p[k])}. That is the diagonal alone, copied from the sigmoid: it forgets that raising one logit "
        "lowers every other probability."
    ),
    sanity=(
        ("Shape", f"{K} outputs by {K} logits."),
        ("Sum", f"Adding one number to all logits changes no probability, and indeed {eq(Σ(D(p[k], z[j]), j), 0)}."),
        ("Uniform", f"With equal logits the diagonal is {1 / K * (1 - 1 / K)}, the other entries are {-(1 / K**2)}."),
        ("Certainty", "As one probability tends to 1, every entry tends to 0: a confident softmax passes no gradient on."),
    ),
    mistakes=(
        Mistake(eq(D(p[k], z[j]), δ(k, j) * p[k] * (1 - p[k])), "Only the diagonal: the denominator contains every logit."),
        Mistake(eq(D(p[k], z[j]), p[k] * (1 - p[j])), f"The bracket {δ(k, j)} is not 1 everywhere: off the diagonal the numerator does not depend on {z[j]}."),
        Mistake(eq(D(p[k], z[j]), p[k] * (p[j] - δ(k, j))), "The sign is turned round: a logit raises its own probability."),
        Mistake(eq(D(p, z), diag(p) - p * p), f"The product is taken elementwise where {outer(p, p)} is meant. NumPy broadcasts it to a matrix without a word."),
    ),
    prerequisites=("sigmoid-derivative",),
    follow_ups=("softmax-ce-delta", "mlp-backprop"),
    kernels=(
        Kernel("softmax", (Z,), (("value", softmax(Z)),), "Softmax of each row of logits.", textbook=textbook),
        Kernel(
            "softmax_jacobian", (Z,), (("jacobian", array(apart, n, k, j)),),
            "The Jacobian of softmax for each row of logits.", textbook=textbook, proved_by=("each_row",),
        ),
    ),
)  # fmt: skip


@entry.proves(eq(D(p[k], z[j]), p[k] * bracket), "Softmax Jacobian", main=True)
def jacobian():
    return (
        calc(D(p[k], z[j]))
        .part("Write out softmax and differentiate the quotient")
        .eq(D(exp(z[k]) / total, z[j]),                                                        by(p, "softmax"))
        .eq((D(exp(z[k]), z[j]) * total - exp(z[k]) * D(total, z[j])) / total ** 2,            quotient_rule)
        .part("Only equal indices survive a derivative")
        .eq((δ(k, j) * exp(z[k]) * total - exp(z[k]) * exp(z[j])) / total ** 2,                exp_rule, linearity, sift)
        .part("Read probabilities again")
        .eq(exp(z[k]) / total * (δ(k, j) - exp(z[j]) / total))
        .eq(p[k] * bracket,                                                                    by(p, "softmax"))
    )  # fmt: skip


@entry.proves(eq(D(p, z), diag(p) - outer(p, p)), "The Jacobian as a matrix")
def matrix():
    return calc(D(p[k], z[j])).eq(p[k] * bracket, jacobian).array(D(p, z), diag(p) - outer(p, p), k, j)


@entry.proves(eq(Σ(p[k], k), 1), "Probabilities sum to one")
def sums_to_one():
    return (
        calc(Σ(p[k], k))
        .eq(Σ(exp(z[k]) / total, k),         by(p, "softmax"))
        .eq(total / total,                   linearity)
        .eq(1)
    )  # fmt: skip


@entry.proves(eq(Σ(D(p[k], z[j]), j), 0), "Every row sums to zero")
def rows_sum_to_zero():
    return (
        calc(Σ(D(p[k], z[j]), j))
        .eq(Σ(p[k] * bracket, j),            jacobian)
        .eq(p[k] - p[k] * Σ(p[j], j),        linearity, sift)
        .eq(0,                               sums_to_one)
    )  # fmt: skip


@entry.proves(eq(D(p, z).T @ v, p * (v - μ)), "A product with the Jacobian, without the matrix")
def product():
    return (
        calc(Σ(D(p[k], z[j]) * v[k], k))
        .eq(Σ(p[k] * bracket * v[k], k),     jacobian)
        .eq(p[j] * (v[j] - μ),               by(μ), linearity, sift)
        .array(D(p, z).T @ v, p * (v - μ), j)
    )  # fmt: skip


@entry.proves(eq(form, spread), "Quadratic form as a variance")
def variance():
    return (
        calc(form)
        .eq(Σ(v[k] * v[j] * (p[k] * bracket), k, j),                               jacobian)
        .eq(Σ(p[k] * v[k] ** 2, k) - μ ** 2,                                       by(μ), linearity, sift)
        .eq(Σ(p[k] * v[k] ** 2, k) - 2 * μ * Σ(p[k] * v[k], k) + μ ** 2 * Σ(p[k], k), by(μ), sums_to_one)
        .eq(spread,                                                                linearity)
    )  # fmt: skip


@entry.proves(le(0, form), "The Jacobian is positive semidefinite")
def semidefinite():
    return nonnegative(calc(form).eq(spread, variance))


@entry.proves(iff(eq(form, 0), forall(eq(v[k], μ), k)), "The form vanishes along equal shifts, and only there")
def null_space():
    return (
        calc(eq(form, 0))
        .iff(eq(spread, 0),                  variance)
        .iff(forall(eq(v[k] - μ, 0), k),     zero_set)
        .iff(forall(eq(v[k], μ), k),         multiplied(eq(v[k], μ), lift(1)))
    )  # fmt: skip


@entry.proves(eq(D(P[m, k], Z[n, j]), δ(m, n) * P[m, k] * (δ(k, j) - P[m, j])), "Softmax Jacobian by rows")
def by_rows():
    return (
        calc(D(P[m, k], Z[n, j]))
        .eq(D(exp(Z[m, k]) / row_total, Z[n, j]),                                                                     by(P, "softmax"))
        .eq((D(exp(Z[m, k]), Z[n, j]) * row_total - exp(Z[m, k]) * D(row_total, Z[n, j])) / row_total ** 2,           quotient_rule)
        .eq(δ(m, n) * (δ(k, j) * exp(Z[m, k]) * row_total - exp(Z[m, k]) * exp(Z[m, j])) / row_total ** 2,            exp_rule, linearity, sift)
        .eq(δ(m, n) * P[m, k] * (δ(k, j) - P[m, j]),                                                                  by(P, "softmax"))
    )  # fmt: skip


@entry.proves(eq(D(P[n, k], Z[n, j]), apart), "One Jacobian a row, its diagonal apart")
def each_row():
    return (
        calc(D(P[n, k], Z[n, j]))
        .eq(P[n, k] * (δ(k, j) - P[n, j]),                                                                            by_rows)
        .part("Under the bracket one index may stand for the other")
        .eq(δ(k, j) * P[n, k] - P[n, k] * Σ(P[n, i] * δ(i, j) * δ(i, k), i) - (1 - δ(k, j)) * P[n, k] * P[n, j],      sift)
        .eq(δ(k, j) * P[n, k] - P[n, k] * Σ(P[n, i] * δ(i, k) * δ(i, j), i) - (1 - δ(k, j)) * P[n, k] * P[n, j])
        .eq(apart,                                                                                                    sift)
    )  # fmt: skip
