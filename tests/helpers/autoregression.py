"""A process whose points depend on the ones before."""

import numpy as np


def autoregressive(phi, count, seed):
    """Draw (count,) values, each `phi` times the one before and a normal number."""
    noise = np.random.default_rng(seed).normal(size=count + 50)
    values = np.zeros(count + 50)
    for place in range(1, count + 50):
        values[place] = phi * values[place - 1] + noise[place]
    return values[50:]
