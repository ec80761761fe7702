"""Squared error against cross-entropy: kernels made by derive."""

from typing import Any

import numpy as np


def _sigmoid_derivative(z: np.ndarray) -> np.ndarray:
    """sigmoid(z)·(1 - sigmoid(z)), elementwise; 5 ulp, in the tails too, where 1 - sigmoid(z) has no digit left."""
    e = np.exp(-np.abs(z))
    return e / (1 + e) ** 2


def _sigmoid_minus(z: np.ndarray, y: np.ndarray) -> np.ndarray:
    """sigmoid(z) - y, elementwise, as sigmoid(z)·(1 - y) - y·sigmoid(-z); 5 ulp for y = 0 and y = 1."""
    e = np.exp(-np.abs(z))
    up, down = np.where(z >= 0, 1, e), np.where(z >= 0, e, 1)
    return (up * (1 - y) - y * down) / (1 + e)


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


def _check_range(name: str, array: np.ndarray, good: np.ndarray, what: str) -> np.ndarray:
    """Return the array if `good` holds everywhere, or raise ValueError with the first place where it does not."""
    if not good.all():
        place = tuple(np.argwhere(~good)[0].tolist())
        raise ValueError(f"{name}{list(place) if place else ''} is {array[place]}: expected {what}")
    return array


def _check_labels(
    name: str, value: Any, shape: tuple[str, ...], sizes: dict[str, int], like: np.ndarray, signs: bool = False
) -> np.ndarray:
    """Return labels 0 and 1 (or in between), or signs -1 and 1, in the float type of another argument."""
    array = np.asarray(value)
    if array.dtype.kind not in "biuf":
        raise TypeError(f"{name} has dtype {array.dtype}, expected numbers: encode the labels as numbers first")
    _check_shape(name, array, shape, sizes)
    if signs:
        remedy = f"-1 or 1; for labels 0 and 1 pass 2*{name} - 1"
        return _check_range(name, array, np.abs(array) == 1, remedy).astype(like.dtype)
    remedy = f"a label from 0 to 1; for labels -1 and 1 pass ({name} + 1)/2"
    return _check_range(name, array, (array >= 0) & (array <= 1), remedy).astype(like.dtype)


def squared_error_gradient(X, Y, w, *, reduction="mean", check=True):
    """Gradient of the mean of half the squared errors, through a sigmoid.

    Parameters
    ----------
    X : array (N, d)
    Y : array (N,), labels 0 and 1, or in between
    w : array (d,)
    reduction : "mean" or "sum"
        Over the N examples.
    check : bool
        Whether to validate the arguments; leave it out in hot loops.

    Returns
    -------
    w : (d,)
    """
    if check:
        sizes: dict[str, int] = {}
        X = _check_floats("X", X, ("N", "d"), sizes)
        w = _check_floats("w", w, ("d",), sizes)
        Y = _check_labels("Y", Y, ("N",), sizes, X)
    if reduction not in ("mean", "sum"):
        raise ValueError(f"reduction is {reduction!r}: pass 'mean' or 'sum'")
    count = X.shape[0] if reduction == "mean" else 1
    Z = X @ w
    return (X.T @ (_sigmoid_minus(Z, Y)*_sigmoid_derivative(Z)))/count
