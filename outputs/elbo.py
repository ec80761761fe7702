"""The evidence lower bound: kernels made by derive."""

from typing import Any, NamedTuple

import numpy as np


def _expgap(v: np.ndarray) -> np.ndarray:
    """exp(v) - 1 - v, elementwise; 4 ulp. Below |v| = 1 by its Taylor series, since the difference cancels there."""
    near = np.clip(v, -1, 1)
    series = 1 + near / 18
    for n in range(17, 2, -1):
        series = 1 + near / n * series
    return np.where(np.abs(v) < 1, near * near / 2 * series, np.expm1(v) - v)


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


class ElboAndGradients(NamedTuple):
    """What `elbo_and_gradients` returns."""

    elbo: np.ndarray  # ()
    dM: np.ndarray  # (N, d)
    dV: np.ndarray  # (N, d)


def elbo_and_gradients(X, M, V, W, c, τ, *, reduction="mean", check=True):
    """Mean lower bound of a linear-Gaussian VAE, and its gradients by the means and log variances of the encoder.

    Parameters
    ----------
    X : array (N, D)
    M : array (N, d)
    V : array (N, d)
    W : array (D, d)
    c : array (D,)
    τ : float
    reduction : "mean" or "sum"
        Over the N examples.
    check : bool
        Whether to validate the arguments; leave it out in hot loops.

    Returns
    -------
    elbo : float
    dM : (N, d)
    dV : (N, d)
    """
    if check:
        sizes: dict[str, int] = {}
        X = _check_floats("X", X, ("N", "D"), sizes)
        M = _check_floats("M", M, ("N", "d"), sizes)
        V = _check_floats("V", V, ("N", "d"), sizes)
        W = _check_floats("W", W, ("D", "d"), sizes)
        c = _check_floats("c", c, ("D",), sizes)
        τ = _check_number("τ", τ, 0, strict=True)
    if reduction not in ("mean", "sum"):
        raise ValueError(f"reduction is {reduction!r}: pass 'mean' or 'sum'")
    count = X.shape[0] if reduction == "mean" else 1
    D = X.shape[1]
    R = (X - (M @ W.T)) - c
    exponential = np.exp(V)
    reconstructions = (
        -(D*float(np.log((2*np.pi)*τ**2)))/2
        - ((R**2).sum(axis=1) + exponential @ (W**2).sum(axis=0))/(2*τ**2)
    )
    divergences = (M**2 + _expgap(V)).sum(axis=1)/2
    elbo = (reconstructions - divergences).sum(axis=0)/count
    dM = ((R @ W)/τ**2 - M)/count
    dV = (-(exponential*(W**2).sum(axis=0))/τ**2 - np.expm1(V))/(2*count)
    return ElboAndGradients(elbo, dM, dV)


def gaussian_kl(M, V, *, check=True):
    """Divergence of diagonal Gaussians from the standard one, row by row.

    Parameters
    ----------
    M : array (N, d)
    V : array (N, d)
    check : bool
        Whether to validate the arguments; leave it out in hot loops.

    Returns
    -------
    divergence : (N,)
    """
    if check:
        sizes: dict[str, int] = {}
        M = _check_floats("M", M, ("N", "d"), sizes)
        V = _check_floats("V", V, ("N", "d"), sizes)
    return (M**2 + _expgap(V)).sum(axis=1)/2
