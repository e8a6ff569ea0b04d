"""libwebsockets built from source in ways that no distribution ships: the plaintext log, other TLS libraries.

The source comes from outside: ``LWSLINT_LWS_SOURCE`` names an unpacked release or its tar archive (4.2 or
later), as ``.ci/run`` gets it from Debian.  One build takes about half a minute on two cores.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tarfile
from pathlib import Path

SOURCE = "LWSLINT_LWS_SOURCE"

_COMMON = (
    "-DCMAKE_BUILD_TYPE=Release",
    "-DCMAKE_INSTALL_LIBDIR=lib",
    "-DDISABLE_WERROR=ON",
    "-DLWS_WITHOUT_TESTAPPS=ON",
    "-DLWS_WITH_MINIMAL_EXAMPLES=OFF",
    "-DLWS_WITH_STATIC=OFF",
)
# What each build adds, and a header without which it cannot be made.
VARIANTS: dict[str, tuple[str, tuple[str, ...]]] = {
    "plaintext-log": (
        "openssl/ssl.h",
        ("-DLWS_TLS_LOG_PLAINTEXT_RX=ON", "-DLWS_TLS_LOG_PLAINTEXT_TX=ON"),
    ),
    "mbedtls": ("mbedtls/ssl.h", ("-DLWS_WITH_MBEDTLS=ON",)),
    # cmake's probe does not find wolfSSL's host name check; without it the library refuses every connection
    # that does not switch that check off.
    "wolfssl": (
        "wolfssl/ssl.h",
        (
            "-DLWS_WITH_WOLFSSL=ON",
            "-DLWS_WOLFSSL_INCLUDE_DIRS=/usr/include",
            "-DLWS_WOLFSSL_LIBRARIES=wolfssl-found-below",
            "-DLWS_HAVE_X509_VERIFY_PARAM_set1_host=1",
        ),
    ),
}


class Lacking(Exception):
    """What is missing to build the library, in words."""


def build(variant: str, folder: Path) -> Path:
    """Builds and installs one variant below ``folder`` and returns its prefix; raises :class:`Lacking`, and
    AssertionError with the end of the build's output when it fails."""
    header, options = VARIANTS[variant]
    if shutil.which("cmake") is None:
        raise Lacking("no cmake")
    if not _has(header):
        raise Lacking(f"no {header}")
    source = _source(folder)
    prefix = folder / "prefix"
    chosen = [o.replace("wolfssl-found-below", _library("wolfssl")) for o in options]
    where = ["-S", str(source), "-B", str(folder / "build"), f"-DCMAKE_INSTALL_PREFIX={prefix}"]
    _run(["cmake", *where, *_COMMON, *chosen])
    _run(["cmake", "--build", str(folder / "build"), "-j", "2", "--target", "install"])
    return prefix


def release(prefix: Path) -> str:
    """The release that was built, such as ``4.3.5``."""
    text = (prefix / "include" / "lws_config.h").read_text(encoding="utf-8")
    match = re.search(r'#define LWS_LIBRARY_VERSION "([\d.]+)', text)
    assert match is not None, "lws_config.h names no version"
    return match[1]


def _source(folder: Path) -> Path:
    given = os.environ.get(SOURCE)
    if not given:
        raise Lacking(f"{SOURCE} names no source of libwebsockets")
    place = Path(given)
    if place.is_dir():
        return place
    if not place.is_file():
        raise Lacking(f"{SOURCE}: {given} does not exist")
    with tarfile.open(place) as archive:
        archive.extractall(folder / "source", filter="data")
    (top,) = (folder / "source").iterdir()
    return top


def _has(header: str) -> bool:
    command = ["gcc", "-E", "-include", header, "-xc", "/dev/null"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def _library(name: str) -> str:
    """The whole path of a shared library: lws's cmake makes a file of what it is told to link."""
    done = subprocess.run(
        ["gcc", f"-print-file-name=lib{name}.so"], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def _run(command: list[str]) -> None:
    done = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=900, check=False
    )
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout[-4000:]}"
