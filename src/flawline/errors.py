"""The one exception tree of Flawline.

FlawlineError                an expected failure: message, hint (the way out) and a stable code
├── UsageError               an option or argument has a value that makes no sense
├── SourceError              a source of pictures cannot be opened or listed
│   ├── ArchiveError         an archive is hostile, encrypted, damaged or over its limits
│   └── ManifestError        a CSV or Parquet manifest does not have the columns or rows it must have
├── ImageError               one picture cannot be decoded or is over its limits; the batch goes on
├── SpecError                a specification cannot be read, contradicts itself, or lacks what it needs
├── ModelError               a network, saved model or recipe cannot be loaded, or its preparation is unknown
├── DependencyError          an optional extra is needed and not installed
└── StoreError               records cannot be read or written

Every error states what was expected, what came, and the way out. `code` is stable across versions and appears in JSON
documents; programs may rely on it. Messages name settings in backticks by their Python argument, with a value as
`name=value`; the command line shows the option instead.
"""

from __future__ import annotations


class FlawlineError(Exception):
    """An expected failure with a message, a hint and a stable code."""

    code = "error"

    def __init__(self, message: str, *, hint: str = "", code: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        if code is not None:
            self.code = code

    def as_dict(self) -> dict[str, str]:
        """Convert to the `error` object of JSON documents."""
        return {"code": self.code, "message": self.message, "hint": self.hint}


class UsageError(FlawlineError):
    """An option or argument has a value that makes no sense."""

    code = "usage"


class SourceError(FlawlineError):
    """A source of pictures cannot be opened or listed."""

    code = "source"


class ArchiveError(SourceError):
    """An archive is hostile, encrypted, damaged or over its limits."""

    code = "archive"


class ManifestError(SourceError):
    """A manifest does not have the columns or rows that it must have."""

    code = "manifest"


class ImageError(FlawlineError):
    """One picture cannot be decoded or is over its limits."""

    code = "image"


class SpecError(FlawlineError):
    """A specification cannot be read, contradicts itself, or lacks what it needs."""

    code = "spec"


class ModelError(FlawlineError):
    """A network, a saved model or a recipe cannot be loaded."""

    code = "model"


class DependencyError(FlawlineError):
    """An optional extra is needed and not installed."""

    code = "dependency"


class StoreError(FlawlineError):
    """Records cannot be read or written. `transient` where trying again later may help."""

    code = "store"

    def __init__(
        self, message: str, *, hint: str = "", code: str | None = None, transient: bool = False
    ) -> None:
        super().__init__(message, hint=hint, code=code)
        self.transient = transient


def install_extra(extra: str) -> str:
    """Say how to install an extra; there is no release on a package index yet, so it names the checkout."""
    return f"pip install '.[{extra}]' in the checkout of Flawline"
