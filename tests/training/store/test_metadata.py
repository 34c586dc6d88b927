import json
from pathlib import Path

from training.config import Interface, NoiseLevelRange
from training.store.metadata import Metadata, add_evaluation, read_metadata, write_metadata

METADATA = Metadata(
    name="blobs",
    version=3,
    description="Discs",
    size=(20, 30),
    channels=3,
    interface=Interface("dark-on-light", NoiseLevelRange(0.0, 0.3), size_multiple=4, halo_px=7),
    training={"data": "blobs"},
    metrics={"bce": 1},
    files={"saved_model.pb": "sha256:0"},
)


def test_the_file_has_the_keys_of_the_contract_in_their_order(tmp_path: Path) -> None:
    write_metadata(tmp_path, METADATA)
    written = read_metadata(tmp_path)
    assert written.pop("created").endswith("Z")
    assert list(written.items()) == [
        ("schema_version", 1),
        ("name", "blobs"),
        ("version", 3),
        ("description", "Discs"),
        ("input", {"height": 20, "width": 30, "channels": 3, "polarity": "dark-on-light"}),
        ("noise_level", {"min": 0.0, "max": 0.3}),
        ("size_multiple", 4),
        ("halo_px", 7),
        ("training", {"data": "blobs"}),
        ("metrics", {"bce": 1}),
        ("files", {"saved_model.pb": "sha256:0"}),
    ]


def test_scores_replace_those_of_the_same_name_and_nothing_else(tmp_path: Path) -> None:
    known = {"metrics": {"bce": 1}, "files": {"saved_model.pb": "sha256:0"}, "note": "mine"}
    (tmp_path / "metadata.json").write_text(json.dumps(known))
    for scores in ({"discs": {"bce": 2}, "rings": {"bce": 3}}, {"discs": {"bce": 4}}):
        add_evaluation(tmp_path, scores)
    evaluation = {"discs": {"bce": 4}, "rings": {"bce": 3}}
    assert read_metadata(tmp_path) == known | {"metrics": {"bce": 1, "evaluation": evaluation}}
