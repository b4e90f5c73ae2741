"""Colours of charts, overlays and pages.

From Okabe and Ito, "Color Universal Design" (2008): distinguishable with the common colour-vision deficiencies.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

ORANGE, SKY_BLUE, BLUISH_GREEN, YELLOW = "#E69F00", "#56B4E9", "#009E73", "#F0E442"
BLUE, VERMILION, REDDISH_PURPLE, GREY = "#0072B2", "#D55E00", "#CC79A7", "#999999"

GOOD, BAD, UNKNOWN = BLUE, VERMILION, GREY
LIMIT = BLUISH_GREEN
SERIES = (BLUE, VERMILION, BLUISH_GREEN, REDDISH_PURPLE, ORANGE, SKY_BLUE)
# Classes of defects: colours that stand out on metal first.
CLASSES = (SKY_BLUE, YELLOW, VERMILION, BLUISH_GREEN, REDDISH_PURPLE, BLUE, ORANGE)

# Pages by theme; "bad" is a vermilion with enough contrast for text.
PAGE: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "light": {
            "page": "#f6f7f9",
            "card": "#fff",
            "ink": "#1c2430",
            "soft": "#5b6675",
            "line": "#d9dee5",
            "good": GOOD,
            "bad": "#B84A00",
            "stop": "#A3161A",
            "unknown": "#6b7280",
            "limit": "#00785A",
            "accept": "#00684E",
            "review": "#7A4E00",
            "reject": "#A83A00",
            "accent": "#0B5CAD",
        },
        "dark": {
            "page": "#12161c",
            "card": "#1b212a",
            "ink": "#e6eaf0",
            "soft": "#9aa6b5",
            "line": "#313a46",
            "good": SKY_BLUE,
            "bad": "#F0883E",
            "stop": "#FF8A80",
            "unknown": "#9aa6b5",
            "limit": "#3DBE96",
            "accept": "#4FD1AE",
            "review": "#F2C14E",
            "reject": "#FF9466",
            "accent": "#7CB8F5",
        },
    }
)


def rgb(colour: str) -> tuple[int, int, int]:
    """Convert "#rrggbb" to red, green and blue, 0 to 255."""
    red, green, blue = bytes.fromhex(colour[1:])
    return red, green, blue
