//! Plans: what a job's steps are, parsed once and never checked again.

mod fields;
mod ids;
mod order;
mod parse;
mod problem;
mod step;

use std::{num::NonZeroU32, rc::Rc};

use crate::core::{
    logic::Expr, permissions::PermissionPatch, retry::Retry, schedule::Schedule, step::StepIndex,
};

pub use parse::parse;
pub use problem::Problem;

/// A plan without problems.
#[derive(Debug, Default)]
pub struct Plan {
    /// The steps, in the plan's order.
    pub steps: Vec<Step>,
    /// How many of them may run side by side.
    pub concurrency: usize,
    places: ids::Places,
}

/// How many items a step may be done for.
pub const MAX_ITEMS: u32 = 100_000;

/// How many steps of a plan run side by side where it doesn't say.
pub const CONCURRENCY: usize = 8;

/// One step.
#[derive(Clone, Debug)]
pub struct Step {
    /// Unique within its job.
    pub id: Box<str>,
    /// What it does.
    pub work: Work,
    /// The steps it comes after.
    pub after: Vec<StepIndex>,
    /// It is skipped where this gives something falsy.
    pub when: Option<Expr>,
    /// What the agent is given, where the plan says.
    pub input: Option<Expr>,
    /// The tools it may call.
    pub tools: Vec<Box<str>>,
    /// What it is expected to cost, in the budget's unit.
    pub cost: Option<f64>,
    /// Needs a person's approval even where the job does not require it.
    pub approval: bool,
    /// How failed attempts are retried.
    pub retry: Retry,
    /// It is done again and again.
    pub repeat: Option<Repeat>,
    /// It is done once for each item of the list that this gives.
    pub for_each: Option<Expr>,
    /// How long an attempt may take.
    pub timeout_ms: Option<f64>,
    /// The context key that its output is written to.
    pub into: Box<str>,
    /// The job pauses before it.
    pub breakpoint: bool,
    /// What its failure means for the job.
    pub on_error: OnError,
}

/// What a step does.
#[derive(Clone, Debug)]
pub enum Work {
    /// An agent of this name does it.
    Agent(Box<str>),
    /// A job of its own does it.
    Job(Rc<ChildJob>),
    /// A person approves.
    Approve,
    /// Something has to happen first.
    Wait(Wait),
}

/// A job that a step runs.
#[derive(Debug)]
pub struct ChildJob {
    /// What it does.
    pub plan: Rc<Plan>,
    /// What it may do, within what its parent may.
    pub permissions: PermissionPatch,
    /// The context it starts with, where the plan says.
    pub context: Option<Expr>,
    /// How much of its parent's budget is its own. The host allocates it.
    pub budget: Option<f64>,
}

/// What a step waits for.
#[derive(Clone, Debug, PartialEq)]
pub enum Wait {
    /// So many milliseconds.
    Timer {
        /// How many.
        ms: f64,
    },
    /// The first of these signals.
    Signal {
        /// Their names.
        names: Vec<Box<str>>,
        /// How long, in milliseconds.
        timeout_ms: Option<f64>,
    },
}

impl Wait {
    /// When it is over at the latest, where it began at `start`.
    pub fn due_at(&self, start: f64) -> Option<f64> {
        match self {
            Wait::Timer { ms } => Some(start + ms),
            Wait::Signal { timeout_ms, .. } => timeout_ms.map(|ms| start + ms),
        }
    }
}

/// How often a step is done.
#[derive(Clone, Debug)]
pub struct Repeat {
    /// Until this gives something truthy after a round.
    pub until: Expr,
    /// In so many rounds at most; the step fails when that is not enough.
    pub max: NonZeroU32,
}

/// What a step's failure means for its job.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnError {
    /// The job fails.
    #[default]
    Fail,
    /// The job goes on, with null for the step's output.
    Continue,
}

/// A router's answer: the step it asks for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RoutedStep {
    /// Who does it.
    pub agent: String,
    /// The tools it may call.
    pub tools: Vec<Box<str>>,
    /// What it is expected to cost.
    pub cost: Option<f64>,
}

impl Step {
    /// A step that a router asked for: the `number`th of its job, counted from 1.
    pub fn routed(number: usize, asked: RoutedStep) -> Step {
        let RoutedStep { agent, tools, cost } = asked;
        Step {
            id: format!("{agent}#{number}").into(),
            after: number.checked_sub(2).into_iter().collect(),
            input: None,
            work: Work::Agent(agent.as_str().into()),
            when: None,
            tools,
            cost,
            approval: false,
            retry: Retry::default(),
            repeat: None,
            for_each: None,
            timeout_ms: None,
            into: agent.into(),
            breakpoint: false,
            on_error: OnError::Fail,
        }
    }

    /// Which agent does it; none where it is not an agent's work.
    pub fn agent(&self) -> Option<&str> {
        match &self.work {
            Work::Agent(name) => Some(name),
            Work::Job(_) | Work::Approve | Work::Wait(_) => None,
        }
    }
}

impl Plan {
    /// The place of the step with this id.
    pub fn index_of(&self, id: &str) -> Option<StepIndex> {
        self.places.find(id, |place| &self.steps[place].id)
    }

    /// A schedule in which nothing has begun.
    pub fn schedule(&self) -> Schedule {
        Schedule::new(self.steps.iter().map(|step| step.after.as_slice()))
    }
}
