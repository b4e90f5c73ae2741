"""How the backbone inside Flawline was made: pictures, student, training, export, check."""
