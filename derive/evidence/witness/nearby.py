"""What a theorem about a deep composition says nearby: with named quantities that it does not look into as variables.

A line about one layer of a network speaks of the layers below and above by their names alone. With a variable for each
such name, and an unknown smooth map for a loss that is reached through one quantity, it says more than the theorem,
which puts the quantities for them. So where the nearby formula holds, the theorem does; where it fails, nothing is
known. Names are numbered as they are met, so that the same line about another layer is the same formula.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from typing import Final

from derive.language.term import Term, free, is_random, let, occurs, place, subterms

FEW: Final = 8
"Named quantities: with no more, a theorem is looked at as it stands."
_RENAMED: Final = frozenset(("var", "size", "idx"))

Sequent = tuple[Term, frozenset[Term]]


@cache
def depth(term: Term) -> int:
    """Return how many named quantities stand in one another."""
    return (term.op == "let") + max(map(depth, term.args), default=0)


@cache
def named(term: Term) -> frozenset[Term]:
    """Return the named quantities that are written in a term, definitions not opened."""
    if term.op == "let":
        return frozenset([term])
    return frozenset[Term]().union(*map(named, term.args))


def nearby(formula: Term, hypotheses: frozenset[Term], known: Sequence[Term] = ()) -> Iterator[Sequent]:
    """Yield formulas that say more than a theorem about a deep composition, the one that says most first.

    Of what is `known` to hold wherever the hypotheses do, equations ∂L/∂q = δ, the nearest is supposed.
    """
    if depth(formula) <= FEW or not all(map(_is_tame, named(formula))):
        return
    written = tuple(dict.fromkeys(_written(formula)))
    if any(map(is_random, written)):
        return
    own = tuple(part for part in written if part.op == "D")
    used = tuple(dict.fromkeys(fact for d in own if (fact := _nearest(d, known)) is not None))
    derivatives = (*own, *(fact.args[0] for fact in used))
    for opened in (frozenset[Term](), named(formula) - {place(d.args[0])[0] for d in derivatives}):
        found = _Nearby(derivatives, opened).sequent(formula, hypotheses, used)
        if depth(found[0]) <= FEW:
            yield found


@cache
def _is_tame(term: Term) -> bool:
    """Tell whether nothing in a quantity is random, passes layers or is a derivative."""
    return term.op not in {"D", "pass"} and not is_random(term) and all(map(_is_tame, term.args))


def _nearest(derivative: Term, known: Sequence[Term]) -> Term | None:
    """Return the known derivative of the same quantity by what stands next to what this one is by."""
    body, by = derivative.args[0], place(derivative.args[1])[0]
    same = (fact for fact in known if fact.args[0].args[0] is body)
    above = (fact for fact in same if fact.args[0].args[1] is not by and occurs(by, fact.args[0].args[1]))
    return min(above, key=lambda fact: fact.args[0].args[1].serial, default=None)


def _written(term: Term) -> Iterator[Term]:
    """Yield the parts of a term, definitions not opened."""
    yield term
    if term.op != "let":
        for arg in term.args:
            yield from _written(arg)


class _Nearby:
    """One way to put variables for named quantities, in which some of them are opened."""

    def __init__(self, derivatives: tuple[Term, ...], opened: frozenset[Term]) -> None:
        self.maps = {d.args[0]: q for d in derivatives if (q := _only_way(d.args[0], derivatives)) is not None}
        self.opened = set(opened)
        for derivative in derivatives:
            self._open(derivative.args[0], place(derivative.args[1])[0])
        self.known: dict[Term, Term] = {}
        self.count = 0

    def _open(self, body: Term, by: Term) -> None:
        """Quantities that move with the one that is differentiated by are opened."""
        waiting, seen = [*named(body)], {by}
        while waiting:
            quantity = waiting.pop()
            if quantity in seen or not occurs(by, quantity):
                continue
            seen.add(quantity)
            if quantity in self.maps:
                waiting.append(self.maps[quantity])
            else:
                self.opened.add(quantity)
                waiting.extend(named(quantity.args[0]))

    def sequent(self, formula: Term, hypotheses: frozenset[Term], used: Sequence[Term]) -> Sequent:
        """Return the formula, what is used, and those of the hypotheses that speak of nothing else."""
        conclusion = self.put(formula)
        kept = set(map(self.put, used))
        spoken, count = _variables(conclusion).union(*map(_variables, kept)), self.count
        for hypothesis in (h for h in hypotheses if self._speaks_of_it(h)):
            before, self.count = dict(self.known), count
            condition = self.put(hypothesis)
            if _variables(condition) <= spoken:
                kept.add(condition)
            self.known = before
        return conclusion, frozenset(kept)

    def _speaks_of_it(self, hypothesis: Term) -> bool:
        """Tell whether a hypothesis speaks of what the formula does, at its own free indices, without derivatives."""
        mine = _leaves(hypothesis) | free(hypothesis)
        return mine <= self.known.keys() and not any(part.op == "D" for part in _written(hypothesis))

    def put(self, term: Term) -> Term:
        """Return a term with variables for what is not opened, and every name a number."""
        if term not in self.known:
            self.known[term] = self._put(term)
        return self.known[term]

    def _put(self, term: Term) -> Term:
        if term in self.maps:
            return Term("map", (self.put(self.maps[term]),), (f"F{self._number()}", 0, 0))
        if term.op == "let" and term in self.opened:
            inner = self.put(term.args[0])
            return let(f"q{self._number()}", inner)
        if term.op == "let":
            axes = tuple(map(self.put, term.shape))
            return Term("var", axes, (f"v{self._number()}", "real"))
        args = tuple(map(self.put, term.args))
        if term.op not in _RENAMED or (term.op == "size" and term.args):
            return Term(term.op, args, term.data)
        name = f"{term.op[0]}{self._number()}"
        return Term(term.op, args, (name, *term.data[1:]) if isinstance(term.data, tuple) else name)

    def _number(self) -> int:
        self.count += 1
        return self.count


@cache
def _leaves(term: Term) -> frozenset[Term]:
    """Return the variables and named quantities that are written in a term, definitions not opened."""
    if term.op in {"var", "let"}:
        return frozenset([term])
    return frozenset[Term]().union(*map(_leaves, term.args))


@cache
def _variables(term: Term) -> frozenset[Term]:
    return frozenset(part for part in subterms(term) if part.op == "var")


def _only_way(body: Term, derivatives: tuple[Term, ...]) -> Term | None:
    """Return the quantity through which alone a number depends on all that is differentiated by, if there is one."""
    own = {place(d.args[1])[0] for d in derivatives if d.args[0] is body}
    inner = [q for q in own if q.op == "let" and q is not body and all(q is b or occurs(b, q) for b in own)]
    if body.op != "let" or body.shape or len(own) < 2 or len(inner) != 1:
        return None
    (quantity,) = inner
    return None if any(_around(body, quantity, place(d.args[1])[0]) for d in derivatives) else quantity


def _around(body: Term, quantity: Term, base: Term) -> bool:
    """Tell whether a number depends on something on a way that does not lead through a quantity."""
    waiting, seen = [body], {quantity}
    while waiting:
        for part in waiting.pop().args:
            if part not in seen and occurs(base, part):
                if part is base:
                    return True
                seen.add(part)
                waiting.append(part)
    return False
