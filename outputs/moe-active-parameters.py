"""Active parameters of a mixture of experts: kernels made by derive."""

from typing import Any

import numpy as np


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


def active_parameters(T_n, s_n, E_n, k_n, *, check=True):
    """How many parameters of a mixture of experts act on a token.

    Parameters
    ----------
    T_n : array of any shape
    s_n : array of any shape
    E_n : array of any shape
    k_n : array of any shape
    check : bool
        Whether to validate the arguments; leave it out in hot loops.

    Returns
    -------
    active : array
    """
    if check:
        T_n = _check_range("T_n", _check_floats("T_n", T_n), np.greater(T_n, 0), "a positive number")
        s_n = _check_range("s_n", _check_floats("s_n", s_n), np.greater(s_n, 0), "a positive number")
        E_n = _check_range("E_n", _check_floats("E_n", E_n), np.greater(E_n, 0), "a positive number")
        k_n = _check_range("k_n", _check_floats("k_n", k_n), np.greater(k_n, 0), "a positive number")
    return s_n + (k_n/E_n)*(T_n - s_n)
