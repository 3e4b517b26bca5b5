"""Which URLs and which addresses the media door may touch. Pure: no network, no state.

A URL is read once, by one parser, and everything that follows (the check, the connection, the Host header,
the certificate's name) uses what that parser said. Names are never trusted: what counts is the address that
they resolve to, so `0x7f.1`, `2130706433` and a name that somebody points at 10.0.0.1 are all the same case.
"""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from dataclasses import dataclass

import httpx

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_MAX_URL = 16_384
_DEFAULT_PORTS = {"http": 80, "https": 443}
_HOST = re.compile(r"[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?")

# Where clouds hand out credentials to whoever asks from inside. Refused even where a host is allowed.
_METADATA_NAMES = frozenset(
    {
        "metadata",
        "metadata.google.internal",
        "metadata.goog",
        "metadata.azure.internal",
        "metadata.tencentyun.com",
        "instance-data",
        "instance-data.ec2.internal",
    }
)
_METADATA_ADDRESSES = frozenset(
    ipaddress.ip_address(text)
    for text in (
        "169.254.169.254",  # AWS, Azure, Google, Oracle, OpenStack and most others
        "169.254.169.123",  # AWS time service
        "169.254.170.2",  # AWS container credentials
        "169.254.170.23",  # AWS pod identity
        "169.254.42.42",  # Scaleway
        "100.100.100.200",  # Alibaba
        "192.0.0.192",  # Oracle, classic
        "168.63.129.16",  # Azure's wire server, a public address
        "fd00:ec2::254",
        "fd00:ec2::23",
        "fd20:ce::254",
        "fd00:42::42",
    )
)

# Special-purpose blocks of the IANA registries that some Python versions still call global.
_NOT_PUBLIC_V4 = tuple(
    ipaddress.IPv4Network(text)
    for text in ("100.64.0.0/10", "192.0.0.0/24", "192.88.99.0/24", "198.18.0.0/15", "240.0.0.0/4")
)
_GLOBAL_UNICAST = ipaddress.IPv6Network("2000::/3")  # all that IANA has given out
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")  # how an IPv6-only network reaches IPv4 (RFC 6052)
_NOT_PUBLIC_V6 = tuple(
    ipaddress.IPv6Network(text)
    for text in (
        "2001::/23",  # protocol assignments, among them Teredo (2001::/32)
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4: carries any IPv4 address, and serves nobody any more
        "3fff::/20",  # documentation
    )
)
_ISATAP = (b"\x00\x00\x5e\xfe", b"\x02\x00\x5e\xfe")  # bytes 8 to 11 of an address (RFC 5214)
# Where an IPv4 address can sit in the 16 bytes: NAT64 with prefixes of 32 to 96 bits (RFC 6052), and 6to4.
_EMBEDDED = (
    (4, 5, 6, 7),
    (5, 6, 7, 9),
    (6, 7, 9, 10),
    (7, 9, 10, 11),
    (9, 10, 11, 12),
    (12, 13, 14, 15),
    (2, 3, 4, 5),
)


class BadUrl(Exception):
    """The URL is none that the media door takes; the text says why, for the log."""


@dataclass(frozen=True, slots=True)
class Target:
    """One checked URL. `host` is lower case, without brackets and trailing dot; `path` has the query."""

    scheme: str
    host: str
    port: int
    path: bytes
    url: httpx.URL

    @property
    def host_header(self) -> bytes:
        return self.url.netloc


def read_url(text: str) -> Target:
    """The one reading of a URL; raises `BadUrl`."""
    if len(text) > _MAX_URL:
        raise BadUrl("longer than a URL may be")
    if "\\" in text or any(unicodedata.category(character)[0] in "CZ" for character in text):
        raise BadUrl("has a backslash, a space or a control character")
    try:
        url = httpx.URL(text)
        scheme, host, port = url.scheme, url.raw_host.decode("ascii"), url.port
    except (httpx.InvalidURL, ValueError) as error:
        raise BadUrl("cannot be read") from error
    if scheme not in _DEFAULT_PORTS:
        raise BadUrl("neither http nor https")
    authority = re.split(r"[/?#]", text.partition("://")[2], maxsplit=1)[0]
    if "@" in authority:
        raise BadUrl("has a user name")
    host = host.rstrip(".")
    if not _is_address(host) and not _HOST.fullmatch(host):
        raise BadUrl("has no proper host")
    if port is not None and not 1 <= port <= 65_535:
        raise BadUrl("has an impossible port")
    url = url.copy_with(host=host, fragment=None)
    return Target(scheme, host, port or _DEFAULT_PORTS[scheme], url.raw_path, url)


def redirect_target(current: Target, location: str) -> Target:
    """Where a redirect leads, read as strictly as the first URL; raises `BadUrl`."""
    if "\\" in location or any(unicodedata.category(character)[0] in "CZ" for character in location):
        raise BadUrl("redirects to something with a backslash, a space or a control character")
    try:
        joined = str(current.url.join(location))
    except (httpx.InvalidURL, ValueError) as error:
        raise BadUrl("redirects to something that cannot be read") from error
    target = read_url(joined)
    if current.scheme == "https" and target.scheme != "https":
        raise BadUrl("redirects from https to http")
    return target


def is_public(address: Address) -> bool:
    """Whether an address belongs to a host on the public internet, whatever form it is wrapped in."""
    if isinstance(address, ipaddress.IPv4Address):
        return (
            address.is_global
            and not address.is_multicast
            and not address.is_reserved
            and not any(address in network for network in _NOT_PUBLIC_V4)
        )
    if address in _NAT64:
        return is_public(ipaddress.IPv4Address(address.packed[12:]))
    if address.packed[8:12] in _ISATAP and not is_public(ipaddress.IPv4Address(address.packed[12:])):
        return False
    # All else outside 2000::/3 is refused by that alone: mapped (::ffff:0:0/96) and compatible (::/96)
    # forms, the local NAT64 prefix (64:ff9b:1::/48), unique local, link-local, multicast.
    return (
        address in _GLOBAL_UNICAST
        and address.is_global
        and not any(address in network for network in _NOT_PUBLIC_V6)
    )


def is_metadata(address: Address) -> bool:
    """Whether an address is a cloud's metadata or platform service, also when carried inside an IPv6 one."""
    if address in _METADATA_ADDRESSES:
        return True
    if isinstance(address, ipaddress.IPv4Address):
        return False
    packed = address.packed
    carried = [ipaddress.IPv4Address(bytes(packed[at] for at in places)) for places in _EMBEDDED]
    if address.teredo is not None:
        carried.extend(address.teredo)
    return any(inner in _METADATA_ADDRESSES for inner in carried)


def is_metadata_name(host: str) -> bool:
    return host in _METADATA_NAMES


def read_address(text: str) -> Address:
    """An address as a resolver gives it; a zone (`fe80::1%eth0`) is dropped. Raises `BadUrl`."""
    try:
        return ipaddress.ip_address(text.partition("%")[0])
    except ValueError as error:
        raise BadUrl("resolves to something that is no address") from error


def redact(url: str) -> str:
    """A URL fit for logs and messages: no query (a SAS signature is one), no user name, no base64."""
    if url[:5].lower() == "data:":
        head, comma, _ = url[:128].partition(",")
        return f"{_printable(head) if comma else 'data:'},… ({len(url)} characters)"
    head = re.split(r"[?#]", url[:_MAX_URL], maxsplit=1)[0]
    scheme, separator, rest = head.partition("://")
    if separator:
        authority, slash, path = rest.partition("/")
        head = f"{scheme}://{authority.rpartition('@')[2]}{slash}{path}"
    head = _printable(head)
    return (head if len(head) <= 200 else f"{head[:200]}…") + ("?…" if "?" in url[:_MAX_URL] else "")


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return "%" not in host


def _printable(text: str) -> str:
    return "".join(character if character.isprintable() else "�" for character in text)
