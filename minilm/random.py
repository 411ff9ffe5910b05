"""Random generators that are a pure function of what they are for.

Nothing here has a state that would have to be saved: the generator of a step is made of the seed,
its purpose and the step's number. A resumed run draws what the other one would have drawn.
"""

from __future__ import annotations

import zlib

import numpy as np


def generator(seed: int, purpose: str, *numbers: int) -> np.random.Generator:
    """Return the generator of one purpose, and of one step or epoch where numbers say which.

    >>> generator(0, "dropout", 7).random() == generator(0, "dropout", 7).random()
    True
    """
    return np.random.default_rng([seed, zlib.crc32(purpose.encode()), *numbers])
