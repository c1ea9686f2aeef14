"""Videos that visitors upload: each lies on a bounded disk, and a process of its own reads it.

disk (places with a token each) -> job (queue, process, progress) -> worker (reads, writes results)

`quota` counts what visitors hold, for these uploads and for those that Streamlit keeps in memory.
"""
