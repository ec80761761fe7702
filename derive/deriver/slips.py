"""Likely slips in a derivative: general mutations of the result, of which a witness has to say that they are false.

Nothing here is known to be wrong: where every label is ±1 a forgotten y² changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import reduce

from derive.deriver.backward import replaced
from derive.language.term import ONE, ShapeError, Term, eq, is_number, plain, subterms
from derive.record import Mistake

Found = Iterator[tuple[Term, str]]
Rule = Callable[[Term], Found]
"A part of a result -> what may stand there by mistake, and why that is wrong."

_LONG = 60  # characters of a factor, beyond which nobody sees what is missing
_LINEAR = frozenset(("neg", "mul", "matmul", "outer", "T", "diag", "sum", "array", "sumax", "at", "add", "sub"))
_INNER = frozenset(("σ", "softmax", "tanh", "exp", "sin", "cos", "erf"))


def slips(claim: Term, loss: Term, what: str) -> list[Mistake]:
    """Return what may be written by mistake for the right side of an equation, the likeliest first.

    Parameters
    ----------
    claim : Term
        left = right, of which the right side is mutated.
    loss : Term
        What was differentiated. The errors that were named on the way, which it does not hold, are opened.
    what : str
        The name of the kernel: "gradient", "hessian", …
    """
    left, right = claim.args
    found: dict[Term, str] = {
        _negative(right): f"The sign is turned round{_TURNED.get(what, '') if left.shape else ''}."
    }
    own = set(subterms(loss))
    places = [(right, part) for part in _parts(right)]
    for error in dict.fromkeys(part for part in _parts(right) if part.op == "let" and part not in own):
        opened = replaced(right, error, error.args[0])
        places += [(opened, part) for part in _parts(error.args[0])]
    for rule, most in _RULES:
        mutants = (
            (_doubled(replaced(term, part, new)), why) for term, part in places for new, why in _tried(rule, part)
        )
        mine = {wrong: why for wrong, why in mutants if wrong.shape == right.shape and wrong is not right}
        for wrong, why in list(mine.items())[:most]:
            found.setdefault(wrong, why)
    return [Mistake(eq(left, wrong), why) for wrong, why in found.items()]


def _parts(term: Term) -> Iterator[Term]:
    """Yield the parts that the result is linear in, the whole first: what stands inside of a function is left alone."""
    yield term
    if term.op in _LINEAR:
        for arg in term.args:
            yield from _parts(arg)
    elif term.op in {"div", "pow"}:
        yield from _parts(term.args[0])


def _tried(rule: Rule, part: Term) -> Found:
    """Yield what a rule finds, as far as its shapes fit."""
    try:
        yield from ((new, why) for new, why in rule(part) if new.shape == part.shape)
    except ShapeError:
        return


# ---- the mutations ---------------------------------------------------------------------------------------------------


def _negative(term: Term) -> Term:
    if term.op == "neg":
        return term.args[0]
    if term.op == "sub" and term.args[0].shape == term.args[1].shape:
        return term.args[1] - term.args[0]
    if term.op in {"div", "matmul"} and term.args[0].op == "neg":
        return Term(term.op, (term.args[0].args[0], *term.args[1:]))
    return -term


def _doubled(term: Term) -> Term:
    """A + A is 2 A."""
    if term.op == "add" and term.args[0] is term.args[1]:
        return 2 * term.args[0]
    if term.op not in _LINEAR or not term.args:
        return term
    return Term(term.op, tuple(arg if arg.op == "idx" else _doubled(arg) for arg in term.args), term.data)


def _mean(part: Term) -> Found:
    """1/N forgotten."""
    if part.op != "div":
        return
    factors = _factors(part.args[1])
    for size in factors:
        if size.op == "size":
            rest = [factor for factor in factors if factor is not size]
            why = f"{ONE / size} is forgotten: what is a mean over {size} in the loss is one in its derivative."
            yield (part.args[0] / _product(rest) if rest else part.args[0]), why


def _number(part: Term) -> Found:
    """A number forgotten."""
    if part.op == "mul" and part.args[0].op == "num":
        yield part.args[1], f"The factor {part.args[0]} is forgotten."
    if part.op == "div" and part.args[1].op == "num":
        yield part.args[0], f"The division by {part.args[1]} is forgotten."


def _summand(part: Term) -> Found:
    """A term forgotten."""
    if part.op not in {"add", "sub"} or any(arg.op == "num" for arg in part.args):
        return
    one, other = part.args
    yield one, f"The term {other} is forgotten."
    yield (other if part.op == "add" else -other), f"The term {one} is forgotten."


def _factor(part: Term) -> Found:
    """A local derivative forgotten, or the function in its place."""
    if part.op == "matmul" and part.args[1].op == "diag":
        yield part.args[0], f"The weights {part.args[1].args[0]} are forgotten."
    factors = _factors(part)
    for factor in reversed(factors if len(factors) > 1 else []):
        if factor.op == "num" or len(plain(factor)) > _LONG:
            continue
        rest = [other for other in factors if other is not factor]
        slope = _slope_of(factor, rest)
        why = f"The factor {factor} is forgotten: the chain rule leaves none out."
        if slope is not None:
            why = f"This has {slope} where its derivative {slope * factor} belongs."
        if rest:
            yield _product(rest), why


def _slope_of(factor: Term, rest: list[Term]) -> Term | None:
    """Return s where the factor is the 1 − s of s (1 − s)."""
    if factor.op == "sub" and is_number(factor.args[0], 1) and factor.args[1] in rest:
        return factor.args[1]
    return None


def _argument(part: Term) -> Found:
    """A function forgotten."""
    if part.op in {"app", "rows"} and part.data in _INNER and len(part.args) == 1:
        yield part.args[0], f"{part.args[0]} stands where {part} belongs."


def _inside(part: Term) -> Found:
    """The sign inside of a function."""
    if part.op == "app" and len(part.args) == 1 and _negative(part.args[0]).op != "neg":
        lost = _without_sign(part.args[0])
        if lost is not None:
            yield Term("app", (lost,), part.data), f"The sign inside is lost: it is {part}."


def _without_sign(term: Term) -> Term | None:
    """Return −u as u, and −a·b as a·b."""
    if term.op == "neg":
        return term.args[0]
    if term.op in {"mul", "div"} and (first := _without_sign(term.args[0])) is not None:
        return Term(term.op, (first, term.args[1]))
    return None


def _transpose(part: Term) -> Found:
    """A transpose forgotten, where the shapes let it pass."""
    if part.op == "T":
        yield part.args[0], f"The transpose of {part.args[0]} is forgotten: only a symmetric matrix has none."


_TURNED = {"gradient": ": a step against it would climb", "hessian": ": a minimum would look like a maximum"}
_RULES: tuple[tuple[Rule, int], ...] = (
    (_mean, 1),
    (_number, 1),
    (_factor, 2),
    (_summand, 2),
    (_inside, 1),
    (_argument, 1),
    (_transpose, 1),
)
"The rules in the order of how often people slip so, and how many mutants each may give."


def _factors(term: Term) -> list[Term]:
    return [factor for arg in term.args for factor in _factors(arg)] if term.op == "mul" else [term]


def _product(factors: list[Term]) -> Term:
    return reduce(lambda left, right: left * right, factors)
