"""The version of a release is the same wherever it has to stand."""

import re
import tomllib

from app import __version__
from tests.app.processes import REPOSITORY

DOCS = ("operations.md", "versioning.md")
KUBERNETES = REPOSITORY / "deploy" / "kubernetes"
PLACES = [*KUBERNETES.rglob("*.yaml"), *(REPOSITORY / "docs" / name for name in DOCS)]
IMAGE = re.compile(r"(?:denoiser:|newTag: \"?)(\d+\.\d+\.\d+)")


def test_the_changelog_dates_the_release() -> None:
    changelog = (REPOSITORY / "CHANGELOG.md").read_text(encoding="utf-8")
    releases = re.findall(r"^## \[(\d+\.\d+\.\d+)\] - (\d{4}-\d{2}-\d{2})$", changelog, re.MULTILINE)
    assert releases[0][0] == __version__


def test_the_client_has_the_version_of_the_service() -> None:
    project = tomllib.loads((REPOSITORY / "client" / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["version"] == __version__


def test_images_are_named_by_the_version() -> None:
    named = {
        path.relative_to(REPOSITORY).as_posix(): set(IMAGE.findall(path.read_text(encoding="utf-8"))) for path in PLACES
    }
    versions = {name: found for name, found in named.items() if found}
    kubernetes = ("deployment.yaml", "kustomization.yaml", "components/openvino/kustomization.yaml")
    expected = [*(f"deploy/kubernetes/{name}" for name in kubernetes), *(f"docs/{name}" for name in DOCS)]
    assert versions == {name: {__version__} for name in expected}
