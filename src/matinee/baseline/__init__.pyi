from .bias import BiasTable as BiasTable, column_means as column_means, fit_bias as fit_bias
