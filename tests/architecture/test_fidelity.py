"""`cfroute docs fidelity` says what the tests hold, and the tests can be found by the numbers of their sections."""

import re

import pytest

from cfroute.gorouter.config_support import _WITHOUT_EFFECT

from ..conformance import fidelity
from ..conformance.fidelity import Difference, Statement
from ..conformance.sections import CHECKLIST, CHECKLIST_POINTS, SECTIONS, chapter

COLLECTED = fidelity.collected()
DIFFERENCES = fidelity.differences(fidelity.DIFFERENCES.read_text())
FILES = {statement.test.split("::")[0].partition("/") for statement in COLLECTED}
FILE_NAME = re.compile(r"test_(\d\d|[a-z])(_(?P<part>\d\d))?_[a-z0-9_]+\.py")


def test_the_page_is_up_to_date() -> None:
    made = fidelity.page(COLLECTED, DIFFERENCES)
    assert made == fidelity.PAGE.read_text(), "python -m tests.conformance.fidelity"


@pytest.mark.parametrize("statement", COLLECTED)
def test_a_statement_is_one_line_of_a_known_section(statement: Statement) -> None:
    assert statement.section in SECTIONS
    assert statement.text.strip() == statement.text
    assert 10 < len(statement.text) < 200
    assert "\n" not in statement.text


@pytest.mark.parametrize("difference", DIFFERENCES)
def test_a_difference_has_a_known_section_and_a_reason(difference: Difference) -> None:
    assert difference.section in SECTIONS
    assert difference.what.endswith(".")
    assert difference.why.endswith(".")


def test_every_setting_without_effect_is_a_difference() -> None:
    told = " ".join(difference.what for difference in DIFFERENCES)
    assert [key for key in _WITHOUT_EFFECT if f"`{key}`" not in told] == []


@pytest.mark.parametrize("name", sorted({name for folder, _, name in FILES if folder == "conformance"}))
def test_files_that_hold_statements_are_named_by_their_section(name: str) -> None:
    found = FILE_NAME.fullmatch(name)
    assert found, "test_NN_topic.py, test_NN_NN_topic.py, or test_a_topic.py for an appendix"
    number = found[1].lstrip("0").upper()
    assert (f"{number}.{found['part'].lstrip('0')}" if found["part"] else number) in SECTIONS


def test_every_point_of_the_checklist_has_a_test() -> None:
    points = {fidelity.point(statement.text) for statement in COLLECTED if statement.section == CHECKLIST}
    assert points == set(range(1, CHECKLIST_POINTS + 1))


def test_sections_belong_to_chapters() -> None:
    assert all(chapter(section) in SECTIONS for section in SECTIONS)


MODULE = """
import pytest

pytestmark = [pytest.mark.statement("8", "of the module")]

@pytest.mark.statement("4.5", "one")
@pytest.mark.statement("4.6", "in two "
                              "parts")
def test_two(shared_router):
    pass

@pytest.mark.parametrize("x", [1, pytest.param(2, marks=pytest.mark.statement("1.1", "of a case"))])
async def test_cases(x):
    pass

@statement("2", "of a class")
class TestMore:
    @pytest.mark.statement("2.1", "of a member")
    def test_member(self):
        pass

def helper():
    pass
"""


def test_markers_are_read() -> None:
    assert list(fidelity.statements(MODULE, "test_x.py")) == [
        Statement("8", "of the module", "test_x.py"),
        Statement("4.5", "one", "test_x.py::test_two"),
        Statement("4.6", "in two parts", "test_x.py::test_two"),
        Statement("1.1", "of a case", "test_x.py::test_cases"),
        Statement("2", "of a class", "test_x.py::TestMore"),
        Statement("2.1", "of a member", "test_x.py::TestMore::test_member"),
    ]


@pytest.mark.parametrize(
    "arguments", ['"4.5"', '4.5, "text"', '"4.5", TEXT', '"4.5", text="x"', '"4.5", f"{x}"', '"4.5", *TEXTS']
)
def test_a_marker_that_cannot_be_read_is_told(arguments: str) -> None:
    with pytest.raises(ValueError, match=r"test_x\.py::test_one, line 1: "):
        list(fidelity.statements(f"@pytest.mark.statement({arguments})\ndef test_one(): pass", "test_x.py"))


def test_a_page() -> None:
    held = [
        Statement("E", "10: the tenth", "e.py::test_10"),
        Statement("E", "9: the ninth", "e.py::test_9"),
        Statement("3.1", "the same, told twice", "a.py::test_a"),
        Statement("3.1", "the same, told twice", "b.py::test_b"),
        Statement("12", "a_key is kept", "c.py::test_c"),
        Statement("route emitter 4.1", "of another", "d.py::test_d"),
        Statement("UAA 2", "one more", "f.py::test_f"),
    ]
    made = fidelity.page(held, [Difference("3.2", "This differs.", "for a reason.")])
    assert "| 3 Registry | 1 | 1 |\n| 12 Timeouts | 1 |  |\n| E Checklist | 2 |  |\n" in made
    assert "#### 3 Registry\n\n- This differs. Why: for a reason.\n" in made
    assert "##### 3.1 Keys of routes\n\n- The same, told twice\n  `a.py::test_a`\n  `b.py::test_b`\n\n#### 12 Timeouts\n" in made
    assert "#### 12 Timeouts\n\n- a_key is kept\n  `c.py::test_c`\n\n#### E Checklist\n" in made
    assert "- 9: the ninth\n  `e.py::test_9`\n- 10: the tenth\n  `e.py::test_10`\n\n## UAA\n" in made
    assert "| Gorouter | 4 | 1 |\n| UAA | 1 |  |\n| route emitter | 1 |  |\n" in made
    assert made.endswith("#### 4 Messages\n\n##### 4.1 HTTP routes\n\n- Of another\n  `d.py::test_d`\n")


def test_a_long_statement_is_folded_but_for_its_literals() -> None:
    made = fidelity.page([Statement("1", "word " * 22 + "`cfroute docs fidelity` " + "word " * 9, "a.py::test_a")], [])
    assert max(map(len, made.splitlines())) <= 130
    assert "`cfroute docs fidelity`" in made
