use crate::{
    core::{
        outcome::{Code, Refusal},
        status::{Move, after},
    },
    host::{BudgetAnswer, Host, JobKey},
    orchestrator::{
        Orchestrator, Outcome, Stop,
        section::{Committed, Conflicts},
    },
};

impl<H: Host> Orchestrator<H> {
    /// A created or paused job becomes running, if the budget allows. One whose steps have all
    /// ended meanwhile completes.
    ///
    /// # Errors
    /// `not_found`, `invalid_transition` (also where it has a parent that has ended), or the budget manager's own refusal.
    pub async fn start_job(&self, key: JobKey) -> Outcome<H> {
        let mut conflicts = Conflicts::default();
        loop {
            let section = self.section(key).await?;
            let mut job = section.load().await?;
            after(job.head.status, Move::Start).ok_or(Code::InvalidTransition)?;
            if job.head.has_parent && self.host.parent_has_ended(key).await.map_err(Stop::Failed)? {
                return Err(Refusal::new(Code::InvalidTransition, "The parent job has ended").into());
            }
            if let BudgetAnswer::Refused(answer) = self.host.may_start(key).await.map_err(Stop::Failed)? {
                return Err(Stop::BudgetRefused(answer));
            }
            job.start_by_caller()?;
            if let Committed::Yes(_) = section.commit(job).await? {
                return Ok(());
            }
            conflicts.again::<H>()?;
        }
    }
}
