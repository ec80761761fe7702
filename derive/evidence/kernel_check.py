"""A kernel against its mathematics: complex step, differences, 50 digits, saturated points, labels, float32.

What an output *is* comes from the entry: the left side of a claim, such as ∂L/∂W, or the textbook's loss. The output's
own term must have that value at 50 digits, and the compiled function must have it in floating point. So a derivative is
compared with differences of the loss at high precision, and never with the formula that was derived for it alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any, Final, Literal
from zlib import crc32

import numpy as np

from derive.evidence.gradient_check import CheckError, check_gradient
from derive.evidence.witness import Unresolved, evaluate
from derive.kernels.compile import KernelSource, compile_kernel, compile_textbook, load, module_text
from derive.language.notation import DOMAINS
from derive.language.term import Complaint, Term, array, domain_of, free, number_of, place, subterms
from derive.record import Kernel, Record

Status = Literal["pass", "fail", "unresolved"]
Values = dict[Term, Any]

EXTENTS: Final = (5, 3, 4, 6, 2, 7)  # the first size is the batch's; all differ, so that a transpose shows
POINTS: Final = 7  # of a kernel that acts elementwise
DIGITS: Final = 50
SAME: Final = 1e-30  # two terms of that relative difference at 50 digits are one
ORDINARY: Final = 1e-11
SINGLE: Final = 1e-4
SATURATED: Final = 1e-6
SATURATED_ALONE: Final = 1e-12  # where no product of arrays rounds before the function sees it
SATURATED_DIGITS: Final = 2500
FLOOR: Final = 1e-3  # of the largest component: what is smaller counts as that large, as sums round so
EXTREMES: Final = (-1000.0, -745.0, -40.0, -1e-3, 1e-3, 40.0, 1000.0)


@dataclass(frozen=True)
class KernelCheck:
    """One measurement of one output of a kernel.

    Attributes
    ----------
    kernel, output, method : str
    status : str
        "pass", "fail" or "unresolved".
    error : float
        The largest relative error.
    note : str
        What is wrong; "" for a pass.
    """

    kernel: str
    output: str
    method: str
    status: Status
    error: float
    note: str = ""


def check_kernels(entry: Record) -> Iterator[KernelCheck]:
    """Yield every measurement of every kernel of an entry."""
    for kernel in entry.kernels:
        try:
            yield from _Bench(entry, kernel).checks()
        except (Complaint, CheckError, ArithmeticError, TypeError, ValueError) as error:
            yield KernelCheck(kernel.name, "all", "run", "fail", float("inf"), f"{type(error).__name__}: {error}")


class _Bench:
    """One kernel, compiled, with a point at which it is looked at."""

    def __init__(self, entry: Record, kernel: Kernel) -> None:
        self.entry, self.kernel = entry, kernel
        self.source = compile_kernel(kernel)
        sources: list[KernelSource] = [self.source]
        if kernel.textbook is not None:
            sources.append(compile_textbook(kernel))
        self.module: ModuleType = load(module_text(sources, kernel.summary), f"derive_check_{kernel.name}")
        self.elementwise = not any(term.shape for term in kernel.inputs)
        self.rng = np.random.default_rng(crc32(f"{entry.slug}/{kernel.name}".encode()))
        self.sizes = self._sizes()
        self.point: Values = {term: self._draw(term) for term in kernel.inputs}
        self.unmet = [equation for equation in self._equations() if not self._meet(equation)]

    # ---- points ----

    def _equations(self) -> list[Term]:
        """Return the equations between the inputs on which the claims rest, ∀ opened."""
        formulas = (h for name in self.kernel.proved_by for h in self.entry.proofs[name].theorem.hypotheses)
        opened = {_opened(formula) for formula in formulas}
        known = set(self.kernel.inputs)
        return [f for f in opened if f.op == "eq" and {p for p in subterms(f) if p.op == "var"} <= known]

    def _meet(self, equation: Term) -> bool:
        """Move the point to where an equation holds: a row with a given sum, an input that is a number."""
        left, right = equation.args
        over, (source, places) = left, place(left)
        if left.op == "sum":
            over, (source, places) = left.args[0], place(left.args[1])
        if source not in self.point or domain_of(source) != "real" or right.op != "num":
            return self._holds(equation)
        value, wanted = self.point[source], float(number_of(right))
        if not places:
            self.point[source] = np.full_like(value, wanted) if self.elementwise else wanted
        elif left.op == "sum" and places[-1] is over:
            rows = np.round(np.asarray(value) * 1024) / 1024  # binary fractions sum exactly
            rows[..., -1] = wanted - rows[..., :-1].sum(axis=-1)
            self.point[source] = rows
        return self._holds(equation)

    def _holds(self, equation: Term) -> bool:
        loose = sorted((i for i in free(equation) if i.op == "idx"), key=repr)
        sides = [array(side, *loose) if loose else side for side in equation.args]
        return _same(*(self.exact(side, self.point) for side in sides))

    def _sizes(self) -> dict[Term, int]:
        axes = dict.fromkeys(axis for term in self.kernel.inputs for axis in term.shape)
        return dict(zip(axes, EXTENTS, strict=False))

    def _draw(self, term: Term) -> Any:
        shape = tuple(self.sizes[axis] for axis in term.shape) if term.shape else (POINTS,) * self.elementwise
        value = _SAMPLES[DOMAINS[domain_of(term)].range](self.rng, shape)
        if domain_of(term) == "closed unit":
            value = self.rng.uniform(0.1, 0.9, shape)
        if DOMAINS[domain_of(term)].sums_to_one:
            value = _distribution(self.rng, shape)
        return value if shape else float(value)

    def _saturated(self) -> Values:
        """Return the point with its real inputs so large that sigmoids and softmaxes are flat there."""
        if self.elementwise:
            grid = np.array(EXTREMES)
            return {t: grid if domain_of(t) == "real" else np.resize(v, grid.shape) for t, v in self.point.items()}
        real = [term for term in self.kernel.inputs if domain_of(term) == "real" and term.shape]
        scale = 1000.0 if len(real) == 1 else 30.0
        return {term: value * scale if term in real else value for term, value in self.point.items()}

    # ---- values ----

    def named(self, values: Values) -> dict[str, Any]:
        """Return the arguments by their names in the function."""
        return {name: values[term] for name, term in zip(self.source.inputs, self.kernel.inputs, strict=True)}

    def run(self, values: Values) -> dict[str, Any]:
        """Return the outputs of the compiled function by name."""
        result = getattr(self.module, self.kernel.name)(**self.named(values))
        parts = result if len(self.kernel.outputs) > 1 else (result,)
        return dict(zip(self.source.outputs, parts, strict=True))

    def exact(self, term: Term, values: Values, digits: int = DIGITS) -> Any:
        """Return a term at the point, at many digits; a kernel that acts elementwise at each of its points."""
        if not self.elementwise:
            return np.asarray(evaluate(term, self._given(term, values), sizes=self._known(term), dps=digits))
        rows = zip(*(np.atleast_1d(values[source]).tolist() for source in self.kernel.inputs), strict=True)
        return np.array([evaluate(term, dict(zip(self.kernel.inputs, row, strict=True)), dps=digits) for row in rows])

    def _given(self, term: Term, values: Values) -> Values:
        return {source: value for source, value in values.items() if source in set(subterms(term))} or dict(values)

    def _known(self, term: Term) -> dict[Term, int]:
        parts = set(subterms(term))
        return {axis: extent for axis, extent in self.sizes.items() if axis in parts}

    # ---- what an output is ----

    def meaning(self, term: Term) -> tuple[str, Term | None]:
        """Return the claim that an output's term is about, and what it claims the term to be; None if it is none."""
        candidates = [(proof, side) for proof, side in self._candidates(term) if side.shape == term.shape]
        if not candidates and not self.kernel.proved_by:
            return "its own definition", term
        value = self.exact(term, self.point)
        found = [(proof, side) for proof, side in candidates if _same(value, self.exact(side, self.point))]
        return found[0] if found else (", ".join(proof for proof, _ in candidates) or "none of its shape", None)

    def _candidates(self, output: Term) -> Iterator[tuple[str, Term]]:
        for name in self.kernel.proved_by:
            claim = self.entry.proofs[name].claim
            while claim.op == "forall":
                claim = claim.args[1]
            if claim.op != "eq":
                continue
            left = claim.args[0]
            over = output.args[:-1] if output.op == "array" else ()
            loose = {index for index in free(left) if index.op == "idx"}
            yield name, array(left, *over) if loose and loose <= set(over) and not left.shape else left
        if self.kernel.textbook is not None:
            yield "the loss as a textbook writes it", self.kernel.textbook

    # ---- measurements ----

    def checks(self) -> Iterator[KernelCheck]:
        """Yield every measurement; what holds under an equation is only measured where that is met."""
        got, shown = self.run(self.point), set[str]()
        for equation in self.unmet:
            note = f"no point was found where {equation!r}"
            yield KernelCheck(self.kernel.name, "all", "50 digits", "unresolved", float("nan"), note)
        if self.unmet:
            return
        for name, term in self.kernel.outputs:
            proof, meaning = self.meaning(term)
            shown.add(proof)
            if meaning is None:
                note = f"its term has not the value of what the claims are about: {proof}"
                yield KernelCheck(self.kernel.name, name, "50 digits", "fail", float("inf"), note)
                continue
            yield self._compared(name, "50 digits", got[name], self.exact(meaning, self.point), ORDINARY)
            yield from self._gradients(name, meaning)
        for proof in self.kernel.proved_by:
            claim = self.entry.proofs[proof].claim
            if proof not in shown and claim.op == "eq" and self._by(claim.args[0]) in self.kernel.inputs:
                note = f"no output is {claim.args[0]!r}, which is claimed"
                yield KernelCheck(self.kernel.name, "all", "50 digits", "fail", float("inf"), note)
        yield from self._at_saturation()
        yield from self._in_single(got)
        yield from self._with_labels()

    def _compared(
        self, name: str, method: str, got: Any, want: Any, allowed: float, floor: float = FLOOR, beside: float = 0.0
    ) -> KernelCheck:
        error = _error(np.asarray(got, float), want, floor, beside)
        status: Status = "pass" if error <= allowed else "fail"
        note = "" if status == "pass" else f"beyond {allowed:.0e}"
        return KernelCheck(self.kernel.name, name, method, status, error, note)

    def _gradients(self, name: str, meaning: Term) -> Iterator[KernelCheck]:
        """Yield the complex step and the differences of an output that is the gradient of the loss by an input."""
        by = self._differentiated(meaning)
        if by is None:
            return
        argument = dict(zip(self.kernel.inputs, self.source.inputs, strict=True))[by]
        textbook: Callable[..., Any] = getattr(self.module, f"{self.kernel.name}_textbook")
        own = [] if self.elementwise else [n for n, term in self.kernel.outputs if self._is_loss(term)]
        losses: dict[str, tuple[str, Callable[..., Any]]] = {
            "complex step": ("complex step", textbook),
            "Ridders": ("ridders", self._own_loss(own[0]) if own else textbook),
        }
        point = self.named(self.point)
        claimed = {argument: np.asarray(self.run(self.point)[name], float)}
        for method, (which, loss) in losses.items():
            report = check_gradient(loss, claimed, point, wrt=argument, method=which)
            status: Status = report.verdict.value
            note = "" if report.passed else str(report)
            yield KernelCheck(self.kernel.name, name, method, status, report.error, note)

    def _own_loss(self, name: str) -> Callable[..., Any]:
        function = getattr(self.module, self.kernel.name)
        position = self.source.outputs.index(name)

        def loss(**arguments: Any) -> Any:
            result = function(**arguments)
            return result[position] if len(self.source.outputs) > 1 else result

        return loss

    def _is_loss(self, term: Term) -> bool:
        loss = self.kernel.textbook
        same = loss is not None and loss.shape == term.shape
        return same and _same(self.exact(term, self.point), self.exact(loss, self.point))  # type: ignore[arg-type]

    def _by(self, meaning: Term) -> Term | None:
        """Return the array by which a term is a derivative; None where it is none, or not by a whole array."""
        while meaning.op == "let":
            meaning = meaning.args[0]
        return place(meaning.args[1])[0] if meaning.op == "D" else None

    def _differentiated(self, meaning: Term) -> Term | None:
        """Return the input by which an output is the derivative of the textbook's loss; None for anything else."""
        by = self._by(meaning)
        while meaning.op == "let":
            meaning = meaning.args[0]
        if by not in self.kernel.inputs or meaning.args[1] is not by or meaning.args[0].shape:
            return None
        return by if self._is_loss(meaning.args[0]) else None

    def _at_saturation(self) -> Iterator[KernelCheck]:
        """Yield how the outputs fare where a naive form overflows or loses every digit."""
        values = self._saturated()
        if all(np.array_equal(values[term], self.point[term]) for term in values):
            return
        try:
            with np.errstate(over="raise", invalid="raise", divide="raise"):
                got = self.run(values)
        except FloatingPointError as error:
            yield KernelCheck(self.kernel.name, "all", "saturated", "fail", float("inf"), str(error))
            return
        alone = self.elementwise or sum(bool(term.shape) and domain_of(term) == "real" for term in values) == 1
        for name, term in self.kernel.outputs:
            try:
                want = self.exact(term, values, SATURATED_DIGITS)
            except Unresolved as reason:
                yield KernelCheck(self.kernel.name, name, "saturated", "unresolved", float("nan"), str(reason))
                continue
            allowed, floor = (SATURATED_ALONE, 0.0) if alone and not self.kernel.derived else (SATURATED, 1e-9)
            yield self._compared(name, "saturated", got[name], want, allowed, floor, self._elsewhere(term))

    def _elsewhere(self, term: Term) -> float:
        """Return how large the components of an output are at the ordinary point, where a kernel promises no more."""
        if not self.kernel.derived:
            return 0.0
        return max((abs(float(value)) for value in np.asarray(self.exact(term, self.point), object).flat), default=0.0)

    def _in_single(self, double: Mapping[str, Any]) -> Iterator[KernelCheck]:
        """Yield whether float32 stays float32, and near the value in float64."""
        single = {t: v.astype(np.float32) if isinstance(v, np.ndarray) else v for t, v in self.point.items()}
        for name, value in self.run(single).items():
            kind = np.asarray(value).dtype
            if kind != np.float32:
                note = f"float32 went in and {kind} came out"
                yield KernelCheck(self.kernel.name, name, "float32", "fail", float("inf"), note)
            else:
                yield self._compared(name, "float32", value, np.asarray(double[name]), SINGLE)

    def _with_labels(self) -> Iterator[KernelCheck]:
        """Yield whether integer labels give what rows that are one-hot give."""
        labels = self.kernel.labels
        if labels is None:
            return
        classes = self.sizes[labels.shape[-1]]
        numbers = self.rng.integers(classes, size=tuple(self.sizes[axis] for axis in labels.shape[:-1]))
        rows = self.run({**self.point, labels: np.eye(classes)[numbers]})
        for name, value in self.run({**self.point, labels: numbers}).items():
            yield self._compared(name, "labels", value, np.asarray(rows[name]), ORDINARY)


_SAMPLES: Final[Mapping[str, Callable[[np.random.Generator, tuple[int, ...]], Any]]] = {
    "real": lambda rng, shape: rng.uniform(0.2, 1.4, shape) * rng.choice((-1.0, 1.0), shape),
    "positive": lambda rng, shape: rng.uniform(0.3, 2.0, shape),
    "nonnegative": lambda rng, shape: rng.uniform(0.3, 2.0, shape),
    "unit": lambda rng, shape: rng.uniform(0.1, 0.9, shape),
    "sign": lambda rng, shape: rng.choice((-1.0, 1.0), shape),
}


def _opened(formula: Term) -> Term:
    while formula.op == "forall":
        formula = formula.args[1]
    return formula


def _distribution(rng: np.random.Generator, shape: tuple[int, ...]) -> Any:
    """Return rows of binary fractions, which sum to one exactly: that is what a claim about distributions needs."""
    *rows, classes = shape
    parts = 1 + rng.multinomial(1024 - classes, np.full(classes, 1 / classes), size=tuple(rows))
    return parts / 1024


def _error(got: Any, want: Any, floor: float, beside: float = 0.0) -> float:
    """Return the largest relative error, components below `floor` times the largest counted as that large.

    So are those that are small beside a value.
    """
    exact = np.asarray(want, dtype=object)
    if got.shape != exact.shape:
        return float("inf")
    sizes = [abs(value) for value in exact.flat]
    least = max(floor * max(sizes, default=0), beside, 1e-300)
    worst = 0.0
    for one, other, size in zip(got.flat, exact.flat, sizes, strict=True):
        if not np.isfinite(one):
            return float("inf")
        worst = max(worst, float(abs(other - float(one)) / max(size, least)))
    return worst


def _same(left: Any, right: Any) -> bool:
    pairs = list(zip(np.asarray(left, dtype=object).flat, np.asarray(right, dtype=object).flat, strict=True))
    scale = max((abs(a) for a, _ in pairs), default=1)
    return all(abs(a - b) <= SAME * max(scale, 1e-30) for a, b in pairs)
