//! Many short connections.

use anyhow::Context;

use super::context::{DrillContext, check_recovered};
use super::definition::Drill;
use crate::servers::client::{Client, get_and_close};

pub(super) const DRILL: Drill = Drill {
    name: "drill/connect-close",
    about: "20,000 connections that close at once or after an answer: every request is answered, and no descriptor \
            stays open",
    run,
};

fn run(context: &DrillContext) -> anyhow::Result<String> {
    let count: usize = context.pick(1000, 20_000);
    let mut running = context.start(&[])?;
    let before = running.process.descriptors()?;
    for number in 0..count {
        context.check_interrupted()?;
        let which = || format!("connection {} of {count}", number + 1);
        let mut client = Client::connect_from(number, running.address).with_context(which)?;
        match number % 4 {
            0 => drop(client),
            1 => client.reset()?,
            2 => {
                client.send(get_and_close("/once").as_bytes()).with_context(which)?;
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
