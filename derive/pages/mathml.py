"""TeX of our own printers to MathML Core: latex2mathml behind a check of what goes in and a repair of what comes out.

The converter is fast and wrong in places. Words, numbers and styled letters never reach it: each travels as one
private character and is put back into the finished tree as text, so that no text can turn into markup. What the
converter makes of the rest is repaired node by node (`_REPAIRS`) and only then written out.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Final
from xml.etree.ElementTree import Element, SubElement, tostring

from latex2mathml.converter import convert_to_element


class TexError(ValueError):
    """TeX that is outside of the language that our printers write."""


# ---- the language that is let in ------------------------------------------------------------------------------------

_GREEK: Final = """alpha beta gamma delta epsilon varepsilon zeta eta theta vartheta iota kappa lambda mu nu xi pi rho
sigma tau upsilon phi varphi chi psi omega Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega ell""".split()
_FUNCTIONS: Final = "log exp sin cos tan sinh cosh tanh arctan max min sup inf lim det".split()
_OPERATORS: Final = """sum prod int partial nabla infty forall exists in notin subset cup cap emptyset le leq ge geq ne neq
approx equiv sim propto to mapsto Rightarrow Leftrightarrow iff implies wedge land lor neg mid vdash perp top times cdot
odot otimes circ pm ast star ldots cdots dots vdots prime colon lvert rvert lVert rVert langle rangle lfloor rfloor
lceil rceil""".split()
_LAYOUT: Final = """frac tfrac dfrac sqrt hat bar tilde overline left right displaystyle textstyle cancel boxed begin end
quad qquad""".split()
_WORDS: Final = "text operatorname operatorname* mathrm mathbf mathbb mathcal".split()
COMMANDS: Final = frozenset("\\" + name for name in [*_GREEK, *_FUNCTIONS, *_OPERATORS, *_LAYOUT, *_WORDS]) | frozenset(
    ("\\,", "\\;", "\\!", "\\ ", "\\{", "\\}", "\\\\")
)
_ENVIRONMENTS: Final = frozenset(("matrix", "pmatrix", "bmatrix", "cases"))
_PLAIN: Final = frozenset("+-=<>()[]/,.;:!?*'^_&")
_TOKEN: Final = re.compile(r"\\operatorname\*|\\[A-Za-z]+|\\.|\d+(?:\.\d+)?|[A-Za-z]|\s+|.", re.DOTALL)
_ESCAPED_IN_TEXT: Final = re.compile(r"\\([_&%#$ {}])")
_DELIMITERS: Final = frozenset(
    "( ) [ ] / \\{ \\} \\lvert \\rvert \\lVert \\rVert \\langle \\rangle \\lfloor \\rfloor \\lceil \\rceil".split()
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
_FIRST_PRIVATE: Final = 0xF000
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
        self.tokens = _TOKEN.findall(tex)
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
            return self._set_aside(_leaf("mn", token))
        if token.isspace():
            return " "
        if token in "{}" or token in _PLAIN or (token.isascii() and token.isalpha()):
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
            return self._set_aside(_leaf("mo", **_BARS[name]))
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
        return f"{{{chr(_FIRST_PRIVATE + len(self.aside) - 1)}}}"


def _leaf(tag: str, text: str, **attributes: str) -> Element:
    leaf = Element(tag, attributes)
    leaf.text = text
    return leaf


def _word(command: str, content: str, reader: _Reader) -> Element:
    """Return the element for words and styled letters."""
    if command == "text":
        text = _ESCAPED_IN_TEXT.sub(r"\1", content)
        if "\\" in _ESCAPED_IN_TEXT.sub("", content):
            raise reader.fail(f"a command inside of \\text{{{content}}}")
        # Blanks at the ends of a text element would be dropped.
        return _leaf("mtext", text.replace(" ", "\N{NO-BREAK SPACE}"))
    if not content.isalnum() or not content.isascii():
        raise reader.fail(f"\\{command}{{{content}}}, which is no word of letters and digits,")
    if command in _STYLED:
        return _leaf("mi", "".join(_styled(command, letter, reader) for letter in content))
    if command == "operatorname*":
        return _leaf("mo", content, **_LIMITS)
    return _leaf("mi", content, **({"mathvariant": "normal"} if len(content) == 1 else {}))


def _styled(command: str, letter: str, reader: _Reader) -> str:
    older = _OLDER_LETTERS[command].get(letter)
    if older:
        return older
    capitals, smalls, digits = _STYLED[command]
    first, base = (capitals, "A") if letter.isupper() else (smalls, "a") if letter.isalpha() else (digits, "0")
    if first is None:
        raise reader.fail(f"\\{command}{{{letter}}}, which has no such letter,")
    return chr(first + ord(letter) - ord(base))


# ---- repairs: one function a fault, each from node to node, parts before wholes -------------------------------------

_THIN: Final = "0.1667em"
_LIMITS: Final = {"movablelimits": "true", "form": "prefix", "lspace": "0", "rspace": _THIN}
_BIG: Final = frozenset("∑∏")
_SCRIPTS: Final = {"msub": "munder", "msup": "mover", "msubsup": "munderover"}
_OPENING: Final = {"(": ")", "[": "]", "{": "}", "⟨": "⟩", "⌊": "⌋", "⌈": "⌉", "|": "|", "‖": "‖"}
_SIGNS: Final = frozenset("+−±")
_LETTERLIKE: Final = frozenset("∂∇∞⊤∅ℓ…⋯⋮?")
_RELATIONS: Final = frozenset("=≠≤≥<>≈≡∼∝∈∉⊂→↦⇒⇔⟺∣⊢⊥")
_SIDES: Final = {"∣": "0.2222em", "⟺": "0.2778em", "∼": "0.2778em", "⊥": "0.2778em"}
_TIGHT: Final = {"lspace": "0", "rspace": "0"}
_RENAMED: Final = {"~": "∼", "⟹": "⇒", "―": "¯", "-": "−"}
_WIDTHS: Final = {"negativethinmathspace": f"-{_THIN}", "0.167em": _THIN, "0.278em": "0.2778em"}
_FUNCTION_NAME: Final = re.compile(r"[A-Za-z]{2,}")


def _decode(node: Element) -> None:
    """The converter leaves entities in the text of its tree."""
    if node.text is not None:
        text = html.unescape(node.text)
        node.text = _RENAMED.get(text, text)
    if "width" in node.attrib:
        node.set("width", _WIDTHS.get(node.attrib["width"], node.attrib["width"]))
    node.attrib.pop("mathvariant", None)


def _retag(node: Element) -> None:
    """Symbols that arrive as the wrong kind: operators as letters, and letters as operators."""
    text = node.text or ""
    if node.tag == "mo" and text in _LETTERLIKE:
        node.tag, node.attrib = "mi", {}
    elif node.tag == "mi" and len(text) == 1 and not text.isalnum() and text not in _LETTERLIKE | {"′"}:
        node.tag = "mo"
    if node.tag == "mo" and text in _SIDES:
        node.attrib.update(lspace=_SIDES[text], rspace=_SIDES[text])
    if node.tag == "mo" and text == "/":
        node.attrib.update(_TIGHT)
    if node.tag == "mo" and text in _FUNCTIONS:
        node.attrib = dict(_LIMITS) if text in {"lim", "max", "min", "sup", "inf"} else {}
        node.tag = "mo" if node.attrib else "mi"


def _enclosures(node: Element) -> None:
    """`menclose` is no part of MathML Core: a class and the style sheet draw it."""
    if node.tag == "menclose":
        kind = "boxed" if node.get("notation") == "box" else "cut"
        node.tag, node.attrib = "mrow", {"class": kind}


def _columns(node: Element) -> None:
    """`columnalign` is ignored by browsers, and cells stand too close."""
    if node.tag == "mtd":
        align = node.attrib.pop("columnalign", None)
        node.set("style", ("text-align:left;" if align == "left" else "") + "padding:.1em .5em .1em 0")


def _accents(node: Element) -> None:
    if node.tag == "mover" and len(node) == 2 and node[1].tag == "mo" and node[1].text in {"^", "∼", "¯"}:  # noqa: PLR2004
        node.set("accent", "true")
        node[1].attrib = {"stretchy": "true" if node[1].text == "¯" else "false"}
        node[1].text = {"∼": "~", "¯": "‾"}.get(node[1].text, node[1].text)


def _limits(node: Element) -> None:
    """Sums, products, limits and extrema carry their range below in display style."""
    if node.tag in _SCRIPTS and node[0].tag == "mo" and (node[0].text in _BIG or "movablelimits" in node[0].attrib):
        node[0].set("movablelimits", "true")
        node.tag = _SCRIPTS[node.tag]


def _primes(node: Element) -> None:
    """A superscript prime would be raised twice, since the prime of the font stands high already."""
    if node.tag == "msup" and _is_primes(node[1]):
        node.tag = "mrow"
        mark = _leaf("mo", "′" * sum(len(leaf.text or "") for leaf in node[1].iter()), form="postfix", **_TIGHT)
        node[1] = mark
    elif node.tag == "msubsup" and _is_primes(node[2]):
        mark = _leaf("mo", "′" * sum(len(leaf.text or "") for leaf in node[2].iter()), form="postfix", **_TIGHT)
        base = Element("msub")
        base.extend([node[0], node[1]])
        node.tag = "mrow"
        node[:] = [base, mark]


def _is_primes(node: Element) -> bool:
    texts = [leaf.text for leaf in node.iter() if leaf.text]
    return bool(texts) and all(set(text) == {"′"} for text in texts)


def _pair(node: Element) -> None:
    """A script after a closing bracket belongs to all that the brackets hold."""
    if node.tag not in _ROWS:
        return
    stack: list[list[Element]] = [[]]
    fences: list[str] = []
    for child in node:
        core = _core(child)
        fence = core.text if core.tag == "mo" and core.get("stretchy") != "true" else None
        if child.tag == "mo" and fence in _OPENING and core.get("form") != "postfix":
            fences.append(_OPENING[fence])
            stack.append([child])
        elif fences and fence == fences[-1]:
            fences.pop()
            inner = [*stack.pop(), child]
            stack[-1].append(_close(inner))
        else:
            stack[-1].append(child)
    if fences:
        return  # half-open intervals and the like stay a flat row
    node[:] = stack[0]


def _close(members: list[Element]) -> Element:
    """Return the bracketed row; its last member may carry scripts, which then hang on the row."""
    row, last = Element("mrow"), members[-1]
    row.extend(members[:-1])
    stretchy = "true" if any(member.tag == "mtable" for member in members) else "false"
    for fence, form in ((members[0], "prefix"), (_core(last), "postfix")):
        fence.attrib = {"fence": "true", "form": form, "stretchy": stretchy, **_TIGHT}
    if last.tag in _SCRIPTS:
        row.append(last[0])
        last[0] = row
        return last
    if last.tag == "mrow":  # a prime after the bracket
        row.append(last[0])
        last[0] = row
        return last
    row.append(last)
    return row


def _core(node: Element) -> Element:
    """Return what scripts and primes are attached to."""
    while node.tag in _SCRIPTS or (node.tag == "mrow" and len(node) == 2 and node[1].text == "′"):  # noqa: PLR2004
        node = node[0]
    return node


def _fences(node: Element) -> None:
    """Bars have one form a side, which a browser cannot guess."""
    for child in node:
        if child.tag == "mo" and child.get("fence") == "true":
            child.attrib.update(_TIGHT)


def _signs(node: Element) -> None:
    """A sign with nothing on its left is a prefix; one between two operands is not."""
    if node.tag not in _ROWS:
        return
    before: Element | None = None
    for child in node:
        if child.tag == "mspace":
            continue
        if child.tag == "mo" and child.text in _SIGNS:
            alone = before is None or (before.tag == "mo" and before.get("form") != "postfix")
            child.attrib.update({"form": "prefix", **_TIGHT} if alone else {"form": "infix"})
        before = child


def _names(node: Element) -> None:
    """A function's name is applied: an invisible operator, and a thin space where no bracket follows or another factor stands before."""
    if node.tag not in _ROWS:
        return
    children, spaced = list(node), list[Element]()
    for i, child in enumerate(children):
        if not _is_function(child):
            spaced.append(child)
            continue
        if spaced and spaced[-1].tag not in {"mo", "mspace"}:
            spaced.append(Element("mspace", {"width": _THIN}))
        spaced.append(child)
        if i + 1 < len(children):
            spaced.append(_leaf("mo", "\N{FUNCTION APPLICATION}"))
            if not _starts_with_fence(children[i + 1]) and children[i + 1].tag != "mspace":
                spaced.append(Element("mspace", {"width": _THIN}))
    node[:] = spaced


def _fractions(node: Element) -> None:
    """Fractions keep a little distance from what stands beside them, as they do in TeX."""
    if node.tag not in _ROWS or all(child.tag != "mfrac" for child in node):
        return
    spaced = list[Element]()
    for child in node:
        if spaced and "mfrac" in {child.tag, spaced[-1].tag} and not {child.tag, spaced[-1].tag} & {"mo", "mspace"}:
            spaced.append(Element("mspace", {"width": "0.12em"}))
        spaced.append(child)
    node[:] = spaced


def _is_function(node: Element) -> bool:
    core = _core(node)
    return core.tag == "mi" and bool(_FUNCTION_NAME.fullmatch(core.text or ""))


def _starts_with_fence(node: Element) -> bool:
    core = _core(node)
    first = core[0] if core.tag == "mrow" and len(core) else core
    return first.tag == "mo" and (first.get("form") == "prefix" or first.text in _OPENING)


def _scripts(node: Element) -> None:
    """Operators inside of scripts stand tight, as they do in TeX."""
    if node.tag in {*_SCRIPTS, *_SCRIPTS.values()} and not node.get("accent"):
        for script in node[1:]:
            for leaf in script.iter("mo"):
                leaf.attrib.update({"lspace": "0", "rspace": "0.1em" if leaf.text == "," else "0"})


_ROWS: Final = frozenset(("mrow", "math", "mtd", "mstyle", "msqrt"))
_REPAIRS: Final[tuple[Callable[[Element], None], ...]] = (
    _retag,
    _enclosures,
    _columns,
    _accents,
    _limits,
    _primes,
    _pair,
    _fences,
    _signs,
    _names,
    _fractions,
    _scripts,
)


def _repair(node: Element, aside: list[Element]) -> Element:
    """Return the node mended, parts first; rows of one member give way to the member."""
    node[:] = [_repair(child, aside) for child in node]
    _decode(node)
    if node.text and len(node.text) == 1 and 0 <= ord(node.text) - _FIRST_PRIVATE < len(aside):
        return aside[ord(node.text) - _FIRST_PRIVATE]
    for repair in _REPAIRS:
        repair(node)
    return node[0] if node.tag == "mrow" and len(node) == 1 and not node.attrib else node


def _lead(row: Element, continued: bool) -> None:
    """A formula that begins with a relation, or goes on from an earlier piece, begins with an infix operator."""
    first = next(iter(row), None) if row.tag == "mrow" else row
    if first is None or first.tag != "mo":
        return
    if first.text in _RELATIONS:
        first.attrib.update(form="infix", lspace="0")
    elif continued and first.text in _SIGNS | frozenset("⊙·×⊗"):
        first.attrib.update(form="infix", lspace="0.2222em", rspace="0.2222em")


def _leaves(node: Element) -> Iterator[str]:
    return (leaf.text or "" for leaf in node.iter() if leaf.tag in {"mi", "mo", "mn", "mtext"})


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
    converted = convert_to_element(reader.read())
    rows = [_repair(child, reader.aside) for child in converted]
    math = Element("math", {"displaystyle": "true"} if display else {})
    semantics = SubElement(math, "semantics")
    row = rows[0] if len(rows) == 1 else Element("mrow")
    if len(rows) != 1:
        row.extend(rows)
    _lead(row, continued)
    semantics.append(row)
    semantics.append(_leaf("annotation", tex, encoding="application/x-tex"))
    if any("\\" in text for text in _leaves(row)):
        raise TexError(f"the converter left a command in {tex!r}")
    return tostring(math, encoding="unicode", short_empty_elements=False)
