"""Everything that the catalogue comes to, as files: pages, kernels, certificates, the index, and a report of figures.

What is written is the same byte for byte wherever and however often it is made; only `report.*` holds measurements.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor, as_completed
from dataclasses import dataclass, replace
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from time import perf_counter
from typing import TypeVar

from derive.evidence.verify import Report, as_json, verify
from derive.files import prepared, write
from derive.language.term import Complaint
from derive.view import View, load

Step = Callable[[str, int, int], None]
"Called when a derivation is done: its slug, how many are done, of how many."


@dataclass(frozen=True)
class Built:
    """What came of one derivation.

    Attributes
    ----------
    slug : str
    report : Report
    files : tuple of (str, int)
        The names that were written, and their sizes in bytes; none where a proof failed.
    seconds : float
        How long it took, from proofs to files.
    """

    slug: str
    report: Report
    files: tuple[tuple[str, int], ...]
    seconds: float


def build(folder: Path, slugs: Sequence[str], *, jobs: int = 1, step: Step = lambda *_: None) -> tuple[Built, ...]:
    """Write every file of some derivations, then the index of them and the report.

    Parameters
    ----------
    folder : Path
        Made if need be.
    slugs : sequence of str
    jobs : int
        How many processes share the work.
    step : callable
        Told of the progress.

    Raises
    ------
    derive.files.FolderError
        If the folder or a file in it cannot be written.
    """
    prepared(folder)
    built = spread(partial(_built, folder=folder), slugs, jobs, step)
    good = [one.slug for one in built if one.files]
    write(folder / "index.html", index(good).rstrip("\n") + "\n")
    write(folder / "report.json", as_json(one.report for one in built))
    write(folder / "report.md", summary(built))
    return tuple(built)


def _built(slug: str, *, folder: Path) -> Built:
    start = perf_counter()
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
    return Built(slug, report, files, perf_counter() - start)


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
    """Return the index page of some derivations, under their topics."""
    from derive.pages.site import Entry, Topic, index_page
    from derive.registry import TOPICS

    entries: dict[str, list[Entry]] = {}
    for slug in slugs:
        view = load(slug)
        names = [("solution", f"{slug}.html"), ("practice", f"{slug}-practice.html"), ("TeX", f"{slug}.tex")]
        names += [("NumPy", f"{slug}.py")] * bool(view.kernels) + [("certificate", f"{slug}.json")]
        row = Entry(slug, view.title, view.claim, view.entry.flagship, tuple(names))
        entries.setdefault(view.entry.topic, []).append(row)
    return index_page(Topic(TOPICS[topic], tuple(entries[topic])) for topic in TOPICS if topic in entries)


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
    with ProcessPoolExecutor(min(jobs, len(slugs)), get_context("spawn")) as pool:
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
