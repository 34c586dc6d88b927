"""Model cards as pages: what each version is for, how good it is, and where it ends."""

from html import escape

from fastapi import APIRouter, Request, Response

from app.web.dependencies import ServiceDep
from app.web.pages.html import PageFiles, html_page
from app.web.pages.model_card import FIGURES, read_card, render_card

router = APIRouter(prefix="/models", include_in_schema=False)


@router.get("/{name}/{version}")
async def model_card(request: Request, name: str, version: int, service: ServiceDep) -> Response:
    """Show a version's model card."""
    model = service.catalogue.find(name, version)
    title = f"{model.name}/{model.version}"
    metadata = f"../../v1/models/{model.name}/versions/{model.version}"
    if (card := read_card(service.catalogue.store, model)) is None:
        body = f"<h1>{title}</h1><p>{escape(model.description)}</p>"
        body += (
            f'<p>This version has no model card; its <a href="{metadata}">metadata</a> says what is known of it.</p>'
        )
    else:
        body = render_card(card, figures=f"{model.version}/{FIGURES}/", metadata=metadata)
    return html_page(request, title, body)


@router.get("/{name}/{version}/figures/{file:path}")
async def figure(request: Request, name: str, version: int, file: str, service: ServiceDep) -> Response:
    """Send a figure of a version's model card."""
    model = service.catalogue.find(name, version)
    folder = service.catalogue.store / model.name / str(model.version) / FIGURES
    return await PageFiles(directory=folder, check_dir=False).get_response(file, request.scope)
