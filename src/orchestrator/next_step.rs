use crate::{
    core::{
        job::Job,
        outcome::{Code, Refusal},
        status::JobStatus,
        step::{StepIndex, StepStatus},
    },
    host::{Host, JobKey},
    orchestrator::{
        Orchestrator, Outcome,
        drive::{Drive, Driven, Until},
    },
};

/// A step that has ended.
#[derive(Clone, Debug, PartialEq)]
pub struct StepReport<V> {
    /// Its place.
    pub step: StepIndex,
    /// Its id.
    pub id: Box<str>,
    /// Who did it, where an agent did.
    pub agent: Option<Box<str>>,
    /// How it ended.
    pub status: StepStatus,
    /// What it gave.
    pub output: Option<V>,
    /// How many attempts it took.
    pub attempts: u32,
    /// From the begin of the first attempt to the end of the last.
    pub duration_ms: f64,
}

impl<H: Host> Orchestrator<H> {
    /// Runs the first ready step in plan order, its retries included. Gives the job's status after it,
    /// and no step where there was nothing left to do and the job completed.
    ///
    /// # Errors
    /// The first check that refuses, in the order of [`crate::core::admission`]; `conflict` where a step
    /// of the job is already being run; what the step failed with.
    pub async fn next_step(
        &self,
        key: JobKey,
        input: Option<H::Value>,
    ) -> Outcome<H, (JobStatus, Option<StepReport<H::Value>>)> {
        let live = self.live(key);
        let Some(_seat) = live.take_seat() else {
            return Err(self.why_taken(key).await);
        };
        let mut drive = Drive::new(self, live, key, Until::OneStep, input);
        match drive.run().await? {
            Driven::Completed => Ok((JobStatus::Completed, None)),
            Driven::Step(report, status) => Ok((status, Some(report))),
            Driven::Stopped(refusal) => Err(refusal.into()),
        }
    }

    /// Somebody else runs the job's steps: it is running, and a step is under way.
    async fn why_taken(&self, key: JobKey) -> super::Stop<H::Value, H::Error> {
        let mut running = false;
        let look = &mut |job: &mut Job<H::Value>| {
            running = job.is_running();
            Ok(())
        };
        match self.change_job(key, look).await {
            Ok(()) if running => Refusal::new(Code::Conflict, "A step of this job is already running").into(),
            Ok(()) => Code::NotRunning.into(),
            Err(stop) => stop,
        }
    }
}
