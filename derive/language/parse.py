"""NumPy's syntax to terms: a loss is written as one would compute it, and nothing of it is ever run.

The text goes through Python's `ast` and a white list. An array keeps its axes of length one apart, as marks beside a
term that has only the named axes: so broadcasting is NumPy's, and the term stays an array of named sizes.
"""

from __future__ import annotations

import ast
import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from fractions import Fraction
from functools import reduce as fold
from typing import Any, Final

from derive.language.array import bound_index, component
from derive.language.notation import DOMAINS, SYMBOLS
from derive.language.term import (
    Σ,
    Complaint,
    ShapeError,
    Term,
    array,
    det,
    diag,
    eq,
    forall,
    inv,
    is_number,
    le,
    let,
    lift,
    lt,
    name_of,
    ne,
    outer,
    plain,
    size,
    trace,
    var,
)

LONGEST: Final = 20_000  # characters
LARGEST: Final = 5_000  # nodes of the syntax tree
DEEPEST: Final = 150  # expressions in expressions
DIGITS: Final = 40  # of a number
POWER: Final = 64
_MODULES: Final = frozenset(("np", "numpy", "jnp", "jax", "nn", "scipy", "special", "linalg", "math", "anp"))


class ParseError(Complaint, ValueError):
    """A text that is no loss: the message shows the place, and what to write instead.

    Attributes
    ----------
    line, column : int
        Where, from 1.
    """

    def __init__(self, message: str, line: int = 1, column: int = 1, source: str = "") -> None:
        shown = f"\n  {source}\n  {' ' * (column - 1)}^" if source else ""
        super().__init__(f"{message}{shown}")
        self.line, self.column = line, column


@dataclass(frozen=True)
class Program:
    """A loss that was read.

    Attributes
    ----------
    variables : mapping of str to Term
        The declared variables by name.
    named : mapping of str to Term
        The named intermediates, as named quantities.
    value : Term
        The last expression.
    """

    variables: Mapping[str, Term]
    named: Mapping[str, Term]
    value: Term


@dataclass(frozen=True)
class _Value:
    """An array as NumPy sees it: a term with the named axes, and which axes are there (False: of length one)."""

    term: Term
    layout: tuple[bool, ...]

    @property
    def rank(self) -> int:
        return len(self.layout)

    @property
    def sizes(self) -> tuple[Term | None, ...]:
        real = iter(self.term.shape)
        return tuple(next(real) if named else None for named in self.layout)

    @property
    def plainly(self) -> str:
        return (
            "(" + ", ".join("1" if s is None else plain(s) for s in self.sizes) + ("," if self.rank == 1 else "") + ")"
        )

    def at(self, places: Sequence[Term | None]) -> Term:
        """Return the component at a position; axes of length one take no part in it."""
        return component(
            self.term, tuple(p for p, named in zip(places, self.layout, strict=True) if named and p is not None)
        )


# ---- declarations ----------------------------------------------------------------------------------------------------


def declared(
    shapes: Mapping[str, str | Iterable[str | Term]], domains: Mapping[str, str] | None = None
) -> dict[str, Term]:
    """Return variables from their shapes: {"X": "N, d", "s": ""}, and their domains where these are not real."""
    variables: dict[str, Term] = {}
    sizes: dict[str, Term] = {}
    for written, shape in shapes.items():
        name = _name(written, "a variable")
        axes = shape.split(",") if isinstance(shape, str) else list(shape)
        axes = [axis for axis in axes if isinstance(axis, Term) or axis.strip()]
        for axis in axes:
            text = name_of(axis) if isinstance(axis, Term) else _name(axis.strip(), f"a size of {name}")
            sizes.setdefault(text, axis if isinstance(axis, Term) else size(printable(text)))
        domain = (domains or {}).get(written, "real")
        if domain not in DOMAINS:
            raise ParseError(f"{name} is said to be {domain!r}: the domains are {', '.join(DOMAINS)}")
        ordered = [sizes[name_of(a) if isinstance(a, Term) else _normal(a.strip())] for a in axes]
        variables[name] = var(printable(name), *ordered, dom=domain)
    for written in domains or {}:
        if _normal(written) not in variables:
            raise ParseError(f"{written} has a domain and no shape: declare its shape too")
    both = sorted(set(variables) & set(sizes))
    if both:
        raise ParseError(f"{both[0]} is the name of a variable and of a size: one name means one thing")
    return variables


def printable(name: str) -> str:
    """Return a name of Python's as the notation writes it: W1 is W₁, z1_out is z₁ with out below."""
    found = re.fullmatch(r"([^\W\d_]+)(\d*)(?:_(\w+))?", name)
    if found:
        core, digits, after = found.groups()
        return core + digits.translate(_SUBSCRIPTS) + (f"_{after}" if after else "")
    found = re.fullmatch(r"([^\W\d_]+)(\w+)", name)
    if not found:
        raise ParseError(f"the name {name} cannot be printed: begin it with a letter")
    return f"{found[1]}_{found[2].strip('_')}"


_SUBSCRIPTS: Final = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")


def _normal(name: str) -> str:
    return unicodedata.normalize("NFKC", name)


def _name(written: str, what: str) -> str:
    name = _normal(written)
    if not name.isidentifier() or len(name) > DIGITS:
        raise ParseError(f"{written!r} is no name for {what}: use letters, digits and _, a letter first")
    return name


# ---- reading ---------------------------------------------------------------------------------------------------------


def parse(text: str, variables: Mapping[str, Term]) -> Program:
    """Return the loss that a text in NumPy's syntax computes.

    Parameters
    ----------
    text : str
        Statements parted by `;` or lines: named intermediates, and last the loss. Or one Python function.
    variables : mapping of str to Term
        What the names stand for; see `declared`.

    Raises
    ------
    ParseError
        With the place and the remedy.
    """
    return _Reader(text, variables).program()


def parse_formula(text: str, variables: Mapping[str, Term], named: Mapping[str, Term] | None = None) -> Term:
    """Return the formula that a comparison in NumPy's syntax stands for; of arrays it holds for all components."""
    return _Reader(text, variables, named).formula()


class _Reader:
    """One text with its names. One method for each kind of node."""

    def __init__(self, text: str, variables: Mapping[str, Term], named: Mapping[str, Term] | None = None) -> None:
        self.text = text
        self.variables = dict(variables)
        self.known = {name: _whole(term) for name, term in {**variables, **(named or {})}.items()}
        self.named: dict[str, Term] = {}
        self.depth = 0

    # ---- the text as a whole ----

    def tree(self) -> list[ast.stmt]:
        if len(self.text) > LONGEST:
            raise ParseError(f"the text has {len(self.text)} characters, and at most {LONGEST} are read")
        try:
            body = ast.parse(_dedented(self.text)).body
        except SyntaxError as error:
            line = _dedented(self.text).splitlines()[(error.lineno or 1) - 1 : error.lineno or 1]
            raise ParseError(
                f"this is no NumPy expression ({error.msg})", error.lineno or 1, error.offset or 1, "".join(line)
            ) from None
        except (ValueError, MemoryError, RecursionError, OverflowError) as error:
            raise ParseError(
                f"the text cannot be read ({type(error).__name__}): make it shorter or less nested"
            ) from None
        if sum(1 for statement in body for _ in ast.walk(statement)) > LARGEST:
            raise ParseError(f"the text has more than {LARGEST} parts: name less of it at once")
        return body

    def program(self) -> Program:
        body = self.tree()
        if len(body) == 1 and isinstance(body[0], ast.FunctionDef):
            body = self._function(body[0])
        if not body:
            raise ParseError("there is no loss: write an expression such as mean((X @ w - y)**2)")
        for statement in body[:-1]:
            self._assign(statement)
        last = body[-1]
        match last:
            case ast.Expr(value=value) | ast.Return(value=ast.expr() as value):
                return Program(self.variables, dict(self.named), self._result(value))
            case ast.Assign():
                return Program(self.variables, dict(self.named), self._assign(last))
        raise self._error(last, "the last line is the loss, an expression")

    def _function(self, node: ast.FunctionDef) -> list[ast.stmt]:
        arguments = [argument.arg for argument in node.args.args]
        for name in arguments:
            if name not in self.known:
                raise self._error(node, f"the shape of the argument {name} is not declared")
        body = node.body
        if body and isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant):
            body = body[1:]
        return body

    def _assign(self, node: ast.stmt) -> Term:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                if name in self.variables or name in self.named:
                    raise self._error(node, f"{name} has a meaning already: one name means one thing")
                if printable(name) in {name_of(axis) for v in self.variables.values() for axis in v.shape}:
                    raise self._error(node, f"{name} is the name of a size: one name means one thing")
                found = self._evaluate(value)
                quantity = let(printable(name), found.term)
                self.known[name] = _Value(quantity, found.layout)
                self.named[name] = quantity
                return quantity
        raise self._error(node, "a line is NAME = expression, and the last line the loss; nothing else is read")

    def _result(self, node: ast.expr) -> Term:
        return self._evaluate(node).term

    def formula(self) -> Term:
        body = self.tree()
        match body:
            case [ast.Expr(value=ast.Compare(left=left, ops=[sign], comparators=[right]) as node)]:
                one, other = self._evaluate(left), self._evaluate(right)
            case _:
                raise ParseError("a condition is one comparison, such as s > 0 or sum(y) == 1", 1, 1, self.text.strip())
        make = _RELATIONS.get(type(sign))
        if make is None:
            raise self._error(node, "this comparison is not supported: use ==, !=, <, <=, > or >=")
        layout = self._fitted(node, one, other)
        places = self._places(layout, one, other)
        sides = [v.at(places[len(places) - v.rank :]) for v in (one, other)]
        return forall(make(*sides), *(p for p in places if p is not None))

    # ---- expressions ----

    def _error(self, node: ast.AST, message: str) -> ParseError:
        line, column = getattr(node, "lineno", 1), getattr(node, "col_offset", 0)
        lines = _dedented(self.text).splitlines() or [""]
        source = lines[min(line, len(lines)) - 1]
        column = len(source.encode()[:column].decode(errors="ignore"))
        return ParseError(message, line, column + 1, source)

    def _evaluate(self, node: ast.expr) -> _Value:
        self.depth += 1
        if self.depth > DEEPEST:
            raise self._error(node, f"expressions nest deeper than {DEEPEST}: name some of the parts")
        try:
            method = getattr(self, f"_{type(node).__name__.lower()}", None)
            if method is None:
                raise self._error(node, f"{_KINDS.get(type(node).__name__, type(node).__name__)} cannot be derived")
            value: _Value = method(node)
            return value
        except ShapeError as error:
            raise self._error(node, str(error)) from None
        finally:
            self.depth -= 1

    def _constant(self, node: ast.Constant) -> _Value:
        if type(node.value) not in {int, float}:
            raise self._error(node, f"{node.value!r} is no number")
        written = repr(node.value)
        if len(written) > DIGITS or written in {"inf", "nan"} or (isinstance(node.value, float) and _wide(written)):
            raise self._error(node, f"the number has more than {DIGITS} digits")
        return _Value(lift(Fraction(written)), ())

    def _name(self, node: ast.Name) -> _Value:
        if node.id in self.known:
            return self.known[node.id]
        if node.id in {"pi", "π"}:
            return _Value(Term("app", (), "π"), ())
        sizes = {_normal(name_of(axis)): axis for v in self.variables.values() for axis in v.shape}
        if node.id in sizes:
            return _Value(sizes[node.id], ())
        near = get_close_matches(node.id, [*self.known, *sizes, *FUNCTIONS], n=3)
        hint = f"did you mean {' or '.join(near)}?" if near else f"declare its shape, as in --shape {node.id}=N,d"
        raise self._error(node, f"the name {node.id} is unknown: {hint}")

    def _unaryop(self, node: ast.UnaryOp) -> _Value:
        value = self._evaluate(node.operand)
        match node.op:
            case ast.USub():
                if value.term.op == "num":
                    return _Value(lift(-Fraction(str(value.term.data))), ())
                return _Value(-value.term, value.layout)
            case ast.UAdd():
                return value
        raise self._error(node, "this operator has no derivative")

    def _binop(self, node: ast.BinOp) -> _Value:
        match node.op:
            case ast.Pow():
                return self._power(node, self._evaluate(node.left), node.right)
            case ast.MatMult():
                return self.matmul(node, self._evaluate(node.left), self._evaluate(node.right))
        op = _OPERATORS.get(type(node.op))
        if op is None:
            raise self._error(node, "this operator has no derivative: use + − * / ** @")
        return self.elementwise(node, op, None, self._evaluate(node.left), self._evaluate(node.right))

    def _power(self, node: ast.AST, base: _Value, exponent: ast.expr) -> _Value:
        power = _literal(exponent)
        if power is None:
            value = self._evaluate(exponent)
            logarithm = _Value(Term("app", (base.term,), "log"), base.layout)
            return self.app("exp", self.elementwise(node, "mul", None, value, logarithm))
        if abs(power.numerator) > POWER or power.denominator > POWER:
            raise self._error(node, f"powers go up to {POWER}")
        if power.denominator == 1 and _height(base.term) * abs(power) > _TALLEST.get(_bare(base.term), POWER):
            raise self._error(node, f"powers of sums go up to {_TALLEST['add']}, others up to {POWER}: name parts")
        size_of = abs(power)
        raised = base.term if size_of == 1 else base.term ** lift(size_of)
        if size_of == Fraction(1, 2):
            raised = Term("app", (base.term,), "sqrt")
        if power == 0:
            raise self._error(node, "the power 0 is 1: write 1")
        return _Value(1 / raised if power < 0 else raised, base.layout)

    def _attribute(self, node: ast.Attribute) -> _Value:
        if node.attr == "T":
            value = self._evaluate(node.value)
            return _Value(value.term.T if len(value.term.shape) > 1 else value.term, value.layout[::-1])
        if node.attr == "pi" and _module(node.value):
            return _Value(Term("app", (), "π"), ())
        raise self._error(node, f".{node.attr} is not supported: of attributes only .T is")

    def _subscript(self, node: ast.Subscript) -> _Value:
        value = self._evaluate(node.value)
        parts = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        kept = iter(value.layout)
        layout: list[bool] = []
        for part in parts:
            match part:
                case ast.Constant(value=None):
                    layout.append(False)
                case ast.Slice(lower=None, upper=None, step=None):
                    axis = next(kept, None)
                    if axis is None:
                        raise self._error(node, f"an array of shape {value.plainly} has no more axes")
                    layout.append(axis)
                case _:
                    raise self._error(part, "only [:, None] and the like are supported: sizes are symbolic")
        return _Value(value.term, (*layout, *kept))

    def _call(self, node: ast.Call) -> _Value:
        match node.func:
            case ast.Name(id=name):
                given = list(node.args)
            case ast.Attribute(value=root, attr=name) if _module(root):
                given = list(node.args)
            case ast.Attribute(value=root, attr=name) if name in _METHODS:
                given = [root, *node.args]
            case _:
                raise self._error(node, "only the functions of the language are called")
        if name not in FUNCTIONS:
            near = get_close_matches(name, FUNCTIONS, n=3)
            hint = f"did you mean {' or '.join(near)}?" if near else f"there are {', '.join(sorted(FUNCTIONS))}"
            raise self._error(node, f"the function {name} is not supported: {hint}")
        options = {keyword.arg: keyword.value for keyword in node.keywords}
        return FUNCTIONS[name](self, node, given, options)

    # ---- what functions are made of ----

    def arguments(self, node: ast.Call, given: Sequence[ast.expr], *counts: int) -> list[_Value]:
        """Return evaluated arguments, as many as are allowed."""
        if len(given) not in counts:
            wanted = " or ".join(map(str, counts))
            raise self._error(node, f"{ast.unparse(node.func)} takes {wanted} arguments and got {len(given)}")
        return [self._evaluate(argument) for argument in given]

    def options(self, node: ast.Call, options: Mapping[str | None, ast.expr], *allowed: str) -> dict[str, Any]:
        """Return literal options by name."""
        found: dict[str, Any] = {}
        for name, value in options.items():
            if name not in allowed:
                raise self._error(
                    node, f"the option {name} is not supported here: {', '.join(allowed) or 'there is none'}"
                )
            try:
                found[str(name)] = ast.literal_eval(value)
            except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
                raise self._error(value, f"{name} is to be a number or True or False") from None
        return found

    def app(self, name: str, *values: _Value) -> _Value:
        """Return a symbol of the notation, applied elementwise."""
        return self._combined(lambda *args: Term("app", args, name), *values)

    def elementwise(self, node: ast.AST, op: str, data: str | None, *values: _Value) -> _Value:
        """Return an elementwise operator with NumPy's broadcasting."""
        self._fitted(node, *values)
        return self._combined(lambda *args: Term(op, args, data), *values)

    def _combined(self, make: Callable[..., Term], *values: _Value) -> _Value:
        layout = self._fitted(None, *values)
        named = tuple(axis is not None for axis in layout)
        axes = tuple(axis for axis in layout if axis is not None)
        # the term's own broadcasting aligns the last axes; where that is NumPy's too, nothing is written out
        if all(self._suffix(v, layout) for v in values) and any(v.term.shape == axes for v in values):
            return _Value(make(*(v.term for v in values)), named)
        places = self._places(layout, *values)
        body = make(*(v.at(places[len(places) - v.rank :]) for v in values))
        real = [p for p in places if p is not None]
        return _Value(array(body, *real) if real else body, named)

    @staticmethod
    def _suffix(value: _Value, layout: Sequence[Term | None]) -> bool:
        """Tell whether the named axes of a value are the last of those of the whole."""
        whole = [n for n, s in enumerate(layout) if s is not None]
        mine = [len(layout) - value.rank + n for n, there in enumerate(value.layout) if there]
        return whole[len(whole) - len(mine) :] == mine

    def _fitted(self, node: ast.AST | None, *values: _Value) -> tuple[Term | None, ...]:
        """Return the sizes of the broadcast shape, None for length one."""
        rank = max(v.rank for v in values)
        layout: list[Term | None] = [None] * rank
        for value in values:
            for n, axis in enumerate(value.sizes, rank - value.rank):
                if axis is None:
                    continue
                if layout[n] is not None and layout[n] is not axis:
                    shapes = " and ".join(v.plainly for v in values)
                    raise self._error(
                        node or ast.Constant(0),
                        f"shapes {shapes} do not fit together: on one axis {layout[n]!r} meets {axis!r}",
                    )
                layout[n] = axis
        return tuple(layout)

    def _places(self, layout: Sequence[Term | None], *values: _Value) -> list[Term | None]:
        places: list[Term | None] = []
        for axis in layout:
            taken = (*(v.term for v in values), *(p for p in places if p is not None))
            places.append(None if axis is None else self.index(axis, *taken))
        return places

    def index(self, axis: Term, *beside: Term) -> Term:
        """Return a fresh index."""
        return bound_index(axis, *beside)

    def matmul(self, node: ast.AST, left: _Value, right: _Value) -> _Value:
        """Return a product of vectors and matrices."""
        if not all(left.layout) or not all(right.layout):
            raise self._error(node, f"@ of shapes {left.plainly} and {right.plainly}: write outer(a, b) or a * b")
        if not 1 <= left.rank <= 2 or not 1 <= right.rank <= 2:
            raise self._error(node, f"@ takes vectors and matrices, and got shapes {left.plainly} and {right.plainly}")
        if left.sizes[-1] is not right.sizes[0]:
            ends = f"{left.sizes[-1]!r} meets {right.sizes[0]!r}"
            raise self._error(node, f"shapes {left.plainly} and {right.plainly} do not fit in @: {ends}")
        return _whole(left.term @ right.term)

    def axes(self, node: ast.Call, value: _Value, axis: Any) -> list[int]:
        """Return the axes that an option names, all where it names none."""
        wanted = range(value.rank) if axis is None else axis if isinstance(axis, tuple) else (axis,)
        found = []
        for n in wanted:
            if type(n) is not int or not -value.rank <= n < value.rank:
                raise self._error(node, f"there is no axis {n} in the shape {value.plainly}")
            found.append(n % value.rank)
        return sorted(set(found))

    def total(self, value: _Value, over: Sequence[int], keepdims: bool) -> _Value:
        """Return the sum over axes."""
        term, layout = value.term, list(value.layout)
        for n in sorted(over, reverse=True):
            if layout[n]:
                term = term.sum(sum(layout[:n]))
            if keepdims:
                layout[n] = False
            else:
                del layout[n]
        return _Value(term, tuple(layout))

    def count(self, value: _Value, over: Sequence[int]) -> Term | None:
        """Return how many components a sum over axes has; None for one."""
        sizes = [s for n, s in enumerate(value.sizes) if n in over and s is not None]
        return fold(lambda a, b: a * b, sizes) if sizes else None

    def rowwise(self, node: ast.Call, value: _Value, axis: Any, make: Callable[[Term], Term]) -> tuple[_Value, bool]:
        """Bring an axis to the end and apply a symbol of rows to it; tell whether two axes were exchanged for it."""
        if axis is None and value.rank > 1:
            raise self._error(node, f"say along which axis of {value.plainly}: axis=-1 for rows")
        if value.rank == 0 or not all(value.layout):
            raise self._error(node, f"this acts along an axis, and the shape is {value.plainly}")
        (which,) = self.axes(node, value, -1 if axis is None else axis)
        if which == value.rank - 1:
            return _whole(make(value.term)), False
        if value.rank == 2:
            return _whole(make(value.term.T)), True
        raise self._error(node, "of an array of more than two axes this acts along the last axis only")


_RELATIONS: Final[dict[type, Callable[[Term, Term], Term]]] = {
    ast.Eq: eq,
    ast.NotEq: ne,
    ast.Lt: lt,
    ast.LtE: le,
    ast.Gt: lambda a, b: lt(b, a),
    ast.GtE: lambda a, b: le(b, a),
}
_OPERATORS: Final = {ast.Add: "add", ast.Sub: "sub", ast.Mult: "mul", ast.Div: "div"}
_KINDS: Final = {
    "Lambda": "a function in the text",
    "IfExp": "if-else (write where(c, a, b))",
    "ListComp": "a list",
    "List": "a list",
    "Dict": "a dictionary",
    "Compare": "a comparison outside of where(…)",
    "JoinedStr": "a text",
    "Tuple": "several values",
    "NamedExpr": ":=",
}


def _whole(term: Term) -> _Value:
    return _Value(term, (True,) * len(term.shape))


def _dedented(text: str) -> str:
    import textwrap

    return textwrap.dedent(text.replace("\t", "    ")).strip("\n ").rstrip("; ")


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


def _wide(written: str) -> bool:
    value = Fraction(written)
    return max(len(str(value.numerator)), len(str(value.denominator))) > DIGITS


def _module(node: ast.expr) -> bool:
    match node:
        case ast.Name(id=name):
            return name in _MODULES
        case ast.Attribute(value=inner, attr=name):
            return name in _MODULES and _module(inner)
    return False


def _literal(node: ast.expr) -> Fraction | None:
    """Return a number that is written as one: 2, -1, 0.5, 1/2."""
    match node:
        case ast.Constant(value=int() | float()) if not isinstance(node.value, bool):
            written = repr(node.value)
            return None if len(written) > DIGITS or written in {"inf", "nan"} or _wide(written) else Fraction(written)
        case ast.UnaryOp(op=ast.USub(), operand=inner):
            positive_one = _literal(inner)
            return None if positive_one is None else -positive_one
        case ast.BinOp(left=left, op=ast.Div(), right=right):
            one, other = _literal(left), _literal(right)
            return one / other if one is not None and other else None
    return None


# ---- the functions of the language -----------------------------------------------------------------------------------

Function = Callable[[_Reader, ast.Call, list[ast.expr], dict[str | None, ast.expr]], _Value]


def _of_one(make: Callable[[_Reader, _Value], _Value]) -> Function:
    def function(reader: _Reader, node: ast.Call, given: list[ast.expr], options: Any) -> _Value:
        reader.options(node, options)
        (value,) = reader.arguments(node, given, 1)
        return make(reader, value)

    return function


def _symbol(name: str) -> Function:
    return _of_one(lambda reader, value: reader.app(name, value))


def _of_two(make: Callable[[_Reader, ast.Call, _Value, _Value], _Value]) -> Function:
    def function(reader: _Reader, node: ast.Call, given: list[ast.expr], options: Any) -> _Value:
        reader.options(node, options)
        one, other = reader.arguments(node, given, 2)
        return make(reader, node, one, other)

    return function


def _operator(op: str) -> Function:
    return _of_two(lambda reader, node, a, b: reader.elementwise(node, op, None, a, b))


def _reduction(finish: Callable[[_Reader, ast.Call, _Value, list[int], bool], _Value]) -> Function:
    def function(reader: _Reader, node: ast.Call, given: list[ast.expr], options: Any) -> _Value:
        known = reader.options(node, options, "axis", "keepdims")
        value = reader.arguments(node, given[:1], 1)[0]
        axis = known.get("axis")
        if len(given) == 2:
            try:
                axis = ast.literal_eval(given[1])
            except (ValueError, TypeError, SyntaxError):
                raise reader._error(node, "the axis is a number") from None
        elif len(given) != 1:
            raise reader._error(node, f"{ast.unparse(node.func)} takes an array and axis=…")
        keepdims = known.get("keepdims", False)
        if not isinstance(keepdims, bool):
            raise reader._error(node, "keepdims is True or False")
        return finish(reader, node, value, reader.axes(node, value, axis), keepdims)

    return function


def _sum(reader: _Reader, node: ast.Call, value: _Value, over: list[int], keep: bool) -> _Value:
    return reader.total(value, over, keep)


def _mean(reader: _Reader, node: ast.Call, value: _Value, over: list[int], keep: bool) -> _Value:
    count, total = reader.count(value, over), reader.total(value, over, keep)
    return total if count is None else _Value(total.term / count, total.layout)


def _variance(reader: _Reader, node: ast.Call, value: _Value, over: list[int], keep: bool) -> _Value:
    centred = reader.elementwise(node, "sub", None, value, _mean(reader, node, value, over, True))
    return _mean(reader, node, _Value(centred.term**2, centred.layout), over, keep)


def _deviation(reader: _Reader, node: ast.Call, value: _Value, over: list[int], keep: bool) -> _Value:
    return reader.app("sqrt", _variance(reader, node, value, over, keep))


def _norm(reader: _Reader, node: ast.Call, value: _Value, over: list[int], keep: bool) -> _Value:
    return reader.app("sqrt", reader.total(_Value(value.term**2, value.layout), over, keep))


def _along(name: str, kind: str) -> Function:
    """A symbol of rows: softmax keeps the axis, logsumexp takes it away."""

    def function(reader: _Reader, node: ast.Call, given: list[ast.expr], options: Any) -> _Value:
        known = reader.options(node, options, "axis", *(["keepdims"] if kind == "reduce" else []))
        (value,) = reader.arguments(node, given[:1], 1)
        axis = known.get("axis", _literal(given[1]) if len(given) > 1 else None)
        axis = int(axis) if isinstance(axis, Fraction) and axis.denominator == 1 else axis
        found, exchanged = reader.rowwise(node, value, axis, lambda t: Term(kind, (t,), name))
        if kind == "rows":
            return _whole(found.term.T) if exchanged else found
        if known.get("keepdims"):
            (which,) = reader.axes(node, value, -1 if axis is None else axis)
            return _Value(found.term, (*found.layout[:which], False, *found.layout[which:]))
        return found

    return function


def _diag(reader: _Reader, value: _Value) -> _Value:
    if value.rank == 1:
        return _whole(diag(value.term))
    i = reader.index(_square(value), value.term)
    return _whole(array(component(value.term, (i, i)), i))


def _trace(reader: _Reader, value: _Value) -> _Value:
    _square(value)
    return _whole(trace(value.term))


def _inverse(reader: _Reader, value: _Value) -> _Value:
    _square(value)
    return _whole(inv(value.term))


def _determinant(reader: _Reader, value: _Value) -> _Value:
    _square(value)
    return _whole(det(value.term))


def _log_determinant(reader: _Reader, value: _Value) -> _Value:
    """The logarithm of a determinant, which must be positive."""
    return reader.app("log", _determinant(reader, value))


def _square(value: _Value) -> Term:
    if value.rank != 2 or not all(value.layout) or value.sizes[0] is not value.sizes[1]:
        raise ShapeError(f"a square matrix is needed, and the shape is {value.plainly}")
    return value.term.shape[0]


def _outer(reader: _Reader, node: ast.Call, one: _Value, other: _Value) -> _Value:
    return _whole(outer(one.term, other.term))


def _larger(reader: _Reader, node: ast.Call, one: _Value, other: _Value) -> _Value:
    """max(u, v) = v + relu(u − v)."""
    if is_number(one.term, 0):
        return reader.app("relu", other)
    if is_number(other.term, 0):
        return reader.app("relu", one)
    gap = reader.app("relu", reader.elementwise(node, "sub", None, one, other))
    return reader.elementwise(node, "add", None, other, gap)


def _smaller(reader: _Reader, node: ast.Call, one: _Value, other: _Value) -> _Value:
    """min(u, v) = u − relu(u − v)."""
    gap = reader.app("relu", reader.elementwise(node, "sub", None, one, other))
    return reader.elementwise(node, "sub", None, one, gap)


def _where(reader: _Reader, node: ast.Call, given: list[ast.expr], options: Any) -> _Value:
    """where(u > v, a, b) = [u − v > 0]·a + (1 − [u − v > 0])·b: both values must be defined."""
    reader.options(node, options)
    match given:
        case [ast.Compare(left=left, ops=[sign], comparators=[right]), _, _]:
            left_value, right_value = reader._evaluate(left), reader._evaluate(right)
        case _:
            raise reader._error(node, "where takes a comparison and two values: where(u > 0, a, b)")
    if not isinstance(sign, ast.Gt | ast.GtE | ast.Lt | ast.LtE):
        raise reader._error(node, "where compares with <, <=, > or >=")
    high, low = (left_value, right_value) if isinstance(sign, ast.Gt | ast.GtE) else (right_value, left_value)
    gap = high if is_number(low.term, 0) else reader.elementwise(node, "sub", None, high, low)
    then, otherwise = (reader._evaluate(argument) for argument in given[1:])
    reader._fitted(node, gap, then, otherwise)
    chosen = reader.app("step", gap)
    rest = _Value(1 - chosen.term, chosen.layout)
    one = reader.elementwise(node, "mul", None, chosen, then)
    return reader.elementwise(node, "add", None, one, reader.elementwise(node, "mul", None, rest, otherwise))


def _logaddexp(reader: _Reader, node: ast.Call, one: _Value, other: _Value) -> _Value:
    return reader.app("log", reader.elementwise(node, "add", None, reader.app("exp", one), reader.app("exp", other)))


def _einsum(reader: _Reader, node: ast.Call, given: list[ast.expr], options: Any) -> _Value:
    """einsum with a literal subscript string: a sum of products over the letters that are not kept."""
    reader.options(node, options)
    match given:
        case [ast.Constant(value=str(text)), *rest] if rest:
            values = [reader._evaluate(argument) for argument in rest]
        case _:
            raise reader._error(node, 'einsum takes a literal text and arrays: einsum("ij,j->i", A, x)')
    left, arrow, kept = text.replace(" ", "").partition("->")
    inputs = left.split(",")
    letters = [c for part in inputs for c in part]
    if not arrow:
        kept = "".join(sorted({c for c in letters if letters.count(c) == 1}))
    fits = all(len(part) == value.rank and all(value.layout) for part, value in zip(inputs, values, strict=False))
    if len(inputs) != len(values) or not fits or not all(c.isalpha() and c.isascii() for c in (*letters, *kept)):
        raise reader._error(node, f"the subscripts {text!r} do not fit the arrays")
    if not set(kept) <= set(letters) or len(set(kept)) < len(kept):
        raise reader._error(node, f"the subscripts {text!r} keep a letter that is not there, or keep one twice")
    places: dict[str, Term] = {}
    for part, value in zip(inputs, values, strict=True):
        for letter, axis in zip(part, value.term.shape, strict=True):
            if letter not in places:
                places[letter] = reader.index(axis, *places.values())
            elif places[letter].args[0] is not axis:
                raise reader._error(node, f"the letter {letter} stands for {places[letter].args[0]!r} and for {axis!r}")
    factors = [value.at([places[c] for c in part]) for part, value in zip(inputs, values, strict=True)]
    body = fold(lambda a, b: a * b, factors)
    total = Σ(body, *(index for letter, index in places.items() if letter not in kept))
    return _whole(array(total, *(places[c] for c in kept)) if kept else total)


def _logsigmoid(reader: _Reader, value: _Value) -> _Value:
    return reader.app("log", reader.app("σ", value))


def _power_of(reader: _Reader, node: ast.Call, given: list[ast.expr], options: Any) -> _Value:
    reader.options(node, options)
    if len(given) != 2:
        raise reader._error(node, "power takes a base and an exponent")
    return reader._power(node, reader._evaluate(given[0]), given[1])


def _elementary() -> dict[str, Function]:
    """Elementwise symbols by their own names, and by the names that NumPy and others give them."""
    own = {name: _symbol(name) for name, entry in SYMBOLS.items() if entry.kind == "app" and entry.arity == 1}
    other = {"sigmoid": "σ", "expit": "σ", "absolute": "abs", "fabs": "abs", "swish": "silu"}
    found = {name: function for name, function in own.items() if name.isascii() and name not in {"expgap", "step"}}
    return found | {alias: own[name] for alias, name in other.items() if name in own}


FUNCTIONS: Final[dict[str, Function]] = {
    **_elementary(),
    "sum": _reduction(_sum),
    "mean": _reduction(_mean),
    "average": _reduction(_mean),
    "var": _reduction(_variance),
    "std": _reduction(_deviation),
    "norm": _reduction(_norm),
    "softmax": _along("softmax", "rows"),
    "log_softmax": _along("log_softmax", "rows"),
    "logsumexp": _along("logsumexp", "reduce"),
    "max": _along("max", "reduce"),
    "dot": _of_two(lambda reader, node, a, b: reader.matmul(node, a, b)),
    "matmul": _of_two(lambda reader, node, a, b: reader.matmul(node, a, b)),
    "outer": _of_two(_outer),
    "diag": _of_one(_diag),
    "trace": _of_one(_trace),
    "inv": _of_one(_inverse),
    "det": _of_one(_determinant),
    "logdet": _of_one(_log_determinant),
    "transpose": _of_one(lambda reader, value: _Value(value.term.T, value.layout[::-1])),
    "square": _of_one(lambda reader, value: _Value(value.term**2, value.layout)),
    "reciprocal": _of_one(lambda reader, value: _Value(1 / value.term, value.layout)),
    "negative": _of_one(lambda reader, value: _Value(-value.term, value.layout)),
    "add": _operator("add"),
    "subtract": _operator("sub"),
    "multiply": _operator("mul"),
    "divide": _operator("div"),
    "power": _power_of,
    "log_sigmoid": _of_one(_logsigmoid),
    "logsigmoid": _of_one(_logsigmoid),
    "expm1": _of_one(lambda reader, value: _Value(Term("app", (value.term,), "exp") - 1, value.layout)),
    "logaddexp": _of_two(_logaddexp),
    "maximum": _of_two(_larger),
    "minimum": _of_two(_smaller),
    "where": _where,
    "einsum": _einsum,
}
_METHODS: Final = frozenset(("sum", "mean", "dot", "var", "std", "max", "transpose"))


def positive(text: str) -> tuple[str, str] | None:
    """Return a name and its domain where a condition says just that a variable is positive, or not negative."""
    try:
        body = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return None
    match body:
        case ast.Compare(left=ast.Name(id=name), ops=[ast.Gt()], comparators=[ast.Constant(value=0)]):
            return name, "positive"
        case ast.Compare(left=ast.Name(id=name), ops=[ast.GtE()], comparators=[ast.Constant(value=0)]):
            return name, "nonnegative"
    return None
