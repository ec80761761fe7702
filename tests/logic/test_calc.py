"""What `calc` refuses, and whether the error says what to do."""

import pytest

from derive.language.notation import exp, log, relu, softmax, σ
from derive.language.term import ZERO, Σ, D, array, eq, forall, indices, le, let, lift, lt, outer, sizes, var, δ
from derive.logic.calc import Calculation, StepError, calc
from derive.logic.context import ProofError
from derive.logic.facts import closed
from derive.logic.rules.reasons import (
    by,
    chain,
    exp_rule,
    exponent_sum,
    given,
    linearity,
    log_rules,
    log_tangent,
    multiplied,
    product_of_sums,
    product_rule,
    sift,
    sigmoid_rule,
    use,
)
from derive.logic.theorem import Theorem

K, H = sizes("K H")
i, j, k = indices("i j k", K)
a, c = indices("a c", H)
x, y, s, t = var("x"), var("y"), var("s", dom="positive"), var("t", dom="positive")
u, v, W = var("u", K), var("v", K), var("W", K, H)
z = let("z", W.T @ u)
L = let("L", Σ(σ(z[a]), a))


def refusal(make, *says):
    """The error of a line that is refused, which says all this."""
    with pytest.raises(ProofError) as caught:
        make()
    for part in says:
        assert part in str(caught.value), str(caught.value)
    return caught.value


# ---- wrong lines -----------------------------------------------------------------------------------------------------

WRONG = {
    "sign": lambda: calc(D(σ(x), x)).eq(-σ(x) * (1 - σ(x)), sigmoid_rule, linearity),
    "factor": lambda: calc(D(x * x, x)).eq(3 * x, product_rule, linearity),
    "index": lambda: calc(D(Σ(u[k] * v[k], k), u[j])).eq(v[i], linearity, sift),
    "dropped term": lambda: calc(D(u[i] * v[j] + u[j], u[k])).eq(v[j] * δ(i, k), linearity),
    "bound index": lambda: calc(Σ(u[k] * v[i], k)).eq(Σ(u[k] * v[k], k)),
    "missing reason": lambda: calc(D(Σ(u[k] * v[k], k), u[j])).eq(v[j], linearity),
    "no reason": lambda: calc(log(s * t)).eq(log(s) + log(t)),
    "another reason": lambda: calc(log(s * t)).eq(log(s) + log(t), exponent_sum),
    "definition": lambda: calc(z[a]).eq(Σ(W[k, a] * u[k], k)),
    "order": lambda: calc(W.T @ u).eq(W.T @ v),
}


@pytest.mark.parametrize("make", WRONG.values(), ids=WRONG)
def test_a_wrong_line_shows_both_sides_and_what_to_do(make):
    error = refusal(make, "you wrote", "the rules give", "yours comes to", "correct the line, or name the reason")
    assert isinstance(error, StepError)
    assert error.kind == "wrong"


def test_the_error_keeps_the_terms():
    error = refusal(lambda: calc(x * x).eq(x * y))
    assert (error.before, error.written, error.relation) == (x * x, x * y, "=")
    assert "algebra alone" in str(error)
    assert "x·y" in str(error)


def test_the_error_names_the_reasons():
    refusal(
        lambda: calc(D(x * exp(x), x)).eq(exp(x), product_rule, exp_rule),
        "product rule",
        "derivative of the exponential",
    )


def test_another_shape_is_told():
    refusal(lambda: calc(u).eq(W), "another shape", "write array(…)")
    refusal(lambda: calc(x).eq(u), "another shape")
    refusal(lambda: calc(u[i] * v[j]).eq(v[j] * u[i]).array(outer(u, v), outer(v, u), i, j), "last line", "component")


def test_a_term_is_no_reason():
    refusal(lambda: calc(z[a]).eq(Σ(W[k, a] * u[k], k), z), "is a term and no reason", "write by(z)")
    with pytest.raises(StepError, match="is no reason"):
        calc(x).eq(x, "algebra")
    with pytest.raises(TypeError, match="no exact number"):
        calc(x).eq(0.5)
    with pytest.raises(TypeError, match="no truth value"):
        calc(x).eq(x if x == y or x else y)


# ---- reasons that are not needed -------------------------------------------------------------------------------------

SUPERFLUOUS = {
    "by algebra alone": (lambda: calc(x + x).eq(2 * x, linearity), "linearity"),
    "beside another": (lambda: calc(D(x + x * y, x)).eq(1 + y, linearity, sift), "sift"),
    "the first": (lambda: calc(log(s * t)).eq(log(s) + log(t), sift, log_rules), "sift"),
    "a definition": (lambda: calc(D(x * y, x)).eq(y, by(z), linearity), "definition of z"),
    "a given": (lambda: calc(u[i] - u[i]).eq(0, given(forall(eq(u[k], 0), k))), "given"),
    "an inequality": (lambda: calc(s).eq(s * 1, log_tangent), "tangent"),
}


@pytest.mark.parametrize(("make", "name"), SUPERFLUOUS.values(), ids=SUPERFLUOUS)
def test_a_superfluous_reason_is_refused_by_name(make, name):
    error = refusal(make, "is not needed for", "leave it out", name)
    assert isinstance(error, StepError)
    assert error.kind == "superfluous"


# ---- relations -------------------------------------------------------------------------------------------------------

RELATIONS = {
    "weaker than proved": (lambda: calc(D(x * y, x)).le(y, linearity), "="),
    "stronger than proved": (lambda: calc(log(s)).lt(s - 1, log_tangent), "≤"),
    "equal and not": (lambda: calc(log(s)).eq(s - 1, log_tangent), "≤"),
    "by a given": (lambda: calc(x + 1).lt(y + 1, given(le(x, y))), "≤"),
    "strict": (lambda: calc(x + 1).le(y + 1, given(lt(x, y))), "<"),
}


@pytest.mark.parametrize(("make", "proved"), RELATIONS.values(), ids=RELATIONS)
def test_the_relation_is_the_one_that_is_proved(make, proved):
    error = refusal(make, f"the reasons prove {proved}", "write that relation")
    assert error.kind == "relation"


def test_an_inequality_goes_one_way():
    refusal(lambda: calc(s - 1).le(log(s), log_tangent), "it does not follow")
    refusal(lambda: calc(y).le(x, given(le(x, y))), "it does not follow")
    refusal(lambda: calc(-log(s)).le(-(s - 1), log_tangent))
    chain_ = calc(log(s)).le(s - 1, log_tangent).eq(-1 + s)
    assert chain_.theorem.conclusion is le(log(s), -1 + s)
    assert calc(relu(x) + 1).le(relu(y) + 1, given(lt(x, y))).theorem.conclusion.op == "le"


# ---- reasons that do not come to rest --------------------------------------------------------------------------------


def test_reasons_that_undo_each_other_end_with_the_budget():
    there, back = given(eq(x, y + 0)), given(eq(y, x + 0))
    refusal(lambda: calc(x).eq(y, there, back), "undo each other")
    refusal(lambda: calc(u[i]).eq(0, given(forall(eq(u[k], u[k] * 1), k))), "go on for more than", "undo each other")


def test_a_reason_that_undoes_another_acts_once():
    spread = calc(Σ(u[k], k) * v[j]).eq(Σ(u[k] * v[j], k), product_of_sums)
    assert spread.eq(v[j] * Σ(u[k], k), linearity).lines[-1].relation == "="


# ---- what goes through -----------------------------------------------------------------------------------------------


def test_a_line_by_algebra_alone_has_no_reasons():
    made = calc(x * (y + 1)).eq(x * y + x)
    assert made.lines[0].reasons == ()
    assert made.theorem.hypotheses == frozenset()
    assert isinstance(made, Calculation)
    assert isinstance(made.theorem, Theorem)


def test_one_reason_unfolds_and_folds():
    for start, goal in ((z[a], Σ(W[k, a] * u[k], k)), (Σ(W[k, a] * u[k], k), z[a])):
        assert calc(start).eq(goal, by(z)).theorem.conclusion is eq(start, goal)


def test_an_earlier_theorem_is_a_reason_at_every_instance():
    product = use(calc(log(s * t)).eq(log(s) + log(t), log_rules).theorem, "the logarithm of a product")
    made = calc(Σ(log(exp(x) * exp(u[k])), k)).eq(Σ(log(exp(x)) + log(exp(u[k])), k), product)
    assert made.theorem.hypotheses == frozenset()
    rough = calc(log(x * exp(y))).eq(log(x) + log(exp(y)), product)
    assert {closed(h) for h in rough.theorem.hypotheses} == {lt(0, x)}


def test_a_chain_keeps_what_its_lines_rest_on():
    made = calc(x / x + Σ(u[k], k)).eq(1 + Σ(u[k], k)).eq(2, given(eq(Σ(u[k], k), 1)))
    assert {h.op for h in made.theorem.hypotheses} == {"ne", "eq"}
    assert len(made.lines) == 2


@pytest.mark.parametrize(("before", "after", "factor", "words"), [
    (s * x, lift(3) * s, s, ("divide by ", s)),
    (x / s, 3 / s, 1 / s, ("multiply by ", s)),
    (s * x / 2, lift(3) * s / 2, s / 2, ("multiply by ", lift(2) / s)),
    (-x / s, lift(-3) / s, -(1 / s), ("multiply by ", -s)),
    (x + 1, lift(4), lift(1), ("rearranged",)),
    (-x, lift(-3), lift(-1), ("rearranged",)),
])  # fmt: skip
def test_a_reason_says_what_is_done_to_both_sides(before, after, factor, words):
    reason = multiplied(eq(x, 3), factor)
    assert calc(eq(before, after)).iff(eq(x, 3), reason).lines
    assert reason.words == words


def test_components_are_read_as_arrays():
    slope = D(Σ(u[k] * W[k, a], k), W)
    made = calc(D(Σ(u[k] * W[k, a], k), W[i, c])).eq(u[i] * δ(a, c), linearity, sift)
    assert made.array(slope, array(u[i] * δ(a, c), i, c), i, c).theorem.lhs is slope
    simple = calc(u[i] * v[j]).eq(v[j] * u[i]).array(outer(u, v), outer(v, u).T, i, j)
    assert simple.theorem.conclusion is eq(outer(u, v), outer(v, u).T)


def test_the_chain_rule_is_a_reason():
    made = calc(D(L, u[j])).eq(Σ(D(L, z[a]) * D(z[a], u[j]), a), chain(z))
    assert made.theorem.hypotheses == frozenset()
    refusal(
        lambda: calc(D(L * u[i], u[j])).eq(Σ(D(L * u[i], z[a]) * D(z[a], u[j]), a), chain(z)), "by a path that avoids z"
    )


def test_softmax_below_a_derivative_by_its_own_name():
    p = let("p", softmax(u))
    refusal(lambda: calc(D(p[i], p[j])).eq(ZERO, by(p), linearity), "the rules give [i = j]")
