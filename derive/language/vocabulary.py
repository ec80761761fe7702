"""The functions of the language, each by the names that NumPy and others give it: FUNCTIONS is the table."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any, Final

from derive.language.array import component
from derive.language.choosing import logical, where
from derive.language.einsum import einsum
from derive.language.indexing import gathered
from derive.language.notation import SYMBOLS
from derive.language.reading import Reader, Value, literal, permuted, whole
from derive.language.reductions import Finish, cumulative, folded, norm, order_of, smallest
from derive.language.term import ShapeError, Term, array, det, diag, eye, inv, is_number, lift, ones, outer, trace

Function = Callable[[Reader, ast.Call, list[ast.expr], dict[str | None, ast.expr]], Value]


def _of_one(make: Callable[[Reader, Value], Value], *, indexed: bool = False) -> Function:
    """A function of one array; `indexed` says that it acts on components, or on the last axes alone."""

    def function(reader: Reader, node: ast.Call, given: list[ast.expr], options: Any) -> Value:
        reader.options(node, options)
        (value,) = reader.arguments(node, given, 1, indexed=indexed)
        return make(reader, value)

    return function


def _symbol(name: str) -> Function:
    return _of_one(lambda reader, value: reader.app(name, value), indexed=True)


def _of_two(make: Callable[[Reader, ast.Call, Value, Value], Value], *, indexed: bool = True) -> Function:
    def function(reader: Reader, node: ast.Call, given: list[ast.expr], options: Any) -> Value:
        reader.options(node, options)
        one, other = reader.arguments(node, given, 2, indexed=indexed)
        return make(reader, node, one, other)

    return function


def _operator(op: str) -> Function:
    return _of_two(lambda reader, node, a, b: reader.elementwise(node, op, None, a, b))


def _reduction(finish: Finish) -> Function:
    """A function of whole axes; indices are given to it as axes like others."""

    def function(reader: Reader, node: ast.Call, given: list[ast.expr], options: Any) -> Value:
        axis, others = _axis(reader, node, given, options)
        keepdims = reader.options(node, others, "axis", "keepdims").get("keepdims", False)
        if not isinstance(keepdims, bool):
            raise reader.error(node, "keepdims is True or False")
        if isinstance(given[0], ast.GeneratorExp):
            value = gathered(reader, given[0])
            names, over = list[str](), list(range(len(given[0].generators)))
        else:
            value = reader.indexed(given[0])
            names, over = reader.along(node, value, axis)
        if names and keepdims:
            raise reader.error(node, f"keepdims keeps axes, and {names[0]} is an index")
        first = len(value.names)
        positions = [*(value.names.index(name) for name in names), *(first + n for n in over)]
        found = finish(reader, node, value.flat, sorted(positions), keepdims)
        return found.indexed(tuple(name for name in value.names if name not in names))

    return function


def _axis(
    reader: Reader, node: ast.Call, given: list[ast.expr], options: dict[str | None, ast.expr]
) -> tuple[ast.expr | None, dict[str | None, ast.expr]]:
    """Return the axis that is given by its place or by its name, and the other options."""
    others = dict(options)
    axis = others.pop("axis", None)
    if len(given) == 2 and axis is None:
        axis = given[1]
    elif len(given) != 1:
        raise reader.error(node, f"{ast.unparse(node.func)} takes an array and axis=…")
    return None if isinstance(axis, ast.Constant) and axis.value is None else axis, others


def _sum(reader: Reader, node: ast.Call, value: Value, over: list[int], keep: bool) -> Value:
    return reader.total(value, over, keep)


def _mean(reader: Reader, node: ast.Call, value: Value, over: list[int], keep: bool) -> Value:
    count, total = reader.count(value, over), reader.total(value, over, keep)
    return total if count is None else Value(total.term / count, total.layout)


def _variance(reader: Reader, node: ast.Call, value: Value, over: list[int], keep: bool) -> Value:
    centred = reader.elementwise(node, "sub", None, value, _mean(reader, node, value, over, True))
    return _mean(reader, node, Value(centred.term**2, centred.layout), over, keep)


def _deviation(reader: Reader, node: ast.Call, value: Value, over: list[int], keep: bool) -> Value:
    return reader.app("sqrt", _variance(reader, node, value, over, keep))


def _extreme(finish: Finish, of_two: str) -> Function:
    """The largest or the smallest component of one array; Python's own max and min of two numbers are refused."""
    reduced = _reduction(finish)

    def function(reader: Reader, node: ast.Call, given: list[ast.expr], options: Any) -> Value:
        two = len(given) > 1 and isinstance(given[1], ast.Name) and given[1].id in reader.known
        if len(given) > 2 or two or (given and literal(given[0]) is not None):
            raise reader.error(node, f"of two arrays write {of_two}(a, b)")
        return reduced(reader, node, given, options)

    return function


def _norm(reader: Reader, node: ast.Call, given: list[ast.expr], options: Any) -> Value:
    """norm(x, ord, axis): of vectors along one axis, of matrices along two."""
    others = dict(options)
    order = order_of(reader, others.pop("ord", given[1] if len(given) > 1 else None))
    if order is not None and "axis" not in others and len(given) < 3 and reader.indexed(given[0]).rank > 2:
        raise reader.error(node, "say along which axes the norm is taken: axis=-1 for rows")
    return _reduction(norm(order))(reader, node, [*given[:1], *given[2:]], others)


def _cumulative(reader: Reader, node: ast.Call, given: list[ast.expr], options: Any) -> Value:
    """Cumulative sums along one axis."""
    axis, others = _axis(reader, node, given, options)
    reader.options(node, others, "axis")
    value = reader.indexed(given[0])
    return value.holding(cumulative(value.flat, _one_axis(reader, node, value, axis)).term)


def _solution(reader: Reader, node: ast.Call, one: Value, other: Value) -> Value:
    return reader.matmul(node, _inverse(reader, one), other)


def _along(name: str) -> Function:
    """A symbol of rows, which keeps the axis that it acts along."""

    def function(reader: Reader, node: ast.Call, given: list[ast.expr], options: Any) -> Value:
        axis, others = _axis(reader, node, given, options)
        reader.options(node, others, "axis")
        value = reader.indexed(given[0])
        which = _one_axis(reader, node, value, axis)
        flat = value.flat
        if not flat.layout[which]:
            raise reader.error(node, f"this acts along an axis, and the shape is {value.plainly}")
        real = sum(flat.layout[:which])
        order = [n for n in range(len(flat.term.shape)) if n != real]
        found = Term("rows", (permuted(flat.term, [*order, real]),), name)
        return value.holding(permuted(found, [*range(real), len(order), *range(real, len(order))]))

    return function


def _one_axis(reader: Reader, node: ast.Call, value: Value, axis: ast.expr | None) -> int:
    """Return the position of the one axis that is named, indices first."""
    names, over = reader.along(node, value, axis)
    if len(names) + len(over) != 1:
        raise reader.error(node, f"say along which axis of {value.plainly}: axis=-1 for rows")
    return value.names.index(names[0]) if names else len(value.names) + over[0]


def _diag(reader: Reader, value: Value) -> Value:
    if value.rank == 1:
        return whole(diag(value.term))
    i = reader.index(_square(value), value.term)
    return whole(array(component(value.term, (i, i)), i))


def _trace(reader: Reader, value: Value) -> Value:
    _square(value)
    return whole(trace(value.term))


def _inverse(reader: Reader, value: Value) -> Value:
    _square(value)
    return whole(inv(value.term))


def _determinant(reader: Reader, value: Value) -> Value:
    _square(value)
    return whole(det(value.term))


def _log_determinant(reader: Reader, value: Value) -> Value:
    """The logarithm of a determinant, which must be positive."""
    return reader.app("log", _determinant(reader, value))


def _square(value: Value) -> Term:
    if value.rank != 2 or not all(value.layout) or value.sizes[0] is not value.sizes[1]:
        raise ShapeError(f"a square matrix is needed, and the shape is {value.plainly}")
    return value.term.shape[0]


def _outer(reader: Reader, node: ast.Call, one: Value, other: Value) -> Value:
    if len(one.term.shape) != 1 or len(other.term.shape) != 1:
        shapes = f"{one.plainly} and {other.plainly}"
        raise reader.error(node, f"outer takes two vectors, and got shapes {shapes}: write it with einsum")
    return whole(outer(one.term, other.term))


def _larger(reader: Reader, node: ast.Call, one: Value, other: Value) -> Value:
    """max(u, v) = v + relu(u − v)."""
    if is_number(one.term, 0):
        return reader.app("relu", other)
    if is_number(other.term, 0):
        return reader.app("relu", one)
    gap = reader.app("relu", reader.elementwise(node, "sub", None, one, other))
    return reader.elementwise(node, "add", None, other, gap)


def _smaller(reader: Reader, node: ast.Call, one: Value, other: Value) -> Value:
    """min(u, v) = u − relu(u − v)."""
    gap = reader.app("relu", reader.elementwise(node, "sub", None, one, other))
    return reader.elementwise(node, "sub", None, one, gap)


def _logaddexp(reader: Reader, node: ast.Call, one: Value, other: Value) -> Value:
    return reader.app("log", reader.elementwise(node, "add", None, reader.app("exp", one), reader.app("exp", other)))


def _dot(reader: Reader, node: ast.Call, one: Value, other: Value) -> Value:
    if other.rank > 2:
        raise reader.error(node, "dot takes each matrix of one stack with each of the other: write @, or einsum")
    return reader.matmul(node, one, other)


def _inner(reader: Reader, node: ast.Call, one: Value, other: Value) -> Value:
    """A product along the last axes of both."""
    if other.rank > 2:
        raise reader.error(node, "inner takes each row of one array with each of the other: write it with einsum")
    return reader.matmul(node, one, reader.reordered(node, other, tuple(range(other.rank))[::-1]))


def _constant(make: Callable[[list[Term]], Value]) -> Function:
    """A constant array of given sizes."""

    def function(reader: Reader, node: ast.Call, given: list[ast.expr], options: Any) -> Value:
        reader.options(node, options)
        listed = given[0].elts if len(given) == 1 and isinstance(given[0], ast.Tuple) else given
        sizes = [reader.evaluate(one).term for one in listed]
        if not 1 <= len(sizes) <= 2 or any(one.op != "size" for one in sizes):
            raise reader.error(
                node, f"{ast.unparse(node.func)} takes one size, or two: such as N, len(y) or X.shape[0]"
            )
        return make(sizes)

    return function


def _identity(sizes: list[Term]) -> Value:
    if sizes[0] is not sizes[-1]:
        raise ShapeError("an identity matrix is square")
    return whole(eye(sizes[0]))


def _ones(sizes: list[Term]) -> Value:
    return whole(ones(sizes[0]) if len(sizes) == 1 else outer(ones(sizes[0]), ones(sizes[1])))


def _transpose(reader: Reader, node: ast.Call, given: list[ast.expr], options: Any) -> Value:
    """The axes in reverse order, or in an order that is written out."""
    known = reader.options(node, options, "axes")
    if not given:
        raise reader.error(node, "transpose takes an array, and the order of its axes")
    value = reader.indexed(given[0])
    order = known.get("axes", _numbers(reader, node, given[1:]))
    if isinstance(order, tuple) and len(order) == 1 and isinstance(order[0], tuple):
        (order,) = order
    return reader.reordered(node, value, order or tuple(range(value.rank))[::-1])


def _swapaxes(reader: Reader, node: ast.Call, given: list[ast.expr], options: Any) -> Value:
    value, (one, other) = _with_two_axes(reader, node, given, options)
    order = list(range(value.rank))
    order[one], order[other] = order[other], order[one]
    return reader.reordered(node, value, order)


def _moveaxis(reader: Reader, node: ast.Call, given: list[ast.expr], options: Any) -> Value:
    value, (one, other) = _with_two_axes(reader, node, given, options)
    order = [n for n in range(value.rank) if n != one]
    order.insert(other, one)
    return reader.reordered(node, value, order)


def _with_two_axes(
    reader: Reader, node: ast.Call, given: list[ast.expr], options: Any
) -> tuple[Value, tuple[int, int]]:
    reader.options(node, options)
    if len(given) != 3:
        raise reader.error(node, f"{ast.unparse(node.func)} takes an array and two axes")
    value = reader.indexed(given[0])
    one, other = (reader.axes(node, value, axis)[0] for axis in _numbers(reader, node, given[1:]))
    return value, (one, other)


def _numbers(reader: Reader, node: ast.Call, given: list[ast.expr]) -> tuple[Any, ...]:
    try:
        return tuple(map(ast.literal_eval, given))
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        raise reader.error(node, "an axis is a number") from None


def _length(reader: Reader, value: Value) -> Value:
    if not value.rank:
        raise ShapeError("a number has no length")
    size = value.sizes[0]
    return Value(lift(1) if size is None else size, ())


def _logsigmoid(reader: Reader, value: Value) -> Value:
    return reader.app("log", reader.app("σ", value))


def _power_of(reader: Reader, node: ast.Call, given: list[ast.expr], options: Any) -> Value:
    reader.options(node, options)
    if len(given) != 2:
        raise reader.error(node, "power takes a base and an exponent")
    return reader.power(node, reader.indexed(given[0]), given[1])


def _elementary() -> dict[str, Function]:
    """Elementwise symbols by their own names, and by the names that NumPy and others give them."""
    own = {name: _symbol(name) for name, entry in SYMBOLS.items() if entry.kind == "app" and entry.arity == 1}
    other = {"sigmoid": "σ", "expit": "σ", "absolute": "abs", "fabs": "abs", "swish": "silu"}
    other |= {"lgamma": "gammaln", "loggamma": "gammaln", "psi": "digamma"}
    found = {name: function for name, function in own.items() if name.isascii() and name not in {"expgap", "step"}}
    return found | {alias: own[name] for alias, name in other.items() if name in own}


FUNCTIONS: Final[dict[str, Function]] = {
    **_elementary(),
    "sum": _reduction(_sum),
    "mean": _reduction(_mean),
    "average": _reduction(_mean),
    "var": _reduction(_variance),
    "std": _reduction(_deviation),
    "norm": _norm,
    **dict.fromkeys(("max", "amax"), _extreme(folded("max"), "maximum")),
    **dict.fromkeys(("min", "amin"), _extreme(smallest, "minimum")),
    "prod": _reduction(folded("prod")),
    "cumsum": _cumulative,
    "softmax": _along("softmax"),
    "log_softmax": _along("log_softmax"),
    "logsumexp": _reduction(folded("logsumexp")),
    "dot": _of_two(_dot),
    "inner": _of_two(_inner),
    "eye": _constant(_identity),
    "identity": _constant(_identity),
    "ones": _constant(_ones),
    "matmul": _of_two(lambda reader, node, a, b: reader.matmul(node, a, b)),
    "outer": _of_two(_outer, indexed=False),
    "diag": _of_one(_diag),
    "trace": _of_one(_trace),
    "inv": _of_one(_inverse),
    "det": _of_one(_determinant),
    "logdet": _of_one(_log_determinant),
    "transpose": _transpose,
    "swapaxes": _swapaxes,
    "moveaxis": _moveaxis,
    "len": _of_one(_length),
    "array": _of_one(lambda reader, value: value, indexed=True),
    "asarray": _of_one(lambda reader, value: value, indexed=True),
    "square": _of_one(lambda reader, value: value.holding(value.term**2), indexed=True),
    "reciprocal": _of_one(lambda reader, value: value.holding(1 / value.term), indexed=True),
    "negative": _of_one(lambda reader, value: value.holding(-value.term), indexed=True),
    "add": _operator("add"),
    "subtract": _operator("sub"),
    "multiply": _operator("mul"),
    "divide": _operator("div"),
    "power": _power_of,
    "pow": _power_of,
    "log_sigmoid": _of_one(_logsigmoid, indexed=True),
    "logsigmoid": _of_one(_logsigmoid, indexed=True),
    "expm1": _of_one(lambda reader, value: value.holding(Term("app", (value.term,), "exp") - 1), indexed=True),
    "logaddexp": _of_two(_logaddexp),
    "maximum": _of_two(_larger),
    "minimum": _of_two(_smaller),
    "where": where,
    **dict.fromkeys(("logical_and", "logical_or", "logical_not"), logical),
    "solve": _of_two(_solution, indexed=False),
    "einsum": einsum,
}
METHODS: Final = frozenset(
    ("sum", "mean", "dot", "var", "std", "max", "min", "prod", "cumsum", "transpose", "swapaxes")
)
_POSITIONS = "positions among components have no derivative, and no formula here"
_ORDERED = "what depends on the order of the components has no formula here: max and min are supported"
_SPECTRAL = "singular values and eigenvalues are not supported: inv, det, logdet and trace are"
REFUSED: Final[dict[str, str]] = {
    **dict.fromkeys(
        ("convolve", "correlate", "conv1d"),
        "a convolution has n + m − 1 components, which is no size of its own: write einsum('ijk,j,k->i', S, x, w) with "
        "a constant array S that is 1 where i = j + k, and 0 elsewhere",
    ),
    **dict.fromkeys(("argmax", "argmin", "argsort", "nonzero", "searchsorted"), _POSITIONS),
    **dict.fromkeys(("sort", "median", "quantile", "percentile", "partition"), _ORDERED),
    **dict.fromkeys(("svd", "eig", "eigh", "eigvals", "eigvalsh", "pinv", "qr", "cholesky", "cond"), _SPECTRAL),
    "slogdet": "it has two results: write logdet, of a matrix with a positive determinant",
    "cumprod": "cumulative products are not supported: of positive factors write exp(cumsum(log(x)))",
    "cummax": "cumulative maxima are not supported",
    "gamma": "write exp(gammaln(x))",
    "polygamma": "digamma and trigamma are supported",
    "round": "rounding has derivative 0 where it has one",
}
