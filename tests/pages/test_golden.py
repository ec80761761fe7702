"""Every symbol of the notation, every operator and a whole sheet, as they were printed when somebody looked at them."""

import re
from math import inf

from pages import golden
from pages.fixture import page

from derive.language.notation import SYMBOLS
from derive.language.term import (
    LEAVES,
    OPERATORS,
    Π,
    Σ,
    Cov,
    D,
    E,
    Term,
    Var,
    array,
    both,
    derivative_of,
    det,
    diag,
    eq,
    expect,
    eye,
    family,
    forall,
    function,
    iff,
    implies,
    index,
    integral,
    inv,
    invertible,
    le,
    let,
    lift,
    lt,
    mapping,
    matrix,
    natural,
    ne,
    outer,
    passing,
    posdef,
    random,
    size,
    space,
    succ,
    tends,
    trace,
    tri,
    var,
    δ,
)
from derive.pages.mathml import mathml
from derive.pages.modes import practice
from derive.pages.site import html_page, tex_page
from derive.pages.tex import tex
from derive.pages.text import text

K, N, Z = size("K"), size("N"), space("Z")
i, k, n, m, z = index("i", K), index("k", K), index("n", N), index("m", N), index("z", Z)
C = var("C", K, K)
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
    "map": mapping("F", K)(a, natural("L")),
    "member": family("W", lambda l: K)(succ(natural("L"))),
    "pass": passing("N", lambda l: (K,), lambda l, u: mapping("F", K)(u, l))(0, natural("L"), a),
    "at": A[n, k],
    "matmul": A @ B,
    "T": A.T,
    "outer": outer(a, b),
    "sumax": A.sum(0),
    "diag": diag(a),
    "eye": eye(K),
    "tri": tri(K)[i, k] * tri(K),
    "inv": inv(A @ B)[n, m],
    "det": det(A @ B),
    "trace": trace(inv(C)),
    "invertible": invertible(A @ B),
    "posdef": posdef(C),
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
    "Var": Var(w[k] * x, w),
    "Cov": Cov(w[k], w[k] * random("v", law="standard"), w),
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
    "tends": tends(x ** natural("t"), natural("t"), inf, 0),
    "literal": matrix([[x, 1], [0, y]]),
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
