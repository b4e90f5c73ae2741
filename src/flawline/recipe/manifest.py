"""Read and write manifest.json: the content of a recipe, its origin and version, sealed by a hash."""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, get_args

from flawline.data.json_file import parse_json
from flawline.errors import ModelError
from flawline.recipe.checks import FILE_NAME
from flawline.recipe.settings import SCHEMA, TASKS
from flawline.recipe.upgrade import upgrade_manifest
from flawline.types import EMPTY
from flawline.version import __version__

Role = Literal["train", "calibration", "set-aside", "duplicate", "test"]
ROLES: tuple[Role, ...] = get_args(Role)
_HASH = re.compile(r"[0-9a-f]{64}")
_LINE = re.compile(r"([0-9a-f]{64})  (.*)", re.S)
_NO_SEAL = b"0" * 64
# The seal is the last entry, so that it is found without reading the rest.
_SEAL = re.compile(rb'"sha256": "([0-9a-f]{64})"\s*\}\s*\Z')
_ARRAY = re.compile(rf"arrays/{FILE_NAME.pattern}\.npy")


class PictureRecord(NamedTuple):
    """A picture that training saw: the hash of its file, its name in the source and what it was used for."""

    sha256: str
    name: str
    role: Role


@dataclass(frozen=True, slots=True)
class BackboneRecord:
    """The network inside model.onnx: its name, the hash of its own file, its licence (SPDX), its preparation.

    `preparation` is what `flawline.networks.network.Preparation.as_dict` gives.
    """

    name: str
    sha256: str
    licence: str
    preparation: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class RecipeManifest:
    """The content of manifest.json.

    `files` (hash by name), `fixed` (settings that training decided) and `trained_toml` (hash of recipe.toml as it was
    when trained) are filled in by `new_recipe`. `pictures` are all that training or calibration saw, and those of
    the role "test", which they did not. `seeds`, `settings` and `metrics` hold what JSON can hold; no value may be
    NaN or infinite.
    """

    backbone: BackboneRecord
    pictures: tuple[PictureRecord, ...] = ()
    seeds: Mapping[str, int] = field(default_factory=lambda: EMPTY)
    settings: Mapping[str, Any] = field(default_factory=lambda: EMPTY)
    metrics: Mapping[str, Any] = field(default_factory=lambda: EMPTY)
    kind: str = "anomaly"
    version: str = __version__
    files: Mapping[str, str] = field(default_factory=lambda: EMPTY)
    fixed: Mapping[str, Any] = field(default_factory=lambda: EMPTY)
    trained_toml: str = ""

    @property
    def value_range(self) -> tuple[float, float] | None:
        """Values that become black and white in pictures of more than 8 bits; None where none was needed."""
        return self._pair("value_range")

    @property
    def picture_size(self) -> tuple[int, int]:
        """(height, width) of the usual picture learnt from, px."""
        found = self._pair("picture_size")
        if found is None:
            raise _not_two_numbers("picture_size", None)
        return int(found[0]), int(found[1])

    @property
    def aspect_ratios(self) -> tuple[float, float] | None:
        """Lowest and highest width/height of the pictures learnt from; None where any shape may come."""
        return self._pair("aspect_ratios")

    @property
    def detector(self) -> Mapping[str, Any]:
        """The state of a detector without its arrays."""
        found: Mapping[str, Any] = self.settings["detector"]
        return found

    def _pair(self, name: str) -> tuple[float, float] | None:
        """Read two numbers of the settings; raises ModelError ("model-damaged") for anything else."""
        kept = self.settings.get(name)
        if kept is None:
            return None
        if not isinstance(kept, list | tuple) or len(kept) != 2:
            raise _not_two_numbers(name, kept)
        if any(isinstance(one, bool) or not isinstance(one, int | float) for one in kept):
            raise _not_two_numbers(name, kept)
        return kept[0], kept[1]


def manifest_bytes(manifest: RecipeManifest) -> bytes:
    """Format manifest.json; the same manifest gives the same bytes.

    Raises:
        ValueError: a value that JSON cannot hold.
    """
    data = {
        "schema": SCHEMA,
        "kind": manifest.kind,
        "version": manifest.version,
        "backbone": {
            "name": manifest.backbone.name,
            "sha256": manifest.backbone.sha256,
            "licence": manifest.backbone.licence,
            "preparation": as_json(manifest.backbone.preparation),
        },
        **{name: as_json(getattr(manifest, name)) for name in ("seeds", "settings", "metrics")},
        "fixed": as_json(manifest.fixed),
        "trained_toml": manifest.trained_toml,
        "files": as_json(manifest.files),
        "pictures": {role: _lines(manifest.pictures, role) for role in ROLES},
        "sha256": _NO_SEAL.decode(),
    }
    text = json.dumps(data, ensure_ascii=False, allow_nan=False, indent=1).encode() + b"\n"
    at = _seal_at(text)
    return text[:at] + hashlib.sha256(text).hexdigest().encode() + text[at + len(_NO_SEAL) :]


def read_manifest(data: bytes, where: str) -> RecipeManifest:
    """Parse the content of a manifest.json; `where` names the file in errors.

    Raises:
        ValueError: it is damaged or was altered.
        ModelError: ("recipe-schema") a newer version wrote it.
    """
    content = upgrade_manifest(_table(parse_json(data)), where)
    kind = _text(content.get("kind"))
    if kind not in TASKS:
        raise ValueError(f"it is of kind {kind[:80]!r}, expected {' or '.join(TASKS)}")
    at = _seal_at(data)
    unsealed = data[:at] + _NO_SEAL + data[at + len(_NO_SEAL) :]
    if hashlib.sha256(unsealed).hexdigest().encode() != data[at : at + len(_NO_SEAL)]:
        raise ValueError("it does not have the hash that it states")
    return _manifest(content)


def file_hash(data: bytes) -> str:
    """Compute the SHA-256 in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def is_array(name: str) -> bool:
    """Whether a file of this name holds an array."""
    return _ARRAY.fullmatch(name) is not None


def as_json(value: Any) -> Any:
    """Convert a value to what JSON gives back: lists, and objects sorted by key; raises ValueError where it cannot."""
    if isinstance(value, Mapping):
        return {_text(key): as_json(value[key]) for key in sorted(value, key=_text)}
    if isinstance(value, list | tuple):
        return [as_json(item) for item in value]
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float) and math.isfinite(value):
        return float(value)
    raise ValueError(f"a manifest cannot hold {value!r}")


def _manifest(data: Mapping[str, Any]) -> RecipeManifest:
    backbone = _table(data.get("backbone"))
    return RecipeManifest(
        backbone=BackboneRecord(
            _text(backbone.get("name")),
            _hash(backbone.get("sha256")),
            _text(backbone.get("licence")),
            _table(backbone.get("preparation")),
        ),
        pictures=_pictures(_table(data.get("pictures"))),
        seeds=_table(data.get("seeds")),
        settings=_table(data.get("settings")),
        metrics=_table(data.get("metrics")),
        kind=data["kind"],
        version=_text(data.get("version")),
        files={_file(name): _hash(value) for name, value in _table(data.get("files")).items()},
        fixed=_table(data.get("fixed")),
        trained_toml=_hash(data.get("trained_toml")),
    )


def _not_two_numbers(name: str, kept: Any) -> ModelError:
    return ModelError(
        f"the recipe's {name} are not two numbers, got {kept!r}",
        hint="copy the recipe again from where it was trained, or train again",
        code="model-damaged",
    )


def _lines(pictures: tuple[PictureRecord, ...], role: Role) -> list[str]:
    """Format hashes as `sha256sum` prints them, in the order of names."""
    return sorted((f"{p.sha256}  {p.name}" for p in pictures if p.role == role), key=_by_name)


def _by_name(line: str) -> tuple[str, str]:
    return line[66:], line[:64]


def _pictures(data: Mapping[str, Any]) -> tuple[PictureRecord, ...]:
    unknown = set(data) - set(ROLES)
    if unknown:
        raise ValueError(f"pictures have the role {min(unknown)!r}, expected {', '.join(ROLES)}")
    return tuple(_picture(line, role) for role in ROLES for line in _list(data.get(role, [])))


def _picture(line: Any, role: Role) -> PictureRecord:
    found = _LINE.fullmatch(_text(line))
    if found is None:
        raise ValueError(f"expected a SHA-256, two spaces and a name, got {line[:80]!r}")
    return PictureRecord(found[1], found[2], role)


def _file(name: str) -> str:
    if not (FILE_NAME.fullmatch(name) or is_array(name)):
        raise ValueError(f"{name[:80]!r} is no name for a file of a recipe")
    return name


def _seal_at(data: bytes) -> int:
    found = _SEAL.search(data, max(0, len(data) - 200))
    if found is None:
        raise ValueError("its own hash is missing from its end")
    return found.start(1)


def _table(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError(f"expected an object, got {str(value)[:80]!r}")
    return value


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise ValueError(f"expected a list, got {str(value)[:80]!r}")
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"expected text, got {str(value)[:80]!r}")
    return value


def _hash(value: Any) -> str:
    if not _HASH.fullmatch(_text(value)):
        raise ValueError(f"expected a SHA-256, got {value[:80]!r}")
    return str(value)
