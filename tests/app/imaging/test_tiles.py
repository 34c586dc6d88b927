import numpy as np
import pytest

from app.imaging.tiles import MAX_OVERLAP, MAX_TILE_PIXELS, Tile, cut_tiles

SIZES = [(1, 1), (7, 9), (1, 3000), (1000, 1200), (3000, 2000), (17, 400_001), (2_000_003, 1)]


def area(rectangle: tuple[slice, slice]) -> int:
    rows, columns = rectangle
    return int((rows.stop - rows.start) * (columns.stop - columns.start))


def total_seen(tiles: list[Tile]) -> int:
    return sum(area(tile.seen) for tile in tiles)


@pytest.mark.parametrize("min_tiles", [1, 2, 3])
@pytest.mark.parametrize(("height", "width"), SIZES)
class TestEveryPicture:
    def test_every_pixel_is_kept_once(self, height: int, width: int, min_tiles: int) -> None:
        kept = np.zeros((height, width), np.uint8)
        for tile in cut_tiles(height, width, size_multiple=8, halo_px=20, min_tiles=min_tiles):
            kept[tile.kept] += 1
        assert (kept == 1).all()

    def test_no_tile_sees_more_than_the_limit(self, height: int, width: int, min_tiles: int) -> None:
        tiles = cut_tiles(height, width, size_multiple=8, halo_px=20, min_tiles=min_tiles)
        assert max(area(tile.seen) for tile in tiles) <= MAX_TILE_PIXELS

    def test_a_tile_sees_the_halo_or_the_edge_around_it(self, height: int, width: int, min_tiles: int) -> None:
        for tile in cut_tiles(height, width, size_multiple=8, halo_px=20, min_tiles=min_tiles):
            for seen, kept, inner, length in zip(tile.seen, tile.kept, tile.inner, (height, width), strict=True):
                assert seen.start == max(0, kept.start - 24)
                assert seen.stop == min(length, kept.stop + 24)
                assert (inner.start, inner.stop) == (kept.start - seen.start, kept.stop - seen.start)

    def test_a_tile_starts_and_ends_at_multiples_or_edges(self, height: int, width: int, min_tiles: int) -> None:
        for tile in cut_tiles(height, width, size_multiple=8, halo_px=20, min_tiles=min_tiles):
            for seen, length in zip(tile.seen, (height, width), strict=True):
                assert seen.start % 8 == 0
                assert seen.stop % 8 == 0 or seen.stop == length


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
