"""Choose the set-up of a detector: view, resolution and method, by trials on parts that were not learnt from."""
