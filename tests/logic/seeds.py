"""For each axiom schema a random term to which it has a chance to apply, with its parameters."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from math import inf
from typing import Any

from logic.writing import (
    NUMBERS,
    A,
    B,
    H,
    K,
    Maker,
    Scope,
    X,
    Y,
    a,
    beside,
    c,
    density,
    dφ,
    f,
    first,
    g,
    h,
    i,
    j,
    k,
    l,
    m,
    n,
    noisy,
    o,
    p,
    partial,
    q,
    q_plus,
    residual,
    s,
    second,
    t,
    total,
    u,
    up,
    v,
    w,
    x,
    y,
    z,
    ε,
    ζ,
    η,
    κ,
    λ,
    ξ,
    φ,
    ω,
)

from derive.language.array import push
from derive.language.notation import (
    abs_,
    cos,
    digamma,
    erf,
    exp,
    expgap,
    floor,
    gammaln,
    gelu,
    hardmax,
    kl,
    log,
    log1p,
    log_softmax,
    logsumexp,
    max_,
    norm,
    prod,
    prod_others,
    relu,
    silu,
    sin,
    softmax,
    softplus,
    sqrt,
    squared_norm,
    tanh,
    xlog_ratio,
    xlogy,
    σ,
)
from derive.language.notation import sign as sign_of
from derive.language.term import (
    ONE,
    ZERO,
    Π,
    Σ,
    Cov,
    D,
    E,
    Term,
    Var,
    array,
    both,
    det,
    diag,
    eq,
    eye,
    family,
    forall,
    free,
    index,
    integral,
    inv,
    invertible,
    le,
    let,
    lift,
    lt,
    mapping,
    matrix,
    name_of,
    natural,
    ne,
    passing,
    place,
    slope_of,
    succ,
    tends,
    var,
    vector,
    δ,
)
from derive.logic.certificate import axioms

Instance = tuple[Term, tuple[Any, ...]]
_AXIOMS = axioms()


def _derivatives(make: Callable[[Maker, Scope, Term], Term]) -> Callable[[Maker, Scope], Instance]:
    """The derivative of something that is made, by something random."""

    def instance(maker: Maker, scope: Scope) -> Instance:
        by = maker.by(scope)
        return D(make(maker, scope, by), by), ()

    return instance


def _binder(maker: Maker, scope: Scope) -> Instance:
    kind = maker.pick(("sum", "sum", "integral", "expect", "mean", "mean sum"))
    if kind == "sum":
        over = maker.fresh(maker.pick((K, K, H, n)))
        inner = scope.under(over)
        return Σ(_several(maker, inner), over), ()
    if kind.startswith("mean"):
        symbols = maker.symbols()
        inner = scope.random(*symbols)
        body = maker.polynomial(2, inner, symbols) + maker.pick((1, -1)) * maker.polynomial(1, inner, symbols)
        return E(Σ(body, maker.fresh(K)) if kind == "mean sum" else body, *symbols), ()
    point = maker.pick((z, w))
    body = _several(maker, scope.under(point))
    if maker.chance(0.2):
        body = Σ(body * f[point], maker.fresh(K))
    return (integral(body, point) if kind == "integral" else maker.average(point, body)), ()


def _several(maker: Maker, scope: Scope) -> Term:
    one, two, three = (maker.term(maker.pick((0, 1, 2)), scope) for _ in range(3))
    options = (
        one + two,
        one - two * three,
        one * two,
        (one - two) / three,
        (one + two) ** 2,
        -one,
        lift(2) * one,
        x,
        c / s,
    )
    return maker.pick(options)


def _sifted(maker: Maker, scope: Scope) -> Instance:
    over = maker.fresh(K)
    inner = scope.under(over)
    bracket = δ(*maker.pick(((over, maker.pick((i, j))), (maker.pick((i, j)), over))))
    one, two = maker.term(2, inner), maker.term(1, inner)
    return Σ(
        maker.pick((one * bracket, bracket * one - two, one * bracket * two, bracket / two, one + bracket)), over
    ), ()


def _nested(maker: Maker, scope: Scope) -> Instance:
    outer_, inner = maker.fresh(maker.pick((K, H, n))), maker.fresh(maker.pick((K, H, n)))
    op = maker.pick((Σ, Σ, Π))
    return op(op(maker.term(2, scope.under(outer_).under(inner)), inner), outer_), ()


def _products(maker: Maker, scope: Scope) -> Instance:
    over = maker.fresh(K)
    one = Σ(maker.term(1, scope.under(over)), over)
    other = maker.term(1, scope.under(over)) if maker.chance(0.5) else maker.term(2, scope)
    return maker.pick((one * other, other * one, one**2)), ()


def _merged(maker: Maker, scope: Scope) -> Instance:
    one, two = maker.fresh(K), maker.fresh(K)
    left, right = Σ(maker.term(1, scope.under(one)), one), Σ(maker.term(2, scope.under(two).under(one)), two)
    return maker.pick((left + right, left - right)), ()


def _empty(maker: Maker, _: Scope) -> Instance:
    over = index("l", ZERO)
    return maker.pick((Σ, Π))(maker.pick((X[over], x, 1 / (x - x))), over), ()


def _longer(maker: Maker, scope: Scope) -> Instance:
    over = index(maker.pick(("l", "t")), succ(n))
    known = maker.term(1, scope.under(l).under(t))
    body = maker.pick((X[over] * known, known, X[over] + X[l], Y[l] * X[over], Σ(X[t] * X[over], t)))
    return maker.pick((Σ, Π))(body, over), ()


def _constant_product(maker: Maker, scope: Scope) -> Instance:
    return Π(maker.term(2, scope), maker.pick((k, a, l))), ()


def _power(maker: Maker, scope: Scope) -> Instance:
    return maker.term(2, scope) ** maker.pick((succ(n), succ(succ(n)), ZERO, succ(K))), ()


def _exponentials(maker: Maker, scope: Scope) -> Instance:
    one, two = maker.term(1, scope), maker.term(1, scope)
    return exp(maker.pick((one + two, one - two, -one, log(one), ZERO))), ()


def _logarithms(maker: Maker, scope: Scope) -> Instance:
    one, two = maker.term(1, scope), maker.term(1, scope)
    powers = (one**2, one ** maker.pick(NUMBERS), one**n, abs_(one) ** tanh(two))
    return log(maker.pick((one * two, one / two, *powers, exp(one), ONE, s * one, v[i] / s))), ()


def _roots(maker: Maker, scope: Scope) -> Instance:
    one = maker.term(2, scope)
    return maker.pick((sqrt(one**2), sqrt(one) ** 2, sqrt(c**2), sqrt(one**2) ** 2)), ()


def _random_numbers(maker: Maker, _: Scope) -> Instance:
    return log(lift(Fraction(maker.rng.randint(1, 60), maker.rng.randint(1, 40)))), ()


def _moment(maker: Maker, _: Scope) -> Instance:
    one = maker.pick((ε[i], ε[maker.fresh(K)], η, ξ[i], ω[maker.fresh(K)], ζ[j], λ))
    symbol, _ = place(one)
    return E(maker.pick((one, one**2, one * one, one ** Fraction(1, 2), one**3)), symbol), ()


def _independent(maker: Maker, _: Scope) -> Instance:
    noise = maker.pick((ε, ε, ξ, ω, ζ))
    one, two = noise[maker.pick((i, j))], noise[maker.pick((i, j, k))]
    shapes = (one, one**2, tanh(one), φ(one * u[maker.pick((i, j))]), exp(one / 4), noisy[i], Σ(one * u[k], k))
    other = maker.pick((two, two**2, tanh(two), two * two, abs_(two)))
    return E(maker.pick(shapes) * other, noise), ()


def _blocks(maker: Maker, _: Scope) -> Instance:
    parts = {
        (ε,): (ε[i], tanh(ε[j]), noisy[i], Σ(ε[k] ** 2, k)),
        (η,): (η, η**2, abs_(η)),
        (ξ,): (ξ[i] * ξ[j], ξ[i] ** 2, Σ(ξ[k], k) ** 2),
        (λ,): (λ, λ**2, E(λ * κ, κ)),
        (κ,): (κ, relu(κ), κ * E(κ, κ)),
        (λ, κ): (λ * κ, λ + κ, tanh(λ - κ)),
        (ζ,): (ζ[i], ζ[i] * ζ[j], Σ(ζ[k] * u[k], k)),
    }
    one, two = maker.rng.sample(sorted(parts, key=repr), 2)
    first_, second_ = maker.pick(parts[one]), maker.pick(parts[two])
    body = maker.pick((first_ * second_, first_ * second_, second_ * first_ * first_, first_ * (second_ * x)))
    return E(body, *dict.fromkeys((*one, *two))), ()


def _flipped(maker: Maker, _: Scope) -> Instance:
    beside = maker.pick((ONE, η, κ, x, u[i]))
    one = maker.pick((ω[i], Σ(ω[k] * u[k], k), ω[i] * ω[j], u @ ω, ω[i] ** 2 + ω[i], Σ(relu(ω[k]), k), ξ[i], ε[i]))
    body = maker.pick((relu(one) ** 2, one * beside, tanh(one), abs_(one + beside), exp(one) * beside, one**2))
    symbols = [r for r in (ω, ξ, ε, η, κ) if r in free(body)]
    return E(body, *symbols), ()


def _bracketed(maker: Maker, scope: Scope) -> Instance:
    over = maker.pick((i, j))
    bracket = δ(*maker.pick(((over, maker.pick((i, j, k))), (maker.pick((i, j, k)), over))))
    one, two = maker.term(2, scope), maker.term(1, scope)
    near = maker.pick(
        (u[over], A[over, j], exp(u[over] - u[k]), δ(over, j), Σ(A[over, k], k), 1 / u[over], log(v[over]))
    )
    return maker.pick((bracket * near, near * bracket, bracket * (near * one), one * bracket * near * two)), (over,)


def _of_bracket(maker: Maker, scope: Scope) -> Instance:
    bracket, one = δ(*maker.pick(((i, j), (j, i), (i, k)))), maker.term(1, scope)
    inner = maker.pick(
        (bracket, one * bracket, one - bracket * x, x * bracket + u[i], bracket / s, s / (1 + bracket), 1 / bracket)
    )
    return maker.pick((exp, exp, tanh, log, abs_, σ, sqrt))(inner), ()


def _deviations(maker: Maker, scope: Scope) -> Instance:
    symbols = maker.symbols()
    one, two = (maker.polynomial(1, scope.random(*symbols), symbols) for _ in range(2))
    return maker.pick((Var(one, *symbols), Cov(one, two, *symbols), Cov(one, one, *symbols), Var(two, *symbols))), ()


def _symbols(maker: Maker, scope: Scope) -> Instance:
    one, two = maker.term(2, scope), maker.term(1, scope)
    row = array(maker.term(1, scope.under(k)), k)
    table = {
        "log1p": log1p(one),
        "σ": σ(one),
        "tanh": tanh(one),
        "softplus": softplus(one),
        "kl": kl(one, two),
        "xlogy": xlogy(maker.pick((one, p[i], c)), maker.pick((two, p[i], exp(two)))),
        "xlog_ratio": xlog_ratio(maker.pick((one, p[i], c)), maker.pick((two, p[i], s))),
        "expgap": expgap(one),
        "silu": silu(one),
        "gelu": gelu(one),
        "softmax": softmax(row)[maker.pick((i, j))],
        "log_softmax": log_softmax(first)[i],
        "logsumexp": maker.pick((logsumexp(row), logsumexp(Y))),
        "hardmax": maker.pick((hardmax(row)[maker.pick((i, j))], hardmax(A)[i, j], hardmax(Y)[l])),
        "prod": maker.pick((prod(row), prod(Y))),
        "prod_others": maker.pick((prod_others(row)[maker.pick((i, j))], prod_others(A)[i, j], prod_others(Y)[l])),
        "norm": maker.pick((norm(row), norm(Y))),
        "squared_norm": maker.pick((squared_norm(row), squared_norm(Y))),
    }
    name = maker.pick(table)
    return table[name], (name,)


def _branches(maker: Maker, scope: Scope) -> Instance:
    name, number = maker.pick(("relu", "abs", "sign", "step", "xlogy", "xlog_ratio")), maker.pick((0, 1))
    if name.startswith("xlog"):
        return Term("app", weighted(maker, scope), name), (name, number)
    return Term("app", (maker.term(2, scope),), name), (name, number, True) if maker.chance(0.3) else (name, number)


def _symbol_derivative(maker: Maker, scope: Scope) -> Instance:
    by = maker.by(scope)
    one = maker.term(1, scope.calm) * by + maker.term(1, scope.calm)
    table = {
        "exp": exp(one),
        "log": log(one),
        "sqrt": sqrt(one),
        "log1p": log1p(one),
        "σ": σ(one),
        "tanh": tanh(one),
        "softplus": softplus(one),
        "kl": kl(one, maker.pick((one**2, s))),
        "xlogy": xlogy(maker.pick((one, s, c, one**2)), maker.pick((one**2, s, exp(one)))),
        "xlog_ratio": xlog_ratio(maker.pick((one, s, c, one**2)), maker.pick((one**2, s, exp(one)))),
        "expgap": expgap(one),
        "relu": relu(one),
        "abs": abs_(one),
        "sign": sign_of(one),
        "step": Term("app", (one,), "step"),
        "sin": sin(one),
        "cos": cos(one),
        "erf": erf(one),
        "gammaln": gammaln(maker.pick((one, one**2, s + one**2))),
        "digamma": digamma(maker.pick((one, one**2, s + one**2))),
        "silu": silu(one),
        "gelu": gelu(one),
    }
    name = maker.pick(table)
    return D(table[name], by), (name,)


def _angles(maker: Maker, scope: Scope) -> Instance:
    one, two = maker.term(1, scope), maker.term(1, scope)
    return maker.pick((sin, cos))(maker.pick((one + two, one - two, one + one, ZERO - one, one * two))), ()


def _squared_sine(maker: Maker, scope: Scope) -> Instance:
    one = maker.pick((sin, sin, sin, cos))(maker.term(2, scope))
    return maker.pick((one**2, one * one, one**2, one**3)), ()


def _turned(maker: Maker, scope: Scope) -> Instance:
    one = maker.term(2, scope)
    return maker.pick((sin, cos, tanh, erf, sign_of, abs_, σ))(maker.pick((-one, -one, ZERO, one - one))), ()


def _signed(maker: Maker, scope: Scope) -> Instance:
    one, two = maker.term(2, scope), maker.pick((x, -x, maker.term(1, scope)))
    products = (sign_of(one) * abs_(one), abs_(two) * sign_of(two), one * sign_of(one), sign_of(two) * two)
    return maker.pick((*products, abs_(one) ** 2, sign_of(one) * abs_(two))), ()


def _row_of(maker: Maker, scope: Scope) -> tuple[Term, Term, Term]:
    """A row to take the maximum of: its index, its component and the row."""
    over = maker.fresh(maker.pick((K, K, n)))
    body = maker.pick((maker.term(1, scope.under(over)), u[over] if over.args[0] is K else X[over]))
    whole = maker.chance(0.5) and body.op == "at" and body.args[1:] == (over,) and body.args[0].op == "var"
    return over, body, body.args[0] if whole else array(body, over)


def _upper(maker: Maker, scope: Scope) -> Instance:
    over = maker.pick((i, j, l))
    return maker.pick((maker.term(2, scope.under(over)), u[over] if over is not l else X[over])), (over,)


def _bounded_rows(maker: Maker, scope: Scope) -> Instance:
    over, body, row = _row_of(maker, scope)
    bound = maker.pick((lift(3), lift(100), maker.term(1, scope), max_(row), 1 + max_(row), max_(array(body, over))))
    return max_(row), (bound, maker.pick((over, maker.fresh(over.args[0]))))


def _shifted_rows(maker: Maker, scope: Scope) -> Instance:
    over, body, row = _row_of(maker, scope)
    shift = maker.pick((x, s, maker.term(1, scope), maker.term(1, scope.under(over))))
    moved = (array(part, over) for part in (body + shift, body - shift, shift + body))
    return max_(maker.pick((*moved, row + x, row - x))), ()


def _rows_moved(maker: Maker, scope: Scope) -> tuple[Term, Term]:
    """A row whose components move with something, and what they move with."""
    by = maker.by(scope)
    over = maker.fresh(maker.pick((K, K, n)))
    apart = maker.pick((u[over], v[over], A[i, over]) if over.args[0] is K else (Y[over], X[over]))
    inner = maker.term(1, scope.under(over).calm) * by + maker.pick((apart, apart, maker.term(1, scope.calm)))
    own = [u, first, second] if place(by)[0] in {u, first} else [array(inner, over)]
    return maker.pick((array(inner, over), *own)), by


def _largest_derivative(maker: Maker, scope: Scope) -> Instance:
    row, by = _rows_moved(maker, scope)
    return D(max_(row), by), ()


def _indicator_derivative(maker: Maker, scope: Scope) -> Instance:
    row, by = _rows_moved(maker, scope)
    at = maker.pick((i, j)) if row.shape[0] is K else l
    if maker.chance(0.3):
        return D(hardmax(array(u[i] * A[j, k] + u[k] * by, j, k))[j, i], by), ()
    return D(hardmax(row)[at], by), ()


def _product_derivative(maker: Maker, scope: Scope) -> Instance:
    row, by = _rows_moved(maker, scope)
    over = maker.fresh(row.shape[0])
    body = row[over] if row.op != "array" else row.args[-1]
    over = row.args[0] if row.op == "array" else over
    return D(maker.pick((prod(row), Π(body, over), prod(array(A[i, k] * u[k], k)))), by), ()


def _without_one(maker: Maker, scope: Scope) -> Instance:
    _, _, row = _row_of(maker, scope)
    at = maker.pick((i, j)) if row.shape[0] is K else l
    return maker.pick((prod_others(row)[at], prod_others(A)[i, j], prod_others(A.T)[j, i], prod_others(v)[i])), ()


def weighted(maker: Maker, scope: Scope) -> tuple[Term, Term]:
    """A weight that may be 0, and what a logarithm may be taken of where it is not."""
    one, two = maker.term(1, scope), maker.term(1, scope)
    weight = maker.pick(
        (p[i], c, s, o, one**2, one, ZERO, ONE, p[i] + c, s - o, c * p[i], p[i] / s, x * c, x**2 * c, c / x)
    )
    if maker.chance(0.3):
        over = maker.fresh(K)
        weight = maker.pick(
            (Σ(p[over], over), Σ(p[over] * c, over), Σ(p[over] * v[over], over), p[i] * v[j], v[i] * p[i], p[i] * p[j])
        )
    other = maker.pick(
        (
            weight,
            weight,
            p[j],
            s,
            exp(two),
            two,
            ONE,
            c * s,
            p[i] / s,
            weight / s,
            two**2,
            two / one,
            weight * two,
            exp(one) * two,
        )
    )
    return weight, other


def _weighted_logs(maker: Maker, scope: Scope) -> Instance:
    return xlogy(*weighted(maker, scope)), ()


def _weighted_ratios(maker: Maker, scope: Scope) -> Instance:
    return xlog_ratio(*weighted(maker, scope)), ()


def _gap_parts(maker: Maker, scope: Scope) -> Instance:
    return kl(*weighted(maker, scope)), ()


def _expected_log(maker: Maker, _: Scope) -> Instance:
    point = maker.pick((z, w))
    density = maker.pick((q, q, h, f, q_plus))[point]
    other = maker.pick((h, q_plus, f, q))[point]
    if maker.chance(0.3):
        over = maker.fresh(K)
        return Term(
            "expect",
            (over, p[over], log(maker.pick((p[over], p[over] / v[over], v[over], u[over], p[over] / u[over])))),
        ), ()
    inner = maker.pick(
        (density, density / other, density / other, other, other / density, density * other, density + other)
    )
    return Term("expect", (point, density, log(inner))), ()


def _chained(maker: Maker, scope: Scope) -> Instance:
    """Mostly a function of the named quantities, perhaps named too; sometimes of what they are made of as well."""
    by, through = maker.pick(_CHAINS)
    part = {"q₁": first[j], "q₂": second[maker.pick((i, j))], "up": up, "r": beside[i], "ℓ": partial, "r₂": residual[j]}
    parts = [part[name] for name in through if name in part] * 3 + [maker.term(1, scope.calm)]
    one, two = maker.pick(parts), maker.pick(parts)
    options = (
        one * two,
        σ(one) + two,
        one**2,
        φ(one),
        log(one**2 + 1),
        Σ(second[k] * v[k], k) * one,
        log(one) * x,
        one / two,
    )
    whole = maker.pick((*options, total) if "q₂" in through else options)
    loose = sorted((s for s in free(whole) if s.op == "idx"), key=name_of)
    return D(maker.pick((whole, let("whole", Σ(whole, *loose)))), by), through


_CHAINS = (
    (u[i], ("q₁",)),
    (v[j], ("q₁",)),
    (u[i], ("q₂",)),
    (first[i], ("q₂",)),
    (A[i, j], ("q₂",)),
    (x, ("up",)),
    (s, ("up",)),
    (x, ("ℓ",)),
    (x, ("ℓ", "up")),
    (u[j], ("q₁", "r")),
    (u[j], ("q₂", "r")),
    (x, ("q₁", "up")),
    (u[i], ("q₁", "q₂")),
    (first[i], ("r₂",)),
    (u[i], ("r₂",)),
    (u[i], ("L",)),
    (x, ("q₁",)),
    (u[i], ("nothing",)),
    (second[i], ("q₂",)),
)


def _under_expectation(maker: Maker, scope: Scope) -> Instance:
    by = maker.pick((x, s, u[i], up, v[i], first[i]))
    point = maker.pick((z, w))
    body = maker.pick(
        (
            maker.average(point, maker.term(2, scope.calm.under(point)) * by),
            integral(maker.term(2, scope.calm.under(point)) * by, point),
            E(maker.polynomial(2, scope.random(ε), (ε,)) * by, ε),
            E(noisy[i] ** 2 * by + noisy[j], ε),
        )
    )
    return D(body, by), ()


def _tangent(maker: Maker, scope: Scope) -> Instance:
    return log(maker.pick((s, v[i], maker.term(2, scope), exp(maker.term(1, scope)), q_plus[z], s / v[j]))), ()


def scaled(maker: Maker, scope: Scope) -> Instance:
    left, right, factor = (
        maker.term(1, scope),
        maker.term(1, scope),
        maker.pick((s, x, v[i], exp(x), -s, 1 / s, lift(2), 1 / x, x**2)),
    )
    relation = maker.pick((eq, le, lt, ne))
    one, other = relation(left, right), relation(left * factor, right * factor)
    return maker.pick(((other, (one, factor)), (one, (other, 1 / factor)), (relation(left - right, 0), (one, ONE))))


def gap(maker: Maker, scope: Scope) -> Term:
    """Something that is never negative."""
    one, two = maker.term(1, scope), maker.term(1, scope)
    over, point = maker.fresh(maker.pick((K, n))), maker.pick((z, w))
    return maker.pick(
        (
            one**2 + two**2,
            (one - two) ** 2 * s,
            kl(s, v[i]) + one**2,
            Σ(maker.term(1, scope.under(over)) ** 2, over),
            integral((f[point] - h[point]) ** 2, point),
            abs_(one) + sqrt(two**2),
            expgap(one) / exp(two),
            c + one**2,
            c * one**2,
            one * one,
            Σ(c * maker.term(1, scope.under(over)) ** 2, over),
            kl(one, two),
            kl(c, p[i]) + kl(p[j], s),
            Σ(kl(p[over], v[over]), over) if over.args[0] is K else kl(c, one**2),
            sqrt(one),
            one**4,
            total,
            squared_norm(u) + c,
            integral(kl(q_plus[point], h[point]), point),
            p[i] * one**2,
            p[i] + one**2,
            c**3 + one**2,
        )
    )


def _masses(maker: Maker, _: Scope) -> Instance:
    over, rows = maker.fresh(K), var("P", H, K, dom="positive density")
    return maker.pick((integral(q[z], z), integral(q_plus[z], z), Σ(rows[a, over], over), Σ(p[over], over))), ()


def _zero_sets(maker: Maker, scope: Scope) -> Instance:
    known, signed = gap(maker, scope), maker.term(1, scope)
    return eq(maker.pick((known, known, known, known + signed, signed + signed**2, known * signed, known / s)), 0), ()


def _injective(maker: Maker, scope: Scope) -> Instance:
    one, two = maker.term(1, scope), maker.term(1, scope)
    return maker.pick((eq(exp(one), exp(two)), eq(exp(one), 1), eq(exp(one), two))), ()


def _growing(maker: Maker, scope: Scope) -> Instance:
    one, two = maker.term(1, scope), maker.term(1, scope)
    return maker.pick((le, lt, eq))(exp(one), maker.pick((exp(two), exp(two), two))), ()


def _log_range(maker: Maker, scope: Scope) -> Instance:
    over = maker.fresh(maker.pick((K, K, n, H)))
    inner = scope.under(over)
    part = maker.pick(
        (exp(maker.term(1, inner)), maker.term(1, inner), s * exp(maker.leaf(inner)), c + s, maker.leaf(inner) ** 2)
    )
    return log(maker.pick((Π(part, over), Π(part, over), Σ(part, over), Π(Π(part, over), maker.fresh(K))))), ()


def _for_all(maker: Maker, scope: Scope) -> Instance:
    over = maker.fresh(maker.pick((K, n)))
    inner = scope.under(over)
    one, two = maker.formula(1, inner), maker.formula(1, inner)
    return maker.pick((forall(both(one, two), over), both(one, one))), ()


def _averaged(make: Callable[[Maker, Term, Scope], Term]) -> Callable[[Maker, Scope], Instance]:
    def instance(maker: Maker, scope: Scope) -> Instance:
        point = maker.pick((z, w))
        return make(maker, point, scope.under(point)), ()

    return instance


def _jensen(maker: Maker, point: Term, scope: Scope) -> Term:
    inner = maker.pick(
        (h[point], h[point] / s, exp(f[point]), q_plus[point] / h[point], maker.term(2, scope), q[point])
    )
    return maker.average(point, log(inner))


def _supported(maker: Maker, point: Term, scope: Scope) -> Term:
    weight = maker.pick((q[point], q_plus[point]))
    part = maker.pick((h[point], f[point] ** 2, q_plus[point], maker.term(1, scope), density[point]))
    return Term("expect", (point, weight, part / weight))


_SQUARES = (
    A,
    let("M₁", A @ A.T + s * eye(K)),
    let("M₂", x * A + eye(K)),
    A.T @ A + c * eye(K),
    B @ B.T,
    diag(u) + A,
    A.T,
)


def _inverted(maker: Maker, scope: Scope) -> Instance:
    """A matrix and its inverse side by side, or what looks like it."""
    matrix, over, inner = maker.pick(_SQUARES), maker.pick((k, m)), maker.pick((j, m))
    other = matrix if maker.chance(0.85) else A
    one, two = push(matrix[i, over]), inv(other)[over, j]
    backward, forward = inv(other)[i, over], push(matrix[over, j])
    vector = maker.term(1, scope.under(inner))
    rest = maker.pick((ONE, x, u[i], u[over], 1 / s))
    options = (
        one * two,
        two * rest * one,
        backward * forward / s,
        one * Σ(inv(other)[over, inner] * vector, inner),
        backward * Σ(push(matrix[over, inner]) * vector, inner) * rest,
        one * inv(other)[j, over],
        inv(other)[over, i] * one,
        Σ(inv(other)[over, inner] * vector, inner) * Σ(one * vector, inner),
    )
    return Σ(maker.pick(options), over), ()


def _form(maker: Maker, _: Scope) -> Instance:
    matrix, vector = maker.pick((_SQUARES[1], _SQUARES[3], A)), maker.pick((u, v, first))
    return eq(vector @ (matrix @ vector), 0), (matrix, vector)


_T, _R, _S = natural("T"), var("ϱ", dom="positive"), var("ς")


def _zero_sums(maker: Maker, scope: Scope) -> Instance:
    over = maker.fresh(maker.pick((K, n)))
    inner = scope.under(over)
    one, two = maker.term(1, inner), maker.term(1, inner)
    return eq(Σ(maker.pick((one**2, one * two**2, one, c * one**2, (one - two) ** 2 * p[i])), over), 0), ()


def _limit_seed(maker: Maker, scope: Scope) -> Instance:
    """An expression of parts that have limits, at its limit or at something else."""
    variable, to = maker.pick(((_T, inf), (_R, inf), (_S, inf), (_S, x), (_R, 1), (_S, 0)))
    known = [(1 / variable, ZERO)] if to == inf else [(variable**2, x**2 if to is x else lift(to) ** 2)]
    at_exp = (exp(-variable), ZERO if to == inf else exp(-lift(to)))
    known += [(x**_T, ZERO), (v[i] ** _T, ZERO)] if variable is _T else [at_exp]
    parts = [part for part, _ in known] + ([variable] if to != inf else [])
    one, two, extra = maker.pick(parts), maker.pick(parts), maker.term(1, scope)
    over = maker.fresh(maker.pick((K, n)))
    inner = maker.term(1, scope.under(over))
    shapes = (
        one + extra, extra * one - two, extra / (1 + one**2), extra / one, exp(one) * extra, log(2 + one), log(one),
        φ(one + extra), Σ(inner * one + inner, over), abs_(one - extra), one**2 * two, extra, (extra + one) ** n,
        one / two, sqrt(one), tanh(extra) * sqrt(2 + one), (2 + one) ** Fraction(1, 2), σ(1 / (extra + one)),
    )  # fmt: skip
    body = maker.pick(shapes)
    limits = tuple(term for pair in known for term in pair)
    found = _AXIOMS["limit of an expression"].schema(tends(body, variable, to, 0), *limits)
    value = found[0].args[1] if found is not None and maker.chance(0.8) else maker.pick((ZERO, extra))
    return tends(body, variable, to, value), limits


def _elementary_limit(maker: Maker, scope: Scope) -> Instance:
    variable = maker.pick((_T, _T, _R, _S))
    rate = maker.pick((s, x, lift(2), v[i], 1 / s, -s, maker.term(1, scope)))
    shapes = (1 / variable, exp(-variable), exp(-(rate * variable)), exp(-rate * variable), rate**_T, rate / variable)
    return tends(maker.pick(shapes), variable, inf, maker.pick((ZERO, ZERO, x, rate))), ()


def _geometric(maker: Maker, scope: Scope) -> Instance:
    one, some = maker.term(1, scope), maker.term(1, scope)
    two = maker.pick((x, 1 - x, s, v[i], some, lift(Fraction(1, 2)), -ONE, ONE, ZERO))
    body = maker.pick((one * two**_T, two**_T * one, two**_T, two**_T * _T))
    return tends(body, _T, inf, maker.pick((0, 0, 0, x))), ()


def _squeezed(maker: Maker, scope: Scope) -> Instance:
    """A sequence, and what its square is at most. A few members are judged: both are 1 at 0, or one is the other."""
    one, over = maker.term(1, scope), maker.fresh(maker.pick((K, n)))
    ratio, other = (maker.pick((x, -x, o, σ(x) ** 2, lift(Fraction(1, 3)), v[i], s / 2, -ONE, one)) for _ in range(2))
    if maker.chance(0.5):
        body = maker.pick((ratio**_T, -(ratio**_T), (ratio * other) ** _T, ratio**_T * other**_T))
        return tends(body, _T, inf, 0), (maker.pick((other**_T, (ratio**2) ** _T, (ratio * other) ** _T)),)
    inner = maker.term(1, scope.under(over))
    shapes = (ratio**_T * one, (1 - ratio) ** _T, ratio**_T - one, Σ(ratio**_T * inner, over), x * X[_T], one)
    body = maker.pick(shapes)
    return tends(body, _T, inf, maker.pick((0, 0, 0, x))), (abs_(body),)


def _entries(maker: Maker, scope: Scope) -> Instance:
    one, two = (matrix([[maker.term(1, scope) for _ in range(2)] for _ in range(2)]) for _ in range(2))
    row = vector([maker.term(1, scope), maker.term(1, scope)])
    left = maker.pick((one, one @ two, one.T, row, one @ row, one * x, one + two, row / (1 + s)))
    right = maker.pick((left, two if len(left.shape) == 2 else row, left * 1))
    return eq(left, right), ()


def _counted(maker: Maker, scope: Scope) -> Instance:
    over = index("m", lift(maker.pick((1, 2, 3))))
    row = vector([maker.term(1, scope) for _ in range(int(str(over.args[0].data)))])
    one = row[over]
    body = maker.pick((one, one * maker.term(1, scope), X[over] * one, one**2 + x, Σ(one * Y[l], l)))
    return maker.pick((Σ, Π))(body, over), ()


def _absolute_bound(maker: Maker, scope: Scope) -> Instance:
    one, two = maker.term(1, scope), maker.term(1, scope)
    return maker.pick((lt, le))(abs_(one), maker.pick((two, two, s, ONE, abs_(two)))), ()


def _width(_: Term) -> tuple[Term, ...]:
    return (K,)


_F, _F1, _MAP = mapping("F", K), slope_of("F", K), mapping("G")
_WEIGHTS = family("W", lambda layer: K, lambda layer: K)
_PASSES = (
    passing("N", _width, lambda layer, state: _F(state, layer)),
    passing("V", _width, lambda layer, state: _WEIGHTS(succ(layer)) @ σ(state) + x * u),
    passing("R", _width, lambda layer, state: state + A @ (first * state)),
)
_LAYERS = (ZERO, natural("α"), natural("β"), succ(natural("α")), succ(succ(natural("α"))), lift(2))


def _vector(mk: Maker, sc: Scope) -> Term:
    """A vector: named, or any."""
    return mk.pick((u, first, second, residual, array(mk.term(2, sc.under(k)), k)))


def _passed(mk: Maker, sc: Scope, *, first_is: str = "") -> Term:
    one, other = mk.pick(_LAYERS), mk.pick(_LAYERS)
    if first_is == "last":
        other = one
    if first_is == "before":
        other = succ(mk.pick(_LAYERS[:5]))
    return mk.pick(_PASSES)(one, other, _vector(mk, sc))


def _two_passes(mk: Maker, sc: Scope) -> Instance:
    through, (one, middle, last) = mk.pick(_PASSES), (mk.pick(_LAYERS) for _ in range(3))
    return through(middle, last, through(one, middle, _vector(mk, sc)))[i], ()


def _mapped(mk: Maker, sc: Scope) -> Instance:
    u_ = _vector(mk, sc)
    body = mk.pick((_F(u_)[i], _F(u_, natural("α"))[i], _MAP(u_), _F1(u_)[i, j]))
    return D(body, mk.by(sc)), ()


def _integer(mk: Maker, sc: Scope) -> Term:
    whole = var("ι", dom="integer")
    parts = (lift(2), lift(-1), ZERO, K, natural("α"), whole, floor(mk.term(1, sc)))
    one = mk.pick(parts)
    return mk.pick((one, one, one + mk.pick(parts), one * mk.pick(parts), one - 1, -one))


def _floors(mk: Maker, sc: Scope) -> Instance:
    u_, t_ = floor(mk.term(2, sc)), _integer(mk, sc)
    return mk.pick((le(t_, u_), lt(u_, t_))), ()


def _floored(mk: Maker, sc: Scope) -> Instance:
    u_, t_ = mk.term(1, sc), _integer(mk, sc)
    return floor(mk.pick((t_, u_ + t_, u_ - t_, lift(Fraction(mk.rng.randint(-9, 9), 4)), t_ / 2 + K))), ()


SEEDS: dict[str, Callable[[Maker, Scope], Instance]] = {
    "largest integer below": lambda mk, sc: (eq(floor(mk.term(2, sc)), _integer(mk, sc)), ()),
    "integers below": _floors,
    "next integer": lambda mk, sc: (lt(_integer(mk, sc), _integer(mk, sc) + 1), ()),
    "floor of an integer": _floored,
    "derivative of a map": _mapped,
    "pass through no layer": lambda mk, sc: (_passed(mk, sc, first_is="last")[i], ()),
    "first layer of a pass": lambda mk, sc: (_passed(mk, sc)[i], ()),
    "last layer of a pass": lambda mk, sc: (_passed(mk, sc, first_is="before")[i], ()),
    "pass in two parts": _two_passes,
    "zero of a sum": _zero_sums,
    "positive is not zero": lambda mk, sc: (ne(mk.pick((s, x, 1 / x, log(x), exp(x), mk.term(2, sc))), 0), ()),
    "limit of an expression": _limit_seed,
    "elementary limits": _elementary_limit,
    "limit of a geometric sequence": _geometric,
    "squeezed sequence": _squeezed,
    "equal entries": _entries,
    "sum written out": _counted,
    "absolute value below a bound": _absolute_bound,
    "derivative of a constant": _derivatives(
        lambda mk, sc, by: mk.pick((y, c, p[i], mk.term(2, sc.calm), log(y), g[a]))
    ),
    "derivative of a variable": _derivatives(
        lambda mk, sc, by: place(by)[0][mk.pick((i, j))] if by.op == "at" else mk.pick((by, by, x))
    ),
    "sum rule": _derivatives(
        lambda mk, sc, by: mk.pick((mk.term(1, sc) + mk.term(2, sc), x - mk.term(2, sc), -mk.term(2, sc)))
    ),
    "constant factor rule": _derivatives(
        lambda mk, sc, by: mk.pick(
            (y * mk.term(2, sc), mk.term(2, sc) * c, mk.term(2, sc) / y, mk.term(1, sc) * mk.term(1, sc))
        )
    ),
    "derivative of a sum": _derivatives(
        lambda mk, sc, by: mk.pick([Σ(mk.term(2, sc.under(over)), over) for over in (i, j, k, a, l)])
    ),
    "product rule": _derivatives(lambda mk, sc, by: mk.term(2, sc) * mk.term(1, sc)),
    "quotient rule": _derivatives(lambda mk, sc, by: mk.term(2, sc) / mk.term(1, sc)),
    "reciprocal rule": _derivatives(lambda mk, sc, by: 1 / mk.term(2, sc)),
    "power rule": _derivatives(
        lambda mk, sc, by: mk.term(2, sc) ** mk.pick((*NUMBERS, lift(Fraction(4, 3)), lift(-2)))
    ),
    "derivative of a symbol": _symbol_derivative,
    "derivative of a function": _derivatives(lambda mk, sc, by: mk.pick((φ, dφ))(mk.term(1, sc) * by + mk.term(1, sc))),
    "derivative under the expectation": _under_expectation,
    "chain rule": _chained,
    "definition of a symbol": _symbols,
    "definition of a symbol by cases": _branches,
    "exponential of a negative": _exponentials,
    "exponential of a sum": _exponentials,
    "exponential of a logarithm": lambda mk, sc: (mk.pick((exp(log(mk.term(2, sc))), log(exp(mk.term(2, sc))))), ()),
    "logarithm of a product": _logarithms,
    "logarithm of a number": _random_numbers,
    "square root of a square": _roots,
    "square root of a product": lambda mk, sc: (
        sqrt(mk.pick((lambda a, b: a * b, lambda a, b: a / b))(mk.term(2, sc), mk.term(2, sc))),
        (),
    ),
    "tangent of the logarithm": _tangent,
    "equivalent relations": scaled,
    "zero of a gap": _zero_sets,
    "the exponential is one-to-one": _injective,
    "∀ over ∧": _for_all,
    "Jensen's inequality for the logarithm": _averaged(_jensen),
    "support": _averaged(_supported),
    "total mass": _averaged(lambda mk, point, sc: mk.average(point, ONE)),
    "normalisation": _masses,
    "expectation as an integral": _averaged(lambda mk, point, sc: mk.average(point, mk.term(2, sc))),
    "inverse": _inverted,
    "derivative of the inverse": lambda mk, sc: (
        D(inv(mk.pick(_SQUARES))[mk.pick((i, j)), j], mk.pick((x, s, A[i, j], A[k, j], u[i]))),
        (),
    ),
    "derivative of the determinant": lambda mk, sc: (D(det(mk.pick(_SQUARES)), mk.pick((x, s, A[i, j], u[i]))), ()),
    "inverse of the transpose": lambda mk, sc: (inv(mk.pick((A.T, A, *_SQUARES)))[i, mk.pick((i, j))], ()),
    "positive definite matrices are invertible": lambda mk, sc: (
        mk.pick((invertible, lambda matrix: lt(0, det(matrix))))(mk.pick(_SQUARES)),
        (),
    ),
    "positive definite form": lambda mk, sc: (ZERO, _form(mk, sc)[1]),
    "zero of a positive definite form": _form,
    "moments of the law": _moment,
    "at equal indices": _bracketed,
    "function of a bracket": _of_bracket,
    "independent components": _independent,
    "independent blocks": _blocks,
    "symmetric law": _flipped,
    "definition of the variance": _deviations,
    "definition of the covariance": _deviations,
    "linearity": _binder,
    "sift": _sifted,
    "order of summation": _nested,
    "product of sums": _products,
    "factor under a sum": lambda mk, sc: (
        mk.pick((-_merged(mk, sc)[0].args[0], _merged(mk, sc)[0].args[1] / mk.term(1, sc.under(k).under(j)))),
        (),
    ),
    "sum of a difference": _merged,
    "product over no index": _empty,
    "last factor": _longer,
    "next power": _power,
    "sum of a constant product": _constant_product,
    "sin² + cos² = 1": _squared_sine,
    "angle sum": _angles,
    "order tells apart": lambda mk, sc: (ne(mk.term(1, sc), mk.pick((ZERO, mk.term(1, sc)))), (mk.chance(0.5),)),
    "odd or even": _turned,
    "sign times size": _signed,
    "indicator and sign": lambda mk, sc: (Term("app", (mk.term(2, sc),), "step"), ()),
    "the exponential grows": _growing,
    "logarithm of a product over a range": _log_range,
    "weighted logarithm of a product": _weighted_logs,
    "weighted logarithm of what is positive": _weighted_logs,
    "weight of a logarithm": _weighted_logs,
    "weighted logarithm of a ratio": _weighted_ratios,
    "parts of the relative-entropy gap": _gap_parts,
    "expected logarithm": _expected_log,
    "upper bound": _upper,
    "least upper bound": _bounded_rows,
    "maximum below a bound": _bounded_rows,
    "maximum of a shifted row": _shifted_rows,
    "derivative of a maximum": _largest_derivative,
    "derivative of the indicator of the maximum": _indicator_derivative,
    "derivative of a product over a range": _product_derivative,
    "product without one factor": _without_one,
}
