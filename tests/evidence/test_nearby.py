"""Theorems about deep compositions are seen nearby: those that hold, and none of those that do not."""

import pytest

from derive.evidence.witness import witness
from derive.evidence.witness.nearby import FEW, depth, nearby
from derive.language.notation import σ
from derive.language.term import Σ, D, Term, array, eq, forall, index, let, ne, sizes, var

(n,) = sizes("n")
i, k = index("i", n), index("k", n)
LAYERS = 30


def network(*, past=False):
    """Quantities z₁, …, and a loss; `past`: with a way from each layer past the next one."""
    weights = [var(f"W{number}", n, n) for number in range(LAYERS + 1)]
    z = [var("x", n)]
    for number in range(1, LAYERS + 1):
        beside = z[-2] if past and number > 2 else 0 * z[-1]
        z.append(let(f"z{number}", weights[number] @ σ(z[-1]) + beside))
    loss = let("L", (z[-1] * z[-1]).sum(0))
    errors = {LAYERS: let(f"δ{LAYERS}", 2 * z[-1])}
    for number in range(LAYERS - 1, 0, -1):
        through = weights[number + 1].T @ errors[number + 1]
        errors[number] = let(f"δ{number}", through * (σ(z[number]) * (1 - σ(z[number]))))
    return z, loss, errors


def through(loss, lower, upper, factor=1):
    return eq(D(loss, lower[i]), factor * Σ(D(loss, upper[k]) * D(upper[k], lower[i]), k))


def test_a_chain_rule_deep_inside_is_seen():
    z, loss, _ = network()
    found = witness(through(loss, z[4], z[5]))
    assert found.status == "true"
    assert found.instances > 3


def test_a_chain_rule_past_which_a_path_goes_is_not():
    z, loss, _ = network(past=True)
    assert witness(through(loss, z[4], z[5])).status != "true"


@pytest.mark.parametrize("factor", [2, -1])
def test_a_wrong_factor_is_not(factor):
    z, loss, _ = network()
    assert witness(through(loss, z[4], z[5], factor)).status != "true"


def test_an_error_is_seen_where_the_next_one_was():
    z, loss, δ = network()
    above = eq(D(loss, z[8]), δ[8])
    assert witness(eq(D(loss, z[7]), δ[7])).status == "undecided"
    assert witness(eq(D(loss, z[7]), δ[7]), seen=[above]).status == "true"
    for wrong in (-δ[7], δ[8], 2 * δ[7], array(δ[7][i] + z[7][i], i)):
        assert witness(eq(D(loss, z[7]), wrong), seen=[above]).status != "true"


def test_what_is_known_of_another_loss_is_not_used():
    z, loss, δ = network()
    other = let("M", (z[-1] * z[-1] * z[-1]).sum(0))
    assert witness(eq(D(loss, z[7]), δ[7]), seen=[eq(D(other, z[8]), δ[8])]).status != "true"


def test_hypotheses_at_indices_of_their_own_are_left_out():
    """u[i] ≠ 0 and u[k] ≠ 0 at two indices are no hypothesis at one."""
    z, _, δ = network()
    line = eq(δ[4] @ z[4], Σ(δ[4][i] * z[4][i], i))
    a, b = index("a", n), index("b", n)
    ((formula, kept), *_) = nearby(line, frozenset([ne(z[4][a], 0), ne(δ[4][b], 0)]))
    assert depth(formula) <= FEW
    assert kept == frozenset()
    assert {len(c.args) for _, kept in nearby(line, frozenset([forall(ne(z[4][a], 0), a)])) for c in kept} == {2}


def test_the_same_line_of_another_layer_is_the_same_formula():
    z, loss, _ = network()
    found = {next(nearby(through(loss, z[m], z[m + 1]), frozenset())) for m in (3, 9, 20)}
    assert len(found) == 1


def test_a_shallow_theorem_is_looked_at_as_it_stands():
    u = let("u", σ(var("x", n)))
    assert not list(nearby(eq(D(u[i], Term("var", (n,), ("x", "real"))[i]), u[i] * (1 - u[i])), frozenset()))
