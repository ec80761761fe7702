"""A finished page model to a file: one call of one template."""

from __future__ import annotations

import base64
import io
import math
import re
import tokenize
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from itertools import pairwise
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from derive.language.term import Shape, Term
from derive.pages import latex
from derive.pages.mathml import mathml
from derive.pages.measure import (
    BLOCK,
    SMALL,
    claim_scale,
    defined_parts,
    defined_scale,
    given_widths,
    measured,
    number_parts,
    part_scale,
    reason_width,
    row_parts,
    squeeze,
    text_rows,
    width,
    wrong_width,
)
from derive.pages.model import RELATIONS, Given, Hole, Holed, Line, Number, Page, Result, Tracks, tag_runs
from derive.pages.tex import INK, tex, tex_parts, tex_shape
from derive.pages.text import text

# family, style, file, range: what the style sheet names
_FONTS: Final = (
    ("Derive Maths", "normal", "maths.woff2", ""),
    ("Derive Text", "normal", "roman.woff2", ""),
    ("Derive Text", "italic", "italic.woff2", ""),
    ("Derive Code", "normal", "code.woff2", ""),
    ("Derive Code", "normal", "code-greek.woff2", "unicode-range:U+370-3FF;"),
)
_OPENING: Final = re.compile(r"[(\[“‘]+$")
_CLOSING: Final = re.compile(r"^[.,;:!?)\]”’]+")


@dataclass(frozen=True)
class Entry:
    """A row of the gallery: what is claimed, and which files there are."""

    slug: str
    title: str
    claim: Term
    flagship: bool = False
    files: tuple[tuple[str, str], ...] = ()
    false: bool = False


@dataclass(frozen=True)
class Step:
    """An entry among those that come equally early: what it is called, and the titles of what comes before it."""

    slug: str
    title: str
    after: tuple[str, ...] = ()


@dataclass(frozen=True)
class Topic:
    """A heading of the gallery and its entries."""

    name: str
    entries: tuple[Entry, ...]


# ---- public ---------------------------------------------------------------------------------------------------------


def html_page(page: Page) -> str:
    """Return a sheet as one self-contained HTML file."""
    finished = measured(page)
    return (
        _html()
        .get_template("sheet.html.j2")
        .render(page=finished, style=style_sheet(_footer(finished)), fonts=font_faces())
    )


def tex_page(page: Page) -> str:
    """Return a sheet as a LaTeX document for pdflatex."""
    return _latex().get_template("sheet.tex.j2").render(page=measured(page))


def index_page(
    topics: Iterable[Topic], *, levels: Iterable[Sequence[Step]] = (), lede: str = "", colophon: str = ""
) -> str:
    """Return the gallery as one self-contained HTML file: by topics, and by what comes before what."""
    footer = ("derive · the gallery", "")
    shown = {"topics": tuple(topics), "levels": tuple(levels), "lede": lede, "colophon": colophon}
    return _html().get_template("index.html.j2").render(**shown, style=style_sheet(footer), fonts=font_faces())


def template_folder() -> Path:
    """Return the folder of the templates: beside the package in a checkout, inside of it where it was installed."""
    package = Path(__file__).resolve().parents[1]
    for folder in (package / "templates", package.parent / "templates"):
        if (folder / "sheet.html.j2").is_file():
            return folder
    raise FileNotFoundError(
        f"the templates of derive are neither in {package} nor beside it: install the package again"
    )


# ---- what every page embeds -----------------------------------------------------------------------------------------


@lru_cache(maxsize=1)
def font_faces() -> Markup:
    """Return the embedded fonts as style rules."""
    folder = files("derive.pages.fonts")
    rules = []
    for family, slant, name, characters in _FONTS:
        data = base64.b64encode((folder / name).read_bytes()).decode("ascii")
        source = f'url(data:font/woff2;base64,{data}) format("woff2")'
        rules.append(f'@font-face{{font-family:"{family}";font-style:{slant};{characters}src:{source}}}')
    return Markup("\n".join(rules))  # noqa: S704 - our own files in base64


def style_sheet(footer: tuple[str, str]) -> Markup:
    """Return the style sheet, with the words at the foot of printed pages: on the left, and before the page number."""
    sheet = (template_folder() / "sheet.css").read_text(encoding="utf-8")
    face = 'font:8.5pt "Derive Text";color:#444;vertical-align:top;padding-top:4mm'
    contents = (_css_string(footer[0]), f'{_css_string(footer[1])} counter(page) " / " counter(pages)')
    places = zip(("left", "right"), contents, strict=True)
    boxes = [f"@bottom-{place}{{{face};white-space:pre;content:{content}}}" for place, content in places]
    return Markup(sheet + "\n@page{" + "".join(boxes) + "}")  # noqa: S704 - our own sheet; strings are escaped


def _css_string(words: str) -> str:
    return '"' + re.sub(r"[^\w .,·:/–-]", lambda found: f"\\{ord(found[0]):x} ", words) + '"'


def _footer(page: Page) -> tuple[str, str]:
    return f"{short_title(page)} · {page.mode}", f"{page.sheet} · seed {page.seed} · "


def plain_title(page: Page) -> str:
    """Return the title as text."""
    return "".join(_plain(piece) for piece in page.title)


def short_title(page: Page) -> str:
    """Return the title's words before its formula."""
    return plain_title(page).partition(":")[0]


def _plain(piece: str | Term | Hole) -> str:
    if isinstance(piece, str):
        return piece
    return text(piece) if isinstance(piece, Term) else f"{text(piece.left)} = ?"


_WIDE: Final = 12.0  # em: a formula that may be broken where it stands in a text


# ---- filters of the HTML templates ----------------------------------------------------------------------------------


def _maths(formula: str, display: bool = False, continued: bool = False) -> Markup:
    return Markup(mathml(formula, display, continued))  # noqa: S704 - serialised from an element tree


def _term(term: Term, display: bool = False) -> Markup:
    return _maths(tex(term, display), display)


def _claim(claim: Term) -> Markup:
    """Return a claim as several formulas between which a line may be broken."""
    parts = _parts(claim)
    share = claim_scale(parts)
    made = Markup("").join(_maths(part, False, number > 0) for number, part in enumerate(parts))
    return _sized(made, share)


def _parts(formula: Term, available: float = math.inf) -> tuple[str, ...]:
    """Return a formula in parts between which a line may be broken.

    In a column, before the sign of a relation too, and inside of a part that is wider than the column.
    """

    def wide(part: str) -> bool:
        return width(part, False) > available

    if formula.op in RELATIONS:
        (*before, last), (first, *after) = (tex_parts(side, False, wide) for side in formula.args)
        if available < math.inf:
            return (*before, last, f"{INK.signs[formula.op]}{first}", *after)
        return (*before, f"{last}{INK.signs[formula.op]}{first}", *after)
    if formula.op == "and":
        left, (first, *after) = (_parts(part, available) for part in formula.args)
        return (*left, f"{INK.signs['and']}{first}", *after)
    inner = formula
    while inner.op == "forall":
        inner = inner.args[-1]
    if formula is not inner and tex(formula).endswith(body := tex(inner)):
        first, *after = _parts(inner, available)
        return (f"{tex(formula).removesuffix(body)}{first}", *after)
    if formula.op == "tends" and tex(formula).startswith(body := tex(formula.args[-1])):
        return (*tex_parts(formula.args[-1], False, wide), tex(formula).removeprefix(body))
    return tex_parts(formula, False, wide)


def _inline(formula: Term, available: float = math.inf) -> list[Markup]:
    """Return a formula of a text, in parts where it is too wide for the rest of a line.

    A part that is too wide for its column is broken before the sign of a relation too, and printed smaller.
    """
    whole = tex(formula)
    parts = (whole,) if width(whole, False) < min(_WIDE, available) else _parts(formula)
    if max(width(part, False) for part in parts) > available:
        parts = _parts(formula, available)
    return [_sized(_maths(part, False, n > 0), part_scale(part, available)) for n, part in enumerate(parts)]


def _sized(made: Markup, share: float) -> Markup:
    return Markup('<span style="font-size:{}em">{}</span>').format(share, made) if share < 1 else made


def _together(*pieces: str | Markup) -> Markup:
    return Markup('<span class="nowrap">{}</span>').format(Markup("").join(pieces))


def _reason(prose: Holed, tracks: Tracks) -> Markup:
    return _prose(prose, reason_width(tracks))


def _prose(
    prose: Holed | str, available: float = math.inf, written: Callable[[Term, float], list[Markup]] = _inline
) -> Markup:
    """Return prose as HTML; punctuation is kept on the line of its formula."""
    pieces = [prose] if isinstance(prose, str) else list(prose)
    out = list[Markup]()
    for i, piece in enumerate(pieces):
        if isinstance(piece, str):
            out.append(escape(piece))
            continue
        formula = [_maths(_hole(piece))] if isinstance(piece, Hole) else written(piece, available)
        after = pieces[i + 1] if i + 1 < len(pieces) else ""
        closing = _CLOSING.match(after) if isinstance(after, str) else None
        opening = _OPENING.search(str(pieces[i - 1])) if i and isinstance(pieces[i - 1], str) else None
        if closing and isinstance(after, str):
            pieces[i + 1] = after[closing.end() :]
        if opening:
            out[-1] = Markup(out[-1][: -len(opening[0])])  # noqa: S704 - escaped above; brackets and quotes are one character each
        if opening:
            formula[0] = _together(opening[0], formula[0])
        if closing:
            formula[-1] = _together(formula[-1], closing[0])
        out += formula
    return Markup("").join(out)


def _hole(hole: Hole) -> str:
    return f"{tex(hole.left)}{INK.signs[hole.relation]}\\text{{ }}?"


def _left(row: Line | Result) -> Markup:
    return _term(row.left, True) if row.left is not None else Markup()


def _right(row: Line | Result, tracks: Tracks) -> Markup:
    """Return the relation and the right side, as several formulas between which a line may be broken."""
    sign = INK.signs[row.relation].strip()
    if row.right is None:
        return _maths(sign, True)
    first, *others = row_parts(row, tracks)
    pieces = [_maths(f"{sign} {first}", True), *(_maths(part, True, True) for part in others)]
    return Markup("").join(pieces)


def _quoted(number: Number) -> Markup:
    """Return a term and its decimals, as several formulas between which a line may be broken."""
    first, *others = number_parts(number)
    return Markup("").join([_maths(first, True), *(_maths(part, True, True) for part in others)])


def _squeezed(row: Line | Result, tracks: Tracks) -> Markup:
    """Return a smaller size for a right side of which one unbreakable part is wider than its column."""
    share = squeeze(row, tracks)
    return Markup(' style="font-size:{}em"').format(share) if share < 1 else Markup()


def _defined(row: Given, available: float) -> Markup:
    """Return a definition, smaller where its widest formula needs it."""
    share = defined_scale(row.defined, available)
    return _sized(_prose(row.defined, available, _definition), share)


def _definition(formula: Term, available: float) -> list[Markup]:
    """Return the formula of a definition, as several between which a line may be broken."""
    first, *others = defined_parts(formula, available)
    return [_maths(first), *(_maths(part, False, True) for part in others)]


def _shape(shape: Shape) -> Markup:
    made = str(_maths(tex_shape(shape)))
    if "{\\times}" in made:  # MathML spaces every operator, in braces or not
        made = made.replace("<mo>×</mo>", '<mo lspace="0" rspace="0">×</mo>')
    return Markup(made)  # noqa: S704 - MathML of our own making


def _code(source: str) -> Markup:
    """Return Python source with its comments marked; a page break leaves each definition whole."""
    lines = source.rstrip("\n").split("\n")
    starts = dict[int, int]()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            starts[token.start[0] - 1] = token.start[1]
    marked = []
    for number, line in enumerate(lines):
        cut = starts.get(number, len(line))
        comment = Markup('<span class="line-reference">{}</span>').format(line[cut:]) if cut < len(line) else ""
        marked.append(escape(line[:cut]) + comment)
    starts_block = [n for n, line in enumerate(lines) if n and not lines[n - 1] and line[:1].strip()]
    blocks = [marked[a:b] for a, b in pairwise((0, *starts_block, len(lines)))]
    return Markup("\n").join(
        Markup('<span class="whole">{}</span>').format(Markup("\n").join(block).rstrip("\n") + "\n") for block in blocks
    )


def _rows(prose: Holed | str, width: float = BLOCK) -> int:
    """Return how many lines of text prose takes in a column of a width in rem."""
    return text_rows((prose,) if isinstance(prose, str) else prose, width)


def _ruled(prose: Holed | str, width: float = BLOCK) -> int:
    """Return how many ruled lines, each of 1.6 units, are as high as the prose that they stand for."""
    return max(1, math.ceil(_rows(prose, width) / 1.6))


# ---- environments ---------------------------------------------------------------------------------------------------

_HTML_FILTERS: Final[Mapping[str, object]] = {
    "term": _term,
    "prose": _prose,
    "reason": _reason,
    "left": _left,
    "right": _right,
    "quoted": _quoted,
    "claim": _claim,
    "squeezed": _squeezed,
    "defined": _defined,
    "given_widths": given_widths,
    "tag_runs": tag_runs,
    "shape": _shape,
    "code": _code,
    "wrong_width": wrong_width,
    "rows": _rows,
    "ruled": _ruled,
    "plain_title": plain_title,
}


@lru_cache(maxsize=1)
def _html() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(template_folder()),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(_HTML_FILTERS)
    environment.globals["small"] = SMALL
    return environment


@lru_cache(maxsize=1)
def _latex() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(template_folder()),
        autoescape=False,  # noqa: S701 - HTML's escapes mean nothing to TeX: `latex.escaped` finalises every value
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        block_start_string="<%",
        block_end_string="%>",
        variable_start_string="<<",
        variable_end_string=">>",
        comment_start_string="<!--",
        comment_end_string="-->",
        finalize=latex.escaped,
    )
    environment.filters.update(latex.FILTERS)
    environment.filters.update(
        ruled=_ruled,
        rows=_rows,
        short_title=short_title,
        wrong_width=wrong_width,
        tag_runs=tag_runs,
        given_widths=given_widths,
    )
    return environment
