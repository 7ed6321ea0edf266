//! The load tools offer over TLS what `visit` offers: a server does the same work under each tool.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use bench::servers::identity::Identity;
use bench::servers::workload::{Amount, Load, Mode};
use bench::store::record::Protocol;
use bench::tools::{self, LoadSpec};

use crate::mock::wait_until;

#[test]
fn tools_offer_over_tls_what_visit_offers() {
    let visit = Offer::by("visit").unwrap();
    assert_eq!(visit.suites, [[0x13, 0x01]], "TLS_AES_128_GCM_SHA256 alone");
    if let Some(wrk) = Offer::by("wrk") {
        assert_eq!(wrk, visit);
    }
    if let Some(h2load) = Offer::by("h2load") {
        assert_eq!(h2load.suites[0], visit.suites[0]);
    }
}

/// The offer in the first message of a TLS client (RFC 8446, section 4.1.2).
#[derive(Debug, PartialEq)]
struct Offer {
    versions: Vec<u8>,
    suites: Vec<[u8; 2]>,
    groups: Vec<u8>,
}

/// The types of the extensions that contain the groups and the versions.
const GROUPS: u16 = 10;
const VERSIONS: u16 = 43;

/// A value in the list of suites that is not a suite: it says that the handshake is not a
/// renegotiation (RFC 5746).
const NO_SUITE: [u8; 2] = [0, 0xff];

impl Offer {
    /// Returns the offer of a tool to the server of a measurement, or `None` where the tool is not
    /// on this machine.
    fn by(tool: &str) -> Option<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let tool = tools::find(tool).unwrap();
        let identity = Identity::new(address.ip()).unwrap();
        let own = tool.files().iter().map(|file| (file.name, file.text));
        for (name, text) in own.chain([identity.client_file()]) {
            fs::write(folder.path().join(name), text).unwrap();
        }
        let amount = Amount::Time(Duration::from_secs(1));
        let load = Load { protocol: Protocol::Https, ..Load::new(tool.name(), 1, amount, Mode::KeepAlive) };
        let (url, answer) = (format!("https://{address}/here"), "hi");
        let spec = LoadSpec {
            load: &load,
            amount,
            rate: None,
            share: None,
            series: None,
            answer,
            cores: 1,
            url: &url,
        };
        let words = tool.command(&spec);
        let visit = Path::new(env!("CARGO_BIN_EXE_bench")).parent().unwrap().display().to_string();
        let path = format!("{visit}:{}", std::env::var("PATH").unwrap());
        let mut command = Command::new("env");
        command.arg(format!("PATH={path}")).args(&words).current_dir(folder.path());
        let mut client = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let is_missing = || client.try_wait().unwrap().is_some_and(|status| status.code() == Some(127));
        let offer = accepted(&listener, is_missing).map(Self::read);
        let _ = client.kill();
        client.wait().unwrap();
        if offer.is_none() {
            eprintln!("skipped: there is no `{}` here", tool.name());
        }
        offer
    }

    fn read(mut stream: TcpStream) -> Self {
        // The last two bytes of the header are the length of the record.
        let mut header = [0; 5];
        stream.read_exact(&mut header).unwrap();
        let mut record = vec![0; u16::from_be_bytes([header[3], header[4]]).into()];
        stream.read_exact(&mut record).unwrap();
        // Skips the type and length, the version, the random bytes, and then the identifier of the
        // session.
        let mut left = &record[4 + 2 + 32..];
        vector(&mut left, 1);
        let suites = vector(&mut left, 2).chunks(2).map(|suite| [suite[0], suite[1]]);
        let suites = suites.filter(|suite| *suite != NO_SUITE).collect();
        vector(&mut left, 1);
        let mut extensions = vector(&mut left, 2);
        let mut found = BTreeMap::new();
        while let Some((kind, mut rest)) = extensions.split_first_chunk() {
            found.insert(u16::from_be_bytes(*kind), vector(&mut rest, 2).to_vec());
            extensions = rest;
        }
        Self { versions: found[&VERSIONS].clone(), suites, groups: found[&GROUPS].clone() }
    }
}

/// Takes a vector from the front of `left`: a length of this number of bytes, and its content,
/// which is returned.
fn vector<'a>(left: &mut &'a [u8], bytes: usize) -> &'a [u8] {
    let (length, rest) = left.split_at(bytes);
    let length = length.iter().fold(0, |length, byte| length << 8 | usize::from(*byte));
    let (taken, rest) = rest.split_at(length);
    *left = rest;
    taken
}

/// Returns the first connection on which a byte arrives, since wrk first opens one on which it
/// sends nothing. Returns `None` when the client is missing.
fn accepted(listener: &TcpListener, mut is_missing: impl FnMut() -> bool) -> Option<TcpStream> {
    listener.set_nonblocking(true).unwrap();
    let mut found = None;
    let mut is_over = || {
        let stream = listener.accept().ok().map(|(stream, _)| stream);
        let speaks = |stream: &TcpStream| {
            stream.set_nonblocking(false).unwrap();
            stream.peek(&mut [0]).is_ok_and(|count| count > 0)
        };
        found = stream.filter(speaks);
        found.is_some() || is_missing()
    };
    wait_until("a client connects", &mut is_over);
    found
}
