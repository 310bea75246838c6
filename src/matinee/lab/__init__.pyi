from . import leaderboard as leaderboard
from . import report as report
from . import rivals as rivals
from . import study as study
from . import tune as tune
