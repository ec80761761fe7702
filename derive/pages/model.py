"""The page model: what a page shows, as plain frozen data."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

from derive.language.term import Prose, Shape, Term

Mode = Literal["solution", "practice"]
Position = tuple[int, ...]  # of a part of a term: argument numbers, from the outside in
RELATIONS: Final = frozenset(("eq", "ne", "le", "lt", "iff", "implies"))


@dataclass(frozen=True)
class Hole:
    """A formula whose right side a practice sheet asks for, as in δ = ?."""

    left: Term
    relation: str


# Text with terms in it, and what titles and headings become in practice.
Holed = tuple[str | Term | Hole, ...]


@dataclass(frozen=True)
class Link:
    """Another derivation: its slug, and the words that stand for it."""

    slug: str
    text: str


@dataclass(frozen=True)
class Given:
    """A row of what is given: symbol, what it is, its definition, its shape, the assumptions about it."""

    symbol: Term
    about: Prose
    defined: Prose
    shape: Shape
    tags: tuple[str, ...] = ()


@dataclass(frozen=True)
class Line:
    """A line of a proof.

    Attributes
    ----------
    number : int
        Counted through the whole page.
    left : Term or None
        The left side; None where it is the one of the line before.
    relation : str
        The operator of the relation, such as "eq" or "le".
    right : Term or None
        The right side; None where practice has taken it away.
    reason : Prose
        Why the line holds.
    heading : Prose
        A heading that stands above the line, where a part of the proof begins with it.
    shape : tuple of Term
        The shape of both sides.
    proved, witnessed : bool
        How the line is known.
    tags : tuple of str
        The assumptions that the line uses, as "A1".
    tall, stacked : int, bool
        The height in units of the baseline, and whether the left side stands above the right one: see `measured`.
    blank : bool
        The line is left to the reader: empty in practice, marked in the key.
    struck : frozenset of Position
        The factors of the right side that cancel on the way to the next line.
    """

    number: int
    left: Term | None
    relation: str
    right: Term | None
    reason: Prose = ()
    shape: Shape = ()
    proved: bool = False
    witnessed: bool = False
    tags: tuple[str, ...] = ()
    link: Link | None = None
    heading: Prose = ()
    tall: int = 0
    stacked: bool = False
    blank: bool = False
    struck: frozenset[Position] = frozenset()


@dataclass(frozen=True)
class Result:
    """A boxed result, the page's own or a corollary; its right side is None in practice."""

    left: Term
    relation: str
    right: Term | None
    reason: Prose = ()
    shape: Shape = ()
    tags: tuple[str, ...] = ()
    main: bool = True
    tall: int = 0
    stacked: bool = False


@dataclass(frozen=True)
class Tracks:
    """The widths in rem of a proof's columns: left sides, and reasons."""

    left: float
    reason: float


@dataclass(frozen=True)
class Section:
    """A subgoal: letter, heading, lines, the results that it ends with; `measured` sets its columns."""

    letter: str
    heading: Holed
    lines: tuple[Line, ...]
    results: tuple[Result, ...] = ()
    tracks: Tracks | None = None


@dataclass(frozen=True)
class Check:
    """A sanity check: its name and what is seen."""

    name: str
    text: Prose


@dataclass(frozen=True)
class Mistake:
    """A usual slip: what is written, and why it is wrong."""

    wrong: Prose
    why: Prose


@dataclass(frozen=True)
class Number:
    """A closed term and its decimals, which practice takes away; what it is, and whether the witness agrees."""

    term: Term
    shown: str
    about: Prose = ()
    witnessed: bool = False


@dataclass(frozen=True)
class Assumption:
    """What a proof rests on and does not prove: its tag, the formula, where it is used."""

    tag: str
    formula: Prose
    used: Prose = ()


@dataclass(frozen=True)
class Discharged:
    """An obligation that was proved: the formula, where it arose, and why it holds."""

    formula: Prose
    where: Prose = ()
    how: Prose = ()


@dataclass(frozen=True)
class Verdict:
    """The totals: lines proved, lines witnessed, digits and draws of sizes, assumptions left."""

    lines: int
    proved: int
    witnessed: int
    assumed: int
    digits: int = 50
    draws: int = 3


@dataclass(frozen=True)
class Interview:
    """The question as it is asked, answers strong and weak, and what is asked next."""

    prompt: Prose = ()
    strong: Prose = ()
    weak: Prose = ()
    follow_ups: tuple[Prose, ...] = ()


@dataclass(frozen=True)
class Said:
    """What is often said and false: the words, the formula, and what refutes it; why it is believed, what to say.

    Attributes
    ----------
    words : Prose
    claim : Term
    refuted, witnessed : bool
        How it is known to be false: by theorems, in numbers.
    why, instead : Prose
    theorem, link : Term or None, Link or None
        What is proved instead, and where; practice takes the theorem away.
    """

    words: Prose
    claim: Term
    refuted: bool
    witnessed: bool
    why: Prose
    instead: Prose
    theorem: Term | None = None
    link: Link | None = None


@dataclass(frozen=True)
class Page:
    """All that a sheet shows. Blocks that are empty are left out."""

    slug: str
    title: Holed
    topic: str = ""
    goal: Prose = ()
    given: tuple[Given, ...] = ()
    sections: tuple[Section, ...] = ()
    verdict: Verdict = Verdict(0, 0, 0, 0)
    certificate: str = ""
    convention: Prose = ()
    said: Said | None = None
    numbers: tuple[Number, ...] = ()
    checks: tuple[Check, ...] = ()
    mistakes: tuple[Mistake, ...] = ()
    sixty_seconds: Prose = ()
    interview: Interview = Interview()
    numpy: str = ""
    assumptions: tuple[Assumption, ...] = ()
    discharged: tuple[Discharged, ...] = ()
    references: tuple[Prose, ...] = ()
    before: tuple[Link, ...] = ()
    after: tuple[Link, ...] = ()
    misstated: tuple[Link, ...] = ()
    mode: Mode = "solution"
    seed: int = 0

    @property
    def sheet(self) -> str:
        """The number that a practice sheet and its key share."""
        initials = "".join(word[0] for word in self.slug.split("-")).upper()
        mark = hashlib.sha256(f"{self.slug}/{self.seed}/{self.certificate}".encode()).hexdigest()[:4].upper()
        return f"{initials}-{self.seed}-{mark}"

    @property
    def lines(self) -> Iterator[Line]:
        """All lines, section after section."""
        return (line for section in self.sections for line in section.lines)


def renumbered(sections: Iterable[Section]) -> tuple[Section, ...]:
    """Return sections whose letters and line numbers run through the page."""
    out, number = list[Section](), 0
    for position, section in enumerate(sections):
        lines = tuple(replace(line, number=number + i + 1) for i, line in enumerate(section.lines))
        number += len(lines)
        out.append(replace(section, letter=chr(ord("A") + position), lines=lines))
    return tuple(out)


def tag_runs(tags: Sequence[str]) -> str:
    """Return the tags of assumptions as runs: A1–A3, A5."""
    numbers = sorted(int(tag.removeprefix("A")) for tag in tags)
    runs = list[list[int]]()
    for number in numbers:
        if runs and runs[-1][-1] == number - 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return ", ".join(f"A{run[0]}–A{run[-1]}" if len(run) > 2 else ", ".join(f"A{n}" for n in run) for run in runs)
