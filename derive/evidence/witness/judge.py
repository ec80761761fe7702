"""Whether a theorem holds wherever one looks, and the value of a term at given values.

A theorem `hypotheses ⊢ formula`, its free indices read as "for all", is looked at in several draws of sizes and values.
Wherever the hypotheses hold, the formula must be defined and true. What is false at 50 digits is looked at again with
four times as many before it is called so.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import product
from typing import Any, Final

import numpy as np

from derive.evidence.witness.nearby import depth, nearby
from derive.evidence.witness.reals import Reals, Undefined, Unresolved, Value
from derive.evidence.witness.sample import ORDINARY, SEARCH, SPECIAL, Point, Style, draw_sizes, ranges
from derive.evidence.witness.truth import Ledger, Truth, tried, truth
from derive.evidence.witness.world import Env, World, free_indices
from derive.language.term import (
    NATURALS,
    Term,
    domain_of,
    free,
    is_random,
    name_of,
    occurs,
    place,
    plain,
    sort,
    subterms,
)  # fmt: skip

ATTEMPTS: Final = 24
CLOSER: Final = 4
"How many times the digits with which a falsehood is looked at again."
MOST_MEMBERS: Final = 300
"How far a sequence is followed from one member to the next."
DEEPEST: Final = 24
"How deep named quantities may stand in one another in a formula that is looked at as it stands."
MOST_FOUND: Final = 1_000_000
"The numbers that a session remembers, a few hundred bytes each: with more it begins anew."


@dataclass(frozen=True)
class Where:
    """A counterexample: sizes, indices, the scalar variables, and both sides."""

    sizes: Mapping[str, int]
    indices: Mapping[str, int]
    values: Mapping[str, str]
    left: str
    right: str

    def __str__(self) -> str:
        named = {**self.sizes, **self.indices, **self.values}
        at = ", ".join(f"{name} = {value}" for name, value in named.items())
        return f"{self.left} against {self.right}" + (f" at {at}" if at else "")


@dataclass(frozen=True)
class Evidence:
    """What the witness saw.

    Attributes
    ----------
    status : str
        "true" (in every instance), "false" (in one, see `where`), or "undecided" (there was no instance).
    instances : int
        How often the hypotheses held, and the formula was found to hold with them.
    digits : str
        The largest disagreement of two sides of an equation, relative to them where they are larger than 1.
    where : Where or None
        The counterexample.
    note : str
        Why it is undecided, or what is undefined.
    met : frozenset of bool
        For "iff": which truth values its sides took. Both should be there.
    slack : str
        For ≤ and <: the smallest difference; "" for other formulas.
    tight : bool
        For ≤ and <: whether both sides were equal in an instance.
    """

    status: str
    instances: int = 0
    digits: str = "0"
    where: Where | None = None
    note: str = ""
    met: frozenset[bool] = frozenset()
    slack: str = ""
    tight: bool = False

    def __str__(self) -> str:
        if self.status == "true":
            seen = f"true in {self.instances} instances, largest disagreement {self.digits}"
            slack = f", smallest slack {self.slack}" if self.slack else ""
            cases = f", met {' and '.join(map(str, sorted(self.met)))}" if self.met else ""
            return seen + slack + cases + (f" ({self.note})" if self.note else "")
        return ": ".join(filter(None, [self.status, self.note, str(self.where or "")]))


class Session:
    """What several theorems share: worlds, each with all that is known of the values of terms there.

    What is seen of a theorem is the same with every session, whatever was looked at before.
    """

    def __init__(self) -> None:
        self._worlds: dict[Any, World] = {}

    def world(
        self, reals: Reals, seed: str, style: Style, sizes: Mapping[Term, int], equations: tuple[Equation, ...]
    ) -> World:
        """Return the world of a point, in which variables that an equation defines have the value it gives them."""
        key = (reals, seed, style, tuple(sizes.items()), equations)
        if key not in self._worlds:
            if sum(world.found for world in self._worlds.values()) > MOST_FOUND:
                self.forget()
            self._worlds[key] = _solved(World(Point(reals, seed, style, sizes)), equations)
        return self._worlds[key]

    def forget(self) -> None:
        """Let go of everything."""
        for world in self._worlds.values():
            world.forget()
        self._worlds.clear()


def witness(
    formula: Term,
    hypotheses: Iterable[Term] = (),
    draws: int = 3,
    digits: int = 50,
    *,
    session: Session | None = None,
    seen: Sequence[Term] = (),
) -> Evidence:
    """Look whether a theorem `hypotheses ⊢ formula` holds.

    Parameters
    ----------
    formula : Term
        What should hold; its free indices, together with those of the hypotheses, mean "for all".
    hypotheses : iterable of Term
        Where one of these fails, or has no meaning, nothing is claimed. A premise of the formula counts among them.
    draws : int
        How many ordinary points are drawn, each again until the hypotheses hold somewhere. A few special points
        (zeros, equal variables, sizes of 1) come on top.
    digits : int
        The precision. Two numbers are equal if they differ by 10 digits less, relatively.
    session : Session, optional
        One that other theorems had, or will have: what they have in common is evaluated once.
    seen : sequence of Term
        Equations ∂L/∂q = δ between arrays that were seen to hold wherever the hypotheses do. Of what is too deep to be
        evaluated from its beginning they may be supposed.

    Returns
    -------
    Evidence
        With the status "true", "false" or "undecided".
    """
    stated = tuple(hypotheses)
    for conclusion, kept in nearby(formula, frozenset(stated), seen):
        evidence = _looked_at(conclusion, kept, draws, digits)
        if evidence.status == "true":
            return evidence
    if depth(formula) > DEEPEST:
        return Evidence("undecided", note=f"its named quantities stand {depth(formula)} deep in one another")
    shared = session or Session()
    trial = _Trial(formula, stated, digits, shared)
    trial.run(draws)
    if session is None:
        shared.forget()
    return trial.evidence()


@cache
def _looked_at(formula: Term, hypotheses: frozenset[Term], draws: int, digits: int) -> Evidence:
    """Look at what many theorems come to, once."""
    session = Session()
    trial = _Trial(formula, tuple(sorted(hypotheses, key=plain)), digits, session)
    trial.run(draws)
    session.forget()
    return trial.evidence()


@cache
def _depth(term: Term) -> int:
    """Return how deep derivatives nest, through definitions."""
    return (term.op == "D") + max(map(_depth, term.args), default=0)


@cache
def _averages(term: Term) -> bool:
    return term.op == "mean" or any(map(_averages, term.args))


@cache
def _broken(term: Term) -> bool:
    """Tell whether a term is given by different formulas in different regions: a few points say little of the rest."""
    return (term.op == "app" and term.data in {"abs", "relu", "sqrt"}) or any(map(_broken, term.args))


@cache
def _reals(digits: int, depth: int) -> Reals:
    return Reals(digits, depth)


Equation = tuple[Term, frozenset[Term]]
"An equation, and its indices that are free: it is given where they are, and perhaps nowhere else."


@cache
def _equations(formula: Term) -> tuple[Equation, ...]:
    """Return the equations that a formula states, ∀ and ∧ opened."""
    if formula.op == "forall":
        return tuple((equation, loose - {formula.args[0]}) for equation, loose in _equations(formula.args[1]))
    if formula.op == "and":
        return _equations(formula.args[0]) + _equations(formula.args[1])
    return ((formula, frozenset(free_indices(formula))),) if formula.op == "eq" else ()


class _Trial:
    """A theorem on trial, with what has been seen so far."""

    def __init__(self, formula: Term, hypotheses: tuple[Term, ...], digits: int, session: Session) -> None:
        while True:  # ∀ and ⇒ in front are opened: a premise that is never met is then noticed
            if formula.op == "implies":
                hypotheses, formula = (*hypotheses, formula.args[0]), formula.args[1]
            elif formula.op == "forall" and not any(formula.args[0] in free(given) for given in hypotheses):
                formula = formula.args[1]
            else:
                break
        self.formula, self.hypotheses, self.digits, self.session = formula, hypotheses, digits, session
        sequent = (*hypotheses, formula)
        self.depth = max(map(_depth, sequent))
        self.small = any(map(_averages, sequent))
        self.ranges = sorted(frozenset[Term]().union(*map(ranges, sequent)), key=name_of)
        self.broken = formula.op != "eq" or any(map(_broken, sequent))
        indices = {index for part in sequent for index in free_indices(part)}
        self.indices = sorted(indices, key=lambda index: (name_of(index), plain(index.args[0])))
        stated = [equation for given in hypotheses for equation in _equations(given)]
        self.given = tuple(e for e in stated if _definitions(e) or _rows(e) or _member(e) is not None)
        sides = formula.args if formula.op == "iff" else ()
        self.cases = [equations for side in sides if (equations := _equations(side))]
        self.instances, self.ledger = 0, Ledger()
        self.unmet: Counter[Term] = Counter()
        self.unresolved = self.note = ""
        self.where: Where | None = None

    def run(self, draws: int) -> None:
        """Look at all points, until a counterexample is known."""
        for draw in range(draws):
            for attempt in range(ATTEMPTS if self.hypotheses else 2):
                style = ORDINARY[(draw + attempt) % len(ORDINARY)]
                if self.look(f"{draw}.{attempt}", style, self.given):
                    break
        for number, style in enumerate(SPECIAL):
            self.look(f"special {number}", style, self.given)
        for number in range(0 if self.instances or not self.hypotheses else ATTEMPTS):  # some variables are 0
            if self.look(f"sparse {number}", Style(corners="some"), self.given):
                break
        self.small = self.small or self.broken
        for number, style in enumerate(SEARCH if self.broken else ()):
            self.look(f"search {number}", style, self.given)
        for number, equations in enumerate(self.cases):
            self.look(f"case {number}", Style(signs="alike"), self.given + equations)

    def look(self, seed: str, style: Style, equations: tuple[Equation, ...]) -> bool:
        """Look at one point, unless a counterexample is known; tell whether the hypotheses held somewhere."""
        if self.where is not None:
            return True
        before = self.instances
        try:
            world = self._world(self.digits, seed, style, equations)
            for env in self._environments(world):
                if self.refuted:
                    break
                self._instance(world, env, (seed, style, equations))
        except Unresolved as reason:
            self.unresolved = str(reason)
        return self.refuted or self.instances > before

    @property
    def refuted(self) -> bool:
        """Whether a counterexample is known."""
        return self.where is not None

    def _world(self, digits: int, seed: str, style: Style, equations: tuple[Equation, ...]) -> World:
        sizes = draw_sizes(seed, style, self.ranges, small=self.small)
        return self.session.world(_reals(digits, self.depth), seed, style, sizes, equations)

    def _environments(self, world: World) -> Iterator[Env]:
        for places in product(*(tried(world.point, index) for index in self.indices)):
            yield dict(zip(self.indices, places, strict=True))

    def _instance(self, world: World, env: Env, origin: tuple[str, Style, tuple[Equation, ...]]) -> None:
        try:
            if not self._met(world, env):
                return
            ledger = self.ledger
            verdict = truth(world, self.formula, env, ledger)
            if verdict is not True:
                world, ledger = self._world(self.digits * CLOSER, *origin), Ledger()
                if not self._met(world, env):
                    return
                verdict = truth(world, self.formula, env, ledger)
        except Unresolved as reason:
            self.unresolved = str(reason)
            return
        if verdict is True:
            self.instances += 1
        else:
            self._refute(world, env, ledger, verdict)

    def _met(self, world: World, env: Env) -> bool:
        for given in self.hypotheses:
            if not self._holds(world, given, env):
                self.unmet[given] += 1
                return False
        return True

    @staticmethod
    def _holds(world: World, given: Term, env: Env) -> bool:
        """Tell whether a hypothesis holds. One without free indices is looked at once in each world."""
        if free_indices(given):
            return truth(world, given, env, Ledger()) is True
        if given not in world.known:
            world.known[given] = truth(world, given, env, Ledger()) is True
        return world.known[given]

    def _refute(self, world: World, env: Env, ledger: Ledger, verdict: Truth) -> None:
        sequent = (*self.hypotheses, self.formula)
        bound = {part for side in sequent for part in subterms(side) if is_random(part) and part not in free(side)}
        parts = dict.fromkeys(part for side in sequent for part in subterms(side))
        scalars = [part for part in parts if part.op == "var" and not part.shape and part not in bound]
        self.where = Where(
            {name_of(axis): extent for axis, extent in world.point.sizes.items()},
            {name_of(index): at for index, at in env.items()},
            {name_of(scalar): world.reals.text(world.drawn(scalar)) for scalar in scalars},
            *ledger.sides,
        )
        self.note = str(verdict) if isinstance(verdict, Undefined) else ""
        self.ledger.largest = max(self.ledger.largest, ledger.largest)

    def evidence(self) -> Evidence:
        """Return what was seen."""
        text = _reals(self.digits, self.depth).context.nstr
        ledger, status, note = self.ledger, "true", self.note
        if self.where is not None:
            status = "false"
        elif not self.instances:
            status, note = "undecided", self.unresolved
            if self.unmet:
                [(hardest, _)] = self.unmet.most_common(1)
                note = f"no sample satisfies {' and '.join(map(plain, self.hypotheses))}"
                note += f"; {plain(hardest)} fails most often" if len(self.hypotheses) > 1 else ""
        if status == "true" and ledger.sampled:
            note = "; ".join(filter(None, (note, "limits are sampled")))
        return Evidence(
            status,
            self.instances,
            str(text(ledger.largest, 3)),
            self.where,
            note,
            frozenset(ledger.met),
            "" if ledger.slack is None else str(text(ledger.slack, 3)),
            ledger.tight,
        )


def _solved(world: World, equations: Iterable[Equation]) -> World:
    """Give variables that an equation defines the value that it gives them, where that lies in their domain."""
    fixed: dict[Term, Value] = {}
    used: set[Term] = set()
    for equation in equations:
        for variable, places, other, find in (
            *((*defined, _definition) for defined in _definitions(equation)),
            *((*row, _row) for row in _rows(equation)),
        ):
            if variable in used:
                continue
            value = find(world, variable, places, other, equation[1])
            if value is None or not world.point.belongs(variable, value):
                continue
            fixed[variable] = value
            used |= {variable, *(part for part in subterms(other) if part.op == "var")}
            world.forget()  # nothing that was found with the old value is kept
            world = World(world.point, fixed)
            break
    return _with_sequences(world, fixed, equations)


class _Sequence:
    """A sequence whose members equations give, one from those before; where they give none it is drawn."""

    def __init__(self, drawn: Value) -> None:
        self.drawn, self.clauses = drawn, list[tuple[tuple[Term, ...], Term]]()
        self.world: World | None = None
        self.known: dict[tuple[int, ...], Any] = {}

    def __getitem__(self, position: tuple[int, ...]) -> Any:
        if position not in self.known:
            self.known[position] = None
            self.known[position] = self._found(position)
        if self.known[position] is None:
            raise Unresolved("a sequence is defined by itself")
        return self.known[position]

    def _found(self, position: tuple[int, ...]) -> Any:
        for places, other in self.clauses:
            env = _bound_at(places, position)
            if env is not None and self.world is not None:
                if max(position) > MOST_MEMBERS:
                    raise Unresolved("a sequence is not followed so far")
                for axis, where in enumerate(places):
                    for before in range(position[axis]) if where.op == "succ" else ():  # no deep recursion
                        self[(*position[:axis], before, *position[axis + 1 :])]
                return self.world.rule(other)((), env, 0)[0]
        return self.drawn[position]


def _bound_at(places: tuple[Term, ...], position: tuple[int, ...]) -> dict[Term, int] | None:
    """Return what the indices are where places such as (k + 1, i) are a position."""
    env: dict[Term, int] = {}
    for written, at in zip(places, position, strict=True):
        where, number = _counted_down(written, at)
        if number < 0 or (where.op == "num" and where.data != number):
            return None
        if where.op == "idx" and env.setdefault(where, number) != number:
            return None
    return env


def _counted_down(where: Term, number: int) -> tuple[Term, int]:
    while where.op == "succ":
        where, number = where.args[0], number - 1
    return where, number


def _with_sequences(world: World, fixed: dict[Term, Value], equations: Iterable[Equation]) -> World:
    sequences: dict[Term, _Sequence] = {}
    for equation in equations:
        found = _member(equation)
        if found is not None:
            variable, places, other = found
            sequences.setdefault(variable, _Sequence(world.drawn(variable))).clauses.append((places, other))
    if not sequences:
        return world
    world.forget()
    world = World(world.point, {**fixed, **sequences})
    for sequence in sequences.values():
        sequence.world = world
    return world


@cache
def _member(equation: Equation) -> tuple[Term, tuple[Term, ...], Term] | None:
    """Return the sequence of which an equation for all indices gives the next member, or the first: u[n + 1] = …"""
    formula, loose = equation
    (variable, places), other = place(formula.args[0]), formula.args[1]
    sequence = variable.op == "var" and NATURALS in variable.args and not loose and domain_of(variable) == "real"
    if not sequence or not all(_counts(where, axis) for where, axis in zip(places, variable.args, strict=True)):
        return None
    return variable, places, other


def _counts(where: Term, axis: Term) -> bool:
    if axis is not NATURALS:
        return where.op == "idx"
    return where.op == "num" or (where.op == "succ" and _counted_down(where, 0)[0].op == "idx")


@cache
def _definitions(equation: Equation) -> tuple[tuple[Term, tuple[Term, ...], Term], ...]:
    """Return the variables that an equation can give a value: each with its indices and with the value."""
    left, right = equation[0].args
    sides = [(*place(left), right), (*place(right), left)]
    return tuple((variable, places, other) for variable, places, other in sides if _defines(variable, places, other))


def _defines(variable: Term, places: tuple[Term, ...], other: Term) -> bool:
    if variable.op != "var" or is_random(variable) or NATURALS in variable.args or occurs(variable, other):
        return False
    return len(set(places)) == len(places) and free(other) <= set(places)


@cache
def _rows(equation: Equation) -> tuple[tuple[Term, tuple[Term, ...], Term], ...]:
    """Return the arrays whose rows an equation gives a sum, Σ_k y[n, k] = s[n]: each with its indices and the sum."""
    left, right = equation[0].args
    found = []
    for total, other in ((left, right), (right, left)):
        variable, places = place(total.args[1]) if total.op == "sum" else (total, ())
        row = total.op == "sum" and places[-1:] == (total.args[0],) and total.args[0].args[0].op == "size"
        if row and _defines(variable, places, other) and total.args[0] not in free(other):
            found.append((variable, places, other))
    return tuple(found)


def _row(world: World, variable: Term, places: tuple[Term, ...], other: Term, loose: frozenset[Term]) -> Value:
    """Return the value that a variable has when the last number of each row is what is missing from the row's sum."""
    value = world.drawn(variable).copy()
    for position in np.ndindex(value.shape[:-1]):
        env = dict(zip(places, position, strict=False))
        if world.point.chosen(variable, tuple(env[index] for index in places if index in loose)):
            total = world.value(other, env)
            if isinstance(total, Undefined):
                return None
            value[position][-1] = total - sum(value[position][:-1], world.reals.zero)
    return value


def _definition(world: World, variable: Term, places: tuple[Term, ...], other: Term, loose: frozenset[Term]) -> Value:
    """Return the value that an equation gives a variable.

    Where the equation has free indices, only some of their values are taken: it may not be used for the others.
    """
    if not places:
        value = world.value(other, {})
    else:
        value = world.drawn(variable).copy()
        for position in np.ndindex(value.shape):
            env = dict(zip(places, position, strict=True))
            if world.point.chosen(variable, tuple(env[index] for index in places if index in loose)):
                value[position] = world.value(other, env)
    numbers = np.asarray(value, dtype=object).flat
    return None if any(isinstance(number, Undefined) for number in numbers) else value


# ---- values of a term ------------------------------------------------------------------------------------------------


class _Given(Point):
    """A point whose variables are all given."""

    def variable(self, variable: Term) -> Value:
        raise ValueError(f"no value is given for {plain(variable)}")


def evaluate(
    term: Term,
    values: Mapping[Term, Any],
    sizes: Mapping[Term, int] | None = None,
    indices: Mapping[Term, int] | None = None,
    dps: int = 50,
) -> Any:
    """Return the value of a term, correct to about `dps` digits.

    Parameters
    ----------
    term : Term
        A number, an array or a formula.
    values : mapping of Term to array-like
        For each variable a number or nested numbers: floats are taken exactly as they are, text ("0.1") as decimals. A
        named quantity may be given too, and a space: then the measure of its points, 1 by default.
    sizes : mapping of Term to int, optional
        Those sizes that the shapes of the values do not tell.
    indices : mapping of Term to int, optional
        What the free indices of the term are.
    dps : int
        Decimal digits, up to a few thousand.

    Returns
    -------
    mpf, numpy.ndarray of them, or bool
        Numbers keep their precision; mpmath's global precision plays no part.

    Raises
    ------
    ValueError
        If a value is missing, or shapes contradict each other.
    ArithmeticError
        If the value is undefined, such as log 0 is.
    """
    reals = Reals(dps, _depth(term), exact=True)
    held = {given: reals.array(value) for given, value in values.items()}
    point = _Given(reals, "given", Style(), _known_sizes(held, sizes or {}, term))
    for axis in point.sizes:
        if axis.op == "space":
            point.weights[axis] = list(held[axis]) if axis in held else [reals.one] * point.sizes[axis]
    world = World(point, held)
    if sort(term) == "formula":
        result: Any = truth(world, term, indices or {}, Ledger())
    else:
        result = world.value(term, indices or {})
    world.forget()
    for number in np.asarray(result, dtype=object).flat:
        if isinstance(number, Undefined):
            raise ArithmeticError(str(number))  # noqa: TRY004 - its type is right, it has no value
    return result


def _known_sizes(held: Mapping[Term, Value], sizes: Mapping[Term, int], term: Term) -> dict[Term, int]:
    known = dict(sizes)
    for given, value in held.items():
        axes = (given,) if given.op == "space" else given.shape
        if np.ndim(value) != len(axes):
            raise ValueError(f"{plain(given)} has {len(axes)} axes, and its value has {np.ndim(value)}")
        for axis, length in zip(axes, np.shape(value), strict=True):
            base, extent = axis, length
            while base.op == "succ":
                base, extent = base.args[0], extent - 1
            if base.op == "num" and base.data == extent:
                continue
            if base is not NATURALS and known.setdefault(base, extent) != extent:
                raise ValueError(
                    f"{plain(given)} has {length} along {plain(axis)}, and {plain(base)} is {known[base]} elsewhere"
                )
    missing = sorted(plain(axis) for axis in ranges(term) if axis not in known)
    if missing:
        raise ValueError(f"give the sizes of {', '.join(missing)}")
    return known
