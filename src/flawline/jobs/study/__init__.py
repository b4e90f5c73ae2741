"""Study the capability of a process."""
