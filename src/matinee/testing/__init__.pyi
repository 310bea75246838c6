from .battery import ModelBattery as ModelBattery
from .cases import ModelCase as ModelCase, fitted as fitted, refitted as refitted
from .samples import (
    all_pairs as all_pairs,
    checkerboard as checkerboard,
    histories_by_user as histories_by_user,
    same_rows as same_rows,
    sample as sample,
)
