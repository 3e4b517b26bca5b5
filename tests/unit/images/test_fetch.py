from __future__ import annotations

import asyncio
import gzip
import logging
import ssl
from contextlib import aclosing

import pytest
import trustme
from tests.unit.images.server import Names, Site, ok, redirect, serve, status

from foveal.errors import TooManyRequests
from foveal.images.fetch import MediaError, MediaFetcher, MediaTooLarge, system_resolver

MB = 1024 * 1024


def local(site: Site, deadline: float = 10.0) -> MediaFetcher:
    """A fetcher whose operator allows this one server."""
    return MediaFetcher(allow_hosts=[f"127.0.0.1:{site.port}"], deadline=deadline)


async def refusal(fetcher: MediaFetcher, url: str, max_bytes: int = MB) -> str:
    with pytest.raises(MediaError) as caught:
        await fetcher.fetch_bytes(url, max_bytes=max_bytes)
    return str(caught.value)


async def test_plain_answer_and_what_was_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    async with serve(Site({"/a%20b?sig=1": ok(b"picture", "Set-Cookie: a=b")})) as site:
        fetcher = local(site)
        for _ in range(2):
            assert await fetcher.fetch_bytes(site.url("/a%20b?sig=1"), max_bytes=MB) == b"picture"
        for request in site.requests:
            lines = request.lower().strip().split("\r\n")
            assert f"host: 127.0.0.1:{site.port}" in lines
            assert "accept-encoding: identity" in lines
            assert {line.partition(":")[0] for line in lines[1:]} == {
                "host",
                "user-agent",
                "accept",
                "accept-encoding",
                "connection",
            }


@pytest.mark.parametrize("body", [b"", b"x", b"x" * MB])
async def test_bodies_up_to_the_cap(body: bytes) -> None:
    async with serve(Site({"/": ok(body)})) as site:
        assert await local(site).fetch_bytes(site.url("/"), max_bytes=MB) == body


async def test_chunked_body_in_pieces() -> None:
    answer = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
    async with (
        serve(Site({"/": answer})) as site,
        aclosing(local(site).stream(site.url("/"), max_bytes=MB)) as pieces,
    ):
        assert b"".join([piece async for piece in pieces]) == b"abcde"


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:9/",
        "http://127.1:9/",
        "http://0x7f.1:9/",
        "http://0x7f000001:9/",
        "http://2130706433:9/",
        "http://0177.0.0.1:9/",
        "http://0:9/",
        "http://0.0.0.0:9/",
        "http://[::1]:9/",
        "http://[::ffff:127.0.0.1]:9/",
        "http://[::ffff:7f00:1]:9/",
        "http://[64:ff9b::7f00:1]:9/",
        "http://[2002:7f00:1::]:9/",
        "http://localhost:9/",
        "http://localhost.:9/",
        "http://LOCALHOST:9/",
        "http://10.0.0.1/",
        "http://192.168.0.1./",
    ],
)
async def test_private_addresses_in_every_dress(url: str) -> None:
    """With the system's own resolver, which is what understands the numeric forms."""
    assert await refusal(MediaFetcher(), url) in (
        "resolves to an address that is not public",
        "gaierror on the way",  # a C library without the old numeric forms
        "cannot be read",  # 0177 looks like a number of an address and is none
    )


@pytest.mark.parametrize(
    "url", ["http://[::1/", "ftp://h/", "http://u@h/", "http://h\\@127.0.0.1/", "http://"]
)
async def test_bad_urls_are_not_even_resolved(url: str) -> None:
    names = Names()
    await refusal(MediaFetcher(resolver=names), url)
    assert names.asked == []


@pytest.mark.parametrize(
    "host",
    [
        "169.254.169.254",
        "168.63.129.16",
        "metadata.google.internal",
        "metadata.google.internal.",
        "METADATA.google.internal",
        "[fd00:ec2::254]",
        "[::ffff:169.254.169.254]",
        "[64:ff9b::a83f:8110]",
        "sneaky.example",
    ],
)
async def test_metadata_is_refused_even_when_allowed(host: str) -> None:
    bare = host.strip("[]")
    fetcher = MediaFetcher(
        allow_hosts=[bare, bare.rstrip(".").lower()], resolver=Names(sneaky_example="168.63.129.16")
    )
    assert await refusal(fetcher, f"http://{host}/latest/meta-data/") == "a metadata service"


async def test_one_private_address_among_public_ones_is_enough() -> None:
    fetcher = MediaFetcher(resolver=Names(two_example=["8.8.8.8", "10.0.0.1"]))
    assert "not public" in await refusal(fetcher, "http://two.example/")


async def test_resolver_oddities() -> None:
    fetcher = MediaFetcher(resolver=Names(empty_example=[], odd_example="not-an-address"))
    assert await refusal(fetcher, "http://empty.example/") == "has no address"
    assert "no address" in await refusal(fetcher, "http://odd.example/")


async def test_a_name_is_resolved_once_and_that_address_is_used() -> None:
    """Rebinding: the second answer of the resolver would be another; it is never asked for."""
    async with serve(Site({"/": ok(b"here")})) as site:
        names = Names(pictures_test=[["127.0.0.1"], ["10.0.0.1"]])
        fetcher = MediaFetcher(allow_hosts=[f"pictures.test:{site.port}"], resolver=names)
        assert await fetcher.fetch_bytes(site.url("/", "pictures.test"), max_bytes=MB) == b"here"
        assert names.asked == ["pictures.test"]
        assert f"Host: pictures.test:{site.port}" in site.requests[0]


async def test_rebinding_between_hops_is_seen() -> None:
    async with serve(Site({"/": ok(b"secret")})) as site:
        site.answers["/go"] = redirect(site.url("/", "shifty.test"))
        names = Names(shifty_test=[["127.0.0.1"], ["168.63.129.16"]])
        fetcher = MediaFetcher(allow_hosts=["shifty.test"], resolver=names)
        assert await refusal(fetcher, site.url("/go", "shifty.test")) == "a metadata service"
        assert len(site.requests) == 1


@pytest.mark.parametrize(
    ("entry", "allowed"),
    [
        ("127.0.0.1", True),
        ("127.0.0.1:PORT", True),
        (" 127.0.0.1:PORT ", True),
        ("127.0.0.1:1", False),
        ("127.0.0.2", False),
        ("localhost", False),
        ("", False),
    ],
)
async def test_allow_hosts(entry: str, allowed: bool) -> None:
    async with serve(Site({"/": ok(b"in")})) as site:
        fetcher = MediaFetcher(allow_hosts=[entry.replace("PORT", str(site.port))])
        if allowed:
            assert await fetcher.fetch_bytes(site.url("/"), max_bytes=MB) == b"in"
        else:
            assert "not public" in await refusal(fetcher, site.url("/"))
            assert site.requests == []


@pytest.mark.parametrize("entry", ["[::1]:8080", "[::1]", "::1"])
async def test_allow_hosts_of_ipv6(entry: str) -> None:
    fetcher = MediaFetcher(allow_hosts=[entry], resolver=Names(**{"::1": []}))
    assert (
        await refusal(fetcher, "http://[::1]:8080/") == "has no address"
    )  # past the door, as the table has none


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
async def test_redirects_are_followed(code: int) -> None:
    async with serve(Site({"/": redirect("/next?x=1", code), "/next?x=1": ok(b"there")})) as site:
        assert await local(site).fetch_bytes(site.url("/"), max_bytes=MB) == b"there"


async def test_redirect_to_a_private_address() -> None:
    async with serve(Site()) as site:
        for number, location in enumerate(
            (
                "http://127.0.0.1:9/",
                "http://localhost/",
                "http://10.0.0.1/",
                "http://[::1]/",
                "http://2130706433/",
            )
        ):
            site.answers[f"/{number}"] = redirect(location)
            assert "not public" in await refusal(local(site), site.url(f"/{number}"))


@pytest.mark.parametrize(
    "location",
    [
        "file:///etc/passwd",
        "ftp://h/",
        "http://u:p@127.0.0.1/",
        "http:\\\\127.0.0.1",
        "data:text/plain,x",
    ],
)
async def test_redirect_to_something_else(location: str) -> None:
    async with serve(Site({"/": redirect(location)})) as site:
        await refusal(local(site), site.url("/"))
        assert len(site.requests) == 1


async def test_redirect_to_metadata() -> None:
    async with serve(Site({"/": redirect("http://169.254.169.254/latest/")})) as site:
        assert await refusal(local(site), site.url("/")) == "a metadata service"


async def test_redirects_end() -> None:
    async with serve(Site({"/": redirect("/"), "/nowhere": status("302 Found")})) as site:
        assert await refusal(local(site), site.url("/")) == "redirects too often"
        assert len(site.requests) == 6
        assert await refusal(local(site), site.url("/nowhere")) == "redirects to nowhere"


@pytest.mark.parametrize(
    "line", ["404 Not Found", "403 Forbidden", "500 No", "204 Empty", "206 Partial", "304 Same"]
)
async def test_only_200_counts(line: str) -> None:
    async with serve(Site({"/": status(line)})) as site:
        assert await refusal(local(site), site.url("/")) == f"answers {line[:3]}"


@pytest.mark.parametrize("when", ["before the head", "in the head", "in the body", "after a redirect"])
async def test_slow_servers_meet_the_deadline(when: str) -> None:
    over = asyncio.Event()

    async def slow(writer: asyncio.StreamWriter) -> None:
        if when == "in the head":
            writer.write(b"HTTP/1.1 200 OK\r\n")
        elif when == "in the body":
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc")
        await over.wait()

    async with serve(Site({"/slow": slow, "/": redirect("/slow")})) as site:
        path = "/" if when == "after a redirect" else "/slow"
        assert await refusal(local(site, deadline=0.05), site.url(path)) == "took too long"
        over.set()


async def test_slow_name_meets_the_deadline() -> None:
    async def never(_host: str, _port: int) -> list[str]:
        await asyncio.Event().wait()
        return []

    assert (
        await refusal(MediaFetcher(resolver=never, deadline=0.02), "http://example.com/") == "took too long"
    )


async def test_a_billion_announced_bytes_are_refused_at_once() -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n"
    async with serve(Site({"/": head})) as site:
        with pytest.raises(MediaTooLarge, match="announces 1000000000"):
            await local(site).fetch_bytes(site.url("/"), max_bytes=MB)


async def test_an_endless_body_is_cut() -> None:
    sent = 0

    async def endless(writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while not writer.is_closing():
            writer.write(b"10000\r\n" + b"x" * 65536 + b"\r\n")
            sent += 65536
            await writer.drain()

    async with serve(Site({"/": endless})) as site:
        with pytest.raises(MediaTooLarge, match="more than"):
            await local(site).fetch_bytes(site.url("/"), max_bytes=MB)
        assert sent < 64 * MB


@pytest.mark.parametrize("encoding", ["gzip", "br", "deflate", "identity, gzip"])
async def test_encodings_that_were_not_asked_for(encoding: str) -> None:
    bomb = gzip.compress(b"\0" * (64 * MB), 9)
    async with serve(Site({"/": ok(bomb, f"Content-Encoding: {encoding}")})) as site:
        assert "encoding" in await refusal(local(site), site.url("/"))


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"nonsense\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * 300_000,
    ],
)
async def test_broken_answers(answer: bytes) -> None:
    async with serve(Site({"/": answer})) as site:
        assert "on the way" in await refusal(local(site), site.url("/"))


async def test_nobody_listens() -> None:
    async with serve(Site()) as site:
        pass
    assert "ConnectError" in await refusal(local(site), site.url("/"))


async def test_the_next_address_is_tried() -> None:
    async with serve(Site({"/": ok(b"second")})) as site:
        names = Names(pair_test=["127.0.0.9", "127.0.0.1"])
        fetcher = MediaFetcher(allow_hosts=["pair.test"], resolver=names)
        assert await fetcher.fetch_bytes(site.url("/", "pair.test"), max_bytes=MB) == b"second"


async def test_certificates_are_checked_against_the_name() -> None:
    authority = trustme.CA()
    at_server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("pictures.test").configure_cert(at_server)
    server_names: list[str | None] = []
    at_server.sni_callback = lambda _connection, name, _context: server_names.append(name)
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    names = Names(pictures_test="127.0.0.1", other_test="127.0.0.1")
    allowed = ["pictures.test", "other.test"]
    async with serve(Site({"/": ok(b"safe"), "/down": redirect("http://pictures.test/")}), at_server) as site:
        fetcher = MediaFetcher(allow_hosts=allowed, resolver=names, tls=trusting)
        url = site.url("/", "pictures.test", "https")
        assert await fetcher.fetch_bytes(url, max_bytes=MB) == b"safe"
        assert server_names == ["pictures.test"]
        assert "ConnectError" in await refusal(fetcher, site.url("/", "other.test", "https"))
        down = await refusal(fetcher, site.url("/down", "pictures.test", "https"))
        assert down == "redirects from https to http"
        strangers = MediaFetcher(allow_hosts=allowed, resolver=names)
        assert "ConnectError" in await refusal(strangers, url)


async def test_concurrent_fetches_are_bounded() -> None:
    running = 0
    most = 0
    gate = asyncio.Event()

    async def answer(writer: asyncio.StreamWriter) -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        if most == 2:
            gate.set()
        await gate.wait()
        running -= 1
        writer.write(ok(b"done"))
        await writer.drain()

    async with serve(Site({"/": answer})) as site:
        fetcher = MediaFetcher(allow_hosts=["127.0.0.1"], concurrent=2, max_waiting=4)
        fetches = [asyncio.create_task(fetcher.fetch_bytes(site.url("/"), max_bytes=MB)) for _ in range(7)]
        results = await asyncio.gather(*fetches, return_exceptions=True)
        assert [result for result in results if isinstance(result, bytes)] == [b"done"] * 6
        (refused,) = [result for result in results if isinstance(result, TooManyRequests)]
        assert refused.headers["retry-after"] == "1"
        assert most == 2
        assert await fetcher.fetch_bytes(site.url("/"), max_bytes=MB) == b"done"


async def test_a_cancelled_fetch_leaves_its_place() -> None:
    arrived, over = asyncio.Event(), asyncio.Event()

    async def hang(writer: asyncio.StreamWriter) -> None:
        arrived.set()
        await over.wait()

    async with serve(Site({"/hang": hang, "/": ok(b"free")})) as site:
        fetcher = MediaFetcher(allow_hosts=["127.0.0.1"], concurrent=1, max_waiting=0)
        task = asyncio.create_task(fetcher.fetch_bytes(site.url("/hang"), max_bytes=MB))
        await arrived.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await fetcher.fetch_bytes(site.url("/"), max_bytes=MB) == b"free"
        over.set()


async def test_signatures_stay_out_of_the_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with serve(Site({"/a?sig=SECRET": redirect("http://10.0.0.1/b?sig=SECRET")})) as site:
        await refusal(local(site), site.url("/a?sig=SECRET"))
    ours = [record.getMessage() for record in caplog.records if record.name.startswith("foveal")]
    assert ours == [
        f"media door: http://127.0.0.1:{site.port}/a?…: resolves to an address that is not public"
    ]


async def test_system_resolver_knows_loopback() -> None:
    assert await system_resolver("127.0.0.1", 80) == ["127.0.0.1"]
