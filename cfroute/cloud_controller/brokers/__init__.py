"""Service brokers as the Cloud Controller sees them: the platform's side of the Open Service Broker API, 2.13 to 2.15."""
