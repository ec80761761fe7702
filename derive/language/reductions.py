"""Functions of NumPy along axes: maxima and products, norms of every order, cumulative sums."""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from math import inf
from typing import Final

from derive.language.array import bound_index, component
from derive.language.reading import Reader, Value, literal, permuted
from derive.language.term import Σ, Term, array, at, tri

Finish = Callable[[Reader, ast.Call, Value, list[int], bool], Value]
"What a reduction makes of an array: the axes that it takes away, and whether they stay as axes of length one."


def folded(name: str) -> Finish:
    """Return the reduction by a symbol that takes the last axis away, one axis after the other."""

    def finish(reader: Reader, node: ast.Call, value: Value, over: list[int], keep: bool) -> Value:
        term, layout = value.term, list(value.layout)
        for n in sorted(over, reverse=True):
            if layout[n]:  # along an axis of length one there is nothing to do
                real = sum(layout[:n])
                others = [m for m in range(len(term.shape)) if m != real]
                term = Term("reduce", (permuted(term, [*others, real]),), name)
            layout[n : n + 1] = [False] * keep
        return Value(term, tuple(layout), value.names)

    return finish


def smallest(reader: Reader, node: ast.Call, value: Value, over: list[int], keep: bool) -> Value:
    """min u = −max(−u)."""
    found = _LARGEST(reader, node, value.holding(-value.term), over, keep)
    return found.holding(-found.term)


_LARGEST: Final = folded("max")


# ---- norms -----------------------------------------------------------------------------------------------------------

Order = Fraction | float | str | None
_WORDS: Final = ("inf", "Inf", "infty")


def order_of(reader: Reader, node: ast.expr | None) -> Order:
    """Return the order of a norm: a number, ±inf, a word such as "fro", or None."""
    sign = 1
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub) and literal(node) is None:
        sign, node = -1, node.operand
    match node:
        case None | ast.Constant(value=None):
            return None
        case ast.Constant(value=str(word)):
            return word
        case ast.Name(id=name) | ast.Attribute(attr=name) if name in _WORDS:
            return sign * inf
        case ast.Call(func=ast.Name(id="float"), args=[ast.Constant(value="inf" | "Infinity")]):
            return sign * inf
    found = literal(node)
    if found is None:
        raise reader.error(node, "the order of a norm is a number, np.inf or -np.inf")
    return found


def norm(order: Order) -> Finish:
    """Return the norm of an order: of vectors along one axis, of matrices along two."""

    def finish(reader: Reader, node: ast.Call, value: Value, over: list[int], keep: bool) -> Value:
        if order is None or order == "fro" or (order == 2 and len(over) < 2):
            if order == "fro" and len(over) != 2:
                raise reader.error(node, "the norm of Frobenius is of a matrix: leave ord out")
            return reader.app("sqrt", reader.total(value.holding(value.term**2), over, keep))
        if len(over) == 2:
            return _matrix_norm(reader, node, order, value, over, keep)
        if isinstance(order, str) or len(over) != 1:
            of = "a vector" if len(over) == 1 else f"an array of {len(over)} axes: say along which"
            raise reader.error(node, f"there is no norm of order {order!r} of {of}")
        return _vector_norm(reader, node, order, value, over, keep)

    return finish


def _vector_norm(
    reader: Reader, node: ast.Call, order: Fraction | float, value: Value, over: list[int], keep: bool
) -> Value:
    size = reader.app("abs", value)
    if abs(order) == inf:
        return (_LARGEST if order > 0 else smallest)(reader, node, size, over, keep)
    if order == 1:
        return reader.total(size, over, keep)
    if order <= 0:
        raise reader.error(node, f"a norm of order {order} is not supported: orders are positive numbers, inf and -inf")
    even = order == int(order) and order % 2 == 0
    powers = reader.power(node, value if even else size, _written(Fraction(order)))
    return reader.power(node, reader.total(powers, over, keep), _written(1 / Fraction(order)))


def _matrix_norm(reader: Reader, node: ast.Call, order: Order, value: Value, over: list[int], keep: bool) -> Value:
    """The largest (or smallest) sum of absolute values of a column for 1 (−1), of a row for inf (−inf)."""
    if not isinstance(order, str) and order is not None and abs(order) in {1, inf}:
        summed, others = (over[:1], over[1:]) if abs(order) == 1 else (over[1:], over[:1])
        sums = reader.total(reader.app("abs", value), summed, True)
        found = (_LARGEST if order > 0 else smallest)(reader, node, sums, others, True)
        kept = [there for n, there in enumerate(found.layout) if keep or n not in over]
        return replace(found, layout=tuple(kept))
    shown = repr(order) if isinstance(order, str) else order
    raise reader.error(node, f"the matrix norm of order {shown} is of singular values, which are not supported")


def _written(number: Fraction) -> ast.expr:
    return ast.parse(f"{number.numerator}/{number.denominator}", mode="eval").body


# ---- cumulative sums -------------------------------------------------------------------------------------------------


def cumulative(value: Value, which: int) -> Value:
    """Return the cumulative sums along one axis: products with the triangle of ones."""
    if not value.layout[which]:
        return value
    term, axis = value.term, sum(value.layout[:which])
    size, rank = term.shape[axis], len(term.shape)
    if axis == 0 and rank <= 2:
        return value.holding(tri(size) @ term)
    if rank == 2:
        return value.holding(term @ tri(size).T)
    places: list[Term] = []
    for own in term.shape:
        places.append(bound_index(own, term, *places))
    k = bound_index(size, term, *places)
    inside = component(term, (*places[:axis], k, *places[axis + 1 :]))
    return value.holding(array(Σ(at(tri(size), (places[axis], k)) * inside, k), *places))
