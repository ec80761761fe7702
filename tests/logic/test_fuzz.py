"""No theorem of the core is false: random ones of every schema and every inference, judged by the witness."""

import multiprocessing
import sys
from collections import Counter

import pytest
from logic import fuzz
from logic.fuzz import AXIOMS, INFERENCES, KINDS, SEEDS, run, table

from derive.logic.theorem import INFERENCES as CORE

MEANT = {
    "step": ("step with an inequality", "step with a given"),
    "symmetry": ("equivalence, transport",),
    "transitivity": ("equivalence, transport",),
    "extensionality": ("generalisation, extensionality",),
    "componentwise": ("generalisation, extensionality",),
    "specialise": ("generalisation, extensionality",),
    "generalisation": ("generalisation, extensionality",),
    "conjunction": ("equivalence, transport",),
    "weakening": ("equivalence, transport",),
    "equivalence": ("equivalence, transport",),
    "transport": ("equivalence, transport",),
}


def tally(judged):
    """Counts by kind and verdict, and the false ones."""
    counts: dict[str, Counter[str]] = {}
    false = []
    for one in judged:
        counts.setdefault(one.kind, Counter())[one.evidence.status] += 1
        false += [str(one)] if one.evidence.status == "false" else []
    return counts, false


def ten_seeds(seed):
    """The tally of ten seeds."""
    return tally(run(range(seed, seed + 10)))


def test_every_schema_and_every_inference_is_fuzzed():
    assert set(SEEDS) == set(AXIOMS), "give the new schema a seed in tests/logic/fuzz.py"
    assert {name for name in CORE if not set(MEANT.get(name, (name,))) <= set(INFERENCES)} == set()


def test_a_thousand_random_theorems_hold():
    counts, false = tally(run(range(12), most_parts=60))
    assert not false, "\n".join(false)
    total = sum(counts.values(), Counter())
    assert total.total() >= 1000
    assert total["true"] >= 0.85 * total.total(), table(counts)
    silent = [kind for kind in KINDS if counts.get(kind, Counter())["true"] < 2]
    assert not silent, f"these hardly ever fire: {silent}\n{table(counts)}"


@pytest.mark.slow
def test_a_hundred_thousand_random_theorems_hold(record_property):
    counts: dict[str, Counter[str]] = {}
    false: list[str] = []
    with multiprocessing.Pool(maxtasksperchild=8) as pool:  # new processes, for terms are never forgotten
        for more, wrong in pool.imap_unordered(ten_seeds, range(1_000_000, 2_000_000, 10)):
            false += wrong
            for kind, seen in more.items():
                counts.setdefault(kind, Counter()).update(seen)
            total = sum(map(Counter.total, counts.values()))
            sys.stderr.write(f"\r{total} judged, {len(false)} false")
            if total >= 100_000:
                break
    record_property("fuzz", table(counts))
    assert not false, "\n".join(false)


@pytest.mark.parametrize("kind", ["sift", "chain rule", "algebra", "cases"])
def test_a_seed_makes_the_same_theorem_twice(kind):
    made = [[repr(fuzz.theorem_of(kind, f"again {number}")) for number in range(8)] for _ in range(2)]
    assert made[0] == made[1]
    assert len(set(made[0])) > 2
