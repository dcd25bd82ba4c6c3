use crate::{
    core::step::Hold,
    host::{JobKey, Values},
};

/// May it be spent?
#[derive(Debug)]
pub enum BudgetAnswer<V> {
    /// Yes.
    Granted,
    /// No; the manager's own words.
    Refused(V),
}

/// Limits on what jobs spend. A host without one grants everything.
#[allow(async_fn_in_trait, reason = "everything runs on one thread")]
pub trait BudgetManager: Values {
    /// May this job start?
    async fn may_start(&self, job: JobKey) -> Result<BudgetAnswer<Self::Value>, Self::Error>;

    /// Holds a step's estimate, or where amounts can't be held, asks whether it may be spent.
    async fn hold(
        &self,
        job: JobKey,
        hold: Hold,
        estimate: f64,
    ) -> Result<BudgetAnswer<Self::Value>, Self::Error>;

    /// The step cost this much. False where the manager failed and is to be told again: the money is spent, whatever it
    /// says.
    async fn spent(&self, job: JobKey, hold: Hold, actual: f64) -> bool;

    /// The step cost nothing; what was held for it is free again. False where the manager failed.
    async fn free(&self, job: JobKey, hold: Hold) -> bool;

    /// Says again what the job owes, as it is stored. False where the manager failed.
    async fn settle_owed(&self, job: JobKey) -> bool;

    /// May this manager hold something for the steps of a job that ends?
    fn reserves(&self, job: JobKey) -> bool;

    /// The job has ended: what it owes is said again, and what it was allocated and did not spend returns to where it
    /// came from. False where the manager failed.
    async fn reclaim(&self, job: JobKey) -> bool;
}
