"""Publishers: the text a person writes, what is refused, and whether a signer is the one."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from viloapp_core.trust import PublisherTextError, Signer, parse_publisher
from viloapp_core.trust.policy import filled, matches_ref, mismatches, offer
from viloapp_core.trust.publishers import GITHUB_ISSUER, GITLAB_ISSUER, TAGS, Publisher, forge

GITHUB = Signer(
    "github",
    GITHUB_ISSUER,
    "https://github.com/octo/hello/.github/workflows/release.yml@refs/tags/v1.0",
    repository="octo/hello",
    repository_id="123",
    owner_id="45",
    workflow=".github/workflows/release.yml",
    ref="refs/tags/v1.0",
    commit="c" * 40,
)
NAME = st.text("abcdefghijklmnopqrstuvwxyzABCXYZ0123456789_-", min_size=1, max_size=20)
PRINTABLE = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=30)
NUMBER = st.text("0123456789", min_size=1, max_size=12)
REPOSITORIES = st.builds(
    Publisher,
    st.just("github"),
    st.one_of(st.just(GITHUB_ISSUER), PRINTABLE.map("https://".__add__)),
    repository=st.tuples(NAME, NAME).map("/".join),
    repository_id=st.one_of(st.just(""), NUMBER),
    owner_id=st.one_of(st.just(""), NUMBER),
    workflow=PRINTABLE,
    ref=PRINTABLE,
    builder=st.one_of(st.just(""), PRINTABLE.map("https://".__add__)),
)
PROJECTS = REPOSITORIES.map(lambda one: replace(one, kind="gitlab", repository=f"deep/{one.repository}"))
PEOPLE = st.builds(
    Publisher,
    st.just("email"),
    PRINTABLE.map("https://".__add__),
    email=st.tuples(PRINTABLE, PRINTABLE)
    .map(lambda parts: "@".join(part.replace("@", "") for part in parts))
    .filter(lambda text: not text.startswith("@") and not text.endswith("@")),
)
PUBLISHERS = st.one_of(REPOSITORIES, PROJECTS, PEOPLE)


@given(PUBLISHERS)
def test_the_text_of_a_publisher_is_read_back_as_the_same(publisher: Publisher) -> None:
    """`parse_publisher` is the inverse of `str`, whatever characters a field has; the text is one word."""
    assert publisher.problems() == []
    text = str(publisher)
    assert parse_publisher(text) == publisher
    assert text.isprintable()
    assert " " not in text


@given(st.text(max_size=80))
def test_any_text_is_a_publisher_or_refused(text: str) -> None:
    """What a stranger writes is read as something that can be written again, or refused with the reason."""
    try:
        publisher = parse_publisher(text)
    except PublisherTextError:
        return
    assert parse_publisher(str(publisher)) == publisher


@pytest.mark.parametrize(
    ("text", "publisher"),
    [
        (
            "github:octo/hello@.github/workflows/release.yml",
            Publisher(
                "github",
                GITHUB_ISSUER,
                repository="octo/hello",
                workflow=".github/workflows/release.yml",
                ref=TAGS,
            ),
        ),
        (
            "gitlab:group/sub/hello@.gitlab-ci.yml,ref=refs/heads/main,owner-id=7",
            Publisher(
                "gitlab",
                GITLAB_ISSUER,
                repository="group/sub/hello",
                owner_id="7",
                workflow=".gitlab-ci.yml",
                ref="refs/heads/main",
            ),
        ),
        (
            "email:a@example.org,issuer=https://accounts.google.com",
            Publisher("email", "https://accounts.google.com", email="a@example.org"),
        ),
    ],
)
def test_what_people_write(text: str, publisher: Publisher) -> None:
    """The three kinds, with their defaults."""
    assert parse_publisher(text) == publisher
    assert parse_publisher(str(publisher)) == publisher


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("octo/hello", "does not begin with github:, gitlab:, email:"),
        ("svn:octo/hello", "does not begin with"),
        ("github:hello@.github/workflows/a.yml", "'hello' is not like owner/repository"),
        ("github:a/b/c@.github/workflows/a.yml", "'a/b/c' is not like owner/repository"),
        ("gitlab:../b@.gitlab-ci.yml", "'../b' is not like owner/repository"),
        ("github:octo/hello", "the path of the workflow is missing"),
        ("github:octo/hello@a.yml,owner-id=x", "owner-id 'x' is not a number"),
        ("github:octo/hello@a.yml,ref=a,ref=b", "ref is there twice"),
        ("github:octo/hello@a.yml,colour=red", "'colour=red' is not one of"),
        ("email:a@example.org", "an issuer is a URL"),
        ("email:someone,issuer=https://a.example", "'someone' is not an e-mail address"),
        ("email:a@b,issuer=https://a.example,ref=refs/tags/*", "an e-mail address has no ref"),
        ("github:" + "a" * 3000, "longer than 2000 characters"),
    ],
)
def test_what_is_refused(text: str, why: str) -> None:
    """A text that names no publisher is refused with the reason."""
    with pytest.raises(PublisherTextError, match="names no publisher") as caught:
        parse_publisher(text)
    assert why in caught.value.detail


def test_all_problems_at_once() -> None:
    """Two mistakes in one text are told together."""
    with pytest.raises(PublisherTextError) as caught:
        parse_publisher("github:hello@a.yml,owner-id=x,colour=red")
    assert "'hello'" in caught.value.detail
    assert "owner-id" in caught.value.detail
    assert "colour" in caught.value.detail


def test_what_is_offered_for_a_workflow_is_its_releases() -> None:
    """Who signed is offered with both ids and tags alone, and is the one that is offered."""
    offered = offer(GITHUB)
    assert str(offered) == ("github:octo/hello@.github/workflows/release.yml,repository-id=123,owner-id=45")
    assert offered is not None
    assert mismatches(GITHUB, offered) == []


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"issuer": "https://token.actions.example.com"}, "issuer: "),
        ({"repository": "octo/other"}, "repository: octo/other signed, octo/hello is expected"),
        ({"repository_id": "124"}, "repository's id: 124 signed, 123 is expected"),
        ({"repository_id": ""}, "repository's id: nothing signed, 123 is expected"),
        ({"owner_id": "46"}, "owner's id: 46 signed, 45 is expected"),
        ({"workflow": ".github/workflows/test.yml"}, "workflow: "),
        ({"builder": "https://github.com/evil/w/.github/workflows/x.yml"}, "signing workflow: "),
        ({"ref": "refs/heads/main"}, "ref: refs/heads/main signed, refs/tags/* is expected"),
        ({"ref": ""}, "ref: nothing signed"),
        ({"kind": "gitlab"}, "kind: "),
    ],
)
def test_each_field_counts(change: dict[str, str], why: str) -> None:
    """A signer that differs in one thing is not the publisher, and that one thing is named."""
    pinned = offer(GITHUB)
    assert pinned is not None
    wrong = mismatches(replace(GITHUB, **change), pinned)  # type: ignore[arg-type]
    assert len(wrong) == 1
    assert wrong[0].startswith(why)


def test_a_name_that_differs_in_case_is_the_same_repository() -> None:
    """Forges compare names without case; the ids still count."""
    pinned = offer(GITHUB)
    assert pinned is not None
    assert mismatches(replace(GITHUB, repository="Octo/Hello"), pinned) == []


def test_a_workflow_is_never_taken_for_an_address() -> None:
    """A certificate of a workflow whose URL is written like a person's address is of another kind."""
    person = Publisher("email", GITHUB_ISSUER, email=GITHUB.identity)
    assert mismatches(GITHUB, person) != []


def test_ids_that_a_person_left_open_are_filled_in() -> None:
    """Naming a repository pins the ids that it has today."""
    named = parse_publisher("github:octo/hello@.github/workflows/release.yml")
    assert mismatches(GITHUB, named) == []
    assert filled(named, GITHUB) == offer(GITHUB)


def test_another_kind_is_not_offered() -> None:
    """An identity that is neither a workflow nor an address cannot be pinned."""
    assert offer(Signer("other", "https://oidc.circleci.com", "https://circleci.com/x")) is None


@given(ref=PRINTABLE)
def test_only_the_star_is_special(ref: str) -> None:
    """A pattern without a star takes itself alone; no character of it is a regular expression's."""
    assert matches_ref(ref.replace("*", ""), ref.replace("*", "")) is bool(ref.replace("*", ""))
    assert not matches_ref(ref + "x", ref.replace("*", "") or "y")
    assert matches_ref("refs/tags/" + ref, "refs/tags/*")
    assert not matches_ref("refs/heads/" + ref, "refs/tags/*")


@pytest.mark.parametrize(
    ("issuer", "found"),
    [
        (GITHUB_ISSUER, ("github", "https://github.com")),
        (GITHUB_ISSUER + "/acme", ("github", "https://github.com")),
        (GITHUB_ISSUER + ".evil.example", ("gitlab", GITHUB_ISSUER + ".evil.example")),
        ("https://git.example.com/_services/token", ("github", "https://git.example.com")),
        ("https://gitlab.example.com", ("gitlab", "https://gitlab.example.com")),
    ],
)
def test_the_forge_of_an_issuer(issuer: str, found: tuple[str, str]) -> None:
    """GitHub, an enterprise of it, its own server; all else is a GitLab."""
    assert forge(issuer) == found


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("github:octo/hello@a.yml", "github:octo/hello"),
        (
            "github:octo/hello@a.yml,issuer=https://ghe.example/_services/token",
            "github:octo/hello at ghe.example/_services/token",
        ),
        ("gitlab:a/b@.gitlab-ci.yml,issuer=https://git.example", "gitlab:a/b at git.example"),
        ("email:a@example.org,issuer=https://login.example", "email:a@example.org"),
    ],
)
def test_a_listing_tells_one_forge_from_another(text: str, shown: str) -> None:
    """The repository of that name at some other forge is not labelled as that of the well-known one."""
    assert parse_publisher(text).shown == shown
