"""The yardstick's losses run by an independent differentiator: HIPS autograd, in float64."""

from __future__ import annotations

import ast
import inspect
import math
from functools import cache, partial

import mpmath
import numpy  # noqa: ICN001 - np is autograd's here
import pytest

autograd = pytest.importorskip("autograd")

import autograd.numpy as np  # noqa: E402 - only where it is installed
from autograd.extend import defvjp, primitive  # noqa: E402

erf = primitive(numpy.vectorize(math.erf, otypes=[float]))
defvjp(erf, lambda answer, u: lambda g: g * 2 / np.sqrt(np.pi) * np.exp(-(u**2)))


@cache
def polygamma(order):
    """A derivative of log Γ at positive numbers, the first of order 0, the function itself of order −1."""
    value = mpmath.loggamma if order < 0 else partial(mpmath.polygamma, order)
    symbol = primitive(numpy.vectorize(lambda u: float(value(u)) if u > 0 else math.nan, otypes=[float]))
    defvjp(symbol, lambda answer, u: lambda g: g * polygamma(order + 1)(u))
    return symbol


def sigmoid(u):
    return 1 / (1 + np.exp(-u))


def logsumexp(u, axis=None, keepdims=False):
    top = np.max(u, axis=axis, keepdims=True)
    total = np.log(np.sum(np.exp(u - top), axis=axis, keepdims=True)) + top
    return total if keepdims else np.reshape(total, np.sum(u, axis=axis).shape)


def log_softmax(u, axis=-1):
    return u - logsumexp(u, axis=axis, keepdims=True)


NAMES = {
    **{
        name: getattr(np, name)
        for name in [
            "exp",
            "log",
            "log1p",
            "expm1",
            "sqrt",
            "abs",
            "tanh",
            "sin",
            "cos",
            "sign",
            "sum",
            "mean",
            "max",
            "min",
            "prod",
            "cumsum",
            "floor",
            "dot",
            "outer",
            "diag",
            "trace",
            "maximum",
            "minimum",
            "where",
            "einsum",
            "var",
            "std",
            "square",
            "logaddexp",
        ]
    },
    "np": np,
    "sigmoid": sigmoid,
    "softplus": lambda u: np.logaddexp(0, u),
    "relu": lambda u: np.maximum(u, 0),
    "logsumexp": logsumexp,
    "softmax": lambda u, axis=-1: np.exp(log_softmax(u, axis)),
    "log_softmax": log_softmax,
    "log_sigmoid": lambda u: -np.logaddexp(0, -u),
    "norm": lambda u, axis=None: np.sqrt(np.sum(u**2, axis=axis)),
    "erf": erf,
    "gammaln": polygamma(-1),
    "digamma": polygamma(0),
    "trigamma": polygamma(1),
    "silu": lambda u: u * sigmoid(u),
    "gelu": lambda u: u * (1 + erf(u / np.sqrt(2))) / 2,
    "inv": np.linalg.inv,
    "solve": np.linalg.solve,
    "det": np.linalg.det,
    "logdet": lambda A: np.log(np.linalg.det(A)),
}
EXTENTS = (3, 5, 4, 2, 6, 7, 8, 9)


def loss(text, names, sizes=None, using=None):
    """The loss as a function of arrays: the text, run with autograd's NumPy or another. It is one of ours."""
    tree = ast.parse(text.replace("; ", "\n"))
    last = tree.body.pop()
    before = compile(tree, "loss", "exec")
    value = compile(ast.Expression(last.value), "loss", "eval")

    def function(*arrays):
        scope = {**(NAMES if using is None else using), **(sizes or {}), **dict(zip(names, arrays, strict=True))}
        exec(before, scope)  # noqa: S102 - a text of ours
        return eval(value, scope)  # noqa: S307 - the same

    return function


def extents(shapes, values):
    """What the names of sizes stand for."""
    found = {}
    for name, shape in shapes.items():
        axes = [axis.strip() for axis in shape.split(",") if axis.strip()]
        found |= dict(zip(axes, numpy.shape(values[name]), strict=True))
    return found


def point(shapes, domains, seed=1):
    """Arrays of distinct extents, away from kinks."""
    rng = numpy.random.default_rng(seed)
    axes = sorted({axis.strip() for shape in shapes.values() for axis in shape.split(",") if axis.strip()})
    extents = {axis: EXTENTS[n % len(EXTENTS)] for n, axis in enumerate(axes)}
    values = {}
    for name, shape in shapes.items():
        extent = tuple(extents[axis.strip()] for axis in shape.split(",") if axis.strip())
        values[name] = draw(rng, extent, domains.get(name, "real"))
    return values


def draw(rng, extent, domain):
    if domain == "positive":
        return rng.uniform(0.5, 2, extent)
    if domain in {"unit", "closed unit"}:
        return rng.uniform(0.1, 0.9, extent)
    if domain == "sign":
        return rng.choice((-1.0, 1.0), extent)
    if domain == "simplex":
        parts = rng.uniform(0.1, 1, extent)
        return parts / parts.sum(-1, keepdims=True)
    value = rng.uniform(0.2, 1.2, extent) * rng.choice((-1.0, 1.0), extent)
    square = len(extent) == 2 and extent[0] == extent[1]
    return value + 3 * numpy.eye(extent[0]) if square else value  # so that determinants are positive


def gradient(text, by, values, sizes=None):
    """The gradient at a point."""
    return autograd.grad(*_called(text, by, values, sizes))(*_arrays(values))


def hessian(text, by, values, sizes=None):
    """The Hessian at a point, its rows first."""
    function, position = _called(text, by, values, sizes)
    return autograd.jacobian(autograd.grad(function, position), position)(*_arrays(values))


def _called(text, by, values, sizes):
    return loss(text, list(values), sizes), list(values).index(by)


def _arrays(values):
    return [np.array(value) for value in values.values()]


def close(got, wanted):
    """To 1e-10 of the largest component; where all are 0 but for rounding, to a few roundings of numbers near 1."""
    got, wanted = numpy.asarray(got), numpy.asarray(wanted)
    return got.shape == wanted.shape and numpy.abs(got - wanted).max() <= max(1e-10 * numpy.abs(wanted).max(), 2e-15)


def of_kernel(kernel, values):
    """What a kernel gives at a point; its arguments are named like the variables."""
    parameters = inspect.signature(kernel).parameters
    arrays = {name: values[name] for name in parameters if name in values}
    ready = {name: numpy.asarray(v) if numpy.ndim(v) else float(v) for name, v in arrays.items()}
    return kernel(**ready, **({"check": False} if "check" in parameters else {}))
