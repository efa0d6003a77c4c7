# tests/contract/test_template_functions.py
"""Every function of the template is code that exists, packaged, configured and logged."""

import ast
import json
import re
import subprocess
import sys
from functools import cache
from typing import Any

import pytest

from crm.kernel.settings import Settings
from infra import package
from schema.customer import changes
from tests.contract.stack import ROOT, name_in, of_type, template

FUNCTIONS = of_type("AWS::Lambda::Function")
SETTINGS = {name.upper() for name in Settings.__struct_fields__}
POWERTOOLS = {"POWERTOOLS_SERVICE_NAME", "POWERTOOLS_LOG_LEVEL"}
FROM_LAMBDA = {"AWS_REGION"}
LOCAL_ONLY = {
    "CRM_LOCAL",
    "CRM_LOCAL_KEY",
    "CRM_CLOCK_FILE",
    "CORS_ORIGINS",  # on AWS the HTTP API answers preflights
}
OPERATORS_ONLY = {"INTAKE_BUS"}  # what sources put on; no function does


def test_apps_are_told_again_what_any_function_may_have_begun_and_not_yet_committed() -> None:
    """Each takes the time once, and may then write until it is ended."""
    assert max(function["Timeout"] for function in FUNCTIONS.values()) < changes.UNSETTLED.total_seconds()


def environment(function: dict[str, Any]) -> set[str]:
    return set(function.get("Environment", {}).get("Variables", {}))


# In a process of its own, as on Lambda: Mangum makes an event loop when the gateway is imported, and keeps it.
IMPORT_EACH = """
import importlib, json, sys
told = {}
for handler in sys.argv[1:]:
    module, _, name = handler.rpartition(".")
    try:
        told[handler] = "" if callable(getattr(importlib.import_module(module), name)) else "is not callable"
    except (ImportError, AttributeError) as error:
        told[handler] = repr(error)
print(json.dumps(told))
"""


@cache
def imported() -> dict[str, str]:
    """What is wrong with each handler; nothing where it can be called."""
    handlers = [function["Handler"] for function in FUNCTIONS.values()]
    done = subprocess.run(
        [sys.executable, "-c", IMPORT_EACH, *handlers], cwd=ROOT, capture_output=True, text=True, check=True
    )
    told: dict[str, str] = json.loads(done.stdout.splitlines()[-1])
    return told


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_handler_imports_and_can_be_called(name: str) -> None:
    assert imported()[FUNCTIONS[name]["Handler"]] == ""


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_handler_is_in_the_bundle_its_function_is_made_of(name: str) -> None:
    bundles = {f"build-{bundle.name}": bundle for bundle in package.BUNDLES}
    bundle = bundles[FUNCTIONS[name]["Code"]["S3Key"]]
    path = FUNCTIONS[name]["Handler"].rpartition(".")[0].replace(".", "/") + ".py"
    assert path in {str(file) for file in package.source_files(bundle)}


def test_every_function_file_is_a_function_of_the_template() -> None:
    files = {
        ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for path in (ROOT / "functions").rglob("*.py")
        if path.name != "__init__.py" and "def handler(" in path.read_text()
    }
    handlers = {function["Handler"].rpartition(".")[0] for function in FUNCTIONS.values()}
    assert files == {handler for handler in handlers if handler.startswith("functions.")}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_variable_a_function_gets_is_one_the_code_reads(name: str) -> None:
    assert environment(FUNCTIONS[name]) <= SETTINGS | POWERTOOLS


def test_every_variable_the_code_reads_is_given_to_some_function() -> None:
    given = set().union(*(environment(function) for function in FUNCTIONS.values()))
    assert SETTINGS - given == FROM_LAMBDA | LOCAL_ONLY | OPERATORS_ONLY


def test_no_function_reads_what_only_operators_have() -> None:
    reading = {
        f"{path.relative_to(ROOT)}: {name}"
        for room in ("crm", "functions", "schema", "api")
        for path in (ROOT / room).rglob("*.py")
        for name in required(path.read_text())
        if name.upper() in OPERATORS_ONLY
    }
    assert reading == set()


def required(source: str) -> set[str]:
    """The names in `settings().require("name")`."""
    return {
        str(call.args[0].value)
        for call in ast.walk(ast.parse(source))
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Attribute)
        and call.func.attr == "require"
        and isinstance(call.args[0], ast.Constant)
    }


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_function_runs_on_arm_in_the_python_its_bundle_is_built_for(name: str) -> None:
    assert FUNCTIONS[name]["Architectures"] == ["arm64"]
    assert FUNCTIONS[name]["Runtime"] == f"python{package.PYTHON}"


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_function_writes_to_a_log_group_that_forgets(name: str) -> None:
    group = name_in(FUNCTIONS[name]["LoggingConfig"]["LogGroup"])
    assert of_type("AWS::Logs::LogGroup")[group]["RetentionInDays"] <= 30


def test_no_log_is_kept_for_ever() -> None:
    kept = [name for name, group in of_type("AWS::Logs::LogGroup").items() if not group.get("RetentionInDays")]
    assert kept == []


def test_five_per_cent_of_requests_are_traced() -> None:
    assert {function["TracingConfig"]["Mode"] for function in FUNCTIONS.values()} == {"Active"}
    (rule,) = of_type("AWS::XRay::SamplingRule").values()
    assert rule["SamplingRule"]["FixedRate"] == 0.05
    assert rule["SamplingRule"]["ReservoirSize"] <= 1


def test_a_front_end_may_call_from_its_origins_only() -> None:
    (api,) = of_type("AWS::ApiGatewayV2::Api").values()
    cors = api["CorsConfiguration"]
    assert name_in(cors["AllowOrigins"]) == "AllowedOrigins"
    assert "*" not in template()["Parameters"]["AllowedOrigins"]["Default"]
    assert {"authorization", "content-type"} <= set(cors["AllowHeaders"])
    assert cors["ExposeHeaders"] == ["date", "retry-after", "x-request-id"], "as the gateway itself does on a laptop"
    for route in of_type("AWS::ApiGatewayV2::Route").values():
        assert name_in(route["Target"]) in of_type("AWS::ApiGatewayV2::Integration")


def test_who_needs_no_token_has_a_throttle_of_their_own_below_that_of_all() -> None:
    (stage,) = of_type("AWS::ApiGatewayV2::Stage").values()
    keys = {route["RouteKey"] for route in of_type("AWS::ApiGatewayV2::Route").values()}
    assert keys == {"$default", "POST /v1/visitors"}
    (open_to_all,) = stage["RouteSettings"].values()
    assert set(stage["RouteSettings"]) == {"POST /v1/visitors"}
    assert open_to_all["ThrottlingRateLimit"] * 10 <= stage["DefaultRouteSettings"]["ThrottlingRateLimit"]


def test_the_gateway_answers_before_the_api_gives_up_on_it() -> None:
    (integration,) = of_type("AWS::ApiGatewayV2::Integration").values()
    gateway = FUNCTIONS[name_in(integration["IntegrationUri"])]
    assert gateway["Timeout"] * 1000 < integration["TimeoutInMillis"] <= 30_000


def test_access_logs_name_nobody() -> None:
    (stage,) = of_type("AWS::ApiGatewayV2::Stage").values()
    logged = set(re.findall(r"\$context\.([A-Za-z.]+)", stage["AccessLogSettings"]["Format"]))
    assert logged == {"requestId", "routeKey", "status", "responseLatency", "integrationErrorMessage"}
