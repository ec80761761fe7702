"""The stable primitives against their textbook formulas at 500 digits, at saturated points and between them."""

import inspect

import mpmath
import numpy as np
import pytest

from derive.kernels import stable

DIGITS = 500  # 1 − σ(1000) is e⁻¹⁰⁰⁰: the textbook formula needs 435 digits before the first that counts
SATURATED = [-1000, -700, -40, -37, -1, -1e-8, 0, 1e-8, 0.5, 1, 37, 40, 700, 1000]
_RNG = np.random.default_rng(7)
POINTS = np.concatenate([SATURATED, _RNG.normal(size=100) * 3, _RNG.normal(size=40) * 30])
K = 5
MODERATE = np.concatenate([_RNG.normal(size=(40, K)) * 3, np.eye(K) * 1e-9, np.zeros((1, K))])
CONFIDENT = np.concatenate([np.eye(K) * size + np.arange(K) for size in (40, 700, 1000, -1000)])


def σ(z):
    return 1 / (1 + mpmath.exp(-z))


def xlog(a, b):
    return a * mpmath.log(b) if a else mpmath.mpf(0)


def softmax(row):
    e = [mpmath.exp(z) for z in row]
    return [x / mpmath.fsum(e) for x in e]


def ulps(got, wanted):
    """Return the error in units of the last place of the dtype of what was got."""
    nearest = got.dtype.type(float(wanted))
    if abs(nearest) < np.finfo(got.dtype).tiny:
        return 0.0 if abs(got) <= np.finfo(got.dtype).tiny else np.inf
    return float(abs(mpmath.mpf(float(got)) - wanted) / mpmath.mpf(float(np.spacing(abs(nearest)))))


def worst(got, wanted):
    wanted = list(wanted)
    assert np.size(got) == len(wanted)
    return max(ulps(g, w) for g, w in zip(np.ravel(got), wanted, strict=True))


def exact(values):
    return [mpmath.mpf(float(value)) for value in np.ravel(values)]


ELEMENTWISE = [
    ("sigmoid", σ, 3),
    ("sigmoid_derivative", lambda z: σ(z) * (1 - σ(z)), 5),
    ("log_sigmoid", lambda z: mpmath.log(σ(z)), 3),
    ("log_sigmoid_pair", lambda z: mpmath.log(σ(z)) + mpmath.log(1 - σ(z)), 3),
    ("softplus", lambda z: mpmath.log(1 + mpmath.exp(z)), 3),
    ("tanh_derivative", lambda z: 1 - mpmath.tanh(z) ** 2, 5),
    ("expgap", lambda v: mpmath.exp(v) - 1 - v, 4),
    ("erf", mpmath.erf, 3),
    ("normal_cdf", lambda z: mpmath.erfc(-z / mpmath.sqrt(2)) / 2, 5),
    ("gaussian", lambda z: mpmath.exp(-(z**2) / 2), 2),
]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("name", "textbook", "bound"), ELEMENTWISE, ids=[row[0] for row in ELEMENTWISE])
def test_elementwise(name, textbook, bound, dtype):
    largest = 80 if dtype == np.float32 else 700
    points = POINTS[POINTS <= largest if name == "expgap" else slice(None)].astype(dtype)
    got = getattr(stable, name)(points)
    assert got.dtype == dtype
    with mpmath.workdps(DIGITS):
        # NumPy's exp of float32 is itself off by up to three ulp.
        assert worst(got, map(textbook, exact(points))) <= bound * (2 if dtype == np.float32 else 1)


def test_the_error_function_of_real_and_complex_numbers():
    points = POINTS[np.abs(POINTS) < 40]
    with mpmath.workdps(60):
        assert worst(stable.erf_series(points), map(mpmath.erf, exact(points))) <= 12
        slopes = [2 * mpmath.exp(-(z**2)) / mpmath.sqrt(mpmath.pi) for z in exact(points)]
        got = stable.erf_series(points + 1e-100j).imag / 1e-100
        inside = np.abs(points) < 6
        assert all(abs(g - s) <= 1e-13 for g, s, near in zip(got, slopes, inside, strict=True) if near)
        tail = np.linspace(0.3, 25, 400)
        assert worst(stable.scaled_erfc(tail), [mpmath.exp(z * z) * mpmath.erfc(z) for z in exact(tail)]) <= 4


ROOT = 1.4616321449683623  # of digamma
GAMMA = [
    ("gammaln", mpmath.loggamma, mpmath.digamma),
    ("digamma", mpmath.digamma, lambda x: mpmath.psi(1, x)),
    ("trigamma", lambda x: mpmath.psi(1, x), lambda x: mpmath.psi(2, x)),
]
_CLOSE = 10.0 ** _RNG.uniform(-15, -1, 60)
_NEAR_ZEROS = [np.abs(zero + sign * _CLOSE) for zero in (1, 2, ROOT) for sign in (1, -1)]
_ENDS_OF_BRANCHES = np.array([1, 2, ROOT, 0.5, 1.5, 2.5, 10])
OF_GAMMA = np.concatenate(
    [10.0 ** _RNG.uniform(-15, 15, 200), _RNG.uniform(0, 12, 400), *_NEAR_ZEROS, _ENDS_OF_BRANCHES]
)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("name", "textbook", "slope"), GAMMA, ids=[row[0] for row in GAMMA])
def test_the_gamma_function_and_its_derivatives(name, textbook, slope, dtype):
    """Relative to the value itself, which is 0 at 1, at 2 and at the root of digamma."""
    points = OF_GAMMA.astype(dtype)
    got = getattr(stable, name)(points)
    assert got.dtype == dtype
    with mpmath.workdps(60):
        assert worst(got, map(textbook, exact(points))) <= 8
        inside = OF_GAMMA[(OF_GAMMA > 0.01) & (OF_GAMMA < 40)]
        slopes = [float(slope(x)) for x in exact(inside)]
    np.testing.assert_allclose(getattr(stable, name)(inside + 1e-100j).imag / 1e-100, slopes, rtol=1e-12, atol=1e-13)
    assert np.isnan(getattr(stable, name)(np.array([-0.5, 0.0], dtype))).all()


def test_the_product_of_the_others():
    rows = _RNG.normal(size=(30, 6))
    rows[::3, 2] = 0
    rows[::6, 4] = 0
    with mpmath.workdps(60):
        wanted = [mpmath.fprod(row[:k] + row[k + 1 :]) for row in map(exact, rows) for k in range(6)]
        assert worst(stable.prod_others(rows), wanted) <= 6
    assert stable.prod_others(np.array([[7.0], [0.0]])).tolist() == [[1], [1]]


def test_the_indicator_of_the_maximum():
    z = np.array([[1, 3, 2], [-np.inf, -5, -5]], np.float32)
    assert stable.hardmax(z).tolist() == [[0, 1, 0], [0, 1, 1]]


@pytest.mark.parametrize("y", [0.0, 1.0, 1 - 1e-12])
def test_logistic_loss_and_its_derivative(y):
    labels = np.full_like(POINTS, y)
    with mpmath.workdps(DIGITS):
        target = mpmath.mpf(y)
        losses = [-(target * mpmath.log(σ(z)) + (1 - target) * mpmath.log(1 - σ(z))) for z in exact(POINTS)]
        assert worst(stable.binary_cross_entropy(POINTS, labels), losses) <= 4
        assert worst(stable.sigmoid_minus(POINTS, labels), [σ(z) - target for z in exact(POINTS)]) <= 5


def test_a_soft_label_is_exact_to_the_size_of_its_parts():
    """Near the root σ(z) = y the difference is ill-conditioned; its error stays at the size of σ(z) and y."""
    got = stable.sigmoid_minus(POINTS, np.full_like(POINTS, 0.3))
    with mpmath.workdps(DIGITS):
        errors = [abs(mpmath.mpf(float(g)) - (σ(z) - mpmath.mpf(0.3))) for g, z in zip(got, exact(POINTS), strict=True)]
    assert max(errors) < 2 * np.finfo(float).eps


_ENDS = np.array([0, 1e-300, 1e-20, 1e-8, 0.5, 1 - 1e-10, 1])
_NEAR = _RNG.uniform(0.1, 1, size=40)
_PAIRS = np.array(
    [(a, b) for a in _ENDS for b in _ENDS[1:]]
    + [tuple(_RNG.uniform(size=2)) for _ in range(60)]
    + [(a, a * (1 + _RNG.normal() * 10.0**-digits)) for a in _NEAR for digits in (1, 5, 9, 13)]
)
TERMS = [
    ("xlogy", xlog, 3),
    ("xlog_ratio", lambda a, b: xlog(a, a / b), 4),
    ("kl_gap", lambda a, b: xlog(a, a / b) - a + b, 20),
    ("js_term", lambda p, q: (xlog(p, 2 * p / (p + q)) + xlog(q, 2 * q / (p + q))) / 2, 12),
]


@pytest.mark.parametrize(("name", "textbook", "bound"), TERMS, ids=[row[0] for row in TERMS])
def test_terms_of_divergences(name, textbook, bound):
    a, b = _PAIRS.T
    with mpmath.workdps(60), np.errstate(over="ignore"):
        wanted = [textbook(x, y) for x, y in zip(exact(a), exact(b), strict=True)]
        assert worst(getattr(stable, name)(a, b), wanted) <= bound


@pytest.mark.parametrize("name", ["xlogy", "xlog_ratio", "kl_gap", "js_term"])
def test_zero_times_the_logarithm_of_zero_is_zero(name):
    zeros = np.zeros(3, np.float32)
    got = getattr(stable, name)(zeros, zeros)
    assert got.dtype == np.float32
    assert (got == 0).all()


def test_js_term_where_one_density_vanishes():
    assert stable.js_term(np.array([0.0]), np.array([0.6]))[0] == pytest.approx(0.3 * np.log(2), rel=1e-15)


ROWS = [
    ("softmax", lambda p: p),
    ("softmax_complement", lambda p: [1 - x for x in p]),
    ("log_softmax", lambda p: list(map(mpmath.log, p))),
]


@pytest.mark.parametrize("rows", [MODERATE, CONFIDENT], ids=["moderate", "confident"])
@pytest.mark.parametrize(("name", "textbook"), ROWS, ids=[row[0] for row in ROWS])
def test_rows(name, textbook, rows):
    with mpmath.workdps(DIGITS):
        wanted = [value for row in rows for value in textbook(softmax(exact(row)))]
        assert worst(getattr(stable, name)(rows), wanted) <= 31


@pytest.mark.parametrize("rows", [MODERATE, CONFIDENT], ids=["moderate", "confident"])
@pytest.mark.parametrize("label", range(K))
@pytest.mark.parametrize("encoded", ["integers", "distributions"])
def test_cross_entropy_and_its_delta(rows, label, encoded):
    labels = np.full(len(rows), label)
    y = labels if encoded == "integers" else np.eye(K)[labels]
    with mpmath.workdps(DIGITS):
        p = [softmax(exact(row)) for row in rows]
        assert worst(stable.cross_entropy(rows, y), [-mpmath.log(row[label]) for row in p]) <= 14
        wanted = [x - (k == label) for row in p for k, x in enumerate(row)]
        assert worst(stable.softmax_minus(rows, y), wanted) <= 31


def test_soft_targets():
    y = np.exp(_RNG.normal(size=MODERATE.shape))
    y /= y.sum(axis=-1, keepdims=True)
    with mpmath.workdps(60):
        p = [softmax(exact(row)) for row in MODERATE]
        losses = [-mpmath.fdot(exact(targets), map(mpmath.log, row)) for targets, row in zip(y, p, strict=True)]
        assert worst(stable.cross_entropy(MODERATE, y), losses) <= 14
        delta = stable.softmax_minus(MODERATE, y)
        wanted = [x - t for row, targets in zip(p, y, strict=True) for x, t in zip(row, exact(targets), strict=True)]
        errors = [abs(d - w) for d, w in zip(exact(delta), wanted, strict=True)]
    assert max(errors) < 4 * np.finfo(float).eps


def test_logsumexp_at_its_ends():
    inf = np.inf
    z = np.array([[-inf, -inf], [inf, 0], [inf, inf], [inf, -inf], [-inf, 3], [1000, 1000], [-1000, -1001]])
    with mpmath.workdps(60):
        last = [mpmath.log(mpmath.fsum(map(mpmath.exp, exact(row)))) for row in z[4:]]
        assert worst(stable.logsumexp(z)[4:], last) <= 3
    assert stable.logsumexp(z)[:4].tolist() == [-inf, inf, inf, inf]


def test_a_logit_of_minus_infinity_has_probability_zero():
    z = np.array([[0.0, -np.inf, 1.0]])
    y = np.array([[0.25, 0.0, 0.75]])
    assert stable.softmax(z)[0, 1] == 0
    assert stable.softmax_complement(z)[0, 1] == 1
    assert stable.log_softmax(z)[0, 1] == -np.inf
    assert stable.softmax_minus(z, y)[0, 1] == 0
    without = stable.cross_entropy(z[:, [0, 2]], y[:, [0, 2]])[0]
    assert stable.cross_entropy(z, y)[0] == pytest.approx(without, rel=1e-15)
    assert stable.cross_entropy(z, np.array([1]))[0] == np.inf


def test_an_infinite_logit_of_a_logistic_loss():
    z, y = np.array([np.inf, -np.inf, np.inf, -np.inf]), np.array([1.0, 0.0, 0.0, 1.0])
    assert stable.binary_cross_entropy(z, y).tolist() == [0, 0, np.inf, np.inf]
    assert stable.sigmoid_minus(z, y).tolist() == [0, 0, 1, -1]


def test_loss_and_delta_together_are_those_apart():
    for y in (np.arange(len(MODERATE)) % K, np.abs(MODERATE) / 9):
        loss, delta = stable.cross_entropy_and_delta(MODERATE, y)
        np.testing.assert_array_equal(loss, stable.cross_entropy(MODERATE, y))
        np.testing.assert_array_equal(delta, stable.softmax_minus(MODERATE, y))


_ARGUMENTS = {
    "z": MODERATE, "y": np.abs(MODERATE) / 20, "a": np.abs(MODERATE), "b": np.abs(MODERATE) + 0.1,
    "p": np.abs(MODERATE), "q": np.abs(MODERATE) + 0.1, "v": MODERATE, "like": MODERATE, "x": MODERATE,
}  # fmt: skip
FUNCTIONS = [f for name, f in inspect.getmembers(stable, inspect.isfunction) if name not in {"loss_of", "delta_of"}]


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.__name__)
def test_inputs_are_kept_and_float32_stays(function):
    arguments = [_ARGUMENTS[name].astype(np.float32) for name in inspect.signature(function).parameters]
    before = [argument.copy() for argument in arguments]
    for argument in arguments:
        argument.flags.writeable = False
    result = function(*arguments)
    parts = result if isinstance(result, tuple) else (result,)
    assert all(part.dtype == np.float32 for part in parts if part.dtype.kind == "f")
    assert any(part.dtype == np.float32 for part in parts)
    for argument, copy in zip(arguments, before, strict=True):
        np.testing.assert_array_equal(argument, copy)


def test_one_hot():
    assert stable.one_hot(np.array([1, 0]), np.zeros((2, 3), np.float32)).tolist() == [[0, 1, 0], [1, 0, 0]]
