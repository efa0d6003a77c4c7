# tests/contract/test_template_permissions.py
"""A function may do what it does, to what it does it to, and nothing else."""

import re
from typing import Any

import pytest

from crm.kernel.table import Changes, Listing, Moments, Timeline
from tests.contract.stack import (
    allowed,
    listed,
    mappings,
    name_in,
    names_in,
    of_type,
    role_of,
    statements,
    statements_of_role,
    template,
    written,
)

FUNCTIONS = of_type("AWS::Lambda::Function")
ROLES = of_type("AWS::IAM::Role")

# AWS knows no resource for these actions.
WITHOUT_RESOURCE = {"xray:PutTraceSegments", "xray:PutTelemetryRecords"}
# Names that exist only once something has been made or written; each is bounded by its prefix.
OPEN_ENDED = {
    "s3:PutObject": {
        "ArchiveBucket.Arn/aws/lambda/*",
        "ArchiveBucket.Arn/dead-letters/*",
        "ArchiveBucket.Arn/operations/*",
        "ArchiveBucket.Arn/operations/*/upload",
    },
    "s3:GetObject": {"ArchiveBucket.Arn/operations/*"},
    "s3:ListMultipartUploadParts": {"ArchiveBucket.Arn/operations/*"},
    "dynamodb:ListStreams": {"CrmTable.Arn/stream/*"},
}


@pytest.mark.parametrize("name", ROLES)
def test_nothing_is_allowed_on_everything_where_aws_knows_narrower(name: str) -> None:
    for action, resource in allowed(ROLES[name]):
        assert "*" not in action
        assert ":" in action
        if "*" in resource:
            assert action in WITHOUT_RESOURCE if resource == "*" else resource in OPEN_ENDED.get(action, set())


@pytest.mark.parametrize("name", ROLES)
def test_a_statement_that_needs_a_star_gives_nothing_else_away_with_it(name: str) -> None:
    for statement in statements_of_role(ROLES[name]):
        assert "NotAction" not in statement
        assert "NotResource" not in statement
        if statement["Resource"] == "*":
            assert set(listed(statement["Action"])) <= WITHOUT_RESOURCE


@pytest.mark.parametrize("name", ROLES)
def test_a_role_has_no_ready_made_policy_and_only_lambda_may_take_it(name: str) -> None:
    assert "ManagedPolicyArns" not in ROLES[name]
    (trust,) = statements(ROLES[name]["AssumeRolePolicyDocument"])
    assert trust["Principal"] == {"Service": "lambda.amazonaws.com"}


def test_every_function_has_a_role_of_its_own() -> None:
    used = [name_in(function["Role"]) for function in FUNCTIONS.values()]
    assert sorted(used) == sorted(ROLES)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_writes_to_its_own_log_only(name: str) -> None:
    group = name_in(FUNCTIONS[name]["LoggingConfig"]["LogGroup"])
    logs = {pair for pair in allowed(role_of(name)) if pair[0].startswith("logs:")}
    assert logs == {("logs:CreateLogStream", f"{group}.Arn"), ("logs:PutLogEvents", f"{group}.Arn")}


def who_may(action: str) -> dict[str, set[str]]:
    """The functions that are allowed an action, and on what."""
    found: dict[str, set[str]] = {}
    for function in FUNCTIONS:
        resources = {resource for one, resource in allowed(role_of(function)) if one == action}
        if resources:
            found[function.removesuffix("Function")] = resources
    return found


def test_only_the_publisher_and_the_timers_speak_on_the_domain_bus() -> None:
    assert who_may("events:PutEvents") == {"PublishChanges": {"DomainBus.Arn"}, "FireDue": {"DomainBus.Arn"}}
    policies = {name_in(policy["EventBusName"]): policy["Statement"] for policy in bus_policies()}
    domain = policies["DomainBus"]
    assert domain["Effect"] == "Deny"
    assert domain["Action"] == "events:PutEvents"
    assert names_in(domain["Condition"]["ArnNotEquals"]["aws:PrincipalArn"]) == {"PublishChangesRole", "FireDueRole"}


def test_sources_may_put_on_the_intake_bus_and_not_in_rapports_name() -> None:
    (policy,) = of_type("AWS::IAM::ManagedPolicy").values()
    (statement,) = statements(policy["PolicyDocument"])
    assert (statement["Effect"], statement["Action"]) == ("Allow", "events:PutEvents")
    assert written(statement["Resource"]) == "IntakeBus.Arn"
    (intake,) = (one["Statement"] for one in bus_policies() if name_in(one["EventBusName"]) == "IntakeBus")
    assert intake["Effect"] == "Deny"
    assert intake["Condition"] == {"StringLike": {"events:source": "rapport.*"}}


def bus_policies() -> list[dict[str, Any]]:
    return list(of_type("AWS::Events::EventBusPolicy").values())


def test_only_deliveries_send_mail_and_only_from_the_named_identities_and_where_it_is_reported_on() -> None:
    own = "arn:AWS::Partition:ses:AWS::Region:AWS::AccountId:configuration-set/MailConfigurationSet"
    assert who_may("ses:SendEmail") == {"DeliverMessage": {"SenderIdentityArns", own}}


def test_only_the_roll_up_writes_figures_and_only_the_gateway_reads_them() -> None:
    writers = {
        function
        for action in ("PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem")
        for function, tables in who_may(f"dynamodb:{action}").items()
        if "KpiTable.Arn" in tables
    }
    readers = {name for name, tables in who_may("dynamodb:Query").items() if "KpiTable.Arn" in tables}
    assert writers == {"RollUp"}
    assert readers - writers <= {"Gateway"}


def test_nobody_may_scan_or_change_a_table_itself() -> None:
    used = {action for role in ROLES.values() for action, _ in allowed(role) if action.startswith("dynamodb:")}
    assert used <= {
        *(f"dynamodb:{verb}Item" for verb in ("Get", "BatchGet", "Put", "Update", "Delete", "ConditionCheck")),
        "dynamodb:Query",
        *(f"dynamodb:{verb}" for verb in ("DescribeStream", "GetRecords", "GetShardIterator", "ListStreams")),
    }


def test_the_indexes_that_are_allowed_exist() -> None:
    known = {f"CrmTable.Arn/index/{index.Meta.index_name}" for index in (Timeline, Moments, Changes, Listing)}
    known.add("KpiTable.Arn/index/facts")
    named = {resource for role in ROLES.values() for _, resource in allowed(role) if "/index/" in resource}
    assert named <= known


@pytest.mark.parametrize("name", mappings(of="AWS::SQS::Queue"))
def test_a_function_reads_its_own_queue_only(name: str) -> None:
    mapping = mappings(of="AWS::SQS::Queue")[name]
    pairs = allowed(role_of(name_in(mapping["FunctionName"])))
    queue = name_in(mapping["EventSourceArn"])
    for action in ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"):
        assert {resource for one, resource in pairs if one == action} == {f"{queue}.Arn"}


@pytest.mark.parametrize("name", mappings(of="AWS::DynamoDB::Table"))
def test_a_stream_reader_may_read_its_stream_and_write_what_it_gave_up_on(name: str) -> None:
    mapping = mappings(of="AWS::DynamoDB::Table")[name]
    pairs = allowed(role_of(name_in(mapping["FunctionName"])))
    bucket = name_in(mapping["DestinationConfig"]["OnFailure"]["Destination"])
    assert {
        ("dynamodb:GetRecords", "CrmTable.StreamArn"),
        ("dynamodb:GetShardIterator", "CrmTable.StreamArn"),
        ("dynamodb:DescribeStream", "CrmTable.StreamArn"),
        ("s3:PutObject", f"{bucket}.Arn/aws/lambda/*"),
        ("s3:ListBucket", f"{bucket}.Arn"),
    } <= pairs


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_may_use_every_resource_its_variables_name(name: str) -> None:
    variables = FUNCTIONS[name].get("Environment", {}).get("Variables", {})
    named = set().union(*(names_in(value) for variable, value in variables.items() if not variable.startswith("JWT")))
    used = {part for _, resource in allowed(role_of(name)) for part in re.split(r"[./]", resource)}
    # Secrets are resolved by CloudFormation when it deploys; parameters are values.
    assert named - {"CursorSecret", "VisitorSecret"} - set(template()["Parameters"]) <= used


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_that_may_use_a_table_is_told_its_name(name: str) -> None:
    variables = FUNCTIONS[name].get("Environment", {}).get("Variables", {})
    named = set().union(*(names_in(value) for value in variables.values()))
    tables = {
        resource.removesuffix(".Arn")
        for action, resource in allowed(role_of(name))
        if action.startswith("dynamodb:") and resource.endswith("Table.Arn")
    }
    assert tables <= named


def test_each_caller_from_outside_may_call_one_function() -> None:
    permissions = {
        name_in(permission["FunctionName"]): (permission["Principal"], names_in(permission["SourceArn"]))
        for permission in of_type("AWS::Lambda::Permission").values()
    }
    own = {"AWS::Partition", "AWS::Region", "AWS::AccountId"}
    assert {function: (principal, sources - own) for function, (principal, sources) in permissions.items()} == {
        "FireDueFunction": ("events.amazonaws.com", {"EveryMinute"}),
        "ScoreShopsFunction": ("events.amazonaws.com", {"EveryHour"}),
        "AddClaimsFunction": ("cognito-idp.amazonaws.com", {"UserPool"}),
        "GatewayFunction": ("apigateway.amazonaws.com", {"HttpApi"}),
    }
