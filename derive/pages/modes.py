"""The modes of a sheet, as functions from page to page: the practice sheet, and the solution that is its key."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace

from derive.language.term import Term
from derive.pages.measure import measured
from derive.pages.model import RELATIONS, Hole, Holed, Line, Page, Result


def blanked(page: Page, seed: int) -> frozenset[int]:
    """Return the numbers of the lines that a seed takes away: all of them for seed 0, else about half, at least one."""
    numbers = [line.number for line in page.lines]
    if seed == 0 or not numbers:
        return frozenset(numbers)
    draw = {n: hashlib.sha256(f"{page.slug}/{seed}/{n}".encode()).digest() for n in numbers}
    chosen = frozenset(n for n in numbers if draw[n][0] % 2)
    return chosen or frozenset([min(numbers, key=lambda n: draw[n])])


def solution(page: Page, seed: int = 0) -> Page:
    """Return the key of the practice sheet with the same seed: nothing is hidden, and a seed's lines are marked."""
    chosen = blanked(page, seed) if seed else frozenset[int]()
    marked = _each_line(measured(page), lambda line: replace(line, blank=line.number in chosen))
    return replace(marked, mode="solution", seed=seed)


def practice(page: Page, seed: int = 0) -> Page:
    """Return the practice sheet: no answer is left in the model, and every height is that of the solution."""
    page, chosen = measured(page), blanked(page, seed)

    def hide(line: Line) -> Line:
        if line.number not in chosen:
            told = line.number + 1 in chosen  # what cancels is half of the next line
            return replace(line, blank=False, struck=frozenset() if told else line.struck)
        return replace(line, right=None, blank=True, proved=False, witnessed=False, struck=frozenset())

    def ask(result: Result) -> Result:
        return replace(result, right=None)

    sections = tuple(
        replace(section, heading=_asked(section.heading), results=tuple(map(ask, section.results)))
        for section in _each_line(page, hide).sections
    )
    numbers = tuple(replace(number, shown="", witnessed=False) for number in page.numbers)
    said = page.said and replace(page.said, refuted=False, witnessed=False, theorem=None)
    asked = replace(page, title=_asked(page.title), sections=sections, numbers=numbers, said=said)
    return replace(asked, mode="practice", seed=seed)


def _asked(prose: Holed) -> Holed:
    """Return a title whose formulas end in a question mark."""
    return tuple(
        Hole(piece.args[0], piece.op) if isinstance(piece, Term) and piece.op in RELATIONS else piece for piece in prose
    )


def _each_line(page: Page, change: Callable[[Line], Line]) -> Page:
    return replace(page, sections=tuple(replace(s, lines=tuple(map(change, s.lines))) for s in page.sections))
