"""The Hessian of logistic regression: kernels made by derive."""

from typing import Any

import numpy as np


def _sigmoid_derivative(z: np.ndarray) -> np.ndarray:
    """sigmoid(z)·(1 - sigmoid(z)), elementwise; 5 ulp, in the tails too, where 1 - sigmoid(z) has no digit left."""
    e = np.exp(-np.abs(z))
    return e / (1 + e) ** 2


def _squared_norm(z: np.ndarray) -> np.ndarray:
    """sum(z**2), (..., K) -> (...)."""
    return np.square(z).sum(axis=-1)


def _check_shape(name: str, value: np.ndarray, shape: tuple[str, ...], sizes: dict[str, int]) -> None:
    """Bind the axes of an array to the named sizes, or raise ValueError with the shape wanted and a remedy."""
    pairs = list(zip(shape, value.shape, strict=False))
    fits = len(shape) == value.ndim and all(sizes.get(axis, n) == n for axis, n in pairs)
    if fits and len(set(pairs)) == len(set(shape)) and 0 not in value.shape:
        sizes.update(pairs)
        return
    known = ", ".join(f"{axis} = {sizes[axis]}" for axis in dict.fromkeys(shape) if axis in sizes)
    wanted = f"({', '.join(shape)}{',' if len(shape) == 1 else ''})" + (f" with {known}" if known else "")
    flipped = value.ndim == len(shape) > 1 and all(
        sizes.get(a, n) == n for a, n in zip(shape, value.shape[::-1], strict=False)
    )
    remedy = f"pass an array of shape {wanted}"
    if 0 in value.shape:
        remedy = "an empty array has no mean: pass at least one example"
    elif flipped:
        remedy = f"did you mean {name}.T?"
    elif value.ndim == len(shape) - 1 > 0:
        remedy = f"a single example needs a batch axis: {name}[np.newaxis]"
    raise ValueError(f"{name} has shape {value.shape}, expected {wanted}: {remedy}")


def _check_floats(
    name: str,
    value: Any,
    shape: tuple[str, ...] | None = None,
    sizes: dict[str, int] | None = None,
    minus_infinity: bool = False,
) -> np.ndarray:
    """Return an array of finite float32 or float64, of a shape where one is given; -inf passes where it is allowed."""
    array = np.asarray(value)
    if array.dtype not in (np.float32, np.float64):
        raise TypeError(
            f"{name} has dtype {array.dtype}, expected float32 or float64: pass np.asarray({name}, np.float64)"
        )
    if shape is not None and sizes is not None:
        _check_shape(name, array, shape, sizes)
    with np.errstate(all="ignore"):
        if np.isfinite(array.sum()):  # the usual case, at the price of one pass
            return array
    odd = ~np.isfinite(array)
    if minus_infinity:
        odd &= array != -np.inf
    if odd.any():
        place = tuple(np.argwhere(odd)[0].tolist())
        allowed = "finite or -inf" if minus_infinity else "finite"
        raise ValueError(
            f"{name}{list(place) if place else ''} is {array[place]}: every entry must be {allowed}; mask or repair it"
        )
    return array


def hessian(X, w, *, reduction="mean", check=True):
    """Hessian of the mean cross-entropy by the weights.

    Parameters
    ----------
    X : array (N, d)
    w : array (d,)
    reduction : "mean" or "sum"
        Over the N examples.
    check : bool
        Whether to validate the arguments; leave it out in hot loops.

    Returns
    -------
    H : (d, d)
    """
    if check:
        sizes: dict[str, int] = {}
        X = _check_floats("X", X, ("N", "d"), sizes)
        w = _check_floats("w", w, ("d",), sizes)
    if reduction not in ("mean", "sum"):
        raise ValueError(f"reduction is {reduction!r}: pass 'mean' or 'sum'")
    count = X.shape[0] if reduction == "mean" else 1
    z = X @ w
    s = _sigmoid_derivative(z)
    weighted = np.sqrt(s)[:, None]*X
    return (weighted.T @ weighted)/count


def curvature(X, w, v, *, reduction="mean", check=True):
    """Curvature of the mean cross-entropy in a direction, without the matrix.

    Parameters
    ----------
    X : array (N, d)
    w : array (d,)
    v : array (d,)
    reduction : "mean" or "sum"
        Over the N examples.
    check : bool
        Whether to validate the arguments; leave it out in hot loops.

    Returns
    -------
    form : float
    """
    if check:
        sizes: dict[str, int] = {}
        X = _check_floats("X", X, ("N", "d"), sizes)
        w = _check_floats("w", w, ("d",), sizes)
        v = _check_floats("v", v, ("d",), sizes)
    if reduction not in ("mean", "sum"):
        raise ValueError(f"reduction is {reduction!r}: pass 'mean' or 'sum'")
    count = X.shape[0] if reduction == "mean" else 1
    z = X @ w
    s = _sigmoid_derivative(z)
    return _squared_norm(np.sqrt(s)*(X @ v))/count
