import numpy as np

from training.images.noise import Images
from training.photos.figures import EXAMPLE_SIDE_PX, draw_examples


def leave(noisy: Images, _sigma: float) -> Images:
    return noisy


def test_photographs_of_the_project_stand_between_noisy_and_clean() -> None:
    panels = draw_examples({"one": leave, "other": leave}).axes
    assert len(panels) == 2 * 4
    assert [panel.get_title() for panel in panels[:4]] == ["noise 50", "one", "other", "clean"]


def test_of_pairs_the_centres_of_two_are_drawn() -> None:
    pair = np.zeros((200, EXAMPLE_SIDE_PX - 10, 2), np.uint8)
    pair[100, :, 0] = 255
    panels = draw_examples({"denoised": leave}, [pair] * 3).axes
    assert len(panels) == 2 * 3
    assert panels[0].get_title() == "noisy"
    clean = np.asarray(panels[2].images[0].get_array())
    assert clean.shape == (EXAMPLE_SIDE_PX, EXAMPLE_SIDE_PX - 10)
    assert clean[100 - (200 - EXAMPLE_SIDE_PX) // 2].min() == 1
