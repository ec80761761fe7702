"""A term as lines of NumPy, printed by SymPy's lambdify with a printer of ours.

SymPy holds the expression and writes the function; the forms that it has no word for (a matrix product, a sum over an
axis, a stable primitive) are functions of ours that carry their own template. Nothing is evaluated on the way: what
the author wrote is what is printed.
"""

# ruff: noqa: ARG002 - the methods for operators have one signature, though not each needs the indices in scope

from __future__ import annotations

import inspect
import keyword
import math
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from typing import Any, Final

import sympy
from sympy.printing.numpy import NumPyPrinter
from sympy.printing.precedence import PRECEDENCE

from derive.kernels.contracting import contracted, moved
from derive.kernels.raising import raised
from derive.kernels.stabilise import Stabiliser
from derive.language.notation import SYMBOLS
from derive.language.term import (
    ONE,
    Complaint,
    Term,
    array,
    at,
    bound,
    free,
    index,
    is_ones,
    name_of,
    names,
    place,
    subterms,
)

ATOM, CALL, POWER, PRODUCT = (PRECEDENCE[name] for name in ("Atom", "Func", "Pow", "Mul"))
LOOSE: Final = 0  # an argument that needs no brackets


class KernelError(Complaint):
    """A term that cannot be compiled; the message says which part, and what to write instead."""


# ---- SymPy as the holder of forms --------------------------------------------------------------------------------


class Form(sympy.Function):  # type: ignore[misc]
    """A function that prints by its template; SymPy's printers look at classes, so each template has its own."""

    template = "{0}"
    levels: tuple[int, ...] = ()


@cache
def form(template: str, precedence: int = CALL, levels: tuple[int, ...] = ()) -> Callable[..., Any]:
    """Return the maker of forms of a template: "{0} @ {1}" with what needs brackets in it."""
    body = {"template": template, "levels": levels, "precedence": precedence}
    made: Callable[..., Any] = type("Form", (Form,), body)
    return made


class Printer(NumPyPrinter):  # type: ignore[misc]
    """NumPy's own operators for the forms, in the author's order."""

    def __init__(self) -> None:
        super().__init__({"fully_qualified_modules": False, "inline": True, "order": "none"})

    def _print_Form(self, expr: Form) -> str:  # noqa: N802 - SymPy looks for the class's name
        levels = expr.levels or (LOOSE,) * len(expr.args)
        return expr.template.format(*(self.parenthesize(arg, n) for arg, n in zip(expr.args, levels, strict=True)))

    def parenthesize(self, item: Any, level: int, strict: bool = False) -> str:
        """Put a product of matrices in brackets below a minus too, where SymPy takes the level of a sum."""
        if isinstance(item, Form) and item.precedence < PRODUCT and level >= PRECEDENCE["Add"]:
            return f"({self._print(item)})"
        return str(super().parenthesize(item, level, strict))

    def _print_Function(self, expr: Form) -> str:  # noqa: N802 - SymPy looks for the class's name
        return self._print_Form(expr)


MATMUL = form("{0} @ {1}", PRODUCT - 1, (PRODUCT, PRODUCT))  # a factor of a product is put in brackets
TRANSPOSE = form("{0}.T", CALL, (POWER,))
SOLVE = form("np.linalg.solve({0}, {1})")
OUTER = form("np.multiply.outer({0}, {1})")


def _add(*terms: Any) -> Any:
    return sympy.Add(*terms, evaluate=False)


def _mul(*factors: Any) -> Any:
    return sympy.Mul(*factors, evaluate=False)


def _pow(base: Any, exponent: Any) -> Any:
    return sympy.Pow(base, exponent, evaluate=False)


def _neg(term: Any) -> Any:
    return _mul(sympy.Integer(-1), term)


_ARITHMETIC: dict[str, Callable[..., Any]] = {
    "add": _add,
    "sub": lambda a, b: _add(a, _neg(b)),
    "mul": lambda a, b: _mul(*sympy.Mul.make_args(a), *sympy.Mul.make_args(b)) if not _signed(a, b) else _mul(a, b),
    "div": lambda a, b: _mul(a, _pow(b, sympy.Integer(-1))),
    "neg": _neg,
    "pow": _pow,
}


def _signed(*factors: Any) -> bool:
    """Whether a sign or a quotient is among the factors, so that running them together would move it."""
    parts = [part for factor in factors for part in sympy.Mul.make_args(factor)]
    return any(part.is_Number or (part.is_Pow and part.exp == -1) for part in parts)


def number(value: Fraction) -> Any:
    """Return a number that prints as an int or a Python float: NumPy's own scalars would widen float32."""
    if value.denominator == 1:
        return sympy.Integer(value.numerator)
    if Fraction(float(value)) == value and value > 0:
        return form(repr(float(value)), ATOM)()
    return form(f"{value.numerator}/{value.denominator}", PRODUCT)()


# ---- what symbols become -----------------------------------------------------------------------------------------

_NUMPY = {
    **{name: f"np.{name}({{0}})" for name in ("exp", "log", "sqrt", "tanh", "sin", "cos", "sign", "floor", "abs")},
    **{name: f"np.{name}({{0}})" for name in ("log1p", "expm1")},
    "π": "np.pi",
    "max": "np.max({0}, axis=-1)",
    "prod": "np.prod({0}, axis=-1)",
    **{name: f"np.{name}({{0}}, {{1}})" for name in ("maximum", "minimum")},
    "logaddexp": "np.logaddexp({0}, {1})",
    "where": "np.where({0} > 0, {1}, {2})",
    "σ": "_sigmoid({0})",
    "kl": "_kl_gap({0}, {1})",
}
_TEXTBOOK = {
    **{name: f"np.{name}({{0}})" for name in ("exp", "log", "sqrt", "tanh", "sin", "cos")},
    "π": "np.pi",
    "erf": "_erf_series({0})",
    "sign": "np.sign(np.real({0}))",
    "floor": "np.floor(np.real({0}))",
    "step": "np.where(np.real({0}) > 0, 1.0, 0.0)",
    "max": "np.max({0}, axis=-1)",
    "prod": "np.prod({0}, axis=-1)",
    **{name: f"_{name}({{0}})" for name in ("gammaln", "digamma", "trigamma")},
    "relu": "np.where(np.real({0}) > 0, {0}, 0)",
    "abs": "np.where(np.real({0}) > 0, {0}, -({0}))",
    "norm": "np.sqrt((({0}) ** 2).sum(axis=-1))",
    "squared_norm": "(({0}) ** 2).sum(axis=-1)",
}
_FOLDED: dict[str, Callable[[float], float]] = {"exp": math.exp, "log": math.log, "sqrt": math.sqrt, "tanh": math.tanh}


@dataclass(frozen=True)
class Dialect:
    """A way to write kernels: what each symbol prints as, and whether terms are made stable first."""

    symbols: Mapping[str, str]
    primitives: frozenset[str]
    stable: bool

    def template(self, name: str, arity: int) -> str | None:
        """Return the template of a symbol; None where it is to be written by its definition."""
        if name in self.symbols:
            return self.symbols[name]
        return f"_{name}({', '.join(f'{{{n}}}' for n in range(arity))})" if name in self.primitives else None


def stable_dialect(primitives: Iterable[str]) -> Dialect:
    """Return the dialect of kernels: the primitives of `stable.py`."""
    return Dialect(_NUMPY, frozenset(primitives), stable=True)


def textbook_dialect() -> Dialect:
    """Return the dialect of losses as a textbook writes them: analytic operations, fit for a complex step."""
    return Dialect(_TEXTBOOK, frozenset(), stable=False)


# ---- names -------------------------------------------------------------------------------------------------------


def identifier(name: str) -> str:
    """Return a name as Python takes it: W₁ is W1, x̂ is x_hat, λ stays λ, and lambda is lambda_."""
    plain = unicodedata.normalize("NFKC", name.replace("′", "_prime")).replace("\u0302", "_hat")
    wanted = "".join(c if f"a{c}".isidentifier() else "_" for c in plain)
    if keyword.iskeyword(wanted):
        return f"{wanted}_"
    return wanted if wanted.isidentifier() else f"_{wanted}"


class Names:
    """Python names for symbols: W₁ is W1, and no two symbols share one."""

    def __init__(self, reserved: Iterable[str]) -> None:
        self._taken = set(reserved)
        self._names: dict[Term, str] = {}

    def __getitem__(self, symbol: Term) -> str:
        if symbol not in self._names:
            self._names[symbol] = self.fresh(name_of(symbol))
        return self._names[symbol]

    def fresh(self, name: str) -> str:
        """Return an identifier like a name, not taken so far."""
        wanted = identifier(name)
        while wanted in self._taken:
            wanted += "_"
        self._taken.add(wanted)
        return wanted


# ---- terms to expressions ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Piece:
    """An expression whose leading axes are these indices; the axes of an array term follow."""

    expr: Any
    axes: tuple[Term, ...] = ()


class Translator:
    """Turns terms into assignments: one for each named quantity and each size, in the order of need.

    Parameters
    ----------
    inputs : sequence of Term
        The function's arguments.
    dialect : Dialect
    reserved : iterable of str
        Python names that are taken.
    batch : Term or None
        The size by which one divides for the mean over examples; it is printed as `count`.
    """

    def __init__(self, inputs: Sequence[Term], dialect: Dialect, reserved: Iterable[str], batch: Term | None) -> None:
        self.inputs, self.dialect, self.batch = tuple(inputs), dialect, batch
        self.names = Names(reserved)
        self.elementwise = not any(term.shape for term in inputs)
        self.stabilise = Stabiliser({}) if dialect.stable else None
        self.arguments = [self.names[term] for term in inputs]
        self.assignments: list[tuple[Any, Any]] = []
        self.stable_terms: list[Term] = []
        self._shared: set[Term] = set()
        self._pairs: dict[Term, tuple[Term, Term]] = {}
        self._done: dict[Term, Any] = {batch: sympy.Symbol("count")} if batch is not None else {}

    def prepared(self, term: Term) -> Term:
        """Return a term in array notation and, in a kernel, in stable form."""
        term = raised(term)
        return self.stabilise(contracted(term)) if self.stabilise else term

    def share(self, terms: Iterable[Term]) -> None:
        """Find what the outputs compute more than once, through named quantities: it gets a name of its own."""
        if not self.stabilise:
            return
        roots, counts, seen = [self.prepared(term) for term in terms], Counter[Term](), set[Term]()
        while roots:
            term = roots.pop()
            counts[term] += 1
            if term in seen:
                continue
            seen.add(term)
            roots += [self.prepared(term.args[0])] if term.op == "let" else term.args
        for loss in [term for term in counts if term.data == "cross_entropy"]:
            delta = Term("app", loss.args, "softmax_minus")
            if delta in counts:
                self._pairs |= {loss: (loss, delta), delta: (loss, delta)}
        known = (term for term in counts if _shared_name(term))
        self._shared = {term for term in known if counts[term] > 1 and term.shape and not free(term)}

    def output(self, name: str, term: Term) -> Any:
        """Assign a term to a name, and return the symbol."""
        ready = self.prepared(term)
        self.stable_terms.append(ready)
        expr = self.whole(ready)
        symbol = sympy.Symbol(self.names.fresh(name))
        self.assignments.append((symbol, expr))
        return symbol

    def lines(self) -> list[str]:
        """Return the function's body, as lambdify prints it, without the return."""
        symbols = [sympy.Symbol(name) for name in self.arguments]
        last = self.assignments[-1][0]
        body = sympy.lambdify(
            symbols, [last], modules=[{}], printer=Printer(), cse=lambda results: (self.assignments, results)
        )
        printed = inspect.getsource(body).splitlines()
        lines = (_DOUBLE.sub(r"/(\1)", line.strip()) for line in printed[1:])
        return [line for line in lines if line and not line.startswith("return")]

    def whole(self, term: Term) -> Any:
        """Return the expression of a term without free indices."""
        piece = self._piece(term, ())
        if piece.axes:
            raise KernelError(f"{term} has the free index {piece.axes[0]}: write array(…, {piece.axes[0]})")
        return piece.expr

    def _named(self, term: Term) -> Any:
        """Return the symbol of a variable, a size or a named quantity, assigned where it is first needed."""
        if term not in self._done:
            self._done[term] = sympy.Symbol(self.names[term])
            expr = self._definition(term)
            if expr is not None:
                self.assignments.append((self._done[term], expr))
        return self._done[term]

    def _definition(self, term: Term) -> Any:
        if term.op == "size":
            return self._read_off(term)
        if term.op == "let":
            ready = self.prepared(term.args[0])
            self.stable_terms.append(ready)
            return self.whole(ready)
        if term not in self.inputs:
            raise KernelError(f"{term} is no input: list it among the kernel's inputs, or define it with let(…)")
        return None

    def _read_off(self, term: Term) -> Any:
        """A size is read off the first input that has it, targets last: those may come as labels."""
        for source in sorted(self.inputs, key=lambda v: v.data[1:] == ("simplex",) if isinstance(v.data, tuple) else 0):
            if term in source.shape:
                axis = source.shape.index(term)
                return form(f"{{0}}.shape[{axis}]", CALL, (POWER,))(sympy.Symbol(self.names[source]))
        raise KernelError(f"no input has an axis of size {term}, so its value is unknown: add one that has")

    # One method an operator. `context` holds the indices in scope, outermost first: the order of their axes.

    def _piece(self, term: Term, context: tuple[Term, ...]) -> Piece:
        if term in self._pairs:
            return Piece(self._computed_together(term))
        if term in self._shared:
            return Piece(self._computed_once(term))
        method = getattr(self, f"_{term.op}", None)
        if term.op in _ARITHMETIC:
            return self._arithmetic(term, context)
        if method is None:
            raise KernelError(
                f"{term} is no array to compute: {_REMEDY.get(term.op, 'rewrite it with sums and arrays')}"
            )
        piece: Piece = method(term, context)
        return piece

    def _computed_once(self, term: Term) -> Any:
        if term not in self._done:
            expr = getattr(self, f"_{term.op}")(term, ()).expr
            self._done[term] = sympy.Symbol(self.names.fresh(_shared_name(term)))
            self.assignments.append((self._done[term], expr))
        return self._done[term]

    def _computed_together(self, term: Term) -> Any:
        """The cross-entropies and their delta need the same exponentials."""
        if term not in self._done:
            pair = self._pairs[term]
            expr = form("_cross_entropy_and_delta({0}, {1})")(*map(self.whole, term.args))
            symbols = [self.names.fresh(_SHARED[str(part.data)]) for part in pair]
            self._done |= {part: sympy.Symbol(symbol) for part, symbol in zip(pair, symbols, strict=True)}
            self.assignments.append((sympy.Symbol(", ".join(symbols)), expr))
        return self._done[term]

    def _num(self, term: Term, context: tuple[Term, ...]) -> Piece:
        assert isinstance(term.data, (int, Fraction))
        return Piece(number(Fraction(term.data)))

    def _var(self, term: Term, context: tuple[Term, ...]) -> Piece:
        return Piece(self._named(term))

    _let = _size = _var

    def _arithmetic(self, term: Term, context: tuple[Term, ...]) -> Piece:
        exprs, axes = self._aligned(term.args, context)
        return Piece(_ARITHMETIC[term.op](*exprs), axes)

    def _aligned(self, terms: Sequence[Term], context: tuple[Term, ...]) -> tuple[list[Any], tuple[Term, ...]]:
        """Return expressions that broadcast together, and the indices that they then have."""
        columns = [_is_column(term) for term in terms]
        if any(len(term.shape) == 2 and not column for term, column in zip(terms, columns, strict=True)):
            pieces = [
                self._column(t) if column else self._piece(t, context) for t, column in zip(terms, columns, strict=True)
            ]
        else:
            pieces = [self._piece(term, context) for term in terms]
        axes = tuple(i for i in context if any(i in piece.axes for piece in pieces))
        ranks = [len(term.shape) for term in terms]
        return [_on_axes(piece, axes, max(ranks) - rank, rank) for piece, rank in zip(pieces, ranks, strict=True)], axes

    def _app(self, term: Term, context: tuple[Term, ...]) -> Piece:
        name = str(term.data)
        template = self.dialect.template(name, len(term.args))
        if template is None:
            definition = SYMBOLS[name].definition
            if definition is None:
                return self._branches(term, context)
            return self._piece(self.prepared(definition(*term.args)), context)
        if not term.args:
            return Piece(form(template, ATOM)())
        if _is_constant(term) if self.elementwise else _is_number(term):
            value = _constant(term)
            if value is not None:
                return Piece(form(repr(value), ATOM)() if value >= 0 else form(repr(value), PRECEDENCE["Add"])())
            template = f"float({template})" if self.dialect.stable else template
        exprs, axes = self._aligned(term.args, context)
        return Piece(form(template)(*exprs), axes)

    def _branches(self, term: Term, context: tuple[Term, ...]) -> Piece:
        raise KernelError(
            f"{term.data} has no NumPy form: give it a definition, or a primitive in derive.kernels.stable"
        )

    def _on_rows(self, term: Term, context: tuple[Term, ...]) -> Piece:
        name = str(term.data)
        template = self.dialect.template(name, len(term.args))
        if template is not None:
            return self._lastwise(term, template, context)
        return self._piece(self._by_components(term, name), context)

    _rows = _reduce = _on_rows

    def _by_components(self, term: Term, name: str) -> Term:
        """Write a symbol on rows by its definition, as an array of components."""
        argument, definition = term.args[0], SYMBOLS[name].definition
        if definition is None:
            raise KernelError(
                f"{name} has no NumPy form: give it a definition, or a primitive in derive.kernels.stable"
            )
        taken = names(term)
        places = [index(f"i{n}" + "′" * (f"i{n}" in taken), axis) for n, axis in enumerate(argument.shape)]
        summed = index("m′", argument.shape[-1])
        leading = places[:-1]
        row = lambda k: raised(at(argument, (*leading, k)))  # noqa: E731 - a row is a function of its place
        if term.op == "reduce":
            value = definition(row, summed)
            return raised(array(value, *leading)) if leading else value
        return array(definition(row, places[-1], summed), *places)

    def _lastwise(self, term: Term, template: str, context: tuple[Term, ...]) -> Piece:
        """A function of the last axis: an array's own, or the index of a comprehension as the last of the axes."""
        if len(term.args) == 1 and free(term.args[0]):
            whole = term.args[0]
            if whole.op != "array" or len(whole.args) != 2 or term.op != "reduce":
                raise KernelError(f"{term} mixes indices and whole arrays: write it with one of the two")
            inner = self._component(whole.args[1], whole.args[0], context)
            return Piece(form(template)(inner.expr), inner.axes[:-1])
        return Piece(form(template)(*(self.whole(arg) for arg in term.args)))

    def _component(self, body: Term, last: Term, context: tuple[Term, ...]) -> Piece:
        """Return a body whose last axis is the given index."""
        piece = self._piece(body, (*context, last))
        if last not in piece.axes:
            raise KernelError(f"{body} does not depend on {last}: take it out")
        return Piece(
            _on_axes(piece, _ordered(piece.axes, (*context, last)), 0, 0), _ordered(piece.axes, (*context, last))
        )

    def _at(self, term: Term, context: tuple[Term, ...]) -> Piece:
        whole, places = place(term)
        if free(whole):
            return self._row_at(whole, places, context)
        if len(set(places)) < len(places):
            if len(places) != 2:
                raise KernelError(f"{term} repeats an index: name the diagonal with let(…)")
            return Piece(form("{0}.diagonal()", CALL, (POWER,))(self.whole(whole)), places[:1])
        return Piece(self.whole(whole), places)

    def _row_at(self, whole: Term, places: tuple[Term, ...], context: tuple[Term, ...]) -> Piece:
        """A component of a symbol of rows, of a row that is written out at other indices."""
        row = whole.args[0] if whole.op == "rows" else whole
        template = self.dialect.template(str(whole.data), 1) if whole.op == "rows" else None
        if template is None or row.op != "array" or len(row.args) != 2 or places[0].op != "idx":
            raise KernelError(f"{at(whole, places)} mixes indices and whole arrays: write it with one of the two")
        inner = self._component(row.args[1], row.args[0], tuple(i for i in context if i is not row.args[0]))
        expr, leading = form(template)(inner.expr), inner.axes[:-1]
        if places[0] in leading:  # a component at an index that the row itself depends on
            expr = form(f"np.diagonal({{0}}, axis1={leading.index(places[0])}, axis2=-1)")(expr)
        return Piece(expr, (*(i for i in leading if i is not places[0]), places[0]))

    def _sum(self, term: Term, context: tuple[Term, ...]) -> Piece:
        return self._folded(term, context, "sum", lambda body, size: _mul(size, body))

    def _prod(self, term: Term, context: tuple[Term, ...]) -> Piece:
        return self._folded(term, context, "prod", _pow)

    def _folded(self, term: Term, context: tuple[Term, ...], method: str, constant: Callable[..., Any]) -> Piece:
        over, body = term.args
        piece = self._piece(body, (*context, over))
        if over not in piece.axes:
            return Piece(constant(piece.expr, self._named(over.args[0])), piece.axes)
        axes = _ordered(piece.axes, (*context, over))
        expr = _on_axes(piece, axes, 0, 0)
        return Piece(form(f"{{0}}.{method}(axis=-1)", CALL, (POWER,))(expr), axes[:-1])

    def _array(self, term: Term, context: tuple[Term, ...]) -> Piece:
        over, body = bound(term), term.args[-1]
        if free(term):
            raise KernelError(f"{term} mixes indices and whole arrays: write it with one of the two")
        piece = self._piece(body, over)
        expr = _on_axes(piece, over, 0, 0)
        if set(piece.axes) != set(over):
            sizes = [self._named(i.args[0]) for i in over]
            shape = ", ".join(f"{{{n}}}" for n in range(1, len(sizes) + 1)) + ("," if len(sizes) == 1 else "")
            if body is ONE:  # in integers, which leave float32 as it is
                return Piece(form(f"np.ones(({shape}), dtype=np.int8)")(expr, *sizes))
            expr = form(f"np.broadcast_to({{0}}, ({shape}))")(expr, *sizes)
        return Piece(expr)

    def _delta(self, term: Term, context: tuple[Term, ...]) -> Piece:
        i, j = term.args  # its integers leave float32 as it is, where NumPy's own float64 would not
        if i is j:
            return Piece(sympy.Integer(1))
        return Piece(form("np.eye({0}, dtype=np.int8)")(self._named(i.args[0])), (i, j))

    def _matmul(self, term: Term, context: tuple[Term, ...]) -> Piece:
        if term.args[0].op == "inv":  # one solves, and inverts nothing
            return Piece(SOLVE(self.whole(term.args[0].args[0]), self.whole(term.args[1])))
        turned = _solved_turned(*term.args)
        if turned is not None:
            return Piece(SOLVE(TRANSPOSE(self.whole(turned[0])), self.whole(turned[1])))
        if any(_is_tri(side) for side in term.args):
            return Piece(self._cumulative(*term.args))
        first = moved(term.args[0])
        if first is not None or len(term.args[1].shape) > 2:
            sides = term.args if first is None else (first, term.args[1])
            return Piece(form(f"np.tensordot({{0}}, {{1}}, {1 if first is None else (0, 0)})")(*map(self.whole, sides)))
        return Piece(MATMUL(*(self.whole(arg) for arg in term.args)))

    def _T(self, term: Term, context: tuple[Term, ...]) -> Piece:  # noqa: N802 - the operator's name
        return Piece(TRANSPOSE(self.whole(term.args[0])))

    def _cumulative(self, left: Term, right: Term) -> Any:
        """A product with the triangle of ones: cumulative sums down or along, from the other end for its transpose."""
        down = _is_tri(left)
        matrix, of = (left, right) if down else (right, left)
        if down == (matrix.op == "tri"):
            return form(f"{{0}}.cumsum(axis={0 if down else -1})", CALL, (POWER,))(self.whole(of))
        turned = "[::-1]" if down else "[..., ::-1]"
        return form(f"{{0}}{turned}.cumsum(axis={0 if down else -1}){turned}", CALL, (POWER,))(self.whole(of))

    def _tri(self, term: Term, context: tuple[Term, ...]) -> Piece:
        """The triangle of ones, in the arithmetic of an input that has its size."""
        source = next((source for source in self.inputs if term.args[0] in source.shape), None)
        kind = f"dtype={self.names[source]}.dtype" if source is not None else "dtype=np.int8"
        return Piece(form(f"np.tri({{0}}, {kind})")(self._named(term.args[0])))

    def _column(self, term: Term) -> Piece:
        """A vector in every column, beside an array that has the columns: NumPy broadcasts it."""
        return Piece(form("{0}[:, None]", CALL, (POWER,))(self.whole(term.args[0])))

    def _outer(self, term: Term, context: tuple[Term, ...]) -> Piece:
        return Piece(OUTER(*(self.whole(arg) for arg in term.args)))

    def _diag(self, term: Term, context: tuple[Term, ...]) -> Piece:
        return Piece(form("np.diag({0})")(self.whole(term.args[0])))

    def _eye(self, term: Term, context: tuple[Term, ...]) -> Piece:
        """The identity, in the arithmetic of an input that has its size."""
        source = next((source for source in self.inputs if term.args[0] in source.shape), None)
        kind = f"dtype={self.names[source]}.dtype" if source is not None else "dtype=np.int8"
        return Piece(form(f"np.eye({{0}}, {kind})")(self._named(term.args[0])))

    def _inv(self, term: Term, context: tuple[Term, ...]) -> Piece:
        return Piece(form("np.linalg.inv({0})")(self.whole(term.args[0])))

    def _det(self, term: Term, context: tuple[Term, ...]) -> Piece:
        return Piece(form("np.linalg.det({0})")(self.whole(term.args[0])))

    def _trace(self, term: Term, context: tuple[Term, ...]) -> Piece:
        return Piece(form("np.trace({0})")(self.whole(term.args[0])))

    def _sumax(self, term: Term, context: tuple[Term, ...]) -> Piece:
        return Piece(form(f"{{0}}.sum(axis={term.data})", CALL, (POWER,))(self.whole(term.args[0])))


_DOUBLE = re.compile(r"/\(\(([^()]*)\)\)")  # SymPy's brackets around a product below a line, twice

# What a value is called that is needed more than once, by the symbol or the operator that computes it.
_SHARED = {
    "matmul": "product",
    "sqrt": "root",
    "gaussian": "density",
    "σ": "probability",
    "softmax": "probabilities",
    "softmax_complement": "complements",
    "sigmoid_minus": "residual",
    "softmax_minus": "residual",
    "sigmoid_derivative": "slope",
    "tanh_derivative": "slope",
    "tanh": "activation",
    "exp": "exponential",
    "log_softmax": "log_probabilities",
    "logsumexp": "log_total",
    "cross_entropy": "losses",
    "binary_cross_entropy": "losses",
    "softplus": "losses",
    "expgap": "gap",
}
_REMEDY = {
    "D": "use the right side that was proved for the derivative",
    "call": "put a symbol of the notation in place of the unknown function",
    **dict.fromkeys(("expect", "mean", "integral"), "compile its closed form, or a finite sum"),
}


def _solved_turned(left: Term, right: Term) -> tuple[Term, Term] | None:
    """Return A and b of A⁻ᵀ b, written so or as bᵀ A⁻¹; None for anything else."""
    if left.op == "T" and left.args[0].op == "inv":
        return left.args[0].args[0], right
    if left.op == "inv" and left.args[0].op == "T":
        return left.args[0].args[0], right
    return (right.args[0], left) if right.op == "inv" and len(left.shape) == 1 else None


def _shared_name(term: Term) -> str:
    """Return what a value is called that is needed more than once; "" for what is as soon computed again."""
    return _SHARED.get(str(term.data) if term.op in {"app", "rows", "reduce"} else term.op, "")


def _ordered(axes: Sequence[Term], context: Sequence[Term]) -> tuple[Term, ...]:
    return tuple(i for i in context if i in axes)


def _on_axes(piece: Piece, axes: Sequence[Term], missing: int, rank: int) -> Any:
    """Return the expression with its axes in the given order, None where it has not got one, and `rank` own axes."""
    expr, wanted = piece.expr, _ordered(piece.axes, axes)
    if wanted != piece.axes:
        order = [piece.axes.index(i) for i in wanted] + [len(wanted) + n for n in range(rank)]
        flat = len(order) == 2 and not rank
        expr = TRANSPOSE(expr) if flat else form(f"{{0}}.transpose({', '.join(map(str, order))})", CALL, (POWER,))(expr)
    marks = [":" if i in wanted else "None" for i in axes] + ["None"] * (missing if wanted else 0) + [":"] * rank
    while marks and marks[0] == "None":
        marks.pop(0)
    if "None" not in marks:
        return expr
    return form(f"{{0}}[{', '.join(marks)}]", CALL, (POWER,))(expr)


def _is_tri(term: Term) -> bool:
    """Tell whether a term is the triangle of ones, or its transpose."""
    return term.op == "tri" or (term.op == "T" and term.args[0].op == "tri")


def _is_column(term: Term) -> bool:
    """Tell whether a term is a vector in every column, u 𝟏ᵀ."""
    return term.op == "outer" and len(term.args[0].shape) == 1 and is_ones(term.args[1])


def _is_number(term: Term) -> bool:
    """Tell whether a term holds no array: a number, a size or a scalar argument, which are Python numbers here."""
    return all(not part.shape for part in subterms(term))


def _is_constant(term: Term) -> bool:
    """Tell whether a term holds no argument of the function."""
    return all(part.op not in {"var", "size"} for part in subterms(term))


def _constant(term: Term) -> float | None:
    """Return the value of a function of an exact number, as a Python float; None for anything else."""
    inner = term.args[0]
    if str(term.data) not in _FOLDED or inner.op != "num" or not isinstance(inner.data, (int, Fraction)):
        return None
    try:
        return _FOLDED[str(term.data)](float(inner.data))
    except (ValueError, OverflowError):  # what is not defined, or too large, is for NumPy to compute
        return None
