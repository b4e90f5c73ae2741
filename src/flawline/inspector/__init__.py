"""Inspect pictures with a recipe."""

from flawline.inspector.inspector import Inspector as Inspector
