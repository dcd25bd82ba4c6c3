use crate::{
    core::{job::JobHead, plan::ChildJob, step::StepIndex},
    host::{JobKey, Values},
};

/// The jobs that the steps of other jobs run.
#[allow(async_fn_in_trait, reason = "everything runs on one thread")]
pub trait ChildJobs: Values {
    /// The id of a job.
    fn id_of(&self, job: JobKey) -> String;

    /// The job that a step, or an item, of a job that is loaded runs in the round that it is in, stored or not:
    /// its id is the step's idempotency key, so that a crash can't make two. It keeps its key until
    /// [`ChildJobs::leave_child`].
    fn child_of(&self, parent: JobKey, step: StepIndex) -> JobKey;

    /// Nobody waits for the child any more.
    fn leave_child(&self, child: JobKey);

    /// What the child of a step of a job that is loaded is made of, its budget included.
    ///
    /// # Errors
    /// A sentence, where its context can't be computed or isn't an object.
    fn child_origin(
        &self,
        parent: JobKey,
        step: StepIndex,
        child: JobKey,
        what: &ChildJob,
    ) -> Result<Self::Value, String>;

    /// Is a job that is loaded a child of this one?
    fn is_child_of(&self, job: JobKey, parent: JobKey) -> bool;

    /// Was a job that is loaded, and has a parent, made by a step of that?
    fn is_made_by_step(&self, job: JobKey) -> bool;

    /// Did the step of its parent's that a job which is loaded was made by fail, as the store has the parent now?
    async fn is_given_up(&self, job: JobKey) -> Result<bool, Self::Error>;

    /// The context of a job that is loaded, safe to store.
    ///
    /// # Errors
    /// A sentence, where a store can't hold it.
    fn context_of(&self, job: JobKey) -> Result<Self::Value, String>;

    /// The budget manager's own words, where an error of the store's is its refusal to allocate.
    fn budget_refusal(&self, error: &Self::Error) -> Option<Self::Value>;

    /// What a new job is made of, with what it inherits of its parent, which was loaded: whose limits its steps count
    /// against, and whether it has an account.
    fn inherit(&self, parent: JobKey, origin: Self::Value) -> Self::Value;

    /// The ancestors of a job that is loaded against whose limits its steps count, by their number from 0. Each keeps
    /// its key until [`ChildJobs::leave`].
    fn sharer(&self, job: JobKey, number: usize) -> Option<JobKey>;

    /// Nothing is done with the job any more.
    fn leave(&self, job: JobKey);

    /// Is the step of this number of a descendant counted against an ancestor's limit, which is loaded? Where it is
    /// not, and the ancestor's next commit counts a step, it is this one.
    fn is_counted(&self, sharer: JobKey, descendant: JobKey, number: u64) -> bool;

    /// The head of the parent of a job that is loaded, or was just made, and has one, as the store has it now; `None`
    /// where it is not stored any more.
    async fn parent_head(&self, job: JobKey) -> Result<Option<JobHead>, Self::Error>;
}
