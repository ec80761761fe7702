"""The checker catches every mutant of gradients written by hand, and fails no correct one."""

import numpy as np
import pytest

from derive.evidence.gradient_check import CheckError, Verdict, check_gradient, check_value, complex_step

B, D, H, K = 5, 3, 4, 6
METHODS = ["ridders", "complex step"]


def draw(*shape, seed=0):
    """Return numbers of which none is near 0 and no two are equal."""
    rng = np.random.default_rng(seed)
    return rng.choice([-1.0, 1.0], size=shape) * rng.uniform(0.3, 1.2, size=shape)


def σ(z):
    return 1 / (1 + np.exp(-z))


def softmax(z):
    e = np.exp(z)
    return e / e.sum(axis=-1, keepdims=True)


def simplex(*shape, seed=0):
    return softmax(draw(*shape, seed=seed))


# ---- two layers, softmax cross-entropy ---------------------------------------------------------------------------

MLP = {
    "X": draw(B, D, seed=1), "W1": draw(H, D, seed=2), "b1": draw(H, seed=3), "W2": draw(K, H, seed=4),
    "b2": draw(K, seed=5), "y": np.array([2, 0, 5, 3, 3]),
}  # fmt: skip
WEIGHTS = ("W1", "b1", "W2", "b2")


def mlp_loss(X, W1, b1, W2, b2, y):
    p = softmax(σ(X @ W1.T + b1) @ W2.T + b2)
    return -np.mean(np.log(p[np.arange(B), y]))


def mlp_gradient(X, W1, b1, W2, b2, y, mutant=""):
    """Return the gradients by all weights, with one mistake."""
    if mutant == "float32 inside":
        X, W1, b1, W2, b2 = (a.astype(np.float32).astype(float) for a in (X, W1, b1, W2, b2))
    if mutant == "input overwritten":
        W1 *= 1.0 + 1e-12
    z1 = X @ W1.T + b1
    h = σ(z1)
    z2 = h @ W2.T + b2
    p = softmax(z2)
    target = np.eye(K)[(y + 1) % K if mutant == "shifted label" else y]
    delta2 = (p - target) / (1 if mutant == "missing 1/B" else B)
    if mutant == "diagonal-only softmax Jacobian":
        delta2 = -target * (1 - p) / B
    if mutant == "log(p + 1e-8)":
        weights = target / (p + 1e-8) / B
        delta2 = p * (weights * p).sum(axis=1, keepdims=True) - weights * p
    if mutant == "sign":
        delta2 = -delta2
    slope = {
        "activation derivative at the wrong pre-activation": σ(h) * (1 - σ(h)),
        "missing activation derivative": 1,
        "wrong activation derivative": 1 - h**2,
    }.get(mutant, h * (1 - h))
    delta1 = delta2 @ W2 * slope
    gradient = {"W1": delta1.T @ X, "b1": delta1.sum(axis=0), "W2": delta2.T @ h, "b2": delta2.sum(axis=0)}
    if mutant == "1/B on one bias only":
        gradient["b1"] = gradient["b1"] / B
    if mutant == "no sum over the batch":
        gradient["b2"] = delta2[0]
    if mutant == "mean for sum":
        gradient["b2"] = delta2.mean(axis=0)
    if mutant == "times 1 + 1e-4":
        gradient["W1"] = gradient["W1"] * (1 + 1e-4)
    if mutant == "one coordinate doubled":
        gradient["W2"][1, 2] *= 2
    if mutant == "float32 outside":
        gradient = {name: part.astype(np.float32) for name, part in gradient.items()}
    return gradient


MLP_MUTANTS = [
    "missing 1/B", "1/B on one bias only", "no sum over the batch", "mean for sum",
    "activation derivative at the wrong pre-activation", "times 1 + 1e-4", "float32 inside", "float32 outside", "sign",
    "wrong activation derivative", "missing activation derivative", "diagonal-only softmax Jacobian", "shifted label",
    "one coordinate doubled", "log(p + 1e-8)", "input overwritten",
]  # fmt: skip


@pytest.mark.parametrize("method", METHODS)
def test_the_network_passes(method):
    report = check_gradient(mlp_loss, mlp_gradient, MLP, wrt=WEIGHTS, method=method)
    assert report.passed, str(report)
    assert len(report.coordinates) == H * D + H + K * H + K
    assert report.error < 1e-8


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("mutant", MLP_MUTANTS)
def test_mutants_of_the_network_fail(mutant, method):
    report = check_gradient(mlp_loss, lambda **a: mlp_gradient(**a, mutant=mutant), MLP, wrt=WEIGHTS, method=method)
    assert report.verdict is Verdict.FAIL, str(report)


@pytest.mark.parametrize("square", [False, True])
def test_a_transpose_is_refused_or_fails(square):
    """Where axes differ, the shape gives it away; where they do not, the numbers do."""
    A = draw(D, D if square else H, seed=6)

    def loss(A):
        return np.sum(np.exp(A) * np.arange(A.size).reshape(A.shape))

    def transposed(A):
        return (np.exp(A) * np.arange(A.size).reshape(A.shape)).T

    if square:
        assert check_gradient(loss, transposed, {"A": A}).verdict is Verdict.FAIL
    else:
        with pytest.raises(CheckError, match=r"gradient by A has shape \(4, 3\) and A has shape \(3, 4\).*transpose"):
            check_gradient(loss, transposed, {"A": A})


# ---- logistic regression with a ridge ----------------------------------------------------------------------------

LOGISTIC = {"X": draw(B, D, seed=7), "w": draw(D, seed=8), "b": 0.4, "y": np.array([1, 0, 0, 1, 1]), "ridge": 0.7}


def logistic_loss(X, w, b, y, ridge):
    p = σ(X @ w + b)
    return -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p)) + ridge / 2 * np.sum(w**2)


LOGISTIC_GRADIENTS = {
    "correct": lambda r, X, w, ridge: (X.T @ r / B + ridge * w, r.mean()),
    "L2 factor of 2": lambda r, X, w, ridge: (X.T @ r / B + 2 * ridge * w, r.mean()),
    "L2 left out": lambda r, X, w, ridge: (X.T @ r / B, r.mean()),
    "L2 divided by B": lambda r, X, w, ridge: (X.T @ r / B + ridge * w / B, r.mean()),
    "missing 1/B": lambda r, X, w, ridge: (X.T @ r + ridge * w, r.mean()),
    "1/B on the weights only": lambda r, X, w, ridge: (X.T @ r / B + ridge * w, r.sum()),
    "sign": lambda r, X, w, ridge: (-X.T @ r / B + ridge * w, r.mean()),
}


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", LOGISTIC_GRADIENTS)
def test_logistic_regression(name, method):
    def gradient(X, w, b, y, ridge):
        return LOGISTIC_GRADIENTS[name](σ(X @ w + b) - y, X, w, ridge)

    report = check_gradient(logistic_loss, gradient, LOGISTIC, wrt=("w", "b"), method=method)
    assert report.verdict is (Verdict.PASS if name == "correct" else Verdict.FAIL), str(report)


# ---- divergences -------------------------------------------------------------------------------------------------


def gaussian_kl(mean, scale):
    return 0.5 * np.sum(mean**2 + scale**2 - 1 - 2 * np.log(scale))


GAUSSIAN = {"mean": draw(B, D, seed=9), "scale": np.abs(draw(B, D, seed=10))}
GAUSSIAN_GRADIENTS = {
    "correct": lambda mean, scale: (mean, scale - 1 / scale),
    "KL without its 1/2": lambda mean, scale: (2 * mean, 2 * (scale - 1 / scale)),
    "σ for σ²": lambda mean, scale: (mean, (1 - 1 / scale) / 2),
    "variance's derivative for the scale's": lambda mean, scale: (mean, (1 - 1 / scale**2) / 2),
}


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", GAUSSIAN_GRADIENTS)
def test_gaussian_kl(name, method):
    report = check_gradient(gaussian_kl, GAUSSIAN_GRADIENTS[name], GAUSSIAN, method=method)
    assert report.verdict is (Verdict.PASS if name == "correct" else Verdict.FAIL), str(report)


DISTRIBUTIONS = {"p": simplex(B, K, seed=11), "q": simplex(B, K, seed=12)}
KL_GRADIENTS = {
    "correct": lambda p, q: (np.log(p / q) + 1, -p / q),
    "p and q swapped": lambda p, q: (np.log(q / p) + 1, -q / p),
    "sign": lambda p, q: (np.log(p / q) + 1, p / q),
}


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", KL_GRADIENTS)
def test_kl(name, method):
    def loss(p, q):
        return np.sum(p * np.log(p / q))

    report = check_gradient(loss, KL_GRADIENTS[name], DISTRIBUTIONS, method=method)
    assert report.verdict is (Verdict.PASS if name == "correct" else Verdict.FAIL), str(report)


def gan_value(p, q):
    d = p / (p + q)
    return np.sum(p * np.log(d) + q * np.log(1 - d))


CONSTANTS = [(np.log(4), Verdict.PASS), (0, Verdict.FAIL), (np.log(2), Verdict.FAIL)]


@pytest.mark.parametrize(("constant", "verdict"), CONSTANTS)
def test_a_constant_is_seen_by_values_only(constant, verdict):
    p, q = DISTRIBUTIONS["p"][0], DISTRIBUTIONS["q"][0]

    def via_divergence(p, q):
        m = (p + q) / 2
        return np.sum(p * np.log(p / m)) + np.sum(q * np.log(q / m)) - constant * np.sum(p + q) / 2

    report = check_value(via_divergence, gan_value, {"p": p, "q": q}, name="V")
    assert report.verdict is verdict, str(report)


# ---- no false failure --------------------------------------------------------------------------------------------

SCALES = [1e-12, 1e-6, 1e-3, 1e3, 1e6, 1e12]


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("scale", SCALES)
def test_badly_scaled_losses_pass(scale, seed):
    """Steps follow the size of what is stepped, tolerances that of the gradient."""
    a, x = draw(H, seed=seed), draw(H, seed=seed + 50) * scale

    def loss(x):
        return np.sum(np.sin(a * x / scale)) * 1e4 + np.sum((x / scale) ** 4)

    def gradient(x):
        return 1e4 * a * np.cos(a * x / scale) / scale + 4 * x**3 / scale**4

    report = check_gradient(loss, gradient, {"x": x})
    assert report.passed, str(report)
    assert check_gradient(loss, lambda x: gradient(x) * (1 + 1e-4), {"x": x}).verdict is Verdict.FAIL


@pytest.mark.parametrize("seed", range(20))
def test_ill_conditioned_quadratics_never_fail(seed):
    """Directions whose gradient is below the noise of the loss may stay unresolved, and must not fail."""
    rng = np.random.default_rng(seed)
    basis = np.linalg.qr(rng.normal(size=(H, H)))[0]
    A = basis @ np.diag(10.0 ** rng.integers(-8, 9, size=H)) @ basis.T
    x = draw(H, seed=seed)
    report = check_gradient(lambda x: 0.5 * x @ A @ x, lambda x: (A + A.T) @ x / 2, {"x": x})
    assert report.verdict is not Verdict.FAIL, str(report)


@pytest.mark.parametrize("sharpness", [1, 30, 1000])
def test_steep_losses_pass(sharpness):
    """A first step that crosses the whole slope is refined, or followed by a shorter one."""
    x = draw(H, seed=3) / sharpness
    report = check_gradient(
        lambda x: np.sum(np.tanh(sharpness * x) * (1 + x)),
        lambda x: sharpness * (1 - np.tanh(sharpness * x) ** 2) * (1 + x) + np.tanh(sharpness * x),
        {"x": np.append(x, 3.0)},
    )
    assert report.passed, str(report)


@pytest.mark.parametrize("distance", [1e-1, 1e-3, 1e-6])
def test_beside_a_kink_nothing_fails(distance):
    x = np.array([1.5, distance, -0.7])
    report = check_gradient(lambda x: np.sum(np.maximum(x, 0) ** 1.0), lambda x: (x > 0) * 1.0, {"x": x})
    assert report.verdict is not Verdict.FAIL, str(report)


def test_float32_is_checked_at_its_own_precision():
    point = {name: a.astype(np.float32) if a.dtype.kind == "f" else a for name, a in MLP.items()}
    report = check_gradient(mlp_loss, mlp_gradient, point, wrt=WEIGHTS)
    assert report.verdict is not Verdict.FAIL, str(report)
    doubled = check_gradient(mlp_loss, lambda **a: mlp_gradient(**a, mutant="missing 1/B"), point, wrt=WEIGHTS)
    assert doubled.verdict is Verdict.FAIL, str(doubled)


# ---- unresolved --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("claimed", [0.0, 1e-9, -1e-9])
def test_a_gradient_below_the_noise_is_unresolved(claimed):
    """1e12 + 1e-9 x is the same number for every x: no claim about its slope can be told from another."""
    x = draw(D, seed=1)
    report = check_gradient(lambda x: 1e12 + 1e-9 * x.sum(), lambda x: np.full(D, claimed), {"x": x})
    assert report.verdict is Verdict.UNRESOLVED
    assert "another point" in str(report)


def test_a_random_loss_is_unresolved():
    rng = np.random.default_rng(0)
    report = check_gradient(lambda x: np.sum(x**2) + 1e-3 * rng.normal(), lambda x: 2 * x, {"x": draw(D)})
    assert report.verdict is Verdict.UNRESOLVED


# ---- the complex step --------------------------------------------------------------------------------------------


def test_the_complex_step_is_exact_to_rounding():
    x = draw(H, seed=5)
    got = complex_step(lambda x: np.sum(np.exp(x) / (1 + x**2)), {"x": x}, "x")
    np.testing.assert_allclose(got, np.exp(x) * (1 + x**2 - 2 * x) / (1 + x**2) ** 2, rtol=1e-14)


def test_the_complex_step_misses_nothing_down_to_1e_8():
    x = draw(H, seed=5)

    def gradient(x):
        return np.exp(x) * (1 + 1e-8 * (np.arange(H) == 2))

    report = check_gradient(lambda x: np.sum(np.exp(x)), gradient, {"x": x}, method="complex step", tolerance=1e-9)
    assert report.verdict is Verdict.FAIL
    assert report.worst.place == "x[2]"


def test_a_loss_that_drops_the_imaginary_part_is_refused():
    with pytest.raises(CheckError, match=r"dropped the imaginary part.*ridders"):
        check_gradient(lambda x: np.sum(np.abs(x)), {"x": np.ones(D)}, {"x": draw(D)}, method="complex step")


def test_a_separate_complex_form_of_the_loss():
    def stable(x):
        return np.sum(np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x))))

    def textbook(x):
        return np.sum(np.log(1 + np.exp(x)))

    point = {"x": draw(D)}
    report = check_gradient(stable, lambda x: 1 / (1 + np.exp(-x)), point, method="complex step", complex_loss=textbook)
    assert report.passed


# ---- reports and faults ------------------------------------------------------------------------------------------


def test_a_report_names_the_place_and_the_numbers():
    x = draw(2, 3, seed=4)
    gradient = 2 * x
    gradient[1, 2] *= 2
    report = check_gradient(lambda x: np.sum(x**2), gradient, {"x": x}, wrt="x")
    assert report.worst.place == "x[1, 2]"
    assert report.worst.measured == pytest.approx(2 * x[1, 2])
    assert report.error == pytest.approx(0.5)
    assert (report.count(Verdict.FAIL), report.count(Verdict.PASS)) == (1, 5)
    assert str(report).startswith("fail by ridders")
    assert f"x[1, 2]: claimed {gradient[1, 2]:.10g}" in str(report)


def test_an_overwriting_loss_fails_although_its_numbers_are_right():
    def loss(x):
        value = np.sum(x**2)
        x *= 0
        return value

    report = check_gradient(loss, lambda x: 2 * x, {"x": draw(D)})
    assert report.verdict is Verdict.FAIL
    assert report.faults == ("the loss overwrites its argument x: work on a copy",)
    assert report.worst.verdict is Verdict.PASS


def total(x):
    return np.sum(x**2)


X = {"x": draw(D, seed=2)}
FAULTS = [
    (lambda x: x**2, lambda x: 2 * x, X, {}, r"loss has shape \(3,\).*return one number"),
    (lambda x: "much", lambda x: 2 * x, X, {}, "loss has dtype.*one real number"),
    (lambda x: np.sum(x) + 1j, lambda x: 2 * x, X, {}, "loss has dtype complex128"),
    (lambda x: np.inf, lambda x: 2 * x, X, {}, "loss is inf at the point given.*finite"),
    (total, lambda x: 2 * x[:2], X, {}, r"gradient by x has shape \(2,\) and x has shape \(3,\)"),
    (total, lambda x: x * [1, np.nan, 1], X, {}, r"gradient by x is nan at \[1\].*stable form"),
    (total, lambda x: x * 1j, X, {}, "gradient by x has dtype complex128"),
    (total, {"w": X["x"]}, X, {}, "no argument 'w'.*'x'"),
    (total, {"x": X["x"]}, X, {"wrt": "w"}, "gradient has no part 'w'"),
    (
        lambda x, t, u: np.sum(x),
        lambda x, t, u: (x, x),
        {**X, "t": 1.0, "u": 2.0},
        {},
        "gradient has 2 parts for 3 arguments",
    ),
    (total, lambda x: 2 * x, {"x": np.arange(3)}, {}, "nothing to check.*float64"),
    (total, lambda x: 2 * x, {"x": np.arange(3)}, {"wrt": "x"}, r"x has dtype int64.*astype\(float\)"),
    (total, lambda x: 2 * x, {"x": np.array([1, np.nan])}, {}, r"x\[1\] is nan"),
    (total, lambda x: 2 * x, {"x": np.array([1, np.inf])}, {}, "x is not finite|loss is inf"),
    (total, lambda x: 2 * x, {"x": np.array(["a"])}, {}, "x has dtype <U1"),
    (total, lambda x: 2 * x, {"x": np.zeros((0, 3))}, {}, "no components"),
    (total, lambda x: 2 * x, X, {"method": "guess"}, "method 'guess' is unknown.*'ridders'"),
]


@pytest.mark.parametrize(("loss", "gradient", "arguments", "options", "message"), FAULTS)
def test_what_cannot_be_checked_says_why(loss, gradient, arguments, options, message):
    with pytest.raises(CheckError, match=message):
        check_gradient(loss, gradient, arguments, **options)


def test_values_of_different_shape_are_refused():
    with pytest.raises(CheckError, match=r"loss has shape \(2,\) and its reference \(3,\)"):
        check_value(np.zeros(2), np.zeros(3), name="loss")


def test_values_agree_at_infinity_and_never_at_nan():
    assert check_value(np.array([np.inf, 1.0]), np.array([np.inf, 1.0])).passed
    report = check_value(np.array([np.nan, 1.0]), np.array([np.nan, 1.0]))
    assert (report.verdict, report.worst.index) == (Verdict.FAIL, (0,))
