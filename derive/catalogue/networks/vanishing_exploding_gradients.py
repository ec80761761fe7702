"""A product of layers scales a signal by at most the product of its largest, at least by the product of its least singular values; Wᵗ = QΛᵗQ⁻¹."""

from derive.language.notation import max_, squared_norm
from derive.language.term import (
    NATURALS,
    ZERO,
    Π,
    Σ,
    Term,
    array,
    diag,
    eq,
    eye,
    forall,
    index,
    indices,
    inv,
    le,
    let,
    natural,
    passing,
    size,
    succ,
    var,
    δ,
)
from derive.logic.arguments import by_induction, rearranged
from derive.logic.calc import calc
from derive.logic.rules.reasons import (
    at_most_max,
    by,
    empty_product,
    given,
    inverse,
    last_factor,
    last_layer,
    linearity,
    multiplied_out,
    no_layer,
    powers,
    sift,
)
from derive.record import Assumption, Derivation, Kernel, Mistake

d = size("d")
(i, j, k, l), (a, b) = indices("i j k l", d), indices("a b", d)
t, T = natural("t"), natural("T")
τ, below, upto, nothing = (index("τ", over) for over in (NATURALS, T, succ(T), ZERO))

# every layer: its matrix in the coordinates that belong to its singular values, and the slopes of its activation
Z, Q = var("Z", NATURALS, d, d, dom="orthogonal"), var("Q", NATURALS, d, d, dom="orthonormal")
W = let("W", array(Σ(Z[τ, k, a] * Q[τ, i, a], a), τ, k, i))
λ = let("λ", array(Σ(Z[τ, k, a] ** 2, k), τ, a))
s, x = var("s", NATURALS, d), var("x", d)
c = let("c", array(Σ(Q[t, i, a] * x[i], i), a)); u = let("u", array(s[t, i] * x[i], i))
m, q = let("m", array(max_(array(λ[τ, a], a)), τ)), let("q", array(max_(array(s[τ, i] ** 2, i)), τ))
r, p = let("r", array(-max_(array(-λ[τ, a], a)), τ)), let("p", array(-max_(array(-(s[τ, i] ** 2), i)), τ))

columns = forall(eq(Σ(Z[τ, k, a] * Z[τ, k, b], k), λ[τ, a] * δ(a, b)), τ, a, b)
rows = forall(eq(Σ(Q[τ, i, a] * Q[τ, j, a], a), δ(i, j)), τ, i, j)


def image(v, layer=t):
    """Return the squared norm of what the matrix of a layer makes of a vector."""
    return Σ(Σ(W[layer, k, i] * v[i], i) ** 2, k)


def through(v, layer=t):
    """Return the squared norm of what a whole layer makes of a vector: slopes first, then the matrix."""
    return Σ(Σ(W[layer, k, i] * (s[layer, i] * v[i]), i) ** 2, k)


# layer after layer
N = passing("N", lambda layer: (d,), lambda layer, v: array(Σ(W[layer, k, i] * (s[layer, i] * v[i]), i), k))


def length(number):
    """Return the squared norm of the signal after so many layers."""
    return Σ(N(0, number, x)[i] ** 2, i)


square = Σ(x[i] ** 2, i)
bound = le(length(T), Π(m[below] * q[below], below) * square)
floor_ = le(Π(r[below] * p[below], below) * square, length(T))

# one matrix again and again
S, μ = var("S", d, d), var("μ", d)
A = let("A", S @ diag(μ) @ inv(S))
powers_of = passing("A", lambda layer: (d, d), lambda layer, P: A @ P)


B = var("B", d, d)


def power(number):
    """Return the matrix multiplied by itself so many times."""
    return powers_of(0, number, eye(d))



regular = Term("invertible", (S,))

entry = Derivation(
    module=__name__,
    title="Vanishing and exploding gradients",
    claim=bound,
    goal=f"How much a layer can stretch or shrink a signal, and what {T} layers make of that; and the powers of one matrix, which is what a linear recurrent network does.",
    priority="critical",
    given=(
        (d, "width of every layer"), (t, "number of a layer"), (T, "number of layers"), (x, "a signal"),
        (Z, "for each layer, the matrix in coordinates in which its columns are orthogonal"), (Q, "these coordinates, one a column"), (W, "weights of each layer"),
        (λ, "squared singular values of each, the eigenvalues of its Gram matrix"), (c, f"a signal in the coordinates of layer {t}"),
        (s, "slopes of the activations"), (u, "a signal times the slopes"),
        (m, "the largest squared singular value of each"), (r, "and the least"), (q, "the largest squared slope of each"), (p, "and the least"),
        (N(T, succ(T), x), "a signal after one more layer"),
        (S, "eigenvectors of a matrix, one a column"), (μ, "its eigenvalues"), (A, "the matrix"), (powers_of(T, succ(T), B), "one factor more"), (B, "any matrix"),
    ),
    assumptions=(
        Assumption(columns, "the columns are orthogonal, with squared lengths that are the eigenvalues (the spectral theorem)"),
        Assumption(rows, "the coordinates are an orthonormal basis"),
        Assumption(regular, "the matrix is diagonalisable: its eigenvectors are a basis"),
    ),
    convention=(
        f"Norms are squared. A gradient on its way back is multiplied by slopes and by transposed weights, which have the same singular values, so each layer is written as slopes first and "
        f"{W} then. {N(0, T, x)} is the signal {x} after {T} layers, the product of their Jacobians applied to it. That every matrix is the product of such {Z} with such {Q} transposed is the spectral theorem for its Gram matrix, which is cited."
    ),
    prompt="Why do gradients vanish or explode in deep and in recurrent networks? Give bounds, from above and from below, and say which of the two needs which. When do the powers of a recurrent matrix stay bounded?",
    sixty_seconds=(
        f"A layer multiplies by slopes and by a matrix. In the coordinates of its singular values the squared norm behind the matrix is {Σ(λ[t, a] * c[a] ** 2, a)}, so it lies between the least and the "
        f"largest of the {λ[t, a]} times the squared norm before it. The slopes bring their own largest and least square. Layer after layer these factors multiply: {length(T)} is at most "
        f"{Π(m[below] * q[below], below)} times where it began. Factors below 1: the gradient vanishes geometrically. That it explodes needs the other bound, with least singular values. "
        f"One matrix over and over has {μ**T} in its eigenvectors’ coordinates: each direction grows or dies by itself."
    ),
    strong=(
        "Keeps the two directions apart: norms below 1 prove that gradients vanish, norms above 1 prove nothing. Names the remedies by the factor that they change: the initial scale of weights, activations whose "
        "slope is 1, skips that add the identity, gates, orthogonal weights, whose singular values are all 1, and clipping, which treats the symptom."
    ),
    weak="Says that gradients explode as soon as the weights’ norms are above 1. A norm is what the most stretched direction suffers; the signal need not lie there twice in a row.",
    sanity=(
        ("Orthogonal weights", f"With every {λ[t, a]} equal to 1 a matrix keeps every norm: what then vanishes or explodes is the slopes’ doing."),
        ("Sigmoid", "Its slopes are at most a quarter, so a squared slope is at most a sixteenth: the weights would have to make up for it in every layer."),
        ("Dead units", "Slopes that may be 0 make the lower bound 0: a network of positive parts has no guarantee from below."),
        ("No layer", f"With {eq(T, 0)} the product is 1 and the power is {eye(d)}."),
    ),
    mistakes=(
        Mistake(le(m[t] * squared_norm(x), image(x)), "An upper bound of the singular values bounds from above, not from below: this is the usual wrong reason for explosion."),
        Mistake(le(through(x), m[t] * square), f"The slopes were forgotten; this needs {le(q[t], 1)}."),
        Mistake(le(length(2), m[1] * q[1] * square), "The last layer’s factor for all of them: the factors multiply."),
        Mistake(eq(power(T), S @ diag(T * μ) @ inv(S)), "Powers of the eigenvalues, and not multiples."),
        Mistake(eq(power(T), S @ diag(μ**T) @ S.T), "The transpose is the inverse only where the eigenvectors are orthonormal, as they are for a symmetric matrix."),
    ),
    prerequisites=("deep-mlp-backprop",),
    follow_ups=("residual-gradient",),
    kernels=(
        Kernel("layer_signal", (B, μ, x), (("value", B @ (μ * x)),), "What a layer with weights B and slopes μ makes of a signal."),
    ),
    references=(
        "Bengio, Simard and Frasconi, Learning long-term dependencies with gradient descent is difficult (1994)",
        "Pascanu, Mikolov and Bengio, On the difficulty of training recurrent neural networks (2013)",
    ),
)  # fmt: skip

# ---- one layer -------------------------------------------------------------------------------------------------------


@entry.proves(eq(Σ(W[t, k, i] * x[i], i), Σ(Z[t, k, a] * c[a], a)), "A matrix in the coordinates of its singular values")
def coordinates():
    return (
        calc(Σ(W[t, k, i] * x[i], i))
        .eq(Σ(Σ(Z[t, k, a] * Q[t, i, a], a) * x[i], i),                          by(W))
        .eq(Σ(Z[t, k, a] * Σ(Q[t, i, a] * x[i], i), a),                          multiplied_out)
        .eq(Σ(Z[t, k, a] * c[a], a),                                             by(c))
    )  # fmt: skip


@entry.proves(eq(image(x), Σ(λ[t, a] * c[a] ** 2, a)), "What it does to a squared norm")
def diagonal():
    return (
        calc(image(x))
        .eq(Σ(Σ(Z[t, k, a] * c[a], a) ** 2, k),                                  coordinates)
        .eq(Σ(c[a] * c[b] * Σ(Z[t, k, a] * Z[t, k, b], k), a, b),                multiplied_out)
        .eq(Σ(λ[t, a] * c[a] ** 2, a),                                           given(columns), sift)
    )  # fmt: skip


@entry.proves(eq(squared_norm(x), Σ(c[a] ** 2, a)), "The coordinates keep the norm")
def isometry():
    return (
        calc(squared_norm(x))
        .eq(Σ(x[i] * x[j] * δ(i, j), i, j),                                      by("squared_norm"), sift)
        .eq(Σ(x[i] * x[j] * Σ(Q[t, i, a] * Q[t, j, a], a), i, j),                given(rows))
        .eq(Σ(Σ(Q[t, i, a] * x[i], i) * Σ(Q[t, j, a] * x[j], j), a),             multiplied_out)
        .eq(Σ(c[a] ** 2, a),                                                     by(c))
    )  # fmt: skip


@entry.proves(le(-max_(array(-λ[t, a], a)), λ[t, a]), "The least squared singular value")
def least_value():
    largest = max_(array(-λ[t, a], a))
    return rearranged(calc(-λ[t, a]).le(largest, at_most_max(-λ[t, a], a)), le(-largest, λ[t, a]))


@entry.proves(le(-max_(array(-(s[t, i] ** 2), i)), s[t, i] ** 2), "The least squared slope")
def least_slope():
    largest = max_(array(-(s[t, i] ** 2), i))
    return rearranged(calc(-(s[t, i] ** 2)).le(largest, at_most_max(-(s[t, i] ** 2), i)), le(-largest, s[t, i] ** 2))


@entry.proves(le(image(x), m[t] * squared_norm(x)), "At most the largest singular value")
def layer_at_most():
    return (
        calc(image(x))
        .eq(Σ(λ[t, a] * c[a] ** 2, a),                                           diagonal)
        .le(Σ(m[t] * c[a] ** 2, a),                                              by(m), at_most_max(λ[t, a], a))
        .eq(m[t] * squared_norm(x),                                              isometry, linearity)
    )  # fmt: skip


@entry.proves(le(r[t] * squared_norm(x), image(x)), "At least the smallest")
def layer_at_least():
    return (
        calc(r[t] * squared_norm(x))
        .eq(Σ(r[t] * c[a] ** 2, a),                                              isometry, linearity)
        .eq(Σ(-max_(array(-λ[t, a], a)) * c[a] ** 2, a),                         by(r))
        .le(Σ(λ[t, a] * c[a] ** 2, a),                                           least_value)
        .eq(image(x),                                                            diagonal)
    )  # fmt: skip


@entry.proves(le(through(x), m[t] * q[t] * square), "With slopes, from above")
def with_slopes():
    return (
        calc(through(x))
        .eq(image(u),                                                            by(u))
        .le(m[t] * squared_norm(u),                                              layer_at_most)
        .eq(m[t] * Σ(s[t, i] ** 2 * x[i] ** 2, i),                               by("squared_norm", u))
        .le(m[t] * Σ(q[t] * x[i] ** 2, i),                                       by(q), at_most_max(s[t, i] ** 2, i))
        .eq(m[t] * q[t] * square,                                                linearity)
    )  # fmt: skip


@entry.proves(le(r[t] * p[t] * square, through(x)), "With slopes, from below")
def with_slopes_below():
    return (
        calc(r[t] * p[t] * square)
        .eq(r[t] * Σ(p[t] * x[i] ** 2, i),                                       linearity)
        .eq(r[t] * Σ(-max_(array(-(s[t, i] ** 2), i)) * x[i] ** 2, i),           by(p))
        .le(r[t] * Σ(s[t, i] ** 2 * x[i] ** 2, i),                               least_slope)
        .eq(r[t] * squared_norm(u),                                              by("squared_norm", u))
        .le(image(u),                                                            layer_at_least)
        .eq(through(x),                                                          by(u))
    )  # fmt: skip


# ---- layer after layer -----------------------------------------------------------------------------------------------


@entry.proves(bound, "Vanishing: at most the product of the largest", main=True)
def norm_bound():
    return by_induction(
        T,
        base=calc(length(ZERO))
        .eq(square,                                                              no_layer)
        .eq(Π(m[nothing] * q[nothing], nothing) * square,                        empty_product),
        step=calc(length(succ(T)))
        .eq(through(N(0, T, x), T),                                              last_layer)
        .le(m[T] * q[T] * length(T),                                             with_slopes)
        .le(m[T] * q[T] * (Π(m[below] * q[below], below) * square),              given(bound, "for one layer less"))
        .eq(Π(m[upto] * q[upto], upto) * square,                                 last_factor),
    )  # fmt: skip


@entry.proves(floor_, "Exploding: at least the product of the smallest")
def norm_floor():
    return by_induction(
        T,
        base=calc(Π(r[nothing] * p[nothing], nothing) * square)
        .eq(square,                                                              empty_product)
        .eq(length(ZERO),                                                        no_layer),
        step=calc(Π(r[upto] * p[upto], upto) * square)
        .eq(r[T] * p[T] * (Π(r[below] * p[below], below) * square),              last_factor)
        .le(r[T] * p[T] * length(T),                                             given(floor_, "for one layer less"))
        .le(through(N(0, T, x), T),                                              with_slopes_below)
        .eq(length(succ(T)),                                                     last_layer),
    )  # fmt: skip


# ---- one matrix again and again --------------------------------------------------------------------------------------


@entry.proves(eq(power(T), S @ diag(μ**T) @ inv(S)), "Powers of a diagonalisable matrix")
def matrix_power():
    def diagonal_power(number):
        return S @ diag(μ**number) @ inv(S)

    so_far = eq(power(T), diagonal_power(T))
    return by_induction(
        T,
        base=calc(power(ZERO)[i, j])
        .eq(δ(i, j),                                                             no_layer)
        .eq(Σ(S[i, a] * inv(S)[a, j], a),                                        inverse)
        .eq(diagonal_power(ZERO)[i, j],                                          sift)
        .array(power(ZERO), diagonal_power(ZERO), i, j),
        step=calc(power(succ(T))[i, j])
        .eq(Σ(A[i, l] * power(T)[l, j], l),                                      last_layer)
        .eq(Σ(A[i, l] * diagonal_power(T)[l, j], l),                             given(so_far, "for one factor less"))
        .eq(Σ(Σ(S[i, a] * μ[a] * inv(S)[a, l], a) * Σ(S[l, b] * μ[b] ** T * inv(S)[b, j], b), l), by(A), sift)
        .eq(Σ(S[i, a] * μ[a] * μ[b] ** T * inv(S)[b, j] * Σ(inv(S)[a, l] * S[l, b], l), a, b),    multiplied_out)
        .eq(Σ(S[i, a] * (μ[a] ** T * μ[a]) * inv(S)[a, j], a),                   inverse, sift)
        .eq(diagonal_power(succ(T))[i, j],                                       powers, sift)
        .array(power(succ(T)), diagonal_power(succ(T)), i, j),
    )  # fmt: skip
