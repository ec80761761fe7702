"""The vocabulary: one entry a symbol, and everything about the symbol in its entry.

A new activation is one new entry: its definition and derivative become axioms, its facts discharge obligations,
its TeX is what pages print, and the tests that walk this table test it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from derive.language.term import ONE, ZERO, Σ, Numeric, Prose, Term, eq, le, lift, lt, ne

Row = Callable[[Term], Term]


@dataclass(frozen=True)
class Symbol:
    """What there is to know of a symbol.

    Attributes
    ----------
    name, words : str
        The name in terms, and how one says it.
    tex : str
        TeX. With {0}, {1} a template whose arguments need no brackets; without, a function's name.
    kind : str
        "app" (elementwise), "rows" (maps the last axis to itself) or "reduce" (takes the last axis away).
    range : str
        "real", "positive", "nonnegative", "unit" (strictly between 0 and 1) or "signed unit".
    definition : callable or None
        Arguments -> a term that the symbol stands for. For "rows": (row, index, bound index) -> component, for
        "reduce": (row, bound index) -> value, where `row` gives a component of the argument.
    derivatives : tuple of callables
        The partial derivative by each argument.
    domain : callable
        Arguments -> formulas that must hold for the symbol to be defined.
    kinks : callable
        Arguments -> formulas under which it is differentiable, beyond its domain.
    branches : callable
        Arguments -> pairs (condition, value), a definition by cases.
    monotone : tuple of int
        For each argument 1 (increasing), -1 (decreasing) or 0.
    zero : callable or None
        For a symbol that is never negative: arguments -> the formula that says where it is 0.
    sympy : str
        SymPy's name, or "" where SymPy has none.
    """

    name: str
    words: str
    tex: str
    kind: str = "app"
    range: str = "real"
    arity: int = 1
    definition: Callable[..., Term] | None = None
    derivatives: tuple[Callable[..., Term], ...] = ()
    domain: Callable[..., tuple[Term, ...]] = lambda *_: ()
    kinks: Callable[..., tuple[Term, ...]] = lambda *_: ()
    branches: Callable[..., tuple[tuple[Term, Term], ...]] = lambda *_: ()
    monotone: tuple[int, ...] = (0,)
    zero: Callable[..., Term] | None = None
    sympy: str = ""


def _applied(kind: str, name: str) -> Callable[..., Term]:
    def apply(*arguments: Numeric) -> Term:
        return Term(kind, tuple(map(lift, arguments)), name)

    apply.__doc__ = f"Return {name} of the arguments."
    return apply


exp, log, σ, tanh, relu, abs_, sqrt, softplus, log1p, kl, expgap = (
    _applied("app", name)
    for name in ("exp", "log", "σ", "tanh", "relu", "abs", "sqrt", "softplus", "log1p", "kl", "expgap")
)
π = Term("app", (), "π")
softmax, log_softmax = (_applied("rows", name) for name in ("softmax", "log_softmax"))
logsumexp, squared_norm = (_applied("reduce", name) for name in ("logsumexp", "squared_norm"))



def _positive(u: Term) -> tuple[Term, ...]:
    return (lt(0, u),)


def _off_zero(u: Term) -> tuple[Term, ...]:
    return (ne(u, 0),)


SYMBOLS: Final[Mapping[str, Symbol]] = MappingProxyType({symbol.name: symbol for symbol in (
    Symbol("π", "the circle’s constant", r"\pi", arity=0, range="positive", monotone=(), sympy="pi"),
    Symbol("exp", "the exponential", "e^{{{0}}}", range="positive", derivatives=(exp,), monotone=(1,), sympy="exp"),
    Symbol("log", "the natural logarithm", r"\log", domain=_positive, derivatives=(lambda u: 1 / u,), monotone=(1,), sympy="log"),
    Symbol("sqrt", "the square root", r"\sqrt{{{0}}}", range="nonnegative", domain=lambda u: (le(0, u),), kinks=_positive,
           derivatives=(lambda u: 1 / (2 * sqrt(u)),), monotone=(1,), zero=lambda u: eq(u, 0), sympy="sqrt"),
    Symbol("log1p", "the logarithm of one plus", r"\operatorname{log1p}", domain=lambda u: (lt(0, 1 + u),),
           definition=lambda u: log(1 + u), derivatives=(lambda u: 1 / (1 + u),), monotone=(1,)),
    Symbol("σ", "the logistic sigmoid", r"\sigma", range="unit", definition=lambda u: 1 / (1 + exp(-u)),
           derivatives=(lambda u: σ(u) * (1 - σ(u)),), monotone=(1,)),
    Symbol("tanh", "the hyperbolic tangent", r"\tanh", range="signed unit",
           definition=lambda u: (exp(u) - exp(-u)) / (exp(u) + exp(-u)), derivatives=(lambda u: 1 - tanh(u) ** 2,), monotone=(1,), sympy="tanh"),
    Symbol("softplus", "softplus", r"\operatorname{softplus}", range="positive", definition=lambda u: log(1 + exp(u)),
           derivatives=(σ,), monotone=(1,)),
    Symbol("relu", "the positive part", r"\operatorname{relu}", range="nonnegative", kinks=_off_zero,
           branches=lambda u: ((le(0, u), u), (le(u, 0), ZERO)), monotone=(1,)),
    Symbol("abs", "the absolute value", r"\lvert {0} \rvert", range="nonnegative", kinks=_off_zero,
           branches=lambda u: ((le(0, u), u), (le(u, 0), -u)), zero=lambda u: eq(u, 0), sympy="Abs"),
    Symbol("kl", "the relative-entropy gap", r"\operatorname{kl}", arity=2, range="nonnegative",
           domain=lambda a, b: (lt(0, a), lt(0, b)), definition=lambda a, b: a * log(a / b) - a + b,
           derivatives=(lambda a, b: log(a / b), lambda a, b: 1 - a / b), zero=eq, monotone=(0, 0)),
    Symbol("expgap", "the gap of the exponential above its tangent", r"\operatorname{gap}", range="nonnegative",
           definition=lambda t: exp(t) - 1 - t, derivatives=(lambda t: exp(t) - 1,), zero=lambda t: eq(t, 0)),
    Symbol("softmax", "softmax", r"\operatorname{softmax}", kind="rows", range="positive",
           definition=lambda row, k, m: exp(row(k)) / Σ(exp(row(m)), m)),
    Symbol("log_softmax", "the logarithm of softmax", r"\operatorname{log\,softmax}", kind="rows",
           definition=lambda row, k, m: row(k) - log(Σ(exp(row(m)), m))),
    Symbol("logsumexp", "log-sum-exp", r"\operatorname{LSE}", kind="reduce",
           definition=lambda row, m: log(Σ(exp(row(m)), m)), monotone=(1,)),
    Symbol("squared_norm", "the squared norm", r"\lVert {0} \rVert^2", kind="reduce", range="nonnegative",
           definition=lambda row, m: Σ(row(m) ** 2, m)),
)})  # fmt: skip


@dataclass(frozen=True)
class Domain:
    """What a variable's domain says: the sign of its components, how a page words it.

    Attributes
    ----------
    range : str
        As in `Symbol.range`; "sign" for ±1.
    about : callable
        The variable -> what a page prints beside it, with formulas as terms.
    sums_to_one : bool
        Whether samples sum to one over the last axis.
    normalised : bool
        Whether that is a fact, by declaration; otherwise it is given where it is needed.
    """

    range: str
    about: Callable[[Term], Prose]
    sums_to_one: bool = False
    normalised: bool = False


DOMAINS: Final[Mapping[str, Domain]] = MappingProxyType({
    "real": Domain("real", lambda v: ("real",)),
    "positive": Domain("positive", lambda v: ("positive",)),
    "nonnegative": Domain("nonnegative", lambda v: ("not negative",)),
    "unit": Domain("unit", lambda v: ("between 0 and 1",)),
    "closed unit": Domain("nonnegative", lambda v: ("from 0 to 1",)),
    "sign": Domain("sign", lambda v: ("1 or −1",)),
    "simplex": Domain("nonnegative", lambda v: ("a distribution",), sums_to_one=True),
    "density": Domain("nonnegative", lambda v: ("a density, of total mass 1",), sums_to_one=True, normalised=True),
    "positive density": Domain("positive", lambda v: ("a positive density, of total mass 1",), sums_to_one=True, normalised=True),
    "joint density": Domain("nonnegative", lambda v: ("a density, not normalised",)),
})  # fmt: skip


@dataclass(frozen=True)
class Law:
    """The law of a random variable with independent components: its moments, and how many of them exist."""

    moments: tuple[Term, ...]
    about: str


LAWS: Final[Mapping[str, Law]] = MappingProxyType({
    "standard": Law((ONE, ZERO, ONE), "independent components of mean 0 and variance 1"),
})  # fmt: skip

