"""The stages of a request, one module each, under upstream's names. `cfroute.gorouter.pipeline` puts them in order.

A module has `handler(context)`, which returns the function to call with each exchange, or None where the configuration makes
the stage a no-op. The function returns None to go on, or the answer that ends the request.
"""

from collections.abc import Callable

from cfroute.gorouter.exchange import RouterExchange
from cfroute.proxy.answer import Answer

Handler = Callable[[RouterExchange], Answer | None]
