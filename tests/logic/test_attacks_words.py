"""What must not be provable with matrices, laws, limits, passes, integers and 0·log 0."""

from heapq import heappush
from math import inf

import pytest

from derive.evidence.witness import witness
from derive.language import term
from derive.language.array import component, push
from derive.language.notation import (
    abs_,
    digamma,
    exp,
    floor,
    gammaln,
    hardmax,
    kl,
    log,
    max_,
    prod,
    prod_others,
    relu,
    sqrt,
    step,
    tanh,
    xlog_ratio,
    xlogy,
)
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
    free,
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
    tri,
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
    row = array(W[mine, j] * x, j)
    apart = implies(ne(δ(i, j), 1), lt(W[mine, i] * x + W[mine, j] * x, 2 * max_(row)))
    rests_on(core.reflexivity(D(max_(row), x)), forall(apart, i, j))


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


def at_some_place(value, place):
    """Return [value]_l[j]: a component in which the index is only seen as long as it is not written out."""
    return Term("at", (array(value, index("l", place.args[0])), place))


def there_is_one(place):
    """Y[j] > 0 ⊢ n ≥ 1: a hypothesis on a component says that there is one."""
    other = index("l", n)
    small = core.order(core.algebra(core.reflexivity(1 - δ(other, place)), (), (1 - δ(other, place)) ** 2))
    one = core.symmetry(axiom(Σ(δ(other, place), other), "sift"))
    spoken = core.algebra(core.reflexivity(ONE), (), 1 + log(var("y", n)[place]) - log(var("y", n)[place]))
    count = core.transitivity(core.algebra(spoken, (), ONE), one)
    count = core.step(core.step(count, (1,), small), (), AXIOMS["linearity"])
    return core.transport(count, axiom(count.conclusion, "equivalent relations", le(ONE - n, 0), ONE))


def test_an_index_does_not_vanish_as_a_component_is_written_out():
    """relu(1 − n) = 0 was proved for every natural number n, of which 0 is one."""
    mine, other = index("j", n), index("l", n)
    flat = core.cut(axiom(relu(ONE - n), "definition of a symbol by cases", "relu", 1), there_is_one(mine))
    nothing = core.components(core.reflexivity(at_some_place(ZERO, mine)))
    spoken = core.instantiate(core.transitivity(nothing, core.symmetry(flat)), (var("y", n), array(s, other)))
    assert not spoken.hypotheses
    assert spoken.conclusion is eq(at_some_place(ZERO, mine), relu(ONE - n))
    rows = core.extensionality(spoken, array(ZERO, other), array(relu(ONE - n), other), mine)
    rests_on(core.step(core.reflexivity(ZERO), (), spoken), lt(0, n))
    rests_on(core.extensionality(spoken, ZERO, relu(ONE - n)), lt(0, n))
    rests_on(core.componentwise(rows, mine), lt(0, n))


def test_positions_are_indices_of_the_axes():
    """From xᴷ⁺¹ = xᴷ·x at the position K + 1, [xᵏ]_k = [xᴷ·x]_k was proved; x⁻ᴷ − x⁻ᴷ = 0 from [xᵏ − xᵏ]_k = 0."""
    powers = axiom(x ** succ(K), "next power")
    refused(lambda: core.extensionality(powers, array(x**k, k), array(x**K * x, k), succ(K)), "no indices")
    gap = core.algebra(core.reflexivity(x**k - x**k), (), ZERO)
    zeros = core.extensionality(gap, array(x**k - x**k, k), array(ZERO, k), k)
    refused(lambda: core.componentwise(zeros, -K), "no indices")
    there = core.reflexivity(x)
    refused(lambda: core.extensionality(there, array(x, k), array(x, k), index("l", n)), "no indices")


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


def test_a_path_through_a_name_is_counted_once_however_often_it_is_named():
    """∂L/∂x = 2·∂L/∂q·∂q/∂x was proved by the chain rule through q and q."""
    hidden = let("q", x**2)
    slope = D(let("L", hidden * 2), x)
    refused(lambda: axiom(slope, "chain rule", "q", "q"), "does not apply")
    rests_on(axiom(slope, "chain rule", "q"))


def test_quantities_of_one_name_are_different_paths():
    square, cube = let("q", x**2), let("q", x**3)
    around = let("r", square + 1)
    above = let("q", around**2)
    refused(lambda: axiom(D(let("L", square * cube), x), "chain rule", "q"), "by a path that avoids q")
    refused(lambda: axiom(D(let("L", above * square), square), "chain rule", "q"), "by a path that avoids q")
    rests_on(axiom(D(let("L", above * around), x), "chain rule", "q"))
    rests_on(axiom(D(let("q", above * around), x), "chain rule", "q"))


def test_an_interrupted_search_for_paths_loses_none(monkeypatch):
    """What was met as the search was stopped was forgotten, and with it the path of y that avoids q."""
    hidden, beside = let("q", exp(y)), let("r", y * 3)
    whole = let("L", y * hidden + beside)
    pushed = []

    def stopped(waiting, entry):
        pushed.append(entry)
        if len(pushed) == 4:
            raise KeyboardInterrupt
        heappush(waiting, entry)

    monkeypatch.setattr(term, "heappush", stopped)
    with pytest.raises(KeyboardInterrupt):
        term.users(y, whole)
    monkeypatch.undo()
    assert set(term.users(y, whole)) == {y * hidden, exp(y), y * 3}


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


def test_a_sequence_is_squeezed_by_all_its_members_and_not_by_one():
    claim = tends(Y[t], t, inf, 0)
    theorem = axiom(claim, "squeezed sequence", x**t)
    wanted = forall(le(Y[m] ** 2, x**m), m), tends(x**t, t, inf, 0)
    assert set(map(closed, theorem.hypotheses)) == set(map(closed, wanted))
    refused(lambda: core.cut(theorem, core.assume(le(Y[t] ** 2, x**t))), "none of the theorems")
    beside = axiom(tends(Y[m] * y**t, t, inf, 0), "squeezed sequence", x**t)
    assert all(m in free(h) for h in beside.hypotheses if h.op == "forall"), "m is any number, and stays it"
    for wrong in (tends(Y[t], t, inf, 1), tends(s, s, 3, 0), tends(1 / s, s, inf, 0), tends(t * x, t, inf, 0)):
        refused(lambda wrong=wrong: axiom(wrong, "squeezed sequence", x), "does not apply")


def test_an_index_of_the_natural_numbers_stands_for_one_of_them():
    assert core.instantiate(core.reflexivity(x**n), (n, m)).conclusion is eq(x**m, x**m)
    count = core.reflexivity(Σ(x, index("l", n)))
    refused(lambda: core.instantiate(count, (n, m)), "no range")
    refused(lambda: core.instantiate(core.reflexivity(x**K), (K, m)), "no size like")
    refused(lambda: core.instantiate(core.reflexivity(x * n), (n, m)), "m is no")
    refused(lambda: core.instantiate(core.reflexivity(x**n), (n, k)), "no size like")


def test_a_sequence_has_members_at_natural_numbers_alone():
    """Y[1/x] − Y[1/x] = 0 was proved, with nothing said of x = 0."""
    for wrong in (1 / x, x, -n, lift(-1), z, S, NATURALS):
        refused(lambda wrong=wrong: Y[wrong], "on an axis of size ℕ")
    assert all(Y[right].shape == () for right in (0, n, K, succ(K), m, k))


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


def test_arrays_that_are_equal_almost_everywhere_may_differ_where_points_meet():
    """From r[z, w] = 0 at almost all z, w, r[z, z] = 0 was proved, by the equation of the arrays."""
    kernel = var("r", S, S)
    apart = core.specialise(core.specialise(core.assume(forall(eq(kernel[z, w], 0), z, w)), z), w)
    whole = core.extensionality(apart, kernel, array(ZERO, z, w), z, w)
    row = core.extensionality(apart, array(kernel[z, w], w), array(ZERO, w), w)
    refused(lambda: core.componentwise(whole, z, z), "almost everywhere")
    refused(lambda: core.componentwise(row, z), "almost everywhere")
    refused(lambda: core.step(core.reflexivity(kernel[z, z]), (0,), whole), "almost everywhere")
    refused(lambda: core.step(core.reflexivity(Term("at", (row.lhs, z))), (0,), row), "almost everywhere")
    assert core.componentwise(whole, w, z).conclusion is eq(kernel[w, z], 0)
    assert core.step(core.reflexivity(kernel[w, z]), (0,), whole).conclusion.args[0] is kernel[w, z]
    assert core.componentwise(core.reflexivity(A), i, i).conclusion is eq(A[i, i], A[i, i])


def test_what_is_put_for_a_variable_does_not_bring_a_point_again():
    """From f[z] = 0 for almost all z, r[z, z] = 0 was proved with r[z, ·] for f; from f ≠ x, f[z] ≠ f[z]."""
    kernel = var("r", S, S)
    nothing = core.specialise(core.assume(forall(eq(f[z], 0), z)), z)
    apart = core.specialise(core.assume(forall(ne(f[z], x), z)), z)
    refused(lambda: core.instantiate(nothing, (f, array(kernel[z, w], w))), "stay different")
    refused(lambda: core.instantiate(apart, (x, f[z])), "stay different")
    refused(lambda: core.instantiate(apart, (x, f[w]), (z, w)), "stay different")
    assert core.instantiate(apart, (x, f[w])).conclusion is ne(f[z], f[w])
    assert core.instantiate(apart, (x, f[z]), (z, w)).conclusion is ne(f[w], f[z])
    assert core.instantiate(core.reflexivity(x), (x, f[z])).conclusion is eq(f[z], f[z])


# ---- maxima, products and cumulative sums ----------------------------------------------------------------------------


def once_largest(row, body):
    """The condition that the maximum of a row is taken once."""
    return forall(implies(ne(δ(i, p), 1), lt(body(i) + body(p), 2 * max_(row))), i, p)


def test_a_maximum_has_a_derivative_where_it_is_taken_once():
    alone = once_largest(u, lambda k: u[k])
    theorem = axiom(D(max_(u), u[j]), "derivative of a maximum")
    rests_on(theorem, alone)
    assert theorem.rhs is Σ(hardmax(u)[theorem.rhs.args[0]] * D(u[theorem.rhs.args[0]], u[j]), theorem.rhs.args[0])
    tied = axiom(D(max_(vector([x, x, x - 1])), x), "derivative of a maximum")
    assert witness(tied.conclusion).status == "false", "the largest counts twice"
    assert witness(tied.conclusion, tied.hypotheses).status == "undecided", "which the hypothesis rules out"
    below = axiom(D(max_(vector([x, x - 1, x - 1])), x), "derivative of a maximum")
    rests_on(below, *below.hypotheses)


def test_the_maximum_of_one_thing_alone_catches_no_index():
    mine = index("i", d)
    theorem = axiom(D(max_(array(W[mine, j] * u[mine], j)), u[mine]), "derivative of a maximum")
    assert witness(theorem.conclusion, theorem.hypotheses).status == "true"
    product = axiom(D(prod(array(W[mine, j] * u[mine], j)), u[mine]), "derivative of a product over a range")
    assert witness(product.conclusion, product.hypotheses).status == "true"


def test_the_indicator_of_a_maximum_jumps():
    jump = "derivative of the indicator of the maximum"
    rests_on(axiom(D(hardmax(u)[j], u[i]), jump), once_largest(u, lambda k: u[k]))
    own = index("k", d)
    row = array(A[j, own], own)
    alone = forall(implies(ne(δ(i, p), 1), lt(A[j, i] + A[j, p], 2 * max_(row))), i, p)
    rests_on(axiom(D(hardmax(A)[j, own], A[j, j]), jump), alone)
    refused(lambda: axiom(D(hardmax(r)[j], u[i]), jump), "does not apply")
    assert core.reflexivity(D(hardmax(u)[j], u[i])).hypotheses, "it is not smooth without a word"
    there = core.assume(eq(1 / hardmax(u)[j], 1))
    refused(lambda: core.step(core.reflexivity(D(1 / hardmax(u)[j], u[i])), (0,), there))


def test_what_holds_where_an_indicator_is_1_does_not_hold_nearby():
    """hardmax(u)[j] ≠ 0 at a point says nothing of the points around it."""
    body = hardmax(u)[j] / hardmax(u)[j]
    refused(lambda: core.algebra(core.reflexivity(D(body, u[i])), (0,), ONE), "cannot be differentiated")


def test_a_product_is_divided_by_a_factor_that_is_not_0():
    rests_on(axiom(prod_others(u)[j], "product without one factor"), ne(u[j], 0))
    rests_on(axiom(prod_others(v)[j], "product without one factor"))
    rests_on(axiom(prod_others(A)[j, i], "product without one factor"), ne(A[j, i], 0))
    rests_on(axiom(D(prod(u), u[j]), "derivative of a product over a range"))
    empty = axiom(D(prod(array(x, index("l", n))), x), "derivative of a product over a range")
    rests_on(empty)
    unknown(lt(0, prod(u)), ne(prod(u), 0), le(0, prod(u)))
    assert not discharge(lt(0, prod(v)))


def test_the_gamma_function_is_of_what_is_positive():
    rests_on(core.reflexivity(gammaln(u[i])), lt(0, u[i]))
    rests_on(axiom(D(gammaln(x), x), "derivative of a symbol", "gammaln"), lt(0, x))
    unknown(lt(0, gammaln(s)), lt(0, digamma(s)), ne(digamma(s), 0))
    refused(lambda: axiom(D(Term("app", (s,), "trigamma"), s), "derivative of a symbol", "trigamma"), "does not apply")


def test_the_triangle_is_of_ones_up_to_the_diagonal():
    unknown(lt(0, tri(d)[i, j]), ne(tri(d)[i, j], 0))
    assert not discharge(le(0, tri(d)[i, j]))
    for wrong in (eq(tri(d)[i, j], tri(d)[j, i]), eq(tri(d)[i, j], 1), eq(tri(d)[i, i], 0)):
        assert witness(wrong).status == "false", wrong
    assert witness(eq((tri(d) @ u)[i] + (tri(d).T @ u)[i], Σ(u[j], j) + u[i])).status == "true"
    for axis in (S, NATURALS, lift(3)):
        refused(lambda axis=axis: tri(axis), "no size of a square matrix")
