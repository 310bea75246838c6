"""List metrics by the formulas of libraries and papers, which differ under the same name."""

from __future__ import annotations

from types import MappingProxyType

from .sums import ListSums, ListTotals

FORMULAS: MappingProxyType[str, str] = MappingProxyType(
    {
        "recall": "hits / |T|",
        "recall_capped": "hits / min(k, |T|)",
        "precision": "hits / k",
        "precision_pooled": "hits of all people / sum of min(k, |T|)",
        "ndcg": "DCG / DCG of min(k, |T|) hits",
        "ndcg_full": "DCG / DCG of k hits",
        "map": "sum of precisions at hits / |T|",
        "map_capped": "sum of precisions at hits / min(k, |T|)",
    }
)
"""Every formula in words, by name."""

CONVENTIONS: MappingProxyType[str, MappingProxyType[str, str]] = MappingProxyType(
    {
        name: MappingProxyType(dict(zip(("recall", "precision", "ndcg", "map"), row, strict=True)))
        for name, row in {
            "matinee": ("recall", "precision", "ndcg", "map"),
            "trec_eval, ir-measures": ("recall", "precision", "ndcg", "map"),
            "RecTools": ("recall", "precision", "ndcg_full", "map"),
            "LightGCN": ("recall", "precision", "ndcg", ""),
            "Liang et al. 2018": ("recall_capped", "", "ndcg", ""),
            "RecBole": ("recall", "precision", "ndcg", "map_capped"),
            "implicit": ("", "precision_pooled", "ndcg", "map_capped"),
        }.items()
    }
)
"""The formula that each library or paper uses for recall, precision, nDCG and MAP ("" for none),
all with binary relevance and as means over people: RecTools 0.4 with its defaults, the code of
LightGCN (He et al. 2020), of Mult-VAE (Liang et al. 2018), RecBole 1.2, implicit 0.7."""


def formula(totals: ListTotals, name: str) -> float:
    """Compute a formula of ``FORMULAS`` for the first model."""
    if name == "precision_pooled":
        return float(totals.ratio("hits", "achievable")[0])
    return float(totals.mean(name)[0])


def variants(sums: ListSums) -> dict[str, dict[str, float | None]]:
    """Return the first model's metrics by convention and metric; None if it has no such metric."""
    totals = sums.totals()
    return {
        convention: {
            metric: formula(totals, name) if name else None for metric, name in names.items()
        }
        for convention, names in CONVENTIONS.items()
    }
