# tests/local_system.py
"""The whole system as real processes: emulator, gateway and dispatcher, in a folder and on ports of their own."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from infra.local import resources
from infra.local.clients import client
from infra.local.dispatcher.positions import Positions
from infra.local.emulator import Emulator
from infra.local.instance import Instance
from infra.local.template import TEMPLATE
from infra.local.wiring import Wiring
from tests.usual_segments import QUERIES

ROOT = Path(__file__).parents[1]
SENDER = "hello@shop.example.com"
LOOK_AGAIN_SECONDS = 0.1


def eventually(condition: Callable[[], bool], what: str, *, seconds: float = 30) -> float:
    """Wait until it holds; return how many seconds that took."""
    started_at = time.monotonic()
    while not condition():
        assert time.monotonic() < started_at + seconds, f"not within {seconds:.0f} s: {what}"
        time.sleep(LOOK_AGAIN_SECONDS)
    return time.monotonic() - started_at


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class LocalSystem:
    """One Rapport. `template` wires it; `variables` are added to the environment of its processes."""

    def __init__(self, folder: Path, *, template: Path = TEMPLATE, variables: Mapping[str, str] | None = None) -> None:
        self.folder = folder
        self.template = template
        self.variables = dict(variables or {})
        self.emulator = Emulator(folder / "emulator")
        self.instance = Instance(folder, free_port(), "")
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._tokens: dict[tuple[str, str], str] = {}
        self.http = httpx.Client(timeout=30)

    def start(self, *, gateway: bool = True) -> None:
        self.emulator.start()
        self.instance = Instance(self.folder, self.instance.port, self.emulator.endpoint)
        self.connect()
        self.wire(self.template)
        from api.local import make_keys  # the domain reads the environment, which a caller may yet set

        make_keys(self.instance.key, self.instance.jwks)
        if gateway:
            self.start_gateway()
        self.start_dispatcher()

    def connect(self) -> None:
        endpoint = self.emulator.endpoint
        self.sqs, self.s3, self.events = (client(name, endpoint) for name in ("sqs", "s3", "events"))
        self.dynamodb, self.streams = client("dynamodb", endpoint), client("dynamodbstreams", endpoint)

    def wire(self, template: Path) -> None:
        """Make the emulator's resources as this template has them."""
        self.template = template
        self.wiring = Wiring.read(template, endpoint=self.emulator.endpoint)
        resources.create(self.wiring, self.emulator.endpoint)
        resources.verify_sender(client("sesv2", self.emulator.endpoint), SENDER)
        self.environment = self.instance.environment(self.wiring) | self.variables

    def start_gateway(self) -> None:
        self._spawn("gateway", "infra.local.gateway", str(self.instance.port))
        eventually(self._healthy, "the gateway answers", seconds=60)

    def start_dispatcher(self) -> None:
        where = ("--endpoint", self.emulator.endpoint, "--state", str(self.folder / "dispatcher"))
        self._spawn("dispatcher", "infra.local.dispatcher", *where, "--template", str(self.template))

    def end(self, name: str) -> None:
        process = self._processes.pop(name, None)
        if process is not None:
            process.terminate()
            process.wait(60)

    def stop(self) -> None:
        for name in ("gateway", "dispatcher"):
            self.end(name)
        self.http.close()
        self.emulator.stop()

    def found_shop(
        self,
        shop: str,
        *,
        zone: str = "Europe/Vienna",
        currency: str = "EUR",
        sender: str = SENDER,
        segments: Mapping[str, str] = QUERIES,
    ) -> None:
        named = ["--id", shop, "--name", f"Shop {shop}", "--sender", sender]
        place = ["--zone", zone, "--currency", currency, "--locale", "de-AT"]
        command = [sys.executable, "-m", "infra.shops", "create", *named, *place]
        subprocess.run(command, env=self.environment, cwd=ROOT, check=True, capture_output=True)
        said = [text for name, query in segments.items() for text in ("--segment", name, query)]
        if said:
            command = [sys.executable, "-m", "infra.segments", "define", "--shop", shop, *said]
            subprocess.run(command, env=self.environment, cwd=ROOT, check=True, capture_output=True)

    def table(self, logical_id: str) -> str:
        """The name of the table, as functions are told it."""
        return self.environment[{"CrmTable": "CRM_TABLE", "KpiTable": "KPI_TABLE"}[logical_id]]

    def url(self, logical_id: str) -> str:
        return next(queue.url for queue in self.wiring.queues if queue.logical_id == logical_id)

    def token(self, kind: str, shop: str) -> str:
        if (kind, shop) not in self._tokens:
            asked = {"kind": kind, "shop": shop}
            answer = self.http.post(f"{self.instance.url}/_local/token", json=asked).raise_for_status()
            self._tokens[kind, shop] = answer.json()["token"]
        return self._tokens[kind, shop]

    def post(self, *events: dict[str, Any], shop: str, bearer: str | None = None) -> list[dict[str, Any]]:
        """The results of POST /v1/events, as a service unless `bearer` says otherwise."""
        authorization = {"authorization": f"Bearer {bearer or self.token('service', shop)}"}
        answer = self.http.post(f"{self.instance.url}/v1/events", json={"events": list(events)}, headers=authorization)
        results: list[dict[str, Any]] = answer.raise_for_status().json()["results"]
        return results

    def put_on_bus(self, *events: dict[str, Any]) -> None:
        """As a source in AWS would: ten entries a call."""
        bus = next(name for name in self.wiring.buses if "intake" in name)
        entries = [
            {"EventBusName": bus, "Source": event["source"], "DetailType": event["type"], "Detail": json.dumps(event)}
            for event in events
        ]
        for start in range(0, len(entries), 10):
            answer = self.events.put_events(Entries=entries[start : start + 10])
            assert answer["FailedEntryCount"] == 0, answer

    def listen(self, name: str, pattern: Mapping[str, Any]) -> None:
        """Keep what the domain bus is told, as far as it matches, in a queue of that name."""
        url = self.sqs.create_queue(QueueName=name)["QueueUrl"]
        arn = self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        self.events.put_rule(Name=name, EventBusName=self._domain_bus, EventPattern=json.dumps(pattern))
        self.events.put_targets(Rule=name, EventBusName=self._domain_bus, Targets=[{"Id": "queue", "Arn": arn}])

    def heard(self, name: str) -> list[dict[str, Any]]:
        """Whole events that have come since the last time; in any order, and some may have come before."""
        url = self.sqs.get_queue_url(QueueName=name)["QueueUrl"]
        found: list[dict[str, Any]] = []
        while messages := self.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
            found += [json.loads(message["Body"]) for message in messages]
            entries = [{"Id": str(at), "ReceiptHandle": each["ReceiptHandle"]} for at, each in enumerate(messages)]
            self.sqs.delete_message_batch(QueueUrl=url, Entries=entries)
        return found

    def put_again(self, *events: dict[str, Any]) -> None:
        """On the domain bus, as it was told."""
        for event in events:
            names = {"Source": event["source"], "DetailType": event["detail-type"]}
            entry = names | {"EventBusName": self._domain_bus, "Detail": json.dumps(event["detail"])}
            assert self.events.put_events(Entries=[entry])["FailedEntryCount"] == 0

    def send_mail(self, address: str, *, tags: Mapping[str, str]) -> None:
        """By SES, past all of Rapport."""
        (configuration_set,) = self.wiring.configuration_sets
        client("sesv2", self.emulator.endpoint).send_email(
            FromEmailAddress=SENDER,
            Destination={"ToAddresses": [address]},
            Content={"Simple": {"Subject": {"Data": "-"}, "Body": {"Text": {"Data": "-"}}}},
            ConfigurationSetName=configuration_set,
            EmailTags=[{"Name": name, "Value": value} for name, value in tags.items()],
        )

    def told_of(self, event_id: str, *, shop: str) -> dict[str, Any] | None:
        """GET /v1/events/{id}; None while nothing is known of it."""
        authorization = {"authorization": f"Bearer {self.token('service', shop)}"}
        answer = self.http.get(f"{self.instance.url}/v1/events/{event_id}", headers=authorization)
        if answer.status_code == httpx.codes.NOT_FOUND:
            return None
        told: dict[str, Any] = answer.raise_for_status().json()
        return told

    def ask(self, query: str, *, shop: str, token: str | None = None, **variables: Any) -> Any:
        """The data of an answer, to a member of staff unless it is another's `token`, that must have no errors."""
        answer = self.http.post(
            f"{self.instance.url}/graphql",
            json={"query": query, "variables": variables},
            headers={"authorization": f"Bearer {token or self.token('staff', shop)}"},
        )
        body = answer.raise_for_status().json()
        assert "errors" not in body, body["errors"]
        return body["data"]

    def move_clock(self, forward: str | float) -> None:
        self.http.post(f"{self.instance.url}/_local/clock", json={"forward": forward}).raise_for_status()

    def clock_offset(self) -> float:
        path = Path(self.environment["CRM_CLOCK_FILE"])
        return float(path.read_text() or 0) if path.exists() else 0.0

    def waiting(self, url: str) -> int:
        """Messages in a queue, those in hand too."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        attributes = self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
        return sum(int(number) for number in attributes.values())

    def in_queues(self) -> int:
        """Messages in all queues that somebody reads."""
        return sum(self.waiting(source.queue.url) for source in self.wiring.queue_sources)

    def settled(self) -> bool:
        """Nothing waits in a queue or on the stream. Asked twice: what left the one may not have reached the other."""
        return all(self.in_queues() == 0 and self._streams_read() for _ in range(2))

    def dead_letters(self, logical_id: str | None = None) -> list[dict[str, Any]]:
        """The messages of one dead-letter queue, or of all; they stay."""
        queues = [q for q in self.wiring.dead_letter_queues() if logical_id in {None, q.logical_id}]
        return [message for queue in queues for message in self._letters(queue.url)]

    def archived(self, prefix: str = "") -> list[str]:
        """Keys in the archive bucket."""
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.wiring.buckets[0], Prefix=prefix)
        return [entry["Key"] for page in pages for entry in page.get("Contents", [])]

    @property
    def _domain_bus(self) -> str:
        return next(name for name in self.wiring.buses if "intake" not in name)

    def _letters(self, url: str) -> list[dict[str, Any]]:
        found: dict[str, dict[str, Any]] = {}
        while True:
            answer = self.sqs.receive_message(
                QueueUrl=url,
                MaxNumberOfMessages=10,
                VisibilityTimeout=60,
                MessageAttributeNames=["All"],
                MessageSystemAttributeNames=["All"],
            )
            if not answer.get("Messages"):
                break
            found |= {message["MessageId"]: message for message in answer["Messages"]}
        for message in found.values():
            handle = message["ReceiptHandle"]
            self.sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=handle, VisibilityTimeout=0)
        return list(found.values())

    def _streams_read(self) -> bool:
        """Every reader has noted a position behind which the stream has nothing."""
        positions = Positions(self.folder / "dispatcher")
        for source in self.wiring.stream_sources:
            if positions.leftover(source.name, now=time.time()):
                return False
            arn = self.dynamodb.describe_table(TableName=source.table)["Table"]["LatestStreamArn"]
            shard = self.streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"][0]["ShardId"]
            position = positions.read(source.name)
            place = (
                {"ShardIteratorType": "AFTER_SEQUENCE_NUMBER", "SequenceNumber": position}
                if position
                else {"ShardIteratorType": "TRIM_HORIZON"}
            )
            iterator = self.streams.get_shard_iterator(StreamArn=arn, ShardId=shard, **place)["ShardIterator"]
            if self.streams.get_records(ShardIterator=iterator, Limit=1)["Records"]:
                return False
        return True

    def _healthy(self) -> bool:
        assert self._processes["gateway"].poll() is None, f"see {self.folder}/gateway.log"
        try:
            return self.http.get(f"{self.instance.url}/healthz").status_code == httpx.codes.OK
        except httpx.TransportError:
            return False

    def _spawn(self, name: str, module: str, *arguments: str) -> None:
        with (self.folder / f"{name}.log").open("ab") as log:
            self._processes[name] = subprocess.Popen(
                [sys.executable, "-m", module, *arguments],
                env=self.environment,
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )


@contextmanager
def running(folder: Path, **options: Any) -> Iterator[LocalSystem]:
    system = LocalSystem(folder, **options)
    try:
        system.start()
        yield system
    finally:
        system.stop()


def forget_aws() -> None:
    """A process that talks to emulators must not have a profile to fall back to."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
