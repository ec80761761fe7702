"""Sheets as files: whole, safe, repeatable, alike in practice and solution, and accepted by browsers and TeX."""

import re
import shutil
import subprocess
import sys
from dataclasses import replace
from html import unescape
from importlib.resources import files
from pathlib import Path

import html5lib
import pytest
from pages.fixture import page

from derive.language.term import eq, prose, var
from derive.pages import latex
from derive.pages.cancelled import marked
from derive.pages.mathml import TexError
from derive.pages.measure import measured
from derive.pages.model import Check, Hole, Mistake, Page, Verdict
from derive.pages.modes import blanked, practice, solution
from derive.pages.repertoire import DRAWABLE, MATHS
from derive.pages.site import Entry, Topic, html_page, index_page, tex_page
from derive.pages.tex import tex, tex_parts
from derive.pages.text import text_prose
from derive.view import load

NASTY = "<script>alert('x')</script> & </style> \\input{secret} 100% of $x_1$ #1 ~ ^ {"
SHEETS = {
    "solution": solution(page()),
    "practice": practice(page()),
    "half": practice(page(), 3),
    "key": solution(page(), 3),
}


@pytest.fixture(params=SHEETS.values(), ids=SHEETS.keys())
def sheet(request):
    return request.param


# ---- modes ----


def test_practice_takes_every_line_away_unless_a_seed_picks():
    lines = len(list(page().lines))
    assert len(blanked(page(), 0)) == lines
    picked = {blanked(page(), seed) for seed in range(1, 30)}
    assert all(1 <= len(numbers) <= lines for numbers in picked)
    assert len(picked) > 20


def test_a_seed_picks_at_least_one_line():
    short = replace(page(), sections=(replace(page().sections[0], lines=page().sections[0].lines[:1], results=()),))
    assert all(blanked(short, seed) == {1} for seed in range(40))


def test_no_answer_is_left_in_the_model_of_a_practice_sheet():
    for seed in range(5):
        asked = practice(page(), seed)
        assert all(not number.shown and not number.witnessed for number in asked.numbers)
        for line in asked.lines:
            assert (line.right is None) == (line.number in blanked(page(), seed)) == line.blank
            assert not (line.blank and (line.proved or line.witnessed))
        assert all(result.right is None for section in asked.sections for result in section.results)
        assert any(isinstance(piece, Hole) for piece in asked.title)


def test_no_answer_is_left_in_the_file():
    asked, full = html_page(practice(page())), html_page(solution(page()))
    answers = [f">= {tex_parts(marked(line.right, line.struck))[0]}<" for line in page().lines]
    body = asked.partition('<section class="subgoal"')[2].partition('<h2 class="label">Sanity')[0]
    for answer in answers:
        assert answer not in unescape(body)
        assert answer in unescape(full)


def test_sheet_and_key_share_number_and_seed():
    for seed in (0, 3, 77):
        assert practice(page(), seed).sheet == solution(page(), seed).sheet
        assert practice(page(), seed).seed == solution(page(), seed).seed == seed
    assert practice(page(), 1).sheet != practice(page(), 2).sheet


def test_the_key_marks_the_lines_that_were_blank():
    assert {line.number for line in solution(page(), 3).lines if line.blank} == blanked(page(), 3)
    assert not any(line.blank for line in solution(page()).lines)


def test_lines_are_as_high_in_practice_as_in_the_solution():
    for seed in range(4):
        asked, full = practice(page(), seed), solution(page(), seed)
        assert [line.tall for line in asked.lines] == [line.tall for line in full.lines]
        assert [s.tracks for s in asked.sections] == [s.tracks for s in full.sections]
        tall = re.compile(r'class="step[^"]*" style="--tall:(\d+)"')
        assert tall.findall(html_page(asked)) == tall.findall(html_page(full)) != []


def test_modes_are_pure_and_measuring_twice_changes_nothing():
    assert practice(page(), 5) == practice(page(), 5)
    assert measured(measured(page())) == measured(page())
    assert practice(solution(page(), 9), 5) == practice(page(), 5)


# ---- HTML ----


def test_every_sheet_is_valid_html(sheet):
    parser = html5lib.HTMLParser(strict=True)
    parser.parse(html_page(sheet))


def test_the_gallery_is_valid_html():
    claim = eq(var("x"), var("y"))
    entries = (
        Entry("a", "A & <b>", claim, True, (("solution", "a.html"), ("practice", "a-practice.html"))),
        Entry("c", "C", claim),
    )
    made = index_page((Topic("One", entries), Topic("Two", entries[1:])), lede=NASTY, colophon="end")
    html5lib.HTMLParser(strict=True).parse(made)
    assert "<script" not in made
    assert 'href="a-practice.html"' in made
    assert "1 result<" in made


def test_a_file_is_whole_and_asks_nothing_of_the_network(sheet):
    made = html_page(sheet)
    assert not re.search(r"<(script|link|img|iframe|object)\b", made)
    assert "@import" not in made
    assert all(target.startswith("data:font/woff2;base64,") for target in re.findall(r"url\(([^)]{0,40})", made))
    links = re.findall(r'\b(?:href|src)="([^"]*)"', made)
    assert links
    assert all(re.fullmatch(r"[a-z0-9-]+\.html", link) for link in links)


def test_text_can_do_no_harm():
    bad = replace(
        page(), title=prose(NASTY), goal=prose(NASTY), topic=NASTY, checks=(Check(NASTY, prose(NASTY)),),
        mistakes=(Mistake(prose(NASTY), prose(NASTY)),), sixty_seconds=prose(NASTY), numpy=f"x = 1  # {NASTY}\n",
    )  # fmt: skip
    for sheet in (solution(bad), practice(bad)):
        made = html_page(sheet)
        html5lib.HTMLParser(strict=True).parse(made)
        assert "<script" not in made
        assert made.count("</style>") == 1
        assert "\\input" not in tex_page(sheet)


def test_every_character_can_be_drawn(sheet):
    body = re.sub(r"<annotation.*?</annotation>", "", html_page(sheet).partition("<body")[2])
    seen = set(unescape(re.sub(r"<[^>]*>", "", body))) - {"\n"}
    assert not seen - DRAWABLE


def test_pages_do_not_depend_on_the_process():
    script = (
        "import hashlib; from pages.fixture import page; from derive.pages.site import html_page, tex_page; "
        "print(hashlib.sha256((html_page(page()) + tex_page(page())).encode()).hexdigest())"
    )
    tests = Path(__file__).parents[1]
    digests = {
        subprocess.run(
            [sys.executable, "-c", script], check=True, capture_output=True, text=True,
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": str(tests)},
        ).stdout
        for seed in ("1", "2")
    }  # fmt: skip
    assert len(digests) == 1


def test_a_page_of_the_least_is_a_page():
    least = Page("least", ("Least",), "Topic", ("Goal",), (), (), Verdict(0, 0, 0, 0), "00")
    for sheet in (solution(least), practice(least)):
        html5lib.HTMLParser(strict=True).parse(html_page(sheet))
        assert ">Given<" not in html_page(sheet)
        assert tex_page(sheet).endswith("\\end{document}")


# ---- fonts ----


def test_fonts_are_small_and_licensed():
    folder = files("derive.pages.fonts")
    fonts = [file for file in folder.iterdir() if file.name.endswith(".woff2")]
    assert len(fonts) == 5
    assert sum(len(file.read_bytes()) for file in fonts) < 90_000
    for name in ("OFL-STIX-Two.txt", "OFL-Source-Code-Pro.txt"):
        assert "SIL Open Font License" in (folder / name).read_text(encoding="utf-8")


def test_the_font_of_formulas_has_every_letter_and_its_table():
    font_tools = pytest.importorskip("fontTools.ttLib", reason="fontTools is in the extra dev")
    with (files("derive.pages.fonts") / "maths.woff2").open("rb") as file:
        font = font_tools.TTFont(file)
        assert {ord(character) for character in MATHS} <= set(font.getBestCmap())
        assert font["MATH"].table.MathConstants.SubscriptBaselineDropMin.Value == 0
        assert len(font["MATH"].table.MathVariants.VertGlyphCoverage.glyphs) > 10


# ---- LaTeX ----


@pytest.mark.parametrize(("text", "made"), [
    ("50% & more_", r"50\% \& more\_"), ("a\\b{c}", r"a\textbackslash{}b\{c\}"),
    ("δ ≤ 1", r"\ensuremath{\delta} \ensuremath{\leq} 1"),
    ("naïve – “so”", "naïve – “so”"), ("Wᵀ", r"W\ensuremath{{}^{\top}}"),
])  # fmt: skip
def test_text_is_escaped_for_latex(text, made):
    assert latex.escaped(text) == made


def test_what_a_small_tex_cannot_print_is_refused():
    with pytest.raises(TexError, match="U\\+4E2D"):
        latex.escaped("中")


def test_latex_has_the_same_formulas(sheet):
    made = tex_page(sheet)
    for line in sheet.lines:
        if line.right is not None:
            assert all(part in made for part in tex_parts(marked(line.right, line.struck)))
    assert tex(sheet.given[0].symbol) in made


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="there is no pdflatex")
def test_latex_compiles_without_a_warning_that_matters(sheet, tmp_path):
    source = replace(sheet, numpy='def f(δ):\n    """-- <<δ>> \'x\' `y` ,, !` ?` """\n    return {1: "#%&_~^\\\\$"}\n')
    (tmp_path / "sheet.tex").write_text(tex_page(source), encoding="utf-8")
    run = subprocess.run(
        ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "sheet.tex"],
        cwd=tmp_path,
        capture_output=True,
        check=False,
    )
    log = (tmp_path / "sheet.log").read_text(encoding="latin-1")
    assert run.returncode == 0, log[-2000:]
    assert not re.findall(
        r"^.*(?:undefined|Missing character|Font shape .* not available|LaTeX Warning).*$", log, re.MULTILINE
    )
    assert not [points for points in re.findall(r"Overfull \\hbox \((\d+\.\d+)pt", log) if float(points) > 5]


def test_a_bracket_is_explained_and_a_fixed_index_is_not_every_one():
    assert text_prose(load("variance-of-mean").page().convention).endswith("are equal and 0 elsewhere.")
    boxes = [box for section in load("pca-max-variance").page().sections for box in section.results]
    assert not [box for box in boxes if "for every max" in text_prose(box.reason)]
