"""Backpropagation through two layers: kernels made by derive."""

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


def _shifted_exp(z: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of each row: z - max(z), the place of the maximum, and exp(z - max(z)) with 0 at that place.

    The maximum's own exponential is exactly 1. Kept out of the array, it cannot swallow the sum of the others.
    """
    top = np.argmax(z, axis=-1)[..., np.newaxis]
    shifted = z - np.take_along_axis(z, top, axis=-1)
    others = np.exp(shifted)
    np.put_along_axis(others, top, 0, axis=-1)
    return shifted, top, others


def _delta_of(others: np.ndarray, top: np.ndarray, rest: np.ndarray, y: np.ndarray) -> np.ndarray:
    """softmax - y from the parts of the rows and the sum of the others; it reuses the array of the others.

    p - y is p·(1 - y) - y·(1 - p), and 1 - p is the sum of the others: a confident row keeps its digits.
    """
    total = 1 + rest
    if y.ndim < others.ndim:
        label = y[..., np.newaxis]
        aside = np.where(label == top, rest, total - np.take_along_axis(others, label, axis=-1))
        np.put_along_axis(others, top, 1, axis=-1)
        np.put_along_axis(others, label, -aside, axis=-1)
        others /= total
        return others
    aside = total - others
    np.put_along_axis(aside, top, rest, axis=-1)
    np.put_along_axis(others, top, 1, axis=-1)
    aside *= y
    others *= 1 - y
    others -= aside
    others /= total
    return others


def _loss_of(shifted: np.ndarray, rest: np.ndarray, y: np.ndarray) -> np.ndarray:
    """-sum(y·log(softmax)) from the parts of the rows; where y is 0 a logit of -inf costs nothing."""
    if y.ndim < shifted.ndim:
        return (np.log1p(rest) - np.take_along_axis(shifted, y[..., np.newaxis], axis=-1))[..., 0]
    return (np.where(y == 0, 0, np.log1p(rest) - shifted) * y).sum(axis=-1)


def _cross_entropy_and_delta(z: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The cross-entropies (...) and softmax(z) - y (..., K), with one exponential for the two."""
    shifted, top, others = _shifted_exp(z)
    rest = others.sum(axis=-1, keepdims=True)
    return _loss_of(shifted, rest, y), _delta_of(others, top, rest, y)


def _one_hot(y: np.ndarray, like: np.ndarray) -> np.ndarray:
    """Integer labels (...) as rows that are 1 at the label, (..., K), for a last axis and a type like another's."""
    return (np.arange(like.shape[-1]) == y[..., np.newaxis]).astype(like.dtype)


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


def _check_targets(name: str, value: Any, shape: tuple[str, ...], sizes: dict[str, int]) -> np.ndarray:
    """Return rows that sum to one, of the whole shape, or integer labels of the shape without its last axis."""
    array = np.asarray(value)
    if array.dtype.kind in "iu" and array.ndim == len(shape) - 1:
        _check_shape(name, array, shape[:-1], sizes)
        classes = sizes[shape[-1]]
        return _check_range(name, array, (array >= 0) & (array < classes), f"a label from 0 to {classes - 1}")
    if array.dtype.kind in "iub":
        raise TypeError(
            f"{name} has dtype {array.dtype} and shape {array.shape}, expected integer labels of shape"
            f" ({', '.join(shape[:-1])}) or distributions: pass {name}.astype(float) for rows that are one-hot"
        )
    array = _check_floats(name, array, shape, sizes)
    _check_range(name, array, array >= 0, "a probability, so at least 0")
    total = array.sum(axis=-1)
    off = np.abs(total - 1) > np.sqrt(np.finfo(array.dtype).eps)
    if off.any():
        place = tuple(np.argwhere(off)[0].tolist())
        remedy = f"divide by {name}.sum(axis=-1, keepdims=True)"
        raise ValueError(f"{name}{list(place) if place else ''} sums to {total[place]:.6g}, expected 1: {remedy}")
    return array


class MlpBackprop(NamedTuple):
    """What `mlp_backprop` returns."""

    loss: np.ndarray  # ()
    dW1: np.ndarray  # (M, d)
    db1: np.ndarray  # (M,)
    dW2: np.ndarray  # (K, M)
    db2: np.ndarray  # (K,)
    dX: np.ndarray  # (N, d)


def mlp_backprop(X, Y, W1, b1, W2, b2, *, reduction="mean", check=True):
    """Mean cross-entropy of a network with two layers, and its gradients by weights, biases and inputs.

    Parameters
    ----------
    X : array (N, d)
    Y : array (N, K), rows that sum to one; or integer labels (N,)
    W1 : array (M, d)
    b1 : array (M,)
    W2 : array (K, M)
    b2 : array (K,)
    reduction : "mean" or "sum"
        Over the N examples.
    check : bool
        Whether to validate the arguments; leave it out in hot loops.

    Returns
    -------
    loss : float
    dW1 : (M, d)
    db1 : (M,)
    dW2 : (K, M)
    db2 : (K,)
    dX : (N, d)
    """
    if check:
        sizes: dict[str, int] = {}
        X = _check_floats("X", X, ("N", "d"), sizes)
        W1 = _check_floats("W1", W1, ("M", "d"), sizes)
        b1 = _check_floats("b1", b1, ("M",), sizes)
        W2 = _check_floats("W2", W2, ("K", "M"), sizes)
        b2 = _check_floats("b2", b2, ("K",), sizes)
        Y = _check_targets("Y", Y, ("N", "K"), sizes)
    if reduction not in ("mean", "sum"):
        raise ValueError(f"reduction is {reduction!r}: pass 'mean' or 'sum'")
    count = X.shape[0] if reduction == "mean" else 1
    if Y.ndim < 2:
        Y = _one_hot(Y, b2)
    Z1 = X @ W1.T + b1
    H = _sigmoid(Z1)
    Z2 = H @ W2.T + b2
    losses, residual = _cross_entropy_and_delta(Z2, Y)
    loss = losses.sum(axis=0)/count
    Δ2 = residual/count
    Δ1 = (Δ2 @ W2)*_sigmoid_derivative(Z1)
    dW1 = Δ1.T @ X
    db1 = Δ1.sum(axis=0)
    dW2 = Δ2.T @ H
    db2 = Δ2.sum(axis=0)
    dX = Δ1 @ W1
    return MlpBackprop(loss, dW1, db1, dW2, db2, dX)
