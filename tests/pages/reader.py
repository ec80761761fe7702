"""A reader for what the printers write, made from the conventions of print alone: it knows no term.

A product is written side by side and binds tighter than + and −; log, Σ and Π swallow the product on their right.
"""

import re
from collections.abc import Callable
from fractions import Fraction

from pages.terms import VALUES, VECTORS, Point, apply

Meaning = Callable[[Point], Fraction]
_COMMANDS = {
    r"\left": "",
    r"\right": "",
    r"\,": " ",
    r"\cdot": "·",
    r"\log": " log ",
    r"\sigma": "σ",
    r"\sum": "Σ",
    r"\prod": "Π",
    r"\exp": "exp ",
}
_TOKEN = re.compile(r"log|exp|[ΣΠ]_k|[a-z]_?\[?[kj]\]?(?![a-z])|\d+|.")


def flat(tex: str) -> str:
    """TeX as one line: fractions, scripts and commands rewritten into the notation of text."""
    while (at := tex.find(r"\frac{")) >= 0:
        above, rest = _group(tex, at + 5)
        below, rest = _group(tex, rest)
        tex = f"{tex[:at]} (({above})/({below})) {tex[rest:]}"
    while (at := tex.find("^{")) >= 0:
        inner, rest = _group(tex, at + 1)
        tex = f"{tex[:at]}^({inner}){tex[rest:]}"
    tex = re.sub(r"_\{(\w)\}", r"_\1", tex)
    for command, plain in _COMMANDS.items():
        tex = tex.replace(command, plain)
    return tex.replace("-", "−")


def _group(tex: str, start: int) -> tuple[str, int]:
    depth = 0
    for at in range(start, len(tex)):
        depth += {"{": 1, "}": -1}.get(tex[at], 0)
        if not depth:
            return tex[start + 1 : at], at + 1
    raise AssertionError(tex)


def line(text: str) -> str:
    """The printers' one-line text, with what differs from flattened TeX rewritten."""
    for raised, plain in zip("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789", strict=True):
        text = text.replace(raised, f"^({plain})")
    return re.sub(r"([pq])\[(\w)\]", r"\1_\2", text)


class Reader:
    """Recursive descent over the tokens."""

    def __init__(self, text: str) -> None:
        self.tokens = [t for t in _TOKEN.findall(text) if t != " "]
        self.at = 0

    def peek(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def take(self, expected: str = "") -> str:
        token = self.peek()
        assert not expected or token == expected, (self.tokens, self.at, expected)
        self.at += 1
        return token

    def read(self) -> Meaning:
        meaning = self.sum()
        assert not self.peek(), (self.tokens, self.at)
        return meaning

    def sum(self) -> Meaning:
        total = self.signed()
        while self.peek() in {"+", "−"}:
            total = _combine(self.take(), total, self.product())
        return total

    def signed(self) -> Meaning:
        if self.peek() == "−":
            self.take()
            inner = self.product()
            return lambda at: -inner(at)
        return self.product()

    def product(self) -> Meaning:
        result = self.factor()
        while self.peek() not in {"", "+", "−", ")"}:
            sign = self.take() if self.peek() in {"·", "/"} else "·"
            result = _combine(sign, result, self.factor())
        return result

    def factor(self) -> Meaning:
        word = self.take()
        if word == "log":
            inner = self.factor() if self.peek()[:1] not in {"Σ", "Π"} else self.product()
            return lambda at: apply("log", inner(at))
        if word in {"Σ_k", "Π_k"}:
            body = self.product()
            if word == "Σ_k":
                return lambda at: body(at | {"k": 0}) + body(at | {"k": 1})
            return lambda at: body(at | {"k": 0}) * body(at | {"k": 1})
        if word in {"σ", "exp"}:
            argument = self.bracketed()
            return self.raised(lambda at: apply(word, argument(at)))
        if word == "e":
            self.take("^")
            exponent = self.bracketed()
            return lambda at: apply("exp", exponent(at))
        if word == "(":
            self.at -= 1
            return self.raised(self.bracketed())
        return self.raised(self.leaf(word))

    def bracketed(self) -> Meaning:
        self.take("(")
        inner = self.sum()
        self.take(")")
        return inner

    def raised(self, base: Meaning) -> Meaning:
        if self.peek() != "^":
            return base
        self.take()
        exponent = self.bracketed()
        assert self.peek() != "^"
        return lambda at: base(at) ** int(exponent(at))

    def leaf(self, token: str) -> Meaning:
        if token.isdigit():
            return lambda at: Fraction(token)
        if token in VALUES:
            return lambda at: VALUES[token]
        name, _, place = token.partition("_")
        assert name in VECTORS, (token, self.tokens)
        return lambda at: VECTORS[name][at[place]]


def _combine(sign: str, left: Meaning, right: Meaning) -> Meaning:
    table: dict[str, Meaning] = {
        "+": lambda at: left(at) + right(at),
        "−": lambda at: left(at) - right(at),
        "·": lambda at: left(at) * right(at),
        "/": lambda at: left(at) / right(at),
    }
    return table[sign]
