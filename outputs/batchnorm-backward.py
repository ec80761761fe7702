"""Backward through batch normalisation: kernels made by derive."""

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


def _check_range(name: str, array: np.ndarray, good: np.ndarray, what: str) -> np.ndarray:
    """Return the array if `good` holds everywhere, or raise ValueError with the first place where it does not."""
    if not good.all():
        place = tuple(np.argwhere(~good)[0].tolist())
        raise ValueError(f"{name}{list(place) if place else ''} is {array[place]}: expected {what}")
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


class BatchnormBackward(NamedTuple):
    """What `batchnorm_backward` returns."""

    loss: np.ndarray  # ()
    dX: np.ndarray  # (N, d)
    dγ: np.ndarray  # (d,)
    dβ: np.ndarray  # (d,)


def batchnorm_backward(X, γ, β, ε, G0, *, reduction="mean", check=True):
    """Batch normalisation in training, and its gradients by batch, gain and bias for the gradient G₀ that arrives; loss is the sum of G₀ times the output.

    Parameters
    ----------
    X : array (N, d)
    γ : array (d,)
    β : array (d,)
    ε : float
    G0 : array (N, d)
    reduction : "mean" or "sum"
        Over the N examples.
    check : bool
        Whether to validate the arguments; leave it out in hot loops.

    Returns
    -------
    loss : float
    dX : (N, d)
    dγ : (d,)
    dβ : (d,)
    """
    if check:
        sizes: dict[str, int] = {}
        X = _check_floats("X", X, ("N", "d"), sizes)
        γ = _check_floats("γ", γ, ("d",), sizes)
        β = _check_floats("β", β, ("d",), sizes)
        G0 = _check_floats("G0", G0, ("N", "d"), sizes)
        ε = _check_number("ε", ε, 0, strict=True)
    if reduction not in ("mean", "sum"):
        raise ValueError(f"reduction is {reduction!r}: pass 'mean' or 'sum'")
    count = X.shape[0] if reduction == "mean" else 1
    μ = X.sum(axis=0)/count
    v = ((X - μ)**2).sum(axis=0)/count
    s = np.sqrt(v + ε)
    X_hat = (X - μ)/s
    Y = γ*X_hat + β
    L0 = (G0*Y).sum(axis=1).sum(axis=0)
    loss = L0
    H0 = G0*γ
    dX = ((H0 - H0.sum(axis=0)/count) - X_hat*(H0*X_hat).sum(axis=0)/count)/s
    dγ = (G0*X_hat).sum(axis=0)
    dβ = G0.sum(axis=0)
    return BatchnormBackward(loss, dX, dγ, dβ)


class FoldBatchnorm(NamedTuple):
    """What `fold_batchnorm` returns."""

    weights: np.ndarray  # (d, K)
    bias: np.ndarray  # (d,)


def fold_batchnorm(W, b, γ, β, μ_hat, v_hat, ε, *, check=True):
    """The affine layer that does what an affine layer and batch normalisation at inference do.

    Parameters
    ----------
    W : array (d, K)
    b : array (d,)
    γ : array (d,)
    β : array (d,)
    μ_hat : array (d,)
    v_hat : array (d,), not negative
    ε : float
    check : bool
        Whether to validate the arguments; leave it out in hot loops.

    Returns
    -------
    weights : (d, K)
    bias : (d,)
    """
    if check:
        sizes: dict[str, int] = {}
        W = _check_floats("W", W, ("d", "K"), sizes)
        b = _check_floats("b", b, ("d",), sizes)
        γ = _check_floats("γ", γ, ("d",), sizes)
        β = _check_floats("β", β, ("d",), sizes)
        μ_hat = _check_floats("μ_hat", μ_hat, ("d",), sizes)
        v_hat = _check_range("v_hat", _check_floats("v_hat", v_hat, ("d",), sizes), np.greater_equal(v_hat, 0), "a number of at least 0")
        ε = _check_number("ε", ε, 0, strict=True)
    ŝ = np.sqrt(v_hat + ε)
    Ŵ = (γ/ŝ)[:, None]*W
    weights = Ŵ
    b_hat = (γ*(b - μ_hat))/ŝ + β
    bias = b_hat
    return FoldBatchnorm(weights, bias)


def folded_layer(x, W, b, γ, β, μ_hat, v_hat, ε, *, check=True):
    """An affine layer and batch normalisation at inference, as one layer.

    Parameters
    ----------
    x : array (K,)
    W : array (d, K)
    b : array (d,)
    γ : array (d,)
    β : array (d,)
    μ_hat : array (d,)
    v_hat : array (d,), not negative
    ε : float
    check : bool
        Whether to validate the arguments; leave it out in hot loops.

    Returns
    -------
    value : (d,)
    """
    if check:
        sizes: dict[str, int] = {}
        x = _check_floats("x", x, ("K",), sizes)
        W = _check_floats("W", W, ("d", "K"), sizes)
        b = _check_floats("b", b, ("d",), sizes)
        γ = _check_floats("γ", γ, ("d",), sizes)
        β = _check_floats("β", β, ("d",), sizes)
        μ_hat = _check_floats("μ_hat", μ_hat, ("d",), sizes)
        v_hat = _check_range("v_hat", _check_floats("v_hat", v_hat, ("d",), sizes), np.greater_equal(v_hat, 0), "a number of at least 0")
        ε = _check_number("ε", ε, 0, strict=True)
    ŝ = np.sqrt(v_hat + ε)
    Ŵ = (γ/ŝ)[:, None]*W
    b_hat = (γ*(b - μ_hat))/ŝ + β
    return Ŵ @ x + b_hat
