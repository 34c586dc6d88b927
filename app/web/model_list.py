"""The models of a store as the wire format shows them."""

from app.inference.model_store import Catalogue
from app.web.schemas import ModelEntry, ModelList


def list_catalogue(catalogue: Catalogue) -> ModelList:
    """Describe every model, in the order of their names."""
    return ModelList(
        default=catalogue.default, models=[describe_entry(catalogue, name) for name in sorted(catalogue.models)]
    )


def describe_entry(catalogue: Catalogue, name: str) -> ModelEntry:
    """Describe one model by its highest version.

    Raises:
        ModelNotFoundError: there is no such model.
    """
    metadata = catalogue.find(name, None)
    return ModelEntry(
        name=name,
        versions=catalogue.versions(name),
        description=metadata.description,
        input=metadata.input,
        noise_level=metadata.noise_level,
        metrics=metadata.metrics,
    )
