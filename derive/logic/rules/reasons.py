"""Reasons: the named strategies that an author writes beside a line."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from derive.language.notation import SYMBOLS
from derive.language.term import Prose, Term, lift, name_of
from derive.logic.rules import (
    arrays,
    calculus,
    elementary,
    entropy,
    indicators,
    inequalities,
    integers,
    limits,
    matrices,
    maxima,
    passes,
    probability,
    products,
    sums,
    trigonometry,
)
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
log_rules = _reason("logarithm of a product", by_axiom(elementary.log_product), by_axiom(elementary.log_range))
log_number = _reason("logarithm of a number by its prime factors", by_axiom(elementary.log_number))
step_rule = _reason("indicator and sign, off 0", by_axiom(elementary.step_sign))
root_of_square = _reason("square root of a square", by_axiom(elementary.sqrt_square))
root_of_product = _reason("square root of a product", by_axiom(elementary.sqrt_product))
moments = _reason("moments of the law", by_axiom(probability.moments))
variance = _reason("definition of the variance", by_axiom(probability.variance))
covariance = _reason("definition of the covariance", by_axiom(probability.covariance))
independent = _reason("independence", by_axiom(probability.independent_blocks))
symmetry = Reason(("the law is symmetric",), once(by_axiom(probability.symmetric)), both_sides=False)
of_bracket = Reason(("a bracket is 0 or 1",), once(by_axiom(indicators.function_of)), both_sides=False)
last_factor = _reason("split off the last factor", by_axiom(sums.last_factor))
map_rule = _reason("chain rule for a map", by_axiom(calculus.d_map))
no_layer = _reason("no layer at all", by_axiom(passes.no_layer))
last_layer = _reason("the last layer by itself", by_axiom(passes.last_layer))
first_layer = Reason(("the first layer by itself",), once(by_axiom(passes.first_layer)), both_sides=False)
two_parts = _reason("one pass after the other", by_axiom(passes.two_parts))
empty_product = _reason("a product of nothing is 1", by_axiom(sums.empty_product))
powers = _reason("powers", by_axiom(sums.next_power))
constant_product = _reason("product of equal factors", by_axiom(sums.constant_product))
multiplied_out = _reason("sums multiplied out", *map(by_axiom, (sums.product_of_sums, sums.inside)))
product_of_sums = Reason(("product of sums",), everywhere(by_axiom(sums.product_of_sums)), both_sides=False)
independence = Reason(("independent components",), once(by_axiom(probability.independent_components)), both_sides=False)
log_tangent = Reason(("log lies below its tangent at 1",), once(by_axiom(inequalities.log_tangent)), both_sides=False)
jensen = Reason(("Jensen’s inequality",), once(by_axiom(inequalities.jensen_log)), both_sides=False)
support = Reason(("mass outside of the support is left out",), once(by_axiom(inequalities.support)), both_sides=False)
total_mass = _reason("total mass", by_axiom(inequalities.total_mass))
normalisation = _reason("densities are normalised", by_axiom(inequalities.normalisation))
expectation = _reason("definition of the expectation", by_axiom(inequalities.expectation))
zero_set = Reason(("zero of parts that are never negative",), once(by_axiom(inequalities.zero_set)), both_sides=False)
weighted_logs = _reason("logarithm of a product", by_axiom(entropy.weighted_product))
plain_log = _reason("the logarithm of what is positive", by_axiom(entropy.weighted_positive))
weights = _reason("a logarithm’s weights", by_axiom(entropy.weights))
log_ratio = _reason("logarithm of a ratio", by_axiom(entropy.weighted_ratio))
gap_parts = _reason("definition of the relative-entropy gap", by_axiom(entropy.gap_parts))
expected_log = _reason("0 log 0 counts as 0", by_axiom(entropy.expected_log))
zero_sum = Reason(("a sum of parts that are not negative",), once(by_axiom(inequalities.zero_sum)), both_sides=False)
exp_injective = _reason("the exponential is one-to-one", by_axiom(inequalities.exp_injective))
exp_grows = _reason("the exponential grows", by_axiom(inequalities.exp_grows))
forall_and = _reason("each for all", by_axiom(inequalities.forall_and))
below, above = (_reason("order tells apart", by_axiom(inequalities.apart, less)) for less in (True, False))
absolute_bound = _reason("absolute value below a bound", by_axiom(inequalities.absolute_bound))
geometric_limit = _reason("limit of a geometric sequence", by_axiom(limits.geometric))
written_out = _reason("the sum written out", by_axiom(arrays.written_out))
pythagoras = _reason("sin² + cos² = 1", by_axiom(trigonometry.pythagoras))
angle_sum = _reason("angle sum", by_axiom(trigonometry.angle_sum))
floor_equals = _reason("largest integer below", by_axiom(integers.floor_equals))
floor_bound = _reason("integers below", by_axiom(integers.floor_bound))
next_integer = _reason("integers are one apart", by_axiom(integers.next_integer))
floor_integer = _reason("largest integer below an integer", by_axiom(integers.floor_integer))
parity = _reason("odd or even", by_axiom(trigonometry.parity))
sign_times_size = _reason("a number is its sign times its size", by_axiom(elementary.sign_times_size))
max_shift = _reason("a maximum moves with its components", by_axiom(maxima.shift))
max_rule = _reason("derivative of a maximum", by_axiom(maxima.d_maximum), by_axiom(maxima.d_hardmax))
product_over_rule = _reason("derivative of a product over a range", by_axiom(products.d_product_over))
without_one = _reason("product without one factor", by_axiom(products.without_one))


inverse = _reason("a matrix times its inverse", by_axiom(matrices.inverse))
inverse_rule = _reason("derivative of the inverse", by_axiom(matrices.d_inverse))
determinant_rule = _reason("Jacobi’s formula", by_axiom(matrices.d_determinant))
turned_inverse = Reason(("inverse of the transpose",), once(by_axiom(matrices.inverse_transposed)), both_sides=False)
regular = _reason("positive definite matrices are invertible", by_axiom(matrices.definite_invertible))


def definite_form(matrix: Term, vector: Term) -> Reason:
    """Return the reason that reads 0 ≤ vᵀAv, and where it is 0, from a positive definite matrix."""
    rules = (matrices.definite_form, matrices.definite_zero)
    strategy = once(first(*(by_axiom(rule, matrix, vector) for rule in rules)))
    return Reason((matrix, " is positive definite"), strategy, both_sides=False)


def derivative(symbol: str) -> Reason:
    """Return the reason that differentiates a symbol of the notation, by the chain rule for one variable."""
    return _reason(f"derivative of {SYMBOLS[symbol].words}", by_axiom(calculus.d_symbol, symbol))


exp_rule, log_rule, sigmoid_rule, sqrt_rule = map(derivative, ("exp", "log", "σ", "sqrt"))
sin_rule, cos_rule, erf_rule, abs_rule = map(derivative, ("sin", "cos", "erf", "abs"))


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


def branch(symbol: str, number: int, *, strict: bool = False) -> Reason:
    """Return the reason that takes one case of a symbol's definition by cases; `strict`: off its edge, as under D."""
    parameters = (symbol, number, True) if strict else (symbol, number)
    return _reason(f"{SYMBOLS[symbol].words} in this case", by_axiom(calculus.symbol_branch, *parameters))


def at_most_max(component: Term, over: Term) -> Reason:
    """Return the reason that a component is at most the maximum over its index."""
    rule = by_axiom(maxima.upper, over)
    there = once(lambda term: rule(term) if term is component else None)
    return Reason(("at most the maximum",), there, both_sides=False)


def where_equal(symbol: Term) -> Reason:
    """Return the reason that puts j for an index i beside [i = j]."""
    return _reason("where the bracket is 1 its indices are equal", by_axiom(indicators.at_equal, symbol))


def chain(*through: Term) -> Reason:
    """Return the chain rule through named quantities."""
    words: list[str | Term] = ["chain rule through "]
    for position, quantity in enumerate(through):
        words += [", "] * (position > 0)
        words.append(quantity)
    return Reason(tuple(words), everywhere(by_axiom(calculus.chain_rule, *map(name_of, through))))


def given(formula: Term, words: str = "given", *, at: Term | None = None) -> Reason:
    """Return the reason that uses a formula (∀ in front or not) which stays a hypothesis of the theorem.

    It is used rigidly: only what it says ∀ of may vary. An equation is used at every place, an inequality at one. One
    that could be used for ever, such as A[i,j] = A[j,i], is used where the line before has one component: `at`.
    """
    theorem = assume(formula)
    inner = formula
    while inner.op == "forall":
        inner = inner.args[1]
    equation = inner.op in {"eq", "iff"}
    strategy = everywhere if equation else once
    rule = by_given(theorem)
    if at is not None:
        there = everywhere(lambda term: rule(term) if term is at else None)
        return Reason((f"{words}: ", formula), there, both_sides=False, theorem=theorem)
    return Reason((f"{words}: ", formula), strategy(rule), both_sides=equation, theorem=theorem)


def use(theorem: Theorem, words: str, link: str = "") -> Reason:
    """Return the reason that uses a proved equation or inequality at every instance of its left side."""
    equation = theorem.conclusion.op in {"eq", "iff"}
    strategy = everywhere if equation else once
    return Reason((words,), strategy(by_theorem(theorem)), both_sides=equation, link=link, theorem=theorem)


def multiplied(target: Term, factor: Term) -> Reason:
    """Return the reason for an equivalent relation: the difference of its sides is factor times the other's."""
    rule = by_axiom(inequalities.scaled, target, factor)
    return Reason(_cleared(factor), once(rule), both_sides=False)


def _cleared(factor: Term) -> Prose:
    """Return what takes a factor away from both sides; a sign alone is not worth a word."""
    size, negative = (factor.args[0], True) if factor.op == "neg" else (factor, False)
    if size in (lift(1), lift(-1)):
        return ("rearranged",)
    if size.op != "div":
        return ("divide by ", factor)
    above, below = size.args
    if above.op == "neg":
        above, negative = above.args[0], not negative
    if above == lift(-1):
        above, negative = lift(1), not negative
    turned = below if above == lift(1) else below / above
    return ("multiply by ", -turned if negative else turned)
