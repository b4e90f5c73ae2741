"""Split pictures into those to learn from and those to test with, whole groups on one side."""
