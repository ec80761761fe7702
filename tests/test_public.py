"""The public names: loaded when they are asked for, and what a derivation shows of itself."""

import json
import subprocess
import sys

import numpy as np
import pytest

import derive
from derive.language.term import Term
from derive.registry import UnknownSlugError, slugs
from derive.view import UnknownKernelError, View

SLUG = "sigmoid-derivative"


@pytest.fixture(scope="module")
def d():
    return derive.load(SLUG)


def test_importing_loads_nothing_else():
    code = "import derive, sys; print([m for m in sys.modules if m.startswith('derive.')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_every_public_name_is_there():
    assert all(getattr(derive, name) is not None for name in derive.__all__)
    assert set(derive.__all__) <= set(dir(derive))


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="derive has no name 'lode'"):
        derive.lode  # noqa: B018


def test_the_version_is_the_packages():
    from importlib.metadata import version

    assert derive.__version__ == version("derive")


def test_load_says_what_is_near():
    with pytest.raises(UnknownSlugError, match="did you mean sigmoid-derivative"):
        derive.load("sigmoid")


def test_listing_derivations_proves_nothing_yet():
    code = "import derive, sys; derive.derivations(); assert not {'sympy', 'numpy'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
    assert [view.slug for view in derive.derivations()] == list(slugs())


def test_what_it_claims(d):
    assert isinstance(d, View)
    assert repr(d.claim) == "∂σ(x)/∂x = σ(x)·(1 − σ(x))"
    assert d.assumptions == ()
    assert repr(d).startswith("<derivation sigmoid-derivative: ")


def test_lines_have_terms_reasons_obligations_and_a_verdict():
    d = derive.load(SLUG)
    first = d.lines[0]
    assert isinstance(first.left, Term)
    assert repr(first.right) == "∂(1/(1 + exp(−x)))/∂x"
    assert first.relation == "="
    assert first.reasons == ("definition of the logistic sigmoid",)
    assert [(repr(formula), done) for formula, done in first.obligations] == [("1 + exp(−x) ≠ 0", True)]
    assert first.verdict.proved
    assert first.verdict.witnessed is None
    assert str(first.verdict) == "proved"
    d.witness()
    assert d.lines[0].verdict.witnessed is True
    assert str(d.lines[0]).endswith("proved, witnessed")


def test_an_assumption_is_an_obligation_that_is_left():
    d = derive.load("softmax-ce-delta")
    resting = [line for line in d.lines if line.verdict.assumes]
    assert resting
    assert all(any(not done for _, done in line.obligations) for line in resting)


def test_verify_witnesses_the_lines():
    d = derive.load(SLUG)
    report = d.verify()
    assert report.status == "pass"
    assert all(line.verdict.witnessed for line in d.lines)


def test_kernels_compute(d):
    z = np.array([-1000.0, 0.0, 1.0])
    slope = d.kernel("sigmoid_derivative")
    assert slope(z)[1] == 0.25
    assert slope(z)[0] == 0.0
    np.testing.assert_allclose(d.kernel("sigmoid")(z), [0, 0.5, 1 / (1 + np.exp(-1))])
    assert d.kernel() is d.kernel(d.kernels[-1].name)


def test_an_unknown_kernel_is_told(d):
    with pytest.raises(UnknownKernelError, match="it has sigmoid, sigmoid_derivative"):
        d.kernel("softmax")


def test_a_persons_own_gradient_is_checked():
    def loss(w):
        return float(np.sum(w**3))

    point = {"w": np.array([0.3, -0.7, 1.1])}
    assert derive.check_gradient(loss, lambda w: 3 * w**2, point).passed
    assert not derive.check_gradient(loss, lambda w: 2 * w**2, point).passed


def test_the_views(d):
    assert d.to_html().startswith("<!doctype html>")
    assert "?" in d.to_html("practice", seed=2)
    assert "\\documentclass" in d.to_latex()
    assert json.loads(d.to_json())["slug"] == SLUG
    assert "The sigmoid’s derivative" in d.to_text()
    assert "∂" not in d.to_text("practice").split("A  ")[1].split("B  ")[0].partition("∎")[2]
    assert d.numpy.count("def ") >= 2


def test_an_unknown_mode_is_told(d):
    with pytest.raises(ValueError, match="pass 'solution' or 'practice'"):
        d.to_html("key")


def test_notebooks_show_it(d):
    bundle = d._repr_mimebundle_(include=None, exclude=None)
    assert set(bundle) == {"text/html", "text/latex", "text/plain"}
    assert "<math" in bundle["text/html"]
    assert len(bundle["text/html"]) < 50_000, "no fonts in every cell"
    assert bundle["text/latex"].startswith("$\\displaystyle ")
    assert d._repr_html_() == bundle["text/html"]


@pytest.mark.parametrize("slug", slugs()[::9])
def test_derivations_show_themselves_in_a_notebook(slug):
    import html5lib

    view = derive.load(slug)
    html5lib.HTMLParser(strict=True).parseFragment(view._repr_html_())
    assert view.to_text().endswith("\n")
