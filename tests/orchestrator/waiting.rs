//! Everything that waits for the clock: retries, slow play, and what makes them give way.

use std::rc::Rc;

use jobwright::{
    core::{
        outcome::{Code, Refusal},
        plan,
    },
    host::memory::Reply,
    orchestrator::NewJob,
};
use serde_json::json;

use crate::{
    bench::{Bench, FREE, World, in_each_world, steps},
    operation::{Gave, Op, refusal, refused, step_of},
};

fn retried(attempts: u32) -> serde_json::Value {
    json!([{ "id": "one", "agent": "worker", "retry": { "maxAttempts": attempts, "backoffMs": 100, "maxBackoffMs": 350 } }])
}

fn that_fails(bench: &Bench, attempts: u32) {
    bench.host.set_agent("worker", move |call| {
        if call.attempt <= attempts { Reply::failed("not yet") } else { Reply::done(call.attempt) }
    });
}

#[test]
fn a_failed_attempt_is_made_again_after_longer_and_longer_waits() {
    in_each_world(|bench| {
        that_fails(bench, 4);
        let key = bench.started(retried(5));
        let step = bench.begin(key, Op::NextStep(Some(json!("given"))));
        for (attempts, wait) in [(1, 100.0), (2, 200.0), (3, 350.0), (4, 350.0)] {
            assert_eq!((bench.called().len(), bench.host.next_timer()), (attempts, Some(wait)));
            let state = bench.step(key, "one");
            assert_eq!(
                (state["status"].as_str(), state["error"]["message"].as_str()),
                (Some("waiting"), Some("not yet"))
            );
            bench.pass(wait - 1.0);
            assert_eq!(bench.called().len(), attempts);
            bench.pass(1.0);
        }
        let report = step_of(step.take().unwrap());
        assert_eq!((report.attempts, report.output, report.duration_ms), (5, Some(json!(5)), 1_000.0));
        let calls = bench.host.calls();
        assert!(calls.iter().all(|call| call.idempotency_key == "job:one" && call.input == json!("given")));
        assert_eq!(bench.job(key)["run"]["stepsTaken"], 1);
        let retries = bench.payloads(key, "step_failed");
        assert_eq!(
            retries.iter().map(|it| it["retryAt"].as_f64().unwrap()).collect::<Vec<_>>(),
            [100.0, 300.0, 650.0, 1_000.0]
        );
    });
}

#[test]
fn the_last_attempt_says_why_the_step_failed() {
    in_each_world(|bench| {
        that_fails(bench, 9);
        let key = bench.started(retried(2));
        let run = bench.begin(key, Op::run());
        bench.pass_all();
        assert_eq!(run.take(), Some(refusal(Code::AgentFailed, "not yet")));
        assert_eq!((bench.called().len(), bench.status(key).as_str()), (2, "failed"));
    });
}

#[test]
fn an_agent_may_ask_for_a_longer_wait_or_for_none() {
    in_each_world(|bench| {
        bench.host.set_agent("worker", |call| Reply::Failed {
            why: Refusal::new(Code::AgentFailed, "busy"),
            retryable: call.attempt < 3,
            retry_after: Some(if call.attempt == 1 { 5_000.0 } else { 10.0 }),
            cost: None,
        });
        let key = bench.started(retried(9));
        let run = bench.begin(key, Op::run());
        assert_eq!(bench.host.next_timer(), Some(5_000.0), "longer than the plan's wait");
        bench.pass(5_000.0);
        assert_eq!(bench.host.next_timer(), Some(200.0), "the plan's own");
        bench.pass(200.0);
        assert_eq!((run.take(), bench.called().len()), (Some(refusal(Code::AgentFailed, "busy")), 3));
    });
}

#[test]
fn a_timeout_is_retried() {
    in_each_world(|bench| {
        bench.host.set_agent("worker", |call| if call.attempt == 1 { Reply::Later } else { Reply::done(2) });
        let mut plan = retried(2);
        plan[0]["timeoutMs"] = json!(30);
        let key = bench.started(plan);
        let run = bench.begin(key, Op::run());
        bench.pass(130.0);
        assert_eq!((run.take(), bench.called().len()), (Some(Ok(Gave::Nothing)), 2));
    });
}

/// While a run sleeps before `one`: what is asked, what the run then gives, and how often the agent was called.
fn gives_way(bench: &Bench, called: usize) {
    for (op, words) in [
        (Op::Pause, refusal(Code::NotRunning, "Job paused")),
        (Op::Cancel, refused(Code::Cancelled)),
        (Op::Fail, refusal(Code::AgentFailed, "Job failed")),
        (Op::Complete, Ok(Gave::Nothing)),
    ] {
        let bench = Bench::on(bench.host.clone(), World::Straight);
        let before = bench.called().len();
        let key = bench.create(&format!("{op:?}"), Some(retried(2)), FREE);
        bench.go(key, Op::Start).unwrap();
        bench.engine.set_slow_play(if called == 0 { 60_000.0 } else { 0.0 });
        let run = bench.begin(key, Op::run());
        assert_eq!((bench.host.timers(), run.has_ended()), (1, false));
        bench.go(key, op.clone()).unwrap();
        assert_eq!((run.take(), bench.host.timers()), (Some(words), 0), "{op:?}");
        assert_eq!((bench.called().len() - before, bench.host.held()), (called, 0), "{op:?}");
    }
}

#[test]
fn a_wait_between_attempts_gives_way_at_once() {
    in_each_world(|bench| {
        that_fails(bench, 1);
        gives_way(bench, 1);
    });
}

#[test]
fn slow_play_gives_way_at_once() {
    in_each_world(|bench| gives_way(bench, 0));
}

#[test]
fn slow_play_and_retries_give_way_to_close() {
    for slow_play in [0.0, 60_000.0] {
        in_each_world(|bench| {
            that_fails(bench, 1);
            let key = bench.started(retried(2));
            bench.engine.set_slow_play(slow_play);
            let run = bench.begin(key, Op::run());
            assert!(!run.has_ended());
            bench.engine.close();
            bench.settle();
            assert_eq!(
                (run.take(), bench.host.timers(), bench.host.held()),
                (Some(refused(Code::Closed)), 0, 0)
            );
            assert_eq!(bench.status(key), "running");
        });
    }
}

#[test]
fn a_retry_goes_on_where_it_was_after_a_pause() {
    in_each_world(|bench| {
        that_fails(bench, 1);
        let key = bench.started(retried(3));
        let run = bench.begin(key, Op::run());
        bench.pass(40.0);
        bench.go(key, Op::Pause).unwrap();
        assert!(run.has_ended());
        bench.pass(30.0);
        bench.go(key, Op::Start).unwrap();
        let run = bench.begin(key, Op::run());
        assert_eq!(bench.host.next_timer(), Some(30.0), "the moment stands");
        bench.pass(30.0);
        assert_eq!((run.take(), bench.called().len()), (Some(Ok(Gave::Nothing)), 2));
    });
}

#[test]
fn slow_play_delays_each_step_and_can_be_changed_meanwhile() {
    in_each_world(|bench| {
        let key = bench.started(steps(&["one", "two", "three"]));
        bench.engine.set_slow_play(100.0);
        let run = bench.begin(key, Op::run());
        assert_eq!((bench.called().len(), bench.host.next_timer()), (0, Some(100.0)));
        bench.pass(60.0);
        bench.engine.set_slow_play(500.0);
        bench.settle();
        assert_eq!(bench.host.next_timer(), Some(440.0), "counted from when the delay began");
        bench.pass(440.0);
        assert_eq!((bench.called().len(), bench.host.next_timer()), (1, Some(500.0)));
        bench.engine.set_slow_play(0.0);
        bench.settle();
        assert_eq!((run.take(), bench.called().len(), bench.host.timers()), (Some(Ok(Gave::Nothing)), 3, 0));
    });
}

#[test]
fn what_has_begun_goes_on_while_slow_play_delays_the_next_step() {
    in_each_world(|bench| {
        bench.host.set_agent("worker", |call| {
            let fails = call.step == "one" && call.attempt == 1;
            if fails { Reply::failed("not yet") } else { Reply::done(call.attempt) }
        });
        let key = bench.started(json!([
            { "id": "timer", "wait": { "ms": 30 }, "after": [] },
            { "id": "heard", "wait": { "signal": "go" }, "after": [] },
            { "id": "one", "agent": "worker", "after": [], "retry": { "maxAttempts": 2, "backoffMs": 10 } },
            { "id": "two", "agent": "worker", "after": [] },
        ]));
        bench.engine.set_slow_play(100.0);
        let run = bench.begin(key, Op::run());
        assert_eq!(bench.host.next_timer(), Some(30.0));
        bench.pass(30.0);
        assert_eq!(
            (bench.step(key, "timer")["status"].as_str(), bench.host.next_timer()),
            (Some("done"), Some(70.0))
        );
        bench.go(key, Op::Signal("go")).unwrap();
        assert_eq!((bench.step(key, "heard")["status"].as_str(), bench.called().len()), (Some("done"), 0));
        bench.pass(70.0);
        assert_eq!(
            (bench.called().len(), bench.host.next_timer()),
            (1, Some(10.0)),
            "the retry's time is the plan's"
        );
        bench.pass(10.0);
        assert_eq!((bench.called().len(), bench.host.next_timer()), (2, Some(90.0)));
        bench.pass(90.0);
        assert!(bench.called().contains(&("two".to_owned(), 1)));
        assert_eq!(run.take(), Some(Ok(Gave::Nothing)));
        assert_eq!(bench.payloads(key, "slow_play_changed").len(), 1);
    });
}

#[test]
fn a_job_has_its_own_pace() {
    in_each_world(|bench| {
        let key = bench.host.enter("job");
        let steps = json!({ "steps": steps(&["one"]) });
        let new = NewJob {
            origin: Some(bench.host.origin(key, json!({}), Some(&steps))),
            permissions: FREE,
            plan: Some(Rc::new(plan::parse(&steps).unwrap())),
            slow_play_ms: Some(20.0),
            parent: None,
            id_was_given: true,
        };
        bench.now(async move |engine| engine.create_job(key, new).await).unwrap();
        bench.go(key, Op::Start).unwrap();
        bench.engine.set_slow_play(1_000.0);
        let run = bench.begin(key, Op::run());
        assert_eq!(bench.host.next_timer(), Some(20.0));
        bench.pass(20.0);
        assert_eq!(run.take(), Some(Ok(Gave::Nothing)));
    });
}

#[test]
fn a_change_that_does_not_stop_the_job_does_not_shorten_a_wait() {
    in_each_world(|bench| {
        that_fails(bench, 1);
        let key = bench.started(retried(2));
        let run = bench.begin(key, Op::run());
        for _ in 0..9 {
            bench.pass(10.0);
            bench.go(key, Op::permit(false)).unwrap();
        }
        assert_eq!((bench.called().len(), bench.host.next_timer()), (1, Some(10.0)));
        bench.pass(10.0);
        assert_eq!((run.take(), bench.called().len()), (Some(Ok(Gave::Nothing)), 2));
    });
}
