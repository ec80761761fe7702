"""Checks of a gradient against its loss: pass, fail or unresolved, and never a tolerance that hides a fault.

Two measurements are offered. *Ridders* extrapolates central differences to step 0, from three first steps, and knows
its own uncertainty: the spread of the extrapolation and the noise of the loss itself. A coordinate fails only if every
first step says so. The *complex step* is exact to rounding, for a loss whose every operation is analytic.

The module stands by itself on NumPy: it serves gradients written by hand as well as derived ones.

References
----------
.. [1] C. J. F. Ridders, "Accurate computation of F'(x) and F'(x)F''(x)", Advances in Engineering Software 4 (1982).
.. [2] J. J. Moré and S. M. Wild, "Estimating computational noise", SIAM J. Sci. Comput. 33 (2011).
.. [3] W. Squire and G. Trapp, "Using complex variables to estimate derivatives of real functions",
   SIAM Review 40 (1998).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[Any]
Arguments = Mapping[str, ArrayLike]
Loss = Callable[..., Any]
Gradient = Callable[..., Any] | Mapping[str, ArrayLike] | Sequence[ArrayLike] | Array

FIRST_STEPS = (1e-2, 1e-1, 1e-4)  # relative to the size of what is stepped; the likeliest first
SHRINK = 2.0  # from one row of the extrapolation to the next
ROWS = 8
SIGNIFICANT = 8.0  # a difference counts as an error from this many times the uncertainty on
ROUNDING = 64.0  # units of the last place, at the size of the largest component, that a gradient may be off by
TINY_STEP = 1e-100  # of the complex step: it is never subtracted, so it can be as small as one likes


class Verdict(StrEnum):
    """What a check came to. Unresolved is not a pass: the numbers at hand cannot tell."""

    PASS = "pass"  # noqa: S105 - no password
    FAIL = "fail"
    UNRESOLVED = "unresolved"


class CheckError(ValueError):
    """A loss, gradient or argument that cannot be checked at all; the message names the thing, place and remedy."""


@dataclass(frozen=True)
class Coordinate:
    """One component of a gradient: what was claimed, what was measured, and how well.

    Attributes
    ----------
    argument : str
        The argument by which the derivative is taken.
    index : tuple of int
        The place in that argument; () for a scalar.
    claimed, measured : float
        The gradient's component, and the derivative that the loss shows.
    uncertainty : float
        How far the measurement itself may be off: the spread of the extrapolation, and `noise`.
    noise : float
        The part of the uncertainty that comes from the rounding of the loss.
    verdict : Verdict
        Of this component.
    """

    argument: str
    index: tuple[int, ...]
    claimed: float
    measured: float
    uncertainty: float
    noise: float
    verdict: Verdict

    @property
    def error(self) -> float:
        """The difference relative to the larger of the two numbers; 0 where they agree."""
        difference = abs(self.claimed - self.measured)
        return difference / max(abs(self.claimed), abs(self.measured)) if difference else 0.0

    @property
    def place(self) -> str:
        """The component as one writes it: "W1[2, 0]"."""
        return f"{self.argument}[{', '.join(map(str, self.index))}]" if self.index else self.argument

    def __str__(self) -> str:
        """Return the component on one line."""
        return (
            f"{self.place}: claimed {self.claimed:.10g}, measured {self.measured:.10g} ± {self.uncertainty:.1g},"
            f" relative error {self.error:.2g}: {self.verdict}"
        )


@dataclass(frozen=True)
class Report:
    """The outcome of `check_gradient` or `check_value`.

    Attributes
    ----------
    verdict : Verdict
        Fail if a component fails or an input is overwritten; else unresolved if a component is; else pass.
    method : str
        "ridders", "complex step" or "reference".
    tolerance : float
        The relative error that was allowed.
    worst : Coordinate
        The component that decides: of the worst verdict, the one with the largest error.
    coordinates : tuple of Coordinate
        Every component that was checked.
    faults : tuple of str
        What is wrong beyond numbers: inputs that were overwritten.
    """

    verdict: Verdict
    method: str
    tolerance: float
    worst: Coordinate
    coordinates: tuple[Coordinate, ...]
    faults: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether the verdict is a pass."""
        return self.verdict is Verdict.PASS

    @property
    def error(self) -> float:
        """The relative error of the component that decides."""
        return self.worst.error

    @property
    def noise(self) -> float:
        """The noise at the component that decides."""
        return self.worst.noise

    def count(self, verdict: Verdict) -> int:
        """Return how many components came to a verdict."""
        return sum(coordinate.verdict is verdict for coordinate in self.coordinates)

    def __str__(self) -> str:
        """Return the outcome in a few lines: the verdict, the component that decides, what to do."""
        counts = ", ".join(f"{self.count(verdict)} {verdict}" for verdict in Verdict if self.count(verdict))
        lines = [f"{self.verdict} by {self.method} (tolerance {self.tolerance:.1g}; components: {counts})"]
        lines += [f"  {fault}" for fault in self.faults]
        lines.append(f"  {'largest error' if self.passed else 'worst'} at {self.worst}")
        if self.verdict is Verdict.UNRESOLVED:
            lines.append("  the loss is too noisy here to tell: use float64, a smaller batch or another point")
        return "\n".join(lines)


def check_gradient(
    loss: Loss,
    gradient: Gradient,
    arguments: Arguments,
    *,
    wrt: str | Sequence[str] | None = None,
    method: str = "ridders",
    tolerance: float | None = None,
    complex_loss: Loss | None = None,
) -> Report:
    """Check a gradient, coordinate by coordinate, against the loss that it is claimed to be the gradient of.

    Parameters
    ----------
    loss : callable
        Called as ``loss(**arguments)``; returns one real number.
    gradient : callable, mapping, sequence or array
        What is checked. A callable is called as ``gradient(**arguments)``. It gives a mapping from names to arrays,
        a sequence in the order of `wrt`, or one array where `wrt` is a single name.
    arguments : mapping
        Names to arrays. A good point has a batch of several, axes of different lengths, and nothing zero or equal.
    wrt : str or sequence of str, optional
        The arguments by which to differentiate. Left out: the names of the gradient, if it is a mapping; otherwise
        every argument of floating type.
    method : {"ridders", "complex step"}
        How the derivative is measured. The complex step needs a loss without abs, sign, norm, conj, comparisons and
        the like, and reports that only where it can see it.
    tolerance : float, optional
        The relative error allowed. Left out: the square root of the machine epsilon of the arguments' type.
    complex_loss : callable, optional
        For the complex step, a form of the loss that takes complex arguments, if `loss` itself does not.

    Returns
    -------
    Report
        A component *fails* where the difference is beyond the tolerance, and well beyond the uncertainty of the
        measurement at every first step. It *passes* where the difference is within both, the uncertainty being
        small enough to tell at the size of that argument's gradient. Anything else is *unresolved*.

    Raises
    ------
    CheckError
        If the loss is no scalar or not finite, a gradient is missing, misshapen or not finite, or a name is unknown.
    """
    point = {name: _floating(name, value) for name, value in arguments.items()}
    watch = _Watch(point)
    claims = _claims(watch.guard("the gradient", gradient)(**point) if callable(gradient) else gradient, point, wrt)
    watched = watch.guard("the loss", loss)
    _scalar(watched(**point), "at the point given")
    measure = _METHODS.get(method)
    if measure is None:
        raise CheckError(f"method {method!r} is unknown: use one of {', '.join(map(repr, _METHODS))}")
    if complex_loss is not None:
        watched = watched if method == "ridders" else watch.guard("the complex loss", complex_loss)
    epsilon = max(_epsilon(point[name]) for name in claims)
    allowed = math.sqrt(epsilon) if tolerance is None else tolerance
    coordinates: list[Coordinate] = []
    for name, claim in claims.items():
        coordinates += measure(_Probe(watched, point, name), claim, allowed, epsilon)
    return _report(method, allowed, coordinates, tuple(watch.faults))


def check_value(
    value: Callable[..., Any] | ArrayLike,
    reference: Callable[..., Any] | ArrayLike,
    arguments: Arguments | None = None,
    *,
    name: str = "value",
    tolerance: float | None = None,
) -> Report:
    """Check a value against a reference, component by component: constants are invisible to gradients.

    Parameters
    ----------
    value, reference : callable or array
        Callables are called with the arguments. The reference is the one believed.
    arguments : mapping, optional
        Names to arrays, for the callables.
    name : str
        What to call the value in the report.
    tolerance : float, optional
        The relative error allowed. Left out: 64 units of the last place of the value's type.

    Returns
    -------
    Report
        Of every component: pass, or fail. Equal infinities agree; NaN agrees with nothing.

    Raises
    ------
    CheckError
        If the shapes differ.
    """
    point = {key: _floating(key, array) for key, array in (arguments or {}).items()}
    watch = _Watch(point)
    got = np.asarray(watch.guard("the function", value)(**point) if callable(value) else value)
    wanted = np.asarray(watch.guard("the reference", reference)(**point) if callable(reference) else reference, float)
    if got.shape != wanted.shape:
        raise CheckError(f"{name} has shape {got.shape} and its reference {wanted.shape}: give both the same shape")
    allowed = ROUNDING * _epsilon(got) if tolerance is None else tolerance
    coordinates = [
        _compared(name, index, float(got[index]), float(wanted[index]), allowed) for index in np.ndindex(got.shape)
    ]
    return _report("reference", allowed, coordinates, tuple(watch.faults))


def complex_step(loss: Loss, arguments: Arguments, wrt: str) -> NDArray[np.float64]:
    """Return the derivative of a complex-safe loss by one argument, as Im loss(x + ih)/h, exact to rounding.

    Parameters
    ----------
    loss : callable
        Called as ``loss(**arguments)``, with one argument complex. It must use analytic operations only: no abs,
        sign, norm, vdot, conj, comparison. (x.T, not x.conj().T.)
    arguments : mapping
        Names to arrays.
    wrt : str
        The argument by which to differentiate.

    Returns
    -------
    ndarray of float64
        Of the argument's shape.

    Raises
    ------
    CheckError
        If the loss drops the imaginary part, is no scalar or not finite.
    """
    point = {name: _floating(name, value) for name, value in arguments.items()}
    _known(wrt, point)
    base = point[wrt].astype(np.complex128)
    result = np.empty(base.shape)
    for index in np.ndindex(base.shape):
        stepped = base.copy()
        stepped[index] += 1j * TINY_STEP
        value = np.asarray(loss(**{**point, wrt: stepped}))
        if value.dtype.kind != "c":
            raise CheckError(
                f"the loss returned {value.dtype} for a complex {wrt}, so it dropped the imaginary part:"
                " take abs, real, norm and comparisons out of it, or use method='ridders'"
            )
        _scalar(value.real, f"at {wrt}{list(index)} + ih")
        result[index] = float(value.imag) / TINY_STEP
    return result


# ---- the arguments, and what came back ---------------------------------------------------------------------------


def _floating(name: str, value: ArrayLike) -> Array:
    array = np.array(value)
    if array.dtype.kind not in "biuf":
        raise CheckError(f"{name} has dtype {array.dtype}: pass an array of numbers")
    if array.dtype.kind == "f" and np.isnan(array).any():
        place = tuple(map(int, np.argwhere(np.isnan(array))[0]))
        raise CheckError(f"{name}{list(place)} is nan: choose a point where the loss is defined")
    return array


def _epsilon(array: Array) -> float:
    return float(np.finfo(array.dtype).eps) if array.dtype.kind == "f" else float(np.finfo(float).eps)


def _known(name: str, point: Mapping[str, Array]) -> None:
    if name not in point:
        raise CheckError(f"there is no argument {name!r}: the arguments are {', '.join(map(repr, point))}")
    if point[name].dtype.kind != "f":
        raise CheckError(f"{name} has dtype {point[name].dtype}: a derivative needs floats: pass {name}.astype(float)")
    if not np.isfinite(point[name]).all():
        raise CheckError(f"{name} is not finite everywhere: a derivative by it needs finite numbers")


def _scalar(value: object, where: str) -> float:
    array = np.asarray(value)
    if array.shape != ():
        raise CheckError(f"the loss has shape {array.shape} {where}: return one number, a sum or a mean over the batch")
    if array.dtype.kind not in "iuf":
        raise CheckError(f"the loss has dtype {array.dtype} {where}: return one real number")
    if not np.isfinite(array):
        raise CheckError(f"the loss is {array} {where}: choose a point where it is finite, or a stable form of it")
    return float(array)


def _claims(gradient: Any, point: Mapping[str, Array], wrt: str | Sequence[str] | None) -> dict[str, Array]:
    """Return the claimed gradients by name, each of its argument's shape and finite."""
    names = [wrt] if isinstance(wrt, str) else list(wrt or ())
    given = gradient if isinstance(gradient, Mapping) else _in_order(gradient, point, names)
    claims = {}
    for name in names or given:
        if name not in given:
            raise CheckError(f"the gradient has no part {name!r}: it has {', '.join(map(repr, given))}")
        _known(name, point)
        claims[name] = _claim(name, np.asarray(given[name]), point[name].shape)
    return claims


def _in_order(gradient: Any, point: Mapping[str, Array], names: Sequence[str]) -> dict[str, Any]:
    """Return the parts of a gradient that is no mapping, by the names to which they belong."""
    order = names or [name for name, array in point.items() if array.dtype.kind == "f"]
    if not order:
        raise CheckError("there is nothing to check: no argument holds floats; pass arrays of float64")
    parts = list(gradient) if isinstance(gradient, (tuple, list)) and len(order) > 1 else [gradient]
    if len(parts) != len(order):
        listed = ", ".join(order)
        raise CheckError(f"the gradient has {len(parts)} parts for {len(order)} arguments ({listed}): name them in wrt")
    return dict(zip(order, parts, strict=True))


def _claim(name: str, claim: Array, shape: tuple[int, ...]) -> Array:
    if claim.shape != shape:
        raise CheckError(
            f"the gradient by {name} has shape {claim.shape} and {name} has shape {shape}: a gradient has the shape"
            " of its argument (look for a transpose, or a sum over the batch left out)"
        )
    if claim.dtype.kind not in "iuf":
        raise CheckError(f"the gradient by {name} has dtype {claim.dtype}: return real numbers")
    if not np.isfinite(claim).all():
        place = tuple(map(int, np.argwhere(~np.isfinite(claim))[0]))
        raise CheckError(f"the gradient by {name} is {claim[place]} at {list(place)}: use a stable form")
    return claim


class _Watch:
    """Notices when a function writes to its arguments, and keeps the point as it was."""

    def __init__(self, point: Mapping[str, Array]) -> None:
        self.faults: list[str] = []
        self._names = tuple(point)

    def guard(self, who: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def watched(**arguments: Array) -> Any:
            copies = {name: array.copy() for name, array in arguments.items()}
            result = function(**copies)
            for name, copy in copies.items():
                if copy.tobytes() != arguments[name].tobytes():
                    fault = f"{who} overwrites its argument {name}: work on a copy"
                    if fault not in self.faults:
                        self.faults.append(fault)
            return result

        return watched


# ---- verdicts ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Measured:
    """One measurement of one component, from one first step."""

    value: float
    uncertainty: float
    noise: float


def _judge(claimed: float, ladder: Sequence[_Measured], size: float, tolerance: float, epsilon: float) -> Verdict:
    """Return the verdict over all first steps so far. `size` is that of the argument's whole gradient."""
    failures = 0
    for rung in ladder:
        difference = abs(claimed - rung.value)
        allowed = tolerance * max(abs(claimed), abs(rung.value)) + ROUNDING * epsilon * size
        if difference <= allowed + rung.uncertainty and rung.uncertainty <= tolerance * size:
            return Verdict.PASS
        failures += difference > allowed and difference > SIGNIFICANT * rung.uncertainty
    return Verdict.FAIL if failures == len(ladder) else Verdict.UNRESOLVED


def _compared(name: str, index: tuple[int, ...], got: float, wanted: float, tolerance: float) -> Coordinate:
    agrees = got == wanted or abs(got - wanted) <= tolerance * abs(wanted)
    return Coordinate(name, index, got, wanted, 0.0, 0.0, Verdict.PASS if agrees else Verdict.FAIL)


_SEVERITY = (Verdict.PASS, Verdict.UNRESOLVED, Verdict.FAIL)


def _report(method: str, tolerance: float, coordinates: Sequence[Coordinate], faults: tuple[str, ...]) -> Report:
    def severity(coordinate: Coordinate) -> tuple[int, float]:
        return _SEVERITY.index(coordinate.verdict), math.inf if math.isnan(coordinate.error) else coordinate.error

    if not coordinates:
        raise CheckError("there is nothing to check: the array has no components")
    worst = max(coordinates, key=severity)
    return Report(Verdict.FAIL if faults else worst.verdict, method, tolerance, worst, tuple(coordinates), faults)


# ---- measurements ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Probe:
    """A loss at a point, as a function of one of its arguments."""

    loss: Loss
    point: Mapping[str, Array]
    name: str

    @property
    def array(self) -> Array:
        return self.point[self.name]

    def __call__(self, array: Array) -> float:
        with np.errstate(all="ignore"):
            return float(np.asarray(self.loss(**{**self.point, self.name: array})))

    def stepped(self, index: tuple[int, ...], step: float) -> Array:
        array = self.array.copy()
        array[index] += array.dtype.type(step)
        return array

    def size(self, index: tuple[int, ...]) -> float:
        """The size of a component, or of its array where the component is small beside it."""
        spread = float(np.sqrt(np.mean(np.square(self.array, dtype=float)))) or 1.0
        return max(abs(float(self.array[index])), spread / 10)

    def noise(self) -> float:
        """The noise of the loss: from differences of high order over steps too small for anything else [2]_."""
        array, span = self.array, _epsilon(self.array) ** 0.75
        direction = np.random.default_rng(0).choice([-1.0, 1.0], size=array.shape) * span
        differences = np.array([self((array * (1 + n * direction)).astype(array.dtype)) for n in range(7)])
        # What is computed from float32 is as coarse as float32, whatever the type of the loss.
        floor = max(_epsilon(array), _epsilon(np.asarray(self.loss(**self.point)))) * _largest(differences)
        estimates = []
        for order in range(1, 6):
            differences = np.diff(differences)
            weight = math.factorial(order) ** 2 / math.factorial(2 * order)
            estimates.append(math.sqrt(weight * float(np.mean(differences**2))))
        return max(floor, min(estimates[2:]))

    def central(self, index: tuple[int, ...], step: float) -> tuple[float, float]:
        """The central difference quotient and its width, as it came out in floating point; nan off the domain."""
        right, left = self.stepped(index, step), self.stepped(index, -step)
        width = float(right[index]) - float(left[index])
        return ((self(right) - self(left)) / width, width) if width else (math.nan, 1.0)

    def ridders(self, index: tuple[int, ...], first: float, noise: float) -> _Measured:
        """The extrapolation to step 0 of central differences, with the least uncertainty in its table [1]_."""
        step = first * self.size(index)
        best = _Measured(math.nan, math.inf, math.inf)
        above: list[float] = []
        for _ in range(ROWS):
            quotient, width = self.central(index, step)
            row, rounding = [quotient], 2 * noise / width
            for n, previous in enumerate(above, start=1):
                row.append(row[-1] + (row[-1] - previous) / (SHRINK ** (2 * n) - 1))
                spread = max(abs(row[-1] - row[-2]), abs(row[-1] - previous))
                if spread + rounding < best.uncertainty:
                    best = _Measured(row[-1], spread + rounding, rounding)
            above, step = (row if math.isfinite(quotient) else []), step / SHRINK
        return best


def _by_ridders(probe: _Probe, claim: Array, tolerance: float, epsilon: float) -> Iterator[Coordinate]:
    noise = probe.noise()
    ladders = {index: [probe.ridders(index, FIRST_STEPS[0], noise)] for index in np.ndindex(claim.shape)}
    # The smaller of the two: a claim, or a first step, that is far too large must not make the test lenient.
    size = min(_largest(claim), _largest([ladder[0].value for ladder in ladders.values()]))
    for index, ladder in ladders.items():
        claimed = float(claim[index])
        verdict = _judge(claimed, ladder, size, tolerance, epsilon)
        for first in FIRST_STEPS[1:]:
            if verdict is not Verdict.PASS:
                ladder.append(probe.ridders(index, first, noise))
                verdict = _judge(claimed, ladder, size, tolerance, epsilon)
        yield _coordinate(probe.name, index, claimed, ladder, verdict)


def _by_complex_step(probe: _Probe, claim: Array, tolerance: float, epsilon: float) -> Iterator[Coordinate]:
    exact = complex_step(probe.loss, probe.point, probe.name)
    size = min(_largest(claim), _largest(exact))
    noise = ROUNDING * float(np.finfo(float).eps) * size
    for index in np.ndindex(exact.shape):
        ladder = [_Measured(float(exact[index]), noise, noise)]
        verdict = _judge(float(claim[index]), ladder, size, tolerance, epsilon)
        yield _coordinate(probe.name, index, float(claim[index]), ladder, verdict)


_METHODS = {"ridders": _by_ridders, "complex step": _by_complex_step}


def _largest(values: ArrayLike) -> float:
    return float(np.nanmax(np.abs(values), initial=0.0))


def _coordinate(
    name: str, index: tuple[int, ...], claimed: float, ladder: Sequence[_Measured], verdict: Verdict
) -> Coordinate:
    sharpest = min(ladder, key=lambda rung: rung.uncertainty)
    return Coordinate(name, index, claimed, sharpest.value, sharpest.uncertainty, sharpest.noise, verdict)
