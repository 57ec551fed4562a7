"""The HTTP load balancer in front of the Gorouters: what a foundation's clients talk to.

    config      its configuration file
    routers     the Gorouters behind it, and which of them are healthy
    balancer    what happens to a request: the policy for the data plane
    main        the process
"""
