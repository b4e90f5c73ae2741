"""Change the recipe of a running station to another one of its file."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock

from flawline.errors import UsageError
from flawline.inspector import Inspector
from flawline.station.station import Station
from flawline.station.station_file import StationPlan


class RecipeChange:
    """Changes the recipe of a running station to another one of its file, one at a time."""

    def __init__(self, plan: StationPlan, say: Callable[[str], None]) -> None:
        """Begin; `station` is set when it is open."""
        self._plan, self._say = plan, say
        self.station: Station | None = None
        self._lock = Lock()
        same = (name for name, path in plan.recipes.items() if path == plan.recipe)
        self.used = next(same, "")

    def choose(self, name: str) -> str:
        """Let the recipe of a name judge from the next picture on, and return its hash.

        Raises:
            FlawlineError: the recipe cannot be used, or the station is not open yet; the one before stays.
        """
        with self._lock:
            if self.station is None:
                raise UsageError("the station begins", hint="ask again in a second")
            inspector = Inspector.open(self._plan.recipes[name], precision=self._plan.precision)
            self.station.use(inspector)
            self._say(f"the recipe {name} is in use, as a client asked")
            return inspector.recipe.sha256
