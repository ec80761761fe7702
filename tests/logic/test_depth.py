"""Through what every path between two quantities goes, and what is computed by stages: the same as without them."""

from random import Random

import pytest

from derive.language.notation import exp, log, relu, σ
from derive.language.term import (
    D,
    E,
    Term,
    at,
    gate,
    index,
    let,
    occurs,
    plainly_made,
    random,
    sizes,
    substitute,
    subterms,
    users,
    var,
)
from derive.logic import facts
from derive.logic.context import ProofError
from derive.logic.rules.calculus import chain_rule

(n,) = sizes("n")
i = index("i", n)
x, A, B, s = var("x", n), var("A", n, n), var("B", n, n), var("s")


def network(seed):
    """A loss, and the quantities between it and x: chains, branches, and ways past one or several of them."""
    rng = Random(seed)
    made = [x]
    for number in range(rng.randint(2, 9)):
        one, two = rng.choice(made[-2:]), rng.choice(made[-3:])
        body = rng.choice((
            lambda a, b: A @ relu(a), lambda a, b: a + B @ b, lambda a, b: a / (1 + exp(b)), lambda a, b: log(a) * b,
            lambda a, b: abs_of(a) + A @ b, lambda a, b: Term("rows", (a,), "softmax"),
        ))(one, two)  # fmt: skip
        made.append(let(f"q{number}", body))
    return let("L", (made[-1] * (σ(rng.choice(made[-2:])) + 1)).sum(0)), made


def abs_of(array):
    return Term("app", (array,), "abs")


SEEDS = range(60)


def above(part, whole):
    return {p for p in subterms(whole) if p is not part and occurs(part, p)}


@pytest.mark.parametrize("seed", SEEDS)
def test_users_are_the_parts_around(seed):
    loss, _ = network(seed)
    everything = list(subterms(loss))
    for part in Random(seed).sample(everything, min(8, len(everything))):
        assert set(users(part, loss)) == {p for p in everything if part in p.args}


@pytest.mark.parametrize("seed", SEEDS)
def test_a_gate_is_on_every_path_and_the_first_that_is(seed):
    loss, made = network(seed)
    for part in made:
        if not occurs(part, loss):
            continue
        candidates = [
            q
            for q in above(part, loss)
            if q.op == "let" and q is not loss
            and not occurs(part, substitute(loss, {q: var("°", *q.shape)}))
        ]  # fmt: skip
        assert gate(loss, part) is min(candidates, key=lambda q: q.serial, default=None)


@pytest.mark.parametrize("seed", SEEDS)
def test_conditions_by_stages_are_those_of_the_whole(seed):
    loss, made = network(seed)
    for part in made:
        if occurs(part, loss):
            assert facts._by_stages(loss, part) == facts.harvest(loss, part)


def test_an_average_in_between_is_not_taken_by_stages():
    ξ = random("ξ", law="square integrable")
    inner = let("q", s**2 + 1)
    loss = let("L", let("m", E(σ(ξ) * inner, ξ)) * 2)
    assert not plainly_made(loss)
    assert gate(loss, s) is inner
    assert facts._by_stages(loss, s) == facts.harvest(loss, s)
    assert facts.harvest(loss, s) != facts.harvest(loss, inner) | facts.harvest(inner, s)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_chain_rule_is_refused_where_a_path_goes_past(seed):
    """With quantities that are followed upwards, and with variables put in their place: the same verdict."""
    loss, made = network(seed)
    rng = Random(f"chain {seed}")
    for base in made:
        part = at(base, (i,))
        for _ in range(6):
            through = tuple(rng.sample([q for q in made if q is not base and q.op == "let"] or [loss], 1))
            if rng.random() < 0.3 and len(made) > 3:
                through = tuple(rng.sample([q for q in made[1:] if q is not base], min(2, len(made) - 2)))
            names = tuple(str(q.data) for q in through)
            dependent = any(a is not b and occurs(a, b) for a in through for b in through)
            past = occurs(base, substitute(loss, {q: var(f"{q.data}°", *q.shape) for q in through}))
            holds = all(occurs(q, loss) for q in through) and any(occurs(base, q) for q in through)
            try:
                result = chain_rule.schema(D(loss, part), *names)
            except ProofError:
                assert dependent or past
                continue
            assert (result is not None) == (holds and loss not in through)
            assert result is None or not (dependent or past)


def test_two_quantities_of_one_name_are_not_taken_for_each_other():
    one, two = let("q", A @ x), let("q", B @ x)
    loss = let("L", (one * two).sum(0))
    with pytest.raises(ProofError):
        chain_rule.schema(D(loss, x[i]), "q")
