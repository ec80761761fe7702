"""A worked solution as a record: what a catalogue entry has, made for a loss that nobody has derived before."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache

from derive.deriver.backward import Backward, Error, accented, replaced
from derive.deriver.graph import Graph, graph
from derive.deriver.letters import Letters
from derive.language.term import D, Term, eq, free, name_of, place, plain, subterms
from derive.logic.calc import Calculation
from derive.logic.facts import closed
from derive.record import Assumption, Derivation, Kernel


def gradient(
    value: Term,
    by: Term,
    *,
    named: Mapping[str, Term] | None = None,
    variables: Iterable[Term] | None = None,
    given: Sequence[Term] = (),
    assumed: Sequence[Term] = (),
    title: str = "",
    detail: int = 2,
) -> Derivation:
    """Return the worked solution of a gradient.

    Parameters
    ----------
    value : Term
        The loss, a scalar.
    by : Term
        The variable that it is differentiated by.
    named : mapping of str to Term
        The author's named quantities.
    variables : iterable of Term
        All variables, in the order of the kernel's arguments.
    given : sequence of Term
        Equations that may be used.
    assumed : sequence of Term
        Formulas that the result may rest on.
    title : str
    detail : int
        How fine the lines are, from 1 to 3.

    Raises
    ------
    DeriverError
        Where it cannot go on, with the part of the loss and the reason.
    """
    listed = list(variables or _variables(value))
    whole = graph(value, by, named or {}, listed)
    errors = Backward(whole, given, (name_of(v) for v in listed), detail).run()
    return _record(whole, errors, listed, [*given, *assumed], title)


def hessian(
    value: Term,
    by: Term,
    *,
    named: Mapping[str, Term] | None = None,
    variables: Iterable[Term] | None = None,
    given: Sequence[Term] = (),
    assumed: Sequence[Term] = (),
    title: str = "",
    detail: int = 2,
    direction: Term | None = None,
) -> Derivation:
    """Return the worked solution of a Hessian, or of its product with a direction; see `gradient`."""
    listed = list(variables or _variables(value))
    whole = graph(value, by, named or {}, listed)
    taken = [*listed, *([direction] if direction is not None else [])]
    backward = Backward(whole, given, (name_of(v) for v in taken), detail)
    errors = backward.run()
    slopes = backward.forward(errors[-1].value)
    last = backward.second(errors[-1]) if direction is None else backward.along(errors[-1], direction)
    what = "Hessian" if direction is None else "Hessian times a vector"
    return _record(whole, [*errors, *slopes, last], taken, [*given, *assumed], title, what)


def jacobian(
    value: Term,
    by: Term,
    *,
    named: Mapping[str, Term] | None = None,
    variables: Iterable[Term] | None = None,
    given: Sequence[Term] = (),
    assumed: Sequence[Term] = (),
    title: str = "",
    detail: int = 2,
) -> Derivation:
    """Return the worked solution of the Jacobian of an array; see `gradient`."""
    listed = list(variables or _variables(value))
    whole = graph(value, by, named or {}, listed)
    error = Backward(whole, given, (name_of(v) for v in listed), detail).whole()
    return _record(whole, [error], listed, [*given, *assumed], title, "Jacobian")


def _variables(value: Term) -> list[Term]:
    return sorted((t for t in subterms(value) if t.op == "var"), key=lambda t: t.serial)


def _record(
    whole: Graph,
    errors: Sequence[Error],
    variables: Sequence[Term],
    stated: Sequence[Term],
    title: str,
    what: str = "gradient",
) -> Derivation:
    loss, by, last = whole.loss, whole.by, errors[-1]
    claim = last.theorem.conclusion
    letters = Letters(name_of(t) for t in subterms(claim) if t.op in {"let", "var", "size"})
    said = what if by.shape else _OF_A_NUMBER.get(what, what)
    entry = Derivation(
        module=f"derived.calculus.{said.lower().replace(' ', '_')}_by_{_plain_name(name_of(by))}",
        title=title or f"{said[:1].upper()}{said[1:]} by {by}",
        claim=claim,
        goal=f"Differentiate {loss} by {by}, line by line, until no derivative is left.",
        priority="useful",
        given=tuple(_given(whole, errors, variables)),
        assumptions=_assumptions(errors, stated, letters),
        convention=_convention(what, claim, loss, by),
        prompt=f"Derive the {said} by {by} of {eq(loss, loss.args[0])}.",
        sixty_seconds=_spoken(errors, said),
        strong=f"Names what the chain rule goes through, states the error of each, and finishes with {claim}.",
        weak=f"Leaves {claim.args[0]} as a product of derivatives, without shapes and without finishing.",
        mistakes=(),
        sanity=(),
    )
    entry.kernels = _kernels(whole, errors, variables, what, entry.assumptions)
    for error, name in zip(errors, _proof_names(errors), strict=True):
        first = "gradient" if by.shape else _OF_A_NUMBER["gradient"]
        heading = said if error is last else first if error.quantity is by else ""
        _hang(entry, error, name, heading, error is last)
    return entry


_OF_A_NUMBER = {"gradient": "derivative", "Hessian": "second derivative"}
"What a derivative by a number is called."


def _convention(what: str, claim: Term, loss: Term, by: Term) -> str:
    shape = " × ".join(f"{axis}" for axis in claim.args[0].shape)
    if not by.shape:
        return ""
    if what == "Jacobian":
        return f"The first axes of {D(loss, by)} are those of {loss}, the others those of {by}: it is {shape}."
    layout = f"A gradient has the shape of what it is taken by: {D(loss, by)} has the shape of {by}."
    if what == "Hessian" and shape:
        rows, columns = ("rows", "columns") if len(by.shape) == 1 else ("first axes", "last ones")
        return f"{layout} The Hessian is {shape}: its {rows} are those of the gradient, its {columns} those of {by}."
    return layout


def _kernels(
    whole: Graph, errors: Sequence[Error], variables: Sequence[Term], what: str, assumptions: Iterable[Assumption]
) -> tuple[Kernel, ...]:
    loss, by = whole.loss, whole.by
    found = [
        Kernel(
            "loss" if not loss.shape else "function",
            _inputs(variables, loss),
            (("loss" if not loss.shape else "function", loss),),
            _summary("The loss" if not loss.shape else "The function", loss.args[0]),
            derived=True,
        )
    ]
    for error, proved_by in zip(errors, _proof_names(errors), strict=True):
        if error.quantity is not by:
            continue
        first = error.proof.start.args[0] is loss
        name = "gradient" if first else what.lower().split(maxsplit=1)[0] + ("_product" if "times" in what else "")
        said = what if not first else "gradient" if by.shape else _OF_A_NUMBER["gradient"]
        known = {closed(hypothesis) for hypothesis in error.theorem.hypotheses}
        conditions = [a.formula for a in assumptions if closed(a.formula) in known]
        found.append(
            Kernel(
                name,
                _inputs(variables, error.value, loss),
                ((name, _in_names(error.value, _lets(whole))),),
                _summary(f"{said[:1].upper()}{said[1:]} by {by:s}", error.form, conditions),
                textbook=loss if first else None,
                proved_by=(proved_by,),
                derived=True,
            )
        )
    return tuple(found)


def _summary(words: str, formula: Term, conditions: Sequence[Term] = ()) -> str:
    """Return the first line of a docstring: what it is, the formula where it is short, and where it holds."""
    shown, where = plain(formula), "; ".join(map(plain, conditions))
    what = f"{words}: {shown}" if len(shown) <= _SHORT else words
    if not conditions:
        return f"{what}."
    return f"{what}, where {where if len(where) <= _SHORT else 'the assumptions of the derivation hold'}."


_SHORT = 60  # characters


def _in_names(value: Term, quantities: Sequence[Term]) -> Term:
    """Return a value with the names of the loss for what they stand for, so that it is computed once."""
    for quantity in quantities:
        value = replaced(value, quantity.args[0], quantity)
    return value


def _inputs(variables: Sequence[Term], *values: Term) -> tuple[Term, ...]:
    """Return the variables that values are computed from; some only for the size of an axis."""
    used = {part for value in values for part in subterms(value)}
    found = {v for v in variables if v in used}
    for size in (part for part in used if part.op == "size"):
        if not any(size in v.shape for v in found):
            found |= set([v for v in variables if size in v.shape][:1])
    return tuple(v for v in variables if v in found)


def _hang(entry: Derivation, error: Error, name: str, what: str, main: bool) -> None:
    at = accented(name_of(error.quantity))
    own = f"Derivative of {at}" if _forward(error) else f"Error at {at}"
    heading = f"The {what}" if what else own
    prove: Callable[[], Calculation] = lambda: error.proof  # noqa: E731 - a proof is a function
    prove.__name__ = name
    entry.proves(error.theorem.conclusion, heading, main=main)(prove)


def _forward(error: Error) -> bool:
    """Tell whether what is proved is the derivative of a quantity, and not of the loss by it."""
    return place(error.proof.start.args[0])[0] is error.quantity


def _proof_names(errors: Sequence[Error]) -> list[str]:
    """Return a name for the proof of each error: no two quantities share one, though ASCII may spell them alike."""
    found: list[str] = []
    counts: Counter[str] = Counter()
    for error in errors:
        second = _holds_derivative(error.proof.start.args[0])
        name = f"{'again_' if second else ''}by_{_plain_name(name_of(error.quantity))}"
        counts[name] += 1
        found.append(f"{name}__{counts[name]}" if counts[name] > 1 else name)
    return found


@cache
def _holds_derivative(term: Term) -> bool:
    return term.op == "D" or any(map(_holds_derivative, term.args))


def _plain_name(name: str) -> str:
    """Return a name in ASCII, for files and addresses: W₁ is W1, θ̂ is theta."""
    spelled = "".join(map(_spelled, unicodedata.normalize("NFKD", name)))
    return re.sub(r"_+", "_", spelled).strip("_") or "x"


def _spelled(character: str) -> str:
    if character.isascii():
        return character if character.isalnum() else "_"
    said = unicodedata.name(character, "")
    return said.split()[-1].lower().replace("lamda", "lambda") if said.startswith("GREEK") else ""


def _given(whole: Graph, errors: Sequence[Error], variables: Sequence[Term]) -> list[tuple[Term, str]]:
    used = set(subterms(whole.loss))
    rows: list[tuple[Term, str]] = [(v, _KINDS[min(len(v.shape), 3)]) for v in variables if v in used]
    rows += [(q, "named on the way" if q in whole.own else "a named quantity") for q in _lets(whole)]
    rows.append((whole.loss, "the loss"))
    own = {e.value for e in errors}
    met = (t for t in _parts(errors) if t.op == "let" and t not in used and t not in own)
    rows += [(t, "named on the way") for t in dict.fromkeys(met)]
    words = {True: "derivative", False: "error"}
    named = (e for e in errors if e.value.op == "let" and e.value not in used)
    rows += [(e.value, f"{words[_forward(e)]} of {e.quantity}") for e in named]
    return rows + _symbols(errors)


def _parts(errors: Sequence[Error]) -> Iterable[Term]:
    seen: set[Term] = set()
    return (part for error in errors for part in subterms(error.form, seen))


def _symbols(errors: Sequence[Error]) -> list[tuple[Term, str]]:
    """Return what a result is written in that not everybody knows, each symbol once, with what it says."""
    found: dict[str, tuple[Term, str]] = {}
    for part in _parts(errors):
        name = str(part.data) if part.op in {"rows", "app"} else part.op
        if name in _SAID and not free(part):
            found.setdefault(name, (part, _SAID[name]))
    return list(found.values())


_SAID = {
    "hardmax": "1 where a component is the largest of its row, 0 elsewhere",
    "prod_others": "the product of all other components of the row",
    "digamma": "the derivative of the logarithm of the gamma function",
    "trigamma": "the second derivative of the logarithm of the gamma function",
    "tri": "the triangle of ones: 1 in row i and column j where j ≤ i, 0 elsewhere",
}


def _lets(whole: Graph) -> list[Term]:
    return [t for t in subterms(whole.loss) if t.op == "let" and t is not whole.loss]


_KINDS = ("a number", "a vector", "a matrix", "an array")


def _spoken(errors: Sequence[Error], what: str) -> str:
    steps = [f"at {error.quantity} the error is {error.form}" for error in errors[:-1] if not _forward(error)]
    start = f"Go backwards: {'; '.join(steps)}. " if steps else ""
    if any(map(_forward, errors)):
        start += "Then go forwards, and differentiate each named quantity by those before it. "
    return f"{start}So the {what} is {eq(errors[-1].theorem.conclusion.args[0], errors[-1].form)}."


def _assumptions(errors: Sequence[Error], stated: Sequence[Term], letters: Letters) -> tuple[Assumption, ...]:
    known = {closed(formula) for formula in stated}
    found: dict[Term, Assumption] = {}
    for formula in stated:
        found[closed(formula)] = Assumption(letters.dressed(formula), "given")
    met: dict[Term, Term] = {}  # each only once: the hypotheses of a network's layers add up
    for error in errors:
        for hypothesis in sorted(_hypotheses(error) - met.keys(), key=repr):
            met[hypothesis] = key = closed(hypothesis)
            if key not in found:
                found[key] = Assumption(letters.dressed(hypothesis), _said(hypothesis))
    used = set(met.values())
    return tuple(a for key, a in found.items() if key in used or key not in known)


def _hypotheses(error: Error) -> set[Term]:
    inner = {h for line in error.proof.lines for h in line.theorem.hypotheses}
    return inner | set(error.theorem.hypotheses)


def _said(formula: Term) -> str:
    while formula.op == "forall":
        formula = formula.args[1]
    return {
        "ne": "away from kinks, and where nothing is divided by 0",
        "lt": "where everything is defined and smooth",
        "le": "where everything is defined",
        "implies": "where the maximum is taken once" if _of_maximum(formula) else "needed",
    }.get(formula.op, "needed")


def _of_maximum(formula: Term) -> bool:
    return formula.op == "implies" and any(part.op == "reduce" and part.data == "max" for part in subterms(formula))
