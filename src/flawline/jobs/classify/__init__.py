"""Learn the labels of a source, say how well that works, and predict new pictures."""
