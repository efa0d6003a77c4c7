# tests/contract/test_layers.py
"""Small lints that remember what went wrong elsewhere. import-linter (pyproject.toml) holds who may import whom."""

import ast
import re
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.contract.stack import ROOT

SERVED = ("crm", "schema", "api", "functions")
EVERYTHING = (*SERVED, "infra", "tests", "bench")
LONGEST_FILE = 500
VAGUE_NAMES = {"utils", "util", "helpers", "helper", "common", "manager", "managers", "misc"}

# Isolation boundaries: where one failure must not take its neighbours with it. Path, then why.
MAY_CATCH_EVERYTHING: dict[str, str] = {
    "api/edge.py": "one request's failure is answered and reported without its words; the servers would log them",
    "crm/bulk/loading.py": "one row that cannot be taken in, however often, must not hold up its file; it is told of",
    "crm/bulk/members.py": "customers who cannot be put in, however often, must not hold up their file; it is told",
    "crm/kernel/side_by_side.py": "one customer for whom something cannot be done must not hold up others; told of",
    "crm/kernel/stream.py": "one record that cannot be read must not hold up its shard; it is dead-lettered whole",
    "schema/executor.py": "one field's failure is located and reported, as the GraphQL specification asks",
    "infra/local/dispatcher/worker.py": "what a handler raises is its answer; the container lives on, as on Lambda",
    "tests/swift_moto.py": "what a transaction raises undoes it, and is raised again",
}

MAY_ASK_THE_TIME: dict[str, str] = {
    "crm/kernel/clock.py": "the one place",
    "api/local.py": "a local token ages by the real clock, which is what the library that verifies it goes by",
}

# Where DynamoDB is called besides crm/kernel and each area's repository.
MAY_CALL_DYNAMODB: dict[str, str] = {
    "crm/customers/snapshot.py": "the snapshot is a read by key prefix that every area shares (DESIGN, section 2)",
}

MONEY = ("crm/kernel/money.py", "crm/kernel/currencies.py", "crm/orders/", "crm/loyalty/", "crm/kpis/")

Lint = Callable[[str, ast.Module], Iterator[str]]


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def files(*rooms: str) -> list[Path]:
    found = (path for room in rooms for path in (ROOT / room).rglob("*.py"))
    return sorted(path for path in found if "node_modules" not in path.parts)


def findings(lint: Lint, *rooms: str) -> list[str]:
    return [
        f"{name}:{finding}"
        for path in files(*rooms)
        for name in [str(path.relative_to(ROOT))]
        for finding in lint(name, tree(path))
    ]


def dotted(node: ast.expr) -> str:
    """`datetime.now` for the expression datetime.now; an inner call is shown as ()."""
    match node:
        case ast.Name(id=name):
            return name
        case ast.Attribute(value=value, attr=attribute):
            return f"{dotted(value)}.{attribute}"
        case ast.Call(func=function):
            return f"{dotted(function)}()"
    return ""


def calls(module: ast.Module) -> Iterator[tuple[int, str]]:
    for node in ast.walk(module):
        if isinstance(node, ast.Call):
            yield node.lineno, dotted(node.func)


def asks_the_time(name: str, module: ast.Module) -> Iterator[str]:
    """Time is an input: what asks for it itself cannot be replayed, moved forward or tested."""
    asking = ("datetime.now", "datetime.utcnow", "datetime.today", "date.today", "time.time", "time.time_ns")
    if name not in MAY_ASK_THE_TIME:
        for line, called in calls(module):
            if called.endswith(asking) and called.rpartition(asking[0])[0][-1:] in {"", "."}:
                yield f"{line} {called}"


def scans(name: str, module: ast.Module) -> Iterator[str]:
    """A scan reads every shop's every record, and is paid for by record."""
    for line, called in calls(module):
        if called.rpartition(".")[2] in {"scan", "rate_limited_scan", "parallel_scan"} and "." in called:
            yield f"{line} {called}"


def uses_floats(name: str, module: ast.Module) -> Iterator[str]:
    """Ten times 0.1 is not 1: money is integer minor units or Decimal."""
    if not name.startswith(MONEY):
        return
    for node in ast.walk(module):
        if isinstance(node, ast.Name) and node.id == "float":
            yield f"{node.lineno} float"
        if isinstance(node, ast.Constant) and isinstance(node.value, float):
            yield f"{node.lineno} {node.value}"


def catches_everything(name: str, module: ast.Module) -> Iterator[str]:
    for node in ast.walk(module):
        if isinstance(node, ast.ExceptHandler):
            caught = [node.type] if not isinstance(node.type, ast.Tuple) else node.type.elts
            if any(one is None or dotted(one) in {"Exception", "BaseException"} for one in caught):
                yield f"{node.lineno} catches everything"


DYNAMODB_CALLS = {
    *("get_item", "put_item", "update_item", "delete_item", "batch_get_item", "batch_write_item"),
    *("transact_write_items", "transact_get_items", "batch_get", "batch_write", "execute_statement"),
}
MODEL_READS = {"get", "query", "count"}
MODEL = re.compile("[A-Z][A-Za-z]*[a-z][A-Za-z]*")  # not a CONSTANT, which is likely a dictionary


def calls_dynamodb(name: str, module: ast.Module) -> Iterator[str]:
    """Every call of an area stands in its repository, named for its access pattern, where it can be counted."""
    if name.startswith("crm/kernel/") or Path(name).name == "repository.py" or "/repository/" in name:
        return
    for line, called in calls(module):
        owner, _, verb = called.rpartition(".")
        of_model = MODEL.fullmatch(owner.split(".")[0]) is not None and verb in MODEL_READS
        of_client = owner in {"client()", "connection()", "table.client()", "table.connection()"}
        by_kernel = called in {"batch_reads.read", "TransactWrite", "TransactGet"} or called.startswith("boto3.")
        if verb in DYNAMODB_CALLS or of_model or of_client or by_kernel or (verb == "save" and owner):
            yield f"{line} {called}"
    for node in ast.walk(module):
        if isinstance(node, ast.Import | ast.ImportFrom):
            imported = node.module if isinstance(node, ast.ImportFrom) else node.names[0].name
            if (imported or "").split(".")[0] == "boto3":
                yield f"{node.lineno} imports boto3"


def starts_a_loop(name: str, module: ast.Module) -> Iterator[str]:
    """Mangum keeps one event loop per process; a second one closes the pools of the first."""
    for line, called in calls(module):
        if called == "asyncio.run":
            yield f"{line} {called}"


@pytest.mark.parametrize(
    ("lint", "name", "source"),
    [
        (asks_the_time, "crm/orders/service.py", "from datetime import datetime\ndatetime.now()"),
        (asks_the_time, "crm/orders/service.py", "import datetime\ndatetime.datetime.utcnow()"),
        (asks_the_time, "api/limits.py", "import time\ntime.time()"),
        (asks_the_time, "api/limits.py", "date.today()"),
        (scans, "crm/orders/repository.py", "Order.scan()"),
        (scans, "api/app.py", "client().scan(TableName='crm')"),
        (uses_floats, "crm/orders/totals.py", "gross = 1.5"),
        (uses_floats, "crm/loyalty/ledger/movements.py", "points = float(net)"),
        (catches_everything, "api/app.py", "try:\n    go()\nexcept Exception:\n    pass"),
        (catches_everything, "api/app.py", "try:\n    go()\nexcept (ValueError, Exception):\n    pass"),
        (catches_everything, "api/app.py", "try:\n    go()\nexcept:\n    pass"),
        (calls_dynamodb, "crm/orders/service.py", "Order.get(pk, sk)"),
        (calls_dynamodb, "schema/loaders.py", "Order.timeline.query(pk)"),
        (calls_dynamodb, "crm/orders/service.py", "client().get_item(Key={})"),
        (calls_dynamodb, "crm/orders/service.py", "client().query(**query)"),
        (calls_dynamodb, "schema/loaders.py", "batch_reads.read('crm', keys)"),
        (calls_dynamodb, "functions/kpis/roll_up.py", "order.save()"),
        (calls_dynamodb, "api/app.py", "import boto3"),
        (starts_a_loop, "api/app.py", "asyncio.run(main())"),
    ],
)
def test_a_lint_finds_what_it_is_for(lint: Lint, name: str, source: str) -> None:
    assert list(lint(name, ast.parse(source)))


@pytest.mark.parametrize(
    ("lint", "source"),
    [
        (asks_the_time, "clock.now()\nrelease_date.today_text()\ntime.monotonic()\nprime_time.timed()"),
        (scans, "scan(text)"),
        (uses_floats, "share = Decimal('0.5')"),
        (catches_everything, "try:\n    go()\nexcept ValueError:\n    pass"),
        (
            calls_dynamodb,
            "event.get('detail')\nsqs_client().send_message()\nrepository.get_order(shop)\nCODES.get(1)\nOrder.sk.exists()",
        ),
    ],
)
def test_a_lint_leaves_alone_what_is_fine(lint: Lint, source: str) -> None:
    assert list(lint("crm/orders/service.py", ast.parse(source))) == []


@pytest.mark.parametrize("path", files(*EVERYTHING), ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_begins_with_its_path_and_can_be_read_in_one_sitting(path: Path) -> None:
    text = path.read_text()
    if text.strip():
        assert text.splitlines()[0] == f"# {path.relative_to(ROOT)}"
    assert len(text.splitlines()) <= LONGEST_FILE


def test_a_module_is_named_for_what_it_holds() -> None:
    vague = [
        str(path.relative_to(ROOT))
        for path in files(*EVERYTHING)
        if VAGUE_NAMES.intersection(path.relative_to(ROOT).with_suffix("").parts)
        or path.stem.endswith(("_utils", "_helpers", "_manager"))
    ]
    assert vague == []


def test_only_the_clock_asks_what_time_it_is() -> None:
    assert findings(asks_the_time, *SERVED) == []


def test_nothing_that_is_served_scans() -> None:
    assert findings(scans, *SERVED) == []


def test_money_is_never_a_float() -> None:
    assert findings(uses_floats, "crm") == []


def test_only_isolation_boundaries_catch_everything() -> None:
    found = {finding.split(":")[0] for finding in findings(catches_everything, *EVERYTHING)}
    assert found == set(MAY_CATCH_EVERYTHING)


def test_only_repositories_and_the_kernel_call_dynamodb() -> None:
    found = findings(calls_dynamodb, *SERVED)
    assert [finding for finding in found if finding.split(":")[0] not in MAY_CALL_DYNAMODB] == []
    assert {finding.split(":")[0] for finding in found} == set(MAY_CALL_DYNAMODB)


def test_nothing_that_is_served_starts_an_event_loop_of_its_own() -> None:
    assert findings(starts_a_loop, *SERVED) == []
