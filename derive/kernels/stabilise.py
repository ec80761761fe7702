"""The table of identities by which a term is compiled to a stable form, and the search for its left sides.

Each row is an identity of real analysis on its domain: what a proof ends with on the left, the primitive of
`stable.py` that computes it without overflow or cancellation on the right. The right sides name primitives; the tests
evaluate both sides of every row.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import permutations

from derive.kernels.raising import flattened, product, raised
from derive.language.notation import abs_, erf, exp, log, log1p, log_softmax, relu, softmax, sqrt, tanh, σ  # noqa: PLC2403 - as on the page
from derive.language.term import Term, lift, size, var

Bindings = Mapping[Term, Term]
Definitions = Mapping[Term, Term]


def primitive(name: str) -> Callable[..., Term]:
    """Return an elementwise primitive of `stable.py`, to be applied to terms."""
    return lambda *arguments: Term("app", tuple(map(lift, arguments)), name)


@dataclass(frozen=True)
class Identity:
    """before = after, for every value of the wildcards that both are written in.

    Where broadcasting would make something else of it, `axes` is how many the whole has.
    """

    before: Term
    after: Term
    axes: int | None = None


_K = size("K")
_u, _v, _a, _b, _y = (var(name) for name in "uvaby")
_z, _t = var("z", _K), var("t", _K)
WILDCARDS = frozenset((_u, _v, _a, _b, _y, _z, _t))

expm1, log_sigmoid, log_sigmoid_pair, sigmoid_derivative, sigmoid_minus, tanh_derivative = map(
    primitive,
    ("expm1", "log_sigmoid", "log_sigmoid_pair", "sigmoid_derivative", "sigmoid_minus", "tanh_derivative"),
)
softplus, expgap, kl_gap, xlogy, xlog_ratio, js_term, binary_cross_entropy, softmax_minus, softmax_complement = map(
    primitive,
    (
        *("softplus", "expgap", "kl", "xlogy", "xlog_ratio", "js_term"),
        *("binary_cross_entropy", "softmax_minus", "softmax_complement"),
    ),
)
normal_cdf, gaussian, maximum, minimum, logaddexp, where = map(
    primitive, ("normal_cdf", "gaussian", "maximum", "minimum", "logaddexp", "where")
)


def _reduction(name: str, *arguments: Term) -> Term:
    return Term("reduce", arguments, name)


# fmt: off
IDENTITIES: tuple[Identity, ...] = (
    # divergences
    Identity(xlog_ratio(_a, _b) - _a + _b,                           kl_gap(_a, _b)),
    Identity(xlog_ratio(_a, (_a + _b) / 2) / 2 + xlog_ratio(_b, (_a + _b) / 2) / 2, js_term(_a, _b)),
    Identity(xlog_ratio(_z, (_z + _t) / 2).sum(0) / 2 + xlog_ratio(_t, (_z + _t) / 2).sum(0) / 2,
                                                                     js_term(_z, _t).sum(0)),
    Identity(kl_gap(_a, (_a + _b) / 2) + kl_gap(_b, (_a + _b) / 2),  2 * js_term(_a, _b)),
    Identity(_a * log(_a / _b),                                      xlog_ratio(_a, _b)),
    Identity(_a * log(_a),                                           xlogy(_a, _a)),
    # the logistic function
    Identity(1 / (1 + exp(-_u)),                                     σ(_u)),
    Identity(1 / (1 + exp(_u)),                                      σ(-_u)),
    Identity(exp(_u) / (1 + exp(_u)),                                σ(_u)),
    Identity(exp(_u) / (exp(_u) + exp(_v)),                          σ(_u - _v)),
    Identity(1 - σ(_u),                                              σ(-_u)),
    Identity(σ(_u) * σ(-_u),                                         sigmoid_derivative(_u)),
    Identity(log(σ(_u)),                                             log_sigmoid(_u)),
    Identity(log_sigmoid(_u) + log_sigmoid(-_u),                     log_sigmoid_pair(_u)),
    Identity(_y * log_sigmoid(_u) + (1 - _y) * log_sigmoid(-_u),     -binary_cross_entropy(_u, _y)),
    Identity(relu(_u) - _y * _u + log1p(exp(-abs_(_u))),             binary_cross_entropy(_u, _y)),
    Identity(σ(_u) - _y,                                             sigmoid_minus(_u, _y)),
    Identity(log(1 + exp(_u)),                                       softplus(_u)),
    Identity(log1p(exp(_u)),                                         softplus(_u)),
    Identity(log(exp(_u) + exp(_v)),                                 logaddexp(_u, _v)),
    Identity((exp(_u) - exp(-_u)) / (exp(_u) + exp(-_u)),            tanh(_u)),
    Identity(1 - tanh(_u) ** 2,                                      tanh_derivative(_u)),
    Identity(1 + tanh(_u),                                           2 * σ(2 * _u)),
    Identity(1 - tanh(_u),                                           2 * σ(-2 * _u)),
    Identity(2 * _a / 2,                                             _a),
    # the larger and the smaller of two
    Identity(_v + relu(_u - _v),                                     maximum(_u, _v)),
    Identity(_u - relu(_u - _v),                                     minimum(_u, _v)),
    # the normal distribution
    Identity((1 + erf(_u / sqrt(2))) / 2,                            normal_cdf(_u)),
    Identity((1 - erf(_u / sqrt(2))) / 2,                            normal_cdf(-_u)),
    Identity(1 - normal_cdf(_u),                                     normal_cdf(-_u)),
    Identity(exp(-(_u ** 2 / 2)),                                    gaussian(_u)),
    # differences that cancel near 0
    Identity(exp(_u) - 1 - _u,                                       expgap(_u)),
    Identity(exp(_u) - 1,                                            expm1(_u)),
    Identity(log(1 + _u),                                            primitive("log1p")(_u)),
    Identity(1 - _u ** 2 / sqrt(_u ** 2 + _a) ** 2,                  _a / (_u ** 2 + _a)),
    Identity(1 - _u ** 2 / (_u ** 2 + _a),                           _a / (_u ** 2 + _a)),
    # softmax, by rows
    Identity(softmax(_z) - _t,                                       softmax_minus(_z, _t)),
    Identity(1 - softmax(_z),                                        softmax_complement(_z)),
    Identity(exp(_z) / exp(_z).sum(0),                               softmax(_z), axes=1),
    Identity(log(softmax(_z)),                                       log_softmax(_z)),
    Identity(log(exp(_z).sum(0)),                                    _reduction("logsumexp", _z)),
    Identity((_t * log_softmax(_z)).sum(0),                          -_reduction("cross_entropy", _z, _t)),
)
# fmt: on

_SUM, _PRODUCT = ("add", "sub", "neg"), ("mul",)
_CHAINS = (_SUM, _PRODUCT)


class Stabiliser:
    """Rewrites terms by the table, from the leaves up, and sees through named quantities.

    Parameters
    ----------
    definitions : mapping
        What stands for a named quantity, where it is not its own definition: the right side that was proved.
    """

    def __init__(self, definitions: Definitions) -> None:
        self.definitions = definitions
        self._memory: dict[Term, Term] = {}

    def resolve(self, term: Term) -> Term:
        """Return what a named quantity stands for, one level deep; any other term as it is."""
        return self.definitions.get(term, term.args[0]) if term.op == "let" else term

    def __call__(self, term: Term) -> Term:
        """Return the stable form of a term; the definitions of its named quantities are rewritten apart."""
        if term.op in {"let", "var", "idx", "size", "num", "fun"}:
            return term
        if term not in self._memory:
            self._memory[term] = self._rewritten(raised(self._rebuilt(term)))
        return self._memory[term]

    def _rebuilt(self, term: Term) -> Term:
        """Return the term with its parts made stable: a sum and a product are taken whole, and not two by two."""
        chain = next((ops for ops in _CHAINS if term.op in ops), ())
        args = tuple(self._rebuilt(arg) if arg.op in chain else self(arg) for arg in term.args)
        return term if args == term.args else Term(term.op, args, term.data)

    def _rewritten(self, node: Term) -> Term:
        if _is_tail(node):
            return node
        chosen = _chosen(node)
        if chosen is not None:
            return chosen
        for identity in IDENTITIES:
            result = self._applied(identity, node)
            if result is not None:
                return self(result)
        return node

    def _applied(self, identity: Identity, node: Term) -> Term | None:
        """Return the node with the identity used on it, or on some of its terms or factors; None if it has no use."""
        before = identity.before
        if identity.axes not in {None, len(node.shape)}:
            return None
        if before.op in {"add", "sub"} and node.op in _SUM:
            return self._some_terms(identity, node)
        if before.op == "mul" and node.op == "mul":
            return self._some_factors(identity, node)
        if before.op != node.op:
            return None
        for found in self._match(before, node, {}):
            return _filled(identity.after, found)
        return None

    def _some_terms(self, identity: Identity, node: Term) -> Term | None:
        wanted, given = _terms(identity.before), _terms(node)
        for chosen in permutations(range(len(given)), len(wanted)):
            for sign in (1, -1):
                if any(given[n][0] != sign * s for n, (s, _) in zip(chosen, wanted, strict=True)):
                    continue
                pairs = [(pattern, given[n][1]) for n, (_, pattern) in zip(chosen, wanted, strict=True)]
                for found in self._match_all(pairs, {}):
                    rest = [part for n, part in enumerate(given) if n not in chosen]
                    rest.insert(min(chosen), (sign, _filled(identity.after, found)))
                    return _total(rest)
        return None

    def _some_factors(self, identity: Identity, node: Term) -> Term | None:
        wanted, given = flattened(identity.before, "mul"), flattened(node, "mul")
        for chosen in permutations(range(len(given)), len(wanted)):
            pairs = list(zip(wanted, (given[n] for n in chosen), strict=True))
            for found in self._match_all(pairs, {}):
                rest = [part for n, part in enumerate(given) if n not in chosen]
                rest.insert(min(chosen), _filled(identity.after, found))
                return product(rest)
        return None

    def _match(self, pattern: Term, term: Term, bound: Bindings) -> Iterator[Bindings]:
        """Yield the ways in which a pattern's wildcards make it the term."""
        if pattern in WILDCARDS:
            if bound.get(pattern, term) is term and len(term.shape) >= len(pattern.shape):
                yield {**bound, pattern: term}
            return
        if term.op == "let":
            yield from self._match(pattern, self(raised(self.resolve(term))), bound)
            return
        if pattern.op in _SUM and term.op in _SUM:
            yield from self._match_any_order(_terms(pattern), _terms(term), bound)
        elif pattern.op == "mul" and term.op == "mul":
            wanted, given = ([(1, part) for part in flattened(side, "mul")] for side in (pattern, term))
            yield from self._match_any_order(wanted, given, bound)
        elif pattern.op == "sumax":
            if term.op == "sumax" and term.data == len(term.shape):
                yield from self._match(pattern.args[0], term.args[0], bound)
        elif (pattern.op, pattern.data, len(pattern.args)) == (term.op, term.data, len(term.args)):
            yield from self._match_all(list(zip(pattern.args, term.args, strict=True)), bound)

    def _match_all(self, pairs: Sequence[tuple[Term, Term]], bound: Bindings) -> Iterator[Bindings]:
        if not pairs:
            if _shapes_agree(bound):
                yield bound
            return
        for found in self._match(*pairs[0], bound):
            yield from self._match_all(pairs[1:], found)

    def _match_any_order(
        self, wanted: Sequence[tuple[int, Term]], given: Sequence[tuple[int, Term]], bound: Bindings
    ) -> Iterator[Bindings]:
        if len(wanted) != len(given):
            return
        for order in permutations(given):
            if all(w[0] == g[0] for w, g in zip(wanted, order, strict=True)):
                yield from self._match_all([(w[1], g[1]) for w, g in zip(wanted, order, strict=True)], bound)


def _is_tail(node: Term) -> bool:
    """Tell whether a term is log1p(exp(−|u|)), which is stable as it stands."""
    inner = node.args[0] if node.op == "app" and node.data == "log1p" else node
    power = inner.args[0] if inner is not node and inner.op == "app" and inner.data == "exp" else None
    return power is not None and power.op == "neg" and power.args[0].op == "app" and power.args[0].data == "abs"


def _chosen(node: Term) -> Term | None:
    """[u > 0]·a + (1 − [u > 0])·b is a where u > 0 and b elsewhere, however large the other one is."""
    for one, other in (node.args, node.args[::-1]) if node.op == "add" else ():
        taken, left = flattened(one, "mul"), flattened(other, "mul")
        for step in taken:
            if step.op == "app" and step.data == "step" and (rest := 1 - step) in left:
                a, b = ([part for part in parts if part not in {step, rest}] for parts in (taken, left))
                return where(step.args[0], *(product(parts) if parts else lift(1) for parts in (a, b)))
    return None


def _shapes_agree(bound: Bindings) -> bool:
    """Rows that belong together have one shape: (K,) beside (N, K) would be read as labels."""
    return len({term.shape for wildcard, term in bound.items() if wildcard.shape}) <= 1


def _terms(term: Term, sign: int = 1) -> list[tuple[int, Term]]:
    """Return the terms of a sum with their signs, in order."""
    if term.op in {"add", "sub"}:
        left, right = term.args
        return _terms(left, sign) + _terms(right, sign if term.op == "add" else -sign)
    if term.op == "neg":
        return _terms(term.args[0], -sign)
    return [(sign, term)]


def _total(parts: Sequence[tuple[int, Term]]) -> Term:
    """Return a sum of signed terms; one that has a plus sign goes first where there is one."""
    ordered = sorted(parts, key=lambda part: part[0] < 0) if parts[0][0] < 0 else list(parts)
    sign, total = ordered[0]
    total = total if sign > 0 else _negated(total)
    for sign, part in ordered[1:]:
        plus = (sign > 0) != (part.op == "neg")
        bare = part.args[0] if part.op == "neg" else part
        total = total + bare if plus else total - bare
    return total


def _negated(term: Term) -> Term:
    return term.args[0] if term.op == "neg" else -term


@cache
def _pattern_variables(term: Term) -> frozenset[Term]:
    own = frozenset([term]) & WILDCARDS
    return own.union(*(_pattern_variables(arg) for arg in term.args))


def _filled(pattern: Term, found: Bindings) -> Term:
    """Return a right side with its wildcards replaced, by any shapes that broadcast; sums are over the last axis."""
    if pattern in found:
        return found[pattern]
    if not _pattern_variables(pattern):
        return pattern
    args = tuple(_filled(arg, found) for arg in pattern.args)
    if pattern.op == "sumax":
        return args[0].sum(len(args[0].shape) - 1)
    return _negated(args[0]) if pattern.op == "neg" else Term(pattern.op, args, pattern.data)
