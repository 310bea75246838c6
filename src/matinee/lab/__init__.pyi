from . import (
    leaderboard as leaderboard,
    report as report,
    rivals as rivals,
    study as study,
    tune as tune,
)
