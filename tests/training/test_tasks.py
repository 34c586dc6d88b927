from pathlib import Path

import pytest

from training.store.versions import find_version
from training.tasks import DIGITS, PHOTOS, TASKS, find_task

STORE = Path(__file__).parents[2] / "model_store"


@pytest.mark.parametrize(("model", "task"), [("article", DIGITS), ("digits", DIGITS), ("photo", PHOTOS)])
def test_a_version_that_names_no_task_is_known_by_its_size(model: str, task: object) -> None:
    assert find_task(find_version(STORE, model)) is task


def test_the_table_has_each_task_by_its_name() -> None:
    assert TASKS == {"digits": DIGITS, "photos": PHOTOS}
