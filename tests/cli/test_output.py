from __future__ import annotations

import pytest

from matinee.cli.output import print_table, visible


def test_a_title_gives_a_terminal_no_commands(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(["title"], [["\x1b]0;gone\x07\x1b[2J Amélie \u202e\x9b"]])
    out = capsys.readouterr().out
    assert all(c.isprintable() or c == "\n" for c in out)
    assert "Amélie" in out
    assert "\\x1b]0;gone\\x07" in out


@pytest.mark.parametrize("text", ["", "Amélie", "七人の侍 (1954)", "a  b"])
def test_other_titles_stay_as_they_are(text: str) -> None:
    assert visible(text) == text
