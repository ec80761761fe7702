"""A finished page model as plain text, for a terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from typing import Final

from derive.pages.model import Hole, Holed, Line, Page, Result, Section, tag_runs
from derive.pages.text import INK, text, text_shape

WIDTH: Final = 100
_REASON: Final = 40
_MANY: Final = 4  # tags, beyond which runs of them are written as one


def text_page(page: Page) -> str:
    """Return a sheet as text: given, derivation, mistakes, the spoken answer, assumptions."""
    blocks = [_head(page), _said(page), *_given(page), *map(_section, page.sections), _instead(page), *_tail(page)]
    return "\n\n".join(filter(None, blocks)) + "\n"


def words(prose: Holed) -> str:
    """Return prose as text; a question for a hole."""
    return "".join(
        piece if isinstance(piece, str) else f"{text(piece.left)} = ?" if isinstance(piece, Hole) else text(piece)
        for piece in prose
    )


def _filled(label: str, prose: Holed, indent: str = "    ") -> str:
    start = f"{label}: " if label else indent
    return textwrap.fill(words(prose), WIDTH, initial_indent=start, subsequent_indent=indent) if prose else ""


def _head(page: Page) -> str:
    title = words(page.title)
    lines = [title, "=" * len(title), _filled("Asked", page.interview.prompt), _filled("Goal", page.goal)]
    return "\n".join(filter(None, [*lines, _filled("Convention", page.convention)]))


def _given(page: Page) -> Iterator[str]:
    rows = [
        (text(row.symbol), words(row.about), text_shape(row.shape), " ".join((words(row.defined), *_tags(row.tags))))
        for row in page.given
    ]
    if not rows:
        return
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    yield "\n".join(["Given", *("  " + "  ".join([*map(str.ljust, row[:3], widths), row[3]]).rstrip() for row in rows)])


def _tags(tags: tuple[str, ...]) -> list[str]:
    return [f"[{tag}]" for tag in tags] if len(tags) <= _MANY else [f"[{tag_runs(tags)}]"]


def _section(section: Section) -> str:
    out = [f"{section.letter}  {words(section.heading)}"]
    for line in section.lines:
        if line.heading:
            out.append(f"    {words(line.heading)}")
        out += _line(line)
    for result in section.results:
        out.append(f"  ∎  {_formula(result)}    ({_why(result)})")
    return "\n".join(out)


def _formula(row: Line | Result) -> str:
    left = text(row.left) if row.left is not None else ""
    right = text(row.right) if row.right is not None else ""
    return f"{left}{INK.signs[row.relation]}{right}".strip()


def _why(row: Line | Result) -> str:
    return " ".join([words(row.reason), *_tags(row.tags)])


def _line(line: Line) -> Iterator[str]:
    """Yield a line; its reason goes beside it where there is room, below it otherwise."""
    marks = "".join(["⊢" * line.proved, "≈" * line.witnessed])
    formula = f"{line.number:>4}  {_formula(line)}"
    reason = f"{_why(line)}  {marks}".strip()
    room = WIDTH - _REASON
    if len(formula) < room and len(reason) <= _REASON:
        yield f"{formula:<{room}}{reason}"
        return
    yield formula
    yield textwrap.fill(reason, WIDTH, initial_indent=" " * 10, subsequent_indent=" " * 10)


def _said(page: Page) -> str:
    said = page.said
    if said is None:
        return ""
    marks = "".join(["⊢" * said.refuted, "≈" * said.witnessed])
    verdict = "" if page.mode == "practice" else f"false {marks}"
    return "\n".join([_filled("Said", ("“", *said.words, "”")), f"    {text(said.claim)}  {verdict}".rstrip()])


def _instead(page: Page) -> str:
    said = page.said
    if said is None or page.mode == "practice":
        return ""
    rows = [_filled("Why it is believed", said.why), _filled("Instead", said.instead)]
    rows += [f"    {text(said.theorem)}"] if said.theorem is not None else []
    rows += [f"    proved in {said.link.slug}"] if said.link else []
    return "\n".join(rows)


def _numbers(page: Page) -> str:
    rows = [(f"  {text(n.term)} ≈ {n.shown}".rstrip(), words(n.about), "≈" * n.witnessed) for n in page.numbers]
    return "\n".join(["Numbers", *("  ".join(filter(None, row)) for row in rows)]) if rows else ""


def _tail(page: Page) -> Iterator[str]:
    yield _numbers(page)
    if page.mistakes:
        rows = [f"  {words(mistake.wrong)}\n{_filled('', mistake.why, ' ' * 6)}" for mistake in page.mistakes]
        yield "\n".join(["Common mistakes", *rows])
    if page.checks:
        yield "\n".join(["Sanity checks", *(_filled(f"  {check.name}", check.text, " " * 6) for check in page.checks)])
    if page.misstated and page.mode != "practice":
        yield "\n".join(["Often misstated", *(f"  {link.text} ({link.slug})" for link in page.misstated)])
    yield _filled("In sixty seconds", page.sixty_seconds)
    yield "\n".join(
        f"Assumed [{row.tag}]: {words(row.formula)}" + (f" ({words(row.used)})" if row.used else "")
        for row in page.assumptions
    )
    verdict = page.verdict
    seen = f"{verdict.witnessed} witnessed at {verdict.digits} digits" if verdict.witnessed else "not witnessed here"
    rests = f"{verdict.assumed or 'no'} {'assumption' if verdict.assumed == 1 else 'assumptions'}"
    yield (
        f"{verdict.proved} of {verdict.lines} lines proved (⊢), {seen}, {rests}; "
        f"sheet {page.sheet}, certificate {page.certificate[:16]}"
    )
