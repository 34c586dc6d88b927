from pathlib import Path

from training.store.card_section import insert_section, render_table, wrap_section, write_report
from training.store.metadata import read_metadata

SECTION = wrap_section("## Beside other methods\n\n1,000 images.")


def test_the_section_stands_before_the_limits_and_replaces_an_earlier_one() -> None:
    card = insert_section("# blobs/1\n\nText.\n\n## Limits\n\nMany.\n", SECTION)
    assert card.index("Text.") < card.index("## Beside other methods") < card.index("## Limits")
    assert card.endswith("Many.\n")
    assert insert_section(card, SECTION) == card
    assert insert_section(card, SECTION.replace("1,000", r"2\1000")).count("## Beside") == 1


def test_a_card_without_limits_gets_it_at_the_end() -> None:
    assert insert_section("# blobs/1\n", SECTION) == f"# blobs/1\n\n{SECTION}\n"


def test_sections_of_several_data_sets_stand_side_by_side() -> None:
    one, other = (wrap_section(f"On {name}.", data_name=name) for name in ("discs", "rings"))
    card = insert_section(insert_section("# blobs/1\n", one), other)
    assert insert_section(card, one) == card
    assert card.index("On discs.") < card.index("On rings.")


def test_a_report_goes_into_the_card_and_the_metadata(tmp_path: Path) -> None:
    folder = tmp_path / "blobs" / "1"
    folder.mkdir(parents=True)
    (folder / "metadata.json").write_text('{"metrics": {"bce": 1}}')
    write_report(folder, SECTION, {"discs": {"bce": 2}})
    assert (folder / "MODEL_CARD.md").read_text() == f"# blobs/1\n\n{SECTION}\n"
    assert read_metadata(folder)["metrics"] == {"bce": 1, "evaluation": {"discs": {"bce": 2}}}


def test_a_table_has_a_row_for_each_method() -> None:
    table = render_table("PSNR (dB)", ["15", "25"], {"noisy": ["24.6", "20.2"], "mine": ["33.0", "30.1"]})
    assert table.splitlines() == [
        "| PSNR (dB) | 15 | 25 |",
        "| --- | ---: | ---: |",
        "| noisy | 24.6 | 20.2 |",
        "| mine | 33.0 | 30.1 |",
    ]
