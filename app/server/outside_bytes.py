"""Count what a client sends outside of bodies: request lines, headers, trailers, chunk extensions."""

CHUNK_HEAD_BYTES = 10  # an honest chunk begins with at most eight digits and a line end,
CHUNK_END_BYTES = 2  # and ends with a line end; what is beyond counts as outside the body


class OutsideBytes:
    """Counts the bytes of the newest message outside of its body, piece by piece, from what the parser reports.

    The parser does not tell where in a piece a message begins. One that begins behind another in the same piece is
    counted from the next piece on: it may have a piece more.
    """

    def __init__(self) -> None:
        self.count = 0
        self._continues = False  # the piece begins within a message
        self._begun = 0  # messages that have begun in the piece
        self._framed = 0  # bytes of the piece: bodies, and what every chunk has around it

    def begin_piece(self, *, continues: bool) -> None:
        """Begin to count a piece; ``continues`` tells whether it begins within a message."""
        self._continues = continues
        self._begun = self._framed = 0

    def begin_message(self) -> None:
        """Note that a message begins."""
        self._begun += 1
        self.count = 0

    def add_body(self, length: int) -> None:
        """Note bytes of a body."""
        self._framed += length

    def begin_chunk(self) -> None:
        """Note that a chunk begins."""
        self._framed += CHUNK_HEAD_BYTES

    def end_chunk(self) -> None:
        """Note that a chunk ends."""
        self._framed += CHUNK_END_BYTES

    def end_piece(self, length: int) -> None:
        """Count a piece of ``length`` bytes."""
        is_behind_another = self._begun + self._continues > 1
        self.count = 0 if is_behind_another else self.count + max(0, length - self._framed)
