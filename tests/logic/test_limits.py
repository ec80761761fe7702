"""Limits: what is bound in them is bound, what holds at one point is not used all the way, false ones are seen."""

from math import inf

import pytest

from derive.evidence.witness import witness
from derive.language.notation import abs_, exp, log, sign, sin, sqrt
from derive.language.term import (
    NATURALS,
    ZERO,
    Σ,
    ShapeError,
    alpha,
    eq,
    forall,
    index,
    le,
    lift,
    lt,
    matrix,
    natural,
    size,
    substitute,
    succ,
    tends,
    var,
)  # fmt: skip
from derive.logic import theorem as core
from derive.logic.arguments import Argument, by_induction, entrywise, from_gap, limit, squeezed
from derive.logic.calc import calc
from derive.logic.context import ProofError
from derive.logic.rules import limits
from derive.logic.rules.reasons import geometric_limit, given, powers, use

t, n = natural("t"), natural("n")
x, c, r = var("x"), var("c"), var("r")
s = var("s", dom="positive")
k = index("k", NATURALS)
θ = var("θ", NATURALS)


def proved(theorem):
    seen = witness(theorem.conclusion, theorem.hypotheses)
    assert seen.status == "true", (theorem, seen)
    return theorem


def test_the_variable_of_a_limit_is_bound():
    one, other = tends(r**t * c, t, inf, 0), tends(r**n * c, n, inf, 0)
    assert alpha(one) is alpha(other)
    assert alpha(alpha(one)) is alpha(one)
    assert substitute(one, {t: n}) is one
    moved = substitute(one, {c: r**t})  # this t is another one
    assert alpha(moved) is alpha(tends(r**n * r**t, n, inf, 0))
    assert alpha(tends(s, s, inf, 0)) is not alpha(tends(x, x, inf, 0)), "domains differ"


@pytest.mark.parametrize(
    "make",
    [
        lambda: tends(r**t, t, 3, 0),
        lambda: tends(x, x, x, 0),
        lambda: tends(x, x, inf, x),
        lambda: tends(s, s, -1, 0),
        lambda: tends(var("p", dom="unit"), var("p", dom="unit"), inf, 0),
        lambda: tends(var("v", t)[index("i", t)], t, inf, 0),
        lambda: tends(x, lift(2), inf, 0),
    ],
)
def test_no_such_limit_can_be_written(make):
    with pytest.raises(ShapeError):
        make()


def test_what_holds_at_one_point_is_not_used_all_the_way():
    claim = core.reflexivity(tends(x / x, x, inf, 1))
    with pytest.raises(ProofError, match="all the way"):
        core.algebra(claim, (2,), lift(1))
    with pytest.raises(ProofError, match="all the way"):
        core.step(core.reflexivity(tends(x, x, inf, 1)), (2,), core.assume(eq(x, 1)))
    positive = core.algebra(core.reflexivity(tends(s / s, s, inf, 1)), (2,), lift(1))
    assert not proved(positive).hypotheses


@pytest.mark.parametrize(
    "claim",
    [
        tends(sign(1 / s), s, inf, sign(ZERO)),  # it jumps
        tends(1 / (1 / s), s, inf, 0),
        tends(sqrt(-1 / s), s, inf, 0),
        tends(log(1 / s), s, inf, 0),
        tends((1 / s) ** s, s, inf, 0),
        tends(exp(s), s, inf, 0),
    ],
)
def test_no_limit_where_there_is_none(claim):
    try:
        theorem = limit(claim).theorem
    except ProofError:
        return
    assert theorem.hypotheses
    assert witness(theorem.conclusion, theorem.hypotheses).status == "undecided"


def test_limits_of_expressions():
    assert not proved(limit(tends((1 + 1 / s) * exp(-s) + c, s, inf, c)).theorem).hypotheses
    assert proved(limit(tends((1 - r**t) / (1 - r), t, inf, 1 / (1 - r))).theorem).hypotheses == {
        lt(abs_(r), 1),
        *core.reflexivity(1 / (1 - r)).hypotheses,
    }
    proved(limit(tends(x**2 + sin(x), x, c, c**2 + sin(c))).theorem)
    a = index("a", size("d"))
    v = var("v", size("d"))
    summed = core.step(core.reflexivity(tends(Σ(v[a] ** t, a), t, inf, 0)), (), limits.of_parts, v[a] ** t, ZERO)
    proved(summed)
    assert any(h.op == "forall" for h in summed.hypotheses)


def test_a_sequence_is_squeezed_by_a_bound_for_every_member():
    o = var("o", dom="unit")
    recursion, start = forall(eq(θ[succ(k)], o * θ[k]), k), eq(θ[0], 1)
    claim = le(θ[t] ** 2, o**t)
    shrinks = from_gap(calc(o * o**t - o**2 * o**t).eq(o * o**t * (1 - o)))
    bound = by_induction(
        t,
        calc(θ[0] ** 2).eq(o ** lift(0), given(start)),
        calc(θ[succ(t)] ** 2)
        .eq(o**2 * θ[t] ** 2, given(recursion))
        .le(o**2 * o**t, use(core.assume(claim), "the claim for t"))
        .le(o * o**t, use(core.weakening(shrinks.theorem), "o is below 1"))
        .eq(o ** succ(t), powers),
    )
    done = squeezed(tends(θ[t], t, inf, 0), bound, limit(tends(o**t, t, inf, 0)))
    assert proved(done.theorem).hypotheses == {recursion, start}
    elsewhere = squeezed(tends(θ[t], t, inf, 0), Argument(core.assume(claim), ()), limit(tends(o**t, t, inf, 0)))
    assert [h.op for h in elsewhere.theorem.hypotheses] == ["forall"], "what is given of one member is asked of all"


def test_a_sequence_that_a_recursion_defines():
    recursion = forall(eq(θ[succ(k)], r * θ[k]), k)
    closed = eq(θ[n], r**n * θ[0])
    base = calc(θ[0]).eq(r ** lift(0) * θ[0])
    step = (
        calc(θ[succ(n)])
        .eq(r * θ[n], given(recursion))
        .eq(r * (r**n * θ[0]), given(closed))
        .eq(r ** succ(n) * θ[0], powers)
    )
    lemma = proved(by_induction(n, base, step).theorem)
    goes = (
        calc(tends(θ[t], t, inf, 0))
        .iff(tends(r**t * θ[0], t, inf, 0), use(lemma, "closed form"))
        .iff(lt(abs_(r), 1), geometric_limit)
    )
    seen = witness(goes.theorem.conclusion, goes.theorem.hypotheses)
    assert seen.status == "true"
    assert seen.met == {True, False}
    assert "sampled" in seen.note


def test_a_matrix_is_multiplied_entry_by_entry():
    a, b, right, wrong = (
        matrix(rows) for rows in ([[1, 2], [3, 4]], [[5, 6], [7, 8]], [[19, 22], [43, 50]], [[19, 22], [43, 51]])
    )
    done = entrywise(eq(a @ b, right), lambda left, entry: calc(left).eq(entry))
    assert not proved(done.theorem).hypotheses
    with pytest.raises(ProofError):
        entrywise(eq(a @ b, wrong), lambda left, entry: calc(left).eq(entry))


@pytest.mark.parametrize(
    ("claim", "status"),
    [
        (tends(1 / s, s, inf, 0), "true"),
        (tends(sin(x) / x, x, 0, 1), "true"),
        (tends(sin(x), x, inf, 0), "false"),
        (tends(lift(-1) ** t, t, inf, 1), "false"),
        (tends(1 / s, s, inf, 1), "false"),
        (tends(1 / log(2 + s), s, inf, 0), "undecided"),
    ],
)
def test_the_witness_follows_limits(claim, status):
    assert witness(claim).status == status
