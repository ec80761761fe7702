"""A derivation: its claims, what is given, the proofs, the texts, the kernels. Everything else is a view of it.

A catalogue file makes one `Derivation` and hangs its proofs on it. The metadata are there at once; a proof runs when it
is first asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

from derive.language.term import Complaint, Prose, Term, alpha, prose
from derive.logic.facts import closed

if TYPE_CHECKING:
    from derive.logic.arguments import Argument
    from derive.logic.calc import Calculation, Line
    from derive.logic.rules.reasons import Reason
    from derive.logic.theorem import Theorem

Priority = Literal["critical", "important", "useful"]


class RecordError(Complaint):
    """An entry whose parts do not fit together."""


@dataclass(frozen=True)
class Assumption:
    """A formula that a theorem may rest on, and what one calls it."""

    formula: Term
    words: str


@dataclass(frozen=True)
class Kernel:
    """A function to compile: named outputs, each a term over the inputs.

    Attributes
    ----------
    name : str
        The function's name in Python.
    inputs : tuple of Term
        Variables, in the order of the arguments.
    outputs : tuple of (str, Term)
        Each output's name and the term that it computes.
    summary : str
        One line for the docstring.
    textbook : Term or None
        The loss as a textbook writes it, for outputs that are its derivatives or its value.
    proved_by : tuple of str
        The claims of the entry whose right sides the outputs are.
    labels : Term or None
        An input that may also be given as integer labels, one for a row.
    """

    name: str
    inputs: tuple[Term, ...]
    outputs: tuple[tuple[str, Term], ...]
    summary: str
    textbook: Term | None = None
    proved_by: tuple[str, ...] = ()
    labels: Term | None = None


@dataclass(frozen=True)
class Mistake:
    """A usual slip: the wrong formula, the right one that it stands for, and why it is wrong."""

    wrong: Term
    why: str


@dataclass(eq=False)
class Proof:
    """A claim of an entry with its proof, which runs when it is asked for.

    Attributes
    ----------
    entry : Derivation
    name, heading : str
        The function's name, and what the page prints above the proof.
    claim : Term
        The formula that is proved.
    main : bool
        Whether it is the entry's own claim, and not a corollary.
    """

    entry: Derivation
    name: str
    heading: str
    claim: Term
    main: bool
    write: Callable[[], Calculation | Argument]

    @cached_property
    def argument(self) -> Argument:
        """The proof. Raises `RecordError` where it proves something else, or rests on more than the entry allows."""
        from derive.logic.arguments import argument

        done = argument(self.write())
        where = f"{self.entry.slug}, {self.name}"
        if alpha(done.theorem.conclusion) is not alpha(self.claim):
            raise RecordError(f"{where} proves {done.theorem.conclusion}, and claims {self.claim}")
        for hypothesis in done.theorem.hypotheses:
            if self.entry.tag(hypothesis) is None:
                raise RecordError(
                    f"{where} rests on {hypothesis}: discharge it, or list it among the entry's assumptions"
                )
        return done

    @property
    def theorem(self) -> Theorem:
        """The theorem."""
        return self.argument.theorem

    @property
    def lines(self) -> tuple[Line, ...]:
        """Every line of the proof, in order."""
        return tuple(line for part in self.argument.parts for line in part.lines)

    @property
    def as_reason(self) -> Reason:
        """The reason that uses the theorem."""
        from derive.logic.rules.reasons import use

        return use(self.theorem, self.heading[:1].lower() + self.heading[1:], self.entry.slug)


@dataclass(eq=False, kw_only=True)
class Derivation:
    """One entry of the catalogue.

    Texts may hold terms, as f-strings do: f"the gradient is {p - y}".

    Attributes
    ----------
    module : str
        The module's `__name__`; its last two parts give the topic and the slug.
    title, goal, prompt, sixty_seconds, strong, weak : str
        The texts of the page. `weak` says why the answer is weak.
    claim : Term
        The formula that the entry stands for, on the index and in the box.
    priority : str
        "critical", "important" or "useful".
    given : tuple of (Term, str)
        The symbols in the order of the table, and what each is.
    assumptions : tuple of Assumption
        Everything that the theorems may rest on.
    convention : str
        The layout convention, and what the notation means here.
    sanity : tuple of (str, str)
        The name of a check, and what it shows.
    mistakes : tuple of Mistake
    prerequisites, follow_ups : tuple of str
        Slugs.
    kernels : tuple of Kernel
    references : tuple of str
        Where the mathematics is found.
    flagship : bool
    """

    module: str
    title: str
    claim: Term
    goal: str
    priority: Priority
    given: tuple[tuple[Term, str], ...]
    prompt: str
    sixty_seconds: str
    strong: str
    weak: str
    mistakes: tuple[Mistake, ...]
    sanity: tuple[tuple[str, str], ...]
    assumptions: tuple[Assumption, ...] = ()
    convention: str = ""
    prerequisites: tuple[str, ...] = ()
    follow_ups: tuple[str, ...] = ()
    kernels: tuple[Kernel, ...] = ()
    references: tuple[str, ...] = ()
    flagship: bool = False
    proofs: dict[str, Proof] = field(default_factory=dict)

    @property
    def slug(self) -> str:
        """The name in files, addresses and commands."""
        return self.module.rpartition(".")[2].replace("_", "-")

    @property
    def topic(self) -> str:
        """The name of the catalogue's folder that it stands in."""
        return self.module.split(".")[-2]

    def proves(self, claim: Term, heading: str, *, main: bool = False) -> Callable[[Callable[[], Any]], Proof]:
        """Hang a proof on the entry: a decorator for the function that writes it."""

        def hang(write: Callable[[], Any]) -> Proof:
            name = write.__name__.rstrip("_")
            if name in self.proofs:
                raise RecordError(f"{self.slug} has two proofs with the name {name}")
            self.proofs[name] = Proof(self, name, heading, claim, main, write)
            return self.proofs[name]

        return hang

    def tag(self, hypothesis: Term) -> str | None:
        """Return the tag of the assumption that a hypothesis is, A1 for the first; None where it is none."""
        for number, assumption in enumerate(self.assumptions, 1):
            if closed(hypothesis) is closed(assumption.formula):
                return f"A{number}"
        return None

    # ---- what has been proved ----

    @property
    def lines(self) -> tuple[Line, ...]:
        """Every line of every proof, each with its terms, its reasons and its theorem."""
        return tuple(line for proof in self.proofs.values() for line in proof.lines)

    @property
    def theorems(self) -> dict[str, Theorem]:
        """Every claim as a theorem, by the name of its proof."""
        return {name: proof.theorem for name, proof in self.proofs.items()}

    def certificate(self) -> dict[str, Any]:
        """Return the proofs as plain data that can be replayed."""
        from derive.logic.certificate import write

        lines = (
            (p.name, line.theorem, "; ".join(map(repr, line.reasons)) or "algebra")
            for p in self.proofs.values()
            for line in p.lines
        )
        data = write(self.slug, self.theorems, lines, [a.formula for a in self.assumptions], {"derive": own_version()})
        return dict(data)

    def texts(self) -> Iterator[tuple[str, Prose]]:
        """Yield every text with its name, its terms found again."""
        for name in ("goal", "convention", "prompt", "sixty_seconds", "strong", "weak"):
            yield name, prose(getattr(self, name))
        for name, text in self.sanity:
            yield f"sanity: {name}", prose(text)
        for mistake in self.mistakes:
            yield "mistake", prose(mistake.why)


def own_version() -> str:
    """Return the version of this package."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("derive")
    except PackageNotFoundError:
        return "0"
