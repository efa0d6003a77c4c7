# bench/throughput.py
"""Answers a second with the store stubbed: the gateway, a hand-written Starlette route and graphql-yoga, all over HTTP,
with the same JSON.

Authentication, limits and the caller's budget are on. Each serves from a process of its own, with the same client and
connections, in turns.
"""

import asyncio
import json
import math
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from shutil import which
from typing import Any, Final

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bench import profile, shop
from bench.figures import Report
from bench.first_answer import ask
from bench.requests import ONE
from tests.faults import in_process
from tests.local_system import ROOT, eventually, free_port

THROUGHPUT, TO_YOGA, FIRST_ORDERED = FIGURES = (
    "gateway.throughput",
    "gateway.throughput_to_yoga",
    "foundation.gateway_throughput",
)
ORDERS: Final = 20
CONNECTIONS: Final = 8
YOGA: Final = ROOT / "tests" / "judges" / "yoga.mjs"


def run(report: Report) -> None:
    shop.found()
    numbers = range(7000, 7000 + ORDERS)
    assert all(in_process.ingest(shop.order(number, customer=0)) for number in numbers)
    in_process.let_follow(shop.SHOP, [f"o{number}" for number in numbers])
    asked = json.dumps({"query": ONE, "variables": {"id": shop.global_id(shop.customer(0))}}).encode()
    with tempfile.TemporaryDirectory(prefix="rapport-bench-") as folder, ExitStack() as servers:
        gateway = servers.enter_context(serving([sys.executable, "-m", "bench.served", "gateway"]))
        request = _request(asked, shop.staff_token())
        answer = Path(folder) / "answer.json"
        answer.write_bytes(asyncio.run(_answers(gateway, request, 1)))
        raw = servers.enter_context(serving([sys.executable, "-m", "bench.served", "raw"], BENCH_ANSWER=str(answer)))
        ports = [gateway, raw]
        if yoga_is_here():
            ports.append(servers.enter_context(serving(["node", str(YOGA)], BENCH_ANSWER=str(answer))))
        else:
            print("graphql-yoga is not compared: it needs Node 20 and the judges' packages")
        _measure(report, ports, request)
    asyncio.run(_profile(asked, shop.staff_token()))


async def _profile(asked: bytes, token: str) -> None:
    from api.app import app

    await ask(app, asked, token)
    with stubbed_store():
        for _ in range(100):
            await ask(app, asked, token)
        spent = await profile.shares(lambda: ask(app, asked, token), answers=300)
    print(f"profile of the gateway's thread, without waiting: {profile.told(spent)}")


def _measure(report: Report, ports: list[int], request: bytes) -> None:
    rounds, answers = (3, 200) if report.quick else (7, 1000)
    for port in ports:
        asyncio.run(_answers(port, request, answers))  # compiled, cached and warm
    taken = [[_rate(port, request, answers) for port in ports] for _ in range(rounds)]
    ours, raw, *yoga = (statistics.median(rates) for rates in zip(*taken, strict=True))
    print(f"gateway {ours:.0f} answers/s, raw Starlette {raw:.0f}, graphql-yoga {yoga[0] if yoga else 0:.0f}")
    to_raw = statistics.median(each[0] / each[1] for each in taken)
    report.tell(THROUGHPUT, to_raw, n=rounds * answers)
    report.tell(FIRST_ORDERED, to_raw, n=rounds * answers)
    to_yoga = statistics.median(each[0] / each[2] for each in taken) if yoga else math.nan
    report.tell(TO_YOGA, to_yoga, n=rounds * answers)


def yoga_is_here() -> bool:
    return which("node") is not None and (YOGA.parent / "node_modules" / "graphql-yoga").is_dir()


@contextmanager
def serving(command: list[str], **environment: str) -> Iterator[int]:
    """A server on a free port, which is the last argument of its command."""
    port = free_port()
    process = subprocess.Popen([*command, str(port)], cwd=ROOT, env={**os.environ, **environment})
    try:
        eventually(lambda: _listens(port), f"{command[-1]} listens")
        yield port
    finally:
        process.terminate()
        process.wait()


def raw_route(content: Any) -> Starlette:
    async def route(request: Request) -> Response:
        json.loads(await request.body())
        return Response(json.dumps(content), media_type="application/json")

    return Starlette(routes=[Route("/graphql", route, methods=["POST"])])


@contextmanager
def stubbed_store() -> Iterator[None]:
    """What the store answered once it answers always: neither it nor botocore's work is what is measured."""
    from crm.kernel.table import client

    store = client()
    call, known = store._make_api_call, dict[str, Any]()  # noqa: SLF001  below it lies only botocore

    def canned(operation: str, parameters: dict[str, Any]) -> Any:
        # Each charge of a budget names its instant; its answers are alike.
        of_budget = parameters.get("Key", {}).get("sk") == {"S": "BUCKET"}
        key = operation if of_budget else f"{operation} {parameters}"
        if key not in known:
            known[key] = call(operation, parameters)
        return known[key]

    store._make_api_call = canned  # noqa: SLF001
    try:
        yield
    finally:
        store._make_api_call = call  # noqa: SLF001


def _rate(port: int, request: bytes, answers: int) -> float:
    started_at = time.perf_counter()
    asyncio.run(_answers(port, request, answers))
    return answers / (time.perf_counter() - started_at)


async def _answers(port: int, request: bytes, number: int) -> bytes:
    """Ask so often, over connections that are kept; returns the last answer."""
    shares = [number // CONNECTIONS + (place < number % CONNECTIONS) for place in range(CONNECTIONS)]
    return max(await asyncio.gather(*(_ask(port, request, share) for share in shares if share)), key=len)


async def _ask(port: int, request: bytes, number: int) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    body = b""
    for _ in range(number):
        writer.write(request)
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        assert head.startswith(b"http/1.1 200"), head
        body = await reader.readexactly(int(head.partition(b"content-length:")[2].partition(b"\r\n")[0]))
        assert b'"errors"' not in body, body
    writer.close()
    return body


def _request(body: bytes, token: str) -> bytes:
    lines = [
        "POST /graphql HTTP/1.1", "host: 127.0.0.1", "content-type: application/json", "accept: application/json",
        f"authorization: Bearer {token}", f"content-length: {len(body)}",
    ]  # fmt: skip
    return "\r\n".join([*lines, "", ""]).encode() + body


def _listens(port: int) -> bool:
    with socket.socket() as tried:
        return tried.connect_ex(("127.0.0.1", port)) == 0
