"""P(h∣E) = P(E∣h)·P(h)/Σ P(E∣g)·P(g): Bayes’ theorem with total probability in it, and a test for a rare disease."""

from fractions import Fraction

from derive.language.term import Σ, array, eq, forall, indices, let, lift, lt, size, var
from derive.logic.arguments import carried, discharged, nonzero
from derive.logic.calc import calc
from derive.logic.rules.reasons import by, linearity
from derive.record import Assumption, Derivation, Kernel, Mistake, Number

K = size("K")
h, g = indices("h g", K)
joint, missed = var("P(·, E)", K, dom="nonnegative"), var("P(·, Ē)", K, dom="nonnegative")
prior = let("P(·)", array(joint[h] + missed[h], h))
evidence = let("P(E)", Σ(joint[h], h))
likelihood = let("P(E∣·)", array(joint[h] / prior[h], h))
posterior = let("P(·∣E)", array(joint[h] / evidence, h))

s, c, p = var("s", dom="unit"), var("c", dom="unit"), var("p", dom="unit")
sick, well = let("P(D, T)", s * p), let("P(D̄, T)", (1 - c) * (1 - p))
positive = let("P(T)", sick + well)
ill = let("P(D∣T)", sick / positive)


def predictive(sensitivity, specificity, prevalence):
    """The probability of the disease after a positive test, written out."""
    hits = sensitivity * prevalence
    return hits / (hits + (1 - specificity) * (1 - prevalence))


good, rare = lift(Fraction(99, 100)), lift(Fraction(1, 1000))
once = predictive(good, good, rare)
twice = predictive(good, good, lift(Fraction(11, 122)))

belief, fit = var("π", K, dom="simplex"), var("ℓ", K, dom="positive")

entry = Derivation(
    module=__name__,
    title="Bayes’ theorem",
    claim=eq(posterior[h], likelihood[h] * prior[h] / Σ(likelihood[g] * prior[g], g)),
    goal="Turn the probability of the evidence under each hypothesis into the probability of each hypothesis under the evidence.",
    priority="critical",
    given=(
        (K, "hypotheses, of which exactly one holds"), (joint, "the probability of a hypothesis together with the evidence"), (missed, "and without it"),
        (prior, "the prior"), (evidence, "the probability of the evidence"), (likelihood, "the likelihood"), (posterior, "the posterior"),
        (s, "the sensitivity: how often the test finds the disease"), (c, "the specificity: how often it clears the healthy"), (p, "the prevalence"),
        (sick, "ill and positive"), (well, "healthy and positive"), (positive, "positive"), (ill, "the disease after a positive test"),
        (belief, "prior probabilities, as numbers"), (fit, "likelihoods, as numbers"),
    ),
    assumptions=(
        Assumption(forall(lt(0, prior[h]), h), "every hypothesis is possible"),
        Assumption(lt(0, evidence), "the evidence is possible"),
    ),
    prompt=(
        f"State and derive Bayes’ theorem. A test has sensitivity and specificity {good}, and one person in a thousand has the disease: "
        "how probable is the disease after a positive test?"
    ),
    sixty_seconds=(
        f"A conditional probability is a joint one over the probability of the condition. So {joint[h]} is {likelihood[h] * prior[h]} and also {posterior[h] * evidence}: set them equal and divide. "
        f"The denominator is the sum of {likelihood[g] * prior[g]} over all hypotheses, since one of them holds. For the test, in {lift(100000)} people 99 of 100 ill ones are positive, and 999 of the 99900 healthy ones: "
        f"{lift(Fraction(99, 1098))} of the positive are ill, about 9 %."
    ),
    strong=(
        f"Puts it as odds: the prior odds times {s / (1 - c)}, here 99, so odds of 1 to 999 become 99 to 999. Adds that a second positive test, independent given the state, multiplies by 99 again."
    ),
    weak="Answers 99 %: that is the probability of a positive test for the ill, and the question was about the ill among the positive.",
    convention=f"{joint[h]} is the probability that both hold, and a bar is for “not”.",
    sanity=(
        ("No news", f"If {likelihood[h]} is the same under every hypothesis, the posterior is the prior."),
        ("Sum", "The posterior sums to 1: the evidence is the normalising constant."),
        ("Rare disease", f"As {p} falls to 0 so does {ill}, however good the test is."),
    ),
    mistakes=(
        Mistake(eq(posterior[h], likelihood[h]), "A conditional probability is not turned round for nothing: the prior decides as much as the test."),
        Mistake(eq(posterior[h], likelihood[h] * prior[h]), f"It is not normalised: it sums to {evidence} and not to 1."),
        Mistake(eq(ill, s), "That is the share of the ill who are positive, and not of the positive who are ill: the base rate is neglected."),
        Mistake(eq(ill, s * p / (s * p + c * (1 - p))), f"The healthy are positive with probability {1 - c}; {c} is for a negative test."),
    ),
    follow_ups=("elbo", "map-gaussian-l2"),
    kernels=(
        Kernel("posterior", (belief, fit), (("posterior", array(fit[h] * belief[h] / Σ(fit[g] * belief[g], g), h)),), "Posterior probabilities from prior ones and likelihoods."),
        Kernel("predictive_value", (s, c, p), (("probability", predictive(s, c, p)),), "Probability of a disease after a positive test.", proved_by=("test_result",)),
    ),
    numbers=(
        Number(once, "0.0902", "the probability of the disease after one positive test"),
        Number(twice, "0.9075", "after a second one"),
    ),
    references=("L. Wasserman, “All of Statistics”, theorem 1.17", "D. M. Eddy, “Probabilistic Reasoning in Clinical Medicine”, 1982"),
)  # fmt: skip


@entry.proves(eq(likelihood[h] * prior[h], joint[h]), "Prior times likelihood is the joint probability")
def product():
    return (
        calc(likelihood[h] * prior[h])
        .eq(joint[h] / prior[h] * prior[h],                                         by(likelihood))
        .eq(joint[h])
    )  # fmt: skip


@entry.proves(eq(evidence, Σ(likelihood[h] * prior[h], h)), "Total probability")
def total():
    return (
        calc(evidence)
        .eq(Σ(joint[h], h),                                                         by(evidence))
        .eq(Σ(likelihood[h] * prior[h], h),                                         product)
    )  # fmt: skip


@entry.proves(eq(posterior[h], likelihood[h] * prior[h] / evidence), "With the probability of the evidence")
def bayes():
    return (
        calc(posterior[h])
        .eq(joint[h] / evidence,                                                    by(posterior))
        .eq(likelihood[h] * prior[h] / evidence,                                    product)
    )  # fmt: skip


@entry.proves(entry.claim, "Bayes’ theorem", main=True)
def whole():
    possible = carried(calc(lt(0, evidence)).iff(lt(0, Σ(likelihood[g] * prior[g], g)), total))
    return discharged(
        calc(posterior[h])
        .eq(likelihood[h] * prior[h] / evidence,                                    bayes)
        .eq(likelihood[h] * prior[h] / Σ(likelihood[g] * prior[g], g),              total),
        nonzero(possible),
    )  # fmt: skip


@entry.proves(eq(Σ(posterior[h], h), 1), "The posterior sums to 1")
def mass():
    return (
        calc(Σ(posterior[h], h))
        .eq(Σ(joint[h], h) / evidence,                                              by(posterior), linearity)
        .eq(1,                                                                      by(evidence))
    )  # fmt: skip


@entry.proves(eq(ill, predictive(s, c, p)), "The disease after a positive test")
def test_result():
    return (
        calc(ill)
        .eq(sick / (sick + well),                                                   by(ill, positive))
        .eq(predictive(s, c, p),                                                    by(sick, well))
    )  # fmt: skip


@entry.proves(eq(ill / (1 - ill), s / (1 - c) * (p / (1 - p))), "The test multiplies the odds")
def odds():
    return (
        calc(ill / (1 - ill))
        .eq(sick / well,                                                            by(ill, positive))
        .eq(s / (1 - c) * (p / (1 - p)),                                            by(sick, well))
    )  # fmt: skip


@entry.proves(eq(once, Fraction(11, 122)), "A good test for a rare disease")
def rare_disease():
    return (
        calc(once)
        .eq(Fraction(11, 122))
    )  # fmt: skip


@entry.example("Another test")
def another(rng):
    sensitivity, specificity = (lift(Fraction(rng.randrange(80, 100), 100)) for _ in range(2))
    prevalence = lift(Fraction(1, rng.choice((20, 50, 100, 200, 500))))
    value = Fraction(str(sensitivity.data)) * Fraction(str(prevalence.data))
    false = (1 - Fraction(str(specificity.data))) * (1 - Fraction(str(prevalence.data)))
    return (
        calc(predictive(sensitivity, specificity, prevalence))
        .eq(lift(value) / (lift(value) + lift(false)))
        .eq(value / (value + false))
    )  # fmt: skip
