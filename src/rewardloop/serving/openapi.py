"""The OpenAPI 3.1 document, from the table of routes and the wire types: nothing is described twice."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import msgspec

from rewardloop.serving.replies import Problem
from rewardloop.serving.routes import Route

_PARAMETER = re.compile(r"{(\w+)}")
_JSON = "application/json"


def describe(routes: Sequence[Route], version: str) -> bytes:
    """The document as JSON."""
    types = [*_types(routes), Problem]
    schemas, components = msgspec.json.schema_components(types, ref_template="#/components/schemas/{name}")
    by_type = {id(kind): schema for kind, schema in zip(types, schemas, strict=True)}
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        paths.setdefault(route.template, {})[route.method.lower()] = _operation(route, by_type)
    document = {
        "openapi": "3.1.0",
        "info": {"title": "rewardloop", "version": version},
        "paths": paths,
        "components": {"schemas": components},
    }
    return msgspec.json.encode(document)


def _types(routes: Sequence[Route]) -> list[Any]:
    return [kind for route in routes for kind in (*route.requests, route.answer)]


def _operation(route: Route, schemas: dict[int, Any]) -> dict[str, Any]:
    media = "text/plain" if route.answer is str else _JSON
    operation: dict[str, Any] = {
        "operationId": route.operation,
        "summary": route.summary,
        "parameters": [
            {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
            for name in _PARAMETER.findall(route.template)
        ],
        "responses": {
            "200": {"description": route.summary, "content": {media: {"schema": schemas[id(route.answer)]}}},
            "default": {
                "description": "An RFC 9457 problem",
                "content": {"application/problem+json": {"schema": schemas[id(Problem)]}},
            },
        },
    }
    if route.requests:
        schema = {"anyOf": [schemas[id(kind)] for kind in route.requests]}
        operation["requestBody"] = {"required": route.body_required, "content": {_JSON: {"schema": schema}}}
    return operation
