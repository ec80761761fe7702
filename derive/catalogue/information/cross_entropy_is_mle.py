"""The likelihood is e to the minus N times the mean cross-entropy: to minimise the one is to maximise the other."""

from derive.language.notation import exp, kl, log, xlogy
from derive.language.term import Π, Σ, D, eq, forall, iff, indices, le, let, lift, name_of, sizes, var
from derive.logic.arguments import from_gap
from derive.logic.calc import calc
from derive.logic.rules.reasons import (
    by,
    exp_grows,
    exp_rule,
    gap_parts,
    inverse_pair,
    linearity,
    log_ratio,
    log_rules,
    multiplied,
    normalisation,
    plain_log,
    zero_set,
)
from derive.record import Derivation, Kernel, Mistake

N, K = sizes("N K"); (n,), (k,) = indices("n", N), indices("k", K)

# two models of the same labels
Y = var("Y", N, K, dom="density")
A, B = var("A", N, K, dom="positive"), var("B", N, K, dom="positive")
likelihood_A, likelihood_B = (let(f"L_{name_of(m)}", Π(m[n, k] ** Y[n, k], n, k)) for m in (A, B))
loss_A, loss_B = (let(f"C_{name_of(m)}", -Σ(xlogy(Y[n, k], m[n, k]), n, k) / N) for m in (A, B))

# a model of the frequencies alone
q, r = var("q", K, dom="positive density"), let("f", Y.mean())
shared = let("C_q", -Σ(xlogy(Y[n, k], q[k]), n, k) / N)
best = let("C_f", -Σ(xlogy(r[k], r[k]), k))

# two classes
t, y = var("t", dom="unit"), var("y", dom="closed unit")

entry = Derivation(
    module=__name__,
    title="Minimising the cross-entropy maximises the likelihood",
    claim=iff(le(likelihood_A, likelihood_B), le(loss_B, loss_A)),
    goal="Show that the mean cross-entropy of labels and predictions ranks models exactly as their likelihood does, in reverse.",
    priority="critical",
    given=(
        (N, "number of examples"), (K, "number of classes"), (Y, "labels: one-hot, or soft"), (A, "what one model gives each class"), (B, "what another model gives"),
        (likelihood_A, "likelihood of the labels under the first model"), (likelihood_B, "under the second"), (loss_A, "mean cross-entropy of the first model"), (loss_B, "of the second"),
        (r, "frequencies of the classes"), (q, "a model that gives the same to every example"), (shared, "its mean cross-entropy"), (best, "entropy of the frequencies"),
        (t, "probability of the positive class"), (y, "its label"),
    ),
    convention=(
        f"The examples are independent given the inputs, so the likelihood is a product over them. With one-hot labels the factor of an example is the probability of its class, since {eq(A[n, k] ** 0, 1)}; "
        f"with soft labels it is a weighted geometric mean. Predictions are positive, as those of a softmax are; a label of 0 takes its logarithm out of the sum."
    ),
    prompt="Why is a classifier trained with cross-entropy? Show that the minimiser of the loss is the maximum-likelihood estimate.",
    sixty_seconds=(
        f"The labels are independent given the inputs, so the likelihood is the product {likelihood_A} of the probabilities that the model gives them. The logarithm turns it into a sum, and that sum is {-(N * loss_A)}: "
        f"the likelihood is {exp(-(N * loss_A))}. The exponential grows and the sign is turned, so a model has more likelihood exactly if it has less loss. Nothing was said of the model: "
        f"whatever its parameters are, the two have the same optima. If the model gives all examples the same {q}, the loss is the cross-entropy of the class frequencies, and they are the best {q}."
    ),
    strong=(
        f"States the identity before the optimum: {eq(likelihood_A, exp(-(N * loss_A)))}. So the two objectives rank all models alike and do not only share a maximum, and dividing by {N} changes the step size and nothing else. "
        "Says which assumption the loss makes: independent examples."
    ),
    weak=(
        f"Says that both are about probabilities and so must agree. That does not show which way round: the likelihood is maximised, the loss is minimised, and the slope of the one is {-N} times the slope of the other times the likelihood itself."
    ),
    sanity=(
        ("Sign", "Probabilities are at most 1, so the likelihood is at most 1 and the loss at least 0."),
        ("Special value", f"A model that gives {lift(1) / K} to every class has likelihood {(lift(1) / K) ** N} and loss {log(K)}."),
        ("Two classes", f"With the label {y} and the prediction {t} the factor is {t**y * (1 - t) ** (1 - y)}: {t} for a 1, and {1 - t} for a 0."),
    ),
    mistakes=(
        Mistake(iff(le(likelihood_A, likelihood_B), le(loss_A, loss_B)), "The order is turned: more likelihood is less loss."),
        Mistake(eq(log(likelihood_A), -loss_A), f"The loss is a mean over the examples: the factor {N} is lost."),
        Mistake(eq(likelihood_A, Σ(Y[n, k] * A[n, k], n, k)), "Independent events multiply; the sum is a count of expected hits."),
        Mistake(eq(log(t**y * (1 - t) ** (1 - y)), y * log(t)), "The negative class counts too: an example with label 0 would cost nothing."),
    ),
    prerequisites=("cross-entropy-decomposition",),
    follow_ups=("softmax-ce-delta", "logistic-gradient", "perplexity"),
    kernels=(
        Kernel("mean_cross_entropy", (Y, A), (("loss", -Σ(xlogy(Y[n, k], A[n, k]), n, k) / N),), "Mean cross-entropy of labels and predicted probabilities; a label of 0 costs nothing.", proved_by=("mean_loss",)),
        Kernel("likelihood", (Y, A), (("likelihood", exp(Σ(xlogy(Y[n, k], A[n, k]), n, k))),), "Likelihood of labels under predicted probabilities, as the exponential of its logarithm.", textbook=likelihood_A, proved_by=("likelihood_from_sum",)),
    ),
    references=("C. M. Bishop, Pattern Recognition and Machine Learning, sections 4.3.2 and 4.3.4",),
)  # fmt: skip


@entry.proves(eq(log(likelihood_A), -(N * loss_A)), "The logarithm of the likelihood")
def log_likelihood():
    return (
        calc(log(likelihood_A))
        .eq(log(Π(A[n, k] ** Y[n, k], n, k)),                                       by(likelihood_A))
        .eq(Σ(xlogy(Y[n, k], A[n, k]), n, k),                                       log_rules, plain_log)
        .eq(-(N * loss_A),                                                          by(loss_A))
    )  # fmt: skip


@entry.proves(eq(likelihood_A, exp(-(N * loss_A))), "The likelihood from the loss")
def identity():
    return (
        calc(likelihood_A)
        .eq(exp(log(likelihood_A)),                                                 inverse_pair)
        .eq(exp(-(N * loss_A)),                                                     log_likelihood)
    )  # fmt: skip


@entry.proves(iff(le(likelihood_A, likelihood_B), le(loss_B, loss_A)), "More likelihood is less loss", main=True)
def ranking():
    return (
        calc(le(likelihood_A, likelihood_B))
        .iff(le(exp(-(N * loss_A)), exp(-(N * loss_B))),                            identity, by(loss_A, loss_B))
        .iff(le(-(N * loss_A), -(N * loss_B)),                                      exp_grows)
        .iff(le(loss_B, loss_A),                                                    multiplied(le(loss_B, loss_A), N))
    )  # fmt: skip


@entry.proves(eq(D(likelihood_A, A[n, k]), -(N * likelihood_A) * D(loss_A, A[n, k])), "The slopes")
def slopes():
    return (
        calc(D(likelihood_A, A[n, k]))
        .eq(D(exp(-(N * loss_A)), A[n, k]),                                         identity)
        .eq(-(exp(-(N * loss_A)) * (N * D(loss_A, A[n, k]))),                       exp_rule, linearity)
        .eq(-(N * likelihood_A) * D(loss_A, A[n, k]),                               identity)
    )  # fmt: skip


@entry.proves(eq(shared, -Σ(xlogy(r[k], q[k]), k)), "One model for all: the cross-entropy of the frequencies")
def frequencies():
    return (
        calc(shared)
        .eq(-Σ(Y[n, k] * log(q[k]), n, k) / N,                                      by(shared), plain_log)
        .eq(-Σ(Y[n, k] * log(q[k]), k, n) / N).note("the sums change places")
        .eq(-Σ(xlogy(r[k], q[k]), k),                                               by(r), plain_log, linearity)
    )  # fmt: skip


@entry.proves(eq(Σ(r[k], k), 1), "The frequencies are a distribution")
def mass():
    return (
        calc(Σ(r[k], k))
        .eq(Σ(Y[n, k], k, n) / N,                                                   by(r), linearity)
        .eq(Σ(Y[n, k], n, k) / N).note("the sums change places")
        .eq(1,                                                                      normalisation, linearity)
    )  # fmt: skip


@entry.proves(eq(shared - best, Σ(kl(r[k], q[k]), k)), "What another model loses against the frequencies")
def lost():
    return (
        calc(shared - best)
        .eq(Σ(xlogy(r[k], r[k]), k) - Σ(xlogy(r[k], q[k]), k),                      frequencies, by(best))
        .eq(Σ(xlogy(r[k], r[k]), k) - Σ(xlogy(r[k], q[k]), k) - Σ(r[k], k) + Σ(q[k], k),    mass, normalisation)
        .eq(Σ(kl(r[k], q[k]), k),                                                   gap_parts, log_ratio, linearity)
    )  # fmt: skip


@entry.proves(le(best, shared), "The frequencies have the least loss")
def least():
    return from_gap(
        calc(shared - best)
        .eq(Σ(kl(r[k], q[k]), k),                                                   lost)
    )  # fmt: skip


@entry.proves(iff(eq(shared, best), forall(eq(r[k], q[k]), k)), "And no other model has it")
def only_there():
    return (
        calc(eq(shared, best))
        .iff(eq(shared - best, 0),                                                  multiplied(eq(shared - best, 0), lift(1)))
        .iff(eq(Σ(kl(r[k], q[k]), k), 0),                                           lost)
        .iff(forall(eq(r[k], q[k]), k),                                             zero_set)
    )  # fmt: skip


@entry.proves(eq(log(t**y * (1 - t) ** (1 - y)), y * log(t) + (1 - y) * log(1 - t)), "Two classes")
def bernoulli():
    return (
        calc(log(t**y * (1 - t) ** (1 - y)))
        .eq(y * log(t) + (1 - y) * log(1 - t),                                      log_rules)
    )  # fmt: skip


@entry.proves(eq(loss_A, -Σ(xlogy(Y[n, k], A[n, k]), n, k) / N), "The loss, written out")
def mean_loss():
    return (
        calc(loss_A)
        .eq(-Σ(xlogy(Y[n, k], A[n, k]), n, k) / N,                                  by(loss_A))
    )  # fmt: skip


@entry.proves(eq(likelihood_A, exp(Σ(xlogy(Y[n, k], A[n, k]), n, k))), "The likelihood, written out")
def likelihood_from_sum():
    return (
        calc(likelihood_A)
        .eq(exp(-(N * loss_A)),                                                     identity)
        .eq(exp(Σ(xlogy(Y[n, k], A[n, k]), n, k)),                                  by(loss_A))
    )  # fmt: skip
