"""The method "fast": "patch-gaussian" at half the resolution, a quarter of the work."""

from __future__ import annotations

from dataclasses import replace

from flawline.detectors import patch_gaussian

METHOD = replace(patch_gaussian.METHOD, shrink=2)
