"""Every symbol of the language by itself and in pairs: the kernel against HIPS autograd, every line by the witness."""

import warnings
from collections import Counter

import numpy  # noqa: ICN001 - np is autograd's elsewhere here
import pytest
from deriver import reference
from deriver.compositions import PAIRS, SAME, SPREAD, within

from derive import gradient
from derive.deriver.algebra import DeriverError
from derive.language.parse import FUNCTIONS

PARTS = 16
SAMPLES = ("real", "positive", "unit", "negative")
NOWHERE = {("floor", "floor"), ("floor", "sign")}  # differentiable under a condition that never holds: no witness
# Not defined everywhere.
BOUNDED = {"log", "log1p", "sqrt", "root", "power", "gammaln", "digamma", "logdet", "inv", "solve"}


def where_defined(case):
    """Domains and a point where a loss and its gradient are defined, and the gradient; None where there is none."""
    for sample in SAMPLES:
        domains = {case.by: "real" if sample == "negative" else sample, "s": "positive"}
        domains = {name: domain for name, domain in domains.items() if name in case.shapes}
        values = reference.point(case.shapes, domains)
        if sample == "negative":
            values[case.by] = -numpy.abs(values[case.by])
        with numpy.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                value = reference.loss(case.text, list(values))(*values.values())
                wanted = reference.gradient(case.text, case.by, values)
            except numpy.linalg.LinAlgError:
                continue
        if numpy.isfinite(value) and numpy.isfinite(wanted).all():
            return domains, values, wanted
    return None


def outcome(case, *, witnessed=False):
    found = where_defined(case)
    if found is None:
        return "nowhere defined"
    domains, values, wanted = found
    try:
        view = gradient(case.text, case.by, shapes=case.shapes, domains=domains)
    except DeriverError as error:
        return f"refused: {error}"
    with numpy.errstate(all="ignore"):
        got = reference.of_kernel(view.kernel("gradient"), values)
    if not reference.close(got, wanted):
        return f"wrong: {got} and not {wanted}"
    if witnessed:
        view.witness()
        unseen = [str(line) for line in view.lines if not line.verdict.witnessed]
        return f"not witnessed: {unseen}" if unseen else "right"
    return "right"


def faults(cases, **options):
    """What is not right, unless its outer symbol is undefined there by its own domain."""
    found = {case: outcome(case, **options) for case in cases}
    allowed = {
        case
        for case, said in found.items()
        if (said == "nowhere defined" and case.outer in BOUNDED)
        or (said.startswith("not witnessed") and (case.outer, case.inner) in NOWHERE)
    }
    return {case.text: said for case, said in found.items() if said != "right" and case not in allowed}


def test_every_symbol_is_there_in_both_places():
    """What the parser knows is in a pair, by its own name or by one that says the same."""
    used = set[str]().union(*map(within, (case.text for case in PAIRS)))
    assert {SAME.get(name, name) for name in FUNCTIONS} <= used | {""}
    assert {case.outer for case in SPREAD} == {case.outer for case in PAIRS}
    assert {case.inner for case in SPREAD} == {case.inner for case in PAIRS}
    assert Counter(case.text for case in PAIRS).most_common(1)[0][1] <= 2


@pytest.mark.parametrize("part", range(PARTS))
def test_a_spread_of_the_pairs(part):
    assert faults(SPREAD[part::PARTS]) == {}


def test_some_are_witnessed():
    assert faults(SPREAD[::20], witnessed=True) == {}


@pytest.mark.slow
@pytest.mark.parametrize("part", range(PARTS))
def test_every_pair(part):
    assert faults(PAIRS[part::PARTS], witnessed=True) == {}
