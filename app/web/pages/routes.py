"""Pages for people: the one to try the service on, Swagger UI, kinds of problems, and model cards."""

import logging
from html import escape
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request, Response

from app.errors import ModelStoreError, ProblemNotFoundError
from app.inference.metadata import ModelMetadata
from app.inference.version_files import read_card
from app.web.dependencies import ServiceDep
from app.web.pages.html import STATIC, PageFiles, html_page
from app.web.pages.model_card import FIGURES, render_card
from app.web.pages.swagger import describe_for_swagger, swagger_page
from app.web.responses.problems import ALL_PROBLEM_TYPES

router = APIRouter(include_in_schema=False)
static_files = PageFiles(directory=STATIC)
logger = logging.getLogger(__name__)


@router.get("/")
async def home(request: Request) -> Response:
    """Show the page to try the service on."""
    return await static_files.get_response("index.html", request.scope)


@router.get("/docs")
async def docs() -> Response:
    """Show Swagger UI."""
    return swagger_page()


@router.get("/docs/openapi.json")
async def docs_description(request: Request) -> dict[str, Any]:
    """Describe the API as Swagger UI needs it; /openapi.json has the whole description."""
    return describe_for_swagger(request.app.openapi())


@router.get("/problems/{slug}")
async def problem(request: Request, slug: str) -> Response:
    """Explain a kind of problem."""
    if slug not in ALL_PROBLEM_TYPES:
        raise ProblemNotFoundError(f"There is no kind of problem named {slug!r}.", names=sorted(ALL_PROBLEM_TYPES))
    kind = ALL_PROBLEM_TYPES[slug]
    body = f"<h1>{escape(kind.title)}</h1><p>HTTP status {kind.status}, type <code>/problems/{slug}</code>.</p>"
    return html_page(request, kind.title, f"{body}<p>{escape(kind.advice)}</p>")


@router.get("/models/{name}/{version}")
async def model_card(request: Request, name: str, version: int, service: ServiceDep) -> Response:
    """Show the model card of a version."""
    catalogue = service.networks.current.catalogue
    model = catalogue.find(name, version)
    title = f"{model.name}/{model.version}"
    return html_page(request, title, _card_body(catalogue.store, model))


def _card_body(store: Path, model: ModelMetadata) -> str:
    metadata = f"../../v1/models/{model.name}/versions/{model.version}"
    try:
        card = read_card(store / model.name / str(model.version))
        missing = "This version has no model card"
    except ModelStoreError as error:  # it changed after the start, which refuses such a card
        logger.warning("%s", error)
        card, missing = None, "The model card of this version cannot be read"
    if card is not None:
        return render_card(card, figures=f"{model.version}/{FIGURES}/", metadata=metadata)
    return (
        f"<h1>{model.name}/{model.version}</h1><p>{escape(model.description)}</p>"
        f'<p>{missing}; its <a href="{metadata}">metadata</a> says what is known about it.</p>'
    )


@router.get("/models/{name}/{version}/figures/{file:path}")
async def figure(request: Request, name: str, version: int, file: str, service: ServiceDep) -> Response:
    """Send a figure of a model card."""
    catalogue = service.networks.current.catalogue
    model = catalogue.find(name, version)
    folder = catalogue.store / model.name / str(model.version) / FIGURES
    return await PageFiles(directory=folder, check_dir=False).get_response(file, request.scope)
