"""“50 billion parameters with 8 experts: about 6 are active.” Only if nothing is shared, and attention is."""

from derive.language.term import eq, le, lift, lt, var
from derive.logic.arguments import from_gap
from derive.logic.calc import calc
from derive.record import Misstatement

T, s, E = var("T", dom="positive"), var("s", dom="nonnegative"), var("E", dom="positive")
active = s + (T - s) / E
billions = 5 + lift(45) / 8

entry = Misstatement(
    module=__name__,
    title="50B with 8 experts has about 6B active",
    said="The model has 50 billion parameters in 8 experts and sends each token to one of them, so about 6 billion are active.",
    claim=le(active, 7),
    counterexample=((T, 50), (s, 5), (E, 8)),
    priority="useful",
    given=((T, "all parameters, in billions"), (s, "those that all tokens share"), (E, "experts of equal size, one of which acts")),
    convention=f"Everything is in billions. A token meets the shared part and one expert, {active}. “About 6” is taken as at most 7.",
    why=(
        "The name says that the model is made of experts, and 50 over 8 is quickly done. Experts replace one kind of layer only: attention, embeddings and the router "
        "are there once, and act on every token. The smaller the part of the experts that acts, the more the shared part weighs."
    ),
    instead=("moe-active-parameters", "acting"),
    correction="Take the shared part whole, and the share of the experts that act of the rest only. The number depends on what is shared, which has to be asked for.",
)


@entry.proves(eq(entry.at(active), billions), "The shared part and one expert")
def whole():
    return calc(entry.at(active)).eq(billions)


@entry.proves(lt(7, entry.at(active)), "More than ten billion", main=True)
def more():
    return from_gap(calc(entry.at(active) - 7).eq(lift(29) / 8))
