"""How pictures are looked at: resolution and windows, position, light, and where."""
