"""The gradient of logistic regression: kernels made by derive."""

from typing import Any, NamedTuple

import numpy as np


def _sigmoid(z: np.ndarray) -> np.ndarray:
    """1/(1 + exp(-z)), elementwise; 3 ulp. exp sees no positive number, so that nothing overflows."""
    e = np.exp(-np.abs(z))
    return np.where(z >= 0, 1, e) / (1 + e)


def _sigmoid_minus(z: np.ndarray, y: np.ndarray) -> np.ndarray:
    """sigmoid(z) - y, elementwise, as sigmoid(z)·(1 - y) - y·sigmoid(-z); 5 ulp for y = 0 and y = 1."""
    e = np.exp(-np.abs(z))
    up, down = np.where(z >= 0, 1, e), np.where(z >= 0, e, 1)
    return (up * (1 - y) - y * down) / (1 + e)


def _binary_cross_entropy(z: np.ndarray, y: np.ndarray) -> np.ndarray:
    """-(y·log(sigmoid(z)) + (1 - y)·log(1 - sigmoid(z))), elementwise, 0 <= y <= 1; 4 ulp.

    The part |z|·weight is left out where the weight is 0, so that z = ±inf costs 0 on its own side.
    """
    weight = np.where(z >= 0, 1 - y, y)
    size = np.abs(z)
    return np.where(weight == 0, 0, size) * weight + np.log1p(np.exp(-size))


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


class LossAndGradient(NamedTuple):
    """What `loss_and_gradient` returns."""

    loss: np.ndarray  # ()
    w: np.ndarray  # (d,)
    b: np.ndarray  # ()


def loss_and_gradient(X, y, w, b, *, reduction="mean", check=True):
    """Mean cross-entropy of logistic regression, and its gradients.

    Parameters
    ----------
    X : array (N, d)
    y : array (N,), labels 0 and 1, or in between
    w : array (d,)
    b : float
    reduction : "mean" or "sum"
        Over the N examples.
    check : bool
        Whether to validate the arguments; leave it out in hot loops.

    Returns
    -------
    loss : float
    w : (d,)
    b : float
    """
    if check:
        sizes: dict[str, int] = {}
        X = _check_floats("X", X, ("N", "d"), sizes)
        w = _check_floats("w", w, ("d",), sizes)
        y = _check_labels("y", y, ("N",), sizes, X)
        b = _check_number("b", b)
    if reduction not in ("mean", "sum"):
        raise ValueError(f"reduction is {reduction!r}: pass 'mean' or 'sum'")
    count = X.shape[0] if reduction == "mean" else 1
    z = X @ w + b
    loss = _binary_cross_entropy(z, y).sum(axis=0)/count
    residual = _sigmoid_minus(z, y)
    dw = (X.T @ residual)/count
    db = residual.sum(axis=0)/count
    return LossAndGradient(loss, dw, db)


def ridge_gradient(X, y, w, b, λ, *, reduction="mean", check=True):
    """Gradient by the weights with the ridge term.

    Parameters
    ----------
    X : array (N, d)
    y : array (N,), labels 0 and 1, or in between
    w : array (d,)
    b : float
    λ : float
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
        y = _check_labels("y", y, ("N",), sizes, X)
        b = _check_number("b", b)
        λ = _check_number("λ", λ, 0, strict=True)
    if reduction not in ("mean", "sum"):
        raise ValueError(f"reduction is {reduction!r}: pass 'mean' or 'sum'")
    count = X.shape[0] if reduction == "mean" else 1
    z = X @ w + b
    return (X.T @ _sigmoid_minus(z, y))/count + λ*w


def margin_gradient(X, t, w, b, *, reduction="mean", check=True):
    """Gradient by the weights for labels of ±1.

    Parameters
    ----------
    X : array (N, d)
    t : array (N,), labels -1 and 1
    w : array (d,)
    b : float
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
        t = _check_labels("t", t, ("N",), sizes, X, signs=True)
        b = _check_number("b", b)
    if reduction not in ("mean", "sum"):
        raise ValueError(f"reduction is {reduction!r}: pass 'mean' or 'sum'")
    count = X.shape[0] if reduction == "mean" else 1
    z = X @ w + b
    return -(X.T @ (t*_sigmoid(-t*z)))/count
