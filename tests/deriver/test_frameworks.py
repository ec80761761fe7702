"""The yardstick repeated with JAX and with PyTorch, where the bench extra is installed: the same texts."""

import numpy as np
import pytest
from deriver import reference
from deriver.test_yardstick import CASES, at_a_point, derived, named, options
from deriver.yardstick import BENCHMARK

from derive import hessian


def table(library, number, special):
    """What the names in a text stand for; a number may be given where their functions want an array."""
    plain = ("log1p", "expm1", "tanh", "sin", "cos", "sign", "sum", "mean", "outer", "diag", "trace", "square", "prod")
    names = {name: getattr(library, name) for name in plain}
    names |= {name: _of_numbers(getattr(library, name), number) for name in ("exp", "log", "sqrt", "abs")}
    names |= {name: _of_numbers(getattr(library, name), number) for name in ("maximum", "minimum", "logaddexp")}
    names["norm"] = lambda u, axis=None: library.sqrt((u**2).sum() if axis is None else (u**2).sum(axis))
    names |= {"inv": library.linalg.inv, "det": library.linalg.det, "where": library.where, "einsum": library.einsum}
    names["logdet"] = lambda A: library.log(library.linalg.det(A))
    return names | special


def _of_numbers(function, number):
    return lambda *args: function(*map(number, args))


@pytest.fixture(scope="module")
def jax():
    jax = pytest.importorskip("jax", reason="the bench extra is not installed")
    jax.config.update("jax_enable_x64", True)
    nn, xp = jax.nn, jax.numpy
    special = {name: getattr(nn, name) for name in ("sigmoid", "softplus", "relu", "silu", "log_sigmoid", "softmax")}
    special |= {"log_softmax": nn.log_softmax, "logsumexp": nn.logsumexp, "erf": jax.scipy.special.erf}
    special |= {"gelu": lambda u: nn.gelu(u, approximate=False), "var": xp.var, "std": xp.std, "max": xp.max}
    special |= {"gammaln": jax.scipy.special.gammaln, "cumsum": xp.cumsum}
    names = table(xp, xp.asarray, special)

    def derivative(case, values, sizes, *, second=False):
        function = reference.loss(case.text, list(values), sizes, names)
        way = jax.hessian if second else jax.grad
        arrays = [xp.asarray(value, dtype=float) for value in values.values()]
        return np.asarray(way(function, argnums=list(values).index(case.by))(*arrays))

    return derivative


@pytest.fixture(scope="module")
def torch():
    torch = pytest.importorskip("torch", reason="the bench extra is not installed")
    rows = torch.nn.functional
    special = {"sigmoid": torch.sigmoid, "softplus": lambda u: torch.logaddexp(u, 0 * u), "relu": torch.relu}
    special |= {"silu": rows.silu, "gelu": rows.gelu, "erf": torch.erf, "log_sigmoid": rows.logsigmoid}
    special |= {"softmax": lambda u, axis=-1: u.softmax(axis), "log_softmax": lambda u, axis=-1: u.log_softmax(axis)}
    special["logsumexp"] = lambda u, axis=None: u.logsumexp(tuple(range(u.ndim)) if axis is None else axis)
    special |= {
        name: lambda u, axis=None, f=f: f(u, dim=axis, correction=0)
        for name, f in (("var", torch.var), ("std", torch.std))
    }
    special |= {"max": torch.amax, "gammaln": torch.lgamma, "cumsum": lambda u, axis=-1: torch.cumsum(u, axis)}
    names = table(torch, lambda u: torch.as_tensor(u, dtype=torch.float64), special)

    def derivative(case, values, sizes, *, second=False):
        function = reference.loss(case.text, list(values), sizes, names)
        position = list(values).index(case.by)
        arrays = [torch.tensor(value, dtype=torch.float64) for value in values.values()]
        by = lambda array: function(*arrays[:position], array, *arrays[position + 1 :])  # noqa: E731 - of the one
        way = torch.func.hessian if second else torch.func.grad
        return way(by)(arrays[position]).numpy()

    return derivative


@pytest.fixture(params=["jax", "torch"])
def framework(request):
    return request.getfixturevalue(request.param)


@pytest.mark.parametrize("case", CASES, ids=named)
def test_the_gradient(case, framework):
    values, sizes = at_a_point(case)
    got = reference.of_kernel(derived(case).kernel("gradient"), values)
    assert reference.close(got, framework(case, values, sizes))


@pytest.mark.parametrize("case", [case for case, _ in BENCHMARK], ids=named)
def test_the_benchmark_s_hessians(case, framework):
    values, sizes = at_a_point(case)
    second = hessian(case.text, case.by, **options(case))
    got = reference.of_kernel(second.kernel("hessian"), values)
    assert reference.close(got, framework(case, values, sizes, second=True))
