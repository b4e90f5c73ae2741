"""The story of the demo: its lots, its specification, its page."""
