"""A derivation as a piece of HTML for a notebook: the claim and its lines, without fonts or style sheet."""

from __future__ import annotations

from collections.abc import Iterator

from markupsafe import Markup, escape

from derive.language.term import Prose
from derive.pages.compose import lines_of, text_of
from derive.pages.mathml import mathml
from derive.pages.model import Line
from derive.pages.tex import INK, tex
from derive.record import Misstatement, Record


def html_fragment(entry: Record, witnessed: frozenset[tuple[str, int]]) -> str:
    """Return the claim of an entry and the lines of its main proof, as HTML with MathML."""
    claim = _maths(tex(entry.claim, True), True)
    rows = Markup("").join(_rows(lines_of(entry, witnessed)))
    false = Markup(" <em>false</em>") if isinstance(entry, Misstatement) else ""
    head = Markup("<p><strong>{}</strong></p><p>{}{}</p>").format(text_of(entry.title), claim, false)
    return f'<div class="derive">{head}<table>{rows}</table></div>'


def _rows(lines: tuple[Line, ...]) -> Iterator[Markup]:
    cell = Markup('<td style="text-align:left">{}</td>')
    for line in lines:
        left = _maths(tex(line.left, True), True) if line.left is not None else ""
        right = (
            _maths(f"{INK.signs[line.relation].strip()} {tex(line.right, True)}", True)
            if line.right is not None
            else ""
        )
        marks = "⊢" * line.proved + "≈" * line.witnessed
        cells = (str(line.number), left, right, _prose(line.reason), marks)
        yield Markup("<tr>{}</tr>").format(Markup("").join(cell.format(c) for c in cells))


def _prose(prose: Prose) -> Markup:
    return Markup("").join(escape(piece) if isinstance(piece, str) else _maths(tex(piece)) for piece in prose)


def _maths(formula: str, display: bool = False) -> Markup:
    return Markup(mathml(formula, display))  # noqa: S704 - serialised from an element tree
