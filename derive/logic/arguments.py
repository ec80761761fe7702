"""Arguments that are more than one calculation: cases, induction, a gap that is never negative, equivalence."""

from __future__ import annotations

from dataclasses import dataclass

from derive.language.term import ZERO, Numeric, Prose, Term, eq, lift, succ
from derive.logic import theorem as core
from derive.logic.calc import Calculation, Line
from derive.logic.context import ProofError
from derive.logic.facts import alternatives
from derive.logic.rules.inequalities import scaled
from derive.logic.rules.reasons import Lemma
from derive.logic.theorem import Theorem


@dataclass(frozen=True)
class Part:
    """One calculation of an argument, under a heading of its own."""

    heading: Prose
    lines: tuple[Line, ...]
    start: Term


@dataclass(frozen=True)
class Argument:
    """A finished proof: its theorem, its calculations, and how the theorem follows from them.

    Attributes
    ----------
    theorem : Theorem
    parts : tuple of Part
    because : Prose
        How the theorem follows from the parts; empty where the last line is the theorem.
    """

    theorem: Theorem
    parts: tuple[Part, ...]
    because: Prose = ()


def argument(proof: Argument | Calculation) -> Argument:
    """Return a calculation as an argument of one part."""
    if isinstance(proof, Argument):
        return proof
    return Argument(proof.theorem, _parts(proof))


def _parts(proof: Argument | Calculation, *heading: str | Term) -> tuple[Part, ...]:
    if isinstance(proof, Argument):
        return proof.parts
    return (Part(heading, proof.lines, proof.start),)


def _theorem(proof: Argument | Calculation) -> Theorem:
    return proof.theorem


def by_cases(term: Term, first: Argument | Calculation, second: Argument | Calculation) -> Argument:
    """Prove a claim under each of two alternatives: t = 1 or t = −1 for a sign, 0 ≤ t or t ≤ 0 otherwise."""
    one, other = alternatives(term)
    proved = core.cases(term, _theorem(first), _theorem(second))
    parts = (*_parts(first, "Case ", one), *_parts(second, "Case ", other))
    return Argument(proved, parts, ("both cases of ", term))


def by_induction(number: Term, base: Calculation, step: Calculation) -> Argument:
    """Prove a claim for every natural number: at 0, and at n + 1 from n."""
    claim = step.theorem.conclusion
    proved = core.induction(number, _as(base.theorem, claim.op), step.theorem)
    parts = (*_parts(base, "Base, ", eq(number, ZERO)), *_parts(step, "Step, from ", number, " to ", succ(number)))
    return Argument(proved, parts, ("induction on ", number))


def _as(theorem: Theorem, op: str) -> Theorem:
    return core.weakening(theorem) if op == "le" and theorem.conclusion.op in {"eq", "lt"} else theorem


def from_gap(gap: Calculation, *lemmas: Lemma) -> Argument:
    """Read a ≤ b (or a < b) from b − a = G, where G is never negative, as it shows or as lemmas prove."""
    proved = core.order(gap.theorem)
    if lemmas:
        proved = core.cut(proved, *(lemma.theorem for lemma in lemmas))
    return Argument(proved, _parts(gap), (gap.theorem.rhs, " is never negative"))


def nonnegative(proof: Calculation) -> Argument:
    """Read 0 ≤ t (or 0 < t) from t = G, where G is never negative as it shows."""
    return Argument(core.sign(proof.theorem), _parts(proof), (proof.theorem.rhs, " is never negative"))


def rearranged(proof: Argument | Calculation, target: Term, factor: Numeric = 1) -> Argument:
    """Read a relation as an equivalent one: the difference of its sides is factor times the other's."""
    proved = _theorem(proof)
    same = core.step(core.reflexivity(proved.conclusion), (), scaled, target, lift(factor))
    return Argument(core.transport(proved, same), _parts(proof), ("rearranged",))


def equivalent(forward: Argument | Calculation, backward: Argument | Calculation) -> Argument:
    """Prove P ⟺ Q from Q under P and P under Q."""
    proved = core.equivalence(_theorem(forward), _theorem(backward))
    return Argument(proved, (*_parts(forward, "Forwards"), *_parts(backward, "Backwards")), ("both directions",))


def instance(theorem: Theorem, *changes: tuple[Term, Term], words: Prose = ()) -> Argument:
    """Read a theorem at particular variables, sizes, indices or named quantities."""
    return Argument(core.instantiate(theorem, *changes), (), words or _changes(changes))


def _changes(changes: tuple[tuple[Term, Term], ...]) -> Prose:
    pieces: list[str | Term] = []
    for old, new in changes:
        pieces += [", " if pieces else "with ", new, " for ", old]
    return tuple(pieces)


def function_instance(theorem: Theorem, name: str, symbol: str) -> Argument:
    """Read a theorem about an unknown function at a symbol of the notation."""
    return Argument(
        core.instantiate_function(theorem, name, symbol), (), (f"the unknown function {name} is now {symbol}",)
    )


def positive(term: Term) -> Argument:
    """Prove 0 < t from ranges, domains and structure."""
    theorem = core.sign(core.reflexivity(term))
    if theorem.hypotheses:
        raise ProofError(f"0 < {term} needs {', '.join(map(repr, theorem.hypotheses))}")
    return Argument(theorem, (), ("every factor is positive",))
