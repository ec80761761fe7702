"""Array notation, defined by components: (A @ B)[i, j] is Σ_k A[i, k]·B[k, j], and so on for every operator."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from derive.language.term import Σ, Term, at, free, index, is_ones, name_of, number_of, place, substitute, variant

Places = tuple[Term, ...]
_NAMES = "ijklmnrs"


def bound_index(over: Term, *beside: Term) -> Term:
    """Return an index of a range whose name is free for binding beside the given terms."""
    taken = {name_of(symbol) for term in beside for symbol in free(term)}
    name = next((letter for letter in _NAMES if letter not in taken), "")
    count = 1
    while not name:
        candidate = f"i{count}"
        name, count = ("" if candidate in taken else candidate), count + 1
    return index(name, over)


def fresh_places(letter: str, axes: Places, *beside: Term) -> Places:
    """Return an index for each axis, none of which is free in the given terms."""
    taken = {name_of(symbol) for term in beside for symbol in free(term)}
    return tuple(variant(index(f"{letter}{n}", axis), taken) for n, axis in enumerate(axes))


def component(array: Term, places: Places) -> Term:
    """Return the component of an array term at a position, with every [i, j] driven to the leaves."""
    rule = _COMPONENTS.get(array.op)
    if rule is not None and (places or array.op in _REDUCING):
        return rule(array, places)
    return at(array, places) if places else push(array)


@cache
def push(term: Term) -> Term:
    """Return a scalar term with array notation replaced by what it is defined to be."""
    if term.op == "at":
        rule = _COMPONENTS.get(term.args[0].op)
        return rule(term.args[0], term.args[1:]) if rule else term
    if term.shape or term.op in {"let", "var", "idx", "num", "size", "succ", "delta", "reduce", "member"}:
        return term
    if term.op in _REDUCING:
        return _COMPONENTS[term.op](term, ())
    if term.op == "D":
        return Term("D", (push(term.args[0]), term.args[1]))
    return Term(term.op, tuple(push(arg) for arg in term.args), term.data)


@cache
def expanded(term: Term) -> Term:
    """Return a term with every named quantity replaced by its definition, and array notation by components."""
    base, places = place(term)
    if base.op == "let":
        whole = base.shape and not places
        return expanded(base.args[0] if whole else component(base.args[0], places))
    if term.op in {"D", "pass", "member", "size"} or not term.args:
        return term
    return push(Term(term.op, tuple(arg if arg.op == "idx" else expanded(arg) for arg in term.args), term.data))


def row_of(row: Term) -> tuple[Places, Term]:
    """Return a row as the leading indices and the array that it is a row of: [Z[n, k]]_k is row n of Z."""
    if row.op == "array" and len(row.args) == 2:
        k, body = row.args
        base, places = place(body)
        if places and places[-1] is k and k not in places[:-1] and k not in free(base):
            return places[:-1], base
    return (), row


def unfolded(term: Term) -> Term | None:
    """Return the definition of a named quantity or of its component; None for anything else."""
    base, places = place(term)
    return component(base.args[0], places) if base.op == "let" else None


def _elementwise(array: Term, places: Places) -> Term:
    args = (component(a, places[len(places) - len(a.shape) :]) if _is_number(a) else a for a in array.args)
    return Term(array.op, tuple(args), array.data)


def _is_number(term: Term) -> bool:
    """Tell whether a term is a number or an array of numbers, and not a function symbol."""
    return term.op != "fun"


def _matmul(array: Term, places: Places) -> Term:
    left, right = array.args
    k = bound_index(right.shape[0], array, *places)
    rank = len(left.shape) - 1
    return Σ(component(left, (*places[:rank], k)) * component(right, (k, *places[rank:])), k)


def _outer(array: Term, places: Places) -> Term:
    left, right = array.args
    rank = len(left.shape)
    first, second = component(left, places[:rank]), component(right, places[rank:])
    if is_ones(right):
        return first
    return second if is_ones(left) else first * second


def _sumax(array: Term, places: Places) -> Term:
    (inner,), axis = array.args, array.data
    assert isinstance(axis, int)
    k = bound_index(inner.shape[axis], array, *places)
    return Σ(component(inner, (*places[:axis], k, *places[axis:])), k)


def _diag(array: Term, places: Places) -> Term:
    i, j = places
    return Term("delta", (i, j)) * component(array.args[0], (i,))


def _trace(array: Term, places: Places) -> Term:
    (matrix,) = array.args
    k = bound_index(matrix.shape[0], array)
    return Σ(component(matrix, (k, k)), k)


def _reduce(array: Term, places: Places) -> Term:
    k = bound_index(array.args[0].shape[-1], array, *places)
    row = Term("array", (k, component(array.args[0], (*places, k))))
    return Term("reduce", (row,), array.data)


def _derivative(array: Term, places: Places) -> Term:
    body, by = array.args
    base, position = place(by)
    rank = len(body.shape)
    return Term("D", (component(body, places[:rank]), at(base, position + places[rank:])))


def _comprehension(array: Term, places: Places) -> Term:
    *over, body = array.args
    return push(substitute(body, dict(zip(over, places, strict=True))))


def _map(array: Term, places: Places) -> Term:
    """F(u)[i]: what F is applied to is written by its components, in which rules can act."""
    return at(Term("map", (_by_components(array.args[0], array, *places), *array.args[1:]), array.data), places)


def _pass(array: Term, places: Places) -> Term:
    """Where a pass starts is written by its components."""
    start = _by_components(array.args[4], array, *places)
    return at(Term("pass", (*array.args[:4], start, *array.args[5:]), array.data), places)


def _by_components(array: Term, *beside: Term) -> Term:
    if not array.shape:
        return push(array)
    over: Places = array.args[:-1] if array.op == "array" else ()
    for axis in () if over else array.shape:
        over = (*over, bound_index(axis, *beside, *over))
    return Term("array", (*over, component(array, over)))


def _literal(array: Term, places: Places) -> Term:
    """An entry where the position is a number; at an index the component of what is written out."""
    if any(where.op != "num" for where in places):
        return at(array, places)
    position = 0
    for where, axis in zip(places, array.shape, strict=True):
        position = position * int(number_of(axis)) + int(number_of(where))
    return push(array.args[position])


_COMPONENTS: dict[str, Callable[[Term, Places], Term]] = {
    "literal": _literal,
    **dict.fromkeys(("add", "sub", "mul", "div", "pow", "neg", "app", "call"), _elementwise),
    "matmul": _matmul,
    "T": lambda array, places: component(array.args[0], places[::-1]),
    "outer": _outer,
    "sumax": _sumax,
    "diag": _diag,
    "eye": lambda array, places: Term("delta", places),
    "trace": _trace,
    "reduce": _reduce,
    "map": _map,
    "pass": _pass,
    "D": _derivative,
    "array": _comprehension,
}
_REDUCING = frozenset(("matmul", "sumax", "trace", "map", "pass"))
