"""The Gorouter's metrics.

    reporter     counts what happens to requests and routes
    snapshot     all counts of one moment; those of several workers can be added up
    exposition   a snapshot as Prometheus reads it; `listener` serves it
    envelopes    sends counts and values to metron
    varz         the JSON page of former times

The names are upstream's (`families`). Only `listener`, `envelopes`, `monitors` and `process` touch the world.
"""
