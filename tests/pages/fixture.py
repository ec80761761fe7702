"""A page made by hand, as the catalogue would make it: the gradient of softmax cross-entropy."""

from __future__ import annotations

from derive.language.notation import exp, log, softmax
from derive.language.term import Σ, D, Term, eq, indices, let, lift, lt, prose, size, var, δ
from derive.pages.cancelled import cancelled
from derive.pages.model import (
    Assumption,
    Check,
    Discharged,
    Given,
    Interview,
    Line,
    Link,
    Mistake,
    Number,
    Page,
    Result,
    Section,
    Verdict,
    renumbered,
)

K = size("K")
k, j, c = indices("k j c", K)
z = var("z", K)
y = var("y", K, dom="simplex")
p = let("p", softmax(z))
L = let("L", -Σ(y[k] * log(p[k]), k))
gradient = let("δ", D(L, z))
total = eq(Σ(y[k], k), 1)
NUMPY = '''import numpy as np

def delta(z, y):
    """The gradient at the logits.  z, y: (K,)"""
    e = np.exp(z - z.max())                  # same p, and no overflow
    p = e / e.sum()
    return p - y                             # line 7
'''


def _line(
    right: Term,
    reason: str,
    left: Term | None = None,
    *,
    tags: tuple[str, ...] = (),
    link: Link | None = None,
    following: Term | None = None,
) -> Line:
    struck = cancelled(right, following) if following is not None else frozenset()
    return Line(0, left, "eq", right, prose(reason), proved=True, witnessed=True, tags=tags, link=link, struck=struck)


def page() -> Page:
    """Return the page."""
    bracket = δ(k, j) - p[j]
    short = -Σ(y[k] * bracket, k)
    jacobian = Link("softmax-jacobian", "softmax Jacobian")
    sections = renumbered([
        Section("", ("Move the derivative inside the sum",), (
            _line(-Σ(y[k] * D(log(p[k]), z[j]), k), f"definition of {L}; term by term, {y} constant", D(L, z[j])),
            _line(-Σ(y[k] * (1 / p[k]) * D(p[k], z[j]), k), f"derivative of the logarithm; {lt(0, p[k])}"),
        )),
        Section("", ("Put in the Jacobian of softmax",), (
            _line(-Σ(y[k] * (1 / p[k]) * (p[k] * bracket), k), "softmax Jacobian", link=jacobian, following=short),
            _line(short, f"cancel {p[k]}, which is not 0"),
        )),
        Section("", ("Sum over the classes",), (
            _line(-Σ(y[k] * δ(k, j), k) + p[j] * Σ(y[k], k), f"split the sum; {p[j]} does not depend on {k}"),
            _line(-y[j] + p[j] * Σ(y[k], k), f"sift: only {k} equal to {j} is left"),
            _line(p[j] - y[j], "the targets sum to one", tags=("A1",)),
        ), (Result(D(L, z), "eq", p - y, prose(f"line 7 for every {j}"), z.shape),)),
    ])  # fmt: skip
    return Page(
        slug="softmax-ce-delta",
        title=prose(f"Softmax cross-entropy: {eq(gradient, p - y)}"),
        topic="Linear models and losses",
        goal=prose("The gradient of the loss with respect to the logits, as one expression in arrays."),
        given=(
            Given(z, ("logits of one example",), ("real",), z.shape),
            Given(y, ("target distribution",), prose(f"{lt(0, y[k])}, {total}"), y.shape, ("A1",)),
            Given(p, ("predicted probabilities",), prose(f"{eq(p[k], softmax(z)[k])}"), p.shape),
            Given(L, ("cross-entropy loss",), prose(f"{eq(L, -Σ(y[k] * log(p[k]), k))}"), ()),
            Given(gradient, ("gradient at the logits",), prose(f"{eq(gradient[j], D(L, z[j]))}"), z.shape),
        ),
        convention=prose(
            f"Layout: a gradient has the shape of what it is taken by, so {eq(D(L, z)[j], D(L, z[j]))}. The bracket "
            f"{δ(k, j)} is 1 where {k} and {j} are equal and 0 elsewhere. An earlier result is used: the softmax "
            f"Jacobian, {eq(D(p[k], z[j]), p[k] * bracket)}."
        ),
        sections=sections,
        numbers=(
            Number(log(lift(10)), "2.3026", prose("the loss at a tenth"), witnessed=True),
            Number(exp(lift(-20)), "2.06e-9", ("a small weight",), witnessed=True),
        ),
        checks=(
            Check("Shape", prose(f"{p} and {y} have shape {K}, and so has {z}.")),
            Check("Sum", prose(f"{eq(Σ(gradient[j], j), 0)}: adding a constant to every logit leaves {L} as it is.")),
        ),
        mistakes=(
            Mistake(prose(f"{y - p}"), prose(f"The minus sign of {L} was lost; descent would climb.")),
            Mistake(
                prose(f"{-y[j] * (1 - p[j])}"),
                prose(f"Only one class was differentiated. Every {p[k]} depends on {z[j]}."),
            ),
        ),
        sixty_seconds=prose(
            f"The gradient of cross-entropy at the logits is prediction minus target. By the chain rule class {k} "
            f"contributes {-y[k] / p[k]} times a row of the softmax Jacobian, {p[k] * bracket}. The {p[k]} cancels, "
            f"which is why the two belong together. What is left is {-y[j]} from the diagonal and {p[j]} times the sum "
            f"of the targets. The targets sum to one, so it is {p[j] - y[j]}: bounded, zero in sum, and never flat "
            "where the model is wrong."
        ),
        interview=Interview(
            prose("Why is softmax used together with cross-entropy?"),
            prose(f"Derives {p - y} and says that the {p[k]} cancels."),
            prose("Says that it works well in practice & stops <there>."),
            (
                prose("What changes with soft targets?"),
                prose(f"What is the gradient for a mean over a batch of {size('N')}?"),
            ),
        ),
        numpy=NUMPY,
        assumptions=(Assumption("A1", prose(f"{total}"), ("line 7",)),),
        discharged=(
            Discharged(prose(f"{lt(0, p[k])}"), ("lines 2 to 4",), ("an exponential over a sum of exponentials",)),
        ),
        references=(prose("Goodfellow, Bengio & Courville, Deep Learning, 6.2.2.3"),),
        before=(jacobian,),
        after=(Link("mlp-backprop", "two-layer backpropagation"),),
        verdict=Verdict(7, 7, 7, 1),
        certificate="9c1e77d2" * 8,
    )
