import math

from training.digits.comparison import Results, Score
from training.digits.report import render_section, round_scores
from training.images.noise import BlindNoise, GaussianNoise, NoNoise, SaltAndPepperNoise

CLEAN = Score(bce=0.05, mse=0, psnr_db=math.inf, ssim=1, accuracy=0.99)
NOISY = Score(bce=0.123456, mse=0.01, psnr_db=20, ssim=0.5, accuracy=0.5)
RESULTS: Results = {"blobs/1": {NoNoise(): CLEAN, GaussianNoise(0.4): NOISY, SaltAndPepperNoise(0.1): NOISY}}
SECTION = render_section(RESULTS, data_name="blobs", count=1000)


def test_each_metric_has_a_table_of_methods_by_noises() -> None:
    assert "1,000 test images of blobs" in SECTION
    assert "| PSNR (dB) | clean | 0.4 | 10% |" in SECTION
    assert "| blobs/1 | ∞ | 20.00 | 20.00 |" in SECTION
    assert "| blobs/1 | 99.00 | 50.00 | 50.00 |" in SECTION
    assert SECTION.count("| blobs/1 |") == 5


def test_without_labels_there_is_no_accuracy() -> None:
    unread = Score(bce=0.05, mse=0, psnr_db=20, ssim=1, accuracy=None)
    section = render_section({"blobs/1": {BlindNoise(): unread}}, data_name="blobs", count=1)
    assert "Read correctly" not in section
    assert f"| SSIM | {BlindNoise()} |" in section


def test_the_metadata_gets_what_is_finite_and_known_without_the_last_digits() -> None:
    scores = round_scores(RESULTS["blobs/1"])
    assert scores["none"] == {"bce": 0.05, "mse": 0, "ssim": 1, "accuracy": 0.99}
    assert scores["Gaussian 0.4 clipped"]["bce"] == 0.12346
