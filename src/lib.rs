//! jobwright: a deterministic job orchestrator for agent workflows.
//!
//! The core owns every decision: which move a job may make, which step is next, who must approve,
//! when an attempt is made again, what an event says. The host owns everything that happens:
//! storing, announcing, calling agents, telling the time. See [`core`], [`host`], [`orchestrator`].

pub mod core;
pub mod host;
pub mod orchestrator;

#[cfg(target_arch = "wasm32")]
mod wasm;
