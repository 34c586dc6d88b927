import pytest

from training.arguments import build_parser


@pytest.mark.parametrize("words", [[], ["train"], ["train", "article", "--epochs", "0"], ["train", "x"]])
def test_wrong_words_end_with_the_usage(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        build_parser().parse_args(words)
    assert "usage:" in capsys.readouterr().err


def test_training_takes_several_folders_and_evaluation_one(capsys: pytest.CaptureFixture[str]) -> None:
    parser = build_parser()
    assert parser.parse_args(["train", "photo", "--data", "a", "b"]).data == ["a", "b"]
    assert parser.parse_args(["export", "runs/photo", "--data", "a", "b"]).data == ["a", "b"]
    assert parser.parse_args(["train", "digits"]).data == ["mnist"]
    assert parser.parse_args(["evaluate", "photo"]).data == "mnist"
    with pytest.raises(SystemExit, match="2"):
        parser.parse_args(["evaluate", "photo", "--data", "a", "b"])
    assert "unrecognized arguments: b" in capsys.readouterr().err


def test_a_negative_seed_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        build_parser().parse_args(["train", "article", "--seed", "-1"])
    assert "--seed" in capsys.readouterr().err


@pytest.mark.parametrize("minutes", ["0", "-1", "inf", "nan"])
def test_minutes_are_a_positive_number(minutes: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        build_parser().parse_args(["train", "article", "--minutes", minutes])
    assert "--minutes" in capsys.readouterr().err
