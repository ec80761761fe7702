"""Every identity of the table holds at 50 digits, and is found where a proof leaves it."""

import mpmath
import pytest

from derive.kernels.raising import raised
from derive.kernels.stabilise import IDENTITIES, WILDCARDS, Stabiliser
from derive.language.notation import abs_, exp, log, log1p, logsumexp, relu, softmax, tanh, σ
from derive.language.term import Σ, array, indices, let, name_of, sizes, var

# ---- the identities, by an evaluator of their own ----------------------------------------------------------------


def _softmax(z):
    return [mpmath.exp(v) / mpmath.fsum(map(mpmath.exp, z)) for v in z]


def _σ(u):
    return 1 / (1 + mpmath.exp(-u))


MEANING = {
    "exp": mpmath.exp, "log": mpmath.log, "sqrt": mpmath.sqrt, "tanh": mpmath.tanh, "σ": _σ,
    "erf": mpmath.erf,
    "normal_cdf": lambda u: mpmath.erfc(-u / mpmath.sqrt(2)) / 2,
    "gaussian": lambda u: mpmath.exp(-(u**2) / 2),
    "abs": abs,
    "relu": lambda u: max(u, mpmath.mpf(0)),
    "maximum": max,
    "minimum": min,
    "log1p": lambda u: mpmath.log(1 + u),
    "expm1": lambda u: mpmath.exp(u) - 1,
    "logaddexp": lambda u, v: mpmath.log(mpmath.exp(u) + mpmath.exp(v)),
    "softplus": lambda u: mpmath.log(1 + mpmath.exp(u)),
    "expgap": lambda u: mpmath.exp(u) - 1 - u,
    "log_sigmoid": lambda u: mpmath.log(_σ(u)),
    "log_sigmoid_pair": lambda u: mpmath.log(_σ(u)) + mpmath.log(_σ(-u)),
    "sigmoid_derivative": lambda u: _σ(u) * (1 - _σ(u)),
    "sigmoid_minus": lambda u, y: _σ(u) - y,
    "tanh_derivative": lambda u: 1 - mpmath.tanh(u) ** 2,
    "binary_cross_entropy": lambda u, y: -y * mpmath.log(_σ(u)) - (1 - y) * mpmath.log(1 - _σ(u)),
    "kl": lambda a, b: a * mpmath.log(a / b) - a + b,
    "xlogy": lambda a, b: a * mpmath.log(b),
    "xlog_ratio": lambda a, b: a * mpmath.log(a / b),
    "js_term": lambda a, b: (a * mpmath.log(2 * a / (a + b)) + b * mpmath.log(2 * b / (a + b))) / 2,
}  # fmt: skip
ON_ROWS = {
    "softmax": _softmax,
    "softmax_minus": lambda z, t: [p - y for p, y in zip(_softmax(z), t, strict=True)],
    "softmax_complement": lambda z: [1 - p for p in _softmax(z)],
    "log_softmax": lambda z: list(map(mpmath.log, _softmax(z))),
    "logsumexp": lambda z: mpmath.log(mpmath.fsum(map(mpmath.exp, z))),
    "cross_entropy": lambda z, t: -mpmath.fdot(t, map(mpmath.log, _softmax(z))),
}
ARITHMETIC = {
    "add": lambda a, b: a + b, "sub": lambda a, b: a - b, "mul": lambda a, b: a * b, "div": lambda a, b: a / b,
    "neg": lambda a: -a, "pow": lambda a, b: a**b,
}  # fmt: skip


def evaluate(term, values):
    """Return the value of a term: a number, or a list of them for a row."""
    if term in values:
        return values[term]
    if term.op == "num":
        return mpmath.mpf(term.data.numerator) / term.data.denominator
    parts = [evaluate(arg, values) for arg in term.args]
    if term.data in ON_ROWS:
        return ON_ROWS[term.data](*parts)
    if term.op == "sumax":
        return mpmath.fsum(parts[0])
    function = ARITHMETIC.get(term.op) or MEANING[term.data]
    if not any(isinstance(part, list) for part in parts):
        return function(*parts)
    rows = [part if isinstance(part, list) else [part] * K_LENGTH for part in parts]
    return [function(*column) for column in zip(*rows, strict=True)]


K_LENGTH = 4


def draw(wildcard, seed):
    """Return a point at which every identity is defined, positive where a logarithm wants it so."""
    from random import Random

    rng = Random(f"{name_of(wildcard)}{seed}")
    numbers = [mpmath.mpf(rng.uniform(0.1, 2)) for _ in range(K_LENGTH)]
    return numbers if wildcard.shape else numbers[0]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("identity", IDENTITIES, ids=lambda identity: f"{identity.before} = {identity.after}")
def test_identity_holds(identity, seed):
    values = {wildcard: draw(wildcard, seed) for wildcard in WILDCARDS}
    with mpmath.workdps(50):
        before, after = evaluate(identity.before, values), evaluate(identity.after, values)
        pairs = zip(before, after, strict=True) if isinstance(before, list) else [(before, after)]
        for left, right in pairs:
            assert abs(left - right) < mpmath.mpf(10) ** -45


# ---- where a proof leaves them -----------------------------------------------------------------------------------

N, D, K = sizes("N D K")
n = indices("n", N)[0]
k = indices("k", K)[0]
u, v = var("u", N), var("v", N)
X, w, y = var("X", N, D), var("w", D), var("y", N)
Z, Y = var("Z", N, K), var("Y", N, K, dom="simplex")
z = let("z", X @ w)
ŷ = let("ŷ", σ(z))
P = let("P", softmax(Z))
p, q = var("p", N), var("q", N)

FOUND = [
    (P - Y, "softmax_minus(Z, Y)"),
    (Y - P, "−softmax_minus(Z, Y)"),
    ((P - Y) / N, "softmax_minus(Z, Y)/N"),
    (1 - P, "softmax_complement(Z)"),
    (array(-Σ(Y[n, k] * log(P[n, k]), k), n), "cross_entropy(Z, Y)"),
    (-(Y * log(P)).sum(1), "cross_entropy(Z, Y)"),
    (array(log(Σ(exp(Z[n, k]), k)), n), "logsumexp(Z)"),
    (ŷ * (1 - ŷ), "sigmoid_derivative(z)"),
    (u * ŷ * v * (1 - ŷ), "u·sigmoid_derivative(z)·v"),
    (1 - ŷ, "σ(−z)"),
    (ŷ - 1, "−σ(−z)"),
    (ŷ - y, "sigmoid_minus(z, y)"),
    (y - ŷ, "−sigmoid_minus(z, y)"),
    (-(y * log(ŷ) + (1 - y) * log(1 - ŷ)), "binary_cross_entropy(z, y)"),
    (-y * log(ŷ) - (1 - y) * log(1 - ŷ), "binary_cross_entropy(z, y)"),
    (relu(z) - y * z + log1p(exp(-abs_(z))), "binary_cross_entropy(z, y)"),
    (log(ŷ) + log(1 - ŷ), "log_sigmoid_pair(z)"),
    (log(1 + exp(-u * z)), "softplus(−u·z)"),
    (1 / (1 + exp(-z)), "σ(z)"),
    (exp(u) / (exp(u) + exp(v)), "σ(u − v)"),
    ((u**2 + exp(v) - v - 1) / 2, "(u^2 + expgap(v))/2"),
    ((exp(v) - 1) / 2, "expm1(v)/2"),
    (1 - exp(v), "−expm1(v)"),
    (1 - tanh(u) ** 2, "tanh_derivative(u)"),
    (p * log(p / q) - p + q, "kl(p, q)"),
    (p * log(p / ((p + q) / 2)) / 2 + q * log(q / ((p + q) / 2)) / 2, "js_term(p, q)"),
    (p * log(p), "xlogy(p, p)"),
]


@pytest.mark.parametrize(("term", "stable"), FOUND, ids=[str(term) for term, _ in FOUND])
def test_found(term, stable):
    assert str(Stabiliser({})(raised(term))) == stable


UNTOUCHED = [
    (Y + P, "Y + P"),  # a sum does not cancel
    (P - var("c", K), "P − c"),  # a row beside rows would be read as labels
    (exp(u) - 1 + v, "expm1(u) + v"),  # only two of the three terms cancel
    (logsumexp(Z), "logsumexp(Z)"),
]


@pytest.mark.parametrize(("term", "text"), UNTOUCHED)
def test_left_alone(term, text):
    assert str(Stabiliser({})(raised(term))) == text
