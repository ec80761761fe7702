"""What an entry may hold beside its proofs: decimals, which are witnessed, and examples, which are drawn and proved."""

import random
from fractions import Fraction

import pytest

from derive.evidence.quoted import claim_findings, decimals
from derive.evidence.verify import verify
from derive.language.notation import exp, log, σ
from derive.language.term import Σ, both, eq, iff, implies, index, le, lift, lt, size, var
from derive.logic.arguments import from_gap
from derive.logic.calc import calc
from derive.logic.certificate import replay
from derive.logic.rules.reasons import by
from derive.record import Derivation, Misstatement, Mistake, Number, RecordError
from derive.view import View

x = var("x")


def entry(*numbers):
    made = Derivation(
        module="derive.catalogue.activations.made_up",
        claim=eq(σ(x), 1 / (1 + exp(-x))),
        priority="useful",
        given=((x, "a number"),),
        mistakes=(Mistake(eq(x, x + 1), "It is not."),),
        sanity=(("Sign", "It is positive."),),
        numbers=numbers,
        **dict.fromkeys(("title", "goal", "prompt", "sixty_seconds", "strong", "weak"), "text"),
    )
    made.proves(made.claim, "A claim", main=True)(
        lambda_named("claim", lambda: calc(σ(x)).eq(made.claim.args[1], by("σ")))
    )
    return made


def lambda_named(name, function):
    function.__name__ = name
    return function


# ---- decimals -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("term", "shown"),
    [
        (lift(99) / lift(1098), "0.0902"),
        (log(lift(10)), "2.3026"),
        (log(lift(10)), "2"),
        (exp(lift(-20)), "2.06e-9"),
        (exp(lift(-20)), "2.06e−9"),
        (-exp(lift(10)), "−22,026"),
        (lift(27) / 40, "67.5 %"),
        (lift(1) / 8, "0.12"),
        (lift(1) / 8, "0.13"),
        (lift(0), "0"),
        (Σ(log(lift(2)), index("k", lift(3))), "2.079"),
    ],
)
def test_a_correct_rounding_is_witnessed(term, shown):
    report = verify(entry(Number(term, shown, "a number")), replay=False)
    assert [check.status for check in report.numbers] == ["pass"], report.problems
    assert report.seen - report.witnessed


@pytest.mark.parametrize(
    ("term", "shown", "why"),
    [
        (log(lift(2)), "0.694", "it is 0.69314718056, which 0.694 does not round"),
        (log(lift(2)), "0.69315718", "does not round"),
        (log(lift(2)), "-0.693", "does not round"),
        (lift(27) / 40, "0.66", "does not round"),
        (exp(lift(-20)), "2.06e-8", "does not round"),
        (log(lift(0)), "0", "has no value"),
        (σ(x), "0.5", "not closed: x has no value"),
        (size("K") / lift(2), "1", "not closed: K has no value"),
        (log(lift(2)), "about 0.7", "no decimal number"),
        (log(lift(2)), "0.6931…", "no decimal number"),
        (lift(1000), "10,00", "no decimal number"),
    ],
)
def test_a_wrong_decimal_fails(term, shown, why):
    report = verify(entry(Number(term, shown, "a number")))
    assert report.status == "fail"
    [problem] = report.problems
    assert f"number, fail: {term!r} ≈ {shown}: " in problem
    assert why in problem
    assert "1 of 1 decimals" not in str(report)


def test_decimals_tell_their_last_digit():
    assert decimals("1.50") == (lift(3).data / 2, lift(1).data / 100)
    assert decimals("−1.5e3") == (lift(-1500).data, lift(100).data)


def test_a_page_marks_a_witnessed_number_and_no_other():
    quoted = (("2.3026", True), ("2.3", True), ("2.4", False))
    view = View(entry(*(Number(log(lift(10)), shown, "a loss") for shown, _ in quoted)))
    assert [(n.shown, n.witnessed) for n in view.page().numbers] == list(quoted)
    assert "log 10 ≈ 2.3026  a loss  ≈\n" in view.to_text()
    assert "2.3026" in view.to_html()
    assert "2.3026" in view.to_latex()
    for text in (view.to_text("practice"), view.to_html("practice"), view.to_latex("practice")):
        assert "2.3026" not in text


# ---- examples -------------------------------------------------------------------------------------------------------


def product(rng: random.Random):
    a, b = rng.randint(2, 99), rng.randint(2, 99)
    return calc(lift(a) * (lift(b) + 1)).eq(lift(a) * b + a).eq(a * b + a)


def with_example(draw=product):
    made = entry()
    made.example("In numbers")(draw)
    return made


def test_an_example_is_proved_witnessed_and_replayed_like_a_line():
    made = with_example()
    report = verify(made)
    assert report.status == "pass", report.problems
    assert {(check.proof, check.position) for check in report.lines} >= {("product", 0), ("product", 1)}
    assert replay(made.certificate())["product"].conclusion is made.proofs["product"].claim


def test_a_seed_draws_an_instance_and_the_same_one_again():
    made = with_example()
    claims = [made.drawn(seed).proofs["product"].claim for seed in range(20)]
    assert claims == [with_example().drawn(seed).proofs["product"].claim for seed in range(20)]
    assert len(set(claims)) > 15
    assert made.drawn(0) is made
    assert made.drawn(5).proofs["claim"] is made.proofs["claim"]
    assert entry().drawn(5).proofs.keys() == {"claim"}


def test_a_sheet_shows_the_instance_of_its_seed_and_practice_asks_for_it():
    view = View(with_example())
    drawn = view.entry.drawn(7).proofs["product"].claim
    key, asked = view.page("solution", 7), view.page("practice", 7)
    assert key.lines and list(key.lines)[-2].left is drawn.args[0]  # noqa: PT018
    assert all(line.witnessed for line in key.lines)
    assert key.sheet == asked.sheet != view.page().sheet
    assert all(line.right is None for line in view.page("practice").lines)
    assert view.page().certificate == view.certificate["hash"] != key.certificate


def test_a_wrong_example_is_refused():
    def off(rng):
        a = rng.randint(2, 9)
        return calc(lift(a) * a).eq(a * a + 1)

    report = verify(with_example(off))
    assert report.status == "fail"
    assert "made-up, off: it does not follow" in report.faults[0]


def test_an_example_rests_on_nothing_that_is_not_listed():
    made = with_example(lambda_named("divided", lambda rng: calc(x / x).eq(1)))
    with pytest.raises(RecordError, match="rests on"):
        _ = made.theorems


def test_an_example_needs_a_name_of_its_own():
    made = with_example()
    with pytest.raises(RecordError, match="two proofs"):
        made.example("Again")(product)


# ---- misstatements --------------------------------------------------------------------------------------------------

y = var("y")


def misstated(claim, *counterexample, proofs=()):
    made = Misstatement(
        module="derive.catalogue.misstated.made_up",
        title="Squares are larger",
        said="The square of a number is larger than the number.",
        claim=claim,
        counterexample=counterexample,
        why="It is so for integers.",
        correction="It is so above 1.",
        instead=("tanh-derivative", "derivative"),
        priority="useful",
        given=((x, "a number"),),
    )
    for number, (formula, write) in enumerate(proofs):
        made.proves(formula, "A line", main=True)(lambda_named(f"line{number}", write))
    return made


def smaller():
    return from_gap(calc(half - half**2).eq(Fraction(1, 4)))


half = lift(Fraction(1, 2))
FALSE = le(x, x**2)


def test_a_misstatement_is_refuted_by_theorem_and_witness():
    made = misstated(FALSE, (x, half), proofs=[(lt(half**2, half), smaller)])
    report = verify(made)
    assert report.status == "pass", report.problems
    assert "said      x ≤ x^2: false at x = 1/2: 0.5 against 0.25" in str(report)
    page = View(made).page()
    assert page.said.refuted
    assert page.said.witnessed
    assert page.said.link.slug == "tanh-derivative"
    assert "false ⊢≈" in View(made).to_text()
    asked = View(made).page("practice")
    assert (asked.said.refuted, asked.said.witnessed, asked.said.theorem) == (False, False, None)
    for text in (View(made).to_html("practice"), View(made).to_text("practice"), View(made).to_latex("practice")):
        assert "It is so" not in text


@pytest.mark.parametrize(
    ("formula", "write"),
    [
        (lt(half, 1), lambda: from_gap(calc(1 - half).eq(half))),
        (lt(half**2, 1), lambda: from_gap(calc(1 - half**2).eq(Fraction(3, 4)))),
        (eq(half**2, Fraction(1, 4)), lambda: calc(half**2).eq(Fraction(1, 4))),
    ],
)
def test_proofs_that_do_not_contradict_the_claim_are_not_enough(formula, write):
    report = verify(misstated(FALSE, (x, half), proofs=[(formula, write)]))
    assert report.status == "fail"
    assert "do not contradict 1/2 ≤ (1/2)^2" in report.faults[0]


def test_a_misstatement_without_proof_fails():
    assert verify(misstated(FALSE, (x, half))).status == "fail"


def test_a_claim_that_is_true_at_the_counterexample_is_no_misstatement():
    [finding] = claim_findings(misstated(FALSE, (x, 2)))
    assert finding.status == "fail"
    assert "it is not false there" in finding.note


@pytest.mark.parametrize(
    ("claim", "refuted"),
    [
        (implies(lt(0, half), le(half, half**2)), True),
        (implies(le(x, 0), le(half, half**2)), False),
        (both(eq(x, x), le(half, half**2)), True),
        (eq(half, half**2), True),
        (lt(half, half**2), True),
        (le(half**2, half), False),
        (iff(lt(0, half), le(half, half**2)), False),
    ],
)
def test_what_contradicts_a_claim(claim, refuted):
    """Premises must be known to hold, and the conclusion to be false; what is not told apart is not refuted."""
    made = misstated(claim, proofs=[(lt(half**2, half), smaller)])
    assert made.refuted is refuted


def test_values_go_into_the_claim_everywhere():
    made = misstated(le(x + y, x * y), (x, 2), (y, Fraction(1, 2)))
    assert made.at(made.claim) is le(lift(2) + half, lift(2) * half)
