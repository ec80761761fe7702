"""The command line: each command calls one function. Nothing heavy is imported before a command needs it."""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NoReturn

if TYPE_CHECKING:
    from derive.evidence.verify import Report
    from derive.logic.theorem import Theorem
    from derive.view import View

GOOD, FAILED, BAD_INPUT, UNRESOLVED = 0, 1, 2, 3
_CODES: Final = {"pass": GOOD, "fail": FAILED, "unresolved": UNRESOLVED}
FORMATS: Final = ("text", "latex", "html", "json", "numpy")
FRAMES: Final = 100_000  # of nested calls, in which a certificate is replayed
STACK: Final = 512 * 1024 * 1024  # bytes, reserved and not used up


class BadInput(Exception):  # noqa: N818 - what was put in, said in a sentence
    """What a person typed cannot be used; the message names it and the remedy."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code: 0 good, 1 something fails, 2 bad input, 3 something is unresolved."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    options = _parser().parse_args([_guarded(word) for word in (sys.argv[1:] if arguments is None else arguments)])
    try:
        code = int(options.run(options))
        sys.stdout.flush()
        return code
    except BadInput as error:
        print(f"derive: {error}", file=sys.stderr)
        return BAD_INPUT
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except KeyboardInterrupt:
        print("derive: interrupted", file=sys.stderr)
        return 130


def _guarded(word: str) -> str:
    """Put a blank before a loss that begins with a minus sign, which argparse would take for an option."""
    return f" {word}" if _MINUS.match(word) else word


_MINUS: Final = re.compile(r"-(?!o/)(\(|\d|\w+ *[(*/@+\[-])")


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(BAD_INPUT, f"derive: {message}; see {self.prog} --help\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="derive",
        description="Claims of machine-learning mathematics as checked proofs, NumPy kernels and worksheets.",
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="show the version")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND", parser_class=_Parser)

    def command(name: str, run: Callable[[argparse.Namespace], int], words: str) -> argparse.ArgumentParser:
        made = commands.add_parser(name, help=words, description=words)
        made.set_defaults(run=run)
        return made

    listing = command("list", _list, "List the derivations: by topic, the most important ones first.")
    listing.add_argument("--topic", metavar="TOPIC", help="only those of a topic")
    listing.add_argument("--priority", metavar="PRIORITY", help="only the critical, the important or the useful ones")
    listing.add_argument("--search", metavar="WORDS", help="only those whose slug, title or goal has all the words")

    show = command("show", _show, "Print one derivation.")
    show.add_argument("slug", metavar="SLUG")
    show.add_argument("--format", choices=FORMATS, default="text")

    _losses(command)

    sheet = command("worksheet", _worksheet, "Write worksheets: the solution, or the sheet with blanks.")
    sheet.add_argument("slugs", metavar="SLUG", nargs="+")
    sheet.add_argument("-o", "--output", metavar="DIR", type=Path, default=Path())
    sheet.add_argument("--format", choices=("html", "tex"), default="html")
    sheet.add_argument("--mode", choices=("solution", "practice"), default="solution")
    sheet.add_argument(
        "--seed", type=_seed, default=0, help="the numbers of examples, and the lines that are blank: 0 for all"
    )

    check = command(
        "verify", _verify, "Check proofs, lines in numbers, certificates and kernels, and print the figures."
    )
    check.add_argument("slugs", metavar="SLUG", nargs="*")
    check.add_argument("--junit", metavar="FILE", type=Path)
    check.add_argument("--json", metavar="FILE", type=Path)
    check.add_argument("--jobs", type=_jobs, default=1, help="how many processes share the work")

    again = command(
        "replay", _replay, "Replay certificates: every inference is made again, by the core and the rules alone."
    )
    again.add_argument(
        "certificates",
        metavar="CERTIFICATE.json",
        nargs="+",
        type=Path,
        help="or - alone: names are read from the standard input, and each is answered by a line of JSON",
    )

    build = command("build", _build, "Write every page, kernel and certificate of the catalogue, and their index.")
    build.add_argument("slugs", metavar="SLUG", nargs="*", help="only these; the index has all that are there")
    build.add_argument("-o", "--output", metavar="DIR", type=Path, default=Path("outputs"))
    build.add_argument("--force", action="store_true", help="make everything again, and not only what has changed")
    build.add_argument(
        "--jobs", type=_jobs, default=max(2, os.cpu_count() or 1), help="how many processes share the work"
    )
    return parser


def _losses(command: Callable[..., argparse.ArgumentParser]) -> None:
    """Add the commands that derive a loss of one's own."""
    for name, words in (
        ("gradient", "Derive the gradient of a loss in NumPy's syntax, with every line checked."),
        ("derivative", "Derive the derivative of a function of one number."),
        ("jacobian", "Derive the Jacobian of an array."),
        ("hessian", "Derive the Hessian of a loss."),
    ):
        made = command(name, _derived, words)
        made.set_defaults(what=name)
        made.add_argument("loss", metavar="LOSS", help='such as "mean((X @ w - y)**2)"')
        made.add_argument("--wrt", metavar="NAME", required=True, help="the variable to differentiate by")
        made.add_argument("--shape", metavar="NAME=N,d", action="append", default=[], help="a variable and its sizes")
        made.add_argument("--domain", metavar="NAME=DOMAIN", action="append", default=[], help="such as y=simplex")
        made.add_argument("--given", metavar="EQUATION", action="append", default=[], help='such as "sum(y) == 1"')
        made.add_argument("--assume", metavar="CONDITION", action="append", default=[], help='such as "s > 0"')
        made.add_argument("--format", choices=FORMATS, default="text")
        made.add_argument("--detail", type=int, choices=(1, 2, 3), default=2, help="how fine the lines are")
        made.add_argument("--seconds", type=_seconds, default=300.0, help="after which it is stopped, 300 if not said")
        made.add_argument("-o", "--output", metavar="FILE", type=Path)


def _derived(options: argparse.Namespace) -> int:
    import derive
    from derive.deriver.algebra import LimitError
    from derive.files import FolderError, prepared, write
    from derive.language.term import Complaint
    from derive.losses import deep

    start = time.monotonic()
    shapes, domains = _pairs(options.shape, "--shape", "X=N,d"), _pairs(options.domain, "--domain", "y=simplex")
    if options.what == "derivative":
        shapes.setdefault(options.wrt, "")
    work = getattr(derive, options.what)
    try:
        view = work(
            options.loss.removeprefix(" ") if options.loss.startswith(" -") else options.loss,
            options.wrt,
            shapes=shapes,
            domains=domains,
            given=options.given,
            assume=options.assume,
            detail=options.detail,
            seconds=options.seconds,
        )
    except Complaint as error:
        raise BadInput(str(error)) from error
    except RecursionError as error:
        raise BadInput("the loss nests too deep: name some of its parts") from error
    with _proving():
        try:
            text = deep(_texts(view)[options.format], max(1.0, start + options.seconds - time.monotonic()))
        except LimitError as error:
            raise BadInput(str(error)) from error
    if options.output is None:
        print(text, end="")
        return GOOD
    try:
        prepared(options.output.parent)
        print(write(options.output, text))
    except FolderError as error:
        raise BadInput(str(error)) from error
    return GOOD


def _pairs(given: Sequence[str], option: str, example: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for pair in given:
        name, sign, value = pair.partition("=")
        if not sign or not name.strip():
            raise BadInput(f"{option} {pair!r} is no pair: write {option} {example}")
        if found.setdefault(name.strip(), value) != value:
            raise BadInput(f"{option} says two things of {name.strip()}: {found[name.strip()]} and {value}")
    return found


class _Version(argparse.Action):
    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> None:
        from derive import __version__

        print(__version__)
        parser.exit()


def _seed(text: str) -> int:
    return _whole(text, 0, "a seed")


def _seconds(text: str) -> float:
    try:
        found = float(text)
    except ValueError:
        found = 0.0
    if not 0 < found < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is no time: pass a number of seconds above 0, such as 60")
    return found


def _jobs(text: str) -> int:
    return _whole(text, 1, "a number of processes")


def _whole(text: str, least: int, what: str) -> int:
    if not text.isascii() or not text.isdecimal() or len(text) > 18 or int(text) < least:
        raise argparse.ArgumentTypeError(f"{text!r} is not {what}: pass a whole number of at least {least}, such as 7")
    return int(text)


# ---- reading --------------------------------------------------------------------------------------------------------


def _load(slug: str) -> View:
    from derive.registry import UnknownSlugError
    from derive.view import load

    try:
        return load(slug)
    except UnknownSlugError as error:
        raise BadInput(str(error)) from error


def _list(options: argparse.Namespace) -> int:
    from itertools import groupby

    from derive.registry import PRIORITIES, TOPICS, cards, matching

    topics = {TOPICS[key]: key for key in TOPICS} | {key.replace("_", "-"): key for key in TOPICS}
    topic = _among(
        options.topic, topics, "topic", ", ".join(topics[name].replace("_", "-") for name in TOPICS.values())
    )
    priority = _among(options.priority, {name: name for name in PRIORITIES}, "priority", ", ".join(PRIORITIES))
    shown = [
        card
        for card in cards()
        if topic in {None, card.topic}
        and priority in {None, card.priority}
        and (options.search is None or matching(card, options.search))
    ]
    if not shown:
        asked = " ".join(
            f"--{name} {value}" for name in ("topic", "priority", "search") if (value := getattr(options, name))
        )
        raise BadInput(f"no derivation has {asked}: ask for less, or see derive list")
    width = max(len(card.slug) for card in shown)
    for number, (key, group) in enumerate(groupby(shown, key=lambda card: card.topic)):
        print("\n" * (number > 0) + TOPICS[key])
        before = ""
        for card in group:
            label = card.priority if card.priority != before else ""
            print(f"  {label:<9} {'★' if card.flagship else ' '} {card.slug:<{width}}  {card.title}")
            before = card.priority
    return GOOD


def _among(word: str | None, known: Mapping[str, str], what: str, listed: str) -> str | None:
    """Return what a word stands for, written in any case; None for none."""
    if word is None:
        return None
    from derive.registry import nearest

    lower = {name.casefold(): value for name, value in known.items()}
    wanted = word.casefold().strip().replace("_", "-")
    if wanted not in lower:
        raise BadInput(f"there is no {what} “{word}”: {nearest(wanted, lower, f'choose one of {listed}')}")
    return lower[wanted]


def _texts(view: View) -> dict[str, Callable[[], str]]:
    """Return what each format prints of a derivation."""
    return {
        "text": view.to_text,
        "latex": view.to_latex,
        "html": view.to_html,
        "json": view.to_json,
        "numpy": lambda: view.numpy,
    }


def _show(options: argparse.Namespace) -> int:
    view = _load(options.slug)
    with _proving():
        text = _texts(view)[options.format]()
    if not text:
        print(f"derive: {options.slug} has no kernels", file=sys.stderr)
    print(text, end="")
    return GOOD


class _proving:  # noqa: N801 - reads as a statement
    """A proof that fails is a failure of ours, and is told as one: without a traceback, with what it says."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        from derive.language.term import Complaint

        if isinstance(error, Complaint):
            print(f"derive: a proof fails: {error}\n  {_opinion(error)}".rstrip(), file=sys.stderr)
            raise SystemExit(FAILED) from error


def _opinion(error: BaseException) -> str:
    """What the witness says of a line that does not follow; nothing of other failures."""
    from derive.logic.calc import StepError

    if not isinstance(error, StepError):
        return ""
    from derive.evidence.opinion import opinion

    return opinion(error)


# ---- writing --------------------------------------------------------------------------------------------------------


def _worksheet(options: argparse.Namespace) -> int:
    from derive.files import FolderError, prepared, write

    views = [_load(slug) for slug in dict.fromkeys(options.slugs)]
    try:
        folder = prepared(options.output)
        for view in views:
            with _proving():
                make = view.to_html if options.format == "html" else view.to_latex
                text = make(options.mode, options.seed)
            parts = [
                view.slug,
                *(["practice"] if options.mode == "practice" else []),
                *([str(options.seed)] if options.seed else []),
            ]
            print(write(folder / f"{'-'.join(parts)}.{options.format}", text))
    except FolderError as error:
        raise BadInput(str(error)) from error
    return GOOD


class _Progress:
    """How far the work is, on the error stream: one line that changes in a terminal, a line a step elsewhere."""

    def __init__(self, verb: str) -> None:
        self.verb, self.live = verb, sys.stderr.isatty()

    def __call__(self, slug: str, done: int, total: int) -> None:
        if not self.live:
            print(f"[{done}/{total}] {self.verb} {slug}", file=sys.stderr, flush=True)
            return
        filled = round(24 * done / total)
        print(
            f"\r\x1b[K{'█' * filled}{'░' * (24 - filled)} {done}/{total} {self.verb} {slug}",
            end="",
            file=sys.stderr,
            flush=True,
        )
        if done == total:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)


def _build(options: argparse.Namespace) -> int:
    from derive.build import build, rows, table
    from derive.files import FolderError
    from derive.registry import slugs

    wanted = [_load(slug).slug for slug in dict.fromkeys(options.slugs)] or slugs()
    try:
        built = build(options.output, wanted, jobs=options.jobs, step=_Progress("built"), force=options.force)
    except FolderError as error:
        raise BadInput(str(error)) from error
    print(table(rows(built)))
    files, unchanged = sum(len(one.files) for one in built), sum(one.unchanged for one in built)
    told = f", and {unchanged} of {len(built)} derivations were so already" if unchanged else ""
    print(f"{files} files, index.html and report.md are in {options.output}{told}")
    return _told([one.report for one in built])


def _told(reports: Sequence[Report]) -> int:
    """Say on the error stream what does not hold, and return the exit code."""
    for report in reports:
        for problem in report.problems:
            print(f"derive: {report.slug}: {problem}", file=sys.stderr)
    codes = [_CODES[report.status] for report in reports]
    return FAILED if FAILED in codes else max(codes, default=GOOD)


# ---- checking -------------------------------------------------------------------------------------------------------


def _verify(options: argparse.Namespace) -> int:
    from derive.build import spread, verified
    from derive.evidence.verify import as_json, as_junit
    from derive.files import FolderError, prepared, write
    from derive.registry import slugs

    wanted = [_load(slug).slug for slug in dict.fromkeys(options.slugs)] or list(slugs())
    outputs = [(path, text) for path, text in ((options.junit, as_junit), (options.json, as_json)) if path]
    try:
        for path, _ in outputs:
            prepared(path.parent)
        reports = spread(verified, wanted, options.jobs, _Progress("verified"))
        for path, text in outputs:
            write(path, text(reports))
    except FolderError as error:
        raise BadInput(str(error)) from error
    for report in reports:
        print(report)
    counts = ", ".join(f"{n} {s}" for s in _CODES if (n := sum(report.status == s for report in reports)))
    print(f"{len(reports)} derivations: {counts}")
    codes = [_CODES[report.status] for report in reports]
    return FAILED if FAILED in codes else max(codes, default=GOOD)


def _replay(options: argparse.Namespace) -> int:
    if options.certificates == [Path("-")]:
        return _replay_by_name(line.rstrip("\n") for line in sys.stdin)
    for path in options.certificates:
        data, claims = _replayed(path)
        print(f"{path}: {data['slug']} holds")
        for name, theorem in claims.items():
            print(f"  {name}: {theorem!r}")
    return GOOD


def _replay_by_name(names: Iterable[str]) -> int:
    """Answer each name by a line of JSON."""
    code = GOOD
    for name in names:
        answer: dict[str, object] = {"certificate": name, "holds": True}
        try:
            _, claims = _replayed(Path(name))
            answer["claims"] = {claim: repr(theorem) for claim, theorem in claims.items()}
        except BadInput as error:
            answer |= {"holds": False, "why": str(error)}
            code = BAD_INPUT
        print(json.dumps(answer, ensure_ascii=False), flush=True)
    return code


def _replayed(path: Path) -> tuple[Any, dict[str, Theorem]]:
    """Return a certificate and its claims, made again."""
    from derive.logic.certificate import CertificateError, replay

    data = _read(path)
    try:
        return data, _on_a_deep_stack(lambda: replay(data))
    except CertificateError as error:
        raise BadInput(f"{path} is refused: {error}") from error
    except (
        ArithmeticError,
        AssertionError,
        AttributeError,
        LookupError,
        RecursionError,
        TypeError,
        ValueError,
    ) as error:
        what = f"{type(error).__name__}: {error}"
        raise BadInput(f"{path} is refused: it is damaged ({what}); make it again with derive build") from error


def _on_a_deep_stack(work: Callable[[], dict[str, Theorem]]) -> dict[str, Theorem]:
    """Do what goes as deep as the layers of a network."""
    found: list[dict[str, Theorem]] = []
    failed: list[BaseException] = []

    def run() -> None:
        try:
            found.append(work())
        except BaseException as error:  # noqa: BLE001 - it is raised again where it belongs
            failed.append(error)

    frames, size = sys.getrecursionlimit(), threading.stack_size(STACK)
    sys.setrecursionlimit(max(frames, FRAMES))
    try:
        thread = threading.Thread(target=run)
        thread.start()
        thread.join()
    finally:
        threading.stack_size(size)
        sys.setrecursionlimit(frames)
    if failed:
        raise failed[0]
    return found[0]


def _read(path: Path) -> Any:
    """Return a certificate's data."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise BadInput(f"there is no file {path}: derive build writes certificates into outputs/") from error
    except OSError as error:
        raise BadInput(
            f"{path} cannot be read ({error.strerror}): name a certificate, such as outputs/SLUG.json"
        ) from error
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise BadInput(
            f"{path} is no JSON from {where} on ({error.msg}): it was cut short or edited; make it again"
        ) from error
    except (UnicodeDecodeError, RecursionError) as error:
        raise BadInput(
            f"{path} is no certificate ({type(error).__name__}): name one that derive build wrote"
        ) from error
