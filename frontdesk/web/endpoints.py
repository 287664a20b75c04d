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
    "Acceptance": {
        "type": "object",
        "required": ["token"],
        "properties": {
            "token": {"type": "string", "maxLength": 200},
            "first_name": {"type": ["string", "null"], "maxLength": 120},
            "last_name": {"type": ["string", "null"], "maxLength": 120},
            "password": {"type": ["string", "null"], "maxLength": 200},
        },
        "additionalProperties": False,
    },
    "Invitation": {
        "type": "object",
        "required": ["organization", "email", "role", "expires_at", "has_login"],
        "properties": {
            "organization": {
                "type": "object",
                "properties": {"id": {"type": "integer"}, "name": {"type": "string"}},
            },
            "email": {"type": "string"},
            "role": {"type": "string", "enum": ["member", "admin", "owner"]},
            "expires_at": {"type": "string", "format": "date-time"},
            "has_login": {"type": "boolean", "description": "The address has a login with a password."},
            "status": {"type": "string", "enum": ["accepted"]},
            "user_id": {"type": "integer"},
        },
    },
    "ChatRequest": {
        "type": "object",
        "required": ["model", "messages"],
        "properties": {
            "model": {"type": "string", "description": "`default`, or `model-` and the id of an AI model."},
            "messages": {
                "type": "array",
                "minItems": 1,
                "items": {
                    "type": "object",
                    "required": ["role", "content"],
                    "properties": {
                        "role": {"type": "string", "enum": ["system", "developer", "user", "assistant"]},
                        "content": {"description": "A text, or a list of parts of the type `text`."},
                    },
                },
            },
            "stream": {"type": "boolean"},
            "stream_options": {"type": ["object", "null"], "properties": {"include_usage": {"type": "boolean"}}},
            "temperature": {"type": ["number", "null"], "minimum": 0, "maximum": 2},
            "top_p": {"type": ["number", "null"], "minimum": 0, "maximum": 1},
            "max_tokens": {"type": ["integer", "null"], "minimum": 1},
            "max_completion_tokens": {"type": ["integer", "null"], "minimum": 1},
            "response_format": {"type": ["object", "null"], "description": "`text`, `json_object` or `json_schema`."},
        },
        "examples": [{"model": "default", "messages": [{"role": "user", "content": "Good morning"}]}],
    },
    "ChatCompletion": {
        "type": "object",
        "required": ["id", "object", "created", "model", "choices", "usage"],
        "properties": {
            "id": {"type": "string"},
            "object": {"type": "string", "enum": ["chat.completion"]},
            "created": {"type": "integer"},
            "model": {"type": "string"},
            "choices": {"type": "array", "items": {"type": "object"}},
            "usage": {"type": "object", "additionalProperties": {"type": "integer"}},
        },
    },
    "ModelList": {
        "type": "object",
        "required": ["object", "data"],
        "properties": {
            "object": {"type": "string", "enum": ["list"]},
            "data": {"type": "array", "items": {"type": "object", "properties": {"id": {"type": "string"}}}},
        },
    },
    "OpenAIError": {
        "type": "object",
        "required": ["error"],
        "properties": {
            "error": {
                "type": "object",
                "required": ["message", "type", "param", "code"],
                "properties": {
                    "message": {"type": "string"},
                    "type": {"type": "string"},
                    "param": {"type": ["string", "null"]},
                    "code": {"type": ["string", "null"]},
                },
            }
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


def _in_openai_form(schema: str, *failures: int) -> dict[str, Json]:
    answers: dict[str, Json] = {"200": {"description": "The answer.", "content": _json(schema)}}
    return answers | {str(status): {"description": "Refused.", "content": _json("OpenAIError")} for status in failures}


SERVER_SENT_EVENT: Json = {
    "type": "object",
    "properties": {"id": {"type": "string"}, "event": {"type": "string"}, "data": {"type": "string"}},
}


def _query(name: str, description: str, example: Json = None) -> Json:
    schema: dict[str, Json] = {"type": "string"}
    if example is not None:
        schema["examples"] = [example]
    return {"name": name, "in": "query", "description": description, "schema": schema}


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
    "/organizations-users-invites-lookup": {
        "post": {
            "operationId": "lookUpInvitation",
            "tags": ["organizations-users-invites"],
            "summary": "Who invites whom, as what, until when",
            "security": [],
            "requestBody": {"required": True, "content": _json("Acceptance")},
            "responses": _answers(200, "Invitation", 400, 404, 409, 413, 415, 429),
        }
    },
    "/organizations-users-invites-accept": {
        "post": {
            "operationId": "acceptInvitation",
            "tags": ["organizations-users-invites"],
            "summary": "Become a member",
            "description": (
                "A new login gives a name and a password; an existing one its password, or its own bearer token."
            ),
            "security": [{}, {"login": []}],
            "requestBody": {"required": True, "content": _json("Acceptance")},
            "responses": _answers(201, "Invitation", 400, 401, 403, 404, 409, 413, 415, 429),
        }
    },
    "/events": {
        "get": {
            "operationId": "followEvents",
            "tags": ["events"],
            "summary": "What happens, as it happens",
            "description": (
                "Server-sent events, without end unless `seconds` says so. Each has `{id, type, timestamp, "
                "organization_id, data}`; `ready` and `resync` are events of their own. See "
                "docs/how-to/follow-live-events.md."
            ),
            "parameters": [
                _query("names", "Names or patterns, by comma: `contacts.*,conversations.handed_off`.", "contacts.*"),
                _query("after", "The `id` to go on behind; the header Last-Event-ID goes before it."),
                _query("seconds", "End the stream after so long; 0 gives what is there."),
                _query("organization_id", "The organization, for a login that has several."),
            ],
            "responses": {
                "200": {"description": "The stream.", "content": {"text/event-stream": {"schema": SERVER_SENT_EVENT}}},
                **{
                    str(status): {"description": "Refused.", "content": _json("Error")}
                    for status in (400, 401, 403, 429)
                },
            },
        }
    },
    "/v1/chat/completions": {
        "post": {
            "operationId": "completeChat",
            "tags": ["openai"],
            "summary": "An answer of a model, in OpenAI's form",
            "description": (
                "For OpenAI clients: `base_url` is this server's `/v1`, the API key one of Frontdesk's. Streams with "
                "`stream`. Errors have OpenAI's form. See docs/how-to/ask-a-model.md."
            ),
            "requestBody": {"required": True, "content": _json("ChatRequest")},
            "responses": _in_openai_form("ChatCompletion", 400, 401, 403, 404, 413, 415, 422, 429, 503),
        }
    },
    "/v1/models": {
        "get": {
            "operationId": "listModels",
            "tags": ["openai"],
            "summary": "The names of models for `/v1/chat/completions`",
            "responses": _in_openai_form("ModelList", 400, 401, 403, 429),
        }
    },
    "/ai-chat-sessions/{id}/events": {
        "get": {
            "operationId": "followAiChatSession",
            "tags": ["ai-chat-sessions"],
            "summary": "One chat as it happens",
            "description": (
                "Server-sent events, without end unless `seconds` says so: `message` (a row of /ai-chat-messages), "
                "`typing`, `draft`, `draft.withdrawn`, `resync`. See docs/how-to/chat-with-an-internal-assistant.md."
            ),
            "parameters": [
                {"name": "id", "in": "path", "required": True, "schema": {"type": "integer", "minimum": 1}},
                _query("after", "The `position` to go on behind; the header Last-Event-ID goes before it."),
                _query("seconds", "End the stream after so long; 0 gives what is there.", "0"),
                _query("organization_id", "The organization, for a login that has several."),
            ],
            "responses": {
                "200": {"description": "The stream.", "content": {"text/event-stream": {"schema": SERVER_SENT_EVENT}}},
                **{
                    str(status): {"description": "Refused.", "content": _json("Error")}
                    for status in (400, 401, 403, 404, 429)
                },
            },
        }
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
