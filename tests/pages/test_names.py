"""Names are taken apart once, for both printers."""

import pytest

from derive.language.term import index, size, space, var
from derive.pages.names import Name, Template, parse_name
from derive.pages.tex import tex
from derive.pages.text import text

Z, K, N = space("Z"), size("K"), size("N")
z, k, n = index("z", Z), index("k", K), index("n", N)


@pytest.mark.parametrize(("name", "parts"), [
    ("W", Name("W")),
    ("W₁", Name("W", below=("1",))),
    ("ŷ", Name("y", "hat")),
    ("μ̂₂", Name("μ", "hat", ("2",))),
    ("φ′", Name("φ", primes=1)),
    ("n_in", Name("n", below=("in",))),
    ("Δ_S", Name("Δ", below=("S",))),
    ("KL", Name("KL")),
    ("ȳ", Name("y", "bar")),
    ("y_hat", Name("y", "hat")),
    ("theta_1", Name("θ", below=("1",))),
    ("lambda_", Name("λ")),
    ("Gamma_max", Name("Γ", below=("max",))),
    ("my_loss_2", Name("my", below=("loss", "2"))),
    ("x__1", Name("x", below=("1",))),
    ("x_star", Name("x", raised="*")),
    ("ŷ_2*", Name("y", "hat", ("2",), raised="*")),
    ("p⁰", Name("p", raised="0")),
    ("δ_ȳ", Name("δ", below=("ȳ",))),
    ("p(x, ·)", Template(Name("p"), (Name("x"), ",", "·"))),
    ("p(·∣x)", Template(Name("p"), ("·", "∣", Name("x")))),
    ("KL(q‖p(·∣x))", Template(Name("KL"), (Name("q"), "‖", Template(Name("p"), ("·", "∣", Name("x")))))),
])  # fmt: skip
def test_parts(name, parts):
    assert parse_name(name) == parts


@pytest.mark.parametrize("name", ["", "1x", "x y", "x<y", "\\input", "p(x", "p(x))", "(x)", "p((x))", "p(x)q"])
def test_what_is_no_name_is_refused(name):
    with pytest.raises(ValueError, match="cannot be printed"):
        parse_name(name)


@pytest.mark.parametrize(("term", "in_tex", "in_text"), [
    (var("W₁", K, N)[k, n], "W_{1, kn}", "W₁[k, n]"),
    (var("W", K, N)[k, n], "W_{kn}", "W[k, n]"),
    (var("ŷ", K)[k], r"\hat{y}_{k}", "ŷ[k]"),
    (var("θ′", K)[k], r"\theta_{k}'", "θ′[k]"),
    (var("Δ_S", N, K)[n, k], r"\Delta_{S, nk}", "Δ_S[n, k]"),
    (var("n_in"), r"n_{\mathrm{in}}", "n_in"),
    (var("q", Z)[z], "q(z)", "q(z)"),
    (var("q", Z), "q", "q"),
    (var("p(x, ·)", Z)[z], "p(x, z)", "p(x, z)"),
    (var("p(·∣x)", Z)[z], r"p(z \mid x)", "p(z | x)"),
    (var("p(·∣x)", Z), r"p(\cdot \mid x)", "p(· | x)"),
    (var("KL(q‖p(·∣x))"), r"\mathrm{KL}(q \parallel p(\cdot \mid x))", "KL(q ‖ p(· | x))"),
    (var("f", K, Z)[k, z], "f_{k}(z)", "f[k](z)"),
    (var("ȳ", K)[k] ** 2, r"\bar{y}_{k}^{2}", "ȳ[k]²"),
    (var("w*") ** 2, "{w^{*}}^{2}", "w*²"),
    (var("ŷ*") ** 2, r"(\hat{y}^{*})^{2}", "ŷ*²"),  # TeX drops braces around an accented letter
    (var("A*", K, N).T, r"{A^{*}}^{\top}", "A*ᵀ"),
    (var("δ_ȳ", K)[k], r"\delta_{\bar{y}, k}", "δ_ȳ[k]"),
    (var("Δw"), r"{\Delta \mathrm{w}}", "Δw"),
])  # fmt: skip
def test_printed(term, in_tex, in_text):
    assert tex(term) == in_tex
    assert text(term) == in_text
