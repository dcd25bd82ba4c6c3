//! Decides again what a job's history says was decided.
//!
//! A [`Replay`] is given the events of a history one after the other, over a host that has nothing but that history.
//! What came from outside (a person's word, what an agent gave, a signal, the time) is taken from an event; what
//! follows from it is decided by the code that decided it first, and committed to the host, which compares the
//! events of the commit with those that are recorded. `inputs` says what each event comes from, `turn` whose turn it
//! is among the steps.

mod inputs;
mod recorded;
mod turn;

use std::rc::Rc;

use serde_json::Value;

use self::recorded::Recorded;
use crate::{
    core::{
        job::{Job, JobHead, Run, Steps},
        logic::{Path, Reads},
        permissions::Permissions,
        plan::Plan,
        status::JobStatus,
        step::StepIndex,
        trace::trace_id,
    },
    host::{Host, JobKey},
    orchestrator::Orchestrator,
};

/// Why an event can't come next.
pub type Refused = &'static str;

/// A history that is being decided again.
pub struct Replay<H: Host> {
    orchestrator: Rc<Orchestrator<H>>,
    key: JobKey,
    trace: String,
    job: Job<H::Value>,
    /// The attempts that are under way.
    attempts: Vec<StepIndex>,
    /// Of a job without a plan, they are known when its first step begins.
    permissions_known: bool,
    /// The job's caller is ending it.
    ending: bool,
    /// What an ancestor whose limit is reached said of the step that is decided next.
    reached: Option<String>,
    /// The number of the event before those of the latest decision.
    decided_after: u64,
}

/// What the rules of a plan read that decide something: whether a step is done, how often, and for what. What only an
/// agent is given is not among it.
#[derive(Debug, Default, PartialEq)]
pub struct Decisive {
    /// Values that rules compute with.
    pub paths: Vec<Path>,
    /// Lists of which only the length decides something, each with the id of the step that is done for its items.
    pub lists: Vec<(Box<str>, Path)>,
    /// Rules compute what they read: it could be anything.
    pub all: bool,
}

impl<H: Host> Replay<H> {
    /// Of a job of which the host holds what its first event says.
    pub fn new(host: H, key: JobKey, plan: Option<Rc<Plan>>) -> Self {
        Replay::over(Rc::new(Orchestrator::new(host)), key, plan)
    }

    /// Over an orchestrator that does nothing else.
    pub(crate) fn over(orchestrator: Rc<Orchestrator<H>>, key: JobKey, plan: Option<Rc<Plan>>) -> Self {
        let head = JobHead {
            status: JobStatus::Created,
            permissions: Permissions::default(),
            revision: 0,
            seq: 0,
            steps_taken: 0,
            tree_steps: 0,
            created: 0.0,
            started: None,
            completed: None,
            has_run: true,
            has_parent: false,
            was_cancelled: false,
            shares_steps: false,
            account_open: false,
            owes: false,
        };
        let trace = trace_id(&orchestrator.host.id_of(key));
        let run = plan.map_or_else(Run::routed, Run::planned);
        let job = Job::loaded(head, Some(Box::new(run)), 0.0);
        Replay {
            orchestrator,
            key,
            trace,
            job,
            attempts: Vec::new(),
            permissions_known: false,
            ending: false,
            reached: None,
            decided_after: 0,
        }
    }

    /// Decides what an event tells of, and commits that to the host; where the commit has several events, the next to
    /// be met is the one after them. `value` is what the event carries: an output, an input, a payload, or the event.
    /// Gives whether the core decided on it.
    ///
    /// # Errors
    /// It can't have come next. Nothing can be met after that.
    pub async fn meet(&mut self, event: &Value, value: H::Value) -> Result<bool, Refused> {
        let recorded = Recorded::read(event, value, &self.trace)?;
        if !self.ending {
            self.job.now = recorded.at;
        }
        if self.job.head.seq == 0 {
            self.job.head.created = recorded.at;
        }
        let before = self.job.head.seq;
        let decided = self.note(&recorded).await?;
        self.decided_after = before;
        if self.job.change.events.is_empty() && recorded.name != "job_forked" {
            return Err("nothing: the job stays as it is");
        }
        let Some(run) = &self.job.run else { return Err("internal") };
        for &step in &self.job.change.steps {
            self.attempts.retain(|other| *other != step);
            if run.states[step].is_attempted() {
                self.attempts.push(step);
            }
        }
        let committed = self.orchestrator.host.commit(self.key, &self.job).await;
        self.job.committed();
        committed.map(|()| decided).map_err(|_| "internal")
    }

    /// What decisions read.
    pub fn reads(&self) -> Decisive {
        let mut found = Decisive::default();
        let Some(Steps::Planned(plan)) = self.job.run.as_ref().map(|run| &run.steps) else {
            return found;
        };
        for step in &plan.steps {
            let until = step.repeat.as_ref().map(|repeat| &repeat.until);
            let mut rules = [step.when.as_ref(), until, None];
            if let Some(list) = &step.for_each {
                match list.without_plain_vars().1.as_slice() {
                    [(place, path)] if place.is_empty() => found.lists.push((step.id.clone(), path.clone())),
                    _ => rules[2] = Some(list),
                }
            }
            for rule in rules.into_iter().flatten() {
                match rule.paths() {
                    Reads::Paths(paths) => found.paths.extend(paths),
                    Reads::Everything => found.all = true,
                }
            }
        }
        found
    }
}
