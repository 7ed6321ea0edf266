//! `visit --mode close-after-N`: a number of requests per connection.

use visit_output::Errors;

use super::server::{Client, ScriptedServer, right, with_field};
use super::{Ran, finish, start, visit};

/// Answers requests until one asks to close the connection, which has to be number `requests`.
fn close_after(client: &mut Client, requests: u64) {
    for request in 1.. {
        let Some((path, _)) = client.request() else { return };
        match (client.head.ends_with("\r\nConnection: close\r\n\r\n"), request == requests) {
            (true, true) => return client.send(&with_field(&path, "Connection: close\r\n")),
            (false, false) => client.send(&right(&path)),
            (closes, _) => return client.send(&format!("request {request} of {requests}: {closes}")),
        }
    }
}

#[test]
fn a_connection_is_closed_after_a_number_of_requests() {
    for loops in ["", "--threads 2", "--rate 2000", "--rate 2000 --threads 2"] {
        for (number, requests) in [(2, 20), (3, 60), (10, 80)] {
            let server = ScriptedServer::start(move |client| close_after(client, number));
            let arguments =
                format!("--mode close-after-{number} --connections 2 --requests {requests} --path /b");
            let Ran { report, complaint, code } = finish(start(&server, &format!("{arguments} {loops}")));
            let name = format!("{number} {loops}");
            assert_eq!((report.answered, code), (requests, 0), "{name}: {complaint}");
            assert_eq!((report.errors, report.mismatch), (Errors::default(), None), "{name}");
            assert_eq!((report.connections_open, report.load.mode), (None, format!("close-after-{number}")));
            // Two connections are open at a time. The last two may have fewer requests, or none.
            let connections = report.connect.unwrap().count;
            let least = requests / number;
            assert!((least..=least + 2).contains(&connections), "{name}: {connections}");
        }
    }
}

#[test]
fn a_server_may_close_an_idle_connection_before_its_last_request() {
    for loops in ["", "--rate 20"] {
        let ran = visit(&format!("--mode close-after-5 --connections 1 --requests 6 {loops}"), |client| {
            client.answer_one(|path| with_field(path, "Connection: close\r\n"));
        });
        assert_eq!((ran.report.answered, ran.report.errors), (6, Errors::default()), "{loops}");
        assert_eq!(ran.report.connect.unwrap().count, 6, "{loops}");
    }
}
