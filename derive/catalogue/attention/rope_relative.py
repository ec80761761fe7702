"""⟨R_m q, R_n k⟩ = ⟨q, R_{n−m} k⟩: rotary embeddings make scores depend on relative positions alone."""

from fractions import Fraction

from derive.language.notation import cos, sin, π
from derive.language.term import Σ, D, Term, array, eq, index, let, lift, matrix, size, var
from derive.logic.arguments import entrywise, instance
from derive.logic.calc import calc
from derive.logic.rules.reasons import angle_sum, by, linearity, parity, pythagoras, sift, use
from derive.record import Derivation, Kernel, Mistake, Number

P = size("P"); p = index("p", P)
q1, q2, k1, k2, ω = var("q₁", P), var("q₂", P), var("k₁", P), var("k₂", P), var("ω", P)
m, n, h, s, t = var("m"), var("n"), var("h"), var("s"), var("t")
g1, g2 = var("g₁", P), var("g₂", P)

Pair = tuple[Term, Term]
q, k, g = (q1, q2), (k1, k2), (g1, g2)


def rotated(pair: Pair, angles: Term, at: Term = p) -> Pair:
    """Return both components of a pair of a vector after a rotation."""
    (a, b), angle = pair, angles[at]
    return cos(angle) * a[at] - sin(angle) * b[at], sin(angle) * a[at] + cos(angle) * b[at]


def named(names: tuple[str, str], pair: Pair, angles: Term) -> Pair:
    """Return a rotated vector under names of its own."""
    first, second = (let(name, array(part, p)) for name, part in zip(names, rotated(pair, angles), strict=True))
    return first, second


def inner(one: Pair, other: Pair) -> Term:
    """Return the inner product of two vectors, over all pairs."""
    return Σ(one[0][p] * other[0][p] + one[1][p] * other[1][p], p)


θ, φ, ψ = let("θ", m * ω), let("φ", n * ω), let("ψ", (n - m) * ω)
y, z, w = named(("y₁", "y₂"), q, θ), named(("z₁", "z₂"), k, φ), named(("w₁", "w₂"), k, ψ)
θt, φt, ψt = let("θ′", (m + h) * ω), let("φ′", (n + h) * ω), let("ψ′", (n + h - (m + h)) * ω)
yt, zt, wt = named(("y₁′", "y₂′"), q, θt), named(("z₁′", "z₂′"), k, φt), named(("w₁′", "w₂′"), k, ψt)
L = let("L", inner(g, y))


def turn(angle: Term) -> Term:
    """Return the rotation of the plane by an angle."""
    return matrix([[cos(angle), -sin(angle)], [sin(angle), cos(angle)]])


same, crossed = q1[p] * k1[p] + q2[p] * k2[p], q2[p] * k1[p] - q1[p] * k2[p]
score = inner(y, z)

entry = Derivation(
    module=__name__,
    title="Rotary embeddings see relative positions",
    claim=eq(score, inner(q, w)),
    goal="Show that rotating queries and keys by their positions leaves scores that depend on the difference of positions alone, keeps lengths, and is undone by the opposite rotation in the backward pass.",
    priority="important",
    given=(
        (P, "pairs of components, half of the head’s dimension"), (q1, "first components of a query’s pairs"), (q2, "second components"), (k1, "first components of a key’s pairs"), (k2, "second components"),
        (ω, "frequency of each pair"), (m, "position of the query"), (n, "position of the key"), (θ, "angles of the query"), (φ, "angles of the key"), (ψ, "angles of the difference"),
        (y[0], "the query turned by its position"), (y[1], "second components"), (z[0], "the key turned by its position"), (z[1], "second components"),
        (w[0], "the key turned by the difference of positions"), (w[1], "second components"), (h, "a shift of both positions"),
        (θt, "angles of the query after it"), (φt, "angles of the key after it"), (yt[0], "the query there"), (yt[1], "second components"), (zt[0], "the key there"), (zt[1], "second components"),
        (g1, "gradient that arrives at the first components"), (g2, "at the second"), (L, "a loss with this gradient"), (s, "an angle"), (t, "another"),
    ),
    convention=(
        "Components come in pairs, and each pair is a point of a plane; whether a pair is two neighbours or a component of either half of the head is a matter of layout. Position m turns pair p by the angle "
        f"{eq(θ[p], m * ω[p])}, anticlockwise."
    ),
    prompt="Explain rotary position embeddings. Why does the attention score depend on relative positions only, though every token is rotated by its absolute one? What is the backward pass?",
    sixty_seconds=(
        f"Cut each query and key into pairs and turn pair {p} by {m * ω[p]} at position {m}. Turning both vectors of an inner product by one angle changes nothing, so turning them by {θ[p]} and {φ[p]} is turning the key alone by "
        f"{eq(ψ[p], φ[p] - θ[p])}: in matrices, {eq(turn(s).T @ turn(t), turn(t - s))}. So the score knows only {n - m}. Lengths are kept, since a rotation is orthogonal, and for the same reason the backward pass is the rotation by the opposite "
        "angle. It has no parameters and is applied to queries and keys, never to values."
    ),
    strong=(
        "Shows it for one pair as a product of two matrices and adds the pairs up. Says why the frequencies fall geometrically: the fast pairs tell neighbours apart, the slow ones have not turned round once within the context; "
        "and that stretching a context means slowing the frequencies down, since angles that were never seen in training are what fails."
    ),
    weak="Says that sine and cosine encode the position. That describes sinusoidal embeddings, which are added: their scores contain terms in absolute positions.",
    sanity=(
        ("Same place", f"With {eq(m, n)} the score is {inner(q, k)}: nothing was turned."),
        ("Shift", "Moving query and key by the same number of places changes no score."),
        ("Inverse", f"{turn(s).T} is {turn(-s)}: the transpose of a rotation turns back."),
    ),
    mistakes=(
        Mistake(eq(score, inner(q, k)), "Each vector keeps its length, and not their inner product: the two are turned by different angles."),
        Mistake(eq(ψ, φ + θ), "The transpose turns back: the angle of the query is subtracted."),
        Mistake(eq(D(L, q1[p]), cos(θ[p]) * g1[p] - sin(θ[p]) * g2[p]), "The gradient is turned by the same angle as the query; the transpose turns it back."),
        Mistake(eq(turn(s) @ turn(t), turn(s * t)), "Angles of rotations that follow each other are added."),
    ),
    prerequisites=("attention-scaling",),
    follow_ups=("attention-backward",),
    kernels=(
        Kernel("rotate", (q1, q2, ω, m), (("first", y[0]), ("second", y[1])), "A query turned pair by pair to its position."),
    ),
    numbers=(Number(2 * π * lift(10000) ** Fraction(126, 128), "54,410", "tokens in one turn of the slowest of 64 pairs, at base 10,000"),),
    references=("J. Su and others, “RoFormer: Enhanced Transformer with Rotary Position Embedding”, 2021, section 3.2",),
)  # fmt: skip


def by_angles(claim: Term):
    """Return the proof of an equation between matrices of sines and cosines, entry by entry."""
    return entrywise(claim, lambda left, right: calc(left).eq(right, angle_sum))


@entry.proves(eq(turn(s).T @ turn(t), turn(t - s)), "One pair: back by one angle and forth by another")
def one_pair():
    return by_angles(eq(turn(s).T @ turn(t), turn(t - s)))


@entry.proves(eq(turn(s) @ turn(t), turn(s + t)), "One pair: one rotation after another")
def composed():
    return by_angles(eq(turn(s) @ turn(t), turn(s + t)))


@entry.proves(entry.claim, "All pairs: the score", main=True)
def relative():
    together, apart = cos(φ[p]) * cos(θ[p]) + sin(φ[p]) * sin(θ[p]), sin(φ[p]) * cos(θ[p]) - cos(φ[p]) * sin(θ[p])
    return (
        calc(score)
        .eq(Σ(same * together, p) + Σ(crossed * apart, p),                       by(*y, *z), linearity)
        .eq(Σ(same * cos(φ[p] - θ[p]), p) + Σ(crossed * sin(φ[p] - θ[p]), p),    angle_sum)
        .eq(Σ(same * cos(ψ[p]), p) + Σ(crossed * sin(ψ[p]), p),                  by(θ, φ, ψ))
        .eq(inner(q, w),                                                         by(*w), linearity)
    )  # fmt: skip


@entry.proves(eq(inner(yt, zt), score), "A shift changes no score")
def shifted():
    there = instance(relative.theorem, (m, m + h), (n, n + h), *zip((*y, *z, *w), (*yt, *zt, *wt), strict=True), (θ, θt), (φ, φt), (ψ, ψt))
    return (
        calc(inner(yt, zt))
        .eq(inner(q, wt),                                                        use(there.theorem, "the score at the new places"))
        .eq(inner(q, w),                                                         by(*w, *wt, ψ, ψt))
        .eq(score,                                                               relative)
    )  # fmt: skip


@entry.proves(eq(Σ(y[0][p] ** 2 + y[1][p] ** 2, p), Σ(q1[p] ** 2 + q2[p] ** 2, p)), "Lengths are kept")
def kept():
    return (
        calc(Σ(y[0][p] ** 2 + y[1][p] ** 2, p))
        .eq(Σ((q1[p] ** 2 + q2[p] ** 2) * (sin(θ[p]) ** 2 + cos(θ[p]) ** 2), p), by(*y))
        .eq(Σ(q1[p] ** 2 + q2[p] ** 2, p),                                       pythagoras)
    )  # fmt: skip


@entry.proves(eq(D(L, q1), array(cos(-θ[p]) * g1[p] - sin(-θ[p]) * g2[p], p)), "The backward pass, first components")
def backward_first():
    return (
        calc(D(L, q1[p]))
        .eq(g1[p] * cos(θ[p]) + g2[p] * sin(θ[p]),                               by(L, *y), linearity, sift)
        .eq(cos(-θ[p]) * g1[p] - sin(-θ[p]) * g2[p],                             parity)
        .array(D(L, q1), array(cos(-θ[p]) * g1[p] - sin(-θ[p]) * g2[p], p), p)
    )  # fmt: skip


@entry.proves(eq(D(L, q2), array(sin(-θ[p]) * g1[p] + cos(-θ[p]) * g2[p], p)), "The backward pass, second components")
def backward_second():
    return (
        calc(D(L, q2[p]))
        .eq(-(g1[p] * sin(θ[p])) + g2[p] * cos(θ[p]),                            by(L, *y), linearity, sift)
        .eq(sin(-θ[p]) * g1[p] + cos(-θ[p]) * g2[p],                             parity)
        .array(D(L, q2), array(sin(-θ[p]) * g1[p] + cos(-θ[p]) * g2[p], p), p)
    )  # fmt: skip
