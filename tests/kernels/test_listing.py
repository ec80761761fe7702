"""What a page shows of a generated module."""

from derive.kernels.listing import listing

MODULE = '''"""A module."""

import numpy as np


def _sigmoid(z: np.ndarray) -> np.ndarray:
    """Sigmoid.

    More.
    """
    e = np.exp(-np.abs(z))
    return np.where(z >= 0, 1, e) / (1 + e)


def _gap(v: np.ndarray) -> np.ndarray:
    """exp(v) - 1 - v."""
    near = np.clip(v, -1, 1)
    series = 1 + near / 3
    return near * near / 2 * series


def _unused(v):
    return v


def _check_floats(name, value):
    """Refuse."""
    return value


def loss(X, w, *, reduction="mean", check=True):
    """Return the loss.

    Parameters
    ----------
    X : array
    """
    if check:
        X = _check_floats("X", X)
    if reduction not in ("mean", "sum"):
        raise ValueError
    count = len(X)
    return _gap(_sigmoid(X @ w)).sum() / count
'''


def test_a_page_shows_the_arithmetic_and_nothing_else():
    assert (
        listing(MODULE)
        == '''def _sigmoid(z):
    """Sigmoid."""
    e = np.exp(-np.abs(z))
    return np.where(z >= 0, 1, e) / (1 + e)

def _gap(v):
    """exp(v) - 1 - v."""
    ...

def loss(X, w, reduction="mean"):
    """Return the loss."""
    count = len(X)
    return _gap(_sigmoid(X @ w)).sum() / count'''
    )
