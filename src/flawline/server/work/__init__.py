"""Long work in the background: ranking, training, judging many pictures."""
