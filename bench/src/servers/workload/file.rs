//! The form of a workload file, and the mistakes that one can have.

use std::mem;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use serde::Deserialize;

use super::{Amount, Load, Rate, Suite, Task, Workload};
use crate::store::record::{Protocol, PublishedRecord, TaskRecord};
use crate::text::toml_file;

/// The placeholder for the path in an answer.
const PATH: &str = "{path}";

/// A workload file. It has either workloads or the names of other suites.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SuiteFile {
    about: String,
    repetitions: Option<u32>,
    #[serde(default)]
    suites: Vec<String>,
    #[serde(default)]
    workload: Vec<WorkloadTable>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WorkloadTable {
    name: String,
    title: String,
    path: String,
    answer: String,
    task: Option<TaskRecord>,
    repetitions: Option<u32>,
    tool: Option<String>,
    connections: Option<u32>,
    requests: Option<u64>,
    seconds: Option<f64>,
    mode: Option<String>,
    protocol: Option<Protocol>,
    streams: Option<u32>,
    resumes: Option<bool>,
    path_bytes: Option<usize>,
    #[serde(default)]
    headers: Vec<String>,
    #[serde(default)]
    mix: Vec<String>,
    rate: Option<f64>,
    share_of_peak: Option<f64>,
    peak: Option<String>,
    limit: Option<String>,
    share_of_found: Option<f64>,
    search: Option<String>,
    warm_up_seconds: Option<f64>,
    timeout_seconds: Option<f64>,
    server_cores: Option<usize>,
    published: Option<PublishedRecord>,
}

impl Suite {
    /// Reads a file. Fails when it cannot be read or has a mistake.
    pub fn read(path: &Path) -> anyhow::Result<Self> {
        let file: SuiteFile = toml_file::read(path)?;
        let suite = path.file_stem().and_then(|stem| stem.to_str()).context("a workload file has a name")?;
        if file.workload.is_empty() == file.suites.is_empty() {
            bail!("{}: it has to have either `[[workload]]` or `suites`", path.display());
        }
        let convert = |table: WorkloadTable| {
            let name = table.name.clone();
            table
                .into_workload(suite, file.repetitions)
                .with_context(|| format!("{}: workload `{name}`", path.display()))
        };
        let workloads = file.workload.into_iter().map(convert).collect::<anyhow::Result<_>>()?;
        Ok(Self {
            name: suite.to_owned(),
            about: file.about,
            workloads,
            suites: file.suites,
            path: path.to_owned(),
        })
    }
}

impl WorkloadTable {
    fn into_workload(mut self, suite: &str, repetitions: Option<u32>) -> anyhow::Result<Workload> {
        let repetitions = self.repetitions.or(repetitions).context("has no `repetitions`")?;
        if repetitions == 0 {
            bail!("repetitions is 0: nothing would be measured");
        }
        if !self.path.starts_with('/') {
            bail!("path = \"{}\" does not begin with `/`", self.path);
        }
        if self.connections == Some(0) {
            bail!("connections is 0: no request would be sent");
        }
        if self.server_cores == Some(0) {
            bail!("server_cores is 0: the server needs one");
        }
        self.lengthen_path()?;
        let is_load = matches!(self.task, None | Some(TaskRecord::Load));
        let server_cores = self.server_cores.take_if(|_| is_load);
        let task = match self.task.unwrap_or(TaskRecord::Load) {
            TaskRecord::Load => Task::Load(self.load()?),
            TaskRecord::Start => Task::Start,
            TaskRecord::Hold => Task::Hold(self.connections.take().context("has no `connections`")?),
            TaskRecord::Idle => {
                let seconds = self.seconds.take().filter(|seconds| *seconds > 0.0);
                let time = time("seconds", seconds.context("has no `seconds`")?)?;
                Task::Idle(self.connections.take().context("has no `connections`")?, time)
            }
        };
        self.refuse_leftovers()?;
        Ok(Workload {
            name: self.name,
            suite: suite.to_owned(),
            title: self.title,
            path: self.path,
            answer: self.answer,
            task,
            server_cores,
            repetitions,
            published: self.published,
        })
    }

    /// Makes the path as long as `path_bytes` says, and puts it into the answer, in the place of
    /// `{path}`.
    fn lengthen_path(&mut self) -> anyhow::Result<()> {
        if let Some(bytes) = self.path_bytes.take() {
            let missing = bytes.checked_sub(self.path.len());
            let missing = missing.with_context(|| format!("path_bytes is {bytes}: the path is longer"))?;
            self.path += &"a".repeat(missing);
        }
        self.answer = self.answer.replace(PATH, &self.path);
        Ok(())
    }

    /// Takes the fields of a load.
    fn load(&mut self) -> anyhow::Result<Load> {
        let connections = self.connections.take().context("has no `connections`")?;
        let amount = match (self.requests.take(), self.seconds.take()) {
            (Some(requests), None) if requests >= u64::from(connections) => Amount::Requests(requests),
            (Some(requests), None) => {
                bail!("requests = {requests} is less than connections = {connections}")
            }
            (None, Some(0.0)) => bail!("seconds is 0: nothing would be measured"),
            (None, Some(seconds)) => Amount::Time(time("seconds", seconds)?),
            _ => bail!("has to have either `requests` or `seconds`"),
        };
        let rate = self.rate()?;
        let (protocol, streams, resumes) = self.protocol()?;
        let mode = self.mode.take().context("has no `mode`")?;
        let warm_up = self.warm_up_seconds.take().context("has no `warm_up_seconds`")?;
        let timeout = self.timeout_seconds.take().context("has no `timeout_seconds`")?;
        if timeout <= 0.0 {
            bail!("timeout_seconds is {timeout}: no answer would be waited for");
        }
        Ok(Load {
            tool: self.tool.take().context("has no `tool`")?,
            connections,
            amount,
            mode: mode.parse().map_err(|error| anyhow!("mode is `{mode}`: {error}"))?,
            protocol,
            streams,
            resumes,
            headers: mem::take(&mut self.headers),
            mix: mem::take(&mut self.mix),
            poisson: None,
            rate,
            slice: None,
            warm_up: time("warm_up_seconds", warm_up)?,
            timeout: time("timeout_seconds", timeout)?,
        })
    }

    /// Takes the fields of a protocol: the protocol, its streams, and whether sessions are resumed.
    fn protocol(&mut self) -> anyhow::Result<(Protocol, u32, bool)> {
        let protocol = self.protocol.take().unwrap_or_default();
        let (streams, resumes) = (self.streams.take(), self.resumes.take().unwrap_or_default());
        match streams {
            Some(0) => bail!("streams is 0: no request would be sent"),
            Some(streams) if !protocol.is_http_2() => {
                bail!("streams = {streams} needs protocol = \"h2\" or \"h2c\", not \"{protocol}\"")
            }
            _ if resumes && !protocol.is_encrypted() => {
                bail!("resumes needs protocol = \"https\" or \"h2\", not \"{protocol}\"")
            }
            _ => Ok((protocol, streams.unwrap_or(1), resumes)),
        }
    }

    /// Takes the fields of an open loop's rate.
    fn rate(&mut self) -> anyhow::Result<Option<Rate>> {
        let found = (self.share_of_found.take(), self.search.take());
        let peak = (self.share_of_peak.take(), self.peak.take());
        Ok(match (self.rate.take(), self.limit.take(), peak, found) {
            (None, None, (None, None), (None, None)) => None,
            (Some(rate), None, (None, None), (None, None)) if rate > 0.0 => Some(Rate::PerSecond(rate)),
            (Some(rate), None, (None, None), (None, None)) => {
                bail!("rate is {rate}: it has to be more than 0")
            }
            (None, None, (Some(share), Some(peak)), (None, None)) if share > 0.0 && share < 1.0 => {
                Some(Rate::OfPeak { share, peak })
            }
            (None, None, (Some(share), Some(_)), (None, None)) => {
                bail!("share_of_peak is {share}: it lies between 0 and 1")
            }
            (None, Some(limit), (None, Some(peak)), (None, None)) => {
                let limit = limit.parse().map_err(|error| anyhow!("limit is `{limit}`: {error}"))?;
                Some(Rate::Searched { limit, peak })
            }
            (None, None, (None, None), (Some(share), Some(search))) if share > 0.0 => {
                Some(Rate::OfFound { share, search })
            }
            _ => bail!(
                "has to have either `rate`, or `share_of_peak` with `peak`, or `limit` with `peak`, or \
                 `share_of_found` with `search`, or none of them"
            ),
        })
    }

    /// Fails when a field is left that the task does not use.
    fn refuse_leftovers(&self) -> anyhow::Result<()> {
        let fields = [
            ("tool", self.tool.is_some()),
            ("connections", self.connections.is_some()),
            ("requests", self.requests.is_some()),
            ("seconds", self.seconds.is_some()),
            ("mode", self.mode.is_some()),
            ("protocol", self.protocol.is_some()),
            ("streams", self.streams.is_some()),
            ("resumes", self.resumes.is_some()),
            ("headers", !self.headers.is_empty()),
            ("mix", !self.mix.is_empty()),
            ("rate", self.rate.is_some()),
            ("share_of_peak", self.share_of_peak.is_some()),
            ("peak", self.peak.is_some()),
            ("limit", self.limit.is_some()),
            ("share_of_found", self.share_of_found.is_some()),
            ("search", self.search.is_some()),
            ("warm_up_seconds", self.warm_up_seconds.is_some()),
            ("timeout_seconds", self.timeout_seconds.is_some()),
            ("server_cores", self.server_cores.is_some()),
        ];
        match fields.into_iter().find(|(_, left)| *left) {
            Some((name, _)) => bail!("`{name}` has no meaning for this task"),
            None => Ok(()),
        }
    }
}

fn time(field: &str, seconds: f64) -> anyhow::Result<Duration> {
    Duration::try_from_secs_f64(seconds).map_err(|_| anyhow!("{field} is {seconds}: it has to be 0 or more"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::servers::workload::Mode;

    const SUITE: &str = r#"
        about = "an example"
        repetitions = 3
        [[workload]]
        name = "one"
        title = "one connection"
        path = "/abc"
        answer = "Hello, visitor! You've requested: /abc\n"
        tool = "hey"
        connections = 10
        seconds = 5
        mode = "keep-alive"
        warm_up_seconds = 1
        timeout_seconds = 10
    "#;

    fn read(text: &str) -> anyhow::Result<Suite> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("example.toml");
        std::fs::write(&path, text).unwrap();
        Suite::read(&path)
    }

    #[test]
    fn reads_a_suite() {
        let suite = read(SUITE).unwrap();
        assert_eq!(suite.name, "example");
        let load = suite.workloads[0].load().unwrap();
        assert_eq!(load.amount, Amount::Time(Duration::from_secs(5)));
        assert_eq!((load.mode, &load.rate), (Mode::KeepAlive, &None));
    }

    #[test]
    fn reads_other_tasks_and_rates() {
        let open = SUITE.replace("mode =", "share_of_peak = 0.5\npeak = \"two\"\nmode =");
        let suite = read(&open).unwrap();
        let rate = Rate::OfPeak { share: 0.5, peak: "two".into() };
        assert_eq!(suite.workloads[0].load().unwrap().rate, Some(rate));
        assert_eq!(suite.workloads[0].peak(), Some("two"));

        let suite = read(&SUITE.replace("mode =", "server_cores = 4\nmode =")).unwrap();
        assert_eq!(suite.workloads[0].server_cores, Some(4));

        let head = SUITE.split("tool =").next().unwrap();
        let suite = read(&(head.to_owned() + "task = \"hold\"\nconnections = 9\nrepetitions = 2\n")).unwrap();
        assert!(matches!(suite.workloads[0].task, Task::Hold(9)));
        assert_eq!(suite.workloads[0].repetitions, 2);

        let suite = read("about = \"x\"\nsuites = [\"one\", \"two\"]").unwrap();
        assert_eq!((suite.workloads.len(), suite.suites.len()), (0, 2));
    }

    #[test]
    fn a_path_can_be_as_long_as_its_file_says() {
        let long =
            SUITE.replace("seconds = 5\n", "seconds = 5\npath_bytes = 10\n").replace(": /abc", ": {path}");
        let suite = read(&long).unwrap();
        let Workload { path, answer, .. } = &suite.workloads[0];
        assert_eq!(
            (path.as_str(), answer.as_str()),
            ("/abcaaaaaa", "Hello, visitor! You've requested: /abcaaaaaa\n")
        );
    }

    #[test]
    fn a_mistake_says_what_is_wrong() {
        let cases = [
            (SUITE.replace("seconds = 5\n", ""), "has to have either `requests` or `seconds`"),
            (SUITE.replace("seconds = 5\n", "seconds = 5\nrequests = 50\n"), "either"),
            (SUITE.replace("seconds = 5\n", "requests = 5\n"), "requests = 5 is less than connections = 10"),
            (SUITE.replace("\"/abc\"", "\"abc\""), "does not begin with `/`"),
            (SUITE.replace("seconds = 5\n", "seconds = -5\n"), "seconds is -5"),
            (SUITE.replace("= 10", "= 0"), "connections is 0"),
            (SUITE.replace("= 3", "= 0"), "repetitions is 0"),
            (
                SUITE.replace("keep-alive", "keepalive"),
                "mode is `keepalive`: it has to be keep-alive, close, close-after-N or pipelined-N",
            ),
            (SUITE.replace("tool =", "servers = 1\ntool ="), "unknown field `servers`"),
            (SUITE.replace("tool =", "task = \"start\"\ntool ="), "`tool` has no meaning for this task"),
            (SUITE.replace("tool =", "rate = 0\ntool ="), "rate is 0"),
            (
                SUITE.replace("tool =", "peak = \"x\"\ntool ="),
                "either `rate`, or `share_of_peak` with `peak`",
            ),
            (SUITE.replace("tool =", "peak = \"x\"\nshare_of_peak = 2\ntool ="), "between 0 and 1"),
            (SUITE.replace("tool =", "path_bytes = 2\ntool ="), "path_bytes is 2: the path is longer"),
            (SUITE.replace("timeout_seconds = 10", ""), "has no `timeout_seconds`"),
            (SUITE.replace("tool =", "server_cores = 0\ntool ="), "server_cores is 0"),
            (
                SUITE.split("tool =").next().unwrap().to_owned() + "task = \"start\"\nserver_cores = 2\n",
                "`server_cores` has no meaning for this task",
            ),
            ("about = \"x\"".into(), "either `[[workload]]` or `suites`"),
        ];
        for (text, expected) in cases {
            let message = format!("{:#}", read(&text).unwrap_err());
            assert!(message.contains(expected), "{message}");
            assert!(message.contains("example.toml"), "{message}");
        }
    }
}
