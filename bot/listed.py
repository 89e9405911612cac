"""A file that may be a list: read at once from a leader, kindly declined from anybody else."""

from bot.forms import Turn
from bot.message import Inbound
from bot.reports import is_report
from bot.scene import Scene, command_named, say
from bot.talk import Talk
from handlers.given_lists import BringList, HowToImport, is_list


def listed(scene: Scene, talk: Talk, inbound: Inbound, text: str) -> Turn | None:
    """A list in a private chat is tried; None where a file belongs to something else that is said."""
    files = [item for item in inbound.attachments if is_list(item)]
    if not files or inbound.edited or _is_asked_for(talk) or (text and is_report(scene, text)):
        return None
    if scene.group:
        return Turn(talk, (say("group.private"),))
    if scene.may(HowToImport):
        first, *others = (BringList(file=file) for file in files)
        return Turn(talk, (), first, tuple(others))
    about = talk.form or talk.last_case or talk.last_filed or talk.alarm or talk.loose.media
    return None if text or about else Turn(talk, (say("given.not_yours"),))


def _is_asked_for(talk: Talk) -> bool:
    """A form that takes photos and files comes first."""
    form = talk.form
    return form is not None and not form.optional and "media" in command_named(form.command).model_fields
