use crate::{
    core::{
        job::{Job, JobHead},
        outcome::Code,
        permissions::{PermissionPatch, Permissions},
    },
    host::{Host, JobKey},
    orchestrator::{
        Orchestrator, Outcome, Stop,
        section::{Committed, Conflicts},
    },
};

impl<H: Host> Orchestrator<H> {
    /// Changes what a job that has not ended may do; what the patch doesn't name stays. A child never may do more than
    /// its parent, so what is taken from a job is taken from its descendants too, before this resolves.
    ///
    /// # Errors
    /// `not_found`, `invalid_transition` where the job has ended.
    pub async fn set_permissions(&self, key: JobKey, patch: PermissionPatch) -> Outcome<H> {
        let mut conflicts = Conflicts::default();
        loop {
            let section = self.section(key).await?;
            let mut job = section.load().await?;
            if job.head.status.has_ended() {
                return Err(Code::InvalidTransition.into());
            }
            let before = job.head.permissions;
            let own = patch.over(before);
            let parent = self.parent_of(key, &job.head).await?;
            let after = parent.map_or(own, |parent| own.meet(parent.permissions));
            job.set_permissions(after);
            if section.commit(job).await? == Committed::Yes {
                // Where nothing changed, a crash may have cut an earlier call short.
                let only_more = after != before && after.meet(before) == before;
                return if only_more { Ok(()) } else { self.narrow_descendants(key, after).await };
            }
            conflicts.again::<H>()?;
        }
    }

    /// The parent of a job that was loaded, where it has one.
    pub(super) async fn parent_of(&self, key: JobKey, head: &JobHead) -> Outcome<H, Option<JobHead>> {
        if !head.has_parent {
            return Ok(None);
        }
        self.host.parent_head(key).await.map_err(Stop::Failed)
    }

    async fn narrow_descendants(&self, key: JobKey, permissions: Permissions) -> Outcome<H> {
        let mut parents = vec![(key, permissions)];
        while let Some((parent, most)) = parents.pop() {
            for child in self.host.children(parent).await.map_err(Stop::Failed)? {
                let mut left = most;
                let narrow = &mut |job: &mut Job<H::Value>| {
                    if !job.head.status.has_ended() {
                        job.narrow(most);
                        left = job.head.permissions;
                    }
                    Ok(())
                };
                match self.change_job(child, narrow).await {
                    Ok(()) => parents.push((child, left)),
                    // Deleted meanwhile.
                    Err(Stop::Refused(refusal)) if refusal.code == Code::NotFound => {}
                    Err(stop) => return Err(stop),
                }
            }
        }
        Ok(())
    }
}
