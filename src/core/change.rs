//! What one commit changes in a stored job.

use crate::core::{
    event::{Event, Fact},
    step::{Owed, StepIndex},
};

/// The changes of one commit. What it doesn't name stays as it is. `V` is a value that the host holds.
#[derive(Clone, Debug, PartialEq)]
pub struct JobChange<V> {
    /// The revision the change was decided on; the store refuses it where another is stored.
    pub expected_revision: u64,
    /// The steps that changed, each once.
    pub steps: Vec<StepIndex>,
    /// Outputs to write to the context, each under its step's key; null where there is none.
    pub context: Vec<(StepIndex, Option<V>)>,
    /// Events to append to the history.
    pub events: Vec<Event<V>>,
    /// What a new job is made of beside what was decided: the host's own.
    pub origin: Option<V>,
    /// What the budget manager could not be told.
    pub owed: Vec<Owed>,
    /// Parts of the head that changed and seldom do.
    pub rare: Rare,
    /// Made by the one who runs the job's steps: the store refuses it when somebody else does.
    pub fenced: bool,
}

/// Which of the seldom changed parts of a job's head changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rare {
    /// The permissions.
    pub permissions: bool,
    /// The list of waiting approvals.
    pub approvals: bool,
    /// The signals that wait.
    pub signals: bool,
    /// The breakpoints.
    pub breakpoints: bool,
    /// Why the job is paused.
    pub pause: bool,
    /// Why the job failed.
    pub failure: bool,
    /// A step that a router asked for was added.
    pub routed: bool,
    /// The job's own pace, or that of all jobs.
    pub slow_play: bool,
    /// What its descendants' steps count.
    pub tree_steps: bool,
    /// Whether its account is open, and what is owed.
    pub account: bool,
}

impl Rare {
    /// Did any of them change?
    pub fn any(self) -> bool {
        self != Rare::default()
    }
}

impl<V> Default for JobChange<V> {
    fn default() -> Self {
        JobChange {
            expected_revision: 0,
            steps: Vec::new(),
            context: Vec::new(),
            events: Vec::new(),
            origin: None,
            owed: Vec::new(),
            rare: Rare::default(),
            fenced: false,
        }
    }
}

impl<V> JobChange<V> {
    /// Is there anything to commit?
    pub fn is_empty(&self) -> bool {
        self.events.is_empty() && self.steps.is_empty() && !self.rare.any()
    }

    /// Does the job end with it?
    pub fn ends_job(&self) -> bool {
        self.events.iter().any(|event| matches!(event.fact, Fact::JobCompleted | Fact::JobFailed))
    }

    /// Does the job stand elsewhere after it?
    pub fn moves_job(&self) -> bool {
        let moves = |fact: &Fact<V>| {
            matches!(fact, Fact::JobStarted | Fact::JobPaused(_) | Fact::JobCompleted | Fact::JobFailed)
        };
        self.events.iter().any(|event| moves(&event.fact))
    }

    /// Notes that a step changed.
    pub fn touch(&mut self, step: StepIndex) {
        if !self.steps.contains(&step) {
            self.steps.push(step);
        }
    }
}
