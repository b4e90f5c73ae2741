"""A training is repeated where anything that decides it differs."""

from __future__ import annotations

from pathlib import Path

from flawline.data.source import Source, open_source
from flawline.jobs.train.anomaly_settings import AnomalySettings
from helpers.discs import disc, write, write_discs
from helpers.trained_once import trained_once


def test_other_pictures_settings_or_networks_are_another_training(tmp_path: Path) -> None:
    network = tmp_path / "n.onnx"
    network.write_bytes(b"a")
    parts, count = write_discs(tmp_path / "parts", good=3), [0]

    def train(source: Source, settings: AnomalySettings | None = None, **more: object) -> object:
        count[0] += 1
        return count[0]

    once = trained_once(train)  # type: ignore[arg-type]

    def trained(**changes: object) -> object:
        with open_source(parts) as source:
            return once(source, AnomalySettings(backbone=str(network), **changes))  # type: ignore[arg-type]

    assert [trained(), trained(), trained(seed=1), trained(seed=1)] == [1, 1, 2, 2]
    network.write_bytes(b"b")
    assert [trained(), trained()] == [3, 3]
    write(parts / "good" / "1.png", disc(9))
    assert trained() == 4
    (parts / "good" / "1.png").rename(parts / "bad-1.png")
    assert trained() == 5
