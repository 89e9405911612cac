"""python-telegram-bot's bare echo: an update in, a reply out, no network, nothing kept."""

import asyncio
import sys
from time import perf_counter
from typing import Any

from telegram import Update
from telegram.ext import Application, ContextTypes, MessageHandler, filters
from telegram.request import BaseRequest

from bench.apart import Result, answer


class _Nowhere(BaseRequest):
    """Answers every call at once as Telegram would."""

    @property
    def read_timeout(self) -> float | None:
        return None

    async def initialize(self) -> None:
        return

    async def shutdown(self) -> None:
        return

    async def do_request(self, url: str, *args: Any, **more: Any) -> tuple[int, bytes]:
        if url.endswith("/getMe"):
            return 200, b'{"ok":true,"result":{"id":1,"is_bot":true,"first_name":"b","username":"b"}}'
        return 200, b'{"ok":true,"result":{"message_id":1,"date":1,"chat":{"id":1,"type":"private"}}}'


async def _echo(update: Update, _: ContextTypes.DEFAULT_TYPE) -> None:
    assert update.message is not None
    await update.message.reply_text(update.message.text or "")


async def measure(messages: int) -> Result:
    """Let the echo answer a number of messages, one after the other."""
    nowhere = _Nowhere()
    bot = Application.builder().token("1:a").request(nowhere).get_updates_request(nowhere).build()
    bot.add_handler(MessageHandler(filters.TEXT, _echo))
    await bot.initialize()
    began = perf_counter()
    for number in range(messages):
        message = {
            "message_id": number,
            "date": 1,
            "chat": {"id": 1, "type": "private"},
            "from": {"id": 1, "is_bot": False, "first_name": "a"},
            "text": "3栋楼下路灯坏了",
        }
        update = Update.de_json({"update_id": number, "message": message}, bot.bot)
        await bot.process_update(update)
    return {"per_second": messages / (perf_counter() - began)}


if __name__ == "__main__":
    answer(asyncio.run(measure(int(sys.argv[1]))))
