"""Pieces of a page as LaTeX: what the TeX templates need beyond formulas."""

from __future__ import annotations

import re
import string
import unicodedata
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

from derive.language.term import Shape, Term
from derive.pages.mathml import TexError
from derive.pages.measure import left_parts, number_parts, row_parts
from derive.pages.model import Hole, Holed, Line, Number, Result, Tracks
from derive.pages.names import ACCENTS
from derive.pages.tex import INK, LETTERS, tex, tex_shape


class Tex(str):
    """TeX that is not to be escaped again."""

    __slots__ = ()


_SPECIAL: Final = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "%": r"\%", "_": r"\_",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}", ">": r"\textgreater{}",
    "|": r"\textbar{}", '"': r"\textquotedbl{}", "\u00a0": "~", "\u2009": r"\,", "…": r"\ldots{}",
}  # fmt: skip
_SIGNS: Final = {
    "−": "-", "×": r"\times", "·": r"\cdot", "≤": r"\leq", "≥": r"\geq", "≠": r"\neq", "≈": r"\approx",
    "⊢": r"\vdash", "∂": r"\partial", "∇": r"\nabla", "∞": r"\infty", "∈": r"\in", "→": r"\to", "⇒": r"\Rightarrow",
    "⟺": r"\iff", "⊙": r"\odot", "⊗": r"\otimes", "′": "'", "ᵀ": r"{}^{\top}", "√": r"\surd", "±": r"\pm", "∣": r"\mid",
    "∀": r"\forall", "∧": r"\wedge",
    "‖": r"\Vert", "★": r"\star", "𝟏": r"\mathbf{1}", "½": r"\tfrac{1}{2}", "¼": r"\tfrac{1}{4}",
    **{digit: f"{{}}_{{{n}}}" for n, digit in enumerate("₀₁₂₃₄₅₆₇₈₉")},
    **{digit: f"{{}}^{{{n}}}" for n, digit in enumerate("⁰¹²³⁴⁵⁶⁷⁸⁹")}, "⁻": "{}^{-}", "⁺": "{}^{+}",
}  # fmt: skip
# Ligatures of the fonts that would change code.
_IN_CODE: Final = {
    " ": "~",
    "-": "-{}",
    ",": ",{}",
    "'": r"\textquotesingle{}",
    "`": r"\textasciigrave{}",
    "!": "!{}",
    "?": "?{}",
}
_LAST_LATIN: Final = 0x17F
_QUOTES: Final = frozenset("–—‘’“”")


def escaped(value: object) -> str:
    """Return a value as LaTeX text; `Tex` as it is.

    Raises
    ------
    TexError
        For a character that a small TeX cannot print.
    """
    return value if isinstance(value, Tex) else "".join(map(_character, _clusters(str(value))))


def _clusters(text: str) -> list[str]:
    """Return the characters of a text, each with the accent that stands over it."""
    return re.findall(f".[{''.join(ACCENTS)}]?", unicodedata.normalize("NFC", text), re.DOTALL)


def _character(character: str) -> str:
    *letters, last = tuple(unicodedata.normalize("NFD", character))
    if len(letters) == 1 and last in ACCENTS and (letters[0] in LETTERS or letters[0] in string.ascii_letters):
        return f"\\ensuremath{{\\{ACCENTS[last]}{{{LETTERS.get(letters[0], letters[0])}}}}}"
    if character in _SPECIAL:
        return _SPECIAL[character]
    sign = _SIGNS.get(character) or LETTERS.get(character)
    if sign:
        return f"\\ensuremath{{{sign}}}"
    if ord(character) <= _LAST_LATIN or character in _QUOTES:
        return character
    raise TexError(f"the character {character!r} (U+{ord(character):04X}) in LaTeX text")


def _inline(formula: str) -> Tex:
    return Tex(f"${formula}$")


def _display(formula: str) -> Tex:
    return Tex(f"$\\displaystyle {formula}$")


def _prose(prose: Holed | str) -> Tex:
    pieces = (prose,) if isinstance(prose, str) else prose
    return Tex("".join(_piece(piece) for piece in pieces))


def _piece(piece: str | Term | Hole) -> str:
    if isinstance(piece, str):
        return escaped(piece)
    if isinstance(piece, Hole):
        return _inline(f"{tex(piece.left)}{INK.signs[piece.relation]}\\;?")
    return _inline(tex(piece))


def _left(row: Line | Result, tracks: Tracks) -> Tex:
    return Tex(_parted(left_parts(row, tracks))) if row.left is not None else Tex()


def _right(row: Line | Result, tracks: Tracks) -> Tex:
    """Return the relation and the right side."""
    sign = f"{{}}{INK.signs[row.relation]}".rstrip()
    if row.right is None:
        return _display(sign)
    first, *others = row_parts(row, tracks)
    return Tex(_parted((f"{sign} {first}", *others)))


def _quoted(number: Number) -> Tex:
    return Tex(_parted(number_parts(number)))


def _parted(parts: tuple[str, ...]) -> str:
    """A line may be broken before a + or − that no bracket holds; a formula of one part shrinks to fit."""
    if len(parts) == 1:
        return f"\\fit{{$\\displaystyle {parts[0]}$}}"
    return _display(" \\allowbreak ".join(parts))


def _shape(shape: Shape) -> Tex:
    return _inline(tex_shape(shape))


def _code(source: str) -> Tex:
    lines = source.rstrip("\n").split("\n")
    coded = ("".join(_IN_CODE.get(c) or _character(c) for c in _clusters(line)) for line in lines)
    return Tex("\n".join(f"\\codeline{{{line}}}" for line in coded))


FILTERS: Final[Mapping[str, Callable[..., Any]]] = MappingProxyType(
    {
        "prose": _prose,
        "term": lambda term: _inline(tex(term)),
        "left": _left,
        "right": _right,
        "quoted": _quoted,
        "whole": lambda term: Tex(_parted((tex(term, True),))),
        "shape": _shape,
        "code": _code,
        "tex": Tex,
    }
)
