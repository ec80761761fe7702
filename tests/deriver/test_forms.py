# ruff: noqa: E501 - a loss is one line
"""The form that a textbook prints, for the losses that everyone derives once: the last line, word for word.

Each is compared with HIPS autograd on arrays of distinct extents too, and where nothing can go wrong nothing is assumed.
"""

import numpy as np
import pytest
from deriver import reference
from deriver.yardstick import Case

from derive import gradient
from derive.pages.text import text as printed

LAYER_NORM = "mu = mean(X,axis=1,keepdims=True); s = sqrt(mean((X-mu)**2,axis=1,keepdims=True)+e); x_hat = (X-mu)/s; sum(G*(g*x_hat+b))"
ONE_EXAMPLE = "mu = mean(x); s = sqrt(mean((x-mu)**2)+e); x_hat = (x-mu)/s; sum(G*(g*x_hat+b))"
BATCH_NORM = "mu = mean(X,axis=0); s = sqrt(mean((X-mu)**2,axis=0)+e); x_hat = (X-mu)/s; sum(G*(g*x_hat+b))"
UNNAMED_NORM = "sum(G*(g*(X-mean(X,axis=1,keepdims=True))/sqrt(var(X,axis=1,keepdims=True)+e)+b))"
ROWS, VECTORS = "X=N,d g=d b=d G=N,d e=", "x=d g=d b=d G=d e="
RMS_NORM = "s = sqrt(mean(X**2,axis=1,keepdims=True)+e); x_hat = X/s; sum(G*(g*x_hat))"
ATTENTION, HEADS = "S = Q@K.T/sqrt(d); P = softmax(S,axis=1); sum(G*(P@V))", "Q=N,d K=m,d V=m,p G=N,p"
UNNAMED_ATTENTION = "sum(G*(softmax(Q@K.T/sqrt(d),axis=1)@V))"
PAIRS = "A=N,d B=N,d t="
CONTRAST = "S = A@B.T/t; mean(logsumexp(S,axis=1) - diag(S))"
MIXTURE = "-sum(logsumexp(log(p) - (x[:,None]-m[None,:])**2/(2*s**2) - log(s), axis=1))"
VAE = "z = m + exp(l/2)*E; sum((z@W.T + c - x)**2)/(2*N) + sum(exp(l)+m**2-1-l)/(2*N)"
ENCODED = "m=N,k l=N,k E=N,k x=N,d W=d,k c=d"
FACTORS, RATINGS = "E = R - (U@V.T + b[:,None] + c[None,:]); sum(M*E**2)", "M=n,m R=n,m U=n,k V=m,k b=n c=m"

# text, shapes, domains, and for each variable the line that is printed
FORMS = [
    (LAYER_NORM, ROWS, "e=positive", {"X": "(δ_x̂ − δ_x̂ 𝟏 𝟏ᵀ/d − x̂ ⊙ ((x̂ ⊙ δ_x̂) 𝟏 𝟏ᵀ/d))/(s 𝟏ᵀ)", "g": "(G ⊙ x̂)ᵀ 𝟏", "b": "Gᵀ 𝟏"}),
    (ONE_EXAMPLE, VECTORS, "e=positive", {"x": "(δ_x̂ − 𝟏ᵀ δ_x̂/d − (x̂ᵀ δ_x̂) x̂/d)/s", "g": "G ⊙ x̂", "b": "G"}),
    (BATCH_NORM, ROWS, "e=positive", {"X": "(g/s) ⊙ (G − Gᵀ 𝟏/N − x̂ ⊙ ((G ⊙ x̂)ᵀ 𝟏/N))", "g": "(G ⊙ x̂)ᵀ 𝟏", "b": "Gᵀ 𝟏"}),
    (UNNAMED_NORM, ROWS, "e=positive", {"X": "(G ⊙ g − G g 𝟏ᵀ/d − C ⊙ (((G ⊙ C) g/(C² 𝟏/d + e)) 𝟏ᵀ/d))/(sqrt(C² 𝟏/d + e) 𝟏ᵀ)"}),
    (RMS_NORM, "X=N,d g=d G=N,d e=", "e=positive", {"X": "(δ_x̂ − x̂ ⊙ ((x̂ ⊙ δ_x̂) 𝟏 𝟏ᵀ/d))/(s 𝟏ᵀ)", "g": "(G ⊙ x̂)ᵀ 𝟏"}),
    ("s = sqrt(mean(x**2)+e); x_hat = x/s; sum(G*(g*x_hat))", "x=d g=d G=d e=", "e=positive", {"x": "(δ_x̂ − (x̂ᵀ δ_x̂) x̂/d)/s", "g": "G ⊙ x̂"}),
    (ATTENTION, HEADS, "", {"Q": "δ_S K/sqrt(d)", "K": "δ_Sᵀ Q/sqrt(d)", "V": "Pᵀ G"}),
    (UNNAMED_ATTENTION, HEADS, "", {"Q": "δ_Z K/sqrt(d)", "K": "δ_Zᵀ Q/sqrt(d)"}),
    (CONTRAST, PAIRS, "", {"A": "(softmax(S) − I) B/(N t)", "B": "(softmax(S) − I)ᵀ A/(N t)", "t": "(tr(S) − 𝟏ᵀ (S ⊙ softmax(S)) 𝟏)/(N t)"}),
    ("mean(logsumexp(A@B.T/t,axis=1) - diag(A@B.T/t))", PAIRS, "", {"A": "(P − I) B/(N t)", "B": "(P − I)ᵀ A/(N t)"}),
    (MIXTURE, "x=N m=K s=K p=K", "s=positive p=positive", {"m": "((m − x 𝟏ᵀ) ⊙ P)ᵀ 𝟏/s²", "s": "((1 − (x 𝟏ᵀ − m)²/s²) ⊙ P)ᵀ 𝟏/s", "p": "−Pᵀ 𝟏/p"}),
    ("a@inv(C)@b", "a=m b=m C=m,m", "", {"C": "−C⁻ᵀ a bᵀ C⁻ᵀ", "a": "C⁻¹ b", "b": "C⁻ᵀ a"}),
    ("trace(inv(C)@B)", "B=m,m C=m,m", "", {"C": "−C⁻ᵀ Bᵀ C⁻ᵀ", "B": "C⁻ᵀ"}),
    ("det(C)", "C=m,m", "", {"C": "det(C) C⁻ᵀ"}),
    ("logdet(C)", "C=m,m", "", {"C": "C⁻ᵀ"}),
    ("logdet(S) + (x-m)@inv(S)@(x-m)", "S=d,d x=d m=d", "", {"m": "(S⁻¹ + S⁻ᵀ) (m − x)", "S": "S⁻ᵀ − S⁻ᵀ (x − m) (x − m)ᵀ S⁻ᵀ"}),
    (VAE, ENCODED, "", {"m": "(m + (z Wᵀ + c − x) W)/N", "l": "(exp(l) + ((z Wᵀ + c − x) W) ⊙ exp(l/2) ⊙ E − 1)/(2 N)", "W": "(z Wᵀ + c − x)ᵀ z/N", "c": "(z Wᵀ + c − x)ᵀ 𝟏/N"}),
    ("mean(mean((m + exp(l/2)*E - x)**2,axis=1)) + mean(sum(exp(l)+m**2-1-l,axis=1))/2", "m=N,d l=N,d E=N,d x=N,d", "", {"m": "(m + 2 (m + exp(l/2) ⊙ E − x)/d)/N", "l": "(2 (exp(l/2) ⊙ E ⊙ (m + exp(l/2) ⊙ E − x))/d + exp(l) − 1)/(2 N)"}),
    ("sum(exp(l) + m**2 - 1 - l)/2", "m=k l=k", "", {"m": "m", "l": "(exp(l) − 1)/2"}),
    (FACTORS, RATINGS, "", {"U": "−2 (M ⊙ E) V", "V": "−2 (M ⊙ E)ᵀ U", "b": "−2 (M ⊙ E) 𝟏", "c": "−2 (M ⊙ E)ᵀ 𝟏"}),
    ("sum(M*(R - (U@V.T + b[:,None] + c[None,:]))**2)", RATINGS, "", {"b": "2 (M ⊙ (U Vᵀ + b 𝟏ᵀ + c − R)) 𝟏", "c": "2 (M ⊙ (U Vᵀ + b 𝟏ᵀ + c − R))ᵀ 𝟏"}),
    ("sum(M*(R - U@V.T)**2) + s*(sum(U**2) + sum(V**2))", "M=n,m R=n,m U=n,k V=m,k s=", "", {"U": "2 (s U − (M ⊙ (R − U Vᵀ)) V)", "V": "2 (s V − (M ⊙ (R − U Vᵀ))ᵀ U)"}),
    ("sum((A@X-B)**2)", "A=n,m X=m,k B=n,k", "", {"X": "2 Aᵀ (A X − B)", "A": "2 (A X − B) Xᵀ"}),
    ("sum((A@x-b)**2)", "A=m,n x=n b=m", "", {"x": "2 Aᵀ (A x − b)", "A": "2 (A x − b) xᵀ"}),
    ("mean((X@w + b - y)**2)", "X=N,d y=N w=d b=", "", {"w": "2 Xᵀ (X w + b − y)/N", "b": "2 𝟏ᵀ (X w + b − y)/N"}),
    ("mean(log(1+exp(X@w))-y*(X@w))", "X=N,d y=N w=d", "", {"w": "Xᵀ (σ(X w) − y)/N"}),
]  # fmt: skip
CASES = [
    (Case(text, shapes, by, form, domains)) for text, shapes, domains, forms in FORMS for by, form in forms.items()
]


def derived(case):
    return gradient(case.text, case.by, shapes=case.declared, domains=case.known)


def definitions(view):
    return {printed(row[0]): printed(row[0].args[0]) for row in view.entry.given if row[0].op == "let"}


def named(case):
    return f"{case.text[:60]} by {case.by}"


@pytest.mark.parametrize("case", CASES, ids=named)
def test_the_last_line_is_the_textbook_s(case):
    view = derived(case)
    assert printed(view.claim.args[1]) == case.form
    assert all(line.verdict.proved for line in view.lines)
    values = reference.point(case.declared, case.known)
    wanted = reference.gradient(case.text, case.by, values, reference.extents(case.declared, values))
    got = reference.of_kernel(view.kernel("gradient"), values)
    assert np.shape(got) == np.shape(wanted)
    assert np.abs(got - wanted).max() <= 1e-10 * np.abs(wanted).max()


@pytest.mark.parametrize("case", [case for case in CASES if case.known], ids=named)
def test_what_is_seen_to_be_positive_is_not_assumed(case):
    """Variances under a root, with a positive number added; nothing else could go wrong."""
    assert derived(case).entry.assumptions == ()


@pytest.mark.parametrize("case", [CASES[0], CASES[3], CASES[6], *CASES[11:15:3], CASES[18]], ids=named)
def test_every_line_is_witnessed(case):
    view = derived(case)
    view.witness()
    assert [line for line in view.lines if not line.verdict.witnessed] == []


def test_what_stands_in_a_result_more_than_once_is_named():
    norm = definitions(derived(Case(LAYER_NORM, ROWS, "X", "", "e=positive")))
    assert norm["δ_x̂"] == "G ⊙ g"
    assert norm["x̂"] == "(X − μ 𝟏ᵀ)/(s 𝟏ᵀ)"
    weights = definitions(derived(Case(UNNAMED_ATTENTION, HEADS, "Q")))
    assert weights["P"] == "softmax(Z)"
    assert weights["δ_Z"] == "P ⊙ (δ_P − (P ⊙ δ_P) 𝟏 𝟏ᵀ)"
    assert weights["δ_P"] == "G Vᵀ"
    mixture = definitions(derived(Case(MIXTURE, "x=N m=K s=K p=K", "m", "", "s=positive p=positive")))
    assert mixture["P"] == "softmax(Z)"
    assert definitions(derived(Case(UNNAMED_NORM, ROWS, "X", "", "e=positive")))["C"] == "X − (X 𝟏/d) 𝟏ᵀ"


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("mu = mean(x); c = x - mu; sum(c**2)/2", "c"),
        ("mu = mean(x); c = x - mu; sum(g*c)", "g − 𝟏ᵀ g/n"),
        ("mu = mean(x); c = x - mu; v = mean(c**2); r = (v+e)**-0.5; u = c*r; sum(g*u)", "δ_c − 𝟏ᵀ δ_c/n"),
        ("var(x)", "2 (x − 𝟏ᵀ x/n)/n"),
        ("mean(x)", "𝟏/n"),
        ("sum(A@x)", "Aᵀ 𝟏"),
    ],
)
def test_centring_and_means(text, form):
    """Deviations from a mean that is named add up to nothing."""
    view = gradient(text, "x", shapes={"x": "n", "g": "n", "A": "m,n", "e": ""}, domains={"e": "positive"})
    assert printed(view.claim.args[1]) == form


@pytest.mark.parametrize(
    ("text", "form"),
    [("sum(A)", "𝟏 𝟏ᵀ"), ("sum(A@x)", "𝟏 xᵀ"), ("sum(A*c[:,None])", "c 𝟏ᵀ"), ("mean(A)", "𝟏 𝟏ᵀ/(m n)")],
)
def test_what_is_the_same_in_every_row_or_column(text, form):
    view = gradient(text, "A", shapes={"A": "n,m", "x": "m", "c": "n"})
    assert printed(view.claim.args[1]) == form
    values = reference.point({"A": "n,m", "x": "m", "c": "n"}, {})
    wanted = reference.gradient(text, "A", values, reference.extents({"A": "n,m", "x": "m", "c": "n"}, values))
    assert np.abs(reference.of_kernel(view.kernel("gradient"), values) - wanted).max() < 1e-14


def test_a_result_is_not_written_in_a_name_that_must_be_divided_by_something():
    """Σ w² is penalty/lam only where lam is not 0."""
    loss = "penalty = lam*sum(w**2); mean((X@w-y)**2) + penalty"
    found = gradient(loss, "lam", shapes={"X": "N,d", "y": "N", "w": "d", "lam": ""})
    assert not found.assumptions
    values = {"X": np.ones((2, 3)), "y": np.ones(2), "w": np.array([1.0, 2.0, 3.0]), "lam": 0.0}
    assert reference.of_kernel(found.kernel("gradient"), values) == 14
