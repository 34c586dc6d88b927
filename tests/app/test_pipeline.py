from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from typing import Any

import numpy as np
import pytest
from PIL import Image

from app.admission import Admission, Slot
from app.errors import ImageTooLargeError, InvalidImageError, InvalidParameterError, QueueFullError
from app.metadata import InputSpec
from app.pipeline import INLINE_PIXELS, Options, Pipeline, choose_options
from app.schemas import DenoiseQuery
from tests.app.pictures import digit, encode, gradient, psnr_db, unit

FIXED = InputSpec(height=28, width=28, polarity="light-on-dark")
FREE = InputSpec(height=None, width=None)

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class CountingPool(ThreadPoolExecutor):
    """Counts what it is given."""

    def __init__(self) -> None:
        super().__init__(1)
        self.count = 0

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401  # as ThreadPoolExecutor has it
        self.count += 1
        return super().submit(fn, *args, **kwargs)


@pytest.fixture
def pool() -> Iterator[CountingPool]:
    with CountingPool() as pool:
        yield pool


@pytest.fixture
def slot() -> Iterator[Slot]:
    with Admission(slots=1, pixels=1_000_000).slot() as slot:
        yield slot


def options(spec: InputSpec = FIXED, **query: Any) -> Options:  # noqa: ANN401  # any parameter
    return choose_options(DenoiseQuery(**query), spec)


class TestOptions:
    def test_defaults_of_a_network_of_a_fixed_size(self) -> None:
        assert options() == Options(input=FIXED, fit="stretch", polarity="auto", to_source=False)

    def test_what_is_asked_for_is_kept(self) -> None:
        asked = options(fit="mnist", polarity="dark-on-light", output_size="original")
        assert asked == Options(input=FIXED, fit="mnist", polarity="dark-on-light", to_source=True)

    def test_a_network_of_any_size_may_be_asked_for_the_original_size(self) -> None:
        assert options(FREE, output_size="original").to_source

    @pytest.mark.parametrize(
        ("parameter", "value"), [("fit", "pad"), ("fit", "stretch"), ("output_size", "model"), ("polarity", "auto")]
    )
    def test_what_a_network_of_any_size_and_polarity_cannot_use_is_refused_by_name(
        self, parameter: str, value: str
    ) -> None:
        with pytest.raises(InvalidParameterError, match=f"{parameter}={value} has no meaning") as refusal:
            options(FREE, **{parameter: value})
        assert refusal.value.parameter == parameter


class TestDecoding:
    async def test_the_picture_is_decoded_and_fitted(self, pool: CountingPool, slot: Slot) -> None:
        picture = await Pipeline(pool=pool, max_pixels=1000).decode(encode(gradient()), options(), slot=slot)
        assert picture.format == "PNG"
        assert picture.fitted.image.shape == (28, 28)
        assert picture.fitted.source_size == (23, 17)

    @pytest.mark.parametrize("polarity", ["light-on-dark", "dark-on-light", "auto"])
    async def test_transparent_pixels_are_paper(self, pool: CountingPool, slot: Slot, polarity: str) -> None:
        data = encode(Image.new("RGBA", (28, 28), (128, 128, 128, 0)))
        pipeline = Pipeline(pool=pool, max_pixels=1000)
        picture = await pipeline.decode(data, options(polarity=polarity), slot=slot)
        np.testing.assert_allclose(picture.fitted.image, 0, atol=1e-6)

    async def test_the_pixels_are_reserved(self, pool: CountingPool, slot: Slot) -> None:
        await Pipeline(pool=pool, max_pixels=1000).decode(encode(gradient()), options(), slot=slot)
        assert slot.pixels == 23 * 17

    async def test_pixels_are_reserved_before_they_are_decoded(self, pool: CountingPool) -> None:
        cut = encode(gradient())[:60]
        with Admission(slots=1, pixels=10).slot() as slot, pytest.raises(QueueFullError):
            await Pipeline(pool=pool, max_pixels=1000).decode(cut, options(), slot=slot)

    async def test_an_image_over_the_limit_reserves_nothing(self, pool: CountingPool, slot: Slot) -> None:
        with pytest.raises(ImageTooLargeError):
            await Pipeline(pool=pool, max_pixels=100).decode(encode(gradient()), options(), slot=slot)
        assert slot.pixels == 0

    async def test_a_cut_image_is_invalid(self, pool: CountingPool, slot: Slot) -> None:
        with pytest.raises(InvalidImageError):
            await Pipeline(pool=pool, max_pixels=1000).decode(encode(gradient())[:60], options(), slot=slot)

    async def test_a_small_picture_takes_no_thread(self, pool: CountingPool, slot: Slot) -> None:
        data = encode(gradient(64, INLINE_PIXELS // 64))
        await Pipeline(pool=pool, max_pixels=10_000).decode(data, options(), slot=slot)
        assert pool.count == 0

    async def test_a_picture_of_many_pixels_in_few_bytes_is_decoded_in_a_thread(
        self, pool: CountingPool, slot: Slot
    ) -> None:
        data = encode(np.zeros((65, 65), np.uint8))
        await Pipeline(pool=pool, max_pixels=10_000).decode(data, options(), slot=slot)
        assert pool.count == 1

    async def test_a_picture_of_many_bytes_is_opened_and_decoded_in_a_thread(
        self, pool: CountingPool, slot: Slot
    ) -> None:
        noise = np.random.default_rng(0).integers(0, 256, (300, 300), np.uint8)
        await Pipeline(pool=pool, max_pixels=100_000).decode(encode(noise), options(), slot=slot)
        assert pool.count == 2


class TestEncoding:
    @pytest.mark.parametrize(
        ("output_size", "expected"), [(None, (28, 28)), ("model", (28, 28)), ("original", (17, 23))]
    )
    async def test_the_png_has_the_size_that_was_asked_for(
        self, pool: CountingPool, slot: Slot, output_size: str | None, expected: tuple[int, int]
    ) -> None:
        pipeline, asked = Pipeline(pool=pool, max_pixels=1000), options(output_size=output_size)
        picture = await pipeline.decode(encode(gradient()), asked, slot=slot)
        encoded = await pipeline.encode(picture.fitted.image, picture.fitted, asked)
        assert (encoded.width, encoded.height) == expected
        assert Image.open(BytesIO(encoded.png)).size == expected

    async def test_a_network_of_any_size_gives_the_picture_back(self, pool: CountingPool, slot: Slot) -> None:
        pipeline, asked = Pipeline(pool=pool, max_pixels=1000), options(FREE)
        picture = await pipeline.decode(encode(gradient()), asked, slot=slot)
        encoded = await pipeline.encode(picture.fitted.image, picture.fitted, asked)
        np.testing.assert_array_equal(np.asarray(Image.open(BytesIO(encoded.png))), gradient())

    async def test_the_result_has_the_pictures_polarity(self, pool: CountingPool, slot: Slot) -> None:
        pipeline, asked = Pipeline(pool=pool, max_pixels=100_000), options(output_size="original")
        dark_on_light = 1 - digit()
        data = encode(np.rint(dark_on_light * 255).astype(np.uint8))
        picture = await pipeline.decode(data, asked, slot=slot)
        encoded = await pipeline.encode(picture.fitted.image, picture.fitted, asked)
        assert psnr_db(unit(Image.open(BytesIO(encoded.png))), dark_on_light) > 12

    @pytest.mark.parametrize(("output_size", "threads"), [("model", 0), ("original", 1)])
    async def test_a_thread_encodes_only_what_is_large(
        self, pool: CountingPool, slot: Slot, output_size: str, threads: int
    ) -> None:
        pipeline, asked = Pipeline(pool=pool, max_pixels=100_000), options(output_size=output_size)
        picture = await pipeline.decode(encode(np.zeros((200, 200), np.uint8)), asked, slot=slot)
        before = pool.count
        await pipeline.encode(picture.fitted.image, picture.fitted, asked)
        assert pool.count - before == threads
