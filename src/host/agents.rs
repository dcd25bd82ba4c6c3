use crate::{
    core::{
        job::Signal,
        logic::{Expr, Reads},
        outcome::{Code, Refusal},
        plan::RoutedStep,
        step::{FanOut, StepIndex},
    },
    host::{JobKey, Values},
};

/// How an attempt went.
#[derive(Debug)]
pub enum AgentResult<V> {
    /// Well.
    Done {
        /// What the agent gave, checked and safe to store.
        output: V,
        /// What it cost, where the agent said so.
        cost: Option<f64>,
    },
    /// Badly.
    Failed {
        /// `agent_failed`, `invalid_output`, ...
        why: Refusal,
        /// Can another attempt help?
        retryable: bool,
        /// How long the agent asks to wait before another.
        retry_after: Option<f64>,
        /// What it cost all the same.
        cost: Option<f64>,
    },
    /// It called a tool that a person has to approve first; `calls` says how many such calls there were.
    NeedsApproval {
        /// The host numbers them from 0.
        calls: u32,
    },
}

/// Why an attempt is given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Abort {
    /// It took too long.
    Timeout,
    /// The job ended.
    Cancelled,
    /// The orchestrator was closed.
    Closed,
    /// Somebody else runs the job now.
    Lost,
}

impl Abort {
    /// The code of the error that the agent's signal carries.
    pub const fn code(self) -> Code {
        match self {
            Abort::Timeout => Code::Timeout,
            Abort::Cancelled => Code::Cancelled,
            Abort::Closed => Code::Closed,
            Abort::Lost => Code::Conflict,
        }
    }
}

/// What a router answered.
#[derive(Clone, Debug)]
pub enum Routed {
    /// There is no router.
    NoRouter,
    /// The job is done.
    Done,
    /// The next step.
    Step(RoutedStep),
}

/// The agents, and the router that chooses among them where there is no plan.
#[allow(async_fn_in_trait, reason = "everything runs on one thread")]
pub trait Agents: Values {
    /// One call of an agent.
    type Attempt: 'static;

    /// Looks up the agent of a step; `None` where there is none of this name.
    fn find_agent(&self, job: JobKey, step: StepIndex, name: &str)
    -> Result<Option<AgentFacts>, Self::Error>;

    /// The names of all agents, for a sentence.
    fn known_agents(&self) -> String;

    /// Asks the router for the next step of a job.
    async fn route(&self, job: JobKey, input: Option<&Self::Value>) -> Result<Routed, Self::Error>;

    /// What an expression reads of the context of a job that is loaded.
    ///
    /// # Errors
    /// A sentence, where it can't be read.
    fn read_context(&self, job: JobKey, reads: Reads) -> Result<serde_json::Value, String>;

    /// What the last round of a step of a job that is loaded gave.
    fn output_of(&self, job: JobKey, step: StepIndex) -> Self::Value;

    /// The list that an expression gives over the context of a job that is loaded, and its length.
    ///
    /// # Errors
    /// A sentence, where it can't be computed or is no list.
    fn list(&self, job: JobKey, expression: &Expr) -> Result<(Self::Value, usize), String>;

    /// What a rule of a plan gave, by its key: 1 where it holds and 0 where it doesn't, or how many items there are.
    fn evaluated(&self, _job: JobKey, _which: &'static str, _gave: usize) {}

    /// What the items of a step of a job that is loaded gave, as a list.
    fn outputs_of(&self, job: JobKey, items: FanOut) -> Self::Value;

    /// What a step gives that waited for this signal of a job that is loaded: `{ signal, payload }`.
    fn signal_value(&self, job: JobKey, signal: &Signal) -> Self::Value;

    /// Prepares an attempt at a step that is committed as running, on the context as it is now.
    fn prepare(&self, job: JobKey, step: StepIndex, number: u32, input: Input<'_>) -> Self::Attempt;

    /// Calls the agent and checks what it gives.
    async fn run(&self, attempt: &Self::Attempt) -> AgentResult<Self::Value>;

    /// Gives an attempt up: its signal fires, and what it still answers is reported as late.
    fn abort(&self, attempt: &Self::Attempt, why: Abort);
}

/// What an agent says of itself.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct AgentFacts {
    /// What a step of its costs, in the budget's unit.
    pub cost: Option<f64>,
}

/// What an attempt is given.
#[derive(Debug)]
pub enum Input<'a> {
    /// By the plan: an expression over the context and, where it is an item, over `item` and `index`.
    Expression(&'a Expr),
    /// By the list of its step: the item.
    Item,
    /// By the router, with its answer; else by the caller; else as after the step before.
    FromRouter,
    /// By the caller, when the step first began.
    FromCaller,
    /// By the steps before: the output of the one, an object of outputs by id of several, null after none.
    OutputOf(&'a [StepIndex]),
}
