use crate::host::{JobKey, Values};

/// May this orchestrator still run a job?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LeaseState {
    /// It has the right, or nobody needs any.
    Held,
    /// Somebody else has it, or may take it.
    Lost,
    /// It can't be found out.
    Unknown,
}

/// The right to run a job's steps, where several orchestrators share a store. One owner has it at a time; it ends when
/// the owner gives it back, or when the owner dies and so renews it no more.
///
/// A commit whose change says `fenced` is made under this right: the store refuses it with
/// [`CommitError::Conflict`](crate::host::CommitError) when the right has gone to somebody else. A host whose store has
/// nothing of the kind grants everything.
///
/// While an orchestrator has the right to run a job the host renews it, and calls `lease_lost` of the orchestrator
/// when it finds that somebody else has it.
#[allow(async_fn_in_trait, reason = "everything runs on one thread")]
pub trait Leases: Values {
    /// Asks for the right; false where somebody else has it, or there is no such job.
    async fn acquire_lease(&self, job: JobKey) -> Result<bool, Self::Error>;

    /// Asked after a commit was refused, and before what is held for a step is given back: may this orchestrator still
    /// run the job?
    async fn lease_state(&self, job: JobKey) -> LeaseState;

    /// Gives the right back. One that was lost, or can't be given back, does no harm.
    async fn release_lease(&self, job: JobKey);

    /// Keeps the right for whoever runs the job soon in this orchestrator, without renewing it.
    fn let_lease_lapse(&self, job: JobKey);
}
