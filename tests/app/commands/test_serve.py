"""``python -m app serve``, as far as it gets before the service starts."""

import subprocess
import sys
from pathlib import Path

from tests.app.processes import REPOSITORY, command


def test_a_missing_store_is_a_short_error(tmp_path: Path) -> None:
    ended = command("serve", model_store=f"{tmp_path}/nowhere")
    assert ended.returncode == 1
    assert "nowhere: the model store is not a folder" in ended.stderr


def test_a_broken_file_of_keys_is_a_short_error(tmp_path: Path) -> None:
    (tmp_path / "keys.json").write_text("{")
    ended = command("serve", keys_file=tmp_path / "keys.json")
    assert ended.returncode == 1
    assert ended.stderr.count("\n") == 1
    assert "keys.json: the file: Invalid JSON" in ended.stderr


def test_a_wrong_option_is_reported_before_fastapi_is_imported() -> None:
    program = """if True:
        import sys
        from app.__main__ import main
        code = main(["serve", "--port", "99999"])
        sys.exit(code if "fastapi" not in sys.modules else "imported")
    """
    ended = subprocess.run([sys.executable, "-c", program], cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert ended.returncode == 2
    assert "DENOISER_PORT" in ended.stderr
