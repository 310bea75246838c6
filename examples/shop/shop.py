"""A small shop: a server, its customers, a refresh and a comparison of two models.

    python examples/shop/shop.py shop/

Trains two models on made-up ratings, serves them side by side, lets customers ask for lists, click
and rate, refreshes the first model with what they gave, erases a customer who asks for it, and
compares both models on a page (shop/page.html). Everything goes over HTTP and the command line, as
it would in a shop.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

import numpy as np

from matinee.data import Ratings
from matinee.models import Bias, ItemMean
from matinee.synth import synthesize

DAY = 86_400
CUSTOMERS = 160
DAYS = 12


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--customers", type=int, default=CUSTOMERS)
    options = parser.parse_args()
    folder: Path = options.folder
    folder.mkdir(parents=True, exist_ok=True)

    # What the customers like is the whole of a made-up data set; the models know a part of it.
    truth = synthesize(options.customers, 60, options.customers * 40, seed=7).ratings
    known = truth.take(np.arange(len(truth)) % 10 == 0)
    Bias().fit(known).save(folder / "first")
    ItemMean().fit(known).save(folder / "second")

    store = f"sqlite:{folder / 'feedback.db'}"
    first, second = str(folder / "first"), str(folder / "second")
    serve = ("serve", first, "--beside", second, "--share", "0.5", "--feedback", store)
    server = subprocess.Popen(
        [*MATINEE, *serve, "--port", "0", "--watch", "0.5"], stderr=subprocess.PIPE, text=True
    )
    try:
        url = address(server)
        before = call(url, "/v1/model")["model"]
        customers = act(url, truth)

        done = run("refresh", first, "--feedback", store, "--days", "4", "--json")
        print(
            f"refresh: {done['decision']}, RMSE {done['gain']['before']:.3f} in service, "
            f"{done['gain']['after']:.3f} of the new model"
        )
        if done["decision"] == "swapped":
            wait(lambda: call(url, "/v1/model")["model"] != before)
            print("the server has loaded the new model")

        gone = call(url, f"/v1/users/{customers[0]}", method="DELETE")
        print(f"customer {customers[0]} was erased: {gone['events']} events")
    finally:
        server.terminate()
        server.communicate()

    page = folder / "page.html"
    found = run(
        "compare", first, second, "--feedback", store, "--days", "3", "--out", page, "--json"
    )
    print(
        f"acceptance {found['first']['acceptance']:.3f} and {found['second']['acceptance']:.3f}: "
        f"{found['verdict']}"
    )
    print(f"page: {page}")


def act(url: str, truth: Ratings) -> list[str]:
    """Let every customer ask for lists on several days, click what they like, and rate it."""
    rng = np.random.default_rng(1)
    likes: dict[str, dict[str, float]] = {}
    users = truth.user_ids.decode(truth.users).tolist()
    items = truth.item_ids.decode(truth.items).tolist()
    for user, item, value in zip(users, items, truth.values.tolist(), strict=True):
        likes.setdefault(str(user), {})[str(item)] = value
    now = int(time.time())
    customers = list(likes)
    for at, user in enumerate(customers):
        events: list[dict[str, Any]] = []
        for visit in range(3):
            # They come over twelve days; in a shop the time is that of the event.
            moment = now - DAYS * DAY + int((at / len(customers) * 7 + visit * 2) * DAY)
            answer = call(url, f"/v1/users/{user}/recommendations?k=5&why=0")
            shown = [entry["item"] for entry in answer["recommendations"]]
            name = answer["list"]
            events.append(
                {
                    "user": user,
                    "kind": "shown",
                    "list": name,
                    "items": shown,
                    "time": moment,
                    "key": f"{user}-{visit}",
                }
            )
            for rank, item in enumerate(shown, 1):
                value = likes[user].get(item)
                if value is not None and value >= 4 and rng.random() < 0.7:
                    about = {"user": user, "item": item, "list": name, "rank": rank}
                    events.append(
                        {
                            **about,
                            "kind": "click",
                            "time": moment + 30,
                            "key": f"{user}-{visit}-{rank}-click",
                        }
                    )
                if value is not None and rng.random() < 0.6:
                    events.append(
                        {
                            "user": user,
                            "item": item,
                            "kind": "rating",
                            "rating": value,
                            "time": moment + 60,
                            "key": f"{user}-{visit}-{rank}-rating",
                        }
                    )
        # Each customer rates some things that no list showed, too.
        for item, value in list(likes[user].items())[:8]:
            moment = now - DAYS * DAY + int(rng.random() * (DAYS - 1) * DAY)
            events.append(
                {
                    "user": user,
                    "item": item,
                    "kind": "rating",
                    "rating": value,
                    "time": moment,
                    "key": f"{user}-{item}-own",
                }
            )
        call(url, "/v1/feedback", {"events": events})
    print(f"{len(customers)} customers, 3 lists each")
    return customers


MATINEE = (sys.executable, "-m", "matinee")


def run(*args: object) -> dict[str, Any]:
    """A command's JSON. Exit code 3 of a refresh says that the new model was worse."""
    done = subprocess.run([*MATINEE, *map(str, args)], capture_output=True, text=True, check=False)
    if done.returncode not in (0, 3):
        raise SystemExit(done.stderr)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def call(url: str, path: str, body: Any = None, method: str | None = None) -> dict[str, Any]:
    data = None if body is None else json.dumps(body).encode()
    headers = {"content-type": "application/json"} if data else {}
    request = urllib.request.Request(url + path, data, headers, method=method)
    with urllib.request.urlopen(request, timeout=30) as answer:
        found: dict[str, Any] = json.load(answer)
    return found


def address(server: subprocess.Popen[str]) -> str:
    """The address that the server writes when it is ready."""
    assert server.stderr is not None
    for line in server.stderr:
        if "matinee: serving" in line:
            return line.rsplit(" ", 1)[1].strip()
    raise SystemExit("the server did not start")


def wait(true: Any, seconds: float = 30.0) -> None:
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            raise SystemExit("it did not happen in time")
        time.sleep(0.1)


if __name__ == "__main__":
    main()
