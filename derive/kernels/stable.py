"""Stable NumPy forms of the functions of machine learning, whose source is copied into generated kernels.

Every function works on whole arrays of floats, keeps float32 as float32, and writes to none of its arguments (but for
`delta_of`, which is for the others here and says so). Those that act on rows take the last axis as the row. Each
docstring gives the function, the shapes and the accuracy: the largest error in units of the last place of float64,
rounded up, against the textbook formula at hundreds of digits. Rows have one error more, that of z - max(z) itself:
where logits are hundreds apart, a probability beside the largest is off by up to |z - max(z)|/2 such units.
"""

# mypy: disable-error-code="no-any-return"
# NumPy's own annotations give Any to the sum of an array and a number.

import numpy as np


def sigmoid(z: np.ndarray) -> np.ndarray:
    """1/(1 + exp(-z)), elementwise; 3 ulp. exp sees no positive number, so that nothing overflows."""
    e = np.exp(-np.abs(z))
    return np.where(z >= 0, 1, e) / (1 + e)


def sigmoid_derivative(z: np.ndarray) -> np.ndarray:
    """sigmoid(z)·(1 - sigmoid(z)), elementwise; 5 ulp, in the tails too, where 1 - sigmoid(z) has no digit left."""
    e = np.exp(-np.abs(z))
    return e / (1 + e) ** 2


def sigmoid_minus(z: np.ndarray, y: np.ndarray) -> np.ndarray:
    """sigmoid(z) - y, elementwise, as sigmoid(z)·(1 - y) - y·sigmoid(-z); 5 ulp for y = 0 and y = 1."""
    e = np.exp(-np.abs(z))
    up, down = np.where(z >= 0, 1, e), np.where(z >= 0, e, 1)
    return (up * (1 - y) - y * down) / (1 + e)


def log_sigmoid(z: np.ndarray) -> np.ndarray:
    """log(sigmoid(z)), elementwise; 3 ulp."""
    return np.minimum(z, 0) - np.log1p(np.exp(-np.abs(z)))


def log_sigmoid_pair(z: np.ndarray) -> np.ndarray:
    """log(sigmoid(z)) + log(sigmoid(-z)), elementwise; 3 ulp."""
    return -np.abs(z) - 2 * np.log1p(np.exp(-np.abs(z)))


def softplus(z: np.ndarray) -> np.ndarray:
    """log(1 + exp(z)), elementwise; 3 ulp."""
    return np.maximum(z, 0) + np.log1p(np.exp(-np.abs(z)))


def tanh_derivative(z: np.ndarray) -> np.ndarray:
    """1 - tanh(z)**2, elementwise, as 4e/(1 + e)**2 with e = exp(-2|z|); 5 ulp, in the tails too."""
    e = np.exp(-2 * np.abs(z))
    return 4 * e / (1 + e) ** 2


def binary_cross_entropy(z: np.ndarray, y: np.ndarray) -> np.ndarray:
    """-(y·log(sigmoid(z)) + (1 - y)·log(1 - sigmoid(z))), elementwise, 0 <= y <= 1; 4 ulp.

    The part |z|·weight is left out where the weight is 0, so that z = ±inf costs 0 on its own side.
    """
    weight = np.where(z >= 0, 1 - y, y)
    size = np.abs(z)
    return np.where(weight == 0, 0, size) * weight + np.log1p(np.exp(-size))


def shifted_exp(z: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of each row: z - max(z), the place of the maximum, and exp(z - max(z)) with 0 at that place.

    The maximum's own exponential is exactly 1. Kept out of the array, it cannot swallow the sum of the others.
    """
    top = np.argmax(z, axis=-1)[..., np.newaxis]
    shifted = z - np.take_along_axis(z, top, axis=-1)
    others = np.exp(shifted)
    np.put_along_axis(others, top, 0, axis=-1)
    return shifted, top, others


def softmax(z: np.ndarray) -> np.ndarray:
    """exp(z)/sum(exp(z)), (..., K) -> (..., K); about 12 ulp. Logits of -inf get probability 0."""
    e = np.exp(z - z.max(axis=-1, keepdims=True))
    e /= e.sum(axis=-1, keepdims=True)
    return e


def softmax_complement(z: np.ndarray) -> np.ndarray:
    """1 - softmax(z), (..., K) -> (..., K), as the sum of the others, without cancellation; about 30 ulp."""
    _, top, others = shifted_exp(z)
    rest = others.sum(axis=-1, keepdims=True)
    complement = 1 + rest - others
    np.put_along_axis(complement, top, rest, axis=-1)
    return complement / (1 + rest)


def softmax_minus(z: np.ndarray, y: np.ndarray) -> np.ndarray:
    """softmax(z) - y, (..., K) -> (..., K), for y of the same shape or integer labels (...); about 30 ulp."""
    _, top, others = shifted_exp(z)
    return delta_of(others, top, others.sum(axis=-1, keepdims=True), y)


def delta_of(others: np.ndarray, top: np.ndarray, rest: np.ndarray, y: np.ndarray) -> np.ndarray:
    """softmax - y from the parts of the rows and the sum of the others; it reuses the array of the others.

    p - y is p·(1 - y) - y·(1 - p), and 1 - p is the sum of the others: a confident row keeps its digits.
    """
    total = 1 + rest
    if y.ndim < others.ndim:
        label = y[..., np.newaxis]
        aside = np.where(label == top, rest, total - np.take_along_axis(others, label, axis=-1))
        np.put_along_axis(others, top, 1, axis=-1)
        np.put_along_axis(others, label, -aside, axis=-1)
        others /= total
        return others
    aside = total - others
    np.put_along_axis(aside, top, rest, axis=-1)
    np.put_along_axis(others, top, 1, axis=-1)
    aside *= y
    others *= 1 - y
    others -= aside
    others /= total
    return others


def log_softmax(z: np.ndarray) -> np.ndarray:
    """log(softmax(z)), (..., K) -> (..., K), as (z - max) - log1p(others); about 14 ulp, on confident rows too."""
    shifted, _, others = shifted_exp(z)
    return shifted - np.log1p(others.sum(axis=-1, keepdims=True))


def logsumexp(z: np.ndarray) -> np.ndarray:
    """log(sum(exp(z))), (..., K) -> (...); 3 ulp. A row of -inf gives -inf, a row with +inf gives +inf."""
    limit = np.finfo(z.dtype).max
    top = np.argmax(z, axis=-1)[..., np.newaxis]
    largest = np.take_along_axis(z, top, axis=-1)
    others = np.exp(z - np.clip(largest, -limit, limit))
    np.put_along_axis(others, top, 0, axis=-1)
    return largest[..., 0] + np.log1p(others.sum(axis=-1))


def cross_entropy(z: np.ndarray, y: np.ndarray) -> np.ndarray:
    """-sum(y·log(softmax(z))), (..., K) -> (...), for y of the same shape or integer labels (...); about 14 ulp."""
    shifted, _, others = shifted_exp(z)
    return loss_of(shifted, others.sum(axis=-1, keepdims=True), y)


def loss_of(shifted: np.ndarray, rest: np.ndarray, y: np.ndarray) -> np.ndarray:
    """-sum(y·log(softmax)) from the parts of the rows; where y is 0 a logit of -inf costs nothing."""
    if y.ndim < shifted.ndim:
        return (np.log1p(rest) - np.take_along_axis(shifted, y[..., np.newaxis], axis=-1))[..., 0]
    return (np.where(y == 0, 0, np.log1p(rest) - shifted) * y).sum(axis=-1)


def cross_entropy_and_delta(z: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The cross-entropies (...) and softmax(z) - y (..., K), with one exponential for the two."""
    shifted, top, others = shifted_exp(z)
    rest = others.sum(axis=-1, keepdims=True)
    return loss_of(shifted, rest, y), delta_of(others, top, rest, y)


def one_hot(y: np.ndarray, like: np.ndarray) -> np.ndarray:
    """Integer labels (...) as rows that are 1 at the label, (..., K), for a last axis and a type like another's."""
    return (np.arange(like.shape[-1]) == y[..., np.newaxis]).astype(like.dtype)


def expgap(v: np.ndarray) -> np.ndarray:
    """exp(v) - 1 - v, elementwise; 4 ulp. Below |v| = 1 by its Taylor series, since the difference cancels there."""
    near = np.clip(v, -1, 1)
    series = 1 + near / 18
    for n in range(17, 2, -1):
        series = 1 + near / n * series
    return np.where(np.abs(v) < 1, near * near / 2 * series, np.expm1(v) - v)


def xlogy(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """a·log(b), elementwise, and 0 where a = 0; 2 ulp for b away from 1."""
    return a * np.log(np.where(a == 0, a + 1, b))  # a + 1 is a 1 of a's own type


def xlog_ratio(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """a·log(a/b), elementwise, and 0 where a = 0; 4 ulp, near a = b too (log1p of the exact difference)."""
    apart = np.where(a == 0, 0, a - b)
    scale = np.where(a == 0, a + 1, b)
    close = np.abs(apart) <= scale / 2
    ratio = np.where(a == 0, 1, a) / scale
    return a * np.where(close, np.log1p(np.where(close, apart, 0) / scale), np.log(ratio))


def kl_gap(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """a·log(a/b) - a + b >= 0, elementwise, and b where a = 0; 12 ulp, near a = b too, where it is tiny."""
    scale = np.where(a == 0, 1, a)
    apart = (b - a) / scale
    close = (np.abs(apart) <= 0.5) & (a > 0)
    near = scale * expgap(np.log1p(np.where(close, apart, 0)))
    return np.where(close, near, xlog_ratio(a, b) - a + b)


def js_term(p: np.ndarray, q: np.ndarray) -> np.ndarray:
    """(p·log(2p/(p + q)) + q·log(2q/(p + q)))/2, elementwise, and 0·log(0) = 0; 8 ulp, near p = q too."""
    total = np.where(p + q == 0, 1, p + q)
    t = (p - q) / total
    close = np.abs(t) < 0.5
    u = np.where(close, t, 0)
    near = total / 4 * (2 * u * np.arctanh(u) + np.log1p(-u * u))
    return np.where(close, near, (xlogy(p, 2 * p / total) + xlogy(q, 2 * q / total)) / 2)


def gaussian(z: np.ndarray) -> np.ndarray:
    """exp(-z²/2), elementwise; 2 ulp, in the tails too, where the rounding of z² would cost hundreds.

    The square of z rounded to sixteenths is exact, and what is left of the exponent is small.
    """
    size = np.minimum(np.abs(z), 40)
    near = np.round(16 * size) / 16
    return np.exp(-near * near / 2) * np.exp((near - size) * (near + size) / 2)


def scaled_erfc(z: np.ndarray) -> np.ndarray:
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


def erf(z: np.ndarray) -> np.ndarray:
    """The error function, elementwise; 3 ulp. Near 0 by its Taylor series, elsewhere as 1 - erfc."""
    size = np.abs(z)
    square = np.square(np.minimum(size, 0.5))
    series = np.ones_like(z)
    for n in range(13, 0, -1):
        series = 1 - square * series * (2 * n - 1) / (n * (2 * n + 1))
    tail = gaussian(size * np.sqrt(2).item()) * scaled_erfc(size)
    return np.where(size < 0.5, z * series * (2 / np.sqrt(np.pi)).item(), np.sign(z) * (1 - tail))


def erf_series(z: np.ndarray) -> np.ndarray:
    """The error function of real and of complex numbers, elementwise, by a series without cancellation; 12 ulp.

    It is 2z·exp(-z²)/√π times the sum of (2z²)ⁿ/(1·3·5·…·(2n + 1)), and 1 or -1 where the real part is beyond 6.
    """
    inside = np.where(np.abs(np.real(z)) < 6, z, 0)
    total = np.ones_like(inside)
    for n in range(160, 0, -1):
        total = 1 + 2 * inside * inside / (2 * n + 1) * total
    near = 2 * inside * np.exp(-inside * inside) * total / np.sqrt(np.pi).item()
    return np.where(np.abs(np.real(z)) < 6, near, np.sign(np.real(z)))


def gammaln(x: np.ndarray) -> np.ndarray:
    """log(gamma(x)) for x > 0, elementwise, of complex numbers beside them too; 8 ulp, near its zeros 1 and 2 as well.

    Down to between 0.5 and 2.5 by gamma(x + 1) = x·gamma(x), and there by its Taylor series at 2; from 10 on by
    Stirling's series.
    """
    x = np.where(np.real(x) > 0, x, np.nan)
    small, large = np.real(x) < 0.5, np.real(x) >= 10
    near, product = np.where(large, 2, x + small), np.where(small, x, 1)
    for _ in range(8):
        down = np.real(near) > 2.5
        near = near - down
        product = product * np.where(down, near, 1)
    low = np.real(near) <= 1.5
    t = np.where(small, np.where(small, x, 0), np.where(low, near - 1, near - 2))
    series = 0 * t
    for n, less in enumerate(reversed((
        0.6449340668482264, 0.2020569031595943, 0.08232323371113819, 0.03692775514336993, 0.01734306198444914,
        0.008349277381922827, 0.00407735619794434, 0.0020083928260822143, 0.0009945751278180853,
        0.0004941886041194645, 0.0002460865533080483, 0.00012271334757848915, 6.124813505870483e-05,
        3.058823630702049e-05, 1.528225940865187e-05, 7.637197637899763e-06, 3.81729326499984e-06,
        1.908212716553939e-06, 9.539620338727962e-07, 4.769329867878064e-07, 2.38450502727733e-07,
        1.1921992596531106e-07, 5.960818905125948e-08, 2.980350351465228e-08,
    ))):  # fmt: skip
        series = less / (25 - n) - t * series
    middle = t * (0.42278433509846713 + t * series) - np.log1p(np.where(low, t, 0))
    rest = np.log(product)
    middle = middle + np.where(small, -rest, rest)
    far = np.where(large, x, 10)
    tail = 0 * far
    for c in (-0.02955065359477124, 0.00641025641025641, -0.0019175269175269176, 0.0008417508417508417,
              -0.0005952380952380953, 0.0007936507936507937, -0.002777777777777778, 0.08333333333333333):  # fmt: skip
        tail = c + tail / (far * far)
    return np.where(large, (far - 0.5) * (np.log(far) - 1) + 0.4189385332046727 + tail / far, middle)


def digamma(x: np.ndarray) -> np.ndarray:
    """The derivative of gammaln for x > 0, elementwise, of complex numbers beside them too; 8 ulp, near its zero too.

    As its difference from the zero, divided by that of the arguments term by term, so that nothing cancels.
    """
    x = np.where(np.real(x) > 0, x, np.nan)
    zero = 1.4616321449683623
    t = x - 1.4616321325302124 - 1.2438149938918909e-08 - 4.341643069426251e-25  # its digits, one part after the other
    total = 0 * t
    for n in range(10):
        total = total + t / ((n + zero) * (n + x))
    end, far = 10 + zero, 10 + x
    p, q, value, slope = 1 / (end * end), 1 / (far * far), 0.0, 0 * x
    for c in (-0.4432598039215686, 0.08333333333333333, -0.021092796092796094, 0.007575757575757576,
              -0.004166666666666667, 0.003968253968253968, -0.008333333333333333, 0.08333333333333333):  # fmt: skip
        value, slope = c + p * value, value + q * slope
    slope = value + q * slope
    return total + np.log1p(t / end) + t / far * (0.5 / end + (1 + end / far) * p * slope)


def trigamma(x: np.ndarray) -> np.ndarray:
    """The derivative of digamma for x > 0, elementwise, of complex numbers beside them too; 8 ulp."""
    x = np.where(np.real(x) > 0, x, np.nan)
    total, far = 0 * x, x + 10
    for n in range(10):
        total = total + 1 / ((x + n) * (x + n))
    tail = 0 * far
    for c in (-7.092156862745098, 1.1666666666666667, -0.2531135531135531, 0.07575757575757576,
              -0.03333333333333333, 0.023809523809523808, -0.03333333333333333, 0.16666666666666666):  # fmt: skip
        tail = c + tail / (far * far)
    return total + 1 / far + (0.5 + tail / far) / (far * far)


def normal_cdf(z: np.ndarray) -> np.ndarray:
    """(1 + erf(z/√2))/2, the standard normal distribution function, elementwise; 5 ulp, in the lower tail too."""
    size = np.abs(z)
    near = 0.5 + 0.5 * erf(np.clip(z, -0.5, 0.5) * np.sqrt(0.5).item())
    tail = 0.5 * gaussian(size) * scaled_erfc(size * np.sqrt(0.5).item())
    return np.where(size < 0.5, near, np.where(z < 0, tail, 1 - tail))


def squared_norm(z: np.ndarray) -> np.ndarray:
    """sum(z**2), (..., K) -> (...)."""
    return np.square(z).sum(axis=-1)


def hardmax(z: np.ndarray) -> np.ndarray:
    """1 where a component is the largest of its row and 0 elsewhere, (..., K) -> (..., K); exact."""
    return (z == z.max(axis=-1, keepdims=True)).astype(z.dtype)


def prod_others(z: np.ndarray) -> np.ndarray:
    """prod(z)/z without the division, (..., K) -> (..., K), so that factors may be 0; K ulp."""
    one = np.ones_like(z[..., :1])
    before = np.cumprod(np.concatenate([one, z[..., :-1]], axis=-1), axis=-1)
    after = np.cumprod(np.concatenate([one, z[..., :0:-1]], axis=-1), axis=-1)[..., ::-1]
    return before * after


def step(z: np.ndarray) -> np.ndarray:
    """1 where z > 0 and 0 elsewhere, elementwise and in z's own precision."""
    return np.where(z > 0, np.ones_like(z), np.zeros_like(z))


def relu(z: np.ndarray) -> np.ndarray:
    """max(z, 0), elementwise; exact."""
    return np.maximum(z, 0)
