//! The orchestrator over hosts in memory: each operation, each refusal, and whatever can go wrong
//! between two of the host's answers.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod agents;
mod approvals;
mod bench;
mod checks;
mod child_jobs;
mod crashes;
mod executor;
mod fan_out;
mod faults;
mod history;
mod leases;
mod monitor;
mod operation;
mod random;
mod random_jobs;
mod replay;
mod runs;
mod seeds;
mod simulation;
mod transitions;
mod trees;
mod waiting;
mod watch;
