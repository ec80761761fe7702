"""Held terms: frozen, interned trees in the author's order, never evaluated.

A term is an operator, its arguments (terms) and plain data (a name, a number). Two terms that are written
alike are one object, so `is` compares them. Shapes are symbolic and checked when a term is made.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from functools import cache
from heapq import heappop, heappush
from math import inf, prod
from typing import Any, Final

Shape = tuple["Term", ...]
Data = str | int | Fraction | tuple[Any, ...] | None


class Complaint(Exception):  # noqa: N818 - the base of errors, never raised itself
    """An error whose message may hold the marks of terms: they are read as plain text."""

    def __init__(self, message: str) -> None:
        super().__init__(_MARK.sub(lambda mark: plain(_MADE[int(mark[1])]), message))


class ShapeError(Complaint, TypeError):
    """A term that cannot be written: shapes that do not fit, an index of the wrong range, a meaningless derivative."""


class Term:
    """A node of a held term. Make terms with the functions of this module and with operators.

    Attributes
    ----------
    op : str
        The operator, a key of `OPERATORS`.
    args : tuple of Term
        The arguments. A binder's bound symbols stand first, its scope last.
    data : str, int, Fraction, tuple or None
        What is not a term: a name, a number, an axis.
    shape : tuple of Term
        The symbolic sizes of the axes; () for a scalar.
    serial : int
        The order in which terms were first made; only good for marks inside f-strings.
    """

    __slots__ = ("_hash", "args", "data", "op", "serial", "shape")
    op: str
    args: tuple[Term, ...]
    data: Data
    shape: Shape
    serial: int
    _hash: int

    def __new__(cls, op: str, args: tuple[Term, ...] = (), data: Data = None) -> Term:  # noqa: PYI034 - interned
        """Return the one term of this operator, arguments and data, making it where it is new."""
        key = (op, args, data)
        known = _POOL.get(key)
        if known is not None:
            return known
        shape = _shape(op, args, data)
        term = object.__new__(cls)
        for name, value in (("op", op), ("args", args), ("data", data), ("shape", shape), ("serial", len(_MADE))):
            object.__setattr__(term, name, value)
        object.__setattr__(term, "_hash", hash(key))
        _MADE.append(term)  # first, so that a term which is known has its number, wherever the work is stopped
        _POOL[key] = term
        return term

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"a term is never changed: {name}")

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        return self is other

    def __copy__(self) -> Term:
        return self

    def __deepcopy__(self, memo: object) -> Term:
        return self

    def __reduce__(self) -> tuple[type[Term], tuple[str, tuple[Term, ...], Data]]:
        return Term, (self.op, self.args, self.data)

    def __bool__(self) -> bool:
        raise TypeError("a term has no truth value: write eq(a, b), le(a, b), lt(a, b) for a relation")

    def __iter__(self) -> Iterator[Term]:
        raise TypeError("a term is indexed by named indices, and is not a sequence")

    def __add__(self, other: Numeric) -> Term:
        return Term("add", (self, lift(other)))

    def __radd__(self, other: Numeric) -> Term:
        return Term("add", (lift(other), self))

    def __sub__(self, other: Numeric) -> Term:
        return Term("sub", (self, lift(other)))

    def __rsub__(self, other: Numeric) -> Term:
        return Term("sub", (lift(other), self))

    def __mul__(self, other: Numeric) -> Term:
        return Term("mul", (self, lift(other)))

    def __rmul__(self, other: Numeric) -> Term:
        return Term("mul", (lift(other), self))

    def __truediv__(self, other: Numeric) -> Term:
        return Term("div", (self, lift(other)))

    def __rtruediv__(self, other: Numeric) -> Term:
        return Term("div", (lift(other), self))

    def __pow__(self, other: Numeric) -> Term:
        return Term("pow", (self, lift(other)))

    def __neg__(self) -> Term:
        return Term("neg", (self,))

    def __matmul__(self, other: Term) -> Term:
        return Term("matmul", (self, other))

    def __getitem__(self, position: Numeric | tuple[Numeric, ...]) -> Term:
        places = position if isinstance(position, tuple) else (position,)
        return Term("at", (self, *map(lift, places)))

    @property
    def T(self) -> Term:
        """The transpose: the axes in reverse order."""
        return Term("T", (self,))

    def sum(self, axis: int) -> Term:
        """Return the sum over one axis, as an array term."""
        return Term("sumax", (self,), axis)

    def mean(self) -> Term:
        """Return the mean over the first axis."""
        return self.sum(0) / self.shape[0]

    def __repr__(self) -> str:
        return plain(self)

    def __format__(self, spec: str) -> str:
        """Leave a mark inside an f-string; `prose` finds the term again, so that text holds terms and no TeX."""
        return plain(self) if spec == "s" else f"{_OPEN}{self.serial}{_CLOSE}"


Numeric = Term | int | Fraction
_POOL: dict[tuple[str, tuple[Term, ...], Data], Term] = {}
_MADE: list[Term] = []
_OPEN, _CLOSE = "\ue000", "\ue001"
_MARK = re.compile(f"{_OPEN}(\\d+){_CLOSE}")

Prose = tuple["str | Term", ...]


def unmarked(text: str) -> str:
    """Return a text with the terms whose marks it holds as plain text."""
    return "".join(piece if isinstance(piece, str) else plain(piece) for piece in prose(text))


def prose(text: str) -> Prose:
    """Return a text as its pieces: plain strings, and the terms whose marks it holds."""
    pieces = _MARK.split(text)
    return tuple(_MADE[int(piece)] if i % 2 else piece for i, piece in enumerate(pieces) if i % 2 or piece)


# ---- shapes: one function an operator ------------------------------------------------------------------------------

NAT: Final = "ℕ"
Rule = Callable[[tuple[Term, ...], Data], Shape]


def _shape(op: str, args: tuple[Term, ...], data: Data) -> Shape:
    """Return the shape of a term, once it is sure that it can be written: certificates may hold anything."""
    if op not in OPERATORS:
        raise ShapeError(f"{op!r} is no operator")
    least, most = _COUNTS.get(op, (2, 2))
    if not least <= len(args) <= most:
        raise ShapeError(f"{op} was given {len(args)} arguments")
    if not _DATA.get(op, _is_absent)(data):
        raise ShapeError(f"{op} was given the data {data!r}")
    for position in _parts(op, len(args)):
        kind = sort(args[position])
        if kind != "formula" if op in {"iff", "and", "implies", "forall"} else kind not in {"real", "size"}:
            raise ShapeError(f"{args[position]} is no {'formula' if kind != 'formula' else 'number'}")
    return OPERATORS[op](args, data)


def _parts(op: str, count: int) -> range:
    """Return which arguments are numbers (or formulas, for connectives), and no symbols, places, axes or exponents."""
    if op in {"idx", "succ", "var", "delta", "exchange", "size", "member"}:
        return range(0)
    if op == "pass":
        return range(4, 6)
    if op in {"at", "D", "pow", "map"}:
        return range(1)
    return range(1 if op == "call" else _BOUND[op](count) if op in _BOUND else 0, count)


def _scalar(args: tuple[Term, ...], data: Data) -> Shape:
    return ()


def _needs_scalars(args: tuple[Term, ...], data: Data) -> Shape:
    for arg in args:
        if arg.shape:
            raise ShapeError(f"{arg} has shape {shape_text(arg.shape)}, where a scalar is needed: give it indices")
    return ()


def _broadcast(args: tuple[Term, ...], data: Data) -> Shape:
    for arg in args:
        if sort(arg) not in {"real", "size"}:
            raise ShapeError(f"{arg} is no number")
    longest = max((arg.shape for arg in args), key=len, default=())
    for arg in args:
        if arg.shape and longest[-len(arg.shape) :] != arg.shape:
            raise ShapeError(f"shapes {shape_text(longest)} and {shape_text(arg.shape)} do not fit together")
    return longest


def _power(args: tuple[Term, ...], data: Data) -> Shape:
    """A power whose exponent may be an index, which is a natural number as well."""
    base, exponent = args
    return base.shape if sort(exponent) == "index" and _is_natural(exponent) else _broadcast(args, data)


def _axes(args: tuple[Term, ...], data: Data) -> Shape:
    for axis in args:
        if sort(axis) != "size" and not _is_count(axis):
            raise ShapeError(f"{axis} is no size: an array's axes are sizes or spaces")
    return args


def _is_count(term: Term) -> bool:
    return term.op == "num" and number_of(term) >= 1 and number_of(term).denominator == 1


def _range(args: tuple[Term, ...], data: Data) -> Shape:
    over = args[0]
    number = over.op == "num" and number_of(over) >= 0 and number_of(over).denominator == 1
    if not number and sort(over) != "size":
        raise ShapeError(f"{over} is no range: an index ranges over a size, a natural number or a space")
    return ()


def _next(args: tuple[Term, ...], data: Data) -> Shape:
    if args[0].op == "space":
        raise ShapeError(f"{args[0]} is a space and no natural number")
    return () if _is_member(args[0]) else _range(args, data)


def _is_member(term: Term) -> bool:
    """Tell whether a term is an index of a sequence, or one after it."""
    return (term.op == "idx" and term.args[0] is NATURALS) or (term.op == "succ" and _is_member(term.args[0]))


def _let(args: tuple[Term, ...], data: Data) -> Shape:
    loose = [index for index in free(args[0]) if index.op == "idx"]
    if loose:
        raise ShapeError(f"{data} is defined with the free index {loose[0]}: write array(…, {loose[0]})")
    return args[0].shape


def _at(args: tuple[Term, ...], data: Data) -> Shape:
    array, *places = args
    if len(places) != len(array.shape):
        raise ShapeError(f"{array} has {len(array.shape)} axes and was given {len(places)} indices")
    for place, axis in zip(places, array.shape, strict=True):
        natural = axis.op == "size" and name_of(axis) == NAT and _is_natural(place)
        counted = _is_count(axis) and place.op == "num" and number_of(place) in range(int(number_of(axis)))
        if not natural and not counted and not (place.op == "idx" and place.args[0] is axis):
            raise ShapeError(
                f"index {place} (of range {shape_text(place.args[:1])}) on an axis of size {axis} of {array}"
            )
    return ()


def _variable(args: tuple[Term, ...], data: Data) -> Shape:
    """The axes of a variable; the law of a random one may have parameters behind them, the same for every outcome."""
    rank = data[4] if isinstance(data, tuple) and len(data) > 4 else len(args)
    if not isinstance(rank, int) or rank > len(args):
        raise ShapeError(f"a random variable was given {len(args)} axes and parameters, and should have {rank} axes")
    shape = _axes(args[:rank], data)
    for parameter in args[rank:]:
        if sort(parameter) not in {"real", "size"} or parameter.shape not in {(), shape} or free(parameter):
            raise ShapeError(f"{parameter} is no parameter of a law: it is a number, or one for each component")
    return shape


def _literal(args: tuple[Term, ...], data: Data) -> Shape:
    lengths = data if isinstance(data, tuple) else ()
    if prod(lengths) != len(args):
        raise ShapeError(f"{len(args)} entries are no array of shape {lengths}")
    _needs_scalars(args, data)
    return tuple(map(lift, lengths))


def _tends(args: tuple[Term, ...], data: Data) -> Shape:
    """A limit as a variable goes to infinity, or (with one argument more) to a number."""
    variable, *values, body = args
    if not _goes_to_infinity(variable) and not (len(values) > 1 and _approaches(variable, values[0])):
        raise ShapeError(f"{variable} does not go to {values[0] if len(values) > 1 else 'infinity'}")
    if len(values) > 1 and not _approaches(variable, values[0]):
        raise ShapeError(f"{variable} does not go to {values[0]}")
    for value in values:
        if occurs(variable, value):
            raise ShapeError(f"{value} moves with {variable}")
    inside = (axis for part in subterms(body) if part.op == "var" for axis in part.args)
    for axis in (*inside, *(symbol for symbol in free(body) if symbol.op == "idx")):
        if occurs(variable, axis):
            raise ShapeError(f"{axis} changes with {variable}")
    return _needs_scalars(args[1:], data)


def _goes_to_infinity(variable: Term) -> bool:
    natural = variable.op == "size" and variable is not NATURALS
    real = variable.op == "var" and not variable.args and not is_random(variable)
    return natural or (real and domain_of(variable) in {"real", "positive", "nonnegative"})


def _approaches(variable: Term, to: Term) -> bool:
    """Tell whether a real variable takes values near a number, other than it."""
    if not _goes_to_infinity(variable) or variable.op == "size":
        return False
    return domain_of(variable) == "real" or (to.op == "num" and number_of(to) >= 0)


def _finite(axis: Term) -> bool:
    """Tell whether a sum may go along an axis: of finitely many indices, since nothing is said of convergence."""
    return axis.op != "space" and axis is not NATURALS


def _matmul(args: tuple[Term, ...], data: Data) -> Shape:
    left, right = args[0].shape, args[1].shape
    if not left or not right or left[-1] is not right[0] or not _finite(left[-1]):
        raise ShapeError(f"{args[0]} @ {args[1]}: shapes {shape_text(left)} and {shape_text(right)} do not fit")
    return left[:-1] + right[1:]


def _sumax(args: tuple[Term, ...], data: Data) -> Shape:
    shape = args[0].shape
    if not isinstance(data, int) or not 0 <= data < len(shape) or not _finite(shape[data]):
        raise ShapeError(f"axis {data} of {args[0]}, whose shape is {shape_text(shape)}")
    return shape[:data] + shape[data + 1 :]


def _rows(args: tuple[Term, ...], data: Data) -> Shape:
    if not args[0].shape or not _finite(args[0].shape[-1]):
        raise ShapeError(f"{data} acts on the last axis of an array, of finite size: not on {args[0]}")
    return args[0].shape


def _is_natural(term: Term) -> bool:
    """Tell whether a term is a natural number: a literal one, a size, an index of a finite range, or the next one."""
    if term.op == "num":
        return number_of(term) >= 0 and number_of(term).denominator == 1
    if sort(term) == "index":
        return term.op == "succ" or term.args[0].op != "space"
    return sort(term) == "size" and term.op != "space" and term is not NATURALS


def _map(args: tuple[Term, ...], data: Data) -> Shape:
    count, order = (int(data[1]), int(data[2])) if isinstance(data, tuple) else (0, 0)
    if len(args) < 1 + count or not all(map(_is_natural, args[1 : 1 + count])):
        raise ShapeError(f"{args[0]} is mapped with {count} parameters, which are natural numbers")
    return _axes(args[1 + count :], data) + args[0].shape * order


def _size(args: tuple[Term, ...], data: Data) -> Shape:
    natural = all(_is_natural(arg) and sort(arg) != "index" for arg in args)
    if args and (not natural or not isinstance(data, tuple) or data[1] < 1):
        raise ShapeError(f"a family of sizes of at least 1 is indexed by natural numbers, and not by {args[0]}")
    return ()


def _member(args: tuple[Term, ...], data: Data) -> Shape:
    if not _is_natural(args[0]):
        raise ShapeError(f"a family of arrays is indexed by natural numbers, and not by {args[0]}")
    return _axes(args[1:], data)


def _pass(args: tuple[Term, ...], data: Data) -> Shape:
    """A pass has slots of its own for the layer and the state, named by how deep passes nest in its layer."""
    first, last, layer, state, start, body = args
    depth = f"#{passes(body) + 1}"
    if (layer.op, layer.args, layer.data, state.op, state.data) != ("size", (), (depth, 0), "var", (depth, "real")):
        raise ShapeError("make a pass with the function `passing`")
    if not _is_natural(first) or not _is_natural(last):
        raise ShapeError(f"a pass goes from layer {first} to {last}, which are no natural numbers")
    for array_, at_ in ((start, first), (body, succ(layer))):
        if array_.shape != tuple(substitute(axis, {layer: at_}) for axis in state.shape):
            raise ShapeError(f"{array_} has shape {shape_text(array_.shape)}, which the state at {at_} has not")
    if free(body):
        raise ShapeError(f"a layer of a pass has no free index: {body}")
    for part in subterms(body):
        named = part.op == "let" or (part.op == "D" and place(part.args[1])[0].op != "let")
        if named and not slots(part).isdisjoint((layer, state)):
            raise ShapeError(f"inside a pass {part} would be another quantity at every layer")
    return tuple(substitute(axis, {layer: last}) for axis in state.shape)


def _diag(args: tuple[Term, ...], data: Data) -> Shape:
    if len(args[0].shape) != 1:
        raise ShapeError(f"diag of {args[0]}, which is no vector")
    return args[0].shape * 2


def _square(args: tuple[Term, ...], data: Data) -> Shape:
    shape = args[0].shape
    if len(shape) != 2 or shape[0] is not shape[1] or not _finite(shape[0]):
        raise ShapeError(f"{args[0]} is no square matrix: its shape is {shape_text(shape)}")
    return shape


def _of_square(args: tuple[Term, ...], data: Data) -> Shape:
    return _square(args, data)[2:]


def _eye(args: tuple[Term, ...], data: Data) -> Shape:
    if sort(args[0]) != "size" or not _finite(args[0]):
        raise ShapeError(f"{args[0]} is no size of a square matrix")
    return args * 2


def _delta(args: tuple[Term, ...], data: Data) -> Shape:
    i, j = args
    if i.op != "idx" or j.op != "idx" or i.args[0] is not j.args[0]:
        raise ShapeError(f"[{i} = {j}] compares indices of different ranges")
    return ()


def _derivative(args: tuple[Term, ...], data: Data) -> Shape:
    base, _ = place(args[1])
    if base.op not in {"var", "let"}:
        raise ShapeError(f"a derivative is by a variable or a named quantity, and {base} is neither")
    if cuts(args[0], base):
        raise ShapeError(
            f"a derivative by {base} of a derivative by something that {base} is made of: that is no function of {base}"
        )
    return args[0].shape + args[1].shape


def _over_index(args: tuple[Term, ...], data: Data) -> Shape:
    if args[0].op != "idx" and not is_random(args[0]):
        raise ShapeError(f"{args[0]} is no index and no random variable, and cannot be bound")
    return _needs_scalars(args[1:], data)


def _over_points(args: tuple[Term, ...], data: Data) -> Shape:
    """What an integral ranges over: points, or finitely many indices."""
    if args[0].op != "idx" or args[0].args[0] is NATURALS:
        raise ShapeError(f"{args[0]} is no point and no index of a finite range")
    return _needs_scalars(args[1:], data)


def _over_finite(args: tuple[Term, ...], data: Data) -> Shape:
    """What Σ and Π range over: finitely many indices."""
    if args[0].op != "idx" or not _finite(args[0].args[0]):
        raise ShapeError(f"{args[0]} is no index of a finite range: an integral goes over the points of a space")
    return _needs_scalars(args[1:], data)


def _exchange(args: tuple[Term, ...], data: Data) -> Shape:
    if args[0].op != "D":
        raise ShapeError(f"{args[0]} is no derivative that could be taken inside")
    return ()


def _array(args: tuple[Term, ...], data: Data) -> Shape:
    _needs_scalars(args[-1:], data)
    if any(i.op != "idx" for i in args[:-1]) or len(set(args[:-1])) < len(args) - 1:
        raise ShapeError("array(body, i, j, …) takes different indices")
    return tuple(i.args[0] for i in args[:-1])


def _mean(args: tuple[Term, ...], data: Data) -> Shape:
    if any(not is_random(symbol) for symbol in args[:-1]):
        raise ShapeError("𝔼 binds random variables: declare them with random(…)")
    if len(set(args[:-1])) < len(args) - 1:
        raise ShapeError("𝔼 binds different random variables")
    return _needs_scalars(args[-1:], data)


def _spread(count: int) -> Rule:
    """The shape rule of Var and Cov, which bind random variables in the last `count` arguments."""

    def shape(args: tuple[Term, ...], data: Data) -> Shape:
        _mean((*args[:-count], args[-1]), data)
        return _needs_scalars(args[-count:], data)

    return shape


def _integrable(args: tuple[Term, ...], data: Data) -> Shape:
    return _over_index(args, data) if args[0].op == "idx" and len(args) == 2 else _mean(args, data)


def _relation(args: tuple[Term, ...], data: Data) -> Shape:
    if args[0].shape != args[1].shape:
        raise ShapeError(
            f"{args[0]} has shape {shape_text(args[0].shape)} and {args[1]} has shape {shape_text(args[1].shape)}"
        )
    return ()


OPERATORS: Final[dict[str, Rule]] = {
    # leaves
    "num": _scalar,  # data: Fraction
    "size": _size,  # args: none, or the natural number that picks it out of a family; data: (name, least value)
    "succ": _next,  # the next natural number
    "space": _scalar,  # data: name; the points of a measure space, used as an axis
    "idx": _range,  # args: range (a size, a natural number or a space)
    "var": _variable,  # args: axes; data: (name, domain), of a random one (name, "real", law[, block, rank])
    "let": _let,  # args: definition; data: name
    "fun": _scalar,  # data: (name, order of derivative): an unknown function of one real variable
    # numbers, elementwise with NumPy's broadcasting
    "add": _broadcast,
    "sub": _broadcast,
    "mul": _broadcast,
    "div": _broadcast,
    "pow": _power,
    "neg": _broadcast,
    "app": _broadcast,  # data: a symbol of the notation
    "call": lambda args, data: args[1].shape,  # args: fun, argument
    "map": _map,  # args: argument, parameters, axes; data: (name, number of parameters, 0 or, for its derivative, 1)
    "member": _member,  # args: a natural number, axes; data: name; an array of a family
    "pass": _pass,  # args: first and last layer, slots for layer and state, start, next state; data: name
    # arrays
    "at": _at,
    "matmul": _matmul,
    "T": lambda args, data: args[0].shape[::-1],
    "outer": lambda args, data: args[0].shape + args[1].shape,
    "sumax": _sumax,  # data: axis
    "diag": _diag,
    "eye": _eye,  # args: a size; the identity matrix
    "tri": _eye,  # args: a size; 1 on the diagonal and below it, 0 above: [j ≤ i]
    "inv": _square,  # the inverse matrix
    "det": _of_square,
    "trace": _of_square,
    "rows": _rows,  # data: a symbol of the notation that maps the last axis to itself
    "reduce": lambda args, data: _rows(args, data)[:-1],  # data: a symbol that takes the last axis away
    "delta": _delta,
    "literal": _literal,  # args: entries, the last axis fastest; data: lengths of the axes
    "D": _derivative,
    # binders: the bound symbols first
    "array": _array,
    "sum": _over_finite,
    "prod": _over_finite,
    "integral": _over_points,
    "expect": _over_points,  # args: point, density at the point, body: ∫ density · body
    "mean": _mean,  # args: random variables, body: 𝔼
    "Var": _spread(1),  # args: random variables, body
    "Cov": _spread(2),  # args: random variables, two bodies
    "forall": _over_index,
    "integrable": _integrable,  # args: an index or a point, or random variables; body
    # formulas
    "eq": _relation,
    "ne": _relation,
    "le": _relation,
    "lt": _relation,
    "iff": _scalar,
    "and": _scalar,
    "implies": _scalar,
    "invertible": _of_square,
    "posdef": _of_square,  # positive definite: 0 < vᵀ A v for every v that is not 0
    "tends": _tends,  # args: variable, [the number that it goes to,] limit, body
    "exchange": _exchange,  # args: D(𝔼 f, x): the derivative may be taken inside
    "true": _scalar,
}

_CONDITIONS: Final = ("integrable", "exchange", "invertible", "posdef")
FORMULAS: Final = frozenset(("eq", "ne", "le", "lt", "iff", "and", "implies", "forall", "tends", "true", *_CONDITIONS))
LEAVES: Final = frozenset(["num", "size", "space", "idx", "var", "fun", "true"])
_BOUND: Final[dict[str, Callable[[int], int]]] = {
    "array": lambda n: n - 1,
    **dict.fromkeys(("mean", "Var", "integrable"), lambda n: n - 1),
    "Cov": lambda n: n - 2,
    **dict.fromkeys(("sum", "prod", "integral", "expect", "forall", "tends"), lambda n: 1),
}
BINDERS: Final = frozenset(_BOUND)
RANDOM_BINDERS: Final = frozenset(("mean", "Var", "Cov"))

# How many arguments an operator takes, where not two, and which data, where not none.
_MANY: Final = 1 << 30
_COUNTS: Final[dict[str, tuple[int, int]]] = {
    **dict.fromkeys(("num", "space", "fun", "true"), (0, 0)),
    "size": (0, 1),
    "member": (1, _MANY),
    "pass": (6, 6),
    **dict.fromkeys(("idx", "let", "succ", "neg", "T", "sumax", "diag", "rows", "exchange"), (1, 1)),
    **dict.fromkeys(("eye", "tri", "inv", "det", "trace", "invertible", "posdef"), (1, 1)),
    "reduce": (1, _MANY),  # what kernels fuse takes more than one
    **dict.fromkeys(("var", "app"), (0, _MANY)),
    "literal": (1, _MANY),
    "tends": (3, 4),
    "map": (1, _MANY),
    **dict.fromkeys(("at", "array", "mean", "Var", "integrable"), (2, _MANY)),
    "Cov": (3, _MANY),
    "expect": (3, 3),
}


def _is_absent(data: object) -> bool:
    return data is None


def _is_name(data: object) -> bool:
    return isinstance(data, str)


def _is_counted(data: object) -> bool:
    return isinstance(data, tuple) and list(map(type, data)) == [str, int] and data[1] >= 0


def _is_variable(data: object) -> bool:
    """A name and a domain; of a random variable, which is real, the law, the block and the number of axes."""
    if not isinstance(data, tuple) or not all(map(_is_name, data[:4])):
        return False
    if len(data) == 5 and not (type(data[4]) is int and data[4] >= 0):
        return False
    return len(data) == 2 or (len(data) in {3, 5} and data[1] == "real")


def _is_lengths(data: object) -> bool:
    return isinstance(data, tuple) and 1 <= len(data) <= 2 and all(type(n) is int and n >= 1 for n in data)


_DATA: Final[dict[str, Callable[[object], bool]]] = {
    "literal": _is_lengths,
    **dict.fromkeys(("space", "idx", "let", "app", "rows", "reduce"), _is_name),
    **dict.fromkeys(("size", "fun"), _is_counted),
    **dict.fromkeys(("member", "pass"), _is_name),
    "map": lambda data: isinstance(data, tuple) and _is_counted(data[:2]) and data[2:] in {(0,), (1,)},
    "var": _is_variable,
    "num": lambda data: isinstance(data, Fraction),
    "sumax": lambda data: type(data) is int,
}


def bound(term: Term) -> tuple[Term, ...]:
    """Return the symbols that a binder binds; () for every other term."""
    count = _BOUND.get(term.op)
    return term.args[: count(len(term.args))] if count else ()


def sort(term: Term) -> str:
    """Return what a term denotes: "formula", "index", "size", "function" or "real"."""
    if term.op in FORMULAS:
        return "formula"
    if term.op == "succ" and term.args[0].op in {"idx", "succ"}:
        return sort(term.args[0])
    return {"idx": "index", "size": "size", "succ": "size", "space": "size", "fun": "function"}.get(term.op, "real")


def name_of(term: Term) -> str:
    """Return the name of a leaf or of a named quantity."""
    return str(term.data[0] if isinstance(term.data, tuple) else term.data)


def number_of(term: Term) -> Fraction:
    """Return the value of a number. Raises TypeError for every other term."""
    if term.op != "num" or not isinstance(term.data, Fraction):
        raise TypeError(f"{term!r} is no number")
    return term.data


def is_number(term: Term, value: int) -> bool:
    """Tell whether a term is a certain number."""
    return term.op == "num" and term.data == value


def least_of(size_: Term) -> int:
    """Return the least value that a natural number can have: 1 for a size, 1 for a successor, 0 for the rest."""
    if size_.op == "succ":
        return 1
    return int(size_.data[1]) if isinstance(size_.data, tuple) else 0


def order_of(function_: Term) -> int:
    """Return how often an unknown function has been differentiated."""
    return int(function_.data[1]) if isinstance(function_.data, tuple) else 0


def law_of(variable: Term) -> str:
    """Return the law of a random variable."""
    return str(variable.data[2]) if is_random(variable) and isinstance(variable.data, tuple) else ""


def block_of(variable: Term) -> str:
    """Return the block of a random variable: those of different blocks are independent, as blocks."""
    data = variable.data if is_random(variable) and isinstance(variable.data, tuple) else ()
    return str(data[3]) if len(data) == 5 and data[3] else name_of(variable)


def parameters_of(variable: Term) -> tuple[Term, ...]:
    """Return the parameters of the law of a random variable."""
    return variable.args[len(variable.shape) :] if is_random(variable) else ()


def domain_of(term: Term) -> str:
    """Return the declared domain of a variable, and "real" for everything else."""
    return str(term.data[1]) if term.op == "var" and isinstance(term.data, tuple) else "real"


def is_random(term: Term) -> bool:
    """Tell whether a variable was declared as random."""
    return term.op == "var" and isinstance(term.data, tuple) and len(term.data) > 2


# ---- making terms --------------------------------------------------------------------------------------------------


def lift(value: Numeric) -> Term:
    """Return a number as a term; a term as it is."""
    if isinstance(value, Term):
        return value
    if isinstance(value, bool) or not isinstance(value, (int, Fraction)):
        raise TypeError(f"{value!r} is no exact number: use an int or a Fraction")
    return Term("num", (), Fraction(value))


def size(name: str) -> Term:
    """Return a symbolic size, a natural number of at least 1."""
    return Term("size", (), (name, 1))


def sizes(names: str) -> tuple[Term, ...]:
    """Return several sizes, from names that blanks part."""
    return tuple(map(size, names.split()))


def natural(name: str) -> Term:
    """Return a natural number of at least 0, for families and induction."""
    return Term("size", (), (name, 0))


def succ(number: Term) -> Term:
    """Return the next natural number."""
    return Term("succ", (number,))


def space(name: str) -> Term:
    """Return a measure space, never null, with points as indices; its integral is any positive linear functional."""
    return Term("space", (), name)


def indices(names: str, over: Term) -> tuple[Term, ...]:
    """Return indices (or points) of one range."""
    return tuple(Term("idx", (over,), name) for name in names.split())


def index(name: str, over: Term) -> Term:
    """Return one index, or one point of a space."""
    return Term("idx", (over,), name)


def var(name: str, *axes: Term, dom: str = "real") -> Term:
    """Return a variable. Its domain gives both its facts and its samples (see `notation.DOMAINS`)."""
    return Term("var", axes, (name, dom))


def random(name: str, *axes: Term, law: str, parameters: Sequence[Numeric] = (), block: str = "") -> Term:
    """Return a random variable of a law in `notation.LAWS`, which says whether its components are independent.

    Parameters
    ----------
    law : str
        A key of `notation.LAWS`.
    parameters : sequence of Numeric
        The law's parameters: each a number, or an array of the variable's shape with one for each component.
    block : str
        Random variables that name one block depend on each other in any way; otherwise each is a block of its own.
        Different blocks are independent.
    """
    if not parameters and not block:
        return Term("var", axes, (name, "real", law))
    return Term("var", (*axes, *map(lift, parameters)), (name, "real", law, block, len(axes)))


def let(name: str, definition: Term) -> Term:
    """Return a named intermediate: a quantity that stands for its definition."""
    return Term("let", (definition,), name)


def function(name: str) -> Callable[[Numeric], Term]:
    """Return an unknown differentiable function φ of one real variable, to be applied to terms."""
    symbol = Term("fun", (), (name, 0))
    return lambda argument: Term("call", (symbol, lift(argument)))


def derivative_of(name: str) -> Callable[[Numeric], Term]:
    """Return the derivative φ′ of an unknown function, to be applied to terms."""
    symbol = Term("fun", (), (name, 1))
    return lambda argument: Term("call", (symbol, lift(argument)))


def mapping(name: str, *axes: Term) -> Callable[..., Term]:
    """Return an unknown map of arrays, F: to be applied to an array, and to a natural number for a family.

    F(x) has the given axes, F(x, l) is the map of layer l. Every such map is smooth everywhere.
    """
    return lambda u, *layer: Term("map", (u, *map(lift, layer), *axes), (name, len(layer), 0))


def slope_of(name: str, *axes: Term) -> Callable[..., Term]:
    """Return the derivative of an unknown map: its axes are those of F and those of what it is applied to."""
    return lambda u, *layer: Term("map", (u, *map(lift, layer), *axes), (name, len(layer), 1))


def widths(name: str) -> Callable[[Numeric], Term]:
    """Return a family of sizes, such as the widths of the layers: n(l) is at least 1."""
    return lambda layer: Term("size", (lift(layer),), (name, 1))


def family(name: str, *axes: Callable[[Term], Term]) -> Callable[[Numeric], Term]:
    """Return a family of arrays, such as the weights of the layers; each axis is a function of the layer."""
    return lambda layer: Term("member", (lift(layer), *(axis(lift(layer)) for axis in axes)), name)


def passing(
    name: str, axes: Callable[[Term], Shape], step: Callable[[Term, Term], Term]
) -> Callable[[Numeric, Numeric, Term], Term]:
    """Return the passes through a family of layers: from one layer to another, starting at a state.

    Parameters
    ----------
    axes : callable
        The layer -> the axes of the state there.
    step : callable
        The layer l and the state at l -> the state at l + 1, which must be defined and smooth for every state.

    Returns
    -------
    callable
        First layer, last layer and the state at the first -> the state at the last.
    """
    layer = Term("size", (), ("#", 0))
    state = Term("var", axes(layer), ("#", "real"))
    body = step(layer, state)
    return lambda first, last, start: _passed(lift(first), lift(last), layer, state, start, body, name)


def _passed(first: Term, last: Term, layer: Term, state: Term, start: Term, body: Term, name: str) -> Term:
    """Make a pass, its slots named by how deep passes nest in its layer."""
    depth = f"#{passes(body) + 1}"
    if name_of(layer) != depth:
        fresh = Term("size", (), (depth, 0))
        moved = Term("var", tuple(substitute(axis, {layer: fresh}) for axis in state.args), (depth, "real"))
        body, layer, state = substitute(body, {layer: fresh, state: moved}), fresh, moved
    return Term("pass", (first, last, layer, state, start, body), name)


@cache
def passes(term: Term) -> int:
    """Return how deep passes nest in a term."""
    if term.op == "pass":
        return int(name_of(term.args[2])[1:])
    return max(map(passes, term.args), default=0)


@cache
def slots(term: Term) -> frozenset[Term]:
    """Return the slots of passes that are loose in a term: the layer and the state of a pass that is not in it."""
    if term.op in {"size", "var"} and name_of(term).startswith("#"):
        return frozenset([term]).union(*map(slots, term.args))
    found = frozenset[Term]().union(*map(slots, term.args))
    return found - frozenset(term.args[2:4]) if term.op == "pass" else found


def D(body: Numeric, by: Term) -> Term:
    """Return the derivative of `body` by a variable, a named quantity or one of their components."""
    return Term("D", (lift(body), by))


def _binder(op: str) -> Callable[..., Term]:
    def make(body: Numeric, *over: Term) -> Term:
        term = lift(body)
        for symbol in reversed(over):
            term = Term(op, (symbol, term))
        return term

    return make


Σ = _binder("sum")
Π = _binder("prod")
integral = _binder("integral")
forall = _binder("forall")


def expect(density: Term, body: Numeric, point: Term) -> Term:
    """Return 𝔼 of `body` under a density: the integral of density · body over the point."""
    return Term("expect", (point, density[point], lift(body)))


def E(body: Numeric, *symbols: Term) -> Term:
    """Return 𝔼 of `body` over random variables."""
    return Term("mean", (*symbols, lift(body)))


def Var(body: Numeric, *symbols: Term) -> Term:
    """Return the variance of `body` over random variables."""
    return Term("Var", (*symbols, lift(body)))


def Cov(left: Numeric, right: Numeric, *symbols: Term) -> Term:
    """Return the covariance of two quantities over random variables."""
    return Term("Cov", (*symbols, lift(left), lift(right)))


def meant(term: Term) -> Term:
    """Return what a variance or a covariance stands for: Var(u) = 𝔼(u − 𝔼u)², Cov(u, v) = 𝔼(u − 𝔼u)(v − 𝔼v)."""
    symbols = bound(term)
    centred = [body - E(body, *symbols) for body in term.args[len(symbols) :]]
    return E(centred[0] ** 2 if term.op == "Var" else centred[0] * centred[1], *symbols)


def array(body: Numeric, *over: Term) -> Term:
    """Return the array whose component at the indices is `body`."""
    return Term("array", (*over, lift(body)))


def vector(entries: Iterable[Numeric]) -> Term:
    """Return the array of one axis with the given entries."""
    held = tuple(map(lift, entries))
    return Term("literal", held, (len(held),))


def matrix(rows: Iterable[Iterable[Numeric]]) -> Term:
    """Return the matrix with the given rows of entries."""
    held = [tuple(map(lift, row)) for row in rows]
    if not held or len({len(row) for row in held}) > 1:
        raise ShapeError("the rows of a matrix have one length")
    return Term("literal", tuple(entry for row in held for entry in row), (len(held), len(held[0])))


def tends(body: Numeric, variable: Term, to: Numeric | float, value: Numeric) -> Term:
    """Return the formula body → value as variable → to, a number or `math.inf`.

    It says that the body is defined near there and comes as close to the value as one likes. The variable is a natural
    number, or a real one that stays in its domain, and is bound.
    """
    place = () if isinstance(to, float) and to == inf else (lift(to),)  # type: ignore[arg-type]
    return Term("tends", (variable, *place, lift(value), lift(body)))


def outer(left: Term, right: Term) -> Term:
    """Return the outer product."""
    return Term("outer", (left, right))


def ones(size_: Term) -> Term:
    """Return the vector of ones of a size, printed 𝟏: `outer(v, ones(d))` is v in each of d columns."""
    return Term("array", (index("i", size_), ONE))


def is_ones(term: Term) -> bool:
    """Tell whether a term is a vector of ones."""
    return term.op == "array" and len(term.args) == 2 and term.args[1] is ONE


def diag(vector: Term) -> Term:
    """Return the diagonal matrix of a vector."""
    return Term("diag", (vector,))


def eye(size_: Term) -> Term:
    """Return the identity matrix of a size."""
    return Term("eye", (size_,))


def tri(size_: Term) -> Term:
    """Return the matrix with 1 at [i, j] where j ≤ i and 0 elsewhere: tri(n) @ x are the cumulative sums of x."""
    return Term("tri", (size_,))


def inv(matrix: Term) -> Term:
    """Return the inverse of a square matrix: A @ inv(A) and inv(A) @ A are the identity where A is invertible."""
    return Term("inv", (matrix,))


def det(matrix: Term) -> Term:
    """Return the determinant of a square matrix."""
    return Term("det", (matrix,))


def trace(matrix: Term) -> Term:
    """Return the trace of a square matrix, the sum of its diagonal."""
    return Term("trace", (matrix,))


def invertible(matrix: Term) -> Term:
    """Return the formula that a square matrix is invertible."""
    return Term("invertible", (matrix,))


def posdef(matrix: Term) -> Term:
    """Return the formula that a square matrix is positive definite: 0 < vᵀ A v for every v that is not 0."""
    return Term("posdef", (matrix,))


def δ(i: Term, j: Term) -> Term:
    """Return Kronecker's delta, printed as the bracket [i = j]."""
    return Term("delta", (i, j))


def eq(left: Numeric, right: Numeric) -> Term:
    """Return the formula left = right."""
    return Term("eq", (lift(left), lift(right)))


def ne(left: Numeric, right: Numeric) -> Term:
    """Return the formula left ≠ right."""
    return Term("ne", (lift(left), lift(right)))


def le(left: Numeric, right: Numeric) -> Term:
    """Return the formula left ≤ right."""
    return Term("le", (lift(left), lift(right)))


def lt(left: Numeric, right: Numeric) -> Term:
    """Return the formula left < right."""
    return Term("lt", (lift(left), lift(right)))


def iff(left: Term, right: Term) -> Term:
    """Return the formula left ⟺ right."""
    return Term("iff", (left, right))


def implies(premise: Term, conclusion: Term) -> Term:
    """Return the formula premise ⇒ conclusion."""
    return Term("implies", (premise, conclusion))


def both(left: Term, right: Term) -> Term:
    """Return the formula left ∧ right."""
    return Term("and", (left, right))


def at(array_: Term, places: Iterable[Term]) -> Term:
    """Return a component; the term itself where there are no places."""
    where = tuple(places)
    return Term("at", (array_, *where)) if where else array_


def place(term: Term) -> tuple[Term, tuple[Term, ...]]:
    """Return a component's array and position; the term itself and () where it is no component."""
    return (term.args[0], term.args[1:]) if term.op == "at" else (term, ())


ZERO: Final = lift(0)
ONE: Final = lift(1)
TRUE: Final = Term("true")
NATURALS: Final = Term("size", (), (NAT, 0))


# ---- what occurs where ---------------------------------------------------------------------------------------------


@cache
def free(term: Term) -> frozenset[Term]:
    """Return the indices and random variables that are free in a term, through definitions."""
    if term.op == "idx" or is_random(term):
        return frozenset([term])
    inner = frozenset[Term]().union(*(free(arg) for arg in term.args if sort(arg) != "size"))
    return inner - frozenset(bound(term))


@cache
def occurs(part: Term, term: Term) -> bool:
    """Tell whether `part` is a part of `term`, seen through definitions. A part is older than the whole."""
    return part is term or (part.serial < term.serial and any(occurs(part, arg) for arg in term.args))


class _Users:
    """Which parts of a whole stand directly around a part, found from the whole down to where it was asked for."""

    def __init__(self, whole: Term) -> None:
        self.known: dict[Term, dict[Term, None]] = {}
        self.waiting, self.met = [(-whole.serial, whole)], {whole}

    def of(self, part: Term) -> list[Term]:
        while self.waiting and -self.waiting[0][0] > part.serial:  # those around a part are younger than it
            _, user = self.waiting[0]
            for arg in user.args:
                self.known.setdefault(arg, {})[user] = None
                if arg not in self.met:
                    heappush(self.waiting, (-arg.serial, arg))
                    self.met.add(arg)
            heappop(self.waiting)  # last, so that nothing is lost, wherever the work is stopped
        return list(self.known.get(part, ()))


_users = cache(_Users)


def users(part: Term, whole: Term) -> list[Term]:
    """Return the parts of a whole (perhaps itself) of which a part is an argument, seen through definitions."""
    return _users(whole).of(part)


_PLAIN: Final = frozenset((
    "num", "size", "succ", "idx", "var", "let", "add", "sub", "mul", "div", "pow", "neg", "app", "at", "matmul", "T",
    "outer", "sumax", "diag", "eye", "tri", "inv", "det", "trace", "rows", "reduce", "delta", "literal", "array", "sum",
    "prod",
))  # fmt: skip


@cache
def plainly_made(term: Term) -> bool:
    """Tell whether a term, seen through definitions, is made without derivatives, averages, limits, maps and passes."""
    return term.op in _PLAIN and all(map(plainly_made, term.args))


@cache
def gate(whole: Term, part: Term) -> Term | None:
    """Return the first named quantity through which every path from a part to the whole goes, None if there is none."""
    paths, around, met = list[tuple[int, Term]](), part, set[Term]()
    while around is not whole:
        for user in users(around, whole):
            if user not in met:
                met.add(user)
                heappush(paths, (user.serial, user))
        if not paths:
            return None
        _, around = heappop(paths)  # the oldest: none of the others stands below it
        if around.op == "let" and not paths and around is not whole:
            return around
    return None


@cache
def cuts(term: Term, quantity: Term) -> bool:
    """Tell whether a derivative by something upstream of `quantity` is taken in `term`, through `quantity`.

    Such a term is no function of the quantity, and a derivative of it by the quantity has no meaning.
    """
    if quantity.op != "let" or not _may_cut(term) or not occurs(quantity, term):
        return False
    if term.op in RANDOM_BINDERS and not free(quantity).isdisjoint(bound(term)):
        return True  # inside, the quantity is another one for every outcome
    if term.op == "D":
        upstream, _ = place(term.args[1])
        if upstream is not quantity and occurs(upstream, quantity) and occurs(quantity, term.args[0]):
            return True
    return any(cuts(arg, quantity) for arg in term.args)


@cache
def _may_cut(term: Term) -> bool:
    return term.op == "D" or term.op in RANDOM_BINDERS or any(map(_may_cut, term.args))


@cache
def names(term: Term) -> frozenset[str]:
    """Return every name in a term, through definitions."""
    named = {"size", "space", "idx", "var", "let", "fun", "map", "member", "pass"}
    own = frozenset([name_of(term)]) if term.op in named else frozenset[str]()
    return own.union(*(names(arg) for arg in term.args))


def subterms(term: Term, seen: set[Term] | None = None) -> Iterator[Term]:
    """Yield every different subterm once, definitions included, parts before wholes; none that was `seen` before."""
    seen = set() if seen is None else seen
    stack = [(term, False)]
    while stack:
        node, done = stack.pop()
        if done:
            yield node
        elif node not in seen:
            seen.add(node)
            stack.append((node, True))
            stack.extend((arg, False) for arg in reversed(node.args) if arg not in seen)


def variant(symbol: Term, taken: Iterable[str]) -> Term:
    """Return a symbol of the same kind whose name is not taken: primes are added."""
    name, used = name_of(symbol), frozenset(taken)
    while name in used:
        name += "′"
    data = (name, *symbol.data[1:]) if isinstance(symbol.data, tuple) else name
    return Term(symbol.op, symbol.args, data)


def substitute(term: Term, mapping: Mapping[Term, Term]) -> Term:
    """Replace leaves and named quantities, all at once, without capture, through definitions and in shapes too."""
    changes = {old: new for old, new in mapping.items() if old is not new}
    if not changes:
        return term
    only_indices = all(old.op == "idx" and new.op == "idx" and old.args == new.args for old, new in changes.items())
    return _Substitution(changes, only_indices).apply(term)


def _brought(old: Term, new: Term) -> frozenset[Term]:
    """What is free in a replacement. A named quantity stands for its definition: what was bound there stays bound."""
    return free(new) - free(old) if old.op == "let" else free(new)


class _Substitution:
    """One simultaneous substitution, with the memory that makes it linear in the size of the graph."""

    def __init__(self, changes: dict[Term, Term], only_indices: bool) -> None:
        self.changes, self.only_indices, self.memory = changes, only_indices, dict[Term, Term]()
        self.oldest = min((old.serial for old in changes), default=inf)  # inf: all that was to change is bound

    def apply(self, term: Term) -> Term:
        if term.serial < self.oldest:  # a part is older than the whole: none of what is replaced is in it
            return term
        for table in (self.changes, self.memory):
            if term in table:
                return table[term]
        if self.only_indices and free(term).isdisjoint(self.changes):
            return term
        rebuild = self._under_binder if bound(term) else self._in_pass if term.op == "pass" else self._rebuild
        result = self.memory[term] = rebuild(term)
        return result

    def _in_pass(self, term: Term) -> Term:
        """The slots of a pass are its own: nothing that is put into its layer may have one of that name."""
        first, last, layer, state, start, body = term.args
        inner = {old: new for old, new in self.changes.items() if old not in {layer, state} and occurs(old, body)}
        for new in inner.values():
            if name_of(layer) in map(name_of, slots(new)):
                raise ShapeError(f"{new} is of another pass, and cannot stand in {term}")
        new_state = Term("var", tuple(substitute(axis, inner) for axis in state.args), state.data)
        new_body = substitute(body, inner)
        ends = self.apply(first), self.apply(last)
        return _passed(ends[0], ends[1], layer, new_state, self.apply(start), new_body, str(term.data))

    def _rebuild(self, term: Term) -> Term:
        args = tuple(self.apply(arg) for arg in term.args)
        if args == term.args:
            return term
        if term.op == "D" and not self.only_indices:
            self._check_capture(term)
        return Term(term.op, args, term.data)

    def _check_capture(self, term: Term) -> None:
        """D binds the whole array that it is taken by: nothing else in its body may come to depend on it."""
        base, _ = place(term.args[1])
        beside = {old: new for old, new in self.changes.items() if old.op != "let" or not occurs(base, old)}
        _check_apart(term, self.apply(base), lambda fresh: substitute(term.args[0], beside | {base: fresh}))

    def _under_binder(self, term: Term) -> Term:
        """Bound symbols are left alone, and renamed where something that is put in would be caught by them."""
        symbols = bound(term)
        inner = {old: new for old, new in self.changes.items() if old not in symbols}
        ranged = {symbol: self._range(symbol) for symbol in symbols}
        incoming = {self._range(symbol) for symbol in free(term) if symbol not in inner}
        incoming = incoming.union(*(_brought(old, new) for old, new in inner.items() if occurs(old, term)))
        caught = {name_of(symbol) for symbol in (*incoming, *self._met(term, inner))}
        if not caught.isdisjoint(map(name_of, symbols)):
            taken = set(names(term)).union(*(names(new) for new in inner.values()))
            for symbol in symbols:
                if name_of(symbol) in caught:
                    ranged[symbol] = variant(ranged[symbol], taken)
                    taken.add(name_of(ranged[symbol]))
        changes = inner | {s: r for s, r in ranged.items() if s is not r}
        body = _Substitution(changes, False) if changes != self.changes else self
        args = tuple(ranged[arg] if arg in ranged else body.apply(arg) for arg in term.args)
        return Term(term.op, args, term.data)

    def _met(self, term: Term, inner: Mapping[Term, Term]) -> list[Term]:
        """The variable of a limit, where something that is put in depends on one of the same name."""
        if term.op != "tends":
            return []
        brought = ((v, old, new) for v in bound(term) for old, new in inner.items() if occurs(old, term))
        return [v for v, old, new in brought if name_of(v) in names(new) and not (old.op == "let" and occurs(v, old))]

    def _range(self, symbol: Term) -> Term:
        return self._rebuild(symbol) if not self.only_indices else symbol


def _check_apart(term: Term, image: Term, beside: Callable[[Term], Term]) -> None:
    """`beside`: a fresh variable -> the new body of a derivative by `image`, with it in the place of the image."""
    if occurs(image, beside(variant(Term("var", image.shape, ("°", "real")), names(term)))):
        raise ShapeError(f"something else in {term} would depend on {image}, which the derivative is by")


def substitute_function(term: Term, name: str, table: Sequence[Callable[[Term], Term]]) -> Term:
    """Put functions for an unknown one and its derivatives: entry n of the table is the n-th derivative."""
    args = tuple(substitute_function(arg, name, table) for arg in term.args)
    if term.op == "call" and name_of(term.args[0]) == name:
        if order_of(term.args[0]) >= len(table):
            raise ShapeError(f"there is no derivative of order {order_of(term.args[0])} to put for {term.args[0]}")
        return table[order_of(term.args[0])](args[1])
    if args == term.args:
        return term
    if term.op == "D":
        base, _ = place(term.args[1])
        image, _ = place(args[1])
        _check_apart(
            term, image, lambda fresh: substitute_function(substitute(term.args[0], {base: fresh}), name, table)
        )
    return Term(term.op, args, term.data)


@cache
def height(term: Term) -> int:
    """Return how deep binders nest in a term, not looking into definitions."""
    if term.op in {"let", *LEAVES}:
        return 0
    return (term.op in BINDERS) + max(map(height, term.args), default=0)


def _numbered(symbol: Term, name: str) -> Term:
    return Term(symbol.op, symbol.args, (name, *symbol.data[1:]) if isinstance(symbol.data, tuple) else name)


@cache
def alpha(term: Term) -> Term:
    """Return the term with its bound indices named by nesting depth: equal for terms that differ by such names only."""
    if not height(term):
        return term
    symbols = [s for s in bound(term) if s.op == "idx" or term.op == "tends"]
    taken = {name_of(s) for s in free(term)}  # whatever a term from outside is named, nothing is caught
    if term.op == "tends":
        taken |= {name_of(s) for s in subterms(term) if s.op in {"var", "size"} and s is not term.args[0]}
    renamed = {s: variant(_numbered(s, f"#{height(term)}.{n}"), taken) for n, s in enumerate(symbols)}
    scope = (alpha(substitute(arg, renamed)) for arg in term.args[len(bound(term)) :])
    return Term(term.op, (*(renamed.get(s, s) for s in bound(term)), *scope), term.data)


# ---- plain text, for messages and the command line -------------------------------------------------------------------

_LEVEL: Final = {
    **dict.fromkeys(("implies", "iff", "and", "forall", "integrable", "invertible", "posdef"), 0),
    "tends": 1,
    **dict.fromkeys(("eq", "ne", "le", "lt"), 1),
    **dict.fromkeys(("add", "sub", "neg"), 2),
    **dict.fromkeys(("mul", "div", "sum", "prod", "integral", "outer", "D", "matmul"), 3),
    **dict.fromkeys(("pow", "T"), 5),
}
_INFIX: Final = {
    "add": (" + ", 2, 3), "sub": (" − ", 2, 3), "mul": ("·", 3, 4), "div": ("/", 3, 4), "pow": ("^", 6, 6),
    "matmul": (" @ ", 3, 4), "outer": (" ⊗ ", 4, 4), "eq": (" = ", 2, 2), "ne": (" ≠ ", 2, 2), "le": (" ≤ ", 2, 2),
    "lt": (" < ", 2, 2), "iff": (" ⟺ ", 1, 1), "and": (" ∧ ", 1, 1), "implies": (" ⇒ ", 1, 1),
}  # fmt: skip
_SIGN: Final = {"sum": "Σ", "prod": "Π", "integral": "∫", "forall": "∀", "mean": "𝔼"}


def plain(term: Term, above: int = 0) -> str:
    """Return a term as one line of text, for error messages."""
    text = _plain(term)
    number = term.op == "num" and (term.data < 0 or Fraction(str(term.data)).denominator > 1)  # type: ignore[operator]
    level = 2 if number else _LEVEL.get(term.op, 9)
    return f"({text})" if level < above else text


def _plain(term: Term) -> str:
    op, args = term.op, term.args

    def listed() -> str:
        return ", ".join(map(plain, args))

    def unbound() -> str:
        return ", ".join(map(plain, args[len(bound(term)) :]))

    if op in _INFIX:
        sign, left, right = _INFIX[op]
        return f"{plain(args[0], left)}{sign}{plain(args[1], right)}"
    if op in {"num", "size", "space", "idx", "var", "let", "fun"}:
        if args and op == "size":
            return f"{name_of(term)}_{plain(args[0])}"
        prime = "′" * int(term.data[1]) if op == "fun" and isinstance(term.data, tuple) else ""
        return name_of(term).replace("-", "−") + prime
    if op in {"sum", "prod", "integral", "forall", "mean"}:
        return f"{_SIGN[op]}_{','.join(map(plain, bound(term)))} {plain(args[-1], 3)}"
    if op == "D":
        return f"∂{plain(args[0], 6)}/∂{plain(args[1], 6)}"
    if op == "at":
        return f"{plain(args[0], 6)}[{', '.join(map(plain, args[1:]))}]"
    forms: dict[str, Callable[[], str]] = {
        "neg": lambda: f"−{plain(args[0], 3)}",
        "succ": lambda: "{}+{}".format(*_counted(term)),
        "T": lambda: f"{plain(args[0], 6)}ᵀ",
        "app": lambda: f"{term.data}({listed()})" if args else str(term.data),
        "rows": lambda: f"{term.data}({listed()})",
        "reduce": lambda: f"{term.data}({listed()})",
        "call": lambda: f"{plain(args[0])}({plain(args[1])})",
        "map": lambda: f"{_layered(term)}({plain(args[0])})",
        "member": lambda: f"{name_of(term)}_{plain(args[0])}",
        "pass": lambda: f"{name_of(term)}_{plain(args[0])}→{plain(args[1])}({plain(args[4])})",
        "sumax": lambda: f"sum({listed()}, axis={term.data})",
        "delta": lambda: f"[{plain(args[0])} = {plain(args[1])}]",
        "array": lambda: "𝟏" if is_ones(term) else f"[{plain(args[-1])}]_{','.join(map(plain, args[:-1]))}",
        "expect": lambda: f"𝔼_{plain(args[0])}∼{plain(place(args[1])[0])}[{plain(args[2])}]",
        "eye": lambda: "I",
        "tri": lambda: "tri",
        "inv": lambda: f"{plain(args[0], 6)}⁻¹",
        "invertible": lambda: f"{plain(args[0])} is invertible",
        "posdef": lambda: f"{plain(args[0])} is positive definite",
        "integrable": lambda: f"{plain(args[-1])} is integrable over {', '.join(map(plain, args[:-1]))}",
        **dict.fromkeys(("Var", "Cov"), lambda: f"{op}_{','.join(map(plain, bound(term)))}({unbound()})"),
        "exchange": lambda: f"{plain(args[0])} may be taken inside",
        "tends": lambda: "{} → {} as {} → {}".format(*_going(term)),
        "literal": lambda: _listed_rows(term),
    }
    return forms[op]() if op in forms else f"{op}({listed()})"


def _counted(term: Term) -> tuple[str, int]:
    steps = 0
    while term.op == "succ":
        term, steps = term.args[0], steps + 1
    return plain(term), steps


def _going(term: Term) -> tuple[str, ...]:
    variable, *to, value, body = term.args
    return plain(body, 2), plain(value, 2), plain(variable), plain(to[0]) if to else "∞"


def _listed_rows(term: Term) -> str:
    *_, length = term.data if isinstance(term.data, tuple) else (len(term.args),)
    rows = [f"[{', '.join(map(plain, term.args[n : n + length]))}]" for n in range(0, len(term.args), length)]
    return rows[0] if len(term.shape) == 1 else f"[{', '.join(rows)}]"


def _layered(term: Term) -> str:
    """An unknown map's name, with a prime for its derivative and its parameters below."""
    count, order = (int(term.data[1]), int(term.data[2])) if isinstance(term.data, tuple) else (0, 0)
    return "_".join([name_of(term) + "′" * order, *map(plain, term.args[1 : 1 + count])])


def shape_text(shape: Iterable[Term]) -> str:
    """Return a shape as text, for error messages."""
    return "(" + ", ".join(map(plain, shape)) + ")"
