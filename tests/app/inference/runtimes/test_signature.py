from pathlib import Path

import pytest

from app.errors import ModelStoreError
from app.inference.runtimes.signature import check_signature

FOLDER = Path("store/tiny/1")


@pytest.mark.parametrize("inputs", [("image",), ("image", "noise_level")], ids=len)
def test_a_noise_level_and_further_outputs_are_optional(inputs: tuple[str, ...]) -> None:
    check_signature(FOLDER, "gray", inputs=inputs, outputs=["denoised"])
    check_signature(FOLDER, "gray", inputs=inputs, outputs=["denoised", "noise"])


@pytest.mark.parametrize(
    ("inputs", "outputs"),
    [(["noise_level"], ["denoised"]), (["image", "mask"], ["denoised"]), (["image"], ["clean"])],
    ids=["no image", "another input", "no denoised"],
)
def test_other_names_are_refused_and_listed(inputs: list[str], outputs: list[str]) -> None:
    with pytest.raises(ModelStoreError) as refusal:
        check_signature(FOLDER, "gray", inputs=inputs, outputs=outputs)
    assert str(refusal.value).startswith(f"{FOLDER}: gray takes {sorted(inputs)} and returns {outputs}")
