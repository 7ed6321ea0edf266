"""TLS 1.3 with a certificate from a file."""

import ssl
import sys


def context(certificate, key):
    """Returns the context that each worker encrypts with. Exits with one line if a file cannot be used."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.minimum_version = ssl.TLSVersion.TLSv1_3
    made.set_alpn_protocols(["http/1.1"])
    try:
        for path in (certificate, key):
            # OpenSSL does not say which of them it cannot read.
            open(path).close()
        # Without this argument, OpenSSL would ask for the password of an encrypted key.
        made.load_cert_chain(certificate, key, password="")
    except ssl.SSLError as error:
        sys.exit(f"error: {certificate} with the key {key}: {error.reason or 'not in PEM'}")
    except OSError as error:
        sys.exit(f"error: {error.filename}: {error.strerror}")
    return made
