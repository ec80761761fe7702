"""A generated module as a page shows it: the arithmetic alone, without validation and the long docstrings."""

from __future__ import annotations

import ast
import textwrap

_BOOKKEEPING = ("check", "reduction")
_SHORT = 2  # statements
_WIDTH = 84  # characters


def listing(module: str) -> str:
    """Return the kernels of a generated module and their helpers with one line of docstring; of a long one no more.

    Parameters
    ----------
    module : str
        The text of a module that `compile.module_text` returned.
    """
    lines = module.splitlines()
    functions = [node for node in ast.parse(module).body if isinstance(node, ast.FunctionDef)]
    shown = [f for f in functions if not f.name.startswith("_") or _is_short(f)]
    called = {n.id for f in shown for s in _computing(f) for n in ast.walk(s) if isinstance(n, ast.Name)}
    wanted = [f for f in functions if not f.name.startswith("_") or f.name in called]
    return "\n\n".join(_short(f, lines, whole=f in shown) for f in wanted)


def _is_short(function: ast.FunctionDef) -> bool:
    """Tell whether a helper is arithmetic that is read at a glance."""
    return not function.name.startswith("_check") and len(_computing(function)) <= _SHORT


def _computing(function: ast.FunctionDef) -> list[ast.stmt]:
    """Return the statements after the docstring that are no validation."""
    return [s for s in function.body[_has_docstring(function) :] if not _is_bookkeeping(s)]


def _has_docstring(function: ast.FunctionDef) -> int:
    return int(ast.get_docstring(function) is not None)


def _is_bookkeeping(statement: ast.stmt) -> bool:
    """Tell whether a statement tests the arguments: `if check: …`, `if reduction not in …`."""
    if not isinstance(statement, ast.If):
        return False
    names = {node.id for node in ast.walk(statement.test) if isinstance(node, ast.Name)}
    return not names.isdisjoint(_BOOKKEEPING)


def _short(function: ast.FunctionDef, lines: list[str], *, whole: bool) -> str:
    reduces = any(argument.arg == "reduction" for argument in function.args.kwonlyargs)
    arguments = ", ".join([a.arg for a in function.args.args] + ['reduction="mean"'] * reduces)
    said = (ast.get_docstring(function) or "").split("\n")[0]
    body = [line for s in _computing(function) for line in lines[s.lineno - 1 : s.end_lineno]] if whole else ["    ..."]
    return "\n".join([f"def {function.name}({arguments}):", *_docstring(said), *body])


def _docstring(said: str) -> list[str]:
    """Return a docstring in lines that a sheet is wide enough for."""
    wrapped = textwrap.wrap(f'"""{said}"""', _WIDTH) if said else []
    return [f"    {line}" for line in wrapped]
