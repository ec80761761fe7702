"""A loss as a graph of named quantities: where it is cut, what depends on what, and through what the chain rule goes.

Cuts are made at products of matrices below something that is not linear, at what softmax and log-sum-exp are of, and at
the quantities that the author named, unless these are elementwise and used once. What is not kept is looked through.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from derive.deriver.algebra import DeriverError
from derive.language.term import Term, let, name_of, names, occurs, subterms

_ELEMENTWISE = frozenset(("add", "sub", "mul", "div", "pow", "neg", "app", "num", "var", "let", "size", "T"))
_WHOLE = frozenset(("rows", "reduce", "inv", "det"))
_LINEAR = frozenset(("add", "sub", "neg", "T", "sumax", "mul", "let", "matmul", "outer", "trace"))
_SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")


@dataclass
class Graph:
    """Named quantities between a variable and a loss.

    Attributes
    ----------
    loss : Term
        The loss as a named quantity.
    by : Term
        The variable.
    kept : list of Term
        The named quantities that depend on the variable and have an error of their own, parts before wholes; the loss
        is the last.
    inlined : set of Term
        Named quantities that are looked through.
    own : set of Term
        Those that were named here, and not by the author.
    """

    loss: Term
    by: Term
    kept: list[Term]
    inlined: set[Term]
    own: set[Term]
    _direct: dict[Term, frozenset[Term]] = field(default_factory=dict)

    def direct(self, quantity: Term) -> frozenset[Term]:
        """Return the kept quantities (and the variable) that a definition mentions, seen through inlined ones."""
        if quantity not in self._direct:
            found: set[Term] = set()
            seen: set[Term] = set()
            stack = [quantity.args[0]]
            while stack:
                term = stack.pop()
                if term in seen:
                    continue
                seen.add(term)
                if term is self.by or (term.op == "let" and term not in self.inlined):
                    if term is self.by or term in self._keeping:
                        found.add(term)
                    continue
                stack.extend(term.args)
            self._direct[quantity] = frozenset(found)
        return self._direct[quantity]

    @property
    def _keeping(self) -> frozenset[Term]:
        return frozenset(self.kept)

    def consumers(self, quantity: Term) -> list[Term]:
        """Return the kept quantities whose definitions mention a quantity."""
        return [other for other in self.kept if other is not quantity and quantity in self.direct(other)]

    def through(self, quantity: Term) -> list[Term]:
        """Return quantities of which none depends on another, and through which every path to the loss goes."""
        chosen = dict.fromkeys(self.consumers(quantity))
        while True:
            low = next((a for a in chosen for b in chosen if a is not b and occurs(a, b)), None)
            if low is None:
                return sorted(chosen, key=self.kept.index)
            del chosen[low]
            chosen.update(dict.fromkeys(self.consumers(low)))


def graph(value: Term, by: Term, named: Mapping[str, Term], variables: Iterable[Term] = ()) -> Graph:
    """Return the graph of a loss.

    Parameters
    ----------
    value : Term
        The loss.
    by : Term
        The variable that it is differentiated by.
    named : mapping of str to Term
        The author's named quantities.
    variables : iterable of Term
        All variables, whose names are taken.
    """
    taken = set(names(value)) | {name_of(v) for v in variables} | set(named)
    cutter = _Cutter(by, taken)
    cutter.look(value, False)
    whole = cutter.cut(value)
    name = "L" if not whole.shape else "f"
    loss = whole if whole.op == "let" else let(free_name(name, taken), whole)
    lets = [t for t in subterms(loss) if t.op == "let" and occurs(by, t)]
    inlined: set[Term] = set()
    uses = _uses(lets)
    for quantity in lets:
        if quantity is not loss and quantity not in cutter.own and not _kept(quantity, uses):
            inlined.add(quantity)
    kept = [q for q in lets if q not in inlined]
    if not kept or kept[-1] is not loss:
        raise DeriverError(f"the loss does not depend on {by}")
    return Graph(loss, by, kept, inlined, cutter.own)


def _uses(lets: list[Term]) -> dict[Term, set[Term]]:
    found: dict[Term, set[Term]] = {quantity: set() for quantity in lets}
    for quantity in lets:
        seen: set[Term] = set()
        stack = [quantity.args[0]]
        while stack:
            term = stack.pop()
            if term in seen:
                continue
            seen.add(term)
            if term.op == "let":
                if term in found:
                    found[term].add(quantity)
                continue
            stack.extend(term.args)
    return found


def _kept(quantity: Term, uses: Mapping[Term, set[Term]]) -> bool:
    """Tell whether a quantity that the author named has an error of its own."""
    definition = quantity.args[0]
    inner = _own_parts(definition)
    if all(t.op in _ELEMENTWISE for t in inner):
        statistics = [t for t in inner if t.op == "let" and t in uses and len(t.shape) < len(quantity.shape)]
        normalised = any(not _sum_of_exponentials(t.args[0]) for t in statistics)
        return normalised or (len(uses[quantity]) > 1 and any(t.op == "let" for t in inner))
    if any(t.op == "rows" for t in inner):
        return not _only_under_logarithm(quantity, uses)
    if all(t.op in {*_ELEMENTWISE, "sumax"} for t in inner):
        return not any(t.op == "app" and t.data == "exp" for t in inner) and not _sum_of_exponentials(definition)
    return True


def _own_parts(definition: Term) -> list[Term]:
    """Return the parts of a definition, not looking into named quantities."""
    found: list[Term] = []
    stack = [definition]
    seen: set[Term] = set()
    while stack:
        term = stack.pop()
        if term in seen:
            continue
        seen.add(term)
        found.append(term)
        if term.op not in {"let", "var"}:
            stack.extend(term.args)
    return found


def _sum_of_exponentials(definition: Term) -> bool:
    if definition.op != "sumax":
        return False
    inner = definition.args[0]
    while inner.op == "let":
        inner = inner.args[0]
    return inner.op == "app" and inner.data == "exp"


def _only_under_logarithm(quantity: Term, uses: Mapping[Term, set[Term]]) -> bool:
    """Tell whether a softmax is used in logarithms only, where it folds away."""
    bodies = [user.args[0] for user in uses[quantity]]
    return all(_under_logarithm(quantity, body, False) for body in bodies)


def _under_logarithm(quantity: Term, term: Term, inside: bool) -> bool:
    if term is quantity:
        return inside
    if term.op in {"let", "var"}:
        return True
    below = inside or (term.op == "app" and term.data == "log")
    return all(_under_logarithm(quantity, arg, below) for arg in term.args)


class _Cutter:
    """Names the parts of a loss at which it is cut."""

    def __init__(self, by: Term, taken: set[str]) -> None:
        self.by, self.taken = by, taken
        self.own: set[Term] = set()
        self.known: dict[Term, Term] = {}
        self.memory: dict[Term, Term] = {}
        self.products: set[Term] = set()
        self.seen: set[tuple[Term, bool]] = set()
        self.named_rows: set[Term] = set()
        self.met: set[Term] = set()

    def look(self, term: Term, bent: bool) -> None:
        """Find the products that stand below something that is not linear, and deviations that are used twice."""
        if term in self.met and is_deviation(term):
            self.products.add(term)
        self.met.add(term)
        if (term, bent) in self.seen or not occurs(self.by, term):
            return
        self.seen.add((term, bent))
        if term.op == "let":
            if term.args[0].op == "rows":
                self.named_rows.add(term.args[0])
            self.look(term.args[0], False)
            return
        if term.op in _WHOLE and not self._is_leaf(term.args[0]) and term.args[0].op != "array":
            self.products.add(self._untransposed(term.args[0]))
        if bent and self._is_affine(term):
            self.products.add(term)
            bent = False
        for arg in term.args:
            if arg.op == "rows" and arg.data == "softmax" and not (term.op == "app" and term.data == "log"):
                self.products.add(arg)
            self.look(arg, (bent or self._bends(term)) and not self._is_row(term))

    def cut(self, term: Term) -> Term:
        """Return a term with its cuts named."""
        if not occurs(self.by, term) or term.op in {"var", "idx"}:
            return term
        if term not in self.memory:
            self.memory[term] = self._cut(term)
        return self.memory[term]

    def _cut(self, term: Term) -> Term:
        if term.op == "let":
            whole = term.args[0]
            inner = self._rebuilt(whole) if whole in self.products | self.named_rows else self.cut(whole)
            return term if inner is whole else let(name_of(term), inner)
        node = self._rebuilt(term)
        return self.named(node) if term in self.products else node

    def _rebuilt(self, term: Term) -> Term:
        args = tuple(self.cut(arg) if arg.op != "idx" else arg for arg in term.args)
        return term if args == term.args else Term(term.op, args, term.data)

    @staticmethod
    def _untransposed(term: Term) -> Term:
        return term.args[0] if term.op == "T" else term

    def _bends(self, term: Term) -> bool:
        if term.op in {"app", "rows", "reduce", "call", "inv", "det"}:
            return True
        if term.op == "pow":
            return True
        if term.op == "div":
            return occurs(self.by, term.args[1])
        return False

    def _is_affine(self, term: Term) -> bool:
        """Tell whether a term is a product of matrices, or such a product with something added."""
        if term.op in {"add", "sub"} and len(term.shape) >= 1:
            sides = [arg for arg in term.args if occurs(self.by, arg)]
            return len(sides) == 1 and sides[0].shape == term.shape and self._is_affine(sides[0])
        return self._is_product(term)

    @staticmethod
    def _is_row(term: Term) -> bool:
        return term.op in _WHOLE and term.args[0].op != "array"

    @staticmethod
    def _is_product(term: Term) -> bool:
        return term.op == "matmul" and len(term.shape) >= 1

    @staticmethod
    def _is_leaf(term: Term) -> bool:
        if term.op == "T":
            return _Cutter._is_leaf(term.args[0])
        return term.op in {"var", "let"}

    def named(self, term: Term) -> Term:
        """Return a named quantity for a term."""
        if term.op == "T":
            return self.named(term.args[0]).T
        if term in self.known:
            return self.known[term]
        stem = "p" if term.op == "rows" else "c" if is_deviation(term) else "z"
        name = free_name(stem if len(term.shape) < 2 else stem.upper(), self.taken)
        self.taken.add(name)
        quantity = let(name, term)
        self.own.add(quantity)
        self.known[term] = quantity
        return quantity


def is_deviation(term: Term) -> bool:
    """Tell whether a term is an array less its sums, which are scaled and repeated: x less its mean."""
    if term.op != "sub" or not term.shape:
        return False
    array, mean = term.args
    while mean.op in {"outer", "div", "mul"}:
        mean = mean.args[0]
    return mean.op == "sumax" and mean.args[0] is array


def free_name(stem: str, taken: Iterable[str]) -> str:
    """Return a name that is not taken: the stem, with a number where that is needed."""
    used = set(taken)
    if stem not in used:
        return stem
    count = 1
    while f"{stem}{count}".translate(_SUBSCRIPTS) in used:
        count += 1
    return f"{stem}{count}".translate(_SUBSCRIPTS)
