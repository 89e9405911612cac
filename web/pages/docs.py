"""GET /api/docs: what the API takes, listed from its own description, without any outside script."""

from typing import Any

from fastapi import APIRouter, FastAPI, Response
from jinja2 import Environment

from handbook import Book
from web.show import page


def docs_routes(app: FastAPI, book: Book, templates: Environment) -> APIRouter:
    """The listing of the app's own OpenAPI description."""
    router = APIRouter(include_in_schema=False)

    @router.get("/api/docs")
    async def docs() -> Response:
        described = app.openapi()
        return page(templates, "docs.html", routes=_routes(book, described))

    return router


def _routes(book: Book, described: dict[str, Any]) -> list[dict[str, Any]]:
    schemas = described.get("components", {}).get("schemas", {})
    return [
        {
            "method": method.upper(),
            "path": path,
            "about": operation.get("summary") or operation.get("description") or "",
            "label": book.texts.get(f"menu.{operation.get('operationId')}", ""),
            "fields": _fields(schemas, operation),
        }
        for path, operations in described["paths"].items()
        for method, operation in operations.items()
    ]


def _fields(schemas: dict[str, Any], operation: dict[str, Any]) -> list[tuple[str, str, bool]]:
    """(name, type, needed) of a command's fields."""
    content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    schema = schemas.get(content.get("schema", {}).get("$ref", "").rpartition("/")[2], {})
    needed = schema.get("required", [])
    return [(name, _type(field), name in needed) for name, field in schema.get("properties", {}).items()]


def _type(field: dict[str, Any]) -> str:
    if "$ref" in field:
        return str(field["$ref"]).rpartition("/")[2]
    if "anyOf" in field:
        return " | ".join(_type(part) for part in field["anyOf"])
    return str(field.get("type", "any"))
