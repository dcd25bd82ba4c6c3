//! One run as data: the plan, how each attempt goes, and what people, time and chance do, in this order.

use std::fmt;

use serde_json::Value;

/// What a job may do.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Permissions {
    pub tools: bool,
    pub approval: bool,
    pub max_steps: u64,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Case {
    pub plan: Value,
    pub context: Value,
    pub permissions: Permissions,
    pub budget: Option<f64>,
    /// What the worker's steps cost where the plan does not say.
    pub estimate: Option<f64>,
    pub script: Vec<(Attempt, Play)>,
    pub turns: Vec<Turn>,
}

/// Which attempt: of which step, at which item, in which round, which number; these two from 1.
#[derive(Clone, Debug, PartialEq)]
pub struct Attempt {
    pub step: String,
    pub item: Option<usize>,
    pub round: u64,
    pub number: u64,
}

/// How an attempt goes.
#[derive(Clone, Debug, PartialEq)]
pub struct Play {
    /// The tool calls that it makes, of which each has to be approved: the tool's names.
    pub asks: Vec<String>,
    /// It ends as soon as it begins; another ends when its turn comes.
    pub at_once: bool,
    pub end: End,
}

/// How an attempt ends.
#[derive(Clone, Debug, PartialEq)]
pub enum End {
    Gives { output: Value, cost: Option<f64> },
    Fails { code: &'static str, retryable: bool, retry_after: Option<f64>, cost: Option<f64> },
}

/// As somebody reads it who looks for what is wrong.
impl fmt::Display for Case {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Case { plan, context, permissions, budget, estimate, script, turns } = self;
        writeln!(to, "plan: {plan:#}\ncontext: {context}\n{permissions:?}")?;
        writeln!(to, "budget: {budget:?}, estimate: {estimate:?}\nscript:")?;
        script.iter().try_for_each(|(attempt, play)| writeln!(to, "  {attempt:?}: {play:?}"))?;
        writeln!(to, "turns:")?;
        turns.iter().try_for_each(|turn| writeln!(to, "  {turn:?}"))
    }
}

impl Case {
    /// How an attempt goes; one that the script does not name gives its number.
    pub fn play(&self, attempt: &Attempt) -> Play {
        let named = self.script.iter().find(|(named, _)| named == attempt);
        named.map_or_else(|| Play::gives(attempt.number.into()), |(_, play)| play.clone())
    }
}

impl Play {
    pub fn gives(output: Value) -> Play {
        Play { asks: Vec::new(), at_once: false, end: End::Gives { output, cost: None } }
    }
}

/// Something that happens, and what the process lives to see of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Turn {
    pub what: Move,
    pub crash: Option<Crash>,
}

/// The process ends at the call of the host of this number, from 0, before it is done or after.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Crash {
    pub call: usize,
    pub done: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Move {
    /// Of the attempts at work, in the order of the plan, these end at the same moment.
    Finish(Vec<usize>),
    /// The clock goes on to the next moment at which something is due.
    Tick,
    /// The clock goes on.
    Pass(f64),
    /// The budget becomes this.
    Fund(Option<f64>),
    /// Somebody asks for something, of this job.
    Ask(Who, Ask),
    /// The process ends and another begins.
    Crash,
}

/// Whose job.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Who {
    Root,
    /// Of its descendants that there are, the one with this place, counted round.
    Child(usize),
}

#[derive(Clone, Debug, PartialEq)]
pub enum Ask {
    Start,
    Pause,
    Complete,
    CompleteAsFailed,
    Fail,
    Cancel,
    Approve(Which, Option<&'static str>),
    Reject(Which),
    Permit(Permissions),
    Breakpoints(Vec<String>),
    Signal(String, Value),
    Run(Option<Value>),
    Next(Option<Value>),
    StopRun,
    Recover,
}

/// Which approval is meant.
#[derive(Clone, Debug, PartialEq)]
pub enum Which {
    /// The only one.
    Only,
    /// The one with this place in the list, or, where there are fewer, counted round.
    Listed(usize),
    /// This step's.
    Step(String),
}

/// What somebody was told.
#[derive(Clone, Debug, PartialEq)]
pub enum Told {
    Done,
    /// One step ended: its id, status, attempts and output, and the job's status.
    Step(String, &'static str, u64, Option<Value>, &'static str),
    /// There was no step left.
    NothingLeft,
    Refused(&'static str),
    /// In the budget manager's own words.
    BudgetRefused,
    /// How many jobs were taken over.
    Resumed(usize),
}
