"""The jobs over pictures through Ray Data: on this machine, or on a cluster."""
