"""Who interrupts a training is told how to go on, if there is anything to go on with."""

from __future__ import annotations

import pytest

from flawline.cli.segment_progress import train_with_progress


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
