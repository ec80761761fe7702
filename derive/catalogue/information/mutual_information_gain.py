"""Mutual information three ways: as a relative entropy, as a sum of entropies, and as the gain of a split."""

from fractions import Fraction
from random import Random

from derive.language.notation import kl, log, xlog_ratio, xlogy
from derive.language.term import Σ, array, eq, forall, iff, indices, le, let, lift, sizes, var
from derive.logic.arguments import nonnegative
from derive.logic.calc import calc
from derive.logic.rules.reasons import (
    by,
    gap_parts,
    linearity,
    log_number,
    log_ratio,
    normalisation,
    weighted_logs,
    weights,
    zero_set,
)
from derive.record import Derivation, Kernel, Mistake, Number

# X has I outcomes and Y has J: the joint distribution is that of X times the rows of Y given X
I, J = sizes("I J"); (i,), (j,) = indices("i", I), indices("j", J)
p, C = var("p", I, dom="density"), var("C", I, J, dom="density")
W = let("W", array(p[i] * C[i, j], i, j)); m = let("m", array(Σ(W[i, j], i), j))
info = let("I(X; Y)", Σ(xlog_ratio(W[i, j], p[i] * m[j]), i, j))
H_X, H_Y = let("H(X)", -Σ(xlogy(p[i], p[i]), i)), let("H(Y)", -Σ(xlogy(m[j], m[j]), j))
H_XY = let("H(X, Y)", -Σ(xlogy(W[i, j], W[i, j]), i, j))
H_given = let("H(Y∣X)", -Σ(p[i] * Σ(xlogy(C[i, j], C[i, j]), j), i))
gaps = Σ(kl(W[i, j], p[i] * m[j]), i, j)


def two(share: Fraction):
    """The entropy of two classes, in nats."""
    one, other = lift(share), lift(1 - share)
    return -(one * log(one)) - other * log(other)


parent, child = two(Fraction(9, 14)), two(Fraction(2, 5))

entry = Derivation(
    module=__name__,
    title="Mutual information and the gain of a split",
    claim=eq(info, H_Y - H_given),
    goal="Show that three definitions of mutual information agree, that it is never negative, and zero only for independent variables.",
    priority="important",
    given=(
        (I, "number of outcomes of X: the branches of a split"), (J, "number of outcomes of Y: the classes"), (p, "distribution of X: the share of each branch"), (C, "distribution of Y in each branch, one a row"),
        (W, "joint distribution"), (m, "distribution of Y"), (info, "mutual information"), (H_X, "entropy of X"), (H_Y, "entropy of Y"), (H_XY, "entropy of both together"), (H_given, "mean entropy of Y in the branches"),
    ),
    convention=(
        f"Logarithms are natural; divided by {log(2)} the information is in bits. Shares and probabilities may be 0, an empty branch and a pure one included: a weight of 0 takes its logarithm out of the sum. "
        f"{kl(W[i, j], p[i] * m[j])} is the relative-entropy gap, never negative and 0 only for equal arguments."
    ),
    prompt="A decision tree chooses the split with the largest information gain. What is it, why can it not be negative, and what has it to do with mutual information?",
    sixty_seconds=(
        f"The gain is the entropy of the classes before the split less the mean entropy after it, {H_Y - H_given}. Write the joint distribution as {eq(W[i, j], p[i] * C[i, j])}; the logarithm of the product splits, and the gain becomes {H_X + H_Y - H_XY}, "
        f"which is symmetric: the split learns as much of the class as the class would tell of the split. In one logarithm it is {info}, the relative entropy of the joint distribution with respect to the product of the marginal ones. "
        f"So it is never negative, and 0 exactly if class and split are independent."
    ),
    strong=(
        "Weights the children by their size and says why: it is a mean over the examples. Knows what the gain rewards too much: a split into single examples leaves no entropy at all, so many branches look good on the training set, and the gain ratio divides by the entropy of the split."
    ),
    weak="Says that the gain is positive because a split makes the leaves purer. A leaf may well be less pure than its parent; only the weighted mean over the leaves cannot get worse.",
    sanity=(
        ("Independent", f"If every branch has the classes’ own distribution, {eq(C[i, j], m[j])}, then {eq(H_given, H_Y)} and the gain is 0."),
        ("Pure", f"If every branch has one class only, {H_given} is 0 and the gain is all of {H_Y}."),
        ("Symmetry", f"{H_X + H_Y - H_XY} does not change if X and Y change places."),
    ),
    mistakes=(
        Mistake(eq(info, H_Y - H_X), "The entropy of the split itself has no place there: it is the entropy that is left in the branches."),
        Mistake(eq(info, H_XY - H_X - H_Y), "The sign is turned: two variables together have at most as much entropy as both apart."),
        Mistake(eq(info, H_Y + Σ(xlogy(C[i, j], C[i, j]), i, j)), "The branches count by their size, and not each the same."),
        Mistake(eq(H_XY, H_X + H_Y), "That holds for independent variables only."),
    ),
    prerequisites=("gibbs-inequality", "entropy-bounds"),
    follow_ups=("cross-entropy-decomposition",),
    kernels=(
        Kernel("mutual_information", (p, C), (("information", gaps),), "Mutual information in nats, from the shares of the branches and the classes in each.", proved_by=("gap",)),
    ),
    numbers=(
        Number(parent / log(2), "0.940", "entropy of nine examples of one class and five of the other, in bits"),
        Number((parent - lift(Fraction(10, 14)) * child) / log(2), "0.247", "gain of a split into branches of 2 and 3, 4 and 0, 3 and 2 examples of the two classes, in bits"),
    ),
    references=("T. M. Cover and J. A. Thomas, Elements of Information Theory, section 2.4", "J. R. Quinlan, “Induction of decision trees”, Machine Learning 1, 1986, section 4"),
)  # fmt: skip


@entry.proves(eq(Σ(xlogy(W[i, j], p[i]), i, j), -H_X), "What the split itself costs")
def first():
    return (
        calc(Σ(xlogy(W[i, j], p[i]), i, j))
        .eq(Σ(xlogy(p[i], p[i]) * C[i, j], i, j),                                   by(W), weights)
        .eq(Σ(xlogy(p[i], p[i]), i),                                                linearity, normalisation)
        .eq(-H_X,                                                                   by(H_X))
    )  # fmt: skip


@entry.proves(eq(Σ(xlogy(W[i, j], m[j]), i, j), -H_Y), "What the classes cost without it")
def second():
    return (
        calc(Σ(xlogy(W[i, j], m[j]), i, j))
        .eq(Σ(xlogy(W[i, j], m[j]), j, i)).note("the sums change places")
        .eq(Σ(xlogy(m[j], m[j]), j),                                                by(m), weights)
        .eq(-H_Y,                                                                   by(H_Y))
    )  # fmt: skip


@entry.proves(eq(info, H_X + H_Y - H_XY), "A sum of entropies")
def entropies():
    return (
        calc(info)
        .eq(Σ(xlogy(W[i, j], W[i, j]) - xlogy(W[i, j], p[i]) - xlogy(W[i, j], m[j]), i, j),         by(info), log_ratio, weighted_logs)
        .eq(Σ(xlogy(W[i, j], W[i, j]), i, j) - Σ(xlogy(W[i, j], p[i]), i, j) - Σ(xlogy(W[i, j], m[j]), i, j),   linearity)
        .eq(H_X + H_Y - H_XY,                                                       first, second, by(H_XY))
    )  # fmt: skip


@entry.proves(eq(H_XY, H_X + H_given), "The chain rule of entropy")
def chain_rule():
    return (
        calc(H_XY)
        .eq(-Σ(xlogy(p[i] * C[i, j], p[i]) + xlogy(p[i] * C[i, j], C[i, j]), i, j), by(H_XY, W), weighted_logs)
        .eq(-Σ(xlogy(p[i], p[i]) * C[i, j] + p[i] * xlogy(C[i, j], C[i, j]), i, j), weights)
        .eq(-Σ(xlogy(p[i], p[i]), i) - Σ(p[i] * Σ(xlogy(C[i, j], C[i, j]), j), i),  linearity, normalisation)
        .eq(H_X + H_given,                                                          by(H_X, H_given))
    )  # fmt: skip


@entry.proves(eq(info, H_Y - H_given), "The gain of a split", main=True)
def gain():
    return (
        calc(info)
        .eq(H_X + H_Y - H_XY,                                                       entropies)
        .eq(H_Y - H_given,                                                          chain_rule)
    )  # fmt: skip


@entry.proves(eq(Σ(W[i, j], i, j), 1), "The joint distribution is one")
def joint():
    return (
        calc(Σ(W[i, j], i, j))
        .eq(Σ(p[i] * Σ(C[i, j], j), i),                                             by(W), linearity)
        .eq(1,                                                                      normalisation, linearity)
    )  # fmt: skip


@entry.proves(eq(Σ(p[i] * m[j], i, j), 1), "So is the product of the marginal ones")
def product():
    return (
        calc(Σ(p[i] * m[j], i, j))
        .eq(Σ(p[i], i) * Σ(m[j], j),                                                linearity)
        .eq(Σ(W[i, j], j, i),                                                       normalisation, by(m))
        .eq(Σ(W[i, j], i, j)).note("the sums change places")
        .eq(1,                                                                      joint)
    )  # fmt: skip


@entry.proves(eq(info, gaps), "A sum of gaps")
def gap():
    return (
        calc(info)
        .eq(Σ(xlog_ratio(W[i, j], p[i] * m[j]), i, j) - 1 + 1,                      by(info))
        .eq(Σ(xlog_ratio(W[i, j], p[i] * m[j]), i, j) - Σ(W[i, j], i, j) + Σ(p[i] * m[j], i, j),    joint, product)
        .eq(gaps,                                                                   gap_parts, linearity)
    )  # fmt: skip


@entry.proves(le(0, info), "Never negative")
def lower():
    return nonnegative(
        calc(info)
        .eq(gaps,                                                                   gap)
    )  # fmt: skip


@entry.proves(iff(eq(info, 0), forall(eq(W[i, j], p[i] * m[j]), i, j)), "Zero exactly for independent variables")
def independent():
    return (
        calc(eq(info, 0))
        .iff(eq(gaps, 0),                                                           gap)
        .iff(forall(eq(W[i, j], p[i] * m[j]), i, j),                                zero_set)
    )  # fmt: skip


@entry.example("A split of two equal classes into two equal branches")
def split(rng: Random):
    more, less = rng.choice(((3, 1), (2, 1), (4, 1), (5, 1), (5, 3), (7, 1)))
    share = Fraction(more, more + less)
    one, other, half = lift(share), lift(1 - share), lift(Fraction(1, 2))
    purer = one * log(more) if less == 1 else one * log(more) + other * log(less)
    return (
        calc(two(Fraction(1, 2)) - (half * two(share) + half * two(1 - share)))
        .eq(log(2) + one * log(one) + other * log(other),                           log_number)
        .eq(purer - log(lift(Fraction(more + less, 2))),                            log_number)
    )  # fmt: skip
