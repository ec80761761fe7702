"""Whatever works on an entry of the catalogue works on a derived loss: checks, pages, kernels, certificates."""

import re
import shlex
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest
from deriver import reference
from deriver.yardstick import pairs

import derive
from derive import load
from derive.cli import main
from derive.evidence.witness import witness
from derive.language.parse import ParseError
from derive.language.term import D, index, let, size, sizes, var
from derive.pages.compose import text_of
from derive.pages.tex import tex
from derive.pages.text import text as printed

LOGISTIC = "X=N,d y=N w=d"
NETWORK = "z1 = W1@x+b1; h = sigmoid(z1); z2 = W2@h+b2; -sum(y*log(softmax(z2)))"
WIDTHS = "W1=M,d x=d b1=M W2=K,M b2=K y=K"
SOFTMAX, CLASSES = "mean(logsumexp(X@W,axis=1)-sum(Y*(X@W),axis=1))", "X=N,d W=d,K Y=N,K"
# what, loss, by, shapes, domains
DERIVED = [
    ("gradient", "r = X@w - y; mean(sqrt(1 + r**2) - 1)", "w", LOGISTIC, ""),
    ("gradient", NETWORK, "W1", WIDTHS, "y=simplex"),
    ("hessian", SOFTMAX, "W", CLASSES, ""),
    ("hvp", "mean(log(1+exp(X@w)) - y*(X@w))", "w", LOGISTIC, ""),
    ("jacobian", "softmax(A@x)", "x", "A=m,n x=n", ""),
    ("derivative", "x*sigmoid(x)", "x", "x=", ""),
    ("derivative", "abs(x)", "x", "x=", ""),
]
NAMES = [f"{what} {text}" for what, text, *_ in DERIVED]
MODULES = [*DERIVED[:3], *DERIVED[4:6]]


def made(what, text, by, shapes, domains="", **options):
    return getattr(derive, what)(text, by, shapes=pairs(shapes), domains=pairs(domains), **options)


@pytest.fixture(params=DERIVED, ids=NAMES, scope="module")
def view(request):
    return made(*request.param)


# ---- checks and views ------------------------------------------------------------------------------------------------


def test_it_is_verified(view):
    report = view.verify()
    assert report.status == "pass", report.problems
    assert all(line.verdict.proved and line.verdict.witnessed for line in view.lines)


def test_it_is_replayed_from_its_file(view, tmp_path, capsys):
    file = tmp_path / "certificate.json"
    file.write_text(view.to_json(), encoding="utf-8")
    assert main(["replay", str(file)]) == 0
    assert f"{view.slug} holds" in capsys.readouterr().out


def test_a_certificate_is_like_that_of_an_entry(view):
    assert set(view.certificate) == set(load("sigmoid-derivative").certificate)
    assert view.slug.isascii()


def test_every_page_is_made(view):
    assert view.to_html().startswith("<!")
    assert "\\begin{document}" in view.to_latex()
    assert "Common mistakes" in view.to_text()
    assert set(view._repr_mimebundle_()) == {"text/html", "text/latex", "text/plain"}
    assert view._repr_latex_().startswith("$")


def test_practice_takes_lines_away(view):
    blanks = [line.blank for section in view.page("practice").sections for line in section.lines]
    assert any(blanks)
    assert view.to_html("practice") != view.to_html()
    assert "\\begin{document}" in view.to_latex("practice")


# ---- what is said of it without a proof ------------------------------------------------------------------------------


def test_mistakes_are_mistakes(view):
    """The claim is looked at with its derivative, and not only its right side."""
    assert view.entry.mistakes
    main_proof = next(proof for proof in view.proofs.values() if proof.main)
    for mistake in view.entry.mistakes:
        assert mistake.why.strip()
        evidence = witness(mistake.wrong, sorted(main_proof.theorem.hypotheses, key=repr))
        assert evidence.status == "false", f"{mistake.wrong}: {evidence}"
        assert evidence.where is not None


def slips(*arguments, **options):
    return {printed(mistake.wrong.args[1]) for mistake in made(*arguments, **options).entry.mistakes}


def test_mistakes_are_those_that_people_make():
    bce = "mean(log(1+exp(X@w)) - y*(X@w))"
    wrong = slips("gradient", bce, "w", LOGISTIC)
    assert {"−Xᵀ (σ(X w) − y)/N", "Xᵀ (σ(X w) − y)"} <= wrong  # a sign, 1/N
    assert any("diag(σ(z)) X" in said or "diag(σ(X w)) X" in said for said in slips("hessian", bce, "w", LOGISTIC))
    assert "A x" in slips("gradient", "x@A@x", "x", "A=n,n x=n")
    assert "diag(softmax(z))" in slips("jacobian", "softmax(z)", "z", "z=K")
    assert "((W₂ᵀ δ₂) ⊙ h) xᵀ" in slips("gradient", NETWORK, "W1", WIDTHS, "y=simplex")


def test_what_is_true_is_no_mistake():
    """Where every s is ±1 its square is a factor that may go."""
    with_square = made("gradient", "sum(x*s**2)", "x", "x=n s=n", "s=sign")
    assert printed(with_square.claim.args[1]) == "s²"
    assert {printed(mistake.wrong.args[1]) for mistake in with_square.entry.mistakes} == {"−s²"}


def sane(*arguments, **options):
    return dict(made(*arguments, **options).entry.sanity)


def test_sanity_checks():
    assert "Symmetry" in sane("hessian", SOFTMAX, "W", CLASSES)
    assert "Sums" in sane("gradient", SOFTMAX, "W", CLASSES, "Y=simplex")
    assert "Sums" not in sane("gradient", SOFTMAX, "W", CLASSES), "the rows of a real Y sum to anything"
    assert "Sums" not in sane("gradient", "mean(log(1+exp(X@w)) - y*(X@w))", "w", LOGISTIC)
    assert "Sign" in sane("hessian", "mean(log(1+exp(X@w)) - y*(X@w))", "w", LOGISTIC)
    assert "Sign" not in sane("hessian", "sum(tanh(A@x))", "x", "A=m,n x=n")
    assert "Stationary point" in sane("gradient", "sum((A@x-b)**2)", "x", "A=m,n x=n b=m")
    assert "Special value" in sane("derivative", "x*sigmoid(x)", "x", "x=")
    assert "Special value" not in sane("derivative", "abs(x)", "x", "x="), "nothing is claimed at the kink"


def test_the_order_of_a_cross_entropy_is_no_check_without_its_equation():
    """Rows of a gradient by logits sum to 0 for every y: it is the residual that is not p − y."""
    free = made("gradient", "-sum(y*log(softmax(z)))", "z", "z=K y=K")
    assert printed(free.claim.args[1]) != "softmax(z) − y"
    assert "Sums" in dict(free.entry.sanity)


# ---- what is given ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "by", "shapes", "equation", "form"),
    [
        ("-sum(y*log(softmax(z)))", "z", "z=K y=K", "sum(y) == 1", "softmax(z) − y"),
        (
            "mean(-sum(Y*log(softmax(X@W,axis=1)),axis=1))",
            "W",
            CLASSES,
            "sum(Y,axis=1) == 1",
            "Xᵀ (P − Y)/N",
        ),
    ],
)
def test_what_is_given_is_used_and_nothing_more(text, by, shapes, equation, form):
    view = made("gradient", text, by, shapes, given=[equation])
    assert printed(view.claim.args[1]) == form
    target = next(symbol for symbol, _ in view.entry.given if str(symbol) in {"y", "Y"})
    assert target is var(str(target), *target.shape), "it is real, and may be negative"
    assert [a.words for a in view.assumptions] == ["given"]
    report = view.verify()
    assert report.status == "pass", report.problems
    assert "where" in view.kernel("gradient").__doc__


def test_a_claim_that_needs_more_than_a_sum_is_refuted():
    """Nothing says that y is not negative, and the witness looks where it is."""
    K = size("K")
    y, k = var("y", K), index("k", K)
    from derive.language.term import Σ, eq, le

    assert witness(le(0, y[k]), [eq(Σ(y[k], k), 1)]).status == "false"
    assert witness(eq(Σ(y[k] ** 2, k), 1), [eq(Σ(y[k], k), 1)]).status == "false"


# ---- second derivatives ----------------------------------------------------------------------------------------------


def test_second_derivatives_are_printed_as_such():
    q, r = sizes("q r")
    w, x, W = var("w", q), var("x"), var("W", q, r)
    L = let("L", (w * w).sum(0) + x * x + (W * W).sum(1).sum(0))
    i, j = index("i", q), index("j", q)
    assert printed(D(D(L, w), w)) == "∂²L/∂w∂wᵀ"
    assert printed(D(D(L, x), x)) == "∂²L/∂x²"
    assert printed(D(D(L, W), W)) == "∂²L/∂W²"
    assert printed(D(D(L, w[i]), w[j])) == "∂²L/∂w[i]∂w[j]"
    assert tex(D(D(L, w), w), display=True) == r"\frac{\partial^{2}L}{\partial w\partial w^{\top}}"


@pytest.mark.parametrize(
    ("text", "by", "shapes", "shape"),
    [("mean((X@w-y)**2)", "w", LOGISTIC, "d × d"), (SOFTMAX, "W", CLASSES, "d × K × d × K")],
)
def test_a_hessian_states_its_shape(text, by, shapes, shape):
    view = made("hessian", text, by, shapes)
    assert f"The Hessian is {shape}" in text_of(view.entry.convention)
    assert "∂²L/∂" in view.to_text()


# ---- the module ------------------------------------------------------------------------------------------------------

ELSEWHERE = """
import sys
sys.modules["derive"] = None  # whoever imports it fails
sys.path.insert(0, sys.argv[1])
import numpy as np
import solution
values = dict(np.load(sys.argv[1] + "/values.npz"))
numbers = {name: float(value) if value.ndim == 0 else value for name, value in values.items()}
for name in sys.argv[2:]:
    function = getattr(solution, name)
    wanted = function.__code__.co_varnames[: function.__code__.co_argcount]
    np.save(f"{sys.argv[1]}/{name}.npy", function(**{k: numbers[k] for k in wanted}))
"""


@pytest.mark.parametrize(("what", "text", "by", "shapes", "domains"), MODULES, ids=[case[1] for case in MODULES])
def test_the_module_needs_nothing_but_numpy(what, text, by, shapes, domains, tmp_path):
    view = made(what, text, by, shapes, domains)
    (tmp_path / "solution.py").write_text(view.numpy, encoding="utf-8")
    values = reference.point(pairs(shapes), pairs(domains))
    np.savez(tmp_path / "values.npz", **values)
    names = [kernel.name for kernel in view.kernels]
    done = subprocess.run(
        [sys.executable, "-I", "-c", ELSEWHERE, str(tmp_path), *names], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    for name in names:
        np.testing.assert_array_equal(
            np.load(tmp_path / f"{name}.npy"), reference.of_kernel(view.kernel(name), values), strict=False
        )


def test_the_module_says_what_it_takes_and_returns():
    view = made("hessian", SOFTMAX, "W", CLASSES)
    assert {kernel.name for kernel in view.kernels} == {"loss", "gradient", "hessian"}
    doc = view.kernel("hessian").__doc__
    for words in ("X : array (N, d)", "W : array (d, K)", "hessian : (d, K, d, K)"):
        assert words in doc
    assert "loss : float" in view.kernel("loss").__doc__
    assert "reduction" not in view.numpy, "nobody knows what a mean in a loss of one's own is over"


def test_a_name_of_the_loss_is_computed_once():
    source = made("gradient", "r = X@w - y; mean(sqrt(1 + r**2) - 1)", "w", LOGISTIC).numpy
    body = source.partition("def gradient")[2]
    assert body.count("X @ w") == 1 + body.partition('"""')[2].partition('"""')[0].count("X @ w")


def test_float32_stays_float32():
    view = made("gradient", "-sum(log(sum(p*exp(-(x[:,None]-m)**2/2),axis=1)))", "m", "x=N m=K p=K", "p=simplex")
    rng = np.random.default_rng(0)
    x, m, p = rng.normal(size=5), rng.normal(size=3), np.array([0.25, 0.25, 0.5])
    got = view.kernel("gradient")(*(value.astype(np.float32) for value in (x, m, p)))
    assert got.dtype == np.float32


@pytest.mark.parametrize(("what", "text", "by", "shapes", "domains"), DERIVED, ids=NAMES)
def test_kernels_are_finite_at_a_thousand_times_the_inputs(what, text, by, shapes, domains):
    view = made(what, text, by, shapes, domains)
    values = reference.point(pairs(shapes), pairs(domains))
    values |= {"v": np.ones_like(values[by])}
    large = {name: value * 1000 if name not in pairs(domains) else value for name, value in values.items()}
    for kernel in view.kernels:
        assert np.isfinite(reference.of_kernel(view.kernel(kernel.name), large)).all(), kernel.name


# ---- how fine the lines are ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "by", "shapes", "domains"),
    [
        ("mean((sigmoid(X@w)-y)**2)", "w", LOGISTIC, ""),
        (NETWORK.replace("sigmoid", "tanh"), "W1", WIDTHS, "y=simplex"),
        ("S = Q@K.T*s; P = softmax(S,axis=1); sum((P@V)*G)", "Q", "Q=n,k K=m,k V=m,e G=n,e s=", ""),
    ],
)
def test_one_tree_is_seen_coarser_or_finer(text, by, shapes, domains):
    coarse, usual, fine = (made("gradient", text, by, shapes, domains, detail=detail) for detail in (1, 2, 3))
    assert list(coarse.proofs) == list(usual.proofs) == list(fine.proofs)
    for name in coarse.proofs:
        theorems = {view.proofs[name].theorem.conclusion for view in (coarse, usual, fine)}
        assert len(theorems) == 1
        lines = [{line.right for line in view.lines if line.proof == name} for view in (coarse, usual, fine)]
        assert lines[0] <= lines[1] <= lines[2]
    assert len(coarse.lines) < len(usual.lines) <= len(fine.lines)
    assert len(fine.lines) > len(coarse.lines) + 2


# ---- the document ----------------------------------------------------------------------------------------------------


def test_the_document_shows_what_is_printed(capsys):
    page = (Path(__file__).parents[2] / "docs" / "any-loss.md").read_text(encoding="utf-8")
    shown = re.search(r"```console\n\$ derive (.*?)\n(.*?)```", page, re.DOTALL)
    assert main(shlex.split(shown[1])) == 0
    printed_lines = capsys.readouterr().out.splitlines()
    for line in shown[2].splitlines():
        start = line.removesuffix("…").rstrip("; ")
        assert any(other.startswith(start) for other in printed_lines), line


# ---- names -----------------------------------------------------------------------------------------------------------

SPELLED = ("ȳ", "y_hat", "theta_1", "W12", "x_", "x__1", "a1b2", "my_loss_2", "α_1_2", "ψ̄", "lambda_", "x_star", "Δw")


@pytest.fixture(scope="module")
def sheets(tmp_path_factory):
    """The sheets of a loss for every name, as LaTeX."""
    folder = tmp_path_factory.mktemp("names")
    for number, name in enumerate(SPELLED):
        view = derive.gradient(f"sum(({name}*2 - b)**2) + sum({name}**3)", name, shapes={name: "q", "b": "q"})
        assert view.to_html().startswith("<!")
        assert view.to_text()
        compile(view.numpy, name, "exec")
        (folder / f"{number}.tex").write_text(view.to_latex(), encoding="utf-8")
    q, r = sizes("q r")
    for number, name in enumerate(("w*", "θ₁*", "ŷ_2*", "w⁺", "p⁰", "θ_old′")):
        w, A = var(name, q), var("A*", r, q)
        view = derive.hessian(((A @ w) ** 4).sum(0) + (w**3).sum(0), w)
        (folder / f"term{number}.tex").write_text(view.to_latex(), encoding="utf-8")
    return folder


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="pdflatex is not installed")
def test_names_are_printed_by_latex(sheets):
    for sheet in sorted(sheets.glob("*.tex")):
        done = subprocess.run(
            ["pdflatex", "-draftmode", "-interaction=nonstopmode", "-halt-on-error", sheet.name],
            cwd=sheets,
            capture_output=True,
            check=False,
        )
        log = done.stdout.decode(errors="replace")
        assert done.returncode == 0, textwrap.shorten(log[log.find("\n!") :], 400)


@pytest.mark.parametrize("name", ["_x", "é", "д", "中", "ẋ"])
def test_what_cannot_be_printed_is_refused_at_once(name):
    with pytest.raises(ParseError, match="cannot be printed"):
        derive.gradient(f"sum({name}**2)", name, shapes={name: "q"})


def test_two_names_that_are_printed_alike_are_refused():
    with pytest.raises(ParseError, match="printed as another variable"):
        derive.gradient("sum(a1b2*a_1b2)", "a1b2", shapes={"a1b2": "q", "a_1b2": "q"})
