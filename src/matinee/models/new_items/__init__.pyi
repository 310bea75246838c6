from .columns import ItemColumns as ItemColumns, item_columns as item_columns
from .predictor import AllKnownError as AllKnownError, NewItems as NewItems
