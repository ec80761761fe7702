"""The kernels of information theory on rows with zeros, on equal and on nearly equal rows."""

import numpy as np
import pytest

from derive.catalogue.information import (
    cross_entropy_decomposition,
    cross_entropy_is_mle,
    entropy_bounds,
    gaussian_kl,
    gibbs_inequality,
    jensen_shannon,
    mutual_information_gain,
    perplexity,
)
from derive.catalogue.optimisation import lagrange_max_entropy
from derive.kernels.compile import compile_kernel, load, module_text

P = np.array([[0.5, 0.5, 0.0, 0.0], [0.0, 0.0, 0.0, 1.0], [0.25, 0.25, 0.25, 0.25], [0.1, 0.2, 0.3, 0.4]])
Q = np.array([[0.25, 0.75, 0.0, 0.0], [0.0, 0.5, 0.0, 0.5], [0.1, 0.2, 0.3, 0.4], [0.1, 0.2, 0.3, 0.4]])


def kernel(entry, name):
    sources = [compile_kernel(one) for one in entry.kernels]
    return getattr(load(module_text(sources, "Kernels under test."), f"{entry.slug}_under_test"), name)


def weighted_logs(weights, values):
    """The sum of a log b over each row, left out where a = 0."""
    kept = [[a * np.log(b) for a, b in zip(*pair, strict=True) if a] for pair in zip(weights, values, strict=True)]
    return np.array([np.sum(row) for row in kept])


@pytest.fixture(autouse=True)
def _no_warnings():
    with np.errstate(all="raise", under="ignore"):
        yield


ENTROPY, CROSS, MIXTURE = -weighted_logs(P, P), -weighted_logs(P, Q), (P + Q) / 2
JENSEN_SHANNON = (weighted_logs(Q, Q) - weighted_logs(Q, MIXTURE) - ENTROPY - weighted_logs(P, MIXTURE)) / 2
CASES = [
    (entropy_bounds, "entropy", (P,), ENTROPY),
    (lagrange_max_entropy, "missing_entropy", (P,), np.log(4) - ENTROPY),
    (cross_entropy_decomposition, "cross_entropy", (P, Q), CROSS),
    (gibbs_inequality, "relative_entropy", (P, Q), CROSS - ENTROPY),
    (perplexity, "perplexities", (P, Q), np.exp(CROSS)),
    (cross_entropy_is_mle, "mean_cross_entropy", (P, Q + 0.1), -weighted_logs(P, Q + 0.1).mean()),
    (jensen_shannon, "jensen_shannon", (P, Q), JENSEN_SHANNON),
]


@pytest.mark.parametrize(("module", "name", "arguments", "value"), CASES, ids=[case[1] for case in CASES])
def test_rows_with_zeros(module, name, arguments, value):
    np.testing.assert_allclose(kernel(module.entry, name)(*arguments), value, rtol=1e-14, atol=1e-15)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_divergences_keep_their_digits_where_rows_are_nearly_equal(dtype):
    """To second order KL is Σ (p − q)²/(2q), and JSD a quarter of it: far below the rounding of the logarithms."""
    tiny = np.finfo(dtype).eps * 8
    p, q = np.full((1, 4), 0.25, dtype), (0.25 + tiny * np.array([[1, -1, 2, -2]])).astype(dtype)
    squares = ((p - q).astype(float) ** 2 / (2 * q.astype(float))).sum(axis=-1)
    for module, name, share in ((gibbs_inequality, "relative_entropy", 1), (jensen_shannon, "jensen_shannon", 4)):
        found = kernel(module.entry, name)(p, q)
        assert found.dtype == dtype
        np.testing.assert_allclose(found, squares / share, rtol=1e-5)


def test_information_of_empty_and_of_pure_branches():
    information = kernel(mutual_information_gain.entry, "mutual_information")
    shares = np.array([0.5, 0.5, 0.0])
    pure = np.array([[1.0, 0.0], [0.0, 1.0], [0.3, 0.7]])
    np.testing.assert_allclose(information(shares, pure), np.log(2), rtol=1e-15)
    np.testing.assert_allclose(information(shares, np.full((3, 2), 0.5)), 0, atol=1e-16)


def test_gaussians_of_nearly_equal_variance():
    divergence = kernel(gaussian_kl.entry, "gaussian_kl")
    zero, gap = np.zeros((1, 3)), np.full((1, 3), 1e-9)
    np.testing.assert_allclose(divergence(zero, gap, zero, zero), 3 * 1e-18 / 4, rtol=1e-8)
    np.testing.assert_allclose(divergence(gap, zero, zero, zero), 3 * 1e-18 / 2, rtol=1e-12)
