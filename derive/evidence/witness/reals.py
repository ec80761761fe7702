"""Real numbers for the witness: a precision of its own, what is undefined, and its own table of primitive functions."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from functools import cache
from typing import Any, Final

import numpy as np
from mpmath import MPContext

from derive.language.term import Term, plain

Number = Any
"An mpf of a private context, or an `Undefined`."
Value = Any
"A `Number`, or a NumPy array of them."


class Unresolved(Exception):  # noqa: N818 - no error: a place where the witness cannot look
    """What cannot be evaluated here, though it may well be defined: a number out of range, an infinite sum."""


class Undefined:
    """The value of log 0, 1/0 and the like. It spreads through arithmetic as "not a number" does, and says why."""

    __slots__ = ("place", "why")

    def __init__(self, why: str, place: Term | None = None) -> None:
        self.why, self.place = why, place

    def __str__(self) -> str:
        return f"undefined: {self.why}" + (f" in {plain(self.place)}" if self.place is not None else "")

    def _spread(self, *_: object) -> Undefined:
        return self

    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __neg__ = _spread


@cache
def _context(dps: int) -> Any:
    context = MPContext()  # mpmath's global precision is other people's
    context.dps = dps
    return context


class Reals:
    """Arithmetic that gives `digits` digits, through `depth` nested numeric derivatives.

    Attributes
    ----------
    noise : mpf
        What is not larger counts as zero: rounding and the truncation of derivatives stay below it. 0 if `exact`.
    tolerance : mpf
        The relative difference within which two numbers are equal.
    step : mpf
        The step of a numeric derivative. The error of a central difference is of the order of its square.
    largest_exponent : float
        Exponentials further out are left alone: their reciprocals would vanish in the noise.
    """

    def __init__(self, digits: int, depth: int, *, exact: bool = False) -> None:
        reach = digits * 3 // 5
        self.digits, self.depth = digits, depth
        self.context = context = _context(digits + 20 + reach * depth)
        self.zero, self.one = context.mpf(0), context.mpf(1)
        self.noise = self.zero if exact else context.mpf(10) ** -(digits + 5)
        self.tolerance = context.mpf(10) ** -(digits - 10)
        self.step = context.mpf(10) ** -reach
        self.bend = self.step**1.5
        self.largest_exponent = 1e9 if exact else 200.0

    def number(self, value: Any) -> Number:
        """Return a number of another kind (a float, a fraction, text such as "0.1") without loss."""
        if isinstance(value, Fraction):
            return self.context.mpf(value.numerator) / value.denominator
        return self.context.mpf(value.item() if isinstance(value, np.generic) else value)

    def array(self, values: Any) -> Value:
        """Return nested lists, an array or a number as an array of numbers of this precision, or as one."""
        held = np.asarray(values, dtype=object)
        if not held.shape:
            return self.number(held[()])
        result = np.empty(held.shape, dtype=object)
        for position in np.ndindex(held.shape):
            result[position] = self.number(held[position])
        return result

    def close(self, a: Number, b: Number) -> bool:
        """Tell whether two numbers are equal as far as this precision can see."""
        difference = abs(b - a)
        return not difference or bool(difference <= self.noise or difference <= self.tolerance * max(abs(a), abs(b)))

    def text(self, value: Number) -> str:
        """Return a number as short text."""
        return "undefined" if isinstance(value, Undefined) else str(self.context.nstr(value, 12))


def applied(reals: Reals, function: Callable[..., Number], place: Term, *numbers: Number) -> Number:
    """Return a function of numbers, which stand for the arguments of a term; the undefined stays so."""
    for number in numbers:
        if isinstance(number, Undefined):
            return number
    result = function(reals, *numbers)
    if isinstance(result, Undefined) and result.place is None:
        result.place = place
    return result


# ---- primitives of numbers -------------------------------------------------------------------------------------------


def divide(r: Reals, a: Number, b: Number) -> Number:
    """Return a/b."""
    return Undefined("division by 0") if abs(b) <= r.noise else a / b


def power(r: Reals, a: Number, b: Number) -> Number:
    """Return a to the power b: for every a if b is an integer that is not negative, otherwise for a > 0, or a ≠ 0."""
    vanishes = abs(a) <= r.noise
    if vanishes and b < 0:
        return Undefined(f"0 to the power {r.text(b)}")
    if r.context.isint(b):
        return a ** int(b)
    if vanishes:
        return r.zero
    return Undefined(f"{r.text(a)} to the power {r.text(b)}") if a < 0 else a**b


def central(r: Reals, above: Number, here: Number, below: Number) -> Number:
    """Return a derivative from three values, where the slopes from both sides agree."""
    if abs(above + below - 2 * here) > r.bend * (1 + abs(here)):
        return Undefined("a derivative at a kink")
    return (above - below) / (2 * r.step)


def _pi(r: Reals) -> Number:
    return +r.context.pi


def _exp(r: Reals, u: Number) -> Number:
    if abs(u) > r.largest_exponent and u != -r.context.inf:
        raise Unresolved(f"the exponential of {r.text(u)} is out of range")
    return r.context.exp(u)


def _log(r: Reals, u: Number) -> Number:
    return r.context.log(u) if u > r.noise else Undefined(f"log of {r.text(u)}")


def _log1p(r: Reals, u: Number) -> Number:
    return r.context.log1p(u) if 1 + u > r.noise else Undefined(f"log1p of {r.text(u)}")


def _sqrt(r: Reals, u: Number) -> Number:
    if u < -r.noise:
        return Undefined(f"square root of {r.text(u)}")
    return r.context.sqrt(u) if u > r.noise else r.zero


def _sigmoid(r: Reals, u: Number) -> Number:
    return 1 / (1 + _exp(r, -u))


def _tanh(r: Reals, u: Number) -> Number:
    return r.context.tanh(u)


def _softplus(r: Reals, u: Number) -> Number:
    return max(u, r.zero) + r.context.log1p(_exp(r, -abs(u)))


def _relu(r: Reals, u: Number) -> Number:
    return max(u, r.zero)


def _abs(_: Reals, u: Number) -> Number:
    return abs(u)


def _floor(r: Reals, u: Number) -> Number:
    nearest = r.context.nint(u)
    return nearest if abs(u - nearest) <= r.noise else r.context.floor(u)


def _sign(r: Reals, u: Number) -> Number:
    return r.zero if abs(u) <= r.noise else r.one if u > 0 else -r.one


def _step(r: Reals, u: Number) -> Number:
    return r.one if u > r.noise else r.zero


def _sin(r: Reals, u: Number) -> Number:
    return r.context.sin(u)


def _cos(r: Reals, u: Number) -> Number:
    return r.context.cos(u)


def _erf(r: Reals, u: Number) -> Number:
    return r.context.erf(u)


def _polygamma(order: int) -> Callable[[Reals, Number], Number]:
    """Return ψ or one of its derivatives, of what is positive."""

    def function(r: Reals, u: Number) -> Number:
        return r.context.psi(order, u) if u > r.noise else Undefined(f"polygamma of {r.text(u)}")

    return function


def _gammaln(r: Reals, u: Number) -> Number:
    return r.context.loggamma(u) if u > r.noise else Undefined(f"gammaln of {r.text(u)}")


def _silu(r: Reals, u: Number) -> Number:
    return u * _sigmoid(r, u)


def _gelu(r: Reals, u: Number) -> Number:
    return u * r.context.erfc(-u / r.context.sqrt(2)) / 2


def _kl(r: Reals, a: Number, b: Number) -> Number:
    """Return a log(a/b) − a + b, for a, b ≥ 0 and b > 0 where a > 0, with 0·log 0 = 0."""
    return Undefined(f"kl of {r.text(a)} and {r.text(b)}") if b < -r.noise else _xlog_ratio(r, a, b) - a + b


def _xlogy(r: Reals, a: Number, b: Number) -> Number:
    """Return a log b for a, b > 0, and 0 for a = 0."""
    if a < -r.noise or (a > r.noise and b <= r.noise):
        return Undefined(f"{r.text(a)} times the logarithm of {r.text(b)}")
    return a * r.context.log(b) if a > r.noise else r.zero


def _xlog_ratio(r: Reals, a: Number, b: Number) -> Number:
    """Return a log(a/b) for a, b > 0, and 0 for a = 0."""
    if a < -r.noise or (a > r.noise and b <= r.noise):
        return Undefined(f"{r.text(a)} times the logarithm of its ratio to {r.text(b)}")
    return a * r.context.log(a / b) if a > r.noise else r.zero


def _expgap(r: Reals, t: Number) -> Number:
    _exp(r, t)
    return r.context.expm1(t) - t


ELEMENTWISE: Final[dict[str, Callable[..., Number]]] = {
    "\N{GREEK SMALL LETTER PI}": _pi,
    "exp": _exp,
    "log": _log,
    "sqrt": _sqrt,
    "log1p": _log1p,
    "\N{GREEK SMALL LETTER SIGMA}": _sigmoid,
    "tanh": _tanh,
    "softplus": _softplus,
    "relu": _relu,
    "abs": _abs,
    "sign": _sign,
    "floor": _floor,
    "step": _step,
    "sin": _sin,
    "cos": _cos,
    "erf": _erf,
    "gammaln": _gammaln,
    "digamma": _polygamma(0),
    "trigamma": _polygamma(1),
    "silu": _silu,
    "gelu": _gelu,
    "kl": _kl,
    "xlogy": _xlogy,
    "xlog_ratio": _xlog_ratio,
    "expgap": _expgap,
}


# ---- primitives of rows ----------------------------------------------------------------------------------------------

Row = list[Number]


def _logsumexp(r: Reals, row: Row) -> Number:
    top = max(row)
    return top + r.context.log(sum((_exp(r, u - top) for u in row), r.zero))


def _log_softmax(r: Reals, row: Row) -> Row:
    total = _logsumexp(r, row)
    return [u - total for u in row]


def _softmax(r: Reals, row: Row) -> Row:
    top = max(row)
    parts = [_exp(r, u - top) for u in row]
    total = sum(parts, r.zero)
    return [part / total for part in parts]


def _norm(r: Reals, row: Row) -> Number:
    return _sqrt(r, _squared_norm(r, row))


def _squared_norm(r: Reals, row: Row) -> Number:
    return sum((u * u for u in row), r.zero)


def _max(_: Reals, row: Row) -> Number:
    return max(row)


def _hardmax(r: Reals, row: Row) -> Row:
    top = max(row)
    return [r.one if top - u <= r.noise else r.zero for u in row]


def _prod(r: Reals, row: Row) -> Number:
    return r.context.fprod(row)


def _prod_others(r: Reals, row: Row) -> Row:
    return [r.context.fprod(row[:k] + row[k + 1 :]) for k in range(len(row))]


ROWS: Final[dict[str, Callable[[Reals, Row], Row]]] = {
    "softmax": _softmax,
    "log_softmax": _log_softmax,
    "hardmax": _hardmax,
    "prod_others": _prod_others,
}
REDUCTIONS: Final[dict[str, Callable[[Reals, Row], Number]]] = {
    "logsumexp": _logsumexp,
    "norm": _norm,
    "squared_norm": _squared_norm,
    "max": _max,
    "prod": _prod,
}


def row_applied(reals: Reals, function: Callable[[Reals, Row], Any], place: Term, row: Row) -> Any:
    """Return a primitive of a row: a row, or a number. The undefined stays so, and nothing has no maximum."""
    for number in row:
        if isinstance(number, Undefined):
            return number
    if not row and function in (_logsumexp, _max):
        return Undefined(f"{place.data} of nothing", place)
    return function(reals, row)
