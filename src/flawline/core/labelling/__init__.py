"""Arithmetic of drawing masks: regions of a click or box, pieces of a mask, two masks of one picture."""
