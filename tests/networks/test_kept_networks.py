"""Compiled networks are kept for the next start: the same numbers, and nothing where it must not or cannot be."""

import locale
import os
import stat
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from flawline.networks import cache
from flawline.networks.cache import compiled_networks
from flawline.networks.openvino_runtime import compile_network, prepare_network, ready_network
from helpers.networks import weights_of, write_network

pixels = np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)
posix = pytest.mark.skipif(sys.platform == "win32", reason="Windows has other permissions")


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("FLAWLINE_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("FLAWLINE_KEEP_COMPILED", raising=False)
    return tmp_path / "cache" / "compiled"


@pytest.fixture
def data(tmp_path):
    return write_network(tmp_path / "small.onnx").read_bytes()


def opened(data, *, keep=True, precision="f32", threads=0):
    """What the network computes, and whether it was taken from the folder."""
    prepared = prepare_network(data, precision=precision)
    made = compile_network(prepared, threads, keep=keep)
    found = ready_network(prepared, made)(pixels)
    kept = bool(made.get_property("LOADED_FROM_CACHE"))
    return {name: values.tobytes() for name, values in found.items()}, kept


@pytest.mark.parametrize("precision", ["auto", "f32"])
def test_a_kept_network_computes_the_same_bytes(data, folder, precision):
    plain, _ = opened(data, keep=False, precision=precision)
    assert not folder.exists()
    assert opened(data, precision=precision) == (plain, False)
    assert len(list(folder.iterdir())) == 1
    assert opened(data, precision=precision) == (plain, True)


def test_another_network_is_not_taken_for_it(data, folder, tmp_path):
    opened(data)
    weights = weights_of(tmp_path / "small.onnx").tobytes()
    changed = bytearray(data)
    changed[data.index(weights)] ^= 1
    others = [write_network(tmp_path / "other.onnx", seed=1).read_bytes(), bytes(changed)]
    for other in others:
        assert opened(other) == (opened(other, keep=False)[0], False)
    assert opened(data)[1] is True
    assert len(list(folder.iterdir())) == 3


def test_a_kept_network_runs_on_as_many_threads_as_are_asked_for(data):
    for threads in (0, 1, 2):
        made = compile_network(prepare_network(data, precision="f32"), threads, keep=True)
        anew = compile_network(prepare_network(data, precision="f32"), threads)
        for name in ("INFERENCE_NUM_THREADS", "NUM_STREAMS"):
            assert made.get_property(name) == anew.get_property(name)


@pytest.mark.parametrize("word", ["0", "No", "false"])
def test_it_can_be_turned_off(data, folder, monkeypatch, word):
    monkeypatch.setenv("FLAWLINE_KEEP_COMPILED", word)
    opened(data)
    assert not folder.exists()


@pytest.mark.parametrize("cut", [0, 40, 1000, -1])
def test_a_damaged_file_is_compiled_anew(data, folder, cut):
    expected, _ = opened(data)
    (path,) = folder.iterdir()
    path.write_bytes(path.read_bytes()[:cut])
    assert opened(data)[0] == expected
    path.write_bytes(b"of another time" * 100)
    assert opened(data)[0] == expected
    assert opened(data) == (expected, True)


@posix
def test_only_the_user_may_write_to_what_is_taken(data, folder, monkeypatch):
    expected, _ = opened(data)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    for mode in (0o720, 0o702):
        folder.chmod(mode)
        assert compiled_networks() is None
        assert opened(data) == (expected, False)
    folder.chmod(0o700)
    assert opened(data) == (expected, True)
    folder.rename(folder.parent / "elsewhere")
    folder.symlink_to(folder.parent / "elsewhere")
    assert compiled_networks() is None
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    assert compiled_networks() is None


def test_a_folder_that_cannot_be_made_keeps_nothing(data, folder):
    folder.parent.write_text("no folder")
    assert opened(data) == opened(data, keep=False)


def test_a_folder_that_goes_away_keeps_nothing(data, folder, monkeypatch):
    gone = folder / "file" / "folder"
    monkeypatch.setattr("flawline.networks.openvino_runtime.compiled_networks", lambda: gone)
    folder.mkdir(parents=True)
    (folder / "file").write_text("no folder")
    assert opened(data) == opened(data, keep=False)


def test_a_user_without_a_home_keeps_nothing(data, monkeypatch):
    def no_home():
        raise RuntimeError("Could not determine home directory.")

    for name in ("FLAWLINE_CACHE", "XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(Path, "home", no_home)
    assert opened(data) == opened(data, keep=False)


def test_few_are_kept(folder, monkeypatch):
    monkeypatch.setattr(cache, "_MOST_FILES", 2)
    folder.mkdir(parents=True, mode=0o700)
    for age, name in enumerate("cab"):
        (folder / name).write_bytes(b"compiled")
        os.utime(folder / name, (1000 + age, 1000 + age))
    assert compiled_networks() == folder
    assert sorted(path.name for path in folder.iterdir()) == ["a", "b"]


def test_networks_compiled_at_once_leave_the_locale_alone(tmp_path):
    before = locale.setlocale(locale.LC_CTYPE)
    networks = [
        write_network(tmp_path / f"{seed}.onnx", seed=seed).read_bytes() for seed in range(16)
    ]
    with ThreadPoolExecutor(8) as pool:
        assert len(list(pool.map(opened, networks))) == 16
    assert locale.setlocale(locale.LC_CTYPE) == before
