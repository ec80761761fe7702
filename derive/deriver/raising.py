"""From indices to arrays: Σ_k W[k,i]·δ[k] at i is Wᵀδ, wherever the notation has a word for it.

A scalar term with free indices is read as an array with these axes: products of components become elementwise
products, sums over an index become products of matrices, sums along an axis, outer products and diagonals. What has no
word keeps its indices. That the array has the right components is for the core to say.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

from derive.language.array import push
from derive.language.term import (
    ONE,
    Term,
    array,
    at,
    diag,
    free,
    is_number,
    name_of,
    names,
    outer,
    place,
    substitute,
    variant,
)

Axes = tuple[Term, ...]
Raised = tuple[Term, Axes]
"An array, and the indices that its axes are."


class NoFormError(Exception):
    """There is no word for it: it keeps its indices."""


def raised(term: Term, places: Axes) -> Term:
    """Return the array whose component at the indices is a scalar term."""
    try:
        return _aligned(_raise(term, places), places)
    except NoFormError:
        return array(term, *places) if places else term


def _aligned(found: Raised, places: Axes) -> Term:
    """Return an array with its axes in the wanted order."""
    whole, axes = found
    if axes == places:
        return whole
    if axes == places[::-1] and len(axes) == 2:
        return transposed(whole)
    raise NoFormError


def transposed(whole: Term) -> Term:
    """Return a transpose without one that undoes it."""
    if whole.op == "T":
        return whole.args[0]
    if whole.op in {"add", "sub"} and all(len(arg.shape) == 2 for arg in whole.args):
        turned = _joined(whole.op, *map(transposed, whole.args))
        if sum(arg.op == "T" for arg in turned.args) <= sum(arg.op == "T" for arg in whole.args):
            return turned
    if whole.op == "matmul" and len(whole.shape) == 2 and any(arg.op == "T" for arg in whole.args):
        return transposed(whole.args[1]) @ transposed(whole.args[0])
    return whole.T if len(whole.shape) > 1 else whole


def _raise(term: Term, wanted: Axes) -> Raised:
    op = term.op
    base, places = place(term)
    if op == "at":
        return _component(base, places)
    if op in {"num", "size", "var", "let", "det"} and not free(term):
        return term, ()
    if op == "app":
        return _elementwise(term, wanted)
    if op == "neg":
        inner, axes = _raise(term.args[0], wanted)
        return -inner, axes
    if op == "pow":
        inner, axes = _raise(term.args[0], wanted)
        return inner ** term.args[1], axes
    if op in {"add", "sub"}:
        return _sum_of_two(term, wanted)
    if op in {"mul", "div", "sum", "delta"}:
        return _product(term, wanted)
    if op == "reduce":
        return _reduced(term)
    if op == "array":
        return _array(term), ()
    raise NoFormError


def _component(base: Term, places: Axes) -> Raised:
    if base.op == "rows":
        base = Term("rows", (_array(base.args[0]) if base.args[0].op == "array" else base.args[0],), base.data)
    if free(base):
        raise NoFormError
    if len(set(places)) < len(places):
        raise NoFormError
    return base, places


def _array(whole: Term) -> Term:
    """[f(z[k])]_k = f(z), where the inside can be raised."""
    *over, body = whole.args
    try:
        return _aligned(_raise(body, tuple(over)), tuple(over))
    except NoFormError:
        return whole


def _reduced(term: Term) -> Raised:
    """A row of an array, reduced, is a component of the array that is reduced along its last axis."""
    inner = term.args[0]
    if inner.op != "array":
        if free(inner):
            raise NoFormError
        return term, ()
    k, body = inner.args
    leading = tuple(sorted((i for i in free(term) if i.op == "idx"), key=lambda i: i.serial))
    whole = _aligned(_raise(body, (*leading, k)), (*leading, k))
    return Term("reduce", (whole,), term.data), leading


def _elementwise(term: Term, wanted: Axes) -> Raised:
    parts = [_raise(arg, wanted) for arg in term.args]
    axes = max((axes for _, axes in parts), key=len, default=())
    return Term("app", tuple(_spread(part, axes) for part in parts), term.data), axes


def _spread(part: Raised, axes: Axes) -> Term:
    """Return an array that broadcasts to the axes: its own are the last of them."""
    whole, own = part
    if not own or own == axes[len(axes) - len(own) :]:
        return whole
    if len(own) == 2 and own[::-1] == axes:
        return transposed(whole)
    raise NoFormError


def _sum_of_two(term: Term, wanted: Axes) -> Raised:
    one, other = (_raise(arg, wanted) for arg in term.args)
    axes = one[1] if len(one[1]) >= len(other[1]) else other[1]
    if not set(one[1]) | set(other[1]) <= set(axes):
        axes = (*axes, *(i for i in (*one[1], *other[1]) if i not in axes))
    if wanted and set(axes) == set(wanted):
        axes = wanted
    if not _fits(one[1], axes) or not _fits(other[1], axes):
        axes = axes[::-1]
    if not _fits(one[1], axes) or not _fits(other[1], axes):
        return array(Term(term.op, tuple(push(at(*part)) for part in (one, other))), *axes), axes
    return _joined(term.op, _spread(one, axes), _spread(other, axes)), axes


def _joined(op: str, left: Term, right: Term) -> Term:
    """Return a sum or a difference: A + Aᵀ and not Aᵀ + A."""
    turned = op == "add" and left.op == "T" and left.args[0] is right
    return Term(op, (right, left) if turned else (left, right))


def _fits(own: Axes, axes: Axes) -> bool:
    return not own or own == axes[len(axes) - len(own) :] or (len(own) == 2 and own[::-1] == axes)


# ---- products --------------------------------------------------------------------------------------------------------


class _Parts:
    """A product of sums of products, taken apart: signs, numbers and scalars, arrays, brackets, bound indices."""

    def __init__(self, wanted: Axes) -> None:
        self.wanted = wanted
        self.negative = False
        self.above: list[Term] = []
        self.below: list[Term] = []
        self.items: list[Raised] = []
        self.brackets: list[Term] = []
        self.bound: list[Term] = []
        self.taken: set[str] = set(map(name_of, wanted))

    def take(self, term: Term, under: bool = False) -> None:
        op, args = term.op, term.args
        if op == "mul":
            for arg in args:
                self.take(arg, under)
        elif op == "div":
            self.take(args[0], under)
            self.take(args[1], not under)
        elif op == "neg":
            self.negative = not self.negative
            self.take(args[0], under)
        elif op == "sum" and not under and free(term):
            k, body = args
            fresh = variant(k, self.taken | {name_of(b) for b in self.bound} | (names(body) - {name_of(k)}))
            self.taken.add(name_of(fresh))
            self.bound.append(fresh)
            self.take(substitute(body, {k: fresh}), under)
        elif op == "delta":
            self.brackets.append(term)
        elif not any(i.op == "idx" for i in free(term)):
            whole = self._closed(term)
            if not is_number(whole, 1):
                (self.below if under else self.above).append(whole)
        else:
            whole, axes = self._raised(term)
            if under:
                self.items.append((1 / whole, axes))
            else:
                self.items.append((whole, axes))

    def _closed(self, term: Term) -> Term:
        return _raise(term, ())[0]

    def _raised(self, term: Term) -> Raised:
        return _raise(term, self.wanted)


def _product(term: Term, wanted: Axes) -> Raised:
    if term.op == "sum" and not any(i.op == "idx" for i in free(term)):
        return _closed_sum(term), ()
    parts = _Parts(wanted)
    parts.take(term)
    _contract(parts)
    whole, axes = _together(parts)
    return _scaled(whole, parts), axes


def _closed_sum(term: Term) -> Term:
    """A sum without free indices: a scalar product, or the sum of an array."""
    parts = _Parts(())
    k, body = term.args
    parts.bound.append(k)
    parts.taken.add(name_of(k))
    parts.take(body)
    _contract(parts)
    whole, axes = _together(parts)
    if axes:
        raise NoFormError
    return _scaled(whole, parts)


def _scaled(whole: Term, parts: _Parts) -> Term:
    """Put the scalars before an array and below it, and the sign in front."""
    above, below = list(parts.above), list(parts.below)
    if whole.op == "div" and whole.args[0] is ONE and (above or below):
        below.append(whole.args[1])
    elif whole is not ONE or not above:
        above.append(whole)
    whole = reduce(lambda a, b: a * b, above) if above else ONE
    if below:
        whole = whole / reduce(lambda a, b: a * b, below)
    return -whole if parts.negative else whole


def _contract(parts: _Parts) -> None:
    """Sum over the bound indices, the one that meets the fewest axes first."""
    while parts.bound:
        parts.bound.sort(key=lambda k: len({i for _, axes in parts.items if k in axes for i in axes}))
        k = parts.bound.pop(0)
        inside = [item for item in parts.items if k in item[1]]
        if not inside or any(k in bracket.args for bracket in parts.brackets):
            raise NoFormError
        position = min(n for n, item in enumerate(parts.items) if k in item[1])
        rest = [item for item in parts.items if k not in item[1]]
        before = sum(1 for item in parts.items[:position] if k not in item[1])
        found = _contracted(inside, k, parts.wanted)
        if found[1]:
            rest.insert(before, found)
        elif not is_number(found[0], 1):
            parts.above.append(found[0])
        parts.items = rest


def _contracted(inside: Sequence[Raised], k: Term, wanted: Axes) -> Raised:
    groups = _grouped(inside)
    vectors = [g for g in groups if len(g[1]) == 1]
    matrices = [g for g in groups if len(g[1]) == 2]
    if any(len(axes) > 2 for _, axes in groups) or len(matrices) > 2 or len(vectors) > 1:
        raise NoFormError
    if not matrices:
        return _total(vectors[0][0]), ()
    if len(matrices) == 1:
        whole, axes = matrices[0]
        other = axes[0] if axes[1] is k else axes[1]
        if not vectors:
            return whole.sum(axes.index(k)), (other,)
        return _with_last(whole, axes, k) @ vectors[0][0], (other,)
    (left, one), (right, two) = matrices
    ends = [next(i for i in axes if i is not k) for axes in (one, two)]
    if ends[0] is ends[1]:
        raise NoFormError
    if len(wanted) == 2 and (ends[0] is wanted[1] or ends[1] is wanted[0]):
        (left, one), (right, two) = (right, two), (left, one)
        ends.reverse()
    left, right = _with_last(left, one, k), _with_first(right, two, k)
    if vectors:
        return left @ diag(vectors[0][0]) @ right, (ends[0], ends[1])
    return left @ right, (ends[0], ends[1])


def _total(whole: Term) -> Term:
    """Σ a·b = a @ b for a product of two vectors."""
    if whole.op == "mul" and all(len(arg.shape) == 1 for arg in whole.args):
        return whole.args[0] @ whole.args[1]
    return whole.sum(0)


def _with_last(whole: Term, axes: Axes, k: Term) -> Term:
    return whole if axes[-1] is k else transposed(whole)


def _with_first(whole: Term, axes: Axes, k: Term) -> Term:
    return whole if axes[0] is k else transposed(whole)


def _grouped(items: Sequence[Raised]) -> list[Raised]:
    """Multiply what has the same axes, elementwise."""
    groups: list[Raised] = []
    for whole, axes in items:
        for n, (other, there) in enumerate(groups):
            if set(there) == set(axes):
                groups[n] = (_times(other, whole if axes == there else transposed(whole)), there)
                break
        else:
            groups.append((whole, axes))
    return groups


def _times(left: Term, right: Term) -> Term:
    """a·(1/b) = a/b."""
    if right.op == "div" and right.args[0] is ONE:
        return left / right.args[1]
    if left.op == "div" and left.args[0] is ONE:
        return right / left.args[1]
    return left * right


def _together(parts: _Parts) -> Raised:
    """What is left when nothing is summed: elementwise products, a diagonal, an outer product."""
    groups = _grouped(parts.items)
    if parts.brackets:
        return _diagonal(groups, parts)
    if not groups:
        return ONE, ()
    everything = {i for _, axes in groups for i in axes}
    longest = max((axes for _, axes in groups), key=len)
    if set(longest) == everything:
        return _broadcast(groups, longest, parts.wanted)
    if len(groups) == 2 and all(len(axes) == 1 for _, axes in groups):
        (a, i), (b, j) = groups
        if parts.wanted == (*j, *i):
            (a, i), (b, j) = (b, j), (a, i)
        return outer(a, b), (*i, *j)
    raise NoFormError


def _broadcast(groups: list[Raised], longest: Axes, wanted: Axes) -> Raised:
    for axes in dict.fromkeys((wanted if set(wanted) == set(longest) else longest, longest, longest[::-1])):
        if all(_fits(own, axes) for _, own in groups):
            return reduce(_times, (_spread(group, axes) for group in groups)), axes
    axes = wanted if set(wanted) == set(longest) else longest
    return array(reduce(_times, (push(at(*group)) for group in groups)), *axes), axes


def _diagonal(groups: list[Raised], parts: _Parts) -> Raised:
    if len(parts.brackets) != 1:
        raise NoFormError
    i, j = parts.brackets[0].args
    if parts.wanted == (j, i):
        i, j = j, i
    if not groups:
        return Term("eye", (i.args[0],)), (i, j)
    if len(groups) == 1 and groups[0][1] in {(i,), (j,)}:
        return diag(groups[0][0]), (i, j)
    raise NoFormError
