# tests/attacks.py
"""Attacks on the gateway after the OWASP GraphQL cheat sheet, as a caller with a token would make them.

`DOCUMENTS` ask for too much by what they are; the rest of `attacks` by their variables, their HTTP, or their guesses.
"""

import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlencode

from schema.limits import MOST_OPERATIONS
from schema.node import global_id


def _nested(depth: int) -> str:
    below = "orders { nodes { customer {" * (depth // 3)
    return f"{{ viewer {{ {below} id {'} } }' * (depth // 3)} }} }}"


def _many(template: str, number: int, separator: str = " ") -> str:
    """The template with 0, 1, 2, ... in place of its %."""
    return separator.join(template.replace("%", str(n)) for n in range(number))


BOMB: Final = "{ viewer { ...F0 } } " + " ".join(
    f"fragment F{number} on Customer {{ ...F{number + 1} ...F{number + 1} }}" for number in range(22)
)
DOCUMENTS: Final = {
    "depth": _nested(21),
    "deeper than Python's stack": "{ viewer " * 1400,
    "brackets": "{ nodes(ids: " + "[" * 2900,
    "a value nested deep": "{ nodes(ids: " + "[" * 400 + "]" * 400 + ") { id } }",
    "aliases": f"{{ {_many('a%: shop { id }', 40)} }}",
    "aliases in a fragment": f"{{ ...F }} fragment F on Query {{ {_many('a%: shop { id }', 40)} }}",
    "root fields": "{ " + "shop { id } " * 30 + "}",
    "root fields in a fragment": "{ ...F } fragment F on Query { " + "shop { id } " * 30 + "}",
    "one selection, repeated": "{ shop { " + "id " * 1200 + "} }",
    "__typename, repeated": "{ shop { " + "__typename " * 990 + "} }",
    "directives": "{ shop { id " + "@include(if: true) " * 60 + "} }",
    "directives of variables": "query (" + "$a: Int @x @x @x @x @x @x " * 10 + ") { shop { id } }",
    "directives of a fragment": "{ shop { ...F } } fragment F on Shop " + "@x " * 60 + "{ id }",
    "tokens": "{ shop { " + "id " * 4000 + "} }",
    "fragment bomb": BOMB + " fragment F22 on Customer { id }",
    "fragment bomb of nothing": BOMB,
    "repeats of what overlaps": "{ " + "viewer { orders { nodes { id } } } " * 270 + "}",
    "as many as fields allow": "{ viewer { " + "orders { nodes { id } } " * 160 + "} }",
    "repeats in a fragment that nobody spreads": "{ shop { id } } fragment F on Customer { "
    + "orders { nodes { id } } " * 160
    + "}",
    "repeats in fragments": f"{{ viewer {{ {_many('...F%', 99)} }} }} {_many('fragment F% on Customer { id }', 99)}",
    "repeats in inline fragments": "{ viewer { " + "... on Customer { id } " * 480 + "} }",
    "arguments": "{ node(" + "id: 1 " * 400 + ") { id } }",
    "values in a list": "{ nodes(ids: [" + "1 " * 1400 + "]) { id } }",
    "values in an object": "{ customerByIdentifier(identifier: {" + "email: 1 " * 400 + "}) { id } }",
    "arguments of a directive": "{ shop { id @include(" + "if: true " * 400 + ") } }",
    "values by default": "query ($ids: [ID!]! = [" + "1 " * 1400 + "]) { nodes(ids: $ids) { id } }",
    "variables": f"query ({_many('$a%: Int', 60)}) {{ shop {{ id }} }}",
    "fragments": f"{{ shop {{ id }} }} {_many('fragment F% on Shop { id }', 120)}",
    "a fragment with each size": f"{{ viewer {{ {_many('orders(first: %) { ...F }', 100)} }} }} "
    f"fragment F on OrderConnection {{ {'nodes { id } ' * 300} }}",
    "comments": "{ shop { id } }" + "#\n" * 10_000,
    "a long string": f'{{ node(id: "{"a" * 200_000}") {{ id }} }}',
    "a long name": f"{{ {'a' * 200_000} }}",
}
"""All refused by what is counted (`QUERY_TOO_COMPLEX`), or by the parser."""

CART_LINES: Final = "carts { cartId lines { sku quantity } }"
MOMENT: Final = 'consent(asOf: "2026-03-10T12:00:01.%Z") { consents { state } }'
DEAR: Final = {
    "thirty moments of the past": f"{{ viewer {{ {_many(f'a%: {MOMENT}', 30)} }} }}",
    "the consents, under thirty names": f"{{ viewer {{ {_many('a%: consents { state }', 30)} }} }}",
    "the addresses, under thirty names": f"{{ viewer {{ {_many('a%: addresses { city }', 30)} }} }}",
    "carts and all that is in them": f"{{ viewer {{ {CART_LINES} }} }}",
    "the cart, under thirty names": f"{{ viewer {{ {_many('a%: cart { lines { sku } }', 30)} }} }}",
}
"""What one's own customer may ask for, at a price that is not less than it takes however much there is."""

PAGE = "query ($n: Int, $m: Int) { customers(first: $n) { nodes { orders(first: $m) { nodes { lines { sku } } } } } }"
NODES = "query ($ids: [ID!]!) { nodes(ids: $ids) { id } }"
NODE = "query ($id: ID!) { node(id: $id) { id } }"
INGEST = "mutation ($events: [JSON!]!) { eventsIngest(input: {events: $events}) { userErrors { code } } }"
RENAME = 'mutation { shopUpdate(input: {name: "x"}) { userErrors { code } } }'
JSON: Final = "application/json"


@dataclass(frozen=True)
class Attack:
    """One request. `nonce` makes its document new, so that no plan is known."""

    name: str
    document: str = ""
    variables: Any = None
    more: dict[str, Any] = field(default_factory=dict)
    raw: bytes | None = None
    method: str = "POST"
    query: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    secrets: tuple[str, ...] = ()
    """What the answer may not tell."""

    def body(self, nonce: int) -> bytes:
        if self.raw is not None or self.method != "POST":
            return self.raw or b""
        text = f"# {nonce}\n{self.document}" if self.document else self.document
        return json.dumps({"query": text, "variables": self.variables, **self.more}).encode()


def attacks() -> Iterator[Attack]:
    for name, document in DOCUMENTS.items():
        yield Attack(name, document)
    yield from _of_variables()
    yield from _of_documents_that_do_not_fit()
    yield from _of_http()


def _of_variables() -> Iterator[Attack]:
    yield Attack("a list product through variables", PAGE, {"n": 100, "m": 100})
    yield Attack("carts under thirty names", f"{{ viewer {{ {_many(f'a%: {CART_LINES}', 30)} }} }}")
    yield Attack("sizes beyond any number", PAGE, {"n": 10**30, "m": 10**30})
    yield Attack("sizes below nothing", PAGE, {"n": -1, "m": -(2**31)})
    yield Attack("a size without an end", raw=_raw(PAGE, "n", "9" * 15_000))
    yield Attack("a size beyond all bounds", raw=_raw(PAGE, "n", "1e999"))
    yield Attack("an event of numbers without an end", raw=_raw(INGEST, "events", f"[{{}}, {'9' * 15_000}]"))
    yield Attack("a size that is a list", PAGE, {"n": [1] * 1000, "m": {"a": 1}})
    yield Attack("a flood of nodes", NODES, {"ids": [str(global_id("Customer", f"c{n}")) for n in range(5000)]})
    yield Attack("more nodes than a page has", NODES, {"ids": ["x"] * 101})
    yield Attack("a flood of events", INGEST, {"events": [{}] * 20_000})
    yield Attack("variables nested deep", INGEST, {"events": [_deep(500)]})
    yield Attack("an id that is a key", NODE, {"id": {"$ne": None}})
    yield Attack("nobody's variables", "query ($id: ID!) { node(id: $id) { id } }", {})
    forged = "AAAAAAAAAAAAAAAAZm9yZ2Vk"
    yield Attack(
        "a forged cursor", "query ($after: String) { customers(after: $after) { nodes { id } } }", {"after": forged}
    )
    yield Attack(
        "a cursor of bytes",
        "query ($after: String) { customers(after: $after) { nodes { id } } }",
        {"after": "\x00\ud800"},
    )


def _of_documents_that_do_not_fit() -> Iterator[Attack]:
    yield Attack("a fragment in a circle", "{ viewer { ...F } } fragment F on Customer { ...F }")
    circle = "fragment F on Customer { orders { nodes { customer { ...G } } } } fragment G on Customer { ...F }"
    yield Attack("fragments in a circle", f"{{ viewer {{ ...F }} }} {circle}")
    yield Attack(
        "many operations", _many("query A% { shop { id } }", MOST_OPERATIONS + 1), None, {"operationName": "A0"}
    )
    yield Attack("operations, and none named", "query A { shop { id } } query B { shop { id } }")
    yield Attack("an operation that is not there", "query A { shop { id } }", None, {"operationName": "B"})
    yield Attack("an operation that is a list", "query A { shop { id } }", None, {"operationName": ["A"]})
    yield Attack("introspection", "{ __schema { types { name } } }", secrets=("Customer",))
    yield Attack(
        "introspection of one type", '{ __type(name: "Customer") { fields { name } } }', secrets=("firstName",)
    )
    yield Attack("introspection under an alias", "{ s: __schema { t: types { n: name } } }", secrets=("Customer",))
    yield Attack("introspection in a fragment", "{ ...F } fragment F on Query { __schema { types { name } } }")
    yield Attack("a guessed field", "{ shap { id } }", secrets=("shop",))
    yield Attack("a guessed argument", "{ customers(frist: 1) { nodes { id } } }", secrets=("first",))
    yield Attack("a guessed type", "{ viewer { ... on Custmer { id } } }", secrets=("Customer",))
    yield Attack(
        "a guessed enum value",
        '{ kpi(name: "orders", from: "2026-03-01", to: "2026-03-02", grain: YEER) { name } }',
        secrets=("YEAR",),
    )
    yield Attack(
        "a guessed input field",
        "query ($i: CustomerIdentifierInput!) { customerByIdentifier(identifier: $i) { id } }",
        {"i": {"emial": "x"}},
        secrets=("email",),
    )
    yield Attack("many mistakes", f"{{ shop {{ {_many('x%', 900)} }} }}")
    yield Attack("a number without an end", "{ customers(first: " + "9" * 15_000 + ") { nodes { id } } }")
    endless = f"{{id: {'9' * 15_000}}}"
    yield Attack(
        "a number without an end in JSON",
        f"mutation {{ eventsIngest(input: {{events: [{endless}]}}) {{ results {{ status }} }} }}",
    )
    yield Attack("a number beyond all bounds", "{ customers(first: 1e999) { nodes { id } } }")
    yield Attack("a number in place of a size", "{ customers(first: 2147483648) { nodes { id } } }")
    yield Attack("NUL in a document", "{ shop\x00 { id } }")
    yield Attack("a lone surrogate", raw=b'{"query": "{ shop { id\\ud800 } }"}')
    yield Attack("what looks like letters", "{ \uff53hop { id } }")
    yield Attack("a subscription", "subscription { shop { id } }")
    yield Attack("a type of the attacker's", "type Query { root: String } { shop { id } }")


def _of_http() -> Iterator[Attack]:
    whole = json.dumps({"query": "{ shop { id } }"})
    yield Attack("a batch", raw=f"[{', '.join([whole] * 100)}]".encode())
    yield Attack("an array of nothing", raw=b"[]")
    yield Attack("a mutation by GET", method="GET", query=urlencode({"query": RENAME}))
    yield Attack(
        "a form",
        raw=urlencode({"query": RENAME}).encode(),
        headers={"content-type": "application/x-www-form-urlencoded"},
    )
    yield Attack(
        "a form of parts", raw=b"--x\r\n\r\n--x--", headers={"content-type": "multipart/form-data; boundary=x"}
    )
    yield Attack(
        "a text, as browsers send it unasked",
        raw=json.dumps({"query": RENAME}).encode(),
        headers={"content-type": "text/plain"},
    )
    yield Attack("no content type", raw=json.dumps({"query": RENAME}).encode(), headers={"content-type": ""})
    yield Attack("GraphQL as it is", raw=RENAME.encode(), headers={"content-type": "application/graphql"})
    yield Attack("too large a body", raw=b'{"query": "' + b"a" * 400_000 + b'"}')
    yield Attack("a gzip bomb", raw=gzip.compress(b" " * 50_000_000), headers={"content-encoding": "gzip"})
    yield Attack("JSON nested deep", raw=b"[" * 200_000)
    yield Attack("JSON that is none", raw=b'{"query": NaN}')
    yield Attack("another encoding", raw=json.dumps({"query": RENAME}).encode("utf-16"))
    yield Attack(
        "variables by GET, nested deep", method="GET", query=urlencode({"query": NODE, "variables": "[" * 5000})
    )
    named = {"documentId": f"sha256:{'0' * 64}"}
    yield Attack("another document under a known hash", RENAME, None, named)
    yield Attack("a document that nobody registered", raw=json.dumps(named).encode())
    yield Attack("a hash that is a path", raw=b'{"documentId": "../../schema/operations/manifest.json"}')
    yield Attack("a method of its own", raw=whole.encode(), method="PUT")


def _raw(document: str, variable: str, value: str) -> bytes:
    """What no JSON of Python's says."""
    return json.dumps({"query": document, "variables": {variable: "?"}}).replace('"?"', value).encode()


def _deep(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = {"a": value}
    return value
