from training.photos.evaluate import PROTOCOLS, PhotoScore
from training.photos.report import render_section

RESULTS = {"mine/1": {protocol: PhotoScore(20 + protocol.level, 0.5, 1.234) for protocol in PROTOCOLS}}


def test_the_report_has_every_level_once_as_it_is_and_once_rounded() -> None:
    section = render_section(RESULTS, data_name="mine", count=3)
    assert "3 images of mine." in section
    assert "| PSNR (dB) | 15 | 25 | 50 | 15 rounded | 25 rounded | 50 rounded |" in section
    assert "| mine/1 | 35.00 | 45.00 | 70.00 | 35.00 | 45.00 | 70.00 |" in section
    assert "| mine/1 | 1.23 |" in section
    assert "As published" not in section


def test_published_figures_stand_beside_sets_that_others_used() -> None:
    section = render_section(RESULTS, data_name="Set12", count=12)
    assert "As published, not measured here" in section
    assert "| FFDNet | 32.75 | 30.43 | 27.32 |" in section
