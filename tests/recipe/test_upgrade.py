"""A recipe of schema 0 is read as one of schema 1, with its comments, and written as one."""

import hashlib
import json

import pytest

from flawline.errors import ModelError
from flawline.recipe import read_recipe, thresholds_of, write_recipe
from flawline.recipe.settings import SCHEMA
from flawline.recipe.upgrade import MANIFEST_STEPS, SETTINGS_STEPS

TOML_0 = """\
schema = 0
part = "casting"   # line 4

[threshold]
# agreed with quality, 3 May
value = 3.5
basis = "n = 312"
"""


def sealed(data):
    text = json.dumps({**data, "sha256": "0" * 64}).encode()
    return text.replace(b"0" * 64, hashlib.sha256(text).hexdigest().encode())


@pytest.fixture
def old(tmp_path):
    folder = tmp_path / "old"
    folder.mkdir()
    (folder / "model.onnx").write_bytes(b"onnx")
    (folder / "recipe.toml").write_text(TOML_0, encoding="utf-8", newline="\n")
    hashed = hashlib.sha256(b"onnx").hexdigest()
    manifest = {
        "schema": 0,
        "kind": "anomaly",
        "flawline": "0.0.9",
        "backbone": {"name": "small", "sha256": hashed, "licence": "MIT", "preparation": {}},
        "seeds": {},
        "settings": {},
        "metrics": {},
        "fixed": {
            "task": "anomaly",
            "picture.window": [256, 256],
            "picture.resolution": "fit",
            "picture.overlap": 0,
            "region_of_interest.foreground": False,
            "alignment.method": "none",
            "light.method": "none",
            "detector.method": "patch-gaussian",
        },
        "trained_toml": hashlib.sha256(TOML_0.encode()).hexdigest(),
        "files": {"model.onnx": hashed},
        "pictures": {"train": [f"{hashed}  good/1.png"]},
    }
    (folder / "manifest.json").write_bytes(sealed(manifest))
    return folder


def test_schema_0_is_read_and_written_as_the_present_one(old, tmp_path):
    read = read_recipe(old)
    assert thresholds_of(read) == (3.5, 3.5)
    assert read.settings.threshold.region == 3.5
    assert read.manifest.version == "0.0.9"
    assert not read.edited
    again = read_recipe(write_recipe(read, tmp_path / "new.flaw"))
    assert again.settings == read.settings
    assert again.manifest.pictures == read.manifest.pictures
    assert 'part = "casting"   # line 4' in again.text
    assert "# agreed with quality, 3 May" in again.text
    assert f"schema = {SCHEMA}\n" in again.text
    assert "value" not in again.text
    assert not again.edited


def test_an_old_file_that_cannot_be_changed_line_by_line_is_written_anew(old):
    text = 'schema = 0\npart = "casting"\nthreshold.value = 3.5\n'
    (old / "recipe.toml").write_text(text, encoding="utf-8")
    read = read_recipe(old)
    assert thresholds_of(read) == (3.5, 3.5)
    assert "[threshold]" in read.text
    assert read.edited


def test_the_hash_of_an_old_recipe_is_that_of_its_files(old):
    lines = "".join(
        f"{hashlib.sha256((old / name).read_bytes()).hexdigest()}  {name}\n"
        for name in ("manifest.json", "recipe.toml")
    )
    assert read_recipe(old).sha256 == hashlib.sha256(lines.encode()).hexdigest()


def test_an_error_in_an_old_file_names_its_own_line(old):
    (old / "recipe.toml").write_text(TOML_0.replace("basis", "bassis"), encoding="utf-8")
    with pytest.raises(ModelError, match=r"line 7: \[threshold\] bassis"):
        read_recipe(old)


def test_there_is_one_step_for_every_schema():
    assert len(SETTINGS_STEPS) == len(MANIFEST_STEPS) == SCHEMA
