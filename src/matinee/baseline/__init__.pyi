from .bias import (
    BiasModel as BiasModel,
    column_means as column_means,
    fit_bias as fit_bias,
    mean_rating as mean_rating,
)
