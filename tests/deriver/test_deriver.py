"""Second derivatives and derivatives of arrays, whole records, what is refused and why, how the lines grow."""

import time

import numpy as np
import pytest
from deriver import reference
from deriver.yardstick import network, pairs

import derive
from derive import gradient, hessian, hvp, jacobian, losses
from derive.deriver.algebra import DeriverError
from derive.evidence.verify import verify
from derive.language.notation import exp, log
from derive.language.parse import ParseError
from derive.language.term import ShapeError, Term, array, indices, sizes, subterms, var
from derive.logic.certificate import replay
from derive.pages.text import text as printed

LOGISTIC, FACTORS = "X=N,d y=N w=d", "M=n,m T=n,m U=n,k V=m,k"
SECOND = [
    ("mean(log(1+exp(X@w))-y*(X@w))", LOGISTIC, "w", "", "Xᵀ diag(σ(X w) ⊙ (1 − σ(X w))) X/N"),
    ("mean(log(1+exp(-y*(X@w))))", LOGISTIC, "w", "y=sign", ""),
    ("-sum(y*log(softmax(z)))", "z=K y=K", "z", "", ""),
    ("log(sum(exp(z)))", "z=K", "z", "", "diag(softmax(z)) − softmax(z) softmax(z)ᵀ"),
    ("sum((A@x-b)**2)", "A=m,n x=n b=m", "x", "", "2 Aᵀ A"),
    ("x@A@x", "A=n,n x=n", "x", "", "A + Aᵀ"),
    ("norm(x)", "x=n", "x", "", "(I − x xᵀ/(𝟏ᵀ x²))/sqrt(𝟏ᵀ x²)"),
    ("norm(A@x-b)", "A=m,n x=n b=m", "x", "", ""),
    ("sum((M*(T-U@V.T))**2)", FACTORS, "U", "", ""),
    ("mean(logsumexp(X@W,axis=1)-sum(Y*(X@W),axis=1))", "X=N,d W=d,K Y=N,K", "W", "", ""),
    ("sum(exp(X@w)-y*(X@w))", LOGISTIC, "w", "", "Xᵀ diag(exp(X w)) X"),
    ("sum(x**3)", "x=n", "x", "", "6 diag(x)"),
    ("sum(tanh(A@x))", "A=m,n x=n", "x", "", ""),
    ("(a@x)**2", "a=n x=n", "x", "", "2 a aᵀ"),
    ("exp(a@x)", "a=n x=n", "x", "", "exp(aᵀ x) a aᵀ"),
]
ARRAYS = [
    ("softmax(z)", "z=K", "z", "diag(softmax(z)) − softmax(z) softmax(z)ᵀ"),
    ("A@x", "A=m,n x=n", "x", "A"),
    ("tanh(A@x+b)", "A=m,n x=n b=m", "x", ""),
    ("tanh(A@x+b)", "A=m,n x=n b=m", "A", ""),
    ("x/norm(x)", "x=n", "x", "(I − x xᵀ/(𝟏ᵀ x²))/sqrt(𝟏ᵀ x²)"),
    ("x*x", "x=n", "x", "2 diag(x)"),
    ("softmax(A@x)", "A=m,n x=n", "x", ""),
]


def close(got, wanted):
    assert reference.close(got, wanted)


@pytest.mark.parametrize(("text", "shapes", "by", "domains", "form"), SECOND)
def test_hessians(text, shapes, by, domains, form):
    view = hessian(text, by, shapes=pairs(shapes), domains=pairs(domains))
    values = reference.point(pairs(shapes), pairs(domains))
    wanted = reference.hessian(text, by, values)
    close(reference.of_kernel(view.kernel("hessian"), values), wanted)
    assert not form or printed(view.claim.args[1]) == form
    along = hvp(text, by, "q", shapes=pairs(shapes), domains=pairs(domains))
    values["q"] = reference.draw(np.random.default_rng(2), values[by].shape, "real")
    product = np.tensordot(wanted, values["q"], axes=values["q"].ndim)
    close(reference.of_kernel(along.kernel("hessian_product"), values), product)


@pytest.mark.parametrize(("text", "shapes", "by", "form"), ARRAYS)
def test_jacobians(text, shapes, by, form):
    view = jacobian(text, by, shapes=pairs(shapes))
    values = reference.point(pairs(shapes), {})
    arrays = [reference.np.array(value) for value in values.values()]
    wanted = reference.autograd.jacobian(reference.loss(text, list(values)), list(values).index(by))(*arrays)
    close(reference.of_kernel(view.kernel("jacobian"), values), wanted)
    assert not form or printed(view.claim.args[1]) == form


def test_scalar_functions():
    assert printed(derive.derivative("x**3", "x").claim) == "dL/dx = 3 x²"
    assert printed(derive.derivative("log(1 + exp(x))", "x").claim.args[1]) == "σ(x)"


def test_a_term_is_a_loss():
    N, d = sizes("N d")
    X, y, w = var("X", N, d), var("y", N), var("w", d)
    view = gradient(log(1 + exp(-(y * (X @ w)))).mean(), w)
    assert printed(view.claim.args[1]) == "−Xᵀ (y ⊙ σ(−y ⊙ (X w)))/N"
    (n,) = indices("n", N)
    again = gradient(array(log(1 + exp(-(y[n] * (X @ w)[n]))), n).mean(), w)
    assert again.claim.args[0].shape == (d,)


def my_loss(X, w, y):
    """Squares."""
    residual = X @ w - y
    return (residual**2).sum() / 2


def test_a_function_of_numpy_is_a_loss():
    view = gradient(my_loss, "w", shapes={"X": "N,d", "w": "d", "y": "N"})
    assert printed(view.claim.args[1]) == "Xᵀ (X w − y)" or "residual" in printed(view.claim.args[1])
    values = reference.point({"X": "N,d", "w": "d", "y": "N"}, {})
    close(
        reference.of_kernel(view.kernel("gradient"), values), values["X"].T @ (values["X"] @ values["w"] - values["y"])
    )


NETWORK = "z1 = W1@x+b1; h = sigmoid(z1); z2 = W2@h+b2; -sum(y*log(softmax(z2)))"
WIDTHS = {"W1": "M,d", "x": "d", "b1": "M", "W2": "K,M", "b2": "K", "y": "K"}


@pytest.mark.parametrize(
    ("text", "by", "shapes", "domains", "given"),
    [
        ("mean(log(1 + exp(-y * (X @ w))))", "w", LOGISTIC, {"y": "sign"}, []),
        (NETWORK, "W1", WIDTHS, {"y": "simplex"}, ["sum(y) == 1"]),
        ("sum((M*(T - U @ V.T))**2)", "U", FACTORS, {}, []),
    ],
)
def test_the_record_passes_every_check_of_an_entry(text, by, shapes, domains, given):
    shapes = pairs(shapes) if isinstance(shapes, str) else shapes
    view = gradient(text, by, shapes=shapes, domains=domains, given=given)
    report = verify(view.entry)
    assert report.status == "pass", report.problems
    assert replay(view.certificate)
    assert "\\begin{document}" in view.to_latex()
    assert view.to_html().startswith("<!")
    assert "The gradient" in view.to_text()
    assert view.numpy.count("def gradient(") == 1


def test_no_derivative_is_left():
    view = gradient(NETWORK, "W1", shapes=WIDTHS, domains={"y": "simplex"}, given=["sum(y) == 1"])
    assert printed(view.claim.args[1]) == "δ₁ xᵀ"
    assert not any(term.op == "D" for term in subterms(view.claim.args[1]))
    definitions = {str(row[0]): row[0].args[0] for row in view.entry.given if row[0].op == "let"}
    assert printed(definitions["δ₁"]) == "(W₂ᵀ δ₂) ⊙ h ⊙ (1 − h)"
    assert printed(definitions["δ₂"]) == "softmax(z₂) − y"


def layers(count):
    case = network(count)
    return case.text, case.declared


def test_the_lines_grow_linearly_with_the_layers():
    counts = []
    for count in (2, 4, 8):
        text, shapes = layers(count)
        view = gradient(text, "W1", shapes=shapes, domains={"y": "simplex"}, given=["sum(y) == 1"])
        counts.append(len(view.lines))
    assert counts[2] - counts[1] == 2 * (counts[1] - counts[0])


def test_the_lines_of_a_hessian_grow_linearly_too():
    """With many layers each named quantity has its derivative by itself, and the last line is short."""
    counts = []
    for count in (3, 5, 7):
        text, shapes = layers(count)
        view = hessian(text, "W1", shapes=shapes, domains={"y": "simplex"}, given=["sum(y) == 1"])
        counts.append(len(view.lines))
        assert len(printed(view.claim)) < 80
    assert counts[2] - counts[1] == counts[1] - counts[0]


@pytest.mark.slow
def test_a_deep_hessian_is_witnessed():
    text, shapes = layers(3)
    view = hessian(text, "W1", shapes=shapes, domains={"y": "simplex"}, given=["sum(y) == 1"])
    view.witness()
    assert [line for line in view.lines if not line.verdict.witnessed] == []


def test_ten_layers_against_autograd():
    text, shapes = layers(10)
    view = gradient(text, "W1", shapes=shapes, domains={"y": "simplex"}, given=["sum(y) == 1"])
    rng = np.random.default_rng(3)
    widths = {f"n{n}": 2 + (5 * n) % 7 for n in range(11)}
    values = {name: rng.normal(size=tuple(widths[a] for a in shape.split(","))) for name, shape in shapes.items()}
    values["y"] = np.abs(values["y"]) / np.abs(values["y"]).sum()
    close(reference.of_kernel(view.kernel("gradient"), values), reference.gradient(text, "W1", values))


def test_the_kernel_is_finite_at_large_inputs():
    view = gradient("mean(log(1 + exp(-y * (X @ w))))", "w", shapes=pairs(LOGISTIC), domains={"y": "sign"})
    values = reference.point(pairs(LOGISTIC), {"y": "sign"})
    values["X"] *= 1e6
    assert np.isfinite(reference.of_kernel(view.kernel("gradient"), values)).all()
    assert np.isfinite(reference.of_kernel(view.kernel("loss"), values)).all()


def test_conditions_stand_on_the_page():
    """√(u²), log u² and |u| have no derivative at 0, and √x·√x is defined for x ≥ 0 alone."""
    for text in ("sqrt(x**2)", "log(x**2)", "abs(x)", "relu(x)", "1/x", "sqrt(x)*sqrt(x)"):
        view = derive.derivative(text, "x")
        assert view.assumptions, text
    assert printed(derive.derivative("abs(x)", "x").assumptions[0].formula) == "x ≠ 0"
    assert derive.derivative("sqrt(x)", "x", shapes={"x": ""}, assume=["x > 0"]).assumptions == ()


@pytest.mark.parametrize(
    ("text", "by", "says"),
    [
        ("X @ w", "w", "ask for the jacobian"),
        ("sum(y)", "w", "does not depend on w"),
        ("sum(y)", "z", "z is none of the variables"),
        ("sum(trigamma(exp(y)))", "y", "no rule for the derivative of the trigamma function"),
        ("sum(exp(y)) + foo(y)", "y", "the function foo is not supported"),
    ],
)
def test_what_is_refused_says_why(text, by, says):
    with pytest.raises((ParseError, DeriverError, ShapeError)) as error:
        gradient(text, by, shapes=pairs(LOGISTIC))
    assert says in str(error.value)


def test_given_is_an_equation():
    with pytest.raises(ParseError, match="no equation"):
        gradient("sum(y**2)", "y", shapes={"y": "N"}, given=["y > 0"])


@pytest.mark.parametrize("detail", [1, 2, 3])
def test_detail(detail):
    view = gradient("mean((sigmoid(X@w)-y)**2)", "w", shapes=pairs(LOGISTIC), detail=detail)
    assert all(line.verdict.proved for line in view.lines)
    finest = gradient("mean((sigmoid(X@w)-y)**2)", "w", shapes=pairs(LOGISTIC), detail=3)
    assert view.claim is finest.claim
    assert len(view.lines) <= len(finest.lines)


def test_what_would_never_end_is_refused_at_once():
    numbers = {f"{letter}{n}": "" for letter in "ab" for n in range(24)}
    with pytest.raises(DeriverError, match="too l"):
        gradient("*".join(f"(a{n}+b{n})" for n in range(24)), "a0", shapes=numbers)
    with pytest.raises(DeriverError, match="too l"):
        gradient("sum(" + "*".join(["(x+c)"] * 30) + ")", "x", shapes={"x": "n", "c": "n"})


def test_what_nests_too_deeply_is_refused():
    x = var("x")
    nested = x
    for _ in range(2000):
        nested = Term("app", (nested,), "sin")
    with pytest.raises(DeriverError, match="nest deeper"):
        gradient(nested, x)


def test_a_step_that_takes_long_is_stopped_where_it_is():
    ended = []

    def endless():
        try:
            while True:
                sum(range(1000))
        finally:
            ended.append(True)

    start = time.monotonic()
    with pytest.raises(DeriverError, match="longer than it was allowed"):
        losses.deep(endless, 0.2)
    assert ended
    assert time.monotonic() - start < 10


def test_a_derivation_stops_at_its_memory(monkeypatch):
    monkeypatch.setattr(losses, "MEMORY", 1 << 27)
    kept = []

    def greedy():
        while True:
            kept.append(bytearray(b"x" * (1 << 20)))
            time.sleep(0.001)

    with pytest.raises(DeriverError, match="GB of memory"):
        losses.deep(greedy, 60)
    assert len(kept) < 4000


def test_a_derivation_stops_after_its_time():
    text, shapes = layers(20)
    start = time.monotonic()
    with pytest.raises(DeriverError, match="longer than it was allowed"):
        gradient(text, "W1", shapes=shapes, domains={"y": "simplex"}, given=["sum(y) == 1"], seconds=0.05)
    assert time.monotonic() - start < 5
