"""Every loss of the yardstick: the kernel against HIPS autograd, the form against the textbook's, the witness."""

import numpy  # noqa: ICN001 - np is autograd's here
import pytest
from deriver import reference
from deriver.yardstick import ELEMENTWISE, IDENTITIES, INVENTED, LOSSES, PAIRS

from derive import gradient
from derive.pages.text import text as printed

CASES = [*LOSSES, *IDENTITIES, *INVENTED, *ELEMENTWISE, *PAIRS]


def named(case):
    return f"{case.text[:60]} by {case.by}"


def derived(case):
    domains = {name: domain.replace("_", " ") for name, domain in case.known.items()}
    return gradient(case.text, case.by, shapes=case.declared, domains=domains, given=case.equations), domains


@pytest.mark.parametrize("case", CASES, ids=named)
def test_the_kernel_is_the_gradient(case):
    view, domains = derived(case)
    values = reference.point(case.declared, domains)
    wanted = reference.gradient(case.text, case.by, values)
    got = reference.of_kernel(view.kernel("gradient"), values)
    assert numpy.shape(got) == numpy.shape(wanted)
    assert numpy.abs(got - wanted).max() <= 1e-10 * max(1e-2, numpy.abs(wanted).max())


@pytest.mark.parametrize("case", [case for case in CASES if case.form], ids=named)
def test_the_form_is_the_textbook_s(case):
    view, _ = derived(case)
    assert printed(view.claim.args[1]) == case.form


@pytest.mark.parametrize("case", [*LOSSES[::5], *IDENTITIES[::6], *ELEMENTWISE[::6]], ids=named)
def test_every_line_is_witnessed(case):
    view, _ = derived(case)
    assert all(line.verdict.proved for line in view.lines)
    view.witness()
    assert [line for line in view.lines if not line.verdict.witnessed] == []
