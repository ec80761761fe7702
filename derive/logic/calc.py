"""Calculations: the mathematics on the left, the reason on the right, and every line checked as it is written.

The reasons of a line run together to a joint fixed point on the old line and on the author's line, and what
they come to must agree by algebra. So one reason unfolds and folds alike, and the author's line is what is printed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from derive.language.array import component, push
from derive.language.term import Numeric, Prose, Term, alpha, lift, prose
from derive.logic.context import ProofError, related
from derive.logic.rules import sums
from derive.logic.rules.reasons import Lemma, Reason, linearity
from derive.logic.strategy import Plan, agree, by_axiom, carry_out, everywhere
from derive.logic.theorem import (
    Theorem,
    components,
    extensionality,
    reflexivity,
    relation_of,
    symmetry,
    transitivity,
)

Because = Reason | Lemma | Term
_ROUNDS = 20


class StepError(ProofError):
    """A line that does not follow from the line before by its reasons.

    Attributes
    ----------
    before, written : Term
        The line before, and the author's line.
    relation : str
        The relation that was claimed.
    kind : str
        "wrong" (does not follow), "superfluous" (a reason is not needed) or "relation" (another relation follows).
    """

    def __init__(self, message: str, before: Term, written: Term, relation: str, kind: str = "wrong") -> None:
        super().__init__(message)
        self.before, self.written, self.relation, self.kind = before, written, relation, kind

    @property
    def claimed(self) -> Term:
        """The formula that the author's line claims."""
        return related(self.before, self.relation, self.written)


@dataclass(frozen=True)
class Line:
    """One line of a calculation.

    Attributes
    ----------
    before, after : Term
        The right side of the line before, and this line's.
    relation : str
        "=", "≤" or "<".
    reasons : tuple of Reason
        Why; empty for algebra alone.
    theorem : Theorem
        This line's own theorem, before R after.
    note : Prose
        The author's remark, printed beside the reasons.
    heading : str
        The heading of the part of the proof that begins with this line, "" where none begins.
    """

    before: Term
    after: Term
    relation: str
    reasons: tuple[Reason, ...]
    theorem: Theorem
    note: Prose = ()
    heading: str = ""
    raised: bool = False


@dataclass(frozen=True)
class Calculation:
    """A chain of checked lines; each method adds a line and returns a longer chain.

    Attributes
    ----------
    start : Term
        The left side of the first line.
    theorem : Theorem
        What the chain proves so far.
    lines : tuple of Line
    """

    start: Term
    theorem: Theorem
    lines: tuple[Line, ...] = ()
    heading: str = ""

    def eq(self, line: Numeric, *reasons: Because) -> Calculation:
        """Add an equal line. Raises `StepError` where it does not follow, or where a reason is not needed."""
        return self._line("=", lift(line), reasons)

    def le(self, line: Numeric, *reasons: Because) -> Calculation:
        """Add a line that is at least as large."""
        return self._line("≤", lift(line), reasons)

    def lt(self, line: Numeric, *reasons: Because) -> Calculation:
        """Add a line that is larger."""
        return self._line("<", lift(line), reasons)

    iff = eq

    def part(self, heading: str) -> Calculation:
        """Begin a part of the proof with a heading."""
        return replace(self, heading=heading)

    def note(self, text: str) -> Calculation:
        """Add a remark to the last line."""
        return replace(self, lines=(*self.lines[:-1], replace(self.lines[-1], note=prose(text))))

    def array(self, left: Term, right: Numeric, *places: Term) -> Calculation:
        """Read the chain as an equation between arrays: its two sides are their components at the indices."""
        array = lift(right)
        theorem = self.theorem
        target = component(array, places)
        if alpha(push(theorem.rhs)) is not alpha(target):
            met = _meet(theorem, theorem.rhs, target, ()) or _meet(theorem, theorem.rhs, target, (linearity,))
            if met is None:
                raise _failure(theorem.rhs, target, "=", (), "the last line is not the component of the array")
            theorem = met
        whole = extensionality(theorem, left, array, *places)
        line = Line(left, array, "=", (), whole, heading=self.heading, raised=True)
        return replace(self, theorem=whole, lines=(*self.lines, line), heading="")

    def _line(self, relation: str, target: Term, because: Sequence[Because]) -> Calculation:
        reasons = tuple(_as_reason(b, self.theorem.rhs) for b in because)
        before = self.theorem.rhs
        if before.shape != target.shape:
            raise StepError(
                f"{target} has another shape than {before}: write array(…) to read a line as arrays",
                before,
                target,
                relation,
            )
        line = _proved(before, target, reasons)
        if line is None:
            raise _failure(before, target, relation, reasons, "it does not follow")
        if relation_of(line) != relation:
            raise StepError(
                f"you wrote {before} {relation} {target}\n  the reasons prove {relation_of(line)}: write that relation",
                before,
                target,
                relation,
                "relation",
            )
        _reject_superfluous(before, target, relation, reasons)
        added = Line(before, target, relation, reasons, line, heading=self.heading)
        theorem = transitivity(self.theorem, line)
        return replace(self, theorem=theorem, lines=(*self.lines, added), heading="")


def calc(start: Numeric) -> Calculation:
    """Begin a calculation with its left side."""
    term = lift(start)
    return Calculation(term, reflexivity(term))


def _as_reason(because: Because, before: Term) -> Reason:
    if isinstance(because, Reason):
        return because
    if isinstance(because, Term):
        raise StepError(
            f"{because} is a term and no reason: write by({because}) for its definition", before, because, "="
        )
    if not hasattr(because, "as_reason"):
        raise StepError(f"{because!r} is no reason: name a rule, by(…), given(…) or a lemma", before, before, "=")
    return because.as_reason


@lru_cache(maxsize=4096)
def _normalised(term: Term, reasons: tuple[Reason, ...]) -> tuple[Term, Plan]:
    """Let the reasons act together until none changes the term."""
    plan: Plan = ()
    for _ in range(_ROUNDS):
        start = term
        for reason in reasons:
            term, more = reason.act(term)
            plan += more
        if term is start:
            return term, plan
    names = ", ".join(map(repr, reasons))
    raise ProofError(
        f"the reasons {names} never come to rest: two of them undo each other; use them in lines of their own"
    )


def _proved(before: Term, target: Term, reasons: tuple[Reason, ...]) -> Theorem | None:
    return _meet(reflexivity(before), before, target, reasons)


def _meet(theorem: Theorem, before: Term, target: Term, reasons: tuple[Reason, ...]) -> Theorem | None:
    """Extend a theorem … R before by before R target, or return None."""
    old, there = _old_line(before, reasons)
    two_sided = tuple(r for r in reasons if r.both_sides)
    new, back = _normalised(push(target), two_sided)
    agreement = agree(old, new, sums.swap)
    if agreement is None and linearity in reasons:
        agreement = _merged(old, new)
    if agreement is None:
        return None
    forward = carry_out(_pushed(theorem), (*there, *agreement))
    backward = carry_out(_pushed(reflexivity(target)), back)
    return transitivity(forward, symmetry(backward))


def _pushed(theorem: Theorem) -> Theorem:
    return theorem if push(theorem.rhs) is theorem.rhs else components(theorem, ())


def _old_line(before: Term, reasons: tuple[Reason, ...]) -> tuple[Term, Plan]:
    """The old line after the one-sided reasons, each once, among the others to their fixed point."""
    two_sided = tuple(r for r in reasons if r.both_sides)
    term = push(before)
    plan: Plan = ()
    for reason in reasons:
        if reason.both_sides:
            continue
        acted, more = reason.act(term)
        if not more:
            term, first = _normalised(term, two_sided)
            plan += first
            acted, more = reason.act(term)
        term, plan = acted, plan + more
    term, rest = _normalised(term, two_sided)
    return term, plan + rest


def _merged(old: Term, new: Term) -> Plan | None:
    """Sums of equal range are made one: the last resort of linearity."""
    merging = everywhere(by_axiom(sums.merge))
    one, plan = merging(old)
    if not plan:
        return None
    agreement = agree(one, new, sums.swap)
    return None if agreement is None else (*plan, *agreement)


def _reject_superfluous(before: Term, target: Term, relation: str, reasons: tuple[Reason, ...]) -> None:
    for position, reason in enumerate(reasons):
        fewer = reasons[:position] + reasons[position + 1 :]
        try:
            without = _proved(before, target, fewer)
        except ProofError:
            continue
        if without is not None and relation_of(without) == relation:
            raise StepError(
                f"{reason!r} is not needed for {before} {relation} {target}: leave it out",
                before,
                target,
                relation,
                "superfluous",
            )


def _failure(before: Term, target: Term, relation: str, reasons: tuple[Reason, ...], why: str) -> StepError:
    old, _ = _old_line(before, reasons)
    new, _ = _normalised(push(target), tuple(r for r in reasons if r.both_sides))
    listed = ", ".join(map(repr, reasons)) or "algebra alone"
    return StepError(
        f"{why}.\n  you wrote      {before} {relation} {target}\n  the rules give {old}\n  yours comes to {new}\n"
        f"  by {listed}\n  correct the line, or name the reason that is missing",
        before, target, relation)  # fmt: skip
