"""Validation of a kernel's arguments, whose source is copied into generated kernels.

Every function returns the argument as an array fit for the kernel, or raises with what is wrong, where, and what to
do. `sizes` holds the values that the names of axes have taken so far, so that a message can show them.
"""

# mypy: disable-error-code="no-any-return"
# NumPy's own annotations give Any to the sum of an array and a number.

from typing import Any

import numpy as np


def check_shape(name: str, value: np.ndarray, shape: tuple[str, ...], sizes: dict[str, int]) -> None:
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


def check_floats(
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
        check_shape(name, array, shape, sizes)
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


def check_logits(name: str, value: Any, shape: tuple[str, ...], sizes: dict[str, int]) -> np.ndarray:
    """Return an array of logits: finite, or -inf for an impossible class, but not for all of a row."""
    array = check_floats(name, value, shape, sizes, minus_infinity=True)
    empty = (array == -np.inf).all(axis=-1)
    if empty.any():
        row = np.argwhere(empty)[0].tolist()
        raise ValueError(f"{name}{row} is -inf throughout: at least one class must be possible in every row")
    return array


def check_range(name: str, array: np.ndarray, good: np.ndarray, what: str) -> np.ndarray:
    """Return the array if `good` holds everywhere, or raise ValueError with the first place where it does not."""
    if not good.all():
        place = tuple(np.argwhere(~good)[0].tolist())
        raise ValueError(f"{name}{list(place) if place else ''} is {array[place]}: expected {what}")
    return array


def check_number(name: str, value: Any, low: float = -np.inf, high: float = np.inf, strict: bool = False) -> float:
    """Return a finite number as a Python float, which leaves float32 arrays as they are."""
    if np.ndim(value) != 0 or np.asarray(value).dtype.kind not in "iuf":
        raise TypeError(f"{name} is {value!r}, expected one real number: pass a float")
    number = float(value)
    if not low <= number <= high or not np.isfinite(number) or (strict and number in (low, high)):
        wanted = f"a finite number {'above' if strict else 'from'} {low:g}" if low > -np.inf else "a finite number"
        raise ValueError(f"{name} is {number:g}, expected {wanted}{f' to {high:g}' if high < np.inf else ''}")
    return number


def check_labels(
    name: str, value: Any, shape: tuple[str, ...], sizes: dict[str, int], like: np.ndarray, signs: bool = False
) -> np.ndarray:
    """Return labels 0 and 1 (or in between), or signs -1 and 1, in the float type of another argument."""
    array = np.asarray(value)
    if array.dtype.kind not in "biuf":
        raise TypeError(f"{name} has dtype {array.dtype}, expected numbers: encode the labels as numbers first")
    check_shape(name, array, shape, sizes)
    if signs:
        remedy = f"-1 or 1; for labels 0 and 1 pass 2*{name} - 1"
        return check_range(name, array, np.abs(array) == 1, remedy).astype(like.dtype)
    remedy = f"a label from 0 to 1; for labels -1 and 1 pass ({name} + 1)/2"
    return check_range(name, array, (array >= 0) & (array <= 1), remedy).astype(like.dtype)


def check_targets(name: str, value: Any, shape: tuple[str, ...], sizes: dict[str, int]) -> np.ndarray:
    """Return rows that sum to one, of the whole shape, or integer labels of the shape without its last axis."""
    array = np.asarray(value)
    if array.dtype.kind in "iu" and array.ndim == len(shape) - 1:
        check_shape(name, array, shape[:-1], sizes)
        classes = sizes[shape[-1]]
        return check_range(name, array, (array >= 0) & (array < classes), f"a label from 0 to {classes - 1}")
    if array.dtype.kind in "iub":
        raise TypeError(
            f"{name} has dtype {array.dtype} and shape {array.shape}, expected integer labels of shape"
            f" ({', '.join(shape[:-1])}) or distributions: pass {name}.astype(float) for rows that are one-hot"
        )
    array = check_floats(name, array, shape, sizes)
    check_range(name, array, array >= 0, "a probability, so at least 0")
    total = array.sum(axis=-1)
    off = np.abs(total - 1) > np.sqrt(np.finfo(array.dtype).eps)
    if off.any():
        place = tuple(np.argwhere(off)[0].tolist())
        remedy = f"divide by {name}.sum(axis=-1, keepdims=True)"
        raise ValueError(f"{name}{list(place) if place else ''} sums to {total[place]:.6g}, expected 1: {remedy}")
    return array
