"""Any loss: a term, text in NumPy's syntax or a function of NumPy goes in, and a worked solution comes out."""

from __future__ import annotations

import gc
import inspect
import sys
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from derive.deriver import solution
from derive.deriver.algebra import DEADLINE, DeriverError
from derive.language.parse import ParseError, Program, declared, parse, parse_formula, positive, printable
from derive.language.term import Term, domain_of, is_number, name_of, place, plain, shape_text, subterms, var
from derive.view import View

Result = TypeVar("Result")
FRAMES = 100_000  # of nested calls: a network of hundreds of layers is a term as deep
STACK = 512 * 1024 * 1024  # bytes, reserved and not used up
NESTED = 400  # parts in parts between two named quantities
SECONDS = 300.0  # after which a derivation is stopped


def deep(work: Callable[[], Result], seconds: float = SECONDS) -> Result:
    """Do something that goes deep into terms, on a stack of its own and for a limited time.

    Raises
    ------
    DeriverError
        Where it goes too deep, or takes too long.
    """
    found: list[Result] = []
    failed: list[BaseException] = []

    def run() -> None:
        DEADLINE.set(time.monotonic() + seconds)
        try:
            found.append(work())
        except RecursionError:
            failed.append(DeriverError("the loss is nested too deeply: name parts of it, or derive it in stages"))
        except BaseException as error:  # noqa: BLE001 - it is raised again where it belongs
            failed.append(error)

    frames, size, collecting = sys.getrecursionlimit(), threading.stack_size(STACK), gc.isenabled()
    sys.setrecursionlimit(max(frames, FRAMES))
    gc.disable()  # terms are kept for good, and to look through them again and again takes a third of the time
    try:
        thread = threading.Thread(target=run)
        thread.start()
        thread.join()
    finally:
        threading.stack_size(size)
        sys.setrecursionlimit(frames)
        if collecting:
            gc.enable()
    if failed:
        raise failed[0]
    return found[0]


Loss = Term | str | Callable[..., Any]
Shapes = Mapping[str, str | Iterable[str | Term]]


def gradient(
    loss: Loss,
    wrt: Term | str,
    *,
    shapes: Shapes | None = None,
    domains: Mapping[str, str] | None = None,
    given: Sequence[str | Term] = (),
    assume: Sequence[str | Term] = (),
    detail: int = 2,
    seconds: float = SECONDS,
) -> View:
    """Return the worked solution of a gradient: every line checked, with its kernel and its pages.

    Parameters
    ----------
    loss : Term, str or function
        A term; text in NumPy's syntax, such as "mean((X @ w - y)**2)"; or a Python function, whose source is read.
    wrt : Term or str
        The variable that it is differentiated by.
    shapes : mapping of str to str
        For text and functions: the shape of each variable by the names of its sizes, {"X": "N, d", "w": "d"}.
    domains : mapping of str to str
        Where variables are not any real numbers: {"y": "simplex", "s": "positive"}.
    given : sequence of str or Term
        Equations that may be used, such as "sum(y) == 1", which makes a real y a distribution.
    assume : sequence of str or Term
        Conditions that hold, such as "s > 0".
    detail : int
        How fine the lines are: 1 for one line a quantity, 2, or 3 for every step.
    seconds : float
        After which it is stopped.

    Returns
    -------
    View
        What `derive.load` returns for an entry of the catalogue.

    Raises
    ------
    derive.language.parse.ParseError
        With the place in the text.
    derive.deriver.algebra.DeriverError
        Where it cannot go on, and why.
    """
    program, by, equations, conditions = _read(loss, wrt, shapes, domains, given, assume)
    _needs_number(program, "gradient")
    options = _options(program, equations, conditions, detail)
    return View(deep(lambda: solution.gradient(program.value, by, **options), seconds))


def hessian(loss: Loss, wrt: Term | str, **options: Any) -> View:
    """Return the worked solution of the Hessian of a loss; see `gradient`."""
    detail, seconds = options.pop("detail", 2), options.pop("seconds", SECONDS)
    program, by, equations, conditions = _read(loss, wrt, **options)
    _needs_number(program, "hessian")
    settings = _options(program, equations, conditions, detail)
    return View(deep(lambda: solution.hessian(program.value, by, **settings), seconds))


def hvp(loss: Loss, wrt: Term | str, direction: str = "v", **options: Any) -> View:
    """Return the worked solution of the Hessian times a direction, which has the shape of the variable.

    Parameters
    ----------
    direction : str
        What the direction is called.
    """
    detail, seconds = options.pop("detail", 2), options.pop("seconds", SECONDS)
    program, by, equations, conditions = _read(loss, wrt, **options)
    _needs_number(program, "Hessian")
    if direction in program.variables or direction in program.named:
        raise ParseError(f"{direction} has a meaning already: name the direction otherwise")
    along = var(printable(direction), *by.shape)
    settings = _options(program, equations, conditions, detail)
    return View(deep(lambda: solution.hessian(program.value, by, direction=along, **settings), seconds))


def jacobian(loss: Loss, wrt: Term | str, **options: Any) -> View:
    """Return the worked solution of the Jacobian of an array; see `gradient`."""
    detail, seconds = options.pop("detail", 2), options.pop("seconds", SECONDS)
    program, by, equations, conditions = _read(loss, wrt, **options)
    if not program.value.shape:
        return gradient(loss, wrt, detail=detail, seconds=seconds, **options)
    settings = _options(program, equations, conditions, detail)
    return View(deep(lambda: solution.jacobian(program.value, by, **settings), seconds))


def _needs_number(program: Program, what: str) -> None:
    if program.value.shape:
        raise ParseError(
            f"the loss has shape {shape_text(program.value.shape)}, and a {what} is of a number: "
            "take its sum or mean, or ask for the jacobian"
        )


def _options(program: Program, equations: list[Term], conditions: list[Term], detail: int) -> dict[str, Any]:
    return {
        "named": {name_of(q): q for q in program.named.values()},
        "variables": list(program.variables.values()),
        "given": equations,
        "assumed": conditions,
        "detail": detail,
    }


def derivative(loss: Loss, wrt: Term | str, **options: Any) -> View:
    """Return the worked solution of the derivative of a scalar function of one number; see `gradient`."""
    if isinstance(loss, str) and isinstance(wrt, str):
        options.setdefault("shapes", {wrt: ""})
    view = gradient(loss, wrt, **options)
    if view.claim.args[0].shape:
        raise ParseError(f"{wrt} is no number: ask for the gradient")
    return view


def _read(
    loss: Loss,
    wrt: Term | str,
    shapes: Shapes | None = None,
    domains: Mapping[str, str] | None = None,
    given: Sequence[str | Term] = (),
    assume: Sequence[str | Term] = (),
) -> tuple[Program, Term, list[Term], list[Term]]:
    if isinstance(loss, Term):
        variables = {name_of(t): t for t in sorted(_variables(loss), key=lambda t: t.serial)}
        program = Program(variables, {}, loss)
    else:
        text = loss if isinstance(loss, str) else inspect.getsource(loss)
        known = {**(domains or {})}
        for condition in assume:
            name_and_domain = positive(condition) if isinstance(condition, str) else None
            if name_and_domain is not None:
                known.setdefault(*name_and_domain)
        program = parse(text, declared(shapes or {}, known))
        distributions = _distributions(program, given)
        if distributions:
            program = parse(text, declared(shapes or {}, distributions | known))
    _not_too_deep(program.value)
    by = wrt if isinstance(wrt, Term) else program.variables.get(wrt)
    if by is None or by.op != "var":
        raise ParseError(f"{wrt} is none of the variables: there are {', '.join(program.variables) or 'none'}")
    conditions = [c for c in assume if isinstance(c, Term) or positive(c) is None]  # the rest are domains
    formulas = [_formulas(program, group) for group in (given, conditions)]
    for formula in formulas[0]:
        inner = formula
        while inner.op == "forall":
            inner = inner.args[1]
        if inner.op != "eq":
            raise ParseError(f"{plain(formula)} is given and no equation: say it with assume")
    return program, by, formulas[0], formulas[1]


def _not_too_deep(value: Term) -> None:
    depth: dict[Term, int] = {}
    for part in subterms(value):
        depth[part] = 0 if part.op == "let" else 1 + max((depth[arg] for arg in part.args), default=0)
        if depth[part] > NESTED:
            raise DeriverError(f"parts of the loss nest deeper than {NESTED}: name some of them")


def _distributions(program: Program, given: Sequence[str | Term]) -> dict[str, str]:
    """Return the variables that are given to sum to one over their last axis: they are drawn as distributions."""
    found: dict[str, str] = {}
    by_term = {term: name for name, term in program.variables.items()}
    for written in given:
        formula = written if isinstance(written, Term) else parse_formula(written, program.variables, program.named)
        while formula.op == "forall":
            formula = formula.args[1]
        if formula.op == "eq" and is_number(formula.args[1], 1) and formula.args[0].op == "sum":
            k, body = formula.args[0].args
            array, places = place(body)
            if array in by_term and places and places[-1] is k and domain_of(array) == "real":
                found[by_term[array]] = "simplex"
    return found


def _formulas(program: Program, written: Sequence[str | Term]) -> list[Term]:
    return [f if isinstance(f, Term) else parse_formula(f, program.variables, program.named) for f in written]


def _variables(loss: Term) -> Iterable[Term]:
    return (t for t in subterms(loss) if t.op == "var")
