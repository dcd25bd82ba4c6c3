//! Questions to a person: about a step, about a tool call; and breakpoints.

use jobwright::{
    core::{outcome::Code, permissions::PermissionPatch},
    host::memory::{Reply, ToolCall},
    orchestrator::Answer,
};
use serde_json::{Value, json};

use crate::{
    bench::{FREE, in_each_world, steps},
    operation::{Gave, Op, refusal, refused},
};

const ASKS: PermissionPatch =
    PermissionPatch { allow_tools: Some(true), require_approval: Some(true), max_steps: Some(1_000) };

fn answer(approval: Option<&str>, step: Option<&str>) -> Answer {
    let text = |it: Option<&str>| it.map(str::to_owned);
    Answer {
        approval: text(approval),
        step: text(step),
        by: Some("Ada".to_owned()),
        note: Some("fine".to_owned()),
    }
}

#[test]
fn a_step_is_approved_by_somebody_and_runs() {
    in_each_world(|bench| {
        let key = bench.create("job", Some(steps(&["one", "two"])), ASKS);
        bench.go(key, Op::Start).unwrap();
        assert_eq!(bench.go(key, Op::run()), refused(Code::ApprovalRequired));
        let waiting = json!([{ "id": "one:3", "step": "one", "agent": "worker" }]);
        assert_eq!(bench.job(key)["run"]["approvals"], waiting);
        assert_eq!(bench.step(key, "one")["status"], "waiting");
        bench.go(key, Op::Approve(answer(None, Some("one")))).unwrap();
        let state = bench.step(key, "one");
        assert_eq!((state["status"].as_str(), state["approvedBy"].as_str()), (Some("pending"), Some("Ada")));
        let said = &bench.payloads(key, "step_approved")[0];
        assert_eq!(
            (&said["approval"], &said["by"], &said["note"]),
            (&json!("one:3"), &json!("Ada"), &json!("fine"))
        );
        assert_eq!((bench.status(key).as_str(), bench.called().len()), ("running", 0));
        assert_eq!(bench.go(key, Op::run()), refused(Code::ApprovalRequired), "each step is asked about");
        assert_eq!(bench.called(), [("one".to_owned(), 1)]);
        bench.go(key, Op::approve()).unwrap();
        bench.go(key, Op::run()).unwrap();
        assert_eq!(bench.status(key), "completed");
    });
}

#[test]
fn a_step_that_is_rejected_fails_its_job() {
    for (by, note, message) in [
        (None, None, "Step rejected"),
        (Some("Ada"), None, "Step rejected by Ada"),
        (Some("Ada"), Some("too dear"), "too dear"),
    ] {
        in_each_world(|bench| {
            let key = bench.create("job", Some(steps(&["one"])), ASKS);
            bench.go(key, Op::Start).unwrap();
            let _ = bench.go(key, Op::run());
            let words = |it: Option<&str>| it.map(str::to_owned);
            let no = Answer { by: words(by), note: words(note), ..Answer::default() };
            bench.go(key, Op::Reject(no)).unwrap();
            assert_eq!(bench.go(key, Op::run()), refusal(Code::Rejected, message));
            assert_eq!((bench.status(key).as_str(), bench.called().len()), ("failed", 0));
            assert_eq!(bench.step(key, "one")["error"], json!({ "code": "rejected", "message": message }));
            assert_eq!(bench.job(key)["run"]["approvals"], json!([]));
        });
    }
}

#[test]
fn the_wrong_answer_to_a_question_changes_nothing() {
    in_each_world(|bench| {
        let key = bench.create("job", Some(steps(&["one", "two"])), ASKS);
        bench.go(key, Op::Start).unwrap();
        let _ = bench.go(key, Op::run());
        let before = bench.seen(key);
        for (wrong, code, message) in [
            (answer(None, Some("six")), Code::UnknownStep, "Unknown step \"six\""),
            (answer(None, Some("two")), Code::InvalidTransition, "Step \"two\" is not waiting for approval"),
            (answer(Some("one:9"), None), Code::InvalidTransition, "No approval \"one:9\" is waiting"),
            (answer(Some("one:3"), Some("two")), Code::InvalidTransition, "No approval \"one:3\" is waiting"),
        ] {
            assert_eq!(bench.go(key, Op::Approve(wrong.clone())), refusal(code, message));
            assert_eq!(bench.go(key, Op::Reject(wrong)), refusal(code, message));
        }
        assert_eq!(bench.seen(key), before);
    });
}

#[test]
fn a_job_that_is_started_without_an_answer_asks_again_but_not_twice() {
    in_each_world(|bench| {
        let key = bench.create("job", Some(steps(&["one"])), ASKS);
        bench.go(key, Op::Start).unwrap();
        for _ in 0..3 {
            assert_eq!(bench.go(key, Op::run()), refused(Code::ApprovalRequired));
            bench.go(key, Op::Start).unwrap();
        }
        assert_eq!(bench.payloads(key, "approval_requested").len(), 1);
        bench.go(key, Op::permit(false)).unwrap();
        bench.go(key, Op::run()).unwrap();
        let state = (bench.status(key), bench.job(key)["run"]["approvals"].clone());
        assert_eq!(
            state,
            ("completed".to_owned(), json!([])),
            "a question that nobody asks any more is withdrawn"
        );
    });
}

#[test]
fn an_approval_in_a_job_that_a_person_paused_does_not_start_it() {
    in_each_world(|bench| {
        let key = bench.create("job", Some(steps(&["one"])), ASKS);
        for op in [Op::Start, Op::run(), Op::Start, Op::Pause, Op::approve()] {
            let _ = bench.go(key, op);
        }
        assert_eq!(bench.status(key), "paused");
        bench.go(key, Op::Start).unwrap();
        bench.go(key, Op::run()).unwrap();
        assert_eq!(bench.status(key), "completed");
    });
}

#[test]
fn time_that_a_person_needs_is_nobodys() {
    in_each_world(|bench| {
        let plan = json!([{ "id": "one", "agent": "worker", "approval": true, "timeoutMs": 10 }]);
        let key = bench.started(plan);
        assert_eq!(bench.go(key, Op::run()), refused(Code::ApprovalRequired));
        assert_eq!((bench.host.timers(), bench.host.held()), (0, 0));
        bench.pass(1_000_000.0);
        bench.go(key, Op::approve()).unwrap();
        bench.go(key, Op::run()).unwrap();
        assert_eq!(bench.status(key), "completed");
    });
}

/// An agent that needs to search for `what`, each with a person's approval.
/// Found by the simulation: the job ended with a question that nobody could answer any more.
#[test]
fn a_question_about_a_step_that_fails_meanwhile_is_withdrawn() {
    in_each_world(|bench| {
        let steps = json!([
            { "id": "a", "agent": "worker", "after": [], "approval": true, "tools": ["search"], "onError": "continue" },
            { "id": "b", "wait": { "signal": "go" }, "after": [] },
        ]);
        let key = bench.create("job", Some(steps), FREE);
        bench.go(key, Op::Start).unwrap();
        let run = bench.begin(key, Op::run());
        bench
            .go(key, Op::SetPermissions(PermissionPatch { allow_tools: Some(false), ..Default::default() }))
            .unwrap();
        bench.go(key, Op::Signal("go")).unwrap();
        run.take().expect("a run that is over").unwrap();
        assert_eq!(bench.status(key), "completed");
        assert_eq!(bench.step(key, "a")["error"]["code"], "tools_denied");
        assert_eq!(bench.job(key)["run"]["approvals"], json!([]));
    });
}

fn searcher(what: &'static [&'static str]) -> impl Fn(&jobwright::host::memory::AgentCall) -> Reply {
    move |call| {
        let search = |args: &str| ToolCall { tool: "search".to_owned(), args: args.into() };
        let missing: Vec<ToolCall> =
            what.iter().map(|args| search(args)).filter(|wanted| !call.granted.contains(wanted)).collect();
        if missing.is_empty() { Reply::done("found") } else { Reply::Asks(missing) }
    }
}

fn grantees() -> Value {
    json!([{ "id": "one", "agent": "searcher", "tools": ["search"], "retry": { "maxAttempts": 3 } }])
}

#[test]
fn a_tool_call_that_is_approved_passes_in_the_same_attempt() {
    in_each_world(|bench| {
        bench.host.set_agent("searcher", searcher(&["cats"]));
        let key = bench.started(grantees());
        let given = Op::Run(Some(json!("given")));
        assert_eq!(bench.go(key, given), refused(Code::ApprovalRequired));
        let waiting =
            json!([{ "id": "one:4", "step": "one", "agent": "searcher", "tool": "search", "args": "cats" }]);
        assert_eq!((&bench.job(key)["run"]["approvals"], bench.host.held()), (&waiting, 0));
        bench.go(key, Op::approve()).unwrap();
        bench.go(key, Op::run()).unwrap();
        assert_eq!(bench.called(), [("one".to_owned(), 1), ("one".to_owned(), 1)]);
        let calls = bench.host.calls();
        assert!(calls[0].input == calls[1].input && calls[0].idempotency_key == calls[1].idempotency_key);
        assert_eq!(
            (bench.status(key).as_str(), &bench.job(key)["run"]["stepsTaken"]),
            ("completed", &json!(1))
        );
    });
}

#[test]
fn several_tool_calls_are_answered_each_on_its_own() {
    in_each_world(|bench| {
        bench.host.set_agent("searcher", searcher(&["cats", "dogs"]));
        let key = bench.started(grantees());
        assert_eq!(bench.go(key, Op::run()), refused(Code::ApprovalRequired));
        let several = "Several approvals are waiting; name one: one:4, one:5";
        assert_eq!(bench.go(key, Op::approve()), refusal(Code::InvalidTransition, several));
        bench.go(key, Op::Approve(answer(Some("one:5"), None))).unwrap();
        assert_eq!(bench.go(key, Op::run()), refused(Code::ApprovalRequired), "the other still waits");
        assert_eq!(bench.called().len(), 1);
        bench.go(key, Op::approve()).unwrap();
        bench.go(key, Op::run()).unwrap();
        assert_eq!((bench.called().len(), bench.status(key).as_str()), (2, "completed"));
    });
}

#[test]
fn a_tool_call_that_is_rejected_fails_the_step() {
    in_each_world(|bench| {
        bench.host.set_agent("searcher", searcher(&["cats", "dogs"]));
        let key = bench.started(grantees());
        let _ = bench.go(key, Op::run());
        bench.go(key, Op::Reject(answer(Some("one:4"), None))).unwrap();
        assert_eq!((bench.status(key).as_str(), &bench.job(key)["run"]["approvals"]), ("failed", &json!([])));
        assert_eq!(bench.payloads(key, "step_failed").len(), 1);
    });
}

#[test]
fn a_tool_call_that_asks_while_a_person_pauses_is_asked_about_all_the_same() {
    in_each_world(|bench| {
        bench.host.set_agent("searcher", |_| Reply::Later);
        let key = bench.started(grantees());
        let run = bench.begin(key, Op::run());
        bench.go(key, Op::Pause).unwrap();
        bench.host.answer(0, Reply::asks("search", json!("cats")));
        bench.settle();
        assert_eq!(run.take(), Some(refusal(Code::NotRunning, "Job paused")));
        assert_eq!(bench.job(key)["run"]["approvals"].as_array().unwrap().len(), 1);
        bench.host.set_agent("searcher", searcher(&["cats"]));
        bench.go(key, Op::approve()).unwrap();
        assert_eq!(bench.status(key), "paused");
        bench.go(key, Op::Start).unwrap();
        bench.go(key, Op::run()).unwrap();
        assert_eq!((bench.status(key).as_str(), bench.called().len()), ("completed", 2));
    });
}

#[test]
fn a_breakpoint_stops_before_its_step_once() {
    in_each_world(|bench| {
        let key = bench.started(json!([
            { "id": "one", "agent": "worker" }, { "id": "two", "agent": "worker", "breakpoint": true },
        ]));
        let words = refusal(Code::NotRunning, "Paused at the breakpoint before step \"two\"");
        assert_eq!(bench.go(key, Op::run()), words.clone());
        assert_eq!(bench.go(key, Op::run()), words, "it says so as long as it is paused");
        assert_eq!(bench.called().len(), 1);
        bench.go(key, Op::Start).unwrap();
        assert_eq!(bench.go(key, Op::run()), Ok(Gave::Nothing));
        assert_eq!(
            (bench.status(key).as_str(), &bench.step(key, "two")["breakpointPassed"]),
            ("completed", &json!(true))
        );
    });
}

#[test]
fn a_breakpoint_that_was_passed_is_passed_however_long_the_step_waits_after_it() {
    in_each_world(|bench| {
        let key = bench.create(
            "job",
            Some(json!([{ "id": "one", "agent": "worker", "breakpoint": true, "cost": 3 }])),
            PermissionPatch { require_approval: Some(true), ..FREE },
        );
        bench.host.set_budget(Some(1.0));
        for op in [Op::Start, Op::run(), Op::Start, Op::run(), Op::approve(), Op::run()] {
            let _ = bench.go(key, op);
        }
        assert_eq!(bench.job(key)["run"]["pause"]["reason"], "budget");
        bench.host.set_budget(Some(3.0));
        bench.go(key, Op::Start).unwrap();
        assert_eq!(bench.go(key, Op::run()), Ok(Gave::Nothing));
    });
}
