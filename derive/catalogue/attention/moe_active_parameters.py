"""A mixture of experts uses s + (k/E)·(T − s) of its T parameters for a token, where s are shared and k of E experts act."""

from fractions import Fraction
from random import Random

from derive.language.term import eq, le, let, lift, natural, size, var
from derive.logic.arguments import from_gap, rearranged
from derive.logic.calc import calc
from derive.logic.rules.reasons import by, given
from derive.record import Assumption, Derivation, Kernel, Mistake, Number

E, k = size("E"), natural("k")
s, x = var("s", dom="nonnegative"), var("x", dom="positive")
T, A = let("T", s + E * x), let("A", s + k * x)
few = le(k, E)

# as numbers
total, shared, experts, chosen = (var(name, dom="positive") for name in ("T_n", "s_n", "E_n", "k_n"))


def active(all_, common, acting, count):
    """Return how many of all parameters act."""
    return common + lift(acting) / lift(count) * (lift(all_) - lift(common))


claim = eq(A, s + k / E * (T - s))
entry = Derivation(
    module=__name__,
    title="Active parameters of a mixture of experts",
    claim=claim,
    goal="Find how many parameters of a mixture of experts act on one token, from its size, the shared part and the numbers of experts.",
    priority="useful",
    given=(
        (E, "number of experts"), (k, "how many of them each token is sent to"), (s, "parameters that every token uses: attention, embeddings, the router"), (x, "parameters of one expert, over all layers"),
        (T, "all parameters"), (A, "those that act on a token"),
        (total, "all parameters, as a number"), (shared, "shared ones, as a number"), (experts, "experts, as a number"), (chosen, "experts a token, as a number"),
    ),
    assumptions=(Assumption(few, "no token is sent to more experts than there are"),),
    convention=f"All experts are of one size. Where every layer has experts of its own, {x} is what one expert has in all layers together.",
    prompt="A mixture of experts has 50 billion parameters and 8 experts, and each token is sent to one. How many parameters act on a token? Which number decides the memory that the model needs, and which the time?",
    sixty_seconds=(
        f"Write the size as {T.args[0]}: what all tokens share, and {E} experts of {x}. A token meets the shared part and {k} experts, {A.args[0]}. Put {(T - s) / E} for {x} and that is {s + k / E * (T - s)}: "
        f"the share {k / E} falls on the experts alone. With nothing shared, 50 billion and one expert of 8 make 6.25 billion; with 5 billion shared it is 10.6 billion. All {T} have to be in memory, and only {A} are multiplied with."
    ),
    strong=(
        f"Says that the answer depends on the shared part, and asks for it: attention is shared, and the fewer experts act, the more it weighs. Adds that {A} decides the operations of a token and {T} the memory, and that a batch touches all experts anyway."
    ),
    weak="Divides 50 by 8. That is the size of one expert if nothing is shared; attention, embeddings and the router act on every token.",
    sanity=(
        ("All experts", f"With {eq(k, E)} every parameter acts: {eq(A, T)}."),
        ("Nothing shared", f"With {eq(s, 0)} the share is {k / E}."),
        ("More experts", f"With {k} held, more experts of the same size change {T} and not {A}."),
    ),
    mistakes=(
        Mistake(eq(A, k / E * T), "The shared part acts on every token, whole."),
        Mistake(eq(A, s + k / E * T), "The shared part is counted twice: only the rest is divided among the experts."),
        Mistake(eq(A, s + (T - s) / E), f"That is one expert a token; there are {k}."),
    ),
    follow_ups=("chinchilla-allocation",),
    kernels=(
        Kernel("active_parameters", (total, shared, experts, chosen), (("active", shared + chosen / experts * (total - shared)),), "How many parameters of a mixture of experts act on a token."),
    ),
    numbers=(
        Number(active(50, 0, 1, 8), "6.25", "billions that act, of 50 with 8 experts, one a token and nothing shared"),
        Number(active(50, 5, 1, 8), "10.6", "the same with 5 billion shared"),
    ),
    references=("N. Shazeer and others, “Outrageously Large Neural Networks: The Sparsely-Gated Mixture-of-Experts Layer”, ICLR 2017", "W. Fedus and others, “Switch Transformers”, 2022"),
)  # fmt: skip


@entry.proves(eq((T - s) / E, x), "The size of one expert")
def one_expert():
    return calc((T - s) / E).eq(x,                                                  by(T))  # fmt: skip


@entry.proves(claim, "What acts on a token", main=True)
def acting():
    return (
        calc(A)
        .eq(s + k * x,                                                              by(A))
        .eq(s + k * ((T - s) / E),                                                  one_expert)
        .eq(s + k / E * (T - s))
    )  # fmt: skip


@entry.proves(eq(T - A, (E - k) * x), "What rests")
def resting():
    return calc(T - A).eq((E - k) * x,                                              by(T, A))  # fmt: skip


@entry.proves(le(A, T), "Never more than there are")
def at_most_all():
    left = rearranged(calc(k).le(E, given(few)), le(0, E - k))
    return from_gap(calc(T - A).eq((E - k) * x, resting), left)


@entry.proves(eq(A - k / E * T, s * (1 - k / E)), "What is forgotten if all parameters are divided by the experts")
def forgotten():
    return calc(A - k / E * T).eq(s * (1 - k / E),                                  by(A, T))  # fmt: skip


@entry.proves(eq(active(50, 5, 1, 8), Fraction(85, 8)), "50 billion, 5 of them shared, one expert of 8")
def fifty():
    return calc(active(50, 5, 1, 8)).eq(5 + lift(Fraction(45, 8))).eq(Fraction(85, 8))


@entry.example("Another model")
def another(rng: Random):
    count = rng.choice((4, 8, 16, 32))
    each, common, act = rng.randint(2, 9), rng.randint(1, 12), rng.choice((1, 2))
    return (
        calc(active(common + count * each, common, act, count))
        .eq(common + lift(Fraction(act, count)) * lift(count * each))
        .eq(common + act * each)
    )  # fmt: skip
