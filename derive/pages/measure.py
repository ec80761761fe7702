"""How wide a formula and how high a line will be, near enough to lay a page out before any browser has seen it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Final, TypeVar
from xml.etree.ElementTree import Element, fromstring

from derive.language.term import Term
from derive.pages.mathml import mathml
from derive.pages.model import Hole, Holed, Line, Mistake, Page, Result, Section, Tracks
from derive.pages.tex import tex, tex_parts

# Advance widths in em, by what a character is; the averages of the embedded fonts.
_WIDE: Final = {
    **dict.fromkeys("=≤≥<>≠⊙⊗", 1.25),
    **dict.fromkeys("+−×", 1.15),
    **dict.fromkeys("()[]", 0.37),
    "⟺": 2.2,
    "⇒": 1.7,
    "∑": 1.1,
    "∏": 1.1,
    "∫": 0.6,
    ",": 0.4,
    "|": 0.3,
    "/": 0.4,
    "′": 0.3,
    "·": 0.5,
    "∣": 0.7,
    "𝔼": 0.65,
    "∂": 0.55,
    "\N{FUNCTION APPLICATION}": 0.0,
}
_LETTER: Final = 0.52
_WORD_LETTER: Final = 0.47
_SCRIPT: Final = 0.72
_TEXT_LETTER: Final = 0.45

# The tracks of a step in rem: what the style sheet sets, on the narrower paper (A4).
BLOCK: Final = 46.4
NUMBER: Final = 1.9
MARK: Final = 5.6
REASON: Final = 16.0
NARROW_REASON: Final = 11.5
SMALL: Final = 0.9


@lru_cache(maxsize=4096)
def width(formula: str, display: bool = True) -> float:
    """Return the width of TeX in em."""
    return _width(fromstring(mathml(formula, display))[0][0])  # noqa: S314 - our own MathML


def _width(node: Element) -> float:
    text = node.text or ""
    if node.tag == "mo" and node.get("form") == "prefix" and text in {"−", "+"}:
        return 0.68
    if node.tag in {"mi", "mo", "mn", "mtext"}:
        return _WIDE.get(text, _LETTER if len(text) < 2 else _WORD_LETTER * len(text))
    if node.tag == "mspace":
        return float((node.get("width") or "0").removesuffix("em"))
    parts = [_width(child) for child in node]
    if node.tag == "mfrac":
        return max(parts) + 0.2
    if node.tag in {"msub", "msup"}:
        return parts[0] + _SCRIPT * parts[1]
    if node.tag == "msubsup":
        return parts[0] + _SCRIPT * max(parts[1:])
    if node.tag in {"munder", "mover", "munderover"}:
        return max(parts[0], *(_SCRIPT * part for part in parts[1:]))
    if node.tag == "msqrt":
        return sum(parts) + 0.8
    return sum(parts)


def prose_width(prose: Holed) -> float:
    """Return the width of prose in em, on one line."""
    return sum(_piece_width(piece) for piece in prose)


def _piece_width(piece: str | Term | Hole) -> float:
    if isinstance(piece, str):
        return _TEXT_LETTER * len(piece)
    return width(tex(piece.left if isinstance(piece, Hole) else piece), False) + (
        2.0 if isinstance(piece, Hole) else 0.0
    )


def text_rows(prose: Holed, available: float) -> int:
    """Return how many lines of text prose takes in a column, in em."""
    return max(1, math.ceil(1.06 * prose_width(prose) / available)) if prose else 0


def wrong_width(mistakes: Iterable[Mistake]) -> float:
    """Return the width in rem of a column that holds what is wrong: up to half of the page."""
    widest = max((prose_width(mistake.wrong) for mistake in mistakes), default=0.0)
    return round(min(max(8.0, widest + 1.5), BLOCK / 2), 1)


def formula_rows(parts: tuple[str, ...], available: float) -> int:
    """Return on how many rows the parts of a formula stand when each goes where there is room."""
    rows, used = 1, 0.0
    for part in parts:
        wide = width(part)
        if used and used + wide > available:
            rows, used = rows + 1, 1.6
        used += wide
    return rows


_TALL: Final = ("\\frac", "\\sum", "\\prod", "\\int")
_ENLARGED: Final = 1.15  # results are printed larger
_REASON_LINE: Final = 0.85
_SMALLEST: Final = 0.7
_LEAST_LEFT: Final = 2.2
_USUAL_LEFT: Final = 7.0
_MOST_LEFT: Final = 12.0


def measured(page: Page) -> Page:
    """Return the page with the columns of its proofs and the heights of their lines, as the solution needs them."""
    return replace(page, sections=tuple(map(_measured, page.sections)))


def _measured(section: Section) -> Section:
    if section.tracks:
        return section
    tracks = _tracks((*section.lines, *section.results))
    lines = tuple(_fitted(line, tracks) for line in section.lines)
    return replace(
        section, tracks=tracks, lines=lines, results=tuple(_fitted(result, tracks) for result in section.results)
    )


def _tracks(rows: Sequence[Line | Result]) -> Tracks:
    """Return columns that hold the rows: wide left sides get their room if the right sides leave it."""
    rights = [sum(map(width, tex_parts(row.right))) for row in rows if row.right is not None]
    widest = max(rights, default=0.0)
    most, usual = (
        max([_LEAST_LEFT, *(wide for row in rows if (wide := _left(row)) <= limit)])
        for limit in (_MOST_LEFT, _USUAL_LEFT)
    )
    choices = [(most, REASON), (most, NARROW_REASON), (usual, REASON)]
    fitting = (choice for choice in choices if widest <= _room(*choice))
    left, reason = next(fitting, (usual, NARROW_REASON))
    return Tracks(math.ceil(left * 10) / 10, reason)


def _left_tex(row: Line | Result) -> str:
    return "" if row.left is None else tex(row.left, True)


def _left(row: Line | Result) -> float:
    left = _left_tex(row)
    if not left:
        return 0.0
    return (width(left) + 0.7) * (_ENLARGED if isinstance(row, Result) else 1.0)


def _room(left: float, reason: float) -> float:
    """Return what is left for right sides, in em."""
    relation = 1.6
    return BLOCK - NUMBER - left - reason - MARK - relation


def _is_high(formula: str) -> bool:
    return any(mark in formula for mark in _TALL)


Row = TypeVar("Row", Line, Result)


def _fitted(row: Row, tracks: Tracks) -> Row:
    if row.right is None:
        return row
    stacked = bool(_left(row) > tracks.left)
    parts = tex_parts(row.right)
    high = any(map(_is_high, parts))
    left_high = _is_high(_left_tex(row))
    tall = 3 if high or (left_high and not stacked) else 2
    tall += (formula_rows(parts, _room(tracks.left, tracks.reason)) - 1) * (3 if high else 2)
    tall += (3 if left_high else 2) if stacked else 0
    tags = 2.2 * len(row.tags)
    words = text_rows((*row.reason, " " * round(tags / _TEXT_LETTER)), (tracks.reason - 1.0) / SMALL)
    reason = math.ceil(_REASON_LINE * words + 0.3) if words > 2 else 2
    return replace(row, tall=max(tall, reason), stacked=stacked)


def squeeze(row: Line | Result, tracks: Tracks) -> float:
    """Return by how much a right side must shrink for its widest unbreakable part to fit its column: 1, or less."""
    if row.right is None:
        return 1.0
    widest = max(map(width, tex_parts(row.right))) * (_ENLARGED if isinstance(row, Result) else 1.0)
    share = _room(tracks.left, tracks.reason) / widest
    return 1.0 if share >= 1 else max(_SMALLEST, math.floor(share * 20) / 20)
