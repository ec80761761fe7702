"""Random terms of the whole language, written from a seed, and random places to put them in."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from derive.language.notation import (
    abs_,
    cos,
    erf,
    exp,
    expgap,
    gammaln,
    gelu,
    hardmax,
    kl,
    log,
    log1p,
    log_softmax,
    logsumexp,
    max_,
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
    π,
    σ,
)
from derive.language.notation import sign as sign_of
from derive.language.term import (
    NATURALS,
    ONE,
    ZERO,
    Π,
    Σ,
    Cov,
    D,
    E,
    ShapeError,
    Term,
    Var,
    array,
    both,
    derivative_of,
    eq,
    forall,
    free,
    function,
    implies,
    indices,
    integral,
    le,
    let,
    lift,
    lt,
    natural,
    ne,
    sizes,
    space,
    succ,
    tri,
    var,
    δ,
)
from derive.language.term import random as random_variable

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
ξ = random_variable("ξ", K, law="spread", parameters=(x, s))
ω = random_variable("ω", K, law="symmetric", parameters=(v,))
ζ = random_variable("ζ", K, law="stationary", parameters=(x, x**2))
λ, κ = (random_variable(name, law="square integrable", block="pair") for name in ("λ", "κ"))
RANDOM = (ε, η, ξ, ω, ζ, λ, κ)
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
SMOOTH = (exp, σ, tanh, softplus, expgap, sin, cos, erf, silu, gelu)
PARTIAL = (log, sqrt, log1p, relu, abs_, sign_of, gammaln)


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
            options.append(lambda: self.pick((δ, lambda i, j: tri(K)[i, j]))(self.pick(at[K]), self.pick(at[K])))
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
            weight, other = self.pick((s, c, o, exp(inner), inner**2)), self.pick((exp(inner), inner, s))
            return self.pick((kl, kl, xlogy, xlog_ratio))(weight, self.pick((other, other, weight)))
        return self.reduced(depth, scope)

    def reduced(self, depth: int, scope: Scope) -> Term:
        over = self.fresh(K)
        row = array(self.term(depth - 1, scope.under(over)), over)
        if self.chance(0.5) and scope.indices.get(K):
            return self.pick((softmax, log_softmax, hardmax, prod_others))(row)[self.pick(scope.indices[K])]
        return self.pick((logsumexp, squared_norm, max_, prod))(row)

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
        symbols = self.symbols()
        body = self.polynomial(depth - 1, scope.random(*symbols), symbols)
        other = self.polynomial(0, scope.random(*symbols), symbols)
        return self.pick((E(body, *symbols), E(body, *symbols), Var(body, *symbols), Cov(body, other, *symbols)))

    def symbols(self) -> tuple[Term, ...]:
        """Random variables to average over."""
        return self.pick(((ε,), (η,), (ε, η), (ξ,), (ω,), (ζ,), (λ, κ), (ξ, η), (ω, κ), (κ, η)))

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
        if not free(part).isdisjoint(RANDOM):
            symbols = tuple(r for r in RANDOM if r in free(part))
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
            (xlogy(c, part), 1),
            (xlogy(p[i], part), 1),
            (sqrt(part), 0),
            (part**3, 0),
            (E(part + 0 * η**2, η), 1),
            (c * part, 1),
            (part**2, 0),
            (other * part, 1),
        ]
        signed = [
            (part * x, 0),
            (other * part, 1),
            (part * u[i], 0),
            (part / x, 0),
            (part / other, 0),
            (f[point] * part, 1),
        ]
        falling = [(x - part, 1), (-part, 0), (s / part, 1), (kl(s, part), 1)]
        return self.pick(layers + signed * 2 + falling)

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
