"""Widths and heights, by which a page is laid out before a browser has seen it."""

from dataclasses import replace

import pytest

from derive.language.notation import log
from derive.language.term import Σ, index, prose, size, var
from derive.pages.measure import NARROW_REASON, REASON, defined_scale, given_widths, measured, squeeze, text_rows, width
from derive.pages.model import Given, Line, Page, Section, Verdict
from derive.pages.site import tag_runs

K = size("K")
k = index("k", K)
x, a = var("x"), var("a", K)


def laid_out(*lines):
    page = Page("s", ("S",), "T", ("G",), (), (Section("A", ("H",), lines),), Verdict(0, 0, 0, 0), "0")
    return measured(page).sections[0]


# What a browser measured for the embedded fonts, in em.
@pytest.mark.parametrize(("tex", "display", "em"), [
    (r"\mathrm{ELBO}", True, 2.6),
    (r"\mathrm{KL}(q \parallel p)", True, 4.1),
    (r"\sum_{m} \Delta_{2, mj} H_{ma}", True, 5.4),
    (r"\frac{\sum_{n} r_{n} W_{nj}}{\tau^{2}}", True, 4.2),
    (r"\frac{\partial L}{\partial x_{i}}", True, 1.3),
    (r"q = \sigma(\zeta)", False, 3.6),
    (r"\mathbb{E}_{q(z)}\left[\log\left(\frac{p(x, z)}{q(z)}\right)\right]", True, 8.4),
])  # fmt: skip
def test_widths_are_near_to_what_a_browser_measures(tex, display, em):
    assert width(tex, display) == pytest.approx(em, rel=0.09)


def line(right, left=None, reason="why"):
    return Line(1, left, "eq", right, prose(reason))


def long(n):
    total = x
    for _ in range(n):
        total = total * (x + x)
    return total


def test_fractions_and_sums_take_three_units_and_the_rest_two():
    section = laid_out(line(x + x), line(1 / (1 + x)), line(Σ(a[k], k)), line(x, left=x / (1 + x)))
    assert [row.tall for row in section.lines] == [2, 3, 3, 3]


def test_a_long_reason_makes_its_line_higher():
    assert laid_out(line(x, reason="because " * 20)).lines[0].tall > 3


def test_reasons_make_room_for_long_lines_and_long_lines_wrap_or_shrink():
    assert laid_out(line(long(2))).tracks.reason == REASON
    assert laid_out(line(long(8))).tracks.reason == NARROW_REASON
    section = laid_out(line(log(long(20))))
    assert 0.6 <= squeeze(section.lines[0], section.tracks) < 1
    section = laid_out(line(long(20)))
    assert squeeze(section.lines[0], section.tracks) == 1
    assert section.lines[0].tall > 3
    wrapped = x
    for _ in range(40):
        wrapped = wrapped + log(x)
    section = laid_out(line(wrapped))
    assert squeeze(section.lines[0], section.tracks) == 1
    assert section.lines[0].tall >= 4


def test_a_left_side_that_is_too_wide_stands_above():
    section = laid_out(line(x, left=x), line(x, left=long(12)))
    assert [row.stacked for row in section.lines] == [False, True]
    assert section.tracks.left < 4


def test_heights_that_are_set_stay():
    page = Page("s", ("S",), "T", ("G",), (), (laid_out(line(x)),), Verdict(0, 0, 0, 0), "0")
    raised = replace(page, sections=(replace(page.sections[0], lines=(replace(page.sections[0].lines[0], tall=7),)),))
    assert measured(raised) == raised


def test_the_table_of_what_is_given_fills_the_page():
    rows = (Given(x, ("a number",), (x + 1,), ()), Given(a, ("numbers " * 9,), (long(9),), (K,)))
    assert sum(given_widths(rows)) == pytest.approx(46.4, abs=0.2)
    assert defined_scale((x + 1,), 20) == 1
    assert defined_scale((long(9),), 12) < 1


def test_text_takes_more_rows_in_a_narrow_column():
    words = prose("many words " * 20)
    assert text_rows(words, 10) > text_rows(words, 30) > 1
    assert text_rows((), 10) == 0


@pytest.mark.parametrize(("tags", "runs"), [
    ((), ""), (("A1",), "A1"), (("A2", "A1"), "A1, A2"), (("A1", "A2", "A3", "A5"), "A1–A3, A5"),
    (("A9", "A10", "A11"), "A9–A11"),
])  # fmt: skip
def test_tags_are_listed_in_runs(tags, runs):
    assert tag_runs(tags) == runs
