# bench/attacks.py
"""Attacks on the gateway (tests/attacks.py): all refused before anything that they ask for is asked of the store, and
sooner than what front ends ask for is answered, which all passes under the same limits.
"""

import asyncio
import gc
import json
import statistics
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from bench import bulk, shop
from bench.figures import Report
from bench.requests import counting
from bench.throughput import stubbed_store
from tests.attacks import Attack, attacks
from tests.faults import in_process

NOT_REFUSED, SLOWEST, LEGITIMATE = FIGURES = (
    "gateway.attacks_not_refused",
    "gateway.slowest_refusal",
    "gateway.legitimate_refused",
)
ORDERS: Final = 20
OF_THE_GATEWAY: Final = {"UpdateItem BUCKET": 2, "GetItem DOCUMENT": 1}
"""What it asks the store for itself, at most, whatever is asked of it: what an attack has cost its caller (one write,
two where the bucket's state is not known), and what a hash that nobody knows means.
"""


@dataclass(frozen=True)
class Example:
    """One of the operations that front ends begin with."""

    name: str
    token: str
    text: str
    variables: dict[str, Any]

    def body(self, nonce: int) -> bytes:
        return json.dumps({"query": f"# {nonce}\n{self.text}", "variables": self.variables}).encode()


def run(report: Report) -> None:
    shop.found()
    numbers = range(8000, 8000 + ORDERS)
    assert all(in_process.ingest(shop.order(number, customer=0)) for number in numbers)
    in_process.let_follow(shop.SHOP, [f"o{number}" for number in numbers])
    asyncio.run(_measure(report, _examples(f"o{numbers[0]}")))


async def _measure(report: Report, examples: list[Example]) -> None:
    from api.app import app

    refused = []
    for example in examples:
        status, answer = await _send(app, example.body(0), example.token)
        if status != 200 or "errors" in answer or _user_errors(answer["data"]):
            refused.append((example.name, answer))
    print(f"example operations refused: {refused}")
    report.tell(LEGITIMATE, len(refused), n=len(examples))
    attacker = _token("staff", scopes=_all_scopes() - {"schema:read"})
    made = list(attacks())
    passed, charged = [], []
    for attack in made:
        with counting() as asked:
            status, answer = await _attack(app, attack, attacker, 0)
        told = [secret for secret in attack.secrets if secret in json.dumps(answer)]
        reached = {name: number for name, number in asked.items() if number > OF_THE_GATEWAY.get(name, 0)}
        if not _is_refusal(answer) or reached or status >= 500 or told:
            passed.append((attack.name, status, dict(asked), told, str(answer)[:200]))
        elif asked:
            charged.append((attack.name, dict(asked)))
    print(f"attacks not refused: {passed}; refused after requests of the gateway's own: {charged}")
    report.tell(NOT_REFUSED, len(passed), n=len(made))
    if report.wants(SLOWEST):
        await _tell_slowest(report, app, examples, made, attacker)


async def _tell_slowest(report: Report, app: Any, examples: list[Example], made: list[Attack], attacker: str) -> None:
    """All with documents that are new to the gateway; what the store answers is canned, and takes no time."""
    queries = [example for example in examples if "\nmutation" not in example.text]
    for example in queries:
        await _send(app, example.body(0), example.token)
    with stubbed_store():
        medians = await _medians(report, app, queries, made, attacker)
    largest = max((name for name in medians if name.startswith("operation ")), key=medians.__getitem__)
    slowest = sorted((attack.name for attack in made), key=medians.__getitem__, reverse=True)
    told = ", ".join(f"{name} {medians[name] * 1000:.1f} ms" for name in slowest[:5])
    print(f"{largest}: {medians[largest] * 1000:.1f} ms; slowest refusals: {told}")
    report.tell(SLOWEST, medians[slowest[0]] / medians[largest], n=_rounds(report) * len(made))


def _rounds(report: Report) -> int:
    return 5 if report.quick else 15


async def _medians(
    report: Report, app: Any, queries: list[Example], made: list[Attack], attacker: str
) -> dict[str, float]:
    """Garbage is collected between the rounds: what a collection takes (100 ms, with all these plans kept) would be
    told of the document that it happens to fall on, which is the same one each round.
    """
    nonces = iter(range(1, 10**9))

    async def took(send: Any) -> float:
        started_at = time.perf_counter()
        await send
        return time.perf_counter() - started_at

    for example in queries:
        await _send(app, example.body(next(nonces)), example.token)  # now canned
    times: dict[str, list[float]] = {}
    for _ in range(_rounds(report)):
        gc.collect()
        gc.disable()
        for example in queries:
            sent = _send(app, example.body(next(nonces)), example.token)
            times.setdefault(f"operation {example.name}", []).append(await took(sent))
        for attack in made:
            times.setdefault(attack.name, []).append(await took(_attack(app, attack, attacker, next(nonces))))
        gc.enable()
    return {name: statistics.median(taken) for name, taken in times.items()}


def _is_refusal(answer: Any) -> bool:
    """Whether nothing was answered but errors."""
    data = answer.get("data") if isinstance(answer, dict) else None
    return "errors" in answer and not any(value is not None for value in (data or {}).values())


def _user_errors(data: Any) -> list[Any]:
    return [
        error for value in (data or {}).values() if isinstance(value, dict) for error in value.get("userErrors", ())
    ]


async def _attack(app: Any, attack: Attack, token: str, nonce: int) -> tuple[int, Any]:
    return await _send(app, attack.body(nonce), token, attack.method, attack.query, attack.headers)


async def _send(
    app: Any, body: bytes, token: str, method: str = "POST", query: str = "", more: dict[str, str] | None = None
) -> tuple[int, Any]:
    """To /graphql, without a socket."""
    headers = {"content-type": "application/json", "authorization": f"Bearer {token}"} | (more or {})
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": "/graphql",
        "raw_path": b"/graphql",
        "query_string": query.encode(),
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
    }
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    await app(scope, receive, send)
    return int(sent[0]["status"]), json.loads(b"".join(message.get("body", b"") for message in sent[1:]))


def _examples(order_id: str) -> list[Example]:
    from schema.node import global_id
    from schema.operations import operations
    from tests.operations import filled, meaning

    customer = shop.customer(0)
    words = meaning(
        customer=shop.global_id(customer),
        order=str(global_id("Order", order_id)),
        email="c0@bench.example.com",
        shop=shop.SHOP,
        now=datetime.now(UTC),
        moved=str(global_id("Operation", bulk.uploaded(shop.SHOP, "legitimate", "email\nann@example.com\n"))),
    )
    tokens = {
        "apps": _token("customer", customer_id=customer.customer_id),
        "visitors": _token_of_visitor(),
        "staff": _token("staff"),
    }
    return [
        Example(operation.name, tokens[operation.audience], operation.text, filled(operation, words))
        for operation in operations()
    ]


def _token(kind: str, **more: Any) -> str:
    from api.local import sign
    from crm.kernel.settings import settings
    from schema.principal import Kind

    return sign(Kind(kind), shop.SHOP, key=Path(settings().require("crm_local_key")).read_text(), **more)


def _token_of_visitor() -> str:
    from api.visitor_tokens import VisitorTokens
    from crm.kernel.ids import new_id
    from crm.kernel.settings import settings
    from schema.principal import VISITOR_ID

    issued, _ = VisitorTokens(settings().require("visitor_secret")).issue(
        shop.SHOP, new_id(VISITOR_ID, now=datetime.now(UTC))
    )
    return issued


def _all_scopes() -> frozenset[str]:
    from schema.principal import SCOPES

    return SCOPES
