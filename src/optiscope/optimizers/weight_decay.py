"""Weight decay as an ℓ2 penalty, which the frameworks add to the gradient of most rules."""

from __future__ import annotations

from optiscope.optimizers.arrays import Array
from optiscope.optimizers.rule import Setting


def with_penalty(gradient: Array, parameter: Array, weight_decay: Setting) -> Array:
    """g + λθ: the gradient of the loss with the penalty ½λ‖θ‖².

    Adaptive rules divide the penalty by their scale too, so that weights with large gradients decay less; decoupled
    decay (`AdamW`, `Lion`) does not.
    """
    # A plain zero is by far the most frequent λ, and the product costs two passes over the arrays.
    unused = isinstance(weight_decay, int | float) and weight_decay == 0
    return gradient if unused else gradient + weight_decay * parameter
