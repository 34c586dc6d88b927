"""GET /v1/models: the models, one model, and the metadata of one version."""

from typing import Any

from fastapi import APIRouter

from app.web.dependencies import ServiceDep
from app.web.openapi import problem_responses
from app.web.schemas import ModelEntry, ModelList

router = APIRouter(prefix="/v1/models", tags=["models"], responses=problem_responses(404, 422))


@router.get("", summary="List the models")
async def list_models(service: ServiceDep) -> ModelList:
    """List all models, name the one that is used when a request names none, and say which versions are ready."""
    snapshot = service.networks.current
    return ModelList.of(snapshot.catalogue, snapshot.states)


@router.get("/{name}", summary="Describe a model")
async def describe_model(name: str, service: ServiceDep) -> ModelEntry:
    """Describe one model by its highest version."""
    return ModelEntry.of(service.networks.current.catalogue, name)


@router.get("/{name}/versions/{version}", summary="Show a version's metadata")
async def describe_version(name: str, version: int, service: ServiceDep) -> dict[str, Any]:
    """Show the metadata of a version: how it was trained, and how well it does."""
    return service.networks.current.catalogue.find(name, version).model_dump(mode="json", exclude={"files"})
