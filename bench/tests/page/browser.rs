//! A headless Chromium, driven through a pipe by JSON messages, each followed by a zero byte.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use serde_json::{Value, json};

/// The timeout of each message from Chromium, on a machine that is busy with builds.
const TIMEOUT: Duration = Duration::from_secs(120);

/// Chromium reads commands from descriptor 3 and answers on descriptor 4.
const LAUNCH: &str = r#"exec chromium "$@" 3<&0 4>&1 </dev/null >/dev/null 2>&1"#;

/// A browser with one page.
pub(crate) struct Browser {
    chromium: Child,
    commands: ChildStdin,
    messages: Receiver<Value>,
    /// The protocol's events since the page was last opened.
    events: Vec<Value>,
    session: Option<String>,
    commands_sent: u64,
    _profile: tempfile::TempDir,
}

impl Browser {
    /// Starts the browser. Returns `None`, and prints why, if it is not installed.
    pub(crate) fn start() -> Option<Self> {
        let is_there =
            Command::new("sh").args(["-c", "command -v chromium"]).output().unwrap().status.success();
        if !is_there {
            eprintln!("skipped: there is no chromium: scripts/setup --tests installs it");
            return None;
        }
        let profile = tempfile::tempdir().unwrap();
        let mut chromium = Command::new("sh")
            .args(["-c", LAUNCH, "sh", "--headless", "--remote-debugging-pipe", "--no-first-run"])
            // The sandbox does not start as root, and the page is our own.
            .args([
                "--no-sandbox",
                "--disable-gpu",
                "--disable-dev-shm-usage",
                "--disable-background-networking",
            ])
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (commands, answers) = (chromium.stdin.take().unwrap(), chromium.stdout.take().unwrap());
        let (sender, messages) = channel();
        std::thread::spawn(move || {
            for message in BufReader::new(answers).split(0) {
                let message = serde_json::from_slice(&message.unwrap()).unwrap();
                if sender.send(message).is_err() {
                    break;
                }
            }
        });
        let mut browser = Self {
            chromium,
            commands,
            messages,
            events: Vec::new(),
            session: None,
            commands_sent: 0,
            _profile: profile,
        };
        browser.attach();
        Some(browser)
    }

    /// Creates a page and subscribes to its events.
    fn attach(&mut self) {
        let target = self.call("Target.createTarget", &json!({ "url": "about:blank" }));
        let attached =
            self.call("Target.attachToTarget", &json!({ "targetId": target["targetId"], "flatten": true }));
        self.session = Some(attached["sessionId"].as_str().unwrap().to_owned());
        for domain in ["Page", "Runtime", "Network", "Log"] {
            self.call(&format!("{domain}.enable"), &json!({}));
        }
    }

    /// Sends a command and waits for its result.
    pub(crate) fn call(&mut self, method: &str, params: &Value) -> Value {
        self.commands_sent += 1;
        let mut command = json!({ "id": self.commands_sent, "method": method, "params": params });
        if let Some(session) = &self.session {
            command["sessionId"] = session.as_str().into();
        }
        self.commands.write_all(format!("{command}\0").as_bytes()).unwrap();
        loop {
            let message = self.next();
            if message["id"] == self.commands_sent {
                assert!(message["error"].is_null(), "{method}: {}", message["error"]);
                return message["result"].clone();
            }
        }
    }

    /// Opens a file and waits until it is loaded.
    pub(crate) fn open(&mut self, file: &Path) {
        self.events.clear();
        self.call("Page.navigate", &json!({ "url": format!("file://{}", file.display()) }));
        while self.events("Page.loadEventFired").is_empty() {
            self.next();
        }
    }

    /// The parameters of all events called `method` since the page was opened.
    pub(crate) fn events(&self, method: &str) -> Vec<&Value> {
        let events = self.events.iter().filter(|event| event["method"] == method);
        events.map(|event| &event["params"]).collect()
    }

    /// Evaluates an expression in the page. If its value is a promise, waits for the result.
    pub(crate) fn evaluate(&mut self, expression: &str) -> Value {
        let params = json!({ "expression": expression, "awaitPromise": true, "returnByValue": true });
        let answer = self.call("Runtime.evaluate", &params);
        assert!(answer["exceptionDetails"].is_null(), "{}", answer["exceptionDetails"]);
        answer["result"]["value"].clone()
    }

    /// Sets the width of the page and the preferred colour scheme.
    pub(crate) fn show(&mut self, width: u32, scheme: &str) {
        let size = json!({ "width": width, "height": 900, "deviceScaleFactor": 1, "mobile": false });
        self.call("Emulation.setDeviceMetricsOverride", &size);
        let scheme = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
        self.call("Emulation.setEmulatedMedia", &scheme);
    }

    /// Returns the next message, and stores it if it is an event.
    fn next(&mut self) -> Value {
        let message = self.messages.recv_timeout(TIMEOUT).expect("Chromium sends nothing");
        if message["id"].is_null() {
            self.events.push(message.clone());
        }
        message
    }
}

impl Drop for Browser {
    /// Asks Chromium to end: if it is killed, its processes write to the profile for a while.
    fn drop(&mut self) {
        let _ = self.commands.write_all(b"{\"id\":0,\"method\":\"Browser.close\"}\0");
        while self.messages.recv_timeout(TIMEOUT).is_ok() {}
        let _ = self.chromium.kill();
        let _ = self.chromium.wait();
    }
}
