"""Record to page model: proofs become sections of numbered lines, texts become prose, and nothing is typed anew."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Final

from derive.language.array import bound_index, component, push
from derive.language.notation import DOMAINS, SYMBOLS, law, parameters_at
from derive.language.term import (
    ZERO,
    Prose,
    Term,
    alpha,
    bound,
    domain_of,
    eq,
    free,
    index,
    is_random,
    meant,
    ne,
    occurs,
    place,
    prose,
    substitute,
    subterms,
    succ,
)  # fmt: skip
from derive.logic.arguments import Part
from derive.logic.calc import Line as Step
from derive.logic.facts import discharge, generalise, range_of
from derive.logic.theorem import Theorem
from derive.pages import model
from derive.pages.cancelled import cancelled
from derive.pages.model import Line, Link, Page, Result, Section
from derive.pages.text import text
from derive.record import NUMBERS, SAID, Derivation, Misstatement, Proof, Record

Place = tuple[str, int]
"A line of an entry: the name of its proof, and its position there; -1 for the claim of a proof without lines."

_RELATIONS: Final = {"=": "eq", "≤": "le", "<": "lt"}
_SHORT: Final = 32  # characters of a claim that still fits beside a title


def page(
    entry: Record,
    *,
    topic: str,
    certificate: str,
    others: Mapping[str, Record],
    witnessed: Collection[Place] = (),
    numpy: str = "",
    misstated: Iterable[Misstatement] = (),
) -> Page:
    """Return the page model of an entry's solution.

    Parameters
    ----------
    entry : Record
    topic : str
        The topic's name.
    certificate : str
        The content hash of the entry's certificate.
    others : mapping of str to Record
        The entries before and after this one, by slug: their titles and questions are printed.
    witnessed : collection of (str, int)
        The lines and the quoted numbers that the witness has confirmed.
    numpy : str
        The source of the kernels.
    misstated : iterable of Misstatement
        What is often said and false, where this entry has the truth.
    """
    confirmed = frozenset(witnessed)
    sections = _numbered(_section(proof, confirmed) for proof in entry.proofs.values())
    lines = [line for section in sections for line in section.lines]
    boxed = [(proof.name, len(proof.lines) - 1) for proof in entry.proofs.values() if is_boxed(proof)]
    made = _OWN[type(entry)](entry, others, confirmed)
    return replace(
        made,
        given=tuple(_given(entry, symbol, about) for symbol, about in entry.given),
        sections=sections,
        verdict=model.Verdict(
            lines=len(lines) + len(boxed),
            proved=sum(line.proved for line in lines) + len(boxed),
            witnessed=sum(line.witnessed for line in lines) + len(confirmed.intersection(boxed)),
            assumed=len(_used(entry)),
        ),
        topic=topic,
        certificate=certificate,
        convention=(*prose(entry.convention), *_bracket(entry, lines)),
        numbers=tuple(
            model.Number(number.term, number.shown, prose(number.words), (NUMBERS, position) in confirmed)
            for position, number in enumerate(entry.numbers)
        ),
        numpy=numpy,
        assumptions=_assumptions(entry, lines),
        discharged=_discharged(entry, lines),
        references=tuple(map(prose, entry.references)),
        before=_links(entry.prerequisites, others),
        after=_links(entry.follow_ups, others),
        misstated=tuple(Link(wrong.slug, text_of(wrong.title)) for wrong in misstated),
    )


def _bracket(entry: Record, lines: Iterable[Line]) -> Prose:
    """Return what the bracket [i = j] means, where one is printed and the convention does not say so."""
    shown = (side for line in lines for side in (line.left, line.right) if side is not None)
    said = (piece for piece in prose(entry.convention) if isinstance(piece, Term))
    seen: set[Term] = set()
    deltas = [part for term in shown for part in subterms(term, seen) if part.op == "delta"]
    if not deltas or any(part.op == "delta" for term in said for part in subterms(term)):
        return ()
    left, right = deltas[0].args
    words = " is 1 where ", left, " and ", right, " are equal and 0 elsewhere."
    return (" " * bool(entry.convention) + "The bracket ", deltas[0], *words)


# ---- what each kind of entry says of itself --------------------------------------------------------------------------


def _result(entry: Derivation, others: Mapping[str, Record], _: Collection[Place]) -> Page:
    """Return the page of a result with its texts."""
    return Page(
        slug=entry.slug,
        title=_title(entry),
        goal=prose(entry.goal),
        checks=tuple(model.Check(name, prose(words)) for name, words in entry.sanity),
        mistakes=tuple(model.Mistake((mistake.wrong,), prose(mistake.why)) for mistake in entry.mistakes),
        sixty_seconds=prose(entry.sixty_seconds),
        interview=model.Interview(
            prose(entry.prompt),
            prose(entry.strong),
            prose(entry.weak),
            tuple(prose(near.prompt) for near in _among(entry.follow_ups, others) if isinstance(near, Derivation)),
        ),
    )


def _misstatement(entry: Misstatement, others: Mapping[str, Record], confirmed: Collection[Place]) -> Page:
    """Return the page of a claim that is false: as it is said, why it is believed, and what to say instead."""
    slug, name = entry.instead
    proof = others[slug].proofs.get(name) if slug in others else None
    return Page(
        slug=entry.slug,
        title=prose(entry.title),
        said=model.Said(
            words=prose(entry.said),
            claim=entry.claim,
            refuted=entry.refuted,
            witnessed=(SAID, 0) in confirmed,
            why=prose(entry.why),
            instead=prose(entry.correction),
            theorem=proof.claim if proof else None,
            link=Link(slug, text_of(others[slug].title)) if proof else None,
        ),
    )


_OWN: Final[Mapping[type[Record], Callable[..., Page]]] = {Derivation: _result, Misstatement: _misstatement}


def _title(entry: Derivation) -> Prose:
    """Return the title, with the claim where it is short."""
    title, claim = prose(entry.title), entry.claim
    return (*title, ": ", claim) if claim.op in model.RELATIONS and len(text(claim)) <= _SHORT else title


def _among(slugs: Iterable[str], others: Mapping[str, Record]) -> Iterator[Record]:
    return (others[slug] for slug in slugs if slug in others)


def _links(slugs: Iterable[str], others: Mapping[str, Record]) -> tuple[Link, ...]:
    return tuple(Link(near.slug, text_of(near.title)) for near in _among(slugs, others))


def text_of(marked: str) -> str:
    """Return a text of a record as plain text."""
    return "".join(piece if isinstance(piece, str) else text(piece) for piece in prose(marked))


# ---- sections and lines ---------------------------------------------------------------------------------------------


def _section(proof: Proof, witnessed: Collection[Place]) -> Section:
    """Return a proof: the lines of its parts under their headings, and its claim in a box."""
    parts = proof.argument.parts
    if not parts:
        return Section("", (proof.heading,), (_stated(proof, witnessed),))
    steps = [(part, number) for part in parts for number in range(len(part.lines))]
    lines = tuple(_line(proof, part, number, (proof.name, n) in witnessed) for n, (part, number) in enumerate(steps))
    shown = lines[:-1] if is_boxed(proof) else lines
    return Section("", (proof.heading,), shown, _boxed(proof, lines))


def lines_of(entry: Record, witnessed: Collection[Place] = ()) -> tuple[Line, ...]:
    """Return the numbered lines of the entry's main proofs, of its first proof where none is called so."""
    proofs = [proof for proof in entry.proofs.values() if proof.main] or list(entry.proofs.values())[:1]
    sections = _numbered(_section(proof, witnessed) for proof in proofs)
    return tuple(line for section in sections for line in section.lines)


def is_boxed(proof: Proof) -> bool:
    """Tell whether the last line of a proof is its claim, read as arrays, so that the box stands for it."""
    lines = proof.lines
    return len(lines) > 1 and lines[-1].raised and lines[-1].theorem.conclusion is proof.claim


def _line(proof: Proof, part: Part, number: int, witnessed: bool) -> Line:
    """Return one step as a line; the left side stands at the start of a part and where it changes."""
    step = part.lines[number]
    left = part.start if not number else step.before if step.raised else None
    reason, link = _reason(step, proof.entry.slug)
    if step.raised:
        reason = (*_for_every(step.theorem.arguments[3:]), *reason)
    above = part.heading if not number else ()
    following = [later for later in part.lines[number + 1 : number + 2] if not later.raised]
    return Line(
        number=0,
        left=left,
        relation=_relation(step),
        right=step.after,
        reason=reason,
        shape=step.after.shape,
        proved=True,
        witnessed=witnessed,
        tags=_tags(proof.entry, step.theorem),
        link=link,
        heading=(*above, *((": ",) if above and step.heading else ()), *prose(step.heading)),
        struck=cancelled(step.after, following[0].after) if following else frozenset(),
    )


def _relation(step: Step) -> str:
    return "iff" if step.theorem.conclusion.op == "iff" else _RELATIONS[step.relation]


def _reason(step: Step, own: str) -> tuple[Prose, Link | None]:
    """Return the words beside a line, and the derivation that they point to."""
    pieces: list[str | Term] = []
    for words in dict.fromkeys(reason.words for reason in step.reasons):
        pieces += ["; "] * bool(pieces) + list(words)
    if not pieces and not step.raised:
        pieces = ["algebra"]
    if step.note:
        pieces += ["; "] * bool(pieces) + list(step.note)
    linked = [reason for reason in step.reasons if reason.link and reason.link != own]
    link = Link(linked[0].link, "".join(map(_plain, linked[0].words))) if linked else None
    return tuple(pieces), link


def _plain(piece: str | Term) -> str:
    return piece if isinstance(piece, str) else text(piece)


def _for_every(places: Sequence[Term]) -> Prose:
    """Return "for every i and j"."""
    pieces: list[str | Term] = []
    for number, symbol in enumerate(places):
        pieces += [" and " if number == len(places) - 1 and number else ", " if number else "for every ", symbol]
    return tuple(pieces)


def _stated(proof: Proof, witnessed: Collection[Place]) -> Line:
    """Return the claim of a proof without lines as its one line."""
    [result, *_] = _results(proof.claim, proof.argument.because, _fixed(proof.entry))
    return Line(
        number=0,
        left=result.left,
        relation=result.relation,
        right=result.right,
        reason=result.reason,
        shape=result.shape,
        proved=True,
        witnessed=(proof.name, -1) in witnessed,
        tags=_tags(proof.entry, proof.theorem),
    )


def _boxed(proof: Proof, lines: Sequence[Line]) -> tuple[Result, ...]:
    """Return the claim in a box; none where the only line is the claim."""
    claimed = _results(proof.claim, proof.argument.because, _fixed(proof.entry))
    if len(lines) == 1 == len(claimed) and (lines[0].left, lines[0].right) == (claimed[0].left, claimed[0].right):
        return ()
    tags = _tags(proof.entry, proof.theorem)
    if is_boxed(proof):
        claimed = tuple(replace(result, reason=lines[-1].reason) for result in claimed)
    return tuple(replace(result, tags=tags, main=proof.main) for result in claimed)


def _fixed(entry: Record) -> frozenset[Term]:
    """Return the indices that an assumption speaks of: a result holds for these and not for every one."""
    return frozenset(symbol for assumption in entry.assumptions for symbol in free(assumption.formula))


def _results(claim: Term, because: Prose, fixed: Collection[Term] = ()) -> tuple[Result, ...]:
    """Return a claim as boxed rows: a conjunction as several, "for every k" beside and not in front."""
    if claim.op == "and":
        return tuple(result for part in claim.args for result in _results(part, because, fixed))
    symbols: list[Term] = []
    while claim.op == "forall":
        symbols.append(claim.args[0])
        claim = claim.args[1]
    if claim.op == "tends":
        return (_limit(claim, because, symbols, fixed),)
    if claim.op not in model.RELATIONS:
        return (Result(claim, "iff", Term("true"), because),)
    named = symbols or sorted((s for s in free(claim) if s.op == "idx" and s not in fixed), key=text)
    reason = (*because, *(("; ",) if because and named else ()), *_for_every(named))
    return (Result(claim.args[0], claim.op, claim.args[1], reason, claim.args[0].shape),)


def _limit(claim: Term, because: Prose, symbols: list[Term], fixed: Collection[Term]) -> Result:
    """Return a limit as a boxed row, with the way that its variable goes beside it."""
    variable, *to, value, body = claim.args
    way: Prose = ("as ", variable, " goes to ", to[0]) if to else ("as ", variable, " grows without bound")
    named = symbols or sorted((s for s in free(claim) if s.op == "idx" and s not in fixed), key=text)
    reason = (*way, *(("; ", *because) if because else ()), *(("; ", *_for_every(named)) if named else ()))
    return Result(body, "to", value, reason, body.shape)


def _tags(entry: Record, theorem: Theorem) -> tuple[str, ...]:
    """Return the tags of the assumptions that a theorem rests on; what a case or an induction supposes has none."""
    return tuple(sorted({tag for hypothesis in theorem.hypotheses if (tag := entry.tag(hypothesis))}, key=_tag_number))


def _tag_number(tag: str) -> int:
    return int(tag[1:])


def _numbered(sections: Iterable[Section]) -> tuple[Section, ...]:
    """Return sections with letters and line numbers that run through the page; a box says which lines led to it."""
    out, last = list[Section](), 0
    for position, section in enumerate(sections):
        first = last + 1
        last += len(section.lines)
        lines = tuple(replace(row, number=first + n) for n, row in enumerate(section.lines))
        results = tuple(replace(result, reason=_led(result, first, last)) for result in section.results)
        out.append(replace(section, letter=_letter(position), lines=lines, results=results))
    return tuple(out)


def _led(result: Result, first: int, last: int) -> Prose:
    """Return why a box holds; where nothing but "for every" is said, the lines that led to it come first."""
    reason = result.reason if result.reason != ("both",) or first > last else ()
    if reason and not str(reason[0]).startswith("for every"):
        return reason
    raised = bool(reason) and bool(result.shape)
    lines = f"line {last}" if raised or first == last else f"lines {first} to {last}"
    return (f"{lines}{'' if raised or not reason else ','}{' ' if reason else ''}", *reason)


def _letter(number: int) -> str:
    """Return A, …, Z, AA, AB, …."""
    rest, letter = divmod(number, 26)
    return (_letter(rest - 1) if rest else "") + chr(ord("A") + letter)


# ---- what is given --------------------------------------------------------------------------------------------------


def _given(entry: Record, symbol: Term, about: str) -> model.Given:
    """Return a row of the table: the symbol, what it is, what defines it and what is assumed of it alone."""
    values = dict(entry.counterexample) if isinstance(entry, Misstatement) else {}
    defined: list[str | Term] = [eq(symbol, values[symbol])] if symbol in values else list(definition(symbol))
    tags = []
    for number, assumption in enumerate(entry.assumptions, 1):
        if symbol.op in {"var", "let"} and _speaks_of(assumption.formula) == {symbol}:
            defined += ["; "] * bool(defined) + [assumption.formula]
            tags.append(f"A{number}")
    return model.Given(symbol, prose(about), tuple(defined), symbol.shape, tuple(tags))


@cache
def _speaks_of(formula: Term) -> frozenset[Term]:
    """Return the variables and named quantities that a formula names, definitions left closed."""
    if formula.op in {"var", "let"}:
        return frozenset([formula])
    return frozenset[Term]().union(*map(_speaks_of, formula.args))


def definition(symbol: Term) -> Prose:
    """Return what defines a symbol: a named quantity's definition, a variable's domain, the notation's own entry."""
    rule = _DEFINITIONS.get(symbol.op)
    return rule(symbol) if rule else ()


def _let(symbol: Term) -> Prose:
    body = symbol.args[0]
    if body.op == "array":
        return (eq(Term("at", (symbol, *body.args[:-1])), body.args[-1]),)
    return (eq(symbol, body),)


def _variable(symbol: Term) -> Prose:
    if is_random(symbol) and isinstance(symbol.data, tuple):
        return _law(symbol)
    return DOMAINS[domain_of(symbol)].about(symbol)


def _law(symbol: Term) -> Prose:
    """Return what is known of the law of a random variable, of each component where it has several."""
    places = tuple(index(name, axis) for name, axis in zip("ijkl", symbol.shape, strict=False))
    known, said = law(symbol), law(symbol).about(*parameters_at(symbol, places))
    if not symbol.shape:
        return ("random, of ", *said)
    if known.independent:
        return ("independent random components of ", *said)
    return ("random components of ", *said, ", which may depend on each other")


def _symbol(symbol: Term) -> Prose:
    known = SYMBOLS[str(symbol.data)]
    if known.definition is not None:
        return (eq(symbol, known.definition(*symbol.args)),)
    pieces: list[str | Term] = []
    for condition, value in known.branches(*symbol.args):
        pieces += ["; "] * bool(pieces) + [eq(symbol, value), " where ", condition]
    return tuple(pieces)


def _rows(symbol: Term) -> Prose:
    """Return the definition of a symbol that acts on rows, by its component."""
    (argument,) = symbol.args
    rank = len(symbol.shape)
    *places, k = (index(name, axis) for name, axis in zip("nmlk"[-rank:], symbol.shape, strict=True))
    m = index("m" if rank < 3 else "c", argument.shape[-1])
    made = SYMBOLS[str(symbol.data)].definition
    if made is None:
        return ()
    return (eq(component(symbol, (*places, k)), made(lambda i: push(component(argument, (*places, i))), k, m)),)


def _reduced(symbol: Term) -> Prose:
    """Return the definition of a symbol that takes the last axis away, for one row."""
    (argument,), made = symbol.args, SYMBOLS[str(symbol.data)].definition
    if made is None or symbol.shape:
        return ()
    return (eq(symbol, made(lambda i: push(component(argument, (i,))), bound_index(argument.shape[-1], symbol))),)


def _one_layer(symbol: Term) -> Prose:
    """Return what a pass does at one layer; its own first layer and start are those of the table's row."""
    first, _, layer, state, start, body = symbol.args
    one = Term("pass", (first, succ(first), layer, state, start, body), symbol.data)
    return (eq(one, substitute(body, {layer: first, state: start})),)


_DEFINITIONS: Final[dict[str, Callable[[Term], Prose]]] = {
    "let": _let,
    "var": _variable,
    "app": _symbol,
    "rows": _rows,
    "reduce": _reduced,
    "size": lambda symbol: (("a size", "a natural number")[symbol.data[1] == 0],),  # type: ignore[index]
    "space": lambda symbol: ("a measure space",),
    "call": lambda symbol: ("a differentiable function",),
    "map": lambda symbol: ("a differentiable map",),
    "member": lambda symbol: ("a family of real arrays",),
    "pass": _one_layer,
}


# ---- assumptions and obligations ------------------------------------------------------------------------------------


def _used(entry: Record) -> frozenset[str]:
    """Return the tags of the assumptions on which a claim of the entry rests."""
    return frozenset(tag for proof in entry.proofs.values() for tag in _tags(entry, proof.theorem))


def _assumptions(entry: Record, lines: Iterable[Line]) -> tuple[model.Assumption, ...]:
    """Return the entry's assumptions that a claim rests on, with the lines that bring them in."""
    where: dict[str, list[int]] = {}
    for line in lines:
        for tag in line.tags:
            where.setdefault(tag, []).append(line.number)
    used = _used(entry)
    return tuple(
        model.Assumption(f"A{n}", (assumption.formula, ": ", *prose(assumption.words)), _listed(where.get(f"A{n}", ())))
        for n, assumption in enumerate(entry.assumptions, 1)
        if f"A{n}" in used
    )


MOST_RUNS: Final = 20
"How many runs of lines are listed."


def _listed(numbers: Sequence[int]) -> Prose:
    """Return "lines 2 to 4, 7"; of very many the first ones."""
    runs: list[list[int]] = []
    for number in sorted(set(numbers)):
        if runs and runs[-1][-1] == number - 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    shown = runs if len(runs) <= MOST_RUNS else runs[: MOST_RUNS // 2]
    words = [f"{run[0]} to {run[-1]}" if len(run) > 2 else ", ".join(map(str, run)) for run in shown]
    if not words:
        return ()
    if len(shown) < len(runs):
        words[-1] += f" and {sum(map(len, runs[len(shown) :]))} more"
    return (f"{'line' if len(set(numbers)) == 1 else 'lines'} {', '.join(words)}",)


def _discharged(entry: Record, lines: Iterable[Line]) -> tuple[model.Discharged, ...]:
    """Return the conditions of the lines' terms that the core discharged, each once, those of one kind together."""
    given = {_closed(assumption.formula) for assumption in entry.assumptions}
    shown: dict[Term, Term] = {}
    where: dict[str, list[int]] = {}
    kinds: dict[str, list[Term]] = {}
    for line in lines:
        for condition in (c for side in (line.left, line.right) if side is not None for c in conditions(side)):
            key, why = _closed(condition), _because(condition)
            if key in given:
                continue
            where.setdefault(why, []).append(line.number)
            if key not in shown:
                shown[key] = condition
                kinds.setdefault(why, []).append(condition)
    return tuple(model.Discharged(_sequence(formulas), _listed(where[why]), (why,)) for why, formulas in kinds.items())


def _closed(formula: Term) -> Term:
    """Return a formula up to the names of its indices."""
    return alpha(generalise(formula, tuple(sorted((s for s in free(formula) if s.op == "idx"), key=repr))))


def _sequence(formulas: Sequence[Term]) -> Prose:
    pieces: list[str | Term] = []
    for formula in formulas:
        pieces += [", "] * bool(pieces) + [formula]
    return tuple(pieces)


def conditions(term: Term) -> tuple[Term, ...]:
    """Return the conditions under which a term is defined that the core discharges: denominators, logarithms, kinks."""
    found: dict[Term, Term] = {}
    for part in _written(push(term) if not term.shape else term):
        for condition in _own(part):
            if not _trivial(condition) and not discharge(condition):
                found.setdefault(alpha(condition), condition)
    return tuple(found.values())


def _written(term: Term) -> Iterator[Term]:
    """Yield the parts that stand in a term as it is written: definitions are left closed."""
    yield term
    if term.op not in {"let", "var", "idx"}:
        for arg in term.args[len(bound(term)) :]:
            yield from _written(arg)


def _own(part: Term) -> Iterator[Term]:
    if part.shape:
        return
    if part.op == "div":
        yield ne(part.args[1], 0)
    elif part.op == "app":
        yield from SYMBOLS[str(part.data)].domain(*part.args)
    elif part.op == "D":
        base, _ = place(part.args[1])
        for inner in subterms(part.args[0]):
            if inner.op == "app" and not inner.shape and occurs(base, inner):
                yield from SYMBOLS[str(inner.data)].kinks(*inner.args)
    elif part.op in {"integral", "expect", "mean"}:
        body = part.args[1] * part.args[2] if part.op == "expect" else part.args[-1]
        yield Term("integrable", (*bound(part), body))
    elif part.op in {"Var", "Cov"}:
        yield from _own(meant(part))
    elif part.op == "at" and part.args[0].op == "inv":
        yield Term("invertible", part.args[0].args)


def _trivial(condition: Term) -> bool:
    same = condition.op == "implies" and condition.args[0] is condition.args[1]
    return same or (condition.op in {"ne", "lt", "le"} and all(side.op in {"num", "neg"} for side in condition.args))


def _because(condition: Term) -> str:
    """Return in words why a condition of a single quantity holds."""
    if condition.op in {"invertible", "posdef"}:
        return "positive definite by its structure"
    if condition.op == "integrable":
        return "within the moments of the law" if is_random(condition.args[0]) else "a finite sum or a density"
    return _kind(condition.args[0] if condition.args[1] is ZERO else condition.args[1])


_KINDS: Final = {
    "add": "a sum of positive parts",
    "sub": "what is taken from 1 is less",
    "mul": "every factor is so",
    "div": "above and below the line is so",
    "pow": "a power of what is so",
    "sum": "a sum of positive terms",
    "prod": "every factor is so",
    "succ": "one more than a natural number",
    "size": "a size is at least 1",
    "neg": "minus what is so",
}


_RANGES: Final = {"positive": "positive", "unit": "between 0 and 1", "nonnegative": "never negative"}


def _kind(quantity: Term) -> str:
    base, _ = place(quantity)
    if base.op in {"app", "rows", "reduce"}:
        words = SYMBOLS[str(base.data)].words
        return f"{words} is {_RANGES.get(range_of(quantity), 'so')}"
    if base.op == "let":
        return "by its definition"
    if base.op == "var":
        return "by its domain"
    return _KINDS.get(quantity.op, "by its structure")
