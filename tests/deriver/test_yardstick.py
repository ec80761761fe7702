"""Every loss of the yardstick: the kernel against HIPS autograd, the form against the textbook's, the witness."""

from functools import cache

import numpy as np
import pytest
from deriver import reference
from deriver.yardstick import BENCHMARK, ELEMENTWISE, IDENTITIES, INVENTED, LAST, LOSSES, VARIED, Case

from derive import gradient, hessian, hvp
from derive.language.parse import ParseError
from derive.pages.text import text as printed

CASES = [*LOSSES, *IDENTITIES, *VARIED, *INVENTED, *LAST, *ELEMENTWISE]


def named(case):
    case = case if hasattr(case, "text") else case[0]
    return f"{case.text[:60]} by {case.by}"


def options(case):
    domains = {name: domain.replace("_", " ") for name, domain in case.known.items()}
    return {"shapes": case.declared, "domains": domains, "given": case.equations}


@cache
def derived(case):
    return gradient(case.text, case.by, **options(case))


def at_a_point(case):
    """A point, and what the names of sizes are there."""
    values = reference.point(case.declared, options(case)["domains"])
    return values, reference.extents(case.declared, values)


@pytest.mark.parametrize("case", CASES, ids=named)
def test_the_gradient(case):
    view = derived(case)
    values, sizes = at_a_point(case)
    wanted = reference.gradient(case.text, case.by, values, sizes)
    assert reference.close(reference.of_kernel(view.kernel("gradient"), values), wanted)
    assert not case.form or printed(view.claim.args[1]) == case.form


@pytest.mark.parametrize("case", [*LOSSES[::5], *IDENTITIES[::6], *ELEMENTWISE[::6]], ids=named)
def test_every_line_is_witnessed(case):
    view = derived(case)
    assert all(line.verdict.proved for line in view.lines)
    view.witness()
    assert [line for line in view.lines if not line.verdict.witnessed] == []


def test_an_invented_loss_is_refused_with_what_to_write_instead():
    """Total variation by slices: the sizes are symbols."""
    case = Case("sum((x-y)**2)/2 + s*sum(sqrt((x[1:] - x[:-1])**2 + 1))", "x=n y=n s=", "x")
    with pytest.raises(ParseError, match="multiply by a constant matrix"):
        derived(case)
    test_the_gradient(Case("sum((x-y)**2)/2 + s*sum(sqrt((D@x)**2 + 1))", "x=n y=n s= D=m,n", "x"))


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES, ids=named)
def test_every_line_of_every_loss_is_witnessed(case):
    test_every_line_is_witnessed(case)


def test_thirty_identities_are_in_the_form_of_the_tables():
    """No two are the same, and each names the line that is printed."""
    assert len({(case.text, case.by) for case in IDENTITIES}) >= 30
    assert [case.text for case in IDENTITIES if not case.form] == []


@pytest.mark.parametrize(("case", "form"), BENCHMARK, ids=lambda one: named(one) if hasattr(one, "text") else "")
def test_the_benchmark_of_matrix_calculus(case, form):
    """Gradients, Hessians, and Hessians times a vector."""
    values, sizes = at_a_point(case)
    first = derived(case)
    wanted = reference.gradient(case.text, case.by, values, sizes)
    assert reference.close(reference.of_kernel(first.kernel("gradient"), values), wanted)
    assert not case.form or printed(first.claim.args[1]) == case.form
    wanted = reference.hessian(case.text, case.by, values, sizes)
    second = hessian(case.text, case.by, **options(case))
    assert reference.close(reference.of_kernel(second.kernel("hessian"), values), wanted)
    assert not form or printed(second.claim.args[1]) == form
    along = hvp(case.text, case.by, "q", **options(case))
    values["q"] = reference.draw(np.random.default_rng(2), values[case.by].shape, "real")
    product = np.tensordot(wanted, values["q"], axes=values["q"].ndim)
    assert reference.close(reference.of_kernel(along.kernel("hessian_product"), values), product)
