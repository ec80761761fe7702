"""What an entry quotes and does not prove: decimals, which must be correct, and a claim, which must be false."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Final, Literal

from derive.evidence.witness import Unresolved, evaluate, witness
from derive.language.term import Term, free, lift, plain, subterms
from derive.record import Misstatement, Number, Record

Status = Literal["pass", "fail", "unresolved"]
_DECIMALS: Final = re.compile(r"([−-]?)(\d{1,3}(?:,\d{3})+|\d+)(?:\.(\d+))?(?:e([−-]?\d{1,4}))?( ?%)?")
DIGITS: Final = 50
_OF_A_FALSEHOOD: Final[Mapping[str, Status]] = {"false": "pass", "true": "fail"}


@dataclass(frozen=True)
class Finding:
    """What the witness finds of something that is quoted.

    Attributes
    ----------
    statement : str
        A term and its decimals, or the claim that should be false.
    status : str
        "pass", "fail", or "unresolved" where it cannot be evaluated here.
    note : str
        What is wrong; of a claim that is false, the values at which it is.
    """

    statement: str
    status: Status
    note: str = ""


# ---- a claim that is false -------------------------------------------------------------------------------------------


def claim_findings(entry: Record) -> Iterator[Finding]:
    """Yield whether the claim of a misstatement is false at its counterexample; nothing of another entry."""
    if not isinstance(entry, Misstatement):
        return
    seen = witness(entry.at(entry.claim))
    values = ", ".join(f"{plain(variable)} = {plain(lift(value))}" for variable, value in entry.counterexample)
    found = f"false at {values}" if values else "false"
    note = f"{found}: {seen.where.left} against {seen.where.right}" if seen.where else f"it is not false there: {seen}"
    yield Finding(plain(entry.claim), _OF_A_FALSEHOOD.get(seen.status, "unresolved"), note)


# ---- decimals --------------------------------------------------------------------------------------------------------


def number_findings(entry: Record) -> Iterator[Finding]:
    """Yield what is found of every number that an entry quotes, in their order."""
    for number in entry.numbers:
        try:
            note = _fault(number)
        except Unresolved as reason:
            yield Finding(_statement(number), "unresolved", str(reason))
        else:
            yield Finding(_statement(number), "fail" if note else "pass", note)


def _statement(number: Number) -> str:
    return f"{plain(number.term)} ≈ {number.shown}"


def _fault(number: Number) -> str:
    """Return what is wrong with a number; "" where nothing is."""
    try:
        quoted, unit = decimals(number.shown)
    except ValueError as error:
        return str(error)
    if open_parts := _open(number.term):
        return f"the term is not closed: {', '.join(open_parts)} has no value; quote a term without variables"
    try:
        value = evaluate(number.term, {}, dps=DIGITS)
    except (ArithmeticError, ValueError) as error:
        return f"the term has no value: {error}"
    # An mpf is an exact binary fraction, so that the comparison rounds nothing.
    sign, mantissa, exponent, _ = value._mpf_
    exact = (-1) ** sign * Fraction(int(mantissa)) * Fraction(2) ** exponent
    slack = abs(exact) / 10 ** (DIGITS - 10)  # of a value in the middle between two decimals, either is its rounding
    if abs(exact - quoted) <= unit / 2 + slack:
        return ""
    return f"it is {value.context.nstr(value, 12)}, which {number.shown} does not round"


def _open(term: Term) -> list[str]:
    """Return what keeps a term from being closed: variables, free indices, unknown functions, symbolic sizes."""
    parts = {part for part in subterms(term) if part.op in {"var", "fun", "size", "space"} and part not in _bound(term)}
    return sorted({plain(part) for part in parts | free(term)})


def _bound(term: Term) -> frozenset[Term]:
    """Return the variables that stand for nothing outside: those that a derivative is by are not among them."""
    return frozenset(part for mean in subterms(term) if mean.op == "mean" for part in mean.args[:-1])


def decimals(shown: str) -> tuple[Fraction, Fraction]:
    """Return a number as it is quoted, and the unit of its last digit.

    Raises
    ------
    ValueError
        Where it is no decimal number.
    """
    found = _DECIMALS.fullmatch(shown)
    if found is None:
        raise ValueError(f"{shown!r} is no decimal number: write it as 0.0902, −1,500, 1.5e-8 or 68.3 %")
    minus, whole, places, power, percent = found.groups()
    places = places or ""
    unit = Fraction(10) ** (int((power or "0").replace("−", "-")) - len(places)) / (100 if percent else 1)
    value = int(whole.replace(",", "") + places) * unit
    return (-value if minus else value), unit
