"""Arithmetic that finds causes: steps, factors, places, drift, growth."""
