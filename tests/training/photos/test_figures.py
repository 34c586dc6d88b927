import numpy as np

from training.images.noise import Images
from training.photos.figures import EXAMPLE_SIDE_PX, draw_examples, plot_crops


def leave(noisy: Images, _sigma: float) -> Images:
    return noisy


def test_photographs_of_the_project_stand_between_noisy_and_clean() -> None:
    panels = draw_examples({"one": leave, "other": leave}).axes
    assert len(panels) == 2 * 4
    assert [panel.get_title() for panel in panels[:4]] == ["noise 50", "one", "other", "clean"]


def test_gray_and_colour_are_drawn_as_they_are() -> None:
    gray, colour = np.full((4, 5, 1), 0.5, np.float32), np.full((4, 5, 3), 0.5, np.float32)
    shapes = [
        np.asarray(panel.images[0].get_array()).shape for panel in plot_crops(["one", "other"], [[gray, colour]]).axes
    ]
    assert shapes == [(4, 5), (4, 5, 3)]


def test_of_pairs_the_centres_of_two_are_drawn() -> None:
    pair = np.zeros((200, EXAMPLE_SIDE_PX - 10, 6), np.uint8)
    pair[100, :, :3] = 255
    panels = draw_examples({"denoised": leave}, [pair] * 3).axes
    assert len(panels) == 2 * 3
    assert panels[0].get_title() == "noisy"
    clean = np.asarray(panels[2].images[0].get_array())
    assert clean.shape == (EXAMPLE_SIDE_PX, EXAMPLE_SIDE_PX - 10, 3)
    assert clean[100 - (200 - EXAMPLE_SIDE_PX) // 2].min() == 1
