"""Reverse mode over named quantities: the error of each, from the errors of what it goes through, line by line.

For every quantity q that is kept, a theorem ∂L/∂q = δ_q is proved: the chain rule through the next quantities, their
errors, the local derivative by rules, and last the form that is printed. The search for that form may end anywhere; a
line is there only if its reasons lead to it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import reduce
from heapq import heappop, heappush

from derive.deriver.algebra import (
    AUTHOR,
    DeriverError,
    Differentiator,
    Form,
    added,
    at_first,
    cost,
    single,
    summed,
    times,
    written,
)
from derive.deriver.finishing import Finisher, separated
from derive.deriver.folding import Reader
from derive.deriver.graph import Graph, free_name, is_deviation
from derive.deriver.lemmas import (
    all_factors,
    any_row,
    known_factor,
    log_of_product,
    log_softmax_difference,
    logsumexp_gradient,
    mirror,
    own_row,
    softmax_jacobian,
    tanh_as_sigmoid,
)
from derive.deriver.letters import Letters
from derive.deriver.naming import Naming, Residuals, leaves
from derive.deriver.proving import (
    NEEDED,
    adjoint_rule,
    cancelling,
    distribution,
    exponentials,
    line,
    linear_outside_roots,
    of_numbers,
    power_of_product,
    proved,
    quotient_as_product,
    slope_rule,
    sqrt_derivative,
    through_rows,
)
from derive.deriver.proving import through as chain_through
from derive.deriver.raising import raised
from derive.language.array import component, push
from derive.language.notation import SYMBOLS
from derive.language.term import ZERO, Σ, D, Term, at, free, let, name_of, names, occurs, substitute, subterms  # noqa: PLC2403 - the sum's own sign
from derive.logic import theorem as core
from derive.logic.calc import Calculation, Line
from derive.logic.context import ProofError
from derive.logic.facts import NONE, harvest
from derive.logic.rules.reasons import (
    Reason,
    by,
    derivative,
    determinant_rule,
    given,
    inverse_rule,
    linearity,
    max_rule,
    power_rule,
    product_over_rule,
    product_rule,
    quotient_rule,
    reciprocal_rule,
    root_of_square,
    sift,
    step_rule,
    use,
    where_equal,
)
from derive.logic.theorem import Theorem

FEW = 4  # named quantities: with more, each has its derivative by itself in a second derivative
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
        self.finish = Finisher(Reader(), self.given)
        AUTHOR.set({t: n for n, t in enumerate(subterms(graph.loss)) if t.op in {"var", "let"}})
        self.name = Naming(self._nameable(), graph.inlined)
        self.residuals = Residuals(graph.loss)
        self.errors: dict[Term, Error] = {}
        NEEDED.set({})
        self.slopes: dict[Term, Error] = {}
        self.rows: dict[Term, Term] = {}
        self.vocabulary = self._vocabulary()

    # ---- the pass ----

    def run(self) -> list[Error]:
        """Return the errors of the quantities that the variable's derivative goes through, and its own last."""
        AUTHOR.set({t: n for n, t in enumerate(subterms(self.graph.loss)) if t.op in {"var", "let"}})
        order = self._needed()
        naming = len(order) > 2
        for quantity in order:
            self.errors[quantity] = self._error(quantity, naming and quantity is not self.graph.by)
        if len(order) == 2 and self._repeats(*order):
            for quantity in order:
                self.errors[quantity] = self._error(quantity, quantity is not self.graph.by)
        return [self.errors[quantity] for quantity in order]

    def _repeats(self, quantity: Term, by: Term) -> bool:
        """Tell whether all of an error stands in the gradient more than once, so that it had better have a name."""
        error, gradient = (_counted(self.errors[q].value) for q in (quantity, by))
        return len(error) > 1 and all(gradient[t] > error[t] for t in error)

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
        array = self._with_rows_named(work, array if work.array is None else work.array, places)
        value, shown = array, array
        if naming and cost(array) > 1:
            value = self._named(quantity, array)
            work.add(at(value, places), [by(value)])
        if self.detail < 2:
            work.joined()
        return Error(quantity, value, shown, work.closed(D(self.graph.loss, quantity), value, places))

    def _named(self, quantity: Term, array: Term, letter: str = "δ") -> Term:
        own = accented(name_of(quantity))
        name = f"{letter}_{own}" if own[-1] not in _DIGITS else f"{letter}{_tail(own)}"
        if name in self.names:
            name = f"{letter}_{_ascii(own)}"
        while name in self.names:
            name += "′"
        self.names.add(name)
        return let(name, array)

    # ---- second derivatives, and of arrays ----

    def forward(self, value: Term) -> list[Error]:
        """Prove the derivatives of the named quantities that a value goes through, where these are many."""
        variable = self.graph.by
        found = [t for t in subterms(value) if t.op == "let" and occurs(variable, t) and t not in self.graph.inlined]
        for quantity in found if len(found) > FEW else ():
            self.slopes[quantity] = self._slope(quantity)
        return list(self.slopes.values())

    def _slope(self, quantity: Term) -> Error:
        variable = self.graph.by
        places = self.letters.places(quantity.shape)
        columns = self.letters.places(variable.shape, places)
        part = at(variable, columns)
        work = _Work(D(at(quantity, places), part))
        body = push(component(quantity.args[0], places))
        work.add(D(self.letters.dressed(body, (*places, *columns)), part), [by(quantity)])
        return self._of_body(work, body, (*places, *columns), len(places), quantity)

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

    def _of_body(
        self, work: _Work, body: Term, places: tuple[Term, ...], rows: int, quantity: Term | None = None
    ) -> Error:
        by = self.graph.by
        known = {q: error.value for q, error in self.slopes.items()}
        form = Differentiator(by, places[rows:], self.read, known).form(self.read(body))
        between = self._between_body(body, by)
        done = self._differentiated(work, form, between, places)
        array = self._result(work, done, places)
        if quantity is None:
            self._inlined(work, array, places, by)
            array = array if work.array is None else work.array
        value = array
        if quantity is not None:
            value = self._named(quantity, array, "J")
            work.add(at(value, places), [_definition(value)])
        start = work.start.args[0]
        left = D(start if not rows else _whole_of(start), by)
        return Error(by if quantity is None else quantity, value, array, work.closed(left, value, places))

    def _between_body(self, body: Term, quantity: Term) -> list[Term]:
        """Return the quantities that are unfolded, up to those whose derivatives are known."""
        found: list[Term] = []
        stack, seen = [body], set[Term]()
        while stack:
            term = stack.pop()
            if term in seen or term in self.slopes:
                continue
            seen.add(term)
            if term.op == "let" and (occurs(quantity, term) or term in self.graph.inlined):
                found.append(term)
            stack.extend(term.args)
        return sorted(found, key=lambda q: q.serial)

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
        work.add(reduce(lambda a, b: a + b, second), [*rules, by(*through)], all_needed=True)
        between = self._between(through, quantity)
        return self._differentiated(work, added(*result), between, places)

    def _differentiated(self, work: _Work, form: Form, between: Sequence[Term], places: tuple[Term, ...]) -> Form:
        """The line on which no derivative is left, before anything is put in order."""
        form = at_first(form, places, self.read)
        raw = self.letters.dressed(self.finish.shown(form), places)
        work.between = tuple(between)
        done = self._shortest(form)
        much = LONG if self.detail < 3 else 4 * LONG
        if self.detail > 1 and cost(raw) <= much and (self.detail > 2 or cost(raw) > cost(self.finish.shown(done))):
            rules = self._rules(work.last, raw, between)
            any(work.add(raw, tried, optional=True) for tried in self._ways(rules)[:2])
        return done

    # ---- the end ----

    def _shortest(self, form: Form) -> Form:
        """Return a form finished, in names where it is shorter so and defined wherever it is without them."""
        plain = self.finish(form)
        named = [self.name(form), self.name(plain)]
        named = [separated(found) for found in named if found not in (form, plain)]
        plain, named = separated(plain), [*named, *(separated(self.finish(found)) for found in named)]
        met = harvest(self.finish.shown(plain)) if named else NONE
        candidates = [*(found for found in named if harvest(self.finish.shown(found)) <= met), plain]
        return self.residuals.gathered(min(candidates, key=lambda found: cost(self.finish.shown(found))))

    def _nameable(self) -> list[Term]:
        """Return the named quantities that a result is written in; softmax of a variable is as short as a name."""
        found = [t for t in subterms(self.graph.loss) if t.op == "let" and t is not self.graph.loss]
        short = {t for t in self.graph.own if t.args[0].op == "rows" and t.args[0].args[0].op == "var"}
        return [t for t in found if t not in short]

    def _result(self, work: _Work, form: Form, places: tuple[Term, ...]) -> Term:
        """The last line of indices, in the order of summation of the array that it will be read as."""
        shown = self.finish.shown(form)
        array = self._worded(raised(shown, places))
        array = self.letters.dressed(array)
        target = self.letters.dressed(component(array, places) if places else push(array), places)
        rules = self._rules(work.last, target, work.between)
        found, centred = [rules], self._centred(work.last, target)
        if centred:
            held = {quantity for quantity, _ in self.name.centred}
            found = [[*centred, *self._rules(work.last, target, work.between, held)], rules, [*centred, *rules]]
        if not any(work.add(target, tried, optional=True) for rules in found for tried in self._ways(rules)):
            plain = self.letters.dressed(shown, places)
            rules = self._rules(work.last, plain, work.between)
            ways = [*self._ways(rules), *self._more(rules, work.last, plain), *self._by_rows(rules, work.last, plain)]
            if not any(work.add(plain, tried, optional=True) for tried in ways):
                raise DeriverError(
                    f"the derivative by {self.graph.by} could be computed, and no rules were found that prove it: "
                    f"from {work.last} to {plain}",
                    work.last,
                )
            if not work.add(target, [distribution, linearity, own_row], optional=True):
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
        own = [*self.graph.own]
        if quantity is not self.graph.by or len(own) != 1 or not occurs(own[0], array) or cost(own[0].args[0]) > 9:
            return
        if is_deviation(own[0].args[0]):
            return
        whole = substitute(array, {own[0]: own[0].args[0]})
        target = self.letters.dressed(component(whole, places) if places else push(whole), places)
        if work.add(target, [by(own[0])], optional=True):
            work.array = whole

    def _with_rows_named(self, work: _Work, array: Term, places: tuple[Term, ...]) -> Term:
        """Softmax of what has a name only here is named too: the responsibilities of a mixture, attention weights."""
        rows_of = (t for t in self._parts(array) if t.op == "rows" and t.data == "softmax")
        found = [t for t in rows_of if t.args[0] in self.graph.own]
        for rows in found:
            if rows not in self.rows:
                name = free_name("p" if len(rows.shape) < 2 else "P", self.names)
                self.names.add(name)
                self.rows[rows] = let(name, rows)
            array = replaced(array, rows, self.rows[rows])
        target = self.letters.dressed(component(array, places) if places else push(array), places)
        if found:
            work.add(target, [by(*(self.rows[rows] for rows in found))])
        return array

    def _worded(self, array: Term) -> Term:
        """The author's names for what is looked through: h where relu(z) stands."""
        return self.vocabulary.put(array)

    def _vocabulary(self) -> _Words:
        found = _Words()
        own = {*self.graph.kept[:-1]} - self.graph.own
        for quantity in sorted(self.graph.inlined | own, key=lambda q: q.serial):
            places = self.letters.places(quantity.shape)
            try:
                definition = raised(written(self.read(component(quantity.args[0], places))), places)
            except DeriverError:
                continue
            definition = found.put(definition)
            if definition.op in {"app", "rows", "reduce", "div", "sumax"}:
                found.add(definition, quantity)
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

    def _centred(self, *sides: Term) -> list[Reason]:
        """Return the reasons that deviations from a mean add up to nothing, each a lemma."""
        parts = set[Term]().union(*map(self._parts, sides))
        rules: list[Reason] = []
        for quantity, axis in sorted(self.name.centred, key=lambda pair: (pair[0].serial, pair[1])):
            if quantity in parts:
                places = self.letters.places(quantity.shape)
                opened = [t for t in subterms(quantity) if t.op == "let"]
                total = Σ(at(quantity, places), places[axis])
                theorem = proved(total, ZERO, [by(*opened), linear_outside_roots])
                rules += [use(theorem, "deviations from a mean add up to nothing")] if theorem is not None else []
        return rules

    def _rules(self, before: Term, after: Term, between: Sequence[Term], held: Iterable[Term] = ()) -> list[Reason]:
        """Return every reason that the differentiation and the form may need; the line keeps what it needs.

        `held`: quantities that are not opened.
        """
        self._open = frozenset(between)
        parts = self._parts(before) | self._parts(after)
        symbols = {str(p.data) for p in parts if p.op in {"app", "rows", "reduce"}}
        ops = {p.op for p in parts}
        parts -= {*held}
        lets = [q for q in between if q in parts]
        words = [q for q in self.name.quantities if q in parts and q not in {*lets, *self.slopes}]
        rules: list[Reason] = []
        if lets or words:
            rules.append(by(*lets, *words))
        rules += [linearity, sift, *self._of_operators(ops), *self._of_symbols(symbols, parts)]
        rows = {p.args[0] for p in parts if p.op == "rows" and p.args[0].op == "let"}
        rows |= {t for p in parts if p.op == "reduce" for t in self._let_in(p.args[0])}
        if rows & {*between, *self.slopes}:
            rules.insert(0, through_rows(*sorted(rows & {*between, *self.slopes}, key=lambda q: -q.serial)))
        rules += [slope_rule(error.theorem) for q, error in self.slopes.items() if q in parts]
        rules += [given(formula) for formula in self.given if _own_variables(formula) <= parts]
        if self._symbols(*lets, *words) & {"exp", "log", "log1p"}:
            rules.append(exponentials)
        return rules

    @staticmethod
    def _ways(rules: Sequence[Reason]) -> list[Sequence[Reason]]:
        """Return rules with roots held closed, as they are, and without the laws of exponentials, opening too much."""
        closed = [linear_outside_roots if rule is linearity else rule for rule in rules]
        ways: list[Sequence[Reason]] = [closed, rules] if any(rule is sqrt_derivative for rule in rules) else [rules]
        fewer = [rule for rule in rules if rule is not exponentials]
        return ways if len(fewer) == len(rules) else [*ways, fewer]

    def _more(self, rules: Sequence[Reason], before: Term, after: Term) -> list[Sequence[Reason]]:
        """Return rules with some that are seldom needed, in two ways.

        Symbols of numbers are seen as exponentials, powers of products are spread, what stands beside [i = j] is taken
        at one of them, and fractions are cancelled or written as products.
        """
        seen = self._symbols(before, after)
        more = [tanh_as_sigmoid()] if "tanh" in seen else []
        if seen & {"tanh", "exp", "log", "σ", "softplus", "log1p"}:
            more += [of_numbers, *(derivative(name) for name in ("exp", "log") if name not in seen)]
        brackets = {p.args[1] for p in subterms(after) if p.op == "delta" and {*p.args} <= free(after)}
        more += [power_of_product, *map(where_equal, sorted(brackets, key=name_of))]
        return [[*more, cancelling, *rules], [*more, quotient_as_product, *rules]]

    def _by_rows(self, rules: Sequence[Reason], before: Term, after: Term) -> list[Sequence[Reason]]:
        """Return rules for rows that are no rows of a variable, which are opened after all that speaks of them."""
        if not any(p.op in {"rows", "reduce"} for p in self._parts(before) | self._parts(after)):
            return []
        named = [r for r in rules if len(r.words) > 1 and isinstance(r.words[1], Term)]
        opening = [r for start in ("chain rule through ", "definition of ") for r in named if r.words[0] == start]
        rest = [r for r in rules if r not in opening]
        brackets = {p.args[1] for p in subterms(after) if p.op == "delta" and {*p.args} <= free(after)}
        equal = [where_equal(symbol) for symbol in sorted(brackets, key=name_of)]
        return [[*rest, *opening], [own_row, any_row, *equal, *rest, *opening]]

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
        rules = [
            sqrt_derivative if name == "sqrt" else derivative(name)
            for name in sorted(symbols)
            if name in SYMBOLS and SYMBOLS[name].derivatives
        ]
        if "squared_norm" in symbols:
            rules.append(by("squared_norm"))
        if "relu" in symbols:  # whose derivative the notation writes with the sign
            rules += [step_rule, derivative("sign")]
        if symbols & {"max", "hardmax"}:
            rules.append(max_rule)
        if "norm" in symbols:
            rules.append(by("norm"))
        if symbols & {"prod", "prod_others"}:
            rules += [known_factor, by("prod"), *[log_of_product] * ("log" in symbols), product_over_rule, all_factors]
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


_definition = by  # in methods whose variable is called by


class _Work:
    """A proof as it grows."""

    def __init__(self, start: Term) -> None:
        self.start, self.last = start, start
        self.theorem = core.reflexivity(start)
        self.lines: list[Line] = []
        self.between: tuple[Term, ...] = ()
        self.array: Term | None = None

    def add(self, target: Term, reasons: Sequence[Reason], *, optional: bool = False, all_needed: bool = False) -> bool:
        """Add a line; tell whether it follows. A line that is the one before is not added."""
        if push(self.last) is push(target):
            return True
        found = line(self.last, target, reasons, all_needed=all_needed)
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


def _counted(term: Term) -> Counter[Term]:
    """Count variables and named quantities, these not opened."""
    if term.op in {"var", "let"}:
        return Counter((term,))
    return sum(map(_counted, term.args), Counter[Term]())


def _whole_of(component_: Term) -> Term:
    """Return the array whose component at the indices a term is: L by w for L by w[i]."""
    if component_.op == "D":
        return D(
            component_.args[0], component_.args[1].args[0] if component_.args[1].op == "at" else component_.args[1]
        )
    return component_.args[0] if component_.op == "at" else component_


class _Words:
    """What quantities were defined as, and the quantities, which are put for it one after the other."""

    def __init__(self) -> None:
        self.known: list[tuple[Term, Term]] = []
        self.under: dict[Term, list[int]] = {}  # the youngest thing that a definition is written with

    def add(self, definition: Term, quantity: Term) -> None:
        youngest = max(leaves(definition), key=lambda leaf: leaf.serial)
        self.under.setdefault(youngest, []).append(len(self.known))
        self.known.append((definition, quantity))

    def put(self, array: Term) -> Term:
        waiting = sorted({n for leaf in leaves(array) for n in self.under.get(leaf, ())})
        while waiting:
            n = heappop(waiting)
            after = replaced(array, *self.known[n])
            for later in self.under.get(self.known[n][1], ()) if after is not array else ():
                if later > n and later not in waiting:
                    heappush(waiting, later)
            array = after
        return array


def replaced(term: Term, old: Term, new: Term) -> Term:
    """Replace a part of a term, not looking into definitions."""
    if term is old:
        return new
    if term.op in {"let", "var"} or not term.args:
        return term
    args = tuple(replaced(arg, old, new) if arg.op != "idx" else arg for arg in term.args)
    return term if args == term.args else Term(term.op, args, term.data)


_DIGITS = "₀₁₂₃₄₅₆₇₈₉"


_ACCENTS = {"_hat": "\u0302", "_bar": "\u0304", "_tilde": "\u0303"}


def accented(name: str) -> str:
    """Return a name with its accent on its letter, and not on the one that it is put below: x_hat is x̂."""
    for word, accent in _ACCENTS.items():
        name = name.replace(word, accent)
    return name


def _tail(name: str) -> str:
    return name[len(name.rstrip(_DIGITS)) :]


def _ascii(name: str) -> str:
    return name.translate(str.maketrans(_DIGITS, "0123456789")).replace("_", "")
