"""The house stands as docs/architecture.md draws it: imports go down only, and a few files keep their promises.

Imports are read from the source, those inside functions and under ``TYPE_CHECKING`` too; nothing is executed. A new
room or a new module of the logic is a new row in one of the two tables below.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parents[1]

PEERS = {"catalogue", "deriver", "kernels", "pages"}
PARTS = {"language", "logic", "record", "registry", *PEERS}

# Which room may import from which others; every room may import from itself. "" is derive/__init__.py.
ROOMS = {
    "language":  set(),
    "logic":     {"language"},
    "record":    {"language", "logic"},
    "catalogue": {"language", "logic", "record"},
    "deriver":   {"language", "logic", "record"},
    "kernels":   {"language", "logic", "record"},
    "pages":     {"language", "logic", "record"},
    "registry":  {"record", "catalogue"},
    "evidence":  PARTS,
    "files":     set(),  # writing a file whole
    "view":      PARTS | {"evidence"},  # one derivation and all its views
    "state":     {"registry", "files"},  # what a build remembers
    "losses":    PARTS | {"evidence", "view"},  # any loss: a worked solution as a view
    "build":     PARTS | {"evidence", "files", "view", "state", ""},
    "":          PARTS | {"evidence", "view", "losses"},  # the public names, loaded when they are first asked for
    "cli":       PARTS | {"evidence", "files", "view", "losses", "build", ""},
    "__main__":  {"cli"},
}  # fmt: skip

# The same within the logic: meaning <- theorem <- strategy <- rules <- calc, and rules <- certificate. A module of
# derive/logic/rules is "rules".
BELOW_THE_CORE = {"meaning", "integrability", "facts", "context", "axiom"}
LOGIC = {
    "meaning":     set(),
    "integrability": set(),
    "facts":       {"meaning", "integrability"},
    "context":     {"meaning", "integrability", "facts"},
    "axiom":       {"meaning", "integrability", "facts", "context"},
    "theorem":     BELOW_THE_CORE,
    "fingerprint": {"meaning"},
    "strategy":    BELOW_THE_CORE | {"theorem", "fingerprint"},
    "rules":       BELOW_THE_CORE | {"theorem", "strategy"},
    "calc":        BELOW_THE_CORE | {"theorem", "strategy", "rules"},
    "arguments":   BELOW_THE_CORE | {"theorem", "strategy", "rules", "calc"},
    "certificate": BELOW_THE_CORE | {"theorem", "strategy", "rules"},
    "sympy_bridge": {"meaning"},  # for people who go on in SymPy: no proof rests on it
    "sympy_losses": {"sympy_bridge"},  # for people who come from there
}  # fmt: skip

# Exact lists, for modules that are trusted because they depend on so little: what of ours each may import.
ALONE = {
    "derive.language.term": set(),
    "derive.evidence.witness": {"derive.language.term"},
}

# Who may not import what: the names are modules or whole packages.
BANNED = [
    ("derive.language.term", {"sympy", "numpy", "mpmath"}, "a held term is plain Python"),
    ("derive.evidence.witness", {"sympy"}, "the witness judges SymPy too, so it computes with mpmath"),
    ("derive.catalogue", {"sympy", "jinja2", "latex2mathml"}, "an entry is written in terms, and loads without SymPy"),
    ("derive.logic", {"jinja2", "latex2mathml"}, "how a proof looks is for derive/pages to say"),
    ("derive.pages", {"sympy"}, "a page prints terms; SymPy would reorder and evaluate them"),
    ("derive.pages", {"derive.logic.rules"}, "a page prints the steps of a record and takes none of its own"),
    ("derive.registry", {"sympy"}, "entries are found and listed without SymPy"),
    ("derive.cli", {"sympy"}, "`derive --help` answers at once; leave SymPy to the function that the command calls"),
]

CORE_LINES = 400


class Import(NamedTuple):
    """One import: the module that asks, what it asks for (as dotted as the source tells), and where."""

    module: str
    target: str
    line: int
    late: bool
    "Inside a function, or for types only: not executed when the module is."

    def __str__(self) -> str:
        return f"{self.module}, line {self.line}, imports {self.target}"


def module_name(path: Path) -> str:
    """derive/logic/calc.py -> derive.logic.calc, and a package's __init__.py -> the package."""
    return ".".join(path.with_suffix("").parts).removesuffix(".__init__")


def imports(module: str, source: str, *, package: bool = False) -> Iterator[Import]:
    """Every import of a source text; ``from a import b`` names ``a.b``, since b may be a module."""
    home = module.split(".") if package else module.split(".")[:-1]

    def walk(node: ast.AST, late: bool) -> Iterator[Import]:
        for child in ast.iter_child_nodes(node):
            match child:
                case ast.Import():
                    for alias in child.names:
                        yield Import(module, alias.name, child.lineno, late)
                case ast.ImportFrom():
                    base = home[: len(home) - child.level + 1] if child.level else []
                    for alias in child.names:
                        target = ".".join([*base, *filter(None, [child.module]), alias.name])
                        yield Import(module, target.removesuffix(".*"), child.lineno, late)
                case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.Lambda():
                    yield from walk(child, True)
                case ast.If(test=ast.Name("TYPE_CHECKING") | ast.Attribute(attr="TYPE_CHECKING")):
                    yield from walk(ast.Module(child.body, []), True)
                    yield from walk(ast.Module(child.orelse, []), late)
                case ast.Call(func=ast.Name("import_module" | "__import__") | ast.Attribute(attr="import_module")):
                    match child.args:
                        case [ast.Constant(str(target)), *_]:
                            yield Import(module, target, child.lineno, late)
                    yield from walk(child, late)
                case _:
                    yield from walk(child, late)

    return walk(ast.parse(source), False)


def under(name: str, roof: str) -> bool:
    """Whether a dotted name is a module or package, or something inside it."""
    return name == roof or name.startswith(roof + ".")


def room(name: str) -> str:
    """derive.logic.calc.by -> logic; a name of the package itself, derive.load -> ""."""
    first = [*name.split("."), ""][1]
    return first if first in ROOMS else ""


def storey(name: str) -> str:
    """derive.logic.rules.calculus -> rules; the package derive.logic itself -> ""."""
    return [*name.split("."), "", ""][2]


def fault(found: Import) -> str | None:
    """What an import breaks and what to do about it, or None."""
    module, target = found.module, found.target
    for roof, banned, reason in BANNED:
        if under(module, roof) and any(under(target, name) for name in banned):
            return f"{found}: {reason}"
    if not under(target, "derive") or target.rpartition(".")[2].startswith("__"):
        return None  # not ours, or a name such as derive.__version__
    alone = next((name for name in ALONE if under(module, name)), None)
    if alone and not any(under(target, name) for name in {alone, *ALONE[alone]}):
        allowed = " and ".join(sorted(ALONE[alone])) or "nothing"
        return f"{found}: of ours it may import {allowed}; pass the value in, or move the code that needs it"
    above, below = room(module), room(target)
    if above != below and below not in ROOMS[above]:
        return (
            f"{found}: derive/{above or '__init__.py'} may import from {sorted(ROOMS[above] - {''}) or 'nothing'}, "
            f"not from {below or 'the package itself'}; move what it needs down, or pass it in from above"
        )
    if above == below == "logic":
        upper, lower = storey(module), storey(target)
        if upper and upper != lower and lower not in LOGIC[upper]:
            return (
                f"{found}: in the logic, {upper} may import from {sorted(LOGIC[upper]) or 'nothing'}, not from "
                f"{lower or 'the package itself'}; move what it needs down, or pass it in from above"
            )
    return None


SOURCES = {module_name(path.relative_to(ROOT)): path for path in sorted((ROOT / "derive").rglob("*.py"))}


def read(module: str) -> list[Import]:
    path = SOURCES[module]
    return list(imports(module, path.read_text(encoding="utf-8"), package=path.name == "__init__.py"))


def loaded_with(module: str) -> dict[str, str]:
    """Every module that importing this one executes, its packages' ``__init__.py`` included, and who asked for it."""
    reached: dict[str, str] = {}
    queue = [(module, "the test")]
    while queue:
        name, by = queue.pop()
        parts = name.split(".")
        for end in range(1, len(parts) + 1):
            part = ".".join(parts[:end])
            ours = under(part, "derive")
            if part in reached or (ours and part not in SOURCES):
                continue
            reached[part] = by
            if ours:
                queue += [(found.target, part) for found in read(part) if not found.late]
    return reached


@pytest.mark.parametrize("module", SOURCES)
def test_imports_go_down_only(module):
    faults = [text for found in read(module) if (text := fault(found))]
    assert not faults, "\n" + "\n".join(faults)


def test_every_module_has_a_place():
    names = [name for name in SOURCES if name != "derive"]
    lost = [name for name in names if name.split(".")[1] not in ROOMS]
    lost += [
        name for name in names if under(name, "derive.logic") and name != "derive.logic" and storey(name) not in LOGIC
    ]
    assert not lost, f"give each of these a row in ROOMS or LOGIC, with what it may import: {lost}"


def test_what_the_tables_watch_exists():
    """A file that is renamed must not slip out of its table."""
    watched = [*ALONE, *(roof for roof, _, _ in BANNED), *(f"derive.logic.{name}" for name in LOGIC)]
    lost = [name for name in watched if not any(under(module, name) for module in SOURCES)]
    assert not lost, f"not there any more; rename these in the tables too: {lost}"


@pytest.mark.parametrize("table", [ROOMS, LOGIC], ids=["rooms", "logic"])
def test_the_tables_have_no_cycle(table):
    placed = set()
    while rest := [name for name in table if name not in placed]:
        free = [name for name in rest if table[name] <= placed]
        assert free, f"these import one another in a circle: {rest}"
        placed.update(free)


@pytest.mark.parametrize("module", ALONE)
def test_the_trusted_few_load_nothing_else(module):
    """Not by way of a package's __init__.py either."""
    extra = {
        name: by
        for name, by in loaded_with(module).items()
        if under(name, "sympy")
        or (
            under(name, "derive")
            and not any((under(module, name), under(name, module), under(name, "derive.language")))
        )
    }
    assert not extra, f"importing {module} loads these (and who asks for them): {extra}"


@pytest.mark.parametrize("module", ["derive", "derive.cli", "derive.registry"])
def test_listing_and_help_load_no_heavy_package(module):
    heavy = {"sympy", "numpy", "mpmath", "jinja2", "latex2mathml"}
    extra = {name: by for name, by in loaded_with(module).items() if name in heavy}
    assert not extra, f"importing {module} loads these; import them inside the function that needs them: {extra}"


def test_the_core_is_read_at_one_sitting():
    core = ROOT / "derive/logic/theorem.py"
    lines = len(core.read_text(encoding="utf-8").splitlines())
    assert lines <= CORE_LINES, f"the core has {lines} lines: move out what makes no theorem"


def test_the_catalogue_types_no_latex():
    typed = re.compile(r"\\(frac|sum|prod|partial|mathbb|mathbf|operatorname|begin|left|text)\b")
    rows = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in sorted((ROOT / "derive/catalogue").rglob("*.py"))
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if typed.search(line)
    ]
    assert not rows, f"every formula on a page is printed from a term; write these as terms: {rows}"


def test_nothing_names_a_machine_or_a_registry():
    """A path or a host that only one machine knows makes the next one fail."""
    hosts = ("pypi." + "org", "pythonhosted." + "org", "registry.npmjs." + "org", "deb.debian." + "org")
    places = re.compile(r"(?<![\w/.+])/(?:work|root|home|tmp|opt|Users)/\w|" + "|".join(map(re.escape, hosts)))
    folders = ("derive", "templates", "outputs", "tests", "docs", "benchmarks", ".ci")
    files = [path for path in ROOT.iterdir() if path.is_file() and path.name != ".git"]
    files += [path for folder in folders for path in (ROOT / folder).rglob("*") if path.is_file()]
    binary = {".woff2", ".png", ".pdf", ".pyc", ".ttf", ".otf"}
    rows = [
        f"{path.relative_to(ROOT)}:{number}: {match.group()}"
        for path in sorted(files)
        if path.suffix not in binary
        for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1)
        if (match := places.search(line))
    ]
    assert not rows, f"say these relative to the project, or leave them to the machine's own settings: {rows}"


FORBIDDEN = [
    ("derive.language.parse", "import derive.logic.calc"),
    ("derive.language.parse", "from derive import registry"),
    ("derive.language.parse", "from derive import load"),
    ("derive.language.term", "from .notation import SYMBOLS"),
    ("derive.language.term", "import sympy as sp"),
    ("derive.logic.meaning", "from .theorem import Theorem"),
    ("derive.logic.theorem", "from derive.logic.rules.algebra import expand"),
    ("derive.logic.strategy", "from derive.logic import calc"),
    ("derive.logic.rules.sums", "from ..calc import calc"),
    ("derive.logic.certificate", "from derive.logic.calc import calc"),
    ("derive.logic.calc", "from derive.evidence.witness import sample"),
    ("derive.record", "from derive.pages.tex import tex"),
    ("derive.catalogue.deep.elbo", "from derive.pages import tex"),
    ("derive.catalogue.deep.elbo", "from derive.kernels import printer"),
    ("derive.catalogue.deep.elbo", "from derive.evidence import witness"),
    ("derive.catalogue.deep.elbo", "import sympy"),
    ("derive.pages.model", "from derive.logic.rules import sums"),
    ("derive.pages.model", "import derive.logic.rules.sums as sums"),
    ("derive.pages.model", "from derive.logic import rules"),
    ("derive.kernels.printer", "from derive.pages.tex import tex"),
    ("derive.evidence.witness", "from derive.language import notation"),
    ("derive.evidence.witness", "from sympy import Symbol"),
    ("derive.evidence.witness", "from derive.language.notation import SYMBOLS"),
    ("derive.evidence.verify", "from derive.cli import main"),
    ("derive.cli", "import sympy"),
    # wherever it stands
    ("derive.language.parse", "def f():\n    from derive.logic import calc"),
    ("derive.language.parse", "if TYPE_CHECKING:\n    from derive.record import Derivation"),
    ("derive.language.parse", "try:\n    import derive.logic\nexcept ImportError:\n    pass"),
    ("derive.language.parse", "calc = importlib.import_module('derive.logic.calc')"),
    ("derive.logic.rules.sums", "class A:\n    async def f(self):\n        from derive.logic.calc import *"),
]

ALLOWED = [
    ("derive.language.notation", "from .term import Term"),
    (
        "derive.logic.theorem",
        "from derive.language.term import Term\nfrom derive.logic import facts, meaning\nimport sympy",
    ),
    ("derive.logic.rules.sums", "from derive.logic.rules.algebra import ring\nfrom ..strategy import then"),
    ("derive.logic.certificate", "from derive import __version__"),
    ("derive.catalogue.deep.elbo", "from derive.catalogue.probability.jensen import jensen"),
    ("derive.registry", "def load(slug):\n    import derive.catalogue"),
    (
        "derive.pages.site",
        "import jinja2\nfrom derive.record import Derivation\nfrom derive.logic.theorem import Theorem",
    ),
    ("derive.evidence.witness", "import mpmath\nfrom derive.language.term import Term"),
    ("derive.cli", "from derive.evidence.verify import verify\nimport derive"),
]


@pytest.mark.parametrize(("module", "source"), FORBIDDEN)
def test_a_forbidden_import_is_caught(module, source):
    assert [text for found in imports(module, source) if (text := fault(found))]


@pytest.mark.parametrize(("module", "source"), ALLOWED)
def test_an_allowed_import_is_not(module, source):
    assert [text for found in imports(module, source) if (text := fault(found))] == []


def test_a_fault_says_where_and_what_to_do():
    [found] = imports("derive.language.parse", "\nfrom ..logic import calc")
    assert fault(found) == (
        "derive.language.parse, line 2, imports derive.logic.calc: derive/language may import from nothing, "
        "not from logic; move what it needs down, or pass it in from above"
    )
