"""The Salesforce org as a server: who may call, which version, and where a call goes."""

import logging
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from cosell_emulators.salesforce import bulk1_api, identity_api, meta_api, soap_api
from cosell_emulators.salesforce.administering import changed
from cosell_emulators.salesforce.calls import Call, Reply, Session, refused
from cosell_emulators.salesforce.localising import localised
from cosell_emulators.salesforce.org import ORG_ID, USERNAME, Org
from cosell_emulators.salesforce.problems import Refusal, not_found, refusal
from cosell_emulators.salesforce.routing import answered
from cosell_emulators.salesforce.tokens import Tokens
from cosell_emulators.stage import Clock

_LOG = logging.getLogger(__name__)
_DATA = re.compile(r"/services/data/v(\d{1,3})\.(\d)(/.*)?")
_BULK = re.compile(r"/services/async/(\d{1,3})\.(\d)(/.*)?")
_SOAP = re.compile(r"/services/Soap/[ucm](?:/\d+(?:\.\d)?)?(?:/.*)?")
# Longer addresses are refused before anybody reads them.
# https://developer.salesforce.com/docs/platform/api-rest/guide/errorcodes.html
_LONGEST_ADDRESS = 16_384


class SalesforceEmulator:
    """A whole org in memory, answering as Salesforce does."""

    def __init__(
        self,
        base_url: str | Callable[[], str],
        clock: Clock | None = None,
        seed: str = "demo",
    ) -> None:
        self.clock = Clock() if clock is None else clock
        self._base_url = base_url
        self.org = Org(clock=self.clock, seed=seed)
        self.tokens = Tokens(
            clock=self.clock,
            org_id=ORG_ID,
            username=USERNAME,
            base_url=self.url,
            user=self.org.user,
            logged_in=self.org.logged_in,
        )
        self.username = USERNAME
        self.client_id = self.tokens.client_id
        self.client_secret = self.tokens.client_secret

    @property
    def jwt_private_key_pem(self) -> bytes:
        """Give the key with which the app signs its assertions, in PEM."""
        return self.tokens.private_key_pem

    @property
    def refresh_token(self) -> str:
        """Give the refresh token that is good now."""
        return self.tokens.refresh_token

    @property
    def controls(self) -> Mapping[str, Callable[[dict[str, Any]], Awaitable[Any]]]:
        """Offer what a test may do to the org beside the ordinary calls."""
        return {"org": self._administer, "mails": self._mails, "changes": self._changes}

    @property
    def views(self) -> Mapping[str, Callable[[], Any]]:
        """Offer the mails sent and the changes made for reading."""
        return {
            "mails": lambda: {"mails": self.org.mails},
            "changes": lambda: {"changes": [c.document() for c in self.org.store.changes]},
        }

    def url(self) -> str:
        """Give the address of the org, without a slash at its end."""
        base = self._base_url if isinstance(self._base_url, str) else self._base_url()
        return base.rstrip("/")

    def reset(self, seed: str) -> None:
        """Start over with a seed; sessions stay."""
        self.org.reset(seed)
        self.tokens.rotating = False

    async def handle(self, request: Request) -> Response:
        """Answer a request as Salesforce would."""
        content = await request.body()
        try:
            reply = self._reply(request, content)
        except Exception:  # noqa: BLE001 - the log has it, and a client must get an answer
            # A mistake of the emulator's, told in the shape in which the platform tells its own.
            _LOG.exception("%s %s could not be answered", request.method, request.url.path)
            message = "An unexpected error occurred. Please include this ErrorId if you contact "
            unknown = refusal("UNKNOWN_EXCEPTION", f"{message}support", bare=True, status=500)
            reply = refused(unknown)
        body = b"" if request.method == "HEAD" else reply.content()
        headers = {"Content-Type": reply.kind, **reply.headers}
        if reply.status in (204, 304) or (reply.status == 201 and not body):
            headers.pop("Content-Type")
        return Response(body, reply.status, headers)

    def _reply(self, request: Request, content: bytes) -> Reply:
        path = _single(request.url.path)
        if len(str(request.url)) > _LONGEST_ADDRESS:
            return refused(refusal("URI_TOO_LONG", "URI Too Long", bare=True, status=414))
        if sum(len(name) + len(value) for name, value in request.headers.raw) > _LONGEST_ADDRESS:
            message = "Request Header Fields Too Large"
            return refused(refusal("REQUEST_HEADER_TOO_LARGE", message, bare=True, status=431))
        data, soap, bulk = (known.fullmatch(path) for known in (_DATA, _SOAP, _BULK))
        try:
            if path.startswith(("/services/oauth2/", "/id/")):
                return identity_api.answered(self.tokens, self.org, request, content)
            if bulk is not None:
                return self._bulk(request, content, bulk)
            if path.rstrip("/") == "/services/data":
                return Reply(200, meta_api.versions())
            if data is not None:
                return self._data(request, content, data)
            if soap is not None:
                return soap_api.answered(self.org, self.tokens, path, content)
        except Refusal as error:
            return refused(error)
        return refused(not_found())

    def _data(self, request: Request, content: bytes, found: re.Match[str]) -> Reply:
        number = int(found[1])
        if number < meta_api.OLDEST:
            message = f"API version v{number}.{found[2]} is retired and can no longer be used"
            raise refusal("UNSUPPORTED_API_VERSION", message, bare=True)
        if number > meta_api.NEWEST or found[2] != "0":
            raise not_found()
        session = self._session(request)
        self.org.count()
        call = Call(
            method=request.method,
            path=_raw_path(request)[len(f"/services/data/v{number}.{found[2]}") :],
            version=f"{number}.{found[2]}",
            session=session,
            query=dict(request.query_params),
            headers={**request.headers, "x-base": self.url()},
            content=content,
            again=answered,
        )
        with self.org.as_seen_by(session.user_id):
            reply = answered(self.org, call)
        body = reply.body
        if isinstance(body, list | dict):
            body = localised(body, self.org.language_of(session.user_id))
        usage = f"api-usage={self.org.calls_today}/{self.org.settings.daily_calls}"
        return Reply(reply.status, body, {"Sforce-Limit-Info": usage, **reply.headers}, reply.kind)

    def _bulk(self, request: Request, content: bytes, found: re.Match[str]) -> Reply:
        """Answer Bulk API 1.0, which has its own header for the session, and its own errors."""
        token = request.headers.get("x-sfdc-session", "")
        session = self.tokens.session(token.strip()) or self._bearer(request)
        if session is None:
            as_json = "json" in request.headers.get("content-type", "")
            code, message = "InvalidSessionId", "Invalid session id"
            return bulk1_api.error(code, message, as_json=as_json, status=401)
        self.org.count()
        call = Call(
            method=request.method,
            path=(found[3] or "").rstrip("/"),
            version=f"{int(found[1])}.{found[2]}",
            session=session,
            headers=dict(request.headers),
            content=content,
            again=answered,
        )
        with self.org.as_seen_by(session.user_id):
            return bulk1_api.answered(self.org, call)

    def _session(self, request: Request) -> Session:
        session = self._bearer(request)
        if session is None:
            raise refusal("INVALID_SESSION_ID", "Session expired or invalid", bare=True)
        return session

    def _bearer(self, request: Request) -> Session | None:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        return self.tokens.session(token.strip()) if scheme.lower() in ("bearer", "oauth") else None

    async def _administer(self, body: dict[str, Any]) -> Any:
        return changed(self.org, self.tokens, body)

    async def _mails(self, body: dict[str, Any]) -> Any:
        return self.views["mails"]()

    async def _changes(self, body: dict[str, Any]) -> Any:
        return self.views["changes"]()


def _raw_path(request: Request) -> str:
    """Give the path as it was sent: a slash inside a key is encoded."""
    raw = request.scope.get("raw_path")
    text = raw.decode("ascii", "replace") if isinstance(raw, bytes) else request.url.path
    return _single(text.partition("?")[0])


def _single(path: str) -> str:
    """Read the two slashes of a client whose base address ends in one as one."""
    return "/" + path.lstrip("/")
