"""Writing files whole: under another name in the same folder first, then renamed, so that nothing is half-written."""

from __future__ import annotations

import os
from pathlib import Path


class FolderError(OSError):
    """A folder that cannot be made or written to; the message names it and the remedy."""


def prepared(folder: Path) -> Path:
    """Return a folder that exists and can be written to, made if need be.

    Raises
    ------
    FolderError
        If it is a file, cannot be made, or cannot be written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        trial = _beside(folder / "trial")
        trial.touch()
        trial.unlink()
    except OSError as error:
        raise FolderError(
            f"cannot write to the folder {folder} ({error.strerror}): choose another one, or change its permissions"
        ) from error
    return folder


def write(path: Path, text: str) -> Path:
    """Write a file whole, in UTF-8 with Unix line ends, and return its path.

    Raises
    ------
    FolderError
        If it cannot be written. What stood there before is still there.
    """
    rough = _beside(path)
    try:
        with rough.open("w", encoding="utf-8", newline="\n") as file:
            file.write(text)
        rough.replace(path)
    except OSError as error:
        rough.unlink(missing_ok=True)
        raise FolderError(f"cannot write {path} ({error.strerror}): choose another place, or free it") from error
    except BaseException:
        rough.unlink(missing_ok=True)
        raise
    return path


def _beside(path: Path) -> Path:
    return path.with_name(f".{path.name}.{os.getpid()}.part")
