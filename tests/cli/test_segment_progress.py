"""Who interrupts a training is told how to go on, if there is anything to go on with."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from flawline.cli.segment_progress import train_with_progress
from flawline.cli.train_segment import evaluation, open_unmasked


@pytest.mark.parametrize("begun", [False, True])
def test_an_interrupted_training(tmp_path, monkeypatch, capsys, begun) -> None:
    folder = tmp_path / "parts.training"

    def interrupted(*_, **__):
        if begun:
            folder.mkdir()
            (folder / "checkpoint.safetensors").write_bytes(b"")
        raise KeyboardInterrupt

    monkeypatch.setattr("flawline.api.train.train_segment", interrupted)
    with pytest.raises(KeyboardInterrupt):
        train_with_progress(None, {}, folder, resume=False, quiet=True)
    assert ("--resume goes on with it" in capsys.readouterr().err) == begun


@pytest.mark.parametrize(
    ("masks", "origin", "words"),
    [
        ({"annotations": None, "classes": "dent"}, "source", "--classes dent"),
        (
            {"annotations": Path("my boxes"), "classes": None, "boxes": "grabcut"},
            "stratified",
            "--annotations 'my boxes' --boxes grabcut --drop-known",
        ),
        ({"root": Path("/"), "limits": None}, "source", "--root /"),
    ],
)
def test_the_next_command_reads_the_same_masks(masks, origin, words) -> None:
    command = evaluation(Path("a.flaw"), "parts", masks, origin)
    assert command == f"flawline evaluate a.flaw parts {words}"


@pytest.mark.parametrize("table", [True, False])
def test_pictures_without_masks_may_be_a_folder_where_the_masks_are_a_table_with_a_root(
    table, tmp_path
) -> None:
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    cv2.imwrite(str(pictures / "a.png"), np.full((8, 8), 90, np.uint8))
    listed = tmp_path / "tables" / "more.csv"
    listed.parent.mkdir()
    listed.write_text(f"image\n{pictures / 'a.png'}\n", encoding="utf-8")
    with open_unmasked(str(listed if table else pictures), None, tmp_path, None) as source:
        assert [Path(sample.name).name for sample in source.samples()] == ["a.png"]
