"""NumPy's syntax to terms: what is read, what is refused, where, and that nothing of a text is ever run."""

from fractions import Fraction
from random import Random

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from derive.language.notation import exp, log, relu, softmax, σ
from derive.language.parse import DEEPEST, ParseError, Program, declared, parse, parse_formula, positive, printable
from derive.language.term import Σ, Term, eq, eye, forall, le, lift, lt, ones, outer, size, var

V = declared({"X": "N, d", "Y": "N,K", "W": "d,K", "A": "d,d", "y": "N", "w": "d", "s": "", "W1": "d,K"})
X, Y, W, A, y, w, s = (V[name] for name in ("X", "Y", "W", "A", "y", "w", "s"))
N, d, K = Y.shape[0], w.shape[0], Y.shape[1]


KNOWN = Program(V, {}, s)


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
        ("eye(d) + A", eye(d) + A),
        ("np.ones(len(y)) + y", ones(N) + y),
        ("ones((N, K)) + Y", outer(ones(N), ones(K)) + Y),
        ("inner(w, X)", w @ X.T),
        ("y[:, np.newaxis] * w", outer(y, w)),
        ("X[n]", X),
        ("X[:, j]", X.T),
        ("sum(X[:, j], j)", X.T.sum(0)),
        ("A[i, j] * A[j, i]", A * A.T),
        ("[y[n]**2 for n in range(N)]", y**2),
        ("[[X[n, j] for n in range(N)] for j in range(d)]", X.T),
        ("N", N),
    ],
)
def test_what_is_read(text, term):
    assert read(text) is term


def test_axes_of_length_one_broadcast_as_in_numpy():
    assert read("Y * y[:, None]") is Y * outer(y, ones(K))
    assert read("y[:, None] * w[None, :]") is outer(y, w)
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
    assert parse_formula("sum(y) == 1", KNOWN) is eq(Σ(y[k], k), 1)
    assert parse_formula("s > 0", KNOWN) is lt(0, s)
    assert parse_formula("y >= 0", KNOWN) is forall(le(0, y[k]), k)
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
        ("y[0]", "a position that is a number cannot be said", 3),
        ("y[-1]", "a constant vector e", 3),
        ("y[1:] - y[:-1]", "D @ x with --shape D=M,N", 3),
        ("X[:, 1:]", "a part of an axis cannot be said", 6),
        ("y[i + 1]", "an index is a name alone", 3),
        ("Y[arange(N), y]", "labels do not pick", 3),
        ("X[w]", "labels do not pick", 3),
        ("y[N]", "N is a size and no index", 3),
        ("y[pi]", "pi is a number and no index", 3),
        ("y[i, j]", "(N,) has no more axes", 1),
        ("X[..., ...]", "can be written once", 1),
        ("X[i, j] * y[j]", "the index j goes over d in one part and over N in another", 1),
        ("X[i, i]", "the index i goes over N, and over d", 1),
        ("sum(y[i])", "say over which index, as in axis=i", 1),
        ("sum(y[i], k)", "k is no index of what is summed here: the indices are i", 11),
        ("sum(y, k)", "it has no indices", 8),
        ("sum(X[i, j], (i, j, j))", "an index is named twice", 14),
        ("sum(X, axis=(0, -2))", "the axis -2 is named twice", 1),
        ("y[:, None][i, j]", "no index goes over an axis of length 1", 15),
        ("det(X[n])", "this is not taken at an index", 5),
        ("sum(y[i] for i in y)", "write for i in range(N)", 14),
        ("sum(y[i] for i in range(3))", "and 3 is none", 25),
        ("sum(y[i] for i in range(N) if y[i] > 0)", "a condition with where", 31),
        ("sum(i * y[i] for i in range(N))", "the index i is no number here", 5),
        ("sum(w[i] for i in range(N))", "the index i goes over N, and this axis is d", 7),
        ("sum(y[y] for y in range(N))", "y has a meaning already", 14),
        ("exp(y[i] for i in range(N))", "write a list", 4),
        ("X[:, :, None].T", "NumPy’s .T reverses all axes of (N, d, 1)", 1),
        ("transpose(X, (0, 0))", "no order of the axes", 1),
        ("transpose()", "takes an array", 1),
        ("dot(X, X[None])", "write @, or einsum", 1),
        ("eye(3)", "takes one size, or two", 1),
        ("eye(N, d)", "an identity matrix is square", 1),
        ("swapaxes(X, 0)", "takes an array and two axes", 1),
        ("swapaxes(X, 0, 5)", "no axis 5", 1),
        ("sum(**X)", "without **", 1),
        ("sum(*X)", "without *", 5),
        ("await y", "await cannot be derived", 1),
        ("y.exp()", "y has no exp: write exp(y)", 1),
        ("log(0)", "log(0) is not defined", 1),
        ("sqrt(-2) * s", "is not defined", 1),
        ("sum(y, axis=3)", "no axis 3", 1),
        ("sum(y, axes=0)", "the option axes is not supported", 1),
        ("exp(y, y)", "takes 1 arguments and got 2", 1),
        ("softmax(Y)", "say along which axis", 1),
        ("trace(X)", "a square matrix is needed", 1),
        ("where(y, 1, 0)", "a comparison and two values", 1),
        ("einsum('ij,k->i', X, w, y)", "are for 2 arrays, and there are 3", 1),
        ("einsum('ijk->i', X)", "do not fit an array of shape (N, d)", 1),
        ("einsum('ij,i->k', X, y)", "keep a letter that is not there", 1),
        ("einsum('ij->ii', X)", "keep something twice", 1),
        ("einsum('ij,j', X, y)", "the letter j stands for d and for N", 1),
        ("einsum('...i->i', X)", "dots that are not kept", 1),
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
        "y + \x00",
        "s * " + "9" * 5000,
        "s**10**10**10",
        "s**10**10",
        "y.T" + ".T" * 2000,
        "+".join(["y"] * 40_000),
        "einsum('" + "i" * 3000 + "', y)",
        "y[" + "None, " * 3000 + "]",
        "[" * 300 + "y" + "]" * 300,
        "y + \udc80",
        "sum(" * 60 + "y[i]" + " for i in range(N))" * 60,
        "log(0) * s",
        "1e400 * s",
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


VALID = [
    "r = X @ w - y; mean(sqrt(1 + r**2) - 1)",
    "sum((X[n] @ w - y[n])**2, n)",
    "-sum(Y * log(softmax(X @ W, axis=1)))/N",
    "sum(log(1 + exp(-y[i] * (X[i] @ w))) for i in range(N))",
    "where(s > 0, s, 0.5*s) + einsum('nd,dk,nk->', X, W, Y)",
    "def f(X, w, s=2):\n    z = X @ w\n    return (z**2).sum() / s",
    "logsumexp([w[j] * s for j in range(d)]) + transpose(X, (1, 0))[None].sum(axis=(0, 1, 2))",
]
ALPHABET = "XYWAywsNdK()[]{}.,:;=+-*/@@**'\"0123456789 \n\tifordefletand_\\~<>|&^%!?#éσ²\x00"


def mutated(rng, text):
    """A text with a few characters taken out, put in, changed or repeated."""
    for _ in range(rng.randint(1, 4)):
        place, end = rng.randrange(len(text) + 1), rng.randrange(len(text) + 1)
        match rng.randrange(5):
            case 0:
                text = text[:place] + text[place + 1 :]
            case 1:
                text = text[:place] + rng.choice(ALPHABET) + text[place:]
            case 2:
                text = text[:place] + rng.choice(ALPHABET) + text[place + 1 :]
            case 3:
                text = text[:place] + text[min(place, end) : max(place, end)] + text[place:]
            case 4:
                text = text[: min(place, end)] + text[max(place, end) :] if rng.random() < 0.3 else text
    return text


@pytest.mark.parametrize("text", VALID)
def test_what_is_mutated_is_read(text):
    assert isinstance(read(text), Term)


@pytest.mark.parametrize("seed", range(8))
def test_a_mutated_text_is_read_or_refused(seed):
    rng, outside = Random(seed), []
    for _ in range(250):
        text = mutated(rng, rng.choice(VALID))
        try:
            read(text)
        except ParseError as error:
            if not 1 <= error.line <= text.count("\n") + 1 or error.column < 1:
                outside.append((text, error.line, error.column))
    assert outside == []


@pytest.mark.parametrize("seed", range(3))
def test_a_mutated_condition_is_read_or_refused(seed):
    rng = Random(seed)
    for _ in range(200):
        text = mutated(rng, rng.choice(("sum(y) == 1", "s > 0", "X[n] @ w >= -1", "s**2 != w")))
        try:
            parse_formula(text, KNOWN)
            positive(text)
        except ParseError:
            continue


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("def f(w, q):\n    return sum(w)", "the shape of the argument q is not declared"),
        ("def f(w, q=None):\n    return sum(w)", "the default of q is no number"),
        ("def f(*w):\n    return sum(w)", "the arguments w are not named"),
        ("def f(**w):\n    return sum(w)", "the arguments w are not named"),
        ("@cache\ndef f(w):\n    return sum(w)", "the decorator cache may change"),
        ("def f(w):\n    return sum(w) + lam", "the name lam is unknown: what is outside of f is not read"),
        ("def f(w):\n    return helper(w)", "the function helper is not supported: write out what it computes"),
        ("def f(w):\n    def g(u):\n        return u\n    return g(w)", "this is a function: write out"),
        ("def f(w):\n    g = lambda u: u\n    return g(w)", "a function in the text"),
        ("def f(w):\n    for i in range(3):\n        w = w + 1\n    return w", "this is a loop"),
        ("def f(w):\n    if s > 0:\n        return 1\n    return w", "this is a condition"),
        ("def f(w):\n    t = 0\n    t += sum(w)\n    return t", "this is a change of a name"),
        ("def f(w):\n    return sum(w)\n    return 2", "this is a return before the end"),
        ("def f(w):\n    z = w", "the last line of a function returns the loss"),
        ("def f(w):\n    return", "the last line of a function returns the loss"),
        ("def f(w):\n    print(w)\n    return sum(w)", "an expression whose value is not used"),
        ("def f(w):\n    global q\n    return sum(w)", "a name from outside"),
        ("def f(w):\n    return sum(w), 1", "several values"),
        ("async def f(w):\n    return sum(w)", "the last line is the loss"),
        ("def f(w): return sum(w)\ndef g(w): return sum(w)", "this is a function"),
    ],
)
def test_what_a_function_may_not_do_is_named(source, says):
    with pytest.raises(ParseError) as error:
        read(source)
    assert says in str(error.value)


def test_a_function_may_name_sizes_and_have_defaults():
    source = """
    def loss(X, w, y, *, lam=0.5):
        import numpy as np
        from jax import numpy as jnp

        N, d = X.shape
        rows = y.shape[0]
        z: float = X @ w
        return jnp.sum((z - y) ** 2) / rows + lam * np.dot(w, w) + torch.sum(w, dim=0)
    """
    value = read(source)
    assert value is read("z = X @ w; sum((z - y)**2)/N + 0.5*dot(w, w) + sum(w)")


def test_an_argument_may_be_a_size():
    assert read("def f(y, N):\n    return sum(y)/N") is read("mean(y)")


def test_the_place_in_a_long_line_is_shown():
    text = "+".join(["y"] * 100) + " + foo(y) + " + "+".join(["y"] * 40)
    with pytest.raises(ParseError) as error:
        read(text)
    _, line, mark = str(error.value).splitlines()
    assert len(line) < 110
    assert line[mark.index("^") :].startswith("foo")


def test_sizes_are_shared_by_name():
    assert declared({"a": "n", "b": "n,m"})["a"].shape[0] is size("n")
    assert var("a", size("n")) is declared({"a": "n"})["a"]
