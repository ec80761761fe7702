"""Make the embedded fonts: a tool for developers, not used when pages are rendered.

Run it with the unabridged fonts, as `README.md` beside it says:

    python -m derive.pages.fonts.subset MATH ROMAN ITALIC CODE CODE_GREEK

It needs fontTools with its woff extra. What is kept follows from the TeX that `mathml` lets in.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from fontTools import subset
from fontTools.ttLib import TTFont

from derive.pages.repertoire import CODE, CODE_GREEK, MATHS, TEXT

HERE: Final = Path(__file__).parent
# file name: (family, characters, features). The families have names of their own, since licences reserve the old ones.
FONTS: Final[dict[str, tuple[str, frozenset[str], tuple[str, ...]]]] = {
    "maths.woff2": ("Derive Maths", MATHS, ()),
    "roman.woff2": ("Derive Text", TEXT, ("kern", "liga", "tnum")),
    "italic.woff2": ("Derive Text", TEXT, ("kern", "liga", "tnum")),
    "code.woff2": ("Derive Code", CODE, ()),
    "code-greek.woff2": ("Derive Code", CODE_GREEK, ()),
}
_FAMILY_NAMES: Final = (1, 3, 4, 6, 16)


def shrink(source: Path, target: Path, family: str, characters: frozenset[str], features: Sequence[str]) -> None:
    """Write the part of a font that draws the characters, with its MATH table if it has one."""
    options = subset.Options(
        flavor="woff2",
        layout_features=list(features),
        hinting=False,
        name_IDs=[0, *_FAMILY_NAMES, 2, 13, 14],
        notdef_outline=True,
    )
    font = subset.load_font(str(source), options)
    lacking = sorted(characters - {chr(code) for code in font.getBestCmap()})
    if lacking:
        raise SystemExit(f"{source.name} lacks {' '.join(f'U+{ord(c):04X}' for c in lacking)}")
    worker = subset.Subsetter(options)
    worker.populate(unicodes=[ord(character) for character in characters])
    worker.subset(font)
    for record in font["name"].names:
        if record.nameID in _FAMILY_NAMES:
            record.string = family.replace(" ", "") if record.nameID == 6 else family
    if "MATH" in font:
        _level_subscripts(font)
    subset.save_font(font, str(target), options)


def _level_subscripts(font: TTFont) -> None:
    """Browsers lower the subscripts of letters with descenders by this much, so that p_k hangs below z_j."""
    font["MATH"].table.MathConstants.SubscriptBaselineDropMin.Value = 0


def advances(file: Path) -> dict[str, int]:
    """Return the advance widths of a font's characters, in thousandths of its size."""
    font = TTFont(file)
    scale = 1000 / font["head"].unitsPerEm
    return {chr(code): round(font["hmtx"][name][0] * scale) for code, name in sorted(font.getBestCmap().items())}


def main() -> None:
    """Make all five files beside this one, and the table of widths by which pages are laid out."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    for name in FONTS:
        parser.add_argument(name.removesuffix(".woff2"), type=Path)
    sources = vars(parser.parse_args())
    for name, (family, characters, features) in FONTS.items():
        shrink(sources[name.removesuffix(".woff2")], HERE / name, family, characters, features)
        print(f"{name}: {(HERE / name).stat().st_size} bytes")  # noqa: T201 - a command's output
    widths = {name: advances(HERE / f"{name}.woff2") for name in ("maths", "roman")}
    (HERE / "widths.json").write_text(json.dumps(widths, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
