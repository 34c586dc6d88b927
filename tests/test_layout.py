"""Tests stand where a reader looks for them."""

import ast
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
EXCEPTIONS = {
    "app/errors.py",  # values and protocols have no behaviour of their own
    "app/inference/denoiser.py",
    "app/processing/decoder_process.py",  # the other end of decoders.py, which is tested with it
    "app/web/inference_schemas.py",
    "client/denoiser_client/errors.py",
    "training/errors.py",
    "training/task.py",
}


def has_code(module: Path) -> bool:
    return any(isinstance(node, ast.FunctionDef | ast.ClassDef) for node in ast.parse(module.read_text()).body)


def test_each_module_with_behaviour_has_a_test_file_of_its_name() -> None:
    missing = {
        name
        for package in ("app", "client", "training")
        for module in (REPOSITORY / package).rglob("[!_]*.py")
        if has_code(module)
        and not (REPOSITORY / "tests" / module.relative_to(REPOSITORY).parent / f"test_{module.name}").exists()
        and (name := module.relative_to(REPOSITORY).as_posix()) not in EXCEPTIONS
    }
    assert missing == set()
