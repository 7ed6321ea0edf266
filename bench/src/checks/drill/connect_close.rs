//! Many short connections.

use anyhow::Context;

use super::context::{DrillContext, check_recovered};
use super::definition::{Drill, OVER_ALL};

pub(super) const DRILL: Drill = Drill {
    name: "connect-close",
    about: "20,000 connections that close at once or after an answer: every request is answered, and no descriptor \
            stays open",
    protocols: OVER_ALL,
    run,
};

fn run(context: &DrillContext) -> anyhow::Result<String> {
    let count: usize = context.pick(1000, 20_000);
    let mut running = context.start(&[])?;
    let before = running.process.descriptors()?;
    for number in 0..count {
        context.check_interrupted()?;
        let which = || format!("connection {} of {count}", number + 1);
        let mut client = running.endpoint.connect_from(number).with_context(which)?;
        match number % 4 {
            0 => drop(client),
            1 => client.reset()?,
            2 => {
                client.ask_last("/once").with_context(which)?;
                client.expect("/once").with_context(which)?;
            }
            _ => {
                client.ask("/once").with_context(which)?;
                client.expect("/once").with_context(which)?;
            }
        }
    }
    check_recovered(&mut running, before)?;
    Ok("0 lost".into())
}
