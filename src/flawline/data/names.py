"""Sort the names of files in a source and find those of pictures."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from difflib import get_close_matches

PICTURE_SUFFIXES = frozenset(
    [
        ".jpg",
        ".jpeg",
        ".jpe",
        ".jfif",
        ".png",
        ".apng",
        ".tif",
        ".tiff",
        ".bmp",
        ".dib",
        ".gif",
        ".webp",
        ".avif",
        ".jp2",
        ".j2k",
        ".j2c",
        ".jpc",
        ".jpx",
        ".jpf",
        ".pgm",
        ".ppm",
        ".pnm",
        ".pbm",
        ".pfm",
    ]
)
ARCHIVE_SUFFIXES = frozenset(
    [".zip", ".tar", ".tgz", ".tbz2", ".txz", ".gz", ".bz2", ".xz", ".zst", ".7z", ".rar"]
)
IMAGE_FOLDERS = frozenset({"images", "image", "imgs", "img", "jpegimages"})
MASK_FOLDERS = (
    *("masks", "mask", "ground_truth", "groundtruth", "ground-truth", "ground truth", "gt"),
    "segmentationclass",
)
"""Folders of masks, the surest first."""
LABEL_FOLDERS = ("labels", "label", "annotations", "annotation", "segmentations", "segmentation")
"""Folders that may hold masks."""
_SYSTEM_FILES = frozenset({".ds_store", "thumbs.db", "desktop.ini", "icon\r"})
MASK_ENDINGS = ("_mask", "_label", "_gt")
"""Ends of the names of masks next to their pictures, or in a folder of masks."""
TWIN = ".png"
"""Extension of masks that differ from their pictures in nothing else."""
_MASK_ENDING = re.compile("|".join(f"{ending}$" for ending in MASK_ENDINGS), re.IGNORECASE)
_NUMBER = re.compile(r"[0-9]+")
_LEADING_ZERO = re.compile(r"(?<![0-9])0[0-9]")
_MOST_PROBLEMS = 100


@dataclass(slots=True)
class Findings:
    """Findings of a listing: how many names were passed over, by reason, and its problems as text."""

    passed_over: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)
    unlisted: int = 0

    def problem(self, text: str) -> None:
        """Keep the first hundred problems and count the rest, so that a listing stays small."""
        if len(self.problems) < _MOST_PROBLEMS:
            self.problems.append(text)
        else:
            self.unlisted += 1

    def all_problems(self) -> tuple[str, ...]:
        """Return the first hundred problems, and a last line with the number of the others."""
        more = (f"and {self.unlisted} more",) if self.unlisted else ()
        return (*self.problems, *more)


def natural_key(name: str) -> str:
    """Make the sort key of a path with forward slashes: 2 before 10, folder by folder; different names never tie."""
    return "\0".join(map(_part_key, name.split("/"))) if "/" in name else _part_key(name)


def _part_key(part: str) -> str:
    key = _NUMBER.sub(_padded, part)
    return f"{key}\1{part}" if _LEADING_ZERO.search(part) else key


def _padded(digits: re.Match[str]) -> str:
    number = digits[0].lstrip("0") or "0"
    return f"{len(number):05d}{number}"


def suffix(name: str) -> str:
    """Return the extension in lower case with its dot, or an empty text."""
    dot = name.rfind(".")
    return name[dot:].lower() if dot > name.rfind("/") else ""


def stem(name: str) -> str:
    """Return the last part of `name` without its extension."""
    last = name.rpartition("/")[2]
    return last.rpartition(".")[0] or last


def mask_ending(name: str) -> str:
    """Return "_mask", "_label" or "_gt" in any case where the stem of a name ends so, else an empty text."""
    found = _MASK_ENDING.search(name)
    return found[0] if found else ""


def why_passed_over(name: str) -> str | None:
    """Give the reason why the file `name` is not listed as a picture, or None where it is."""
    if not is_unicode(name):
        return "name is not valid Unicode"
    last = name.rpartition("/")[2]
    if last.startswith("._") or last.lower() in _SYSTEM_FILES or "__MACOSX" in name.split("/"):
        return "system file"
    if last.startswith(".") or "/." in name or name.startswith("."):
        return "hidden file"
    extension = suffix(last)
    if extension in PICTURE_SUFFIXES:
        return None
    return "nested archive" if extension in ARCHIVE_SUFFIXES else "not a picture file"


def is_unicode(name: str) -> bool:
    """Whether `name` can be written to JSON and CSV: no undecodable bytes of a file system in it."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def did_you_mean(name: str, names: list[str]) -> str:
    """Suggest the nearest of `names` in a sentence, or return an empty text."""
    near = get_close_matches(name, names[:10_000], n=1, cutoff=0.6)
    return f"Did you mean {near[0]!r}?" if near else ""
