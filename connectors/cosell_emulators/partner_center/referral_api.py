"""The Referrals API over HTTP: addresses, headers, and what is done for each verb."""

import json
import re
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from cosell_emulators import exact_json
from cosell_emulators.clock import Clock
from cosell_emulators.partner_center import listing, moments, patching, tokens
from cosell_emulators.partner_center.problems import ReferralRefusal, invalid, not_found
from cosell_emulators.partner_center.referrals import Referral, Referrals
from cosell_emulators.partner_center.tokens import Tokens

# The connector's definition spells two operations with slashes after the identifier.
_ONE = re.compile(r"/referrals/([^/]+)/*", re.IGNORECASE)
_ALL = re.compile(r"/referrals/?", re.IGNORECASE)
_ETAG = re.compile(r'W/"[^"]*"|"[^"]*"|\*')
_JSON = ("application/json", "application/json-patch+json")


class ReferralApi:
    """Answers /v1.0/engagements."""

    def __init__(
        self, *, base_url: Callable[[], str], clock: Clock, tokens: Tokens, referrals: Referrals
    ) -> None:
        self._base_url = base_url
        self._clock = clock
        self._tokens = tokens
        self._referrals = referrals
        # Documents show no status line for a creation; Microsoft's definition of its own connector
        # says 200. A client has to take 201 too.
        self.created_status = 200

    async def handle(self, request: Request, path: str) -> Response:
        """Answer a request below /v1.0/engagements, with the headers every answer carries."""
        headers = self._headers(request)
        try:
            response = await self._answer(request, path)
        except ReferralRefusal as refusal:
            response = refusal.response()
        response.headers.update(headers)
        return response

    async def _answer(self, request: Request, path: str) -> Response:
        self._authorise(request)
        if _ALL.fullmatch(path):
            return await self._collection(request)
        if found := _ONE.fullmatch(path):
            return await self._single(request, found[1])
        raise not_found("resource")

    def _authorise(self, request: Request) -> None:
        grant = self._tokens.grant_of(request.headers.get("authorization"))
        if grant is None or grant.audience != tokens.REFERRALS:
            text = "The access token is missing, has expired, or is for another audience."
            raise ReferralRefusal(401, "unauthenticated", text, WWW_Authenticate="Bearer")
        if not grant.of_user:
            # "Currently supports only user access", every page of the API says.
            # https://learn.microsoft.com/en-us/partner-center/developer/patch-a-referral
            text = "Caller is not authorized to access the resource."
            raise ReferralRefusal(403, "accessDenied", text, inner="UserAccessRequired")

    async def _collection(self, request: Request) -> Response:
        match request.method:
            case "GET":
                query = listing.read(request.query_params)
                answer = listing.page(self._referrals, query, base_url=self._base_url())
                return _json(answer)
            case "POST":
                referral = self._referrals.create(await _body(request))
                response = _represented(referral, status=self.created_status)
                response.headers["Location"] = referral.document["links"]["self"]["uri"]
                return response
        raise _not_allowed("GET, POST")

    async def _single(self, request: Request, referral_id: str) -> Response:
        if request.method not in ("GET", "PATCH", "PUT"):
            raise _not_allowed("GET, PATCH, PUT")
        referral = self._referrals.get(referral_id)
        if request.method == "GET":
            return self._get(request, referral)
        if referral.is_microsofts:
            text = "The referral belongs to another organization."
            raise ReferralRefusal(403, "accessDenied", text, inner="NotOwner")
        body = await _body(request)
        if request.method == "PATCH":
            _check_etag(request, referral)
            self._referrals.patch(referral, patching.read(body))
            return _patched(request, referral)
        if "if-match" not in request.headers:
            raise invalid("An update by PUT needs the If-Match header.", target="If-Match")
        _check_etag(request, referral)
        self._referrals.replace(referral, body)
        return _represented(referral)

    def _get(self, request: Request, referral: Referral) -> Response:
        # The printed context of a single referral misspells "engagements"; so does this one.
        root = f"{self._base_url()}/v1.0/engagments/referrals"
        context = {"@odata.context": f"{root}/$metadata#Referrals/$entity"}
        select = listing.select_of(request.query_params)
        document = context | listing.project(referral.document, select)
        return _json(document, ETag=referral.document["eTag"])

    def _headers(self, request: Request) -> dict[str, str]:
        given = request.headers
        now = moments.write(moments.ticks_of(self._clock.now()))
        headers = {
            "Request-ID": str(uuid.uuid4()),
            "timestamp": now,
            "x-ms-ags-diagnostic": json.dumps({"ServerInfo": {"Slice": "SliceC", "Ring": "0"}}),
        }
        for name in ("MS-CorrelationId", "MS-RequestId"):
            headers[name] = given.get(name) or str(uuid.uuid4())
        if "client-request-id" in given:
            headers["client-request-id"] = given["client-request-id"]
        return headers


async def _body(request: Request) -> Any:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in _JSON:
        text = f"The content type {kind!r} is not supported."
        raise ReferralRefusal(415, "invalidRequest", text, inner="UnsupportedMediaType")
    try:
        return exact_json.loads(await request.body())
    except (ValueError, RecursionError) as error:
        raise invalid("The body is not JSON.", target="body", inner="InvalidJson") from error


def _check_etag(request: Request, referral: Referral) -> None:
    wanted = request.headers.get("if-match")
    if wanted is None:
        return
    tags = _ETAG.findall(wanted)
    if "*" not in tags and referral.document["eTag"] not in tags:
        text = "The referral was changed since; read it again."
        raise ReferralRefusal(412, "preconditionFailed", text, target="If-Match")


def _patched(request: Request, referral: Referral) -> Response:
    preferences = request.headers.get("prefer", "").lower().replace(" ", "")
    if "return=representation" in preferences:
        response = _represented(referral)
        response.headers["Preference-Applied"] = "return=representation"
        return response
    return Response(status_code=204, headers={"ETag": referral.document["eTag"]})


def _represented(referral: Referral, *, status: int = 200) -> Response:
    return _json(referral.document, status=status, ETag=referral.document["eTag"])


def _json(document: Mapping[str, Any], *, status: int = 200, **headers: str) -> Response:
    kind = "application/json; odata.metadata=minimal"
    return Response(exact_json.dumps(document), status, headers=headers, media_type=kind)


def _not_allowed(allowed: str) -> ReferralRefusal:
    text = "The resource does not support the method."
    return ReferralRefusal(405, "invalidRequest", text, inner="MethodNotAllowed", Allow=allowed)
