"""Every command that reads ratings takes the options of reading."""

from pathlib import Path
from typing import Any

ODD = "# made up\nwho^what^much\n"


def test_evaluate_report_and_recommend_read_by_options(shell: Any, trained: Path) -> None:
    from matinee import load_model

    model = load_model(trained)
    users, items = model.user_ids.ids[:3].tolist(), model.item_ids.ids[:2].tolist()
    rows = "".join(f"{user}^{item}^{4}\n" for user in users for item in items)
    Path("odd.txt").write_text(ODD + rows + f"{users[0]}^{model.item_ids.ids[2]}^-1\n")
    layout = ("--comment", "#", "--delimiter", "^", "--columns", "user,item,rating")
    options = (*layout, "--missing", "-1")
    answer = shell.json("evaluate", trained, "--test", "odd.txt", "--allow-overlap", *options)
    assert answer["n_test"] == 6
    shell("report", trained, "--test", "odd.txt", "--allow-overlap", "--out", "r.html", *options)
    assert Path("r.html").exists()
    lists = shell.json("recommend", trained, "--ratings", "odd.txt", "-k", 1, *options)
    assert len(lists["recommendations"]) == 3


def test_options_of_a_file_give_way_to_those_of_the_command_line(shell: Any) -> None:
    Path("r.csv").write_text("who;what;much;more\n1;a;4,5;1\n1;b;3;2\n2;a;-1;3\n", "utf-8")
    Path("read.toml").write_text(
        "user = 'who'\nitem = 'what'\nrating = 'much'\ndelimiter = ';'\ndecimal = ','\n"
        "missing = -1\nscale = [1, 5]\n",
        "utf-8",
    )
    answer = shell.json("data", "describe", "r.csv", "--read-options", "read.toml")
    assert (answer["ratings"], answer["low"], answer["high"]) == (2, 1.0, 5.0)
    answer = shell.json(
        "data", "describe", "r.csv", "--read-options", "read.toml", "--rating", "more"
    )
    assert answer["ratings"] == 3
    Path("read.toml").write_text("delimter = ';'\n", "utf-8")
    message = shell.error("data", "describe", "r.csv", "--read-options", "read.toml", code=2)
    assert "read.toml: unknown key 'delimter'; did you mean 'delimiter'?" in message


def test_recommend_reads_the_user_column_that_a_file_states(shell: Any, trained: Path) -> None:
    """Its option is --user-column, as --user states a person."""
    from matinee import load_model

    item = load_model(trained).item_ids.ids[0]
    Path("r.csv").write_text(f"user,shop,item,rating\n1,9,{item},4\n2,8,{item},3\n", "utf-8")
    Path("read.toml").write_text("user = 'shop'\n", "utf-8")

    def people(*more: str) -> set[str]:
        options = ("--ratings", "r.csv", "-k", 1, "--read-options", "read.toml", *more)
        rows = shell.json("recommend", trained, *options)["recommendations"]
        return {str(row["user_id"]) for row in rows}

    assert people() == {"8", "9"}
    assert people("--user-column", "user") == {"1", "2"}
