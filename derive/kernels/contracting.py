"""Sums of products over an index as products of matrices: Xᵀ diag(s) X without the N × N matrix between.

A matrix that would hold zeros but on its diagonal scales rows or columns instead, and what would be broadcast to all
indices before it is summed becomes one product of two arrays. Where both are the same array it has one name: NumPy
then calls SYRK, which does half of the work and returns a symmetric matrix. A weight that is never negative goes into
both as its root.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from itertools import combinations, permutations

from derive.kernels.raising import ELEMENTWISE, Factor, product, raised
from derive.language.array import fresh_places, push
from derive.language.notation import sqrt
from derive.language.term import Term, array, at, free, is_ones, le, let, place, substitute
from derive.logic.facts import discharge

Axes = tuple[Term, ...]


@cache
def contracted(term: Term) -> Term:
    """Return a term with its sums of products as products of arrays; named quantities stay as they are."""
    if term.op in {"let", "var", "idx", "size", "num", "fun", "D"}:
        return term
    if term.op == "matmul" and term.args[0].op == "matmul" and term.args[0].args[1].op == "diag":
        (left, weight), right = term.args[0].args, term.args[1]
        term = left @ (weight @ right)
    args = tuple(contracted(arg) for arg in term.args)
    node = term if args == term.args else Term(term.op, args, term.data)
    if node.op == "matmul":
        return _scaled(node)
    if node.op in {"add", "sub"} and node.args[0].op == node.args[1].op == "matmul":
        return _factored(node)
    if node.op == "outer" or node.op in ELEMENTWISE:
        return _spread(node)
    return _summed(node) if node.op == "sum" else node


def _factored(node: Term) -> Term:
    """A B − A C = A (B − C): one product in the place of two."""
    (a, b), (c, d) = (arg.args for arg in node.args)
    if a is c and b.shape == d.shape:
        return a @ Term(node.op, (b, d))
    return Term(node.op, (a, c)) @ b if b is d and a.shape == c.shape else node


def _spread(node: Term) -> Term:
    """x[n] − m[k] for every n and k, and no product with ones: what is the same along an axis is broadcast along it."""
    if node.op == "outer":
        if len(node.shape) != 2 or not any(map(is_ones, node.args)):
            return node
        n, k = fresh_places("i", node.shape, node)
        left, right = node.args
        return array(left[n] if is_ones(right) else right[k], n, k)
    if not any(arg.op == "array" and set(arg.args[:-1]) - free(arg.args[-1]) for arg in node.args):
        return node
    places = fresh_places("i", node.shape, node)
    parts = []
    for arg in node.args:
        own = places[len(places) - len(arg.shape) :]
        inner = substitute(arg.args[-1], dict(zip(arg.args[:-1], own, strict=True))) if arg.op == "array" else None
        parts.append(inner if inner is not None else at(arg, own) if own else arg)
    return raised(array(Term(node.op, tuple(parts), node.data), *places))


def _scaled(node: Term) -> Term:
    """Diagonals scale rows and columns; a Gram with a weight that is never negative is one of an array with itself."""
    left, right = node.args
    if left.op == "diag" and len(right.shape) == 1:
        return left.args[0] * right
    if right.op == "diag" and len(left.shape) <= 2 and left.op != "diag":
        return left * right.args[0]
    if len(left.shape) != 2 or len(right.shape) != 2:
        return node
    k, i, j = fresh_places("i", (right.shape[0], left.shape[0], right.shape[1]), node)
    if left.op == "diag":
        return node if right.op == "diag" else _rows_scaled(left.args[0], right)
    if _has_weight(left) == _has_weight(right):
        return node
    found = _product([*_factors(left[i, k]), *_factors(right[k, j])], k, (i, j), same=True)
    return node if found is None else raised(array(found, i, j))


def _rows_scaled(weight: Term, matrix: Term) -> Term:
    k, j = fresh_places("i", matrix.shape, weight, matrix)
    return array(weight[k] * matrix[k, j], k, j)


def _has_weight(term: Term) -> bool:
    """Tell whether a matrix is another one with scaled rows or columns: A·s, or s[n]·A[n, j]."""
    if term.op == "T":
        return _has_weight(term.args[0])
    if term.op == "mul" and len(term.shape) == 2:
        return any(len(arg.shape) == 1 for arg in term.args)
    return term.op == "array" and term.args[-1].op == "mul"


def _summed(node: Term) -> Term:
    """Σ_n A[n, i] s[n] B[n, j] is a product of matrices, and so where A and B have more axes."""
    k, body = node.args
    below: list[Term] = []
    while body.op == "div" and k not in free(body.args[1]):
        below.append(body.args[1])
        body = body.args[0]
    factors = _factors(body)
    outside = [factor for factor in factors if k not in free(factor)]
    inside = [factor for factor in factors if k in free(factor)]
    ends = dict.fromkeys(i for factor in inside for i in place(factor)[1] if i is not k)
    found = _product(inside, k, tuple(ends))
    if found is None:
        return node
    whole = product([*outside, found])
    for divisor in below:
        whole = whole / divisor
    return raised(whole)


def _factors(body: Term) -> list[Term]:
    """Return the factors of a scalar with indices, products of arrays taken apart."""
    whole, places = place(body)
    if body.op == "mul":
        return [factor for arg in body.args for factor in _factors(arg)]
    if whole.op == "mul":
        return [factor for arg in whole.args for factor in _factors(at(arg, places[len(places) - len(arg.shape) :]))]
    if whole.op == "T":
        return _factors(at(whole.args[0], places[::-1]))
    if whole.op == "array" and places:
        return _factors(substitute(whole.args[-1], dict(zip(whole.args[:-1], places, strict=True))))
    return [body]


def _product(factors: Sequence[Term], k: Term, ends: Axes, *, same: bool = False) -> Term | None:
    """Return Σ_k of a product of components as a component of one product of arrays.

    None where the factors do not fall into two parts or, where the `same` array is wanted twice, into other ones.
    """
    parts = [place(factor) for factor in factors]
    if any(k not in places or len(set(places)) < len(places) or free(whole) for whole, places in parts):
        return None
    weights = [whole for whole, places in parts if places == (k,)]
    groups = _connected([part for part in parts if part[1] != (k,)], k)
    if len(groups) < 2:
        return None
    left, right = min(_halves(groups), key=lambda halves: (*_unlike(halves, k), *_cost(halves, k, ends)))
    rows, columns = (_axes(half, k, ends) for half in (left, right))
    turned = _turned(left, right, k, ends)
    weight = product(weights) if weights else None
    if turned is not None and (weight is None or not discharge(le(0, push(at(weight, (k,)))))):
        whole = _built(left, sqrt(weight) if weight is not None else None, k, rows)
        if (whole.args[0] if whole.op == "T" else whole).op not in {"var", "let"}:
            whole = let("weighted" if weights else "rows", whole)
        return at(_joined(whole, whole), (*rows, *turned))
    if same:
        return None
    one, other = map(_kept, (_built(left, weight, k, rows), _built(right, None, k, columns)))
    return at(_joined(one, other), (*rows, *columns))


def _kept(whole: Term) -> Term:
    """Return an array of three axes and more by a name: what needs it twice computes it once."""
    return let("rows", whole) if len(whole.shape) > 2 and whole.op == "array" else whole


def _connected(parts: Sequence[Factor], k: Term) -> list[list[Factor]]:
    """Return the factors in groups that have no index in common but the one that is summed over."""
    groups: list[list[Factor]] = []
    for part in parts:
        own = set(part[1]) - {k}
        touched = [group for group in groups if any(own & set(places) for _, places in group)]
        groups = [group for group in groups if group not in touched]
        groups.append([*(factor for group in touched for factor in group), part])
    return groups


def _halves(groups: Sequence[Sequence[Factor]]) -> list[tuple[list[Factor], list[Factor]]]:
    """Return every way to put the groups on two sides."""
    numbers = range(len(groups))
    found = []
    for count in range(1, len(groups)):
        for chosen in combinations(numbers, count):
            one = [factor for n in chosen for factor in groups[n]]
            other = [factor for n in numbers if n not in chosen for factor in groups[n]]
            found.append((one, other))
    return found


def _axes(half: Sequence[Factor], k: Term, ends: Axes) -> Axes:
    own = {i for _, places in half for i in places} - {k}
    return tuple(i for i in ends if i in own)


def _unlike(halves: tuple[list[Factor], list[Factor]], k: Term) -> tuple[bool]:
    one, other = ({i for _, places in half for i in places} - {k} for half in halves)
    return (_turned(*halves, k, (*one, *other)) is None,)


def _cost(halves: tuple[list[Factor], list[Factor]], k: Term, ends: Axes) -> tuple[int, bool, int]:
    """The larger side is to be small, and no axis out of order."""
    rows, columns = (_axes(half, k, ends) for half in halves)
    return max(len(rows), len(columns)), (*rows, *columns) != ends, len(rows)


def _turned(left: Sequence[Factor], right: Sequence[Factor], k: Term, ends: Axes) -> Axes | None:
    """Return the right side's indices in the order in which it is the left side; None where it is another array."""
    rows, columns = _axes(left, k, ends), _axes(right, k, ends)
    if len(left) != len(right) or len(rows) != len(columns):
        return None
    wanted = sorted(right, key=_order)
    for order in permutations(columns):
        names = {k: k, **dict(zip(rows, order, strict=True))}
        if sorted(((whole, tuple(names[i] for i in places)) for whole, places in left), key=_order) == wanted:
            return order
    return None


def _order(factor: Factor) -> tuple[int, ...]:
    whole, places = factor
    return whole.serial, *(index.serial for index in places)


def _built(half: Sequence[Factor], weight: Term | None, k: Term, axes: Axes) -> Term:
    """Return a side as one array whose first axis is the one that is summed over; it is the same for every letter."""
    places = fresh_places("i", tuple(i.args[0] for i in (k, *axes)), *(whole for whole, _ in half))
    letters = dict(zip((k, *axes), places, strict=True))
    factors = [at(whole, tuple(letters[i] for i in own)) for whole, own in sorted(half, key=_order)]
    body = product(factors if weight is None else [at(weight, places[:1]), *factors])
    return raised(array(body, *places))


def _joined(left: Term, right: Term) -> Term:
    """Return Σ_k left[k, …] right[k, …]."""
    if len(left.shape) == 2:
        return raised(left.T @ right)
    k, *rest = fresh_places("i", left.shape, left)
    return array(at(left, (k, *rest)), *rest, k) @ right


def moved(left: Term) -> Term | None:
    """Return the array of which a left factor is that with its first axis last; None where it is none."""
    if left.op != "array":
        return None
    *over, body = left.args
    whole, places = place(body)
    return whole if places == (over[-1], *over[:-1]) else None
