"""The version of Flawline, which everything that it writes states."""

__version__ = "0.1.0"
