"""Names as people type them."""

import pytest

from .conftest import Run


@pytest.mark.parametrize("name", ["", "two\nlines", "a\x01b", "../apps", "?per_page=1", "☃"])
def test_whatever_is_typed_is_a_name_and_no_other_path(name: str, cfroute: Run) -> None:
    refused = cfroute("feature-flag", name, "--json")
    assert refused.status == 1
    assert refused.error["type"] in ("NotFound", "ApiError")
    assert "internal error" not in refused.error["message"]
