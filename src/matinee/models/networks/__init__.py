"""The deep autoencoder and ensembles of it, as recommenders."""
