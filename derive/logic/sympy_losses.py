"""A SymPy expression as a loss: sums of indexed quantities, scalar functions, cases, and expressions of matrices.

Symbols are real numbers, whatever SymPy assumes of them, and sizes are at least 1. Indices may begin at 0 or at 1, for
each size in one way.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import reduce
from typing import Any, Final

import sympy
from sympy.matrices import expressions as matrices
from sympy.matrices.expressions.applyfunc import ElementwiseApplyFunction

from derive.language.array import bound_index, component
from derive.language.notation import exp, log, relu, step
from derive.language.parse import ParseError, printable
from derive.language.term import (
    Term,
    array,
    det,
    diag,
    eye,
    inv,
    is_number,
    lift,
    number_of,
    ones,
    outer,
    shape_text,
    size,
    trace,
    var,
)
from derive.logic.sympy_bridge import Reader, SymPyError, domain_of_symbol

HIGHEST: Final = 8  # power of a matrix


@dataclass(frozen=True)
class Matrix:
    """A matrix of SymPy's as an array: a row or a column is a vector, and one of 1 × 1 a number.

    Attributes
    ----------
    term : Term
    rows, columns : bool
        Which axes are there, and not of length one.
    """

    term: Term
    rows: bool
    columns: bool

    def holding(self, term: Term) -> Matrix:
        """Return a matrix of the same axes."""
        return Matrix(term, self.rows, self.columns)


def is_expression(value: object) -> bool:
    """Tell whether a value is an expression of SymPy."""
    return isinstance(value, sympy.Basic)


class Loss(Reader):
    """A loss that is read.

    Parameters
    ----------
    expression : sympy.Basic
        The loss, or an array for a Jacobian.

    Raises
    ------
    SymPyError
        For what no term can say.

    Examples
    --------
    >>> x, w = sympy.IndexedBase("x"), sympy.Symbol("w")
    >>> i, n = sympy.symbols("i n", integer=True)
    >>> Loss(sympy.Sum((x[i] - w) ** 2, (i, 1, n))).value
    Σ_i (x[i] − w)^2
    """

    def __init__(self, expression: Any) -> None:
        super().__init__(())
        self.starts: dict[Term, int] = {}
        self.owners: dict[str, Any] = {}
        expression = sympy.sympify(expression)
        for node in sympy.preorder_traversal(expression):
            self._sizes(node)
        matrix = isinstance(expression, matrices.MatrixExpr)
        self.value: Term = self.matrix(expression).term if matrix else self.read(expression)

    @property
    def variables(self) -> Mapping[str, Term]:
        """The variables by their names in SymPy."""
        return {name: term for name, term in self.known.items() if term.op == "var"}

    def variable(self, wanted: Any) -> Term:
        """Return the variable that a name, or an object of SymPy, stands for."""
        name = wanted if isinstance(wanted, str) else str(getattr(wanted, "label", getattr(wanted, "name", wanted)))
        if name not in self.variables:
            raise SymPyError(f"{name} is none of the variables: there are {', '.join(self.variables) or 'none'}")
        return self.variables[name]

    def read(self, node: Any) -> Term:
        """Return a scalar expression as a term."""
        for kind, rule in _SCALARS:
            if isinstance(node, kind):
                return rule(self, node)
        return super().read(node)

    # ---- names ----

    def _sizes(self, node: Any) -> None:
        """Find what is a size before anything is read: SymPy tells it by no assumption."""
        if isinstance(node, sympy.Sum | sympy.Product):
            for limit in node.limits:
                if len(limit) != 3:
                    raise SymPyError(f"{node} has no limits: write (i, 0, N - 1)")
                if limit[1] not in {0, 1}:
                    raise SymPyError(f"{node} begins at {limit[1]}: a sum goes from 0 to N − 1, or from 1 to N")
                self.size(limit[2] - limit[1] + 1)
        elif isinstance(node, sympy.IndexedBase | sympy.MatrixSymbol) and node.shape is not None:
            for extent in node.shape:
                self.size(extent)

    def size(self, extent: Any) -> Term:
        """Return a size from a number of indices."""
        if isinstance(extent, sympy.Symbol):
            return self.named(self.key(extent), lambda: size(_printed(extent)))
        return super().size(extent)

    def key(self, symbol: Any) -> str:
        """Return a name that no other symbol has: to SymPy symbols of one name may be different."""
        if isinstance(symbol, sympy.Dummy):
            return f"{symbol.name}_{symbol.dummy_index}"
        if self.owners.setdefault(str(symbol.name), symbol) != symbol:
            raise SymPyError(f"two symbols are called {symbol.name}, with different assumptions: name one otherwise")
        return str(symbol.name)

    def shaped(self, name: str, symbol: Any, axes: tuple[Term, ...]) -> Term:
        """Return the variable of a name, which has one shape throughout."""
        found = self.named(name, lambda: var(_printed(symbol), *axes, dom=domain_of_symbol(symbol)))
        if found.shape != axes:
            raise SymPyError(f"{name} is used with the shapes {shape_text(found.shape)} and {shape_text(axes)}")
        return found

    def symbol(self, node: Any) -> Term:
        """Return what a symbol stands for; what is no size is a variable."""
        found = self.known.get(self.key(node))
        if found is None or (found.op == "var" and found.shape):
            return self.shaped(self.key(node), node, ())
        if found.op == "idx":
            raise SymPyError(f"the index {node} is used as a number: it may stand in brackets only")
        return found

    def array(self, base: Any, axes: list[Term] | None = None) -> Term:
        """Return the variable of an IndexedBase."""
        if base.shape is None and axes is None and str(base.label) not in self.known:
            return super().array(base, axes)
        shape = tuple(map(self.size, base.shape)) if base.shape is not None else tuple(axes or ())
        return self.shaped(str(base.label), base.label, shape)

    def place(self, node: Any) -> Term:
        """Return an index from what stands in brackets."""
        label = getattr(node, "label", node)
        found = self.known.get(self.key(label)) if isinstance(label, sympy.Symbol) else None
        if found is None or found.op != "idx":
            raise SymPyError(
                f"{node} is no index of a sum around it: sizes are symbols, so that a position is an index"
            )
        return found

    # ---- sums and functions ----

    def axis(self, low: Any, high: Any) -> Term:
        """Return the range of an index of a sum, from 0 to N − 1 or from 1 to N."""
        axis = self.size(high - low + 1)
        if self.starts.setdefault(axis, int(low)) != low:
            raise SymPyError(f"an index of {axis} begins at 0 in one sum and at 1 in another: shift one of them")
        return axis

    def real(self, node: Any) -> Term:
        """A decimal is read as it is written."""
        return lift(Fraction(str(node)))

    def raised(self, node: Any) -> Term:
        """A power by a number, or exp(exponent·log(base))."""
        base, exponent = node.as_base_exp()
        if base is sympy.E:
            return exp(self.read(exponent))
        return super().power(node) if exponent.is_number else exp(self.read(exponent) * log(self.read(base)))

    def highest(self, node: Any) -> Term:
        """max(u, v) = v + relu(u − v)."""
        return reduce(_larger, sorted(map(self.read, node.args), key=lambda t: t.op == "num"))

    def lowest(self, node: Any) -> Term:
        """min(u, v) = u − relu(u − v)."""
        return reduce(lambda u, v: u - relu(u - v), sorted(map(self.read, node.args), key=lambda t: t.op == "num"))

    def cases(self, node: Any) -> Term:
        """The first value whose comparison holds, as where(…) chooses; the last case has to be for all others."""
        *first, (value, condition) = node.args
        if condition is not sympy.true:
            raise SymPyError(f"{node} has no value where no condition holds: end with (value, True)")
        result = self.read(value)
        for then, comparison in reversed(first):
            chosen = self.chosen(comparison)
            result = chosen * self.read(then) + (1 - chosen) * result
        return result

    def chosen(self, condition: Any) -> Term:
        """Return a comparison as 1 where it holds and 0 elsewhere."""
        if isinstance(condition, sympy.And):
            return reduce(lambda a, b: a * b, map(self.chosen, condition.args))
        if isinstance(condition, sympy.Or):
            return 1 - reduce(lambda a, b: a * b, (1 - self.chosen(c) for c in condition.args))
        if not isinstance(condition, sympy.Gt | sympy.Ge | sympy.Lt | sympy.Le):
            raise SymPyError(f"{condition} is no comparison by <, <=, > or >=")
        high, low = self.read(condition.gts), self.read(condition.lts)
        if isinstance(condition, sympy.Gt | sympy.Lt):
            return step(_gap(high, low))
        return 1 - step(_gap(low, high))

    # ---- matrices ----

    def matrix(self, node: Any) -> Matrix:
        """Return an expression of matrices."""
        for kind, rule in _MATRICES:
            if isinstance(node, kind):
                return rule(self, node)
        if not isinstance(node, matrices.MatrixExpr):
            return Matrix(self.read(node), False, False)
        raise SymPyError(f"a loss has nothing for {type(node).__name__}, as in {node}")

    def symbols(self, node: Any) -> Matrix:
        """A matrix by its name."""
        axes = [None if extent == 1 else self.size(extent) for extent in node.shape]
        there = [axis for axis in axes if axis is not None]
        return Matrix(self.shaped(str(node.name), node, tuple(there)), axes[0] is not None, axes[1] is not None)

    def multiplied(self, node: Any) -> Matrix:
        """A product of numbers and matrices, from the left."""
        numbers = [arg for arg in node.args if not getattr(arg, "is_Matrix", False)]
        product = reduce(_product, [self.matrix(arg) for arg in node.args if getattr(arg, "is_Matrix", False)])
        if not numbers:
            return product
        factor = self.read(sympy.Mul(*numbers))
        return product.holding(-product.term if is_number(factor, -1) else factor * product.term)

    def plus(self, node: Any) -> Matrix:
        """A sum; what begins with a minus is subtracted."""
        parts = [(self.matrix(arg), arg) for arg in node.args]
        parts.sort(key=lambda part: part[0].term.op == "neg")
        total = parts[0][0]
        for part, _ in parts[1:]:
            minus = part.term.op == "neg"
            total = total.holding(total.term - part.term.args[0] if minus else total.term + part.term)
        return total

    def transposed(self, node: Any) -> Matrix:
        """A transpose, which of a vector is the same array."""
        inner = self.matrix(node.arg)
        term = inner.term.T if inner.rows and inner.columns else inner.term
        return Matrix(term, inner.columns, inner.rows)

    def inverse(self, node: Any) -> Matrix:
        """An inverse matrix, of one number its reciprocal."""
        inner = self.matrix(node.arg)
        return inner.holding(inv(inner.term) if inner.rows else 1 / inner.term)

    def matrix_power(self, node: Any) -> Matrix:
        """A small power of a matrix as a product."""
        count = node.exp
        if not count.is_Integer or not 0 < abs(count) <= HIGHEST:
            raise SymPyError(f"{node}: powers of matrices go up to {HIGHEST}")
        base = self.matrix(node.base)
        base = base if count > 0 else base.holding(inv(base.term) if base.rows else 1 / base.term)
        return reduce(_product, [base] * int(abs(count)))

    def hadamard(self, node: Any) -> Matrix:
        """A product of components."""
        parts = [self.matrix(arg) for arg in node.args]
        return parts[0].holding(reduce(lambda a, b: a * b, (part.term for part in parts)))

    def hadamard_power(self, node: Any) -> Matrix:
        """A power of components."""
        base = self.matrix(node.base)
        exponent = self.read(node.exp)
        if exponent.op != "num":
            return base.holding(exp(exponent * log(base.term)))
        power = number_of(exponent)
        return base.holding(base.term**exponent if power > 0 else 1 / base.term ** lift(-power))

    def applied(self, node: Any) -> Matrix:
        """A function of each component."""
        inner = self.matrix(node.expr)
        places: list[Term] = []
        for axis in inner.term.shape:
            places.append(bound_index(axis, inner.term, *places))
        (symbol,) = node.function.variables
        name = self.key(symbol)
        before = self.known.get(name)
        self.known[name] = component(inner.term, tuple(places)) if places else inner.term
        body = self.read(node.function.expr)
        del self.known[name]
        if before is not None:
            self.known[name] = before
        return inner.holding(array(body, *places) if places else body)

    def all_ones(self, node: Any) -> Matrix:
        """A matrix of ones."""
        rows, columns = (None if extent == 1 else self.size(extent) for extent in node.shape)
        vectors = [ones(axis) for axis in (rows, columns) if axis is not None]
        return Matrix(reduce(outer, vectors) if vectors else lift(1), rows is not None, columns is not None)

    def entry(self, node: Any) -> Term:
        """A component of a matrix; of an axis of length one the position is 0."""
        inner = self.matrix(node.parent)
        wanted = [(node.i, inner.rows), (node.j, inner.columns)]
        if any(position != 0 for position, there in wanted if not there):
            raise SymPyError(f"{node}: along an axis of length one the position is 0")
        return component(inner.term, tuple(self.place(position) for position, there in wanted if there))

    def square(self, node: Any) -> Matrix:
        """The matrix that a trace or a determinant is of."""
        inner = self.matrix(node.arg)
        return inner if inner.rows and inner.columns else Matrix(inner.term, False, False)

    def traced(self, node: Any) -> Term:
        """A trace."""
        inner = self.square(node)
        return trace(inner.term) if inner.rows else inner.term

    def determinant(self, node: Any) -> Term:
        """A determinant."""
        inner = self.square(node)
        return det(inner.term) if inner.rows else inner.term


def _product(one: Matrix, other: Matrix) -> Matrix:
    """A product of two matrices: over an axis, or of an outer product, or by a number."""
    if one.columns:
        return Matrix(one.term @ other.term, one.rows, other.columns)
    if one.rows and other.columns:
        return Matrix(outer(one.term, other.term), True, True)
    return Matrix(one.term * other.term, one.rows, other.columns)


def _larger(u: Term, v: Term) -> Term:
    return relu(u) if is_number(v, 0) else v + relu(u - v)


def _gap(high: Term, low: Term) -> Term:
    return high if is_number(low, 0) else high - low


def _printed(symbol: Any) -> str:
    try:
        return printable(str(symbol.name))
    except ParseError as error:
        raise SymPyError(str(error)) from None


_SCALARS: Final[tuple[tuple[Any, Callable[[Loss, Any], Term]], ...]] = (
    (sympy.Float, Loss.real),
    (sympy.Symbol, Loss.symbol),
    (sympy.Indexed, Reader.component),
    (sympy.Sum, lambda loss, node: loss.over("sum")(node)),
    (sympy.Product, lambda loss, node: loss.over("prod")(node)),
    (sympy.exp, Reader.function),
    (sympy.Pow, Loss.raised),
    (sympy.Max, Loss.highest),
    (sympy.Min, Loss.lowest),
    (sympy.Piecewise, Loss.cases),
    (matrices.Trace, Loss.traced),
    (matrices.Determinant, Loss.determinant),
    (matrices.matexpr.MatrixElement, Loss.entry),
)
_MATRICES: Final[tuple[tuple[Any, Callable[[Loss, Any], Matrix]], ...]] = (
    (sympy.MatrixSymbol, Loss.symbols),
    (matrices.MatMul, Loss.multiplied),
    (matrices.MatAdd, Loss.plus),
    (matrices.Transpose, Loss.transposed),
    (matrices.Inverse, Loss.inverse),
    (matrices.MatPow, Loss.matrix_power),
    (matrices.HadamardProduct, Loss.hadamard),
    (matrices.HadamardPower, Loss.hadamard_power),
    (ElementwiseApplyFunction, Loss.applied),
    (matrices.Identity, lambda loss, node: Matrix(eye(loss.size(node.shape[0])), True, True)),
    (matrices.special.OneMatrix, Loss.all_ones),
    (matrices.DiagMatrix, lambda loss, node: Matrix(diag(loss.matrix(node.arg).term), True, True)),
)
