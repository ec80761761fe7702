"""Finding entries by slug, topic and priority, without proving anything.

What a list shows is read from the text of the entries, which takes a tenth of the time that it takes to import them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from importlib import import_module
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from derive.record import Misstatement, Record

TOPICS: Final = MappingProxyType({
    "activations": "Activations",
    "calculus": "Calculus",
    "linear_models": "Linear models and losses",
    "networks": "Networks",
    "attention": "Attention and transformers",
    "optimisation": "Optimisation",
    "probability": "Probability and statistics",
    "information": "Information theory",
    "generative": "Generative models",
    "linear_algebra": "Linear algebra",
    "misstated": "Often misstated",
})  # fmt: skip
PRIORITIES: Final = ("critical", "important", "useful")
_FIELD: Final = re.compile(r'^    (title|priority)="([^"\\\n]*)",$|^    (flagship)=True,$', re.MULTILINE)


class UnknownSlugError(LookupError):
    """A slug that no entry has."""


@dataclass(frozen=True)
class Card:
    """What a list shows of an entry."""

    slug: str
    topic: str
    title: str
    priority: str
    flagship: bool


@cache
def _modules() -> dict[str, str]:
    """Return the modules of the catalogue by slug, in the order of topics and names; nothing is imported."""
    root = Path(__file__).parent / "catalogue"
    files = [(topic, path) for topic in TOPICS for path in sorted((root / topic).glob("[!_]*.py"))]
    return {path.stem.replace("_", "-"): f"derive.catalogue.{topic}.{path.stem}" for topic, path in files}


def slugs() -> tuple[str, ...]:
    """Return every slug."""
    return tuple(_modules())


def source(slug: str) -> Path:
    """Return the file of an entry."""
    *_, topic, name = _modules()[slug].split(".")
    return Path(__file__).parent / "catalogue" / topic / f"{name}.py"


def load(slug: str) -> Record:
    """Return an entry by its slug.

    Raises
    ------
    UnknownSlugError
        With the nearest slugs.
    """
    from derive.record import Record

    modules = _modules()
    if slug not in modules:
        raise UnknownSlugError(
            f"there is no derivation “{slug}”: {nearest(slug, modules, 'derive list shows them all')}"
        )
    entry = getattr(import_module(modules[slug]), "entry", None)
    if not isinstance(entry, Record):
        raise TypeError(f"{modules[slug]} has no Derivation and no Misstatement with the name entry")
    return entry


def nearest(word: str, words: Iterable[str], otherwise: str) -> str:
    """Return a hint for a word that is unknown: those that are like it, or what is said where there is none."""
    near = get_close_matches(word, words, n=3, cutoff=0.4)
    return f"did you mean {', '.join(near)}?" if near else otherwise


def catalogue() -> tuple[Record, ...]:
    """Return every entry, in the order of topics and names."""
    return tuple(map(load, slugs()))


def misstatements() -> tuple[Misstatement, ...]:
    """Return what is often said and false."""
    from derive.record import Misstatement

    wrong = (load(slug) for slug, module in _modules().items() if module.split(".")[-2] == "misstated")
    return tuple(entry for entry in wrong if isinstance(entry, Misstatement))


# ---- lists ----------------------------------------------------------------------------------------------------------


def cards() -> tuple[Card, ...]:
    """Return what a list shows of every entry: by topic, then by priority, then by name."""
    order = {topic: number for number, topic in enumerate(TOPICS)}
    found = map(_card, slugs())
    return tuple(sorted(found, key=lambda card: (order[card.topic], PRIORITIES.index(card.priority), card.slug)))


def _card(slug: str) -> Card:
    """Return a card as the entry's text tells; where it does not, the entry is imported."""
    read = {name or flag: value for name, value, flag in _FIELD.findall(source(slug).read_text(encoding="utf-8"))}
    topic = _modules()[slug].split(".")[-2]
    if read.keys() >= {"title", "priority"}:
        return Card(slug, topic, read["title"], read["priority"], "flagship" in read)
    entry = load(slug)
    return Card(slug, topic, entry.plain_title, entry.priority, entry.flagship)


def matching(card: Card, words: str) -> bool:
    """Tell whether every word of a search occurs in the slug, the title or the goal of an entry."""
    wanted = words.casefold().split()
    text = f"{card.slug} {card.title}".casefold()
    return all(word in text for word in wanted) or all(
        word in f"{text} {load(card.slug).about}".casefold() for word in wanted
    )
