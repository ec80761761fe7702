"""Whether a formula holds in a world, or why it has no meaning there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import product
from typing import Final

from derive.evidence.witness.reals import Number, Reals, Undefined
from derive.evidence.witness.sample import Point
from derive.evidence.witness.world import Env, World
from derive.language.term import NATURALS, Term

Truth = bool | Undefined

NATURALS_TRIED: Final = 3


@dataclass
class Ledger:
    """What was seen while a formula was judged."""

    largest: Number = 0
    slack: Number = None
    tight: bool = False
    met: set[bool] = field(default_factory=set)
    sides: tuple[str, str] = ("", "")


Judge = Callable[[World, Term, Env, Ledger], Truth]


def truth(world: World, formula: Term, env: Env, ledger: Ledger) -> Truth:
    """Tell whether a formula holds, or why it has no meaning here."""
    return TRUTHS[formula.op](world, formula, env, ledger)


def _relation(test: Callable[[Reals, Number, Number], bool]) -> Judge:
    def judge(world: World, formula: Term, env: Env, ledger: Ledger) -> Truth:
        left, right = map(world.rule, formula.args)
        holds = True
        for at in product(*map(range, world.extents(formula.args[0]))):
            a, b = left(at, env, 0)[0], right(at, env, 0)[0]
            for side in (a, b):
                if isinstance(side, Undefined):
                    ledger.sides = world.reals.text(a), world.reals.text(b)
                    return side
            good = test(world.reals, a, b)
            if holds and not good:
                ledger.sides = world.reals.text(a), world.reals.text(b)
            holds = holds and good
            _note(ledger, world.reals, formula.op, a, b)
        return holds

    return judge


def _note(ledger: Ledger, reals: Reals, op: str, a: Number, b: Number) -> None:
    if op == "eq":
        difference = abs(b - a)
        if difference:
            ledger.largest = max(ledger.largest, difference / max(1, abs(a), abs(b)))
    elif op in {"le", "lt"}:
        ledger.slack = b - a if ledger.slack is None else min(ledger.slack, b - a)
        ledger.tight = ledger.tight or reals.close(a, b)


def _unequal(world: World, formula: Term, env: Env, ledger: Ledger) -> Truth:
    same = TRUTHS["eq"](world, formula, env, ledger)
    return same if isinstance(same, Undefined) else not same


def _and(world: World, formula: Term, env: Env, ledger: Ledger) -> Truth:
    left = truth(world, formula.args[0], env, ledger)
    return truth(world, formula.args[1], env, ledger) if left is True else left


def _implies(world: World, formula: Term, env: Env, ledger: Ledger) -> Truth:
    premise = truth(world, formula.args[0], env, Ledger())
    if isinstance(premise, Undefined):
        return premise
    return truth(world, formula.args[1], env, ledger) if premise else True


def _iff(world: World, formula: Term, env: Env, ledger: Ledger) -> Truth:
    left, right = (truth(world, side, env, Ledger()) for side in formula.args)
    ledger.sides = str(left), str(right)
    for side in (left, right):
        if isinstance(side, Undefined):
            return side
    ledger.met.add(bool(left))
    return left is right


def _forall(world: World, formula: Term, env: Env, ledger: Ledger) -> Truth:
    index, body = formula.args
    for at in tried(world.point, index):
        holds = truth(world, body, {**env, index: at}, ledger)
        if holds is not True:
            return holds
    return True


def tried(point: Point, index: Term) -> range:
    """Return the values that "for all" goes through: of the natural numbers only the first few."""
    return range(NATURALS_TRIED if index.args[0] is NATURALS else point.extent(index.args[0]))


TRUTHS: Final[dict[str, Judge]] = {
    "eq": _relation(Reals.close),
    "ne": _unequal,
    "le": _relation(lambda reals, a, b: bool(a <= b) or reals.close(a, b)),
    "lt": _relation(lambda reals, a, b: bool(a < b) and not reals.close(a, b)),
    "and": _and,
    "implies": _implies,
    "iff": _iff,
    "forall": _forall,
    # On finite tables everything is integrable, and a derivative goes into every expectation.
    **dict.fromkeys(("integrable", "exchange", "true"), lambda world, formula, env, ledger: True),
}
