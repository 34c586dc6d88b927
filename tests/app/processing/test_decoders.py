import asyncio
import os
import signal
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from app.errors import DenoiserError, ImageTooLargeError, InvalidImageError, QueueFullError, UnsupportedFormatError
from app.imaging.decode import MAX_SCANS, DecodedImage, decode_image, open_image
from app.imaging.icc_profile import MAX_PROFILE_BYTES
from app.processing.decoders import LARGE_PIXELS, Decoders
from app.processing.options import Choice, Options
from tests.app.fakes import make_metadata
from tests.app.pictures import encode, gradient, huge_png, sample_files
from tests.app.profiles import rgb_profile

pytestmark = pytest.mark.anyio

MAX_PIXELS = 40_000_000
SAMPLES = sample_files()
SMALL = SAMPLES["bmp-gray"]
SLOW = b"P5 400 400 254 " + bytes(400 * 400)  # Pillow scales each sample in Python, for a third of a second


@pytest.fixture
async def decoders() -> AsyncIterator[Decoders]:
    async with Decoders(2, max_pixels=MAX_PIXELS) as decoders:
        yield decoders


async def accept(_pixels: int) -> None:
    """Reserve nothing."""


def choice(*, keeps_color: bool = False) -> Choice:
    return Choice.always(Options(make_metadata(), keeps_color=keeps_color))


async def decode(decoders: Decoders, data: bytes, *, keeps_color: bool = False) -> DecodedImage:
    decoded, _ = await decoders.decode(data, choice=choice(keeps_color=keeps_color), reserve=accept)
    return decoded


def processes() -> dict[int, int]:
    """List what descends from this process, with each one's parent."""
    parents = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
        except FileNotFoundError:  # it has just ended
            continue
        if fields[0] != "Z":
            parents[int(folder.name)] = int(fields[1])
    found = {os.getpid(): 0}
    while new := {pid: parent for pid, parent in parents.items() if parent in found and pid not in found}:
        found |= new
    del found[os.getpid()]
    return found


def count_sockets(pid: int) -> int:
    return sum(str(path.readlink()).startswith("socket:") for path in Path(f"/proc/{pid}/fd").iterdir())


def decoder_processes() -> list[int]:
    own = processes()
    return [pid for pid, parent in own.items() if parent in own]


class TestResults:
    @pytest.mark.parametrize("keeps_color", [False, True])
    async def test_they_are_those_of_decoding_in_this_process(self, decoders: Decoders, keeps_color: bool) -> None:
        for data in SAMPLES.values():
            opened = open_image(data, max_pixels=MAX_PIXELS)
            expected = decode_image(opened, backdrop=1.0, keeps_color=keeps_color)
            decoded = await decode(decoders, data, keeps_color=keeps_color)
            assert (decoded.format, decoded.samples.dtype) == (opened.format, expected.samples.dtype)
            np.testing.assert_array_equal(decoded.samples, expected.samples)

    async def test_a_colour_profile_comes_along(self, decoders: Decoders) -> None:
        color = Image.new("RGB", (17, 23), (200, 100, 50))
        for profile in (rgb_profile(), rgb_profile().ljust(MAX_PROFILE_BYTES, b"\0")):
            data = encode(color, icc_profile=profile)
            assert (await decode(decoders, data, keeps_color=True)).icc_profile == profile
            assert (await decode(decoders, data)).icc_profile is None

    async def test_a_profile_that_is_kept_counts_as_pixels(self, decoders: Decoders) -> None:
        reserved: list[int] = []

        async def note(pixels: int) -> None:
            reserved.append(pixels)

        data = encode(Image.new("RGB", (20, 10)), icc_profile=rgb_profile().ljust(8000, b"\0"))
        for keeps_color in (True, False):
            await decoders.decode(data, choice=choice(keeps_color=keeps_color), reserve=note)
        assert reserved == [200 + 1000, 200]

    async def test_a_large_picture_of_few_bytes_is_decoded(self, decoders: Decoders) -> None:
        decoded = await decode(decoders, huge_png(4096, LARGE_PIXELS // 4096 + 1))
        assert decoded.samples.shape == (LARGE_PIXELS // 4096 + 1, 4096)

    @pytest.mark.parametrize(
        ("data", "kind"),
        [
            (b"text", UnsupportedFormatError),
            (SMALL[:60], InvalidImageError),
            (huge_png(8000, 5001), ImageTooLargeError),
        ],
        ids=["text", "cut", "too large"],
    )
    async def test_errors_come_with_their_text(
        self, decoders: Decoders, data: bytes, kind: type[DenoiserError]
    ) -> None:
        with pytest.raises(kind) as here:
            decode_image(open_image(data, max_pixels=MAX_PIXELS), backdrop=1.0)
        with pytest.raises(kind) as apart:
            await decode(decoders, data)
        assert str(apart.value) == str(here.value)
        assert vars(apart.value)["limit"] == vars(here.value)["limit"]

    async def test_the_pixels_are_reserved_before_they_are_decoded(self, decoders: Decoders) -> None:
        async def refuse(pixels: int) -> None:
            raise QueueFullError(f"{pixels} are too many")

        with pytest.raises(QueueFullError, match="391"):
            await decoders.decode(SAMPLES["png-gray"][:80], choice=choice(), reserve=refuse)
        await decode(decoders, SMALL)


class TestEnds:
    async def test_cancelling_kills_the_process(self, decoders: Decoders) -> None:
        await decode(decoders, SMALL)
        before = decoder_processes()
        await cancel_at_work(decoders)
        await decode(decoders, SMALL)
        assert len(set(before) & set(decoder_processes())) == len(before) - 1

    async def test_others_notice_nothing(self, decoders: Decoders) -> None:
        slow = asyncio.create_task(decode(decoders, SLOW))
        await cancel_at_work(decoders)
        assert (await slow).samples.shape == (400, 400)

    async def test_a_picture_whose_process_is_killed_is_invalid(self, decoders: Decoders) -> None:
        await decode(decoders, SMALL)

        async def kill_all(_pixels: int) -> None:
            for pid in decoder_processes():
                os.kill(pid, signal.SIGKILL)

        with pytest.raises(InvalidImageError, match="more memory or time"):
            await decoders.decode(SMALL, choice=choice(), reserve=kill_all)
        await decode(decoders, SMALL)

    async def test_idle_processes_that_are_killed_are_replaced(self, decoders: Decoders) -> None:
        await decode(decoders, SMALL)
        for pid in processes():  # the one that they are forked from, too
            os.kill(pid, signal.SIGKILL)
        results = await asyncio.gather(*(decode(decoders, SMALL) for _ in range(3)), return_exceptions=True)
        assert isinstance(await decode(decoders, SMALL), DecodedImage)
        assert all(isinstance(result, DecodedImage | DenoiserError) for result in results)

    async def test_closing_leaves_no_process(self) -> None:
        async with Decoders(3, max_pixels=MAX_PIXELS) as decoders:
            await decode(decoders, SMALL)
            assert len(decoder_processes()) == 3
        assert not processes()

    async def test_they_hold_no_files_but_their_own(self, decoders: Decoders) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listening:
            listening.set_inheritable(True)
            await decode(decoders, SMALL)
            assert [count_sockets(pid) for pid in decoder_processes()] == [1, 1]


class TestLimits:
    async def test_a_second_slow_picture_leaves_a_decoder_free(self, decoders: Decoders) -> None:
        large = huge_png(8000, 5000)
        slow = [asyncio.create_task(decode(decoders, large)) for _ in range(3)]
        await decode(decoders, SMALL)
        assert not any(task.done() for task in slow)
        for task in slow:
            task.cancel()
        await asyncio.gather(*slow, return_exceptions=True)

    async def test_a_progressive_jpeg_of_many_scans_is_invalid(self, decoders: Decoders) -> None:
        data = encode(gradient(), "JPEG", progressive=True)
        scan = data[data.rindex(b"\xff\xda") : -2]
        with pytest.raises(InvalidImageError, match="256 scans"):
            await decode(decoders, data[:-2] + scan * MAX_SCANS + data[-2:])


async def cancel_at_work(decoders: Decoders) -> None:
    """Cancel a picture as soon as its pixels are being decoded."""
    decoding = asyncio.Event()

    async def tell(_pixels: int) -> None:
        decoding.set()

    task = asyncio.create_task(decoders.decode(SLOW, choice=choice(), reserve=tell))
    await decoding.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
