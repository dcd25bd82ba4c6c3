use std::pin::Pin;

use crate::{
    core::{children::ChildStats, permissions::PermissionPatch, status::JobStatus, step::StepIndex},
    host::{JobKey, Values},
    orchestrator::{
        Answer, CancelResult, Cancellation, MonitorOptions, NewJob, Outcome, ParentJob, PausePoint,
        StepReport,
    },
};

/// An operation on its way. Nothing of it has happened before it is polled.
pub type Operation<'a, H, T = ()> = Pin<Box<dyn Future<Output = Outcome<H, T>> + 'a>>;

/// A value of a host's.
pub type ValueOf<H> = <H as Values>::Value;

/// A job's status after a step, and the step, where there was one.
pub type NextStep<H> = (JobStatus, Option<StepReport<ValueOf<H>>>);

/// The jobs that were to be started, each with why it could not be.
pub type Started<H> = Vec<(JobKey, Outcome<H>)>;

/// Decides what runs next, over the parts that a host supplies; made by
/// [`create_orchestrator`](crate::create_orchestrator).
///
/// Operations are boxed, so that an orchestrator can be kept as `Rc<dyn JobOrchestrator<Host = H>>`. Every one but
/// those of a job that runs or is monitored fails with `closed` when the orchestrator is closed, and with what the
/// store fails with; nothing has changed then unless it says otherwise.
pub trait JobOrchestrator {
    /// What supplies the parts.
    type Host: Values;

    /// Stores a new job. Announces nothing.
    ///
    /// # Errors
    /// `conflict` where the id is taken; `not_found` and `invalid_argument` for the parent, also where it ended while
    /// the job was stored: then the job is cancelled.
    fn create_job(&self, key: JobKey, new: NewJob<ValueOf<Self::Host>>) -> Operation<'_, Self::Host>;

    /// A created or paused job becomes running, if the budget allows. One whose steps have all ended meanwhile
    /// completes.
    ///
    /// # Errors
    /// `not_found`, `invalid_transition` (also where it has a parent that has ended), `globally_paused`, or the budget
    /// manager's own refusal.
    fn start_job(&self, key: JobKey) -> Operation<'_, Self::Host>;

    /// A running job becomes paused: agents that run finish and are committed, nothing new starts.
    ///
    /// # Errors
    /// `not_found`, or `invalid_transition` "Only running jobs can be paused".
    fn pause_job(&self, key: JobKey) -> Operation<'_, Self::Host>;

    /// A running job ends well. Steps that are under way are given up, and their children cancelled.
    ///
    /// # Errors
    /// `not_found`, `invalid_transition`.
    fn complete_job(&self, key: JobKey) -> Operation<'_, Self::Host>;

    /// A running job ends badly, because its caller says so.
    ///
    /// # Errors
    /// `not_found`, `invalid_transition`.
    fn complete_job_as_failed(&self, key: JobKey) -> Operation<'_, Self::Host>;

    /// A job that has not ended ends badly. The failure keeps `message`, where there is one.
    ///
    /// # Errors
    /// `not_found`, `invalid_transition`.
    fn fail_job(&self, key: JobKey, message: Option<String>) -> Operation<'_, Self::Host>;

    /// A job that has not ended ends as cancelled, and so do its descendants. Gives what became of each.
    ///
    /// # Errors
    /// `not_found`; `invalid_transition` where the job has already ended, and no descendant was left to cancel; what the
    /// store failed with first: all that it allowed is cancelled then.
    fn cancel_job(
        &self,
        key: JobKey,
        reason: Option<String>,
    ) -> Operation<'_, Self::Host, Vec<(JobKey, CancelResult)>>;

    /// Changes what a job that has not ended may do, and its descendants where something is taken from it; what the
    /// patch doesn't name stays.
    ///
    /// # Errors
    /// `not_found`, `invalid_transition` where the job has ended.
    fn set_permissions(&self, key: JobKey, patch: PermissionPatch) -> Operation<'_, Self::Host>;

    /// A person says yes. A job that was paused for it becomes running, and while all are paused, one of those; running
    /// on is the caller's.
    ///
    /// # Errors
    /// `not_found`; `unknown_step`; `invalid_transition` where nothing waits, several wait, or the job has ended.
    fn approve_step(&self, key: JobKey, answer: Answer) -> Operation<'_, Self::Host>;

    /// A person says no: the step ends as failed, code `rejected`, and the job with it.
    ///
    /// # Errors
    /// As [`JobOrchestrator::approve_step`].
    fn reject_step(&self, key: JobKey, answer: Answer) -> Operation<'_, Self::Host>;

    /// Sends a signal to a job. It is kept until a step waits for it, and consumed once.
    ///
    /// # Errors
    /// `not_found`; `invalid_transition` where the job has ended.
    fn signal<'a>(
        &'a self,
        key: JobKey,
        name: &'a str,
        payload: ValueOf<Self::Host>,
    ) -> Operation<'a, Self::Host>;

    /// The job pauses before the steps of these ids from now on, beside those that its plan names.
    ///
    /// # Errors
    /// `not_found`; `unknown_step`; `invalid_transition` where the job has ended.
    fn set_breakpoints<'a>(&'a self, key: JobKey, steps: &'a [String]) -> Operation<'a, Self::Host>;

    /// Runs the first ready step in plan order, its retries included. Gives the job's status after it, and no step where
    /// there was nothing left to do and the job completed.
    ///
    /// # Errors
    /// The first check that refuses, in the order of [`crate::core::admission`]; `conflict` where a step of the job is
    /// already being run; what the step failed with.
    fn next_step(
        &self,
        key: JobKey,
        input: Option<ValueOf<Self::Host>>,
    ) -> Operation<'_, Self::Host, NextStep<Self::Host>>;

    /// Runs a job's steps until it has ended or can't go on without somebody. Called again on a job that this
    /// orchestrator is already running, it waits for that run.
    ///
    /// # Errors
    /// What stopped the job: a pause, a limit, a failed step, the budget manager's own words.
    fn run_job(&self, key: JobKey, input: Option<ValueOf<Self::Host>>) -> Operation<'_, Self::Host>;

    /// Asks a run to stop: attempts that are under way finish and are committed, and the job is left paused.
    fn stop_run(&self, key: JobKey);

    /// For the host, which found that somebody else has the right to run a job now: whoever runs it here stops, and
    /// commits nothing more.
    fn lease_lost(&self, key: JobKey);

    /// For the host, which found that a job was changed elsewhere: whoever runs it here looks at it, and its agents are
    /// told where it has ended.
    ///
    /// # Errors
    /// `not_found`; what the store fails with.
    fn look_again(&self, key: JobKey) -> Operation<'_, Self::Host>;

    /// Takes over the running jobs that this orchestrator is not running, as after a crash: attempts that were cut off
    /// become ready again, with the same attempt number and idempotency key. Gives those jobs, and doesn't run them.
    ///
    /// # Errors
    /// What the store fails with.
    fn recover(&self) -> Operation<'_, Self::Host, Vec<JobKey>>;

    /// Pauses every running job, and refuses to start any until [`JobOrchestrator::start_all`].
    ///
    /// # Errors
    /// What the store failed with first; jobs that were not reached then pause with their next step.
    fn pause_all(&self) -> Operation<'_, Self::Host, Vec<(JobKey, PausePoint)>>;

    /// Starts the jobs again that were paused with all others, and those only. Gives why some could not be.
    ///
    /// # Errors
    /// What the store failed with first; the jobs that could be started are.
    fn start_all(&self) -> Operation<'_, Self::Host, Started<Self::Host>>;

    /// Cancels every job that has not ended.
    ///
    /// # Errors
    /// What the store failed with first; all that it allowed is cancelled then.
    fn stop_all(&self, reason: Option<String>) -> Operation<'_, Self::Host, Vec<JobKey>>;

    /// Delays each further step by `ms`; steps that are being delayed look at it at once.
    fn set_slow_play(&self, ms: f64);

    /// Follows a job's children until all have ended, and ends the job, as [`JobOrchestrator::start_monitoring_with`]
    /// does with the usual options.
    ///
    /// # Errors
    /// `not_found`. A job that can't be monitored fails, with code `invalid_job`.
    fn start_monitoring(&self, job: ParentJob, cancellation: Cancellation) -> Operation<'_, Self::Host> {
        self.start_monitoring_with(job, MonitorOptions::default(), cancellation)
    }

    /// Follows a job's children until all have ended, and ends the job; or earlier, where it is cancelled, takes too long,
    /// or has no children. Resolves when the job has ended or the orchestrator is closed: nothing is to be waited for. A
    /// job that is monitored already stays with its first monitor.
    ///
    /// # Errors
    /// `not_found`. A job that can't be monitored fails, with code `invalid_job`.
    fn start_monitoring_with(
        &self,
        job: ParentJob,
        options: MonitorOptions,
        cancellation: Cancellation,
    ) -> Operation<'_, Self::Host>;

    /// Ends the monitoring of a job as its cancellation does, if it is monitored.
    fn stop_monitoring(&self, key: JobKey);

    /// How many children of a job stand where.
    ///
    /// # Errors
    /// `not_found`; what the store fails with.
    fn child_stats(&self, key: JobKey) -> Operation<'_, Self::Host, ChildStats>;

    /// Hears from now on, through the host, what others do to the children of jobs that are monitored here: other
    /// orchestrators on the same store, other programs. Monitors then look at once, and not when they next would. It has
    /// been done for a new orchestrator; doing it again changes nothing.
    fn subscribe_to_child_status_changes(&self);

    /// Something was heard of a child of this job, in another way than through the host.
    fn heard_of_child(&self, parent: JobKey);

    /// An agent sent an event of its own. One that comes after its step has ended is not recorded.
    ///
    /// # Errors
    /// `not_found`, or what the store fails with.
    fn record_event(
        &self,
        key: JobKey,
        step: StepIndex,
        event: ValueOf<Self::Host>,
    ) -> Operation<'_, Self::Host>;

    /// An attempt that was given up answered after all; that is recorded, its answer is not used.
    ///
    /// # Errors
    /// `not_found`, or what the store fails with.
    fn record_late_result(&self, key: JobKey, step: StepIndex) -> Operation<'_, Self::Host>;

    /// A new job id; `fill` supplies random bytes when they are needed.
    fn new_id(&self, fill: &mut dyn FnMut(&mut [u8])) -> String;

    /// The host gives `key` to another job from now on.
    fn forget(&self, key: JobKey);

    /// Nothing new begins and running agents are told to stop. Cancels nothing: what was running goes on in the next
    /// orchestrator on the same store.
    fn close(&self);

    /// Has it been closed?
    fn is_closed(&self) -> bool;
}
