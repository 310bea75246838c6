"""How the ``data`` commands show what they found to people."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..output import print_table, say

if TYPE_CHECKING:
    from ...data import Audit, Description


def show_list(catalogue: Sequence[Mapping[str, Any]], added: Sequence[Mapping[str, Any]]) -> None:
    """The catalogue, and the names given by ``add``."""
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
        say()
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


def show_description(found: Description) -> None:
    """What a table of ratings holds."""
    period = found.period
    say(found.name)
    rows = [
        ("users", f"{found.users:,}"),
        ("items", f"{found.items:,}" + (f" ({found.titles:,} with a title)" * bool(found.titles))),
        ("interactions" if found.implicit else "ratings", f"{found.ratings:,}"),
        ("density", f"{found.density:.3%}"),
        ("scale", f"{found.low:g} to {found.high:g}"),
        ("mean", f"{found.mean:.4f} (standard deviation {found.std:.4f})"),
        ("time", f"{period[0]} to {period[1]}" if period else "unknown"),
        ("repeated", f"{found.repeated:,}"),
        ("training needs", f"about {found.training_mib:,.0f} MiB beside the libraries"),
    ]
    for name, value in rows:
        say(f"  {name:<15} {value}")
    say()
    print_table(
        ["ratings per", "least", "25%", "median", "75%", "95%", "most", "mean"],
        (
            [
                name,
                *(f"{value:,.0f}" for value in (q.low, q.p25, q.median, q.p75, q.p95, q.high)),
                f"{q.mean:,.1f}",
            ]
            for name, q in (("user", found.per_user), ("item", found.per_item))
        ),
    )
    say()
    block = "█" if (sys.stdout.encoding or "").lower().startswith("utf") else "#"
    most = max(bar.count for bar in found.histogram)
    print_table(
        ["weight" if found.implicit else "rating", "count", "share", ""],
        (
            [
                f"{bar.low:g}" if bar.low == bar.high else f"{bar.low:.4g} to {bar.high:.4g}",
                f"{bar.count:,}",
                f"{bar.count / found.ratings:.1%}",
                block * round(30 * bar.count / most),
            ]
            for bar in found.histogram
        ),
    )
    for text in found.notes:
        say(f"\nnote: {text}")


def show_audit(found: Audit) -> None:
    """What a test set shares with a training set, and the verdict."""
    train, test = found.n_train, found.n_test
    rows: list[tuple[str, int | None, int, str]] = [
        ("test pairs in training", found.overlap, test, ""),
        ("  with the same rating", found.overlap_same_value, test, ""),
        (
            "of people in training under other ids",
            found.renamed_ratings,
            test,
            f"{found.renamed_users:,}",
        ),
        ("repeated pairs in training", found.repeated_train, train, ""),
        ("repeated pairs in test", found.repeated_test, test, ""),
        ("users unseen in training", found.unseen_user_ratings, test, f"{found.unseen_users:,}"),
        ("items unseen in training", found.unseen_item_ratings, test, f"{found.unseen_items:,}"),
        ("older than the user's latest in training", found.older_than_own, test, ""),
        ("older than the latest in training", found.older_than_any, test, ""),
    ]
    say(f"train: {found.train} ({train:,} ratings)\ntest:  {found.test} ({test:,} ratings)\n")
    print_table(
        ["", "ratings", "share", "users or items"],
        (
            [name, "-", None, "no times"]
            if count is None
            else [name, f"{count:,}", f"{count / base:.2%}", remark]
            for name, count, base, remark in rows
        ),
    )
    for text in found.notes:
        say(f"note: {text}")
    if found.same_file:
        say("\nBoth are the same file.")
    elif found.same_table:
        say("\nBoth hold the same ratings.")
    if found.overlap:
        pairs = ", ".join(f"({user}, {item})" for user, item in found.overlap_examples)
        more = " and so on" if found.overlap > len(found.overlap_examples) else ""
        say(f"\nIn both (user, item): {pairs}{more}")
    if found.renamed_users:
        people = ", ".join(f"{user} as {known}" for user, known in found.renamed_examples)
        more = " and so on" if found.renamed_users > len(found.renamed_examples) else ""
        say(f"\nIn training under another id: {people}{more}")
    if found.contaminated:
        say("\nContaminated: what was trained on cannot test. Remove it, or split again.")
    else:
        say("\nClean: no pair of the test set is in the training set.")
