"""Random scalar terms for the printers, and what they come to at a point."""

from fractions import Fraction
from typing import Any

from hypothesis import strategies as st

from derive.language.notation import SYMBOLS, exp, log, σ
from derive.language.term import Π, Σ, Term, index, lift, name_of, size, var

K = size("K")
k, j = index("k", K), index("j", K)
x, y, p, q = var("x"), var("y"), var("p", K), var("q", K)
VALUES = {"x": Fraction(7, 5), "y": Fraction(-3, 11)}
VECTORS = {"p": (Fraction(2, 7), Fraction(5, 3)), "q": (Fraction(-9, 4), Fraction(1, 13))}
Point = dict[str, int]


def apply(name: str, value: Fraction) -> Fraction:
    """Any three functions will do, as long as both sides use the same."""
    return {"exp": value**2 + 3, "log": 2 * value**3 - 1, "σ": 5 * value**2 - value}[name]


def leaves() -> st.SearchStrategy[Term]:
    numbers = st.sampled_from([0, 1, 2, 13, -1, -4, Fraction(1, 2), Fraction(-2, 3)]).map(lift)
    return st.one_of(st.sampled_from([x, y, p[k], q[k], p[j]]), numbers)


def compound(inner: st.SearchStrategy[Term]) -> st.SearchStrategy[Term]:
    pair = st.tuples(inner, inner)
    return st.one_of(
        pair.map(lambda t: t[0] + t[1]),
        pair.map(lambda t: t[0] - t[1]),
        pair.map(lambda t: t[0] * t[1]),
        pair.map(lambda t: t[0] * t[1]),
        pair.map(lambda t: t[0] / t[1]),
        inner.map(lambda t: -t),
        st.tuples(inner, st.sampled_from([2, 3, -1])).map(lambda t: t[0] ** t[1]),
        st.tuples(st.sampled_from([exp, log, σ]), inner).map(lambda t: t[0](t[1])),
        st.tuples(st.sampled_from([Σ, Π]), inner).map(lambda t: t[0](t[1], k)),
    )


def scalars() -> st.SearchStrategy[Term]:
    return st.recursive(leaves(), compound, max_leaves=9)


def value(term: Term, at: Point) -> Fraction:
    """Evaluate a term; raises ZeroDivisionError where it has no value."""
    args = term.args
    simple: dict[str, Any] = {
        "num": lambda: Fraction(str(term.data)),
        "var": lambda: VALUES[name_of(term)],
        "at": lambda: VECTORS[name_of(args[0])][at[name_of(args[1])]],
        "add": lambda: value(args[0], at) + value(args[1], at),
        "sub": lambda: value(args[0], at) - value(args[1], at),
        "mul": lambda: value(args[0], at) * value(args[1], at),
        "div": lambda: value(args[0], at) / value(args[1], at),
        "neg": lambda: -value(args[0], at),
        "pow": lambda: value(args[0], at) ** int(value(args[1], at)),
        "app": lambda: apply(SYMBOLS[str(term.data)].name, value(args[0], at)),
        "sum": lambda: sum(value(args[1], at | {name_of(args[0]): i}) for i in range(2)),
        "prod": lambda: value(args[1], at | {name_of(args[0]): 0}) * value(args[1], at | {name_of(args[0]): 1}),
    }
    return Fraction(simple[term.op]())
