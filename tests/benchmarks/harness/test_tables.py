from benchmarks.harness.tables import replace_section, table


def test_a_section_is_written_between_its_markers_and_the_rest_stays() -> None:
    first = replace_section("# Title\n\nProse.\n", "load", "old")
    second = replace_section(first + "\nMore prose.\n", "load", "new")
    assert "Prose." in second
    assert "More prose." in second
    assert "new" in second
    assert "old" not in second


def test_a_table_has_a_line_for_each_row() -> None:
    assert table(("a", "b"), [("1", "2")]) == "| a | b |\n| --- | --- |\n| 1 | 2 |"
