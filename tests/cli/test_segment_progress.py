"""Who interrupts a training is told how to go on, if there is anything to go on with."""

from __future__ import annotations

import sys
from types import SimpleNamespace

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

    # The module itself needs the extra [train].
    module = SimpleNamespace(train_segment=interrupted)
    monkeypatch.setitem(sys.modules, "flawline.jobs.train.segment.train_segment", module)
    with pytest.raises(KeyboardInterrupt):
        train_with_progress(None, None, folder, resume=False, quiet=True)
    assert ("--resume goes on with it" in capsys.readouterr().err) == begun
