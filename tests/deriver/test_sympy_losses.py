"""Expressions of SymPy as losses: what is read is what SymPy means, and what cannot be said is refused by its name."""

import numpy as np
import pytest
import sympy
from deriver import reference
from deriver.yardstick import pairs

from derive import derivative, gradient, hessian
from derive.language.parse import ParseError
from derive.logic.sympy_bridge import SymPyError
from derive.pages.text import text as printed

N, d = sympy.symbols("N d", integer=True, positive=True)
M, K = sympy.symbols("M K")  # a size is known by its place
i, j = sympy.symbols("i j", integer=True)
X, y, w = map(sympy.IndexedBase, "Xyw")
s = sympy.Symbol("s", real=True)
b = sympy.Symbol("b", positive=True)
A, B = sympy.MatrixSymbol("A", M, M), sympy.MatrixSymbol("B", M, K)
v, u = sympy.MatrixSymbol("v", M, 1), sympy.MatrixSymbol("u", K, 1)
p = sympy.Symbol("p")
LINEAR = sympy.Sum(X[i, j] * w[j], (j, 1, d))
COLUMNS = sympy.OneMatrix(1, M) * B.applyfunc(sympy.Lambda(p, sympy.tanh(p) ** 2)) * u

ARRAYS = [  # an expression, by what, the same in NumPy, and how the gradient is printed
    (sympy.Sum((y[i] - w[i]) ** 2, (i, 0, d - 1)), w, "sum((y - w)**2)", "y=d w=d", ""),
    (sympy.Sum((y[i] - LINEAR) ** 2, (i, 1, N)) / N, "w", "mean((y - X@w)**2)", "X=N,d y=N w=d", "2 Xᵀ (X w − y)/N"),
    (
        sympy.Sum(sympy.log(1 + sympy.exp(-y[i] * LINEAR)), (i, 1, N)),
        w,
        "sum(log(1+exp(-y*(X@w))))",
        "X=N,d y=N w=d",
        "",
    ),
    (sympy.log(sympy.Sum(sympy.exp(w[i]), (i, 0, d - 1))), w, "logsumexp(w)", "w=d", "softmax(w)"),
    ((v.T * A * v)[0, 0], v, "v@A@v", "A=M,M v=M", "(A + Aᵀ) v"),
    (sympy.Trace(A * B * B.T), A, "trace(A@B@B.T)", "A=M,M B=M,K", "B Bᵀ"),
    (sympy.log(sympy.Determinant(A)), A, "log(det(A))", "A=M,M", "A⁻ᵀ"),
    (sympy.Trace((A * v - B * u) * (A * v - B * u).T), v, "sum((A@v-B@u)**2)", "A=M,M B=M,K v=M u=K", ""),
    ((v.T * A.inv() * v)[0, 0], A, "v@inv(A)@v", "A=M,M v=M", ""),
    ((sympy.HadamardProduct(v, v).T * A**2 * v)[0, 0], v, "(v*v)@A@A@v", "A=M,M v=M", ""),
    (COLUMNS[0, 0], B, "sum(tanh(B)**2@u)", "B=M,K u=K", ""),
    (sympy.Trace(A.T * (A - 2 * sympy.Identity(M))), A, "sum(A*A) - 2*trace(A)", "A=M,M", ""),
]
NUMBERS = [
    s * sympy.exp(-(s**2)) / sympy.sqrt(s**2 + 1) + 0.1 * sympy.tanh(s),
    sympy.Piecewise((s**2 / 2, sympy.Abs(s) < 1), (sympy.Abs(s) - sympy.Rational(1, 2), True)),
    sympy.Piecewise((s, (s > 0) & (s <= 2)), (-(s**2), s > 5), (s**3, True)),
    sympy.Max(0, 1 - s),
    sympy.Max(s, 2, s**2) + sympy.Min(s, 1, s**3),
    2**s + sympy.erf(s) * sympy.sin(s),
    sympy.cos(s) ** 3 / (2 + sympy.sin(s)),
]


@pytest.mark.parametrize(("expression", "by", "text", "shapes", "form"), ARRAYS)
def test_arrays(expression, by, text, shapes, form):
    view = gradient(expression, by)
    values = reference.point(pairs(shapes), {})
    name = by if isinstance(by, str) else str(getattr(by, "label", by))
    wanted = reference.gradient(text, name, values)
    got = reference.of_kernel(view.kernel("gradient"), values)
    assert np.abs(got - wanted).max() <= 1e-10 * max(1e-2, np.abs(wanted).max())
    assert not form or printed(view.claim.args[1]) == form


@pytest.mark.parametrize("expression", NUMBERS)
def test_functions_of_one_number(expression):
    kernel = derivative(expression, s).kernel("gradient")
    exact = sympy.lambdify(s, sympy.diff(expression, s), "math")
    for value in (-3.3, -0.7, 0.4, 1.7, 5.5):
        assert abs(kernel(s=value) - complex(exact(value)).real) <= 1e-9 * max(1, abs(exact(value)))


def test_what_is_assumed_is_sympys_own():
    view = gradient(s * sympy.log(b), b, assume=[s > 0])
    assert view.assumptions == ()
    assert printed(hessian(sympy.Sum(w[i] ** 3, (i, 0, d - 1)), w).claim.args[1]) == "6 diag(w)"


def test_shapes_are_sympys_own():
    with pytest.raises(ParseError, match="says its own shapes"):
        gradient(s**2, s, shapes={"s": ""})


@pytest.mark.parametrize(
    ("expression", "by", "says"),
    [
        (sympy.gamma(s), s, "no function gamma"),
        (sympy.Sum(i * w[i], (i, 1, d)), w, "the index i is used as a number"),
        (sympy.Sum(w[i], (i, 2, d)), w, "begins at 2"),
        (sympy.Sum(w[i + 1] - w[i], (i, 0, d - 1)), w, "i + 1 is no index"),
        (sympy.Sum(w[i], (i, 0, d - 1)) * sympy.Sum(w[j], (j, 1, d)), w, "at 0 in one sum and at 1 in another"),
        (w[0] ** 2, w, "0 is no index"),
        (sympy.Integral(s, (s, 0, 1)), s, "nothing for Integral"),
        (s + sympy.I, s, "nothing for ImaginaryUnit"),
        (sympy.Sum(w[i], (i, 0, d - 1)), "q", "q is none of the variables: there are w"),
        (sympy.Piecewise((s, s > 0)), s, "end with (value, True)"),
        (sympy.Symbol("_q") ** 2, "_q", "cannot be printed"),
        (A**20 * v, v, "powers of matrices go up to 8"),
        (s + sympy.Symbol("s", positive=True), s, "two symbols are called s"),
        (w[i] + sympy.Sum(w[i], (i, 0, d - 1)), w, "i is no index of a sum around it"),
        (sympy.Symbol("w") * sympy.Sum(w[i], (i, 0, d - 1)), w, "w is used with the shapes"),
    ],
)
def test_what_cannot_be_said_is_named(expression, by, says):
    with pytest.raises(SymPyError) as error:
        gradient(expression, by)
    assert says in str(error.value)
