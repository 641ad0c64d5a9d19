"""Refusals: every error the service answers with, in one shape."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.responses import JSONResponse

# The kinds by which clients of text-embeddings-inference tell its refusals apart; the rest is "Validation"
_KINDS = {429: "Overloaded", 500: "Backend"}


class Refusal(Exception):
    """A request that is not answered: a status, a code for programs and a sentence for people."""

    def __init__(self, status: int, code: str, sentence: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(code)
        self.status = status
        self.code = code
        self.sentence = sentence
        self.headers = dict(headers or {})

    def body(self, request_id: str) -> dict[str, str]:
        return {
            "error": self.sentence,
            "code": self.code,
            "error_type": _KINDS.get(self.status, "Validation"),
            "request_id": request_id,
        }

    def response(self, request_id: str) -> JSONResponse:
        return JSONResponse(self.body(request_id), status_code=self.status, headers=self.headers)


def not_found() -> Refusal:
    return Refusal(404, "not_found", "There is nothing at this address; GET /openapi.json lists what there is.")


def wrong_method(allowed: str) -> Refusal:
    return Refusal(405, "method_not_allowed", f"This address answers to {allowed} only.", {"Allow": allowed})


def internal() -> Refusal:
    return Refusal(500, "internal", "The service failed on this request; its log has the request id and the place.")
