from .table import Leaderboard as Leaderboard
from .table import leaderboard as leaderboard
