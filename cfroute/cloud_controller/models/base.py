"""What all tables have in common."""

from typing import Any

from sqlalchemy import JSON, String
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

NOCASE = String(collation="NOCASE")


class Base(DeclarativeBase):
    """All tables of the ccdb."""

    type_annotation_map = dict.fromkeys((dict[str, Any], dict[str, str], list[str], list[int], list[dict[str, Any]]), JSON)


class Resource(Base):
    """A thing with a guid. Times in seconds of the epoch; they are set when it is saved (see `db`)."""

    __abstract__ = True

    guid: Mapped[str] = mapped_column(primary_key=True)
    created_at: Mapped[float] = mapped_column(index=True)
    updated_at: Mapped[float]


class Labelled(Resource):
    """A resource that people can put labels and annotations on."""

    __abstract__ = True

    labels: Mapped[dict[str, str]] = mapped_column(default=dict)
    annotations: Mapped[dict[str, str]] = mapped_column(default=dict)
