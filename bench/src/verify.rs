//! placeholder until conformance lands
use crate::server::Server;
use crate::workload::Workload;
use std::net::SocketAddr;
/// x
pub fn before_timing(_: SocketAddr, _: &Workload, _: &Server) -> anyhow::Result<()> {
    Ok(())
}
