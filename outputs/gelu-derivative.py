"""The derivative of GELU: kernels made by derive."""

from typing import Any

import numpy as np


def _sigmoid(z: np.ndarray) -> np.ndarray:
    """1/(1 + exp(-z)), elementwise; 3 ulp. exp sees no positive number, so that nothing overflows."""
    e = np.exp(-np.abs(z))
    return np.where(z >= 0, 1, e) / (1 + e)


def _tanh_derivative(z: np.ndarray) -> np.ndarray:
    """1 - tanh(z)**2, elementwise, as 4e/(1 + e)**2 with e = exp(-2|z|); 5 ulp, in the tails too."""
    e = np.exp(-2 * np.abs(z))
    return 4 * e / (1 + e) ** 2


def _gaussian(z: np.ndarray) -> np.ndarray:
    """exp(-z²/2), elementwise; 2 ulp, in the tails too, where the rounding of z² would cost hundreds.

    The square of z rounded to sixteenths is exact, and what is left of the exponent is small.
    """
    size = np.minimum(np.abs(z), 40)
    near = np.round(16 * size) / 16
    return np.exp(-near * near / 2) * np.exp((near - size) * (near + size) / 2)


def _scaled_erfc(z: np.ndarray) -> np.ndarray:
    """exp(z²)·erfc(z), elementwise, for z held between 0.3 and 40; 4 ulp.

    The trapezoidal rule for the integral of exp(-t²)/(t² + z²), with steps of 1/2 and its one large error, that of the
    pole at iz, taken off; the rest of the error is below exp(-4π²).
    """
    held = np.clip(z, 0.3, 40)
    square, pole = np.square(held), np.minimum(held, 6)
    total = np.zeros_like(held)
    for n in range(13, 0, -1):
        total += np.exp(-n * n / 4).item() / (n * n / 4 + square)
    error = np.where(held < 6, 2 * np.exp(pole * (pole - 4 * np.pi)) / np.expm1(-4 * np.pi * pole), 0)
    return (total + 0.5 / square) * held / np.pi + error


def _erf(z: np.ndarray) -> np.ndarray:
    """The error function, elementwise; 3 ulp. Near 0 by its Taylor series, elsewhere as 1 - erfc."""
    size = np.abs(z)
    square = np.square(np.minimum(size, 0.5))
    series = np.ones_like(z)
    for n in range(13, 0, -1):
        series = 1 - square * series * (2 * n - 1) / (n * (2 * n + 1))
    tail = _gaussian(size * np.sqrt(2).item()) * _scaled_erfc(size)
    return np.where(size < 0.5, z * series * (2 / np.sqrt(np.pi)).item(), np.sign(z) * (1 - tail))


def _normal_cdf(z: np.ndarray) -> np.ndarray:
    """(1 + erf(z/√2))/2, the standard normal distribution function, elementwise; 5 ulp, in the lower tail too."""
    size = np.abs(z)
    near = 0.5 + 0.5 * _erf(np.clip(z, -0.5, 0.5) * np.sqrt(0.5).item())
    tail = 0.5 * _gaussian(size) * _scaled_erfc(size * np.sqrt(0.5).item())
    return np.where(size < 0.5, near, np.where(z < 0, tail, 1 - tail))


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


def gelu(x, *, check=True):
    """The Gaussian error linear unit.

    Parameters
    ----------
    x : array of any shape
    check : bool
        Whether to validate the arguments; leave it out in hot loops.

    Returns
    -------
    value : array
    """
    if check:
        x = _check_floats("x", x)
    return x*_normal_cdf(x)


def gelu_derivative(x, *, check=True):
    """The derivative of the Gaussian error linear unit.

    Parameters
    ----------
    x : array of any shape
    check : bool
        Whether to validate the arguments; leave it out in hot loops.

    Returns
    -------
    derivative : array
    """
    if check:
        x = _check_floats("x", x)
    Φ = _normal_cdf(x)
    φ = _gaussian(x)/float(np.sqrt(2*np.pi))
    return Φ + x*φ


def gelu_tanh(x, *, check=True):
    """The approximation of the Gaussian error linear unit by tanh.

    Parameters
    ----------
    x : array of any shape
    check : bool
        Whether to validate the arguments; leave it out in hot loops.

    Returns
    -------
    value : array
    """
    if check:
        x = _check_floats("x", x)
    c = 8943/200000
    s = float(np.sqrt(2/np.pi))*(x + c*x**3)
    return (x/2)*(2*_sigmoid(2*s))


def gelu_tanh_derivative(x, *, check=True):
    """The derivative of the approximation by tanh.

    Parameters
    ----------
    x : array of any shape
    check : bool
        Whether to validate the arguments; leave it out in hot loops.

    Returns
    -------
    derivative : array
    """
    if check:
        x = _check_floats("x", x)
    c = 8943/200000
    s = float(np.sqrt(2/np.pi))*(x + c*x**3)
    return (
        _sigmoid(2*s)
        + (x/2)*_tanh_derivative(s)*float(np.sqrt(2/np.pi))*(1 + (3*c)*x**2)
    )
