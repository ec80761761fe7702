"""NumPy's syntax to terms: what is read, what is refused, where, and that nothing of a text is ever run."""

from fractions import Fraction

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from derive.language.notation import exp, log, relu, softmax, σ
from derive.language.parse import DEEPEST, ParseError, declared, parse, parse_formula, positive, printable
from derive.language.term import Σ, Term, array, eq, forall, le, lift, lt, size, var

V = declared({"X": "N, d", "Y": "N,K", "W": "d,K", "A": "d,d", "y": "N", "w": "d", "s": "", "W1": "d,K"})
X, Y, W, A, y, w, s = (V[name] for name in ("X", "Y", "W", "A", "y", "w", "s"))
N, d, K = Y.shape[0], w.shape[0], Y.shape[1]


def read(text):
    return parse(text, V).value


@pytest.mark.parametrize(
    ("text", "term"),
    [
        ("X @ w", X @ w),
        ("X.T @ y", X.T @ y),
        ("-y", -y),
        ("2*y", 2 * y),
        ("y**2", y**2),
        ("y**-1", 1 / y),
        ("y**0.5", Term("app", (y,), "sqrt")),
        ("0.1*s", lift(Fraction(1, 10)) * s),
        ("1e-3", lift(Fraction(1, 1000))),
        ("np.exp(y)", exp(y)),
        ("sigmoid(X @ w)", σ(X @ w)),
        ("log(exp(y))", log(exp(y))),
        ("sum(y)", y.sum(0)),
        ("y.sum()", y.sum(0)),
        ("mean(y)", y.sum(0) / N),
        ("mean(X, axis=0)", X.sum(0) / N),
        ("X.sum(axis=-1)", X.sum(1)),
        ("sum(X)", X.sum(1).sum(0)),
        ("softmax(Y, axis=1)", softmax(Y)),
        ("softmax(Y, axis=0)", softmax(Y.T).T),
        ("maximum(0, y)", relu(y)),
        ("trace(A)", Term("trace", (A,))),
        ("X + w", X + w),
        ("s * Y", s * Y),
        ("dot(X, w)", X @ w),
        ("square(y)", y**2),
        ("pi", Term("app", (), "π")),
        ("N", N),
    ],
)
def test_what_is_read(text, term):
    assert read(text) is term


def test_axes_of_length_one_broadcast_as_in_numpy():
    i, j = (Term("idx", (axis,), name) for axis, name in ((N, "i"), (K, "j")))
    assert read("Y * y[:, None]") is array(Y[i, j] * y[i], i, j)
    assert read("Y - mean(Y, axis=1, keepdims=True)").shape == (N, K)
    assert read("y[:, None] * w[None, :]").shape == (N, d)
    assert read("sum(y[:, None] * w, axis=0)").shape == (d,)
    assert read("(y[:, None] + w).T").shape == (d, N)
    assert read("einsum('nd,d->n', X, w)").shape == (N,)
    assert read("einsum('ii', A)").shape == ()


def test_named_intermediates_are_named_quantities():
    program = parse("z1 = X @ w; p = sigmoid(z1)\nmean(p)", V)
    assert [term.data for term in program.named.values()] == ["z₁", "p"]
    assert program.value is (program.named["p"].sum(0) / N)


def test_a_function_is_read():
    text = '''
    def loss(X, w):
        """A docstring."""
        z = X @ w
        return (z**2).sum()
    '''
    assert parse(text, V).value.shape == ()


def test_names_are_printed_with_subscripts():
    assert [printable(n) for n in ("W1", "z12_out", "alpha", "x2y", "b_0")] == ["W₁", "z₁₂_out", "alpha", "x_2y", "b_0"]
    assert V["W1"].data == ("W₁", "real")


def test_conditions():
    k = Term("idx", (N,), "i")
    assert parse_formula("sum(y) == 1", V) is eq(Σ(y[k], k), 1)
    assert parse_formula("s > 0", V) is lt(0, s)
    assert parse_formula("y >= 0", V) is forall(le(0, y[k]), k)
    assert positive("s > 0") == ("s", "positive")
    assert positive("sum(y) == 1") is None


@pytest.mark.parametrize(
    ("text", "says", "column"),
    [
        ("X + ", "no NumPy expression", 4),
        ("sum(y", "never closed", 4),
        ("X @ ww", "did you mean w", 5),
        ("X @ y", "(N, d) and (N,) do not fit in @: d meets N", 1),
        ("1 + X*y", "(N, d) and (N,) do not fit together: on one axis d meets N", 5),
        ("foo(y)", "the function foo is not supported", 1),
        ("sofmax(y)", "did you mean softmax", 1),
        ("lambda x: x", "a function in the text", 1),
        ("[1, 2]", "a list", 1),
        ("y if s else w", "where(c, a, b)", 1),
        ("y > 0", "outside of where", 1),
        ("y.real", ".real is not supported", 1),
        ("__import__('os').system('ls')", "only the functions of the language", 1),
        ("open('x')", "open is not supported", 1),
        ("'text'", "no number", 1),
        ("True", "no number", 1),
        ("1j * s", "no number", 1),
        ("y % 2", "no derivative", 1),
        ("y[0]", "only [:, None]", 3),
        ("sum(y, axis=3)", "no axis 3", 1),
        ("sum(y, axes=0)", "the option axes is not supported", 1),
        ("exp(y, y)", "takes 1 arguments and got 2", 1),
        ("softmax(Y)", "say along which axis", 1),
        ("trace(X)", "a square matrix is needed", 1),
        ("where(y, 1, 0)", "a comparison and two values", 1),
        ("einsum('ij,k->i', X, w, y)", "do not fit the arrays", 1),
        ("y**1000", "powers go up to 64", 1),
        ("1" + "0" * 60, "more than 40 digits", 1),
        ("1e300", "more than 40 digits", 1),
        ("y = 3; y", "has a meaning already", 1),
        ("N = y; N", "is the name of a size", 1),
        ("for i in y: i", "the last line is the loss", 1),
        ("import os; y", "NAME = expression", 1),
        ("a = b = y; a", "NAME = expression", 1),
        ("", "there is no loss", 1),
    ],
)
def test_what_is_refused_and_where(text, says, column):
    with pytest.raises(ParseError) as error:
        read(text)
    assert says in str(error.value)
    assert error.value.column == column
    if text and text.isascii() and "\n" in str(error.value):
        assert str(error.value).splitlines()[-1].index("^") - 2 == column - 1


@pytest.mark.parametrize(
    "text",
    [
        "(" * 400 + "y" + ")" * 400,
        "-" * 5000 + "y",
        "exp(" * (DEEPEST + 5) + "y" + ")" * (DEEPEST + 5),
        "+".join(["y"] * 4000),
        "y" * 30_000,
        "((9**8)**8)**8*s",
        "(s + y)**64",
        "\x00",
        "y;" * 4000 + "y",
    ],
)
def test_a_hostile_text_is_refused_quickly(text):
    with pytest.raises(ParseError):
        read(text)


@pytest.mark.parametrize(
    ("shapes", "domains", "says"),
    [
        ({"1x": "N"}, {}, "no name for a variable"),
        ({"x": "3"}, {}, "no name for a size"),
        ({"x": "N", "N": "d"}, {}, "one name means one thing"),
        ({"x": "N"}, {"x": "nice"}, "the domains are"),
        ({"x": "N"}, {"y": "positive"}, "has a domain and no shape"),
        ({"_x": "N"}, {}, "cannot be printed"),
    ],
)
def test_declarations_that_are_refused(shapes, domains, says):
    with pytest.raises(ParseError, match=says):
        declared(shapes, domains)


PIECES = [
    "y",
    "w",
    "X",
    "Y",
    "s",
    "1",
    "0.5",
    "+",
    "-",
    "*",
    "/",
    "**",
    "@",
    "(",
    ")",
    ",",
    ".T",
    "[:, None]",
    "sum",
    "exp",
]
PIECES += [
    "softmax",
    "log",
    "axis=1",
    "=",
    ";",
    " ",
    "\n",
    "'ij->i'",
    "einsum",
    "where",
    ">",
    "mean",
    "None",
    "__class__",
]


@given(st.lists(st.sampled_from(PIECES), max_size=14).map("".join))
@settings(max_examples=400, deadline=None)
@example("y\n\n\n)")
@example("é = y; é")
def test_any_text_is_read_or_refused(text):
    try:
        assert isinstance(read(text), Term)
    except ParseError as error:
        place = (error.line, error.column)
    else:
        place = (1, 1)
    assert min(place) >= 1


@given(st.text(max_size=60))
@settings(max_examples=200, deadline=None)
def test_any_characters_are_read_or_refused(text):
    try:
        read(text)
    except ParseError:
        return


def test_sizes_are_shared_by_name():
    assert declared({"a": "n", "b": "n,m"})["a"].shape[0] is size("n")
    assert var("a", size("n")) is declared({"a": "n"})["a"]
