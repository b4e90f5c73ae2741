"""Parts of known defects for the segmenter of `drawn_segmenter`: some that it sees, some that it cannot."""

from __future__ import annotations

import hashlib

import cv2
import numpy as np

GREY, SEEN, HIDDEN = 100, 0, 96
BRIGHT = 250


def write_picture(folder, name, spots=(), side=64, unknown=None):
    """A grey picture and its class mask; spots are (left, top, size, class, grey). Returns the mask's name."""
    pixels = np.full((side, side, 3), GREY, np.uint8)
    truth = np.zeros((side, side), np.uint8)
    for left, top, size, kind, grey in spots:
        pixels[top : top + size, left : left + size] = grey
        truth[top : top + size, left : left + size] = kind
    if unknown is not None:
        left, top, size = unknown
        truth[top : top + size, left : left + size] = 255
    # Pictures of equal content would be copies of one file; the network only looks at the first channel.
    pixels[0, :6, 2] = np.frombuffer(hashlib.sha256(name.encode()).digest()[:6], np.uint8)
    mask = f"masks/{name.replace('/', '_')}"
    for path, image in ((name, pixels[..., ::-1]), (mask, truth)):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(folder / path), image)
    return mask


def write_segmented(folder):
    """Ten good and eight bad parts, each in one picture, by a manifest with masks: 1 is dark, 2 is bright.

    Part d0 to d3 have a dark and a bright spot of 12 and 8 px side that are seen; d4 a dark one of 4 px that is hidden
    and nothing else; d5 a hidden dark and a seen bright one; d6 a dark one that is drawn bright; d7 a seen dark
    one beside an unknown place. Good part g0 has a bright place of 3 px that is no defect.
    """
    parts = {f"good/g{k}.png": [] for k in range(10)}
    for k in range(4):
        parts[f"bad/d{k}.png"] = [(8, 8, 12, 1, SEEN), (40, 40, 8, 2, BRIGHT)]
    parts["bad/d4.png"] = [(20, 20, 4, 1, HIDDEN)]
    parts["bad/d5.png"] = [(20, 20, 4, 1, HIDDEN), (40, 8, 6, 2, BRIGHT)]
    parts["bad/d6.png"] = [(30, 30, 10, 1, BRIGHT)]
    parts["bad/d7.png"] = [(30, 30, 10, 1, SEEN)]
    parts["good/g0.png"] = [(50, 50, 3, 0, BRIGHT)]
    rows = ["image,label,mask,group,split"]
    for name, spots in parts.items():
        unknown = (50, 2, 6) if name == "bad/d7.png" else None
        mask = write_picture(folder, name, spots, unknown=unknown)
        label = name.partition("/")[0]
        rows.append(f"{name},{label},{mask},{name[-6:-4]},test")
    path = folder / "samples.csv"
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path
