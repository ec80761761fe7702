"""A result in the names that there are: what a named quantity was defined as is written by its name again.

Where s = √(v + ε) and x̂ = (x − μ)/s, a derivative that is full of roots and deviations becomes one of s and x̂, and the
deviations from a mean that is named add up to nothing. Each fold is undone by the definitions when a line is proved.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache

from derive.deriver.algebra import (
    DeriverError,
    Form,
    Monomial,
    added,
    cost,
    flat,
    free_of,
    in_time,
    number,
    raised_to,
    scaled,
    single,
    summed,
    times,
    written,
)
from derive.deriver.folding import Reader
from derive.language.array import component, fresh_places
from derive.language.term import Term, alpha, at, free, place, substitute, subterms

MANY = 40  # monomials, beyond which nothing is looked for
ROUNDS = 20
_LEAVES = frozenset(("var", "let", "size", "num"))


@dataclass(frozen=True)
class _Known:
    """A named quantity at its places, and the form of its definition there."""

    quantity: Term
    places: tuple[Term, ...]
    form: Form

    @property
    def value(self) -> Term:
        return at(self.quantity, self.places) if self.places else self.quantity

    def instances(self, indices: Iterable[Term]) -> Iterator[tuple[Term, Form]]:
        """Yield the quantity and its definition at indices of its axes."""
        for change in _assignments(self.places, sorted(indices, key=lambda i: i.serial)):
            value = substitute(self.value, change)
            yield value, {_at(m, change): c for m, c in self.form.items()}


class Naming:
    """Writes forms in names.

    Parameters
    ----------
    quantities : sequence of Term
        Named quantities, parts before wholes.
    inlined : iterable of Term
        Those of them that the loss is read without.
    """

    def __init__(self, quantities: Sequence[Term], inlined: Iterable[Term] = ()) -> None:
        self.known: list[_Known] = []
        self.centred: set[tuple[Term, int]] = set()  # with the axis along which they add up to nothing
        self.by_leaf: dict[Term, list[int]] = {}
        read = Reader(inlined)
        for quantity in quantities:
            places = fresh_places("#", quantity.shape, quantity)
            try:
                form = self(read(component(quantity.args[0], places)))
            except DeriverError:
                continue
            if form and len(form) <= MANY and not _is_short(form):
                for leaf in _leaves_of(form):
                    self.by_leaf.setdefault(leaf, []).append(len(self.known))
                self.known.append(_Known(quantity, places, form))
                sums = ((axis, self(summed(k, form, flat))) for axis, k in enumerate(places))
                self.centred |= {(quantity, axis) for axis, total in sums if not total}

    def near(self, monomials: Iterable[Monomial]) -> list[_Known]:
        """Return the names whose definitions have a variable or a quantity in common with products, in their order."""
        found = {n for leaf in _leaves_of(monomials) for n in self.by_leaf.get(leaf, ())}
        return [self.known[n] for n in sorted(found)]

    @property
    def quantities(self) -> list[Term]:
        """The quantities that a form may be written in."""
        return [known.quantity for known in self.known]

    def __call__(self, form: Form) -> Form:
        """Return a form in names: first inside of sums and brackets, then as a whole."""
        if not self.known or len(form) > MANY:
            return form
        in_time()
        total: list[Form] = []
        for monomial, coefficient in form.items():
            product = number(coefficient)
            for atom, power in monomial:
                product = times(product, raised_to(self._atom(atom), power))
            total.append(product)
        return self._whole(added(*total))

    def _atom(self, atom: Term) -> Form:
        whole = self._named(((atom, Fraction(1)),))
        if whole is not None:
            return whole
        if atom.op == "sum":
            return self._sum(atom)
        if atom.op in {"add", "sub", "neg"}:
            return self(flat(atom))
        if atom.op == "app":
            return single(Term("app", tuple(written(self(flat(arg))) for arg in atom.args), atom.data))
        return single(atom)

    def _sum(self, atom: Term) -> Form:
        """A sum of several is taken apart where the sums of its parts have names: Σ(x − μ) = Σx − nμ = 0."""
        k, body = atom.args
        inner = self(flat(body))
        if len(inner) == 1 and self._is_centred(k, *inner):
            return {}
        whole = summed(k, inner, flat)
        if len(inner) == 1:
            return whole
        left = {m: c for m, c in inner.items() if not self._is_centred(k, m)}
        parts = added(*(self._whole(summed(k, {m: c}, flat)) for m, c in left.items()))
        return parts if cost(written(parts)) < cost(written(whole)) else whole

    def _is_centred(self, k: Term, body: Monomial) -> bool:
        """Tell whether a product has one factor with an index, and that adds up to nothing."""
        moving = [place(atom) if power == 1 else (atom, ()) for atom, power in body if k in free(atom)]
        if len(moving) != 1:
            return False
        ((base, places),) = moving
        return places.count(k) == 1 and (base, places.index(k)) in self.centred

    # ---- a form as a whole ----

    def _whole(self, form: Form) -> Form:
        for _ in range(ROUNDS):
            next_ = self._sum_named(form) or self._collected(form)
            if next_ is None:
                next_ = self._product_named(form)
            if next_ is None:
                return form
            form = next_
        return form

    def _sum_named(self, form: Form) -> Form | None:
        """u + a − b = u + q, where q is a − b."""
        for known in self.near(form):
            if len(known.form) < 2 or len(form) < len(known.form):
                continue
            for value, definition in known.instances(free_of(form)):
                factor = _ratio(form, definition)
                if factor is not None:
                    return added(form, scaled(definition, -factor), scaled(single(value), factor))
        return None

    def _collected(self, form: Form) -> Form | None:
        """a·u − b·u = (a − b)·u, where a definition holds a − b as a factor."""
        for known in self.near(form):
            for _, definition in known.instances(free_of(form)):
                for difference in _differences(definition):
                    found = _with_common_factor(form, difference)
                    if found is not None:
                        return found
        return None

    def _product_named(self, form: Form) -> Form | None:
        for monomial, coefficient in form.items():
            found = self._named(monomial)
            if found is not None:
                rest = {m: c for m, c in form.items() if m != monomial}
                return added(rest, scaled(found, coefficient))
        return None

    def _named(self, monomial: Monomial) -> Form | None:
        """Return a product in which a definition, or the sum in one, has been replaced by its name."""
        indices = {i for atom, _ in monomial for i in free(atom) if i.op == "idx"}
        for known in reversed(self.near([monomial])):
            for value, definition in known.instances(indices):
                for powers, factor in _solved(value, definition):
                    for sign in (1, -1):
                        rest = _divided(dict(monomial), tuple((a, sign * p) for a, p in powers))
                        if rest is not None:
                            return times(rest, raised_to(factor, Fraction(sign)))
            found = self._through_sum(known, monomial, indices)
            if found is not None:
                return found
        return None

    def _through_sum(self, known: _Known, monomial: Monomial, indices: set[Term]) -> Form | None:
        """(Σ_k u[k]·(x[k] − μ))/s = Σ_k u[k]·x̂[k]."""
        if len(known.form) != 1:
            return None
        for atom, power in monomial:
            if atom.op != "sum" or power != 1 or len(body := flat(atom.args[1])) != 1:
                continue
            k = atom.args[0]
            ((inner, coefficient),) = body.items()
            outside = {a: p for a, p in monomial if a is not atom}
            inside = {i for a, _ in inner for i in free(a) if i.op == "idx"}
            for value, definition in known.instances(indices | inside):
                ((powers, factor),) = definition.items()
                if k not in free(value) or any(a in dict(inner) and _holds(outside, a) for a, _ in powers):
                    continue
                here = tuple((a, p) for a, p in powers if not _holds(outside, a))
                there = tuple((a, p) for a, p in powers if _holds(outside, a))
                within = _divided(dict(inner), here)
                beside = _divided(outside, there)
                if within is not None and beside is not None and here and there:
                    if self._is_centred(k, *times(within, single(value))):
                        return {}
                    total = summed(k, times(scaled(within, coefficient / factor), single(value)), flat)
                    return times(beside, total)
        return None


def _leaves_of(monomials: Iterable[Monomial]) -> frozenset[Term]:
    return frozenset[Term]().union(*(leaves(atom) for monomial in monomials for atom, _ in monomial))


@cache
def leaves(term: Term) -> frozenset[Term]:
    """Return the variables and named quantities that are written in a term, definitions not opened."""
    if term.op in {"var", "let"}:
        return frozenset([term])
    return frozenset[Term]().union(*map(leaves, term.args))


def _solved(value: Term, definition: Form) -> Iterator[tuple[Monomial, Form]]:
    """Yield products that a name stands for, with what they are: all of its definition, or the sum in it."""
    if len(definition) != 1:
        return
    ((powers, coefficient),) = definition.items()
    if len(powers) > 1 or not _is_leaf(powers[0][0]):
        yield powers, scaled(single(value), 1 / coefficient)
    inner = [(a, p) for a, p in powers if not _is_leaf(a) and p == 1]
    rest = tuple((a, p) for a, p in powers if (a, p) not in inner)
    if len(inner) == 1 and rest and not any(i.op == "idx" for a, _ in rest for i in free(a)):
        yield tuple(inner), times(single(value), {tuple((a, -p) for a, p in rest): 1 / coefficient})


def _holds(powers: Mapping[Term, Fraction], atom: Term) -> bool:
    """Tell whether an atom is among others, or what it is the root of."""
    return atom in powers or (atom.op == "app" and atom.data == "sqrt" and alpha(atom.args[0]) in powers)


def _divided(powers: Mapping[Term, Fraction], by: Monomial) -> Form | None:
    """Return a product without a part of it, roots seen in what they are roots of; None where it is no part."""
    left = dict(powers)
    for atom, power in by:
        there = left.get(atom, Fraction(0))
        if atom.op == "app" and atom.data == "sqrt" and there * power < power * power:
            inner = alpha(atom.args[0])
            there += 2 * left.pop(inner, Fraction(0))
        if there * power < power * power:
            return None
        left[atom] = there - power
    return {tuple(sorted(((a, p) for a, p in left.items() if p), key=lambda pair: pair[0].serial)): Fraction(1)}


def _differences(definition: Form) -> Iterator[Form]:
    if len(definition) > 1:
        yield definition
        return
    for monomial in definition:
        for atom, _ in monomial:
            if atom.op in {"add", "sub"}:
                yield flat(atom)


def _with_common_factor(form: Form, difference: Form) -> Form | None:
    first = next(iter(difference))
    for monomial in form:
        if len(monomial) == len(first):
            continue
        cofactor = _divided(dict(monomial), first)
        if cofactor is None:
            continue
        spread = added(*(times(cofactor, {m: c}) for m, c in difference.items()))
        factor = _ratio(form, spread) if len(spread) == len(difference) else None
        if factor is not None:
            return added(form, scaled(spread, -factor), scaled(times(cofactor, difference), factor))
    return None


def _ratio(form: Form, definition: Form) -> Fraction | None:
    """Return the number by which a definition is multiplied where it is part of a sum; None where it is not."""
    factor: Fraction | None = None
    for monomial, coefficient in definition.items():
        if monomial not in form or (factor is not None and form[monomial] != factor * coefficient):
            return None
        factor = form[monomial] / coefficient
    return factor


def _is_leaf(atom: Term) -> bool:
    return place(atom)[0].op in _LEAVES


def _is_short(form: Form) -> bool:
    return len(form) == 1 and all(len(m) <= 1 and all(_is_leaf(a) for a, _ in m) for m in form)


def _at(monomial: Monomial, change: Mapping[Term, Term]) -> Monomial:
    changed = ((alpha(substitute(atom, change)), power) for atom, power in monomial)
    return tuple(sorted(changed, key=lambda pair: pair[0].serial))


def _assignments(places: tuple[Term, ...], indices: Sequence[Term]) -> Iterator[dict[Term, Term]]:
    if not places:
        yield {}
        return
    first, *rest = places
    for index in indices:
        if index.op == "idx" and index.args == first.args:
            for found in _assignments(tuple(rest), indices):
                yield {**found, first: index}


# ---- residuals -------------------------------------------------------------------------------------------------------


class Residuals:
    """The sums and differences of arrays in a loss, so that Σ(a − y)/N + b is Σ(a + b − y)/N where a + b − y is one.

    Parameters
    ----------
    loss : Term
    """

    def __init__(self, loss: Term) -> None:
        self.known: list[_Known] = []
        read = Reader()
        for part in subterms(loss):
            if part.op not in {"add", "sub"} or not part.shape:
                continue
            places = fresh_places("#", part.shape, part)
            try:
                form = read(component(part, places))
            except DeriverError:
                continue
            if 2 < len(form) <= MANY:
                self.known.append(_Known(part, places, form))

    def gathered(self, form: Form) -> Form:
        """Return a form in which what does not depend on the index of a sum stands in the residual that it is from."""
        if len(form) == 1 and self.known:  # of a product each factor that is a sum
            ((product, coefficient),) = form.items()
            whole = number(coefficient)
            for atom, power in product:
                bracket = atom.op in {"add", "sub"} and power == 1
                whole = times(whole, self.gathered(flat(atom)) if bracket else single(atom, power))
            return whole
        for monomial in form if self.known else ():
            totals = [(a, p) for a, p in monomial if a.op == "sum" and p == 1]
            if len(totals) == 1:
                found = self._gathered(form, monomial, totals[0][0])
                if found is not None:
                    return self.gathered(found)
        return form

    def _gathered(self, form: Form, monomial: Monomial, total: Term) -> Form | None:
        k, inner = total.args
        body = flat(inner)
        outside = times({tuple((a, p) for a, p in monomial if a is not total): form[monomial]}, single(k.args[0]))
        for known in self.known if len(body) > 1 else ():
            for _, definition in known.instances(free_of(body)):
                moving = {m: c for m, c in definition.items() if any(k in free(a) for a, _ in m)}
                factor = _ratio(body, moving) if len(moving) == len(body) < len(definition) else None
                if factor is None:
                    continue
                fixed = {m: c * factor for m, c in definition.items() if m not in moving}
                still = added(*(times(outside, {m: c}) for m, c in fixed.items()))
                if _ratio(form, still) == 1:
                    rest = {m: c for m, c in form.items() if m is not monomial}
                    left = tuple((a, p) for a, p in monomial if a is not total)
                    whole = single(Term("sum", (k, written(scaled(definition, factor)))))
                    return added(rest, scaled(still, -1), times({left: form[monomial]}, whole))
        return None
