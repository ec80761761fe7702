"""Random theorems: every axiom schema and every inference of the core, on random terms at random places.

A `Maker` writes random terms of the whole language from a seed, and wraps them in random binders; a `Prover` lets the
core prove things about them; the witness judges what comes out, hypotheses and all. Nothing here is trusted: what the
core refuses is skipped, and a false theorem is a fault of the core.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from logic.seeds import (
    SEEDS,
    gap,
    scaled,
)
from logic.writing import (
    LETS,
    NUMBERS,
    A,
    B,
    H,
    K,
    Maker,
    S,
    Scope,
    X,
    a,
    depth_of,
    f,
    first,
    h,
    i,
    j,
    k,
    l,
    n,
    o,
    p,
    partial,
    q,
    q_plus,
    s,
    second,
    sign,
    t,
    total,
    u,
    up,
    v,
    x,
    y,
    z,
    ε,
    η,
)
from mpmath import mpf

from derive.evidence.witness import Evidence, witness
from derive.language.array import push
from derive.language.notation import (
    abs_,
    exp,
    log_softmax,
    logsumexp,
    relu,
    softmax,
    squared_norm,
    σ,
)
from derive.language.term import (
    NATURALS,
    ONE,
    ZERO,
    Π,
    Σ,
    D,
    E,
    ShapeError,
    Term,
    array,
    bound,
    diag,
    eq,
    expect,
    forall,
    free,
    implies,
    index,
    integral,
    is_random,
    le,
    let,
    lt,
    ne,
    outer,
    sort,
    substitute,
    subterms,
    succ,
    δ,
)
from derive.logic import theorem as core
from derive.logic.certificate import axioms
from derive.logic.context import ProofError, context
from derive.logic.facts import alternatives
from derive.logic.theorem import Theorem

AXIOMS = axioms()


class Prover(Maker):
    """A source of random theorems, each with the name of the inference or axiom that it is about."""

    def scope(self) -> Scope:
        return Scope() if self.chance(0.7) else Scope({K: (i, j), H: (a,), n: (l,), S: (z,)})

    def axiom(self, name: str) -> Theorem:
        """An axiom schema at a place."""
        term, parameters = SEEDS[name](self, self.scope())
        whole, path = (
            (term, ()) if sort(term) == "formula" else self.placed(term, self.pick((0, 0, 1, 1, 2, 3)), self.scope())
        )
        if sort(term) != "formula" and self.chance(0.1):
            whole, path = eq(whole, self.term(1, self.scope())), (0, *path)
            whole, path = self.pick(((whole, path), (forall(whole, k), (1, *path))))
        return core.step(core.reflexivity(whole), path, AXIOMS[name], *parameters)

    def part(self, term: Term) -> tuple[Term, tuple[int, ...]]:
        """A random numeric part of a term, as one sees it from inside, with its path."""
        path: tuple[int, ...] = ()
        while True:
            inside = [p_ for p_ in range(len(bound(term)), len(term.args)) if sort(term.args[p_]) == "real"]
            inside = [] if term.op in {"let", "var", "at", "idx", "delta"} else [0] if term.op == "D" else inside
            if not inside or (path and self.chance(0.3)):
                return term, path
            position = self.pick(inside)
            term, path = context(term, position).inner, (*path, position)

    def algebra(self) -> Theorem:
        whole, path = self.placed(self.term(3, self.scope()), self.pick((0, 1, 2)), self.scope())
        part, path = self.part(whole) if self.chance(0.5) else (self._inside(whole, path), path)
        return core.algebra(core.reflexivity(whole), path, self.rewritten(part, 3))

    def _inside(self, term: Term, path: tuple[int, ...]) -> Term:
        for position in path:
            term = context(term, position).inner
        return term

    def rewritten(self, term: Term, times: int) -> Term:
        """A term that is equal by the laws of fields, at some of its arithmetic; now and then one that is not."""
        for _ in range(times):
            extra = self.pick((x, u[i], δ(i, j), self.term(1, self.scope()), s, 1 / x))
            if self.chance(0.08):
                return self.pick((term + extra, term * extra, term * δ(i, j), -term, term**2, term * extra - term))
            options = [
                term + extra - extra,
                term * extra / extra,
                term * 1,
                Term("neg", (-term,)),
                term + 0,
                1 * term,
                term / 1,
            ]
            options += [term + extra * 0, (term * extra) / (extra * 1), term * δ(i, j) ** 2 + term - term * δ(i, j)]
            if term.op in {"add", "mul"}:
                options += [Term(term.op, term.args[::-1])] * 4
            if term.op == "mul" and term.args[1].op in {"add", "sub"}:
                left, right = term.args
                options += [Term(right.op, (left * right.args[0], left * right.args[1]))] * 4
            if term.op == "div":
                options += [term.args[0] * (1 / term.args[1]), term.args[0] * term.args[1] ** -1] * 3
            if term.op == "delta" or (term.op == "mul" and δ(i, j) in term.args):
                options += [term * term if term.op == "delta" else term * δ(i, j)] * 4
            if term.op == "sub":
                options += [term.args[0] + -term.args[1], -(term.args[1] - term.args[0])] * 3
            term = self.pick(options)
        return term

    def unfold(self) -> Theorem:
        quantity = self.pick(LETS)
        part = quantity[self.pick((i, j, k))] if quantity.shape else quantity
        whole, path = self.placed(part, self.pick((1, 2, 3)), self.scope())
        return core.unfold(core.reflexivity(whole), path)

    def components(self) -> Theorem:
        """Array notation in all its forms, pushed to components at a place."""
        vector = self.pick(
            (u, first, A @ u, u * v, softmax(u), A.T @ second, (A * v) @ u, diag(u) @ v, u / v, exp(u), -u, x * u)
        )
        matrix = self.pick(
            (
                A,
                outer(u, v),
                A @ A,
                A.T,
                diag(first),
                A * A.T,
                A + u,
                B @ B.T,
                D(first, u),
                D(A @ u, u),
                softmax(A),
                A**2,
            )
        )
        scalar = self.pick(
            (
                u @ v,
                (A @ u) @ v,
                u.sum(0),
                v.mean(),
                logsumexp(vector),
                squared_norm(matrix @ u),
                vector[i],
                matrix[i, j],
                D(u @ vector, u[j]),
                squared_norm(B)[i],
                matrix.sum(1)[j],
                (matrix @ vector)[i],
                log_softmax(vector)[j],
            )
        )
        whole, path = self.placed(scalar, self.pick((0, 1, 2)), self.scope())
        return core.components(core.reflexivity(whole), path)

    def reflexivity(self) -> Theorem:
        return core.reflexivity(self.placed(self.term(3, self.scope()), self.pick((0, 1, 2)), self.scope())[0])

    def some(self) -> Theorem:
        """A theorem to go on from."""
        return self.pick((lambda: self.axiom(self.pick(SEEDS)), self.algebra, self.unfold, self.components))()

    def instantiate(self) -> Theorem:
        """Terms for variables, indices for indices, sizes for sizes, named quantities for their like."""
        theorem = self.some()
        symbols = [
            t_ for t_ in subterms(theorem.conclusion) if t_.op in {"var", "idx", "size", "let"} and t_ is not NATURALS
        ]
        if not symbols:
            raise ProofError("nothing can be put in")
        changes = dict(self.change(self.pick(symbols)) for _ in range(self.pick((1, 1, 2, 3))))
        named = [s_ for s_ in symbols if s_.op == "let" and s_ not in changes]
        rest = {old: new for old, new in changes.items() if old.op != "let"}
        for old in named if self.chance(0.3) else ():
            changes[old] = let(self.pick((old.data, "other", "q₁")), substitute(old.args[0], rest))
        return core.instantiate(theorem, *changes.items())

    def change(self, old: Term) -> tuple[Term, Term]:
        if old.op == "idx":
            return old, index(self.pick(("i", "j", "k", "l", "#1.0", "#2.0")), old.args[0])
        if old.op == "size":
            return old, self.pick((K, H, n, succ(n), succ(K), succ(succ(n)), index("r", NATURALS)))
        if old.op == "let":
            return old, self.pick((let("other", old.args[0]), let("q₁", old.args[0]), *LETS))
        if old.shape == (K,):
            over = self.pick((i, j, k))
            body = self.term(2, Scope({K: (i, j, over)}))
            return old, self.pick((u, v, p, first, second, array(body, over), ε, A @ u))
        if old.shape == (S,):
            return old, self.pick((q, h, q_plus, f, array(self.term(1, Scope({K: (i,), S: (z,)})), z)))
        if old.shape:
            return old, self.pick((A.T, A @ A, diag(u), outer(u, v), old))
        return old, self.pick((x, y, s, up, total, partial, u[i], first[j], K, self.term(2, self.scope())))

    def function(self) -> Theorem:
        theorem = self.axiom("derivative of a function") if self.chance(0.5) else self.some()
        return core.instantiate_function(
            theorem, "φ", self.pick(("exp", "σ", "tanh", "softplus", "expgap", "sin", "erf", "gelu", "relu", "softmax"))
        )

    def assume(self) -> Theorem:
        """Side conditions: what is known of signs, and what a condition is reduced to."""
        part = self.pick((self.gap_like, lambda: self.term(3, self.scope())))()
        formula = self.pick(
            (
                lt(0, part),
                le(0, part),
                ne(part, 0),
                lt(part, 1),
                le(part, 1),
                self.formula(2, self.scope()),
                implies(lt(0, u[k]), lt(0, part)),
                implies(lt(0, self.term(1, self.scope())), le(0, part)),
                forall(implies(lt(0, q[z]), lt(0, part)), z),
                forall(le(0, part), k),
                ne(part, 1),
                implies(lt(0, part), lt(0, Σ(part, k))),
                implies(le(0, part), le(0, Σ(part, l))),
                implies(lt(0, q[z] * part), lt(0, integral(part, z))),
            )
        )
        return core.assume(formula)

    def gap_like(self) -> Term:
        one, two = gap(self, self.scope()), gap(self, self.scope())
        over = self.pick((k, l, a))
        part = self.pick(
            (s, exp(x), one, 1 - σ(x), softmax(u)[k], 1 - o, v[k], K, n, 1 - softmax(u)[i], 1 - p[k], 1 - s / (s + one))
        )
        return self.pick(
            (
                one * two,
                one / two,
                one + s,
                Σ(part, over),
                Π(part, over),
                integral(h[z] * part, z),
                expect(q, part, z),
                expect(q_plus, h[z] * part, z),
                E(part * η**2, η),
                part,
                part * one,
                -part,
                part - part,
                part ** self.pick(NUMBERS),
            )
        )

    def sign(self) -> Theorem:
        return core.sign(core.reflexivity(self.gap_like()))

    def order(self) -> Theorem:
        """A gap between two terms that is written out as something which is never negative."""
        one, gap = self.term(2, self.scope()), self.gap_like()
        return core.order(core.algebra(core.reflexivity((one + gap) - one), (), gap))

    def inequality(self) -> Theorem:
        """An inequality under monotone functions and binders."""
        lemma = self.pick((self.order, self.sign, lambda: self.axiom("tangent of the logarithm")))()
        if self.chance(0.4):
            low, high = self.term(1, self.scope()), self.term(1, self.scope())
            lemma = core.assume(self.pick((le, lt))(low, high))
        whole, path = lemma.lhs, ()
        for _ in range(self.pick((1, 2, 3))):
            whole, position = self.rising(whole, self.scope())
            path = (position, *path)
        return core.step(core.components(core.reflexivity(whole), path), path, lemma)

    def given(self) -> Theorem:
        """An equation that is given and used at a place; under ∂ it is given of the fresh variable there."""
        left = self.pick((x, u[k], Σ(u[k], k), s * x, first[i], v[k], abs_(x), self.term(1, self.scope())))
        right = self.pick((ZERO, ONE, y, x, u[i], self.term(1, self.scope())))
        whole, path = self.placed(left, self.pick((0, 1, 2)), self.scope())
        if self.chance(0.4):
            whole, path = D(whole, self.pick((x, u[i], v[k], s, first[i], y))), (0, *path)
        theorem = core.components(core.reflexivity(whole), path)
        fact = core.assume(eq(push(self._inside(whole, path)), right))
        if self.chance(0.3):
            fact = core.specialise(core.assume(forall(fact.conclusion, k)), k)
        return core.step(theorem, path, fact)

    def cases(self) -> Theorem:
        """|t|·|t| = t·t and relu(t)·|t| = relu(t)·t, by cases, at a place; under a binder the case must say ∀."""
        part = self.pick((x, u[k], self.term(2, self.scope()), sign))
        if part is sign:
            shape, goal = sign**2 * self.term(1, self.scope()), None
        else:
            shape, goal = self.pick(
                ((abs_(part) * abs_(part), part * part), (relu(part) * abs_(part), relu(part) * part))
            )
        whole, path = self.placed(shape, self.pick((0, 1, 2)), self.scope())
        one, other = (self._case(part, number, whole, path, goal) for number in (0, 1))
        return core.cases(part, one, other)

    def _case(self, part: Term, number: int, whole: Term, path: tuple[int, ...], goal: Term | None) -> Theorem:
        theorem = core.reflexivity(whole)
        if goal is None:
            theorem = core.step(theorem, (*path, 0, 0), core.assume(alternatives(part)[number]))
            return core.algebra(theorem, path, whole_part(theorem.rhs, path).args[1])
        for position in (0, 1):
            name = whole_part(theorem.rhs, (*path, position)).data
            if name in {"abs", "relu"}:
                theorem = core.step(theorem, (*path, position), AXIOMS["definition of a symbol by cases"], name, number)
        return core.algebra(theorem, path, part * part if goal.args[0] is part else whole_part(theorem.rhs, path))

    def induction(self) -> Theorem:
        """Σ and Π of something below n, by induction on n."""
        body = self.pick((x, X[l], X[l] * x, self.term(1, Scope({K: (i,), n: ()})), X[l] + 1))
        constant = l not in free(body)
        if constant:
            left, right = self.pick(((Π(body, l), lambda n_: body**n_), (Σ(body, l), lambda n_: n_ * body)))
        else:
            left, right = Σ(2 * body, l), lambda n_: 2 * Σ(substitute(body, {l: index("l", n_)}), index("l", n_))
        base = self._base(left, right(ZERO), constant)
        claim = eq(left, right(n))
        above = substitute(left, {n: succ(n)})
        following = core.step(core.reflexivity(above), (), AXIOMS["last factor"])
        following = core.step(following, (0,), core.assume(claim))
        goal = right(succ(n))
        back = core.reflexivity(goal)
        rule = {"pow": "next power", "mul": "last factor"}.get(goal.op)
        if goal.op == "pow" or (goal.op == "mul" and goal.args[1].op == "sum"):
            back = core.step(back, () if goal.op == "pow" else (1,), AXIOMS[str(rule)])
        following = core.algebra(following, (), back.rhs)
        return core.induction(n, base, core.transitivity(following, core.symmetry(back)))

    def _base(self, left: Term, right: Term, constant: bool) -> Theorem:
        theorem = core.step(core.reflexivity(substitute(left, {n: ZERO})), (), AXIOMS["product over no index"])
        back = core.reflexivity(right)
        if right.op == "pow":
            back = core.step(back, (), AXIOMS["next power"])
        elif not constant:
            back = core.step(back, (1,), AXIOMS["product over no index"])
        return core.transitivity(core.algebra(theorem, (), back.rhs), core.symmetry(back))

    def cut(self) -> Theorem:
        """A hypothesis that another theorem proves, wholly or from others."""
        theorem = self.some()
        if not theorem.hypotheses:
            raise ProofError("nothing to discharge")
        hypothesis = self.pick(sorted(theorem.hypotheses, key=repr))
        return core.cut(theorem, core.assume(hypothesis))

    def indices(self) -> Theorem:
        """∀-introduction and -elimination, extensionality and back."""
        theorem = self.some()
        loose = sorted((s_ for s_ in free(theorem.conclusion) if s_.op == "idx"), key=repr)
        symbol = self.pick(loose or (k, l))
        if theorem.conclusion.op == "eq" and self.chance(0.5):
            sides = (array(theorem.lhs, symbol), array(theorem.rhs, symbol))
            whole = core.extensionality(theorem, *sides, symbol)
            return self.pick((whole, core.componentwise(whole, index("j", symbol.args[0]))))
        everywhere = core.generalisation(theorem, symbol)
        return self.pick((everywhere, core.specialise(everywhere, index(self.pick(("j", "k", "l")), symbol.args[0]))))

    def logic(self) -> Theorem:
        """Equivalences, transport, conjunction, weakening, symmetry and transitivity."""
        theorem = self.some()
        kind = self.rng.randrange(4)
        if kind == 0:
            formula, (target, factor) = scaled(self, self.scope())
            same = core.step(core.reflexivity(formula), (), AXIOMS["equivalent relations"], target, factor)
            return core.transport(core.assume(formula), same)
        if kind == 1:
            return core.conjunction(theorem, self.some())
        if kind == 2:
            p_, q_ = theorem.conclusion, self.formula(1, self.scope())
            return (
                core.equivalence(core.assume(q_), core.assume(q_))
                if self.chance(0.3)
                else core.equivalence(core.assume(p_), theorem)
            )
        if core.relation_of(theorem) != "=":
            return core.weakening(theorem)
        return core.transitivity(core.symmetry(theorem), theorem)

    def vanishing(self) -> Theorem:
        """An index below n that is there on the way and not at its ends."""
        one = Σ(δ(t, l) * self.pick((x, ONE, X[l] / X[l], s)), t)
        theorem = core.symmetry(core.step(core.reflexivity(one), (), AXIOMS["sift"]))
        lemma = core.order(core.algebra(core.reflexivity(1 - δ(t, l)), (), (1 - δ(t, l)) ** 2))
        if one.args[1].args[1] is ONE:
            theorem = core.step(core.algebra(theorem, (1,), δ(t, l)), (1,), lemma)
        return core.step(theorem, (), AXIOMS["linearity"])


INFERENCES: dict[str, Callable[[Prover], Theorem]] = {
    "reflexivity": Prover.reflexivity,
    "algebra": Prover.algebra,
    "unfold": Prover.unfold,
    "components": Prover.components,
    "instantiate": Prover.instantiate,
    "instantiate_function": Prover.function,
    "assume": Prover.assume,
    "sign": Prover.sign,
    "order": Prover.order,
    "step with an inequality": Prover.inequality,
    "step with a given": Prover.given,
    "cases": Prover.cases,
    "induction": Prover.induction,
    "cut": Prover.cut,
    "generalisation, extensionality": Prover.indices,
    "equivalence, transport": Prover.logic,
    "an index vanishes": Prover.vanishing,
}
KINDS = (*SEEDS, *INFERENCES)


def whole_part(term: Term, path: tuple[int, ...]) -> Term:
    """The part of a term at a path, as it is written."""
    for position in path:
        term = term.args[position]
    return term


# ---- judging ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Judged:
    """A theorem, what it is about, where it came from, and what the witness says."""

    kind: str
    seed: str
    theorem: Theorem
    evidence: Evidence

    def __str__(self) -> str:
        return f"{self.kind} (seed {self.seed!r}): {self.theorem!r}\n  {self.evidence}"


def theorem_of(kind: str, seed: str, most_parts: int = 140) -> Theorem | None:
    """A random theorem of a kind, or None where chance gave nothing that the core proves, or something too large."""
    prover = Prover(seed)
    try:
        theorem = prover.axiom(kind) if kind in SEEDS else INFERENCES[kind](prover)
    except (ShapeError, ProofError):
        return None
    sequent = (theorem.conclusion, *theorem.hypotheses)
    if any(part.op == "forall" and is_random(part.args[0]) for whole in sequent for part in subterms(whole)):
        return None  # the witness has no way to go through all values of a random variable
    small = all(depth_of(part) <= 2 and sum(1 for _ in subterms(part)) <= most_parts for part in sequent)
    trivial = theorem.conclusion.op in {"eq", "iff"} and theorem.lhs is theorem.rhs
    return theorem if small and (not trivial or kind == "reflexivity") else None


ROUNDING = mpf("1e-40")


def judge(theorem: Theorem, digits: int = 30) -> Evidence:
    """What the witness says of a whole sequent; what it finds false is looked at again with more digits.

    Two defined sides that then agree to 40 digits differ by the rounding of a derivative that is nearly 0.
    """
    evidence = witness(theorem.conclusion, theorem.hypotheses, 1, digits)
    if evidence.status != "false":
        return evidence
    again = witness(theorem.conclusion, theorem.hypotheses, 2, 6 * digits)
    equation = theorem.conclusion.op == "eq" and not again.note
    rounding = again.status == "false" and equation and mpf(again.digits) < ROUNDING
    return replace(again, status="undecided") if rounding else again


def run(seeds: Iterable[int], most_parts: int = 140) -> Iterator[Judged]:
    """Judge theorems of every kind in turn, one try a seed."""
    for number in seeds:
        for kind in KINDS:
            seed = f"fuzz {kind} {number}"
            theorem = theorem_of(kind, seed, most_parts)
            if theorem is not None:
                yield Judged(kind, seed, theorem, judge(theorem))


def table(counts: dict[str, Counter[str]]) -> str:
    """The counts as text: kind, fired, true, undecided, false."""
    rows = [f"{'schema or inference':42} fired   true undecided false"]
    for kind in KINDS:
        seen = counts.get(kind, Counter())
        rows.append(f"{kind:42} {seen.total():5} {seen['true']:6} {seen['undecided']:9} {seen['false']:5}")
    return "\n".join(rows)
