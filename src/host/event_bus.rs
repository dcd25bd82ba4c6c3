use crate::{
    core::event::Event,
    host::{JobKey, Values},
};

/// Where events are announced.
pub trait EventBus: Values {
    /// Announces what was just committed. Never fails: what a listener throws is the host's to log.
    fn emit(&self, job: JobKey, events: &[Event<Self::Value>]);
}
