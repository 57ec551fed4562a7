"""Lists: filters, order, pages, and what else is to be included."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar
from urllib.parse import urlencode

from sqlalchemy import ColumnElement, Integer, cast, func, literal_column, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from cfroute.cloud_controller import labels
from cfroute.cloud_controller.call import Call, Loads, Reply
from cfroute.cloud_controller.errors import bad_query
from cfroute.cloud_controller.models import Labelled, Resource
from cfroute.cloud_controller.query import Query
from cfroute.cloud_controller.times import seconds
from cfroute.cloud_controller.urls import Urls

R = TypeVar("R", bound=Resource)

Filter = Callable[[list[str]], ColumnElement[bool]]
# Related things: the name under `included`, and what stands there.
Include = Callable[[Session, Sequence[Any], Urls], tuple[str, list[dict[str, Any]]]]
_Conditions = list[ColumnElement[bool]]
_Order = tuple[ColumnElement[Any], ColumnElement[Any]]

_PAGING = ("page", "per_page", "order_by", "created_ats", "updated_ats", "guids")
_COMPARISONS: dict[str, Callable[[Any, float], ColumnElement[bool]]] = {
    "lt": lambda column, moment: column < moment,
    "lte": lambda column, moment: column < moment + 1,  # the API shows whole seconds
    "gt": lambda column, moment: column >= moment + 1,
    "gte": lambda column, moment: column >= moment,
}


def among(column: InstrumentedAttribute[Any]) -> Filter:
    """The filter `column in (values)`."""
    return lambda values: column.in_(values)


def of_guids(session: Session, model: type[R], guids: Iterable[str | None], loads: Loads = ()) -> list[R]:
    """The things that have these guids, in the same order and each once, with `loads`; all are asked for at once."""
    wanted = [guid for guid in dict.fromkeys(guids) if guid is not None]
    rows = session.scalars(select(model).where(model.guid.in_(wanted)).options(*loads)).unique()
    found = {each.guid: each for each in rows}
    return [found[guid] for guid in wanted]


@dataclass(frozen=True)
class Listing(Generic[R]):
    """How one kind of thing is listed. `accepts` are further parameters, which the handler sees to itself.

    `loads` are the related things that `present` looks at, to be read for all rows at once and not for each.
    """

    model: type[R]
    present: Callable[[R, Urls], dict[str, Any]]
    filters: Mapping[str, Filter] = field(default_factory=dict)
    order: tuple[str, ...] = ()
    includes: Mapping[str, Include] = field(default_factory=dict)
    accepts: tuple[str, ...] = ()
    loads: Loads = ()

    @property
    def parameters(self) -> list[str]:
        labelled = ("label_selector",) if issubclass(self.model, Labelled) else ()
        include = ("include",) if self.includes else ()
        return [*_PAGING, *labelled, *include, *self.filters, *self.accepts]

    def page(self, call: Call, *where: ColumnElement[bool]) -> Reply:
        """The page of those things that the query asks for and for which `where` holds."""
        query = call.query
        query.refuse_unknown(self.parameters)
        include = query.include(self.includes)
        number, size = query.window()
        conditions = [*call.visible(self.model), *where, *self._conditions(query)]
        before = (number - 1) * size
        rows = self._rows(call.session, conditions, self._order(query), before, size)
        total = self._total(call.session, conditions, before, len(rows), size)
        answer: dict[str, Any] = {
            "pagination": pagination(call.urls.base + call.location, query, total, number, size),
            "resources": [self.present(row, call.urls) for row in rows],
        }
        if include:
            answer["included"] = self._included(include, call.session, rows, call.urls)
        return Reply(200, answer)

    def included(self, call: Call, thing: R) -> dict[str, Any]:
        """One thing, with what the query wants included."""
        call.query.refuse_unknown(["include"] if self.includes else [])
        answer = self.present(thing, call.urls)
        if include := call.query.include(self.includes):
            answer["included"] = self._included(include, call.session, [thing], call.urls)
        return answer

    def _included(self, names: list[str], session: Session, rows: Sequence[R], urls: Urls) -> dict[str, Any]:
        answer: dict[str, Any] = {}
        for name in names:
            plural, things = self.includes[name](session, rows, urls)
            answer[plural] = things
        return answer

    def _conditions(self, query: Query) -> _Conditions:
        model: Any = self.model
        conditions = [make(query.values(name)) for name, make in self.filters.items() if name in query]
        if "guids" in query and "guids" not in self.filters:
            conditions.append(model.guid.in_(query.values("guids")))
        for name in query.names:
            if name.startswith(("created_ats", "updated_ats")):
                conditions.append(_moments(getattr(model, name[:10]), name, query.values(name)))
        if "label_selector" in query:
            conditions += [_labelled(model, requirement) for requirement in labels.parse(query.get("label_selector"))]
        return conditions

    def _rows(self, session: Session, where: _Conditions, order: _Order, before: int, size: int) -> Sequence[R]:
        """So many of those for which `where` holds, after the first `before`."""
        # Which ones they are is asked for by itself: an index knows, and what stands before them is not read with all that
        # belongs to it.
        page = select(self._rowid).select_from(self.model).where(*where).order_by(*order).limit(size).offset(before)
        rows = select(self.model).where(self._rowid.in_(page.correlate(None))).order_by(*order)
        return session.scalars(rows.options(*self.loads)).unique().all()

    def _total(self, session: Session, where: _Conditions, before: int, found: int, size: int) -> int:
        """How many there are on all pages; a page that is not full is the last one, and nobody has to count."""
        if found < size and (found or not before):
            return before + found
        return session.scalar(select(func.count()).select_from(self.model).where(*where)) or 0

    @property
    def _rowid(self) -> ColumnElement[int]:
        return literal_column(f"{self.model.__tablename__}.rowid")

    def _order(self, query: Query) -> _Order:
        name, descending = query.order(("created_at", "updated_at", *self.order))
        column = getattr(self.model, name)
        return (column.desc(), self._rowid.desc()) if descending else (column, self._rowid)


def _moments(column: Any, name: str, values: list[str]) -> ColumnElement[bool]:
    moments = [seconds(value) for value in values]
    operator = name[len("created_ats") :]
    compare = _COMPARISONS.get(operator[1:-1]) if operator else None
    if None in moments or (operator and (compare is None or len(moments) != 1)):
        raise bad_query(f"{name.partition('[')[0].capitalize().replace('_', ' ')} has an invalid timestamp format.")
    known = [moment for moment in moments if moment is not None]
    if compare is not None:
        return compare(column, known[0])
    return cast(column, Integer).in_(known)


def _labelled(model: Any, requirement: labels.Requirement) -> ColumnElement[bool]:
    value = func.json_extract(model.labels, f'$."{requirement.key}"')
    if requirement.values:
        condition = value.in_(requirement.values)
        return condition if requirement.operator == "in" else (value.is_(None) | ~condition)
    return value.is_not(None) if requirement.operator == "in" else value.is_(None)


def pagination(url: str, query: Query, total: int, number: int, size: int) -> dict[str, Any]:
    """The links to the pages around this one, each with all that was asked for."""
    pages = max(1, -(-total // size))

    def href(page: int) -> dict[str, str]:
        kept = [(name, query.get(name)) for name in query.names if name not in ("page", "per_page")]
        return {"href": f"{url}?{urlencode([*kept, ('page', page), ('per_page', size)])}"}

    return {
        "total_results": total,
        "total_pages": pages,
        "first": href(1),
        "last": href(pages),
        "next": href(number + 1) if number < pages else None,
        "previous": href(number - 1) if number > 1 else None,
    }
