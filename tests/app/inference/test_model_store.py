import json
from pathlib import Path
from typing import NoReturn

import numpy as np
import pytest

from app.errors import ModelNotFoundError, ModelStoreError
from app.imaging.samples import FloatImage
from app.inference.denoiser import Denoiser, NoiseLevels
from app.inference.model_store import load_model, open_store
from tests.app.fakes import ANY_SIZE, NOISE_LEVELS, IdentityDenoiser, write_version


class CroppingDenoiser(IdentityDenoiser):
    """Returns less than its input."""

    def denoise(self, images: FloatImage, noise_levels: NoiseLevels | None = None) -> FloatImage:
        return super().denoise(images, noise_levels)[:, 1:]


class BrokenDenoiser(IdentityDenoiser):
    """Fails on every image."""

    def denoise(self, images: FloatImage, noise_levels: NoiseLevels | None = None) -> NoReturn:
        msg = "no kernel for this machine"
        raise RuntimeError(msg)


class TestFinding:
    @pytest.fixture
    def store(self, tmp_path: Path) -> Path:
        for name, version in [("tiny", 1), ("tiny", 2), ("tiny", 10), ("other", 7)]:
            write_version(tmp_path, name, version)
        return tmp_path

    def test_every_version_of_every_model_is_found(self, store: Path) -> None:
        catalogue = open_store(store, default="tiny")
        assert {metadata.key for metadata in catalogue} == {("tiny", 1), ("tiny", 2), ("tiny", 10), ("other", 7)}
        assert sorted(catalogue.models["tiny"]) == [1, 2, 10]
        assert catalogue.store == store

    def test_without_a_version_the_highest_is_used(self, store: Path) -> None:
        assert open_store(store, default="tiny").find("tiny", None).key == ("tiny", 10)

    def test_without_a_name_the_default_is_used(self, store: Path) -> None:
        catalogue = open_store(store, default="other")
        assert catalogue.find(None, None).key == ("other", 7)
        assert catalogue.find(None, 7).key == ("other", 7)

    def test_a_given_version_is_used(self, store: Path) -> None:
        assert open_store(store, default="tiny").find("tiny", 2).key == ("tiny", 2)

    def test_an_unknown_name_lists_the_known_ones(self, store: Path) -> None:
        with pytest.raises(ModelNotFoundError, match="no model named 'absent'") as refusal:
            open_store(store, default="tiny").find("absent", None)
        assert refusal.value.names == ["other", "tiny"]

    def test_an_unknown_version_lists_the_known_ones_in_order(self, store: Path) -> None:
        with pytest.raises(ModelNotFoundError, match="'tiny' has no version 3") as refusal:
            open_store(store, default="tiny").find("tiny", 3)
        assert refusal.value.names == ["1", "2", "10"]

    def test_other_files_and_folders_are_ignored(self, store: Path) -> None:
        (store / "README.md").write_text("hello")
        (store / "tiny" / "notes.txt").write_text("hello")
        (store / ".git" / "objects").mkdir(parents=True)
        (store / "tiny" / ".unfinished").mkdir()
        assert len(list(open_store(store, default="tiny"))) == 4


class TestDefault:
    def test_digits_is_the_default_if_none_is_named(self, tmp_path: Path) -> None:
        for name in ("article", "digits"):
            write_version(tmp_path, name)
        assert open_store(tmp_path, default=None).default == "digits"

    def test_a_single_model_is_the_default(self, tmp_path: Path) -> None:
        write_version(tmp_path, "own")
        assert open_store(tmp_path, default=None).default == "own"

    @pytest.mark.parametrize("default", [None, "absent"])
    def test_a_missing_default_lists_the_names_and_the_setting(self, tmp_path: Path, default: str | None) -> None:
        for name in ("b", "a"):
            write_version(tmp_path, name)
        with pytest.raises(ModelStoreError, match=r"set DENOISER_DEFAULT_MODEL to one of: a, b$"):
            open_store(tmp_path, default=default)

    def test_a_single_model_does_not_replace_a_named_default(self, tmp_path: Path) -> None:
        write_version(tmp_path, "own")
        with pytest.raises(ModelStoreError, match="no model 'absent'"):
            open_store(tmp_path, default="absent")

    def test_with_auto_it_is_the_one_for_small_pictures(self, tmp_path: Path) -> None:
        write_version(tmp_path, "own")
        catalogue = open_store(tmp_path, default="auto")
        assert (catalogue.default, catalogue.chooses_by_size) == ("own", True)
        assert not open_store(tmp_path, default=None).chooses_by_size

    def test_other_versions_have_the_same_default(self, tmp_path: Path) -> None:
        write_version(tmp_path, "digits")
        write_version(tmp_path, "other")
        catalogue = open_store(tmp_path, default="auto")
        fewer = catalogue.with_versions([catalogue.find("digits", 1)])
        assert list(fewer.models) == ["digits"]
        assert (fewer.store, fewer.default, fewer.chooses_by_size) == (tmp_path, "digits", True)


class TestLargePictures:
    @pytest.mark.parametrize(
        ("free", "chosen"), [(["b", "photo", "a"], "photo"), (["b", "a"], "a"), (["b"], "b"), ([], "digits")], ids=str
    )
    def test_they_have_a_model_of_any_size_if_there_is_one(self, tmp_path: Path, free: list[str], chosen: str) -> None:
        write_version(tmp_path, "digits")
        write_version(tmp_path, "article")
        for name in free:
            write_version(tmp_path, name, input=ANY_SIZE)
        assert open_store(tmp_path, default=None).find_for_large().name == chosen

    def test_they_have_the_default_model_if_that_takes_any_size(self, tmp_path: Path) -> None:
        for name in ("mine", "photo"):
            write_version(tmp_path, name, input=ANY_SIZE)
        assert open_store(tmp_path, default="mine").find_for_large().name == "mine"

    def test_the_highest_version_counts(self, tmp_path: Path) -> None:
        write_version(tmp_path, "digits")
        write_version(tmp_path, "a", 1, input=ANY_SIZE)
        write_version(tmp_path, "a", 2)
        write_version(tmp_path, "b", 1)
        write_version(tmp_path, "b", 2, input=ANY_SIZE)
        assert open_store(tmp_path, default=None).find_for_large().key == ("b", 2)


class TestChecking:
    def test_a_store_that_is_not_a_folder_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(ModelStoreError, match="absent: the model store is not a folder"):
            open_store(tmp_path / "absent", default=None)

    def test_an_empty_store_says_how_to_fill_it(self, tmp_path: Path) -> None:
        with pytest.raises(ModelStoreError, match="no model in the store; `python -m training train"):
            open_store(tmp_path, default=None)

    @pytest.mark.parametrize("name", ["saved_model.pb", "variables/variables.index"])
    def test_a_damaged_file_is_named(self, tmp_path: Path, name: str) -> None:
        file = write_version(tmp_path) / name
        file.write_bytes(b"x" + file.read_bytes()[1:])
        with pytest.raises(ModelStoreError, match="is damaged") as refusal:
            open_store(tmp_path, default=None)
        assert str(refusal.value).startswith(str(file))

    @pytest.mark.parametrize("name", ["saved_model.pb", "variables/variables.index"])
    def test_a_missing_file_is_named(self, tmp_path: Path, name: str) -> None:
        file = write_version(tmp_path) / name
        file.unlink()
        with pytest.raises(ModelStoreError, match="cannot be read: No such file") as refusal:
            open_store(tmp_path, default=None)
        assert str(refusal.value).startswith(str(file))

    @pytest.mark.parametrize("name", ["saved_model.pb", "variables/variables.index"])
    def test_a_file_that_would_be_loaded_but_is_not_listed_is_named(self, tmp_path: Path, name: str) -> None:
        folder = write_version(tmp_path)
        metadata = json.loads((folder / "metadata.json").read_text())
        del metadata["files"][name]
        (folder / "metadata.json").write_text(json.dumps(metadata))
        with pytest.raises(ModelStoreError, match=r"is not listed in metadata\.json") as refusal:
            open_store(tmp_path, default=None)
        assert str(refusal.value).startswith(str(folder / name))

    def test_files_for_people_need_no_hash(self, tmp_path: Path) -> None:
        folder = write_version(tmp_path)
        (folder / "MODEL_CARD.md").write_text("for people")
        assert open_store(tmp_path, default=None).default == "tiny"

    @pytest.mark.parametrize(("name", "version"), [("tiny", "2"), ("other", "1"), ("tiny", "01"), ("tiny", "latest")])
    def test_a_version_in_a_folder_of_another_name_is_refused(self, tmp_path: Path, name: str, version: str) -> None:
        (tmp_path / name).mkdir(exist_ok=True)
        write_version(tmp_path / "elsewhere").rename(tmp_path / name / version)
        (tmp_path / "elsewhere" / "tiny").rmdir()
        with pytest.raises(ModelStoreError, match=f"says tiny/1, but lies in {name}/{version}"):
            open_store(tmp_path, default=None)

    def test_one_broken_version_stops_the_start_even_if_others_are_whole(self, tmp_path: Path) -> None:
        write_version(tmp_path, version=1)
        (write_version(tmp_path, version=2) / "metadata.json").unlink()
        with pytest.raises(ModelStoreError, match=r"2/metadata\.json is missing"):
            open_store(tmp_path, default=None)


class TestLoading:
    @staticmethod
    def load(store: Path, denoiser: Denoiser) -> tuple[Denoiser, list[Path]]:
        folders: list[Path] = []

        def load(folder: Path) -> Denoiser:
            folders.append(folder)
            return denoiser

        metadata = open_store(store, default=None).find(None, None)
        return load_model(store, metadata, load, warm_up_batches=(1, 4)), folders

    def test_the_folder_of_the_version_is_loaded(self, tmp_path: Path) -> None:
        folder = write_version(tmp_path, "tiny", 3)
        denoiser = IdentityDenoiser()
        assert self.load(tmp_path, denoiser) == (denoiser, [folder])

    def test_every_batch_size_is_called_once(self, tmp_path: Path) -> None:
        write_version(tmp_path)
        denoiser = IdentityDenoiser()
        self.load(tmp_path, denoiser)
        assert denoiser.shapes == [(1, 28, 28, 1), (4, 28, 28, 1)]

    def test_a_network_of_any_size_is_called_with_odd_sizes_too(self, tmp_path: Path) -> None:
        write_version(tmp_path, input=ANY_SIZE)
        denoiser = IdentityDenoiser()
        self.load(tmp_path, denoiser)
        assert denoiser.shapes == [(1, 1, 1, 1), (1, 61, 47, 1), (1, 64, 64, 1)]
        assert denoiser.noise_levels == [None] * 3

    def test_a_network_of_three_channels_is_called_with_gray_with_colour_and_with_both(self, tmp_path: Path) -> None:
        calls: list[list[bool]] = []

        class Watching(IdentityDenoiser):
            def denoise(self, images: FloatImage, noise_levels: NoiseLevels | None = None) -> FloatImage:
                calls.append([bool((image == image[..., :1]).all()) for image in images])
                return super().denoise(images, noise_levels)

        write_version(tmp_path, input=ANY_SIZE | {"channels": 3})
        self.load(tmp_path, Watching())
        assert calls == [[True], [True], [True], [False], [True, False]]

    def test_a_network_that_takes_a_noise_level_is_called_with_the_lowest_and_the_highest(self, tmp_path: Path) -> None:
        write_version(tmp_path, noise_level=NOISE_LEVELS)
        denoiser = IdentityDenoiser()
        self.load(tmp_path, denoiser)
        highest = float(np.float32(NOISE_LEVELS["max"]))
        assert denoiser.noise_levels == [[0.0], [highest], [0.0] * 4, [highest] * 4]

    def test_an_output_of_another_shape_stops_the_start(self, tmp_path: Path) -> None:
        folder = write_version(tmp_path)
        with pytest.raises(ModelStoreError, match=r"shape \(1, 28, 28, 1\) has shape \(1, 27, 28, 1\)") as refusal:
            self.load(tmp_path, CroppingDenoiser())
        assert str(refusal.value).startswith(str(folder))

    def test_a_call_that_fails_stops_the_start(self, tmp_path: Path) -> None:
        folder = write_version(tmp_path)
        with pytest.raises(ModelStoreError, match="1 x 28 x 28 pixels failed: no kernel") as refusal:
            self.load(tmp_path, BrokenDenoiser())
        assert str(refusal.value).startswith(str(folder))

    def test_warm_up_images_are_float32_in_the_nominal_range(self, tmp_path: Path) -> None:
        seen: list[FloatImage] = []

        class Watching(IdentityDenoiser):
            def denoise(self, images: FloatImage, noise_levels: NoiseLevels | None = None) -> FloatImage:
                seen.append(images)
                return super().denoise(images, noise_levels)

        write_version(tmp_path)
        self.load(tmp_path, Watching())
        assert all(images.dtype == np.float32 and 0 <= images.min() <= images.max() <= 1 for images in seen)
