"""A derivation: its claims, what is given, the proofs, the texts, the kernels. Everything else is a view of it.

A catalogue file makes one `Derivation` and hangs its proofs on it. The metadata are there at once; a proof runs when it
is first asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from random import Random
from typing import TYPE_CHECKING, Any, Final, Literal, Self

from derive.language.term import Complaint, Numeric, Term, alpha, lift, substitute, unmarked
from derive.logic.facts import closed, discharge

if TYPE_CHECKING:
    from derive.logic.arguments import Argument
    from derive.logic.calc import Calculation, Line
    from derive.logic.rules.reasons import Reason
    from derive.logic.theorem import Theorem

Priority = Literal["critical", "important", "useful"]
NUMBERS: Final = "≈"
SAID: Final = "✗"
"Where the name of a proof tells the place of a line: that of a quoted number, and of what is said and false."


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
    derived : bool
        Whether the deriver made it: what a mean is over is then unknown, so that none can be asked for as a sum, and
        in the tails of its functions it promises digits only beside the values that it has elsewhere.
    """

    name: str
    inputs: tuple[Term, ...]
    outputs: tuple[tuple[str, Term], ...]
    summary: str
    textbook: Term | None = None
    proved_by: tuple[str, ...] = ()
    labels: Term | None = None
    derived: bool = False


@dataclass(frozen=True)
class Mistake:
    """A usual slip: the wrong formula, the right one that it stands for, and why it is wrong."""

    wrong: Term
    why: str


@dataclass(frozen=True)
class Number:
    """A closed term, and its decimals as people quote them.

    Nothing is proved by decimals: the witness sees whether they are the term's value, rounded to the digits shown.

    Attributes
    ----------
    term : Term
        Without variables and free indices.
    shown : str
        The decimals, such as "0.0902", "6.87", "−1,500" or "1.5e-8"; "68.3 %" is of a share.
    words : str
        What it is.
    """

    term: Term
    shown: str
    words: str


@dataclass(eq=False)
class Proof:
    """A claim of an entry with its proof, which runs when it is asked for.

    Attributes
    ----------
    entry : Record
    name, heading : str
        The function's name, and what the page prints above the proof.
    stated : Term or None
        The formula that is to be proved; None where the calculation says itself what it proves, as an example does.
    main : bool
        Whether it is the entry's own claim, and not a corollary.
    """

    entry: Record
    name: str
    heading: str
    stated: Term | None
    main: bool
    write: Callable[[], Calculation | Argument]

    @property
    def claim(self) -> Term:
        """The formula that is proved."""
        return self.argument.theorem.conclusion if self.stated is None else self.stated

    @cached_property
    def argument(self) -> Argument:
        """The proof. Raises `RecordError` where it proves something else, or rests on more than the entry allows."""
        from derive.logic.arguments import argument

        done = argument(self.write())
        where = f"{self.entry.slug}, {self.name}"
        if self.stated is not None and alpha(done.theorem.conclusion) is not alpha(self.stated):
            raise RecordError(f"{where} proves {done.theorem.conclusion}, and claims {self.stated}")
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


Draw = Callable[[Random], Any]
"What an example's function is: random numbers -> a calculation, or an argument."


@dataclass(eq=False)
class Example(Proof):
    """A worked instance in exact numbers, drawn from a seed, which is checked as any proof is.

    Attributes
    ----------
    draw : callable
        The function that draws the numbers and writes the calculation.
    seed : int
        Of the numbers: 0 in the gallery and in the certificate.
    """

    draw: Draw
    seed: int


@dataclass(eq=False, kw_only=True)
class Record:
    """What every entry of the catalogue has: what is said, what is given, and the proofs.

    Texts may hold terms, as f-strings do: f"the gradient is {p - y}".

    Attributes
    ----------
    module : str
        The module's `__name__`; its last two parts give the topic and the slug.
    title : str
        As it stands on the index.
    claim : Term
        The formula that the entry stands for.
    priority : str
        "critical", "important" or "useful".
    given : tuple of (Term, str)
        The symbols in the order of the table, and what each is.
    assumptions : tuple of Assumption
        Everything that the theorems may rest on.
    convention : str
        The layout convention, and what the notation means here.
    prerequisites, follow_ups : tuple of str
        Slugs.
    kernels : tuple of Kernel
    numbers : tuple of Number
        Decimals that are quoted, witnessed and not proved.
    references : tuple of str
        Where the mathematics is found.
    flagship : bool
    """

    module: str
    title: str
    claim: Term
    priority: Priority
    given: tuple[tuple[Term, str], ...]
    assumptions: tuple[Assumption, ...] = ()
    convention: str = ""
    prerequisites: tuple[str, ...] = ()
    follow_ups: tuple[str, ...] = ()
    kernels: tuple[Kernel, ...] = ()
    numbers: tuple[Number, ...] = ()
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
            return self._hung(Proof(self, write.__name__.rstrip("_"), heading, claim, main, write))

        return hang

    def example(self, heading: str) -> Callable[[Draw], Proof]:
        """Hang a worked instance on the entry: a decorator for the function that draws numbers and calculates."""

        def hang(draw: Draw) -> Proof:
            return self._hung(self._drawn(draw.__name__.rstrip("_"), heading, draw, 0))

        return hang

    def _hung(self, proof: Proof) -> Proof:
        if proof.name in self.proofs:
            raise RecordError(f"{self.slug} has two proofs with the name {proof.name}")
        self.proofs[proof.name] = proof
        return proof

    def _drawn(self, name: str, heading: str, draw: Draw, seed: int) -> Example:
        numbers = f"{self.slug}/{name}/{seed}"
        return Example(self, name, heading, None, False, lambda: draw(Random(numbers)), draw, seed)

    def drawn(self, seed: int) -> Self:
        """Return the entry with its examples drawn from another seed; itself where it has none, and for seed 0."""
        if seed == 0 or not any(isinstance(proof, Example) for proof in self.proofs.values()):
            return self
        other = replace(self, proofs={})
        for name, proof in self.proofs.items():
            other.proofs[name] = (
                other._drawn(name, proof.heading, proof.draw, seed) if isinstance(proof, Example) else proof
            )
        return other

    def tag(self, hypothesis: Term) -> str | None:
        """Return the tag of the assumption that a hypothesis is, A1 for the first; None where it is none."""
        return self._tags.get(closed(hypothesis))

    @cached_property
    def _tags(self) -> dict[Term, str]:
        """The tag of each assumption, by the form in which conditions are compared."""
        numbered = [(closed(assumption.formula), f"A{n}") for n, assumption in enumerate(self.assumptions, 1)]
        return dict(reversed(numbered))

    @property
    def related(self) -> tuple[str, ...]:
        """The slugs of the entries of which its page speaks."""
        return (*self.prerequisites, *self.follow_ups)

    @property
    def plain_title(self) -> str:
        """The title as plain text, for messages and lists."""
        return unmarked(self.title)

    @property
    def about(self) -> str:
        """In a sentence what it is about, as plain text."""
        return self.plain_title

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


@dataclass(eq=False, kw_only=True)
class Derivation(Record):
    """A result: its claim, which is proved, and the texts of its page.

    Attributes
    ----------
    goal, prompt, sixty_seconds, strong, weak : str
        The texts of the page. `weak` says why the answer is weak.
    sanity : sequence of (str, str)
        The name of a check, and what it shows.
    mistakes : sequence of Mistake
    """

    goal: str
    prompt: str
    sixty_seconds: str
    strong: str
    weak: str
    mistakes: Sequence[Mistake]
    sanity: Sequence[tuple[str, str]]

    @property
    def about(self) -> str:
        """In a sentence what it is about, as plain text."""
        return unmarked(self.goal)


@dataclass(eq=False, kw_only=True)
class Misstatement(Record):
    """What is often said and false: a counterexample refutes it, and a proved result stands in its place.

    The claim is the formula as people say it. The proofs contradict it at the counterexample.

    Attributes
    ----------
    said : str
        The sentence as people say it.
    counterexample : tuple of (Term, number)
        Values of variables: integers, fractions, closed terms. The claim is false whatever the others are.
    why : str
        Why people believe it.
    instead : tuple of (str, str)
        What to say: the slug of a derivation, and the name of the proof there.
    correction : str
        The same in words.
    """

    said: str
    counterexample: tuple[tuple[Term, Numeric], ...]
    why: str
    instead: tuple[str, str]
    correction: str

    @property
    def related(self) -> tuple[str, ...]:
        """The slugs of the entries of which its page speaks."""
        return (*super().related, self.instead[0])

    @property
    def about(self) -> str:
        """In a sentence what it is about, as plain text."""
        return unmarked(self.said)

    def at(self, term: Term) -> Term:
        """Return a term with the counterexample's values for the variables."""
        return substitute(term, {variable: lift(value) for variable, value in self.counterexample})

    @property
    def refuted(self) -> bool:
        """Whether the theorems contradict the claim at the counterexample, all of them together."""
        known = {alpha(part) for theorem in self.theorems.values() for part in _conjuncts(theorem.conclusion)}
        return _contradicted(self.at(self.claim), known)


def _conjuncts(formula: Term) -> tuple[Term, ...]:
    """Return the parts of a conjunction; the formula itself where it is none."""
    return sum(map(_conjuncts, formula.args), ()) if formula.op == "and" else (formula,)


def _contradicted(formula: Term, known: Collection[Term]) -> bool:
    """Tell whether formulas that hold contradict a formula, as it is written."""
    if formula.op == "and":
        return any(_contradicted(part, known) for part in formula.args)
    if formula.op == "implies":
        premise, conclusion = formula.args
        holds = all(alpha(part) in known or not discharge(part) for part in _conjuncts(premise))
        return holds and _contradicted(conclusion, known)
    if formula.op not in _CONTRARY:
        return False
    left, right = formula.args
    return any(alpha(Term(op, sides)) in known for op, sides in _CONTRARY[formula.op](left, right))


_CONTRARY: Final[dict[str, Callable[[Term, Term], tuple[tuple[str, tuple[Term, Term]], ...]]]] = {
    "eq": lambda a, b: (("lt", (a, b)), ("lt", (b, a)), ("ne", (a, b)), ("ne", (b, a))),
    "ne": lambda a, b: (("eq", (a, b)), ("eq", (b, a))),
    "le": lambda a, b: (("lt", (b, a)),),
    "lt": lambda a, b: (("le", (b, a)), ("lt", (b, a)), ("eq", (a, b)), ("eq", (b, a))),
}
"What contradicts a relation: other relations of the same sides."


def own_version() -> str:
    """Return the version of this package."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("derive")
    except PackageNotFoundError:
        return "0"
