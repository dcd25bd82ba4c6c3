//! Plans: what a job's steps are, parsed once and never checked again.

mod parse;
mod problem;

use crate::core::{logic::Expr, retry::Retry, schedule::Schedule, step::StepIndex};
use std::collections::HashMap;

pub use parse::parse;
pub use problem::Problem;

/// A plan without problems.
#[derive(Debug, Default)]
pub struct Plan {
    /// The steps, in the plan's order.
    pub steps: Vec<Step>,
    by_id: HashMap<Box<str>, StepIndex>,
}

/// One step: an agent's work.
#[derive(Clone, Debug)]
pub struct Step {
    /// Unique within its job.
    pub id: Box<str>,
    /// Which agent does it.
    pub agent: Box<str>,
    /// The steps it comes after.
    pub after: Vec<StepIndex>,
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
    /// How long an attempt may take.
    pub timeout_ms: Option<f64>,
    /// The context key that its output is written to.
    pub into: Box<str>,
    /// The job pauses before it.
    pub breakpoint: bool,
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
            tools,
            cost,
            approval: false,
            retry: Retry::default(),
            timeout_ms: None,
            into: agent.as_str().into(),
            agent: agent.into(),
            breakpoint: false,
        }
    }
}

impl Plan {
    fn new(steps: Vec<Step>) -> Plan {
        let by_id = steps.iter().enumerate().map(|(index, step)| (step.id.clone(), index)).collect();
        Plan { steps, by_id }
    }

    /// The place of the step with this id.
    pub fn index_of(&self, id: &str) -> Option<StepIndex> {
        self.by_id.get(id).copied()
    }

    /// A schedule in which nothing has begun.
    pub fn schedule(&self) -> Schedule {
        Schedule::new(self.steps.iter().map(|step| step.after.as_slice()))
    }
}
