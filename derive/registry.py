"""Finding derivations by slug, topic and priority, without proving anything."""

from __future__ import annotations

from difflib import get_close_matches
from functools import cache
from importlib import import_module
from pathlib import Path
from types import MappingProxyType
from typing import Final

from derive.record import Derivation

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


class UnknownSlugError(LookupError):
    """A slug that no derivation has."""


@cache
def _modules() -> dict[str, str]:
    """Return the modules of the catalogue by slug, in the order of topics and names; nothing is imported."""
    root = Path(__file__).parent / "catalogue"
    files = [(topic, path) for topic in TOPICS for path in sorted((root / topic).glob("[!_]*.py"))]
    return {path.stem.replace("_", "-"): f"derive.catalogue.{topic}.{path.stem}" for topic, path in files}


def slugs() -> tuple[str, ...]:
    """Return every slug."""
    return tuple(_modules())


def load(slug: str) -> Derivation:
    """Return a derivation by its slug.

    Raises
    ------
    UnknownSlugError
        With the nearest slugs.
    """
    modules = _modules()
    if slug not in modules:
        near = get_close_matches(slug, modules, n=3, cutoff=0.4)
        hint = f"did you mean {', '.join(near)}?" if near else "derive list shows them all"
        raise UnknownSlugError(f"there is no derivation “{slug}”: {hint}")
    entry = import_module(modules[slug]).entry
    if not isinstance(entry, Derivation):
        raise TypeError(f"{modules[slug]}.entry is no Derivation")
    return entry


def catalogue() -> tuple[Derivation, ...]:
    """Return every derivation, in the order of topics and names."""
    return tuple(map(load, slugs()))
