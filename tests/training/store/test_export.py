import resource
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers, ops

from tests.training.drawing import draw_blobs
from training.digits.networks import build_article
from training.errors import StoreError
from training.publish import check_same
from training.store.export import SIGNATURE, SavedNetwork, check_backend, load_weights, save_network


def build_halving_network() -> keras.Model:
    """Any even size, with a noise level: the image's local mean less the noise level."""
    image = keras.Input((None, None, 1), name="image")
    noise_level = keras.Input((), name="noise_level")
    mean = layers.UpSampling2D(2)(layers.AveragePooling2D(2)(image))
    return keras.Model([image, noise_level], mean - ops.reshape(noise_level, (-1, 1, 1, 1)))


def build_averaging_network(channels: int = 3) -> keras.Model:
    """Any size: every pixel becomes the mean of the image."""
    image = keras.Input((None, None, channels), name="image")
    return keras.Model(image, 0 * image + ops.mean(image, axis=(1, 2), keepdims=True))


def build_scaling_network() -> keras.Model:
    image = keras.Input((28, 28, 1), name="image")
    return keras.Model(image, layers.Conv2D(1, 1, kernel_initializer=keras.initializers.Constant(2))(image))


@pytest.fixture(scope="module")
def halving(tmp_path_factory: pytest.TempPathFactory) -> SavedNetwork:
    folder = tmp_path_factory.mktemp("halving")
    save_network(build_halving_network(), folder, size_multiple=2)
    return SavedNetwork(folder)


@pytest.fixture(scope="module")
def scaling_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("scaling")
    save_network(build_scaling_network(), folder)
    return folder


def test_a_full_disk_is_one_sentence(tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, hard))  # like a full disk, for files of more than 100 bytes
    try:
        with pytest.raises(StoreError, match=r"TensorFlow cannot write the network: /.+; File too large$"):
            save_network(build_scaling_network(), tmp_path / "partial")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_the_folder_holds_the_graph_and_the_variables_alone(scaling_folder: Path) -> None:
    files = sorted(path.relative_to(scaling_folder).as_posix() for path in scaling_folder.rglob("*") if path.is_file())
    assert files == ["saved_model.pb", "variables/variables.data-00000-of-00001", "variables/variables.index"]


def test_the_signature_is_that_of_the_contract(scaling_folder: Path) -> None:
    saved = SavedNetwork(scaling_folder)
    assert saved.inputs == {"image": ("float32", (None, 28, 28, 1))}
    assert saved.outputs == {"denoised": ("float32", (None, 28, 28, 1))}


def test_input_outside_the_range_reaches_the_network_and_its_output_is_clipped(scaling_folder: Path) -> None:
    values = np.array([-1, -0.1, 0.2, 0.4, 0.6, 2], np.float32)
    image = np.broadcast_to(values[:, None, None, None], (6, 28, 28, 1))
    denoised = SavedNetwork(scaling_folder).denoise(image)
    np.testing.assert_allclose(denoised[:, 0, 0, 0], [0, 0, 0.4, 0.8, 1, 1], atol=1e-6)


def test_a_changed_weight_in_variables_changes_the_result(scaling_folder: Path, tmp_path: Path) -> None:
    network = build_scaling_network()
    network.set_weights([np.zeros((1, 1, 1, 1)), np.full(1, 0.25)])
    save_network(network, tmp_path)
    (tmp_path / "saved_model.pb").write_bytes((scaling_folder / "saved_model.pb").read_bytes())
    assert np.all(SavedNetwork(tmp_path).denoise(draw_blobs(1)) == 0.25)


@pytest.mark.parametrize("shape", [(1, 1, 1, 1), (2, 1, 7, 1), (3, 17, 23, 1), (1, 16, 24, 1)])
def test_a_network_of_any_size_takes_sizes_that_are_no_multiple(
    halving: SavedNetwork, shape: tuple[int, int, int, int]
) -> None:
    image = np.full(shape, 0.75, np.float32)
    denoised = halving.denoise(image, np.full(shape[0], 0.25, np.float32))
    assert denoised.shape == shape
    np.testing.assert_allclose(denoised, 0.5, atol=1e-6)


def test_padding_mirrors_the_edge(halving: SavedNetwork) -> None:
    image = np.array([0.2, 0.4, 0.8], np.float32).reshape(1, 1, 3, 1)
    np.testing.assert_allclose(halving.denoise(image, np.zeros(1, np.float32)).ravel(), [0.3, 0.3, 0.8], atol=1e-6)


@pytest.mark.parametrize(
    ("size", "rows", "columns"),
    [
        ((1, 1), [0] * 8, [0] * 8),
        ((3, 5), [0, 1, 2, 2, 1, 0, 0, 0], [0, 1, 2, 3, 4, 4, 3, 2]),
        ((8, 11), list(range(8)), [*range(11), 10, 9, 8, 7, 6]),
    ],
)
def test_the_mirror_image_ends_in_the_first_pixel(
    tmp_path: Path, size: tuple[int, int], rows: list[int], columns: list[int]
) -> None:
    save_network(build_averaging_network(), tmp_path, size_multiple=8)
    image = np.random.default_rng(0).random((1, *size, 3), dtype=np.float32)
    expected = image[:, rows][:, :, columns].mean(axis=(1, 2))
    np.testing.assert_allclose(SavedNetwork(tmp_path).denoise(image)[:, 0, 0], expected, atol=1e-5)


@pytest.mark.parametrize("channels", [1, 3])
def test_a_network_tells_its_channels(tmp_path: Path, channels: int) -> None:
    save_network(build_averaging_network(channels), tmp_path)
    assert SavedNetwork(tmp_path).channels == channels


def test_free_channels_are_refused(tmp_path: Path) -> None:
    spec = tf.TensorSpec((None, None, None, None), tf.float32, name="image")
    function = tf.function(lambda image: {"denoised": image}, input_signature=[spec])
    tf.saved_model.save(tf.Module(), str(tmp_path), signatures={SIGNATURE: function})
    with pytest.raises(StoreError, match="whose channels are free"):
        _ = SavedNetwork(tmp_path).channels


def test_weights_come_back_in_the_order_of_the_network(tmp_path: Path) -> None:
    network = build_article(filters=2)
    save_network(network, tmp_path)
    weights = load_weights(tmp_path)
    assert len(weights) == 14  # more than ten, whose names would be sorted otherwise
    for loaded, expected in zip(weights, network.get_weights(), strict=True):
        np.testing.assert_array_equal(loaded, expected)


def test_weights_of_a_savedmodel_made_elsewhere_have_no_order(tmp_path: Path) -> None:
    spec = tf.TensorSpec((None, None, None, 1), tf.float32, name="image")
    function = tf.function(lambda image: {"denoised": image}, input_signature=[spec])
    tf.saved_model.save(tf.Module(), str(tmp_path), signatures={SIGNATURE: function})
    with pytest.raises(StoreError, match="was not exported by this package"):
        load_weights(tmp_path)


def test_weights_that_are_not_there_are_refused(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="TensorFlow cannot read its weights"):
        load_weights(tmp_path)


def test_every_image_has_its_own_noise_level(halving: SavedNetwork) -> None:
    image = np.full((2, 4, 4, 1), 0.75, np.float32)
    denoised = halving.denoise(image, np.array([0, 0.5], np.float32))
    np.testing.assert_allclose(denoised[:, 0, 0, 0], [0.75, 0.25], atol=1e-6)


def test_a_savedmodel_that_computes_something_else_is_noticed(scaling_folder: Path) -> None:
    network = build_scaling_network()
    check_same(network, SavedNetwork(scaling_folder))
    network.set_weights([weight * 1.01 for weight in network.get_weights()])
    with pytest.raises(StoreError, match="does not compute what the network computes"):
        check_same(network, SavedNetwork(scaling_folder))


def test_another_backend_than_tensorflow_is_refused_with_what_to_set() -> None:
    with pytest.raises(StoreError, match="Keras on jax: set KERAS_BACKEND=tensorflow"):
        check_backend("jax")


def test_a_folder_that_is_no_savedmodel_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="TensorFlow cannot load it"):
        SavedNetwork(tmp_path)
