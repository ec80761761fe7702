"""What must not be provable with matrices, laws, limits, passes, integers and 0·log 0."""

from math import inf

import pytest

from derive.evidence.witness import witness
from derive.language.array import component, push
from derive.language.notation import abs_, exp, floor, kl, log, max_, relu, sqrt, step, tanh, xlog_ratio, xlogy
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
    det,
    diag,
    eq,
    expect,
    eye,
    family,
    forall,
    implies,
    index,
    indices,
    inv,
    invertible,
    le,
    let,
    lift,
    lt,
    mapping,
    natural,
    ne,
    outer,
    passing,
    posdef,
    random,
    sizes,
    space,
    succ,
    tends,
    var,
    vector,
    widths,
    δ,
)
from derive.logic import theorem as core
from derive.logic.certificate import axioms
from derive.logic.facts import closed, discharge

AXIOMS = axioms()
K, N, d = sizes("K N d")
n, t = natural("n"), natural("t")
i, j, p = indices("i j p", d)
k = index("k", K)
m = index("m", NATURALS)
x, y, s = var("x"), var("y"), var("s", dom="positive")
o, not_negative = var("o", dom="unit"), var("a", dom="nonnegative")
u, r, v = var("u", d), var("r", d), var("v", d, dom="positive")
A, B, M, W = (var(name, d, d) for name in "ABMW")
T = var("T", d, d, d)
X, λ = var("X", N, d), var("λ", dom="positive")
Y = var("Y", NATURALS)
definite = X.T @ X + λ * eye(d)
S = space("S")
z, w = indices("z w", S)
q, f = var("q", S, dom="density"), var("f", S)
ε = random("ε", K, law="standard")


def axiom(term, name, *parameters, at=()):
    return core.step(core.reflexivity(term), at, AXIOMS[name], *parameters)


def refused(make, match=None):
    with pytest.raises(Complaint, match=match):
        make()


def rests_on(theorem, *formulas):
    """The theorem has exactly these hypotheses, and is true under them."""
    assert {closed(hypothesis) for hypothesis in theorem.hypotheses} == {closed(formula) for formula in formulas}
    assert witness(theorem.conclusion, theorem.hypotheses).status == "true"


def unknown(*formulas):
    for formula in formulas:
        assert discharge(formula), formula


# ---- indices that the engine chooses ---------------------------------------------------------------------------------


def test_a_condition_on_every_component_does_not_catch_a_free_index():
    """Under ∀i 0 < W[i, i] alone, |W[d0, i]| = W[d0, i] was proved for a free index named d0."""
    mine = index("d0", d)
    size = axiom(abs_(v[i]), "definition of a symbol by cases", "abs", 0)
    rests_on(core.instantiate(size, (v, array(W[mine, j], j))), lt(0, W[mine, j]))


def test_where_an_array_is_defined_does_not_catch_a_free_index():
    mine = index("h0", d)
    rests_on(core.reflexivity(array(1 / W[mine, j], j)), ne(W[mine, j], 0))
    apart = implies(ne(δ(i, j), 1), ne(W[mine, i] * x, W[mine, j] * x))
    rests_on(core.reflexivity(D(max_(array(W[mine, j] * x, j)), x)), forall(apart, i, j))


def test_the_sign_of_a_diagonal_does_not_catch_a_free_index():
    """diag(u[h0]·u[j]) is no square, though its entry at j = h0 is one."""
    mine = index("h0", d)
    unknown(posdef(λ * eye(d) + diag(array(u[mine] * u[j], j))))
    turned = axiom(inv(array(T[mine, i, j], i, j))[i, j], "inverse of the transpose")
    alike = forall(eq(T[mine, i, j], T[mine, j, i]), i, j)
    assert closed(alike) in map(closed, turned.hypotheses)


# ---- shapes ----------------------------------------------------------------------------------------------------------


def test_a_part_keeps_its_shape():
    """(M − M) + r is r as a rational function, and its rows are: of its transpose the columns are."""
    rows = B + ((M - M) + r).T
    refused(lambda: core.algebra(core.reflexivity(rows), (1, 0), r), "another shape")
    powers = B + (M**0 * r).T
    refused(lambda: core.step(core.reflexivity(powers), (1, 0, 0), AXIOMS["next power"]), "another shape")


def test_a_random_array_is_no_natural_number():
    """∀ε P(ε), for an array over ℕ, is not said of the number 0, whose axes are not those of ε."""
    white, over, beside = random("ε", NATURALS, law="standard"), var("r", NATURALS), var("b", NATURALS)
    a, c = indices("a c", NATURALS)
    square = var("B", NATURALS, NATURALS)
    left = square + outer(exp(white), over).T
    right = square + outer(over, exp(white) + (beside - beside))
    same = core.algebra(core.reflexivity(push(component(left, (a, c)))), (), push(component(right, (a, c))))
    every = core.generalisation(core.extensionality(same, left, right, a, c), white)
    refused(lambda: core.specialise(every, ZERO), "does not range")


# ---- matrices --------------------------------------------------------------------------------------------------------


def test_reciprocals_of_entries_are_no_inverse():
    """1/M, entry by entry, need not be positive definite where M is."""
    unknown(posdef(1 / definite), posdef(eye(d) / definite), posdef(definite * definite), invertible(1 / definite))
    unknown(posdef(definite @ definite), lt(0, det(definite @ definite)), posdef(eye(d) + A.T @ (W @ A)))
    assert not discharge(posdef(definite / λ))


def test_an_inverse_does_not_cancel_through_a_sum_over_its_own_matrix():
    """In Σ_k A(i)⁻¹[i, k]·Σ_i A(i)[k, p]·u[i] the second i is another one."""
    matrix = array(T[i, j, p], j, p)
    other = index("l", d)
    inner = Σ(push(component(matrix, (other, p))) * u[i], i)
    refused(lambda: axiom(Σ(inv(matrix)[i, other] * inner, other), "inverse"), "does not apply")
    rests_on(axiom(Σ(inv(A)[i, other] * Σ(A[other, i] * u[i], i), other), "inverse"), invertible(A))
    refused(lambda: axiom(Σ(inv(A)[other, other] * A[other, j], other), "inverse"), "does not apply")
    refused(lambda: axiom(Σ(inv(A)[i, other] * Σ(A[other, p] * r[other], p), other), "inverse"), "does not apply")


def test_symmetry_that_is_given_says_nothing_under_a_derivative():
    slope = D(inv(A)[i, j], A[p, i])
    refused(lambda: core.step(core.reflexivity(slope), (0,), AXIOMS["inverse of the transpose"]), "cannot be")
    rests_on(axiom(slope, "derivative of the inverse"), invertible(A))
    rests_on(axiom(D(det(A), A[i, j]), "derivative of the determinant"), invertible(A))


def test_a_domain_for_samples_is_no_fact():
    orthonormal, square = var("Q", d, d, dom="orthonormal"), var("C", d, d, dom="definite")
    unknown(eq(orthonormal.T @ orthonormal, eye(d)), invertible(orthonormal), posdef(square), invertible(square))
    unknown(le(var("c", dom="closed unit"), 1))


# ---- under ∂ ---------------------------------------------------------------------------------------------------------


def test_infinitely_many_open_conditions_need_not_be_open():
    """x < Y[m] for every m holds at 0 and nowhere to the right, where Y decreases to 0."""
    fresh = Term("var", (), ("x°", "real"))
    below = core.assume(forall(lt(0, Y[m] - fresh), m))
    everywhere = core.conjunction(below, core.reflexivity(abs_(fresh)))
    assert everywhere.hypotheses
    size = core.cut(
        axiom(abs_(Y[m] - fresh), "definition of a symbol by cases", "abs", 0, True), core.specialise(below, m)
    )
    assert closed(forall(lt(0, Y[m] - fresh), m)) in map(closed, size.hypotheses)
    refused(lambda: core.step(core.reflexivity(D(abs_(Y[m] - x), x)), (0,), size), "cannot be differentiated")


def test_an_integer_is_a_number_like_others_under_a_derivative():
    whole = var("t", dom="integer")
    refused(lambda: axiom(D(floor(whole), whole), "floor of an integer", at=(0,)), "does not apply")
    refused(lambda: core.instantiate(axiom(floor(whole), "floor of an integer"), (whole, x / 2)), "domain")
    rests_on(axiom(D(floor(x), x), "derivative of a symbol", "floor"), ne(floor(x), x))


def test_a_weighted_logarithm_is_not_taken_apart_where_its_weight_may_leave_its_domain():
    a = not_negative
    refused(lambda: axiom(D(xlogy(a, s), a), "weighted logarithm of what is positive", at=(0,)), "cannot be")
    refused(lambda: axiom(D(xlog_ratio(a, s), a), "weighted logarithm of a ratio", at=(0,)), "cannot be")
    refused(lambda: axiom(D(xlogy(a, s), a), "definition of a symbol by cases", "xlogy", 0, True, at=(0,)), "cannot")
    rests_on(axiom(D(kl(a, s), a), "derivative of a symbol", "kl"), lt(0, a))


def test_an_indicator_has_no_slope_where_it_jumps():
    refused(lambda: axiom(D(step(x), x), "definition of a symbol by cases", "step", 1, at=(0,)), "cannot be")
    rests_on(axiom(D(step(x), x), "derivative of a symbol", "step"), ne(x, 0))
    rests_on(axiom(step(x), "indicator and sign"), ne(x, 0))


def test_no_derivative_by_a_parameter_goes_inside():
    moving = random("w", K, law="spread", parameters=(x, y))
    slope = D(E(moving[k] * x, moving), x)
    refused(lambda: axiom(slope, "derivative under the expectation"), "does not apply")
    refused(lambda: axiom(slope, "constant factor rule"), "does not apply")
    variance = D(E(moving[k] ** 2, moving), y)
    refused(lambda: axiom(variance, "moments of the law", at=(0,)), "cannot be differentiated")
    hidden = let("q", x**2)
    through = random("w", law="spread", parameters=(hidden, s))
    for by in (x, hidden):
        refused(lambda by=by: axiom(D(E(through * x, through), by), "derivative under the expectation"), "does not")


# ---- signs -----------------------------------------------------------------------------------------------------------


def test_what_is_below_one_by_no_rule():
    unknown(lt(o**n, 1), lt(x ** lift(2), 1), lt(tanh(x) ** K, ONE - 1), lt(abs_(x), 1), lt(s / (s + x), 1))
    assert not discharge(lt(o**K, 1))


def test_factors_and_summands_have_the_sign_of_the_whole_only_where_none_is_negative():
    unknown(implies(lt(0, x * y), lt(0, x)), implies(lt(0, u[i]), lt(0, Σ(u[i], i))))
    assert not discharge(implies(lt(0, not_negative * s), lt(0, not_negative)))
    assert not discharge(implies(lt(0, u[i] ** 2), lt(0, Σ(u[j] ** 2, j))))
    unknown(lt(0, max_(u)), ne(max_(exp(u) - 1), 0), lt(0, -max_(exp(u))))


def test_a_hypothesis_for_all_is_no_hypothesis_on_the_diagonal():
    assert closed(forall(lt(0, W[i, j]), i, j)) is closed(forall(lt(0, W[j, i]), i, j))
    assert closed(forall(lt(0, W[i, i]), i)) is not closed(forall(lt(0, W[i, j]), i, j))
    assert closed(implies(lt(0, u[i]), lt(0, u[j]))) is not closed(implies(lt(0, u[i]), lt(0, u[i])))


# ---- limits ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("body", [1 / s, log(s), s**-1, sqrt(s) / s, ZERO * (1 / s), log(s) * s])
def test_what_is_undefined_at_the_limit_rests_on_a_falsehood(body):
    theorem = axiom(tends(body, s, 0, y), "limit of an expression")
    assert theorem.hypotheses & {ne(ZERO, 0), lt(ZERO, 0)}


def test_what_jumps_or_has_no_rule_has_no_limit():
    for body in (xlogy(s, s), s**s, floor(s), step(s), Term("app", (s,), "sign")):
        refused(lambda body=body: axiom(tends(body, s, 0, y), "limit of an expression"), "does not apply")
    refused(lambda: axiom(tends(Σ(x, index("l", t)) * x, t, inf, y), "limit of an expression"), "does not apply")
    refused(lambda: axiom(tends(x**t * Y[t], t, inf, 0), "limit of a geometric sequence"), "does not apply")


def test_one_member_is_not_the_whole_sequence():
    claim = core.reflexivity(tends(Y[t], t, inf, 0))
    refused(lambda: core.step(claim, (2,), core.assume(eq(Y[t], x))), "all the way")
    every = core.specialise(core.assume(forall(eq(Y[m], x), m)), t)
    rests_on(core.step(claim, (2,), every), forall(eq(Y[m], x), m))


def test_the_variable_of_a_limit_catches_nothing():
    decays = axiom(tends(y**t, t, inf, 0), "elementary limits")
    rests_on(core.instantiate(decays, (y, x**t)), lt(abs_(x**t), 1))
    parts = axiom(tends(Σ(u[i] ** t * r[i], i), t, inf, y), "limit of an expression", u[i] ** t, ZERO)
    rests_on(parts, forall(tends(u[i] ** t, t, inf, 0), i))


# ---- passes and sums written out -------------------------------------------------------------------------------------


def test_the_layers_of_a_pass_hold_their_parameters():
    θ, start = var("θ", K), var("x", K)
    through = passing("R", lambda layer: (K,), lambda layer, state: state * θ)
    for by in (θ, start):
        refused(lambda by=by: axiom(D(through(0, n, start)[k], by[k]), "derivative of a constant"), "does not apply")
    last = axiom(D(through(0, succ(n), start)[k], start[k]), "last layer of a pass", at=(0,))
    refused(lambda: core.instantiate(last, (θ, start)), "would depend")
    refused(lambda: axiom(through(succ(n), n, start)[k], "last layer of a pass"), "does not apply")


def test_a_layer_that_fails_somewhere_makes_no_pass():
    start = var("x", K)
    for step_ in (lambda layer, state: relu(state), lambda layer, state: state / (layer - 1)):
        made = passing("R", lambda layer: (K,), step_)(0, n, start)
        assert lt(ZERO, ZERO) in core.reflexivity(D(made[k], start[k])).hypotheses
    divided = passing("R", lambda layer: (K,), lambda layer, state: state / x)(0, n, start)
    rests_on(core.reflexivity(divided[k]), ne(x, 0))


def test_widths_of_different_layers_are_different():
    width = widths("n")
    weights = family("W", lambda layer: width(succ(layer)), width)
    net = passing("N", lambda layer: (width(layer),), lambda layer, state: tanh(weights(layer) @ state))
    refused(lambda: net(0, 3, var("x", width(1))), "shape")
    refused(lambda: weights(1) @ weights(1), "do not fit")


def test_a_sum_is_written_out_as_long_as_it_is():
    few, three = index("k", ZERO), index("k", lift(3))
    refused(lambda: axiom(Π(x, few), "sum written out"), "does not apply")
    refused(lambda: axiom(Σ(u[i], i), "sum written out"), "does not apply")
    rests_on(axiom(Σ(1 / x**three, three), "sum written out"), ne(x, 0))
    rests_on(axiom(eq(vector([1, 1 / x]), vector([1, y])), "equal entries"), ne(x, 0))


def test_maps_of_arrays_are_differentiated_by_all_that_they_are_applied_to():
    F = mapping("F", K)
    bound_names = axiom(D(F(array(A.T[i, j] * x, i))[k], A[i, j]), "derivative of a map")
    rests_on(bound_names)


# ---- averages --------------------------------------------------------------------------------------------------------


def test_a_block_is_never_split():
    one, other = (random(name, law="square integrable", block="B") for name in ("X₁", "X₂"))
    namesake, apart = random("B", law="square integrable"), random("X₃", law="square integrable")
    for symbols in ((one, other), (one, namesake), (one, other, namesake)):
        body = one * symbols[-1]
        refused(lambda body=body, symbols=symbols: axiom(E(body, *symbols), "independent blocks"), "does not apply")
    rests_on(axiom(E(one * apart, one, apart), "independent blocks"))
    stationary = random("w", d, law="stationary", parameters=(0, 1))
    refused(lambda: axiom(E(stationary[i] * stationary[j], stationary), "independent components"), "does not apply")


def test_a_sign_is_not_turned_beside_another_of_its_block():
    even = random("w", K, law="symmetric", parameters=(s,))
    beside = random("v", K, law="symmetric", parameters=(s,), block="w")
    refused(lambda: axiom(E(even[k] * beside[k], even, beside), "symmetric law"), "does not apply")


def test_integrability_stops_at_the_moments():
    other = random("g", law="square integrable")
    bodies = (exp(other) * ε[k], ε[k] / (1 + other**2), abs_(ε[k]) * ε[k] ** 2, ε[k] ** n, ε[k] * ε[k] * ε[k])
    for body in bodies:
        assert Term("integrable", (ε, other, body)) in core.reflexivity(E(body, ε, other)).hypotheses, body
    rests_on(core.reflexivity(E(abs_(ε[k]) * ε[k] * other**2, ε, other)))


def test_integrability_is_read_from_declared_masses_only():
    kernel, joint = var("r", S, S, dom="density"), var("r", S, S, dom="joint density")
    for body in (q[z] * q[z], kernel[z, z], kernel[z, w], exp(exp(f[z])), q[z] * f[z]):
        unknown(Term("integrable", (z, body)))
    assert not discharge(Term("integrable", (z, joint[z, w])))
    average = axiom(expect(q, log(q[z] / f[z]), z), "expected logarithm")
    assert forall(implies(lt(0, q[z]), lt(0, f[z])), z) in average.hypotheses
