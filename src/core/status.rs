//! The states of a job and the one table of moves between them.

/// Where a job stands. Cancelled is not a state of its own: it is `Failed` with a failure code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum JobStatus {
    /// Made, never started.
    Created,
    /// May run steps.
    Running,
    /// Nothing new starts until somebody starts it again.
    Paused,
    /// Ended well.
    Completed,
    /// Ended badly: failed or cancelled.
    Failed,
}

impl JobStatus {
    /// Every status, in the order of their codes.
    pub const ALL: [JobStatus; 5] =
        [JobStatus::Created, JobStatus::Running, JobStatus::Paused, JobStatus::Completed, JobStatus::Failed];

    /// The name used in stored jobs and in JavaScript.
    pub const fn name(self) -> &'static str {
        match self {
            JobStatus::Created => "created",
            JobStatus::Running => "running",
            JobStatus::Paused => "paused",
            JobStatus::Completed => "completed",
            JobStatus::Failed => "failed",
        }
    }

    /// Has the job ended? An ended job never moves again.
    pub const fn has_ended(self) -> bool {
        matches!(self, JobStatus::Completed | JobStatus::Failed)
    }

    /// The status with this code (its place in [`JobStatus::ALL`]).
    pub fn from_code(code: u32) -> Option<JobStatus> {
        JobStatus::ALL.get(usize::try_from(code).ok()?).copied()
    }
}

/// What asks a job to move: a caller's operation or the engine itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Move {
    /// `startJob`.
    Start,
    /// `approveStep` on a job that was paused for that approval.
    Approve,
    /// `pauseJob`.
    Pause,
    /// The engine stops at a limit, an approval, a breakpoint or the budget.
    EnginePause,
    /// `completeJob(id)`, or the last step's end.
    Complete,
    /// `completeJob(id, "failed")`.
    CompleteAsFailed,
    /// `failJob`.
    Fail,
    /// `cancelJob`.
    Cancel,
    /// A step failed for good, or was rejected.
    StepFailed,
    /// The monitor of a job whose children have ended.
    ChildrenEnded,
}

impl Move {
    /// Every move.
    pub const ALL: [Move; 10] = [
        Move::Start,
        Move::Approve,
        Move::Pause,
        Move::EnginePause,
        Move::Complete,
        Move::CompleteAsFailed,
        Move::Fail,
        Move::Cancel,
        Move::StepFailed,
        Move::ChildrenEnded,
    ];
}

/// The status a job has after `asked`, or `None` where the move is refused and nothing changes.
///
/// ```
/// use jobwright::core::status::{after, JobStatus, Move};
/// assert_eq!(after(JobStatus::Created, Move::Start), Some(JobStatus::Running));
/// assert_eq!(after(JobStatus::Completed, Move::Start), None);
/// ```
pub const fn after(from: JobStatus, asked: Move) -> Option<JobStatus> {
    use JobStatus::{Completed, Created, Failed, Paused, Running};
    match (from, asked) {
        (Created | Paused, Move::Start) => Some(Running),
        (Paused, Move::Approve) => Some(Running),
        (Running, Move::Pause | Move::EnginePause) => Some(Paused),
        (Running, Move::Complete) => Some(Completed),
        (Running | Paused, Move::ChildrenEnded) => Some(Completed),
        (Running, Move::CompleteAsFailed) => Some(Failed),
        (Created | Running | Paused, Move::Fail | Move::Cancel) => Some(Failed),
        (Running | Paused, Move::StepFailed) => Some(Failed),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{JobStatus::*, Move::*, *};

    /// The table of the specification, cell by cell: what is not listed is refused.
    const ALLOWED: [(JobStatus, Move, JobStatus); 17] = [
        (Created, Start, Running),
        (Paused, Start, Running),
        (Paused, Approve, Running),
        (Running, Pause, Paused),
        (Running, EnginePause, Paused),
        (Running, Complete, Completed),
        (Running, ChildrenEnded, Completed),
        (Paused, ChildrenEnded, Completed),
        (Running, CompleteAsFailed, Failed),
        (Created, Fail, Failed),
        (Running, Fail, Failed),
        (Paused, Fail, Failed),
        (Created, Cancel, Failed),
        (Running, Cancel, Failed),
        (Paused, Cancel, Failed),
        (Running, StepFailed, Failed),
        (Paused, StepFailed, Failed),
    ];

    #[test]
    fn every_cell_of_the_table() {
        for from in JobStatus::ALL {
            for asked in Move::ALL {
                let listed = ALLOWED.iter().find(|row| row.0 == from && row.1 == asked);
                assert_eq!(after(from, asked), listed.map(|row| row.2), "{from:?} {asked:?}");
            }
        }
    }

    #[test]
    fn ended_jobs_never_move() {
        for from in JobStatus::ALL.into_iter().filter(|status| status.has_ended()) {
            assert!(Move::ALL.into_iter().all(|asked| after(from, asked).is_none()));
        }
    }

    #[test]
    fn codes_round_trip() {
        for (code, status) in (0u32..).zip(JobStatus::ALL) {
            assert_eq!(JobStatus::from_code(code), Some(status));
        }
        assert_eq!(JobStatus::from_code(5), None);
    }
}
