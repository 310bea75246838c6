"""Terminal output of the ``data`` commands."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ...data.leaks.same_second import MUCH
from ..output import echo, print_table

if TYPE_CHECKING:
    from ...data import Audit, Description
    from ...data.leaks.same_second import SameSecond


def show_list(catalogue: Sequence[Mapping[str, Any]], added: Sequence[Mapping[str, Any]]) -> None:
    """Show the catalogue, and the names registered by ``add``."""
    print_table(
        ["name", "ratings", "users", "items", "scale", "MB", "on this machine"],
        (
            [
                row["name"],
                f"{row['ratings']:,}",
                f"{row['users']:,}",
                f"{row['items']:,}",
                _scale_text(*row["scale"]),
                row["download_mb"] or "-",
                row["path"] or "-",
            ]
            for row in catalogue
        ),
    )
    if added:
        echo()
        print_table(
            ["added", "path"],
            ([row["name"], row["path"] + ("" if row["exists"] else " (gone)")] for row in added),
        )


def _scale_text(low: float, high: float) -> str:
    return f"{low:g} to {high:g}" if low < high else "-"  # Interactions have none.


def show_split(manifest: Mapping[str, Any]) -> None:
    """The parts of a split."""
    print_table(
        ["part", "ratings", "users", "items", "from", "to"],
        (
            [
                name,
                *(f"{part[key]:,}" for key in ("ratings", "users", "items")),
                *(part.get(key, "")[:10] for key in ("first", "last")),
            ]
            for name, part in manifest["parts"].items()
        ),
    )


def show_description(description: Description) -> None:
    """Show the description of a table of ratings."""
    period = description.period
    varies = description.low < description.high  # interactions without weights all weigh 1
    values = [
        (
            "weights" if description.implicit else "scale",
            f"{description.low:g} to {description.high:g}",
        ),
        ("mean", f"{description.mean:.4f} (standard deviation {description.std:.4f})"),
    ]
    echo(description.name)
    rows = [
        ("users", f"{description.users:,}"),
        (
            "items",
            f"{description.items:,}"
            + (f" ({description.titles:,} with a title)" * bool(description.titles)),
        ),
        ("interactions" if description.implicit else "ratings", f"{description.ratings:,}"),
        ("density", f"{description.density:.3%}"),
        *(values if varies or not description.implicit else []),
        ("time", f"{period[0]} to {period[1]}" if period else "unknown"),
        ("repeated", f"{description.repeated:,}"),
        ("training needs", f"about {description.training_mib:,.0f} MiB beside the libraries"),
    ]
    for name, value in rows:
        echo(f"  {name:<15} {value}")
    echo()
    print_table(
        [
            "interactions per" if description.implicit else "ratings per",
            "least",
            "25%",
            "median",
            "75%",
            "95%",
            "most",
            "mean",
        ],
        (
            [
                name,
                *(f"{value:,.0f}" for value in (q.low, q.p25, q.median, q.p75, q.p95, q.high)),
                f"{q.mean:,.1f}",
            ]
            for name, q in (("user", description.per_user), ("item", description.per_item))
        ),
    )
    if varies or not description.implicit:
        _show_histogram(description)
    for text in description.notes:
        echo(f"\nnote: {text}")


def _show_histogram(description: Description) -> None:
    """How often each rating or weight occurs."""
    echo()
    block = "█" if (sys.stdout.encoding or "").lower().startswith("utf") else "#"
    largest = max(bar.count for bar in description.histogram)
    print_table(
        ["weight" if description.implicit else "rating", "count", "share", ""],
        (
            [
                f"{bar.low:g}" if bar.low == bar.high else f"{bar.low:.4g} to {bar.high:.4g}",
                f"{bar.count:,}",
                f"{bar.count / description.ratings:.1%}",
                block * round(30 * bar.count / largest),
            ]
            for bar in description.histogram
        ),
    )


def show_audit(audit: Audit) -> None:
    """What a test set shares with a training set, and the verdict."""
    train, test = audit.n_train, audit.n_test
    rows: list[tuple[str, int | None, int, str]] = [
        ("test pairs in training", audit.overlap, test, ""),
        ("  with the same rating", audit.overlap_same_value, test, ""),
        (
            "of people in training under other ids",
            audit.renamed_ratings,
            test,
            f"{audit.renamed_users:,}",
        ),
        ("repeated pairs in training", audit.repeated_train, train, ""),
        ("repeated pairs in test", audit.repeated_test, test, ""),
        ("users unseen in training", audit.unseen_user_ratings, test, f"{audit.unseen_users:,}"),
        ("items unseen in training", audit.unseen_item_ratings, test, f"{audit.unseen_items:,}"),
        ("older than the user's latest in training", audit.older_than_own, test, ""),
        ("older than the latest in training", audit.older_than_any, test, ""),
    ]
    echo(f"train: {audit.train} ({train:,} ratings)\ntest:  {audit.test} ({test:,} ratings)\n")
    print_table(
        ["", "ratings", "share", "users or items"],
        (
            [name, "-", None, "no times"]
            if count is None
            else [name, f"{count:,}", f"{count / base:.2%}", remark]
            for name, count, base, remark in rows
        ),
    )
    for text in audit.notes:
        echo(f"note: {text}")
    if audit.same_file:
        echo("\nBoth are the same file.")
    elif audit.same_table:
        echo("\nBoth hold the same ratings.")
    if audit.overlap:
        pairs = ", ".join(f"({user}, {item})" for user, item in audit.overlap_examples)
        more = " and so on" if audit.overlap > len(audit.overlap_examples) else ""
        echo(f"\nIn both (user, item): {pairs}{more}")
    if audit.renamed_users:
        people = ", ".join(f"{user} as {known}" for user, known in audit.renamed_examples)
        more = " and so on" if audit.renamed_users > len(audit.renamed_examples) else ""
        echo(f"\nIn training under another id: {people}{more}")
    _show_same_second(audit.same_second)
    if audit.contaminated:
        echo("\nContaminated: what was trained on cannot test. Remove it, or split again.")
    else:
        echo("\nClean: no pair of the test set is in the training set.")


def _show_same_second(same_second: SameSecond | None) -> None:
    if same_second is None or not same_second.shared:
        return
    echo(
        f"\n{same_second.shared:.0%} of the training ratings share their second with another of "
        f"the same user. How many a second has explains {same_second.explained:.1%} of the "
        "variance around the users' means."
    )
    if same_second.explained >= MUCH:
        names = ("alone", "in pairs", "in threes", "in fours and more")
        each = ", ".join(
            f"{mean:.2f} {name}"
            for name, mean in zip(names, same_second.means, strict=True)
            if mean is not None
        )
        echo(
            f"That is much: the mean rating is {each}. A model with the time of a test rating as "
            "input knows what none in use can know; compare such models on a split by time."
        )
