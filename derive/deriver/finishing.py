"""The textbook's form of a result: what cancels is cancelled, what is shared is factored out, the shortest is kept.

Every candidate equals the others as a rational function of its atoms, so that the line which writes it is algebra; or
it uses an equation that was given.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from functools import cache
from typing import Any

from derive.deriver.algebra import (
    DeriverError,
    Form,
    Monomial,
    added,
    content_of,
    cost,
    expanded,
    flat,
    has_brackets,
    multiplied,
    number,
    opened,
    raised_to,
    scaled,
    single,
    summed,
    times,
    written,
)
from derive.deriver.folding import Reader, one_less_sigmoid
from derive.language.array import push
from derive.language.term import Term, alpha, free, place, substitute

TOO_MANY = 60  # monomials or atoms beyond which nothing is factored


class Finisher:
    """Brings forms into the form that is printed.

    Parameters
    ----------
    read : Reader
    given : iterable of Term
        Equations, with ∀ in front or without, whose left sides are replaced by their right sides.
    """

    def __init__(self, read: Reader, given: Iterable[Term] = ()) -> None:
        self.read = read
        self.rules = [_rule(formula) for formula in given]

    def __call__(self, form: Form) -> Form:
        """Return the shortest of the forms that equal a form."""
        inner = self._inside(form)
        if has_brackets(inner):  # a diagonal stands by itself: diag(p) − p pᵀ
            return self._inside(expanded(inner))
        candidates = [inner, *self._rearranged(inner)]
        return min(candidates, key=lambda f: (cost(self.shown(f)), len(f)))

    def shown(self, form: Form) -> Term:
        """Return a form as it is printed: content in front, 1 − σ(u) as a factor written σ(−u), no sign that can go."""
        if len(form) > 1:
            content, coefficient, rest = content_of(form, alone=has_brackets(form))
            if content or coefficient != 1:
                whole: Form = {((alpha(written(opened(rest))), Fraction(1)),): Fraction(1)}
                form = {_joined_with(content, whole): coefficient}
        total: Form = {}
        for monomial, coefficient in form.items():
            sign, inner = 1, []
            for atom, power in monomial:
                if atom.op == "sum":
                    body = self.shown(flat(atom.args[1]))
                    if body.op == "neg":
                        body, sign = body.args[0], sign * (-1 if power % 2 else 1)
                    inner.append((alpha(Term("sum", (atom.args[0], body))), power))
                else:
                    inner.append((atom, power))
            total = added(total, dict([_mirrored(tuple(inner), coefficient * sign)]))
        return written(total)

    def unrooted(self, form: Form) -> Form:
        """Return a form with the squares of square roots opened, in the shortest form again."""
        if not any(_has_root(atom) for monomial in form for atom, _ in monomial):
            return form
        parts: list[Form] = []
        for monomial, coefficient in form.items():
            product = number(coefficient)
            for atom, power in monomial:
                whole = abs(power) // 2 * (1 if power > 0 else -1)
                if atom.op != "app" or atom.data != "sqrt":
                    whole = 0
                product = times(product, raised_to(self.read(atom.args[0]), Fraction(whole)) if whole else number(1))
                product = times(product, raised_to(self._without_roots(atom), power - 2 * whole))
            parts.append(product)
        result = added(*parts)
        return form if result == form else self(result)

    def _without_roots(self, atom: Term) -> Form:
        if atom.op in {"add", "sub"}:
            return self.unrooted(flat(atom))
        if atom.op == "sum":
            return summed(atom.args[0], self.unrooted(flat(atom.args[1])), self.read)
        return single(atom)

    # ---- inside ----

    def _inside(self, form: Form) -> Form:
        total: list[Form] = []
        for monomial, coefficient in form.items():
            product = number(coefficient)
            for atom, power in monomial:
                product = times(product, raised_to(self._atom(atom), power))
            total.append(product)
        return added(*total)

    def _atom(self, atom: Term) -> Form:
        known = self._known(atom)
        if known is not None:
            return known
        if atom.op == "sum":
            k, body = atom.args
            finished = summed(k, self(self.read(body)), self.read)
            if finished == single(atom):
                return finished
            return self._inside(finished) if not any(a.op == "sum" for m in finished for a, _ in m) else finished
        if atom.op in {"add", "sub", "neg"}:
            return (
                {((alpha(written(self(flat(atom)))), Fraction(1)),): Fraction(1)} if len(flat(atom)) > 1 else flat(atom)
            )
        return single(atom)

    def _known(self, atom: Term) -> Form | None:
        for symbols, left, right in self.rules:
            for found in _assignments(symbols, atom):
                if alpha(substitute(left, found)) is atom:
                    return self.read(substitute(right, found))
        return None

    # ---- rearranging ----

    def _rearranged(self, form: Form) -> list[Form]:
        if len(form) > TOO_MANY:
            return []
        found: list[Form] = []
        try:
            out = expanded(form)
            if out != form:
                found.append(self._inside(out))
            found += [self._inside(merged(f)) for f in (form, *found) if sum(len(m) > 0 for m in f) > 1]
            found = [f for f in found if _worth_merging(form, f)]
            quotient = factored(form)
            if quotient is not None:
                found.append(quotient)
        except DeriverError:
            pass
        return found


@cache
def _has_root(term: Term) -> bool:
    """Tell whether a square root is written in a term, definitions not opened."""
    return (term.op == "app" and term.data == "sqrt") or (term.op != "let" and any(map(_has_root, term.args)))


def merged(form: Form) -> Form:
    """Return a form with sums of one range and one outer factor made one."""
    groups: dict[tuple[Monomial, Term], Form] = {}
    rest: Form = {}
    for monomial, coefficient in form.items():
        totals = [(a, p) for a, p in monomial if a.op == "sum" and p == 1]
        if len(totals) != 1:
            rest[monomial] = coefficient
            continue
        total = totals[0][0]
        outer = tuple(pair for pair in monomial if pair[0] is not total)
        key = (outer, total.args[0].args[0])
        body = flat(push(substitute(total.args[1], {total.args[0]: _common_index(total)})))
        groups[key] = added(groups.get(key, {}), scaled(body, coefficient))
    if len(groups) == len(form):
        return form
    parts = [rest]
    for (outer, over), body in groups.items():
        k = Term("idx", (over,), "#m")
        parts.append(times({outer: Fraction(1)}, summed(k, body, flat)))
    return added(*parts)


def separated(form: Form) -> Form:
    """Return a form in which Σ_k u[k]·(1 + v[k]·w[i]) is Σu + w[i]·Σuv: no array over k and i is made on the way."""
    parts: list[Form] = []
    for monomial, coefficient in form.items():
        product = number(coefficient)
        for atom, power in monomial:
            factor = separated(flat(atom)) if atom.op in {"add", "sub"} else _separated_sum(atom)
            several = atom.op == "sum" and len(factor) > 1 and power == 1
            product = multiplied(product, factor) if several else times(product, raised_to(factor, power))
        parts.append(product)
    return added(*parts)


def _separated_sum(total: Term) -> Form:
    if total.op != "sum":
        return single(total)
    k, body = total.args
    inner = expanded(flat(body))
    atoms = {a for m in inner for a, _ in m}
    mixed = {i for a in atoms if k in free(a) for i in free(a)}
    if len(inner) < 2 or all(i in mixed or i.op != "idx" for a in atoms for i in free(a)):
        return single(total)
    return added(*(summed(k, {m: c}, flat) for m, c in inner.items()))


def _worth_merging(before: Form, after: Form) -> bool:
    """Tell whether sums that were made one have made one product: XᵀA + YᵀB stays as it is."""
    if sum(len(flat(a.args[1])) > 1 for m in after for a, _ in m if a.op == "sum") == 0:
        return True
    return sum(a.op == "sum" for m in after for a, _ in m) >= sum(a.op == "sum" for m in before for a, _ in m)


def _common_index(total: Term) -> Term:
    return Term("idx", total.args[0].args, "#m")


def _mirrored(monomial: Monomial, coefficient: Fraction) -> tuple[Monomial, Fraction]:
    """(1 − σ(u))·v = σ(−u)·v, unless σ(u) is a factor too; −(u − v)·w = (v − u)·w."""
    if len(monomial) == 1 and monomial[0][1] != -1 and coefficient > 0:
        return monomial, coefficient
    sigmas = {a.args[0] for a, _ in monomial if a.op == "app" and a.data == "σ"}
    pairs: list[tuple[Term, Fraction]] = []
    for atom, power in monomial:
        u, sign = _complement(atom)
        if u is None or u in sigmas or power.denominator != 1:
            pairs.append((atom, power))
        else:
            pairs.append((Term("app", (-u,), "σ"), power))
            coefficient *= sign ** int(power)
    if coefficient < 0 and not _repeats_difference(pairs):
        for position, (atom, power) in enumerate(pairs):
            turned = _turned(atom) if power in {1, -1} else None
            if turned is not None:
                pairs[position] = (turned, power)
                coefficient = -coefficient
                break
    return tuple(pairs), coefficient


def _repeats_difference(pairs: Sequence[tuple[Term, Fraction]]) -> bool:
    """Tell whether a difference stands in two factors: −A (x − m) (x − m)ᵀ, where one of them would be turned alone."""
    seen: set[frozenset[tuple[Term, int]]] = set()
    for atom, _ in pairs:
        body = atom.args[1] if atom.op == "sum" else atom
        for part in (a for m in flat(body) for a, _ in m) if atom.op == "sum" else (atom,):
            if part.op in {"add", "sub"}:
                signed = frozenset((place(a)[0], 1 if c > 0 else -1) for m, c in flat(part).items() for a, _ in m)
                if signed in seen:
                    return True
                seen.add(signed)
    return False


def _joined_with(content: Monomial, whole: Form) -> Monomial:
    ((monomial, _),) = whole.items()
    return tuple(sorted((*content, *monomial), key=lambda pair: pair[0].serial))


def _turned(atom: Term) -> Term | None:
    """Return minus an atom without a sign in front: −(u − v) is v − u, also as a factor below a sum."""
    if atom.op in {"add", "sub"}:
        inner = flat(atom)
        mixed = any(c > 0 for c in inner.values()) and any(c < 0 for c in inner.values())
        return alpha(written(scaled(inner, -1))) if mixed else None
    if atom.op == "sum":
        body = flat(atom.args[1])
        if len(body) != 1:
            turned = _turned(atom.args[1])
            return None if turned is None else alpha(Term("sum", (atom.args[0], turned)))
        ((monomial, coefficient),) = body.items()
        for position, (part, power) in enumerate(monomial):
            turned = _turned(part) if power in {1, -1} else None
            if turned is not None:
                changed = (*monomial[:position], (turned, power), *monomial[position + 1 :])
                return alpha(Term("sum", (atom.args[0], written({changed: coefficient}))))
    return None


def _complement(atom: Term) -> tuple[Term | None, int]:
    """Return u and 1 where a form is 1 − σ(u), u and −1 where it is σ(u) − 1."""
    if atom.op != "sub":
        return None, 1
    form = flat(atom)
    u = one_less_sigmoid(form)
    return (u, 1) if u is not None else (one_less_sigmoid(scaled(form, -1)), -1)


def factored(form: Form) -> Form | None:
    """Return a form as a cancelled and factored rational function, where its powers are integers."""
    from sympy.polys.domains import QQ
    from sympy.polys.rings import ring

    names = sorted(_base(form), key=lambda a: a.serial)
    if not names or len(names) > TOO_MANY:
        return None
    made, *symbols = ring([f"a{n}" for n in range(len(names))], QQ)
    table = dict(zip(names, symbols, strict=True))
    pair = _fraction(form, table, made)
    if pair is None or not pair[1]:
        return None
    top, bottom = pair[0].cancel(pair[1])
    if len(top) > TOO_MANY or len(bottom) > TOO_MANY:
        return None
    return times(_product_of(top, names), raised_to(_product_of(bottom, names), Fraction(-1)))


def _base(form: Form) -> set[Term]:
    found: set[Term] = set()
    for monomial in form:
        for atom, power in monomial:
            if power.denominator != 1 or abs(power) > 6:
                found.add(atom)
            elif atom.op in {"add", "sub", "neg"}:
                found |= _base(flat(atom))
            else:
                found.add(atom)
    return found


def _fraction(form: Form, table: dict[Term, Any], made: Any) -> tuple[Any, Any] | None:
    top, bottom = made.zero, made.one
    for monomial, coefficient in form.items():
        a, b = made.domain(coefficient.numerator, coefficient.denominator) * made.one, made.one
        for atom, power in monomial:
            if power.denominator != 1 or abs(power) > 6:
                return None
            if atom in table:
                value: tuple[Any, Any] | None = (table[atom], made.one)
            else:
                value = _fraction(flat(atom), table, made)
            if value is None or not value[1]:
                return None
            up, down = value if power > 0 else value[::-1]
            if not down:
                return None
            a, b = a * up ** abs(int(power)), b * down ** abs(int(power))
        top, bottom = top * b + a * bottom, bottom * b
        if len(top) > 4 * TOO_MANY or len(bottom) > 4 * TOO_MANY:
            return None
    return top, bottom


def _product_of(polynomial: Any, names: Sequence[Term]) -> Form:
    if not polynomial:
        return {}
    coefficient, factors = polynomial.factor_list()
    result = number(Fraction(int(coefficient.numerator), int(coefficient.denominator)))
    for factor, power in factors:
        inner: Form = {}
        for powers, value in factor.terms():
            monomial = tuple((a, Fraction(p)) for a, p in zip(names, powers, strict=True) if p)
            inner[monomial] = Fraction(int(value.numerator), int(value.denominator))
        brackets = any(a.op == "delta" for m in inner for a, _ in m)
        part = raised_to(inner, Fraction(int(power))) if not brackets else inner
        result = multiplied(result, inner) if brackets else times(result, part)
    return result


# ---- what is given ---------------------------------------------------------------------------------------------------


def _rule(formula: Term) -> tuple[tuple[Term, ...], Term, Term]:
    symbols: list[Term] = []
    while formula.op == "forall":
        symbols.append(formula.args[0])
        formula = formula.args[1]
    return tuple(symbols), push(formula.args[0]), push(formula.args[1])


def _assignments(symbols: tuple[Term, ...], term: Term) -> Iterable[dict[Term, Term]]:
    if not symbols:
        yield {}
        return
    first, *rest = symbols
    for index in sorted(free(term), key=lambda i: i.serial):
        if index.op == "idx" and index.args == first.args:
            for found in _assignments(tuple(rest), term):
                yield {**found, first: index}
