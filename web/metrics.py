"""GET /metrics: figures in Prometheus's form, for whoever shows the key; none of them is about a person."""

import hmac
from collections.abc import Iterator, Mapping, Sequence

from fastapi import APIRouter, HTTPException
from fastapi.requests import Request
from fastapi.responses import Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy import func, select
from sqlmodel import col

from handlers.queues import Queue, failing, held, undecided, unsent
from handlers.watching import last_run, troubles
from handlers.work import Reading
from models import OPEN, GroupPost, Incident, PostState
from web.parts import Parts
from web.reading import Looks


def metrics_routes(parts: Parts, looks: Looks) -> APIRouter:
    """The page is not there unless a key was set; a wrong key is answered like a missing page."""
    router = APIRouter(include_in_schema=False)

    @router.get("/metrics")
    async def metrics(request: Request) -> Response:
        if not _may(parts.metrics_key, request.headers.get("authorization", "")):
            raise HTTPException(404)
        found = await looks(lambda reading: list(figures(reading)))
        return Response(_shown(found, parts.figures.registry), media_type=CONTENT_TYPE_LATEST)

    return router


def _may(key: str, shown: str) -> bool:
    return bool(key) and hmac.compare_digest(shown.encode("utf-8", "replace"), f"Bearer {key}".encode())


class _Found(Collector):
    def __init__(self, found: list[Metric]) -> None:
        self._found = found

    def collect(self) -> Iterator[Metric]:
        """Give what was read."""
        yield from self._found


def _shown(found: list[Metric], counted: CollectorRegistry) -> bytes:
    registry = CollectorRegistry()
    registry.register(_Found(found))
    return generate_latest(registry) + generate_latest(counted)


def figures(reading: Reading) -> Iterator[Metric]:
    """What the database says, the same in every process: queues, cases, heartbeats, troubles."""
    session, now = reading.session, reading.now
    yield from _queue(reading, "inbox", "messages kept and not decided", [undecided(session)])
    yield from _queue(reading, "outbox", "letters due and not sent", unsent(session, now))
    yield from _queue(reading, "outbox_failing", "letters tried again and again", failing(session, now))
    yield _gauge("xiaoge_outbox_held", "Letters promised for later.", {(): held(session, now)})
    yield _gauge("xiaoge_cases_open", "Cases that are open.", {(): _open_cases(reading)})
    yield _gauge("xiaoge_group_posts_waiting", "Posts that a group's owner has to see to.", _posts(reading))
    yield _gauge("xiaoge_job_age_seconds", "Seconds since a job ran last.", _jobs(reading), ["job"])
    wrong: dict[tuple[str, ...], float] = {
        (trouble.kind,): float(trouble.args.get("count", 1)) for trouble in troubles(reading)
    }
    yield _gauge("xiaoge_trouble", "What must never be, as the watch counts it.", wrong, ["kind"])


def _queue(reading: Reading, name: str, about: str, queues: Sequence[Queue]) -> Iterator[Metric]:
    counts: dict[tuple[str, ...], float] = {(queue.name,): float(queue.count) for queue in queues}
    ages: dict[tuple[str, ...], float] = {
        (queue.name,): (reading.now - queue.oldest).total_seconds() if queue.oldest else 0.0
        for queue in queues
    }
    yield _gauge(f"xiaoge_{name}_waiting", f"How many {about}.", counts, ["channel"])
    yield _gauge(f"xiaoge_{name}_oldest_seconds", f"Age of the oldest of {about}.", ages, ["channel"])


def _gauge(
    name: str, about: str, values: Mapping[tuple[str, ...], float], labels: list[str] | None = None
) -> Metric:
    family = GaugeMetricFamily(name, about, labels=labels or ())
    for key, value in values.items():
        family.add_metric(key, value)
    return family


def _open_cases(reading: Reading) -> int:
    query = select(func.count()).select_from(Incident).where(col(Incident.state).in_(OPEN))
    return int(reading.session.execute(query).scalar_one())


def _posts(reading: Reading) -> dict[tuple[str, ...], float]:
    query = select(func.count()).where(col(GroupPost.state) == PostState.WAITING_OWNER)
    return {(): float(reading.session.execute(query).scalar_one())}


def _jobs(reading: Reading) -> dict[tuple[str, ...], float]:
    runs = {job: last_run(reading, job) for job in reading.book.schedule}
    return {(job,): (reading.now - at).total_seconds() for job, at in runs.items() if at is not None}
