"""Peak memory of this process, from Linux's own counters."""

from __future__ import annotations

from pathlib import Path


def reset_peak() -> None:
    """Forget the peak so far."""
    Path("/proc/self/clear_refs").write_text("5")


def peak_mib() -> float:
    """Highest resident memory since the last reset, in MiB."""
    return _status("VmHWM")


def now_mib() -> float:
    """Resident memory now, in MiB."""
    return _status("VmRSS")


def private_mib() -> float:
    """Resident memory now that is no file's, in MiB."""
    return _status("RssAnon")


def _status(key: str) -> float:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(key + ":"):
            return int(line.split()[1]) / 1024
    raise RuntimeError(f"{key} is not in /proc/self/status")
