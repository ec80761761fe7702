"""Terms: substitution catches nothing, components are what arrays are defined to be, text never fails."""

import copy
import pickle
import random as chance
from fractions import Fraction
from math import inf

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from derive.evidence.witness import evaluate
from derive.language.array import component, expanded, push
from derive.language.notation import exp, log_softmax, logsumexp, relu, softmax, squared_norm, tanh, σ
from derive.language.term import (
    BINDERS,
    NATURALS,
    TRUE,
    Π,
    Σ,
    Cov,
    D,
    E,
    ShapeError,
    Term,
    Var,
    alpha,
    array,
    at,
    both,
    bound,
    derivative_of,
    diag,
    eq,
    expect,
    forall,
    free,
    function,
    iff,
    implies,
    index,
    indices,
    integral,
    le,
    let,
    lift,
    lt,
    matrix,
    name_of,
    names,
    natural,
    ne,
    occurs,
    ones,
    outer,
    plain,
    prose,
    random,
    shape_text,
    sizes,
    space,
    substitute,
    subterms,
    succ,
    tends,
    unmarked,
    var,
    variant,
    vector,
    δ,
)

K, H = sizes("K H")
S = space("S")
i, j, k = indices("i j k", K)
a, b = indices("a b", H)
z = index("z", S)
x, y = var("x"), var("y")
u, v, w = var("u", K), var("v", K, dom="positive"), var("w", H)
A, B = var("A", K, K), var("B", K, H)
q = var("q", S, dom="density")
ε = random("ε", K, law="standard")
φ, dφ = function("φ"), derivative_of("φ")
one, two = let("q₁", u * x + v), let("q₂", A @ (u * v))
INDICES = {i: 0, j: 1, k: 1, a: 2, b: 0}
SIZES = {K: 2, H: 3}


def point(seed=0):
    """Values of the variables, all different and none special."""
    source = chance.Random(seed)

    def draw(*shape):
        numbers = np.empty(shape)
        for place in np.ndindex(shape):
            numbers[place] = source.randint(3, 40) / 16 * source.choice((1, -1))
        return numbers

    return {x: float(draw()), y: float(draw()), u: draw(2), v: abs(draw(2)), w: draw(3), A: draw(2, 2), B: draw(2, 3)}


def value(term, values=None, places=None):
    return evaluate(term, values or point(), SIZES, places or INDICES, dps=30)


def close(left, right):
    return all(
        abs(p - r) <= 1e-18 * (1 + abs(p))
        for p, r in zip(np.asarray(left, dtype=object).flat, np.asarray(right, dtype=object).flat, strict=True)
    )


# ---- strategies ------------------------------------------------------------------------------------------------------

index_of_K = st.sampled_from((i, j, k))
leaves = st.one_of(
    st.sampled_from((x, y, lift(2), lift(Fraction(-1, 2)), K, Σ(w[a], a))),
    st.tuples(st.sampled_from((u, v, one, two)), index_of_K).map(lambda pair: pair[0][pair[1]]),
    st.tuples(index_of_K, index_of_K).map(lambda pair: A[pair]),
    st.tuples(index_of_K, index_of_K).map(lambda pair: δ(*pair)),
    st.tuples(index_of_K, st.sampled_from((a, b))).map(lambda pair: B[pair]),
    index_of_K.map(lambda at_: softmax(u)[at_]),
    st.sampled_from((logsumexp(A @ u), squared_norm(u - v), u @ v)),
)


def _differentiable(body, by):
    try:
        return D(body, by)
    except ShapeError:
        return body


def _grown(inner):
    pairs = st.tuples(inner, inner)
    return st.one_of(
        pairs.map(lambda p: p[0] + p[1]),
        pairs.map(lambda p: p[0] - p[1]),
        pairs.map(lambda p: p[0] * p[1]),
        pairs.map(lambda p: p[0] / (1 + p[1] ** 2)),
        inner.map(lambda t: -t),
        inner.map(tanh),
        inner.map(lambda t: σ(t) ** 2),
        st.tuples(inner, index_of_K).map(lambda p: Σ(*p)),
        st.tuples(inner, index_of_K).map(lambda p: Π(*p)),
        st.tuples(inner, st.sampled_from((a, b))).map(lambda p: Σ(*p)),
        st.tuples(inner, index_of_K, index_of_K).map(lambda p: array(p[0], p[1])[p[2]]),
        st.tuples(inner, index_of_K).map(lambda p: logsumexp(array(*p))),
        st.tuples(inner, index_of_K, index_of_K).map(lambda p: softmax(array(p[0], p[1]))[p[2]]),
        st.tuples(inner, st.sampled_from((x, u[i], u[k], one[j], two[i]))).map(lambda p: _differentiable(*p)),
    )


scalars = st.recursive(leaves, _grown, max_leaves=12)

_vectors = st.recursive(
    st.sampled_from((u, v, one, two, A @ u, B @ w, softmax(u), array(u[k] * x, k), A.sum(1), D(u @ v, u))),
    lambda inner: st.one_of(
        st.tuples(inner, inner).map(lambda p: p[0] * p[1]),
        st.tuples(inner, inner).map(lambda p: p[0] - p[1] / 2),
        inner.map(lambda t: A.T @ t),
        inner.map(lambda t: x * tanh(t)),
        inner.map(log_softmax),
        inner.map(lambda t: diag(t) @ t),
        inner.map(lambda t: outer(t, w) @ w),
        inner.map(lambda t: (outer(t, ones(H)) + outer(ones(K), w)) @ w),
        inner.map(lambda t: (t + A).sum(0)),
        inner.map(lambda t: squared_norm(outer(t, w))),
    ),
    max_leaves=4,
)
arrays = st.one_of(
    _vectors,
    _vectors.map(lambda t: outer(t, w)),
    _vectors.map(lambda t: outer(t, ones(H))),
    _vectors.map(lambda t: outer(ones(H), t)),
    _vectors.map(diag),
    _vectors.map(lambda t: t * A.T),
    _vectors.map(lambda t: softmax(A + t)),
    _vectors.map(lambda t: outer(t, t) @ B),
    _vectors.map(lambda t: D(t, u)),
)


# ---- substitution ----------------------------------------------------------------------------------------------------


@given(scalars, st.sampled_from((x, y)), scalars)
def test_a_term_for_a_variable_means_its_value(term, old, new):
    """Nothing that is free in what is put in is caught by a binder."""
    try:
        changed = substitute(term, {old: new})
    except ShapeError:
        return  # a derivative is by the variable, or by what is put in
    values = point()
    assert close(value(changed), value(term, values | {old: value(new)}))


@given(scalars, scalars, index_of_K)
def test_an_array_for_a_variable_means_its_value(term, body, over):
    new = array(body, over)
    try:
        changed = substitute(term, {v: new})
    except ShapeError:
        return
    assert close(value(changed), value(term, point() | {v: value(new)}))


@given(scalars, index_of_K, index_of_K)
def test_an_index_for_an_index_means_its_value(term, old, new):
    changed = substitute(term, {old: new})
    assert close(value(changed), value(term, places=INDICES | {old: INDICES[new]}))
    assert old not in free(changed) or old is new


@given(scalars)
def test_substitution_is_simultaneous(term):
    try:
        swapped = substitute(term, {x: y, y: x})
    except ShapeError:
        return
    values = point()
    assert close(value(swapped), value(term, values | {x: values[y], y: values[x]}))
    turned = substitute(term, {i: j, j: k, x: y})
    there = INDICES | {i: INDICES[j], j: INDICES[k]}
    assert close(value(turned), value(term, values | {x: values[y]}, there))
    assert substitute(term, {}) is term
    assert substitute(term, {x: x}) is term


@given(scalars)
def test_sizes_are_put_in_everywhere(term):
    """H becomes K: the axes, the ranges, and the indices follow."""
    try:
        square = substitute(term, {H: K})
    except ShapeError:
        return
    assert not occurs(H, square)
    values = point()
    square_B, square_w = substitute(B, {H: K}), substitute(w, {H: K})
    places = INDICES | {index("a", K): 1, index("b", K): 0}
    held = {x: values[x], y: values[y], u: values[u], v: values[v], A: values[A]}
    given_ = held | {square_B: values[B][:, :2], square_w: values[w][:2]}
    short = held | {B: values[B][:, :2], w: values[w][:2]}
    there = evaluate(square, given_, {K: 2}, places, dps=30)
    assert close(there, evaluate(term, short, {K: 2, H: 2}, INDICES | {a: 1, b: 0}, dps=30))


def test_binders_rename_what_would_be_caught():
    caught = substitute(Σ(u[k] * x, k), {x: v[k]})
    assert bound(caught)[0] is not k
    assert k in free(caught)
    noise = substitute(E(ε[i] * x, ε), {x: ε[j]})
    assert len({name_of(symbol) for symbol in (*bound(noise), *(s for s in free(noise) if s.op == "var"))}) == 2
    merged = substitute(Σ(Σ(B[i, index("k", H)] * u[k], index("k", H)), k), {H: K})
    assert len(free(merged)) == 1
    assert substitute(δ(i, j), {i: j}) is δ(j, j)


def test_a_derivative_binds_its_array():
    for old, new in ((x, u[i]), (x, let("r", u @ u)), (v, u * 2), (one, let("q₁", u * x + v))):
        term = D(u[j] * x * v[j], u[k]) if old is not one else D(one[i] * two[j], two[k])
        if old is one:
            assert substitute(term, {one: new}) is term
            continue
        with pytest.raises(ShapeError, match="depend"):
            substitute(term, {old: new})
    assert substitute(D(x * y, y), {y: one[i]}) is D(x * one[i], one[i])


# ---- names -----------------------------------------------------------------------------------------------------------


def renamed(term, how):
    """The term with every bound index named anew."""
    args = [renamed(arg, how) if arg.op != "let" else arg for arg in term.args]
    symbols = [symbol for symbol in bound(term) if symbol.op == "idx"]
    taken = {name_of(symbol) for symbol in free(term)}
    fresh = {symbol: variant(index(f"{how}{n}", *symbol.args), taken) for n, symbol in enumerate(symbols)}
    scope = (substitute(arg, fresh) for arg in args[len(bound(term)) :])
    return Term(term.op, (*(fresh.get(s, s) for s in bound(term)), *scope), term.data)


@given(scalars, st.sampled_from(("m", "k", "i", "#1.")))
def test_alpha_knows_no_names(term, how):
    other = renamed(term, how)
    assert alpha(other) is alpha(term)
    assert alpha(alpha(term)) is alpha(term)
    assert free(alpha(term)) == free(term)
    assert close(value(alpha(term)), value(term))


@given(scalars, index_of_K, index_of_K)
def test_alpha_tells_free_indices_apart(term, old, new):
    assume(old is not new)
    speaks = term + u[old]
    assert alpha(substitute(speaks, {old: new})) is not alpha(speaks)


def test_alpha_is_not_fooled_by_its_own_names():
    for name in ("#1.0", "#2.0", "#1.0′"):
        outside = index(name, K)
        assert alpha(Σ(u[k] * v[outside], k)) is not alpha(Σ(u[k] * v[k], k))
        assert alpha(Σ(Σ(A[k, outside] * u[j], k), j)) is not alpha(Σ(Σ(A[k, j] * u[j], k), j))
        assert alpha(Σ(Σ(A[outside, k], k), outside)) is alpha(Σ(Σ(A[i, j], j), i))


@given(scalars)
def test_what_is_free_and_what_occurs(term):
    parts = set(subterms(term))
    assert free(term) <= parts
    assert all(occurs(part, term) for part in parts)
    assert {name_of(symbol) for symbol in free(term)} <= names(term)
    assert next(reversed(list(subterms(term)))) is term
    assert not any(symbol in free(term) for symbol in bound(term))


# ---- components ------------------------------------------------------------------------------------------------------


@given(arrays)
def test_components_are_those_of_numpy(term):
    whole = np.asarray(value(term), dtype=object)
    fresh = tuple(index(f"p{n}", axis) for n, axis in enumerate(term.shape))
    part = component(term, fresh)
    assert not part.shape
    for place in np.ndindex(whole.shape):
        places = INDICES | dict(zip(fresh, place, strict=True))
        assert close(value(part, places=places), whole[place])
        assert close(value(at(term, fresh), places=places), whole[place])


@given(scalars)
def test_pushing_keeps_the_value(term):
    pushed = push(term)
    assert push(pushed) is pushed
    assert close(value(pushed), value(term))
    assert free(pushed) <= free(term)


@given(scalars)
def test_expanding_keeps_the_value(term):
    assume(all(part.op != "D" for part in subterms(term)))
    whole = expanded(term)
    assert close(value(whole), value(term))
    assert all(part.op != "let" for part in subterms(whole))


# ---- text ------------------------------------------------------------------------------------------------------------

FORMULAS = (
    eq(u, v), ne(x, 0), le(x, y), lt(0, x), both(eq(x, y), le(x, 0)), implies(lt(0, x), eq(x, y)), TRUE,
    iff(eq(x, 0), eq(y, 0)), forall(lt(0, u[k]), k), Term("integrable", (z, q[z])),
    tends(x ** natural("n"), natural("n"), inf, 0), tends(x / y, y, 1, x),
    Term("exchange", (D(E(ε[i] * x, ε), x),)), Term("invertible", (outer(u, u),)), Term("posdef", (diag(u),)),
)  # fmt: skip
OTHERS = (
    integral(q[z], z), expect(q, x, z), E(ε[i], ε), Var(ε[i], ε), Cov(ε[i], x, ε), φ(x),
    dφ(x), succ(natural("n")), x ** succ(K), A.T @ u, outer(u, w),
    diag(u), Term("inv", (diag(u),)), Term("det", (outer(u, u),)), Term("trace", (diag(u),)), Term("eye", (K,)),
    u.sum(0), relu(-x), exp(x) ** 2, Term("neg", (-x,)), (x - y) - (y - x), x / (y / x), (x**y) ** 2,
    matrix([[x, 1], [0, y]]), vector([x, 2]),
    D(D(x**2, x), x), array(x, i, a), S, K, lift(Fraction(-1, 3)) * x,
    Term("var", (NATURALS,), ("X", "real"))[natural("n")],
)  # fmt: skip


@given(st.one_of(scalars, arrays, st.sampled_from(FORMULAS + OTHERS)))
def test_every_term_is_text(term):
    text = plain(term)
    assert text == repr(term) == f"{term:s}"
    assert text.strip()
    assert "\n" not in text
    assert "\ue000" not in text
    assert text.count("(") == text.count(")")


@given(scalars, scalars)
@settings(max_examples=60)
def test_text_keeps_the_order_of_operations(left, right):
    """Two arithmetic terms with one text are equal in value."""
    for make in (lambda p, r: p - r, lambda p, r: p / (1 + r**2), lambda p, r: p * r, lambda p, r: -(p + r)):
        one_, other = make(left, right), make(make(left, right), right)
        assert plain(one_) != plain(other)


def test_text_of_the_usual():
    assert plain((x - y) - (y - x)) == "x − y − (y − x)"
    assert plain(x / (y / x)) == "x/(y/x)"
    assert plain(-(x + y)) == "−(x + y)"
    assert plain(Σ(u[k] ** 2, k)) == "Σ_k u[k]^2"
    assert plain(lift(Fraction(-1, 3)) * x) == "(−1/3)·x"
    assert shape_text((K, H)) == "(K, H)"


@given(st.lists(st.one_of(scalars, arrays, st.text(alphabet="ab{}\\$ é", max_size=4)), max_size=6))
def test_prose_holds_its_terms(pieces):
    text = "".join(piece if isinstance(piece, str) else f"{piece}" for piece in pieces)
    found = prose(text)
    assert [p for p in found if isinstance(p, Term)] == [p for p in pieces if isinstance(p, Term)]
    assert "".join(p for p in found if isinstance(p, str)) == "".join(p for p in pieces if isinstance(p, str))
    assert unmarked(text) == "".join(p if isinstance(p, str) else plain(p) for p in pieces)


# ---- identity --------------------------------------------------------------------------------------------------------


@given(st.one_of(scalars, arrays))
def test_terms_that_are_written_alike_are_one(term):
    assert Term(term.op, term.args, term.data) is term
    assert pickle.loads(pickle.dumps(term)) is term  # noqa: S301 - our own bytes
    assert copy.copy(term) is term
    assert copy.deepcopy([term])[0] is term
    assert {term: 1}[Term(term.op, term.args, term.data)] == 1


def test_terms_do_not_change():
    with pytest.raises(AttributeError, match="never changed"):
        x.data = "y"
    with pytest.raises(TypeError, match="truth value"):
        bool(eq(x, y))
    with pytest.raises(TypeError, match="sequence"):
        list(u)
    with pytest.raises(TypeError, match="exact number"):
        x + 0.5
    with pytest.raises(TypeError, match="exact number"):
        x + True


# ---- what cannot be written ------------------------------------------------------------------------------------------

UNWRITABLE = {
    "vectors of different sizes": (lambda: u + w, "do not fit together"),
    "matmul": (lambda: B @ u, "do not fit"),
    "matmul of scalars": (lambda: x @ u, "do not fit"),
    "too many indices": (lambda: u[i, j], "has 1 axes and was given 2"),
    "an index of another range": (lambda: u[a], "on an axis of size K"),
    "a number as an index": (lambda: u[0], "on an axis of size K"),
    "brackets": (lambda: δ(i, a), "different ranges"),
    "a vector under a sum": (lambda: Σ(u, k), "give it indices"),
    "a sum over a variable": (lambda: Σ(x, y), "no index"),
    "an axis": (lambda: A.sum(2), "axis 2"),
    "a loose index in a definition": (lambda: let("r", u[i]), "write array"),
    "a derivative by a sum": (lambda: D(x, x + y), "neither"),
    "relations of shapes": (lambda: eq(u, x), "shape"),
    "softmax of a scalar": (lambda: softmax(x), "last axis"),
    "diag of a matrix": (lambda: diag(A), "no vector"),
    "comprehension": (lambda: array(x, i, i), "different indices"),
    "an average over what is not random": (lambda: E(x, u), "random"),
    "a formula as a number": (lambda: eq(x, y) + 1, "no number"),
    "a number as a formula": (lambda: both(x, eq(x, y)), "no formula"),
    "an axis that is no size": (lambda: var("r", x), "no size"),
    "an infinite sum": (lambda: Σ(x, index("n", NATURALS)), "no index of a finite range"),
    "a range": (lambda: index("n", x), "no range"),
    "an operator": (lambda: Term("plus", (x, y)), "no operator"),
}


@pytest.mark.parametrize(("make", "says"), UNWRITABLE.values(), ids=UNWRITABLE)
def test_what_cannot_be_written_says_why(make, says):
    with pytest.raises(ShapeError, match=says) as caught:
        make()
    assert "\ue000" not in str(caught.value)


def test_every_binder_is_tried_above():
    tried = {part.op for term in (*FORMULAS, *OTHERS, Σ(x, k), Π(x, k)) for part in subterms(term)}
    assert tried >= BINDERS
