"""A normal prior is a ridge penalty: the negative log posterior of a linear model, its strength σ²/τ², and its minimiser."""

from derive.catalogue.linear_models import ridge_closed_form as ridge
from derive.catalogue.linear_models.linear_regression_normal_equations import N, X, d, i, n, w, y
from derive.language.notation import exp, log, squared_norm, π
from derive.language.term import Π, Σ, D, eq, eye, inv, le, let, lift, substitute, var
from derive.logic.arguments import from_gap, instance
from derive.logic.calc import calc
from derive.logic.rules.reasons import by, inverse_pair, linearity, log_rules, power_rule, sift, use
from derive.record import Derivation, Kernel, Mistake

half = lift(1) / 2
σ, τ, Z = var("σ", dom="positive"), var("τ", dom="positive"), var("p(y)", dom="positive")

λ = let("λ", σ**2 / τ**2)
prior = let("p(w)", Π(exp(-(w[i] ** 2) / (2 * τ**2)) / (2 * π * τ**2) ** half, i))
likelihood = let("p(y∣w)", Π(exp(-((y[n] - (X @ w)[n]) ** 2) / (2 * σ**2)) / (2 * π * σ**2) ** half, n))
J = let("J", squared_norm(X @ w - y) / 2 + λ / 2 * squared_norm(w))
constants = N / 2 * log(2 * π * σ**2) + d / 2 * log(2 * π * τ**2)

A = let("A", X.T @ X + λ * eye(d)); ŵ = let("ŵ", inv(A) @ (X.T @ y))
J_best = substitute(J.args[0], {w: ŵ})

entry = Derivation(
    module=__name__,
    title="A normal prior is a ridge penalty",
    claim=eq(-log(likelihood * prior / Z), J / σ**2 + constants + log(Z)),
    goal="Write the negative logarithm of the posterior of a linear model with normal noise and a normal prior, read off the strength of the penalty, and find the weights that are most probable.",
    priority="critical",
    given=(
        (X, "inputs, one example a row"), (y, "targets"), (w, "weights"), (σ, "standard deviation of the noise"), (τ, "standard deviation of the prior"),
        (likelihood, "likelihood"), (prior, "prior"), (Z, "the evidence, which does not depend on the weights"), (λ, "strength of the penalty"), (J, "the penalised loss"),
        (A, "the matrix of the ridge weights"), (ŵ, "the most probable weights"),
    ),
    convention=f"The targets are normal around {X @ w} with the variance {σ**2}, the weights normal around 0 with {τ**2}, all independent. The posterior is the product of likelihood and prior over the evidence {Z}.",
    prompt="Show that MAP estimation with a normal prior is ridge regression. Which strength does the penalty have, and what happens to it when the prior gets wide, the noise grows or the data become more?",
    sixty_seconds=(
        f"The negative log posterior is the sum of two quadratics and constants: {squared_norm(X @ w - y) / (2 * σ**2)} from the likelihood, {squared_norm(w) / (2 * τ**2)} from the prior. "
        f"Multiply by {σ**2}: what is left is {J.args[0]} with {eq(λ, σ**2 / τ**2)}, the variance of the noise over that of the weights. "
        f"So the most probable weights are the ridge weights {inv(A) @ (X.T @ y)}. A narrow prior or much noise means a strong penalty; a wide prior leads back to least squares. "
        f"The evidence and the normalisers do not hold {w}, so the minimum does not see them."
    ),
    strong=f"Says beside which loss the strength is {σ**2 / τ**2}: half the sum of squares with half the squared norm. For a mean over {N} examples it is {σ**2 / (N * τ**2)}. Adds that the mode of this posterior is also its mean, as it is normal.",
    weak="Says “a prior is a regulariser” and stops, or names the reciprocal: the strength grows with the noise and falls with the width of the prior.",
    sanity=(
        ("Units", f"{λ} has the units of {X} squared, as {X.T @ X} has: targets over weights, squared."),
        ("Limit", f"As {τ} grows {λ} goes to 0, and the most probable weights are those of least squares."),
        ("Limit", f"As {σ} grows the data say little, and the weights go to 0, where the prior has its mode."),
        ("More data", f"{λ} stays while {X.T @ X} grows with {N}: the prior is outvoted."),
    ),
    mistakes=(
        Mistake(eq(log(prior), -squared_norm(w) / τ**2 - d / 2 * log(2 * π * τ**2)), "The exponent of a normal density divides by twice the variance."),
        Mistake(eq(-log(likelihood * prior), squared_norm(X @ w - y) / 2 + τ**2 / σ**2 / 2 * squared_norm(w) + constants), "The strength is turned over, and the common factor of the noise was lost."),
        Mistake(eq(D(J, w), X.T @ (X @ w - y) + λ / 2 * w), "Both terms carry one half, so that neither gradient does."),
    ),
    prerequisites=("gaussian-mle", "ridge-closed-form"),
    follow_ups=("map-laplace-l1",),
    kernels=(
        Kernel("map_weights", (X, y, σ, τ), (("w", ŵ),), "The most probable weights under normal noise and a normal prior."),
        Kernel("penalised_loss", (X, y, w, σ, τ), (("loss", J), ("w", X.T @ (X @ w - y) + λ * w)), "The penalised loss, and its gradient.", textbook=J, proved_by=("gradient",)),
    ),
    references=("C. Bishop, Pattern Recognition and Machine Learning, 3.3.1", "K. Murphy, Machine Learning: A Probabilistic Perspective, 7.5"),
)  # fmt: skip


@entry.proves(eq(log(prior), -squared_norm(w) / (2 * τ**2) - d / 2 * log(2 * π * τ**2)), "The prior")
def from_prior():
    return (
        calc(log(prior))
        .eq(Σ(-(w[i] ** 2) / (2 * τ**2) - half * log(2 * π * τ**2), i),                     by(prior), log_rules, inverse_pair)
        .eq(-Σ(w[i] ** 2, i) / (2 * τ**2) - d / 2 * log(2 * π * τ**2),                      linearity)
        .eq(-squared_norm(w) / (2 * τ**2) - d / 2 * log(2 * π * τ**2),                      by("squared_norm"))
    )  # fmt: skip


@entry.proves(eq(log(likelihood), -squared_norm(X @ w - y) / (2 * σ**2) - N / 2 * log(2 * π * σ**2)), "The likelihood")
def from_likelihood():
    return (
        calc(log(likelihood))
        .eq(Σ(-((y[n] - (X @ w)[n]) ** 2) / (2 * σ**2) - half * log(2 * π * σ**2), n),      by(likelihood), log_rules, inverse_pair)
        .eq(-Σ((y[n] - (X @ w)[n]) ** 2, n) / (2 * σ**2) - N / 2 * log(2 * π * σ**2),       linearity)
        .eq(-squared_norm(X @ w - y) / (2 * σ**2) - N / 2 * log(2 * π * σ**2),              by("squared_norm"))
    )  # fmt: skip


@entry.proves(eq(-log(likelihood * prior / Z), J / σ**2 + constants + log(Z)), "The posterior", main=True)
def posterior():
    return (
        calc(-log(likelihood * prior / Z))
        .eq(-log(likelihood) - log(prior) + log(Z),                                         log_rules)
        .eq(squared_norm(X @ w - y) / (2 * σ**2) + squared_norm(w) / (2 * τ**2) + constants + log(Z),   from_likelihood, from_prior)
        .eq(J / σ**2 + constants + log(Z),                                                  by(J, λ))
    )  # fmt: skip


@entry.proves(eq(D(J, w), X.T @ (X @ w - y) + λ * w), "The gradient")
def gradient():
    return (
        calc(D(J, w[i]))
        .eq(Σ((X @ w - y)[n] * X[n, i], n) + λ * w[i],                                      by(J, "squared_norm"), power_rule, linearity, sift)
        .array(D(J, w), X.T @ (X @ w - y) + λ * w, i)
    )  # fmt: skip


@entry.proves(eq(J - J_best, (squared_norm(X @ (w - ŵ)) + λ * squared_norm(w - ŵ)) / 2), "What other weights lose")
def gap():
    known = instance(ridge.excess.theorem, (ridge.λ, λ), (ridge.A, A), (ridge.ŵ, ŵ)).theorem
    return (
        calc(J - J_best)
        .eq((squared_norm(X @ w - y) + λ * squared_norm(w) - (squared_norm(X @ ŵ - y) + λ * squared_norm(ŵ))) / 2,   by(J))
        .eq((squared_norm(X @ (w - ŵ)) + λ * squared_norm(w - ŵ)) / 2,            use(known, "ridge regression: the exact excess of any other weights", "ridge-closed-form"))
    )  # fmt: skip


@entry.proves(le(J_best, J), "The ridge weights are the most probable ones")
def mode():
    return from_gap(
        calc(J - J_best)
        .eq((squared_norm(X @ (w - ŵ)) + λ * squared_norm(w - ŵ)) / 2,            gap)
    )  # fmt: skip
