"""Perplexity, the exponential of the cross-entropy in nats: n for a uniform choice among n, and for many others too."""

from fractions import Fraction
from functools import reduce

from derive.catalogue.information import entropy_bounds
from derive.language.notation import exp, log, xlogy
from derive.language.term import Π, Σ, array, eq, forall, iff, implies, indices, le, let, lift, lt, sizes, var
from derive.logic.calc import calc
from derive.logic.rules.reasons import (
    by,
    exp_injective,
    exponent_sum,
    inverse_pair,
    linearity,
    log_number,
    log_rules,
    normalisation,
    plain_log,
    weighted_logs,
)
from derive.record import Assumption, Derivation, Kernel, Mistake, Number

N, K = sizes("N K"); (n,), (k,) = indices("n", N), indices("k", K)

# a true distribution and a model
p, q = var("p", K, dom="density"), var("q", K, dom="density")
H, cross = let("H", -Σ(xlogy(p[k], p[k]), k)), let("H(p, q)", -Σ(xlogy(p[k], q[k]), k))
own, perplexity = let("PP(p)", exp(H)), let("PP(p, q)", exp(cross))
even = let("PP(u)", exp(-Σ(xlogy(1 / K, 1 / K), k)))
blind = let("PP(p, u)", exp(-Σ(xlogy(p[k], 1 / K), k)))

# a text of N tokens
s = var("s", N, dom="unit")
text = let("PP_N", exp(-Σ(log(s[n]), n) / N))

# rows of distributions
P, Q = var("P", N, K, dom="density"), var("Q", N, K, dom="density")
rows_ = let("PP_r", array(exp(-Σ(xlogy(P[n, k], Q[n, k]), k)), n))

half, eighth = (lift(Fraction(1, m)) for m in (2, 8))
uneven = let("PP_5", exp(-(half * log(half)) - 4 * (eighth * log(eighth))))


def nats(*shares):
    """The entropy of hundredths."""
    first, *others = (lift(Fraction(share, 100)) for share in shares)
    return reduce(lambda sum_, share: sum_ - share * log(share), others, -(first * log(first)))


top, rest = lift(Fraction(641, 1000)), lift(Fraction(359, 1000))
logits = (lift(2), lift(1), lift(Fraction(1, 10)))
weight = exp(logits[0]) + exp(logits[1]) + exp(logits[2])

entry = Derivation(
    module=__name__,
    title="Perplexity",
    claim=eq(even, K),
    goal="Define perplexity, compute it for a uniform choice, and show that its value does not give the distribution away.",
    priority="important",
    given=(
        (p, "the true distribution"), (q, "the model’s"), (K, "number of outcomes"), (H, "entropy, in nats"), (cross, "cross-entropy, in nats"), (perplexity, "perplexity of the model"),
        (own, "perplexity of the truth itself"), (even, "perplexity of a uniform choice"), (blind, "perplexity of a model that knows nothing"),
        (N, "number of tokens, or of pairs"), (s, "what the model gave to each token that came"), (text, "perplexity of the text"),
        (P, "true distributions, one a row"), (Q, "those of the model"), (rows_, "perplexity of each pair"), (uneven, "perplexity of five outcomes, one of them as likely as the others together"),
    ),
    assumptions=(
        Assumption(forall(implies(lt(0, P[n, k]), lt(0, Q[n, k])), n, k), "the model is positive wherever the truth is, in each row"),
    ),
    convention=(
        f"Logarithms are natural and entropy is in nats; with bits the base of the power is 2 as well, and the perplexity is the same number. Probabilities may be 0, and {xlogy(p[k], p[k])} counts as 0 there."
    ),
    prompt="What is perplexity? A language model has perplexity 10: does that mean that it chooses uniformly among ten tokens?",
    sixty_seconds=(
        f"It is the exponential of the cross-entropy: {eq(text, exp(-Σ(log(s[n]), n) / N))}, the inverse of the geometric mean of what the model gave to the tokens that came. Chosen uniformly among {K}, each of them costs {log(K)}, so the perplexity is {K}: "
        f"hence the picture of a die with that many sides. It is a picture only. One outcome of {half} and four of {eighth} have the entropy {2 * log(2)} and the perplexity 4, with five outcomes and a favourite. "
        f"The exponential has to match the logarithm: e to the nats, or 2 to the bits."
    ),
    strong=(
        f"Adds the bounds: the perplexity of a distribution lies between 1 and {K}, and reaches {K} for the uniform one alone, so a value of {K} out of {K} does determine it. Mentions that the geometric mean punishes a single token that was thought nearly impossible, and that "
        "perplexities compare only over the same tokens."
    ),
    weak="Says that perplexity 10 means that the model hesitates between ten tokens. Most steps may be nearly certain and a few hopeless; an average of logarithms cannot tell.",
    sanity=(
        ("Special value", f"A model that gives every token probability 1 has {log(1)} in each place, and perplexity 1."),
        ("Uniform", f"A model that knows nothing gives each outcome {1 / K}; its perplexity is {K}, whatever the truth is."),
        ("Single tokens", f"A token that was given {lift(Fraction(19, 20))} costs {-log(lift(Fraction(19, 20)))}; one that was given {lift(Fraction(1, 10))} costs {log(10)}, forty-five times as much."),
    ),
    mistakes=(
        Mistake(eq(exp(H / log(2)), own), f"The entropy here is in bits, {H / log(2)}: then it is 2 that is raised to it."),
        Mistake(eq(text, Σ(1 / s[n], n) / N), "The mean is geometric: logarithms are averaged, and not the inverses."),
        Mistake(eq(text, exp(-Σ(log(s[n]), n))), f"Without the mean over the {N} tokens a longer text would be more perplexing."),
        Mistake(eq(uneven, 5), f"Five outcomes that are not alike have less than 5: here it is {lift(4)}."),
    ),
    prerequisites=("entropy-bounds", "cross-entropy-decomposition"),
    follow_ups=("cross-entropy-is-mle",),
    kernels=(
        Kernel("perplexity", (s,), (("perplexity", exp(-Σ(log(s[n]), n) / N)),), "Perplexity of a text from the probabilities of its tokens.", proved_by=("definition",)),
        Kernel("perplexities", (P, Q), (("perplexity", array(exp(-Σ(xlogy(P[n, k], Q[n, k]), k)), n)),), "Perplexity of models for true distributions, row by row; 0 log 0 is 0.", proved_by=("rows",)),
    ),
    numbers=(
        Number(-log(lift(Fraction(95, 100))), "0.0513", f"cross-entropy of a prediction of {lift(Fraction(95, 100))} for the class that came"),
        Number(-log(lift(Fraction(10, 100))), "2.3026", f"cross-entropy of a prediction of {lift(Fraction(1, 10))}"),
        Number(nats(33, 33, 34), "1.0985", "entropy, in nats, of three outcomes that are nearly alike"),
        Number(nats(1, 1, 98), "0.1119", "entropy, in nats, of three outcomes of which one is nearly certain"),
        Number(exp(logits[0]) / weight, "0.659", "softmax of three logits, the first"),
        Number(exp(logits[1]) / weight, "0.242", "the second"),
        Number(exp(logits[2]) / weight, "0.099", "the third"),
        Number(exp(-(top * log(top)) - rest * log(rest / 99)), "10.00", f"perplexity of one outcome of {top} and 99 that share the rest"),
    ),
    references=("D. Jurafsky and J. H. Martin, Speech and Language Processing, section 3.3 and 3.7",),
)  # fmt: skip


@entry.proves(eq(even, K), "A uniform choice", main=True)
def uniform():
    return (
        calc(even)
        .eq(exp(-Σ(-log(K) / K, k)),                                                by(even), weighted_logs, plain_log)
        .eq(exp(log(K)),                                                            linearity)
        .eq(K,                                                                      inverse_pair)
    )  # fmt: skip


@entry.proves(eq(blind, K), "A model that knows nothing")
def ignorance():
    return (
        calc(blind)
        .eq(exp(-Σ(-(p[k] * log(K)), k)),                                           by(blind), weighted_logs, plain_log)
        .eq(exp(log(K)),                                                            linearity, normalisation)
        .eq(K,                                                                      inverse_pair)
    )  # fmt: skip


@entry.proves(le(own, K), "No distribution has more")
def most():
    return (
        calc(own)
        .eq(exp(H),                                                                 by(own))
        .le(exp(log(K)),                                                            entropy_bounds.upper)
        .eq(K,                                                                      inverse_pair)
    )  # fmt: skip


@entry.proves(iff(eq(own, K), forall(eq(p[k], 1 / K), k)), "And only the uniform one has as much")
def only_uniform():
    return (
        calc(eq(own, K))
        .iff(eq(exp(H), exp(log(K))),                                               by(own), inverse_pair)
        .iff(eq(H, log(K)),                                                         exp_injective)
        .iff(forall(eq(p[k], 1 / K), k),                                            entropy_bounds.uniform)
    )  # fmt: skip


@entry.proves(le(1, own), "None has less than 1")
def least():
    return (
        calc(1)
        .eq(exp(0),                                                                 exponent_sum)
        .le(exp(H),                                                                 entropy_bounds.lower)
        .eq(own,                                                                    by(own))
    )  # fmt: skip


@entry.proves(eq(uneven, 4), "Not conversely: five outcomes, perplexity 4")
def counterexample():
    return (
        calc(uneven)
        .eq(exp(2 * log(2)),                                                        by(uneven), log_number)
        .eq(exp(log(4)),                                                            log_number)
        .eq(4,                                                                      inverse_pair)
    )  # fmt: skip


@entry.proves(eq(text, Π((1 / s[n]) ** (1 / N), n)), "The inverse of a geometric mean")
def geometric_mean():
    return (
        calc(text)
        .eq(exp(Σ(1 / N * log(1 / s[n]), n)),                                       by(text), log_rules, linearity)
        .eq(exp(log(Π((1 / s[n]) ** (1 / N), n))),                                  log_rules)
        .eq(Π((1 / s[n]) ** (1 / N), n),                                            inverse_pair)
    )  # fmt: skip


@entry.proves(eq(lift(2) ** (H / log(2)), own), "With bits the base is 2")
def bits():
    return (
        calc(lift(2) ** (H / log(2)))
        .eq(exp(log(lift(2) ** (H / log(2)))),                                      inverse_pair)
        .eq(exp(H / log(2) * log(2)),                                               log_rules)
        .eq(own,                                                                    by(own))
    )  # fmt: skip


@entry.proves(eq(text, exp(-Σ(log(s[n]), n) / N)), "A text")
def definition():
    return (
        calc(text)
        .eq(exp(-Σ(log(s[n]), n) / N),                                              by(text))
    )  # fmt: skip


@entry.proves(eq(rows_[n], exp(-Σ(xlogy(P[n, k], Q[n, k]), k))), "Many pairs at once")
def rows():
    return (
        calc(rows_[n])
        .eq(exp(-Σ(xlogy(P[n, k], Q[n, k]), k)),                                    by(rows_))
    )  # fmt: skip
