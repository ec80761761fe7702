"""What is said of a derived loss without a proof, kept only where the witness has seen it: slips, and sanity checks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar, overload

from derive.evidence.witness import Session, witness
from derive.language.term import Term, eq, place, plain
from derive.record import Derivation, Mistake

if TYPE_CHECKING:
    from collections.abc import Callable

Item_co = TypeVar("Item_co", covariant=True)
MOST = 4  # mistakes on a page


class Seen(Sequence[Item_co]):
    """A sequence whose items are looked for when the first of them is wanted: most derived losses are never printed."""

    def __init__(self, find: Callable[[], Iterator[Item_co]]) -> None:
        self._find = find

    @cached_property
    def _items(self) -> tuple[Item_co, ...]:
        return tuple(self._find())

    @overload
    def __getitem__(self, position: int) -> Item_co: ...
    @overload
    def __getitem__(self, position: slice) -> tuple[Item_co, ...]: ...
    def __getitem__(self, position: int | slice) -> Item_co | tuple[Item_co, ...]:
        return self._items[position]

    def __len__(self) -> int:
        return len(self._items)


def looked_at(entry: Derivation) -> Derivation:
    """Give a derived record its mistakes and sanity checks: of those that come into question what the witness confirms.

    A mistake is shown where the witness has refuted it at a place; a check where it holds at every place.
    """
    entry.mistakes = Seen(lambda: _mistakes(entry))
    entry.sanity = Seen(lambda: _sanity(entry))
    return entry


def _mistakes(entry: Derivation) -> Iterator[Mistake]:
    from derive.deriver.slips import slips

    right, known, session, count = entry.claim.args[1], _known(entry), Session(), 0
    for mistake in slips(entry.claim, _loss(entry), entry.kernels[-1].name):
        evidence = witness(eq(right, mistake.wrong.args[1]), known, session=session)
        if evidence.status == "false" and evidence.where is not None:
            yield mistake
            count += 1
        if count == MOST:
            return


def _sanity(entry: Derivation) -> Iterator[tuple[str, str]]:
    from derive.deriver.sanity import checks

    by, known, session = place(entry.claim.args[0].args[1])[0], _known(entry), Session()
    for check in checks(entry.claim, _loss(entry), by, entry.kernels[-1].name, known):
        if check.formula is None or witness(check.formula, known, session=session).status == "true":
            yield check.name, check.words


def _loss(entry: Derivation) -> Term:
    """Return what was differentiated: the whole of the first kernel."""
    return entry.kernels[0].outputs[0][1]


def _known(entry: Derivation) -> list[Term]:
    """Return what the claim rests on."""
    main = next(proof for proof in entry.proofs.values() if proof.main)
    return sorted(main.theorem.hypotheses, key=plain)
