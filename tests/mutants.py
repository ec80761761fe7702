"""Mutants of terms and of lines: a sign, an index, a factor, a dropped term, a dropped reason, another relation."""

from collections.abc import Iterator
from dataclasses import dataclass

from derive.language.term import BINDERS, LEAVES, ShapeError, Term, bound, free, sort, subterms
from derive.logic.calc import Calculation, Line
from derive.logic.context import ProofError, related
from derive.logic.theorem import reflexivity
from derive.record import Derivation

SWAPPED = {"add": "sub", "sub": "add", "mul": "div", "div": "mul"}


def _places(term: Term, path: tuple[int, ...] = ()) -> Iterator[tuple[tuple[int, ...], Term]]:
    """Every part that is written in a term, with where it stands; definitions are left closed."""
    yield path, term
    if term.op in {"let", "var", "at", *LEAVES}:
        return
    first = len(bound(term)) if term.op in BINDERS else 0
    last = 1 if term.op == "D" else len(term.args)
    for position in range(first, last):
        yield from _places(term.args[position], (*path, position))


def _put(term: Term, path: tuple[int, ...], new: Term) -> Term:
    if not path:
        return new
    args = (_put(arg, path[1:], new) if i == path[0] else arg for i, arg in enumerate(term.args))
    return Term(term.op, tuple(args), term.data)


def _changes(part: Term, indices: list[Term]) -> Iterator[tuple[str, Term]]:
    if part.op in SWAPPED:
        yield "sign" if part.op in {"add", "sub"} else "factor", Term(SWAPPED[part.op], part.args)
    if part.op in {"add", "sub", "mul", "div", "outer"} and part.args[0].shape == part.shape:
        yield "dropped", part.args[0]
    if part.op in {"add", "mul"} and part.args[1].shape == part.shape:
        yield "dropped", part.args[1]
    if part.op == "neg":
        yield "sign", part.args[0]
    if part.op == "T" and part.shape == part.args[0].shape:
        yield "transposed", part.args[0]
    if part.op in {"at", "delta"}:
        for n, old in enumerate(part.args):
            for new in indices if old.op == "idx" else ():
                if new is not old and new.args == old.args:
                    yield "index", Term(part.op, (*part.args[:n], new, *part.args[n + 1 :]))
    if sort(part) == "real" and part.op not in LEAVES - {"var"}:
        yield "factor", 2 * part
        yield "sign", -part


def mutants(term: Term) -> Iterator[tuple[str, Term]]:
    """Yield what kind of slip it is, and the term with it, each once."""
    seen = {term}
    indices = sorted({part for part in subterms(term) if part.op == "idx"} | free(term), key=repr)
    for path, part in _places(term):
        for kind, new in _changes(part, [i for i in indices if i.op == "idx"]):
            try:
                mutant = _put(term, path, new)
            except ShapeError:
                continue
            if mutant.shape == term.shape and mutant not in seen:
                seen.add(mutant)
                yield kind, mutant


@dataclass(frozen=True)
class Mutant:
    """A line with a slip: what kind, what it says, and how to have it checked again."""

    kind: str
    line: Line
    relation: str
    after: Term
    reasons: tuple

    @property
    def formula(self) -> Term:
        return related(self.line.before, self.relation, self.after)

    def refused(self, entry: Derivation) -> bool:
        """Whether the calculation refuses it, or it rests on something that the entry does not allow."""
        line = self.line
        try:
            if line.raised:
                before, left, _, *places = line.theorem.arguments
                chain = Calculation(left, before).array(left, self.after, *places)
            else:
                start = Calculation(line.before, reflexivity(line.before))
                chain = {"=": start.eq, "≤": start.le, "<": start.lt}[self.relation](self.after, *self.reasons)
        except (ProofError, ShapeError):
            return True
        return any(entry.tag(new) is None for new in chain.theorem.hypotheses - line.theorem.hypotheses)


def mutants_of(line: Line) -> Iterator[Mutant]:
    """Yield every mutant of a line."""
    for kind, after in mutants(line.after):
        yield Mutant(kind, line, line.relation, after, line.reasons)
    if line.raised:
        return
    for position in range(len(line.reasons)):
        fewer = line.reasons[:position] + line.reasons[position + 1 :]
        yield Mutant("dropped reason", line, line.relation, line.after, fewer)
    if line.theorem.conclusion.op != "iff":
        for relation in {"=": "<", "≤": "=<", "<": "=≤"}[line.relation]:
            yield Mutant("relation", line, relation, line.after, line.reasons)
