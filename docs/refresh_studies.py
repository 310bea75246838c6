"""Write docs/studies, docs/pictures and the numbers of the pages from the runs of the studies.

    python docs/refresh_studies.py STUDIES   # from the runs in STUDIES/reference and so on
    python docs/refresh_studies.py           # from what is committed in docs/studies

The first form is needed when studies were run again; the second when a page, a picture, a study's
text or the report has changed. tests/test_studies_docs.py fails while a page says something else
than the committed CSV files.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import study_numbers as numbers
from pictures import pictures
from study_numbers import STUDIES, markdown, rows

from matinee.lab.report import publish_study
from matinee.lab.study import Results, Study, find_study, load_results

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
NAMES = ("reference", "depth-and-data", "protocol", "deeprec")
PAGES = (
    "docs/autoencoders.md",
    "docs/paper.md",
    "docs/reference-study.md",
    "docs/studies/README.md",
)


def pages() -> dict[str, str]:
    """Every page and picture by its path below the repository, from the committed CSV files."""
    texts = {
        name: numbers.fill((ROOT / name).read_text("utf-8"), TABLES)
        for name in PAGES
        if (ROOT / name).exists()
    }
    return texts | {f"docs/pictures/{name}": svg for name, svg in pictures().items()}


def verdicts(study: str) -> str:
    """The verdicts of a study."""
    lines = [
        [f"{row['id']}. {row['claim']}", f"**{row['verdict']}**", row["sentence"]]
        for row in rows(study, "verdicts.csv")
    ]
    return markdown(["claim", "verdict", "why"], lines) if lines else f"{numbers.MISSING}\n"


def short_verdicts(study: str) -> str:
    """The verdicts, with what decides them and no more."""
    lines = [
        [f"{row['id']}. {row['claim']}", f"**{row['verdict']}**", _first(row["sentence"])]
        for row in rows(study, "verdicts.csv")
    ]
    return markdown(["claim", "verdict", "why"], lines) if lines else f"{numbers.MISSING}\n"


def _first(sentence: str) -> str:
    for rest in (" At each arm's best epoch", "; only on "):
        sentence = sentence.partition(rest)[0]
    return sentence.rstrip(".") + "."


def arms(words: str) -> str:
    """The arms of a group: STUDY/GROUP."""
    study, _, group = words.partition("/")
    summary = [row for row in rows(study, "summary.csv") if row["arm"].startswith(f"{group}/")]
    if not summary:
        return f"{numbers.MISSING}\n"
    lowest = {
        row["arm"]: numbers.lowest_point(study, row["arm"], row["data"])
        for row in summary
        if row["held_out"] and row["best_epoch"]
    }
    lines = [
        [
            row["arm"].partition("/")[2],
            _number(row["held_out"]),
            "{1:.3f} at {0}".format(*lowest[row["arm"]]),
            _number(row["reference"]),
            f"{float(row['published_test']):g}" if row["published_test"] else "",
        ]
        for row in summary
        if row["arm"] in lowest
    ]
    heads = [group.replace("_", " "), "held out, last epoch", "best epoch (test-selected)"]
    return markdown([*heads, "study's formula, training ratings", "published “test”"], lines)


def depths(words: str) -> str:
    """Held-out RMSE by depth and data: STUDY/GROUP,VARIANT."""
    study, _, rest = words.partition("/")
    group, _, variant = rest.partition(",")
    summary = [
        row
        for row in rows(study, "summary.csv")
        if row["arm"].startswith(f"{group}/") and row["arm"].partition(",")[2] == variant
    ]
    if not summary:
        return f"{numbers.MISSING}\n"
    data = list(dict.fromkeys(row["data"] for row in summary))
    table: dict[str, dict[str, str]] = {}
    for row in summary:
        depth = row["arm"].partition("/")[2].partition(",")[0]
        table.setdefault(depth, {})[row["data"]] = row["rmse"]
    best = {
        name: min((float(by[name]), depth) for depth, by in table.items() if by.get(name))[1]
        for name in data
        if any(by.get(name) for by in table.values())
    }
    lines = [
        [
            depth,
            *(
                f"**{_number(by.get(name, ''))}**"
                if best.get(name) == depth
                else _number(by.get(name, ""))
                for name in data
            ),
        ]
        for depth, by in table.items()
    ]
    return markdown(["layers", *data], lines)


def formulas(study: str) -> str:
    """Models by formula, on each data."""
    summary = rows(study, "summary.csv")
    keys = [key for key in (summary[0] if summary else {}) if key.startswith("protocol.")]
    if not keys:
        return f"{numbers.MISSING}\n"
    heads = ["data", "model", *(key.partition(".")[2].replace("_", " ") for key in keys)]
    lines = [
        [row["data"], row["arm"].partition("/")[2], *(_number(row[key]) for key in keys)]
        for row in summary
    ]
    return markdown(heads, lines)


def chart(words: str) -> str:
    """A chart of a study, where there is one: STUDY/NAME, as seen from docs/."""
    study, _, name = words.partition("/")
    file = STUDIES / study / "charts" / f"{name}.svg"
    if not file.exists():
        return f"{numbers.MISSING}\n"
    return f"![{alt(file)}](studies/{study}/charts/{name}.svg)\n"


def picture(words: str) -> str:
    """A picture of docs/pictures: FOLDER/NAME, with the folder as the page sees it."""
    folder, _, name = words.rpartition("/")
    file = HERE / "pictures" / f"{name}.svg"
    drawn = pictures().get(f"{name}.svg")
    if drawn is None:
        return f"{numbers.MISSING}\n"
    return f"![{alt(file, drawn)}]({folder}/{name}.svg)\n"


def alt(file: Path, text: str | None = None) -> str:
    """What an SVG file says of itself."""
    from xml.etree import ElementTree

    root = ElementTree.fromstring((text or file.read_text("utf-8")).encode())
    space = "{http://www.w3.org/2000/svg}"
    texts = [root.findtext(f"{space}{tag}", "").strip().rstrip(".") for tag in ("title", "desc")]
    return (". ".join(part for part in texts if part) + ".").replace("[", "(").replace("]", ")")


def _number(value: str) -> str:
    return f"{float(value):.3f}" if value else ""


TABLES = {
    "verdicts": verdicts,
    "short_verdicts": short_verdicts,
    "arms": arms,
    "depths": depths,
    "formulas": formulas,
    "chart": chart,
    "picture": picture,
}


def reworded(results: Results) -> Results:
    """Results under the package's present words, where its study asks and runs the same."""
    now = find_study(results.study.name)
    if results.study.cut or _asked(now) != _asked(results.study):
        print(f"{now.name}: the study has changed since; its report is the one of that time")
        return results
    return replace(results, study=now)


def _asked(study: Study) -> Any:
    """A study without its cut version and what is for readers alone."""

    def bare(value: Any) -> Any:
        if isinstance(value, dict):
            return {k: bare(v) for k, v in value.items() if k not in ("title", "text", "note")}
        return [bare(each) for each in value] if isinstance(value, list) else value

    return bare(study.model_dump(mode="json", exclude={"quick"}))


def main(arguments: list[str]) -> None:
    for name in NAMES:
        source = Path(arguments[0]) / name if arguments else STUDIES / name
        if not source.is_dir():
            print(f"{name}: nothing in {source}")
            continue
        results = reworded(load_results(source))
        files = publish_study(results, STUDIES / name)
        size = sum(file.stat().st_size for file in files)
        print(f"{name}: {len(results.runs)} of {results.expected} runs, {size:,} bytes")
    rows.cache_clear()
    for name, text in pages().items():
        path = ROOT / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")
    print(f"wrote {', '.join(PAGES)} and docs/pictures")


if __name__ == "__main__":
    main(sys.argv[1:])
