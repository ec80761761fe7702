"""Certificates: proofs as plain data, and replay, which makes every inference again and compares.

A certificate is a table of terms and a table of inferences. To load one is to replay it: the core and the axiom schemas
do it alone, without calculations, search or catalogue.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction
from types import ModuleType
from typing import Any, TypeVar

from derive.language.term import Complaint, Term, alpha
from derive.logic.axiom import Axiom
from derive.logic.context import ProofError
from derive.logic.facts import closed
from derive.logic.rules import calculus, elementary, inequalities, probability, sums
from derive.logic.rules.schema import schemas
from derive.logic.theorem import INFERENCES, Theorem

FORMAT = "derive certificate 1"
_MODULES: tuple[ModuleType, ...] = (calculus, elementary, inequalities, probability, sums)
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
        hypotheses = [self.term(h) for h in sorted(theorem.hypotheses, key=repr)]
        self.inferences.append([theorem.inference, arguments, self.term(theorem.conclusion), hypotheses])
        return len(self.inferences) - 1

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
    try:
        terms = _terms(certificate["terms"])
        theorems = _inferences(certificate["inferences"], terms)
        claims = {name: theorems[number] for name, number in certificate["claims"].items()}
        allowed = {closed(terms[number]) for number in certificate["assumptions"]}
        for name, number, _ in certificate["lines"]:
            if name not in claims or not 0 <= number < len(theorems):
                raise CertificateError(f"a line of {name!r} names an inference that is not there")
    except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
        raise CertificateError(
            f"the certificate is damaged ({type(error).__name__}: {error}); make it again with derive build"
        ) from error
    for name, theorem in claims.items():
        for hypothesis in theorem.hypotheses:
            if closed(hypothesis) not in allowed:
                raise CertificateError(
                    f"claim {name!r} rests on {hypothesis!r}, which is not among the stated assumptions"
                )
    if not claims:
        raise CertificateError("the certificate claims nothing")
    if certificate.get("hash") != content_hash(certificate):
        raise CertificateError("the content hash differs: the certificate was edited after it was made")
    return claims


def _terms(rows: Iterable[Json]) -> list[Term]:
    made: list[Term] = []
    for number, (op, args, data) in enumerate(rows):
        try:
            made.append(Term(op, tuple(_earlier(made, a) for a in args), _data(data)))
        except (Complaint, KeyError, IndexError, TypeError, ValueError) as error:
            raise CertificateError(f"term {number} ({op}) cannot be written: {error}") from error
    return made


def _earlier(made: list[T], number: Json) -> T:
    if not isinstance(number, int) or not 0 <= number < len(made):
        raise IndexError(f"entry {number} does not stand before")
    return made[number]


def _data(data: Json) -> Any:
    if isinstance(data, dict):
        return Fraction(data["number"]) if "number" in data else tuple(data["tuple"])
    return data


def _inferences(rows: Iterable[Json], terms: list[Term]) -> list[Theorem]:
    schemas_by_name = axioms()
    made: list[Theorem] = []
    readers: dict[str, Callable[..., Any]] = {
        "term": lambda n: _earlier(terms, n),
        "theorem": lambda n: _earlier(made, n),
        "axiom": lambda name: schemas_by_name[name],
        "pair": lambda a, b: (_earlier(terms, a), _earlier(terms, b)),
        "place": lambda *path: tuple(path),
        "plain": lambda value: value,
    }
    for number, (rule, arguments, conclusion, hypotheses) in enumerate(rows):
        where = f"inference {number} ({rule})"
        if rule not in INFERENCES:
            raise CertificateError(f"{where} is not a rule of the core")
        try:
            theorem = INFERENCES[rule](*(readers[kind](*values) for kind, *values in arguments))
        except (ProofError, Complaint) as error:
            raise CertificateError(f"{where} fails: {error}") from error
        written = _earlier(terms, conclusion)
        if alpha(theorem.conclusion) is not alpha(written):
            raise CertificateError(f"{where} gives {theorem.conclusion!r}, and {written!r} is written")
        if {alpha(h) for h in theorem.hypotheses} != {alpha(_earlier(terms, h)) for h in hypotheses}:
            raise CertificateError(f"{where} rests on other hypotheses than are written")
        made.append(theorem)
    return made
