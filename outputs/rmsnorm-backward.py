"""Backward through RMS normalisation: kernels made by derive."""

from typing import Any, NamedTuple

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


def _check_number(name: str, value: Any, low: float = -np.inf, high: float = np.inf, strict: bool = False) -> float:
    """Return a finite number as a Python float, which leaves float32 arrays as they are."""
    if np.ndim(value) != 0 or np.asarray(value).dtype.kind not in "iuf":
        raise TypeError(f"{name} is {value!r}, expected one real number: pass a float")
    number = float(value)
    if not low <= number <= high or not np.isfinite(number) or (strict and number in (low, high)):
        wanted = f"a finite number {'above' if strict else 'from'} {low:g}" if low > -np.inf else "a finite number"
        raise ValueError(f"{name} is {number:g}, expected {wanted}{f' to {high:g}' if high < np.inf else ''}")
    return number


class RmsnormBackward(NamedTuple):
    """What `rmsnorm_backward` returns."""

    loss: np.ndarray  # ()
    dX: np.ndarray  # (N, d)
    dγ: np.ndarray  # (d,)


def rmsnorm_backward(X, γ, ε, G, *, check=True):
    """RMS normalisation of rows, and its gradients by rows and gain for the gradient G that arrives; loss is the sum of G times the output.

    Parameters
    ----------
    X : array (N, d)
    γ : array (d,)
    ε : float
    G : array (N, d)
    check : bool
        Whether to validate the arguments; leave it out in hot loops.

    Returns
    -------
    loss : float
    dX : (N, d)
    dγ : (d,)
    """
    if check:
        sizes: dict[str, int] = {}
        X = _check_floats("X", X, ("N", "d"), sizes)
        γ = _check_floats("γ", γ, ("d",), sizes)
        G = _check_floats("G", G, ("N", "d"), sizes)
        ε = _check_number("ε", ε, 0, strict=True)
    d = X.shape[1]
    Q = (X**2).sum(axis=1)/d
    R = np.sqrt(Q + ε)
    X_hat = X/R[:, None]
    Y = γ*X_hat
    L_N = (G*Y).sum(axis=1).sum(axis=0)
    loss = L_N
    H = G*γ
    dX = (H - X_hat*((H*X_hat).sum(axis=1)/d)[:, None])/R[:, None]
    dγ = (G*X_hat).sum(axis=0)
    return RmsnormBackward(loss, dX, dγ)


def rmsnorm(X, γ, ε, *, check=True):
    """RMS normalisation of rows.

    Parameters
    ----------
    X : array (N, d)
    γ : array (d,)
    ε : float
    check : bool
        Whether to validate the arguments; leave it out in hot loops.

    Returns
    -------
    value : (N, d)
    """
    if check:
        sizes: dict[str, int] = {}
        X = _check_floats("X", X, ("N", "d"), sizes)
        γ = _check_floats("γ", γ, ("d",), sizes)
        ε = _check_number("ε", ε, 0, strict=True)
    d = X.shape[1]
    Q = (X**2).sum(axis=1)/d
    R = np.sqrt(Q + ε)
    X_hat = X/R[:, None]
    Y = γ*X_hat
    return Y
