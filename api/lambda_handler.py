# api/lambda_handler.py
"""API Gateway (HTTP API, payload 2.0) -> the gateway."""

from mangum import Mangum
from mangum.adapter import DEFAULT_TEXT_MIME_TYPES

from api.app import app
from api.graphql import GRAPHQL_JSON

# With a lifespan, start-up would run on every invocation. What is no known text travels in base64.
handler = Mangum(app, lifespan="off", text_mime_types=[*DEFAULT_TEXT_MIME_TYPES, GRAPHQL_JSON])
