"""A record's kernels as the source of one module: NumPy alone, to be read, imported or copied."""

from __future__ import annotations

import inspect
import io
import linecache
import textwrap
import tokenize
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from types import FunctionType, ModuleType

from derive.kernels import stable, validate
from derive.kernels.raising import flattened, raised
from derive.kernels.translate import KernelError, Translator, identifier, stable_dialect, textbook_dialect
from derive.kernels.wrapping import wrapped
from derive.language.notation import DOMAINS
from derive.language.term import Term, domain_of, plain, subterms
from derive.record import Kernel


def _functions(module: ModuleType) -> dict[str, FunctionType]:
    """Return a module's own functions, in the order in which they stand there."""
    return {name: value for name, value in vars(module).items() if isinstance(value, FunctionType)}


_PRIMITIVES, _CHECKS = _functions(stable), _functions(validate)
_HELPERS = {**_PRIMITIVES, **_CHECKS}
_RESERVED = frozenset(("np", "check", "reduction", "count", "sizes", "NamedTuple", "Any", "float"))


@dataclass(frozen=True)
class KernelSource:
    """One compiled function.

    Attributes
    ----------
    name : str
        The function's name.
    text : str
        Its source, with the class of its result where it returns several arrays.
    inputs, outputs : tuple of str
        The names of its arguments and of what it returns, in order.
    uses : tuple of str
        The helpers that its text calls.
    """

    name: str
    text: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    uses: tuple[str, ...]


# ---- one function ------------------------------------------------------------------------------------------------


def compile_kernel(kernel: Kernel) -> KernelSource:
    """Compile a kernel to its stable form.

    Parameters
    ----------
    kernel : Kernel
        Outputs are terms over its inputs; named quantities in them become named assignments.

    Returns
    -------
    KernelSource

    Raises
    ------
    KernelError
        If an output holds something that is no array to compute, or a variable that is no input.
    """
    return _Function(kernel).source()


def compile_textbook(kernel: Kernel) -> KernelSource:
    """Compile the loss of a kernel as a textbook writes it: analytic, so fit for a complex step, and not stable.

    The function is called `NAME_textbook`, takes the kernel's arguments and returns one number. A kernel that acts
    elementwise has the sum of its entries for a loss, so that each entry's derivative is its own.
    """
    if kernel.textbook is None:
        raise KernelError(f"the kernel {kernel.name} has no textbook loss: give it one")
    return _Textbook(kernel).source()


class _Function:
    """What the two kinds of functions share: arguments, body, result, docstring."""

    dialect = stable_dialect(_PRIMITIVES)

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel
        self.batch = _batch(kernel)
        reserved = {*_RESERVED, *_HELPERS, kernel.name}
        self.translator = Translator(kernel.inputs, self.dialect, reserved, self.batch)
        self.outputs = tuple(identifier(name) for name, _ in self.results())
        self.translator.share(term for _, term in self.results())
        self.symbols = [self.translator.output(name, term) for name, (_, term) in self._locals()]
        self.arguments = self.translator.arguments

    @property
    def name(self) -> str:
        return self.kernel.name

    @cached_property
    def users(self) -> dict[Term, list[Term]]:
        """Of what is computed, the terms of which each is an argument."""
        found: dict[Term, list[Term]] = {}
        seen: set[Term] = set()
        for node in (node for root in self.translator.stable_terms for node in subterms(root, seen)):
            for arg in dict.fromkeys(node.args):
                found.setdefault(arg, []).append(node)
        return found

    def results(self) -> tuple[tuple[str, Term], ...]:
        return self.kernel.outputs

    def _locals(self) -> list[tuple[str, tuple[str, Term]]]:
        """Return the local name of each output: a gradient that is named like its argument is d of it."""
        arguments = self.translator.arguments
        names = [f"d{name}" if name in arguments else name for name in self.outputs]
        return list(zip(names, self.results(), strict=True))

    def source(self) -> KernelSource:
        options = ['reduction="mean"'] * (self.batch is not None) + ["check=True"] * bool(self.checks())
        signature = ", ".join([*self.arguments, *(["*", *options] if options else [])])
        body = [*self.checks(), *self.count(), *self.labels(), *self.translator.lines()]
        body += self.returned(body)
        body = [row for line in body for row in wrapped(line)]
        text = f"def {self.name}({signature}):\n{_indented(self.docstring())}\n{_indented(body)}\n"
        text = self.result_class() + text
        called = _names(text)
        uses = tuple(name for name in _HELPERS if f"_{name}" in called)
        return KernelSource(self.name, text, tuple(self.arguments), self.outputs, uses)

    # ---- the parts of the body ----

    def checks(self) -> list[str]:
        lines = [f"{name} = {call}" for name, call in self._calls()]
        sizes = [] if self.translator.elementwise else ["sizes: dict[str, int] = {}"]
        return ["if check:", *(f"    {line}" for line in [*sizes, *lines])]

    def _calls(self) -> list[tuple[str, str]]:
        """Return the validating call of each argument: arrays first, since labels are read beside them."""
        ordered = sorted(
            self._named_inputs(), key=lambda pair: _LATE.get(domain_of(pair[1]), 0) if pair[1].shape else 3
        )
        return [(name, self._call(name, term)) for name, term in ordered]

    def _call(self, name: str, term: Term) -> str:
        domain = domain_of(term)
        if not term.shape and not self.translator.elementwise:
            return f'_check_number("{name}", {name}{_BOUNDS.get(domain, "")})'
        start = f'"{name}", {name}' + ("" if self.translator.elementwise else f", {_axes(term)}, sizes")
        if domain in {"closed unit", "sign"} and term.shape:
            like = next((n for n, t in self._named_inputs() if t.shape and domain_of(t) not in _LATE), name)
            return f"_check_labels({start}, {like}{', signs=True' if domain == 'sign' else ''})"
        if DOMAINS[domain].sums_to_one:
            return f"_check_targets({start})"
        if _rowwise(self, term):
            return f"_check_logits({start})"
        call = f"_check_floats({start}{_lowest(self, term)})"
        if domain not in _RANGES:
            return call
        test, words = _RANGES[domain]
        return f'_check_range("{name}", {call}, {test.format(name)}, "{words}")'

    def count(self) -> list[str]:
        if self.batch is None:
            return []
        source, axis = next((s, s.shape.index(self.batch)) for s in self.kernel.inputs if self.batch in s.shape)
        name = self.translator.names[source]
        lines = ['if reduction not in ("mean", "sum"):']
        lines += ["    raise ValueError(f\"reduction is {reduction!r}: pass 'mean' or 'sum'\")"]
        return [*lines, f'count = {name}.shape[{axis}] if reduction == "mean" else 1']

    def labels(self) -> list[str]:
        """Integer labels become one-hot rows, unless every use of them takes labels as they are."""
        lines = []
        for name, term in zip(self.arguments, self.kernel.inputs, strict=True):
            if term is not self.kernel.labels or _only_used_by(self, term, _TAKE_LABELS, 1):
                continue
            like = next((n for n, t in self._named_inputs() if t is not term and t.shape[-1:] == term.shape[-1:]), None)
            if like is None:
                raise KernelError(f"no other input ends with the axis {term.shape[-1]} of {term}, which labels need")
            lines += [f"if {name}.ndim < {len(term.shape)}:", f"    {name} = _one_hot({name}, {like})"]
        return lines

    def _fields(self) -> list[tuple[str, Term]]:
        return [(name, term) for name, (_, term) in zip(self.outputs, self.results(), strict=True)]

    def _named_inputs(self) -> list[tuple[str, Term]]:
        return list(zip(self.arguments, self.kernel.inputs, strict=True))

    def returned(self, body: list[str]) -> list[str]:
        names = [str(symbol) for symbol in self.symbols]
        if len(names) == 1:
            assigned, _, value = body[-1].partition(" = ")
            if assigned == names[0]:
                body.pop()
                return [f"return {value}"]
        return [f"return {names[0]}" if len(names) == 1 else f"return {_class_name(self.name)}({', '.join(names)})"]

    # ---- what a reader sees first ----

    def result_class(self) -> str:
        if len(self.results()) == 1:
            return ""
        fields = "\n".join(f"    {name}: np.ndarray  # {_shape(term)}" for name, term in self._fields())
        return f'class {_class_name(self.name)}(NamedTuple):\n    """What `{self.name}` returns."""\n\n{fields}\n\n\n'

    def docstring(self) -> list[str]:
        lines = [f'"""{self.kernel.summary}', "", "Parameters", "----------"]
        for name, term in self._named_inputs():
            lines.append(f"{name} : {self._described(term)}")
        if self.batch is not None:
            lines += ['reduction : "mean" or "sum"', f"    Over the {plain(self.batch)} examples."]
        if self.checks():
            lines += ["check : bool", "    Whether to validate the arguments; leave it out in hot loops."]
        lines += ["", "Returns", "-------"]
        lines += [f"{name} : {self._returned(term)}" for name, term in self._fields()]
        return [*lines, '"""']

    def _returned(self, term: Term) -> str:
        return "array" if self.translator.elementwise else _shape(term) if term.shape else "float"

    def _described(self, term: Term) -> str:
        if self.translator.elementwise:
            return "array of any shape"
        if not term.shape:
            return "float"
        words = _WORDS.get(domain_of(term), "")
        if term is self.kernel.labels:
            words = f", rows that sum to one; or integer labels {_shape(term, cut=1)}"
        elif _lowest(self, term) or _rowwise(self, term):
            words = ", logits; -inf is allowed"
        return f"array {_shape(term)}{words}"


class _Textbook(_Function):
    """The textbook's form: no validation, since its arguments may be complex."""

    dialect = textbook_dialect()

    @property
    def name(self) -> str:
        return f"{self.kernel.name}_textbook"

    def results(self) -> tuple[tuple[str, Term], ...]:
        assert self.kernel.textbook is not None
        return (("loss", self.kernel.textbook),)

    def checks(self) -> list[str]:
        return []

    def returned(self, body: list[str]) -> list[str]:
        if not self.translator.elementwise:
            return super().returned(body)
        _, _, value = body.pop().partition(" = ")
        return [f"return np.sum({value})"]

    def docstring(self) -> list[str]:
        """Return one line: the kernel's own docstring says the rest."""
        return [
            f'"""The loss of `{self.kernel.name}` as a textbook writes it: it takes complex numbers, and overflows."""'
        ]


_WORDS = {
    "closed unit": ", labels 0 and 1, or in between",
    "sign": ", labels -1 and 1",
    "simplex": ", rows that sum to one",
    "positive": ", positive",
    "nonnegative": ", not negative",
}
_LATE = {"simplex": 1, "closed unit": 2, "sign": 2}
_BOUNDS = {"positive": ", 0, strict=True", "nonnegative": ", 0", "unit": ", 0, 1, strict=True", "closed unit": ", 0, 1"}
_RANGES = {
    "positive": ("np.greater({0}, 0)", "a positive number"),
    "nonnegative": ("np.greater_equal({0}, 0)", "a number of at least 0"),
    "unit": ("np.greater({0}, 0) & np.less({0}, 1)", "a number between 0 and 1"),
}
_TAKE_LABELS = frozenset(("softmax_minus", "cross_entropy"))
_TAKE_ROWS = frozenset(("softmax", "softmax_minus", "softmax_complement", "log_softmax", "cross_entropy", "logsumexp"))
_TAKE_LOGITS = frozenset(
    ("σ", "sigmoid_derivative", "softplus", "sigmoid_minus", "binary_cross_entropy", "log_sigmoid")
)


def _only_used_by(function: _Function, term: Term, symbols: frozenset[str], place: int) -> bool:
    """Tell whether every use of an input is as that argument of one of the symbols."""
    parents = function.users.get(term, [])
    return (
        bool(parents)
        and all(
            node.data in symbols and [n for n, arg in enumerate(node.args) if arg is term] == [place]
            for node in parents
        )
        and term not in function.translator.stable_terms
    )


def _rowwise(function: _Function, term: Term) -> bool:
    return _only_used_by(function, term, _TAKE_ROWS, 0)


def _lowest(function: _Function, term: Term) -> str:
    return ", minus_infinity=True" if _only_used_by(function, term, _TAKE_LOGITS, 0) else ""


def _batch(kernel: Kernel) -> Term | None:
    """Return the size of the batch, if means are taken over it: the first axis, a divisor and nothing else."""
    size = next((term.shape[0] for term in kernel.inputs if term.shape and not kernel.derived), None)
    roots = [term for _, term in kernel.outputs] + ([kernel.textbook] if kernel.textbook is not None else [])
    nodes = {node for root in roots for node in subterms(raised(root))}
    divisors = {factor for node in nodes if node.op == "div" for factor in [node.args[1], *_once(node.args[1], size)]}
    numbers = [node for node in nodes if size in node.args and node.op not in {"var", "idx"}]
    good = [(node.op == "div" and node.args[0] is not size) or node in divisors for node in numbers]
    return size if good and all(good) else None


def _once(divisor: Term, size: Term | None) -> list[Term]:
    """Return the products in a divisor, if the size is a factor once."""
    if divisor.op != "mul" or flattened(divisor, "mul").count(size) != 1:  # type: ignore[arg-type]
        return []
    return [node for node in subterms(divisor) if node.op == "mul"]


def _axes(term: Term) -> str:
    names = [f'"{plain(axis)}"' for axis in term.shape]
    return f"({', '.join(names)}{',' if len(names) == 1 else ''})"


def _shape(term: Term, cut: int = 0) -> str:
    names = [plain(axis) for axis in term.shape[: len(term.shape) - cut]]
    return f"({', '.join(names)}{',' if len(names) == 1 else ''})"


def _class_name(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("_"))


def _indented(lines: Sequence[str]) -> str:
    return "\n".join(f"    {line}" if line else "" for line in lines)


# ---- the module --------------------------------------------------------------------------------------------------


def module_text(kernels: Iterable[KernelSource], summary: str) -> str:
    """Return an importable module of kernels: the helpers that they use, each once, then the functions."""
    kernels = tuple(kernels)
    wanted = _closure(name for kernel in kernels for name in kernel.uses)
    helpers = [_renamed(textwrap.dedent(inspect.getsource(_HELPERS[name])), wanted) for name in wanted]
    body = "\n\n".join([*(h.rstrip() + "\n" for h in helpers), *(k.text for k in kernels)])
    imports = ["from typing import " + ", ".join(name for name in ("Any", "NamedTuple") if name in _names(body))]
    header = "\n".join((imports if imports[0] != "from typing import " else []) + ["", "import numpy as np"]).strip()
    return f'"""{summary}"""\n\n{header}\n\n\n{body}'


def load(text: str, name: str) -> ModuleType:
    """Run a module's text and return the module; tracebacks and `inspect.getsource` find its lines.

    Parameters
    ----------
    text : str
        What `module_text` returned.
    name : str
        The module's name. It is not put among `sys.modules`.
    """
    module = ModuleType(name)
    module.__file__ = f"<{name}>"
    linecache.cache[module.__file__] = (len(text), None, text.splitlines(keepends=True), module.__file__)
    exec(compile(text, module.__file__, "exec"), module.__dict__)  # noqa: S102 - the text is our own compiler's
    return module


def _closure(names: Iterable[str]) -> tuple[str, ...]:
    """Return helpers with the helpers that they call, in the order of their own modules."""
    wanted, queue = set[str](), list(names)
    while queue:
        name = queue.pop()
        if name not in wanted:
            wanted.add(name)
            queue += [used for used in _names(inspect.getsource(_HELPERS[name])) if used in _HELPERS]
    return tuple(name for name in _HELPERS if name in wanted)


def _tokens(text: str) -> list[tokenize.TokenInfo]:
    return list(tokenize.generate_tokens(io.StringIO(text).readline))


def _names(text: str) -> set[str]:
    return {token.string for token in _tokens(text) if token.type == tokenize.NAME}


def _renamed(text: str, helpers: Iterable[str]) -> str:
    """Give helpers a leading underscore, in code and not in docstrings: a kernel may have the name of a primitive."""
    lines, wanted = text.splitlines(keepends=True), frozenset(helpers)
    for token in reversed([token for token in _tokens(text) if token.type == tokenize.NAME and token.string in wanted]):
        (row, start), end = token.start, token.end[1]
        line = lines[row - 1]
        if line[end : end + 1] == "(":
            lines[row - 1] = f"{line[:start]}_{line[start:]}"
    return "".join(lines)
