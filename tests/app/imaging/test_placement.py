"""Parts of a picture in the image for a network, and back at their places."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.imaging.placement import Placement, Size, put_back, resize
from tests.app.pictures import gradient, psnr_db, unit

NETWORK: Size = (28, 28)


class TestPutBack:
    def test_without_a_background_the_window_fills_the_picture(self) -> None:
        smooth = unit(gradient(50, 100))
        denoised = np.ones(NETWORK, np.float32)
        denoised[7:21] = resize(smooth, (14, 28))
        assert psnr_db(put_back(denoised, Placement((0, 0, 100, 50), (0, 7, 28, 21)), (50, 100)), smooth) > 35

    def test_around_the_box_is_the_background(self) -> None:
        placement = Placement((20, 40, 60, 80), (4, 4, 24, 24), background=0.25)
        restored = put_back(np.ones(NETWORK, np.float32), placement, (100, 200))
        expected = np.full((100, 200), 0.25, np.float32)
        expected[36:84, 16:64] = 1  # a margin of 2 pixels of the network's image, each 2 pixels wide here
        np.testing.assert_array_equal(restored, expected)

    @pytest.mark.parametrize("box", [(-10, -10, 30, 30), (80, 80, 120, 120), (0, 0, 100, 100)], ids=str)
    def test_what_lies_outside_the_picture_is_left_out(self, box: tuple[float, float, float, float]) -> None:
        restored = put_back(np.ones(NETWORK, np.float32), Placement(box, (0, 0, 28, 28), background=0.0), (100, 100))
        assert restored.shape == (100, 100)
        left, top, right, bottom = (int(min(max(edge, 0), 100)) for edge in box)
        np.testing.assert_array_equal(restored[top:bottom, left:right], 1)
        assert restored.sum() == (right - left) * (bottom - top)

    @given(
        size=st.tuples(st.integers(1, 300), st.integers(1, 300)),
        edges=st.tuples(*[st.tuples(st.integers(0, 27), st.integers(0, 27)).map(sorted)] * 2),
        shares=st.tuples(*[st.tuples(st.floats(0, 1), st.floats(0, 1))] * 2),
        background=st.floats(0, 1, width=32),
    )
    def test_wherever_a_part_goes_back_to_its_middle_is_its_own_and_the_rest_is_background_or_in_between(
        self, size: Size, edges: tuple[list[int], ...], shares: tuple[tuple[float, float], ...], background: float
    ) -> None:
        (left, right), (top, bottom) = (
            (start * (length - 1), start * (length - 1) + 1 + part * (1 - start) * (length - 1))  # one pixel at least
            for length, (start, part) in zip(size[::-1], shares, strict=True)
        )
        (x0, x1), (y0, y1) = edges
        placement = Placement((left, top, right, bottom), (x0, y0, x1 + 1, y1 + 1), background=background)
        restored = put_back(np.full(NETWORK, 0.5, np.float32), placement, size)
        assert restored.shape == size
        between = sorted((0.5, background))
        assert between[0] - 1e-5 <= restored.min() <= restored.max() <= between[1] + 1e-5
        middle = min(int((top + bottom) / 2), size[0] - 1), min(int((left + right) / 2), size[1] - 1)
        assert restored[middle] == pytest.approx(0.5, abs=1e-5)

    def test_putting_back_a_wide_stroke_takes_no_more_memory_than_the_picture(self) -> None:
        program = """if True:
            import resource
            import numpy as np
            from app.imaging.placement import Placement, put_back
            stroke = Placement(box=(20, 20, 19980, 480), window=(4, 13, 24, 14), background=0.0)
            before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            restored = put_back(np.ones((28, 28), np.float32), stroke, (500, 20000))
            print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024 / restored.nbytes)
        """
        run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
        assert float(run.stdout) < 4


class TestInverted:
    def test_a_background_is_inverted_too(self) -> None:
        placement = Placement((0, 0, 1, 1), (0, 0, 1, 1), background=0.25)
        assert placement.inverted() == Placement((0, 0, 1, 1), (0, 0, 1, 1), background=0.75)

    def test_without_a_background_nothing_changes(self) -> None:
        placement = Placement((0, 0, 1, 1), (0, 0, 1, 1))
        assert placement.inverted() == placement


class TestResize:
    def test_the_box_selects_a_part(self) -> None:
        gray = unit(gradient(40, 40))
        np.testing.assert_allclose(resize(gray, (10, 20), box=(10, 20, 30, 30)), gray[20:30, 10:30], atol=1e-6)

    def test_each_axis_has_its_own_scale(self) -> None:
        smooth = unit(gradient(40, 40))
        assert psnr_db(resize(smooth, (10, 80)), unit(gradient(10, 80))) > 35
