"""How a term is laid out: one form an operator, with brackets where precedence asks for them.

The two printers, TeX and text, differ only in the `Ink` that they give to these forms.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Final, Literal

from derive.language.notation import SYMBOLS
from derive.language.term import ZERO, Term, bound, free, is_ones, is_random, least_of, name_of, place, subterms
from derive.pages.names import Name, Template, parse_name

# Levels of binding, loosest first. A piece stands without brackets where at least its level is called for.
IMPLICATION, CONJUNCTION, RELATION, SUM, ELEMENTWISE, PRODUCT, PREFIX, QUOTIENT, POWER, ATOM = range(10)

STRUCK: Final = "struck"  # the symbol that `cancelled.marked` puts around a factor


@dataclass(frozen=True)
class Piece:
    """A printed term.

    Attributes
    ----------
    text : str
        The formula.
    level : int
        How tightly its outermost operator binds.
    open : bool
        It ends in a prefix form (log x, Σ x) that would swallow a factor on its right.
    tall : bool
        It is higher than a line of text.
    bracketed : bool
        It begins with a bracket, so that it cannot follow a letter without looking like an argument.
    """

    text: str
    level: int = ATOM
    open: bool = False
    tall: bool = False
    bracketed: bool = False


@dataclass(frozen=True)
class Ink:
    """What a printer writes with: the marks of one notation.

    Attributes
    ----------
    signs : mapping
        Operators and relations, with the blanks around them.
    number, words, space : callable
        A natural number; words; the blank after a prefix.
    name, index : callable
        A name; a name with indices, and whether commas part them.
    component, power, transpose, inverse_transpose : callable
        What is written below and above a closed piece.
    fraction, bracket, square : callable
        A built-up fraction; round and square brackets, and whether they are tall.
    opened, closed : callable
        A bracket ( or [ before a part of what it holds, and its partner after another part.
    big, expectation, partial, operator_of_derivative : callable
        Σ and Π, 𝔼, ∂ or d, ∂/∂x.
    applied, symbol, template, primed, prefix : callable
        A function's name with its arguments in brackets; a symbol's name; its arguments put into its template, tall or
        not, or None if it has none; its name with a prime, or None; whether it stands before a short argument without
        brackets.
    touching : callable
        What comes between two factors.
    matrix : callable
        An array written out, from its rows.
    struck : callable
        A factor that cancels.
    """

    signs: Mapping[str, str]
    number: Callable[[int], str]
    words: Callable[[str], str]
    space: str
    name: Callable[[Name], str]
    index: Callable[[Name, list[str], bool], str]
    component: Callable[[str, list[str], bool], str]
    power: Callable[[str, str], str]
    transpose: Callable[[str], str]
    inverse_transpose: Callable[[str], str]
    fraction: Callable[[str, str], str]
    bracket: Callable[[str, bool], str]
    square: Callable[[str, bool], str]
    opened: Callable[[str, str, bool], str]
    closed: Callable[[str, str, bool], str]
    big: Callable[[str, str], str]
    expectation: Callable[[str], str]
    partial: Callable[[bool, str], str]
    operator_of_derivative: Callable[[bool, str], str]
    applied: Callable[[str, list[str], bool], str]
    symbol: Callable[[str], str]
    template: Callable[[str, list[str], bool], str | None]
    primed: Callable[[str], str | None]
    prefix: Callable[[str], bool]
    touching: Callable[[str, Piece], str]
    matrix: Callable[[list[list[str]]], str]
    struck: Callable[[str], str]


@dataclass(frozen=True)
class Printer:
    """Lays terms out with an ink, in a style.

    "display" has built-up fractions and tall brackets, "inner" is for scripts and for the inside of fractions, and
    "text" keeps everything on one line.
    """

    ink: Ink
    style: Literal["display", "inner", "text"] = "text"

    @property
    def display(self) -> bool:
        """Whether there are built-up fractions."""
        return self.style == "display"

    def piece(self, term: Term) -> Piece:
        """Return the term as a piece."""
        return FORMS[term.op](self, term)

    def inline(self) -> Printer:
        """Return the printer for scripts and for the inside of fractions."""
        return replace(self, style="inner") if self.display else self

    def fit(self, term: Term, level: int, *, closed: bool = False) -> Piece:
        """Return the term as a piece of at least a level, in brackets if it has to be."""
        if (term.op, term.data) == ("app", STRUCK):  # so are its brackets
            inner = self.fit(term.args[0], level, closed=closed)
            return replace(inner, text=self.ink.struck(inner.text))
        piece = self.piece(term)
        if piece.level >= level and not (closed and piece.open):
            return piece
        tall = piece.tall and self.display
        return Piece(self.ink.bracket(piece.text, tall), ATOM, tall=tall, bracketed=True)

    def text(self, term: Term, level: int = IMPLICATION) -> str:
        """Return the text of `fit`."""
        return self.fit(term, level).text


Form = Callable[[Printer, Term], Piece]


# ---- leaves ---------------------------------------------------------------------------------------------------------


def _number(printer: Printer, term: Term) -> Piece:
    value = Fraction(str(term.data))
    ink, minus = printer.ink, printer.ink.signs["neg"] if value < 0 else ""
    if value.denominator == 1:
        return Piece(minus + ink.number(abs(value.numerator)), SUM if minus else ATOM)
    above, below = ink.number(abs(value.numerator)), ink.number(value.denominator)
    if printer.display:
        return Piece(minus + ink.fraction(above, below), SUM if minus else QUOTIENT, tall=True)
    return Piece(f"{minus}{above}{ink.signs['div']}{below}", SUM if minus else PRODUCT)


def _size(printer: Printer, term: Term) -> Piece:
    return Piece(_layered(printer, term, term.args)) if term.args else _leaf(printer, term)


def _leaf(printer: Printer, term: Term) -> Piece:
    return Piece(_named(printer, name_of(term), ()))


def _named(printer: Printer, name: str, arguments: tuple[str, ...]) -> str:
    """Return a name; one with places gets its arguments, or the dots that it was declared with."""
    parsed = parse_name(name)
    if isinstance(parsed, Name):
        return printer.ink.name(parsed)
    return _filled(printer.ink, parsed, list(arguments))


def _filled(ink: Ink, template: Template, arguments: list[str]) -> str:
    """Return a template with arguments in its places, as far as there are any."""
    dot, bar, bars, comma = (ink.signs[key] for key in ("place", "given", "against", "comma"))
    signs = {"∣": bar, "|": bar, "‖": bars, ",": comma, ";": comma}
    inside = [
        _filled(ink, piece, arguments)
        if isinstance(piece, Template)
        else ink.name(piece)
        if isinstance(piece, Name)
        else (arguments.pop(0) if arguments else dot)
        if piece == "·"
        else signs[piece]
        for piece in template.pieces
    ]
    return ink.applied(ink.name(template.head), ["".join(inside)], False)


def _dots(template: Template) -> int:
    """Return how many places for arguments a name has."""
    return sum(_dots(p) if isinstance(p, Template) else p == "·" for p in template.pieces)


def _function(printer: Printer, term: Term) -> Piece:
    parsed = parse_name(name_of(term))
    order = term.data[1] if isinstance(term.data, tuple) else 0
    head = parsed.head if isinstance(parsed, Template) else parsed
    return Piece(printer.ink.name(replace(head, primes=head.primes + int(order))))


# ---- arithmetic -----------------------------------------------------------------------------------------------------


def _add(printer: Printer, term: Term) -> Piece:
    left, right = printer.fit(term.args[0], SUM), printer.fit(term.args[1], ELEMENTWISE)
    return Piece(
        f"{left.text}{printer.ink.signs[term.op]}{right.text}", SUM, right.open, left.tall or right.tall, left.bracketed
    )


def _succ(printer: Printer, term: Term) -> Piece:
    base, steps = term, 0
    while base.op == "succ":
        base, steps = base.args[0], steps + 1
    if base.op == "num":
        return Piece(printer.ink.number(int(str(base.data)) + steps))
    return Piece(f"{printer.text(base, SUM)}{printer.ink.signs['add']}{printer.ink.number(steps)}", SUM)


def _neg(printer: Printer, term: Term) -> Piece:
    inner = printer.fit(term.args[0], ELEMENTWISE)
    return Piece(printer.ink.signs["neg"] + inner.text, SUM, inner.open, inner.tall)


def _mul(printer: Printer, term: Term) -> Piece:
    left, right = term.args
    if left.shape and right.shape:
        first, second = printer.fit(left, ELEMENTWISE, closed=True), printer.fit(right, PREFIX)
        first = first if first.level != PRODUCT else printer.fit(left, PREFIX, closed=True)
        return Piece(
            first.text + printer.ink.signs["odot"] + second.text,
            ELEMENTWISE,
            second.open,
            first.tall or second.tall,
            first.bracketed,
        )
    return _juxtapose(printer, left, right, associative=True)


def _juxtapose(printer: Printer, left: Term, right: Term, *, associative: bool) -> Piece:
    """Two factors side by side. A sign on the first one is the sign of the product."""
    first, second, glue, _ = factors_of(printer, left, right, associative=associative)
    return Piece(
        first.text + glue + second.text,
        SUM if first.level < PRODUCT else PRODUCT,
        second.open,
        first.tall or second.tall,
        first.bracketed,
    )


def factors_of(printer: Printer, left: Term, right: Term, *, associative: bool = True) -> tuple[Piece, Piece, str, int]:
    """Return two factors as they stand side by side, what comes between, and the level that the second one needs."""
    first = printer.piece(left)
    signed = left.op == "neg" or (left.op == "num" and first.level == SUM)
    inner = left.op == "matmul" and not left.shape and right.shape  # (aᵀ b) c, which is no product of three
    if (first.level < PRODUCT and not signed) or first.open or _slashed(printer, left) or inner:
        first = printer.fit(left, POWER, closed=True)
    level = PRODUCT if (associative and not _ratio(printer, right)) or right.op in _SIGNED_SUMS else PREFIX
    second = printer.fit(right, level)
    return first, second, printer.ink.touching(first.text, second), level


def _slashed(printer: Printer, term: Term) -> bool:
    """Tell whether a factor ends in a quotient on one line, which a factor on its right would seem to belong to."""
    if term.op == "neg":
        return _slashed(printer, term.args[0])
    if term.op in {"mul", "matmul"}:  # a quotient on the right has brackets already, a derivative has none
        return not _ratio(printer, term.args[1]) and _slashed(printer, term.args[1])
    return _ratio(printer, term) or (term.op == "D" and not printer.display)


def _ratio(printer: Printer, term: Term) -> bool:
    """Tell whether a factor is a quotient on one line."""
    return not printer.display and (term.op == "div" or (term.op == "num" and Fraction(str(term.data)).denominator > 1))


def _matmul(printer: Printer, term: Term) -> Piece:
    """Two vectors make a row times a column."""
    left, right = term.args
    if not term.shape:
        left = _row(left) if left.op == "matmul" and len(left.args[0].shape) == 1 else left.T
    return _juxtapose(printer, left, right, associative=False)


def _outer(printer: Printer, term: Term) -> Piece:
    row = _row(term.args[1])
    return _juxtapose(printer, term.args[0], row, associative=row.op == "matmul")


def _row(vector: Term) -> Term:
    """Return a vector as a row: of a C it is aᵀ C, of C⁻¹ b it is bᵀ C⁻ᵀ, and of every other one the transpose."""
    if vector.op == "matmul" and len(vector.args[0].shape) == 1:
        return _row(vector.args[0]) @ vector.args[1]
    if vector.op == "matmul" and vector.args[0].op in {"inv", "T"}:
        matrix, column = vector.args
        return _row(column) @ (matrix.args[0] if matrix.op == "T" else matrix.T)
    return vector.T


def _div(printer: Printer, term: Term) -> Piece:
    left, right = term.args
    if printer.display:
        inner = printer.inline()
        if left.op == "neg":  # the sign of a numerator stands before the fraction
            above = inner.text(left.args[0], ELEMENTWISE)
            return Piece(printer.ink.signs["neg"] + printer.ink.fraction(above, inner.text(right)), SUM, tall=True)
        return Piece(printer.ink.fraction(inner.text(left), inner.text(right)), QUOTIENT, tall=True)
    over = printer.piece(left)
    signed = not over.open and (left.op == "neg" or (left.op == "num" and over.level == SUM))
    if not signed and (over.level < PRODUCT or over.open or (_slashed(printer, left) and left.op != "mul")):
        over = printer.fit(left, POWER, closed=True)
    below = printer.fit(right, POWER, closed=True)
    return Piece(
        over.text + printer.ink.signs["div"] + below.text, SUM if signed else PRODUCT, bracketed=over.bracketed
    )


def _pow(printer: Printer, term: Term) -> Piece:
    base = printer.fit(term.args[0], ATOM)
    return Piece(
        printer.ink.power(base.text, printer.inline().text(term.args[1])),
        POWER,
        tall=base.tall,
        bracketed=base.bracketed,
    )


def _transpose(printer: Printer, term: Term) -> Piece:
    inverse = term.args[0].op == "inv"
    base = printer.fit(term.args[0].args[0] if inverse else term.args[0], ATOM)
    if inverse:
        return Piece(printer.ink.inverse_transpose(base.text), POWER, tall=base.tall, bracketed=base.bracketed)
    return Piece(printer.ink.transpose(base.text), POWER, tall=base.tall, bracketed=base.bracketed)


# ---- functions ------------------------------------------------------------------------------------------------------

_SIGNED_SUMS: Final = frozenset(("sum", "prod", "integral"))


def _map(printer: Printer, term: Term) -> Piece:
    """F(u), or F with its layer below; its derivative has a prime."""
    assert isinstance(term.data, tuple)
    count, order = int(term.data[1]), int(term.data[2])
    return _called(printer, _layered(printer, term, term.args[1 : 1 + count], order), term.args[:1])


def _layered(printer: Printer, term: Term, numbers: tuple[Term, ...], primes: int = 0) -> str:
    """A name with numbers of layers below."""
    head = parse_name(name_of(term))
    assert isinstance(head, Name)
    head = replace(head, primes=head.primes + primes)
    below = [printer.inline().text(number) for number in numbers]
    return printer.ink.index(head, below, True) if below else printer.ink.name(head)


def _member(printer: Printer, term: Term) -> Piece:
    return Piece(_layered(printer, term, term.args[:1]))


def _pass(printer: Printer, term: Term) -> Piece:
    """N from one layer to another, applied to where it starts."""
    inner, head = printer.inline(), parse_name(name_of(term))
    assert isinstance(head, Name)
    through = printer.ink.signs["to"].join(inner.text(number) for number in term.args[:2])
    return _called(printer, printer.ink.index(head, [through], True), term.args[4:5])


def _symbol(printer: Printer, term: Term) -> Piece:
    """A symbol of the notation: a template, a prefix before one short argument, or a name with brackets."""
    name, ink = str(term.data), printer.ink
    if name == STRUCK:
        return printer.fit(term, IMPLICATION)
    if not term.args:
        return Piece(ink.symbol(name))
    written = SYMBOLS[name].written
    if written is not None:
        return printer.piece(written(*term.args))
    if name == "exp" and _is_heavy(term.args[0]):
        return _called(printer, ink.symbol("exp function"), term.args)
    inner = printer.inline() if "^{" in SYMBOLS[name].tex else printer
    pieces = [inner.piece(arg) for arg in term.args]
    tall = printer.display and any(piece.tall for piece in pieces)
    formed = ink.template(name, [piece.text for piece in pieces], tall)
    if formed is not None:
        raised = "^" in SYMBOLS[name].tex
        closed = not raised and name != "sqrt"  # an exponent beside a root would seem to be under it
        return Piece(formed, ATOM if closed else POWER, tall=not raised and any(piece.tall for piece in pieces))
    (first, *others) = pieces
    if (
        ink.prefix(name)
        and not others
        and (first.level >= POWER or term.args[0].op in _SIGNED_SUMS)
        and not first.bracketed
    ):
        return Piece(ink.symbol(name) + ink.space + first.text, PREFIX, True, first.tall)
    called = _called(printer, ink.symbol(name), term.args)
    return replace(called, level=POWER) if ink.prefix(name) else called  # log(a + b)² could be read either way


def _is_heavy(exponent: Term) -> bool:
    """Tell whether an exponent would be hard to read when it is raised."""
    parts = list(subterms(exponent))
    logs = exponent.op in {"add", "sub"} and any((part.op, part.data) == ("app", "log") for part in parts)
    return logs or any(part.op in _SIGNED_SUMS | {"D", "expect", "mean"} for part in parts)


def _called(printer: Printer, name: str, arguments: tuple[Term, ...]) -> Piece:
    pieces = [printer.piece(argument) for argument in arguments]
    tall = printer.display and any(piece.tall for piece in pieces)
    return Piece(printer.ink.applied(name, [piece.text for piece in pieces], tall), ATOM, tall=tall)


def _call(printer: Printer, term: Term) -> Piece:
    return _called(printer, printer.text(term.args[0]), term.args[1:])


def _of_matrix(printer: Printer, term: Term) -> Piece:
    return _called(printer, printer.ink.symbol(term.op), term.args)


def _sum_axis(printer: Printer, term: Term) -> Piece:
    """A sum over an axis is a product with ones; one over components is written with Σ."""
    ones, array, axis = printer.ink.symbol("ones"), term.args[0], term.data
    if array.op == "array" and not term.shape:
        return printer.piece(Term("sum", array.args))
    if len(array.shape) == 1:
        right = printer.fit(array, PRODUCT)
        return Piece(
            printer.ink.transpose(ones) + printer.ink.touching(ones, right) + right.text, PRODUCT, tall=right.tall
        )
    if len(array.shape) == 2:
        left = printer.fit(array.T if axis == 0 else array, POWER, closed=True)
        return Piece(left.text + printer.ink.space + ones, PRODUCT, tall=left.tall, bracketed=left.bracketed)
    return _called(printer, printer.ink.name(Name("sum", below=(str(axis),))), term.args)


# ---- components -----------------------------------------------------------------------------------------------------


def _at(printer: Printer, term: Term) -> Piece:
    array, *places = term.args
    if array.op == "tri":
        left, right = map(printer.text, places)
        return Piece(printer.ink.square(f"{right}{printer.ink.signs['le']}{left}", False))
    axes = zip(array.shape, places, strict=True)
    points = [printer.text(where) for axis, where in axes if axis.op == "space"]
    inner = printer.inline()
    below = [inner.text(where) for axis, where in zip(array.shape, places, strict=True) if axis.op != "space"]
    separated = any(where.op != "idx" or len(name_of(where)) > 1 for where in places)
    named = array.op in {"var", "let", "member"}
    parsed = parse_name(name_of(array)) if named else None
    if array.op == "member":  # the number of the layer stands before the indices
        below, separated = [inner.text(array.args[0]), *below], True
    if isinstance(parsed, Template):
        if below and not points and _dots(parsed) == len(places):  # P(·∣E) at the index h is P(h∣E)
            points, below = [printer.text(where) for where in places], []
        text = _named(printer, name_of(array), tuple(points))
        return Piece(printer.ink.component(text, below, separated) if below else text)
    if isinstance(parsed, Name):
        head = printer.ink.index(parsed, below, separated) if below else printer.ink.name(parsed)
        return Piece(printer.ink.applied(head, points, False) if points else head)
    base = printer.fit(array, ATOM)
    text = printer.ink.component(base.text, below, separated) if below else base.text
    return Piece(printer.ink.applied(text, points, False) if points else text, tall=base.tall, bracketed=base.bracketed)


def _inverse(printer: Printer, term: Term) -> Piece:
    base = printer.fit(term.args[0], ATOM)
    return Piece(printer.ink.power(base.text, "-1"), POWER, tall=base.tall, bracketed=base.bracketed)


def _delta(printer: Printer, term: Term) -> Piece:
    left, right = map(printer.text, term.args)
    return Piece(printer.ink.square(f"{left}{printer.ink.signs['eq']}{right}", False))


def _array(printer: Printer, term: Term) -> Piece:
    if is_ones(term):
        return Piece(printer.ink.symbol("ones"))
    body = printer.piece(term.args[-1])
    tall = body.tall and printer.display
    places = [printer.inline().text(index) for index in term.args[:-1]]
    separated = any(len(name_of(index)) > 1 for index in term.args[:-1])
    return Piece(printer.ink.component(printer.ink.square(body.text, tall), places, separated), tall=tall)


# ---- derivatives and binders ----------------------------------------------------------------------------------------


def _derivative(printer: Printer, term: Term) -> Piece:
    """∂f/∂x for a short f, and the operator ∂/∂x before a long one; a straight d where there is one variable at all."""
    body, by = term.args
    if body.op == "D" and _is_short(body.args[0]):
        return _second_derivative(printer, body.args[0], body.args[1], by)
    straight, ink, inner = _one_variable(body, by), printer.ink, printer.inline()
    below = ink.partial(straight, inner.text(by, ATOM))
    short = _is_short(body)
    if printer.style == "text":
        return _slashed_derivative(printer, term, straight, below)
    if short:
        above = ink.partial(straight, inner.text(body, ATOM))
        if printer.display:
            return Piece(ink.fraction(above, below), QUOTIENT, tall=True)
        return Piece(above + ink.signs["div"] + below, PRODUCT)
    operand = printer.fit(body, PREFIX if body.op not in _SIGNED_SUMS else PRODUCT)
    operator = ink.operator_of_derivative(straight, below)
    glue = ink.space if body.op == "num" else ink.touching(operator, operand)
    return Piece(operator + glue + operand.text, PREFIX, True, printer.display)


def _is_short(body: Term) -> bool:
    return place(body)[0].op in {"var", "let"}


def _second_derivative(printer: Printer, body: Term, first: Term, second: Term) -> Piece:
    """∂²f/∂x², ∂²f/∂x∂y; of a number by vectors ∂²f/∂x∂yᵀ, the rows by the first and the columns by the second."""
    ink, inner = printer.ink, printer.inline()
    straight = first is second and _one_variable(body, first)
    vectors = not body.shape and len(first.shape) == len(second.shape) == 1
    if first is second and not vectors:
        below = ink.partial(straight, ink.power(inner.text(first, ATOM), "2"))
    else:
        places = inner.text(first, ATOM), inner.text(second.T if vectors else second, ATOM if not vectors else POWER)
        below = "".join(ink.partial(False, where) for where in places)
    above = ink.power(ink.partial(straight, "").strip(), "2") + inner.text(body, ATOM)
    if printer.display:
        return Piece(ink.fraction(above, below), QUOTIENT, tall=True)
    return Piece(above + ink.signs["div"] + below, PRODUCT)


def _slashed_derivative(printer: Printer, term: Term, straight: bool, below: str) -> Piece:
    """On one line: f′(x) for a named function of the variable itself, else ∂f/∂x."""
    body, by = term.args
    if body.op == "app" and body.args == (by,) and by.op == "var" and not by.shape:
        primed = printer.ink.primed(str(body.data))
        if primed is not None:
            return _called(printer, primed, body.args)
    operand = printer.fit(body, PREFIX)
    return Piece(printer.ink.partial(straight, operand.text) + printer.ink.signs["div"] + below, PRODUCT)


def _one_variable(body: Term, by: Term) -> bool:
    """Tell whether a derivative is by the only variable that there is, a scalar."""
    if by.op != "var" or by.shape or free(body):
        return False
    return {part for part in subterms(body) if part.op == "var"} <= {by}


def _big(printer: Printer, term: Term) -> Piece:
    """Σ and Π: several of a kind share one sign."""
    sign, body = gathered(printer, term)
    inner = printer.fit(body, PRODUCT)
    return Piece(sign + inner.text, PRODUCT, True, printer.display or inner.tall)


def gathered(printer: Printer, term: Term) -> tuple[str, Term]:
    """Return the one sign of several sums or products with all that it ranges over, and what stands after it."""
    symbols, body = [term.args[0]], term.args[-1]
    while body.op == term.op and body.args[0] not in symbols:
        symbols.append(body.args[0])
        body = body.args[-1]
    below = printer.ink.signs["comma"].join(_ranging(printer.inline(), symbol) for symbol in symbols)
    return printer.ink.big(term.op, below), body


def _ranging(printer: Printer, symbol: Term) -> str:
    """An index as it stands below Σ: its bound is written where it is counted up to, and not the size of an axis."""
    bound = symbol.args[0]
    if bound.op == "space" or (bound.op == "size" and least_of(bound) > 0):
        return printer.text(symbol)
    return printer.text(symbol) + printer.ink.signs["lt"] + printer.text(bound)


def _integral(printer: Printer, term: Term) -> Piece:
    point, body = term.args
    inner = printer.fit(body, PRODUCT)
    return Piece(
        f"{printer.ink.signs['integral']}{inner.text}{printer.ink.signs['differential']}{printer.text(point)}",
        PRODUCT,
        True,
        printer.display,
    )


def _expectation(printer: Printer, below: str, body: Term) -> Piece:
    inner = printer.piece(body)
    tall = inner.tall and printer.display
    return Piece(printer.ink.expectation(below) + printer.ink.square(inner.text, tall), ATOM, tall=tall)


def _expect(printer: Printer, term: Term) -> Piece:
    return _expectation(printer, printer.inline().text(term.args[1]), term.args[2])


def _mean(printer: Printer, term: Term) -> Piece:
    below = printer.ink.signs["comma"].join(printer.inline().text(symbol) for symbol in bound(term))
    return _expectation(printer, below, term.args[-1])


def _spread(printer: Printer, term: Term) -> Piece:
    """Var(u) and Cov(u, v): over all random variables in them, which are named where others are held."""
    symbols = bound(term)
    name = printer.ink.symbol(term.op)
    if any(is_random(symbol) for symbol in free(term)):
        below = [printer.inline().text(symbol) for symbol in symbols]
        name = printer.ink.component(name, below, True)
    return _called(printer, name, term.args[len(symbols) :])


# ---- formulas -------------------------------------------------------------------------------------------------------

_TURNED: Final = {"lt": "gt", "le": "ge"}


def _relation(printer: Printer, term: Term) -> Piece:
    left, right, sign = sides_of(term)
    first, second = printer.fit(left, SUM), printer.fit(right, SUM)
    return Piece(first.text + printer.ink.signs[sign] + second.text, RELATION, True, first.tall or second.tall)


def sides_of(term: Term) -> tuple[Term, Term, str]:
    """Return the sides of a relation as they are written, and its sign: u > 0 and not 0 < u."""
    left, right = term.args
    if term.op in _TURNED and left is ZERO:
        return right, left, _TURNED[term.op]
    return left, right, term.op


def _connective(level: int) -> Form:
    def form(printer: Printer, term: Term) -> Piece:
        inner = level + (level != CONJUNCTION)  # (a ∧ b) ∧ c needs no brackets
        left, right = (printer.fit(arg, inner) for arg in term.args)
        return Piece(left.text + printer.ink.signs[term.op] + right.text, level, True, left.tall or right.tall)

    return form


def _forall(printer: Printer, term: Term) -> Piece:
    symbols, body = [term.args[0]], term.args[-1]
    while body.op == "forall" and body.args[0] not in symbols:
        symbols.append(body.args[0])
        body = body.args[-1]
    listed = printer.ink.signs["comma"].join(map(printer.text, symbols))
    inner = printer.fit(body, IMPLICATION)
    return Piece(
        f"{printer.ink.signs['forall']}{listed}{printer.ink.signs['colon']}{inner.text}", IMPLICATION, True, inner.tall
    )


def _integrable(printer: Printer, term: Term) -> Piece:
    body = printer.fit(term.args[-1], SUM)
    over = printer.ink.signs["comma"].join(map(printer.text, bound(term)))
    return Piece(f"{body.text}{printer.ink.words(' is integrable over ')}{over}", RELATION, True, body.tall)


def _predicate(words: str) -> Form:
    def form(printer: Printer, term: Term) -> Piece:
        matrix = printer.fit(term.args[0], SUM)
        return Piece(matrix.text + printer.ink.words(words), RELATION, True, matrix.tall)

    return form


def _tends(printer: Printer, term: Term) -> Piece:
    """u → c as t → ∞."""
    variable, *to, value, body = term.args
    arrow = printer.ink.signs["to"]
    near = printer.text(to[0], SUM) if to else printer.ink.signs["infinity"]
    first, second = printer.fit(body, SUM), printer.fit(value, SUM)
    text = f"{first.text}{arrow}{second.text}{printer.ink.words(' as ')}{printer.text(variable)}{arrow}{near}"
    return Piece(text, RELATION, True, first.tall or second.tall)


def _literal(printer: Printer, term: Term) -> Piece:
    """The rows of a matrix; a vector is a column."""
    length = int(str(term.shape[1].data)) if len(term.shape) == 2 else 1
    rows = [list(map(printer.inline().text, term.args[n : n + length])) for n in range(0, len(term.args), length)]
    return Piece(printer.ink.matrix(rows), ATOM, tall=True)


def _exchange(printer: Printer, term: Term) -> Piece:
    body = printer.fit(term.args[0], SUM)
    return Piece(body.text + printer.ink.words(" may be taken inside"), RELATION, True, body.tall)


FORMS: Final[Mapping[str, Form]] = {
    "num": _number,
    "size": _size,
    **dict.fromkeys(("space", "idx", "var", "let"), _leaf),
    "succ": _succ,
    "fun": _function,
    "add": _add,
    "sub": _add,
    "mul": _mul,
    "div": _div,
    "pow": _pow,
    "neg": _neg,
    **dict.fromkeys(("app", "rows", "reduce"), _symbol),
    "call": _call,
    "map": _map,
    "member": _member,
    "pass": _pass,
    "at": _at,
    "matmul": _matmul,
    "T": _transpose,
    "outer": _outer,
    "sumax": _sum_axis,
    **dict.fromkeys(("diag", "det", "trace"), _of_matrix),
    "eye": lambda printer, term: Piece(printer.ink.symbol("eye")),
    "tri": lambda printer, term: Piece(printer.ink.symbol("tri")),
    "inv": _inverse,
    "invertible": _predicate(" is invertible"),
    "posdef": _predicate(" is positive definite"),
    "delta": _delta,
    "D": _derivative,
    "array": _array,
    "sum": _big,
    "prod": _big,
    "integral": _integral,
    "expect": _expect,
    "mean": _mean,
    "Var": _spread,
    "Cov": _spread,
    "forall": _forall,
    "integrable": _integrable,
    **dict.fromkeys(("eq", "ne", "le", "lt"), _relation),
    "and": _connective(CONJUNCTION),
    "iff": _connective(IMPLICATION),
    "implies": _connective(IMPLICATION),
    "exchange": _exchange,
    "tends": _tends,
    "literal": _literal,
    "true": lambda printer, term: Piece(printer.ink.words("true")),
}


def shape_pieces(shape: tuple[Term, ...], printer: Printer) -> str:
    """Return a shape as a product of sizes; 1 for a scalar."""
    if not shape:
        return printer.ink.number(1)
    return printer.ink.signs["times"].join(printer.text(axis, PRODUCT) for axis in shape)
