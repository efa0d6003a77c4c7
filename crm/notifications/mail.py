# crm/notifications/mail.py
"""E-mail through SES, and what its answers mean for sending again."""

import base64
import re
from collections.abc import Mapping, Sequence
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
from msgspec import Struct

from crm.kernel.aws import ses_client
from crm.kernel.settings import settings
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


class Named(Struct, frozen=True):
    """Whose message it was, as its tags say. Without the other two it is known by its shop alone."""

    shop: str
    customer_id: str | None = None
    message_id: str | None = None


def tags(shop: str, customer_id: str, message_id: str, *, template: str) -> dict[str, str]:
    """What SES is told of a message, and tells with all it reports of it. It takes letters, digits, - and _ only, so
    the id of the message is written in those.
    """
    written = base64.urlsafe_b64encode(message_id.encode()).decode().rstrip("=")
    return {"shop": shop, "customer": customer_id, "message": written, "template": template}


def named_by(told: Mapping[str, Sequence[str]]) -> Named | None:
    """Whose message these tags are of; None where they name no shop."""
    shop, customer_id, written = (next(iter(told.get(name, ())), None) for name in ("shop", "customer", "message"))
    if not shop:
        return None
    try:
        message_id = base64.urlsafe_b64decode(written + "=" * (-len(written) % 4)).decode() if written else None
    except ValueError:
        message_id = None
    return Named(shop, customer_id, message_id) if customer_id and message_id else Named(shop)


def send(letter: Letter, *, sender: str, sender_name: str, address: str, told: Mapping[str, str]) -> str:
    """Send once and return the provider's id of the message. What it is `told` (`tags`) comes back in its reports.

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
            ConfigurationSetName=settings().require("mail_configuration_set"),  # else SES reports nothing of it
            EmailTags=[{"Name": name, "Value": value} for name, value in told.items()],
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
