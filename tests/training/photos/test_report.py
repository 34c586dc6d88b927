from collections.abc import Sequence

from training.photos.evaluate import COLOUR_PROTOCOLS, GRAY_PROTOCOLS, PhotoResults, PhotoScore, Protocol
from training.photos.report import render_section


def score(protocols: Sequence[Protocol], psnr_db: float = 20) -> PhotoResults:
    return {"mine/1": {protocol: PhotoScore(psnr_db + protocol.level, 0.5, 1.234) for protocol in protocols}}


RESULTS = score(GRAY_PROTOCOLS)


def test_the_report_has_every_level_once_as_it_is_and_once_rounded() -> None:
    section = render_section(RESULTS, data_name="mine", count=3)
    assert "3 images of mine." in section
    assert "| PSNR (dB) | 15 | 25 | 50 | 15 rounded | 25 rounded | 50 rounded |" in section
    assert "| mine/1 | 35.00 | 45.00 | 70.00 | 35.00 | 45.00 | 70.00 |" in section
    assert "| mine/1 | 1.23 |" in section
    assert "As published" not in section
    assert "In colour" not in section


def test_colour_has_tables_of_its_own() -> None:
    results = {"mine/1": score(GRAY_PROTOCOLS)["mine/1"] | score(COLOUR_PROTOCOLS, 21)["mine/1"]}
    section = render_section(results, data_name="Kodak24", count=24)
    gray, colour = section.split("| In colour: PSNR (dB) | 15 | 25 | 50 | 15 rounded |")
    assert "| mine/1 | 35.00 | 45.00 | 70.00 |" in gray
    assert "| mine/1 | 36.00 | 46.00 | 71.00 |" in colour
    assert "| In colour: SSIM |" in colour
    assert "| CBM3D | 34.28 | 31.68 | 28.46 |" in colour


def test_published_figures_stand_beside_sets_that_others_used() -> None:
    section = render_section(RESULTS, data_name="Set12", count=12)
    assert "As published, not measured here" in section
    assert "| FFDNet | 32.75 | 30.43 | 27.32 |" in section
