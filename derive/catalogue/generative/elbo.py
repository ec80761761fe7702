"""log p(x) = ELBO + KL(q‖p(·|x)): the evidence lower bound, its gap, its Gaussian instance and its gradients."""

from derive.language.notation import exp, log, π
from derive.language.notation import kl as relative
from derive.language.term import (
    ZERO,
    Σ,
    D,
    E,
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
    random,
    sizes,
    space,
    var,
    δ,
)  # fmt: skip
from derive.logic.arguments import from_gap, rearranged
from derive.logic.calc import calc
from derive.logic.rules.reasons import (
    by,
    chain,
    exchange,
    exp_rule,
    expectation,
    exponent_sum,
    independence,
    inverse_pair,
    jensen,
    linearity,
    log_rule,
    log_rules,
    log_tangent,
    moments,
    multiplied,
    normalisation,
    power_rule,
    product_of_sums,
    sift,
    support,
    total_mass,
    zero_set,
)  # fmt: skip
from derive.record import Assumption, Derivation, Kernel, Mistake

# any model: at one observed x everything is a function of the latent z
Z = space("𝒵"); z = index("z", Z)
q, prior, likelihood = var("q", Z, dom="density"), var("p", Z, dom="density"), var("p(x∣·)", Z, dom="nonnegative")
joint = let("p(x, ·)", array(likelihood[z] * prior[z], z)); evidence = let("p(x)", integral(joint[z], z))
posterior = let("p(·∣x)", array(joint[z] / evidence, z))
elbo = let("ELBO", expect(q, log(joint[z] / q[z]), z))
gap = let("KL(q‖p(·∣x))", expect(q, log(q[z] / posterior[z]), z)); kl = let("KL(q‖p)", expect(q, log(q[z] / prior[z]), z))

# a Gaussian encoder and a linear Gaussian decoder
d, n_x, N = sizes("d D N"); (i, j), (a,) = indices("i j", d), indices("a", n_x); n, m = indices("n m", N)
μ, v, ε = var("μ", d), var("v", d), random("ε", d, law="standard")
s = let("s", exp(v / 2)); zs = let("ẑ", μ + s * ε)
x, W, c, τ = var("x", n_x), var("W", n_x, d), var("c", n_x), var("τ", dom="positive")
u = var("u")


def log_normal(value, mean, deviation):
    return -log(2 * π * deviation**2) / 2 - (value - mean) ** 2 / (2 * deviation**2)


kl_g = let("KL_𝒩", E(Σ(log_normal(zs[i], μ[i], s[i]) - log_normal(zs[i], ZERO, 1), i), ε))
fit = let("ℓ", Σ(log_normal(x[a], Σ(W[a, i] * zs[i], i) + c[a], τ), a)); recon = let("Rec", E(fit, ε))
r = let("r", x - W @ μ - c); elbo_g = let("ELBO_𝒩", recon - kl_g)

# a batch of them
X, M, V = var("X", N, n_x), var("M", N, d), var("V", N, d)
S = let("S", exp(V / 2)); Zs = let("Ẑ", M + S * ε); R = let("R", X - M @ W.T - c)
kl_X = let("KL_X", array(E(Σ(log_normal(Zs[n, i], M[n, i], S[n, i]) - log_normal(Zs[n, i], ZERO, 1), i), ε), n))
recon_X = let("Rec_X", array(E(Σ(log_normal(X[n, a], Σ(W[a, i] * Zs[n, i], i) + c[a], τ), a), ε), n))
row_kl = Σ(M[n, i] ** 2 + (exp(V[n, i]) - 1 - V[n, i]), i) / 2
row_recon = -(n_x * log(2 * π * τ**2)) / 2 - (Σ(R[n, a] ** 2, a) + Σ(exp(V[n, i]) * Σ(W[a, i] ** 2, a), i)) / (2 * τ**2)
elbo_X = let("ELBO_X", array(row_recon - row_kl, n).mean())


def on_support(formula):
    return forall(implies(lt(0, q[z]), formula), z)


def integrable(body):
    return Term("integrable", (z, body))


# as they are computed, and as a textbook writes them
rows_recon, rows_kl = let("reconstructions", array(row_recon, n)), let("divergences", array(row_kl, n))
by_log_variances = array(-(exp(V[m, j]) * Σ(W[a, j] ** 2, a) / τ**2 + (exp(V[m, j]) - 1)) / (2 * N), m, j)
textbook = array(
    Σ(-log(2 * π * τ**2) / 2 - (R[n, a] ** 2 + Σ(W[a, i] ** 2 * S[n, i] ** 2, i)) / (2 * τ**2), a)
    - Σ(M[n, i] ** 2 + S[n, i] ** 2 - 1 - log(S[n, i] ** 2), i) / 2,
    n,
).mean()

entry = Derivation(
    module=__name__,
    title="The evidence lower bound",
    claim=eq(log(evidence), elbo + gap),
    goal="Split the log evidence into the evidence lower bound and a divergence, exactly; read off the bound; work out the Gaussian case with its gradients.",
    priority="critical",
    flagship=True,
    given=(
        (z, "latent variable"), (q, f"the approximating density, the encoder at {x}"), (prior, "prior of the latent"), (likelihood, f"likelihood of the observed {x}"),
        (joint, f"joint density at {x}"), (evidence, "evidence"), (posterior, "posterior"), (elbo, "evidence lower bound"), (gap, "divergence from the posterior"), (kl, "divergence from the prior"),
        (μ, "mean of the Gaussian encoder"), (v, "logarithm of its variance"), (s, "its standard deviation"), (ε, "noise"), (zs, "reparameterised latent"),
        (x, "the observation"), (W, "decoder"), (c, "decoder’s offset"), (τ, "decoder’s standard deviation"),
        (fit, "log likelihood of a sample"), (recon, "reconstruction"), (kl_g, "Gaussian divergence from the prior"), (r, "residual of the mean"), (elbo_g, "Gaussian lower bound"),
        (u, "any log variance"),
        (N, "number of examples"), (X, "observations of a batch, one a row"), (M, "means of the encoder"), (V, "its log variances"), (S, "its standard deviations"),
        (Zs, "reparameterised latents"), (R, "residuals"), (recon_X, "reconstructions"), (kl_X, "divergences"), (elbo_X, "mean lower bound"),
    ),
    assumptions=(
        Assumption(lt(0, evidence), "the observation is possible"),
        Assumption(on_support(lt(0, likelihood[z])), f"the likelihood is positive where {q} is"),
        Assumption(on_support(lt(0, prior[z])), f"the prior is positive where {q} is"),
        Assumption(integrable(joint[z]), "the evidence is finite"),
        Assumption(integrable(q[z] * log(q[z] / joint[z])), "the bound is finite"),
        Assumption(integrable(q[z] * log(q[z] / posterior[z])), "the gap is finite"),
        Assumption(integrable(q[z] * log(q[z] / prior[z])), "the divergence from the prior is finite"),
        Assumption(integrable(q[z] * log(likelihood[z])), "the reconstruction is finite"),
        Assumption(forall(lt(0, q[z]), z), f"{q} is positive everywhere, so that the posterior has no mass where {q} has none"),
        Assumption(forall(lt(0, likelihood[z]), z), "the likelihood is positive everywhere"),
        Assumption(forall(lt(0, prior[z]), z), "the prior is positive everywhere"),
    ),
    convention=(
        f"The observation stays fixed, so densities are written as functions of the latent alone: {joint[z]}. An integral over a finite set is a sum, "
        f"and an expectation leaves out the points where {q[z]} is 0. What holds for all {z} holds up to a set of measure 0. In the Gaussian case "
        f"{v} is the logarithm of a variance, {eq(v[i], log(s[i] ** 2))}, and {ε} is the noise of one example: each expectation is taken by itself. "
        "A batch has one example a row."
    ),
    prompt="Derive the ELBO. What exactly is the gap to the log evidence? Write it as reconstruction minus divergence, and give the Gaussian case with its gradients.",
    sixty_seconds=(
        f"{log(evidence)} is a constant under {q}, so it is its own mean under {q}. By Bayes’ theorem the evidence is {joint[z] / posterior[z]} at every {z}; put {q[z]} above "
        f"and below, and the logarithm falls into {log(joint[z] / q[z])} and {log(q[z] / posterior[z])}. The mean of the first is the ELBO, that of the second is {gap}, "
        f"which is never negative: so much for the bound, and its gap has a name. Split the joint density the other way and {eq(elbo, expect(q, log(likelihood[z]), z) - kl)}. "
        f"A Gaussian encoder has the divergence {Σ(μ[i] ** 2 + s[i] ** 2 - 1 - log(s[i] ** 2), i) / 2}, and with {eq(zs, μ + s * ε)} the parameters leave the "
        "distribution, so the gradient goes inside the expectation."
    ),
    strong=(
        f"Gives the gap as an equation, {eq(log(evidence) - elbo, gap)}, and what follows: the evidence does not depend on {q}, so raising the bound in {q} is bringing {q} "
        f"nearer to the posterior. Says what Jensen’s route needs, and that {eq(expect(q, joint[z] / q[z], z), evidence)} asks {q} to leave nothing of the posterior out; "
        "otherwise that step, too, is only an inequality."
    ),
    weak=(
        "Applies Jensen’s inequality and stops. That proves a bound, but neither says what is lost nor when nothing is; and it leaves open "
        f"which way round the divergence stands, which decides whether one samples from {q} or from the posterior that nobody has."
    ),
    sanity=(
        ("Equality", f"With {eq(q[z], posterior[z])} the ratio {joint[z] / q[z]} is {evidence} at every {z}: the gap is 0, and no sample is noisy."),
        ("Special value", f"With {eq(μ[i], 0)} and {eq(v[i], 0)} for all {i} the encoder is the prior, and {eq(kl_g, 0)}."),
        ("Limit", f"As {s[i]} goes to 0, {-log(s[i] ** 2)} grows without bound: the divergence never lets {q} shrink to a point."),
        ("Optimum", f"The gradient by {v[j]} is 0 at {eq(s[j] ** 2, 1 / (1 + Σ(W[a, j] ** 2, a) / τ**2))}, below the prior’s 1: an observation narrows the latent."),
        ("Shape", f"{W.T @ r} has {d} entries, as {μ} has; {R @ W} has {N} rows of {d}, as {M} has."),
    ),
    mistakes=(
        Mistake(eq(log(evidence), elbo + expect(posterior, log(posterior[z] / q[z]), z)), f"The divergence is turned round: the mean is under {q}, from which one can sample, and not under the posterior."),
        Mistake(eq(log(evidence), elbo - gap), "The sign of the gap is wrong: the bound would lie above the evidence."),
        Mistake(le(log(evidence), elbo), "The logarithm is concave, so Jensen’s inequality goes the other way."),
        Mistake(eq(kl_g, Σ(μ[i] ** 2 + s[i] ** 2 - 1 - log(s[i] ** 2), i)), "The factor of one half is lost: both exponents carry it, and so does the logarithm of the variance."),
        Mistake(eq(kl_g, Σ(μ[i] ** 2 + s[i] - 1 - log(s[i]), i) / 2), "The standard deviation stands where the variance belongs."),
        Mistake(eq(D(elbo_g, v[j]), 1 - s[j] ** 2 * (1 + Σ(W[a, j] ** 2, a) / τ**2)), f"{eq(D(s[j], v[j]), s[j] / 2)}: the logarithm is of the variance, so a half comes down."),
        Mistake(eq(D(elbo_X, M), R @ W / τ**2 - M), f"The bound of a batch is a mean, so {1 / N} belongs to its gradient."),
    ),
    prerequisites=("bayes-theorem", "gibbs-inequality", "jensen"),
    follow_ups=("optimal-discriminator", "gaussian-kl"),
    kernels=(
        Kernel(
            "elbo_and_gradients", (X, M, V, W, c, τ), (("elbo", (rows_recon - rows_kl).mean()), ("dM", (R @ W / τ**2 - M) / N), ("dV", by_log_variances)),
            "Mean lower bound of a linear-Gaussian VAE, and its gradients by the means and log variances of the encoder.",
            textbook=textbook, proved_by=("batch_bound", "batch_mean", "batch_log_variance"),
        ),
        Kernel("gaussian_kl", (M, V), (("divergence", array(row_kl, n)),), "Divergence of diagonal Gaussians from the standard one, row by row.", proved_by=("batch_divergence",)),
    ),
    references=("D. P. Kingma and M. Welling, “Auto-Encoding Variational Bayes”, ICLR 2014, section 2.2 and appendix B",),
)  # fmt: skip


@entry.proves(eq(log(evidence), elbo + gap), "The exact decomposition", main=True)
def decomposition():
    return (
        calc(log(evidence))
        .eq(expect(q, log(evidence), z),                                            linearity, total_mass, normalisation)
        .eq(expect(q, log(joint[z] / q[z]) + log(q[z] / posterior[z]), z),          by(posterior), log_rules).note("Bayes’ theorem")
        .eq(elbo + gap,                                                             linearity, by(elbo, gap))
    )  # fmt: skip


@entry.proves(eq(log(evidence) - elbo, gap), "The gap has a name")
def named_gap():
    return (
        calc(log(evidence) - elbo)
        .eq(gap,                                                                    decomposition)
    )  # fmt: skip


@entry.proves(eq(integral(posterior[z], z), 1), "The posterior is normalised")
def posterior_mass():
    return (
        calc(integral(posterior[z], z))
        .eq(integral(joint[z], z) / evidence,                                       by(posterior), linearity)
        .eq(1,                                                                      by(evidence))
    )  # fmt: skip


@entry.proves(le(0, gap), "The gap is never negative")
def gap_is_nonnegative():
    return rearranged(
        calc(-gap)
        .eq(expect(q, -log(q[z] / posterior[z]), z),                                by(gap), linearity)
        .eq(expect(q, log(posterior[z] / q[z]), z),                                 log_rules)
        .le(expect(q, posterior[z] / q[z] - 1, z),                                  log_tangent)
        .eq(expect(q, posterior[z] / q[z], z) - 1,                                  linearity, total_mass, normalisation)
        .le(integral(posterior[z], z) - 1,                                          support)
        .eq(0,                                                                      posterior_mass),
        le(0, gap),
    )  # fmt: skip


@entry.proves(le(elbo, log(evidence)), "The bound, with its gap")
def bound():
    return from_gap(
        calc(log(evidence) - elbo)
        .eq(gap,                                                                    named_gap),
        gap_is_nonnegative,
    )  # fmt: skip


@entry.proves(le(elbo, log(evidence)), "The bound again, by Jensen’s inequality")
def by_jensen():
    return (
        calc(elbo)
        .eq(expect(q, log(joint[z] / q[z]), z),                                     by(elbo))
        .le(log(expect(q, joint[z] / q[z], z)),                                     jensen)
        .le(log(integral(joint[z], z)),                                             support)
        .eq(log(evidence),                                                          by(evidence))
    )  # fmt: skip


@entry.proves(eq(expect(q, joint[z] / q[z], z), evidence), "Nothing is left out where q is positive everywhere")
def full_support():
    return (
        calc(expect(q, joint[z] / q[z], z))
        .eq(integral(q[z] * (joint[z] / q[z]), z),                                  expectation)
        .eq(integral(joint[z], z))
        .eq(evidence,                                                               by(evidence))
    )  # fmt: skip


@entry.proves(eq(log(evidence) - elbo, integral(relative(q[z], posterior[z]), z)), "The gap, point by point")
def pointwise_gap():
    return (
        calc(log(evidence) - elbo)
        .eq(integral(q[z] * log(q[z] / posterior[z]), z),                           named_gap, by(gap), expectation)
        .eq(integral(q[z] * log(q[z] / posterior[z]), z) - 1 + integral(posterior[z], z),   posterior_mass)
        .eq(integral(relative(q[z], posterior[z]), z),                              by("kl"), linearity, normalisation)
    )  # fmt: skip


@entry.proves(iff(eq(elbo, log(evidence)), forall(eq(q[z], posterior[z]), z)), "The bound is reached by the posterior, and by nothing else")
def equality():
    return (
        calc(eq(elbo, log(evidence)))
        .iff(eq(log(evidence) - elbo, 0),                                           multiplied(eq(log(evidence) - elbo, 0), lift(-1)))
        .iff(forall(eq(q[z], posterior[z]), z),                                     pointwise_gap, zero_set)
    )  # fmt: skip


@entry.proves(eq(elbo, expect(q, log(likelihood[z]), z) - kl), "Reconstruction minus divergence")
def reconstruction():
    return (
        calc(elbo)
        .eq(expect(q, log(likelihood[z] * prior[z] / q[z]), z),                     by(elbo, joint))
        .eq(expect(q, log(likelihood[z]) - log(q[z] / prior[z]), z),                log_rules)
        .eq(expect(q, log(likelihood[z]), z) - kl,                                  linearity, by(kl))
    )  # fmt: skip


@entry.proves(eq(kl_g, Σ(μ[i] ** 2 + s[i] ** 2 - 1 - log(s[i] ** 2), i) / 2), "The divergence of two Gaussians")
def gaussian_kl():
    return (
        calc(kl_g)
        .eq(E(Σ(zs[i] ** 2 / 2 - (zs[i] - μ[i]) ** 2 / (2 * s[i] ** 2) - log(s[i] ** 2) / 2, i), ε),       by(kl_g), log_rules)
        .eq(E(Σ((μ[i] + s[i] * ε[i]) ** 2 - ε[i] ** 2 - log(s[i] ** 2), i), ε) / 2,                      by(zs), linearity)
        .eq(Σ(μ[i] ** 2 + s[i] ** 2 - 1 - log(s[i] ** 2), i) / 2,                                        linearity, moments)
    )  # fmt: skip


@entry.proves(eq(recon, Σ(-log(2 * π * τ**2) / 2 - (r[a] ** 2 + Σ(W[a, i] ** 2 * s[i] ** 2, i)) / (2 * τ**2), a)), "The reconstruction of a linear decoder")
def linear_decoder():
    const = -log(2 * π * τ**2) / 2
    noise = Σ(W[a, i] * s[i] * ε[i], i)
    return (
        calc(recon)
        .eq(E(Σ(const - (r[a] - noise) ** 2 / (2 * τ**2), a), ε),                                   by(recon, fit, zs, r), linearity)
        .eq(Σ(const - (r[a] ** 2 + E(noise * noise, ε)) / (2 * τ**2), a),                           linearity, moments)
        .eq(Σ(const - (r[a] ** 2 + Σ(W[a, i] * s[i] * W[a, j] * s[j] * E(ε[i] * ε[j], ε), i, j)) / (2 * τ**2), a),   product_of_sums, linearity)
        .eq(Σ(const - (r[a] ** 2 + Σ(W[a, i] ** 2 * s[i] ** 2, i)) / (2 * τ**2), a),                independence, moments, sift)
    )  # fmt: skip


@entry.proves(eq(D(recon, μ[j]), E(D(fit, zs[j]), ε)), "The pathwise gradient by the mean")
def pathwise_mean():
    return (
        calc(D(recon, μ[j]))
        .eq(E(D(fit, μ[j]), ε),                                                     by(recon), exchange)
        .eq(E(Σ(D(fit, zs[i]) * D(zs[i], μ[j]), i), ε),                             chain(zs))
        .eq(E(D(fit, zs[j]), ε),                                                    by(zs), linearity, sift)
    )  # fmt: skip


@entry.proves(eq(D(recon, v[j]), E(D(fit, zs[j]) * ε[j], ε) * s[j] / 2), "The pathwise gradient by the log variance")
def pathwise_variance():
    return (
        calc(D(recon, v[j]))
        .eq(E(Σ(D(fit, zs[i]) * D(zs[i], v[j]), i), ε),                             by(recon), exchange, chain(zs))
        .eq(E(Σ(D(fit, zs[i]) * (D(s[i], v[j]) * ε[i]), i), ε),                     by(zs), linearity)
        .eq(E(D(fit, zs[j]) * (s[j] / 2 * ε[j]), ε),                                by(s), exp_rule, linearity, sift)
        .eq(E(D(fit, zs[j]) * ε[j], ε) * s[j] / 2,                                  linearity)
    )  # fmt: skip


@entry.proves(eq(D(elbo_g, μ), W.T @ r / τ**2 - μ), "The gradient by the mean")
def gradient_mean():
    return (
        calc(D(elbo_g, μ[j]))
        .eq(D(recon, μ[j]) - D(kl_g, μ[j]),                                         by(elbo_g), linearity)
        .eq(D(Σ(-(r[a] ** 2) / (2 * τ**2), a), μ[j]) - D(Σ(μ[i] ** 2, i), μ[j]) / 2,        linear_decoder, gaussian_kl, linearity)
        .eq(Σ(-(2 * r[a] * D(r[a], μ[j])) / (2 * τ**2), a) - μ[j],                  power_rule, linearity, sift)
        .eq(Σ(r[a] * W[a, j], a) / τ**2 - μ[j],                                     by(r), linearity, sift)
        .array(D(elbo_g, μ), W.T @ r / τ**2 - μ, j)
    )  # fmt: skip


@entry.proves(eq(D(s[i], v[j]), s[i] / 2 * δ(i, j)), "The deviation by the log variance")
def deviation():
    return (
        calc(D(s[i], v[j]))
        .eq(exp(v[i] / 2) / 2 * δ(i, j),                                            by(s), exp_rule, linearity)
        .eq(s[i] / 2 * δ(i, j),                                                     by(s))
    )  # fmt: skip


@entry.proves(eq(D(elbo_g, v[j]), (1 - s[j] ** 2 * (1 + Σ(W[a, j] ** 2, a) / τ**2)) / 2), "The gradient by the log variance")
def gradient_variance():
    return (
        calc(D(elbo_g, v[j]))
        .eq(D(recon, v[j]) - D(kl_g, v[j]),                                         by(elbo_g), linearity)
        .eq(-Σ(Σ(W[a, i] ** 2 * D(s[i] ** 2, v[j]), i), a) / (2 * τ**2) - Σ(D(s[i] ** 2, v[j]) - D(log(s[i] ** 2), v[j]), i) / 2,
            linear_decoder, gaussian_kl, linearity)
        .eq(-Σ(Σ(W[a, i] ** 2 * s[i] * D(s[i], v[j]), i), a) / τ**2 - Σ((s[i] - 1 / s[i]) * D(s[i], v[j]), i),
            log_rule, power_rule, linearity)
        .eq(-Σ(W[a, j] ** 2 * s[j] ** 2, a) / (2 * τ**2) - (s[j] ** 2 - 1) / 2,     deviation, linearity, sift)
        .eq((1 - s[j] ** 2 * (1 + Σ(W[a, j] ** 2, a) / τ**2)) / 2,                  linearity)
    )  # fmt: skip


# ---- a batch: the mean of the bounds of its examples -----------------------------------------------------------------


@entry.proves(eq(exp(u / 2) ** 2, exp(u)), "A variance from its logarithm")
def variance():
    return (
        calc(exp(u / 2) ** 2)
        .eq(exp(u / 2 + u / 2),                                                     exponent_sum)
        .eq(exp(u))
    )  # fmt: skip


@entry.proves(eq(kl_X[n], row_kl), "Batch: the divergence of an example")
def batch_divergence():
    return (
        calc(kl_X[n])
        .eq(E(Σ(Zs[n, i] ** 2 / 2 - (Zs[n, i] - M[n, i]) ** 2 / (2 * S[n, i] ** 2) - log(S[n, i] ** 2) / 2, i), ε),     by(kl_X), log_rules)
        .eq(E(Σ((M[n, i] + S[n, i] * ε[i]) ** 2 - ε[i] ** 2 - log(S[n, i] ** 2), i), ε) / 2,       by(Zs), linearity)
        .eq(Σ(M[n, i] ** 2 + (S[n, i] ** 2 - 1 - log(S[n, i] ** 2)), i) / 2,                               linearity, moments)
        .eq(row_kl,                                                                 by(S), variance, inverse_pair)
    )  # fmt: skip


@entry.proves(eq(recon_X[n], row_recon), "Batch: the reconstruction of an example")
def batch_reconstruction():
    const = -log(2 * π * τ**2) / 2
    noise = Σ(W[a, i] * S[n, i] * ε[i], i)
    return (
        calc(recon_X[n])
        .eq(E(Σ(const - (R[n, a] - noise) ** 2 / (2 * τ**2), a), ε),                                by(recon_X, Zs, R), linearity)
        .eq(Σ(const - (R[n, a] ** 2 + E(noise * noise, ε)) / (2 * τ**2), a),                        linearity, moments)
        .eq(Σ(const - (R[n, a] ** 2 + Σ(W[a, i] * S[n, i] * W[a, j] * S[n, j] * E(ε[i] * ε[j], ε), i, j)) / (2 * τ**2), a),   product_of_sums, linearity)
        .eq(Σ(const - (R[n, a] ** 2 + Σ(W[a, i] ** 2 * S[n, i] ** 2, i)) / (2 * τ**2), a),          independence, moments, sift)
        .eq(-(n_x * log(2 * π * τ**2)) / 2 - (Σ(R[n, a] ** 2, a) + Σ(exp(V[n, i]) * W[a, i] ** 2, a, i)) / (2 * τ**2),      by(S), variance, linearity)
        .eq(-(n_x * log(2 * π * τ**2)) / 2 - (Σ(R[n, a] ** 2, a) + Σ(exp(V[n, i]) * W[a, i] ** 2, i, a)) / (2 * τ**2)).note("the sums change places")
        .eq(row_recon,                                                              linearity)
    )  # fmt: skip


@entry.proves(eq((recon_X - kl_X).mean(), elbo_X), "Batch: the mean of the bounds")
def batch_bound():
    return (
        calc((recon_X - kl_X).mean())
        .eq(Σ(row_recon - row_kl, n) / N,                                           batch_reconstruction, batch_divergence)
        .eq(elbo_X,                                                                 by(elbo_X))
    )  # fmt: skip


@entry.proves(eq(D(elbo_X, M), (R @ W / τ**2 - M) / N), "Batch: the gradient by the means")
def batch_mean():
    return (
        calc(D(elbo_X, M[m, j]))
        .eq(Σ(-Σ(R[n, a] * D(R[n, a], M[m, j]), a) / τ**2 - Σ(M[n, i] * D(M[n, i], M[m, j]), i), n) / N,     by(elbo_X), power_rule, linearity)
        .eq((Σ(R[m, a] * W[a, j], a) / τ**2 - M[m, j]) / N,                         by(R), linearity, sift)
        .array(D(elbo_X, M), (R @ W / τ**2 - M) / N, m, j)
    )  # fmt: skip


@entry.proves(eq(D(elbo_X, V), by_log_variances), "Batch: the gradient by the log variances")
def batch_log_variance():
    return (
        calc(D(elbo_X, V[m, j]))
        .eq(-(Σ(D(exp(V[n, i]), V[m, j]) * Σ(W[a, i] ** 2, a), n, i) / τ**2 + Σ(D(exp(V[n, i]), V[m, j]) - D(V[n, i], V[m, j]), n, i)) / (2 * N),   by(elbo_X), linearity)
        .eq(-(exp(V[m, j]) * Σ(W[a, j] ** 2, a) / τ**2 + (exp(V[m, j]) - 1)) / (2 * N),     exp_rule, linearity, sift)
        .array(D(elbo_X, V), by_log_variances, m, j)
    )  # fmt: skip
