"""The kernels of the lower bound and of the optimal discriminator: values, gradients, and what cancels or overflows."""

import numpy as np
import pytest

from derive.catalogue.generative import elbo, optimal_discriminator
from derive.evidence.gradient_check import check_gradient, check_value
from derive.evidence.witness import evaluate
from derive.kernels.compile import compile_kernel, compile_textbook, load, module_text

N, DIM, LATENT, CLASSES = 5, 4, 3, 6
SIZES = {elbo.N: N, elbo.n_x: DIM, elbo.d: LATENT}


def module_of(entry):
    sources = [compile_kernel(kernel) for kernel in entry.kernels]
    sources += [compile_textbook(kernel) for kernel in entry.kernels if kernel.textbook is not None]
    return load(module_text(sources, "Kernels under test."), f"{entry.slug}_under_test")


@pytest.fixture(scope="module")
def vae():
    return module_of(elbo.entry)


@pytest.fixture(scope="module")
def gan():
    return module_of(optimal_discriminator.entry)


def away_from_zero(rng, *shape):
    return rng.choice([-1.0, 1.0], size=shape) * rng.uniform(0.3, 1.3, size=shape)


@pytest.fixture
def arguments():
    rng = np.random.default_rng(5)
    shapes = {"X": (N, DIM), "M": (N, LATENT), "V": (N, LATENT), "W": (DIM, LATENT), "c": (DIM,)}
    return {name: away_from_zero(rng, *shape) for name, shape in shapes.items()} | {"τ": 0.7}


def exact(term, values, digits=50):
    """Return a term at many digits; the values go by the names of the variables."""
    given = {variable: values[str(variable)] for variable in (elbo.X, elbo.M, elbo.V, elbo.W, elbo.c, elbo.τ)}
    return np.asarray(evaluate(term, given, sizes=SIZES, dps=digits), dtype=object).astype(float)


def distributions(rng, *, apart=1.0):
    """Return rows of binary fractions, which sum to one exactly, and others that differ from them by `apart`."""
    rows = 1 + rng.multinomial(4096 - CLASSES, np.full(CLASSES, 1 / CLASSES), size=N)
    shift = np.where(np.arange(CLASSES) % 2, 1.0, -1.0) * rng.integers(1, 60, size=(N, 1))
    return rows / 4096, rows / 4096 + apart * shift / 4096


def exact_divergence(P, Q, digits=60):
    """Return the Jensen–Shannon divergence of rows by its definition, at many digits."""
    here = optimal_discriminator
    value = evaluate(here.jsd_N, {here.P: P, here.Q: Q}, dps=digits)
    return np.array([float(v) for v in value])


# ---- the linear-Gaussian VAE -------------------------------------------------------------------------------------


@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_the_bound_and_its_gradients_agree_with_the_textbook(vae, arguments, reduction):
    def kernel(**values):
        return vae.elbo_and_gradients(**values, reduction=reduction)

    def textbook(**values):
        return vae.elbo_and_gradients_textbook(**values, reduction=reduction)

    result = kernel(**arguments)
    claimed = {"M": result.dM, "V": result.dV}
    value = check_value(lambda **values: kernel(**values).elbo, textbook, arguments)
    assert value.passed, str(value)
    by_complex_step = check_gradient(textbook, claimed, arguments, method="complex step", tolerance=1e-12)
    assert by_complex_step.passed, str(by_complex_step)
    by_ridders = check_gradient(lambda **values: kernel(**values).elbo, claimed, arguments)
    assert by_ridders.passed, str(by_ridders)


def test_the_bound_is_the_mean_of_the_expectations(vae, arguments):
    """The closed form against 𝔼[log p(x, z) − log q(z)] itself, and not against what was derived from it."""
    result = vae.elbo_and_gradients(**arguments)
    by_expectation = (elbo.recon_X - elbo.kl_X).mean()
    assert result.elbo == pytest.approx(exact(by_expectation, arguments), rel=1e-14, abs=0)
    for name in ("batch_mean", "batch_log_variance"):
        derivative = elbo.entry.proofs[name].claim.args[0]
        got = result.dM if name == "batch_mean" else result.dV
        np.testing.assert_allclose(got, exact(derivative, arguments), rtol=1e-13)


def test_the_bound_is_the_log_evidence_at_the_posterior(vae, arguments):
    """With one latent the posterior is in the family: the gap is 0, and so are both gradients."""
    X, W, c, τ = arguments["X"], arguments["W"][:, :1], arguments["c"], arguments["τ"]
    variance = 1 / (1 + (W**2).sum() / τ**2)
    M, V = variance / τ**2 * (X - c) @ W, np.full((N, 1), np.log(variance))
    elbo_, dM, dV = vae.elbo_and_gradients(X, M, V, W, c, τ)
    covariance = W @ W.T + τ**2 * np.eye(DIM)
    residual = X - c
    squares = (residual @ np.linalg.inv(covariance) * residual).sum(axis=1)
    evidence = -(DIM * np.log(2 * np.pi) + np.linalg.slogdet(covariance)[1] + squares) / 2
    assert elbo_ == pytest.approx(evidence.mean(), rel=1e-13)
    np.testing.assert_allclose(dM, 0, atol=1e-14)
    np.testing.assert_allclose(dV, 0, atol=1e-14)


@pytest.mark.parametrize("v", [1e-12, -1e-12, 1e-8, -1e-8, 1e-4, 0.5, -0.9, 1.1, -40.0, -745.0, -1000.0, 40.0, 700.0])
def test_the_divergence_keeps_its_digits(vae, v):
    """exp(v) − 1 − v cancels near 0: the naive form has no digit left at 1e-8."""
    M = np.array([[0.5 * v, -0.25 * v]])
    V = np.array([[v, -v / 2]])
    term = next(kernel for kernel in elbo.entry.kernels if kernel.name == "gaussian_kl").outputs[0][1]
    wanted = evaluate(term, {elbo.M: M, elbo.V: V}, dps=80)
    np.testing.assert_allclose(vae.gaussian_kl(M, V), np.array(wanted, float), rtol=4e-15, atol=0)


@pytest.mark.parametrize("v", [-1000.0, -1e-10, 1e-10, 300.0])
def test_saturated_log_variances(vae, arguments, v):
    arguments["V"] = np.full((N, LATENT), v) * np.array([1.0, 0.5, 0.25])
    arguments["W"] = arguments["W"] * 1e-9  # so that nothing hides exp(v) − 1
    got = vae.elbo_and_gradients(**arguments)
    wanted = elbo.by_log_variances
    np.testing.assert_allclose(got.dV, exact(wanted, arguments, 80), rtol=1e-13, atol=0)
    assert np.isfinite(got.elbo)


SLIPS = {
    "the mean is left out": lambda a, r: (r.dM * N, r.dV * N),
    "KL without its half": lambda a, r: (r.dM - a["M"] / N, r.dV - np.expm1(a["V"]) / (2 * N)),
    "the deviation for the variance": lambda a, r: (r.dM, r.dV + (np.exp(a["V"]) - np.exp(a["V"] / 2)) / (2 * N)),
    "the gradient by the variance": lambda a, r: (r.dM, r.dV * np.exp(-a["V"])),
    "the sign": lambda a, r: (-r.dM, -r.dV),
    "one part in ten thousand": lambda a, r: (r.dM * (1 + 1e-4), r.dV),
    "no sum over the outputs": lambda a, r: (r.dM, r.dV + np.exp(a["V"]) * (a["W"][1:] ** 2).sum(0) / a["τ"] ** 2),
}  # fmt: skip


@pytest.mark.parametrize("slip", SLIPS)
@pytest.mark.parametrize("method", ["complex step", "ridders"])
def test_slips_are_caught(vae, arguments, slip, method):
    dM, dV = SLIPS[slip](arguments, vae.elbo_and_gradients(**arguments))
    report = check_gradient(vae.elbo_and_gradients_textbook, {"M": dM, "V": dV}, arguments, method=method)
    assert report.verdict == "fail"


VAE_BODY = """\
    divergences = (M**2 + _expgap(V)).sum(axis=1)/2
    elbo = (reconstructions - divergences).sum(axis=0)/count
    dM = ((R @ W)/τ**2 - M)/count
    dV = (-(exponential*(W**2).sum(axis=0))/τ**2 - np.expm1(V))/(2*count)
"""


def test_the_body_reads_as_one_would_write_it():
    assert VAE_BODY in compile_kernel(elbo.entry.kernels[0]).text


# ---- the discriminator -------------------------------------------------------------------------------------------


def test_the_value_is_that_of_the_game(gan):
    """The constant is asserted too: no gradient sees −log 4."""
    P, Q = distributions(np.random.default_rng(2))
    best = P / (P + Q)
    by_definition = (P * np.log(best) + Q * np.log(1 - best)).sum(axis=1)
    np.testing.assert_allclose(gan.game_value(P, Q), by_definition, rtol=1e-13)
    np.testing.assert_allclose(gan.game_value(P, Q), 2 * gan.jensen_shannon(P, Q) - np.log(4), rtol=1e-15)
    np.testing.assert_array_equal(gan.game_value(P, P), -np.log(4))
    np.testing.assert_array_equal(gan.jensen_shannon(P, P), 0)


def test_no_other_discriminator_is_worth_more(gan):
    rng = np.random.default_rng(3)
    P, Q = distributions(rng)
    for _ in range(20):
        other = rng.uniform(0.01, 0.99, size=P.shape)
        assert ((P * np.log(other) + Q * np.log(1 - other)).sum(axis=1) < gan.game_value(P, Q)).all()


@pytest.mark.parametrize("apart", [1.0, 2.0**-10, 2.0**-20, 2.0**-35])
def test_the_divergence_keeps_its_digits_where_the_distributions_are_close(gan, apart):
    P, Q = distributions(np.random.default_rng(4), apart=apart)
    np.testing.assert_allclose(gan.jensen_shannon(P, Q), exact_divergence(P, Q), rtol=4e-15, atol=0)
    np.testing.assert_array_equal(gan.jensen_shannon(P, Q), gan.jensen_shannon(Q, P))


def test_distributions_that_do_not_overlap(gan):
    """0·log 0 is 0: the divergence is log 2, the value 0."""
    P, Q = np.array([[0.25, 0.75, 0.0]]), np.array([[0.0, 0.0, 1.0]])
    np.testing.assert_allclose(gan.jensen_shannon(P, Q), np.log(2), rtol=1e-15)
    np.testing.assert_allclose(gan.game_value(P, Q), 0, atol=1e-15)


EXTREME = np.array([-1000.0, -745.0, -40.0, -1e-9, 1e-9, 0.3, 40.0, 745.0, 1000.0])


@pytest.mark.parametrize("kernel", ["both_logs", "saturating_gradient", "non_saturating_gradient"])
def test_every_logit_is_exact(gan, kernel):
    """Against what the outputs mean, the sum of logarithms and the derivatives, at enough digits for exp(-1000)."""
    here = optimal_discriminator
    output = next(k for k in here.entry.kernels if k.name == kernel).outputs[0][1]
    wanted = [float(evaluate(output, {here.s: s}, dps=900)) for s in EXTREME]
    np.testing.assert_allclose(getattr(gan, kernel)(EXTREME), wanted, rtol=1e-15, atol=0)


@pytest.mark.parametrize("kernel", ["saturating_gradient", "non_saturating_gradient"])
def test_the_generator_has_the_gradient_of_its_loss(gan, kernel):
    s = away_from_zero(np.random.default_rng(6), 7)
    textbook, claimed = getattr(gan, f"{kernel}_textbook"), {"s": getattr(gan, kernel)(s)}
    for method, tolerance in (("complex step", 1e-13), ("ridders", 1e-7)):
        report = check_gradient(textbook, claimed, {"s": s}, method=method, tolerance=tolerance)
        assert report.passed, str(report)


def test_only_one_loss_saturates(gan):
    """A fake that is seen through: one slope is next to nothing, the other is −1."""
    assert gan.saturating_gradient(-40.0) == pytest.approx(-np.exp(-40))
    assert gan.non_saturating_gradient(-40.0) == -1


def test_the_best_discriminator_from_logarithms(gan):
    here = optimal_discriminator
    l_p, l_q = np.array([-1000.0, -3.5, 2.0, 1000.0, -1000.0]), np.array([-1001.0, 0.25, 2.0, -1000.0, 1000.0])
    claim = here.entry.proofs["from_logs"].claim.args[0]
    wanted = [evaluate(claim, {here.lp: a, here.lq: b}, dps=900) for a, b in zip(l_p, l_q, strict=True)]
    np.testing.assert_allclose(gan.discriminator(l_p, l_q), np.array(wanted, float), rtol=1e-15, atol=0)
    assert gan.discriminator(2.0, 2.0) == 0.5


def test_what_is_no_distribution_is_refused(gan):
    P, Q = distributions(np.random.default_rng(8))
    with pytest.raises(ValueError, match="Q"):
        gan.game_value(P, Q * 1.1)
    with pytest.raises(ValueError, match="Q has shape"):
        gan.game_value(P, Q[:, :-1])
