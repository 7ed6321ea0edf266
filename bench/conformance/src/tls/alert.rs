//! Alerts of TLS by number and by name (RFC 8446, section 6).

pub(super) const CLOSE_NOTIFY: u8 = 0;
pub(super) const UNEXPECTED_MESSAGE: u8 = 10;
pub(super) const BAD_RECORD_MAC: u8 = 20;
pub(super) const RECORD_OVERFLOW: u8 = 22;
pub(super) const HANDSHAKE_FAILURE: u8 = 40;
pub(super) const ILLEGAL_PARAMETER: u8 = 47;
pub(super) const DECODE_ERROR: u8 = 50;
pub(super) const PROTOCOL_VERSION: u8 = 70;
pub(super) const INSUFFICIENT_SECURITY: u8 = 71;
pub(super) const INTERNAL_ERROR: u8 = 80;
pub(super) const MISSING_EXTENSION: u8 = 109;
pub(super) const UNRECOGNIZED_NAME: u8 = 112;
pub(super) const NO_APPLICATION_PROTOCOL: u8 = 120;

/// Names of the alerts that servers send.
const NAMES: [(u8, &str); 13] = [
    (CLOSE_NOTIFY, "close_notify"),
    (UNEXPECTED_MESSAGE, "unexpected_message"),
    (BAD_RECORD_MAC, "bad_record_mac"),
    (RECORD_OVERFLOW, "record_overflow"),
    (HANDSHAKE_FAILURE, "handshake_failure"),
    (ILLEGAL_PARAMETER, "illegal_parameter"),
    (DECODE_ERROR, "decode_error"),
    (PROTOCOL_VERSION, "protocol_version"),
    (INSUFFICIENT_SECURITY, "insufficient_security"),
    (INTERNAL_ERROR, "internal_error"),
    (MISSING_EXTENSION, "missing_extension"),
    (UNRECOGNIZED_NAME, "unrecognized_name"),
    (NO_APPLICATION_PROTOCOL, "no_application_protocol"),
];

/// The name of an alert.
pub(super) fn name(alert: u8) -> String {
    let named = NAMES.iter().find(|(number, _)| *number == alert);
    named.map_or_else(|| format!("alert {alert}"), |(_, name)| (*name).to_owned())
}
