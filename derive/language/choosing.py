"""Comparisons as numbers, 1 where they hold and 0 elsewhere, and where(…), which chooses by them."""

from __future__ import annotations

import ast
from typing import Any, Final

from derive.language.reading import ParseError, Reader, Value
from derive.language.term import is_number

_COUNTED: Final = frozenset(("sum", "mean", "average", "where", "logical_and", "logical_or", "logical_not"))
_LOGICAL: Final[dict[str, type[ast.operator]]] = {"logical_and": ast.BitAnd, "logical_or": ast.BitOr}


def is_condition(node: ast.expr) -> bool:
    """Tell whether an expression is true or false in NumPy, and no number."""
    match node:
        case ast.Compare() | ast.BoolOp() | ast.UnaryOp(op=ast.Invert() | ast.Not()):
            return True
        case ast.BinOp(op=ast.BitAnd() | ast.BitOr() | ast.BitXor()):
            return True
        case ast.BinOp(op=ast.Mult(), left=left, right=right):
            return is_condition(left) and is_condition(right)
        case ast.Subscript(value=inner) | ast.Attribute(value=inner, attr="T"):
            return is_condition(inner)
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)):
            return name.startswith("logical_")
    return False


def refuse_sums_of_conditions(reader: Reader, node: ast.expr) -> None:
    """Refuse what NumPy does with truth values otherwise than with numbers: True + True is True there."""
    match node:
        case ast.BinOp(op=ast.Mult() | ast.Div() | ast.BitAnd() | ast.BitOr()):
            return
        case ast.BinOp(left=left, right=right):
            wrong = is_condition(left) and is_condition(right)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            wrong = is_condition(operand)
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name), args=args):
            wrong = name not in _COUNTED and any(map(is_condition, args))
        case _:
            wrong = False
    if wrong:
        raise outside(reader, node)


def outside(reader: Reader, node: ast.expr) -> ParseError:
    """Return the error that a truth value stands where a number is needed."""
    return reader.error(node, "a comparison outside of where(…) is true or false, and no number: where(u > 0, 1, 0) is")


def condition(reader: Reader, node: ast.expr) -> Value:
    """Return a comparison as 1 where it holds and 0 elsewhere."""
    match node:
        case ast.Compare(left=left, ops=[sign], comparators=[right]):
            return _compared(reader, node, sign, reader.indexed(left), reader.indexed(right))
        case ast.Compare():
            raise reader.error(node, "NumPy compares two arrays at a time: write (0 < u) & (u < 1)")
        case ast.BoolOp():
            raise reader.error(node, "between arrays NumPy writes & and |, with brackets: (u > 0) & (v > 0)")
        case ast.UnaryOp(op=ast.Invert(), operand=inner) if is_condition(inner):
            return _not(condition(reader, inner))
        case ast.BinOp(left=left, op=ast.BitAnd() | ast.BitOr() | ast.Mult(), right=right) if all(
            map(is_condition, (left, right))
        ):
            return _joined(reader, node, type(node.op), condition(reader, left), condition(reader, right))
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name), args=args) if name.startswith("logical_"):
            return _logical(reader, node, name, args)
        case ast.Subscript() | ast.Attribute() if is_condition(node):
            return reader.indexed(node)
    raise reader.error(node, "a condition is a comparison, or several joined by & and |: (u > 0) & (v <= 1)")


def logical(reader: Reader, node: ast.Call, given: list[ast.expr], options: Any) -> Value:
    """np.logical_and, np.logical_or and np.logical_not."""
    reader.options(node, options)
    return condition(reader, node)


def _logical(reader: Reader, node: ast.expr, name: str, args: list[ast.expr]) -> Value:
    if name == "logical_not" and len(args) == 1:
        return _not(condition(reader, args[0]))
    if name in _LOGICAL and len(args) == 2:
        return _joined(reader, node, _LOGICAL[name], *(condition(reader, arg) for arg in args))
    raise reader.error(node, f"{name} takes {'one condition' if name == 'logical_not' else 'two conditions'}")


def _compared(reader: Reader, node: ast.AST, sign: ast.cmpop, left: Value, right: Value) -> Value:
    if isinstance(sign, ast.Gt | ast.Lt):
        return _above(reader, node, *((left, right) if isinstance(sign, ast.Gt) else (right, left)))
    if isinstance(sign, ast.GtE | ast.LtE):
        return _not(_above(reader, node, *((right, left) if isinstance(sign, ast.GtE) else (left, right))))
    if not isinstance(sign, ast.Eq | ast.NotEq):
        raise reader.error(node, "a comparison is one of <, <=, >, >=, == and !=")
    sides = _not(_above(reader, node, left, right)), _not(_above(reader, node, right, left))
    equal = reader.elementwise(node, "mul", None, *sides)
    return equal if isinstance(sign, ast.Eq) else _not(equal)


def _above(reader: Reader, node: ast.AST, high: Value, low: Value) -> Value:
    """[high > low]."""
    if is_number(high.term, 0) and low.rank >= high.rank:
        return reader.app("step", low.holding(-low.term))
    gap = high if is_number(low.term, 0) else reader.elementwise(node, "sub", None, high, low)
    return reader.app("step", gap)


def _not(value: Value) -> Value:
    return value.holding(1 - value.term)


def _joined(reader: Reader, node: ast.AST, kind: type[ast.operator], one: Value, other: Value) -> Value:
    if kind is not ast.BitOr:
        return reader.elementwise(node, "mul", None, one, other)
    return _not(reader.elementwise(node, "mul", None, _not(one), _not(other)))


def where(reader: Reader, node: ast.Call, given: list[ast.expr], options: Any) -> Value:
    """where(u > v, a, b) = [u > v]·a + (1 − [u > v])·b: both values must be defined."""
    reader.options(node, options)
    if len(given) != 3 or not is_condition(given[0]):
        raise reader.error(node, "where takes a comparison and two values: where(u > 0, a, b)")
    chosen, then, otherwise = condition(reader, given[0]), *(reader.indexed(argument) for argument in given[1:])
    if chosen.term.op == "sub":  # of what does not hold the other one is chosen
        chosen, then, otherwise = _not_undone(chosen), otherwise, then
    reader.fitted(node, chosen, then, otherwise)
    one = reader.elementwise(node, "mul", None, chosen, then)
    return reader.elementwise(node, "add", None, one, reader.elementwise(node, "mul", None, _not(chosen), otherwise))


def _not_undone(value: Value) -> Value:
    """1 − u is what does not hold; u is returned."""
    return value.holding(value.term.args[1])
