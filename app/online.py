"""What only the network can tell: asked for by name, since it leaves this machine."""

from collections.abc import Iterator
from typing import Any

import httpx

from app.findings import Finding, mind, ok, wrong
from app.settings import Settings, Telegram

PATIENCE = 10.0
_OLD_MAIL = 20
"""Updates that wait at Telegram; more of them say that they do not come through."""


def online(settings: Settings) -> Iterator[Finding]:
    """Ask the channels whether our keys open them, and our own address whether it leads here."""
    with httpx.Client(timeout=PATIENCE, trust_env=True) as client:
        if settings.telegram is not None:
            yield from _telegram(client, settings.telegram)
        yield from _pages(client, settings)


def _telegram(client: httpx.Client, telegram: Telegram) -> Iterator[Finding]:
    try:
        me = _ask(client, telegram, "getMe")
        hook = _ask(client, telegram, "getWebhookInfo") if me.get("ok") else {}
    except (httpx.HTTPError, ValueError) as no:
        yield wrong(f"Telegram cannot be reached ({type(no).__name__}): look at the network and the proxy.")
        return
    if not me.get("ok"):
        yield wrong("Telegram does not know the bot's token: ask BotFather for the present one.")
        return
    yield ok(f"Telegram knows the token: the bot is @{me['result'].get('username', '')}.")
    yield from _webhook(telegram, hook.get("result") or {})


def _webhook(telegram: Telegram, hook: dict[str, Any]) -> Iterator[Finding]:
    there, ours = hook.get("url", ""), telegram.webhook_url or ""
    if there != ours:
        yield mind(
            f"Telegram posts to {there or 'nobody'}, and should {f'to {ours}' if ours else 'be polled'}: the "
            "program sets this at its start; if it runs, another one uses the same bot."
        )
    elif hook.get("last_error_message") and hook.get("pending_update_count", 0) > 0:
        yield wrong(f"Telegram could not deliver to {ours}: {hook['last_error_message']}.")
    elif hook.get("pending_update_count", 0) > _OLD_MAIL:
        yield mind(f"{hook['pending_update_count']} messages wait at Telegram.")
    else:
        yield ok("Telegram delivers." if ours else "Telegram waits to be polled.")


def _ask(client: httpx.Client, telegram: Telegram, method: str) -> dict[str, Any]:
    """The address holds the token, so no error's words are shown."""
    answer: dict[str, Any] = client.get(f"{telegram.calls}{telegram.token}/{method}").json()
    return answer


def _pages(client: httpx.Client, settings: Settings) -> Iterator[Finding]:
    try:
        status = client.get(f"{settings.url}/healthz").status_code
    except httpx.HTTPError as no:
        yield wrong(
            f"Nothing answers at {settings.url} ({type(no).__name__}), so links that people are sent lead "
            "nowhere: start the program, or set the address (XIAOGE_URL) and the proxy right."
        )
        return
    if status == httpx.codes.OK:
        yield ok(f"The pages answer at {settings.url}.")
    else:
        yield wrong(f"The pages at {settings.url} answer with {status}: read the log, or look at the proxy.")
