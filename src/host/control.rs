use crate::host::{JobKey, Values};

/// The one switch for all jobs of a store.
#[allow(async_fn_in_trait, reason = "everything runs on one thread")]
pub trait Control: Values {
    /// Are all jobs paused? Asked for the sake of a job, before each start of it and each of its commits.
    async fn all_paused(&self, job: JobKey) -> Result<bool, Self::Error>;

    /// Pauses all jobs from now on, or no longer. What runs notices when it asks next.
    async fn set_all_paused(&self, paused: bool) -> Result<(), Self::Error>;
}
