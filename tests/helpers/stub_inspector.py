"""An inspector that calls bright places odd, so that tests know every answer."""

from __future__ import annotations

import hashlib
from dataclasses import asdict
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np

from flawline.core.regions import mask_of_map
from flawline.core.threshold import conformal_p_value, verdict
from flawline.inspector.inspection import Inspection
from flawline.recipe.manifest import PictureRecord
from flawline.recipe.settings import ThresholdSettings
from flawline.types import Picture
from helpers.map_regions import regions_of_map


class BrightnessInspector:
    """Scores the brightest cell of 8 x 8 pixels, 0 to 1, among calibration scores 0.00, 0.01 ... 0.98."""

    precision = "f32"
    heat_range = (0.2, 1.0)
    value_range = None
    classes = ("background", "anomaly")
    model = SimpleNamespace(tells_classes=False)

    def __init__(
        self,
        review: float = 0.4,
        reject: float = 0.6,
        known: tuple[PictureRecord, ...] = (),
        calibrated: bool = True,
        name: str = "1",
    ) -> None:
        threshold = ThresholdSettings(review=review, reject=reject, region=review)
        self.recipe: Any = SimpleNamespace(
            settings=SimpleNamespace(
                part="disc", task="anomaly", threshold=threshold, segmenter=None
            ),
            sha256=name * 64,
            manifest=SimpleNamespace(pictures=known),
        )
        held = np.arange(99) / 100
        self.calibration = SimpleNamespace(scores=held, peaks=held) if calibrated else None

    def inspect(self, picture: Picture) -> Inspection:
        """Judge one picture."""
        height, width = picture.pixels.shape[:2]
        limit = self.recipe.settings.threshold
        grey = picture.pixels[..., 0].astype(np.float32) / 255
        cells = cv2.resize(grey, (width // 8, height // 8), interpolation=cv2.INTER_AREA)
        score = float(cells.max())
        return Inspection(
            image="",
            sha256=picture.sha256,
            size=(height, width),
            score=score,
            p_value=float(conformal_p_value(np.arange(99) / 100, score)),
            verdict=verdict(score, limit.review, limit.reject),
            reasons=("bright",),
            regions=regions_of_map(cells, limit.region, (height, width)),
            map=cells,
            class_mask=mask_of_map(cells, limit.region, (height, width))[0],
            recipe=self.recipe.sha256,
            timings={"model": 2.0, "judge": 1.0},
            classes=self.classes,
            heat_range=self.heat_range,
        )

    def described(self) -> dict[str, Any]:
        """What inspects."""
        limit = self.recipe.settings.threshold
        return {"detector": "brightness", "thresholds": asdict(limit)}


def write_part(folder, name, spots=(), side=64, background=25, mask=None, value=1):
    """A picture with square spots (left, top, size, grey); `mask` writes its true mask to that path."""
    pixels = np.full((side, side, 3), background, np.uint8)
    truth = np.zeros((side, side), np.uint8)
    for left, top, size, grey in spots:
        pixels[top : top + size, left : left + size] = grey
        truth[top : top + size, left : left + size] = value
    # Pictures of equal content would be copies of one file.
    pixels[0, :6, 0] = np.frombuffer(hashlib.sha256(name.encode()).digest()[:6], np.uint8) % 20
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), pixels)
    if mask is not None:
        (folder / mask).parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(folder / mask), truth)
    return path


def write_parts(folder):
    """Ten good and six bad parts in two pictures each, with masks: two cracks dim, two bright; two chips bright.

    Scores: good 0.1, but one picture of g0 0.5 (review) and one of g1 0.7 (reject). Cracks: b0 and b1 0.3 (accepted),
    b2 and b3 0.9 (rejected). Chips b4 and b5: one spot 0.9 and one 0.3. The second picture of a bad part is good.
    """
    rows = ["image,label,mask,group,split"]
    for part in range(10):
        for view in range(2):
            grey = {0: 128, 1: 179}.get(part) if view == 0 else None
            spots = [(16, 16, 16, grey)] if grey else []
            name = f"good/g{part}_{view}.png"
            write_part(folder, name, spots)
            rows.append(f"{name},good,,g{part},test")
    for part in range(6):
        label, grey = ("crack", 77 if part < 2 else 230) if part < 4 else ("chip", 230)
        spots = [(8, 8, 16, grey)] + ([(40, 40, 8, 77)] if label == "chip" else [])
        name, mask = f"bad/b{part}_0.png", f"masks/b{part}.png"
        write_part(folder, name, spots, mask=mask, value=1 if label == "crack" else 2)
        rows.append(f"{name},{label},{mask},b{part},test")
        write_part(folder, f"bad/b{part}_1.png")
        rows.append(f"bad/b{part}_1.png,good,,b{part},test")
    write_part(folder, "good/t0.png", background=30)
    rows.append("good/t0.png,good,,t0,train")
    path = folder / "samples.csv"
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path
