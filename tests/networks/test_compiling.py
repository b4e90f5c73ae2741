import os
import shutil
import stat
import sys
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from flawline.errors import ModelError
from flawline.networks import compiled_cache
from flawline.networks.compiled_cache import (
    compiled_folder,
    compiled_key,
    find_compiled,
    keep_compiled,
)
from flawline.networks.compiling import Compiling, begin_compiling
from flawline.networks.openvino_runtime import PreparedNetwork, prepare_network
from helpers.networks import write_network

pixels = np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("FLAWLINE_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("FLAWLINE_KEEP_COMPILED", raising=False)
    return tmp_path / "cache" / "compiled"


@pytest.fixture
def data(tmp_path):
    return write_network(tmp_path / "small.onnx").read_bytes()


def started(data, precision="auto", **facts):
    return Compiling(partial(prepare_network, data, precision=precision), 0, **facts)


def computed(network: Compiling) -> dict[str, bytes]:
    found = {name: values.tobytes() for name, values in network.ready()(pixels).items()}
    network.finish()
    return found


def told(key: str) -> tuple[dict, bytes]:
    about, compiled = find_compiled(key)
    return about, compiled.data.tobytes()


def broken(data: bytes) -> PreparedNetwork:
    raise AssertionError("it was to be taken from the cache")


@pytest.mark.parametrize("precision", ["auto", "f32"])
def test_a_kept_network_computes_the_same_bytes(data, folder, precision):
    plain = computed(started(data, precision))
    assert not folder.exists()
    first = computed(started(data, precision, network="a"))
    assert len(list(folder.iterdir())) == 1
    kept = Compiling(partial(broken, data), 0, network="a")
    assert computed(kept) == first == plain
    anew = prepare_network(data, precision=precision)
    for name in ("name", "sha256", "preparation", "precision", "shapes", "metadata"):
        assert getattr(kept.prepared, name) == getattr(anew, name)


def test_content_is_not_asked_for_where_the_compiled_network_is_kept(data):
    def begun(network):
        options = {"outputs": ("stride8",), "named": "stride8", "precision": "f32", "threads": 0}
        return begin_compiling(network, size=(32, 32), sha256="a", **options)

    first = begun(lambda: data)
    expected = computed(first)
    assert first.keeps
    assert computed(begun(lambda: pytest.fail("it was to be taken from the cache"))) == expected


def test_other_facts_are_another_network(data, folder):
    for facts in ({"network": "a"}, {"network": "b"}, {"network": "a", "size": (32, 32)}):
        computed(started(data, **facts))
    assert len(list(folder.iterdir())) == 3


def test_it_can_be_turned_off(data, folder, monkeypatch):
    computed(started(data, network="a"))
    shutil.rmtree(folder)
    for word in ("0", "No", "false"):
        monkeypatch.setenv("FLAWLINE_KEEP_COMPILED", word)
        computed(started(data, network="a"))
        assert not folder.exists()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has other permissions")
def test_only_the_user_may_write_to_what_is_taken(folder):
    keep_compiled("k", {"name": "x"}, b"compiled")
    assert told("k") == ({"name": "x"}, b"compiled")
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / "k").stat().st_mode) == 0o600
    for path in (folder / "k", folder):
        for mode in (0o720, 0o702):
            before = stat.S_IMODE(path.stat().st_mode)
            path.chmod(mode)
            assert find_compiled("k") is None
            path.chmod(before)
    assert find_compiled("k") is not None
    (folder / "k").rename(folder.parent / "elsewhere")
    (folder / "k").symlink_to(folder.parent / "elsewhere")
    assert find_compiled("k") is None


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has other permissions")
def test_what_another_user_owns_is_not_taken(folder, monkeypatch):
    keep_compiled("k", {"name": "x"}, b"compiled")
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    assert find_compiled("k") is None


def test_what_was_altered_or_renamed_is_not_taken(folder):
    keep_compiled("k", {"name": "x"}, b"compiled")
    content = (folder / "k").read_bytes()
    for place in (0, 70, len(content) - 1):
        (folder / "k").write_bytes(content[:place] + b"?" + content[place + 1 :])
        assert find_compiled("k") is None
    for cut in (0, 40, len(content) - 1):
        (folder / "k").write_bytes(content[:cut])
        assert find_compiled("k") is None
    (folder / "other").write_bytes(content)
    assert find_compiled("other") is None


def test_an_altered_file_is_compiled_anew_and_replaced(data, folder):
    expected = computed(started(data, network="a"))
    (path,) = folder.iterdir()
    content = path.read_bytes()
    path.write_bytes(content[:-1])
    assert computed(started(data, network="a")) == expected
    assert told(path.name)[0]["name"] == "model"


def test_what_this_openvino_does_not_take_is_compiled_anew(data, folder):
    expected = computed(started(data, network="a"))
    key = compiled_key(threads=0, network="a")
    kept, _ = find_compiled(key)
    keep_compiled(key, kept, b"of another time")
    assert computed(started(data, network="a")) == expected
    assert told(key)[1] != b"of another time"


def test_few_and_small_ones_are_kept(folder, monkeypatch):
    monkeypatch.setattr(compiled_cache, "_MOST_FILES", 3)
    monkeypatch.setattr(compiled_cache, "_MOST_BYTES", 8)
    for age, key in enumerate("abcd"):
        keep_compiled(key, {}, b"compiled")
        os.utime(folder / key, (1000 + age, 1000 + age))
    keep_compiled("e", {}, b"too large")
    assert find_compiled("b") is not None
    keep_compiled("f", {}, b"compiled")
    assert sorted(path.name for path in folder.iterdir()) == ["b", "d", "f"]


def test_a_folder_that_cannot_be_written_keeps_nothing(data, folder):
    folder.parent.write_text("no folder")
    assert computed(started(data, network="a")) == computed(started(data))
    assert not compiled_folder().exists()


def test_a_user_without_a_home_keeps_nothing(data, monkeypatch):
    def no_home():
        raise RuntimeError("Could not determine home directory.")

    for name in ("FLAWLINE_CACHE", "XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(Path, "home", no_home)
    assert computed(started(data, network="a")) == computed(started(data))


def test_what_goes_wrong_is_told_where_it_is_asked_for():
    network = Compiling(partial(prepare_network, b"no network"), 0, network="a")
    with pytest.raises(ModelError, match="cannot be read as a network"):
        _ = network.prepared
    with pytest.raises(ModelError, match="cannot be read as a network"):
        network.ready()
