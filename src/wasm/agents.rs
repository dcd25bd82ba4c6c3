use std::cell::Cell;

use serde_json::Value;
use wasm_bindgen::{JsValue, prelude::wasm_bindgen};

use super::{
    JsHost,
    calls::call,
    input::{NO_STEP, evaluate, read_context, value_of},
    store::known,
};
use crate::{
    core::{
        job::Signal,
        logic::{Expr, Reads},
        outcome::{Code, Refusal},
        step::{FanOut, StepIndex},
        stored::read_routed_step,
    },
    host::{Abort, AgentFacts, AgentResult, Agents, Input, JobKey, Routed},
};

#[wasm_bindgen(raw_module = "./agents.js")]
extern "C" {
    /// The agent's own estimate; -1 where it has none, -2 where there is no such agent, -3 on an error.
    fn agent_find(job: u32, step: u32) -> f64;
    fn agent_names(engine: u32) -> String;
    fn agent_error(job: u32) -> JsValue;
    /// What the last round of a step gave.
    fn output_of_step(job: u32, step: u32) -> JsValue;
    /// What the items at these places gave.
    fn outputs_of_items(job: u32, first: u32, count: u32) -> JsValue;
    /// What a step gives that waited for the signal of this event.
    fn signal_value(job: u32, seq: f64) -> JsValue;

    fn rule_gave(job: u32, which: &str, gave: u32);

    fn router_ask(job: u32, call: u32, input: &JsValue) -> i32;
    /// JSON of the router's answer, without the input it gives.
    fn router_answer(job: u32) -> String;
}

#[wasm_bindgen(raw_module = "./context.js")]
extern "C" {
    /// Takes what an expression gives as a list: its length, or -1 where it is none.
    fn list_take(job: u32, given: &JsValue) -> i32;
    /// The list, or a sentence that says why it is none.
    fn list_taken(job: u32) -> JsValue;
}

#[wasm_bindgen(raw_module = "./attempt.js")]
extern "C" {
    fn attempt_prepare(job: u32, step: u32, number: u32, kind: u32, place: u32, given: &JsValue) -> u32;
    fn attempt_run(attempt: u32, call: u32) -> i32;
    /// The output of an attempt that is done, which is forgotten with that.
    fn attempt_take(attempt: u32) -> JsValue;
    fn attempt_cost(attempt: u32) -> f64;
    fn attempt_error_code(attempt: u32) -> u32;
    fn attempt_error(attempt: u32) -> String;
    /// How long the agent asks to wait before another attempt; NaN where it doesn't, -1 where none can help.
    fn attempt_retry_after(attempt: u32) -> f64;
    fn attempt_abort(attempt: u32, code: u32);
    fn attempt_forget(attempt: u32);
}

/// What `agent_find` answers.
const NO_ESTIMATE: f64 = -1.0;
const NO_AGENT: f64 = -2.0;

/// What `router_ask` answers.
const NO_ROUTER: i32 = 0;
const ROUTED_DONE: i32 = 1;
const ROUTED_STEP: i32 = 2;

/// What `attempt_run` answers; from `NEEDS_APPROVAL` on, the number of calls that need one is added.
const DONE_AT_COST: i32 = -1;
const DONE: i32 = 0;
const FAILED: i32 = 1;
const NEEDS_APPROVAL: i32 = 2;

/// What `attempt_prepare` is told of the input.
const COMPUTED: u32 = 0;
const OUTPUTS: u32 = 1;
const FROM_ROUTER: u32 = 2;
const UNCOMPUTABLE: u32 = 3;
const FROM_CALLER: u32 = 4;
const ITEM: u32 = 5;
const OUTPUT: u32 = 6;

/// One call of an agent; JavaScript keeps it under this number until its output is taken or it is dropped.
pub(crate) struct JsAttempt {
    number: u32,
    taken: Cell<bool>,
}

impl JsAttempt {
    fn take(&self) -> JsValue {
        self.taken.set(true);
        attempt_take(self.number)
    }
}

impl Drop for JsAttempt {
    fn drop(&mut self) {
        if !self.taken.get() {
            attempt_forget(self.number);
        }
    }
}

impl Agents for JsHost {
    type Attempt = JsAttempt;

    fn find_agent(&self, job: JobKey, step: StepIndex, _name: &str) -> Result<Option<AgentFacts>, JsValue> {
        match agent_find(job.0, step as u32) {
            cost if cost >= 0.0 => Ok(Some(AgentFacts { cost: Some(cost) })),
            NO_ESTIMATE => Ok(Some(AgentFacts { cost: None })),
            NO_AGENT => Ok(None),
            _ => Err(agent_error(job.0)),
        }
    }

    fn known_agents(&self) -> String {
        agent_names(self.engine)
    }

    async fn route(&self, job: JobKey, input: Option<&JsValue>) -> Result<Routed, JsValue> {
        let nothing = JsValue::UNDEFINED;
        let input = input.unwrap_or(&nothing);
        match call(|number| router_ask(job.0, number, input)).await {
            NO_ROUTER => Ok(Routed::NoRouter),
            ROUTED_DONE => Ok(Routed::Done),
            ROUTED_STEP => match serde_json::from_str(&router_answer(job.0)) {
                Ok(Value::Object(answer)) => Ok(Routed::Step(read_routed_step(&answer))),
                _ => Err(agent_error(job.0)),
            },
            _ => Err(agent_error(job.0)),
        }
    }

    fn read_context(&self, job: JobKey, reads: Reads) -> Result<Value, String> {
        read_context(job, NO_STEP, reads)
    }

    fn output_of(&self, job: JobKey, step: StepIndex) -> JsValue {
        output_of_step(job.0, step as u32)
    }

    fn list(&self, job: JobKey, expression: &Expr) -> Result<(JsValue, usize), String> {
        let given = evaluate(job, NO_STEP, expression)?;
        match usize::try_from(list_take(job.0, &given)) {
            Ok(count) => Ok((list_taken(job.0), count)),
            Err(_) => Err(list_taken(job.0).as_string().unwrap_or_default()),
        }
    }

    fn evaluated(&self, job: JobKey, which: &'static str, gave: usize) {
        rule_gave(job.0, which, gave as u32);
    }

    fn outputs_of(&self, job: JobKey, items: FanOut) -> JsValue {
        outputs_of_items(job.0, items.first as u32, items.count)
    }

    fn signal_value(&self, job: JobKey, signal: &Signal) -> JsValue {
        signal_value(job.0, signal.seq as f64)
    }

    fn prepare(&self, job: JobKey, step: StepIndex, number: u32, input: Input<'_>) -> JsAttempt {
        let mut place = 0;
        let (kind, value) = match input {
            Input::FromCaller => (FROM_CALLER, JsValue::UNDEFINED),
            Input::Item => (ITEM, JsValue::UNDEFINED),
            Input::OutputOf([]) => (COMPUTED, JsValue::NULL),
            Input::OutputOf([one]) => {
                place = *one as u32;
                (OUTPUT, JsValue::UNDEFINED)
            }
            Input::OutputOf(several) => (OUTPUTS, value_of(&several.into())),
            Input::FromRouter => (FROM_ROUTER, JsValue::UNDEFINED),
            Input::Expression(expression) => match evaluate(job, step as i32, expression) {
                Ok(value) => (COMPUTED, value),
                Err(problem) => (UNCOMPUTABLE, JsValue::from_str(&problem)),
            },
        };
        let number = attempt_prepare(job.0, step as u32, number, kind, place, &value);
        JsAttempt { number, taken: Cell::new(false) }
    }

    async fn run(&self, attempt: &JsAttempt) -> AgentResult<JsValue> {
        let number = attempt.number;
        match call(|call| attempt_run(number, call)).await {
            DONE => AgentResult::Done { output: attempt.take(), cost: None },
            DONE_AT_COST => {
                let cost = known(attempt_cost(number));
                AgentResult::Done { output: attempt.take(), cost }
            }
            FAILED => {
                let code = Code::ALL.get(attempt_error_code(number) as usize).copied();
                let wait = attempt_retry_after(number);
                AgentResult::Failed {
                    why: Refusal::new(code.unwrap_or(Code::Internal), attempt_error(number)),
                    retryable: wait != -1.0,
                    retry_after: known(wait),
                    cost: known(attempt_cost(number)),
                }
            }
            approvals => {
                AgentResult::NeedsApproval { calls: approvals.saturating_sub(NEEDS_APPROVAL) as u32 }
            }
        }
    }

    fn abort(&self, attempt: &JsAttempt, why: Abort) {
        attempt_abort(attempt.number, why.code() as u32);
    }
}
