"""The albums: kept in memory, by id."""

import threading
import uuid
from typing import Any

FIELDS = ("title", "artist", "releaseYear", "genre", "trackCount", "albumId")

SEED = (
    ("Nevermind", "Nirvana", "1991", "Rock"),
    ("Pet Sounds", "The Beach Boys", "1966", "Rock"),
    ("What's Going On", "Marvin Gaye", "1971", "Rock"),
    ("Are You Experienced?", "Jimi Hendrix Experience", "1967", "Rock"),
    ("The Joshua Tree", "U2", "1987", "Rock"),
    ("Abbey Road", "The Beatles", "1969", "Rock"),
    ("Rumours", "Fleetwood Mac", "1977", "Rock"),
    ("Sun Sessions", "Elvis Presley", "1976", "Rock"),
    ("Thriller", "Michael Jackson", "1982", "Pop"),
    ("Exile on Main Street", "The Rolling Stones", "1972", "Rock"),
    ("Born to Run", "Bruce Springsteen", "1975", "Rock"),
    ("London Calling", "The Clash", "1980", "Rock"),
    ("Hotel California", "The Eagles", "1976", "Rock"),
    ("Led Zeppelin", "Led Zeppelin", "1969", "Rock"),
    ("IV", "Led Zeppelin", "1971", "Rock"),
    ("Synchronicity", "Police", "1983", "Rock"),
    ("Achtung Baby", "U2", "1991", "Rock"),
    ("Let it Bleed", "The Rolling Stones", "1969", "Rock"),
    ("Rubber Soul", "The Beatles", "1965", "Rock"),
    ("The Ramones", "The Ramones", "1976", "Rock"),
    ("A Night At The Opera", "Queen", "1975", "Rock"),
    ("Boston", "Boston", "1976", "Rock"),
    ("Aja", "Steely Dan", "1977", "Rock"),
    ("Texas Flood", "Stevie Ray Vaughan", "1983", "Blues"),
    ("Hard Again", "Muddy Waters", "1977", "Blues"),
    ("King of the Delta Blues Singers", "Robert Johnson", "1961", "Blues"),
    ("Live at the Regal", "B.B. King", "1965", "Blues"),
    ("Kind of Blue", "Miles Davis", "1959", "Jazz"),
    ("Blue Train", "John Coltrane", "1957", "Jazz"),
)

Album = dict[str, Any]


class Albums:
    """A table of albums, for many threads at once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._albums: dict[str, Album] = {}
        for title, artist, year, genre in SEED:
            self.save({"title": title, "artist": artist, "releaseYear": year, "genre": genre})

    def all(self) -> list[Album]:
        """In the order in which they were added."""
        with self._lock:
            return list(self._albums.values())

    def get(self, album_id: str) -> Album | None:
        """One album."""
        with self._lock:
            return self._albums.get(album_id)

    def save(self, given: Album) -> Album:
        """Add an album, or replace the one with its id; it comes back with its id."""
        album = {"id": str(given.get("id") or uuid.uuid4())}
        album |= {field: given.get(field) for field in FIELDS}
        album["trackCount"] = album["trackCount"] or 0
        with self._lock:
            self._albums[album["id"]] = album
        return album

    def delete(self, album_id: str) -> None:
        """Take an album away; one that is not there is no error."""
        with self._lock:
            self._albums.pop(album_id, None)
