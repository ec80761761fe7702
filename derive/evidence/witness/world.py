"""Terms evaluated at a point by components: derivatives are differences, expectations sums over finite tables.

A derivative moves one component of a quantity, an outcome gives components of random variables values. What is changed
so is a *state*, a number whose bits say what was done to which component; 0 is the point as it was drawn. Every number
that is found comes with a mask, the bits of all that it was read from. It is the same in all states that agree there,
and is found only once for them.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from math import prod
from operator import itemgetter
from typing import Any, Final

import numpy as np

from derive.evidence.witness.reals import (
    ELEMENTWISE,
    REDUCTIONS,
    ROWS,
    Number,
    Undefined,
    Unresolved,
    Value,
    applied,
    central,
    divide,
    power,
    row_applied,
)
from derive.evidence.witness.sample import JOINT, VARIANCE, Point, Position, Table
from derive.language.term import (
    Term,
    block_of,
    free,
    is_random,
    lift,
    name_of,
    occurs,
    parameters_of,
    place,
    substitute,
    succ,
)

Env = Mapping[Term, int]
"What the indices are."
Seen = tuple[Number, int]
"A number, and the mask of what it was read from."
Rule = Callable[[Position, Env, int], Seen]
"Finds a component of a term, from its position, the term's free indices and the state."

MOST_OUTCOMES: Final = 5000
CELL: Final = 255
"A component has eight bits of a state."
STEPS: Final = 15
"The low four say how many steps it was moved, from −7 to 7."
OUTCOME: Final = 4
"The others, from this bit on, say which outcome it has, counted from 1."


@cache
def free_indices(term: Term) -> tuple[Term, ...]:
    """Return the free indices of a term in a fixed order."""
    return tuple(sorted((symbol for symbol in free(term) if symbol.op == "idx"), key=name_of))


class Cells:
    """Where in a state the changes of the components of a quantity stand.

    Attributes
    ----------
    watched : bool
        Whether there is a derivative by the quantity, or an expectation over it. If not, nothing ever changes it.
    shifts : dict of Position to int
    mask : int
        The bits of all its components that were ever asked for.
    """

    __slots__ = ("mask", "shifts", "watched", "world")

    def __init__(self, world: World) -> None:
        self.world, self.watched = world, False
        self.shifts: dict[Position, int] = {}
        self.mask = 0

    def shift(self, at: Position) -> int:
        """Return where the bits of a component begin."""
        known = self.shifts.get(at)
        if known is None:
            known = self.shifts[at] = self.world.width
            self.world.width += CELL.bit_length()
            self.mask |= CELL << known
        return known


class World:
    """A point, and all that is known of the values of terms there.

    Parameters
    ----------
    point : Point
    given : mapping of Term to Value, optional
        The values of variables and named quantities that are given and not drawn.

    Attributes
    ----------
    width : int
        How many bits a state has so far.
    found : int
        How many numbers are remembered, or have been.
    known : dict of Term to bool
        Which formulas without free indices hold.
    """

    def __init__(self, point: Point, given: Mapping[Term, Value] | None = None) -> None:
        self.point, self.reals = point, point.reals
        self.width = self.found = 0
        self._values: dict[Term, Value] = dict(given or {})
        self._given = frozenset(self._values)
        self._rules: dict[Term, Rule] = {}
        self._memories: list[tuple[Term, dict[Any, Any]]] = []
        self._cells: dict[Term, Cells] = {}
        self.known: dict[Term, bool] = {}

    def value(self, term: Term, env: Env) -> Value:
        """Return the value of a term, a number or an array of them, with its free indices as in `env`."""
        rule = self.rule(term)
        if not term.shape:
            return rule((), env, 0)[0]
        result = np.empty(self.extents(term), dtype=object)
        for at in np.ndindex(result.shape):
            result[at] = rule(at, env, 0)[0]
        return result

    def forget(self) -> None:
        """Let go of all that refers to this world, so that what it holds is freed at once and not by the collector."""
        for held in (self._rules, self._memories, self._cells, self.known):
            held.clear()

    def extents(self, term: Term) -> tuple[int, ...]:
        """Return the lengths of the axes of a term."""
        return tuple(map(self.point.extent, term.shape))

    def drawn(self, variable: Term) -> Value:
        """Return the value of a variable, as it was given or drawn."""
        known = self._values.get(variable)
        if known is None:
            known = self._values[variable] = self.point.variable(variable)
        return known

    # ---- rules ----

    def rule(self, term: Term) -> Rule:
        """Return what finds the components of a term, and remembers them."""
        known = self._rules.get(term)
        if known is None:
            op = "var" if term in self._given else term.op
            known = OPERATORS[op](self, term)
            if op not in FORGOTTEN:
                known = self.remembered(term, known, bool(term.shape))
            self._rules[term] = known
        return known

    def remembered(self, term: Term, find: Rule, positions: bool) -> Rule:
        """Return a rule that finds nothing twice. What it finds may depend on the position, or not."""
        memory: dict[Any, list[tuple[int, dict[int, Number]]]] = {}
        self._memories.append((term, memory))
        indices = free_indices(term)
        chosen = itemgetter(*indices) if indices else None

        def value(at: Position, env: Env, state: int) -> Seen:
            key: Any = at
            if chosen:
                key = (at, chosen(env)) if positions else chosen(env)
            known = memory.get(key)
            if known is not None:
                for mask, table in known:
                    number = table.get(state & mask)
                    if number is not None:
                        return number, mask
            number, mask = find(at, env, state)
            self.found += 1
            if known is None:
                memory[key] = [(mask, {state & mask: number})]
                return number, mask
            for other, table in known:
                if other == mask:
                    table[state & mask] = number
                    return number, mask
            known.append((mask, {state & mask: number}))
            return number, mask

        return value

    # ---- states ----

    def cells(self, quantity: Term) -> Cells:
        """Return where the changes of a quantity stand in a state."""
        known = self._cells.get(quantity)
        if known is None:
            known = self._cells[quantity] = Cells(self)
        return known

    def watch(self, quantity: Term) -> Cells:
        """Note from now on which components of a quantity are read. What was read before is forgotten."""
        cells = self.cells(quantity)
        if not cells.watched:
            cells.watched = True
            for term, memory in self._memories:
                if memory and occurs(quantity, term):
                    memory.clear()
        return cells

    def defined_by(self, *symbols: Term) -> int:
        """Return the mask of the named quantities that depend on certain ones: they are not held when those change."""
        mask = 0
        for quantity, cells in self._cells.items():
            if cells.mask and quantity.op == "let" and any(_depends(quantity, symbol) for symbol in symbols):
                mask |= cells.mask
        return mask

    def read(self, cells: Cells, at: Position, state: int) -> tuple[int, Number, int]:
        """Return the outcome that a component has in a state (0 for none), how far it was moved, and its mask."""
        shift = cells.shift(at)
        change = state >> shift & CELL
        if not change:
            return 0, None, CELL << shift
        steps = change & STEPS
        moved = self.reals.step * (steps if steps <= STEPS // 2 else steps - STEPS - 1) if steps else None
        return change >> OUTCOME, moved, CELL << shift

    def slope(self, quantity: Term, at: Position, term: Term, find: Callable[[int], Seen], state: int) -> Seen:
        """Return a derivative by one component of a quantity, all that the quantity is not part of being held."""
        here, mask = find(state)
        cells = self.cells(quantity)
        shift = cells.shifts.get(at)
        if shift is None or not mask >> shift & CELL:  # it was not read
            return here if isinstance(here, Undefined) else self.reals.zero, mask
        rest = state & ~(self.defined_by(quantity) | STEPS << shift)
        numbers, steps = [here], state >> shift & STEPS
        for sign in (1, -1):
            moved = steps + sign & STEPS
            if moved == (STEPS + 1) // 2:
                raise Unresolved("derivatives nest too deep")
            number, seen = find(rest | moved << shift)
            numbers.append(number)
            mask |= seen
        here, above, below = numbers
        return applied(self.reals, central, term, above, here, below), mask

    def average(self, symbols: tuple[Term, ...], body: Rule, env: Env, state: int) -> Seen:
        """Return 𝔼 of `body` over every outcome of the components of random variables that it reads."""
        tables: dict[Any, Joint] = {}
        read = 0
        for symbol in symbols:
            for at in np.ndindex(self.extents(symbol)):
                table, seen = self.law(symbol, at, state)
                read |= seen
                if isinstance(table, Undefined):
                    return table, read
                shift, shares = self.cells(symbol).shift(at), [share for share, _ in table]
                together = tables.setdefault(unit(symbol, at), (shares, []))
                together[1].append(shift)
        groups = [(shares, shifts, sum(CELL << s for s in shifts)) for shares, shifts in tables.values()]
        own = sum(mask for *_, mask in groups)
        bound = own | self.defined_by(*symbols)
        tabulated = 0
        while True:
            rows = [(shares, shifts) for shares, shifts, mask in groups if tabulated & mask]
            if prod(len(shares) for shares, _ in rows) > MOST_OUTCOMES:
                raise Unresolved(f"an expectation over {len(rows)} random components has too many outcomes")
            loose = [s for _, shifts, mask in groups if not tabulated & mask for s in shifts]
            rest = sum(1 << shift + OUTCOME for shift in loose) | state & ~bound
            total, mask, missed = self.reals.zero, read, 0
            for weight, outcome in _outcomes(rows, self.reals.one):
                number, seen = body((), env, rest | outcome)
                mask |= seen
                missed = seen & own & ~tabulated
                if missed:
                    break
                total = total + weight * number
            if not missed:
                return total, mask & ~bound
            for *_, cells in groups:
                tabulated |= cells if missed & cells else 0

    def law(self, symbol: Term, at: Position, state: int) -> tuple[Table | Undefined, int]:
        """Return the table of a component of a random variable in a state, and the mask of what it was read from."""
        found = [self.rule(p)(at if p.shape else (), {}, state) for p in parameters_of(symbol)]
        numbers, mask = tuple(number for number, _ in found), _union(found)
        for number in numbers:
            if isinstance(number, Undefined):
                return number, mask
        assert isinstance(symbol.data, tuple)
        which = VARIANCE.get(symbol.data[2])
        if which is not None and numbers[which] < -self.reals.noise:
            return Undefined("a negative variance"), mask
        return self.point.law(symbol, at, numbers), mask


@cache
def _depends(term: Term, quantity: Term) -> bool:
    return quantity in free(term) if is_random(quantity) else quantity is not term and occurs(quantity, term)


Joint = tuple[list[Number], list[int]]
"The probabilities of the outcomes of what is drawn together, and where in a state its components stand."


def unit(symbol: Term, at: Position) -> tuple[Any, ...]:
    """Return what a component is drawn together with: its block, if its law has dependent components, or nothing."""
    assert isinstance(symbol.data, tuple)
    return ("block", block_of(symbol)) if symbol.data[2] in JOINT else ("component", symbol, at)


def _outcomes(tables: list[Joint], one: Number) -> Iterator[tuple[Number, int]]:
    """Yield every outcome of several tables: its probability and its bits."""
    if not tables:
        yield one, 0
        return
    *others, (shares, shifts) = tables
    for weight, bits in _outcomes(others, one):
        for number, probability in enumerate(shares, 1):
            yield weight * probability, bits | sum(number << shift + OUTCOME for shift in shifts)


# ---- operators -------------------------------------------------------------------------------------------------------

Builder = Callable[[World, Term], Rule]


def _parts(world: World, term: Term) -> list[Rule]:
    """Return the rules of the arguments, which take the position in the whole: NumPy's broadcasting."""
    axes = len(term.shape)
    return [
        _fitted(world.rule(arg), axes - len(arg.shape)) if len(arg.shape) < axes else world.rule(arg)
        for arg in term.args
        if arg.op != "fun"
    ]


def _fitted(rule: Rule, missing: int) -> Rule:
    return lambda at, env, state: rule(at[missing:], env, state)


def _ring(function: Callable[[Number, Number], Number]) -> Builder:
    """Build an operation that what is undefined knows as well."""

    def build(world: World, term: Term) -> Rule:
        left, right = _parts(world, term)

        def find(at: Position, env: Env, state: int) -> Seen:
            a, seen = left(at, env, state)
            b, mask = right(at, env, state)
            return function(a, b), seen | mask

        return find

    return build


def _negative(world: World, term: Term) -> Rule:
    [part] = _parts(world, term)

    def find(at: Position, env: Env, state: int) -> Seen:
        number, mask = part(at, env, state)
        return -number, mask

    return find


def _pointwise(world: World, term: Term, function: Callable[..., Number]) -> Rule:
    parts, reals = _parts(world, term), world.reals

    def find(at: Position, env: Env, state: int) -> Seen:
        numbers, mask = [], 0
        for part in parts:
            number, seen = part(at, env, state)
            numbers.append(number)
            mask |= seen
        return applied(reals, function, term, *numbers), mask

    return find


def _call(world: World, term: Term) -> Rule:
    symbol = term.args[0]
    assert isinstance(symbol.data, tuple)
    function, order = world.point.function(name_of(symbol)), int(symbol.data[1])
    return _pointwise(world, term, lambda _, u: function(order, u))


def _constant(value: Callable[[World, Term], Any]) -> Builder:
    def build(world: World, term: Term) -> Rule:
        number = world.reals.number(value(world, term))
        return lambda at, env, state: (number, 0)

    return build


def _succ(world: World, term: Term) -> Rule:
    before = world.rule(term.args[0])

    def find(at: Position, env: Env, state: int) -> Seen:
        number, mask = before(at, env, state)
        return number + 1, mask

    return find


def _literal(world: World, term: Term) -> Rule:
    """An array written out: the last axis runs fastest."""
    entries, lengths = [world.rule(arg) for arg in term.args], world.extents(term)
    return lambda at, env, state: entries[int(np.ravel_multi_index(at, lengths))]((), env, state)


def _index(world: World, term: Term) -> Rule:
    return lambda at, env, state: (world.reals.number(env[term]), 0)


def _variable(world: World, term: Term) -> Rule:
    cells, scalar = world.cells(term), not term.shape

    def find(at: Position, _: Env, state: int) -> Seen:
        if not cells.watched:
            return world.drawn(term) if scalar else world.drawn(term)[at], 0
        outcome, moved, mask = world.read(cells, at, state)
        if outcome:
            table, seen = world.law(term, at, state)
            mask |= seen
            number = table if isinstance(table, Undefined) else table[outcome - 1][1]
        else:
            number = world.drawn(term) if scalar else world.drawn(term)[at]
        return number if moved is None else number + moved, mask

    return find


def _let(world: World, term: Term) -> Rule:
    cells, definition = world.cells(term), world.rule(term.args[0])

    def find(at: Position, env: Env, state: int) -> Seen:
        number, mask = definition(at, env, state)
        if not cells.watched:
            return number, mask
        _, moved, own = world.read(cells, at, state)
        return number if moved is None else number + moved, mask | own

    return find


def _where(world: World, places: tuple[Term, ...]) -> Callable[[Env, int], tuple[Position, int]]:
    """Return what finds a position in an array."""
    if len(places) == 1 and places[0].op == "idx":
        [index] = places
        return lambda env, state: ((env[index],), 0)
    if places and all(at.op == "idx" for at in places):
        chosen = itemgetter(*places)
        return lambda env, state: (chosen(env), 0)
    rules = [world.rule(at) for at in places]

    def find(env: Env, state: int) -> tuple[Position, int]:
        found = [rule((), env, state) for rule in rules]
        return tuple(int(number) for number, _ in found), _union(found)

    return find


def _union(found: list[Seen]) -> int:
    mask = 0
    for _, seen in found:
        mask |= seen
    return mask


def _at(world: World, term: Term) -> Rule:
    array, where = world.rule(term.args[0]), _where(world, term.args[1:])

    def find(_: Position, env: Env, state: int) -> Seen:
        position, mask = where(env, state)
        number, seen = array(position, env, state)
        return number, seen | mask

    return find


def _matmul(world: World, term: Term) -> Rule:
    left, right = map(world.rule, term.args)
    *before, axis = term.args[0].shape
    split, zero = len(before), world.reals.zero

    def find(at: Position, env: Env, state: int) -> Seen:
        total, mask = zero, 0
        for k in range(world.point.extent(axis)):
            a, seen = left((*at[:split], k), env, state)
            b, other = right((k, *at[split:]), env, state)
            total = total + a * b
            mask |= seen | other
        return total, mask

    return find


def _sumax(world: World, term: Term) -> Rule:
    array, split, zero = world.rule(term.args[0]), int(str(term.data)), world.reals.zero
    axis = term.args[0].shape[split]

    def find(at: Position, env: Env, state: int) -> Seen:
        total, mask = zero, 0
        for k in range(world.point.extent(axis)):
            number, seen = array((*at[:split], k, *at[split:]), env, state)
            total = total + number
            mask |= seen
        return total, mask

    return find


def _outer(world: World, term: Term) -> Rule:
    left, right = map(world.rule, term.args)
    split = len(term.args[0].shape)

    def find(at: Position, env: Env, state: int) -> Seen:
        a, seen = left(at[:split], env, state)
        b, mask = right(at[split:], env, state)
        return a * b, seen | mask

    return find


def _transpose(world: World, term: Term) -> Rule:
    array = world.rule(term.args[0])
    return lambda at, env, state: array(at[::-1], env, state)


def _diag(world: World, term: Term) -> Rule:
    vector, zero = world.rule(term.args[0]), world.reals.zero
    return lambda at, env, state: vector(at[1:], env, state) if at[0] == at[1] else (zero, 0)


def _eliminated(world: World, rows: list[list[Number]]) -> Number:
    """Bring rows of numbers to the identity on the left, in place; return the determinant of what stood there."""
    size, determinant, reals = len(rows), world.reals.one, world.reals
    largest = max((abs(number) for row in rows for number in row[:size]), default=reals.one)
    for column in range(size):
        best = max(range(column, size), key=lambda at: abs(rows[at][column]))
        pivot = rows[best][column]
        if abs(pivot) <= reals.noise * max(largest, 1):
            return reals.zero
        if best != column:
            rows[best], rows[column], determinant = rows[column], rows[best], -determinant
        determinant = determinant * pivot
        rows[column] = [number / pivot for number in rows[column]]
        for other in range(size):
            factor = rows[other][column]
            if other != column and factor:
                rows[other] = [a - factor * b for a, b in zip(rows[other], rows[column], strict=True)]
    return determinant


def matrix_of(world: World, term: Term, env: Env, state: int) -> tuple[list[list[Number]] | Undefined, int]:
    """Return the rows of a square matrix, or why it has none, and what was read."""
    rule, extent = world.rule(term), world.point.extent(term.shape[0])
    found = [[rule((i, j), env, state) for j in range(extent)] for i in range(extent)]
    mask = _union([seen for row in found for seen in row])
    for row in found:
        for number, _ in row:
            if isinstance(number, Undefined):
                return number, mask
    return [[number for number, _ in row] for row in found], mask


def determinant_of(world: World, rows: list[list[Number]]) -> Number:
    """Return the determinant of a matrix, exactly 0 where it is not told from 0."""
    return _eliminated(world, [list(row) for row in rows])


def _inverse(world: World, term: Term) -> Rule:
    (matrix,) = term.args

    def whole(_: Position, env: Env, state: int) -> tuple[Any, int]:
        rows, mask = matrix_of(world, matrix, env, state)
        if isinstance(rows, Undefined):
            return rows, mask
        zero, one = world.reals.zero, world.reals.one
        joined = [[*row, *(one if i == j else zero for j in range(len(rows)))] for i, row in enumerate(rows)]
        if not _eliminated(world, joined):
            return Undefined("a matrix without an inverse", term), mask
        return [row[len(rows) :] for row in joined], mask

    kept = world.remembered(term, whole, positions=False)

    def find(at: Position, env: Env, state: int) -> Seen:
        rows, mask = kept((), env, state)
        return rows if isinstance(rows, Undefined) else rows[at[0]][at[1]], mask

    return find


def _determinant(world: World, term: Term) -> Rule:
    def find(_: Position, env: Env, state: int) -> Seen:
        rows, mask = matrix_of(world, term.args[0], env, state)
        return rows if isinstance(rows, Undefined) else determinant_of(world, rows), mask

    return find


def _trace(world: World, term: Term) -> Rule:
    array, axis, zero = world.rule(term.args[0]), term.args[0].shape[0], world.reals.zero

    def find(_: Position, env: Env, state: int) -> Seen:
        found = [array((k, k), env, state) for k in range(world.point.extent(axis))]
        return sum((number for number, _ in found), zero), _union(found)

    return find


def _row(world: World, term: Term, function: Callable[..., Any]) -> Rule:
    """Return what applies a function to a row, the last axis of the argument."""
    array, axis = world.rule(term.args[0]), term.args[0].shape[-1]

    def find(at: Position, env: Env, state: int) -> Seen:
        found = [array((*at, k), env, state) for k in range(world.point.extent(axis))]
        return row_applied(world.reals, function, term, [number for number, _ in found]), _union(found)

    return find


def _rows(world: World, term: Term) -> Rule:
    row = world.remembered(term, _row(world, term, ROWS[str(term.data)]), positions=True)

    def find(at: Position, env: Env, state: int) -> Seen:
        numbers, mask = row(at[:-1], env, state)
        return numbers if isinstance(numbers, Undefined) else numbers[at[-1]], mask

    return find


def _map(world: World, term: Term) -> Rule:
    """An unknown map: a smooth function of all components of its argument, another one for each of its own."""
    argument, reals = term.args[0], world.reals
    part, extents = world.rule(argument), world.extents(argument)
    assert isinstance(term.data, tuple)
    name, count, order = str(term.data[0]), int(term.data[1]), int(term.data[2])
    parameters = tuple(map(world.point.extent, term.args[1 : 1 + count]))
    split = len(term.shape) - order * len(extents)

    def find(at: Position, env: Env, state: int) -> Seen:
        found = [part(where, env, state) for where in np.ndindex(extents)]
        by = int(np.ravel_multi_index(at[split:], extents)) if order and extents else 0 if order else None
        function = world.point.mapping(name, (count, *parameters, *at[:split]), by)
        number = applied(reals, lambda _, *numbers: function(numbers), term, *(number for number, _ in found))
        return number, _union(found)

    return find


def _at_layer(build: Builder) -> Builder:
    """Build what depends on the number of a layer: where that is an index, for each of its values."""

    def built(world: World, term: Term) -> Rule:
        numbers = [n for arg in _numbers(term) for n in free_indices(arg)]
        if not numbers:
            return build(world, term)

        def find(at: Position, env: Env, state: int) -> Seen:
            there = substitute(term, {number: _unary(env[number]) for number in numbers})
            return world.rule(there)(at, env, state)

        return find

    return built


def _numbers(term: Term) -> tuple[Term, ...]:
    """Return the numbers of layers in a map, a member of a family or a pass."""
    if term.op == "map":
        return term.args[1 : 1 + int(term.data[1])]  # type: ignore[index]
    return term.args[:2] if term.op == "pass" else term.args[:1]


def _unary(value: int) -> Term:
    number = lift(0)
    for _ in range(value):
        number = succ(number)
    return number


def _member(world: World, term: Term) -> Rule:
    value = world.point.member(term)
    return lambda at, env, state: (value[at] if at else value, 0)


def _pass(world: World, term: Term) -> Rule:
    """Layer after layer. How many there are is known at a point, so the last state is written out and evaluated."""
    first, last, layer, slot, current, body = term.args
    steps = world.point.extent(last) - world.point.extent(first)
    if steps < 0:
        return lambda at, env, state: (Undefined("a pass goes upwards", term), 0)
    for _ in range(steps):
        current, first = substitute(body, {layer: first, slot: current}), succ(first)
    return world.rule(current)


def _delta(world: World, term: Term) -> Rule:
    (i, j), zero, one = term.args, world.reals.zero, world.reals.one
    return lambda at, env, state: (one if env[i] == env[j] else zero, 0)


def _derivative(world: World, term: Term) -> Rule:
    quantity, places = place(term.args[1])
    world.watch(quantity)
    body, where, split = world.rule(term.args[0]), _where(world, places), len(term.args[0].shape)

    def find(at: Position, env: Env, state: int) -> Seen:
        position, mask = where(env, state) if places else (at[split:], 0)
        number, seen = world.slope(quantity, position, term, lambda moved: body(at[:split], env, moved), state)
        return number, seen | mask

    return find


def _array(world: World, term: Term) -> Rule:
    *over, body = term.args
    rule = world.rule(body)
    return lambda at, env, state: rule((), {**env, **dict(zip(over, at, strict=True))}, state)


def _through(world: World, index: Term, env: Env) -> Iterator[tuple[Number, dict[Term, int]]]:
    """Yield the weight of every index or point of a range (None for 1), and the environment there."""
    axis, inner = index.args[0], dict(env)
    for at in range(world.point.extent(axis)):
        inner[index] = at
        yield world.point.weight(axis, at) if axis.op == "space" else None, inner


def _sum(world: World, term: Term) -> Rule:
    """Σ, and ∫, which weighs the points of a space."""
    index, body = term.args
    rule, zero, weighed = world.rule(body), world.reals.zero, term.op == "integral"

    def find(at: Position, env: Env, state: int) -> Seen:
        total, mask = zero, 0
        for weight, inner in _through(world, index, env):
            number, seen = rule(at, inner, state)
            total = total + (number if weight is None or not weighed else weight * number)
            mask |= seen
        return total, mask

    return find


def _product(world: World, term: Term) -> Rule:
    index, body = term.args
    rule, one = world.rule(body), world.reals.one

    def find(at: Position, env: Env, state: int) -> Seen:
        total, mask = one, 0
        for _, inner in _through(world, index, env):
            number, seen = rule(at, inner, state)
            total = total * number
            mask |= seen
        return total, mask

    return find


def _expect(world: World, term: Term) -> Rule:
    """∫ density · body where the density does not vanish: elsewhere the body need not be defined."""
    index, *parts = term.args
    density, body = map(world.rule, parts)
    zero, noise = world.reals.zero, world.reals.noise

    def find(at: Position, env: Env, state: int) -> Seen:
        total, mask = zero, 0
        for weight, inner in _through(world, index, env):
            q, seen = density(at, inner, state)
            mask |= seen
            if isinstance(q, Undefined):
                return q, mask
            if abs(q) > noise:  # below zero only beside zero, in a derivative by the density
                number, seen = body(at, inner, state)
                mask |= seen
                total = total + (q if weight is None else weight * q) * number
        return total, mask

    return find


def _mean(world: World, term: Term) -> Rule:
    *symbols, body = term.args
    for symbol in symbols:
        world.watch(symbol)
    rule, bound = world.rule(body), tuple(symbols)
    return lambda at, env, state: world.average(bound, rule, env, state)


def _spread(world: World, term: Term) -> Rule:
    """Var(u), or Cov(u, v) of two: the average of what two parts are above their averages, multiplied."""
    count = 1 if term.op == "Var" else 2
    symbols, parts = term.args[:-count], term.args[-count:]
    for symbol in symbols:
        world.watch(symbol)
    rules = [world.rule(part) for part in parts]

    def find(_: Position, env: Env, state: int) -> Seen:
        centres = [world.average(symbols, rule, env, state) for rule in rules]
        mask = _union(centres)

        def above(_: Position, inner: Env, drawn: int) -> Seen:
            found = [rule((), inner, drawn) for rule in rules]
            gaps = [number - centre for (number, _), (centre, _) in zip(found, centres, strict=True)]
            return gaps[0] * gaps[-1], _union(found)

        number, seen = world.average(symbols, above, env, state)
        return number, seen | mask

    return find


OPERATORS: Final[dict[str, Builder]] = {
    "num": _constant(lambda world, term: term.data),
    "size": _constant(lambda world, term: world.point.extent(term)),
    "succ": _succ,
    "literal": _literal,
    "idx": _index,
    "var": _variable,
    "let": _let,
    "add": _ring(operator.add),
    "sub": _ring(operator.sub),
    "mul": _ring(operator.mul),
    "neg": _negative,
    "div": lambda world, term: _pointwise(world, term, divide),
    "pow": lambda world, term: _pointwise(world, term, power),
    "app": lambda world, term: _pointwise(world, term, ELEMENTWISE[str(term.data)]),
    "call": _call,
    "map": _at_layer(_map),
    "member": _at_layer(_member),
    "pass": _at_layer(_pass),
    "at": _at,
    "matmul": _matmul,
    "T": _transpose,
    "outer": _outer,
    "sumax": _sumax,
    "diag": _diag,
    "eye": lambda world, term: lambda at, env, state: (world.reals.one if at[0] == at[1] else world.reals.zero, 0),
    "tri": lambda world, term: lambda at, env, state: (world.reals.one if at[1] <= at[0] else world.reals.zero, 0),
    "inv": _inverse,
    "det": _determinant,
    "trace": _trace,
    "rows": _rows,
    "reduce": lambda world, term: _row(world, term, REDUCTIONS[str(term.data)]),
    "delta": _delta,
    "D": _derivative,
    "array": _array,
    "sum": _sum,
    "prod": _product,
    "integral": _sum,
    "expect": _expect,
    "mean": _mean,
    "Var": _spread,
    "Cov": _spread,
}
FORGOTTEN: Final = frozenset(
    ["num", "size", "succ", "idx", "var", "at", "T", "delta", "diag", "rows", "eye", "tri", "inv"]
)
"What is found as quickly as it is remembered."
