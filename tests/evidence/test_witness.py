"""The witness tells true theorems from false ones, for every operator, and sees what has no meaning."""

import json
import subprocess
import sys
from fractions import Fraction

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from derive.evidence.witness import Session, evaluate, judge, reals, sample, truth, witness
from derive.evidence.witness import world as worlds
from derive.language import notation as vocabulary
from derive.language import term as language
from derive.language.notation import (
    abs_,
    exp,
    expgap,
    kl,
    log,
    log1p,
    log_softmax,
    logsumexp,
    relu,
    softmax,
    softplus,
    sqrt,
    squared_norm,
    tanh,
    π,
    σ,
)
from derive.language.term import (
    NATURALS,
    TRUE,
    Π,
    Σ,
    Cov,
    D,
    E,
    Term,
    Var,
    array,
    both,
    derivative_of,
    det,
    diag,
    eq,
    expect,
    eye,
    forall,
    function,
    iff,
    implies,
    index,
    indices,
    integral,
    inv,
    invertible,
    le,
    let,
    lift,
    lt,
    natural,
    ne,
    outer,
    posdef,
    random,
    sizes,
    space,
    succ,
    trace,
    var,
    δ,
)

x, y, w = var("x"), var("y"), var("w")
a, b = var("a", dom="positive"), var("b", dom="positive")
t = var("t", dom="sign")
N, K, d, h = sizes("N K d h")
n, m = indices("n m", N)
i, j, k = indices("i j k", K)
c, e = indices("c e", d)
u, v = var("u", K), var("v", K)
A, B, X = var("A", N, K), var("B", K, d), var("X", N, d)
squared = var("Γ", K, K)
definite = let("M", outer(u, u) + (x**2 + 1) * eye(K))
φ, dφ = function("φ"), derivative_of("φ")
ddφ = lambda argument: Term("call", (Term("fun", (), ("φ", 2)), argument))  # noqa: E731
Z, Q = space("Z"), space("X")
s, r = indices("s r", Z)
o = index("o", Q)
q, p = var("q", Z, dom="density"), var("p", Z, dom="density")
f, g = var("f", Z), var("g", Z)
joint = var("π", Q, Z, dom="joint density")
ε, η = random("ε", law="standard"), random("η", law="standard")
ξ, ζ = random("ξ", K, law="standard"), random("ζ", K, law="standard")
signs, encoded = var("t", K, dom="sign"), var("y", K, dom="closed unit")
many = random("R", N, d, K, law="standard")
l = natural("l")
seq = var("c", NATURALS)

quarter, half = lift(Fraction(1, 4)), lift(Fraction(1, 2))
probabilities, labels = let("p̂", softmax(u)), var("y", K, dom="simplex")
loss = let("L", -Σ(labels[k] * log(probabilities[k]), k))
supports = forall(implies(lt(0, q[s]), lt(0, joint[o, s])), s)
evidence = integral(joint[o, s], s)
elbo = expect(q, log(joint[o, s] / q[s]), s)

TRUE_THEOREMS = {
    # numbers
    "ring": eq((x + y) * (x - y), x**2 - y**2),
    "fraction": (eq(x / y + 1, (x + y) / y), ne(y, 0)),
    "negation": eq(-(x - y), y - x),
    "power of a negative": eq((-x) ** 3, -(x**3)),
    "root as a power": eq(a**half, sqrt(a)),
    "negative power": (eq(x**-2, 1 / (x * x)), ne(x, 0)),
    "power by a size": eq(x ** succ(l), x**l * x),
    "zeroth power": eq(x**0, 1),
    "size": lt(0, N),
    # functions
    "exp": eq(exp(x + y), exp(x) * exp(y)),
    "log": eq(log(a * b), log(a) + log(b)),
    "log of a square": (eq(log(x**2), 2 * log(abs_(x))), ne(x, 0)),
    "root of a square": eq(sqrt(x**2), abs_(x)),
    "square of a root": (eq(sqrt(x) * sqrt(x), x), le(0, x)),
    "sigmoid": eq(σ(-x), 1 - σ(x)),
    "tanh": eq(tanh(x), 2 * σ(2 * x) - 1),
    "softplus": eq(softplus(x), log(1 + exp(x))),
    "softplus's sign": eq(softplus(x) - softplus(-x), x),
    "relu": eq(relu(x), (x + abs_(x)) / 2),
    "log1p": (eq(log1p(x), log(1 + x)), lt(-1, x)),
    "kl": eq(kl(a, b), a * log(a / b) - a + b),
    "kl at zero": eq(kl(0, a), a),
    "kl zero": iff(eq(kl(a, b), 0), eq(a, b)),
    "expgap": eq(expgap(x), exp(x) - 1 - x),
    "expgap zero": iff(eq(expgap(x), 0), eq(x, 0)),
    "tiny and positive": lt(0, exp(-exp(exp(x) + 1))),
    # arrays
    "matmul": eq((A @ B)[n, c], Σ(A[n, k] * B[k, c], k)),
    "matrix times vector": eq((A @ u)[n], Σ(A[n, k] * u[k], k)),
    "dot": eq(u @ v, Σ(u[k] * v[k], k)),
    "transpose": eq((A @ B).T, B.T @ A.T),
    "outer": eq(outer(u, v)[i, j], u[i] * v[j]),
    "outer and matmul": eq(outer(u, v) @ u, u * (v @ u)),
    "diag": eq(diag(u) @ v, u * v),
    "diag's components": eq(diag(u)[i, j], u[i] * δ(i, j)),
    "identity matrix": eq((eye(K) @ u)[i], u[i]),
    "inverse": (eq(inv(squared) @ squared, eye(K)), invertible(squared)),
    "inverse of a product": eq((inv(definite) @ inv(definite))[i, j], inv(definite @ definite)[i, j]),
    "inverse of a transpose": (eq(inv(squared).T, inv(squared.T)), invertible(squared)),
    "determinant": eq(det(definite @ definite), det(definite) ** 2),
    "determinant of an inverse": eq(det(inv(definite)) * det(definite), 1),
    "Jacobi": eq(D(log(det(definite)), x), trace(inv(definite) @ array(D(definite[i, j], x), i, j))),
    "trace": eq(trace(A @ A.T), Σ(squared_norm(A)[n], n)),
    "positive definite": both(posdef(definite), invertible(definite)),
    "sum over an axis": eq(A.sum(0)[k], Σ(A[n, k], n)),
    "sum over the other axis": eq(A.sum(1)[n], Σ(A[n, k], k)),
    "mean": eq(A.mean()[k] * N, Σ(A[n, k], n)),
    "broadcasting": eq((A + u)[n, k], A[n, k] + u[k]),
    "scalar broadcasting": eq((x * A)[n, k], x * A[n, k]),
    "array": eq(array(A[n, k] * x, k, n)[j, m], x * A[m, j]),
    "array of lets": eq(array(probabilities[k], k), probabilities),
    "sift": eq(Σ(δ(i, k) * u[k], k), u[i]),
    "softmax": eq(softmax(A)[n, k] * Σ(exp(A[n, j]), j), exp(A[n, k])),
    "softmax shift": eq(softmax(u + x), softmax(u)),
    "log_softmax": eq(log_softmax(u)[k], u[k] - logsumexp(u)),
    "logsumexp": eq(logsumexp(A)[n], log(Σ(exp(A[n, k]), k))),
    "squared_norm": eq(squared_norm(A)[n], Σ(A[n, k] ** 2, k)),
    "double sum": eq(Σ(Σ(u[i] * v[j], j), i), Σ(u[i], i) * Σ(v[j], j)),
    "product": eq(Π(exp(u[k]), k), exp(Σ(u[k], k))),
    "let": eq(loss, logsumexp(u) * Σ(labels[k], k) - labels @ u),
    # derivatives
    "sigmoid's derivative": eq(D(σ(x), x), σ(x) * (1 - σ(x))),
    "second derivative": eq(D(D(x**3, x), x), 6 * x),
    "third derivative": eq(D(D(D(exp(2 * x), x), x), x), 8 * exp(2 * x)),
    "mixed": eq(D(D(x**2 * y**3, x), y), 6 * x * y**2),
    "unknown function": eq(D(φ(x**2), x), 2 * x * dφ(x**2)),
    "unknown function, twice": eq(D(D(φ(x * y), x), x), y**2 * ddφ(x * y)),
    "elementwise unknown": eq(D(φ(u)[i], u[j]), dφ(u[i]) * δ(i, j)),
    "abs": (eq(D(abs_(x), x), x / abs_(x)), ne(x, 0)),
    "by a component": eq(D(Σ(u[k] ** 2, k), u[i]), 2 * u[i]),
    "by an array": eq(D(u @ v, u), v),
    "of an array by an array": eq(D(A @ u, u), A),
    "identity": eq(D(u[i], u[j]), δ(i, j)),
    "softmax Jacobian": eq(D(softmax(u), u), diag(softmax(u)) - outer(softmax(u), softmax(u))),
    "through a let": eq(D(loss, u), probabilities - labels),
    "by a let": (eq(D(loss, probabilities[k]), -labels[k] / probabilities[k])),
    "by itself": eq(D(probabilities[i], probabilities[j]), δ(i, j)),
    "second through a let": eq(D(D(loss, u[i]), u[j]), probabilities[i] * (δ(i, j) - probabilities[j])),
    "by a distribution, whose sum is then free": eq(D(Σ(labels[k], k), labels[j]), 1),
    "what is upstream is held": eq(D(let("z", x**2) * x, let("z", x**2)), x),
    # measures
    "density": eq(integral(q[s], s), 1),
    "expectation": eq(expect(q, f[s], s), integral(q[s] * f[s], s)),
    "of a constant": eq(expect(q, x, s), x),
    "exchange": eq(integral(expect(q, f[s] * g[r], s), r), expect(q, integral(f[s] * g[r], r), s)),
    "undefined where there is no mass": eq(expect(q, log(q[s]) - log(q[s]), s), 0),
    "bounded by one": le(expect(q, p[s] / q[s], s), 1),
    "marginal": le(0, integral(joint[o, s], s)),
    "elbo": (eq(log(evidence) - elbo, expect(q, log(q[s] / (joint[o, s] / evidence)), s)), supports),
    "bound": (le(elbo, log(evidence)), supports),
    "gradient of an expectation": eq(D(expect(q, x * f[s], s), x), expect(q, f[s], s)),
    "derivative by a density that vanishes": eq(D(expect(q, f[s], s), q[r]), D(integral(q[s] * f[s], s), q[r])),
    "sum as a measure": eq(expect(labels, u[k], k), Σ(labels[k] * u[k], k)),
    # random variables
    "first moment": eq(E(x * ε + y, ε), y),
    "second moment": eq(E((x * ε + y) ** 2, ε), x**2 + y**2),
    "independence": eq(E(φ(ε) * exp(η), ε, η), E(φ(ε), ε) * E(exp(η), η)),
    "Fubini": eq(E(E(φ(ε * η), ε), η), E(φ(ε * η), ε, η)),
    "renamed": eq(E(φ(ε), ε), E(φ(η), η)),
    "components": eq(E(ξ[i] * ξ[j], ξ), δ(i, j)),
    "variance of a score": eq(E(Σ(ξ[k] * ζ[k], k) ** 2, ξ, ζ), K),
    "through a matrix": eq(E(squared_norm(A @ ξ), ξ), Σ(squared_norm(A)[n], n)),
    "whole array": eq(E(ξ @ ξ, ξ), K),
    "gradient through": eq(D(E(φ(x + y * ε), ε), y), E(dφ(x + y * ε) * ε, ε)),
    "derivative by what is random": eq(E(D(φ(x * ε), ε), ε), x * E(dφ(x * ε), ε)),
    # formulas
    "maximum": le(D(σ(x), x), quarter),
    "equality case": iff(eq(D(σ(x), x), quarter), eq(x, 0)),
    "iff by arrays": iff(eq(squared_norm(u - v), 0), forall(eq(u[k], v[k]), k)),
    "iff by a definition": iff(eq((x - y) ** 2 + (w - y**2) ** 2, 0), both(eq(x, y), eq(w, y**2))),
    "iff of densities": iff(eq(integral(kl(q[s] + 1, p[s] + 1), s), 0), eq(q, p)),
    "and": both(le(x, abs_(x)), le(-x, abs_(x))),
    "implies": implies(lt(0, x), eq(abs_(x), x)),
    "premise of a meaning": implies(lt(0, log(x)), lt(1, x)),
    "pi": both(lt(3, π), lt(π, 4)),
    "under for all": forall(implies(le(0, u[k]), eq(relu(u[k]), u[k])), k),
    "strict": lt(x, x + 1),
    "array inequality": le(u, array(abs_(u[k]), k)),
    "array unequal": (ne(u, v), ne(u[i], v[i])),
    "integrable": Term("integrable", (s, q[s])),
    "truth": TRUE,
    "cases": (eq(relu(-x), -x), le(x, 0)),
    "sign": eq(t * t, 1),
    "sign, one": (eq((1 + t) / 2, t), eq(t, 1)),
    "labels": (eq(1 - y, (1 - t) / 2), eq(y, (1 + t) / 2)),
    "labels of a batch": (
        eq(Σ(encoded[k], k), Σ((1 + signs[k]) / 2, k)),
        forall(eq(encoded[j], (1 + signs[j]) / 2), j),
    ),
    "chain of equations": (eq(x, w), eq(x, y), eq(y, w)),
    "far": (lt(9, x * x), lt(3, x)),
    "sequence": (eq(Π(seq[n] * 2, n), lift(2) ** N * Π(seq[n], n)),),
    "sequence's derivative": eq(D(seq[l] ** 2 + seq[succ(l)], seq[l]), 2 * seq[l]),
    "step of an induction": (
        le(x ** (2 * succ(l)), quarter ** succ(l)),
        le(x ** (2 * l), quarter**l),
        le(x**2, quarter),
    ),
}  # fmt: skip

FALSE_THEOREMS = {
    "sum of products": eq(Σ(u[k] * v[k], k), Σ(u[k], k) * Σ(v[k], k)),
    "sign": eq(-(x - y), x - y),
    "root of a square": eq(sqrt(x**2), x),
    "sum of absolutes": eq(Σ(abs_(u[k]), k), abs_(Σ(u[k], k))),
    "index": eq(u[i] * v[j], u[j] * v[i]),
    "matmul order": eq((A @ B)[n, c], Σ(A[m, k] * B[k, c], k)),
    "transposed": eq(D(A @ u, u), A * 2),
    "softmax Jacobian without its diagonal": eq(D(softmax(u), u), -outer(softmax(u), softmax(u))),
    "second derivative": eq(D(D(x**3, x), x), 6 * x + lift(Fraction(1, 10**30))),
    "derivative held": eq(D(let("z", x**2) * x, x), x**2),
    "unknown functions are not linear": eq(φ(x + y), φ(x) + φ(y)),
    "nor polynomial": eq(Term("call", (Term("fun", (), ("φ", 5)), x)), 0),
    "derivative of an unknown": eq(D(φ(x), x), φ(x)),
    "skew": eq(E(ε**3, ε), 0),
    "kurtosis": eq(E(ε**4, ε), 3),
    "two points": eq(E(ε**4, ε), 1 + E(ε**3, ε) ** 2),
    "dependence": eq(E(ε * ε, ε), E(ε, ε) * E(ε, ε)),
    "one symbol": eq(E(φ(ε) * φ(ε), ε), E(φ(ε) * φ(η), ε, η)),
    "unnormalised": eq(integral(joint[o, s], s), 1),
    "a density may vanish": lt(0, q[s]),
    "two densities": eq(expect(q, f[s], s), expect(p, f[s], s)),
    "bounded by one": eq(expect(q, p[s] / q[s], s), 1),
    "measure is not counting": eq(D(integral(f[s], s), f[Term("idx", s.args, "t")]), 1),
    "never equal": iff(eq(kl(a, b), 0), eq(a, 2 * b)),
    "equality too wide": iff(eq(x**2 * (y - 1) ** 2, 0), eq(x, 0)),
    "strict at equality": lt(D(σ(x), x), quarter),
    "inequality": le(x, abs_(y)),
    "inequality at one place": le(u, v),
    "equality case": iff(eq(x * y, 0), eq(x, 0)),
    "equality case of arrays": iff(eq(Σ(u[k], k), Σ(v[k], k)), forall(eq(u[k], v[k]), k)),
    "equality case by a definition": iff(eq((x - y**2) * w, 0), eq(x, y**2)),
    "and": both(le(x, abs_(x)), le(abs_(x), x)),
    "implies": implies(lt(0, x), eq(abs_(x), -x)),
    "forall": forall(eq(u[k], u[i]), k),
    "unequal": ne(x, y),
    "sizes are different": eq(N, K),
    "a size may be one": lt(1, N),
    "a natural number may be zero": lt(0, l),
    "product": eq(Π(u[k] * x, k), x * Π(u[k], k)),
    "power": eq(x ** succ(l), x**l),
    "a given that is not enough": (eq(abs_(x), x), lt(x, y)),
    "sequence": eq(seq[l], seq[succ(l)]),
    "hypotheses for one index": (eq(Σ(abs_(u[k]), k), Σ(u[k], k)), lt(0, u[i])),
    "a given at one index only": (eq(Σ(encoded[k], k), Σ((1 + signs[k]) / 2, k)), eq(encoded[j], (1 + signs[j]) / 2)),
    "one orthant": eq(relu(x) * relu(-y) * relu(w), 0),
    "tiny difference": eq(x, x + lift(Fraction(1, 10**39))),
    "no given enters a derivative": (eq(D(Σ(labels[k], k), labels[j]), 0), eq(Σ(labels[k], k), 1)),
    "relu": eq(relu(x), abs_(x)),
}

UNDEFINED = {
    "log of a square": eq(log(x**2), 2 * log(x)),
    "cancelled": eq(x / x, 1),
    "log of zero": eq(labels[k] * log(labels[k]), kl(labels[k], 1) + labels[k] - 1),
    "root of a negative": eq(sqrt(x) * sqrt(x), x),
    "derivative at a kink": eq(D(relu(x), x), (1 + x / abs_(x)) / 2),
    "linearity at a kink": eq(D(abs_(x) - abs_(x), x), D(abs_(x), x) - D(abs_(x), x)),
    "inside an array": eq(array(log(u[k]), k), array(log(u[k]), k)),
    "vector over nothing": eq((u / (x - x))[k], 0),
    "scaled by what is undefined": eq(log(x) * u - log(x) * u, u - u),
    "negative power of zero": eq(x**-1 * x, 1),
    "fractional power": eq((x**half) ** 2, x),
    "boundary of a domain": eq(D(sqrt(abs_(x)) ** 2, x) * 0, 0),
    "supports that differ": eq(log(evidence) - elbo, expect(q, log(q[s] / (joint[o, s] / evidence)), s)),
    "premise": both(implies(lt(0, log(x)), lt(1, x)), TRUE),
}

UNMET = {
    "contradiction": (eq(x, x), lt(x, 0), lt(0, x)),
    "false": (eq(x, y), lt(1, 0)),
    "premise": implies(lt(abs_(x), 0), eq(x, y)),
    "out of reach": (eq(x, y), eq(exp(x) + exp(y), 7)),
    "out of range": eq(exp(exp(exp(x) + 9)), 0),
    "too large a table": eq(E(Σ(Σ(Σ(many[n, c, k], n), c), k), many), 0),
}  # fmt: skip


def asked(theorem):
    formula, *hypotheses = theorem if isinstance(theorem, tuple) else (theorem,)
    return witness(formula, hypotheses)


@pytest.mark.parametrize("theorem", TRUE_THEOREMS.values(), ids=TRUE_THEOREMS)
def test_a_true_theorem_is_true(theorem):
    seen = asked(theorem)
    assert seen.status == "true", str(seen)
    assert seen.instances >= 1
    assert mpmath.mpf(seen.digits) < mpmath.mpf("1e-50")


@pytest.mark.parametrize("theorem", FALSE_THEOREMS.values(), ids=FALSE_THEOREMS)
def test_a_false_theorem_is_false(theorem):
    seen = asked(theorem)
    assert seen.status == "false", str(seen)
    assert seen.note == ""
    assert seen.where is not None


@pytest.mark.parametrize("theorem", UNDEFINED.values(), ids=UNDEFINED)
def test_what_is_undefined_is_false_and_says_where(theorem):
    seen = asked(theorem)
    assert seen.status == "false", str(seen)
    assert seen.note.startswith("undefined: ")


@pytest.mark.parametrize("theorem", UNMET.values(), ids=UNMET)
def test_what_no_sample_reaches_is_undecided_and_not_passed(theorem):
    seen = asked(theorem)
    assert (seen.status, seen.instances) == ("undecided", 0)
    assert seen.note


def test_both_cases_of_an_iff_are_met():
    for name in ("kl zero", "expgap zero", "equality case", "iff by arrays", "iff by a definition", "iff of densities"):
        assert asked(TRUE_THEOREMS[name]).met == {True, False}, name
    assert witness(iff(lt(x, x + 1), TRUE)).met == {True}


def test_slack_and_equality_of_an_inequality():
    seen = witness(le(D(σ(x), x), quarter))
    assert seen.tight
    assert mpmath.mpf(seen.slack) < mpmath.mpf("1e-50")
    seen = witness(lt(x, x + 1))
    assert (seen.slack, seen.tight) == ("1.0", False)


def test_a_counterexample_can_be_checked_by_hand():
    seen = witness(eq(x**2, x * y))
    assert set(seen.where.values) == {"x", "y"}
    left, right = (mpmath.mpf(seen.where.values[name]) * mpmath.mpf(seen.where.values["x"]) for name in "xy")
    assert mpmath.almosteq(left, mpmath.mpf(seen.where.left), 1e-9)
    assert mpmath.almosteq(right, mpmath.mpf(seen.where.right), 1e-9)
    assert "against" in str(seen)
    assert set(witness(eq(A[n, k], 0)).where.indices) == {"n", "k"}


def test_a_kink_is_named_with_its_place():
    assert witness(eq(D(relu(x), x), D(relu(x), x))).note == "undefined: a derivative at a kink in ∂relu(x)/∂x"


def test_different_sizes_are_different():
    for seed in range(50):
        drawn = sample.draw_sizes(str(seed), sample.Style(), [N, K, d, h, l, Z], small=False)
        own = [drawn[axis] for axis in (N, K, d, h)]
        assert sorted(own) == [2, 3, 4, 5]
        assert 0 <= drawn[l] <= 3
        assert drawn[Z] in {3, 4}


def test_the_tables_name_the_symbols_of_the_notation():
    kinds = {"app": reals.ELEMENTWISE, "rows": reals.ROWS, "reduce": reals.REDUCTIONS}
    named = {kind: {s.name for s in vocabulary.SYMBOLS.values() if s.kind == kind} for kind in kinds}
    assert named == {kind: set(table) for kind, table in kinds.items()}
    assert set(sample.DOMAINS) == set(vocabulary.DOMAINS)
    assert set(sample.LAWS) | set(sample.JOINT) == set(vocabulary.LAWS)
    assert set(sample.VARIANCE) == {name for name, law in vocabulary.LAWS.items() if law.parameters}
    assert set(worlds.OPERATORS) | set(truth.TRUTHS) | {"fun", "space"} == set(language.OPERATORS)
    assert set(truth.TRUTHS) == language.FORMULAS


SCALARS = [symbol for symbol in vocabulary.SYMBOLS.values() if symbol.kind == "app"]
BRANCHED = [symbol for symbol in SCALARS if symbol.branches(*(x, y)[: symbol.arity])]


def applied(symbol):
    arguments = (x, y)[: symbol.arity]
    return Term("app", arguments, symbol.name), arguments, list(symbol.domain(*arguments))


@pytest.mark.parametrize("symbol", SCALARS, ids=lambda symbol: symbol.name)
def test_a_symbol_and_its_entry_agree(symbol):
    value, arguments, domain = applied(symbol)
    bounds = {
        "positive": [lt(0, value)],
        "nonnegative": [le(0, value)],
        "unit": [lt(0, value), lt(value, 1)],
        "signed unit": [lt(-1, value), lt(value, 1)],
    }
    claims = list(bounds.get(symbol.range, []))
    claims += [eq(value, symbol.definition(*arguments))] if symbol.definition else []
    claims += [iff(eq(value, 0), symbol.zero(*arguments))] if symbol.zero else []
    for claim in claims:
        inside = symbol.kinks(*arguments) if claim.op == "eq" else ()  # where the definition has a value as well
        seen = witness(claim, [*domain, *inside])
        assert seen.status == "true", f"{claim:s}: {seen}"
        assert claim.op != "iff" or seen.met == {True, False}


@pytest.mark.parametrize("symbol", SCALARS, ids=lambda symbol: symbol.name)
def test_a_symbol_has_the_derivatives_of_its_entry(symbol):
    value, arguments, domain = applied(symbol)
    for argument, derivative in zip(arguments, symbol.derivatives, strict=False):
        smooth = [*domain, *symbol.kinks(*arguments)]
        assert witness(eq(D(value, argument), derivative(*arguments)), smooth).status == "true"
        assert witness(eq(D(value, argument), derivative(*arguments) + x), smooth).status == "false"


@pytest.mark.parametrize("symbol", BRANCHED, ids=lambda symbol: symbol.name)
def test_a_symbol_has_the_branches_of_its_entry(symbol):
    applied_, arguments, domain = applied(symbol)
    for condition, value in symbol.branches(*arguments):
        assert witness(eq(applied_, value), [condition, *domain]).status == "true"


@pytest.mark.parametrize("law", vocabulary.LAWS)
def test_a_law_has_what_its_entry_says_and_no_more(law):
    entry, i = vocabulary.LAWS[law], index("i", K)
    parameters = (x, a)[2 - entry.parameters :]
    symbol = random("ρ", K, law=law, parameters=parameters)
    for order, moment in enumerate(entry.moments(*parameters)):
        if moment is not None:
            assert witness(eq(E(symbol[k] ** order, symbol), moment)).status == "true"
    symmetric = eq(E(symbol[k] ** 3, symbol), 0)
    independent = eq(E(symbol[k] * symbol[i], symbol), E(symbol[k], symbol) * E(symbol[i], symbol))
    assert (witness(symmetric).status == "true") == entry.symmetric
    assert (witness(independent, [eq(δ(i, k), 0)]).status == "true") == entry.independent
    assert witness(eq(E(symbol[k] ** 2, symbol), E(symbol[i] ** 4, symbol))).status == "false"


def test_blocks_are_independent_and_what_is_in_one_is_not():
    one, two = (random(name, law="square integrable", block="ω") for name in "XY")
    other = random("Z", law="square integrable")
    assert witness(eq(E(one * two, one, two), E(one, one) * E(two, two))).status == "false"
    assert witness(eq(E(one * other, one, other), E(one, one) * E(other, other))).status == "true"
    assert witness(eq(Cov(one, two, one, two), E(one * two, one, two) - E(one, one) * E(two, two))).status == "true"
    assert witness(eq(Var(one + two, one, two), Var(one, one) + Var(two, two))).status == "false"
    assert witness(eq(Var(one + other, one, other), Var(one, one) + Var(other, other))).status == "true"


def test_a_mean_depends_on_the_parameters_of_its_law():
    for law in ("spread", "stationary"):
        symbol = random("ρ", law=law, parameters=(x, a))
        assert witness(eq(D(E(symbol**2, symbol), x), 2 * x)).status == "true"
        assert witness(eq(D(Var(symbol, symbol), a), 1)).status == "true"


@pytest.mark.parametrize("domain", vocabulary.DOMAINS)
def test_a_variable_lies_in_its_domain(domain):
    entry, symbol = vocabulary.DOMAINS[domain], var("v", N, K, dom=domain)
    facts = {
        "positive": [lt(0, symbol[n, k])],
        "nonnegative": [le(0, symbol[n, k])],
        "unit": [lt(0, symbol[n, k]), lt(symbol[n, k], 1)],
        "sign": [eq(symbol[n, k] ** 2, 1)],
    }
    closed = [le(symbol[n, k], 1)] if domain == "closed unit" else []
    sums = [eq(Σ(symbol[n, k], k), 1)] if entry.sums_to_one else []
    for fact in facts.get(entry.range, []) + closed + sums:
        assert witness(fact).status == "true"
    if entry.range in {"real", "nonnegative"}:
        assert witness(ne(symbol[n, k], 0)).status == "false"


def test_every_domain_takes_its_own_samples():
    world_of = sample.Point(reals.Reals(50, 0), "0", sample.Style(zeros="any"), {N: 3, Z: 4})
    for domain in sample.DOMAINS:
        symbol = var("v", N, Z, dom=domain)
        assert world_of.belongs(symbol, world_of.variable(symbol))


# ---- networks --------------------------------------------------------------------------------------------------------


def batch():
    W1, b1, W2, b2 = var("W1", h, d), var("b1", h), var("W2", K, h), var("b2", K)
    Y = var("Y", N, K, dom="simplex")
    Z1 = let("Z1", X @ W1.T + b1)
    H = let("H", φ(Z1))
    Z2 = let("Z2", H @ W2.T + b2)
    P = let("P", softmax(Z2))
    L = let("L", -Σ(Σ(Y[n, k] * log(P[n, k]), k), n) / N)
    Δ2 = let("Δ2", (P - Y) / N)
    Δ1 = let("Δ1", (Δ2 @ W2) * dφ(Z1))
    return {
        "Z2": (D(L, Z2), Δ2),
        "W2": (D(L, W2), Δ2.T @ H),
        "b2": (D(L, b2), Δ2.sum(0)),
        "Z1": (D(L, Z1), Δ1),
        "W1": (D(L, W1), Δ1.T @ X),
        "b1": (D(L, b1), Δ1.sum(0)),
        "X": (D(L, X), Δ1 @ W1),
    }


@pytest.mark.parametrize("name", batch())
def test_the_gradients_of_a_network(name):
    gradient, claimed = batch()[name]
    assert witness(eq(gradient, claimed)).status == "true"
    assert witness(eq(gradient, claimed * 2)).status == "false"


def test_one_component_of_a_gradient_of_a_gradient():
    W = var("W", K, d)
    input_ = var("x", d)
    z = let("z", W @ input_)
    L = let("L", logsumexp(z))
    p_ = softmax(z)
    assert witness(eq(D(D(L, z[i]), W[j, c]), p_[i] * (δ(i, j) - p_[j]) * input_[c])).status == "true"


# ---- repeatable, and alone -------------------------------------------------------------------------------------------


def test_the_same_question_has_the_same_answer():
    for theorem in (TRUE_THEOREMS["elbo"], FALSE_THEOREMS["skew"], UNDEFINED["supports that differ"]):
        assert asked(theorem) == asked(theorem)


def test_answers_do_not_depend_on_the_process():
    code = (
        "import json, sys; from derive.language.term import *; from derive.evidence.witness import witness\n"
        "s, x, y = size('n'), var('x', size('n')), var('y', size('n')); i = index('i', s)\n"
        "seen = str(witness(eq(Σ(x[i] * y[i], i), Σ(x[i], i) * Σ(y[i], i))))\n"
        "print(json.dumps([seen, sorted({'sympy'} & set(sys.modules))]))"
    )
    run = [
        subprocess.run(
            [sys.executable, "-X", "utf8", "-c", code], env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(sys.path)},
            capture_output=True, check=True, encoding="utf-8",
        ).stdout
        for seed in "12"
    ]  # fmt: skip
    assert run[0] == run[1]
    assert json.loads(run[0])[1] == []


def lines():
    """Theorems with much in common, true ones and false ones, under several hypotheses."""
    network = [(eq(gradient, claimed * scale),) for gradient, claimed in batch().values() for scale in (1, 2)]
    single = [theorem if isinstance(theorem, tuple) else (theorem,) for theorem in TRUE_THEOREMS.values()]
    wrong = [theorem if isinstance(theorem, tuple) else (theorem,) for theorem in FALSE_THEOREMS.values()]
    return [*network, *single[40:], *wrong[20:], *((formula, *given, lt(x, y)) for formula, *given in single[80:])]


@pytest.fixture(scope="module")
def alone():
    return {theorem: asked(theorem) for theorem in lines()}


@pytest.mark.parametrize("turn", [1, -1], ids=["forwards", "backwards"])
def test_a_session_changes_nothing_of_what_is_seen(alone, turn):
    session = Session()
    for formula, *hypotheses in lines()[::turn]:
        assert witness(formula, hypotheses, session=session) == alone[formula, *hypotheses]


def test_a_session_that_has_seen_too_much_begins_anew(alone, monkeypatch):
    monkeypatch.setattr(judge, "MOST_FOUND", 0)
    session = Session()
    for formula, *hypotheses in lines()[::7]:
        assert witness(formula, hypotheses, session=session) == alone[formula, *hypotheses]


@pytest.fixture
def exponentials(monkeypatch):
    """Count the exponentials that are evaluated."""
    taken = []
    exponential = reals.ELEMENTWISE["exp"]
    monkeypatch.setitem(reals.ELEMENTWISE, "exp", lambda r, u: (taken.append(u), exponential(r, u))[1])
    return taken


def test_a_session_evaluates_what_theorems_share_once(exponentials):
    value, session = exp(u @ v), Session()
    witness(eq(value, value * 1), session=session)
    seen = len(exponentials)
    witness(eq(value * x * v[k], x * (v[k] * value)), session=session)
    assert len(exponentials) == seen


def test_a_derivative_evaluates_only_what_it_moves(exponentials):
    evaluate(D(Σ(exp(u[k]), k), u), {u: [1, 2, 3, 4, 5]})
    assert len(exponentials) == 5 + 2 * 5


def test_an_outcome_is_evaluated_for_what_it_reads_alone(exponentials):
    evaluate(E(Σ(exp(let("r", 2 * ξ)[k]), k) ** 2, ξ), {}, sizes={K: 5})
    assert len(exponentials) == 4 + 4 * 2
    assert witness(eq(E(let("r", 2 * many)[n, c, k] ** 2, many), 4)).status == "true"


def test_a_random_quantity_is_another_one_in_an_expectation():
    r = let("r", x + ε)
    assert witness(eq(E(r * r, ε) * r, (x**2 + 1) * (x + ε))).status == "true"
    assert witness(eq(D(r**2, r) + E(r, ε), 2 * r + x)).status == "true"


def test_derivatives_nest_seven_times():
    power = x**9
    for _ in range(7):
        power = D(power, x)
    assert witness(eq(power, 9 * 8 * 7 * 6 * 5 * 4 * 3 * x**2)).status == "true"
    seen = witness(eq(D(power, x), x))
    assert (seen.status, seen.note) == ("undecided", "derivatives nest too deep")


def test_the_precision_of_others_is_left_alone():
    with mpmath.workdps(23):
        witness(eq(D(D(σ(x), x), x), σ(x)))
        evaluate(σ(x), {x: 1}, dps=300)
        assert mpmath.mp.dps == 23


def test_a_coarser_look_takes_a_larger_difference_for_equality():
    nearly = eq(a, a + lift(Fraction(1, 10**25)))
    assert witness(nearly, digits=30).status == "true"
    assert witness(nearly).status == "false"


# ---- evaluate --------------------------------------------------------------------------------------------------------


def test_a_value_at_floats_is_exact():
    value = evaluate(x * 3, {x: 0.1})
    assert value == mpmath.mpf(0.1) * 3 or mpmath.almosteq(value, mpmath.mpf("0.3000000000000000166533453694"), 1e-15)
    with mpmath.workdps(60):
        assert evaluate(x, {x: 0.1}) == mpmath.mpf("0.1000000000000000055511151231257827021181583404541015625")
    assert evaluate(x + y, {x: Fraction(1, 4), y: np.float32(0.5)}) == 0.75
    assert evaluate(x, {x: "0.1"}, dps=30) != evaluate(x, {x: 0.1}, dps=30)


def test_a_saturated_value_keeps_its_digits():
    with mpmath.workdps(1000):
        expected = mpmath.exp(-1000) / (1 + mpmath.exp(-1000)) ** 2
        value = evaluate(D(σ(x), x), {x: 1000.0}, dps=1000)
        assert abs(value / expected - 1) < mpmath.mpf(10) ** -500
    logits = {u: [1000.0, -1000.0, 0.0], labels: [0, 1, 0]}
    gradient = evaluate(D(loss, u), logits, dps=1000)
    assert [float(g) for g in gradient] == [1.0, -1.0, 0.0]
    assert float(evaluate(loss, logits, dps=1000)) == 2000.0
    assert 0 < evaluate(gradient_of_first := probabilities[k], logits, indices={k: 1}, dps=30) < mpmath.mpf("1e-868")
    assert gradient_of_first.op == "at"


def test_a_minus_infinite_logit_has_no_probability():
    value = evaluate(softmax(u), {u: [0.0, float("-inf"), 0.0]})
    assert [float(p) for p in value] == [0.5, 0.0, 0.5]


def test_shapes_tell_the_sizes():
    value = evaluate(A @ B + N, {A: np.ones((2, 3)), B: np.arange(12.0).reshape(3, 4)})
    assert value.shape == (2, 4)
    assert [float(v) for v in value[0]] == [14.0, 17.0, 20.0, 23.0]
    assert evaluate(le(u, v), {u: [1, 2], v: [1, 3]}) is True
    assert evaluate(E(ξ @ ξ, ξ), {}, sizes={K: 4}) == 4
    assert evaluate(u[i] * l, {u: [1, 2]}, sizes={l: 3}, indices={i: 1}) == 6
    assert evaluate(integral(f[s], s), {f: [1, 2], Z: [3, 4]}) == 11
    assert evaluate(probabilities[k] * 2, {probabilities: [1, 2]}, indices={k: 1}, sizes={}) == 4


@pytest.mark.parametrize(
    ("term", "values", "message"),
    [
        (u @ v, {u: [1, 2], v: [1, 2, 3]}, "v has 3 along K, and K is 2 elsewhere"),
        (u @ u, {u: 1}, "u has 1 axes, and its value has 0"),
        (x + y, {x: 1}, "no value is given for y"),
        (N * x, {x: 1}, "give the sizes of N"),
    ],
)
def test_what_is_not_given_is_asked_for(term, values, message):
    with pytest.raises(ValueError, match=message):
        evaluate(term, values)


def test_a_value_that_does_not_exist_is_an_error():
    with pytest.raises(ArithmeticError, match="log of 0"):
        evaluate(log(u), {u: [1, 0]})
    with pytest.raises(ArithmeticError, match="kink"):
        evaluate(D(relu(x), x), {x: 0})


values = st.fractions(min_value=-3, max_value=3, max_denominator=16)


@given(values, values, values)
def test_a_random_polynomial_is_evaluated_and_differentiated(one, two, three):
    at = {x: one, y: two, w: three}
    body = x**3 * y - w * x**2 + y / (1 + w**2)
    assert reals.Reals(50, 0).close(
        evaluate(body, at), reals.Reals(50, 0).number(one**3 * two - three * one**2 + two / (1 + three**2))
    )
    slope, second = 3 * one**2 * two - 2 * three * one, 6 * one * two - 2 * three
    tolerance = mpmath.mpf("1e-45")
    assert abs(evaluate(D(body, x), at) - mpmath.mpf(slope.numerator) / slope.denominator) < mpmath.mpf("1e-12")
    assert abs(evaluate(D(body, x) * slope.denominator, at) - slope.numerator) < tolerance
    assert abs(evaluate(D(D(body, x), x) * second.denominator, at) - second.numerator) < tolerance
