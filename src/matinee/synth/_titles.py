"""An invented catalogue: plausible, distinct film titles that go with their genres."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

# Share of films, rounded from how the MovieLens catalogues come out, then words of its own.
_GENRES: dict[str, tuple[float, str, str]] = {
    "Drama": (
        0.24,
        "Quiet Fading Broken Distant Tender",
        "Daughters Harvest Letter Orchard Vow",
    ),
    "Comedy": (
        0.2,
        "Awkward Cheerful Clumsy Hasty Merry",
        "Holiday Roommates Uncle Cousins Mix-Up",
    ),
    "Thriller": (
        0.09,
        "Cold Hidden Last Silent Twisted",
        "Witness Motive Alibi Hostage Pursuit",
    ),
    "Action": (
        0.09,
        "Burning Final Iron Rogue Steel",
        "Strike Extraction Vengeance Outpost Siege",
    ),
    "Romance": (
        0.08,
        "Tender Secret Starlit Reckless Sweet",
        "Kiss Waltz Promise Rendezvous Bouquet",
    ),
    "Horror": (
        0.06,
        "Crawling Cursed Hollow Unholy Wailing",
        "Cellar Scarecrow Asylum Coven Grave",
    ),
    "Adventure": (
        0.05,
        "Golden Lost Uncharted Wild Wandering",
        "Expedition Compass Treasure Island Raft",
    ),
    "Sci-Fi": (
        0.05,
        "Orbital Quantum Silver Synthetic Stellar",
        "Colony Android Signal Paradox Horizon",
    ),
    "Crime": (
        0.04,
        "Crooked Dirty Marked Stolen Velvet",
        "Heist Ledger Informant Racket Getaway",
    ),
    "Children's": (
        0.03,
        "Brave Curious Giggling Little Tiny",
        "Puppy Treehouse Dragon Circus Balloon",
    ),
    "Documentary": (
        0.02,
        "Living Forgotten Restless Unseen Vanishing",
        "Glaciers Archive Workers Rivers Voices",
    ),
    "Animation": (
        0.02,
        "Enchanted Flying Magic Painted Wooden",
        "Robot Kitten Forest Lantern Kingdom",
    ),
    "Mystery": (
        0.02,
        "Missing Seventh Unsigned Veiled Whispering",
        "Clue Manor Cipher Portrait Inheritance",
    ),
    "Fantasy": (
        0.02,
        "Ancient Elder Frozen Immortal Moonlit",
        "Throne Sorceress Rune Amulet Prophecy",
    ),
    "War": (
        0.02,
        "Fallen Forgotten Muddy Scarlet Unbroken",
        "Battalion Bridge Armistice Convoy Trench",
    ),
    "Musical": (
        0.02,
        "Dazzling Dancing Jubilant Singing Swinging",
        "Chorus Cabaret Melody Overture Spotlight",
    ),
    "Western": (
        0.01,
        "Dusty Lonesome Outlaw Rusty Wanted",
        "Stagecoach Ranch Marshal Canyon Posse",
    ),
    "Film-Noir": (
        0.01,
        "Black Crooked Foggy Midnight Smoky",
        "Alley Blonde Detective Cigarette Detour",
    ),
}


def _split(words: str) -> list[str]:
    return words.split()


_ADJECTIVES = _split(
    "Amber Ashen Autumn Blue Borrowed Bright Buried Burnt Careless Copper Crimson Dark Deep "
    "Double Early Eastern Empty Endless Faithful Far First Foolish Gentle Glass Green Grey Half "
    "Heavy High Honest Hungry Idle Invisible Ivory Jealous Late Lazy Long Lucky Narrow New "
    "Northern Old Open Paper Patient Perfect Plain Private Proud Quick Red Sacred Second Shallow "
    "Sleeping Slow Small Southern Stone Stormy Strange Sudden Third Unfinished Warm Western White "
    "Winter Young"
)
_NOUNS = _split(
    "Affair Angel Apartment Avenue Bargain Bell Bird Boat Boulevard Brother Carnival Chapel City "
    "Clock Coast Crossing Crowd Dawn Door Dream Echo Evening Fire Game Garden Ghost Guest Harbour "
    "Heart Hotel Hour House Journey Key King Lady Lake Lesson Light Lighthouse Line Map Mask Mile "
    "Mirror Moon Morning Mother Mountain Neighbour Night Ocean Passenger Queen Rain Return River "
    "Road Room Rose School Season Secret Shadow Shore Sister Snow Soldier Song Stairs Star "
    "Station Storm Story Stranger Street Summer Sun Teacher Tide Tower Town Train Valley Village "
    "Voice Wall Watch Wedding Window Winter Wolf Year"
)
_PLACES = _split(
    "Aldermoor Antwerp Arden Bellwether Biarritz Bristol Calais Cordoba Delphi Dunmore Elmira "
    "Galway Genoa Halifax Havana Innsbruck Jaipur Kyoto Lisbon Lucerne Marfa Marseille Memphis "
    "Montreal Naples Odessa Oslo Palermo Quebec Riga Salem Santiago Savannah Seville Tangier "
    "Toledo Trieste Tulsa Valparaiso Verona Vienna Winslow Yorkville Zagreb"
)
_NAMES = _split(
    "Abigail Ada Alma Anton Arthur Beatrix Bruno Camille Casper Clara Cora Dmitri Edith Elena "
    "Esther Felix Flora Frida Greta Gus Hana Hector Hugo Ida Imogen Ines Iris Ivan Josephine "
    "Judith Klara Leo Lena Louisa Lucian Mabel Marcus Margot Mateo Mina Nadia Nora Oscar Otto "
    "Pearl Pilar Rosa Ruben Sadie Silas Simone Stella Tobias Ursula Vera Viola Walter Wanda Yusuf "
    "Zelda"
)
_PATTERNS = (
    "The {adjective} {noun}",
    "{adjective} {noun}",
    "The {noun} of {place}",
    "{name}'s {noun}",
    "{name} and the {noun}",
    "{place} {noun}",
    "A {noun} in {place}",
    "{noun} and {other}",
)
_ROMAN = ("II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X")

GENRES = tuple(_GENRES)
"""Names of the genres, as in MovieLens."""

SHARES = np.array([share for share, _, _ in _GENRES.values()])
"""Share of the films by main genre."""


def make_titles(
    genres: Sequence[tuple[str, ...]], years: Sequence[int], rng: np.random.Generator
) -> list[str]:
    """A title for each film, "The Silent Harbour (1994)"; no two alike even without the year.

    Args:
        genres: The genres of each film, the main one first.
        years: The year of each film.
        rng: Source of the choices.
    """
    words = {
        genre: ([*_ADJECTIVES, *adjectives.split() * 3], [*_NOUNS, *nouns.split() * 6])
        for genre, (_, adjectives, nouns) in _GENRES.items()
    }
    parts: dict[str, int] = {}
    titles = [""] * len(years)
    # In order of year, so that a sequel comes after what it follows.
    for film in sorted(range(len(years)), key=years.__getitem__):
        name = ""
        for draws in rng.random((_TRIES, 6)).tolist():
            name = _name(genres[film], words, draws)
            if name not in parts:
                break
        parts[name] = parts.get(name, 0) + 1
        titles[film] = f"{name}{_sequel(parts[name])} ({years[film]})"
    return titles


_TRIES = 4
"""New titles to try before a film becomes a sequel."""


def _name(
    genres: tuple[str, ...], words: dict[str, tuple[list[str], list[str]]], draws: list[float]
) -> str:
    def pick(options: Sequence[str], draw: float) -> str:
        return options[int(draw * len(options))]

    adjectives, nouns = words[pick(genres, draws[5])]
    noun = pick(nouns, draws[1])
    other = pick(nouns, draws[2])
    name = pick(_PATTERNS, draws[0]).format(
        adjective=pick(adjectives, draws[3]),
        noun=noun,
        other=other if other != noun else "the Other",
        place=pick(_PLACES, draws[3]),
        name=pick(_NAMES, draws[4]),
    )
    return f"An{name[1:]}" if name.startswith("A ") and name[2] in "AEIOU" else name


def _sequel(part: int) -> str:
    if part == 1:
        return ""
    return f" {_ROMAN[part - 2]}" if part - 2 < len(_ROMAN) else f" Part {part}"
