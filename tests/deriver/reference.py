"""The yardstick's losses run by an independent differentiator: HIPS autograd, in float64."""

from __future__ import annotations

import ast
import inspect
import math

import numpy  # noqa: ICN001 - np is autograd's here
import pytest

autograd = pytest.importorskip("autograd")

import autograd.numpy as np  # noqa: E402 - only where it is installed
from autograd.extend import defvjp, primitive  # noqa: E402

erf = primitive(numpy.vectorize(math.erf, otypes=[float]))
defvjp(erf, lambda answer, u: lambda g: g * 2 / np.sqrt(np.pi) * np.exp(-(u**2)))


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
    "silu": lambda u: u * sigmoid(u),
    "gelu": lambda u: u * (1 + erf(u / np.sqrt(2))) / 2,
    "inv": np.linalg.inv,
    "det": np.linalg.det,
    "logdet": lambda A: np.log(np.linalg.det(A)),
}
EXTENTS = (3, 5, 4, 2, 6, 7, 8, 9)


def loss(text, names):
    """The loss as a function of arrays: the text, run with autograd's NumPy. It is one of ours."""
    tree = ast.parse(text.replace("; ", "\n"))
    last = tree.body.pop()
    before = compile(tree, "loss", "exec")
    value = compile(ast.Expression(last.value), "loss", "eval")

    def function(*arrays):
        scope = {**NAMES, **dict(zip(names, arrays, strict=True))}
        exec(before, scope)  # noqa: S102 - a text of ours
        return eval(value, scope)  # noqa: S307 - the same

    return function


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


def gradient(text, by, values):
    arrays = [np.array(value) for value in values.values()]
    return autograd.grad(loss(text, list(values)), list(values).index(by))(*arrays)


def of_kernel(kernel, values):
    """What a kernel gives at a point; its arguments are named like the variables."""
    parameters = inspect.signature(kernel).parameters
    arrays = {name: values[name] for name in parameters if name in values}
    ready = {name: numpy.asarray(v) if numpy.ndim(v) else float(v) for name, v in arrays.items()}
    return kernel(**ready, **({"check": False} if "check" in parameters else {}))
