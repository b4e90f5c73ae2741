"""The shapes of defects, measured by a small library in C: optional, and with the numbers of the NumPy code."""
