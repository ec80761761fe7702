"""The softmax Jacobian: kernels made by derive."""

from typing import Any

import numpy as np


def _shifted_exp(z: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of each row: z - max(z), the place of the maximum, and exp(z - max(z)) with 0 at that place.

    The maximum's own exponential is exactly 1. Kept out of the array, it cannot swallow the sum of the others.
    """
    top = np.argmax(z, axis=-1)[..., np.newaxis]
    shifted = z - np.take_along_axis(z, top, axis=-1)
    others = np.exp(shifted)
    np.put_along_axis(others, top, 0, axis=-1)
    return shifted, top, others


def _softmax(z: np.ndarray) -> np.ndarray:
    """exp(z)/sum(exp(z)), (..., K) -> (..., K); about 12 ulp. Logits of -inf get probability 0."""
    e = np.exp(z - z.max(axis=-1, keepdims=True))
    e /= e.sum(axis=-1, keepdims=True)
    return e


def _softmax_complement(z: np.ndarray) -> np.ndarray:
    """1 - softmax(z), (..., K) -> (..., K), as the sum of the others, without cancellation; about 30 ulp."""
    _, top, others = _shifted_exp(z)
    rest = others.sum(axis=-1, keepdims=True)
    complement = 1 + rest - others
    np.put_along_axis(complement, top, rest, axis=-1)
    return complement / (1 + rest)


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


def _check_logits(name: str, value: Any, shape: tuple[str, ...], sizes: dict[str, int]) -> np.ndarray:
    """Return an array of logits: finite, or -inf for an impossible class, but not for all of a row."""
    array = _check_floats(name, value, shape, sizes, minus_infinity=True)
    empty = (array == -np.inf).all(axis=-1)
    if empty.any():
        row = np.argwhere(empty)[0].tolist()
        raise ValueError(f"{name}{row} is -inf throughout: at least one class must be possible in every row")
    return array


def softmax(Z, *, check=True):
    """Softmax of each row of logits.

    Parameters
    ----------
    Z : array (N, K), logits; -inf is allowed
    check : bool
        Whether to validate the arguments; leave it out in hot loops.

    Returns
    -------
    value : (N, K)
    """
    if check:
        sizes: dict[str, int] = {}
        Z = _check_logits("Z", Z, ("N", "K"), sizes)
    return _softmax(Z)


def softmax_jacobian(Z, *, check=True):
    """The Jacobian of softmax for each row of logits.

    Parameters
    ----------
    Z : array (N, K), logits; -inf is allowed
    check : bool
        Whether to validate the arguments; leave it out in hot loops.

    Returns
    -------
    jacobian : (N, K, K)
    """
    if check:
        sizes: dict[str, int] = {}
        Z = _check_logits("Z", Z, ("N", "K"), sizes)
    K = Z.shape[1]
    P = _softmax(Z)
    return (
        np.eye(K, dtype=np.int8)*(P*_softmax_complement(Z))[:, :, None]
        - (1 - np.eye(K, dtype=np.int8))*P[:, :, None]*P[:, None, :]
    )
