"""Backward through attention: kernels made by derive."""

from typing import Any, NamedTuple

import numpy as np


def _softmax(z: np.ndarray) -> np.ndarray:
    """exp(z)/sum(exp(z)), (..., K) -> (..., K); about 12 ulp. Logits of -inf get probability 0."""
    e = np.exp(z - z.max(axis=-1, keepdims=True))
    e /= e.sum(axis=-1, keepdims=True)
    return e


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


class AttentionBackward(NamedTuple):
    """What `attention_backward` returns."""

    loss: np.ndarray  # ()
    dQ: np.ndarray  # (N, d)
    dK: np.ndarray  # (M, d)
    dV: np.ndarray  # (M, E)


def attention_backward(Q, K, V, G, *, check=True):
    """Attention and its gradients by queries, keys and values for the gradient G that arrives; loss is the sum of G times the output. Differences are taken before they are weighted, so no digit is lost where attention is nearly hard.

    Parameters
    ----------
    Q : array (N, d)
    K : array (M, d)
    V : array (M, E)
    G : array (N, E)
    check : bool
        Whether to validate the arguments; leave it out in hot loops.

    Returns
    -------
    loss : float
    dQ : (N, d)
    dK : (M, d)
    dV : (M, E)
    """
    if check:
        sizes: dict[str, int] = {}
        Q = _check_floats("Q", Q, ("N", "d"), sizes)
        K = _check_floats("K", K, ("M", "d"), sizes)
        V = _check_floats("V", V, ("M", "E"), sizes)
        G = _check_floats("G", G, ("N", "E"), sizes)
    d = Q.shape[1]
    S = (Q @ K.T)/float(np.sqrt(d))
    A = _softmax(S)
    O = A @ V
    L_G = (G*O).sum(axis=1).sum(axis=0)
    loss = L_G
    gA = G @ V.T
    gS = A*(A[:, None, :]*(gA[:, :, None] - gA[:, None, :])).sum(axis=-1)
    dQ = (gS @ K)/float(np.sqrt(d))
    dK = (gS.T @ Q)/float(np.sqrt(d))
    dV = A.T @ G
    return AttentionBackward(loss, dQ, dK, dV)
