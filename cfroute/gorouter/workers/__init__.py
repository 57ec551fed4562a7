"""A router of several processes on one port.

The parent holds the session with NATS, the routing table, the listeners for health, routes and metrics, and the sockets that
clients connect to; it serves no client. Each worker has a copy of the table and serves whom its sockets bring:

    crew          the parent's side: gives the workers what they need, and makes one router of what they tell
    roster        starts, replaces, asks and ends them; `member` is one of them
    doors         the sockets that clients connect to
    main, worker  the process of a worker
    messages      what the two say to each other; `channel` carries it
    journal       what changes in the parent's table, as messages; `handover` is the whole of it, for a new worker
    replica       makes a worker's table of both
    tally         requests under way at each backend, counted by all workers in memory that they share; `slots` numbers backends
    activity      what requests did to the counts in a worker's table, and in the parent's then
    totals        the workers' metrics as those of one router
    pauses        how long to wait before a worker is started in place of one that has ended

Order is what keeps the tables alike: everything that a worker hears comes through one socket, first the whole table, route by
route, and in between what changes of the routes that it has already; then it is told to serve. Only the parent prunes. A worker
that takes a failed endpoint out of its table tells the parent, which tells the others.
"""
