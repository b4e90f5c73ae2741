"""Where inspector, files and (later) store and outputs meet."""
