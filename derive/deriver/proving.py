"""The reasons that the deriver gives, and the lemmas behind some of them. The core carries out what they plan.

A line is accepted when its reasons bring the old side and the new side to one form. So a search may end anywhere: what
it found is a line only if named rules lead to it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextvars import ContextVar
from functools import cache
from math import prod
from typing import Any

from derive.deriver.algebra import DeriverError, Form, expanded, flat, in_time, written
from derive.language.array import push
from derive.language.notation import SYMBOLS
from derive.language.term import Term, index, name_of, occurs, place, subterms
from derive.logic import theorem as core
from derive.logic.calc import Line
from derive.logic.context import ProofError, context
from derive.logic.facts import NONE, POSITIVE, require
from derive.logic.meaning import is_arithmetic, rationally_equal, whole
from derive.logic.rules import calculus, elementary, sums
from derive.logic.rules.reasons import (
    Reason,
    chain,
    derivative,
    linearity,
    power_rule,
    product_rule,
    quotient_rule,
    reciprocal_rule,
    sift,
)
from derive.logic.strategy import Move, Plan, Planned, agree, by_axiom, carry_out, everywhere, first, once, positions
from derive.logic.theorem import Theorem, algebra, componentwise, instantiate, reflexivity, step

Node = Callable[[Term], tuple[Term, Plan] | None]
ROUNDS = 12
LARGEST = 20_000  # products, beyond which two lines are not compared
STEPS = 3000


# ---- strategies of plans ---------------------------------------------------------------------------------------------


def sweeping(node: Node) -> Callable[[Term], tuple[Term, Plan]]:
    """Return the strategy that lets a rule act at every place, parts before wholes, until it applies nowhere."""

    def act(term: Term, fuel: list[int]) -> tuple[Term, Plan]:
        plan: list[Planned] = []
        for position in positions(term):
            around = context(term, position)
            inner, below = act(around.inner, fuel)
            if below:
                term = around.close("=", inner, NONE)[1]
                plan += [planned.below(position) for planned in below]
        found = node(term)
        if found is None:
            return term, tuple(plan)
        fuel[0] -= 1
        in_time()
        if fuel[0] < 0:
            raise ProofError("the laws of exponentials and logarithms go on for too long")
        again, more = act(found[0], fuel)
        return again, (*plan, *found[1], *more)

    return lambda term: act(term, [STEPS])


def _move(rule: Callable[[Term], Move | None]) -> Node:
    def node(term: Term) -> tuple[Term, Plan] | None:
        move = rule(term)
        return None if move is None else (move.after, (Planned((), move),))

    return node


def _first(nodes: Sequence[Node]) -> Node:
    def node(term: Term) -> tuple[Term, Plan] | None:
        return next((found for candidate in nodes if (found := candidate(term)) is not None), None)

    return node


def _rewritten_argument(term: Term, target: Term) -> tuple[Term, Plan] | None:
    """Write the argument of a function in another way that is equal by algebra."""
    (argument,) = term.args
    if argument is target or not rationally_equal(argument, target):
        return None
    return Term(term.op, (target,), term.data), (Planned((0,), Move(algebra, (target,), target)),)


# ---- exponentials and logarithms -------------------------------------------------------------------------------------

_LOGARITHM = by_axiom(elementary.log_product)
_EXPONENTIALS = [by_axiom(a) for a in (elementary.exp_log, elementary.exp_negative, elementary.exp_sum)]
_UNFOLDED = ("σ", "softplus", "log1p", "softmax", "log_softmax", "logsumexp")


def _exponential(term: Term) -> tuple[Term, Plan] | None:
    """e of a sum is a product, e of a negative a reciprocal, e of a logarithm what it is of."""
    if term.op != "app" or term.data != "exp" or term.shape:
        return None
    move = first(*_EXPONENTIALS)(term)
    if move is not None:
        return move.after, (Planned((), move),)
    if not is_arithmetic(term.args[0]):
        return None
    plain = written(_multiplied_out(flat(term.args[0])))
    return _rewritten_argument(term, plain) if plain.op in {"add", "sub", "neg"} or plain is not term.args[0] else None


def _multiplied_out(form: Form) -> Form:
    from derive.deriver.algebra import expanded

    try:
        return expanded(form)
    except DeriverError:
        return form


def _logarithm(term: Term) -> tuple[Term, Plan] | None:
    """log of a product or a quotient whose parts are known to be positive."""
    if term.op != "app" or term.data != "log" or term.shape:
        return None
    argument = term.args[0]
    move = first(by_axiom(elementary.exp_log))(term)
    if move is None and _splits(argument):
        move = _LOGARITHM(term)
    if move is not None:
        return move.after, (Planned((), move),)
    if not is_arithmetic(argument) or argument.op == "num" or _splits(argument):
        return None
    together = _together(argument)
    return None if together is None else _rewritten_argument(term, together)


def _splits(argument: Term) -> bool:
    if argument.op in {"mul", "div"}:
        return all(not require(POSITIVE, part) for part in argument.args)
    if argument.op == "pow":
        return not require(POSITIVE, argument.args[0])
    return argument.op == "num" and argument.data == 1


def _together(term: Term) -> Term | None:
    """Return a sum as a quotient or a product, where it is one."""
    from derive.deriver.finishing import factored

    form = factored(flat(term))
    if form is None or len(form) != 1:
        return None
    ((monomial, coefficient),) = form.items()
    if coefficient < 0 or (len(monomial) == 1 and monomial[0][1] == 1 and coefficient == 1):
        return None
    result = written(form)
    return result if result.op in {"mul", "div"} and _splits(result) else None


def _laws(*unfolded: str) -> Reason:
    return Reason(
        ("laws of exponentials and logarithms",),
        sweeping(
            _first(
                [
                    *(_move(by_axiom(calculus.symbol_definition, name)) for name in unfolded),
                    _exponential,
                    _logarithm,
                ]
            )
        ),
    )


exponentials = _laws(*_UNFOLDED)
of_numbers = _laws("σ", "softplus", "log1p")  # the same, where softmax stays what it is


def _spread(term: Term) -> Move | None:
    """(u·v)ⁿ = uⁿ·vⁿ and (u/v)ⁿ = uⁿ/vⁿ, by algebra."""
    if term.op != "pow" or whole(term.args[1]) is None or term.args[0].op not in {"mul", "div", "neg"}:
        return None
    (base, power), n = term.args, whole(term.args[1]) or 0
    if base.op == "neg":
        target = base.args[0] ** power if n % 2 == 0 else -(base.args[0] ** power)
    else:
        target = Term(base.op, tuple(arg**power for arg in base.args))
    return Move(algebra, (target,), target)


power_of_product = Reason(("power of a product",), everywhere(_spread))


def _parted(term: Term) -> Move | None:
    """u/v = u·(1/v), by algebra: where the product rule leaves v alone, the rule for quotients would multiply by it."""
    if term.op != "div" or term.shape or term.args[0].op == "num":
        return None
    target = term.args[0] * (1 / term.args[1])
    return Move(algebra, (target,), target)


quotient_as_product = Reason(("a quotient as a product",), everywhere(_parted))


def _cancel(term: Term) -> Move | None:
    """(a·v + b)/v² = a/v + b/v², by algebra."""
    if term.op != "div" or term.shape:
        return None
    try:
        target = written(expanded(flat(term)))
    except DeriverError:
        return None
    return Move(algebra, (target,), target) if target is not term and rationally_equal(term, target) else None


cancelling = Reason(("cancel",), everywhere(_cancel))


# ---- sums ------------------------------------------------------------------------------------------------------------


def _prenex(term: Term) -> tuple[Term, Plan]:
    """Every product of sums as one sum of products."""
    term, linear = everywhere(first(by_axiom(sums.sift), by_axiom(sums.linear)))(term)
    term, out = everywhere(by_axiom(sums.product_of_sums))(term)
    return term, (*linear, *out)


distribution = Reason(("sums of products",), _prenex)


sqrt_derivative = derivative("sqrt")


def _outside_roots(rule: Callable[[Term], Move | None]) -> Callable[[Term], tuple[Term, Plan]]:
    """Let a rule act everywhere but below roots: what is multiplied out there is not seen to be positive any more."""

    @cache
    def act(term: Term) -> tuple[Term, Plan]:
        plan: list[Planned] = []
        changed = term.op != "app" or term.data != "sqrt"
        while changed:
            changed = False
            while (move := rule(term)) is not None:
                plan.append(Planned((), move))
                term = move.after
            for position in positions(term):
                around = context(term, position)
                inner, below = act(around.inner)
                if below:
                    term = around.close("=", inner, NONE)[1]
                    plan += [planned.below(position) for planned in below]
                    changed = True
        return term, tuple(plan)

    return act


_LINEAR = (calculus.d_constant, calculus.d_variable, calculus.d_sum_of_two, calculus.d_factor, calculus.d_sum)
linear_outside_roots = Reason(linearity.words, _outside_roots(first(*map(by_axiom, (*_LINEAR, sums.linear)))))


# ---- what a line may need --------------------------------------------------------------------------------------------


def rules_for(*terms: Term) -> list[Reason]:
    """Return the rules of differentiation that terms may need, by the symbols that occur in them."""
    found = [linearity, sift]
    seen = {part for term in terms for part in subterms(push(term) if not term.shape else term)}
    symbols = {str(part.data) for part in seen if part.op == "app"}
    ops = {part.op for part in seen}
    if "mul" in ops:
        found.append(product_rule)
    if "div" in ops:
        found += [reciprocal_rule, quotient_rule]
    if "pow" in ops:
        found.append(power_rule)
    found += [derivative(name) for name in sorted(symbols) if SYMBOLS[name].derivatives]
    return found


def adjoint_rule(theorem: Theorem) -> Reason:
    """Return the reason that uses D(L, q) = δ at every component of q, and nowhere else."""
    left = theorem.lhs
    base, _ = place(left.args[1])

    def rule(term: Term) -> Move | None:
        if term.op != "D" or term.args[0] is not left.args[0] or place(term.args[1])[0] is not base or term.shape:
            return None
        places = place(term.args[1])[1]
        used = componentwise(theorem, *_fresh(theorem)) if theorem.lhs.shape else theorem
        changes = [(old, new) for old, new in zip(_fresh(theorem), places, strict=True) if old is not new]
        instance = instantiate(used, *changes) if changes else used
        return Move(step, (instance,), push(instance.rhs))

    return Reason(("error at ", base), everywhere(rule), theorem=theorem)


def slope_rule(theorem: Theorem) -> Reason:
    """Return the reason that uses D(q, w) = J at every component of q and of w, and nowhere else."""
    quantity, variable = theorem.lhs.args

    def rule(term: Term) -> Move | None:
        if term.op != "D" or term.shape:
            return None
        (one, rows), (other, columns) = place(term.args[0]), place(term.args[1])
        if one is not quantity or other is not variable:
            return None
        used = componentwise(theorem, *_fresh(theorem)) if theorem.lhs.shape else theorem
        changes = [(old, new) for old, new in zip(_fresh(theorem), (*rows, *columns), strict=True) if old is not new]
        instance = instantiate(used, *changes) if changes else used
        return Move(step, (instance,), push(instance.rhs))

    return Reason(("derivative of ", quantity), everywhere(rule), theorem=theorem)


def _fresh(theorem: Theorem) -> tuple[Term, ...]:
    return tuple(index(f"a{n}", axis) for n, axis in enumerate(theorem.lhs.shape))


def has_symbol(terms: Iterable[Term], *wanted: str) -> bool:
    """Tell whether symbols of the notation occur in terms."""
    return any(part.op in {"app", "rows", "reduce"} and part.data in wanted for t in terms for part in subterms(t))


def proved(before: Term, target: Term, reasons: Sequence[Reason]) -> Theorem | None:
    """Return the theorem before = target by reasons that run to a joint fixed point on both sides, or None.

    A reason for one side alone acts once, on the old side.
    """
    found = _met(before, target, reasons)
    return None if found is None else found[0]


def _met(before: Term, target: Term, reasons: Sequence[Reason]) -> tuple[Theorem, list[Reason]] | None:
    """Return the theorem, and the reasons that acted."""
    for side in (before, target):
        if _summands(push(side))[1] > LARGEST:
            raise DeriverError("multiplied out, a line would be too long to compare: name parts of the loss", side)
    acted: dict[Reason, None] = {}
    two_sided = [r for r in reasons if r.both_sides]
    old, there = push(before), tuple[Planned, ...]()
    for reason in reasons:
        if not reason.both_sides:
            old, more = reason.act(old)
            there += more
            acted |= {reason: None} if more else {}
    old, more = _normalised(old, two_sided, acted)
    there += more
    new, back = _normalised(push(target), two_sided, acted)
    agreement = agree(old, new, sums.swap)
    if agreement is None:
        spread, more = _prenex(old)
        goal, also = _prenex(new)
        agreement = agree(spread, goal, sums.swap)
        if agreement is None:
            return None
        there, back = (*there, *more), (*back, *also)
    forward = carry_out(_pushed(reflexivity(before)), (*there, *agreement))
    backward = carry_out(_pushed(reflexivity(target)), back)
    return core.transitivity(forward, core.symmetry(backward)), list(acted)


@cache
def _summands(term: Term) -> tuple[int, int]:
    """Return how many products a term may be multiplied out to, at most, and the most of any part of it."""
    parts = [_summands(arg) for arg in term.args if arg.op not in {"idx", "size", "let", "var"}]
    worst = max((most for _, most in parts), default=1)
    counts = [count for count, _ in parts]
    if term.op in {"add", "sub"}:
        own = sum(counts) + len(term.args) - len(parts)
    elif term.op in {"mul", "div"}:
        own = prod(counts)
    elif term.op == "pow":
        own = (counts[0] if counts else 1) ** min(abs(whole(term.args[1]) or 1), 64)
    else:
        own = counts[-1] if counts and term.op in {"sum", "D", "neg"} else 1
    own = min(own, 10 * LARGEST)
    return own, max(own, worst)


def _pushed(theorem: Theorem) -> Theorem:
    return theorem if push(theorem.rhs) is theorem.rhs else core.components(theorem, ())


def _normalised(term: Term, reasons: Sequence[Reason], acted: dict[Reason, None] | None = None) -> tuple[Term, Plan]:
    plan: Plan = ()
    for _ in range(ROUNDS):
        start = term
        for reason in reasons:
            in_time()
            term, more = reason.act(term)
            plan += more
            if more and acted is not None:
                acted[reason] = None
        if term is start:
            return term, plan
    raise ProofError("the rules do not come to rest")


def line(before: Term, after: Term, reasons: Sequence[Reason], *, all_needed: bool = False) -> Line | None:
    """Return a checked line with those of the reasons that it needs, or None where it does not follow.

    What a line of the same pattern has needed is tried first: in a deep composition most lines are like one before.
    """
    pattern = _pattern(before, after, reasons)
    remembered = NEEDED.get()
    known = None if remembered is None else remembered.get(pattern)
    if known is not None:
        again = [reasons[n] for n in known]
        try:
            theorem = proved(before, after, again)
        except ProofError:
            theorem = None
        if theorem is not None:
            return Line(before, after, "=", tuple(again), theorem)
    try:
        found = _met(before, after, reasons)
    except ProofError:
        found = None
    if found is None:
        return None
    theorem, needed = found
    needed = [r for r in reasons if r in needed]
    for reason in tuple(needed) if len(needed) > 1 and not all_needed else ():
        fewer = [r for r in needed if r is not reason]
        try:
            without = proved(before, after, fewer)
        except ProofError:
            continue
        if without is not None and set(without.hypotheses) <= set(theorem.hypotheses):
            needed, theorem = fewer, without
    if remembered is not None:
        remembered[pattern] = tuple(n for n, reason in enumerate(reasons) if reason in needed)
    return Line(before, after, "=", tuple(needed), theorem)


NEEDED: ContextVar[dict[Any, tuple[int, ...]] | None] = ContextVar("NEEDED", default=None)
"Which of its reasons a line has needed, by its pattern: each derivation begins anew."


def _pattern(before: Term, after: Term, reasons: Sequence[Reason]) -> Any:
    """Return a line with numbers for names, definitions not opened, and the words of its reasons without terms."""
    numbers: dict[Term, int] = {}

    def read(term: Term) -> Any:
        if term.op in {"let", "var", "idx", "size"}:
            if term not in numbers:
                numbers[term] = len(numbers)
                kind = term.data[1:] if isinstance(term.data, tuple) else ()
                return term.op, numbers[term], kind, *map(read, term.shape)
            return numbers[term]
        return term.op, term.data, *map(read, term.args)

    words = tuple(tuple(word for word in reason.words if isinstance(word, str)) for reason in reasons)
    return read(before), read(after), words


def through(*quantities: Term) -> Reason:
    """Return the chain rule through quantities, once, at the derivative that stands first."""
    words = chain(*quantities).words
    return Reason(words, once(by_axiom(calculus.chain_rule, *map(name_of, quantities))), both_sides=False)


def through_rows(*quantities: Term) -> Reason:
    """Return the chain rule for softmax and log-sum-exp of named quantities, and for nothing else."""
    rules = {q: by_axiom(calculus.chain_rule, name_of(q)) for q in quantities}

    def rule(term: Term) -> Move | None:
        if term.op != "D" or term.shape:
            return None
        body, _ = place(term.args[0])
        if body.op not in {"rows", "reduce"}:
            return None
        found = next((q for q in quantities if occurs(q, body.args[0])), None)
        return None if found is None or place(term.args[1])[0] is found else rules[found](term)

    return Reason(chain(*quantities).words, everywhere(rule))
