from collections.abc import Callable

from hypothesis import example, given
from hypothesis import strategies as st

from app.imaging.tiles import MAX_OVERLAP, MAX_TILE_PIXELS, Tile, cut_tiles

SIZES = [(1, 1), (7, 9), (1, 3000), (1000, 1200), (3000, 2000), (17, 400_001), (2_000_003, 1)]


def area(rectangle: tuple[slice, slice]) -> int:
    rows, columns = rectangle
    return int((rows.stop - rows.start) * (columns.stop - columns.start))


def total_seen(tiles: list[Tile]) -> int:
    return sum(area(tile.seen) for tile in tiles)


def cut(size: tuple[int, int], network: tuple[int, int], min_tiles: int) -> list[Tile]:
    multiple, halo = network
    return cut_tiles(*size, size_multiple=multiple, halo_px=halo, min_tiles=min_tiles)


def every_picture(test: Callable[[tuple[int, int], tuple[int, int], int], None]) -> Callable[[], None]:
    """Run a test with pictures of any size, networks of any multiple and halo, and any number of threads."""
    for size in SIZES:
        test = example(size=size, network=(8, 20), min_tiles=2)(test)
    shapes = st.tuples(st.integers(1, 6000), st.integers(1, 6000))
    narrow = st.integers(1, 40).flatmap(lambda short: st.tuples(st.just(short), st.integers(1, 10**6)))
    return given(
        size=shapes | narrow | narrow.map(lambda size: size[::-1]),
        network=st.tuples(st.sampled_from([1, 2, 4, 8, 16, 32, 64, 128]), st.integers(0, 256)),
        min_tiles=st.integers(1, 16),
    )(test)


@every_picture
def test_every_pixel_is_kept_once(size: tuple[int, int], network: tuple[int, int], min_tiles: int) -> None:
    tiles = cut(size, network, min_tiles)
    rows = sorted({(tile.kept[0].start, tile.kept[0].stop) for tile in tiles})
    columns = sorted({(tile.kept[1].start, tile.kept[1].stop) for tile in tiles})
    for spans, length in zip((rows, columns), size, strict=True):
        assert [start for start, _ in spans] == [0, *(stop for _, stop in spans[:-1])]
        assert spans[-1][1] == length
    assert len(tiles) == len(rows) * len(columns)
    assert len({(tile.kept[0].start, tile.kept[1].start) for tile in tiles}) == len(tiles)


@every_picture
def test_no_tile_sees_more_than_the_limit(size: tuple[int, int], network: tuple[int, int], min_tiles: int) -> None:
    assert max(area(tile.seen) for tile in cut(size, network, min_tiles)) <= MAX_TILE_PIXELS


@every_picture
def test_a_tile_sees_the_halo_or_the_edge_around_it(
    size: tuple[int, int], network: tuple[int, int], min_tiles: int
) -> None:
    multiple, halo = network
    reach = -(-halo // multiple) * multiple
    for tile in cut(size, network, min_tiles):
        for seen, kept, inner, length in zip(tile.seen, tile.kept, tile.inner, size, strict=True):
            assert seen.start == max(0, kept.start - reach)
            assert seen.stop == min(length, kept.stop + reach)
            assert (inner.start, inner.stop) == (kept.start - seen.start, kept.stop - seen.start)


@every_picture
def test_a_tile_starts_and_ends_at_multiples_or_edges(
    size: tuple[int, int], network: tuple[int, int], min_tiles: int
) -> None:
    for tile in cut(size, network, min_tiles):
        for seen, length in zip(tile.seen, size, strict=True):
            assert seen.start % network[0] == 0
            assert seen.stop % network[0] == 0 or seen.stop == length


def test_a_picture_below_the_limit_is_one_tile() -> None:
    (tile,) = cut_tiles(600, 800, size_multiple=8, halo_px=48)
    assert tile.seen == tile.kept == tile.inner == (slice(0, 600), slice(0, 800))


def test_threads_share_a_picture_if_the_overlap_is_small() -> None:
    tiles = cut_tiles(600, 800, size_multiple=8, halo_px=16, min_tiles=2)
    assert len(tiles) == 2
    assert total_seen(tiles) <= MAX_OVERLAP * 600 * 800


def test_threads_do_not_share_a_picture_if_the_overlap_would_be_large() -> None:
    assert len(cut_tiles(100, 120, size_multiple=8, halo_px=48, min_tiles=2)) == 1


def test_the_overlap_in_large_pictures_is_small() -> None:
    tiles = cut_tiles(5000, 8000, size_multiple=8, halo_px=48)
    assert total_seen(tiles) < 1.3 * 5000 * 8000


def test_a_megapixel_is_two_tiles_for_two_threads() -> None:
    tiles = cut_tiles(1024, 1024, size_multiple=8, halo_px=72, min_tiles=2)
    assert len(tiles) == 2
    assert total_seen(tiles) == 2 * 1024 * (512 + 72)
