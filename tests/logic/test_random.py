"""Random variables: what their laws and blocks allow, and what is refused."""

import pytest

from derive.language.term import Cov, D, E, ShapeError, Var, index, le, let, lt, random, size, var
from derive.logic import theorem as core
from derive.logic.rules import calculus, probability
from derive.logic.strategy import by_axiom

K = size("K")
k = index("k", K)
x, y, s = var("x"), var("y"), var("s", dom="positive")
u = var("u", K)

one, other = (random(name, law="square integrable", block="pair") for name in ("X₁", "X₂"))
apart = random("X₃", law="square integrable")


def test_only_different_blocks_are_independent():
    split = by_axiom(probability.independent_blocks)
    assert split(E(one * other, one, other)) is None
    assert split(E(one * apart * other, one, other, apart)).after is E(one * other, one, other) * E(apart, apart)
    assert split(E(one + apart, one, apart)) is None


def test_a_block_shares_its_moments():
    assert not core.reflexivity(E(one**2 * apart**2, one, apart)).hypotheses
    assert not core.reflexivity(Cov(one, other, one, other)).hypotheses
    assert core.reflexivity(E(one**2 * other, one, other)).hypotheses
    assert core.reflexivity(Var(one * other, one, other)).hypotheses


def test_a_law_has_no_negative_variance():
    wild = random("X₄", law="spread", parameters=(x, y))
    assert le(0, y) in core.reflexivity(E(wild, wild)).hypotheses
    assert lt(0, y) in core.reflexivity(D(E(wild, wild), y)).hypotheses


def test_a_derivative_does_not_go_inside_where_the_law_moves():
    moving, still = random("X₄", law="spread", parameters=(x, s)), random("X₅", law="spread", parameters=(y, s))
    inside = by_axiom(calculus.d_expectation)
    assert inside(D(E(x * moving, moving), x)) is None
    assert inside(D(E(x * still, still), x)) is not None
    assert by_axiom(calculus.d_constant)(D(E(moving, moving), x)) is None


def test_a_sign_is_turned_only_where_the_law_is_symmetric_and_nothing_is_hidden():
    even = random("w", K, law="symmetric", parameters=(s,))
    turned = by_axiom(probability.symmetric)
    assert turned(E(even[k] ** 3, even)) is not None
    assert turned(E(let("q₀", even * 2)[k] * even[k], even)) is None
    assert turned(E(random("w", K, law="spread", parameters=(0, s))[k], even)) is None


def test_a_parameter_of_a_law_is_fixed():
    for parameter in (one, one + x, u[k], var("A", K, K)):
        with pytest.raises(ShapeError):
            random("X₆", K, law="symmetric", parameters=(parameter,))
