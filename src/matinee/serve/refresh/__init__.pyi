from .ratings import feedback_ratings as feedback_ratings
from .refresh import Refreshed as Refreshed, refresh as refresh, rollback as rollback
