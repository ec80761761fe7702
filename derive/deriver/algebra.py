"""Scalar terms as sums of products of atoms: what the search computes with. Nothing here is trusted.

A product of sums is not multiplied out: a sum that is a factor is an atom itself. Only brackets [i = j] are, so that
sums can be sifted. Forms are made of held terms again, in the author's order as far as it is known.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from contextvars import ContextVar
from fractions import Fraction
from functools import cache, reduce
from types import MappingProxyType
from typing import Final

from derive.language.array import component, push, row_of
from derive.language.notation import SYMBOLS, step
from derive.language.term import (
    ZERO,
    Complaint,
    Term,
    alpha,
    at,
    free,
    inv,
    lift,
    name_of,
    names,
    number_of,
    occurs,
    place,
    substitute,
    variant,
    δ,  # noqa: PLC2403 - Kronecker's own sign
)
from derive.logic.meaning import whole

Monomial = tuple[tuple[Term, Fraction], ...]
"Atoms with their powers, sorted."
Form = dict[Monomial, Fraction]
"A sum of monomials, each with its coefficient."

UNIT: Final[Monomial] = ()
LONGEST: Final = 2000  # bits of a number
MANY: Final = 400  # monomials, beyond which nothing is multiplied out


class DeriverError(Complaint):
    """A derivation that cannot go on; the message says where, and why.

    Attributes
    ----------
    part : Term or None
        The part of the loss that it cannot get past.
    """

    def __init__(self, message: str, part: Term | None = None) -> None:
        super().__init__(message)
        self.part = part


class LimitError(DeriverError):
    """A derivation that was stopped at a limit of time or memory."""


TOO_LONG: Final = "it takes longer than it was allowed: name parts of the loss, or allow more seconds"


DEADLINE: ContextVar[float] = ContextVar("DEADLINE", default=float("inf"))
"When a derivation is stopped, on the clock of `time.monotonic`."


def in_time() -> None:
    """Stop a derivation that takes too long; called between its steps.

    Raises
    ------
    DeriverError
        After the deadline.
    """
    if time.monotonic() > DEADLINE.get():
        raise LimitError(TOO_LONG)


def number(value: Fraction | int) -> Form:
    """Return a number as a form."""
    return {UNIT: Fraction(value)} if value else {}


def single(atom: Term, power: Fraction | int = 1) -> Form:
    """Return an atom as a form."""
    return {((alpha(atom), Fraction(power)),): Fraction(1)}


def added(*forms: Form) -> Form:
    """Return a sum, like monomials collected."""
    total: Form = {}
    for form in map(opened, forms):
        for monomial, coefficient in form.items():
            total[monomial] = total.get(monomial, Fraction(0)) + coefficient
    return {m: c for m, c in total.items() if c}


def opened(form: Form) -> Form:
    """Return a form without brackets around a sum that is no factor: ±(a + b) is ±a ± b."""
    if not any(_is_bare_sum(m, c) for m, c in form.items()):
        return form
    total: Form = {}
    for monomial, coefficient in form.items():
        parts = scaled(opened(flat(monomial[0][0])), coefficient) if _is_bare_sum(monomial, coefficient) else None
        for m, c in (parts or {monomial: coefficient}).items():
            total[m] = total.get(m, Fraction(0)) + c
    return {m: c for m, c in total.items() if c}


def _is_bare_sum(monomial: Monomial, coefficient: Fraction) -> bool:
    return len(monomial) == 1 and abs(coefficient) == 1 and monomial[0][1] == 1 and monomial[0][0].op in {"add", "sub"}


def scaled(form: Form, factor: Fraction | int) -> Form:
    """Return a form times a number."""
    return {m: c * factor for m, c in form.items()} if factor else {}


def negated(form: Form) -> Form:
    """Return minus a form."""
    return scaled(form, -1)


def _joined(one: Monomial, other: Monomial) -> Monomial:
    powers = dict(one)
    for atom, power in other:
        powers[atom] = Fraction(1) if atom.op == "delta" else powers.get(atom, Fraction(0)) + power
    return tuple(sorted(((a, p) for a, p in powers.items() if p), key=lambda pair: pair[0].serial))


def has_brackets(form: Form) -> bool:
    """Tell whether a form holds a bracket [i = j] outside of functions."""
    return any(_bracketed(atom) for monomial in form for atom, _ in monomial)


def _bracketed(atom: Term) -> bool:
    if atom.op == "delta":
        return True
    return atom.op in {"add", "sub", "neg", "mul", "div", "sum"} and any(map(_bracketed, atom.args))


def times(one: Form, other: Form) -> Form:
    """Return a product. A sum of several monomials stays a factor, unless it holds a bracket."""
    if not one or not other:
        return {}
    if has_brackets(one) or has_brackets(other):
        return multiplied(one, other)
    for factor, rest in ((one, other), (other, one)):
        if len(factor) == 1 and UNIT in factor and abs(factor[UNIT]) == 1:
            return scaled(rest, factor[UNIT])
    (m, c), (n, d) = _as_factor(one), _as_factor(other)
    return {_joined(m, n): _short(c * d)}


def _short(value: Fraction) -> Fraction:
    """Return a number, unless powers of powers have made it longer than one would write."""
    if max(value.numerator.bit_length(), value.denominator.bit_length()) > LONGEST:
        raise DeriverError("a number becomes too long: name parts of the loss, or lower the powers")
    return value


def multiplied(one: Form, other: Form) -> Form:
    """Return a product, multiplied out."""
    in_time()
    if len(one) * len(other) > MANY:
        raise DeriverError("an intermediate result is too large: name parts of the loss")
    return added(*({_joined(m, n): _short(c * d)} for m, c in one.items() for n, d in other.items()))


def _as_factor(form: Form) -> tuple[Monomial, Fraction]:
    """Return a form as one monomial: its content, times what is left as an atom."""
    if len(form) == 1:
        ((monomial, coefficient),) = form.items()
        return monomial, coefficient
    content, coefficient, rest = content_of(form)
    return _joined(content, ((alpha(written(rest)), Fraction(1)),)), coefficient


def content_of(form: Form, *, alone: bool = False) -> tuple[Monomial, Fraction, Form]:
    """Return what all monomials share, a number (negative where all are), and what is left.

    `alone`: of what is shared only that which has no indices.
    """
    if not form:
        return UNIT, Fraction(1), form
    monomials = list(form)
    shared = dict(monomials[0])
    for monomial in monomials[1:]:
        powers = dict(monomial)
        shared = {
            atom: min(power, powers[atom], key=abs)
            for atom, power in shared.items()
            if atom in powers and (power > 0) == (powers[atom] > 0)
        }
    shared = {atom: power for atom, power in shared.items() if not (alone and free(atom))}
    content = tuple(sorted(shared.items(), key=lambda pair: pair[0].serial))
    coefficients = list(form.values())
    common = _common(coefficients)
    if all(c < 0 for c in coefficients):
        common = -common
    rest = {_without(m, shared): c / common for m, c in form.items()}
    return content, common, rest


def _without(monomial: Monomial, content: Mapping[Term, Fraction]) -> Monomial:
    left = ((atom, power - content.get(atom, 0)) for atom, power in monomial)
    return tuple((atom, power) for atom, power in left if power)


def _common(numbers: list[Fraction]) -> Fraction:
    from math import gcd, lcm

    top = reduce(gcd, (abs(n.numerator) for n in numbers))
    return Fraction(top, reduce(lcm, (n.denominator for n in numbers)))


def _shortly(value: Fraction) -> str:
    return str(value) if value.numerator.bit_length() < LONGEST else "with more digits than one can write"


def raised_to(form: Form, power: Fraction) -> Form:
    """Return a power by a rational number. Of a product each factor is raised, where the power is an integer."""
    if power == 0:
        return number(1)
    if power == 1:
        return form
    if not form and power > 0:
        return {}
    if not form:
        raise DeriverError("there is a division by 0 in the loss")
    if power.denominator == 1:
        monomial, coefficient = _as_factor(form)
        bits = max(coefficient.numerator.bit_length(), coefficient.denominator.bit_length())
        if abs(coefficient) != 1 and bits * abs(power) > 2 * LONGEST:
            raise DeriverError(f"the power {_shortly(power)} of a number is too high: lower the powers")
        value = _short(coefficient ** int(power))
        return {tuple((a, Fraction(1) if a.op == "delta" else p * power) for a, p in monomial): Fraction(value)}
    return single(written(form) ** lift(power))


# ---- sums over an index ----------------------------------------------------------------------------------------------


def summed(k: Term, form: Form, reread: Callable[[Term], Form]) -> Form:
    """Return Σ_k: brackets are sifted, and what does not depend on k stands in front."""
    if any(any(_bracketed(a) for a, _ in m) and not any(a.op == "delta" for a, _ in m) for m in form):
        form = expanded(form)
    parts: list[Form] = []
    rest: Form = {}
    for monomial, coefficient in form.items():
        bracket = next((a for a, _ in monomial if a.op == "delta" and k in a.args), None)
        if bracket is not None:
            other = bracket.args[1] if bracket.args[0] is k else bracket.args[0]
            parts.append(_sifted(monomial, coefficient, bracket, {k: other}, reread))
        elif not any(k in free(a) for a, _ in monomial):
            parts.append({_joined(monomial, ((k.args[0], Fraction(1)),)): coefficient})
        elif any(a.op == "delta" for a, _ in monomial):
            parts.append(_pulled(k, {monomial: coefficient}))
        else:
            rest[monomial] = coefficient
    if rest:
        parts.append(_pulled(k, rest))
    return added(*parts)


def _sifted(
    monomial: Monomial,
    coefficient: Fraction,
    bracket: Term,
    change: Mapping[Term, Term],
    reread: Callable[[Term], Form],
) -> Form:
    result = number(coefficient)
    for atom, power in monomial:
        if atom is not bracket:
            factor = reread(substitute(atom, change)) if not free(atom).isdisjoint(change) else single(atom)
            result = times(result, raised_to(factor, power))
    return result


def at_first(form: Form, places: tuple[Term, ...], reread: Callable[[Term], Form]) -> Form:
    """Return a form in which what stands beside [i = j] is taken at the one that comes first: [i = j]·u(i)."""
    parts: list[Form] = []
    for monomial, coefficient in form.items():
        part: Form = {monomial: coefficient}
        for bracket in (a for a, _ in monomial if a.op == "delta" and {*a.args} <= {*places}):
            first, other = sorted(bracket.args, key=places.index)
            changed = [_sifted(m, c, bracket, {other: first}, reread) for m, c in part.items()]
            part = multiplied(added(*changed), single(bracket))
        parts.append(part)
    return added(*parts)


def _pulled(k: Term, form: Form) -> Form:
    content, coefficient, rest = content_of(form)
    outside = tuple((a, p) for a, p in content if k not in free(a))
    inside = tuple((a, p) for a, p in content if k in free(a))
    body = written({_joined(inside, m): c for m, c in rest.items()})
    total = alpha(Term("sum", (k, body)))
    return {_joined(outside, ((total, Fraction(1)),)): coefficient}


def expanded(form: Form) -> Form:
    """Return a form with the sums that are factors multiplied out, where their power is a small natural number."""
    total: list[Form] = []
    for monomial, coefficient in form.items():
        product = number(coefficient)
        for atom, power in monomial:
            if atom.op in {"add", "sub", "neg"} and power.denominator == 1 and 0 < power <= 4:
                inner = expanded(flat(atom))
                for _ in range(int(power)):
                    product = multiplied(product, inner)
            else:
                product = multiplied(product, {((atom, power),): Fraction(1)})
        total.append(product)
    return added(*total)


def flat(term: Term) -> Form:
    """Return an arithmetic term as a form; everything else in it is an atom."""
    op, args = term.op, term.args
    if op == "num":
        return number(number_of(term))
    if op == "neg":
        return negated(flat(args[0]))
    if op == "add":
        return added(flat(args[0]), flat(args[1]))
    if op == "sub":
        return added(flat(args[0]), negated(flat(args[1])))
    if op == "mul":
        return times(flat(args[0]), flat(args[1]))
    if op == "div":
        return times(flat(args[0]), raised_to(flat(args[1]), Fraction(-1)))
    if op == "pow" and whole(args[1]) is not None:
        return raised_to(flat(args[0]), Fraction(whole(args[1]) or 0))
    if op == "delta" and args[0] is args[1]:
        return number(1)
    return single(term)


# ---- back to terms ---------------------------------------------------------------------------------------------------


def written(form: Form) -> Term:
    """Return a form as a term: what is positive first, then in the order in which the atoms were first written."""
    if not form:
        return ZERO
    ordered = sorted(form.items(), key=lambda item: (item[1] < 0, *_rank(item[0])))
    first, coefficient = ordered[0]
    total = _product(first, abs(coefficient))
    total = -total if coefficient < 0 else total
    for monomial, value in ordered[1:]:
        part = _product(monomial, abs(value))
        total = total + part if value > 0 else total - part
    return total


def _rank(monomial: Monomial) -> tuple[int, int, str]:
    """Numbers last, the rest by what the author wrote first in it, and then the shorter: x + 1 and not 1 + x."""
    order = AUTHOR.get()
    first = min((_first_written(a, order) for a, _ in monomial), default=1 << 60)
    return first, sum(cost(a) for a, _ in monomial), " ".join(_label(a) for a, _ in monomial)


def _first_written(term: Term, order: Mapping[Term, int]) -> int:
    base, _ = place(term)
    if base.op == "let":  # one that the author has not written is an error, and comes first
        return order.get(base, -1)
    if base.op == "var":
        return order.get(base, len(order) + base.serial)
    return min((_first_written(arg, order) for arg in base.args if arg.op not in {"idx", "size"}), default=1 << 60)


def _order(atom: Term) -> tuple[int, tuple[int, int, str]]:
    """Scalars stand first, then sums, and the rest by age."""
    return (0 if not free(atom) else 1 if atom.op == "sum" else 2, _age(atom))


AUTHOR: ContextVar[Mapping[Term, int]] = ContextVar("AUTHOR", default=MappingProxyType({}))
"The order in which the author wrote variables and named quantities."


def _age(atom: Term) -> tuple[int, int, str]:
    """Return when an atom was first written: a component is as old as its array, a function as what it is of."""
    rank = _written(atom, AUTHOR.get())
    return rank, {"at": 0, "add": 2, "sub": 2}.get(atom.op, 1), _label(atom)


def _written(term: Term, order: Mapping[Term, int]) -> int:
    base, _ = place(term)
    if base in order:
        return order[base]
    if base.op in {"let", "var"}:
        return len(order) + base.serial
    return max((_written(arg, order) for arg in base.args if arg.op != "idx"), default=-1)


@cache
def _label(atom: Term) -> str:
    return repr(atom)


def _product(monomial: Monomial, coefficient: Fraction) -> Term:
    above = [_power(a, p) for a, p in sorted(monomial, key=lambda pair: _order(pair[0])) if p > 0]
    below = [_power(a, -p) for a, p in sorted(monomial, key=lambda pair: _order(pair[0])) if p < 0]
    if coefficient.numerator != 1 or not above:
        above.insert(0, lift(coefficient.numerator))
    if coefficient.denominator != 1:
        below.insert(0, lift(coefficient.denominator))
    top = reduce(lambda a, b: a * b, above)
    return top / reduce(lambda a, b: a * b, below) if below else top


def _power(atom: Term, power: Fraction) -> Term:
    return atom if power == 1 else atom ** lift(power)


# ---- derivatives -----------------------------------------------------------------------------------------------------


class Differentiator:
    """Partial derivatives of forms by the components of one quantity.

    Parameters
    ----------
    by, places
        The quantity, and the indices of the component.
    read : callable
        A scalar term -> its form.
    known : mapping of Term to Term
        Arrays that are the derivatives of named quantities.
    """

    def __init__(
        self,
        by: Term,
        places: tuple[Term, ...],
        read: Callable[[Term], Form],
        known: Mapping[Term, Term] = MappingProxyType({}),
    ) -> None:
        self.by, self.places, self.read, self.known = by, places, read, known
        self.memory: dict[Term, Form] = {}

    def form(self, form: Form) -> Form:
        """Return the derivative of a form."""
        in_time()
        total: list[Form] = []
        for monomial, coefficient in form.items():
            for position, (atom, power) in enumerate(monomial):
                inner = self.atom(atom)
                if not inner:
                    continue
                rest = monomial[:position] + monomial[position + 1 :]
                outer = {_joined(rest, ((atom, power - 1),)): coefficient * power}
                total.append(times(outer, inner))
        return added(*total)

    def atom(self, atom: Term) -> Form:
        """Return the derivative of an atom."""
        if not occurs(self.by, atom):
            return {}
        if atom not in self.memory:
            self.memory[atom] = self._atom(atom)
        return self.memory[atom]

    def _atom(self, atom: Term) -> Form:
        base, places = place(atom)
        if base is self.by:
            pairs = [(i, j) for i, j in zip(places, self.places, strict=True) if i is not j]
            return reduce(times, (single(δ(*_sorted(i, j))) for i, j in pairs), number(1))
        if base in self.known:
            return single(at(self.known[base], (*places, *self.places)))
        if base.op == "let":
            return self.form(self.read(component(base.args[0], places)))
        if base.op == "rows":
            return self._rows(base, places)
        if base.op == "inv" and places:
            return self._inverse(base, places)
        if base.op == "det":
            return times(single(base), self._moved(base.args[0], lambda r, s: single(at(inv(base.args[0]), (s, r)))))
        rule = {"sum": self._sum, "app": self._symbol, "reduce": self._reduced, "pow": self._power}.get(atom.op)
        if rule is not None:
            return rule(atom)
        if atom.op in {"add", "sub", "neg", "mul", "div"}:
            return self.form(flat(atom))
        raise DeriverError(f"there is no rule for the derivative of {atom} by {self.by}", atom)

    def _sum(self, atom: Term) -> Form:
        k, body = atom.args
        if k in self.places or name_of(k) in {name_of(p) for p in self.places}:
            taken = names(body).union(*map(names, self.places))
            fresh = variant(k, taken)
            k, body = fresh, substitute(body, {k: fresh})
        return summed(k, self.form(self.read(body)), self.read)

    def _symbol(self, atom: Term) -> Form:
        entry = SYMBOLS[str(atom.data)]
        if not entry.derivatives:
            raise DeriverError(f"there is no rule for the derivative of {entry.words}, in {atom}", atom)
        partials = []
        for argument, rule in zip(atom.args, _SLOPES.get(entry.name, entry.derivatives), strict=True):
            inner = self.form(self.read(argument))
            if inner:
                partials.append(times(self.read(push(rule(*atom.args))), inner))
        return added(*partials)

    def _power(self, atom: Term) -> Form:
        base, exponent = atom.args
        value = number_of(exponent)
        return times(scaled(self.read(base ** lift(value - 1)), value), self.form(self.read(base)))

    def _rows(self, base: Term, places: tuple[Term, ...]) -> Form:
        (inner,) = base.args
        leading = places[:-1]
        if base.data == "log_softmax":
            return added(
                self.form(self.read(component(inner, places))),
                negated(self._towards(inner, tuple(leading), lambda m: single(at(_softmax(inner), (*leading, m))))),
            )
        if base.data == "hardmax":
            return {}
        if base.data == "prod_others":
            meant = SYMBOLS["prod_others"].definition
            assert meant is not None
            m = variant(Term("idx", (inner.shape[-1],), "m"), names(inner).union(*map(names, (*places, *self.places))))
            return self.form(self.read(push(meant(lambda i: component(inner, (*leading, i)), places[-1], m))))
        if base.data != "softmax":
            raise DeriverError(f"there is no rule for the derivative of {base}", base)
        p = single(at(base, places))
        own = times(p, self.form(self.read(component(inner, places))))
        mean = self._towards(inner, tuple(leading), lambda m: single(at(base, (*leading, m))))
        return added(own, negated(times(p, mean)))

    def _reduced(self, atom: Term) -> Form:
        slope = _GRADIENTS.get(str(atom.data))
        if slope is None:
            raise DeriverError(f"there is no rule for the derivative of {atom}", atom)
        (inner,) = atom.args
        leading, whole_ = row_of(inner)
        return self._towards(whole_, leading, lambda m: self.read(at(Term("rows", (whole_,), slope), (*leading, m))))

    def _inverse(self, base: Term, places: tuple[Term, ...]) -> Form:
        """−Σ_r Σ_s A⁻¹[i,r]·D(A[r,s])·A⁻¹[s,j]."""
        i, j = places
        both = lambda r, s: times(single(at(base, (i, r))), single(at(base, (s, j))))  # noqa: E731 - one line of the docstring
        return negated(self._moved(base.args[0], both, i, j))

    def _moved(self, matrix: Term, weight: Callable[[Term, Term], Form], *beside: Term) -> Form:
        """Σ_r Σ_s weight(r, s) · D(A[r,s])."""
        taken = names(matrix).union(*map(names, (*self.places, *beside)))
        r = variant(Term("idx", (matrix.shape[0],), "r"), taken)
        s = variant(Term("idx", (matrix.shape[0],), "s"), taken | {name_of(r)})
        slope = self.form(self.read(component(matrix, (r, s))))
        return summed(r, summed(s, times(weight(r, s), slope), self.read), self.read)

    def _towards(self, inner: Term, leading: tuple[Term, ...], weight: Callable[[Term], Form]) -> Form:
        """Σ_m weight(m) · D(inner[…, m])."""
        taken = names(inner).union(*map(names, (*leading, *self.places)))
        m = variant(Term("idx", (inner.shape[-1],), "m"), taken)
        slope = self.form(self.read(component(inner, (*leading, m))))
        return summed(m, times(weight(m), slope), self.read)


_GRADIENTS = {"logsumexp": "softmax", "max": "hardmax", "prod": "prod_others"}  # of rows, themselves rows
_SLOPES = {"relu": (step,)}  # where it has one, the indicator of what is positive


def _softmax(array_: Term) -> Term:
    return Term("rows", (array_,), "softmax")


def _sorted(i: Term, j: Term) -> tuple[Term, Term]:
    one, other = sorted((i, j), key=lambda s: str(s.data))
    return one, other


def free_of(form: Form) -> frozenset[Term]:
    """Return the indices that are free in a form."""
    return frozenset[Term]().union(*(free(a) for m in form for a, _ in m))


def cost(term: Term) -> int:
    """Return how much there is to read in a term."""
    if term.op in {"at", "let", "var", "num", "size", "idx"}:
        return 1
    extra = {"neg": 0, "div": 1, "pow": 1}.get(term.op, 1)
    return extra + sum(cost(arg) for arg in term.args if arg.op != "idx")


def all_atoms(form: Form) -> Iterable[Term]:
    """Yield the atoms of a form."""
    for monomial in form:
        for atom, _ in monomial:
            yield atom
