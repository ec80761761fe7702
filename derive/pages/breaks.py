"""Where a formula may be broken between lines: before a + or −, and inside of a part that is too wide."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from derive.language.term import Term, bound, name_of
from derive.pages.forms import (
    CONJUNCTION,
    ELEMENTWISE,
    POWER,
    PRODUCT,
    STRUCK,
    SUM,
    Printer,
    factors_of,
    gathered,
    sides_of,
)

Wide = Callable[[str], bool]


@dataclass(frozen=True)
class _Part:
    """A part of a formula, and the sign that leads it: outside of a bracket that only ends in the part."""

    text: str
    sign: str = ""


def broken(printer: Printer, term: Term, wide: Wide = lambda _: False) -> tuple[str, ...]:
    """Return a formula in parts between which a line may be broken.

    Parameters
    ----------
    printer : Printer
    term : Term
    wide : callable
        Whether a part is too wide for its column. Such a part is broken inside of its brackets, and between factors.
    """
    return tuple(part.sign + part.text for part in _Breaker(printer, wide).summands(term))


@dataclass(frozen=True)
class _Breaker:
    printer: Printer
    wide: Wide

    def summands(self, term: Term, *, forced: bool = False) -> list[_Part]:
        """Return a sum before whose signs a line may be broken; what is none is broken inside if it must be."""
        if term.op not in {"add", "sub"}:
            whole = self.printer.piece(term).text
            inside = term.op in _INSIDE and (forced or self.wide(whole))
            return _INSIDE[term.op](self, term) if inside else [_Part(whole)]
        sign = self.printer.ink.signs[term.op].lstrip()
        return [*self.summands(term.args[0]), *_led(sign, self.within(term.args[1], ELEMENTWISE))]

    def within(self, term: Term, level: int, *, forced: bool = False) -> list[_Part]:
        """Return a term of at least a level, whole where it is not too wide; in brackets if it has to be."""
        fitted = self.printer.fit(term, level)
        if (term.op, term.data) == ("app", STRUCK) or not (forced or self.wide(fitted.text)):
            return [_Part(fitted.text)]
        inner = self.summands(term, forced=forced)
        if self.printer.piece(term).level >= level:
            return inner
        return self.bracketed("(", inner, tall=fitted.tall) if len(inner) > 1 else [_Part(fitted.text)]

    def bracketed(self, kind: str, inner: list[_Part], *, tall: bool, before: str = "") -> list[_Part]:
        """Return parts with a bracket before the first one and its partner after the last one."""
        ink = self.printer.ink
        if len(inner) == 1:
            whole = {"(": ink.bracket, "[": ink.square}[kind](inner[0].text, tall)
            return [_Part(before + whole)]
        first, *middle, last = inner
        opened = replace(first, text=before + ink.opened(kind, first.text, tall))
        return [opened, *middle, replace(last, text=ink.closed(kind, last.text, tall))]


_Rule = Callable[[_Breaker, Term], list[_Part]]


def _led(sign: str, made: list[_Part]) -> list[_Part]:
    return [replace(made[0], sign=sign), *made[1:]]


def _after(text: str, made: list[_Part]) -> list[_Part]:
    return [replace(made[0], text=text + made[0].text), *made[1:]]


def _negative(breaker: _Breaker, term: Term) -> list[_Part]:
    return _after(breaker.printer.ink.signs["neg"], breaker.within(term.args[0], ELEMENTWISE, forced=True))


def _product(breaker: _Breaker, term: Term) -> list[_Part]:
    """Break inside of the factor that is too wide, of a bracket after a short factor, or between two long ones."""
    left, right = term.args
    printer = breaker.printer
    if left.shape and right.shape:
        return [_Part(printer.piece(term).text)]
    first, second, glue, level = factors_of(printer, left, right)
    short = not first.bracketed and left.op != "mul"
    if breaker.wide(second.text) or short:
        return _after(first.text + glue, breaker.within(right, level, forced=short))
    plain = first.text == printer.fit(left, PRODUCT).text
    start = breaker.within(left, PRODUCT) if plain else [_Part(first.text)]
    return [*start, _Part(second.text, printer.ink.signs["dot"])]


def _quotient(breaker: _Breaker, term: Term) -> list[_Part]:
    """A numerator that is broken stands in brackets, before a slash."""
    printer, (above, below) = breaker.printer, term.args
    negative = above.op == "neg"
    over = above.args[0] if negative else above
    inner = breaker.summands(over, forced=True)
    if len(inner) == 1:
        return [_Part(printer.piece(term).text)]
    sign = printer.ink.signs["neg"] if negative else ""
    *before, last = breaker.bracketed("(", inner, tall=printer.display and printer.piece(over).tall, before=sign)
    under = printer.ink.signs["div"] + printer.inline().fit(below, POWER, closed=True).text
    return [*before, replace(last, text=last.text + under)]


def _big(breaker: _Breaker, term: Term) -> list[_Part]:
    sign, body = gathered(breaker.printer, term)
    return _after(sign, breaker.within(body, PRODUCT, forced=True))


def _sum_axis(breaker: _Breaker, term: Term) -> list[_Part]:
    """A sum over components that is written with Σ."""
    array = term.args[0]
    if array.op == "array" and not term.shape:
        return _big(breaker, Term("sum", array.args))
    return [_Part(breaker.printer.piece(term).text)]


def _integral(breaker: _Breaker, term: Term) -> list[_Part]:
    point, body = term.args
    ink = breaker.printer.ink
    *before, last = _after(ink.signs["integral"], breaker.within(body, PRODUCT, forced=True))
    return [*before, replace(last, text=f"{last.text}{ink.signs['differential']}{breaker.printer.text(point)}")]


def _expectation(breaker: _Breaker, term: Term) -> list[_Part]:
    printer, body = breaker.printer, term.args[-1]
    symbols = bound(term) if term.op == "mean" else term.args[1:2]
    below = printer.ink.signs["comma"].join(printer.inline().text(symbol) for symbol in symbols)
    tall = printer.display and printer.piece(body).tall
    return breaker.bracketed("[", breaker.summands(body, forced=True), tall=tall, before=printer.ink.expectation(below))


def _array(breaker: _Breaker, term: Term) -> list[_Part]:
    """Components in a bracket, with the indices after it."""
    printer, body = breaker.printer, term.args[-1]
    inner = breaker.summands(body, forced=True)
    if len(inner) == 1:
        return [_Part(printer.piece(term).text)]
    tall = printer.display and printer.piece(body).tall
    *before, last = breaker.bracketed("[", inner, tall=tall)
    places = [printer.inline().text(index) for index in term.args[:-1]]
    separated = any(len(name_of(index)) > 1 for index in term.args[:-1])
    return [*before, replace(last, text=printer.ink.component(last.text, places, separated))]


def _relation(breaker: _Breaker, term: Term) -> list[_Part]:
    left, right, sign = sides_of(term)
    written = breaker.printer.ink.signs[sign].lstrip()
    return [*breaker.within(left, SUM), *_led(written, breaker.within(right, SUM))]


def _forall(breaker: _Breaker, term: Term) -> list[_Part]:
    body = term
    while body.op == "forall":
        body = body.args[-1]
    whole, inside = breaker.printer.piece(term).text, breaker.printer.piece(body).text
    return (
        _after(whole.removesuffix(inside), breaker.summands(body, forced=True))
        if whole.endswith(inside)
        else [_Part(whole)]
    )


def _both(breaker: _Breaker, term: Term) -> list[_Part]:
    written = breaker.printer.ink.signs["and"].lstrip()
    left, right = term.args
    return [*breaker.within(left, CONJUNCTION), *_led(written, breaker.within(right, CONJUNCTION))]


_INSIDE: Final[Mapping[str, _Rule]] = {
    "neg": _negative,
    "mul": _product,
    "div": _quotient,
    **dict.fromkeys(("sum", "prod"), _big),
    "sumax": _sum_axis,
    "integral": _integral,
    **dict.fromkeys(("expect", "mean"), _expectation),
    **dict.fromkeys(("eq", "ne", "le", "lt"), _relation),
    "and": _both,
    "forall": _forall,
    "array": _array,
}
