"""Give a self-test as plain values, for JSON documents and manifests."""

from __future__ import annotations

from typing import Any

from flawline.core.blind_zones import BlindZone
from flawline.core.self_test import DetectionLimit
from flawline.core.self_test_words import limit_name
from flawline.inspector.self_test import SelfTest


def self_test_document(test: SelfTest) -> dict[str, Any]:
    """Give the sentence, the limits of each kind and contrast, and the blind zones."""
    return {
        "sentence": test.sentence,
        "pictures": len(test.pictures),
        "refused": list(test.refused),
        "defects": len(test.trials),
        "left_out": test.left_out,
        "drawn_on": "the whole picture" if test.part.kind == "none" else "the part",
        "limits": [_limit(limit) for limit in test.limits],
        "blind_zones": [_zone(zone) for zone in test.blind.zones],
    }


def _limit(limit: DetectionLimit) -> dict[str, Any]:
    pod = limit.pod
    return {
        "name": limit_name(limit),
        "kind": limit.kind,
        "contrast": limit.contrast,
        "found_from_px": _rounded(limit.reach),
        "a90_px": _rounded(pod.a90),
        "a90_95_px": _rounded(pod.a90_95),
        "reason": pod.reason,
        "defects": pod.defects,
        "found": pod.found,
        "not_accepted": limit.noticed,
        "sizes": [
            {
                "width_px": size.width,
                "length_px": size.length,
                "found": size.found.hits,
                "of": size.found.of,
                "interval": [round(edge, 4) for edge in size.found.interval],
            }
            for size in limit.sizes
        ],
    }


def _zone(zone: BlindZone) -> dict[str, Any]:
    return {
        "box": [round(side, 4) for side in zone.box],
        "found": zone.found,
        "of": zone.of,
        "expected": round(zone.expected, 2),
        "look": zone.look,
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.4g}")
