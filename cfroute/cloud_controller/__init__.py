"""The Cloud Controller: the API that people and tools talk to, and the database (ccdb) of what they want."""
