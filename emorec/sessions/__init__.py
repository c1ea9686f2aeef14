"""Sessions: what a room showed over time, kept, compared and reported.

The way the data goes::

    FrameResult -> Timeline -> seconds -> room measures -> report -> downloads
                      |           |                          ^
                      |           +-> Keeper -> SessionStore +
                      +-> markers                            |
                                            comparison ------+

- `timeline.Timeline` is a sink. It holds the rows of the last minutes at the full rate, one row of
  sums for each second of the whole session (`seconds.SECOND`), and the markers.
- `room.measures` turns seconds into what may be told of a room: shares, mood line, smiles,
  synchrony, unreadable share, each with the number of faces it rests on. `alert.Alert` watches one.
- `keeper.Keeper` writes finished seconds to the store every two seconds, on its own thread.
  `store.SessionStore` keeps sessions in SQLite or PostgreSQL; `store.open_sessions` opens it.
- `report.of_timeline` and `report.of_stored` make a `report.Report`; `downloads.write` turns it
  into CSV, JSON, Parquet, XLSX, PNG or HTML.
- `compare.compare` gives the difference between two spans, with its uncertainty.
- `summary.summarize` gives the figures that the Live page shows after STOP.

No picture and no name is ever kept.
"""
