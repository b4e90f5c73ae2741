"""Studies of a process: capability."""
