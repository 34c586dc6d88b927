import asyncio
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import numpy as np
import pytest

from app.errors import InferenceError
from app.imaging.samples import FloatImage
from app.inference.batching import MAX_SHAPES, Batcher
from app.inference.denoiser import Denoiser, NoiseLevels
from app.inference.micro_batch import BATCH_SIZES, Denoised
from tests.app.fakes import FailingDenoiser, GatedDenoiser, IdentityDenoiser, InvertingDenoiser

pytestmark = pytest.mark.anyio


class GatedFailingDenoiser(GatedDenoiser):
    """Fails, once its gate is open, on every micro-batch with a white first pixel."""

    def denoise(self, images: FloatImage, noise_levels: NoiseLevels | None = None) -> FloatImage:
        clean = super().denoise(images, noise_levels)
        return FailingDenoiser().denoise(clean)


class HoldingDenoiser(GatedDenoiser):
    """Keeps its micro-batches."""

    def __init__(self) -> None:
        super().__init__()
        self.batches: list[FloatImage] = []

    def denoise(self, images: FloatImage, noise_levels: NoiseLevels | None = None) -> FloatImage:
        self.batches.append(images.copy())
        return super().denoise(images, noise_levels)


def picture(level: float = 0.5, *, height: int = 4, width: int = 3) -> FloatImage:
    return np.full((height, width), level, np.float32)


@asynccontextmanager
async def batcher(denoiser: Denoiser) -> AsyncIterator[Batcher]:
    made = Batcher(denoiser, name="test")
    try:
        yield made
    finally:
        if isinstance(denoiser, GatedDenoiser):
            denoiser.gate.set()
        await made.close()


async def submit(queue: Batcher, *images: FloatImage) -> list[asyncio.Future[Denoised]]:
    """Queue images in this order, and return as soon as they are queued."""
    tasks = [queue.submit(image) for image in images]
    await asyncio.sleep(0)
    return tasks


async def occupy(queue: Batcher, denoiser: GatedDenoiser) -> asyncio.Future[Denoised]:
    """Queue one image, and return when the network is busy with it."""
    (task,) = await submit(queue, picture(0.25))
    assert await asyncio.to_thread(denoiser.entered.wait, 10)
    return task


class ThreadRecorder(IdentityDenoiser):
    """Records which thread denoises which shapes; holds the threads, so that no new one gets the name of an old one."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: dict[threading.Thread, set[tuple[int, ...]]] = {}

    def denoise(self, images: FloatImage, noise_levels: NoiseLevels | None = None) -> FloatImage:
        self.seen.setdefault(threading.current_thread(), set()).add(images.shape)
        return super().denoise(images, noise_levels)


class TestRenewal:
    async def test_a_thread_sees_few_shapes_and_is_replaced(self) -> None:
        denoiser = ThreadRecorder()
        queue = Batcher(denoiser, name="few shapes", threads=2, pads=False)
        for width in range(1, 5 * MAX_SHAPES):
            assert (await queue.submit(picture(width=width))).image.shape == (4, width)
        await queue.close()
        assert max(len(shapes) for shapes in denoiser.seen.values()) == MAX_SHAPES
        assert not any(thread.is_alive() for thread in denoiser.seen)
        assert queue.threads == 2

    async def test_a_thread_that_sees_the_same_shapes_stays(self) -> None:
        denoiser = ThreadRecorder()
        async with batcher(denoiser) as queue:
            for width in [1, 2] * MAX_SHAPES:
                await queue.submit(picture(width=width))
        assert len(denoiser.seen) == 1

    async def test_a_queue_closes_while_a_thread_is_replaced(self) -> None:
        denoiser = ThreadRecorder()
        queue = Batcher(denoiser, name="closing", threads=1, pads=False)
        for width in range(1, MAX_SHAPES + 1):
            await queue.submit(picture(width=width))
        await queue.close()
        assert not [thread for thread in threading.enumerate() if thread.name.startswith("inference closing")]


class TestResults:
    async def test_an_image_is_denoised(self) -> None:
        async with batcher(InvertingDenoiser()) as queue:
            result = await queue.submit(picture(0.25))
        np.testing.assert_allclose(result.image, picture(0.75))
        assert result.batch_size == 1

    async def test_each_image_of_a_micro_batch_gets_its_own_result(self) -> None:
        denoiser = GatedDenoiser()
        async with batcher(denoiser) as queue:
            await occupy(queue, denoiser)
            levels = [level / 10 for level in range(10)]
            tasks = await submit(queue, *(picture(level) for level in levels))
            denoiser.gate.set()
            results = await asyncio.gather(*tasks)
        assert [float(result.image[0, 0]) for result in results] == pytest.approx(levels)

    async def test_waiting_and_working_are_timed_separately(self) -> None:
        denoiser = GatedDenoiser()
        async with batcher(denoiser) as queue:
            first = await occupy(queue, denoiser)
            start = time.perf_counter()
            (second,) = await submit(queue, picture())
            submitted = time.perf_counter()
            sum(range(1_000_000))
            held_s = time.perf_counter() - submitted
            denoiser.gate.set()
            one, two = await asyncio.gather(first, second)
            elapsed_s = time.perf_counter() - start
        assert one.infer_s >= held_s
        assert two.queue_s >= held_s
        assert 0 < two.infer_s <= elapsed_s - two.queue_s


class TestMicroBatches:
    async def test_images_that_queue_while_the_network_is_busy_are_one_micro_batch(self) -> None:
        denoiser = GatedDenoiser()
        async with batcher(denoiser) as queue:
            first = await occupy(queue, denoiser)
            tasks = await submit(queue, *[picture()] * 4)
            denoiser.gate.set()
            assert (await first).batch_size == 1
            assert [result.batch_size for result in await asyncio.gather(*tasks)] == [4] * 4
        assert denoiser.shapes == [(1, 4, 3), (4, 4, 3)]

    @pytest.mark.parametrize(("count", "padded"), [(1, 1), (2, 2), (3, 4), (5, 8), (33, 64), (64, 64)])
    async def test_a_micro_batch_is_padded_with_black_to_a_warmed_size(self, count: int, padded: int) -> None:
        denoiser = HoldingDenoiser()
        async with batcher(denoiser) as queue:
            await occupy(queue, denoiser)
            tasks = await submit(queue, *[picture()] * count)
            denoiser.gate.set()
            assert {result.batch_size for result in await asyncio.gather(*tasks)} == {count}
        batch = denoiser.batches[1]
        assert batch.shape == (padded, 4, 3)
        assert padded in BATCH_SIZES
        assert (batch[:count] == 0.5).all()
        assert not batch[count:].any()

    async def test_more_than_the_largest_micro_batch_is_split(self) -> None:
        denoiser = GatedDenoiser()
        async with batcher(denoiser) as queue:
            await occupy(queue, denoiser)
            tasks = await submit(queue, *[picture()] * 70)
            denoiser.gate.set()
            await asyncio.gather(*tasks)
        assert [shape[0] for shape in denoiser.shapes] == [1, 64, 8]

    async def test_images_of_different_shapes_go_into_different_micro_batches_in_their_order(self) -> None:
        denoiser = GatedDenoiser()
        async with batcher(denoiser) as queue:
            await occupy(queue, denoiser)
            small, large = picture(), picture(height=8)
            tasks = await submit(queue, small, large, small, large)
            denoiser.gate.set()
            await asyncio.gather(*tasks)
        assert denoiser.shapes == [(1, 4, 3), (2, 4, 3), (2, 8, 3)]

    @pytest.mark.parametrize(("side", "together"), [(256, 4), (512, 1), (600, 1)])
    async def test_large_images_share_a_call_only_while_their_pixels_are_few(self, side: int, together: int) -> None:
        denoiser = GatedDenoiser()
        async with batcher(denoiser) as queue:
            await occupy(queue, denoiser)
            tasks = await submit(queue, *[picture(height=side, width=side)] * 4)
            denoiser.gate.set()
            await asyncio.gather(*tasks)
        assert [shape[0] for shape in denoiser.shapes[1:]] == [together] * (4 // together)

    @pytest.mark.parametrize(("count", "sizes"), [(15, {15}), (16, {16}), (20, {16, 4})])
    async def test_images_that_arrive_together_share_calls_of_sixteen(self, count: int, sizes: set[int]) -> None:
        async with batcher(IdentityDenoiser()) as queue:
            futures = [queue.submit(picture()) for _ in range(count)]
            assert {result.batch_size for result in await asyncio.gather(*futures)} == sizes

    async def test_a_single_image_does_not_wait_for_others(self) -> None:
        denoiser = IdentityDenoiser()
        async with batcher(denoiser) as queue:
            for _ in range(3):
                assert (await queue.submit(picture())).batch_size == 1
        assert denoiser.shapes == [(1, 4, 3)] * 3


class TestFailures:
    async def test_a_failing_micro_batch_fails_its_images_and_no_others(self) -> None:
        denoiser = GatedFailingDenoiser()
        async with batcher(denoiser) as queue:
            first = await occupy(queue, denoiser)
            white, gray = picture(1, height=8), picture()
            tasks = await submit(queue, white, gray, white, gray)
            denoiser.gate.set()
            await first
            results = await asyncio.gather(*tasks, return_exceptions=True)
        assert [isinstance(result, InferenceError) for result in results] == [True, False, True, False]

    async def test_the_cause_is_chained_but_not_in_the_text(self) -> None:
        async with batcher(FailingDenoiser()) as queue:
            with pytest.raises(InferenceError) as failure:
                await queue.submit(picture(1))
        assert "secret" not in str(failure.value)
        assert str(failure.value.__cause__) == "the network's secret"

    async def test_each_image_of_a_failing_micro_batch_gets_an_error_of_its_own(self) -> None:
        denoiser = GatedFailingDenoiser()
        async with batcher(denoiser) as queue:
            await occupy(queue, denoiser)
            tasks = await submit(queue, picture(1), picture(1))
            denoiser.gate.set()
            one, two = await asyncio.gather(*tasks, return_exceptions=True)
        assert isinstance(one, InferenceError)
        assert isinstance(two, InferenceError)
        assert one is not two

    async def test_the_thread_survives(self) -> None:
        async with batcher(FailingDenoiser()) as queue:
            for _ in range(2):
                with pytest.raises(InferenceError):
                    await queue.submit(picture(1))
                assert (await queue.submit(picture(0.5))).batch_size == 1


class TestCancelling:
    async def test_a_cancelled_image_never_reaches_the_network(self) -> None:
        denoiser = HoldingDenoiser()
        async with batcher(denoiser) as queue:
            await occupy(queue, denoiser)
            stays, leaves = await submit(queue, picture(0.5), picture(0.75))
            leaves.cancel()
            with pytest.raises(asyncio.CancelledError):
                await leaves
            denoiser.gate.set()
            assert (await stays).batch_size == 1
        assert [float(batch.max()) for batch in denoiser.batches] == [0.25, 0.5]

    async def test_if_all_images_are_cancelled_the_network_is_not_called(self) -> None:
        denoiser = GatedDenoiser()
        async with batcher(denoiser) as queue:
            await occupy(queue, denoiser)
            tasks = await submit(queue, picture(), picture())
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            denoiser.gate.set()
        assert len(denoiser.shapes) == 1

    @pytest.mark.parametrize("level", [0.5, 1], ids=["answered", "failing"])
    async def test_a_client_that_leaves_while_the_network_works_does_not_disturb_the_others(self, level: float) -> None:
        denoiser = GatedFailingDenoiser()
        async with batcher(denoiser) as queue:
            await occupy(queue, denoiser)
            stays, leaves = await submit(queue, picture(level), picture(level))
            denoiser.entered.clear()
            denoiser.gate.set()
            denoiser.gate.clear()
            assert await asyncio.to_thread(denoiser.entered.wait, 10)
            leaves.cancel()
            await asyncio.gather(leaves, return_exceptions=True)
            denoiser.gate.set()
            (result,) = await asyncio.gather(stays, return_exceptions=True)
            assert isinstance(result, InferenceError if level == 1 else Denoised)
            assert (await queue.submit(picture())).batch_size == 1


class TestThreads:
    async def test_as_many_micro_batches_run_at_once_as_there_are_threads(self) -> None:
        class MeetingDenoiser(IdentityDenoiser):
            """Works only when two calls are in it at once."""

            meeting = threading.Barrier(2)

            def denoise(self, images: FloatImage, noise_levels: NoiseLevels | None = None) -> FloatImage:
                self.meeting.wait(10)
                return super().denoise(images, noise_levels)

        queue = Batcher(MeetingDenoiser(), name="two", threads=2)
        first, second = queue.submit(picture()), queue.submit(picture(height=5))
        await asyncio.gather(first, second)
        await queue.close()

    async def test_a_micro_batch_is_not_padded_if_that_does_not_pay(self) -> None:
        denoiser = GatedDenoiser()
        queue = Batcher(denoiser, name="unpadded", pads=False)
        first = queue.submit(picture(), noise_level=0.125)
        assert await asyncio.to_thread(denoiser.entered.wait, 10)
        others = [queue.submit(picture(), noise_level=level) for level in (0.25, 0.5, 0.75)]
        denoiser.gate.set()
        await asyncio.gather(first, *others)
        await queue.close()
        assert denoiser.shapes == [(1, 4, 3), (3, 4, 3)]
        assert denoiser.noise_levels == [[0.125], [0.25, 0.5, 0.75]]

    async def test_padding_has_a_noise_level_of_zero(self) -> None:
        denoiser = IdentityDenoiser()
        async with batcher(denoiser) as queue:
            await asyncio.gather(*(queue.submit(picture(), noise_level=0.5) for _ in range(3)))
        assert denoiser.noise_levels == [[0.5, 0.5, 0.5, 0.0]]


class TestOnTheLoop:
    async def test_calls_run_on_the_event_loop_and_are_short(self) -> None:
        denoiser = ThreadRecorder()
        queue = Batcher(denoiser, name="on the loop", runs_on_loop=True)
        results = await asyncio.gather(*(queue.submit(picture(level)) for level in np.linspace(0, 1, 40)))
        assert [result.image[0, 0] for result in results] == pytest.approx(np.linspace(0, 1, 40))
        await queue.close()
        assert denoiser.seen == {threading.current_thread(): {(16, 4, 3), (8, 4, 3)}}
        assert not [thread for thread in threading.enumerate() if thread.name.startswith("inference on the loop")]

    async def test_results_are_handed_out_before_the_next_call(self) -> None:
        denoiser = IdentityDenoiser()
        queue = Batcher(denoiser, name="in turns", runs_on_loop=True)
        calls: list[int] = []

        async def denoise_one() -> None:
            await queue.submit(picture())
            calls.append(len(denoiser.shapes))

        await asyncio.gather(*(denoise_one() for _ in range(40)))
        await queue.close()
        assert calls == [1] * 16 + [2] * 16 + [3] * 8

    async def test_a_failing_micro_batch_fails_its_images_and_no_others(self) -> None:
        queue = Batcher(FailingDenoiser(), name="failing", runs_on_loop=True)
        futures = [queue.submit(picture(level)) for level in (1, 1)] + [queue.submit(picture(height=8))]
        results = await asyncio.gather(*futures, return_exceptions=True)
        assert [type(result) for result in results] == [InferenceError, InferenceError, Denoised]
        await queue.close()

    async def test_what_is_queued_when_it_closes_is_denoised(self) -> None:
        queue = Batcher(IdentityDenoiser(), name="closing", runs_on_loop=True)
        futures = [queue.submit(picture(height=height)) for height in (4, 5, 6)]
        await queue.close()
        assert all(future.done() for future in futures)

    async def test_a_cancelled_image_never_reaches_the_network(self) -> None:
        denoiser = IdentityDenoiser()
        queue = Batcher(denoiser, name="cancelled", runs_on_loop=True)
        kept, cancelled = queue.submit(picture()), queue.submit(picture(height=8))
        cancelled.cancel()
        await kept
        await queue.close()
        assert denoiser.shapes == [(1, 4, 3)]


class TestClosing:
    async def test_queued_images_are_denoised(self) -> None:
        denoiser = GatedDenoiser()
        queue = Batcher(denoiser, name="test")
        first = await occupy(queue, denoiser)
        tasks = await submit(queue, picture(), picture(height=8), picture(height=9))
        closing = asyncio.create_task(queue.close())
        await asyncio.sleep(0)
        denoiser.gate.set()
        await closing
        results = await asyncio.gather(first, *tasks)
        assert [result.image.shape for result in results] == [(4, 3), (4, 3), (8, 3), (9, 3)]

    async def test_the_threads_end(self) -> None:
        queue = Batcher(IdentityDenoiser(), name="to be closed", threads=2)
        ours = {"inference to be closed 0", "inference to be closed 1"}
        assert ours <= {thread.name for thread in threading.enumerate()}
        await queue.close()
        assert not ours & {thread.name for thread in threading.enumerate()}


async def test_a_network_that_returns_too_few_images_fails_its_micro_batch() -> None:
    class ForgetfulDenoiser(IdentityDenoiser):
        def denoise(self, images: FloatImage, noise_levels: NoiseLevels | None = None) -> FloatImage:
            return super().denoise(images, noise_levels)[:-1]

    async with batcher(ForgetfulDenoiser()) as queue:
        with pytest.raises(InferenceError):
            await queue.submit(picture())
