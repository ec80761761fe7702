"""The core: `Theorem`, and the few ways to make one.

A theorem is a sequent, hypotheses ⊢ conclusion. It says: wherever the hypotheses hold, both sides of the conclusion are
defined and it holds, or neither is defined. Its free variables, sizes and indices mean "for all", over the whole
sequent; a hypothesis that speaks of all values of an index says so with ∀ (of almost all points, if it is a point).

Only the functions marked `inference` make theorems. Each theorem remembers its inference, so that a proof can be
written down as plain data and made again from it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import InitVar, dataclass
from functools import wraps
from typing import Any, Final

from derive.language.array import component, push
from derive.language.notation import SYMBOLS
from derive.language.term import (
    NATURALS,
    ZERO,
    Term,
    alpha,
    domain_of,
    eq,
    free,
    is_random,
    le,
    least_of,
    lt,
    name_of,
    names,
    occurs,
    place,
    slots,
    substitute,
    substitute_function,
    succ,
)  # fmt: skip
from derive.logic.axiom import Axiom
from derive.logic.context import ProofError, joined, need, need_apart, need_positions, related, rewritten
from derive.logic.facts import (
    NONE,
    NONNEGATIVE,
    POSITIVE,
    Conditions,
    alternatives,
    free_in,
    generalise,
    harvest,
    of_domain,
    points,
    require,
    settled,
    vanished,
)
from derive.logic.meaning import atoms, divisors, rationally_equal


@dataclass(frozen=True, eq=False)
class Theorem:
    """A proved sequent; made by the inferences of this module alone.

    Attributes
    ----------
    hypotheses : frozenset of Term
        What is not discharged: givens, assumptions, conditions.
    conclusion : Term
        A formula; for the usual proofs a relation between `lhs` and `rhs`.
    inference, arguments
        How it was made.
    """

    hypotheses: Conditions
    conclusion: Term
    inference: str
    arguments: tuple[Any, ...]
    key: InitVar[object]

    def __post_init__(self, key: object) -> None:
        if key is not _KEY:
            raise ProofError("theorems are made by inferences, not by hand")

    @property
    def lhs(self) -> Term:
        """The left side of the conclusion."""
        return self.conclusion.args[0]

    @property
    def rhs(self) -> Term:
        """The right side of the conclusion."""
        return self.conclusion.args[1]

    def __repr__(self) -> str:
        return f"{', '.join(sorted(map(repr, self.hypotheses)))} ⊢ {self.conclusion!r}".strip()


_KEY: Final = object()
Sequent = tuple[Term, Iterable[Term]]
INFERENCES: dict[str, Callable[..., Theorem]] = {}


def inference(rule: Callable[..., Sequent]) -> Callable[..., Theorem]:
    """Make a way to prove theorems out of a function that returns a conclusion and its hypotheses."""

    @wraps(rule)
    def prove(*arguments: Any) -> Theorem:
        conclusion, hypotheses = rule(*arguments)
        stated = frozenset(hypotheses)
        left = settled(stated)
        premises = [a for a in arguments[: _REPLACING.get(rule.__name__)] if isinstance(a, Theorem)]
        before = free_in(stated).union(*(free_in(p.hypotheses) | free(p.conclusion) for p in premises))
        left |= vanished(before, free_in(left) | free(conclusion))
        return Theorem(left, conclusion, rule.__name__, arguments, _KEY)

    INFERENCES[rule.__name__] = prove
    return prove


# Which of its first arguments an inference leaves the free indices of, where it binds or replaces some of the others'.
_REPLACING: Final = {"step": 1, "instantiate": 0, "generalisation": 0, "extensionality": 0}


def same(left: Term, right: Term) -> bool:
    """Tell whether two terms differ by the names of bound indices at most."""
    return alpha(left) is alpha(right)


# ---- relations and contexts ------------------------------------------------------------------------------------------

_OPERATOR: Final = {"eq": "=", "iff": "=", "le": "≤", "lt": "<"}


def relation_of(theorem: Theorem) -> str:
    """Return "=", "≤" or "<"; ⟺ counts as = between formulas."""
    need(theorem.conclusion.op in _OPERATOR, f"{theorem.conclusion} is no relation")
    return _OPERATOR[theorem.conclusion.op]


# ---- inferences ------------------------------------------------------------------------------------------------------


@inference
def reflexivity(term: Term) -> Sequent:
    """⊢ t = t, with the conditions under which t is defined."""
    return related(term, "=", term), harvest(term)


@inference
def symmetry(theorem: Theorem) -> Sequent:
    """From a = b: b = a."""
    need(relation_of(theorem) == "=", f"{theorem.conclusion} cannot be turned round")
    return related(theorem.rhs, "=", theorem.lhs), theorem.hypotheses


@inference
def transitivity(first: Theorem, second: Theorem) -> Sequent:
    """From a R b and b S c: a T c, T the stronger of R and S."""
    need(same(first.rhs, second.lhs), f"{first.rhs} is not {second.lhs}")
    relation = joined(relation_of(first), relation_of(second))
    return related(first.lhs, relation, second.rhs), first.hypotheses | second.hypotheses


@inference
def step(theorem: Theorem, path: tuple[int, ...], reason: Axiom | Theorem, *parameters: Any) -> Sequent:
    """From a R b: a T b′, where an axiom schema or a theorem turned the part of b at a place into another."""

    def leaf(part: Term) -> tuple[str, Term, Conditions]:
        if isinstance(reason, Axiom):
            return reason.apply(part, parameters)
        need(same(push(reason.lhs), part), f"{part} is not {reason.lhs}")
        gone = vanished(free(reason.conclusion), free(part) | free(push(reason.rhs)))
        return relation_of(reason), push(reason.rhs), reason.hypotheses | gone

    relation, after, conditions = rewritten(theorem.rhs, path, leaf)
    return related(theorem.lhs, joined(relation_of(theorem), relation), after), theorem.hypotheses | conditions


@inference
def algebra(theorem: Theorem, path: tuple[int, ...], target: Term) -> Sequent:
    """From a R b: a R b′, where a part of b and its successor are one rational function of opaque atoms.

    What is divided by must not be 0, and an atom that stands on one side only must be defined.
    """

    def leaf(part: Term) -> tuple[str, Term, Conditions]:
        need(rationally_equal(part, target), f"{part} and {target} are not one rational function")
        lost = atoms(part) ^ atoms(target)
        return "=", target, NONE.union(divisors(part), divisors(target), *map(harvest, lost))

    _, after, conditions = rewritten(theorem.rhs, path, leaf)
    return related(theorem.lhs, relation_of(theorem), after), theorem.hypotheses | conditions


@inference
def components(theorem: Theorem, path: tuple[int, ...] = ()) -> Sequent:
    """From a R b: a R b′, where array notation in a part of b is replaced by its components, which define it."""
    _, after, conditions = rewritten(theorem.rhs, path, lambda part: ("=", push(part), NONE))
    return related(theorem.lhs, relation_of(theorem), after), theorem.hypotheses | conditions


@inference
def extensionality(theorem: Theorem, left: Term, right: Term, *places: Term) -> Sequent:
    """From A[i] = B[i] at fresh indices: A = B."""
    need(theorem.conclusion.op == "eq", f"{theorem.conclusion} is no equation")
    inside = free(left) | free(right)
    need(len(set(places)) == len(places) and inside.isdisjoint(places), "the indices must be fresh")
    need_positions(left, places)
    for side, array in ((theorem.lhs, left), (theorem.rhs, right)):
        need(same(push(side), push(component(array, places))), f"{side} is not the component of {array} at {places}")
    hypotheses = frozenset(generalise(h, places) for h in theorem.hypotheses)
    return eq(left, right), hypotheses | vanished(free(theorem.conclusion).difference(places), inside)


@inference
def componentwise(theorem: Theorem, *places: Term) -> Sequent:
    """From A = B: A[i] = B[i]."""
    need(theorem.conclusion.op == "eq", f"{theorem.conclusion} is no equation")
    need_positions(theorem.lhs, places)
    need_apart(places, theorem.lhs, theorem.rhs)
    conclusion = eq(component(theorem.lhs, places), component(theorem.rhs, places))
    return conclusion, theorem.hypotheses | vanished(frozenset(places), free(conclusion))


@inference
def unfold(theorem: Theorem, path: tuple[int, ...]) -> Sequent:
    """From a R b: a R b′, where a named quantity in b is replaced by its definition."""

    def leaf(part: Term) -> tuple[str, Term, Conditions]:
        base, places = place(part)
        need(base.op == "let", f"{part} is not a named quantity")
        return "=", component(base.args[0], places), NONE

    _, after, conditions = rewritten(theorem.rhs, path, leaf)
    return related(theorem.lhs, relation_of(theorem), after), theorem.hypotheses | conditions


@inference
def instantiate(theorem: Theorem, *changes: tuple[Term, Term]) -> Sequent:
    """Put terms for variables, indices for indices, sizes for sizes; named quantities follow their definitions."""
    mapping = dict(changes)
    conditions: set[Term] = set()
    for old, new in changes:
        need(old.op in {"var", "idx", "size", "space", "let"} and old is not NATURALS, f"{old} is not a variable")
        need(not (old.op == "size" and old.args), f"{old} is one of a family, and not a variable")
        need(not slots(new), f"{new} is a part of a pass")
        conditions |= _fitting(old, new, mapping)
    different = [substitute(z, mapping) for z in points(free(theorem.conclusion) | free_in(theorem.hypotheses))]
    brought = points(free_in(frozenset(new for new in mapping.values() if new.op != "idx")))
    need(len(brought.union(different)) == len(brought) + len(different), "different points stay different")
    hypotheses = theorem.hypotheses
    if any(old.op != "idx" or old in free_in(hypotheses) for old in mapping):
        hypotheses = frozenset(substitute(h, mapping) for h in hypotheses)
    return substitute(theorem.conclusion, mapping), hypotheses | conditions


def _fitting(old: Term, new: Term, mapping: Mapping[Term, Term]) -> Conditions:
    """Return the conditions under which `new` may stand for `old`: the facts of its domain."""
    others = {a: b for a, b in mapping.items() if a is not old}
    image = substitute(old, others)
    if old.op == "let":
        need(new.op == "let" and image.args == new.args, f"{new} is not defined as {old} is")
    elif old.op == "var":
        need(
            image.shape == new.shape and (not is_random(old) or (new.data == old.data and new.args == image.args)),
            f"{new} does not fit in the place of {old}",
        )
        conditions = of_domain(domain_of(old), new)
        need(conditions is not None, f"{new} is not known to lie in the domain of {old}")
        return (conditions or NONE) | harvest(new)
    elif old.op == "idx":
        need(new.op == "idx" and image.args == new.args, f"{new} does not range as {old} does")
    else:
        counted = new.op in {"size", "succ"} or (new.op == "idx" and new.args[0] is NATURALS)
        natural = old.op == "size" and counted and least_of(new) >= least_of(old)
        need(natural or (old.op == "space" and new.op == "space"), f"{new} is no {old.op} like {old}")
    return NONE


@inference
def instantiate_function(theorem: Theorem, name: str, symbol: str) -> Sequent:
    """Put a symbol of the notation that is smooth everywhere for an unknown function, its derivative for φ′."""
    entry = SYMBOLS[symbol]
    probe = Term("var", (), ("u", "real"))
    smooth = entry.kind == "app" and entry.arity == 1 and not entry.domain(probe) and not entry.kinks(probe)
    need(smooth, f"{symbol} is not smooth everywhere")
    table: tuple[Callable[..., Term], ...] = (lambda u: Term("app", (u,), symbol), *entry.derivatives)
    conclusion = substitute_function(theorem.conclusion, name, table)
    return conclusion, {substitute_function(h, name, table) for h in theorem.hypotheses}


@inference
def assume(formula: Term) -> Sequent:
    """P ⊢ P, with the conditions under which P is defined."""
    return formula, (formula, *harvest(formula))


@inference
def specialise(theorem: Theorem, symbol: Term) -> Sequent:
    """From ∀k P(k): P(i)."""
    need(theorem.conclusion.op == "forall", f"{theorem.conclusion} does not begin with ∀")
    k, body = theorem.conclusion.args
    natural = symbol is ZERO or symbol.op == "succ" or (symbol.op == "size" and symbol is not NATURALS)
    counted = k.op == "idx" and k.args[0] is NATURALS and natural
    need(counted or (symbol.op == "idx" and symbol.args == k.args), f"{symbol} does not range as {k} does")
    need(k is symbol or symbol not in points(free(body)), f"{body} holds at almost all {k}, perhaps not at {symbol}")
    return substitute(body, {k: symbol}), theorem.hypotheses | vanished(free(k), free(body))


@inference
def generalisation(theorem: Theorem, symbol: Term) -> Sequent:
    """From P(k): ∀k P(k)."""
    return Term("forall", (symbol, theorem.conclusion)), (generalise(h, (symbol,)) for h in theorem.hypotheses)


@inference
def cut(theorem: Theorem, *lemmas: Theorem) -> Sequent:
    """Discharge the hypotheses that other theorems prove."""
    proved = {alpha(lemma.conclusion) for lemma in lemmas}
    left = {h for h in theorem.hypotheses if alpha(h) not in proved}
    need(len(left) < len(theorem.hypotheses), "none of the theorems proves a hypothesis")
    return theorem.conclusion, left.union(*(lemma.hypotheses for lemma in lemmas))


@inference
def conjunction(first: Theorem, second: Theorem) -> Sequent:
    """From P and Q: P ∧ Q."""
    return Term("and", (first.conclusion, second.conclusion)), first.hypotheses | second.hypotheses


@inference
def weakening(theorem: Theorem) -> Sequent:
    """From a = b or a < b: a ≤ b."""
    need(theorem.conclusion.op in {"eq", "lt"}, f"{theorem.conclusion} is not stronger than ≤")
    return le(theorem.lhs, theorem.rhs), theorem.hypotheses


@inference
def cases(term: Term, first: Theorem, second: Theorem) -> Sequent:
    """From P under each of the two alternatives of a term: P."""
    need(same(first.conclusion, second.conclusion), f"the cases prove {first.conclusion} and {second.conclusion}")
    one, other = alternatives(term)
    return first.conclusion, (first.hypotheses - {one}) | (second.hypotheses - {other}) | harvest(term)


@inference
def induction(number: Term, base: Theorem, following: Theorem) -> Sequent:
    """From P(0), and P(n + 1) under P(n): P(n) for every natural number n."""
    claims = [h for h in following.hypotheses if same(substitute(h, {number: succ(number)}), following.conclusion)]
    need(bool(claims), f"{following.conclusion} does not follow from the same claim one step before")
    claim = claims[0]
    natural = number.op == "size" and number is not NATURALS and least_of(number) == 0
    need(natural and name_of(number) in names(claim), f"{number} is not the claim's natural number")
    fixed = all(not occurs(number, symbol) for symbol in free(claim))
    need(fixed, f"{claim} has a free index below {number}: say ∀ of it")
    first = substitute(claim, {number: ZERO})
    need(same(first, base.conclusion), f"the base is not {first}")
    hypotheses = base.hypotheses | (following.hypotheses - {claim})
    need(not any(occurs(number, h) for h in hypotheses), f"a hypothesis speaks of {number}")
    return claim, hypotheses


@inference
def equivalence(forward: Theorem, backward: Theorem) -> Sequent:
    """From Q under P, and P under Q: P ⟺ Q."""
    p, q = backward.conclusion, forward.conclusion
    return Term("iff", (p, q)), (forward.hypotheses - {p}) | (backward.hypotheses - {q})


@inference
def transport(theorem: Theorem, equivalent: Theorem) -> Sequent:
    """From P, and P ⟺ Q: Q."""
    need(
        equivalent.conclusion.op == "iff" and same(equivalent.lhs, theorem.conclusion),
        f"{equivalent.conclusion} does not begin with {theorem.conclusion}",
    )
    return equivalent.rhs, theorem.hypotheses | equivalent.hypotheses


@inference
def order(gap: Theorem) -> Sequent:
    """From b − a = G and G ≥ 0: a ≤ b; a < b where G > 0."""
    need(gap.conclusion.op == "eq" and gap.lhs.op == "sub", f"{gap.conclusion} is not of the form b − a = G")
    high, low = gap.lhs.args
    strict = not require(POSITIVE, gap.rhs)
    left = NONE if strict else require(NONNEGATIVE, gap.rhs)
    return (lt if strict else le)(low, high), gap.hypotheses | left


@inference
def sign(theorem: Theorem) -> Sequent:
    """From t = G and G ≥ 0: 0 ≤ t; 0 < t where G > 0."""
    need(theorem.conclusion.op == "eq", f"{theorem.conclusion} is no equation")
    strict = not require(POSITIVE, theorem.rhs)
    left = NONE if strict else require(NONNEGATIVE, theorem.rhs)
    return (lt if strict else le)(ZERO, theorem.lhs), theorem.hypotheses | left
