"""A refused line is told to be false, or true for another reason."""

import pytest

from derive.evidence.opinion import opinion
from derive.language.notation import exp, log, σ
from derive.language.term import D, var
from derive.logic.calc import StepError, calc
from derive.logic.rules.reasons import by, exp_rule, linearity

x = var("x")


def refused(line):
    with pytest.raises(StepError) as caught:
        line()
    return caught.value


def test_a_false_line_is_called_false_with_a_place():
    said = opinion(refused(lambda: calc(σ(-x)).eq(σ(x) - 1, by("σ"))))
    assert "is false" in said
    assert "against" in said


def test_a_true_line_without_its_reason_is_called_true():
    said = opinion(refused(lambda: calc(D(exp(2 * x), x)).eq(2 * exp(2 * x), linearity)))
    assert "holds in every sample" in said


def test_a_line_that_holds_under_its_conditions_is_called_true():
    said = opinion(refused(lambda: calc(D(log(x), x)).eq(1 / x)))
    assert "holds in every sample" in said


def test_a_superfluous_reason_is_no_matter_of_truth():
    said = opinion(refused(lambda: calc(D(exp(x), x)).eq(exp(x), exp_rule, linearity, by("σ"))))
    assert "how it is argued" in said
