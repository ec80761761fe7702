"""What must not be provable: each attack is refused, or comes out with the hypothesis under which it is true."""

import copy
import dataclasses
import pickle
from fractions import Fraction

import pytest

from derive.evidence.witness import witness
from derive.language.notation import (
    SYMBOLS,
    abs_,
    exp,
    kl,
    log,
    logsumexp,
    max_,
    relu,
    softmax,
    sqrt,
    tanh,
    xlog_ratio,
    xlogy,
    σ,
)
from derive.language.notation import sign as sign_of
from derive.language.term import (
    NATURALS,
    ONE,
    ZERO,
    Π,
    Σ,
    Complaint,
    D,
    E,
    Term,
    array,
    eq,
    expect,
    forall,
    free,
    function,
    iff,
    implies,
    index,
    indices,
    integral,
    le,
    let,
    lt,
    natural,
    ne,
    random,
    sizes,
    space,
    substitute,
    succ,
    var,
    δ,
)
from derive.logic import theorem as core
from derive.logic.arguments import from_gap
from derive.logic.axiom import Axiom
from derive.logic.calc import calc
from derive.logic.certificate import _MODULES, axioms
from derive.logic.facts import closed, discharge
from derive.logic.rules.reasons import (
    by,
    chain,
    exponent_sum,
    given,
    linearity,
    log_rules,
    product_of_sums,
    product_rule,
    root_of_square,
    sigmoid_rule,
)
from derive.logic.theorem import Theorem

AXIOMS = axioms()
K, H, d = sizes("K H d")
n, S = natural("n"), space("S")
i, j, k = indices("i j k", K)
a, c = indices("a c", H)
e = index("e", d)
z, w = indices("z w", S)
l, t = indices("l t", n)
x, y, s, o, sign = var("x"), var("y"), var("s", dom="positive"), var("o", dom="unit"), var("±", dom="sign")
u, v, p = var("u", K), var("v", K, dom="positive"), var("p", K, dom="simplex")
q, q_plus, f = var("q", S, dom="density"), var("q₊", S, dom="positive density"), var("f", S)
X = var("X", NATURALS)
ε = random("ε", K, law="standard")
φ = function("φ")

# a network
W1, b1, W2, b2, inputs = var("W₁", H, d), var("b₁", H), var("W₂", K, H), var("b₂", K), var("x", d)
z1 = let("z₁", W1 @ inputs + b1)
h = let("h", σ(z1))
z2 = let("z₂", W2 @ h + b2)
y_ = var("y", K, dom="simplex")
L = let("L", -Σ(y_[k] * log(softmax(z2)[k]), k))


def axiom(term, name, *parameters, at=()):
    return core.step(core.reflexivity(term), at, AXIOMS[name], *parameters)


def refused(make, match=None):
    with pytest.raises(Complaint, match=match):
        make()


def rests_on(theorem, *formulas):
    """The theorem has exactly these hypotheses, and is true under them."""
    theorem = getattr(theorem, "theorem", theorem)
    assert {closed(hypothesis) for hypothesis in theorem.hypotheses} == {closed(formula) for formula in formulas}
    assert true(theorem)


def true(theorem):
    seen = witness(theorem.conclusion, theorem.hypotheses)
    return seen.status == "true"


# ---- under ∂ ---------------------------------------------------------------------------------------------------------


def test_what_is_given_stays_outside_of_a_derivative():
    """Σy = 1 inside ∂/∂yⱼ would prove 0 = 1."""
    given_sum = eq(Σ(y_[k], k), 1)
    slope = D(Σ(y_[k], k), y_[j])
    refused(lambda: calc(slope).eq(0, given(given_sum), linearity))
    refused(lambda: core.step(core.reflexivity(slope), (0,), core.assume(given_sum)), "is not")
    fresh = Term("var", (K,), ("y°", "real"))
    forged = core.assume(eq(Σ(fresh[k], k), 1))
    refused(lambda: core.step(core.reflexivity(slope), (0,), forged), "cannot be differentiated")


def test_no_equation_brings_the_variable_of_a_derivative_in():
    """From c = x: ∂(x·c)/∂x is c, and ∂(x·x)/∂x is 2x."""
    factor = var("c")
    known = core.assume(eq(factor, x))
    refused(lambda: core.step(core.reflexivity(D(x * factor, x)), (0, 1), known), "fixed outside of the derivative")
    upstream = let("q", exp(x))
    by_name = core.assume(eq(factor, upstream))
    refused(lambda: core.step(core.reflexivity(D(x * factor, x)), (0, 1), by_name), "fixed outside")
    rests_on(core.step(core.reflexivity(D(x * factor, y)), (0, 1), known), eq(factor, x))


def test_a_condition_at_a_point_is_no_condition_near_it():
    refused(lambda: axiom(D(relu(x), x), "definition of a symbol by cases", "relu", 0, at=(0,)), "cannot be")
    point = core.assume(eq(abs_(Term("var", (), ("x°", "real"))), 0))
    refused(lambda: core.step(core.reflexivity(D(abs_(x), x)), (0,), point), "cannot be differentiated")


def test_an_open_condition_must_be_defined_near_the_point():
    """0 < 1 + √x holds at 0, and says nothing to the left of it."""
    fresh, lemma = Term("var", (), ("x°", "real")), Term("var", (), ("a", "positive"))

    def used(condition):
        """∂|x|/∂x, where |x°| is rewritten by a theorem that rests on a condition."""
        product = core.instantiate(core.reflexivity(abs_(y) * log(lemma)), (lemma, condition), (y, fresh))
        return core.step(core.reflexivity(D(abs_(x) * log(substitute(condition, {fresh: x})), x)), (0,), product)

    assert used(y + fresh).hypotheses == {ne(x, 0), lt(0, y + x)}
    refused(lambda: used(y + sqrt(fresh)), "cannot be differentiated")


def test_a_definition_is_closed_inside_the_derivative_by_its_name():
    refused(lambda: calc(D(z2[k], z2[j])).eq(0, by(z2), linearity))
    refused(lambda: core.unfold(core.reflexivity(D(z2[k], z2[j])), (0,)), "not a named quantity")
    refused(lambda: calc(D(L, z1[a])).eq(0, linearity))


def test_a_path_that_avoids_the_chain_is_seen():
    ridge = let("R", L + x * Σ(W2[k, a] ** 2, k, a))
    refused(
        lambda: calc(D(ridge, W2[j, a])).eq(Σ(D(ridge, z2[k]) * D(z2[k], W2[j, a]), k), by(ridge), chain(z2)), "avoids"
    )
    refused(lambda: axiom(D(ridge, W2[j, a]), "chain rule", "z₂"), "avoids")
    residual = let("r", W2.T @ z2 + z1)
    loss = let("ℓ", Σ(residual[a] ** 2, a))
    refused(lambda: axiom(D(loss, z1[a]), "chain rule", "z₂"), "avoids")
    refused(lambda: axiom(D(loss, z1[a]), "chain rule", "h"), "avoids")
    assert true(axiom(D(loss, z1[a]), "chain rule", "r"))


def test_a_path_is_counted_once():
    both_paths = Σ(D(L, z1[a]) * D(z1[a], inputs[e]), a) + Σ(D(L, z2[k]) * D(z2[k], inputs[e]), k)
    refused(lambda: calc(D(L, inputs[e])).eq(both_paths, chain(z1, z2)), "count a path twice")


def test_names_that_are_used_twice_do_not_hide_a_path():
    one, other = let("q", x**2), let("q", x**3)
    refused(lambda: axiom(D(one * other, x), "chain rule", "q"), "avoids")
    refused(lambda: axiom(D(φ(one) * x, x), "chain rule", "q"), "avoids")
    refused(lambda: axiom(D(one, x), "chain rule", "nothing"))


def test_a_derivative_by_what_another_derivative_goes_through_is_no_term():
    refused(lambda: D(D(L, z1[a]), z2[k]), "no function of")
    refused(lambda: D(D(L, W1[a, e]) * z2[k], h[c]), "no function of")
    assert D(D(L, z2[k]), z1[a]).op == "D"


def test_a_derivative_by_a_sample_of_what_is_averaged_is_no_term():
    """Inside 𝔼 the sample is another one for every outcome."""
    sample = let("ẑ", x + s * ε)
    recon = let("R", E(Σ(sample[i] ** 2, i), ε))
    refused(lambda: D(recon, sample[i]), "no function of")
    unfolded = core.unfold(core.reflexivity(D(recon, x)), (0,))
    refused(lambda: core.step(unfolded, (), AXIOMS["chain rule"], "ẑ"))


def test_no_derivative_at_a_kink():
    """|x| − |x| is 0 everywhere, and its derivative by the rules has no value at 0."""
    slope = D(abs_(x) - abs_(x), x)
    rests_on(
        core.step(core.algebra(core.reflexivity(slope), (0,), ZERO), (), AXIOMS["derivative of a constant"]), ne(x, 0)
    )
    rests_on(axiom(slope, "sum rule"), ne(x, 0))
    rests_on(core.algebra(core.reflexivity(D(sqrt(x), x) * 0), (), ZERO), lt(0, x))


def test_a_case_that_ends_at_a_point_is_not_differentiated():
    """relu x = x where 0 ≤ x; at 0 it has no derivative. Where 0 < x it is x nearby too."""
    cases = "definition of a symbol by cases"
    refused(lambda: axiom(D(relu(x), x), cases, "relu", 0, at=(0,)), "cannot be differentiated")
    rests_on(axiom(D(relu(x), x), cases, "relu", 0, True, at=(0,)), lt(0, x), ne(x, 0))
    rests_on(axiom(D(relu(x), x), "derivative of a symbol", "relu"), ne(x, 0))


def test_what_holds_beside_a_jump_may_fail_next_to_it():
    """sign x < 1/2 holds at 0 and not to the right of it, so log(1/2 − sign x) has no derivative there."""
    jump = log(1 - 2 * sign_of(x))
    assert closed(lt(0, 1 - 2 * sign_of(x))) in map(closed, core.reflexivity(jump).hypotheses)
    refused(lambda: core.algebra(core.reflexivity(D(jump - jump, x)), (0,), ZERO), "cannot be differentiated")


def test_a_maximum_is_differentiated_where_it_is_taken_once():
    apart = forall(implies(ne(δ(i, j), 1), lt(u[i] + u[j], 2 * max_(u))), i, j)
    rests_on(axiom(D(max_(u) - max_(u), u[k]), "sum rule"), apart)
    refused(lambda: core.instantiate_function(core.reflexivity(φ(x)), "φ", "sign"), "smooth")


def test_nothing_has_no_maximum():
    row, m = var("Y", n), index("m", n)
    rests_on(axiom(max_(row), "least upper bound", ONE, m), lt(0, n), forall(le(row[m], 1), m))
    rests_on(axiom(row[m], "upper bound", m), lt(0, n))
    refused(lambda: axiom(max_(u), "least upper bound", u[k], k), "does not apply")
    refused(lambda: axiom(u[j], "upper bound", k), "does not apply")


def test_the_point_of_a_derivative_must_be_defined():
    quantity = let("q", log(x))
    rests_on(axiom(D(quantity, quantity), "derivative of a variable"), lt(0, x))
    rests_on(axiom(D(y, let("r", 1 / x)), "derivative of a constant"), ne(x, 0))


@pytest.mark.parametrize("old", ["factor", "point"])
def test_nothing_is_put_under_a_derivative_that_depends_on_its_variable(old):
    """∂(w·z)/∂z = w would give ∂(z·z)/∂z = z."""
    b, point = var("b"), var("z")
    slope = axiom(D(b * point, point), "constant factor rule")
    change = (b, point) if old == "factor" else (point, b)
    refused(lambda: core.instantiate(slope, change), "depend")
    refused(lambda: core.instantiate(slope, (b, let("r", point**2))), "depend")
    one, other = let("q", exp(point)), let("q₂", exp(point))
    same = axiom(D(other * one, one), "constant factor rule")
    refused(lambda: core.instantiate(same, (other, one)), "depend")
    refused(lambda: core.instantiate(same, (one, other)), "depend")
    assert true(core.instantiate(slope, (b, y), (point, let("q", exp(y)))))


def test_merging_sizes_does_not_merge_what_a_derivative_tells_apart():
    left, right = var("v", K), var("v", H)
    slope = axiom(D(Σ(left[k], k) * Σ(right[a], a), right[c]), "constant factor rule")
    refused(lambda: core.instantiate(slope, (K, H)), "depend")


# ---- where a term is defined -----------------------------------------------------------------------------------------


def test_roots_and_logarithms_of_squares():
    refused(lambda: calc(sqrt(x**2)).eq(x, root_of_square))
    rests_on(calc(sqrt(x**2)).eq(abs_(x), root_of_square))
    rests_on(calc(sqrt(x) ** 2).eq(x, root_of_square), le(0, x))
    rests_on(calc(log(x**2)).eq(2 * log(x), log_rules), ne(x, 0), lt(0, x))
    rests_on(calc(log(s**2)).eq(2 * log(s), log_rules))
    refused(lambda: calc(sqrt(x) * sqrt(x)).eq(x, root_of_square))


def test_what_cancels_stays_a_condition():
    quotient = let("r", x / x)
    rests_on(calc(x / x).eq(1), ne(x, 0))
    rests_on(calc(x**-1 * x).eq(1), ne(x, 0))
    rests_on(calc(Σ(u[k] / u[k], k)).eq(Σ(ONE, k)), forall(ne(u[k], 0), k))
    rests_on(calc(D(x / x, x)).eq(D(ONE, x)), ne(x, 0))
    rests_on(calc(quotient * 2).eq(2, by(quotient)), ne(x, 0))
    rests_on(calc(quotient - quotient).eq(0), ne(x, 0))
    rests_on(calc(log(x) ** 0).eq(1), lt(0, x))
    rests_on(core.algebra(core.reflexivity(ZERO), (), log(x) * 0), lt(0, x))
    rests_on(core.algebra(core.reflexivity(x), (), x * y / y), ne(y, 0))
    one = core.algebra(core.reflexivity(u[i] / u[i]), (), ONE)
    rests_on(core.extensionality(one, array(u[i] / u[i], i), array(ONE, i), i), forall(ne(u[k], 0), k))
    rests_on(core.generalisation(one, i), forall(ne(u[k], 0), k))


def test_fractional_powers_need_a_positive_base():
    half, third = Fraction(1, 2), Fraction(-1, 3)
    rests_on(core.algebra(core.reflexivity(x**half - x**half), (), ZERO), lt(0, x))
    rests_on(core.algebra(core.reflexivity(x**third - x**third), (), ZERO), lt(0, x))
    rests_on(core.algebra(core.reflexivity(x ** (-n) - x ** (-n)), (), ZERO), ne(x, 0))
    rests_on(core.assume(le(0, x**-2)), ne(x, 0))


def test_a_sum_over_nothing_has_no_logarithm():
    below = var("Y", n)
    rests_on(core.algebra(core.reflexivity(logsumexp(below) - logsumexp(below)), (), ZERO), lt(0, n))
    rests_on(axiom(D(logsumexp(below), x), "derivative of a constant"), lt(0, n))


def test_what_is_put_for_a_variable_must_be_defined():
    """⊢ b − b = 0 holds for every number, and 1/x is not always one."""
    nothing = core.algebra(core.reflexivity(x - x), (), ZERO)
    rests_on(core.instantiate(nothing, (x, 1 / y)), ne(y, 0))
    rests_on(core.instantiate(nothing, (x, let("ℓ", log(y)))), lt(0, y))


def test_a_domain_is_an_obligation_of_whoever_leaves_it():
    logarithm = calc(log(s**2)).eq(2 * log(s), log_rules).theorem
    rests_on(core.instantiate(logarithm, (s, x)), lt(0, x))
    rests_on(core.instantiate(logarithm, (s, exp(x))))
    rests_on(core.instantiate(core.reflexivity(log(1 - o)), (o, x)), lt(0, x), lt(x, 1))
    refused(lambda: core.instantiate(core.reflexivity(1 / sign), (sign, x)), "domain")
    rests_on(core.instantiate(core.reflexivity(log(v[i])), (v, u)), forall(lt(0, u[k]), k))


def test_an_undefined_term_is_neither_positive_nor_negative():
    logarithm = core.assume(le(0, log(x)))
    assert lt(0, x) in core.cases(log(x), logarithm, logarithm).hypotheses
    rests_on(core.assume(lt(0, exp(1 / x))), ne(x, 0))


# ---- names -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["#1.0", "#1.1", "#2.0", "k"])
def test_no_index_is_caught_by_renaming(name):
    """Bound indices are compared under names of their own; nobody may use them from outside."""
    outside = index(name, K) if name != "k" else i
    refused(lambda: core.algebra(core.reflexivity(Σ(u[k] * v[outside], k)), (), Σ(u[k] * v[k], k)))
    nested = Σ(Σ(u[k] * v[outside] * u[j], k), j)
    refused(lambda: core.algebra(core.reflexivity(nested), (), Σ(Σ(u[k] * v[k] * u[j], k), j)))
    refused(lambda: core.algebra(core.reflexivity(nested), (), Σ(Σ(u[k] * v[j] * u[j], k), j)))
    turned = core.instantiate(core.reflexivity(Σ(u[k] * v[i], k)), (i, k))
    assert turned.rhs is not Σ(u[k] * v[k], k)
    assert true(turned)


def test_the_last_of_a_longer_sum_does_not_catch_an_index():
    """Σ_{l<n+1} Y[l′] with l′ < n of the same name."""
    below, longer = var("Y", n), index("l", succ(n))
    theorem = axiom(Σ(below[l], longer), "last factor")
    assert l in free(theorem.rhs)
    assert true(theorem)


def test_sums_are_merged_under_one_index_only_if_it_is_free_for_both():
    matrix = var("A", K, K)
    assert true(axiom(Σ(u[k], k) - Σ(matrix[i, j], j), "sum of a difference"))
    refused(lambda: axiom(Σ(u[i], i) - Σ(matrix[i, j], j), "sum of a difference"), "does not apply")


def test_random_variables_of_different_sizes_stay_different():
    other = random("ε", H, law="standard")
    nested = core.reflexivity(E(E(ε[i] * other[a], other), ε))
    assert true(axiom(E(E(ε[i] * other[a], other), ε), "linearity", at=(1,)))
    merged = core.instantiate(nested, (K, H))
    assert len(set(free(merged.conclusion))) == 2
    refused(lambda: core.instantiate(core.reflexivity(E(ε[i] * other[a], ε, other)), (K, H)), "different")


def test_only_what_can_vary_is_instantiated():
    theorem = core.reflexivity(X[l] + x)
    refused(lambda: core.instantiate(theorem, (NATURALS, K)), "not a variable")
    refused(lambda: core.instantiate(theorem, (x + x, y)), "not a variable")
    refused(lambda: core.instantiate(theorem, (x, u)), "does not fit")
    refused(lambda: core.instantiate(theorem, (l, k)), "does not range")
    refused(lambda: core.instantiate(core.reflexivity(u[i]), (K, n)), "no size like")
    refused(lambda: core.instantiate(core.reflexivity(z1[a]), (z1, h)), "not defined as")
    refused(lambda: core.instantiate(core.reflexivity(ε[i]), (ε, u)), "does not fit")


def test_an_unknown_function_is_smooth():
    theorem = core.reflexivity(φ(x))
    for name, symbol in SYMBOLS.items():
        rough = symbol.kind != "app" or symbol.arity != 1 or symbol.domain(x) or symbol.kinks(x)
        if rough:
            refused(lambda name=name: core.instantiate_function(theorem, "φ", name), "smooth")
        else:
            assert true(core.instantiate_function(theorem, "φ", name))
    once = core.step(axiom(D(φ(x), x), "derivative of a function"), (1,), AXIOMS["derivative of a variable"])
    twice = axiom(D(once.rhs, x), "constant factor rule") if once.rhs.args[0] is ONE else once
    assert true(core.instantiate_function(twice, "φ", "σ"))
    curved = axiom(D(once.rhs.args[0], x), "derivative of a function")
    refused(lambda: core.instantiate_function(curved, "φ", "σ"), "no derivative of order 2")


def test_a_function_does_not_make_one_quantity_of_two():
    """With q = φ(x) and another q = eˣ, ∂(q·q)/∂q is the first; put exp for φ, and the two are one."""
    unknown, known = let("q", φ(x)), let("q", exp(x))
    slope = axiom(D(unknown * known, known), "constant factor rule")
    refused(lambda: core.instantiate_function(slope, "φ", "exp"), "depend")
    assert true(core.instantiate_function(slope, "φ", "σ"))
    through = axiom(D(unknown * known, unknown), "product rule")
    assert true(core.instantiate_function(through, "φ", "tanh"))


# ---- ranges that may be empty ----------------------------------------------------------------------------------------


def test_a_sum_over_nothing_is_not_positive():
    below = var("Y", n, dom="positive")
    assert core.sign(core.reflexivity(Σ(below[l], l))).conclusion.op == "le"
    assert core.sign(core.reflexivity(Π(below[l], l))).conclusion.op == "lt"
    assert core.sign(core.reflexivity(Σ(v[k], k))).conclusion.op == "lt"
    assert core.sign(core.reflexivity(Σ(exp(x), index("l", succ(n))))).conclusion.op == "lt"
    rests_on(calc(Σ(x, l)).eq(n * x, linearity))


def test_an_index_that_vanishes_must_have_existed():
    """1 = Σ_l [l = i] ≤ Σ_l 1 = n speaks of an index below n, and there may be none."""
    small = core.order(core.algebra(core.reflexivity(1 - δ(t, l)), (), (1 - δ(t, l)) ** 2))
    one = core.symmetry(axiom(Σ(δ(t, l), t), "sift"))
    count = core.step(core.step(one, (1,), small), (), AXIOMS["linearity"])
    assert count.conclusion is le(1, n)
    rests_on(count, lt(0, n))
    sized = core.instantiate(count, (n, K))
    rests_on(sized)


def _without(theorem):
    """Whether a theorem says that there was an index, or still speaks of one."""
    loose = frozenset().union(*map(free, theorem.hypotheses | {theorem.conclusion}))
    return l in loose or lt(0, n) in theorem.hypotheses


def test_however_an_index_vanishes():
    there, back = (
        core.algebra(core.reflexivity(x), (), x + X[l] - X[l]),
        core.algebra(core.reflexivity(x + X[l] - X[l]), (), x),
    )
    around = core.transitivity(there, back)
    assert around.conclusion is eq(x, x)
    assert lt(0, n) in around.hypotheses
    assert _without(core.algebra(there, (), x))
    assert _without(
        core.unfold(core.algebra(core.reflexivity(x), (), x + let("q", x) - let("q", x) + 0 * X[l]), (0, 0, 1))
    )
    gap = core.algebra(core.reflexivity((x + 1) - x), (), 1 + X[l] - X[l])
    assert _without(core.order(core.algebra(gap, (), exp(X[l]) / exp(X[l]))))
    known = core.assume(le(0, x * X[l]))
    assert _without(core.instantiate(core.algebra(there, (), x + 0 * X[l]), (X, array(x, index("m", NATURALS)))))
    assert lt(0, n) in core.specialise(core.assume(forall(eq(x, y), l)), l).hypotheses
    assert _without(known)


def test_for_all_of_nothing_says_nothing():
    empty = core.generalisation(core.assume(eq(x, y)), l)
    back = core.specialise(core.assume(forall(eq(x, y), l)), l)
    assert empty.conclusion is forall(eq(x, y), l)
    assert lt(0, n) in back.hypotheses


def test_sums_go_over_finite_ranges():
    step = index("t", NATURALS)
    for make in (
        lambda: Σ(X[step], step),
        lambda: Π(X[step], step),
        lambda: Σ(f[z], z),
        lambda: integral(X[step], step),
    ):
        refused(make)
    for make in (lambda: X.sum(0), lambda: X @ X, lambda: f @ f, lambda: softmax(f), lambda: logsumexp(X)):
        refused(make)


# ---- cases and induction ---------------------------------------------------------------------------------------------


def _absolutes(number):
    """Σ|u| = |Σu| under one sign of all."""
    left = axiom(Σ(abs_(u[k]), k), "definition of a symbol by cases", "abs", number, at=(1,))
    right = axiom(abs_(Σ(u[k], k)), "definition of a symbol by cases", "abs", number)
    left = left if number == 0 else core.step(left, (), AXIOMS["linearity"])
    return core.transitivity(left, core.symmetry(right))


def test_a_case_under_a_sum_is_a_case_of_every_index():
    """Read the other way, cases proved Σ|u| = |Σu|."""
    theorem = core.cases(u[k], _absolutes(0), _absolutes(1))
    assert {forall(le(0, u[k]), k), forall(le(u[k], 0), k)} <= theorem.hypotheses
    refused(lambda: core.cases(x, core.reflexivity(x), core.reflexivity(y)), "the cases prove")
    refused(lambda: core.cases(u, core.reflexivity(x), core.reflexivity(x)), "shape")


def test_induction_proves_what_it_is_given():
    claim = eq(Π(x, l), x**n)
    above = core.step(axiom(Π(x, index("l", succ(n))), "last factor"), (0,), core.assume(claim))
    above = core.transitivity(above, core.symmetry(axiom(x ** succ(n), "next power")))
    base = axiom(Π(x, index("l", ZERO)), "product over no index")
    base = core.transitivity(base, core.symmetry(axiom(x**ZERO, "next power")))
    theorem = core.induction(n, base, above)
    assert theorem.conclusion is claim
    rests_on(theorem)
    refused(lambda: core.induction(n, core.reflexivity(x), above), "base")
    refused(lambda: core.induction(n, base, core.assume(claim)), "does not follow")
    refused(lambda: core.induction(K, base, above))
    refused(lambda: core.induction(NATURALS, base, above))


def test_no_hypothesis_of_an_induction_speaks_of_its_number():
    claim, above = le(n * x, 0), le(succ(n) * x, 0)
    base = core.weakening(core.algebra(core.reflexivity(ZERO * x), (), ZERO))
    following = core.transport(core.assume(claim), core.equivalence(core.assume(above), core.assume(claim)))
    assert following.conclusion is above
    assert following.hypotheses == {claim, above}
    refused(lambda: core.induction(n, base, following), "a hypothesis speaks of n")


def test_an_index_below_the_number_of_an_induction_is_bound():
    """With i < n free, the step from 0 to 1 says nothing: X[i] + 1 = X[i] came out."""
    none, empty = index("i", ZERO), index("m", ZERO)
    counted = core.symmetry(axiom(Σ(δ(empty, none), empty), "sift"))
    base = core.step(core.reflexivity(X[none] + 1), (1,), counted)
    base = core.algebra(core.step(base, (1,), AXIOMS["product over no index"]), (), X[none])
    below, above = index("i", n), index("i", succ(n))
    claim = eq(X[below] + 1, X[below])
    same = axiom(claim, "equivalent relations", eq(X[above] + 1, X[above]), ONE)
    following = core.transport(core.assume(claim), same)
    refused(lambda: core.induction(n, base, following), "say ∀")


# ---- averages --------------------------------------------------------------------------------------------------------


def test_a_fact_about_a_random_variable_comes_from_its_law():
    refused(
        lambda: core.step(core.reflexivity(E(ε[i] ** 2, ε)), (1, 0), core.assume(eq(ε[i], 0))), "not known of a random"
    )
    refused(
        lambda: axiom(E(abs_(ε[i]), ε), "definition of a symbol by cases", "abs", 0, at=(1,)), "not known of a random"
    )
    refused(lambda: axiom(E(ε[i] ** 2 * ε[j], ε), "moments of the law"), "does not apply")
    assert true(axiom(E(ε[i] * ε[j], ε), "independent components"))
    refused(lambda: axiom(E(ε[i] * Σ(ε[k], k), ε), "independent components"), "does not apply")
    refused(lambda: Term("var", (K,), ("ε", "positive", "standard")), "data")


def test_moments_above_the_laws_are_assumed():
    fourth = core.reflexivity(E(ε[i] ** 4, ε))
    assert [hypothesis.op for hypothesis in fourth.hypotheses] == ["integrable"]
    rests_on(core.reflexivity(E(ε[i] * ε[j], ε)))
    growing = (1 + ε[i] ** 2) ** Fraction(5, 4)
    assert core.reflexivity(E(growing, ε)).hypotheses == {Term("integrable", (ε, growing))}


def test_what_holds_almost_everywhere_need_not_hold_where_points_meet():
    kernel, T = var("k", S, S), space("T")
    claim = core.assume(forall(forall(eq(kernel[z, w], 0), w), z))
    at_both = core.specialise(core.specialise(claim, z), w)
    assert at_both.conclusion is eq(kernel[z, w], 0)
    refused(lambda: core.specialise(core.specialise(claim, z), z), "almost all")
    refused(lambda: core.instantiate(at_both, (w, z)), "stay different")
    other = core.reflexivity(f[z] * var("g", T)[index("z", T)])
    refused(lambda: core.instantiate(other, (T, S)), "stay different")
    swapped = core.instantiate(at_both, (z, w), (w, z))
    assert swapped.conclusion is eq(kernel[w, z], 0)


def test_the_support_is_known_under_the_expectation_alone():
    inside = expect(q, q[z] / q[z], z)
    rests_on(core.algebra(core.reflexivity(inside), (2,), ONE))
    leaked = core.algebra(core.reflexivity(inside + q[z] / q[z]), (1,), ONE)
    rests_on(leaked, lt(0, q[z]))
    everywhere = axiom(expect(q, log(q[z]), z), "expectation as an integral")
    assert forall(lt(0, q[z]), z) in everywhere.hypotheses
    assert forall(lt(0, q_plus[z]), z) not in axiom(expect(q_plus, f[z], z), "expectation as an integral").hypotheses


def test_an_expectation_is_under_a_density():
    """A weight that is negative somewhere has no positivity, and no inequality of Jensen's."""
    assert forall(le(0, f[z]), z) in core.assume(le(0, expect(f, x**2, z))).hypotheses
    assert forall(le(0, f[z]), z) in axiom(expect(f, log(v[i]), z), "Jensen's inequality for the logarithm").hypotheses
    rests_on(core.assume(le(0, expect(q, x**2, z))))


def test_integrability_is_not_invented():
    split = calc(integral(f[z] - 2 * f[z], z)).eq(integral(f[z], z) - 2 * integral(f[z], z), linearity).theorem
    assert split.hypotheses == {Term("integrable", (z, f[z]))}
    constant = core.reflexivity(integral(q[w], z))
    assert constant.hypotheses == {Term("integrable", (z, q[w]))}
    conditional = var("r", S, S, dom="density")
    assert core.reflexivity(integral(conditional[z, w], w)).hypotheses == frozenset()
    assert core.reflexivity(integral(conditional[z, w], z)).hypotheses
    assert core.reflexivity(integral(conditional[z, z], z)).hypotheses
    nonnegative = core.instantiate(core.reflexivity(integral(q[z], z)), (q, array(x**2, z)))
    assert {hypothesis.op for hypothesis in nonnegative.hypotheses} == {"integrable", "eq"}
    above = core.step(core.reflexivity(expect(q, log(f[z]), z)), (2,), AXIOMS["tangent of the logarithm"])
    assert Term("integrable", (z, q[z] * f[z])) in above.hypotheses


def test_a_derivative_goes_into_an_expectation_under_its_condition():
    fine = axiom(D(E(ε[i] ** 2 * exp(x), ε), x), "derivative under the expectation")
    rests_on(fine)
    slope = D(integral(f[z] * exp(x * f[z]), z), x)
    assert Term("exchange", (slope,)) in axiom(slope, "derivative under the expectation").hypotheses
    high = D(E(ε[i] ** 4 * x, ε), x)
    assert Term("exchange", (high,)) in axiom(high, "derivative under the expectation").hypotheses
    refused(lambda: axiom(D(expect(q, f[z], z), q[w]), "derivative under the expectation"), "does not apply")


# ---- order -----------------------------------------------------------------------------------------------------------


def test_an_inequality_is_used_where_things_grow():
    below = core.assume(le(x, y))
    b = var("b")
    rests_on(core.step(core.reflexivity(x * b), (0,), below), le(0, b), le(x, y))
    rests_on(core.step(core.reflexivity(x**2), (0,), below), le(0, x), le(x, y))
    rests_on(core.step(core.reflexivity(x / b), (0,), below), lt(0, b), ne(b, 0), le(x, y))
    for term, path in (
        (b - x, (1,)),
        (b / x, (1,)),
        (-x, (0,)),
        (abs_(x), (0,)),
        (φ(x), (1,)),
        (ONE**x, (1,)),
        (δ(i, j) ** x, (1,)),
    ):
        refused(lambda term=term, path=path: core.step(core.reflexivity(term), path, below))
    refused(lambda: core.step(core.reflexivity(D(x * b, b)), (0, 0), below), "cannot be differentiated")
    refused(lambda: core.step(core.reflexivity(eq(x, b)), (0,), below))


def test_a_strict_inequality_stays_strict_only_under_what_grows_strictly():
    strict = core.assume(lt(x, y))
    assert core.step(core.reflexivity(exp(x)), (0,), strict).conclusion.op == "lt"
    assert core.step(core.reflexivity(relu(x)), (0,), strict).conclusion.op == "le"
    assert core.step(core.reflexivity(Σ(x, l)), (1,), strict).conclusion.op == "le"
    assert core.step(core.reflexivity(x**n), (0,), core.assume(lt(x, y))).conclusion.op == "le"
    for name, symbol in SYMBOLS.items():
        if symbol.kind == "app" and symbol.arity == 1 and symbol.monotone == (1,):
            lifted = core.step(core.reflexivity(Term("app", (x,), name)), (0,), strict)
            assert true(lifted), name


def test_signs_that_do_not_show_are_not_known():
    """A class of its own has probability 1: softmax is below 1 for two classes and more."""
    assert core.sign(core.reflexivity(1 - softmax(u)[k])).hypotheses
    share = exp(u[i]) / Σ(exp(u[k]), k)
    assert core.assume(lt(share, 1)).hypotheses == {lt(share, 1)}
    rests_on(core.assume(lt(s / (s + exp(x)), 1)))
    assert core.assume(lt(x / (x + exp(x)), 1)).hypotheses
    rests_on(core.assume(lt(tanh(x), 1)))
    assert core.sign(core.reflexivity(1 + tanh(x))).hypotheses
    rests_on(core.sign(core.reflexivity(1 - σ(x))))
    for unknown in (x - x, x * y, -(x**2), s - o, 1 - s, kl(s, s) - 1, K - 2):
        assert core.sign(core.reflexivity(unknown)).hypotheses


def test_what_is_known_of_a_free_index_is_not_known_of_a_bound_one():
    claim = implies(lt(0, u[k]), lt(0, Σ(u[k], k)))
    assert discharge(claim)
    assert discharge(implies(lt(0, f[z]), le(0, integral(f[z], z))))
    assert discharge(implies(le(0, u[k]), le(0, Π(u[k], k))))
    assert discharge(implies(lt(0, f[z]), lt(0, expect(q, f[z], z))))
    assert not discharge(implies(lt(0, x), lt(0, Σ(x, k))))


def test_a_simplex_sums_to_one_only_if_it_is_given():
    refused(lambda: calc(Σ(p[k], k)).eq(1))
    rests_on(calc(Σ(p[k], k)).eq(1, given(eq(Σ(p[k], k), 1))), eq(Σ(p[k], k), 1))
    refused(lambda: calc(1 - p[k]).lt(1))


def test_nought_to_the_nought_is_one():
    rests_on(calc((x - x) ** 0).eq(1))
    refused(lambda: calc((x - x) ** 0).eq(0))


def test_a_density_has_total_mass_one_by_declaration_and_nowhere_else():
    mass, rows = "normalisation", var("P", H, K, dom="positive density")
    rests_on(axiom(integral(q[z], z), mass))
    rests_on(axiom(Σ(rows[a, k], k), mass))
    for other in (Σ(rows[a, k], a), Σ(p[k], k), integral(f[z], z), integral(q[w], z), integral(2 * q[z], z)):
        refused(lambda other=other: axiom(other, mass), "does not apply")
    perhaps_empty, m = var("P", n, dom="density"), index("m", n)
    assert axiom(Σ(perhaps_empty[m], m), mass).hypotheses == {lt(0, n)}
    under = D(Σ(rows[a, k], k), rows[a, j])
    refused(lambda: core.step(core.reflexivity(under), (0,), AXIOMS[mass]), "does not apply")
    twice = array(2 * q_plus[z], z)
    moved = core.instantiate(axiom(integral(q[z], z), mass), (q, let("twice", twice)))
    assert closed(eq(integral(2 * q_plus[z], z), 1)) in map(closed, moved.hypotheses)


def test_zeros_of_gaps():
    zero = "zero of a gap"
    refused(lambda: axiom(eq(x * y, 0), zero), "does not apply")
    refused(lambda: axiom(eq(Σ(u[k], k), 0), zero), "does not apply")
    refused(lambda: axiom(eq(x**2 + y, 0), zero), "does not apply")
    refused(lambda: axiom(eq(x**0, 0), zero), "does not apply")
    rests_on(axiom(eq(sqrt(x) + y**2, 0), zero), le(0, x))
    rests_on(axiom(eq(Σ(u[k] ** 2, k), 0), zero))
    rests_on(axiom(eq(Σ(X[l] ** 2, l), 0), zero))
    assert axiom(eq(integral(kl(q_plus[z], q[z]), z), 0), zero).hypotheses


def test_equivalent_relations_scale_by_what_is_not_zero():
    rests_on(axiom(eq(x * y, 0), "equivalent relations", eq(x, 0), y), ne(y, 0))
    rests_on(axiom(le(x * y, 0), "equivalent relations", le(x, 0), y), lt(0, y))
    refused(lambda: axiom(le(x, y), "equivalent relations", lt(x, y), ONE), "does not apply")
    refused(lambda: axiom(le(x, y), "equivalent relations", le(y, x), ONE), "does not apply")
    reversed_ = axiom(le(x, y), "equivalent relations", le(y, x), -ONE)
    assert lt(0, -ONE) in reversed_.hypotheses


def test_equivalences_are_not_equations():
    same = core.assume(iff(eq(x, 0), eq(y, 0)))
    refused(lambda: core.step(core.reflexivity(x), (), same))
    refused(lambda: core.order(same))
    refused(lambda: core.extensionality(same, x, y))
    refused(lambda: core.transport(core.assume(eq(y, 0)), same), "does not begin")
    forwards = core.assume(le(0, x))
    assert core.equivalence(forwards, core.assume(lt(0, x))).hypotheses == {le(0, x), lt(0, x)}


def test_a_gap_must_be_a_gap():
    with pytest.raises(Complaint, match="not of the form"):
        from_gap(calc(x).eq(x * 1))
    assert core.order(core.reflexivity(x - y)).hypotheses == {le(0, x - y)}


# ---- algebra ---------------------------------------------------------------------------------------------------------


def test_brackets_are_idempotent_and_may_be_zero():
    bracket = δ(i, j)
    rests_on(core.algebra(core.reflexivity(x * bracket), (), x * bracket**2))
    rests_on(core.algebra(core.reflexivity(x / bracket), (), x / bracket**2), ne(bracket, 0))
    impossible = core.algebra(core.reflexivity(x / (bracket**2 - bracket)), (), 2 * x / (bracket**2 - bracket))
    assert ne(bracket**2 - bracket, 0) in impossible.hypotheses
    refused(lambda: core.algebra(core.reflexivity(δ(i, j) * δ(j, k)), (), δ(i, k)))
    refused(lambda: core.algebra(core.reflexivity(x**bracket), (), x ** (bracket**2)))


def test_atoms_are_opaque():
    refused(lambda: core.algebra(core.reflexivity(sqrt(x) ** 2), (), x))
    refused(lambda: core.algebra(core.reflexivity(exp(x) * exp(y)), (), exp(x + y)))
    refused(lambda: core.algebra(core.reflexivity(Σ(u[k] * v[j], k)), (), Σ(u[k] * v[k], k)))
    refused(lambda: core.algebra(core.reflexivity(u @ v), (), v @ u))
    refused(lambda: core.algebra(core.reflexivity(x ** Fraction(1, 2) * x ** Fraction(1, 2)), (), x))
    refused(lambda: core.algebra(core.reflexivity(x / (y - y)), (), ZERO))


def test_huge_powers_are_left_alone():
    theorem = core.algebra(core.reflexivity((x + y) ** 10**9 * 1), (), (x + y) ** 10**9)
    rests_on(theorem)
    refused(lambda: core.algebra(core.reflexivity((x + y) ** 300), (), (y + x) ** 299 * (x + y)))
    refused(lambda: axiom(log(ONE * (2**61 - 1)), "logarithm of a number"), "does not apply")


# ---- terms that mean nothing -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("op", "args", "data"),
    [
        ("add", (x, y, s), None), ("add", (x,), None), ("mul", (), None), ("sum", (k, x, y), None),
        ("neg", (x, y), None), ("div", (x,), None), ("num", (), 123457), ("num", (), 0.123), ("num", (), "3"),
        ("size", (), ("N", -1)), ("size", (), "N"), ("size", (), ("N", 0.5)), ("var", (), "x"),
        ("var", (), ("x", "real", "a", "b")), ("var", (x,), ("x", "real")), ("idx", (x,), "i"), ("idx", (K,), 3),
        ("succ", (S,), None), ("eq", (eq(x, y), eq(x, y)), None), ("eq", (i, j), None), ("add", (eq(x, y), x), None),
        ("sum", (k, eq(x, y)), None), ("iff", (x, y), None), ("and", (x, eq(x, y)), None), ("forall", (k, x), None),
        ("D", (eq(x, y), x), None), ("exchange", (x,), None), ("let", (eq(x, y),), "P"), ("app", (eq(x, y),), "exp"),
        ("sum", (x, y), None), ("sum", (ε, x), None), ("expect", (z, q[z]), None), ("mean", (ε, ε, x), None),
        ("mean", (u, x), None), ("at", (x,), None), ("nothing", (x,), None), ("add", (x, y), "data"),
        ("integrable", (z, eq(x, y)), None), ("T", (eq(x, y),), None), ("array", (k, k, x), None),
        ("delta", (i, a), None),
    ],
)  # fmt: skip
def test_what_means_nothing_is_not_written(op, args, data):
    refused(lambda: Term(op, args, data))


# ---- forging ---------------------------------------------------------------------------------------------------------


def test_a_theorem_is_not_made_by_hand():
    theorem = core.reflexivity(x)
    falsehood = eq(ONE, ZERO)
    refused(lambda: Theorem(frozenset(), falsehood, "reflexivity", (), object()), "not by hand")
    with pytest.raises((TypeError, ValueError, Complaint)):
        dataclasses.replace(theorem, conclusion=falsehood)
    with pytest.raises(dataclasses.FrozenInstanceError):
        theorem.conclusion = falsehood
    assert not hasattr(theorem, "key")
    assert copy.copy(theorem).conclusion is theorem.conclusion
    assert pickle.loads(pickle.dumps(theorem)).conclusion is theorem.conclusion  # noqa: S301 - our own bytes


def test_the_schemas_have_names_of_their_own():
    found = [value for module in _MODULES for value in vars(module).values() if isinstance(value, Axiom)]
    assert len({axiom_.name for axiom_ in found}) == len({id(axiom_) for axiom_ in found}) == len(AXIOMS)


def test_product_rule_and_sums_are_no_more_than_they_say():
    refused(lambda: calc(D(u[i] * v[j], u[k])).eq(0, product_rule, linearity))
    refused(lambda: calc(Σ(u[k], k) * Σ(v[k], k)).eq(Σ(u[k] * v[k], k), product_of_sums, linearity))
    refused(lambda: calc(exp(x * y)).eq(exp(x) * exp(y), exponent_sum))
    refused(lambda: calc(D(σ(x * y), x)).eq(σ(x * y) * (1 - σ(x * y)), sigmoid_rule, linearity))


amount = var("amount", dom="nonnegative")


def test_a_weight_of_zero_takes_its_logarithm_away():
    """a log b is 0 where a is, and what is said of b is said where a > 0; kl(a, b) needs b ≥ 0 as well."""
    rests_on(core.reflexivity(xlogy(p[k], p[k])))
    assert core.reflexivity(xlogy(p[k], u[k])).hypotheses == {implies(lt(0, p[k]), lt(0, u[k]))}
    assert core.reflexivity(kl(p[k], u[k])).hypotheses == {implies(lt(0, p[k]), lt(0, u[k])), le(0, u[k])}
    assert le(0, x) in core.reflexivity(xlogy(x, s)).hypotheses
    rests_on(axiom(xlogy(p[k], p[k]), "definition of a symbol", "xlogy"), lt(0, p[k]))
    rests_on(axiom(kl(amount, s), "parts of the relative-entropy gap"))
    rests_on(axiom(kl(amount, s), "definition of a symbol", "kl"), lt(0, amount))
    rests_on(axiom(xlogy(p[k], s), "weighted logarithm of what is positive"))
    refused(lambda: axiom(xlogy(p[k], p[k]), "weighted logarithm of what is positive"), "does not apply")
    assert axiom(xlogy(x + y, s), "weight of a logarithm").hypotheses >= {le(0, x), le(0, y)}
    assert axiom(xlogy(amount, x * y), "weighted logarithm of a product").hypotheses >= {lt(0, x), lt(0, y)}


def test_a_weighted_logarithm_grows_but_not_strictly():
    strict = core.assume(lt(s, x))
    assert core.step(core.reflexivity(xlogy(amount, s)), (1,), strict).conclusion.op == "le"
    refused(lambda: core.step(core.reflexivity(xlogy(s, s)), (0,), strict), "not known to grow")
    refused(lambda: core.step(core.reflexivity(xlog_ratio(amount, s)), (1,), strict), "not known to grow")


def test_a_weighted_logarithm_has_no_slope_by_a_weight_of_zero():
    by_weight = axiom(D(xlogy(x, s), x), "derivative of a symbol", "xlogy")
    assert lt(0, x) in by_weight.hypotheses
    rests_on(axiom(D(xlogy(amount, s), s), "derivative of a symbol", "xlogy"))
    assert lt(0, amount) in axiom(D(kl(amount, s), s), "derivative of a symbol", "kl").hypotheses


def test_a_declared_mass_is_known_outside_of_derivatives_and_of_nothing_else():
    rows = var("P", H, K, dom="density")
    assert not discharge(eq(Σ(rows[a, k], k), 1))
    assert not discharge(lt(0, integral(q[z], z)))
    for other in (Σ(rows[a, k], a), Σ(p[k], k), integral(f[z], z), 2 * integral(q[z], z)):
        assert discharge(eq(other, 1))
    perhaps_empty, m = var("P", n, dom="density"), index("m", n)
    assert discharge(eq(Σ(perhaps_empty[m], m), 1))
    assert discharge(lt(0, Σ(perhaps_empty[m], m)))


def test_a_logarithm_is_positive_above_one():
    less, more = (Term("num", (), Fraction(m, 2)) for m in (1, 3))
    for known in (lt(0, log(2)), le(0, log(1)), ne(log(less), 0), le(0, log(K)), lt(0, log(more))):
        assert not discharge(known), known
    for unknown in (lt(0, log(1)), lt(0, log(less)), lt(0, log(K)), le(0, log(n)), ne(log(1), 0), le(0, log(s))):
        assert discharge(unknown), unknown


def test_the_exponential_of_a_shifted_power_is_integrable_with_it_and_a_product_is_not():
    power = Term("integrable", (z, exp(f[z] - x)))
    assert discharge(power) == {Term("integrable", (z, exp(f[z])))}
    assert discharge(Term("integrable", (z, exp(x - f[z])))) == {Term("integrable", (z, exp(x - f[z])))}
    weighted = Term("integrable", (z, q[z] * log(exp(f[z]) / s)))
    assert discharge(weighted) == {Term("integrable", (z, q[z] * f[z]))}
    ratio = Term("integrable", (z, q[z] * log(q[z] / f[z])))
    assert discharge(ratio) == {ratio}
