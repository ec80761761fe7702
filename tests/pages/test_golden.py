"""Every symbol of the notation, every operator and a whole sheet, as they were printed when somebody looked at them."""

import re

from pages import golden
from pages.fixture import page

from derive.language.notation import SYMBOLS
from derive.language.term import (
    LEAVES,
    OPERATORS,
    Π,
    Σ,
    D,
    E,
    Term,
    array,
    both,
    derivative_of,
    diag,
    eq,
    expect,
    forall,
    function,
    iff,
    implies,
    index,
    integral,
    le,
    let,
    lift,
    lt,
    natural,
    ne,
    outer,
    random,
    size,
    space,
    succ,
    var,
    δ,
)
from derive.pages.mathml import mathml
from derive.pages.modes import practice
from derive.pages.site import html_page, tex_page
from derive.pages.tex import tex
from derive.pages.text import text

K, N, Z = size("K"), size("N"), space("Z")
i, k, n, z = index("i", K), index("k", K), index("n", N), index("z", Z)
x, y, a, b = var("x"), var("y"), var("a", K), var("b", K)
A, B, q, w = var("A", N, K), var("B", K, N), var("q", Z), random("w", K, law="standard")
ARGUMENTS = {"app": (x, y), "rows": (a,), "reduce": (a,)}


def symbol(name):
    entry = SYMBOLS[name]
    return Term(entry.kind, ARGUMENTS[entry.kind][: entry.arity], name)


SAMPLES = {
    "num": lift(2) / 3 - 1,
    "size": K,
    "succ": succ(natural("L")),
    "space": Z,
    "idx": k,
    "var": var("θ₁"),
    "let": let("ŷ", x),
    "fun": function("φ")(x),
    "add": x + y,
    "sub": x - y,
    "mul": x * y,
    "div": x / y,
    "pow": x**2,
    "neg": -x,
    "app": Term("app", (x,), "σ"),
    "call": derivative_of("φ")(x),
    "at": A[n, k],
    "matmul": A @ B,
    "T": A.T,
    "outer": outer(a, b),
    "sumax": A.sum(0),
    "diag": diag(a),
    "rows": Term("rows", (a,), "softmax"),
    "reduce": Term("reduce", (a,), "logsumexp"),
    "delta": δ(i, k),
    "D": D(let("L", x * y), x),
    "array": array(a[k] * b[k], k),
    "sum": Σ(a[k], k),
    "prod": Π(a[k], k),
    "integral": integral(q[z], z),
    "expect": expect(q, x, z),
    "mean": E(w[k], w),
    "forall": forall(lt(0, a[k]), k),
    "integrable": Term("integrable", (z, q[z])),
    "eq": eq(x, y),
    "ne": ne(x, y),
    "le": le(x, y),
    "lt": lt(x, y),
    "iff": iff(eq(x, 1), eq(y, 1)),
    "and": both(eq(x, 1), eq(y, 1)),
    "implies": implies(eq(x, 1), eq(y, 1)),
    "exchange": Term("exchange", (D(expect(q, x, z), x),)),
    "true": Term("true"),
}


def printed(term):
    forms = {"text": text(term), "tex": tex(term), "display": tex(term, display=True)}
    return forms | {"mathml": re.sub("<annotation.*?</annotation>", "", mathml(forms["display"], display=True))}


def test_every_symbol_of_the_notation():
    golden.same("symbols.json", golden.table({name: printed(symbol(name)) for name in SYMBOLS}))


def test_every_operator():
    assert set(SAMPLES) == set(OPERATORS)
    assert LEAVES <= set(SAMPLES)
    golden.same("operators.json", golden.table({name: printed(term) for name, term in SAMPLES.items()}))


def test_a_sheet_as_html():
    body = html_page(page()).partition("<body")[2]
    golden.same("sheet.html", "<body" + body)


def test_a_practice_sheet_as_html():
    body = html_page(practice(page(), 3)).partition("<body")[2]
    golden.same("practice.html", "<body" + body)


def test_a_sheet_as_latex():
    golden.same("sheet.tex", tex_page(page()))
