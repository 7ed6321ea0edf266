//! The cases of TLS, one file per part of a connection. Each case is a function of a few lines and
//! a row of a table.

mod ends;
mod hellos;
mod names;
mod records;
mod timing;
mod versions;

use super::client::Client;
use super::hello::{APPLICATION, HANDSHAKE, Hello, record};
use super::script::Records;
use super::session::Offer;
use super::verdict::Verdict;
use crate::case::{Case, Script};
use crate::rules::Rule;
use crate::socket::Transport;

/// The name of a case, its rule, the right response in words, and what the client does.
type Definition = (&'static str, Rule, &'static str, fn(&mut Client) -> Verdict);

/// The right response in words, if a request is served.
const ANSWERED: &str = "an answer";

/// Cases whose rule is a choice of the endpoint, or leaves a choice.
const STRICT: [&str; 5] =
    ["tls/version-1.2", "tls/name-absent", "tls/alpn-mismatch", "tls/alpn", "tls/alpn-unknown-first"];

/// All cases. Those that ask for an answer do so by HTTP/1.1.
pub(crate) fn cases() -> Vec<Case> {
    let rows =
        [versions::rows(), names::rows(), hellos::rows(), records::rows(), ends::rows(), timing::rows()]
            .concat();
    let case = |(name, rule, right, act): Definition| {
        let script = Script::Records(Records { act, right });
        let case = Case::scripted(name, rule, Transport::Tls("http/1.1"), script);
        if STRICT.contains(&name) || case.waits_for_timeouts() { case.strict() } else { case }
    };
    rows.into_iter().map(case).collect()
}

/// Makes a handshake with this offer, and sends a request, which has to be answered.
fn with(client: &mut Client, offer: Offer) -> Verdict {
    match client.handshake(&offer, Client::send) {
        Ok(_) => ask(client),
        Err(_) => Verdict::Wrong("expected a handshake".into()),
    }
}

/// Makes a handshake, and then does what the case does.
fn after_handshake(client: &mut Client, act: impl FnOnce(&mut Client) -> Verdict) -> Verdict {
    match client.handshake(&Offer::default(), Client::send) {
        Ok(_) => act(client),
        Err(_) => Verdict::Wrong("expected a handshake".into()),
    }
}

fn ask(client: &mut Client) -> Verdict {
    let request = client.request("");
    client.seal(APPLICATION, &request, 0);
    client.expect_answer()
}

/// Sends a hello that has been changed.
fn changed(client: &mut Client, change: impl FnOnce(&mut Hello)) -> Result<(), Verdict> {
    let mut hello = Hello::tls_1_3().ok_or_else(|| Verdict::Wrong("no hello to change".into()))?;
    change(&mut hello);
    client.send(&record(HANDSHAKE, &hello.message()));
    Ok(())
}

/// Sends a hello that has been changed, and that the server has to accept.
fn taken(client: &mut Client, change: impl FnOnce(&mut Hello)) -> Verdict {
    if let Err(verdict) = changed(client, change) {
        return verdict;
    }
    expect_hello(client)
}

fn expect_hello(client: &mut Client) -> Verdict {
    client.read_until(|seen| seen.hello || seen.alert.is_some());
    if client.seen.hello { Verdict::Right } else { Verdict::Wrong("expected ServerHello".into()) }
}

/// Sends a hello that has been changed, and that the server has to refuse.
fn refused(client: &mut Client, alerts: &[u8], change: impl FnOnce(&mut Hello)) -> Verdict {
    if let Err(verdict) = changed(client, change) {
        return verdict;
    }
    refuse(client, alerts)
}

fn refuse(client: &mut Client, alerts: &[u8]) -> Verdict {
    client.read_until(|seen| seen.hello || seen.alert.is_some());
    if client.seen.hello {
        return Verdict::Wrong("expected no ServerHello".into());
    }
    client.expect_alert(alerts)
}
