"""The OpenAPI of the endpoints that are written by hand."""

from __future__ import annotations

from frontdesk.core.errors import Json

SCHEMAS: dict[str, Json] = {
    "Login": {
        "type": "object",
        "required": ["strategy"],
        "properties": {
            "strategy": {"type": "string", "enum": ["local", "jwt"]},
            "email": {"type": "string"},
            "password": {"type": "string"},
            "accessToken": {"type": "string"},
        },
        "examples": [{"strategy": "local", "email": "owner@example.com", "password": "…"}],
    },
    "Session": {
        "type": "object",
        "required": ["accessToken", "authentication", "user"],
        "properties": {
            "accessToken": {"type": "string"},
            "authentication": {"type": "object", "properties": {"strategy": {"type": "string"}}},
            "user": {
                "type": "object",
                "properties": {
                    "id": {"type": "integer"},
                    "email": {"type": "string"},
                    "name": {"type": "string"},
                    "avatar": {"type": ["string", "null"]},
                    "createdAt": {"type": "string", "format": "date-time"},
                    "updatedAt": {"type": "string", "format": "date-time"},
                },
            },
        },
    },
    "Health": {
        "type": "object",
        "required": ["status", "parts"],
        "properties": {
            "status": {"type": "string", "enum": ["ok", "unavailable"]},
            "parts": {
                "type": "object",
                "additionalProperties": {
                    "type": "object",
                    "properties": {"ok": {"type": "boolean"}, "detail": {"type": "string"}},
                },
            },
        },
    },
}


def _json(name: str) -> Json:
    return {"application/json": {"schema": {"$ref": f"#/components/schemas/{name}"}}}


def _answers(success: int, schema: str, *failures: int) -> dict[str, Json]:
    answers: dict[str, Json] = {str(success): {"description": "The answer.", "content": _json(schema)}}
    return answers | {str(status): {"description": "Refused.", "content": _json("Error")} for status in failures}


ENDPOINTS: dict[str, Json] = {
    "/authentication": {
        "post": {
            "operationId": "logIn",
            "tags": ["authentication"],
            "summary": "Log in, or renew with a token",
            "security": [],
            "requestBody": {"required": True, "content": _json("Login")},
            "responses": _answers(201, "Session", 400, 401, 413, 415, 429),
        },
        "delete": {
            "operationId": "logOut",
            "tags": ["authentication"],
            "summary": "End the login of the token",
            "security": [{"login": []}],
            "responses": _answers(200, "Session", 401),
        },
    },
    "/health": {
        "get": {
            "operationId": "getHealth",
            "tags": ["health"],
            "summary": "Is everything ready that an answer needs?",
            "security": [],
            "responses": _answers(200, "Health")
            | {"503": {"description": "Missing parts.", "content": _json("Health")}},
        }
    },
}
