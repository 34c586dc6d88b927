import numpy as np

from tests.training.drawing import draw_blobs
from training.digits.batches import NoisyBatches
from training.images.augmentation import RandomAffine
from training.images.noise import GaussianNoise, Images

BLOBS = draw_blobs(10)


def read_epoch(epoch: int = 0, *, seed: int = 0) -> list[tuple[Images, Images]]:
    batches = NoisyBatches(BLOBS, GaussianNoise(0.4), batch_size=4, seed=seed)
    batches.start_epoch(epoch)
    return [batches[step] for step in range(len(batches))]


def is_same(one: list[tuple[Images, Images]], other: list[tuple[Images, Images]]) -> bool:
    return all(np.array_equal(a, b) for x, y in zip(one, other, strict=True) for a, b in zip(x, y, strict=True))


def test_an_epoch_has_every_image_once() -> None:
    epoch = read_epoch()
    clean = np.concatenate([clean for _, clean in epoch])
    assert [len(clean) for _, clean in epoch] == [4, 4, 2]
    assert sorted(image.tobytes() for image in clean) == sorted(image.tobytes() for image in BLOBS)


def test_the_same_seed_and_epoch_give_the_same_batches() -> None:
    assert is_same(read_epoch(3, seed=7), read_epoch(3, seed=7))


def test_another_seed_or_epoch_gives_other_batches() -> None:
    assert not is_same(read_epoch(3, seed=7), read_epoch(3, seed=8))
    assert not is_same(read_epoch(3, seed=7), read_epoch(4, seed=7))


def test_noise_is_drawn_anew_in_every_step_and_epoch() -> None:
    pairs = read_epoch(0) + read_epoch(1)
    first_noises = {(noisy - clean)[0].tobytes() for noisy, clean in pairs}
    assert len(first_noises) == len(pairs)


def test_augmentation_bends_clean_images_in_the_first_epochs_alone() -> None:
    batches = NoisyBatches(
        BLOBS, GaussianNoise(0.4), batch_size=10, seed=0, augmentation=RandomAffine(share=1), augmented_epochs=2
    )
    is_bent = []
    for epoch in range(4):
        batches.start_epoch(epoch)
        _, clean = batches[0]
        is_bent.append(not np.array_equal(clean, BLOBS[batches.order]))
    assert is_bent == [True, True, False, False]
