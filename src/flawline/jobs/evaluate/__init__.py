"""How good a recipe is on pictures that it never saw, and which of several recipes is better."""
