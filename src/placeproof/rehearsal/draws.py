"""Where each step of a rehearsal gets its randomness: no step's draws move another's."""

import hashlib

import numpy as np


def rng_for(seed: int, step: str) -> np.random.Generator:
    """
    Make the generator of one step.

    Parameters
    ----------
    seed : int
        Seed of the whole rehearsal.
    step : str
        Name of the step; each has its own stream.
    """
    digest = hashlib.sha256(step.encode()).digest()
    return np.random.default_rng(np.random.SeedSequence([seed, int.from_bytes(digest[:8], "big")]))


def pick(
    rng: np.random.Generator, share: np.ndarray | list[float], n: int
) -> "np.ndarray[tuple[int], np.dtype[np.int64]]":
    """
    Draw `n` indices with the given shares, which need not sum to 1.

    Parameters
    ----------
    rng : Generator
        Source of randomness.
    share : array
        One share per index.
    n : int
        Draws.
    """
    edges = np.cumsum(np.asarray(share, dtype=float))
    return np.searchsorted(edges / edges[-1], rng.random(n), side="right").astype(np.int64)
