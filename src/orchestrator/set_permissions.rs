use crate::{
    core::{outcome::Code, permissions::PermissionPatch},
    host::{Host, JobKey},
    orchestrator::{Orchestrator, Outcome},
};

impl<H: Host> Orchestrator<H> {
    /// Changes what a job that has not ended may do; what the patch doesn't name stays.
    ///
    /// # Errors
    /// `not_found`, `invalid_transition` where the job has ended.
    pub async fn set_permissions(&self, key: JobKey, patch: PermissionPatch) -> Outcome<H> {
        self.change_job(key, &mut |job| {
            if job.head.status.has_ended() {
                return Err(Code::InvalidTransition.into());
            }
            job.set_permissions(patch.over(job.head.permissions));
            Ok(())
        })
        .await
    }
}
