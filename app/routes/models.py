"""Which models there are."""

from typing import Any

from fastapi import APIRouter

from app.dependencies import ServiceDep
from app.model_store import Catalogue
from app.openapi import problem_responses
from app.schemas import ModelEntry, ModelList

router = APIRouter(prefix="/v1/models", tags=["models"], responses=problem_responses(404, 422))


@router.get("", summary="List the models")
async def list_models(service: ServiceDep) -> ModelList:
    """Every model, and the one that answers when a request names none."""
    catalogue = service.catalogue
    return ModelList(default=catalogue.default, models=[_entry(catalogue, name) for name in sorted(catalogue.models)])


@router.get("/{name}", summary="Describe a model")
async def describe_model(name: str, service: ServiceDep) -> ModelEntry:
    """One model, described by its highest version."""
    return _entry(service.catalogue, name)


@router.get("/{name}/versions/{version}", summary="Show a version's metadata")
async def describe_version(name: str, version: int, service: ServiceDep) -> dict[str, Any]:
    """The version's metadata: how it was trained, and how well it does."""
    return service.catalogue.find(name, version).model_dump(mode="json", exclude={"files"})


def _entry(catalogue: Catalogue, name: str) -> ModelEntry:
    metadata = catalogue.find(name, None)
    return ModelEntry(
        name=name,
        versions=catalogue.versions(name),
        description=metadata.description,
        input=metadata.input,
        noise_level=metadata.noise_level,
        metrics=metadata.metrics,
    )
