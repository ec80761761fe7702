"""For each axiom schema a random term to which it has a chance to apply, with its parameters."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

from logic.writing import (
    NUMBERS,
    A,
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
    n,
    noisy,
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
    η,
    φ,
)

from derive.language.notation import (
    abs_,
    exp,
    expgap,
    kl,
    log,
    log1p,
    log_softmax,
    logsumexp,
    softmax,
    softplus,
    sqrt,
    squared_norm,
    tanh,
    σ,
)
from derive.language.term import (
    ONE,
    ZERO,
    Π,
    Σ,
    D,
    E,
    Term,
    array,
    both,
    eq,
    forall,
    index,
    integral,
    le,
    lift,
    lt,
    ne,
    place,
    succ,
    var,
    δ,
)

Instance = tuple[Term, tuple[Any, ...]]


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
        symbols = maker.pick(((ε,), (η,), (ε, η)))
        inner = scope.random(*symbols)
        body = maker.polynomial(2, inner, symbols) + maker.pick((1, -1)) * maker.polynomial(1, inner, symbols)
        return E(Σ(body, maker.fresh(K)) if kind == "mean sum" else body, *symbols), ()
    point = maker.pick((z, w))
    body = _several(maker, scope.under(point))
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
    one = maker.pick((ε[i], ε[maker.fresh(K)], η))
    symbol, _ = place(one)
    return E(maker.pick((one, one**2, one * one, one ** Fraction(1, 2), one**3)), symbol), ()


def _independent(maker: Maker, _: Scope) -> Instance:
    one, two = ε[maker.pick((i, j))], ε[maker.pick((i, j, k))]
    shapes = (one, one**2, tanh(one), φ(one * u[maker.pick((i, j))]), exp(one / 4), noisy[i], Σ(one * u[k], k))
    other = maker.pick((two, two**2, tanh(two), two * two, abs_(two)))
    return E(maker.pick(shapes) * other, ε), ()


def _symbols(maker: Maker, scope: Scope) -> Instance:
    one, two = maker.term(2, scope), maker.term(1, scope)
    row = array(maker.term(1, scope.under(k)), k)
    table = {
        "log1p": log1p(one),
        "σ": σ(one),
        "tanh": tanh(one),
        "softplus": softplus(one),
        "kl": kl(one, two),
        "expgap": expgap(one),
        "softmax": softmax(row)[maker.pick((i, j))],
        "log_softmax": log_softmax(first)[i],
        "logsumexp": maker.pick((logsumexp(row), logsumexp(Y))),
        "squared_norm": maker.pick((squared_norm(row), squared_norm(Y))),
    }
    name = maker.pick(table)
    return table[name], (name,)


def _branches(maker: Maker, scope: Scope) -> Instance:
    name = maker.pick(("relu", "abs"))
    return Term("app", (maker.term(2, scope),), name), (name, maker.pick((0, 1)))


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
        "expgap": expgap(one),
    }
    name = maker.pick(table)
    return D(table[name], by), (name,)


def _chained(maker: Maker, scope: Scope) -> Instance:
    """Mostly a function of the named quantities; sometimes of what they are made of as well."""
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
    return D(maker.pick((*options, total) if "q₂" in through else options), by), through


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


def _masses(maker: Maker, scope: Scope) -> Instance:
    over, rows = maker.fresh(K), var("P", H, K, dom="positive density")
    return maker.pick((integral(q[z], z), integral(q_plus[z], z), Σ(rows[a, over], over), Σ(p[over], over))), ()


def _zero_sets(maker: Maker, scope: Scope) -> Instance:
    known, signed = gap(maker, scope), maker.term(1, scope)
    return eq(maker.pick((known, known, known, known + signed, signed + signed**2, known * signed, known / s)), 0), ()


def _injective(maker: Maker, scope: Scope) -> Instance:
    one, two = maker.term(1, scope), maker.term(1, scope)
    return maker.pick((eq(exp(one), exp(two)), eq(exp(one), 1), eq(exp(one), two))), ()


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


SEEDS: dict[str, Callable[[Maker, Scope], Instance]] = {
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
    "moments of the law": _moment,
    "independent components": _independent,
    "linearity": _binder,
    "sift": _sifted,
    "order of summation": _nested,
    "product of sums": _products,
    "sum of a difference": _merged,
    "product over no index": _empty,
    "last factor": _longer,
    "next power": _power,
    "sum of a constant product": _constant_product,
}
