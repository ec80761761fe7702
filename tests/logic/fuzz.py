"""Random theorems: every axiom schema and every inference of the core, on random terms at random places.

A `Maker` writes random terms of the whole language from a seed, and wraps them in random binders; a `Prover` lets the
core prove things about them; the witness judges what comes out, hypotheses and all. Nothing here is trusted: what the
core refuses is skipped, and a false theorem is a fault of the core.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from derive.evidence.witness import Evidence, witness
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
    ONE,
    ZERO,
    Π,
    Σ,
    D,
    E,
    ShapeError,
    Term,
    array,
    both,
    bound,
    derivative_of,
    diag,
    eq,
    expect,
    forall,
    free,
    function,
    implies,
    index,
    indices,
    integral,
    is_random,
    le,
    let,
    lift,
    lt,
    natural,
    ne,
    outer,
    place,
    sizes,
    sort,
    space,
    substitute,
    subterms,
    succ,
    var,
    δ,
)
from derive.language.term import random as random_variable
from derive.logic import theorem as core
from derive.logic.certificate import axioms
from derive.logic.context import ProofError, context
from derive.logic.facts import alternatives
from derive.logic.theorem import Theorem

AXIOMS = axioms()

# ---- what the terms are made of --------------------------------------------------------------------------------------

K, H = sizes("K H")
n, S = natural("n"), space("S")
i, j, k, m = indices("i j k m", K)
a, b = indices("a b", H)
z, w = indices("z w", S)
l, t = indices("l t", n)
RANGES = {K: (i, j, k, m), H: (a, b), n: (l, t)}

x, y, s, o, c = var("x"), var("y"), var("s", dom="positive"), var("o", dom="unit"), var("c", dom="nonnegative")
sign = var("±", dom="sign")
u, v, p = var("u", K), var("v", K, dom="positive"), var("p", K, dom="simplex")
A, B, g = var("A", K, K), var("B", K, H), var("g", H)
X, Y = var("X", NATURALS), var("Y", n)
q, q_plus, f, h = (
    var("q", S, dom="density"),
    var("q₊", S, dom="positive density"),
    var("f", S),
    var("h", S, dom="positive"),
)
ε, η = random_variable("ε", K, law="standard"), random_variable("η", law="standard")
φ, dφ = function("φ"), derivative_of("φ")

up = let("up", exp(x) * s)
first = let("q₁", u * v + x)
second = let("q₂", A @ first)
beside = let("r", array(σ(u[i]), i))
residual = let("r₂", second + first)
total = let("L", Σ(second[k] ** 2 + v[k], k))
partial = let("ℓ", log(x))
rooted = let("ρ", sqrt(c))
noisy = let("ẑ", x + s * ε)
density = let("d", array(q[z] * h[z], z))
LETS = (up, first, second, beside, residual, total, partial, rooted)

NUMBERS = tuple(map(lift, (0, 1, 2, 3, -1, Fraction(1, 2), Fraction(-3, 2))))
SMOOTH = (exp, σ, tanh, softplus, expgap)
PARTIAL = (log, sqrt, log1p, relu, abs_)


@dataclass(frozen=True)
class Scope:
    """What may occur: free indices, random variables, and points, by their ranges."""

    indices: dict[Term, tuple[Term, ...]] = field(default_factory=lambda: {K: (i, j), H: (a,), n: (), S: ()})
    noise: tuple[Term, ...] = ()
    tame: bool = False
    """No derivatives and no averages: what stands where numeric differentiation is slow."""

    def under(self, symbol: Term) -> Scope:
        over = symbol.args[0]
        return Scope({**self.indices, over: (*self.indices.get(over, ()), symbol)}, self.noise, self.tame)

    def random(self, *symbols: Term) -> Scope:
        return Scope(self.indices, (*self.noise, *symbols), self.tame)

    @property
    def calm(self) -> Scope:
        return Scope(self.indices, self.noise, True)


class Maker:
    """A source of random terms, places and theorems."""

    def __init__(self, seed: object) -> None:
        self.rng = random.Random(str(seed))

    def pick(self, options: Any) -> Any:
        return self.rng.choice(tuple(options))

    def chance(self, share: float) -> bool:
        return self.rng.random() < share

    # ---- terms

    def leaf(self, scope: Scope) -> Term:
        """A variable, a component, a number, a size or a bracket."""
        at = scope.indices
        options: list[Callable[[], Term]] = [
            lambda: self.pick((x, y, s, o, c, sign)),
            lambda: self.pick((up, total, partial, rooted)),
            lambda: self.pick(NUMBERS),
        ]
        if at.get(K):
            options += [lambda: self.pick((u, v, p, first, second, beside, residual))[self.pick(at[K])]] * 3
            options.append(lambda: A[self.pick(at[K]), self.pick(at[K])])
            options.append(lambda: δ(self.pick(at[K]), self.pick(at[K])))
            options.append(lambda: self.pick((softmax, log_softmax))(self.pick((u, first)))[self.pick(at[K])])
        if at.get(K) and at.get(H):
            options.append(lambda: B[self.pick(at[K]), self.pick(at[H])])
        if at.get(H):
            options.append(lambda: g[self.pick(at[H])])
        if at.get(n):
            options += [lambda: self.pick((X, Y))[self.pick(at[n])]] * 4
        if at.get(S):
            options += [lambda: self.pick((q, q_plus, f, h, density))[self.pick(at[S])]] * 5
        if scope.noise and at.get(K):
            options += [lambda: self.pick(scope.noise)] * 4
        options.append(lambda: self.pick((K, n, logsumexp(u), squared_norm(first), π)))
        term = self.pick(options)()
        if term.shape:
            term = term[self.pick(at[K])]
        return noisy[self.pick(at[K])] if ε in scope.noise and at.get(K) and self.chance(0.1) else term

    def term(self, depth: int, scope: Scope) -> Term:
        """A scalar term."""
        if depth <= 0 or self.chance(0.08):
            return self.leaf(scope)
        kind = self.rng.random()
        if kind < 0.52:
            return self.arithmetic(depth, scope)
        if kind < 0.68:
            return self.applied(depth, scope)
        if kind < 0.88:
            return self.bound(depth, scope)
        return self.leaf(scope) if scope.tame else self.derivative(depth, scope)

    def arithmetic(self, depth: int, scope: Scope) -> Term:
        one, other = self.term(depth - 1, scope), self.term(depth - self.pick((1, 2)), scope)
        options = [one + other, one - other, one * other, -one, one * other, one**2]
        options += [one / other, one / (1 + exp(other)), one ** self.pick(NUMBERS), other**n, one ** succ(n)]
        return self.pick(options)

    def applied(self, depth: int, scope: Scope) -> Term:
        inner = self.term(depth - 1, scope)
        kind = self.rng.random()
        if kind < 0.45:
            return self.pick(SMOOTH)(inner)
        if kind < 0.75:
            return self.pick(PARTIAL)(inner)
        if kind < 0.9:
            return self.pick((φ, dφ))(inner)
        if kind < 0.95:
            return kl(self.pick((s, exp(inner))), self.pick((exp(inner), inner)))
        return self.reduced(depth, scope)

    def reduced(self, depth: int, scope: Scope) -> Term:
        over = self.fresh(K)
        row = array(self.term(depth - 1, scope.under(over)), over)
        if self.chance(0.5) and scope.indices.get(K):
            return self.pick((softmax, log_softmax))(row)[self.pick(scope.indices[K])]
        return self.pick((logsumexp, squared_norm))(row)

    def fresh(self, over: Term) -> Term:
        """An index to bind: often one whose name is in use outside."""
        return self.pick(RANGES[over])

    def bound(self, depth: int, scope: Scope) -> Term:
        kind = self.rng.random()
        if kind < 0.6 or scope.tame:
            over = self.fresh(self.pick((K, K, K, H, n)))
            return self.pick((Σ, Σ, Σ, Π))(self.term(depth - 1, scope.under(over)), over)
        if kind < 0.8:
            point = self.pick((z, w))
            inner = self.term(depth - 1, scope.under(point))
            return self.pick((integral(inner, point), self.average(point, inner)))
        symbols = self.pick(((ε,), (η,), (ε, η)))
        return E(self.polynomial(depth - 1, scope.random(*symbols), symbols), *symbols)

    def average(self, point: Term, inner: Term) -> Term:
        weights = (q[point], q_plus[point], density[point], q[point] * h[point], q[point] * x)
        weight = self.rng.choices(weights, (6, 6, 3, 3, 1))[0]
        return Term("expect", (point, weight, inner))

    def polynomial(self, depth: int, scope: Scope, symbols: tuple[Term, ...]) -> Term:
        """Something to average over random variables: products of components, and functions of one component."""
        at = scope.indices.get(K) or ()
        parts = [s_[self.pick(at)] if s_.shape else s_ for s_ in symbols if at or not s_.shape] or [lift(1)]
        if ε in symbols and at:
            parts += [noisy[self.pick(at)], ε[self.pick(at)]]
        factors = [self.pick(parts) for _ in range(self.pick((1, 2, 2)))]
        term = factors[0]
        for factor in factors[1:]:
            term = term * self.pick((factor, factor, tanh(factor)))
        return self.pick((term, term + self.term(depth - 1, scope.calm), self.term(depth - 1, scope.calm) * term))

    def derivative(self, depth: int, scope: Scope) -> Term:
        by = self.by(scope)
        return D(self.term(depth - 1, scope if self.chance(0.3) else scope.calm), by)

    def by(self, scope: Scope) -> Term:
        """What to differentiate by: a variable, a named quantity or a component."""
        at = scope.indices.get(K)
        if at and self.chance(0.6):
            return self.pick((u, v, first, second, u, first))[self.pick(at)]
        return self.pick((x, s, x, up, total, partial))

    def formula(self, depth: int, scope: Scope) -> Term:
        one, other = self.term(depth, scope), self.term(depth - 1, scope)
        kind = self.rng.random()
        if kind < 0.75:
            return self.pick((eq, le, lt, ne))(self.pick((one, ZERO, other)), self.pick((other, one, one, ZERO, ONE)))
        if kind < 0.83:
            return both(self.formula(depth - 1, scope), self.formula(depth - 1, scope))
        if kind < 0.92:
            return implies(self.formula(depth - 1, scope), self.formula(depth - 1, scope))
        over = self.fresh(self.pick((K, n)))
        return forall(self.formula(depth - 1, scope.under(over)), over)

    # ---- places

    def around(self, part: Term, scope: Scope) -> tuple[Term, int]:
        """One layer around a term: the whole, and at which argument the part stands."""
        other = self.term(1, scope.calm)
        layers: list[tuple[Term, int]] = [
            (part + other, 0),
            (other - part, 1),
            (part * other, 0),
            (other * part, 1),
            (part / (1 + exp(other)), 0),
            (other / part, 1),
            (-part, 0),
            (part**2, 0),
            (exp(part), 0),
            (log(part), 0),
            (abs_(part), 0),
            (relu(part), 0),
            (φ(part), 1),
            (sqrt(part), 0),
            (part ** succ(n), 0),
            (part / s, 0),
            (part * s, 0),
        ]
        over = self.pick((i, j, k, m, a, l))
        layers += [(Σ(part, over), 1)] * 5 + [(Π(part, over), 1)] * 2
        layers += [(integral(part, self.pick((z, w))), 1), (self.average(self.pick((z, w)), part), 2)] * 2
        for by in (self.by(scope), self.by(scope)):
            layers += self.attempt(lambda by=by: (D(part, by), 0)) * 3
        if not free(part).isdisjoint((ε, η)):
            symbols = tuple(free(part) & {ε, η})
            layers += [(E(part, *symbols), len(symbols))] * 4
        return self.pick(layers)

    def attempt(self, make: Callable[[], tuple[Term, int]]) -> list[tuple[Term, int]]:
        try:
            return [make()]
        except ShapeError:
            return []

    def rising(self, part: Term, scope: Scope) -> tuple[Term, int]:
        """One layer that mostly keeps an inequality."""
        other, point = self.term(1, scope.calm), self.pick((z, w))
        layers: list[tuple[Term, int]] = [
            (part + other, 0),
            (part - other, 0),
            (part * s, 0),
            (part / s, 0),
            (v[i] * part, 1),
            (exp(part), 0),
            (relu(part), 0),
            (Σ(part, self.pick((k, l, a))), 1),
            (Π(part, self.pick((k, l))), 1),
            (integral(part, point), 1),
            (σ(part), 0),
            (self.average(point, part), 2),
            (part ** succ(n), 0),
            (log(part), 0),
            (sqrt(part), 0),
            (part**3, 0),
            (E(part + 0 * η**2, η), 1),
            (c * part, 1),
            (part**2, 0),
            (other * part, 1),
        ]
        return self.pick(layers)

    def placed(self, part: Term, layers: int, scope: Scope) -> tuple[Term, tuple[int, ...]]:
        """A term with a part at a path, some layers around it."""
        path: tuple[int, ...] = ()
        for _ in range(layers):
            part, position = self.around(part, scope)
            path = (position, *path)
        return part, path


def depth_of(term: Term) -> int:
    """How deep derivatives nest, through definitions."""
    return (term.op == "D") + max(map(depth_of, term.args), default=0)


# ---- a term for each schema: where it has a chance to apply, with parameters -----------------------------------------

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


def _scaled(maker: Maker, scope: Scope) -> Instance:
    left, right, factor = (
        maker.term(1, scope),
        maker.term(1, scope),
        maker.pick((s, x, v[i], exp(x), -s, 1 / s, lift(2), 1 / x, x**2)),
    )
    relation = maker.pick((eq, le, lt, ne))
    one, other = relation(left, right), relation(left * factor, right * factor)
    return maker.pick(((other, (one, factor)), (one, (other, 1 / factor)), (relation(left - right, 0), (one, ONE))))


def _gap(maker: Maker, scope: Scope) -> Term:
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


def _zero_sets(maker: Maker, scope: Scope) -> Instance:
    return eq(_gap(maker, scope), 0), ()


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
    "equivalent relations": _scaled,
    "zero of a gap": _zero_sets,
    "the exponential is one-to-one": _injective,
    "∀ over ∧": _for_all,
    "Jensen's inequality for the logarithm": _averaged(_jensen),
    "support": _averaged(_supported),
    "total mass": _averaged(lambda mk, point, sc: mk.average(point, ONE)),
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

# ---- theorems --------------------------------------------------------------------------------------------------------


class Prover(Maker):
    """A source of random theorems, each with the name of the inference or axiom that it is about."""

    def scope(self) -> Scope:
        return Scope() if self.chance(0.7) else Scope({K: (i, j), H: (a,), n: (l,), S: (z,)})

    def axiom(self, name: str) -> Theorem:
        """An axiom schema at a place."""
        term, parameters = SEEDS[name](self, self.scope())
        whole, path = (
            (term, ()) if sort(term) == "formula" else self.placed(term, self.pick((0, 0, 1, 1, 2, 3)), self.scope())
        )
        if sort(term) != "formula" and self.chance(0.1):
            whole, path = eq(whole, self.term(1, self.scope())), (0, *path)
            whole, path = self.pick(((whole, path), (forall(whole, k), (1, *path))))
        return core.step(core.reflexivity(whole), path, AXIOMS[name], *parameters)

    def part(self, term: Term) -> tuple[Term, tuple[int, ...]]:
        """A random numeric part of a term, as one sees it from inside, with its path."""
        path: tuple[int, ...] = ()
        while True:
            inside = [p_ for p_ in range(len(bound(term)), len(term.args)) if sort(term.args[p_]) == "real"]
            inside = [] if term.op in {"let", "var", "at", "idx", "delta"} else [0] if term.op == "D" else inside
            if not inside or (path and self.chance(0.3)):
                return term, path
            position = self.pick(inside)
            term, path = context(term, position).inner, (*path, position)

    def algebra(self) -> Theorem:
        whole, path = self.placed(self.term(3, self.scope()), self.pick((0, 1, 2)), self.scope())
        part, path = self.part(whole) if self.chance(0.5) else (self._inside(whole, path), path)
        return core.algebra(core.reflexivity(whole), path, self.rewritten(part, 3))

    def _inside(self, term: Term, path: tuple[int, ...]) -> Term:
        for position in path:
            term = context(term, position).inner
        return term

    def rewritten(self, term: Term, times: int) -> Term:
        """A term that is equal by the laws of fields, at some of its arithmetic."""
        for _ in range(times):
            extra = self.pick((x, u[i], δ(i, j), self.term(1, self.scope()), s, 1 / x))
            options = [
                term + extra - extra,
                term * extra / extra,
                term * 1,
                Term("neg", (-term,)),
                term + 0,
                1 * term,
                term / 1,
            ]
            options += [term + extra * 0, (term * extra) / (extra * 1), term * δ(i, j) ** 2 + term - term * δ(i, j)]
            if term.op in {"add", "mul"}:
                options += [Term(term.op, term.args[::-1])] * 4
            if term.op == "mul" and term.args[1].op in {"add", "sub"}:
                left, right = term.args
                options += [Term(right.op, (left * right.args[0], left * right.args[1]))] * 4
            if term.op == "div":
                options += [term.args[0] * (1 / term.args[1]), term.args[0] * term.args[1] ** -1] * 3
            if term.op == "delta" or (term.op == "mul" and δ(i, j) in term.args):
                options += [term * term if term.op == "delta" else term * δ(i, j)] * 4
            if term.op == "sub":
                options += [term.args[0] + -term.args[1], -(term.args[1] - term.args[0])] * 3
            term = self.pick(options)
        return term

    def unfold(self) -> Theorem:
        quantity = self.pick(LETS)
        part = quantity[self.pick((i, j, k))] if quantity.shape else quantity
        whole, path = self.placed(part, self.pick((1, 2, 3)), self.scope())
        return core.unfold(core.reflexivity(whole), path)

    def components(self) -> Theorem:
        """Array notation in all its forms, pushed to components at a place."""
        vector = self.pick(
            (u, first, A @ u, u * v, softmax(u), A.T @ second, (A * v) @ u, diag(u) @ v, u / v, exp(u), -u, x * u)
        )
        matrix = self.pick(
            (
                A,
                outer(u, v),
                A @ A,
                A.T,
                diag(first),
                A * A.T,
                A + u,
                B @ B.T,
                D(first, u),
                D(A @ u, u),
                softmax(A),
                A**2,
            )
        )
        scalar = self.pick(
            (
                u @ v,
                (A @ u) @ v,
                u.sum(0),
                v.mean(),
                logsumexp(vector),
                squared_norm(matrix @ u),
                vector[i],
                matrix[i, j],
                D(u @ vector, u[j]),
                squared_norm(B)[i],
                matrix.sum(1)[j],
                (matrix @ vector)[i],
                log_softmax(vector)[j],
            )
        )
        whole, path = self.placed(scalar, self.pick((0, 1, 2)), self.scope())
        return core.components(core.reflexivity(whole), path)

    def reflexivity(self) -> Theorem:
        return core.reflexivity(self.placed(self.term(3, self.scope()), self.pick((0, 1, 2)), self.scope())[0])

    def some(self) -> Theorem:
        """A theorem to go on from."""
        return self.pick((lambda: self.axiom(self.pick(SEEDS)), self.algebra, self.unfold, self.components))()

    def instantiate(self) -> Theorem:
        """Terms for variables, indices for indices, sizes for sizes, named quantities for their like."""
        theorem = self.some()
        symbols = [
            t_ for t_ in subterms(theorem.conclusion) if t_.op in {"var", "idx", "size", "let"} and t_ is not NATURALS
        ]
        if not symbols:
            raise ProofError("nothing can be put in")
        changes = dict(self.change(self.pick(symbols)) for _ in range(self.pick((1, 1, 2, 3))))
        named = [s_ for s_ in symbols if s_.op == "let" and s_ not in changes]
        rest = {old: new for old, new in changes.items() if old.op != "let"}
        for old in named if self.chance(0.3) else ():
            changes[old] = let(self.pick((old.data, "other", "q₁")), substitute(old.args[0], rest))
        return core.instantiate(theorem, *changes.items())

    def change(self, old: Term) -> tuple[Term, Term]:
        if old.op == "idx":
            return old, index(self.pick(("i", "j", "k", "l", "#1.0", "#2.0")), old.args[0])
        if old.op == "size":
            return old, self.pick((K, H, n, succ(n), succ(K), succ(succ(n))))
        if old.op == "let":
            return old, self.pick((let("other", old.args[0]), let("q₁", old.args[0]), *LETS))
        if old.shape == (K,):
            over = self.pick((i, j, k))
            body = self.term(2, Scope({K: (i, j, over)}))
            return old, self.pick((u, v, p, first, second, array(body, over), ε, A @ u))
        if old.shape == (S,):
            return old, self.pick((q, h, q_plus, f, array(self.term(1, Scope({K: (i,), S: (z,)})), z)))
        if old.shape:
            return old, self.pick((A.T, A @ A, diag(u), outer(u, v), old))
        return old, self.pick((x, y, s, up, total, partial, u[i], first[j], K, self.term(2, self.scope())))

    def function(self) -> Theorem:
        theorem = self.axiom("derivative of a function") if self.chance(0.5) else self.some()
        return core.instantiate_function(
            theorem, "φ", self.pick(("exp", "σ", "tanh", "softplus", "expgap", "relu", "softmax"))
        )

    def assume(self) -> Theorem:
        """Side conditions: what is known of signs, and what a condition is reduced to."""
        part = self.pick((self.gap_like, lambda: self.term(3, self.scope())))()
        formula = self.pick(
            (
                lt(0, part),
                le(0, part),
                ne(part, 0),
                lt(part, 1),
                le(part, 1),
                self.formula(2, self.scope()),
                implies(lt(0, u[k]), lt(0, part)),
                implies(lt(0, self.term(1, self.scope())), le(0, part)),
                forall(implies(lt(0, q[z]), lt(0, part)), z),
                forall(le(0, part), k),
                ne(part, 1),
                implies(lt(0, part), lt(0, Σ(part, k))),
                implies(le(0, part), le(0, Σ(part, l))),
                implies(lt(0, q[z] * part), lt(0, integral(part, z))),
            )
        )
        return core.assume(formula)

    def gap_like(self) -> Term:
        one, two = _gap(self, self.scope()), _gap(self, self.scope())
        over = self.pick((k, l, a))
        part = self.pick(
            (s, exp(x), one, 1 - σ(x), softmax(u)[k], 1 - o, v[k], K, n, 1 - softmax(u)[i], 1 - p[k], 1 - s / (s + one))
        )
        return self.pick(
            (
                one * two,
                one / two,
                one + s,
                Σ(part, over),
                Π(part, over),
                integral(h[z] * part, z),
                expect(q, part, z),
                expect(q_plus, h[z] * part, z),
                E(part * η**2, η),
                part,
                part * one,
                -part,
                part - part,
                part ** self.pick(NUMBERS),
            )
        )

    def sign(self) -> Theorem:
        return core.sign(core.reflexivity(self.gap_like()))

    def order(self) -> Theorem:
        """A gap between two terms that is written out as something which is never negative."""
        one, gap = self.term(2, self.scope()), self.gap_like()
        return core.order(core.algebra(core.reflexivity((one + gap) - one), (), gap))

    def inequality(self) -> Theorem:
        """An inequality under monotone functions and binders."""
        lemma = self.pick((self.order, self.sign, lambda: self.axiom("tangent of the logarithm")))()
        if self.chance(0.4):
            low, high = self.term(1, self.scope()), self.term(1, self.scope())
            lemma = core.assume(self.pick((le, lt))(low, high))
        whole, path = lemma.lhs, ()
        for _ in range(self.pick((1, 2, 3))):
            whole, position = self.rising(whole, self.scope())
            path = (position, *path)
        return core.step(core.components(core.reflexivity(whole), path), path, lemma)

    def given(self) -> Theorem:
        """An equation that is given, used at a place, under ∂ perhaps."""
        left = self.pick((x, u[k], Σ(u[k], k), s * x, first[i], v[k], abs_(x), self.term(1, self.scope())))
        fact = core.assume(eq(left, self.pick((ZERO, ONE, y, self.term(1, self.scope())))))
        if self.chance(0.4):
            fact = core.specialise(core.assume(forall(fact.conclusion, k)), self.pick((i, j, k)))
        whole, path = self.placed(fact.lhs, self.pick((0, 1, 2)), self.scope())
        return core.step(core.components(core.reflexivity(whole), path), path, fact)

    def cases(self) -> Theorem:
        """|t|·|t| = t·t and relu(t)·|t| = relu(t)·t, by cases, at a place; under a binder the case must say ∀."""
        part = self.pick((x, u[k], self.term(2, self.scope()), sign))
        if part is sign:
            shape, goal = sign**2 * self.term(1, self.scope()), None
        else:
            shape, goal = self.pick(
                ((abs_(part) * abs_(part), part * part), (relu(part) * abs_(part), relu(part) * part))
            )
        whole, path = self.placed(shape, self.pick((0, 1, 2)), self.scope())
        one, other = (self._case(part, number, whole, path, goal) for number in (0, 1))
        return core.cases(part, one, other)

    def _case(self, part: Term, number: int, whole: Term, path: tuple[int, ...], goal: Term | None) -> Theorem:
        theorem = core.reflexivity(whole)
        if goal is None:
            theorem = core.step(theorem, (*path, 0, 0), core.assume(alternatives(part)[number]))
            return core.algebra(theorem, path, whole_part(theorem.rhs, path).args[1])
        for position in (0, 1):
            name = whole_part(theorem.rhs, (*path, position)).data
            if name in {"abs", "relu"}:
                theorem = core.step(theorem, (*path, position), AXIOMS["definition of a symbol by cases"], name, number)
        return core.algebra(theorem, path, part * part if goal.args[0] is part else whole_part(theorem.rhs, path))

    def induction(self) -> Theorem:
        """Σ and Π of something below n, by induction on n."""
        body = self.pick((x, X[l], X[l] * x, self.term(1, Scope({K: (i,), n: ()})), X[l] + 1))
        constant = l not in free(body)
        if constant:
            left, right = self.pick(((Π(body, l), lambda n_: body**n_), (Σ(body, l), lambda n_: n_ * body)))
        else:
            left, right = Σ(2 * body, l), lambda n_: 2 * Σ(substitute(body, {l: index("l", n_)}), index("l", n_))
        base = self._base(left, right(ZERO), constant)
        claim = eq(left, right(n))
        above = substitute(left, {n: succ(n)})
        following = core.step(core.reflexivity(above), (), AXIOMS["last factor"])
        following = core.step(following, (0,), core.assume(claim))
        goal = right(succ(n))
        back = core.reflexivity(goal)
        rule = {"pow": "next power", "mul": "last factor"}.get(goal.op)
        if goal.op == "pow" or (goal.op == "mul" and goal.args[1].op == "sum"):
            back = core.step(back, () if goal.op == "pow" else (1,), AXIOMS[str(rule)])
        following = core.algebra(following, (), back.rhs)
        return core.induction(n, base, core.transitivity(following, core.symmetry(back)))

    def _base(self, left: Term, right: Term, constant: bool) -> Theorem:
        theorem = core.step(core.reflexivity(substitute(left, {n: ZERO})), (), AXIOMS["product over no index"])
        back = core.reflexivity(right)
        if right.op == "pow":
            back = core.step(back, (), AXIOMS["next power"])
        elif not constant:
            back = core.step(back, (1,), AXIOMS["product over no index"])
        return core.transitivity(core.algebra(theorem, (), back.rhs), core.symmetry(back))

    def cut(self) -> Theorem:
        """A hypothesis that another theorem proves, wholly or from others."""
        theorem = self.some()
        if not theorem.hypotheses:
            raise ProofError("nothing to discharge")
        hypothesis = self.pick(sorted(theorem.hypotheses, key=repr))
        return core.cut(theorem, core.assume(hypothesis))

    def indices(self) -> Theorem:
        """∀-introduction and -elimination, extensionality and back."""
        theorem = self.some()
        loose = sorted((s_ for s_ in free(theorem.conclusion) if s_.op == "idx"), key=repr)
        symbol = self.pick(loose or (k, l))
        if theorem.conclusion.op == "eq" and self.chance(0.5):
            sides = (array(theorem.lhs, symbol), array(theorem.rhs, symbol))
            whole = core.extensionality(theorem, *sides, symbol)
            return self.pick((whole, core.componentwise(whole, index("j", symbol.args[0]))))
        everywhere = core.generalisation(theorem, symbol)
        return self.pick((everywhere, core.specialise(everywhere, index(self.pick(("j", "k", "l")), symbol.args[0]))))

    def logic(self) -> Theorem:
        """Equivalences, transport, conjunction, weakening, symmetry and transitivity."""
        theorem = self.some()
        kind = self.rng.randrange(4)
        if kind == 0:
            formula, (target, factor) = _scaled(self, self.scope())
            same = core.step(core.reflexivity(formula), (), AXIOMS["equivalent relations"], target, factor)
            return core.transport(core.assume(formula), same)
        if kind == 1:
            return core.conjunction(theorem, self.some())
        if kind == 2:
            p_, q_ = theorem.conclusion, self.formula(1, self.scope())
            return (
                core.equivalence(core.assume(q_), core.assume(q_))
                if self.chance(0.3)
                else core.equivalence(core.assume(p_), theorem)
            )
        if core.relation_of(theorem) != "=":
            return core.weakening(theorem)
        return core.transitivity(core.symmetry(theorem), theorem)

    def vanishing(self) -> Theorem:
        """An index below n that is there on the way and not at its ends."""
        one = Σ(δ(t, l) * self.pick((x, ONE, X[l] / X[l], s)), t)
        theorem = core.symmetry(core.step(core.reflexivity(one), (), AXIOMS["sift"]))
        lemma = core.order(core.algebra(core.reflexivity(1 - δ(t, l)), (), (1 - δ(t, l)) ** 2))
        if one.args[1].args[1] is ONE:
            theorem = core.step(core.algebra(theorem, (1,), δ(t, l)), (1,), lemma)
        return core.step(theorem, (), AXIOMS["linearity"])


INFERENCES: dict[str, Callable[[Prover], Theorem]] = {
    "reflexivity": Prover.reflexivity,
    "algebra": Prover.algebra,
    "unfold": Prover.unfold,
    "components": Prover.components,
    "instantiate": Prover.instantiate,
    "instantiate_function": Prover.function,
    "assume": Prover.assume,
    "sign": Prover.sign,
    "order": Prover.order,
    "step with an inequality": Prover.inequality,
    "step with a given": Prover.given,
    "cases": Prover.cases,
    "induction": Prover.induction,
    "cut": Prover.cut,
    "generalisation, extensionality": Prover.indices,
    "equivalence, transport": Prover.logic,
    "an index vanishes": Prover.vanishing,
}
KINDS = (*SEEDS, *INFERENCES)


def whole_part(term: Term, path: tuple[int, ...]) -> Term:
    """The part of a term at a path, as it is written."""
    for position in path:
        term = term.args[position]
    return term


# ---- judging ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Judged:
    """A theorem, what it is about, where it came from, and what the witness says."""

    kind: str
    seed: str
    theorem: Theorem
    evidence: Evidence

    def __str__(self) -> str:
        return f"{self.kind} (seed {self.seed!r}): {self.theorem!r}\n  {self.evidence}"


def theorem_of(kind: str, seed: str, most_parts: int = 140) -> Theorem | None:
    """A random theorem of a kind, or None where chance gave nothing that the core proves, or something too large."""
    prover = Prover(seed)
    try:
        theorem = prover.axiom(kind) if kind in SEEDS else INFERENCES[kind](prover)
    except (ShapeError, ProofError):
        return None
    sequent = (theorem.conclusion, *theorem.hypotheses)
    if any(part.op == "forall" and is_random(part.args[0]) for whole in sequent for part in subterms(whole)):
        return None  # the witness has no way to go through all values of a random variable
    small = all(depth_of(part) <= 2 and sum(1 for _ in subterms(part)) <= most_parts for part in sequent)
    trivial = theorem.conclusion.op in {"eq", "iff"} and theorem.lhs is theorem.rhs
    return theorem if small and (not trivial or kind == "reflexivity") else None


def judge(theorem: Theorem, digits: int = 30) -> Evidence:
    """What the witness says of a whole sequent; what it finds false is looked at again with more digits."""
    evidence = witness(theorem.conclusion, theorem.hypotheses, 1, digits)
    return witness(theorem.conclusion, theorem.hypotheses, 2, 6 * digits) if evidence.status == "false" else evidence


def run(seeds: Iterable[int], most_parts: int = 140) -> Iterator[Judged]:
    """Judge theorems of every kind in turn, one try a seed."""
    for number in seeds:
        for kind in KINDS:
            seed = f"fuzz {kind} {number}"
            theorem = theorem_of(kind, seed, most_parts)
            if theorem is not None:
                yield Judged(kind, seed, theorem, judge(theorem))


def table(counts: dict[str, Counter[str]]) -> str:
    """The counts as text: kind, fired, true, undecided, false."""
    rows = [f"{'schema or inference':42} fired   true undecided false"]
    for kind in KINDS:
        seen = counts.get(kind, Counter())
        rows.append(f"{kind:42} {seen.total():5} {seen['true']:6} {seen['undecided']:9} {seen['false']:5}")
    return "\n".join(rows)
