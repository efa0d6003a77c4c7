# infra/local/template.py
"""Reads `template.yaml` as CloudFormation would see it, with every reference replaced by its local value.

The template is the wiring: nothing here has a default that would stand in for a resource someone took out of it.
"""

import hashlib
import json
import logging
import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

REGION = "eu-west-1"
ACCOUNT = "000000000000"
STACK = "rapport"
TEMPLATE = Path(__file__).parents[2] / "template.yaml"

_KEPT = TEMPLATE.parent / ".build" / "transformed"
_NO_VALUE = object()
_NAME_PROPERTIES = {
    "AWS::DynamoDB::Table": "TableName",
    "AWS::SQS::Queue": "QueueName",
    "AWS::S3::Bucket": "BucketName",
    "AWS::Events::EventBus": "Name",
    "AWS::Events::Rule": "Name",
    "AWS::Lambda::Function": "FunctionName",
    "AWS::SES::ConfigurationSet": "Name",
}
_ARNS = {
    "AWS::DynamoDB::Table": "dynamodb:{region}:{account}:table/{name}",
    "AWS::SQS::Queue": "sqs:{region}:{account}:{name}",
    "AWS::S3::Bucket": "s3:::{name}",
    "AWS::Events::EventBus": "events:{region}:{account}:event-bus/{name}",
    "AWS::Events::Rule": "events:{region}:{account}:rule/{name}",
    "AWS::Lambda::Function": "lambda:{region}:{account}:function:{name}",
}


class UnknownIntrinsic(Exception):
    """The template uses a function the local run cannot resolve."""


def transformed(path: Path) -> dict[str, Any]:
    """Return the template after the SAM transform, which takes a second and is kept for as long as nothing changes."""
    key = hashlib.sha256(path.read_bytes() + version("aws-sam-translator").encode()).hexdigest()[:16]
    kept = _KEPT / f"{key}.json"
    try:
        result: dict[str, Any] = json.loads(kept.read_text())
    except FileNotFoundError:
        result = transform(path)
        _KEPT.mkdir(parents=True, exist_ok=True)
        new = kept.with_suffix(f".{os.getpid()}")
        new.write_text(json.dumps(result))
        new.replace(kept)
    return result


def transform(path: Path) -> dict[str, Any]:
    """Transform the template anew; it asks nobody, so it works offline."""
    os.environ.setdefault("AWS_DEFAULT_REGION", REGION)
    # It complains at exit that nobody published its metrics.
    logging.getLogger("samtranslator").setLevel(logging.ERROR)
    from samtranslator.translator.transform import transform as sam_transform
    from samtranslator.yaml_helper import yaml_parse

    class NoManagedPolicies:
        def load(self) -> dict[str, str]:
            return {}

    source: dict[str, Any] = yaml_parse(path.read_text())
    code_uri = source.get("Globals", {}).get("Function", {})
    for properties in (code_uri, *(r.get("Properties", {}) for r in source["Resources"].values())):
        # The transform takes only uploaded code; `sam package` would write such an address.
        for key in ("CodeUri", "ContentUri"):
            if isinstance(properties.get(key), str):
                properties[key] = f"s3://packages/{properties[key].strip('./').replace('/', '-') or 'root'}"
    result: dict[str, Any] = sam_transform(source, {}, NoManagedPolicies())
    return result


@dataclass(frozen=True)
class Resource:
    logical_id: str
    type: str
    properties: Mapping[str, Any]
    name: str


class Template:
    """The transformed template; `resources` answers them with all references resolved."""

    def __init__(self, body: Mapping[str, Any], *, endpoint: str) -> None:
        self._body = body
        self._endpoint = endpoint

    @classmethod
    def read(cls, path: Path = TEMPLATE, *, endpoint: str = "http://127.0.0.1:4566") -> "Template":
        return cls(transformed(path), endpoint=endpoint)

    def resources(self, *types: str) -> Iterator[Resource]:
        for logical_id, resource in self._body["Resources"].items():
            condition = resource.get("Condition")
            if resource["Type"] in types and (condition is None or self._condition(condition)):
                properties = self.resolve(resource.get("Properties", {}))
                yield Resource(logical_id, resource["Type"], properties, self.name(logical_id))

    def name(self, logical_id: str) -> str:
        """Return the physical name: the one the template gives, else the logical id."""
        resource = self._body["Resources"][logical_id]
        given = resource.get("Properties", {}).get(_NAME_PROPERTIES.get(resource["Type"], ""))
        if given is not None:
            return str(self.resolve(given))
        if resource["Type"] == "AWS::S3::Bucket":
            return f"{STACK}-{logical_id.lower()}"
        return logical_id

    def resolve(self, value: Any) -> Any:
        if isinstance(value, Mapping):
            if len(value) == 1:
                key = next(iter(value))
                if key == "Ref" or (key.startswith("Fn::") and key != "Fn::Transform"):
                    return self._intrinsic(key, value[key])
            resolved = {key: self.resolve(inner) for key, inner in value.items()}
            return {key: inner for key, inner in resolved.items() if inner is not _NO_VALUE}
        if isinstance(value, list):
            return [inner for inner in map(self.resolve, value) if inner is not _NO_VALUE]
        return value

    def _intrinsic(self, key: str, argument: Any) -> Any:
        known: dict[str, Callable[[Any], Any]] = {
            "Ref": self._ref,
            "Fn::GetAtt": self._get_att,
            "Fn::Sub": self._sub,
            "Fn::Join": lambda parts: str(parts[0]).join(str(part) for part in self.resolve(parts[1])),
            "Fn::Select": lambda choice: self.resolve(choice[1])[int(choice[0])],
            "Fn::If": lambda choice: self.resolve(choice[1 if self._condition(choice[0]) else 2]),
        }
        if key not in known:
            raise UnknownIntrinsic(f"{key} {json.dumps(argument)}")
        return known[key](argument)

    def _get_att(self, argument: Any) -> str:
        return self._attribute(*(argument.split(".", 1) if isinstance(argument, str) else argument))

    def _ref(self, name: str) -> Any:
        pseudo = {
            "AWS::Region": REGION,
            "AWS::AccountId": ACCOUNT,
            "AWS::StackName": STACK,
            "AWS::Partition": "aws",
            "AWS::URLSuffix": "amazonaws.com",
            "AWS::NoValue": _NO_VALUE,
        }
        if name in pseudo:
            return pseudo[name]
        parameters = self._body.get("Parameters", {})
        if name in parameters:
            return parameters[name].get("Default", "")
        resource = self._body["Resources"].get(name)
        if resource is None:
            raise UnknownIntrinsic(f"Ref {name}: the template has no such resource")
        if resource["Type"] == "AWS::SQS::Queue":
            return f"{self._endpoint}/{ACCOUNT}/{self.name(name)}"
        return self.name(name)

    def _attribute(self, logical_id: str, attribute: str) -> str:
        resource = self._body["Resources"].get(logical_id)
        if resource is None:
            raise UnknownIntrinsic(f"GetAtt {logical_id}.{attribute}: the template has no such resource")
        name, arn = self.name(logical_id), _ARNS.get(resource["Type"])
        if arn is not None:
            full = "arn:aws:" + arn.format(region=REGION, account=ACCOUNT, name=name)
            if attribute == "Arn":
                return full
            if attribute == "StreamArn":
                return f"{full}/stream/current"
            if attribute in {"QueueName", "Name"}:
                return name
        # What only AWS has (a user pool's address, a role) is named, so that a log shows where it came from.
        return f"local:{logical_id}.{attribute}"

    def _sub(self, argument: Any) -> str:
        text, given = (argument, {}) if isinstance(argument, str) else argument

        def value(match: re.Match[str]) -> str:
            name = match[1]
            if name.startswith("!"):
                return f"${{{name[1:]}}}"
            if name in given:
                return str(self.resolve(given[name]))
            return str(self._attribute(*name.split(".", 1)) if "." in name else self._ref(name))

        return re.sub(r"\$\{([^}]+)\}", value, text)

    def _condition(self, name: Any) -> bool:
        rule = self._body.get("Conditions", {})[name] if isinstance(name, str) else name
        ((key, argument),) = rule.items()
        match key:
            case "Condition":
                return self._condition(argument)
            case "Fn::Equals":
                left, right = self.resolve(argument)
                return bool(left == right)
            case "Fn::Not":
                return not self._condition(argument[0])
            case "Fn::And":
                return all(self._condition(part) for part in argument)
            case "Fn::Or":
                return any(self._condition(part) for part in argument)
        raise UnknownIntrinsic(f"{key} in condition {name}")


def main() -> int:
    """Write the transformed template, for linters: `python -m infra.local.template TARGET`."""
    target = Path(sys.argv[1])
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(transform(TEMPLATE), indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
