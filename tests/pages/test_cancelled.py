"""Struck are the factors that cancel on the way to the next line, in pairs, and no others."""

import pytest
from pages.fixture import page

from derive.language.notation import log, σ
from derive.language.term import Π, Σ, eq, iff, indices, let, lift, size, var, δ
from derive.pages.cancelled import cancelled, marked
from derive.pages.compose import page as composed
from derive.pages.measure import width
from derive.pages.modes import blanked, practice, solution
from derive.pages.site import html_page, tex_page
from derive.pages.tex import tex
from derive.pages.text import text
from derive.registry import load

K = size("K")
j, k = indices("j k", K)
a, b, c, x, y = (var(name) for name in "abcxy")
p, u = var("p", K), var("u", K)
s = let("s", a + b)
gap = δ(k, j) - p[j]


@pytest.mark.parametrize(("line", "following", "printed"), [
    ((y / x) * x * (1 - x), y * (1 - x), r"\frac{y}{\cancel{x}} \cancel{x}\, (1 - x)"),
    ((a / b) * b, a, r"\frac{a}{\cancel{b}} \cancel{b}"),
    (b * (1 / b) * c, c, r"\cancel{b}\, \frac{1}{\cancel{b}} c"),
    (x * x / x, x, r"\frac{\cancel{x} x}{\cancel{x}}"),
    (2 * x / (2 * y), x / y, r"\frac{\cancel{2} x}{\cancel{2} y}"),
    (a * lift(2) / 2, a, r"\frac{a \cdot \cancel{2}}{\cancel{2}}"),
    (-(-a * (1 - x)) / (1 - x), a, r"-\frac{(-a\, \cancel{(1 - x)})}{\cancel{1 - x}}"),
    (a / (b / a), a * a / b, r"\frac{a}{b/a}"),  # a² over b: both are above
    (a / (b / c) / c, a / b, r"\frac{a/(b/\cancel{c})}{\cancel{c}}"),
    (-Σ(y * (1 / p[k]) * (p[k] * gap), k), -Σ(y * gap, k),
     r"-\sum_{k} y \frac{1}{\cancel{p_{k}}} \cancel{p_{k}}\, ([k = j] - p_{j})"),
    (Σ(u[k] / p[k] * p[k], k), Σ(u[j], j), r"\sum_{k} \frac{u_{k}}{\cancel{p_{k}}} \cancel{p_{k}}"),
    (Σ(p[k], k) / Σ(p[j], j), lift(1), r"\frac{\cancel{\sum_{k} p_{k}}}{\cancel{\sum_{j} p_{j}}}"),
    ((a / b) * b + b / c, a + b / c, r"\frac{a}{\cancel{b}} \cancel{b} + \frac{b}{c}"),
    ((a / x) * x + (b / x) * x, a + (b / x) * x, r"\frac{a}{\cancel{x}} \cancel{x} + \frac{b}{x} x"),
    (iff(eq(a, 0), eq((b / c) * c, 0)), iff(eq(a, 0), eq(b, 0)), r"a = 0 \iff \frac{b}{\cancel{c}} \cancel{c} = 0"),
    (log(x / x * a), log(a), r"\log\left(\frac{\cancel{x}}{\cancel{x}} a\right)"),
])  # fmt: skip
def test_pairs_are_struck(line, following, printed):
    assert tex(marked(line, cancelled(line, following)), display=True) == printed


@pytest.mark.parametrize(("line", "following"), [
    (-(y / σ(x) - (1 - y) / (1 - σ(x))) * (σ(x) * (1 - σ(x))), σ(x) - y),  # above as factors, below in a sum only
    ((a / b) * b * c, c * (a / b) * b),  # still there
    ((a / x) * x + (b / x) * x, (b / x) * x + a),  # which of the two?
    ((a / x) * x + b, b + (a / x) * x),
    (y * (s / s), y * ((a + b) / (a + b))),  # rewritten
    ((y / s) * s, (y / s) * (a + b)),
    (a * x / b, a * x / b),
    (1 / (1 * a), 1 / a),  # ones are nothing to strike
    ((a + b) / a, 1 + b / a),  # no factor
    (a * Σ(u[k] / a, k), Σ(u[k], k)),  # not one product
    (Π(p[k], k) / p[j], a / p[j]),
    (let("t", x / x), lift(1)),  # what stands behind a name does not stand on the line
])  # fmt: skip
def test_in_doubt_nothing_is_struck(line, following):
    assert cancelled(line, following) == frozenset()


def test_a_practice_sheet_does_not_tell_half_of_a_blank_line():
    [known] = [row for row in page().lines if row.struck]
    kept = set()
    for seed in range(20):
        asked, gone = practice(page(), seed), blanked(page(), seed)
        [row] = [row for row in asked.lines if row.number == known.number]
        assert row.struck == (known.struck if gone.isdisjoint({row.number, row.number + 1}) else frozenset())
        kept.add(bool(row.struck))
        assert [row.struck for row in solution(page(), seed).lines] == [row.struck for row in page().lines]
    assert kept == {True, False}


def test_the_lines_of_a_proof_are_struck():
    sheet = composed(load("optimal-discriminator"), topic="", certificate="", others={})
    struck = [tex(marked(row.right, row.struck), display=True) for row in sheet.lines if row.struck]
    assert struck[:2] == [
        r"-\frac{\sigma(s)\, \cancel{(1 - \sigma(s))}}{\cancel{1 - \sigma(s)}}",
        r"-\frac{\cancel{\sigma(s)}\, (1 - \sigma(s))}{\cancel{\sigma(s)}}",
    ]


def test_struck_lines_are_as_wide_and_their_text_is_plain():
    [row] = [row for row in page().lines if row.struck]
    shown = marked(row.right, row.struck)
    assert width(tex(shown, True)) == pytest.approx(width(tex(row.right, True)), abs=0.2)
    assert text(shown) == text(row.right)
    assert html_page(page()).count('<mrow class="cut">') == tex_page(page()).count(r"\cancel{") == 2
