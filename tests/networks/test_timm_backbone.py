"""Networks of timm: names, cache and refusals always; exporting where the extra [train] is installed."""

import json
import os
import subprocess
import sys
from importlib.util import find_spec

import cv2
import numpy as np
import pytest

from flawline.cli.main import run
from flawline.detectors.detector import Detector, detector_backbone
from flawline.detectors.fitting import fit_detector
from flawline.errors import DependencyError, ModelError, UsageError
from flawline.features.compute import FeatureSettings
from flawline.networks import timm_backbone as module
from flawline.networks import timm_name
from flawline.networks.backbone import open_backbone
from flawline.networks.cache import cache_folder, exported_backbones
from flawline.networks.timm_backbone import timm_backbone
from flawline.networks.timm_name import exported_path, parse_timm_name
from helpers.networks import write_network

VERSIONS = {"torch": "2.9.0", "timm": "1.0.30", "onnx": "1.19.0"}


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("FLAWLINE_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("FLAWLINE_OFFLINE", raising=False)
    return tmp_path / "cache"


@pytest.fixture
def versions(monkeypatch):
    monkeypatch.setattr(timm_name, "package_versions", lambda: VERSIONS)


# Names, cache, refusals: these never need the extra.


def test_a_name_may_carry_arguments():
    asked = parse_timm_name(
        "timm:mobilenetv2_100?pad_type=same&output_stride=16&act=true&x=0.5&img_size=(96,128)"
    )
    assert asked.name == "mobilenetv2_100"
    assert asked.arguments == {
        "pad_type": "same",
        "output_stride": 16,
        "act": True,
        "x": 0.5,
        "img_size": (96, 128),
    }
    assert parse_timm_name("timm:resnet18.a1_in1k").name == "resnet18.a1_in1k"


@pytest.mark.parametrize(
    "text",
    [
        "timm:",
        "timm:?a=1",
        "timm:../resnet18",
        "timm:hf-hub:timm/resnet18",
        "timm:resnet18?pad",
        "timm:resnet18?a=1&a=2",
        "timm:resnet18?checkpoint_path=a.pth",
        "timm:resnet18?pretrained=1",
    ],
)
def test_a_malformed_name_is_refused(text):
    with pytest.raises(UsageError):
        parse_timm_name(text)


def test_the_cache_folder_follows_the_environment(monkeypatch, tmp_path):
    assert cache_folder() == tmp_path / "cache"
    monkeypatch.delenv("FLAWLINE_CACHE")
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache_folder() == tmp_path / "xdg" / "flawline"
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    assert cache_folder() == tmp_path / ".cache" / "flawline"
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "local"))
    assert cache_folder() == tmp_path / "local" / "flawline"


def test_the_file_name_changes_with_everything_that_decides_the_export(
    monkeypatch, versions, cache
):
    def name(text, weights=None):
        return exported_path(parse_timm_name(text), weights).name

    first = exported_path(parse_timm_name("timm:a?x=1&y=2"), "aa")
    assert first.parent == cache
    assert first.name.startswith("timm-a-")
    assert name("timm:a?y=2&x=1", "aa") == first.name
    others = {
        name("timm:a?x=1&y=2", "bb"),
        name("timm:a?x=1&y=2"),
        name("timm:a?x=1", "aa"),
        name("timm:a", "aa"),
    }
    monkeypatch.setattr(timm_name, "package_versions", lambda: {**VERSIONS, "torch": "2.9.1"})
    others.add(name("timm:a?x=1&y=2", "aa"))
    assert len(others | {first.name}) == 6


def test_a_kept_export_needs_neither_the_network_nor_pytorch(versions, cache, monkeypatch):
    cache.mkdir()
    monkeypatch.setenv("FLAWLINE_OFFLINE", "1")
    monkeypatch.setattr(module, "_import_extra", lambda: pytest.fail("the export is there"))
    kept = write_network(exported_path(parse_timm_name("timm:small"), None))
    assert open_backbone("timm:small").name == kept.stem
    assert exported_backbones() == [kept]


def test_offline_asks_for_weights_by_path(versions, monkeypatch):
    monkeypatch.setenv("FLAWLINE_OFFLINE", "1")
    with pytest.raises(ModelError, match="FLAWLINE_OFFLINE is set") as caught:
        timm_backbone("timm:resnet18")
    assert "`weights=FILE.safetensors`" in caught.value.hint


@pytest.mark.parametrize("name", ["weights.pth", "weights.bin", "weights"])
def test_pickles_are_refused_before_they_are_opened(name, tmp_path):
    with pytest.raises(ModelError, match="run any code"):
        open_backbone("timm:resnet18", weights=tmp_path / name)


def test_missing_weights_are_told(tmp_path):
    with pytest.raises(ModelError, match="no weights file") as caught:
        open_backbone("timm:resnet18", weights=tmp_path / "a.safetensors")
    assert caught.value.code == "model-missing"


def test_weights_belong_to_timm_only():
    with pytest.raises(UsageError, match="`weights` is for timm:NAME"):
        open_backbone("flawline-small", weights="a.safetensors")
    assert FeatureSettings(weights="a.safetensors").weights == "a.safetensors"


@pytest.mark.skipif(find_spec("torch") is not None, reason="the extra [train] is installed")
def test_without_the_extra_the_error_names_it(capsys):
    with pytest.raises(DependencyError) as caught:
        open_backbone("timm:resnet18")
    assert "pip install '.[train]'" in caught.value.hint


def test_doctor_tells_the_extra_and_the_cache(cache, monkeypatch, capsys):
    cache.mkdir()
    (cache / "timm-small-0123.onnx").touch()
    (cache / ".17-timm-small-4567.onnx").touch()
    monkeypatch.setenv("FLAWLINE_OFFLINE", "1")
    assert run(["doctor", "--json"]) == 0
    extras = json.loads(capsys.readouterr().out)["extras"]
    assert extras["FLAWLINE_OFFLINE"].startswith("set")
    assert extras["cache"] == str(cache)
    assert extras["exported backbones"] == ["timm-small-0123.onnx"]
    assert ("installed:" in extras["train"]) == (find_spec("timm") is not None)


# From here on networks are exported.


@pytest.fixture(scope="module")
def extra():
    reason = "the extra [train] is not installed; `make test-train` runs this"
    for name in ("torch", "timm", "safetensors"):
        pytest.importorskip(name, reason=reason)


@pytest.fixture(scope="module")
def resnet(extra, tmp_path_factory):
    return saved("resnet18", tmp_path_factory.mktemp("weights") / "resnet18.safetensors")


def saved(name, path, keep=lambda key: True, **arguments):
    import timm
    import torch
    from safetensors.torch import save_file

    torch.manual_seed(0)
    state = timm.create_model(name, pretrained=False, **arguments).state_dict()
    save_file({key: value.contiguous() for key, value in state.items() if keep(key)}, path)
    return path


def original(name, weights, pixels, preparation, indices, **arguments):
    """What timm itself gives: maps as (C, h, w)."""
    import timm
    import torch
    from safetensors.torch import load_file

    whole = timm.create_model(name, pretrained=False, **arguments)
    whole.load_state_dict(load_file(weights), strict=False)
    image = (pixels - np.array(preparation.mean)) / np.array(preparation.std)
    image = torch.from_numpy(image.astype(np.float32)).permute(2, 0, 1)[None]
    with torch.inference_mode():
        maps = whole.eval().forward_intermediates(image, indices=indices, intermediates_only=True)
    return [m[0].numpy() for m in maps]


def picture(size):
    return np.random.default_rng(0).integers(0, 256, (size, size, 3), dtype=np.uint8)


@pytest.mark.train
def test_the_exported_network_gives_what_timm_gives(resnet, cache, capfd):
    network = open_backbone("timm:resnet18", weights=resnet, precision="f32")
    assert dict(network.outputs) == {
        "stride8": 128,
        "stride16": 256,
        "stride32": 512,
        "embedding": 512,
    }
    assert network.preparation.size == (224, 224)
    np.testing.assert_allclose(network.preparation.mean, (123.675, 116.28, 103.53))
    np.testing.assert_allclose(network.preparation.std, (58.395, 57.12, 57.375))
    expected = original("resnet18", resnet, picture(224), network.preparation, [2, 3, 4])
    found = network(picture(224))
    for name, wanted in zip(("stride8", "stride16", "stride32"), expected, strict=True):
        np.testing.assert_allclose(found[name], wanted, atol=1e-4 * np.abs(wanted).max())
    np.testing.assert_allclose(found["embedding"], expected[-1].mean((1, 2)), rtol=1e-3, atol=1e-5)
    (kept,) = cache.iterdir()
    assert kept.stem == network.name
    assert capfd.readouterr() == ("", "")
    larger = open_backbone("timm:resnet18", weights=resnet, size=256)
    assert larger(picture(256))["stride32"].shape == (512, 8, 8)


@pytest.mark.train
def test_the_file_carries_its_name_source_and_preparation_and_is_the_same_again(
    resnet, monkeypatch, tmp_path
):
    import onnx

    first = timm_backbone("timm:resnet18", resnet)
    told = {entry.key: entry.value for entry in onnx.load(first).metadata_props}
    assert told["flawline.name"] == "resnet18"
    assert "weights sha256" in told["flawline.source"]
    assert json.loads(told["flawline.preparation"])["size"] == [224, 224]
    monkeypatch.setenv("FLAWLINE_CACHE", str(tmp_path / "again"))
    again = timm_backbone("timm:resnet18", resnet)
    assert again != first
    assert again.read_bytes() == first.read_bytes()


@pytest.mark.train
def test_a_file_that_ends_early_gives_the_maps_that_it_covers(extra, tmp_path):
    weights = saved(
        "resnet18",
        tmp_path / "a.safetensors",
        lambda key: key[:6] not in ("layer4", "fc.wei", "fc.bia"),
    )
    network = open_backbone("timm:resnet18", weights=weights)
    assert dict(network.outputs) == {"stride8": 128, "stride16": 256, "embedding": 256}


@pytest.mark.train
def test_arguments_and_a_foreign_head(extra, tmp_path):
    given = {"pad_type": "same", "num_classes": 1001}
    weights = saved("mobilenetv2_050", tmp_path / "a.safetensors", **given)
    network = open_backbone("timm:mobilenetv2_050?pad_type=same", weights=weights, precision="f32")
    (wanted,) = original(
        "mobilenetv2_050", weights, picture(224), network.preparation, [3], **given
    )
    found = network(picture(224))["stride16"]
    np.testing.assert_allclose(found, wanted, atol=1e-4 * np.abs(wanted).max())


@pytest.mark.train
def test_a_transformer_has_one_stride_and_a_fixed_size(extra, tmp_path):
    given = {"img_size": 96, "depth": 3}
    weights = saved("vit_tiny_patch16_224", tmp_path / "a.safetensors", **given)
    name = "timm:vit_tiny_patch16_224?img_size=96&depth=3"
    network = open_backbone(name, weights=weights)
    assert dict(network.outputs) == {"stride16": 192, "embedding": 192}
    assert network(picture(96))["stride16"].shape == (192, 6, 6)
    with pytest.raises(ModelError, match="does not run on pictures of 128x128"):
        open_backbone(name, weights=weights, size=128)


@pytest.mark.train
@pytest.mark.parametrize(
    ("name", "given", "window", "stride"),
    [
        ("vit_small_patch14_dinov2", {"img_size": 224, "depth": 3}, 224, 14),
        ("vit_small_patch14_reg4_dinov2", {"img_size": 112, "depth": 3}, 112, 14),
        ("wide_resnet50_2", {}, 128, 8),
    ],
)
def test_a_detector_learns_from_the_maps_of_a_large_network(
    extra, tmp_path, name, given, window, stride
):
    weights = saved(name, tmp_path / "a.safetensors", **given)
    asked = f"timm:{name}?" + "&".join(f"{key}={value}" for key, value in given.items())
    path = timm_backbone(asked.rstrip("?"), weights)
    rng = np.random.default_rng(0)
    windows = [rng.integers(0, 256, (window, window, 3), np.uint8) for _ in range(4)]
    size, options = (window, window), {"precision": "f32"}
    state = fit_detector("patch-memory", path.read_bytes(), lambda: windows, window=size, **options)
    assert len(state.arrays["memory"]) == min(4000, 4 * (window // stride) ** 2)
    backbone = detector_backbone(state.method, path.read_bytes(), window=size, **options)
    scores = Detector(state, backbone, window=size)(windows[0][::-1].copy())
    assert scores.shape == (window // 8, window // 8)
    assert np.isfinite(scores).all()
    assert np.ptp(scores) > 0


@pytest.mark.train
@pytest.mark.parametrize(
    ("name", "keep", "said"),
    [
        ("resnet34", lambda key: True, "unknown"),
        (
            "resnet18",
            lambda key: not key.startswith("layer2.0.conv1"),
            "1 missing .layer2.0.conv1.weight.",
        ),
        ("resnet18", lambda key: key.startswith("fc"), "missing"),
        ("resnet18", lambda key: key.startswith(("conv1", "bn1")), "covers no map"),
    ],
)
def test_weights_that_do_not_fit_are_refused(extra, name, keep, said, tmp_path, cache):
    weights = saved(name, tmp_path / "a.safetensors", keep)
    if "missing" in said or "unknown" in said:
        said = f"of 100 keys, .*{said}"
    with pytest.raises(ModelError, match=said):
        open_backbone("timm:resnet18", weights=weights)
    assert not list(cache.glob("*"))


@pytest.mark.train
def test_other_shapes_and_damaged_files_are_refused(extra, tmp_path):
    wide = saved("resnet50", tmp_path / "a.safetensors")
    with pytest.raises(ModelError, match="timm cannot build wide_resnet50_2"):
        open_backbone("timm:wide_resnet50_2", weights=wide)
    wide.write_bytes(wide.read_bytes()[:1000])
    with pytest.raises(ModelError, match="cannot be read"):
        open_backbone("timm:resnet50", weights=wide)


@pytest.mark.train
def test_unknown_networks_and_arguments_are_refused(resnet):
    with pytest.raises(ModelError, match="no network 'resnet81'") as caught:
        open_backbone("timm:resnet81", weights=resnet)
    assert "resnet" in caught.value.hint
    with pytest.raises(ModelError, match=r"timm cannot build resnet18\?no_such=1"):
        open_backbone("timm:resnet18?no_such=1", weights=resnet)


@pytest.mark.train
def test_a_cache_that_cannot_be_written_is_told(resnet, tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("FLAWLINE_CACHE", str(tmp_path / "file" / "cache"))
    with pytest.raises(ModelError, match="cannot be kept") as caught:
        open_backbone("timm:resnet18", weights=resnet)
    assert "FLAWLINE_CACHE" in caught.value.hint


@pytest.mark.train
def test_a_hub_out_of_reach_is_a_message_and_soon(extra, tmp_path):
    """In a process of its own: the hub's library reads its address once. The port is one where nobody listens."""
    command = [
        sys.executable,
        "-m",
        "flawline",
        "features",
        str(tmp_path),
        "--backbone",
        "timm:resnet18",
        "--json",
        "--out",
        str(tmp_path / "out.csv"),
    ]
    (tmp_path / "a.png").write_bytes(cv2.imencode(".png", picture(32))[1].tobytes())
    there = {**os.environ, "HF_ENDPOINT": "http://127.0.0.1:9", "HF_HOME": str(tmp_path / "hub")}
    done = subprocess.run(
        command, env=there, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 2
    error = json.loads(done.stdout)["error"]
    assert error["code"] == "model-fetch"
    assert "--weights" in error["hint"]
    assert "Traceback" not in done.stderr
