"""Term to text that reads well in a terminal: one line, Unicode, indices in brackets as in NumPy."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from derive.language.term import Prose, Term
from derive.pages.forms import Ink, Printer, shape_pieces
from derive.pages.names import Name

_SUBSCRIPT_DIGITS: Final = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
_SUPERSCRIPTS: Final = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")
_ACCENTS: Final = {"hat": "\u0302", "bar": "\u0304", "tilde": "\u0303"}
_TEMPLATES: Final = {"abs": "|{0}|", "norm": "‖{0}‖", "squared_norm": "‖{0}‖²"}
_BIG: Final = {"sum": "Σ", "prod": "Π"}
_PREFIXES: Final = frozenset(("log", "tanh", "sin", "cos"))


_SIGNS: Final[Mapping[str, str]] = MappingProxyType({
    "add": " + ", "sub": " − ", "neg": "−", "div": "/", "odot": " ⊙ ", "times": " × ",
    "eq": " = ", "ne": " ≠ ", "le": " ≤ ", "lt": " < ", "ge": " ≥ ", "gt": " > ",
    "and": " ∧ ", "iff": " ⟺ ", "implies": " ⇒ ", "forall": "∀", "colon": ": ",
    "to": " → ", "infinity": "∞",
    "dot": "· ", "comma": ", ", "given": " | ", "against": " ‖ ", "place": "·", "integral": "∫ ", "differential": " d",
})  # fmt: skip
_EXTRA: Final = {"exp function": "exp", "ones": "𝟏", "eye": "I", "tri": "tri", "trace": "tr"}


def _name(name: Name) -> str:
    below = "".join(_script(b) for b in name.below)
    accented = unicodedata.normalize("NFC", name.core + _ACCENTS.get(name.accent, ""))
    return accented + below + "′" * name.primes + name.raised.translate(_SUPERSCRIPTS)


def _component(base: str, places: list[str]) -> str:
    return f"{base}[{', '.join(places)}]"


def _power(base: str, exponent: str) -> str:
    if exponent.removeprefix("-").isdigit():
        return base + exponent.translate(_SUPERSCRIPTS)
    return f"{base}^{exponent}" if exponent.isalnum() else f"{base}^({exponent})"


def _script(below: str) -> str:
    """Return what stands below a name: digits have signs of their own, a sum gets brackets."""
    if below.isdigit():
        return below.translate(_SUBSCRIPT_DIGITS)
    return f"_({below})" if "+" in below else f"_{below}"


def _below(sign: str, below: str) -> str:
    return f"{sign}_({below})" if {",", " "} & set(below) else f"{sign}_{below}"


def _partial(straight: bool, what: str) -> str:
    return ("d" if straight else "∂") + what


def _template(name: str, arguments: list[str], _: bool) -> str | None:
    shape = _TEMPLATES.get(name)
    return shape.format(*arguments) if shape else None


def _rows(rows: list[list[str]]) -> str:
    return "[" + ", ".join(f"[{', '.join(row)}]" if len(row) > 1 else row[0] for row in rows) + "]"


INK: Final = Ink(
    signs=_SIGNS,
    number=str,
    words=str,
    space=" ",
    name=_name,
    index=lambda name, places, separated: _component(_name(name), places),
    component=lambda base, places, separated: _component(base, places),
    power=_power,
    transpose=lambda base: f"{base}ᵀ",
    inverse_transpose=lambda base: f"{base}⁻ᵀ",
    fraction=lambda above, below: f"({above})/({below})",
    bracket=lambda inner, tall: f"({inner})",
    square=lambda inner, tall: f"[{inner}]",
    opened=lambda kind, inner, tall: kind + inner,
    closed=lambda kind, inner, tall: inner + {"(": ")", "[": "]"}[kind],
    big=lambda sign, below: _below(_BIG[sign], below) + " ",
    expectation=lambda below: _below("𝔼", below),
    partial=_partial,
    operator_of_derivative=lambda straight, by: f"{_partial(straight, '')}/{by}",
    applied=lambda symbol, arguments, tall: f"{symbol}({', '.join(arguments)})",
    symbol=lambda name: _EXTRA.get(name, name),
    template=_template,
    primed=lambda name: None if name in _TEMPLATES or name == "exp" else f"{name}′",
    prefix=lambda name: name in _PREFIXES,
    touching=lambda left, right: "·" if right.text[:1].isdigit() and right.text[:1] != "𝟏" else " ",
    matrix=_rows,
    struck=str,
)


def text(term: Term) -> str:
    """Return a term as one line of Unicode text.

    Examples
    --------
    >>> from derive.language.term import var
    >>> text(1 / (1 + var("x", dom="positive")))
    '1/(1 + x)'
    """
    return Printer(INK).piece(term).text


def text_shape(shape: tuple[Term, ...]) -> str:
    """Return a shape as text, such as N × K; 1 for a scalar."""
    return shape_pieces(shape, Printer(INK))


def text_prose(prose: Prose) -> str:
    """Return prose with its terms as text."""
    return "".join(piece if isinstance(piece, str) else text(piece) for piece in prose)
