"""Terms evaluated at a point: arrays are NumPy's, derivatives differences, expectations sums over finite tables."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from itertools import product
from math import prod
from typing import Any, Final

import numpy as np

from derive.evidence.witness.reals import (
    ELEMENTWISE,
    Number,
    Reals,
    Undefined,
    Unresolved,
    Value,
    central,
    divide,
    each,
    power,
    reduction,
    rows,
)
from derive.evidence.witness.sample import Endless, Point, Position
from derive.language.term import NATURALS, Term, free, is_random, name_of, occurs, place

Env = Mapping[Term, int]
"What the indices are."
Truth = bool | Undefined

MOST_OUTCOMES: Final = 5000
NATURALS_TRIED: Final = 3


@cache
def free_indices(term: Term) -> tuple[Term, ...]:
    """Return the free indices of a term in a fixed order."""
    return tuple(sorted((symbol for symbol in free(term) if symbol.op == "idx"), key=name_of))


@cache
def _depends(term: Term, quantity: Term) -> bool:
    return quantity in free(term) if is_random(quantity) else occurs(quantity, term)


# ---- values ----------------------------------------------------------------------------------------------------------


class World:
    """A point, or a world with one quantity in it replaced: moved by a step, or random and at one outcome.

    A term that does not depend on the quantity is evaluated in the world above, so that its value is found once.
    """

    __slots__ = ("below", "current", "memory", "parent", "point", "quantity", "reals", "touched")

    def __init__(
        self, point: Point, parent: World | None = None, quantity: Term | None = None, current: Value = None
    ) -> None:
        self.point, self.reals, self.parent = point, point.reals, parent
        self.quantity = quantity
        self.current = np.asarray(current, dtype=object) if quantity is not None and is_random(quantity) else current
        self.memory: dict[Any, Value] = {}
        self.below: dict[Any, World] = {}
        self.touched: set[Position] = set()
        if quantity is not None and not is_random(quantity):
            self.memory[quantity] = current

    def owner(self, term: Term) -> World:
        """Return the lowest world above which the value of a term is settled."""
        world = self
        while world.parent is not None and world.quantity is not None and not _depends(term, world.quantity):
            world = world.parent
        return world

    def value(self, term: Term, env: Env) -> Value:
        """Return the value of a term, with its free indices as in `env`."""
        world = self if self.parent is None else self.owner(term)
        indices = free_indices(term)
        key = (term, *[env[index] for index in indices]) if indices else term
        known = world.memory.get(key)
        if known is None:
            known = world.memory[key] = OPERATORS[term.op](world, term, env)
        return known

    def each(self, term: Term, env: Env, function: Callable[..., Number]) -> Value:
        """Return a function of numbers at the values of a term's arguments."""
        return each(self.reals, function, term, *(self.value(arg, env) for arg in term.args))

    def through(self, index: Term, env: Env) -> Iterator[tuple[Number, Env]]:
        """Yield the weight of every index or point of a range, with the environment there."""
        axis = index.args[0]
        for at in range(self.point.extent(axis)):
            yield self.point.weight(axis, at), {**env, index: at}

    def position(self, places: Iterable[Term], env: Env) -> Position:
        """Return where a component stands in its array."""
        return tuple(env[at] if at.op == "idx" else int(self.value(at, env)) for at in places)

    def component(self, array: Term, position: Position) -> Number:
        """Return a component. Of a random array only this component is noted as touched."""
        world = self.owner(array)
        if world.quantity is array and is_random(array):
            world.touched.add(position)
            return world.current[position]
        return world.value(array, {})[position]

    def replaced(self, quantity: Term, key: object, make: Callable[[], Value]) -> World:
        """Return the world below in which a quantity has another value."""
        known = self.below.get((quantity, key))
        if known is None:
            known = self.below[quantity, key] = World(self.point, self, quantity, make())
        return known

    def slope(self, term: Term, position: Position, env: Env) -> Value:
        """Return a derivative by one component of a quantity, all that the quantity is not part of being held."""
        body, (quantity, _) = term.args[0], place(term.args[1])

        def beside(sign: int) -> Value:
            def make() -> Value:
                return _moved(self.value(quantity, {}), position, sign * self.reals.step)

            return self.replaced(quantity, (position, sign), make).value(body, env)

        return each(self.reals, central, term, beside(1), self.value(body, env), beside(-1))

    def average(self, symbols: tuple[Term, ...], body: Term, env: Env) -> Number:
        """Return 𝔼 of `body` over every outcome of the components of random variables that it touches."""
        tabulated: set[tuple[Term, Position]] = set()
        while True:
            cells = sorted(tabulated, key=lambda cell: (symbols.index(cell[0]), cell[1]))
            tables = [self.point.law(*cell) for cell in cells]
            if prod(map(len, tables)) > MOST_OUTCOMES:
                raise Unresolved(f"an expectation over {len(cells)} random components has too many outcomes")
            total, missed = self.reals.zero, set[tuple[Term, Position]]()
            for outcome in product(*(range(len(table)) for table in tables)):
                chosen = {cell: table[at] for cell, table, at in zip(cells, tables, outcome, strict=True)}
                value, touched = self._at_outcome(symbols, body, env, outcome, chosen)
                missed = touched - tabulated
                if missed:
                    break
                total = total + prod((weight for weight, _ in chosen.values()), start=self.reals.one) * value
            if not missed:
                return total
            tabulated |= missed

    def _at_outcome(
        self,
        symbols: tuple[Term, ...],
        body: Term,
        env: Env,
        outcome: tuple[int, ...],
        chosen: dict[tuple[Term, Position], tuple[Number, Number]],
    ) -> tuple[Number, set[tuple[Term, Position]]]:
        world, worlds = self, list[World]()
        here = [env[index] for index in free_indices(body)]
        for symbol in symbols:

            def make(symbol: Term = symbol) -> Value:
                shape = tuple(map(self.point.extent, symbol.args))
                array = np.empty(shape, dtype=object)
                for at in np.ndindex(shape):
                    array[at] = chosen[symbol, at][1] if (symbol, at) in chosen else self.point.law(symbol, at)[0][1]
                return array

            world = world.replaced(symbol, (body, *here, tuple(chosen), outcome), make)
            worlds.append(world)
        value = world.value(body, env)
        return value, {(s, at) for s, inner in zip(symbols, worlds, strict=True) for at in inner.touched}


def _moved(value: Value, position: Position, by: Number) -> Value:
    if isinstance(value, Endless):
        return value.moved(position, by)
    if not isinstance(value, np.ndarray):
        return value + by
    other = value.copy()
    other[position] = other[position] + by
    return other


Rule = Callable[[World, Term, Env], Value]


def _pointwise(function: Callable[..., Number]) -> Rule:
    return lambda world, term, env: world.each(term, env, function)


def _ring(function: Callable[..., Value]) -> Rule:
    """An operator of numbers that arrays have themselves."""
    return lambda world, term, env: function(*[world.value(arg, env) for arg in term.args])


def _variable(world: World, term: Term, _: Env) -> Value:
    if world.quantity is term:
        world.touched.update(np.ndindex(world.current.shape))
        return world.current[()]
    return world.point.variable(term)


def _at(world: World, term: Term, env: Env) -> Value:
    array, *places = term.args
    position = world.position(places, env)
    if not free(array).isdisjoint(env):
        return world.value(array, env)[position]
    return world.component(array, position)


def _call(world: World, term: Term, env: Env) -> Value:
    symbol, argument = term.args
    assert isinstance(symbol.data, tuple)
    function, order = world.point.function(name_of(symbol)), int(symbol.data[1])
    return each(world.reals, lambda _, u: function(order, u), term, world.value(argument, env))


def _matmul(world: World, term: Term, env: Env) -> Value:
    left, right = (world.value(arg, env) for arg in term.args)
    return np.asarray(np.tensordot(left, right, axes=1) + world.reals.zero)[()]


def _sumax(world: World, term: Term, env: Env) -> Value:
    return world.value(term.args[0], env).sum(axis=term.data) + world.reals.zero


def _diag(world: World, term: Term, env: Env) -> Value:
    vector = world.value(term.args[0], env)
    result = np.full(vector.shape * 2, world.reals.zero, dtype=object)
    np.fill_diagonal(result, vector)
    return result


def _delta(world: World, term: Term, env: Env) -> Value:
    i, j = (env[index] for index in term.args)
    return world.reals.one if i == j else world.reals.zero


def _derivative(world: World, term: Term, env: Env) -> Value:
    body, by = term.args
    quantity, places = place(by)
    if places or not quantity.shape:
        return world.slope(term, world.position(places, env), env)
    shape = world.value(quantity, {}).shape
    result = np.empty((*map(world.point.extent, body.shape), *shape), dtype=object)
    for position in np.ndindex(shape):
        result[(..., *position)] = world.slope(term, position, env)
    return result


def _array(world: World, term: Term, env: Env) -> Value:
    *over, body = term.args
    result = np.empty(tuple(map(world.point.extent, term.shape)), dtype=object)
    for position in np.ndindex(result.shape):
        result[position] = world.value(body, {**env, **dict(zip(over, position, strict=True))})
    return result


def _sum(world: World, term: Term, env: Env) -> Value:
    index, body = term.args
    return sum((world.value(body, inner) for _, inner in world.through(index, env)), world.reals.zero)


def _product(world: World, term: Term, env: Env) -> Value:
    index, body = term.args
    return prod((world.value(body, inner) for _, inner in world.through(index, env)), start=world.reals.one)


def _integral(world: World, term: Term, env: Env) -> Value:
    index, body = term.args
    return sum((weight * world.value(body, inner) for weight, inner in world.through(index, env)), world.reals.zero)


def _expect(world: World, term: Term, env: Env) -> Value:
    """∫ density · body where the density does not vanish: elsewhere the body need not be defined."""
    index, density, body = term.args
    total = world.reals.zero
    for weight, inner in world.through(index, env):
        q = world.value(density, inner)
        if isinstance(q, Undefined):
            return q
        if abs(q) > world.reals.noise:  # below zero only beside zero, in a derivative by the density
            total = total + weight * q * world.value(body, inner)
    return total


OPERATORS: Final[dict[str, Rule]] = {
    "num": lambda world, term, env: world.reals.number(term.data),
    "size": lambda world, term, env: world.reals.number(world.point.extent(term)),
    "succ": lambda world, term, env: world.reals.number(world.point.extent(term)),
    "idx": lambda world, term, env: world.reals.number(env[term]),
    "var": _variable,
    "let": lambda world, term, env: world.value(term.args[0], env),
    "add": _ring(operator.add),
    "sub": _ring(operator.sub),
    "mul": _ring(operator.mul),
    "neg": _ring(operator.neg),
    "div": _pointwise(divide),
    "pow": _pointwise(power),
    "app": lambda world, term, env: world.each(term, env, ELEMENTWISE[str(term.data)]),
    "call": _call,
    "at": _at,
    "matmul": _matmul,
    "T": lambda world, term, env: np.transpose(world.value(term.args[0], env)),
    "outer": _ring(np.multiply.outer),
    "sumax": _sumax,
    "diag": _diag,
    "rows": lambda world, term, env: rows(world.reals, str(term.data), world.value(term.args[0], env), term),
    "reduce": lambda world, term, env: reduction(world.reals, str(term.data), world.value(term.args[0], env), term),
    "delta": _delta,
    "D": _derivative,
    "array": _array,
    "sum": _sum,
    "prod": _product,
    "integral": _integral,
    "expect": _expect,
    "mean": lambda world, term, env: world.average(term.args[:-1], term.args[-1], env),
}


# ---- truth -----------------------------------------------------------------------------------------------------------


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
        left, right = (world.value(side, env) for side in formula.args)
        one, other = ([v] if not isinstance(v, np.ndarray) else v.ravel().tolist() for v in (left, right))
        holds = True
        for a, b in zip(one, other, strict=True):
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
        ledger.largest = max(ledger.largest, abs(b - a) / max(1, abs(a), abs(b)))
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
