//! Every cell of the table of moves, asked for by the operations.

use jobwright::{core::outcome::Code, host::JobKey};
use serde_json::json;

use crate::{
    bench::{Bench, FREE, in_each_world, steps},
    operation::{Gave, Op, Outcome, refusal, refused},
};

/// How a job came to stand where it stands.
#[derive(Clone, Copy, Debug, PartialEq)]
enum From {
    Created,
    Running,
    PausedByAPerson,
    PausedForApproval,
    CompletedByItself,
    CompletedByItsCaller,
    FailedByItsCaller,
    FailedWithoutAWord,
    Cancelled,
}

const FROM: [From; 9] = [
    From::Created,
    From::Running,
    From::PausedByAPerson,
    From::PausedForApproval,
    From::CompletedByItself,
    From::CompletedByItsCaller,
    From::FailedByItsCaller,
    From::FailedWithoutAWord,
    From::Cancelled,
];

fn ops() -> [Op; 11] {
    [
        Op::Start,
        Op::Pause,
        Op::Complete,
        Op::CompleteAsFailed,
        Op::Fail,
        Op::Cancel,
        Op::approve(),
        Op::reject(),
        Op::permit(false),
        Op::next(),
        Op::run(),
    ]
}

impl From {
    fn status(self) -> &'static str {
        match self {
            From::Created => "created",
            From::Running => "running",
            From::PausedByAPerson | From::PausedForApproval => "paused",
            From::CompletedByItself | From::CompletedByItsCaller => "completed",
            From::FailedByItsCaller | From::FailedWithoutAWord | From::Cancelled => "failed",
        }
    }

    /// A job that came there; of a job without a plan, one that never needed more than its head.
    fn make(self, bench: &Bench, planned: bool) -> JobKey {
        let key = bench.create("job", planned.then(|| steps(&["one", "two"])), FREE);
        let way: &[Op] = match self {
            From::Created => &[],
            From::Running => &[Op::Start],
            From::PausedByAPerson => &[Op::Start, Op::Pause],
            From::PausedForApproval => &[Op::permit(true), Op::Start, Op::next()],
            From::CompletedByItself => &[Op::Start, Op::run()],
            From::CompletedByItsCaller => &[Op::Start, Op::Complete],
            From::FailedByItsCaller => &[Op::Start, Op::Fail],
            From::FailedWithoutAWord => &[Op::Start, Op::CompleteAsFailed],
            From::Cancelled => &[Op::Cancel],
        };
        for op in way {
            let _ = bench.go(key, op.clone());
        }
        assert_eq!(bench.status(key), self.status());
        key
    }

    fn has_ended(self) -> bool {
        matches!(self.status(), "completed" | "failed")
    }
}

/// What the operation should give, what the job should be then, and what should be announced.
fn expected(from: From, op: &Op, key: JobKey) -> (Outcome, &'static str, Vec<&'static str>) {
    let running = from == From::Running;
    let paused = from.status() == "paused";
    let invalid = |message: &str| (refusal(Code::InvalidTransition, message), from.status(), vec![]);
    let moved = |to, event| (Ok(Gave::Nothing), to, vec![event]);
    let refuse = |message| (refusal(Code::NotRunning, message), from.status(), vec![]);
    match op {
        Op::Start if from == From::Created || paused => moved("running", "job_started"),
        Op::Pause if running => moved("paused", "job_paused"),
        Op::Pause => invalid("Only running jobs can be paused"),
        Op::Complete if running => moved("completed", "job_completed"),
        Op::CompleteAsFailed if running => moved("failed", "job_failed"),
        Op::Fail if !from.has_ended() => moved("failed", "job_failed"),
        Op::Cancel if !from.has_ended() => {
            let cancelled = vec![(key, jobwright::orchestrator::CancelResult::Cancelled)];
            (Ok(Gave::Cancelled(cancelled)), "failed", vec!["job_failed"])
        }
        Op::Approve(_) if from == From::PausedForApproval => {
            (Ok(Gave::Nothing), "running", vec!["step_approved", "job_started"])
        }
        Op::Reject(_) if from == From::PausedForApproval => {
            (Ok(Gave::Nothing), "failed", vec!["step_rejected", "step_failed", "job_failed"])
        }
        Op::Approve(_) | Op::Reject(_) if !from.has_ended() => invalid("No step is waiting for approval"),
        Op::SetPermissions(_) if !from.has_ended() => {
            (Ok(Gave::Nothing), from.status(), vec!["permissions_changed"])
        }
        Op::NextStep(_) if !running => refuse("Job not running"),
        Op::Run(_) if !running => match from {
            From::PausedByAPerson => refuse("Job paused"),
            From::PausedForApproval => (refused(Code::ApprovalRequired), "paused", vec![]),
            From::FailedWithoutAWord => refuse("Job failed"),
            From::FailedByItsCaller => (refusal(Code::AgentFailed, "Job failed"), "failed", vec![]),
            From::Cancelled => (refused(Code::Cancelled), "failed", vec![]),
            From::CompletedByItself | From::CompletedByItsCaller => (Ok(Gave::Nothing), "completed", vec![]),
            _ => refuse("Job not running"),
        },
        _ => invalid("Invalid state transition"),
    }
}

#[test]
fn every_cell_of_the_table_of_moves() {
    for planned in [true, false] {
        for from in FROM {
            // Without steps nothing waits for approval, and nothing ends by itself.
            if !planned && matches!(from, From::PausedForApproval | From::CompletedByItself) {
                continue;
            }
            for op in ops() {
                // Steps of a running job are other tests' subject.
                if from == From::Running && matches!(op, Op::NextStep(_) | Op::Run(_)) {
                    continue;
                }
                in_each_world(|bench| check_cell(bench, planned, from, &op));
            }
        }
    }
}

fn check_cell(bench: &Bench, planned: bool, from: From, op: &Op) {
    let key = from.make(bench, planned);
    let before = bench.seen(key);
    let announced = bench.announced().len();
    bench.host.advance(5.0);
    let (outcome, status, events) = expected(from, op, key);
    assert_eq!(bench.go(key, op.clone()), outcome, "{from:?} {op:?} planned: {planned}");
    assert_eq!(bench.status(key), status, "{from:?} {op:?}");
    assert_eq!(bench.announced()[announced..], events, "{from:?} {op:?}");
    if events.is_empty() {
        assert_eq!(bench.seen(key), before, "{from:?} {op:?}: a refusal changes nothing");
    }
}

#[test]
fn no_operation_finds_a_job_that_is_not_there() {
    in_each_world(|bench| {
        let key = bench.host.enter("nobody");
        for op in ops() {
            assert_eq!(bench.go(key, op), refused(Code::NotFound));
        }
        assert_eq!((bench.host.job(key), bench.announced()), (None, vec![]));
    });
}

#[test]
fn a_started_job_has_the_time_of_its_first_start_and_of_its_end() {
    in_each_world(|bench| {
        bench.host.advance(100.0);
        let key = bench.create("job", None, FREE);
        for op in [Op::Start, Op::Pause, Op::Start, Op::Complete] {
            bench.host.advance(10.0);
            bench.go(key, op).unwrap();
        }
        let timing = json!({ "created": 100.0, "started": 110.0, "completed": 140.0 });
        assert_eq!(bench.job(key)["timing"], timing);
    });
}

#[test]
fn a_paused_job_whose_last_step_ended_meanwhile_completes_when_it_is_started() {
    in_each_world(|bench| {
        bench.host.set_agent("worker", |_| jobwright::host::memory::Reply::Later);
        let key = bench.started(steps(&["one"]));
        let run = bench.begin(key, Op::run());
        bench.go(key, Op::Pause).unwrap();
        bench.host.answer(0, jobwright::host::memory::Reply::done(1));
        bench.settle();
        assert_eq!(run.take(), Some(refusal(Code::NotRunning, "Job paused")));
        assert_eq!(
            (bench.status(key).as_str(), &bench.step(key, "one")["status"]),
            ("paused", &json!("done"))
        );
        bench.go(key, Op::Start).unwrap();
        assert_eq!(bench.status(key), "completed");
        let names = bench.history(key);
        assert_eq!(names[names.len() - 2..], ["job_started", "job_completed"]);
    });
}
