"""Printed formulas mean what the terms mean, whatever the brackets."""

from xml.etree.ElementTree import fromstring

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pages.reader import Reader, flat, line
from pages.terms import scalars, value

from derive.language.notation import abs_, log, softmax, squared_norm, σ
from derive.language.term import (
    OPERATORS,
    Σ,
    D,
    Term,
    derivative_of,
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
    outer,
    size,
    sizes,
    space,
    var,
    δ,
)
from derive.pages.forms import FORMS
from derive.pages.mathml import mathml
from derive.pages.tex import tex, tex_parts, tex_shape
from derive.pages.text import text

AT = {"k": 0, "j": 1}


def known(term):
    try:
        return value(term, AT)
    except ZeroDivisionError:
        assume(False)


def test_every_operator_has_a_form():
    assert set(FORMS) == set(OPERATORS)


@settings(max_examples=400)
@given(scalars())
def test_one_line_tex_means_the_term(term):
    expected = known(term)
    assert Reader(flat(tex(term))).read()(AT) == expected


@settings(max_examples=400)
@given(scalars())
def test_displayed_tex_means_the_term(term):
    expected = known(term)
    assert Reader(flat(tex(term, display=True))).read()(AT) == expected


@settings(max_examples=400)
@given(scalars())
def test_text_means_the_term(term):
    expected = known(term)
    assert Reader(line(text(term))).read()(AT) == expected


@settings(max_examples=200)
@given(scalars())
def test_the_parts_of_a_line_are_the_line(term):
    expected = known(term)
    assert Reader(flat(" ".join(tex_parts(term)))).read()(AT) == expected


@settings(max_examples=400)
@given(scalars(), st.sampled_from((8, 15, 25, 40)), st.booleans())
def test_the_parts_of_a_part_that_is_too_wide_are_the_line(term, room, display):
    expected = known(term)
    made = tex_parts(term, display, lambda part: len(part) > room)
    whole = " ".join(made).replace(r"\right.", "").replace(r"\left.", "")
    assert Reader(flat(whole)).read()(AT) == expected
    for part in made:
        [drawn] = fromstring(mathml(part, display, continued=True))  # noqa: S314 - our own MathML
        marks = [mark for mark in "".join(drawn[0].itertext()) if mark in "()" or mark.isdigit()]
        assert sorted(marks) == sorted(mark for mark in part if mark in "()" or mark.isdigit())


@settings(max_examples=200)
@given(scalars())
def test_all_that_is_printed_is_let_in_by_mathml(term):
    for display in (False, True):
        assert mathml(tex(term, display), display).startswith("<math")


N, K, H = sizes("N K H")
Z = space("Z")
z, k, c, n = index("z", Z), index("k", K), index("c", K), index("n", N)
W, V = var("W", K, H), var("V", K, H)
X, w, u, y, t = var("X", N, K), var("w", K), var("u", K), var("y", K), var("t")
q, joint = var("q", Z), var("p(x, ·)", Z)
logits = let("z", var("a", K) + var("b", K))
loss = let("L", -Σ(y[k] * log(softmax(logits)[k]), k))


@pytest.mark.parametrize(("term", "display", "inline", "plain"), [
    (D(loss, logits[k]), r"\frac{\partial L}{\partial z_{k}}", r"\partial L/\partial z_{k}", "∂L/∂z[k]"),
    (D(log(w[k]), w[c]), r"\frac{\partial}{\partial w_{c}} \log w_{k}",
     r"\partial \log w_{k}/\partial w_{c}", "∂log w[k]/∂w[c]"),
    (D(σ(t), t), r"\frac{\mathrm{d}}{\mathrm{d}t} \sigma(t)", r"\sigma'(t)", "σ′(t)"),
    (D(t * t, t), r"\frac{\mathrm{d}}{\mathrm{d}t}\, (t t)", r"\mathrm{d}(t t)/\mathrm{d}t", "d(t t)/dt"),
    (derivative_of("φ")(t), r"\varphi'(t)", r"\varphi'(t)", "φ′(t)"),
    (function("φ")(-t), r"\varphi(-t)", r"\varphi(-t)", "φ(−t)"),
    (δ(k, c) * w[k], "[k = c] w_{k}", "[k = c] w_{k}", "[k = c] w[k]"),
    (w[k] * (δ(k, c) - w[c]), r"w_{k}\, ([k = c] - w_{c})", r"w_{k}\, ([k = c] - w_{c})", "w[k] ([k = c] − w[c])"),
    (w * (1 - u), r"w \odot (1 - u)", r"w \odot (1 - u)", "w ⊙ (1 − u)"),
    ((W @ var("h", H)) * u * w, r"(W h) \odot u \odot w", r"(W h) \odot u \odot w", "(W h) ⊙ u ⊙ w"),
    (W.T @ (u * w), r"W^{\top}\, (u \odot w)", r"W^{\top}\, (u \odot w)", "Wᵀ (u ⊙ w)"),
    (w @ u, r"w^{\top} u", r"w^{\top} u", "wᵀ u"),
    ((w @ u) * w, r"(w^{\top} u) w", r"(w^{\top} u) w", "(wᵀ u) w"),
    (abs_(t / (1 + t)), r"\left\lvert \frac{t}{1 + t} \right\rvert", r"\lvert t/(1 + t) \rvert", "|t/(1 + t)|"),
    (lift(1234567) * t, r"1\,234\,567 t", r"1\,234\,567 t", "1234567 t"),
    (outer(u, w), r"u w^{\top}", r"u w^{\top}", "u wᵀ"),
    (outer(u, w - u), r"u\, (w - u)^{\top}", r"u\, (w - u)^{\top}", "u (w − u)ᵀ"),
    (X.T @ (X @ w) / N, r"\frac{X^{\top}\, (X w)}{N}", r"X^{\top}\, (X w)/N", "Xᵀ (X w)/N"),
    (X.sum(0), r"X^{\top} \mathbf{1}", r"X^{\top} \mathbf{1}", "Xᵀ 𝟏"),
    (w.sum(0), r"\mathbf{1}^{\top} w", r"\mathbf{1}^{\top} w", "𝟏ᵀ w"),
    (squared_norm(w - u), r"\lVert w - u \rVert^2", r"\lVert w - u \rVert^2", "‖w − u‖²"),
    ((w - u)[k], "(w - u)_{k}", "(w - u)_{k}", "(w − u)[k]"),
    (softmax(w)[k], r"\operatorname{softmax}(w)_{k}", r"\operatorname{softmax}(w)_{k}", "softmax(w)[k]"),
    (expect(q, log(joint[z]), z), r"\mathbb{E}_{q(z)}[\log p(x, z)]",
     r"\mathbb{E}_{q(z)}[\log p(x, z)]", "𝔼_q(z)[log p(x, z)]"),
    (integral(q[z] * log(joint[z]), z), r"\int q(z) \log p(x, z)\, \mathrm{d}z",
     r"\int q(z) \log p(x, z)\, \mathrm{d}z", "∫ q(z) log p(x, z) dz"),
    (lt(0, w[k]), "w_{k} > 0", "w_{k} > 0", "w[k] > 0"),
    (le(0, w[k]), r"w_{k} \geq 0", r"w_{k} \geq 0", "w[k] ≥ 0"),
    (le(t, 0), r"t \leq 0", r"t \leq 0", "t ≤ 0"),
    (forall(lt(0, w[k]), k), r"\forall k\colon w_{k} > 0", r"\forall k\colon w_{k} > 0", "∀k: w[k] > 0"),
    (implies(lt(0, q[z]), lt(0, joint[z])), r"q(z) > 0 \Rightarrow p(x, z) > 0",
     r"q(z) > 0 \Rightarrow p(x, z) > 0", "q(z) > 0 ⇒ p(x, z) > 0"),
    (iff(eq(t, 1), eq(t, 2)), r"t = 1 \iff t = 2", r"t = 1 \iff t = 2", "t = 1 ⟺ t = 2"),
    (Σ(X[n, k], n, k), r"\sum_{n, k} X_{nk}", r"\sum_{n, k} X_{nk}", "Σ_(n, k) X[n, k]"),
    (lift(2) * 3, r"2 \cdot 3", r"2 \cdot 3", "2·3"),
    (lift(3) * (lift(1) / 9), r"3 \cdot \frac{1}{9}", r"3\, (1/9)", "3 (1/9)"),
])  # fmt: skip
def test_forms(term, display, inline, plain):
    assert tex(term, display=True) == display
    assert tex(term) == inline
    assert text(term) == plain
    assert isinstance(term, Term)
    mathml(display, display=True)
    mathml(inline)


def test_shapes():
    assert tex_shape(()) == "1"
    assert tex_shape((N, K)) == r"N \times K"
    assert tex_shape((size("n_in"),)) == r"n_{\mathrm{in}}"


def test_names_without_tex_are_refused():
    with pytest.raises(ValueError, match="without TeX"):
        tex(var("Ж"))
