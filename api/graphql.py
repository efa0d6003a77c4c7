# api/graphql.py
"""GraphQL over HTTP: POST, and GET for queries."""

import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from api.answers import JSON, BadRequest, decoded, error_response, holds_half, json_response, read_json, request_id
from api.authentication import FIRST_COOL_DOWN, Authenticator, KeysUnavailable, Unauthenticated
from api.documents import Documents, hash_named
from crm.kernel import clock
from schema.execution import Execution, GraphQLRequest
from schema.principal import Principal

GRAPHQL_JSON: Final = "application/graphql-response+json"
MOST_BYTES: Final = 256 * 1024
OF_GET: Final = ("query", "operationName", "documentId")
OF_THE_DOCUMENT: Final = frozenset({"PERSISTED_QUERY_NOT_FOUND", "PERSISTED_QUERY_NOT_SUPPORTED"})
WEIGHT = re.compile(r"(?:^|;)\s*q\s*=\s*([01](?:\.\d*)?)\s*(?:;|$)", re.IGNORECASE)


class Asked(Struct, frozen=True):
    """A request that names its document by text, by hash, or by both."""

    query: str | None
    sha256: str | None
    operation_name: str | None
    variables: Mapping[str, Any]


class GraphQLEndpoint:
    def __init__(self, execution: Execution, authenticator: Authenticator, documents: Documents) -> None:
        self._execution = execution
        self._authenticator = authenticator
        self._documents = documents

    async def answer(self, request: Request) -> Response:
        if request.method == "GET" and not request.query_params and "text/html" in request.headers.get("accept", ""):
            return RedirectResponse("/graphiql")
        asked_id = request_id(request)
        media_type = JSON
        try:
            media_type = accepted(request.headers.get("accept"))
            principal = await authenticated(self._authenticator, request)
            asked = await _asked(request)
            now = clock.now()
            query = await self._documents.text(asked.sha256, asked.query, principal, now=now)
        except BadRequest as error:
            if error.code in OF_THE_DOCUMENT and media_type == JSON:
                error.status = 200  # as below
            return error_response(error, asked_id, media_type=media_type)
        answer = await self._execution.answer(
            GraphQLRequest(query, asked.operation_name, asked.variables),
            principal,
            now=now,
            request_id=asked_id,
            queries_only=request.method != "POST",
        )
        if asked.sha256 is not None and asked.query is not None and not answer.refused:
            await self._documents.register(asked.sha256, asked.query, principal, now=now)
        status = answer.status
        if status == HTTPStatus.BAD_REQUEST and media_type == JSON:
            status = 200  # as the specification has it for clients that know plain JSON only
        headers = {"x-request-id": asked_id}
        if status == HTTPStatus.METHOD_NOT_ALLOWED:
            headers["allow"] = "POST"
        if status == HTTPStatus.TOO_MANY_REQUESTS:
            headers["retry-after"] = str(answer.body["errors"][0]["extensions"]["retryAfter"])
        return json_response(answer.body, status, media_type=media_type, headers=headers)

    async def refuse_method(self, request: Request) -> Response:
        refusal = BadRequest(405, "METHOD_NOT_ALLOWED", "Use POST or GET.", headers={"allow": "GET, POST"})
        return error_response(refusal, request_id(request))


async def authenticated(authenticator: Authenticator, request: Request) -> Principal:
    """Raises BadRequest: 401, or 503 while nobody's token can be checked."""
    try:
        return await authenticator.principal(request.headers.get("authorization"))
    except KeysUnavailable as error:
        raise BadRequest(
            503, "KEYS_UNAVAILABLE", str(error), headers={"retry-after": str(int(FIRST_COOL_DOWN))}
        ) from error
    except Unauthenticated as error:
        said = str(error).rstrip(".")
        message = f"{said[:1].upper()}{said[1:]}."
        raise BadRequest(401, "UNAUTHENTICATED", message, headers={"www-authenticate": "Bearer"}) from error


def accepted(accept: str | None) -> str:
    """The media type to answer in: of those the client takes the one it gives most weight, of equals the one it names
    first. What it says of a type itself goes before what it says of a group. Raises BadRequest (406).
    """
    if not accept:
        return JSON
    said: dict[str, tuple[float, int]] = {}
    for place, entry in enumerate(accept.split(",")):
        name, _, parameters = entry.partition(";")
        weight = WEIGHT.search(parameters)
        said.setdefault(name.strip().lower(), (float(weight[1]) if weight else 1.0, -place))
    liking = {}
    for media_type in (JSON, GRAPHQL_JSON):
        group = next((each for each in (media_type, "application/*", "*/*") if each in said), None)
        if group is not None and said[group][0] > 0:
            liking[media_type] = said[group]
    if not liking:
        raise BadRequest(406, "NOT_ACCEPTABLE", f"Answers come as {GRAPHQL_JSON} or {JSON}.")
    return max(liking, key=lambda media_type: liking[media_type])


async def _asked(request: Request) -> Asked:
    if request.method == "POST":
        body = await read_json(request, most_bytes=MOST_BYTES, judged=True)
        if isinstance(body, dict) and holds_half({name: said for name, said in body.items() if name != "variables"}):
            raise BadRequest(400, "BAD_REQUEST", "Half a character (a lone surrogate) may stand in no document.")
    else:
        body = {name: request.query_params[name] for name in OF_GET if name in request.query_params}
        for name in ("variables", "extensions"):
            if request.query_params.get(name):
                body[name] = decoded(request.query_params[name].encode(), name, judged=name == "variables")
    return _checked(body)


def _checked(body: Any) -> Asked:
    if not isinstance(body, dict):
        raise BadRequest(400, "BAD_REQUEST", "The body must be one JSON object; batches are not taken.")
    query = body.get("query")
    operation_name = body.get("operationName")
    variables = body.get("variables")
    extensions = body.get("extensions")
    if query is not None and (not isinstance(query, str) or not query):
        raise BadRequest(400, "BAD_REQUEST", "query must be a non-empty string.")
    if operation_name is not None and not isinstance(operation_name, str):
        raise BadRequest(400, "BAD_REQUEST", "operationName must be a string.")
    if variables is not None and not isinstance(variables, Mapping):
        raise BadRequest(400, "BAD_REQUEST", "variables must be an object.")
    if extensions is not None and not isinstance(extensions, Mapping):
        raise BadRequest(400, "BAD_REQUEST", "extensions must be an object.")
    return Asked(query, hash_named(body), operation_name or None, variables or {})
