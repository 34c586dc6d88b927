"""Optimizers as frozen values say them, made for Keras."""

import keras

from training.config import AdamW, Optimizer


def build_optimizer(choice: Optimizer, *, steps: int) -> keras.optimizers.Optimizer:
    """Return the optimizer for a stage of that many steps."""
    if not isinstance(choice, AdamW):
        return keras.optimizers.Adadelta(choice.learning_rate)
    # A short run must end its warm-up, and forget its first steps, too.
    warmup_steps = min(choice.warmup_steps, steps // 10)
    averaged_steps = max(10.0, choice.averaged_share * steps)
    optimizer = keras.optimizers.AdamW(
        keras.optimizers.schedules.CosineDecay(
            0.0,
            steps - warmup_steps,
            alpha=choice.final_share,
            warmup_target=choice.learning_rate,
            warmup_steps=warmup_steps,
        ),
        weight_decay=choice.weight_decay,
        beta_2=choice.beta_2,
        clipnorm=choice.clip_norm,
        use_ema=True,
        ema_momentum=1 - 1 / averaged_steps,
    )
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    return optimizer
