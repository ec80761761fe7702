"""A worked solution as a record: what a catalogue entry has, made for a loss that nobody has derived before."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence

from derive.deriver.backward import Backward, Error
from derive.deriver.graph import Graph, graph
from derive.deriver.letters import Letters
from derive.language.term import D, Term, eq, name_of, subterms
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
    last = backward.second(errors[-1]) if direction is None else backward.along(errors[-1], direction)
    what = "Hessian" if direction is None else "Hessian times a vector"
    return _record(whole, [*errors, last], taken, [*given, *assumed], title or f"{what} by {by}", what)


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
    return _record(whole, [error], listed, [*given, *assumed], title or f"Jacobian by {by}", "Jacobian")


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
    slug = what.lower().replace(" ", "_")
    entry = Derivation(
        module=f"derived.calculus.{slug}_by_{_plain_name(name_of(by))}",
        title=title or f"Gradient by {by}",
        claim=claim,
        goal=f"Differentiate {loss} by {by}, line by line, until no derivative is left.",
        priority="useful",
        given=tuple(_given(whole, errors, variables)),
        assumptions=_assumptions(errors, stated, letters),
        convention=_convention(what, loss, by),
        prompt=f"Derive the {what} of {loss} by {by}.",
        sixty_seconds=_spoken(errors, what),
        strong=f"Names what the chain rule goes through, states the error of each, and finishes with {claim}.",
        weak=f"Leaves {claim.args[0]} as a product of derivatives, without shapes and without finishing.",
        mistakes=(),
        sanity=(),
        kernels=_kernels(whole, errors, variables, what),
    )
    for error in errors:
        _hang(entry, error, what if error is last else "gradient" if error.quantity is by else "", error is last)
    return entry


def _convention(what: str, loss: Term, by: Term) -> str:
    if what == "Jacobian":
        return f"The first axes of {D(loss, by)} are those of {loss}, the others those of {by}."
    return f"A gradient has the shape of what it is taken by: {D(loss, by)} has the shape of {by}."


def _kernels(whole: Graph, errors: Sequence[Error], variables: Sequence[Term], what: str) -> tuple[Kernel, ...]:
    loss, by = whole.loss, whole.by
    found = [
        Kernel(
            "loss" if not loss.shape else "function",
            _inputs(variables, loss),
            (("loss" if not loss.shape else "function", loss),),
            "The loss." if not loss.shape else "The function.",
        )
    ]
    for error in errors:
        if error.quantity is not by:
            continue
        first = error.proof.start.args[0] is loss
        name = "gradient" if first else what.lower().split(maxsplit=1)[0] + ("_product" if "times" in what else "")
        found.append(
            Kernel(
                name,
                _inputs(variables, error.value, loss),
                ((name, error.value),),
                f"{what[:1].upper() + what[1:] if not first else 'Gradient'} by {name_of(by)}.",
                textbook=loss if first else None,
                proved_by=(_proof_name(error),),
            )
        )
    return tuple(found)


def _inputs(variables: Sequence[Term], *values: Term) -> tuple[Term, ...]:
    used = {part for value in values for part in subterms(value)}
    return tuple(v for v in variables if v in used)


def _hang(entry: Derivation, error: Error, what: str, main: bool) -> None:
    heading = f"The {what}" if what else f"Error at {error.quantity:s}"
    prove: Callable[[], Calculation] = lambda: error.proof  # noqa: E731 - a proof is a function
    prove.__name__ = _proof_name(error)
    entry.proves(error.theorem.conclusion, heading, main=main)(prove)


def _proof_name(error: Error) -> str:
    second = any(t.op == "D" for t in subterms(error.proof.start.args[0]))
    return f"{'again_' if second else ''}by_{_plain_name(name_of(error.quantity))}"


def _plain_name(name: str) -> str:
    return re.sub(r"\W", "_", unicodedata.normalize("NFKC", name)).strip("_") or "x"


def _given(whole: Graph, errors: Sequence[Error], variables: Sequence[Term]) -> list[tuple[Term, str]]:
    used = set(subterms(whole.loss))
    rows: list[tuple[Term, str]] = [(v, _KINDS[min(len(v.shape), 3)]) for v in variables if v in used]
    rows += [(q, "named on the way" if q in whole.own else "a named quantity") for q in _lets(whole)]
    rows.append((whole.loss, "the loss"))
    rows += [(e.value, f"error of {e.quantity}") for e in errors if e.value.op == "let"]
    return rows


def _lets(whole: Graph) -> list[Term]:
    return [t for t in subterms(whole.loss) if t.op == "let" and t is not whole.loss]


_KINDS = ("a number", "a vector", "a matrix", "an array")


def _spoken(errors: Sequence[Error], what: str) -> str:
    steps = [f"at {error.quantity} the error is {error.form}" for error in errors[:-1]]
    before = "; ".join(steps)
    start = f"Go backwards: {before}. " if steps else ""
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
    }.get(formula.op, "needed")
