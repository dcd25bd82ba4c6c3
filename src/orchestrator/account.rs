//! What is settled with the budget manager when a job has ended: what it could not be told before, holds that nobody needs
//! any more, and what the job was allocated and did not spend.
//!
//! A manager's books are not the job's store, so the two can't change at once. That there is something to be settled
//! is stored with the job's end, and that it was done in a commit after it: what a crash leaves between the two is
//! found by [`Orchestrator::recover`], and done again, which does no harm.

use std::{mem, pin::Pin};

use crate::{
    core::{
        job::Job,
        outcome::Code,
        step::{Hold, Owed},
    },
    host::{Host, JobKey},
    orchestrator::{Orchestrator, Outcome, Stop},
};

impl<H: Host> Orchestrator<H> {
    /// Where the job ends with what is about to be committed: notes in it whether something is to be settled, and gives
    /// what may be held for its steps.
    pub(super) fn open_account(&self, key: JobKey, job: &mut Job<H::Value>) -> Option<Vec<Hold>> {
        if !job.change.ends_job() {
            return None;
        }
        let holds = if self.host.reserves(key) { job.holds_at_end() } else { Vec::new() };
        if !holds.is_empty() {
            job.set_account(true);
        }
        job.head.account_open.then_some(holds)
    }

    /// Settles what a job that has ended leaves, once nothing of it runs here. What the manager fails at is left to
    /// [`Orchestrator::recover`].
    pub(super) async fn close_account(&self, key: JobKey, holds: Vec<Hold>) {
        let mut settled = true;
        for hold in holds {
            settled &= self.host.free(key, hold).await;
        }
        if !self.host.reclaim(key).await || !settled {
            return;
        }
        let close = &mut |job: &mut Job<H::Value>| {
            job.set_account(false);
            job.settled_owed();
            Ok(())
        };
        self.note_account(key, close).await;
    }

    /// Notes in a job that has ended what the budget manager could not be told.
    pub(super) async fn owe(&self, key: JobKey, owed: Owed) {
        let owe = &mut |job: &mut Job<H::Value>| {
            job.owe(owed);
            Ok(())
        };
        self.note_account(key, owe).await;
    }

    /// Changes what a job that has ended says of its account. That is stored as everything else is.
    async fn note_account(&self, key: JobKey, note: &mut dyn FnMut(&mut Job<H::Value>) -> Outcome<H>) {
        let noting: Pin<Box<dyn Future<Output = Outcome<H>>>> = Box::pin(self.change_job(key, note));
        // The job has ended, whatever becomes of this.
        let _ = noting.await;
    }

    /// Says to the budget manager what a step cost. False where that failed.
    pub(super) async fn tell_cost(&self, key: JobKey, Owed { hold, cost }: Owed) -> bool {
        match cost {
            Some(cost) => self.host.spent(key, hold, cost).await,
            None => self.host.free(key, hold).await,
        }
    }

    /// Says again what the budget manager could not be told: what is stored, and what would be with the next commit.
    pub(super) async fn settle_owed(&self, key: JobKey, job: &mut Job<H::Value>) {
        for owed in mem::take(&mut job.change.owed) {
            if !self.tell_cost(key, owed).await {
                job.change.owed.push(owed);
            }
        }
        if self.host.settle_owed(key).await {
            job.settled_owed();
        }
    }

    /// Settles what jobs left that ended just before a crash.
    pub(super) async fn close_accounts(&self) -> Outcome<H> {
        for key in self.host.unsettled_jobs().await.map_err(Stop::Failed)? {
            if self.live.get(key).is_some_and(|live| live.is_driven()) {
                continue;
            }
            let section = self.section(key).await?;
            let holds = match section.load_whole().await {
                Ok(job) if job.head.status.has_ended() => job.holds_at_end(),
                Ok(_) => continue,
                Err(Stop::Refused(refusal)) if refusal.code == Code::NotFound => continue,
                Err(stop) => return Err(stop),
            };
            drop(section);
            self.close_account(key, holds).await;
        }
        Ok(())
    }
}
