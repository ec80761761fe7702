"""From indices to arrays: Σ_c W[k,c]·h[c] becomes (W @ h)[k], wherever NumPy has a word for it.

Every step is the definition of array notation by components, read from right to left. What has no such reading is
left with its indices, and the compiler broadcasts it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache, reduce

from derive.language.term import Σ, Term, at, free, outer, place, substitute  # noqa: PLC2403 - the sum's own sign

Factor = tuple[Term, tuple[Term, ...]]
ELEMENTWISE = frozenset(("add", "sub", "mul", "div", "pow", "neg", "app", "call"))


@cache
def raised(term: Term) -> Term:
    """Return a term with index notation read as array notation where it can be; named quantities stay as they are."""
    if term.op in {"let", "var", "idx", "size", "num", "fun"}:
        return term
    args = tuple(raised(arg) for arg in term.args)
    node = term if args == term.args else Term(term.op, args, term.data)
    rule = _RULES.get(node.op)
    return rule(node) if rule else node


def flattened(term: Term, op: str) -> list[Term]:
    """Return the factors of a nest of products (or terms of another associative operator), in order."""
    return [part for arg in term.args for part in flattened(arg, op)] if term.op == op else [term]


def product(factors: Sequence[Term]) -> Term:
    """Return the product of terms, from left to right."""
    return reduce(lambda left, right: left * right, factors)


def _elementwise(node: Term) -> Term:
    """f(A[i,j], b[j]) = f(A, b)[i,j]: broadcasting aligns the last axes."""
    indexed = [arg for arg in node.args if free(arg)]
    if not indexed or any(arg.op != "at" or free(arg.args[0]) for arg in indexed):
        return node
    longest = max((arg.args[1:] for arg in indexed), key=len)
    if not _different(longest) or any(longest[-len(arg.args[1:]) :] != arg.args[1:] for arg in indexed):
        return node
    args = (arg.args[0] if arg in indexed else arg for arg in node.args)
    return at(Term(node.op, tuple(args), node.data), longest)


def _different(places: Sequence[Term]) -> bool:
    return len(set(places)) == len(places) and all(index.op == "idx" for index in places)


def _sum(node: Term) -> Term:
    """A sum of a product over an index is a matrix product, or the sum of an array over an axis."""
    index, body = node.args
    if body.op == "neg":
        return raised(-Σ(body.args[0], index))
    if body.op == "at" and body.args[0].op in {"neg", "div"}:
        inner = _lowered(body)
        if inner.op == "neg" or index not in free(inner.args[1]):
            return raised(Σ(inner, index))
    if body.op == "div" and index not in free(body.args[1]):
        return raised(Σ(body.args[0], index) / body.args[1])
    factors = _factors(body)
    outside = [factor for factor in factors if index not in free(factor)]
    inside = [place(factor) for factor in factors if index in free(factor)]
    total = _contracted(inside, index) if all(places for _, places in inside) else None
    if total is None:
        return node
    return raised(product([*outside, total])) if outside else total


def _lowered(component: Term) -> Term:
    """f(A, b)[i,j] = f(A[i,j], b[j])."""
    node, places = component.args[0], component.args[1:]
    args = (at(arg, places[len(places) - len(arg.shape) :]) for arg in node.args)
    return Term(node.op, tuple(args), node.data)


def _factors(body: Term) -> list[Term]:
    if body.op == "at" and body.args[0].op == "mul":
        return _factors(_lowered(body))
    if body.op == "mul":
        return [factor for arg in body.args for factor in _factors(arg)]
    return [body]


def _contracted(inside: Sequence[Factor], index: Term) -> Term | None:
    """Return Σ_index of a product of components as one component; None where there is no array operator for it."""
    grouped: dict[tuple[Term, ...], Term] = {}
    for factor, places in inside:
        grouped[places] = grouped[places] * factor if places in grouped else factor
    parts = [(factor, places) for places, factor in grouped.items()]
    if not parts or any(not _different(places) or free(factor) for factor, places in parts):
        return None
    if len(parts) == 1:
        ((whole, places),) = parts
        axis = places.index(index)
        return at(whole.sum(axis), places[:axis] + places[axis + 1 :])
    if len(parts) > 2 or any(len(places) > 2 for _, places in parts):
        return None
    (left, rows), (right, columns) = parts
    if set(rows) & set(columns) != {index}:
        return None
    left = left if rows[-1] is index else left.T
    right = right if columns[0] is index else right.T
    rest = tuple(place for place in rows + columns if place is not index)
    return at(left @ right, rest)


def _array(node: Term) -> Term:
    """[A[i,j]]_{i,j} = A, [A[j,i]]_{i,j} = Aᵀ, [a[i]·b[j]]_{i,j} = a ⊗ b."""
    *over, body = node.args
    if any(index in free(place(body)[0]) for index in over):
        return _outer(node, over, body)
    whole, places = place(body)
    if list(places) == over:
        return whole
    return raised(whole.T) if list(places) == over[::-1] else node


def _outer(node: Term, over: Sequence[Term], body: Term) -> Term:
    factors = [place(factor) for factor in flattened(body, "mul")]
    if [list(places) for _, places in factors] == [[index] for index in over] and len(over) == 2:
        return outer(factors[0][0], factors[1][0])
    return node


def _at(node: Term) -> Term:
    """[f(i)]_i at k is f(k), and Aᵀ[i,j] is A[j,i]."""
    whole, *places = node.args
    if whole.op == "array":
        return raised(substitute(whole.args[-1], dict(zip(whole.args[:-1], places, strict=True))))
    if whole.op == "T":
        return raised(at(whole.args[0], places[::-1]))
    return node


def _transposed(node: Term) -> Term:
    """(Aᵀ)ᵀ = A, (A B)ᵀ = Bᵀ Aᵀ, and aᵀ = a for a vector."""
    inner = node.args[0]
    if inner.op == "matmul" and len(inner.shape) == 2:
        return raised(inner.args[1].T @ inner.args[0].T)
    return inner.args[0] if inner.op == "T" else inner if len(inner.shape) < 2 else node


def _pulled(node: Term) -> Term:
    """A sum over an axis of -A is minus the sum."""
    inner, axis = node.args[0], node.data
    if inner.op == "neg" and isinstance(axis, int):
        return -inner.args[0].sum(axis)
    return node


def _sign(node: Term) -> Term:
    """-(-a) = a."""
    return node.args[0].args[0] if node.args[0].op == "neg" else _elementwise(node)


def _signed(node: Term) -> Term:
    """(-a)·b = -(a·b), and so for a quotient: a sign goes to the front, where sums can see it."""
    negative = [arg.op == "neg" for arg in node.args]
    if not any(negative):
        return _elementwise(node)
    bare = Term(node.op, tuple(arg.args[0] if minus else arg for arg, minus in zip(node.args, negative, strict=True)))
    return raised(-bare) if sum(negative) % 2 else raised(bare)


_RULES: dict[str, Callable[[Term], Term]] = {
    **dict.fromkeys(ELEMENTWISE, _elementwise),
    **dict.fromkeys(("mul", "div"), _signed),
    "neg": _sign,
    "sum": _sum,
    "array": _array,
    "at": _at,
    "T": _transposed,
    "sumax": _pulled,
}
