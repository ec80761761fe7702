"""Names for indices: one letter a size where the names that are taken allow it, the same on every line."""

from __future__ import annotations

from collections.abc import Iterable

from derive.language.term import Term, free, index, name_of, substitute

_POOL = "ijklmnrstabcefghopquv"


class Letters:
    """The letters of a derivation.

    Parameters
    ----------
    taken : iterable of str
        Names that mean something else.
    """

    def __init__(self, taken: Iterable[str]) -> None:
        self.taken = set(taken)
        self.known: dict[Term, list[Term]] = {}

    def of(self, axis: Term, avoid: Iterable[Term] = ()) -> Term:
        """Return the first index of a size that is none of those to avoid."""
        used = {name_of(i) for i in avoid}
        mine = self.known.setdefault(axis, [])
        for symbol in mine:
            if name_of(symbol) not in used:
                return symbol
        symbol = index(self._next(axis, used), axis)
        mine.append(symbol)
        return symbol

    def places(self, axes: Iterable[Term], avoid: Iterable[Term] = ()) -> tuple[Term, ...]:
        """Return different indices for axes."""
        found: list[Term] = []
        for axis in axes:
            found.append(self.of(axis, (*avoid, *found)))
        return tuple(found)

    def _next(self, axis: Term, avoid: set[str]) -> str:
        used = self.taken | avoid | {name_of(i) for symbols in self.known.values() for i in symbols}
        own = f"{name_of(axis)}".lower()
        wanted = [own] if len(own) == 1 and own.isalpha() and own.isascii() else []
        for letter in (*wanted, *_POOL):
            if letter not in used:
                return str(letter)
        count = 1
        while f"i_{count}" in used:
            count += 1
        return f"i_{count}"

    def dressed(self, term: Term, around: tuple[Term, ...] = ()) -> Term:
        """Return a term with its bound indices named by these letters."""
        if term.op in {"let", "var", "num", "idx", "size", "delta"} or not term.args:
            return term
        if term.op in {"sum", "prod", "array", "forall"}:
            *bound, body = term.args
            avoid = (*around, *(i for i in free(term) if i.op == "idx"))
            fresh: list[Term] = []
            for symbol in bound:
                fresh.append(self.of(symbol.args[0], (*avoid, *fresh)))
            inner = substitute(body, dict(zip(bound, fresh, strict=True)))
            return Term(term.op, (*fresh, self.dressed(inner, (*avoid, *fresh))), term.data)
        if term.op == "D":
            avoid = (*around, *(i for i in free(term) if i.op == "idx"))
            return Term("D", (self.dressed(term.args[0], avoid), term.args[1]))
        inner_around = (*around, *(i for i in free(term) if i.op == "idx"))
        args = tuple(self.dressed(arg, inner_around) for arg in term.args)
        return term if args == term.args else Term(term.op, args, term.data)
