"""Whether a formula holds in a world, or why it has no meaning there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import product
from typing import Final

from derive.evidence.witness.reals import Number, Reals, Undefined, Unresolved
from derive.evidence.witness.sample import Point
from derive.evidence.witness.world import Env, World, determinant_of, matrix_of
from derive.language.term import NATURALS, ShapeError, Term, name_of, occurs, substitute, subterms

Truth = bool | Undefined

NATURALS_TRIED: Final = 4  # at least up to the largest natural number that is drawn
SCALES: Final = range(2, 82, 2)
"How far a limit is followed, in powers of 2."
FAR: Final = (120, 160, 200)
"And farther, before it is called false: there differences may be lost to rounding."
NEAR: Final = 15
"To how many digits it must be met, unless it is met faster than any power of the variable."


@dataclass
class Ledger:
    """What was seen while a formula was judged."""

    largest: Number = 0
    slack: Number = None
    tight: bool = False
    sampled: bool = False
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
    inner = Ledger()
    left, right = (truth(world, side, env, inner) for side in formula.args)
    ledger.sides, ledger.sampled = (str(left), str(right)), inner.sampled
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


def _invertible(world: World, formula: Term, env: Env) -> Truth:
    rows, _ = matrix_of(world, formula.args[0], env, 0)
    return rows if isinstance(rows, Undefined) else bool(determinant_of(world, rows))


def _positive_definite(world: World, formula: Term, env: Env) -> Truth:
    """Sylvester's criterion on the symmetric part: all leading minors are positive."""
    rows, _ = matrix_of(world, formula.args[0], env, 0)
    if isinstance(rows, Undefined):
        return rows
    size = range(len(rows))
    half = [[(rows[i][j] + rows[j][i]) / 2 for j in size] for i in size]
    return all(determinant_of(world, [row[: n + 1] for row in half[: n + 1]]) > 0 for n in size)


def _tends(world: World, formula: Term, env: Env, ledger: Ledger) -> Truth:
    """Follow a limit along a sequence. That shows no limit, but it shows up a wrong one."""
    variable, *to, value, body = formula.args
    reals, ledger.sampled = world.reals, True
    limit = world.rule(value)((), env, 0)[0]
    start = world.rule(to[0])((), env, 0)[0] if to else None
    for number in (limit, start):
        if isinstance(number, Undefined):
            return number
    ledger.sides = "the body", reals.text(limit)

    def distances(scales: Iterable[int]) -> Iterator[Number]:
        for scale in scales:
            try:
                near = [world.rule(term)((), env, 0)[0] for term in _moved(variable, start, scale, body)]
            except (Unresolved, ShapeError, OverflowError):
                return  # so far and no further
            gone = any(isinstance(number, Undefined) for number in near)
            yield None if gone else max(abs(number - limit) for number in near)

    settled = _settled(reals, list(distances(SCALES)), limit)
    if not settled and any(far is not None and far <= _least(reals, limit) for far in distances(FAR)):
        raise Unresolved("a limit is met too slowly to see it")
    return settled


def _least(reals: Reals, limit: Number) -> Number:
    return max(1, abs(limit)) * reals.context.mpf(10) ** -NEAR


def _moved(variable: Term, start: Number, scale: int, body: Term) -> list[Term]:
    """Return the body at two values of its variable that are nearer to the limit the larger the scale."""
    counted = any(part.op == "idx" and occurs(variable, part.args[0]) for part in subterms(body))
    if counted and scale > 8:
        raise Unresolved("a sum of too many terms")
    step = Fraction(2**scale)
    if start is None:
        chosen = [step, step + 1] if variable.op == "size" else [step, step * Fraction(5, 4) + Fraction(1, 3)]
    else:
        sign, digits, exponent, _ = start._mpf_
        base = Fraction(-digits if sign else digits) * Fraction(2) ** exponent
        both = variable.data == (name_of(variable), "real")
        chosen = [base + 1 / step, base - 1 / step if both else base + 1 / (3 * step)]
    return [substitute(body, {variable: Term("num", (), number)}) for number in chosen]


def _settled(reals: Reals, distances: list[Number], limit: Number) -> bool:
    """Tell whether distances go to 0; it is not resolved where they fall, but slowly."""
    if len(distances) < 3:
        raise Unresolved("a limit cannot be followed far enough")
    *_, earlier, before, last = distances
    third = len(distances) // 3
    if last is not None and last <= _least(reals, limit):
        return True
    if last is None:
        return False
    if None in distances:
        raise Unresolved("a limit cannot be followed far enough")
    if last < before / 1000 < earlier / 10**6:
        return True
    if max(distances[-third:]) * 10 < max(distances[third:-third]) * 9:
        raise Unresolved("a limit is met too slowly to see it")
    return False


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
    "tends": _tends,
    "invertible": lambda world, formula, env, ledger: _invertible(world, formula, env),
    "posdef": lambda world, formula, env, ledger: _positive_definite(world, formula, env),
    # On finite tables everything is integrable, and a derivative goes into every expectation.
    **dict.fromkeys(("integrable", "exchange", "true"), lambda world, formula, env, ledger: True),
}
