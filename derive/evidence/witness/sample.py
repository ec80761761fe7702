"""Points at which the witness looks: seeded sizes, variables of every domain, finite measures, laws, functions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from random import Random
from typing import Any, Final

import numpy as np

from derive.evidence.witness.reals import Number, Reals, Unresolved, Value
from derive.language.term import NATURALS, Term, block_of, is_random, name_of, plain

Position = tuple[int, ...]
Half: Final = (1, 2)


@dataclass(frozen=True, slots=True)
class Style:
    """How a point is drawn.

    Attributes
    ----------
    signs : str
        Of reals: "any", "alike" (one sign a variable), "plus" or "minus".
    zeros : str
        Where a domain has zeros: "none", "shared" (one support for all variables over an axis) or "any".
    corners : str
        Special values such as 0: "none", "first" (every variable at its most special one), "some" (a part of the
        variables so) or "any" (every component at any of them).
    ties : str
        "none", "equal" (variables of equal shape and domain are equal) or "permuted" (some of them in reverse order).
    least : int
        The least size; if 1, one of the sizes is 1.
    reach : int
        A factor of values that have no upper bound.
    """

    signs: str = "any"
    zeros: str = "none"
    corners: str = "none"
    ties: str = "none"
    least: int = 2
    reach: int = 1


ORDINARY: Final = (
    Style(),
    Style(signs="alike", zeros="shared"),
    Style(zeros="any"),
    Style(signs="alike"),
    Style(signs="plus", zeros="shared"),
    Style(signs="minus"),
    Style(signs="alike", reach=5),
    Style(reach=20),
)
SPECIAL: Final = (
    Style(corners="first"),
    Style(signs="alike", ties="equal"),
    Style(corners="any"),
    Style(corners="any", least=1),
    Style(signs="alike", corners="some"),
)
SEARCH: Final = (
    *(Style(), Style(zeros="any", signs="alike"), Style(corners="some"), Style(corners="any")) * 5,
    *(Style(ties="permuted"), Style(ties="permuted", corners="any")) * 2,
)
"For regions in which a formula that is not analytic may fail: all of small sizes."


@dataclass(frozen=True, slots=True)
class Domain:
    """The samples of a domain: a range (in sixteenths), special values (as fractions), and what belongs to it."""

    least: int
    most: int
    corners: tuple[tuple[int, int], ...]
    holds: Callable[[Number], bool]
    signed: bool = False
    vanishes: bool = False
    normalised: bool = False
    orthonormal: bool = False
    stretched: bool = False
    definite: bool = False
    whole: bool = False


DOMAINS: Final[Mapping[str, Domain]] = {
    "real": Domain(4, 36, ((0, 1), (1, 1), (-1, 1), Half), lambda u: True, signed=True),
    "positive": Domain(2, 34, ((1, 1), Half, (2, 1)), lambda u: bool(u > 0)),
    "nonnegative": Domain(2, 34, ((0, 1), (1, 1), Half), lambda u: bool(u >= 0), vanishes=True),
    "unit": Domain(1, 15, (Half, (1, 4)), lambda u: bool(0 < u < 1)),
    "closed unit": Domain(1, 15, ((0, 1), (1, 1), Half), lambda u: bool(0 <= u <= 1), vanishes=True),
    "orthonormal": Domain(4, 36, ((0, 1), (1, 1), (-1, 1)), lambda u: True, signed=True, orthonormal=True),
    "orthogonal": Domain(
        4, 36, ((0, 1), (1, 1), (-1, 1)), lambda u: True, signed=True, orthonormal=True, stretched=True
    ),
    "definite": Domain(4, 36, ((0, 1), (1, 1), (-1, 1)), lambda u: True, signed=True, definite=True),
    "integer": Domain(0, 96, ((0, 1), (1, 1), (-1, 1)), lambda u: bool(u == int(u)), signed=True, whole=True),
    "sign": Domain(16, 16, ((1, 1), (-1, 1)), lambda u: bool(abs(u) == 1), signed=True),
    "simplex": Domain(2, 34, ((0, 1), (1, 1)), lambda u: bool(u >= 0), vanishes=True, normalised=True),
    "density": Domain(2, 34, ((0, 1), (1, 1)), lambda u: bool(u >= 0), vanishes=True, normalised=True),
    "positive density": Domain(2, 34, ((1, 1), Half), lambda u: bool(u > 0), normalised=True),
    "joint density": Domain(2, 34, ((0, 1), (1, 1), Half), lambda u: bool(u >= 0), vanishes=True),
}

Table = list[tuple[Number, Number]]
Parameters = tuple[Number, ...]


def _standard(reals: Reals, rng: Random, position: Position, _: Parameters = ()) -> Table:
    """Mean 0 and variance 1: the value t with probability 1/(1 + t²), otherwise −1/t; the first component mixes two."""

    def pair(top: int, bottom: int, share: Number) -> Table:
        t = reals.number(top) / bottom
        p = 1 / (1 + t * t)
        return [(share * p, t), (share * (1 - p), -1 / t)]

    one, other = rng.sample([(2, 1), (3, 1), (1, 2), (2, 3), (1, 3), (3, 2)], 2)
    if any(position):
        return pair(*one, reals.one)
    third = reals.one / 3
    return pair(*one, third) + pair(*other, 1 - third)


def _spread(reals: Reals, rng: Random, _: Position, parameters: Parameters) -> Table:
    """Mean m and variance v: m + t with probability v/(v + t²), otherwise m − v/t."""
    mean, variance = parameters
    t = reals.number(rng.choice((1, 2, 3, -1, -2, -3))) / rng.choice((1, 2, 3))
    p = variance / (variance + t * t)
    return [(p, mean + t), (1 - p, mean - variance / t)]


def _symmetric(reals: Reals, rng: Random, position: Position, parameters: Parameters) -> Table:
    """Mean 0 and variance v: ±√v; at the first component ±t, each with probability v/(2t²), otherwise 0."""
    [variance] = parameters
    if any(position):
        root = reals.context.sqrt(max(variance, reals.zero))
        return [(reals.one / 2, root), (reals.one / 2, -root)]
    t = 1 + variance + reals.number(rng.randint(0, 4)) / 4
    p = variance / (2 * t * t)
    return [(p, t), (1 - 2 * p, reals.zero), (p, -t)]


OUTCOMES: Final = 4
"Of a block whose variables may depend on each other."


def shares(reals: Reals, rng: Random) -> list[Number]:
    """Return the probabilities of the outcomes of a block."""
    parts = [rng.randint(1, 6) for _ in range(OUTCOMES)]
    return [reals.number(part) / sum(parts) for part in parts]


def _dependent(reals: Reals, rng: Random, weights: list[Number], _: Parameters) -> list[Number]:
    """A value for each outcome."""
    values = [reals.number(rng.randint(-9, 9)) / 4 for _ in weights]
    return values if len(set(values)) > 1 else [reals.number(at) for at, _ in enumerate(weights)]


def _stationary(reals: Reals, rng: Random, weights: list[Number], parameters: Parameters) -> list[Number]:
    """A value for each outcome, shifted and scaled to mean m and variance v."""
    mean, variance = parameters
    values = _dependent(reals, rng, weights, ())
    centre = sum((w * x for w, x in zip(weights, values, strict=True)), reals.zero)
    spread = sum((w * (x - centre) ** 2 for w, x in zip(weights, values, strict=True)), reals.zero)
    scale = reals.context.sqrt(max(variance, reals.zero) / spread)
    return [mean + scale * (x - centre) for x in values]


LAWS: Final[Mapping[str, Callable[[Reals, Random, Position, Parameters], Table]]] = {
    "standard": _standard,
    "spread": _spread,
    "symmetric": _symmetric,
}
"The tables of laws with independent components."

JOINT: Final[Mapping[str, Callable[[Reals, Random, list[Number], Parameters], list[Number]]]] = {
    "stationary": _stationary,
    "square integrable": _dependent,
    "integrable": _dependent,
}
"The values of laws whose components, and whose blocks, have one table together."
VARIANCE: Final = {"spread": 1, "stationary": 1, "symmetric": 0}
"Which parameter of a law must not be negative."


class Endless:
    """An array with an axis of all natural numbers: its components are drawn when they are asked for."""

    def __init__(self, draw: Callable[[Position], Number]) -> None:
        self._draw, self._known = draw, dict[Position, Number]()

    def __getitem__(self, position: Position) -> Number:
        if position not in self._known:
            self._known[position] = self._draw(position)
        return self._known[position]


@cache
def ranges(term: Term) -> frozenset[Term]:
    """Return the sizes and spaces of a term."""
    alone = term.op in {"size", "space"} and term is not NATURALS and not term.args
    own = frozenset([term]) if alone else frozenset[Term]()
    return own.union(*(ranges(arg) for arg in term.args))


ALL_DIFFERENT: Final = 9
"How many sizes are drawn so that no two are equal."


def draw_sizes(seed: str, style: Style, symbols: Sequence[Term], *, small: bool) -> dict[Term, int]:
    """Return sizes: those of at least 1 all different, from 2 to 5 where that suffices, and numbers of points.

    Where there are very many, they are from 2 to 5 all the same.
    """
    rng = Random(f"{seed}|sizes")
    ordered = sorted(symbols, key=lambda symbol: (name_of(symbol), symbol.op))
    sizes = [symbol for symbol in ordered if symbol.op == "size" and symbol.data != (name_of(symbol), 0)]
    if len(sizes) > ALL_DIFFERENT:
        values = [rng.randint(2, 3 if small else 5) for _ in sizes]
    else:
        values = rng.sample(range(2, 2 + max(2 if small else 4, len(sizes))), len(sizes))
    found = dict(zip(sizes, values, strict=True))
    if style.least == 1 and sizes:
        found[rng.choice(sizes)] = 1
    for symbol in ordered:
        if symbol.op == "space":
            found[symbol] = rng.choice((3, 4))
        elif symbol not in found:
            found[symbol] = rng.randrange(4)
    return found


class Point:
    """A point: every value in it follows from its seed and its style, whatever is asked first.

    Parameters
    ----------
    reals : Reals
        The arithmetic. A point of another precision has the same values.
    seed : str
        Anything; equal seeds give equal points.
    style : Style
        How to draw.
    sizes : mapping of Term to int
        The sizes, and for each space its number of points.
    """

    def __init__(self, reals: Reals, seed: str, style: Style, sizes: Mapping[Term, int]) -> None:
        self.reals, self.seed, self.style, self.sizes = reals, seed, style, sizes
        self.weights: dict[Term, list[Number]] = {}
        self._waves: dict[str, Callable[[int, Number], Number]] = {}
        self._maps: dict[tuple[str, Position, int], tuple[Any, ...]] = {}
        self._laws: dict[tuple[Any, ...], Table] = {}

    def extent(self, axis: Term) -> int:
        """Return the number of indices or points of a range."""
        if axis.op == "succ":
            return self.extent(axis.args[0]) + 1
        if axis.op == "num":
            return int(str(axis.data))
        if axis.args:  # one of a family of sizes
            return Random(f"{self.seed}|width|{name_of(axis)}|{self.extent(axis.args[0])}").randint(1, 3)
        if axis is NATURALS:
            raise Unresolved("all natural numbers are too many to go through")
        return self.sizes[axis]

    def weight(self, axis: Term, at: int) -> Number:
        """Return the measure of one point of a space; an index counts as 1."""
        if axis.op != "space":
            return self.reals.one
        if axis not in self.weights:
            rng = Random(f"{self.seed}|measure|{name_of(axis)}")
            self.weights[axis] = [self.reals.number(rng.randint(3, 30)) / 16 for _ in range(self.extent(axis))]
        return self.weights[axis][at]

    def law(self, variable: Term, position: Position, parameters: Parameters = ()) -> Table:
        """Return the probabilities and values of one component of a random variable.

        What is dependent has the outcomes of its block. The table depends on the name without its primes, since 𝔼
        may rename what it binds by adding them.
        """
        assert isinstance(variable.data, tuple)
        name, own = variable.data[2], name_of(variable).rstrip("′")
        key = (name, own, position, parameters)
        if key not in self._laws:
            rng = Random(f"{self.seed}|law|{name}|{own if parameters or name in JOINT else ''}|{position}")
            if name in JOINT:
                weights = shares(self.reals, Random(f"{self.seed}|block|{block_of(variable).rstrip('′')}"))
                values = JOINT[name](self.reals, rng, weights, parameters)
                self._laws[key] = list(zip(weights, values, strict=True))
            elif name in LAWS:
                self._laws[key] = LAWS[name](self.reals, rng, position, parameters)
            else:
                raise Unresolved(f"no table for the law {name!r}")
        return self._laws[key]

    def variable(self, variable: Term) -> Value:
        """Return the value of a variable."""
        assert isinstance(variable.data, tuple)
        name, domain = variable.data[:2]
        if domain not in DOMAINS:
            raise Unresolved(f"no samples for the domain {domain!r} of {name}")
        axes = variable.shape
        kind = "random" if is_random(variable) else domain
        over = ",".join(map(plain, axes))
        key = f"{self.seed}|{kind}|{over}|{name if self.style.ties == 'none' else ''}"
        if NATURALS not in axes:
            value = self._draw(key, DOMAINS[domain], axes)
            permuted = self.style.ties == "permuted" and axes and axes[-1].op != "space"
            return value[..., ::-1] if permuted and Random(f"{self.seed}|order|{name}").random() < 0.5 else value
        rest = tuple(axis for axis in axes if axis is not NATURALS)

        def component(position: Position) -> Number:
            member = [at for at, axis in zip(position, axes, strict=True) if axis is NATURALS]
            place = tuple(at for at, axis in zip(position, axes, strict=True) if axis is not NATURALS)
            values = self._draw(f"{key}|{member}", DOMAINS[domain], rest)
            return values[place] if place else values

        return Endless(component)

    def _draw(self, key: str, domain: Domain, axes: Sequence[Term]) -> Value:
        rng = Random(key)
        one_sign = rng.choice((1, -1))
        corners = {"some": rng.choice(("none", "first"))}.get(self.style.corners, self.style.corners)
        if not axes:
            return self._number(rng, domain, one_sign, corners, False)
        result = np.empty(tuple(map(self.extent, axes)), dtype=object)
        absent = self._absent(axes[-1])
        for position in np.ndindex(result.shape):
            result[position] = self._number(rng, domain, one_sign, corners, position[-1] in absent)
        if domain.orthonormal:
            self._straighten(result)
        if domain.stretched:
            result *= np.array([self.reals.number(rng.randint(1, 40)) / 16 for _ in range(result.shape[-1])])
        if domain.definite and result.ndim == 2 and result.shape[0] == result.shape[1]:
            result = result @ result.T + np.eye(len(result), dtype=int) * self.reals.one / 4
        if domain.normalised:
            for row in np.ndindex(result.shape[:-1]):
                self._normalise(result[row], axes[-1])
        return result

    def _absent(self, axis: Term) -> frozenset[int]:
        """Return where the variables over an axis vanish together."""
        if self.style.zeros != "shared":
            return frozenset()
        rng = Random(f"{self.seed}|support|{plain(axis)}")
        return frozenset(at for at in range(self.extent(axis)) if rng.random() < 0.4)

    def _number(self, rng: Random, domain: Domain, one_sign: int, corners: str, absent: bool) -> Number:
        style, number = self.style, self.reals.number
        chance, raw, sign = rng.random(), rng.getrandbits(32), rng.choice((1, -1))
        if corners != "none":
            top, bottom = domain.corners[0 if corners == "first" else rng.randrange(len(domain.corners))]
            return number(top) / bottom
        if domain.vanishes and (absent or (style.zeros == "any" and chance < 0.35)):
            return self.reals.zero
        value = (domain.least << 32) + raw * (domain.most - domain.least)
        if domain.most > 16:
            value *= style.reach
        if domain.signed:
            value *= {"any": sign, "alike": one_sign, "plus": 1, "minus": -1}[style.signs]
        if domain.whole:
            return number(abs(value) >> 36) * (1 if value > 0 else -1)
        return self.reals.context.ldexp(value, -36)

    def _straighten(self, matrix: Value) -> None:
        """Make columns orthonormal, one after the other; what depends on those before becomes 0. A vector is one."""
        matrix = matrix.reshape(len(matrix), -1)  # a view
        for k in range(matrix.shape[-1]):
            for _ in range(2):  # once more, against rounding
                for before in range(k):
                    matrix[:, k] = matrix[:, k] - (matrix[:, before] @ matrix[:, k]) * matrix[:, before]
            square = matrix[:, k] @ matrix[:, k]
            length = self.reals.context.sqrt(square) if square > self.reals.noise else self.reals.one
            matrix[:, k] = matrix[:, k] / length

    def _normalise(self, row: Value, axis: Term) -> None:
        """Divide a row by its total under the measure; a row of zeros gets all of it at one place."""
        if len(row) and not any(row):
            row[Random(f"{self.seed}|mass|{plain(axis)}").randrange(len(row))] = self.reals.one
        total = sum((self.weight(axis, at) * row[at] for at in range(len(row))), self.reals.zero)
        for at in range(len(row)):
            row[at] /= total

    def chosen(self, variable: Term, position: Position) -> bool:
        """Tell whether an equation that defines a component of a variable is to hold at a position, for 3 of 5."""
        return not position or Random(f"{self.seed}|chosen|{plain(variable)}|{position}").random() < 0.6

    def belongs(self, variable: Term, value: Value) -> bool:
        """Tell whether a value lies in the domain of a variable."""
        assert isinstance(variable.data, tuple)
        domain = DOMAINS[variable.data[1]]
        numbers = np.asarray(value, dtype=object)
        if not all(domain.holds(number) for number in numbers.flat):
            return False
        if not domain.normalised or not numbers.shape:
            return True
        weights = np.array([self.weight(variable.args[-1], at) for at in range(numbers.shape[-1])], dtype=object)
        totals = np.asarray((numbers * weights).sum(axis=-1), dtype=object)
        return all(self.reals.close(total, self.reals.one) for total in totals.flat)

    def function(self, name: str) -> Callable[[int, Number], Number]:
        """Return an unknown function as (order of derivative, argument) -> value.

        It is a line, two waves and an exponential, so that every derivative has a closed form.
        """
        if name not in self._waves:
            self._waves[name] = self._wave(Random(f"{self.seed}|function|{name}"))
        return self._waves[name]

    def member(self, term: Term) -> Value:
        """Return the value of an array of a family: it depends on the number of the layer, however that is written."""
        return self._draw(f"{self.seed}|member|{term.data}|{self.extent(term.args[0])}", DOMAINS["real"], term.shape)

    def mapping(self, name: str, where: Position, by: int | None) -> Callable[[Sequence[Number]], Number]:
        """Return one component of an unknown map of arrays, or its derivative by one component of the argument.

        It is linear, with a wave and products of neighbours.
        """
        context, zero = self.reals.context, self.reals.zero

        def value(numbers: Sequence[Number]) -> Number:
            level, phase, slopes, pairs, speeds = self._coefficients(name, where, len(numbers))
            angle = context.fdot(speeds, numbers) + phase
            if by is None:
                beside = (numbers[n] * numbers[n + 1] for n in range(len(numbers) - 1))
                return level + context.fdot(slopes, numbers) + context.fdot(pairs, beside) + context.sin(angle)
            before = pairs[by - 1] * numbers[by - 1] if by > 0 else zero
            after = pairs[by] * numbers[by + 1] if by + 1 < len(numbers) else zero
            return slopes[by] + before + after + speeds[by] * context.cos(angle)

        return value

    def _coefficients(self, name: str, where: Position, count: int) -> tuple[Any, ...]:
        """Return the coefficients of one component of an unknown map, drawn when they are first asked for."""
        key = name, where, count
        if key not in self._maps:
            rng, number = Random(f"{self.seed}|map|{name}|{where}"), self.reals.number
            level, phase = number(rng.randint(-20, 20)) / 16, number(rng.randint(5, 30)) / 16
            rows = [[number(rng.choice((-1, 1)) * rng.randint(4, 20)) / 16 for _ in range(3)] for _ in range(count)]
            self._maps[key] = (level, phase, *([row[n] for row in rows] for n in range(3)))
        return self._maps[key]

    def _wave(self, rng: Random) -> Callable[[int, Number], Number]:
        context, number = self.reals.context, self.reals.number
        level, slope, amount = (number(rng.randint(8, 40)) / 16 for _ in range(3))
        rate = number(rng.choice((-1, 1)) * rng.randint(3, 9)) / 16
        waves = [tuple(number(rng.randint(5, 30)) / 16 for _ in range(3)) for _ in range(2)]
        turns = (context.sin, context.cos, lambda u: -context.sin(u), lambda u: -context.cos(u))

        def value(order: int, t: Number) -> Number:
            if abs(rate * t) > self.reals.largest_exponent:
                raise Unresolved(f"a function of {self.reals.text(t)} is out of range")
            line = (level + slope * t, slope)[order] if order < 2 else self.reals.zero
            turn = turns[order % 4]
            curves = (size * speed**order * turn(speed * t + start) for size, speed, start in waves)
            return sum(curves, line + amount * rate**order * context.exp(rate * t))

        return value
