"""Bytes outside of bodies, of one message after another; test_protocol.py has the limits and the parser."""

from app.server.outside_bytes import CHUNK_END_BYTES, CHUNK_HEAD_BYTES, OutsideBytes


def test_all_of_a_message_counts_but_its_body() -> None:
    outside = OutsideBytes()
    outside.begin_piece(continues=False)
    outside.begin_message()
    outside.add_body(60)
    outside.end_piece(100)
    outside.begin_piece(continues=True)
    outside.add_body(50)
    outside.end_piece(55)
    assert outside.count == 45


def test_what_every_chunk_has_around_it_does_not_count() -> None:
    outside = OutsideBytes()
    outside.begin_piece(continues=True)
    outside.begin_chunk()
    outside.add_body(1)
    outside.end_chunk()
    outside.end_piece(CHUNK_HEAD_BYTES + 1 + CHUNK_END_BYTES + 7)
    assert outside.count == 7


def test_short_chunks_give_nothing_back() -> None:
    outside = OutsideBytes()
    outside.begin_piece(continues=True)
    outside.begin_chunk()
    outside.end_piece(3)
    assert outside.count == 0


def test_a_message_behind_another_counts_from_the_next_piece_on() -> None:
    outside = OutsideBytes()
    outside.begin_piece(continues=True)
    outside.begin_message()
    outside.end_piece(1000)
    outside.begin_piece(continues=True)
    outside.end_piece(30)
    assert outside.count == 30


def test_each_message_counts_anew() -> None:
    outside = OutsideBytes()
    for _ in range(2):
        outside.begin_piece(continues=False)
        outside.begin_message()
        outside.end_piece(100)
    assert outside.count == 100
