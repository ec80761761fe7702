"""Terms to SymPy and back, for people who go on in SymPy; no proof rests on it.

SymPy evaluates what it is given, so what comes back is equal in value, and not as it was written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction
from functools import reduce
from typing import Any, Final

import sympy

from derive.language.array import component, push
from derive.language.notation import DOMAINS, SYMBOLS, relu, sqrt
from derive.language.term import (
    NATURALS,
    ONE,
    TRUE,
    Complaint,
    D,
    Term,
    at,
    domain_of,
    is_random,
    lift,
    name_of,
    names,
    place,
    substitute,
    succ,
    var,
)


class SymPyError(Complaint):
    """A term that SymPy cannot hold, or a SymPy object that is no term; the message says which part, and what to do."""


_ASSUMPTIONS: Final[Mapping[str, Mapping[str, bool]]] = {
    "positive": {"positive": True},
    "unit": {"positive": True},
    "nonnegative": {"nonnegative": True},
    "sign": {"real": True, "nonzero": True},
}


def to_sympy(term: Term, keep: Iterable[Term] = ()) -> Any:
    """Return a term as a SymPy object.

    Scalars become expressions, components `Indexed`, sums `Sum`, formulas relations. Named quantities are replaced by
    their definitions, symbols that SymPy does not have (σ, softmax) by theirs. An array becomes a `Lambda` from its
    indices to its component, a variable that is one an `IndexedBase`.

    Parameters
    ----------
    term : Term
    keep : iterable of Term
        Named quantities that stay symbols and are not replaced by their definitions.

    Returns
    -------
    sympy.Basic

    Raises
    ------
    SymPyError
        For densities and expectations over a space, ∀, random variables, and derivatives by a named quantity.

    Examples
    --------
    >>> from derive.language.notation import exp
    >>> from derive.language.term import D, var
    >>> x = var("x")
    >>> to_sympy(D(exp(2 * x), x)).doit()
    2*exp(2*x)
    """
    term = substitute(term, {quantity: var(name_of(quantity), *quantity.shape) for quantity in keep})
    if term.op == "var" and term.shape:
        return _base(term)
    if not term.shape:
        return _scalar(term)
    if term.op in {"eq", "ne", "le", "lt"}:
        return _scalar(term)
    places = _fresh(term)
    return sympy.Lambda(tuple(map(_index, places)), _scalar(component(term, places)))


def _fresh(term: Term) -> tuple[Term, ...]:
    return tuple(Term("idx", (axis,), f"i{n}") for n, axis in enumerate(term.shape, 1))


def _scalar(term: Term) -> Any:
    rule = _TO.get(term.op)
    if rule is None:
        raise SymPyError(f"SymPy has nothing for {term}: take the parts of it that are finite sums")
    return rule(term)


def _size(axis: Term) -> Any:
    if axis is NATURALS:
        return sympy.oo
    if axis.op == "num":
        return sympy.Integer(int(Fraction(str(axis.data))))
    if axis.op == "succ":
        return _size(axis.args[0]) + 1
    if axis.op != "size" or not isinstance(axis.data, tuple):
        raise SymPyError(f"SymPy has no sums over {axis}: it is a space and no size")
    return sympy.Symbol(name_of(axis), integer=True, **({"positive": True} if axis.data[1] else {"nonnegative": True}))


def _index(place_: Term) -> Any:
    if place_.op != "idx":
        return _scalar(place_)
    return sympy.Idx(sympy.Symbol(name_of(place_), integer=True), _size(place_.args[0]))


def _facts(variable: Term) -> Mapping[str, bool]:
    if is_random(variable):
        raise SymPyError(f"{variable} is random: SymPy holds it without its law only; take its expectation first")
    return _ASSUMPTIONS.get(DOMAINS[domain_of(variable)].range, {"real": True})


def _base(variable: Term) -> Any:
    label = sympy.Symbol(name_of(variable), **_facts(variable))
    return sympy.IndexedBase(label, shape=tuple(map(_size, variable.shape)))


def _component(term: Term) -> Any:
    array, *places = term.args
    if array.op == "var":
        return sympy.Indexed(_base(array), *map(_index, places))
    if array.op == "let":
        return _scalar(component(array.args[0], tuple(places)))
    if array.op == "rows":
        made, row = _definition(array), array.args[0]
        *outer, k = places
        m = _unused(row.shape[-1], term)
        return _scalar(push(made(lambda i: component(row, (*outer, i)), k, m)))
    return _scalar(push(term))


def _definition(term: Term) -> Callable[..., Term]:
    symbol = SYMBOLS[str(term.data)]
    if symbol.definition is None:
        raise SymPyError(f"SymPy has nothing for {symbol.words}, and it has no definition that could stand for it")
    return symbol.definition


def _unused(axis: Term, beside: Term) -> Term:
    """Return an index that nothing in a term is called like; definitions count."""
    taken, number = names(beside), 0
    while f"m{number}" in taken:
        number += 1
    return Term("idx", (axis,), f"m{number}")


def _reduced(term: Term) -> Any:
    made, row = _definition(term), term.args[0]
    return _scalar(push(made(lambda i: component(row, (i,)), _unused(row.shape[-1], term))))


def _applied(term: Term) -> Any:
    symbol = SYMBOLS[str(term.data)]
    if symbol.name == "relu":
        return sympy.Max(0, _scalar(term.args[0]))
    if symbol.sympy:
        value = getattr(sympy, symbol.sympy)
        return value(*map(_scalar, term.args)) if term.args else value
    return _scalar(_definition(term)(*term.args))


def _called(term: Term) -> Any:
    function, argument = term.args
    name, order = name_of(function), int(function.data[1])  # type: ignore[index]
    inner = _scalar(argument)
    unknown = sympy.Function(name)
    if not order:
        return unknown(inner)
    t = sympy.Dummy("t")
    return sympy.Subs(sympy.Derivative(unknown(t), (t, order)), t, inner)


def _over(kind: Any) -> Callable[[Term], Any]:
    def make(term: Term) -> Any:
        index, body = term.args
        return kind(_scalar(body), (_index(index), 0, _size(index.args[0]) - 1))

    return make


def _derivative(term: Term) -> Any:
    body, by = term.args
    base, _ = place(by)
    if base.op != "var":
        raise SymPyError(
            f"SymPy has no derivative by {base}, which is a named quantity: differentiate by a variable, or pass what "
            "is not to be opened as `keep`"
        )
    if body.shape or by.shape:
        return _scalar(push(term))
    return sympy.Derivative(_scalar(body), _scalar(by))


def _related(kind: Any) -> Callable[[Term], Any]:
    def make(term: Term) -> Any:
        left, right = term.args
        places = _fresh(left)
        sides = (component(side, places) if places else side for side in (left, right))
        return kind(*map(_scalar, sides), evaluate=False)

    return make


def _logical(kind: Any) -> Callable[[Term], Any]:
    return lambda term: kind(*map(_scalar, term.args), evaluate=False)


def _delta(term: Term) -> Any:
    return sympy.KroneckerDelta(*map(_index, term.args))


def _number(term: Term) -> Any:
    value = Fraction(str(term.data))
    return sympy.Rational(value.numerator, value.denominator)


_TO: Final[dict[str, Callable[[Term], Any]]] = {
    "num": _number,
    "size": _size,
    "succ": _size,
    "idx": _index,
    "var": lambda t: sympy.Symbol(name_of(t), **_facts(t)),
    "let": lambda t: _scalar(t.args[0]),
    "add": lambda t: _scalar(t.args[0]) + _scalar(t.args[1]),
    "sub": lambda t: _scalar(t.args[0]) - _scalar(t.args[1]),
    "mul": lambda t: _scalar(t.args[0]) * _scalar(t.args[1]),
    "div": lambda t: _scalar(t.args[0]) / _scalar(t.args[1]),
    "pow": lambda t: _scalar(t.args[0]) ** _scalar(t.args[1]),
    "neg": lambda t: -_scalar(t.args[0]),
    "app": _applied,
    "call": _called,
    "at": _component,
    "matmul": lambda t: _scalar(push(t)),
    "sumax": lambda t: _scalar(push(t)),
    "reduce": _reduced,
    "delta": _delta,
    "D": _derivative,
    "sum": _over(sympy.Sum),
    "prod": _over(sympy.Product),
    "eq": _related(sympy.Eq),
    "ne": _related(sympy.Ne),
    "le": _related(sympy.Le),
    "lt": _related(sympy.Lt),
    "and": _logical(sympy.And),
    "implies": _logical(sympy.Implies),
    "iff": _logical(sympy.Equivalent),
    "true": lambda t: sympy.true,
}


# ---- and back -------------------------------------------------------------------------------------------------------


def from_sympy(expression: Any, known: Iterable[Term] = ()) -> Term:
    """Return a SymPy object as a term.

    Parameters
    ----------
    expression : sympy.Basic
        What `to_sympy` makes: numbers, symbols, `Indexed`, `Sum`, `Product`, `Derivative`, relations, `Lambda` over
        indices, and the functions of the notation.
    known : iterable of Term
        Variables, sizes and indices that are meant by their names. A name that is not among them becomes a size where
        it is an integer, and otherwise a variable with the domain that its assumptions tell.

    Returns
    -------
    Term

    Raises
    ------
    SymPyError
        For what no term can say, such as a floating-point number: terms are exact.

    Examples
    --------
    >>> import sympy
    >>> from_sympy(sympy.exp(sympy.Symbol("x", real=True)) + 1)
    exp(x) + 1
    """
    return Reader(known).read(sympy.sympify(expression))


class Reader:
    """The terms that names stand for, and the rules by the class of a SymPy object."""

    def __init__(self, known: Iterable[Term]) -> None:
        self.known: dict[str, Term] = {name_of(term): term for term in known}

    def read(self, node: Any) -> Term:
        """Return an object as a term."""
        for kind, rule in _FROM:
            if isinstance(node, kind):
                return rule(self, node)
        raise SymPyError(
            f"a term has nothing for {type(node).__name__}, as in {node}: rewrite it with sums and functions"
        )

    def named(self, name: str, make: Callable[[], Term]) -> Term:
        """Return what a name stands for, made where it is new."""
        if name not in self.known:
            self.known[name] = make()
        return self.known[name]

    def size(self, extent: Any) -> Term:
        """Return a size from a number of indices."""
        if extent is sympy.oo:
            return NATURALS
        if isinstance(extent, sympy.Symbol):
            return self.symbol(extent)
        if extent.is_Integer:
            return lift(int(extent))
        rest, one = extent.as_coeff_Add()[::-1]
        if one.is_Integer and one > 0:
            return reduce(lambda number, _: succ(number), range(int(one)), self.size(rest))
        raise SymPyError(f"{extent} is no size: a sum goes from 0 to K − 1")

    def symbol(self, node: Any) -> Term:
        """A symbol is a size where it is an integer, and otherwise a variable."""
        name = str(node.name)
        if node.is_integer:
            return self.named(name, lambda: Term("size", (), (name, 1 if node.is_positive else 0)))
        return self.named(name, lambda: Term("var", (), (name, domain_of_symbol(node))))

    def index(self, node: Any) -> Term:
        """An index with its range."""
        name = str(node.label)
        if node.upper is None:
            raise SymPyError(f"the index {name} has no range: make it with sympy.Idx(name, K)")
        return self.named(name, lambda: Term("idx", (self.size(node.upper + 1),), name))

    def place(self, node: Any) -> Term:
        """What stands in brackets."""
        return self.index(node) if isinstance(node, sympy.Idx) else self.read(node)

    def component(self, node: Any) -> Term:
        """A component of an array."""
        places = tuple(map(self.place, node.indices))
        return at(self.array(node.base, [p.args[0] if p.op == "idx" else NATURALS for p in places]), places)

    def array(self, base: Any, axes: list[Term] | None = None) -> Term:
        """The variable of an IndexedBase."""
        name = str(base.label)
        if base.shape is None and axes is None and name not in self.known:
            raise SymPyError(f"the array {name} has no shape: make it with sympy.IndexedBase(name, shape=(…))")
        shape = tuple(map(self.size, base.shape)) if base.shape is not None else tuple(axes or ())
        return self.named(name, lambda: Term("var", shape, (name, domain_of_symbol(base.label))))

    def number(self, node: Any) -> Term:
        """A rational number."""
        return lift(Fraction(int(node.p), int(node.q)))

    def power(self, node: Any) -> Term:
        """A power, a root or a reciprocal."""
        base, exponent = node.as_base_exp()
        if exponent == sympy.Rational(1, 2):
            return sqrt(self.read(base))
        if exponent.could_extract_minus_sign():
            return ONE / self.read(sympy.Pow(base, -exponent))
        return self.read(base) ** self.read(exponent)

    def product(self, node: Any) -> Term:
        """A product or a quotient."""
        above, below = node.as_numer_denom() if node.is_commutative else (node, sympy.S.One)
        if below is not sympy.S.One and above is not node:
            return self.read(above) / self.read(below)
        if node.could_extract_minus_sign():
            return -self.read(-node)
        return reduce(lambda a, b: a * b, map(self.read, node.as_ordered_factors()))

    def sum(self, node: Any) -> Term:
        """A sum and its differences."""
        first, *others = node.as_ordered_terms()
        total = self.read(first)
        for other in others:
            minus = other.could_extract_minus_sign()
            total = total - self.read(-other) if minus else total + self.read(other)
        return total

    def over(self, op: str) -> Callable[[Any], Term]:
        """Return the rule of a sum or a product over indices."""

        def make(node: Any) -> Term:
            limits: list[tuple[str, Term, Term | None]] = []
            for index, low, high in node.limits:
                name = self.key(getattr(index, "label", index))
                limits.append((name, self.axis(low, high), self.known.get(name)))
            for name, axis, _ in limits:
                self.known[name] = Term("idx", (axis,), name)
            body = self.read(node.function)
            for name, _, before in limits:
                body = Term(op, (self.known.pop(name), body))
                if before is not None:
                    self.known[name] = before
            return body

        return make

    def key(self, symbol: Any) -> str:
        """Return the name by which a symbol is known."""
        return str(symbol)

    def axis(self, low: Any, high: Any) -> Term:
        """Return the range of an index of a sum, from 0 on."""
        if low != 0:
            raise SymPyError(f"a sum or product begins at {low}: shift the index, so that it begins at 0")
        return self.size(high + 1)

    def derivative(self, node: Any) -> Term:
        """A derivative by variables."""
        body = node.expr
        if isinstance(body, sympy.core.function.AppliedUndef) and node.variables == (body.args[0],) * len(
            node.variables
        ):
            return self.unknown(body, len(node.variables), body.args[0])
        term = self.read(body)
        for variable in node.variables:
            term = D(term, self.read(variable))
        return term

    def put(self, node: Any) -> Term:
        """φ′(u), which SymPy writes as a derivative at a place."""
        inner = node.expr
        if isinstance(inner, sympy.Derivative) and isinstance(inner.expr, sympy.core.function.AppliedUndef):
            return self.unknown(inner.expr, len(inner.variables), node.point[0])
        return self.read(inner.subs(dict(zip(node.variables, node.point, strict=True))))

    def unknown(self, node: Any, order: int, argument: Any) -> Term:
        """An unknown function, or a derivative of one."""
        if len(node.args) != 1:
            raise SymPyError(f"{node} has {len(node.args)} arguments: unknown functions have one")
        return Term("call", (Term("fun", (), (str(node.func), order)), self.read(argument)))

    def function(self, node: Any) -> Term:
        """A function of the notation."""
        name = _NAMES.get(type(node).__name__)
        if name is None:
            raise SymPyError(
                f"the notation has no function {type(node).__name__}: rewrite {node} with {', '.join(_NAMES)}"
            )
        return Term("app", tuple(map(self.read, node.args)), name)

    def largest(self, node: Any) -> Term:
        """Max(0, u) is relu(u)."""
        parts = [arg for arg in node.args if arg != 0]
        if len(parts) != 1 or len(node.args) != 2:
            raise SymPyError(f"a term has nothing for {node}: only Max(0, u) has a name, relu")
        return relu(self.read(parts[0]))

    def delta(self, node: Any) -> Term:
        """Kronecker's delta."""
        return Term("delta", tuple(map(self.place, node.args[:2])))

    def relation(self, op: str) -> Callable[[Any], Term]:
        """Return the rule of a relation."""
        return lambda node: Term(op, (self.read(node.lhs), self.read(node.rhs)))

    def reverse(self, op: str) -> Callable[[Any], Term]:
        """Return the rule of a relation that is written the other way round."""
        return lambda node: Term(op, (self.read(node.rhs), self.read(node.lhs)))

    def logical(self, op: str) -> Callable[[Any], Term]:
        """Return the rule of a connective."""
        return lambda node: reduce(lambda a, b: Term(op, (a, b)), map(self.read, node.args))

    def comprehension(self, node: Any) -> Term:
        """An array by its components."""
        places = [self.place(symbol) for symbol in node.variables]
        if any(p.op != "idx" for p in places):
            raise SymPyError(f"{node} is no array: its arguments are not of sympy.Idx")
        return Term("array", (*places, self.read(node.expr)))


def domain_of_symbol(symbol: Any) -> str:
    """Return the domain of a variable that a symbol of SymPy stands for, from its assumptions."""
    if symbol.is_positive:
        return "positive"
    return "nonnegative" if symbol.is_nonnegative else "real"


_NAMES: Final = {symbol.sympy: symbol.name for symbol in SYMBOLS.values() if symbol.sympy and symbol.arity}
_FROM: Final[tuple[tuple[Any, Callable[[Reader, Any], Term]], ...]] = (
    (sympy.Rational, Reader.number),
    (sympy.Idx, Reader.index),
    (sympy.Indexed, Reader.component),
    (sympy.IndexedBase, Reader.array),
    (sympy.Symbol, Reader.symbol),
    (type(sympy.pi), lambda reader, node: Term("app", (), "π")),
    (type(sympy.E), lambda reader, node: Term("app", (ONE,), "exp")),
    (sympy.Add, Reader.sum),
    (sympy.Mul, Reader.product),
    (sympy.exp, Reader.function),
    (sympy.Pow, Reader.power),
    (sympy.Max, Reader.largest),
    (sympy.KroneckerDelta, Reader.delta),
    (sympy.Sum, lambda reader, node: reader.over("sum")(node)),
    (sympy.Product, lambda reader, node: reader.over("prod")(node)),
    (sympy.Subs, Reader.put),
    (sympy.Derivative, Reader.derivative),
    (sympy.core.function.AppliedUndef, lambda reader, node: reader.unknown(node, 0, node.args[0])),
    (sympy.Lambda, Reader.comprehension),
    (sympy.Function, Reader.function),
    (sympy.Eq, lambda reader, node: reader.relation("eq")(node)),
    (sympy.Ne, lambda reader, node: reader.relation("ne")(node)),
    (sympy.Le, lambda reader, node: reader.relation("le")(node)),
    (sympy.Lt, lambda reader, node: reader.relation("lt")(node)),
    (sympy.Ge, lambda reader, node: reader.reverse("le")(node)),
    (sympy.Gt, lambda reader, node: reader.reverse("lt")(node)),
    (sympy.And, lambda reader, node: reader.logical("and")(node)),
    (sympy.Implies, lambda reader, node: reader.logical("implies")(node)),
    (sympy.Equivalent, lambda reader, node: reader.logical("iff")(node)),
    (type(sympy.true), lambda reader, node: TRUE),
)
