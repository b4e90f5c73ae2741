import json
import re
from contextlib import redirect_stdout
from io import StringIO

import numpy as np
import onnxruntime
import pytest

from flawline.errors import ModelError
from flawline.jobs.export.export_recipe import export_recipe
from helpers.drawn_segmenter import segment_recipe


@pytest.fixture
def recipe(tmp_path):
    return segment_recipe(tmp_path / "network.onnx", smallest=3)


@pytest.mark.parametrize("name", ["onnx", "openvino"])
def test_what_is_written_agrees_with_the_recipe_and_runs(recipe, tmp_path, monkeypatch, name):
    found = export_recipe(recipe, name, tmp_path / "out")
    assert found.checked.parity.map_largest < 1e-5
    assert found.checked.verdicts["with marks"] > 0
    told = json.loads((tmp_path / "out" / "export.json").read_text(encoding="utf-8"))
    assert told["model"]["classes"] == ["background", "dark", "bright"]
    assert told["after"]["thresholds"] == [0.9, 0.9]
    assert told["after"]["smallest"] == 3
    page = (tmp_path / "out" / "HOW-TO-RUN.md").read_text(encoding="utf-8")
    [code] = re.findall(r"```python\n(.*?)```", page, re.S)
    monkeypatch.chdir(tmp_path / "out")
    with redirect_stdout(StringIO()) as out:
        exec(compile(code, "page", "exec"), {})
    # A black window: x = -2, logits 0, 4 and -4.
    powers = np.exp([0.0, 4.0, -4.0])
    shown = np.array(re.findall(r"[\d.e-]+", out.getvalue()), float)
    np.testing.assert_allclose(shown, powers / powers.sum(), rtol=1e-4)


def test_the_same_recipe_gives_the_same_files(recipe, tmp_path):
    files = []
    for folder in ("a", "b"):
        written = export_recipe(recipe, "onnx", tmp_path / folder).written
        files.append([path.read_bytes() for path in written])
    assert files[0] == files[1]


def test_a_file_that_computes_otherwise_is_not_written(recipe, tmp_path, monkeypatch):
    class Other(onnxruntime.InferenceSession):
        def run(self, *given):
            return [1.05 * values for values in super().run(*given)]

    monkeypatch.setattr(onnxruntime, "InferenceSession", Other)
    with pytest.raises(ModelError) as caught:
        export_recipe(recipe, "onnx", tmp_path / "out")
    assert caught.value.code == "export-differs"
    assert not (tmp_path / "out").exists()
