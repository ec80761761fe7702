"""Golden files: what was printed before and looked right."""

import json
import os
from pathlib import Path

FOLDER = Path(__file__).parent / "golden"
UPDATE = "DERIVE_UPDATE_GOLDEN"


def same(name: str, content: str) -> None:
    """Fail where the content is not the golden file's; with the variable set, write the file instead."""
    file = FOLDER / name
    if os.environ.get(UPDATE):
        FOLDER.mkdir(exist_ok=True)
        file.write_text(content, encoding="utf-8")
    assert file.is_file(), f"no golden file {name}: look at the output, then run {UPDATE}=1 pytest tests/pages"
    known = file.read_text(encoding="utf-8")
    assert content == known, f"{name} has changed: if it should have, run {UPDATE}=1 pytest tests/pages"


def table(rows: dict[str, dict[str, str]]) -> str:
    """Rows as JSON that a diff can be read in."""
    return json.dumps(rows, ensure_ascii=False, indent=1, sort_keys=True) + "\n"
