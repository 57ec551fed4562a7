"""Lists: filters, order, pages, and what else is to be included."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar
from urllib.parse import urlencode

from sqlalchemy import ColumnElement, Integer, Select, cast, func, literal_column, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from cfroute.cloud_controller import labels
from cfroute.cloud_controller.call import Call, Reply
from cfroute.cloud_controller.errors import bad_query
from cfroute.cloud_controller.models import Labelled, Resource
from cfroute.cloud_controller.query import Query
from cfroute.cloud_controller.times import seconds
from cfroute.cloud_controller.urls import Urls

R = TypeVar("R", bound=Resource)

Filter = Callable[[list[str]], ColumnElement[bool]]
# Related things: the name under `included`, and what stands there.
Include = Callable[[Session, Sequence[Any], Urls], tuple[str, list[dict[str, Any]]]]

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


@dataclass(frozen=True)
class Listing(Generic[R]):
    """How one kind of thing is listed. `accepts` are further parameters, which the handler sees to itself."""

    model: type[R]
    present: Callable[[R, Urls], dict[str, Any]]
    filters: Mapping[str, Filter] = field(default_factory=dict)
    order: tuple[str, ...] = ()
    includes: Mapping[str, Include] = field(default_factory=dict)
    accepts: tuple[str, ...] = ()

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
        found = select(self.model).where(*call.visible(self.model), *where, *self._conditions(query))
        total = call.session.scalar(select(func.count()).select_from(found.subquery())) or 0
        rows = call.session.scalars(self._ordered(found, query).limit(size).offset((number - 1) * size)).all()
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

    def _conditions(self, query: Query) -> list[ColumnElement[bool]]:
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

    def _ordered(self, found: Select[R], query: Query) -> Select[R]:
        name, descending = query.order(("created_at", "updated_at", *self.order))
        column = getattr(self.model, name)
        insertion: ColumnElement[int] = literal_column(f"{self.model.__tablename__}.rowid")
        if descending:
            return found.order_by(column.desc(), insertion.desc())
        return found.order_by(column, insertion)


def _moments(column: Any, name: str, values: list[str]) -> ColumnElement[bool]:
    moments = [seconds(value) for value in values]
    operator = name[len("created_ats") :].strip("[]")
    if None in moments or (operator and (operator not in _COMPARISONS or len(moments) != 1)):
        raise bad_query(f"{name.partition('[')[0].capitalize().replace('_', ' ')} has an invalid timestamp format.")
    known = [moment for moment in moments if moment is not None]
    if operator:
        return _COMPARISONS[operator](column, known[0])
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
