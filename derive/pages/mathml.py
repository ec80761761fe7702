"""TeX of our own printers to MathML Core: latex2mathml behind a check of what goes in and a repair of what comes out.

The converter is fast and wrong in places. Words, numbers and styled letters never reach it: each travels as one
private character and is put back into the finished tree as text, so that no text can turn into markup. What the
converter makes of the rest is repaired node by node (`repair`) and only then written out.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final
from xml.etree.ElementTree import Element, SubElement, tostring

from latex2mathml.converter import convert_to_element

from derive.pages.repair import FIRST_PRIVATE, FUNCTIONS, LIMITS, leaf, repaired


class TexError(ValueError):
    """TeX that is outside of the language that our printers write."""


# ---- the language that is let in ------------------------------------------------------------------------------------


def _listed(words: str) -> frozenset[str]:
    return frozenset(words.split())


_GREEK: Final = _listed("""alpha beta gamma delta epsilon varepsilon zeta eta theta vartheta iota kappa lambda mu nu xi
pi rho sigma tau upsilon phi varphi chi psi omega Gamma Delta Theta Lambda Xi Pi Sigma
Upsilon Phi Psi Omega ell""")
_OPERATORS: Final = _listed("""sum prod int partial nabla infty forall exists in notin subset cup cap emptyset le leq ge
geq ne neq approx equiv sim propto to mapsto Rightarrow Leftrightarrow iff implies wedge
land lor neg mid vdash perp parallel top times cdot odot otimes circ pm ast star ldots cdots dots
vdots prime colon lvert rvert lVert rVert langle rangle lfloor rfloor lceil rceil""")
_LAYOUT: Final = _listed("""frac tfrac dfrac sqrt hat bar tilde overline left right displaystyle textstyle cancel boxed
begin end quad qquad""")
_WORDS: Final = _listed("text operatorname operatorname* mathrm mathbf mathbb mathcal")
_SPACES: Final = frozenset((r"\,", r"\;", r"\!", "\\ ", r"\{", r"\}", r"\\"))
COMMANDS: Final = frozenset("\\" + name for name in _GREEK | FUNCTIONS | _OPERATORS | _LAYOUT | _WORDS) | _SPACES
_THIN_SPACE: Final = "\N{THIN SPACE}"
_ENVIRONMENTS: Final = frozenset(("matrix", "pmatrix", "bmatrix", "cases"))
_PLAIN: Final = frozenset("+-=<>()[]/,.;:!?*'^_&")
_TOKEN: Final = re.compile(r"\\operatorname\*|\\[A-Za-z]+|\\.|\d+(?:\.\d+)?|[A-Za-z]|\s+|.", re.DOTALL)
_ESCAPED_IN_TEXT: Final = re.compile(r"\\([_&%#$ {}])")
_DELIMITERS: Final = _listed(
    r". ( ) [ ] / \{ \} \lvert \rvert \lVert \rVert \langle \rangle \lfloor \rfloor \lceil \rceil"
)

# The styled letters of Unicode have holes where a letter stood in an older block.
_OLDER_LETTERS: Final = {
    "mathbb": {"C": "ℂ", "H": "ℍ", "N": "ℕ", "P": "ℙ", "Q": "ℚ", "R": "ℝ", "Z": "ℤ"},
    "mathcal": {"B": "ℬ", "E": "ℰ", "F": "ℱ", "H": "ℋ", "I": "ℐ", "L": "ℒ", "M": "ℳ", "R": "ℛ"},
    "mathbf": {},
}
_STYLED: Final = {  # first capital, first small letter, first digit
    "mathbb": (0x1D538, 0x1D552, 0x1D7D8),
    "mathcal": (0x1D49C, 0x1D4B6, None),
    "mathbf": (0x1D400, 0x1D41A, 0x1D7CE),
}
# Bars have one form a side, which the converter forgets and a browser cannot guess.
_FENCE: Final = {"fence": "true", "stretchy": "false", "lspace": "0", "rspace": "0"}
_BARS: Final = {
    "lvert": {"text": "|", "form": "prefix", **_FENCE},
    "rvert": {"text": "|", "form": "postfix", **_FENCE},
    "lVert": {"text": "‖", "form": "prefix", **_FENCE},
    "rVert": {"text": "‖", "form": "postfix", **_FENCE},
}


class _Reader:
    """One pass over the tokens: everything is checked, and words and numbers are set aside."""

    def __init__(self, tex: str) -> None:
        self.tex = tex
        self.tokens: list[str] = _TOKEN.findall(tex)
        self.at = 0
        self.aside: list[Element] = []

    def fail(self, what: str) -> TexError:
        return TexError(f"{what} in {self.tex!r}")

    def read(self) -> str:
        """Return TeX for the converter: nothing in it but commands, single letters, braces and private characters."""
        out, open_groups = [], list[str]()
        while self.at < len(self.tokens):
            token = self.tokens[self.at]
            self.at += 1
            self._nest(token, open_groups)
            out.append(self._translate(token))
        if open_groups:
            raise self.fail(f"{open_groups[-1]!r} is never closed")
        return "".join(out)

    def _nest(self, token: str, open_groups: list[str]) -> None:
        closes = {"}": "{", "\\right": "\\left", "\\end": "\\begin"}
        if token in closes.values():
            open_groups.append(token)
        elif token in closes and (not open_groups or open_groups.pop() != closes[token]):
            raise self.fail(f"{token!r} closes nothing")
        if token in {"\\left", "\\right"} and self._peek() not in _DELIMITERS:
            raise self.fail(f"{token} before {self._peek()!r}, which is no delimiter,")

    def _peek(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def _translate(self, token: str) -> str:
        if token.startswith("\\"):
            return self._command(token)
        if token[0].isdigit() and token.isascii():
            return self._set_aside(leaf("mn", token))
        if token.isspace():
            return " "
        if token in {"{", "}"} or token in _PLAIN or (token.isascii() and token.isalpha()):
            return token
        raise self.fail(f"the character {token!r} (U+{ord(token):04X})")

    def _command(self, token: str) -> str:
        if token not in COMMANDS:
            raise self.fail(f"the unknown command {token}")
        name = token[1:]
        if name in {"begin", "end"}:
            environment = self._group(name)
            if environment not in _ENVIRONMENTS:
                raise self.fail(f"the unknown environment {environment!r}")
            return f"{token}{{{environment}}}"
        if name in _BARS:
            return self._set_aside(leaf("mo", **_BARS[name]))
        if name in {"left", "right"}:
            self.at += 1
            return token + self.tokens[self.at - 1] + " "
        if name in _WORDS:
            return self._set_aside(_word(name, self._group(name), self))
        return token + " " if name[-1].isalpha() else token

    def _group(self, name: str) -> str:
        """Return the braced text after a command, which is never read as TeX."""
        if self._peek() != "{":
            raise self.fail(f"\\{name} without braces")
        start = self.at + 1
        try:
            end = next(i for i in range(start, len(self.tokens)) if self.tokens[i] in "{}")
        except StopIteration:
            raise self.fail(f"\\{name}{{ is never closed") from None
        if self.tokens[end] == "{":
            raise self.fail(f"braces inside of \\{name}")
        self.at = end + 1
        return "".join(self.tokens[start:end])

    def _set_aside(self, element: Element) -> str:
        self.aside.append(element)
        return f"{{{chr(FIRST_PRIVATE + len(self.aside) - 1)}}}"


def _word(command: str, content: str, reader: _Reader) -> Element:
    """Return the element for words and styled letters."""
    if command == "text":
        text = _ESCAPED_IN_TEXT.sub(r"\1", content)
        if "\\" in _ESCAPED_IN_TEXT.sub("", content):
            raise reader.fail(f"a command inside of \\text{{{content}}}")
        # Blanks at the ends of a text element would be dropped.
        return leaf("mtext", text.replace(" ", "\N{NO-BREAK SPACE}"))
    content = content.replace(r"\,", _THIN_SPACE)
    letters = content.replace(_THIN_SPACE, "")
    if not letters.isalnum() or not letters.isascii():
        raise reader.fail(f"\\{command}{{{content}}}, which is no word of letters and digits,")
    if command in _STYLED:
        return leaf("mi", "".join(_styled(command, letter, reader) for letter in content))
    if command == "operatorname*":
        return leaf("mo", content, **LIMITS)
    return leaf("mi", content, **({"mathvariant": "normal"} if len(content) == 1 else {}))


def _styled(command: str, letter: str, reader: _Reader) -> str:
    older = _OLDER_LETTERS[command].get(letter)
    if older:
        return older
    capitals, smalls, digits = _STYLED[command]
    first, base = (capitals, "A") if letter.isupper() else (smalls, "a") if letter.isalpha() else (digits, "0")
    if first is None:
        raise reader.fail(f"\\{command}{{{letter}}}, which has no such letter,")
    return chr(first + ord(letter) - ord(base))


@lru_cache(maxsize=4096)
def mathml(tex: str, display: bool = False, continued: bool = False) -> str:
    """Return a formula as one `<math>` element of MathML Core.

    Parameters
    ----------
    tex : str
        TeX in the language of `COMMANDS`; it is kept as the annotation.
    display : bool
        Large sums with their ranges below, and large fractions. The element stays inline: the page places it.
    continued : bool
        The formula goes on from an earlier one on the same line, so that a first + or − is between operands.

    Raises
    ------
    TexError
        For an unknown command, environment or character, and for braces that do not match.

    Examples
    --------
    >>> mathml("x")
    '<math><semantics><mi>x</mi><annotation encoding="application/x-tex">x</annotation></semantics></math>'
    """
    reader = _Reader(tex)
    content = repaired(convert_to_element(reader.read()), reader.aside, continued=continued)
    if any("\\" in (node.text or "") for node in content.iter() if node.tag != "mtext"):
        raise TexError(f"the converter left a command in {tex!r}")
    math = Element("math", {"displaystyle": "true"} if display else {})
    semantics = SubElement(math, "semantics")
    semantics.append(content)
    semantics.append(leaf("annotation", tex, encoding="application/x-tex"))
    return tostring(math, encoding="unicode", short_empty_elements=False)
