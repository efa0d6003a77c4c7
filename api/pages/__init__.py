# api/pages/__init__.py
"""The plain pages the gateway serves: GraphiQL, from a locked Python package, so that it works without a network."""

from importlib.util import find_spec
from pathlib import Path
from typing import Final

from msgspec.structs import asdict
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, RedirectResponse, Response
from starlette.routing import Route

from api.answers import json_response

HERE: Final = Path(__file__).parent
PACKAGE: Final = "graphene_django_graphiql_static"
POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
OURS: Final = {"graphiql.js": "text/javascript", "graphiql.css": "text/css"}
PACKAGED: Final = {
    "react.production.min.js": "text/javascript",
    "react-dom.production.min.js": "text/javascript",
    "graphiql.min.js": "text/javascript",
    "graphiql.min.css": "text/css",
}


def _packaged_folder() -> Path:
    # Found, not imported: only its files are of use here.
    spec = find_spec(PACKAGE)
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / "static" / PACKAGE


async def graphiql(_request: Request) -> Response:
    return FileResponse(HERE / "graphiql.html", media_type="text/html", headers={"content-security-policy": POLICY})


async def examples(_request: Request) -> Response:
    from schema.operations import operations  # late: a first answer need not read files that only this page shows

    return json_response([asdict(operation) for operation in operations()], headers={"cache-control": "no-cache"})


async def asset(request: Request) -> Response:
    name = request.path_params["name"]
    if name in OURS:
        return FileResponse(HERE / name, media_type=OURS[name], headers={"cache-control": "no-cache"})
    if name in PACKAGED:
        headers = {"cache-control": "public, max-age=86400"}
        return FileResponse(_packaged_folder() / name, media_type=PACKAGED[name], headers=headers)
    raise HTTPException(404)


async def home(_request: Request) -> Response:
    return RedirectResponse("/graphiql")


ROUTES: Final = [
    Route("/", home),
    Route("/graphiql", graphiql),
    Route("/graphiql/operations.json", examples),
    Route("/graphiql/{name}", asset),
]
