import json
import math
from pathlib import Path

from training.comparison import Results, Score
from training.images.noise import BlindNoise, GaussianNoise, NoNoise, SaltAndPepperNoise
from training.report import insert_section, render_section, write_report

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


def test_the_section_stands_before_the_limits_and_replaces_an_earlier_one() -> None:
    card = insert_section("# blobs/1\n\nText.\n\n## Limits\n\nMany.\n", SECTION)
    assert card.index("Text.") < card.index("## Beside other methods") < card.index("## Limits")
    assert card.endswith("Many.\n")
    assert insert_section(card, SECTION) == card
    assert insert_section(card, SECTION.replace("1,000", r"2\1000")).count("## Beside") == 1


def test_a_card_without_limits_gets_it_at_the_end() -> None:
    assert insert_section("# blobs/1\n", SECTION) == f"# blobs/1\n\n{SECTION}\n"


def test_the_metadata_gets_the_scores_and_keeps_the_rest(tmp_path: Path) -> None:
    folder = tmp_path / "blobs" / "1"
    folder.mkdir(parents=True)
    (folder / "metadata.json").write_text(json.dumps({"metrics": {"bce": 1}, "files": {"saved_model.pb": "sha256:0"}}))
    write_report(folder, SECTION, RESULTS["blobs/1"])
    metadata = json.loads((folder / "metadata.json").read_text())
    assert metadata["files"] == {"saved_model.pb": "sha256:0"}
    assert metadata["metrics"]["bce"] == 1
    assert metadata["metrics"]["evaluation"]["none"] == {"bce": 0.05, "mse": 0, "ssim": 1, "accuracy": 0.99}
    assert metadata["metrics"]["evaluation"]["Gaussian 0.4 clipped"]["bce"] == 0.12346
    assert (folder / "MODEL_CARD.md").read_text().startswith("# blobs/1\n")
