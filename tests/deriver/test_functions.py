"""Python functions as losses: the source is read and never run, and what is no loss is refused by its name."""

import functools

import numpy as np
import pytest
from deriver import reference

from derive import gradient
from derive.language.parse import ParseError
from derive.pages.text import text as printed

SHAPES = {"X": "N,d", "w": "d", "y": "N"}
outside = 3.0


def ridge(X, w, y, *, lam=0.5):
    """Squares of residuals, and of weights."""
    import numpy as np

    N, d = X.shape
    residual = X @ w - y
    penalty: float = lam * np.sum(w**2)
    return np.sum(residual**2) / N + penalty + 0 * d


def with_a_helper(w):
    return helper(w)  # noqa: F821 - it is never called


def with_a_constant_from_outside(w):
    return outside * np.sum(w**2)


def never_run(w):
    raise RuntimeError(f"a loss is never run, at {w}")


def test_several_statements_options_and_defaults():
    view = gradient(ridge, "w", shapes=SHAPES)
    values = reference.point(SHAPES, {})
    X, w, y = (values[name] for name in SHAPES)
    wanted = 2 * X.T @ (X @ w - y) / len(y) + w
    assert np.abs(reference.of_kernel(view.kernel("gradient"), values) - wanted).max() <= 1e-12
    assert "residual" in printed(view.claim.args[1])


@pytest.mark.parametrize(
    ("loss", "says"),
    [
        (with_a_helper, "the function helper is not supported: write out what it computes"),
        (with_a_constant_from_outside, "the name outside is unknown: what is outside of with_a_constant"),
        (never_run, "the last line of a function returns the loss"),
        (lambda w: w @ w, "write def loss"),
        (functools.partial(ridge, lam=1), "not of partial"),
        (len, "not of builtin_function_or_method"),
        (np.zeros(3), "a loss is a text, a term or a Python function, and not of ndarray"),
        (None, "not of NoneType"),
    ],
)
def test_what_is_no_loss_is_refused(loss, says):
    with pytest.raises(ParseError) as error:
        gradient(loss, "w", shapes=SHAPES)
    assert says in str(error.value)


def test_what_is_declared_is_no_constant():
    """A default is used only where no shape is declared."""
    view = gradient(ridge, "lam", shapes={**SHAPES, "lam": ""})
    values = {**reference.point(SHAPES, {}), "lam": np.array(0.7)}
    assert abs(reference.of_kernel(view.kernel("gradient"), values) - np.sum(values["w"] ** 2)) <= 1e-12
