from .bias import BiasTable as BiasTable
from .bias import column_means as column_means
from .bias import fit_bias as fit_bias
