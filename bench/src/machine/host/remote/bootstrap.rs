//! Starts the helper on another host: a shell there receives it, over the connection that becomes
//! the helper's channel.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::ChildStdin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow, bail, ensure};
use parking_lot::Mutex;

use super::cache::{self, digest};
use super::channel::Channel;
use super::protocol::{HELLO, Hello};
use super::source::{self, Source};
use super::{Link, Ssh};
use crate::machine::host::Launch;
use crate::machine::host::guard::{self, SWEEP};
use crate::machine::host::local::Local;
use crate::machine::host::local_process::LocalProcess;
use crate::machine::host::process::{Ended, Line, Operations};
use crate::machine::host::started::LAST_WORDS;

/// The first words of the shell's first line. The lines that a login shell prints before it are
/// dropped.
const SHELL: &str = "hello-bench shell";

/// The script of the shell. It prints the kind of the machine, and receives or builds the helper
/// unless it is there already. An incomplete file has another name. The script is passed on as one
/// line in single quotes, which any login shell understands, so it must contain neither comments
/// nor single quotes.
const SCRIPT: &str = include_str!("bootstrap.sh");

/// The cache folder of a host, for a shell there.
const CACHE: &str = "${XDG_CACHE_HOME:-$HOME/.cache}/hello-bench";

/// The time to log in. For a host that is down, and drops packets, ssh takes [`CONNECT_SECONDS`].
const LOGIN: Duration = Duration::from_secs(30);

/// The time for ssh to reach the host, and for the host to send its protocol version. Without it,
/// `ssh` waits as long as TCP does, two minutes, if packets are dropped.
const CONNECT_SECONDS: u64 = 10;

/// The time to send the helper, of some megabytes, over a slow line.
const SENDING: Duration = Duration::from_secs(300);

/// The time to build the harness and `visit` on a slow machine.
const BUILDING: Duration = Duration::from_secs(30 * 60);

/// The exit status of ssh where it did not log in (`ssh(1)`).
const UNREACHED: i32 = 255;

/// The time for a second ssh to end what a helper has left.
const SWEEPING: Duration = LOGIN;

impl Ssh {
    /// Returns the command line that runs `command` on the host without asking the user anything.
    fn words(&self, name: &str, command: &str) -> Vec<String> {
        let connect = format!("ConnectTimeout={CONNECT_SECONDS}");
        // Without ServerAliveInterval, Debian's ssh uses 300 s if BatchMode is set.
        let options =
            ["BatchMode=yes", "ServerAliveInterval=2", "ServerAliveCountMax=3", "ControlPath=none", &connect];
        let options = options.iter().flat_map(|option| ["-o".to_owned(), (*option).to_owned()]);
        let end = ["-T", "--", name, command].map(str::to_owned);
        self.words.iter().cloned().chain(options).chain(end).collect()
    }
}

/// This program, which is read once for all hosts.
struct Program {
    bytes: Vec<u8>,
    digest: String,
}

static OWN: Mutex<Option<Arc<Program>>> = Mutex::new(None);

impl Program {
    fn own() -> anyhow::Result<Arc<Self>> {
        let mut own = OWN.lock();
        if let Some(own) = &*own {
            return Ok(Arc::clone(own));
        }
        let path = std::env::current_exe().context("cannot find this program")?;
        let bytes = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
        Ok(Arc::clone(own.insert(Arc::new(Self { digest: digest(&bytes), bytes }))))
    }
}

/// Logs in, starts the helper, and sends the helper and `visit` if they are not in the cache there.
pub(super) fn connect(local: &Arc<Local>, ssh: &Ssh, name: &str, mark: &str) -> anyhow::Result<Link> {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "-_.@:[]%/".contains(letter);
    ensure!(
        !name.is_empty() && !name.starts_with('-') && name.chars().all(plain),
        "\"{}\" is not the name of a host, as ssh takes it",
        name.escape_default()
    );
    let script = SCRIPT.lines().collect::<Vec<_>>().join(" ");
    let words = ssh.words(name, &format!("exec /bin/sh -c '{script}'"));
    let (_, mut process) = local.start(&Launch::build(&words, Path::new("/")).commanded())?;
    let mut input = process.take_input().context("ssh has no standard input")?;

    let machine =
        answer(&mut process, LOGIN, |line| line.strip_prefix(SHELL).map(|rest| rest.trim().to_owned()))?;
    let here = nix::sys::utsname::uname().context("cannot ask the kernel for its name")?;
    let here = format!("{} {}", here.sysname().to_string_lossy(), here.machine().to_string_lossy());
    let is_alike = machine == here;
    let (how, program) = if is_alike {
        ("copied", Program::own()?)
    } else {
        let checkout = ssh.checkout.as_ref();
        let checkout = checkout.with_context(|| format!("it is {machine}, and this machine {here}"))?;
        let (digest, bytes) = source::archive(local, checkout)?;
        ("built", Arc::new(Program { bytes, digest }))
    };
    let digest = program.digest.clone();
    write(&mut input, format!("{how} {digest} {} {mark}\n", program.bytes.len()).as_bytes())?;
    let is_there = answer(&mut process, LOGIN, |line| match line {
        "here" => Some(true),
        "send" => Some(false),
        _ => None,
    });
    let is_there = is_there.with_context(|| format!("it is {machine}, and this machine {here}"))?;
    // If a host does not read the bytes, that holds up only this thread, until the process ends.
    let sender = std::thread::spawn(move || {
        let written = if is_there { Ok(()) } else { write(&mut input, &program.bytes) };
        written.map(|()| input)
    });
    let bound = match (is_there, is_alike) {
        (true, _) => LOGIN,
        (false, true) => SENDING,
        (false, false) => BUILDING,
    };
    let hello = answer(&mut process, bound, |line| {
        serde_json::from_str::<Hello>(line.strip_prefix(HELLO)?.trim()).ok()
    })?;
    let input = sender.join().unwrap_or_else(|_| bail!("the thread that sends the helper panicked"))?;
    let channel = Channel::new(process, input);
    let folder = hello.cache.join(&digest);
    let built = ssh.checkout.as_ref().filter(|_| !is_alike);
    let source = built.map(|here| Source {
        here: here.clone(),
        there: folder.join("source"),
        target: folder.join("target"),
    });
    if let Some(visit) = local.find("visit").filter(|_| is_alike) {
        cache::put(&channel, &visit, &Path::new(&digest).join("visit"))?;
    }
    Ok(Link { channel, hello, source })
}

/// Returns what `is_it` returns for the first line that it accepts. Fails if ssh ends, or `bound`
/// passes, before that.
fn answer<T>(
    process: &mut LocalProcess,
    bound: Duration,
    is_it: impl Fn(&str) -> Option<T>,
) -> anyhow::Result<T> {
    let began = Instant::now();
    loop {
        match process.next_line(bound.saturating_sub(began.elapsed()))? {
            Line::Printed(line) => {
                if let Some(found) = is_it(&line) {
                    return Ok(found);
                }
            }
            Line::TimedOut => bail!("it did not answer within {} s", bound.as_secs()),
            Line::Closed => {
                // Its last words may come after the end of its output.
                process.wait(LAST_WORDS);
                return Err(unreached(&process.end()?));
            }
        }
    }
}

/// Writes to ssh. Does not fail if ssh has ended, since the missing answer will show that.
fn write(input: &mut ChildStdin, bytes: &[u8]) -> anyhow::Result<()> {
    match input.write_all(bytes) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(error).context("cannot write to ssh")
        }
        _ => Ok(()),
    }
}

/// Ends a helper that does not answer, and what it has left on its host, by a second ssh, and
/// removes its folders. Fails if the host cannot be reached either: the helper then ends by itself.
pub(super) fn sweep(local: &Arc<Local>, ssh: &Ssh, name: &str, mark: &str) -> anyhow::Result<()> {
    let words = ssh.words(name, &format!("exec /bin/sh -s {}", guard::variable(mark)));
    let (_, mut process) = local.start_last(&Launch::build(&words, Path::new("/")).commanded())?;
    if let Some(mut input) = process.take_input() {
        let remove = format!("rm -rf \"{CACHE}/{}\"\n", cache::scratch_name(mark));
        let _ = input.write_all(format!("{SWEEP}{remove}").as_bytes());
    }
    process.wait(SWEEPING);
    let ended = process.end()?;
    if ended.status.code() == Some(UNREACHED) { Err(unreached(&ended)) } else { Ok(()) }
}

/// Returns why a host cannot be reached, with the last words of ssh.
fn unreached(ended: &Ended) -> anyhow::Error {
    anyhow!("it cannot be reached: ssh ended with {}{}", ended.status, ended.last_words())
}
