"""A segmenter of 12-bit pictures, and of whole pictures squeezed into one patch, from the command to the inspection."""

import cv2
import numpy as np
import pytest

from flawline.cli.main import run
from flawline.data.image import read_image
from flawline.errors import ImageError
from flawline.inspector import Inspector
from flawline.recipe import read_recipe

REASON = "the extra [train] is not installed; `make test-train` runs this"
pytest.importorskip("torch", reason=REASON)
pytest.importorskip("segmentation_models_pytorch", reason=REASON)
pytestmark = pytest.mark.train

RANGE = ["--value-range", "0,4095"]
LITTLE = [
    "--classes", "scratch,stain", "--patch", "64", "--resolution", "fit", "--epochs", "1",
    "--batch", "4", "--precision", "f32",
]  # fmt: skip


@pytest.fixture
def deep(drawn_source, tmp_path):
    """Sixteen plates of 12 bits in 16-bit files."""
    drawn = drawn_source(16)
    rows = ["image,mask,group"]
    for folder in ("images", "masks"):
        (tmp_path / "parts" / folder).mkdir(parents=True)
    for sample in drawn.samples():
        picture, mask = drawn.pair(sample)
        values = picture.pixels[..., 0].astype(np.uint16) * 16
        cv2.imwrite(str(tmp_path / "parts" / "images" / sample.name), values)
        cv2.imwrite(str(tmp_path / "parts" / "masks" / sample.name), mask)
        rows.append(f"images/{sample.name},masks/{sample.name},{sample.group}")
    (tmp_path / "parts" / "samples.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return tmp_path / "parts" / "samples.csv"


def trained(source, out, *options):
    return run(["train", "segment", str(source), "-o", str(out), *LITTLE, *options])


def test_the_range_goes_into_the_recipe_and_pictures_are_inspected_with_it(deep, tmp_path, capsys):
    assert trained(deep, tmp_path / "a.flaw", *RANGE) == 0
    assert "nearly black" not in capsys.readouterr().err
    recipe = read_recipe(tmp_path / "a.flaw")
    assert recipe.manifest.settings["value_range"] == [0, 4095]
    inspector = Inspector(recipe)
    path = deep.parent / "images" / "1.png"
    wanted = inspector.probabilities(read_image(path, value_range=(0, 4095)))
    found = inspector.inspect(path)
    assert found.score == wanted[1:].max()
    assert (
        run(["inspect", str(tmp_path / "a.flaw"), str(path.parent), "-o", str(tmp_path / "o")]) < 2
    )
    assert "nearly black" not in capsys.readouterr().err
    assert trained(deep, tmp_path / "a.flaw", "--resume", "--epochs", "2") == 2
    assert "another value range" in capsys.readouterr().err


def test_without_a_range_dark_files_are_noted_once(deep, tmp_path, capsys):
    assert trained(deep, tmp_path / "a.flaw") == 0
    said = " ".join(capsys.readouterr().err.split())
    assert said.count("nearly black") == 1
    assert "--value-range 0,4095 for 12 bits: 16 pictures, " in said
    assert read_recipe(tmp_path / "a.flaw").manifest.settings["value_range"] is None


def test_whole_pictures_of_another_shape_are_refused(deep, tmp_path):
    assert trained(deep, tmp_path / "a.flaw", *RANGE) == 0
    inspector = Inspector.open(tmp_path / "a.flaw")
    assert inspector.recipe.manifest.settings["aspect_ratios"] == [80 / 72, 80 / 72]
    values = cv2.imread(str(deep.parent / "images" / "1.png"), cv2.IMREAD_UNCHANGED)
    for size, fits in (((160, 144), True), ((144, 160), False)):
        cv2.imwrite(str(tmp_path / "x.png"), cv2.resize(values, size))
        if fits:
            assert inspector.inspect(tmp_path / "x.png").verdict
        else:
            with pytest.raises(ImageError, match=r"1\.11 to 1\.11"):
                inspector.inspect(tmp_path / "x.png")
