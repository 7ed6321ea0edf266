//! Servers and workloads: where they are, what their files say, and how a server is installed,
//! built and started.

pub mod build;
pub mod checkout;
pub(crate) mod client;
pub mod deploy;
pub mod identity;
pub mod install;
pub mod launch;
pub mod revision;
pub mod server;
pub(crate) mod stream;
pub mod target;
pub mod template;
pub mod workload;
