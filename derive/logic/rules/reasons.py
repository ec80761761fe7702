"""Reasons: the named strategies that an author writes beside a line."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from derive.language.notation import SYMBOLS
from derive.language.term import Prose, Term, name_of
from derive.logic.rules import calculus, elementary, inequalities, probability, sums
from derive.logic.rules.matching import by_given, by_theorem
from derive.logic.strategy import Plan, Rule, by_axiom, by_definition, everywhere, first, once
from derive.logic.theorem import Theorem, assume


@dataclass(frozen=True, eq=False)
class Reason:
    """Why a line follows.

    Attributes
    ----------
    words : Prose
        What the page prints beside the line.
    act : callable
        The strategy: a term -> what it becomes and the plan of steps.
    both_sides : bool
        Whether it also acts on the author's line, to meet the old one halfway. What undoes itself, or leads
        to a weaker relation, acts on the old line only.
    link : str
        The slug of the derivation that proved it, "" for a rule.
    theorem : Theorem or None
        The theorem that it uses, for a reason that is one.
    """

    words: Prose
    act: Callable[[Term], tuple[Term, Plan]]
    both_sides: bool = True
    link: str = ""
    theorem: Theorem | None = None

    def __repr__(self) -> str:
        return "".join(str(piece) if isinstance(piece, str) else repr(piece) for piece in self.words)


class Lemma(Protocol):
    """Anything that can be proved when it is asked for, and then used as a reason."""

    @property
    def as_reason(self) -> Reason:
        """The reason that uses the theorem."""
        ...

    @property
    def theorem(self) -> Theorem:
        """The theorem."""
        ...


def _reason(words: str, *rules: Rule) -> Reason:
    return Reason((words,), everywhere(first(*rules)))


linearity = _reason(
    "linearity",
    *map(by_axiom, (calculus.d_constant, calculus.d_variable, calculus.d_sum_of_two, calculus.d_factor)),
    *map(by_axiom, (calculus.d_sum, sums.linear)),
)
sift = _reason("sift", by_axiom(sums.sift))
product_rule = _reason("product rule", by_axiom(calculus.d_product))
quotient_rule = _reason("quotient rule", by_axiom(calculus.d_quotient))
reciprocal_rule = _reason("reciprocal rule", by_axiom(calculus.d_reciprocal))
power_rule = _reason("power rule", by_axiom(calculus.d_power))
function_rule = _reason("chain rule for a function of one variable", by_axiom(calculus.d_function))
exchange = _reason("derivative inside the expectation", by_axiom(calculus.d_expectation))
negative_exponent = _reason("exponential of a negative", by_axiom(elementary.exp_negative))
exponent_sum = _reason("exponential of a sum", by_axiom(elementary.exp_sum))
inverse_pair = _reason("exponential and logarithm undo each other", by_axiom(elementary.exp_log))
log_rules = _reason("logarithm of a product", by_axiom(elementary.log_product))
log_number = _reason("logarithm of a number by its prime factors", by_axiom(elementary.log_number))
root_of_square = _reason("square root of a square", by_axiom(elementary.sqrt_square))
moments = _reason("moments of the law", by_axiom(probability.moments))
last_factor = _reason("split off the last factor", by_axiom(sums.last_factor))
empty_product = _reason("a product of nothing is 1", by_axiom(sums.empty_product))
powers = _reason("powers", by_axiom(sums.next_power))
constant_product = _reason("product of equal factors", by_axiom(sums.constant_product))
product_of_sums = Reason(("product of sums",), everywhere(by_axiom(sums.product_of_sums)), both_sides=False)
independence = Reason(("independent components",), once(by_axiom(probability.independent_components)), both_sides=False)
log_tangent = Reason(("log lies below its tangent at 1",), once(by_axiom(inequalities.log_tangent)), both_sides=False)
jensen = Reason(("Jensen’s inequality",), once(by_axiom(inequalities.jensen_log)), both_sides=False)
support = Reason(("mass outside of the support is left out",), once(by_axiom(inequalities.support)), both_sides=False)
total_mass = _reason("total mass", by_axiom(inequalities.total_mass))
normalisation = _reason("densities are normalised", by_axiom(inequalities.normalisation))
expectation = _reason("definition of the expectation", by_axiom(inequalities.expectation))
zero_set = Reason(("zero of parts that are never negative",), once(by_axiom(inequalities.zero_set)), both_sides=False)
exp_injective = _reason("the exponential is one-to-one", by_axiom(inequalities.exp_injective))
forall_and = _reason("each for all", by_axiom(inequalities.forall_and))


def derivative(symbol: str) -> Reason:
    """Return the reason that differentiates a symbol of the notation, by the chain rule for one variable."""
    return _reason(f"derivative of {SYMBOLS[symbol].words}", by_axiom(calculus.d_symbol, symbol))


exp_rule, log_rule, sigmoid_rule, sqrt_rule = map(derivative, ("exp", "log", "σ", "sqrt"))


def by(*quantities: Term | str) -> Reason:
    """Return the reason "by definition of", for named quantities and for symbols of the notation (by their names)."""
    named = tuple(name_of(q) for q in quantities if isinstance(q, Term))
    symbols = tuple(q for q in quantities if isinstance(q, str))
    rules = [by_definition(*named), *(by_axiom(calculus.symbol_definition, name) for name in symbols)]
    words: list[str | Term] = ["definition of "]
    for position, quantity in enumerate(quantities):
        words += [", "] * (position > 0)
        words.append(SYMBOLS[quantity].words if isinstance(quantity, str) else quantity)
    return Reason(tuple(words), everywhere(first(*rules)))


def branch(symbol: str, number: int) -> Reason:
    """Return the reason that takes one case of a symbol's definition by cases."""
    return _reason(f"{SYMBOLS[symbol].words} in this case", by_axiom(calculus.symbol_branch, symbol, number))


def chain(*through: Term) -> Reason:
    """Return the chain rule through named quantities."""
    words: list[str | Term] = ["chain rule through "]
    for position, quantity in enumerate(through):
        words += [", "] * (position > 0)
        words.append(quantity)
    return Reason(tuple(words), everywhere(by_axiom(calculus.chain_rule, *map(name_of, through))))


def given(formula: Term, words: str = "given") -> Reason:
    """Return the reason that uses a formula (∀ in front or not) which stays a hypothesis of the theorem.

    It is used rigidly: only what it says ∀ of may vary. An equation is used at every place, an inequality at one.
    """
    theorem = assume(formula)
    inner = formula
    while inner.op == "forall":
        inner = inner.args[1]
    equation = inner.op in {"eq", "iff"}
    strategy = everywhere if equation else once
    return Reason((f"{words}: ", formula), strategy(by_given(theorem)), both_sides=equation, theorem=theorem)


def use(theorem: Theorem, words: str, link: str = "") -> Reason:
    """Return the reason that uses a proved equation or inequality at every instance of its left side."""
    equation = theorem.conclusion.op in {"eq", "iff"}
    strategy = everywhere if equation else once
    return Reason((words,), strategy(by_theorem(theorem)), both_sides=equation, link=link, theorem=theorem)


def multiplied(target: Term, factor: Term) -> Reason:
    """Return the reason for an equivalent relation: the difference of its sides is factor times the other's."""
    rule = by_axiom(inequalities.scaled, target, factor)
    return Reason(("multiply by ", factor), once(rule), both_sides=False)
