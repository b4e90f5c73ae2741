"""Write reference/python.md from the public calls themselves: `python docs/python_reference.py`."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import flawline
from flawline import errors

PAGE = Path(__file__).with_name("reference") / "python.md"
HEAD = """\
# Python

This page is written from the calls themselves; `help(flawline.rank)` says the same. Every job of the command line is
one call with the command's names and defaults. Names load what they need on first use, so `import flawline` is cheap.
[Flawline in a script](../tutorials/in-a-script.md) shows them at work.

```python
import numpy as np
import flawline

recipe = flawline.train_anomaly("parts/good", part="casting").recipe
array = np.asarray(flawline.as_picture("part.png").pixels)
found = flawline.Inspector(recipe).inspect(array)  # ndarray, PIL picture, path or bytes
print(found.verdict, found.defects())  # polars table, always with areas and boxes
found.overlay().save("overlay.png")
```

Results are frozen dataclasses: nothing that you are handed can be changed by accident.

## What calls take

**A picture** is an array, a picture of Pillow, the path of a file (`str` or `Path`), or the bytes of one. Arrays are
grey `(H, W)` or `(H, W, 1)`, RGB `(H, W, 3)` or RGBA `(H, W, 4)`. Channels are RGB, never guessed to be BGR: turn what
OpenCV reads with `image[..., ::-1]`. Values are uint8, or uint16 or floating point with a value range: (low, high)
become black and white. Without one, uint16 takes the whole range of its type and floats must lie within 0 to 1.

An array is read as the Netpbm file that holds its values: `P5` or `P6` for whole numbers, `Pf` or `PF` for floats
(float32, lowest byte first), with the header `KIND\\nWIDTH HEIGHT\\nWHITE\\n`, where white is 255, 65535 or -1.0.
`sha256` and `file_bytes` of an array are those of that file.

**A source** is the path of a folder, zip, tar, CSV or Parquet manifest, glob or picture; the URL of a folder or
manifest in an object store; an open source (`flawline.open_source`), which stays open; a list of pictures; or a mapping
of names to pictures, where folders in a name state the label: `{"bad/7": array}`.

**A recipe** is a `Recipe`, its path, or, where it is put to work, an `Inspector`.

`track` takes any callable `(items, *, title, total)` that iterates over `items` and yields them unchanged.
"""
GROUPS = {
    "Learn": "train_anomaly train_segment update audit_labels read_recipe write_recipe",
    "Judge pictures": "inspect inspect_on watch Watched camera run_station check_station try_outputs Trial StationPlan "
    "Inspector Inspection Region Station Frame evaluate compare export "
    "compare_golden",
    "Pictures without labels": "rank rank_with rank_on save_ranking load_ranking groups name_parts split write_split",
    "Features": "compute_features features_on cluster classify classify_with save_classifier load_classifier",
    "Measure and judge masks": "measure judge calibrate_scale",
    "Charts and studies": "chart pareto study_capability study_gauge study_agreement "
    "study_sampling study_multivariate study_multi_vari study_distribution study_pod study_hit_miss",
    "Causes of defects": "study_steps study_factors study_location study_drift study_growth",
    "Records": "open_records list_records show_record decide export_records import_records replay partition_records "
    "thin_records list_alerts acknowledge",
    "Pictures and sources": "open_source as_picture read_image Picture",
    "Drawn parts": "synth_castings synth_heat_sink synth_assembly synth_line demo",
    "What calls return": "Recipe Ranking Clustering Classification Grouping Splitting Evaluation "
    "GoldenComparison",
    "Version and errors": "__version__ FlawlineError",
}
TAIL = """
Every expected failure is one of these, with `message`, `hint` (the way out) and a stable `code`:

```text
{tree}
```

## Examples

The folder `examples/` of the checkout holds short programs that run as they are.
"""


def rendered() -> str:
    """The whole page."""
    named = [name for names in GROUPS.values() for name in names.split()]
    assert sorted(named) == flawline.__all__, set(named) ^ set(flawline.__all__)
    parts = [HEAD]
    for title, names in GROUPS.items():
        parts.append(f"\n## {title}\n")
        parts += [_section(name) for name in names.split()]
    return "".join(parts) + TAIL.format(tree="\n".join(_tree(errors.FlawlineError)))


def _section(name: str) -> str:
    value = getattr(flawline, name)
    text = f"\n### `flawline.{name}`\n"
    if isinstance(value, str):
        return f"{text}\nThe version, as text.\n"
    if inspect.isclass(value):
        return text + _class(value)
    blocks = _blocks(inspect.getdoc(value) or "")
    signature = _signature(name, value)
    return f"{text}\n```text\n{signature}\n```\n\n{blocks['']}\n" + _tables(blocks)


def _class(value: type) -> str:
    text = f"\n{_blocks(inspect.getdoc(value) or '')['']}\n"
    if is_dataclass(value):
        text += f"\nFields: {', '.join(f'`{one.name}`' for one in fields(value))}.\n"
    rows, more = [], ""
    for name, one in vars(value).items():
        function = getattr(one, "fget", None) or getattr(one, "__func__", None) or one
        if name.startswith("_") or not inspect.isfunction(function):
            continue
        called = name if isinstance(one, property) else _signature(name, getattr(value, name))
        blocks = _blocks(inspect.getdoc(function) or "")
        rows.append(f"| `{_cell(called)}` | {_cell(blocks[''])} |")
        if "Args" in blocks:
            more += f"\n`{name}`:\n{_tables(blocks)}"
    head = "\n| name | what it gives |\n|---|---|\n"
    return text + (head + "\n".join(rows) + "\n" if rows else "") + more


def _tables(blocks: dict[str, str]) -> str:
    text = ""
    if "Args" in blocks:
        rows = [
            f"| {', '.join(f'`{name}`' for name in names.split(', '))} | {_cell(meaning)} |"
            for names, meaning in _entries(blocks["Args"])
        ]
        text += "\n| argument | meaning |\n|---|---|\n" + "\n".join(rows) + "\n"
    if "Returns" in blocks:
        text += f"\nReturns: {_one_line(blocks['Returns'])}\n"
    if "Raises" in blocks:
        raised = [
            # A code stands below the error that has it.
            ("  - " if names.startswith('"') else "- ")
            + f"{', '.join(f'`{name}`' for name in names.split(', '))}: {_one_line(when)}"
            for names, when in _entries(blocks["Raises"])
        ]
        text += "\nRaises:\n\n" + "\n".join(raised) + "\n"
    return text


def _signature(name: str, value: Any) -> str:
    """The call without types; a long one with one argument a line."""
    given = [one for one in inspect.signature(value).parameters.values() if one.name != "self"]
    shown = [str(one.replace(annotation=one.empty)) for one in given]
    named = [place for place, one in enumerate(given) if one.kind is one.KEYWORD_ONLY]
    if named:
        shown.insert(named[0], "*")
    shown = [re.sub(r"=<function (\w+) at .*>", r"=\1", one) for one in shown]
    line = f"{name}({', '.join(shown)})"
    if len(line) <= 96:
        return line
    return f"{name}(\n" + "".join(f"    {one},\n" for one in shown) + ")"


def _blocks(doc: str) -> dict[str, str]:
    """The text of a docstring by its sections; what comes before them is under ""."""
    found: dict[str, str] = {}
    current = ""
    for line in doc.splitlines():
        head = re.fullmatch(r"(Args|Returns|Raises):", line)
        if head:
            current = head[1]
            found[current] = ""
        else:
            found[current] = found.get(current, "") + line + "\n"
    return {name: inspect.cleandoc(text) for name, text in found.items()}


def _entries(text: str) -> Iterator[tuple[str, str]]:
    """The entries "names: meaning" of a section, whose further lines are indented."""
    for entry in re.split(r"\n(?=\S)", text):
        names, _, meaning = entry.partition(": ")
        yield names, meaning


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _cell(text: str) -> str:
    return _one_line(text).replace("|", "\\|")


def _tree(error: type[Exception], prefix: str = "") -> Iterator[str]:
    yield f"{prefix}{error.__name__}" if not prefix else error.__name__
    # Other layers may have errors of their own, which no call raises.
    children = [one for one in error.__subclasses__() if one.__module__ == error.__module__]
    for place, child in enumerate(children):
        last = place == len(children) - 1
        branch, bar = ("└── ", "    ") if last else ("├── ", "│   ")
        first, *rest = _tree(child)
        yield branch + first
        yield from (bar + line for line in rest)


if __name__ == "__main__":
    PAGE.write_text(rendered(), encoding="utf-8")
