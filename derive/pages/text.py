"""Term to text that reads well in a terminal: one line, Unicode, indices in brackets as in NumPy."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from derive.language.term import Prose, Term
from derive.pages.forms import Piece, Printer, shape_pieces
from derive.pages.names import Name

_SUBSCRIPT_DIGITS: Final = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
_SUPERSCRIPTS: Final = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")
_ACCENTS: Final = {"hat": "\u0302", "bar": "\u0304", "tilde": "\u0303"}
_TEMPLATES: Final = {"abs": "|{0}|", "squared_norm": "‖{0}‖²"}
_BIG: Final = {"sum": "Σ", "prod": "Π"}
_PREFIXES: Final = frozenset(("log", "tanh"))


class TextInk:
    """The marks of plain text."""

    signs: Mapping[str, str] = MappingProxyType({
        "add": " + ", "sub": " − ", "neg": "−", "div": "/", "odot": " ⊙ ", "times": " × ",
        "eq": " = ", "ne": " ≠ ", "le": " ≤ ", "lt": " < ", "ge": " ≥ ", "gt": " > ",
        "and": " ∧ ", "iff": " ⟺ ", "implies": " ⇒ ", "forall": "∀", "colon": ": ",
        "comma": ", ", "given": " | ", "place": "·", "integral": "∫ ", "differential": " d",
    })  # fmt: skip
    _extra: Mapping[str, str] = MappingProxyType({"exp function": "exp", "ones": "𝟏"})

    def number(self, value: int) -> str:
        return str(value)

    def name(self, name: Name, below: tuple[str, ...] = ()) -> str:
        subs = "".join(b.translate(_SUBSCRIPT_DIGITS) if b.isdigit() else f"_{b}" for b in name.below)
        return name.core + _ACCENTS.get(name.accent, "") + subs + "′" * name.primes + name.raised.translate(_SUPERSCRIPTS)

    def index(self, name: Name, places: list[str], separated: bool) -> str:
        return self.component(self.name(name), places, separated)

    def component(self, base: str, places: list[str], separated: bool) -> str:
        return f"{base}[{', '.join(places)}]"

    def power(self, base: str, exponent: str) -> str:
        if exponent.isdigit():
            return base + exponent.translate(_SUPERSCRIPTS)
        return f"{base}^{exponent}" if exponent.isalnum() else f"{base}^({exponent})"

    def transpose(self, base: str) -> str:
        return f"{base}ᵀ"

    def fraction(self, above: str, below: str) -> str:
        raise AssertionError("text has no built-up fractions: it is never in display style")

    def bracket(self, inner: str, tall: bool) -> str:
        return f"({inner})"

    def square(self, inner: str, tall: bool) -> str:
        return f"[{inner}]"

    def big(self, sign: str, below: str) -> str:
        return f"{_BIG[sign]}_{below} " if "," not in below else f"{_BIG[sign]}_({below}) "

    def expectation(self, below: str) -> str:
        return f"𝔼_{below}" if "," not in below else f"𝔼_({below})"

    def applied(self, symbol: str, arguments: list[str], tall: bool) -> str:
        return f"{symbol}({', '.join(arguments)})"

    def symbol(self, name: str) -> str:
        return self._extra.get(name, name)

    def template(self, name: str, arguments: list[str]) -> str | None:
        shape = _TEMPLATES.get(name)
        return shape.format(*arguments) if shape else None

    def prefix(self, name: str) -> bool:
        return name in _PREFIXES

    def words(self, text: str) -> str:
        return text

    def space(self) -> str:
        return " "

    def touching(self, left: str, right: Piece) -> str:
        return "·" if right.text[:1].isdigit() else " "

    def partial(self, straight: bool, what: str) -> str:
        return ("d" if straight else "∂") + what

    def operator_of_derivative(self, straight: bool, by: str) -> str:
        return f"{self.partial(straight, '')}/{by}"


INK: Final = TextInk()


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
