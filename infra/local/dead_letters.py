# infra/local/dead_letters.py
"""`make dlq` and `make redrive ID=… | REASON=…`: infra.dead_letters against the running local instance."""

import os
import sys
from collections.abc import Sequence
from typing import Any

from infra import dead_letters
from infra.local.clients import client
from infra.local.dispatcher.batches import failed_items
from infra.local.dispatcher.container import Container, InvocationFailed, environment, forkserver
from infra.local.instance import Instance, NotRunning
from infra.local.wiring import Wiring


def main(arguments: Sequence[str] | None = None) -> int:
    try:
        instance = Instance.running()
    except NotRunning as error:
        print(error, file=sys.stderr)
        return 1
    endpoint = instance.endpoint
    os.environ.update(instance.environment(Wiring.read(endpoint=endpoint)))
    return dead_letters.run(arguments, sqs=client("sqs", endpoint), invoke=Invoker(endpoint).invoke)


class Invoker:
    """Hands a stream's dead letter to its function, in a container of its own: locally nothing else could."""

    def __init__(self, endpoint: str) -> None:
        self._endpoint = endpoint

    def invoke(self, queue_url: str, record: dict[str, Any]) -> bool:
        name = queue_url.rsplit("/", 1)[-1]
        for function in Wiring.read(endpoint=self._endpoint).functions:
            if function.environment.get("DEAD_LETTERS_URL", "").endswith(f"/{name}"):
                container = Container(function, environment(function, endpoint=self._endpoint), forkserver())
                try:
                    answer = container.invoke({"Records": [record]})
                except InvocationFailed as failure:
                    print(failure, file=sys.stderr)
                    return False
                finally:
                    container.stop()
                return not failed_items(answer, [str(record["dynamodb"]["SequenceNumber"])])
        return False


if __name__ == "__main__":
    sys.exit(main())
