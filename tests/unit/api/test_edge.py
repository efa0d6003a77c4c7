# tests/unit/api/test_edge.py
import asyncio
import threading

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route, Router

from api.edge import STORE_THREADS, Edge
from tests.web import Client

together = threading.Barrier(STORE_THREADS, timeout=10)


def meet() -> str:
    together.wait()
    return threading.current_thread().name


async def many(_request: Request) -> Response:
    names = await asyncio.gather(*(asyncio.to_thread(meet) for _ in range(STORE_THREADS)))
    return PlainTextResponse(" ".join(names))


async def framed(_request: Request) -> Response:
    return PlainTextResponse("", headers={"x-frame-options": "SAMEORIGIN"})


client = Client(Edge(Router([Route("/many", many), Route("/framed", framed)])))


def test_as_many_store_calls_run_at_once_as_there_are_connections() -> None:
    for _ in range(2):  # each event loop gets its threads at its first request
        names = client.get("/many").text.split()
        assert len(set(names)) == STORE_THREADS
        assert all(name.startswith("store") for name in names)


def test_an_answer_may_say_otherwise_than_the_usual_headers() -> None:
    headers = client.get("/framed").headers
    assert headers.get_list("x-frame-options") == ["SAMEORIGIN"]
    assert headers["referrer-policy"] == "no-referrer"
