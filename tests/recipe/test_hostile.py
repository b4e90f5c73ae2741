"""Recipes from somewhere else: whatever is wrong with one is a ModelError, and nothing in it runs."""

import contextlib
import hashlib
import io
import json
import os
import pickle
import random
import re
import zipfile

import numpy as np
import pytest

from flawline.data.array_file import npy_array, npy_bytes
from flawline.errors import ModelError
from flawline.recipe import read_recipe, write_recipe
from flawline.recipe.manifest import manifest_bytes, read_manifest
from flawline.version import __version__


@pytest.fixture
def folder(recipe, tmp_path):
    return write_recipe(recipe, tmp_path / "part")


@pytest.fixture
def flaw(recipe, tmp_path):
    return write_recipe(recipe, tmp_path / "part.flaw")


def refused(path, code="recipe-damaged"):
    with pytest.raises(ModelError) as caught:
        read_recipe(path)
    assert caught.value.code == code
    assert caught.value.hint
    return caught.value.message


def reseal(path, change):
    """Change manifest.json as somebody who knows how it is sealed."""
    data = json.loads(path.read_bytes())
    change(data)
    data["sha256"] = "0" * 64
    text = json.dumps(data, ensure_ascii=False, indent=1).encode() + b"\n"
    seal = hashlib.sha256(text).hexdigest().encode()
    path.write_bytes(text[: text.rindex(b"0" * 64)] + seal + b'"\n}\n')


def contents(flaw):
    with zipfile.ZipFile(flaw) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def pack(path, files):
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path


@pytest.mark.parametrize("name", ["model.onnx", "region.png", "arrays/detector_memory.npy"])
def test_one_changed_bit_is_found(folder, name):
    data = bytearray((folder / name).read_bytes())
    data[-1] ^= 1
    (folder / name).write_bytes(data)
    assert f"{name} was altered" in refused(folder)


@pytest.mark.parametrize("name", ["model.onnx", "recipe.toml", "arrays/detector_memory.npy"])
def test_one_changed_bit_in_a_zip_is_found(flaw, name):
    """The zip's own checksum is not asked where the manifest has a hash."""
    with zipfile.ZipFile(flaw) as archive:
        info, content = archive.getinfo(name), archive.read(name)
    data = bytearray(flaw.read_bytes())
    end = data.index(content, info.header_offset) + len(content)
    data[end - 1] ^= 1
    flaw.write_bytes(data)
    expected = "fails its checksum" if name == "recipe.toml" else f"{name} was altered"
    assert expected in refused(flaw)


def test_an_altered_model_is_refused(folder):
    (folder / "model.onnx").write_bytes(b"other")
    with pytest.raises(ModelError, match=r"model\.onnx was altered"):
        read_recipe(folder)


def test_a_changed_manifest_is_found(folder):
    text = (folder / "manifest.json").read_text(encoding="utf-8")
    (folder / "manifest.json").write_text(text.replace("0.98", "0.99"), encoding="utf-8")
    assert "hash that it states" in refused(folder)


def test_a_resealed_manifest_is_what_the_helper_makes(folder, recipe):
    reseal(folder / "manifest.json", lambda data: None)
    assert read_recipe(folder).sha256 == recipe.sha256


@pytest.mark.parametrize("name", ["recipe.toml", "model.onnx", "arrays/count.npy", "region.png"])
def test_a_missing_file_is_named(folder, flaw, name):
    (folder / name).unlink()
    assert f"{name} is missing" in refused(folder)
    kept = {other: data for other, data in contents(flaw).items() if other != name}
    assert f"{name} is missing" in refused(pack(flaw, kept))


@pytest.mark.parametrize("name", ["run.py", "arrays/x.npy", "sub/run.exe", "model.onnx.data"])
def test_files_that_the_manifest_does_not_list_are_refused(folder, flaw, name):
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_bytes(b"x")
    assert f"does not list: {name!r}" in refused(folder)
    assert f"does not list: {name!r}" in refused(pack(flaw, {**contents(flaw), name: b"x"}))


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("../evil.txt", "outside"),
        ("/etc/evil", "absolute"),
        ("C:\\evil", "absolute"),
        ("arrays/../../evil", "outside"),
        ("a\\b", "does not list: 'a/b'"),
    ],
)
def test_names_that_reach_outside_are_refused(flaw, name, words):
    assert words in refused(pack(flaw, {**contents(flaw), name: b"x"}))


def test_links_are_refused(folder, flaw, tmp_path):
    info = zipfile.ZipInfo("link")
    info.create_system, info.external_attr = 3, 0o120777 << 16
    with zipfile.ZipFile(flaw, "a") as archive:
        archive.writestr(info, "/etc/passwd")
    assert "link" in refused(flaw)
    (folder / "recipe.toml").rename(tmp_path / "elsewhere")
    try:
        (folder / "recipe.toml").symlink_to(tmp_path / "elsewhere")
    except OSError:
        pytest.skip("links cannot be made here")
    assert "'recipe.toml' is a link" in refused(folder)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_pipes_do_not_hang(folder):
    (folder / "region.png").unlink()
    os.mkfifo(folder / "region.png")
    assert "no plain file" in refused(folder)
    os.mkfifo(folder.parent / "pipe.flaw")
    assert "no plain file" in refused(folder.parent / "pipe.flaw")


def test_an_encrypted_zip_is_refused(flaw):
    data = bytearray(flaw.read_bytes())
    for magic, offset in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        for found in re.finditer(re.escape(magic), bytes(data)):
            data[found.start() + offset] |= 1
    flaw.write_bytes(data)
    assert "encrypted" in refused(flaw)


def test_a_bomb_is_refused_before_it_is_unpacked(flaw):
    with zipfile.ZipFile(flaw, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zeros.bin", bytes(80 * 2**20))
    assert "unpack" in refused(flaw)


def test_too_many_files_are_refused(folder, flaw):
    many = {f"x{k}": b"" for k in range(1001)}
    assert "at most 1000 members" in refused(pack(flaw, {**contents(flaw), **many}))
    for name in many:
        (folder / name).touch()
    assert "more than 1000 files" in refused(folder)


class Evil:
    def __reduce__(self):
        return (os.abort, ())


@pytest.mark.parametrize("kind", ["pickle", "pickled npy", "text", "cut", "header"])
def test_an_array_that_is_no_plain_numbers_is_refused(folder, kind):
    buffer = io.BytesIO()
    np.save(buffer, np.array([Evil()], object), allow_pickle=True)
    good = npy_bytes(np.arange(5.0))
    data = {
        "pickle": pickle.dumps(Evil()),
        "pickled npy": buffer.getvalue(),
        "text": npy_bytes(np.array(["a"])),
        "cut": good[:-1],
        "header": good.replace(b"(5,)", b"(9,)"),
    }[kind]
    (folder / "arrays" / "count.npy").write_bytes(data)
    digest = hashlib.sha256(data).hexdigest()
    reseal(folder / "manifest.json", lambda m: m["files"].__setitem__("arrays/count.npy", digest))
    assert re.search(r"NPY format|expected an array of shape", refused(folder))


@pytest.mark.parametrize(
    "change",
    [
        lambda m: m["files"].pop("model.onnx"),
        lambda m: m["files"].__setitem__("../x", "0" * 64),
        lambda m: m["files"].__setitem__("arrays/a/b.npy", "0" * 64),
        lambda m: m["files"].__setitem__("recipe.toml", m["trained_toml"]),
        lambda m: m["files"].__setitem__("model.onnx", "x"),
        lambda m: m.__setitem__("files", ["model.onnx"]),
        lambda m: m.__setitem__("kind", "ranking model"),
        lambda m: m.__setitem__("pictures", {"others": []}),
        lambda m: m.__setitem__("pictures", {"train": ["x"]}),
        lambda m: m.__setitem__("pictures", {"train": "x"}),
        lambda m: m.pop("backbone"),
        lambda m: m.__setitem__("seeds", 3),
        lambda m: m.__setitem__("metrics", {"auroc": float("nan")}),
    ],
)
def test_a_wrong_manifest_is_refused(folder, change):
    reseal(folder / "manifest.json", change)
    refused(folder)


@pytest.mark.parametrize(
    "text", [b"", b"{", b"[]", b"null", b"[" * 100_000, b"\xff", b'{"schema": 1}']
)
def test_what_is_no_manifest_is_refused(folder, text):
    (folder / "manifest.json").write_bytes(text)
    refused(folder)


def test_a_newer_recipe_names_its_version_and_the_remedy(folder):
    reseal(folder / "manifest.json", lambda m: m.update(schema=2, version="9.1.0"))
    with pytest.raises(ModelError) as caught:
        read_recipe(folder)
    assert caught.value.code == "recipe-schema"
    assert "schema 2, written by Flawline 9.1.0" in caught.value.message
    assert __version__ in caught.value.message
    assert "train again" in caught.value.hint


def test_a_place_without_a_recipe_says_what_is_there(folder, flaw, tmp_path):
    assert "no recipe" in refused(tmp_path / "none", "recipe-missing")
    assert "has no manifest.json" in refused(tmp_path, "recipe-missing")
    (tmp_path / "a.flaw").write_bytes(b"\x89PNG\r\n\x1a\n")
    assert "a.flaw is PNG" in refused(tmp_path / "a.flaw")
    (tmp_path / "b.flaw").touch()
    assert "b.flaw is an empty file" in refused(tmp_path / "b.flaw")
    with pytest.raises(ModelError) as caught:
        read_recipe(folder / "recipe.toml")
    assert caught.value.hint == "Give the folder that holds it."


def test_bytes_that_are_no_utf8_are_named_by_line(folder):
    data = (folder / "recipe.toml").read_bytes()
    (folder / "recipe.toml").write_bytes(data.replace(b"casting", b"geh\xe4use"))
    line = data[: data.index(b"casting")].count(b"\n") + 1
    assert f"recipe.toml, line {line}: it is not UTF-8" in refused(folder, "recipe-settings")


def mutated(data, rng):
    kind = rng.randrange(4)
    at = rng.randrange(len(data))
    if kind == 0:
        return data[:at]
    if kind == 1:
        return data[:at] + rng.randbytes(rng.randrange(1, 9)) + data[at:]
    if kind == 2:
        return data[:at] + data[at + rng.randrange(1, 99) :]
    changed = bytearray(data)
    for _ in range(rng.randrange(1, 4)):
        changed[rng.randrange(len(data))] = rng.randrange(256)
    return bytes(changed)


def test_mutated_files_are_refused_or_the_same(recipe, flaw, tmp_path):
    rng = random.Random(4)
    whole, path = flaw.read_bytes(), tmp_path / "mutated.flaw"
    codes = []
    for _ in range(400):
        path.write_bytes(mutated(whole, rng))
        try:
            read = read_recipe(path)
        except ModelError as error:
            codes.append(error.code)
        else:
            assert read.sha256 == recipe.sha256
            assert read.manifest == recipe.manifest
    assert set(codes) == {"recipe-damaged"}
    assert len(codes) > 300


def test_mutated_parts_are_refused_or_read(recipe, folder):
    """Past the checksums of the zip: text and arrays that say anything at all."""
    rng = random.Random(5)
    toml, manifest = recipe.text.encode(), manifest_bytes(recipe.manifest)
    array = npy_bytes(np.arange(6.0))
    codes = []
    for _ in range(200):
        (folder / "recipe.toml").write_bytes(mutated(toml, rng))
        try:
            read_recipe(folder)
        except ModelError as error:
            codes.append(error.code)
        with pytest.raises((ValueError, ModelError)):
            read_manifest(b" " + mutated(manifest, rng)[1:] + b"}", "m")
        with contextlib.suppress(ValueError):
            assert npy_array(mutated(array, rng)).dtype.kind in "biuf"
    assert set(codes) <= {"recipe-settings", "recipe-schema"}
    assert len(codes) > 100


def test_files_that_are_too_large_are_not_read(folder):
    for name, size, words in (
        ("recipe.toml", 65 << 20, "recipe.toml is larger"),
        ("manifest.json", 3 << 30, "the folder holds"),
        ("model.onnx", (1 << 30) + 1, "model.onnx is larger"),
    ):
        kept = (folder / name).read_bytes()
        os.truncate(folder / name, size)
        assert words in refused(folder)
        (folder / name).write_bytes(kept)
    read_recipe(folder)


def test_packed_texts_that_are_too_large_are_not_unpacked(flaw):
    files = contents(flaw)
    with zipfile.ZipFile(flaw, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data + b" " * (66 << 20) if name == "recipe.toml" else data)
    assert "recipe.toml" in refused(flaw) or "times as much" in refused(flaw)
