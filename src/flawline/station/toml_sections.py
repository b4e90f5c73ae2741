"""Read sections of a TOML file whose secrets stand elsewhere; errors name the line, the key and what is expected."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from flawline.data.toml_file import TomlLines, read_toml
from flawline.errors import UsageError
from flawline.recipe.checks import shown
from flawline.recipe.entries import Problem, Section, entries_of, first_problem

CODE = "station-file"
MOST_SECRET = 64 * 1024
_WAYS = 'write { env = "NAME" } or { file = "PATH" }'


@dataclass(frozen=True, slots=True)
class TomlSections:
    """A TOML file and what is around it: the environment, and the folder that its paths are relative to."""

    path: Path
    table: Mapping[str, Any]
    lines: TomlLines
    environment: Mapping[str, str] = field(repr=False)

    @classmethod
    def read(cls, path: Path, environment: Mapping[str, str]) -> TomlSections:
        """Read a file.

        Raises:
            UsageError: ("station-file") it cannot be read, or is no TOML.
        """
        try:
            text = path.read_text(encoding="utf-8")
            return cls(path, read_toml(text), TomlLines(text), environment)
        except OSError as error:
            why = error.strerror or type(error).__name__
            raise UsageError(f"{path} cannot be read: {why}", code=CODE) from error
        except ValueError as error:
            raise UsageError(
                f"{path}: it is no TOML: {error}",
                hint="text needs quotes; lists of outputs begin with [[outputs]]",
                code=CODE,
            ) from error

    def error(self, where: tuple[str | int, ...], message: str, hint: str = "") -> UsageError:
        """Make the error for what stands at a path of the file."""
        line = self.lines.of(*where)
        place = str(self.path) if line is None else f"{self.path}, line {line}"
        names = ".".join(str(part) for part in where if isinstance(part, str))
        return UsageError(
            f"{place}: {names}: {message}" if names else f"{place}: {message}", hint=hint, code=CODE
        )

    def check_keys(
        self, where: tuple[str | int, ...], table: Mapping[str, Any], names: Iterable[str]
    ) -> None:
        """Refuse a key that is not among `names`."""
        for key in table:
            if key not in (known := list(names)):
                near = get_close_matches(key[:100], known, n=1, cutoff=0.6)
                nearest = f"did you mean {near[0]!r}? " if near else ""
                raise self.error(
                    (*where, key), "there is no such entry", f"{nearest}known: {', '.join(known)}"
                )

    def tables(self, name: str) -> list[Mapping[str, Any]]:
        """Return the tables under [[name]]; none where it is left out."""
        found = self.table.get(name, [])
        if not isinstance(found, list) or not all(isinstance(one, Mapping) for one in found):
            raise self.error((name,), "expected a list of sections", f"write [[{name}]] above each")
        return found

    def section(self, name: str) -> Mapping[str, Any] | None:
        """Return the table under [name]; None where it is left out."""
        found = self.table.get(name)
        if found is not None and not isinstance(found, Mapping):
            raise self.error((name,), "expected a section", f"write [{name}] on a line of its own")
        return found

    def values(
        self, where: tuple[str | int, ...], table: Mapping[str, Any], kind: type[Section]
    ) -> dict[str, Any]:
        """Check the entries of a section and return them, with secrets read and paths made absolute.

        Raises:
            UsageError: ("station-file") an entry is unknown, missing or wrong, a secret stands in the file, or its
                variable or file is missing.
        """
        entries = entries_of(kind)
        values = {
            key: self._value((*where, key), value, entries[key].metadata if key in entries else {})
            for key, value in table.items()
        }
        problem = first_problem(kind, values)
        if problem is not None:
            raise self.problem(where, problem)
        return values

    def problem(self, where: tuple[str | int, ...], problem: Problem) -> UsageError:
        """Make the error of a problem in the section at `where`."""
        return self.error((*where, problem.key), problem.message, problem.hint)

    def beside(self, text: str) -> str:
        """Return a path of the file as one of this process; an URL stays as it is."""
        return text if "://" in text else str(self.path.parent / text)

    def _value(self, where: tuple[str | int, ...], value: Any, facts: Mapping[str, Any]) -> Any:
        if isinstance(value, Mapping) and set(value) in ({"env"}, {"file"}):
            return self._secret(where, value)
        if facts.get("secret"):
            raise self.error(where, "a secret does not stand in this file", _WAYS)
        if not isinstance(value, str):
            return value
        if _has_password(value):
            raise self.error(where, "a password does not stand in this file", _WAYS)
        return self.beside(value) if facts.get("path") and value else value

    def _secret(self, where: tuple[str | int, ...], table: Mapping[str, Any]) -> str:
        ((way, name),) = table.items()
        if not isinstance(name, str):
            raise self.error(where, f"expected the name of a variable or file, got {shown(name)}")
        if way == "env":
            if not self.environment.get(name):
                raise self.error(
                    where, f"the environment variable {name} is not set", "set it for this process"
                )
            return self.environment[name]
        try:
            with open(self.beside(name), encoding="utf-8") as file:
                text = file.read(MOST_SECRET).strip()
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or "it is no text"
            raise self.error(
                where, f"{name} cannot be read: {why}", "check who may read it"
            ) from error
        if not text:
            raise self.error(where, f"{name} is empty", "write the secret into it")
        return text


def _has_password(text: str) -> bool:
    try:
        return "://" in text and urlsplit(text).password is not None
    except ValueError:
        return False
