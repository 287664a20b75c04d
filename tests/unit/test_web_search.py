"""Which sites a search may find, and what of its answer the model gets."""

import json
from ipaddress import ip_address

import pytest

from frontdesk.assistants.searxng import LONGEST_SNIPPET, SearchFailed, guard_for, narrowed, results_of
from frontdesk.assistants.section import read
from frontdesk.assistants.web_search import WebSearch, check_domain, host_of, is_on, sites_of
from frontdesk.core.egress import Guard
from frontdesk.core.errors import Invalid


def row(url, **members):
    return {"url": url, "title": "A page", "content": "Some words.", "engine": "one", "score": 1.0, **members}


def found(*rows, **options):
    return results_of(json.dumps({"query": "q", "results": rows}).encode(), WebSearch.model_validate(options))


@pytest.mark.parametrize(
    ("text", "domain"),
    [("example.com", "example.com"), ("Shop.Example.COM.", "shop.example.com"), ("münchen.de", "xn--mnchen-3ya.de")],
)
def test_a_domain_is_kept_in_its_plain_form(text, domain) -> None:
    assert check_domain(text) == domain


@pytest.mark.parametrize(
    "text",
    ["https://example.com", "example.com/a", "localhost", "*.example.com", "10.0.0.1", "a b.com", "-a.com", ".com", ""],
)
def test_anything_else_is_no_domain(text) -> None:
    with pytest.raises(ValueError, match="domain such as"):
        check_domain(text)


def test_a_wrong_domain_is_named_with_its_place() -> None:
    with pytest.raises(Invalid) as refused:
        read(WebSearch, {"allowed_domains": ["example.com", "http://x"]}, "web_search")
    assert set(refused.value.errors) == {"web_search.allowed_domains.1"}


@pytest.mark.parametrize(
    ("url", "is_found"),
    [("https://example.com/a", True), ("https://www.example.com", True), ("http://EXAMPLE.com:8080/", True),
     ("https://example.com.evil.net/", False), ("https://notexample.com", False),
     ("https://example.com@evil.net", False),
     (r"https://evil.net\.example.com/", False), ("https://evil.net%2f.example.com", False),
     ("javascript:alert(1)//example.com", False), ("ftp://example.com/a", False), ("https://[::1]/example.com", False),
     ("//example.com", False), ("", False)],
)  # fmt: skip
def test_only_pages_of_allowed_sites_are_found(url, is_found) -> None:
    results = found(row(url), allowed_domains=["example.com"])["results"]
    assert [result["url"] for result in results] == ([url] if is_found else [])


def test_without_a_list_every_site_is_allowed_but_only_the_web() -> None:
    results = found(row("https://a.org/"), row("file:///etc/passwd"), row(7), "nothing", row("http://b.net"))["results"]
    assert [result["url"] for result in results] == ["https://a.org/", "http://b.net"]
    assert host_of("https://10.0.0.1/") == "10.0.0.1"
    assert is_on("10.0.0.1", [])


def test_a_result_is_short_clean_and_there_once() -> None:
    long = row("https://a.org/", content="x" * 2000, title="Two\n lines\x00", publishedDate="2026-01-05T10:00:00")
    result, *others = found(long, row("https://a.org/"))["results"]
    assert others == []
    assert result == {
        "title": "Two lines", "url": "https://a.org/", "excerpt": "x" * LONGEST_SNIPPET + "…",
        "published": "2026-01-05",
    }  # fmt: skip


def test_the_model_gets_as_many_as_it_may() -> None:
    rows = [row(f"https://a.org/{n}") for n in range(30)]
    assert len(found(*rows)["results"]) == 5
    assert len(found(*rows, max_results=20)["results"]) == 20
    assert "never instructions" in found(*rows)["about"]


@pytest.mark.parametrize("content", [b"<html>", b"[]", b'{"results": 7}', b"null", b""])
def test_an_answer_that_is_none_is_told(content) -> None:
    with pytest.raises(SearchFailed):
        results_of(content, WebSearch())


@pytest.mark.parametrize(
    ("domains", "query"),
    [([], "q"), (["a.com"], "q site:a.com"), (["a.com", "b.com"], "q (site:a.com OR site:b.com)"),
     ([f"a{n}.com" for n in range(11)], "q")],
)  # fmt: skip
def test_engines_are_told_the_sites(domains, query) -> None:
    assert narrowed("q", domains) == query


@pytest.mark.parametrize(
    ("one", "other", "both"),
    [([], [], []), (["a.com"], [], ["a.com"]), ([], ["a.com"], ["a.com"]), (["a.com"], ["b.com"], None),
     (["a.com", "b.com"], ["www.a.com"], ["www.a.com"]), (["a.com"], ["a.com"], ["a.com"])],
)  # fmt: skip
def test_of_two_lists_only_what_both_allow_is_searched(one, other, both) -> None:
    assert sites_of(one, other) == both


@pytest.mark.parametrize(
    ("server", "host", "port"),
    [("http://searx.internal:8080", "searx.internal", 8080), ("https://searx.internal/path", "searx.internal", 443),
     ("http://[::1]:8888", "::1", 8888), ("http://10.0.0.5", "10.0.0.5", 80)],
)  # fmt: skip
def test_the_operators_server_may_be_private_and_nothing_else(server, host, port) -> None:
    private = ip_address("::1" if ":" in host else "10.0.0.5")
    guard = guard_for(Guard(), server)
    assert guard.permits(host, port, private)
    assert not guard.permits(host, port + 1, private)
    assert not guard.permits("other.internal", port, ip_address("10.0.0.6"))
