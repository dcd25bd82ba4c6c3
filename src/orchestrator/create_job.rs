use std::rc::Rc;

use crate::{
    core::{
        job::{Job, JobHead, Run},
        outcome::{Code, Refusal},
        permissions::{PermissionPatch, Permissions},
        plan::Plan,
        status::JobStatus,
    },
    host::{CommitError, Host, JobKey},
    orchestrator::{Orchestrator, Outcome, Stop},
};

/// A job to be made.
#[derive(Debug, Default)]
pub struct NewJob<V> {
    /// What it is made of beside what is decided here: its id, context, type and configuration.
    pub origin: Option<V>,
    /// What it may do; what is not given takes its default, or its parent's.
    pub permissions: PermissionPatch,
    /// Its plan.
    pub plan: Option<Rc<Plan>>,
    /// The pace of its steps.
    pub slow_play_ms: Option<f64>,
    /// Its parent.
    pub parent: Option<JobKey>,
    /// The caller chose the id, which may be taken.
    pub id_was_given: bool,
}

impl<H: Host> Orchestrator<H> {
    /// Stores a new job. Announces nothing.
    ///
    /// # Errors
    /// `conflict` where the id is taken; `not_found` and `invalid_argument` for the parent, also where it ended while
    /// the job was stored: then the job is cancelled.
    pub async fn create_job(&self, key: JobKey, mut new: NewJob<H::Value>) -> Outcome<H> {
        let parents = match new.parent {
            Some(parent) => Some(self.inherit(parent, &mut new.origin).await?),
            None => None,
        };
        let section = self.section(key).await?;
        if new.id_was_given && self.host.load(key, false).await.map_err(Stop::Failed)?.is_some() {
            return Err(taken());
        }
        let own = new.permissions.over(parents.unwrap_or_default());
        let now = self.host.now();
        let head = JobHead {
            status: JobStatus::Created,
            permissions: parents.map_or(own, |parents| own.meet(parents)),
            revision: 0,
            seq: 0,
            steps_taken: 0,
            tree_steps: 0,
            created: now,
            started: None,
            completed: None,
            has_run: false,
            has_parent: new.parent.is_some(),
            was_cancelled: false,
            // What it inherits is known to those who load it.
            shares_steps: false,
            account_open: false,
            owes: false,
        };
        let mut job = Job::loaded(head, None, now);
        job.change.origin = new.origin;
        if let Some(plan) = new.plan {
            job.run = Some(Box::new(Run::planned(plan)));
            job.begin_history();
        }
        if let Some(ms) = new.slow_play_ms {
            job.run_mut().slow_play_ms = Some(ms);
            job.change.rare.slow_play = true;
        }
        let committed = self.host.commit(key, &job).await;
        committed.map_err(|error| match error {
            CommitError::Conflict => taken(),
            CommitError::Failed(error) => Stop::Failed(error),
        })?;
        job.committed();
        let head = job.head;
        let is_whole = job.run.is_some();
        self.keep(key, &mut job, is_whole);
        if !head.has_parent {
            return Ok(());
        }
        self.child_changed(key, head.status);
        // Whoever ends a tree asks for the children of a job when that is stored as ended: either this child was among
        // them, or its parent is found to have ended here. Where the store fails, the child's start asks again.
        let parent = self.host.parent_head(key).await;
        drop(section);
        match parent {
            Ok(Some(parent)) if parent.status.has_ended() => match self.cancel_job(key, None).await {
                Err(Stop::Failed(error)) => Err(Stop::Failed(error)),
                _ => Err(parent_has_ended()),
            },
            _ => Ok(()),
        }
    }

    /// What a child has of its parent; its permissions are at most these.
    async fn inherit(&self, parent: JobKey, origin: &mut Option<H::Value>) -> Outcome<H, Permissions> {
        let section = self.section(parent).await?;
        let head = match section.load_head().await {
            Err(Stop::Refused(refusal)) if refusal.code == Code::NotFound => {
                return Err(Refusal::new(Code::NotFound, "Parent job not found").into());
            }
            head => head?,
        };
        if head.status.has_ended() {
            return Err(parent_has_ended());
        }
        // While the parent is at hand: whoever runs it may find meanwhile that it has to be read anew.
        *origin = origin.take().map(|origin| self.host.inherit(parent, origin));
        Ok(head.permissions)
    }
}

fn parent_has_ended<V, E>() -> Stop<V, E> {
    Refusal::new(Code::InvalidArgument, "The parent job has ended").into()
}

fn taken<V, E>() -> Stop<V, E> {
    Refusal::new(Code::Conflict, "A job with this id already exists").into()
}
