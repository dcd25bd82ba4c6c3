//! What a step must pass before its agent is called: the first check that refuses says so.

use jobwright::{
    core::{outcome::Code, permissions::PermissionPatch},
    host::JobKey,
    orchestrator::Stop,
};
use serde_json::{Value, json};

use crate::{
    bench::{Bench, in_each_world},
    operation::{Op, Outcome, refusal, refused},
};

/// What a job can lack, in the order in which it is asked for.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Lack {
    Running,
    Steps,
    Breakpoint,
    Tools,
    Agent,
    Approval,
    Budget,
}

const LACKS: [Lack; 7] =
    [Lack::Running, Lack::Steps, Lack::Breakpoint, Lack::Tools, Lack::Agent, Lack::Approval, Lack::Budget];

/// A job that lacks exactly these.
fn job_that_lacks(bench: &Bench, lacks: &[Lack]) -> JobKey {
    let lacks = |lack| lacks.contains(&lack);
    let mut step = json!({ "id": "one", "agent": "worker", "tools": ["search"], "cost": 5 });
    step["breakpoint"] = lacks(Lack::Breakpoint).into();
    if lacks(Lack::Agent) {
        step["agent"] = "nobody".into();
    }
    let permissions = PermissionPatch {
        allow_tools: Some(!lacks(Lack::Tools)),
        require_approval: Some(lacks(Lack::Approval)),
        max_steps: Some(if lacks(Lack::Steps) { 0 } else { 1 }),
    };
    bench.host.set_budget(Some(if lacks(Lack::Budget) { 4.0 } else { 5.0 }));
    let key = bench.create("job", Some(json!([step])), permissions);
    bench.go(key, Op::Start).unwrap();
    if lacks(Lack::Running) {
        bench.go(key, Op::Pause).unwrap();
    }
    key
}

fn words_of(lack: Lack, run: bool) -> Outcome {
    let tools = "Step \"one\" needs tools (search), and the job does not allow tools";
    match lack {
        Lack::Running => refusal(Code::NotRunning, if run { "Job paused" } else { "Job not running" }),
        Lack::Steps => refusal(Code::StepLimit, "Step limit reached"),
        Lack::Breakpoint => refusal(Code::NotRunning, "Paused at the breakpoint before step \"one\""),
        Lack::Tools => refusal(Code::ToolsDenied, tools),
        Lack::Agent => refusal(Code::UnknownAgent, "Unknown agent \"nobody\"; known agents: worker"),
        Lack::Approval => refusal(Code::ApprovalRequired, "Approval required"),
        Lack::Budget => {
            Err(Stop::BudgetRefused(json!({ "success": false, "error": "Budget exceeded", "mine": true })))
        }
    }
}

/// Where the job stands after the refusal, what `run` says of it, and what was announced.
fn job_after(lack: Lack) -> (&'static str, &'static str, Value, &'static [&'static str]) {
    let paused = |reason: &str| json!({ "reason": reason, "step": "one" });
    match lack {
        Lack::Running => ("paused", "pause", json!({ "reason": "user" }), &[]),
        Lack::Steps => ("paused", "pause", paused("step_limit"), &["job_paused"]),
        Lack::Breakpoint => {
            let mut pause = paused("breakpoint");
            pause["message"] = "Paused at the breakpoint before step \"one\"".into();
            ("paused", "pause", pause, &["job_paused"])
        }
        Lack::Tools | Lack::Agent => {
            let Err(Stop::Refused(refusal)) = words_of(lack, false) else { unreachable!() };
            let failure = json!({ "code": refusal.code.name(), "message": refusal.message, "step": "one" });
            ("failed", "failure", failure, &["step_failed", "job_failed"])
        }
        Lack::Approval => ("paused", "pause", paused("approval"), &["approval_requested", "job_paused"]),
        Lack::Budget => ("paused", "pause", paused("budget"), &["job_paused"]),
    }
}

fn check(bench: &Bench, lacks: &[Lack], op: &Op) {
    let key = job_that_lacks(bench, lacks);
    let (before, announced) = (bench.seen(key), bench.announced().len());
    let first = lacks[0];
    let run = matches!(op, Op::Run(_));
    assert_eq!(bench.go(key, op.clone()), words_of(first, run), "{lacks:?} {op:?}");
    let (status, part, value, events) = job_after(first);
    assert_eq!((bench.status(key).as_str(), &bench.job(key)["run"][part]), (status, &value), "{lacks:?}");
    assert_eq!(bench.announced()[announced..], *events, "{lacks:?}");
    if events.is_empty() {
        assert_eq!(bench.seen(key), before, "{lacks:?}");
    }
    assert_eq!((bench.called().len(), bench.host.held()), (0, 0), "{lacks:?}: no agent, nothing held");
}

#[test]
fn of_all_checks_that_refuse_the_first_says_so() {
    for set in 1u32..1 << LACKS.len() {
        let lacks: Vec<Lack> = LACKS
            .into_iter()
            .enumerate()
            .filter(|(place, _)| set & (1 << place) != 0)
            .map(|it| it.1)
            .collect();
        for op in [Op::next(), Op::run()] {
            in_each_world(|bench| check(bench, &lacks, &op));
        }
    }
}

#[test]
fn a_job_that_lacks_nothing_runs() {
    in_each_world(|bench| {
        let key = job_that_lacks(bench, &[]);
        bench.go(key, Op::run()).unwrap();
        assert_eq!((bench.status(key).as_str(), bench.host.budget()), ("completed", Some(0.0)));
    });
}

/// Each refusal that pauses is settled in its own way, and the next check is met.
#[test]
fn what_pauses_a_job_is_settled_one_after_the_other() {
    in_each_world(|bench| {
        let all = [Lack::Steps, Lack::Breakpoint, Lack::Approval, Lack::Budget];
        let key = job_that_lacks(bench, &all);
        assert_eq!(bench.go(key, Op::next()), words_of(Lack::Steps, false));
        let more = PermissionPatch { max_steps: Some(1), ..Default::default() };
        bench.go(key, Op::SetPermissions(more)).unwrap();
        for lack in [Lack::Breakpoint, Lack::Approval] {
            bench.go(key, Op::Start).unwrap();
            assert_eq!(bench.go(key, Op::next()), words_of(lack, false));
        }
        bench.go(key, Op::approve()).unwrap();
        assert_eq!(bench.go(key, Op::run()), words_of(Lack::Budget, true));
        bench.host.set_budget(Some(5.0));
        bench.go(key, Op::Start).unwrap();
        bench.go(key, Op::run()).unwrap();
        assert_eq!(bench.status(key), "completed");
        assert_eq!(bench.payloads(key, "approval_requested").len(), 1);
    });
}

#[test]
fn a_job_with_neither_plan_nor_router_is_unchanged() {
    in_each_world(|bench| {
        let key = bench.create("job", None, crate::bench::FREE);
        bench.go(key, Op::Start).unwrap();
        let before = bench.seen(key);
        for op in [Op::next(), Op::run()] {
            let words = refusal(Code::NoPlan, "Job has no plan, and there is no router");
            assert_eq!(bench.go(key, op), words);
        }
        assert_eq!(bench.seen(key), before);
    });
}

#[test]
fn a_step_of_a_running_job_is_not_begun_twice() {
    in_each_world(|bench| {
        bench.host.set_agent("worker", |_| jobwright::host::memory::Reply::Later);
        let key = bench.started(crate::bench::steps(&["one"]));
        let first = bench.begin(key, Op::next());
        let before = bench.seen(key);
        let words = refusal(Code::Conflict, "A step of this job is already running");
        assert_eq!(bench.go(key, Op::next()), words);
        assert_eq!(bench.seen(key), before);
        bench.go(key, Op::Pause).unwrap();
        assert_eq!(bench.go(key, Op::next()), refused(Code::NotRunning));
        bench.host.answer(0, jobwright::host::memory::Reply::done(1));
        bench.settle();
        assert!(first.take().unwrap().is_ok());
    });
}
