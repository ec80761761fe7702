"""Which factors of a line cancel on the way to the next one, and the line with those factors marked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator

from derive.language.term import LEAVES, Term, alpha, bound, number_of
from derive.pages.forms import STRUCK
from derive.pages.model import Position

_PRODUCTS = frozenset(("mul", "div"))
_CLOSED = LEAVES | {"let"}  # what stands on a line as a name


def cancelled(term: Term, following: Term) -> frozenset[Position]:
    """Return where the factors stand that cancel between a line and the next: pairs above and below in one product.

    In doubt nothing is returned. The next line must have lost every pair of such a factor, and must not have a
    denominator that is new: there the factor was rewritten and did not cancel.
    """
    start, old, new = _changed(term, following)
    before, after = Counter(map(alpha, _parts(old))), Counter(map(alpha, _parts(new)))
    if not _denominators(new) <= _denominators(old):
        return frozenset()
    pairs = [pair for product in _products(old, start) for pair in _pairs(product)]
    lost = {
        factor
        for factor, n in Counter(factor for factor, _, _ in pairs).items()
        if after[factor] + 2 * n <= before[factor]
    }
    return frozenset(path for factor, *both in pairs if factor in lost for path in both)


def marked(term: Term, paths: Collection[Position]) -> Term:
    """Return a term whose parts at the paths are printed as struck through."""
    if () in paths:
        return Term("app", (term,), STRUCK)
    if not paths:
        return term
    args = (marked(arg, [path[1:] for path in paths if path[0] == i]) for i, arg in enumerate(term.args))
    return Term(term.op, tuple(args), term.data)


def _changed(old: Term, new: Term) -> tuple[Position, Term, Term]:
    """Return the place of the smallest part that holds every change and is no part of a product, and both parts."""
    path: Position = ()
    while (old.op, old.data, len(old.args)) == (new.op, new.data, len(new.args)) and old.op not in _PRODUCTS | _CLOSED:
        changes = [i for i, (one, other) in enumerate(zip(old.args, new.args, strict=True)) if one is not other]
        if len(changes) != 1:
            break
        path, old, new = (*path, changes[0]), old.args[changes[0]], new.args[changes[0]]
    return path, old, new


def _parts(term: Term) -> Iterator[Term]:
    """Yield every part as often as it stands on the line."""
    yield term
    for arg in () if term.op in _CLOSED else term.args[len(bound(term)) :]:
        yield from _parts(arg)


_Factor = tuple[Term, Position, bool]


def _factors(term: Term, path: Position, above: bool = True) -> Iterator[_Factor]:
    """Yield the factors of a product of numbers: what, where, and whether above the line."""
    if term.op not in _PRODUCTS | {"neg"}:
        yield term, path, above
        return
    for i, arg in enumerate(term.args):
        yield from _factors(arg, (*path, i), above is not (term.op == "div" and i == 1))


def _products(term: Term, path: Position = ()) -> Iterator[list[_Factor]]:
    """Yield the factors of every product that is no factor itself; of anything else, of its one factor."""
    product = list(_factors(term, path))
    yield product
    for factor, where, _ in product:
        for i, arg in enumerate(() if factor.op in _CLOSED else factor.args):
            yield from _products(arg, (*where, i))


def _pairs(product: list[_Factor]) -> Iterator[tuple[Term, Position, Position]]:
    """Yield equal factors above and below the line, one for one."""
    below = [(alpha(factor), path) for factor, path, above in product if not above]
    for factor, path, above in product:
        met = next((one for one in below if one[0] is alpha(factor)), None)
        if above and met and not (factor.op == "num" and number_of(factor) == 1):
            below.remove(met)
            yield met[0], path, met[1]


def _denominators(term: Term) -> set[Term]:
    return {alpha(factor) for product in _products(term) for factor, _, above in product if not above}
