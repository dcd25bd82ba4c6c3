//! Cases in which the engine and the reference once did not agree, made small and named.

use serde_json::{Value, json};

use crate::{
    case::{Ask, Attempt, Case, Crash, End, Move, Permissions, Play, Turn, Which, Who},
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
        turns: asked
            .iter()
            .map(|ask| Turn { what: Move::Ask(Who::Root, ask.clone()), crash: None })
            .collect(),
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
    let attempt = Attempt { step: step.to_owned(), item: None, round: 1, number: 1 };
    let end = End::Gives { output: json!(1), cost: None };
    (attempt, Play { asks: vec!["pay".to_owned()], at_once: false, end })
}

#[test]
fn an_item_takes_no_input_from_the_caller() {
    let steps = json!([{ "id": "each", "agent": "worker", "forEach": [1, 2] }]);
    agreed(&case(steps, &[Ask::Start, Ask::Run(Some(json!("given")))]));
}

/// A step that runs a job of one step, beside whatever comes before it.
fn child(id: &str, step: Value) -> Value {
    json!({ "id": id, "job": { "plan": { "steps": [step] } }, "after": [] })
}

#[test]
fn a_child_that_can_not_go_on_is_taken_up_again_by_the_next_run_and_not_by_this_one() {
    let steps = json!([
        child("first", json!({ "id": "news", "wait": { "signal": "go" } })),
        child("other", json!({ "id": "ask", "approve": {} })),
    ]);
    let mut case = case(steps, &[Ask::Start, Ask::Run(None)]);
    for (place, ask) in [(1, Ask::Approve(Which::Only, None)), (0, signal("go"))] {
        case.turns.push(Turn { what: Move::Ask(Who::Child(place), ask), crash: None });
    }
    agreed(&case);
}

#[test]
fn a_child_that_ended_because_its_parent_did_is_no_late_result() {
    let steps = json!([child("only", json!({ "id": "news", "wait": { "signal": "go" } }))]);
    for end in [Ask::Fail, Ask::Complete, Ask::Cancel] {
        agreed(&case(steps.clone(), &[Ask::Start, Ask::Run(None), end]));
    }
}

#[test]
fn a_child_is_paused_with_its_parent_whatever_pauses_that() {
    let steps = json!([
        child("first", json!({ "id": "news", "wait": { "signal": "go" } })),
        { "id": "stop", "approve": {}, "after": [], "breakpoint": true },
    ]);
    agreed(&case(steps, &[Ask::Start, Ask::Run(None)]));
}

#[test]
fn a_child_is_paused_with_its_parent_although_no_other_step_may_begin() {
    let steps = json!([child("only", json!({ "id": "news", "wait": { "signal": "go" } }))]);
    let mut case = case(steps, &[Ask::Start, Ask::Run(None), Ask::Pause]);
    case.plan["concurrency"] = 1.into();
    agreed(&case);
}

#[test]
fn a_child_that_begins_as_its_parent_is_paused_does_not_start() {
    let steps = json!([
        child("first", json!({ "id": "news", "wait": { "signal": "go" } })),
        { "id": "other", "agent": "worker", "after": [] },
    ]);
    let mut case = case(steps, &[Ask::Start, Ask::Run(None)]);
    case.permissions.max_steps = 1;
    agreed(&case);
}

#[test]
fn a_question_is_withdrawn_when_the_items_of_its_step_begin_without_an_answer() {
    let steps = json!([{ "id": "each", "agent": "worker", "forEach": [] }]);
    let free = Ask::Permit(Permissions { tools: true, approval: false, max_steps: 9 });
    let mut case = case(steps, &[Ask::Start, Ask::Run(None), free, Ask::Start, Ask::Run(None)]);
    case.permissions.approval = true;
    agreed(&case);
}

#[test]
fn a_step_whose_items_have_ended_is_not_asked_about_again() {
    let steps = json!([{ "id": "each", "agent": "worker", "forEach": [1], "tools": ["search"] }]);
    let strict = Ask::Permit(Permissions { tools: false, approval: true, max_steps: 0 });
    for later in [strict, Ask::Breakpoints(vec!["each".to_owned()])] {
        let asked = [Ask::Start, Ask::Run(None), later, Ask::Pause];
        let mut case = case(steps.clone(), &asked);
        case.turns.push(Turn { what: Move::Finish(vec![0]), crash: None });
        case.turns.push(Turn { what: Move::Ask(Who::Root, Ask::Start), crash: None });
        case.turns.push(Turn { what: Move::Ask(Who::Root, Ask::Run(None)), crash: None });
        agreed(&case);
    }
}

#[test]
fn a_next_step_whose_child_waits_for_a_person_does_not_wait_for_the_signal_of_another_step() {
    let steps = json!([
        child("first", json!({ "id": "ask", "approve": {} })),
        { "id": "news", "wait": { "signal": "go" }, "after": [] },
    ]);
    let asked = [Ask::Start, Ask::Run(None), Ask::Next(None)];
    agreed(&case(steps, &asked));
}

#[test]
fn a_child_whose_parent_ended_just_before_a_crash_is_left_as_it_was() {
    let steps = json!([child("only", json!({ "id": "news", "wait": { "signal": "go" } }))]);
    let mut case = case(steps, &[Ask::Start, Ask::Run(None), Ask::Complete, Ask::Run(None)]);
    case.turns[2].crash = Some(Crash { call: 3, done: false });
    agreed(&case);
}

#[test]
fn a_wait_is_drawn_in_a_child_that_has_just_been_made() {
    let retry = json!({ "maxAttempts": 2, "jitter": 0.5 });
    let steps = json!([child("only", json!({ "id": "work", "agent": "worker", "retry": retry }))]);
    let mut case = case(steps, &[Ask::Start, Ask::Run(None)]);
    let attempt = Attempt { step: "work".to_owned(), item: None, round: 1, number: 1 };
    let end = End::Fails { code: "agent_failed", retryable: true, retry_after: None, cost: None };
    case.script = vec![(attempt, Play { asks: Vec::new(), at_once: true, end })];
    agreed(&case);
}

#[test]
fn a_step_that_is_rejected_after_its_child_began_takes_that_with_it() {
    for on_error in ["fail", "continue"] {
        let mut steps = json!([child("only", json!({ "id": "ask", "approve": {} }))]);
        steps[0]["onError"] = on_error.into();
        let strict = Ask::Permit(Permissions { tools: true, approval: true, max_steps: 9 });
        let asked = [Ask::Start, Ask::Run(None), strict, Ask::Run(None), Ask::Reject(Which::Only)];
        agreed(&case(steps, &asked));
    }
}

#[test]
fn whose_child_was_refused_by_the_budget_is_told_so_although_another_child_ends_later() {
    let steps = json!([
        child("first", json!({ "id": "work", "agent": "worker", "cost": 4 })),
        child("other", json!({ "id": "work", "agent": "worker" })),
    ]);
    let mut case = case(steps, &[Ask::Start, Ask::Run(None)]);
    case.budget = Some(2.0);
    agreed(&case);
}

#[test]
fn a_next_step_goes_on_with_all_items_that_a_crash_cut_off() {
    let plan = json!({ "steps": [{ "id": "work", "agent": "worker" }] });
    let steps = json!([{ "id": "each", "job": { "plan": plan }, "forEach": [1, 2, 3] }]);
    let mut case = case(steps, &[Ask::Start, Ask::Run(None)]);
    case.turns.push(Turn { what: Move::Crash, crash: None });
    case.turns.push(Turn { what: Move::Ask(Who::Root, Ask::Next(None)), crash: None });
    case.turns.push(Turn { what: Move::Pass(4.0), crash: None });
    agreed(&case);
}

#[test]
fn a_child_that_the_budget_stopped_and_that_failed_then_has_failed() {
    let each = json!({ "id": "each", "agent": "worker", "cost": 2, "forEach": [1, 2] });
    let steps = json!([child("only", each)]);
    let mut case = case(steps, &[Ask::Start, Ask::Run(None)]);
    case.budget = Some(2.0);
    let attempt = Attempt { step: "each".to_owned(), item: Some(0), round: 1, number: 1 };
    let end = End::Fails { code: "agent_failed", retryable: false, retry_after: None, cost: None };
    case.script = vec![(attempt, Play { asks: Vec::new(), at_once: false, end })];
    agreed(&case);
}

#[test]
fn a_child_that_ends_in_the_turn_of_its_parent_is_no_late_result_however_deep_it_goes() {
    let inner = json!([{ "id": "x", "job": { "plan": { "steps": [{ "id": "c", "agent": "worker" }] } } },
        { "id": "10", "agent": "worker", "after": [] }]);
    let steps = json!([
        { "id": "b.c", "agent": "worker" },
        { "id": "c", "job": { "plan": { "steps": inner } }, "after": [] },
    ]);
    let mut case = case(steps, &[Ask::Start, Ask::Run(None)]);
    let end = End::Fails { code: "invalid_output", retryable: true, retry_after: None, cost: None };
    case.script = ["b.c", "10"]
        .into_iter()
        .map(|step| {
            let attempt = Attempt { step: step.to_owned(), item: None, round: 1, number: 1 };
            (attempt, Play { asks: Vec::new(), at_once: true, end: end.clone() })
        })
        .collect();
    agreed(&case);
}

#[test]
fn a_run_that_was_stopped_and_has_paused_its_children_does_not_look_again_where_no_step_may_begin() {
    let steps = json!([
        { "id": "x", "job": { "plan": { "steps": [{ "id": "10", "agent": "worker" }] } } },
        { "id": "10", "agent": "worker", "after": [] },
    ]);
    let mut case = case(steps, &[Ask::Start, Ask::Run(None), Ask::StopRun, Ask::Start]);
    case.plan["concurrency"] = 2.into();
    agreed(&case);
}

#[test]
fn a_child_is_narrowed_when_it_starts_where_a_crash_came_between_its_parent_and_it() {
    let steps = json!([child("m", json!({ "id": "10", "wait": { "ms": 0 }, "approval": true }))]);
    let mut case = case(steps, &[Ask::Start, Ask::Next(None)]);
    let strict = Permissions { tools: true, approval: true, max_steps: 9 };
    let crash = Some(Crash { call: 2, done: false });
    case.turns.push(Turn { what: Move::Ask(Who::Root, Ask::Permit(strict)), crash });
    case.turns.push(Turn { what: Move::Ask(Who::Child(0), Ask::Start), crash: None });
    agreed(&case);
}
