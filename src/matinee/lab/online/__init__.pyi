from .compare import (
    Calibrated as Calibrated,
    ModelLists as ModelLists,
    OnlineComparison as OnlineComparison,
    compare_online as compare_online,
)
