import subprocess
import sys

import pytest

CODE = """
import os
from training.quiet import without_greetings
with without_greetings():
    os.write(2, b"I0000 a greeting from C++\\n")
    {then}
os.write(2, b"later\\n")
"""


@pytest.mark.parametrize(
    ("then", "said", "kept"),
    [
        ("pass", ["later"], ["greeting"]),
        ("raise ImportError('no such library')", ["a greeting from C++", "no such library"], ["later"]),
    ],
)
def test_greetings_are_shown_only_if_the_import_fails(then: str, said: list[str], kept: list[str]) -> None:
    command = [sys.executable, "-c", CODE.format(then=then)]
    errors = subprocess.run(command, capture_output=True, text=True, check=False).stderr
    assert all(text in errors for text in said)
    assert not any(text in errors for text in kept)
