"""A conversation in the terminal: lines in, words out."""

import io
import os
import threading
from collections.abc import Sequence
from pathlib import Path

from bot.channel import Broken, Sent
from bot.channels.terminal import TerminalChannel
from bot.message import Inbound
from tests.channels.pictures import picture
from tests.channels.stages import Ear, outbound, run


def heard(lines: str, ear: Ear | None = None) -> tuple[TerminalChannel, Ear]:
    """Let somebody type these lines."""
    listening = ear or Ear()

    async def story() -> TerminalChannel:
        channel = TerminalChannel("王芳", io.StringIO(lines), io.StringIO())
        await channel.start(listening)
        await channel.ended.wait()
        await channel.stop()
        return channel

    return run(story()), listening


def test_every_line_is_a_message_of_whoever_speaks() -> None:
    _, ear = heard("路灯坏了\n\n@李队\n  接单 \n@\n@王芳 在吗")

    assert [(message.handle, message.chat, message.text) for message in ear.heard] == [
        ("王芳", "王芳", "路灯坏了"),
        ("李队", "李队", "接单"),
        ("李队", "李队", "@"),
        ("李队", "李队", "@王芳 在吗"),
    ]


def test_lines_are_numbered_so_that_two_runs_are_never_taken_for_one() -> None:
    names = [message.message_id for _ in range(2) for message in heard("灯\n灯\n")[1].heard]

    assert len(set(names)) == 4


def test_a_photo_is_sent_by_its_path_and_read_when_it_is_fetched(tmp_path: Path) -> None:
    (tmp_path / "lamp.jpg").write_bytes(picture())
    channel, ear = heard(f"/photo {tmp_path}/lamp.jpg 3栋 路灯\n/photo {tmp_path}/none.jpg\n")
    keys = [attachment.key for message in ear.heard for attachment in message.attachments]

    assert [message.text for message in ear.heard] == ["3栋 路灯", ""]
    assert [run(channel.fetch(key)) for key in keys] == [(picture(), "jpg"), None]


def test_a_line_that_could_not_be_kept_does_not_end_the_conversation() -> None:
    ear = Ear()
    ear.troubles = [OSError(28, "No space left on device")]

    assert heard("一\n二\n", ear)[1].texts == ["二"]


def test_bytes_that_are_no_text_are_heard_as_such() -> None:
    source = io.TextIOWrapper(io.BytesIO("灯\xff".encode("latin-1", "replace")), "utf-8", "surrogateescape")

    async def story() -> Sequence[Inbound]:
        ear, channel = Ear(), TerminalChannel("王芳", source, io.StringIO())
        await channel.start(ear)
        await channel.ended.wait()
        await channel.stop()
        return ear.heard

    assert [message.text for message in run(story())] == ["?�"]


def test_words_are_printed_with_the_name_of_who_else_is_meant() -> None:
    out = io.StringIO()
    channel = TerminalChannel("王芳", io.StringIO(), out)
    run(channel.send(outbound("已登记", chat="王芳", photos=("media:x",))))
    run(channel.send(outbound("新事件", chat="李队")))

    assert out.getvalue() == "小格:[照片 media:x]\n小格:已登记\n小格 → 李队:新事件\n"


def test_a_screen_that_cannot_show_a_sign_shows_the_others() -> None:
    out = io.TextIOWrapper(raw := io.BytesIO(), "gb2312")

    assert isinstance(
        run(TerminalChannel("王芳", io.StringIO(), out).send(outbound("灯💡", chat="王芳"))), Sent
    )
    out.flush()
    assert raw.getvalue().decode("gb2312") == f"小格:灯?{os.linesep}"


def test_a_closed_screen_is_broken() -> None:
    out = io.StringIO()
    channel = TerminalChannel("王芳", io.StringIO(), out)
    out.close()

    assert isinstance(run(channel.send(outbound("灯"))), Broken)


def test_stopping_does_not_wait_for_a_line_that_never_comes() -> None:
    readable, writable = os.pipe()
    source = os.fdopen(readable)

    async def story() -> Ear:
        ear, channel = Ear(), TerminalChannel("王芳", source, io.StringIO())
        await channel.start(ear)
        os.write(writable, "灯\n".encode())
        await ear.first.wait()
        await channel.stop()
        return ear

    assert run(story()).texts == ["灯"]
    os.close(writable)
    for thread in threading.enumerate():
        if thread.name == "terminal":
            thread.join(10)
            assert not thread.is_alive()
    source.close()
