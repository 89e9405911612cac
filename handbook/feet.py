"""What offices write below their lists: sums, who made it, remarks."""

import re

_FOOT = re.compile(
    r"(?:[总合小共]计|本页[合小]计)(?:[:：]?\s*[\d.]*\s*[户人个条]*)"
    r"|(?:填[表报]|制[表单]|审[核批]|复核|经办|负责|联系|统计|登记|校对)(?:人员?|单位|日期|时间|电话)?(?:[(（][^)）]*[)）])?[:：].*"
    r"|(?:备注|注|说明|日期|单位(?:[(（]盖?章[)）])?|[(（]?盖章[)）]?)[:：].*"
)
"""What stands below a list and is none of it: its sums, and who made it."""


def is_below_a_list(words: str) -> bool:
    """Whether words sum a list up or sign it, and name nothing in it: 合计, 填表人：李强."""
    return _FOOT.fullmatch(words) is not None
