"""Strategies: where and how often rules act. A plan is a list of inferences, and only the core carries it out.

A rule looks at one term and returns a `Move` or None, where it does not apply. Failing and leaving unchanged differ:
a rule that applies always changes the term.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import permutations
from typing import Any
from weakref import WeakKeyDictionary

from derive.language.array import component, push
from derive.language.term import FORMULAS, OPERATORS, ShapeError, Term, alpha, bound, is_random, place, sort, substitute
from derive.logic.axiom import Axiom
from derive.logic.context import ProofError, context
from derive.logic.facts import NONE
from derive.logic.fingerprint import fingerprint
from derive.logic.meaning import atoms, is_arithmetic, rationally_equal
from derive.logic.theorem import Theorem, algebra, step, unfold

Path = tuple[int, ...]


@dataclass(frozen=True)
class Move:
    """One inference: what makes the theorem, its arguments after the place, and the term that comes out."""

    infer: Callable[..., Theorem]
    arguments: tuple[Any, ...]
    after: Term
    relation: str = "="


@dataclass(frozen=True)
class Planned:
    """A move and the place where it acts."""

    path: Path
    move: Move

    def below(self, *above: int) -> Planned:
        """Return the same move in a larger term."""
        return Planned((*above, *self.path), self.move)


Rule = Callable[[Term], Move | None]
Plan = tuple[Planned, ...]
FUEL = 400


def carry_out(theorem: Theorem, plan: Iterable[Planned]) -> Theorem:
    """Let the core make every step of a plan on a theorem's right side."""
    for planned in plan:
        theorem = planned.move.infer(theorem, planned.path, *planned.move.arguments)
    return theorem


# ---- rules from axioms, theorems and definitions ---------------------------------------------------------------------


_HEADS: WeakKeyDictionary[Rule, frozenset[str]] = WeakKeyDictionary()
"At which operators a rule can act, where that is known: where there is none of them, nobody need look."
_HEADS_OF: Mapping[str, frozenset[str]] = {
    "linearity": frozenset(("sum", "integral", "expect", "mean")),
    "sift": frozenset(("sum",)),
    **dict.fromkeys(("exponential of a negative", "exponential of a sum"), frozenset(("app",))),
    **dict.fromkeys(("exponential of a logarithm", "logarithm of a product"), frozenset(("app",))),
}


def by_axiom(axiom: Axiom, *parameters: Any) -> Rule:
    """Return the rule that acts where an axiom schema applies."""
    heads = frozenset(("D",)) if axiom.statement.startswith("D(") else _HEADS_OF.get(axiom.name)

    def rule(term: Term) -> Move | None:
        if (heads is not None and term.op not in heads) or term.shape:
            return None
        try:
            result = axiom.schema(term, *parameters)
        except ShapeError:
            return None
        if result is None:
            return None
        after = push(result[0])
        unchanged = after.op == term.op and alpha(after) is alpha(term)
        return None if unchanged else Move(step, (axiom, *parameters), after, axiom.relation)

    if heads is not None:
        _HEADS[rule] = heads
    return rule


def by_definition(*named: str) -> Rule:
    """Return the rule that unfolds named quantities."""

    def rule(term: Term) -> Move | None:
        base, places = place(term)
        if base.op != "let" or base.data not in named or (base.shape and not places):
            return None
        return Move(unfold, (), component(base.args[0], places))

    return rule


def first(*rules: Rule) -> Rule:
    """Return the rule that acts as the first of several that applies."""

    def rule(term: Term) -> Move | None:
        return next((move for candidate in rules if (move := candidate(term)) is not None), None)

    if all(candidate in _HEADS for candidate in rules):
        _HEADS[rule] = frozenset[str]().union(*(_HEADS[candidate] for candidate in rules))
    return rule


_BITS = {op: 1 << number for number, op in enumerate(OPERATORS)}


@cache
def _operators(term: Term) -> int:
    """Return the bits of the operators in a term, definitions not opened."""
    if term.op == "let":
        return _BITS["let"]
    bits = _BITS[term.op]
    for arg in term.args:
        bits |= _operators(arg)
    return bits


def _bits_of(rule: Rule) -> int:
    return sum(_BITS[op] for op in _HEADS.get(rule, _BITS))


# ---- where rules act -------------------------------------------------------------------------------------------------


def positions(term: Term) -> Iterator[int]:
    """Yield the arguments in which a term can be rewritten."""
    if term.op in {"let", "var", "idx", "delta", "size", "num", "succ", "at"}:
        if term.op == "at" and term.args[0].op in {"rows", "inv", "map", "pass"}:
            yield 0
        return
    if term.op in {"D", "pass"}:
        yield 0 if term.op == "D" else 4
        return
    for position in range(len(bound(term)), len(term.args)):
        if sort(term.args[position]) in {"real", "formula"}:
            yield position


def everywhere(rule: Rule) -> Callable[[Term], tuple[Term, Plan]]:
    """Return the strategy that lets a rule act from the top down until it applies nowhere."""
    done: dict[Term, tuple[Term, Plan]] = {}  # a rule looks at a term alone: what it did once, it will do again
    heads = _bits_of(rule)

    def act(term: Term, fuel: list[int]) -> tuple[Term, Plan]:
        if not _operators(term) & heads:
            return term, ()
        known = done.get(term)
        if known is not None:
            _burn(fuel, len(known[1]))
            return known
        start, plan = term, list[Planned]()
        changed = True
        while changed:
            changed = False
            move = rule(term)
            while move is not None:
                _burn(fuel)
                plan.append(Planned((), move))
                term = move.after
                move = rule(term)
            for position in positions(term):
                around = context(term, position)
                inner, below = act(around.inner, fuel)
                if below:
                    term = around.close("=", inner, NONE)[1]
                    plan += [planned.below(position) for planned in below]
                    changed = True
        done[term] = term, ()
        done[start] = term, tuple(plan)
        return done[start]

    return lambda term: act(term, [FUEL])


def _burn(fuel: list[int], steps: int = 1) -> None:
    fuel[0] -= steps
    if fuel[0] < 0:
        raise ProofError(
            f"the rules go on for more than {FUEL} steps: two of the reasons undo each other, name one of them"
        )


def once(rule: Rule) -> Callable[[Term], tuple[Term, Plan]]:
    """Return the strategy that lets a rule act at every outermost place where it applies, and not on what comes out."""

    def act(term: Term) -> tuple[Term, str, Plan]:
        move = rule(term)
        if move is not None:
            return move.after, move.relation, (Planned((), move),)
        plan: list[Planned] = []
        strongest = "="
        for position in positions(term):
            around = context(term, position)
            inner, relation, below = act(around.inner)
            if not below:
                continue
            try:
                relation, term, _ = around.close(relation, inner, NONE)
            except ProofError:
                continue
            plan += [planned.below(position) for planned in below]
            strongest = relation if relation != "=" else strongest
        return term, strongest, tuple(plan)

    def strategy(term: Term) -> tuple[Term, Plan]:
        after, _, plan = act(term)
        return after, plan

    return strategy


# ---- agreement: two terms that algebra makes equal, at the places where it does --------------------------------------


@cache
def agree(left: Term, right: Term, swap: Axiom) -> Plan | None:
    """Return the algebra steps that turn one term into another, or None; `swap` exchanges two sums.

    The core's algebra takes every atom as opaque. So the atoms of both sides that are equal for algebra inside them
    are first made one, the sides are then compared, and last each atom of the right side is written as it stands.
    """
    if alpha(left) is alpha(right):
        return () if left is right else (Planned((), Move(algebra, (right,), right)),)
    if left.op in FORMULAS:
        return _agree_atoms(left, right, swap)
    if left.shape or right.shape:
        return None
    if not _alike(left, right) and not _has_brackets(left, right):
        return None
    one = _represented(atoms(left) | atoms(right), swap)
    there, middle = _towards(left, one)
    back, goal = _towards(right, one)
    if not rationally_equal(middle, goal):
        return None
    away = [p.below(*path) for path, atom, same in back for p in _agree_atoms(same, atom, swap) or ()]
    forth = [p.below(*path) for path, atom, same in there for p in _agree_atoms(atom, same, swap) or ()]
    return (*forth, Planned((), Move(algebra, (goal,), goal)), *away)


def _has_brackets(*terms: Term) -> bool:
    """Tell whether δ² = δ may be needed, which no point of a field knows."""
    return any(t.op == "delta" for term in terms for t in atoms(term))


def _alike(left: Term, right: Term) -> bool:
    """Tell whether two terms may be equal by algebra: whether a point tells them apart."""
    one, other = fingerprint(left), fingerprint(right)
    return one is None or other is None or one == other


def _represented(found: frozenset[Term], swap: Axiom) -> dict[Term, Term]:
    """Choose one atom of each class of atoms that algebra inside them makes equal."""
    chosen: dict[Term, Term] = {}
    for atom in sorted(found, key=lambda a: a.serial):
        alike = (other for other in chosen.values() if other.op == atom.op and _alike(other, atom))
        chosen[atom] = next(
            (o for o in alike if _agree_atoms(atom, o, swap) is not None and _agree_atoms(o, atom, swap) is not None),
            atom,
        )
    return chosen


def _towards(term: Term, one: dict[Term, Term]) -> tuple[list[tuple[Path, Term, Term]], Term]:
    """Put the chosen atoms into a term: the places with what stood and what stands there, and the new term."""
    places: list[tuple[Path, Term, Term]] = []
    for path, atom in tuple(_outermost_atoms(term)):
        same = one.get(alpha(atom), atom)
        if alpha(same) is not alpha(atom):
            places.append((path, atom, same))
            term = _replace(term, path, same)
    return places, term


def _outermost_atoms(term: Term, path: Path = ()) -> Iterator[tuple[Path, Term]]:
    if not is_arithmetic(term):
        yield path, term
        return
    parts = term.args[:1] if term.op == "pow" else term.args
    for position, arg in enumerate(parts):
        yield from _outermost_atoms(arg, (*path, position))


def _replace(term: Term, path: Path, new: Term) -> Term:
    if not path:
        return new
    args = list(term.args)
    args[path[0]] = _replace(args[path[0]], path[1:], new)
    return Term(term.op, tuple(args), term.data)


@cache
def _agree_atoms(left: Term, right: Term, swap: Axiom) -> Plan | None:
    if alpha(left) is alpha(right):
        return ()
    if left.op != right.op or left.data != right.data or len(left.args) != len(right.args):
        return None
    if left.op in {"sum", "integral", "prod"}:
        return _agree_sums(left, right, swap)
    if left.op in {"num", "size", "var", "let", "idx", "delta", "succ"}:
        return None
    if bound(left):
        return _agree_binders(left, right, swap)
    if left.op == "D":
        return _agree_derivatives(left, right, swap)
    plan: list[Planned] = []
    changeable = set(positions(left))
    for position, (a, b) in enumerate(zip(left.args, right.args, strict=True)):
        if alpha(a) is alpha(b):
            continue
        below = agree(a, b, swap) if position in changeable else None
        if below is None:
            return None
        plan += [planned.below(position) for planned in below]
    return tuple(plan)


def _agree_derivatives(left: Term, right: Term, swap: Axiom) -> Plan | None:
    if left.args[1] is not right.args[1]:
        return None
    below = agree(context(left, 0).inner, context(right, 0).inner, swap)
    return None if below is None else tuple(planned.below(0) for planned in below)


def _agree_binders(left: Term, right: Term, swap: Axiom) -> Plan | None:
    mine, theirs = bound(left), bound(right)
    if [_kind(s) for s in mine] != [_kind(s) for s in theirs]:
        return None
    plan: list[Planned] = []
    for position in range(len(mine), len(left.args)):
        there = substitute(right.args[position], dict(zip(theirs, mine, strict=True)))
        below = agree(left.args[position], there, swap)
        if below is None:
            return None
        plan += [planned.below(position) for planned in below]
    return tuple(plan)


def _kind(symbol: Term) -> tuple[Term, ...] | Term:
    """What two bound symbols must have in common: their range; random variables are never renamed."""
    if symbol.op == "size" or (symbol.op == "var" and not is_random(symbol)):  # the variable of a limit
        return Term(symbol.op, symbol.args, ("", *symbol.data[1:])) if isinstance(symbol.data, tuple) else symbol
    return symbol.args if symbol.op == "idx" else symbol


def _nest(term: Term) -> tuple[tuple[Term, ...], Term]:
    symbols: list[Term] = []
    op = term.op
    while term.op == op:
        symbols.append(term.args[0])
        term = term.args[1]
    return tuple(symbols), term


def _agree_sums(left: Term, right: Term, swap: Axiom) -> Plan | None:
    """Nested sums agree if their bodies do after some change of order."""
    mine, body = _nest(left)
    theirs, other = _nest(right)
    if len(mine) != len(theirs) or len(set(mine)) < len(mine):
        return None
    for order in permutations(range(len(mine))):
        if any(mine[o].args != t.args for o, t in zip(order, theirs, strict=True)):
            continue
        there = substitute(other, {t: mine[o] for o, t in zip(order, theirs, strict=True)})
        below = agree(body, there, swap)
        if below is None:
            continue
        depth = (1,) * len(mine)
        plan = [planned.below(*depth) for planned in below]
        swaps = _transpositions(mine, tuple(mine[o] for o in order), there, left.op, swap)
        if swaps is not None:
            return (*plan, *swaps)
    return None


def _transpositions(start: tuple[Term, ...], goal: tuple[Term, ...], body: Term, op: str, swap: Axiom) -> Plan | None:
    """Return the exchanges of neighbours that sort nested binders into another order."""
    plan: list[Planned] = []
    current = list(start)
    for position, symbol in enumerate(goal):
        for where in range(current.index(symbol), position, -1):
            nested = body
            for bound_symbol in reversed(current[where - 1 :]):
                nested = Term(op, (bound_symbol, nested))
            move = by_axiom(swap)(nested)
            if move is None:
                return None
            plan.append(Planned((1,) * (where - 1), move))
            current[where - 1], current[where] = current[where], current[where - 1]
    return tuple(plan)
