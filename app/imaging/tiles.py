"""Cut a large picture into tiles that overlap enough to hide the seams."""

import math
from dataclasses import dataclass
from itertools import product

MAX_TILE_PIXELS = 640 * 1024  # with overlap; larger tiles need more memory, but overlap less
MAX_OVERLAP = 1.25  # a picture cut only for the sake of threads may be read at most so many times

Rectangle = tuple[slice, slice]


@dataclass(frozen=True)
class Tile:
    """A part of a picture, as rows and columns.

    Attributes:
        seen: what the network gets.
        kept: the part of the result that comes from this tile.
        inner: where that part lies in the network's output.
    """

    seen: Rectangle
    kept: Rectangle
    inner: Rectangle


@dataclass(frozen=True)
class _Span:
    """A part of one side; see Tile."""

    seen: slice
    kept: slice
    inner: slice

    @property
    def length(self) -> int:
        length: int = self.seen.stop - self.seen.start  # a slice may hold anything
        return length


_Grid = tuple[list[_Span], list[_Span]]


def cut_tiles(height: int, width: int, *, size_multiple: int, halo_px: int, min_tiles: int = 1) -> list[Tile]:
    """Cut a picture so that no tile sees more than MAX_TILE_PIXELS, and into ``min_tiles`` tiles where that is cheap.

    Every pixel is kept by one tile. What a tile sees extends ``halo_px``, rounded up to the multiple, beyond what it
    keeps, or to the edge of the picture. It starts at multiples of ``size_multiple``, so that a network that halves its
    image pairs the same pixels as in the whole picture. Tiles have about the same size, and overlap little.
    """
    halo = _round_up(halo_px, size_multiple)
    rows_first = _grids(height, width, size_multiple, halo, min_tiles)
    columns_first = [grid[::-1] for grid in _grids(width, height, size_multiple, halo, min_tiles)]
    grids = sorted(rows_first + columns_first, key=_pixels_seen)
    cheapest, *_ = grids
    enough = (grid for grid in grids if len(grid[0]) * len(grid[1]) >= min_tiles)
    rows, columns = next((grid for grid in enough if _pixels_seen(grid) <= MAX_OVERLAP * height * width), cheapest)
    return [
        Tile((row.seen, column.seen), (row.kept, column.kept), (row.inner, column.inner))
        for row, column in product(rows, columns)
    ]


def _grids(height: int, width: int, multiple: int, halo: int, min_tiles: int) -> list[_Grid]:
    """Return grids with about as many rows as square tiles need, and the fewest columns or enough for ``min_tiles``."""
    square = -(-height // max(1, math.isqrt(MAX_TILE_PIXELS) - 2 * halo))
    too_many = 8 + 4 * height * width // MAX_TILE_PIXELS  # rows of a narrow picture, which would be far from full
    counts = {*range(1, min_tiles + 1), *range(max(1, square - 2), square + 3)}
    grids: list[_Grid] = []
    for row_count in sorted(count for count in counts if count <= too_many):
        rows = _cut_side(height, row_count, multiple, halo)
        widest = MAX_TILE_PIXELS // max(row.length for row in rows)
        kept = (widest - 2 * halo) // multiple * multiple
        if width <= widest or kept > 0:
            fewest = 1 if width <= widest else -(-width // kept)
            column_counts = {fewest, max(fewest, -(-min_tiles // row_count))}
            grids += [(rows, _cut_side(width, count, multiple, halo)) for count in column_counts]
    return grids


def _cut_side(length: int, count: int, multiple: int, halo: int) -> list[_Span]:
    """Cut a side into at most ``count`` spans."""
    step = _round_up(-(-length // count), multiple)
    spans = []
    for start in range(0, length, step):
        stop = min(length, start + step)
        first, last = max(0, start - halo), min(length, stop + halo)
        spans.append(_Span(slice(first, last), slice(start, stop), slice(start - first, stop - first)))
    return spans


def _pixels_seen(grid: _Grid) -> int:
    rows, columns = grid
    return sum(row.length for row in rows) * sum(column.length for column in columns)


def _round_up(length: int, multiple: int) -> int:
    return -(-length // multiple) * multiple
