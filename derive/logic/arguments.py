"""Arguments that are more than one calculation: cases, induction, a gap that is never negative, equivalence."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

from derive.language.array import push
from derive.language.notation import maximum
from derive.language.term import TRUE, ZERO, Numeric, Prose, Term, alpha, eq, lift, ne, number_of, sort, subterms, succ
from derive.logic import theorem as core
from derive.logic.calc import Because, Calculation, Line, calc
from derive.logic.context import ProofError
from derive.logic.facts import alternatives
from derive.logic.rules import arrays, limits, maxima
from derive.logic.rules.inequalities import positive_nonzero, scaled
from derive.logic.rules.reasons import linearity
from derive.logic.strategy import by_axiom, carry_out, everywhere
from derive.logic.theorem import Theorem


class Proved(Protocol):
    """Anything that has a theorem: a claim of an entry, an argument, a calculation."""

    @property
    def theorem(self) -> Theorem:
        """The theorem."""
        ...


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
        return tuple(replace(part, heading=heading) if heading and not part.heading else part for part in proof.parts)
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


def from_gap(gap: Calculation, *lemmas: Proved) -> Argument:
    """Read a ≤ b (or a < b) from b − a = G, where G is never negative, as it shows or as lemmas prove."""
    proved = core.order(gap.theorem)
    if lemmas:
        proved = core.cut(proved, *(lemma.theorem for lemma in lemmas))
    return Argument(proved, _parts(gap), (gap.theorem.rhs, _sign(proved)))


def _sign(proved: Theorem) -> str:
    return " is positive" if proved.conclusion.op == "lt" else " is never negative"


def nonnegative(proof: Calculation) -> Argument:
    """Read 0 ≤ t (or 0 < t) from t = G, where G is never negative as it shows."""
    proved = core.sign(proof.theorem)
    return Argument(proved, _parts(proof), (proof.theorem.rhs, _sign(proved)))


def rearranged(proof: Argument | Calculation, target: Term, factor: Numeric = 1) -> Argument:
    """Read a relation as an equivalent one: the difference of its sides is factor times the other's."""
    proved = _theorem(proof)
    same = core.step(core.reflexivity(proved.conclusion), (), scaled, target, lift(factor))
    return Argument(core.transport(proved, same), _parts(proof), ("rearranged",))


def carried(chain: Calculation, premise: Proved | None = None) -> Argument:
    """Read Q from a chain P ⟺ Q and P, which a lemma proves, or which is given and stays a hypothesis."""
    known = core.assume(chain.start) if premise is None else premise.theorem
    before = _parts(premise) if isinstance(premise, Calculation) else ()
    because = () if before else ("given " if premise is None else "from ", chain.start)
    return Argument(core.transport(known, chain.theorem), (*before, *_parts(chain)), because)


def restated(premise: Proved, claim: Term, *reasons: Because) -> Argument:
    """Read a theorem as an equivalent formula, which reasons make of it in one line that is not shown."""
    chain = calc(premise.theorem.conclusion).iff(claim, *reasons)
    words: list[str | Term] = []
    for reason in chain.lines[0].reasons:
        words += ["; "] * bool(words) + list(reason.words)
    return Argument(core.transport(premise.theorem, chain.theorem), (), tuple(words))


def for_all(proof: Argument | Calculation, *symbols: Term) -> Argument:
    """Read P(i), proved for any i, as ∀i P(i)."""
    done = argument(proof)
    proved = done.theorem
    for symbol in reversed(symbols):
        proved = core.generalisation(proved, symbol)
    return Argument(proved, done.parts, done.because)


def weakened(formula: Term) -> Argument:
    """Read a ≤ b from a < b, which is given."""
    return Argument(core.weakening(core.assume(formula)), (), ("given ", formula))


def given_at(formula: Term, *places: Term) -> Argument:
    """Read P(i) from ∀i P(i), which is given."""
    proved = core.assume(formula)
    for symbol in places:
        proved = core.specialise(proved, symbol)
    return Argument(proved, (), ("given ", formula))


def discharged(proof: Argument | Calculation, *lemmas: Proved) -> Argument:
    """Leave out the hypotheses of a proof that lemmas prove."""
    done = argument(proof)
    return Argument(core.cut(done.theorem, *(lemma.theorem for lemma in lemmas)), done.parts, done.because)


def for_maximum(proof: Argument | Calculation, k: Term) -> Argument:
    """Read max u ≤ c (or <) from u(k) ≤ c for every k."""
    proved = _theorem(proof)
    least = maxima.below if proved.conclusion.op == "lt" else maxima.least
    met = core.step(core.reflexivity(maximum(proved.lhs, k)), (), least, proved.rhs, k)
    theorem = core.cut(met, core.generalisation(proved, k))
    return Argument(theorem, _parts(proof), ("what holds for every ", k, " holds for the largest"))


def equivalent(forward: Argument | Calculation, backward: Argument | Calculation) -> Argument:
    """Prove P ⟺ Q from Q under P and P under Q."""
    proved = core.equivalence(_theorem(forward), _theorem(backward))
    return Argument(proved, (*_parts(forward, "Forwards"), *_parts(backward, "Backwards")), ("both directions",))


def nonzero(proof: Proved) -> Argument:
    """Read u ≠ 0 from 0 < u."""
    positive_ = proof.theorem
    met = core.step(core.reflexivity(ne(positive_.rhs, ZERO)), (), positive_nonzero)
    proved = core.transport(core.assume(TRUE), core.symmetry(met))
    return Argument(core.cut(proved, positive_), (), ("a positive number is not 0",))


def together(first: Argument | Calculation, second: Argument | Calculation) -> Argument:
    """Prove P ∧ Q from P and Q."""
    return Argument(core.conjunction(_theorem(first), _theorem(second)), (*_parts(first), *_parts(second)), ("both",))


def instance(theorem: Theorem, *changes: tuple[Term, Term], words: Prose = ()) -> Argument:
    """Read a theorem at particular variables, sizes, indices or named quantities."""
    return Argument(core.instantiate(theorem, *changes), (), words or _changes(changes))


def limit(claim: Term, *lemmas: Proved, closed: Calculation | None = None) -> Argument:
    """Prove body → value from the limits of the parts of the body: 1/t, e^(−t), rᵗ, and those that lemmas prove.

    `closed` is a calculation from the body to what has these parts.
    """
    if closed is not None:
        same = core.step(core.reflexivity(claim), (len(claim.args) - 1,), closed.theorem)
        done = limit(same.rhs, *lemmas)
        return Argument(core.transport(done.theorem, core.symmetry(same)), _parts(closed), done.because)
    variable, *to, value, body = claim.args
    known = [lemma.theorem for lemma in lemmas]
    for part in subterms(push(body)):
        formula = Term("tends", (variable, *to, ZERO, part)) if not part.shape and sort(part) == "real" else TRUE
        if limits.elementary.schema(formula) is not None:
            met = core.step(core.reflexivity(formula), (), limits.elementary)
            known.append(core.transport(core.reflexivity(ZERO), core.symmetry(met)))
    pairs = [term for theorem in known for term in _opened(theorem.conclusion).args[:-3:-1]]
    met = core.step(core.reflexivity(claim), (), limits.of_parts, *pairs)
    proved = core.transport(_sums_agree(value, met.rhs.args[1]), core.symmetry(met))
    used = [
        lemma
        for h in sorted(proved.hypotheses, key=repr)
        for theorem in known
        if (lemma := _generalised(theorem, h)) is not None
    ]
    because = "sums, products, quotients and continuous functions have the limits of their parts"
    return Argument(core.cut(proved, *used) if used else proved, (), (because,))


def squeezed(claim: Term, bound: Proved, decay: Proved) -> Argument:
    """Prove u → 0 from u² ≤ w, proved for the variable of the limit, and w → 0."""
    variable, *_ = claim.args
    met = core.step(core.reflexivity(claim), (), limits.squeezed, bound.theorem.rhs)
    k = next(h.args[0] for h in met.hypotheses if h.op == "forall" and h.args[1].op == "le")
    every = core.generalisation(core.instantiate(bound.theorem, (variable, k)), k)
    proved = core.transport(core.assume(TRUE), core.symmetry(met))
    because = ("its square is at most ", bound.theorem.rhs, ", which tends to 0")
    return Argument(core.cut(proved, every, decay.theorem), (), because)


def _sums_agree(value: Term, found: Term) -> Theorem:
    try:
        return calc(value).eq(found).theorem
    except ProofError:
        return calc(value).eq(found, linearity).theorem


def _generalised(theorem: Theorem, goal: Term) -> Theorem | None:
    """Return a theorem for all values of the indices that its goal speaks of all of; None where it proves another."""
    symbols, inner = list[Term](), goal
    while inner.op == "forall":
        symbols.append(inner.args[0])
        inner = inner.args[1]
    if alpha(theorem.conclusion) is alpha(goal):
        return theorem
    if not symbols or alpha(theorem.conclusion) is not alpha(inner):
        return None
    for symbol in reversed(symbols):
        theorem = core.generalisation(theorem, symbol)
    return theorem


def _opened(formula: Term) -> Term:
    return _opened(formula.args[1]) if formula.op == "forall" else formula


def entrywise(claim: Term, prove: Callable[[Term, Term], Calculation]) -> Argument:
    """Prove an equation between arrays of numeric lengths: `prove` makes each entry of the right side from the left.

    The sums in an entry are written out before: those of a product of matrices are a row times a column.
    """
    met = core.step(core.reflexivity(claim), (), arrays.by_entries)
    met = carry_out(met, everywhere(by_axiom(arrays.written_out))(met.rhs)[1])
    whole: Theorem | None = None
    parts: tuple[Part, ...] = ()
    for places, entry in zip(arrays.positions(claim.args[0]), _conjuncts(met.rhs), strict=True):
        done = prove(*entry.args)
        whole = done.theorem if whole is None else core.conjunction(whole, done.theorem)
        parts += _parts(done, *_position(places))
    if whole is None:
        raise ProofError(f"{claim} is no equation between arrays of numeric lengths")
    return Argument(core.transport(whole, core.symmetry(met)), parts, ("entry by entry",))


def _conjuncts(formula: Term) -> tuple[Term, ...]:
    return (*_conjuncts(formula.args[0]), formula.args[1]) if formula.op == "and" else (formula,)


def _position(places: tuple[Term, ...]) -> Prose:
    """Return a position in words, counted from 1."""
    numbers = [int(number_of(where)) + 1 for where in places]
    return (f"Row {numbers[0]}, column {numbers[1]}" if len(numbers) == 2 else f"Entry {numbers[0]}",)


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
