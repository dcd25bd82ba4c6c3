//! What a host supplies, as traits. The same orchestrator runs over JavaScript objects, over
//! in-memory Rust hosts, and over hosts that fail on purpose.
//!
//! The host keeps what is large (contexts, inputs, outputs) and hands over handles; a job is
//! named by a [`JobKey`] that the host gives out for as long as an operation on it is under way.

mod agents;
mod budget_manager;
mod child_jobs;
mod children;
mod clock;
mod control;
mod event_bus;
mod job_store;
mod leases;
pub mod memory;
mod performance_monitor;

pub use agents::{Abort, AgentFacts, AgentResult, Agents, Input, Routed};
pub use budget_manager::{BudgetAnswer, BudgetManager};
pub use child_jobs::ChildJobs;
pub use children::{ChildListener, Children};
pub use clock::Clock;
pub use control::Control;
pub use event_bus::EventBus;
pub use job_store::{CommitError, JobStore};
pub use leases::{LeaseState, Leases};
pub use performance_monitor::PerformanceMonitor;

/// A job's place in the host's table of jobs that are being worked on. The host keeps the id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct JobKey(pub u32);

/// What every part of a host shares.
pub trait Values {
    /// A value that only the host looks into: an input, an output, a budget's refusal.
    type Value: Clone + 'static;
    /// What the host's own parts fail with; handed to the caller as it is.
    type Error: Clone + 'static;

    /// A value of the host's from JSON.
    fn value_of(&self, json: &serde_json::Value) -> Self::Value;
}

/// All that an orchestrator needs of its host.
pub trait Host:
    JobStore
    + Leases
    + Control
    + EventBus
    + BudgetManager
    + PerformanceMonitor
    + Agents
    + ChildJobs
    + Children
    + Clock
{
}

impl<T> Host for T where
    T: JobStore
        + Leases
        + Control
        + EventBus
        + BudgetManager
        + PerformanceMonitor
        + Agents
        + ChildJobs
        + Children
        + Clock
{
}
