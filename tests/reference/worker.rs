//! The agent of all steps: it goes by the script.

use jobwright::{
    core::outcome::{Code, Refusal},
    host::memory::{AgentCall, Reply, ToolCall},
};
use serde_json::{Value, json};

use crate::{
    case::{Attempt, Case, End, Play},
    interpreter::Call,
};

#[derive(Default)]
pub struct Calls {
    pub made: Vec<Call>,
    /// By idempotency key.
    pub unanswered: Vec<(Call, usize)>,
}

/// The item and the round that an idempotency key names: `parent:step`, `parent:step:number`, where the parent is
/// a job or the key of the step that runs it.
fn item_and_round(plan: &Value, key: &str) -> (Option<usize>, u64) {
    let mut parts = key.split(':').skip(1);
    let mut plan = plan;
    let mut found = (None, 1);
    while let Some(id) = parts.next() {
        let steps = plan["steps"].as_array().expect("steps");
        let step = steps.iter().find(|step| step["id"] == id).expect("a known step");
        let mut number = || parts.next().and_then(|part| part.parse::<u64>().ok()).expect("a number");
        found = match (step.get("forEach"), step.get("repeat")) {
            (Some(_), _) => (Some(number() as usize), 1),
            (None, Some(_)) => (None, number()),
            (None, None) => (None, 1),
        };
        plan = &step["job"]["plan"];
    }
    found
}

/// What an agent answers, by the script.
pub fn answer(script: &Case, call: &AgentCall, calls: &mut Calls) -> Reply {
    let (item, round) = item_and_round(&script.plan, &call.idempotency_key);
    let attempt = Attempt { step: call.step.clone(), item, round, number: u64::from(call.attempt) };
    let made = Call {
        key: call.idempotency_key.clone(),
        attempt,
        input: call.input.clone(),
        context: call.context.clone(),
        granted: call.granted.iter().map(|granted| granted.tool.clone()).collect(),
    };
    let play = script.play(&made.attempt);
    calls.made.push(made.clone());
    if play.at_once {
        return reply(&play, &made.granted);
    }
    calls.unanswered.retain(|(other, _)| other.key != made.key);
    calls.unanswered.push((made, call.number));
    Reply::Later
}

pub fn reply(play: &Play, granted: &[String]) -> Reply {
    let asks = play.asks.iter().filter(|tool| !granted.contains(tool));
    let asks: Vec<ToolCall> = asks.map(|tool| ToolCall { tool: tool.clone(), args: json!(1) }).collect();
    if !asks.is_empty() {
        return Reply::Asks(asks);
    }
    match play.end.clone() {
        End::Gives { output, cost } => Reply::Done { output, cost },
        End::Fails { code, retryable, retry_after, cost } => {
            let code = Code::from_name(code).expect("a code");
            Reply::Failed { why: Refusal::new(code, "as the script says"), retryable, retry_after, cost }
        }
    }
}
