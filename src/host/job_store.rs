use crate::{
    core::{
        job::{Job, JobHead, Run},
        status::JobStatus,
    },
    host::{JobKey, Values},
};

/// Why a commit did not happen.
#[derive(Debug)]
pub enum CommitError<E> {
    /// Another revision is stored: somebody else committed first.
    Conflict,
    /// The store failed.
    Failed(E),
}

/// Where jobs are kept.
#[allow(async_fn_in_trait, reason = "everything runs on one thread")]
pub trait JobStore: Values {
    /// Loads a job's head, or `None` where there is no such job. The host keeps what it loaded
    /// under the job's key, for [`JobStore::read_run`] and [`JobStore::commit`].
    /// `whole` asks for what [`JobStore::read_run`] and agents need, where the head alone is cheaper.
    async fn load(&self, job: JobKey, whole: bool) -> Result<Option<JobHead>, Self::Error>;

    /// The rest of a job that was just loaded.
    ///
    /// # Errors
    /// What was loaded is not a run state.
    fn read_run(&self, job: JobKey) -> Result<Run, Self::Error>;

    /// Stores `job.change`, all of it or nothing.
    async fn commit(&self, key: JobKey, job: &Job<Self::Value>) -> Result<(), CommitError<Self::Error>>;

    /// The jobs whose parent this is, as far as the store can tell.
    async fn children(&self, parent: JobKey) -> Result<Vec<JobKey>, Self::Error>;

    /// The stored jobs that stand here, as far as the store can tell.
    async fn jobs(&self, status: JobStatus) -> Result<Vec<JobKey>, Self::Error>;

    /// The stored jobs that have ended and left something to be settled with the budget manager.
    async fn unsettled_jobs(&self) -> Result<Vec<JobKey>, Self::Error>;
}
