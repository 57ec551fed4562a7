"""Which requests are good. Pure functions of the request and of facts from the database; the words are upstream's."""
