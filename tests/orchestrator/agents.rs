//! Agents that fail in every way, never answer, or answer too late; what a step is given, and gives.

use jobwright::{
    core::{
        outcome::{Code, Refusal},
        status::JobStatus,
        step::StepStatus,
    },
    host::{Abort, memory::Reply},
    orchestrator::StepReport,
};
use serde_json::{Value, json};

use crate::{
    bench::{FREE, in_each_world, steps},
    operation::{Gave, Op, refusal, refused, step_of},
};

fn badly(code: Code, message: &'static str, retryable: bool) -> Reply {
    Reply::Failed { why: Refusal::new(code, message), retryable, retry_after: None, cost: None }
}

#[test]
fn a_step_is_reported_and_recorded() {
    in_each_world(|bench| {
        bench.host.set_agent("worker", |_| Reply::Later);
        let key = bench.started(steps(&["one", "two"]));
        let step = bench.begin(key, Op::NextStep(Some(json!("go"))));
        bench.pass(7.0);
        bench.host.answer(0, Reply::Done { output: json!({ "is": "done" }), cost: Some(2.5) });
        bench.settle();
        let report = StepReport {
            step: 0,
            id: "one".into(),
            agent: Some("worker".into()),
            status: StepStatus::Done,
            output: Some(json!({ "is": "done" })),
            attempts: 1,
            duration_ms: 7.0,
        };
        assert_eq!(step.take(), Some(Ok(Gave::Step(JobStatus::Running, Some(report)))));
        let payload = json!({
            "jobId": "job", "step": "one", "agent": "worker", "attempt": 1, "status": "done",
            "output": { "is": "done" }, "cost": 2.5,
        });
        assert_eq!(bench.payloads(key, "step_completed"), [payload]);
        assert_eq!(bench.job(key)["context"]["one"], json!({ "is": "done" }));
        assert_eq!(bench.announced(), ["job_started", "step_started", "step_completed"]);
    });
}

#[test]
fn the_last_step_completes_the_job_with_it() {
    in_each_world(|bench| {
        let key = bench.started(steps(&["one"]));
        let Ok(Gave::Step(status, Some(report))) = bench.go(key, Op::next()) else { panic!("a step") };
        assert_eq!((status, report.status), (JobStatus::Completed, StepStatus::Done));
        assert_eq!(bench.history(key)[3..], ["step_completed", "job_completed"]);
        let commits = bench.job(key)["run"]["revision"].as_u64().unwrap();
        let each = bench.job(key)["history"][3]["trace"]["spanId"]
            == bench.job(key)["history"][4]["trace"]["parentId"];
        assert!(commits >= 4 && each, "the step's end is what caused the job's");
    });
}

#[test]
fn a_plan_without_steps_completes_at_once() {
    in_each_world(|bench| {
        let key = bench.started(json!([]));
        assert_eq!(bench.go(key, Op::next()), Ok(Gave::Step(JobStatus::Completed, None)));
    });
}

#[test]
fn an_agent_that_fails_fails_its_job() {
    for (code, message, retryable) in [
        (Code::AgentFailed, "no", true),
        (Code::AgentFailed, "never", false),
        (Code::InvalidOutput, "not JSON", true),
        (Code::Internal, "", false),
    ] {
        in_each_world(|bench| {
            bench.host.set_agent("worker", move |_| badly(code, message, retryable));
            for op in [Op::next(), Op::run()] {
                let key = bench.create(&format!("{op:?}"), Some(steps(&["one", "two"])), FREE);
                bench.go(key, Op::Start).unwrap();
                assert_eq!(bench.go(key, op), refusal(code, message));
                let failure = json!({ "code": code.name(), "message": message, "step": "one" });
                assert_eq!(
                    (bench.status(key).as_str(), &bench.job(key)["run"]["failure"]),
                    ("failed", &failure)
                );
                assert_eq!(bench.step(key, "one")["status"], "failed");
                assert_eq!(bench.history(key)[3..], ["step_failed", "job_failed"]);
            }
        });
    }
}

#[test]
fn an_agent_that_never_answers_is_out_of_time() {
    in_each_world(|bench| {
        bench.host.set_agent("worker", |_| Reply::Later);
        let key = bench.started(json!([{ "id": "one", "agent": "worker", "timeoutMs": 50 }]));
        let run = bench.begin(key, Op::run());
        bench.pass(49.0);
        assert!(!run.has_ended());
        bench.pass(1.0);
        assert_eq!(run.take(), Some(refusal(Code::Timeout, "Step \"one\" timed out after 50 ms")));
        assert_eq!(bench.host.aborted(), [(0, Abort::Timeout)]);
        assert!(!bench.host.answer(0, Reply::done(1)), "what it still answers is late");
        let before = bench.seen(key);
        bench.now(async move |engine| engine.record_late_result(key, 0).await).unwrap();
        assert_eq!(bench.history(key).last().unwrap(), "late_result_dropped");
        assert_ne!(bench.seen(key), before);
        assert_eq!((bench.job(key)["context"].clone(), bench.host.timers()), (json!({}), 0));
    });
}

#[test]
fn an_agent_that_answers_in_time_leaves_no_timer() {
    in_each_world(|bench| {
        let key = bench.started(json!([{ "id": "one", "agent": "worker", "timeoutMs": 50 }]));
        bench.go(key, Op::run()).unwrap();
        assert_eq!((bench.status(key).as_str(), bench.host.timers()), ("completed", 0));
    });
}

#[test]
fn an_agent_of_a_job_that_ends_is_told_and_not_heard() {
    let ends = [
        (Op::Cancel, Code::Cancelled, "Job cancelled", "failed"),
        (Op::Fail, Code::AgentFailed, "Job failed", "failed"),
        (Op::CompleteAsFailed, Code::NotRunning, "Job failed", "failed"),
    ];
    for (end, code, message, status) in ends {
        for op in [Op::next(), Op::run()] {
            in_each_world(|bench| {
                bench.host.set_agent("worker", |_| Reply::Later);
                let key = bench.started(steps(&["one", "two"]));
                let run = bench.begin(key, op.clone());
                bench.go(key, end.clone()).unwrap();
                assert_eq!(run.take(), Some(refusal(code, message)), "{end:?} {op:?}");
                assert_eq!(bench.host.aborted(), [(0, Abort::Cancelled)]);
                assert_eq!((bench.status(key).as_str(), bench.called().len()), (status, 1));
                let error = json!({ "code": "cancelled", "message": "Job cancelled" });
                assert_eq!(bench.step(key, "one")["error"], error);
                assert_eq!((bench.host.answer(0, Reply::done(1)), bench.host.held()), (false, 0));
            });
        }
    }
}

#[test]
fn a_job_that_its_caller_completes_gives_up_its_step() {
    in_each_world(|bench| {
        bench.host.set_agent("worker", |_| Reply::Later);
        let key = bench.started(steps(&["one", "two"]));
        let run = bench.begin(key, Op::run());
        bench.go(key, Op::Complete).unwrap();
        assert_eq!(
            (run.take(), bench.host.aborted()),
            (Some(Ok(Gave::Nothing)), vec![(0, Abort::Cancelled)])
        );
        assert_eq!(
            (bench.status(key).as_str(), &bench.step(key, "one")["status"]),
            ("completed", &json!("failed"))
        );
    });
}

#[test]
fn an_answer_and_the_end_of_the_job_in_one_turn() {
    in_each_world(|bench| {
        bench.host.set_agent("worker", |_| Reply::Later);
        let key = bench.started(steps(&["one", "two"]));
        let step = bench.begin(key, Op::next());
        // The agent has answered, and before that is looked at the job is cancelled.
        bench.host.answer(0, Reply::done(1));
        let cancelled = bench.begin(key, Op::Cancel);
        assert!(step.has_ended() && cancelled.has_ended());
        let done = bench.history(key).iter().filter(|name| *name == "step_completed").count();
        let failed = bench.history(key).iter().filter(|name| *name == "step_failed").count();
        assert_eq!((done + failed, bench.status(key).as_str()), (1, "failed"));
    });
}

#[test]
fn what_a_closed_orchestrator_was_doing_is_given_up_and_goes_on_elsewhere() {
    in_each_world(|bench| {
        bench.host.set_agent("worker", |_| Reply::Later);
        let key = bench.started(steps(&["one"]));
        let run = bench.begin(key, Op::run());
        let before = bench.seen(key);
        bench.engine.close();
        bench.settle();
        assert_eq!(run.take(), Some(refused(Code::Closed)));
        assert_eq!(bench.host.aborted(), [(0, Abort::Closed)]);
        for op in [Op::Start, Op::Pause, Op::Cancel, Op::next(), Op::run(), Op::Recover] {
            assert_eq!(bench.go(key, op), refused(Code::Closed));
        }
        assert_eq!((bench.seen(key), bench.host.held()), (before, 0));
        let next = crate::bench::Bench::on(bench.host.clone(), crate::bench::World::Straight);
        assert_eq!(next.go(key, Op::Recover), Ok(Gave::Resumed(vec![key])));
        next.host.set_agent("worker", |_| Reply::done(2));
        next.go(key, Op::run()).unwrap();
        assert_eq!(next.called(), [("one".to_owned(), 1), ("one".to_owned(), 1)]);
        assert_eq!(next.status(key), "completed");
    });
}

#[test]
fn each_step_is_given_what_the_plan_the_caller_or_the_step_before_says() {
    in_each_world(|bench| {
        let key = bench.started(json!([
            { "id": "one", "agent": "worker", "into": "first" },
            { "id": "two", "agent": "worker" },
            { "id": "three", "agent": "worker", "input": { "was": { "var": "first" } } },
        ]));
        bench.host.set_agent("worker", |call| Reply::done(json!([call.input.clone()])));
        bench.go(key, Op::Run(Some(json!("given")))).unwrap();
        let inputs: Vec<Value> = bench.host.calls().into_iter().map(|call| call.input).collect();
        assert_eq!(inputs, [json!("given"), json!(["given"]), json!({ "was": ["given"] })]);
    });
}

#[test]
fn an_input_that_cant_be_computed_fails_its_step_for_good() {
    in_each_world(|bench| {
        let key = bench.started(json!([{
            "id": "one", "agent": "worker", "input": { "/": [1, 0] }, "retry": { "maxAttempts": 3 },
        }]));
        let failed = bench.go(key, Op::run());
        assert!(
            matches!(failed, Err(jobwright::orchestrator::Stop::Refused(refusal)) if refusal.code == Code::AgentFailed)
        );
        assert_eq!((bench.status(key).as_str(), bench.called().len()), ("failed", 1));
    });
}

#[test]
fn a_router_names_one_step_after_the_other() {
    in_each_world(|bench| {
        bench.host.set_router(|job, input| match job["run"]["stepsTaken"].as_u64().unwrap_or(0) {
            0 => Some(json!({ "agent": "worker", "input": { "saw": input } })),
            1 => Some(json!({ "agent": "worker" })),
            _ => None,
        });
        bench.host.set_agent("worker", |call| Reply::done(call.input.clone()));
        let key = bench.create("job", None, FREE);
        bench.go(key, Op::Start).unwrap();
        let first = step_of(bench.go(key, Op::NextStep(Some(json!(1)))));
        assert_eq!((&*first.id, first.output), ("worker#1", Some(json!({ "saw": 1 }))));
        let second = step_of(bench.go(key, Op::next()));
        assert_eq!((&*second.id, second.output), ("worker#2", Some(json!({ "saw": 1 }))));
        assert_eq!(bench.go(key, Op::next()), Ok(Gave::Step(JobStatus::Completed, None)));
        assert_eq!(bench.job(key)["context"], json!({ "worker": { "saw": 1 } }));
        let names = bench.history(key);
        assert_eq!(names[..3], ["job_started", "job_created", "step_started"]);
    });
}

#[test]
fn the_budget_is_asked_once_a_step_and_told_what_it_cost() {
    use jobwright::{
        core::step::Hold,
        host::memory::Entry::{Hold as Held, MayStart, Spent},
    };
    in_each_world(|bench| {
        bench.host.set_budget(Some(10.0));
        bench.host.set_agent_that_costs("worker", Some(3.0), |call| match call.attempt {
            1 => Reply::failed("again"),
            _ if call.step == "one" => Reply::Done { output: Value::Null, cost: Some(1.0) },
            _ => Reply::done(0),
        });
        let retry = json!({ "maxAttempts": 2, "backoffMs": 0 });
        let key = bench.started(json!([
            { "id": "one", "agent": "worker", "retry": retry }, { "id": "two", "agent": "worker", "retry": retry, "cost": 4 },
        ]));
        bench.go(key, Op::run()).unwrap();
        let first = |step| Hold { step, round: 1 };
        let book = [
            MayStart(key),
            Held(key, first(0), 3.0),
            Spent(key, first(0), 1.0),
            Held(key, first(1), 4.0),
            Spent(key, first(1), 4.0),
        ];
        assert_eq!(bench.host.book(), book);
        assert_eq!((bench.host.budget(), bench.host.held()), (Some(5.0), 0));
    });
}
