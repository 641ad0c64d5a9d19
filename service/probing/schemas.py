"""What clients are told of jobs: pydantic models, from which the OpenAPI document is made."""

from __future__ import annotations

from datetime import UTC, datetime

from pydantic import BaseModel, Field

from service.probing.store import Job, State


class JobProgress(BaseModel):
    """Outcomes there are, and outcomes there will be; null before the job began."""

    done: int
    wanted: int | None


class JobLease(BaseModel):
    """The prober that works on the job, and until when it holds it without a further sign of life."""

    holder: str
    until: datetime


class JobError(BaseModel):
    """Why a job failed: a code for programs, a sentence for people."""

    code: str
    error: str


class JobAnswer(BaseModel):
    """A job; `revision` grows with every change, `taken` counts the probers that worked on it."""

    id: str
    state: State
    model: str
    battery: str
    texts: int
    progress: JobProgress
    created: datetime
    started: datetime | None
    ended: datetime | None
    taken: int
    lease: JobLease | None
    error: JobError | None
    sha256: str | None = Field(description="Of the finished report as JSON.")
    revision: int

    @classmethod
    def of(cls, job: Job) -> JobAnswer:
        """The job as its clients see it."""
        held = job.holder is not None and job.lease_until is not None
        return cls(
            id=job.id,
            state=job.state,
            model=job.model,
            battery=job.battery,
            texts=job.texts,
            progress=JobProgress(done=job.done, wanted=job.wanted),
            created=_moment(job.created),
            started=None if job.started is None else _moment(job.started),
            ended=None if job.ended is None else _moment(job.ended),
            taken=job.taken,
            lease=JobLease(holder=job.holder or "", until=_moment(job.lease_until or 0)) if held else None,
            error=None if job.error_code is None else JobError(code=job.error_code, error=job.error or ""),
            sha256=job.sha256,
            revision=job.revision,
        )


class JobPage(BaseModel):
    """Jobs, the latest first; `next` is what to send as `after` for those before them, null where there are none."""

    jobs: list[JobAnswer]
    next: str | None


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(round(seconds, 3), UTC)
