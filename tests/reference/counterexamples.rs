//! Cases in which the engine and the reference once did not agree, made small and named.

use serde_json::{Value, json};

use crate::{
    case::{Ask, Attempt, Case, End, Move, Permissions, Play, Turn, Which},
    lockstep::agree_on,
};

/// A job of these steps that may do everything, whose agents do as they are told.
fn case(steps: Value, asked: &[Ask]) -> Case {
    Case {
        plan: json!({ "steps": steps }),
        context: json!({}),
        permissions: Permissions { tools: true, approval: false, max_steps: 9 },
        budget: None,
        estimate: None,
        script: Vec::new(),
        turns: asked.iter().map(|ask| Turn { what: Move::Ask(ask.clone()), crash: None }).collect(),
    }
}

#[track_caller]
fn agreed(case: &Case) {
    agree_on(case).unwrap_or_else(|problem| panic!("{problem}"));
}

fn signal(name: &str) -> Ask {
    Ask::Signal(name.to_owned(), json!(1))
}

#[test]
fn a_plan_of_every_kind_of_step() {
    let steps = json!([
        { "id": "ask", "approve": {} },
        { "id": "work", "agent": "worker", "repeat": { "until": { "var": "work" }, "max": 2 } },
        { "id": "pause", "wait": { "ms": 5 }, "after": ["ask"] },
        { "id": "news", "wait": { "signal": "go", "timeoutMs": 9 }, "onError": "continue" },
        { "id": "never", "agent": "worker", "when": false },
    ]);
    agreed(&case(steps, &[Ask::Start, Ask::Run(None)]));
}

#[test]
fn a_wait_that_has_begun_does_not_stop_at_a_breakpoint_set_later() {
    let steps = json!([{ "id": "news", "wait": { "signal": "go" } }]);
    let later = Ask::Breakpoints(vec!["news".to_owned()]);
    agreed(&case(steps, &[Ask::Start, Ask::Run(None), later, signal("go")]));
}

#[test]
fn a_signal_that_came_before_a_restart_ends_a_wait_with_a_timeout_at_once() {
    let steps = json!([{ "id": "news", "wait": { "signal": "go", "timeoutMs": 9 } }]);
    agreed(&case(steps, &[Ask::Start, Ask::Run(None), signal("go")]));
}

#[test]
fn a_question_is_in_history_although_the_job_ends_in_the_same_commit() {
    let steps = json!([
        { "id": "first", "agent": "worker", "approval": true },
        { "id": "other", "agent": "nobody", "after": [] },
    ]);
    agreed(&case(steps, &[Ask::Start, Ask::Run(None)]));
}

#[test]
fn what_waits_for_a_person_stops_at_a_new_breakpoint_when_it_is_answered_and_not_before() {
    let steps = json!([
        { "id": "first", "agent": "worker", "approval": true },
        { "id": "other", "agent": "worker", "after": [] },
    ]);
    let later = Ask::Breakpoints(vec!["first".to_owned()]);
    let mut case = case(steps, &[Ask::Start, Ask::Run(None), later]);
    case.turns.push(Turn { what: Move::Finish(vec![0]), crash: None });
    agreed(&case);
}

#[test]
fn a_wait_that_needs_approval_pauses_the_job_for_it() {
    let steps = json!([{ "id": "news", "wait": { "signal": "go" }, "approval": true }]);
    agreed(&case(steps, &[Ask::Start, Ask::Run(None)]));
}

#[test]
fn a_next_step_after_a_restart_is_not_one_that_waits_already() {
    let steps = json!([
        { "id": "news", "wait": { "signal": "go" } },
        { "id": "more", "wait": { "signal": "stop" }, "after": [], "breakpoint": true },
    ]);
    agreed(&case(steps, &[Ask::Start, Ask::Run(None), Ask::Start, Ask::Next(None)]));
}

#[test]
fn the_agent_of_a_step_that_ended_with_its_job_before_it_was_called_is_not_called() {
    let steps = json!([
        { "id": "first", "agent": "worker" },
        { "id": "other", "agent": "nobody", "after": [] },
    ]);
    agreed(&case(steps, &[Ask::Start, Ask::Run(None)]));
}

#[test]
fn nor_is_it_where_the_job_ends_a_decision_later() {
    let steps = json!([
        { "id": "first", "agent": "worker", "after": ["news"] },
        { "id": "news", "wait": { "signal": "go" }, "after": [] },
        { "id": "other", "wait": { "ms": 1 }, "when": { "+": ["x"] } },
    ]);
    agreed(&case(steps, &[Ask::Start, Ask::Run(None), signal("go")]));
}

#[test]
fn a_next_step_that_waits_for_a_person_pauses_a_job_whose_other_steps_do_too() {
    let steps = json!([
        { "id": "first", "agent": "worker", "approval": true },
        { "id": "other", "agent": "worker", "approval": true, "after": [] },
    ]);
    let asked = [Ask::Start, Ask::Next(None), Ask::Approve(Which::Listed(0), None), Ask::Next(None)];
    let mut case = case(steps, &asked);
    case.script = vec![asking("first")];
    agreed(&case);
}

/// An attempt that calls a tool which a person has to approve.
fn asking(step: &str) -> (Attempt, Play) {
    let attempt = Attempt { step: step.to_owned(), round: 1, number: 1 };
    let end = End::Gives { output: json!(1), cost: None };
    (attempt, Play { asks: vec!["pay".to_owned()], at_once: false, end })
}
