"""Names of the notation, taken apart: z₁, ŷ, φ′, W_out, p(·∣x)."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

_SUBSCRIPTS: Final = {
    **{chr(0x2080 + n): str(n) for n in range(10)},
    "₊": "+",
    "₋": "-",
    "ₜ": "t",
    "ᵢ": "i",
    "ⱼ": "j",
    "ₖ": "k",
    "ₙ": "n",
}
_SUPERSCRIPTS: Final = {"⁰": "0", "¹": "1", "²": "2", "³": "3", "⁺": "+", "⁻": "-", "*": "*"}
ACCENTS: Final = {"\u0302": "hat", "\u0304": "bar", "\u0305": "bar", "\u0303": "tilde"}
_WORDS: Final = frozenset(("hat", "bar", "tilde"))
_GREEK: Final = {
    unicodedata.name(letter).split()[-1].lower(): letter for letter in "αβγδεζηθικμνξπρστυφχψω"
} | {"lambda": "λ", "Lambda": "Λ"} | {
    unicodedata.name(letter).split()[-1].capitalize(): letter for letter in "ΓΔΘΞΠΣΥΦΨΩ"
}  # fmt: skip
"Letters that are spelled in ASCII, as programs do; Unicode calls λ a lamda."
_SHAPE: Final = re.compile(
    r"(?P<core>[^\W\d_₀-₉⁰¹²³]+)(?P<accent>[\u0302-\u0305]?)(?P<tail>[₀-₉₊₋ₜᵢⱼₖₙ]*)"
    r"(?:_+(?P<after>[\w\u0302-\u0305]+?(?:\+\w+?)?))?_*(?P<primes>[′']*)(?P<raised>[⁰¹²³⁺⁻*]*)"
)


@dataclass(frozen=True)
class Name:
    """A name's parts: a letter or word, an accent (hat, bar, tilde or none), what is below, primes, what is raised."""

    core: str
    accent: str = ""
    below: tuple[str, ...] = ()
    primes: int = 0
    raised: str = ""


@dataclass(frozen=True)
class Template:
    """A name with places for its arguments, such as p(x, ·): a head, and the names, signs and places in brackets."""

    head: Name
    pieces: tuple[str | Name | Template, ...]


_TOKEN: Final = re.compile(r"[()∣|‖,;·]|[^()∣|‖,;·\s]+")
SIGNS: Final = frozenset("∣|‖,;·")


@lru_cache(maxsize=4096)
def parse_name(text: str) -> Name | Template:
    """Take a name apart.

    Raises
    ------
    ValueError
        For a name that no page could print.

    Examples
    --------
    >>> parse_name("W₁")
    Name(core='W', accent='', below=('1',), primes=0, raised='')
    >>> parse_name("theta_hat_1")
    Name(core='θ', accent='hat', below=('1',), primes=0, raised='')
    """
    if "(" not in text:
        return _simple(text)
    pieces, rest = _pieces(_TOKEN.findall(text), text)
    if rest or len(pieces) != 1 or not isinstance(pieces[0], Template):
        raise _unprintable(text)
    return pieces[0]


def _pieces(tokens: list[str], text: str) -> tuple[tuple[str | Name | Template, ...], list[str]]:
    """Return the pieces up to the bracket that closes, and the tokens from there on."""
    pieces = list[str | Name | Template]()
    while tokens and tokens[0] != ")":
        mark, *tokens = tokens
        if mark == "(":
            inner, tokens = _pieces(tokens, text)
            if not tokens or not pieces or not isinstance(pieces[-1], Name):
                raise _unprintable(text)
            pieces[-1] = Template(pieces[-1], inner)
            tokens = tokens[1:]
        else:
            pieces.append(mark if mark in SIGNS else _simple(mark))
    return tuple(pieces), tokens


def _unprintable(text: str) -> ValueError:
    return ValueError(f"a name that cannot be printed: {text!r}")


def _simple(text: str) -> Name:
    composed = "".join(unicodedata.normalize("NFD", c) if unicodedata.category(c) in {"Ll", "Lu"} else c for c in text)
    found = _SHAPE.fullmatch(composed.strip())
    if not found:
        raise _unprintable(text)
    after = [unicodedata.normalize("NFC", part) for part in (found["after"] or "").split("_") if part]
    accents = [ACCENTS[found["accent"]]] if found["accent"] else [part for part in after if part in _WORDS][:1]
    spelled = accents if not found["accent"] else []
    below = [_GREEK.get(part, part) for part in after if part not in {"star", *spelled}]
    tail = _plain(found["tail"], _SUBSCRIPTS)
    return Name(
        _GREEK.get(found["core"], found["core"]),
        "".join(accents),
        (*([tail] if tail else []), *below),
        len(found["primes"]),
        _plain(found["raised"], _SUPERSCRIPTS) + "*" * ("star" in after),
    )


def _plain(text: str, table: dict[str, str]) -> str:
    return "".join(table[character] for character in text)
