"""Families, passes through layers and integers: what they mean, and what is refused."""

import pytest

from derive.evidence.witness import witness
from derive.language.notation import floor, sqrt, σ
from derive.language.term import (
    ZERO,
    D,
    ShapeError,
    Term,
    array,
    both,
    eq,
    family,
    iff,
    index,
    le,
    let,
    lt,
    mapping,
    natural,
    passing,
    size,
    sizes,
    slope_of,
    substitute,
    succ,
    var,
    widths,
)
from derive.logic.calc import StepError, calc
from derive.logic.context import ProofError
from derive.logic.rules.reasons import (
    derivative,
    first_layer,
    floor_bound,
    floor_equals,
    floor_integer,
    last_layer,
    linearity,
    map_rule,
    next_integer,
    no_layer,
    two_parts,
)
from derive.logic.theorem import assume, induction, instantiate, reflexivity, weakening

K, M = sizes("K M")
k, j = index("k", K), index("j", K)
l, m, b = natural("l"), natural("m"), natural("b")
u, x, t = var("u", K), var("x"), var("t", dom="integer")
F, F1 = mapping("F", K), slope_of("F", K)
R = passing("R", lambda layer: (K,), lambda layer, state: state + F(state, layer))
n = widths("n")


def test_a_pass_of_no_layer_and_its_last_layer():
    assert calc(R(l, l, u)[k]).eq(u[k], no_layer).theorem.hypotheses == frozenset()
    line = calc(R(0, succ(m), u)[k]).eq(R(0, m, u)[k] + F(R(0, m, u), m)[k], last_layer)
    assert line.theorem.hypotheses == frozenset()
    assert witness(line.theorem.conclusion).status == "true"


def test_a_pass_goes_upwards():
    assert reflexivity(R(l, m, u)[k]).hypotheses == frozenset([le(l, m)])
    line = calc(R(l, m, u)[k]).eq(R(succ(l), m, u + F(u, l))[k], first_layer)
    assert lt(l, m) in line.theorem.hypotheses
    parts = calc(R(l, m, R(0, l, u))[k]).eq(R(0, m, u)[k], two_parts)
    assert parts.theorem.hypotheses == frozenset([le(l, m)])
    assert witness(eq(R(l, m, u), R(0, m, u))).status == "false"


def test_another_pass_is_not_joined():
    other = passing("R", lambda layer: (K,), lambda layer, state: state - F(state, layer))
    with pytest.raises(StepError):
        calc(R(l, m, other(0, l, u))[k]).eq(R(0, m, u)[k], two_parts)


def test_slots_are_not_caught():
    around = passing("N", lambda layer: (K,), lambda layer, state: state + u)
    slot = around(0, m, u).args[3]
    with pytest.raises(ShapeError, match="of another pass"):
        substitute(around(0, m, u), {u: slot})
    with pytest.raises(ProofError, match="part of a pass"):
        instantiate(reflexivity(around(0, m, u)), (u, slot))
    inner = substitute(around(0, m, var("v", K)), {u: R(0, b, u)})
    assert inner.args[3] is not slot, "the slots of a pass around a pass have other names"
    assert witness(eq(inner, around(0, m, var("v", K)))).status == "false"


def test_what_a_layer_may_not_hold():
    with pytest.raises(ShapeError, match="another quantity at every layer"):
        passing("N", lambda layer: (K,), lambda layer, state: let("h", state))(0, m, u)
    with pytest.raises(ShapeError, match="no free index"):
        passing("N", lambda layer: (K,), lambda layer, state: state * u[k])(0, m, u)
    with pytest.raises(ShapeError, match="the state at"):
        passing("N", lambda layer: (n(layer),), lambda layer, state: state)(0, m, var("z", n(0)))
    partial = passing("N", lambda layer: (K,), lambda layer, state: sqrt(state))
    assert lt(ZERO, ZERO) in reflexivity(partial(0, m, u)[k]).hypotheses, "its layers are not defined everywhere"


def test_widths_belong_together():
    W = family("W", n, n)
    assert W(l).shape == (n(l), n(l))
    with pytest.raises(ShapeError):
        _ = var("A", n(l)) + var("B", n(succ(l)))
    with pytest.raises(ProofError, match="one of a family"):
        instantiate(reflexivity(var("A", n(l))), (n(l), K))
    with pytest.raises(ShapeError):
        Term("size", (l,), ("n", 0))


def test_a_derivative_sees_what_a_pass_starts_from_and_no_name():
    zl = let("z", R(0, l, u))
    assert calc(D(R(0, l, u)[k], zl[j])).eq(0, linearity).theorem.hypotheses == frozenset()
    with pytest.raises(StepError):
        calc(D(R(0, m, u)[k], u[j])).eq(0, linearity)
    with pytest.raises(StepError):
        calc(D(F(u)[k], u[j])).eq(F1(u)[j, k], map_rule, linearity)


def test_induction_over_layers_needs_its_hypothesis():
    claim = eq(R(0, b, u), array(u[k], k))
    base = calc(R(0, ZERO, u)[k]).eq(u[k], no_layer).array(R(0, ZERO, u), array(u[k], k), k)
    with pytest.raises(ProofError):
        induction(b, base.theorem, base.theorem)
    assert witness(claim).status == "false"


def test_integers():
    line = calc(eq(floor(x), t)).iff(both(le(t, x), lt(x, t + 1)), floor_equals)
    assert witness(line.theorem.conclusion).status == "true"
    calc(le(K, floor(x))).iff(le(K, x), floor_bound)
    calc(lt(t, K + 1)).iff(le(t, K), next_integer)
    calc(floor(x + K)).eq(floor(x) + K, floor_integer)
    for formula, wrong, reason in (
        (eq(floor(x), x / 2), both(le(x / 2, x), lt(x, x / 2 + 1)), floor_equals),
        (le(x, floor(u[k])), le(x, u[k]), floor_bound),
        (lt(x, K + 1), le(x, K), next_integer),
    ):
        with pytest.raises(StepError):
            calc(formula).iff(wrong, reason)
    with pytest.raises(StepError):
        calc(floor(x + σ(x))).eq(floor(x) + σ(x), floor_integer)


def test_an_integer_stays_one():
    theorem = calc(floor(t)).eq(t, floor_integer).theorem
    assert instantiate(theorem, (t, size("N") + 1)).rhs is size("N") + 1
    with pytest.raises(ProofError, match="domain"):
        instantiate(theorem, (t, x))
    with pytest.raises(StepError):
        calc(D(floor(t), t)).eq(D(t, t), floor_integer)


def test_the_floor_is_level_off_the_integers():
    line = calc(D(floor(x), x)).eq(0, derivative("floor"))
    assert any("floor" in repr(h) for h in line.theorem.hypotheses), "off the integers"


def test_weaker_than_less():
    assert weakening(assume(lt(l, m))).conclusion is le(l, m)
    assert witness(iff(lt(l, m), le(succ(l), m))).status == "true"
