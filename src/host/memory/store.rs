//! The store: each job one JSON object, of which a commit replaces what changed.

use serde_json::{Map, Value};

use super::{HostCall, MemoryHost, Record, change::Writer, form, leases::Lease};
use crate::{
    core::{
        job::{Job, JobHead, Run},
        status::JobStatus,
    },
    host::{CommitError, Control, JobKey, JobStore},
};

impl JobStore for MemoryHost {
    async fn load(&self, job: JobKey, _whole: bool) -> Result<Option<JobHead>, String> {
        let head = || self.look(job, |stored| stored.map(form::read_head).transpose());
        self.call(HostCall::Load(job), head).await?
    }

    fn read_run(&self, job: JobKey) -> Result<Run, String> {
        *self.world.runs_read.borrow_mut().entry(job).or_default() += 1;
        self.look(job, |stored| match stored {
            Some(stored) => form::read_rest(stored),
            None => Err("nothing was loaded".to_owned()),
        })
    }

    async fn commit(&self, key: JobKey, job: &Job<Value>) -> Result<(), CommitError<String>> {
        let then = self.turn_of(HostCall::Commit(key)).await?;
        let stored = self.with(key, |record| self.write(record, job));
        stored.ok_or_else(|| CommitError::Failed(format!("no job has key {}", key.0)))??;
        then.answer(()).await.map_err(CommitError::Failed)
    }

    async fn children(&self, parent: JobKey) -> Result<Vec<JobKey>, String> {
        let id = self.id(parent);
        let is_child = |stored: &Map<String, Value>| stored.get("parentId").is_some_and(|it| *it == id);
        self.call(HostCall::Children(parent), || self.keys_of(is_child)).await
    }

    async fn jobs(&self, status: JobStatus) -> Result<Vec<JobKey>, String> {
        let stands_there = |stored: &Map<String, Value>| stored["status"] == status.name();
        self.call(HostCall::Jobs(status), || self.keys_of(stands_there)).await
    }

    async fn unsettled_jobs(&self) -> Result<Vec<JobKey>, String> {
        Ok(Vec::new())
    }
}

impl Control for MemoryHost {
    async fn all_paused(&self, job: JobKey) -> Result<bool, String> {
        self.call(HostCall::AllPaused(job), || self.world.all_paused.get()).await
    }

    async fn set_all_paused(&self, paused: bool) -> Result<(), String> {
        self.call(HostCall::SetAllPaused, || self.world.all_paused.set(paused)).await
    }
}

impl MemoryHost {
    pub(super) fn keys_of(&self, which: impl Fn(&Map<String, Value>) -> bool) -> Vec<JobKey> {
        let jobs = self.world.jobs.borrow();
        let found = (0..).zip(jobs.iter()).filter(|(_, record)| record.stored.as_ref().is_some_and(&which));
        found.map(|(place, _)| JobKey(place)).collect()
    }

    fn write(&self, record: &mut Record, job: &Job<Value>) -> Result<(), CommitError<String>> {
        let Record { id, trace, stored, outbox, requests, routing, lease } = record;
        if job.change.fenced && *lease != Lease::Held {
            return Err(CommitError::Conflict);
        }
        let revision = stored.as_ref().map_or(Ok(0), |stored| form::read_head(stored).map(|it| it.revision));
        if revision.map_err(CommitError::Failed)? != job.change.expected_revision {
            return Err(CommitError::Conflict);
        }
        let foreign = u64::from(self.world.always_reread.get());
        let revision = job.change.expected_revision + 1 + foreign;
        let writer = Writer { id, trace, requests, routing, now: job.now, revision };
        *outbox = writer.write(stored, job);
        Ok(())
    }
}
