"""Sanity checks of a derivative: shape, symmetry, sign, sums that vanish, where it is zero, a value at 0.

The shape is the term's own and the sign is known by structure. Every other check is a formula that a witness has to
confirm before anyone says it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction

from derive.deriver.letters import Letters
from derive.language.array import component, push
from derive.language.term import ZERO, Σ, ShapeError, Term, domain_of, eq, lift, names, occurs, substitute, subterms  # noqa: PLC2403 - the sum's own sign
from derive.logic.facts import definite


@dataclass(frozen=True)
class Check:
    """A sanity check: its name, what it says, and the formula that says it; None where the terms say it themselves."""

    name: str
    words: str
    formula: Term | None = None


def checks(claim: Term, loss: Term, by: Term, what: str, known: Iterable[Term] = ()) -> list[Check]:
    """Return the sanity checks that are natural for a result, none of them looked at yet.

    Parameters
    ----------
    claim : Term
        left = right.
    loss, by : Term
        What was differentiated, and by what.
    what : str
        The name of its kernel: "gradient", "hessian", …
    known : iterable of Term
        What the result rests on.
    """
    own = frozenset(part for formula in known for part in subterms(formula) if part.op == "var")
    left, right = claim.args
    result = _Result(left, right, loss, by, what, own)
    return [check for rule in _RULES for check in rule(result)]


@dataclass(frozen=True)
class _Result:
    """What was derived; the `conditional` variables are those of which something is assumed."""

    left: Term
    right: Term
    loss: Term
    by: Term
    what: str
    conditional: frozenset[Term]


Rule = Callable[[_Result], Iterator[Check]]


def _shape(result: _Result) -> Iterator[Check]:
    left, right, by = result.left, result.right, result.by
    if not left.shape:
        return
    parts = [part for part in _chain(right) if part.shape]
    told = ", ".join(map(_shaped, parts))
    so = f"{told}, so " if 1 < len(parts) < 4 else ""
    yield Check("Shape", f"{so}{_shaped(left)}{_alike(left, by)}.")


def _chain(term: Term) -> list[Term]:
    """Return the factors of a product of arrays, without its scalars."""
    if term.op in {"neg", "div"}:
        return _chain(term.args[0])
    if term.op == "mul" and not term.args[0].shape:
        return _chain(term.args[1])
    if term.op == "matmul":
        return [*_chain(term.args[0]), *_chain(term.args[1])]
    return [term]


def _shaped(term: Term) -> str:
    axes = [f"{axis}" for axis in term.shape]
    return f"{term} has {axes[0]} components" if len(axes) == 1 else f"{term} is {' × '.join(axes)}"


def _alike(left: Term, by: Term) -> str:
    if left.shape != by.shape:
        return ""
    return f", as {by} {'has' if len(by.shape) == 1 else 'is'}"


def _symmetry(result: _Result) -> Iterator[Check]:
    left, right, by = result.left, result.right, result.by
    if result.what != "hessian" or not by.shape:
        return
    if len(by.shape) == 1:
        yield Check("Symmetry", f"{left} is its own transpose.", eq(right.T, right))
        return
    letters = Letters(names(right))
    rows = letters.places(by.shape)
    columns = letters.places(by.shape, rows)
    formula = eq(component(right, (*rows, *columns)), component(right, (*columns, *rows)))
    yield Check("Symmetry", "The first axes and the last ones may change places.", formula)


def _sign(result: _Result) -> Iterator[Check]:
    left, right, by = result.left, result.right, result.by
    if result.what == "hessian" and len(by.shape) == 1 and definite(right, False):
        yield Check("Sign", f"{left} is positive semidefinite by its structure: no direction bends down.")


def _sums(result: _Result) -> Iterator[Check]:
    """A loss that does not see a constant added along an axis has a derivative that sums to 0 along it."""
    left, right = result.left, result.right
    if not _SHIFTED & {str(part.data) for part in subterms(result.loss) if part.op in {"rows", "reduce"}}:
        return
    places = Letters(names(right)).places(left.shape)
    kinds = {1: ("components",), 2: ("columns", "rows")}.get(len(left.shape), ())
    for axis, kind in reversed(list(enumerate(kinds))):
        why = ": softmax does not see a number that is added to all of them" if axis == len(kinds) - 1 else ""
        yield Check("Sums", f"The {kind} of {left} sum to 0{why}.", eq(Σ(component(right, places), places[axis]), 0))


def _zero(result: _Result) -> Iterator[Check]:
    """Where the residual is 0, the gradient is."""
    left, right, by = result.left, result.right, result.by
    for part in subterms(right) if result.what == "gradient" else ():
        for one, other in (
            (part.args, part.args[::-1]) if part.op == "sub" and part.args[0].shape == part.args[1].shape else ()
        ):
            free_here = one.op == "var" and one is not by and not occurs(one, other)
            if free_here and one not in result.conditional and domain_of(one) in {"real", "closed unit", "simplex"}:
                try:
                    there = substitute(right, {one: other})
                except ShapeError:
                    continue
                places = Letters(names(there)).places(there.shape)
                body = component(there, places) if places else push(there)
                yield Check("Stationary point", f"Where {eq(one, other)}, {left} is 0.", eq(body, 0))
                return


def _value(result: _Result) -> Iterator[Check]:
    """A value at 0, of a function of one number."""
    right, by = result.right, result.by
    if (
        by.shape
        or by in result.conditional
        or domain_of(by) != "real"
        or {p for p in subterms(right) if p.op == "var"} != {by}
    ):
        return
    try:
        there = substitute(right, {by: ZERO})
    except ShapeError:
        return
    for number in _NUMBERS:
        yield Check("Special value", f"At {eq(by, ZERO)} it is {lift(number)}.", eq(there, lift(number)))


_RULES: tuple[Rule, ...] = (_shape, _symmetry, _sign, _sums, _zero, _value)
_SHIFTED = frozenset(("softmax", "logsumexp", "log_softmax"))
_NUMBERS = tuple(map(Fraction, ("0", "1", "1/2", "1/4", "2", "-1", "-1/2", "-1/4", "-2", "3")))
