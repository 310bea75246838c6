"""The network: sparse kernels, layers, losses. Cost is by ratings, never users x items."""
