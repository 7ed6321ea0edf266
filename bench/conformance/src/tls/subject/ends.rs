//! How connections end: by close_notify, by alerts, and without a message.

use super::super::alert::CLOSE_NOTIFY;
use super::super::client::Client;
use super::super::hello::{ALERT, APPLICATION};
use super::super::verdict::Verdict;
use super::{Definition, after_handshake, ask};
use crate::rules::tls as rules;

pub(super) fn rows() -> Vec<Definition> {
    vec![
        ("tls/close-notify", rules::CLOSE_NOTIFY, "an answer, close_notify, and closed", close_notify),
        ("tls/close-notify-answered", rules::CLOSE_NOTIFY, "close_notify, and closed", close_notify_answered),
        ("tls/data-after-close-notify", rules::AFTER_CLOSE, "no second answer", data_after_close),
        ("tls/truncated-request", rules::TRUNCATION, "no answer of success, and closed", truncated),
        ("tls/unknown-alert", rules::UNKNOWN_ALERT, "closed", unknown_alert),
    ]
}

fn close_notify(client: &mut Client) -> Verdict {
    after_handshake(client, |client| {
        let request = client.request("Connection: close\r\n");
        client.seal(APPLICATION, &request, 0);
        match client.expect_answer() {
            Verdict::Right => {}
            other => return other,
        }
        client.expect_close_notify()
    })
}

fn close_notify_answered(client: &mut Client) -> Verdict {
    after_handshake(client, |client| {
        match ask(client) {
            Verdict::Right => {}
            other => return other,
        }
        client.seal(ALERT, &[1, CLOSE_NOTIFY], 0);
        match client.expect_close_notify() {
            // The server may have more to send.
            Verdict::Wrong(reason) if client.seen.closed.is_none() => Verdict::LeftOpen(reason),
            verdict => verdict,
        }
    })
}

/// Data after the close_notify of the client is not a request.
fn data_after_close(client: &mut Client) -> Verdict {
    after_handshake(client, |client| {
        match ask(client) {
            Verdict::Right => {}
            other => return other,
        }
        client.seen.data.clear();
        let request = client.request("");
        let end = client.sealed(ALERT, &[1, CLOSE_NOTIFY], 0);
        let more = client.sealed(APPLICATION, &request, 0);
        client.send(&[end, more].concat());
        client.read_until(|seen| !seen.data.is_empty());
        match (client.seen.data.is_empty(), client.seen.closed) {
            (false, _) => Verdict::Wrong("expected no answer to it".into()),
            (true, Some(_)) => Verdict::Right,
            (true, None) => Verdict::LeftOpen("expected the connection to be closed".into()),
        }
    })
}

/// Sends a part of a request, and ends TCP without close_notify.
fn truncated(client: &mut Client) -> Verdict {
    after_handshake(client, |client| {
        let request = client.request("");
        let part = request.get(..request.len().saturating_sub(2)).unwrap_or_default();
        client.seal(APPLICATION, part, 0);
        client.shut_down();
        client.read_until(|_| false);
        match Client::answer(&client.seen) {
            Some(Ok(answer)) if answer.status < 400 => Verdict::Wrong("expected no answer of success".into()),
            _ if client.seen.closed.is_none() => {
                Verdict::LeftOpen("expected the connection to be closed".into())
            }
            _ => Verdict::Right,
        }
    })
}

fn unknown_alert(client: &mut Client) -> Verdict {
    after_handshake(client, |client| {
        client.seal(ALERT, &[2, 200], 0);
        client.expect_end()
    })
}
