"""What the README shows is what happens."""

import doctest
import re
import shlex
from pathlib import Path

from derive.cli import main

README = (Path(__file__).resolve().parents[1] / "README.md").read_text(encoding="utf-8")


def test_the_first_session_runs_as_shown():
    """The second one shows figures whose last digits belong to one machine."""
    session = re.search(r"```python\n(.*?)```", README, re.DOTALL)[1]
    test = doctest.DocTestParser().get_doctest(session, {}, "README", "README.md", 0)
    assert test.examples
    outcome = doctest.DocTestRunner().run(test)
    assert outcome.failed == 0


def test_the_commands_print_what_is_shown(capsys):
    """An ellipsis stands for lines that are left out."""
    for command, shown in re.findall(r"```\n\$ derive (gradient [^\n]*)\n(.*?)```", README, re.DOTALL):
        assert main(shlex.split(command)) == 0
        printed = capsys.readouterr().out
        for block in filter(None, map(str.strip, shown.split("…\n"))):
            assert block in printed


def test_the_set_up_lines_stand_alone():
    lines = README.splitlines()
    assert "pip install . && derive build" in lines
    assert "pip install '.[test]' && pytest" in lines
