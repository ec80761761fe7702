"""From indices to arrays: Σ_k W[k,i]·δ[k] at i is Wᵀδ, wherever the notation has a word for it.

A scalar term with free indices is read as an array with these axes: products of components become elementwise
products, sums over an index become products of matrices, sums along an axis, outer products and diagonals. What has no
word keeps its indices. That the array has the right components is for the core to say.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
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
    is_ones,
    name_of,
    names,
    ones,
    outer,
    place,
    substitute,
    trace,
    variant,
)

_ELEMENTWISE = frozenset(("add", "sub", "mul", "div", "neg", "pow", "app"))
Axes = tuple[Term, ...]
Raised = tuple[Term, Axes]
"An array, and the indices that its axes are."


class NoFormError(Exception):
    """There is no word for it: it keeps its indices."""


def raised(term: Term, places: Axes) -> Term:
    """Return the array whose component at the indices is a scalar term."""
    for form in dict.fromkeys((term, _apart(term))):
        try:
            return _aligned(_raise(form, places), places)
        except NoFormError:
            continue
    return array(term, *places) if places else term


def _apart(term: Term) -> Term:
    """Σ (a − b) = Σ a − Σ b: each sum may have a word where both together have none."""
    if term.op in {"neg", "div", "add", "sub", "mul"}:
        return Term(term.op, tuple(_apart(arg) for arg in term.args))
    if term.op != "sum":
        return term
    k, body = term.args[0], _apart(term.args[1])
    if body.op not in {"add", "sub"}:
        return Term("sum", (k, body))
    return Term(body.op, tuple(_apart(Term("sum", (k, part))) for part in body.args))


def _aligned(found: Raised, places: Axes) -> Term:
    """Return an array with its axes in the wanted order."""
    whole, axes = found
    if axes == places:
        return whole
    if axes == places[::-1] and len(axes) == 2:
        return transposed(whole)
    if len(places) == 2 and len(axes) == 1 and axes[0] in places:
        return _spread(found, places) if axes == places[:1] else outer(ones(places[0].args[0]), whole)
    if not axes and 1 <= len(places) <= 2 and not is_number(whole, 0):
        constant = reduce(outer, (ones(i.args[0]) for i in places))
        above, below = whole.args if whole.op == "div" else (whole, ONE)
        constant = constant if above is ONE else above * constant
        return constant if below is ONE else constant / below
    raise NoFormError


def transposed(whole: Term) -> Term:
    """Return a transpose without one that undoes it: (A − u 𝟏ᵀ)ᵀ as it stands, and B − v for (Bᵀ − v 𝟏ᵀ)ᵀ."""
    if whole.op == "T":
        return whole.args[0]
    if len(whole.shape) < 2:
        return whole
    if whole.op == "matmul" and any(arg.op == "T" for arg in whole.args):
        return transposed(whole.args[1]) @ transposed(whole.args[0])
    turned = _turned(whole) if len(whole.shape) == 2 and whole.op in _ELEMENTWISE else None
    return turned if turned is not None and _turns(turned) <= _turns(whole) else whole.T


def _turned(whole: Term) -> Term | None:
    """Return the transpose of an elementwise operation, argument by argument; None where no argument has two axes."""
    args: list[Term] = []
    for arg in whole.args:
        if _is_column(arg):
            args.append(arg.args[0])
        elif len(arg.shape) == 1:
            args.append(outer(arg, ones(whole.shape[0])))
        else:
            args.append(transposed(arg))
    if all(len(arg.shape) < 2 for arg in args):
        return None
    return _joined(whole.op, *args) if whole.op in {"add", "sub"} else Term(whole.op, tuple(args), whole.data)


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
    if base.op == "rows" and len(places) == 1 and places[0] not in free(base):
        base, leading = _last_axis(base)
        places = (*leading, *places)
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
    if term.args[0].op != "array" and free(term):
        raise NoFormError
    return _last_axis(term) if term.args[0].op == "array" else (term, ())


def _last_axis(term: Term) -> Raised:
    """Return a symbol of one row as the symbol of a whole array along its last axis, and which of its rows it was."""
    if term.args[0].op != "array" or not free(term):
        return term, ()
    k, body = term.args[0].args
    leading = tuple(sorted((i for i in free(term) if i.op == "idx"), key=lambda i: i.serial))
    whole = _aligned(_raise(body, (*leading, k)), (*leading, k))
    return Term(term.op, (whole,), term.data), leading


def _elementwise(term: Term, wanted: Axes) -> Raised:
    parts = [_raise(arg, wanted) for arg in term.args]
    return _lowest(lambda axes: Term("app", tuple(_spread(part, axes) for part in parts), term.data), parts, wanted)


def _spread(part: Raised, axes: Axes) -> Term:
    """Return an array that broadcasts to the axes: its own are the last of them, or it is put into every column."""
    whole, own = part
    if not own or own == axes[len(axes) - len(own) :]:
        return whole
    if len(own) == 2 and own[::-1] == axes:
        return transposed(whole)
    if len(axes) == 2 and own == axes[:1]:
        return _in_columns(whole, axes[1].args[0])
    raise NoFormError


def _in_columns(vector: Term, count: Term) -> Term:
    """Return u 𝟏ᵀ, with numbers and signs before it and below it; of 1/u it is 1/(u 𝟏ᵀ)."""
    op, args = vector.op, vector.args
    if op == "neg":
        return -_in_columns(args[0], count)
    if op == "div" and (args[0] is ONE or not args[1].shape):
        return Term("div", tuple(_in_columns(arg, count) if arg.shape else arg for arg in args))
    if op == "mul" and not args[0].shape:
        return args[0] * _in_columns(args[1], count)
    return outer(vector, ones(count))


def _lowest(make: Callable[[Axes], Term], parts: Sequence[Raised], wanted: Axes) -> Raised:
    """Return what parts make, with its two axes in that order in which there is less to transpose and to spread."""
    everything = tuple(dict.fromkeys(i for _, axes in parts for i in axes))
    longest = max((axes for _, axes in parts), key=len, default=())
    first = wanted if set(wanted) == set(everything) else longest if set(longest) == set(everything) else everything
    found: list[tuple[int, Raised]] = []
    for axes in dict.fromkeys((first, first[::-1])):
        try:
            whole = make(axes)
        except NoFormError:
            continue
        found.append((_turns(whole) + (axes == wanted[::-1] != wanted), (whole, axes)))
    if not found:
        raise NoFormError
    return min(found, key=lambda pair: pair[0])[1]


def _turns(term: Term, factor: bool = False) -> int:
    """Count columns, and transposes that are no factors, not looking into named quantities."""
    if term.op in {"let", "var"} or is_ones(term):
        return 0
    own = _is_column(term) or (term.op == "T" and not factor and term.args[0].op != "inv")
    return own + sum(_turns(arg, term.op == "matmul") for arg in term.args)


def _is_column(term: Term) -> bool:
    """Tell whether a term is a vector in every column, u 𝟏ᵀ."""
    return term.op == "outer" and is_ones(term.args[1])


def _sum_of_two(term: Term, wanted: Axes) -> Raised:
    leaves = [_raise(leaf, wanted) for leaf in _summands(term)]
    try:
        return _lowest(lambda axes: _summed(term, iter([_spread(leaf, axes) for leaf in leaves])), leaves, wanted)
    except NoFormError:
        axes = tuple(dict.fromkeys(i for _, own in sorted(leaves, key=lambda leaf: -len(leaf[1])) for i in own))
        axes = wanted if set(axes) == set(wanted) else axes
        return array(_summed(term, iter([push(at(*leaf)) for leaf in leaves])), *axes), axes


def _summands(term: Term) -> list[Term]:
    return [leaf for arg in term.args for leaf in _summands(arg)] if term.op in {"add", "sub"} else [term]


def _summed(term: Term, leaves: Iterator[Term]) -> Term:
    """Return a sum of sums and differences with other leaves."""
    if term.op not in {"add", "sub"}:
        return next(leaves)
    return _joined(term.op, *[_summed(arg, leaves) for arg in term.args])


def _joined(op: str, left: Term, right: Term) -> Term:
    """Return a sum or a difference: A + Aᵀ and not Aᵀ + A, and (P − I) B for P B − B."""
    turned = op == "add" and left.op == "T" and left.args[0] is right
    if (factor := _factor_beside(left, right)) is not None:
        return _with_identity(op, factor, left=True) @ right
    if (factor := _factor_beside(right, left)) is not None:
        return _with_identity(op, factor, left=False) @ left
    return Term(op, (right, left) if turned else (left, right))


def _factor_beside(product: Term, other: Term) -> Term | None:
    """Return P where a product of matrices is P B and the other is B."""
    return product.args[0] if product.op == "matmul" and product.args[1] is other and len(other.shape) == 2 else None


def _with_identity(op: str, factor: Term, *, left: bool) -> Term:
    """Return P ± I, or I ± P; of a transpose it is the transpose."""
    if factor.op == "T":
        return _with_identity(op, factor.args[0], left=left).T
    identity = Term("eye", (factor.shape[0],))
    return Term(op, (factor, identity) if left else (identity, factor))


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
    """A sum without free indices: a scalar product, the sum of an array, a trace, or several of these."""
    k, body = term.args
    base, places = place(body)
    if body.op == "at" and places == (k, k) and not free(base):
        return trace(base)
    try:
        return _product_of_one_index(k, body)
    except NoFormError:
        if body.op not in {"add", "sub"}:
            raise
        return Term(body.op, tuple(_closed_sum(Term("sum", (k, part))) for part in body.args))


def _product_of_one_index(k: Term, body: Term) -> Term:
    parts = _Parts(())
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
    if below and whole.op == "mul" and _is_statistic(whole.args[1], whole):
        above[-1] = whole.args[0] * (whole.args[1] / reduce(lambda a, b: a * b, below))
        below = []
    whole = reduce(lambda a, b: a * b, above) if above else ONE
    if below:
        whole = whole / reduce(lambda a, b: a * b, below)
    return -whole if parts.negative else whole


def _contract(parts: _Parts) -> None:
    """Sum over the bound indices, the one that meets the fewest axes first."""
    while parts.bound:
        parts.bound.sort(key=lambda k: _meets(parts.items, k))
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


def _meets(items: Sequence[Raised], k: Term) -> tuple[int, bool]:
    """Return how many indices stand beside one, and whether it is the first axis of the one array that has it."""
    inside = [axes for _, axes in items if k in axes]
    return len({i for axes in inside for i in axes}), len(set(inside)) == 1 and inside[0][-1] is not k


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
    if right.op == "matmul" and len(right.args[0].shape) == 2:
        return left @ right.args[0] @ right.args[1], (ends[0], ends[1])
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
                if axes not in {there, there[::-1]}:
                    raise NoFormError
                ways = [(_times(other, whole if axes == there else transposed(whole)), there)]
                ways += [(_times(transposed(other), whole), axes)] if axes != there else []
                groups[n] = min(ways, key=lambda way: _turns(way[0]))
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
    try:
        return _lowest(lambda axes: _factors(_spread(group, axes) for group in groups), groups, wanted)
    except NoFormError:
        axes = wanted if set(wanted) == set(longest) else longest
        return array(reduce(_times, (push(at(*group)) for group in groups)), *axes), axes


def _factors(parts: Iterable[Term]) -> Term:
    """Return an elementwise product, what was summed up and is the same in every row or column last."""
    found = list(parts)
    longest = max(found, key=lambda part: len(part.shape))
    return reduce(_times, sorted(found, key=lambda part: _is_statistic(part, longest)))


def _is_statistic(part: Term, whole: Term) -> bool:
    """Tell whether a factor is a column, or a row of sums beside a matrix."""
    return _is_column(part) or (len(whole.shape) == 2 and len(part.shape) == 1 and part.op in {"sumax", "matmul"})


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
