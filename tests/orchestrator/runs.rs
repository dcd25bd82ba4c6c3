//! What goes beyond one operation on one job: runs that are joined and stopped, trees, new jobs, recovery.

use std::rc::Rc;

use jobwright::{
    core::{outcome::Code, permissions::PermissionPatch, plan},
    host::{
        JobKey,
        memory::{Fate, HostCall, Reply},
    },
    orchestrator::{CancelResult, NewJob},
};
use serde_json::{Value, json};

use crate::{
    bench::{Bench, FREE, World, in_each_world, steps},
    operation::{Gave, Op, Stopped, refusal, refused},
};

fn child(
    bench: &Bench,
    id: &str,
    parent: JobKey,
    permissions: PermissionPatch,
) -> (JobKey, Result<(), Stopped>) {
    let key = bench.host.enter(id);
    let mut origin = bench.host.origin(key, json!({}), None);
    origin["parentId"] = bench.host.job(parent).map_or("gone".into(), |job| job["id"].clone());
    let new = NewJob {
        origin: Some(origin),
        permissions,
        plan: None,
        slow_play_ms: None,
        parent: Some(parent),
        id_was_given: true,
    };
    (key, bench.now(async move |engine| engine.create_job(key, new).await))
}

#[test]
fn a_new_job_is_stored_whole_and_announced_to_nobody() {
    in_each_world(|bench| {
        bench.host.advance(3.0);
        let key = bench.create("job", Some(steps(&["one"])), PermissionPatch::default());
        let job = bench.job(key);
        assert_eq!(
            job["permissions"],
            json!({ "allowTools": false, "requireApproval": true, "maxSteps": 10 })
        );
        assert_eq!((&job["status"], &job["timing"]), (&json!("created"), &json!({ "created": 3.0 })));
        assert_eq!((bench.history(key), bench.announced()), (vec!["job_created".to_owned()], vec![]));
        let plain = bench.create("plain", None, FREE);
        assert_eq!(bench.history(plain), [""; 0]);
    });
}

#[test]
fn an_id_is_given_once() {
    in_each_world(|bench| {
        let key = bench.create("job", None, FREE);
        let before = bench.seen(key);
        for id_was_given in [true, false] {
            let new = NewJob {
                origin: Some(bench.host.origin(key, json!({}), None)),
                permissions: FREE,
                plan: None,
                slow_play_ms: None,
                parent: None,
                id_was_given,
            };
            let outcome = bench.now(async move |engine| engine.create_job(key, new).await);
            assert_eq!(
                outcome.map(|()| Gave::Nothing),
                refusal(Code::Conflict, "A job with this id already exists")
            );
        }
        assert_eq!(bench.seen(key), before);
    });
}

#[test]
fn a_job_that_could_not_be_stored_can_be_made_again() {
    in_each_world(|bench| {
        for fail in [|call| matches!(call, HostCall::Load(_)), |call| matches!(call, HostCall::Commit(_))] {
            let key = bench.host.enter("job");
            bench.host.put(key, None);
            bench
                .host
                .choose_fates(move |call| if fail(call) { Fate::Fail("full".into()) } else { Fate::Go });
            let new = |bench: &Bench| NewJob {
                origin: Some(bench.host.origin(key, json!({}), None)),
                permissions: FREE,
                plan: Some(Rc::new(plan::Plan::default())),
                slow_play_ms: None,
                parent: None,
                id_was_given: true,
            };
            let job = new(bench);
            let outcome = bench.now(async move |engine| engine.create_job(key, job).await);
            assert_eq!(outcome, Err(jobwright::orchestrator::Stop::Failed("full".to_owned())));
            assert_eq!(bench.host.job(key), None);
            bench.host.be_reliable();
            let job = new(bench);
            bench.now(async move |engine| engine.create_job(key, job).await).unwrap();
        }
    });
}

#[test]
fn a_child_may_do_what_both_allow() {
    in_each_world(|bench| {
        let strict =
            PermissionPatch { allow_tools: Some(false), require_approval: Some(false), max_steps: Some(5) };
        let parent = bench.create("parent", None, strict);
        let loose = PermissionPatch { allow_tools: Some(true), require_approval: None, max_steps: Some(9) };
        let (key, outcome) = child(bench, "child", parent, loose);
        outcome.unwrap();
        let permissions = json!({ "allowTools": false, "requireApproval": false, "maxSteps": 5 });
        assert_eq!(bench.job(key)["permissions"], permissions);
        bench.go(parent, Op::Cancel).unwrap();
        let (_, ended) = child(bench, "late", parent, FREE);
        assert_eq!(ended.map(|()| Gave::Nothing), refusal(Code::InvalidArgument, "The parent job has ended"));
        let (_, unknown) = child(bench, "orphan", bench.host.enter("nobody"), FREE);
        assert_eq!(unknown.map(|()| Gave::Nothing), refusal(Code::NotFound, "Parent job not found"));
    });
}

#[test]
fn a_tree_is_cancelled_from_its_root() {
    in_each_world(|bench| {
        let root = bench.create("root", None, FREE);
        let (a, b) = (child(bench, "a", root, FREE).0, child(bench, "b", root, FREE).0);
        let below = child(bench, "below a", a, FREE).0;
        bench.go(b, Op::Fail).unwrap();
        let Ok(Gave::Cancelled(mut results)) = bench.go(root, Op::Cancel) else { panic!("cancelled") };
        assert_eq!(results[0], (root, CancelResult::Cancelled));
        results.sort_by_key(|(key, _)| *key);
        use CancelResult::{AlreadyEnded, Cancelled};
        assert_eq!(results, [(root, Cancelled), (a, Cancelled), (b, AlreadyEnded), (below, Cancelled)]);
        for key in [root, a, below] {
            assert_eq!(bench.job(key)["run"]["failure"]["code"], "cancelled");
        }
        assert_eq!(bench.job(b)["run"]["failure"]["code"], "agent_failed");
    });
}

#[test]
fn a_run_that_is_called_again_is_joined() {
    in_each_world(|bench| {
        bench.host.set_agent("worker", |_| Reply::Later);
        let key = bench.started(steps(&["one"]));
        let runs: Vec<_> = (0..3).map(|_| bench.begin(key, Op::run())).collect();
        assert_eq!(bench.called().len(), 1);
        bench.host.answer(0, Reply::failed("no"));
        bench.settle();
        for run in runs {
            assert_eq!(run.take(), Some(refusal(Code::AgentFailed, "no")));
        }
        assert_eq!(bench.go(key, Op::run()), refusal(Code::AgentFailed, "no"));
    });
}

#[test]
fn a_run_waits_for_a_single_step_that_is_under_way() {
    in_each_world(|bench| {
        bench.host.set_agent("worker", |call| if call.number == 0 { Reply::Later } else { Reply::done(2) });
        let key = bench.started(steps(&["one", "two"]));
        let step = bench.begin(key, Op::next());
        let run = bench.begin(key, Op::run());
        assert_eq!((step.has_ended(), run.has_ended(), bench.called().len()), (false, false, 1));
        bench.host.answer(0, Reply::done(1));
        bench.settle();
        assert!(matches!(step.take(), Some(Ok(Gave::Step(_, Some(_))))));
        assert_eq!((run.take(), bench.status(key).as_str()), (Some(Ok(Gave::Nothing)), "completed"));
    });
}

#[test]
fn a_run_that_is_told_to_stop_lets_its_attempt_finish() {
    in_each_world(|bench| {
        bench.host.set_agent("worker", |_| Reply::Later);
        let key = bench.started(steps(&["one", "two"]));
        let run = bench.begin(key, Op::run());
        bench.engine.stop_run(key);
        bench.settle();
        assert_eq!((run.has_ended(), bench.host.aborted().len()), (false, 0));
        bench.host.answer(0, Reply::done(1));
        bench.settle();
        assert_eq!(run.take(), Some(refusal(Code::NotRunning, "Job paused")));
        assert_eq!(
            (bench.status(key).as_str(), &bench.step(key, "one")["status"]),
            ("paused", &json!("done"))
        );
        bench.host.set_agent("worker", |_| Reply::done(2));
        bench.go(key, Op::Start).unwrap();
        bench.go(key, Op::run()).unwrap();
        assert_eq!(bench.status(key), "completed", "another run is not told to stop");
    });
}

#[test]
fn a_run_that_is_told_to_stop_while_it_waits_for_a_single_step_stops() {
    in_each_world(|bench| {
        bench.host.set_agent("worker", |call| if call.number == 0 { Reply::Later } else { Reply::done(2) });
        let key = bench.started(steps(&["one", "two"]));
        let step = bench.begin(key, Op::next());
        let run = bench.begin(key, Op::run());
        bench.engine.stop_run(key);
        bench.host.answer(0, Reply::done(1));
        bench.settle();
        assert!(matches!(step.take(), Some(Ok(Gave::Step(_, Some(_))))));
        assert_eq!((run.take(), bench.called().len()), (Some(refusal(Code::NotRunning, "Job paused")), 1));
    });
}

#[test]
fn pause_and_cancel_act_in_the_middle_of_a_run() {
    in_each_world(|bench| {
        bench.host.set_agent("worker", |_| Reply::Later);
        let key = bench.started(steps(&["one", "two"]));
        let run = bench.begin(key, Op::run());
        bench.go(key, Op::Pause).unwrap();
        assert_eq!((run.has_ended(), bench.status(key).as_str()), (false, "paused"));
        bench.go(key, Op::Start).unwrap();
        bench.host.answer(0, Reply::done(1));
        bench.settle();
        assert_eq!((run.has_ended(), bench.called().len()), (false, 2), "started in time, it goes on");
        bench.go(key, Op::Cancel).unwrap();
        assert_eq!(run.take(), Some(refused(Code::Cancelled)));
    });
}

#[test]
fn what_runs_here_is_not_recovered() {
    in_each_world(|bench| {
        bench.host.set_agent("worker", |_| Reply::Later);
        let key = bench.started(steps(&["one"]));
        let idle = bench.create("idle", Some(steps(&["one"])), FREE);
        bench.go(idle, Op::Start).unwrap();
        let _run = bench.begin(key, Op::run());
        let before = bench.seen(key);
        assert_eq!(bench.go(key, Op::Recover), Ok(Gave::Resumed(vec![idle])));
        assert_eq!(bench.seen(key), before);
    });
}

/// Somebody else commits first, and while that is decided again a run begins here.
#[test]
fn a_run_that_begins_while_its_job_is_recovered_comes_after_that() {
    let bench = Bench::new(World::Straight);
    bench.host.set_agent("worker", |_| Reply::Later);
    let key = bench.started(steps(&["one"]));
    let run = bench.begin(key, Op::run());
    let bench = bench.crash();
    drop(run);
    bench.host.set_agent("worker", |_| Reply::Later);
    let mut first = true;
    bench.host.choose_fates(move |call| match call {
        HostCall::Commit(_) if std::mem::take(&mut first) => Fate::Conflict,
        // Long enough for a run to come second in line.
        HostCall::Load(_) => Fate::Later(3),
        _ => Fate::Go,
    });
    let before = bench.called().len();
    let _both = bench.begin_with(async move |engine| {
        let other = Rc::clone(&engine);
        let mut recover = Box::pin(Op::Recover.perform(engine, key));
        let mut run = Box::pin(Op::run().perform(other, key));
        let mut recovered = false;
        std::future::poll_fn(|context| {
            recovered = recovered || recover.as_mut().poll(context).is_ready();
            run.as_mut().poll(context)
        })
        .await
    });
    let history = bench.history(key);
    assert_eq!(history[3..], ["step_recovered", "step_started"]);
    assert_eq!(bench.called().len(), before + 1, "its agent is at work");
}

#[test]
fn an_agent_sends_events_of_its_own_while_its_step_runs() {
    in_each_world(|bench| {
        bench.host.set_agent("worker", |_| Reply::Later);
        let key = bench.started(steps(&["one"]));
        let step = bench.begin(key, Op::next());
        let send = |event: Value| bench.now(async move |engine| engine.record_event(key, 0, event).await);
        send(json!("half way")).unwrap();
        assert_eq!(bench.payloads(key, "emitted"), [json!("half way")]);
        bench.host.answer(0, Reply::done(1));
        bench.settle();
        assert!(step.has_ended());
        let before = bench.seen(key);
        bench.now(async move |engine| engine.record_event(key, 0, json!("late")).await).unwrap();
        assert_eq!(bench.seen(key), before);
        crate::history::check(&bench.job(key));
    });
}

#[test]
fn operations_on_one_job_are_done_in_the_order_of_the_calls() {
    in_each_world(|bench| {
        let key = bench.create("job", None, FREE);
        bench
            .host
            .choose_fates(|call| if matches!(call, HostCall::Load(_)) { Fate::Later(5) } else { Fate::Go });
        let all = bench.begin_with(async move |engine| {
            let ops = [Op::Start, Op::Pause, Op::Start, Op::Complete, Op::Pause];
            let mut waiting: Vec<_> =
                ops.into_iter().map(|op| (Box::pin(op.perform(Rc::clone(&engine), key)), None)).collect();
            std::future::poll_fn(|context| {
                for (operation, end) in waiting.iter_mut().filter(|(_, end)| end.is_none()) {
                    if let std::task::Poll::Ready(outcome) = operation.as_mut().poll(context) {
                        *end = Some(outcome);
                    }
                }
                let done = waiting.iter().all(|(_, end)| end.is_some());
                if done { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
            })
            .await;
            waiting.into_iter().filter_map(|(_, end)| end).collect::<Vec<_>>()
        });
        let well = || Ok(Gave::Nothing);
        let last = refusal(Code::InvalidTransition, "Only running jobs can be paused");
        assert_eq!(all.take().unwrap(), [well(), well(), well(), well(), last]);
        assert_eq!(bench.announced(), ["job_started", "job_paused", "job_started", "job_completed"]);
    });
}

#[test]
fn a_stored_job_that_cant_be_read_is_an_error_and_is_left_alone() {
    in_each_world(|bench| {
        let key = bench.started(steps(&["one"]));
        let Value::Object(good) = bench.job(key) else { panic!("an object") };
        for (path, junk) in
            [("schema", json!(2)), ("steps", json!({ "six": { "status": "done", "attempts": 1 } }))]
        {
            let mut bad = good.clone();
            bad["run"][path] = junk;
            bad["run"]["revision"] = json!(77);
            bench.host.put(key, Some(bad));
            let before = bench.seen(key);
            for op in [Op::Pause, Op::next(), Op::run()] {
                assert!(matches!(bench.go(key, op), Err(jobwright::orchestrator::Stop::Failed(_))));
            }
            assert_eq!(bench.seen(key), before);
        }
        bench.host.put(key, Some(good));
        bench.go(key, Op::run()).unwrap();
    });
}
