"""Learn the labels of a source, evaluate that, and predict new pictures."""
