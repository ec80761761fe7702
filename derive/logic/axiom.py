"""Axiom schemas of analysis: what the core takes on trust, each a function that is fuzzed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from derive.language.array import push
from derive.language.term import Term
from derive.logic.context import ProofError
from derive.logic.facts import Conditions, harvest


@dataclass(frozen=True)
class Axiom:
    """A schema of analysis: a term (and parameters) -> a term that it equals, or is at most, under conditions.

    Attributes
    ----------
    name, statement, source : str
        The name in certificates, the equation, and where the mathematics is found.
    relation : str
        "=", "≤" or "<": how what comes out relates to what goes in.
    schema : callable
        Returns None where the schema does not apply, else the new term and its conditions.
    """

    name: str
    statement: str
    relation: str
    schema: Callable[..., tuple[Term, Iterable[Term]] | None]
    source: str = ""

    def apply(self, term: Term, parameters: tuple[Any, ...]) -> tuple[str, Term, Conditions]:
        """Return the relation, the new term and every condition, the terms' own ones included."""
        result = self.schema(term, *parameters)
        if result is None:
            raise ProofError(f"{self.name} ({self.statement}) does not apply to {term}")
        after, conditions = result
        return self.relation, push(after), frozenset(conditions) | harvest(term) | harvest(after)
