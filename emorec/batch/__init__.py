"""Reads videos, photos and folders in parallel, on one machine or many: `emorec analyze`.

inputs (files -> tasks) -> cluster (Dask) -> work (a task on a worker) -> store (the folder of
results: rows, records of what is done, summary, errors). Only `cluster` imports Dask.
"""
