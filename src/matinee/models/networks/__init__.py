"""The deep autoencoder and ensembles of it, as recommenders.

``autoencoder`` and ``ensemble`` are the models. Both train each network by a ``Trainer``
(``trainer``), which makes a ``FittedNetwork`` (``_fitted``), and predict by that.

- Of training: ``_rows``, ``_link`` and ``_start`` prepare a run; ``_side_by_side`` trains several
  teachers at once; ``_unit`` converts the unit of the ratings; ``_stored`` fits codes of known
  users; ``_validation`` collects predictions.
- Of ensembles: ``_weights`` fits the members' weights, ``blend.count_shift`` how these depend on
  counts; ``blend.sampled`` has the members that are factorisation machines.
- Of saved networks: ``_saved``.
"""
