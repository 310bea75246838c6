from ._sparsefc import SparseFC as SparseFC
