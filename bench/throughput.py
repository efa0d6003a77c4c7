# bench/throughput.py
"""Answers a second with the store stubbed, against a hand-written Starlette route that returns the same JSON."""

import asyncio
import json
import statistics
import time
from typing import Any, Final

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bench import shop
from bench.figures import Report
from bench.first_answer import ask
from bench.requests import ONE
from tests.faults import in_process

(THROUGHPUT,) = FIGURES = ("foundation.gateway_throughput",)
ORDERS: Final = 20


def run(report: Report) -> None:
    shop.found()
    numbers = range(7000, 7000 + ORDERS)
    assert all(in_process.ingest(shop.order(number, customer=0)) for number in numbers)
    in_process.let_follow(shop.SHOP, [f"o{number}" for number in numbers])
    customer = shop.customer(0)
    body = json.dumps({"query": ONE, "variables": {"id": shop.global_id(customer)}}).encode()
    asyncio.run(_measure(report, body, shop.staff_token()))


async def _measure(report: Report, body: bytes, token: str) -> None:
    from api.app import app

    status, answer = await ask(app, body, token)
    assert status == 200
    stub_store()
    raw = _raw(answer)
    rounds, answers = (3, 50) if report.quick else (7, 200)
    pairs = [(await _rate(app, body, token, answers), await _rate(raw, body, token, answers)) for _ in range(rounds)]
    ours, theirs = (statistics.median(rates) for rates in zip(*pairs, strict=True))
    print(f"gateway {ours:.0f} answers/s of {len(answer)} bytes, raw Starlette {theirs:.0f} answers/s")
    report.tell(THROUGHPUT, statistics.median(a / b for a, b in pairs), n=rounds * answers)


def _raw(answer: bytes) -> Starlette:
    content = json.loads(answer)

    async def route(request: Request) -> Response:
        json.loads(await request.body())
        return Response(json.dumps(content), media_type="application/json")

    return Starlette(routes=[Route("/graphql", route, methods=["POST"])])


async def _rate(app: Any, body: bytes, token: str, answers: int) -> float:
    started_at = time.perf_counter()
    for _ in range(answers):
        status, _answer = await ask(app, body, token)
        assert status == 200
    return answers / (time.perf_counter() - started_at)


def stub_store() -> None:
    """What the store answered once it answers always: neither it nor botocore's work is what is measured."""
    from crm.kernel.table import client

    store = client()
    call, known = store._make_api_call, dict[str, Any]()  # noqa: SLF001  below it lies only botocore

    def canned(operation: str, parameters: dict[str, Any]) -> Any:
        # Each charge of a budget names its instant; its answers are alike.
        of_budget = parameters.get("Key", {}).get("sk") == {"S": "BUCKET"}
        key = operation + json.dumps({} if of_budget else parameters, sort_keys=True, default=str)
        if key not in known:
            known[key] = call(operation, parameters)
        return known[key]

    store._make_api_call = canned  # noqa: SLF001
