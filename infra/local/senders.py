# infra/local/senders.py
"""Sending events through the front door, patiently, or by the intake bus."""

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import httpx

from infra.local.clients import client as aws_client
from infra.local.tokens import token
from infra.local.wiring import Wiring

MOST_EVENTS = 100
MOST_BYTES = 4_000_000

_MOST_ENTRIES = 10  # of a PutEvents call
_TRIES = 8
_LONGEST_WAIT = 30.0
_PATIENCE = {429, 502, 503, 504}


class Unreachable(Exception):
    """The gateway did not take a batch, however often it was asked; nothing of it may be taken as sent."""


@dataclass(frozen=True)
class Refused:
    """`number` is its place in what was posted."""

    number: int
    id: str | None
    reasons: tuple[str, ...]


class Gateway:
    """`POST /v1/events` of a shop, as a service. `wait` is for tests."""

    def __init__(
        self,
        url: str,
        shop: str,
        *,
        client: httpx.Client | None = None,
        make_token: Callable[[], str] | None = None,
        wait: Callable[[float], None] = time.sleep,
    ) -> None:
        self._url = url
        self._client = client or httpx.Client(timeout=30)
        self._make_token = make_token or (lambda: token(url, "service", shop))
        self._token: str | None = None
        self._wait = wait

    def post(self, events: Sequence[Any]) -> list[Refused]:
        """Post up to a hundred events and return the refused ones; raises Unreachable.

        What the gateway could not queue just now is posted again, as often as what it did not answer at all.
        """
        refused: list[Refused] = []
        left = list(range(len(events)))
        for attempt in range(_TRIES):
            results, pause = self._try([events[n] for n in left])
            again = []
            for number, result in zip(left, results, strict=True) if results is not None else ():
                match result["status"]:
                    case "refused":
                        refused.append(Refused(number, result.get("eventId"), _reasons(result)))
                    case "retry":
                        again.append(number)
            left = again if results is not None else left
            if not left:
                return sorted(refused, key=lambda one: one.number)
            self._wait(min(pause or 0.25 * 2**attempt, _LONGEST_WAIT))
        raise Unreachable(f"{self._url}/v1/events did not take {len(left)} events after {_TRIES} tries")

    def _try(self, events: Sequence[Any]) -> tuple[list[dict[str, Any]] | None, float | None]:
        """Return the results, or None where there were none and how long the gateway says to wait."""
        self._token = self._token or self._make_token()
        try:
            answer = self._client.post(
                f"{self._url}/v1/events",
                json={"events": list(events)},
                headers={"authorization": f"Bearer {self._token}"},
            )
        except httpx.TransportError:
            return None, None
        after = answer.headers.get("retry-after", "")
        pause = float(after) if after.isdigit() else None
        if (results := _results(answer)) is not None:
            return results, pause
        if answer.status_code in _PATIENCE:
            return None, pause
        if answer.status_code == httpx.codes.UNAUTHORIZED:
            # It has run out meanwhile.
            self._token = None
            return None, None
        return [{"status": "refused", "faults": [_whole(answer)]} for _ in events], None


class Bus:
    """The intake bus, as a source in AWS has it: which refuses only what names no source or type."""

    def __init__(self, endpoint: str) -> None:
        self._events = aws_client("events", endpoint)
        self._name = next(name for name in Wiring.read(endpoint=endpoint).buses if "intake" in name)

    def post(self, events: Sequence[Any]) -> list[Refused]:
        """Put up to a hundred events; raises Unreachable where the bus took one not."""
        named = [
            (isinstance(event, dict) and bool(event.get("source")) and bool(event.get("type"))) for event in events
        ]
        good = [event for event, whole in zip(events, named, strict=True) if whole]
        for start in range(0, len(good), _MOST_ENTRIES):
            entries = [
                {
                    "EventBusName": self._name,
                    "Source": str(event["source"]),
                    "DetailType": str(event["type"]),
                    "Detail": json.dumps(event),
                }
                for event in good[start : start + _MOST_ENTRIES]
            ]
            answer = self._events.put_events(Entries=entries)
            if answer["FailedEntryCount"]:
                codes = sorted({entry["ErrorCode"] for entry in answer["Entries"] if "ErrorCode" in entry})
                raise Unreachable(f"{self._name} did not take {answer['FailedEntryCount']} events: {', '.join(codes)}")
        return [
            Refused(number, None, ("event: an event on the bus needs its source and type",))
            for number, whole in enumerate(named)
            if not whole
        ]


def _results(answer: httpx.Response) -> list[dict[str, Any]] | None:
    """Return one result per event, which there is whenever the events themselves were looked at."""
    try:
        body = answer.json()
    except ValueError:
        return None
    results = body.get("results") if isinstance(body, dict) else None
    return results if isinstance(results, list) else None


def _whole(answer: httpx.Response) -> dict[str, str]:
    return {"message": f"the whole request was refused: {answer.status_code} {answer.text[:300]}"}


def _reasons(result: dict[str, Any]) -> tuple[str, ...]:
    faults = result.get("faults") or [{"message": "no reason given"}]
    return tuple(f"{fault.get('path') or 'event'}: {fault['message']}" for fault in faults)
