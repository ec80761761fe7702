"""Indices and axes of NumPy's syntax: X[n], X[:, None], sum(… for n in range(N)), and axes in another order.

A name in brackets that means nothing else is an index over that axis, and sum(…, n) sums over it. Positions and parts
of an axis that are numbers cannot be said, since sizes are symbols: they are refused, with what to write instead.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import Final

from derive.language.array import bound_index, component
from derive.language.reading import Reader, Value, from_module, permuted
from derive.language.term import Term, array

MOST_AXES: Final = 32  # as in NumPy
_POSITION = (
    "a position that is a number cannot be said, since sizes are symbols: multiply by a constant vector e that is 1 "
    "there and 0 elsewhere, as in x @ e"
)
_PART = (
    "a part of an axis cannot be said, since sizes are symbols: multiply by a constant matrix that picks it, "
    "as in D @ x with --shape D=M,N, whose rows are differences for x[1:] - x[:-1]"
)
_LABELS = "labels do not pick components: write them as rows of zeros and a one, as in sum(P * Y, axis=1)"
_LOOP = "an index goes over an axis: write for i in range(N), where N is a size"


def subscript(reader: Reader, node: ast.Subscript) -> Value:
    """Return an array with indices on axes, axes of length one put in, and the rest as it was."""
    value = reader.indexed(node.value)
    named = list(value.names)
    axes: list[tuple[str, int]] = []  # of the term, in the order in which they go on: the index, or "" for none
    layout: list[bool] = []
    position = 0
    for part in _parts(reader, node, value):
        if isinstance(part, ast.Constant) and part.value is None:
            layout.append(False)
            continue
        there = value.layout[position]
        axis = len(value.names) + sum(value.layout[:position])
        position += 1
        if isinstance(part, ast.Slice) and part.lower is part.upper is part.step is None:
            layout.append(there)
            axes += [("", axis)] * there
            continue
        if not there:
            raise reader.error(part, f"the shape is {value.plainly}, and no index goes over an axis of length 1")
        name = _index(reader, part, value.term.shape[axis])
        named.append(name)
        axes.append((name, axis))
    if len(layout) > MOST_AXES:
        raise reader.error(node, f"arrays have at most {MOST_AXES} axes")
    order = [(name, n) for n, name in enumerate(value.names)] + axes
    return _placed(reader, node, value.term, order, tuple(layout), tuple(dict.fromkeys(named)))


def _parts(reader: Reader, node: ast.Subscript, value: Value) -> list[ast.expr]:
    """Return a part for each axis, and one for each that is put in."""
    parts = list(node.slice.elts) if isinstance(node.slice, ast.Tuple) else [node.slice]
    parts = [ast.Constant(None) if _is_new(part) else part for part in parts]
    rest = [n for n, part in enumerate(parts) if isinstance(part, ast.Constant) and part.value is ...]
    if len(rest) > 1:
        raise reader.error(node, "the dots … stand for all other axes, and can be written once")
    used = sum(not isinstance(part, ast.Constant) or part.value not in {None, ...} for part in parts)
    if used > value.rank:
        what = f"an array of shape {value.plainly} has no more axes" if value.rank else "a number has no axes"
        raise reader.error(node, what)
    where = rest[0] if rest else len(parts)
    return [*parts[:where], *[ast.Slice()] * (value.rank - used), *parts[where + 1 :]]


def _is_new(part: ast.expr) -> bool:
    """Tell whether a part is np.newaxis, which is None."""
    return isinstance(part, ast.Attribute) and part.attr == "newaxis" and from_module(part.value)


def _index(reader: Reader, part: ast.expr, axis: Term) -> str:
    """Return the name of an index, or say why a part is none."""
    match part:
        case ast.Name(id=name) if name in reader.known or name in {"pi", "π"}:
            raise reader.error(part, _LABELS if name in reader.known else f"{name} is a number and no index")
        case ast.Name(id=name) if name in reader.sizes:
            raise reader.error(part, f"{name} is a size and no index: an index is a name that means nothing else")
        case ast.Name(id=name):
            if reader.bound.get(name, axis) is not axis:
                over = reader.bound[name]
                raise reader.error(part, f"the index {name} goes over {over!r}, and this axis is {axis!r}")
            return name
        case ast.Slice():
            raise reader.error(part, _PART)
        case ast.Constant(value=int()) | ast.UnaryOp(operand=ast.Constant(value=int())):
            raise reader.error(part, _POSITION)
        case ast.BinOp():
            raise reader.error(part, f"an index is a name alone: {_PART}")
    raise reader.error(part, _LABELS)


def _placed(
    reader: Reader,
    node: ast.AST,
    term: Term,
    axes: Sequence[tuple[str, int]],
    layout: tuple[bool, ...],
    names: tuple[str, ...],
) -> Value:
    """Return an array with the axes of indices first, each once: X[i, i] is the diagonal."""
    first = {name: axis for name, axis in reversed(axes) if name}
    rest = [axis for name, axis in axes if not name]
    order = [*(first[name] for name in names), *rest]
    if len(order) == len(axes):
        return Value(permuted(term, order), layout, names)
    places: dict[int, Term] = {}
    for name, axis in axes:
        size = term.shape[axis]
        if name and first[name] in places and places[first[name]].args[0] is not size:
            other = places[first[name]].args[0]
            raise reader.error(node, f"the index {name} goes over {other!r}, and over {size!r}")
        again = name and first[name] in places
        places[axis] = places[first[name]] if again else bound_index(size, term, *places.values())
    body = component(term, tuple(places[axis] for axis in range(len(term.shape))))
    return Value(array(body, *(places[axis] for axis in order)), layout, names)


def gathered(reader: Reader, node: ast.GeneratorExp | ast.ListComp) -> Value:
    """Return [E for i in range(N)] as an array: one axis for each loop, before those of E."""
    loops: dict[str, Term] = {}
    for loop in node.generators:
        name, axis = _loop(reader, loop)
        if name in loops or name in reader.bound or name in reader.known or name in reader.sizes:
            raise reader.error(loop.target, f"{name} has a meaning already: one name means one thing")
        loops[name] = axis
    before = reader.bound
    reader.bound = before | loops
    try:
        value = reader.indexed(node.elt)
    finally:
        reader.bound = before
    for name, axis in loops.items():
        if name in value.names and value.size_of(name) is not axis:
            raise reader.error(node, f"the index {name} goes over {axis!r}, and over {value.size_of(name)!r}")
        value = value if name in value.names else _repeated(value, name, axis)
    outer = tuple(name for name in value.names if name not in loops)
    order = [value.names.index(name) for name in (*outer, *loops)]
    term = permuted(value.term, [*order, *range(len(order), len(value.term.shape))])
    return Value(term, (True,) * len(loops) + value.layout, outer)


def _loop(reader: Reader, loop: ast.comprehension) -> tuple[str, Term]:
    match loop:
        case ast.comprehension(
            target=ast.Name(id=name), iter=ast.Call(func=ast.Name(id="range"), args=[extent], keywords=[]), ifs=[]
        ) if not loop.is_async:
            axis = reader.evaluate(extent).term
            if axis.op == "size":
                return name, axis
            raise reader.error(extent, f"{_LOOP}, and {axis!r} is none")
        case ast.comprehension(ifs=[condition, *_]):
            raise reader.error(condition, "a sum goes over a whole axis: write a condition with where(c, a, 0)")
    raise reader.error(loop.target, _LOOP)


def _repeated(value: Value, name: str, axis: Term) -> Value:
    """Return an array of one more axis along which it does not change."""
    places: list[Term] = []
    for size in (axis, *value.term.shape):
        places.append(bound_index(size, value.term, *places))
    body = component(value.term, tuple(places[1:]))
    return Value(array(body, *places), value.layout, (name, *value.names))
