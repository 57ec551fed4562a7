"""Locket: grants locks and presences that have to be renewed, so that of several processes only one works at a time.

api       the values, and the messages of `models.Locket`
client    what those have who want a lock; the runner that keeps one
locks     the rules: rows, what is asked -> rows, or why not
store     the database
lock_pick what expires
service   the calls
process   the daemon
"""
