//! jobwright: a deterministic job orchestrator for agent workflows.

pub mod core;
