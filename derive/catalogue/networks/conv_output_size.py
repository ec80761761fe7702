"""⌊(I − K + 2P)/S⌋ + 1 places for a kernel: by counting them, with dilation too, along each axis by itself."""

from fractions import Fraction
from math import floor as floor_of
from random import Random

from derive.language.notation import floor
from derive.language.term import both, eq, iff, le, let, lift, lt, natural, size, sizes
from derive.logic.arguments import instance
from derive.logic.calc import calc
from derive.logic.rules.reasons import by, floor_bound, floor_equals, floor_integer, multiplied, next_integer
from derive.record import Derivation, Mistake

I, K, S, n = sizes("I K S n")
P, t = natural("P"), natural("t")
E = size("E")  # the dilation
H, KH, SH, PH = size("H"), size("K_H"), size("S_H"), natural("P_H")

room = (I - K + 2 * P) / S
O = let("O", floor(room) + 1)
spread = E * (K - 1) + 1
wide = (I - spread + 2 * P) / S
O_E = let("O_E", floor(wide) + 1)
O_H = let("O_H", floor((H - KH + 2 * PH) / SH) + 1)


def fits(position, length, start=S, width=I, padding=P):
    """Return that a kernel of some length at a position ends within the padded input."""
    return le(position * start + length, width + 2 * padding)


claim = iff(fits(t, K), lt(t, O))

entry = Derivation(
    module=__name__,
    title="Output size of a convolution",
    claim=claim,
    goal="Count the places at which a kernel fits into a padded input, one stride apart, and so derive the formula for the output size.",
    priority="important",
    given=(
        (I, "size of the input along one axis"), (K, "size of the kernel"), (P, "zeros added at each end"), (S, "stride"),
        (t, "number of a place, counted from 0"), (n, "a number of places"), (O, "output size"),
        (E, "dilation: how far apart neighbouring taps are"), (O_E, "output size with dilation"),
        (H, "size of the input along another axis"), (KH, "size of the kernel there"), (PH, "padding there"), (SH, "stride there"), (O_H, "output size there"),
    ),
    convention=(
        f"{floor(room)} is the largest integer that is at most {room}. The padded input has {I + 2 * P} entries; the kernel at place {t} starts after {t * S} of them and covers {K}. "
        f"Each axis is counted by itself."
    ),
    prompt=f"A convolution has input size {I}, kernel size {K}, padding {P} and stride {S}. How large is its output, and why is there a floor and a plus one? What does dilation {E} change?",
    sixty_seconds=(
        f"Number the places from 0. At place {t} the kernel ends at {t * S + K}, and it fits if that is at most {I + 2 * P}. So {t} may be at most {room}, and as {t} is an integer, at most "
        f"{floor(room)}. The places are 0, 1 and so on up to that, which is one more than the floor: {O.args[0]}. A dilated kernel covers {spread} entries, so that takes the place of {K}. "
        "Height and width are counted apart."
    ),
    strong=(
        f"Says what the floor throws away: up to {S - 1} entries at the end that no place reaches. Derives the padding that keeps the size at stride 1, {eq(K, 2 * P + 1)}, and notes that a kernel of even size has none."
    ),
    weak=f"Remembers {room} and adds one or not depending on the example. Counting from 0 settles it: with {eq(I, K)} and no padding there is one place.",
    sanity=(
        ("One place", f"With {eq(K, I + 2 * P)} the floor is 0 and the output has one entry."),
        ("Too large a kernel", f"Where {lt(I + 2 * P, K)} the formula gives 0 or less: there is no place at all."),
        ("A usual first layer", f"Size 224, kernel 7, padding 3 and stride 2 give {floor(lift(223) / 2) + 1}, which is 112."),
    ),
    mistakes=(
        Mistake(eq(O, floor(room)), "The place that is numbered 0 was not counted."),
        Mistake(iff(fits(t, K), le(t, O)), f"That lets one place too many in: {t} counts from 0, so it stays below {O}."),
        Mistake(eq(O, floor((I - K + P) / S) + 1), f"Padding is added at both ends: {2 * P} entries in all."),
        Mistake(eq(O_E, floor((I - E * K + 2 * P) / S) + 1), f"Between {K} taps there are {K - 1} gaps, so a dilated kernel covers {spread}."),
        Mistake(eq(O, (I - K + 2 * P) / S + 1), "Without the floor the result need not be an integer: the last step may lead outside."),
    ),
    follow_ups=("linear-layers-collapse",),
    references=("Dumoulin and Visin, A guide to convolution arithmetic for deep learning (2016)",),
)  # fmt: skip


@entry.proves(claim, "A place is one of the first, as many as the formula says", main=True)
def counted():
    return (
        calc(fits(t, K))
        .iff(le(t, room),                                                        multiplied(le(t, room), S))
        .iff(le(t, floor(room)),                                                 floor_bound)
        .iff(lt(t, floor(room) + 1),                                             next_integer)
        .iff(lt(t, O),                                                           by(O))
    )  # fmt: skip


@entry.proves(iff(eq(O, n), both(fits(n - 1, K), lt(I + 2 * P, n * S + K))), "The size is known by its last place")
def last_place():
    return (
        calc(eq(O, n))
        .iff(eq(floor(room) + 1, n),                                             by(O))
        .iff(eq(floor(room), n - 1),                                             multiplied(eq(floor(room), n - 1), lift(1)))
        .iff(both(le(n - 1, room), lt(room, n - 1 + 1)),                         floor_equals)
        .iff(both(fits(n - 1, K), lt(room, n - 1 + 1)),                          multiplied(fits(n - 1, K), 1 / S))
        .iff(both(fits(n - 1, K), lt(I + 2 * P, n * S + K)),                     multiplied(lt(I + 2 * P, n * S + K), 1 / S))
    )  # fmt: skip


@entry.proves(iff(le(1, O), le(K, I + 2 * P)), "There is a place if the kernel is not larger than the padded input")
def some_place():
    return (
        calc(le(1, O))
        .iff(le(1, floor(room) + 1),                                             by(O))
        .iff(le(0, floor(room)),                                                 multiplied(le(0, floor(room)), lift(1)))
        .iff(le(0, room),                                                        floor_bound)
        .iff(le(K, I + 2 * P),                                                   multiplied(le(K, I + 2 * P), 1 / S))
    )  # fmt: skip


@entry.proves(iff(fits(t, spread), lt(t, O_E)), "With dilation")
def dilated():
    return (
        calc(fits(t, spread))
        .iff(le(t, wide),                                                        multiplied(le(t, wide), S))
        .iff(le(t, floor(wide)),                                                 floor_bound)
        .iff(lt(t, floor(wide) + 1),                                             next_integer)
        .iff(lt(t, O_E),                                                         by(O_E))
    )  # fmt: skip


@entry.proves(iff(fits(t, KH, SH, H, PH), lt(t, O_H)), "Along the other axis the same")
def other_axis():
    return instance(counted.theorem, (I, H), (K, KH), (S, SH), (P, PH), (O, O_H), words=("height instead of width",))


@entry.proves(eq(floor((I - (2 * P + 1) + 2 * P) / 1) + 1, I), "An odd kernel, half of it as padding and stride 1 keep the size")
def same_size():
    return (
        calc(floor((I - (2 * P + 1) + 2 * P) / 1) + 1)
        .eq(floor(I - 1) + 1)
        .eq(I - 1 + 1,                                                           floor_integer)
        .eq(I)
    )  # fmt: skip


def worked(width, kernel, padding, stride):
    """Calculate an output size in numbers."""
    whole = Fraction(width - kernel + 2 * padding, stride)
    return (
        calc(floor((lift(width) - kernel + 2 * lift(padding)) / stride) + 1)
        .eq(floor(lift(whole)) + 1)
        .eq(lift(floor_of(whole)) + 1,                                           floor_integer)
        .eq(lift(floor_of(whole) + 1))
    )  # fmt: skip


@entry.proves(eq(floor((lift(224) - 7 + 2 * lift(3)) / 2) + 1, 112), "A usual first layer")
def usual():
    return worked(224, 7, 3, 2)


@entry.example("Another layer")
def another(rng: Random):
    return worked(rng.randint(20, 64), rng.choice((2, 3, 4, 5, 7)), rng.randint(1, 3), rng.choice((2, 3)))
