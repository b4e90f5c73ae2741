"""TOML that fills the memory, takes for ever or is none: as recipe.toml and as specification."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from hostile_inputs.case import ANSWERED, Case, Shared, inspect_with, sealed, write_recipe_folder

DEEP = "a." * 20_000 + "b"
TEXTS: dict[str, str | bytes] = {
    "dotted key of 20,000 parts": f"{DEEP} = 1\n",
    "dotted key of 20,000 quoted parts": '"a".' * 20_000 + "b = 1\n",
    "dotted key with spaces": "a . " * 20_000 + "b = 1\n",
    "section of 20,000 parts": f"[{DEEP}]\n",
    "array section of 20,000 parts": f"[[{DEEP}]]\n",
    "dotted key in an inline table": f"x = {{ {DEEP} = 1 }}\n",
    "dotted key in a list of tables": f"x = [1, {{ {DEEP} = 1 }}]\n",
    "3000 keys of 100 parts": "".join(f"k{n}." + "a." * 99 + "b = 1\n" for n in range(3000)),
    "list of 100,000 levels": "x = " + "[" * 100_000 + "]" * 100_000,
    "list of 100,000 levels, open": "x = " + "[" * 100_000,
    "list of 300 levels": "x = " + "[" * 300 + "]" * 300,
    "table of 5000 levels": "x = " + "{ a = " * 5000 + "1" + " }" * 5000,
    "hexadecimal number of 5000 digits": "x = 0x" + "f" * 5000,
    "decimal number of 100,000 digits": "x = " + "9" * 100_000,
    "key of a million characters": "a" * 1_000_000 + " = 1",
    "comment of 3 MB": "#" * 3_000_000,
    "a million line feeds more": "\n" * 2_500_000,
    "open string of a million quotes": '"' * 1_000_001,
    "open string of escapes": 'x = "' + '\\"' * 900_000,
    "no text": b"\xff\xfe\x00\x01" * 40,
    "zeros": b"\0" * 1000,
    "a key twice": "x = 1\nx = 2\n",
    "empty": "",
}


def as_settings(text: str | bytes, folder: Path, shared: Shared) -> list[str]:
    """The text after a sound recipe.toml."""
    data = text.encode() if isinstance(text, str) else text
    before = shared.files["recipe.toml"] + b"\n" if data else b""
    files = sealed({**shared.files, "recipe.toml": before + data})
    return inspect_with(write_recipe_folder(folder, files), shared)


def as_spec(text: str | bytes, folder: Path, shared: Shared) -> list[str]:
    """The text as the specification of a judgement."""
    data = text.encode() if isinstance(text, str) else text
    (folder / "spec.toml").write_bytes(data)
    table = "image,defect,class,area\na.png,1,stain,7\n"
    (folder / "defects.csv").write_text(table)
    (folder / "defects-parts.csv").write_text("image,width,height,defects\na.png,9,9,1\n")
    return ["judge", "defects.csv", "--spec", "spec.toml", "-o", "out"]


CHANGED = {
    "window of 16384 px": ("window = [", "window = [16384, 16384] # "),
    "window of 0 px": ("window = [", "window = [0, 0] # "),
    "window of text": ("window = [", 'window = "large" # '),
    "threshold that is no number": ("review = ", "review = nan # "),
    "threshold without bound": ("review = ", "review = inf # "),
    "threshold of 400 digits": ("review = ", f"review = {'9' * 400} # "),
    "another schema": ("schema = 1", "schema = 99"),
    "unknown method": ("method = ", 'method = "__import__" # '),
    "a specification of another kind": ("[detector]", "[spec]\nlimits = 7\n[detector]"),
    "limits of numbers": ("[detector]", "[spec]\nlimits = [[1], [2]]\n[detector]"),
}


def changed(old: str, new: str, folder: Path, shared: Shared) -> list[str]:
    """An entry of recipe.toml changed."""
    text = shared.files["recipe.toml"].decode()
    assert old in text, old
    files = sealed({**shared.files, "recipe.toml": text.replace(old, new, 1).encode()})
    return inspect_with(write_recipe_folder(folder, files), shared)


CASES = (
    *(
        Case(
            f"recipe.toml: {name}",
            partial(as_settings, text),
            ANSWERED if "line feeds" in name else frozenset({2}),
        )
        for name, text in TEXTS.items()
    ),
    *(
        Case(f"specification: {name}", partial(as_spec, text))
        for name, text in TEXTS.items()
        if "empty" not in name and "line feeds" not in name and "comment" not in name
    ),
    *(Case(f"recipe.toml: {name}", partial(changed, *pair)) for name, pair in CHANGED.items()),
)
