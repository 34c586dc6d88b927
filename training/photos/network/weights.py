"""Weights of another version of the network for photographs, for the one that starts from them."""

from collections.abc import Sequence
from itertools import pairwise

import keras
import numpy as np
from numpy.typing import NDArray

from training.photos.network.photo import list_own_weights

Weights = NDArray[np.float32]


def adapt_weights(weights: Sequence[Weights], network: keras.Model) -> list[Weights]:
    """Return the weights of ``network``, which ``build_photo`` made, with those of another version where it has them.

    The other version has the same architecture, with or without networks for white noise, or one U-Net, or one for gray
    before one for colour, as until ``photo/8``: then those for colour, which were of another kind, stay as they are.
    What it has once is used for white and for any noise.

    Raises:
        ValueError: it has another architecture.
    """
    own = list_own_weights(network)
    gray, chroma = len(own["gray"]), len(own["colour"])
    counts = {
        2 * (gray + chroma): (gray, gray, chroma, chroma),
        gray + chroma: (gray, chroma),
        2 * gray: (gray,),
        gray: (gray,),
    }
    if len(weights) not in counts:
        raise ValueError(f"{len(weights)} arrays of weights, expected {', '.join(map(str, sorted(counts)))}")
    starts = np.cumsum([0, *counts[len(weights)]])
    pieces = [list(weights[first:last]) for first, last in pairwise(starts)]
    half = (len(pieces) + 1) // 2
    old = {"gray": pieces[:half], "colour": pieces[half:]}

    adapted = []
    for part, variables in own.items():
        pieces = old[part.removeprefix("white-")]
        if not pieces:
            adapted += [np.asarray(variable) for variable in variables]
            continue
        piece = pieces[0 if part.startswith("white-") else -1]
        for array, variable in zip(piece, variables, strict=True):
            if array.shape != tuple(variable.shape):
                raise ValueError(f"weights of shape {array.shape}, expected {tuple(variable.shape)}")
        adapted += piece
    return adapted
