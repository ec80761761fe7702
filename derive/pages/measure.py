"""How wide a formula and how high a line will be, near enough to lay a page out before any browser has seen it."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import lru_cache
from typing import Final, TypeVar
from xml.etree.ElementTree import Element, fromstring

from derive.language.term import Term
from derive.pages.mathml import mathml
from derive.pages.model import Hole, Line, Page, Prose, Result, Tracks
from derive.pages.tex import tex, tex_parts

# Advance widths in em, by what a character is; the averages of the embedded fonts.
_WIDE: Final = {"=": 1.25, "≤": 1.25, "≥": 1.25, "<": 1.25, ">": 1.25, "≠": 1.25, "⟺": 2.2, "⇒": 1.7, "+": 1.15, "−": 1.15,
                "∑": 1.1, "∏": 1.1, "∫": 0.6, "⊙": 1.25, "×": 1.15, "⊗": 1.25, ",": 0.4, "(": 0.36, ")": 0.36, "[": 0.38, "]": 0.38,
                "|": 0.3, "/": 0.4, "′": 0.3, "·": 0.5, "∣": 0.7, "\N{FUNCTION APPLICATION}": 0.0, "𝔼": 0.65, "∂": 0.55}  # fmt: skip
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
    return _width(fromstring(mathml(formula, display))[0][0])


def _width(node: Element) -> float:
    text = node.text or ""
    if node.tag == "mo" and node.get("form") == "prefix" and text in {"−", "+"}:
        return 0.68
    if node.tag in {"mi", "mo", "mn", "mtext"}:
        return _WIDE.get(text, _LETTER if len(text) < 2 else _WORD_LETTER * len(text))  # noqa: PLR2004
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


def prose_width(prose: Prose) -> float:
    """Return the width of prose in em, on one line."""
    return sum(_piece_width(piece) for piece in prose)


def _piece_width(piece: str | Term | Hole) -> float:
    if isinstance(piece, str):
        return _TEXT_LETTER * len(piece)
    return width(tex(piece.left if isinstance(piece, Hole) else piece), False) + (2.0 if isinstance(piece, Hole) else 0.0)


def text_rows(prose: Prose, available: float) -> int:
    """Return how many lines of text prose takes in a column, in em."""
    return max(1, math.ceil(1.06 * prose_width(prose) / available)) if prose else 0


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
_MOST_LEFT: Final = 7.0


def measured(page: Page) -> Page:
    """Return the page with the columns of its proof and the heights of its lines, as the solution needs them."""
    if page.tracks:
        return page
    rows: list[Line | Result] = [*page.lines, *(r for s in page.sections for r in s.results), *page.results]
    lefts = [wide for row in rows if (wide := _left(row)) <= _MOST_LEFT]
    left = round(max([_LEAST_LEFT, *lefts]) + 0.05, 1)
    rights = [sum(map(width, tex_parts(row.right))) for row in rows if row.right is not None]
    fits = max(rights, default=0.0) <= _room(left, REASON)
    tracks = Tracks(left, REASON if fits else NARROW_REASON)
    sections = tuple(
        replace(
            section,
            lines=tuple(_fitted(line, tracks) for line in section.lines),
            results=tuple(_fitted(result, tracks) for result in section.results),
        )
        for section in page.sections
    )
    return replace(page, tracks=tracks, sections=sections, results=tuple(_fitted(r, tracks) for r in page.results))


def _left(row: Line | Result) -> float:
    if row.left is None:
        return 0.0
    return (width(tex(row.left, True)) + 0.7) * (_ENLARGED if isinstance(row, Result) else 1.0)


def _room(left: float, reason: float) -> float:
    """Return what is left for right sides, in em."""
    relation = 1.2
    return BLOCK - NUMBER - left - reason - MARK - relation


Row = TypeVar("Row", Line, Result)


def _fitted(row: Row, tracks: Tracks) -> Row:
    if row.right is None:
        return row
    stacked = _left(row) > _MOST_LEFT
    parts = tex_parts(row.right)
    high = any(mark in part for part in parts for mark in _TALL)
    left_high = row.left is not None and any(mark in tex(row.left, True) for mark in _TALL)
    tall = 3 if high or (left_high and not stacked) else 2
    tall += (formula_rows(parts, _room(tracks.left, tracks.reason)) - 1) * (3 if high else 2)
    tall += (3 if left_high else 2) if stacked else 0
    tags = 2.2 * len(row.tags)
    words = text_rows((*row.reason, " " * round(tags / _TEXT_LETTER)), (tracks.reason - 1.0) / SMALL)
    reason = math.ceil(_REASON_LINE * words + 0.3) if words > 2 else 2  # noqa: PLR2004 - two lines of reason fit in two units
    return replace(row, tall=max(tall, reason), stacked=stacked)




def squeeze(row: Line | Result, page: Page) -> float:
    """Return by how much a right side must shrink for its widest unbreakable part to fit its column: 1, or less."""
    if row.right is None or page.tracks is None:
        return 1.0
    widest = max(map(width, tex_parts(row.right))) * (_ENLARGED if isinstance(row, Result) else 1.0)
    share = _room(page.tracks.left, page.tracks.reason) / widest
    return 1.0 if share >= 1 else max(_SMALLEST, math.floor(share * 20) / 20)
