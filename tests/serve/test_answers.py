"""What the endpoints answer, held against the model itself."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from starlette.testclient import TestClient

import matinee
from matinee.data import Histories, load
from matinee.models import Recommender, load_model
from matinee.serve import ServeSettings, create_app


@pytest.fixture
def ratings(model: Recommender) -> dict[Any, float]:
    """Ratings of someone new."""
    ids = model.item_ids.ids[[3, 40, 77, 120, 200, 9]].tolist()
    return dict(zip(ids, [5.0, 1.0, 4.0, 2.0, 3.0, 5.0], strict=True))


def as_json(ratings: dict[Any, float]) -> list[dict[str, Any]]:
    return [{"item": str(item), "rating": rating} for item, rating in ratings.items()]


def post(client: TestClient, path: str, **body: Any) -> dict[str, Any]:
    answer = client.post(path, json=body)
    assert answer.status_code == 200, answer.text
    printed = answer.json()
    assert isinstance(printed, dict)
    return printed


def ids(entries: list[dict[str, Any]]) -> list[str]:
    return [entry["item"] for entry in entries]


def test_recommendations_are_the_models_own(
    client: TestClient, model: Recommender, ratings: dict[Any, float]
) -> None:
    answer = post(client, "/v1/recommend", ratings=as_json(ratings), k=20, shrink=False)
    wanted = model.recommend([ratings], k=20)
    assert ids(answer["recommendations"]) == [str(item) for item in wanted["item_id"]]
    for entry, row in zip(answer["recommendations"], wanted.rows(), strict=True):
        assert entry["predicted"] == pytest.approx(row["predicted"], abs=1e-4)
        assert entry["score"] == pytest.approx(row["score"], abs=1e-4)
        assert entry["title"] == row["title"]
        assert entry["rank"] == row["rank"]
    people = model._people([ratings], "error").histories
    codes = model.item_ids.encode(ids(answer["recommendations"]))
    _, std = model.predict_coded_std(people, np.zeros(20, dtype=np.int64), codes)
    assert [e["std"] for e in answer["recommendations"]] == pytest.approx(std.tolist(), rel=1e-3)
    assert answer["ignored"] == []
    assert [(u["index"], u["rating"]) for u in answer["used"]] == list(enumerate(ratings.values()))


def test_an_item_is_described(client: TestClient, model: Recommender) -> None:
    assert model.item_table is not None
    assert model.item_table.genres is not None
    assert model.histories is not None
    code = 17
    rated = model.histories.values[model.histories.items == code]
    entry = client.get(f"/v1/items/{model.item_ids.ids[code]}").json()["item"]
    assert entry == {
        "item": str(model.item_ids.ids[code]),
        "title": model.item_table.titles[code],
        "year": int(model.item_table.titles[code][-5:-1]),
        "genres": list(model.item_table.genres[code]),
        "n_ratings": len(rated),
        "mean": pytest.approx(rated.mean(), abs=1e-3),
    }


def test_predictions_are_the_models_own(
    client: TestClient, model: Recommender, ratings: dict[Any, float]
) -> None:
    asked = model.item_ids.ids[[5, 100, 3]].tolist()
    answer = post(client, "/v1/predict", ratings=as_json(ratings), items=asked, why=2)
    wanted = model.predict(0, asked, histories=[ratings])
    assert [entry["predicted"] for entry in answer["predictions"]] == pytest.approx(
        wanted.tolist(), abs=1e-4
    )
    assert [entry["index"] for entry in answer["predictions"]] == [0, 1, 2]
    assert all(len(entry["why"]["reasons"]) == 2 for entry in answer["predictions"])


def test_reasons_are_what_leaving_a_rating_out_does(
    client: TestClient, model: Recommender, ratings: dict[Any, float]
) -> None:
    body = {"ratings": as_json(ratings), "k": 5, "why": 20}
    model.clip, clip = False, model.clip
    try:
        for entry in post(client, "/v1/recommend", **body)["recommendations"]:
            item, why = entry["item"], entry["why"]
            whole = model.predict(0, item, histories=[ratings])[0]
            assert why["prediction"] == pytest.approx(whole, abs=1e-4)
            assert len(why["reasons"]) == len(ratings)
            for reason in why["reasons"]:
                less = {i: r for i, r in ratings.items() if str(i) != reason["item"]}
                without = model.predict(0, item, histories=[less])[0]
                assert reason["contribution"] == pytest.approx(whole - without, abs=1e-4)
            sizes = [abs(reason["contribution"]) for reason in why["reasons"]]
            assert sizes == sorted(sizes, reverse=True)
    finally:
        model.clip = clip


@pytest.mark.parametrize("n", [1, 2, 6, 20])
def test_reasons_add_up(client: TestClient, ratings: dict[Any, float], n: int) -> None:
    answer = post(client, "/v1/recommend", ratings=as_json(ratings), k=8, why=n)
    for entry in answer["recommendations"]:
        why = entry["why"]
        reported = sum(reason["contribution"] for reason in why["reasons"])
        total = why["baseline"] + reported + why["others"] + why["together"]
        assert total == pytest.approx(why["prediction"], abs=2e-5)
        assert len(why["reasons"]) == min(n, len(ratings))


def test_a_known_person_is_the_same_however_the_id_is_written(
    client: TestClient, model: Recommender
) -> None:
    user = int(model.user_ids.ids[4])
    asked = [{"user": written, "k": 2} for written in (str(user), user, float(user))]
    first, *others = post(client, "/v1/recommend/batch", people=asked)["people"]
    assert first["recommendations"]
    for other in others:
        assert other["recommendations"] == first["recommendations"]


def test_years_of_a_column_choose_items_of_a_saved_model(tmp_path: Path) -> None:
    (tmp_path / "r.csv").write_text("user,item,rating\n1,1,5\n2,1,4\n2,2,3\n1,3,2\n")
    (tmp_path / "games.csv").write_text(
        "item,title,year\n1,Go,1990\n2,Chess (1851),1999\n3,Dame,\n"
    )
    ratings = load(tmp_path / "r.csv", items=tmp_path / "games.csv")
    model = matinee.model("biased-mf").fit(ratings, seed=0)
    settings = ServeSettings(model=model.save(tmp_path / "model"))
    with TestClient(create_app(settings), base_url="http://localhost") as client:
        card = client.get("/v1/model").json()
        assert card["years"] == {"first": 1851, "last": 1990}
        assert card["things"] == "items"  # the titles of films have their years
        body = {"ratings": [{"item": "2", "rating": 5}], "years": [1900, None]}
        (entry,) = post(client, "/v1/recommend", **body)["recommendations"]
    assert (entry["title"], entry["year"]) == ("Go", 1990)


def test_an_id_is_the_same_however_it_is_written(client: TestClient) -> None:
    lists = []
    for item in (1, 1.0, "1", " 1.00 "):
        answer = post(client, "/v1/recommend", ratings=[{"item": item, "rating": 5}], k=3)
        lists.append([entry["item"] for entry in answer["recommendations"]])
    assert lists[0]
    assert all(other == lists[0] for other in lists)


def test_without_reasons(client: TestClient, ratings: dict[Any, float]) -> None:
    answer = post(client, "/v1/recommend", ratings=as_json(ratings), why=0)
    assert {entry["why"] for entry in answer["recommendations"]} == {None}


def test_titles_will_do_and_what_will_not_is_named(client: TestClient, model: Recommender) -> None:
    assert model.item_table is not None
    title = model.item_table.titles[8]
    answer = post(
        client,
        "/v1/recommend",
        ratings=[
            {"title": title.upper(), "rating": 4},
            {"title": "zzzz qqqq xxxx", "rating": 4},
            {"item": 999_999, "rating": 2},
            {"item": model.item_ids.ids[30].item(), "rating": 2.5},
        ],
        exclude=["nonsense title of nothing"],
    )
    assert ids(answer["used"]) == [str(model.item_ids.ids[8]), str(model.item_ids.ids[30])]
    assert [used["index"] for used in answer["used"]] == [0, 3]
    assert [(e["field"], e["index"], e["given"]) for e in answer["ignored"]] == [
        ("ratings", 1, "zzzz qqqq xxxx"),
        ("ratings", 2, "999999"),
        ("exclude", 0, "nonsense title of nothing"),
    ]


def test_exclude_and_only(client: TestClient, ratings: dict[Any, float]) -> None:
    body = {"ratings": as_json(ratings), "k": 10}
    first = ids(post(client, "/v1/recommend", **body)["recommendations"])
    rest = ids(post(client, "/v1/recommend", **body, exclude=first[:4])["recommendations"])
    assert rest[:6] == first[4:]
    only = [first[3], first[1], str(next(iter(ratings)))]
    assert ids(post(client, "/v1/recommend", **body, only=only)["recommendations"]) == [
        first[1],
        first[3],
    ]
    assert post(client, "/v1/recommend", **body, only=[])["recommendations"] == []


def test_genres_and_years(client: TestClient, ratings: dict[Any, float]) -> None:
    body = {"ratings": as_json(ratings), "k": 500, "why": 0}
    everything = post(client, "/v1/recommend", **body)["recommendations"]
    genre = everything[0]["genres"][0]
    some = post(client, "/v1/recommend", **body, exclude_genres=[genre])["recommendations"]
    assert ids(some) == ids([entry for entry in everything if genre not in entry["genres"]])
    assert some
    some = post(client, "/v1/recommend", **body, years=[1980, None])["recommendations"]
    assert ids(some) == ids([entry for entry in everything if (entry["year"] or 0) >= 1980])
    some = post(client, "/v1/recommend", **body, years=[1950, 1979])["recommendations"]
    assert ids(some) == ids([entry for entry in everything if 1950 <= (entry["year"] or 0) <= 1979])


def test_love_orders_as_in_the_library(
    client: TestClient, model: Recommender, ratings: dict[Any, float]
) -> None:
    for love in (0, 3):
        answer = post(client, "/v1/recommend", ratings=as_json(ratings), k=20, love=love)
        wanted = model.recommend([ratings], k=20, love=love)
        assert ids(answer["recommendations"]) == [str(item) for item in wanted["item_id"]]


def test_personal_orders_as_in_the_library(
    client: TestClient, model: Recommender, ratings: dict[Any, float]
) -> None:
    orders = []
    for personal in (-1, 0, 0.5):
        answer = post(client, "/v1/recommend", ratings=as_json(ratings), k=20, personal=personal)
        wanted = model.recommend([ratings], k=20, personal=personal)
        orders.append(ids(answer["recommendations"]))
        assert orders[-1] == [str(item) for item in wanted["item_id"]]
    assert orders[0] != orders[1] != orders[2]
    refused = client.post("/v1/recommend", json={"ratings": as_json(ratings), "personal": 2})
    assert refused.status_code == 422


def test_an_item_without_a_rating_counts_as_liked(client: TestClient) -> None:
    stars = [{"item": "5", "rating": 4}, {"item": "9", "rating": 4}, {"item": "12", "rating": 1}]
    liked = [{"item": "5"}, {"item": "9", "liked": True}, {"item": "12", "liked": False}]
    one, two = (post(client, "/v1/recommend", ratings=each, k=20) for each in (stars, liked))
    assert one["recommendations"] == two["recommendations"]


def test_shrinking_ranks_by_less_of_what_few_ratings_say(
    model: Recommender,
    ratings: dict[Any, float],
    serve_with: Callable[..., TestClient],
    tmp_path: Path,
) -> None:
    """In a model without a scorer of interest, which ranks by the predicted rating."""
    by_rating = load_model(model.save(tmp_path / "by-rating"))
    by_rating.interest = None
    client = serve_with(model=by_rating.save(tmp_path / "by-rating"))
    assert model.histories is not None
    counts = np.bincount(model.histories.items, minlength=model.n_items)
    body = {"ratings": as_json(ratings), "k": 250 - len(ratings), "why": 0}
    plain = post(client, "/v1/recommend", **body, shrink=False)["recommendations"]
    shrunk = post(client, "/v1/recommend", **body)["recommendations"]
    assert ids(plain) != ids(shrunk)
    assert {e["item"]: e["predicted"] for e in plain} == {e["item"]: e["predicted"] for e in shrunk}
    scores = model.scores_coded(model._people([ratings], "error").histories)[0]
    average = scores @ counts / counts.sum()
    for entry in shrunk[:20] + shrunk[-20:]:
        code = int(model.item_ids.encode([entry["item"]])[0])
        wanted = average + (scores[code] - average) * counts[code] / (counts[code] + 10)
        assert entry["score"] == pytest.approx(wanted, abs=1e-3)


def test_diversity_makes_the_list_less_alike(client: TestClient, ratings: dict[Any, float]) -> None:
    def alike(entries: list[dict[str, Any]]) -> float:
        """Mean cosine between the listed items."""
        wanted = ids(entries)
        total = 0.0
        for item in wanted:
            near = client.get(f"/v1/items/{item}/similar?k=100").json()["similar"]
            total += sum(e["similarity"] for e in near if e["item"] in wanted)
        return total / len(wanted)

    lists = [
        post(client, "/v1/recommend", ratings=as_json(ratings), diversity=d)["recommendations"]
        for d in (0, 0.5, 1)
    ]
    assert alike(lists[0]) > alike(lists[1])
    assert lists[0][0] == lists[1][0] == lists[2][0]
    assert [e["rank"] for e in lists[2]] == list(range(1, 11))


def test_known_users(client: TestClient, model: Recommender) -> None:
    user = model.user_ids.ids[7]
    answer = client.get(f"/v1/users/{user}/recommendations?k=15&shrink=false").json()
    wanted = model.recommend(users=[user], k=15)
    assert answer["user"] == str(user)
    assert ids(answer["recommendations"]) == [str(item) for item in wanted["item_id"]]
    some = client.get(
        f"/v1/users/{user}/recommendations",
        params={"k": 500, "exclude_genres": ["Drama", "Comedy"], "year_from": 1990, "why": 0},
    ).json()["recommendations"]
    assert some
    assert all(entry["year"] >= 1990 for entry in some)
    assert not any({"Drama", "Comedy"} & set(entry["genres"]) for entry in some)


def test_search(client: TestClient, model: Recommender) -> None:
    assert model.item_table is not None
    title = model.item_table.titles[50]
    first = client.get("/v1/items", params={"q": title.lower()[:-7]}).json()["items"][0]
    assert first["title"] == title
    by_id = client.get("/v1/items", params={"q": str(model.item_ids.ids[50])}).json()["items"]
    assert by_id[0]["title"] == title
    popular = client.get("/v1/items?limit=100").json()["items"]
    counts = [entry["n_ratings"] for entry in popular]
    assert counts == sorted(counts, reverse=True)
    assert len(counts) == 100
    assert client.get("/v1/items", params={"q": "§§§"}).json()["items"] == []


def test_similar_items_by_cosine(client: TestClient, model: Recommender) -> None:
    vectors = model.network.table_out.detach().numpy()
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    near = client.get(f"/v1/items/{model.item_ids.ids[4]}/similar?k=5").json()["similar"]
    cosines = unit @ unit[4]
    assert model.histories is not None
    counts = np.bincount(model.histories.items, minlength=model.n_items)
    cosines[counts < 10] = -2  # hardly learned
    cosines[4] = -2
    wanted = np.argsort(-cosines)[:5]
    assert ids(near) == [str(item) for item in model.item_ids.ids[wanted]]
    assert [e["similarity"] for e in near] == pytest.approx(cosines[wanted].tolist(), abs=1e-5)


def test_the_map(client: TestClient, model: Recommender) -> None:
    body = client.get("/v1/map").json()
    lengths = {len(body[name]) for name in ("item", "title", "year", "x", "y", "genres", "mean")}
    assert lengths == {model.n_items}
    x, y = np.array(body["x"]), np.array(body["y"])
    assert max(np.abs(x).max(), np.abs(y).max()) == pytest.approx(1)
    assert 1 >= body["explained"][0] >= body["explained"][1] > 0
    answer = client.get(f"/v1/items/{body['item'][3]}").json()
    assert answer["position"] == {"x": x[3], "y": y[3]}
    names = [body["genre_names"][at] for at in body["genres"][3]]
    assert names == answer["item"]["genres"]
    assert len(client.get("/v1/map?limit=10").json()["x"]) == 10


def test_a_profile_shows_the_taste(client: TestClient, model: Recommender) -> None:
    assert model.item_table is not None
    assert model.item_table.genres is not None
    names = client.get("/v1/model").json()["genres"]
    liked, disliked = names[0]["name"], names[1]["name"]
    ratings = []
    for code, genres in enumerate(model.item_table.genres):
        if (liked in genres) != (disliked in genres) and len(ratings) < 60:
            rating = 5 if liked in genres else 1
            ratings.append({"item": str(model.item_ids.ids[code]), "rating": rating})
    answer = post(client, "/v1/profile", ratings=ratings)
    lifts = {entry["name"]: entry for entry in answer["genres"]}
    assert lifts[liked]["lift"] > lifts[disliked]["lift"]
    assert [e["lift"] for e in answer["genres"]] == sorted(
        (e["lift"] for e in answer["genres"]), reverse=True
    )
    assert lifts[liked]["n_rated"] == sum(rating["rating"] == 5 for rating in ratings)
    decades = [entry["decade"] for entry in answer["decades"]]
    assert decades == sorted(decades)
    assert all(entry["name"] == f"{entry['decade']}s" for entry in answer["decades"])


def test_surprises_are_worth_their_value(
    client: TestClient, model: Recommender, ratings: dict[Any, float]
) -> None:
    answer = post(client, "/v1/surprise", ratings=as_json(ratings), k=10)
    values = [entry["value"] for entry in answer["items"]]
    assert values == sorted(values, reverse=True)
    assert not set(ids(answer["items"])) & {str(item) for item in ratings}
    first = answer["items"][0]
    assert first["value"] == pytest.approx(first["change"] * first["known"], abs=1e-5)
    # What it claims to measure, measured.
    error = client.get("/v1/model").json()["metrics"]["rmse"]
    model.clip, clip = False, model.clip
    try:
        guess = float(model.predict(0, first["item"], histories=[ratings])[0])
        items = model.item_ids.ids
        low, high = (
            model.predict(
                0, items, histories=[{**ratings, int(first["item"]): float(np.clip(r, 1, 5))}]
            )
            for r in (guess - error, guess + error)
        )
    finally:
        model.clip = clip
    assert first["change"] == pytest.approx(np.sqrt(np.mean((high - low) ** 2)) / 2, abs=1e-4)


def test_a_user_without_ratings_gets_items_to_rate(client: TestClient) -> None:
    answer = post(client, "/v1/surprise", ratings=[], k=3)
    assert len(answer["items"]) == 3
    assert answer["used"] == []


def test_the_card(client: TestClient, model: Recommender) -> None:
    answer = client.get("/v1/model").json()
    assert answer["kind"] == "autoencoder"
    assert answer["data"]["n_items"] == model.n_items
    assert answer["scale"] == {"low": 1, "high": 5, "step": 1}
    assert answer["has"] == {
        "titles": True,
        "genres": True,
        "years": True,
        "users": True,
        "vectors": True,
        "std": True,
        "counts": True,
        "ratings": True,
    }
    assert len(answer["epochs"]) == 8
    rmse = answer["metrics"]["rmse"]
    assert answer["scores"] == [{"name": "rmse", "label": "RMSE", "value": rmse, "interval": None}]
    assert any(f"{answer['metrics']['rmse']:.2f}" in caveat for caveat in answer["caveats"])
    name = answer["model"]
    assert client.get("/readyz").json() == {"status": "ready", "model": name}


def test_a_list_for_several_people(client: TestClient, model: Recommender) -> None:
    known = client.get("/v1/items?limit=6").json()["items"]
    first = [{"item": each["item"], "rating": 5} for each in known[:3]]
    second = [{"item": each["item"], "rating": 1 + at} for at, each in enumerate(known[3:])]
    histories = [
        {int(rating["item"]): rating["rating"] for rating in ratings} for ratings in (first, second)
    ]
    coded = [(model.item_ids.encode(list(h)), list(h.values())) for h in histories]
    every = model.rank_scores_coded(Histories.build(coded))
    every /= every.max(axis=1, keepdims=True)
    asked = {"ratings": first, "others": [second], "k": 5, "shrink": False}
    seen = model.item_ids.encode([item for history in histories for item in history])
    for together, whole in (("least_misery", every.min(axis=0)), ("mean", every.mean(axis=0))):
        answer = client.post("/v1/recommend", json={**asked, "together": together}).json()
        whole[seen] = -np.inf
        wanted = model.item_ids.ids[np.argsort(-whole, kind="stable")[:5]]
        result = answer["recommendations"]
        assert [int(each["item"]) for each in result] == wanted.tolist()
        for each in result:
            fold = min if together == "least_misery" else np.mean
            assert each["predicted"] == pytest.approx(fold(each["each"]), abs=1e-5)
        assert {entry.get("person", 0) for entry in answer["used"]} == {0, 1}
    for wrong in ([[]], [second] * 8):
        assert client.post("/v1/recommend", json={**asked, "others": wrong}).status_code == 422


def test_several_people_are_listed_by_rating_alone_with_the_largest_love(
    client: TestClient, model: Recommender
) -> None:
    """Ratings are compared as they are: not relative to each person's highest."""
    high, low = (dict.fromkeys((5, 9, 12, 17), rating) for rating in (5.0, 1.0))
    coded = [(model.item_ids.encode(list(h)), list(h.values())) for h in (high, low)]
    every = model.scores_coded(Histories.build(coded))
    whole = every.mean(axis=0)
    whole[coded[0][0]] = -np.inf
    body = {"others": [as_json(low)], "k": 5, "love": 1000, "together": "mean", "why": 0}
    listed = post(client, "/v1/recommend", ratings=as_json(high), **body)["recommendations"]
    wanted = np.argsort(-whole, kind="stable")[:5]
    assert ids(listed) == [str(item) for item in model.item_ids.ids[wanted]]
    assert [e["score"] for e in listed] == pytest.approx(whole[wanted].tolist(), abs=1e-5)


@pytest.mark.parametrize(
    ("wrong", "detail", "pointer"),
    [
        ({"item": "nix", "rating": 3}, "none of the others[1] can be used; others[1][0]: ", ""),
        ({"item": "1", "rating": 9}, "others[1][0]: the rating 9 of ", "/0/rating"),
    ],
)
def test_what_is_wrong_with_one_of_several_people(
    client: TestClient, wrong: dict[str, Any], detail: str, pointer: str
) -> None:
    good = [{"item": "1", "rating": 4}, {"item": "unknown", "rating": 4}]
    answer = client.post("/v1/recommend", json={"ratings": good, "others": [good, [wrong]]})
    problem = answer.json()
    assert answer.status_code == 422
    assert problem["detail"].startswith(detail)
    assert ("nix" in problem["detail"]) == (wrong["item"] == "nix")
    assert problem["errors"][0]["pointer"] == f"/others/1{pointer}"


def test_too_many_titles_of_one_of_several_people(client: TestClient) -> None:
    titled = [{"title": f"title {at}", "rating": 4} for at in range(101)]
    asked = {"ratings": [{"item": "1", "rating": 4}], "others": [titled[:50], titled[50:] * 2]}
    problem = client.post("/v1/recommend", json=asked).json()
    assert problem["detail"].startswith("others[1][50]: more than 100 titles")
    assert problem["errors"][0]["pointer"] == "/others/1/50"


def test_ignored_entries_name_their_person(client: TestClient) -> None:
    good = [{"item": "1", "rating": 4}, {"item": "unknown", "rating": 4}]
    asked = {"ratings": good, "others": [good[:1], good]}
    ignored = client.post("/v1/recommend", json=asked).json()["ignored"]
    assert [(each["field"], each["index"], each.get("person", 0)) for each in ignored] == [
        ("ratings", 1, 0),
        ("others", 1, 2),
    ]


def test_titles_are_matched(client: TestClient) -> None:
    known = client.get("/v1/items?limit=2").json()["items"]
    titles = ["qwertyuiop asdfgh", known[0]["title"].lower(), "100"]  # as a film, not as an id
    answer = client.post("/v1/items/match", json={"titles": titles}).json()
    assert client.get("/v1/items/100").status_code == 200
    assert [(m["index"], m["item"]) for m in answer["matches"]] == [(1, known[0])]
    rated = [{"title": "100", "rating": 4}, {"item": "1", "rating": 4}]
    answer = client.post("/v1/recommend", json={"ratings": rated, "k": 1}).json()
    assert [each["index"] for each in answer["ignored"]] == [0]


@pytest.mark.parametrize("field", ["exclude", "only"])
def test_ids_that_the_model_does_not_have_are_no_titles(client: TestClient, field: str) -> None:
    unknown = [str(10_000_000 + at) for at in range(2000)]
    asked = {"ratings": [{"item": "1", "rating": 4}], field: [*unknown, "2"], "k": 3, "why": 0}
    answer = client.post("/v1/recommend", json=asked)
    assert answer.status_code == 200
    assert len(answer.json()["ignored"]) == 2000
    listed = [each["item"] for each in answer.json()["recommendations"]]
    assert (listed == ["2"]) == (field == "only")
