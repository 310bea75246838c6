"""The same on Spark: a model folder, and people without end. Not run by the tests.

    spark-submit examples/spark_scoring.py MODEL ratings.parquet out/

Input as for ray_scoring.py. The model folder must be readable from every executor, which needs
matinee (without torch) in its Python; pandas and pyarrow carry the batches.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator

import pandas as pd
from pyspark.sql import SparkSession
from pyspark.sql.types import (
    DoubleType,
    IntegerType,
    StringType,
    StructField,
    StructType,
)

LISTS = StructType(
    [
        StructField("user_id", StringType()),
        StructField("item_id", StringType()),
        StructField("score", DoubleType()),
        StructField("rank", IntegerType()),
    ]
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("model")
    parser.add_argument("ratings")
    parser.add_argument("out")
    parser.add_argument("-k", type=int, default=10)
    options = parser.parse_args()
    folder, k = options.model, options.k

    def score(batches: Iterator[pd.DataFrame]) -> Iterator[pd.DataFrame]:
        """Lists for the batches of one task, whose model is loaded once."""
        from matinee.models import load_model

        model = load_model(folder)
        for batch in batches:
            histories = {
                user: dict(zip(items, ratings, strict=True))
                for user, items, ratings in zip(
                    batch["user_id"].tolist(), batch["items"], batch["ratings"], strict=True
                )
            }
            table = model.recommend(histories, k=k, unknown="skip").to_pandas()
            table["user_id"] = table["user_id"].astype(str)
            table["item_id"] = table["item_id"].astype(str)
            yield table[["user_id", "item_id", "score", "rank"]]

    spark = SparkSession.builder.appName("matinee").getOrCreate()
    people = spark.read.parquet(options.ratings)
    people.mapInPandas(score, LISTS).write.mode("overwrite").parquet(options.out)
    spark.stop()


if __name__ == "__main__":
    main()
