# infra/local/dead_letters.py
"""`make dlq` and `make redrive ID=… | REASON=…`: infra.dead_letters against the running local instance."""

import os
import sys
from collections.abc import Sequence
from typing import Any

from infra import dead_letters
from infra.local.clients import client
from infra.local.declarations import Function
from infra.local.dispatcher.batches import failed_items
from infra.local.dispatcher.container import Container, InvocationFailed, environment, forkserver
from infra.local.instance import Instance, NotRunning
from infra.local.wiring import Wiring

USAGE = "Say which: make redrive ID=<id of the message, or of the event in it>, or make redrive REASON=<code or text>."


def main(arguments: Sequence[str] | None = None) -> int:
    given = sys.argv[1:] if arguments is None else list(arguments)
    if given[:1] == ["redrive"] and ("--id" in given) == ("--reason" in given):
        print(USAGE, file=sys.stderr)
        return 2
    try:
        instance = Instance.running()
    except NotRunning as error:
        print(error, file=sys.stderr)
        return 1
    endpoint = instance.endpoint
    os.environ.update(instance.environment(Wiring.read(endpoint=endpoint)))
    return dead_letters.run(
        given, sqs=client("sqs", endpoint), s3=client("s3", endpoint), invoke=Invoker(endpoint).invoke
    )


class Invoker:
    """Hands a stream's dead letters to their function, in a container of its own: locally nothing else could."""

    def __init__(self, endpoint: str) -> None:
        self._endpoint = endpoint

    def invoke(self, whose: str, records: list[dict[str, Any]]) -> bool:
        function = self._function(whose)
        if function is None:
            return False
        container = Container(function, environment(function, endpoint=self._endpoint), forkserver())
        try:
            answer = container.invoke({"Records": records})
        except InvocationFailed as failure:
            print(failure, file=sys.stderr)
            return False
        finally:
            container.stop()
        return not failed_items(answer, [str(record["dynamodb"]["SequenceNumber"]) for record in records])

    def _function(self, whose: str) -> Function | None:
        """By its ARN, or by the address of its dead letters."""
        named = whose.partition(":function:")[2].partition(":")[0]
        letters = f"/{whose.rsplit('/', 1)[-1]}"
        for function in Wiring.read(endpoint=self._endpoint).functions:
            if function.name == named if named else function.environment.get("DEAD_LETTERS_URL", "").endswith(letters):
                return function
        return None


if __name__ == "__main__":
    sys.exit(main())
