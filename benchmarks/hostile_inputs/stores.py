"""Databases of records, kept rankings and classifiers that somebody else wrote."""

from __future__ import annotations

import hashlib
import io
import json
import os
import sqlite3
import subprocess
import sys
import zipfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from flawline.networks.backbone import embedded_backbone
from hostile_inputs.case import ANSWERED, Case, Shared


def own_store(folder: Path, shared: Shared) -> Path:
    """Records of the good pictures, written once."""
    kept = shared.folder / "records.db"
    if not kept.exists():
        command = [
            Path(sys.executable).with_name("flawline"),
            "inspect",
            shared.recipe,
            shared.parts,
            "-o",
            "o",
            "--store",
            kept,
            "--keep",
            "all",
        ]
        subprocess.run(command, cwd=shared.folder, check=False, capture_output=True)
    (folder / "r.db").write_bytes(kept.read_bytes())
    return folder / "r.db"


def changed_store(sql: str, command: list[str], folder: Path, shared: Shared) -> list[str]:
    with sqlite3.connect(own_store(folder, shared)) as database:
        # Whoever holds the file can take away what forbids changes.
        triggers = database.execute("select name from sqlite_master where type = 'trigger'")
        for (name,) in triggers.fetchall():
            database.execute(f'drop trigger "{name}"')
        database.executescript(sql)
    return [*command[:2], "r.db", *command[2:]]


def other_store(write: Callable[[Path], object], folder: Path, shared: Shared) -> list[str]:
    write(folder / "r.db")
    return ["records", "list", "r.db"]


def other_database(path: Path) -> None:
    with sqlite3.connect(path) as database:
        database.execute("create table passwords (word text)")


STORES: dict[str, Callable[[Path], object]] = {
    "text": lambda path: path.write_text("hello " * 1000),
    "a database of another program": other_database,
    "a header alone": lambda path: path.write_bytes(b"SQLite format 3\0" + bytes(84)),
    "random pages": lambda path: path.write_bytes(
        b"SQLite format 3\0" + np.random.default_rng(0).bytes(50_000)
    ),
    "a folder": lambda path: path.mkdir(),
    "a pipe": lambda path: os.mkfifo(path),
}
LIST, SHOW, REPLAY = ["records", "list"], ["records", "show", "1"], ["records", "replay", "1"]
CHANGES = {
    "reasons of text": ("update inspection set reasons = 'x'", LIST),
    "reasons of 50,000 levels": ("update inspection set reasons = '" + "[" * 50_000 + "'", SHOW),
    "a picture that names a file": (
        "update inspection set picture = '../../../etc/passwd'",
        REPLAY,
    ),
    "a score of text": ("update inspection set score = 'x'", LIST),
    "a schema of another version": ("update flawline_version set version_num = '9999'", LIST),
    "no table of inspections": ("drop table inspection", LIST),
}


def model_file(
    kind: str, document: dict[str, Any] | str, arrays: dict[str, Any], folder: Path
) -> Path:
    """A model of arrays with right hashes."""
    contents = {}
    for name, array in arrays.items():
        buffer = io.BytesIO()
        np.save(buffer, np.asarray(array))
        contents[f"{name}.npy"] = buffer.getvalue()
    hashes = {name: hashlib.sha256(data).hexdigest() for name, data in contents.items()}
    text = (
        document
        if isinstance(document, str)
        else json.dumps({"kind": kind, **document, "sha256": hashes})
    )
    path = folder / "model.bin"
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in {"manifest.json": text.encode(), **contents}.items():
            archive.writestr(name, data)
    return path


BACKBONE = hashlib.sha256(embedded_backbone().read_bytes()).hexdigest()
COMPUTED = {
    "features": ["embedding"],
    "backbone": "flawline-small",
    "preparation": None,
    "size": None,
    "precision": "f32",
    "value_range": None,
    "weights": None,
}
FOREST = {
    f"forest.{name}": value
    for name, value in {
        "feature": [[-1]],
        "threshold": [[0.0]],
        "left": [[0]],
        "right": [[0]],
        "depth": [[0.0]],
        "expected_depth": 1.0,
    }.items()
}


def ranked(
    document: dict[str, Any] | str, arrays: dict[str, Any], folder: Path, shared: Shared
) -> list[str]:
    model = model_file("ranking model", document, arrays, folder)
    return ["rank", str(shared.parts), "--model", str(model), "-o", "out"]


def classified(
    document: dict[str, Any] | str, arrays: dict[str, Any], folder: Path, shared: Shared
) -> list[str]:
    model = model_file("classifier", document, arrays, folder)
    return ["classify", str(shared.parts), "--apply", str(model), "-o", "out"]


def ranking(**settings: Any) -> dict[str, Any]:
    return {
        "schema": 2,
        "settings": {**COMPUTED, **settings},
        "described": {"fields": 4, "backbone_sha256": BACKBONE},
    }


RANKINGS: dict[str, tuple[dict[str, Any] | str, dict[str, Any]]] = {
    "levels": ('{"kind": "ranking model", "x": ' + "[" * 50_000 + "]" * 50_000 + "}", {}),
    "a list": ("[]", {}),
    "a forest without arrays": (ranking(), {}),
    "a tree that is a circle": (
        ranking(),
        {
            **FOREST,
            "forest.feature": [[0, 0]],
            "forest.left": [[1, 0]],
            "forest.right": [[1, 0]],
            "forest.threshold": [[0.0, 0.0]],
            "forest.depth": [[0.0, 0.0]],
        },
    ),
    "a backbone elsewhere": (
        {
            **ranking(backbone="/etc/passwd"),
            "strides": {},
            "neighbours": 1,
            "digests": [],
            "groups": [],
        },
        {"mean": [0.0], "spread": [1.0]},
    ),
    "no references": (
        {**ranking(), "strides": {}, "neighbours": 1, "digests": [], "groups": []},
        {"mean": [0.0], "spread": [1.0]},
    ),
    "a grid of text": (
        {**ranking(), "strides": {"a": "xy"}, "neighbours": 1, "digests": [], "groups": []},
        {"mean": [0.0], "spread": [1.0]},
    ),
    "a size of a million": (ranking(size=1_000_000), FOREST),
}
LOGISTIC = {
    "schema": 1,
    "model": "logistic",
    "calibration": "sigmoid",
    "classes": ["bad", "good"],
    "columns": ["embedding_1"],
    "settings": {"computed_with": COMPUTED, "backbone_sha256": BACKBONE},
}
CLASSIFIERS: dict[str, tuple[dict[str, Any] | str, dict[str, Any]]] = {
    "levels": ('{"kind": "classifier", "x": ' + "[" * 50_000 + "]" * 50_000 + "}", {}),
    "no arrays": (LOGISTIC, {}),
    "classes of numbers": ({**LOGISTIC, "classes": [1, 2]}, {}),
    "a model of another name": ({**LOGISTIC, "model": "__import__"}, {}),
    "NaN": (
        LOGISTIC,
        {
            "model.mean": [np.nan],
            "model.scale": [1.0],
            "model.weights": [[1.0]],
            "model.offset": [0.0],
            "calibration.slope": [1.0, 1.0],
            "calibration.offset": [0.0, 0.0],
        },
    ),
    "other columns": (
        LOGISTIC,
        {
            "model.mean": [0.0],
            "model.scale": [1.0],
            "model.weights": [[1.0]],
            "model.offset": [0.0],
            "calibration.slope": [1.0, 1.0],
            "calibration.offset": [0.0, 0.0],
        },
    ),
}


def not_a_model(data: bytes, folder: Path, shared: Shared) -> list[str]:
    (folder / "model.bin").write_bytes(data)
    return ["rank", str(shared.parts), "--model", "model.bin", "-o", "out"]


CASES = (
    *(Case(f"records: {name}", partial(other_store, write)) for name, write in STORES.items()),
    *(
        Case(
            f"records: {name}",
            partial(changed_store, *pair),
            ANSWERED if "score" in name else frozenset({2}),
        )
        for name, pair in CHANGES.items()
    ),
    *(Case(f"kept ranking: {name}", partial(ranked, *pair)) for name, pair in RANKINGS.items()),
    *(
        Case(f"classifier: {name}", partial(classified, *pair))
        for name, pair in CLASSIFIERS.items()
    ),
    Case("kept ranking: text", partial(not_a_model, b"hello")),
    Case("kept ranking: a zip of nothing", partial(not_a_model, b"PK\5\6" + bytes(18))),
)
