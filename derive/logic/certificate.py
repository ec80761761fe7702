"""Certificates: proofs as plain data, and replay, which makes every inference again and compares.

A certificate is a table of terms and a table of inferences. To load one is to replay it: the core and the axiom schemas
do it alone, without calculations, search or catalogue.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from fractions import Fraction
from functools import cache
from types import ModuleType
from typing import Any, TypeVar

from derive.language.term import Complaint, Term, alpha
from derive.logic.axiom import Axiom
from derive.logic.facts import Conditions, closed
from derive.logic.rules import (
    arrays,
    calculus,
    elementary,
    entropy,
    indicators,
    inequalities,
    integers,
    limits,
    matrices,
    maxima,
    passes,
    probability,
    products,
    sums,
    trigonometry,
)
from derive.logic.rules.schema import schemas
from derive.logic.theorem import INFERENCES, Theorem

FORMAT = "derive certificate 1"
MANY = 20  # hypotheses, beyond which they are written by what changes from one inference to the next
RECENT = 40  # inferences with so many that one without premises is compared with
_MODULES: tuple[ModuleType, ...] = (
    arrays,
    calculus,
    elementary,
    entropy,
    indicators,
    inequalities,
    integers,
    limits,
    matrices,
    maxima,
    passes,
    probability,
    products,
    sums,
    trigonometry,
)
Json = Any
T = TypeVar("T")


class CertificateError(Complaint):
    """A certificate that is damaged, was edited, or proves something else than it says."""


def axioms() -> dict[str, Axiom]:
    """Return every axiom schema by its name."""
    return {name: axiom for module in _MODULES for name, axiom in schemas(vars(module)).items()}


# ---- writing ---------------------------------------------------------------------------------------------------------


class _Writer:
    """The two tables, each entry once, what an entry needs before it."""

    def __init__(self) -> None:
        self.terms: list[Json] = []
        self.inferences: list[Json] = []
        self._term_ids: dict[Term, int] = {}
        self._theorem_ids: dict[int, int] = {}
        self._kept: list[Theorem] = []
        self._long: list[int] = []

    def term(self, term: Term) -> int:
        stack = [term]
        while stack:
            node = stack[-1]
            missing = [arg for arg in node.args if arg not in self._term_ids]
            if node in self._term_ids or not missing:
                stack.pop()
                if node not in self._term_ids:
                    self._term_ids[node] = len(self.terms)
                    self.terms.append([node.op, [self._term_ids[arg] for arg in node.args], _plain_data(node.data)])
            else:
                stack += missing
        return self._term_ids[term]

    def theorem(self, theorem: Theorem) -> int:
        stack = [theorem]
        while stack:
            node = stack[-1]
            missing = [t for t in _premises(node) if id(t) not in self._theorem_ids]
            if id(node) in self._theorem_ids or not missing:
                stack.pop()
                if id(node) not in self._theorem_ids:
                    self._theorem_ids[id(node)] = self._add(node)
            else:
                stack += missing
        return self._theorem_ids[id(theorem)]

    def _add(self, theorem: Theorem) -> int:
        self._kept.append(theorem)
        arguments = [self._argument(a) for a in theorem.arguments]
        hypotheses = self._hypotheses(theorem)
        self.inferences.append([theorem.inference, arguments, self.term(theorem.conclusion), hypotheses])
        return len(self.inferences) - 1

    def _hypotheses(self, theorem: Theorem) -> Json:
        """Return hypotheses as a list; many of them as what they have more and less than an inference before."""
        stated = theorem.hypotheses
        if len(stated) <= MANY:
            return self._listed(stated)
        others = [self._theorem_ids[id(t)] for t in _premises(theorem)] or self._long[-RECENT:]
        near = min(others, key=lambda n: len(stated ^ self._kept[n].hypotheses), default=None)
        self._long.append(len(self._kept) - 1)
        if near is None or 2 * len(stated ^ self._kept[near].hypotheses) > len(stated):
            return self._listed(stated)
        other = self._kept[near].hypotheses
        return {"as": near, "and": self._listed(stated - other), "not": self._listed(other - stated)}

    def _listed(self, formulas: Conditions) -> list[int]:
        return [self.term(formula) for formula in sorted(formulas, key=repr)]

    def _argument(self, value: Any) -> Json:
        if isinstance(value, Term):
            return ["term", self.term(value)]
        if isinstance(value, Theorem):
            return ["theorem", self._theorem_ids[id(value)]]
        if isinstance(value, Axiom):
            return ["axiom", value.name]
        if isinstance(value, tuple) and value and isinstance(value[0], Term):
            return ["pair", self.term(value[0]), self.term(value[1])]
        if isinstance(value, tuple):
            return ["place", *value]
        return ["plain", value]


def _premises(theorem: Theorem) -> list[Theorem]:
    return [a for a in theorem.arguments if isinstance(a, Theorem)]


def _plain_data(data: Any) -> Json:
    if isinstance(data, Fraction):
        return {"number": str(data)}
    return {"tuple": list(data)} if isinstance(data, tuple) else data


def write(
    slug: str,
    claims: Mapping[str, Theorem],
    lines: Iterable[tuple[str, Theorem, str]],
    assumptions: Iterable[Term],
    versions: Mapping[str, str],
) -> Json:
    """Return a certificate as plain JSON data.

    Parameters
    ----------
    slug : str
        What is certified.
    claims : mapping of str to Theorem
        The theorems, by name.
    lines : iterable of (str, Theorem, str)
        For each of the author's lines the name of its claim, its theorem, and its reasons in words.
    assumptions : iterable of Term
        The formulas that the theorems may rest on.
    versions : mapping of str to str
        Of what made it.
    """
    writer = _Writer()
    body = {
        "format": FORMAT,
        "slug": slug,
        "versions": dict(versions),
        "assumptions": [writer.term(a) for a in assumptions],
        "lines": [[name, writer.theorem(theorem), words] for name, theorem, words in lines],
        "claims": {name: writer.theorem(theorem) for name, theorem in claims.items()},
        "terms": writer.terms,
        "inferences": writer.inferences,
    }
    return {**body, "hash": content_hash(body)}


def content_hash(certificate: Mapping[str, Json]) -> str:
    """Return the SHA-256 of everything in a certificate but the hash itself."""
    body = {key: value for key, value in certificate.items() if key != "hash"}
    return hashlib.sha256(
        json.dumps(body, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
    ).hexdigest()


def dumps(certificate: Mapping[str, Json]) -> str:
    """Return a certificate as text, one entry of a table a line."""
    rows = []
    for key, value in certificate.items():
        if isinstance(value, list) and value:
            inner = ",\n  ".join(json.dumps(row, ensure_ascii=False, separators=(",", ":")) for row in value)
            rows.append(f" {json.dumps(key)}: [\n  {inner}\n ]")
        else:
            rows.append(f" {json.dumps(key)}: {json.dumps(value, ensure_ascii=False)}")
    return "{\n" + ",\n".join(rows) + "\n}\n"


# ---- replay ----------------------------------------------------------------------------------------------------------


def replay(certificate: Json) -> dict[str, Theorem]:
    """Make every inference of a certificate again and return its claims.

    Raises
    ------
    CertificateError
        Where the data is not a certificate, an inference does not come to what is written, the hash differs, or a claim
        rests on more than the stated assumptions. The message names the entry.
    """
    if not isinstance(certificate, Mapping) or certificate.get("format") != FORMAT:
        raise CertificateError(f"this is no certificate of the format “{FORMAT}”")
    terms = _terms(_table(certificate, "terms"))
    theorems = _inferences(_table(certificate, "inferences"), terms)
    allowed = set()
    for position, number in enumerate(_table(certificate, "assumptions")):
        with _entry(f"assumption {position}"):
            allowed.add(closed(_earlier(terms, number)))
    claims: dict[str, Theorem] = {}
    for name, number in _table(certificate, "claims", dict).items():
        with _entry(f"claim {name!r}"):
            claims[name] = _earlier(theorems, number)
            for hypothesis in claims[name].hypotheses:
                if closed(hypothesis) not in allowed:
                    raise CertificateError(f"it rests on {hypothesis!r}, which is not among the stated assumptions")
    if not claims:
        raise CertificateError("the certificate claims nothing")
    for position, row in enumerate(_table(certificate, "lines")):
        with _entry(f"line {position}"):
            name, number, words = _checked(row, list)
            _earlier(theorems, number)
            if name not in claims or not isinstance(words, str):
                raise CertificateError(f"{name!r} is no claim")
    _about(certificate)
    return claims


def _about(certificate: Json) -> None:
    """Check what proves nothing: the slug, the versions, and the hash, which tells an edit that proves as much."""
    with _entry("slug"):
        _checked(certificate["slug"], str)
    for name, version in _table(certificate, "versions", dict).items():
        with _entry(f"version of {name}"):
            _checked(version, str)
    with _entry("the content"):
        expected = content_hash(certificate)
    if certificate.get("hash") != expected:
        raise CertificateError("the content hash differs: the certificate was edited after it was made")


@contextmanager
def _entry(where: str) -> Iterator[None]:
    """Name the entry in whatever goes wrong there: a certificate may hold anything."""
    try:
        yield
    except (Complaint, ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError) as error:
        kind = "" if isinstance(error, Complaint) else f"{type(error).__name__}: "
        raise CertificateError(f"{where} cannot be replayed: {kind}{error}. Make it again with derive build") from error


def _table(certificate: Json, name: str, kind: type = list) -> Any:
    with _entry(f"the table of {name}"):
        return _checked(certificate[name], kind)


def _checked(value: Json, kind: type[T]) -> T:
    if type(value) is not kind:
        raise TypeError(f"{value!r:.60} is no {kind.__name__}")
    return value


def _earlier(made: list[T], number: Json) -> T:
    if type(number) is not int or not 0 <= number < len(made):
        raise IndexError(f"{number!r:.60} names nothing that stands before")
    return made[number]


def _terms(rows: list[Json]) -> list[Term]:
    made: list[Term] = []
    for number, row in enumerate(rows):
        with _entry(f"term {number}"):
            op, args, data = _checked(row, list)
            made.append(Term(_checked(op, str), tuple(_earlier(made, a) for a in _checked(args, list)), _data(data)))
    return made


def _data(data: Json) -> Any:
    if not isinstance(data, dict):
        return data
    [(kind, value)] = data.items()
    if kind == "number" and _FRACTION.fullmatch(_checked(value, str)):
        return Fraction(value)
    if kind == "tuple":
        return tuple(_checked(value, list))
    raise ValueError(f"{data!r:.60} is no data of a term")


_FRACTION = re.compile(r"-?[0-9]+(/[0-9]+)?")


def _inferences(rows: list[Json], terms: list[Term]) -> list[Theorem]:
    made: list[Theorem] = []
    schemas_by_name = axioms()
    readers: dict[str, Callable[..., Any]] = {
        "term": lambda n: _earlier(terms, n),
        "theorem": lambda n: _earlier(made, n),
        "axiom": lambda name: schemas_by_name[name],
        "pair": lambda a, b: (_earlier(terms, a), _earlier(terms, b)),
        "place": lambda *path: tuple(_checked(step, int) for step in path),
        "plain": lambda value: value,
    }
    stated: list[Conditions] = []
    for number, row in enumerate(rows):
        with _entry(f"inference {number}"):
            rule, arguments, conclusion, hypotheses = _checked(row, list)
            read = [readers[kind](*values) for kind, *values in _checked(arguments, list)]
            theorem = INFERENCES[rule](*read)
            written = _earlier(terms, conclusion)
            if alpha(theorem.conclusion) is not alpha(written):
                raise CertificateError(f"{rule} gives {theorem.conclusion!r}, and {written!r} is written")
            stated.append(_stated(hypotheses, terms, stated))
            if _alike(theorem.hypotheses) != stated[-1]:
                raise CertificateError(f"{rule} rests on other hypotheses than are written")
            made.append(theorem)
    return made


def _stated(written: Json, terms: list[Term], before: list[Conditions]) -> Conditions:
    """Return hypotheses as they are written: in a list, or as those of an inference before with some more or less."""
    if type(written) is not dict:
        return _alike(frozenset(_earlier(terms, h) for h in _checked(written, list)))
    more, less = (_stated(_checked(written[key], list), terms, before) for key in ("and", "not"))
    return (_earlier(before, written["as"]) | more) - less


@cache
def _alike(formulas: Conditions) -> Conditions:
    """Return formulas without the names of what they bind."""
    return frozenset(map(alpha, formulas))
