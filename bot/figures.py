"""Figures of one process for monitoring: what came in, what was sent, and how long it took."""

from prometheus_client import CollectorRegistry, Counter, Histogram

from bot.channel import Outcome

_SECONDS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class Figures:
    """Counts since the process began, of one place. Nothing personal is ever a label."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._heard = Counter(
            "xiaoge_messages_accepted", "Messages kept.", ["channel"], registry=self.registry
        )
        self._sent = Counter(
            "xiaoge_letters",
            "Letters by what became of a try.",
            ["channel", "outcome"],
            registry=self.registry,
        )
        self._took = Histogram(
            "xiaoge_send_seconds",
            "Seconds a channel took to take a letter.",
            ["channel"],
            buckets=_SECONDS,
            registry=self.registry,
        )

    def heard(self, channel: str) -> None:
        """Count a message that was kept."""
        self._heard.labels(channel).inc()

    def sent(self, channel: str, outcome: Outcome, seconds: float) -> None:
        """Count a try to send a letter."""
        self._sent.labels(channel, type(outcome).__name__.lower()).inc()
        self._took.labels(channel).observe(seconds)
