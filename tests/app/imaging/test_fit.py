import os
import subprocess
import sys
from typing import Literal, get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.imaging.fit import Fit, FittedImage, fit_image, restore_image
from app.imaging.handwriting.polarity import Polarity
from app.imaging.placement import Size
from app.imaging.samples import FloatImage
from tests.app.pictures import centre_of_mass, digit, gradient, psnr_db, unit

NETWORK: Size = (28, 28)
FITS: tuple[Fit, ...] = get_args(Fit)
POLARITIES: tuple[Polarity, ...] = get_args(Polarity)


def fitted_to(
    gray: FloatImage,
    *,
    fit: Fit = "stretch",
    size: Size = NETWORK,
    network: Polarity | None = "light-on-dark",
    polarity: Polarity | Literal["auto"] = "auto",
) -> FittedImage:
    return fit_image(gray, size=size, network_polarity=network, fit=fit, polarity=polarity)


def drawn(polarity: Polarity, text: str = "4", **where: object) -> FloatImage:
    light = digit(text, **where)  # type: ignore[arg-type]
    return light if polarity == "light-on-dark" else 1 - light


def as_light(gray: FloatImage, polarity: Polarity) -> FloatImage:
    return gray if polarity == "light-on-dark" else 1 - gray


class TestPolarity:
    @pytest.mark.parametrize("network", POLARITIES)
    @pytest.mark.parametrize("picture", POLARITIES)
    @pytest.mark.parametrize("fit", FITS)
    def test_the_network_gets_its_own_and_the_result_has_the_pictures(
        self, fit: Fit, picture: Polarity, network: Polarity
    ) -> None:
        gray = drawn(picture)
        fitted = fitted_to(gray, fit=fit, network=network)
        assert fitted.polarity == picture
        assert fitted.is_inverted == (picture != network)
        corner = 0 if network == "light-on-dark" else 1
        assert fitted.image[0, 0] == pytest.approx(corner, abs=0.02)
        restored = restore_image(fitted.image, fitted, to_source=True)
        assert restored[0, 0] == pytest.approx(gray[0, 0], abs=0.02)

    @pytest.mark.parametrize("asked", POLARITIES)
    def test_a_given_polarity_is_not_judged(self, asked: Polarity) -> None:
        fitted = fitted_to(drawn("dark-on-light"), polarity=asked)
        assert fitted.polarity == asked
        assert fitted.is_inverted == (asked == "dark-on-light")

    @pytest.mark.parametrize("asked", POLARITIES)
    def test_a_network_that_works_with_either_gets_the_picture_unchanged(self, asked: Polarity) -> None:
        gray = drawn("dark-on-light", height=28, width=28, size=20)
        fitted = fitted_to(gray, network=None, polarity=asked)
        assert fitted.polarity is None
        np.testing.assert_array_equal(fitted.image, gray)
        np.testing.assert_array_equal(restore_image(gray, fitted, to_source=False), gray)


SIDES = st.integers(1, 400)
NETWORK_SIDES = st.integers(1, 64)


class TestThereAndBack:
    """A network that returns its input returns the picture, as far as its size allows."""

    @given(
        shape=st.tuples(SIDES, SIDES),
        size=st.tuples(NETWORK_SIDES, NETWORK_SIDES),
        fit=st.sampled_from(FITS),
        network=st.sampled_from(POLARITIES),
        gray=st.floats(0, 1, width=32),
    )
    def test_a_picture_of_one_gray_comes_back_as_it_was(
        self, shape: Size, size: Size, fit: Fit, network: Polarity, gray: float
    ) -> None:
        picture = np.full(shape, gray, np.float32)
        fitted = fitted_to(picture, fit=fit, size=size, network=network)
        assert fitted.image.shape == size
        np.testing.assert_allclose(restore_image(fitted.image, fitted, to_source=True), picture, atol=1e-5)

    @given(
        shape=st.tuples(st.integers(28, 400), st.integers(28, 400)),
        fit=st.sampled_from(["stretch", "pad"]),
        network=st.sampled_from(POLARITIES),
    )
    def test_a_smooth_picture_comes_back_smooth(self, shape: Size, fit: Fit, network: Polarity) -> None:
        picture = unit(gradient(*shape))
        fitted = fitted_to(picture, fit=fit, network=network)
        assert psnr_db(restore_image(fitted.image, fitted, to_source=True), picture) > 30


class TestEveryFit:
    @pytest.mark.parametrize("fit", FITS)
    @pytest.mark.parametrize("shape", [(1, 1), (23, 17), (1, 90), (90, 1), (480, 640), (1, 40000), (40000, 1)], ids=str)
    @pytest.mark.parametrize("ink", [False, True], ids=["blank", "striped"])
    def test_any_shape_is_fitted_to_the_networks_and_restored_to_its_own(
        self, fit: Fit, shape: Size, *, ink: bool
    ) -> None:
        gray = np.zeros(shape, np.float32)
        if ink:
            gray[shape[0] // 3 : shape[0] // 3 * 2 + 1, shape[1] // 3 : shape[1] // 3 * 2 + 1] = 1
        fitted = fitted_to(gray, fit=fit)
        assert fitted.image.shape == NETWORK
        assert fitted.image.dtype == np.float32
        assert fitted.source_size == shape
        restored = restore_image(fitted.image, fitted, to_source=True)
        assert restored.shape == shape
        assert restored.dtype == np.float32
        assert restore_image(fitted.image, fitted, to_source=False).shape == NETWORK

    @pytest.mark.parametrize("fit", FITS)
    def test_the_network_need_not_be_square(self, fit: Fit) -> None:
        gray = drawn("light-on-dark")
        fitted = fitted_to(gray, fit=fit, size=(20, 40))
        assert fitted.image.shape == (20, 40)
        assert restore_image(fitted.image, fitted, to_source=True).shape == gray.shape

    @pytest.mark.parametrize("fit", FITS)
    @pytest.mark.parametrize("scale", [1e5, 1e30, 3e38, -1e30], ids=str)
    def test_samples_far_outside_the_nominal_range_cause_no_error(self, fit: Fit, scale: float) -> None:
        gray = np.asarray(drawn("light-on-dark") * scale, np.float32)
        fitted = fitted_to(gray, fit=fit, network="light-on-dark", polarity="auto")
        assert fitted.polarity == ("light-on-dark" if scale > 0 else "dark-on-light")
        assert fitted.image.shape == NETWORK


class TestStretch:
    def test_the_picture_fills_the_network(self) -> None:
        gray = np.zeros((100, 300), np.float32)
        gray[50:, :150] = 1
        fitted = fitted_to(gray, polarity="light-on-dark")
        expected = np.zeros(NETWORK, np.float32)
        expected[14:, :14] = 1
        np.testing.assert_allclose(fitted.image, expected, atol=1e-6)

    def test_the_output_fills_the_picture(self) -> None:
        smooth = unit(gradient(100, 300))
        fitted = fitted_to(smooth, polarity="light-on-dark")
        assert psnr_db(restore_image(fitted.image, fitted, to_source=True), smooth) > 35

    def test_downscaling_averages(self) -> None:
        rows, columns = np.indices((280, 280))
        checkerboard = np.asarray((rows + columns) % 2, np.float32)
        np.testing.assert_allclose(fitted_to(checkerboard, polarity="light-on-dark").image, 0.5, atol=1e-6)

    def test_a_picture_of_the_networks_size_is_unchanged(self) -> None:
        gray = unit(gradient(28, 28))
        fitted = fitted_to(gray, polarity="light-on-dark")
        np.testing.assert_array_equal(fitted.image, gray)
        np.testing.assert_array_equal(restore_image(gray, fitted, to_source=True), gray)


class TestPad:
    def test_the_aspect_ratio_is_kept_and_the_border_is_extended(self) -> None:
        gray = np.full((100, 200), 0.25, np.float32)
        gray[30:70, 60:140] = 1
        image = fitted_to(gray, fit="pad", polarity="light-on-dark").image
        np.testing.assert_allclose(image[:7], 0.25)
        np.testing.assert_allclose(image[21:], 0.25)
        assert image[14, 14] == pytest.approx(1)
        x, y = centre_of_mass(image - 0.25)
        assert (x, y) == pytest.approx((14, 14), abs=0.1)

    @pytest.mark.parametrize("shape", [(100, 200), (200, 100)], ids=["wide", "tall"])
    def test_the_padding_is_cut_before_the_output_is_scaled_back(self, shape: Size) -> None:
        smooth = unit(gradient(*shape))
        fitted = fitted_to(smooth, fit="pad", polarity="light-on-dark")
        denoised = fitted.image.copy()
        if shape[0] < shape[1]:
            denoised[:7] = denoised[21:] = 1
        else:
            denoised[:, :7] = denoised[:, 21:] = 1
        assert psnr_db(restore_image(denoised, fitted, to_source=True), smooth) > 35


class TestMnist:
    @pytest.mark.parametrize("network", POLARITIES)
    @pytest.mark.parametrize("picture", POLARITIES)
    @pytest.mark.parametrize("at", [(100, 90), (320, 240), (540, 380)], ids=str)
    def test_the_digit_returns_to_its_place_on_a_plain_background(
        self, at: tuple[float, float], picture: Polarity, network: Polarity
    ) -> None:
        gray = drawn(picture, height=480, width=640, at=at, size=140)
        fitted = fitted_to(gray, fit="mnist", network=network)
        restored = restore_image(fitted.image, fitted, to_source=True)
        assert restored.shape == gray.shape
        ink, expected = as_light(restored, picture), as_light(gray, picture)
        assert centre_of_mass(np.clip(ink, 0, 1)) == pytest.approx(centre_of_mass(expected), abs=0.02 * 480)
        far = np.ones(gray.shape, np.bool_)
        far[max(0, int(at[1]) - 90) : int(at[1]) + 90, max(0, int(at[0]) - 90) : int(at[0]) + 90] = False
        np.testing.assert_array_equal(ink[far], 0)
        assert psnr_db(np.clip(ink, 0, 1), expected) > 15

    @pytest.mark.parametrize("polarity", POLARITIES)
    @pytest.mark.parametrize("shape", [(100, 200), (10, 10)], ids=str)
    def test_a_blank_picture_is_padded_instead(self, shape: Size, polarity: Polarity) -> None:
        gray = np.full(shape, 0.5, np.float32)
        fitted = fitted_to(gray, fit="mnist", polarity=polarity)
        assert fitted.placement == fitted_to(gray, fit="pad", polarity=polarity).placement
        np.testing.assert_allclose(restore_image(fitted.image, fitted, to_source=True), 0.5)


@pytest.mark.parametrize("fit", FITS)
def test_a_thin_picture_takes_no_more_memory_than_a_square_one(fit: Fit) -> None:
    program = """if True:
        import re, resource, sys
        from pathlib import Path
        import numpy as np
        from app.imaging.decode import MAX_SIDE_PX
        from app.imaging.fit import fit_image, restore_image
        from app.imaging.samples import to_unit
        resource.setrlimit(resource.RLIMIT_AS, (2**29, 2**29))
        height, width = (MAX_SIDE_PX, 64) if sys.argv[2] == "thin" else (2048, 2048)
        samples = np.zeros((height, width), np.uint8)
        samples[height // 4 : height // 2, width // 4 : width // 2] = 255
        for gray in (to_unit(samples), to_unit(samples.T)):
            fitted = fit_image(
                gray, size=(28, 28), network_polarity="light-on-dark", fit=sys.argv[1], polarity="auto"
            )
            restore_image(fitted.image, fitted, to_source=True)
        print(re.findall(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[0])
    """
    environment = os.environ | {"OPENBLAS_NUM_THREADS": "1"}  # each thread reserves memory
    thin_kib, square_kib = (
        int(
            subprocess.run(
                [sys.executable, "-c", program, fit, shape], capture_output=True, text=True, check=True, env=environment
            ).stdout
        )
        for shape in ("thin", "square")
    )
    assert thin_kib < 1.1 * square_kib
