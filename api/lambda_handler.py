# api/lambda_handler.py
"""API Gateway (HTTP API, payload 2.0) -> the gateway."""

from mangum import Mangum

from api.app import app

# With a lifespan, start-up would run on every invocation.
handler = Mangum(app, lifespan="off")
