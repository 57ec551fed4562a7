"""The BBS (bulletin board system): what should run, what does run, and who is to close the gap.

lrps, auction     decide about one instance, about where instances go
state             everything the BBS knows, and each change to it
store             the database: what the state is loaded from, and each change written to
hub               the event streams
service, app      the shell: one change at a time, over HTTP
"""
