from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foveal.images.guard import BadUrl, is_metadata, is_public, read_url, redact, redirect_target


def nat64(address: str) -> str:
    return str(ipaddress.IPv6Address(b"\0\x64\xff\x9b" + b"\0" * 8 + ipaddress.IPv4Address(address).packed))


@pytest.mark.parametrize(
    "address",
    ["8.8.8.8", "20.60.0.1", "1.1.1.1", "2606:4700:4700::1111", "2a00:1450:4001::1", nat64("8.8.8.8")],
)
def test_public(address: str) -> None:
    assert is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0",
        "0.1.2.3",
        "10.0.0.1",
        "100.64.0.1",
        "127.0.0.1",
        "127.255.255.254",
        "169.254.1.1",
        "172.16.0.1",
        "172.31.255.255",
        "192.0.0.8",
        "192.0.2.1",
        "192.88.99.1",
        "192.168.1.1",
        "198.18.0.1",
        "198.51.100.1",
        "203.0.113.1",
        "224.0.0.1",
        "239.255.255.250",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::127.0.0.1",
        "::8.8.8.8",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "::ffff:8.8.8.8",
        nat64("127.0.0.1"),
        nat64("10.1.2.3"),
        nat64("169.254.169.254"),
        "64:ff9b:1::a00:1",
        "64:ff9b:1:a00:0:100::",
        "100::1",
        "2001::1",
        "2001:0:808:808:0:0:f5ff:fffe",
        "2001:db8::1",
        "2002:7f00:1::",
        "2002:a00:1::1",
        "2002:808:808::1",
        "3fff::1",
        "2606:4700::5efe:a00:1",
        "2606:4700::200:5efe:7f00:1",
        "fc00::1",
        "fd12:3456::1",
        "fe80::1",
        "fe80::5efe:808:808",
        "fec0::1",
        "ff02::1",
        "5f00::1",
        "4000::1",
    ],
)
def test_not_public(address: str) -> None:
    assert not is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "address",
    [
        "169.254.169.254",
        "168.63.129.16",
        "169.254.170.2",
        "100.100.100.200",
        "fd00:ec2::254",
        "::ffff:169.254.169.254",
        "::ffff:168.63.129.16",
        nat64("169.254.169.254"),
        nat64("168.63.129.16"),
        "64:ff9b:1:a9fe:a9:fe00::",
        "2001:db8:a9fe:a9fe::",
        "2002:a9fe:a9fe::1",
        "2001:0:1:2:3:4:5601:5601",
        "fe80::5efe:a9fe:a9fe",
    ],
)
def test_metadata_services(address: str) -> None:
    assert is_metadata(ipaddress.ip_address(address))


def test_ordinary_addresses_are_no_metadata_service() -> None:
    assert not any(is_metadata(ipaddress.ip_address(text)) for text in ("127.0.0.1", "::1", "8.8.8.8"))


@given(st.ip_addresses(v=4))
def test_an_address_wrapped_in_nat64_is_what_it_carries(address: ipaddress.IPv4Address) -> None:
    assert is_public(ipaddress.ip_address(nat64(str(address)))) == is_public(address)


@given(st.ip_addresses(v=4))
def test_no_other_wrapping_makes_an_address_public(address: ipaddress.IPv4Address) -> None:
    packed = address.packed
    for wrapped in (
        b"\0" * 12 + packed,
        b"\0" * 10 + b"\xff\xff" + packed,
        b"\x20\x02" + packed + b"\0" * 10,
        b"\x20\x01\0\0" + b"\x08\x08\x08\x08" + b"\0" * 4 + bytes(byte ^ 255 for byte in packed),
        b"\0\x64\xff\x9b\0\x01" + b"\0" * 6 + packed,
    ):
        assert not is_public(ipaddress.IPv6Address(wrapped))


@pytest.mark.parametrize(
    "url",
    [
        "",
        "http:",
        "http://",
        "http:///path",
        "http://:80/",
        "http://./",
        "ftp://example.com/a",
        "file:///etc/passwd",
        "gopher://example.com/",
        "//example.com/a.png",
        "example.com/a.png",
        "http://user@example.com/",
        "http://user:secret@example.com/",
        "http://@example.com/",
        "http://example.com@127.0.0.1/",
        "http://example.com\\@127.0.0.1/",
        "http:\\\\example.com\\",
        "http://example.com/\\..\\a",
        "http://exa mple.com/",
        " http://example.com/",
        "http://example.com/a b",
        "http://example.com/a\tb",
        "http://example.com/a\r\nHost: other",
        "http://example.com/\0",
        "http://example.com/\x7f",
        "http://example.com/\u2028",
        "http://exam\u200bple.com/",
        "http://example.com/\u00a0",
        "http://example.com:0/",
        "http://example.com:99999/",
        "http://example.com:-1/",
        "http://example.com:80a/",
        "http://a%2eb/",
        "http://[::1/",
        "http://[fe80::1%25eth0]/",
        "http://１２７.0.0.1/",
        "http://exa_mple!.com/",
        "http://example.com/" + "a" * 20_000,
    ],
)
def test_refused_urls(url: str) -> None:
    with pytest.raises(BadUrl):
        read_url(url)


def test_a_url_is_normalised_once() -> None:
    target = read_url("HTTPS://Example.COM.:8443/a/../b%20c?sv=1&sig=x%2F#top")
    assert (target.scheme, target.host, target.port) == ("https", "example.com", 8443)
    assert target.path == b"/b%20c?sv=1&sig=x%2F"
    assert target.host_header == b"example.com:8443"


def test_default_ports_and_foreign_names() -> None:
    assert read_url("http://example.com").port == 80
    assert read_url("https://example.com").port == 443
    korean = read_url("https://한국.com/그림.png")
    assert korean.host == "xn--3e0b707e.com"
    assert korean.path == b"/%EA%B7%B8%EB%A6%BC.png"
    six = read_url("http://[2606:4700::1111]:81/")
    assert (six.host, six.host_header) == ("2606:4700::1111", b"[2606:4700::1111]:81")


def test_redirects_are_read_as_strictly() -> None:
    start = read_url("https://example.com/a/b")
    assert redirect_target(start, "../c?d=1").path == b"/c?d=1"
    assert redirect_target(start, "//other.example/x").host == "other.example"
    for location in (
        "http://example.com/",
        "file:///etc/passwd",
        "https://u@example.com/",
        "\\\\h\\",
        "/a b",
        "https://[::1/",
    ):
        with pytest.raises(BadUrl):
            redirect_target(start, location)
    assert redirect_target(read_url("http://example.com/"), "https://example.com/").port == 443


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://x.blob.example/c/a.png?sv=1&sig=SECRET", "https://x.blob.example/c/a.png?…"),
        ("https://user:SECRET@example.com/a", "https://example.com/a"),
        ("https://example.com/a#SECRET", "https://example.com/a"),
        ("data:image/png;base64,SECRET", "data:image/png;base64,… (28 characters)"),
        ("DATA:SECRET", "data:,… (11 characters)"),
        ("http://example.com/a\r\nfake log line", "http://example.com/a��fake log line"),
    ],
)
def test_redact(url: str, shown: str) -> None:
    assert redact(url) == shown


@given(st.text(max_size=300))
def test_reading_and_redacting_never_fail_otherwise(text: str) -> None:
    assert len(redact("http://" + text)) < 600
    try:
        target = read_url("http://" + text)
    except BadUrl:
        return
    assert target.host
