# api/app.py
"""The gateway's ASGI application: `uvicorn api.app:app` locally, Mangum on Lambda."""

from api.startup import begun  # noqa: F401  before all else

# isort: split
from typing import Final

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from api import pages, startup
from api.answers import BadRequest, error_response, request_id
from api.authentication import Authenticator, Issuer
from api.documents import Documents
from api.edge import Edge, Masking
from api.events import EventsEndpoint
from api.graphql import GraphQLEndpoint
from api.health import healthz
from api.visitor_tokens import VisitorTokens
from api.visitors import VisitorsEndpoint
from crm.kernel import correlation
from crm.kernel.settings import Settings, settings
from crm.kernel.table import client
from schema.budget import Budgets
from schema.execution import Execution
from schema.schema import schema

OTHER_METHODS: Final = ["HEAD", "PUT", "PATCH", "DELETE", "OPTIONS"]
LOOPBACK: Final = r"http://(localhost|127\.0\.0\.1)(:\d{1,5})?"
"""Where a front end is developed: of any port, on a laptop's gateway only."""

CODES: Final = {404: "NOT_FOUND", 405: "METHOD_NOT_ALLOWED"}


def create_app(configured: Settings | None = None, *, authenticator: Authenticator | None = None) -> Starlette:
    """Raises RuntimeError where the environment says nothing of the token issuer, or nonsense of budgets."""
    configured = configured or settings()
    visitors = VisitorTokens(configured.require("visitor_secret"))
    authenticator = authenticator or Authenticator(Issuer.of(configured), visitors=visitors)
    budgets = Budgets.of(configured.point_budgets)
    events = EventsEndpoint(authenticator, budgets)
    documents = Documents(trusted_only=configured.persisted_only == "1", budgets=budgets)
    graphql = GraphQLEndpoint(Execution(schema.core, budgets), authenticator, documents)
    routes = [
        Route("/graphql", graphql.answer, methods=["GET", "POST"]),
        Route("/graphql", graphql.refuse_method, methods=OTHER_METHODS),
        Route("/v1/events", events.accept, methods=["POST"]),
        Route("/v1/visitors", VisitorsEndpoint(visitors).issue, methods=["POST"]),
        Route("/v1/events/{event_id:path}", events.status, methods=["GET"]),  # an id may hold a slash
        Route("/healthz", healthz),
        *pages.ROUTES,
    ]
    if configured.crm_local == "1":
        from api import local  # late: nobody else needs the making of keys

        routes += local.ROUTES
    cors = Middleware(
        CORSMiddleware,
        allow_origins=[origin.strip() for origin in configured.cors_origins.split(",") if origin.strip()],
        allow_origin_regex=LOOPBACK if configured.crm_local == "1" else None,
        allow_methods=["GET", "POST"],
        allow_headers=["authorization", "content-type", "x-request-id"],
        expose_headers=["date", "retry-after", "x-request-id"],
        max_age=86400,
    )
    middleware = [Middleware(Edge), cors, Middleware(Masking)]
    return Starlette(routes=routes, middleware=middleware, exception_handlers={HTTPException: _http_error})


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    refusal = BadRequest(
        error.status_code,
        CODES.get(error.status_code, "BAD_REQUEST"),
        str(error.detail),
        headers=dict(error.headers or {}),
    )
    return error_response(refusal, request_id(request))


correlation.mark_logs()
client()  # the one DynamoDB client is made with the process, not with its first request (80 ms)
app = create_app()
startup.end()
