"""Chart measures over time."""
