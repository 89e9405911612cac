"""Which command is heard in what people type, and in which sentences none is."""

from pathlib import Path
from time import perf_counter
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

import handbook.phrases
from handbook.likeness import Likeness
from handbook.phrases import Heard, Phrases, PhraseSpec
from handbook.words import plain, syllables

SHEET: dict[str, Any] = yaml.safe_load(
    (Path(handbook.phrases.__file__).parent / "default" / "intents.yaml").read_text("utf-8")
)
SPEC = {command: PhraseSpec.model_validate(its) for command, its in SHEET.items()}
PHRASES = Phrases(SPEC)

COMMANDS = (
    "help menu cancel back resume undo thanks hello ack yes no skip human report progress show "
    "solved unsolved satisfied basically_satisfied dissatisfied urge amend recategorise regrade "
    "relocate todo accept return_case transfer dispatch join arrive finish verify rework extend "
    "suspend unsuspend approve disapprove void not_ours unsolvable merge supervise arbitrate "
    "self_handle zero board funnel secret anonymous on_behalf"
)

# What is typed | the command | the numbers | the rest.
EXACT = """
1 接单 | accept | 1
接单1 | accept | 1
接单 1、2、3 | accept | 1 2 3
1-3接单 | accept | 1 2 3
①接单 | accept | 1
第三个接单 | accept | 3
一、接单 | accept | 1
接第二个 | accept | 2
我来接单 | accept
我来,马上到 | accept | | 马上到
这单我接 | accept
接单了 | accept
@小格 接单 2 | accept | 2
2 办结 已更换灯泡 | finish | 2 | 已更换灯泡
办结1017 已更换灯泡 | finish | 1017 | 已更换灯泡
1017办结,已更换 | finish | 1017 | 已更换
１０１７办结。 | finish | 1017
办结 1017:2个灯泡已换 | finish | 1017 | 2个灯泡已换
办结已更换灯泡 | finish | | 已更换灯泡
工单1017 办结 | finish | 1017
任务3 办结 | finish | 3
已处理 垃圾清走了 | finish | | 垃圾清走了
3号弄好了 | finish | 3
好的,1017办结 | finish | 1017
收到,接单 | accept
查 1017 | show | 1017
查1017 | show | 1017
查一下1017 | show | 1017
编号1017 | show | 1017
看看3 | show | 3
详情 2 | show | 2
1017怎么样了 | progress | 1017
1017到哪一步了? | progress | 1017
帮我查下进度 | progress
帮我看看进度吧 | progress
我的上报 | progress
我报的事怎么样了 | progress
修好了吗 | progress
查询进度 | progress
催一下1017 | urge | 1017
1017催一下 | urge | 1017
怎么还没来 | urge
麻烦催一下 | urge
把3号转给李队 | transfer | 3 | 李队
转给李队 | transfer | | 李队
1017 转派给水务所 | transfer | 1017 | 水务所
转派 水务所 | transfer | | 水务所
派给城管中队 | dispatch | | 城管中队
2 派单给王磊 | dispatch | 2 | 王磊
加派 电力所 | join | | 电力所
1 退回 不是我的片区 | return_case | 1 | 不是我的片区
退回1017 派错了 | return_case | 1017 | 派错了
不是我的片区 | return_case
不归我们管 | not_ours
超出范围,这是铁路的 | not_ours | | 这是铁路的
到了 | arrive
1017已到现场 | arrive | 1017
延期3天 | extend | | 3天
延期1017 3天 | extend | 1017 | 3天
1017 延期到周五 | extend | 1017 | 周五
申请延期 要等配件 | extend | | 要等配件
挂账 等汛期过了 | suspend | | 等汛期过了
取消挂账 | unsuspend
同意 | approve
1 同意 | approve | 1
不同意 | disapprove
驳回,理由不充分 | disapprove | | 理由不充分
核查通过 | verify
返工 没扫干净 | rework | | 没扫干净
合并到1017 | merge | 1017
1017和1018合并 | merge | 1017 1018
督办1017 | supervise | 1017
裁定 | arbitrate
作废 重复上报 | void | | 重复上报
无法办理 | unsolvable
自办 楼道杂物已清 | self_handle | | 楼道杂物已清
顺手处理了 | self_handle
没清零的 | zero
看板 | board
我的待办 | todo
今天干啥 | todo
有什么任务 | todo
任务 | todo
上报 | report
我要上报 | report
我想反映个问题,楼下太吵 | report | | 楼下太吵
上报3栋路灯坏了 | report | | 3栋路灯坏了
上报 1号楼漏水 | report | | 1号楼漏水
报修厨房漏水 | report | | 厨房漏水
我要报3栋电梯坏了 | report | | 3栋电梯坏了
你好,我要上报 | report
您好 我要投诉物业 | report | | 物业
报个事 | report
代报 张奶奶家停水 | on_behalf | | 张奶奶家停水
替居民上报 | on_behalf
匿名 | anonymous
别写我名字 | anonymous
请保密 | secret
未解决 | unsolved
没解决 | unsolved
还是坏的 | unsolved
还没修好! | unsolved
没修好,还在滴水 | unsolved | | 还在滴水
已解决 | solved
修好了,谢谢 | solved | | 谢谢
谢谢,已经修好了 | solved
满意 | satisfied
基本满意 | basically_satisfied
不满意 | dissatisfied
不满意 来得太晚 | dissatisfied | | 来得太晚
改地点 | relocate
地点不对,是5栋 | relocate | | 是5栋
改类别 | recategorise
改级别 | regrade
改2 | amend | 2
修改 | amend
取消 | cancel
算了 | cancel
不报了 | cancel
返回 | back
上一步 | back
继续 | resume
撤回 | undo
跳过 | skip
没有照片 | skip
转人工 | human
找网格员 | human
帮助 | help
? | help
？ | help
/help | help
怎么用? | help
菜单 | menu
0 | menu
０ | menu
/start | menu
谢谢 | thanks
谢谢您的帮助 | thanks | | 您的帮助
辛苦了 | thanks
你好 | hello
在吗 | hello
收到 | ack
好的 | ack
收到,马上安排人 | ack | | 马上安排人
知道了 | ack
是 | yes
对,就是那里 | yes | | 就是那里
确认提交 | yes
提交 | yes
不是 | no
否 | no
0301-0001 办结 | finish
办结 0301-0001 灯泡换了 | finish | | 灯泡换了
我那个事情怎么样了 | progress
我的事办得怎样了 | progress
我报的那几个都办到哪儿了 | progress
什么时候能修好啊 | progress
几时修好呀 | progress
1002到哪一步了 | progress | 1002
1002谁在办 | progress | 1002
1002 什么时候修好 | progress | 1002
没有办好呀还是吵 | unsolved
没有办好,还是吵 | unsolved | | 还是吵
还是吵 | unsolved
还是好臭 | unsolved
冇解决 | unsolved
冇搞掂 | unsolved
还是坏的 | unsolved
根本没修 | unsolved
根本没人来 | unsolved
我要找人工 | human
谁是网格员 | human
你们领导电话 | human
领导电话多少 | human
算了算了不说了 | cancel
算了不用了 | cancel
不报了 | cancel
这事不报了 | cancel
满意个屁 | dissatisfied
满意什么 | dissatisfied
到咗 | arrive
到嘞 | arrive
到咯 | arrive
修好了,换了个灯泡 | solved | | 换了个灯泡
今天有几件没办的 | board
全镇情况怎么样 | board
还有哪些超时的 | board
超时的有哪些 | board
有多少没办 | board
还有几件没办 | board
我今天有什么事 | todo
今天有哪些事 | todo
你是谁 | help
你是机器人吗 | help
你是真人吗 | help
"""

LIKELY = {
    "上抱": ("report", ()),
    "代办": ("todo", ()),
    "接但": ("accept", ()),
    "办接": ("finish", ()),
    "进渡": ("progress", ()),
    "彩单": ("menu", ()),
    "撤会": ("undo", ()),
    "退会": ("return_case", ()),
    "挂障": ("suspend", ()),
    "崔办": ("urge", ()),
    "区消": ("cancel", ()),
    "shangbao": ("report", ()),
    "shangba": ("report", ()),
    "daiban": ("todo", ()),
    "jiedan 1": ("accept", (1,)),
    "BanJie": ("finish", ()),
    "bangzhu": ("help", ()),
    "1 接丹": ("accept", (1,)),
    "上抱3栋路灯坏了": ("report", ()),
    "上抱 路灯坏了": ("report", ()),
    "待拌吧": ("todo", ()),
}

MAYBE = {
    "办结?": "finish",
    "接单?": "accept",
    "电梯修好了": "solved",
    "路灯没修好": "unsolved",
    "为解决": "unsolved",
    "谢谢,但是灯还是不亮": "unsolved",
    "结束了吗": "progress",
}

DECLINED = {
    "不上报": "report",
    "别催了": "urge",
    "取消上报": "report",
    "先不办结": "finish",
    "不要退回": "return_case",
    "不接单": "accept",
    "我不接单": "accept",
    "1017先别催": "urge",
    "1017不办结": "finish",
    "这个不用催了": "urge",
    "别转派了": "transfer",
    "没有办结": "finish",
    "无需督办": "supervise",
    "甭催": "urge",
    "请不要作废": "void",
    "不要把3号转给李队": None,
    "不上抱": "report",
    "先不办街": "finish",
    "暂不挂账": "suspend",
    "别合并": "merge",
}

FREE = """
楼下有人上报了假消息
3栋路灯坏了,已经上报物业没人管
退回押金的事没人管
已经上报物业没人管
投诉过三次了没人理
上报给社区也不管
上报了好几次没人来
反映了半年了
3栋楼下路灯坏了
你好,3栋路灯坏了
在吗,我们这里停水了
3 栋路灯坏了
3号楼电梯困人
2单元501漏水
3天没水了
一直没人来收垃圾
楼下垃圾成堆没人清
下水道堵了
停水了
没水了
没电了
路灯不亮
电梯坏了
有人吵架
有人打架
树倒了
墙倒了
着火了
老人没人管
积水
煤气味
我家漏水
路坏了
广场
张三
今天早上
三天了
救命啊
诈骗
传销
上访
办低保
退休金怎么领
退押金
转学手续怎么办
转户口
转角处路灯坏了
查水表的冒充人员
查户口的来了
催债的上门威胁
催收电话太多
催物业交房
改天再说
改造工程半夜施工
取消低保怎么办
取款机坏了
恢复供水了吗
暂停营业的店又开了
无效合同怎么办
合同纠纷
人工湖漏水
同意书在哪里开
对面楼太吵
对不起
是不是停水了
是谁在半夜施工
好多垃圾
好几天没人收垃圾
可以养鸡吗
行道树倒了
早餐店占道
喂狗的人太多
要停电吗
看门的大爷不在
接水管的师傅没来
接送孩子的车乱停
到处都是垃圾
到了晚上特别吵
结束施工后没清理
统计局在哪里
保密局旁边的路
加急件丢了
自办企业怎么登记
延期交房
没人接单
不知道找哪个部门
开始漏水了
继续漏水
完成不了作业的孩子没人管
解决方案在哪看
查封的房子有人住
撤回来的工人没地方住
帮我家看看漏水
支援边疆的老人
升级改造的工地太吵
报警
报名
今天天气真好
哈哈哈
不是3栋,是5栋
转水务所
网格员上报的事
"""


def rows(table: str) -> list[list[str]]:
    return [[cell.strip() for cell in line.split("|")] for line in table.strip().splitlines()]


def test_the_sheet_holds_the_words_of_the_known_commands() -> None:
    assert set(COMMANDS.split()) <= set(SPEC)


def test_a_wrong_key_and_an_empty_list_are_refused() -> None:
    wrongs: list[dict[str, Any]] = [{"phrases": ["查"], "harmful": True}, {"phrases": []}, {}]
    for wrong in wrongs:
        with pytest.raises(ValidationError):
            PhraseSpec.model_validate(wrong)


def test_no_phrase_may_belong_to_two_commands() -> None:
    spec = {"show": PhraseSpec(phrases=("查…",)), "verify": PhraseSpec(phrases=("查",))}

    with pytest.raises(ValueError, match="查 belongs to show and to verify"):
        Phrases(spec)


def test_short_phrases_of_two_commands_do_not_sound_the_same() -> None:
    known = {"fanhui"}  # 返回 and 反悔: only when both are mistyped alike, and then it is asked
    sounds: dict[str, set[str]] = {}
    for command, its in SPEC.items():
        for phrase in its.phrases:
            sound = "".join(syllables(plain(phrase)))
            if len(syllables(plain(phrase))) > 1:
                sounds.setdefault(sound, set()).add(command)

    assert {sound for sound, commands in sounds.items() if len(commands) > 1} == known


@pytest.mark.parametrize("row", rows(EXACT), ids=lambda row: row[0])
def test_a_command_is_heard_with_its_numbers_and_the_rest(row: list[str]) -> None:
    typed, command, numbers, rest = [*row, "", ""][:4]

    found = PHRASES.hear(typed)

    assert (found.command, found.certainty) == (command, "exact")
    assert " ".join(map(str, found.numbers)) == numbers
    assert found.rest == rest
    assert not found.negated


def test_whole_case_numbers_are_kept_as_written() -> None:
    assert PHRASES.hear("0301-0001 办结").codes == ("0301-0001",)
    assert PHRASES.hear("查 0301-0001").codes == ("0301-0001",)


@pytest.mark.parametrize(("typed", "heard"), LIKELY.items())
def test_a_homophone_or_typed_pinyin_is_likely(typed: str, heard: tuple[str, tuple[int, ...]]) -> None:
    found = PHRASES.hear(typed)

    assert (found.command, found.numbers, found.certainty) == (*heard, "likely")


@pytest.mark.parametrize(("typed", "command"), MAYBE.items())
def test_what_may_be_a_command_is_only_suggested(typed: str, command: str) -> None:
    found = PHRASES.hear(typed)

    assert (found.command, found.certainty) == (None, "maybe")
    assert command in found.suggestions
    assert len(found.suggestions) <= 3


@pytest.mark.parametrize(("typed", "command"), DECLINED.items())
def test_a_declined_command_never_runs(typed: str, command: str | None) -> None:
    found = PHRASES.hear(typed)

    assert (found.command, found.certainty) == (None, None)
    assert found.negated == (command is not None)
    assert found.suggestions == ((command,) if command else ())


@pytest.mark.parametrize("typed", FREE.strip().splitlines())
def test_a_report_in_free_words_stays_free(typed: str) -> None:
    found = PHRASES.hear(typed)

    assert (found.command, found.suggestions) == (None, ())
    assert found.rest in plain(typed)


@pytest.mark.parametrize(
    "typed",
    ["好了,弄好了,谢谢师傅", "好了,已经修好了,谢谢", "对了,路灯也坏了", "行了,不用来了", "可以了,师傅走了"],
)
def test_chatter_is_no_consent(typed: str) -> None:
    assert PHRASES.hear(typed).command != "yes"
    assert "yes" not in PHRASES.hear(typed).suggestions


@pytest.mark.parametrize(
    ("typed", "numbers"), {"1": (1,), "１０１７": (1017,), "第二个": (2,), "1、3": (1, 3)}.items()
)
def test_a_bare_number_is_handed_on(typed: str, numbers: tuple[int, ...]) -> None:
    assert PHRASES.hear(typed) == Heard(numbers=numbers, codes=tuple(map(str, numbers)))


@pytest.mark.parametrize("command", SPEC)
def test_every_phrase_hears_its_own_command(command: str) -> None:
    for phrase in SPEC[command].phrases:
        assert PHRASES.hear(phrase.rstrip("…N") if phrase.endswith(("…", "N")) else phrase).command == command


@pytest.mark.parametrize("command", SPEC)
def test_a_denial_before_any_phrase_keeps_it_from_running(command: str) -> None:
    for phrase in SPEC[command].phrases:
        for denial in ("不", "别", "先不", "不要"):
            found = PHRASES.hear(denial + phrase.rstrip("…N"))

            assert found.command != command or denial + phrase.rstrip("…N") in SPEC[command].phrases


@given(st.text(max_size=60))
def test_nothing_typed_can_break_it(typed: str) -> None:
    found = PHRASES.hear(typed)

    assert found.command is None or found.command in SPEC
    assert (found.command is None) or not found.negated


def test_only_words_of_a_few_syllables_are_compared_by_sound() -> None:
    likeness = Likeness(["上报", "改", "办结"])

    assert [alike.phrase for alike in likeness.near("上抱")] == ["上报"]
    assert likeness.near("上") == []
    assert likeness.near("上报上报上报上报") == []
    assert likeness.near("") == []


def test_the_time_of_hearing_is_shown() -> None:
    began = perf_counter()
    typed = [row[0] for row in rows(EXACT)] + FREE.strip().splitlines()
    for sentence in typed:
        PHRASES.hear(sentence)
    each = (perf_counter() - began) / len(typed)

    print(f"\nhearing a command: {each * 1e6:.0f} us a sentence")  # noqa: T201
    assert each > 0
