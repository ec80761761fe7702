"""Everything that the catalogue comes to, as files: pages, kernels, certificates, the index, and a report of figures.

What is written is the same byte for byte wherever and however often it is made; only `report.*` holds measurements.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor, as_completed
from dataclasses import dataclass, replace
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from time import perf_counter
from typing import TypeVar

from derive import registry, state
from derive.evidence.verify import Report, as_data, as_json, from_data, verify
from derive.files import prepared, write
from derive.language.term import Complaint
from derive.record import Misstatement
from derive.view import View, load

_LEDE = (
    "Each result is proved line by line by rules and seen again at 50 digits. The solution shows every step with its "
    "reason, the practice sheet leaves blanks in their place, the NumPy module computes what was proved, and anyone "
    "can replay the certificate. ★ marks where to begin."
)

Step = Callable[[str, int, int], None]
"Called when a derivation is done: its slug, how many are done, of how many."


@dataclass(frozen=True)
class Built:
    """What came of one entry.

    Attributes
    ----------
    slug : str
    report : Report
    files : tuple of (str, int)
        The names that were written, and their sizes in bytes; none where a proof failed.
    seconds : float
        How long it took, from proofs to files.
    unchanged : bool
        Whether an earlier build made it from the same, and nothing had to be done.
    """

    slug: str
    report: Report
    files: tuple[tuple[str, int], ...]
    seconds: float
    unchanged: bool = False


def build(
    folder: Path, slugs: Sequence[str], *, jobs: int = 1, step: Step = lambda *_: None, force: bool = False
) -> tuple[Built, ...]:
    """Write every file of some entries that is not there as it should be, then the index and the report.

    Parameters
    ----------
    folder : Path
        Made if need be.
    slugs : sequence of str
    jobs : int
        How many processes share the work.
    step : callable
        Told of the progress.
    force : bool
        Make everything again, whatever an earlier build remembers.

    Raises
    ------
    derive.files.FolderError
        If the folder or a file in it cannot be written.
    """
    prepared(folder)
    made_from = state.inputs(slugs)
    done = {} if force else {slug: one for slug in slugs if (one := _unchanged(folder, slug, made_from[slug]))}
    rest = sorted((slug for slug in slugs if slug not in done), key=lambda slug: -_seconds(folder, slug))
    done |= {one.slug: one for one in spread(partial(_built, folder=folder), rest, jobs, step)}
    built = tuple(done[slug] for slug in slugs)
    _write_index(folder, _there(folder, done), force=force)
    write(folder / "report.json", as_json(one.report for one in built))
    write(folder / "report.md", summary(built))
    return built


def _unchanged(folder: Path, slug: str, made_from: str) -> Built | None:
    """Return what an earlier build made of an entry, if all of it would be the same again."""
    known = state.recalled(folder, slug, made_from)
    if known is None:
        return None
    files = tuple((name, (folder / name).stat().st_size) for name in known.files)
    return Built(slug, from_data(known.figures["report"]), files, known.figures["seconds"], unchanged=True)


def _seconds(folder: Path, slug: str) -> float:
    """Return how long an entry took the last time: the longest go first, so that no process is left alone with one."""
    known = state.remembered(folder, slug)
    return float(known.figures["seconds"]) if known else 0.0


def _built(slug: str, *, folder: Path) -> Built:
    start = perf_counter()
    state.forget(folder, slug)
    before = state.inputs([slug])[slug]
    view = load(slug)
    report = view.verify()
    if report.status == "fail" and not report.lines:
        return Built(slug, report, (), perf_counter() - start)
    try:
        texts = _texts(view)
    except Complaint as error:
        faulty = replace(report, faults=(*report.faults, f"{type(error).__name__}: {error}"))
        return Built(slug, faulty, (), perf_counter() - start)
    files = tuple((name, write(folder / name, text).stat().st_size) for name, text in texts.items())
    made = Built(slug, report, files, perf_counter() - start)
    if report.status == "pass" and state.inputs([slug])[slug] == before:  # a source may be edited meanwhile
        figures = {"report": as_data(report), "seconds": made.seconds}
        state.remember(folder, slug, state.Remembered(before, state.file_hashes(folder, texts), figures))
    return made


def _there(folder: Path, built: Mapping[str, Built]) -> list[str]:
    """Return the entries whose pages are in the folder: written now, or by an earlier build of others."""
    return [s for s in registry.slugs() if (built[s].files if s in built else (folder / f"{s}.html").is_file())]


def _write_index(folder: Path, slugs: Sequence[str], *, force: bool) -> None:
    """Write the index, unless it is there and would be the same."""
    inputs = " ".join(f"{slug} {made_from}" for slug, made_from in state.inputs(slugs).items())
    if force or state.recalled(folder, "index", inputs) is None:
        write(folder / "index.html", index(slugs).rstrip("\n") + "\n")
        known = state.Remembered(inputs, state.file_hashes(folder, ["index.html"]), {})
        state.remember(folder, "index", known)


def _texts(view: View) -> dict[str, str]:
    """Return what is written of a derivation, by file name."""
    slug = view.slug
    return {
        f"{slug}.html": view.to_html(),
        f"{slug}-practice.html": view.to_html("practice"),
        f"{slug}.tex": view.to_latex(),
        f"{slug}.json": view.to_json(),
        **({f"{slug}.py": view.numpy} if view.numpy else {}),
    }


def index(slugs: Iterable[str]) -> str:
    """Return the index page of some entries: under their topics, and in the order in which they rest on each other."""
    from derive.pages.site import Entry, Step, Topic, index_page
    from derive.registry import TOPICS

    entries: dict[str, list[Entry]] = {}
    titles, before = dict[str, str](), dict[str, tuple[str, ...]]()
    for slug in slugs:
        view = load(slug)
        names = [("solution", f"{slug}.html"), ("practice", f"{slug}-practice.html"), ("TeX", f"{slug}.tex")]
        names += [("NumPy", f"{slug}.py")] * bool(view.kernels) + [("certificate", f"{slug}.json")]
        false = isinstance(view.entry, Misstatement)
        row = Entry(slug, view.title, view.claim, view.entry.flagship, tuple(names), false)
        entries.setdefault(view.entry.topic, []).append(row)
        if not false:
            titles[slug], before[slug] = view.title, view.entry.prerequisites
    topics = [Topic(TOPICS[topic], tuple(entries[topic])) for topic in TOPICS if topic in entries]
    order = [
        [Step(slug, titles[slug], tuple(titles[other] for other in before[slug] if other in titles)) for slug in level]
        for level in levels(before)
    ]
    return index_page(topics, levels=order, lede=_LEDE)


def levels(before: Mapping[str, Iterable[str]]) -> list[list[str]]:
    """Return what comes first, what needs only that, and so on; names that are not among the keys do not count.

    Raises
    ------
    ValueError
        Where some come before one another.
    """
    out, placed = list[list[str]](), set[str]()
    while rest := [name for name in before if name not in placed]:
        ready = [name for name in rest if placed.issuperset(other for other in before[name] if other in before)]
        if not ready:
            raise ValueError(f"these are prerequisites of one another: {', '.join(rest)}")
        out.append(ready)
        placed |= set(ready)
    return out


# ---- sharing the work -----------------------------------------------------------------------------------------------

R = TypeVar("R")


def spread(work: Callable[[str], R], slugs: Sequence[str], jobs: int, step: Step) -> list[R]:
    """Return what a piece of work gives for each slug, in their order; done by several processes where jobs > 1."""
    if jobs <= 1 or len(slugs) <= 1:
        out = []
        for number, slug in enumerate(slugs, 1):
            out.append(work(slug))
            step(slug, number, len(slugs))
        return out
    # Each in a process of its own: what was made before in a process shows in the order of a proof's steps.
    with ProcessPoolExecutor(min(jobs, len(slugs)), get_context("spawn"), max_tasks_per_child=1) as pool:
        return list(_gathered(pool, work, slugs, step))


def _gathered(pool: Executor, work: Callable[[str], R], slugs: Sequence[str], step: Step) -> Iterator[R]:
    waiting = {pool.submit(work, slug): slug for slug in slugs}
    for number, done in enumerate(as_completed(waiting), 1):
        done.result()
        step(waiting[done], number, len(slugs))
    yield from (future.result() for future in waiting)


def verified(slug: str) -> Report:
    """Return the report on one derivation: `verify` by its slug, for a process of its own."""
    return verify(load(slug).entry)


# ---- the summary ----------------------------------------------------------------------------------------------------


def rows(built: Iterable[Built]) -> list[tuple[str, ...]]:
    """Return the summary as rows of text, the head first."""
    head = ("derivation", "status", "lines", "witnessed", "assumed", "kernel checks", "files", "kB", "seconds")
    body = []
    for one in built:
        report, sizes = one.report, [size for _, size in one.files]
        passed = sum(check.status == "pass" for check in report.kernels)
        body.append((
            one.slug,
            report.status,
            str(len(report.lines)),
            str(len(report.witnessed)),
            str(len(report.assumptions)),
            f"{passed}/{len(report.kernels)}",
            str(len(sizes)),
            f"{sum(sizes) / 1000:.0f}",
            f"{one.seconds:.1f}",
        ))  # fmt: skip
    return [head, *body]


def table(lines: Sequence[Sequence[str]]) -> str:
    """Return rows as an aligned table: words to the left, numbers to the right."""
    widths = [max(len(row[column]) for row in lines) for column in range(len(lines[0]))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if column < 2 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in lines
    )


def summary(built: Sequence[Built]) -> str:
    """Return the report as Markdown: the table, and every figure below it."""
    head, *body = rows(built)
    marked = [f"| {' | '.join(row)} |" for row in (head, ("---",) * len(head), *body)]
    figures = "\n\n".join(str(one.report) for one in built)
    return "\n".join(["# What derive build measured", "", *marked, "", "```", figures, "```", ""])
