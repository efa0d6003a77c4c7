# tests/contract/test_template_delivery.py
"""Nothing that is delivered can be lost: every source has somewhere to put what fails, and time to try."""

import json

import pytest

from crm.customers.events import AttributeDefined
from crm.intake.changes import PUBLISHERS
from crm.intake.event_types import BEHAVIOUR
from crm.segmentation.keeping import TOUCHED_BY
from crm.shops.events import ShopChanged
from tests.contract.stack import (
    Properties,
    filtered_kinds,
    listed,
    mappings,
    name_in,
    names_in,
    of_type,
    statements,
    targets,
    written,
)

FUNCTIONS = of_type("AWS::Lambda::Function")
QUEUES = of_type("AWS::SQS::Queue")
FROM_QUEUES = mappings(of="AWS::SQS::Queue")
FROM_STREAMS = mappings(of="AWS::DynamoDB::Table")
MAPPINGS: dict[str, Properties] = FROM_QUEUES | FROM_STREAMS
RULES = of_type("AWS::Events::Rule")
TARGETS = dict(targets())

SOURCE_QUEUES = sorted(name_in(mapping["EventSourceArn"]) for mapping in FROM_QUEUES.values())
DEAD_LETTERS = sorted(name for name in QUEUES if name.endswith("DeadLetters"))
FOURTEEN_DAYS = 14 * 24 * 3600


def test_every_queue_is_read_by_a_function_or_holds_dead_letters() -> None:
    assert sorted(QUEUES) == sorted(SOURCE_QUEUES + DEAD_LETTERS)


@pytest.mark.parametrize("name", QUEUES)
def test_every_queue_is_encrypted_and_keeps_what_it_holds_for_fourteen_days(name: str) -> None:
    assert QUEUES[name]["SqsManagedSseEnabled"] is True
    assert QUEUES[name]["MessageRetentionPeriod"] == FOURTEEN_DAYS


@pytest.mark.parametrize("name", SOURCE_QUEUES)
def test_a_message_that_fails_five_times_is_put_aside_in_a_dead_letter_queue_of_its_own(name: str) -> None:
    redrive = QUEUES[name]["RedrivePolicy"]
    assert redrive["maxReceiveCount"] == 5
    assert name_in(redrive["deadLetterTargetArn"]) == name.removesuffix("Queue") + "DeadLetters"


@pytest.mark.parametrize("name", FROM_QUEUES)
def test_a_message_stays_hidden_for_six_times_as_long_as_its_function_may_take(name: str) -> None:
    mapping = FROM_QUEUES[name]
    function, queue = FUNCTIONS[name_in(mapping["FunctionName"])], QUEUES[name_in(mapping["EventSourceArn"])]
    window = mapping.get("MaximumBatchingWindowInSeconds", 0)
    assert queue["VisibilityTimeout"] >= 6 * function["Timeout"] + window


@pytest.mark.parametrize("name", FROM_QUEUES)
def test_whoever_may_need_minutes_for_a_message_is_given_one_at_a_time(name: str) -> None:
    mapping = FROM_QUEUES[name]
    assert FUNCTIONS[name_in(mapping["FunctionName"])]["Timeout"] <= 30 or mapping["BatchSize"] == 1


@pytest.mark.parametrize("name", MAPPINGS)
def test_a_function_reports_which_records_failed_so_that_the_others_are_done(name: str) -> None:
    assert MAPPINGS[name]["FunctionResponseTypes"] == ["ReportBatchItemFailures"]


@pytest.mark.parametrize("name", FROM_QUEUES)
def test_no_queue_may_take_all_of_the_accounts_concurrency(name: str) -> None:
    assert 2 <= FROM_QUEUES[name]["ScalingConfig"]["MaximumConcurrency"] <= 50


@pytest.mark.parametrize("name", FROM_STREAMS)
def test_a_bad_record_holds_up_its_shard_for_a_bounded_time_and_is_then_kept_whole(name: str) -> None:
    mapping = FROM_STREAMS[name]
    assert mapping["BisectBatchOnFunctionError"] is True
    assert 0 < mapping["MaximumRetryAttempts"] <= 10
    # Below the stream's own 24 hours, or what is behind the bad record would be lost with it.
    assert 0 < mapping["MaximumRecordAgeInSeconds"] <= 12 * 3600
    assert name_in(mapping["DestinationConfig"]["OnFailure"]["Destination"]) in of_type("AWS::S3::Bucket")
    assert mapping["StartingPosition"] == "TRIM_HORIZON"


def test_a_stream_has_two_readers_at_most_which_is_dynamodbs_limit() -> None:
    assert sorted(name_in(mapping["EventSourceArn"]) for mapping in FROM_STREAMS.values()) == ["CrmTable", "CrmTable"]


@pytest.mark.parametrize("name", FROM_STREAMS)
def test_a_stream_reader_is_not_woken_by_what_time_to_live_deletes(name: str) -> None:
    for criterion in FROM_STREAMS[name]["FilterCriteria"]["Filters"]:
        assert json.loads(criterion["Pattern"])["eventName"] == ["INSERT", "MODIFY"]


@pytest.mark.parametrize("name", RULES)
def test_what_a_rule_cannot_hand_over_goes_to_a_dead_letter_queue(name: str) -> None:
    for target in RULES[name]["Targets"]:
        assert name_in(target["DeadLetterConfig"]["Arn"]) in DEAD_LETTERS
        assert target["RetryPolicy"]["MaximumEventAgeInSeconds"] <= 86400


def test_a_function_called_by_the_clock_has_a_place_for_the_calls_that_failed() -> None:
    invoked = {name_in(target["Arn"]) for name, target in TARGETS.items() if "ScheduleExpression" in RULES[name]}
    kept = {
        name_in(config["FunctionName"]): name_in(config["DestinationConfig"]["OnFailure"]["Destination"])
        for config in of_type("AWS::Lambda::EventInvokeConfig").values()
    }
    assert invoked == {"FireDueFunction", "ScoreShopsFunction"}
    assert kept == {"FireDueFunction": "FireDueDeadLetters", "ScoreShopsFunction": "ScoreShopsDeadLetters"}


def test_timers_are_fired_every_minute_and_end_before_the_next() -> None:
    (schedule,) = (rule for rule in RULES.values() if name_in(rule["Targets"][0]["Arn"]) == "FireDueFunction")
    assert schedule["ScheduleExpression"] == "rate(1 minute)"
    assert FUNCTIONS["FireDueFunction"]["Timeout"] < 60


@pytest.mark.parametrize("queue", sorted({name_in(target["Arn"]) for target in TARGETS.values()} & set(QUEUES)))
def test_only_its_own_rules_may_write_to_a_queue(queue: str) -> None:
    rules = {name for name, target in TARGETS.items() if name_in(target["Arn"]) == queue}
    assert senders(queue) == rules


@pytest.mark.parametrize("queue", sorted({name_in(target["DeadLetterConfig"]["Arn"]) for target in TARGETS.values()}))
def test_a_rules_dead_letter_queue_takes_from_that_rule(queue: str) -> None:
    rules = {name for name, target in TARGETS.items() if name_in(target["DeadLetterConfig"]["Arn"]) == queue}
    assert senders(queue) == rules


def senders(queue: str) -> set[str]:
    """The rules whose events a queue's policy lets in; nobody else may be named by it."""
    rules: set[str] = set()
    for policy in of_type("AWS::SQS::QueuePolicy").values():
        for statement in statements(policy["PolicyDocument"]):
            if name_in(statement["Resource"]) == queue:
                assert names_in(policy["Queues"]) == {queue}
                assert statement["Principal"] == {"Service": "events.amazonaws.com"}
                assert statement["Action"] == "sqs:SendMessage"
                rules |= names_in(listed(statement["Condition"]["ArnEquals"]["aws:SourceArn"]))
    return rules


def wiring() -> set[tuple[str, str, str, str]]:
    """(bus, detail type, owner of the timer, queue) of every rule on a bus."""
    found = set()
    for name, target in TARGETS.items():
        rule = RULES[name]
        if "ScheduleExpression" in rule:
            continue
        for kind in rule["EventPattern"].get("detail-type", ["*"]):
            for owner in rule["EventPattern"].get("detail", {}).get("owner", [""]):
                found.add((written(rule["EventBusName"]), kind, owner, name_in(target["Arn"])))
    return found


def test_events_are_wired_to_the_functions_that_the_design_names() -> None:
    assert wiring() == {
        ("IntakeBus", "*", "", "IntakeQueue"),
        ("default", "Email Bounced", "", "IntakeQueue"),
        ("default", "Email Complaint Received", "", "IntakeQueue"),
        *(
            ("DomainBus", kind.detail_type, "", "SegmentationQueue")
            for kind in (*TOUCHED_BY, ShopChanged, AttributeDefined)
        ),
        ("DomainBus", "timer.due", "segmentation", "SegmentationQueue"),
        ("DomainBus", "order.recorded", "", "LoyaltyQueue"),
        ("DomainBus", "customer.recorded", "", "LoyaltyQueue"),
        ("DomainBus", "touchpoint.recorded", "", "LoyaltyQueue"),
        ("DomainBus", "order.recorded", "", "NotificationsQueue"),
        ("DomainBus", "timer.due", "notifications", "NotificationsQueue"),
        ("DomainBus", "timer.due", "loyalty", "LoyaltyQueue"),
        ("DomainBus", "message.planned", "", "DeliveriesQueue"),
        ("DomainBus", "visitor.identified", "", "JoinsQueue"),
    }
    assert {
        (name_in(mapping["EventSourceArn"]), name_in(mapping["FunctionName"])) for mapping in MAPPINGS.values()
    } == {
        ("IntakeQueue", "IngestFunction"),
        ("SegmentationQueue", "RefreshMembershipsFunction"),
        ("LoyaltyQueue", "PostPointsFunction"),
        ("NotificationsQueue", "PlanMessagesFunction"),
        ("DeliveriesQueue", "DeliverMessageFunction"),
        ("JoinsQueue", "JoinVisitorFunction"),
        ("OperationsQueue", "RunOperationFunction"),
        ("CrmTable", "PublishChangesFunction"),
        ("CrmTable", "RollUpFunction"),
    }


def test_of_touchpoints_only_those_that_shops_have_names_for_may_earn_points() -> None:
    [rule] = [rule for name, rule in RULES.items() if name == "HappeningsToLoyalty"]
    [described] = rule["EventPattern"]["detail"]["type"]
    assert set(described["anything-but"]) == BEHAVIOUR - {"custom.recorded"}


def test_every_kind_that_is_published_reaches_the_function_that_publishes_it() -> None:
    (mapping,) = (each for each in FROM_STREAMS.values() if name_in(each["FunctionName"]) == "PublishChangesFunction")
    assert filtered_kinds(mapping) == {kind.__name__ for kind in PUBLISHERS}


def test_nobody_can_pass_for_rapport_on_the_intake_bus() -> None:
    (rule,) = (rule for rule in RULES.values() if names_in(rule.get("EventBusName")) == {"IntakeBus"})
    assert rule["EventPattern"] == {"source": [{"anything-but": {"prefix": "rapport."}}]}
    for rule in RULES.values():
        if names_in(rule.get("EventBusName")) == {"DomainBus"}:
            assert rule["EventPattern"]["source"] == ["rapport.domain"]


def test_ses_reports_of_this_installation_s_mail_and_of_no_other_come_in() -> None:
    (reports,) = of_type("AWS::SES::ConfigurationSetEventDestination").values()
    (name,) = of_type("AWS::SES::ConfigurationSet")
    assert name_in(reports["ConfigurationSetName"]) == name
    destination = reports["EventDestination"]
    assert (destination["Enabled"], destination["MatchingEventTypes"]) == (True, ["bounce", "complaint"])
    assert written(destination["EventBridgeDestination"]["EventBusArn"]).endswith(":event-bus/default")
    (rule,) = (rule for rule in RULES.values() if rule.get("EventBusName") == "default")
    assert rule["EventPattern"]["source"] == ["aws.ses"]
    assert rule["EventPattern"]["detail"] == {"mail": {"tags": {"ses:configuration-set": [{"Ref": name}]}}}
    (sender,) = (each for each in FUNCTIONS.values() if "MAIL_CONFIGURATION_SET" in each["Environment"]["Variables"])
    assert name_in(sender["Environment"]["Variables"]["MAIL_CONFIGURATION_SET"]) == name


def test_a_stream_function_knows_where_to_put_a_record_it_can_never_read() -> None:
    variables = {
        name: {
            variable: written(value)
            for variable, value in FUNCTIONS[name]["Environment"]["Variables"].items()
            if variable.endswith("DEAD_LETTERS_URL")
        }
        for name in ("IngestFunction", "PublishChangesFunction", "RollUpFunction")
    }
    assert variables == {
        "IngestFunction": {"INTAKE_DEAD_LETTERS_URL": "IntakeDeadLetters"},
        "PublishChangesFunction": {"DEAD_LETTERS_URL": "ChangesDeadLetters"},
        "RollUpFunction": {"DEAD_LETTERS_URL": "RollUpDeadLetters"},
    }
