"""How wide a formula and how high a line will be, near enough to lay a page out before any browser has seen it."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import lru_cache
from importlib.resources import files
from typing import Final, TypeVar
from xml.etree.ElementTree import Element, fromstring

from derive.language.term import Prose, Term
from derive.pages.cancelled import marked
from derive.pages.mathml import mathml
from derive.pages.model import Given, Hole, Holed, Line, Mistake, Number, Page, Result, Section, Tracks
from derive.pages.tex import tex, tex_parts, tex_quoted, tex_shape

# What stands on both sides of an operator in em, where its element does not say.
_AROUND: Final = {
    **dict.fromkeys("=≤≥<>≠≈≡∼∝∈→⇒∣⊢", 0.556),
    **dict.fromkeys("+−×⊙⊗·±∧∘", 0.444),
    **dict.fromkeys("∑∏∫", 0.334),
    ",": 0.167,
}
_GROWN: Final = {"∑": 1.4, "∏": 1.4, "∫": 1.2}  # in display style
_TALL_BRACKET: Final = 1.7
_SCRIPT: Final = 0.71
_KERN: Final = 0.06  # before a script
# The first letter of a run, and the italic one that a browser draws for it.
_ITALIC: Final = (("A", "Z", 0x1D434), ("a", "z", 0x1D44E), ("α", "ω", 0x1D6FC))

# The tracks of a step in rem: what the style sheet sets, on the narrower paper (A4).
BLOCK: Final = 46.4
NUMBER: Final = 1.9
MARK: Final = 5.6
REASON: Final = 16.0
NARROW_REASON: Final = 11.5
SMALL: Final = 0.9
_PADDING: Final = 1.3  # of a cell of the table of what is given
NUMBERS: Final = 22.0  # of numbers that are quoted, with room for their decimals
CLAIM: Final = 31.0  # of the index, where titles stand before the claims


@lru_cache(maxsize=1)
def _advances() -> dict[str, dict[str, float]]:
    """Return the advance widths of the embedded fonts in em."""
    source = (files("derive.pages.fonts") / "widths.json").read_text(encoding="utf-8")
    return {font: {c: wide / 1000 for c, wide in table.items()} for font, table in json.loads(source).items()}


@lru_cache(maxsize=4096)
def width(formula: str, display: bool = True) -> float:
    """Return the width of TeX in em."""
    return _width(fromstring(mathml(formula, display))[0][0], display)  # noqa: S314 - our own MathML


def _width(node: Element, display: bool) -> float:
    rule = _WIDTHS.get(node.tag)
    if rule:
        return rule(node, display)
    return sum(_width(child, display) for child in node)


def _letters(node: Element, _display: bool) -> float:
    text, table = node.text or "", _advances()["maths"]
    if node.tag == "mi" and len(text) == 1 and not node.get("mathvariant"):
        text = _italic(text)
    return sum(table.get(character, 0.55) for character in text)


def _italic(letter: str) -> str:
    """Return the letter that a browser draws for a single-letter identifier."""
    runs = (chr(italic + ord(letter) - ord(first)) for first, last, italic in _ITALIC if first <= letter <= last)
    return letter if letter == "h" else next(runs, letter)


def _operator(node: Element, display: bool) -> float:
    text = node.text or ""
    usual = _AROUND.get(text, 0.0) / 2
    sides = sum(float((node.get(side) or str(usual)).removesuffix("em")) for side in ("lspace", "rspace"))
    grown = _GROWN.get(text, 1.0) if display else 1.0
    return _letters(node, display) * (_TALL_BRACKET if node.get("stretchy") == "true" else grown) + sides


def _scripted(node: Element, display: bool) -> float:
    base, *scripts = node
    return _width(base, display) + _SCRIPT * max(_width(script, False) for script in scripts) + _KERN


def _under(node: Element, display: bool) -> float:
    if not display and node[0].get("movablelimits"):
        return _scripted(node, display)
    scripts = [0.0 if node.get("accent") else _SCRIPT * _width(script, False) for script in node[1:]]
    operator = node[0].get("movablelimits") == "true" and (node[0].text or "") in _GROWN
    return max(_width(node[0], display), *(wide + (0.167 if operator else 0.0) for wide in scripts))


def _fraction(node: Element, display: bool) -> float:
    scale = 1.0 if display else _SCRIPT
    return max(_width(part, False) for part in node) * scale + 0.1


_WIDTHS: Final[dict[str, Callable[[Element, bool], float]]] = {
    "mi": _letters,
    "mn": _letters,
    "mtext": _letters,
    "mo": _operator,
    "mspace": lambda node, display: float((node.get("width") or "0").removesuffix("em")),
    "mfrac": _fraction,
    "mtable": lambda node, display: max(sum(_width(cell, False) + 0.6 for cell in row) for row in node),
    **dict.fromkeys(("msub", "msup", "msubsup"), _scripted),
    **dict.fromkeys(("munder", "mover", "munderover"), _under),
    "msqrt": lambda node, display: sum(_width(child, display) for child in node) + 0.8,
}


def prose_width(prose: Holed) -> float:
    """Return the width of prose in em, on one line."""
    return sum(_piece_width(piece) for piece in prose)


def _piece_width(piece: str | Term | Hole) -> float:
    if isinstance(piece, str):
        table = _advances()["roman"]
        return sum(table.get(character, 0.5) for character in piece)
    return width(tex(piece.left if isinstance(piece, Hole) else piece), False) + (
        2.0 if isinstance(piece, Hole) else 0.0
    )


def number_parts(number: Number) -> tuple[str, ...]:
    """Return a number that is quoted and its decimals in parts between which a line may be broken."""
    return tex_quoted(number.term, number.shown, lambda part: width(part) > NUMBERS)


def text_rows(prose: Holed, available: float) -> int:
    """Return how many lines of text prose takes in a column, in em."""
    return max(1, math.ceil(1.04 * prose_width(prose) / available)) if prose else 0


def given_widths(given: Sequence[Given]) -> tuple[float, float, float, float]:
    """Return the widths in rem of the table of what is given: symbol, what it is, its definition, its shape."""
    symbol = max((width(tex(row.symbol), False) for row in given), default=0.0) + 1.3
    shape = max((width(tex_shape(row.shape), False) for row in given), default=0.0) + 0.5
    about = min(max((prose_width(row.about) for row in given), default=0.0) + 1.3, 16.0)
    symbol, shape = max(3.5, symbol), max(3.5, shape)
    widest = max((_widest(row.defined) for row in given), default=0.0)
    about = max(min(about, BLOCK - symbol - shape - widest - 1.5), 10.5)
    return round(symbol, 1), round(about, 1), round(BLOCK - symbol - about - shape, 1), round(shape, 1)


def defined_scale(defined: Prose, available: float) -> float:
    """Return by how much a definition must shrink for its widest formula to fit its column: 1, or less."""
    widest = _widest(defined, available)
    return _share((available - _PADDING) / widest if widest else 1.0)


def defined_parts(definition: Term, available: float = math.inf) -> tuple[str, ...]:
    """Return the formula of a definition in parts between which a line may be broken, each in its column if it can."""
    if definition.op != "eq":
        return (tex(definition),)
    symbol = f"{tex(definition.args[0])} = "
    room = available - _PADDING - width(symbol, False)
    first, *others = tex_parts(definition.args[1], False, lambda part: width(part, False) > room)
    return (f"{symbol}{first}", *others)


def _widest(defined: Prose, available: float = math.inf) -> float:
    """Return the width of the widest part of a definition that cannot be broken."""
    parts = (part for piece in defined if isinstance(piece, Term) for part in defined_parts(piece, available))
    return max((width(part, False) for part in parts), default=0.0)


def wrong_width(mistakes: Iterable[Mistake]) -> float:
    """Return the width in rem of a column that holds what is wrong: up to half of the page."""
    widest = max((prose_width(mistake.wrong) for mistake in mistakes), default=0.0)
    return round(min(max(8.0, widest + 1.5), BLOCK / 2), 1)


def formula_rows(parts: tuple[str, ...], available: float) -> list[bool]:
    """Return the rows of the parts of a formula when each goes where there is room: whether a row is high."""
    rows, used = [False], 0.0
    for part in parts:
        wide = width(part)
        if used and used + wide > available:
            rows, used = [*rows, False], 1.6
        rows[-1] |= _is_high(part)
        used += wide
    return rows


_TALL: Final = ("\\frac", "\\sum", "\\prod", "\\int", "\\begin")
_ENLARGED: Final = 1.15  # results are printed larger
_A_LITTLE: Final = 0.9
_REASON_LINE: Final = 0.85
_SMALLEST: Final = 0.6
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
    relation = 1.7
    return BLOCK - NUMBER - left - reason - MARK - relation


def _is_high(formula: str) -> bool:
    return any(mark in formula for mark in _TALL)


Row = TypeVar("Row", Line, Result)


def _fitted(row: Row, tracks: Tracks) -> Row:
    if row.right is None:
        return row
    stacked = bool(_left(row) > tracks.left)
    parts = row_parts(row, tracks)
    first, *others = formula_rows(parts, _own_room(row, tracks))
    left_high = _is_high(_left_tex(row))
    tall = 3 if first or (left_high and not stacked) else 2
    tall += sum(2 if high else 1 for high in others)
    tall += (3 if left_high else 2) if stacked else 0
    tags = 2.2 * len(row.tags)
    words = text_rows((*row.reason, "m" * round(tags)), reason_width(tracks))
    reason = math.ceil(_REASON_LINE * words + 0.3) if words > 2 else 2
    return replace(row, tall=max(tall, reason), stacked=stacked)


def _own_room(row: Line | Result, tracks: Tracks) -> float:
    """Return the room of a right side in em of its own size: boxed ones are larger."""
    return _room(tracks.left, tracks.reason) / (_ENLARGED if isinstance(row, Result) else 1.0)


def row_parts(row: Line | Result, tracks: Tracks) -> tuple[str, ...]:
    """Return a right side in parts between which a line may be broken, each in its column if it can.

    Where it is enough to print it a little smaller, nothing is broken inside of brackets.
    """
    if row.right is None:
        return ()
    room = _own_room(row, tracks)
    shown = marked(row.right, row.struck if isinstance(row, Line) else ())
    whole = tex_parts(shown)
    if max(map(width, whole)) * (_A_LITTLE**2 if isinstance(row, Result) else _A_LITTLE) <= room:
        return whole
    return tex_parts(shown, wide=lambda part: width(part) > room)


def left_parts(row: Line | Result, tracks: Tracks) -> tuple[str, ...]:
    """Return a left side in parts between which a line may be broken, each in the columns before the reason."""
    if row.left is None:
        return ()
    room = tracks.left + _room(tracks.left, tracks.reason)
    return tex_parts(row.left, wide=lambda part: width(part) > room)


def squeeze(row: Line | Result, tracks: Tracks) -> float:
    """Return by how much a right side must shrink for its widest unbreakable part to fit its column: 1, or less."""
    if row.right is None:
        return 1.0
    return _share(_own_room(row, tracks) / max(map(width, row_parts(row, tracks))))


def reason_width(tracks: Tracks) -> float:
    """Return the room of a reason in em of its own size."""
    return (tracks.reason - 1.0) / SMALL


def part_scale(part: str, available: float) -> float:
    """Return by how much a part of a formula in a text must shrink to fit a column: 1, or less."""
    return _share(available / max(1.0, width(part, False)))


def claim_scale(parts: Iterable[str]) -> float:
    """Return by how much a claim must shrink for its widest unbreakable part to fit the index, however small."""
    return min(1.0, math.floor(20 * CLAIM / max(1.0, *(width(part, False) for part in parts))) / 20)


def _share(share: float) -> float:
    return 1.0 if share >= 1 else max(_SMALLEST, math.floor(share * 20) / 20)
