"""Long lines of generated code: a sum or the arguments of a call are put on lines of their own."""

from __future__ import annotations

import re
from collections.abc import Iterator

WIDTH = 92  # characters, with the four of a function's body
_OPEN, _CLOSED = "([{", ")]}"
_OPERATORS = (re.compile(r" (?=[+-] )"), re.compile(r" (?=@ )|(?<!\*)(?=\*[^*])"))
_COMMA = re.compile(r"(?<=,) ")
"Where a line may be broken: before a sign or else before that of a product, and after a comma between arguments."


def wrapped(line: str, width: int = WIDTH - 4) -> list[str]:
    """Return a statement without text in quotes as lines of a width, as far as there are places to break it."""
    if len(line) <= width or '"' in line:
        return [line]
    head = re.match(r"return |[\w, ]+ = ", line)
    start = head.end() if head else 0
    return _broken(line[:start], line[start:], width)


def _broken(head: str, code: str, width: int) -> list[str]:
    if len(head) + len(code) <= width:
        return [head + code]
    code, comma = (code[:-1], ",") if code.endswith(",") else (code, "")  # it stays outside of brackets around
    found = _group(code)
    if found is None:
        return [head + code + comma]
    first, last, parts = found
    opening, closing = (code[:first], code[last:]) if first else ("(", ")")
    inner = [row for part in parts for row in _broken(*_signed(part), width - 4)]
    return [head + opening, *(f"    {row}" for row in inner), closing + comma]


def _signed(part: str) -> tuple[str, str]:
    """Return the operator that a part begins with, which stays outside of brackets around it, and the rest."""
    sign = re.match(r"[+-] |@ |\*", part)
    return (part[: sign.end()], part[sign.end() :]) if sign else ("", part)


def _group(code: str) -> tuple[int, int, list[str]] | None:
    """Return the outermost stretch that can be broken, from where to where, and its parts; the whole is from 0."""
    for first, last in sorted(_brackets(code), key=lambda span: (_depth(code, span[0]), span[0] - span[1])):
        called = first > 1 and (code[first - 2].isalnum() or code[first - 2] == "_")
        for pattern in (_COMMA, *_OPERATORS) if called else _OPERATORS:
            parts = _parts(code[first:last], pattern)
            if len(parts) > 1:
                return first, last, parts
    return None


def _brackets(code: str) -> Iterator[tuple[int, int]]:
    """Yield the whole, and every stretch between round brackets."""
    yield 0, len(code)
    stack: list[int] = []
    for position, character in enumerate(code):
        if character in _OPEN:
            stack.append(position)
        elif character in _CLOSED:
            start = stack.pop()
            if code[start] == "(":
                yield start + 1, position


def _depth(code: str, position: int) -> int:
    return sum((c in _OPEN) - (c in _CLOSED) for c in code[:position])


def _parts(code: str, pattern: re.Pattern[str]) -> list[str]:
    """Return code in parts between the places that no bracket of its own holds."""
    places = [match for match in pattern.finditer(code) if match.start() and not _depth(code, match.start())]
    parts, last = [], 0
    for match in places:
        parts.append(code[last : match.start()])
        last = match.end()
    return [*parts, code[last:]]
