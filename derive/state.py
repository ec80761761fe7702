"""What a build remembers: what each entry's files were made from, so that the next build makes only what has changed.

Beside what it wrote, a build keeps `report.state/SLUG.json`: a hash of everything that the files depend on, a hash of
each file, and the figures. What is damaged, of another format or out of date is as good as nothing.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final

from derive.files import prepared, write
from derive.registry import slugs, source

FORMAT: Final = "derive build 1"
FOLDER: Final = "report.state"
PACKAGES: Final = ("derive", "sympy", "numpy", "mpmath", "jinja2", "markupsafe", "latex2mathml")
_PACKAGE: Final = Path(__file__).parent
_CATALOGUE: Final = _PACKAGE / "catalogue"
_SUFFIXES: Final = frozenset((".py", ".json", ".woff2", ".j2", ".css"))
_IMPORT: Final = re.compile(r"derive\.catalogue\.(\w+)(?:\.(\w+))?")
_QUOTED: Final = re.compile(r'"([a-z0-9]+(?:-[a-z0-9]+)*)"')


# ---- what files are made from ---------------------------------------------------------------------------------------


def inputs(names: Iterable[str]) -> dict[str, str]:
    """Return for each slug a hash of all that its files are made from.

    That is the engine, the templates, the versions of Python and of the packages; and of the catalogue its own file,
    what that imports, the entries whose slugs it names, and what is misstated about it.
    """
    engine = _engine()
    texts = {path: path.read_text(encoding="utf-8") for path in sorted(_CATALOGUE.rglob("*.py"))}
    files = {slug: source(slug) for slug in slugs()}
    named = {slug: files.keys() & set(_QUOTED.findall(texts[path])) for slug, path in files.items()}
    wrong = [slug for slug, path in files.items() if path.parent.name == "misstated"]

    @cache
    def imported(path: Path) -> frozenset[Path]:
        """The modules of the catalogue that a text names: of a package all, where no module is named."""
        found = set[Path]()
        for topic, name in _IMPORT.findall(texts[path]):
            module = _CATALOGUE / topic / f"{name}.py"
            found |= {module} if module in texts else {other for other in texts if other.parent.name == topic}
        return frozenset(found)

    def hashed(slug: str) -> str:
        near = {slug, *named[slug], *(other for other in wrong if slug in named[other])}
        needed, waiting = set[Path](), [files[other] for other in near]
        while waiting:
            path = waiting.pop()
            if path not in needed:
                needed.add(path)
                waiting += imported(path)
        parts = (f"{path.relative_to(_CATALOGUE)}\n{texts[path]}" for path in sorted(needed))
        return _hash(engine, slug, *parts)

    return {name: hashed(name) for name in names}


def _engine() -> str:
    """Return a hash of everything but the catalogue: sources, templates, fonts, versions."""
    packed = _PACKAGE / "templates"  # in a checkout they stand beside the package
    templates = packed if packed.is_dir() else _PACKAGE.parent / "templates"
    files = {
        f"{name}/{path.relative_to(root).as_posix()}": path
        for name, root in (("derive", _PACKAGE), ("templates", templates))
        for path in root.rglob("*")
        if path.suffix in _SUFFIXES and path.is_file() and not path.is_relative_to(_CATALOGUE)
    }
    parts = (
        f"{name}\n".encode() + path.read_bytes()
        for name, path in sorted(files.items())
        if not name.startswith("derive/templates/")
    )
    versions = (f"{name} {_version(name)}" for name in PACKAGES)
    return _hash(FORMAT, sys.version, *versions, *(sha256(part).hexdigest() for part in parts))


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "0"


def _hash(*parts: str) -> str:
    whole = sha256()
    for part in parts:
        whole.update(sha256(part.encode()).digest())
    return whole.hexdigest()


# ---- what was written -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Remembered:
    """What was made of an entry, or of the index: the hash of its inputs, of each file, and figures as plain data."""

    inputs: str
    files: Mapping[str, str]
    figures: Mapping[str, Any]


def recalled(folder: Path, name: str, made_from: str) -> Remembered | None:
    """Return what was remembered; None where the inputs are other ones, or a file is missing or was edited."""
    known = remembered(folder, name)
    if known is None or known.inputs != made_from or file_hashes(folder, known.files) != known.files:
        return None
    return known


def remembered(folder: Path, name: str) -> Remembered | None:
    """Return what was remembered, be it out of date; None where there is nothing, or it is damaged."""
    try:
        data = json.loads((folder / FOLDER / f"{name}.json").read_text(encoding="utf-8"))
        known = Remembered(str(data["inputs"]), dict(data["files"]), dict(data["figures"]))
    except (OSError, ValueError, LookupError, TypeError):
        return None
    return known if data.get("format") == FORMAT else None


def remember(folder: Path, name: str, known: Remembered) -> None:
    """Write down what was made."""
    data = {"format": FORMAT, "inputs": known.inputs, "files": dict(known.files), "figures": dict(known.figures)}
    write(prepared(folder / FOLDER) / f"{name}.json", json.dumps(data, ensure_ascii=False) + "\n")


def forget(folder: Path, name: str) -> None:
    """Forget what was made: the files are about to be written."""
    (folder / FOLDER / f"{name}.json").unlink(missing_ok=True)


def file_hashes(folder: Path, names: Iterable[str]) -> dict[str, str]:
    """Return the hash of each file that is there."""
    return {name: sha256((folder / name).read_bytes()).hexdigest() for name in names if (folder / name).is_file()}
