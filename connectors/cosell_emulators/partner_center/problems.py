"""What Partner Center answers when it refuses, in its three shapes."""

from abc import ABC, abstractmethod
from typing import Any

from starlette.responses import Response

from cosell_emulators import exact_json


class Refusal(Exception, ABC):
    """A request is refused; the answer says why."""

    def __init__(self, status: int, **headers: str) -> None:
        super().__init__()
        self.status = status
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}

    @abstractmethod
    def body(self) -> dict[str, Any]:
        """Give the document the answer carries."""

    def response(self) -> Response:
        """Make the answer."""
        return Response(
            exact_json.dumps(self.body()),
            self.status,
            headers=self.headers,
            media_type="application/json",
        )


class ReferralRefusal(Refusal):
    """The Referrals API refuses.

    https://learn.microsoft.com/en-us/partner/develop/error-codes
    """

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        target: str = "referral",
        inner: str | None = None,
        **headers: str,
    ) -> None:
        super().__init__(status, **headers)
        self.code = code
        self.message = message
        self.target = target
        self.inner = inner or code

    def body(self) -> dict[str, Any]:
        """Give the envelope with its inner error; a message has at most 1024 characters."""
        inner = {"code": self.inner, "message": self.message[:1024]}
        return {
            "error": {
                "code": self.code,
                "message": self.message[:1024],
                "target": self.target,
                "innerError": inner,
            }
        }


def invalid(message: str, *, target: str = "referral", inner: str | None = None) -> ReferralRefusal:
    """Refuse a request whose content is wrong."""
    return ReferralRefusal(400, "invalidRequest", message, target=target, inner=inner)


def not_found(target: str = "referral") -> ReferralRefusal:
    """Refuse a request for something that is not there."""
    return ReferralRefusal(404, "itemNotFound", "The resource was not found.", target=target)


class RegistrationRefusal(Refusal):
    """The webhook registration API refuses.

    Its bodies are printed with a text for a code, and observed with a number; the numbers other
    than the observed one are the emulator's own.
    https://learn.microsoft.com/en-us/partner-center/developer/error-codes
    """

    def __init__(self, status: int, code: int, description: str, **headers: str) -> None:
        super().__init__(status, **headers)
        self.code = code
        self.description = description

    def body(self) -> dict[str, Any]:
        """Give the older envelope of api.partnercenter.microsoft.com."""
        return {
            "code": self.code,
            "description": self.description,
            "data": [],
            "source": "PartnerFD",
        }


class Throttled(Refusal):
    """The gateway in front of both says: too often.

    https://learn.microsoft.com/en-us/partner-center/developer/api-throttling-guidance
    """

    def __init__(self, seconds: int) -> None:
        super().__init__(429, Retry_After=str(seconds))
        self.seconds = seconds

    def body(self) -> dict[str, Any]:
        """Give the gateway's own envelope."""
        message = f"Rate limit is exceeded. Try again in {self.seconds} seconds."
        return {"statusCode": 429, "message": message}


class TokenRefusal(Refusal):
    """Entra issues no token.

    https://learn.microsoft.com/en-us/entra/identity-platform/reference-error-codes
    """

    def __init__(self, status: int, error: str, number: int, text: str) -> None:
        super().__init__(status, Cache_Control="no-store")
        self.error = error
        self.number = number
        self.text = text
        self.trace: dict[str, str] = {}

    def body(self) -> dict[str, Any]:
        """Give an OAuth error with Entra's additions."""
        return {
            "error": self.error,
            "error_description": f"AADSTS{self.number}: {self.text}",
            "error_codes": [self.number],
            **self.trace,
            "error_uri": f"https://login.microsoftonline.com/error?code={self.number}",
        }
