"""Recommend to more users than one machine holds, with Spark.

    pip install 'matinee[scale]'
    spark-submit --master 'local[2]' examples/spark_scoring.py MODEL ratings.parquet out/

`ratings.parquet` (a file, or a folder of them) has a row for each person: user_id, items (a list
of item ids) and ratings (a list as long), as for ray_scoring.py. The model folder must be readable
from every executor, whose Python needs matinee, pandas and pyarrow; `PYSPARK_PYTHON` names it.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator

import pandas as pd
from pyspark.sql import SparkSession

LISTS = "user_id string, item_id string, score double, rank int"


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
            lists = model.recommend(histories, k=k, unknown="skip").to_pandas()
            ids = {"user_id": lists["user_id"].astype(str), "item_id": lists["item_id"].astype(str)}
            yield lists.assign(**ids)[["user_id", "item_id", "score", "rank"]]

    spark = SparkSession.builder.appName("matinee").getOrCreate()
    people = spark.read.parquet(options.ratings)
    cores = spark.sparkContext.defaultParallelism
    if people.rdd.getNumPartitions() < cores:  # small files are one task
        people = people.repartition(cores)
    people.mapInPandas(score, LISTS).write.mode("overwrite").parquet(options.out)
    spark.stop()


if __name__ == "__main__":
    main()
