# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Servertechnik contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Formats of values that an argument specification can't state, each with its own words.

A role names them in `meta/formats.yml`: the path of a variable to the name of a format, or to a
range of whole numbers (`1..100`, `0..`). With a question mark (`domain?`) it may also be empty, as
is needed where a default is computed; a plain default is accepted in any case.
"""

from __future__ import annotations

import base64
import binascii
import ipaddress
import re
import zoneinfo
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Format:
    """A test for one value (text or whole number) and what it accepts, in words."""

    words: str
    accepts: Callable[[str], bool]


def _matches(pattern: str) -> Callable[[str], bool]:
    expression = re.compile(pattern)
    return lambda text: expression.fullmatch(text) is not None


def _parses(parse: Callable[[str], object]) -> Callable[[str], bool]:
    """Accept what `parse` takes without a ValueError."""

    def accepts(text: str) -> bool:
        try:
            parse(text)
        except ValueError:
            return False
        return True

    return accepts


_LABEL = r"(?!-)[A-Za-z0-9-]{1,63}(?<!-)"
_LONGEST_NAME = 253

_is_label = _matches(_LABEL)
_is_address = _parses(ipaddress.ip_address)


def _is_name(text: str, labels: int) -> bool:
    parts = text.split(".")
    # A name that ends in digits only would be read as an address.
    is_name = len(parts) >= labels and all(map(_is_label, parts)) and not parts[-1].isdigit()
    return is_name and len(text) <= _LONGEST_NAME


def _is_host(text: str) -> bool:
    return _is_name(text, 1) or _is_address(text)


def _is_interface_address(text: str) -> bool:
    return "/" in text and _parses(ipaddress.ip_interface)(text)


def _is_port_range(text: str) -> bool:
    low, dash, high = text.partition("-")
    return _is_port(low) and (not dash or (_is_port(high) and int(low) < int(high)))


def _is_name_server(text: str) -> bool:
    address, mark, name = text.partition("#")
    return _is_address(address) and (not mark or _is_name(name, 1))


def _is_timezone(text: str) -> bool:
    try:
        zoneinfo.ZoneInfo(text)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        # A controller without a time zone database can only judge the shape.
        return not zoneinfo.available_timezones() and _matches(r"[A-Z]\w*(/[\w+-]+)*")(text)
    return True


_KEY_TYPES = (
    "ssh-ed25519",
    "ssh-rsa",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "sk-ssh-ed25519@openssh.com",
    "sk-ecdsa-sha2-nistp256@openssh.com",
)


def _is_ssh_public_key(text: str) -> bool:
    """Accept a type, a base64 blob that begins with the same type, and a comment on one line."""
    words = text.split()
    if "\n" in text.strip() or len(words) < 2 or words[0] not in _KEY_TYPES:  # noqa: PLR2004 -- type and blob
        return False
    try:
        blob = base64.b64decode(words[1], validate=True)
    except binascii.Error:
        return False
    name = words[0].encode()
    prefix = len(name).to_bytes(4, "big") + name
    return blob.startswith(prefix) and len(blob) > len(prefix)


def _is_url(text: str) -> bool:
    try:
        parts = urlsplit(text)
        port_is_fine = parts.port is None or parts.port > 0
    except ValueError:
        return False
    return (
        parts.scheme in ("http", "https")
        and _is_host(parts.hostname or "")
        and port_is_fine
        and not re.search(r"\s", text)
    )


def _is_email(text: str) -> bool:
    user, _at, domain = text.rpartition("@")
    return bool(re.fullmatch(r"[\w.!#$%&'*+/=?^`{|}~-]{1,64}", user)) and _is_name(domain, 2)


def _is_path(text: str) -> bool:
    return _matches(r"/[^\0\n]*")(text) and ".." not in text.split("/")


_UNIT_OF_TIME = (
    "usec|us|µs|msec|ms|seconds?|sec|s|minutes?|min|m|hours?|hr|h|days?|d|weeks?|w"
    "|months?|M|years?|y"
)
_DAY = r"(?:(?:Mon|Fri|Sun)(?:day)?|Tue(?:sday)?|Wed(?:nesday)?|Thu(?:rsday)?|Sat(?:urday)?)"
_DAYS = rf"{_DAY}(?:(?:\.\.|,){_DAY})*"
_PART = r"(?:\*|\d+)(?:\.\.\d+)?(?:/\d+)?"
_PARTS = rf"{_PART}(?:,{_PART})*"
_DATE = rf"(?:{_PARTS}-)?{_PARTS}[-~]{_PARTS}"
_TIME = rf"{_PARTS}:{_PARTS}(?::{_PARTS})?"
_CALENDAR = rf"(?:{_DAYS})?(?:(?:^|\s){_DATE})?(?:(?:^|\s){_TIME})?(?:\s(?:UTC|[A-Z]\w+/[\w/+-]+))?"
_EVERY = "minutely|hourly|daily|weekly|monthly|quarterly|semiannually|yearly|annually"


def _is_calendar(text: str) -> bool:
    return bool(text) and _matches(rf"{_EVERY}|{_CALENDAR}")(text)


def _is_port(text: str) -> bool:
    return _between(1, 65535)(text)


def _between(low: int | None, high: int | None) -> Callable[[str], bool]:
    def accepts(text: str) -> bool:
        if not re.fullmatch(r"-?[0-9]+", text):
            return False
        return (low is None or int(text) >= low) and (high is None or int(text) <= high)

    return accepts


FORMATS: dict[str, Format] = {
    "hostname": Format("a host name without a domain: letters, digits, hyphens (web1)", _is_label),
    "fqdn": Format(
        "a full host name with its domain (web1.example.org)", lambda text: _is_name(text, 2)
    ),
    "domain": Format("a domain name (example.org)", lambda text: _is_name(text, 1)),
    "host": Format("a host name or an IP address (ntp.example.org, 192.0.2.1)", _is_host),
    "ip_address": Format("an IP address (192.0.2.1, 2001:db8::1)", _is_address),
    "ip_network": Format(
        "a network with its prefix length, host bits zero (192.0.2.0/24, 2001:db8::/32)",
        lambda text: "/" in text and _parses(ipaddress.ip_network)(text),
    ),
    "ip_source": Format(
        "an IP address or a network (192.0.2.1, 192.0.2.0/24, 2001:db8::/32)",
        _parses(ipaddress.ip_network),
    ),
    "ip_interface": Format(
        "an address with its prefix length (192.0.2.1/24, 2001:db8::1/64)", _is_interface_address
    ),
    "ip_address_or_interface": Format(
        "an address, with its prefix length unless a network gives it (192.0.2.1, 2001:db8::1/64)",
        _parses(ipaddress.ip_interface),
    ),
    "ip_destination": Format(
        "a network with its prefix length, or default (192.0.2.0/24, default)",
        lambda text: text == "default" or ("/" in text and _parses(ipaddress.ip_network)(text)),
    ),
    "mac_address": Format(
        "a MAC address (02:00:5e:10:00:01)", _matches(r"(?i:[0-9a-f]{2}(:[0-9a-f]{2}){5})")
    ),
    # The kernel's dev_valid_name() and systemd's ifname_valid() taken together.
    "interface_name": Format(
        "the name of an interface: at most 15 letters, digits, . _ and -, not digits alone (eth0)",
        _matches(r"(?!\d+$|\.{1,2}$|(?:all|default)$)[A-Za-z0-9._-]{1,15}"),
    ),
    "name": Format(
        "a name: lower case letters, digits, - and _, a letter first, at most 32 (office)",
        _matches(r"[a-z][a-z0-9_-]{0,31}"),
    ),
    "name_server": Format(
        "an address, with the name in its certificate for DNS over TLS "
        "(192.0.2.53, 192.0.2.53#dns.example.org)",
        _is_name_server,
    ),
    "search_domain": Format(
        "a domain to search, or ~ and a domain to ask for alone (example.org, ~example.org, ~.)",
        lambda text: text == "~." or _is_name(text.removeprefix("~"), 1),
    ),
    "dns_name": Format(
        "a host name, the first label may be * (www.example.org, *.example.org)",
        lambda text: _is_name(text.removeprefix("*."), 1),
    ),
    "port": Format("a port, 1 to 65535", _is_port),
    "port_range": Format("a port, or the first and the last (22, 8000-8010)", _is_port_range),
    "user_name": Format(
        "a user name: lower case letters, digits, - and _, at most 32 (admin)",
        _matches(r"[a-z_][a-z0-9_-]{0,31}"),
    ),
    "timezone": Format("a time zone (Europe/Berlin, UTC)", _is_timezone),
    "locale": Format(
        "a locale (de_DE.UTF-8, C.UTF-8)",
        _matches(r"(C|POSIX|[a-z]{2,3}_[A-Z]{2})(\.[A-Za-z0-9-]+)?(@[a-z]+)?"),
    ),
    "ssh_public_key": Format(
        "one line of an SSH public key (ssh-ed25519 AAAA… name)", _is_ssh_public_key
    ),
    "file_mode": Format("a file mode in octal, in quotes ('0644')", _matches(r"[0-7]{3,4}")),
    "email": Format("an e-mail address (admin@example.org)", _is_email),
    "url": Format("a web address (https://example.org/path)", _is_url),
    "absolute_path": Format("an absolute path without '..' (/etc/hosts)", _is_path),
    "unit_name": Format(
        "a systemd unit with its suffix (ssh.service)",
        _matches(
            r"[A-Za-z0-9:_.\\@-]+\.(service|socket|timer|mount|path|target|slice|automount|swap)"
        ),
    ),
    "duration": Format(
        "a time span (30s, 10min, 1h 30min, 2weeks)",
        _matches(
            rf"infinity|\d+(\.\d+)?\s*({_UNIT_OF_TIME})?(\s*\d+(\.\d+)?\s*({_UNIT_OF_TIME}))*"
        ),
    ),
    "calendar": Format(
        "a systemd calendar time (daily, 'Mon..Fri 04:00', '*-*-01 03:30:00')", _is_calendar
    ),
    "smart_type": Format(
        "a type of device as in smartd.conf(5), -d (sat, megaraid,0, 3ware,1)",
        _matches(r"[a-z0-9]+([,/+][A-Za-z0-9]+)*"),
    ),
    "smart_schedule": Format(
        "month, day, weekday and hour as in smartd.conf(5), -s (../.././02, ../../6/03:004)",
        _matches(r"[0-9.()\[\]|*-]+(/[0-9.()\[\]|*-]+){3}(:\d{3}(-\d{3})?)?"),
    ),
    "stable_disk_path": Format(
        "a path that stays the same (/dev/disk/by-path/…, /dev/disk/by-id/…)",
        _matches(r"/dev/disk/by-(path|id)/[^/\s]+"),
    ),
    "storage_size": Format(
        'a size ("512MiB", "1.5TiB"), a part of what is below ("50%"), or "rest"',
        _matches(r"\d+(\.\d+)? ?[KMGTP]iB|[1-9]\d?%|100%|rest"),
    ),
    "tmpfs_size": Format(
        'a size in bytes, or with K, M or G, or a part of the memory ("512M", "20%")',
        _matches(r"[1-9]\d*[KMG]?|[1-9]\d?%|100%"),
    ),
    "size": Format(
        "a size in bytes, or with K, M, G or T (64M, 1.5G)", _matches(r"\d+(\.\d+)?[KMGT]?")
    ),
}


def format_named(name: str) -> Format:
    """Return the format called `name`, or the range of whole numbers that it states (`1..100`).

    `name?` accepts an empty text as well. Raises KeyError for a name that is none of these.
    """
    if name.endswith("?"):
        full = format_named(name.removesuffix("?"))
        return Format(f"{full.words}, or empty", lambda text: not text or full.accepts(text))
    span = re.fullmatch(r"(-?[0-9]+)?\.\.(-?[0-9]+)?", name)
    if not span:
        return FORMATS[name]
    low, high = (int(end) if end else None for end in span.groups())
    ends = [f"from {low}" if low is not None else "", f"to {high}" if high is not None else ""]
    return Format(" ".join(["a whole number", *filter(None, ends)]), _between(low, high))
