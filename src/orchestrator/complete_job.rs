use crate::{
    core::{job::Failure, outcome::Code, status::Move},
    host::{Host, JobKey},
    orchestrator::{Orchestrator, Outcome},
};

impl<H: Host> Orchestrator<H> {
    /// A running job ends well. Steps that are under way are given up, and their children cancelled.
    ///
    /// # Errors
    /// `not_found`, `invalid_transition`.
    pub async fn complete_job(&self, key: JobKey) -> Outcome<H> {
        self.end_job(key, &mut |job| Ok(job.complete_by_caller(Move::Complete, job.now)?)).await
    }

    /// A running job ends badly, because its caller says so.
    ///
    /// # Errors
    /// `not_found`, `invalid_transition`.
    pub async fn complete_job_as_failed(&self, key: JobKey) -> Outcome<H> {
        self.end_job(key, &mut |job| Ok(job.end_by_caller(Move::CompleteAsFailed, None, job.now)?)).await
    }

    /// A job that has not ended ends badly. The failure keeps `message`, where there is one.
    ///
    /// # Errors
    /// `not_found`, `invalid_transition`.
    pub async fn fail_job(&self, key: JobKey, message: Option<String>) -> Outcome<H> {
        self.end_job(key, &mut |job| {
            let message = message.as_deref().unwrap_or("Job failed").into();
            let failure = Failure { code: Code::AgentFailed, message, step: None };
            Ok(job.end_by_caller(Move::Fail, Some(failure), job.now)?)
        })
        .await
    }
}
