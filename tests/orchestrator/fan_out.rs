//! Steps that are done for each item of a list.

use jobwright::{core::outcome::Code, host::memory::Reply};
use serde_json::{Value, json};

use crate::{
    bench::{Bench, FREE, World, in_each_world},
    operation::{Gave, Op, refusal, step_of},
};

fn doubled(bench: &Bench) {
    bench.host.set_agent("double", |call| Reply::done(call.input.as_i64().map_or(-1, |n| n * 2)));
}

/// A step `list` that gives a list, and `work`, which is done for each of its items.
fn fanned(list: Value, more: Value) -> Value {
    let mut work = json!({ "id": "work", "agent": "double", "forEach": list });
    for (key, value) in more.as_object().unwrap() {
        work[key.as_str()] = value.clone();
    }
    json!([work, { "id": "last", "agent": "worker" }])
}

#[test]
fn each_item_is_an_attempt_of_its_own_and_the_outputs_are_a_list() {
    in_each_world(|bench| {
        doubled(bench);
        let key = bench.started(fanned(json!([3, 5, 7]), json!({})));
        assert_eq!(bench.go(key, Op::run()), Ok(Gave::Nothing));
        let job = bench.job(key);
        assert_eq!(job["context"], json!({ "work": [6, 10, 14], "last": "last" }));
        assert_eq!((job["status"].as_str(), job["run"]["stepsTaken"].as_u64()), (Some("completed"), Some(2)));
        assert_eq!(bench.step(key, "work")["fanOut"], json!({ "place": 2, "count": 3 }));
        assert_eq!(bench.step(key, "work[1]")["status"], "done");
        let keys: Vec<String> = bench.host.calls().into_iter().map(|call| call.idempotency_key).collect();
        assert_eq!(keys, ["job:work:0", "job:work:1", "job:work:2", "job:last"]);
        assert_eq!(bench.host.calls()[3].input, json!([6, 10, 14]));
        assert_eq!(bench.payloads(key, "step_started")[0]["items"], json!([3, 5, 7]));
        let items = bench.payloads(key, "item_completed");
        assert_eq!(
            items.iter().map(|it| (it["item"].as_u64(), it["step"].as_str())).collect::<Vec<_>>(),
            [(Some(0), Some("work")), (Some(1), Some("work")), (Some(2), Some("work"))]
        );
    });
}

#[test]
fn the_plans_concurrency_holds_for_items_too() {
    in_each_world(|bench| {
        bench.host.set_agent("double", |_| Reply::Later);
        let key = bench.started(fanned(json!([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]), json!({})));
        let run = bench.begin(key, Op::run());
        assert_eq!(bench.host.unanswered().len(), 8);
        assert!(bench.host.answer(4, Reply::done("four")));
        bench.settle();
        assert_eq!(bench.host.unanswered().len(), 8);
        assert_eq!(bench.step(key, "work[4]")["status"], "done");
        while let Some(&number) = bench.host.unanswered().last() {
            bench.host.answer(number, Reply::done(number));
            bench.settle();
        }
        assert_eq!(run.take(), Some(Ok(Gave::Nothing)));
        assert_eq!(bench.job(key)["context"]["work"], json!([0, 1, 2, 3, "four", 5, 6, 7, 8, 9, 10]));
    });
}

#[test]
fn an_empty_list_gives_an_empty_list() {
    in_each_world(|bench| {
        doubled(bench);
        let key = bench.started(fanned(json!([]), json!({})));
        assert_eq!(bench.go(key, Op::run()), Ok(Gave::Nothing));
        assert_eq!(bench.job(key)["context"], json!({ "work": [], "last": "last" }));
    });
}

#[test]
fn next_step_does_all_items_of_its_step() {
    in_each_world(|bench| {
        doubled(bench);
        let key = bench.started(fanned(json!([1, 2]), json!({})));
        let report = step_of(bench.go(key, Op::next()));
        assert_eq!((&*report.id, report.output), ("work", Some(json!([2, 4]))));
        assert_eq!(&*step_of(bench.go(key, Op::next())).id, "last");
    });
}

#[test]
fn what_is_no_list_fails_the_step() {
    in_each_world(|bench| {
        doubled(bench);
        let key = bench.started(fanned(json!({ "var": "nothing" }), json!({})));
        let message =
            "The \"forEach\" of step \"work\" can't be computed: it gives null, which is not a list";
        assert_eq!(bench.go(key, Op::run()), refusal(Code::AgentFailed, message));
        assert_eq!(bench.status(key), "failed");
    });
}

#[test]
fn the_retries_of_an_item_are_its_own() {
    in_each_world(|bench| {
        bench.host.set_agent("double", |call| {
            if call.item == Some(1) && call.attempt < 3 {
                Reply::failed("again")
            } else {
                Reply::done(call.attempt)
            }
        });
        let retry = json!({ "retry": { "maxAttempts": 3, "backoffMs": 100 } });
        let key = bench.started(fanned(json!(["a", "b"]), retry));
        let run = bench.begin(key, Op::run());
        assert_eq!(bench.step(key, "work[0]")["status"], "done");
        assert_eq!(bench.step(key, "work[1]")["dueAt"], 100.0);
        bench.pass_all();
        assert_eq!(run.take(), Some(Ok(Gave::Nothing)));
        assert_eq!(bench.job(key)["context"]["work"], json!([1, 3]));
        assert_eq!(bench.payloads(key, "item_failed").len(), 2);
    });
}

#[test]
fn an_item_that_fails_for_good_fails_the_job() {
    in_each_world(|bench| {
        bench.host.set_agent("double", |call| match call.item {
            Some(1) => Reply::failed("broken"),
            _ => Reply::Later,
        });
        let key = bench.started(fanned(json!([0, 1, 2]), json!({})));
        assert_eq!(bench.go(key, Op::run()), refusal(Code::AgentFailed, "broken"));
        assert_eq!(bench.step(key, "work")["error"]["message"], "broken");
        for item in ["work[0]", "work[2]"] {
            assert_eq!(bench.step(key, item)["error"]["code"], "cancelled");
        }
        assert_eq!(
            bench.history(key)[1..],
            [
                "job_started",
                "step_started",
                "item_started",
                "item_started",
                "item_started",
                "item_failed",
                "step_failed",
                "item_failed",
                "item_failed",
                "job_failed"
            ]
        );
    });
}

#[test]
fn under_continue_a_failed_item_leaves_null_in_its_place() {
    in_each_world(|bench| {
        bench.host.set_agent("double", |call| match call.item {
            Some(1) => Reply::failed("broken"),
            item => Reply::done(item),
        });
        let key = bench.started(fanned(json!([0, 1, 2]), json!({ "onError": "continue" })));
        assert_eq!(bench.go(key, Op::run()), Ok(Gave::Nothing));
        assert_eq!(bench.job(key)["context"]["work"], json!([0, null, 2]));
        assert_eq!(bench.step(key, "work")["status"], "done");
        assert_eq!(bench.step(key, "work[1]")["status"], "failed");
    });
}

#[test]
fn a_person_is_asked_once_for_the_step_and_for_each_tool_call_of_an_item() {
    in_each_world(|bench| {
        bench.host.set_agent("double", |call| {
            if call.granted.is_empty() {
                Reply::asks("send", call.input.clone())
            } else {
                Reply::done(call.item)
            }
        });
        let more = json!({ "approval": true, "tools": ["send"] });
        let key = bench.started(fanned(json!(["a", "b"]), more));
        assert_eq!(bench.go(key, Op::run()), refusal(Code::ApprovalRequired, "Approval required"));
        assert_eq!(bench.go(key, Op::approve()), Ok(Gave::Nothing));
        assert_eq!(bench.go(key, Op::run()), refusal(Code::ApprovalRequired, "Approval required"));
        let asked = bench.job(key)["run"]["approvals"].clone();
        assert_eq!(
            (&asked[0]["item"], &asked[1]["item"], &asked[1]["args"]),
            (&json!(0), &json!(1), &json!("b"))
        );
        for approval in asked.as_array().unwrap() {
            let id = approval["id"].as_str().unwrap().to_owned();
            let answer = jobwright::orchestrator::Answer { approval: Some(id), ..Default::default() };
            assert_eq!(bench.go(key, Op::Approve(answer)), Ok(Gave::Nothing));
        }
        assert_eq!(bench.go(key, Op::run()), Ok(Gave::Nothing));
        assert_eq!(bench.job(key)["context"]["work"], json!([0, 1]));
        assert_eq!(bench.host.calls().iter().filter(|call| call.item.is_some()).count(), 4);
    });
}

#[test]
fn items_see_themselves_and_their_number() {
    in_each_world(|bench| {
        bench.host.set_agent("double", |call| Reply::done(call.input.clone()));
        let input = json!({ "input": { "name": { "var": "item.name" }, "at": { "var": "index" } } });
        let key = bench.started(fanned(
            json!([{ "preserve": { "name": "a" } }, { "preserve": { "name": "b" } }]),
            input,
        ));
        assert_eq!(bench.go(key, Op::run()), Ok(Gave::Nothing));
        assert_eq!(
            bench.job(key)["context"]["work"],
            json!([{ "name": "a", "at": 0 }, { "name": "b", "at": 1 }])
        );
    });
}

#[test]
fn what_was_committed_of_the_items_is_not_done_again_after_a_crash() {
    for world in crate::bench::WORLDS {
        let bench = Bench::new(world);
        bench.host.set_agent("double", |call| {
            if call.item == Some(1) { Reply::Later } else { Reply::done(call.item) }
        });
        let key = bench.started(fanned(json!([0, 1, 2]), json!({})));
        let _run = bench.begin(key, Op::run());
        let before = bench.host.calls().len();
        let bench = bench.crash();
        bench.host.set_agent("double", |call| Reply::done(call.item));
        assert_eq!(bench.go(key, Op::run()), Ok(Gave::Nothing));
        let again = &bench.host.calls()[before..];
        assert_eq!(
            again.iter().map(|call| (call.item, call.attempt)).collect::<Vec<_>>(),
            [(Some(1), 1), (None, 1)]
        );
        assert_eq!(again[0].idempotency_key, "job:work:1");
        assert_eq!(bench.job(key)["context"]["work"], json!([0, 1, 2]));
    }
}

#[test]
fn items_go_before_the_steps_that_come_later_in_the_plan() {
    in_each_world(|bench| {
        doubled(bench);
        let each = json!({ "id": "work", "agent": "double", "forEach": [1, 2], "after": ["first"] });
        let plan = json!([
            { "id": "first", "agent": "worker" }, each, { "id": "other", "agent": "worker", "after": ["first"] },
        ]);
        let key = bench.create("job", Some(plan), FREE);
        bench.go(key, Op::Start).unwrap();
        assert_eq!(bench.go(key, Op::run()), Ok(Gave::Nothing));
        let called: Vec<String> = bench.called().into_iter().map(|(step, _)| step).collect();
        assert_eq!(called, ["first", "work", "work", "other"]);
    });
}

#[test]
fn a_budget_that_refuses_an_item_pauses_the_job_between_items() {
    let bench = Bench::new(World::Restored);
    doubled(&bench);
    let key = bench.started(fanned(json!([1, 2, 3]), json!({ "cost": 2 })));
    bench.host.set_budget(Some(5.0));
    assert!(bench.go(key, Op::run()).is_err());
    assert_eq!((bench.status(key).as_str(), bench.host.calls().len()), ("paused", 2));
    bench.host.set_budget(Some(9.0));
    assert_eq!(bench.go(key, Op::Start), Ok(Gave::Nothing));
    assert_eq!(bench.go(key, Op::run()), Ok(Gave::Nothing));
    assert_eq!(bench.job(key)["context"]["work"], json!([2, 4, 6]));
}

#[test]
fn what_ends_in_the_same_turn_is_noted_in_the_order_of_the_plan() {
    in_each_world(|bench| {
        bench.host.set_agent("double", |_| Reply::Later);
        let plan = json!([
            { "id": "work", "agent": "double", "forEach": [1, 2] }, { "id": "other", "agent": "double", "after": [] },
        ]);
        let key = bench.started(plan);
        let run = bench.begin(key, Op::run());
        for number in [1, 2, 0] {
            bench.host.answer(number, Reply::done(number));
        }
        bench.settle();
        assert_eq!(run.take(), Some(Ok(Gave::Nothing)));
        let ended: Vec<String> =
            bench.history(key).into_iter().filter(|name| name.ends_with("completed")).collect();
        assert_eq!(
            ended,
            ["item_completed", "item_completed", "step_completed", "step_completed", "job_completed"]
        );
        let order = bench.payloads(key, "step_completed");
        assert_eq!((&order[0]["step"], &order[1]["step"]), (&json!("other"), &json!("work")));
        let seq = |name: &str, step: &str| {
            let job = bench.job(key);
            let history = job["history"].as_array().unwrap().clone();
            history.iter().find(|it| it["type"] == name && it["payload"]["step"] == step).unwrap()["seq"]
                .as_u64()
        };
        assert!(seq("item_completed", "work") < seq("step_completed", "other"));
    });
}
