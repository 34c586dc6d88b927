import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from io import BytesIO
from typing import Any

import numpy as np
import pytest
from PIL import Image

from app.errors import ClientGoneError, ImageTooLargeError, InvalidImageError, QueueFullError
from app.imaging.decode import DecodedImage
from app.imaging.samples import FloatImage
from app.inference.batching import Batcher
from app.inference.denoiser import NoiseLevels
from app.inference.metadata import ModelMetadata
from app.processing.decoders import ImageDecoder
from app.processing.options import Choice, Options
from app.processing.picture import DenoisedPicture, Upload
from app.processing.pipeline import INLINE_PIXELS, Process
from app.processing.pixel_budget import PixelBudget, Reservation, Reserve
from app.processing.steps import Watch
from app.telemetry.timing import StageTimer
from app.web.requests.query import choose_options
from app.web.schemas import DenoiseQuery
from tests.app.fakes import ANY_SIZE, NOISE_LEVELS, IdentityDenoiser, InProcessDecoder, make_metadata
from tests.app.pictures import digit, encode, gradient, psnr_db, unit
from tests.app.profiles import gamma, gray_profile, rgb_profile

FIXED = make_metadata()
FREE = make_metadata(input=ANY_SIZE)
TOLD = make_metadata(input=ANY_SIZE, noise_level=NOISE_LEVELS)

MAX_PIXELS = 100_000

pytestmark = pytest.mark.anyio


class CountingPool(ThreadPoolExecutor):
    """Counts the steps that it runs."""

    def __init__(self) -> None:
        super().__init__(1)
        self.count = 0

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401  # as in ThreadPoolExecutor
        self.count += 1
        return super().submit(fn, *args, **kwargs)


@pytest.fixture
def pool() -> Iterator[CountingPool]:
    with CountingPool() as pool:
        yield pool


class SeeingDenoiser(IdentityDenoiser):
    """Remembers the images that it saw."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[FloatImage] = []

    def denoise(self, images: FloatImage, noise_levels: NoiseLevels | None = None) -> FloatImage:
        self.seen.append(images[0].copy())
        return super().denoise(images, noise_levels)


class EndlessDecoder:
    """Never comes to an end."""

    async def decode(self, data: bytes, *, choice: Choice, reserve: Reserve) -> tuple[DecodedImage, Options]:
        await asyncio.get_running_loop().create_future()
        raise AssertionError


@contextmanager
def leave_at_once(leave: Callable[[], None]) -> Iterator[None]:
    """Stand in for a connection that breaks while the block waits."""
    asyncio.get_running_loop().call_soon(leave)
    yield


def options(model: ModelMetadata = FIXED, **query: Any) -> Options:  # noqa: ANN401  # any parameter
    return choose_options(DenoiseQuery(**query), model)


class TestDecoding:
    async def test_the_picture_is_decoded_and_fitted(self, pool: CountingPool) -> None:
        network = SeeingDenoiser()
        denoised = await denoise(encode(gradient()), FIXED, pool, network)
        assert denoised.source.format == "PNG"
        assert network.seen[0].shape == (28, 28, 1)
        assert (denoised.source.height, denoised.source.width) == (23, 17)

    @pytest.mark.parametrize("polarity", ["light-on-dark", "dark-on-light", "auto"])
    async def test_transparent_pixels_are_paper(self, pool: CountingPool, polarity: str) -> None:
        network = SeeingDenoiser()
        await denoise(encode(Image.new("RGBA", (28, 28), (128, 128, 128, 0))), FIXED, pool, network, polarity=polarity)
        np.testing.assert_allclose(network.seen[0], 0, atol=1e-6)

    async def test_the_pixels_are_reserved_before_they_are_decoded(self, pool: CountingPool) -> None:
        cut = encode(gradient())[:60]
        with pytest.raises(QueueFullError, match="no room for 391 more pixels"):
            await denoise(cut, FIXED, pool, pixels=390)
        with pytest.raises(InvalidImageError):
            await denoise(cut, FIXED, pool, pixels=391)

    async def test_an_image_over_the_limit_reserves_nothing(self, pool: CountingPool) -> None:
        with pytest.raises(ImageTooLargeError):
            await denoise(encode(np.zeros((MAX_PIXELS // 100 + 1, 100), np.uint8)), FIXED, pool, pixels=0)

    async def test_a_small_plain_picture_is_decoded_at_once(self, pool: CountingPool) -> None:
        decoder = InProcessDecoder(MAX_PIXELS)
        await denoise(encode(gradient(64, INLINE_PIXELS // 64)), FIXED, pool, decoder=decoder)
        assert (decoder.count, pool.count) == (0, 0)

    @pytest.mark.parametrize(
        "data",
        [
            encode(np.zeros((1, INLINE_PIXELS + 1), np.uint8)),
            encode(np.random.default_rng(0).integers(0, 256, (300, 300), np.uint8)),
            encode(gradient(), "BMP"),
            encode(gradient(), icc_profile=gray_profile(gamma(1.8))),
            encode(gradient(), "JPEG", icc_profile=gray_profile(gamma(1.8))),
        ],
        ids=["many pixels in few bytes", "many bytes", "another format", "a PNG's profile", "a JPEG's profile"],
    )
    async def test_all_others_are_decoded_apart(self, pool: CountingPool, data: bytes) -> None:
        decoder = InProcessDecoder(MAX_PIXELS)
        await denoise(data, FIXED, pool, decoder=decoder)
        assert decoder.count == 1

    async def test_a_client_that_leaves_ends_the_decoding(self, pool: CountingPool) -> None:
        with pytest.raises(ClientGoneError):
            await denoise(encode(gradient(), "BMP"), FIXED, pool, decoder=EndlessDecoder(), watch=leave_at_once)

    async def test_the_deadline_ends_the_decoding(self, pool: CountingPool) -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0):
                await denoise(encode(gradient(), "BMP"), FIXED, pool, decoder=EndlessDecoder())


class TestResults:
    @pytest.mark.parametrize(
        ("output_size", "expected"), [(None, (28, 28)), ("model", (28, 28)), ("original", (17, 23))]
    )
    async def test_the_png_has_the_requested_size(
        self, pool: CountingPool, output_size: str | None, expected: tuple[int, int]
    ) -> None:
        denoised = await denoise(encode(gradient()), FIXED, pool, output_size=output_size)
        assert (denoised.width, denoised.height) == expected
        assert Image.open(BytesIO(denoised.encoded)).size == expected

    @pytest.mark.parametrize("model", [FREE, TOLD], ids=["without a noise level", "with a noise level"])
    async def test_a_network_of_any_size_returns_the_picture(self, pool: CountingPool, model: ModelMetadata) -> None:
        denoised = await denoise(encode(gradient()), model, pool)
        np.testing.assert_array_equal(np.asarray(Image.open(BytesIO(denoised.encoded))), gradient())

    async def test_colour_that_is_kept_keeps_its_profile(self, pool: CountingPool) -> None:
        data = encode(Image.new("RGB", (17, 23), (200, 100, 50)), icc_profile=rgb_profile())
        denoised = await denoise(data, FREE, pool, color="keep")
        assert Image.open(BytesIO(denoised.encoded)).info["icc_profile"] == rgb_profile()
        denoised = await denoise(data, FREE, pool, color="gray")
        assert "icc_profile" not in Image.open(BytesIO(denoised.encoded)).info

    async def test_the_result_has_the_pictures_polarity(self, pool: CountingPool) -> None:
        dark_on_light = 1 - digit()
        data = encode(np.rint(dark_on_light * 255).astype(np.uint8))
        denoised = await denoise(data, FIXED, pool, output_size="original")
        assert psnr_db(unit(Image.open(BytesIO(denoised.encoded))), dark_on_light) > 12

    @pytest.mark.parametrize(("output_size", "threads"), [("model", 0), ("original", 1)])
    async def test_a_thread_encodes_only_large_results(
        self, pool: CountingPool, output_size: str, threads: int
    ) -> None:
        await denoise(encode(np.zeros((200, 200), np.uint8)), FIXED, pool, output_size=output_size)
        assert pool.count - 1 == threads  # one fitted it

    @pytest.mark.parametrize("output_format", ["png", "jpeg"])
    async def test_a_small_picture_of_any_size_takes_no_thread(self, pool: CountingPool, output_format: str) -> None:
        await denoise(encode(gradient(64, INLINE_PIXELS // 64)), TOLD, pool, noise_level=25, format=output_format)
        assert pool.count == 0

    async def test_a_slow_format_takes_a_thread_and_the_slowest_its_own(self, pool: CountingPool) -> None:
        with CountingPool() as avif_pool:
            for output_format, counts in (("webp", (1, 0)), ("avif", (1, 1))):
                await denoise(encode(gradient()), FIXED, pool, avif_pool=avif_pool, format=output_format)
                assert (pool.count, avif_pool.count) == counts

    @pytest.mark.parametrize("output_format", ["png", "jpeg", "webp", "avif"])
    async def test_the_result_has_the_format_of_the_options(self, pool: CountingPool, output_format: str) -> None:
        data = encode(Image.new("RGB", (17, 23), (200, 100, 50)), icc_profile=rgb_profile())
        denoised = await denoise(data, FREE, pool, format=output_format)
        image = Image.open(BytesIO(denoised.encoded))
        assert (image.format, denoised.format) == (output_format.upper(), output_format)
        assert image.info["icc_profile"] == rgb_profile()

    async def test_the_quality_decides_the_size(self, pool: CountingPool) -> None:
        data = encode(np.random.default_rng(0).integers(0, 256, (64, 64), np.uint8))
        sizes = [
            len((await denoise(data, FREE, pool, format="jpeg", quality=quality)).encoded)
            for quality in (20, 90, None, 100)
        ]
        assert sizes[0] < sizes[1] == sizes[2] < sizes[3]

    async def test_the_noise_of_a_small_picture_is_estimated_in_a_thread(self, pool: CountingPool) -> None:
        await denoise(encode(gradient(64, INLINE_PIXELS // 64)), TOLD, pool)
        assert pool.count == 1


class TestNoiseLevels:
    async def told(self, data: bytes, pool: CountingPool, **query: Any) -> float:  # noqa: ANN401  # any parameter
        denoiser = IdentityDenoiser()
        await denoise(data, TOLD, pool, denoiser, **query)
        ((level,),) = [levels for levels in denoiser.noise_levels if levels is not None]
        return level * 255

    @pytest.fixture
    def noisy(self) -> bytes:
        clean = np.full((100, 120), 128.0)
        return encode(np.rint(clean + np.random.default_rng(0).normal(0, 20, clean.shape)).astype(np.uint8))

    async def test_the_network_receives_the_level_of_the_request(self, pool: CountingPool, noisy: bytes) -> None:
        assert await self.told(noisy, pool, noise_level=30) == pytest.approx(30)

    @pytest.mark.parametrize("query", [{}, {"noise_level": "auto"}], ids=["by default", "auto"])
    async def test_the_network_receives_an_estimate(
        self, pool: CountingPool, noisy: bytes, query: dict[str, Any]
    ) -> None:
        assert await self.told(noisy, pool, **query) == pytest.approx(20, abs=1)

    async def test_strength_scales_the_level_that_the_network_receives(self, pool: CountingPool, noisy: bytes) -> None:
        assert await self.told(noisy, pool, noise_level=30, strength=0.5) == pytest.approx(15)

    async def test_the_network_receives_no_higher_level_than_it_supports(
        self, pool: CountingPool, noisy: bytes
    ) -> None:
        assert await self.told(noisy, pool, noise_level=60, strength=2) == pytest.approx(75)

    async def test_a_network_of_a_fixed_size_can_take_a_level_too(self, pool: CountingPool, noisy: bytes) -> None:
        denoiser = IdentityDenoiser()
        model = make_metadata(noise_level=NOISE_LEVELS)
        await denoise(noisy, model, pool, denoiser, noise_level=51)
        ((level,),) = [levels for levels in denoiser.noise_levels if levels is not None]
        assert level == pytest.approx(0.2)

    async def test_for_a_network_of_a_fixed_size_the_noise_of_its_input_is_estimated(self, pool: CountingPool) -> None:
        denoiser = IdentityDenoiser()
        noise = np.random.default_rng(0).normal(128, 20, (28, 28)).round().clip(0, 255).astype(np.uint8)
        await denoise(encode(noise), make_metadata(noise_level=NOISE_LEVELS), pool, denoiser)
        ((level,),) = [levels for levels in denoiser.noise_levels if levels is not None]
        assert level * 255 == pytest.approx(20, abs=4)


class TestPolarity:
    """A network of any size that was trained on light ink."""

    INKED = make_metadata(input=ANY_SIZE | {"polarity": "light-on-dark"})

    @pytest.mark.parametrize("color", ["gray", "keep"])
    @pytest.mark.parametrize("polarity", ["auto", "dark-on-light"])
    async def test_it_gets_the_negative_and_its_output_is_inverted_back(
        self, pool: CountingPool, color: str, polarity: str
    ) -> None:
        network = SeeingDenoiser()
        page = Image.new("RGB", (40, 40), "white")
        page.paste((10, 20, 60), (15, 10, 20, 30))
        denoised = await denoise(encode(page), self.INKED, pool, network, color=color, polarity=polarity)
        assert network.seen[0][0, 0] == pytest.approx(0, abs=1e-3)
        expected = np.asarray(page if color == "keep" else page.convert("L"), int)
        np.testing.assert_allclose(np.asarray(Image.open(BytesIO(denoised.encoded)), int), expected, atol=1)


async def denoise(
    data: bytes,
    model: ModelMetadata,
    pool: CountingPool,
    denoiser: IdentityDenoiser | None = None,
    *,
    decoder: ImageDecoder | None = None,
    avif_pool: CountingPool | None = None,
    watch: Watch = nullcontext,
    pixels: int = 1_000_000,
    **query: Any,  # noqa: ANN401  # any parameter
) -> DenoisedPicture:
    """Send a picture all the way through a network."""
    batcher = Batcher(denoiser or IdentityDenoiser(), name="test")
    decoder = decoder or InProcessDecoder(MAX_PIXELS)
    process = Process(
        pool, avif_pool or pool, decoder, MAX_PIXELS, {model.key: batcher}, Choice.always(options(model, **query))
    )
    try:
        with Reservation(PixelBudget(pixels)) as reservation:
            return await process.denoise(
                Upload(data, None), timer=StageTimer(), reserve=reservation.reserve, watch=watch
            )
    finally:
        await batcher.close()
