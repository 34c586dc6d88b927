from pathlib import Path

import keras
import numpy as np
import pytest
from keras import layers

from training.config import Muon
from training.fit.checkpoints import Progress, load_checkpoint, save_checkpoint
from training.fit.optimizers import AveragedAdamW, ConvolutionMuon, build_optimizer

MUON = Muon(0.1, warmup_steps=0, averaged_share=0.5)


def build_muon(*variables: keras.Variable, steps: int = 100) -> ConvolutionMuon:
    optimizer = build_optimizer(MUON, steps=steps)
    assert isinstance(optimizer, ConvolutionMuon)
    optimizer.build(list(variables))
    return optimizer


def take_step(variable: keras.Variable) -> np.ndarray:
    """Return how a step with a random gradient changes a variable of zeros."""
    gradient = np.random.default_rng(0).normal(size=variable.shape).astype(np.float32)
    build_muon(variable).apply([keras.ops.convert_to_tensor(gradient)], [variable])
    return np.asarray(variable)


def zeros(*shape: int) -> keras.Variable:
    return keras.Variable(np.zeros(shape, np.float32))


@pytest.mark.parametrize("shape", [(3, 3, 32, 48), (1, 1, 64, 32)])
def test_a_step_of_a_wide_kernel_goes_the_same_length_in_every_direction(shape: tuple[int, ...]) -> None:
    step = take_step(zeros(*shape)).reshape(-1, shape[-1])
    lengths = np.linalg.svd(step, compute_uv=False)
    # The five Newton-Schulz iterations leave singular values between 0.7 and 1.2.
    assert lengths.max() / lengths.min() < 2
    # 0.2 is the root mean square that a step of Adam has, 0.1 the learning rate.
    assert np.sqrt(np.mean(step**2)) == pytest.approx(0.2 * 0.1, rel=0.3)


@pytest.mark.parametrize("shape", [(3, 3, 32, 48), (1, 1, 32, 64)], ids=["tall", "wide"])
def test_it_is_orthogonalised_as_keras_does_with_a_matrix(shape: tuple[int, ...]) -> None:
    kernel = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    kernel[..., 0] *= 1e-3  # directions without much gradient grow most
    ours = build_muon(zeros(*shape)).zeropower_via_newtonschulz5(keras.ops.convert_to_tensor(kernel), 5)
    theirs = keras.optimizers.Muon().zeropower_via_newtonschulz5(kernel.reshape(-1, shape[-1]), 5)
    np.testing.assert_allclose(np.asarray(ours).reshape(theirs.shape), np.asarray(theirs), atol=1e-4)


@pytest.mark.parametrize("shape", [(3, 3, 31, 48), (6, 6, 1, 32), (40, 40), (40,)], ids=str)
def test_narrow_kernels_and_what_is_no_kernel_are_left_to_adam(shape: tuple[int, ...]) -> None:
    # Adam's first step is the gradient's sign times its learning rate, which is half of Muon's.
    assert np.median(np.abs(take_step(zeros(*shape)))) == pytest.approx(0.05, rel=1e-2)


@pytest.mark.parametrize("kind", [AveragedAdamW, ConvolutionMuon])
def test_the_average_reaches_back_over_a_share_of_the_steps_so_far(kind: type[AveragedAdamW]) -> None:
    optimizer = kind(0.1, use_ema=True)
    optimizer.averaged_share = 0.5
    optimizer.build([zeros(2)])
    momenta = []
    for step in (0, 100, 1000):
        optimizer.iterations.assign(step)
        momenta.append(float(np.asarray(optimizer.ema_momentum)))
    assert momenta == pytest.approx([1 - 1 / 10, 1 - 1 / 50, 1 - 1 / 500], rel=1e-6)


def build_network() -> keras.Model:
    network = keras.Sequential([keras.Input((4, 4, 1)), layers.Conv2D(2, 1)])
    network.compile(build_optimizer(MUON, steps=100), "mse")
    network.optimizer.build(network.trainable_variables)
    return network


def test_a_resumed_run_has_the_plan_of_the_learning_rate(tmp_path: Path) -> None:
    network = build_network()
    network.optimizer._learning_rate.plan_end(10, remaining_steps=5)
    network.optimizer.iterations.assign(12)
    save_checkpoint(tmp_path, network, Progress({"val_loss": [1.0]}))
    resumed = build_network()
    assert float(np.asarray(resumed.optimizer.learning_rate)) == pytest.approx(0.1)
    load_checkpoint(tmp_path, resumed)
    assert float(np.asarray(resumed.optimizer.learning_rate)) == float(np.asarray(network.optimizer.learning_rate))
    assert float(np.asarray(resumed.optimizer.learning_rate)) < 0.09
