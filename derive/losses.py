"""Any loss: a term, text in NumPy's syntax or a function of NumPy goes in, and a worked solution comes out."""

from __future__ import annotations

import ctypes
import gc
import inspect
import sys
import threading
import time
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from derive.deriver import solution
from derive.deriver.algebra import DEADLINE, TOO_LONG, DeriverError, LimitError
from derive.evidence.seen import looked_at
from derive.language.parse import ParseError, Program, declared, parse, parse_formula, positive, printable
from derive.language.term import Term, name_of, plain, shape_text, subterms, var
from derive.record import Derivation
from derive.view import View

Result = TypeVar("Result")
FRAMES = 100_000  # of nested calls: a network of hundreds of layers is a term as deep
STACK = 512 * 1024 * 1024  # bytes, reserved and not used up
NESTED = 400  # parts in parts between two named quantities
SECONDS = 300.0  # after which a derivation is stopped
MEMORY = 4 << 30  # bytes that it may take
POLL = 0.25  # seconds between looks at the memory
GRACE = 2.0  # seconds in which it may stop by itself


def deep(work: Callable[[], Result], seconds: float = SECONDS) -> Result:
    """Do something that goes deep into terms, on a stack of its own and for a limited time.

    Work looks at the clock between its steps. A step that takes long is stopped where it is.

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
        except _StoppedError:
            pass  # why, is known where it was stopped
        except BaseException as error:  # noqa: BLE001 - it is raised again where it belongs
            failed.append(error)

    frames, size, collecting = sys.getrecursionlimit(), threading.stack_size(STACK), gc.isenabled()
    sys.setrecursionlimit(max(frames, FRAMES))
    gc.disable()  # terms are kept for good, and to look through them again and again takes a third of the time
    try:
        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        try:
            limit = _watched(thread, time.monotonic() + seconds + GRACE)
        finally:
            _stop(thread)
    finally:
        threading.stack_size(size)
        sys.setrecursionlimit(frames)
        if collecting:
            gc.enable()
    if failed:
        raise failed[0]
    if not found:
        raise LimitError(limit)
    return found[0]


class _StoppedError(BaseException):
    """A derivation is stopped from outside, in the middle of a step."""


def _watched(thread: threading.Thread, until: float) -> str:
    """Wait for a thread to end; where it should not go on, say why."""
    most = _memory() + MEMORY
    while thread.is_alive():
        thread.join(POLL)
        if time.monotonic() > until:
            return TOO_LONG
        if _memory() > most:
            return f"it takes more than {MEMORY >> 30} GB of memory: name parts of the loss"
    return TOO_LONG


def _memory() -> int:
    """Return the most memory that the process has used so far, in bytes; 0 where the system does not tell."""
    try:
        import resource
    except ImportError:  # not on Windows
        return 0
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024


def _stop(thread: threading.Thread) -> None:
    """End what a thread does, at the next step of Python in it; one that takes none is left to end with the process."""
    if thread.is_alive() and thread.ident is not None:
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident), ctypes.py_object(_StoppedError))
        thread.join(GRACE)


Loss = Term | str | Callable[..., Any] | Any  # or an expression of SymPy
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
    loss : Term, str, function or sympy.Basic
        A term; text in NumPy's syntax, such as "mean((X @ w - y)**2)"; a Python function, whose source is read; or an
        expression of SymPy, which says its own shapes.
    wrt : Term, str or sympy.Basic
        The variable that it is differentiated by.
    shapes : mapping of str to str
        For text and functions: the shape of each variable by the names of its sizes, {"X": "N, d", "w": "d"}.
    domains : mapping of str to str
        Where variables are not any real numbers: {"y": "simplex", "s": "positive"}.
    given : sequence of str or Term
        Equations that may be used, such as "sum(y) == 1"; that y is not negative besides is for `domains` to say.
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
    return _view(deep(lambda: solution.gradient(program.value, by, **options), seconds))


def hessian(loss: Loss, wrt: Term | str, **options: Any) -> View:
    """Return the worked solution of the Hessian of a loss; see `gradient`."""
    detail, seconds = options.pop("detail", 2), options.pop("seconds", SECONDS)
    program, by, equations, conditions = _read(loss, wrt, **options)
    _needs_number(program, "hessian")
    settings = _options(program, equations, conditions, detail)
    return _view(deep(lambda: solution.hessian(program.value, by, **settings), seconds))


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
    return _view(deep(lambda: solution.hessian(program.value, by, direction=along, **settings), seconds))


def jacobian(loss: Loss, wrt: Term | str, **options: Any) -> View:
    """Return the worked solution of the Jacobian of an array; see `gradient`."""
    detail, seconds = options.pop("detail", 2), options.pop("seconds", SECONDS)
    program, by, equations, conditions = _read(loss, wrt, **options)
    if not program.value.shape:
        return gradient(loss, wrt, detail=detail, seconds=seconds, **options)
    settings = _options(program, equations, conditions, detail)
    return _view(deep(lambda: solution.jacobian(program.value, by, **settings), seconds))


def _view(entry: Derivation) -> View:
    return View(looked_at(entry))


def _needs_number(program: Program, what: str) -> None:
    left = program.indices.get("", ())
    if left:
        raise ParseError(
            f"the loss is one number for each {', '.join(left)}, and a {what} is of one: "
            f"sum over it, as in sum(…, {left[0]}), or ask for the jacobian"
        )
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
    if isinstance(wrt, str) and (isinstance(loss, str) or inspect.isfunction(loss)):
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
    if type(loss).__module__.partition(".")[0] == "sympy":
        if shapes or domains:
            raise ParseError("an expression of SymPy says its own shapes and domains: leave shapes and domains out")
        return _read_sympy(loss, wrt, given, assume)
    declared_now: set[str] = set()
    if isinstance(loss, Term):
        variables = {name_of(t): t for t in sorted(_variables(loss), key=lambda t: t.serial)}
        program = Program(variables, {}, loss)
    else:
        text = loss if isinstance(loss, str) else _source(loss)
        known = {**(domains or {})}
        for condition in assume:
            name, domain = (positive(condition) if isinstance(condition, str) else None) or ("", "")
            if name in (shapes or {}) and name not in known:
                known[name] = domain
                declared_now.add(str(condition))
        program = parse(text, declared(shapes or {}, known))
    _not_too_deep(program.value)
    by = wrt if isinstance(wrt, Term) else program.variables.get(unicodedata.normalize("NFKC", wrt))
    if by is None or by.op != "var":
        raise ParseError(f"{wrt} is none of the variables: there are {', '.join(program.variables) or 'none'}")
    conditions = [c for c in assume if c not in declared_now]  # the rest are domains
    formulas = [_formulas(program, group) for group in (given, conditions)]
    _need_equations(formulas[0])
    return program, by, formulas[0], formulas[1]


def _need_equations(formulas: Sequence[Term]) -> None:
    for formula in formulas:
        inner = formula
        while inner.op == "forall":
            inner = inner.args[1]
        if inner.op != "eq":
            raise ParseError(f"{plain(formula)} is given and no equation: say it with assume")


def _read_sympy(
    loss: Any, wrt: Any, given: Sequence[Any] = (), assume: Sequence[Any] = ()
) -> tuple[Program, Term, list[Term], list[Term]]:
    """Read a SymPy expression: shapes and domains are SymPy's own."""
    from derive.logic.sympy_losses import Loss as Expression

    found = Expression(loss)
    by = wrt if isinstance(wrt, Term) else found.variable(wrt)
    program = Program(found.variables, {}, found.value)
    _not_too_deep(program.value)
    formulas = [[_formula(program, found.read, written) for written in group] for group in (given, assume)]
    _need_equations(formulas[0])
    return program, by, formulas[0], formulas[1]


def _formula(program: Program, read: Callable[[Any], Term], written: Any) -> Term:
    if isinstance(written, Term):
        return written
    return parse_formula(written, program) if isinstance(written, str) else read(written)


def _source(loss: object) -> str:
    """Return the source of a Python function; it is read, and never called."""
    name = getattr(loss, "__name__", "")
    if name == "<lambda>":
        raise ParseError("a lambda stands in the middle of other code: write def loss(X, w): …, or the loss as text")
    try:
        return inspect.getsource(loss)  # type: ignore[arg-type]
    except TypeError:
        raise ParseError(f"a loss is a text, a term or a Python function, and not of {type(loss).__name__}") from None
    except OSError:
        raise ParseError(f"the source of {name} cannot be found: write the loss as text") from None


def _not_too_deep(value: Term) -> None:
    depth: dict[Term, int] = {}
    for part in subterms(value):
        depth[part] = 0 if part.op == "let" else 1 + max((depth[arg] for arg in part.args), default=0)
        if depth[part] > NESTED:
            raise DeriverError(f"parts of the loss nest deeper than {NESTED}: name some of them")


def _formulas(program: Program, written: Sequence[str | Term]) -> list[Term]:
    return [f if isinstance(f, Term) else parse_formula(f, program) for f in written]


def _variables(loss: Term) -> Iterable[Term]:
    return (t for t in subterms(loss) if t.op == "var")
