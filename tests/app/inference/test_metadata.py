import json
from pathlib import Path
from typing import Any

import pytest

from app.errors import ModelStoreError
from app.inference.metadata import read_metadata
from tests.app.fakes import ANY_SIZE, metadata_json

FILES = {"saved_model.pb": f"sha256:{'0' * 64}"}


def write(folder: Path, **changes: Any) -> Path:  # noqa: ANN401  # JSON
    (folder / "metadata.json").write_text(json.dumps(metadata_json() | {"files": FILES} | changes))
    return folder


def test_a_version_is_identified_by_name_and_number(tmp_path: Path) -> None:
    assert read_metadata(write(tmp_path, name="digits", version=3)).key == ("digits", 3)


def test_a_network_of_a_fixed_size_has_a_height_and_width(tmp_path: Path) -> None:
    spec = {"height": 20, "width": 40, "polarity": "light-on-dark"}
    assert read_metadata(write(tmp_path, input=spec)).input.size == (20, 40)


def test_a_network_of_any_size_has_no_size(tmp_path: Path) -> None:
    assert read_metadata(write(tmp_path, input=ANY_SIZE)).input.size is None


def test_a_noise_level_range_is_read(tmp_path: Path) -> None:
    noise_level = read_metadata(write(tmp_path, noise_level={"min": 0, "max": 0.294})).noise_level
    assert noise_level is not None
    assert (noise_level.min, noise_level.max) == (0, 0.294)


def test_the_name_auto_is_reserved(tmp_path: Path) -> None:
    with pytest.raises(ModelStoreError, match=r"metadata\.json: name: .*'auto' is reserved"):
        read_metadata(write(tmp_path, name="auto"))


def test_it_cannot_be_changed(tmp_path: Path) -> None:
    metadata = read_metadata(write(tmp_path))
    with pytest.raises(ValueError, match="frozen"):
        metadata.version = 2  # type: ignore[misc]


def test_the_error_for_a_missing_file_names_it_and_the_command_that_writes_it(tmp_path: Path) -> None:
    with pytest.raises(ModelStoreError, match=r"metadata\.json is missing; `python -m training describe") as refusal:
        read_metadata(tmp_path)
    assert str(tmp_path) in str(refusal.value)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff\xfe"], ids=["empty", "cut", "list", "bytes"])
def test_a_file_that_is_not_a_json_object_is_refused_by_name(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "metadata.json").write_bytes(content)
    with pytest.raises(ModelStoreError, match=r"metadata\.json: the file: "):
        read_metadata(tmp_path)


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("schema_version", {"schema_version": 2}),
        ("name", {"name": "../digits"}),
        ("name", {"name": ".hidden"}),
        ("name", {"name": "x" * 65}),
        ("version", {"version": 0}),
        ("noise_level", {"noise_level": {"min": 0.2, "max": 0.1}}),
        ("noise_level.max", {"noise_level": {"min": 0, "max": 0}}),
        ("size_multiple", {"size_multiple": 129}),
        ("halo_px", {"halo_px": 257}),
        ("created", {"created": "yesterday"}),
        ("input.height", {"input": {"height": 0, "width": 28}}),
        ("input", {"input": {"height": 28, "width": 28, "channels": 3}}),
        ("input.channels", {"input": {"height": None, "width": None, "channels": 2}}),
        ("input.polarity", {"input": {"height": 28, "width": 28, "polarity": "gray"}}),
        ("input", {"input": {"height": 28, "width": None}}),
        ("noise_level.min", {"noise_level": {"min": -1, "max": 1}}),
        ("size_multiple", {"size_multiple": 0}),
        ("halo_px", {"halo_px": -1}),
        ("metrics", {"metrics": {"psnr_db": float("nan")}}),
        ("files", {"files": {}}),
        ("files.saved_model.pb", {"files": {"saved_model.pb": "md5:0"}}),
    ],
)
def test_a_wrong_field_is_named(tmp_path: Path, field: str, changes: dict[str, Any]) -> None:
    with pytest.raises(ModelStoreError, match=rf"metadata\.json: {field}: "):
        read_metadata(write(tmp_path, **changes))


def test_a_missing_field_is_named(tmp_path: Path) -> None:
    (tmp_path / "metadata.json").write_text(json.dumps(metadata_json()))
    with pytest.raises(ModelStoreError, match=r"metadata\.json: files: "):
        read_metadata(tmp_path)
