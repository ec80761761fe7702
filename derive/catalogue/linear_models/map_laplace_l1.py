"""A Laplace prior is a lasso penalty: the negative log posterior of a linear model and its strength σ²/b."""

from derive.catalogue.linear_models.linear_regression_normal_equations import N, X, d, i, w, y
from derive.catalogue.linear_models.map_gaussian_l2 import Z, from_likelihood, likelihood, σ
from derive.language.notation import abs_, exp, log, squared_norm, π
from derive.language.term import Π, Σ, eq, iff, le, let, var
from derive.logic.calc import calc
from derive.logic.rules.reasons import by, inverse_pair, linearity, log_rules, multiplied
from derive.record import Derivation, Kernel, Mistake

b, u = var("b", dom="positive"), var("u", d)
λ = let("λ", σ**2 / b)
prior = let("p(w)", Π(exp(-abs_(w[i]) / b) / (2 * b), i))
J = let("J", squared_norm(X @ w - y) / 2 + λ * Σ(abs_(w[i]), i))
J_u = let("J_u", squared_norm(X @ u - y) / 2 + λ * Σ(abs_(u[i]), i))
constants = N / 2 * log(2 * π * σ**2) + d * log(2 * b)
cost, cost_u = J / σ**2 + constants + log(Z), J_u / σ**2 + constants + log(Z)

entry = Derivation(
    module=__name__,
    title="A Laplace prior is a lasso penalty",
    claim=eq(-log(likelihood * prior / Z), cost),
    goal="Write the negative logarithm of the posterior of a linear model with normal noise and a Laplace prior, and read off the strength of the penalty on the absolute values.",
    priority="important",
    given=(
        (X, "inputs, one example a row"), (y, "targets"), (w, "weights"), (u, "other weights"), (σ, "standard deviation of the noise"), (b, "scale of the prior"),
        (likelihood, "likelihood"), (prior, "prior"), (Z, "the evidence, which does not depend on the weights"), (λ, "strength of the penalty"), (J, "the penalised loss"), (J_u, "that of the other weights"),
    ),
    convention=f"The targets are normal around {X @ w} with the variance {σ**2}. The weights are independent with the Laplace density {exp(-abs_(w[i]) / b) / (2 * b)}, whose variance is {2 * b**2}.",
    prompt="Show that MAP estimation with a Laplace prior is the lasso. Which strength does the penalty have, and why does this prior set weights to exactly 0 when the normal one does not?",
    sixty_seconds=(
        f"The negative log prior is {Σ(abs_(w[i]), i) / b} and a constant; the negative log likelihood is {squared_norm(X @ w - y) / (2 * σ**2)} and another one. "
        f"Multiply by {σ**2}: what is left is {J.args[0]} with {eq(λ, σ**2 / b)}. That is the lasso. "
        f"Its penalty has a kink at 0, with slopes of size {λ} on both sides, and a weight stays at exactly 0 as long as the slope of the data there is no larger. "
        f"The normal prior’s penalty is flat at 0, so it never holds a weight there. It is the mode that is sparse: the posterior mean is not, since it averages over weights of both signs, none of them exactly 0."
    ),
    strong=f"Gives {eq(λ, σ**2 / b)} beside half the sum of squares, derives the zeros from the kink and not from the peak of the density, and adds that only the mode is sparse, not the posterior.",
    weak="Says that the Laplace density has more mass at 0. It has none: a density gives a single point no probability, and what makes zeros is the kink of its logarithm.",
    sanity=(
        ("Units", f"{b} has the units of a weight and {λ} those of a target squared over a weight, as {λ * abs_(w[i])} is a square of targets."),
        ("Limit", f"As {b} grows {λ} goes to 0, and least squares is left."),
        ("Tails", "Large weights are punished by their size and not by its square, so a few of them may stay large."),
    ),
    mistakes=(
        Mistake(eq(log(prior), -Σ(abs_(w[i]), i) / b), f"The normaliser {2 * b} of each weight is missing; it matters where {b} is learnt too."),
        Mistake(eq(log(prior), -Σ(abs_(w[i]), i) / (2 * b**2) - d * log(2 * b)), f"The exponent divides by the scale {b}; it is the normal density that divides by twice a variance."),
        Mistake(eq(-log(likelihood * prior / Z), squared_norm(X @ w - y) / 2 + Σ(abs_(w[i]), i) / b + constants + log(Z)), f"The noise was forgotten: the squares are divided by {σ**2}, which is why the strength is {σ**2 / b} and not {1 / b}."),
    ),
    prerequisites=("map-gaussian-l2",),
    follow_ups=("lasso-soft-threshold",),
    kernels=(
        Kernel("penalised_loss", (X, y, w, σ, b), (("loss", J),), "Half the sum of squares with the Laplace prior’s penalty."),
    ),
    references=("R. Tibshirani, “Regression Shrinkage and Selection via the Lasso”, J. R. Statist. Soc. B 1996, section 5", "K. Murphy, Machine Learning: A Probabilistic Perspective, 13.3"),
)  # fmt: skip


@entry.proves(eq(log(prior), -Σ(abs_(w[i]), i) / b - d * log(2 * b)), "The prior")
def from_prior():
    return (
        calc(log(prior))
        .eq(Σ(-abs_(w[i]) / b - log(2 * b), i),                                            by(prior), log_rules, inverse_pair)
        .eq(-Σ(abs_(w[i]), i) / b - d * log(2 * b),                                        linearity)
    )  # fmt: skip


@entry.proves(eq(-log(likelihood * prior / Z), cost), "The posterior", main=True)
def posterior():
    return (
        calc(-log(likelihood * prior / Z))
        .eq(-log(likelihood) - log(prior) + log(Z),                                        log_rules)
        .eq(squared_norm(X @ w - y) / (2 * σ**2) + Σ(abs_(w[i]), i) / b + constants + log(Z),   from_likelihood, from_prior)
        .eq(cost,                                                                          by(J, λ))
    )  # fmt: skip


@entry.proves(iff(le(cost, cost_u), le(J, J_u)), "The more probable weights are those of less loss")
def ranking():
    return (
        calc(le(cost, cost_u))
        .iff(le(J, J_u),                                                                   multiplied(le(J, J_u), 1 / σ**2))
    )  # fmt: skip
