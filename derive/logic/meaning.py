"""What a held term means to SymPy: a rational function over opaque atoms, decided without ever simplifying.

SymPy is imported when it is first needed, so that metadata can be read without it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache
from typing import Any

from derive.language.term import ONE, Term, alpha, ne, number_of

LARGEST_POWER = 256  # a larger power is an atom, since multiplying it out might never end
ARITHMETIC = frozenset(("add", "sub", "mul", "div", "neg", "pow", "num", "succ"))


def whole(exponent: Term) -> int | None:
    """Return a literal integer exponent that is not too large, or None."""
    if exponent.op == "neg":
        inner = whole(exponent.args[0])
        return None if inner is None else -inner
    value = number_of(exponent) if exponent.op == "num" else None
    return int(value) if value is not None and value.denominator == 1 and abs(value) <= LARGEST_POWER else None


def is_arithmetic(term: Term) -> bool:
    """Tell whether `algebra` looks into a term; every other term is an opaque atom to it."""
    return term.op in ARITHMETIC and (term.op != "pow" or whole(term.args[1]) is not None)


@cache
def atoms(term: Term) -> frozenset[Term]:
    """Return the opaque atoms of a scalar term, up to the renaming of bound names."""
    if term.op == "pow" and is_arithmetic(term):
        return atoms(term.args[0])
    if is_arithmetic(term):
        return frozenset[Term]().union(*map(atoms, term.args))
    if term.op == "delta":
        return frozenset() if term.args[0] is term.args[1] else frozenset([_delta(term)])
    return frozenset([alpha(term)])


@cache
def divisors(term: Term) -> frozenset[Term]:
    """Return the conditions that what a scalar term divides by is not 0."""
    if not is_arithmetic(term):
        return frozenset()
    own = frozenset[Term]()
    if term.op == "div":
        own = frozenset([ne(term.args[1], 0)])
    elif term.op == "pow" and (whole(term.args[1]) or 0) < 0:
        own = frozenset([ne(term.args[0], 0)])
    return own.union(*map(divisors, term.args))


def _delta(term: Term) -> Term:
    """[i = j] and [j = i] are one atom."""
    return Term("delta", tuple(sorted(term.args, key=lambda i: str(i.data))))


class _Fractions:
    """Scalar terms as pairs (numerator, denominator) of sparse polynomials over the rationals."""

    def __init__(self, generators: Iterable[Term]) -> None:
        from sympy.polys.domains import QQ
        from sympy.polys.rings import ring

        ordered = sorted(generators, key=lambda a: a.serial)
        _, *symbols = ring([f"a{n}" for n in range(len(ordered))], QQ) if ordered else ring(["a"], QQ)
        self.one = symbols[0].ring.one
        self.domain = QQ
        self.symbols = dict(zip(ordered, symbols, strict=False))
        self.idempotent = [n for n, a in enumerate(ordered) if a.op == "delta"]

    def pair(self, term: Term) -> tuple[Any, Any]:
        if is_arithmetic(term):
            return _OPERATIONS[term.op](self, term.args, term)
        if term.op == "delta":
            return (self.one, self.one) if term.args[0] is term.args[1] else (self.symbols[_delta(term)], self.one)
        return self.symbols[alpha(term)], self.one

    def vanishes(self, polynomial: Any) -> bool:
        """Tell whether a polynomial is zero where δ² = δ."""
        total: dict[tuple[int, ...], Any] = {}
        for monomial, coefficient in polynomial.terms():
            key = tuple(min(e, 1) if n in self.idempotent else e for n, e in enumerate(monomial))
            total[key] = total.get(key, 0) + coefficient
        return not any(total.values())


def _add(f: _Fractions, args: tuple[Term, ...], term: Term) -> tuple[Any, Any]:
    (a, b), (c, d) = f.pair(args[0]), f.pair(args[1])
    sign = 1 if term.op == "add" else -1
    return (a + sign * c, b) if b == d else (a * d + sign * c * b, b * d)


def _mul(f: _Fractions, args: tuple[Term, ...], term: Term) -> tuple[Any, Any]:
    (a, b), (c, d) = f.pair(args[0]), f.pair(args[1])
    return a * c, b * d


def _div(f: _Fractions, args: tuple[Term, ...], term: Term) -> tuple[Any, Any]:
    (a, b), (c, d) = f.pair(args[0]), f.pair(args[1])
    return a * d, b * c


def _neg(f: _Fractions, args: tuple[Term, ...], term: Term) -> tuple[Any, Any]:
    a, b = f.pair(args[0])
    return -a, b


def _pow(f: _Fractions, args: tuple[Term, ...], term: Term) -> tuple[Any, Any]:
    (a, b), n = f.pair(args[0]), whole(args[1]) or 0
    if n == 0:  # u⁰ is 1 for every u that is defined, 0 too
        return f.one, f.one
    return (a**n, b**n) if n >= 0 else (b**-n, a**-n)


def _num(f: _Fractions, args: tuple[Term, ...], term: Term) -> tuple[Any, Any]:
    value = number_of(term)
    return f.one * f.domain(value.numerator, value.denominator), f.one


def _succ(f: _Fractions, args: tuple[Term, ...], term: Term) -> tuple[Any, Any]:
    return _add(f, (args[0], ONE), Term("add", (args[0], ONE)))


_OPERATIONS: dict[str, Callable[[_Fractions, tuple[Term, ...], Term], tuple[Any, Any]]] = {
    "add": _add, "sub": _add, "mul": _mul, "div": _div, "neg": _neg, "pow": _pow, "num": _num, "succ": _succ,
}  # fmt: skip


@cache
def rationally_equal(left: Term, right: Term) -> bool:
    """Tell whether two scalar terms are one rational function of their atoms: left − right cancels to 0."""
    if alpha(left) is alpha(right):
        return True
    fractions = _Fractions(atoms(left) | atoms(right))
    (a, b), (c, d) = fractions.pair(left), fractions.pair(right)
    if not b or not d:
        return False
    return fractions.vanishes(a * d - c * b)
