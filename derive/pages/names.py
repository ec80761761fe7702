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
_ACCENTS: Final = {"\u0302": "hat", "\u0304": "bar", "\u0305": "bar", "\u0303": "tilde"}
_SHAPE: Final = re.compile(
    r"(?P<core>[^\W\d_₀-₉]+)(?P<accent>[\u0302-\u0305]?)(?P<tail>[₀-₉₊₋ₜᵢⱼₖₙ]*)(?:_(?P<after>\w+))?(?P<primes>[′']*)(?P<raised>[⁰¹²³⁺⁻*]*)"
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
    """A name with places for its arguments, such as p(x, ·): a head, and the words, signs and places in brackets."""

    head: Name
    pieces: tuple[str | Name, ...]


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
    """
    if "(" in text:
        head, _, inside = text.partition("(")
        parts = re.findall(r"[∣|,·;]|[^∣|,·;\s]+", inside.removesuffix(")"))
        return Template(_simple(head), tuple(part if part in "∣|,·;" else _simple(part) for part in parts))
    return _simple(text)


def _simple(text: str) -> Name:
    composed = "".join(unicodedata.normalize("NFD", c) if unicodedata.category(c) in {"Ll", "Lu"} else c for c in text)
    found = _SHAPE.fullmatch(composed.strip())
    if not found:
        raise ValueError(f"a name that cannot be printed: {text!r}")
    below = tuple(part for part in (_plain(found["tail"], _SUBSCRIPTS), found["after"] or "") if part)
    return Name(
        found["core"],
        _ACCENTS.get(found["accent"], ""),
        below,
        len(found["primes"]),
        _plain(found["raised"], _SUPERSCRIPTS),
    )


def _plain(text: str, table: dict[str, str]) -> str:
    return "".join(table[character] for character in text)
