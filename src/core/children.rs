//! The children of a job, counted: how far they have come, and what that means for their parent.

use crate::core::{job::Failure, outcome::Code, status::JobStatus};

/// Parents hear of progress at most this often, in milliseconds.
pub const PROGRESS_EVERY_MS: f64 = 100.0;

/// Where one child stands, as far as its parent cares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Never started.
    Pending,
    /// Started and not ended, which one that is paused is too.
    Running,
    /// Ended well.
    Completed,
    /// Ended badly.
    Failed,
    /// Ended badly because somebody cancelled it.
    Cancelled,
}

impl Standing {
    /// Of a job that stands here; `cancelled` where that is why it failed.
    pub const fn of(status: JobStatus, cancelled: bool) -> Standing {
        match status {
            JobStatus::Created => Standing::Pending,
            JobStatus::Running | JobStatus::Paused => Standing::Running,
            JobStatus::Completed => Standing::Completed,
            JobStatus::Failed if cancelled => Standing::Cancelled,
            JobStatus::Failed => Standing::Failed,
        }
    }

    const fn has_ended(self) -> bool {
        !matches!(self, Standing::Pending | Standing::Running)
    }
}

/// What happened to one child since it was counted last.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ChildChange {
    /// Where it stood; `None` where it was not known.
    pub from: Option<Standing>,
    /// Where it stands; `None` where it is gone.
    pub to: Option<Standing>,
    /// What it counts in its parent's progress, beside its siblings; at least 0.
    pub weight: f64,
}

/// How many children stand where.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ChildStats {
    /// Never started.
    pub pending: u32,
    /// Started and not ended.
    pub running: u32,
    /// Ended well.
    pub completed: u32,
    /// Ended badly.
    pub failed: u32,
    /// Cancelled.
    pub cancelled: u32,
}

/// What the children come to, taken together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OverallStatus {
    /// One of them has not ended, or there is none.
    Running,
    /// All have ended, none badly.
    Completed,
    /// All have ended, one of them badly.
    Failed,
    /// All were cancelled.
    Cancelled,
}

impl ChildStats {
    /// How many children there are.
    pub const fn total(&self) -> u32 {
        self.pending + self.running + self.completed + self.failed + self.cancelled
    }

    /// Has every child ended? Not where there is none.
    pub const fn all_ended(&self) -> bool {
        self.pending + self.running == 0 && self.total() > 0
    }

    /// What the children come to, taken together.
    pub const fn overall_status(&self) -> OverallStatus {
        if !self.all_ended() {
            OverallStatus::Running
        } else if self.failed > 0 {
            OverallStatus::Failed
        } else if self.cancelled == self.total() {
            OverallStatus::Cancelled
        } else {
            OverallStatus::Completed
        }
    }

    /// For people.
    ///
    /// ```
    /// use jobwright::core::children::ChildStats;
    /// let stats = ChildStats { pending: 66, running: 1, completed: 41, ..ChildStats::default() };
    /// assert_eq!(stats.progress_text(), "66 pending, 1 running, 41 completed, 0 failed");
    /// ```
    pub fn progress_text(&self) -> String {
        let ChildStats { pending, running, completed, failed, cancelled } = self;
        let text = format!("{pending} pending, {running} running, {completed} completed, {failed} failed");
        if *cancelled == 0 { text } else { format!("{text}, {cancelled} cancelled") }
    }

    fn count(&mut self, standing: Standing) -> &mut u32 {
        match standing {
            Standing::Pending => &mut self.pending,
            Standing::Running => &mut self.running,
            Standing::Completed => &mut self.completed,
            Standing::Failed => &mut self.failed,
            Standing::Cancelled => &mut self.cancelled,
        }
    }
}

/// How far the children have come, by their weights.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Progress {
    /// The weight of those that have ended.
    pub done: f64,
    /// The weight of all.
    pub total: f64,
    /// From 0 to 1; `None` while nobody can say.
    pub fraction: Option<f64>,
}

/// Counts children, one change after the other: each costs the same, however many children there are.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    stats: ChildStats,
    ended: f64,
    weight: f64,
    shown: Progress,
}

impl Tally {
    /// Counts one change.
    pub fn change(&mut self, ChildChange { from, to, weight }: ChildChange) {
        if let Some(from) = from {
            let count = self.stats.count(from);
            *count = count.saturating_sub(1);
            self.weight -= weight;
            self.ended -= if from.has_ended() { weight } else { 0.0 };
        }
        if let Some(to) = to {
            *self.stats.count(to) += 1;
            self.weight += weight;
            self.ended += if to.has_ended() { weight } else { 0.0 };
        }
    }

    /// How many children stand where.
    pub fn stats(&self) -> ChildStats {
        self.stats
    }

    /// How far they have come, and never less far than was said before, also where more of them turned up. While their
    /// parent is still making some, nobody can say how much that is of all.
    pub fn progress(&mut self, may_grow: bool) -> Progress {
        let total = self.weight.max(0.0);
        // Sums of fractions may be off by a little: what has all ended is done.
        let done = if self.stats.all_ended() { total } else { self.ended.clamp(0.0, total) };
        let fraction = match self.stats.all_ended() {
            _ if may_grow => None,
            true => Some(1.0),
            false => (total > 0.0).then(|| done / total),
        };
        let done = done.max(self.shown.done);
        // `None` is less than every number.
        let fraction = if fraction < self.shown.fraction { self.shown.fraction } else { fraction };
        self.shown = Progress { done, total: total.max(done), fraction };
        self.shown
    }
}

/// How long, and for how much, a parent waits for its children.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Patience {
    /// How long at most, in milliseconds.
    pub timeout_ms: f64,
    /// How long for the first child, in milliseconds.
    pub no_children_ms: f64,
    /// How many children may fail.
    pub max_failed: u32,
}

impl Default for Patience {
    fn default() -> Self {
        Patience { timeout_ms: 30.0 * 60_000.0, no_children_ms: 30_000.0, max_failed: 0 }
    }
}

impl Patience {
    /// What becomes of a parent that has waited this long, if anything; `open` while descendants may still do something.
    pub fn end_of(&self, stats: &ChildStats, open: bool, waited_ms: f64) -> Option<Ending> {
        let total = stats.total();
        if stats.all_ended() && !open {
            return Some(match stats.overall_status() {
                OverallStatus::Cancelled => Ending::cancelled(),
                _ if stats.failed > self.max_failed => {
                    let message = format!("{} of {total} child jobs failed", stats.failed);
                    Ending::Badly(failure(Code::AgentFailed, &message))
                }
                _ => Ending::Well,
            });
        }
        if waited_ms >= self.timeout_ms {
            let message = "Timed out waiting for child jobs to complete";
            return Some(Ending::Badly(failure(Code::Timeout, message)));
        }
        (total == 0 && waited_ms >= self.no_children_ms).then_some(Ending::Well)
    }
}

/// How a monitored job ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// It completes.
    Well,
    /// It fails.
    Badly(Failure),
}

impl Ending {
    /// It is cancelled.
    pub fn cancelled() -> Ending {
        Ending::Badly(failure(Code::Cancelled, Code::Cancelled.sentence()))
    }
}

fn failure(code: Code, message: &str) -> Failure {
    Failure { code, message: message.into(), step: None }
}

/// Why a job can't be monitored, if so: it must be of type `parent`, and its configuration name a `source_type`.
pub fn not_a_parent(job_type: Option<&str>, source_type: Option<&str>) -> Option<Failure> {
    let problem = match (job_type, source_type) {
        (Some("parent"), Some(source)) if !source.is_empty() => return None,
        (Some("parent"), _) => "its config has no source_type".to_owned(),
        (Some(other), _) => format!("its type is \"{other}\", not \"parent\""),
        (None, _) => "it has no type, which must be \"parent\"".to_owned(),
    };
    Some(failure(Code::InvalidJob, &format!("Job can't be monitored: {problem}")))
}

#[cfg(test)]
mod tests;
