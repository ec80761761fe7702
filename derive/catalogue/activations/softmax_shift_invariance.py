"""softmax(z + c) = softmax(z): softmax sees differences of logits alone, and nothing else leaves it unchanged."""

from derive.catalogue.activations.logsumexp_trick import log_softmax
from derive.language.notation import exp, log, logsumexp, max_, softmax, σ
from derive.language.term import Σ, D, array, eq, forall, indices, le, let, sizes, var
from derive.logic.calc import calc
from derive.logic.rules.reasons import at_most_max, by, exponent_sum, given, linearity, negative_exponent
from derive.record import Assumption, Derivation, Kernel, Mistake

N, K = sizes("N K")
i, j, k = indices("i j k", K)
n, l = indices("n l", N)
z, w, Z = var("z", K), var("w", K), var("Z", N, K)
c, u, v, b = var("c"), var("u"), var("v"), var("b", N)
p, q = let("p", softmax(z)), let("q", softmax(w))
same = forall(eq(p[k], q[k]), k)

entry = Derivation(
    module=__name__,
    title="Softmax ignores a shift",
    claim=eq(softmax(z + c), softmax(z)),
    goal="Show that a number added to all logits changes no probability, that nothing else has this property, and what follows for computing.",
    priority="critical",
    given=(
        (K, "number of classes"),
        (N, "number of examples"),
        (z, "logits"),
        (c, "any number"),
        (softmax(z), "the probabilities"),
        (max_(z), "the largest logit"),
        (logsumexp(z), "log-sum-exp of the logits"),
        (p, "the probabilities, under a name"),
        (w, "other logits"),
        (q, "their probabilities"),
        (u, "the first of two logits"),
        (v, "the second of two logits"),
        (σ(u), "the logistic sigmoid"),
        (Z, "logits of a batch, one example a row"),
        (b, "a number for each example"),
    ),
    assumptions=(Assumption(same, "two rows of logits with the same probabilities"),),
    convention=f"{z + c} adds the number to every component. In a batch each row may be shifted by a number of its own.",
    prompt=f"Show that {eq(softmax(z + c), softmax(z))}. Why does every implementation subtract the largest logit first, and what does it mean for the number of free parameters?",
    sixty_seconds=(
        f"Each exponential {exp(z[k] + c)} is {exp(z[k]) * exp(c)}. The factor {exp(c)} stands in the numerator and in every term of the denominator, so it cancels. "
        f"With {eq(c, -max_(z))} no exponent is positive, so nothing can overflow, and the result is the same. Conversely, if two rows of logits have the same "
        f"probabilities, then their logarithms agree, and the logits differ by one number, the difference of their log-sum-exps. So of {K} logits only the "
        f"differences count; with two classes there is one, and softmax is the sigmoid of it."
    ),
    strong="Adds the converse, and that the gradient of any loss of the probabilities therefore has components that sum to 0: along an equal shift the loss is flat.",
    weak="Says that softmax normalises, so constants do not matter. A constant factor on the logits does matter: it is a temperature.",
    sanity=(
        ("Shift by 0", f"At {eq(c, 0)} both sides are the same term."),
        ("Flat direction", f"The rows of the Jacobian sum to 0: {eq(Σ(D(p[k], z[j]), j), 0)}."),
        ("Two classes", f"The probability of the first is {σ(u - v)}: only {u - v} enters."),
    ),
    mistakes=(
        Mistake(eq(softmax(c * z), softmax(z)), "A factor is no shift: it sharpens or flattens the distribution."),
        Mistake(eq(logsumexp(z + c), logsumexp(z)), f"The normaliser does change, by {c}; it is the quotient that does not."),
        Mistake(eq(softmax(z + w), softmax(z)), "The shift must be the same number for every class."),
        Mistake(eq(exp(u) / (exp(u) + exp(v)), σ(u)), "The sigmoid of one logit alone is softmax with the other logit at 0."),
    ),
    prerequisites=("softmax-jacobian", "logsumexp-trick"),
    follow_ups=("softmax-ce-delta", "attention-scaling"),
    kernels=(
        Kernel("softmax", (Z,), (("value", softmax(Z)),), "Softmax of each row of logits, shifted by the largest.", textbook=array(exp(Z[n, k]) / Σ(exp(Z[n, i]), i), n, k)),
    ),
    references=("I. Goodfellow, Y. Bengio and A. Courville, Deep Learning, section 4.1",),
)  # fmt: skip


@entry.proves(eq(softmax(z + c), softmax(z)), "Softmax ignores a shift", main=True)
def invariance():
    return (
        calc(softmax(z + c)[k])
        .eq(exp(z[k] + c) / Σ(exp(z[i] + c), i),                     by("softmax"))
        .eq(exp(c) * exp(z[k]) / (exp(c) * Σ(exp(z[i]), i)),         exponent_sum, linearity)
        .eq(exp(z[k]) / Σ(exp(z[i]), i))
        .eq(softmax(z)[k],                                           by("softmax"))
        .array(softmax(z + c), softmax(z), k)
    )  # fmt: skip


@entry.proves(eq(softmax(array(Z[n, k] + b[n], n, k)), softmax(Z)), "Every row by a number of its own")
def by_rows():
    return (
        calc(softmax(array(Z[n, k] + b[n], n, k))[l, j])
        .eq(exp(Z[l, j] + b[l]) / Σ(exp(Z[l, i] + b[l]), i),         by("softmax"))
        .eq(exp(b[l]) * exp(Z[l, j]) / (exp(b[l]) * Σ(exp(Z[l, i]), i)),     exponent_sum, linearity)
        .eq(exp(Z[l, j]) / Σ(exp(Z[l, i]), i))
        .eq(softmax(Z)[l, j],                                        by("softmax"))
        .array(softmax(array(Z[n, k] + b[n], n, k)), softmax(Z), l, j)
    )  # fmt: skip


@entry.proves(eq(softmax(z - max_(z)), softmax(z)), "Shifted by the largest logit")
def by_the_largest():
    top = max_(z)
    return (
        calc(softmax(z - top)[k])
        .eq(exp(z[k] + -top) / Σ(exp(z[i] + -top), i),               by("softmax"))
        .eq(softmax(z + -top)[k],                                    by("softmax"))
        .eq(softmax(z)[k],                                           invariance)
        .array(softmax(z - top), softmax(z), k)
    )  # fmt: skip


@entry.proves(le(exp(z[k] - max_(z)), 1), "No exponential overflows")
def no_overflow():
    return (
        calc(exp(z[k] - max_(z)))
        .le(exp(max_(z) - max_(z)),                                  at_most_max(z[k], k))
        .eq(1,                                                       exponent_sum).note("the exponential of 0 is 1")
    )  # fmt: skip


@entry.proves(eq(z[k] - w[k], logsumexp(z) - logsumexp(w)), "Only shifts leave it unchanged")
def converse():
    return (
        calc(z[k] - w[k])
        .eq(log(p[k]) + logsumexp(z) - (log(q[k]) + logsumexp(w)),   log_softmax)
        .eq(logsumexp(z) - logsumexp(w),                             given(same))
    )  # fmt: skip


@entry.proves(eq(exp(u) / (exp(u) + exp(v)), σ(u - v)), "Two classes: the sigmoid of the difference")
def two_classes():
    return (
        calc(exp(u) / (exp(u) + exp(v)))
        .eq(1 / (1 + exp(v) / exp(u)))
        .eq(1 / (1 + exp(-(u - v))),                                 exponent_sum, negative_exponent)
        .eq(σ(u - v),                                                by("σ"))
    )  # fmt: skip
