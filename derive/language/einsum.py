"""einsum with literal subscripts: products of components, summed over the letters that are not kept."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from functools import reduce as fold
from typing import Any

from derive.language.reading import Reader, Value, permuted, whole
from derive.language.term import Σ, Term, array

DOTS = "0123456789"  # what the axes under "..." are called inside


def einsum(reader: Reader, node: ast.Call, given: list[ast.expr], options: Any) -> Value:
    """Return what NumPy's einsum of a literal text and arrays computes."""
    reader.options(node, options)
    match given:
        case [ast.Constant(value=str(text)), *rest] if rest:
            values = [reader.evaluate(argument) for argument in rest]
        case _:
            raise reader.error(node, 'einsum takes a literal text and arrays: einsum("ij,j->i", A, x)')
    inputs, kept = _subscripts(reader, node, text, values)
    sizes = _sizes(reader, node, inputs, values)
    if set(kept) - set(sizes) - {c for part in inputs for c in part}:
        raise reader.error(node, f"the subscripts {text!r} keep a letter that is not there")
    product = _matrices(inputs, kept, values)
    if product is not None:
        return whole(product)
    places: dict[str, Term] = {}
    for letter, size in sizes.items():
        places[letter] = reader.index(size, *(value.term for value in values), *places.values())
    factors = [value.at([places.get(c) for c in part]) for part, value in zip(inputs, values, strict=True)]
    body = fold(lambda a, b: a * b, factors)
    total = Σ(body, *(index for letter, index in places.items() if letter not in kept))
    axes = [places[c] for c in kept if c in places]
    return Value(array(total, *axes) if axes else total, tuple(c in places for c in kept))


def _subscripts(reader: Reader, node: ast.Call, text: str, values: Sequence[Value]) -> tuple[list[str], str]:
    """Return the letters of each array and of the result, with a name for each axis under the dots."""
    left, arrow, kept = text.replace(" ", "").partition("->")
    inputs = left.split(",")
    if len(inputs) != len(values):
        raise reader.error(node, f"the subscripts {text!r} are for {len(inputs)} arrays, and there are {len(values)}")
    named: list[str] = []
    most = ""
    for part, value in zip(inputs, values, strict=True):
        letters = part.replace("...", "", 1)
        under = value.rank - len(letters)
        if not _letters(letters) or under < 0 or (under and letters == part) or under > len(DOTS):
            raise reader.error(node, f"the subscripts {part!r} do not fit an array of shape {value.plainly}")
        dots = DOTS[:under][::-1]  # the last axes under the dots meet
        most = max(most, dots, key=len)
        named.append(part.replace("...", dots, 1))
    letters = "".join(part for part in named)
    if not arrow:
        return named, most + "".join(sorted({c for c in letters if c not in DOTS and letters.count(c) == 1}))
    wanted = kept.replace("...", "", 1)
    if not _letters(wanted) or len(set(wanted)) < len(wanted):
        raise reader.error(node, f"the subscripts {text!r} keep something twice, or something that is no letter")
    if most and wanted == kept:
        raise reader.error(node, f"the subscripts {text!r} have dots that are not kept: write them after -> too")
    return named, kept.replace("...", most, 1)


def _letters(text: str) -> bool:
    return all(c.isalpha() and c.isascii() for c in text)


def _sizes(reader: Reader, node: ast.Call, inputs: Sequence[str], values: Sequence[Value]) -> dict[str, Term]:
    """Return what each letter goes over; letters of axes of length one are left out."""
    found: dict[str, Term] = {}
    for part, value in zip(inputs, values, strict=True):
        for letter, size in zip(part, value.sizes, strict=True):
            if size is not None and found.setdefault(letter, size) is not size:
                shown = "an axis under the dots" if letter in DOTS else f"the letter {letter}"
                raise reader.error(node, f"{shown} stands for {found[letter]!r} and for {size!r}")
    return found


def _matrices(inputs: Sequence[str], kept: str, values: Sequence[Value]) -> Term | None:
    """Return a product of two matrices or vectors as what it is, and a transpose; None for the rest."""
    if not all(all(value.layout) for value in values) or any(len(set(part)) < len(part) for part in inputs):
        return None
    if len(inputs) == 1 and sorted(inputs[0]) == sorted(kept):
        return permuted(values[0].term, [inputs[0].index(c) for c in kept])
    if len(inputs) != 2 or max(map(len, inputs)) > 2:
        return None
    shared = set(inputs[0]) & set(inputs[1])
    if len(shared) != 1 or shared & set(kept):
        return None
    (inner,) = shared
    (left, one), (right, other) = ((v.term, part.replace(inner, "")) for v, part in zip(values, inputs, strict=True))
    if sorted(kept) != sorted(one + other):
        return None
    if kept != one + other:
        (left, one), (right, other) = (right, other), (left, one)
        inputs = inputs[::-1]
    left = left if inputs[0].endswith(inner) else left.T
    right = right if inputs[1].startswith(inner) else right.T
    return left @ right
