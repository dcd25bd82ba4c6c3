//! Agents and a router that are closures.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    future::poll_fn,
    rc::Rc,
    task::{Poll, Waker},
};

use serde_json::{Map, Value, json};

use super::{Fate, HostCall, MemoryHost, form, steps};
use crate::{
    core::{
        job::Signal,
        logic::{Expr, Reads},
        outcome::{Code, Refusal},
        step::{FanOut, StepIndex, item_id},
        stored::read_routed_step,
    },
    host::{Abort, AgentFacts, AgentResult, Agents, Input, JobKey, Routed},
};

/// What an agent is called with.
#[derive(Clone, Debug, PartialEq)]
pub struct AgentCall {
    /// Which call of an agent of this host it is, from 0.
    pub number: usize,
    /// Whose step.
    pub job: JobKey,
    /// The step's place in its plan.
    pub place: StepIndex,
    /// The step's id.
    pub step: String,
    /// The number of the item, where the step is done for each of a list.
    pub item: Option<usize>,
    /// The agent's name.
    pub agent: String,
    /// The attempt at the step, from 1.
    pub attempt: u32,
    /// The same for every attempt at the step.
    pub idempotency_key: String,
    /// What the step is given.
    pub input: Value,
    /// The job's context when the attempt began.
    pub context: Value,
    /// The tool calls that a person approved for this step.
    pub granted: Vec<ToolCall>,
}

/// A call of a tool.
#[derive(Clone, Debug, PartialEq)]
pub struct ToolCall {
    /// Which tool.
    pub tool: String,
    /// What it is called with.
    pub args: Value,
}

/// What an agent answers.
#[derive(Clone, Debug, PartialEq)]
pub enum Reply {
    /// It went well.
    Done {
        /// What it gives.
        output: Value,
        /// What it cost, where it says so.
        cost: Option<f64>,
    },
    /// It went badly.
    Failed {
        /// In which way.
        why: Refusal,
        /// Can another attempt help?
        retryable: bool,
        /// How long to wait before another.
        retry_after: Option<f64>,
        /// What it cost all the same.
        cost: Option<f64>,
    },
    /// It called these tools, which a person has to approve first.
    Asks(Vec<ToolCall>),
    /// Nothing yet: see [`MemoryHost::answer`].
    Later,
}

impl Reply {
    /// It went well.
    pub fn done(output: impl Into<Value>) -> Reply {
        Reply::Done { output: output.into(), cost: None }
    }

    /// It went badly, and another attempt may help.
    pub fn failed(message: impl Into<String>) -> Reply {
        let why = Refusal::new(Code::AgentFailed, message.into());
        Reply::Failed { why, retryable: true, retry_after: None, cost: None }
    }

    /// It called a tool that a person has to approve first.
    pub fn asks(tool: &str, args: Value) -> Reply {
        Reply::Asks(vec![ToolCall { tool: tool.to_owned(), args }])
    }
}

type Agent = Rc<dyn Fn(&AgentCall) -> Reply>;
type Router = Rc<dyn Fn(&Value, Option<&Value>) -> Option<Value>>;

#[derive(Default)]
pub(super) struct Crew {
    agents: RefCell<BTreeMap<String, (Agent, AgentFacts)>>,
    router: RefCell<Option<Router>>,
    prepared: Cell<usize>,
    calls: RefCell<Vec<AgentCall>>,
    waiting: RefCell<BTreeMap<usize, Waiting>>,
    aborted: RefCell<Vec<(usize, Abort)>>,
}

enum Waiting {
    ForAnswer(Waker),
    Answered(Reply),
}

impl Crew {
    pub(super) fn forget_waiting(&self) {
        self.waiting.borrow_mut().clear();
    }

    async fn answer_of(&self, number: usize) -> Reply {
        poll_fn(|context| {
            let mut waiting = self.waiting.borrow_mut();
            match waiting.remove(&number) {
                Some(Waiting::Answered(reply)) => Poll::Ready(reply),
                Some(Waiting::ForAnswer(_)) | None => {
                    waiting.insert(number, Waiting::ForAnswer(context.waker().clone()));
                    Poll::Pending
                }
            }
        })
        .await
    }
}

impl MemoryHost {
    /// Does the steps of this agent from now on.
    pub fn set_agent(&self, name: &str, agent: impl Fn(&AgentCall) -> Reply + 'static) {
        self.set_agent_that_costs(name, None, agent);
    }

    /// Does the steps of this agent from now on, for an estimate of its own.
    pub fn set_agent_that_costs(
        &self,
        name: &str,
        cost: Option<f64>,
        agent: impl Fn(&AgentCall) -> Reply + 'static,
    ) {
        let agent: (Agent, AgentFacts) = (Rc::new(agent), AgentFacts { cost });
        self.world.crew.agents.borrow_mut().insert(name.to_owned(), agent);
    }

    /// There are no agents any more.
    pub fn forget_agents(&self) {
        self.world.crew.agents.borrow_mut().clear();
    }

    /// What the router answered that is committed next, where it is not asked.
    pub fn set_routing(&self, job: JobKey, answer: Option<Value>) {
        self.with(job, |record| record.routing = answer);
    }

    /// The tool calls that an attempt which is not called asks for, at the step or item that `about` names.
    pub fn set_requests(&self, job: JobKey, about: &Value, requests: Vec<ToolCall>) {
        let place = self.look(job, |stored| steps::place_of(stored?, about));
        if let Some(place) = place {
            self.with(job, |record| record.requests.insert(place, requests));
        }
    }

    /// Chooses the steps of jobs without a plan: from the stored job and the caller's input, to
    /// `{ agent, input, tools, cost }`, or `None` where the job is done.
    pub fn set_router(&self, router: impl Fn(&Value, Option<&Value>) -> Option<Value> + 'static) {
        *self.world.crew.router.borrow_mut() = Some(Rc::new(router));
    }

    /// The calls of agents so far.
    pub fn calls(&self) -> Vec<AgentCall> {
        self.world.crew.calls.borrow().clone()
    }

    /// Answers for an agent that said [`Reply::Later`]. Gives whether anybody still waited for it.
    pub fn answer(&self, number: usize, reply: Reply) -> bool {
        let mut waiting = self.world.crew.waiting.borrow_mut();
        let Some(Waiting::ForAnswer(waker)) = waiting.remove(&number) else { return false };
        waiting.insert(number, Waiting::Answered(reply));
        drop(waiting);
        waker.wake();
        true
    }

    /// The calls that wait for an answer.
    pub fn unanswered(&self) -> Vec<usize> {
        let waiting = self.world.crew.waiting.borrow();
        waiting.iter().filter(|(_, it)| matches!(it, Waiting::ForAnswer(_))).map(|(n, _)| *n).collect()
    }

    /// The calls that were given up, and why.
    pub fn aborted(&self) -> Vec<(usize, Abort)> {
        self.world.crew.aborted.borrow().clone()
    }
}

/// One call of an agent.
pub struct MemoryAttempt {
    call: AgentCall,
    /// Why there is no input.
    problem: Option<String>,
}

impl Agents for MemoryHost {
    type Attempt = MemoryAttempt;

    fn find_agent(&self, job: JobKey, _step: StepIndex, name: &str) -> Result<Option<AgentFacts>, String> {
        if let Fate::Fail(error) = self.fate_of(HostCall::FindAgent(job)) {
            return Err(error);
        }
        Ok(self.world.crew.agents.borrow().get(name).map(|(_, facts)| *facts))
    }

    fn known_agents(&self) -> String {
        let agents = self.world.crew.agents.borrow();
        agents.keys().map(String::as_str).collect::<Vec<_>>().join(", ")
    }

    async fn route(&self, job: JobKey, input: Option<&Value>) -> Result<Routed, String> {
        let ask = || {
            let router = self.world.crew.router.borrow().clone();
            let Some(router) = router else { return Routed::NoRouter };
            let stored = self.job(job).unwrap_or(Value::Null);
            let answer = router(&stored, input);
            let routed = match &answer {
                Some(Value::Object(answer)) => Routed::Step(read_routed_step(answer)),
                _ => Routed::Done,
            };
            self.with(job, |record| record.routing = answer);
            routed
        };
        self.call(HostCall::Route(job), ask).await
    }

    fn read_context(&self, job: JobKey, _reads: Reads) -> Result<Value, String> {
        Ok(self
            .look(job, |stored| stored.and_then(|stored| stored.get("context")).cloned())
            .unwrap_or_default())
    }

    fn output_of(&self, job: JobKey, step: StepIndex) -> Value {
        self.look(job, |stored| stored.map(|stored| steps::output_at(stored, step))).unwrap_or_default()
    }

    fn list(&self, job: JobKey, expression: &Expr) -> Result<(Value, usize), String> {
        let none = Map::new();
        let list = self.look(job, |stored| steps::evaluate(expression, stored.unwrap_or(&none), None))?;
        match &list {
            Value::Array(items) => Ok((list.clone(), items.len())),
            other => Err(format!("it gives {other}, which is not a list")),
        }
    }

    fn outputs_of(&self, job: JobKey, items: FanOut) -> Value {
        let outputs = |stored: &Map<String, Value>| {
            items.places().map(|place| steps::output_at(stored, place)).collect()
        };
        self.look(job, |stored| stored.map(outputs)).unwrap_or_default()
    }

    fn signal_value(&self, job: JobKey, signal: &Signal) -> Value {
        let payload = self.look(job, |stored| {
            let sent = stored?.get("run")?.get("signals")?.as_array()?;
            sent.iter().find(|sent| sent["seq"] == signal.seq)?.get("payload").cloned()
        });
        json!({ "signal": *signal.name, "payload": payload })
    }

    fn prepare(&self, job: JobKey, step: StepIndex, attempt: u32, input: Input<'_>) -> MemoryAttempt {
        let crew = &self.world.crew;
        let number = crew.prepared.replace(crew.prepared.get() + 1);
        self.look(job, |stored| {
            let none = Map::new();
            let stored = stored.unwrap_or(&none);
            let (id, agent) = steps::step_of(stored, step);
            let (_, item) = form::planned_at(stored, step);
            let state_id = item.map_or_else(|| id.clone(), |item| item_id(&id, item as u32));
            let (input, problem) = match steps::input_of(stored, step, &state_id, &input) {
                Ok(input) => (input, None),
                Err(problem) => (Value::Null, Some(problem)),
            };
            let call = AgentCall {
                number,
                job,
                place: step,
                attempt,
                idempotency_key: steps::key_of(stored, step, &id),
                input,
                context: stored.get("context").cloned().unwrap_or_default(),
                granted: steps::grants_of(stored, &state_id),
                item,
                step: id,
                agent,
            };
            MemoryAttempt { call, problem }
        })
    }

    async fn run(&self, attempt: &MemoryAttempt) -> AgentResult<Value> {
        let call = &attempt.call;
        let reply = self.surely(HostCall::Run(call.job), || self.ask_agent(attempt)).await;
        let reply = match reply {
            Reply::Later => self.world.crew.answer_of(call.number).await,
            reply => reply,
        };
        match reply {
            Reply::Done { output, cost } => AgentResult::Done { output, cost },
            Reply::Failed { why, retryable, retry_after, cost } => {
                AgentResult::Failed { why, retryable, retry_after, cost }
            }
            Reply::Asks(requests) => {
                let calls = requests.len() as u32;
                self.with(call.job, |record| record.requests.insert(call.place, requests));
                AgentResult::NeedsApproval { calls }
            }
            Reply::Later => std::future::pending().await,
        }
    }

    fn abort(&self, attempt: &MemoryAttempt, why: Abort) {
        let number = attempt.call.number;
        self.world.crew.aborted.borrow_mut().push((number, why));
        self.world.crew.waiting.borrow_mut().remove(&number);
    }
}

impl MemoryHost {
    fn ask_agent(&self, attempt: &MemoryAttempt) -> Reply {
        let call = &attempt.call;
        self.world.crew.calls.borrow_mut().push(call.clone());
        if let Some(problem) = &attempt.problem {
            let why = Refusal::new(Code::AgentFailed, problem.clone());
            return Reply::Failed { why, retryable: false, retry_after: None, cost: None };
        }
        let agent = self.world.crew.agents.borrow().get(&call.agent).map(|(agent, _)| Rc::clone(agent));
        agent.map_or_else(|| Reply::failed("the agent is gone"), |agent| agent(call))
    }
}
