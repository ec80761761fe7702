"""What a programmer holds: one derivation, and every view of it made when it is asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from types import ModuleType
from typing import TYPE_CHECKING, Any, Literal

from derive.language.term import Term
from derive.record import Assumption, Kernel, Misstatement, Proof, Record

if TYPE_CHECKING:
    from derive.evidence.verify import Report
    from derive.logic.calc import Line as Step
    from derive.pages.model import Page

Mode = Literal["solution", "practice"]


class UnknownKernelError(LookupError):
    """A kernel that a derivation does not have."""


@dataclass(frozen=True)
class Verdict:
    """How a line is known.

    Attributes
    ----------
    proved : bool
        By rules and the core.
    witnessed : bool or None
        In numbers, at 50 digits; None before `View.verify` has looked.
    assumes : tuple of str
        The tags of the entry's assumptions that it rests on, as "A1".
    """

    proved: bool
    witnessed: bool | None
    assumes: tuple[str, ...]

    def __str__(self) -> str:
        seen = {True: ", witnessed", False: ", not witnessed", None: ""}[self.witnessed]
        return ("proved" if self.proved else "not proved") + seen + "".join(f", assumes {tag}" for tag in self.assumes)


@dataclass(frozen=True)
class Line:
    """A line of a derivation.

    Attributes
    ----------
    proof : str
        The name of the proof that it belongs to.
    left, right : Term
        Its two sides: the right side of the line before (or the start), and its own.
    relation : str
        "=", "≤" or "<"; between formulas "=" is ⟺.
    reasons : tuple of str
        Why it holds; empty for algebra alone.
    obligations : tuple of (Term, bool)
        The conditions under which it holds, and whether the core discharged them.
    verdict : Verdict
    """

    proof: str
    left: Term
    relation: str
    right: Term
    reasons: tuple[str, ...]
    obligations: tuple[tuple[Term, bool], ...]
    verdict: Verdict

    def __str__(self) -> str:
        why = "; ".join(self.reasons) or "algebra"
        return f"{self.left!r} {self.relation} {self.right!r}    by {why}    {self.verdict}"


class View:
    """One derivation, and its views: lines, kernels, evidence, certificate, pages.

    Parameters
    ----------
    entry : Record
        The record.
    """

    def __init__(self, entry: Record) -> None:
        self.entry = entry
        self._seen: frozenset[tuple[str, int]] | None = None

    # ---- what it says ----

    @property
    def slug(self) -> str:
        """The name in files, addresses and commands."""
        return self.entry.slug

    @property
    def title(self) -> str:
        """The title as plain text."""
        from derive.pages.compose import text_of

        return text_of(self.entry.title)

    @property
    def claim(self) -> Term:
        """The formula that it stands for; of a misstatement what people say, which is false."""
        return self.entry.claim

    @property
    def assumptions(self) -> tuple[Assumption, ...]:
        """What its theorems may rest on: each a formula and its words."""
        return self.entry.assumptions

    @property
    def proofs(self) -> Mapping[str, Proof]:
        """The proofs by name, each with its claim and its theorem."""
        return self.entry.proofs

    @property
    def lines(self) -> tuple[Line, ...]:
        """Every line of every proof, with its terms, reasons, obligations and verdict."""
        return tuple(
            self._line(proof, number, step)
            for proof in self.entry.proofs.values()
            for number, step in enumerate(proof.lines)
        )

    def _line(self, proof: Proof, number: int, step: Step) -> Line:
        from derive.pages.compose import conditions

        done = dict.fromkeys((c for side in (step.before, step.after) for c in conditions(side)), True)
        left = dict.fromkeys(sorted(step.theorem.hypotheses, key=repr), False)
        tags = sorted({tag for h in step.theorem.hypotheses if (tag := self.entry.tag(h))})
        witnessed = None if self._seen is None else (proof.name, number) in self._seen
        return Line(
            proof.name,
            step.before,
            step.relation,
            step.after,
            tuple(map(repr, step.reasons)),
            tuple((done | left).items()),
            Verdict(True, witnessed, tuple(tags)),
        )

    # ---- numbers ----

    @property
    def kernels(self) -> tuple[Kernel, ...]:
        """The kernels as records: name, inputs, outputs as terms."""
        return self.entry.kernels

    @cached_property
    def numpy(self) -> str:
        """The kernels' source, a module of NumPy; "" where there is no kernel."""
        from derive.kernels.compile import compile_kernel, module_text

        if not self.entry.kernels:
            return ""
        return module_text(map(compile_kernel, self.entry.kernels), f"{self.title}: kernels made by derive.")

    @cached_property
    def _module(self) -> ModuleType:
        from derive.kernels.compile import load as run

        return run(self.numpy, f"derive_kernels_{self.slug.replace('-', '_')}")

    def kernel(self, name: str | None = None) -> Callable[..., Any]:
        """Return a compiled kernel: a NumPy function, batch axis first.

        Parameters
        ----------
        name : str, optional
            The kernel's name; the last one of the entry where it is left out.

        Raises
        ------
        UnknownKernelError
            With the names that there are.
        """
        names = [kernel.name for kernel in self.entry.kernels]
        wanted = name or (names[-1] if names else "")
        if wanted not in names:
            raise UnknownKernelError(f"{self.slug} has no kernel {wanted!r}: it has {', '.join(names) or 'none'}")
        function: Callable[..., Any] = getattr(self._module, wanted)
        return function

    def verify(self) -> Report:
        """Check everything: proofs, each line in numbers, the certificate in a fresh process, the kernels."""
        from derive.evidence.verify import verify

        report = verify(self.entry)
        self._seen = report.seen
        return report

    def witness(self) -> frozenset[tuple[str, int]]:
        """Return the lines and the quoted numbers that hold, looked at once: (proof, position)."""
        if self._seen is None:
            from derive.evidence.verify import witnessed

            self._seen = witnessed(self.entry)
        return self._seen

    # ---- views ----

    @cached_property
    def certificate(self) -> Mapping[str, Any]:
        """The proofs as plain data that `derive replay` makes again."""
        return self.entry.certificate()

    def page(self, mode: Mode = "solution", seed: int = 0) -> Page:
        """Return the page model, with every line witnessed; the examples are those of the seed."""
        from derive.kernels.listing import listing
        from derive.pages import modes
        from derive.pages.compose import page
        from derive.registry import TOPICS, misstatements, slugs
        from derive.registry import load as record

        if mode not in {"solution", "practice"}:
            raise ValueError(f"mode is {mode!r}: pass 'solution' or 'practice'")
        known = set(slugs())
        near = [slug for slug in self.entry.related if slug in known]
        drawn = self._drawn(seed)
        wrong = [entry for entry in misstatements() if entry.instead[0] == self.slug]
        sheet = page(
            drawn.entry,
            topic=TOPICS[self.entry.topic],
            certificate=drawn.certificate["hash"],
            others={slug: record(slug) for slug in near},
            witnessed=drawn.witness(),
            numpy=listing(self.numpy),
            misstated=wrong,
        )
        return (modes.practice if mode == "practice" else modes.solution)(sheet, seed)

    def _drawn(self, seed: int) -> View:
        """Return the view with the examples of a seed; itself where there are none."""
        entry = self.entry.drawn(seed)
        return self if entry is self.entry else View(entry)

    def to_html(self, mode: Mode = "solution", seed: int = 0) -> str:
        """Return the sheet as one self-contained HTML file; `seed` picks the lines that practice takes away, 0 all."""
        from derive.pages.site import html_page

        return _ended(html_page(self.page(mode, seed)))

    def to_latex(self, mode: Mode = "solution", seed: int = 0) -> str:
        """Return the sheet as a LaTeX document for pdflatex."""
        from derive.pages.site import tex_page

        return _ended(tex_page(self.page(mode, seed)))

    def to_text(self, mode: Mode = "solution", seed: int = 0) -> str:
        """Return the sheet as plain text."""
        from derive.pages.plain import text_page

        return text_page(self.page(mode, seed))

    def to_json(self) -> str:
        """Return the certificate as text."""
        from derive.logic.certificate import dumps

        return dumps(self.certificate)

    def to_sympy(self) -> Any:
        """Return the claim as a SymPy object; see `derive.to_sympy`."""
        from derive.logic.sympy_bridge import to_sympy

        return to_sympy(self.claim)

    # ---- notebooks ----

    def __repr__(self) -> str:
        return f"<{type(self.entry).__name__.lower()} {self.slug}: {self.claim!r}>"

    def _repr_latex_(self) -> str:
        from derive.pages.tex import tex

        false = "\\quad\\text{false}" if isinstance(self.entry, Misstatement) else ""
        return f"$\\displaystyle {tex(self.claim, True)}{false}$"

    def _repr_html_(self) -> str:
        from derive.pages.fragment import html_fragment

        return html_fragment(self.entry, self._seen or frozenset())

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        return {"text/html": self._repr_html_(), "text/latex": self._repr_latex_(), "text/plain": repr(self)}


def _ended(text: str) -> str:
    """Return a text that ends with a line end."""
    return text.rstrip("\n") + "\n"


def load(slug: str) -> View:
    """Return a derivation by its slug.

    Raises
    ------
    derive.registry.UnknownSlugError
        With the nearest slugs.
    """
    from derive.registry import load as record

    return View(record(slug))


def derivations() -> tuple[View, ...]:
    """Return every derivation, in the order of topics and names; nothing is proved yet."""
    from derive.registry import catalogue as records

    return tuple(map(View, records()))
