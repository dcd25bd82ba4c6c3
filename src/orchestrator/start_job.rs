use crate::{
    core::{
        job::Job,
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
    /// `not_found`, `invalid_transition` (also where it has a parent that has ended), `globally_paused`, or the budget manager's own refusal.
    pub async fn start_job(&self, key: JobKey) -> Outcome<H> {
        self.start_if(key, &|_| true).await.map(|_| ())
    }

    /// Starts a job of which this holds; false where it does not.
    pub(super) async fn start_if(
        &self,
        key: JobKey,
        is_meant: &dyn Fn(&Job<H::Value>) -> bool,
    ) -> Outcome<H, bool> {
        let mut conflicts = Conflicts::default();
        loop {
            let section = self.section(key).await?;
            let mut job = section.load().await?;
            if !is_meant(&job) {
                return Ok(false);
            }
            after(job.head.status, Move::Start).ok_or(Code::InvalidTransition)?;
            let parent = self.parent_of(key, &job.head).await?;
            if parent.is_some_and(|parent| parent.status.has_ended()) {
                return Err(Refusal::new(Code::InvalidTransition, "The parent job has ended").into());
            }
            if self.host.all_paused(key).await.map_err(Stop::Failed)? {
                return Err(Code::GloballyPaused.into());
            }
            // What is owed may be all that stands in its way.
            if job.head.owes {
                self.settle_owed(key, &mut job).await;
            }
            if let BudgetAnswer::Refused(answer) = self.host.may_start(key).await.map_err(Stop::Failed)? {
                // What is left may be held for its own steps, or lent to their jobs: those go on with it. And
                // what has nothing more to do needs nothing.
                let needs_none = job.has_begun_steps() || job.is_finished();
                if !(self.host.reserves(key) && needs_none) {
                    return Err(Stop::BudgetRefused(answer));
                }
            }
            if let Some(parent) = parent {
                // They may have been narrowed while this job was made.
                job.narrow(parent.permissions);
            }
            job.start_by_caller()?;
            if section.commit(job).await? == Committed::Yes {
                self.pause_with_all(key).await;
                return Ok(true);
            }
            conflicts.again::<H>()?;
        }
    }
}
