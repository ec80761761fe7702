"""Fingerprints: numbers that terms share when algebra makes them equal, at any depth.

They are for search alone; nothing rests on them.

A term is evaluated in a finite field at a point that its atoms choose: an atom's value is a hash of its parts' values.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from itertools import permutations

from derive.language.term import Term, bound, free, number_of
from derive.logic.meaning import is_arithmetic, whole

PRIME = 2**61 - 1
_MOST_NESTED = 4
Levels = Mapping[Term, int]


@cache
def fingerprint(term: Term) -> int | None:
    """Return the fingerprint of a term; None where its point divides by zero."""
    try:
        return _Reader().read(term, {})
    except ZeroDivisionError:
        return None


class _Reader:
    """One evaluation, which remembers what it has read."""

    def __init__(self) -> None:
        self.memory: dict[tuple[Term, tuple[tuple[Term, int], ...]], int] = {}

    def read(self, term: Term, levels: Levels) -> int:
        relevant = sorted(((s, levels[s]) for s in free(term) if s in levels), key=lambda pair: pair[1])
        key = (term, tuple(relevant))
        if key not in self.memory:  # what is not free in a term has no say in its value
            self.memory[key] = self._read(term, dict(relevant)) % PRIME
        return self.memory[key]

    def _read(self, term: Term, levels: Levels) -> int:
        if is_arithmetic(term):
            return _ARITHMETIC[term.op](term, lambda t: self.read(t, levels))
        if term.op == "delta":
            pair = frozenset(levels.get(i, i) for i in term.args)
            return 1 if len(pair) == 1 else hash(("delta", pair))
        if term.op in {"sum", "integral", "prod"}:
            return self._nest(term, levels)
        if bound(term):
            inner = {**levels, **{s: _next(levels) + n for n, s in enumerate(bound(term))}}
            rest = tuple(self.read(a, inner) for a in term.args[len(bound(term)) :])
            return hash((term.op, tuple(s.args for s in bound(term)), rest))
        if term in levels:
            return hash(("level", levels[term]))
        if term.op in {"idx", "var", "let", "size", "space", "fun", "succ"} or not term.args:
            return hash(term)
        return hash((term.op, term.data, tuple(self.read(arg, levels) for arg in term.args)))

    def _nest(self, term: Term, levels: Levels) -> int:
        symbols: list[Term] = []
        body = term
        while body.op == term.op and len(symbols) < _MOST_NESTED:
            symbols.append(body.args[0])
            body = body.args[1]
        values = []
        for order in permutations(symbols):
            value = self.read(body, {**levels, **{s: _next(levels) + n for n, s in enumerate(order)}})
            values.append((hash(tuple(s.args for s in order)), value))
        if term.op == "sum" and not any(value for _, value in values):
            return 0
        return hash((term.op, tuple(sorted(values))))


def _next(levels: Levels) -> int:
    return 1 + max(levels.values(), default=-1)


Read = Callable[[Term], int]


def _power(term: Term, read: Read) -> int:
    exponent = whole(term.args[1])
    base = read(term.args[0])
    return (
        pow(base, exponent, PRIME)
        if exponent is not None and exponent >= 0
        else _inverse(pow(base, -(exponent or 0), PRIME))
    )


def _inverse(value: int) -> int:
    if value % PRIME == 0:
        raise ZeroDivisionError
    return pow(value, -1, PRIME)


def _number(term: Term, read: Read) -> int:
    value = number_of(term)
    return value.numerator * _inverse(value.denominator)


_ARITHMETIC: dict[str, Callable[[Term, Read], int]] = {
    "num": _number,
    "add": lambda t, read: read(t.args[0]) + read(t.args[1]),
    "sub": lambda t, read: read(t.args[0]) - read(t.args[1]),
    "mul": lambda t, read: read(t.args[0]) * read(t.args[1]),
    "div": lambda t, read: read(t.args[0]) * _inverse(read(t.args[1])),
    "neg": lambda t, read: -read(t.args[0]),
    "succ": lambda t, read: read(t.args[0]) + 1,
    "pow": _power,
}
