"""A Laplace prior is a lasso penalty: kernels made by derive."""

from typing import Any

import numpy as np


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


def _check_number(name: str, value: Any, low: float = -np.inf, high: float = np.inf, strict: bool = False) -> float:
    """Return a finite number as a Python float, which leaves float32 arrays as they are."""
    if np.ndim(value) != 0 or np.asarray(value).dtype.kind not in "iuf":
        raise TypeError(f"{name} is {value!r}, expected one real number: pass a float")
    number = float(value)
    if not low <= number <= high or not np.isfinite(number) or (strict and number in (low, high)):
        wanted = f"a finite number {'above' if strict else 'from'} {low:g}" if low > -np.inf else "a finite number"
        raise ValueError(f"{name} is {number:g}, expected {wanted}{f' to {high:g}' if high < np.inf else ''}")
    return number


def penalised_loss(X, y, w, σ, b, *, check=True):
    """Half the sum of squares with the Laplace prior’s penalty.

    Parameters
    ----------
    X : array (N, d)
    y : array (N,)
    w : array (d,)
    σ : float
    b : float
    check : bool
        Whether to validate the arguments; leave it out in hot loops.

    Returns
    -------
    loss : float
    """
    if check:
        sizes: dict[str, int] = {}
        X = _check_floats("X", X, ("N", "d"), sizes)
        y = _check_floats("y", y, ("N",), sizes)
        w = _check_floats("w", w, ("d",), sizes)
        σ = _check_number("σ", σ, 0, strict=True)
        b = _check_number("b", b, 0, strict=True)
    λ = σ**2/b
    J = _squared_norm(X @ w - y)/2 + λ*np.abs(w).sum(axis=0)
    return J
