from .table import Leaderboard as Leaderboard, leaderboard as leaderboard
