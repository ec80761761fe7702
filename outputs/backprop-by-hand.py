"""Backpropagation by hand: kernels made by derive."""

from typing import Any, NamedTuple

import numpy as np


def _sigmoid(z: np.ndarray) -> np.ndarray:
    """1/(1 + exp(-z)), elementwise; 3 ulp. exp sees no positive number, so that nothing overflows."""
    e = np.exp(-np.abs(z))
    return np.where(z >= 0, 1, e) / (1 + e)


def _sigmoid_derivative(z: np.ndarray) -> np.ndarray:
    """sigmoid(z)·(1 - sigmoid(z)), elementwise; 5 ulp, in the tails too, where 1 - sigmoid(z) has no digit left."""
    e = np.exp(-np.abs(z))
    return e / (1 + e) ** 2


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


class TinyNetwork(NamedTuple):
    """What `tiny_network` returns."""

    loss: np.ndarray  # ()
    dw1: np.ndarray  # ()
    dw2: np.ndarray  # ()


def tiny_network(x, y, w1, w2, *, check=True):
    """Squared error of a network with two weights and a sigmoid, and its gradients by both.

    Parameters
    ----------
    x : array of any shape
    y : array of any shape
    w1 : array of any shape
    w2 : array of any shape
    check : bool
        Whether to validate the arguments; leave it out in hot loops.

    Returns
    -------
    loss : array
    dw1 : array
    dw2 : array
    """
    if check:
        x = _check_floats("x", x)
        y = _check_floats("y", y)
        w1 = _check_floats("w1", w1)
        w2 = _check_floats("w2", w2)
    z = w1*x
    h_σ = _sigmoid(z)
    ŷ_σ = w2*h_σ
    L_σ = (ŷ_σ - y)**2
    loss = L_σ
    dw1 = (2*(ŷ_σ - y))*w2*_sigmoid_derivative(z)*x
    dw2 = (2*(ŷ_σ - y))*h_σ
    return TinyNetwork(loss, dw1, dw2)
