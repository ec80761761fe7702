"""The vocabulary: one entry a symbol, and everything about the symbol in its entry.

A new activation is one new entry: its definition and derivative become axioms, its facts discharge obligations,
its TeX is what pages print, and the tests that walk this table test it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from derive.language.term import (
    ONE,
    ZERO,
    Π,
    Σ,
    Numeric,
    Prose,
    Term,
    array,
    eq,
    free,
    implies,
    law_of,
    le,
    lift,
    lt,
    ne,
    parameters_of,
    δ,
)  # fmt: skip

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
    smooth : tuple of int
        The arguments in which it is differentiable wherever it is defined, the others being held.
    branches : callable
        Arguments -> pairs (condition, value), a definition by cases.
    monotone : tuple of int
        For each argument 1 (increasing), -1 (decreasing) or 0.
    written : callable or None
        Arguments -> the term as which a page prints it, where that is no function's name with its arguments.
    zero : callable or None
        For a symbol that is never negative: arguments -> the formula that says where it is 0.
    sympy : str
        SymPy's name, or "" where SymPy has none.
    continuous : bool
        Whether it is continuous wherever it is defined.
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
    smooth: tuple[int, ...] = ()
    branches: Callable[..., tuple[tuple[Term, Term], ...]] = lambda *_: ()
    monotone: tuple[int, ...] = (0,)
    zero: Callable[..., Term] | None = None
    written: Callable[..., Term] | None = None
    sympy: str = ""
    continuous: bool = True


def _applied(kind: str, name: str) -> Callable[..., Term]:
    def apply(*arguments: Numeric) -> Term:
        return Term(kind, tuple(map(lift, arguments)), name)

    apply.__doc__ = f"Return {name} of the arguments."
    return apply


exp, log, σ, tanh, relu, abs_, sqrt, softplus, log1p, kl, expgap = (
    _applied("app", name)
    for name in ("exp", "log", "σ", "tanh", "relu", "abs", "sqrt", "softplus", "log1p", "kl", "expgap")
)
sin, cos, erf, sign, gelu, silu = (_applied("app", name) for name in ("sin", "cos", "erf", "sign", "gelu", "silu"))
step = _applied("app", "step")
floor = _applied("app", "floor")
gammaln, digamma, trigamma = (_applied("app", name) for name in ("gammaln", "digamma", "trigamma"))
xlogy, xlog_ratio = (_applied("app", name) for name in ("xlogy", "xlog_ratio"))
π = Term("app", (), "π")
softmax, log_softmax, hardmax, prod_others = (
    _applied("rows", name) for name in ("softmax", "log_softmax", "hardmax", "prod_others")
)
logsumexp, squared_norm, norm, max_, prod = (
    _applied("reduce", name) for name in ("logsumexp", "squared_norm", "norm", "max", "prod")
)


def _positive(u: Term) -> tuple[Term, ...]:
    return (lt(0, u),)


def _off_zero(u: Term) -> tuple[Term, ...]:
    return (ne(u, 0),)


def _supported(a: Term, b: Term) -> tuple[Term, ...]:
    """a ≥ 0, and b > 0 where a > 0: a log b is 0 where a is."""
    return le(0, a), implies(lt(0, a), lt(0, b))


def _inside(a: Term, b: Term) -> tuple[Term, ...]:
    return lt(0, a), lt(0, b)


def maximum(body: Term, k: Term) -> Term:
    """Return the maximum of a body over an index, of the array itself where the body is its component."""
    whole = body.op == "at" and body.args[1:] == (k,) and k not in free(body.args[0])
    return max_(body.args[0] if whole else array(body, k))


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
           derivatives=(lambda u: (1 + sign(u)) / 2,), branches=lambda u: ((le(0, u), u), (le(u, 0), ZERO)), monotone=(1,)),
    Symbol("abs", "the absolute value", r"\lvert {0} \rvert", range="nonnegative", kinks=_off_zero, derivatives=(sign,),
           branches=lambda u: ((le(0, u), u), (le(u, 0), -u)), zero=lambda u: eq(u, 0), sympy="Abs"),
    Symbol("sign", "the sign", r"\operatorname{sign}", kinks=_off_zero, derivatives=(lambda _: ZERO,),
           branches=lambda u: ((lt(0, u), ONE), (lt(u, 0), -ONE)), monotone=(1,), sympy="sign", continuous=False),
    Symbol("step", "the indicator of what is positive", r"\mathbf{{1}}_{{{0} > 0}}", range="nonnegative", kinks=_off_zero, derivatives=(lambda _: ZERO,),
           branches=lambda u: ((lt(0, u), ONE), (le(u, 0), ZERO)), monotone=(1,), continuous=False),
    Symbol("floor", "the largest integer below", r"\left\lfloor {0} \right\rfloor", kinks=lambda u: (ne(floor(u), u),), derivatives=(lambda _: ZERO,),
           sympy="floor", continuous=False),
    Symbol("sin", "the sine", r"\sin", derivatives=(cos,), sympy="sin"),
    Symbol("cos", "the cosine", r"\cos", derivatives=(lambda u: -sin(u),), sympy="cos"),
    Symbol("erf", "the error function", r"\operatorname{erf}", range="signed unit",
           derivatives=(lambda u: 2 * exp(-(u**2)) / sqrt(π),), monotone=(1,), sympy="erf"),
    Symbol("gammaln", "the logarithm of the gamma function", r"\log\Gamma", domain=_positive, derivatives=(digamma,), sympy="loggamma"),
    Symbol("digamma", "the digamma function", r"\psi", domain=_positive, derivatives=(trigamma,), monotone=(1,), sympy="digamma"),
    Symbol("trigamma", "the trigamma function", r"\psi_1", range="positive", domain=_positive, monotone=(-1,), sympy="trigamma"),
    Symbol("silu", "the sigmoid-weighted linear unit", r"\operatorname{SiLU}", definition=lambda u: u * σ(u),
           derivatives=(lambda u: σ(u) * (1 + u * (1 - σ(u))),)),
    Symbol("gelu", "the Gaussian error linear unit", r"\operatorname{GELU}", definition=lambda u: u * ((1 + erf(u / sqrt(2))) / 2),
           derivatives=(lambda u: (1 + erf(u / sqrt(2))) / 2 + u * (exp(-(u**2 / 2)) / sqrt(2 * π)),)),
    Symbol("kl", "the relative-entropy gap", r"\operatorname{kl}", arity=2, range="nonnegative",
           domain=lambda a, b: (*_supported(a, b), le(0, b)), kinks=_inside, definition=lambda a, b: a * log(a / b) - a + b,
           derivatives=(lambda a, b: log(a / b), lambda a, b: 1 - a / b), zero=eq, monotone=(0, 0), continuous=False),
    Symbol("xlogy", "the weighted logarithm", r"\operatorname{xlogy}", arity=2, domain=_supported, kinks=_inside, smooth=(1,),
           definition=lambda a, b: a * log(b), written=lambda a, b: a * log(b), derivatives=(lambda a, b: log(b), lambda a, b: a / b),
           branches=lambda a, b: ((le(a, 0), ZERO), (lt(0, a), a * log(b))), monotone=(0, 1), continuous=False),
    Symbol("xlog_ratio", "the weighted log ratio", r"\operatorname{xlogratio}", arity=2, domain=_supported, kinks=_inside, smooth=(1,),
           definition=lambda a, b: a * log(a / b), written=lambda a, b: a * log(a / b), derivatives=(lambda a, b: log(a / b) + 1, lambda a, b: -a / b),
           branches=lambda a, b: ((le(a, 0), ZERO), (lt(0, a), a * log(a / b))), monotone=(0, 0), continuous=False),
    Symbol("expgap", "the gap of the exponential above its tangent", r"\operatorname{gap}", range="nonnegative",
           definition=lambda t: exp(t) - 1 - t, derivatives=(lambda t: exp(t) - 1,), zero=lambda t: eq(t, 0)),
    Symbol("softmax", "softmax", r"\operatorname{softmax}", kind="rows", range="positive",
           definition=lambda row, k, m: exp(row(k)) / Σ(exp(row(m)), m)),
    Symbol("log_softmax", "the logarithm of softmax", r"\operatorname{log\,softmax}", kind="rows",
           definition=lambda row, k, m: row(k) - log(Σ(exp(row(m)), m))),
    Symbol("logsumexp", "log-sum-exp", r"\operatorname{LSE}", kind="reduce",
           definition=lambda row, m: log(Σ(exp(row(m)), m)), monotone=(1,)),
    Symbol("norm", "the norm", r"\lVert {0} \rVert", kind="reduce", range="nonnegative",
           definition=lambda row, m: sqrt(Σ(row(m) ** 2, m))),
    Symbol("squared_norm", "the squared norm", r"\lVert {0} \rVert^2", kind="reduce", range="nonnegative",
           definition=lambda row, m: Σ(row(m) ** 2, m)),
    Symbol("max", "the maximum", r"\operatorname{max}", kind="reduce", monotone=(1,)),
    Symbol("hardmax", "the indicator of the maximum", r"\operatorname{hardmax}", kind="rows", range="nonnegative", continuous=False,
           definition=lambda row, k, m: 1 - step(maximum(row(m), m) - row(k))),
    Symbol("prod", "the product", r"\operatorname{prod}", kind="reduce", definition=lambda row, m: Π(row(m), m)),
    Symbol("prod_others", "the product of the others", r"\operatorname{prod\,others}", kind="rows",
           definition=lambda row, k, m: Π(δ(m, k) + (1 - δ(m, k)) * row(m), m)),
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


def _over_space(variable: Term) -> bool:
    return bool(variable.shape) and variable.shape[-1].op == "space"


DOMAINS: Final[Mapping[str, Domain]] = MappingProxyType({
    "real": Domain("real", lambda v: ("real",)),
    "positive": Domain("positive", lambda v: ("positive",)),
    "nonnegative": Domain("nonnegative", lambda v: ("not negative",)),
    "unit": Domain("unit", lambda v: ("between 0 and 1",)),
    "closed unit": Domain("nonnegative", lambda v: ("from 0 to 1",)),
    "sign": Domain("sign", lambda v: ("1 or −1",)),
    "integer": Domain("real", lambda v: ("an integer",)),
    "orthonormal": Domain("real", lambda v: ("with orthonormal columns" if len(v.shape) > 1 else "of length 1",)),  # for samples: as a fact it must be given
    "orthogonal": Domain("real", lambda v: ("with orthogonal columns",)),  # so must this
    "definite": Domain("real", lambda v: ("real",)),  # symmetric and positive definite, which must be given as well
    "simplex": Domain("nonnegative", lambda v: ("a distribution",), sums_to_one=True),
    "density": Domain("nonnegative", lambda v: ("a density, of total mass 1" if _over_space(v) else "a distribution",), sums_to_one=True, normalised=True),
    "positive density": Domain("positive", lambda v: ("a positive density, of total mass 1" if _over_space(v) else "a distribution without zeros",), sums_to_one=True, normalised=True),
    "joint density": Domain("nonnegative", lambda v: ("a density, not normalised",)),
})  # fmt: skip


Moments = tuple["Term | None", ...]


@dataclass(frozen=True)
class Law:
    """What is known of the law of a random variable, and no more: any law with these properties is meant.

    Attributes
    ----------
    order : int
        How many moments of a component exist. So many factors of one block have a mean (Hölder’s inequality).
    moments : callable
        The law's parameters -> the moments of a component, from the one of order 0; None for what is not known.
    about : callable
        The parameters -> what a page prints of one component.
    parameters : int
        How many there are: numbers, or arrays with one for each component.
    domain, kinks : callable
        The parameters -> what they must satisfy; what they must satisfy for means to be differentiable by them.
    independent : bool
        Whether the components are independent; otherwise they depend on each other in any way.
    symmetric : bool
        Whether a component and its negative are of one law.
    """

    order: int
    moments: Callable[..., Moments]
    about: Callable[..., Prose]
    parameters: int = 0
    domain: Callable[..., tuple[Term, ...]] = lambda *_: ()
    kinks: Callable[..., tuple[Term, ...]] = lambda *_: ()
    independent: bool = False
    symmetric: bool = False


def _mean_and_variance(μ: Term, v: Term) -> Moments:
    return ONE, μ, v if μ is ZERO else v + μ**2


def _said(μ: Term, v: Term) -> Prose:
    return ("mean ", μ, " and variance ", v)


LAWS: Final[Mapping[str, Law]] = MappingProxyType({
    "standard": Law(2, lambda: (ONE, ZERO, ONE), lambda: ("mean 0 and variance 1",), independent=True),
    "spread": Law(2, _mean_and_variance, _said, 2, lambda μ, v: (le(0, v),), lambda μ, v: (lt(0, v),), independent=True),
    "stationary": Law(2, _mean_and_variance, _said, 2, lambda μ, v: (le(0, v),), lambda μ, v: (lt(0, v),)),
    "symmetric": Law(2, lambda v: (ONE, ZERO, v), lambda v: ("mean 0, variance ", v, " and symmetric law"), 1,
                     lambda v: (le(0, v),), lambda v: (lt(0, v),), independent=True, symmetric=True),
    "square integrable": Law(2, lambda: (ONE, None, None), lambda: ("finite second moment",)),
    "integrable": Law(1, lambda: (ONE, None), lambda: ("finite mean",)),
})  # fmt: skip
_UNKNOWN: Final = Law(-1, lambda *_: (), lambda *_: ("an unknown law",))


def law(variable: Term) -> Law:
    """Return the law of a random variable; one of which nothing is known where its parameters do not fit."""
    known = LAWS.get(law_of(variable), _UNKNOWN)
    return known if known.parameters == len(parameters_of(variable)) else _UNKNOWN


def parameters_at(variable: Term, position: tuple[Term, ...]) -> tuple[Term, ...]:
    """Return the parameters of the law of one component of a random variable."""
    return tuple(Term("at", (p, *position)) if p.shape else p for p in parameters_of(variable))
