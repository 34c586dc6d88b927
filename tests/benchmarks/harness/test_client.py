from benchmarks.harness.client import parse_answer, percentile, request_bytes

ANSWER = b"HTTP/1.1 429 Too Many Requests\r\nContent-Length: 4\r\nRetry-After: 1\r\n\r\nbody"


def test_a_response_is_complete_with_its_last_byte() -> None:
    assert parse_answer(ANSWER) == (429, b"body")
    assert all(parse_answer(ANSWER[:length]) is None for length in range(len(ANSWER)))


def test_a_request_states_the_length_of_its_body() -> None:
    request = request_bytes("POST", "/v1/denoise", b"12345")
    assert request.startswith(b"POST /v1/denoise HTTP/1.1\r\n")
    assert b"\r\nContent-Length: 5\r\n" in request
    assert request.endswith(b"\r\n\r\n12345")


def test_a_percentile_is_one_of_the_values() -> None:
    values = [float(value) for value in range(100, 0, -1)]
    assert percentile(values, 0.99) == 99
    assert percentile(values, 0.5) == 50
    assert percentile([7.0], 0.99) == 7
    assert percentile([], 0.99) == 0
