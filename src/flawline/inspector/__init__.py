"""From a picture to an inspection, with a recipe."""

from flawline.inspector.inspector import Inspector as Inspector
