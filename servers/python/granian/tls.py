"""Checks the TLS files, which granian gives to rustls in each worker."""

import ssl
import sys

# The first line of a key in PKCS#8, the only form that granian reads.
PKCS8 = "-----BEGIN PRIVATE KEY-----"


def check(certificate, key):
    """Exits with one line if a file cannot be used: a worker would fail after the server is ready."""
    try:
        with open(certificate), open(key) as lines:
            is_pkcs8 = PKCS8 in lines.read()
        # Without this argument, OpenSSL would ask for the password of an encrypted key.
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key, password="")
    except ssl.SSLError as error:
        sys.exit(f"error: {certificate} with the key {key}: {error.reason or 'not in PEM'}")
    except OSError as error:
        sys.exit(f"error: {error.filename}: {error.strerror}")
    if not is_pkcs8:
        sys.exit(f"error: {key}: granian reads a key only in PKCS#8 ({PKCS8})")
