"""Keras optimizers from the frozen values of a config."""

import math

import keras
from keras import KerasTensor, ops

from training.config import Adadelta, AdamW, Muon, Optimizer
from training.fit.schedule import PlannedCosine

MIN_MATRIX_SIDE = 32
MIN_AVERAGED_STEPS = 10.0


def build_optimizer(choice: Optimizer, *, steps: int) -> keras.optimizers.Optimizer:
    """Return the optimizer for a stage of ``steps`` steps."""
    if isinstance(choice, Adadelta):
        return keras.optimizers.Adadelta(choice.learning_rate)
    schedule = PlannedCosine(
        choice.learning_rate,
        steps=steps,
        warmup_steps=min(choice.warmup_steps, steps // 10),  # so that a short run ends its warm-up, too
        final_share=choice.final_share,
    )
    optimizer: keras.optimizers.Optimizer
    match choice:
        case AdamW():
            optimizer = AveragedAdamW(
                schedule,
                weight_decay=choice.weight_decay,
                beta_2=choice.beta_2,
                clipnorm=choice.clip_norm,
                use_ema=True,
            )
            optimizer.exclude_from_weight_decay(var_names=["bias"])
        case Muon():
            optimizer = ConvolutionMuon(
                schedule,
                momentum=choice.momentum,
                adam_lr_ratio=choice.adam_ratio,
                adam_beta_2=choice.adam_beta_2,
                adam_weight_decay=None,
                weight_decay=None,
                global_clipnorm=choice.clip_norm,
                use_ema=True,
            )
    optimizer.averaged_share = choice.averaged_share
    optimizer.plan = schedule.plan  # a variable of the optimizer is saved with the others and passed to JAX
    return optimizer


class _AveragesMore:
    """Keras' exponential average of the weights over the last ``averaged_share`` of the steps so far."""

    averaged_share = 0.0
    iterations: keras.Variable

    @property
    def ema_momentum(self) -> KerasTensor:
        """The weight of the average so far; with a constant one, a short run would average its first steps, too."""
        steps = self.averaged_share * ops.cast(self.iterations, "float32")
        return 1 - 1 / ops.maximum(MIN_AVERAGED_STEPS, steps)

    @ema_momentum.setter
    def ema_momentum(self, _value: float) -> None:
        """Ignore the constant that Keras' constructor sets."""


class AveragedAdamW(_AveragesMore, keras.optimizers.AdamW):
    """AdamW that averages the weights."""


class ConvolutionMuon(_AveragesMore, keras.optimizers.Muon):
    """Muon for convolutions, whose kernels are matrices from inputs and their neighbourhood to outputs.

    Adam updates vectors and kernels with a side below ``MIN_MATRIX_SIDE``.

    Sources: K. Jordan et al., "Muon: An optimizer for hidden layers in neural networks" (2024); the step's scale from
    J. Liu et al., "Muon is scalable for LLM training", arXiv:2502.16982, section 2.2.
    """

    def _should_use_adamw(self, variable: keras.Variable) -> bool:
        return len(variable.shape) != 4 or min(variable.shape[-2:]) < MIN_MATRIX_SIDE

    def zeropower_via_newtonschulz5(self, update: KerasTensor, steps: int) -> KerasTensor:
        """Orthogonalise a kernel (height, width, inputs, outputs) as a matrix with a column per output.

        The iteration multiplies the matrix by polynomials of its Gram matrix, which commute: their product is computed
        of the smaller Gram matrix and applied once. On two threads that takes a third of the time.
        """
        matrix = ops.reshape(update, (-1, update.shape[-1]))
        matrix = matrix / (ops.norm(matrix) + self.epsilon)
        is_tall = matrix.shape[0] > matrix.shape[1]
        gram = ops.matmul(ops.transpose(matrix), matrix) if is_tall else ops.matmul(matrix, ops.transpose(matrix))
        product = identity = ops.eye(gram.shape[0], dtype=gram.dtype)
        for _ in range(steps):
            polynomial = self.muon_a * identity + self.muon_b * gram + self.muon_c * ops.matmul(gram, gram)
            product = ops.matmul(polynomial, product)
            gram = ops.matmul(polynomial, ops.matmul(gram, polynomial))
        orthogonal = ops.matmul(matrix, product) if is_tall else ops.matmul(product, matrix)
        return ops.reshape(orthogonal, update.shape)

    def lr_adjust(self, update: KerasTensor) -> KerasTensor:
        """Scale an orthogonal step to the root mean square of Adam's steps."""
        rows, columns = math.prod(update.shape[:-1]), update.shape[-1]
        return update * (math.sqrt(max(rows, columns)) * self.rms_rate)
