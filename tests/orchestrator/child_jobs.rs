//! Steps that are jobs of their own.

use jobwright::{
    core::outcome::Code,
    host::{
        JobKey,
        memory::{Fate, Reply},
    },
    orchestrator::CancelResult,
};
use serde_json::{Value, json};

use crate::{
    bench::{Bench, FREE, WORLDS, World, in_each_world, steps},
    operation::{Gave, Op, refusal, step_of},
};

fn parent_of(steps: Value, more: Value) -> Value {
    let mut step = json!({ "id": "sub", "job": { "plan": { "steps": steps }, "context": { "from": { "var": "before" } } } });
    for (key, value) in more.as_object().unwrap() {
        step[key.as_str()] = value.clone();
    }
    json!([{ "id": "before", "agent": "worker" }, step, { "id": "last", "agent": "worker" }])
}

fn child(bench: &Bench) -> JobKey {
    bench.host.enter("job:sub")
}

#[test]
fn a_child_job_runs_and_its_context_is_the_output() {
    in_each_world(|bench| {
        let key = bench.started(parent_of(steps(&["a", "b"]), json!({})));
        assert_eq!(bench.go(key, Op::run()), Ok(Gave::Nothing));
        let job = bench.job(key);
        assert_eq!(job["context"]["sub"], json!({ "from": "before", "a": "a", "b": "b" }));
        assert_eq!(job["run"]["stepsTaken"], 3);
        let child = bench.job(child(bench));
        assert_eq!((&child["status"], &child["parentId"]), (&json!("completed"), &json!("job")));
        assert_eq!(bench.host.calls()[3].input, job["context"]["sub"]);
    });
}

#[test]
fn however_many_children_a_job_makes_it_is_read_once() {
    let reads_of = |count: usize| {
        let bench = Bench::new(World::Straight);
        let child = json!({ "plan": { "steps": [{ "id": "a", "agent": "worker" }] } });
        let list = vec![0; count];
        let key = bench.started(json!([{ "id": "sub", "forEach": { "preserve": list }, "job": child }]));
        assert_eq!(bench.go(key, Op::run()), Ok(Gave::Nothing));
        assert_eq!(bench.job(bench.host.enter("job:sub:0"))["status"], "completed");
        (bench.host.runs_read(key), bench.host.runs_read(bench.host.enter("job:sub:0")))
    };
    assert_eq!(reads_of(2), reads_of(30));
    assert_eq!(reads_of(30), (2, 0), "when it is started, and when it is run");
}

#[test]
fn a_child_that_fails_fails_its_step() {
    in_each_world(|bench| {
        bench.host.set_agent("bad", |_| Reply::failed("broken"));
        let key = bench.started(parent_of(json!([{ "id": "a", "agent": "bad" }]), json!({})));
        let message = "Child job \"job:sub\" failed: broken";
        assert_eq!(bench.go(key, Op::run()), refusal(Code::AgentFailed, message));
        assert_eq!(bench.status(key), "failed");
    });
}

#[test]
fn a_child_that_fails_under_continue_leaves_null() {
    in_each_world(|bench| {
        bench.host.set_agent("bad", |_| Reply::failed("broken"));
        let key = bench
            .started(parent_of(json!([{ "id": "a", "agent": "bad" }]), json!({ "onError": "continue" })));
        assert_eq!(bench.go(key, Op::run()), Ok(Gave::Nothing));
        assert_eq!(bench.job(key)["context"]["sub"], Value::Null);
    });
}

#[test]
fn a_child_that_waits_for_a_person_lets_its_parent_say_so_and_go_on_later() {
    in_each_world(|bench| {
        let key = bench.started(parent_of(json!([{ "id": "ok", "approve": {} }]), json!({})));
        let asked = refusal(Code::ApprovalRequired, "Child job \"job:sub\": Approval required");
        assert_eq!(bench.go(key, Op::run()), asked);
        assert_eq!(
            (bench.status(key).as_str(), &bench.step(key, "sub")["status"]),
            ("running", &json!("waiting"))
        );
        assert_eq!(bench.go(key, Op::run()), asked);
        assert_eq!(bench.go(key, Op::next()), asked);
        assert_eq!(bench.go(child(bench), Op::approve()), Ok(Gave::Nothing));
        assert_eq!(bench.go(key, Op::run()), Ok(Gave::Nothing));
        assert_eq!(bench.job(key)["context"]["sub"]["ok"], json!({ "by": "unknown" }));
        assert_eq!(bench.step(key, "sub")["attempts"], 1);
    });
}

#[test]
fn next_step_runs_the_whole_child() {
    in_each_world(|bench| {
        let key = bench.started(parent_of(steps(&["a", "b"]), json!({})));
        step_of(bench.go(key, Op::next()));
        let report = step_of(bench.go(key, Op::next()));
        assert_eq!((&*report.id, report.attempts), ("sub", 1));
        assert_eq!(bench.called().len(), 3);
    });
}

#[test]
fn a_paused_parent_pauses_its_child_and_starts_it_again() {
    in_each_world(|bench| {
        bench.host.set_agent("slow", |_| Reply::Later);
        let key = bench.started(parent_of(
            json!([{ "id": "a", "agent": "slow" }, { "id": "b", "agent": "worker" }]),
            json!({}),
        ));
        let run = bench.begin(key, Op::run());
        assert_eq!(bench.begin(key, Op::Pause).take(), Some(Ok(Gave::Nothing)));
        assert_eq!(bench.job(child(bench))["run"]["pause"], json!({ "reason": "parent" }));
        assert!(run.take().is_none());
        bench.host.answer(1, Reply::done("slowly"));
        bench.settle();
        assert_eq!(run.take(), Some(refusal(Code::NotRunning, "Job paused")));
        assert_eq!(bench.called().len(), 2);
        assert_eq!(bench.go(key, Op::Start), Ok(Gave::Nothing));
        assert_eq!(bench.go(key, Op::run()), Ok(Gave::Nothing));
        assert_eq!(bench.job(key)["context"]["sub"]["a"], "slowly");
    });
}

#[test]
fn to_cancel_a_parent_cancels_the_tree_and_tells_its_agents() {
    in_each_world(|bench| {
        bench.host.set_agent("slow", |_| Reply::Later);
        let inner =
            json!([{ "id": "deep", "job": { "plan": { "steps": [{ "id": "a", "agent": "slow" }] } } }]);
        let key = bench.started(parent_of(inner, json!({})));
        let run = bench.begin(key, Op::run());
        let (middle, deep) = (child(bench), bench.host.enter("job:sub:deep"));
        assert_eq!(bench.status(deep), "running");
        let cancelled = bench.begin(key, Op::Cancel).take();
        let each = |job| (job, CancelResult::Cancelled);
        assert_eq!(cancelled, Some(Ok(Gave::Cancelled(vec![each(key), each(middle), each(deep)]))));
        assert_eq!(run.take(), Some(refusal(Code::Cancelled, "Job cancelled")));
        for job in [key, middle, deep] {
            assert_eq!(bench.job(job)["run"]["failure"]["code"], "cancelled");
        }
        assert_eq!(bench.host.aborted().len(), 1);
    });
}

#[test]
fn a_parent_that_fails_cancels_the_children_under_way() {
    in_each_world(|bench| {
        bench.host.set_agent("slow", |_| Reply::Later);
        let plan = json!([
            { "id": "sub", "job": { "plan": { "steps": [{ "id": "a", "agent": "slow" }] } } },
            { "id": "bad", "agent": "slow", "after": [] },
        ]);
        let key = bench.started(plan);
        let run = bench.begin(key, Op::run());
        bench.host.answer(1, Reply::failed("broken"));
        bench.host.answer(0, Reply::failed("broken"));
        bench.settle();
        assert!(matches!(run.take(), Some(Err(_))));
        assert_eq!((bench.status(key).as_str(), bench.status(child(bench)).as_str()), ("failed", "failed"));
    });
}

#[test]
fn a_child_that_takes_too_long_is_cancelled() {
    in_each_world(|bench| {
        bench.host.set_agent("slow", |_| Reply::Later);
        let key =
            bench.started(parent_of(json!([{ "id": "a", "agent": "slow" }]), json!({ "timeoutMs": 50 })));
        let run = bench.begin(key, Op::run());
        bench.pass_all();
        assert_eq!(run.take(), Some(refusal(Code::Timeout, "Step \"sub\" timed out after 50 ms")));
        assert_eq!(bench.job(child(bench))["run"]["failure"]["code"], "cancelled");
        assert_eq!(bench.host.aborted().len(), 1);
    });
}

#[test]
fn a_crash_makes_no_second_child() {
    for world in WORLDS {
        let bench = Bench::new(world);
        bench.host.set_agent("slow", |_| Reply::Later);
        let plan = json!([{ "id": "a", "agent": "worker" }, { "id": "b", "agent": "slow" }]);
        let key = bench.started(parent_of(plan, json!({})));
        let _run = bench.begin(key, Op::run());
        let bench = bench.crash();
        bench.host.set_agent("slow", |_| Reply::done("now"));
        let before = bench.called().len();
        assert_eq!(bench.go(key, Op::run()), Ok(Gave::Nothing));
        let after: Vec<_> = bench.called()[before..].to_vec();
        assert_eq!(after, [("b".to_owned(), 1), ("last".to_owned(), 1)]);
    }
}

#[test]
fn a_crash_that_leaves_children_of_a_job_that_failed_is_made_good() {
    let cases = [
        ("job:sub", json!({})),
        ("job:sub:0", json!({ "forEach": [7] })),
        ("job:sub:1", json!({ "repeat": { "until": true, "max": 2 } })),
    ];
    for world in WORLDS {
        for (id, more) in &cases {
            let bench = Bench::new(world);
            bench.host.set_agent("slow", |_| Reply::Later);
            bench.host.set_agent("bad", |_| Reply::failed("broken"));
            let mut sub =
                json!({ "id": "sub", "job": { "plan": { "steps": [{ "id": "a", "agent": "slow" }] } } });
            for (key, value) in more.as_object().unwrap() {
                sub[key.as_str()] = value.clone();
            }
            let late = json!({ "id": "late", "wait": { "ms": 5 }, "after": [] });
            let key = bench.started(json!([sub, late, { "id": "bad", "agent": "bad" }]));
            let _run = bench.begin(key, Op::run());
            let host = bench.host.clone();
            // Nothing is stored any more once the parent has failed.
            bench.host.choose_fates(move |_| match host.job(key) {
                Some(job) if job["status"] == "failed" => Fate::Never,
                _ => Fate::Go,
            });
            bench.pass_all();
            let bench = bench.crash();
            let left = bench.host.enter(id);
            assert_eq!(
                (bench.status(key).as_str(), bench.status(left).as_str()),
                ("failed", "running"),
                "{id}"
            );
            assert_eq!(bench.go(key, Op::Recover), Ok(Gave::Resumed(vec![])), "{id}");
            assert_eq!(bench.job(left)["run"]["failure"]["code"], "cancelled", "{id}");
        }
    }
}

#[test]
fn children_of_a_list_get_their_item() {
    in_each_world(|bench| {
        bench.host.set_agent("echo", |call| Reply::done(call.context["item"].clone()));
        let plan = json!([{
            "id": "sub", "forEach": ["x", "y"],
            "job": { "plan": { "steps": [{ "id": "a", "agent": "echo" }] } },
        }]);
        let key = bench.started(plan);
        assert_eq!(bench.go(key, Op::run()), Ok(Gave::Nothing));
        let context = bench.job(key)["context"]["sub"].clone();
        assert_eq!(
            context,
            json!([{ "item": "x", "index": 0, "a": "x" }, { "item": "y", "index": 1, "a": "y" }])
        );
        assert_eq!(bench.status(bench.host.enter("job:sub:1")), "completed");
    });
}

#[test]
fn a_child_may_do_no_more_than_its_parent() {
    in_each_world(|bench| {
        let mut plan = parent_of(steps(&["a", "b", "c"]), json!({}));
        plan[1]["job"]["permissions"] =
            json!({ "maxSteps": 2, "requireApproval": false, "allowTools": true });
        let key = bench.create("job", Some(plan), FREE);
        bench.go(key, Op::Start).unwrap();
        let limited = refusal(Code::StepLimit, "Child job \"job:sub\": Step limit reached");
        assert_eq!(bench.go(key, Op::run()), limited);
        assert_eq!(bench.job(child(bench))["permissions"]["maxSteps"], 2);
    });
}

#[test]
fn a_job_that_stands_in_the_childs_place_is_left_alone() {
    in_each_world(|bench| {
        let key = bench.started(parent_of(steps(&["a"]), json!({})));
        bench.create("job:sub", Some(steps(&["mine"])), FREE);
        let message = "A job \"job:sub\" exists, and is not this step's";
        assert_eq!(bench.go(key, Op::run()), refusal(Code::Conflict, message));
        assert_eq!(bench.status(child(bench)), "created");
    });
}

#[test]
fn a_child_whose_parent_has_ended_is_not_started() {
    in_each_world(|bench| {
        let key = bench.started(parent_of(json!([{ "id": "ok", "approve": {} }]), json!({})));
        bench.go(key, Op::run()).unwrap_err();
        let mut late = bench.host.job(child(bench)).unwrap().as_object().unwrap().clone();
        late["status"] = "created".into();
        bench.go(key, Op::Cancel).unwrap();
        bench.host.put(child(bench), Some(late));
        bench.engine.forget(child(bench));
        let refused = refusal(Code::InvalidTransition, "The parent job has ended");
        assert_eq!(bench.go(child(bench), Op::Start), refused);
    });
}

#[test]
fn a_tree_is_cancelled_whatever_answers_late() {
    in_each_world(|bench| {
        bench.host.set_agent("slow", |_| Reply::Later);
        bench.host.choose_fates(|_| Fate::Later(1));
        let key = bench.started(parent_of(json!([{ "id": "a", "agent": "slow" }]), json!({})));
        let run = bench.begin(key, Op::run());
        assert_eq!(bench.status(child(bench)), "running");
        let cancelled = bench.begin(key, Op::Cancel).take();
        let each = |job| (job, CancelResult::Cancelled);
        assert_eq!(cancelled, Some(Ok(Gave::Cancelled(vec![each(key), each(child(bench))]))));
        assert_eq!(run.take(), Some(refusal(Code::Cancelled, "Job cancelled")));
    });
}

#[test]
fn a_parent_that_ends_cancels_the_children_that_wait() {
    for (op, ends_as) in [(Op::Fail, "failed"), (Op::Complete, "completed"), (Op::CompleteAsFailed, "failed")]
    {
        in_each_world(|bench| {
            let key = bench.started(parent_of(json!([{ "id": "ok", "approve": {} }]), json!({})));
            bench.go(key, Op::run()).unwrap_err();
            assert_eq!(bench.go(key, op.clone()), Ok(Gave::Nothing));
            assert_eq!(bench.status(key), ends_as);
            assert_eq!(bench.job(child(bench))["run"]["failure"]["code"], "cancelled");
        });
    }
    in_each_world(|bench| {
        bench.host.set_agent("bad", |_| Reply::failed("broken"));
        let plan = json!([
            { "id": "sub", "job": { "plan": { "steps": [{ "id": "ok", "approve": {} }] } } },
            { "id": "later", "wait": { "ms": 50 }, "after": [] }, { "id": "bad", "agent": "bad" },
        ]);
        let key = bench.started(plan);
        let run = bench.begin(key, Op::run());
        assert_eq!(bench.status(child(bench)), "paused");
        bench.pass_all();
        assert_eq!(run.take(), Some(refusal(Code::AgentFailed, "broken")));
        assert_eq!(bench.job(child(bench))["run"]["failure"]["code"], "cancelled");
    });
}

#[test]
fn each_child_that_waits_for_a_person_is_looked_at_once_a_run() {
    in_each_world(|bench| {
        let list = json!([0, 1, 2, 3, 4, 5, 6, 7, 8]);
        let child = json!({ "plan": { "steps": [{ "id": "ok", "approve": {} }] } });
        let key = bench.started(json!([{ "id": "sub", "forEach": list, "job": child }]));
        let asked = refusal(Code::ApprovalRequired, "Child job \"job:sub:8\": Approval required");
        assert_eq!(bench.go(key, Op::run()), asked);
        let history = bench.job(key)["history"].clone();
        let suspended = history.as_array().unwrap().iter().filter(|event| event["type"] == "step_suspended");
        assert_eq!(suspended.count(), 9);
        for item in 0..9 {
            let child = bench.host.enter(&format!("job:sub:{item}"));
            assert_eq!(bench.go(child, Op::approve()), Ok(Gave::Nothing));
        }
        assert_eq!(bench.go(key, Op::run()), Ok(Gave::Nothing));
    });
}
