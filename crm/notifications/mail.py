# crm/notifications/mail.py
"""E-mail through SES, and what its answers mean for sending again."""

import re
from email.utils import formataddr

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    HTTPClientError,
    ProxyConnectionError,
    SSLError,
)

from crm.kernel.aws import ses_client
from crm.notifications.thank_you import Letter

NEVER_REACHED = (ConnectTimeoutError, EndpointConnectionError, ProxyConnectionError, SSLError)
HOPELESS = frozenset(
    {"MessageRejected", "BadRequestException", "MailFromDomainNotVerifiedException", "NotFoundException"}
)
PROVIDER = "ses"
SUPPRESSED_BY_PROVIDER = "SUPPRESSED_BY_PROVIDER"
ON_A_LIST = re.compile("suppress|blacklist", re.IGNORECASE)
"""SES has no code for it: its words decide, and should they change, it is a message that failed like others."""
SERVER_ERROR, UNAVAILABLE = 500, 503


class NotAccepted(Exception):
    """The provider did not take the message, and may take it later. `code` is its own, or the failure's name."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Rejected(Exception):
    """The provider will never take this message. `reason` is a stable code of its own."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class AddressSuppressed(Rejected):
    """The provider delivers nothing to this address. It does not say whether for bounces or complaints."""

    def __init__(self) -> None:
        super().__init__(SUPPRESSED_BY_PROVIDER)


class NoAnswer(Exception):
    """The message left, and nobody knows whether the provider took it."""


def send(letter: Letter, *, sender: str, sender_name: str, address: str, tags: dict[str, str]) -> str:
    """Send once and return the provider's id of the message. `tags` come back in the provider's own events.

    Raises NotAccepted, Rejected, NoAnswer.
    """
    try:
        answer = ses_client().send_email(
            FromEmailAddress=formataddr((" ".join(sender_name.split()), sender)),
            Destination={"ToAddresses": [address]},
            Content={
                "Simple": {
                    "Subject": {"Data": letter.subject, "Charset": "UTF-8"},
                    "Body": {
                        "Text": {"Data": letter.text, "Charset": "UTF-8"},
                        "Html": {"Data": letter.html, "Charset": "UTF-8"},
                    },
                    "Headers": [{"Name": "List-Unsubscribe", "Value": f"<mailto:{sender}?subject=unsubscribe>"}],
                }
            },
            EmailTags=[{"Name": name, "Value": value} for name, value in tags.items()],
        )
    # `from None` all through: what SES says can name the recipient, and a chained error ends in the log.
    except ClientError as error:
        raise _meaning(error) from None
    except NEVER_REACHED as error:
        raise NotAccepted(type(error).__name__) from None
    except HTTPClientError as error:
        raise NoAnswer(type(error).__name__) from None
    except BotoCoreError as error:  # no credentials, no region, ...: found before anything was sent
        raise NotAccepted(type(error).__name__) from None
    return str(answer["MessageId"])


def _meaning(error: ClientError) -> Exception:
    code = str(error.response["Error"]["Code"])
    status = int(error.response["ResponseMetadata"]["HTTPStatusCode"])
    if code == "MessageRejected" and ON_A_LIST.search(str(error.response["Error"].get("Message", ""))):
        return AddressSuppressed()
    if code in HOPELESS:
        return Rejected(code)
    # Throttled, paused, not permitted: refused at the door. Another 5xx may have come after the message was taken.
    return NoAnswer(code) if status >= SERVER_ERROR and status != UNAVAILABLE else NotAccepted(code)
