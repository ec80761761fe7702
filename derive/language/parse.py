"""NumPy's syntax to terms: a loss is written as one would compute it, and nothing of it is ever run.

The text goes through Python's `ast` and a white list; what functions there are is said in `vocabulary`.
"""

from __future__ import annotations

import ast
import re
import unicodedata
import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from fractions import Fraction
from typing import Final

from derive.language.choosing import condition, is_condition, outside, refuse_sums_of_conditions
from derive.language.indexing import MOST_AXES, gathered, subscript
from derive.language.notation import DOMAINS
from derive.language.reading import DIGITS, ParseError, Reader, Value, dedented, from_module, literal, whole, wide
from derive.language.term import ShapeError, Term, eq, forall, le, let, lift, lt, name_of, ne, size, var
from derive.language.vocabulary import FUNCTIONS, METHODS, REFUSED

__all__ = ["DEEPEST", "ParseError", "Program", "declared", "parse", "parse_formula", "positive", "printable"]

LONGEST: Final = 20_000  # characters
LARGEST: Final = 5_000  # nodes of the syntax tree
DEEPEST: Final = 150  # expressions in expressions


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
    indices : mapping of str to tuple of str
        The indices on the first axes of named intermediates, and under "" those of the last expression.
    """

    variables: Mapping[str, Term]
    named: Mapping[str, Term]
    value: Term
    indices: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


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
        if len(axes) > MOST_AXES:
            raise ParseError(f"{name} has {len(axes)} axes, and arrays have at most {MOST_AXES}")
        for axis in axes:
            text = name_of(axis) if isinstance(axis, Term) else _name(axis.strip(), f"a size of {name}")
            sizes.setdefault(text, axis if isinstance(axis, Term) else size(printable(text)))
        domain = (domains or {}).get(written, "real")
        if domain not in DOMAINS:
            raise ParseError(f"{name} is said to be {domain!r}: the domains are {', '.join(DOMAINS)}")
        ordered = [sizes[name_of(a) if isinstance(a, Term) else _normal(a.strip())] for a in axes]
        shown = printable(name)
        if shown in map(name_of, variables.values()):
            raise ParseError(f"{name} would be printed as another variable is, {shown}: rename one of them")
        variables[name] = var(shown, *ordered, dom=domain)
    for written in domains or {}:
        if _normal(written) not in variables:
            raise ParseError(f"{written} has a domain and no shape: declare its shape too")
    both = sorted(set(variables) & set(sizes))
    if both:
        raise ParseError(f"{both[0]} is the name of a variable and of a size: one name means one thing")
    return variables


def printable(name: str) -> str:
    """Return a name of Python's as the notation writes it: W1 is W₁, z1_out is z₁ with out below."""
    found = _NAME.fullmatch(unicodedata.normalize("NFD", name))
    if not found:
        raise ParseError(
            f"the name {name} cannot be printed: begin it with a letter, and use Latin and Greek ones, digits and _, "
            "with no accents but a hat, a bar or a tilde"
        )
    core, digits, rest = found.groups()
    if rest and not rest.startswith("_"):  # a1b2 is a with 1b2 below
        digits, rest = "", f"_{digits}{rest}"
    return unicodedata.normalize("NFC", core + digits.translate(_SUBSCRIPTS) + rest)


_LETTERS: Final = "A-Za-zαβγδεϵζηθϑικλμνξπρστυφϕχψωΓΔΘΛΞΠΣΥΦΨΩ"
_NAME: Final = re.compile(rf"([{_LETTERS}]+[\u0302-\u0304]?)(\d*)([{_LETTERS}0-9_\u0302-\u0304]*)", re.ASCII)
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
    return _Text(text, variables).program()


def parse_formula(text: str, program: Program) -> Term:
    """Return the formula that a comparison in NumPy's syntax stands for; of arrays it holds for all components."""
    return _Text(text, program.variables, program).formula()


class _Text(Reader):
    """One text with its names. One method for each kind of node."""

    def __init__(self, text: str, variables: Mapping[str, Term], before: Program | None = None) -> None:
        self.text = text
        self.variables = dict(variables)
        self.known = {name: whole(term) for name, term in variables.items()}
        for name, term in before.named.items() if before else ():
            self.known[name] = whole(term).indexed(before.indices[name] if before else ())
        self.named: dict[str, Term] = {}
        self.indices: dict[str, tuple[str, ...]] = {}
        self.sizes = {_normal(name_of(axis)): axis for v in self.variables.values() for axis in v.shape}
        self.bound: dict[str, Term] = {}
        self.depth = 0
        self.function = ""

    # ---- the text as a whole ----

    def tree(self) -> list[ast.stmt]:
        if len(self.text) > LONGEST:
            raise ParseError(f"the text has {len(self.text)} characters, and at most {LONGEST} are read")
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of what is refused below anyway
                body = ast.parse(dedented(self.text)).body
        except SyntaxError as error:
            line = dedented(self.text).splitlines()[(error.lineno or 1) - 1 : error.lineno or 1]
            what = f"a number has more than {DIGITS} digits" if "digits)" in error.msg else error.msg
            raise ParseError(
                f"this is no NumPy expression ({what})", error.lineno or 1, error.offset or 1, "".join(line)
            ) from None
        except UnicodeEncodeError:
            raise ParseError("the text holds something that is no character: write it again") from None
        except (ValueError, MemoryError, RecursionError, OverflowError) as error:
            raise ParseError(
                f"the text cannot be read ({type(error).__name__}): make it shorter or less nested"
            ) from None
        if _depth(body) > 2 * DEEPEST + 50:  # of nodes, of which an expression may be two
            raise ParseError(f"expressions nest deeper than {DEEPEST}: name some of the parts")
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
            self._statement(statement)
        match body[-1]:
            case ast.Expr(value=value) | ast.Return(value=ast.expr() as value):
                found = self._number(value)
            case ast.Assign(targets=[ast.Name(id=name)]) as last if not self.function:
                self._statement(last)
                found = self.known[name]
            case last:
                remedy = "the last line of a function returns the loss" if self.function else _LAST
                raise self.error(last, f"{remedy}, and this is {_STATEMENTS.get(type(last).__name__, 'none')}")
        return Program(self.variables, dict(self.named), found.term, self.indices | {"": found.names})

    def _statement(self, node: ast.stmt) -> None:
        match node:
            case ast.Assign(targets=[ast.Tuple(elts=names)], value=ast.Attribute(value=array, attr="shape")):
                sizes = self._lengths(array)
                if len(names) != len(sizes) or not all(isinstance(name, ast.Name) for name in names):
                    raise self.error(node, f"there are {len(sizes)} axes: write a name for each")
                for name, size in zip(names, sizes, strict=True):
                    if isinstance(name, ast.Name):  # which it is
                        self._assign(node, name.id, Value(size, ()))
            case (
                ast.Assign(targets=[ast.Name(id=name)], value=value)
                | ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value)
            ):
                self._assign(node, name, self._number(value))
            case ast.Import() | ast.ImportFrom() if self.function:
                pass  # the functions of the language are known by their names
            case _:
                what = _STATEMENTS.get(type(node).__name__)
                raise self.error(node, f"a line is NAME = expression{f', and this is {what}' if what else ''}")

    def _assign(self, node: ast.stmt, name: str, found: Value) -> None:
        """Give a name to a quantity; another name of a size is no quantity."""
        if name in self.known and found.term is not self.known[name].term:
            raise self.error(node, f"{name} has a meaning already: one name means one thing")
        if found.term.op == "size" and self.sizes.get(name, found.term) is found.term:
            self.known[name] = found
            return
        if name in self.known:
            raise self.error(node, f"{name} has a meaning already: one name means one thing")
        if printable(name) in {name_of(axis) for v in self.variables.values() for axis in v.shape}:
            raise self.error(node, f"{name} is the name of a size: one name means one thing")
        quantity = let(printable(name), found.term)
        self.known[name] = found.holding(quantity)
        self.named[name], self.indices[name] = quantity, found.names

    # ---- a Python function, whose source is read ----

    def _function(self, node: ast.FunctionDef) -> list[ast.stmt]:
        self.function = node.name
        for decorator in node.decorator_list:
            if ast.unparse(decorator).rpartition(".")[2] not in {"jit", "njit"}:
                raise self.error(decorator, f"the decorator {ast.unparse(decorator)} may change what is computed")
        given = node.args
        for rest in filter(None, (given.vararg, given.kwarg)):
            raise self.error(rest, f"the arguments {rest.arg} are not named: write each with a name and a shape")
        positional = [*given.posonlyargs, *given.args]
        defaults = dict(zip((a.arg for a in positional[::-1]), given.defaults[::-1], strict=False))
        defaults |= {a.arg: value for a, value in zip(given.kwonlyargs, given.kw_defaults, strict=True) if value}
        for argument in (*positional, *given.kwonlyargs):
            self._argument(argument, defaults.get(argument.arg))
        body = node.body
        if body and isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant):
            body = body[1:]
        return body

    def _argument(self, node: ast.arg, default: ast.expr | None) -> None:
        if node.arg in self.known or node.arg in self.sizes:
            return
        if default is None:
            raise self.error(node, f"the shape of the argument {node.arg} is not declared")
        number = literal(default)
        if number is None:
            raise self.error(default, f"the default of {node.arg} is no number: declare the shape of {node.arg}")
        self.known[node.arg] = Value(lift(number), ())

    def formula(self) -> Term:
        body = self.tree()
        match body:
            case [ast.Expr(value=ast.Compare(left=left, ops=[sign], comparators=[right]) as node)]:
                one, other = self._aligned(self.indexed(left), self.indexed(right))
            case _:
                wanted = "a condition is one comparison, such as s > 0 or sum(y) == 1: say several one by one"
                raise ParseError(wanted, 1, 1, self.text.strip())
        make = _RELATIONS.get(type(sign))
        if make is None:
            raise self.error(node, "this comparison is not supported: use ==, !=, <, <=, > or >=")
        layout = self.fitted(node, one, other)
        places = self.places(layout, one, other)
        sides = [v.at(places[len(places) - v.rank :]) for v in (one, other)]
        return forall(make(*sides), *(p for p in places if p is not None))

    def _aligned(self, one: Value, other: Value) -> tuple[Value, Value]:
        """Return both sides of a comparison with their indices as axes."""
        names = tuple(dict.fromkeys((*one.names, *other.names)))
        rank = max(one.rank, other.rank)
        return self.stretched(one, names, rank), self.stretched(other, names, rank)

    # ---- expressions ----

    def indexed(self, node: ast.expr) -> Value:
        self.depth += 1
        if self.depth > DEEPEST:
            raise self.error(node, f"expressions nest deeper than {DEEPEST}: name some of the parts")
        try:
            refuse_sums_of_conditions(self, node)
            method = getattr(self, f"_{type(node).__name__.lower()}", None)
            if method is None:
                raise self.error(node, f"{_KINDS.get(type(node).__name__, type(node).__name__)} cannot be derived")
            value: Value = method(node)
            return value
        except ShapeError as error:
            raise self.error(node, str(error)) from None
        finally:
            self.depth -= 1

    def _constant(self, node: ast.Constant) -> Value:
        if type(node.value) not in {int, float}:
            raise self.error(node, f"{node.value!r} is no number")
        written = repr(node.value)
        if len(written) > DIGITS or written in {"inf", "nan"} or (isinstance(node.value, float) and wide(written)):
            raise self.error(node, f"the number has more than {DIGITS} digits")
        return Value(lift(Fraction(written)), ())

    def _name(self, node: ast.Name) -> Value:
        if node.id in self.known:
            return self.known[node.id]
        if node.id in {"pi", "π"}:
            return Value(Term("app", (), "π"), ())
        if node.id in self.sizes:
            return Value(self.sizes[node.id], ())
        if node.id in self.bound:
            raise self.error(node, f"the index {node.id} is no number here: it stands in brackets, as in x[{node.id}]")
        others = () if self.function else FUNCTIONS
        near = get_close_matches(node.id, [*self.known, *self.sizes, *others], n=3)
        hint = f"did you mean {' or '.join(near)}?" if near else self._remedy(node.id)
        raise self.error(node, f"the name {node.id} is unknown: {hint}")

    def _number(self, node: ast.expr) -> Value:
        """Return what an expression computes, which is no truth value."""
        if is_condition(node):
            raise outside(self, node)
        return self.indexed(node)

    def _compare(self, node: ast.expr) -> Value:
        return condition(self, node)

    _boolop = _compare

    def _remedy(self, name: str) -> str:
        if self.function:
            return f"what is outside of {self.function} is not read; make it an argument, and declare its shape"
        return f"declare its shape, as in --shape {name}=N,d"

    def _unaryop(self, node: ast.UnaryOp) -> Value:
        if isinstance(node.op, ast.Invert | ast.Not):
            return condition(self, node)
        value = self.indexed(node.operand)
        match node.op:
            case ast.USub():
                if value.term.op == "num":
                    return Value(lift(-Fraction(str(value.term.data))), ())
                return value.holding(-value.term)
            case ast.UAdd():
                return value
        raise self.error(node, "this operator has no derivative")

    def _binop(self, node: ast.BinOp) -> Value:
        match node.op:
            case ast.BitAnd() | ast.BitOr():
                return condition(self, node)
            case ast.Pow():
                return self.power(node, self.indexed(node.left), node.right)
            case ast.MatMult():
                return self.matmul(node, self.indexed(node.left), self.indexed(node.right))
        op = _OPERATORS.get(type(node.op))
        if op is None:
            raise self.error(node, "this operator has no derivative: use + − * / ** @")
        return self.elementwise(node, op, None, self.indexed(node.left), self.indexed(node.right))

    def _attribute(self, node: ast.Attribute) -> Value:
        if node.attr == "T":
            value = self.indexed(node.value)
            if value.rank > 2:
                meant = f"NumPy’s .T reverses all axes of {value.plainly}"
                raise self.error(node, f"{meant}: for the matrices write swapaxes(…, -1, -2)")
            return self.reordered(node, value, tuple(range(value.rank))[::-1])
        if node.attr == "pi" and from_module(node.value):
            return Value(Term("app", (), "π"), ())
        raise self.error(node, f".{node.attr} is not supported: of attributes only .T is")

    def _subscript(self, node: ast.Subscript) -> Value:
        match node:
            case ast.Subscript(value=ast.Attribute(value=array, attr="shape"), slice=ast.Constant(value=int(n))):
                sizes = self._lengths(array)
                if not -len(sizes) <= n < len(sizes):
                    raise self.error(node, f"there is no axis {n}")
                return Value(sizes[n], ())
        return subscript(self, node)

    def _lengths(self, node: ast.expr) -> list[Term]:
        return [lift(1) if size is None else size for size in self.evaluate(node).sizes]

    def _listcomp(self, node: ast.ListComp) -> Value:
        if len(node.generators) > 1:
            raise self.error(node, "a list with several loops has one axis: nest lists, [[… for j …] for i …]")
        return gathered(self, node)

    def _generatorexp(self, node: ast.GeneratorExp) -> Value:
        raise self.error(node, "this has values one after the other: write a list, [… for i in range(N)], or sum(…)")

    def _call(self, node: ast.Call) -> Value:
        match node.func:
            case ast.Name(id=name):
                given = list(node.args)
            case ast.Attribute(value=root, attr=name) if self._from_module(root):
                given = list(node.args)
            case ast.Attribute(value=root, attr=name) if name in METHODS:
                given = [root, *node.args]
            case ast.Attribute(value=root, attr=name) if name in FUNCTIONS and not self._is_call(root):
                raise self.error(node, f"{ast.unparse(root)} has no {name}: write {name}({ast.unparse(root)})")
            case _:
                raise self.error(node, "only the functions of the language are called")
        if name in REFUSED:
            raise self.error(node, f"the function {name} is not supported: {REFUSED[name]}")
        if name not in FUNCTIONS:
            raise self.error(node, f"the function {name} is not supported: {self._like(name)}")
        for argument in given:
            if isinstance(argument, ast.Starred):
                raise self.error(argument, "arguments are written one by one, without *")
        if any(keyword.arg is None for keyword in node.keywords):
            raise self.error(node, "options are written one by one, without **")
        options = {_OPTIONS.get(str(keyword.arg), keyword.arg): keyword.value for keyword in node.keywords}
        return FUNCTIONS[name](self, node, given, options)

    def _from_module(self, root: ast.expr) -> bool:
        return from_module(root) and not (isinstance(root, ast.Name) and root.id in self.known)

    @staticmethod
    def _is_call(root: ast.expr) -> bool:
        return any(isinstance(part, ast.Call) for part in ast.walk(root))

    def _like(self, name: str) -> str:
        near = get_close_matches(name, FUNCTIONS, n=3)
        if near:
            return f"did you mean {' or '.join(near)}?"
        known = f"there are {', '.join(sorted(FUNCTIONS))}"
        return f"write out what it computes; {known}" if self.function else known


def _depth(body: Iterable[ast.AST]) -> int:
    """Return how deep a syntax tree is, without going deep."""
    depth, level = 0, list(body)
    while level:
        depth, level = depth + 1, [child for node in level for child in ast.iter_child_nodes(node)]
    return depth


_RELATIONS: Final[dict[type, Callable[[Term, Term], Term]]] = {
    ast.Eq: eq,
    ast.NotEq: ne,
    ast.Lt: lt,
    ast.LtE: le,
    ast.Gt: lambda a, b: lt(b, a),
    ast.GtE: lambda a, b: le(b, a),
}
_OPERATORS: Final = {ast.Add: "add", ast.Sub: "sub", ast.Mult: "mul", ast.Div: "div"}
_OPTIONS: Final = {"dim": "axis", "keepdim": "keepdims"}  # as PyTorch calls them
_LAST: Final = "the last line is the loss, an expression"
_STATEMENTS: Final = {
    "For": "a loop: write sum(… for i in range(N))",
    "While": "a loop: write sum(… for i in range(N))",
    "If": "a condition: write where(c, a, b)",
    "FunctionDef": "a function: write out what it computes",
    "ClassDef": "a class",
    "AugAssign": "a change of a name: give the result a name of its own",
    "Return": "a return before the end",
    "With": "a context",
    "Try": "an exception",
    "Assert": "a check: say it with assume",
    "Expr": "an expression whose value is not used",
    "Import": "an import",
    "ImportFrom": "an import",
    "Assign": "an assignment",
    "AnnAssign": "an assignment",
    "Delete": "a deletion",
    "Global": "a name from outside",
    "Nonlocal": "a name from outside",
}
_KINDS: Final = {
    "Lambda": "a function in the text",
    "IfExp": "if-else (write where(c, a, b))",
    "ListComp": "a list",
    "List": "a list",
    "Dict": "a dictionary",
    "JoinedStr": "a text",
    "Tuple": "several values",
    "NamedExpr": ":=",
    "Await": "await",
    "Yield": "yield",
    "YieldFrom": "yield",
    "Starred": "*",
    "Set": "a set",
    "SetComp": "a set",
    "DictComp": "a dictionary",
    "Slice": "a part of an axis outside of brackets",
}


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
