"""What people write stays out of errors, because errors stand in logs."""

import pytest
from pydantic import BaseModel, ValidationError

from bot.message import Inbound
from bot.talk import Talk
from handlers.reporting import Report
from web.forms import Said

WORDS = "隔壁老周家的事"


@pytest.mark.parametrize("kind", [Report, Inbound, Talk, Said])
def test_an_error_does_not_repeat_the_words(kind: type[BaseModel]) -> None:
    fields = {name: {"words": [WORDS]} for name in kind.model_fields}
    with pytest.raises(ValidationError) as wrong:
        kind.model_validate(fields)

    assert WORDS not in str(wrong.value)
