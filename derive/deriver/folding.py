"""Reading a loss with its symbols folded: log(1 + eᵘ) is softplus, 1/(1 + e⁻ᵘ) is σ, eᶻ/Σeᶻ is softmax.

However a loss is written, what is differentiated is written in the symbols whose derivatives are known by heart. Each
fold is an identity that the proof of its line has to find again by the laws of exponentials and logarithms.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from fractions import Fraction

from derive.deriver.algebra import (
    DeriverError,
    Form,
    added,
    flat,
    negated,
    number,
    raised_to,
    scaled,
    single,
    summed,
    times,
    written,
)
from derive.language.array import component, push, row_of
from derive.language.notation import log
from derive.language.term import Term, alpha, at, free, lift, names, place, substitute, variant
from derive.logic.facts import NONZERO, POSITIVE, require
from derive.logic.meaning import whole


class Reader:
    """Scalar terms to forms.

    Parameters
    ----------
    inlined : iterable of Term
        The named quantities that are read as their definitions.
    """

    def __init__(self, inlined: Iterable[Term] = ()) -> None:
        self.inlined = frozenset(inlined)
        self.memory: dict[Term, Form] = {}

    def __call__(self, term: Term) -> Form:
        """Return the form of a scalar term, folded."""
        if term not in self.memory:
            self.memory[term] = self._folded(self._read(push(term)))
        return self.memory[term]

    def _read(self, term: Term) -> Form:
        op, args = term.op, term.args
        base, places = place(term)
        if base.op == "let" and base in self.inlined:
            return self(component(base.args[0], places))
        if op in _ARITHMETIC:
            return _ARITHMETIC[op](*map(self, args))
        if op == "pow" and args[1].op == "num":
            power = whole(args[1])
            inner = self(args[0])
            return single(written(inner) ** args[1]) if power is None else raised_to(inner, Fraction(power))
        if base.op == "rows" and base.data == "log_softmax":
            return added(self(component(base.args[0], places)), negated(single(_total(base.args[0], places[:-1]))))
        if base.op == "rows" and base.data == "prod_others" and places:
            return self._without_one(base, places, term)
        if op == "prod":
            return self(Term("reduce", (row_of_body(*args),), "prod"))
        if op == "app":
            return self._symbol(str(term.data), [self(arg) for arg in args])
        if op in {"call", "map", "D", "expect", "mean", "integral"}:
            raise DeriverError(f"there is no rule yet for {term}", term)
        rule = {"num": flat, "delta": flat, "sum": self._sum, "reduce": self._reduced}.get(op, single)
        return rule(term)

    def _sum(self, term: Term) -> Form:
        k, body = term.args
        return summed(k, self(body), self)

    def _reduced(self, term: Term) -> Form:
        leading, array = row_of(term.args[0])
        if term.data == "squared_norm":
            k = variant(Term("idx", (term.args[0].shape[-1],), "k"), names(term))
            return summed(k, self(component(term.args[0], (k,)) ** 2), self)
        if term.data == "logsumexp":
            return single(_total(array, leading))
        if term.data == "norm":
            return self(Term("app", (Term("reduce", term.args, "squared_norm"),), "sqrt"))
        return single(term)

    def _without_one(self, base: Term, places: tuple[Term, ...], term: Term) -> Form:
        """The product of the others is the product over its own factor, where that is known not to be 0."""
        (whole_,), (*leading, last) = base.args, places
        factor = component(whole_, places)
        if require(NONZERO, factor):
            return single(term)
        k = variant(Term("idx", last.args, "k"), names(whole_).union(*map(names, leading)))
        row = row_of_body(k, component(whole_, (*leading, k)))
        return times(self(Term("reduce", (row,), "prod")), raised_to(self(factor), Fraction(-1)))

    # ---- functions ----

    def _symbol(self, name: str, args: list[Form]) -> Form:
        rule = getattr(self, f"_{_RULES[name]}", None) if name in _RULES else None
        if rule is not None:
            result: Form = rule(args[0])
            return result
        return single(Term("app", tuple(map(written, args)), name))

    def _exp(self, u: Form) -> Form:
        if not u:
            return number(1)
        for monomial, coefficient in u.items():
            if len(monomial) == 1 and monomial[0][1] == 1 and coefficient.denominator == 1:
                atom = monomial[0][0]
                if atom.op == "app" and atom.data == "log":  # e^(a + c·log b) = bᶜ·eᵃ
                    rest = added(u, {monomial: -coefficient})
                    return times(raised_to(self(atom.args[0]), coefficient), self._exp(rest))
        return single(Term("app", (written(u),), "exp"))

    def _log(self, u: Form) -> Form:
        if u == number(1):
            return {}
        if len(u) == 1:
            ((monomial, coefficient),) = u.items()
            if coefficient > 0 and all(not require(POSITIVE, atom) for atom, _ in monomial):
                parts = [scaled(self._log_of(atom), power) for atom, power in monomial]
                own = [] if coefficient == 1 else [single(Term("app", (lift(coefficient),), "log"))]
                return added(*parts, *own)
            return single(Term("app", (written(u),), "log"))
        return self._log_of(written(u))

    def _log_of(self, atom: Term) -> Form:
        base, places = place(atom)
        if base.op == "rows" and base.data == "softmax":
            return added(self(component(base.args[0], places)), negated(single(_total(base.args[0], places[:-1]))))
        if atom.op == "app" and atom.data == "exp":
            return self(atom.args[0])
        if atom.op == "app" and atom.data == "σ":
            return negated(self._softplus(negated(self(atom.args[0]))))
        if (inner := _one_and_exp(flat(atom))) is not None:
            return self._softplus(self(inner))
        if (inner := one_less_sigmoid(flat(atom))) is not None:
            return negated(self._softplus(self(inner)))
        if atom.op == "reduce" and atom.data == "prod":
            k = variant(Term("idx", (atom.args[0].shape[-1],), "k"), names(atom))
            factor = component(atom.args[0], (k,))
            return summed(k, self._log(self(factor)), self) if not require(POSITIVE, factor) else single(log(atom))
        if atom.op == "sum" and (exponent := _exponent(atom.args[1])) is not None:
            return self(Term("reduce", (Term("array", (atom.args[0], exponent)),), "logsumexp"))
        return single(Term("app", (atom,), "log"))

    def _log1p(self, u: Form) -> Form:
        return self._log(added(number(1), u))

    def _sigmoid(self, u: Form) -> Form:
        if u and all(c < 0 for c in u.values()):
            return added(number(1), negated(self._sigmoid(negated(u))))
        return single(Term("app", (written(u),), "σ"))

    def _softplus(self, u: Form) -> Form:
        if u and all(c < 0 for c in u.values()):
            return added(self._softplus(negated(u)), u)
        return single(Term("app", (written(u),), "softplus"))

    # ---- products and sums ----

    def _folded(self, form: Form) -> Form:
        """Fold what a sum or a single product holds, until nothing more is found."""
        for _ in range(20):
            next_ = self._fold_sum(form)
            next_ = self._fold_products(form) if next_ is None else next_
            if next_ is None:
                return form
            form = next_
        return form

    def _fold_sum(self, form: Form) -> Form | None:
        """1 + tanh(u) = 2σ(2u) and 1 − tanh(u) = 2 − 2σ(2u), where nothing else is added."""
        one = form.get((), Fraction(0))
        if len(form) != 2 or not one:
            return None
        ((monomial, coefficient),) = ((m, c) for m, c in form.items() if m)
        if len(monomial) != 1 or monomial[0][1] != 1 or abs(coefficient) != abs(one):
            return None
        atom = monomial[0][0]
        if atom.op != "app" or atom.data != "tanh":
            return None
        inner = scaled(self(atom.args[0]), 2)
        return scaled(self._sigmoid(inner if coefficient == one else negated(inner)), 2 * one)

    def _fold_products(self, form: Form) -> Form | None:
        for monomial, coefficient in form.items():
            folded = self._fold_product(dict(monomial))
            if folded is not None:
                rest = {m: c for m, c in form.items() if m != monomial}
                return added(rest, scaled(folded, coefficient))
        return None

    def _fold_product(self, powers: dict[Term, Fraction]) -> Form | None:
        for atom, power in powers.items():
            if power < 0 and (u := _one_and_exp(flat(atom))) is not None:  # 1/(1 + eᵘ) = σ(−u)
                sigma = raised_to(self._sigmoid(negated(self(u))), -power)
                return times(_rest(powers, atom), sigma)
            if atom.op == "app" and atom.data == "exp" and power == 1:
                found = self._fold_exponential(atom, powers)
                if found is not None:
                    return found
        return None

    def _fold_exponential(self, exponential: Term, powers: dict[Term, Fraction]) -> Form | None:
        u = exponential.args[0]
        for atom, power in powers.items():
            if power not in {1, -1}:
                continue
            v = one_less_sigmoid(flat(atom))
            if power == 1 and v is not None and self(v) == self(u):  # eᵘ·(1 − σ(u)) = σ(u)
                return times(_rest(powers, exponential, atom), self._sigmoid(self(u)))
            if power == 1 and atom.op == "app" and atom.data == "σ" and self(atom.args[0]) == negated(self(u)):
                return times(_rest(powers, exponential, atom), added(number(1), negated(single(atom))))
            if power == -1 and atom.op == "sum":  # eᶻ/Σeᶻ = softmax(z)
                found = self._fold_softmax(u, atom)
                if found is not None:
                    return times(_rest(powers, exponential, atom), found)
            if power == -1 and atom.op == "add":  # eᵘ/(eᵘ + eᵛ) = σ(u − v)
                v = _other_exponent(flat(atom), exponential)
                if v is not None:
                    gap = added(self(u), negated(self(v)))
                    return times(_rest(powers, exponential, atom), self._sigmoid(gap))
        return None

    def _fold_softmax(self, u: Term, total: Term) -> Form | None:
        k, body = total.args
        exponent = _exponent(body)
        if exponent is None:
            return None
        for index in sorted(free(u), key=lambda i: i.serial):
            fits = index.op == "idx" and index.args == k.args and index not in free(total)
            if fits and alpha(substitute(exponent, {k: index})) is alpha(u):
                leading, array = row_of(Term("array", (k, exponent)))
                return single(at(Term("rows", (array,), "softmax"), (*leading, index)))
        return None


_ARITHMETIC: dict[str, Callable[..., Form]] = {
    "neg": negated,
    "add": added,
    "sub": lambda a, b: added(a, negated(b)),
    "mul": times,
    "div": lambda a, b: times(a, raised_to(b, Fraction(-1))),
}
_RULES = {"exp": "exp", "log": "log", "log1p": "log1p", "σ": "sigmoid", "softplus": "softplus"}


def row_of_body(k: Term, body: Term) -> Term:
    """Return the row whose component at an index is a body: the array itself, where the body is its component."""
    leading, base = row_of(Term("array", (k, body)))
    return Term("array", (k, body)) if leading else base


def _rest(powers: dict[Term, Fraction], *gone: Term) -> Form:
    return {tuple((a, p) for a, p in powers.items() if a not in gone): Fraction(1)}


def _total(array: Term, leading: tuple[Term, ...]) -> Term:
    """log Σ exp over the last axis of a row, as a symbol."""
    if not leading:
        return alpha(Term("reduce", (array,), "logsumexp")) if array.op != "array" else _reduced_row(array)
    k = variant(Term("idx", (array.shape[-1],), "k"), names(array).union(*map(names, leading)))
    return _reduced_row(Term("array", (k, component(array, (*leading, k)))))


def _reduced_row(row: Term) -> Term:
    return alpha(Term("reduce", (row,), "logsumexp"))


def _one_and_exp(form: Form) -> Term | None:
    """Return u where a form is 1 + eᵘ."""
    if len(form) != 2 or form.get(()) != 1:
        return None
    ((monomial, coefficient),) = ((m, c) for m, c in form.items() if m)
    if coefficient != 1 or len(monomial) != 1:
        return None
    ((atom, power),) = monomial
    return atom.args[0] if atom.op == "app" and atom.data == "exp" and power == 1 else None


def one_less_sigmoid(form: Form) -> Term | None:
    """Return u where a form is 1 − σ(u)."""
    if len(form) != 2 or form.get(()) != 1:
        return None
    ((monomial, coefficient),) = ((m, c) for m, c in form.items() if m)
    if coefficient != -1 or len(monomial) != 1:
        return None
    ((atom, power),) = monomial
    return atom.args[0] if atom.op == "app" and atom.data == "σ" and power == 1 else None


def _exponent(body: Term) -> Term | None:
    return body.args[0] if body.op == "app" and body.data == "exp" else None


def _other_exponent(form: Form, exponential: Term) -> Term | None:
    """Return v where a form is eᵘ + eᵛ, and eᵘ is given."""
    if len(form) != 2 or any(c != 1 or len(m) != 1 or m[0][1] != 1 for m, c in form.items()):
        return None
    atoms = [m[0][0] for m in form]
    if alpha(exponential) not in atoms:
        return None
    other = next(a for a in atoms if a is not alpha(exponential))
    return _exponent(other)
