"""Reverse mode over named quantities: the error of each, from the errors of what it goes through, line by line.

For every quantity q that is kept, a theorem ∂L/∂q = δ_q is proved: the chain rule through the next quantities, their
errors, the local derivative by rules, and last the form that is printed. The search for that form may end anywhere; a
line is there only if its reasons lead to it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import reduce

from derive.deriver.algebra import (
    AUTHOR,
    DeriverError,
    Differentiator,
    Form,
    added,
    cost,
    single,
    summed,
    times,
    written,
)
from derive.deriver.finishing import Finisher
from derive.deriver.folding import Reader
from derive.deriver.graph import Graph
from derive.deriver.lemmas import log_softmax_difference, logsumexp_gradient, mirror, softmax_jacobian, tanh_as_sigmoid
from derive.deriver.letters import Letters
from derive.deriver.proving import (
    adjoint_rule,
    distribution,
    exponentials,
    line,
    proved,
    through_rows,
)
from derive.deriver.proving import through as chain_through
from derive.deriver.raising import raised
from derive.language.array import component, push
from derive.language.notation import SYMBOLS
from derive.language.term import Σ, D, Term, at, let, name_of, names, occurs, substitute, subterms  # noqa: PLC2403 - the sum's own sign
from derive.logic import theorem as core
from derive.logic.calc import Calculation, Line
from derive.logic.context import ProofError
from derive.logic.rules.reasons import (
    Reason,
    by,
    derivative,
    determinant_rule,
    given,
    inverse_rule,
    linearity,
    power_rule,
    product_rule,
    quotient_rule,
    reciprocal_rule,
    root_of_square,
    sift,
    step_rule,
    use,
)
from derive.logic.theorem import Theorem

LONG = 60  # of an unfinished result, beyond which it gets no line of its own


@dataclass(frozen=True)
class Error:
    """What is proved of one quantity.

    Attributes
    ----------
    quantity : Term
    value : Term
        The derivative of the loss by it: an array term, or the named quantity that stands for it.
    form : Term
        The same, written out once.
    proof : Calculation
    """

    quantity: Term
    value: Term
    form: Term
    proof: Calculation

    @property
    def theorem(self) -> Theorem:
        """The loss's derivative by the quantity, as a theorem."""
        return self.proof.theorem


class Backward:
    """The backward pass of one graph.

    Parameters
    ----------
    graph : Graph
    given : sequence of Term
        Equations that may be used.
    taken : iterable of str
        Names that mean something else.
    detail : int
        1 for one line a quantity, 2, or 3 with every unfinished result.
    """

    def __init__(self, graph: Graph, given: Sequence[Term] = (), taken: Iterable[str] = (), detail: int = 2) -> None:
        self.detail = detail
        self.graph, self.given = graph, tuple(given)
        self.names = set(names(graph.loss)) | set(taken)
        self.letters = Letters(self.names)
        self.read = Reader(graph.inlined)
        self.finish = Finisher(self.read, self.given)
        self.errors: dict[Term, Error] = {}
        self.vocabulary = self._vocabulary()

    # ---- the pass ----

    def run(self) -> list[Error]:
        """Return the errors of the quantities that the variable's derivative goes through, and its own last."""
        AUTHOR.set({t: n for n, t in enumerate(subterms(self.graph.loss)) if t.op in {"var", "let"}})
        order = self._needed()
        naming = len(order) > 2
        for quantity in order:
            self.errors[quantity] = self._error(quantity, naming and quantity is not self.graph.by)
        return [self.errors[quantity] for quantity in order]

    def _needed(self) -> list[Term]:
        """Return the quantities whose errors are needed, the loss's side first."""
        wanted: set[Term] = {self.graph.by}
        for quantity in [self.graph.by, *self.graph.kept]:
            if quantity in wanted and quantity is not self.graph.loss:
                wanted.update(q for q in self.graph.through(quantity) if q is not self.graph.loss)
        position = {q: n for n, q in enumerate(self.graph.kept)}
        return sorted(wanted, key=lambda q: -position.get(q, -1))

    def _error(self, quantity: Term, naming: bool) -> Error:
        places = self.letters.places(quantity.shape)
        through = self.graph.through(quantity)
        part = at(quantity, places)
        start = D(self.graph.loss, part)
        work = _Work(start)
        if through == [self.graph.loss]:
            form = self._direct(work, quantity, places)
        else:
            form = self._chained(work, quantity, places, through)
        array = self._result(work, form, places)
        self._inlined(work, array, places, quantity)
        array = array if work.array is None else work.array
        value, shown = array, array
        if naming and cost(array) > 1:
            value = self._named(quantity, array)
            work.add(at(value, places), [by(value)])
        if self.detail < 2:
            work.joined()
        return Error(quantity, value, shown, work.closed(D(self.graph.loss, quantity), value, places))

    def _named(self, quantity: Term, array: Term) -> Term:
        name = f"δ_{name_of(quantity)}" if name_of(quantity)[-1] not in _DIGITS else f"δ{_tail(name_of(quantity))}"
        if name in self.names:
            name = f"δ_{_ascii(name_of(quantity))}"
        while name in self.names:
            name += "′"
        self.names.add(name)
        return let(name, array)

    # ---- second derivatives, and of arrays ----

    def second(self, gradient: Error) -> Error:
        """Return the derivative of the gradient: the Hessian."""
        by = self.graph.by
        rows = self.letters.places(by.shape)
        columns = self.letters.places(by.shape, rows)
        part = at(by, columns)
        work = _Work(D(D(self.graph.loss, at(by, rows)), part))
        body = self.letters.dressed(component(gradient.value, rows), (*rows, *columns))
        work.add(D(body, part), [use(gradient.theorem, "the gradient")])
        return self._of_body(work, push(component(gradient.value, rows)), (*rows, *columns), len(rows))

    def along(self, gradient: Error, direction: Term) -> Error:
        """Return the derivative of the gradient's product with a direction: the Hessian times it."""
        by, loss = self.graph.by, self.graph.loss
        inner = self.letters.places(by.shape)
        columns = self.letters.places(by.shape, inner)
        part = at(by, columns)
        start = D(Σ(D(loss, at(by, inner)) * at(direction, inner), *inner), part)
        work = _Work(start)
        body = Σ(
            self.letters.dressed(component(gradient.value, inner), (*inner, *columns)) * at(direction, inner), *inner
        )
        work.add(D(body, part), [use(gradient.theorem, "the gradient")])
        return self._of_body(work, push(body), columns, 0)

    def whole(self) -> Error:
        """Return the derivative of an array by the variable: the Jacobian."""
        value, variable = self.graph.loss, self.graph.by
        AUTHOR.set({t: n for n, t in enumerate(subterms(value)) if t.op in {"var", "let"}})
        rows = self.letters.places(value.shape)
        columns = self.letters.places(variable.shape, rows)
        part = at(variable, columns)
        work = _Work(D(at(value, rows), part))
        body = push(component(value.args[0], rows))
        form = self.read(body)
        folded = self.letters.dressed(written(form), (*rows, *columns))
        names_ = (value, *self._used(value))
        if not work.add(D(folded, part), [by(*names_), *self._folding(body, folded)], optional=True):
            work.add(D(self.letters.dressed(body, (*rows, *columns)), part), [by(value)])
        return self._of_body(work, body, (*rows, *columns), len(rows))

    def _of_body(self, work: _Work, body: Term, places: tuple[Term, ...], rows: int) -> Error:
        by = self.graph.by
        form = Differentiator(by, places[rows:], self.read).form(self.read(body))
        between = self._between_body(body, by)
        done = self._differentiated(work, form, between, places)
        array = self._result(work, done, places)
        start = work.start.args[0]
        left = D(start if not rows else _whole_of(start), by)
        return Error(by, array, array, work.closed(left, array, places))

    def _between_body(self, body: Term, quantity: Term) -> list[Term]:
        return [t for t in subterms(body) if t.op == "let" and (occurs(quantity, t) or t in self.graph.inlined)]

    # ---- the two ways of beginning ----

    def _direct(self, work: _Work, quantity: Term, places: tuple[Term, ...]) -> Form:
        """The loss is a function of the quantity without kept ones between, or through what may be looked into."""
        loss = self.graph.loss
        part = at(quantity, places)
        form = self.read(component(loss.args[0], ()))
        folded = self.letters.dressed(written(form), places)
        between = self._between([loss], quantity)
        names_ = (loss, *self._used(loss))
        if not work.add(D(folded, part), [by(*names_), *self._folding(push(loss.args[0]), folded)], optional=True):
            unfolded = self.letters.dressed(push(loss.args[0]), places)
            form = self.read(push(loss.args[0]))
            work.add(D(unfolded, part), [by(loss)])
        return self._differentiated(work, Differentiator(quantity, places, self.read).form(form), between, places)

    def _chained(self, work: _Work, quantity: Term, places: tuple[Term, ...], through: Sequence[Term]) -> Form:
        loss, part = self.graph.loss, at(quantity, places)
        first: list[Term] = []
        second: list[Term] = []
        result: list[Form] = []
        for q in through:
            inner = self.letters.places(q.shape, places)
            error = self.errors[q]
            value = self.letters.dressed(component(error.value, inner), (*inner, *places))
            body = component(q.args[0], inner)
            first.append(Σ(D(loss, at(q, inner)) * D(at(q, inner), part), *inner))
            local = D(self.letters.dressed(body, (*inner, *places)), part)
            second.append(Σ(value * local, *inner))
            slope = Differentiator(quantity, places, self.read).form(self.read(body))
            product = times(self.read(push(value)) if error.value.op != "let" else single(push(value)), slope)
            for symbol in reversed(inner):
                product = summed(symbol, product, self.read)
            result.append(product)
        work.add(reduce(lambda a, b: a + b, first), [chain_through(*through)])
        rules = [adjoint_rule(self.errors[q].theorem) for q in through]
        work.add(reduce(lambda a, b: a + b, second), [*rules, by(*through)])
        between = self._between(through, quantity)
        return self._differentiated(work, added(*result), between, places)

    def _differentiated(self, work: _Work, form: Form, between: Sequence[Term], places: tuple[Term, ...]) -> Form:
        """The line on which no derivative is left, before anything is put in order."""
        raw = self.letters.dressed(self.finish.shown(form), places)
        work.between = tuple(between)
        done = self.finish(form)
        much = LONG if self.detail < 3 else 4 * LONG
        if self.detail > 1 and cost(raw) <= much and (self.detail > 2 or cost(raw) > cost(self.finish.shown(done))):
            work.add(raw, self._rules(work.last, raw, between), optional=True)
        return done

    # ---- the end ----

    def _result(self, work: _Work, form: Form, places: tuple[Term, ...]) -> Term:
        """The last line of indices, in the order of summation of the array that it will be read as."""
        shown = self.finish.shown(form)
        array = self._worded(raised(shown, places))
        array = self.letters.dressed(array, places)
        target = self.letters.dressed(component(array, places) if places else push(array), places)
        rules = self._rules(work.last, target, work.between)
        if not work.add(target, rules, optional=True):
            plain = self.letters.dressed(shown, places)
            if not work.add(plain, self._rules(work.last, plain, work.between), optional=True):
                raise DeriverError(
                    f"the derivative by {self.graph.by} could be computed, and no rules were found that prove it: "
                    f"from {work.last} to {plain}",
                    work.last,
                )
            if not work.add(target, [distribution, linearity], optional=True):
                array = Term("array", (*places, plain)) if places else plain
        return self._unrooted(work, form, array, places)

    def _unrooted(self, work: _Work, form: Form, array: Term, places: tuple[Term, ...]) -> Term:
        """A line on which (√u)² is u."""
        without = self.finish.unrooted(form)
        if without == form:
            return array
        whole = self.letters.dressed(self._worded(raised(self.finish.shown(without), places)), places)
        target = self.letters.dressed(component(whole, places) if places else push(whole), places)
        return whole if work.add(target, [root_of_square, linearity], optional=True) else array

    def _inlined(self, work: _Work, array: Term, places: tuple[Term, ...], quantity: Term) -> None:
        """A single short quantity that was named here is written out again: Xᵀ(σ(Xw) − y), and not with z."""
        own = [q for q in self.graph.own if q in set(subterms(array))]
        if quantity is not self.graph.by or len(self.graph.own) != 1 or not own or cost(own[0].args[0]) > 9:
            return
        whole = substitute(array, {own[0]: own[0].args[0]})
        target = self.letters.dressed(component(whole, places) if places else push(whole), places)
        if work.add(target, [by(own[0])], optional=True):
            work.array = whole

    def _worded(self, array: Term) -> Term:
        """The author's names for what is looked through: h where relu(z) stands."""
        for definition, quantity in self.vocabulary:
            array = _replaced(array, definition, quantity)
        return array

    def _vocabulary(self) -> list[tuple[Term, Term]]:
        found: list[tuple[Term, Term]] = []
        own = {*self.graph.kept[:-1]} - self.graph.own
        for quantity in sorted(self.graph.inlined | own, key=lambda q: q.serial):
            places = self.letters.places(quantity.shape)
            try:
                definition = raised(written(self.read(component(quantity.args[0], places))), places)
            except DeriverError:
                continue
            for known, other in found:
                definition = _replaced(definition, known, other)
            if definition.op in {"app", "rows", "reduce", "div", "sumax"}:
                found.append((definition, quantity))
        return found

    # ---- reasons ----

    def _used(self, quantity: Term) -> tuple[Term, ...]:
        """Return the quantities that are looked through in a definition."""
        found: list[Term] = []
        stack = [quantity.args[0]]
        seen: set[Term] = set()
        while stack:
            term = stack.pop()
            if term in seen:
                continue
            seen.add(term)
            if term.op == "let":
                if term not in self.graph.inlined:
                    continue
                found.append(term)
            stack.extend(term.args)
        return tuple(sorted(found, key=lambda q: q.serial))

    def _between(self, through: Sequence[Term], quantity: Term) -> list[Term]:
        """Return the quantities that are unfolded when the local derivatives are taken."""
        found: list[Term] = []
        stack = [q.args[0] for q in through]
        seen: set[Term] = set()
        while stack:
            term = stack.pop()
            if term in seen or term is quantity:
                continue
            seen.add(term)
            if term.op == "let":
                if not occurs(quantity, term) and term not in self.graph.inlined:
                    continue
                found.append(term)
            stack.extend(term.args)
        return sorted(found, key=lambda q: q.serial)

    def _folding(self, before: Term, after: Term) -> list[Reason]:
        seen = self._symbols(before, after)
        rules: list[Reason] = []
        if "tanh" in seen and not self._has(after, "tanh"):
            rules.append(tanh_as_sigmoid())
        if seen & {"exp", "log", "σ", "softplus", "log1p", "softmax", "logsumexp", "log_softmax"}:
            rules.append(exponentials)
        if "squared_norm" in seen:
            rules.append(by("squared_norm"))
        if "sqrt" in seen:
            rules.append(root_of_square)
        return [*rules, linearity]

    def _has(self, term: Term, name: str) -> bool:
        return name in self._symbols(term)

    def _symbols(self, *terms: Term) -> set[str]:
        return {str(p.data) for t in terms for p in self._parts(t) if p.op in {"app", "rows", "reduce"}}

    def _parts(self, term: Term) -> set[Term]:
        """Return the parts of a term, looking into the quantities that are looked through."""
        seen: set[Term] = set()
        stack = [term]
        while stack:
            part = stack.pop()
            if part in seen:
                continue
            seen.add(part)
            if part.op == "let" and part not in self.graph.inlined and part not in self._open:
                continue
            stack.extend(part.args)
        return seen

    _open: frozenset[Term] = frozenset()

    def _rules(self, before: Term, after: Term, between: Sequence[Term]) -> list[Reason]:
        """Return every reason that the differentiation and the form may need; the line keeps what it needs."""
        self._open = frozenset(between)
        parts = self._parts(before) | self._parts(after)
        symbols = {str(p.data) for p in parts if p.op in {"app", "rows", "reduce"}}
        ops = {p.op for p in parts}
        lets = [q for q in between if q in parts]
        words = [q for _, q in self.vocabulary if q in parts and q not in lets]
        rules: list[Reason] = []
        if lets or words:
            rules.append(by(*lets, *words))
        rules += [linearity, sift, *self._of_operators(ops), *self._of_symbols(symbols, parts)]
        rows = {p.args[0] for p in parts if p.op == "rows" and p.args[0].op == "let"}
        rows |= {t for p in parts if p.op == "reduce" for t in self._let_in(p.args[0])}
        if rows & set(between):
            rules.insert(0, through_rows(*sorted(rows & set(between), key=lambda q: -q.serial)))
        rules += [given(formula) for formula in self.given if _own_variables(formula) <= parts]
        if self._symbols(*lets, *words) & {"exp", "log", "log1p"}:
            rules.append(exponentials)
        return rules

    @staticmethod
    def _of_operators(ops: set[str]) -> list[Reason]:
        rules: list[Reason] = []
        for op, reason in (
            ("mul", product_rule),
            ("pow", product_rule),
            ("div", reciprocal_rule),
            ("div", quotient_rule),
            ("pow", power_rule),
        ):
            if op in ops and reason not in rules:
                rules.append(reason)
        for op, reason in (("inv", inverse_rule), ("det", determinant_rule)):
            if op in ops:
                rules.append(reason)
        return rules

    def _of_symbols(self, symbols: set[str], parts: set[Term]) -> list[Reason]:
        rules = [derivative(name) for name in sorted(symbols) if name in SYMBOLS and SYMBOLS[name].derivatives]
        if "squared_norm" in symbols:
            rules.append(by("squared_norm"))
        if "relu" in symbols:  # whose derivative the notation writes with the sign
            rules += [step_rule, derivative("sign")]
        if "σ" in symbols:
            rules.append(mirror())
        if "log_softmax" in symbols:
            rules += [log_softmax_difference(leading) for leading in self._ranks(parts)]
        if "softmax" in symbols:
            rules += [softmax_jacobian(leading) for leading in self._ranks(parts)]
        if symbols & {"logsumexp", "log_softmax"}:
            rules += [logsumexp_gradient(leading) for leading in self._ranks(parts)]
        return rules

    @staticmethod
    def _let_in(argument: Term) -> list[Term]:
        base = argument.args[-1].args[0] if argument.op == "array" and argument.args[-1].op == "at" else argument
        return [base] if base.op == "let" else []

    @staticmethod
    def _ranks(parts: set[Term]) -> list[int]:
        """Return the numbers of leading axes of what softmax or log-sum-exp is taken of."""
        found = {len(p.args[0].shape) - 1 for p in parts if p.op == "rows"}
        for p in parts:
            if p.op == "reduce" and p.args[0].op == "array":
                base = p.args[0].args[-1]
                found.add(len(base.args) - 2 if base.op == "at" else 0)
            elif p.op == "reduce":
                found.add(0)
        return sorted(n for n in found if 0 <= n <= 3)


class _Work:
    """A proof as it grows."""

    def __init__(self, start: Term) -> None:
        self.start, self.last = start, start
        self.theorem = core.reflexivity(start)
        self.lines: list[Line] = []
        self.between: tuple[Term, ...] = ()
        self.array: Term | None = None

    def add(self, target: Term, reasons: Sequence[Reason], *, optional: bool = False) -> bool:
        """Add a line; tell whether it follows. A line that is the one before is not added."""
        if push(self.last) is push(target):
            return True
        found = line(self.last, target, reasons)
        if found is None:
            if optional:
                return False
            listed = ", ".join(map(repr, reasons))
            raise DeriverError(f"no proof was found for {self.last} = {target} by {listed}", self.last)
        self.theorem = core.transitivity(self.theorem, found.theorem)
        self.lines.append(found)
        self.last = target
        return True

    def joined(self) -> None:
        """Make the lines one, with all their reasons."""
        if len(self.lines) > 1:
            reasons = tuple(dict.fromkeys(reason for one in self.lines for reason in one.reasons))
            self.lines = [Line(self.start, self.last, "=", reasons, self.theorem)]

    def closed(self, left: Term, value: Term, places: tuple[Term, ...]) -> Calculation:
        """Read the chain as an equation between arrays."""
        if not places:
            if self.last is not value:
                self.add(value, [])
            return Calculation(self.start, self.theorem, tuple(self.lines))
        theorem = self.theorem
        target = component(value, places)
        if push(theorem.rhs) is not target:
            step = proved(theorem.rhs, target, []) or proved(theorem.rhs, target, [linearity])
            if step is None:
                raise ProofError(f"{theorem.rhs} is not the component of {value}")
            theorem = core.transitivity(theorem, step)
        whole = core.extensionality(theorem, left, value, *places)
        last = Line(left, value, "=", (), whole, raised=True)
        return Calculation(self.start, whole, (*self.lines, last))


def _own_variables(formula: Term) -> set[Term]:
    """Return what a formula speaks of, named quantities not opened."""
    if formula.op in {"var", "let"}:
        return {formula}
    return set[Term]().union(*map(_own_variables, formula.args))


def _whole_of(component_: Term) -> Term:
    """Return the array whose component at the indices a term is: L by w for L by w[i]."""
    if component_.op == "D":
        return D(
            component_.args[0], component_.args[1].args[0] if component_.args[1].op == "at" else component_.args[1]
        )
    return component_.args[0] if component_.op == "at" else component_


def _replaced(term: Term, old: Term, new: Term) -> Term:
    """Replace a part of a term, not looking into definitions."""
    if term is old:
        return new
    if term.op in {"let", "var"} or not term.args:
        return term
    args = tuple(_replaced(arg, old, new) if arg.op != "idx" else arg for arg in term.args)
    return term if args == term.args else Term(term.op, args, term.data)


_DIGITS = "₀₁₂₃₄₅₆₇₈₉"


def _tail(name: str) -> str:
    return name[len(name.rstrip(_DIGITS)) :]


def _ascii(name: str) -> str:
    return name.translate(str.maketrans(_DIGITS, "0123456789")).replace("_", "")
