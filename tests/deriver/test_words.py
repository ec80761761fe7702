# ruff: noqa: E501 - a loss is one line
"""Words along axes, comparisons, norms and the gamma function: values as NumPy has them, derivatives as autograd has."""

import math
import re

import mpmath
import numpy as np
import pytest
from deriver import reference

import derive
from derive import gradient, hessian, jacobian
from derive.deriver.algebra import DeriverError
from derive.language.parse import ParseError
from derive.pages.text import text as printed

SHAPES = {"A": "m,n", "C": "n,n", "T": "m,n,k", "x": "n", "y": "n", "s": ""}
autonp = reference.np


def _norm(u, ord=None, axis=None, keepdims=False):  # noqa: A002 - NumPy's own name
    """NumPy's norm in what autograd differentiates."""
    size = autonp.abs(u)
    if axis is None and u.ndim == 2 and ord in {1, -1, np.inf, -np.inf}:
        sums = autonp.sum(size, axis=0 if abs(ord) == 1 else 1)
        return autonp.max(sums) if ord > 0 else autonp.min(sums)
    if ord in {None, "fro"}:
        return autonp.sqrt(autonp.sum(u**2, axis=axis, keepdims=keepdims))
    if abs(ord) == np.inf:
        return (autonp.max if ord > 0 else autonp.min)(size, axis=axis, keepdims=keepdims)
    return autonp.sum(size**ord, axis=axis, keepdims=keepdims) ** (1 / ord)


NAMES = {"norm": _norm, "inf": np.inf, "logical_and": np.logical_and, "logical_not": np.logical_not}
NUMPY = {
    **{name: getattr(np, name) for name in ("sum", "mean", "max", "min", "amax", "prod", "cumsum", "where", "maximum")},
    **{
        name: getattr(np, name) for name in ("minimum", "exp", "log", "abs", "logical_and", "logical_or", "logical_not")
    },
    "np": np,
    "norm": np.linalg.norm,
    "solve": np.linalg.solve,
    "inf": np.inf,
}
VALUES = [
    *("max(x)", "np.max(A, 0)", "max(A, axis=1, keepdims=True)", "A.max(axis=(0, 1))", "min(A)", "T.min(axis=1)"),
    *("prod(x)", "prod(A, axis=1)", "prod(A, axis=0, keepdims=True) * A", "T.prod(axis=(0, 2))"),
    *("cumsum(x)", "cumsum(A, axis=0)", "cumsum(A, 1)", "A.cumsum(axis=-1)", "cumsum(T, axis=1)", "cumsum(T, axis=0)"),
    *("norm(x)", "norm(x, 1)", "norm(x, np.inf)", "norm(x, -np.inf)", "norm(x, 3)", "norm(x, ord=4)", "norm(x, 2.5)"),
    *("norm(A)", "norm(A, 1)", "norm(A, -1)", "norm(A, inf)", "norm(A, -inf)", "norm(A, 'fro')", "norm(A, 1, 1)"),
    *("norm(A, axis=0)", "norm(A, 2, axis=1)", "norm(A, np.inf, axis=0, keepdims=True)", "norm(A, axis=(0, 1))"),
    *("where(x > 1, x, -x)", "where(x >= 1, x, -x)", "where(x < 1, x, -x)", "where(x <= 1, x, -x)"),
    *("where(1 < x, x, 0)", "where(0 >= x, x, 5)", "where(x == 1, 7, x)", "where(x != 1, 7, x)", "where(x == y, 1, 0)"),
    *("where((x > 0) & (x <= 1), x, 9)", "where((x < 0) | (x == 1), x, 9)", "where(~(x > 0), x, 9)"),
    *("where(logical_and(x > 0, y > 0), x, y)", "where(logical_or(x > 1, y > 1), x, y)", "(x > 0) * x", "(x >= 1) * (y < 2) * x"),
    *("mean(x > 0)", "sum(A >= 1, axis=1)", "where(A > 0, x, 0)", "maximum(x, y)", "minimum(A, 1)", "maximum(x, A)", "where((x > 0)[None, :], A, 0)", "where((A > 0).T, 1, 2)", "where((x > 0) * (y > 0), x, 9)"),
    *("solve(C, x)", "x / x.max()"),
]  # fmt: skip


@pytest.mark.parametrize("text", VALUES)
def test_a_text_computes_what_numpy_computes(text):
    """At whole numbers, so that comparisons meet equal sides and rows have ties and zeros."""
    by = next(name for name in "xAT" if name in re.findall(r"\w+", text))
    view = jacobian(text, by, shapes=SHAPES)
    rng = np.random.default_rng(4)
    extents = {"m": 3, "n": 5, "k": 2}
    values = {
        name: rng.integers(-1, 3, [extents[a] for a in s.split(",") if a]).astype(float) for name, s in SHAPES.items()
    }
    values["C"] += 4 * np.eye(5)
    kernel = view.kernel("loss" if "loss" in view.numpy and "def loss(" in view.numpy else "function")
    got = reference.of_kernel(kernel, values)
    wanted = eval(text, NUMPY, values)  # noqa: S307 - a text of ours
    np.testing.assert_allclose(got, np.asarray(wanted, float).reshape(np.shape(got)), rtol=1e-14, atol=1e-15)


POSITIVE = {"x": "positive", "y": "positive", "A": "positive"}
DERIVATIVES = [
    *(("max(x)", "x"), ("max(A @ x)", "x"), ("max(A)", "A"), ("sum(max(A, axis=1)**2)", "A"), ("y @ max(A, axis=0)", "A")),
    *(("sum(max(A @ C, axis=1)**2)", "C"), ("sum(max(T, axis=1))", "T"), ("min(x)*sum(x**2)", "x"), ("x @ x / max(x)", "x")),
    *(("prod(x)", "x"), ("prod(A @ x)", "x"), ("sum(prod(A, axis=1)**2)", "A"), ("y @ prod(A, axis=0)", "A"), ("prod(A)", "A")),
    *(("sum(cumsum(x)**2)", "x"), ("y @ tanh(cumsum(x))", "x"), ("sum(cumsum(A, axis=0)**2)", "A"), ("sum(cumsum(T, axis=1)**2)", "T")),
    *(("norm(x, 1)*norm(x, inf)", "x"), ("norm(x, 3)", "x"), ("norm(x, 4)", "x"), ("norm(x, -inf)", "x"), ("norm(A, 1)", "A")),
    *(("norm(A, inf)", "A"), ("sum(norm(A, inf, axis=0))", "A"), ("sum(norm(A, axis=1)**3)", "A"), ("norm(A, 'fro')", "A")),
    *(("sum(where(x >= 0, x**2, x**3))", "x"), ("sum(where((x > -1) & (x < 1), x**2, sin(x)))", "x"), ("sum((x <= 0)*exp(x))", "x")),
    *(("sum(maximum(x, y)*minimum(x, y)**2)", "x"), ("logsumexp(A)", "A"), ("sum(softmax(A, axis=0)*A)", "A")),
    *(("y @ logsumexp(A, axis=0)**2", "A"), ("sum(log_softmax(A, axis=0)*tanh(A))", "A"), ("sum(logsumexp(A @ C, axis=1)**2)", "C")),
]  # fmt: skip
OF_POSITIVE = [
    *(("sum(gammaln(x))", "x"), ("gammaln(sum(x)) - sum(gammaln(x)) + sum((x - 1)*log(y))", "x"), ("sum(gammaln(A @ x))", "x")),
    *(("prod(x)", "x"), ("log(prod(x))", "x"), ("prod(x)**s", "x"), ("sum(prod(A, axis=1))", "A")),
]  # fmt: skip


@pytest.mark.filterwarnings("ignore:Output seems independent of input")  # where a Hessian is 0
@pytest.mark.parametrize("domains", [{}, POSITIVE], ids=["real", "positive"])
@pytest.mark.parametrize("what", ["gradient", "hessian"])
def test_the_derivatives_are_autograd_s(what, domains):
    for text, by in OF_POSITIVE if domains else DERIVATIVES:
        view = {"gradient": gradient, "hessian": hessian}[what](text, by, shapes=SHAPES, domains=domains)
        values = reference.point(SHAPES, domains)
        wanted = getattr(reference, what)(text, by, values, NAMES)
        got = reference.of_kernel(view.kernel(what), values)
        assert reference.close(got, wanted), (text, got, wanted)


@pytest.mark.parametrize(
    "text",
    [
        "softmax(T, axis=1)",
        "log_softmax(T, axis=1)",
        "logsumexp(T, axis=0)",
        "softmax(A, axis=0)",
        "max(T, axis=1)",
        "prod(T, axis=0)",
    ],
)
def test_along_an_axis_that_is_not_the_last(text):
    by = "T" if "T" in text else "A"
    values = reference.point(SHAPES, {})
    arrays = [autonp.array(value) for value in values.values()]
    wanted = reference.autograd.jacobian(reference.loss(text, list(values)), list(values).index(by))(*arrays)
    assert reference.close(reference.of_kernel(jacobian(text, by, shapes=SHAPES).kernel("jacobian"), values), wanted)
    total = f"sum({text}*T)" if "softmax(T" in text else f"sum({text}**2)"
    view = gradient(total, by, shapes=SHAPES)
    assert reference.close(reference.of_kernel(view.kernel("gradient"), values), reference.gradient(total, by, values))


@pytest.mark.parametrize(
    ("text", "by", "domains", "form"),
    [
        ("max(x)", "x", {}, "hardmax(x)"),
        ("max(A @ x)", "x", {}, "Aᵀ hardmax(z)"),
        ("prod(x)", "x", {}, "prod_others(x)"),
        ("prod(x)", "x", {"x": "positive"}, "prod(x)/x"),
        ("log(prod(x))", "x", {"x": "positive"}, "1/x"),
        ("sum(cumsum(x)**2)/2", "x", {}, "triᵀ (tri x)"),
        ("y @ cumsum(x)", "x", {}, "triᵀ y"),
        ("sum(gammaln(x))", "x", {"x": "positive"}, "digamma(x)"),
        ("norm(x, 1)", "x", {}, "sign(x)"),
        ("y @ logsumexp(A, axis=0)", "A", {}, "y ⊙ softmax(Aᵀ)ᵀ"),
    ],
)
def test_the_forms(text, by, domains, form):
    assert printed(gradient(text, by, shapes=SHAPES, domains=domains).claim.args[1]) == form


def test_a_maximum_is_differentiated_where_it_is_taken_once():
    view = gradient("max(x)", "x", shapes=SHAPES)
    (assumption,) = view.assumptions
    assert printed(assumption.formula) == "∀i, j: [i = j] ≠ 1 ⇒ x[i] + x[j] < 2 max(x)"
    assert assumption.words == "where the maximum is taken once"
    again = hessian("max(x)**2", "x", shapes=SHAPES)
    assert printed(again.claim.args[1]) == "2 hardmax(x) hardmax(x)ᵀ"
    assert len(again.assumptions) == 1


def test_an_assumption_names_its_indices_apart():
    """Σ_i A[i, i]² > 0 was printed for the rows of A, its own index named as the row's is."""
    view = gradient("sum(norm(A, axis=1))", "A", shapes=SHAPES)
    assert [printed(a.formula) for a in view.assumptions] == ["Σ_j A[i, j]² > 0"]


def test_a_convolution_is_written_as_its_refusal_says():
    shapes = {"S": "q,n,k", "x": "n", "w": "k"}
    view = gradient("sum(einsum('ijk,j,k->i', S, x, w)**2)/2", "w", shapes=shapes)
    x, w = np.array([1.0, -2.0, 3.0, 0.5]), np.array([2.0, -1.0])
    S = np.array([[[float(i == j + k) for k in range(2)] for j in range(4)] for i in range(5)])
    assert view.kernel("loss")(S=S, x=x, w=w) == np.sum(np.convolve(x, w) ** 2) / 2
    np.testing.assert_allclose(view.kernel("gradient")(S=S, x=x, w=w), np.correlate(np.convolve(x, w), x, "valid"))


def test_a_product_has_a_derivative_where_factors_are_0():
    view = gradient("prod(x)", "x", shapes=SHAPES)
    assert view.assumptions == ()
    kernel = view.kernel("gradient")
    assert kernel(np.array([0.0, 2.0, 3.0])).tolist() == [6, 0, 0]
    assert kernel(np.array([0.0, 2.0, 0.0])).tolist() == [0, 0, 0]
    second = hessian("prod(x)", "x", shapes=SHAPES).kernel("hessian")(np.array([0.0, 2.0, 3.0, 0.0]))
    assert second.tolist() == [[0, 0, 0, 6], [0, 0, 0, 0], [0, 0, 0, 0], [6, 0, 0, 0]]
    divided = gradient("sum(x)/prod(x)", "x", shapes=SHAPES)
    assert [printed(a.formula) for a in divided.assumptions] == ["∀i: x[i] ≠ 0"]


def test_the_gamma_function_at_many_digits():
    view = derive.derivative("gammaln(x)", "x")
    assert [printed(a.formula) for a in view.assumptions] == ["x > 0"]
    for point in (1e-3, 0.5, 1.0, 1.4616321449683622, 2.0, 30.0, 1e6):
        with mpmath.workdps(40):
            wanted = float(mpmath.digamma(point))
        assert math.isclose(float(view.kernel("gradient")(point, check=False)), wanted, rel_tol=1e-13)
    with pytest.raises(DeriverError, match="derivative of the trigamma function"):
        hessian("sum(digamma(x))", "x", shapes=SHAPES, domains={"x": "positive"})


def test_the_larger_of_two_numbers_keeps_its_digits():
    kernel = gradient("sum(maximum(x, y))", "x", shapes=SHAPES).kernel("loss")
    assert kernel(np.array([1e-20]), np.array([-1.0])) == 1e-20


def my_loss(x, A, y):
    """Prefixes as people write them."""
    hidden = np.maximum(A @ x, 0)
    penalty = np.linalg.norm(x, np.inf) + np.cumsum(x, axis=0) @ y + np.prod(1 + x**2)
    return np.sum(np.where(hidden > 1, hidden, 0.5 * hidden**2)) + penalty + np.amax(y * x)


def test_a_python_function():
    view = gradient(my_loss, "x", shapes={name: SHAPES[name] for name in "xAy"})
    values = {name: value for name, value in reference.point(SHAPES, {}).items() if name in "xAy"}
    text = "sum(where(maximum(A@x, 0) > 1, maximum(A@x, 0), 0.5*maximum(A@x, 0)**2)) + norm(x, inf) + cumsum(x)@y + prod(1 + x**2) + max(y*x)"
    values = {name: values[name] for name in ("A", "x", "y")}
    assert reference.close(
        reference.of_kernel(view.kernel("gradient"), values), reference.gradient(text, "x", values, NAMES)
    )


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("sum(convolve(x, y))", "a convolution has n + m − 1 components"),
        ("sum(argmax(x))", "positions among components have no derivative"),
        ("sum(np.sort(x))", "max and min are supported"),
        ("sum(cumprod(x))", "exp(cumsum(log(x)))"),
        ("np.linalg.slogdet(C)", "write logdet"),
        ("sum(cumsum(A))", "say along which axis"),
        ("norm(A, 2)", "of singular values"),
        ("norm(A, 'nuc')", "of singular values"),
        ("norm(x, 0)", "orders are positive numbers"),
        ("norm(x, y)", "the order of a norm is a number"),
        ("norm(T, 1)", "say along which axes"),
        ("max(x, y)", "write maximum(a, b)"),
        ("max(0, x)", "write maximum(a, b)"),
        ("sum(outer(A, x))", "outer takes two vectors"),
        ("x > 0", "a comparison outside of where"),
        ("mask = x > 0; sum(mask*x)", "a comparison outside of where"),
        ("sum((x > 0) + (y > 0))", "a comparison outside of where"),
        ("sum(-(x > 0))", "a comparison outside of where"),
        ("sum((x > 0)[:, None] + (y > 0)[None, :])", "a comparison outside of where"),
        ("sum(exp(x > 0))", "a comparison outside of where"),
        ("sum(where(0 < x < 1, x, 0))", "two arrays at a time"),
        ("sum(where(x > 0 and y > 0, x, 0))", "NumPy writes & and |"),
        ("sum(where(x, 1, 0))", "where takes a comparison"),
        ("sum(where((x > 0) & y, 1, 0))", "a condition is a comparison"),
    ],
)
def test_what_is_refused_says_why(text, says):
    with pytest.raises(ParseError) as error:
        gradient(text, "x", shapes=SHAPES)
    assert says in str(error.value)
