"""A Diego cell: it runs the instances and the staging tasks that the BBS gives it.

rep            watches the BBS, and keeps what runs here equal to what it says
reconcile      decides what that takes
instance       one instance, from its claim to its end
environment, launcher, health, lines, ports, usage   what an instance is made of
guard, processes   see that nothing outlives the cell
droplets, archives   fetch and unpack
staging        turns a package into a droplet
egress         the proxy through which apps reach the public names
"""
