"""The routing table: routes, pools and endpoints, and the choice among them."""
