//! What is remembered of a step.

use crate::core::outcome::Refusal;

/// A step's place: in the plan's list, or in the order in which a router named it.
pub type StepIndex = usize;

/// What an amount is held for. Said by who holds it, also when the job has gone on without them meanwhile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Hold {
    /// The step, or the place of an item of it.
    pub step: StepIndex,
    /// From 1; a step that is not repeated has one.
    pub round: u32,
}

/// What a step that ended cost, which the budget manager could not be told.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Owed {
    /// What is still held for it.
    pub hold: Hold,
    /// `None` where it cost nothing.
    pub cost: Option<f64>,
}

/// What an item of a step is called, among the steps that are stored: `files[3]`.
pub fn item_id(step: &str, number: u32) -> String {
    format!("{step}[{number}]")
}

/// The step and the number of an item, from its id.
///
/// ```
/// use jobwright::core::step::{item_id, read_item_id};
/// assert_eq!(read_item_id(&item_id("files", 3)), Some(("files", 3)));
/// assert_eq!(read_item_id("files[03]"), None);
/// ```
pub fn read_item_id(id: &str) -> Option<(&str, u32)> {
    let (step, number) = halves(id.strip_suffix(']')?, b'[')?;
    let is_number =
        number.bytes().all(|byte| byte.is_ascii_digit()) && (number == "0" || !number.starts_with('0'));
    Some((step, number.parse().ok().filter(|_| is_number)?))
}

/// What stands before and behind the last of an ASCII letter. The standard library's is three times the size.
pub(crate) fn halves(text: &str, letter: u8) -> Option<(&str, &str)> {
    let place = text.bytes().rposition(|byte| byte == letter)?;
    Some((text.get(..place)?, text.get(place + 1..)?))
}

/// Where a step stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StepStatus {
    /// Not begun.
    Pending,
    /// Between attempts, or for a person.
    Waiting,
    /// An attempt is committed as begun.
    Running,
    /// Ended well.
    Done,
    /// Ended badly.
    Failed,
    /// Never ran.
    Skipped,
}

impl StepStatus {
    /// Every status, in the order of their codes.
    pub const ALL: [StepStatus; 6] = [
        StepStatus::Pending,
        StepStatus::Waiting,
        StepStatus::Running,
        StepStatus::Done,
        StepStatus::Failed,
        StepStatus::Skipped,
    ];

    /// The name used in stored jobs and in JavaScript.
    pub const fn name(self) -> &'static str {
        match self {
            StepStatus::Pending => "pending",
            StepStatus::Waiting => "waiting",
            StepStatus::Running => "running",
            StepStatus::Done => "done",
            StepStatus::Failed => "failed",
            StepStatus::Skipped => "skipped",
        }
    }

    /// The status with this name.
    pub fn from_name(name: &str) -> Option<StepStatus> {
        StepStatus::ALL.into_iter().find(|status| status.name() == name)
    }

    /// Has the step ended?
    pub const fn has_ended(self) -> bool {
        matches!(self, StepStatus::Done | StepStatus::Failed | StepStatus::Skipped)
    }
}

/// What is stored of a step. Times are epoch milliseconds.
#[derive(Clone, Debug, PartialEq)]
pub struct StepState {
    /// Where it stands.
    pub status: StepStatus,
    /// How many attempts were begun.
    pub attempts: u32,
    /// The number of its latest event: the cause of what comes after it.
    pub seq: Option<u64>,
    /// Who approved it.
    pub approved_by: Option<Box<str>>,
    /// When its first attempt began.
    pub started_at: Option<f64>,
    /// When it ended.
    pub finished_at: Option<f64>,
    /// When its next attempt is due.
    pub due_at: Option<f64>,
    /// Its caller gave it an input; the host keeps it, for each of its attempts.
    pub input_given: bool,
    /// The job already paused before it.
    pub breakpoint_passed: bool,
    /// Its attempt was cut off by a crash or by a question to a person, and is to be made again.
    pub interrupted: bool,
    /// How many of its rounds have ended, where it is repeated.
    pub round: u32,
    /// A round has ended, and nobody has said yet whether another begins.
    pub round_ended: bool,
    /// Its items, once they have begun, where it is done for each of a list.
    pub fan_out: Option<FanOut>,
    /// Why its latest attempt failed.
    pub error: Option<Box<Refusal>>,
}

impl StepState {
    /// Is an attempt under way? One whose items are is not attempted itself.
    pub fn is_attempted(&self) -> bool {
        self.status == StepStatus::Running && self.fan_out.is_none()
    }
}

/// The items of a step: they stand among the steps like steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FanOut {
    /// The place of the first; the others follow it.
    pub first: StepIndex,
    /// How many there are.
    pub count: u32,
}

impl FanOut {
    /// Their places.
    pub fn places(self) -> std::ops::Range<StepIndex> {
        self.first..self.first + self.count as usize
    }
}

impl Default for StepState {
    fn default() -> Self {
        StepState {
            status: StepStatus::Pending,
            attempts: 0,
            seq: None,
            approved_by: None,
            started_at: None,
            finished_at: None,
            due_at: None,
            input_given: false,
            breakpoint_passed: false,
            interrupted: false,
            round: 0,
            round_ended: false,
            fan_out: None,
            error: None,
        }
    }
}
