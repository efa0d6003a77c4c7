# tests/unit/notifications/test_mail.py
from typing import Any

import pytest
from botocore.exceptions import (
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
    ReadTimeoutError,
)

from crm.kernel.aws import ses_client
from crm.notifications import mail
from crm.notifications.mail import NoAnswer, NotAccepted, Rejected
from crm.notifications.thank_you import Letter
from tests.messaging import refused

URL = "https://email.eu-west-1.amazonaws.com"


class Failing:
    def __init__(self, error: Exception) -> None:
        self.error = error

    def send_email(self, **_: Any) -> None:
        raise self.error


@pytest.mark.parametrize(
    ("error", "meaning"),
    [
        (refused("TooManyRequestsException", 429), NotAccepted),
        (refused("ThrottlingException", 400), NotAccepted),
        (refused("SendingPausedException", 400), NotAccepted),
        (refused("AccessDeniedException", 403), NotAccepted),
        (refused("ServiceUnavailable", 503), NotAccepted),
        (ConnectTimeoutError(endpoint_url=URL), NotAccepted),
        (EndpointConnectionError(endpoint_url=URL), NotAccepted),
        (NoCredentialsError(), NotAccepted),
        (refused("MessageRejected", 400), Rejected),
        (refused("MailFromDomainNotVerifiedException", 400), Rejected),
        (refused("InternalFailure", 500), NoAnswer),
        (ReadTimeoutError(endpoint_url=URL), NoAnswer),
        (ConnectionClosedError(endpoint_url=URL), NoAnswer),
    ],
)
def test_only_what_surely_was_not_accepted_may_be_sent_again(
    error: Exception, meaning: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mail, "ses_client", lambda: Failing(error))
    with pytest.raises(meaning):
        mail.send(Letter("s", "t", "h"), sender="a@b.example", sender_name="A", address="c@d.example", told={})


def test_the_client_never_sends_again_by_itself() -> None:
    assert ses_client().meta.config.retries["total_max_attempts"] == 1


def test_a_shops_name_cannot_add_a_header(monkeypatch: pytest.MonkeyPatch) -> None:
    class Taking:
        def send_email(self, **request: Any) -> dict[str, str]:
            assert request["FromEmailAddress"] == '"A Bcc: all@example.com" <a@b.example>'
            return {"MessageId": "1"}

    monkeypatch.setattr(mail, "ses_client", Taking)
    letter = Letter("s", "t", "h")
    name = "A\r\nBcc: all@example.com"
    assert mail.send(letter, sender="a@b.example", sender_name=name, address="c@d.example", told={}) == "1"
