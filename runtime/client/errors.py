"""What can go wrong between a client and a service."""

from __future__ import annotations


class RemoteError(RuntimeError):
    """The address did not answer as a service does; the message says what it did."""


class WrongAnswer(RemoteError):
    """An answer that is none of this service's."""


class Refused(RemoteError):
    """The service said no: a code for programs, a sentence for people, the id by which its log knows the request."""

    def __init__(self, where: str, status: int, code: str, sentence: str, request_id: str) -> None:
        super().__init__(f"{where} answered status {status}: {sentence}")
        self.status = status
        self.code = code
        self.sentence = sentence
        self.request_id = request_id


class Unreachable(RemoteError):
    """No answer, or only busy ones, in as many tries as there are; `last` is the last refusal, if there was one."""

    def __init__(self, message: str, last: Refused | None) -> None:
        super().__init__(message)
        self.last = last


class Late(Unreachable):
    """The deadline of the call came before an answer."""
