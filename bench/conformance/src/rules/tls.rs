//! Rules of RFC 8446 (TLS 1.3) and of related documents.

use super::Rule;

rules! {
    NOT_1_0 = "RFC 8996, section 4":
        "TLS 1.0 MUST NOT be agreed on.";
    NOT_1_1 = "RFC 8996, section 5":
        "TLS 1.1 MUST NOT be agreed on.";
    NOT_SSL = "RFC 7568, section 3":
        "SSL 3.0 MUST NOT be agreed on.";
    ONLY_1_3 = "the endpoint":
        "The server speaks TLS 1.3 alone; to an older client it sends the alert protocol_version.";
    VERSION = "RFC 8446, section 4.2.1":
        "A server MUST choose among the versions that are offered, and MUST ignore those that it does not know.";
    EXTENSIONS = "RFC 8446, section 4.2":
        "A server MUST ignore extensions that it does not know.";
    NOTHING_IN_COMMON = "RFC 8446, section 4.1.1":
        "A server that shares no parameters with the client MUST send handshake_failure or insufficient_security, if it sends an alert.";
    COMPRESSION = "RFC 8446, section 4.1.2":
        "A hello of TLS 1.3 that offers compression MUST be refused with illegal_parameter.";
    RENEGOTIATION = "RFC 8446, section 4.1.2":
        "TLS 1.3 forbids renegotiation: a later hello of the client MUST end the connection with unexpected_message.";
    ALPN = "RFC 7301, section 3.2":
        "A server chooses one of the protocols that a client offers, or none where it does not know the extension; one that shares none MUST send no_application_protocol.";
    SNI_ABSENT = "RFC 8446, section 9.2":
        "A server MAY require the name of the server.";
    SNI = "RFC 6066, section 3":
        "A server that does not know the name ends the handshake with unrecognized_name, or goes on.";
    SYNTAX = "RFC 8446, section 6":
        "A message that cannot be parsed MUST end the connection with decode_error.";
    RECORD_TYPE = "RFC 8446, section 5.1":
        "A record of an unexpected type MUST end the connection with unexpected_message; a server may answer what is no TLS in its own way.";
    FRAGMENTS = "RFC 8446, section 5.1":
        "A message of the handshake may be in several records, and TCP delivers records in any pieces.";
    EMPTY_RECORDS = "RFC 8446, section 5.1":
        "Records of application data may be empty.";
    OVERFLOW = "RFC 8446, section 5.2":
        "A protected record of more than 2^14 + 256 octets MUST end the connection with record_overflow.";
    BAD_RECORD = "RFC 8446, section 5.2":
        "A record that cannot be decrypted MUST end the connection with bad_record_mac.";
    PADDING = "RFC 8446, section 5.4":
        "A record may be padded with zeros; one that has nothing else MUST end the connection with unexpected_message.";
    KEY_UPDATE = "RFC 8446, section 4.6.3":
        "Where a KeyUpdate asks for it, the receiver MUST send its own before it sends more data.";
    KEY_UPDATE_VALUE = "RFC 8446, section 4.6.3":
        "A KeyUpdate of another value than 0 or 1 MUST end the connection with illegal_parameter.";
    CLOSE_NOTIFY = "RFC 8446, section 6.1":
        "Each side MUST send close_notify before it closes, unless it has sent the alert of an error.";
    AFTER_CLOSE = "RFC 8446, section 6.1":
        "Data after close_notify MUST be ignored.";
    TRUNCATION = "RFC 9112, section 8":
        "A request that is cut off is incomplete, and is not answered as if it were whole.";
    FATAL_ALERT = "RFC 8446, section 6.2":
        "Who receives a fatal alert MUST close the connection at once.";
    UNKNOWN_ALERT = "RFC 8446, section 6":
        "An alert that is unknown MUST be treated as an alert of an error.";
}
