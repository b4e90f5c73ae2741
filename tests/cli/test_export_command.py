"""`flawline export` on the command line."""

import json
import subprocess
import sys

import pytest

from flawline import train_anomaly, write_recipe
from flawline.cli.main import run
from helpers.networks import write_network
from helpers.pictures import parts


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("export")
    parts(folder / "parts", good=8, bad=1)
    network = str(write_network(folder / "small.onnx"))
    trained = train_anomaly(
        folder / "parts", backbone=network, window=64, held_out=0.3, keep_all=True
    )
    write_recipe(trained.recipe, folder / "part.flaw")
    return folder


def test_files_and_output(place, tmp_path, capsys):
    # Pictures of 64 px are smaller than parts that can be drawn; they are drawn larger and shrunk.
    out = tmp_path / "new" / "out"
    code = run(["export", str(place / "part.flaw"), "--to", "openvino", "-o", str(out)])
    shown = capsys.readouterr()
    assert code == 0, shown.err
    assert "compared on 16 drawn pictures" in shown.out
    assert "the exported model: maps differ by" in shown.out
    assert "16 of 16 verdicts are the same" in shown.out
    assert "HOW-TO-RUN.md" in shown.err
    assert (out / "export.json").is_file()


def test_one_document(place, tmp_path, capsys):
    arguments = ["export", str(place / "part.flaw"), "--to", "onnx", "-o", str(tmp_path / "out")]
    assert run([*arguments, "--check", str(place / "parts"), "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed == json.loads((tmp_path / "out" / "export.json").read_text(encoding="utf-8"))
    assert printed["parity"]["compared"] == 9


@pytest.mark.parametrize("package", ["onnx", "onnxruntime"])
def test_a_missing_package_is_an_error_with_the_way_out(
    package, place, tmp_path, capsys, monkeypatch
):
    # As when nothing has imported the package yet.
    for name in [name for name in sys.modules if name.startswith("flawline.detectors.onnx_")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, package, None)
    out = tmp_path / "out"
    assert run(["export", str(place / "part.flaw"), "--to", "onnx", "-o", str(out), "--json"]) == 2
    error = json.loads(capsys.readouterr().out)["error"]
    assert error["code"] == "dependency"
    assert f"import of {package} halted" in error["message"]
    assert "pip install '.[onnx]'" in error["hint"]
    assert not out.exists()


def test_openvino_needs_no_package_of_onnx(place, tmp_path):
    code = f"""
import sys
sys.modules["onnx"] = sys.modules["onnxruntime"] = sys.modules["google.protobuf"] = None
from flawline.cli.main import run
sys.exit(run(["export", {str(place / "part.flaw")!r}, "--to", "openvino", "-o", {str(tmp_path / "out")!r}]))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out" / "model.xml").is_file()


def test_what_is_no_recipe_or_no_format_is_an_error(place, tmp_path, capsys):
    assert run(["export", str(tmp_path / "no.flaw"), "--to", "onnx", "--json"]) == 2
    assert json.loads(capsys.readouterr().out)["error"]["code"] == "recipe-missing"
    assert run(["export", str(place / "part.flaw"), "--to", "pdf"]) == 2
    assert "onnx, openvino, got 'pdf'" in capsys.readouterr().err
    assert run(["export", str(place / "part.flaw")]) == 2
    assert "--to" in capsys.readouterr().err
