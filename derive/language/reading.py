"""What every function of the language is read with: arrays with NumPy's axes, and errors that show the place.

An array keeps its axes of length one apart, as marks beside a term that has only the named axes: so broadcasting is
NumPy's, and the term stays an array of named sizes. An axis that an index stands on, as n in X[n], is kept apart too:
it goes before all others and meets the axes of the same index.
"""

from __future__ import annotations

import ast
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import reduce as fold
from textwrap import dedent
from typing import Any, Final

from derive.language.array import bound_index, component
from derive.language.notation import SYMBOLS
from derive.language.term import (
    Complaint,
    ShapeError,
    Term,
    array,
    is_ones,
    lift,
    name_of,
    names,
    number_of,
    ones,
    outer,
    plain,
    variant,
)

DIGITS: Final = 40  # of a number
POWER: Final = 64
WIDTH: Final = 100  # characters of a line in a message
_MODULES: Final = frozenset(
    ("np", "numpy", "jnp", "jax", "nn", "scipy", "special", "linalg", "math", "anp", "torch", "functional", "F")
)


class ParseError(Complaint, ValueError):
    """A text that is no loss: the message shows the place, and what to write instead.

    Attributes
    ----------
    line, column : int
        Where, from 1.
    """

    def __init__(self, message: str, line: int = 1, column: int = 1, source: str = "") -> None:
        super().__init__(f"{message}{_shown(source, column) if source else ''}")
        self.line, self.column = line, column


def _shown(source: str, column: int) -> str:
    """Return a line with a mark below the place; of a long line what is around the place."""
    first = max(0, column - 1 - WIDTH // 2) if len(source) > WIDTH else 0
    before, after = "…" * (first > 0), "…" * (len(source) > first + WIDTH)
    part = f"{before}{source[first : first + WIDTH]}{after}"
    return f"\n  {part}\n  {' ' * (column - 1 - first + len(before))}^"


@dataclass(frozen=True)
class Value:
    """An array as NumPy sees it.

    Attributes
    ----------
    term : Term
        The axes of indices first, then those that are not of length one.
    layout : tuple of bool
        Which axes are there (False: of length one), indices aside.
    names : tuple of str
        The indices that stand on the first axes.
    """

    term: Term
    layout: tuple[bool, ...]
    names: tuple[str, ...] = ()

    def holding(self, term: Term) -> Value:
        """Return a value of the same axes."""
        return replace(self, term=term)

    @property
    def flat(self) -> Value:
        """The array in which indices are axes like others."""
        return Value(self.term, (True,) * len(self.names) + self.layout)

    def indexed(self, names: tuple[str, ...]) -> Value:
        """Return the array in which indices stand on the first axes."""
        return Value(self.term, self.layout[len(names) :], names)

    def size_of(self, name: str) -> Term:
        """Return what an index goes over."""
        return self.term.shape[self.names.index(name)]

    @property
    def rank(self) -> int:
        """How many axes there are, those of length one too, and those of indices not."""
        return len(self.layout)

    @property
    def sizes(self) -> tuple[Term | None, ...]:
        """The sizes of the axes; None for length one."""
        real = iter(self.term.shape[len(self.names) :])
        return tuple(next(real) if named else None for named in self.layout)

    @property
    def plainly(self) -> str:
        """The shape as NumPy prints it."""
        shape = ", ".join("1" if s is None else plain(s) for s in self.sizes)
        shown = f"({shape}{',' * (self.rank == 1)})"
        return f"{shown} at each {', '.join(self.names)}" if self.names else shown

    def at(self, places: Sequence[Term | None]) -> Term:
        """Return the component at a position; axes of length one take no part in it."""
        return component(
            self.term, tuple(p for p, named in zip(places, self.layout, strict=True) if named and p is not None)
        )


def whole(term: Term) -> Value:
    """Return a term whose axes are all there."""
    return Value(term, (True,) * len(term.shape))


def _joined(term: Term) -> Term:
    """(u 𝟏ᵀ) ⊙ v = u vᵀ."""
    if term.op == "mul" and [arg.op == "outer" and is_ones(arg.args[1]) for arg in term.args] == [True, False]:
        column, row = term.args
        return outer(column.args[0], row) if len(row.shape) == 1 else term
    return term


def _holds(condition: Term) -> bool:
    """Tell whether a comparison of numbers holds; what is no such comparison may."""
    left, right = condition.args if condition.op in {"lt", "le"} else (condition, condition)
    if left.op != "num" or right.op != "num":
        return True
    return number_of(left) < number_of(right) or (condition.op == "le" and left is right)


def permuted(term: Term, order: Sequence[int]) -> Term:
    """Return an array with its axes in another order."""
    if list(order) == sorted(order):
        return term
    if list(order) == sorted(order, reverse=True):
        return term.T
    places: list[Term] = []
    for axis in term.shape:
        places.append(bound_index(axis, term, *places))
    return array(component(term, tuple(places)), *(places[n] for n in order))


class Reader(ABC):
    """One text that is being read, and what arrays are made of. `parse` says which nodes of a text there are."""

    text: str
    known: dict[str, Value]
    "What names stand for."
    bound: dict[str, Term]
    "What the indices of loops around go over."
    sizes: dict[str, Term]

    @abstractmethod
    def indexed(self, node: ast.expr) -> Value:
        """Return what an expression computes; indices may stand on axes of it."""

    def evaluate(self, node: ast.expr) -> Value:
        """Return what an expression computes, for functions that know of no indices."""
        value = self.indexed(node)
        if value.names:
            raise self.error(node, f"this is not taken at an index: leave out the index {value.names[0]} here")
        return value

    def error(self, node: ast.AST, message: str) -> ParseError:
        """Return an error that shows where a node stands in the text."""
        line, column = getattr(node, "lineno", 1), getattr(node, "col_offset", 0)
        lines = dedented(self.text).splitlines() or [""]
        source = lines[min(line, len(lines)) - 1]
        column = len(source.encode()[:column].decode(errors="ignore"))
        return ParseError(message, line, column + 1, source)

    def arguments(self, node: ast.Call, given: Sequence[ast.expr], *counts: int, indexed: bool = False) -> list[Value]:
        """Return evaluated arguments, as many as are allowed; at indices where the function knows of them."""
        if len(given) not in counts:
            wanted = " or ".join(map(str, counts))
            raise self.error(node, f"{ast.unparse(node.func)} takes {wanted} arguments and got {len(given)}")
        return [self.indexed(argument) if indexed else self.evaluate(argument) for argument in given]

    def options(self, node: ast.Call, options: Mapping[str | None, ast.expr], *allowed: str) -> dict[str, Any]:
        """Return literal options by name."""
        found: dict[str, Any] = {}
        for name, value in options.items():
            if name not in allowed:
                raise self.error(
                    node, f"the option {name} is not supported here: {', '.join(allowed) or 'there is none'}"
                )
            try:
                found[str(name)] = ast.literal_eval(value)
            except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
                raise self.error(value, f"{name} is to be a number or True or False") from None
        return found

    def app(self, name: str, *values: Value) -> Value:
        """Return a symbol of the notation, applied elementwise."""
        numbers = [value.term for value in values]
        if all(term.op == "num" for term in numbers) and not all(map(_holds, SYMBOLS[name].domain(*numbers))):
            raise ShapeError(f"{Term('app', tuple(numbers), name)!r} is not defined")
        return self.combined(lambda *args: Term("app", args, name), *values)

    def elementwise(self, node: ast.AST, op: str, data: str | None, *values: Value) -> Value:
        """Return an elementwise operator with NumPy's broadcasting."""
        self.fitted(node, *values)
        return self.combined(lambda *args: Term(op, args, data), *values)

    def combined(self, make: Callable[..., Term], *values: Value) -> Value:
        """Return what a function of components makes of values that are broadcast."""
        names = tuple(dict.fromkeys(name for value in values for name in value.names))
        if names:
            rank = max(value.rank for value in values)
            return self.combined(make, *(self.stretched(value, names, rank) for value in values)).indexed(names)
        layout = self.fitted(None, *values)
        named = tuple(axis is not None for axis in layout)
        axes = tuple(axis for axis in layout if axis is not None)
        # the term's own broadcasting aligns the last axes; where that is NumPy's too, nothing is written out
        if all(self._suffix(v, layout) for v in values) and any(v.term.shape == axes for v in values):
            return Value(make(*(v.term for v in values)), named)
        if len(axes) == 2 and all(self._suffix(v, layout) or self._is_column(v, layout) for v in values):
            columns = [v.term if self._suffix(v, layout) else outer(v.term, ones(axes[1])) for v in values]
            return Value(_joined(make(*columns)), named)
        places = self.places(layout, *values)
        body = make(*(v.at(places[len(places) - v.rank :]) for v in values))
        real = [p for p in places if p is not None]
        return Value(array(body, *real) if real else body, named)

    @staticmethod
    def _is_column(value: Value, layout: Sequence[Term | None]) -> bool:
        """Tell whether a value has the first of two axes of the whole, and not the last."""
        first = next(n for n, s in enumerate(layout) if s is not None)
        mine = [len(layout) - value.rank + n for n, there in enumerate(value.layout) if there]
        return mine == [first]

    @staticmethod
    def stretched(value: Value, names: Sequence[str], rank: int) -> Value:
        """Return an array whose first axes are those of given indices, of length one where it has not the index."""
        mine = [name for name in names if name in value.names]
        order = [value.names.index(name) for name in mine]
        term = permuted(value.term, [*order, *range(len(order), len(value.term.shape))])
        there = tuple(name in value.names for name in names)
        return Value(term, (*there, *(False,) * (rank - value.rank), *value.layout))

    @staticmethod
    def _suffix(value: Value, layout: Sequence[Term | None]) -> bool:
        """Tell whether the named axes of a value are the last of those of the whole."""
        whole = [n for n, s in enumerate(layout) if s is not None]
        mine = [len(layout) - value.rank + n for n, there in enumerate(value.layout) if there]
        return whole[len(whole) - len(mine) :] == mine

    def fitted(self, node: ast.AST | None, *values: Value) -> tuple[Term | None, ...]:
        """Return the sizes of the broadcast shape, None for length one, indices aside."""
        ranges: dict[str, Term] = {}
        for name, over in ((name, value.size_of(name)) for value in values for name in value.names):
            if ranges.setdefault(name, over) is not over:
                message = f"the index {name} goes over {ranges[name]!r} in one part and over {over!r} in another"
                raise self.error(node or ast.Constant(0), message)
        rank = max(v.rank for v in values)
        layout: list[Term | None] = [None] * rank
        for value in values:
            for n, axis in enumerate(value.sizes, rank - value.rank):
                if axis is None:
                    continue
                if layout[n] is not None and layout[n] is not axis:
                    shapes = " and ".join(v.plainly for v in values)
                    raise self.error(
                        node or ast.Constant(0),
                        f"shapes {shapes} do not fit together: on one axis {layout[n]!r} meets {axis!r}",
                    )
                layout[n] = axis
        return tuple(layout)

    def places(self, layout: Sequence[Term | None], *values: Value) -> list[Term | None]:
        """Return an index for each axis of a layout, none of which is free in the values."""
        places: list[Term | None] = []
        for axis in layout:
            taken = (*(v.term for v in values), *(p for p in places if p is not None))
            places.append(None if axis is None else self.index(axis, *taken))
        return places

    def index(self, axis: Term, *beside: Term) -> Term:
        """Return an index that occurs in no term beside it, not even bound: so nothing inside has its name."""
        taken = frozenset[str]().union(*map(names, beside))
        found = bound_index(axis, *beside)
        return found if name_of(found) not in taken else variant(found, taken)

    def matmul(self, node: ast.AST, left: Value, right: Value) -> Value:
        """Return a product of vectors, matrices and stacks of matrices, as NumPy's @ has it."""
        if not left.rank or not right.rank:
            raise self.error(node, f"@ takes vectors and matrices, and got shapes {left.plainly} and {right.plainly}")
        if not all((*left.layout[-2:], *right.layout[-2:])):
            raise self.error(node, f"@ of shapes {left.plainly} and {right.plainly}: write outer(a, b) or a * b")
        inner = right.sizes[-2 if right.rank > 1 else -1]
        if left.sizes[-1] is not inner:
            ends = f"{left.sizes[-1]!r} meets {inner!r}"
            raise self.error(node, f"shapes {left.plainly} and {right.plainly} do not fit in @: {ends}")
        if not right.names and right.rank <= 2:
            return Value(left.term @ right.term, (*left.layout[:-1], *right.layout[1:]), left.names)
        if right.rank == 1 and not left.names and left.rank <= 2:
            turned = left.term.T if left.rank == 2 else left.term
            return Value(right.term @ turned, left.layout[:-1], right.names)
        if left.rank == right.rank == len(right.names) == 1 and right.names[0] not in left.names:
            return Value(left.term @ right.term.T, (), (*left.names, *right.names))
        return self._stacked(node, left, right)

    def _stacked(self, node: ast.AST, left: Value, right: Value) -> Value:
        """A product of stacks: (…, i, k, 1) times (…, 1, k, j), summed over k."""
        if right.rank == 1:
            return self.total(self.elementwise(node, "mul", None, left, right), [left.rank - 1], False)
        first = replace(left, layout=(*left.layout, False))
        layout = right.layout if left.rank == 1 else (*right.layout[:-2], False, *right.layout[-2:])
        product = self.elementwise(node, "mul", None, first, replace(right, layout=layout))
        return self.total(product, [product.rank - 2], False)

    def axes(self, node: ast.Call, value: Value, axis: Any) -> list[int]:
        """Return the axes that an option names, all where it names none."""
        wanted = range(value.rank) if axis is None else axis if isinstance(axis, tuple) else (axis,)
        found = []
        for n in wanted:
            if type(n) is not int or not -value.rank <= n < value.rank:
                raise self.error(node, f"there is no axis {n} in the shape {value.plainly}")
            if n % value.rank in found:
                raise self.error(node, f"the axis {n} is named twice")
            found.append(n % value.rank)
        return sorted(found)

    def reordered(self, node: ast.AST, value: Value, order: Sequence[Any]) -> Value:
        """Return an array with its axes in another order, indices aside."""
        axes = [n % value.rank if type(n) is int and -value.rank <= n < value.rank else -1 for n in order]
        if sorted(axes) != list(range(value.rank)):
            raise self.error(node, f"{tuple(order)} is no order of the axes of {value.plainly}")
        first = len(value.names)
        there = [first + sum(value.layout[:n]) for n in axes if value.layout[n]]
        layout = tuple(value.layout[n] for n in axes)
        return Value(permuted(value.term, [*range(first), *there]), layout, value.names)

    def total(self, value: Value, over: Sequence[int], keepdims: bool) -> Value:
        """Return the sum over axes."""
        term, layout = value.term, list(value.layout)
        for n in sorted(over, reverse=True):
            if layout[n]:
                term = term.sum(len(value.names) + sum(layout[:n]))
            if keepdims:
                layout[n] = False
            else:
                del layout[n]
        return Value(term, tuple(layout), value.names)

    def count(self, value: Value, over: Sequence[int]) -> Term | None:
        """Return how many components a sum over axes has; None for one."""
        sizes = [s for n, s in enumerate(value.sizes) if n in over and s is not None]
        return fold(lambda a, b: a * b, sizes) if sizes else None

    def along(self, node: ast.Call, value: Value, given: ast.expr | None) -> tuple[list[str], list[int]]:
        """Return the indices and the axes that an option names: all axes where there is none."""
        if given is None:
            if value.names and not value.rank:
                raise self.error(node, f"say over which index, as in axis={value.names[-1]}")
            return [], list(range(value.rank))
        parts = given.elts if isinstance(given, ast.Tuple) else [given]
        names = [part.id for part in parts if isinstance(part, ast.Name)]
        for name in names:
            if name not in value.names:
                there = f"the indices are {', '.join(value.names)}" if value.names else "it has no indices"
                raise self.error(given, f"{name} is no index of what is summed here: {there}")
        if len(set(names)) < len(names):
            raise self.error(given, "an index is named twice")
        try:
            axes = tuple(ast.literal_eval(part) for part in parts if not isinstance(part, ast.Name))
        except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
            raise self.error(given, "an axis is a number, or an index") from None
        return names, self.axes(node, value, axes)

    def power(self, node: ast.AST, base: Value, exponent: ast.expr) -> Value:
        """Return a power: of a literal exponent, or exp(exponent·log(base))."""
        power = literal(exponent)
        if power is None:
            value = self.indexed(exponent)
            logarithm = base.holding(Term("app", (base.term,), "log"))
            return self.app("exp", self.elementwise(node, "mul", None, value, logarithm))
        if abs(power.numerator) > POWER or power.denominator > POWER:
            raise self.error(node, f"powers go up to {POWER}")
        most = _TALLEST.get(_bare(base.term), POWER)
        if power.denominator == 1 and _height(base.term) * abs(power) > most:
            what = {"num": "a number", "add": "a sum", "sub": "a difference"}.get(_bare(base.term), "a power")
            raise self.error(node, f"powers of {what} go up to {most} in all: name parts, or lower the powers")
        size_of = abs(power)
        raised = base.term if size_of == 1 else base.term ** lift(size_of)
        if size_of == Fraction(1, 2):
            raised = Term("app", (base.term,), "sqrt")
        if power == 0:
            raise self.error(node, "the power 0 is 1: write 1")
        return base.holding(1 / raised if power < 0 else raised)


def dedented(text: str) -> str:
    """Return a text as it is read: without common indentation, and without what parts nothing at its end."""
    return dedent(text.replace("\t", "    ")).strip("\n ").rstrip("; ")


_TALLEST: Final = {"add": 8, "sub": 8, "num": 16}


def _bare(term: Term) -> str:
    """Return the operator below powers and signs."""
    while term.op in {"pow", "neg"}:
        term = term.args[0]
    return term.op


def _height(term: Term) -> int:
    """Return the power that powers of powers come to."""
    total = 1
    while term.op in {"pow", "neg"}:
        if term.op == "pow":
            total *= max(1, abs(int(Fraction(str(term.args[1].data)))))
        term = term.args[0]
    return total


def wide(written: str) -> bool:
    """Tell whether a number has too many digits to be worked with exactly."""
    value = Fraction(written)
    return max(len(str(value.numerator)), len(str(value.denominator))) > DIGITS


def from_module(node: ast.expr) -> bool:
    """Tell whether an expression is a module that functions are called by: np, jnp.linalg."""
    match node:
        case ast.Name(id=name):
            return name in _MODULES
        case ast.Attribute(value=inner, attr=name):
            return name in _MODULES and from_module(inner)
    return False


def literal(node: ast.expr) -> Fraction | None:
    """Return a number that is written as one: 2, -1, 0.5, 1/2, 10**3."""
    match node:
        case ast.Constant(value=int() | float()) if not isinstance(node.value, bool):
            written = repr(node.value)
            return None if len(written) > DIGITS or written in {"inf", "nan"} or wide(written) else Fraction(written)
        case ast.UnaryOp(op=ast.USub(), operand=inner):
            positive_one = literal(inner)
            return None if positive_one is None else -positive_one
        case ast.BinOp(left=left, op=ast.Div(), right=right):
            one, other = literal(left), literal(right)
            return one / other if one is not None and other else None
        case ast.BinOp(left=left, op=ast.Pow(), right=right):
            one, other = literal(left), literal(right)
            if not one or other is None or other.denominator != 1 or abs(other) > POWER:
                return None
            value = one ** int(other)
            return value if max(len(str(value.numerator)), len(str(value.denominator))) <= DIGITS else None
    return None
