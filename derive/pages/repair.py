"""Repairs of the tree that latex2mathml makes: one function a fault, each from node to node, parts before wholes."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Sequence
from typing import Final
from xml.etree.ElementTree import Element

FIRST_PRIVATE: Final = 0xF000
_EXTREMA: Final = frozenset(("lim", "max", "min", "sup", "inf"))
FUNCTIONS: Final = _EXTREMA | frozenset(("log", "exp", "sin", "cos", "tan", "sinh", "cosh", "tanh", "arctan", "det"))


def leaf(tag: str, text: str, **attributes: str) -> Element:
    """Return an element without children."""
    made = Element(tag, attributes)
    made.text = text
    return made


_THIN: Final = "0.1667em"
LIMITS: Final = {"movablelimits": "true", "form": "prefix", "lspace": "0", "rspace": _THIN}
_BIG: Final = frozenset("∑∏")
_SCRIPTS: Final = {"msub": "munder", "msup": "mover", "msubsup": "munderover"}
_OPENING: Final = {"(": ")", "[": "]", "{": "}", "⟨": "⟩", "⌊": "⌋", "⌈": "⌉", "|": "|", "‖": "‖"}
_CLOSING: Final = frozenset(_OPENING.values()) - frozenset("|‖")
_SIGNS: Final = frozenset("+−±")
_LETTERLIKE: Final = frozenset("∂∇∞⊤∅ℓ…⋯⋮?")
_RELATIONS: Final = frozenset("=≠≤≥<>≈≡∼∝∈∉⊂→↦⇒⇔⟺∣⊢⊥")
_CAPITALS: Final = frozenset("ΓΔΘΛΞΠΣΥΦΨΩ")  # upright, as in TeX
_PRIMES: Final = {"′": 1, "″": 2, "‴": 3}
_SIDES: Final = {"∣": "0.2222em", "⟺": "0.2778em", "∼": "0.2778em", "⊥": "0.2778em", "∥": "0.2222em"}
_TIGHT: Final = {"lspace": "0", "rspace": "0"}
_RENAMED: Final = {"~": "∼", "⟹": "⇒", "―": "¯", "-": "−"}
_WIDTHS: Final = {"negativethinmathspace": f"-{_THIN}", "0.167em": _THIN, "0.278em": "0.2778em"}
_FUNCTION_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9\u2009]+")


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
    if node.tag == "mi" and text in _CAPITALS:
        node.set("mathvariant", "normal")
    if node.tag == "mo" and text in _SIDES:
        node.attrib.update(lspace=_SIDES[text], rspace=_SIDES[text])
    if node.tag == "mo" and text == "/":
        node.attrib.update(_TIGHT)
    if node.tag == "mo" and text in FUNCTIONS:
        node.attrib = dict(LIMITS) if text in _EXTREMA else {}
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
        node.set("style", "text-align:left;padding:.1em .5em .1em 0" if align == "left" else "padding:.1em .3em")


def _accents(node: Element) -> None:
    if node.tag == "mover" and len(node) == 2 and node[1].tag == "mo" and node[1].text in {"^", "∼", "¯"}:
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
        mark = leaf("mo", _marks(node[1]), form="postfix", **_TIGHT)
        node[1] = mark
    elif node.tag == "msubsup" and _is_primes(node[2]):
        mark = leaf("mo", _marks(node[2]), form="postfix", **_TIGHT)
        base = Element("msub")
        base.extend([node[0], node[1]])
        node.tag = "mrow"
        node[:] = [base, mark]


def _marks(node: Element) -> str:
    return "".join("′" * _PRIMES[mark] for text in node.itertext() for mark in text)


def _is_primes(node: Element) -> bool:
    texts = [child.text for child in node.iter() if child.text]
    return bool(texts) and all(set(text) <= set(_PRIMES) for text in texts)


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
    # What is left open stays flat: its partner is in another part of the formula.
    for opening in (row[0] for row in stack[1:]):
        opening.attrib = {"fence": "true", "form": "prefix", "stretchy": "false", **_TIGHT}
    node[:] = [child for row in stack for child in row]
    for closing in (core for child in node if (core := _core(child)).tag == "mo" and core.text in _CLOSING):
        closing.attrib = {"form": "postfix", "stretchy": "false", **_TIGHT, **closing.attrib, "fence": "true"}


def _close(members: list[Element]) -> Element:
    """Return the bracketed row; its last member may carry scripts, which then hang on the row.

    Where there is an accent inside, which would raise them, they stay at the bracket, as in TeX.
    """
    row, last = Element("mrow"), members[-1]
    row.extend(members[:-1])
    stretchy = "true" if any(member.tag == "mtable" for member in members) else "false"
    for fence, form in ((members[0], "prefix"), (_core(last), "postfix")):
        fence.attrib = {"fence": "true", "form": form, "stretchy": stretchy, **_TIGHT}
    raised = any(node.get("accent") for member in members for node in member.iter("mover"))
    if last.tag in _SCRIPTS and not raised:
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
    while node.tag in _SCRIPTS or (node.tag == "mrow" and len(node) == 2 and node[1].text == "′"):
        node = node[0]
    return node


def _fences(node: Element) -> None:
    """Bars have one form a side, which a browser cannot guess; an empty one stands for a partner in another part."""
    for child in [child for child in node if child.tag == "mo" and child.get("fence") == "true"]:
        if child.text:
            child.attrib.update(_TIGHT)
        else:
            node.remove(child)


def _signs(node: Element) -> None:
    """A sign with nothing on its left is a prefix; one between two operands is not."""
    if node.tag not in _ROWS:
        return
    before: Element | None = None
    for child in node:
        if child.tag == "mspace":
            continue
        alone = before is None or (before.tag == "mo" and before.get("form") != "postfix")
        if child.tag == "mo" and child.text in _SIGNS:
            child.attrib.update({"form": "prefix", **_TIGHT} if alone else {"form": "infix"})
        elif child.tag == "mo" and child.text == "·" and alone:  # the place of an argument
            child.tag, child.attrib = "mi", {}
        before = child


def _names(node: Element) -> None:
    """A function's name is applied invisibly, with a thin space after a factor and before a bare argument."""
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
            spaced.append(leaf("mo", "\N{FUNCTION APPLICATION}"))
            follower = children[i + 1]
            if not _starts_with_fence(follower) and follower.tag != "mspace" and follower.text != "′":
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


_ROWS: Final = frozenset(("mrow", "mtd", "mstyle", "msqrt"))
_Repair = Callable[[Element], None]
# First what a node is, then how nodes stand beside each other: brackets must be paired before signs are read.
_KINDS: Final[tuple[_Repair, ...]] = (_retag, _enclosures, _columns, _accents, _limits, _primes, _pair, _fences)
_SPACING: Final[tuple[_Repair, ...]] = (_signs, _names, _fractions, _scripts)


def _restored(node: Element, aside: Sequence[Element]) -> Element:
    """Return the node with entities decoded, what was set aside put back, and every node of the right kind."""
    node[:] = [_restored(child, aside) for child in node]
    _decode(node)
    if node.text and len(node.text) == 1 and 0 <= ord(node.text) - FIRST_PRIVATE < len(aside):
        return aside[ord(node.text) - FIRST_PRIVATE]
    for repair in _KINDS:
        repair(node)
    return node[0] if node.tag == "mrow" and len(node) == 1 and not node.attrib else node


def _spaced(node: Element) -> None:
    for child in node:
        _spaced(child)
    for repair in _SPACING:
        repair(node)


def _lead(row: Element, continued: bool) -> None:
    """A formula that begins with a relation, or goes on from an earlier piece, begins with an infix operator."""
    first = next(iter(row), None) if row.tag == "mrow" else row
    if first is not None and continued and first.text == "·":  # between two factors, and no place of an argument
        first.tag = "mo"
    if first is None or first.tag != "mo":
        return
    if first.text in _RELATIONS:
        usual = "0.2778em" if continued else "0"
        first.attrib.update(form="infix", lspace=usual if first.text not in _SIDES else "0.2222em")
    elif continued and first.text in _SIGNS | frozenset("⊙·×⊗"):
        first.attrib.update(form="infix", lspace="0.2222em", rspace="0.2222em")


def repaired(converted: Element, aside: Sequence[Element], *, continued: bool = False) -> Element:
    """Return the content of a converted formula, mended.

    Parameters
    ----------
    converted : Element
        What the converter returned.
    aside : sequence of Element
        What each private character stands for, from FIRST_PRIVATE on.
    continued : bool
        The formula goes on from an earlier one on its line.
    """
    rows = [_restored(child, aside) for child in converted]
    row = rows[0] if len(rows) == 1 else Element("mrow")
    if len(rows) != 1:
        row.extend(rows)
    _spaced(row)
    _lead(row, continued)
    return row
